//! Owns how a session is kept: written to a folder every minute and at the end, found again at the next start.
//!
//! The folder holds `session.toml` (settings, the table of runs, the screen's layout) and a snapshot for every
//! run and every bookmark. Each file is replaced whole, `session.toml` last: what a crash leaves is a session of
//! at most a minute before. A second window leaves the folder to the first.

mod folder;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use folder::{
    FORMAT, Found, Kept, KeptMark, KeptRun, TABLE, TRYING, Written, bookmark_file, read, set_aside,
    set_file_aside, write,
};

use super::Session;
use super::runs::{Bookmark, Mark, RunEntry, RunId, RunState};
use super::seconds::Seconds;
use super::settings::Steps;
use super::spectra::Spectra;
use super::ways::Past;
use crate::engine::errand::{Asked, question};
use crate::engine::messages::Command;
use crate::files::atomic;
use crate::files::snapshot::Snapshot;
use crate::training::config::Config;

/// Time between two writings.
const EVERY: Duration = Duration::from_secs(60);
/// How long the last writing may take before the program ends without it.
const AT_THE_END: Duration = Duration::from_secs(5);

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

/// What the screen of the last session asked to find again: wanted before there is a window, and without waiting for
/// the session itself. `None` where nothing was kept, or another window has the folder.
pub fn last_layout(place: &Place) -> Option<String> {
    let lock = File::open(place.folder.join("lock")).ok()?;
    lock.try_lock().ok()?;
    folder::read_layout(&place.folder)
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
            set_aside(&folder);
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
        self.end_sweep();
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

    /// Whether the last session is still being read.
    pub(super) fn is_coming_back(&self) -> bool {
        self.keeper.as_ref().is_some_and(|keeper| keeper.reading.is_some())
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
        // After a lesson the last of the user's runs that wait is selected.
        let current = match self.playing() {
            Some(_) => kept.iter().rposition(|r| waits(r.id)),
            None => self.current.and_then(|id| kept.iter().position(|r| r.id == id)),
        };
        let settings = match (self.playing(), current) {
            (Some(_), Some(at)) => &kept[at].given,
            _ => self.settings.given(),
        };
        let settings = settings.clone();
        let bookmarks: Vec<_> = kept
            .iter()
            .flat_map(|r| r.bookmarks.iter().map(|b| (bookmark_file(r.id, b.id), b.clone())))
            .collect();
        let table = Kept {
            format: FORMAT,
            next_number: self.next_number,
            current,
            layout: self.layout.clone(),
            sweep: self.sweeping.outcomes().map(|o| o.folder.clone()),
            draft: Some(self.sweeping.draft().clone()),
            settings,
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
                if let Some(keeper) = &self.keeper {
                    set_aside(&keeper.folder);
                }
                return self.demonstrate_first();
            }
        };
        self.layout = kept.layout;
        // No file of this session takes the name of one that the table on disk still speaks of.
        self.next_number = self.next_number.max(kept.next_number);
        let mut ids = Vec::new();
        for (kept, read) in kept.runs.into_iter().zip(runs) {
            let file = kept.file.clone();
            match read.and_then(|(snapshot, bookmarks)| self.bring_back(kept, snapshot, bookmarks)) {
                Ok(id) => ids.push(Some(id)),
                Err(text) => {
                    ids.push(None);
                    if let Some(keeper) = &self.keeper {
                        set_file_aside(&keeper.folder, &file);
                    }
                    self.notice(text, true, None);
                }
            }
        }
        if let Some(id) = kept.current.and_then(|i| *ids.get(i)?).or(ids.into_iter().flatten().next()) {
            self.select(id);
        }
        self.settings.show(kept.settings, Steps::default());
        kept.draft.into_iter().for_each(|draft| self.sweeping.take_draft(draft));
        // A sweep whose folder is gone is not missed, nor one in whose place another was asked for.
        let sweep = kept.sweep.filter(|_| !self.sweeping.is_asked_for());
        if let Some(folder) = sweep.filter(|f| super::sweeping::folder_of(f).is_some()) {
            self.act(super::Action::Sweep(super::sweeping::Ask::Open(folder)));
        }
    }

    fn bring_back(
        &mut self,
        kept: KeptRun,
        snapshot: Snapshot,
        bookmarks: Vec<Option<Snapshot>>,
    ) -> Result<RunId, String> {
        let config = snapshot.config.clone();
        let id = self.resume(kept.given, snapshot).ok_or(format!("{}: no run to go on with", kept.file))?;
        let of_run = |iteration: i64| -> Vec<Mark> {
            let before = kept.marks.iter().filter(|m| m.iteration <= iteration);
            before.cloned().map(KeptMark::mark).collect()
        };
        let bookmarks: Vec<Bookmark> = kept
            .bookmarks
            .iter()
            .zip(bookmarks)
            .filter_map(|(kept, snapshot)| {
                let snapshot = snapshot?;
                let marks = kept.marks.as_ref();
                let marks = marks.map(|marks| marks.iter().cloned().map(KeptMark::mark).collect());
                Some(Bookmark {
                    id: self.number(),
                    label: kept.label.clone(),
                    reason: kept.reason,
                    config: snapshot.config.clone(),
                    marks: marks.unwrap_or_else(|| of_run(snapshot.iteration)),
                    checkpoint: Arc::new(snapshot.checkpoint()?),
                    past: kept.left.then(Past::unknown),
                })
            })
            .collect();
        self.with(id, |run| {
            run.name = kept.name;
            run.names_itself = kept.names_itself;
            run.colour = kept.colour;
            run.pinned = kept.pinned;
            run.hidden = kept.hidden;
            run.speed = kept.speed;
            run.bookmarks = bookmarks;
            run.spectra = Spectra::of_kept(&kept.spectra, run.iteration);
            run.marks = kept.marks.into_iter().map(KeptMark::mark).collect();
            run.seconds = Seconds::of_kept(&kept.times);
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
