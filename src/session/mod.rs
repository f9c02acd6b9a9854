//! The program minus its screen: settings, runs, history, bookmarks, undo; actions in, effects out.
//!
//! A screen holds one [`Session`] and does two things with it every frame:
//!
//! ```text
//! session.logic(budget)                drains what the workers have said, within the budget
//! ... draws what &Session shows, collects Actions ...
//! effects = session.act(action)        the only way in which state changes
//! ```
//!
//! What a panel reads:
//!
//! | what | where |
//! |---|---|
//! | settings being edited, their errors, undo | [`Session::settings`], [`Settings`] |
//! | what "apply and reset" would change | [`Session::pending`] |
//! | runs table, curves, marks, bookmarks | [`Session::runs`], [`RunEntry`] |
//! | the run that transport and experiment panel act on | [`Session::current`] |
//! | a curve for a plot, bounded and with every spike | [`curves::Curve::visible`] |
//! | the exact value under the cursor | [`curves::Curve::at`] |
//! | an axis in seconds | [`seconds::Seconds::at`] |
//! | sentences: ends, states, differences | [`words`] |
//! | messages to show until dismissed | [`Session::notices`] |
//!
//! It is made with [`Session::new`]`(engine, `[`trainers`]`(), given)`, and a first start then acts on
//! [`Action::Demonstrate`]: two runs that move at once.
//!
//! Settings are a table of the keys that were set; all other keys are the preset's. A key that acts at once
//! (see [`settings::needs_reset`]) acts on the current run as soon as it is set, and leaves a [`runs::Mark`]
//! on its curves; the others wait for [`Action::Apply`]. Undo and redo do the same with the keys they change.

pub mod action;
pub mod build;
pub mod curves;
mod demonstration;
mod events;
pub mod runs;
pub mod seconds;
pub mod settings;
pub mod stability;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

pub use action::{Action, Dialog, Effect, Export};
pub use build::{Build, trainers};
pub use runs::{RunEntry, RunId, RunState};
pub use settings::Settings;

use crate::engine::Engine;
use crate::engine::errand::question;
use crate::engine::messages::{Command, Making};
use crate::engine::run_worker::Made;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::training::config::Config;
use crate::training::config::resolve::resolve;
use crate::training::history::History;
use crate::training::run::{Change, Checkpoint};
use runs::{BookmarkReason, Difference, Ticket};
use settings::{differences, flat_value, needs_reset, put};
use toml::{Table, Value};

/// Number of colours, dashes and markers before they repeat (Okabe and Ito without black).
pub const COLOURS: usize = 7;

/// A message to show until it is dismissed.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// For [`Action::Dismiss`].
    pub id: u64,
    /// One or two sentences.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
    /// The run it is about.
    pub run: Option<RunId>,
}

/// Settings, runs and what belongs to them.
pub struct Session {
    engine: Engine,
    build: Build,
    settings: Settings,
    runs: Vec<RunEntry>,
    current: Option<RunId>,
    notices: Vec<Notice>,
    next_number: u64,
    turn: usize,
}

impl Session {
    /// A session without runs, its settings the keys given.
    pub fn new(engine: Engine, build: Build, given: Table) -> Self {
        let settings = Settings::new(given);
        Self {
            engine,
            build,
            settings,
            runs: Vec::new(),
            current: None,
            notices: Vec::new(),
            next_number: 1,
            turn: 0,
        }
    }

    /// The settings being edited.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All runs and ghosts, in the order of the table.
    pub fn runs(&self) -> &[RunEntry] {
        &self.runs
    }

    /// A run by its identity.
    pub fn run(&self, id: RunId) -> Option<&RunEntry> {
        self.runs.iter().find(|r| r.id == id)
    }

    /// The selected run.
    pub fn current(&self) -> Option<&RunEntry> {
        self.run(self.current?)
    }

    /// Messages, oldest first.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Where the settings differ from the selected run's: what [`Action::Apply`] would change. Empty where
    /// there is no run, or the settings are refused.
    pub fn pending(&self) -> Vec<Difference> {
        match (self.current(), self.settings.resolved()) {
            (Some(run), Ok(resolved)) => differences(&run.config, &resolved.config),
            _ => Vec::new(),
        }
    }

