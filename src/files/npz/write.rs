//! Owns [`NpzWriter`]: arrays into an npz file, as numpy reads them without pickle.

use std::io::{self, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::npy;

/// Writes arrays one after the other: little-endian, row-major, not compressed (random weights do not
/// compress), without the time of day, so that equal arrays make equal files.
pub struct NpzWriter<W: Write + Seek> {
    zip: ZipWriter<UpToAnError<W>>,
}

/// Passes on what is written up to the first error and loses the rest in silence: an archive that is dropped
/// unfinished tries to write its end, and prints that it cannot, which whoever asked for the file knows already.
struct UpToAnError<W> {
    file: W,
    failed: bool,
    /// Where the file is, or would be had nothing been lost.
    at: u64,
    end: u64,
}

impl<W> UpToAnError<W> {
    fn or_lost<T>(&mut self, lost: T, act: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        if self.failed {
            return Ok(lost);
        }
        let done = act(&mut self.file);
        self.failed = done.as_ref().is_err_and(|e| e.kind() != io::ErrorKind::Interrupted);
        done
    }
}

impl<W: Write> Write for UpToAnError<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.or_lost(bytes.len(), |file| file.write(bytes))?;
        self.at += written as u64;
        self.end = self.end.max(self.at);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.or_lost((), Write::flush)
    }
}

impl<W: Seek> Seek for UpToAnError<W> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let lost = match to {
            io::SeekFrom::Start(at) => at,
            io::SeekFrom::Current(by) => self.at.saturating_add_signed(by),
            io::SeekFrom::End(by) => self.end.saturating_add_signed(by),
        };
        self.at = self.or_lost(lost, |file| file.seek(to))?;
        self.end = self.end.max(self.at);
        Ok(self.at)
    }
}

impl<W: Write + Seek> NpzWriter<W> {
    /// Starts an archive.
    pub fn new(file: W) -> Self {
        Self { zip: ZipWriter::new(UpToAnError { file, failed: false, at: 0, end: 0 }) }
    }

    /// Adds an array of f64.
    ///
    /// # Errors
    /// What the system says; a number of values that is not the product of the shape.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &[f64]) -> io::Result<()> {
        self.start(name, "<f8", shape, values.len())?;
        self.values(values, |v| v.to_le_bytes())
    }

    /// Adds an array [rows, columns] of f64 row by row, as f4 where `single` (every value then is one of f32).
    ///
    /// # Errors
    /// As [`NpzWriter::floats`].
    pub fn rows(
        &mut self,
        name: &str,
        shape: [usize; 2],
        single: bool,
        rows: impl Iterator<Item = Vec<f64>>,
    ) -> io::Result<()> {
        let descr = if single { "<f4" } else { "<f8" };
        self.start(name, descr, &shape, shape[0] * shape[1])?;
        let mut bytes = Vec::new();
        for row in rows {
            bytes.clear();
            for v in &row {
                if single {
                    bytes.extend((*v as f32).to_le_bytes());
                } else {
                    bytes.extend(v.to_le_bytes());
                }
            }
            self.zip.write_all(&bytes)?;
        }
        Ok(())
    }

    /// Adds an array of i64.
    ///
    /// # Errors
    /// As [`NpzWriter::floats`].
    pub fn whole(&mut self, name: &str, shape: &[usize], values: &[i64]) -> io::Result<()> {
        self.start(name, "<i8", shape, values.len())?;
        self.values(values, |v| v.to_le_bytes())
    }

    /// Adds text as u8 [bytes].
    ///
    /// # Errors
    /// As [`NpzWriter::floats`].
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.start(name, "|u1", &[text.len()], text.len())?;
        self.zip.write_all(text.as_bytes())
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> io::Result<()> {
        self.zip.finish()?.flush()
    }

    fn start(&mut self, name: &str, descr: &str, shape: &[usize], count: usize) -> io::Result<()> {
        if shape.iter().product::<usize>() != count {
            let message = format!("`{name}`: {count} values do not fill the shape {shape:?}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(count >= 1 << 28);
        self.zip.start_file(format!("{name}.npy"), options)?;
        self.zip.write_all(&npy::header(descr, shape))
    }

    fn values<T: Copy>(&mut self, values: &[T], bytes: impl Fn(T) -> [u8; 8]) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(8 * 4096);
        for piece in values.chunks(4096) {
            buffer.clear();
            piece.iter().for_each(|v| buffer.extend(bytes(*v)));
            self.zip.write_all(&buffer)?;
        }
        Ok(())
    }
}
