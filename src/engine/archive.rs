//! Owns [`Archive`], every value of a run from its beginning, for files: what is old goes to disk.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};

use crate::training::history::{History, Row, Series};

/// Values kept in memory (24 MB); above it they are written to a temporary file without a name.
const MOST_IN_MEMORY: usize = 1 << 20;
/// Bytes of a value in the file: series, iteration, value.
const RECORD: usize = 17;

/// All rows of a run in the order in which they came. Where the disk takes none, they stay in memory.
#[derive(Debug)]
pub(super) struct Archive {
    old: Option<File>,
    /// Records in `old`.
    written: u64,
    new: Vec<Row>,
    most: usize,
}

impl Archive {
    /// Begins with what is already known of a run.
    pub fn new(history: &History) -> Self {
        Self::bounded(history, MOST_IN_MEMORY)
    }

    fn bounded(history: &History, most: usize) -> Self {
        let mut archive = Self { old: None, written: 0, new: Vec::new(), most };
        archive.take(history);
        archive
    }

    fn take(&mut self, history: &History) {
        for row in history.rows() {
            self.new.push(row);
            self.spill();
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.written + self.new.len() as u64
    }

    /// Adds rows.
    pub fn add(&mut self, rows: &[Row]) {
        self.new.extend_from_slice(rows);
        self.spill();
    }

    /// Writes what is in memory to disk where there is too much of it.
    fn spill(&mut self) {
        if self.new.len() < self.most {
            return;
        }
        match self.write() {
            Ok(()) => {
                self.written += self.new.len() as u64;
                self.new.clear();
            }
            // The disk is full or not there: not asked again before there is twice as much.
            Err(_) => self.most *= 2,
        }
    }

    fn write(&mut self) -> std::io::Result<()> {
        let file = match &mut self.old {
            Some(file) => file,
            None => self.old.insert(tempfile::tempfile()?),
        };
        // Behind the last whole record: an earlier attempt may have stopped within one.
        file.seek(std::io::SeekFrom::Start(self.written * RECORD as u64))?;
        let mut out = BufWriter::new(file);
        for row in &self.new {
            out.write_all(&record(row))?;
        }
        out.flush()
    }

    /// Everything, by series. What cannot be read back from disk is missing.
    pub fn history(&mut self) -> History {
        let mut history = History::default();
        if let Some(file) = &mut self.old
            && file.rewind().is_ok()
        {
            let mut file = BufReader::new(file);
            let mut bytes = [0; RECORD];
            for _ in 0..self.written {
                if file.read_exact(&mut bytes).is_err() {
                    break;
                }
                row(bytes).into_iter().for_each(|row| history.push(row));
            }
        }
        self.new.iter().for_each(|row| history.push(*row));
        history
    }

    /// Drops what lies after `iteration` (a rewound run).
    pub fn truncate_after(&mut self, iteration: i64) {
        let mut history = self.history();
        history.truncate_after(iteration);
        self.new.clear();
        self.written = 0;
        self.take(&history);
    }
}

fn record(row: &Row) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[0] = Series::ALL.iter().position(|s| *s == row.series).unwrap_or(0) as u8;
    bytes[1..9].copy_from_slice(&row.iteration.to_le_bytes());
    bytes[9..].copy_from_slice(&row.value.to_bits().to_le_bytes());
    bytes
}

fn row(bytes: [u8; RECORD]) -> Option<Row> {
    let word = |from: usize| bytes[from..from + 8].try_into().map(u64::from_le_bytes).ok();
    let series = *Series::ALL.get(usize::from(bytes[0]))?;
    Some(Row { iteration: word(1)? as i64, series, value: f64::from_bits(word(9)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: i64) -> Vec<Row> {
        let mut rows = Vec::new();
        for iteration in 0..n {
            rows.push(Row { iteration, series: Series::TrainLoss, value: 1.0 / iteration as f64 });
            if iteration % 10 == 0 {
                rows.push(Row { iteration, series: Series::LambdaMax, value: f64::NAN });
            }
        }
        rows
    }

    fn bits(history: &History) -> Vec<(Series, Vec<(i64, u64)>)> {
        history.all().map(|(s, v)| (s, v.iter().map(|(i, x)| (*i, x.to_bits())).collect())).collect()
    }

    #[test]
    fn what_went_to_disk_comes_back_to_the_last_bit() {
        let (mut small, mut large) =
            (Archive::bounded(&History::default(), 100), Archive::bounded(&History::default(), 1 << 20));
        for rows in rows(1000).chunks(7) {
            small.add(rows);
            large.add(rows);
        }
        assert!(small.new.len() < 100 && small.written > 900);
        assert!(large.old.is_none());
        assert_eq!(bits(&small.history()), bits(&large.history()));
        assert_eq!(small.history().series(Series::TrainLoss).len(), 1000);
        assert_eq!((small.len(), large.len()), (1100, 1100));
        small.truncate_after(499);
        large.truncate_after(499);
        assert_eq!(small.history().series(Series::TrainLoss).len(), 500);
        small.add(&rows(510)[550..]);
        large.add(&rows(510)[550..]);
        assert_eq!(bits(&small.history()), bits(&large.history()));
        let again = Archive::bounded(&small.history(), 64).history();
        assert_eq!(bits(&again), bits(&small.history()));
    }
}
