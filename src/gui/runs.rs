//! Owns the table of runs.

use eframe::egui::containers::menu::MenuButton;
use eframe::egui::{self, Button, Ui, vec2};
use egui_extras::{Column, TableBuilder};

use super::app::Asked;
use super::freshness;
use super::plot::number;
use super::plot::paint::LineLook;
use super::rename::{Renamed, Renaming};
use super::theme::{self, Dash};
use crate::session::freshness::Freshness;
use crate::session::runs::Difference;
use crate::session::{Action, RunEntry, RunId, Session, setting_words, words};
use crate::training::history::Series;

/// What the table keeps: the name that is being typed, and which run was last brought into sight.
#[derive(Debug, Default)]
pub struct State {
    renaming: Option<Renaming<RunId>>,
    in_sight: Option<RunId>,
}

/// Draws the table.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    if session.runs().is_empty() {
        ui.centered_and_justified(|ui| ui.weak("No run. Choose a preset, or press New run."));
        return;
    }
    // The user's own runs wait out of sight while a lesson is taken.
    let waits = |id| session.playing().is_some_and(|playing| playing.waits(id));
    let runs: Vec<&RunEntry> = session.runs().iter().filter(|run| !waits(run.id)).collect();
    let room = Room::of(ui.available_width());
    let sideways = egui::ScrollArea::horizontal().id_salt("runs");
    sideways.show(ui, |ui| table(ui, session, &runs, room, state, asked));
}

/// Width in points that the columns and buttons need together: all of them, and without those that a narrow table does
/// without (`[own]`).
const WIDE: f32 = 1090.0;
const NARROW: f32 = 850.0;

/// How wide the table is: beside a lesson what is taught stays in sight, and the buttons in reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Wide,
    /// Names are cut; iteration and gap are left to the plots.
    Narrow,
    /// The buttons of a row are in a menu, too.
    Slim,
}

impl Room {
    /// Of a table of this width in points.
    fn of(width: f32) -> Self {
        match width {
            _ if width < NARROW => Room::Slim,
            _ if width < WIDE => Room::Narrow,
            _ => Room::Wide,
        }
    }
}

/// Height of a row, in points: low, so that a class of runs is seen at once (`[own]`).
pub const ROW: f32 = 18.0;

/// The table itself.
fn table(
    ui: &mut Ui,
    session: &Session,
    runs: &[&RunEntry],
    room: Room,
    state: &mut State,
    asked: &mut Asked,
) {
    ui.spacing_mut().item_spacing.y = 2.0;
    let small = |least: f32| Column::auto().at_least(least);
    let current = session.current().map(|run| run.id);
    let (name, differs, numbers, last) = match room {
        Room::Wide => (160.0, 120.0, 6, 290.0),
        Room::Narrow => (80.0, 110.0, 4, 290.0),
        Room::Slim => (80.0, 90.0, 4, 30.0),
    };
    let mut table = TableBuilder::new(ui)
        // The widths that it keeps are those of one kind of window.
        .id_salt(("runs", room as u8))
        .min_scrolled_height(0.0)
        .striped(true)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .sense(egui::Sense::click())
        .column(small(30.0))
        .column(Column::initial(name).at_least(60.0).clip(true))
        .column(Column::remainder().at_least(differs).clip(true))
        .columns(small(if room == Room::Slim { 62.0 } else { 70.0 }), numbers)
        .column(small(last));
    // A run that was selected elsewhere, or has just been opened, may be out of sight.
    if state.in_sight != current {
        state.in_sight = current;
        if let Some(row) = runs.iter().position(|run| Some(run.id) == current) {
            table = table.scroll_to_row(row, None);
        }
    }
    table
        .header(ROW, |mut header| {
            for (name, tip) in [
                ("", "Colour and marker on the curves"),
                ("Name", "Double click to rename"),
                ("What differs", "Settings on which the runs do not agree"),
                ("State", "What the run is doing: running, paused, or how it ended"),
                ("Iteration", "Updates of the weights made so far"),
                ("Loss", Series::TrainLoss.meaning()),
                ("Test loss", Series::TestLoss.meaning()),
                ("Sharpness", Series::LambdaMax.meaning()),
                ("Gap", Series::GeneralizationGap.meaning()),
                ("", ""),
            ] {
                if room != Room::Wide && WIDE_ONLY.contains(&name) {
                    continue;
                }
                header.col(|ui| {
                    ui.strong(name).on_hover_text(tip);
                });
            }
        })
        .body(|body| {
            body.rows(ROW, runs.len(), |mut row| {
                let run = runs[row.index()];
                row.set_selected(current == Some(run.id));
                columns(&mut row, run, room, state, asked);
                let response = row.response();
                let name = format!("Select {}", run.name);
                response.widget_info(|| {
                    egui::WidgetInfo::selected(egui::Role::Row, true, current == Some(run.id), &name)
                });
                if response.clicked() {
                    asked.act(Action::Select(run.id));
                }
            });
        });
}

