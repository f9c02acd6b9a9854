//! How a session writes and reads files: on threads of their own, so that no frame waits for a disk.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::{Table, Value};

use super::action::Export;
use super::alterations::{self, of_note};
use super::freshness::Taken;
use super::playing::write_pages;
use super::runs::{Mark, MarkKind};
use super::settings::{given_for, put};
use super::{Picture, RunId, RunState, Session, gains, sweeping, words};
use crate::engine::errand::{Asked, question};
use crate::engine::messages::{Collected, Command};
use crate::engine::pool::Processors;
use crate::files::atomic::FileError;
use crate::files::figure::number::counted;
use crate::files::npz::Npz;
use crate::files::snapshot::Snapshot;
use crate::files::summary::Ended;
use crate::files::{atomic, history_csv, network_input, task_data};
use crate::training::config::Cadence;
use crate::training::config::resolve::{parse, resolve};
use crate::training::history::History;
use crate::training::measures::{Finding, Measure, Subject, measurer};
use crate::training::plan::is_plan;
use crate::training::run::StopReason;
use crate::training::trainer::learning_rate;

/// The snapshot in the folder of a run.
const SNAPSHOT: &str = "snapshot.npz";
/// What says beside it how the run ended.
const SUMMARY: &str = "summary.json";
/// How a message of success begins.
const WROTE: &str = "Wrote ";
/// The largest settings file that is read.
const MOST_SETTINGS: u64 = 1 << 20;
/// How long a file waits for a run to give what there is of it: an update of the largest networks.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file on its way.
pub(super) struct Errand {
    words: String,
    run: Option<RunId>,
    /// Opens something: what was opened first comes first.
    opens: bool,
    result: Asked<Result<Brought, String>>,
}

/// What an errand comes back with.
enum Brought {
    /// A file was written; what there is to say about it.
    Written(PathBuf, Option<String>),
    /// Settings.
    Settings(Table),
    /// Settings of a run that begins at the network of a file, and what it is.
    Network(PathBuf, Table, String),
    /// A run, and how it ended where the folder that it is in says so.
    Snapshot(PathBuf, Box<Snapshot>, Option<StopReason>),
}

impl Errand {
    pub fn words(&self) -> &str {
        &self.words
    }
}

impl Session {
    /// Writes a file of the selected run.
    pub(super) fn save(&mut self, export: Export, path: PathBuf) {
        if export == Export::Gains {
            let table = gains::table(self.explorer());
            return self
                .write_aside(path, move |path| atomic::write_text(path, &table?).map_err(|e| e.to_string()));
        }
        if export == Export::Lesson {
            let Some(lesson) = self.playing().map(|playing| playing.lesson) else {
                return self.notice("There is no lesson to write: begin one first.".into(), true, None);
            };
            return self.write_aside(path, move |path| write_pages(path, lesson));
        }
        if let Export::Picture(picture) = export
            && (Picture::OF_SWEEP.contains(&picture) || picture == Picture::Gains)
        {
            return self.write_picture(picture, path);
        }
        let Some(run) = self.current() else {
            return self.notice("There is no run to save: start one first.".into(), true, None);
        };
        match export {
            Export::Snapshot | Export::Curves | Export::Settings | Export::Gains | Export::Lesson => {}
            Export::Bookmark(run, bookmark) => {
                let all = self.bookmarked(run, bookmark);
                let found = self.run(run).and_then(|run| run.bookmark(bookmark));
                let changes = found.map(|b| alterations::in_words(&b.marks)).unwrap_or_default();
                let workers = self.engine.measure_processors();
                return self.write_aside(path, move |path| {
                    // What a bookmark leaves out, its path, is no surprise.
                    let (snapshot, _) = snapshot(all?, &changes, &workers)?;
                    snapshot.write(path).map_err(|e| e.to_string())
                });
            }
            Export::Picture(picture) => return self.write_picture(picture, path),
            Export::Methods => {
                let text = self.methods().unwrap_or_default();
                return self.write_aside(path, move |path| {
                    atomic::write_text(path, &text).map_err(|e| e.to_string())
                });
            }
            Export::Script => {
                let shown = self.runs().iter().filter(|run| !run.hidden);
                let runs: Vec<_> = shown.map(|run| (run.name.clone(), run.curves.to_history())).collect();
                return self.write_aside(path, move |path| script(path, &runs));
            }
        }
        let (id, changes) = (run.id, run.alterations_in_words());
        let words = format!("Writing {}", path.display());
        let (reply, asked) = question();
        self.tell(id, Command::Collect(reply));
        let workers = self.engine.measure_processors();
        let job = move || {
            let gone = || "the run is gone: what there was of it is lost".to_owned();
            let all = asked.wait(PATIENCE).ok_or_else(gone)?;
            let remark = write(export, &path, *all, &changes, &workers)?;
            Ok(Brought::Written(path, remark))
        };
        let result = self.engine.errand("save", job);
        self.errands.push(Errand { words, run: Some(id), opens: false, result });
    }

