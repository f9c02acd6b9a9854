//! Owns `basinscope check`: is this file sound?

use std::io::Read;
use std::path::Path;

use super::{Ending, Refused, complain, say};
use crate::files::atomic::{self, FileError};
use crate::files::figure::number::counted;
use crate::files::idx;
use crate::files::network_input;
use crate::files::npz::Npz;
use crate::files::run_folder::{RunFolder, SNAPSHOT, SUMMARY};
use crate::files::snapshot::Snapshot;
use crate::files::trials;
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::{Target, Trials};
use crate::numerics::weights::Dims;
use crate::session::reproduce::Reproduction;
use crate::session::sweep::{PLAN, command_of, ended_in, figure_of};
use crate::session::sweeping::folder_of;
use crate::training::config::resolve::{parse, resolve};
use crate::training::measured::tangents;
use crate::training::plan::{Plan, is_plan, of_plans};

/// The largest configuration that is read.
pub const MOST_TOML: u64 = 1 << 20;

/// Says what the file is, or why it is not sound. What it is shows in its first bytes.
pub fn check(path: &Path) -> Result<Ending, Refused> {
    if path.is_dir() {
        say(format_args!("{}: sound: {}", path.display(), folder(path)?));
        return Ok(Ending::Done);
    }
    let mut head = Vec::new();
    let file = atomic::open(path)?;
    file.take(4).read_to_end(&mut head).map_err(|e| FileError::from_io(path, &e))?;
    let what = match head[..] {
        [] => {
            return Err(FileError::new(
                path,
                "is empty: expected a snapshot, trials, an idx file or settings",
            )
            .into());
        }
        [b'P', b'K', ..] => npz(path)?,
        [0x1f, 0x8b, ..] | [0, 0, 8, _] => idx(path)?,
        // Its name says what it should be.
        _ if path.extension().is_some_and(|ending| ending == "npz") => npz(path)?,
        _ => configuration(path)?,
    };
    say(format_args!("{}: sound: {what}", path.display()));
    Ok(Ending::Done)
}

/// The folder of a run or of a sweep, every file of every run read.
fn folder(path: &Path) -> Result<String, Refused> {
    if folder_of(path).is_some() {
        let plan = configuration(&path.join(PLAN))?;
        let ended = ended_in(path);
        ended.iter().try_for_each(|run| RunFolder::check(run).map(|_| ()))?;
        return Ok(format!("the folder of a sweep, {plan}; {} ended", counted(ended.len() as u64, "run")));
    }
    let snapshot = path.join(SNAPSHOT);
    if !snapshot.is_file() && !path.join(SUMMARY).is_file() {
        let problem = "is a folder of neither a run nor a sweep: expected a file, or such a folder";
        return Err(FileError::new(path, problem).into());
    }
    let ended =
        RunFolder::check(path)?.map_or("not whole".into(), |ended| format!("ended: {}", ended.reason()));
    Ok(format!("the folder of a run, {}; {ended}", npz(&snapshot)?))
}

fn npz(path: &Path) -> Result<String, Refused> {
    let file = Npz::open(path)?;
    if !file.has("w_rec") && file.has("x") {
        return trials_of(path);
    }
    let sizes = |Dims { n_in, n_rec, n_out }| {
        let counts = [(n_in, "input"), (n_rec, "unit"), (n_out, "output")];
        counts.map(|(n, what)| counted(n as u64, what)).join(", ")
    };
    if !file.has("resume_json") {
        let given = network_input::read(path, toml::Table::new())?.given;
        tangents(&given).map_err(|e| FileError::new(path, e))?;
        let trials = given.probe.n_batch();
        return Ok(format!(
            "a network to measure, {}, on {}",
            sizes(given.weights.dims()),
            counted(trials as u64, "trial")
        ));
    }
    let snapshot = Snapshot::read(path)?;
    Ok(format!(
        "a snapshot of {} at iteration {}, {}; can go on",
        snapshot.config.task.own.kind().name(),
        snapshot.iteration,
        sizes(snapshot.weights.dims())
    ))
}

fn trials_of(path: &Path) -> Result<String, Refused> {
    let TaskData::Trials { train, test, .. } = trials::load(path)? else {
        return Err(Refused(format!("{}: no trials", path.display())));
    };
    let shape = |t: &Trials<f64>| {
        let outputs = match &t.target {
            Target::Values(v) => counted(v.dim().2 as u64, "output"),
            Target::Labels(l) => format!("labels up to {}", l.iter().max().copied().unwrap_or(0)),
        };
        {
            let counts = [t.n_batch(), t.n_steps(), t.n_in()].map(|n| n as u64);
            let [trials, steps, inputs] =
                [0, 1, 2].map(|i| counted(counts[i], ["trial", "step", "input"][i]));
            format!("{trials} of {steps}, {inputs}, {outputs}")
        }
    };
    let test = test.map_or_else(|| "no test trials".into(), |t| format!("test: {}", shape(&t)));
    Ok(format!("trials for the task file: {}; {test}", shape(&train)))
}

fn idx(path: &Path) -> Result<String, Refused> {
    let bytes = atomic::read_bytes(path, idx::MOST_BYTES)?;
    let found = idx::read(&bytes).map_err(|e| FileError::new(path, e))?;
    Ok(format!("an idx file: {found}"))
}

fn configuration(path: &Path) -> Result<String, Refused> {
    let text = atomic::read_text(path, MOST_TOML)?;
    if let Some(command) = command_of(&text) {
        let (_, plan) = Reproduction::of_command(&command).map_err(|e| FileError::new(path, e))?;
        let figure = figure_of(&text).unwrap_or_default();
        let runs = counted(plan.runs.len() as u64, "run");
        return Ok(format!("the figure {figure}, {runs} planned by `{command}`"));
    }
    let given = parse(&text).map_err(|e| FileError::new(path, e))?;
    if is_plan(&given) {
        let plan = Plan::new(given).map_err(|e| FileError::new(path, e))?;
        return Ok(format!("a plan of {}", plan));
    }
    let resolved = resolve(given).map_err(|e| FileError::new(path, of_plans(e)))?;
    resolved.warnings.iter().for_each(|w| complain("warning", w));
    let config = resolved.config;
    Ok(format!("a configuration of {}, settings {}", config.task.own.kind().name(), config.fingerprint()))
}
