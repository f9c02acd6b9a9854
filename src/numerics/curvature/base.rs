//! Owns [`BasePass`]: what a forward and a backward pass over one chunk of trials leave for the
//! Hessian-vector products at the same weights.

use super::readout::ReadoutCurvature;
use crate::numerics::loss::{Part, loss_and_error};
use crate::numerics::network::{Activation, Activity, Network, PackedWeights};
use crate::numerics::rules::{Bptt, Pass, Rule, Scratch};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;

/// One chunk at one point of weight space: equations (1)-(12), kept.
#[derive(Debug)]
pub(super) struct BasePass<T> {
    pub activity: Activity<T>,
    /// d [T, B, n_out], set from `first_error` to `n_used`.
    pub d: Vec<T>,
    /// delta [T+1, B, N], set from 1 to `n_used`.
    pub delta: Vec<T>,
    /// f''(v[t]) o s[t] [T+1, B, N], set from 1 to `n_used`; empty where f'' = 0.
    pub bend: Vec<T>,
    pub readout: ReadoutCurvature<T>,
    /// Steps at the start at which every trial has zero input: z is 0 up to and with this step.
    pub quiet: usize,
    /// First step with an error.
    pub first_error: usize,
    /// One past the last step with an error.
    pub n_used: usize,
    scratch: Scratch<T>,
}

impl<T: Scalar> BasePass<T> {
    pub fn new(network: &Network<T>) -> Self {
        Self {
            activity: Activity::new(network, 0, 0, false),
            d: Vec::new(),
            delta: Vec::new(),
            bend: Vec::new(),
            readout: ReadoutCurvature::default(),
            quiet: 0,
            first_error: 0,
            n_used: 0,
            scratch: Scratch::new(network, 0),
        }
    }

    /// Runs both passes; returns this chunk's share of the loss.
    pub fn run(
        &mut self,
        network: &Network<T>,
        weights: &PackedWeights<T>,
        trials: &Trials<T>,
        part: Part,
    ) -> f64 {
        let (n_out, zero) = (network.dims.n_out, T::zero());
        self.activity.reshape(network, trials.n_steps(), part.n_batch);
        self.d.resize(self.activity.y.len(), zero);
        self.delta.resize(self.activity.z.len(), zero);
        self.scratch.reshape(network, part.n_batch);
        (self.first_error, self.n_used) = masked_steps(trials, part);
        let errors = self.errors(n_out, part.n_batch);

        let activity = &mut self.activity;
        activity.load(trials, part.first);
        let row = part.n_batch * network.dims.n_in;
        let steps = 0..self.n_used;
        let silent = |t: &usize| activity.x[t * row..(t + 1) * row].iter().all(|x| *x == zero);
        self.quiet = steps.take_while(silent).count();
        activity.forward_steps(network, weights, self.n_used);
        activity.read_out(network, weights, self.first_error..self.n_used);
        let (y, d) = (&activity.y[errors.clone()], &mut self.d[errors]);
        let loss = loss_and_error(trials, part, self.first_error, n_out, y, d);
        self.readout.prepare(trials, part, self.first_error, n_out, y);
        let (first_error, n_used) = (self.first_error, self.n_used);
        let pass = Pass { network, weights, activity, d: &self.d, first_error, n_used };
        Bptt.delta(&pass, &mut self.scratch, &mut self.delta);
        self.bend_from_delta(network);
        loss
    }

    /// Where the steps with an error stand in an array [T, B, n_out].
    pub fn errors(&self, n_out: usize, n_batch: usize) -> std::ops::Range<usize> {
        self.first_error * n_batch * n_out..self.n_used * n_batch * n_out
    }

    /// f'' s, from g = f' s = delta[t] - alpha delta[t+1] (equation 11).
    fn bend_from_delta(&mut self, network: &Network<T>) {
        let f = network.activation;
        if f == Activation::Relu {
            self.bend.clear();
            return;
        }
        self.bend.resize(self.delta.len(), T::zero());
        let layer = self.activity.n_batch * network.dims.n_rec;
        for t in 1..=self.n_used {
            let now = t * layer..(t + 1) * layer;
            let later = (t + 1) * layer..(t + 2) * layer;
            for (i, at) in now.enumerate() {
                let next = if t < self.n_used { self.delta[later.start + i] } else { T::zero() };
                let g = self.delta[at] - network.alpha * next;
                let z = self.activity.z[at];
                let slope = f.slope(z);
                // A unit so far in saturation that its slope is 0 in this precision has no curvature either.
                let s = if slope == T::zero() { T::zero() } else { g / slope };
                self.bend[at] = f.curvature(z) * s;
            }
        }
    }
}

/// First step of this part with a positive mask, and one past the last (both 0 where there is none).
fn masked_steps<T: Scalar>(trials: &Trials<T>, part: Part) -> (usize, usize) {
    let masked = |t: &usize| {
        let own = ndarray::s![*t, part.first..part.first + part.n_batch];
        trials.mask.slice(own).iter().any(|m| *m != T::zero())
    };
    match (0..trials.n_steps()).rev().find(masked) {
        Some(last) => ((0..=last).find(masked).unwrap_or(last), last + 1),
        None => (0, 0),
    }
}
