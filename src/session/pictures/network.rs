//! Owns the pictures of the selected run's network: activity, weights.

use ndarray::{Array2, ArrayView1, ArrayView2, s};

use super::disc;
use crate::files::figure::look::{Dash, GREY, Look, Marker, run_look};
use crate::files::figure::number::{count, significant};
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::numerics::lyapunov::{eigenvalues, singular_values};
use crate::numerics::statistics::histogram::{Group, Histogram};
use crate::numerics::weights::Block;
use crate::session::weight_spectra::{Spectra, WeightSpectra};
use crate::session::{RunEntry, ShownWeights};

/// Channels up to this number are drawn as lines, more as an image (`[own]`).
const MOST_LINES: usize = 4;
/// Cells of an image in either direction; of a larger one each cell is the mean of several (`[own]`).
const MOST_CELLS: usize = 256;

/// Input, units and output during one trial.
pub fn activity(run: &RunEntry) -> Vec<Panel> {
    let Some((trial, iteration, activity)) = &run.activity else { return Vec::new() };
    let note = format!("{}, probe trial {trial}, iteration {}", run.name, count(*iteration));
    let inputs = if activity.x.ncols() <= MOST_LINES {
        lines("Input", "input channel", &activity.x, note.clone())
    } else {
        image("Input", "input channel", &activity.x, &note)
    };
    let units = image("Units", "unit", &activity.z, &note);
    let mut outputs = lines("Output", "output channel", &activity.y, note);
    if let Some(target) = &activity.target {
        outputs.layers.extend(target.columns().into_iter().enumerate().map(|(i, column)| {
            let counts = column.iter().enumerate().filter(|(_, v)| v.is_finite());
            let points = counts.map(|(step, v)| (step as f64, *v, *v, *v)).collect();
            let name = if activity.y.ncols() > 1 { format!("target {i}") } else { "target".into() };
            Layer::Points { name, points, look: run_look(i) }
        }));
    }
    if let Some(correct) = activity.correct {
        outputs.note = format!("{}, output channel {correct} is right", outputs.note);
    }
    vec![inputs, units, outputs]
}

/// [steps, channels] against the steps; what is not finite is a cross.
fn lines(title: &str, channel: &str, values: &Array2<f64>, note: String) -> Panel {
    let layer = |(i, column): (usize, ArrayView1<'_, f64>)| {
        let points = column.iter().enumerate().map(|(step, v)| (step as f64, *v)).collect();
        let look = Look { marker: None, ..run_look(i) }.dashed(Dash::of_slot(i));
        Layer::curve(format!("{channel} {i}"), points, look)
    };
    let layers = values.columns().into_iter().enumerate().map(layer).collect();
    let (x, y) = (over("step", values.nrows()), Axis::new(title.to_lowercase(), Scale::Linear));
    Panel { title: title.into(), x, y, layers, note }
}

/// An axis over `n` cells, on which the points of a line are where the cells are; each of a few has its number.
fn over(label: &str, n: usize) -> Axis {
    const FEW: usize = 8;
    let names = if n <= FEW { (0..n).map(|i| i.to_string()).collect() } else { Vec::new() };
    Axis { range: Some((-0.5, n as f64 - 0.5)), names, ..Axis::new(label, Scale::Linear) }
}

/// [steps, rows] as coloured cells.
fn image(title: &str, row: &str, values: &Array2<f64>, note: &str) -> Panel {
    let (cells, x, y, pooled) = pooled(values.t());
    Panel {
        title: title.into(),
        x: over("step", values.nrows()),
        y: over(row, values.ncols()),
        layers: vec![Layer::Heat { name: "activity".into(), x, y, values: cells, scale: Scale::Linear }],
        note: format!("{note}{pooled}"),
    }
}

/// The cells of an image row by row, the middles of its columns and of its rows, and what to say where cells are
/// means.
fn pooled(values: ArrayView2<'_, f64>) -> (Vec<f64>, Vec<f64>, Vec<f64>, String) {
    let (rows, columns) = values.dim();
    let (by_row, by_column) = (rows.div_ceil(MOST_CELLS).max(1), columns.div_ceil(MOST_CELLS).max(1));
    let blocks = |n: usize, by: usize| (0..n).step_by(by).map(move |from| (from, (from + by).min(n)));
    let middles = |n, by| blocks(n, by).map(|(from, to)| (from + to - 1) as f64 / 2.0).collect();
    let mean = |(top, bottom): (usize, usize), (left, right): (usize, usize)| {
        let block = values.slice(s![top..bottom, left..right]);
        block.sum() / block.len() as f64
    };
    let cells = blocks(rows, by_row)
        .flat_map(|row| blocks(columns, by_column).map(move |column| (row, column)))
        .map(|(row, column)| mean(row, column))
        .collect();
    let said = if by_row * by_column > 1 {
        format!("; each cell is the mean of {by_row} by {by_column}")
    } else {
        String::new()
    };
    (cells, middles(columns, by_column), middles(rows, by_row), said)
}

