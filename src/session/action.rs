//! Owns [`Action`], all that can be asked of a session, and [`Effect`], all that it asks of its screen.

use std::path::PathBuf;

use super::compare::Quantity;
use super::runs::RunId;
use crate::files::run_folder::SNAPSHOT;
use crate::training::measures::Measure;

/// What a user can ask for. Actions on `current` act on the run that is selected.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sets a key (`network.gain`) of the settings. One that acts at once acts on the selected run, others
    /// wait for [`Action::Apply`]. Sets of one key in turn are one step for undo, until [`Action::Settle`].
    Set {
        /// Its full path.
        key: String,
        /// As in the configuration file.
        value: toml::Value,
    },
    /// Back to the preset's value.
    Unset {
        /// Its full path.
        key: String,
    },
    /// A slider was let go, a field left: the next set is a step of its own.
    Settle,
    /// Takes a whole table of settings (a preset, a file, a lesson's step).
    Take(toml::Table),
    /// The settings before the last change.
    Undo,
    /// And forward again.
    Redo,
    /// Back to the settings of the selected run.
    Revert,
    /// Starts the selected run afresh with the settings as they are ("apply and reset").
    Apply,
    /// Starts the selected run afresh, running, with these settings, or a first run: a preset.
    StartPreset(toml::Table),
    /// Starts another run with the settings as they are.
    StartNew,
    /// Starts the demonstration of a first start.
    Demonstrate,

    /// Runs the selected run, or pauses it.
    RunOrPause,
    /// Runs or pauses all.
    RunAll(bool),
    /// So many updates, then pause.
    Step(u64),
    /// The selected run again from its start, with the same seed.
    Reset,
    /// The same with another seed.
    NewSeed,
    /// At most so many updates a second; `None`: as many as go.
    Speed(Option<f64>),
    /// Ends the selected run.
    Stop,

    /// Selects a run; the settings become its settings.
    Select(RunId),
    /// A pinned run stays as a ghost when it is reset.
    Pin(RunId, bool),
    /// A hidden run is not drawn.
    Hide(RunId, bool),
    /// Gives a run a name.
    Rename(RunId, String),
    /// "The same, but with ...": a new run with the run's settings and these.
    Branch {
        /// The run to take the settings of.
        from: RunId,
        /// Keys and their values.
        set: Vec<(String, toml::Value)>,
    },
    /// So many more runs like this one, with the seeds that follow.
    MoreSeeds {
        /// The run to take the settings of.
        like: RunId,
        /// How many.
        n: u64,
    },
    /// Closes a run or a ghost.
    Close(RunId),
    /// Brings a run back that was closed or started afresh, paused; `None`: the last of them.
    BringBack(Option<RunId>),
    /// Goes back to before a run went wrong, with half the learning rate.
    RewindWithHalfRate(RunId),

    /// Bookmarks the selected run where it is.
    Bookmark {
        /// What to call it; empty: its iteration.
        label: String,
    },
    /// Sets a run back to one of its bookmarks.
    JumpTo(RunId, u64),
    /// A new run that goes on from a bookmark, with these settings changed.
    BranchFrom {
        /// Whose bookmark.
        run: RunId,
        /// Which.
        bookmark: u64,
        /// Keys that act at once, and their values.
        set: Vec<(String, toml::Value)>,
    },
    /// Gives a bookmark another label.
    RenameBookmark(RunId, u64, String),
    /// Drops a bookmark.
    RemoveBookmark(RunId, u64),

    /// Asks the gain explorer, of networks with the settings as they are.
    Explore(super::explorer::Ask),

    /// Finds the eigenvalues of the weights that are shown, and the singular values of their update.
    FindWeightSpectra,

    /// Shows the activity of this probe trial of the selected run; `None`: of none.
    ShowActivity(Option<usize>),
    /// Takes these measures of the selected run now, whatever their cadence.
    Measure(Vec<Measure>),
    /// Asks something of the landscape: a slice, a cut, a descent, a shake. What is asked takes the place of one
    /// of its kind that is being computed.
    Landscape(super::landscape::Ask),
    /// Asks something of sweeps: what varies, start, stop, what is looked at.
    Sweep(super::sweeping::Ask),
    /// What the screen wants to find again at the next start (its panels, in words of its own).
    Layout(String),
    /// Begins a lesson, by its place in [`super::lessons::lessons`]; the other runs wait, hidden.
    BeginLesson(usize),
    /// Goes to a step of the lesson.
    LessonStep(usize),
    /// Leaves the lesson; its runs close, the others come back.
    EndLesson,
    /// Takes a notice away.
    Dismiss(u64),
    /// Takes all messages away.
    DismissAll,
    /// The user wants to choose a path: the screen answers with [`Action::Save`] or [`Action::Open`].
    Ask(Dialog),
    /// Against what pictures of curves are drawn from now on; those not named by iteration.
    DrawAgainst(Vec<(super::Picture, super::across::Horizontal)>),
    /// Writes a file.
    Save(Export, PathBuf),
    /// Opens a snapshot or a settings file.
    Open(PathBuf),
}

