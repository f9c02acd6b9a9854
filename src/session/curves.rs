//! Owns [`Curve`], one series of one run in bounded memory, and [`Curves`], all of them.
//!
//! The newest 65,536 values are kept as they are. All values are also summed up in a pyramid: level k holds,
//! for every 16^(k+1) values in turn, the smallest and the largest with their iterations, the mean, and how
//! many were not finite or not positive. What is old stays in the levels only, what is very old in the coarse
//! ones only (16,384 entries a level): a spike is never lost, a curve of any length takes at most 7 MB.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use self::entry::sum;
pub use self::entry::{Entry, Point};
use crate::training::history::{History, Row, Series};

mod entry;

/// Values kept as they are.
const MOST_VALUES: usize = 1 << 16;
/// Entries kept of each level.
const MOST_ENTRIES: usize = 1 << 14;
/// Values in an entry of the first level, entries of one level in an entry of the next.
const FAN: usize = 16;
/// Levels; an entry of the last stands for 16^5 values, so it holds 10^10 of them.
const LEVELS: usize = 5;
/// Values that are not finite of which the places are kept.
const MOST_BAD: usize = 1000;

/// The next version of any curve.
static VERSIONS: AtomicU64 = AtomicU64::new(1);

/// What a plot draws of a curve.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Visible {
    /// Finite points in the order of their iterations: the values themselves, or where there are more than
    /// the plot has room for, the smallest and the largest of each group.
    pub points: Vec<Point>,
    /// Values in sight that are not finite.
    pub not_finite: u64,
    /// Finite values in sight that are 0 or negative.
    pub not_positive: u64,
}

/// What a curve says at an iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// The last value at or before the iteration.
    Exact(Point),
    /// The value itself is no longer kept; it is one of these.
    Among(Entry),
}

/// One series of one run.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// The newest values; `dropped` came before them.
    values: Vec<Point>,
    dropped: usize,
    /// Each level's entries, and how many came before them.
    levels: [(Vec<Entry>, usize); LEVELS],
    bad: Vec<Point>,
    not_finite: u64,
    last: Option<Point>,
    version: u64,
}

/// Values in an entry of a level.
fn size(level: usize) -> usize {
    FAN.pow(level as u32 + 1)
}

impl Curve {
    /// Adds a value in the order of iterations: a measure beside the training may answer after the training
    /// itself has written later ones. A value for an iteration that has one replaces it; one from before all
    /// single values that are kept is let go.
    pub fn push(&mut self, point: Point) {
        if self.last.is_none_or(|last| last.iteration < point.iteration) {
            return self.append(point);
        }
        let at = self.values.partition_point(|p| p.iteration < point.iteration);
        if at == 0 && self.dropped > 0 {
            return;
        }
        let later: Vec<Point> =
            self.values[at..].iter().copied().filter(|p| p.iteration > point.iteration).collect();
        self.truncate_after(point.iteration - 1);
        self.append(point);
        later.into_iter().for_each(|p| self.append(p));
    }

    /// Another number after every change: two curves of the same version hold the same.
    pub fn version(&self) -> u64 {
        self.version
    }

    fn append(&mut self, point: Point) {
        self.version = VERSIONS.fetch_add(1, Ordering::Relaxed);
        let index = self.len();
        self.values.push(point);
        self.last = Some(point);
        for (level, (entries, _)) in self.levels.iter_mut().enumerate() {
            match entries.last_mut().filter(|_| !index.is_multiple_of(size(level))) {
                Some(entry) => entry.add(Entry::of(point)),
                None => entries.push(Entry::of(point)),
            }
        }
        if !point.value.is_finite() {
            self.not_finite += 1;
            if self.bad.len() < MOST_BAD {
                self.bad.push(point);
            }
        }
        self.forget();
    }

    /// Drops the older half of what has grown too long; the next level has it.
    fn forget(&mut self) {
        if self.values.len() > MOST_VALUES {
            self.values.drain(..MOST_VALUES / 2);
            self.dropped += MOST_VALUES / 2;
        }
        for (entries, dropped) in &mut self.levels[..LEVELS - 1] {
            if entries.len() > MOST_ENTRIES {
                entries.drain(..MOST_ENTRIES / 2);
                *dropped += MOST_ENTRIES / 2;
            }
        }
    }

