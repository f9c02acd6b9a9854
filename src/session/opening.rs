//! Owns opening: what a file is, and how it becomes a run.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::{Table, Value};

use super::alterations::of_note;
use super::files::Brought;
use super::runs::{Mark, MarkKind};
use super::settings::{given_for, put};
use super::{RunId, RunState, Session, sweeping, words};
use crate::files::atomic::FileError;
use crate::files::figure::number::counted;
use crate::files::npz::Npz;
use crate::files::run_folder::{SNAPSHOT, SUMMARY};
use crate::files::snapshot::Snapshot;
use crate::files::summary::Ended;
use crate::files::{atomic, network_input, trials};
use crate::numerics::tasks::{TaskData, TaskKind};
use crate::training::config::resolve::{parse, resolve};
use crate::training::plan::is_plan;
use crate::training::run::StopReason;

/// The largest settings file that is read.
const MOST_SETTINGS: u64 = 1 << 20;

impl Session {
    /// A run that begins at the network of a file, or trains on its trials, paused.
    pub(super) fn begin_at(&mut self, path: &Path, given: Table, what: String) {
        let config = match resolve(given.clone()) {
            Ok(resolved) => resolved.config,
            Err(error) => return self.notice(format!("{}: {error}", path.display()), true, None),
        };
        let id = self.start(given, config, None, None, false);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = stem.map(|stem| self.free_name(&stem, id));
        self.with(id, |run| {
            name.into_iter().for_each(|name| run.call(name));
            run.file = Some(path.into());
        });
        self.notice(format!("{}: {what}", path.display()), false, Some(id));
    }

    /// A run that goes on from a snapshot, paused.
    pub(super) fn go_on(&mut self, path: &Path, snapshot: Snapshot, end: Option<StopReason>) {
        let mut task = Table::new();
        let kind = snapshot.config.task.own.kind().name();
        put(&mut task, "task.kind", Some(Value::String(kind.into())));
        let given = given_for(&task, &snapshot.config);
        let Some(id) = self.resume(given, snapshot) else {
            let text = format!(
                "{}: holds no state to go on with; `basinscope measure` looks at its network",
                path.display()
            );
            return self.notice(text, true, None);
        };
        // Every run of a folder has a snapshot of the same name: the folder tells them apart.
        let stem = path.file_stem().filter(|stem| *stem != "snapshot");
        let name = stem.or(path.parent().and_then(Path::file_name));
        let name = name.map(|name| name.to_string_lossy().into_owned());
        self.with(id, |run| {
            if let Some(name) = name {
                run.call(name);
            }
            run.file = Some(path.into());
        });
        end.into_iter().for_each(|end| self.ended_before(id, end));
    }

    /// A run that was opened had ended, and says why; one that was stopped goes on.
    fn ended_before(&mut self, id: RunId, reason: StopReason) {
        if matches!(reason, StopReason::Done | StopReason::Stopped) {
            return;
        }
        let Some(run) = self.run(id) else { return };
        let (iteration, text) = (run.iteration, words::end(&reason, run.iteration));
        let said = format!("{}: {text}", run.name);
        let diverged = matches!(reason, StopReason::Diverged { .. });
        self.with(id, |run| {
            run.marks.push(Mark { iteration, text, kind: MarkKind::Ended, alters: false });
            run.state = RunState::Ended(reason);
        });
        if diverged {
            self.notice_divergence(said, id);
        }
    }

    /// A run that goes on from a snapshot, paused; `None` where the snapshot is no run's.
    pub(super) fn resume(&mut self, given: Table, snapshot: Snapshot) -> Option<RunId> {
        let (checkpoint, resume) = (snapshot.checkpoint()?, snapshot.resume?);
        let marks = snapshot.notes.iter().filter_map(|note| of_note(note)).collect();
        // It has nothing left to do, or went on for longer than it was to.
        let is_done = checkpoint.iteration >= i64::try_from(snapshot.config.iterations).unwrap_or(i64::MAX);
        let history = snapshot.history;
        let known = history.clone();
        let earlier = Box::new(move || (known, resume.path));
        let from = Some((Arc::new(checkpoint), earlier as super::starting::Earlier));
        let id = self.start(given, snapshot.config, from, None, false);
        self.with(id, |run| {
            run.marks = marks;
            if is_done {
                run.state = RunState::Ended(StopReason::Done);
            }
            run.curves.take(&history);
        });
        Some(id)
    }
}

