//! How settings change, and with them the selected run where they act at once.

use toml::{Table, Value};

use super::settings::{Settings, flat_value, needs_reset, put};
use super::{RunId, Session};
use crate::engine::messages::Command;
use crate::training::config::Config;
use crate::training::config::resolve::resolve;
use crate::training::run::Change;

impl Session {
    /// Changes the settings, and the selected run where the changed keys act at once.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = flat_value(&Value::Table(self.settings.given().clone()));
        change(&mut self.settings);
        let after = flat_value(&Value::Table(self.settings.given().clone()));
        let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let acting: Vec<(String, Option<Value>)> = keys
            .into_iter()
            .filter(|key| before.get(*key) != after.get(*key) && !needs_reset(key))
            .map(|key| (key.clone(), after.get(key).cloned()))
            .collect();
        if let (Some(id), false) = (self.current, acting.is_empty()) {
            self.change_run(id, &acting);
        }
    }

    /// Changes settings of a run that act at once. What is refused changes nothing; the settings say why.
    pub(super) fn change_run(&mut self, id: RunId, set: &[(String, Option<Value>)]) {
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id && r.is_alive()) else { return };
        let mut given = run.given.clone();
        // Fewer iterations than it has made already would be none that it was made with: they are for the next run.
        let made = run.iteration;
        let is_past = |key: &str, value: &Option<Value>| {
            key == "iterations" && value.as_ref().and_then(Value::as_integer).is_some_and(|n| n < made)
        };
        let acting = set.iter().filter(|(key, value)| !is_past(key, value));
        acting.for_each(|(key, value)| put(&mut given, key, value.clone()));
        let Ok(resolved) = resolve(given.clone()) else { return };
        run.given = given;
        let (old, new) = (run.config.clone(), resolved.config);
        let Some(handle) = &mut run.handle else { return };
        if old.rule != new.rule {
            handle.send(Command::Change(Change::Rule(new.rule)));
        }
        if old.optimizer != new.optimizer {
            handle.send(Command::Change(Change::Optimizer(new.optimizer)));
        }
        if old.schedule != new.schedule {
            handle.send(Command::Change(Change::Schedule(new.schedule)));
        }
        if old.iterations != new.iterations {
            handle.send(Command::Change(Change::Iterations(new.iterations)));
        }
        if old.stop != new.stop {
            handle.send(Command::Change(Change::Stop(new.stop)));
        }
        if old.measure != new.measure {
            handle.send(Command::Measures(Box::new(new.measure)));
        }
        run.config = Config {
            rule: new.rule,
            optimizer: new.optimizer,
            schedule: new.schedule,
            iterations: new.iterations,
            stop: new.stop,
            measure: new.measure,
            ..old
        };
        if run.iteration <= 0 {
            // What it has learned so far it has learned by the rule that it is called after.
            self.name_itself(id);
        }
        self.find_differences();
    }

    /// The settings, where they are sound; else a notice says why not.
    pub(super) fn sound_settings(&mut self) -> Option<(Table, Config)> {
        let resolved = self.settings.resolved().map(|r| r.config.clone()).map_err(ToString::to_string);
        match resolved {
            Ok(config) => Some((self.settings.given().clone(), config)),
            Err(text) => {
                self.notice(text, true, None);
                None
            }
        }
    }
}
