//! Owns [`Task`], what a network is asked to learn; one file a task. Constants with the tags of their
//! sources: `[P1]`, `[P2]` a paper's text, `[C]` the authors' published code or the code they say they
//! followed, `[own]` ours, because the source does not say.

mod cued_match;
mod delayed_match;
mod facts;
mod file;
mod fresh;
mod keys;
mod pattern;
mod romo;
mod sequential_mnist;
mod subset;
mod two_alternative;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use ndarray::Array2;

use super::random::{Purpose, Stream};
use super::scalar::Scalar;
use super::trials::{LossKind, Trials, TrialsShape};
use super::weights::Weights;

pub use cued_match::CuedMatch;
pub use delayed_match::DelayedMatch;
pub use facts::TaskFacts;
pub use file::File;
pub use keys::{Expected, Key, TaskError};
pub use pattern::Pattern;
pub use romo::Romo;
pub use sequential_mnist::{Digits, SequentialMnist, TestOn};
pub use two_alternative::{Fixation, TwoAlternative};

/// A task.
///
/// Random numbers come from the stream that a method is given, and from nowhere else; they are drawn in f64
/// whatever `T`, so that both precisions see the same trials.
pub trait Task<T: Scalar>: Send + Sync {
    /// The shape of a training batch. Test and probe trials have its `n_in` and `n_out`, but may have another
    /// number of steps and of trials.
    fn shape(&self) -> TrialsShape;

    /// Draws a training batch into `out`, which has that shape ([`Trials::zeros`]). The first draw adds the
    /// decision where the task has one; later draws into the same `out` allocate nothing.
    fn draw_training(&self, stream: &mut Stream, out: &mut Trials<T>);

    /// The fixed test trials.
    fn test(&self, stream: &mut Stream) -> Trials<T>;

    /// The fixed probe batch: `n` trials like those of training, drawn from `stream`; at most as many as
    /// there are; the batch itself where training is full batch.
    fn probe(&self, n: usize, stream: &mut Stream) -> Trials<T>;

    /// Whether every training batch is all there is to train on.
    fn is_full_batch(&self) -> bool;
}

/// Which task, with its own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TaskSettings {
    Romo(Romo),
    TwoAlternative(TwoAlternative),
    DelayedMatch(DelayedMatch),
    CuedMatch(CuedMatch),
    Pattern(Pattern),
    SequentialMnist(SequentialMnist),
    File(File),
}

/// Which task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum TaskKind {
    Romo,
    TwoAlternative,
    DelayedMatch,
    CuedMatch,
    Pattern,
    SequentialMnist,
    File,
}

impl TaskKind {
    /// All tasks, in the order of the documentation.
    pub const ALL: [TaskKind; 7] = [
        TaskKind::Romo,
        TaskKind::TwoAlternative,
        TaskKind::DelayedMatch,
        TaskKind::CuedMatch,
        TaskKind::Pattern,
        TaskKind::SequentialMnist,
        TaskKind::File,
    ];

