//! Owns [`State`], a run as a step of a lesson finds it, and computes it.

use std::sync::Arc;

use toml::{Table, Value};

use crate::engine::trail::Trail;
use crate::files::task_data;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::parallel::Workers;
use crate::session::lessons::StepRun;
use crate::session::runs::{Mark, MarkKind};
use crate::session::setting_words;
use crate::session::settings::{flat_value, put};
use crate::training::config::Config;
use crate::training::config::resolve::resolve;
use crate::training::driver::Driver;
use crate::training::history::{History, Series};
use crate::training::measures::Finding;
use crate::training::run::{Checkpoint, StopReason};

/// A run as a step finds it.
pub(super) struct State {
    pub given: Table,
    pub config: Config,
    pub checkpoint: Arc<Checkpoint>,
    pub history: History,
    pub trajectory: Trajectory,
    pub findings: Vec<Finding>,
    pub marks: Vec<Mark>,
    pub diverged: Option<StopReason>,
    /// Where a run that diverged can go back to.
    pub rewind: Option<Arc<Checkpoint>>,
}

/// Computes a state, with every measure at its cadence.
pub(super) fn reach(run: &StepRun, workers: &dyn Workers) -> Result<State, String> {
    let resolved = |given: &Table| resolve(given.clone()).map(|r| r.config).map_err(|e| e.to_string());
    let mut given = run.set.clone();
    let mut config = resolved(&given)?;
    let data = task_data::load(&config.task.own).map_err(|e| e.to_string())?;
    // A stretch ends as a run does, with its last measures.
    let until = |config: &Config, at: u64| Config { iterations: at, ..config.clone() };
    let first = run.change.as_ref().map_or(run.at, |change| change.at);
    let mut driver = Driver::start(&until(&config, first), &data).map_err(|e| e.to_string())?;
    let mut trail = Trail::default();
    let mut ended = to_end(&mut driver, &mut trail, workers);
    let mut marks = Vec::new();
    if let Some(change) = run.change.as_ref().filter(|_| ended == StopReason::Done) {
        for (key, value) in flat_value(&Value::Table(change.set.clone())) {
            marks.push(Mark {
                iteration: change.at as i64,
                text: format!("{} {}", setting_words::key(&key), setting_words::value(&key, &value)),
                kind: MarkKind::Changed,
                alters: true,
            });
            put(&mut given, &key, Some(value));
        }
        config = resolved(&given)?;
        let (checkpoint, history) = (driver.checkpoint(), driver.history().clone());
        let path = driver.trajectory().clone();
        driver = Driver::resume(&until(&config, run.at), &data, &checkpoint, history, path)
            .map_err(|e| e.to_string())?;
        ended = to_end(&mut driver, &mut trail, workers);
    }
    Ok(State {
        checkpoint: Arc::new(driver.checkpoint()),
        history: driver.history().clone(),
        trajectory: driver.trajectory().clone(),
        findings: driver.latest().values().cloned().collect(),
        marks,
        diverged: Some(ended).filter(|reason| matches!(reason, StopReason::Diverged { .. })),
        rewind: trail.rewind(),
        given,
        config,
    })
}

/// Keeps on the way what a run keeps that may diverge.
fn to_end(driver: &mut Driver, trail: &mut Trail, workers: &dyn Workers) -> StopReason {
    if driver.run().config().iterations == 0 {
        // Before the first update, with its measures.
        return driver.stop(workers);
    }
    loop {
        if trail.wants(driver.iteration()) {
            trail.keep(Arc::new(driver.checkpoint()));
        }
        let ended = driver.advance(workers);
        if let Some((iteration, loss)) = driver.history().series(Series::TrainLoss).last() {
            trail.note(*iteration, *loss);
        }
        if let Some(reason) = ended {
            return reason;
        }
    }
}
