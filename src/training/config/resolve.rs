//! Owns [`resolve`]: given keys, a preset for the rest, every check, one [`Config`].

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Deserialize;
use toml::{Table, Value};

use super::check;
use super::error::{ConfigError, shown};
use super::keys::{self, KeyInfo, Values, key, keys};
use super::{Config, RuleKind};
use crate::training::presets::{Preset, Source, preset};

/// Settings that have been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Every setting.
    pub config: Config,
    /// What has no effect or may surprise, one sentence each.
    pub warnings: Vec<String>,
    /// Where the value of each key comes from.
    pub sources: BTreeMap<&'static str, Source>,
}

/// The keys of a configuration by path, with values as the configuration keeps them.
pub(super) type Leaves = BTreeMap<&'static str, Value>;

/// Checks the given keys and fills in the rest from the preset of the task and rule they name.
///
/// Nested tables and inline tables mean the same. Defaults that do not fit a small network (more exponents
/// than units, say) are lowered to fit; given values never are.
///
/// # Errors
/// The first unknown key, wrong type, value out of range or contradiction, in one sentence.
pub fn resolve(given: Table) -> Result<Resolved, ConfigError> {
    let mut leaves = Leaves::new();
    collect(&given, "", &mut leaves)?;
    let task = word(&leaves, "task.kind").unwrap_or("romo").to_string();
    let preset = preset(&task)?;
    for path in leaves.keys() {
        if let Some(info) = key(path).filter(|k| !k.belongs_to(&task)) {
            return Err(ConfigError::OtherTask { key: info.path, tasks: info.tasks, task });
        }
    }
    let set: BTreeSet<&'static str> = leaves.keys().copied().collect();
    fill(preset, &mut leaves)?;
    check::fit_defaults(&mut leaves, &set);
    let warnings = check::across(&leaves, &set)?;
    let config = config(&leaves)?;
    let sources = sources(&config);
    Ok(Resolved { config, warnings, sources })
}

/// Where the value of each key comes from: the preset's source where the value is the preset's, else
/// [`Source::Given`].
pub fn sources(config: &Config) -> BTreeMap<&'static str, Source> {
    let leaves = config.leaves();
    let kind = word(&leaves, "task.kind").unwrap_or("romo");
    let Ok(preset) = preset(kind) else { return BTreeMap::new() };
    let source = |path: &str, value: &Value| match preset.constants.get(path) {
        Some(constant) if constant.under(config.rule.kind) == value => constant.source,
        // These follow from the task itself.
        None if path == "task.loss" => Source::Own,
        _ => Source::Given,
    };
    leaves.iter().map(|(path, value)| (*path, source(path, value))).collect()
}

/// Merges one `KEY=VALUE` into the given keys; the value is read as TOML and, where that fails, as a plain
/// string. A table is merged key by key.
///
/// # Errors
/// No `=`, an unknown key, a value that the key cannot have.
pub fn set(given: &mut Table, assignment: &str) -> Result<(), ConfigError> {
    let wrong = || ConfigError::NotAnAssignment(assignment.into());
    let (path, text) = assignment.split_once('=').ok_or_else(wrong)?;
    let (path, text) = (path.trim(), text.trim());
    if path.is_empty() || text.is_empty() {
        return Err(wrong());
    }
    let plain = || Value::String(text.into());
    let quoted = text.starts_with(['"', '\'']);
    let value = match key(path) {
        Some(KeyInfo { values: Values::Path, .. }) if !quoted => plain(),
        _ => text.parse::<Value>().unwrap_or_else(|_| plain()),
    };
    let mut wrapped = value;
    for part in path.rsplit('.') {
        wrapped = Value::Table(Table::from_iter([(part.to_string(), wrapped)]));
    }
    let Value::Table(addition) = wrapped else { return Err(wrong()) };
    collect(&addition, "", &mut Leaves::new())?;
    merge(given, addition);
    Ok(())
}

/// Puts `addition` over `given`, key by key. rho is either measured or a number: one drops the other.
pub fn merge(given: &mut Table, addition: Table) {
    for (name, value) in addition {
        match (given.get_mut(&name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => {
                if name == "rho" && (above.contains_key("of") || above.contains_key("value")) {
                    below.clear();
                }
                merge(below, above);
            }
            (_, value) => {
                given.insert(name, value);
            }
        }
    }
}

/// The first key given here that cannot change without a fresh start.
///
/// # Errors
/// Names it.
pub fn only_live(changes: &Table) -> Result<(), ConfigError> {
    let mut leaves = Leaves::new();
    collect(changes, "", &mut leaves)?;
    match leaves.keys().filter_map(|path| key(path)).find(|k| k.needs_reset) {
        Some(info) => Err(ConfigError::NeedsReset(info.path.into())),
        None => Ok(()),
    }
}

/// Reads settings from the text of a configuration file.
///
/// # Errors
/// Not TOML (with line and column), or as [`resolve`].
pub fn parse(text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|e| {
        let (line, column) = position(text, e.span().map_or(0, |s| s.start));
        ConfigError::NotToml(format!("line {line}, column {column}: {}", e.message().replace('\n', "; ")))
    })
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
}

