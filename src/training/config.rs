//! Owns [`Config`], every setting of a run, resolved. Names and defaults are those of the configuration file.

mod check;
pub mod error;
pub mod keys;
pub mod resolve;
mod text;

use serde::{Deserialize, Serialize};

pub(super) use check::skip_fits;

use crate::numerics::init::Init;
pub use crate::numerics::lyapunov::{FlossingVariant, Skip};
use crate::numerics::network::Activation;
use crate::numerics::rules::FeedbackScale;
use crate::numerics::weights::Block;

/// Every setting of a run. A value of this type has been checked: below this layer nothing is checked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The one seed from which every random stream starts.
    pub seed: u64,
    /// f32 or f64.
    pub precision: Precision,
    /// Updates to make.
    pub iterations: u64,
    /// When to stop before that.
    pub stop: StopConfig,
    /// The task with its own keys.
    pub task: TaskConfig,
    /// The network.
    pub network: NetworkConfig,
    /// The learning rule.
    pub rule: RuleConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// The learning-rate schedule.
    pub schedule: ScheduleConfig,
    /// Gradient flossing.
    pub flossing: FlossingConfig,
    /// What is measured, and how often.
    pub measure: MeasureConfig,
}

/// Precision of training and of the measures of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Precision {
    F32,
    F64,
}

/// When to stop before `iterations`; 0 = off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopConfig {
    /// Stop when the training loss is below this.
    pub loss_below: f64,
    /// Stop when the test accuracy is above this.
    pub test_accuracy_above: f64,
    /// The run has diverged when the training loss is above this.
    pub diverged_above: f64,
    /// Stop when the means of loss and of lambda_max over the last n iterations differ by less than 1 % from
    /// those over the n before.
    pub plateau: u64,
}

/// The task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskConfig {
    /// Trials in a training batch.
    pub batch: usize,
    /// Trials in the test batch.
    pub test_trials: usize,
    /// `kind` and the keys of that task.
    #[serde(flatten)]
    pub own: crate::numerics::tasks::TaskSettings,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkConfig {
    /// Recurrent units N.
    pub n_rec: usize,
    /// Initial gain g: w_rec ~ N(0, g^2/N).
    pub gain: f64,
    /// Leak 1 - dt/tau, in [0, 1).
    pub alpha: f64,
    /// f.
    pub activation: Activation,
    /// Initial w_in and w_out.
    pub init: InitConfig,
    /// Adaptive-threshold units.
    pub adaptive: AdaptiveConfig,
}

/// Initial w_in and w_out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InitConfig {
    /// Distribution of w_in.
    pub input: Init,
    /// Factor on w_in.
    pub input_scale: f64,
    /// Distribution of w_out.
    pub readout: Init,
    /// Factor on w_out.
    pub readout_scale: f64,
}

/// Adaptive-threshold units: the last `units` units adapt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveConfig {
    /// How many.
    pub units: usize,
    /// Strength.
    pub beta: f64,
    /// Time constant in steps.
    pub tau: f64,
}

/// The learning rules by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum RuleKind {
    Bptt,
    EProp,
    Rflo,
    Mdgl,
    ScaledBptt,
    TruncatedBptt,
    Upscaled,
}

/// The learning rule. Keys that the kind does not use are kept but have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleConfig {
    /// Which.
    pub kind: RuleKind,
    /// RFLO's feedback.
    pub feedback: FeedbackConfig,
    /// The rho of `scaled-bptt` and `upscaled`.
    pub rho: RhoConfig,
    /// Steps of `truncated-bptt`.
    pub window: usize,
}

/// RFLO's feedback.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeedbackConfig {
    /// Its distribution.
    pub scale: FeedbackScale,
}

/// Where the rho of `scaled-bptt` and `upscaled` comes from: measured each iteration, or a fixed number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RhoConfig {
    /// The rule whose rho is measured on the training batch (and, under `upscaled`, the rule that is scaled
    /// up); `bptt`, `scaled-bptt` and `upscaled` are no choices.
    pub of: RuleKind,
    /// A fixed number in the place of the measured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// The optimisers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum OptimizerKind {
    Sgd,
    Adam,
}

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerConfig {
    /// Which.
    pub kind: OptimizerKind,
    /// eta before the schedule.
    pub learning_rate: f64,
    /// Momentum of SGD; without effect on Adam.
    pub momentum: f64,
    /// Largest gradient norm over all weights; 0 = off.
    pub clip_norm: f64,
    /// c of L2, c/2 ||w||^2.
    pub l2: f64,
}

/// The schedules by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum ScheduleKind {
    Constant,
    Step,
    Exponential,
    Cosine,
}

