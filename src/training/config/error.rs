//! Owns [`ConfigError`], every way in which settings can be wrong, each one sentence.

use toml::Value;

use super::keys::Values;

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
    #[error("`{key}` is a key of {}, not of `{task}`", tasks.join(" and "))]
    OtherTask {
        /// What was given.
        key: &'static str,
        /// The tasks that have it.
        tasks: &'static [&'static str],
        /// The task of the settings.
        task: String,
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
    #[error("there is no preset `{name}`: expected one of {}", known.join(", "))]
    UnknownPreset {
        /// What was given.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
}

impl ConfigError {
    /// A wrong value for what the key may be.
    pub fn wrong(key: &str, value: &Value, expected: Values) -> Self {
        Self::WrongValue { key: key.into(), value: shown(value), expected: expected.to_string() }
    }
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
