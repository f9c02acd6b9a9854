//! Owns the table of runs.

use eframe::egui::{self, Ui, vec2};
use egui_extras::{Column, TableBuilder};

use super::app::Asked;
use super::commands::Command;
use super::freshness;
use super::plot::number;
use super::plot::paint::LineLook;
use super::theme::{self, Dash};
use crate::session::freshness::Freshness;
use crate::session::runs::Difference;
use crate::session::{Action, RunEntry, RunId, Session, words};
use crate::training::history::Series;

/// What the table keeps: the name that is being typed.
#[derive(Debug, Default)]
pub struct State {
    renaming: Option<(RunId, String)>,
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
    // In a narrow window, as beside a lesson, the buttons stay in reach, and what differs can be read.
    let is_narrow = ui.available_width() < NARROW;
    let widths = if is_narrow { [80.0, 110.0] } else { [160.0, 120.0] };
    let sideways = egui::ScrollArea::horizontal().id_salt("runs");
    sideways.show(ui, |ui| {
        table(ui, session, &runs, (is_narrow, widths), state, asked);
    });
}

/// Width of the panel, in points, below which names are cut, and iteration and gap left to the plots.
const NARROW: f32 = 1010.0;

/// The table itself, with these widths of names and of what differs.
fn table(
    ui: &mut Ui,
    session: &Session,
    runs: &[&RunEntry],
    (is_narrow, [name, differs]): (bool, [f32; 2]),
    state: &mut State,
    asked: &mut Asked,
) {
    let small = |least: f32| Column::auto().at_least(least);
    let height = ui.spacing().interact_size.y;
    let current = session.current().map(|run| run.id);
    TableBuilder::new(ui)
        // The widths that it keeps are those of one kind of window.
        .id_salt(("runs", name as i32))
        .striped(true)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .sense(egui::Sense::click())
        .column(small(30.0))
        .column(Column::initial(name).at_least(60.0).clip(true))
        .column(Column::remainder().at_least(differs).clip(true))
        .columns(small(70.0), if is_narrow { 4 } else { 6 })
        .column(small(255.0))
        .header(height, |mut header| {
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
                if is_narrow && WIDE_ONLY.contains(&name) {
                    continue;
                }
                header.col(|ui| {
                    ui.strong(name).on_hover_text(tip);
                });
            }
        })
        .body(|body| {
            body.rows(height, runs.len(), |mut row| {
                let run = runs[row.index()];
                row.set_selected(current == Some(run.id));
                columns(&mut row, run, is_narrow, state, asked);
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
    is_narrow: bool,
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
        let in_words = |all: &[&Difference]| all.iter().map(|d| difference(d)).collect::<Vec<_>>().join(", ");
        let of_run = ordered.iter().position(|d| d.key.starts_with("measure.")).filter(|n| *n > 0);
        let shown = in_words(&ordered[..of_run.unwrap_or(ordered.len())]);
        ui.add(egui::Label::new(shown).truncate()).on_hover_text(in_words(&ordered));
    });
    row.col(|ui| {
        ui.label(words::state(&run.state));
    });
    if !is_narrow {
        row.col(|ui| {
            ui.label(number::count(run.iteration));
        });
    }
    let numbers = [Series::TrainLoss, Series::TestLoss, Series::LambdaMax, Series::GeneralizationGap];
    for series in numbers.into_iter().filter(|s| !is_narrow || *s != Series::GeneralizationGap) {
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
    row.col(|ui| buttons(ui, run, asked));
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

fn difference(d: &Difference) -> String {
    // `rule.kind` is called after the rule, `network.gain` after the gain.
    let key = d.key.trim_end_matches(".kind");
    let key = key.rsplit('.').next().unwrap_or(key).replace('_', " ");
    match &d.to {
        Some(toml::Value::String(word)) => format!("{key} {word}"),
        Some(toml::Value::Float(x)) => format!("{key} {}", number::short(*x)),
        Some(value) => format!("{key} {value}"),
        None => format!("no {key}"),
    }
}

fn name(ui: &mut Ui, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    if let Some((id, text)) = &mut state.renaming
        && *id == run.id
    {
        let field = ui.add(egui::TextEdit::singleline(text).hint_text("Name of the run"));
        field.request_focus();
        if field.lost_focus() || ui.input(|input| input.key_pressed(egui::Key::Enter)) {
            if !text.trim().is_empty() {
                asked.act(Action::Rename(run.id, text.trim().into()));
            }
            state.renaming = None;
        }
        return;
    }
    let label = egui::Label::new(&run.name).sense(egui::Sense::click()).truncate();
    let response = ui.add(label).on_hover_text("Click to select, double click to rename");
    if response.double_clicked() {
        state.renaming = Some((run.id, run.name.clone()));
    } else if response.clicked() {
        asked.act(Action::Select(run.id));
    }
}

fn buttons(ui: &mut Ui, run: &RunEntry, asked: &mut Asked) {
    ui.spacing_mut().item_spacing.x = 3.0;
    let mut button = |on: bool, text: &str, tip: &str| {
        let response = ui.add(egui::Button::selectable(on, text).small()).on_hover_text(tip);
        let name = format!("{text} {}", run.name);
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, on, &name));
        response.clicked()
    };
    if button(run.pinned, "Pin", "Keep its curves as a ghost when it is reset") {
        asked.act(Action::Pin(run.id, !run.pinned));
    }
    if button(run.hidden, "Hide", "Leave it out of the plots") {
        asked.act(Action::Hide(run.id, !run.hidden));
    }
    if button(
        false,
        "Branch",
        "The same, but with…: a second run with these settings, paused until you have changed what is to differ",
    ) {
        asked.act(Action::Branch { from: run.id, set: Vec::new() });
    }
    if button(false, "Close", "Take the run out of the table; it can be brought back") {
        asked.act(Action::Close(run.id));
    }
    let seeds = ui.menu_button(egui::RichText::new("Seeds").small(), |ui| {
        for n in [1, 2, 4, 9] {
            let text = if n == 1 { "1 more seed".into() } else { format!("{n} more seeds") };
            if ui.button(text).on_hover_text("The same run with the seeds that follow").clicked() {
                asked.act(Action::MoreSeeds { like: run.id, n });
                ui.close();
            }
        }
    });
    let tip = "More seeds of this setting: drawn as their mean with a band, single runs faint";
    let name = format!("More seeds of {}", run.name);
    let response = seeds.response.on_hover_text(tip);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let mut button = |on: bool, text: &str, tip: &str| {
        let response = ui.add(egui::Button::selectable(on, text).small()).on_hover_text(tip);
        let name = format!("{text} {}", run.name);
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, on, &name));
        response.clicked()
    };
    if run.is_alive() && button(false, "Bookmark", "Keep its full state to come back to") {
        asked.act(Action::Select(run.id));
        asked.command(Command::Bookmark);
    }
}
