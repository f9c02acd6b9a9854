//! Owns equation (L4): orthonormal tangents and the triangle that made them so, with the floor under a pivot.
//!
//! Tangents are the rows of a matrix U [k, n], U = Q^T, so that each lies in one piece of memory; the triangle
//! is then lower: U = L U', L = R^T. The method is modified Gram-Schmidt, panel by panel, because its R is
//! that of a matrix within rounding of the one given (Bjorck 1967), which is all that exponents need: what U'
//! lacks in orthogonality is part of the next R.

use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{MatMut, MatRef, Par};

use crate::numerics::product::{Into, View, product};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Rows that are orthonormalised one by one before the rows after them are, by two matrix products.
const PANEL: usize = 16;

/// The floor under a pivot: `|R_ii| <= 64 eps ||J_t Q_t||_F` counts as zero and its exponent as -inf.
pub const FLOOR_ROUNDINGS: f64 = 64.0;

/// The triangle L [k, k] of the last call, and the room it needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Triangle<T> {
    k: usize,
    l: Vec<T>,
    inverse: Vec<T>,
    block: Vec<T>,
}

impl<T: Scalar> Triangle<T> {
    /// L_ij, j <= i.
    pub fn at(&self, i: usize, j: usize) -> T {
        self.l[i * self.k + j]
    }

    /// Makes the `k` rows of `u` [k, n] orthonormal, each against those before it. A row whose pivot is at most
    /// `64 eps ||u||_F` becomes zero, and so does its pivot; it takes nothing from the rows after it. Returns
    /// the number of pivots that are not zero.
    pub fn orthonormalise(&mut self, u: &mut [T], k: usize, n: usize) -> usize {
        self.k = k;
        self.l.resize(k * k, T::zero());
        let floor = T::of(FLOOR_ROUNDINGS) * T::epsilon() * frobenius(u);
        let mut alive = 0;
        for start in (0..k).step_by(PANEL) {
            let end = (start + PANEL).min(k);
            let (panel, rest) = u[start * n..].split_at_mut((end - start) * n);
            let l = &mut self.l[start * k..];
            alive += vectorized(
                #[inline(always)]
                || orthonormalise_panel(panel, n, floor, l, k, start),
            );
            if end < k {
                self.project_out(panel, rest, n, start);
            }
        }
        alive
    }

    /// Takes the orthonormal rows of `panel`, which begin at row `start`, out of the rows after them.
    fn project_out(&mut self, panel: &[T], rest: &mut [T], n: usize, start: usize) {
        let (width, rows) = (panel.len() / n, rest.len() / n);
        self.block.resize(rows * width, T::zero());
        let basis = View::row_major(panel, width, n);
        product(&mut self.block, Into::Replace, View::row_major(rest, rows, n), basis.t(), T::one());
        product(rest, Into::Add, View::row_major(&self.block, rows, width), basis, -T::one());
        let below = self.l[(start + width) * self.k..].chunks_exact_mut(self.k);
        for (l, c) in below.zip(self.block.chunks_exact(width)) {
            l[start..start + width].copy_from_slice(c);
        }
    }

    /// The largest norm of a row of the inverse of L, that is of a column of R^-1; NaN or infinite where a pivot
    /// is zero or not finite, 0 where there is no row.
    pub fn inverse_norm(&mut self) -> T {
        let k = self.k;
        if k == 0 {
            return T::zero();
        }
        self.inverse.clear();
        self.inverse.resize(k * k, T::zero());
        let inverse = MatMut::from_row_major_slice_mut(&mut self.inverse, k, k);
        invert_lower_triangular(inverse, MatRef::from_row_major_slice(&self.l, k, k), Par::Seq);
        let rows = &self.inverse;
        vectorized(
            #[inline(always)]
            || rows.chunks_exact(k).fold(T::zero(), |largest, row| not_less(dot(row, row), largest)),
        )
        .sqrt()
    }

    /// All of L, [k, k]; above the diagonal it means nothing.
    pub fn lower(&self) -> &[T] {
        &self.l
    }
}

