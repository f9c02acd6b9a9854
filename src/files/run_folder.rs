//! Owns [`RunFolder`], the folder that a run writes: config.toml, history.csv, snapshot.npz, summary.json, plot.py.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{self, FileError};
use super::history_csv::{self, End};
use super::npz::Npz;
use super::run_lock::LOCK;
use super::snapshot::Snapshot;
use super::summary::{Ended, Summary};
use crate::training::history::{History, Series};

/// The script that draws the curves.
const PLOT: &str = include_str!("../../assets/plot.py");

/// The files of a run.
pub const FILES: [&str; 5] = [HISTORY, SNAPSHOT, "plot.py", "config.toml", SUMMARY];
/// Every value of every series.
pub const HISTORY: &str = "history.csv";
/// State and measures.
pub const SNAPSHOT: &str = "snapshot.npz";
/// How the run ended; written last.
pub const SUMMARY: &str = "summary.json";

/// A folder that a run may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    folder: PathBuf,
}

impl RunFolder {
    /// Makes the folder, or takes an empty one. With `force` it may hold other things: the files of a run are
    /// then replaced, each once its new one is whole, and nothing else is touched.
    ///
    /// # Errors
    /// The folder holds something and there is no `force`; it is a file; it cannot be written to; a folder
    /// has the name of one of the files.
    pub fn claim(folder: &Path, force: bool) -> Result<Self, FileError> {
        match fs::metadata(folder) {
            Ok(about) if !about.is_dir() => {
                return Err(FileError::new(folder, "is a file: expected the name of a folder"));
            }
            Ok(_) if !force && !is_empty(folder)? => {
                return Err(FileError::new(
                    folder,
                    "exists and is not empty: choose another folder, or replace the run in it with --force",
                ));
            }
            Ok(_) => {}
            Err(_) => fs::create_dir_all(folder).map_err(|e| FileError::from_io(folder, &e))?,
        }
        for name in FILES {
            let path = folder.join(name);
            if path.is_dir() {
                return Err(FileError::new(&path, "is a directory: expected a file, or none"));
            }
        }
        // Whether it can be written to shows before the work, not after it.
        let trial = tempfile::Builder::new().prefix(".basinscope-").suffix(".tmp").tempfile_in(folder);
        trial.map_err(|e| FileError::from_io(folder, &e))?;
        Ok(Self { folder: folder.into() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes all files of a run, each whole or not at all.
    ///
    /// # Errors
    /// Every file that could not be written; the others are.
    pub fn write(&self, snapshot: &Snapshot, summary: &Summary) -> Result<(), Vec<FileError>> {
        let failed: Vec<FileError> =
            FILES.into_iter().filter_map(|name| self.write_one(name, snapshot, summary).err()).collect();
        if failed.is_empty() { Ok(()) } else { Err(failed) }
    }

    /// Writes the files one after the other, the summary last and only where all others are there: a folder
    /// with a summary holds a whole run.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn write_whole(&self, snapshot: &Snapshot, summary: &Summary) -> Result<(), FileError> {
        FILES.into_iter().try_for_each(|name| self.write_one(name, snapshot, summary))
    }

    fn write_one(&self, name: &str, snapshot: &Snapshot, summary: &Summary) -> Result<(), FileError> {
        let path = self.folder.join(name);
        match name {
            HISTORY => history_csv::write(&path, &snapshot.history),
            SNAPSHOT => snapshot.write(&path),
            "plot.py" => atomic::write_text(&path, PLOT),
            "config.toml" => atomic::write_text(&path, &snapshot.config.to_toml()),
            _ => summary.write(&path),
        }
    }

    /// How the run in a folder ended; `None` where it has not ended, or not all of its files are there and whole:
    /// damaged is not ended. Few bytes are read: that the history ends as the summary says, and the snapshot's
    /// directory. [`RunFolder::check`] reads all.
    pub fn ended(folder: &Path) -> Option<Ended> {
        if !FILES.iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let ended = Ended::read(&folder.join(SUMMARY))?;
        let history = match history_csv::end(&folder.join(HISTORY)).ok()? {
            End::Cut => return None,
            End::Empty => None,
            End::Row(series, iteration, value) => Some((series, iteration, value)),
        };
        let row = history.as_ref().map(|(series, iteration, value)| (series.as_str(), *iteration, *value));
        (ended.ends_with(row) && Npz::open(&folder.join(SNAPSHOT)).is_ok()).then_some(ended)
    }

    /// Reads series of a run that has ended.
    ///
    /// # Errors
    /// The history or the summary cannot be read, or the history is not the one that the summary is of.
    pub fn history(folder: &Path, wanted: &[Series]) -> Result<History, FileError> {
        let path = folder.join(HISTORY);
        let history = history_csv::read(&path, wanted).map_err(damaged)?;
        summary(folder)?
            .agrees(&history, wanted)
            .map_err(|e| damaged(FileError::new(&path, format!("{e} ({SUMMARY})"))))?;
        Ok(history)
    }

    /// Reads every byte of a run and compares what is there twice; `None` where the run has not ended.
    ///
    /// # Errors
    /// The first file that is missing or damaged, or is of another run than the summary.
    pub fn check(folder: &Path) -> Result<Option<Ended>, FileError> {
        // It is written last: where it is, all others were.
        if !folder.join(SUMMARY).exists() {
            return Ok(None);
        }
        let ended = summary(folder)?;
        for name in FILES {
            atomic::open(&folder.join(name)).map_err(damaged)?;
        }
        let history = Self::history(folder, Series::ALL)?;
        let path = folder.join(SNAPSHOT);
        let snapshot = Snapshot::read(&path).map_err(damaged)?;
        let other = |problem: String| Err(damaged(FileError::new(&path, problem)));
        let (found, expected) = (snapshot.config.fingerprint(), &ended.settings_hash);
        if found != *expected {
            return other(format!("is of settings {found}, expected {expected} ({SUMMARY})"));
        }
        if snapshot.iteration != ended.iteration {
            let (found, expected) = (snapshot.iteration, ended.iteration);
            return other(format!("is of iteration {found}, expected {expected} ({SUMMARY})"));
        }
        for series in Series::ALL {
            let bits = |(iteration, value): &(i64, f64)| {
                (*iteration, if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() })
            };
            let rows = history.series(*series).iter().zip(snapshot.history.series(*series));
            if let Some((row, expected)) = rows.into_iter().find(|(a, b)| bits(a) != bits(b)) {
                let (name, (at, value)) = (series.name(), row);
                let expected = history_csv::number(expected.1);
                let value = history_csv::number(*value);
                let problem =
                    format!("`{name}` is {value} at iteration {at}, expected {expected} ({SNAPSHOT})");
                return Err(damaged(FileError::new(&folder.join(HISTORY), problem)));
            }
        }
        Ok(Some(ended))
    }

    /// Takes the files of a run that has ended from another folder, the summary last: links to them, or copies where
    /// links cannot be. Files are only ever replaced whole, so neither folder can change the other's.
    ///
    /// # Errors
    /// The first file that could not be taken.
    pub fn take_from(&self, other: &Path) -> Result<(), FileError> {
        self.clear()?;
        FILES.into_iter().try_for_each(|name| {
            let (from, to) = (other.join(name), self.folder.join(name));
            let taken = fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(|_| ()));
            taken.map_err(|e| FileError::from_io(&to, &e))
        })
    }