/// Walks a table down to the keys, checks each value.
fn collect(table: &Table, prefix: &str, leaves: &mut Leaves) -> Result<(), ConfigError> {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if let Some(info) = key(&path) {
            leaves.insert(info.path, info.check(value)?);
            continue;
        }
        let Some(example) = first_below(&path) else {
            return Err(ConfigError::UnknownKey { nearest: nearest(&path).into(), key: path });
        };
        match value {
            Value::Table(inner) => collect(inner, &path, leaves)?,
            _ => return Err(ConfigError::NotATable { key: path, value: shown(value), example }),
        }
    }
    Ok(())
}

/// A key inside the table with this path.
fn first_below(path: &str) -> Option<&'static str> {
    keys().iter().map(|k| k.path).find(|k| k.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// The key most like `path`: alike as a whole, or in its last part.
pub fn nearest(path: &str) -> &'static str {
    let last = |p: &'static str| p.rsplit('.').next().unwrap_or(p);
    let wanted = path.rsplit('.').next().unwrap_or(path);
    let likeness = |k: &&'static KeyInfo| {
        let whole = strsim::normalized_damerau_levenshtein(path, k.path);
        let part = strsim::normalized_damerau_levenshtein(wanted, last(k.path));
        // The last part decides, the rest of the path tells equal ones apart.
        (1000.0 * (whole.max(0.9 * part) + 0.01 * whole)) as i64
    };
    keys().iter().rev().max_by_key(likeness).map_or("seed", |k| k.path)
}

fn fill(preset: &Preset, leaves: &mut Leaves) -> Result<(), ConfigError> {
    if leaves.contains_key("rule.rho.of") && leaves.contains_key("rule.rho.value") {
        return Err(ConfigError::WrongValue {
            key: "rule.rho".into(),
            value: "both `of` and `value`".into(),
            expected: "one of them: rho is measured for a rule, or it is a number".into(),
        });
    }
    let fixed_rho = leaves.contains_key("rule.rho.value");
    let default_rule = preset.constants.get("rule.kind").map(|c| c.value.clone());
    let rule = leaves.get("rule.kind").cloned().or(default_rule);
    let rule = rule.and_then(|r| RuleKind::deserialize(r).ok()).unwrap_or(RuleKind::EProp);
    for (path, constant) in &preset.constants {
        let Some(info) = key(path) else { continue };
        if !(fixed_rho && info.path == "rule.rho.of") {
            leaves.entry(info.path).or_insert_with(|| constant.under(rule).clone());
        }
    }
    Ok(())
}

/// The settings as a typed value. Every leaf has been checked, so this cannot fail unless the table of keys
/// and [`Config`] disagree; a test walks all keys.
fn config(leaves: &Leaves) -> Result<Config, ConfigError> {
    let mut leaves = leaves.clone();
    leaves.remove("task.loss");
    Config::deserialize(Value::Table(nested(&leaves)))
        .map_err(|e| ConfigError::NotToml(e.message().replace('\n', " ")))
}

/// Keys by path as nested tables.
pub(super) fn nested(leaves: &Leaves) -> Table {
    let mut table = Table::new();
    for (path, value) in leaves {
        let mut wrapped = value.clone();
        for part in path.rsplit('.') {
            wrapped = Value::Table(Table::from_iter([(part.to_string(), wrapped)]));
        }
        if let Value::Table(addition) = wrapped {
            merge_plain(&mut table, addition);
        }
    }
    table
}

fn merge_plain(table: &mut Table, addition: Table) {
    for (name, value) in addition {
        match (table.get_mut(&name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge_plain(below, above),
            (_, value) => {
                table.insert(name, value);
            }
        }
    }
}

pub(super) fn word<'a>(leaves: &'a Leaves, path: &str) -> Option<&'a str> {
    leaves.get(path).and_then(Value::as_str)
}

impl Config {
    /// The settings of a task's preset.
    ///
    /// # Errors
    /// No such task.
    pub fn preset(task: &str) -> Result<Self, ConfigError> {
        preset(task)?;
        let kind = Table::from_iter([("kind".to_string(), Value::String(task.into()))]);
        Ok(resolve(Table::from_iter([("task".to_string(), Value::Table(kind))]))?.config)
    }

    /// Every key with its value.
    pub(super) fn leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        if let Ok(Value::Table(table)) = Value::try_from(self) {
            gather(&table, "", &mut leaves);
        }
        if let Some(loss) = check::loss_of(word(&leaves, "task.kind").unwrap_or("romo")) {
            leaves.insert("task.loss", Value::String(loss.into()));
        }
        leaves
    }

    /// Every setting as nested tables.
    pub fn to_table(&self) -> Table {
        nested(&self.leaves())
    }
}

fn gather(table: &Table, prefix: &str, leaves: &mut Leaves) {
    for (name, value) in table {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match (keys::key(&path), value) {
            (Some(info), value) => {
                leaves.insert(info.path, value.clone());
            }
            (None, Value::Table(inner)) => gather(inner, &path, leaves),
            (None, _) => {}
        }
    }
}
