//! Owns the one matrix product of the program: a thin wrap of faer's, on one thread.
//!
//! Everything that multiplies two matrices comes through here, so that there is one place to measure and
//! one place to change. Parallelism is over trials, never inside a product (see [`super::parallel`]).

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::scalar::Scalar;

/// A read-only matrix: a slice with its shape and strides.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> View<'a, T> {
    /// A row-major matrix [rows, columns].
    #[inline]
    pub fn row_major(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a matrix has rows x columns values");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The transpose, without a copy.
    #[inline]
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// What happens to the values that stand in the result before a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

/// `out = scale * a b` or `out += scale * a b`, with `out` [a.rows, b.columns] row-major.
///
/// ```
/// use basinscope::numerics::product::{product, Into, View};
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0]);
/// let mut out = [0.0; 2];
/// product(&mut out, Into::Replace, View::row_major(&a, 2, 2), View::row_major(&b, 2, 1), 1.0);
/// assert_eq!(out, [17.0, 39.0]);
/// ```
#[inline]
pub fn product<T: Scalar>(out: &mut [T], into: Into, a: View<'_, T>, b: View<'_, T>, scale: T) {
    assert_eq!(a.columns, b.rows, "inner sizes of a product are equal");
    assert_eq!(out.len(), a.rows * b.columns, "a product has rows x columns values");
    let accum = match into {
        Into::Replace => Accum::Replace,
        Into::Add => Accum::Add,
    };
    // The product is computed as out^T = b^T a^T: row-major memory is column-major memory of the
    // transpose, which is the layout that faer writes fastest.
    let out = MatMut::from_column_major_slice_mut(out, b.columns, a.rows);
    matmul(out, accum, faer_view(b.t()), faer_view(a.t()), scale, Par::Seq);
}

fn faer_view<T>(v: View<'_, T>) -> MatRef<'_, T> {
    if v.row_stride == 1 {
        MatRef::from_column_major_slice(v.data, v.rows, v.columns)
    } else {
        MatRef::from_row_major_slice(v.data, v.rows, v.columns)
    }
}
