//! Owns the weights panel: the three matrices of the selected run as images, how their values are spread, the
//! eigenvalues of `w_rec` and the singular values of what learning has added to it.

use eframe::egui::{self, Ui, vec2};
use ndarray::ArrayView2;

use super::app::Asked;
use super::plot::histogram::Histogram;
use super::plot::matrix::{self, Matrix};
use super::plot::points::{self, Points};
use super::plot::{number, values};
use super::spectrum::beside;
use super::theme;
use crate::numerics::weights::{Block, Weights};
use crate::session::weight_spectra::Spectra;
use crate::session::{Action, RunEntry, RunId, Session};

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    #[default]
    Matrices,
    Eigenvalues,
    Update,
}

const VIEWS: [(View, &str, &str); 3] = [
    (View::Matrices, "Matrices", "The weights as images, and how their values are spread"),
    (
        View::Eigenvalues,
        "Eigenvalues",
        "The eigenvalues of w_rec in the complex plane, now and at the start. Of N(0, g^2/N) they fill the disc of \
         radius g; without input a linear network grows along those where |alpha + (1 - alpha) mu| is above 1.",
    ),
    (
        View::Update,
        "Update",
        "The singular values of w_rec - initial w_rec: few large ones mean that learning has used few directions",
    ),
];

/// What the panel keeps: pictures, made anew when the weights change.
#[derive(Default)]
pub struct State {
    shown: bool,
    view: View,
    table: bool,
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
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    state.shown = true;
    let Some((run, weights)) = session.current().and_then(|run| Some((run, run.weights.as_ref()?))) else {
        ui.centered_and_justified(|ui| ui.weak("Waiting for the run"));
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for (view, name, tip) in VIEWS {
            ui.selectable_value(&mut state.view, view, name).on_hover_text(tip);
        }
        if state.view != View::Matrices {
            let button = ui.toggle_value(&mut state.table, "table");
            let button = button.on_hover_text("Show the numbers beside the plot");
            button.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::Button, true, state.table, "Weights: table of numbers")
            });
        }
        let (iteration, norm) = (number::count(weights.iteration), number::value(weights.now.norm()));
        ui.small(format!("iteration {iteration}, norm {norm}")).on_hover_text(format!(
            "The weights of {} after so many updates, and their Euclidean norm over w_rec, w_in and w_out, without \
             unit",
            run.name
        ));
    });
    if state.view == View::Matrices {
        return matrices(ui, state, run, weights.iteration, &weights.now);
    }
    let found = session.weight_spectra().of(run.id);
    if found.is_none_or(|s| s.iteration != weights.iteration) {
        asked.act(Action::FindWeightSpectra);
    }
    match (found, state.view) {
        (None, _) => _ = ui.weak("Looking at the weights"),
        (Some(found), View::Eigenvalues) => eigenvalues(ui, run, found, state.table),
        (Some(found), _) => update(ui, run, found, state.table),
    }
}

fn matrices(ui: &mut Ui, state: &mut State, run: &RunEntry, iteration: i64, weights: &Weights<f64>) {
    if state.drawn != Some((run.id, iteration)) {
        state.drawn = Some((run.id, iteration));
        take(ui, state, weights, run);
    }
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

/// Eigenvalues of `w_rec` in the complex plane.
fn eigenvalues(ui: &mut Ui, run: &RunEntry, found: &Spectra, with_table: bool) {
    let dark = ui.visuals().dark_mode;
    let (Some(now), Some(initial)) = (&found.eigenvalues, &found.initial) else {
        ui.weak("The eigenvalues were not found: a weight is not finite, or the search did not converge.");
        return;
    };
    let places = |of: &[(f64, f64)]| of.iter().map(|(re, im)| [*re, *im]).collect();
    let mut start = points::cloud("at the start", run.colour, dark, places(initial));
    start.look.marker = Some(theme::Marker::Ring);
    start.look.color = theme::change_mark(dark);
    let at = number::count(found.iteration);
    let gain = run.config.network.gain;
    let mut circles = vec![(1.0, "radius 1".to_string())];
    if gain > 0.0 && gain != 1.0 {
        circles.push((gain, format!("initial gain {}", number::value(gain))));
    }
    let plot = Points {
        circles,
        equal_axes: true,
        ..Points::new(
            "Eigenvalues of the recurrent weights",
            "real part",
            "imaginary part",
            vec![start, points::cloud(format!("at iteration {at}"), run.colour, dark, places(now))],
        )
    };
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns = ["rank", "real", "imaginary", "modulus"];
            values::show(ui, "weight eigenvalues", &columns, now.len(), |row, column| {
                let (re, im) = now[row];
                match column {
                    0 => (row + 1).to_string(),
                    1 => number::significant(re, 6),
                    2 => number::significant(im, 6),
                    _ => number::significant(re.hypot(im), 6),
                }
            });
        },
    );
}

/// Singular values of the update of `w_rec`.
fn update(ui: &mut Ui, run: &RunEntry, found: &Spectra, with_table: bool) {
    let Some(values) = &found.update else {
        ui.weak("The singular values were not found: a weight is not finite.");
        return;
    };
    let dark = ui.visuals().dark_mode;
    let ranked = values.iter().enumerate().map(|(i, v)| [(i + 1) as f64, *v]).collect();
    let at = number::count(found.iteration);
    let plot = Points::new(
        "Singular values of the update",
        "rank",
        "singular value",
        vec![points::cloud(format!("w_rec at iteration {at} less the initial"), run.colour, dark, ranked)],
    );
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns = ["rank", "singular value"];
            values::show(ui, "update", &columns, values.len(), |row, column| match column {
                0 => (row + 1).to_string(),
                _ => number::significant(values[row], 6),
            });
        },
    );
}
