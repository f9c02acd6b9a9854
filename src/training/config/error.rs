//! Owns [`ConfigError`], every way in which settings can be wrong, each one sentence.

use toml::Value;

use super::keys::Values;
use crate::numerics::tasks::{TaskError, TaskKind};

/// Why settings were refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not TOML.
    #[error("not valid TOML: {0}")]
    NotToml(String),
    /// There is no such key.
    #[error("unknown key `{key}`: the nearest is `{nearest}`")]
    UnknownKey {
        /// What was given.
        key: String,
        /// The key that looks most like it.
        nearest: String,
    },
    /// The key belongs to other tasks.
    #[error("`{key}` is a key of {}, not of {}", names(tasks), task.name())]
    OtherTask {
        /// What was given.
        key: String,
        /// The tasks that have it.
        tasks: Vec<TaskKind>,
        /// The task of the settings.
        task: TaskKind,
    },
    /// A value of the wrong type or out of its range.
    #[error("`{key}` = {value}: expected {expected}")]
    WrongValue {
        /// The key.
        key: String,
        /// The value as it was given.
        value: String,
        /// What may stand there.
        expected: String,
    },
    /// A key that needs a value, or a group of keys, has something else.
    #[error("`{key}` = {value}: expected a table of keys such as `{example}`")]
    NotATable {
        /// The key.
        key: String,
        /// The value as it was given.
        value: String,
        /// One key of the table.
        example: &'static str,
    },
    /// `--set` without `=` or without a value.
    #[error("`{0}`: expected KEY=VALUE, such as network.gain=0.5")]
    NotAnAssignment(String),
    /// The key cannot change without a fresh start.
    #[error("`{0}` needs a fresh start: it cannot change when a run goes on from a snapshot")]
    NeedsReset(String),
    /// No such preset.
    #[error("there is no preset `{0}`: expected one of {list}", list = names(&TaskKind::ALL))]
    UnknownPreset(String),
}

impl ConfigError {
    /// The key that is wrong, by its full path; `None` where it is not one key's value.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. } | Self::OtherTask { key, .. } => Some(key),
            Self::WrongValue { key, .. } | Self::NotATable { key, .. } => Some(key),
            Self::NeedsReset(key) => Some(key),
            Self::NotToml(_) | Self::NotAnAssignment(_) | Self::UnknownPreset(_) => None,
        }
    }

    /// A wrong value for what the key may be.
    pub fn wrong(key: &str, value: &Value, expected: Values) -> Self {
        Self::WrongValue { key: key.into(), value: shown(value), expected: expected.to_string() }
    }
}

impl From<TaskError> for ConfigError {
    fn from(error: TaskError) -> Self {
        Self::WrongValue { key: format!("task.{}", error.key), value: error.value, expected: error.expected }
    }
}

fn names(tasks: &[TaskKind]) -> String {
    tasks.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ")
}

/// A value in one short line.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string().replace(['\n', '\r'], " ");
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
