//! Threads and channels: run workers, measure workers, background jobs. No egui.
//!
//! What holds here, each a test in `tests/engine.rs`:
//!
//! * training never waits for the screen, nor for a measure;
//! * a paused worker blocks and uses no processor;
//! * a closed channel is a normal end; a panic ends one run and says so;
//! * the numbers of a run are the same whatever is drawn or measured, on any number of threads.

pub mod clock;
pub mod latest;
mod outbox;
pub mod pool;
pub mod repaint;
pub mod run_worker;

use std::sync::Arc;

use pool::Processors;
use repaint::Repaint;
use run_worker::{Make, RunHandle};

/// What all workers share: processors and the wish to be drawn.
#[derive(Clone)]
pub struct Engine {
    training: Processors,
    measures: Processors,
    repaint: Repaint,
}

impl Engine {
    /// An engine on `threads` threads (0 = one per core). Measures get at most half of them. `repaint` is
    /// called when there is something new to drain, at most 60 times a second while runs run.
    pub fn new(threads: usize, repaint: Arc<dyn Fn() + Send + Sync>) -> Self {
        let threads =
            if threads == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { threads };
        Self {
            training: Processors::new("training", threads),
            measures: Processors::new("measures", threads / 2),
            repaint: Repaint::new(repaint),
        }
    }

    /// Starts a worker, paused, on a thread of its own; `make` builds the run there.
    pub fn start(&self, name: &str, make: Make) -> RunHandle {
        run_worker::start(name, make, self.training.share(), self.repaint.clone())
    }

    /// The processors that measures and background jobs may use.
    pub fn measure_processors(&self) -> Processors {
        self.measures.share()
    }

    /// How many threads train.
    pub fn threads(&self) -> usize {
        use crate::numerics::parallel::Workers;
        self.training.width()
    }
}
