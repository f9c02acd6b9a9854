//! Owns the digits of `sequential-mnist`: those embedded in the program, and the user's own files.

use std::fs::{self, File};
use std::io::Read;
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use super::atomic::reason;
use super::idx;
use crate::numerics::tasks::{Digits, SequentialMnist, TaskData};

/// A file of digits cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {problem}")]
pub struct DigitsError {
    /// The file.
    pub path: String,
    /// What is wrong with it, and what was expected.
    pub problem: String,
}

impl DigitsError {
    fn new(path: &str, problem: impl ToString) -> Self {
        Self { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Bytes of an idx file with the name that errors give it.
struct Source<'a> {
    name: &'a str,
    bytes: &'a [u8],
}

/// The digits that the task is configured to use: its files, or the embedded ones.
///
/// # Errors
/// A file that cannot be read or is not sound; pictures and labels that do not go together.
pub fn for_task(task: &SequentialMnist) -> Result<TaskData, DigitsError> {
    let SequentialMnist { images, labels, test_images, test_labels, .. } = task;
    match (images, labels, test_images, test_labels) {
        (Some(images), Some(labels), Some(test_images), Some(test_labels)) => Ok(TaskData::Digits {
            train: Arc::new(load(images, labels)?),
            test: Arc::new(load(test_images, test_labels)?),
        }),
        // `TaskSettings::check` refuses some without the others.
        _ => embedded(),
    }
}

/// Genuine MNIST digits, 6,000 to train on and 1,000 to test on, 28 x 28 (assets/digits/README.md).
///
/// # Errors
/// None in a program that was built whole.
pub fn embedded() -> Result<TaskData, DigitsError> {
    static READ: OnceLock<TaskData> = OnceLock::new();
    if let Some(data) = READ.get() {
        return Ok(data.clone());
    }
    let train = digits(
        Source {
            name: "embedded training pictures",
            bytes: include_bytes!("../../assets/digits/train-images-idx3-ubyte.gz"),
        },
        Source {
            name: "embedded training labels",
            bytes: include_bytes!("../../assets/digits/train-labels-idx1-ubyte.gz"),
        },
    )?;
    let test = digits(
        Source {
            name: "embedded test pictures",
            bytes: include_bytes!("../../assets/digits/t10k-images-idx3-ubyte.gz"),
        },
        Source {
            name: "embedded test labels",
            bytes: include_bytes!("../../assets/digits/t10k-labels-idx1-ubyte.gz"),
        },
    )?;
    let data = TaskData::Digits { train: Arc::new(train), test: Arc::new(test) };
    Ok(READ.get_or_init(|| data).clone())
}

/// What one idx or idx.gz file holds.
///
/// # Errors
/// A file that cannot be read or is not sound.
pub fn read(path: &str) -> Result<idx::Idx, DigitsError> {
    idx::read(&bytes_of(path)?).map_err(|e| DigitsError::new(path, e))
}

/// The digits of two idx or idx.gz files.
///
/// # Errors
/// As [`for_task`].
pub fn load(images: &str, labels: &str) -> Result<Digits, DigitsError> {
    let image_bytes = bytes_of(images)?;
    let label_bytes = bytes_of(labels)?;
    digits(Source { name: images, bytes: &image_bytes }, Source { name: labels, bytes: &label_bytes })
}

fn digits(images: Source<'_>, labels: Source<'_>) -> Result<Digits, DigitsError> {
    let pictures = idx::pictures(images.bytes).map_err(|e| DigitsError::new(images.name, e))?;
    let values = idx::labels(labels.bytes).map_err(|e| DigitsError::new(labels.name, e))?;
    if values.len() != pictures.count {
        let (found, expected) = (values.len(), pictures.count);
        let problem =
            format!("a count of {found}: expected {expected}, as many as pictures in {}", images.name);
        return Err(DigitsError::new(labels.name, problem));
    }
    let idx::Pictures { rows, columns, .. } = pictures;
    Digits::new(rows, columns, pictures.pixels, values)
        .ok_or_else(|| DigitsError::new(images.name, "pictures and labels that do not go together"))
}

/// The content of a regular file of a plausible size.
fn bytes_of(path: &str) -> Result<Vec<u8>, DigitsError> {
    let wrong = |problem: String| DigitsError::new(path, problem);
    let read = |e: std::io::Error| DigitsError::new(path, reason(&e));
    let meta = fs::metadata(path).map_err(read)?;
    if meta.is_dir() {
        return Err(wrong("a directory: expected an idx file".into()));
    }
    if !meta.is_file() {
        return Err(wrong("no regular file: expected an idx file".into()));
    }
    // Packed or not, a sound file is hardly larger than its data.
    let most = idx::MOST_BYTES + (1 << 20);
    if meta.len() > most {
        return Err(wrong(format!("{} bytes: expected at most {most}", meta.len())));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(read)?;
    Ok(bytes)
}