    /// How many values were pushed.
    pub fn len(&self) -> usize {
        self.dropped + self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The newest value.
    pub fn last(&self) -> Option<Point> {
        self.last
    }

    /// The first iteration.
    pub fn first_iteration(&self) -> Option<i64> {
        self.levels[LEVELS - 1].0.first().map(|e| e.first)
    }

    /// The first values that are not finite, at most 1,000 of them: a plot marks each.
    pub fn bad(&self) -> &[Point] {
        &self.bad
    }

    /// How many values are not finite.
    pub fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// Everything in one entry.
    pub fn whole(&self) -> Option<Entry> {
        let mut entries = self.levels[LEVELS - 1].0.iter();
        let mut whole = *entries.next()?;
        entries.for_each(|e| whole.add(*e));
        Some(whole)
    }

    /// The values that are still kept as they are, oldest first, and whether that is all of them.
    pub fn values(&self) -> (&[Point], bool) {
        (&self.values, self.dropped == 0)
    }

    /// What there is to draw from iteration `x0` to `x1` on `pixels` columns: the points in sight and one on
    /// either side, at most about 2 per column and 2 per entry of what is old.
    pub fn visible(&self, x0: f64, x1: f64, pixels: usize) -> Visible {
        let mut visible = Visible::default();
        self.for_entries(x0, x1, pixels, |entry| {
            visible.not_finite += entry.not_finite;
            visible.not_positive += entry.not_positive;
            let Some((low, high)) = entry.ends else { return };
            let (a, b) = if low.iteration <= high.iteration { (low, high) } else { (high, low) };
            visible.points.push(a);
            if a != b {
                visible.points.push(b);
            }
        });
        visible
    }

    /// The means of groups of values from iteration `x0` to `x1`, about one per column, each at the middle of
    /// its group.
    pub fn means(&self, x0: f64, x1: f64, pixels: usize) -> Vec<(f64, f64)> {
        let mut means = Vec::new();
        self.for_entries(x0, x1, pixels, |entry| {
            let middle = 0.5 * (entry.first as f64 + entry.last as f64);
            means.extend(entry.mean().map(|mean| (middle, mean)));
        });
        means
    }

    /// Visits what stands for the values in sight, oldest first, in entries no finer than needed.
    fn for_entries(&self, x0: f64, x1: f64, pixels: usize, mut visit: impl FnMut(Entry)) {
        let begin = self.index_before(x0);
        let end = self.index_after(x1);
        let wanted = end.saturating_sub(begin) / (2 * pixels.max(1));
        // `None` is the values themselves.
        let level = (0..LEVELS).rev().find(|&level| size(level) <= wanted);
        let mut index = begin;
        while index < end {
            match self.entry_at(index, level) {
                Some((entry, next)) => {
                    visit(entry);
                    index = next;
                }
                None => break,
            }
        }
    }

    /// The entry that holds value number `index`, at `level` or the finest that still has it, and the number
    /// of the first value after it.
    fn entry_at(&self, index: usize, level: Option<usize>) -> Option<(Entry, usize)> {
        if level.is_none() && index >= self.dropped {
            return Some((Entry::of(*self.values.get(index - self.dropped)?), index + 1));
        }
        (level.unwrap_or(0)..LEVELS).find_map(|level| {
            let (entries, dropped) = &self.levels[level];
            let at = index / size(level);
            let entry = entries.get(at.checked_sub(*dropped)?)?;
            Some((*entry, (at + 1) * size(level)))
        })
    }

    /// How many values come strictly before `x`, found as finely as is still known: the number of a value at
    /// the start of an entry.
    fn count_before(&self, x: f64) -> usize {
        let in_values = self.values.partition_point(|p| (p.iteration as f64) < x);
        if in_values > 0 || self.dropped == 0 {
            return self.dropped + in_values;
        }
        for (level, (entries, dropped)) in self.levels.iter().enumerate() {
            let whole = entries.partition_point(|e| (e.last as f64) < x);
            if whole > 0 || *dropped == 0 {
                return ((dropped + whole) * size(level)).min(self.len());
            }
        }
        0
    }

    fn index_before(&self, x0: f64) -> usize {
        self.count_before(x0).saturating_sub(1)
    }

    fn index_after(&self, x1: f64) -> usize {
        // The first value after x1 is in sight too, so that the line leaves the plot.
        (self.count_before(x1 + 0.5) + 1).min(self.len())
    }

    /// What the curve says at an iteration: the last value at or before it.
    pub fn at(&self, iteration: i64) -> Option<Reading> {
        let in_values = self.values.partition_point(|p| p.iteration <= iteration);
        if in_values > 0 {
            return Some(Reading::Exact(self.values[in_values - 1]));
        }
        self.levels.iter().find_map(|(entries, _)| {
            let known = entries.partition_point(|e| e.first <= iteration);
            (known > 0).then(|| Reading::Among(entries[known - 1]))
        })
    }

    /// Drops what lies after `iteration` (a rewound run). Where single values are no longer kept there, the
    /// group that holds the iteration goes too.
    pub fn truncate_after(&mut self, iteration: i64) {
        let keep = self.count_before(iteration as f64 + 0.5);
        if keep >= self.len() {
            return;
        }
        self.version = VERSIONS.fetch_add(1, Ordering::Relaxed);
        self.values.truncate(keep.saturating_sub(self.dropped));
        self.dropped = self.dropped.min(keep);
        for level in 0..LEVELS {
            let (finer, coarser) = self.levels.split_at_mut(level);
            let (entries, dropped) = &mut coarser[0];
            // Whole entries stay; the last is put together again from what is below it.
            entries.truncate((keep / size(level)).saturating_sub(*dropped));
            *dropped = (*dropped).min(keep / size(level));
            let from = keep / size(level) * size(level);
            let rest: Option<Entry> = if keep == from {
                None
            } else if let Some((below, below_dropped)) = finer.last() {
                let children = &below[(from / size(level - 1)).saturating_sub(*below_dropped)..];
                sum(children.iter().copied())
            } else {
                sum(self.values[from.saturating_sub(self.dropped)..].iter().map(|p| Entry::of(*p)))
            };
            entries.extend(rest);
        }
        self.bad.retain(|p| p.iteration <= iteration);
        self.not_finite = self.whole().map_or(0, |e| e.not_finite);
        self.last = self.values.last().copied().or_else(|| {
            let entry = self.levels[LEVELS - 1].0.last()?;
            Some(Point { iteration: entry.last, value: entry.mean().unwrap_or(f64::NAN) })
        });
    }
}

/// All series of one run.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    curves: BTreeMap<Series, Curve>,
}

