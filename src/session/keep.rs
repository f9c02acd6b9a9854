//! Owns how a session is kept: written to a folder every minute and at the end, found again at the next start.
//!
//! The folder holds `session.toml` (settings, the table of runs, the screen's layout) and a snapshot for every
//! run and every bookmark. Each file is replaced whole, `session.toml` last: what a crash leaves is a session of
//! at most a minute before. A second window leaves the folder to the first.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use toml::Table;

use super::Session;
use super::runs::{Bookmark, BookmarkReason, Mark, MarkKind, RunEntry, RunId, RunState};
use crate::engine::errand::{Asked, question};
use crate::engine::messages::{Collected, Command};
use crate::files::atomic;
use crate::files::snapshot::Snapshot;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::training::config::Config;
use crate::training::history::History;
use crate::training::run::{Checkpoint, StopReason};

/// Time between two writings.
const EVERY: Duration = Duration::from_secs(60);
/// How long the last writing may take before the program ends without it.
const AT_THE_END: Duration = Duration::from_secs(5);
/// How long it waits for a run.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest table of runs that is read.
const MOST_TEXT: u64 = 1 << 24;

const FORMAT: u32 = 1;
const TABLE: &str = "session.toml";
/// There while a session is being brought back: what is found there again brought the program down.
const TRYING: &str = "restoring";

/// A session as its table holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    format: u32,
    /// Numbers below it name files.
    next_number: u64,
    /// The place of the selected run among `runs`.
    current: Option<usize>,
    /// Whatever the screen wants to find again.
    layout: String,
    /// The settings being edited.
    settings: Table,
    #[serde(default)]
    runs: Vec<KeptRun>,
}

/// A run as the table holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptRun {
    /// The name of its snapshot.
    file: String,
    name: String,
    colour: usize,
    pinned: bool,
    hidden: bool,
    ghost: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<StopReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<f64>,
    seconds: f64,
    given: Table,
    #[serde(default)]
    marks: Vec<KeptMark>,
    #[serde(default)]
    bookmarks: Vec<KeptBookmark>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptMark {
    iteration: i64,
    text: String,
    kind: MarkKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptBookmark {
    file: String,
    label: String,
    reason: BookmarkReason,
}

/// The folder of a session.
pub(super) struct Keeper {
    folder: PathBuf,
    every: Duration,
    /// Held as long as this window has the folder.
    _lock: File,
    last: Instant,
    /// What of each run was last written.
    written: Written,
    writing: Option<Asked<Result<Written, String>>>,
    reading: Option<Asked<Result<Found, String>>>,
}

/// The iteration and the settings that were written, by run.
type Written = BTreeMap<RunId, (i64, Config)>;

/// A session that was found.
struct Found {
    kept: Kept,
    /// Each run's snapshot and those of its bookmarks, or why it cannot be read.
    runs: Vec<Result<(Snapshot, Vec<Snapshot>), String>>,
}

/// Where a session is kept, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder; made where it is missing.
    pub folder: PathBuf,
    /// Time between two writings.
    pub every: Duration,
}

/// Where sessions of this user are kept; `None` where the system has no such place.
pub fn place() -> Option<Place> {
    let dirs = directories::ProjectDirs::from("", "", env!("CARGO_PKG_NAME"))?;
    Some(Place { folder: dirs.data_local_dir().join("session"), every: EVERY })
}

impl Keeper {
    /// Takes a folder; whether a session is to be found there.
    ///
    /// # Errors
    /// Another window has it, or it cannot be written to; in words.
    fn take(place: Place) -> Result<(Self, bool), String> {
        let Place { folder, every } = place;
        let in_folder = |e: std::io::Error| format!("{}: {}", folder.display(), atomic::reason(&e));
        fs::create_dir_all(&folder).map_err(in_folder)?;
        let lock = File::create(folder.join("lock")).map_err(in_folder)?;
        lock.try_lock().map_err(|_| "another window keeps its session; this one is not kept".to_owned())?;
        let broken = folder.join(TRYING).exists();
        if broken {
            // It brought the program down once: out of the way, but not lost.
            let _ = fs::rename(folder.join(TABLE), folder.join("session-that-failed.toml"));
            let _ = fs::remove_file(folder.join(TRYING));
        }
        let is_there = folder.join(TABLE).is_file();
        let keeper = Self {
            folder,
            every,
            _lock: lock,
            last: Instant::now(),
            written: BTreeMap::new(),
            writing: None,
            reading: None,
        };
        Ok((keeper, is_there))
    }
}

