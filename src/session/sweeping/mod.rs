//! Sweeps from the window: what varies ([`draft`]), the sweep that is open and under way ([`Sweeping`]), and what is
//! read off its runs ([`outcomes`], [`curves`]). The runs are made by the very code of `basinscope sweep`, in the
//! same folders: what one begins the other goes on with.

mod asking;
pub mod curves;
pub mod draft;
mod going;
pub mod outcomes;
pub mod pictures;
pub mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Table;

use super::sweep::Progress;
use crate::engine::Engine;
use crate::engine::background::{Answer, Explorer as Thread};
use crate::training::config::resolve;
use crate::training::history::Series;
use curves::{GroupCurve, SweepCurves};
use draft::{Draft, Varied};
use going::{Going, Told};
use outcomes::{Map, Outcomes, Scatter};
use view::{Page, View};

pub use asking::{Ask, folder_of};

/// What the draft amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Runs.
    pub runs: usize,
    /// Updates of all of them.
    pub updates: u64,
    /// What has no effect or may surprise.
    pub warnings: Vec<String>,
}

/// Runs that a click opens at most.
pub const MOST_OPENED: usize = 8;
/// Answers taken in at once: a frame never takes in more.
const MOST_ANSWERS: usize = 64;

/// A sweep under way.
#[derive(Clone, Copy, Debug)]
struct Under {
    progress: Option<Progress>,
    stopping: bool,
}

/// Sweeps as the window sees them.
pub struct Sweeping {
    work: Thread<Told>,
    plans: Thread<Result<Preview, String>>,
    histories: Thread<(usize, Result<super::curves::Curve, String>)>,
    draft: Draft,
    /// The settings that the draft was last counted with.
    counted: Option<(Draft, Table)>,
    preview: Option<Result<Preview, String>>,
    /// Why the last thing asked could not be done.
    error: Option<String>,
    outcomes: Option<Outcomes>,
    /// The folder that the thread was last given.
    at: Option<PathBuf>,
    under: Option<Under>,
    opening: bool,
    wants_sight: bool,
    view: View,
    map: Option<Map>,
    scatter: Scatter,
    series: Vec<Series>,
    curves: SweepCurves,
    groups: Vec<GroupCurve>,
    n_threads: usize,
    /// Where our own folders are, and the next free one among them.
    own: Option<PathBuf>,
    free: Option<PathBuf>,
}

impl Sweeping {
    /// No sweep yet, on threads that sleep until they are asked.
    pub fn new(engine: &Engine) -> Self {
        Self {
            work: engine.explorer("sweep"),
            plans: engine.explorer("sweep plan"),
            histories: engine.explorer("sweep curves"),
            // Half of the processors stay with the runs in the window.
            draft: Draft::new(engine.threads() / 2),
            counted: None,
            preview: None,
            error: None,
            outcomes: None,
            at: None,
            under: None,
            opening: false,
            wants_sight: false,
            view: View::default(),
            map: None,
            scatter: Scatter::default(),
            series: Vec::new(),
            curves: SweepCurves::default(),
            groups: Vec::new(),
            n_threads: engine.threads(),
            own: directories::ProjectDirs::from("", "", env!("CARGO_PKG_NAME"))
                .map(|dirs| dirs.data_local_dir().join("sweeps")),
            free: None,
        }
    }

    /// What varies.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// What the draft amounts to, or what is wrong with it; `None` until it is counted.
    pub fn preview(&self) -> Option<&Result<Preview, String>> {
        self.preview.as_ref()
    }

    /// Whether the draft is to be counted anew: it or the settings have changed.
    pub fn is_outdated(&self, given: &Table) -> bool {
        self.counted.as_ref().is_none_or(|(draft, of)| *draft != self.draft || of != given)
    }

    /// Why the last thing that was asked could not be done.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The sweep that is open.
    pub fn outcomes(&self) -> Option<&Outcomes> {
        self.outcomes.as_ref()
    }

    /// Whether runs are being made.
    pub fn is_running(&self) -> bool {
        self.under.is_some()
    }

