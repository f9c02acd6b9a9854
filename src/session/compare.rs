//! Owns the comparison of runs over seeds: which runs are seeds of one setting ([`groups`]), their mean and band
//! ([`band`]), and whether two settings differ ([`compare`]).

use std::collections::{BTreeMap, BTreeSet};

use super::Session;
use super::curves::{Curve, Curves, Reading};
use super::runs::{Difference, RunEntry, RunId, RunState};
use super::settings::{flat, needs_reset};
use crate::files::figure::number::counted;
use crate::files::history_csv::number;
use crate::numerics::statistics::{Paired, mean_and_sd, paired};
use crate::training::config::Config;
use crate::training::history::Series;
use crate::training::run::StopReason;

/// Runs whose settings differ in the seed only.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its runs, in the order of the table.
    pub members: Vec<RunId>,
}

impl Group {
    /// Its first run, without that run's seed, and how many seeds there are.
    pub fn name(&self, session: &Session) -> String {
        let name = self.members.first().and_then(|id| session.run(*id)).map_or("", |run| &run.name);
        let seeds = counted(self.members.len() as u64, "seed");
        // A run of a sweep is named after the folder that it has there.
        let name =
            [", seed ", "_seed="].iter().fold(name, |name, seed| name.split(seed).next().unwrap_or(name));
        format!("{name} ({seeds})")
    }

    /// The seeds of its runs, in their order.
    pub fn seeds(&self, session: &Session) -> BTreeSet<u64> {
        self.members.iter().filter_map(|id| session.run(*id)).map(|run| run.config.seed).collect()
    }
}

/// A setting without what does not make another one: the seed, and when slices are taken (the demonstration and
/// lessons take them of one run only).
pub(super) fn setting(config: &Config) -> Config {
    let mut setting = config.clone();
    setting.seed = 0;
    setting.measure.landscape = crate::training::config::Cadence::Never;
    setting
}

/// The runs by setting, in the order of the table, one for each seed. Left out is what is hidden, and what is no run
/// of one setting from its start: ghosts, branches, runs whose settings changed while they learned.
pub fn groups(runs: &[RunEntry]) -> Vec<Group> {
    let mut groups: Vec<(Config, Vec<(u64, i64)>, Group)> = Vec::new();
    let is_sample =
        |run: &&RunEntry| !run.hidden && run.state != RunState::Ghost && run.alterations().next().is_none();
    let is_running = |id: RunId| runs.iter().any(|run| run.id == id && run.is_running());
    for run in runs.iter().filter(is_sample) {
        let (setting, own) = (setting(&run.config), (run.config.seed, run.iteration));
        match groups.iter_mut().find(|(other, ..)| *other == setting) {
            Some((_, seeds, group)) => match seeds.iter().position(|(seed, _)| *seed == own.0) {
                // The same settings with the same seed give the same numbers: no second sample, but the longer one.
                // Of two that run side by side the first, so that they do not change places all the time.
                Some(i) if seeds[i].1 < own.1 && !(run.is_running() && is_running(group.members[i])) => {
                    (seeds[i], group.members[i]) = (own, run.id);
                }
                Some(_) => {}
                None => {
                    seeds.push(own);
                    group.members.push(run.id);
                }
            },
            None => groups.push((setting, vec![own], Group { members: vec![run.id] })),
        }
    }
    groups.into_iter().map(|(.., group)| group).collect()
}

/// Several curves at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// Iteration.
    pub x: f64,
    /// Their mean.
    pub mean: f64,
    /// Their sample standard deviation; 0 for one.
    pub sd: f64,
    /// The smallest and the largest.
    pub ends: (f64, f64),
    /// How many there are.
    pub n: usize,
}

impl BandPoint {
    /// From one standard deviation below the mean to one above; where that is not positive although every value
    /// is, from the smallest value.
    pub fn edges(&self) -> (f64, f64) {
        let low = self.mean - self.sd;
        (if low <= 0.0 && self.ends.0 > 0.0 { self.ends.0 } else { low }, self.mean + self.sd)
    }
}

