//! Owns [`RunEntry`], a run as the runs table and the curves show it.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::curves::Curves;
use super::seconds::Seconds;
use super::settings::Steps;
use super::spectra::Spectra;
use super::ways::Past;
use crate::engine::handle::RunHandle;
use crate::engine::messages::{Found, Way};
use crate::numerics::tasks::TaskFacts;
use crate::numerics::weights::Weights;
use crate::training::config::Config;
use crate::training::history::Row;
use crate::training::measures::{Detail, Measure};
use crate::training::run::{Checkpoint, StopReason, TrialActivity};

/// A run's identity within a session, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub u64);

/// What a run is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum RunState {
    /// Its trials and weights are being drawn.
    Starting,
    /// Waiting to be told.
    Paused,
    /// Learning.
    Running,
    /// Over; [`super::words::end`] says it in a sentence.
    Ended(StopReason),
    /// It could not be built, or panicked; the message.
    Failed(String),
    /// The curves of a run that was reset.
    Ghost,
}

/// Weights for the screen.
#[derive(Clone, Debug)]
pub struct ShownWeights {
    /// Updates made.
    pub iteration: i64,
    /// The weights after them.
    pub now: Arc<Weights<f64>>,
    /// The weights before the first of them.
    pub initial: Arc<Weights<f64>>,
}

/// A setting in which two sets of settings differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its full path.
    pub key: String,
    /// The value here; `None` where the key does not exist (another task's).
    pub from: Option<toml::Value>,
    /// The value there.
    pub to: Option<toml::Value>,
    /// Whether a change needs a fresh start.
    pub needs_reset: bool,
}

/// Something that happened to a run at an iteration; drawn on the curves.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Updates made before it.
    pub iteration: i64,
    /// What, in words.
    pub text: String,
    /// Of which kind.
    pub kind: MarkKind,
    /// Whether from here on it is no longer the run that its settings alone lead to.
    pub alters: bool,
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// A setting changed.
    Changed,
    /// The run was set back to here.
    Rewound,
    /// The run goes on from here, where another was.
    Branched,
    /// The run ended.
    Ended,
}

/// A state to jump to.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmark {
    /// Its identity within the run.
    pub id: u64,
    /// What the user calls it.
    pub label: String,
    /// Why it is there.
    pub reason: BookmarkReason,
    /// The settings that acted then.
    pub config: Config,
    /// What had happened to the run up to then: its own later marks may tell of another way.
    pub marks: Vec<Mark>,
    /// The full state.
    pub checkpoint: Arc<Checkpoint>,
    /// How the run came there, where it has left that way since; `None`: as its curves say.
    pub past: Option<Arc<Past>>,
}

impl Bookmark {
    /// Updates made.
    pub fn iteration(&self) -> i64 {
        self.checkpoint.iteration
    }
}

/// Why a bookmark was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BookmarkReason {
    /// The user did.
    User,
    /// Before the learning rate changed.
    RateChange,
    /// lambda_max crossed the stability line.
    BoundCrossed,
    /// The best test loss so far.
    BestTest,
    /// Before a jump to another.
    Jump,
}

/// A run, or the ghost of one.
pub struct RunEntry {
    /// Its identity.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Which of the colours of Okabe and Ito; also which dash and marker.
    pub colour: usize,
    /// What it is doing.
    pub state: RunState,
    /// Updates made, as last heard.
    pub iteration: i64,
    /// The settings that were given (all others come from the preset).
    pub given: toml::Table,
    /// All its settings, with the changes so far.
    pub config: Config,
    /// What its training batches are like; `None` before it is built.
    pub task: Option<TaskFacts>,
    /// Where it differs from the other runs' settings; filled in by the session.
    pub differs: Vec<Difference>,
    /// Its curves.
    pub curves: Curves,
    /// Its leading Hessian eigenvalues over training.
    pub spectra: Spectra,
    /// The time it took.
    pub seconds: Seconds,
    /// What happened to it.
    pub marks: Vec<Mark>,
    /// Where one can go back to.
    pub bookmarks: Vec<Bookmark>,
    /// Stays as a ghost when it is reset.
    pub pinned: bool,
    /// Not drawn.
    pub hidden: bool,
    /// The run whose settings or state it took, at which iteration.
    pub parent: Option<(RunId, i64)>,
    /// The file that it was opened from.
    pub file: Option<PathBuf>,
    /// The probe trial that is shown: its number, the iteration, the activity.
    pub activity: Option<(usize, i64, Box<TrialActivity>)>,
    /// The weights under which it was.
    pub weights: Option<ShownWeights>,
    /// The newest finding of each measure.
    pub found: BTreeMap<Measure, Found>,
    /// Why it is no longer measured, where its measures panicked.
    pub unmeasured: Option<String>,
    /// After a divergence, a state from before it went wrong.
    pub rewind: Option<Arc<Checkpoint>>,
    /// Updates a second at most.
    pub speed: Option<f64>,
    /// The probe trial whose activity the screen shows.
    pub(super) shown_trial: Option<usize>,
    /// The settings of which the worker has said that they act.
    pub(super) acting: Config,
    /// Its name follows from its settings: nobody chose another.
    pub(super) names_itself: bool,
    /// What was changed of its settings while it was selected.
    pub(super) steps: Steps,
    /// It was told to run as soon as it is built.
    pub(super) to_run: bool,
    /// Processor seconds of an update.
    pub(super) update_cost: f64,
    /// Processor seconds of each measure, of curvature of each product: see [`RunEntry::cost`].
    pub(super) costs: BTreeMap<Measure, f64>,
    /// Rows that have arrived and are not in the curves yet; how many of the first batch are.
    pub(super) unread: VecDeque<Vec<Row>>,
    pub(super) read_of_first: usize,
    pub(super) handle: Option<RunHandle>,
    pub(super) tickets: Vec<(u64, Ticket)>,
    /// The state that its worker was told to go back to and has not yet.
    pub(super) going_back: Option<GoingBack>,
    /// The bookmark to jump to when it has.
    pub(super) then_jump: Option<u64>,
    /// The way that it leaves next, as its worker told it.
    pub(super) leaving: Option<Arc<Way>>,
}

