//! Owns [`Playing`], a lesson that is being taken: its states are computed ahead on a thread of their own, so that a
//! step is a jump.

mod observing;
pub(super) mod pages;
mod reaching;

use std::sync::Arc;
use std::time::Duration;

use reaching::{State, reach};

use super::landscape::Ask;
use super::lessons::{Lesson, StepRun, lessons};
use super::runs::{RunId, RunState};
use super::{Action, Session, words};
use crate::engine::errand::Asked;
use crate::engine::messages::{Command, Found};
use crate::training::measures::Finding;

/// A lesson that is being taken.
pub struct Playing {
    /// Which, in the order of [`lessons`].
    pub lesson: usize,
    /// Its step.
    pub step: usize,
    /// The step whose states are on the screen.
    shown: Option<usize>,
    /// The runs of the lesson on the screen.
    runs: Vec<RunId>,
    /// The user's own runs, hidden meanwhile.
    hidden: Vec<RunId>,
    /// What was computed: the run asked for, and its state or why there is none.
    states: Vec<(StepRun, Result<Arc<State>, String>)>,
    computing: Option<(StepRun, Asked<Result<State, String>>)>,
}

impl Playing {
    /// The lesson.
    pub fn lesson(&self) -> &'static Lesson {
        &lessons()[self.lesson]
    }

    /// Whether the states of the step are on the screen.
    pub fn is_reached(&self) -> bool {
        self.shown == Some(self.step)
    }

    /// Whether a run belongs to it.
    pub fn has(&self, run: RunId) -> bool {
        self.runs.contains(&run)
    }

    /// Whether a run of the user's waits for its end.
    pub fn waits(&self, run: RunId) -> bool {
        self.hidden.contains(&run)
    }

    fn state(&self, run: &StepRun) -> Option<&Result<Arc<State>, String>> {
        self.states.iter().find(|(own, _)| own == run).map(|(_, state)| state)
    }

    /// The next run without a state: of this step, then of those after it, then of all.
    fn wanted(&self) -> Option<StepRun> {
        let lesson = self.lesson();
        let steps = (self.step..lesson.steps.len()).chain(0..self.step);
        steps.flat_map(|step| lesson.runs(step)).find(|run| self.state(run).is_none()).cloned()
    }
}

impl Session {
    /// The lesson that is being taken.
    pub fn playing(&self) -> Option<&Playing> {
        self.playing.as_ref()
    }

    /// Begins a lesson; the user's runs wait, hidden, until it ends.
    pub(super) fn begin_lesson(&mut self, lesson: usize) {
        if lesson >= lessons().len() {
            return;
        }
        self.end_lesson();
        let shown: Vec<RunId> = self.runs.iter().filter(|run| !run.hidden).map(|run| run.id).collect();
        for id in &shown {
            self.with(*id, |run| run.hidden = true);
            if self.run(*id).is_some_and(super::RunEntry::is_running) {
                self.set_running(*id, false);
            }
        }
        self.playing = Some(Playing {
            lesson,
            step: 0,
            shown: None,
            runs: Vec::new(),
            hidden: shown,
            states: Vec::new(),
            computing: None,
        });
    }

    /// Goes to a step: its states as they are computed, whatever was done since.
    pub(super) fn lesson_step(&mut self, step: usize) {
        let is_as_found = self.is_as_found(step);
        if let Some(playing) = &mut self.playing {
            let same = playing.shown.is_some_and(|shown| step == shown + 1) && is_as_found;
            playing.step = step.min(playing.lesson().steps.len() - 1);
            // Nothing is to be placed anew where the runs stand as the next step finds them.
            playing.shown = same.then_some(playing.step);
        }
    }

    /// Whether the runs on the screen are paused in the states that a step begins with.
    fn is_as_found(&self, step: usize) -> bool {
        let Some(playing) = &self.playing else { return false };
        let wanted = playing.lesson().runs(step);
        let stands = |(id, wanted): (&RunId, &StepRun)| {
            let (Some(run), Some(Ok(state))) = (self.run(*id), playing.state(wanted)) else { return false };
            run.name == wanted.name
                && !run.is_running()
                && run.iteration == state.checkpoint.iteration
                && run.config == state.config
        };
        playing.runs.len() == wanted.len() && playing.runs.iter().zip(wanted).all(stands)
    }

    /// Closes the runs of the lesson and brings back the user's.
    pub(super) fn end_lesson(&mut self) {
        let Some(playing) = self.playing.take() else { return };
        playing.runs.into_iter().for_each(|id| self.close_of_lesson(id));
        for id in &playing.hidden {
            self.with(*id, |run| run.hidden = false);
        }
        if let Some(id) = playing.hidden.last() {
            self.select(*id);
        }
        self.find_differences();
    }

    /// Closes a run, and what was said of it goes with it.
    fn close_of_lesson(&mut self, id: RunId) {
        self.close(id);
        self.notices.retain(|notice| notice.run != Some(id));
    }

