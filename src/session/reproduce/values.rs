//! Owns what is read off runs: one number for each quantity, cell and seed; and curves over seeds.

use super::cells::{Cell, RunData, at_end};
use super::spec::{At, Plot, Quantity, Spec};
use crate::numerics::statistics::mean_and_sd;
use crate::training::history::{History, Series};

/// Points of a curve: longer ones are drawn as means over equal stretches.
const POINTS: i64 = 250;

/// Every series that a figure uses, and the training loss.
pub fn series(spec: &Spec) -> Vec<Series> {
    let mut names = vec!["train_loss"];
    for quantity in &spec.quantities {
        names.push(&quantity.series);
        if let At::Matching { series, .. } = &quantity.at {
            names.push(series);
        }
    }
    for plot in &spec.plots {
        if let Plot::Curves { series, .. } = plot {
            names.push(series);
        }
    }
    names.into_iter().filter_map(|n| n.parse().ok()).collect()
}

/// The value of a quantity for each seed of a cell: (seed, value), those without a finite value left out.
pub fn values(spec: &Spec, cells: &[Cell], cell: &Cell, quantity: &Quantity) -> Vec<(u64, f64)> {
    let value = |run: &RunData| Some((run.seed, read(spec, cells, cell, run, quantity)?));
    cell.runs.iter().filter_map(value).filter(|(_, v)| v.is_finite()).collect()
}

fn read(spec: &Spec, cells: &[Cell], cell: &Cell, run: &RunData, quantity: &Quantity) -> Option<f64> {
    let series: Series = quantity.series.parse().ok()?;
    let all = run.history.series(series);
    let finite = || all.iter().map(|(_, v)| *v).filter(|v| v.is_finite());
    // The numbers of a run that diverged say nothing of where its rule leads, but its start does; nor do those of one
    // whose loss has risen, but that loss does.
    let is_of_learning =
        matches!(series, Series::TrainLoss | Series::TestLoss | Series::TrainAccuracy | Series::TestAccuracy);
    if !matches!(quantity.at, At::First) && (run.diverged() || !is_of_learning && run.has_lost()) {
        return None;
    }
    let value = match &quantity.at {
        At::First => all.first()?.1,
        At::Last => all.last()?.1,
        At::Peak => finite().fold(f64::NEG_INFINITY, f64::max),
        At::End => at_end(&run.history, series, run.iterations),
        At::LastHalf => {
            let half: Vec<f64> = finite().collect();
            let half = &half[half.len() / 2..];
            half.iter().sum::<f64>() / half.len() as f64
        }
        At::Between { from, to } => {
            let part = &all[all.partition_point(|(i, _)| i < from)..all.partition_point(|(i, _)| i <= to)];
            part.iter().map(|(_, v)| v).sum::<f64>() / part.len() as f64
        }
        At::Matching { series: equal, arm } => {
            let other = cells
                .iter()
                .find(|c| (c.case, c.across) == (cell.case, cell.across) && Some(c.arm) == spec.arm(arm))?;
            let other = other.runs.iter().find(|r| r.seed == run.seed && !r.diverged() && !r.has_lost())?;
            let equal: Series = equal.parse().ok()?;
            let goal = at_end(&other.history, equal, other.iterations);
            // A network that is as far before it has learned is no partner: what it has is its start's.
            let when = first_as_far(&run.history, equal, run.iterations, goal).filter(|when| *when > 0)?;
            all.iter().find(|(i, _)| *i >= when)?.1
        }
    };
    Some(if quantity.absolute { value.abs() } else { value })
}

/// The first iteration at which a loss is at or below, or an accuracy at or above, a value. It is the mean over
/// one of [`STRETCHES`] equal stretches of the run that is compared, so that a single lucky batch does not count;
/// the iteration is the last of the stretch.
fn first_as_far(history: &History, series: Series, iterations: i64, goal: f64) -> Option<i64> {
    let rises = matches!(series, Series::TestAccuracy | Series::TrainAccuracy);
    let as_far = |v: f64| if rises { v >= goal } else { v <= goal };
    let width = (iterations / STRETCHES).max(1);
    let values = history.series(series);
    values.chunk_by(|a, b| a.0 / width == b.0 / width).find_map(|stretch| {
        let mean = stretch.iter().map(|(_, v)| v).sum::<f64>() / stretch.len() as f64;
        stretch.last().filter(|_| as_far(mean)).map(|(i, _)| *i)
    })
}

/// Stretches of a run over which a noisy series is averaged before it is compared (`[own]`, as many as where the
/// window compares at equal loss).
const STRETCHES: i64 = 500;

/// A point of a curve over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Iteration; the middle of a stretch.
    pub iteration: f64,
    /// Mean over seeds.
    pub mean: f64,
    /// Sample standard deviation over seeds; 0 for one.
    pub sd: f64,
    /// The smallest of the seeds.
    pub least: f64,
    /// Seeds with a finite value there.
    pub n: usize,
}

/// Mean and standard deviation over seeds of a series, from an iteration on.
pub fn curve(cell: &Cell, series: Series, from: i64) -> Vec<Point> {
    let last = cell.runs.iter().map(|r| r.iterations).max().unwrap_or(0);
    let width = ((last - from) / POINTS).max(1);
    let mut stretches: Vec<Vec<f64>> = Vec::new();
    let mut middles: Vec<(f64, usize)> = Vec::new();
    for run in &cell.runs {
        let values = run.history.series(series);
        let values = &values[values.partition_point(|(i, _)| *i < from)..];
        for stretch in values.chunk_by(|a, b| (a.0 - from) / width == (b.0 - from) / width) {
            let finite: Vec<f64> = stretch.iter().map(|(_, v)| *v).filter(|v| v.is_finite()).collect();
            if finite.is_empty() {
                continue;
            }
            let k = usize::try_from((stretch[0].0 - from) / width).unwrap_or(0);
            if stretches.len() <= k {
                stretches.resize(k + 1, Vec::new());
                middles.resize(k + 1, (0.0, 0));
            }
            stretches[k].push(finite.iter().sum::<f64>() / finite.len() as f64);
            middles[k].0 += stretch.iter().map(|(i, _)| *i as f64).sum::<f64>();
            middles[k].1 += stretch.len();
        }
    }
    let point = |(of_seeds, (sum, count)): (&Vec<f64>, &(f64, usize))| {
        let (mean, sd) = mean_and_sd(of_seeds)?;
        let least = of_seeds.iter().copied().fold(f64::INFINITY, f64::min);
        Some(Point { iteration: sum / *count as f64, mean, sd, least, n: of_seeds.len() })
    };
    stretches.iter().zip(&middles).filter_map(point).collect()
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
