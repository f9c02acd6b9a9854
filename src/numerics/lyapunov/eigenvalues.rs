//! Owns the eigenvalues of `w_rec` and the singular values of an update, by faer, in f64.

use faer::Mat;
use ndarray::ArrayView2;

use crate::numerics::scalar::Scalar;

/// All eigenvalues of a square matrix as (real, imaginary), largest modulus first; of a pair the one with the
/// positive imaginary part first. For `w_rec ~ N(0, gain^2/N)` they fill the disc of radius gain (Girko 1984).
///
/// `None` where an element is not finite or the iteration does not converge.
///
/// ```
/// use basinscope::numerics::lyapunov::eigenvalues;
/// let turn = ndarray::array![[0.0, -2.0], [2.0, 0.0]];
/// let found = eigenvalues(turn.view()).unwrap();
/// assert!((found[0].0.abs() < 1e-14) && (found[0].1 - 2.0).abs() < 1e-14);
/// ```
pub fn eigenvalues<T: Scalar>(matrix: ArrayView2<'_, T>) -> Option<Vec<(f64, f64)>> {
    let mut values: Vec<(f64, f64)> =
        dense(matrix)?.eigenvalues().ok()?.into_iter().map(|v| (v.re, v.im)).collect();
    let modulus = |v: &(f64, f64)| v.0.hypot(v.1);
    values.sort_by(|a, b| modulus(b).total_cmp(&modulus(a)).then(b.1.total_cmp(&a.1)));
    Some(values)
}

/// All singular values of a matrix, descending: of an update `w_rec - initial w_rec` they show its rank.
///
/// `None` where an element is not finite or the iteration does not converge.
///
/// ```
/// use basinscope::numerics::lyapunov::singular_values;
/// let outer = ndarray::array![[3.0, 4.0], [6.0, 8.0]];
/// let found = singular_values(outer.view()).unwrap();
/// assert!((found[0] - 125f64.sqrt()).abs() < 1e-13 && found[1].abs() < 1e-13);
/// ```
pub fn singular_values<T: Scalar>(matrix: ArrayView2<'_, T>) -> Option<Vec<f64>> {
    dense(matrix)?.singular_values().ok()
}

/// The matrix in f64, if all of it is finite.
fn dense<T: Scalar>(matrix: ArrayView2<'_, T>) -> Option<Mat<f64>> {
    let (rows, columns) = matrix.dim();
    matrix
        .iter()
        .all(|v| v.f64().is_finite())
        .then(|| Mat::from_fn(rows, columns, |i, j| matrix[[i, j]].f64()))
}
