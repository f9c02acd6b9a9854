//! Owns the mean and the band of runs that are seeds of one setting, kept between frames.

use std::collections::HashMap;

use crate::session::compare::{BandPoint, band};
use crate::session::curves::{Curve, Point};
use crate::session::{Group, RunEntry, RunId, Session};
use crate::training::history::Series;

/// Places along the horizontal axis at which a mean is taken.
const COLUMNS: usize = 400;

/// One series over the seeds of a setting.
#[derive(Clone, Debug, Default)]
pub struct Band {
    /// The mean, at places evenly apart.
    pub mean: Curve,
    /// The same with its spread.
    pub points: Vec<BandPoint>,
    /// Values of all seeds together when it was taken.
    taken: usize,
}

/// Means and bands of all groups, by the first run of the group.
#[derive(Clone, Debug, Default)]
pub struct Bands {
    kept: HashMap<(RunId, Series), Band>,
}

impl Bands {
    /// Brings some series of the groups with several seeds up to date: anew where they have grown by a hundredth,
    /// or where a run was set back. Gives those groups.
    pub fn update(&mut self, session: &Session, series: impl Iterator<Item = Series> + Clone) -> Vec<Group> {
        let mut groups = session.groups();
        groups.retain(|group| group.members.len() > 1);
        self.kept.retain(|(first, _), _| groups.iter().any(|group| group.members[0] == *first));
        for group in &groups {
            let runs: Vec<&RunEntry> = group.members.iter().filter_map(|id| session.run(*id)).collect();
            let rest = runs.iter().all(|run| !run.is_running());
            for series in series.clone() {
                let curves: Vec<&Curve> = runs.iter().filter_map(|run| run.curves.get(series)).collect();
                let length: usize = curves.iter().map(|curve| curve.len()).sum();
                let kept = self.kept.entry((group.members[0], series)).or_default();
                let grown = length.abs_diff(kept.taken);
                if grown > kept.taken / 100 || (rest && grown > 0) {
                    *kept = Band::of(&curves, length);
                }
            }
        }
        groups
    }

    /// One of them.
    pub fn get(&self, group: &Group, series: Series) -> Option<&Band> {
        self.kept.get(&(group.members[0], series)).filter(|band| !band.mean.is_empty())
    }
}

impl Band {
    fn of(curves: &[&Curve], taken: usize) -> Self {
        let first = curves.iter().filter_map(|c| c.first_iteration()).max().unwrap_or(0);
        let last = curves.iter().map(|c| c.last().map_or(0, |p| p.iteration)).min().unwrap_or(0);
        let columns = COLUMNS.min((last - first + 1).max(0) as usize);
        let points = band(curves, first as f64, last as f64, columns);
        let mut mean = Curve::default();
        points.iter().for_each(|p| mean.push(Point { iteration: p.x.round() as i64, value: p.mean }));
        Self { mean, points, taken }
    }
}
