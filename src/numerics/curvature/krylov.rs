//! Owns [`Krylov`], an orthonormal basis that grows by products with a symmetric operator, and the operator's
//! projection on it: Lanczos with full reorthogonalisation, with several chains where wanted, thick restarts.
//!
//! The basis V [m, P] has its rows in memory first; behind them stand the pending rows Q [p, P], orthonormal to
//! V and to each other, in which all of A V lies that is outside V:
//!
//! ```text
//! A V^T = V^T T + Q^T C,   T = V A V^T [m, m],   C = Q A V^T [p, m]
//! ```
//!
//! A step moves one pending row into V, multiplies it by A, projects the result on every row (which gives a
//! column of T and of C), and makes the rest a new pending row. With one pending row this is Lanczos (C has one
//! entry, beta); more rows come from added start vectors. A Ritz pair (theta, V^T s) with T s = theta s has the
//! residual ||C s||. A thick restart (Wu and Simon 2000) replaces V by some Ritz vectors, T by their values and C
//! by C S; nothing else changes.

use faer::{Mat, Side};

use super::operator::LinearOperator;
use super::vectors::{norm, remove_rows, scale};
use crate::numerics::product::{Into, View, product};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// See above.
#[derive(Debug, Default)]
pub(super) struct Krylov<T> {
    dim: usize,
    /// Rows that fit.
    capacity: usize,
    /// V, then Q, each row of `dim` values.
    rows: Vec<T>,
    m: usize,
    pending: usize,
    /// Column j: the projection of A v_j on every row, `capacity` values.
    columns: Vec<f64>,
    w: Vec<T>,
    coefficients: Vec<f64>,
    spare: Vec<f64>,
    /// Largest ||A v|| seen.
    pub norm: f64,
}

/// Ritz values, ascending, with their vectors in the basis and the norms of their residuals.
#[derive(Debug)]
pub(super) struct Ritz {
    pub values: Vec<f64>,
    /// Row i is the i-th vector, [m, m].
    vectors: Vec<f64>,
    /// C S: what the i-th vector has along each pending row, [m, p].
    couplings: Vec<f64>,
    pending: usize,
}

/// A product that was infinite or NaN.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotFinite;

impl Ritz {
    /// Number of Ritz values, m.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The i-th vector in the basis.
    pub fn vector(&self, i: usize) -> &[f64] {
        &self.vectors[i * self.len()..(i + 1) * self.len()]
    }

    fn coupling(&self, i: usize) -> &[f64] {
        &self.couplings[i * self.pending..(i + 1) * self.pending]
    }

    /// ||A x - theta x|| of the i-th Ritz vector x.
    pub fn residual(&self, i: usize) -> f64 {
        self.coupling(i).iter().map(|c| c * c).sum::<f64>().sqrt()
    }

    /// The pending row along which the i-th residual is longest.
    pub fn longest_coupling(&self, i: usize) -> usize {
        let coupling = self.coupling(i);
        (0..coupling.len()).fold(0, |best, j| if coupling[j].abs() > coupling[best].abs() { j } else { best })
    }
}

impl<T: Scalar> Krylov<T> {
    /// Empties the basis and makes room for `capacity` rows of `dim` values.
    pub fn reset(&mut self, dim: usize, capacity: usize) {
        (self.dim, self.capacity, self.m, self.pending, self.norm) = (dim, capacity, 0, 0, 0.0);
        self.rows.resize(dim * capacity, T::zero());
        self.columns.clear();
        self.columns.resize(capacity * capacity, 0.0);
        self.w.resize(dim, T::zero());
        self.coefficients.resize(capacity, 0.0);
        self.spare.resize(capacity, 0.0);
    }

    /// Rows of V, m.
    pub fn len(&self) -> usize {
        self.m
    }

    /// Pending rows, p.
    pub fn pending(&self) -> usize {
        self.pending
    }

    fn used(&self) -> usize {
        self.m + self.pending
    }

    /// Whether the space has another direction, and memory a row for it.
    fn has_room(&self) -> bool {
        self.used() < self.capacity.min(self.dim)
    }

