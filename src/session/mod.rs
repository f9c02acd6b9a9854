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
//! | looks at a gain before training, scans over gains | [`Session::explorer`] |
//! | sweeps: what varies, what the runs ended with | [`Session::sweeping`] |
//! | cuts, descents and shakes of the landscape | [`Session::bench`], [`Session::places`] |
//! | the lesson that is being taken | [`Session::playing`], [`Session::observations`] |
//! | messages to show until dismissed | [`Session::notices`] |
//!
//! It is made with [`Session::new`]`(engine, `[`trainers`]`(), given)` and begun with
//! [`Session::begin`]`(`[`keep::place`]`(), true)`: the last session is there again, or at a first start the
//! demonstration, two runs that move at once. [`Session::end`] writes it before the program ends.
//!
//! Settings are a table of the keys that were set; all other keys are the preset's. A key that acts at once
//! (see [`settings::needs_reset`]) acts on the current run as soon as it is set, and leaves a [`runs::Mark`]
//! on its curves; the others wait for [`Action::Apply`]. Undo and redo do the same with the keys they change.

pub mod across;
pub mod action;
mod alterations;
mod aside;
pub mod build;
pub mod compare;
pub mod curves;
mod demonstration;
mod editing;
mod events;
pub mod explorer;
mod files;
pub mod freshness;
mod gains;
pub mod keep;
pub mod landscape;
pub mod lessons;
mod methods;
mod notices;
mod opening;
pub mod pictures;
pub mod places;
mod playing;
pub mod reproduce;
pub mod runs;
pub mod seconds;
pub mod series_words;
pub mod setting_words;
pub mod settings;
pub mod spectra;
pub mod spectral_density;
pub mod stability;
mod starting;
pub mod sweep;
pub mod sweeping;
mod ways;
pub mod weight_spectra;
pub mod words;

pub use action::{Action, Dialog, Effect, Export};
pub use build::{Build, trainers};
pub use compare::{Comparison, Group, Quantity};
pub use notices::Notice;
pub use opening::can_open;
pub use pictures::Picture;
pub use playing::Playing;
pub use runs::{RunEntry, RunId, RunState, ShownWeights};
pub use settings::Settings;

use std::collections::HashMap;

use crate::engine::Engine;
use crate::engine::messages::Command;
use across::Horizontal;
use files::Errand;
use keep::Keeper;
use runs::{BookmarkReason, Difference, Ticket};
use settings::differences;
use toml::Table;

/// Number of colours, dashes and markers before they repeat (Okabe and Ito without black).
pub const COLOURS: usize = 7;

/// Settings, runs and what belongs to them.
pub struct Session {
    engine: Engine,
    explorer: explorer::GainExplorer,
    bench: landscape::Bench,
    sweeping: sweeping::Sweeping,
    /// Against what the pictures of curves are drawn.
    horizontal: HashMap<Picture, Horizontal>,
    weight_spectra: weight_spectra::WeightSpectra,
    build: Build,
    settings: Settings,
    runs: Vec<RunEntry>,
    /// Runs closed or started afresh, the newest last.
    aside: Vec<aside::Aside>,
    current: Option<RunId>,
    notices: Vec<Notice>,
    next_number: u64,
    turn: usize,
    errands: Vec<Errand>,
    keeper: Option<Keeper>,
    demonstrates: bool,
    layout: String,
    playing: Option<Playing>,
}

impl Session {
    /// A session without runs, its settings the keys given.
    pub fn new(engine: Engine, build: Build, given: Table) -> Self {
        let settings = Settings::new(given);
        Self {
            explorer: explorer::GainExplorer::new(&engine),
            bench: landscape::Bench::new(&engine),
            sweeping: sweeping::Sweeping::new(&engine),
            horizontal: HashMap::new(),
            weight_spectra: weight_spectra::WeightSpectra::new(&engine),
            engine,
            build,
            settings,
            runs: Vec::new(),
            aside: Vec::new(),
            current: None,
            notices: Vec::new(),
            next_number: 1,
            turn: 0,
            errands: Vec::new(),
            keeper: None,
            demonstrates: false,
            layout: String::new(),
            playing: None,
        }
    }

    /// The settings being edited.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Eigenvalues of weights and singular values of their updates.
    pub fn weight_spectra(&self) -> &weight_spectra::WeightSpectra {
        &self.weight_spectra
    }

