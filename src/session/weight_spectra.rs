//! Owns [`WeightSpectra`]: the eigenvalues of the weights that are shown and the singular values of their update,
//! found on a thread of its own.

use std::sync::Arc;

use super::runs::{RunEntry, RunId};
use crate::engine::Engine;
use crate::engine::background::{Answer, Explorer};
use crate::numerics::lyapunov::{eigenvalues, singular_values};
use crate::numerics::weights::Weights;

/// What was found of one run's `w_rec`.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectra {
    /// The run.
    pub run: RunId,
    /// Its iteration.
    pub iteration: i64,
    /// Eigenvalues of `w_rec` as (real, imaginary), largest modulus first; `None` where they were not found.
    pub eigenvalues: Option<Vec<(f64, f64)>>,
    /// The same of the initial `w_rec`.
    pub initial: Option<Vec<(f64, f64)>>,
    /// Singular values of `w_rec - initial w_rec`, descending: how many directions learning has used.
    pub update: Option<Vec<f64>>,
}

/// The newest of them.
pub struct WeightSpectra {
    thread: Explorer<Spectra>,
    newest: Option<Spectra>,
    /// The initial weights of the newest.
    of_initial: Option<Arc<Weights<f64>>>,
}

impl WeightSpectra {
    /// Knows nothing yet.
    pub fn new(engine: &Engine) -> Self {
        Self { thread: engine.explorer("weight spectra"), newest: None, of_initial: None }
    }

    /// What was found last, if it is of this run.
    pub fn of(&self, run: RunId) -> Option<&Spectra> {
        self.newest.as_ref().filter(|s| s.run == run)
    }

    /// Looks at the weights that a run shows, unless it has, or is still at older ones: those are told first, so
    /// that a large network too shows something while it learns.
    pub(super) fn find(&mut self, run: &RunEntry) {
        let Some(weights) = run.weights.clone() else { return };
        let (id, iteration) = (run.id, weights.iteration);
        if self.thread.is_busy() || self.of(id).is_some_and(|s| s.iteration == iteration) {
            return;
        }
        // The initial ones stay as they are while the run goes on.
        let known = self.of_initial.as_ref().filter(|of| Arc::ptr_eq(of, &weights.initial));
        let known = known.and(self.of(id)).map(|s| s.initial.clone());
        self.of_initial = Some(Arc::clone(&weights.initial));
        self.thread.ask(move |tell, _| {
            let (now, initial) = (weights.now.w_rec(), weights.initial.w_rec());
            let update = singular_values((&now - &initial).view());
            let initial = known.unwrap_or_else(|| eigenvalues(initial));
            tell(Spectra { run: id, iteration, eigenvalues: eigenvalues(now), initial, update });
        });
    }

    /// Takes in what has arrived. A look that failed leaves the older one.
    pub(super) fn drain(&mut self) -> bool {
        let mut heard = false;
        while let Some(answer) = self.thread.answer() {
            heard = true;
            if let Answer::Result(found) = answer {
                self.newest = Some(found);
            }
        }
        heard
    }
}
