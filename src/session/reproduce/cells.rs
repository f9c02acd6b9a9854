//! Owns [`Cells`], the runs of a figure: one cell for each case, arm and value across, with all its seeds.

use toml::{Table, Value};

use super::spec::{Constants, Pilot, Spec};
use crate::files::atomic::FileError;
use crate::files::run_folder::RunFolder;
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
    /// Why it ended.
    pub stop: StopReason,
    /// Updates made.
    pub iterations: i64,
}

impl RunData {
    /// Whether it diverged.
    pub fn diverged(&self) -> bool {
        matches!(self.stop, StopReason::Diverged { .. } | StopReason::Undefined { .. })
    }

    /// Whether its training loss at the end is above the one it began with: where it stands is no place that its
    /// rule has led it to by learning (`[own]`).
    pub fn has_lost(&self) -> bool {
        let losses = self.history.series(Series::TrainLoss);
        let first = losses.first().map_or(f64::NAN, |(_, loss)| *loss);
        at_end(&self.history, Series::TrainLoss, self.iterations) > first
    }
}

/// Why values of a grid cannot be chosen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// A history that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting of the figure.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Where each run belongs, in the order of the plan.
#[derive(Clone, Copy, Debug)]
struct Place {
    case: usize,
    arm: usize,
    across: Option<f64>,
    grid: Option<f64>,
    seed: u64,
    /// Whether it chooses the grid's value, and is not part of the figure.
    chooses: bool,
}

/// The runs of a figure: at first those that choose, where it has such, then all.
pub struct Cells {
    places: Vec<Place>,
}

/// A value of the grid that was chosen for a case, arm and value across.
struct Chosen {
    case: usize,
    arm: usize,
    across: Option<f64>,
    value: f64,
}

impl Cells {
    /// The plan of all runs that can be made before anything is chosen, and where each belongs.
    ///
    /// # Errors
    /// A setting of the figure that is wrong.
    pub fn plan(spec: &Spec) -> Result<(Plan, Self), ConfigError> {
        Self::of(spec, places(spec, &[]))
    }

    /// The plan with the figure's runs at the values that the first runs chose; `None` where no runs choose.
    ///
    /// # Errors
    /// A history that cannot be read; a setting of the figure that is wrong.
    pub fn after_choice(&self, spec: &Spec, sweep: &Sweep) -> Result<Option<(Plan, Self)>, ChoiceError> {
        if !self.places.iter().any(|place| place.chooses) {
            return Ok(None);
        }
        let chosen = self.chosen(spec, sweep)?;
        Ok(Some(Self::of(spec, places(spec, &chosen))?))
    }

    fn of(spec: &Spec, places: Vec<Place>) -> Result<(Plan, Self), ConfigError> {
        let has_grid = spec.cases.iter().any(|case| spec.grid_of(case).is_some());
        let has_pilot = spec.cases.iter().any(|case| spec.pilot_of(case).is_some());
        let mut columns = vec!["case".to_string(), "arm".to_string()];
        columns.extend(spec.across.as_ref().map(|a| a.key.clone()));
        let keys = || spec.cases.iter().filter_map(|case| spec.grid_of(case));
        columns.extend(keys().next().map(|grid| grid.key.clone()));
        columns.extend(has_pilot.then(|| "stage".to_string()));
        columns.push("seed".into());
        let mut runs = Vec::new();
        for place in &places {
            let Resolved { config, warnings, .. } = resolve(settings(spec, *place))?;
            let mut labels = vec![spec.cases[place.case].id.clone(), spec.arms[place.arm].id.clone()];
            labels.extend(place.across.map(|v| v.to_string()));
            // A case without a grid among cases with one has no value in that column.
            labels.extend(place.grid.map(|v| v.to_string()).or_else(|| has_grid.then(String::new)));
            let stage = if place.chooses { "choice" } else { "figure" };
            labels.extend(has_pilot.then(|| stage.to_string()));
            let named = labels.iter().filter(|label| !label.is_empty() && *label != "figure");
            let name = named.cloned().collect::<Vec<_>>().join("_");
            labels.push(place.seed.to_string());
            runs.push(PlannedRun { name: format!("{name}_seed={}", place.seed), labels, config, warnings });
        }
        Ok((Plan { varied: Vec::new(), columns, runs }, Self { places }))
    }

