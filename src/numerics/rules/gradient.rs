//! Owns [`GradientPass`]: one forward pass over a batch, then the gradients of any number of rules.

use std::sync::Mutex;

use super::{Pass, Rule, Scratch};
use crate::numerics::loss::{Part, loss_and_error, right_and_judged};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::{Pool, Workers, chunks, for_each};
use crate::numerics::product::{Into, View, product};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::outer_sum;
use crate::numerics::trials::{Decision, Trials};
use crate::numerics::weights::{Block, Weights};

/// What one pass over a batch found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The true loss, without L2.
    pub loss: f64,
    /// Share of trials judged right, in [0, 1]; `None` where the task has no accuracy.
    pub accuracy: Option<f64>,
}

/// Forward and backward passes over batches of one shape, with all their buffers.
#[derive(Debug)]
pub struct GradientPass<T> {
    network: Network<T>,
    packed: PackedWeights<T>,
    pool: Pool<Buffers<T>>,
    results: Vec<Mutex<Share<T>>>,
}

/// Buffers of one chunk while it is worked on.
#[derive(Debug)]
struct Buffers<T> {
    activity: Activity<T>,
    d: Vec<T>,
    delta: Vec<T>,
    scratch: Scratch<T>,
}

/// One chunk's share of the results.
#[derive(Debug, Default)]
struct Share<T> {
    loss: f64,
    judged: Option<(f64, f64)>,
    /// Gradients, one after the other: `w_out` [n_out, N], then for each rule `w_rec` [N, N] and the
    /// transpose of `w_in` [n_in, N].
    gradients: Vec<T>,
}

impl<T: Scalar> GradientPass<T> {
    /// A pass for this network; buffers are made for the first batch and kept.
    pub fn new(network: &Network<T>) -> Self {
        Self {
            network: network.clone(),
            packed: PackedWeights::zeros(network.dims),
            pool: Pool::default(),
            results: Vec::new(),
        }
    }

    /// Loss and accuracy of `weights` on `trials`, and for each rule its gradient into `gradients` (same
    /// order and number as `rules`). With no rules there is no backward pass.
    ///
    /// Trials are cut in chunks of fixed size whose shares are added in their order: the number of workers
    /// changes no bit.
    pub fn run(
        &mut self,
        weights: &Weights<T>,
        trials: &Trials<T>,
        rules: &[&dyn Rule<T>],
        gradients: &mut [Weights<T>],
        workers: &dyn Workers,
    ) -> Outcome {
        assert_eq!(rules.len(), gradients.len(), "one gradient for each rule");
        let dims = self.network.dims;
        let share_len = if rules.is_empty() {
            0
        } else {
            dims.n_out * dims.n_rec + rules.len() * (dims.n_rec + dims.n_in) * dims.n_rec
        };
        self.make_buffers(trials, share_len, workers.width());
        self.packed.pack(&self.network, weights);

        let mask_sum = trials.mask_sum();
        let inverse_mask_sum = if mask_sum > 0.0 { 1.0 / mask_sum } else { 0.0 };
        let (network, packed, pool) = (&self.network, &self.packed, &self.pool);
        let parts = |i: usize| {
            let (first, n_batch) = chunks(trials.n_batch()).nth(i).expect("one share for each chunk");
            Part { first, n_batch, inverse_mask_sum }
        };
        for_each(workers, &mut self.results, |i, share| {
            pool.borrow().run(network, packed, trials, parts(i), rules, share);
        });
        self.sum_up(gradients)
    }

    fn make_buffers(&mut self, trials: &Trials<T>, share_len: usize, width: usize) {
        let (n_steps, n_chunks) = (trials.n_steps(), chunks(trials.n_batch()).len());
        let n_batch = chunks(trials.n_batch()).map(|(_, n)| n).max().unwrap_or(0);
        let network = &self.network;
        self.pool.grow(width.min(n_chunks), || Buffers::new(network, n_steps, n_batch));
        self.results.resize_with(n_chunks, || Mutex::new(Share::default()));
        for share in &mut self.results {
            let share = share.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
            share.gradients.resize(share_len, T::zero());
        }
    }

    fn sum_up(&mut self, gradients: &mut [Weights<T>]) -> Outcome {
        let dims = self.network.dims;
        let (n_out_len, rec_len, in_len) =
            (dims.n_out * dims.n_rec, dims.n_rec * dims.n_rec, dims.n_in * dims.n_rec);
        gradients.iter_mut().for_each(|g| g.flat_mut().fill(T::zero()));
        let (mut loss, mut right, mut judged) = (0.0, 0.0, None);
        for share in &mut self.results {
            let share = share.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
            loss += share.loss;
            if let Some((r, j)) = share.judged {
                right += r;
                judged = Some(judged.unwrap_or(0.0) + j);
            }
            if gradients.is_empty() {
                continue;
            }
            let (w_out, rest) = share.gradients.split_at(n_out_len);
            for (gradient, own) in gradients.iter_mut().zip(rest.chunks_exact(rec_len + in_len)) {
                let (w_rec, w_in_t) = own.split_at(rec_len);
                add(gradient.block_mut(Block::Recurrent), w_rec);
                add(gradient.block_mut(Block::Readout), w_out);
                for (k, row) in w_in_t.chunks_exact(dims.n_rec).enumerate() {
                    let mut w_in = gradient.w_in_mut();
                    w_in.column_mut(k).iter_mut().zip(row).for_each(|(g, own)| *g += *own);
                }
            }
        }
        Outcome { loss, accuracy: judged.map(|j| if j > 0.0 { right / j } else { 0.0 }) }
    }
}

