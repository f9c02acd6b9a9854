//! Owns the sweep's panel: what varies, how far it is, and its runs as heat map, curves and scatter.

mod map;
mod plan;
mod plots;

use eframe::egui::{self, Ui};

use super::app::Asked;
use super::plot::{number, values};
use super::scroll;
use crate::session::series_words::in_words;
use crate::session::sweeping::outcomes::Outcomes;
use crate::session::sweeping::view::{Held, Page, View};
use crate::session::sweeping::{Ask, Sweeping};
use crate::session::{Action, Dialog, Session};
use crate::training::config::keys::keys;
use crate::training::history::Series;

/// What the panel keeps.
#[derive(Debug, Default)]
pub struct State {
    plan: plan::State,
    table: bool,
}

/// The pages: name, what it shows.
const PAGES: [(Page, &str, &str); 4] = [
    (Page::Plan, "Plan", "What varies, and where the runs go"),
    (Page::Map, "Heat map", "A quantity at the end of the runs over two of the keys that vary"),
    (Page::Curves, "Curves", "A series along the runs: mean and band over seeds, by the values of a key"),
    (Page::Scatter, "Scatter", "Two quantities at the end of the runs, with their correlation"),
];

/// Height below which the panel scrolls, in points (`[own]`).
const LEAST_HEIGHT: f32 = 220.0;

/// Draws the panel; it scrolls where there is too little room for its plots.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    // The plan scrolls by itself.
    let least = if session.sweeping().view().page == Page::Plan { 0.0 } else { LEAST_HEIGHT };
    scroll::at_least(ui, least, |ui| contents(ui, session, state, asked));
}

fn contents(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let sweeping = session.sweeping();
    ui.horizontal_wrapped(|ui| {
        pages(ui, sweeping, asked);
        if sweeping.view().page != Page::Plan {
            table_switch(ui, state);
        }
        status(ui, sweeping, asked);
    });
    // Also empty: what follows keeps its ids, and a field that is typed in the keyboard.
    ui.scope(|ui| {
        if let Some(error) = sweeping.error() {
            ui.add(egui::Label::new(egui::RichText::new(error).color(ui.visuals().error_fg_color)).wrap());
        }
    });
    let page = sweeping.view().page;
    if page == Page::Plan {
        return plan::show(ui, session, &mut state.plan, asked);
    }
    let Some(outcomes) = sweeping.outcomes() else {
        ui.weak("No sweep is open. Start one on the page Plan, or open its folder.");
        return;
    };
    match page {
        Page::Plan => {}
        Page::Map => map::show(ui, sweeping, outcomes, state.table, asked),
        Page::Curves => plots::curves(ui, sweeping, outcomes, state.table, asked),
        Page::Scatter => plots::scatter(ui, sweeping, outcomes, state.table, asked),
    }
}

fn pages(ui: &mut Ui, sweeping: &Sweeping, asked: &mut Asked) {
    let view = sweeping.view();
    for (page, name, tip) in PAGES {
        let on = view.page == page;
        let response = ui.selectable_label(on, name).on_hover_text(tip);
        let name = format!("Sweep: {}", name.to_lowercase());
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, on, &name));
        if response.clicked() && !on {
            asked.act(Action::Sweep(Ask::View(View { page, ..view.clone() })));
        }
    }
}

fn table_switch(ui: &mut Ui, state: &mut State) {
    let button = ui.selectable_label(state.table, "table").on_hover_text("Show the numbers beside the plot");
    button.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, state.table, "Sweep: table of numbers")
    });
    if button.clicked() {
        state.table = !state.table;
    }
}

/// The sweep that is open: how far it is, stop and go on.
fn status(ui: &mut Ui, sweeping: &Sweeping, asked: &mut Asked) {
    let Some(outcomes) = sweeping.outcomes() else {
        if sweeping.is_opening() {
            ui.weak("Reading the folder of the sweep");
        }
        return;
    };
    let ((ended, diverged), runs) = (outcomes.counts(), outcomes.rows().len());
    if sweeping.is_running() || ended < runs {
        ui.end_row();
    }
    if sweeping.is_running() {
        let share = sweeping.progress().map_or(0.0, |p| p.updates_done as f32 / p.updates.max(1) as f32);
        ui.add(egui::ProgressBar::new(share).desired_width(90.0).show_percentage())
            .on_hover_text("Updates made, of those to make since the sweep was started or went on");
        let stop = ui.add_enabled(!sweeping.is_stopping(), egui::Button::new("Stop the sweep"));
        if stop.on_hover_text("What has ended stays; the runs under way are made again later").clicked() {
            asked.act(Action::Sweep(Ask::Stop));
        }
    } else if ended < runs {
        let go = ui.button("Go on").on_hover_text("Make the runs that have not ended");
        if go.clicked() {
            asked.act(Action::Sweep(Ask::GoOn));
        }
    }
    let mut text = format!("{ended} of {runs} ended");
    if diverged > 0 {
        text += &format!(", {diverged} diverged");
    }
    if sweeping.is_stopping() {
        text += ", stopping";
    } else if let Some(left) = sweeping.seconds_left() {
        text += &format!(", about {} left", number::duration(left));
    } else if let Some(left) = sweeping.seconds_to_go_on().filter(|_| !sweeping.is_running()) {
        text += &format!(", about {} to go", number::duration(left));
    }
    ui.label(text).on_hover_text(format!(
        "Runs of the sweep in {}; its index.csv has a row for every run that has ended",
        outcomes.folder.display()
    ));
}

