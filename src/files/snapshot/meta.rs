//! Owns `meta_json`, what a snapshot says of itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Table;

use super::read::ITERATIONS;
use super::{FORMAT, Snapshot};
use crate::files::npz::NpzError;
use crate::files::summary::{PROGRAM, VERSION};
use crate::numerics::random::Stream;
use crate::numerics::trials::{LossKind, Target};

/// The unit of each member that has one.
const UNITS: &[(&str, &str)] = &[
    ("flossing_loss", "(nats per step)^2"),
    ("iteration", "updates"),
    ("loss", "half mean squared error, or nats (cross-entropy), per weighted step"),
    ("lyapunov", "nats per step"),
    ("lyapunov_per_trial", "nats per step"),
    ("lyapunov_skip", "steps"),
    ("network.adaptive.tau", "steps"),
];

#[derive(Serialize)]
struct Meta<'a> {
    format: i64,
    program: Program,
    config: serde_json::Value,
    iteration: i64,
    seed: u64,
    notes: &'a [String],
    units: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
struct Program {
    name: &'static str,
    version: &'static str,
}

/// What `meta_json` says, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(super) struct ReadMeta {
    #[serde(default = "this_format")]
    pub format: i64,
    pub config: serde_json::Value,
    #[serde(default)]
    pub iteration: i64,
    #[serde(default)]
    pub notes: Vec<String>,
}

/// `resume_json`: what going on needs and is no array.
#[derive(Serialize, Deserialize)]
pub(super) struct ReadResume {
    /// Settings to the last digit, as TOML.
    pub config: String,
    pub streams: BTreeMap<String, Stream>,
    /// Iterations between two states of the path.
    pub path_space: i64,
}

pub(super) fn write(snapshot: &Snapshot) -> Result<String, serde_json::Error> {
    let mut config = serde_json::to_value(snapshot.config.to_table())?;
    // Where the data decide (`file`), the loss is that of the probe batch.
    let loss = snapshot.probe.as_ref().map(|probe| match probe.target {
        Target::Values(_) => LossKind::Regression,
        Target::Labels(_) => LossKind::Classification,
    });
    if let (Some(loss), Some(task)) = (loss, config.get_mut("task").and_then(|t| t.as_object_mut())) {
        task.insert("loss".into(), serde_json::to_value(loss)?);
    }
    serde_json::to_string(&Meta {
        format: FORMAT,
        program: Program { name: PROGRAM, version: VERSION },
        config,
        iteration: snapshot.iteration,
        seed: snapshot.config.seed,
        notes: &snapshot.notes,
        units: UNITS.iter().copied().collect(),
    })
}

pub(super) fn read(text: &str) -> Result<ReadMeta, NpzError> {
    let wrong = |problem: String| NpzError::member("meta_json", problem);
    let meta: ReadMeta = serde_json::from_str(text).map_err(|e| wrong(format!("{e}")))?;
    if meta.format != FORMAT {
        return Err(wrong(format!("has `format` {}: expected {FORMAT}", meta.format)));
    }
    if !ITERATIONS.contains(&meta.iteration) {
        return Err(wrong(format!("has `iteration` {}: expected a number of updates", meta.iteration)));
    }
    Ok(meta)
}

fn this_format() -> i64 {
    FORMAT
}

/// The `config` of a `meta_json` as the keys of a configuration file.
///
/// # Errors
/// It is no object, or has a value that no key can have.
pub fn table_of(config: &serde_json::Value) -> Result<Table, NpzError> {
    let wrong = |problem: &str| NpzError::member("meta_json", problem);
    match toml::Value::try_from(config) {
        Ok(toml::Value::Table(table)) => Ok(table),
        Ok(_) => Err(wrong("`config` is no object: expected the keys of a configuration")),
        Err(_) => Err(wrong("`config` has a value (null, or a number too large) that no key can have")),
    }
}
