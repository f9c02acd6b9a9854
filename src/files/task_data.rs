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

/// Names the task's files in full, so that settings say the same from everywhere.
///
/// # Errors
/// The path, where the current folder is not known.
pub fn absolute_paths(settings: &mut TaskSettings) -> Result<(), FileError> {
    let paths: Vec<&mut String> = match settings {
        TaskSettings::File(task) => vec![&mut task.path],
        TaskSettings::SequentialMnist(task) => {
            let files = [&mut task.images, &mut task.labels, &mut task.test_images, &mut task.test_labels];
            files.into_iter().flatten().collect()
        }
        _ => Vec::new(),
    };
    for path in paths {
        let whole = std::path::absolute(&*path).map_err(|e| FileError::from_io(Path::new(path), &e))?;
        if let Some(text) = whole.to_str() {
            *path = text.into();
        }
    }
    Ok(())
}
