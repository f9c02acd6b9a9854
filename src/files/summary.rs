//! Owns summary.json: what a run was, how it ended, and the first and last value of every series.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::atomic::{self, FileError};
use super::history_csv::number;
use crate::training::config::Config;
use crate::training::history::History;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::history::{Row, Series};

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
}
