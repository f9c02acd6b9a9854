//! Owns [`Run`], a run as the layers above see it, whatever the
//! precision; and [`StopReason`], every way in which a run ends.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::config::{Config, FeedbackConfig, OptimizerConfig, RuleConfig, ScheduleConfig, StopConfig};
use super::history::{Row, Series};
use crate::numerics::network::Activity;
use crate::numerics::parallel::Workers;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::TaskFacts;
use crate::numerics::trials::{Target, Trials};
use crate::numerics::weights::{Dims, Weights};

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum StopReason {
    /// All iterations are made.
    Done,
    /// The training loss fell below `stop.loss_below`.
    LossReached,
    /// The test accuracy rose above `stop.test_accuracy_above`.
    AccuracyReached,
    /// Loss and lambda_max no longer change (`stop.plateau`).
    Plateau,
    /// The user stopped it.
    Stopped,
    /// What the run was to do next is not defined for its network, whose weights are finite.
    Undefined {
        /// The iteration at which it is not.
        iteration: i64,
        /// The quantity without a value, in the field's words ("flossing loss").
        quantity: String,
        /// Why it has none, a clause.
        why: String,
    },
    /// Something became infinite or NaN, or the loss rose above `stop.diverged_above`.
    Diverged {
        /// The iteration whose numbers are bad.
        iteration: i64,
        /// The first bad quantity, in the field's words ("training loss", "gradient norm", ...).
        quantity: String,
        /// Its value (as text in files: it may be NaN).
        value: String,
    },
}

/// What one update found. `rows` are its values for the history, at the iteration of the weights they
/// belong to (before the update).
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Updates made, after this one.
    pub iteration: i64,
    /// train_loss, train_accuracy, learning_rate, gradient_norm, weight_norm; flossing_loss and
    /// lyapunov_max in a flossing iteration, and where a round of flossing came before the update. At such a round the
    /// loss, accuracy and norms are those of the weights after it, from which the update is made; flossing_loss,
    /// lyapunov_max and every measure of that iteration are of the weights before it.
    pub rows: Rows,
    /// `Some` where the run ends here.
    pub stop: Option<StopReason>,
}

/// The few values of one update, without an allocation. Read it as a slice of [`Row`]s.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    rows: [Row; Rows::MOST],
    len: usize,
}

impl Rows {
    const MOST: usize = 8;

    /// None yet.
    pub fn none() -> Self {
        let nothing = Row { iteration: 0, series: Series::TrainLoss, value: 0.0 };
        Self { rows: [nothing; Rows::MOST], len: 0 }
    }

    /// Adds one; an update has fewer than [`Rows::MOST`] values.
    pub fn push(&mut self, iteration: i64, series: Series, value: f64) {
        self.rows[self.len] = Row { iteration, series, value };
        self.len += 1;
    }
}

impl std::ops::Deref for Rows {
    type Target = [Row];

    fn deref(&self) -> &[Row] {
        &self.rows[..self.len]
    }
}

impl FromIterator<Row> for Rows {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut all = Self::none();
        rows.into_iter().for_each(|r| all.push(r.iteration, r.series, r.value));
        all
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

/// A setting that acts at once, without a reset.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Change {
    Rule(RuleConfig),
    Optimizer(OptimizerConfig),
    Schedule(ScheduleConfig),
    Iterations(u64),
    Stop(StopConfig),
}

/// All that a run needs to go on as if it had never stopped (with its configuration and its task's data).
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Updates made; negative while flossing before training.
    pub iteration: i64,
    /// Weights now.
    pub weights: Weights<f64>,
    /// Weights at iteration 0, after flossing.
    pub initial: Weights<f64>,
    /// Weights before flossing, where it was used.
    pub before_flossing: Option<Weights<f64>>,
    /// RFLO's fixed feedback, where used.
    pub feedback: Option<Feedback>,
    /// The optimiser's state vectors, each of P values, by name (momentum `velocity`; Adam `first_moment`,
    /// `second_moment`; the same with the prefix `flossing_`), and its step counts.
    pub optimizer: Vec<(String, Vec<f64>)>,
    /// State of the measures by name (start vectors of the eigenvalue search), so that they too go on with
    /// the same bits; empty where there is none.
    pub measures: Vec<(String, Vec<f64>)>,
    /// Positions of the streams that have moved: training trials and flossing trials.
    pub streams: Vec<(String, Stream)>,
}