    /// Takes in what was computed, computes what is missing, shows the step when it can; whether anything changed.
    pub(super) fn play(&mut self) -> bool {
        let Some(playing) = &mut self.playing else { return false };
        if let Some((run, asked)) = playing.computing.take() {
            match asked.try_take() {
                Ok(None) => playing.computing = Some((run, asked)),
                Ok(Some(state)) => playing.states.push((run, state.map(Arc::new))),
                Err(_) => {
                    playing.states.push((run, Err("the system refused a thread for the lesson".into())));
                }
            }
        }
        if playing.computing.is_none()
            && let Some(run) = playing.wanted()
        {
            let (own, workers) = (run.clone(), self.engine.measure_processors());
            playing.computing = Some((run, self.engine.errand("lesson", move || reach(&own, &workers))));
        }
        if playing.is_reached() {
            return false;
        }
        let lesson = playing.lesson();
        let runs = lesson.runs(playing.step);
        let states: Option<Vec<_>> = runs.iter().map(|run| playing.state(run).cloned()).collect();
        let Some(states) = states else { return false };
        let old = std::mem::take(&mut playing.runs);
        playing.shown = Some(playing.step);
        old.into_iter().for_each(|id| self.close_of_lesson(id));
        let mut placed = Vec::new();
        for (run, state) in runs.iter().zip(states) {
            match state {
                Ok(state) => placed.push(self.place(&run.name, lesson.slot(&run.name), &state)),
                Err(text) => self.notice(format!("{}: {text}", run.name), true, None),
            }
        }
        if let Some(playing) = &mut self.playing {
            playing.runs = placed;
        }
        true
    }

    /// A paused run in a state.
    fn place(&mut self, name: &str, slot: usize, state: &State) -> RunId {
        let (history, trajectory) = (state.history.clone(), state.trajectory.clone());
        let earlier = Box::new(move || (history, trajectory)) as super::starting::Earlier;
        let from = Some((Arc::clone(&state.checkpoint), earlier));
        let id = self.start(state.given.clone(), state.config.clone(), from, None, false);
        self.with(id, |run| {
            run.call(name.into());
            // The same in every step and on every page; the user's own runs are hidden meanwhile.
            run.colour = slot;
            run.curves.take(&state.history);
            let found = |finding: &Finding| {
                (
                    finding.measure,
                    Found { finding: finding.clone(), processor: Duration::ZERO, seconds_left: None },
                )
            };
            run.found = state.findings.iter().map(found).collect();
            run.marks.clone_from(&state.marks);
            run.speed = Some(SPEED);
            if let Some(reason) = &state.diverged {
                run.state = RunState::Ended(reason.clone());
                run.rewind.clone_from(&state.rewind);
            }
        });
        // As when it diverges before one's eyes.
        if let Some(end) = state.diverged.as_ref().and_then(|_| self.run(id)).and_then(words::end_of) {
            self.notice(format!("{name}: {end}"), true, Some(id));
        }
        self.tell(id, Command::Speed(Some(SPEED)));
        id
    }

    /// Whether the selected run is one of a lesson: all of them then run and pause together.
    pub(super) fn is_in_lesson(&self) -> bool {
        self.playing.as_ref().zip(self.current).is_some_and(|(playing, id)| playing.has(id))
    }

    /// The runs of the lesson that can go on.
    fn of_lesson(&self) -> Vec<RunId> {
        let has = |id| self.playing.as_ref().is_some_and(|playing| playing.has(id));
        let can_go_on = |run: &&super::RunEntry| {
            has(run.id) && run.is_alive() && !matches!(run.state, RunState::Ended(_))
        };
        self.runs.iter().filter(can_go_on).map(|run| run.id).collect()
    }

    /// Runs all runs of the lesson to where a later step finds them, or pauses all.
    pub(super) fn run_or_pause_lesson(&mut self) {
        let run = !self.current().is_some_and(super::RunEntry::is_running);
        for id in self.of_lesson() {
            // What is on its way there stops there.
            if run && self.run(id).is_some_and(super::RunEntry::is_running) {
                continue;
            }
            let to_go = self.playing.as_ref().zip(self.run(id)).and_then(|(playing, entry)| {
                let target = playing.lesson().target(playing.step, &entry.name, entry.iteration)?;
                u64::try_from(target - entry.iteration).ok()
            });
            match to_go.filter(|_| run) {
                Some(n) => {
                    self.set_running(id, false);
                    self.tell(id, Command::Step(n));
                }
                None => self.set_running(id, run),
            }
        }
    }

    /// So many updates of every run of the lesson.
    pub(super) fn step_lesson(&mut self, n: u64) {
        self.of_lesson().into_iter().for_each(|id| self.tell(id, Command::Step(n)));
    }

    /// Shakes every run of the lesson, as a step says that the class should.
    fn shake_all(&mut self) {
        let runs = self.playing.as_ref().map(|playing| playing.runs.clone()).unwrap_or_default();
        runs.iter().for_each(|id| self.with(*id, |run| run.pinned = true));
        self.act(Action::Landscape(Ask::Shake { relative: false }));
    }
}

/// Updates a second of a lesson's runs: slow enough to watch.
const SPEED: f64 = 150.0;