impl Session {
    /// Begins as the last session ended, where one was kept in `place`, else with the demonstration, unless there
    /// is something else to see; and keeps this one there. `None`: nothing is kept.
    pub fn begin(&mut self, place: Option<Place>, demonstrate: bool) {
        self.demonstrates = demonstrate;
        match place.map(Keeper::take) {
            Some(Ok((mut keeper, true))) => {
                let own = keeper.folder.clone();
                keeper.reading = Some(self.engine.errand("restore", move || read(&own)));
                self.keeper = Some(keeper);
            }
            Some(Ok((keeper, false))) => {
                self.keeper = Some(keeper);
                self.demonstrate_first();
            }
            Some(Err(text)) => {
                self.notice(text, false, None);
                self.demonstrate_first();
            }
            None => self.demonstrate_first(),
        }
    }

    fn demonstrate_first(&mut self) {
        if self.demonstrates {
            self.demonstrate();
        }
    }

    /// What the screen asked to find again, empty where it did not; see [`super::Action::Layout`].
    pub fn layout(&self) -> &str {
        &self.layout
    }

    /// How long until the session is to be written again: a screen that rests has to wake for it. `None` where it
    /// is not kept, or is being read or written, which wakes the screen by itself.
    pub fn until_kept(&self) -> Option<Duration> {
        let keeper = self.keeper.as_ref()?;
        let busy = keeper.writing.is_some() || keeper.reading.is_some();
        (!busy).then(|| keeper.every.saturating_sub(keeper.last.elapsed()))
    }

    /// Writes the session a last time, for at most some seconds.
    pub fn end(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        if keeper.reading.take().is_some() {
            // What was not yet read is still there.
            let _ = fs::remove_file(keeper.folder.join(TRYING));
            return;
        }
        if let Some(Ok(written)) = keeper.writing.take().and_then(|writing| writing.wait(AT_THE_END)) {
            keeper.written = written;
        }
        self.write_session();
        if let Some(writing) = self.keeper.as_mut().and_then(|keeper| keeper.writing.take()) {
            writing.wait(AT_THE_END);
        }
    }

    /// Writes the session where it is time to, and takes in what was read; whether anything has changed.
    pub(super) fn keep(&mut self) -> bool {
        let Some(keeper) = &mut self.keeper else { return false };
        if let Some(reading) = &keeper.reading {
            let found = match reading.try_take() {
                Ok(None) => return false,
                Ok(Some(found)) => found,
                Err(_) => Err("the system refused a thread to read the last session".into()),
            };
            keeper.reading = None;
            let trying = keeper.folder.join(TRYING);
            self.restore(found);
            let _ = fs::remove_file(trying);
            return true;
        }
        if let Some(writing) = &keeper.writing {
            match writing.try_take() {
                Ok(None) => return false,
                Ok(Some(Ok(written))) => keeper.written = written,
                Ok(Some(Err(text))) => {
                    self.say_once(format!("The session could not be kept: {text}"));
                }
                Err(_) => {}
            }
            if let Some(keeper) = &mut self.keeper {
                keeper.writing = None;
            }
            return false;
        }
        if keeper.last.elapsed() >= keeper.every {
            self.write_session();
        }
        false
    }

    fn say_once(&mut self, text: String) {
        if self.notices.iter().all(|n| n.text != text) {
            self.notice(text, true, None);
        }
    }

    /// Starts to write what has changed.
    fn write_session(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        if keeper.reading.is_some() {
            return;
        }
        keeper.last = Instant::now();
        let (folder, written) = (keeper.folder.clone(), keeper.written.clone());
        let mut changed = Vec::new();
        for run in self.runs.iter_mut().filter(|r| r.handle.is_some()) {
            let same =
                |(iteration, config): &(i64, Config)| *iteration == run.iteration && *config == run.config;
            if !written.get(&run.id).is_some_and(same)
                && let Some(handle) = &mut run.handle
            {
                let (reply, asked) = question();
                handle.send(Command::Collect(reply));
                changed.push((run.id, asked));
            }
        }
        let known = |id: RunId| written.contains_key(&id) || changed.iter().any(|(i, _)| *i == id);
        // A lesson's runs end with it, and the others are hidden for as long as it takes only.
        let in_lesson = |id| self.playing().is_some_and(|playing| playing.has(id));
        let kept: Vec<&RunEntry> = self.runs.iter().filter(|r| known(r.id) && !in_lesson(r.id)).collect();
        let waits = |id| self.playing().is_some_and(|playing| playing.waits(id));
        let current = self.current.and_then(|id| kept.iter().position(|r| r.id == id));
        let bookmarks: Vec<_> = kept
            .iter()
            .flat_map(|r| r.bookmarks.iter().map(|b| (bookmark_file(r.id, b.id), b.clone())))
            .collect();
        let table = Kept {
            format: FORMAT,
            next_number: self.next_number,
            current,
            layout: self.layout.clone(),
            settings: self.settings.given().clone(),
            runs: kept
                .into_iter()
                .map(|run| KeptRun { hidden: run.hidden && !waits(run.id), ..KeptRun::of(run) })
                .collect(),
        };
        let job = move || write(&folder, table, changed, bookmarks, written);
        let writing = self.engine.errand("keep", job);
        if let Some(keeper) = &mut self.keeper {
            keeper.writing = Some(writing);
        }
    }

