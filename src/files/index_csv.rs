//! Owns index.csv, one row for each finished run of a sweep.

use std::io::{self, Write};
use std::path::Path;

use super::atomic::{self, FileError};
use super::history_csv::number;
use super::summary::Ended;
use crate::training::history::Series;

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The name of the run's folder.
    pub run: &'a str,
    /// One text for each column of the plan.
    pub labels: &'a [String],
    /// How the run ended.
    pub ended: &'a Ended,
}

/// Writes `run`, the plan's columns, `settings_hash`, `stop`, `iteration`, and for each series that any run has
/// its last value under its name and its first under its name with `_first`. A run without the series has an
/// empty field there. The same entries give the same bytes.
///
/// # Errors
/// The path and what the system said.
pub fn write(path: &Path, columns: &[String], entries: &[Entry<'_>]) -> Result<(), FileError> {
    atomic::write(path, |file| write_to(file, columns, entries))
}

fn write_to(file: impl Write, columns: &[String], entries: &[Entry<'_>]) -> io::Result<()> {
    let occurs = |s: &&Series| entries.iter().any(|e| e.ended.ends(**s).is_some());
    let series: Vec<Series> = Series::ALL.iter().filter(occurs).copied().collect();
    let mut csv = csv::Writer::from_writer(file);
    let fixed = ["settings_hash", "stop", "iteration"].map(String::from);
    let of_series = series.iter().flat_map(|s| [s.name().to_string(), format!("{}_first", s.name())]);
    csv.write_record(["run".to_string()].into_iter().chain(columns.to_vec()).chain(fixed).chain(of_series))?;
    for Entry { run, labels, ended } in entries {
        let fixed = [ended.settings_hash.clone(), ended.reason().into(), ended.iteration.to_string()];
        let values = series.iter().flat_map(|s| match ended.ends(*s) {
            Some((first, last)) => [number(last), number(first)],
            None => [String::new(), String::new()],
        });
        csv.write_record([run.to_string()].into_iter().chain(labels.to_vec()).chain(fixed).chain(values))?;
    }
    csv.flush()
}
