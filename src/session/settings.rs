//! Owns [`Settings`], the settings as they are being edited, with undo; and which keys they differ in.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::runs::Difference;
use crate::numerics::tasks::TaskKind;
use crate::training::config::Config;
use crate::training::config::error::ConfigError;
use crate::training::config::keys::keys;
use crate::training::config::resolve::{Resolved, lookup, resolve};

/// The settings of the experiment panel.
pub struct Settings {
    given: Table,
    resolved: Result<Resolved, ConfigError>,
    steps: Steps,
    /// The key that is being dragged or typed.
    open: Option<String>,
}

/// What can be undone and redone. Each run has its own: a step of one must not change another.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    before: Vec<Table>,
    after: Vec<Table>,
}

/// Steps that can be undone.
const MOST_STEPS: usize = 200;

impl Settings {
    /// Settings that start with these keys.
    pub fn new(given: Table) -> Self {
        let resolved = resolve(given.clone());
        Self { given, resolved, steps: Steps::default(), open: None }
    }

    /// The keys that are set; all others are the preset's.
    pub fn given(&self) -> &Table {
        &self.given
    }

    /// All settings, or why they are refused.
    pub fn resolved(&self) -> Result<&Resolved, &ConfigError> {
        self.resolved.as_ref()
    }

    /// The task that the settings name, also where they are refused.
    pub fn task(&self) -> TaskKind {
        let named = lookup(&self.given, "task.kind").and_then(Value::as_str);
        named.and_then(TaskKind::from_name).unwrap_or(TaskKind::Romo)
    }

    /// The value of a key that is set.
    pub fn given_value(&self, key: &str) -> Option<&Value> {
        lookup(&self.given, key)
    }

    /// Whether there is something to undo.
    pub fn can_undo(&self) -> bool {
        !self.steps.before.is_empty()
    }

    /// Whether there is something to redo.
    pub fn can_redo(&self) -> bool {
        !self.steps.after.is_empty()
    }

    pub(super) fn set(&mut self, key: &str, value: Option<Value>) {
        let mut given = self.given.clone();
        if key == "task.kind" {
            // The old task's own keys would be errors under the new one.
            given.remove("task");
        }
        put(&mut given, key, value);
        if given == self.given {
            return;
        }
        if self.open.as_deref() != Some(key) {
            self.remember();
            self.open = Some(key.into());
        }
        self.replace(given);
    }

    pub(super) fn take(&mut self, given: Table) {
        self.settle();
        if given != self.given {
            self.remember();
            self.replace(given);
        }
    }

    pub(super) fn settle(&mut self) {
        self.open = None;
    }

    /// Shows other settings with the steps that belong to them; gives those that belonged to the old ones.
    pub(super) fn show(&mut self, given: Table, steps: Steps) -> Steps {
        self.settle();
        if given != self.given {
            self.replace(given);
        }
        std::mem::replace(&mut self.steps, steps)
    }

    pub(super) fn undo(&mut self) {
        self.settle();
        if let Some(given) = self.steps.before.pop() {
            self.steps.after.push(self.given.clone());
            self.replace(given);
        }
    }

    pub(super) fn redo(&mut self) {
        self.settle();
        if let Some(given) = self.steps.after.pop() {
            self.steps.before.push(self.given.clone());
            self.replace(given);
        }
    }

    fn remember(&mut self) {
        self.steps.before.push(self.given.clone());
        if self.steps.before.len() > MOST_STEPS {
            self.steps.before.remove(0);
        }
        self.steps.after.clear();
    }

    fn replace(&mut self, given: Table) {
        self.resolved = resolve(given.clone());
        self.given = given;
    }
}

/// What the given keys come to without those that are wrong, and what is wrong, in the order in which it was found.
/// `None` where no key can be left out to make them sound.
pub fn without_wrong(given: &Table) -> (Option<Resolved>, Vec<ConfigError>) {
    let mut given = given.clone();
    let mut errors = Vec::new();
    loop {
        match resolve(given.clone()) {
            Ok(resolved) => return (Some(resolved), errors),
            Err(error) => {
                let key = error.key().filter(|key| lookup(&given, key).is_some()).map(str::to_owned);
                errors.push(error);
                match key {
                    // One key fewer each time: this ends.
                    Some(key) => put(&mut given, &key, None),
                    None => return (None, errors),
                }
            }
        }
    }
}

/// Whether a change of this key needs a fresh start; otherwise it acts at once.
pub fn needs_reset(key: &str) -> bool {
    keys().iter().find(|k| k.path == key).is_none_or(|k| k.needs_reset)
}

/// Every setting by its full path.
pub fn flat(config: &Config) -> BTreeMap<String, Value> {
    flat_value(&Value::Table(config.to_table()))
}

/// Every key of a table by its full path.
pub fn flat_value(value: &Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: &Value, out: &mut BTreeMap<String, Value>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                    walk(&path, value, out);
                }
            }
            _ => {
                out.insert(prefix.into(), value.clone());
            }
        }
    }
    let mut out = BTreeMap::new();
    walk("", value, &mut out);
    out
}

/// Where two sets of settings differ, by key.
pub fn differences(from: &Config, to: &Config) -> Vec<Difference> {
    // Asked in every frame, and nearly always so.
    if from == to {
        return Vec::new();
    }
    let (from, to) = (flat(from), flat(to));
    let keys: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    keys.into_iter()
        .filter(|key| from.get(*key) != to.get(*key))
        .map(|key| Difference {
            key: key.clone(),
            from: from.get(key).cloned(),
            to: to.get(key).cloned(),
            needs_reset: needs_reset(key),
        })
        .collect()
}

/// Sets or removes the value at a full path; tables that become empty go.
pub fn put(table: &mut Table, key: &str, value: Option<Value>) {
    match (key.split_once('.'), value) {
        (None, Some(value)) => {
            table.insert(key.into(), value);
        }
        (None, None) => {
            table.remove(key);
        }
        (Some((head, rest)), value) => {
            let entry = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
            if !entry.is_table() {
                *entry = Value::Table(Table::new());
            }
            if let Value::Table(inner) = entry {
                put(inner, rest, value);
                if inner.is_empty() {
                    table.remove(head);
                }
            }
        }
    }
}

/// The given keys with those added in which they are not yet `config`.
pub(super) fn given_for(given: &Table, config: &Config) -> Table {
    let mut given = given.clone();
    // A rule brings presets of its own, so that setting one key may move others.
    for _ in 0..3 {
        let Ok(resolved) = resolve(given.clone()) else { break };
        for difference in differences(&resolved.config, config) {
            put(&mut given, &difference.key, difference.to);
        }
    }
    given
}