    /// Whether it was told to stop and ends what it is at.
    pub fn is_stopping(&self) -> bool {
        self.under.is_some_and(|u| u.stopping)
    }

    /// Whether a sweep was opened or begun.
    pub(super) fn is_asked_for(&self) -> bool {
        self.at.is_some()
    }

    /// Whether a folder is being read.
    pub fn is_opening(&self) -> bool {
        self.opening
    }

    /// How far the runs are that are being made.
    pub fn progress(&self) -> Option<Progress> {
        self.under?.progress
    }

    /// An estimate of the seconds left of the sweep under way; `None` while nothing is known of its speed.
    pub fn seconds_left(&self) -> Option<f64> {
        Some(self.under?.progress?.left?.as_secs_f64())
    }

    /// Seconds that the runs of the open sweep that have not ended may take, by those that have.
    pub fn seconds_to_go_on(&self) -> Option<f64> {
        let rows = self.outcomes.as_ref()?.rows();
        let ended: Vec<f64> = rows.iter().filter_map(|r| Some(r.ended.as_ref()?.wall_seconds)).collect();
        let left = rows.len() - ended.len();
        let mean = ended.iter().sum::<f64>() / ended.len() as f64;
        (left > 0 && !ended.is_empty()).then(|| mean * left as f64 / self.draft.at_once.max(1) as f64)
    }

    /// Every series of which some run has a value at its end.
    pub fn series(&self) -> &[Series] {
        &self.series
    }

    /// What is looked at.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// A quantity over two keys.
    pub fn map(&self) -> Option<&Map> {
        self.map.as_ref()
    }

    /// Two quantities against each other.
    pub fn scatter(&self) -> &Scatter {
        &self.scatter
    }

    /// Means and bands by the values of a key, as far as they are read.
    pub fn groups(&self) -> &[GroupCurve] {
        &self.groups
    }

    /// Whether curves are being read.
    pub fn is_reading(&self) -> bool {
        self.histories.is_busy()
    }

    /// How many threads there are to share.
    pub fn threads(&self) -> usize {
        self.n_threads
    }

    /// The folder that the next sweep goes to.
    pub fn folder(&self) -> Option<PathBuf> {
        let typed = self.draft.folder.trim();
        if !typed.is_empty() {
            return Some(typed.into());
        }
        self.free.clone()
    }

    fn find_free(&mut self) {
        let folder = |n: u32| Some(self.own.as_ref()?.join(format!("sweep-{n}")));
        self.free = (1..).map_while(folder).find(|folder| !folder.exists());
    }

    /// Takes up a draft of an earlier session.
    pub(super) fn take_draft(&mut self, mut draft: Draft) {
        draft.at_once = draft.at_once.clamp(1, self.n_threads.max(1));
        self.draft = draft;
    }

    fn ask_preview(&mut self, given: &Table, rate: Option<f64>) {
        rate.into_iter().for_each(|rate| self.draft.propose(rate));
        self.counted = Some((self.draft.clone(), given.clone()));
        self.find_free();
        match self.draft.table(given) {
            Ok(plan) => self.plans.ask(move |tell, _| tell(going::count(plan))),
            Err(error) => {
                self.plans.forget();
                self.preview = Some(Err(error));
            }
        }
    }

    fn add(&mut self, key: &str) {
        let key = key.trim();
        // Whether there is such a key, the table of keys says, and names the nearest where not.
        match resolve::set(&mut Table::new(), &format!("{key}=0")) {
            Err(error) => self.error = Some(error.to_string()),
            Ok(()) if key == "seed" => {
                self.error = Some("seeds have a line of their own".into());
            }
            Ok(()) if self.draft.varied.iter().any(|v| v.key == key) => {
                self.draft.varied.iter_mut().filter(|v| v.key == key).for_each(|v| v.on = true);
            }
            Ok(()) => self.draft.varied.push(Varied { key: key.into(), values: String::new(), on: true }),
        }
    }

