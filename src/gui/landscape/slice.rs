//! Owns the slice: its controls, what there is to say about it, the map and the surface.

use std::sync::Arc;

use eframe::egui::{self, Ui};
use toml::Value;

use super::choose::{self, DIRECTIONS, directions_name, list};
use super::{State, View, legend, rooms, status, tables};
use crate::engine::messages::Found;
use crate::gui::app::Asked;
use crate::gui::plot::colormap::ColorMap;
use crate::gui::plot::surface::Surface;
use crate::gui::theme;
use crate::numerics::landscape::LandscapeError;
use crate::session::landscape::{Ask, Descending, RULES};
use crate::session::places::Place;
use crate::session::words::rule_name;
use crate::session::{Action, RunEntry, RunId, Session};
use crate::training::config::SliceDirections;
use crate::training::measures::{Detail, Measure, SliceDetail};

/// What the picture was made from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    slice: (RunId, i64, usize, usize),
    colors: ColorMap,
    bookmarks: usize,
    is_now: bool,
    descended: Option<usize>,
}

/// Steps of a descent in the plane, and after them in the full space, where the user chose none (`[own]`).
const STEPS: [u64; 2] = [200, 300];

/// Draws the controls.
pub fn controls(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let directions = run.config.measure.slice.directions;
    let choices = DIRECTIONS.iter().map(|(d, name, meaning)| (*d, (*name).into(), (*meaning).into()));
    let now = (Some(directions), directions_name(directions));
    if let Some(new) = list(ui, "Slice directions", "The two directions of the slice", 84.0, now, choices) {
        let value = Value::String(directions_name(new).into());
        asked.act(Action::Set { key: "measure.slice.directions".into(), value });
        asked.act(Action::Settle);
        ask(new, state, asked);
    }
    centre(ui, session, run, directions, state, asked);
    if directions == SliceDirections::ThreePoints {
        points(ui, session, run, state, asked);
    }
    descent(ui, session, run, state, asked);
}

/// Draws the choice of the colours.
pub fn colors(ui: &mut Ui, state: &mut State) {
    let (name, other) = match state.colors {
        ColorMap::Viridis => ("viridis", ColorMap::Cividis),
        ColorMap::Cividis => ("cividis", ColorMap::Viridis),
    };
    let button = ui.small_button(name).on_hover_text("Colour map of the loss: viridis or cividis");
    let label = format!("Colour map {name}");
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &label));
    if button.clicked() {
        state.colors = other;
    }
}

/// Draws what stands beside the choice of the view.
pub fn buttons(ui: &mut Ui, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let button = ui.add_enabled(run.is_alive(), egui::Button::new("Slice now").small());
    let tip = "Compute a slice around the chosen centre from the weights as they are, coarse to fine";
    if button.on_hover_text(tip).clicked() {
        ask(run.config.measure.slice.directions, state, asked);
    }
    if state.view == View::Surface {
        turn(ui, state);
    }
}

fn ask(directions: SliceDirections, state: &State, asked: &mut Asked) {
    let points = state.choices.points.filter(are_different);
    let centre = state.choices.centre;
    asked.act(Action::Landscape(Ask::Slice { directions, centre, points }));
}

fn are_different(points: &[Place; 3]) -> bool {
    let [a, b, c] = points;
    a != b && b != c && a != c
}

fn own_points(run: &RunEntry) -> [Place; 3] {
    [Place::Start(run.id), Place::Now(run.id), Place::Now(run.id)]
}

fn centre(
    ui: &mut Ui,
    session: &Session,
    run: &RunEntry,
    directions: SliceDirections,
    state: &mut State,
    asked: &mut Asked,
) {
    let usual = if directions == SliceDirections::ThreePoints { "first point" } else { "now" };
    let tip = "The centre of the slice: the present weights (with three points the first), the start, a bookmark, \
               or a place of another run of the same size";
    if let Some(new) = choose::place(
        ui,
        session,
        run,
        "Slice centre",
        tip,
        (state.choices.centre, &format!("centre: {usual}")),
    ) {
        state.choices.centre = Some(new);
        ask(directions, state, asked);
    }
}

fn points(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let tips = [
        "The first point of the plane, its centre",
        "The second point: the first direction leads there",
        "The third point: the second direction leads towards it",
    ];
    for (i, name) in ["First point", "Second point", "Third point"].into_iter().enumerate() {
        let now = state.choices.points.map(|all| all[i]);
        let usual = ["start", "middle", "now"][i];
        if let Some(new) = choose::place(ui, session, run, name, tips[i], (now, usual)) {
            let mut all = state.choices.points.unwrap_or_else(|| own_points(run));
            all[i] = new;
            state.choices.points = Some(all);
            // Three different networks make a plane; before that there is nothing to ask.
            if are_different(&all) {
                ask(SliceDirections::ThreePoints, state, asked);
            }
        }
    }
}

