//! Owns [`Cells`], the runs of a figure: one cell for each case, arm and value across, with all its seeds.

use toml::{Table, Value};

use super::spec::{Constants, Spec};
use crate::files::atomic::FileError;
use crate::files::history_csv;
use crate::session::sweep::Sweep;
use crate::training::config::error::ConfigError;
use crate::training::config::resolve::{Resolved, alone, merge, resolve};
use crate::training::history::{History, Series};
use crate::training::plan::{Plan, PlannedRun};
use crate::training::run::StopReason;

/// Iterations of which the mean is the value at the end: the last tenth.
pub const TAIL: f64 = 0.1;

/// All runs of one case, arm and value across, of the chosen value of the grid.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Index of the case.
    pub case: usize,
    /// Index of the arm.
    pub arm: usize,
    /// The value across.
    pub across: Option<f64>,
    /// The chosen value of the grid.
    pub chosen: Option<f64>,
    /// One for each seed, in their order.
    pub runs: Vec<RunData>,
}

/// What is kept of a run.
#[derive(Clone, Debug)]
pub struct RunData {
    /// Its seed.
    pub seed: u64,
    /// The series that the figure uses.
    pub history: History,
    /// Whether it diverged.
    pub diverged: bool,
    /// Updates made.
    pub iterations: i64,
}

/// Where each run belongs, in the order of the plan.
#[derive(Clone, Copy, Debug)]
struct Place {
    case: usize,
    arm: usize,
    across: Option<f64>,
    grid: Option<f64>,
    seed: u64,
}

/// The runs of a figure.
pub struct Cells {
    places: Vec<Place>,
}

impl Cells {
    /// The plan of all runs, and where each belongs.
    ///
    /// # Errors
    /// A setting of the figure that is wrong.
    pub fn plan(spec: &Spec) -> Result<(Plan, Self), ConfigError> {
        let mut columns = vec!["case".to_string(), "arm".to_string()];
        columns.extend(spec.across.as_ref().map(|a| a.key.clone()));
        columns.extend(spec.grid.as_ref().map(|g| g.key.clone()));
        columns.push("seed".into());
        let (mut runs, mut places) = (Vec::new(), Vec::new());
        for place in all_places(spec) {
            let given = settings(spec, place);
            let Resolved { config, warnings, .. } = resolve(given)?;
            let mut labels = vec![spec.cases[place.case].id.clone(), spec.arms[place.arm].id.clone()];
            labels.extend(place.across.map(|v| v.to_string()));
            labels.extend(place.grid.map(|v| v.to_string()));
            labels.push(place.seed.to_string());
            let seed = labels.len() - 1;
            let name = format!("{}_seed={}", labels[..seed].join("_"), labels[seed]);
            runs.push(PlannedRun { name, labels, config, warnings });
            places.push(place);
        }
        Ok((Plan { varied: Vec::new(), columns, runs }, Self { places }))
    }

    /// Reads the series that the figure uses, and takes the best value of the grid for each cell.
    ///
    /// # Errors
    /// A history that cannot be read. Runs that have not ended are left out.
    pub fn read(&self, spec: &Spec, sweep: &Sweep) -> Result<Vec<Cell>, FileError> {
        let wanted = super::values::series(spec);
        let mut cells: Vec<Cell> = Vec::new();
        for (i, place) in self.places.iter().enumerate() {
            let Some(ended) = &sweep.ended()[i] else { continue };
            let history = history_csv::read(&sweep.folder_of(i).join("history.csv"), &wanted)?;
            let diverged = matches!(ended.stop, StopReason::Diverged { .. });
            let run = RunData { seed: place.seed, history, diverged, iterations: ended.iteration };
            let same = |c: &&mut Cell| {
                (c.case, c.arm, c.across, c.chosen) == (place.case, place.arm, place.across, place.grid)
            };
            match cells.iter_mut().find(same) {
                Some(cell) => cell.runs.push(run),
                None => cells.push(Cell {
                    case: place.case,
                    arm: place.arm,
                    across: place.across,
                    chosen: place.grid,
                    runs: vec![run],
                }),
            }
        }
        Ok(best(cells))
    }
}

/// Every combination, the seed changing fastest.
fn all_places(spec: &Spec) -> Vec<Place> {
    let mut places = Vec::new();
    for (case, about) in spec.cases.iter().enumerate() {
        let seeds = spec.seeds_of(about);
        for arm in 0..spec.arms.len() {
            for across in spec.across_values() {
                for grid in spec.grid_values() {
                    places.extend((1..=seeds).map(|seed| Place { case, arm, across, grid, seed }));
                }
            }
        }
    }
    places
}

/// The keys that the figure gives to a run; all others follow the preset of its task and rule.
fn settings(spec: &Spec, place: Place) -> Table {
    let mut given = Table::new();
    let mut put = |path: &str, value: Value| merge(&mut given, alone(path, value));
    let mut put_all = |constants: &Constants| {
        constants.iter().for_each(|(path, constant)| put(path, constant.value.clone()));
    };
    put_all(&spec.constants);
    put_all(&spec.cases[place.case].constants);
    put_all(&spec.arms[place.arm].constants);
    for (key, value) in [
        (spec.across.as_ref().map(|a| &a.key), place.across),
        (spec.grid.as_ref().map(|g| &g.key), place.grid),
    ] {
        if let (Some(key), Some(value)) = (key, value) {
            put(key, Value::Float(value));
        }
    }
    put("seed", Value::Integer(i64::try_from(place.seed).unwrap_or(i64::MAX)));
    given
}

/// Of the cells that differ in the grid's value only, the one with the smallest mean training loss at the end.
fn best(cells: Vec<Cell>) -> Vec<Cell> {
    let loss = |cell: &Cell| {
        let sum: f64 = cell.runs.iter().map(|r| at_end(&r.history, Series::TrainLoss, r.iterations)).sum();
        if cell.runs.iter().any(|r| r.diverged) || sum.is_nan() {
            f64::INFINITY
        } else {
            sum / cell.runs.len() as f64
        }
    };
    let mut kept: Vec<Cell> = Vec::new();
    for cell in cells {
        let same = |k: &&mut Cell| (k.case, k.arm, k.across) == (cell.case, cell.arm, cell.across);
        match kept.iter_mut().find(same) {
            Some(other) if loss(&cell) < loss(other) => *other = cell,
            Some(_) => {}
            None => kept.push(cell),
        }
    }
    kept
}

/// The mean over the last tenth of the iterations; the last value where none lies there. NaN without values.
pub fn at_end(history: &History, series: Series, iterations: i64) -> f64 {
    let values = history.series(series);
    let from = iterations - (TAIL * iterations as f64) as i64;
    let tail = &values[values.partition_point(|(i, _)| *i < from)..];
    match (tail, values.last()) {
        ([], None) => f64::NAN,
        ([], Some((_, last))) => *last,
        _ => tail.iter().map(|(_, v)| v).sum::<f64>() / tail.len() as f64,
    }
}
