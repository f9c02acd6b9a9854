//! Owns rho, and the two rules that are another rule times a number: BPTT scaled by rho, and a rule scaled
//! up by 1/rho.

use crate::numerics::scalar::Scalar;
use crate::numerics::weights::{Block, Weights, dot};

/// rho = <g^, g> / <g, g> over a block: how far the rule's gradient g^ goes along the exact gradient g
/// (P1 Eq. 6). `None` where g is 0 or either is not finite.
pub fn rho<T: Scalar>(rule: &[T], exact: &[T]) -> Option<f64> {
    let rho = dot(rule, exact) / dot(exact, exact);
    rho.is_finite().then_some(rho)
}

/// Multiplies the gradients of `w_rec` and `w_in` by `factor`; `w_out` keeps its own, which is exact.
pub fn scale_recurrent_and_input<T: Scalar>(gradient: &mut Weights<T>, factor: f64) {
    let factor = T::of(factor);
    for block in [Block::Recurrent, Block::Input] {
        gradient.block_mut(block).iter_mut().for_each(|g| *g *= factor);
    }
}
