//! Owns how a run takes up a checkpoint.

use super::{StartError, Trainer};
use crate::numerics::optimizers::StateError;
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::TaskData;
use crate::numerics::weights::Weights;
use crate::training::config::Config;
use crate::training::rule::LearningRule;
use crate::training::run::Checkpoint;

impl<T: Scalar> Trainer<T> {
    /// A run that goes on from a checkpoint. Where the checkpoint comes from another kind of optimiser, this one begins
    /// at rest, as after a change while a run goes on, and a warning says so.
    ///
    /// # Errors
    /// A checkpoint of another network, or with a damaged state.
    pub(super) fn resume(config: &Config, data: &TaskData, from: &Checkpoint) -> Result<Self, StartError> {
        let mut run = Self::new(config, data)?;
        let expected = run.weights.dims();
        if from.weights.dims() != expected {
            return Err(StartError::Checkpoint {
                what: "network sizes".into(),
                found: format!("{:?}", from.weights.dims()),
                expected: format!("{expected:?}"),
            });
        }
        run.iteration = from.iteration;
        run.weights = from.weights.cast();
        run.initial = from.initial.cast();
        run.before_flossing = from.before_flossing.as_ref().map(Weights::cast);
        if let Some(feedback) = from.feedback_of(&config.rule) {
            let own = feedback.iter().map(|v| T::of(*v)).collect();
            run.rule = LearningRule::new(&config.rule, &config.network, expected, config.seed, Some(own));
        }
        let find =
            |name: &str| from.optimizer.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice());
        let has_any = run.optimizer.state().iter().any(|(name, _)| find(name).is_some());
        match run.optimizer.restore(find) {
            Err(StateError::Missing { name }) if !has_any => run.warnings.push(format!(
                "the run so far had another optimiser and left no `{name}`: this one begins at rest, from zeros"
            )),
            restored => restored?,
        }
        run.flossing.restore(|name| find(&format!("flossing_{name}")))?;
        for (name, stream) in &from.streams {
            match name.as_str() {
                "training" => run.training_stream = stream.clone(),
                "flossing" => run.flossing.stream = stream.clone(),
                _ => {}
            }
        }
        Ok(run)
    }
}
