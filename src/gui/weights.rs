//! Owns the weights panel: the three matrices of the selected run as images, and how their values are spread.

use eframe::egui::{Ui, vec2};
use ndarray::ArrayView2;

use super::plot::histogram::Histogram;
use super::plot::matrix::{self, Matrix};
use super::plot::number;
use super::theme;
use crate::numerics::weights::{Block, Weights};
use crate::session::{RunEntry, RunId, Session};

/// What the panel keeps: pictures, made anew when the weights change.
#[derive(Default)]
pub struct State {
    shown: bool,
    drawn: Option<(RunId, i64)>,
    recurrent: Matrix,
    input: Matrix,
    readout: Matrix,
    spread: Option<Histogram>,
}

impl State {
    /// Whether the panel was drawn since the last call.
    pub fn was_shown(&mut self) -> bool {
        std::mem::take(&mut self.shown)
    }
}

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State) {
    state.shown = true;
    let Some((run, iteration, weights)) = session
        .current()
        .and_then(|run| run.weights.as_ref().map(|(iteration, weights)| (run, *iteration, weights)))
    else {
        ui.centered_and_justified(|ui| ui.weak("Waiting for the run"));
        return;
    };
    if state.drawn != Some((run.id, iteration)) {
        state.drawn = Some((run.id, iteration));
        take(ui, state, weights, run);
    }
    ui.small(format!(
        "Weights of {} at iteration {}, norm {}",
        run.name,
        number::count(iteration),
        number::value(weights.norm())
    ));
    let size = ui.available_size();
    let (top, bottom) = (vec2(size.x, size.y * 0.66 - 4.0), vec2(size.x, size.y * 0.34 - 4.0));
    ui.horizontal(|ui| {
        matrix::show(ui, "w_rec", "Recurrent weights", &state.recurrent, vec2(top.x * 0.6 - 4.0, top.y));
        ui.vertical(|ui| {
            let half = vec2(top.x * 0.4 - 4.0, top.y / 2.0 - 2.0);
            matrix::show(ui, "w_in", "Input weights", &state.input, half);
            matrix::show(ui, "w_out", "Readout weights", &state.readout, half);
        });
    });
    if let Some(spread) = &state.spread {
        spread.show(ui, "Spread of the weights", "weight", bottom);
    }
}

fn take(ui: &Ui, state: &mut State, weights: &Weights<f64>, run: &RunEntry) {
    let set =
        |matrix: &mut Matrix, name: &str, values: ArrayView2<'_, f64>| matrix.set(ui.ctx(), name, values);
    set(&mut state.recurrent, "w_rec", weights.w_rec());
    set(&mut state.input, "w_in", weights.w_in());
    set(&mut state.readout, "w_out", weights.w_out());
    let (color, _) = theme::run_style(run.colour, ui.visuals().dark_mode);
    let blocks = [("w_rec", Block::Recurrent), ("w_in", Block::Input), ("w_out", Block::Readout)];
    state.spread = Some(Histogram::of(&blocks.map(|(name, block)| (name, weights.block(block))), color));
}
