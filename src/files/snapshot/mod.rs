//! Owns [`Snapshot`], all that is known of a run or of a network, as snapshot.npz holds it.
//!
//! | member | content |
//! |---|---|
//! | `meta_json` | format, program, config, iteration, seed, notes, units |
//! | `w_rec, w_in, w_out` | weights now; `initial_*` as they were drawn; `flossed_*` after flossing |
//! | `resume_*` | settings to the last digit, optimiser, measures, streams, path: all that is needed to go on |
//! | `probe_*`, `history_*` | the probe batch; every series |
//! | all others | [`Found`] |

mod found;
mod members;
mod meta;
mod notes;
mod of_driver;
mod of_findings;
mod of_measured;
mod read;
mod write;

pub use found::{FlossingFound, Found, Hessian, LyapunovFound, PathFound, SliceFound};
pub use meta::table_of;
pub(crate) use notes::Noted;
pub use of_driver::probe;
pub(crate) use read::{read_list, read_matrix, read_meta, read_states, read_weights};

use std::collections::BTreeMap;

use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::random::Stream;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;
use crate::training::config::Config;
use crate::training::history::History;
use crate::training::run::{Checkpoint, Feedback};

/// The version of the format.
pub const FORMAT: i64 = 1;

/// A run as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Its settings.
    pub config: Config,
    /// Updates made.
    pub iteration: i64,
    /// What is to be known of the numbers, one sentence each.
    pub notes: Vec<String>,
    /// Weights now.
    pub weights: Weights<f64>,
    /// Weights as they were drawn.
    pub initial: Option<Weights<f64>>,
    /// Weights after flossing, where it was used.
    pub flossed: Option<Weights<f64>>,
    /// RFLO's fixed feedback [n_out, N], row-major, where used.
    pub feedback: Option<Vec<f64>>,
    /// What going on needs beyond that.
    pub resume: Option<Resume>,
    /// The probe batch.
    pub probe: Option<Trials<f64>>,
    /// What was measured on these weights.
    pub found: Found,
    /// Every series.
    pub history: History,
}

/// What going on needs beyond weights and settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resume {
    /// State vectors of the optimiser, by name.
    pub optimizer: BTreeMap<String, Vec<f64>>,
    /// State vectors of the measures, by name.
    pub measures: BTreeMap<String, Vec<f64>>,
    /// Positions of the random streams, by name.
    pub streams: BTreeMap<String, Stream>,
    /// The path of the run through weight space, for slices along it.
    pub path: Trajectory,
}

impl Snapshot {
    /// The snapshot of a run: what its checkpoint holds, without probe batch and measures.
    pub fn of_run(config: &Config, checkpoint: &Checkpoint, history: &History, path: &Trajectory) -> Self {
        let (initial, flossed) = match &checkpoint.before_flossing {
            Some(drawn) => (drawn.clone(), Some(checkpoint.initial.clone())),
            None => (checkpoint.initial.clone(), None),
        };
        Self {
            config: config.clone(),
            iteration: checkpoint.iteration,
            notes: Vec::new(),
            weights: checkpoint.weights.clone(),
            initial: Some(initial),
            flossed,
            feedback: checkpoint.feedback.as_ref().map(|own| own.values.clone()),
            resume: Some(Resume {
                optimizer: checkpoint.optimizer.iter().cloned().collect(),
                measures: checkpoint.measures.iter().cloned().collect(),
                streams: checkpoint.streams.iter().cloned().collect(),
                path: path.clone(),
            }),
            probe: None,
            found: Found::default(),
            history: history.clone(),
        }
    }

    /// What a run needs to go on from here; `None` where the file does not hold it.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        let (resume, drawn) = (self.resume.as_ref()?, self.initial.as_ref()?);
        let (initial, before_flossing) = match &self.flossed {
            Some(flossed) => (flossed.clone(), Some(drawn.clone())),
            None => (drawn.clone(), None),
        };
        Some(Checkpoint {
            iteration: self.iteration,
            weights: self.weights.clone(),
            initial,
            before_flossing,
            feedback: self
                .feedback
                .clone()
                .map(|values| Feedback { drawn_by: self.config.rule.feedback, values }),
            optimizer: resume.optimizer.clone().into_iter().collect(),
            measures: resume.measures.clone().into_iter().collect(),
            streams: resume.streams.clone().into_iter().collect(),
        })
    }
}