fn descent(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let rule = state.choices.rule.unwrap_or(run.config.rule.kind);
    let mut rules = RULES.to_vec();
    if !rules.contains(&run.config.rule.kind) {
        rules.insert(0, run.config.rule.kind);
    }
    let tip = "The rule that descends from the point clicked or dragged to, on the probe batch at the run's \
               learning rate: first in the plane (what is left of its step there), then in the full space, dashed. \
               The other rules go along as ghosts";
    let choices = rules.into_iter().map(|kind| (kind, rule_name(kind).to_owned(), String::new()));
    let text = format!("descend {}", rule_name(rule));
    if let Some(new) = list(ui, "Rule of the descent", tip, 92.0, (Some(rule), text.as_str()), choices) {
        state.choices.rule = Some(new);
        if let Some(descending) = session.bench().descending().filter(|d| d.run == run.id) {
            asked.act(Action::Landscape(Ask::Descend {
                from: descending.from,
                rule: new,
                steps: descending.steps,
            }));
        }
    }
    if session.bench().descending().is_none() {
        return;
    }
    let mut steps = state.choices.steps.unwrap_or(STEPS);
    let of = [("Steps in the plane", ""), ("Steps in the full space", "+ ")];
    for (steps, (name, prefix)) in steps.iter_mut().zip(of) {
        let value = egui::DragValue::new(steps).range(0..=20_000).speed(5).prefix(prefix);
        let response = ui.add(value).on_hover_text(format!("{name} of the next descent"));
        let now = *steps as f64;
        response.widget_info(|| egui::WidgetInfo {
            value: Some(now),
            ..egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name)
        });
    }
    state.choices.steps = Some(steps);
}

fn turn(ui: &mut Ui, state: &mut State) {
    let fields = [
        (
            &mut state.turn.azimuth,
            "Azimuth of the surface",
            "Turned around the vertical axis, degrees",
            360.0,
        ),
        (
            &mut state.turn.elevation,
            "Elevation of the surface",
            "Height of the eye above the plane, degrees",
            90.0,
        ),
    ];
    for (value, name, tip, most) in fields {
        let field = egui::DragValue::new(value).range(0.0..=most).speed(1.0).max_decimals(0).suffix("°");
        let response = ui.add(field).on_hover_text(tip);
        let now = *value;
        response.widget_info(|| egui::WidgetInfo {
            value: Some(now),
            ..egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name)
        });
    }
}

/// Draws what is known of the slice.
pub fn show(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let Some((Found { finding, .. }, _)) = run.finding(Measure::Landscape) else {
        ui.centered_and_justified(|ui| {
            ui.weak("No slice yet. Press Slice now, or turn on the measure Landscape.");
        });
        return;
    };
    let Some(slice) = session.slice_of(run) else {
        if let Detail::Landscape(Err(error)) = &finding.detail {
            ui.centered_and_justified(|ui| match error {
                // Nothing is wrong: the run has only begun.
                LandscapeError::FewStates { .. } => {
                    ui.weak(format!("No slice yet: {error}. It comes when a few updates have been made."))
                }
                _ => ui.colored_label(theme::warning(ui.visuals().dark_mode), format!("No slice: {error}")),
            });
        }
        return;
    };
    let descending = session.bench().descending().filter(|d| d.run == run.id);
    status::show(ui, session, run, slice, descending, state, asked);
    take(ui, run, slice, descending, state);
    let (picture, below) = rooms(ui, state.table);
    let mut names = slice.names.clone();
    names[0] = format!("{}, centre {}", names[0], slice.centre);
    match (state.view, state.map.colors()) {
        (View::Surface, Some(colors)) => {
            let overlay = &state.overlay;
            let surface =
                Surface { title: "Loss surface", grid: &slice.grid, names: &names, colors, overlay };
            surface.show(ui, &mut state.turn, picture);
        }
        _ => {
            let picked = state.map.show(ui, "Loss landscape", &slice.grid, &names, &state.overlay, picture);
            if let Some(from) = picked.clicked.or(picked.dragged) {
                let rule = state.choices.rule.unwrap_or(run.config.rule.kind);
                let steps = state.choices.steps.unwrap_or(STEPS);
                asked.act(Action::Landscape(Ask::Descend { from, rule, steps }));
            }
        }
    }
    if state.table {
        ui.allocate_ui(below, |ui| tables::slice(ui, slice, descending, &mut state.shown));
    }
}

/// Makes the picture anew where anything on it has changed.
fn take(ui: &Ui, run: &RunEntry, slice: &SliceDetail, descending: Option<&Descending>, state: &mut State) {
    let drawn = Drawn {
        slice: (run.id, slice.iteration, slice.progress.done, Arc::as_ptr(&slice.plane).addr()),
        colors: state.colors,
        bookmarks: run.bookmarks.len(),
        is_now: run.iteration == slice.iteration,
        descended: descending.map(|d| d.all.iter().map(|t| t.points.len() + 1).sum()),
    };
    if state.drawn != Some(drawn) {
        let before = state.drawn.map(|d| (d.slice, d.colors));
        if before != Some((drawn.slice, drawn.colors)) {
            state.map.set(ui.ctx(), &slice.grid, state.colors);
        }
        state.drawn = Some(drawn);
        state.overlay = legend::overlay(run, slice, descending);
    }
    state.overlay.strength = strength(slice.iteration, run.iteration);
}

/// How strong the slice of an iteration is drawn when the weights have moved on: faded to two thirds over a hundred
/// updates, or a tenth of those before it.
fn strength(iteration: i64, now: i64) -> f32 {
    let age = (now - iteration).max(0) as f32;
    let span = (0.1 * iteration as f32).max(100.0);
    1.0 - 0.35 * (age / span).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_fades_as_the_weights_move_on_and_never_further_than_to_be_read() {
        assert_eq!(strength(500, 500), 1.0);
        assert!(strength(500, 550) < 1.0 && strength(500, 550) > strength(500, 580));
        for old in [600, 700, 1_000_000] {
            assert_eq!(strength(500, old), 0.65);
        }
        assert!(strength(10_000, 10_100) > 0.95, "late in a run they move slowly");
        assert_eq!(strength(500, 20), 1.0, "a run that went back");
    }
}