/// A choice of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// Where to write.
    Save(Export),
    /// What to open.
    Open,
    /// The folder for the runs of a sweep.
    SweepFolder,
    /// The folder of a sweep to open.
    OpenSweep,
}

impl Dialog {
    /// The name that is proposed; empty where there is none.
    pub fn proposal(self) -> String {
        match self {
            Dialog::Save(Export::Snapshot) | Dialog::Open => SNAPSHOT.into(),
            Dialog::SweepFolder | Dialog::OpenSweep => String::new(),
            Dialog::Save(Export::Bookmark(..)) => "bookmark.npz".into(),
            Dialog::Save(Export::Gains) => "gains.csv".into(),
            Dialog::Save(Export::Comparison { .. }) => "comparison.csv".into(),
            Dialog::Save(Export::Curves) => "history.csv".into(),
            Dialog::Save(Export::Settings) => "config.toml".into(),
            Dialog::Save(Export::Picture(picture)) => format!("{}.png", picture.name()),
            Dialog::Save(Export::Script) => "runs.py".into(),
            Dialog::Save(Export::Methods) => "methods.md".into(),
            Dialog::Save(Export::Lesson) => "lesson.md".into(),
        }
    }
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Export {
    /// `snapshot.npz`: everything.
    Snapshot,
    /// The same of a bookmarked state.
    Bookmark(RunId, u64),
    /// `history.csv`: all curves.
    Curves,
    /// `config.toml`: all settings.
    Settings,
    /// A plot of all runs that are shown, PNG or SVG as the path ends.
    Picture(super::pictures::Picture),
    /// A script for matplotlib that draws the runs that are shown, with their values beside it.
    Script,
    /// The gain explorer's scan, a row for each network.
    Gains,
    /// Two settings, each by one of its runs, compared in a quantity over their seeds.
    Comparison {
        /// Of the first setting.
        first: RunId,
        /// Of the second.
        second: RunId,
        /// What is compared.
        quantity: Quantity,
    },
    /// How the runs were made, in words for a paper.
    Methods,
    /// The lesson that is being taken as a Markdown page with pictures.
    Lesson,
}

impl Export {
    /// The path that is written where this one was chosen: a page ends in `.md`.
    pub fn completed(self, path: PathBuf) -> PathBuf {
        if self != Export::Lesson || path.extension().is_some_and(|ending| ending == "md") {
            return path;
        }
        let mut whole = path.into_os_string();
        whole.push(".md");
        whole.into()
    }
}

/// What a session asks of its screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Let the user choose a path, proposing this name.
    AskPath {
        /// For what.
        dialog: Dialog,
        /// `snapshot.npz`.
        proposal: String,
    },
}
