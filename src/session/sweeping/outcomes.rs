//! Owns [`Outcomes`], the runs of a sweep with what they ended with, and what is read off them: [`Map`] over two
//! keys, [`Scatter`] of two quantities.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::view::{Held, Over, View};
use crate::files::figure::scale::Scale;
use crate::files::summary::Ended;
use crate::numerics::statistics::correlation::{Correlation, pearson, spearman};
use crate::numerics::statistics::{mean_and_sd, median};
use crate::session::series_words::is_log;
use crate::training::history::Series;
use crate::training::run::StopReason;

/// The column of the seeds.
pub const SEED: &str = "seed";

/// A run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The name of its folder.
    pub name: String,
    /// One text for each column.
    pub labels: Vec<String>,
    /// How it ended; `None` while it has not.
    pub ended: Option<Ended>,
}

impl Row {
    /// Whether it diverged.
    pub fn diverged(&self) -> bool {
        self.ended
            .as_ref()
            .is_some_and(|e| matches!(e.stop, StopReason::Diverged { .. } | StopReason::Undefined { .. }))
    }

    /// The last value of a series; `None` where it was not taken, the run has not ended or has diverged: what a
    /// run that diverged ends with says nothing of its settings.
    pub fn value(&self, series: Series) -> Option<f64> {
        if self.diverged() { None } else { Some(self.ended.as_ref()?.ends(series)?.1) }
    }
}

/// The runs of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Where the sweep is.
    pub folder: PathBuf,
    /// The varied keys, then `seed`.
    columns: Vec<String>,
    /// The values of each.
    labels: Vec<Vec<String>>,
    /// The runs, in the order of the plan.
    rows: Vec<Row>,
    /// For each run, in each column, the place of its value among the values of the column.
    places: Vec<Vec<usize>>,
    /// The series of which some run has a value.
    series: BTreeSet<Series>,
}

/// An axis of a map: the values of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The key; empty where nothing varies along the axis.
    pub key: String,
    /// Its values, rising where they are numbers.
    pub labels: Vec<String>,
    /// Where each value lies; even steps where the values are no numbers, or too uneven to be seen.
    pub places: Vec<f64>,
    /// Whether the places are logarithms of the values.
    pub is_log: bool,
}

/// A cell of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Its runs, by their numbers.
    pub runs: Vec<usize>,
    /// How many of them have ended.
    pub ended: usize,
    /// How many diverged.
    pub diverged: usize,
    /// How many have a finite value.
    pub used: usize,
    /// Median or mean of the finite values of the runs that did not diverge; `None` where there is none, or where
    /// at least half of the runs that ended diverged.
    pub value: Option<f64>,
    /// Sample standard deviation of these values.
    pub sd: f64,
}

/// A quantity over two keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Row by row, the lowest first.
    pub cells: Vec<Cell>,
    /// How values are placed on colours.
    pub scale: Scale,
    /// The smallest and the largest value.
    pub range: Option<(f64, f64)>,
}

/// A point for each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scatter {
    /// By the value of a key: run, x, y.
    pub groups: Vec<(String, Vec<(usize, f64, f64)>)>,
    /// Runs that diverged, left out.
    pub diverged: usize,
    /// Runs with a value that is not finite or was not taken, left out.
    pub without: usize,
    /// How the two quantities go together over all runs, then within each group.
    pub related: Vec<(String, Related)>,
}

/// How two quantities of several runs go together, in numbers or why not.
#[derive(Clone, Debug, PartialEq)]
pub struct Related {
    /// Runs.
    pub n: usize,
    /// Pearson's and Spearman's coefficient.
    pub found: Result<[Correlation; 2], &'static str>,
}

impl Outcomes {
    /// The runs of a sweep in a folder, each with one text for each column.
    pub fn new(folder: PathBuf, columns: Vec<String>, rows: Vec<Row>) -> Self {
        let labels: Vec<Vec<String>> = (0..columns.len()).map(|column| distinct(&rows, column)).collect();
        let at = |labels: &Vec<String>| -> BTreeMap<String, usize> {
            labels.iter().enumerate().map(|(i, l)| (l.clone(), i)).collect()
        };
        let at: Vec<_> = labels.iter().map(at).collect();
        let place = |row: &Row| row.labels.iter().zip(&at).map(|(label, at)| at[label]).collect();
        let places = rows.iter().map(place).collect();
        let mut outcomes = Self { folder, columns, labels, rows, places, series: BTreeSet::new() };
        (0..outcomes.rows.len()).for_each(|run| outcomes.note_series(run));
        outcomes
    }

    fn note_series(&mut self, run: usize) {
        let row = &self.rows[run];
        self.series.extend(Series::ALL.iter().filter(|s| row.value(**s).is_some()));
    }

    /// The place of a run's value of a column among [`Outcomes::labels`].
    pub fn place(&self, run: usize, column: usize) -> usize {
        self.places[run][column]
    }