    /// Whether memory is used up to the row of one added vector and the row that a step leaves: time for a
    /// restart. Never where memory holds the whole space.
    pub fn is_full(&self) -> bool {
        self.capacity < self.dim && self.used() + 2 > self.capacity
    }

    /// Adds the part of `vector` outside all rows to the pending rows; false where there is none.
    pub fn add(&mut self, vector: &[T]) -> bool {
        self.w.copy_from_slice(vector);
        let size = norm(&self.w);
        if !size.is_finite() || size == 0.0 || !self.has_room() {
            return false;
        }
        self.take_in(size).is_some()
    }

    /// Adds a random direction to the pending rows; false where the rows span the whole space already, or
    /// where there is no room.
    pub fn add_random(&mut self, stream: &mut Stream) -> bool {
        // A draw can lie in the span of the rows by accident only; three in a row do not.
        (0..3).any(|_| {
            let w: Vec<T> = (0..self.dim).map(|_| T::of(stream.normal())).collect();
            self.add(&w)
        })
    }

    /// Moves pending row `which` into V and multiplies it by A. There must be one.
    pub fn step(&mut self, operator: &mut dyn LinearOperator<T>, which: usize) -> Result<(), NotFinite> {
        debug_assert!(self.has_room() || self.used() == self.dim, "a step's rest has its row");
        self.swap_rows(self.m, self.m + which);
        let now = self.m * self.dim..(self.m + 1) * self.dim;
        operator.apply(&self.rows[now], &mut self.w);
        let size = norm(&self.w);
        if !size.is_finite() {
            return Err(NotFinite);
        }
        self.norm = self.norm.max(size);
        self.m += 1;
        self.pending -= 1;
        let beta = self.take_in(size).unwrap_or(0.0);
        let column = &mut self.columns[(self.m - 1) * self.capacity..self.m * self.capacity];
        column.copy_from_slice(&self.coefficients);
        if beta > 0.0 {
            column[self.m + self.pending - 1] = beta;
        }
        Ok(())
    }

    /// Projects `w`, of norm `size`, on all rows (coefficients in `coefficients`) and makes the rest a pending
    /// row, if it is more than rounding and fits. Returns the rest's norm.
    fn take_in(&mut self, size: f64) -> Option<f64> {
        let used = self.used();
        let rows = &self.rows[..used * self.dim];
        self.coefficients.fill(0.0);
        // Twice is enough (Kahan and Parlett), unless the rest is of the size of rounding: then once more,
        // after it has been scaled up.
        remove_rows(&mut self.w, rows, &mut self.coefficients[..used]);
        remove_rows(&mut self.w, rows, &mut self.coefficients[..used]);
        let rest = norm(&self.w);
        let rounding = T::epsilon().f64() * size;
        if rest.is_nan() || rest <= 4.0 * rounding || !self.has_room() {
            return None;
        }
        scale(&mut self.w, 1.0 / rest);
        if rest < 1e-2 * size {
            remove_rows(&mut self.w, rows, &mut self.spare[..used]);
            let again = norm(&self.w);
            if again.is_nan() || again < 0.5 {
                return None;
            }
            scale(&mut self.w, 1.0 / again);
        }
        self.rows[used * self.dim..(used + 1) * self.dim].copy_from_slice(&self.w);
        self.pending += 1;
        Some(rest)
    }

    fn swap_rows(&mut self, i: usize, j: usize) {
        if i == j {
            return;
        }
        let (low, high) = (i.min(j), i.max(j));
        let (head, tail) = self.rows.split_at_mut(high * self.dim);
        head[low * self.dim..(low + 1) * self.dim].swap_with_slice(&mut tail[..self.dim]);
        for column in self.columns.chunks_exact_mut(self.capacity).take(self.m) {
            column.swap(i, j);
        }
    }

    /// T, entry (i, j).
    fn t(&self, i: usize, j: usize) -> f64 {
        0.5 * (self.columns[j * self.capacity + i] + self.columns[i * self.capacity + j])
    }