/// The weights of a run, taken from it so that they can be looked at on another thread.
pub struct Weights {
    name: String,
    colour: usize,
    gain: f64,
    weights: ShownWeights,
    found: Option<Spectra>,
}

impl Weights {
    /// The weights that the screen has; `None` where it has not asked for any.
    pub fn of(run: &RunEntry, spectra: &WeightSpectra) -> Option<Self> {
        let weights = run.weights.clone()?;
        let found = spectra.of(run.id).filter(|found| found.iteration == weights.iteration).cloned();
        Some(Self {
            name: run.name.clone(),
            colour: run.colour,
            gain: run.config.network.gain,
            weights,
            found,
        })
    }

    /// All that there is to see of them. Eigenvalues and singular values are found here where they are not known.
    pub fn panels(self) -> Vec<Panel> {
        let (now, initial) = (&self.weights.now, &self.weights.initial);
        let matrices = [
            ("Recurrent weights w_rec", "from unit", "to unit", now.w_rec()),
            ("Input weights w_in", "from input", "to unit", now.w_in()),
            ("Readout weights w_out", "from unit", "to output", now.w_out()),
        ];
        let note = format!("{}, iteration {}", self.name, count(self.weights.iteration));
        let mut panels: Vec<Panel> =
            matrices.into_iter().map(|(title, x, y, values)| matrix(title, [x, y], values, &note)).collect();
        panels.push(self.spread(note.clone()));
        let (of_now, of_initial, update) = match self.found.clone() {
            Some(Spectra { eigenvalues, initial, update, .. }) => (eigenvalues, initial, update),
            None => {
                let update = singular_values((&now.w_rec() - &initial.w_rec()).view());
                (eigenvalues(now.w_rec()), eigenvalues(initial.w_rec()), update)
            }
        };
        if let (Some(of_now), Some(of_initial)) = (of_now, of_initial) {
            panels.push(self.disc(&of_now, &of_initial, note.clone()));
        }
        panels.extend(update.map(|values| self.update(&values, note)));
        panels
    }

    fn spread(&self, note: String) -> Panel {
        let now = &self.weights.now;
        let blocks = [("w_rec", Block::Recurrent), ("w_in", Block::Input), ("w_out", Block::Readout)];
        let spread = Histogram::of(&blocks.map(|(name, block)| (name, now.block(block))));
        let layer = |(i, group): (usize, &Group)| {
            let mut name = format!("{}, s.d. {}", group.name, significant(group.sd, 3));
            if group.left_out > 0 {
                name += &format!(" ({} not finite)", group.left_out);
            }
            let look = Look { marker: None, ..run_look(i) }.dashed(Dash::of_slot(i));
            Layer::curve(name, spread.outline(group), look)
        };
        Panel {
            title: "Spread of the weights".into(),
            x: Axis::new("weight", Scale::Linear),
            y: Axis::new("density", Scale::Linear),
            layers: spread.groups.iter().enumerate().map(layer).collect(),
            note,
        }
    }

    fn disc(&self, now: &[(f64, f64)], initial: &[(f64, f64)], note: String) -> Panel {
        let start = Look { marker: Some(Marker::Ring), ..Look::solid(GREY) };
        let clouds =
            [("at the start".to_owned(), initial, start), ("now".into(), now, run_look(self.colour))];
        disc("Eigenvalues of w_rec", &clouds, self.gain, note)
    }

    fn update(&self, values: &[f64], note: String) -> Panel {
        let points = values.iter().enumerate().map(|(i, v)| ((i + 1) as f64, *v, *v, *v)).collect();
        let name = "w_rec less the initial w_rec".into();
        Panel {
            title: "Singular values of the update".into(),
            x: Axis::new("rank", Scale::Linear),
            y: Axis::new("singular value", Scale::Linear),
            layers: vec![Layer::Points { name, points, look: run_look(self.colour) }],
            note,
        }
    }
}

/// A matrix as it is written: row 0 at the top.
fn matrix(title: &str, [x_name, y_name]: [&str; 2], values: ArrayView2<'_, f64>, note: &str) -> Panel {
    let (rows, columns) = values.dim();
    let (cells, x, y, pooled) = pooled(values);
    // A few inputs or outputs would be a thread where each cell is a square.
    let unit_as_across = rows.min(columns) * 3 >= rows.max(columns);
    Panel {
        title: title.into(),
        x: over(x_name, columns),
        y: Axis { falling: true, unit_as_across, ..over(y_name, rows) },
        layers: vec![Layer::Signed { name: "weight".into(), x, y, values: cells }],
        note: format!("{note}{pooled}"),
    }
}
