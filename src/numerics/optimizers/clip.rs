//! Owns the gradient's norm and clipping by it.

use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Euclidean norm over all values, summed in f64 in 16 interleaved partial sums (a fixed order).
pub fn gradient_norm<T: Scalar>(gradient: &[T]) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let blocks = gradient.chunks_exact(LANES);
    let rest: f64 = blocks.remainder().iter().map(|g| g.f64() * g.f64()).sum();
    vectorized(
        #[inline(always)]
        || {
            for block in blocks {
                for l in 0..LANES {
                    sums[l] += block[l].f64() * block[l].f64();
                }
            }
        },
    );
    (sums.iter().sum::<f64>() + rest).sqrt()
}

/// Shortens `gradient` [P] to the norm `largest` where its own, over all weights, is larger; gives its norm
/// as it was. 0 is no limit. A norm that is not finite is given back and nothing is changed.
///
/// ```
/// use basinscope::numerics::optimizers::clip;
/// let mut gradient = [3.0, 4.0];
/// assert_eq!(clip(&mut gradient, 1.0), 5.0);
/// assert!((gradient[0] - 0.6_f64).abs() < 1e-15 && (gradient[1] - 0.8_f64).abs() < 1e-15);
/// ```
pub fn clip<T: Scalar>(gradient: &mut [T], largest: f64) -> f64 {
    let norm = gradient_norm(gradient);
    if largest > 0.0 && norm > largest && norm.is_finite() {
        let factor = T::of(largest / norm);
        vectorized(
            #[inline(always)]
            || gradient.iter_mut().for_each(|g| *g *= factor),
        );
    }
    norm
}
