//! Owns [`SweepCurves`], one series of the runs of a sweep as it is read from their files, and its mean and band by
//! the values of a key.

use std::collections::BTreeMap;
use std::path::Path;

use super::outcomes::Outcomes;
use super::view::View;
use crate::files::run_folder::RunFolder;
use crate::session::compare::{BandPoint, band};
use crate::session::curves::{Curve, Point};
use crate::training::history::Series;

/// Places along the horizontal axis at which a curve is kept and a mean is taken (`[own]`: about two points of the
/// screen each in a panel of usual width).
const COLUMNS: usize = 240;
/// Runs of which curves are read at most (`[own]`: bounds memory and the time to read them).
pub const MOST_RUNS: usize = 2000;

/// Curves of runs, by their numbers.
#[derive(Clone, Debug, Default)]
pub struct SweepCurves {
    of: Option<Series>,
    curves: BTreeMap<usize, Curve>,
}

/// The runs with one value of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupCurve {
    /// The value.
    pub label: String,
    /// Runs whose curves are in it.
    pub runs: usize,
    /// Runs that have ended, whose curves are in it or not.
    pub ended: usize,
    /// Runs left out because they diverged.
    pub diverged: usize,
    /// Mean and spread.
    pub points: Vec<BandPoint>,
}

impl SweepCurves {
    /// Forgets all where another series is wanted; whether it did.
    pub fn want(&mut self, series: Series) -> bool {
        let other = self.of != Some(series);
        if other {
            self.of = Some(series);
            self.curves.clear();
        }
        other
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.curves.clear();
    }

    /// Runs of the view that have ended without diverging and whose curves are not known yet, the first
    /// [`MOST_RUNS`] only. Where more curves than these are known, those that the view does not show are forgotten.
    pub fn missing(&mut self, outcomes: &Outcomes, view: &View) -> Vec<usize> {
        let has_curve = |run: &usize| {
            let row = &outcomes.rows()[*run];
            row.ended.is_some() && !row.diverged()
        };
        let mut shown = outcomes.held(view, &[&view.group]);
        shown.retain(has_curve);
        shown.truncate(MOST_RUNS);
        if self.curves.len() > MOST_RUNS {
            self.curves.retain(|run, _| shown.binary_search(run).is_ok());
        }
        shown.retain(|run| !self.curves.contains_key(run));
        shown
    }

    /// Takes in the curve of a run.
    pub fn put(&mut self, run: usize, curve: Curve) {
        self.curves.insert(run, curve);
    }

    /// Mean and band for each value of the view's key, over the seeds and whatever else the view takes all of.
    pub fn groups(&self, outcomes: &Outcomes, view: &View) -> Vec<GroupCurve> {
        let runs = outcomes.held(view, &[&view.group]);
        let Some(column) = outcomes.column(&view.group) else { return Vec::new() };
        let labels = outcomes.labels(&view.group);
        let mut own: Vec<Vec<usize>> = vec![Vec::new(); labels.len()];
        runs.into_iter().for_each(|i| own[outcomes.place(i, column)].push(i));
        let of = |(label, own): (&String, Vec<usize>)| {
            let curves: Vec<&Curve> =
                own.iter().filter_map(|i| self.curves.get(i)).filter(|c| !c.is_empty()).collect();
            let first = curves.iter().filter_map(|c| c.first_iteration()).max().unwrap_or(0);
            let last = curves.iter().filter_map(|c| c.last()).map(|p| p.iteration).min().unwrap_or(0);
            let columns = COLUMNS.min(usize::try_from(last - first + 1).unwrap_or(0));
            GroupCurve {
                label: label.clone(),
                runs: curves.len(),
                ended: own.iter().filter(|i| outcomes.rows()[**i].ended.is_some()).count(),
                diverged: own.iter().filter(|i| outcomes.rows()[**i].diverged()).count(),
                points: band(&curves, first as f64, last as f64, columns),
            }
        };
        labels.iter().zip(own).map(of).collect()
    }
}

/// Reads a series of a run from its folder, as means over stretches where it is long.
///
/// # Errors
/// A history that cannot be read, in words.
pub(super) fn read(folder: &Path, series: Series) -> Result<Curve, String> {
    let history = RunFolder::history(folder, &[series]).map_err(|e| e.to_string())?;
    let mut whole = Curve::default();
    for (iteration, value) in history.series(series) {
        whole.push(Point { iteration: *iteration, value: *value });
    }
    let (Some(first), Some(last)) = (whole.first_iteration(), whole.last()) else { return Ok(whole) };
    if whole.len() <= 2 * COLUMNS {
        return Ok(whole);
    }
    let mut short = Curve::default();
    for (x, value) in whole.means(first as f64, last.iteration as f64, COLUMNS) {
        short.push(Point { iteration: x.round() as i64, value });
    }
    Ok(short)
}
