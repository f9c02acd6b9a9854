//! Owns history.csv: every value of every series, tidy.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::atomic::{self, FileError};
use crate::training::history::{History, Row, Series};

/// Most bytes of a history that are read.
const MOST: u64 = 1 << 32;
/// The first line.
const HEADER: &str = "iteration,series,value";
/// Bytes that hold the longest row.
const LONGEST_ROW: u64 = 256;

/// Writes `iteration,series,value`, in the order of iterations and then of series. What was not measured has
/// no row; a value reads back with the same bits, or is `nan`, `inf`, `-inf`.
///
/// # Errors
/// The path and what the system said.
pub fn write(path: &Path, history: &History) -> Result<(), FileError> {
    atomic::write(path, |file| write_to(file, history))
}

fn write_to(file: &mut impl Write, history: &History) -> io::Result<()> {
    let all = history.all();
    let mut rows: Vec<Row> = all
        .flat_map(|(series, values)| {
            values.iter().map(move |(iteration, value)| Row { iteration: *iteration, series, value: *value })
        })
        .collect();
    // Stable: within one iteration the order of the series stays.
    rows.sort_by_key(|r| r.iteration);
    writeln!(file, "{HEADER}")?;
    for Row { iteration, series, value } in rows {
        writeln!(file, "{iteration},{},{}", series.name(), number(value))?;
    }
    Ok(())
}

/// The end of a history, as its few last bytes say.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// No rows.
    Empty,
    /// Series, iteration and value of the last row.
    Row(String, i64, f64),
    /// Not a whole row, or no history.
    Cut,
}

/// Reads the last row of a history, and nothing else of it.
///
/// # Errors
/// The path and what the system said.
pub fn end(path: &Path) -> Result<End, FileError> {
    let failed = |e: &io::Error| FileError::from_io(path, e);
    let mut file = atomic::open(path)?;
    let length = file.seek(SeekFrom::End(0)).map_err(|e| failed(&e))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_ROW))).map_err(|e| failed(&e))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_ROW).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    let row = |text: &str| {
        let line = text.strip_suffix('\n')?.rsplit('\n').next()?;
        if line == HEADER {
            return Some(End::Empty);
        }
        let mut fields = line.split(',');
        let (iteration, series) = (fields.next()?.parse().ok()?, fields.next()?.to_owned());
        Some(End::Row(series, iteration, fields.next()?.parse().ok()?))
    };
    Ok(std::str::from_utf8(&bytes).ok().and_then(row).unwrap_or(End::Cut))
}

/// Reads the series that are `wanted`, with every bit.
///
/// # Errors
/// The path, the line and what was expected.
pub fn read(path: &Path, wanted: &[Series]) -> Result<History, FileError> {
    let text = atomic::read_text(path, MOST)?;
    let mut history = History::default();
    for (number, line) in (1..).zip(text.lines()).skip(1) {
        let mut fields = line.split(',');
        let mut row = || {
            let iteration = fields.next()?.parse().ok()?;
            let series: Series = fields.next()?.parse().ok()?;
            Some(Row { iteration, series, value: fields.next()?.parse().ok()? })
        };
        match row() {
            Some(row) if wanted.contains(&row.series) => history.push(row),
            Some(_) => {}
            None => {
                let problem = format!("line {number}: expected iteration,series,value");
                return Err(FileError::new(path, problem));
            }
        }
    }
    Ok(history)
}

/// A value as numpy, pandas and R read it, with every digit that it needs.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        "nan".into()
    } else if value.is_infinite() {
        if value > 0.0 { "inf".into() } else { "-inf".into() }
    } else if value == 0.0 || (1e-4..1e15).contains(&value.abs()) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_tidy_and_in_order() {
        let mut history = History::default();
        for (iteration, series, value) in [
            (-1, Series::FlossingLoss, 0.25),
            (0, Series::TrainLoss, 0.1 + 0.2),
            (1, Series::TrainLoss, f64::NAN),
            (0, Series::LambdaMax, f64::NEG_INFINITY),
            (1, Series::LambdaMax, 1e-20),
        ] {
            history.push(Row { iteration, series, value });
        }
        let mut text = Vec::new();
        write_to(&mut text, &history).expect("written");
        assert_eq!(
            String::from_utf8(text).expect("UTF-8"),
            "iteration,series,value\n-1,flossing_loss,0.25\n0,train_loss,0.30000000000000004\n\
             0,lambda_max,-inf\n1,train_loss,nan\n1,lambda_max,1e-20\n"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.csv");
        write(&path, &history).expect("written");
        let read_back = read(&path, &[Series::LambdaMax, Series::FlossingLoss]).expect("a history");
        assert_eq!(read_back.series(Series::LambdaMax), history.series(Series::LambdaMax));
        assert_eq!(read_back.series(Series::FlossingLoss), [(-1, 0.25)]);
        assert_eq!(read_back.series(Series::TrainLoss), []);
        assert_eq!(end(&path).expect("read"), End::Row("lambda_max".into(), 1, 1e-20));
        let whole = atomic::read_text(&path, MOST).expect("read");
        for (cut, expected) in [
            (&whole[..whole.len() - 1], End::Cut),
            (&whole[..whole.len() - 20], End::Cut),
            ("", End::Cut),
            ("iteration,series,value\n", End::Empty),
            ("some other\nfile of lines\n", End::Cut),
        ] {
            atomic::write_text(&path, cut).expect("written");
            assert_eq!(end(&path).expect("read"), expected, "{cut}");
        }
        atomic::write_text(&path, "iteration,series,value\n1,train_loss\n").expect("written");
        assert!(read(&path, &[]).expect_err("cut").to_string().contains("line 2"));
    }

    #[test]
    fn every_number_reads_back() {
        let mut bits = 1u64;
        for _ in 0..10_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits);
            let read: f64 = number(value).parse().expect("a number");
            assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
        }
    }
}
