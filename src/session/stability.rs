//! Owns [`Lines`], the stability lines of a run over its training, as curves.

use super::curves::{Curve, Curves, Point};
use super::runs::RunEntry;
use crate::files::figure::number::{counted, short, significant};
use crate::numerics::curvature::lanczos::has_converged;
use crate::numerics::curvature::stability::{
    Descent, RHO_MEASURES, Rho, RunFacts, StabilityLine, exact_line, median_rho, not_binding, stability_line,
};
use crate::numerics::tasks::TaskFacts;
use crate::training::config::{Config, OptimizerKind, Precision, RuleKind, ScheduleKind};
use crate::training::history::Series;
use crate::training::measures::CURVATURE_TOLERANCE;

/// The stability lines of a run where its curvature was measured, and what there is to say about them now.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// 2/eta, of the exact gradient; empty where there is no line.
    pub exact: Curve,
    /// 2/(eta rho), of the run's own rule; empty under an exact rule and where there is no line.
    pub own: Curve,
    /// The first as it is now; `None` before the curvature was measured.
    pub exact_now: Option<StabilityLine>,
    /// The second as it is now; `None` under an exact rule too.
    pub own_now: Option<StabilityLine>,
    /// Said where lambda_max is far below its line.
    pub not_binding: Option<String>,
    /// Iterations at which lambda_max had not converged.
    pub doubtful: Vec<i64>,
    taken: usize,
    last: Option<i64>,
    /// The learning rate that the lines of now have.
    rate: f64,
}

impl Lines {
    /// Takes in what was measured of a run since the last call: settings that change later leave the lines of
    /// earlier iterations as they were. A run that was set back starts them afresh.
    ///
    /// `changes` are the iterations at which settings changed, rising ([`RunEntry::changes`]).
    pub fn update(&mut self, curves: &Curves, config: &Config, task: Option<&TaskFacts>, changes: &[i64]) {
        let Some(curve) = curves.get(Series::LambdaMax) else {
            *self = Self::default();
            return;
        };
        if curve.len() < self.taken {
            *self = Self::default();
        }
        // A branch has curves before it is built.
        let Some(task) = task else { return };
        let (measured, _) = curve.values();
        if curve.len() == self.taken {
            return self.follow_rate(curves, config, task, measured.last(), changes);
        }
        let new = measured.partition_point(|p| self.last.is_some_and(|last| p.iteration <= last));
        let is_exact = rho_of(config).is_none();
        for point in &measured[new..] {
            let facts = facts(curves, config, task, point.iteration, changes);
            let (exact, own) = (exact_line(&facts), (!is_exact).then(|| stability_line(&facts)));
            push(&mut self.exact, point.iteration, exact.value);
            push(&mut self.own, point.iteration, own.as_ref().and_then(|line| line.value));
            if converged(curves, config, point) == Some(false) {
                self.doubtful.push(point.iteration);
            }
            self.not_binding = not_binding(point.value, own.as_ref().unwrap_or(&exact));
            (self.exact_now, self.own_now) = (Some(exact), own);
            self.last = Some(point.iteration);
            self.rate = facts.learning_rate;
        }
        self.taken = curve.len();
    }

    /// Moves the lines of now with a learning rate that has changed since the last measure.
    fn follow_rate(
        &mut self,
        curves: &Curves,
        config: &Config,
        task: &TaskFacts,
        last: Option<&Point>,
        changes: &[i64],
    ) {
        let rate = curves.last(Series::LearningRate).map(|p| p.value);
        let (Some(point), Some(rate)) = (last, rate.filter(|rate| *rate != self.rate)) else { return };
        let facts = RunFacts { learning_rate: rate, ..facts(curves, config, task, point.iteration, changes) };
        let (exact, own) = (exact_line(&facts), rho_of(config).map(|_| stability_line(&facts)));
        self.not_binding = not_binding(point.value, own.as_ref().unwrap_or(&exact));
        (self.exact_now, self.own_now) = (Some(exact), own);
        self.rate = rate;
    }
}

/// How many times the loss at its start the loss of a run may be before it has left its range (`[own]`).
const RANGE: f64 = 10.0;

/// The iteration from which on the loss has been out of its range to the end; `None` where it is in it, or began at 0.
fn left_range(curves: &Curves) -> Option<i64> {
    let limit = RANGE * first(curves).filter(|loss| *loss > 0.0)?;
    let (losses, _) = curves.get(Series::TrainLoss)?.values();
    let is_out = |p: &&Point| !p.value.is_finite() || p.value > limit;
    losses.iter().rev().take_while(is_out).last().map(|p| p.iteration)
}

