//! Owns [`Hessian`]: the exact product of the loss's Hessian with a direction, by the R-operator (Pearlmutter
//! 1994), forward over reverse.
//!
//! R{.} is the derivative along a direction V = (V_rec, V_in, V_out) in weight space. Applied to the model
//! (1)-(5) and to its adjoint (6)-(12) it gives, with s, g and k of the adjoint:
//!
//! ```text
//! (13)  Rv[t]   = Rh[t] - beta * Ra[t]
//! (14)  Rz[t]   = f'(v[t]) o Rv[t]
//! (15)  Rh[t+1] = alpha Rh[t] + (1 - alpha) (w_rec Rz[t] + V_rec z[t] + V_in x[t])       Rh[0] = 0
//! (16)  Ra[t+1] = rho_a Ra[t] + (1 - rho_a) Rz[t]                                        Ra[0] = 0
//! (17)  Ry[t]   = w_out Rz[t+1] + V_out z[t+1]
//! (18)  Rd[t]   = m/(M n_out) Ry (regression);  m/M (p o Ry - p <p, Ry>), p = softmax(y) (classification)
//! (19)  Rs[t]   = w_out^T Rd[t-1] + V_out^T d[t-1]
//!                 + (1 - alpha) (w_rec^T Rdelta[t+1] + V_rec^T delta[t+1]) + (1 - rho_a) Rk[t+1]
//! (20)  Rg[t]   = f'(v[t]) o Rs[t] + f''(v[t]) o s[t] o Rv[t]
//! (21)  Rdelta[t] = Rg[t] + alpha Rdelta[t+1]
//! (22)  Rk[t]   = -beta o Rg[t] + rho_a Rk[t+1]
//! (23)  (HV)_rec = (1 - alpha) sum_t (Rdelta[t+1] z[t]^T + delta[t+1] Rz[t]^T)
//!       (HV)_in  = (1 - alpha) sum_t Rdelta[t+1] x[t]^T
//!       (HV)_out = sum_t (Rd[t] z[t+1]^T + d[t] Rz[t+1]^T)
//! ```
//!
//! Nothing here is a finite difference: a kink of ReLU inside the step would give nonsense. At a kink itself
//! f' and f'' are 0, as in the model. L2 with factor c adds c V.
//!
//! The base pass (z, d, delta and f'' s of every chunk of trials) is run once for each point; a product is then
//! two passes in time. What does not depend on the step before is one product over all steps: V_rec z,
//! V_rec^T delta and the two sums of (23).

use std::sync::{Mutex, PoisonError};

use super::base::BasePass;
use super::operator::LinearOperator;
use super::tangent::{Direction, Share, Tangents};
use crate::numerics::loss::Part;
use crate::numerics::network::{Network, PackedWeights, transpose_into};
use crate::numerics::parallel::{Pool, Workers, chunks, for_each};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Dims, Weights};

/// The Hessian of the true training loss at one point, on one batch, with all its buffers.
#[derive(Debug)]
pub struct Hessian<T> {
    network: Network<T>,
    packed: PackedWeights<T>,
    chunks: Vec<Mutex<Chunk<T>>>,
    pool: Pool<Tangents<T>>,
    v_in_t: Vec<T>,
}

#[derive(Debug)]
struct Chunk<T> {
    base: BasePass<T>,
    loss: f64,
    share: Share<T>,
}

impl<T: Scalar> Hessian<T> {
    /// A Hessian for this network; buffers are made for the first batch and kept.
    pub fn new(network: &Network<T>) -> Self {
        Self {
            network: network.clone(),
            packed: PackedWeights::zeros(network.dims),
            chunks: Vec::new(),
            pool: Pool::default(),
            v_in_t: vec![T::zero(); network.dims.n_in * network.dims.n_rec],
        }
    }

    /// The sizes of the network.
    pub fn dims(&self) -> Dims {
        self.network.dims
    }