    /// The best value of the grid for each case, arm and value across that has runs to choose by; none where at every
    /// value one of them diverged.
    fn chosen(&self, spec: &Spec, sweep: &Sweep) -> Result<Vec<Chosen>, FileError> {
        let mut found: Vec<(Chosen, f64)> = Vec::new();
        for (case, about) in spec.cases.iter().enumerate() {
            let Some((_, pilot)) = spec.pilot_of(about) else { continue };
            let chooses = |place: &Place| place.chooses && place.case == case;
            for cell in self.collect(sweep, &[pilot.series()], chooses)? {
                let Cell { arm, across, chosen: Some(value), .. } = cell else { continue };
                let cost = cost(&cell, pilot.series());
                let same = |(c, _): &&mut (Chosen, f64)| (c.case, c.arm, c.across) == (case, arm, across);
                match found.iter_mut().find(same) {
                    Some((best, least)) if cost < *least => (best.value, *least) = (value, cost),
                    Some(_) => {}
                    None => found.push((Chosen { case, arm, across, value }, cost)),
                }
            }
        }
        Ok(found.into_iter().filter(|(_, cost)| cost.is_finite()).map(|(chosen, _)| chosen).collect())
    }

    /// Reads the series that the figure uses, and takes the best value of the grid for each cell.
    ///
    /// # Errors
    /// A history that cannot be read. Runs that have not ended are left out.
    pub fn read(&self, spec: &Spec, sweep: &Sweep) -> Result<Vec<Cell>, FileError> {
        Ok(best(self.collect(sweep, &super::values::series(spec), |place| !place.chooses)?))
    }

    /// The ended runs of some places, those that differ in their seed only in one cell.
    fn collect(
        &self,
        sweep: &Sweep,
        wanted: &[Series],
        which: impl Fn(&Place) -> bool,
    ) -> Result<Vec<Cell>, FileError> {
        let mut cells: Vec<Cell> = Vec::new();
        for (i, place) in self.places.iter().enumerate().filter(|(_, place)| which(place)) {
            let Some(ended) = &sweep.ended()[i] else { continue };
            let history = RunFolder::history(&sweep.folder_of(i), wanted)?;
            let run =
                RunData { seed: place.seed, history, stop: ended.stop.clone(), iterations: ended.iteration };
            let Place { case, arm, across, grid: chosen, .. } = *place;
            let same = |c: &&mut Cell| (c.case, c.arm, c.across, c.chosen) == (case, arm, across, chosen);
            match cells.iter_mut().find(same) {
                Some(cell) => cell.runs.push(run),
                None => cells.push(Cell { case, arm, across, chosen, runs: vec![run] }),
            }
        }
        Ok(cells)
    }
}

/// Every combination, the seed changing fastest; where runs choose the grid's value, these, and the figure's at the
/// values that are chosen already.
fn places(spec: &Spec, chosen: &[Chosen]) -> Vec<Place> {
    let mut places = Vec::new();
    for (case, about) in spec.cases.iter().enumerate() {
        let grid: Vec<Option<f64>> =
            spec.grid_of(about).map_or(vec![None], |grid| grid.values.iter().copied().map(Some).collect());
        let pilot = spec.pilot_of(about).map(|(_, pilot)| pilot);
        for arm in 0..spec.arms.len() {
            for across in spec.across_values() {
                let mut put = |grid: Option<f64>, first: u64, seeds: u64, chooses: bool| {
                    places.extend((first..first + seeds).map(|seed| Place {
                        case,
                        arm,
                        across,
                        grid,
                        seed,
                        chooses,
                    }));
                };
                let Some(pilot) = pilot else {
                    grid.iter().for_each(|value| put(*value, 1, spec.seeds_of(about), false));
                    continue;
                };
                grid.iter().for_each(|value| put(*value, Pilot::FIRST_SEED, pilot.seeds, true));
                let this = |c: &&Chosen| (c.case, c.arm, c.across) == (case, arm, across);
                if let Some(found) = chosen.iter().find(this) {
                    put(Some(found.value), 1, spec.seeds_of(about), false);
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
    let case = &spec.cases[place.case];
    if let Some((_, pilot)) = spec.pilot_of(case).filter(|_| place.chooses) {
        put_all(&pilot.constants);
    }
    for (key, value) in [
        (spec.across.as_ref().map(|a| &a.key), place.across),
        (spec.grid_of(case).map(|g| &g.key), place.grid),
    ] {
        if let (Some(key), Some(value)) = (key, value) {
            put(key, Value::Float(value));
        }
    }
    put("seed", Value::Integer(i64::try_from(place.seed).unwrap_or(i64::MAX)));
    given
}

/// How bad a value of the grid is: the mean over its runs of a series at the end, negative where more is better;
/// infinite where one diverged.
fn cost(cell: &Cell, by: Series) -> f64 {
    let sum: f64 = cell.runs.iter().map(|r| at_end(&r.history, by, r.iterations)).sum();
    if cell.runs.iter().any(RunData::diverged) || sum.is_nan() {
        return f64::INFINITY;
    }
    let mean = sum / cell.runs.len() as f64;
    if matches!(by, Series::TrainAccuracy | Series::TestAccuracy) { -mean } else { mean }
}

/// Of the cells that differ in the grid's value only, the one with the smallest mean training loss at the end.
fn best(cells: Vec<Cell>) -> Vec<Cell> {
    let loss = |cell: &Cell| cost(cell, Series::TrainLoss);
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

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
