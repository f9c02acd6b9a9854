//! Owns what tasks share whose every trial is drawn afresh, and small tools for filling trials.

use ndarray::{Array1, Array2};

use super::Task;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{Decision, Target, Trials, TrialsShape};

/// A kind of trial that can be drawn any number of times.
pub(super) trait DrawTrials: Send + Sync {
    /// The shape of a batch of `n_batch`.
    fn shape_of(&self, n_batch: usize) -> TrialsShape;

    /// Draws every trial of `out`, which has that shape.
    fn draw<T: Scalar>(&self, stream: &mut Stream, out: &mut Trials<T>);
}

/// A task whose training, test and probe trials are all drawn in the same way, from streams of their own.
pub(super) struct Fresh<D> {
    pub(super) trials: D,
    pub(super) batch: usize,
    pub(super) test_trials: usize,
}

impl<D: DrawTrials> Fresh<D> {
    fn drawn<T: Scalar>(&self, n: usize, stream: &mut Stream) -> Trials<T> {
        let mut out = Trials::zeros(self.trials.shape_of(n));
        self.trials.draw(stream, &mut out);
        out
    }
}

impl<T: Scalar, D: DrawTrials> Task<T> for Fresh<D> {
    fn shape(&self) -> TrialsShape {
        self.trials.shape_of(self.batch)
    }

    fn draw_training(&self, stream: &mut Stream, out: &mut Trials<T>) {
        self.trials.draw(stream, out);
    }

    fn test(&self, stream: &mut Stream) -> Trials<T> {
        self.drawn(self.test_trials, stream)
    }

    fn probe(&self, n: usize, stream: &mut Stream) -> Trials<T> {
        self.drawn(n, stream)
    }

    fn is_full_batch(&self) -> bool {
        false
    }
}

/// Sets everything in `out` to zero, its decision too, which is made where it is missing.
pub(super) fn clear<T: Scalar>(out: &mut Trials<T>) {
    out.x.fill(T::zero());
    clear_answers(out);
}

/// Sets everything but the inputs to zero.
pub(super) fn clear_answers<T: Scalar>(out: &mut Trials<T>) {
    out.mask.fill(T::zero());
    match &mut out.target {
        Target::Values(values) => values.fill(T::zero()),
        Target::Labels(labels) => labels.fill(0),
    }
    let (n_steps, n_batch) = out.mask.dim();
    let decision = out.decision.get_or_insert_with(|| Decision {
        weight: Array2::zeros((n_steps, n_batch)),
        correct: Array1::zeros(n_batch),
    });
    decision.weight.fill(T::zero());
}

/// Copies trials into a batch of the same shape, without allocating (but for a decision that is missing).
pub(super) fn copy<T: Scalar>(from: &Trials<T>, out: &mut Trials<T>) {
    out.x.assign(&from.x);
    out.mask.assign(&from.mask);
    match (&from.target, &mut out.target) {
        (Target::Values(from), Target::Values(out)) => out.assign(from),
        (Target::Labels(from), Target::Labels(out)) => out.assign(from),
        (from, out) => *out = from.clone(),
    }
    match (&from.decision, &mut out.decision) {
        (Some(from), Some(out)) => {
            out.weight.assign(&from.weight);
            out.correct.assign(&from.correct);
        }
        (from, out) => *out = from.clone(),
    }
}
