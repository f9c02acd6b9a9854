//! Owns orthonormal bases: random ones to start from, and new directions in the place of lost ones.

use ndarray::Array2;

use super::orthonormal::{Triangle, dot, subtract};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// Fills the rows of `u` [k, n] that are zero with unit vectors orthogonal to all others, as near as can be to
/// the same rows of `like`.
pub(super) fn complete<T: Scalar>(u: &mut [T], like: &[T], n: usize) {
    let k = u.len() / n;
    for i in 0..k {
        if u[i * n..(i + 1) * n].iter().any(|x| *x != T::zero()) {
            continue;
        }
        let unit = |j: usize| (0..n).map(move |m| if m == j { T::one() } else { T::zero() }).collect();
        let candidates = std::iter::once(like[i * n..(i + 1) * n].to_vec()).chain((0..n).map(unit));
        // Among n unit vectors one lies at least sqrt((n - k + 1)/n) out of the span of k - 1 others.
        let enough = T::of(0.5 / (n as f64).sqrt());
        for mut row in candidates {
            for _ in 0..2 {
                for other in u.chunks_exact(n) {
                    let c = dot(&row, other);
                    subtract(&mut row, c, other);
                }
            }
            let norm = dot(&row, &row).sqrt();
            if norm >= enough {
                row.iter_mut().for_each(|x| *x /= norm);
                u[i * n..(i + 1) * n].copy_from_slice(&row);
                break;
            }
        }
    }
}

/// A random orthonormal matrix [n, n], uniform over all of them (Haar): Q of the QR of a Gaussian matrix.
///
/// The tangents of a spectrum start at its first columns. It is dense for a reason: from unit vectors, a ReLU
/// unit that is silent on all trials gives exactly ln alpha and a zero flossing gradient.
///
/// ```
/// use basinscope::numerics::lyapunov::dense_orthonormal;
/// use basinscope::numerics::random::{Purpose, Stream};
/// let q0 = dense_orthonormal(5, &mut Stream::new(1, Purpose::Measures));
/// let error = &q0.t().dot(&q0) - &ndarray::Array2::<f64>::eye(5);
/// assert!(error.iter().all(|e| e.abs() < 1e-14));
/// ```
pub fn dense_orthonormal(n: usize, stream: &mut Stream) -> Array2<f64> {
    orthonormal_columns(n, n, stream)
}

/// The first `k` columns of such a matrix, [n, k]; a stream's first ones do not depend on how many are drawn.
pub fn orthonormal_columns(n: usize, k: usize, stream: &mut Stream) -> Array2<f64> {
    let mut rows = Array2::zeros((k, n));
    stream.fill_normal(&mut rows, 1.0);
    let mut rows = rows.into_raw_vec_and_offset().0;
    let mut triangle = Triangle::default();
    // The second pass takes away what rounding left of the first one's lack of orthogonality.
    for _ in 0..2 {
        triangle.orthonormalise(&mut rows, k, n);
    }
    Array2::from_shape_fn((n, k), |(i, j)| rows[j * n + i])
}
