//! Owns RFLO: e-prop with fixed random feedback.

use serde::{Deserialize, Serialize};

use super::{Pass, Rule, Scratch};
use crate::numerics::init::Init;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Dims;

/// The distribution of the fixed feedback B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedbackScale {
    /// The distribution of `w_out` without its scale factor (our choice: learning stays finite).
    Readout,
    /// N(0, 1/n_out), as in Murray's code.
    Murray,
}

/// e-prop whose learning signal comes through a fixed random matrix: `ls_p[t] = sum_k B[k, p] d_k[t]`.
///
/// Murray 2019; "RF three-factor" in P1. With B = `w_out` it is e-prop.
#[derive(Clone, Debug)]
pub struct Rflo<T> {
    feedback: Vec<T>,
}

impl<T: Scalar> Rflo<T> {
    /// Takes B [n_out, N], row-major.
    pub fn new(feedback: Vec<T>) -> Self {
        Self { feedback }
    }

    /// Draws B.
    pub fn draw(dims: Dims, scale: FeedbackScale, readout: Init, stream: &mut Stream) -> Self {
        let mut feedback = ndarray::Array2::zeros((dims.n_out, dims.n_rec));
        match scale {
            FeedbackScale::Readout => readout.fill(&mut feedback.view_mut(), 1.0, stream),
            FeedbackScale::Murray => stream.fill_normal(&mut feedback, 1.0 / (dims.n_out as f64).sqrt()),
        }
        Self { feedback: feedback.into_raw_vec_and_offset().0 }
    }

    /// B [n_out, N], row-major.
    pub fn feedback(&self) -> &[T] {
        &self.feedback
    }
}

impl<T: Scalar> Rule<T> for Rflo<T> {
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]) {
        pass.carry_back(&self.feedback, false, false, scratch, delta);
    }
}
