//! Owns backpropagation through time, the exact gradient.

use super::{Pass, Rule, Scratch};
use crate::numerics::scalar::Scalar;

/// The exact gradient: all of equation (9). Werbos 1990.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bptt;

impl<T: Scalar> Rule<T> for Bptt {
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]) {
        pass.carry_back(&pass.weights.w_out, true, false, scratch, delta);
    }
}
