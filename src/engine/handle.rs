//! Owns [`RunHandle`], the screen's end of a run worker.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, TrySendError};

use super::messages::{Command, Event};

/// Why there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing new.
    Nothing,
    /// The worker has ended.
    Gone,
}

/// The screen's end of a run worker. Dropping it ends the worker.
#[derive(Debug)]
pub struct RunHandle {
    pub(super) commands: Sender<Command>,
    pub(super) unsent: VecDeque<Command>,
    pub(super) events: Receiver<Event>,
    pub(super) thread: Option<JoinHandle<()>>,
    pub(super) slices: SliceWish,
}

/// Which slice of a run is wanted, as a number that rises. Whoever no longer wants the one that is being computed
/// says so here, past all that waits in a channel or is being done by a thread; dropping it does the same.
#[derive(Debug, Default)]
pub(super) struct SliceWish(Arc<AtomicU64>);

/// The other end of a [`SliceWish`].
#[derive(Clone, Debug)]
pub(super) struct SliceWished(Arc<AtomicU64>);

impl SliceWish {
    /// The end that computes slices.
    pub fn other_end(&self) -> SliceWished {
        SliceWished(Arc::clone(&self.0))
    }

    /// The slice that is being computed is no longer wanted.
    fn change(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for SliceWish {
    fn drop(&mut self) {
        self.change();
    }
}

impl SliceWished {
    /// Whether the wish has not changed since it was so.
    pub fn is(&self, number: u64) -> bool {
        self.number() == number
    }

    /// The wish of now.
    pub fn number(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// A new wish: the slice that is being computed is no longer wanted.
    pub fn change(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl RunHandle {
    /// Sends a command, never waiting: what does not fit is kept and sent by the next call. A command that
    /// replaces what one before it says takes its place, where that has not been sent. Asking for a slice, or to
    /// go back, ends the slice that is being computed at once, whatever the worker is doing.
    pub fn send(&mut self, command: Command) {
        if matches!(command, Command::Slice(_) | Command::GoBack { .. }) {
            self.slices.change();
        }
        self.unsent.retain(|old| !replaces(&command, old));
        self.unsent.push_back(command);
        self.flush();
    }

    /// Sends what had no room.
    pub fn flush(&mut self) {
        while let Some(command) = self.unsent.pop_front() {
            if let Err(e) = self.commands.try_send(command) {
                if let TrySendError::Full(command) = e {
                    self.unsent.push_front(command);
                }
                return;
            }
        }
    }

    /// The next event, if one has arrived. Every event that was sent comes before `Gone`.
    pub fn try_event(&self) -> Result<Event, Silence> {
        self.events.try_recv().map_err(|e| match e {
            TryRecvError::Empty => Silence::Nothing,
            TryRecvError::Disconnected => Silence::Gone,
        })
    }

    /// Waits for the next event; `None` after `timeout`, or when the worker is gone.
    pub fn wait_event(&self, timeout: Duration) -> Option<Event> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Closes the channels and waits for the thread to end.
    pub fn close(self) {
        let Self { commands, events, thread, slices, .. } = self;
        drop((commands, events, slices));
        // Panics are caught inside and reported as events.
        let _ = thread.map(JoinHandle::join);
    }
}

/// Whether a new command makes an old one idle.
fn replaces(new: &Command, old: &Command) -> bool {
    match (new, old) {
        (Command::Change(new), Command::Change(old)) => {
            std::mem::discriminant(new) == std::mem::discriminant(old)
        }
        (Command::Measures(_), Command::Measures(_))
        | (Command::Slice(_), Command::Slice(_))
        | (Command::Speed(_), Command::Speed(_))
        | (Command::Activity(_), Command::Activity(_)) => true,
        _ => false,
    }
}