fn add<T: Scalar>(sum: &mut [T], other: &[T]) {
    sum.iter_mut().zip(other).for_each(|(s, o)| *s += *o);
}

impl<T: Scalar> Buffers<T> {
    fn new(network: &Network<T>, n_steps: usize, n_batch: usize) -> Self {
        let activity = Activity::new(network, n_steps, n_batch, false);
        Self {
            d: vec![T::zero(); activity.y.len()],
            delta: vec![T::zero(); activity.z.len()],
            scratch: Scratch::new(network, n_batch),
            activity,
        }
    }

    fn run(
        &mut self,
        network: &Network<T>,
        packed: &PackedWeights<T>,
        trials: &Trials<T>,
        part: Part,
        rules: &[&dyn Rule<T>],
        share: &mut Share<T>,
    ) {
        self.activity.reshape(network, trials.n_steps(), part.n_batch);
        self.d.resize(self.activity.y.len(), T::zero());
        self.delta.resize(self.activity.z.len(), T::zero());
        self.scratch.reshape(network, part.n_batch);
        let (first_error, n_used) = steps_with_error(trials, part);
        self.activity.load(trials, part.first);
        self.activity.forward_steps(network, packed, n_used);
        self.activity.read_out(network, packed, first_error..n_used);
        let n_out = network.dims.n_out;
        let errors = first_error * part.n_batch * n_out..n_used * part.n_batch * n_out;
        share.loss = loss_and_error(
            trials,
            part,
            first_error,
            n_out,
            &self.activity.y[errors.clone()],
            &mut self.d[errors.clone()],
        );
        share.judged = right_and_judged(trials, part, n_out, &self.activity.y);
        if rules.is_empty() {
            return;
        }
        share.gradients.fill(T::zero());
        let n_rec = network.dims.n_rec;
        let layer = part.n_batch * n_rec;
        let pass =
            Pass { network, weights: packed, activity: &self.activity, d: &self.d, first_error, n_used };
        let (w_out, rest) = share.gradients.split_at_mut(n_out * n_rec);
        let z = &self.activity.z;
        outer_sum(w_out, &self.d[errors], &z[(first_error + 1) * layer..(n_used + 1) * layer], n_out);
        let own_len = (n_rec + network.dims.n_in) * n_rec;
        for (rule, own) in rules.iter().zip(rest.chunks_exact_mut(own_len)) {
            rule.delta(&pass, &mut self.scratch, &mut self.delta);
            let (w_rec, w_in_t) = own.split_at_mut(n_rec * n_rec);
            weight_sums(&pass, &self.delta, w_rec, w_in_t);
        }
    }
}

/// Equation (7) over one chunk: `w_rec` [N, N] and the transpose of `w_in` [n_in, N], both 0 on entry.
pub fn weight_sums<T: Scalar>(pass: &Pass<'_, T>, delta: &[T], w_rec: &mut [T], w_in_t: &mut [T]) {
    let (n_rec, n_in) = (pass.network.dims.n_rec, pass.network.dims.n_in);
    let (layer, n_used, n_batch) = (pass.layer(), pass.n_used, pass.activity.n_batch);
    let own = T::one() - pass.network.alpha;
    // z[0] = 0: the sum starts at t = 1.
    if n_used > 1 {
        let rows = (n_used - 1) * n_batch;
        let delta = View::row_major(&delta[2 * layer..(n_used + 1) * layer], rows, n_rec);
        let z = View::row_major(&pass.activity.z[layer..n_used * layer], rows, n_rec);
        product(w_rec, Into::Replace, delta.t(), z, own);
    }
    let x = &pass.activity.x[..n_used * n_batch * n_in];
    outer_sum(w_in_t, x, &delta[layer..(n_used + 1) * layer], n_in);
    w_in_t.iter_mut().for_each(|g| *g *= own);
}

/// First step of this part whose readout matters to loss or accuracy, and one past the last (both 0 where
/// there is none).
pub fn steps_with_error<T: Scalar>(trials: &Trials<T>, part: Part) -> (usize, usize) {
    let masked = |t: &usize| {
        let own = ndarray::s![*t, part.first..part.first + part.n_batch];
        let decided = |d: &Decision<T>| d.weight.slice(own).iter().any(|w| *w != T::zero());
        trials.mask.slice(own).iter().any(|m| *m != T::zero())
            || trials.decision.as_ref().is_some_and(decided)
    };
    let last = (0..trials.n_steps()).rev().find(masked);
    match last {
        Some(last) => ((0..=last).find(masked).unwrap_or(last), last + 1),
        None => (0, 0),
    }
}
