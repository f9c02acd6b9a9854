//! Owns the runs that were closed or started afresh, for as long as they can be brought back.

use super::runs::{RunEntry, RunId, RunState};
use super::{Notice, Session};
use crate::engine::messages::Command;

/// Runs put aside at most: each keeps its worker, asleep (`[own]`).
const MOST: usize = 5;

/// A run that was taken out of the table.
pub(super) struct Aside {
    run: RunEntry,
    /// Its place there.
    at: usize,
}

impl Session {
    /// Whether a run that was closed or started afresh can be brought back.
    pub fn can_bring_back(&self, id: RunId) -> bool {
        self.aside.iter().any(|aside| aside.run.id == id)
    }

    /// The run that was closed or started afresh last, as far as it can be brought back.
    pub fn last_aside(&self) -> Option<&RunEntry> {
        self.aside.last().map(|aside| &aside.run)
    }

    /// Closes a run that can be brought back.
    pub(super) fn close_for_now(&mut self, id: RunId) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        if self.is_of_lesson(id) {
            return self.close(id);
        }
        // What is edited of it is a step of its own, which comes back with it.
        if self.current == Some(id) {
            let next = self.runs.get(at + 1).or(at.checked_sub(1).map(|i| &self.runs[i])).map(|r| r.id);
            next.into_iter().for_each(|next| self.select(next));
        }
        let mut left = None;
        if self.current == Some(id) {
            // No run takes its place: its settings stay on the screen, its steps go with it.
            self.show_own_settings();
            self.current = None;
            left = Some(self.settings.show(self.settings.given().clone(), Default::default()));
        }
        let mut run = self.runs.remove(at);
        left.into_iter().for_each(|steps| run.steps = steps);
        let text = format!("Closed {}.", run.name);
        self.put_aside(run, at, text, id);
        self.find_differences();
    }

    /// Keeps a run, paused, and says so; `about` is the run whose notice of this kind is replaced.
    pub(super) fn put_aside(&mut self, mut run: RunEntry, at: usize, text: String, about: RunId) {
        if let Some(handle) = &mut run.handle {
            handle.send(Command::Pause);
        }
        run.to_run = false;
        if run.state == RunState::Running {
            run.state = RunState::Paused;
        }
        let brings_back = Some(run.id);
        self.aside.push(Aside { run, at });
        if self.aside.len() > MOST {
            self.aside.remove(0);
        }
        self.notices.retain(|n| n.brings_back.is_none() || n.run != Some(about));
        let id = self.number();
        let run = Some(about);
        self.notices.push(Notice { id, text, is_error: false, run, brings_back, of_divergence: false });
    }

    /// Puts a run back into the table, paused, and selects it; `None`: the one put aside last.
    pub(super) fn bring_back_run(&mut self, id: Option<RunId>) {
        let place = match id {
            Some(id) => self.aside.iter().position(|aside| aside.run.id == id),
            None => self.aside.len().checked_sub(1),
        };
        let Some(place) = place else { return };
        let Aside { mut run, at } = self.aside.remove(place);
        let id = run.id;
        if self.runs.iter().any(|r| r.colour == run.colour) {
            run.colour = self.free_colour();
        }
        run.name = self.free_name(&run.name, id);
        self.runs.insert(at.min(self.runs.len()), run);
        self.notices.retain(|n| n.brings_back != Some(id));
        self.select(id);
        self.find_differences();
    }

    /// Whether a run belongs to the lesson that is being taken: it goes with it.
    pub(super) fn is_of_lesson(&self, id: RunId) -> bool {
        self.playing.as_ref().is_some_and(|playing| playing.has(id))
    }
}
