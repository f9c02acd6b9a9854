//! Owns the few vector operations of the Krylov methods: sums in f64 whatever the precision, in a fixed order.

use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Inner product in 16 interleaved partial sums of f64 (a fixed order).
pub(super) fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    vectorized(
        #[inline(always)]
        || dot_in_lanes(a, b),
    )
}

#[inline(always)]
fn dot_in_lanes<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_blocks.remainder().iter().zip(b_blocks.remainder());
    for (a, b) in a_blocks.zip(b_blocks) {
        for l in 0..LANES {
            sums[l] += a[l].f64() * b[l].f64();
        }
    }
    sums.iter().sum::<f64>() + rest.map(|(a, b)| a.f64() * b.f64()).sum::<f64>()
}

/// Euclidean norm.
pub(super) fn norm<T: Scalar>(v: &[T]) -> f64 {
    dot(v, v).sqrt()
}

/// `v *= factor`.
pub(super) fn scale<T: Scalar>(v: &mut [T], factor: f64) {
    let factor = T::of(factor);
    vectorized(
        #[inline(always)]
        || v.iter_mut().for_each(|v| *v *= factor),
    );
}

/// Takes from `w` its part along each row of `rows` [count, dim] (orthonormal), one after the other, and adds
/// the coefficients to `coefficients` [count].
pub(super) fn remove_rows<T: Scalar>(w: &mut [T], rows: &[T], coefficients: &mut [f64]) {
    if w.is_empty() {
        return;
    }
    vectorized(
        #[inline(always)]
        || {
            for (row, c) in rows.chunks_exact(w.len()).zip(coefficients) {
                let own = dot_in_lanes(row, w);
                *c += own;
                let own = T::of(own);
                w.iter_mut().zip(row).for_each(|(w, r)| *w -= own * *r);
            }
        },
    );
}
