//! Owns the steps that rules share: equations (6) and (9)-(12) for one chunk of trials.

use crate::numerics::network::{Activity, Adaptation, Network, PackedWeights};
use crate::numerics::product::{Into, View, product};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::{combine_rows, vectorized};

/// What a rule sees of a forward pass over one chunk.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, T> {
    /// The model.
    pub network: &'a Network<T>,
    /// Its weights.
    pub weights: &'a PackedWeights<T>,
    /// The forward pass.
    pub activity: &'a Activity<T>,
    /// d [T, B, n_out], set from `first_error` to `n_used`.
    pub d: &'a [T],
    /// First step with an error (a positive mask).
    pub first_error: usize,
    /// One past the last step with an error: what comes later has no part in any gradient.
    pub n_used: usize,
}

/// Buffers of the backward passes, made once.
#[derive(Clone, Debug)]
pub struct Scratch<T> {
    /// k of equation (12), [B, N]; empty on plain units.
    k: Vec<T>,
    /// Two arrays [T+1, B, N] each for h and, with adaptive units, a; made by the first rule that needs them.
    pub(super) hops: Vec<Vec<T>>,
}

impl<T: Scalar> Scratch<T> {
    /// Buffers for a chunk of `n_batch` trials.
    pub fn new(network: &Network<T>, n_batch: usize) -> Self {
        let mut scratch = Self { k: Vec::new(), hops: Vec::new() };
        scratch.reshape(network, n_batch);
        scratch
    }

    /// Makes room for another number of trials.
    pub fn reshape(&mut self, network: &Network<T>, n_batch: usize) {
        let k = if network.adaptation.is_some() { n_batch * network.dims.n_rec } else { 0 };
        self.k.resize(k, T::zero());
    }

    /// Makes sure of `count` arrays of `len` values.
    pub(super) fn hops(&mut self, count: usize, len: usize) -> &mut [Vec<T>] {
        self.hops.resize_with(count.max(self.hops.len()), Vec::new);
        self.hops.iter_mut().for_each(|hop| hop.resize(len, T::zero()));
        &mut self.hops
    }
}

impl<'a, T: Scalar> Pass<'a, T> {
    /// Values of one time step of a layer, B N.
    pub fn layer(&self) -> usize {
        self.activity.n_batch * self.network.dims.n_rec
    }

    /// z[t], [B, N].
    #[inline]
    pub fn z(&self, t: usize) -> &'a [T] {
        let layer = self.layer();
        &self.activity.z[t * layer..(t + 1) * layer]
    }

    /// Adds the learning signal of step `t`, equation (6) through `feedback` [n_out, N], to `signal` [B, N].
    #[inline]
    pub fn add_learning_signal(&self, signal: &mut [T], feedback: &[T], t: usize) {
        if (self.first_error..self.n_used).contains(&t) {
            let n_out = self.network.dims.n_out;
            let row = self.activity.n_batch * n_out;
            combine_rows(signal, &self.d[t * row..(t + 1) * row], feedback, n_out);
        }
    }

    /// `signal += (1 - alpha) delta w_rec`, for any number of rows: the `w_rec` term of (9).
    pub fn recurrent_signal(&self, signal: &mut [T], into: Into, delta: &[T]) {
        let n = self.network.dims.n_rec;
        let rows = delta.len() / n;
        let (a, b) = (View::row_major(delta, rows, n), View::row_major(&self.weights.w_rec, n, n));
        product(signal, into, a, b, T::one() - self.network.alpha);
    }

    /// Runs (9)-(12) from the last step to the first. On entry `delta` holds, from step 1 to `n_used`, what
    /// is added to the signal beyond (6), or is ignored where `extra` is false; on return it is delta.
    /// `through_w_rec` keeps the `w_rec` term of (9).
    pub fn carry_back(
        &self,
        feedback: &[T],
        through_w_rec: bool,
        extra: bool,
        scratch: &mut Scratch<T>,
        delta: &mut [T],
    ) {
        let layer = self.layer();
        scratch.k.fill(T::zero());
        for t in (1..=self.n_used).rev() {
            let (now, later) = delta.split_at_mut((t + 1) * layer);
            let now = &mut now[t * layer..];
            let next = (t < self.n_used).then(|| &later[..layer]);
            match next {
                Some(next) if through_w_rec => {
                    let into = if extra { Into::Add } else { Into::Replace };
                    self.recurrent_signal(now, into, next);
                }
                _ if !extra => now.fill(T::zero()),
                _ => {}
            }
            self.add_learning_signal(now, feedback, t - 1);
            local_step(self.network, self.z(t), now, next, &mut scratch.k);
        }
    }
}

/// Equations (10)-(12) at one step: turns `signal` s[t] (without its k term) into delta[t], and k[t+1] into
/// k[t]. All [B, N]; `next` is delta[t+1], `None` at the last step.
fn local_step<T: Scalar>(network: &Network<T>, z: &[T], signal: &mut [T], next: Option<&[T]>, k: &mut [T]) {
    let (f, alpha) = (network.activation, network.alpha);
    let Some(Adaptation { beta, rho }) = &network.adaptation else {
        return vectorized(
            #[inline(always)]
            || match next {
                Some(next) => {
                    for ((s, z), next) in signal.iter_mut().zip(z).zip(next) {
                        *s = f.slope(*z) * *s + alpha * *next;
                    }
                }
                None => signal.iter_mut().zip(z).for_each(|(s, z)| *s = f.slope(*z) * *s),
            },
        );
    };
    let (n, rho) = (beta.len(), *rho);
    vectorized(
        #[inline(always)]
        || {
            for (row, (s, k)) in signal.chunks_exact_mut(n).zip(k.chunks_exact_mut(n)).enumerate() {
                let z = &z[row * n..(row + 1) * n];
                for j in 0..n {
                    let g = f.slope(z[j]) * (s[j] + (T::one() - rho) * k[j]);
                    s[j] = g;
                    k[j] = rho * k[j] - beta[j] * g;
                }
                if let Some(next) = next {
                    let next = &next[row * n..(row + 1) * n];
                    s.iter_mut().zip(next).for_each(|(s, next)| *s += alpha * *next);
                }
            }
        },
    );
}

/// `out = f'(v[t]) o ls[t-1]`, [B, N]: the direct error at step `t`.
pub(super) fn slope_times_signal<T: Scalar>(pass: &Pass<'_, T>, feedback: &[T], t: usize, out: &mut [T]) {
    out.fill(T::zero());
    pass.add_learning_signal(out, feedback, t - 1);
    let f = pass.network.activation;
    let z = pass.z(t);
    vectorized(
        #[inline(always)]
        || out.iter_mut().zip(z).for_each(|(s, z)| *s *= f.slope(*z)),
    );
}