    /// All that is known of a bookmarked state: of its curves what the screen keeps, up to it.
    fn bookmarked(&self, run: RunId, bookmark: u64) -> Result<Collected, String> {
        let found =
            self.run(run).and_then(|run| Some((run, run.bookmarks.iter().find(|b| b.id == bookmark)?)));
        let (run, bookmark) = found.ok_or("the bookmark is gone")?;
        let past = bookmark.past.as_ref().map(|past| past.way.history.clone());
        let mut history = past.unwrap_or_else(|| run.curves.to_history());
        history.truncate_after(bookmark.iteration());
        Ok(Collected {
            config: bookmark.config.clone(),
            checkpoint: (*bookmark.checkpoint).clone(),
            history,
            trajectory: Arc::default(),
            findings: Vec::new(),
            seconds: run.seconds.at(bookmark.iteration() as f64),
        })
    }

    fn write_picture(&mut self, picture: Picture, path: PathBuf) {
        let drawing = self.drawing(picture);
        self.write_aside(path, move |path| drawing?.figure().write(path).map_err(|e| e.to_string()));
    }

    /// Writes a file of what is known here already.
    fn write_aside(
        &mut self,
        path: PathBuf,
        write: impl FnOnce(&Path) -> Result<(), String> + Send + 'static,
    ) {
        let words = format!("Writing {}", path.display());
        let result = self.engine.errand("save", move || write(&path).map(|()| Brought::Written(path, None)));
        self.errands.push(Errand { words, run: self.current, opens: false, result });
    }

    /// Opens a snapshot or settings, the folder of a run, or that of a sweep.
    pub(super) fn open(&mut self, path: PathBuf) {
        if let Some(folder) = sweeping::folder_of(&path) {
            return self.open_sweep(folder);
        }
        let snapshot = path.join(SNAPSHOT);
        let path = if snapshot.is_file() { snapshot } else { path };
        let words = format!("Reading {}", path.display());
        let result = self.engine.errand("open", move || read(path));
        self.errands.push(Errand { words, run: None, opens: true, result });
    }

    /// Takes in what errands have come back with; whether there was any.
    pub(super) fn take_errands(&mut self) -> bool {
        let mut back = Vec::new();
        // What is opened takes free names and colours and is selected: it waits for the last session, and for what
        // was opened before it.
        let mut waits = self.is_coming_back();
        self.errands.retain(|errand| {
            if errand.opens && waits {
                return true;
            }
            let result = match errand.result.try_take() {
                Ok(None) => {
                    waits |= errand.opens;
                    return true;
                }
                Ok(Some(result)) => result,
                Err(_) => Err("the system refused a thread for a file".into()),
            };
            back.push((errand.run, result));
            false
        });
        let any = !back.is_empty();
        for (run, result) in back {
            match result {
                Ok(Brought::Written(path, remark)) => {
                    let remark = remark.map_or(String::new(), |remark| format!(". {remark}"));
                    // The last success is enough.
                    self.notices.retain(|n| n.is_error || !n.text.starts_with(WROTE));
                    self.notice(format!("{WROTE}{}{remark}", path.display()), false, run);
                }
                Ok(Brought::Settings(given)) => {
                    if let Ok(resolved) = resolve(given.clone()) {
                        self.start(given, resolved.config, None, None, false);
                    }
                }
                Ok(Brought::Network(path, given, what)) => self.begin_at(&path, given, what),
                Ok(Brought::Snapshot(path, snapshot, end)) => self.go_on(&path, *snapshot, end),
                Err(text) => self.notice(text, true, run),
            }
        }
        any
    }