    /// The gain explorer.
    pub fn explorer(&self) -> &explorer::GainExplorer {
        &self.explorer
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

    /// Where the settings differ from the selected run's: what [`Action::Apply`] would change. Empty where
    /// there is no run, or the settings are refused.
    pub fn pending(&self) -> Vec<Difference> {
        match (self.current(), self.settings.resolved()) {
            (Some(run), Ok(resolved)) => differences(&run.config, &resolved.config),
            _ => Vec::new(),
        }
    }

    /// Files that are being read or written now, in words.
    pub fn errands(&self) -> impl Iterator<Item = &str> {
        self.errands.iter().map(Errand::words)
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
            Action::Revert => self.show_own_settings(),
            Action::Apply => self.apply(),
            Action::StartPreset(given) => self.start_preset(given),
            Action::StartNew => {
                if let Some((given, config)) = self.sound_settings() {
                    self.start(given, config, None, None, true);
                }
            }
            Action::Demonstrate => self.demonstrate(),

            Action::RunOrPause if self.is_in_lesson() => self.run_or_pause_lesson(),
            Action::Step(n) if self.is_in_lesson() => self.step_lesson(n),
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
            Action::Reset => self.reset_current(false),
            Action::NewSeed => self.reset_current(true),
            Action::DrawAgainst(horizontal) => self.horizontal = horizontal.into_iter().collect(),
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
            Action::Rename(id, name) => self.with(id, |r| r.call(name)),
            Action::Branch { from, set } => self.branch(from, &set),
            Action::MoreSeeds { like, n } => self.more_seeds(like, n),
            Action::Close(id) => self.close_for_now(id),
            Action::BringBack(id) => self.bring_back_run(id),
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
            Action::Explore(ask) => {
                if let Ok(resolved) = self.settings.resolved() {
                    self.explorer.ask(ask, &resolved.config);
                }
            }
            Action::FindWeightSpectra => {
                if let Some(run) = self.current.and_then(|id| self.runs.iter().find(|r| r.id == id)) {
                    self.weight_spectra.find(run);
                }
            }
            Action::ShowActivity(trial) => {
                if let Some(run) = self.current_mut() {
                    run.shown_trial = trial;
                }
                self.tell_current(Command::Activity(trial));
            }
            Action::Measure(measures) => self.tell_current(Command::Measure(measures)),
            Action::Landscape(ask) => self.ask_landscape(ask),
            Action::Sweep(ask) => self.ask_sweep(ask),
            Action::Layout(text) => self.layout = text,
            Action::BeginLesson(lesson) => self.begin_lesson(lesson),
            Action::LessonStep(step) => self.lesson_step(step),
            Action::EndLesson => self.end_lesson(),
            Action::Dismiss(id) => self.notices.retain(|n| n.id != id),
            Action::DismissAll => self.notices.clear(),
            Action::Ask(dialog) => {
                let lesson = self.playing().map(|playing| format!("{}.md", playing.lesson().name));
                let proposal = match (dialog, lesson) {
                    (Dialog::Save(Export::Lesson), Some(name)) => name,
                    _ => dialog.proposal(),
                };
                effects.push(Effect::AskPath { dialog, proposal });
            }
            Action::Save(export, path) => self.save(export, path),
            Action::Open(path) => self.open(path),
        }
        effects
    }

    /// Closes a run for good.
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

    /// Selects a run: the settings become its settings, and what can be undone is what was done to it.
    fn select(&mut self, id: RunId) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        if self.current == Some(id) {
            return;
        }
        // What was edited for the run that is left, and waits for a reset, is a step of its own.
        self.show_own_settings();
        let run = &mut self.runs[at];
        let left = self.settings.show(run.given.clone(), std::mem::take(&mut run.steps));
        if let Some(old) = self.current.replace(id) {
            self.with(old, |run| run.steps = left);
        }
    }

    /// Shows the settings of the selected run as they are; what was edited can be undone.
    fn show_own_settings(&mut self) {
        if let Some(given) = self.current().map(|r| r.given.clone()) {
            self.settings.take(given);
        }
    }

    fn ask_checkpoint(&mut self, id: RunId, what: Ticket) {
        let ticket = self.number();
        self.with(id, |r| r.tickets.push((ticket, what)));
        self.tell(id, Command::Checkpoint { ticket, with_way: false });
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

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }
}
