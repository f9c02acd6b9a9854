//! Owns e-prop with symmetric feedback, the three-factor rule.

use super::{Pass, Rule, Scratch};
use crate::numerics::scalar::Scalar;

/// Learning signal times eligibility trace, `sum_t ls_p[t] e_pq[t+1]`: equation (9) without `w_rec`.
///
/// Bellec et al. 2020; "three-factor" in P1, "e-prop" in P2. Equal to truncated BPTT(1) where alpha = 0 and
/// no unit adapts.
#[derive(Clone, Copy, Debug, Default)]
pub struct EProp;

impl<T: Scalar> Rule<T> for EProp {
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]) {
        pass.carry_back(&pass.weights.w_out, false, false, scratch, delta);
    }
}