/// Mean and spread of curves from iteration `x0` to `x1` at `columns` places evenly apart, where every curve has a
/// value before and one after: were the mean to go on with some of them, it would jump. Between its values a curve is
/// a line; values that are not finite are left out.
pub fn band(curves: &[&Curve], x0: f64, x1: f64, columns: usize) -> Vec<BandPoint> {
    let lines: Vec<Vec<(f64, f64)>> = curves.iter().map(|c| c.means(x0, x1, columns)).collect();
    let mut at = vec![0; lines.len()];
    (0..columns)
        .filter_map(|i| {
            let x = x0 + (x1 - x0) * (i as f64 + 0.5) / columns as f64;
            let values: Vec<f64> =
                lines.iter().zip(&mut at).filter_map(|(line, at)| between(line, at, x)).collect();
            if values.len() < lines.len() {
                return None;
            }
            let (mean, sd) = mean_and_sd(&values)?;
            let ends =
                values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
            Some(BandPoint { x, mean, sd, ends, n: values.len() })
        })
        .collect()
}

/// The value of a line at `x`; `at` goes along it.
fn between(line: &[(f64, f64)], at: &mut usize, x: f64) -> Option<f64> {
    while *at + 1 < line.len() && line[*at + 1].0 <= x {
        *at += 1;
    }
    let (x0, y0) = *line.get(*at).filter(|(x0, _)| *x0 <= x)?;
    match line.get(*at + 1) {
        Some((x1, y1)) => Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0)),
        None => (x == x0).then_some(y0),
    }
}

/// What two settings are compared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// lambda_max where the training loss first falls to the lowest level that all runs compared have reached:
    /// rules that learn at different speed are compared fairly.
    SharpnessAtEqualLoss,
    /// The last value of a series.
    Last(Series),
}

impl Quantity {
    /// At the start of a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Quantity::SharpnessAtEqualLoss | Quantity::Last(Series::LambdaMax) => "lambda_max",
            Quantity::Last(Series::TrainLoss) => "The training loss",
            Quantity::Last(Series::TestLoss) => "The test loss",
            Quantity::Last(Series::TestAccuracy) => "The test accuracy",
            Quantity::Last(Series::GeneralizationGap) => "The generalization gap",
            Quantity::Last(Series::LyapunovMax) => "The largest Lyapunov exponent",
            Quantity::Last(other) => other.name(),
        }
    }
}

/// Two settings compared in pairs of one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The value of the first and of the second setting, by seed.
    pub pairs: BTreeMap<u64, (f64, f64)>,
    /// Second minus first; of their natural logarithms where `is_ratio`.
    pub test: Paired,
    /// All values are positive: the settings differ by a factor, exp of the mean.
    pub is_ratio: bool,
    /// The training loss at which sharpness was taken.
    pub loss: Option<f64>,
    /// Seeds that both have and that do not count: a run diverged, or has no such value.
    pub left_out: usize,
}

