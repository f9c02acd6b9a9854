//! Owns what a step of a lesson expects beside what is there.

use super::Playing;
use crate::session::lessons::Check;
use crate::session::{RunEntry, RunState, Session};
use crate::training::run::StopReason;

impl Session {
    /// What the step expects, in words, with the value that is there and whether it is as expected.
    pub fn observations(&self) -> Vec<(String, Option<f64>, bool)> {
        let Some(playing) = self.playing.as_ref().filter(|playing| playing.is_reached()) else {
            return Vec::new();
        };
        let observe = |check: &Check| {
            let (value, holds) = self.observed(playing, check);
            (check.words(), value, holds)
        };
        playing.lesson().steps[playing.step].checks.iter().map(observe).collect()
    }

    fn observed(&self, playing: &Playing, check: &Check) -> (Option<f64>, bool) {
        let run =
            |name: &str| self.runs.iter().find(|run| run.name == name && playing.runs.contains(&run.id));
        let Some(own) = run(&check.run) else { return (None, false) };
        if check.diverged {
            return (None, matches!(own.state, RunState::Ended(StopReason::Diverged { .. })));
        }
        let at = |run: &RunEntry, series| {
            let values = run.curves.get(series)?.values().0;
            match (check.at_start, check.at, check.mean_of_last) {
                (true, ..) => values.first().map(|p| p.value),
                (_, Some(at), _) => values.iter().rev().find(|p| p.iteration <= at).map(|p| p.value),
                (.., Some(n)) => {
                    let last = &values[values.len().checked_sub(n)?..];
                    Some(last.iter().map(|p| p.value).sum::<f64>() / n as f64)
                }
                _ => values.last().map(|p| p.value),
            }
        };
        let rise = |direction: usize| {
            let along = &self.slice_of(own)?.grid.through_centre()[direction.checked_sub(1)?.min(1)];
            let middle = along.iter().min_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?.1;
            Some(0.5 * (along.first()?.1 + along.last()?.1) - middle)
        };
        let value = || {
            match check.rise.as_slice() {
                [] => {}
                [one] => return rise(*one),
                [one, other, ..] => return Some(rise(*one)? / rise(*other)?),
            }
            let series = check.series?;
            let value = at(own, series)?;
            match (&check.over, check.of) {
                (Some(other), _) => Some(value / at(run(other)?, series)?),
                (None, Some(of)) => Some(value / at(own, of)?),
                (None, None) => Some(value),
            }
        };
        let value = value();
        (value, value.is_some_and(|value| check.holds(value)))
    }
}
