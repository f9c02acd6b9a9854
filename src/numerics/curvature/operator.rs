//! Owns [`LinearOperator`], all that the algorithms of this folder know of a matrix, and two operators with
//! known answers for tests and examples.

use crate::numerics::parallel::KeepOn;
use crate::numerics::scalar::Scalar;

/// A symmetric matrix known by its product with a vector.
///
/// ```
/// use basinscope::numerics::curvature::operator::{DiagonalOperator, LinearOperator};
/// let mut h = DiagonalOperator::new(vec![3.0, -1.0]);
/// let mut out = [0.0; 2];
/// h.apply(&[2.0, 2.0], &mut out);
/// assert_eq!(out, [6.0, -2.0]);
/// ```
pub trait LinearOperator<T: Scalar> {
    /// Number of rows, and of columns.
    fn dim(&self) -> usize;
    /// `out` = A `v`; both have [`LinearOperator::dim`] values.
    fn apply(&mut self, v: &[T], out: &mut [T]);
}

/// Another operator for as long as its products are wanted. Afterwards they are NaN and cost nothing, which ends
/// every algorithm of this folder with an error.
pub struct WhileWanted<'a, O> {
    /// The operator.
    pub operator: O,
    /// Whether a product is still wanted.
    pub keep_on: KeepOn<'a>,
}

impl<T: Scalar, O: LinearOperator<T>> LinearOperator<T> for WhileWanted<'_, O> {
    fn dim(&self) -> usize {
        self.operator.dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) {
        if (self.keep_on)() {
            self.operator.apply(v, out);
        }
        // It may have been given up in the middle.
        if !(self.keep_on)() {
            out.fill(T::nan());
        }
    }
}

/// A diagonal matrix: its eigenvalues are its entries.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagonalOperator<T> {
    entries: Vec<T>,
}

impl<T: Scalar> DiagonalOperator<T> {
    /// Takes the diagonal.
    pub fn new(entries: Vec<T>) -> Self {
        Self { entries }
    }
}

impl<T: Scalar> LinearOperator<T> for DiagonalOperator<T> {
    fn dim(&self) -> usize {
        self.entries.len()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) {
        for ((out, v), entry) in out.iter_mut().zip(v).zip(&self.entries) {
            *out = *entry * *v;
        }
    }
}

/// A matrix written out. The Hessian of the quadratic `L(w) = 1/2 w^T A w` is A itself.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseOperator<T> {
    dim: usize,
    entries: Vec<T>,
}

impl<T: Scalar> DenseOperator<T> {
    /// Takes a symmetric matrix [dim, dim], row-major; `None` where the number of entries is another.
    pub fn new(dim: usize, entries: Vec<T>) -> Option<Self> {
        (entries.len() == dim * dim).then_some(Self { dim, entries })
    }

    /// Writes out another operator, column by column: `dim` products.
    pub fn of(operator: &mut dyn LinearOperator<T>) -> Self {
        let dim = operator.dim();
        let mut entries = vec![T::zero(); dim * dim];
        let mut unit = vec![T::zero(); dim];
        for (i, column) in entries.chunks_exact_mut(dim.max(1)).enumerate() {
            unit[i] = T::one();
            operator.apply(&unit, column);
            unit[i] = T::zero();
        }
        Self { dim, entries }
    }

    /// The entries [dim, dim]. What [`DenseOperator::of`] wrote has the columns of the other operator as rows:
    /// the same for a symmetric one.
    pub fn entries(&self) -> &[T] {
        &self.entries
    }
}

impl<T: Scalar> LinearOperator<T> for DenseOperator<T> {
    fn dim(&self) -> usize {
        self.dim
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) {
        for (out, row) in out.iter_mut().zip(self.entries.chunks_exact(self.dim)) {
            *out = row.iter().zip(v).map(|(a, v)| *a * *v).sum();
        }
    }
}
