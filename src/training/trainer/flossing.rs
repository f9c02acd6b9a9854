//! Owns how a run flosses, before its training and between two updates.

use super::Trainer;
use crate::numerics::parallel::Workers;
use crate::numerics::scalar::Scalar;
use crate::training::flossing::Flossed;
use crate::training::history::Series;
use crate::training::run::{Rows, Step, StopReason};

impl<T: Scalar> Trainer<T> {
    /// One flossing iteration; why it is none, where F or its gradient is not finite.
    fn floss_once(&mut self, workers: &dyn Workers) -> (Flossed, Option<StopReason>) {
        let found = self.flossing.step(&mut self.weights, &*self.task, workers);
        let reason = if let Some(why) = found.undefined {
            let (quantity, why) = ("flossing loss".into(), why.into());
            Some(StopReason::Undefined { iteration: self.iteration, quantity, why })
        } else if !found.loss.is_finite() {
            Some(self.diverged("flossing loss", found.loss))
        } else if !found.gradient_norm.is_finite() {
            Some(self.diverged("flossing gradient norm", found.gradient_norm))
        } else {
            None
        };
        (found, reason)
    }

    pub(super) fn floss(&mut self, workers: &dyn Workers) -> Step {
        let mut rows = Rows::none();
        let (found, reason) = self.floss_once(workers);
        rows.push(self.iteration, Series::FlossingLoss, found.loss);
        rows.push(self.iteration, Series::LyapunovMax, found.leading);
        if let Some(reason) = reason {
            return self.end(rows, reason);
        }
        self.iteration += 1;
        if self.iteration == 0 {
            self.initial = self.weights.clone();
        }
        Step { iteration: self.iteration, rows, stop: None }
    }

    /// Warns, once, that the rest of a round is left out.
    fn leave_out(&mut self, why: &str) {
        let said = "flossing during training is left out where its loss is not defined";
        if !self.warnings.iter().any(|w| w.starts_with(said)) {
            self.warnings.push(format!("{said}, first at iteration {}: {why}", self.iteration));
        }
    }

    /// Whether a round of flossing comes before the next update.
    pub(super) fn round_is_due(&self) -> bool {
        let (every, n) = (self.config.flossing.during.every, self.iteration.unsigned_abs());
        every > 0 && n > 0 && n.is_multiple_of(every)
    }

    /// A round of flossing, where one is due before the update; why the run ends there, if it does.
    ///
    /// Where F is not defined, the rest of the round is left out. F and the leading exponent are those of the round's
    /// first iteration, before its update. Where the
    /// Lyapunov measure is due at the same iteration, its exponent (of more trials) stands in the history and
    /// not this one.
    pub(super) fn floss_during(&mut self, rows: &mut Rows, workers: &dyn Workers) -> Option<StopReason> {
        if !self.round_is_due() {
            return None;
        }
        for i in 0..self.config.flossing.during.iterations {
            let (found, reason) = self.floss_once(workers);
            if let Some(StopReason::Undefined { why, .. }) = reason {
                self.leave_out(&why);
                return None;
            }
            if i == 0 {
                rows.push(self.iteration, Series::FlossingLoss, found.loss);
                if !self.config.measure.lyapunov.due(self.iteration.unsigned_abs(), false) {
                    rows.push(self.iteration, Series::LyapunovMax, found.leading);
                }
            }
            if reason.is_some() {
                return reason;
            }
        }
        None
    }
}
