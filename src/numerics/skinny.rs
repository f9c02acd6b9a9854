//! Owns the products with one very small side (input channels, outputs) and the dispatch to the machine's
//! vectors.

use super::product::{Into, View, product};
use super::scalar::Scalar;

/// Largest small side for which a loop beats the general product where few rows are combined at a time.
const LOOPS_UP_TO: usize = 8;

/// Runs `f` compiled for the widest vectors that this machine has (run-time dispatch). `f` and all that it
/// calls must be `#[inline(always)]` for that to matter.
#[inline(always)]
pub fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// `out[r, :] += sum_k coefficients[r, k] basis[k, :]`; `out` [R, N], `coefficients` [R, K], `basis` [K, N].
pub fn combine_rows<T: Scalar>(out: &mut [T], coefficients: &[T], basis: &[T], k: usize) {
    if k == 0 {
        return;
    }
    let (n, rows) = (basis.len() / k, coefficients.len() / k);
    if k > LOOPS_UP_TO {
        let a = View::row_major(coefficients, rows, k);
        return product(out, Into::Add, a, View::row_major(basis, k, n), T::one());
    }
    macro_rules! by_size {
        ($($size:literal)*) => { match k {
            $($size => vectorized(
                #[inline(always)]
                || combine_rows_by::<T, $size>(out, coefficients, basis, n),
            ),)*
            _ => unreachable!("k is 1..=8 here"),
        } };
    }
    by_size!(1 2 3 4 5 6 7 8)
}

#[inline(always)]
fn combine_rows_by<T: Scalar, const K: usize>(out: &mut [T], c: &[T], basis: &[T], n: usize) {
    let basis: [&[T]; K] = std::array::from_fn(|k| &basis[k * n..(k + 1) * n]);
    for (row, c) in out.chunks_exact_mut(n).zip(c.chunks_exact(K)) {
        for j in 0..n {
            let mut sum = row[j];
            for k in 0..K {
                sum += c[k] * basis[k][j];
            }
            row[j] = sum;
        }
    }
}

/// `out[r, k] = <rows[r, :], basis[k, :]>`; `out` [R, K], `rows` [R, N], `basis` [K, N].
///
/// Here the general product wins also for a very small K: it fills its vectors with rows, where a loop of
/// inner products would end each in a sum across a vector.
pub fn project_rows<T: Scalar>(out: &mut [T], rows: &[T], basis: &[T], k: usize) {
    if k == 0 {
        return;
    }
    let n = basis.len() / k;
    let a = View::row_major(rows, rows.len() / n, n);
    product(out, Into::Replace, a, View::row_major(basis, k, n).t(), T::one());
}

/// `out[k, :] += sum_r coefficients[r, k] rows[r, :]`; `out` [K, N], `coefficients` [R, K], `rows` [R, N].
pub fn outer_sum<T: Scalar>(out: &mut [T], coefficients: &[T], rows: &[T], k: usize) {
    if k == 0 {
        return;
    }
    let (n, r) = (out.len() / k, coefficients.len() / k);
    let a = View::row_major(coefficients, r, k).t();
    product(out, Into::Add, a, View::row_major(rows, r, n), T::one());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every size of the small side, and a long side that is no multiple of any vector.
    #[test]
    fn the_three_products_equal_their_definitions_for_every_small_side() {
        for k in 0..=10usize {
            for n in [1usize, 7, 16, 37, 64, 70] {
                let rows = 5;
                let c: Vec<f64> = (0..rows * k).map(|i| (i as f64 * 0.7).sin()).collect();
                let basis: Vec<f64> = (0..k * n).map(|i| (i as f64 * 1.3).cos()).collect();
                let long: Vec<f64> = (0..rows * n).map(|i| (i as f64 * 0.3).sin()).collect();

                let mut combined = long.clone();
                combine_rows(&mut combined, &c, &basis, k);
                let mut projected = vec![0.0; rows * k];
                project_rows(&mut projected, &long, &basis, k);
                let mut outer = basis.clone();
                outer_sum(&mut outer, &c, &long, k);

                for r in 0..rows {
                    for j in 0..n {
                        let sum: f64 = (0..k).map(|q| c[r * k + q] * basis[q * n + j]).sum();
                        assert!((combined[r * n + j] - long[r * n + j] - sum).abs() < 1e-12);
                    }
                    for q in 0..k {
                        let sum: f64 = (0..n).map(|j| long[r * n + j] * basis[q * n + j]).sum();
                        assert!((projected[r * k + q] - sum).abs() < 1e-12);
                    }
                }
                for q in 0..k {
                    for j in 0..n {
                        let sum: f64 = (0..rows).map(|r| c[r * k + q] * long[r * n + j]).sum();
                        assert!((outer[q * n + j] - basis[q * n + j] - sum).abs() < 1e-12);
                    }
                }
            }
        }
    }
}
