//! Owns `basinscope run`.

use std::path::Path;
use std::time::Instant;

use toml::{Table, Value};

use super::check::MOST_TOML;
use super::progress::{Progress, short};
use super::{Ending, Refused, RunArguments, complain, interrupt, say};
use crate::files::atomic::{self, FileError};
use crate::files::figure::number::counted;
use crate::files::run_folder::RunFolder;
use crate::files::snapshot::Snapshot;
use crate::files::summary::Summary;
use crate::files::task_data;
use crate::numerics::parallel::Workers;
use crate::numerics::tasks::TaskData;
use crate::training::config::Config;
use crate::training::config::resolve::{Resolved, merge, only_live, parse, resolve, set};
use crate::training::driver::Driver;
use crate::training::given_trials;
use crate::training::history::Series;
use crate::training::plan::is_plan;
use crate::training::presets::preset;
use crate::training::run::StopReason;

/// Trains a network and writes its folder.
pub fn run(arguments: &RunArguments) -> Result<Ending, Refused> {
    let (Resolved { mut config, mut warnings, .. }, from) = settings(arguments)?;
    task_data::absolute_paths(&mut config.task.own)?;
    // What the settings say by themselves comes first: it may explain why the data do not load.
    warnings.iter().for_each(|w| complain("warning", w));
    let data = task_data::load(&config.task.own)?;
    let mut driver = match from {
        None => Driver::start(&config, &data),
        Some((path, snapshot)) => go_on(&config, &data, path, snapshot)?,
    }
    .map_err(|e| Refused(e.to_string()))?;
    let of_data = given_trials::warnings(&config, &data);
    of_data.iter().for_each(|w| complain("warning", w));
    warnings.extend(of_data);
    // Those of its start; what it says on the way comes at its end.
    let at_start = driver.run().warnings().len();
    driver.run().warnings().iter().for_each(|w| complain("warning", w));
    let folder = RunFolder::claim(&arguments.out, arguments.force)?;
    let workers = arguments.threads.processors();
    interrupt::listen();

    let start = Instant::now();
    let stop = advance(&mut driver, &workers);
    let seconds = start.elapsed().as_secs_f64();

    driver.run().warnings()[at_start..].iter().for_each(|w| complain("warning", w));
    warnings.extend(driver.run().warnings().iter().cloned());
    let snapshot = Snapshot::of_driver(&driver, &data, &workers).map_err(|e| Refused(e.to_string()))?;
    let iteration = driver.run().iteration();
    let summary =
        Summary::new(driver.run().config(), stop.clone(), iteration, driver.history(), seconds, warnings);
    let written = folder.write(&snapshot, &summary);
    report(&driver, &stop, seconds, folder.path());
    if let Err(failed) = written {
        let lines: Vec<String> = failed.iter().map(ToString::to_string).collect();
        return Err(Refused(lines.join("; ")));
    }
    Ok(match stop {
        StopReason::Diverged { .. } | StopReason::Undefined { .. } => Ending::Badly,
        StopReason::Stopped => Ending::Interrupted,
        _ => Ending::Done,
    })
}