    /// Moves to `weights` on `trials` (the base pass); returns the loss there, without L2.
    pub fn prepare(&mut self, weights: &Weights<T>, trials: &Trials<T>, workers: &dyn Workers) -> f64 {
        self.packed.pack(&self.network, weights);
        let mask_sum = trials.mask_sum();
        let inverse_mask_sum = if mask_sum > 0.0 { 1.0 / mask_sum } else { 0.0 };
        let parts =
            chunks(trials.n_batch()).map(|(first, n_batch)| Part { first, n_batch, inverse_mask_sum });
        let parts: Vec<Part> = parts.collect();
        let (network, packed) = (&self.network, &self.packed);
        self.chunks.resize_with(parts.len(), || {
            Mutex::new(Chunk { base: BasePass::new(network), loss: 0.0, share: Share::default() })
        });
        self.pool.grow(workers.width().min(parts.len()), Tangents::default);
        for_each(workers, &mut self.chunks, |i, chunk| {
            chunk.loss = chunk.base.run(network, packed, trials, parts[i]);
        });
        self.chunks.iter_mut().map(|chunk| owned(chunk).loss).sum()
    }

    /// The block's part of the Hessian as an operator, with L2 of factor `l2` (c on its diagonal). Its
    /// products are those of the point last prepared.
    pub fn over<'a>(&'a mut self, block: Block, l2: f64, workers: &'a dyn Workers) -> BlockHessian<'a, T> {
        self.pool.grow(workers.width().min(self.chunks.len()), Tangents::default);
        BlockHessian { hessian: self, block, l2: T::of(l2), workers }
    }

    fn product(&mut self, block: Block, v: &[T], out: &mut [T], workers: &dyn Workers) {
        let dims = self.network.dims;
        let (rec, input, readout) = parts(block, dims);
        if let Some(input) = &input {
            transpose_into(&mut self.v_in_t, &v[input.clone()], dims.n_rec, dims.n_in);
            let own = T::one() - self.network.alpha;
            self.v_in_t.iter_mut().for_each(|v| *v *= own);
        }
        let direction = Direction {
            rec: rec.clone().map(|r| &v[r]),
            in_t: input.is_some().then_some(&self.v_in_t),
            out: readout.clone().map(|r| &v[r]),
        };
        let (network, packed, pool) = (&self.network, &self.packed, &self.pool);
        for_each(workers, &mut self.chunks, |_, chunk| {
            pool.borrow().product(network, packed, &chunk.base, direction, &mut chunk.share);
        });
        out.fill(T::zero());
        for chunk in &mut self.chunks {
            let share = &owned(chunk).share;
            if let Some(rec) = &rec {
                add(&mut out[rec.clone()], &share.rec);
            }
            if let Some(input) = &input {
                let out = &mut out[input.clone()];
                for (k, row) in share.in_t.chunks_exact(dims.n_rec).enumerate() {
                    let column = out.iter_mut().skip(k).step_by(dims.n_in);
                    column.zip(row).for_each(|(out, own)| *out += *own);
                }
            }
            if let Some(readout) = &readout {
                add(&mut out[readout.clone()], &share.out);
            }
        }
    }
}

fn owned<C>(chunk: &mut Mutex<C>) -> &mut C {
    chunk.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn add<T: Scalar>(sum: &mut [T], other: &[T]) {
    sum.iter_mut().zip(other).for_each(|(s, o)| *s += *o);
}

type Place = Option<std::ops::Range<usize>>;

/// Where `w_rec`, `w_in` and `w_out` stand in a vector over `block`.
fn parts(block: Block, dims: Dims) -> (Place, Place, Place) {
    let all = block.range(dims);
    let part = |own: Block| {
        let own = own.range(dims);
        (all.start <= own.start && own.end <= all.end).then(|| own.start - all.start..own.end - all.start)
    };
    (part(Block::Recurrent), part(Block::Input), part(Block::Readout))
}

/// The Hessian over one block of the weights.
pub struct BlockHessian<'a, T> {
    hessian: &'a mut Hessian<T>,
    block: Block,
    l2: T,
    workers: &'a dyn Workers,
}

impl<T: Scalar> LinearOperator<T> for BlockHessian<'_, T> {
    fn dim(&self) -> usize {
        self.block.range(self.hessian.dims()).len()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) {
        self.hessian.product(self.block, v, out, self.workers);
        if self.l2 != T::zero() {
            out.iter_mut().zip(v).for_each(|(out, v)| *out += self.l2 * *v);
        }
    }
}