/// `rows` [k, n] becomes R^-1 rows, R^T the lower triangle `l` [k, k]: back substitution. Where a pivot is zero,
/// the row becomes zero.
pub(super) fn solve_upper<T: Scalar>(l: &[T], rows: &mut [T], k: usize, n: usize) {
    for i in (0..k).rev() {
        let (before, now) = rows.split_at_mut(i * n);
        let (now, pivot) = (&mut now[..n], l[i * k + i]);
        if pivot == T::zero() {
            now.fill(T::zero());
            continue;
        }
        now.iter_mut().for_each(|x| *x /= pivot);
        for (j, row) in before.chunks_exact_mut(n).enumerate() {
            subtract(row, l[i * k + j], now);
        }
    }
}

/// Euclidean norm of all elements.
pub(super) fn frobenius<T: Scalar>(u: &[T]) -> T {
    vectorized(
        #[inline(always)]
        || dot(u, u),
    )
    .sqrt()
}

/// `a` unless `b` is larger; NaN where `a` is.
#[inline(always)]
fn not_less<T: Scalar>(a: T, b: T) -> T {
    if a < b { b } else { a }
}

/// Modified Gram-Schmidt on the rows of one panel, four rows at a time; `l` begins at the panel's first row,
/// whose number is `start`.
#[inline(always)]
fn orthonormalise_panel<T: Scalar>(
    panel: &mut [T],
    n: usize,
    floor: T,
    l: &mut [T],
    k: usize,
    start: usize,
) -> usize {
    let (rows, end) = (panel.len() / n, l.len());
    let mut alive = 0;
    for first in (0..rows).step_by(4) {
        let count = (rows - first).min(4);
        let (four, after) = panel[first * n..].split_at_mut(count * n);
        for i in 0..count {
            let (done, rest) = four.split_at_mut((i + 1) * n);
            let row = &mut done[i * n..];
            let pivot = dot(row, row).sqrt();
            let place = (first + i) * k + start + first + i;
            // Not `pivot > floor`: NaN must stay NaN.
            if pivot <= floor {
                row.fill(T::zero());
                l[place] = T::zero();
            } else {
                let scale = T::one() / pivot;
                row.iter_mut().for_each(|x| *x *= scale);
                l[place] = pivot;
                alive += 1;
            }
            let below = &mut l[(place + k).min(end)..];
            match count - i - 1 {
                3 => take_out::<T, 1, 3>(row, rest, n, below, k),
                2 => take_out::<T, 1, 2>(row, rest, n, below, k),
                1 => take_out::<T, 1, 1>(row, rest, n, below, k),
                _ => {}
            }
        }
        // Fewer than four rows are the last ones.
        if count == 4 {
            let mut place = (first + 4) * k + start + first;
            let mut fours = after.chunks_exact_mut(4 * n);
            for others in &mut fours {
                take_out::<T, 4, 4>(four, others, n, &mut l[place..], k);
                place += 4 * k;
            }
            for other in fours.into_remainder().chunks_exact_mut(n) {
                take_out::<T, 4, 1>(four, other, n, &mut l[place..], k);
                place += k;
            }
        }
    }
    alive
}

/// Takes the A rows of `basis` out of the B rows of `others`; the coefficients go to the first A places of B
/// rows of `l`, which stand k apart.
#[inline(always)]
fn take_out<T: Scalar, const A: usize, const B: usize>(
    basis: &[T],
    others: &mut [T],
    n: usize,
    l: &mut [T],
    k: usize,
) {
    let coefficients = dots::<T, A, B>(basis, others, n);
    let basis: [&[T]; A] = std::array::from_fn(|a| &basis[a * n..(a + 1) * n]);
    for (b, other) in others.chunks_exact_mut(n).enumerate() {
        for a in 0..A {
            l[b * k + a] = coefficients[a][b];
        }
        for m in 0..n {
            let mut x = other[m];
            for a in 0..A {
                x -= coefficients[a][b] * basis[a][m];
            }
            other[m] = x;
        }
    }
}

const LANES: usize = 16;