/// The learning-rate schedule. Keys that the kind does not use are kept but have no effect.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleConfig {
    /// Which.
    pub kind: ScheduleKind,
    /// Iterations of linear warm-up in front; 0 = none.
    pub warmup: u64,
    /// step: the rate starts at this times `learning_rate`.
    pub initial_factor: f64,
    /// step: the rate is multiplied by this every `every` iterations.
    pub factor: f64,
    /// step: 0 = iterations / 30.
    pub every: u64,
    /// exponential: the rate is multiplied by this each iteration.
    pub decay: f64,
    /// cosine: the rate ends at this times `learning_rate`.
    pub final_factor: f64,
}

/// Gradient flossing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlossingConfig {
    /// Before training; 0 = off.
    pub iterations: u64,
    /// How many exponents.
    pub k: usize,
    /// Which gradient.
    pub variant: FlossingVariant,
    /// Of its own Adam.
    pub learning_rate: f64,
    /// Trials it sees.
    pub trials: usize,
    /// Flossing during training.
    pub during: FlossingDuring,
}

impl FlossingConfig {
    /// Whether there is any, before training or during it.
    pub fn is_on(&self) -> bool {
        self.iterations > 0 || (self.during.every > 0 && self.during.iterations > 0)
    }
}

/// Flossing during training: `iterations` of it every `every` iterations; 0 = off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct FlossingDuring {
    pub every: u64,
    pub iterations: u64,
}

/// How often a measure is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CadenceText", into = "CadenceText")]
pub enum Cadence {
    /// `"off"`.
    Never,
    /// 0.
    StartAndEnd,
    /// Every n iterations, at the start and at the end.
    Every(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum CadenceText {
    Number(u64),
    Word(String),
}

impl TryFrom<CadenceText> for Cadence {
    type Error = String;

    fn try_from(text: CadenceText) -> Result<Self, String> {
        match text {
            CadenceText::Number(0) => Ok(Cadence::StartAndEnd),
            CadenceText::Number(n) => Ok(Cadence::Every(n)),
            CadenceText::Word(word) if word == "off" => Ok(Cadence::Never),
            CadenceText::Word(word) => {
                Err(format!("`{word}` is no cadence: expected a number of iterations, 0 or \"off\""))
            }
        }
    }
}

impl From<Cadence> for CadenceText {
    fn from(cadence: Cadence) -> Self {
        match cadence {
            Cadence::Never => CadenceText::Word("off".into()),
            Cadence::StartAndEnd => CadenceText::Number(0),
            Cadence::Every(n) => CadenceText::Number(n),
        }
    }
}

impl Cadence {
    /// Whether the measure is due after `iteration` updates, `last` being the last of the run.
    pub fn due(self, iteration: u64, last: bool) -> bool {
        match self {
            Cadence::Never => false,
            Cadence::StartAndEnd => iteration == 0 || last,
            Cadence::Every(n) => iteration.is_multiple_of(n) || last,
        }
    }
}

/// What is measured, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureConfig {
    /// Test loss, accuracy, generalization gap.
    pub test: Cadence,
    /// Hessian eigenvalues.
    pub curvature: Cadence,
    /// Lyapunov exponents.
    pub lyapunov: Cadence,
    /// Alignment of the rule's gradient with the exact one.
    pub alignment: Cadence,
    /// The landscape slice.
    pub landscape: Cadence,
    /// Trials in the fixed probe batch.
    pub probe_trials: usize,
    /// The weights that the Hessian is taken over.
    pub block: Block,
    /// How many leading eigenvalues.
    pub top_k: usize,
    /// How many exponents along the run, 0 = all; at the start and the end always all.
    pub lyapunov_exponents: usize,
    /// Steps left out at the start of each trial.
    pub lyapunov_skip: Skip,
    /// What drives the network.
    pub lyapunov_drive: Drive,
    /// The landscape slice.
    pub slice: SliceConfig,
}

/// What drives the network while exponents are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drive {
    /// The inputs of the probe batch.
    Task,
    /// Nothing: zero input from a random state.
    None,
}

/// The directions of a landscape slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SliceDirections {
    /// Random, filter-normalised per neuron.
    Random,
    /// The top two Hessian eigenvectors.
    Eigenvectors,
    /// The top Hessian eigenvector and a random direction of the same length.
    EigenvectorRandom,
    /// The first two principal components of the run's trajectory.
    Trajectory,
    /// The plane through three chosen points.
    ThreePoints,
}

/// The landscape slice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceConfig {
    /// Its directions.
    pub directions: SliceDirections,
    /// Points along each, the first and the last on the ends of the range. The centre is always one of them: with an
    /// even number the grid is moved by half a space, and reaches so much further to one side.
    pub points: usize,
    /// Reach to either side, half the length of the axes; 0 = automatic.
    pub range: f64,
}
