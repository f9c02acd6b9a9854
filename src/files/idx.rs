//! Owns the idx format: bytes of a file, gzip-compressed or not, to pictures or labels.
//!
//! Big-endian: u32 magic number 0x00000803, u32 count, u32 rows, u32 columns, then one byte a pixel, row by
//! row; or u32 magic number 0x00000801, u32 count, then one byte a label.

use std::fmt;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use thiserror::Error;

/// Most bytes of pixels or labels: five times the full MNIST training pictures.
pub const MOST_BYTES: u64 = 1 << 28;

/// Most rows, and most columns, of a picture.
pub const MOST_SIDE: u32 = 1024;

const PICTURES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
/// Magic number of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What an idx file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idx {
    /// Pictures, grey 0 to 255.
    Pictures(Pictures),
    /// Labels, each 0 to 9.
    Labels(Vec<u8>),
}

impl fmt::Display for Idx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Idx::Pictures(Pictures { count, rows, columns, .. }) => {
                write!(f, "{count} pictures of {rows} x {columns} pixels")
            }
            Idx::Labels(labels) => write!(f, "{} labels", labels.len()),
        }
    }
}

/// Pictures of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// How many.
    pub count: usize,
    /// Rows of each.
    pub rows: usize,
    /// Columns of each.
    pub columns: usize,
    /// Pixels [count, rows, columns].
    pub pixels: Vec<u8>,
}

/// Why bytes are no sound idx file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum IdxError {
    #[error("the file is empty: expected idx pictures or labels")]
    Empty,
    #[error("magic number 0x{found:08x}: expected 0x00000803 (pictures) or 0x00000801 (labels)")]
    Magic { found: u32 },
    #[error("these are labels: expected pictures (magic number 0x00000803)")]
    NotPictures,
    #[error("these are pictures: expected labels (magic number 0x00000801)")]
    NotLabels,
    #[error("the header ends after {found} bytes: expected {expected}")]
    Header { found: usize, expected: usize },
    #[error("a count of 0: expected at least 1")]
    NoneAtAll,
    #[error("pictures of {rows} x {columns} pixels: expected 1 to {MOST_SIDE} each way")]
    Side { rows: u32, columns: u32 },
    #[error("the header announces {declared} bytes of data: expected at most {MOST_BYTES}")]
    TooLarge { declared: u64 },
    #[error("truncated: {found} bytes of data, expected the {declared} that the header announces")]
    Truncated { found: u64, declared: u64 },
    #[error("bytes follow the data: expected only the {declared} that the header announces")]
    Trailing { declared: u64 },
    #[error("label {value} at place {place}: expected 0 to 9")]
    Label { place: usize, value: u8 },
    #[error("damaged gzip data ({0})")]
    Gzip(String),
}

/// Reads the bytes of an idx or idx.gz file.
///
/// Takes memory in proportion to what the bytes really hold, whatever the header announces; a gzip file that
/// unpacks to more than announced is refused after one byte too many.
///
/// # Errors
/// Everything that is not a whole, sound file of pictures or labels, without bytes left over.
pub fn read(bytes: &[u8]) -> Result<Idx, IdxError> {
    if bytes.is_empty() {
        return Err(IdxError::Empty);
    }
    if bytes.starts_with(&GZIP) { read_from(MultiGzDecoder::new(bytes)) } else { read_from(bytes) }
}

/// Reads the bytes of a file of pictures.
///
/// # Errors
/// As [`read`], and where the file holds labels.
pub fn pictures(bytes: &[u8]) -> Result<Pictures, IdxError> {
    match read(bytes)? {
        Idx::Pictures(pictures) => Ok(pictures),
        Idx::Labels(_) => Err(IdxError::NotPictures),
    }
}

/// Reads the bytes of a file of labels.
///
/// # Errors
/// As [`read`], and where the file holds pictures.
pub fn labels(bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    match read(bytes)? {
        Idx::Labels(labels) => Ok(labels),
        Idx::Pictures(_) => Err(IdxError::NotLabels),
    }
}

fn read_from(mut source: impl Read) -> Result<Idx, IdxError> {
    let [magic] = header(&mut source, 0)?;
    match magic {
        PICTURES => {
            let [count, rows, columns] = header(&mut source, 4)?;
            if count == 0 {
                return Err(IdxError::NoneAtAll);
            }
            let sides = 1..=MOST_SIDE;
            if !(sides.contains(&rows) && sides.contains(&columns)) {
                return Err(IdxError::Side { rows, columns });
            }
            // At most 2^32 * 2^20.
            let pixels = data(source, u64::from(count) * u64::from(rows) * u64::from(columns))?;
            let [count, rows, columns] = [count, rows, columns].map(|n| n as usize);
            Ok(Idx::Pictures(Pictures { count, rows, columns, pixels }))
        }
        LABELS => {
            let [count] = header(&mut source, 4)?;
            if count == 0 {
                return Err(IdxError::NoneAtAll);
            }
            let labels = data(source, u64::from(count))?;
            match labels.iter().position(|label| *label > 9) {
                Some(place) => Err(IdxError::Label { place, value: labels[place] }),
                None => Ok(Idx::Labels(labels)),
            }
        }
        found => Err(IdxError::Magic { found }),
    }
}

/// The next `N` words of the header, which begin after `before` bytes.
fn header<const N: usize>(source: &mut impl Read, before: usize) -> Result<[u32; N], IdxError> {
    let mut bytes = Vec::with_capacity(4 * N);
    source.take(4 * N as u64).read_to_end(&mut bytes).map_err(gzip)?;
    if bytes.len() < 4 * N {
        return Err(IdxError::Header { found: before + bytes.len(), expected: before + 4 * N });
    }
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    Ok(words)
}

/// All the rest, which has to be `declared` bytes.
fn data(source: impl Read, declared: u64) -> Result<Vec<u8>, IdxError> {
    if declared > MOST_BYTES {
        return Err(IdxError::TooLarge { declared });
    }
    // Nothing is reserved on the header's word: the vector grows with what comes. The byte more shows whether
    // something follows, and makes the decoder check its sum at the end.
    let mut bytes = Vec::new();
    source.take(declared + 1).read_to_end(&mut bytes).map_err(gzip)?;
    let found = bytes.len() as u64;
    if found < declared {
        return Err(IdxError::Truncated { found, declared });
    }
    if found > declared {
        return Err(IdxError::Trailing { declared });
    }
    Ok(bytes)
}

/// Reading from memory fails only in the decoder.
fn gzip(error: io::Error) -> IdxError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => IdxError::Gzip("it ends early".into()),
        _ => IdxError::Gzip(error.to_string()),
    }
}