    fn go(&mut self, going: Going) {
        self.opening = true;
        self.at = Some(going.folder.clone());
        self.under = going.share.map(|_| Under { progress: None, stopping: false });
        self.work.ask(move |tell, keep_on| going::go(&going, tell, keep_on));
    }

    fn stop(&mut self) {
        let Some(folder) = self.at.clone().filter(|_| self.is_running()) else { return };
        // The folder is read again when the runs under way have been left, behind them on their thread.
        self.go(Going { folder, text: None, share: None });
        self.under = Some(Under { progress: None, stopping: true });
    }

    /// Takes in what has arrived; whether anything has.
    fn drain(&mut self) -> bool {
        let mut heard = false;
        while let Some(answer) = self.plans.answer() {
            heard = true;
            match answer {
                Answer::Result(preview) => self.preview = Some(preview),
                Answer::Failed(error) => self.preview = Some(Err(error)),
                Answer::Done => {}
            }
        }
        let mut news = false;
        for _ in 0..MOST_ANSWERS {
            let Some(answer) = self.work.answer() else { break };
            news = true;
            self.take(answer);
        }
        let mut read = false;
        for _ in 0..MOST_ANSWERS {
            let Some(answer) = self.histories.answer() else { break };
            read = true;
            match answer {
                Answer::Result((run, curve)) => {
                    // A history that cannot be read is an empty curve: it is not asked for again.
                    self.curves.put(
                        run,
                        curve.unwrap_or_else(|error| {
                            self.error = Some(error);
                            super::curves::Curve::default()
                        }),
                    );
                }
                Answer::Failed(error) => self.error = Some(error),
                Answer::Done => {}
            }
        }
        if news {
            self.look();
        }
        if read {
            self.band();
        }
        if news || read {
            self.load();
        }
        heard || news || read
    }

    fn take(&mut self, answer: Answer<Told>) {
        match answer {
            Answer::Result(Told::Opened(outcomes)) => {
                self.opening = false;
                self.find_free();
                // Also of the same folder: its runs may have been made anew.
                self.curves.clear();
                self.view.fit(&outcomes);
                self.outcomes = Some(*outcomes);
            }
            Answer::Result(Told::News(progress, ended)) => {
                if let Some(under) = &mut self.under {
                    under.progress = Some(progress);
                }
                if let Some(outcomes) = &mut self.outcomes {
                    ended.into_iter().for_each(|(run, ended)| outcomes.set_ended(run, ended));
                }
            }
            Answer::Result(Told::Refused(error)) | Answer::Failed(error) => {
                self.error = Some(error);
                (self.under, self.opening) = (None, false);
            }
            Answer::Done => (self.under, self.opening) = (None, false),
        }
    }

    /// Reads off the runs what the view asks for.
    fn look(&mut self) {
        let Some(outcomes) = &self.outcomes else { return };
        self.map = Some(outcomes.map(&self.view));
        self.scatter = outcomes.scatter(&self.view);
        self.series = outcomes.series();
        self.band();
    }

    fn band(&mut self) {
        if let (Some(outcomes), Page::Curves) = (&self.outcomes, self.view.page) {
            self.groups = self.curves.groups(outcomes, &self.view);
        }
    }

    /// Reads curves that are looked at and not known yet.
    fn load(&mut self) {
        let Some(outcomes) = self.outcomes.as_ref().filter(|_| self.view.page == Page::Curves) else {
            return;
        };
        let series: Series = self.view.curve;
        let other = self.curves.want(series);
        if self.histories.is_busy() && !other {
            return;
        }
        let missing = self.curves.missing(outcomes, &self.view);
        let folders: BTreeMap<usize, PathBuf> =
            missing.into_iter().map(|i| (i, going::run_folder(outcomes, i))).collect();
        if folders.is_empty() {
            return;
        }
        self.histories.ask(move |tell, keep_on| {
            for (run, folder) in &folders {
                if !keep_on() {
                    return;
                }
                tell((*run, curves::read(folder, series)));
            }
        });
    }
}