    fn restore(&mut self, found: Result<Found, String>) {
        let Found { kept, runs } = match found {
            Ok(found) => found,
            Err(text) => {
                self.notice(format!("The last session cannot be read: {text}"), true, None);
                return self.demonstrate_first();
            }
        };
        self.layout = kept.layout;
        // No file of this session takes the name of one that the table on disk still speaks of.
        self.next_number = self.next_number.max(kept.next_number);
        let mut ids = Vec::new();
        for (kept, read) in kept.runs.into_iter().zip(runs) {
            match read.and_then(|(snapshot, bookmarks)| self.bring_back(kept, snapshot, bookmarks)) {
                Ok(id) => ids.push(Some(id)),
                Err(text) => {
                    ids.push(None);
                    self.notice(text, true, None);
                }
            }
        }
        if let Some(id) = kept.current.and_then(|i| *ids.get(i)?).or(ids.into_iter().flatten().next()) {
            self.select(id);
        }
        self.settings.take(kept.settings);
        self.settings.forget_steps();
    }

    fn bring_back(
        &mut self,
        kept: KeptRun,
        snapshot: Snapshot,
        bookmarks: Vec<Snapshot>,
    ) -> Result<RunId, String> {
        let config = snapshot.config.clone();
        let id = self.resume(kept.given, snapshot).ok_or(format!("{}: no run to go on with", kept.file))?;
        let bookmarks: Vec<Bookmark> = kept
            .bookmarks
            .iter()
            .zip(bookmarks)
            .filter_map(|(kept, snapshot)| {
                Some(Bookmark {
                    id: self.number(),
                    label: kept.label.clone(),
                    reason: kept.reason,
                    config: snapshot.config.clone(),
                    checkpoint: Arc::new(snapshot.checkpoint()?),
                })
            })
            .collect();
        self.with(id, |run| {
            run.name = kept.name;
            run.colour = kept.colour;
            run.pinned = kept.pinned;
            run.hidden = kept.hidden;
            run.speed = kept.speed;
            run.bookmarks = bookmarks;
            run.marks = kept
                .marks
                .into_iter()
                .map(|m| Mark { iteration: m.iteration, text: m.text, kind: m.kind })
                .collect();
            run.seconds.push(run.iteration, kept.seconds, 0.0);
            run.seconds.go_on();
            run.acting = config;
            if kept.ghost {
                run.state = RunState::Ghost;
            } else if let Some(reason) = kept.ended {
                run.state = RunState::Ended(reason);
            }
        });
        if kept.speed.is_some() {
            self.tell(id, Command::Speed(kept.speed));
        }
        Ok(id)
    }
}

impl KeptRun {
    fn of(run: &RunEntry) -> Self {
        let mark = |m: &Mark| KeptMark { iteration: m.iteration, text: m.text.clone(), kind: m.kind };
        let bookmark = |b: &Bookmark| KeptBookmark {
            file: bookmark_file(run.id, b.id),
            label: b.label.clone(),
            reason: b.reason,
        };
        Self {
            file: format!("run-{}.npz", run.id.0),
            name: run.name.clone(),
            colour: run.colour,
            pinned: run.pinned,
            hidden: run.hidden,
            ghost: run.state == RunState::Ghost,
            ended: match &run.state {
                RunState::Ended(reason) => Some(reason.clone()),
                _ => None,
            },
            speed: run.speed,
            seconds: run.seconds.total(),
            given: run.given.clone(),
            marks: run.marks.iter().map(mark).collect(),
            bookmarks: run.bookmarks.iter().map(bookmark).collect(),
        }
    }
}

fn bookmark_file(run: RunId, bookmark: u64) -> String {
    format!("run-{}-bookmark-{bookmark}.npz", run.0)
}

/// Writes runs that have changed, new bookmarks, then the table; removes what no longer belongs to it.
fn write(
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
fn read(folder: &Path) -> Result<Found, String> {
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
            // A bookmark that cannot be read is not worth a run.
            let bookmarks = run.bookmarks.iter().map(|b| snapshot(&b.file)).collect::<Result<_, _>>();
            Ok((own, bookmarks.unwrap_or_default()))
        })
        .collect();
    Ok(Found { kept, runs })
}
