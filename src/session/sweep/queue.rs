//! Owns [`Queue`], the runs that are still to be made, each by whoever takes it first, of this process or another.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::files::run_lock::RunLock;

/// Time between two looks at runs that other processes are making, when there is nothing else to do.
const LOOKS: Duration = Duration::from_millis(100);

/// Runs to make, in their order.
pub(super) struct Queue {
    folders: Vec<PathBuf>,
    left: Mutex<VecDeque<usize>>,
}

impl Queue {
    /// Of the runs of these folders.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        let left = Mutex::new((0..folders.len()).collect());
        Self { folders, left }
    }

    /// Takes the next run that nobody else is making, with the right to make it. Where others are making all that are
    /// left it waits until one has ended, or was given up; `None` where none is left, or `stop` says so.
    pub fn next(&self, stop: &dyn Fn() -> bool) -> Option<(usize, RunLock)> {
        loop {
            if let Some(taken) = self.first_free()? {
                return Some(taken);
            }
            if stop() {
                return None;
            }
            thread::sleep(LOOKS);
        }
    }

    /// The first that nobody is making, `Some(None)` where somebody is making each; `None` where none is left.
    fn first_free(&self) -> Option<Option<(usize, RunLock)>> {
        // Held to the end: a run that is looked at here is not missing for another thread.
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..left.len() {
            let run = left.pop_front()?;
            match RunLock::take(&self.folders[run]) {
                Some(lock) => return Some(Some((run, lock))),
                None => left.push_back(run),
            }
        }
        (!left.is_empty()).then_some(None)
    }
}