/// A button that lets the user choose a folder.
fn folder_button(ui: &mut Ui, text: &str, tip: &str, dialog: Dialog, asked: &mut Asked) {
    if ui.button(text).on_hover_text(tip).clicked() {
        asked.act(Action::Ask(dialog));
    }
}

/// A list to choose from, with its accessible name, and what stands before the choice (in the button itself: the two
/// are never on two lines); gives the number of the entry that was chosen.
fn choose(
    ui: &mut Ui,
    (name, before): (&str, &str),
    tip: &str,
    now: &str,
    entries: &[(String, String)],
) -> Option<usize> {
    let mut chosen = None;
    let text = if before.is_empty() { now.to_owned() } else { format!("{before} {now}") };
    let response = egui::ComboBox::from_id_salt(("sweep", name))
        .selected_text(text)
        .width(30.0)
        .height(400.0)
        .show_ui(ui, |ui| {
            for (i, (text, tip)) in entries.iter().enumerate() {
                let entry = ui.selectable_label(text == now, text);
                let entry = if tip.is_empty() { entry } else { entry.on_hover_text(tip) };
                if entry.clicked() {
                    chosen = Some(i);
                }
            }
        })
        .response
        .on_hover_text(tip);
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name);
        info.current_text_value = Some(now.to_owned());
        info
    });
    chosen
}

/// A series to choose from those that the runs have.
fn choose_series(ui: &mut Ui, name: (&str, &str), now: Series, sweeping: &Sweeping) -> Option<Series> {
    let all = sweeping.series();
    let entries: Vec<(String, String)> =
        all.iter().map(|s| (in_words(*s).to_owned(), format!("{} ({})", s.meaning(), s.name()))).collect();
    let tip = format!("{}: {}", in_words(now), now.meaning());
    choose(ui, name, &tip, in_words(now), &entries).map(|i| all[i])
}

/// A key to choose from those that vary.
fn choose_key(ui: &mut Ui, name: (&str, &str), tip: &str, now: &str, keys: &[&str]) -> Option<String> {
    let entries: Vec<(String, String)> =
        keys.iter().map(|key| (key_in_words(key), (*key).to_owned())).collect();
    choose(ui, name, tip, &key_in_words(now), &entries).map(|i| keys[i].to_owned())
}

/// For each key that the view does not show: at which value it is held, or all.
fn choose_others(ui: &mut Ui, outcomes: &Outcomes, used: &[&str], view: &mut View) {
    for key in outcomes.others(used) {
        let labels = outcomes.labels(key);
        let name = key_in_words(key);
        let now = view.held(key).label(labels).unwrap_or_else(|| "all".into());
        let entries: Vec<(String, String)> = labels
            .iter()
            .map(|l| (l.clone(), String::new()))
            .chain([("all".into(), String::new())])
            .collect();
        let tip = format!("The runs with this value of {key}, or all");
        if let Some(i) = choose(ui, (&format!("Held: {name}"), &name), &tip, &now, &entries) {
            let held = labels.get(i).map_or(Held::All, |label| Held::Only(label.clone()));
            view.others.insert(key.to_owned(), held);
        }
    }
}

/// A table that scrolls sideways where its columns need more room than there is.
fn numbers(
    ui: &mut Ui,
    title: &str,
    columns: &[String],
    n_rows: usize,
    cell: impl Fn(usize, usize) -> String,
) {
    egui::ScrollArea::horizontal().id_salt(title).show(ui, |ui| {
        ui.set_min_width(LEAST_COLUMN * columns.len() as f32);
        values::show(ui, title, columns, n_rows, cell);
    });
}

/// Width of a column of a table, in points.
const LEAST_COLUMN: f32 = 76.0;

/// A key in the words of the experiment panel, where it has some.
fn key_in_words(key: &str) -> String {
    match key {
        "" => "none".into(),
        "network.gain" => "initial gain".into(),
        "optimizer.learning_rate" => "learning rate".into(),
        "rule.kind" => "rule".into(),
        "network.n_rec" => "units".into(),
        "network.alpha" => "leak alpha".into(),
        other => other.trim_end_matches(".kind").replace('_', " "),
    }
}

/// What a key is, for a tooltip.
fn meaning(key: &str) -> String {
    match keys().iter().find(|k| k.path == key) {
        Some(info) => format!("{}.\nKey {key}: {}.", super::fields::sentence(info.help), info.values),
        None => format!("Key {key}."),
    }
}
