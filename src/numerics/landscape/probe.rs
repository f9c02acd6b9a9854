//! Owns [`Probe`], loss and accuracy of packed weights on fixed trials: forward passes only, on one thread, in
//! buffers that are made once.

use crate::numerics::loss::{Part, loss_and_error, right_and_judged};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::{KeepOn, chunks};
use crate::numerics::rules::gradient::{Outcome, steps_with_error};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// A network and the trials that its weights are tried on.
#[derive(Debug)]
pub(super) struct Probe<'a, T> {
    network: &'a Network<T>,
    trials: &'a Trials<T>,
    parts: Vec<ProbePart>,
}

/// A chunk of the trials, and the steps at which it has errors: the first, and one past the last.
#[derive(Clone, Copy, Debug)]
struct ProbePart {
    part: Part,
    first_error: usize,
    n_used: usize,
}

/// Buffers of one forward pass.
#[derive(Debug)]
pub(super) struct Forward<T> {
    activity: Activity<T>,
    d: Vec<T>,
    /// The part whose input is in `activity`.
    loaded: Option<usize>,
}

impl<'a, T: Scalar> Probe<'a, T> {
    pub(super) fn new(network: &'a Network<T>, trials: &'a Trials<T>) -> Self {
        let mask_sum = trials.mask_sum();
        let inverse_mask_sum = if mask_sum > 0.0 { 1.0 / mask_sum } else { 0.0 };
        let part = |(first, n_batch)| {
            let part = Part { first, n_batch, inverse_mask_sum };
            let (first_error, n_used) = steps_with_error(trials, part);
            ProbePart { part, first_error, n_used }
        };
        Self { network, trials, parts: chunks(trials.n_batch()).map(part).collect() }
    }

    /// Buffers for this network and these trials.
    pub(super) fn forward_buffers(&self) -> Forward<T> {
        let n_batch = self.parts.iter().map(|p| p.part.n_batch).max().unwrap_or(0);
        let activity = Activity::new(self.network, self.trials.n_steps(), n_batch, false);
        Forward { d: vec![T::zero(); activity.y.len()], activity, loaded: None }
    }

    /// The weights in the layout of a forward pass.
    pub(super) fn pack(&self, weights: &Weights<T>) -> PackedWeights<T> {
        let mut packed = PackedWeights::zeros(self.network.dims);
        packed.pack(self.network, weights);
        packed
    }

    /// The loss, and the accuracy where it is asked for and the task has one; `None` where `keep_on`, asked before
    /// each chunk of the trials, says no.
    pub(super) fn outcome(
        &self,
        forward: &mut Forward<T>,
        weights: &PackedWeights<T>,
        with_accuracy: bool,
        keep_on: KeepOn<'_>,
    ) -> Option<Outcome> {
        let (mut loss, mut right, mut judged) = (0.0, 0.0, None);
        for i in 0..self.parts.len() {
            if !keep_on() {
                return None;
            }
            loss += self.loss_of_part(forward, weights, i);
            if !with_accuracy {
                continue;
            }
            let (part, n_out) = (self.parts[i].part, self.network.dims.n_out);
            if let Some((r, j)) = right_and_judged(self.trials, part, n_out, &forward.activity.y) {
                right += r;
                judged = Some(judged.unwrap_or(0.0) + j);
            }
        }
        Some(Outcome { loss, accuracy: judged.map(|j| if j > 0.0 { right / j } else { 0.0 }) })
    }

    fn loss_of_part(&self, forward: &mut Forward<T>, weights: &PackedWeights<T>, i: usize) -> f64 {
        let (network, n_out) = (self.network, self.network.dims.n_out);
        let ProbePart { part, first_error, n_used } = self.parts[i];
        let Forward { activity, d, loaded } = forward;
        if *loaded != Some(i) {
            activity.reshape(network, self.trials.n_steps(), part.n_batch);
            activity.load(self.trials, part.first);
            *loaded = Some(i);
        }
        activity.forward_steps(network, weights, n_used);
        activity.read_out(network, weights, first_error..n_used);
        let errors = first_error * part.n_batch * n_out..n_used * part.n_batch * n_out;
        let (y, d) = (&activity.y[errors.clone()], &mut d[errors]);
        loss_and_error(self.trials, part, first_error, n_out, y, d)
    }
}

/// Sets what a forward pass reads of a block of `out` to centre + a d1 + b d2: packing is linear, so packed
/// vectors can be added.
pub(super) fn combine<T: Scalar>(
    out: &mut PackedWeights<T>,
    block: Block,
    centre: &PackedWeights<T>,
    (a, d1): (T, &PackedWeights<T>),
    (b, d2): (T, &PackedWeights<T>),
) {
    let is_in = |own| block == own || block == Block::All;
    if is_in(Block::Recurrent) {
        combine_vectors(&mut out.w_rec_t, &centre.w_rec_t, (a, &d1.w_rec_t), (b, &d2.w_rec_t));
    }
    if is_in(Block::Input) {
        combine_vectors(&mut out.w_in_t, &centre.w_in_t, (a, &d1.w_in_t), (b, &d2.w_in_t));
    }
    if is_in(Block::Readout) {
        combine_vectors(&mut out.w_out, &centre.w_out, (a, &d1.w_out), (b, &d2.w_out));
    }
}

fn combine_vectors<T: Scalar>(out: &mut [T], centre: &[T], (a, d1): (T, &[T]), (b, d2): (T, &[T])) {
    vectorized(
        #[inline(always)]
        || {
            let directions = d1.iter().zip(d2);
            for ((out, centre), (d1, d2)) in out.iter_mut().zip(centre).zip(directions) {
                *out = *centre + (a * *d1 + b * *d2);
            }
        },
    );
}
