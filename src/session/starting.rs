//! How runs start, start again, branch off and go back.

use std::sync::Arc;
use std::time::Duration;

use toml::{Table, Value};

use super::runs::{Bookmark, BookmarkReason, GoingBack, Mark, MarkKind, RunEntry, RunId, RunState, Ticket};
use super::settings::{Steps, differences, given_for, put};
use super::{Session, compare, demonstration, setting_words, words};
use crate::engine::errand::question;
use crate::engine::messages::{Command, Making};
use crate::engine::run_worker::Made;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::training::config::Config;
use crate::training::config::resolve::resolve;
use crate::training::history::History;
use crate::training::run::Checkpoint;

/// Gives the history and the path of a run up to where another goes on from it; called on the other's thread.
pub(super) type Earlier = Box<dyn FnOnce() -> (History, Trajectory) + Send>;

/// How long a branch waits for the history of the run it leaves: an update of the largest networks.
const PATIENCE: Duration = Duration::from_secs(60);

impl Session {
    pub(super) fn apply(&mut self) {
        let Some((given, config)) = self.sound_settings() else { return };
        match self.current {
            Some(id) => self.restart(id, given, config),
            None => {
                self.start(given, config, None, None, true);
            }
        }
    }

    /// Starts a preset: the selected run afresh with its settings, running, or a first run.
    pub(super) fn start_preset(&mut self, given: Table) {
        let config = match resolve(given.clone()) {
            Ok(resolved) => resolved.config,
            Err(error) => return self.notice(error.to_string(), true, None),
        };
        match self.current {
            Some(id) => {
                self.restart(id, given.clone(), config);
                // What was set before was set of another task; the run of then can be brought back.
                self.settings.show(given, Steps::default());
                self.set_running(id, true);
            }
            None => {
                self.start(given, config, None, None, true);
            }
        }
    }

    pub(super) fn demonstrate(&mut self) {
        for part in demonstration::parts() {
            match resolve(part.given.clone()) {
                Ok(resolved) => {
                    let id = self.start(part.given, resolved.config, None, None, true);
                    self.set_speed(id, Some(part.speed));
                }
                Err(error) => self.notice(error.to_string(), true, None),
            }
        }
    }

    /// The selected run again, with the same seed or the next.
    pub(super) fn reset_current(&mut self, new_seed: bool) {
        let Some(run) = self.current() else { return };
        let (id, mut given, mut config) = (run.id, run.given.clone(), run.config.clone());
        if new_seed {
            let seed = next_seed(config.seed);
            config.seed = seed;
            put(&mut given, "seed", Some(Value::Integer(seed as i64)));
            let mut edited = self.settings.given().clone();
            put(&mut edited, "seed", Some(Value::Integer(seed as i64)));
            self.settings.take(edited);
        }
        self.restart(id, given, config);
    }