/// Compares two settings, `a` and `b` being all runs of each.
///
/// # Errors
/// Fewer than two seeds in common with the values asked for, in words.
pub fn compare(a: &[&RunEntry], b: &[&RunEntry], quantity: Quantity) -> Result<Comparison, String> {
    let by_seed = |runs: &[&RunEntry]| -> BTreeMap<u64, usize> {
        runs.iter().enumerate().map(|(i, run)| (run.config.seed, i)).collect()
    };
    let (of_a, of_b) = (by_seed(a), by_seed(b));
    let common: Vec<(u64, &RunEntry, &RunEntry)> =
        of_a.iter().filter_map(|(seed, i)| Some((*seed, a[*i], b[*of_b.get(seed)?]))).collect();
    let loss = match quantity {
        Quantity::SharpnessAtEqualLoss => {
            let all = common.iter().flat_map(|(_, a, b)| [*a, *b]);
            common_loss(all.filter(|run| !has_diverged(run)))
        }
        Quantity::Last(_) => None,
    };
    let value = |run: &RunEntry| match quantity {
        _ if has_diverged(run) => None,
        Quantity::Last(series) => run.curves.last(series).map(|p| p.value),
        Quantity::SharpnessAtEqualLoss => sharpness_at(&run.curves, loss?),
    };
    let pairs: BTreeMap<u64, (f64, f64)> = common
        .iter()
        .filter_map(|(seed, a, b)| Some((*seed, (value(a)?, value(b)?))))
        .filter(|(_, (a, b))| a.is_finite() && b.is_finite())
        .collect();
    let is_ratio = pairs.values().all(|(a, b)| *a > 0.0 && *b > 0.0);
    let difference = |(a, b): &(f64, f64)| if is_ratio { (b / a).ln() } else { b - a };
    let differences: Vec<f64> = pairs.values().map(difference).collect();
    let test = paired(&differences).ok_or_else(|| {
        let seeds = counted(pairs.len() as u64, "seed");
        format!("{seeds} in common with a value: at least 2 are needed to compare")
    })?;
    let left_out = common.len() - pairs.len();
    Ok(Comparison { pairs, test, is_ratio, loss, left_out })
}

/// What a run shows that diverged is no place where its rule leads.
fn has_diverged(run: &RunEntry) -> bool {
    matches!(run.state, RunState::Ended(StopReason::Diverged { .. } | StopReason::Undefined { .. }))
}

/// Columns over which a noisy loss is averaged before it is compared.
const COLUMNS: usize = 500;

/// A run's training loss without its noise.
fn loss(curves: &Curves) -> Vec<(f64, f64)> {
    let Some(curve) = curves.get(Series::TrainLoss) else { return Vec::new() };
    let last = curve.last().map_or(0, |p| p.iteration);
    curve.means(0.0, last as f64, COLUMNS)
}

/// The lowest loss that all runs have reached.
fn common_loss<'a>(runs: impl Iterator<Item = &'a RunEntry>) -> Option<f64> {
    let lowest =
        |run: &RunEntry| loss(&run.curves).into_iter().map(|(_, loss)| loss).fold(f64::INFINITY, f64::min);
    runs.map(lowest).reduce(f64::max).filter(|loss| loss.is_finite())
}

/// lambda_max where a run first reaches a loss, between the measures around it: along a line, of logarithms where both
/// are positive, for it moves by factors.
fn sharpness_at(curves: &Curves, level: f64) -> Option<f64> {
    let (x, _) = loss(curves).into_iter().find(|(_, loss)| *loss <= level)?;
    let curve = curves.get(Series::LambdaMax)?;
    let (values, _) = curve.values();
    let after = values.partition_point(|p| (p.iteration as f64) < x);
    match (after.checked_sub(1).map(|i| values[i]), values.get(after)) {
        (Some(a), Some(b)) => {
            let share = (x - a.iteration as f64) / (b.iteration - a.iteration) as f64;
            Some(if a.value > 0.0 && b.value > 0.0 {
                a.value * (b.value / a.value).powf(share)
            } else {
                a.value + share * (b.value - a.value)
            })
        }
        (None, Some(only)) => Some(only.value),
        // Not measured since: what was measured last, where it is still kept as it was.
        (Some(last), None) => Some(last.value),
        (None, None) => match curve.at(x as i64)? {
            Reading::Exact(point) => Some(point.value),
            Reading::Among(entry) => entry.mean(),
        },
    }
}

impl Comparison {
    /// Of one seed: second over first where all values are positive, second less first otherwise.
    pub fn effect(&self, first: f64, second: f64) -> f64 {
        if self.is_ratio { second / first } else { second - first }
    }

