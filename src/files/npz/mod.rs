//! Owns the npz format: zip archives of .npy arrays, as `numpy.savez` writes and `numpy.load` reads them.
//!
//! Reading never takes more memory than the file can justify: sizes are checked against the file before
//! anything is allocated, compressed data is decoded piece by piece, and all arrays of a file together may
//! take [`FREE_BYTES`] + [`EXPANSION`] times its size.

mod directory;
mod npy;
mod read;
mod write;

pub use read::Npz;
pub(crate) use read::same_shape;
pub use write::NpzWriter;

use thiserror::Error;

/// Bytes that the arrays of any file may take, however well it is compressed.
pub const FREE_BYTES: u64 = 64 << 20;

/// How many times its size the arrays of a file may take beyond that. Deflate reaches 1,032 on zeros; real
/// inputs (one-hot, blank margins) stay below this.
pub const EXPANSION: u64 = 32;

/// Values of an array, as wide as they need.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// f2, f4, f8.
    Floats(Vec<f64>),
    /// Integers and truth values, all but u1.
    Whole(Vec<i64>),
    /// u1.
    Bytes(Vec<u8>),
    /// A single string: no numbers.
    Text(String),
}

impl Data {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Data::Floats(v) => v.len(),
            Data::Whole(v) => v.len(),
            Data::Bytes(v) => v.len(),
            Data::Text(_) => 0,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As f64; integers up to 2^53 exactly.
    pub fn into_floats(self) -> Vec<f64> {
        match self {
            Data::Floats(v) => v,
            Data::Whole(v) => v.into_iter().map(|n| n as f64).collect(),
            Data::Bytes(v) => v.into_iter().map(f64::from).collect(),
            Data::Text(_) => Vec::new(),
        }
    }

    /// As i64; `None` where a value is not a whole number of that size.
    pub fn into_whole(self) -> Option<Vec<i64>> {
        match self {
            Data::Floats(v) => {
                let whole = |x: f64| (x.fract() == 0.0 && x.abs() <= 9e15).then_some(x as i64);
                v.into_iter().map(whole).collect()
            }
            Data::Whole(v) => Some(v),
            Data::Bytes(v) => Some(v.into_iter().map(i64::from).collect()),
            Data::Text(_) => None,
        }
    }
}

/// An array: row-major values and their shape, [] for a single number.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes.
    pub shape: Vec<usize>,
    /// Values.
    pub data: Data,
}

/// Why a file is no sound npz file, or lacks what was asked for.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NpzError {
    /// Not a zip archive, or a damaged one.
    #[error("{0}")]
    Archive(String),
    /// A member cannot be used.
    #[error("member `{name}`: {problem}")]
    Member {
        /// Its name, without `.npy`.
        name: String,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// The system could not read the file.
    #[error("{0}")]
    Io(String),
}

impl NpzError {
    pub(crate) fn archive(problem: impl ToString) -> Self {
        Self::Archive(problem.to_string())
    }

    pub(crate) fn member(name: &str, problem: impl ToString) -> Self {
        Self::Member { name: name.escape_debug().collect(), problem: problem.to_string() }
    }
}

/// A shape as it is written: `[3, 4]`.
pub fn shape_text(shape: &[usize]) -> String {
    format!("{shape:?}")
}
