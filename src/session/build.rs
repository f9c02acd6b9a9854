//! Owns how a session gets its runs: the task's data from files, the trainer from the settings.

use std::sync::Arc;

use crate::engine::run_worker::Made;
use crate::files::task_data;
use crate::training::config::Config;
use crate::training::run::Checkpoint;
use crate::training::{given_trials, measures, trainer};

/// Builds a run from its settings, fresh or from a checkpoint; called on the run's own thread.
pub type Build = Arc<dyn Fn(&Config, Option<&Checkpoint>) -> Result<Made, String> + Send + Sync>;

/// Runs of the real trainer.
pub fn trainers() -> Build {
    Arc::new(|config, from| {
        let data = task_data::load(&config.task.own).map_err(|e| e.to_string())?;
        let run = match from {
            Some(checkpoint) => trainer::resume(config, &data, checkpoint),
            None => trainer::start(config, &data),
        };
        let run = run.map_err(|e| e.to_string())?;
        let mut measurer = measures::measurer(config, &data).map_err(|e| e.to_string())?;
        if let Some(checkpoint) = from {
            measurer.restore(checkpoint);
        }
        let mut warnings = given_trials::warnings(config, &data);
        warnings.extend(run.warnings().iter().cloned());
        Ok(Made { warnings, ..Made::fresh(run, Some(measurer)) })
    })
}