    /// Whether any run is learning (the screen then has something to draw soon).
    pub fn is_running(&self) -> bool {
        self.runs.iter().any(RunEntry::is_running)
    }

    /// Does what was asked; gives what the screen has to do in turn. An action on a run that is gone does
    /// nothing.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        let mut effects = Vec::new();
        match action {
            Action::Set { key, value } => self.edit(|s| s.set(&key, Some(value))),
            Action::Unset { key } => self.edit(|s| s.set(&key, None)),
            Action::Settle => self.settings.settle(),
            Action::Take(table) => self.settings.take(table),
            Action::Undo => self.edit(Settings::undo),
            Action::Redo => self.edit(Settings::redo),
            Action::Revert => {
                if let Some(given) = self.current().map(|r| r.given.clone()) {
                    self.settings.take(given);
                }
            }
            Action::Apply => self.apply(),
            Action::StartNew => {
                if let Some((given, config)) = self.sound_settings() {
                    self.start(given, config, None, None, true);
                }
            }
            Action::Demonstrate => self.demonstrate(),

            Action::RunOrPause => {
                if let Some(run) = self.current() {
                    self.set_running(run.id, !run.is_running());
                }
            }
            Action::RunAll(run) => {
                let alive: Vec<RunId> = self.runs.iter().filter(|r| r.is_alive()).map(|r| r.id).collect();
                alive
                    .into_iter()
                    .for_each(|id| self.tell(id, if run { Command::Run } else { Command::Pause }));
            }
            Action::Step(n) => self.tell_current(Command::Step(n)),
            Action::Reset => self.reset_current(|config| config.seed),
            Action::NewSeed => self.reset_current(|config| next_seed(config.seed)),
            Action::Speed(speed) => {
                if let Some(run) = self.current_mut() {
                    run.speed = speed;
                }
                self.tell_current(Command::Speed(speed));
            }
            Action::Stop => self.tell_current(Command::Stop),
            Action::Select(id) => self.select(id),
            Action::Pin(id, pinned) => self.with(id, |r| r.pinned = pinned),
            Action::Hide(id, hidden) => self.with(id, |r| r.hidden = hidden),
            Action::Rename(id, name) => self.with(id, |r| r.name = name),
            Action::Branch { from, set } => self.branch(from, &set),
            Action::Close(id) => self.close(id),
            Action::RewindWithHalfRate(id) => self.rewind_with_half_rate(id),
            Action::Bookmark { label } => {
                if let Some(id) = self.current {
                    self.ask_checkpoint(id, Ticket::Bookmark { label, reason: BookmarkReason::User });
                }
            }
            Action::JumpTo(id, bookmark) => self.jump(id, bookmark),
            Action::BranchFrom { run, bookmark, set } => self.branch_from(run, bookmark, &set),
            Action::RenameBookmark(id, bookmark, label) => self.with(id, |r| {
                r.bookmarks.iter_mut().filter(|b| b.id == bookmark).for_each(|b| b.label.clone_from(&label));
            }),
            Action::RemoveBookmark(id, bookmark) => {
                self.with(id, |r| r.bookmarks.retain(|b| b.id != bookmark));
            }
            Action::ShowActivity(trial) => self.tell_current(Command::Activity(trial)),
            Action::Measure(measures) => self.tell_current(Command::Measure(measures)),
            Action::Slice(request) => self.tell_current(Command::Slice(request)),
            Action::Dismiss(id) => self.notices.retain(|n| n.id != id),
            Action::Ask(dialog) => {
                effects.push(Effect::AskPath { dialog, proposal: proposal(dialog).into() })
            }
            Action::Save(..) | Action::Open(_) => {
                self.notice("Files cannot be read or written yet.".into(), true, None);
            }
        }
        effects
    }

    /// Changes the settings, and the selected run where the changed keys act at once.
    fn edit(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = flat_value(&Value::Table(self.settings.given().clone()));
        change(&mut self.settings);
        let after = flat_value(&Value::Table(self.settings.given().clone()));
        let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let acting: Vec<(String, Option<Value>)> = keys
            .into_iter()
            .filter(|key| before.get(*key) != after.get(*key) && !needs_reset(key))
            .map(|key| (key.clone(), after.get(key).cloned()))
            .collect();
        if let (Some(id), false) = (self.current, acting.is_empty()) {
            self.change_run(id, &acting);
        }
    }

    /// Changes settings of a run that act at once. What is refused changes nothing; the settings say why.
    fn change_run(&mut self, id: RunId, set: &[(String, Option<Value>)]) {
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id && r.is_alive()) else { return };
        let mut given = run.given.clone();
        set.iter().for_each(|(key, value)| put(&mut given, key, value.clone()));
        let Ok(resolved) = resolve(given.clone()) else { return };
        run.given = given;
        let (old, new) = (run.config.clone(), resolved.config);
        let Some(handle) = &mut run.handle else { return };
        if old.rule != new.rule {
            handle.send(Command::Change(Change::Rule(new.rule)));
        }
        if old.optimizer != new.optimizer {
            handle.send(Command::Change(Change::Optimizer(new.optimizer)));
        }
        if old.schedule != new.schedule {
            handle.send(Command::Change(Change::Schedule(new.schedule)));
        }
        if old.iterations != new.iterations {
            handle.send(Command::Change(Change::Iterations(new.iterations)));
        }
        if old.stop != new.stop {
            handle.send(Command::Change(Change::Stop(new.stop)));
        }
        if old.measure != new.measure {
            handle.send(Command::Measures(Box::new(new.measure)));
        }
        run.config = Config {
            rule: new.rule,
            optimizer: new.optimizer,
            schedule: new.schedule,
            iterations: new.iterations,
            stop: new.stop,
            measure: new.measure,
            ..old
        };
        self.find_differences();
    }

    /// The settings, where they are sound; else a notice says why not.
    fn sound_settings(&mut self) -> Option<(Table, Config)> {
        let resolved = self.settings.resolved().map(|r| r.config.clone()).map_err(ToString::to_string);
        match resolved {
            Ok(config) => Some((self.settings.given().clone(), config)),
            Err(text) => {
                self.notice(text, true, None);
                None
            }
        }
    }

    fn apply(&mut self) {
        let Some((given, config)) = self.sound_settings() else { return };
        match self.current {
            Some(id) => self.restart(id, given, config),
            None => {
                self.start(given, config, None, None, true);
            }
        }
    }

    fn demonstrate(&mut self) {
        for part in demonstration::parts() {
            match resolve(part.given.clone()) {
                Ok(resolved) => {
                    let id = self.start(part.given, resolved.config, None, None, true);
                    self.with(id, |r| {
                        r.name = part.name.into();
                        r.speed = Some(part.speed);
                    });
                    self.tell(id, Command::Speed(Some(part.speed)));
                }
                Err(error) => self.notice(error.to_string(), true, None),
            }
        }
    }

    fn reset_current(&mut self, seed: impl FnOnce(&Config) -> u64) {
        let Some(run) = self.current() else { return };
        let (id, mut given, mut config) = (run.id, run.given.clone(), run.config.clone());
        let seed = seed(&config);
        if seed != config.seed {
            config.seed = seed;
            put(&mut given, "seed", Some(Value::Integer(seed as i64)));
            let mut edited = self.settings.given().clone();
            put(&mut edited, "seed", Some(Value::Integer(seed as i64)));
            self.settings.take(edited);
        }
        self.restart(id, given, config);
    }

    /// Starts a run again from its beginning; where it is pinned its curves stay as a ghost's.
    fn restart(&mut self, id: RunId, given: Table, config: Config) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        let was_running = self.runs[at].is_running() || !self.runs[at].is_alive();
        let mut fresh = self.entry(id, given, config, None, was_running);
        let old = &mut self.runs[at];
        fresh.name.clone_from(&old.name);
        fresh.colour = old.colour;
        fresh.hidden = old.hidden;
        fresh.pinned = old.pinned;
        fresh.speed = old.speed;
        fresh.parent = old.parent;
        let mut old = std::mem::replace(old, fresh);
        self.tell(id, Command::Speed(self.runs[at].speed));
        if old.pinned {
            old.id = RunId(self.number());
            // Its worker stays, asleep: a ghost can still be shaken, written to a file, branched from.
            if let Some(handle) = &mut old.handle {
                handle.send(Command::Pause);
            }
            old.state = RunState::Ghost;
            self.runs.insert(at + 1, old);
        }
        self.find_differences();
    }

    /// Starts another run and selects it.
    fn start(
        &mut self,
        given: Table,
        config: Config,
        from: Option<(Arc<Checkpoint>, Earlier)>,
        parent: Option<(RunId, i64)>,
        run: bool,
    ) -> RunId {
        let id = RunId(self.number());
        let mut entry = self.entry(id, given, config, from, run);
        entry.colour = (0..).find(|c| self.runs.iter().all(|r| r.colour != *c)).unwrap_or(0);
        entry.parent = parent;
        self.runs.push(entry);
        self.find_differences();
        self.select(id);
        id
    }

    /// A run with a worker of its own. With a checkpoint it goes on from there, and what `earlier` gives is its
    /// history and path.
    fn entry(
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
    fn earlier(&mut self, id: RunId) -> Earlier {
        let (reply, asked) = question();
        let kept = self.run(id).map(|r| r.curves.to_history()).unwrap_or_default();
        self.tell(id, Command::Collect(reply));
        Box::new(move || match asked.wait(PATIENCE) {
            Some(collected) => (collected.history, Arc::unwrap_or_clone(collected.trajectory)),
            None => (kept, Trajectory::default()),
        })
    }

    fn branch(&mut self, from: RunId, set: &[(String, Value)]) {
        let Some(run) = self.run(from) else { return };
        let mut given = run.given.clone();
        set.iter().for_each(|(key, value)| put(&mut given, key, Some(value.clone())));
        match resolve(given.clone()) {
            Ok(resolved) => {
                self.start(given, resolved.config, None, Some((from, 0)), true);
            }
            Err(error) => self.notice(error.to_string(), true, Some(from)),
        }
    }

    fn branch_from(&mut self, from: RunId, bookmark: u64, set: &[(String, Value)]) {
        let Some(run) = self.run(from) else { return };
        let Some(bookmark) = run.bookmark(bookmark) else { return };
        let mut given = given_for(&run.given, &bookmark.config);
        set.iter().for_each(|(key, value)| put(&mut given, key, Some(value.clone())));
        let (checkpoint, at) = (Arc::clone(&bookmark.checkpoint), bookmark.iteration());
        let mut curves = run.curves.clone();
        curves.truncate_after(at);
        match resolve(given.clone()) {
            Ok(resolved) => {
                let earlier = self.earlier(from);
                let id =
                    self.start(given, resolved.config, Some((checkpoint, earlier)), Some((from, at)), true);
                self.with(id, |r| r.curves = curves);
            }
            Err(error) => self.notice(error.to_string(), true, Some(from)),
        }
    }

    fn jump(&mut self, id: RunId, bookmark: u64) {
        let Some(bookmark) = self.run(id).and_then(|r| r.bookmark(bookmark)) else { return };
        let (checkpoint, config) = (Arc::clone(&bookmark.checkpoint), bookmark.config.clone());
        self.set_back(id, checkpoint, config, false);
    }

    fn rewind_with_half_rate(&mut self, id: RunId) {
        let Some(run) = self.run(id) else { return };
        let checkpoint = run.rewind.clone();
        let mut config = run.config.clone();
        config.optimizer.learning_rate *= 0.5;
        match checkpoint {
            Some(checkpoint) => self.set_back(id, checkpoint, config, true),
            None => {
                let given = given_for(&run.given, &config);
                self.restart(id, given, config);
                self.set_running(id, true);
            }
        }
    }

    /// Sets a run back to a state, keeping its curves up to there.
    fn set_back(&mut self, id: RunId, checkpoint: Arc<Checkpoint>, config: Config, run: bool) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        let given = given_for(&self.runs[at].given, &config);
        let iteration = checkpoint.iteration;
        if self.runs[at].is_alive() {
            let (build, own) = (Arc::clone(&self.build), config.clone());
            let make = Making(Box::new(move || build(&own, Some(&checkpoint))));
            self.tell(id, Command::GoBack { iteration, make });
            let run = &mut self.runs[at];
            run.given = given;
            run.config = config.clone();
            run.going_back.push_back(config);
        } else {
            let earlier = self.earlier(id);
            let fresh = self.entry(id, given, config, Some((checkpoint, earlier)), false);
            self.runs[at].take_over(fresh);
            self.runs[at].went_back(iteration);
            self.tell(id, Command::Speed(self.runs[at].speed));
        }
        if run {
            self.set_running(id, true);
        }
        self.find_differences();
        if self.current == Some(id) {
            self.select(id);
        }
    }

    fn close(&mut self, id: RunId) {
        let at = self.runs.iter().position(|r| r.id == id);
        self.runs.retain(|r| r.id != id);
        if self.current == Some(id) {
            let next = at.and_then(|at| self.runs.get(at).or(self.runs.last())).map(|r| r.id);
            self.current = None;
            if let Some(next) = next {
                self.select(next);
            }
        }
        self.find_differences();
    }

    fn select(&mut self, id: RunId) {
        let Some(given) = self.run(id).map(|r| r.given.clone()) else { return };
        self.current = Some(id);
        self.settings.take(given);
    }

    fn ask_checkpoint(&mut self, id: RunId, what: Ticket) {
        let ticket = self.number();
        self.with(id, |r| r.tickets.push((ticket, what)));
        self.tell(id, Command::Checkpoint(ticket));
    }

    /// Fills in where each run differs from the others of its task: the keys on which not all agree.
    fn find_differences(&mut self) {
        let all: Vec<_> = self.runs.iter().map(|r| settings::flat(&r.config)).collect();
        for (run, own) in self.runs.iter_mut().zip(&all) {
            let uneven = |key: &String| all.iter().any(|other| other.get(key) != own.get(key));
            run.differs = own
                .iter()
                .filter(|(key, _)| uneven(key))
                .map(|(key, value)| Difference {
                    key: key.clone(),
                    from: None,
                    to: Some(value.clone()),
                    needs_reset: needs_reset(key),
                })
                .collect();
        }
    }

    fn set_running(&mut self, id: RunId, run: bool) {
        self.with(id, |r| r.to_run = run);
        self.tell(id, if run { Command::Run } else { Command::Pause });
    }

    fn tell_current(&mut self, command: Command) {
        if let Some(id) = self.current {
            self.tell(id, command);
        }
    }

    fn tell(&mut self, id: RunId, command: Command) {
        self.with(id, |r| {
            if let Some(handle) = &mut r.handle {
                handle.send(command);
            }
        });
    }

    fn with(&mut self, id: RunId, f: impl FnOnce(&mut RunEntry)) {
        if let Some(run) = self.runs.iter_mut().find(|r| r.id == id) {
            f(run);
        }
    }

    fn current_mut(&mut self) -> Option<&mut RunEntry> {
        let id = self.current?;
        self.runs.iter_mut().find(|r| r.id == id)
    }

    fn notice(&mut self, text: String, is_error: bool, run: Option<RunId>) {
        let id = self.number();
        self.notices.push(Notice { id, text, is_error, run });
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }
}

/// Gives the history and the path of a run up to where another goes on from it; called on the other's thread.
type Earlier = Box<dyn FnOnce() -> (History, Trajectory) + Send>;

/// How long a branch waits for the history of the run it leaves: an update of the largest networks.
const PATIENCE: Duration = Duration::from_secs(60);

/// The given keys with those added in which they are not yet `config`.
fn given_for(given: &Table, config: &Config) -> Table {
    let mut given = given.clone();
    // A rule brings presets of its own, so that setting one key may move others.
    for _ in 0..3 {
        let Ok(resolved) = resolve(given.clone()) else { break };
        for difference in differences(&resolved.config, config) {
            put(&mut given, &difference.key, difference.to);
        }
    }
    given
}

fn next_seed(seed: u64) -> u64 {
    // Seeds stay in the range of a whole number in a settings file.
    if seed >= i64::MAX as u64 { 0 } else { seed + 1 }
}

fn proposal(dialog: Dialog) -> &'static str {
    match dialog {
        Dialog::Save(Export::Snapshot) | Dialog::Open => "snapshot.npz",
        Dialog::Save(Export::Curves) => "history.csv",
        Dialog::Save(Export::Settings) => "config.toml",
    }
}