    /// The eigenvalues and eigenvectors of T.
    pub fn ritz(&self) -> Result<Ritz, NotFinite> {
        let (m, p) = (self.m, self.pending);
        let t = Mat::from_fn(m, m, |i, j| self.t(i, j));
        let eigen = t.self_adjoint_eigen(Side::Lower).map_err(|_| NotFinite)?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let u = eigen.U();
        let vectors: Vec<f64> = (0..m * m).map(|at| u[(at % m, at / m)]).collect();
        let mut couplings = vec![0.0; m * p];
        for (i, couplings) in couplings.chunks_exact_mut(p.max(1)).enumerate() {
            for j in 0..m {
                let column = &self.columns[j * self.capacity + m..j * self.capacity + m + p];
                let s = vectors[i * m + j];
                couplings.iter_mut().zip(column).for_each(|(c, entry)| *c += s * entry);
            }
        }
        Ok(Ritz { values, vectors, couplings, pending: p })
    }

    /// Some Ritz vectors, each of unit length.
    pub fn ritz_vectors(&self, ritz: &Ritz, which: &[usize]) -> Vec<Vec<T>> {
        let mut found: Vec<Vec<T>> = which.iter().map(|_| Vec::with_capacity(self.dim)).collect();
        let mut strips = Strips::new(ritz, which);
        for start in (0..self.dim).step_by(STRIP) {
            let (strip, width) = strips.combine(&self.rows, self.dim, start);
            found.iter_mut().zip(strip.chunks_exact(width)).for_each(|(v, part)| v.extend_from_slice(part));
        }
        for v in &mut found {
            let size = norm(v);
            scale(v, 1.0 / size);
        }
        found
    }

    /// Thick restart: keeps the Ritz vectors `keep` and the pending rows.
    pub fn restart(&mut self, ritz: &Ritz, keep: &[usize]) {
        let (m, p, k, dim) = (self.m, self.pending, keep.len(), self.dim);
        let mut strips = Strips::new(ritz, keep);
        for start in (0..dim).step_by(STRIP) {
            let (strip, width) = strips.combine(&self.rows, dim, start);
            for (r, part) in strip.chunks_exact(width).enumerate() {
                self.rows[r * dim + start..][..width].copy_from_slice(part);
            }
        }
        self.rows.copy_within(m * dim..(m + p) * dim, k * dim);
        self.columns.fill(0.0);
        for (j, i) in keep.iter().enumerate() {
            let column = &mut self.columns[j * self.capacity..(j + 1) * self.capacity];
            column[j] = ritz.values[*i];
            column[k..k + p].copy_from_slice(ritz.coupling(*i));
        }
        self.m = k;
    }
}

/// Columns of the basis that are combined at a time, so that the only extra memory is a strip.
const STRIP: usize = 256;

/// Combinations S V of the basis, strip by strip.
struct Strips<T> {
    /// S [k, m].
    s: Vec<T>,
    k: usize,
    m: usize,
    of_basis: Vec<T>,
    combined: Vec<T>,
}

impl<T: Scalar> Strips<T> {
    /// Those of some Ritz vectors.
    fn new(ritz: &Ritz, which: &[usize]) -> Self {
        let (k, m) = (which.len(), ritz.len());
        Self {
            s: which.iter().flat_map(|i| ritz.vector(*i)).map(|v| T::of(*v)).collect(),
            k,
            m,
            of_basis: vec![T::zero(); m * STRIP],
            combined: vec![T::zero(); k * STRIP],
        }
    }

    /// Columns `start..start + width` of S V, [k, width], with the width.
    fn combine(&mut self, rows: &[T], dim: usize, start: usize) -> (&[T], usize) {
        let width = STRIP.min(dim - start);
        let (old, new) = (&mut self.of_basis[..self.m * width], &mut self.combined[..self.k * width]);
        for (r, old) in old.chunks_exact_mut(width).enumerate() {
            old.copy_from_slice(&rows[r * dim + start..][..width]);
        }
        let (s, old) = (View::row_major(&self.s, self.k, self.m), View::row_major(old, self.m, width));
        product(new, Into::Replace, s, old, T::one());
        (new, width)
    }
}
