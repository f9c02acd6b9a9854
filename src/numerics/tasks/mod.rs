//! The tasks: what a network is asked to learn, each with its training, test and probe trials.

use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::scalar::Scalar;
use super::trials::{Trials, TrialsShape};

/// A task.
pub trait Task<T: Scalar>: Send + Sync {
    /// The shape of a training batch.
    fn shape(&self) -> TrialsShape;

    /// Draws a training batch into `out`, which has that shape, without allocating.
    fn draw_training(&self, stream: &mut Stream, out: &mut Trials<T>);

    /// The fixed test trials.
    fn test(&self, stream: &mut Stream) -> Trials<T>;

    /// The fixed probe batch of about `n` trials.
    fn probe(&self, n: usize, stream: &mut Stream) -> Trials<T>;
}

/// Which task, with its own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TaskSettings {
    Romo {},
    TwoAlternative {},
    DelayedMatch {},
    CuedMatch {},
    Pattern {},
    SequentialMnist {},
    File {},
}
