//! Owns [`Weights`], the three weight matrices of a network in one vector, and their [`Block`]s.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::scalar::Scalar;

/// Sizes of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dims {
    /// Input channels.
    pub n_in: usize,
    /// Recurrent units, N.
    pub n_rec: usize,
    /// Outputs.
    pub n_out: usize,
}

impl Dims {
    /// Number of weights P: N^2 + N n_in + n_out N.
    pub fn n_weights(&self) -> usize {
        self.n_rec * (self.n_rec + self.n_in + self.n_out)
    }
}

/// A block of the weights: what a Hessian is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// `w_rec` (P1's choice).
    Recurrent,
    /// `w_in`.
    Input,
    /// `w_out`.
    Readout,
    /// All weights.
    All,
}

impl Block {
    /// All blocks.
    pub const EACH: [Block; 4] = [Block::Recurrent, Block::Input, Block::Readout, Block::All];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Block::Recurrent => "recurrent",
            Block::Input => "input",
            Block::Readout => "readout",
            Block::All => "all",
        }
    }

    /// Where the block's weights stand in [`Weights::flat`].
    pub fn range(self, dims: Dims) -> Range<usize> {
        let rec = dims.n_rec * dims.n_rec;
        let input = rec + dims.n_rec * dims.n_in;
        let all = dims.n_weights();
        match self {
            Block::Recurrent => 0..rec,
            Block::Input => rec..input,
            Block::Readout => input..all,
            Block::All => 0..all,
        }
    }
}

/// Weights, or anything of their shape (gradients, directions).
///
/// One vector of P values: `w_rec` [N, N], `w_in` [N, n_in], `w_out` [n_out, N], each row-major with
/// rows as post-synaptic units.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights<T> {
    dims: Dims,
    flat: Vec<T>,
}

impl<T: Scalar> Weights<T> {
    /// All weights 0.
    pub fn zeros(dims: Dims) -> Self {
        Self { dims, flat: vec![T::zero(); dims.n_weights()] }
    }

    /// Takes a vector of P values in the order given above; `None` where its length is another.
    pub fn from_flat(dims: Dims, flat: Vec<T>) -> Option<Self> {
        (flat.len() == dims.n_weights()).then_some(Self { dims, flat })
    }

    /// The sizes.
    pub fn dims(&self) -> Dims {
        self.dims
    }

    /// All P values.
    pub fn flat(&self) -> &[T] {
        &self.flat
    }

    /// All P values, to be changed.
    pub fn flat_mut(&mut self) -> &mut [T] {
        &mut self.flat
    }

    /// The values of one block.
    pub fn block(&self, block: Block) -> &[T] {
        &self.flat[block.range(self.dims)]
    }

    /// The values of one block, to be changed.
    pub fn block_mut(&mut self, block: Block) -> &mut [T] {
        &mut self.flat[block.range(self.dims)]
    }

    /// `w_rec` [N, N].
    pub fn w_rec(&self) -> ArrayView2<'_, T> {
        self.view(Block::Recurrent, self.dims.n_rec, self.dims.n_rec)
    }

    /// `w_in` [N, n_in].
    pub fn w_in(&self) -> ArrayView2<'_, T> {
        self.view(Block::Input, self.dims.n_rec, self.dims.n_in)
    }

    /// `w_out` [n_out, N].
    pub fn w_out(&self) -> ArrayView2<'_, T> {
        self.view(Block::Readout, self.dims.n_out, self.dims.n_rec)
    }

    /// `w_rec` [N, N], to be changed.
    pub fn w_rec_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.view_mut(Block::Recurrent, self.dims.n_rec, self.dims.n_rec)
    }

    /// `w_in` [N, n_in], to be changed.
    pub fn w_in_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.view_mut(Block::Input, self.dims.n_rec, self.dims.n_in)
    }

    /// `w_out` [n_out, N], to be changed.
    pub fn w_out_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.view_mut(Block::Readout, self.dims.n_out, self.dims.n_rec)
    }

    /// Euclidean norm over all weights, summed in f64.
    pub fn norm(&self) -> f64 {
        norm(&self.flat)
    }

    /// The same values in another precision.
    pub fn cast<U: Scalar>(&self) -> Weights<U> {
        Weights { dims: self.dims, flat: self.flat.iter().map(|v| U::of(v.f64())).collect() }
    }

    fn view(&self, block: Block, rows: usize, columns: usize) -> ArrayView2<'_, T> {
        ArrayView2::from_shape((rows, columns), self.block(block)).expect("a block has its shape")
    }

    fn view_mut(&mut self, block: Block, rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
        ArrayViewMut2::from_shape((rows, columns), self.block_mut(block)).expect("a block has its shape")
    }
}

/// Euclidean norm, summed in f64.
pub fn norm<T: Scalar>(v: &[T]) -> f64 {
    v.iter().map(|x| x.f64() * x.f64()).sum::<f64>().sqrt()
}

/// Inner product, summed in f64.
pub fn dot<T: Scalar>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x.f64() * y.f64()).sum()
}