    /// The runs, in the order of the plan.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Notes how a run ended.
    pub fn set_ended(&mut self, run: usize, ended: Ended) {
        if let Some(row) = self.rows.get_mut(run) {
            row.ended = Some(ended);
            self.note_series(run);
        }
    }

    /// The keys that tell the runs apart, seeds last.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of a column.
    pub fn column(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|c| c == key)
    }

    /// The values of a key: rising where they are all numbers, else in the order of the plan.
    pub fn labels(&self, key: &str) -> &[String] {
        self.column(key).map_or(&[], |column| &self.labels[column])
    }

    /// The keys that have more than one value, seeds last; of a sweep in which nothing varies the first.
    pub fn varied(&self) -> Vec<&str> {
        let all = || self.columns.iter().map(String::as_str);
        let varied: Vec<&str> = all().filter(|key| self.labels(key).len() > 1).collect();
        if varied.is_empty() { all().take(1).collect() } else { varied }
    }

    /// Every series of which some run has a value, those first that are asked for most.
    pub fn series(&self) -> Vec<Series> {
        let others = Series::ALL.iter().filter(|s| !FIRST.contains(s));
        FIRST.iter().chain(others).copied().filter(|s| self.series.contains(s)).collect()
    }

    /// How many runs have ended, and how many of these diverged.
    pub fn counts(&self) -> (usize, usize) {
        let ended = self.rows.iter().filter(|r| r.ended.is_some()).count();
        (ended, self.rows.iter().filter(|r| r.diverged()).count())
    }

    /// The keys that vary beside these and the seeds: a view holds each at a value, or takes all.
    pub fn others<'a>(&'a self, used: &[&str]) -> Vec<&'a str> {
        let mut keys = self.varied();
        keys.retain(|key| !used.contains(key) && *key != SEED);
        keys
    }

    /// The runs in which every other key has the value at which the view holds it.
    pub fn held(&self, view: &View, used: &[&str]) -> Vec<usize> {
        let only = self.others(used).into_iter().filter_map(|key| {
            let label = view.held(key).label(self.labels(key))?;
            let column = self.column(key)?;
            Some((column, self.labels[column].iter().position(|l| *l == label)?))
        });
        let only: Vec<(usize, usize)> = only.collect();
        let fits = |run: &usize| only.iter().all(|(column, place)| self.place(*run, *column) == *place);
        (0..self.rows.len()).filter(fits).collect()
    }

    /// A quantity over two keys. Where only one varies the map is one row.
    pub fn map(&self, view: &View) -> Map {
        let (x, y) = (self.axis(&view.x), self.axis(&view.y));
        let mut cells = vec![Cell::default(); x.labels.len() * y.labels.len()];
        let columns = [self.column(&x.key), self.column(&y.key)];
        for i in self.held(view, &[&x.key, &y.key]) {
            let [a, b] = columns.map(|column| column.map_or(0, |column| self.place(i, column)));
            cells[b * x.labels.len() + a].runs.push(i);
        }
        cells.iter_mut().for_each(|cell| self.fill(cell, view));
        let values = || cells.iter().filter_map(|c| c.value);
        let (low, high) = (values().reduce(f64::min), values().reduce(f64::max));
        let range = low.zip(high);
        let scale = if is_log(view.quantity, values()) { Scale::Log } else { Scale::Linear };
        Map { x, y, cells, scale, range }
    }

    fn fill(&self, cell: &mut Cell, view: &View) {
        let runs = || cell.runs.iter().map(|i| &self.rows[*i]);
        let values: Vec<f64> =
            runs().filter_map(|r| r.value(view.quantity)).filter(|v| v.is_finite()).collect();
        let (ended, diverged) =
            (runs().filter(|r| r.ended.is_some()).count(), runs().filter(|r| r.diverged()).count());
        // In the order of values a run that diverged stands at the bad end, where the quantity has one.
        let worst = match view.quantity {
            Series::TrainLoss | Series::TestLoss => Some(f64::INFINITY),
            Series::TrainAccuracy | Series::TestAccuracy => Some(f64::NEG_INFINITY),
            _ => None,
        };
        let all =
            || values.iter().copied().chain(worst.into_iter().cycle().take(diverged)).collect::<Vec<_>>();
        let value = match view.over {
            Over::Median => median(&all()).filter(|v| v.is_finite()),
            Over::Mean => mean_and_sd(&values).map(|(mean, _)| mean),
        };
        (cell.ended, cell.diverged, cell.used) = (ended, diverged, values.len());
        cell.value = value.filter(|_| diverged == 0 || 2 * diverged < ended);
        cell.sd = mean_and_sd(&values).map_or(0.0, |(_, sd)| sd);
    }

    fn axis(&self, key: &str) -> Axis {
        let labels = self.labels(key).to_vec();
        if labels.is_empty() {
            return Axis {
                key: String::new(),
                labels: vec![String::new()],
                places: vec![0.0],
                is_log: false,
            };
        }
        let (places, is_log) = places(&labels);
        Axis { key: key.into(), labels, places, is_log }
    }

    /// A point for each run that ended without diverging.
    pub fn scatter(&self, view: &View) -> Scatter {
        let mut scatter = Scatter::default();
        let column = self.column(&view.group);
        let labels =
            if column.is_some() { self.labels(&view.group).to_vec() } else { vec!["all runs".into()] };
        scatter.groups = labels.into_iter().map(|label| (label, Vec::new())).collect();
        for (i, row) in self.rows.iter().enumerate().filter(|(_, row)| row.ended.is_some()) {
            let [x, y] = [view.scatter.0, view.scatter.1].map(|s| row.value(s).filter(|v| v.is_finite()));
            match (x, y) {
                _ if row.diverged() => scatter.diverged += 1,
                (Some(x), Some(y)) => {
                    let group = column.map_or(0, |column| self.place(i, column));
                    scatter.groups[group].1.push((i, x, y));
                }
                _ => scatter.without += 1,
            }
        }
        scatter.related = scatter.relate();
        scatter
    }
}

