//! Owns [`Standing`]: where a run stood before an update, for a run that ends within it.

use super::Trainer;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Weights;
use crate::training::flossing::Position;
use crate::training::run::{Rows, Step, StopReason};

/// What an update moves before it is known that it is made: the trials drawn for it, and a round of flossing.
pub(super) struct Standing<T> {
    training_stream: Stream,
    /// Weights and flossing, where a round is due.
    before_round: Option<(Weights<T>, Position<T>)>,
}

impl<T: Scalar> Trainer<T> {
    /// Where the run stands.
    pub(super) fn standing(&self) -> Standing<T> {
        Standing {
            training_stream: self.training_stream.clone(),
            before_round: self.round_is_due().then(|| (self.weights.clone(), self.flossing.position())),
        }
    }

    /// Ends the run within an update, with the rows found so far. The update is not made: the run stands where it
    /// stood before, so that one that goes on draws the same trials and makes the same round of flossing as one
    /// that never stopped.
    pub(super) fn end_within(&mut self, before: Standing<T>, rows: Rows, reason: StopReason) -> Step {
        self.training_stream = before.training_stream;
        if let Some((weights, position)) = before.before_round {
            self.weights = weights;
            self.flossing.return_to(position);
        }
        self.end(rows, reason)
    }
}