/// RFLO's fixed feedback of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Feedback {
    /// What it was drawn by: under another setting it is drawn anew.
    pub drawn_by: FeedbackConfig,
    /// [n_out, N], row-major.
    pub values: Vec<f64>,
}

impl Checkpoint {
    /// The feedback that a run with this rule goes on with; `None`: it is drawn from the seed.
    pub fn feedback_of(&self, rule: &RuleConfig) -> Option<&[f64]> {
        let own = self.feedback.as_ref().filter(|own| own.drawn_by == rule.feedback)?;
        Some(&own.values)
    }
}

/// A run. It is advanced step by step by whoever owns it; nothing here knows threads, files or screens.
pub trait Run: Send {
    /// Its settings, with all changes so far.
    fn config(&self) -> &Config;
    /// What its training batches are like.
    fn task(&self) -> TaskFacts;
    /// Updates made; -n..=-1 while flossing before training.
    fn iteration(&self) -> i64;
    /// Makes one update. A run that has ended stays as it is and gives its stop reason again.
    fn step(&mut self, workers: &dyn Workers) -> Step;
    /// Changes a setting from the next update on.
    fn change(&mut self, change: Change);
    /// What surprised so far, a sentence each.
    fn warnings(&self) -> &[String] {
        &[]
    }
    /// The weights now.
    fn weights(&self) -> Weights<f64>;
    /// The weights at iteration 0, after flossing; while flossing, as they were drawn.
    fn initial(&self) -> Weights<f64>;
    /// All that is needed to go on later.
    fn checkpoint(&self) -> Checkpoint;
    /// Outputs and activity of one trial of the probe batch, for the screen.
    fn activity(&self, trial: usize) -> TrialActivity;
}

/// One trial under the weights now; all arrays [T, ...].
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct TrialActivity {
    pub x: Array2<f64>,
    pub z: Array2<f64>,
    pub y: Array2<f64>,
    /// What the output should be, [T, n_out], NaN at steps that do not count; `None` where a class is asked for.
    pub target: Option<Array2<f64>>,
    /// The output that should be the largest, where the trial has one right choice.
    pub correct: Option<u32>,
}

impl TrialActivity {
    /// Of the first trial of a forward pass, which is number `trial` of `trials`.
    pub fn of<T: Scalar>(dims: Dims, activity: &Activity<T>, trials: &Trials<T>, trial: usize) -> Self {
        let array =
            |v: &[T], n: usize| Array2::from_shape_fn((activity.n_steps, n), |(t, i)| v[t * n + i].f64());
        let Dims { n_in, n_rec, n_out } = dims;
        let counts = |t: usize| trials.mask[(t, trial)].f64() > 0.0;
        let target = match &trials.target {
            Target::Values(values) => {
                let value = |(t, o)| if counts(t) { values[(t, trial, o)].f64() } else { f64::NAN };
                Some(Array2::from_shape_fn((activity.n_steps, n_out), value))
            }
            Target::Labels(_) => None,
        };
        let correct = match (&trials.decision, &trials.target) {
            (Some(decision), _) => Some(decision.correct[trial]),
            (None, Target::Values(_)) => None,
            (None, Target::Labels(labels)) => {
                let mut asked = (0..activity.n_steps).filter(|t| counts(*t)).map(|t| labels[(t, trial)]);
                let first = asked.next();
                first.filter(|first| asked.all(|label| label == *first))
            }
        };
        Self {
            x: array(&activity.x, n_in),
            z: array(&activity.z[n_rec..], n_rec),
            y: array(&activity.y, n_out),
            target,
            correct,
        }
    }
}
