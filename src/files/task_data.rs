//! Owns [`load`]: what a task needs from files.

use std::path::Path;

use super::atomic::FileError;
use super::{digits, trials};
use crate::numerics::tasks::{TaskData, TaskSettings};

/// Reads what a task needs: digits, the user's own trials, or nothing.
///
/// # Errors
/// The path and what is wrong with the file.
pub fn load(settings: &TaskSettings) -> Result<TaskData, FileError> {
    match settings {
        TaskSettings::SequentialMnist(task) => {
            digits::for_task(task).map_err(|e| FileError { path: e.path.into(), problem: e.problem })
        }
        TaskSettings::File(task) => trials::load(Path::new(&task.path)),
        _ => Ok(TaskData::None),
    }
}