/// The settings asked for, and the snapshot to go on from.
fn settings(arguments: &RunArguments) -> Result<(Resolved, Option<(&Path, Snapshot)>), Refused> {
    let mut changes = Table::new();
    for assignment in &arguments.set {
        set(&mut changes, assignment)?;
    }
    if let Some(path) = &arguments.from {
        let snapshot = Snapshot::read(path)?;
        only_live(&changes, snapshot.config.task.own.kind())?;
        let mut given = snapshot.config.to_table();
        merge(&mut given, changes);
        let resolved = resolve(given)?;
        let (made, asked) = (snapshot.iteration, resolved.config.iterations);
        if i64::try_from(asked).is_ok_and(|asked| made >= asked) {
            return Err(Refused(format!(
                "`iterations` = {asked}: {} has made {made} updates already, expected more (--set iterations=N)",
                path.display()
            )));
        }
        return Ok((resolved, Some((path, snapshot))));
    }
    let mut given = Table::new();
    if let Some(name) = &arguments.preset {
        let kind = Value::String(preset(name)?.task.name().into());
        given.insert("task".into(), Value::Table(Table::from_iter([("kind".to_string(), kind)])));
    }
    let Some(path) = &arguments.config else {
        merge(&mut given, changes);
        return Ok((resolve(given)?, None));
    };
    let in_file = |e| FileError::new(path, e);
    let mut given = parse(&atomic::read_text(path, MOST_TOML)?).map_err(in_file)?;
    if is_plan(&given) {
        let problem =
            "is a plan of many runs (`vary`, `seeds`): expected a configuration, or `basinscope sweep`";
        return Err(FileError::new(path, problem).into());
    }
    // What is wrong in the file is said with its name, whatever --set changes.
    let checked = resolve(given.clone());
    merge(&mut given, changes);
    match (resolve(given), checked) {
        (Ok(resolved), _) => Ok((resolved, None)),
        (Err(_), Err(error)) => Err(in_file(error).into()),
        (Err(error), Ok(_)) => Err(error.into()),
    }
}

fn go_on(
    config: &Config,
    data: &TaskData,
    path: &Path,
    snapshot: Snapshot,
) -> Result<Result<Driver, crate::training::trainer::StartError>, Refused> {
    let (Some(checkpoint), Some(resume)) = (snapshot.checkpoint(), snapshot.resume) else {
        let problem = "holds a network only, no run to go on with (no `resume_json` and `initial_w_rec`)";
        return Err(FileError::new(path, problem).into());
    };
    Ok(Driver::resume(config, data, &checkpoint, snapshot.history, resume.path))
}

/// Runs to the end, or to Ctrl-C.
fn advance(driver: &mut Driver, workers: &dyn Workers) -> StopReason {
    let last = i64::try_from(driver.run().config().iterations).unwrap_or(i64::MAX);
    let mut progress = Progress::new(driver.run().iteration(), last);
    let stop = loop {
        if interrupt::asked() {
            break driver.stop(workers);
        }
        if let Some(stop) = driver.advance(workers) {
            break stop;
        }
        let loss = driver.history().series(Series::TrainLoss).last().map(|(_, loss)| *loss);
        let iteration = driver.run().iteration();
        let left = progress.left_at(iteration);
        progress.update(iteration, left, || {
            let loss = loss.map_or_else(|| "no loss yet".into(), |l| format!("loss {}", short(l)));
            format!("iteration {iteration} of {last}, {loss}")
        });
    };
    progress.finish();
    stop
}

/// How it ended, the last value of each series, and where the files are.
fn report(driver: &Driver, stop: &StopReason, seconds: f64, folder: &Path) {
    let how = match stop {
        StopReason::Done => "done".into(),
        StopReason::LossReached => "stopped: the training loss is below stop.loss_below".into(),
        StopReason::AccuracyReached => "stopped: the test accuracy is above stop.test_accuracy_above".into(),
        StopReason::Plateau => "stopped: loss and lambda_max no longer change (stop.plateau)".into(),
        StopReason::Stopped => "stopped by the user".into(),
        StopReason::Undefined { iteration, quantity, why } => {
            format!("ended at iteration {iteration}: {quantity} is not defined, {why}")
        }
        StopReason::Diverged { iteration, quantity, value } => {
            format!("diverged at iteration {iteration}: {quantity} is {value}")
        }
    };
    // Flossing before training counts in negative numbers.
    let made = driver.run().iteration().max(0);
    say(format_args!("{how}; {}, {seconds:.1} s", counted(made.unsigned_abs(), "update")));
    for (series, values) in driver.history().all() {
        if let (Some((_, first)), Some((iteration, last))) = (values.first(), values.last()) {
            say(format_args!(
                "{:<26} {:>10} -> {:>10} at {iteration}",
                series.name(),
                short(*first),
                short(*last)
            ));
        }
    }
    say(format_args!("files in {}", folder.display()));
}
