//! Threads and channels: run workers, measure workers, background jobs. No egui.
//!
//! What holds here, each a test in `tests/engine.rs`:
//!
//! * training never waits for the screen, nor for a measure, and keeps at least half of the processor time;
//! * a paused worker blocks and uses no processor;
//! * a closed channel is a normal end; a panic ends one run and says so;
//! * the numbers of a run are the same whatever is drawn or measured, on any number of threads.

mod archive;
pub mod background;
pub mod clock;
pub mod errand;
pub mod handle;
pub mod latest;
pub mod many;
mod measure_worker;
pub mod messages;
mod outbox;
pub mod pool;
pub mod repaint;
pub mod run_worker;
mod thinning;
pub mod trail;
mod watch;

use std::sync::Arc;

use background::Explorer;
use errand::Asked;
use handle::RunHandle;
use pool::Processors;
use repaint::Repaint;
use run_worker::Make;

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
        run_worker::start(self, name, make)
    }

    /// Does a job on a thread of its own.
    pub fn errand<T: Send + 'static>(
        &self,
        name: &str,
        job: impl FnOnce() -> Result<T, String> + Send + 'static,
    ) -> Asked<Result<T, String>> {
        errand::errand(name, job, self.repaint.clone())
    }

    /// A thread for questions of which only the newest matters.
    pub fn explorer<T: Send + 'static>(&self, name: &str) -> Explorer<T> {
        Explorer::start(name, self.repaint.clone())
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

/// What a panic says.
fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    format!("the worker panicked: {}", text.unwrap_or("without a message"))
}
