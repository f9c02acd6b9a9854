//! Owns [`TaskFacts`], what the stability theorem asks of a task.

use super::Task;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Trials};

/// What a task's training batches are like, whatever is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// The loss.
    pub loss_kind: LossKind,
    /// Outputs.
    pub n_out: usize,
    /// Steps of a trial that count in the loss: the most of any trial of the first batch.
    pub scored_steps: usize,
    /// Trials in a batch.
    pub trials: usize,
    /// Whether every batch is all there is to train on.
    pub full_batch: bool,
}

impl TaskFacts {
    /// From the first training batch of a run with this seed.
    pub fn of<T: Scalar>(task: &dyn Task<T>, seed: u64) -> Self {
        let shape = task.shape();
        let mut batch = Trials::zeros(shape);
        task.draw_training(&mut Stream::new(seed, Purpose::Training), &mut batch);
        let scored = batch.mask.columns().into_iter().map(|m| m.iter().filter(|m| m.f64() > 0.0).count());
        Self {
            loss_kind: shape.loss,
            n_out: shape.n_out,
            scored_steps: scored.max().unwrap_or(0),
            trials: shape.n_batch,
            full_batch: task.is_full_batch(),
        }
    }
}