    /// Its name in configuration files (`task.kind`).
    pub fn name(self) -> &'static str {
        match self {
            TaskKind::Romo => "romo",
            TaskKind::TwoAlternative => "two-alternative",
            TaskKind::DelayedMatch => "delayed-match",
            TaskKind::CuedMatch => "cued-match",
            TaskKind::Pattern => "pattern",
            TaskKind::SequentialMnist => "sequential-mnist",
            TaskKind::File => "file",
        }
    }

    /// The task of that name.
    pub fn from_name(name: &str) -> Option<TaskKind> {
        TaskKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name on the screen.
    pub fn title(self) -> &'static str {
        match self {
            TaskKind::Romo => "Romo task",
            TaskKind::TwoAlternative => "Two-alternative forced choice",
            TaskKind::DelayedMatch => "Delayed match to sample",
            TaskKind::CuedMatch => "Cued delayed match to sample",
            TaskKind::Pattern => "Pattern generation",
            TaskKind::SequentialMnist => "Sequential MNIST",
            TaskKind::File => "Trials from a file",
        }
    }

    /// What it asks, in one line.
    pub fn description(self) -> &'static str {
        match self {
            TaskKind::Romo => {
                "Which of two pulses, a few time units apart, was the larger? (P2, its main task)"
            }
            TaskKind::TwoAlternative => "Which of two noisy channels is stronger on average? (P2)",
            TaskKind::DelayedMatch => "Is the second of two noisy stimuli the same as the first? (P2)",
            TaskKind::CuedMatch => "Are two binary cues equal? Tested at longer delays than trained (P1)",
            TaskKind::Pattern => "Draw a sum of four sinusoids from one fixed noisy input (P1)",
            TaskKind::SequentialMnist => "Name a digit that is shown row by row (P1)",
            TaskKind::File => "Your own inputs and targets, from an npz file",
        }
    }

    /// Its loss; `None` where the data decide.
    pub fn loss_kind(self) -> Option<LossKind> {
        match self {
            TaskKind::Romo | TaskKind::Pattern => Some(LossKind::Regression),
            TaskKind::TwoAlternative
            | TaskKind::DelayedMatch
            | TaskKind::CuedMatch
            | TaskKind::SequentialMnist => Some(LossKind::Classification),
            TaskKind::File => None,
        }
    }

    /// Whether every training batch is the same set of trials, whatever `task.batch` says.
    pub fn full_batch(self) -> bool {
        matches!(self, TaskKind::CuedMatch | TaskKind::Pattern)
    }

    /// The task's own keys of `[task]`, beside `kind`, `batch` and `test_trials`.
    pub fn keys(self) -> &'static [Key] {
        match self {
            TaskKind::Romo => Romo::KEYS,
            TaskKind::TwoAlternative => TwoAlternative::KEYS,
            TaskKind::DelayedMatch => DelayedMatch::KEYS,
            TaskKind::CuedMatch => CuedMatch::KEYS,
            TaskKind::Pattern => Pattern::KEYS,
            TaskKind::SequentialMnist => SequentialMnist::KEYS,
            TaskKind::File => File::KEYS,
        }
    }

    /// The task with its default keys.
    pub fn defaults(self) -> TaskSettings {
        match self {
            TaskKind::Romo => TaskSettings::Romo(Romo::default()),
            TaskKind::TwoAlternative => TaskSettings::TwoAlternative(TwoAlternative::default()),
            TaskKind::DelayedMatch => TaskSettings::DelayedMatch(DelayedMatch::default()),
            TaskKind::CuedMatch => TaskSettings::CuedMatch(CuedMatch::default()),
            TaskKind::Pattern => TaskSettings::Pattern(Pattern::default()),
            TaskKind::SequentialMnist => TaskSettings::SequentialMnist(SequentialMnist::default()),
            TaskKind::File => TaskSettings::File(File::default()),
        }
    }
}

impl TaskSettings {
    /// Which task.
    pub fn kind(&self) -> TaskKind {
        match self {
            TaskSettings::Romo(_) => TaskKind::Romo,
            TaskSettings::TwoAlternative(_) => TaskKind::TwoAlternative,
            TaskSettings::DelayedMatch(_) => TaskKind::DelayedMatch,
            TaskSettings::CuedMatch(_) => TaskKind::CuedMatch,
            TaskSettings::Pattern(_) => TaskKind::Pattern,
            TaskSettings::SequentialMnist(_) => TaskKind::SequentialMnist,
            TaskSettings::File(_) => TaskKind::File,
        }
    }