    /// Starts a run again from its beginning. What it was can be brought back; where it is pinned its curves stay as a
    /// ghost's.
    pub(super) fn restart(&mut self, id: RunId, given: Table, config: Config) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        let was_running = self.runs[at].is_running() || !self.runs[at].is_alive();
        let mut fresh = self.entry(id, given, config, None, was_running);
        let old = &mut self.runs[at];
        fresh.name.clone_from(&old.name);
        fresh.colour = old.colour;
        fresh.hidden = old.hidden;
        fresh.pinned = old.pinned;
        fresh.speed = old.speed;
        fresh.shown_trial = old.shown_trial;
        fresh.parent = old.parent.filter(|(_, at)| *at <= 0);
        fresh.names_itself = old.names_itself;
        fresh.steps = std::mem::take(&mut old.steps);
        if fresh.config == old.config {
            // The same settings lead through the same states.
            fresh.inherits(old);
        }
        let mut old = std::mem::replace(old, fresh);
        self.tell_new_worker(at);
        // What was said of its end is no longer so.
        self.notices.retain(|notice| notice.run != Some(id) || !notice.is_error);
        if old.pinned {
            old.id = RunId(self.number());
            // Its worker stays, asleep: a ghost can still be shaken, written to a file, branched from.
            if let Some(handle) = &mut old.handle {
                handle.send(Command::Pause);
            }
            old.state = RunState::Ghost;
            self.runs.insert(at + 1, old);
        } else if old.iteration > 0 && !self.is_of_lesson(id) {
            let name = old.name.clone();
            let text = format!("{name} started again; what it was is put aside.");
            old.id = RunId(self.number());
            old.call(format!("{name}, before"));
            self.put_aside(old, at + 1, text, id);
        }
        self.name_itself(id);
        self.find_differences();
    }

    /// What the worker before knew and its successor does not: how fast, and which trial is looked at.
    fn tell_new_worker(&mut self, at: usize) {
        let (id, speed, trial) = (self.runs[at].id, self.runs[at].speed, self.runs[at].shown_trial);
        self.tell(id, Command::Speed(speed));
        self.tell(id, Command::Activity(trial));
    }

    /// Starts another run and selects it.
    pub(super) fn start(
        &mut self,
        given: Table,
        config: Config,
        from: Option<(Arc<Checkpoint>, Earlier)>,
        parent: Option<(RunId, i64)>,
        run: bool,
    ) -> RunId {
        let id = self.add(given, config, from, parent, run);
        self.select(id);
        id
    }

    /// Starts another run.
    fn add(
        &mut self,
        given: Table,
        config: Config,
        from: Option<(Arc<Checkpoint>, Earlier)>,
        parent: Option<(RunId, i64)>,
        run: bool,
    ) -> RunId {
        let id = RunId(self.number());
        let mut entry = self.entry(id, given, config, from, run);
        entry.name = self.free_name(&entry.name, id);
        entry.names_itself = true;
        entry.colour = self.free_colour();
        entry.parent = parent;
        self.runs.push(entry);
        self.find_differences();
        id
    }

    /// The first colour that no run has.
    pub(super) fn free_colour(&self) -> usize {
        (0..).find(|c| self.runs.iter().all(|r| r.colour != *c)).unwrap_or(0)
    }

    /// A name that no other run has: this, or this with a number.
    pub(super) fn free_name(&self, name: &str, id: RunId) -> String {
        let is_free = |name: &str| self.runs.iter().all(|r| r.id == id || r.name != name);
        if is_free(name) {
            return name.into();
        }
        (2..).map(|n: u64| format!("{name} {n}")).find(|name| is_free(name)).unwrap_or_default()
    }

    /// Calls a run after its rule, unless it was given another name.
    pub(super) fn name_itself(&mut self, id: RunId) {
        let Some(run) = self.run(id).filter(|run| run.names_itself) else { return };
        let name = self.free_name(words::rule(run.config.rule.kind), id);
        self.with(id, |run| run.name = name);
    }

    pub(super) fn set_speed(&mut self, id: RunId, speed: Option<f64>) {
        self.with(id, |run| run.speed = speed);
        self.tell(id, Command::Speed(speed));
    }

    /// A run with a worker of its own. With a checkpoint it goes on from there, and what `earlier` gives is its
    /// history and path.
    pub(super) fn entry(
        &mut self,
        id: RunId,
        given: Table,
        config: Config,
        from: Option<(Arc<Checkpoint>, Earlier)>,
        run: bool,
    ) -> RunEntry {
        let build = Arc::clone(&self.build);
        let own = config.clone();
        let iteration = match &from {
            Some((checkpoint, _)) => checkpoint.iteration,
            None => -i64::try_from(config.flossing.iterations).unwrap_or(i64::MAX),
        };
        let make = Box::new(move || match from {
            None => build(&own, None),
            Some((checkpoint, earlier)) => {
                let made = build(&own, Some(&checkpoint))?;
                let (mut history, trajectory) = earlier();
                history.truncate_after(checkpoint.iteration);
                Ok(Made { history, trajectory, ..made })
            }
        });
        let mut handle = self.engine.start(&id.0.to_string(), make);
        if run {
            handle.send(Command::Run);
        }
        RunEntry { to_run: run, ..RunEntry::new(id, given, config, iteration, handle) }
    }

    /// How a run that goes on from a state of this one gets its history: from this one's worker, or where that
    /// is gone from the curves.
    pub(super) fn earlier(&mut self, id: RunId) -> Earlier {
        let (reply, asked) = question();
        let kept = self.run(id).map(|r| r.curves.to_history()).unwrap_or_default();
        self.tell(id, Command::Collect(reply));
        Box::new(move || match asked.wait(PATIENCE) {
            Some(collected) => (collected.history, Arc::unwrap_or_clone(collected.trajectory)),
            None => (kept, Trajectory::default()),
        })
    }

    /// Another run with the settings of one and those set, at its beginning. Where nothing is set yet it waits for
    /// that.
    pub(super) fn branch(&mut self, from: RunId, set: &[(String, Value)]) {
        let Some(run) = self.run(from) else { return };
        let (mut given, speed) = (run.given.clone(), run.speed);
        set.iter().for_each(|(key, value)| put(&mut given, key, Some(value.clone())));
        match resolve(given.clone()) {
            Ok(resolved) => {
                let id = self.start(given, resolved.config, None, Some((from, 0)), !set.is_empty());
                self.set_speed(id, speed);
            }
            Err(error) => self.notice(error.to_string(), true, Some(from)),
        }
    }

    /// Runs with the settings of one and the seeds after the largest that these settings were run with.
    pub(super) fn more_seeds(&mut self, like: RunId, n: u64) {
        let Some(run) = self.run(like) else { return };
        // Also those that are no samples: what they have been through is not repeated by the same seed.
        let own = compare::setting(&run.config);
        let alike = self.runs.iter().filter(|r| compare::setting(&r.config) == own);
        let mut seed = alike.map(|r| r.config.seed).max().unwrap_or(0);
        let (mut given, mut config, speed) = (run.given.clone(), run.config.clone(), run.speed);
        let name = run.name.split(", seed ").next().unwrap_or_default().to_owned();
        for _ in 0..n.min(MOST_SEEDS) {
            seed = next_seed(seed);
            config.seed = seed;
            put(&mut given, "seed", Some(Value::Integer(seed as i64)));
            let id = self.add(given.clone(), config.clone(), None, Some((like, 0)), true);
            self.set_speed(id, speed);
            let name = self.free_name(&format!("{name}, seed {seed}"), id);
            self.with(id, |run| run.call(name));
        }
    }

    /// Another run that goes on from a bookmark, as fast and with the past of the one it leaves. Where nothing is set
    /// yet it waits for that.
    pub(super) fn branch_from(&mut self, from: RunId, bookmark: u64, set: &[(String, Value)]) {
        let Some(run) = self.run(from) else { return };
        let Some(bookmark) = run.bookmark(bookmark) else { return };
        let mut given = given_for(&run.given, &bookmark.config);
        set.iter().for_each(|(key, value)| put(&mut given, key, Some(value.clone())));
        let (checkpoint, at) = (Arc::clone(&bookmark.checkpoint), bookmark.iteration());
        let past = bookmark.past.clone();
        let (curves, spectra, seconds) = run.known_up_to(at, past.as_deref());
        let mut marks = bookmark.marks.clone();
        let (name, speed, acted) =
            (format!("{}, branch at {at}", run.name), run.speed, bookmark.config.clone());
        let mut text = format!("branched off {} at {at}", run.name);
        match resolve(given.clone()) {
            Ok(resolved) => {
                for difference in differences(&acted, &resolved.config) {
                    text = format!("{text}, {}", setting_words::change(&difference));
                }
                marks.push(Mark { iteration: at, text, kind: MarkKind::Branched, alters: true });
                let earlier = past.as_ref().map(|past| past.earlier()).unwrap_or_else(|| self.earlier(from));
                let from = Some((from, at));
                let run = !set.is_empty();
                let id = self.start(given, resolved.config, Some((checkpoint, earlier)), from, run);
                let name = self.free_name(&name, id);
                self.with(id, |run| {
                    run.call(name);
                    (run.curves, run.spectra, run.seconds, run.marks) = (curves, spectra, seconds, marks);
                });
                self.set_speed(id, speed);
            }
            Err(error) => self.notice(error.to_string(), true, Some(from)),
        }
    }

    pub(super) fn jump(&mut self, id: RunId, bookmark: u64) {
        // One after the other: which way a bookmark lies on is known when the first is done.
        if self.run(id).is_some_and(|run| run.going_back.is_some()) {
            return self.with(id, |run| run.then_jump = Some(bookmark));
        }
        let Some(bookmark) = self.run(id).and_then(|r| r.bookmark(bookmark)) else { return };
        let (checkpoint, config) = (Arc::clone(&bookmark.checkpoint), bookmark.config.clone());
        let (marks, past) = (Some(bookmark.marks.clone()), bookmark.past.clone());
        // Where it stood is not lost. The same settings, changed at the same iterations, give the same state.
        let changes = |marks: &[Mark]| marks.iter().filter(|m| m.alters).cloned().collect::<Vec<_>>();
        let is_kept = |run: &RunEntry| {
            let is_same = |b: &&Bookmark| b.config == run.acting && changes(&b.marks) == changes(&run.marks);
            run.bookmarks.iter().filter(is_same).any(|b| b.iteration() == run.iteration)
        };
        let is_lost = self.run(id).is_some_and(|run| run.is_alive() && run.iteration > 0 && !is_kept(run));
        let left = match is_lost {
            true => Ticket::Bookmark { label: String::new(), reason: BookmarkReason::Jump },
            false => Ticket::Way,
        };
        self.set_back(id, checkpoint, GoingBack { config, marks, past }, left, false);
    }

    pub(super) fn rewind_with_half_rate(&mut self, id: RunId) {
        let Some(run) = self.run(id).filter(|run| run.going_back.is_none()) else { return };
        let checkpoint = run.rewind.clone();
        let mut config = run.config.clone();
        config.optimizer.learning_rate *= 0.5;
        match checkpoint {
            Some(checkpoint) => {
                let to = GoingBack { config, marks: None, past: None };
                self.set_back(id, checkpoint, to, Ticket::Way, true);
            }
            None => {
                let given = given_for(&run.given, &config);
                self.restart(id, given, config);
                self.set_running(id, true);
                if self.current == Some(id) {
                    self.show_own_settings();
                }
            }
        }
    }

    /// Sets a run back to a state, with its curves up to there; what it leaves is kept as `left` says.
    fn set_back(&mut self, id: RunId, checkpoint: Arc<Checkpoint>, to: GoingBack, left: Ticket, run: bool) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        let config = to.config.clone();
        let given = given_for(&self.runs[at].given, &config);
        let iteration = checkpoint.iteration;
        if self.runs[at].is_alive() {
            self.ask_way(id, left);
            let way = to.past.as_ref().map(|past| Arc::clone(&past.way));
            let (build, own) = (Arc::clone(&self.build), config.clone());
            let make = Making(Box::new(move || build(&own, Some(&checkpoint))));
            self.tell(id, Command::GoBack { iteration, make, way });
            let run = &mut self.runs[at];
            run.given = given;
            run.config = config;
            run.going_back = Some(to);
        } else {
            let earlier = to.past.as_ref().map(|past| past.earlier()).unwrap_or_else(|| self.earlier(id));
            let fresh = self.entry(id, given, config, Some((checkpoint, earlier)), false);
            self.runs[at].take_over(fresh, to);
            self.runs[at].went_back(iteration);
            self.tell_new_worker(at);
        }
        if run {
            self.set_running(id, true);
        }
        self.find_differences();
        if self.current == Some(id) {
            self.show_own_settings();
        }
    }
}

/// Runs that one click starts at most.
const MOST_SEEDS: u64 = 64;

fn next_seed(seed: u64) -> u64 {
    // Seeds stay in the range of a whole number in a settings file.
    if seed >= i64::MAX as u64 { 0 } else { seed + 1 }
}