/// A state that a worker goes back to.
pub(super) struct GoingBack {
    /// The settings with which it goes on.
    pub config: Config,
    /// Of a bookmark, which goes on with its own settings: what had happened up to it.
    pub marks: Option<Vec<Mark>>,
    /// How it came there, where that is not the way that the worker is on.
    pub past: Option<Arc<Past>>,
}

/// What a checkpoint was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ticket {
    Bookmark {
        label: String,
        reason: BookmarkReason,
    },
    /// The way that is left.
    Way,
}

impl RunEntry {
    /// Whether it has diverged where a smaller rate may help: after an update that it can go back behind.
    pub fn gains_by_rewinding(&self) -> bool {
        let from = self.rewind.as_ref().map_or(0, |state| state.iteration);
        matches!(self.state, RunState::Ended(StopReason::Diverged { iteration, .. }) if iteration > from)
    }

    /// Whether it can go on (it is no ghost and did not fail).
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, RunState::Ghost | RunState::Failed(_))
    }

    /// Whether it is learning now, or will be once it is built.
    pub fn is_running(&self) -> bool {
        self.state == RunState::Running || (self.state == RunState::Starting && self.to_run)
    }

    /// What a measure found last, and how many updates ago.
    pub fn finding(&self, measure: Measure) -> Option<(&Found, i64)> {
        let found = self.found.get(&measure)?;
        Some((found, self.iteration - found.finding.iteration))
    }

    /// Processor seconds of a measure of this kind as it was taken last, at a mean price in which the last five or
    /// so count most, and how many updates cost as much; `None` before this worker has taken one and made an update.
    pub fn cost(&self, measure: Measure) -> Option<(f64, f64)> {
        let seconds = *self.costs.get(&measure)? * pieces(self.found.get(&measure)?);
        let is_known = seconds > 0.0 && self.update_cost > 0.0;
        is_known.then(|| (seconds, seconds / self.update_cost))
    }

    /// Processor seconds of an update, of all threads; `None` before there was one.
    pub fn update_cost(&self) -> Option<f64> {
        (self.update_cost > 0.0).then_some(self.update_cost)
    }

    /// Updates a second as it runs, with its speed limit; `None` where it does not run.
    pub fn pace(&self) -> Option<f64> {
        let rate = self.seconds.rate();
        (self.is_running() && rate > 0.0).then(|| rate.min(self.speed.unwrap_or(f64::INFINITY)))
    }

    /// Takes in what a measure cost: the clock of a thread may run in steps of milliseconds.
    pub(super) fn note_cost(&mut self, found: &Found) {
        let price = found.processor.as_secs_f64() / pieces(found);
        let mean = self.costs.entry(found.finding.measure).or_insert(price);
        *mean += 0.2 * (price - *mean);
    }

    /// Gives it a name that it keeps whatever its settings become.
    pub(super) fn call(&mut self, name: String) {
        self.name = name;
        self.names_itself = false;
    }

    /// The bookmark with this identity.
    pub fn bookmark(&self, id: u64) -> Option<&Bookmark> {
        self.bookmarks.iter().find(|b| b.id == id)
    }
}

impl RunEntry {
    /// The iterations at which its settings changed, or may have, rising: changes while it ran, settings back to a
    /// bookmark, the branching from another run.
    pub fn changes(&self) -> Vec<i64> {
        let marks = self.marks.iter().filter(|m| m.kind != MarkKind::Ended);
        let mut all: Vec<i64> = marks.map(|m| m.iteration).chain(self.parent.map(|(_, at)| at)).collect();
        all.sort_unstable();
        all
    }

    /// Where it became another run than its settings alone lead to: changes of what acts on training after the first
    /// update, and where it branched off; empty for a run that its settings give again.
    pub fn alterations(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(|mark| mark.alters)
    }
}

/// Parts of a measure that cost the same: Hessian-vector products, of which the ends of a run take many more than
/// its middle; 1 where it is one whole.
fn pieces(found: &Found) -> f64 {
    match &found.finding.detail {
        Detail::Curvature(Some(detail)) => detail.products.max(1) as f64,
        _ => 1.0,
    }
}
