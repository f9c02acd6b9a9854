//! Owns exponents without input: the network runs freely from random states.

use ndarray::ArrayView2;

use super::{Exponents, LyapunovSpectrum, SpectrumSettings};
use crate::numerics::parallel::Workers;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Weights;

/// How a network runs freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeRun {
    /// Steps T, those skipped among them.
    pub n_steps: usize,
    /// Random states h ~ N(0, 1), a = 0 to start from; they stand in the place of trials.
    pub n_states: usize,
}

impl<T: Scalar> LyapunovSpectrum<T> {
    /// Exponents of `weights` without input, from random states.
    ///
    /// The steps that `settings.skip` leaves out are the transient: tangents are orthonormalised in it as
    /// everywhere; [`super::Skip::Auto`] leaves out none, since no state is zero. ReLU networks, which grow
    /// without bound above gain sqrt 2 and shrink below, are renormalised after every step, which changes no
    /// Jacobian.
    pub fn run_free(
        &mut self,
        weights: &Weights<T>,
        run: FreeRun,
        settings: SpectrumSettings,
        q0: ArrayView2<'_, f64>,
        stream: &mut Stream,
        workers: &dyn Workers,
    ) -> Exponents {
        self.trajectories.wander(weights, run, stream, workers);
        self.measure(run.n_steps, settings, q0, workers)
    }
}
