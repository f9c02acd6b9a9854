//! Owns [`Npz`], an npz file open for reading.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::directory::{self, Entry};
use super::npy::Header;
use super::{Array, Data, EXPANSION, FREE_BYTES, NpzError, shape_text};
use crate::files::atomic::{self, FileError};

/// An npz file open for reading. Arrays are read one by one, when they are asked for.
pub struct Npz<R> {
    file: R,
    length: u64,
    members: BTreeMap<String, Entry>,
    budget: u64,
}

impl Npz<BufReader<File>> {
    /// Opens a file and reads its directory.
    ///
    /// # Errors
    /// The path and what is wrong.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = atomic::open(path)?;
        Self::new(BufReader::new(file)).map_err(|e| FileError::new(path, e))
    }
}

impl<R: Read + Seek> Npz<R> {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// Not a zip archive, or a damaged one.
    pub fn new(mut file: R) -> Result<Self, NpzError> {
        let length = file.seek(SeekFrom::End(0)).map_err(|e| NpzError::Io(atomic::reason(&e)))?;
        let members = directory::members(&mut file, length)?;
        let budget = FREE_BYTES.saturating_add(length.saturating_mul(EXPANSION));
        Ok(Self { file, length, members, budget })
    }

    /// The names of all arrays.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Reads one array.
    ///
    /// # Errors
    /// It is missing, damaged, of a type that is not read, or larger than the file can justify.
    pub fn read(&mut self, name: &str) -> Result<Array, NpzError> {
        let budget = self.budget;
        let (array, memory) = self.member(name, |source, entry| unpack(source, entry, budget))?;
        self.budget -= memory;
        Ok(array)
    }

    /// The shape that one array declares.
    ///
    /// # Errors
    /// It is missing, or its header is damaged.
    pub fn shape(&mut self, name: &str) -> Result<Vec<usize>, NpzError> {
        self.member(name, |mut source, _| Header::read(&mut source).map(|(header, _)| header.shape))
    }

    fn member<T>(
        &mut self,
        name: &str,
        use_it: impl FnOnce(&mut dyn Read, &Entry) -> Result<T, String>,
    ) -> Result<T, NpzError> {
        let Some(entry) = self.members.get(name).copied() else {
            return Err(NpzError::member(name, "is missing"));
        };
        let at = |problem: String| NpzError::member(name, problem);
        let start = entry.data_start(&mut self.file, self.length).map_err(|e| at(e.to_string()))?;
        self.file.seek(SeekFrom::Start(start)).map_err(|e| at(atomic::reason(&e)))?;
        let mut packed = (&mut self.file).take(entry.compressed);
        if entry.deflated {
            use_it(&mut DeflateDecoder::new(BufReader::new(packed)), &entry).map_err(at)
        } else {
            use_it(&mut packed, &entry).map_err(at)
        }
    }

    /// One array as f64 of exactly this shape; `what` says what its sizes are, such as `[N, n_in]`.
    ///
    /// # Errors
    /// As [`Npz::read`]; another shape.
    pub fn floats(&mut self, name: &str, shape: &[usize], what: &str) -> Result<Vec<f64>, NpzError> {
        let array = self.read(name)?;
        same_shape(name, &array.shape, shape, what)?;
        Ok(array.data.into_floats())
    }

    /// The same, where every value has to be finite.
    ///
    /// # Errors
    /// As [`Npz::floats`]; the first value that is not finite.
    pub fn finite(&mut self, name: &str, shape: &[usize], what: &str) -> Result<Vec<f64>, NpzError> {
        let values = self.floats(name, shape, what)?;
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => {
                let problem = format!("value {i} is {}: expected finite numbers", values[i]);
                Err(NpzError::member(name, problem))
            }
            None => Ok(values),
        }
    }

    /// A single number.
    ///
    /// # Errors
    /// As [`Npz::floats`].
    pub fn number(&mut self, name: &str) -> Result<f64, NpzError> {
        let values = self.floats(name, &[], "a single number")?;
        values.first().copied().ok_or_else(|| NpzError::member(name, "is a string: expected a single number"))
    }

    /// Text, kept as UTF-8 in u8 or as a single string of numpy.
    ///
    /// # Errors
    /// As [`Npz::read`]; neither u8 [bytes] nor a string, not UTF-8.
    pub fn text(&mut self, name: &str) -> Result<String, NpzError> {
        match self.read(name)? {
            Array { data: Data::Bytes(bytes), shape } if shape.len() <= 1 => {
                String::from_utf8(bytes).map_err(|_| NpzError::member(name, "is not UTF-8 text"))
            }
            Array { data: Data::Text(text), .. } => Ok(text),
            array => {
                let found = shape_text(&array.shape);
                let problem = format!("has the shape {found}: expected u8 [bytes], or a single string");
                Err(NpzError::member(name, problem))
            }
        }
    }
}

/// Whether two shapes are the same.
pub(crate) fn same_shape(name: &str, found: &[usize], wanted: &[usize], what: &str) -> Result<(), NpzError> {
    if found == wanted {
        return Ok(());
    }
    let (found, wanted) = (shape_text(found), shape_text(wanted));
    Err(NpzError::member(name, format!("has the shape {found}: expected {wanted}, {what}")))
}

/// Reads the array of one member; gives it with the memory it took.
fn unpack(source: impl Read, entry: &Entry, budget: u64) -> Result<(Array, u64), String> {
    let mut source = Summed { source, crc: Crc::new() };
    let (header, length) = Header::read(&mut source)?;
    let declared = length.checked_add(header.bytes());
    if declared != Some(entry.uncompressed) {
        return Err(format!(
            "declares the shape {}, {} bytes of values, but has {}",
            shape_text(&header.shape),
            header.bytes(),
            entry.uncompressed.saturating_sub(length)
        ));
    }
    let memory = header.memory();
    if memory > budget {
        return Err(format!(
            "declares the shape {}: more than a file of this size can justify",
            shape_text(&header.shape)
        ));
    }
    let data = header.values(&mut source)?;
    if source.crc.sum() != entry.crc {
        return Err("has another checksum than the archive says: it is damaged".into());
    }
    Ok((Array { shape: header.shape, data }, memory))
}

/// A reader that sums up what it gives.
struct Summed<R> {
    source: R,
    crc: Crc,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.crc.update(&buffer[..n]);
        Ok(n)
    }
}
