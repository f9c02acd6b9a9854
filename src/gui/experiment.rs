//! Owns the experiment panel: all settings of the selected run, what waits for a reset, what is wrong.

use std::collections::BTreeMap;

use eframe::egui::{self, Ui};
use toml::{Table, Value};

use super::app::Asked;
use super::fields::{self, Control, Field, Reading};
use super::theme;
use crate::numerics::tasks::TaskKind;
use crate::session::settings::{Settings, flat, without_wrong};
use crate::session::{Action, Session, setting_words};
use crate::training::config::Config;
use crate::training::config::error::ConfigError;
use crate::training::config::keys as config;
use crate::training::config::resolve::sources;
use crate::training::presets::Source;

/// What the panel keeps: what the settings come to.
#[derive(Default)]
pub struct Experiment {
    sound: Option<Sound>,
    /// The settings that were refused last, and why.
    refused: Option<(Table, Vec<ConfigError>)>,
}

/// Every setting; where some are refused, what the others come to without them.
struct Sound {
    config: Config,
    values: BTreeMap<String, Value>,
    sources: BTreeMap<&'static str, Source>,
}

impl Experiment {
    /// Takes in the settings where they have changed.
    fn follow(&mut self, settings: &Settings) {
        match settings.resolved() {
            Ok(resolved) => {
                self.refused = None;
                self.take(&resolved.config);
            }
            Err(_) if self.refused.as_ref().is_some_and(|(given, _)| given == settings.given()) => {}
            Err(_) => {
                let (sound, errors) = without_wrong(settings.given());
                if let Some(resolved) = sound {
                    self.take(&resolved.config);
                }
                self.refused = Some((settings.given().clone(), errors));
            }
        }
    }

    fn take(&mut self, config: &Config) {
        if self.sound.as_ref().is_none_or(|sound| sound.config != *config) {
            self.sound =
                Some(Sound { values: flat(config), sources: sources(config), config: config.clone() });
        }
    }
}

/// A group of fields.
struct Group {
    title: &'static str,
    open: bool,
    fields: &'static [Field<'static>],
}

const fn plain(key: &'static str, label: &'static str) -> Field<'static> {
    Field { key, label, control: Control::Plain }
}

const fn log(key: &'static str, label: &'static str, low: f64, high: f64) -> Field<'static> {
    Field { key, label, control: Control::LogSlider(low, high) }
}

const fn slider(key: &'static str, label: &'static str, low: f64, high: f64) -> Field<'static> {
    Field { key, label, control: Control::Slider(low, high) }
}

