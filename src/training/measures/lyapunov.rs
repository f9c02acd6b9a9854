//! Owns the measure of Lyapunov exponents along a run.

use std::sync::Arc;

use ndarray::Array2;

use super::Shared;
use crate::numerics::lyapunov::{Exponents, LyapunovSpectrum, SpectrumSettings};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::scalar::Scalar;
use crate::training::config::Config;
use crate::training::flossing::first_tangents;
use crate::training::history::Series;

/// What the Lyapunov measure found.
#[derive(Clone, Debug, PartialEq)]
pub struct LyapunovDetail {
    /// Exponents, nats per step.
    pub exponents: Exponents,
    /// Where the tangents started: dense, orthonormal, drawn once for the run.
    pub q0: Arc<Array2<f64>>,
    /// Whether these are all exponents or the leading ones only.
    pub all: bool,
}

pub(super) struct Lyapunov<T> {
    spectrum: LyapunovSpectrum<T>,
    q0: Arc<Array2<f64>>,
}

impl<T: Scalar> Lyapunov<T> {
    pub fn new(config: &Config, network: &Network<T>) -> Self {
        let q0 = Arc::new(first_tangents(config.seed, network));
        Self { spectrum: LyapunovSpectrum::new(network), q0 }
    }

    pub fn take(
        &mut self,
        shared: &Shared<T>,
        at_an_end: bool,
        workers: &dyn Workers,
        push: &mut dyn FnMut(Series, f64),
    ) -> LyapunovDetail {
        let measure = &shared.config.measure;
        let n_state = self.spectrum.n_state();
        let asked = measure.lyapunov_exponents.min(n_state);
        let n = if at_an_end || asked == 0 { n_state } else { asked };
        let settings = SpectrumSettings::leading(n, measure.lyapunov_skip);
        let exponents = self.spectrum.run(&shared.weights, &shared.probe, settings, self.q0.view(), workers);
        push(Series::LyapunovMax, exponents.max());
        if n == n_state {
            push(Series::LyapunovSum, exponents.sum());
        }
        LyapunovDetail { exponents, q0: Arc::clone(&self.q0), all: n == n_state }
    }
}
