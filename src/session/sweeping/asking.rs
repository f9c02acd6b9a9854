//! Owns [`Ask`], what a user asks of sweeps, and how a session takes it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::draft::Draft;
use super::going::{self, Going};
use super::view::{Page, View};
use super::{MOST_OPENED, Sweeping};
use crate::files::run_folder::SNAPSHOT;
use crate::session::Session;
use crate::session::sweep::{INDEX, PLAN, RUNS};
use crate::training::config::Config;

/// What a user asks of sweeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// What varies is now this.
    Draft(Draft),
    /// Another key varies, by its full path.
    Add(String),
    /// Counts the runs of the draft with the settings as they are.
    Preview,
    /// The runs go to this folder.
    Folder(PathBuf),
    /// Makes the runs of the draft.
    Start,
    /// Stops; what has ended stays.
    Stop,
    /// Makes the runs that the open sweep lacks.
    GoOn,
    /// Opens the folder of a sweep, whoever made it.
    Open(PathBuf),
    /// Looks at other things.
    View(View),
    /// Opens runs of the sweep, by their numbers, as from their files.
    OpenRuns(Vec<usize>),
}

/// How long the end of the program waits for the index of a sweep that is under way.
const AT_THE_END: Duration = Duration::from_secs(3);

impl Session {
    /// Sweeps from the window.
    pub fn sweeping(&self) -> &Sweeping {
        &self.sweeping
    }

    /// Seconds that so many updates take at the speed of the selected run, where that is of the same task and
    /// size as the settings; measures left out.
    pub fn seconds_of_updates(&self, updates: u64) -> Option<f64> {
        let (run, resolved) = (self.current()?, self.settings.resolved().ok()?);
        let size = |config: &Config| (config.task.own.kind(), config.task.batch, config.network.n_rec);
        let known = run.update_cost > 0.0 && size(&run.config) == size(&resolved.config);
        known.then(|| updates as f64 * run.update_cost / self.sweeping.draft.at_once.max(1) as f64)
    }

    pub(in crate::session) fn ask_sweep(&mut self, ask: Ask) {
        let sweeping = &mut self.sweeping;
        if !matches!(ask, Ask::Preview | Ask::View(_)) {
            sweeping.error = None;
        }
        let share = Some(sweeping.draft.at_once);
        match ask {
            Ask::Draft(draft) => sweeping.draft = draft,
            Ask::Add(key) => sweeping.add(&key),
            Ask::Preview => {
                let rate = self.settings.resolved().ok().map(|r| r.config.optimizer.learning_rate);
                sweeping.ask_preview(self.settings.given(), rate);
            }
            Ask::Folder(folder) => sweeping.draft.folder = folder.display().to_string(),
            Ask::Start => {
                sweeping.find_free();
                match (sweeping.draft.text(self.settings.given()), sweeping.folder()) {
                    (Ok(text), Some(folder)) => sweeping.go(Going { folder, text: Some(text), share }),
                    (Err(error), _) => sweeping.error = Some(error),
                    (_, None) => sweeping.error = Some("choose a folder for the runs first".into()),
                }
            }
            Ask::Stop => sweeping.stop(),
            Ask::GoOn => {
                if let Some(folder) = sweeping.outcomes.as_ref().map(|o| o.folder.clone()) {
                    sweeping.go(Going { folder, text: None, share });
                }
            }
            Ask::Open(path) => {
                let folder = folder_of(&path).unwrap_or(path);
                sweeping.go(Going { folder, text: None, share: None });
            }
            Ask::View(view) => {
                sweeping.view = view;
                if let Some(outcomes) = &sweeping.outcomes {
                    sweeping.view.fit(outcomes);
                }
                sweeping.look();
                sweeping.load();
            }
            Ask::OpenRuns(runs) => self.open_runs(&runs),
        }
    }

    /// Opens a sweep that is to be seen at once.
    pub(in crate::session) fn open_sweep(&mut self, folder: PathBuf) {
        if self.sweeping.is_running() {
            let text = format!("{}: a sweep is being made; stop it to open another", folder.display());
            return self.notice(text, true, None);
        }
        self.ask_sweep(Ask::Open(folder));
        if self.sweeping.view.page == Page::Plan {
            self.sweeping.view.page = Page::Map;
        }
        self.sweeping.wants_sight = true;
    }

    /// Whether the sweep that is open is to be brought in sight; says so once, when the last session is back.
    pub fn take_wish_for_sweep(&mut self) -> bool {
        !self.is_coming_back() && std::mem::take(&mut self.sweeping.wants_sight)
    }

    /// Opens runs of the sweep from their files; those that are open already are selected.
    fn open_runs(&mut self, runs: &[usize]) {
        let Some(outcomes) = self.sweeping.outcomes() else { return };
        let ended = runs.iter().filter(|i| outcomes.rows().get(**i).is_some_and(|r| r.ended.is_some()));
        let path = |i: &usize| going::run_folder(outcomes, *i).join(SNAPSHOT);
        let found: Vec<PathBuf> = ended.take(MOST_OPENED).map(path).collect();
        for path in found {
            // By its file: runs of other sweeps have the same names.
            match self.runs.iter().find(|run| run.file.as_ref() == Some(&path)).map(|run| run.id) {
                Some(id) => self.select(id),
                None => self.open(path),
            }
        }
    }

    pub(in crate::session) fn drain_sweep(&mut self) -> bool {
        self.sweeping.drain()
    }

    /// Leaves the runs of a sweep under way; those that have ended stay, and the index is theirs.
    pub(in crate::session) fn end_sweep(&mut self) {
        if !self.sweeping.is_running() {
            return;
        }
        self.sweeping.stop();
        let start = Instant::now();
        while self.sweeping.work.is_busy() && start.elapsed() < AT_THE_END {
            if !self.sweeping.drain() {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// The folder of the sweep that a path is: its folder, or the plan or the index in it. A plan without runs is no
/// sweep yet.
pub fn folder_of(path: &Path) -> Option<PathBuf> {
    let is_in_sweep = path.file_name().is_some_and(|name| name == PLAN || name == INDEX);
    let folder = if is_in_sweep { path.parent()? } else { path };
    (folder.join(PLAN).is_file() && folder.join(RUNS).is_dir()).then(|| folder.to_owned())
}