impl Scatter {
    /// The groups that have points: place of the value of the key, points, value.
    pub fn shown(&self) -> impl Iterator<Item = (usize, &[(usize, f64, f64)], &str)> {
        let all = self.groups.iter().enumerate();
        all.filter(|(_, (_, points))| !points.is_empty())
            .map(|(k, (label, points))| (k, &points[..], &label[..]))
    }

    fn relate(&self) -> Vec<(String, Related)> {
        let pairs =
            |points: &[(usize, f64, f64)]| points.iter().map(|(_, x, y)| (*x, *y)).collect::<Vec<_>>();
        let all: Vec<(f64, f64)> = self.groups.iter().flat_map(|(_, points)| pairs(points)).collect();
        let mut found = vec![("all".to_owned(), Related::of(&all))];
        if self.groups.len() > 1 {
            found
                .extend(self.groups.iter().map(|(name, points)| (name.clone(), Related::of(&pairs(points)))));
        }
        found
    }
}

impl Related {
    /// Of pairs of finite values.
    pub fn of(pairs: &[(f64, f64)]) -> Self {
        let found = match (pearson(pairs), spearman(pairs)) {
            _ if pairs.len() < 3 => Err("too few runs: at least 3 are needed"),
            (Some(pearson), Some(spearman)) => Ok([pearson, spearman]),
            _ => Err("not defined: one of the two does not vary"),
        };
        Self { n: pairs.len(), found }
    }
}

impl Held {
    /// The value that is held; `None` for all.
    pub fn label(&self, labels: &[String]) -> Option<String> {
        match self {
            Held::All => None,
            Held::First => labels.first().cloned(),
            Held::Only(label) if labels.contains(label) => Some(label.clone()),
            Held::Only(_) => labels.first().cloned(),
        }
    }
}

/// The values in a column: rising where they are all numbers, else as they come.
fn distinct(rows: &[Row], column: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let new = rows.iter().map(|row| &row.labels[column]).filter(|label| seen.insert(*label));
    let mut labels: Vec<String> = new.cloned().collect();
    if let Some(numbers) = numbers(&labels) {
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]));
        labels = order.into_iter().map(|i| labels[i].clone()).collect();
    }
    labels
}

/// The labels as numbers, where all are.
fn numbers(labels: &[String]) -> Option<Vec<f64>> {
    labels.iter().map(|l| l.parse().ok().filter(|v: &f64| v.is_finite())).collect()
}

/// What is asked of a sweep most.
const FIRST: [Series; 7] = [
    Series::TestLoss,
    Series::TrainLoss,
    Series::LambdaMax,
    Series::LyapunovMax,
    Series::GeneralizationGap,
    Series::TestAccuracy,
    Series::TrainAccuracy,
];

/// Smallest share of an axis that a step between two values may have (`[own]`: a cell that can be clicked).
const NARROWEST: f64 = 0.04;

/// Where values lie: on a logarithmic scale where their factors are more even than their differences.
fn places(labels: &[String]) -> (Vec<f64>, bool) {
    let even = || (0..labels.len()).map(|i| i as f64).collect();
    let Some(numbers) = numbers(labels).filter(|n| n.len() > 1) else { return (even(), false) };
    // The narrowest step as a share of the whole.
    let narrowest = |places: &[f64]| {
        let whole = places[places.len() - 1] - places[0];
        places.windows(2).map(|w| (w[1] - w[0]) / whole).fold(f64::INFINITY, f64::min)
    };
    let logs: Vec<f64> =
        if numbers[0] > 0.0 { numbers.iter().map(|v| v.log10()).collect() } else { Vec::new() };
    let by_logs = if logs.is_empty() { 0.0 } else { narrowest(&logs) };
    let wide = numbers[numbers.len() - 1] >= 5.0 * numbers[0];
    match narrowest(&numbers) {
        by_values if by_logs >= NARROWEST && wide && by_logs >= by_values => (logs, true),
        by_values if by_values >= NARROWEST => (numbers, false),
        _ => (even(), false),
    }
}

#[cfg(test)]
#[path = "outcomes_tests.rs"]
mod tests;
