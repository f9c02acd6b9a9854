//! Owns the measure of Lyapunov exponents along a run.

use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use super::Shared;
use crate::numerics::lyapunov::{Exponents, FreeRun, LyapunovSpectrum, SpectrumSettings};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;
use crate::training::config::{Config, Drive};
use crate::training::flossing::tangents_of;
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
    /// The leading exponent as it settles: the batch mean over the steps from `exponents.skip` up to each one,
    /// [T - skip]; the last is its value.
    pub convergence: Vec<f64>,
}

/// The number of the free runs' stream in the family of the measures' streams.
const STREAM: u64 = 2;

/// What a configuration takes exponents along, wherever it takes them.
#[derive(Clone, Copy, Debug)]
pub struct Along<'a, T> {
    /// `measure.lyapunov_drive`.
    pub drive: Drive,
    /// The trials that drive the network; without a drive, only their number and length count.
    pub probe: &'a Trials<T>,
    /// Where the states of free runs come from.
    pub seed: u64,
}

impl<T: Scalar> Along<'_, T> {
    /// Exponents of `weights`, in nats per step. Without a drive they are those of free runs as long as a trial,
    /// from as many random states as there are trials: the same states at each call.
    pub fn exponents(
        self,
        spectrum: &mut LyapunovSpectrum<T>,
        weights: &Weights<T>,
        settings: SpectrumSettings,
        q0: ArrayView2<'_, f64>,
        workers: &dyn Workers,
    ) -> Exponents {
        match self.drive {
            Drive::Task => spectrum.run(weights, self.probe, settings, q0, workers),
            Drive::None => {
                let run = FreeRun { n_steps: self.probe.n_steps(), n_states: self.probe.n_batch() };
                let mut stream = Stream::numbered(self.seed, Purpose::Measures, STREAM);
                spectrum.run_free(weights, run, settings, q0, &mut stream, workers)
            }
        }
    }
}

pub(super) struct Lyapunov<T> {
    spectrum: LyapunovSpectrum<T>,
    q0: Arc<Array2<f64>>,
}

impl<T: Scalar> Lyapunov<T> {
    /// Tangents start where the data or the seed have them ([`tangents_of`]).
    pub fn new(config: &Config, network: &Network<T>, data: &TaskData) -> Self {
        Self { spectrum: LyapunovSpectrum::new(network), q0: tangents_of(data, config.seed, network) }
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
        let along = Along { drive: measure.lyapunov_drive, probe: &shared.probe, seed: shared.config.seed };
        let (spectrum, q0) = (&mut self.spectrum, self.q0.view());
        let mut exponents = |settings| along.exponents(spectrum, &shared.weights, settings, q0, workers);
        // The leading one alone goes by a vector, every step of it: its way there comes for nothing beside all.
        let leading =
            SpectrumSettings { convergence: true, ..SpectrumSettings::leading(1, measure.lyapunov_skip) };
        let mut leading = exponents(leading);
        let convergence = leading.convergence.take().map_or(Vec::new(), |c| c.column(0).to_vec());
        let exponents = match n {
            1 => leading,
            _ => exponents(SpectrumSettings::leading(n, measure.lyapunov_skip)),
        };
        push(Series::LyapunovMax, exponents.max());
        if n == n_state {
            push(Series::LyapunovSum, exponents.sum());
        }
        LyapunovDetail { exponents, q0: Arc::clone(&self.q0), all: n == n_state, convergence }
    }
}