#[rustfmt::skip]
const GROUPS: &[Group] = &[
    Group { title: "Task", open: true, fields: &[
        plain("task.kind", "Task"),
        plain("seed", "Seed"),
        plain("task.batch", "Batch"),
        plain("task.test_trials", "Test trials"),
    ]},
    Group { title: "Network", open: true, fields: &[
        plain("network.n_rec", "Units"),
        log("network.gain", "Initial gain", 0.05, 5.0),
        slider("network.alpha", "Leak alpha", 0.0, 0.95),
        plain("network.activation", "Activation"),
    ]},
    Group { title: "Learning rule", open: true, fields: &[
        plain("rule.kind", "Rule"),
        plain("rule.window", "Steps back"),
        plain("rule.feedback.scale", "Feedback"),
        plain("rule.rho.of", "rho of"),
        plain("rule.rho.value", "rho"),
    ]},
    Group { title: "Optimiser", open: true, fields: &[
        plain("optimizer.kind", "Optimiser"),
        log("optimizer.learning_rate", "Learning rate", 1e-6, 1.0),
        slider("optimizer.momentum", "Momentum", 0.0, 0.99),
        plain("optimizer.clip_norm", "Clip norm"),
        plain("optimizer.l2", "L2 factor"),
        plain("iterations", "Iterations"),
    ]},
    Group { title: "Schedule", open: false, fields: &[
        plain("schedule.kind", "Schedule"),
        plain("schedule.warmup", "Warm-up"),
        plain("schedule.initial_factor", "Start factor"),
        plain("schedule.factor", "Step factor"),
        plain("schedule.every", "Step every"),
        plain("schedule.decay", "Decay"),
        plain("schedule.final_factor", "Final factor"),
    ]},
    Group { title: "Flossing", open: false, fields: &[
        plain("flossing.iterations", "Before training"),
        plain("flossing.k", "Exponents k"),
        plain("flossing.variant", "Variant"),
        log("flossing.learning_rate", "Flossing rate", 1e-5, 1e-1),
        plain("flossing.trials", "Trials"),
        plain("flossing.during.every", "During, every"),
        plain("flossing.during.iterations", "During, iterations"),
    ]},
    Group { title: "Measures", open: false, fields: &[
        plain("measure.test", "Test"),
        plain("measure.curvature", "Curvature"),
        plain("measure.lyapunov", "Lyapunov"),
        plain("measure.alignment", "Alignment"),
        plain("measure.landscape", "Landscape"),
        plain("measure.probe_trials", "Probe trials"),
        plain("measure.block", "Block"),
        plain("measure.top_k", "Eigenvalues"),
        plain("measure.lyapunov_exponents", "Exponents"),
        plain("measure.lyapunov_skip", "Skip"),
        plain("measure.lyapunov_drive", "Drive"),
        plain("measure.slice.directions", "Slice"),
        plain("measure.slice.points", "Slice points"),
        plain("measure.slice.range", "Slice range"),
    ]},
    Group { title: "Initial weights, precision", open: false, fields: &[
        plain("precision", "Precision"),
        plain("network.init.input", "Input"),
        plain("network.init.input_scale", "Input factor"),
        plain("network.init.readout", "Readout"),
        plain("network.init.readout_scale", "Readout factor"),
        plain("network.adaptive.units", "Adaptive units"),
        plain("network.adaptive.beta", "Adaptation beta"),
        plain("network.adaptive.tau", "Adaptation tau"),
    ]},
    Group { title: "Stopping", open: false, fields: &[
        plain("stop.loss_below", "Loss below"),
        plain("stop.test_accuracy_above", "Accuracy above"),
        plain("stop.diverged_above", "Diverged above"),
        plain("stop.plateau", "Plateau"),
    ]},
];

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut Experiment, asked: &mut Asked) {
    state.follow(session.settings());
    let errors = state.refused.as_ref().map_or(&[][..], |(_, errors)| errors);
    let pending = session.pending();
    let waiting: Vec<_> = pending.iter().filter(|d| d.needs_reset).collect();
    let refused = session.settings().resolved().err().map(ToString::to_string);
    bottom(ui, session, refused.as_deref(), &waiting, asked);
    let Some(sound) = &state.sound else { return };
    let keys: Vec<String> = waiting.iter().map(|d| d.key.clone()).collect();
    let read = Reading { session, values: &sound.values, sources: &sound.sources, pending: &keys, errors };
    let task = sound.values.get("task.kind").and_then(Value::as_str).unwrap_or_default();
    let task = TaskKind::ALL.into_iter().find(|t| t.name() == task).unwrap_or(TaskKind::Romo);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for group in GROUPS {
            let late = |f: &&Field<'_>| config::key(f.key, task).is_some_and(|k| k.needs_reset);
            // Where a few act later than the rest of their group, their rows say so.
            let needs_reset = 2 * group.fields.iter().filter(late).count() > group.fields.len();
            let when = if needs_reset { "after a reset" } else { "at once" };
            egui::CollapsingHeader::new(format!("{} ({when})", group.title)).default_open(group.open).show(
                ui,
                |ui| {
                    egui::Grid::new(group.title).num_columns(2).min_col_width(84.0).show(ui, |ui| {
                        let own = group.title == "Task";
                        for field in group.fields.iter().filter(|f| is_of_use(f.key, &sound.values)) {
                            if let Some(info) = config::key(field.key, task) {
                                fields::row(ui, *field, info, info.needs_reset != needs_reset, &read, asked);
                            }
                        }
                        for info in config::keys().iter().filter(|k| own && k.task == Some(task)) {
                            let label = own_label(info.path);
                            let field = Field { key: info.path, label: &label, control: Control::Plain };
                            fields::row(ui, field, info, info.needs_reset != needs_reset, &read, asked);
                        }
                    });
                },
            );
        }
    });
}

