//! How a session writes and reads files: on threads of their own, so that no frame waits for a disk.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Table;

use super::action::Export;
use super::alterations;
use super::freshness::Taken;
use super::playing::pages::write_pages;
use super::{Picture, RunId, Session, gains, opening, sweeping};
use crate::engine::errand::{Asked, question};
use crate::engine::messages::{Collected, Command};
use crate::engine::pool::Processors;
use crate::files::run_folder::SNAPSHOT;
use crate::files::snapshot::Snapshot;
use crate::files::{atomic, history_csv, task_data};
use crate::training::config::Cadence;
use crate::training::config::resolve::resolve;
use crate::training::history::History;
use crate::training::measures::{Finding, Measure, Subject, measurer};
use crate::training::run::StopReason;
use crate::training::trainer::learning_rate;

/// How a message of success begins.
const WROTE: &str = "Wrote ";
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
pub(super) enum Brought {
    /// A file was written; what there is to say about it.
    Written(PathBuf, Option<String>),
    /// Settings.
    Settings(Table),
    /// Settings of a run that begins at the network of a file, or trains on its trials, and what it is.
    Given(PathBuf, Table, String),
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
        let table = match export {
            Export::Gains => Some(gains::table(self.explorer())),
            Export::Comparison { first, second, quantity } => {
                Some(self.comparison_table(first, second, quantity))
            }
            _ => None,
        };
        if let Some(table) = table {
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
            Export::Snapshot | Export::Curves | Export::Settings => {}
            Export::Gains | Export::Comparison { .. } | Export::Lesson => {}
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
        let result = self.engine.errand("open", move || opening::read(path));
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
                Ok(Brought::Given(path, given, what)) => self.begin_at(&path, given, what),
                Ok(Brought::Snapshot(path, snapshot, end)) => self.go_on(&path, *snapshot, end),
                Err(text) => self.notice(text, true, run),
            }
        }
        any
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
        | Export::Comparison { .. }
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
    let known = |series| {
        let values = all.history.series(series);
        Some((values.first()?.0, values.len(), values.last()?.0))
    };
    for measure in Measure::ALL {
        let taken = Taken::too_few(&all.config, measure, known);
        snapshot.notes.extend(taken.map(|taken| format!("{} was {taken}", measure.series()[0].name())));
    }
    Ok((snapshot, left_out))
}
