//! Owns the relative flatness of Petzka et al. 2021, which rescaling a layer leaves as it is.

use super::NotFinite;
use super::operator::LinearOperator;
use super::trace::{Estimate, estimate};
use super::vectors::dot;
use crate::numerics::product::{Into, View, product};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// `Tr[(W W^T kron I) H] = sum_{i,i'} <w_i, w_i'> Tr H_{i,i'}`, rows w_i of W as neurons, H_{i,i'} the part of
/// the Hessian with one weight of neuron i and one of neuron i'.
///
/// `operator` is the Hessian over W, whose rows have `columns` entries, row-major. With at most `max_products`
/// products: exact up to `columns`^2 of them, else Hutchinson's estimate. Computed as the trace of
/// `(W^T kron I) H (W kron I)`, whose estimate has the smallest variance of the ways to share W out.
///
/// Errors: a product that is not finite.
///
/// ```
/// use basinscope::numerics::curvature::flatness::relative_flatness;
/// use basinscope::numerics::curvature::operator::DiagonalOperator;
/// use basinscope::numerics::random::{Purpose, Stream};
/// // Two neurons with two weights each, H = diag(1, 2, 3, 4): |w_1|^2 (1 + 2) + |w_2|^2 (3 + 4).
/// let mut h = DiagonalOperator::new(vec![1.0, 2.0, 3.0, 4.0]);
/// let w = [1.0, 0.0, 2.0, 1.0];
/// let found = relative_flatness(&mut h, &w, 2, 10, &mut Stream::new(1, Purpose::Measures)).unwrap();
/// assert_eq!(found.value, 1.0 * 3.0 + 5.0 * 7.0);
/// ```
pub fn relative_flatness<T: Scalar>(
    operator: &mut dyn LinearOperator<T>,
    w: &[T],
    columns: usize,
    max_products: usize,
    stream: &mut Stream,
) -> Result<Estimate, NotFinite> {
    let rows = w.len().checked_div(columns).unwrap_or(0);
    let (mut y, mut hy) = (vec![T::zero(); w.len()], vec![T::zero(); w.len()]);
    // One quadratic form for X [columns of W, columns of W]: Y = W X has the shape of W.
    estimate(columns * columns, max_products, stream, |x| {
        let (w, x) = (View::row_major(w, rows, columns), View::row_major(x, columns, columns));
        product(&mut y, Into::Replace, w, x, T::one());
        operator.apply(&y, &mut hy);
        dot(&y, &hy)
    })
}
