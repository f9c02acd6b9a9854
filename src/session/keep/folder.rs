//! Owns the files of a kept session: what they hold, how they are written and read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use toml::Table;

use crate::engine::errand::Asked;
use crate::engine::messages::Collected;
use crate::files::atomic;
use crate::files::snapshot::Snapshot;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::session::runs::{Bookmark, BookmarkReason, Mark, MarkKind, RunEntry, RunId, RunState};
use crate::session::spectra;
use crate::session::sweeping::draft::Draft;
use crate::training::config::Config;
use crate::training::history::History;
use crate::training::run::{Checkpoint, StopReason};

/// How long it waits for a run.
const PATIENCE: Duration = Duration::from_secs(60);
/// Times kept of a run: as many as an axis of seconds can show (`[own]`).
const MOST_TIMES: usize = 256;
/// The largest table of runs that is read.
const MOST_TEXT: u64 = 1 << 24;

/// Version of the table.
pub(super) const FORMAT: u32 = 1;
/// The table's name.
pub(super) const TABLE: &str = "session.toml";
/// There while a session is being brought back: what is found there again brought the program down.
pub(super) const TRYING: &str = "restoring";

/// A session as its table holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) format: u32,
    /// Numbers below it name files.
    pub(super) next_number: u64,
    /// The place of the selected run among `runs`.
    pub(super) current: Option<usize>,
    /// Whatever the screen wants to find again.
    pub(super) layout: String,
    /// The folder of the sweep that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sweep: Option<std::path::PathBuf>,
    /// What a sweep is to vary, as it is being edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) draft: Option<Draft>,
    /// The settings being edited.
    pub(super) settings: Table,
    #[serde(default)]
    pub(super) runs: Vec<KeptRun>,
}

/// A run as the table holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptRun {
    /// The name of its snapshot.
    pub(super) file: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) names_itself: bool,
    pub(super) colour: usize,
    pub(super) pinned: bool,
    pub(super) hidden: bool,
    pub(super) ghost: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<StopReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<f64>,
    /// Seconds spent in updates against iterations.
    #[serde(default)]
    pub(super) times: Vec<(i64, f64)>,
    pub(super) given: Table,
    /// The leading eigenvalues over training, which no snapshot holds.
    #[serde(default)]
    pub(super) spectra: spectra::Kept,
    #[serde(default)]
    pub(super) marks: Vec<KeptMark>,
    #[serde(default)]
    pub(super) bookmarks: Vec<KeptBookmark>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptMark {
    pub(super) iteration: i64,
    pub(super) text: String,
    pub(super) kind: MarkKind,
    #[serde(default)]
    pub(super) alters: bool,
}

impl KeptMark {
    fn of(mark: &Mark) -> Self {
        let Mark { iteration, text, kind, alters } = mark.clone();
        Self { iteration, text, kind, alters }
    }

