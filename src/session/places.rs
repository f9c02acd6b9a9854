//! Owns [`Place`], a point in weight space that a user can name, and how its weights are fetched.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Session;
use super::runs::RunId;
use crate::engine::errand::{Asked, question};
use crate::engine::messages::{Command, Standing};
use crate::training::measures::{Named, OtherPath};

/// A point in weight space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The present weights of a run.
    Now(RunId),
    /// Its weights at iteration 0.
    Start(RunId),
    /// One of its bookmarks.
    Bookmark(RunId, u64),
}

impl Place {
    /// Whose it is.
    pub fn run(self) -> RunId {
        match self {
            Place::Now(run) | Place::Start(run) | Place::Bookmark(run, _) => run,
        }
    }
}

impl Session {
    /// What a place is called, beside places of the run `among`; `None` where it is gone.
    pub fn name_of(&self, place: Place, among: RunId) -> Option<String> {
        let run = self.run(place.run())?;
        let of = |text: String| if run.id == among { text } else { format!("{text} of {}", run.name) };
        Some(match place {
            Place::Now(_) => of("now".into()),
            Place::Start(_) => of("start".into()),
            Place::Bookmark(_, id) => of(run.bookmark(id)?.label.clone()),
        })
    }

    /// Every place there is, those of the run `first` before all others.
    pub fn places(&self, first: RunId) -> Vec<Place> {
        let mut runs: Vec<_> = self.runs().iter().collect();
        runs.sort_by_key(|run| run.id != first);
        let of_run = |run: &&super::RunEntry| {
            let id = run.id;
            let bookmarks = run.bookmarks.iter().map(move |b| Place::Bookmark(id, b.id));
            [Place::Now(id), Place::Start(id)].into_iter().chain(bookmarks).collect::<Vec<_>>()
        };
        runs.iter().flat_map(of_run).collect()
    }

    /// Asks for the weights of a place, never waiting; `None` where it is gone.
    pub(super) fn fetch(&mut self, place: Place, among: RunId) -> Option<Fetch> {
        let name = self.name_of(place, among)?;
        if let Place::Bookmark(run, id) = place {
            let checkpoint = &self.run(run)?.bookmark(id)?.checkpoint;
            let weights = Arc::new(checkpoint.weights.clone());
            return Some(Fetch { place, name, from: From::Known(weights) });
        }
        let asked = self.ask_standing(place.run());
        Some(Fetch { place, name, from: From::Worker(asked) })
    }

    /// Asks a run where it is, never waiting.
    pub(super) fn ask_standing(&mut self, run: RunId) -> Asked<Standing> {
        let (reply, asked) = question();
        self.tell(run, Command::State(reply));
        asked
    }
}

/// A place on its way to its weights.
pub(super) struct Fetch {
    place: Place,
    name: String,
    from: From,
}

enum From {
    Known(Arc<crate::numerics::weights::Weights<f64>>),
    Worker(Asked<Standing>),
}

/// What a fetch brings: the weights by name, and the path of the run where its worker was asked.
pub(super) struct Fetched {
    pub named: Named,
    pub path: Option<OtherPath>,
}

/// How long a busy run may take to answer: an update of the largest networks.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile whether the answer is still wanted.
const LOOK: Duration = Duration::from_millis(20);

impl Fetch {
    /// Waits for the weights.
    ///
    /// # Errors
    /// The run is gone, or does not answer, or the answer is no longer wanted.
    pub fn wait(self, keep_on: &dyn Fn() -> bool) -> Result<Fetched, String> {
        let run = self.place.run().0;
        match self.from {
            From::Known(weights) => Ok(Fetched { named: Named { name: self.name, weights }, path: None }),
            From::Worker(asked) => {
                let Standing { checkpoint, trajectory } = wait(&asked, keep_on)?;
                let at = checkpoint.iteration;
                let (weights, name) = match self.place {
                    Place::Start(_) => (checkpoint.initial.clone(), self.name.clone()),
                    _ => {
                        (checkpoint.weights.clone(), self.name.replacen("now", &format!("iteration {at}"), 1))
                    }
                };
                let path = OtherPath { name: self.name, run, trajectory };
                Ok(Fetched { named: Named { name, weights: Arc::new(weights) }, path: Some(path) })
            }
        }
    }
}

/// Waits for a run to say where it is.
///
/// # Errors
/// The run is gone, or does not answer, or the answer is no longer wanted.
pub(super) fn wait(asked: &Asked<Standing>, keep_on: &dyn Fn() -> bool) -> Result<Standing, String> {
    let start = Instant::now();
    while keep_on() && start.elapsed() < PATIENCE {
        match asked.try_take() {
            Ok(Some(standing)) => return Ok(standing),
            Err(_) => return Err("the run is gone".into()),
            Ok(None) => {}
        }
        if let Some(standing) = asked.wait(LOOK) {
            return Ok(standing);
        }
    }
    Err("the run did not answer".into())
}
