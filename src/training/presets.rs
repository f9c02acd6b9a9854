//! Owns the presets: the settings of each task, every constant with its source.
//!
//! They stand in `assets/presets/<task>.toml`; `romo.toml` has every general key, the others what differs from
//! it. A task's own keys have their defaults and sources beside the task ([`TaskKind::keys`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::Value;

use super::config::RuleKind;
use super::config::error::ConfigError;
use crate::numerics::tasks::{Key, TaskKind};

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

impl Source {
    /// The source that a tag such as `[P1]` names.
    fn from_tag(tag: &str) -> Option<Self> {
        [Source::P1, Source::P2, Source::C, Source::Own].into_iter().find(|s| tag == format!("[{s}]"))
    }
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
    /// The task, whose id is the preset's name.
    pub task: TaskKind,
    /// Every key that the task has, with its value and source.
    pub constants: BTreeMap<String, Constant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    constants: BTreeMap<String, Constant>,
}

/// All presets, in the order of the tasks.
pub fn presets() -> &'static [Preset] {
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let every_key = read(TaskKind::Romo);
        let preset = |task| {
            let mut constants = every_key.clone();
            constants.extend(own_constants(task));
            constants.extend(read(task));
            Preset { task, constants }
        };
        TaskKind::ALL.into_iter().map(preset).collect()
    });
    &PRESETS
}

fn read(task: TaskKind) -> BTreeMap<String, Constant> {
    toml::from_str::<PresetFile>(text(task)).expect("a test reads every preset that is built in").constants
}

/// The keys that a task has of its own, with the task's own defaults and their sources.
fn own_constants(task: TaskKind) -> BTreeMap<String, Constant> {
    let Ok(Value::Table(defaults)) = Value::try_from(task.defaults()) else { return BTreeMap::new() };
    let constant = |key: &Key| {
        let source = Source::from_tag(key.source)?;
        let value = defaults.get(key.name)?.clone();
        Some((format!("task.{}", key.name), Constant { value, bptt: None, source, note: None }))
    };
    // The path of the user's own trials has no default.
    task.keys().iter().filter(|k| task != TaskKind::File || k.name != "path").filter_map(constant).collect()
}

/// The preset with this name.
///
/// # Errors
/// Names those there are.
pub fn preset(name: &str) -> Result<&'static Preset, ConfigError> {
    presets().iter().find(|p| p.task.name() == name).ok_or_else(|| ConfigError::UnknownPreset(name.into()))
}

fn text(task: TaskKind) -> &'static str {
    match task {
        TaskKind::Romo => include_str!("../../assets/presets/romo.toml"),
        TaskKind::TwoAlternative => include_str!("../../assets/presets/two-alternative.toml"),
        TaskKind::DelayedMatch => include_str!("../../assets/presets/delayed-match.toml"),
        TaskKind::CuedMatch => include_str!("../../assets/presets/cued-match.toml"),
        TaskKind::Pattern => include_str!("../../assets/presets/pattern.toml"),
        TaskKind::SequentialMnist => include_str!("../../assets/presets/sequential-mnist.toml"),
        TaskKind::File => include_str!("../../assets/presets/file.toml"),
    }
}
