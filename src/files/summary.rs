//! Owns summary.json: what a run was, how it ended, and the first and last value of every series.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

use super::atomic::{self, FileError};
use super::history_csv::number;
use crate::training::config::Config;
use crate::training::history::{History, Series};
use crate::training::run::StopReason;

/// The name of the program, as files give it.
pub const PROGRAM: &str = env!("CARGO_PKG_NAME");
/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The content of summary.json.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The program's name.
    pub program: &'static str,
    /// Its version.
    pub version: &'static str,
    /// [`Config::fingerprint`] of the settings.
    pub settings_hash: String,
    /// Why the run ended.
    pub stop: StopReason,
    /// Updates made.
    pub iteration: i64,
    /// First and last value of every series, by name.
    pub series: BTreeMap<&'static str, Ends>,
    /// Seconds that the run took, those before a snapshot it went on from left out.
    pub wall_seconds: f64,
    /// What has no effect or may surprise.
    pub warnings: Vec<String>,
}

/// First and last value of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ends {
    /// The first.
    pub first: Point,
    /// The last.
    pub last: Point,
    /// How many values there are.
    pub count: usize,
}

/// A value with its iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Updates made.
    pub iteration: i64,
    /// The value; JSON knows no NaN and no infinity, they are the words `nan`, `inf`, `-inf`.
    #[serde(serialize_with = "value_or_word")]
    pub value: f64,
}

impl Point {
    /// Whether this is the value, with every bit; any NaN is any other, as in files.
    fn is(self, iteration: i64, value: f64) -> bool {
        let same = self.value.to_bits() == value.to_bits() || (self.value.is_nan() && value.is_nan());
        same && self.iteration == iteration
    }
}

fn value_or_word<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { to.serialize_f64(*value) } else { to.serialize_str(&number(*value)) }
}

impl Summary {
    /// The summary of a run that has ended.
    pub fn new(
        config: &Config,
        stop: StopReason,
        iteration: i64,
        history: &History,
        wall_seconds: f64,
        warnings: Vec<String>,
    ) -> Self {
        let ends = |values: &[(i64, f64)]| {
            let point = |(iteration, value): &(i64, f64)| Point { iteration: *iteration, value: *value };
            Some(Ends { first: point(values.first()?), last: point(values.last()?), count: values.len() })
        };
        Self {
            program: PROGRAM,
            version: VERSION,
            settings_hash: config.fingerprint(),
            stop,
            iteration,
            series: history.all().filter_map(|(s, v)| Some((s.name(), ends(v)?))).collect(),
            wall_seconds,
            warnings,
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// The path and what the system said.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let mut text = serde_json::to_string_pretty(self).map_err(|e| FileError::new(path, e))?;
        text.push('\n');
        atomic::write_text(path, &text)
    }
}

/// How a run ended, read from its summary.json with every bit.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// [`Config::fingerprint`] of its settings.
    pub settings_hash: String,
    /// Why it ended.
    pub stop: StopReason,
    /// Updates made.
    pub iteration: i64,
    /// Seconds that it took.
    pub wall_seconds: f64,
    /// First and last value of every series.
    series: BTreeMap<String, Ends>,
}

/// Most bytes of a summary that are read.
const MOST: u64 = 1 << 20;

#[derive(Deserialize)]
struct Head {
    settings_hash: String,
    stop: StopReason,
    iteration: i64,
    wall_seconds: f64,
}

#[derive(Deserialize)]
struct Curves {
    series: BTreeMap<String, EndsText>,
}

#[derive(Deserialize)]
struct EndsText {
    first: PointText,
    last: PointText,
    count: String,
}

#[derive(Deserialize)]
struct PointText {
    iteration: String,
    value: String,
}

impl PointText {
    fn point(&self) -> Option<Point> {
        Some(Point { iteration: self.iteration.parse().ok()?, value: self.value.parse().ok()? })
    }
}

impl Ended {
    /// Reads a summary; `None` where there is no whole one.
    pub fn read(path: &Path) -> Option<Self> {
        let text = atomic::read_text(path, MOST).ok()?;
        let Head { settings_hash, stop, iteration, wall_seconds } = serde_json::from_str(&text).ok()?;
        let Curves { series } = serde_json::from_str(&numbers_as_text(&text)).ok()?;
        let ends = |(name, EndsText { first, last, count }): (String, EndsText)| {
            let ends = Ends { first: first.point()?, last: last.point()?, count: count.parse().ok()? };
            Some((name, ends))
        };
        let series = series.into_iter().map(ends).collect::<Option<_>>()?;
        Some(Self { settings_hash, stop, iteration, wall_seconds, series })
    }

    /// First and last value of a series.
    pub fn ends(&self, series: Series) -> Option<(f64, f64)> {
        self.series.get(series.name()).map(|ends| (ends.first.value, ends.last.value))
    }

    /// Whether a history ends with the row that the last one of this run is, by its series, iteration and value. Rows
    /// are in the order of iterations, and then of series; `None` is a history without rows.
    pub fn ends_with(&self, row: Option<(&str, i64, f64)>) -> bool {
        let order = |name: &str| Series::ALL.iter().position(|s| s.name() == name);
        let last = self.series.iter().max_by_key(|(name, ends)| (ends.last.iteration, order(name)));
        match (last, row) {
            (None, None) => true,
            (Some((expected, ends)), Some((name, iteration, value))) => {
                expected == name && ends.last.is(iteration, value)
            }
            _ => false,
        }
    }