/// Columns that a narrow table does without.
const WIDE_ONLY: [&str; 2] = ["Iteration", "Gap"];

fn columns(
    row: &mut egui_extras::TableRow<'_, '_>,
    run: &RunEntry,
    room: Room,
    state: &mut State,
    asked: &mut Asked,
) {
    row.col(|ui| {
        let (color, marker) = theme::run_style(run.colour, ui.visuals().dark_mode);
        let (rect, _) = ui.allocate_exact_size(vec2(26.0, 12.0), egui::Sense::hover());
        let color = if run.hidden { color.gamma_multiply(0.3) } else { color };
        let look = LineLook { color, dash: Dash::Solid, marker: Some(marker), width: 2.0 };
        ui.painter().extend(look.sample(rect.left_center(), 26.0));
    });
    row.col(|ui| name(ui, run, state, asked));
    row.col(|ui| {
        // What is measured changes nothing in a run: it is left to the tooltip, unless nothing else differs.
        let ordered = in_order(&run.differs);
        let in_words = |all: &[&Difference]| {
            all.iter().map(|d| setting_words::setting(d)).collect::<Vec<_>>().join(", ")
        };
        let of_run = ordered.iter().position(|d| d.key.starts_with("measure.")).filter(|n| *n > 0);
        let shown = in_words(&ordered[..of_run.unwrap_or(ordered.len())]);
        ui.add(egui::Label::new(shown).truncate()).on_hover_text(in_words(&ordered));
    });
    row.col(|ui| {
        let state = words::state(&run.state);
        // A menu hides which button is pressed.
        let is_pinned = run.pinned && room == Room::Slim;
        ui.label(if is_pinned { format!("{state}, pinned") } else { state.to_owned() });
    });
    if room == Room::Wide {
        row.col(|ui| {
            ui.label(number::count(run.iteration));
        });
    }
    let numbers = [Series::TrainLoss, Series::TestLoss, Series::LambdaMax, Series::GeneralizationGap];
    for series in numbers.into_iter().filter(|s| room == Room::Wide || *s != Series::GeneralizationGap) {
        row.col(|ui| {
            let Some(point) = run.curves.last(series) else {
                ui.label("–");
                return;
            };
            let text = number::value(point.value);
            match Freshness::of_series(run, series, point) {
                None => _ = ui.label(text),
                Some(freshness) => {
                    let look = freshness::look(ui, text.into(), freshness);
                    ui.label(look).on_hover_text(freshness::words(freshness));
                }
            }
        });
    }
    row.col(|ui| match room {
        Room::Slim => menu(ui, run, asked),
        Room::Wide | Room::Narrow => buttons(ui, run, asked),
    });
}

/// What a run is about first, what is measured last.
fn in_order(differs: &[Difference]) -> Vec<&Difference> {
    const FIRST: [&str; 6] =
        ["task.kind", "rule.", "network.gain", "optimizer.learning_rate", "seed", "flossing."];
    let rank = |d: &&Difference| match FIRST.iter().position(|start| d.key.starts_with(start)) {
        Some(rank) => rank,
        None if d.key.starts_with("measure.") => FIRST.len() + 1,
        None => FIRST.len(),
    };
    let mut ordered: Vec<&Difference> = differs.iter().collect();
    ordered.sort_by_key(rank);
    ordered
}

