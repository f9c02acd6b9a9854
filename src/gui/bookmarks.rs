//! Owns the panel of bookmarks: full states of the runs to jump to and to branch from.

use eframe::egui::{self, Ui};
use egui_extras::{Column, TableBuilder};

use super::app::Asked;
use super::commands::{self, Command};
use super::plot::number;
use super::rename::{Renamed, Renaming};
use super::runs::ROW;
use crate::session::landscape::Ask;
use crate::session::places::Place;
use crate::session::runs::{Bookmark, BookmarkReason};
use crate::session::{Action, Dialog, Export, RunEntry, RunId, Session};

/// What the panel keeps: the label that is being typed.
#[derive(Debug, Default)]
pub struct State {
    renaming: Option<Renaming<(RunId, u64)>>,
}

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let mut rows: Vec<(&RunEntry, &Bookmark)> =
        session.runs().iter().flat_map(|run| run.bookmarks.iter().map(move |b| (run, b))).collect();
    // The selected run's first, and of each run what somebody kept before what was kept by itself.
    let current = session.current().map(|run| run.id);
    rows.sort_by_key(|(run, b)| {
        (current != Some(run.id), run.id, b.reason != BookmarkReason::User, b.iteration())
    });
    ui.horizontal(|ui| {
        let possible = session.current().is_some_and(RunEntry::is_alive);
        let key = commands::find(Command::Bookmark).and_then(|e| e.key).map(commands::key_name);
        let tip = format!("Keep the full state of the selected run ({})", key.unwrap_or_default());
        let now = ui.add_enabled(possible, egui::Button::new("Bookmark now").small());
        if now.on_hover_text(tip).clicked() {
            asked.command(Command::Bookmark);
        }
        ui.small("Also kept by itself: before the learning rate changes, at the best test loss, where 2/eta is crossed, before a jump.");
    });
    if rows.is_empty() {
        ui.weak("No bookmark yet.");
        return;
    }
    ui.spacing_mut().item_spacing.y = 2.0;
    TableBuilder::new(ui)
        .id_salt("bookmarks")
        .min_scrolled_height(0.0)
        .striped(true)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Column::auto().at_least(110.0))
        .column(Column::auto().at_least(70.0))
        .column(Column::remainder().at_least(150.0).clip(true))
        .column(Column::auto().at_least(90.0))
        .column(Column::auto().at_least(310.0))
        .header(ROW, |mut header| {
            for (name, tip) in [
                ("Run", "The run whose state is kept"),
                ("Iteration", "Updates made when the state was kept"),
                ("Bookmark", "Its name; double click to rename"),
                ("Why", "Kept by you, or by itself: the rate changed, 2/eta was crossed (P1 Theorem 1), best test loss, before a jump"),
                ("", ""),
            ] {
                header.col(|ui| {
                    ui.strong(name).on_hover_text(tip);
                });
            }
        })
        .body(|body| {
            body.rows(ROW, rows.len(), |mut row| {
                let (run, bookmark) = rows[row.index()];
                row.col(|ui| {
                    ui.add(egui::Label::new(&run.name).truncate());
                });
                row.col(|ui| {
                    ui.label(number::count(bookmark.iteration()));
                });
                row.col(|ui| label(ui, run, bookmark, state, asked));
                row.col(|ui| {
                    ui.label(why(bookmark.reason));
                });
                row.col(|ui| buttons(ui, run, bookmark, asked));
            });
        });
}

fn why(reason: BookmarkReason) -> &'static str {
    match reason {
        BookmarkReason::User => "by you",
        BookmarkReason::RateChange => "rate change",
        BookmarkReason::BoundCrossed => "2/eta crossed",
        BookmarkReason::BestTest => "best test loss",
        BookmarkReason::Jump => "before a jump",
    }
}

fn label(ui: &mut Ui, run: &RunEntry, bookmark: &Bookmark, state: &mut State, asked: &mut Asked) {
    let of = (run.id, bookmark.id);
    if let Some(renaming) = state.renaming.as_mut().filter(|renaming| renaming.of == of) {
        match renaming.show(ui, "Name of the bookmark") {
            Renamed::Not => return,
            Renamed::To(name) => asked.act(Action::RenameBookmark(run.id, bookmark.id, name)),
            Renamed::Left => {}
        }
        state.renaming = None;
        return;
    }
    let text = egui::Label::new(&bookmark.label).sense(egui::Sense::click()).truncate();
    if ui.add(text).on_hover_text("Double click to rename").double_clicked() {
        state.renaming = Some(Renaming::new(of, &bookmark.label));
    }
}

fn buttons(ui: &mut Ui, run: &RunEntry, bookmark: &Bookmark, asked: &mut Asked) {
    ui.spacing_mut().item_spacing.x = 3.0;
    let mut button = |text: &str, tip: &str| {
        let response = ui.add(egui::Button::new(text).small()).on_hover_text(tip);
        let name = format!("{text} {}, {}", run.name, bookmark.label);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        response.clicked()
    };
    if button(
        "Jump",
        "Set the run back to this state: its curves go on from here, and where it is now is bookmarked first",
    ) {
        asked.act(Action::Select(run.id));
        asked.act(Action::JumpTo(run.id, bookmark.id));
    }
    if button(
        "Branch",
        "The same, but with…: a new run that goes on from this state, paused until you have changed what is to differ",
    ) {
        asked.act(Action::BranchFrom { run: run.id, bookmark: bookmark.id, set: Vec::new() });
    }
    if button("Centre slice", "Compute a slice of the landscape around this state") {
        asked.act(Action::Select(run.id));
        let centre = Some(Place::Bookmark(run.id, bookmark.id));
        let directions = run.config.measure.slice.directions;
        asked.act(Action::Landscape(Ask::Slice { directions, centre, points: None }));
    }
    if button("Export…", "Write this state as a snapshot (npz), to go on from or to read with numpy") {
        asked.act(Action::Ask(Dialog::Save(Export::Bookmark(run.id, bookmark.id))));
    }
    if button("Remove", "Forget this state") {
        asked.act(Action::RemoveBookmark(run.id, bookmark.id));
    }
}
