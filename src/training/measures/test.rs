//! Owns the test measure: loss and accuracy on the fixed test trials, and the generalization gap.

use super::Shared;
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::{GradientPass, Outcome};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::Task;
use crate::numerics::trials::Trials;
use crate::training::config::Config;
use crate::training::history::Series;

/// What the test measure found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestDetail {
    /// On the probe batch, which is drawn as training trials are (full-batch tasks: it is the batch).
    pub train: Outcome,
    /// On the test trials.
    pub test: Outcome,
    /// Train accuracy - test accuracy; where the task has no accuracy, test loss - train loss (P1). On the weights
    /// of one iteration both.
    pub gap: f64,
}

pub(super) struct Test<T> {
    trials: Trials<T>,
    test_pass: GradientPass<T>,
    probe_pass: GradientPass<T>,
}

impl<T: Scalar> Test<T> {
    pub fn new(config: &Config, network: &Network<T>, task: &dyn Task<T>) -> Self {
        Self {
            trials: task.test(&mut Stream::new(config.seed, Purpose::Test)),
            test_pass: GradientPass::new(network),
            probe_pass: GradientPass::new(network),
        }
    }

    pub fn take(
        &mut self,
        shared: &Shared<T>,
        workers: &dyn Workers,
        push: &mut dyn FnMut(Series, f64),
    ) -> TestDetail {
        let train = self.probe_pass.run(&shared.weights, &shared.probe, &[], &mut [], workers);
        let test = self.test_pass.run(&shared.weights, &self.trials, &[], &mut [], workers);
        let gap = match (train.accuracy, test.accuracy) {
            (Some(train), Some(test)) => train - test,
            _ => test.loss - train.loss,
        };
        push(Series::TestLoss, test.loss);
        if let Some(accuracy) = test.accuracy {
            push(Series::TestAccuracy, accuracy);
        }
        push(Series::GeneralizationGap, gap);
        TestDetail { train, test, gap }
    }
}
