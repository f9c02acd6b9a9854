//! Owns [`Trials`]: a batch of input sequences with targets and weights, as every task makes them.

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use super::scalar::Scalar;

/// Which loss a task has (the formulas are in [`super::loss`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Half the weighted mean squared error.
    Regression,
    /// Weighted mean cross-entropy of a softmax.
    Classification,
}

/// What the readout should give.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<T> {
    /// Values [T, B, n_out] (regression).
    Values(Array3<T>),
    /// Class numbers [T, B], each below n_out (classification).
    Labels(Array2<u32>),
}

/// How a trial is judged right or wrong: argmax over outputs of `sum_t weight[t, b] y[t, b, :]` is compared
/// with `correct[b]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<T> {
    /// Weight of each step in the summed output, [T, B].
    pub weight: Array2<T>,
    /// The right choice of each trial, [B].
    pub correct: Array1<u32>,
}

/// A batch of trials, time-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Trials<T> {
    /// Input [T, B, n_in].
    pub x: Array3<T>,
    /// Targets.
    pub target: Target<T>,
    /// Weight of each step in the loss, not negative, [T, B].
    pub mask: Array2<T>,
    /// How accuracy is judged. `None`: a regression task has no accuracy; a classification task is judged
    /// at every step with a positive mask, weighted by it.
    pub decision: Option<Decision<T>>,
}

/// The shape of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialsShape {
    /// Steps T.
    pub n_steps: usize,
    /// Trials B.
    pub n_batch: usize,
    /// Input channels.
    pub n_in: usize,
    /// Outputs.
    pub n_out: usize,
    /// Which loss.
    pub loss: LossKind,
}

impl<T: Scalar> Trials<T> {
    /// All zero, without a decision.
    pub fn zeros(shape: TrialsShape) -> Self {
        let TrialsShape { n_steps, n_batch, n_in, n_out, loss } = shape;
        let target = match loss {
            LossKind::Regression => Target::Values(Array3::zeros((n_steps, n_batch, n_out))),
            LossKind::Classification => Target::Labels(Array2::zeros((n_steps, n_batch))),
        };
        Self {
            x: Array3::zeros((n_steps, n_batch, n_in)),
            target,
            mask: Array2::zeros((n_steps, n_batch)),
            decision: None,
        }
    }

    /// Steps T.
    pub fn n_steps(&self) -> usize {
        self.x.dim().0
    }

    /// Trials B.
    pub fn n_batch(&self) -> usize {
        self.x.dim().1
    }

    /// Input channels.
    pub fn n_in(&self) -> usize {
        self.x.dim().2
    }

    /// M, the sum of the mask, in f64.
    pub fn mask_sum(&self) -> f64 {
        self.mask.iter().map(|m| m.f64()).sum()
    }

    /// The same trials in another precision.
    pub fn cast<U: Scalar>(&self) -> Trials<U> {
        let of = |v: &T| U::of(v.f64());
        Trials {
            x: self.x.map(of),
            target: match &self.target {
                Target::Values(v) => Target::Values(v.map(of)),
                Target::Labels(l) => Target::Labels(l.clone()),
            },
            mask: self.mask.map(of),
            decision: self
                .decision
                .as_ref()
                .map(|d| Decision { weight: d.weight.map(of), correct: d.correct.clone() }),
        }
    }
}
