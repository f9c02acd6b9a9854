//! Owns what a folder must be to take the runs of a plan: new, empty, or that of the same sweep or figure.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{INDEX, PLAN, RUNS};
use crate::files::atomic::{self, FileError};
use crate::files::run_folder::{FILES, RunFolder, SUMMARY, is_passing};
use crate::files::summary::Ended;
use crate::training::config::resolve::parse;
use crate::training::plan::PlannedRun;

/// The largest plan or configuration that is read.
const MOST_TEXT: u64 = 1 << 20;
/// Most characters of a value in a sentence.
const LONGEST_VALUE: usize = 60;

/// What the folder of a figure's runs holds in the place of a plan: the command that makes them.
pub fn text_of_figure(command: &str) -> String {
    format!("# The runs of a figure; each has its settings in its folder.\nmade_by = \"{command}\"\n")
}

/// The command that makes the runs of a figure, of the text in the place of a plan; `None` where it is a plan.
pub fn command_of(text: &str) -> Option<String> {
    let given = parse(text).ok()?;
    match given.get("made_by") {
        Some(Value::String(command)) => Some(command.clone()),
        // As the first versions wrote it, in a comment alone.
        None if given.is_empty() => {
            let command = text.strip_prefix("# The runs of `")?.split('`').next()?;
            command.starts_with("basinscope reproduce ").then(|| command.to_owned())
        }
        _ => None,
    }
}

/// The figure that it makes.
pub fn figure_of(text: &str) -> Option<String> {
    command_of(text)?.split_whitespace().nth(2).map(Into::into)
}

/// Takes a folder for a sweep: a new or an empty one, that of a sweep, or one with nothing but the runs of one.
pub(super) fn claim(folder: &Path, force: bool) -> Result<(), FileError> {
    // Another process may begin there at the same moment: what it is is looked at twice.
    let is_taken = || folder.join(PLAN).is_file() || has_runs_only(folder);
    if is_taken() || folder.is_dir() && !force && !is_empty(folder) {
        if is_taken() {
            return Ok(());
        }
        let problem = "is not empty and holds no sweep: choose another folder, or put the sweep beside what is in \
                       it with --force";
        return Err(FileError::new(folder, problem));
    }
    match RunFolder::claim(folder, force) {
        Err(error) if !is_taken() => Err(error),
        _ => Ok(()),
    }
}

/// The names in a folder, but those of files that are being written; none where it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|e| e.file_name().to_string_lossy().into_owned());
    names.filter(|name| !is_passing(name)).collect()
}

fn is_empty(folder: &Path) -> bool {
    names(folder).is_empty()
}

/// Whether a folder holds the runs of a sweep, as of parts that were put together, and nothing else.
fn has_runs_only(folder: &Path) -> bool {
    let is_run = |run: PathBuf| run.is_dir() && names(&run).iter().all(|name| FILES.contains(&name.as_str()));
    let runs = folder.join(RUNS);
    let found = names(&runs);
    names(folder).iter().all(|name| name == RUNS || name == INDEX)
        && !found.is_empty()
        && found.iter().all(|name| is_run(runs.join(name)))
}

/// The folders of runs that have ended, whatever their settings.
pub fn ended_in(folder: &Path) -> Vec<PathBuf> {
    let runs = folder.join(RUNS);
    let mut found: Vec<PathBuf> = names(&runs).iter().map(|name| runs.join(name)).collect();
    found.retain(|run| run.join(SUMMARY).is_file());
    found.sort();
    found
}

/// Whether the runs of a plan may be put into a folder: not among those of another sweep or figure.
pub(super) fn same_sweep(folder: &Path, runs: &[PlannedRun], text: &str) -> Result<(), FileError> {
    let there = atomic::read_text(&folder.join(PLAN), MOST_TEXT).ok();
    if there.as_deref() == Some(text) {
        return Ok(());
    }
    let [old, new] = [there.as_deref().unwrap_or(text), text].map(figure_of);
    if old == new && old.is_some() {
        return Ok(());
    }
    let ended = ended_in(folder);
    if ended.is_empty() {
        return Ok(());
    }
    let wrong = |what: String| {
        let problem = format!("{what}: choose another folder, or put this into it as well with --force");
        Err(FileError::new(folder, problem))
    };
    match (old, new) {
        (Some(figure), _) => return wrong(format!("holds the runs of figure {figure}")),
        (None, Some(figure)) => return wrong(format!("holds the runs of a sweep, not of figure {figure}")),
        (None, None) => {}
    }
    let settings: std::collections::BTreeSet<String> =
        runs.iter().map(|run| run.config.fingerprint()).collect();
    let of_plan = |run: &PathBuf| {
        Ended::read(&run.join(SUMMARY)).is_some_and(|ended| settings.contains(&ended.settings_hash))
    };
    match ended.iter().any(of_plan) {
        true => Ok(()),
        false => wrong("holds runs that have ended, and none of them is of this plan".into()),
    }
}

/// The run of a folder has other settings than the plan's: which.
pub(super) fn other_settings(folder: &Path, run: &PlannedRun, found: &str) -> FileError {
    let text = atomic::read_text(&folder.join("config.toml"), MOST_TEXT).ok();
    let there = text.and_then(|text| parse(&text).ok());
    let difference = there.and_then(|there| difference(&there, &run.config.to_table(), ""));
    let what = difference.unwrap_or_else(|| format!("{found}, expected {}", run.config.fingerprint()));
    let problem =
        format!("holds a run of other settings ({what}): choose another folder, or replace it with --force");
    FileError::new(folder, problem)
}

/// The first key of which two configurations have other values, with both.
fn difference(there: &Table, planned: &Table, prefix: &str) -> Option<String> {
    let mut names: Vec<&String> = there.keys().chain(planned.keys()).collect();
    names.sort();
    names.dedup();
    names.into_iter().find_map(|name| match (there.get(name), planned.get(name)) {
        (Some(Value::Table(a)), Some(Value::Table(b))) => difference(a, b, &format!("{prefix}{name}.")),
        (a, b) if a == b => None,
        (a, b) => Some(format!("`{prefix}{name}` is {}, expected {}", shown(a), shown(b))),
    })
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or("not set".into(), |value| value.to_string().replace(['\n', '\r'], " "));
    let mut short: String = text.chars().take(LONGEST_VALUE).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_figure_is_no_plan_and_names_it() {
        let command = "basinscope reproduce p1-3 --quick --out DIR";
        let of_first_versions = format!("# The runs of `{command}`; each has its settings in its folder.\n");
        for text in [text_of_figure(command), of_first_versions] {
            assert_eq!(
                (figure_of(&text).as_deref(), command_of(&text).as_deref()),
                (Some("p1-3"), Some(command))
            );
        }
        for plan in ["", "# mine\n", "seeds = [1]\n", "iterations = 3\n"] {
            assert_eq!(figure_of(plan), None, "{plan}");
        }
    }

    #[test]
    fn the_first_key_that_differs_is_named_with_both_values() {
        let table = |text: &str| parse(text).expect("TOML");
        let there = table("seed = 1\niterations = 40\nnetwork = { gain = 0.5, n_rec = 10 }\n");
        let planned = table("seed = 1\niterations = 40\nnetwork = { gain = 0.5, n_rec = 12 }\n");
        let said = difference(&there, &planned, "").expect("other settings");
        assert_eq!(said, "`network.n_rec` is 10, expected 12");
        assert_eq!(difference(&there, &there, ""), None);
        let said = difference(&table("a = 1\n"), &table("b = \"x\"\n"), "").expect("other settings");
        assert_eq!(said, "`a` is 1, expected not set");
    }
}
