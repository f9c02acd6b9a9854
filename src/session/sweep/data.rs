//! Owns [`Data`], what the tasks of many runs need from files.

use crate::files::atomic::FileError;
use crate::files::task_data;
use crate::numerics::tasks::{TaskData, TaskSettings};
use crate::training::plan::PlannedRun;

/// What the tasks of many runs need from files, each read once.
pub(super) struct Data(Vec<(TaskSettings, TaskData)>);

impl Data {
    /// Of some runs.
    ///
    /// # Errors
    /// The path and what is wrong with the file.
    pub fn of<'a>(runs: impl Iterator<Item = &'a PlannedRun>) -> Result<Self, FileError> {
        let mut all: Vec<(TaskSettings, TaskData)> = Vec::new();
        for run in runs {
            let task = &run.config.task.own;
            if !all.iter().any(|(known, _)| known == task) {
                all.push((task.clone(), task_data::load(task)?));
            }
        }
        Ok(Self(all))
    }

    /// That of a run, where it was read.
    pub fn known(&self, run: &PlannedRun) -> Option<&TaskData> {
        self.0.iter().find(|(known, _)| *known == run.config.task.own).map(|(_, data)| data)
    }

    /// That of a run; none where it was not read.
    pub fn get(&self, run: &PlannedRun) -> &TaskData {
        self.known(run).unwrap_or(&TaskData::None)
    }
}