    /// Whether some series of a history are those of this run: first and last value, and how many.
    ///
    /// # Errors
    /// The first that is not, with what it is and what was expected.
    pub fn agrees(&self, history: &History, wanted: &[Series]) -> Result<(), String> {
        for series in wanted {
            let (name, found) = (series.name(), history.series(*series));
            let (first, last, ends) = match (found.first(), found.last(), self.series.get(name)) {
                (Some(first), Some(last), Some(ends)) => (first, last, ends),
                (None, _, None) => continue,
                (None, _, Some(Ends { count, .. })) => {
                    return Err(format!("has no `{name}`, expected {count} values"));
                }
                (Some(_), _, None) => return Err(format!("has `{name}`, expected none")),
                (Some(_), None, _) => continue,
            };
            for (verb, (iteration, value), expected) in
                [("ends", last, ends.last), ("begins", first, ends.first)]
            {
                if !expected.is(*iteration, *value) {
                    return Err(format!(
                        "`{name}` {verb} with {} at iteration {iteration}, expected {} at iteration {}",
                        number(*value),
                        number(expected.value),
                        expected.iteration
                    ));
                }
            }
            if found.len() != ends.count {
                return Err(format!("`{name}` has {} values, expected {}", found.len(), ends.count));
            }
        }
        Ok(())
    }

    /// Why it ended, in one word.
    pub fn reason(&self) -> &'static str {
        match self.stop {
            StopReason::Done => "done",
            StopReason::LossReached => "loss-reached",
            StopReason::AccuracyReached => "accuracy-reached",
            StopReason::Plateau => "plateau",
            StopReason::Stopped => "stopped",
            StopReason::Undefined { .. } => "undefined",
            StopReason::Diverged { .. } => "diverged",
        }
    }
}

/// Puts every number of a JSON text in quotes: a JSON reader may lose the last bit of a number, `f64`'s own
/// never does.
fn numbers_as_text(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let (mut in_string, mut escaped, mut in_number) = (false, false, false);
    for c in json.chars() {
        let digit = !in_string && (c.is_ascii_digit() || "+-.eE".contains(c));
        // Of the words of JSON, `true` and `false` have an e, but none begins with a digit or a sign.
        let begins = digit && !in_number && (c.is_ascii_digit() || c == '-');
        if begins || (in_number && !digit) {
            out.push('"');
            in_number = begins;
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::history::Row;

    #[test]
    fn a_summary_has_the_ends_of_every_series() {
        let mut history = History::default();
        for (iteration, value) in [(0, 1.0), (1, 0.5), (2, f64::NAN)] {
            history.push(Row { iteration, series: Series::TrainLoss, value });
        }
        let config = Config::preset("romo").expect("a preset");
        let stop =
            StopReason::Diverged { iteration: 2, quantity: "training loss".into(), value: "NaN".into() };
        let summary = Summary::new(&config, stop, 2, &history, 0.5, vec!["a warning".into()]);
        let json = serde_json::to_value(&summary).expect("JSON");
        assert_eq!(json["series"]["train_loss"]["first"]["value"], 1.0);
        assert_eq!(json["series"]["train_loss"]["last"], serde_json::json!({"iteration": 2, "value": "nan"}));
        assert_eq!(json["stop"]["reason"], "diverged");
        assert_eq!(json["stop"]["quantity"], "training loss");
        assert_eq!(json["settings_hash"], config.fingerprint());
    }

    #[test]
    fn a_summary_reads_back_with_every_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summary.json");
        let config = Config::preset("romo").expect("a preset");
        let mut bits = 7u64;
        let mut history = History::default();
        for iteration in 0..400 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for (k, series) in Series::ALL.iter().enumerate() {
                let value = f64::from_bits(bits.rotate_left(k as u32));
                history.push(Row { iteration, series: *series, value });
            }
            let stop = StopReason::Diverged {
                iteration: 7,
                quantity: "a \\ \"loss\" -1e5".into(),
                value: "NaN".into(),
            };
            Summary::new(&config, stop.clone(), iteration, &history, 0.1 + 0.2, vec!["3 \"x\"".into()])
                .write(&path)
                .expect("written");
            let ended = Ended::read(&path).expect("whole");
            assert_eq!((ended.iteration, &ended.stop), (iteration, &stop));
            assert_eq!(ended.settings_hash, config.fingerprint());
            for series in Series::ALL {
                let values = history.series(*series);
                let (first, last) = ended.ends(*series).expect("in the summary");
                for (read, (_, value)) in [(first, values[0]), (last, values[values.len() - 1])] {
                    assert!(read.to_bits() == value.to_bits() || (read.is_nan() && value.is_nan()));
                }
            }
        }
        let text = atomic::read_text(&path, MOST).expect("read");
        for end in [0, 1, text.len() / 2, text.len() - 3] {
            atomic::write_text(&path, &text[..end]).expect("written");
            assert_eq!(Ended::read(&path), None);
        }
        assert_eq!(Ended::read(&folder.path().join("none")), None);
    }
}
