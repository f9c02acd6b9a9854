//! Owns [`resolve`]: given keys, a preset for the rest, every check, one [`Config`].

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Deserialize;
use toml::{Table, Value};

use super::check;
use super::error::{ConfigError, shown};
use super::keys::{self, KeyInfo, Values, key, keys};
use super::{Config, RuleKind};
use crate::numerics::tasks::TaskKind;
use crate::numerics::weights::Dims;
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
    resolve_for(given, None)
}

/// The same for a network of known sizes, which need not be those of the task (a network trained elsewhere).
///
/// # Errors
/// As [`resolve`]; `network.n_rec` is another.
pub fn resolve_for(given: Table, dims: Option<Dims>) -> Result<Resolved, ConfigError> {
    let task = task_of(&given)?;
    let preset = preset(task.name())?;
    let mut leaves = Leaves::new();
    collect(&given, "", task, &mut leaves)?;
    check::size_of_network(&mut leaves, dims)?;
    let set: BTreeSet<&'static str> = leaves.keys().copied().collect();
    fill(preset, &mut leaves);
    let given_shape = dims.map(|d| check::Shape { n_steps: None, n_in: d.n_in, n_out: d.n_out });
    let shape = given_shape.or_else(|| check::shape(&leaves));
    check::fit_defaults(&mut leaves, task, shape, &set);
    let warnings = check::across(&leaves, task, shape, &set)?;
    let config = config(&leaves)?;
    config.task.own.check()?;
    let sources = sources(&config);
    Ok(Resolved { config, warnings, sources })
}

/// Where the value of each key comes from: the preset's source where the value is the preset's, else
/// [`Source::Given`].
pub fn sources(config: &Config) -> BTreeMap<&'static str, Source> {
    let leaves = config.leaves();
    let Ok(preset) = preset(config.task.own.kind().name()) else { return BTreeMap::new() };
    let source = |path: &str, value: &Value| match preset.constants.get(path) {
        Some(constant) if constant.under(config.rule.kind) == value => constant.source,
        // These follow from the task itself.
        None if path == "task.loss" => Source::Own,
        _ => Source::Given,
    };
    leaves.iter().map(|(path, value)| (*path, source(path, value))).collect()
}

/// Merges one `KEY=VALUE` into the given keys; the value is read as TOML and, where that fails, as a plain
/// string. A table is merged key by key. Values are checked by [`resolve`], when the task is known.
///
/// # Errors
/// No `=`, no value, or an unknown key.
pub fn set(given: &mut Table, assignment: &str) -> Result<(), ConfigError> {
    let wrong = || ConfigError::NotAnAssignment(assignment.into());
    let (path, text) = assignment.split_once('=').ok_or_else(wrong)?;
    let (path, text) = (path.trim(), text.trim());
    if path.is_empty() || text.is_empty() {
        return Err(wrong());
    }
    let plain = || Value::String(text.into());
    let is_path = keys().iter().any(|k| k.path == path && k.values == Values::Path);
    let value = if is_path && !text.starts_with(['"', '\'']) {
        plain()
    } else {
        text.parse::<Value>().unwrap_or_else(|_| plain())
    };
    let addition = alone(path, value);
    known(&addition, "")?;
    merge(given, addition);
    Ok(())
}

/// A name as long as a sentence can bear.
fn shortened(name: String) -> String {
    const MOST: usize = 100;
    if name.chars().count() <= MOST { name } else { name.chars().take(MOST).chain(['…']).collect() }
}

/// The table that has nothing but this value at this full path.
///
/// ```
/// use basinscope::training::config::resolve::{alone, lookup};
/// let table = alone("network.gain", 0.5.into());
/// assert_eq!(lookup(&table, "network.gain").and_then(|v| v.as_float()), Some(0.5));
/// ```
pub fn alone(path: &str, value: Value) -> Table {
    // No key is deeper; what is left of such a path is a name that no table knows.
    const DEEPEST: usize = 8;
    let parts: Vec<&str> = path.splitn(DEEPEST, '.').collect();
    let nested = |value: Value, name: &&str| Value::Table(Table::from_iter([(name.to_string(), value)]));
    let (first, rest) = parts.split_first().map_or((path, &[][..]), |(first, rest)| (*first, rest));
    Table::from_iter([(first.to_string(), rest.iter().rev().fold(value, nested))])
}

