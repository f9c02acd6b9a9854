//! Owns how a table of texts is written as CSV.

use std::path::Path;

use super::atomic::{self, FileError};

/// Writes a header and rows; fields with commas or quotes are quoted.
///
/// # Errors
/// The path and what the system said; a row of another length than the header.
pub fn write(path: &Path, header: &[&str], rows: &[Vec<String>]) -> Result<(), FileError> {
    atomic::write(path, |file| {
        let mut csv = csv::Writer::from_writer(file);
        csv.write_record(header)?;
        rows.iter().try_for_each(|row| csv.write_record(row))?;
        csv.flush()
    })
}
