//! Owns the landscape panel: the slice as a map or as a surface, cuts through it, and the shake.

mod choose;
mod cut;
mod legend;
mod shake;
mod slice;
mod status;
mod tables;

use eframe::egui::{self, Ui, vec2};

use super::app::Asked;
use super::plot::colormap::ColorMap;
use super::plot::heat_map::HeatMap;
use super::plot::overlay::Overlay;
use super::plot::surface::Turn;
use super::{scroll, theme};
use crate::session::places::Place;
use crate::session::{RunEntry, RunId, Session};
use crate::training::config::RuleKind;

/// What the panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    #[default]
    Map,
    Surface,
    Cut,
    Shake,
}

impl View {
    const ALL: [(View, &'static str, &'static str, &'static str); 4] = [
        (
            View::Map,
            "Map",
            "Slice as a map",
            "The loss over a plane through weight space as colours with contour lines. A click or a drag starts \
             descents there",
        ),
        (
            View::Surface,
            "3-D",
            "Slice as a surface",
            "The same loss as a surface, its height logarithmic; drag to turn it. The path floats at its true loss",
        ),
        (View::Cut, "Cut", "Cut", "The loss along a line: along the slice's axes, or between two networks"),
        (
            View::Shake,
            "Shake",
            "Shake",
            "The loss under random noise on the weights of growing radius, of this run and every pinned one",
        ),
    ];
}

/// What the panel keeps; pictures are made anew when the slice changes.
#[derive(Default)]
pub struct State {
    view: View,
    table: bool,
    /// In a low panel: whether what can be chosen is shown.
    unfolded: bool,
    shown: tables::Table,
    colors: ColorMap,
    map: HeatMap,
    turn: Turn,
    drawn: Option<slice::Drawn>,
    overlay: Overlay,
    choices: Choices,
}

/// What the user chose for the selected run.
#[derive(Clone, Debug, Default, PartialEq)]
struct Choices {
    of: Option<RunId>,
    centre: Option<Place>,
    points: Option<[Place; 3]>,
    rule: Option<RuleKind>,
    steps: Option<[u64; 2]>,
    cut: Option<[Place; 2]>,
    relative: bool,
}

impl State {
    /// Forgets what belongs to another run or is gone.
    fn follow(&mut self, session: &Session, run: RunId) {
        let choices = &mut self.choices;
        if choices.of != Some(run) {
            *choices = Choices { of: Some(run), relative: choices.relative, ..Choices::default() };
        }
        let is_there = |place: &Place| session.name_of(*place, run).is_some();
        choices.centre = choices.centre.filter(is_there);
        choices.points = choices.points.filter(|all| all.iter().all(is_there));
        choices.cut = choices.cut.filter(|both| both.iter().all(is_there));
    }
}

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let Some(run) = session.current() else {
        ui.centered_and_justified(|ui| ui.weak("No run"));
        return;
    };
    state.follow(session, run.id);
    scroll::at_least(ui, LEAST_HEIGHT, |ui| contents(ui, session, run, state, asked));
}

/// Height of the panel, in points, below which it scrolls (`[own]`).
const LEAST_HEIGHT: f32 = 170.0;
/// Height of the panel, in points, below which what is chosen once is folded away: the picture needs the room (`[own]`).
const LOW: f32 = 250.0;

fn contents(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let is_slice = matches!(state.view, View::Map | View::Surface);
    let folds = ui.available_height() < LOW && is_slice;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        views(ui, state);
        if !folds {
            with_table(ui, state);
        }
        if is_slice {
            if !folds {
                ui.separator();
                slice::colors(ui, state);
            }
            slice::buttons(ui, run, state, asked);
        }
        if folds {
            let tip =
                "Directions, centre, rule of the descent, colours, table: they take room from the picture";
            toggle(ui, &mut state.unfolded, "choose", "Landscape: choices", tip);
        }
    });
    if !folds || state.unfolded {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            match state.view {
                View::Map | View::Surface => slice::controls(ui, session, run, state, asked),
                View::Cut => cut::controls(ui, session, run, state, asked),
                View::Shake => shake::controls(ui, session, state, asked),
            }
            if folds {
                slice::colors(ui, state);
                with_table(ui, state);
            }
        });
    }
    if let Some(error) = session.bench().error() {
        ui.colored_label(theme::warning(ui.visuals().dark_mode), error);
    }
    match state.view {
        View::Map | View::Surface => slice::show(ui, session, run, state, asked),
        View::Cut => cut::show(ui, session, run, state),
        View::Shake => shake::show(ui, session, state),
    }
}

fn views(ui: &mut Ui, state: &mut State) {
    for (view, text, name, tip) in View::ALL {
        let button = egui::Button::selectable(state.view == view, text).small();
        let response = ui.add(button).on_hover_text(tip);
        let is_on = state.view == view;
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_on, name));
        if response.clicked() {
            state.view = view;
        }
    }
}

fn with_table(ui: &mut Ui, state: &mut State) {
    let tip = "Show the numbers below the picture";
    toggle(ui, &mut state.table, "table", "Landscape: table of numbers", tip);
}

fn toggle(ui: &mut Ui, on: &mut bool, text: &str, name: &str, tip: &str) {
    let response = ui.add(egui::Button::selectable(*on, text).small()).on_hover_text(tip);
    let is_on = *on;
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_on, name));
    if response.clicked() {
        *on = !*on;
    }
}

/// Room for a picture, and for a table below it where one is shown.
fn rooms(ui: &Ui, table: bool) -> (egui::Vec2, egui::Vec2) {
    let size = ui.available_size();
    let height = if table { (0.55 * size.y).max(80.0) } else { size.y };
    (vec2(size.x, height), vec2(size.x, (size.y - height - 4.0).max(60.0)))
}