    /// Whether every key is in its range.
    ///
    /// # Errors
    /// The first key that is not, with its value and what was expected.
    pub fn check(&self) -> Result<(), TaskError> {
        match self {
            TaskSettings::Romo(task) => task.check(),
            TaskSettings::TwoAlternative(task) => task.check(),
            TaskSettings::DelayedMatch(task) => task.check(),
            TaskSettings::CuedMatch(task) => task.check(),
            TaskSettings::Pattern(task) => task.check(),
            TaskSettings::SequentialMnist(task) => task.check(),
            TaskSettings::File(task) => task.check(),
        }
    }
}

/// Data that a task needs and that come from files, read by the layer above.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TaskData {
    /// None needed.
    #[default]
    None,
    /// Digits (`sequential-mnist`).
    Digits {
        /// Pictures to train on.
        train: Arc<Digits>,
        /// Pictures to test on.
        test: Arc<Digits>,
    },
    /// The user's own trials (`file`).
    Trials {
        /// Trials to train on.
        train: Arc<Trials<f64>>,
        /// Trials to test on; without them the training trials are tested on.
        test: Option<Arc<Trials<f64>>>,
        /// Outputs of a network that learns labels, at least; 0: as many as they ask for.
        outputs: usize,
    },
    /// A network trained elsewhere, with the trials that it is looked at on (`file`).
    Network {
        /// Trials to train and to test on, [T, B, ...].
        trials: Arc<Trials<f64>>,
        /// Where training begins.
        weights: Arc<Weights<f64>>,
        /// RFLO's fixed feedback [n_out, N], where it has one.
        feedback: Option<Vec<f64>>,
        /// Where the tangents of Lyapunov exponents start, [n, n] over the n values of a state, where it says so.
        q0: Option<Arc<Array2<f64>>>,
    },
}

impl TaskData {
    /// The same for networks whose weights are drawn.
    pub fn without_weights(&self) -> Self {
        match self {
            Self::Network { trials, weights, .. } => {
                Self::Trials { train: Arc::clone(trials), test: None, outputs: weights.dims().n_out }
            }
            other => other.clone(),
        }
    }
}

/// Most trials in a batch.
pub const MOST_TRIALS: usize = 1 << 20;

/// Makes the task.
///
/// `batch` trials in a training batch (full-batch tasks ignore it; at most as many as there are data);
/// `test_trials` test trials (`sequential-mnist`: at most as many as there are; `file` ignores it). `seed` is
/// that of the run: [`Purpose::Task`] gives what a task fixes once.
///
/// # Errors
/// A key out of its range, or data that do not fit the task.
pub fn build<T: Scalar>(
    settings: &TaskSettings,
    batch: usize,
    test_trials: usize,
    seed: u64,
    data: &TaskData,
) -> Result<Box<dyn Task<T>>, TaskError> {
    settings.check()?;
    for (key, value) in [("batch", batch), ("test_trials", test_trials)] {
        if !(1..=MOST_TRIALS).contains(&value) {
            return Err(TaskError::new(key, value, Expected::Whole(1, MOST_TRIALS as u64)));
        }
    }
    let mut stream = Stream::new(seed, Purpose::Task);
    Ok(match settings {
        TaskSettings::Romo(task) => Box::new(fresh::Fresh { trials: task.clone(), batch, test_trials }),
        TaskSettings::TwoAlternative(task) => {
            Box::new(fresh::Fresh { trials: task.clone(), batch, test_trials })
        }
        TaskSettings::DelayedMatch(task) => {
            Box::new(fresh::Fresh { trials: task.clone(), batch, test_trials })
        }
        TaskSettings::CuedMatch(task) => Box::new(cued_match::CuedMatchTask::new(task, test_trials)),
        TaskSettings::Pattern(task) => Box::new(pattern::PatternTask::new(task, test_trials, &mut stream)),
        TaskSettings::SequentialMnist(task) => {
            Box::new(sequential_mnist::SequentialMnistTask::new(task, batch, test_trials, data)?)
        }
        TaskSettings::File(task) => Box::new(file::FileTask::new(task, batch, data)?),
    })
}