    /// What there is to say, in two sentences: the effect with its interval, and whether it is decided.
    pub fn sentences(&self, of: &str, first: &str, second: &str) -> String {
        let Paired { n, mean, interval: (low, high), p, pairs_needed, .. } = self.test;
        let effect = if self.is_ratio {
            let at = self.loss.map_or(String::new(), |loss| format!(" at a training loss of {loss:.3e}"));
            let (mean, low, high) = (mean.exp(), low.exp(), high.exp());
            format!(
                "{of}{at} is {mean:.2} times as large under {second} as under {first} (95 % interval {low:.2} to {high:.2}, {n} seeds)"
            )
        } else {
            format!(
                "{of} is {mean:+.3e} under {second} against {first} (95 % interval {low:.3e} to {high:.3e}, {n} seeds)"
            )
        };
        let p = if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") };
        let verdict = match pairs_needed {
            _ if self.test.p < 0.05 => format!("Seeds alone would hardly give this ({p})."),
            Some(needed) if needed > n => {
                format!("Seeds alone may give this ({p}): about {} more would decide.", needed - n)
            }
            _ => format!("Seeds alone may give this ({p})."),
        };
        let left_out = match self.left_out {
            0 => String::new(),
            n => format!(" {} left out: diverged, or without such a value.", counted(n as u64, "seed")),
        };
        format!("{effect}. {verdict}{left_out}")
    }
}

impl Session {
    /// The runs by setting: those of a group differ in the seed only.
    pub fn groups(&self) -> Vec<Group> {
        groups(&self.runs)
    }

    /// Whether the setting of one run differs from that of another, over the seeds that both have.
    ///
    /// # Errors
    /// Too few seeds in common, in words.
    pub fn compare(&self, a: RunId, b: RunId, quantity: Quantity) -> Result<Comparison, String> {
        let groups = self.groups();
        let all = |id: RunId| -> Vec<&RunEntry> {
            let group = groups.iter().find(|g| g.members.contains(&id));
            group.into_iter().flat_map(|g| &g.members).filter_map(|id| self.run(*id)).collect()
        };
        compare(&all(a), &all(b), quantity)
    }

    /// The comparison as a table, seed by seed, after lines that say what it is and what came out.
    pub(super) fn comparison_table(&self, a: RunId, b: RunId, quantity: Quantity) -> Result<String, String> {
        let found = self.compare(a, b, quantity)?;
        let [first, second] = [a, b].map(|id| {
            let group = self.groups().into_iter().find(|group| group.members.contains(&id));
            group.map(|group| group.name(self)).unwrap_or_default().replace(['\r', '\n'], " ")
        });
        let how = if found.is_ratio { "ratio" } else { "difference" };
        let mut table = format!(
            "# {}\n# first: {first}\n# second: {second}\nseed,first,second,{how}\n",
            found.sentences(quantity.in_words(), &first, &second),
        );
        for (seed, (first, second)) in &found.pairs {
            let effect = found.effect(*first, *second);
            let [first, second, effect] = [*first, *second, effect].map(number);
            table += &format!("{seed},{first},{second},{effect}\n");
        }
        Ok(table)
    }

    /// Fills in where each run differs from the others of its task: the keys on which not all agree.
    pub(super) fn find_differences(&mut self) {
        let all: Vec<_> = self.runs.iter().map(|r| flat(&r.config)).collect();
        // Runs that wait for the end of a lesson are not compared with its own.
        let waits: Vec<bool> =
            self.runs.iter().map(|r| self.playing.as_ref().is_some_and(|p| p.waits(r.id))).collect();
        for (run, own) in self.runs.iter_mut().zip(&all) {
            let uneven =
                |key: &String| all.iter().zip(&waits).any(|(other, w)| !w && other.get(key) != own.get(key));
            run.differs = own
                .iter()
                .filter(|(key, _)| uneven(key))
                .map(|(key, value)| Difference {
                    key: key.clone(),
                    from: None,
                    to: Some(value.clone()),
                    needs_reset: needs_reset(key),
                })
                .collect();
        }
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