    /// A run that begins at the network of a file, paused.
    fn begin_at(&mut self, path: &Path, given: Table, what: String) {
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
    fn go_on(&mut self, path: &Path, snapshot: Snapshot, end: Option<StopReason>) {
        let mut task = Table::new();
        let kind = snapshot.config.task.own.kind().name();
        put(&mut task, "task.kind", Some(Value::String(kind.into())));
        let given = given_for(&task, &snapshot.config);
        let Some(id) = self.resume(given, snapshot) else {
            let text = format!(
                "{}: holds a network only, no run to go on with; `basinscope measure` looks at it",
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

/// Writes a file; gives what there is to say about it.
fn write(
    export: Export,
    path: &Path,
    all: Collected,
    changes: &[String],
    workers: &Processors,
) -> Result<Option<String>, String> {
    let mut remark = None;
    match export {
        Export::Settings => atomic::write_text(path, &all.config.to_toml_after(changes)),
        Export::Curves => history_csv::write(path, &all.history),
        Export::Snapshot => {
            let (snapshot, left_out) = snapshot(all, changes, workers)?;
            remark = left_out;
            snapshot.write(path)
        }
        // Written without asking the run.
        Export::Bookmark(..)
        | Export::Gains
        | Export::Picture(_)
        | Export::Script
        | Export::Methods
        | Export::Lesson => Ok(()),
    }
    .map_err(|e| e.to_string())?;
    Ok(remark)
}

/// The script, and beside it under the same name the values that it draws.
fn script(path: &Path, runs: &[(String, History)]) -> Result<(), String> {
    if path.extension().is_none_or(|ending| ending != "py") {
        return Err(format!("{}: a script ends in .py", path.display()));
    }
    let mut table = String::from("run,iteration,series,value\n");
    for (name, history) in runs {
        let name = format!("\"{}\"", name.replace('"', "\"\""));
        for (series, values) in history.all() {
            for (iteration, value) in values {
                let value = history_csv::number(*value);
                let _ = writeln!(table, "{name},{iteration},{},{value}", series.name());
            }
        }
    }
    let write = |path: &Path, text: &str| atomic::write_text(path, text).map_err(|e| e.to_string());
    write(&path.with_extension("csv"), &table)?;
    write(path, include_str!("../../assets/plot_runs.py"))
}

/// Everything about a run, with what is measured along it measured on its weights of now, and what had to be left out,
/// in a sentence.
fn snapshot(
    mut all: Collected,
    changes: &[String],
    workers: &Processors,
) -> Result<(Snapshot, Option<String>), String> {
    let data = task_data::load(&all.config.task.own).map_err(|e| e.to_string())?;
    let iteration = all.checkpoint.iteration;
    // A slice has its own centre: it may be older than the weights.
    all.findings.retain(|f| f.iteration == iteration || f.slice_progress().is_some());
    let finite = all.checkpoint.weights.flat().iter().all(|w| w.is_finite());
    if finite && iteration >= 0 {
        let mut measurer = measurer(&all.config, &data).map_err(|e| e.to_string())?;
        measurer.restore(&all.checkpoint);
        let subject = Subject {
            iteration,
            weights: &all.checkpoint.weights,
            learning_rate: learning_rate(&all.config, iteration.unsigned_abs()),
            at_an_end: true,
            trajectory: &all.trajectory,
        };
        let is_whole = |f: &Finding| f.slice_progress().is_none_or(|p| p.is_complete());
        let has = |findings: &[Finding], measure| {
            findings.iter().any(|f| (f.measure, f.iteration) == (measure, iteration) && is_whole(f))
        };
        for measure in Measure::ALL {
            let wanted = measure.cadence(&all.config) != Cadence::Never;
            // Shares in the leading eigenvectors need those of this measurer.
            let needed = measure == Measure::Curvature && !has(&all.findings, Measure::Alignment);
            if wanted && (needed || !has(&all.findings, measure)) {
                all.findings.retain(|f| f.measure != measure);
                all.findings.extend(measurer.measure(measure, subject, workers, &|| true));
            }
        }
    }
    let slice = all.findings.iter().find_map(Finding::slice_progress).filter(|p| !p.is_complete());
    let left_out = slice
        .map(|p| format!("The slice is not in it: {} of its {} points are known so far.", p.done, p.total));
    let run = Snapshot::of_run(&all.config, &all.checkpoint, &all.history, &all.trajectory);
    let mut snapshot = run.measured(&all.findings, &data, workers).map_err(|e| e.to_string())?;
    snapshot.notes.extend_from_slice(changes);
    let known = |series| Some((all.history.series(series).len(), all.history.series(series).last()?.0));
    for measure in Measure::ALL {
        let taken = Taken::too_few(&all.config, measure, known);
        snapshot.notes.extend(taken.map(|taken| format!("{} was {taken}", measure.series()[0].name())));
    }
    Ok((snapshot, left_out))
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
    Ok(Brought::Network(path, given, what))
}

/// How the run of a snapshot ended, as the summary beside it says; `None` where there is none, or it is another's.
fn end_of(path: &Path, snapshot: &Snapshot) -> Option<StopReason> {
    let ended = Ended::read(&path.with_file_name(SUMMARY))?;
    let own = (snapshot.config.fingerprint(), snapshot.iteration);
    ((ended.settings_hash, ended.iteration) == own).then_some(ended.stop)
}

/// Reads what the file's first bytes say it is.
fn read(path: PathBuf) -> Result<Brought, String> {
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
            return Err(format!(
                "{}: holds trials: choose the task `file` (trials from a file) and set its path to train on them",
                path.display()
            ));
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
