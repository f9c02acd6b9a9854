//! Owns the landscape panel: a slice of the loss with the run's path on it.

use eframe::egui::{self, Ui, vec2};
use toml::Value;

use super::app::Asked;
use super::freshness;
use super::plot::colormap::ColorMap;
use super::plot::heat_map::{HeatMap, Overlay, Spot};
use super::plot::number;
use super::theme;
use crate::engine::messages::Found;
use crate::numerics::weights::norm;
use crate::session::{Action, RunEntry, RunId, Session};
use crate::training::config::SliceDirections;
use crate::training::measures::{Detail, Measure, SliceDetail, SliceRequest};

/// What the panel keeps: the picture, made anew when the slice changes.
#[derive(Default)]
pub struct State {
    map: HeatMap,
    colors: ColorMap,
    drawn: Option<(RunId, i64, usize, ColorMap)>,
    overlay: Overlay,
}

/// Directions to choose from, with what they show and hide.
const DIRECTIONS: &[(SliceDirections, &str, &str)] = &[
    (
        SliceDirections::Trajectory,
        "trajectory",
        "The first two principal components of the run's path: shows the way, and hides how narrow it is",
    ),
    (
        SliceDirections::Eigenvectors,
        "eigenvectors",
        "The top two Hessian eigenvectors: the steepest walls; the path hardly moves in it",
    ),
    (
        SliceDirections::Random,
        "random",
        "Random directions, normalised per neuron: a typical view, which misses the few sharp directions",
    ),
    (
        SliceDirections::ThreePoints,
        "three-points",
        "The plane through the start, the middle and the end of the path",
    ),
];

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let Some(run) = session.current() else {
        ui.centered_and_justified(|ui| ui.weak("No run"));
        return;
    };
    controls(ui, run, state, asked);
    let found = run.finding(Measure::Landscape);
    let Some((Found { finding, .. }, _)) = found else {
        ui.centered_and_justified(|ui| {
            ui.weak("No slice yet. Press Slice now, or turn on the measure Landscape.");
        });
        return;
    };
    let Detail::Landscape(outcome) = &finding.detail else { return };
    match outcome {
        Ok(slice) => picture(ui, run, slice, state),
        Err(error) => {
            ui.centered_and_justified(|ui| {
                ui.colored_label(theme::warning(ui.visuals().dark_mode), format!("No slice: {error}"));
            });
        }
    }
}

fn controls(ui: &mut Ui, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let slice = &run.config.measure.slice;
    ui.horizontal_wrapped(|ui| {
        let now = DIRECTIONS.iter().find(|d| d.0 == slice.directions).map_or("", |d| d.1);
        let list = egui::ComboBox::from_id_salt("slice directions").selected_text(now).width(96.0).show_ui(
            ui,
            |ui| {
                for (directions, name, meaning) in DIRECTIONS {
                    let chosen =
                        ui.selectable_label(*directions == slice.directions, *name).on_hover_text(*meaning);
                    if chosen.clicked() {
                        let key = "measure.slice.directions".into();
                        asked.act(Action::Set { key, value: Value::String((*name).into()) });
                        asked.act(Action::Settle);
                        let request =
                            SliceRequest { directions: *directions, ..SliceRequest::of(&run.config.measure) };
                        asked.act(Action::Slice(Box::new(request)));
                    }
                }
            },
        );
        list.response.on_hover_text("The two directions of the slice").widget_info(|| {
            let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Slice directions");
            info.current_text_value = Some(now.into());
            info
        });
        let slice_now = ui.add_enabled(run.is_alive(), egui::Button::new("Slice now").small());
        if slice_now.on_hover_text("Compute a slice around the weights as they are, coarse to fine").clicked()
        {
            asked.act(Action::Slice(Box::new(SliceRequest::of(&run.config.measure))));
        }
        let other = match state.colors {
            ColorMap::Viridis => ColorMap::Cividis,
            ColorMap::Cividis => ColorMap::Viridis,
        };
        let name = if state.colors == ColorMap::Viridis { "viridis" } else { "cividis" };
        let colors = ui.small_button(name).on_hover_text("Colour map: viridis or cividis");
        colors.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Colour map {name}"))
        });
        if colors.clicked() {
            state.colors = other;
        }
        if let Some((found, _)) = run.finding(Measure::Landscape)
            && let Detail::Landscape(Ok(slice)) = &found.finding.detail
        {
            status(ui, run, slice, state);
        }
    });
}

/// How old and how fine the slice is, and what it cannot show.
fn status(ui: &mut Ui, run: &RunEntry, slice: &SliceDetail, state: &State) {
    ui.small(format!("slice {}", freshness::age(run, slice.iteration)));
    let progress = slice.progress;
    if !progress.is_complete() {
        let text = format!("{} of {} points", number::count(progress.done as i64), progress.total);
        ui.small(text).on_hover_text("Coarse to fine: points not known yet have the loss of a neighbour");
    }
    let off = slice.path.iter().map(|p| p.coordinates.distance).fold(0.0, f64::max);
    ui.small(format!("path up to {} off the plane", number::value(off))).on_hover_text(
        "Euclidean distance of the path from the plane over all weights. A point is filled with the colour of \
         its own true loss, and hollow the further off the plane it is: where its colour differs from the map's \
         around it, the slice misleads.",
    );
    let (enormous, bad) = state.map.beyond();
    if enormous + bad > 0 {
        ui.small(format!("{enormous} losses beyond the colours, {bad} not finite"));
    }
}

fn picture(ui: &mut Ui, run: &RunEntry, slice: &SliceDetail, state: &mut State) {
    let key = (run.id, slice.iteration, slice.progress.done, state.colors);
    if state.drawn != Some(key) {
        state.drawn = Some(key);
        state.map.set(ui.ctx(), &slice.grid, state.colors);
        let (color, _) = theme::run_style(run.colour, true);
        state.overlay.paths = vec![(run.name.clone(), color, spots(slice))];
    }
    // Out of date by as many updates as it is old: faded to two thirds.
    let age = (run.iteration - slice.iteration) as f32;
    let span = (0.1 * slice.iteration as f32).max(100.0);
    state.overlay.strength = 1.0 - 0.35 * (age / span).clamp(0.0, 1.0);
    let size = vec2(ui.available_width(), ui.available_height());
    state.map.show(ui, "Loss landscape", &slice.grid, &slice.names, &state.overlay, size);
}

/// The path as points of the map.
fn spots(slice: &SliceDetail) -> Vec<Spot> {
    let units = [norm(slice.plane.d1()), norm(slice.plane.d2())];
    let reach = |axis: &[f64], unit: f64| {
        axis.first().zip(axis.last()).map_or(0.0, |(first, last)| 0.5 * (last - first).abs() * unit)
    };
    // Half of the picture's width, as a distance in weight space.
    let scale = reach(&slice.grid.a, units[0]).max(reach(&slice.grid.b, units[1])).max(f64::MIN_POSITIVE);
    let spot = |point: &crate::numerics::landscape::trajectory::PathPoint| {
        let at = point.coordinates;
        let loss = point.loss.map_or("unknown".into(), number::value);
        Spot {
            at: [at.a, at.b],
            loss: point.loss,
            nearness: 1.0 / (1.0 + 4.0 * at.distance / scale),
            text: format!(
                "iteration {}: true loss {loss}, {} off the plane",
                number::count(point.iteration),
                number::value(at.distance)
            ),
        }
    };
    slice.path.iter().map(spot).collect()
}