/// A task's own key as a label: `task.delay_min` is "Delay min".
fn own_label(path: &str) -> String {
    fields::sentence(&path.rsplit('.').next().unwrap_or(path).replace('_', " "))
}

/// Keys that have no effect under the other settings are left out.
fn is_of_use(key: &str, values: &BTreeMap<String, Value>) -> bool {
    let is = |key: &str, words: &[&str]| {
        values.get(key).and_then(Value::as_str).is_some_and(|word| words.contains(&word))
    };
    match key {
        "rule.window" => is("rule.kind", &["truncated-bptt"]),
        "rule.feedback.scale" => is("rule.kind", &["rflo"]),
        "rule.rho.of" | "rule.rho.value" => is("rule.kind", &["scaled-bptt", "upscaled"]),
        "optimizer.momentum" => is("optimizer.kind", &["sgd"]),
        "schedule.initial_factor" | "schedule.factor" | "schedule.every" => is("schedule.kind", &["step"]),
        "schedule.decay" => is("schedule.kind", &["exponential"]),
        "schedule.final_factor" => is("schedule.kind", &["cosine"]),
        _ => true,
    }
}

/// What stands below the fields and is always in sight: what is wrong, what waits, the buttons.
fn bottom(
    ui: &mut Ui,
    session: &Session,
    refused: Option<&str>,
    waiting: &[&crate::session::runs::Difference],
    asked: &mut Asked,
) {
    egui::Panel::bottom("apply").show(ui, |ui| {
        let warning = theme::warning(ui.visuals().dark_mode);
        if let Some(text) = refused {
            ui.colored_label(warning, text);
        } else if let Ok(resolved) = session.settings().resolved() {
            for text in &resolved.warnings {
                ui.small(text).on_hover_text("A warning: the settings are sound, but this may surprise");
            }
        }
        for difference in waiting.iter().take(6) {
            ui.colored_label(warning, setting_words::change(difference));
        }
        if waiting.len() > 6 {
            ui.colored_label(warning, format!("and {} more", waiting.len() - 6));
        }
        ui.horizontal_wrapped(|ui| {
            let apply = ui.add_enabled(refused.is_none(), egui::Button::new("Apply and reset"));
            if apply.on_hover_text("Start the selected run afresh with the settings above").clicked() {
                asked.act(Action::Apply);
            }
            let new = ui.add_enabled(refused.is_none(), egui::Button::new("New run"));
            if new.on_hover_text("Start another run with the settings above, beside the others").clicked() {
                asked.act(Action::StartNew);
            }
            let revert =
                ui.add_enabled(!waiting.is_empty() || refused.is_some(), egui::Button::new("Revert"));
            if revert.on_hover_text("Back to the settings of the selected run").clicked() {
                asked.act(Action::Revert);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_settings_has_a_field_and_every_field_a_key() {
        let fields: Vec<&str> = GROUPS.iter().flat_map(|g| g.fields).map(|f| f.key).collect();
        for info in config::keys() {
            let own = info.task.is_some();
            // The loss follows from the task.
            let left_out = info.path == "task.loss";
            assert!(own || left_out || fields.contains(&info.path), "{} has no field", info.path);
        }
        for field in &fields {
            assert!(config::keys().iter().any(|info| info.path == *field), "{field} is no key");
        }
        let mut labels: Vec<&str> = GROUPS.iter().flat_map(|g| g.fields).map(|f| f.label).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), fields.len(), "two fields have one label");
    }
}
