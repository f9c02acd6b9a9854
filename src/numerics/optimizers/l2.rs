//! Owns L2: the penalty c/2 (||w_rec||^2 + ||w_in||^2 + ||w_out||^2), c = 0.01 in P1's code.

use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Adds the penalty's gradient: `gradient += c weights`, both [P]. The losses that are shown leave L2 out.
pub fn add_l2_gradient<T: Scalar>(gradient: &mut [T], weights: &[T], c: f64) {
    if c == 0.0 {
        return;
    }
    let c = T::of(c);
    vectorized(
        #[inline(always)]
        || gradient.iter_mut().zip(weights).for_each(|(g, w)| *g += c * *w),
    );
}
