//! Owns what crosses the thread of a run: [`Command`]s go in, [`Event`]s come out.

use std::sync::Arc;
use std::time::Duration;

use super::errand::Reply;
use super::run_worker::Make;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::tasks::TaskFacts;
use crate::numerics::weights::Weights;
use crate::training::config::{Config, MeasureConfig};
use crate::training::history::{History, Row};
use crate::training::measures::{Finding, Measure, SliceRequest};
use crate::training::run::{Change, Checkpoint, StopReason, TrialActivity};

/// What a run worker is told.
#[derive(Debug)]
pub enum Command {
    /// Go on until told otherwise.
    Run,
    /// Stop after the update that is being made.
    Pause,
    /// Make so many updates, then pause.
    Step(u64),
    /// Change a setting from the next update on.
    Change(Change),
    /// Measure this, and as often; takes what is new at once.
    Measures(Box<MeasureConfig>),
    /// Take these measures now.
    Measure(Vec<Measure>),
    /// Compute this slice of the landscape, coarse to fine; it takes the place of one that is being computed.
    Slice(Box<SliceRequest>),
    /// Make at most so many updates a second; `None`: as many as go.
    Speed(Option<f64>),
    /// Show this probe trial, about ten times a second while running; `None`: show none.
    Activity(Option<usize>),
    /// Give a checkpoint.
    Checkpoint {
        /// Under which it comes.
        ticket: u64,
        /// Whether with the way to it.
        with_way: bool,
    },
    /// Give the state and the path up to it.
    State(Reply<Standing>),
    /// Give everything there is of the run, for files and branches.
    Collect(Reply<Box<Collected>>),
    /// Go on as another run: one set back, with what is known of the way up to there.
    GoBack {
        /// Updates made there.
        iteration: i64,
        /// Builds it.
        make: Making,
        /// How it came there, where that is another way than this run's.
        way: Option<Arc<Way>>,
    },
    /// End the run as stopped by the user.
    Stop,
}

/// Everything there is of a run.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Its settings, with the measures of now.
    pub config: Config,
    /// Its state.
    pub checkpoint: Checkpoint,
    /// Every value so far.
    pub history: History,
    /// Its path.
    pub trajectory: Arc<Trajectory>,
    /// The newest finding of each measure.
    pub findings: Vec<Finding>,
    /// Seconds spent in updates.
    pub seconds: f64,
}

/// Where a run is.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its state.
    pub checkpoint: Arc<Checkpoint>,
    /// Its path.
    pub trajectory: Arc<Trajectory>,
}

/// How a run came to a state.
#[derive(Clone, Debug)]
pub struct Way {
    /// Every value so far.
    pub history: History,
    /// Its path.
    pub trajectory: Arc<Trajectory>,
}

/// [`Make`] as part of a command.
pub struct Making(pub Make);

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Making")
    }
}

/// What a run worker says.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run is built, and paused.
    Ready(Box<Ready>),
    /// How far it is; at most 60 times a second.
    Progress(Progress),
    /// A change acts from this iteration on.
    Changed {
        /// Updates made before it.
        iteration: i64,
        /// The change.
        change: Change,
    },
    /// A measure has found something; its values for the curves come with the next progress.
    Found(Box<Found>),
    /// The measures panicked: training goes on without them.
    MeasuresFailed(String),
    /// One probe trial under the weights after `iteration` updates.
    Activity {
        /// Updates made.
        iteration: i64,
        /// Which probe trial.
        trial: usize,
        /// Its activity.
        activity: Box<TrialActivity>,
        /// These weights.
        weights: Arc<Weights<f64>>,
        /// The weights that the run began with.
        initial: Arc<Weights<f64>>,
    },
    /// A checkpoint that was asked for.
    Checkpoint {
        /// The ticket it was asked under.
        ticket: u64,
        /// The state.
        checkpoint: Arc<Checkpoint>,
        /// The way to it, where that was asked for.
        way: Option<Arc<Way>>,
    },
    /// A state worth keeping.
    Noted {
        /// Why.
        why: Noted,
        /// The state.
        checkpoint: Arc<Checkpoint>,
    },
    /// From here on it is the run that it was told to go back to.
    WentBack {
        /// Updates made.
        iteration: i64,
    },
    /// The run has ended. The worker still answers.
    Ended {
        /// Why.
        reason: StopReason,
        /// After a divergence, a state from before it went wrong.
        rewind: Option<Arc<Checkpoint>>,
    },
    /// The run could not be built, or panicked: nothing more will come.
    Failed(String),
}

/// Why the worker kept a state by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noted {
    /// The learning rate changes from here on.
    RateChange,
    /// The test loss was never lower.
    BestTest,
    /// lambda_max rose above 2/eta.
    BoundCrossed,
}

/// A run as it was built.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its settings.
    pub config: Config,
    /// What its training batches are like.
    pub task: TaskFacts,
    /// Updates made.
    pub iteration: i64,
    /// What is to be said of its trials, a sentence each.
    pub warnings: Vec<String>,
}

/// What a measure found, and what it took.
#[derive(Clone, Debug)]
pub struct Found {
    /// What. A slice comes several times, finer each time.
    pub finding: Finding,
    /// Processor time of all threads it took.
    pub processor: Duration,
    /// Of a slice that is still being computed: seconds until it is done, at the pace of now.
    pub seconds_left: Option<f64>,
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Updates made.
    pub iteration: i64,
    /// All rows since the last progress. Those of one series are in the order of their iterations.
    pub rows: Vec<Row>,
    /// Whether it goes on by itself.
    pub running: bool,
    /// Updates that this worker has made.
    pub updates: u64,
    /// Seconds spent in updates so far, pauses left out.
    pub seconds: f64,
    /// Processor seconds of all threads spent in updates so far, those of the measures left out.
    pub processor_seconds: f64,
}