fn name(ui: &mut Ui, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    if let Some(renaming) = state.renaming.as_mut().filter(|renaming| renaming.of == run.id) {
        match renaming.show(ui, "Name of the run") {
            Renamed::Not => return,
            Renamed::To(name) => asked.act(Action::Rename(run.id, name)),
            Renamed::Left => {}
        }
        state.renaming = None;
        return;
    }
    let label = egui::Label::new(&run.name).sense(egui::Sense::click()).truncate();
    let response = ui.add(label).on_hover_text("Click to select, double click to rename");
    if response.double_clicked() {
        state.renaming = Some(Renaming::new(run.id, &run.name));
    } else if response.clicked() {
        asked.act(Action::Select(run.id));
    }
}

/// A button of a row.
struct Entry {
    text: &'static str,
    tip: &'static str,
    is_on: bool,
    is_possible: bool,
    actions: fn(&RunEntry) -> Vec<Action>,
}

fn entries(run: &RunEntry) -> [Entry; 5] {
    let entry = |text, tip, actions: fn(&RunEntry) -> Vec<Action>| Entry {
        text,
        tip,
        is_on: false,
        is_possible: true,
        actions,
    };
    let pin = "Keep its curves as a ghost when it is reset";
    let branch = "The same, but with…: a second run with these settings, paused until you have changed what is to \
                  differ";
    [
        Entry { is_on: run.pinned, ..entry("Pin", pin, |run| vec![Action::Pin(run.id, !run.pinned)]) },
        Entry {
            is_on: run.hidden,
            ..entry("Hide", "Leave it out of the plots", |run| vec![Action::Hide(run.id, !run.hidden)])
        },
        entry("Branch", branch, |run| vec![Action::Branch { from: run.id, set: Vec::new() }]),
        Entry {
            is_possible: run.is_alive(),
            ..entry("Bookmark", "Keep its full state to come back to", |run| {
                vec![Action::Select(run.id), Action::Bookmark { label: String::new() }]
            })
        },
        entry("Close", "Take the run out of the table; it can be brought back", |run| {
            vec![Action::Close(run.id)]
        }),
    ]
}

/// The buttons of a row beside each other.
fn buttons(ui: &mut Ui, run: &RunEntry, asked: &mut Asked) {
    ui.spacing_mut().item_spacing.x = 3.0;
    for entry in entries(run) {
        button(ui, run, entry, asked);
    }
    let seeds = MenuButton::from_button(Button::selectable(false, "Seeds").small());
    let (response, _) = seeds.ui(ui, |ui| more_seeds(ui, run, asked));
    let tip = "More seeds of this setting: drawn as their mean with a band, single runs faint";
    let name = format!("More seeds of {}", run.name);
    response.on_hover_text(tip).widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
}

/// The same in a menu.
fn menu(ui: &mut Ui, run: &RunEntry, asked: &mut Asked) {
    let (response, _) = MenuButton::from_button(Button::new("…").small()).ui(ui, |ui| {
        for entry in entries(run) {
            if button(ui, run, entry, asked) {
                ui.close();
            }
        }
        ui.separator();
        more_seeds(ui, run, asked);
    });
    let name = format!("Menu of {}", run.name);
    let tip = "Pin, hide, branch, bookmark or close the run; more seeds of it";
    response.on_hover_text(tip).widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
}

/// Whether it was clicked.
fn button(ui: &mut Ui, run: &RunEntry, entry: Entry, asked: &mut Asked) -> bool {
    let Entry { text, tip, is_on, is_possible, actions } = entry;
    let (fill, color) = theme::pressed_on_row(ui.visuals());
    let shown = match is_on {
        true => Button::new(egui::RichText::new(text).color(color)).fill(fill),
        false => Button::selectable(false, text),
    };
    let response = ui.add_enabled(is_possible, shown.small()).on_hover_text(tip);
    let name = format!("{text} {}", run.name);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, is_possible, is_on, &name));
    let is_clicked = response.clicked();
    if is_clicked {
        actions(run).into_iter().for_each(|action| asked.act(action));
    }
    is_clicked
}

fn more_seeds(ui: &mut Ui, run: &RunEntry, asked: &mut Asked) {
    for n in [1, 2, 4, 9] {
        let text = if n == 1 { "1 more seed".into() } else { format!("{n} more seeds") };
        if ui.button(text).on_hover_text("The same run with the seeds that follow").clicked() {
            asked.act(Action::MoreSeeds { like: run.id, n });
            ui.close();
        }
    }
}