    /// Takes away what a run left that was ended half-way: its summary first, and files that were never
    /// finished.
    ///
    /// # Errors
    /// The file that could not be removed.
    pub fn clear(&self) -> Result<(), FileError> {
        let remove = |path: &Path| match fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(FileError::from_io(path, &e)),
            _ => Ok(()),
        };
        FILES.iter().rev().try_for_each(|name| remove(&self.folder.join(name)))?;
        let entries = fs::read_dir(&self.folder).map_err(|e| FileError::from_io(&self.folder, &e))?;
        entries
            .filter_map(Result::ok)
            .filter(|e| e.file_name().to_str().is_some_and(never_finished))
            .try_for_each(|e| remove(&e.path()))
    }
}

fn summary(folder: &Path) -> Result<Ended, FileError> {
    let path = folder.join(SUMMARY);
    Ended::read(&path).ok_or_else(|| damaged(FileError::new(&path, "is not the whole summary of a run")))
}

/// What to do about a file of a run that is not as it was written.
fn damaged(error: FileError) -> FileError {
    FileError {
        problem: format!("{}: delete the folder of this run to have it made again", error.problem),
        ..error
    }
}

/// Whether nothing is in a folder but files that were never finished (of a program that was killed, or of one
/// that is just beginning there), and its lock.
fn is_empty(folder: &Path) -> Result<bool, FileError> {
    let mut entries = fs::read_dir(folder).map_err(|e| FileError::from_io(folder, &e))?;
    Ok(entries.all(|e| e.is_ok_and(|e| e.file_name().to_str().is_some_and(is_passing))))
}

/// The names of files that are there only while something is written or made.
pub fn is_passing(name: &str) -> bool {
    never_finished(name) || name == LOCK
}

/// The names of files that are being written.
fn never_finished(name: &str) -> bool {
    name.starts_with(".basinscope-") && name.ends_with(".tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_taken_from_another_folder_are_the_same_and_stay_when_those_are_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let source = RunFolder::claim(&from, false).expect("a folder");
        for name in FILES {
            fs::write(from.join(name), name).expect("a file");
        }
        let taken = RunFolder::claim(&to, false).expect("a folder");
        taken.take_from(source.path()).expect("files");
        atomic::write_text(&from.join("history.csv"), "replaced").expect("a file");
        for name in FILES {
            assert_eq!(fs::read_to_string(to.join(name)).expect("a file"), name);
        }
        // What is not whole gives no summary.
        fs::remove_file(from.join("config.toml")).expect("a file less");
        assert!(taken.take_from(source.path()).is_err());
        assert!(!to.join("summary.json").exists());
    }

    #[test]
    fn a_folder_in_use_is_claimed_by_force_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        RunFolder::claim(path, false).expect("an empty folder");
        RunFolder::claim(&path.join("new/inside"), false).expect("a new folder");
        fs::write(path.join("new/inside/.basinscope-1.tmp"), "").expect("a file never finished");
        fs::write(path.join("new/inside").join(LOCK), "").expect("the lock of a run that was left");
        RunFolder::claim(&path.join("new/inside"), false).expect("no run in it");
        let error = RunFolder::claim(path, false).expect_err("not empty").to_string();
        assert!(error.contains("--force"), "{error}");
        RunFolder::claim(path, true).expect("by force");
        let file = path.join("file");
        fs::write(&file, "mine").expect("a file");
        for wrong in [&file, &file.join("inside")] {
            assert!(RunFolder::claim(wrong, true).is_err());
        }
        fs::create_dir(path.join("history.csv")).expect("a folder in the place of a file");
        let error = RunFolder::claim(path, true).expect_err("a folder").to_string();
        assert!(error.contains("history.csv: is a directory"), "{error}");
        assert_eq!(fs::read_to_string(file).expect("untouched"), "mine");
    }
}
