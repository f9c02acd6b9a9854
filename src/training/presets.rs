//! Owns the presets: the settings of each task, every constant with its source.
//!
//! They stand in `assets/presets/<task>.toml`; `romo.toml` has every key, the others what differs from it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::Value;

use super::config::RuleKind;
use super::config::error::ConfigError;
use super::config::keys::TASKS;

/// Where a constant comes from. A constant of our own is never shown as a paper's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// The text of Liu et al. 2022.
    P1,
    /// The text of Zhang et al. 2024.
    P2,
    /// The authors' published code, or the code they say they followed.
    C,
    /// Our choice, because the source does not say.
    #[serde(rename = "own")]
    Own,
    /// Set by the user to something else than the preset has.
    #[serde(rename = "given")]
    Given,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::P1 => "P1",
            Source::P2 => "P2",
            Source::C => "C",
            Source::Own => "own",
            Source::Given => "given",
        })
    }
}

/// A value of a preset.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// The value, under any rule that has no column of its own.
    pub value: Value,
    /// The value under `bptt`, `scaled-bptt` and `truncated-bptt`, where it is another.
    pub bptt: Option<Value>,
    /// Where it comes from.
    pub source: Source,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Constant {
    /// The value under a rule.
    pub fn under(&self, rule: RuleKind) -> &Value {
        self.bptt.as_ref().filter(|_| takes_bptt_column(rule)).unwrap_or(&self.value)
    }
}

/// Whether a rule takes BPTT's column of a preset.
fn takes_bptt_column(rule: RuleKind) -> bool {
    matches!(rule, RuleKind::Bptt | RuleKind::ScaledBptt | RuleKind::TruncatedBptt)
}

/// The settings of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// The task's id, which is the preset's name.
    pub name: &'static str,
    /// A title of a few words.
    pub title: String,
    /// What it is, in one line.
    pub line: String,
    /// Every key that the task has, with its value and source.
    pub constants: BTreeMap<String, Constant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    title: String,
    line: String,
    constants: BTreeMap<String, Constant>,
}

/// All presets, in the order of the tasks.
pub fn presets() -> &'static [Preset] {
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let read = |name: &str| -> PresetFile {
            toml::from_str(text(name)).expect("a test reads every preset that is built in")
        };
        let every_key = read("romo").constants;
        TASKS
            .iter()
            .map(|name| {
                let file = read(name);
                let mut constants = every_key.clone();
                constants.extend(file.constants);
                constants.retain(|path, _| super::config::keys::belongs(path, name));
                Preset { name, title: file.title, line: file.line, constants }
            })
            .collect()
    });
    &PRESETS
}

/// The preset with this name.
///
/// # Errors
/// Names those there are.
pub fn preset(name: &str) -> Result<&'static Preset, ConfigError> {
    presets().iter().find(|p| p.name == name).ok_or_else(|| ConfigError::UnknownPreset {
        name: name.into(),
        known: TASKS.iter().map(|t| (*t).into()).collect(),
    })
}

fn text(name: &str) -> &'static str {
    match name {
        "two-alternative" => include_str!("../../assets/presets/two-alternative.toml"),
        "delayed-match" => include_str!("../../assets/presets/delayed-match.toml"),
        "cued-match" => include_str!("../../assets/presets/cued-match.toml"),
        "pattern" => include_str!("../../assets/presets/pattern.toml"),
        "sequential-mnist" => include_str!("../../assets/presets/sequential-mnist.toml"),
        "file" => include_str!("../../assets/presets/file.toml"),
        _ => include_str!("../../assets/presets/romo.toml"),
    }
}
