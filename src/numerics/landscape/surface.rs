//! Owns the loss as a function on a plane: [`Surface`], and that of a network, [`NetworkSurface`].

use super::plane::Plane;
use super::probe::{Forward, Probe, combine};
use crate::numerics::network::{Network, PackedWeights};
use crate::numerics::parallel::{KeepOn, Pool};
use crate::numerics::rules::gradient::Outcome;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// A loss over a plane.
pub trait Surface: Sync {
    /// The loss at (a, b).
    fn loss(&self, a: f64, b: f64) -> f64;

    /// The same, or `None` where `keep_on` says no before it is known.
    fn loss_while(&self, a: f64, b: f64, keep_on: KeepOn<'_>) -> Option<f64> {
        keep_on().then(|| self.loss(a, b))
    }
}

impl<F: Fn(f64, f64) -> f64 + Sync> Surface for F {
    fn loss(&self, a: f64, b: f64) -> f64 {
        self(a, b)
    }
}

/// The true loss of a network on fixed trials. Each point is evaluated by one thread, in buffers that are made
/// once for each thread.
#[derive(Debug)]
pub struct NetworkSurface<'a, T> {
    probe: Probe<'a, T>,
    block: Block,
    centre: PackedWeights<T>,
    directions: [PackedWeights<T>; 2],
    pool: Pool<(PackedWeights<T>, Forward<T>)>,
}

impl<'a, T: Scalar> NetworkSurface<'a, T> {
    /// The loss of `network` on `trials` over `plane`, asked for by up to `width` threads at once.
    pub fn new(network: &'a Network<T>, trials: &'a Trials<T>, plane: &Plane, width: usize) -> Self {
        let probe = Probe::new(network, trials);
        let direction = |d: &[f64]| {
            let mut weights = Weights::zeros(network.dims);
            weights.block_mut(plane.block()).iter_mut().zip(d).for_each(|(w, d)| *w = T::of(*d));
            probe.pack(&weights)
        };
        let directions = [direction(plane.d1()), direction(plane.d2())];
        let centre = probe.pack(&plane.centre().cast());
        let mut pool = Pool::default();
        pool.grow(width, || (centre.clone(), probe.forward_buffers()));
        Self { probe, block: plane.block(), centre, directions, pool }
    }

    /// Loss and accuracy at (a, b); `None` where `keep_on`, asked before each chunk of the trials, says no.
    pub fn outcome(&self, a: f64, b: f64, keep_on: KeepOn<'_>) -> Option<Outcome> {
        self.evaluate(a, b, true, keep_on)
    }

    /// The loss of any weights of this network, in the plane or not; `None` as in [`NetworkSurface::outcome`].
    pub fn loss_of(&self, weights: &Weights<T>, keep_on: KeepOn<'_>) -> Option<f64> {
        let mut buffers = self.pool.borrow();
        let (own, forward) = &mut *buffers;
        *own = self.probe.pack(weights);
        let outcome = self.probe.outcome(forward, own, false, keep_on);
        own.clone_from(&self.centre);
        outcome.map(|o| o.loss)
    }

    fn evaluate(&self, a: f64, b: f64, with_accuracy: bool, keep_on: KeepOn<'_>) -> Option<Outcome> {
        let mut buffers = self.pool.borrow();
        // Outside the block these are the centre's weights, now and always.
        let (weights, forward) = &mut *buffers;
        let [d1, d2] = &self.directions;
        combine(weights, self.block, &self.centre, (T::of(a), d1), (T::of(b), d2));
        self.probe.outcome(forward, weights, with_accuracy, keep_on)
    }
}

impl<T: Scalar> Surface for NetworkSurface<'_, T> {
    fn loss(&self, a: f64, b: f64) -> f64 {
        self.loss_while(a, b, &|| true).unwrap_or(f64::NAN)
    }

    /// `keep_on` is asked before each chunk of the trials.
    fn loss_while(&self, a: f64, b: f64, keep_on: KeepOn<'_>) -> Option<f64> {
        self.evaluate(a, b, false, keep_on).map(|o| o.loss)
    }
}