impl Curves {
    /// Adds a value.
    pub fn push(&mut self, row: Row) {
        self.curves.entry(row.series).or_default().push(Point { iteration: row.iteration, value: row.value });
    }

    /// One series, where it has a value.
    pub fn get(&self, series: Series) -> Option<&Curve> {
        self.curves.get(&series)
    }

    /// The newest value of a series.
    pub fn last(&self, series: Series) -> Option<Point> {
        self.get(series)?.last()
    }

    /// Every series with a value, in the order of [`Series::ALL`].
    pub fn all(&self) -> impl Iterator<Item = (Series, &Curve)> {
        self.curves.iter().map(|(s, c)| (*s, c))
    }

    /// Every value that is kept; where single values are no longer, the smallest and the largest finite one of
    /// each group.
    pub fn to_history(&self) -> History {
        let mut history = History::default();
        for (series, curve) in &self.curves {
            let mut push =
                |p: Point| history.push(Row { iteration: p.iteration, series: *series, value: p.value });
            let mut index = 0;
            while let Some((entry, next)) = curve.entry_at(index, None).filter(|_| index < curve.dropped) {
                if let Some((low, high)) = entry.ends {
                    let (a, b) = if low.iteration <= high.iteration { (low, high) } else { (high, low) };
                    push(a);
                    push(b);
                }
                index = next;
            }
            curve.values.iter().for_each(|p| push(*p));
        }
        history
    }

    /// Adds every value of a history.
    pub fn take(&mut self, history: &History) {
        history.rows().for_each(|row| self.push(row));
    }

    /// Drops what lies after `iteration`.
    pub fn truncate_after(&mut self, iteration: i64) {
        self.curves.values_mut().for_each(|c| c.truncate_after(iteration));
        self.curves.retain(|_, c| !c.is_empty());
    }
}

#[cfg(test)]
#[path = "curves_tests.rs"]
mod tests;
