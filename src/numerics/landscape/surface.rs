//! Owns the loss as a function on a plane: [`Surface`], and that of a network, [`NetworkSurface`].

use super::plane::Plane;
use crate::numerics::loss::{Part, loss_and_error, right_and_judged};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::{Pool, chunks};
use crate::numerics::rules::gradient::{Outcome, steps_with_error};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// A loss over a plane.
pub trait Surface: Sync {
    /// The loss at (a, b).
    fn loss(&self, a: f64, b: f64) -> f64;
}

impl<F: Fn(f64, f64) -> f64 + Sync> Surface for F {
    fn loss(&self, a: f64, b: f64) -> f64 {
        self(a, b)
    }
}

/// The true loss of a network on fixed trials: forward passes only, one point at a time, in buffers that are
/// made once for each thread.
#[derive(Debug)]
pub struct NetworkSurface<'a, T> {
    network: &'a Network<T>,
    trials: &'a Trials<T>,
    parts: Vec<(Part, usize, usize)>,
    block: Block,
    centre: PackedWeights<T>,
    directions: [PackedWeights<T>; 2],
    pool: Pool<Buffers<T>>,
}

/// One thread's weights and activity.
#[derive(Debug)]
struct Buffers<T> {
    weights: PackedWeights<T>,
    activity: Activity<T>,
    d: Vec<T>,
    /// The part whose input is in `activity`.
    loaded: Option<usize>,
}

impl<'a, T: Scalar> NetworkSurface<'a, T> {
    /// The loss of `network` on `trials` over `plane`, from up to `width` threads at once.
    pub fn new(network: &'a Network<T>, trials: &'a Trials<T>, plane: &Plane, width: usize) -> Self {
        let direction = |d: &[f64]| {
            let mut weights = Weights::zeros(network.dims);
            weights.block_mut(plane.block()).iter_mut().zip(d).for_each(|(w, d)| *w = T::of(*d));
            packed(network, &weights)
        };
        let mut surface = Self {
            network,
            trials,
            parts: parts(trials),
            block: plane.block(),
            centre: packed(network, &plane.centre().cast()),
            directions: [direction(plane.d1()), direction(plane.d2())],
            pool: Pool::default(),
        };
        let n_batch = surface.parts.iter().map(|(part, ..)| part.n_batch).max().unwrap_or(0);
        let centre = &surface.centre;
        surface.pool.grow(width, || {
            let activity = Activity::new(network, trials.n_steps(), n_batch, false);
            let d = vec![T::zero(); activity.y.len()];
            Buffers { weights: centre.clone(), activity, d, loaded: None }
        });
        surface
    }

    /// Loss and accuracy at (a, b).
    pub fn outcome(&self, a: f64, b: f64) -> Outcome {
        self.evaluate(a, b, true)
    }

    fn evaluate(&self, a: f64, b: f64, with_accuracy: bool) -> Outcome {
        let mut buffers = self.pool.borrow();
        let buffers = &mut *buffers;
        self.move_to(&mut buffers.weights, T::of(a), T::of(b));
        let (mut loss, mut right, mut judged) = (0.0, 0.0, None);
        for (i, (part, first_error, n_used)) in self.parts.iter().copied().enumerate() {
            loss += self.loss_of_part(buffers, i, part, first_error, n_used);
            if !with_accuracy {
                continue;
            }
            if let Some((r, j)) =
                right_and_judged(self.trials, part, self.network.dims.n_out, &buffers.activity.y)
            {
                right += r;
                judged = Some(judged.unwrap_or(0.0) + j);
            }
        }
        Outcome { loss, accuracy: judged.map(|j| if j > 0.0 { right / j } else { 0.0 }) }
    }

    fn loss_of_part(
        &self,
        buffers: &mut Buffers<T>,
        i: usize,
        part: Part,
        first_error: usize,
        n_used: usize,
    ) -> f64 {
        let (network, n_out) = (self.network, self.network.dims.n_out);
        let Buffers { weights, activity, d, loaded } = buffers;
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

    /// Sets what a forward pass reads of `weights` to centre + a d1 + b d2: packing is linear, so the packed
    /// vectors are added. Outside the block they are the centre's already.
    fn move_to(&self, weights: &mut PackedWeights<T>, a: T, b: T) {
        let (centre, [d1, d2]) = (&self.centre, &self.directions);
        let is_in = |block| self.block == block || self.block == Block::All;
        if is_in(Block::Recurrent) {
            combine(&mut weights.w_rec_t, &centre.w_rec_t, a, &d1.w_rec_t, b, &d2.w_rec_t);
        }
        if is_in(Block::Input) {
            combine(&mut weights.w_in_t, &centre.w_in_t, a, &d1.w_in_t, b, &d2.w_in_t);
        }
        if is_in(Block::Readout) {
            combine(&mut weights.w_out, &centre.w_out, a, &d1.w_out, b, &d2.w_out);
        }
    }
}

impl<T: Scalar> Surface for NetworkSurface<'_, T> {
    fn loss(&self, a: f64, b: f64) -> f64 {
        self.evaluate(a, b, false).loss
    }
}

/// `out = centre + a d1 + b d2`.
fn combine<T: Scalar>(out: &mut [T], centre: &[T], a: T, d1: &[T], b: T, d2: &[T]) {
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

fn packed<T: Scalar>(network: &Network<T>, weights: &Weights<T>) -> PackedWeights<T> {
    let mut packed = PackedWeights::zeros(network.dims);
    packed.pack(network, weights);
    packed
}

/// The chunks of the trials with the steps at which each has errors: first, and one past the last.
fn parts<T: Scalar>(trials: &Trials<T>) -> Vec<(Part, usize, usize)> {
    let mask_sum = trials.mask_sum();
    let inverse_mask_sum = if mask_sum > 0.0 { 1.0 / mask_sum } else { 0.0 };
    chunks(trials.n_batch())
        .map(|(first, n_batch)| {
            let part = Part { first, n_batch, inverse_mask_sum };
            let (first_error, n_used) = steps_with_error(trials, part);
            (part, first_error, n_used)
        })
        .collect()
}