/// Where lambda_max lay above the line of the run's own rule at the rate that acts now: how far, and for how long, or
/// that the rate was raised since; `None` where it did not. The curvature of weights that have exploded explains
/// nothing: what was measured once the loss had left its range is left out.
pub fn above_line(run: &RunEntry) -> Option<String> {
    let (all, _) = run.curves.get(Series::LambdaMax)?.values();
    let left = left_range(&run.curves);
    let measured = &all[..all.partition_point(|p| left.is_none_or(|left| p.iteration < left))];
    let task = run.task.as_ref()?;
    let is_exact = rho_of(&run.config).is_none();
    let changes = run.changes();
    let facts_at = |point: &Point| facts(&run.curves, &run.config, task, point.iteration, &changes);
    let line = |facts: &RunFacts| if is_exact { exact_line(facts) } else { stability_line(facts) };
    let last = measured.last()?;
    let at_the_measure = facts_at(last);
    let rate = run.curves.last(Series::LearningRate).map_or(at_the_measure.learning_rate, |p| p.value);
    let was_raised = rate > at_the_measure.learning_rate;
    let now = line(&RunFacts { learning_rate: rate, ..at_the_measure });
    let value = now.value.filter(|value| last.value > *value)?;
    let above = |point: &Point| line(&facts_at(point)).value.is_some_and(|value| point.value > value);
    let end = left.unwrap_or(run.iteration);
    let place = left.map_or(String::new(), |_| {
        let at = last.iteration;
        format!(
            ", at iteration {at}, the last measure before the loss left its range ({RANGE} times the loss at the start)"
        )
    });
    let since = match measured.iter().rev().take_while(|point| above(point)).last() {
        Some(first) if first.iteration >= end => String::new(),
        Some(first) => {
            let n = end - first.iteration;
            format!(", and above that line for {}", counted(n.unsigned_abs(), "iteration"))
        }
        None if was_raised => {
            format!(
                ": it was measured at {}, before the learning rate rose to {}",
                last.iteration,
                short(rate)
            )
        }
        None => String::new(),
    };
    Some(format!(
        "lambda_max was {}, {} times {} = {}{place}{since}.",
        significant(last.value, 3),
        significant(last.value / value, 3),
        now.formula,
        significant(value, 3)
    ))
}

/// Whether a lambda_max had converged, as the measure itself decides it, from the values of the same measure that
/// the history holds; `None` where it holds no residual.
pub fn converged(curves: &Curves, config: &Config, lambda_max: &Point) -> Option<bool> {
    let at = |series: Series| {
        let values = curves.get(series)?.values().0;
        values.binary_search_by_key(&lambda_max.iteration, |p| p.iteration).ok().map(|i| values[i].value)
    };
    let (value, residual) = (lambda_max.value, at(Series::LambdaMaxResidual)?);
    let largest = value.abs().max(at(Series::LambdaMin).map_or(0.0, f64::abs));
    Some(match config.precision {
        Precision::F32 => has_converged::<f32>(value, residual, largest, CURVATURE_TOLERANCE),
        Precision::F64 => has_converged::<f64>(value, residual, largest, CURVATURE_TOLERANCE),
    })
}

fn push(curve: &mut Curve, iteration: i64, value: Option<f64>) {
    if let Some(value) = value {
        curve.push(Point { iteration, value });
    }
}

/// The rule's measured rho belongs in the line, but for rules whose gradient is the exact one.
fn rho_of(config: &Config) -> Option<RuleKind> {
    (config.rule.kind != RuleKind::Bptt).then_some(config.rule.kind)
}

/// What is known of a run at an iteration.
fn facts(curves: &Curves, config: &Config, task: &TaskFacts, iteration: i64, changes: &[i64]) -> RunFacts {
    let at = |series: Series| {
        let (values, _) = curves.get(series)?.values();
        let index = values.partition_point(|p| p.iteration <= iteration);
        values[..index].last().or(values.first()).map(|p| p.value)
    };
    let loss_share = at(Series::TrainLoss).zip(first(curves)).map(|(now, first)| now / first);
    let optimizer = &config.optimizer;
    RunFacts {
        learning_rate: at(Series::LearningRate).unwrap_or(optimizer.learning_rate),
        constant_rate: config.schedule.kind == ScheduleKind::Constant && config.schedule.warmup == 0,
        descent: match optimizer.kind {
            OptimizerKind::Sgd => Descent::Sgd { momentum: optimizer.momentum },
            OptimizerKind::Adam => Descent::Adam,
        },
        l2: optimizer.l2,
        hessian_with_l2: true,
        clip: (optimizer.clip_norm > 0.0)
            .then(|| (optimizer.clip_norm, at(Series::GradientNorm).unwrap_or(0.0))),
        rho: match rho_of(config) {
            None => Rho::Exact,
            Some(_) => Rho::Measured(median_before(curves, iteration, changes)),
        },
        loss_kind: task.loss_kind,
        n_out: task.n_out,
        scored_steps: task.scored_steps,
        trials: task.trials,
        full_batch: task.full_batch,
        loss_share,
        block: config.measure.block,
    }
}

/// The median of the last measures of rho up to an iteration, of those since settings last changed: before, another
/// rule may have run.
fn median_before(curves: &Curves, iteration: i64, changes: &[i64]) -> Option<f64> {
    let (values, _) = curves.get(Series::Rho)?.values();
    let end = values.partition_point(|p| p.iteration <= iteration);
    let changed = changes[..changes.partition_point(|c| *c < iteration)].last();
    let start = changed.map_or(0, |changed| values.partition_point(|p| p.iteration <= *changed));
    let start = start.max(end.saturating_sub(2 * RHO_MEASURES));
    let last: Vec<f64> = values[start.min(end)..end].iter().map(|p| p.value).collect();
    median_rho(&last)
}

/// The loss that the run started from.
fn first(curves: &Curves) -> Option<f64> {
    let curve = curves.get(Series::TrainLoss)?;
    let first = curve.first_iteration()?;
    match curve.at(first.max(0))? {
        super::curves::Reading::Exact(point) => Some(point.value),
        super::curves::Reading::Among(entry) => entry.ends.map(|(_, high)| high.value),
    }
}

#[cfg(test)]
#[path = "stability_tests.rs"]
mod tests;