/// Whether there is something to open, as far as can be told without reading it.
///
/// # Errors
/// A file that is not there or cannot be opened, a folder of neither a run nor a sweep.
pub fn can_open(path: &Path) -> Result<(), FileError> {
    if sweeping::folder_of(path).is_some() {
        return Ok(());
    }
    let snapshot = path.join(SNAPSHOT);
    if path.is_dir() && !snapshot.is_file() {
        let expected = "is a folder of neither a run nor a sweep: expected a snapshot or settings";
        return Err(FileError::new(path, expected));
    }
    atomic::open(if path.is_dir() { &snapshot } else { path }).map(|_| ())
}

/// A network trained elsewhere, as a run.
fn network(path: PathBuf) -> Result<Brought, String> {
    let (given, input) = network_input::settings_of_run(&path).map_err(|e| e.to_string())?;
    let [units, trials] = [input.given.weights.dims().n_rec, input.given.probe.n_batch()].map(|n| n as u64);
    let what = format!(
        "a network of {} with its {}, opened as a run at iteration 0: its measures are those of `basinscope measure`, \
         and Run trains it on these trials.",
        counted(units, "unit"),
        counted(trials, "trial")
    );
    Ok(Brought::Given(path, given, what))
}

/// Trials from elsewhere, as the task of a run.
fn trials_of(path: PathBuf) -> Result<Brought, FileError> {
    let TaskData::Trials { train, .. } = trials::load(&path)? else {
        return Err(FileError::new(&path, "holds no trials"));
    };
    let mut given = Table::new();
    put(&mut given, "task.kind", Some(Value::String(TaskKind::File.name().into())));
    put(&mut given, "task.path", Some(Value::String(atomic::absolute(&path)?)));
    let trials = counted(train.n_batch() as u64, "trial");
    let what = format!("{trials}, opened as the task of a run: Run trains a network on them.");
    Ok(Brought::Given(path, given, what))
}

/// How the run of a snapshot ended, as the summary beside it says; `None` where there is none, or it is another's.
fn end_of(path: &Path, snapshot: &Snapshot) -> Option<StopReason> {
    let ended = Ended::read(&path.with_file_name(SUMMARY))?;
    let own = (snapshot.config.fingerprint(), snapshot.iteration);
    ((ended.settings_hash, ended.iteration) == own).then_some(ended.stop)
}

/// Reads what the file's first bytes say it is.
pub(super) fn read(path: PathBuf) -> Result<Brought, String> {
    can_open(&path).map_err(|e| e.to_string())?;
    let mut head = Vec::new();
    let file = atomic::open(&path).map_err(|e| e.to_string())?;
    file.take(2).read_to_end(&mut head).map_err(|e| FileError::from_io(&path, &e).to_string())?;
    if head == b"PK" {
        let members = Npz::open(&path).map_err(|e| e.to_string())?;
        if members.has("w_rec") && !members.has("resume_json") {
            return network(path);
        }
        if !members.has("w_rec") && members.has("x") {
            return trials_of(path).map_err(|e| e.to_string());
        }
        let snapshot = Snapshot::read(&path).map_err(|e| e.to_string())?;
        let end = end_of(&path, &snapshot);
        return Ok(Brought::Snapshot(path, Box::new(snapshot), end));
    }
    let in_file = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let is_settings = path.extension().is_some_and(|ending| ending == "toml");
    let neither = |text: String| match is_settings {
        true => text,
        false => in_file(&"is neither a snapshot (npz) nor settings (TOML)"),
    };
    let text = atomic::read_text(&path, MOST_SETTINGS).map_err(|e| neither(e.to_string()))?;
    let given = parse(&text).map_err(|e| neither(in_file(&e)))?;
    if is_plan(&given) {
        return Err(in_file(
            &"is a plan of many runs: expected settings of one; `basinscope sweep` makes its runs",
        ));
    }
    resolve(given.clone()).map_err(|e| in_file(&e))?;
    Ok(Brought::Settings(given))
}