/// Adds the partial sums up in a tree.
#[inline(always)]
fn total<T: Scalar>(sums: [T; LANES]) -> T {
    let eight: [T; 8] = std::array::from_fn(|l| sums[l] + sums[l + 8]);
    let four: [T; 4] = std::array::from_fn(|l| eight[l] + eight[l + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

#[inline(always)]
pub(super) fn dot<T: Scalar>(a: &[T], b: &[T]) -> T {
    let [[sum]] = dots::<T, 1, 1>(a, b, a.len());
    sum
}

/// Inner products of A rows with B others. The rest that fills no vector has sums of its own: partial sums
/// that are indexed by a variable would leave the registers.
#[inline(always)]
fn dots<T: Scalar, const A: usize, const B: usize>(rows: &[T], others: &[T], n: usize) -> [[T; B]; A] {
    let rows: [&[T]; A] = std::array::from_fn(|a| &rows[a * n..(a + 1) * n]);
    let others: [&[T]; B] = std::array::from_fn(|b| &others[b * n..(b + 1) * n]);
    let whole = n - n % LANES;
    let mut sums = [[[T::zero(); LANES]; B]; A];
    for start in (0..whole).step_by(LANES) {
        for a in 0..A {
            let x = &rows[a][start..start + LANES];
            for b in 0..B {
                let y = &others[b][start..start + LANES];
                for l in 0..LANES {
                    sums[a][b][l] += x[l] * y[l];
                }
            }
        }
    }
    let mut sums = sums.map(|row| row.map(total));
    for m in whole..n {
        for a in 0..A {
            for b in 0..B {
                sums[a][b] += rows[a][m] * others[b][m];
            }
        }
    }
    sums
}

/// `other -= c row`.
#[inline(always)]
pub(super) fn subtract<T: Scalar>(other: &mut [T], c: T, row: &[T]) {
    other.iter_mut().zip(row).for_each(|(x, q)| *x -= c * *q);
}

#[cfg(test)]
mod tests {
    use super::super::basis::complete;
    use super::*;
    use crate::numerics::random::{Purpose, Stream};
    use statrs::function::gamma::digamma;

    fn gaussian<T: Scalar>(n: usize, stream: &mut Stream) -> Vec<T> {
        (0..n).map(|_| T::of(stream.normal())).collect()
    }

    /// U = L U' and U' U'^T = 1, for sizes around the panel's and widths that are no multiple of any vector.
    #[test]
    fn rows_are_orthonormal_and_the_triangle_gives_them_back() {
        let mut s = Stream::new(1, Purpose::Measures);
        for (k, n) in [(1, 1), (1, 7), (3, 5), (16, 16), (17, 40), (37, 37), (64, 64), (40, 67)] {
            let u: Vec<f64> = gaussian(k * n, &mut s);
            let mut q = u.clone();
            let mut triangle = Triangle::default();
            assert_eq!(triangle.orthonormalise(&mut q, k, n), k);
            for i in 0..k {
                for j in 0..k {
                    let unit = if i == j { 1.0 } else { 0.0 };
                    // A square Gaussian matrix of 64 rows has a condition of some 1e2 to 1e4.
                    assert!((dot(&q[i * n..][..n], &q[j * n..][..n]) - unit).abs() < 1e-10, "{k} {n}");
                }
                for m in 0..n {
                    let back: f64 = (0..=i).map(|j| triangle.at(i, j) * q[j * n + m]).sum();
                    assert!((back - u[i * n + m]).abs() < 1e-13 * n as f64);
                }
                assert!(triangle.at(i, i) > 0.0);
            }
        }
    }

    #[test]
    fn the_inverse_of_the_triangle_is_its_inverse_and_solves() {
        let mut s = Stream::new(2, Purpose::Measures);
        for k in [1, 2, 5, 16, 17, 33] {
            let mut triangle = Triangle::default();
            let mut u: Vec<f64> = gaussian(k * k, &mut s);
            (0..k).for_each(|i| u[i * k + i] += 4.0);
            triangle.orthonormalise(&mut u, k, k);
            let norm = triangle.inverse_norm();
            let mut largest = 0.0f64;
            for i in 0..k {
                for j in 0..k {
                    let product: f64 = (j..=i).map(|m| triangle.at(i, m) * triangle.inverse[m * k + j]).sum();
                    assert!((product - if i == j { 1.0 } else { 0.0 }).abs() < 1e-12);
                }
                let row = &triangle.inverse[i * k..][..=i];
                largest = largest.max(row.iter().map(|x| x * x).sum::<f64>().sqrt());
            }
            assert!((norm - largest).abs() < 1e-12 * norm);
            // R (R^-1 x) = x with R = L^T.
            let x: Vec<f64> = gaussian(k * 3, &mut s);
            let mut solved = x.clone();
            solve_upper(triangle.lower(), &mut solved, k, 3);
            for i in 0..k {
                for m in 0..3 {
                    let back: f64 = (i..k).map(|j| triangle.at(j, i) * solved[j * 3 + m]).sum();
                    assert!((back - x[i * 3 + m]).abs() < 1e-11);
                }
            }
        }
    }

    /// A row that depends on those before it has a pivot of rounding size, which the floor makes zero in both
    /// precisions; the rows after it are as if it were not there.
    #[test]
    fn a_dependent_row_gives_a_zero_pivot_and_takes_nothing_from_later_rows() {
        fn check<T: Scalar>() {
            let (k, n) = (20, 24);
            let mut s = Stream::new(3, Purpose::Measures);
            let mut u: Vec<T> = gaussian(k * n, &mut s);
            for dependent in [5, 18] {
                for m in 0..n {
                    u[dependent * n + m] = u[m] - u[n + m] + u[2 * n + m];
                }
            }
            let others: Vec<usize> = (0..k).filter(|i| ![5, 18].contains(i)).collect();
            let mut without: Vec<T> = others.iter().flat_map(|i| u[i * n..][..n].to_vec()).collect();
            let (mut with, mut fewer) = (Triangle::default(), Triangle::default());
            assert_eq!(with.orthonormalise(&mut u, k, n), 18);
            assert_eq!(fewer.orthonormalise(&mut without, 18, n), 18);
            assert_eq!((with.at(5, 5), with.at(18, 18)), (T::zero(), T::zero()));
            assert!(u[5 * n..6 * n].iter().all(|x| *x == T::zero()));
            for (row, i) in others.iter().enumerate() {
                let ratio = (with.at(*i, *i) / fewer.at(row, row)).f64();
                assert!((ratio - 1.0).abs() < 1e3 * T::epsilon().f64(), "{i}: {ratio}");
            }
            let like = u.clone();
            complete(&mut u, &like, n);
            for i in 0..k {
                for j in 0..k {
                    let unit = if i == j { 1.0 } else { 0.0 };
                    let found = dot(&u[i * n..][..n], &u[j * n..][..n]).f64();
                    assert!((found - unit).abs() < 1e3 * T::epsilon().f64());
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    /// Exponents of products of independent Gaussian matrices N(0, g^2/N) are `ln(g/sqrt N) + (ln 2 +
    /// digamma((N-i+1)/2))/2` (Newman 1986). One step's ln R_ii has a standard deviation of at most 1.11 (i = N,
    /// the logarithm of a normal number): over 20,000 steps 0.008; 0.03 are four of them. In f32 the last pivot,
    /// a normal number, falls under the floor about once in 20,000 steps: there only the others are taken.
    #[test]
    fn products_of_gaussian_matrices_have_the_exponents_of_newman() {
        fn check<T: Scalar>(k: usize) {
            let (n, steps, gain) = (8, 20_000, 1.3);
            let mut s = Stream::new(4, Purpose::Measures);
            let mut u: Vec<T> = gaussian(k * n, &mut s);
            let (mut triangle, mut next, mut sums) = (Triangle::default(), u.clone(), vec![0.0; k]);
            triangle.orthonormalise(&mut u, k, n);
            for _ in 0..steps {
                let jacobian: Vec<T> = gaussian(n * n, &mut s);
                let (a, b) = (View::row_major(&u, k, n), View::row_major(&jacobian, n, n));
                product(&mut next, Into::Replace, a, b.t(), T::of(gain / (n as f64).sqrt()));
                triangle.orthonormalise(&mut next, k, n);
                std::mem::swap(&mut u, &mut next);
                (0..k).for_each(|i| sums[i] += triangle.at(i, i).f64().ln());
            }
            for (i, sum) in sums.iter().enumerate() {
                let expected =
                    (gain / (n as f64).sqrt()).ln() + 0.5 * (2f64.ln() + digamma((n - i) as f64 / 2.0));
                let found = sum / f64::from(steps);
                assert!((found - expected).abs() < 0.03, "{} {i}: {found} {expected}", T::NAME);
            }
        }
        check::<f32>(7);
        check::<f64>(8);
    }
}