    pub(super) fn mark(self) -> Mark {
        let Self { iteration, text, kind, alters } = self;
        Mark { iteration, text, kind, alters }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptBookmark {
    pub(super) file: String,
    pub(super) label: String,
    pub(super) reason: BookmarkReason,
    /// What had happened up to it; without, as far as the run's own marks tell.
    pub(super) marks: Option<Vec<KeptMark>>,
    /// Whether the run has left the way that led there, which is not kept.
    #[serde(default)]
    pub(super) left: bool,
}

/// The iteration and the settings that were written, by run.
pub(super) type Written = BTreeMap<RunId, (i64, Config)>;

/// A session that was found.
pub(super) struct Found {
    pub(super) kept: Kept,
    /// Each run's snapshot and those of its bookmarks, or why it cannot be read.
    pub(super) runs: Vec<Result<(Snapshot, Vec<Option<Snapshot>>), String>>,
}

impl KeptRun {
    pub(super) fn of(run: &RunEntry) -> Self {
        let bookmark = |b: &Bookmark| KeptBookmark {
            file: bookmark_file(run.id, b.id),
            label: b.label.clone(),
            reason: b.reason,
            marks: Some(b.marks.iter().map(KeptMark::of).collect()),
            left: b.past.is_some(),
        };
        Self {
            file: format!("run-{}.npz", run.id.0),
            name: run.name.clone(),
            names_itself: run.names_itself,
            colour: run.colour,
            pinned: run.pinned,
            hidden: run.hidden,
            ghost: run.state == RunState::Ghost,
            ended: match &run.state {
                RunState::Ended(reason) => Some(reason.clone()),
                _ => None,
            },
            speed: run.speed,
            times: run.seconds.to_keep(MOST_TIMES),
            given: run.given.clone(),
            spectra: run.spectra.to_keep(),
            marks: run.marks.iter().map(KeptMark::of).collect(),
            bookmarks: run.bookmarks.iter().map(bookmark).collect(),
        }
    }
}

pub(super) fn bookmark_file(run: RunId, bookmark: u64) -> String {
    format!("run-{}-bookmark-{bookmark}.npz", run.0)
}

/// Writes runs that have changed, new bookmarks, then the table; removes what no longer belongs to it.
pub(super) fn write(
    folder: &Path,
    mut table: Kept,
    changed: Vec<(RunId, Asked<Box<Collected>>)>,
    bookmarks: Vec<(String, Bookmark)>,
    mut written: Written,
) -> Result<Written, String> {
    for (id, asked) in changed {
        // A run that gives no answer is kept as it was, if it was.
        let Some(all) = asked.wait(PATIENCE) else { continue };
        let snapshot = Snapshot::of_run(&all.config, &all.checkpoint, &all.history, &all.trajectory);
        snapshot.write(&folder.join(format!("run-{}.npz", id.0))).map_err(|e| e.to_string())?;
        written.insert(id, (all.checkpoint.iteration, all.config));
    }
    for (file, bookmark) in bookmarks {
        let path = folder.join(file);
        if !path.is_file() {
            of_bookmark(&bookmark.config, &bookmark.checkpoint).write(&path).map_err(|e| e.to_string())?;
        }
    }
    table.runs.retain(|run| folder.join(&run.file).is_file());
    table.current = table.current.filter(|i| *i < table.runs.len());
    let text = toml::to_string(&table).map_err(|e| e.to_string())?;
    atomic::write_text(&folder.join(TABLE), &text).map_err(|e| e.to_string())?;
    let belongs = |name: &str| {
        let mut files = table.runs.iter().flat_map(|r| r.bookmarks.iter().map(|b| &b.file).chain([&r.file]));
        files.any(|file| file == name)
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("run-") && name.ends_with(".npz") && !belongs(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
    written.retain(|id, _| table.runs.iter().any(|r| r.file == format!("run-{}.npz", id.0)));
    Ok(written)
}

fn of_bookmark(config: &Config, checkpoint: &Checkpoint) -> Snapshot {
    Snapshot::of_run(config, checkpoint, &History::default(), &Trajectory::default())
}

/// Reads a session, on a thread of its own.
pub(super) fn read(folder: &Path) -> Result<Found, String> {
    File::create(folder.join(TRYING)).map_err(|e| atomic::reason(&e))?;
    let path = folder.join(TABLE);
    let text = atomic::read_text(&path, MOST_TEXT).map_err(|e| e.to_string())?;
    let kept: Kept = toml::from_str(&text).map_err(|e| format!("{}: {}", path.display(), e.message()))?;
    if kept.format != FORMAT {
        return Err(format!("{}: format {}, expected {FORMAT}", path.display(), kept.format));
    }
    // Names in the table stay within the folder.
    let snapshot = |file: &str| match Path::new(file).file_name() {
        Some(name) => Snapshot::read(&folder.join(name)).map_err(|e| e.to_string()),
        None => Err(format!("{file} is no name of a file")),
    };
    let runs = kept
        .runs
        .iter()
        .map(|run| {
            let own = snapshot(&run.file)?;
            // A bookmark that cannot be read is not worth a run, nor the other bookmarks.
            let bookmark =
                |b: &KeptBookmark| snapshot(&b.file).inspect_err(|_| set_file_aside(folder, &b.file)).ok();
            Ok((own, run.bookmarks.iter().map(bookmark).collect()))
        })
        .collect();
    Ok(Found { kept, runs })
}

/// What the screen asked to find again, without anything else of the session: it is wanted before the window opens.
/// `None` where there is none, or where the session is set aside.
pub(super) fn read_layout(folder: &Path) -> Option<String> {
    /// The layout stands before the first table.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
        layout: String,
    }
    const MOST_HEAD: u64 = 1 << 18;
    if folder.join(TRYING).exists() {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(folder.join(TABLE)).ok()?.take(MOST_HEAD).read_to_end(&mut bytes).ok()?;
    // The end may be cut within a character.
    let text = String::from_utf8_lossy(&bytes);
    let head = text.split("\n[").next().unwrap_or_default();
    let head: Head = toml::from_str(head).ok()?;
    (head.format == FORMAT).then_some(head.layout)
}

/// Moves a session that cannot be brought back, the table with all snapshots, to a folder of its own beside the
/// next one. What cannot be moved stays.
pub(super) fn set_aside(folder: &Path) {
    let Some(aside) =
        (1..=MOST_ASIDE).map(|n| folder.join(format!("failed-{n}"))).find(|path| !path.exists())
    else {
        return;
    };
    let _ = fs::create_dir(&aside);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if text == TABLE || (text.starts_with("run-") && text.ends_with(".npz")) {
            let _ = fs::rename(entry.path(), aside.join(&name));
        }
    }
}

/// Renames a file of the session that cannot be used, so that the next writing does not remove it.
pub(super) fn set_file_aside(folder: &Path, file: &str) {
    if let Some(name) = Path::new(file).file_name().map(|name| name.to_string_lossy()) {
        let _ = fs::rename(folder.join(&*name), folder.join(format!("unreadable-{name}")));
    }
}

/// Sessions set aside at most; with so many the next is overwritten.
const MOST_ASIDE: u32 = 100;
