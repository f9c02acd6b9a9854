//! Owns [`FlossingStage`]: gradient flossing before and during training, with its own optimiser and trials.

use std::sync::Arc;

use ndarray::Array2;

use super::config::{Config, FlossingConfig, Skip};
use crate::numerics::lyapunov::{Flossing, FlossingSettings, LyapunovSpectrum, dense_orthonormal, q0_fits};
use crate::numerics::network::Network;
use crate::numerics::optimizers::{Optimizer, StateError, gradient_norm};
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::{Task, TaskData};
use crate::numerics::weights::Weights;

/// What one flossing iteration found, before its update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flossed {
    /// F, the sum of the squares of the k leading exponents.
    pub loss: f64,
    /// The largest exponent, nats per step.
    pub leading: f64,
    /// Norm of F's gradient over all weights.
    pub gradient_norm: f64,
    /// Why F is not defined though the weights are finite; `None` where it is, or where something diverged.
    pub undefined: Option<&'static str>,
}

/// Flossing with Adam on fresh trials of the task. Where the tangents start is that of the run's measures.
pub struct FlossingStage<T> {
    /// Where its trials come from.
    pub stream: Stream,
    config: FlossingConfig,
    skip: Skip,
    optimizer: Optimizer<T>,
    flossing: Flossing<T>,
    q0: Arc<Array2<f64>>,
    gradient: Weights<T>,
}

/// Where flossing stands between two iterations: which trials come next, and its optimiser.
pub struct Position<T> {
    stream: Stream,
    optimizer: Optimizer<T>,
}

impl<T: Scalar> FlossingStage<T> {
    /// The stage of a configuration.
    pub fn new(config: &Config, network: &Network<T>, data: &TaskData) -> Self {
        Self {
            stream: Stream::new(config.seed, Purpose::Flossing),
            config: config.flossing,
            skip: config.measure.lyapunov_skip,
            optimizer: Optimizer::adam(network.dims.n_weights()),
            flossing: Flossing::new(network),
            q0: tangents_of(data, config.seed, network),
            gradient: Weights::zeros(network.dims),
        }
    }

    /// One flossing iteration: exponents on fresh trials, then one update of `weights`. Where something is not
    /// finite there is none, and the trials come again.
    pub fn step(&mut self, weights: &mut Weights<T>, task: &dyn Task<T>, workers: &dyn Workers) -> Flossed {
        let before = self.stream.clone();
        let trials = task.probe(self.config.trials, &mut self.stream);
        let FlossingConfig { k, variant, learning_rate, .. } = self.config;
        let settings = FlossingSettings { k, variant, skip: self.skip };
        let q0 = self.q0.view();
        let found =
            self.flossing.loss_and_gradient(weights, &trials, settings, q0, workers, &mut self.gradient);
        let gradient_norm = gradient_norm(self.gradient.flat());
        if found.loss.is_finite() && gradient_norm.is_finite() {
            self.optimizer.step(weights.flat_mut(), self.gradient.flat(), learning_rate);
        } else {
            self.stream = before;
        }
        let leading = found.exponents.iter().copied().fold(f64::NAN, f64::max);
        let is_silent = found.silent_trials == trials.n_batch();
        let undefined = (is_silent && weights.flat().iter().all(|w| w.is_finite())).then_some(SILENT);
        Flossed { loss: found.loss, leading, gradient_norm, undefined }
    }

    /// Where it stands.
    pub fn position(&self) -> Position<T> {
        Position { stream: self.stream.clone(), optimizer: self.optimizer.clone() }
    }

    /// Stands there again.
    pub fn return_to(&mut self, Position { stream, optimizer }: Position<T>) {
        (self.stream, self.optimizer) = (stream, optimizer);
    }

    /// The optimiser's state by name.
    pub fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        self.optimizer.state()
    }

    /// Takes up a stored state.
    pub fn restore<'a>(&mut self, find: impl Fn(&str) -> Option<&'a [f64]>) -> Result<(), StateError> {
        self.optimizer.restore(find)
    }
}

/// Why F has no value though nothing diverged.
const SILENT: &str = "all its trials are silent";

/// Its own number in the family of the measures' streams.
const STREAM: u64 = 1;

/// Q_0 of a run, for its exponents and its flossing: where the data say, as far as they say it for a state of this size
/// (units may have been made adaptive since), or where the seed's own stream has it.
pub fn tangents_of<T: Scalar>(data: &TaskData, seed: u64, network: &Network<T>) -> Arc<Array2<f64>> {
    match data {
        TaskData::Network { q0: Some(q0), .. } if q0_fits(q0.dim(), 0, network) => Arc::clone(q0),
        _ => Arc::new(first_tangents(seed, network)),
    }
}

/// Q_0 of a seed: dense, orthonormal, drawn once from the measures' stream.
pub fn first_tangents<T: Scalar>(seed: u64, network: &Network<T>) -> Array2<f64> {
    let n_state = LyapunovSpectrum::new(network).n_state();
    dense_orthonormal(n_state, &mut Stream::numbered(seed, Purpose::Measures, STREAM))
}