/// The value at a full path.
pub fn lookup<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let mut value = table.get(parts.next()?)?;
    for part in parts {
        value = value.as_table()?.get(part)?;
    }
    Some(value)
}

/// Puts `addition` over `given`, key by key. Naming the rule whose rho is measured drops a fixed rho.
pub fn merge(given: &mut Table, addition: Table) {
    for (name, value) in addition {
        match (given.get_mut(&name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => {
                if name == "rho" && above.contains_key("of") {
                    below.remove("value");
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
pub fn only_live(changes: &Table, task: TaskKind) -> Result<(), ConfigError> {
    let mut leaves = Leaves::new();
    collect(changes, "", task, &mut leaves)?;
    match leaves.keys().filter_map(|path| key(path, task)).find(|k| k.needs_reset) {
        Some(info) => Err(ConfigError::NeedsReset(info.path.into())),
        None => Ok(()),
    }
}

/// The task that the given keys name, or `romo`.
fn task_of(given: &Table) -> Result<TaskKind, ConfigError> {
    let kind = given.get("task").and_then(|t| t.get("kind"));
    let Some((kind, info)) = kind.zip(key("task.kind", TaskKind::Romo)) else { return Ok(TaskKind::Romo) };
    let kind = info.check(kind)?;
    Ok(kind.as_str().and_then(TaskKind::from_name).unwrap_or(TaskKind::Romo))
}

/// Reads settings from the text of a configuration file.
///
/// # Errors
/// Not TOML (with line and column), or as [`resolve`].
pub fn parse(text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|e| {
        if let Some(error) = e.span().and_then(|span| too_large(text, span)) {
            return error;
        }
        let (line, column) = position(text, e.span().map_or(0, |s| s.start));
        ConfigError::NotToml(format!("line {line}, column {column}: {}", e.message().replace('\n', "; ")))
    })
}

/// A whole number that no integer of TOML can hold, with its key.
fn too_large(text: &str, span: std::ops::Range<usize>) -> Option<ConfigError> {
    let value = text.get(span.clone())?.trim();
    let digits = value.trim_start_matches(['+', '-']);
    let is_whole = digits.len() > 1 && digits.chars().all(|c| c.is_ascii_digit() || c == '_');
    if !is_whole || value.replace('_', "").parse::<i64>().is_ok() {
        return None;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let (before, _) = text[..span.start].rsplit_once('=')?;
    let key = before.trim_end().rsplit(|c: char| !is_name(c)).next().filter(|key| !key.is_empty())?;
    let expected = match value.starts_with('-') {
        true => format!("a whole number of at least {}", i64::MIN),
        false => format!("a whole number of at most {}", i64::MAX),
    };
    let known = keys().iter().find(|info| info.path == key);
    let expected = known.map_or(expected, |info| info.values.to_string());
    Some(ConfigError::WrongValue { key: key.into(), value: shortened(value.into()), expected })
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
}

/// Walks a table down to the keys, checks each value.
fn collect(table: &Table, prefix: &str, task: TaskKind, leaves: &mut Leaves) -> Result<(), ConfigError> {
    for (name, value) in table {
        let path = joined(prefix, name);
        if let Some(info) = key(&path, task) {
            leaves.insert(info.path, info.check(value)?);
            continue;
        }
        let Some(example) = first_below(&path) else {
            return Err(unknown(first_leaf(path, value), Some(task)));
        };
        match value {
            Value::Table(inner) => collect(inner, &path, task, leaves)?,
            _ => return Err(ConfigError::NotATable { key: path, value: shown(value), example }),
        }
    }
    Ok(())
}

/// Whether all keys of a table are keys of some task.
fn known(table: &Table, prefix: &str) -> Result<(), ConfigError> {
    for (name, value) in table {
        let path = joined(prefix, name);
        match (first_below(&path), value) {
            (Some(_), Value::Table(inner)) => known(inner, &path)?,
            (Some(_), _) => {}
            (None, _) if keys().iter().any(|k| k.path == path) => {}
            (None, _) => return Err(unknown(first_leaf(path, value), None)),
        }
    }
    Ok(())
}

fn joined(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.into() } else { format!("{prefix}.{name}") }
}

/// The path of the first key inside a table of unknown name; the path itself elsewhere.
fn first_leaf(path: String, value: &Value) -> String {
    match value.as_table().and_then(|t| t.iter().next()) {
        Some((name, inner)) => first_leaf(joined(&path, name), inner),
        None => path,
    }
}

/// The error for a path that is no key of this task.
fn unknown(path: String, task: Option<TaskKind>) -> ConfigError {
    let tasks = keys::tasks_with(&path);
    match task {
        Some(task) if !tasks.is_empty() => ConfigError::OtherTask { key: path, tasks, task },
        _ => ConfigError::UnknownKey { nearest: nearest(&path, task).into(), key: shortened(path) },
    }
}

/// A key inside the table with this path.
fn first_below(path: &str) -> Option<&'static str> {
    keys().iter().map(|k| k.path).find(|k| k.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// The key most like `path`, among those of a task or of all: alike as a whole, in its last part, or in the
/// table it stands in.
pub fn nearest(path: &str, task: Option<TaskKind>) -> &'static str {
    let last = |p: &'static str| p.rsplit('.').next().unwrap_or(p);
    let wanted = path.rsplit('.').next().unwrap_or(path);
    let likeness = |k: &&'static KeyInfo| {
        let whole = strsim::normalized_damerau_levenshtein(path, k.path);
        let part = strsim::normalized_damerau_levenshtein(wanted, last(k.path));
        let parent = k.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let table = strsim::normalized_damerau_levenshtein(path, parent);
        // Equal likeness in one part is decided by the whole.
        (1000.0 * (whole.max(0.9 * part).max(0.8 * table) + 0.01 * whole)) as i64
    };
    let candidates = keys().iter().filter(|k| task.is_none_or(|t| k.belongs_to(t)));
    candidates.rev().max_by_key(likeness).map_or("seed", |k| k.path)
}

fn fill(preset: &Preset, leaves: &mut Leaves) {
    let default_rule = preset.constants.get("rule.kind").map(|c| c.value.clone());
    let rule = leaves.get("rule.kind").cloned().or(default_rule);
    let rule = rule.and_then(|r| RuleKind::deserialize(r).ok()).unwrap_or(RuleKind::EProp);
    for (path, constant) in &preset.constants {
        if let Some(info) = key(path, preset.task) {
            leaves.entry(info.path).or_insert_with(|| constant.under(rule).clone());
        }
    }
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
    /// No such task; and `file` has no preset without its `task.path`.
    pub fn preset(task: &str) -> Result<Self, ConfigError> {
        preset(task)?;
        let mut given = Table::new();
        set(&mut given, &format!("task.kind={task}"))?;
        Ok(resolve(given)?.config)
    }

    /// Every key with its value.
    pub(super) fn leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        if let Ok(Value::Table(table)) = Value::try_from(self) {
            gather(&table, "", self.task.own.kind(), &mut leaves);
        }
        if let Some(loss) = check::loss_of(self.task.own.kind()) {
            leaves.insert("task.loss", Value::String(loss.into()));
        }
        leaves
    }

    /// Every setting as nested tables.
    pub fn to_table(&self) -> Table {
        nested(&self.leaves())
    }
}

fn gather(table: &Table, prefix: &str, task: TaskKind, leaves: &mut Leaves) {
    for (name, value) in table {
        let path = joined(prefix, name);
        match (key(&path, task), value) {
            (Some(info), value) => {
                leaves.insert(info.path, value.clone());
            }
            (None, Value::Table(inner)) => gather(inner, &path, task, leaves),
            (None, _) => {}
        }
    }
}
