//! Owns the fields of the experiment panel: one control for each key of the settings, made from the table of
//! keys.

use std::collections::BTreeMap;

use eframe::egui::{self, Response, Ui};
use toml::Value;

use super::app::Asked;
use super::explain::explained;
use super::plot::number;
use super::theme;
use crate::session::setting_words::term;
use crate::session::{Action, Session};
use crate::training::config::error::ConfigError;
use crate::training::config::keys::{KeyInfo, Range, Values};
use crate::training::presets::Source;

/// How a key is shown.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its full path.
    pub key: &'static str,
    /// What it is called.
    pub label: &'a str,
    /// How it is set.
    pub control: Control,
}

/// A control for a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Whatever its values ask for: a list to choose from, or a number to type or drag.
    Plain,
    /// A logarithmic slider over this range, with a typed value beyond it.
    LogSlider(f64, f64),
    /// A slider over this range.
    Slider(f64, f64),
}

/// What the fields of one frame read.
pub struct Reading<'a> {
    /// The session.
    pub session: &'a Session,
    /// Every setting; of one that is refused what stands without it.
    pub values: &'a BTreeMap<String, Value>,
    /// Where each comes from.
    pub sources: &'a BTreeMap<&'static str, Source>,
    /// Keys that "apply and reset" would change.
    pub pending: &'a [String],
    /// What is wrong with settings that are refused.
    pub errors: &'a [ConfigError],
}

/// Draws the row of a key: its label, its control, and what marks it as changed. `says_when`: with a word on when it
/// acts.
pub fn row(
    ui: &mut Ui,
    field: Field<'_>,
    info: &KeyInfo,
    says_when: bool,
    read: &Reading<'_>,
    asked: &mut Asked,
) {
    let given = read.session.settings().given_value(field.key);
    let Some(value) = given.or_else(|| read.values.get(field.key)) else { return };
    let pending = read.pending.iter().any(|key| key == field.key);
    let error = read.errors.iter().find(|error| error.key() == Some(field.key));
    let mut text = egui::RichText::new(field.label);
    if pending || error.is_some() {
        text = text.strong().color(theme::warning(ui.visuals().dark_mode));
    }
    let tip = || tooltip(info, read, pending);
    let label = explained(ui.label(text), tip);
    ui.vertical(|ui| {
        ui.set_max_width(ui.available_width());
        ui.horizontal(|ui| {
            // Room for the slider's number and for the way back to the preset.
            ui.spacing_mut().slider_width = (ui.available_width() - 90.0).clamp(40.0, 160.0);
            let response = control(ui, field, info, value, asked).labelled_by(label.id);
            explained(response, tip);
            if says_when {
                let (text, tip) = match info.needs_reset {
                    true => ("after a reset", "Unlike its group it acts on a run after Apply and reset"),
                    false => ("at once", "Unlike its group it acts at once"),
                };
                ui.small(text).on_hover_text(tip);
            }
            if given.is_some() && !is_main(field.key) {
                let back = ui.add(egui::Button::new("×").small().frame(false));
                let name = format!("Back to the preset: {}", field.label);
                back.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if back.on_hover_text("Back to the preset's value").clicked() {
                    asked.act(Action::Unset { key: field.key.into() });
                    asked.act(Action::Settle);
                }
            }
        });
        if let Some(error) = error {
            let text = egui::RichText::new(complaint(error)).small();
            let text = text.color(theme::warning(ui.visuals().dark_mode));
            let name = format!("{}: {error}", field.label);
            let said = ui.add(egui::Label::new(text).wrap());
            said.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &name));
        }
    });
    ui.end_row();
}

/// What is wrong, beside the field that says which key it is of and shows its value.
fn complaint(error: &ConfigError) -> String {
    match error {
        ConfigError::WrongValue { expected, .. } => format!("Expected {expected}"),
        other => other.to_string(),
    }
}

/// Keys that choose the preset itself.
fn is_main(key: &str) -> bool {
    matches!(key, "task.kind" | "seed")
}

fn tooltip(info: &KeyInfo, read: &Reading<'_>, pending: bool) -> String {
    let mut text = format!("{}.\nKey {}: {}.", sentence(info.help), info.path, info.values);
    if let Some(source) = read.sources.get(info.path) {
        text += match source {
            Source::P1 => "\nValue of Liu et al. 2022 [P1].",
            Source::P2 => "\nValue of Zhang et al. 2024 [P2].",
            Source::C => "\nValue of the authors' published code [C].",
            Source::Own => "\nOur own choice; the papers do not say.",
            Source::Given => "\nSet by you.",
        };
    }
    text += if info.needs_reset { "\nNeeds a reset." } else { "\nActs at once." };
    if pending {
        text += " Changed: waits for Apply and reset.";
    }
    text
}

/// With a capital letter.
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn control(ui: &mut Ui, field: Field<'_>, info: &KeyInfo, value: &Value, asked: &mut Asked) -> Response {
    match (info.values, value) {
        (Values::Choice(words), Value::String(now)) => choice(ui, field, words, now, asked),
        (Values::WholeOr(_, most, word), _) => whole_or(ui, field, most, word, value, asked),
        (Values::Whole(least, most), Value::Integer(now)) => whole(ui, field, least, most, *now, asked),
        (Values::Number(range), _) => match as_number(value) {
            Some(now) => real(ui, field, range, now, asked),
            None => ui.label(value.to_string()),
        },
        _ => text(ui, field, value, asked),
    }
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|n| n as f64))
}

fn set(field: Field<'_>, value: impl Into<Value>, asked: &mut Asked) {
    asked.act(Action::Set { key: field.key.into(), value: value.into() });
}

/// After a drag or a typed value the next change is a step of its own for undo.
fn settle(response: &Response, asked: &mut Asked) {
    if response.drag_stopped() || response.lost_focus() {
        asked.act(Action::Settle);
    }
}

fn choice(ui: &mut Ui, field: Field<'_>, words: &[&'static str], now: &str, asked: &mut Asked) -> Response {
    let response = egui::ComboBox::from_id_salt(field.key)
        .selected_text(term(field.key, now))
        .width((ui.available_width() - 24.0).clamp(56.0, 150.0))
        .truncate()
        .show_ui(ui, |ui| {
            for word in words {
                if ui.selectable_label(*word == now, term(field.key, word)).clicked() && *word != now {
                    set(field, *word, asked);
                    asked.act(Action::Settle);
                }
            }
        })
        .response;
    let (label, now) = (field.label.to_owned(), term(field.key, now).to_owned());
    response.widget_info(move || {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, &label);
        info.current_text_value = Some(now.clone());
        info
    });
    response
}

/// A drag stays within the range. A typed value outside of it is taken as it is: the settings then say what is
/// wrong, which tells more than another value than the one that was typed.
fn whole(ui: &mut Ui, field: Field<'_>, least: u64, most: u64, now: i64, asked: &mut Asked) -> Response {
    let mut n = now;
    let speed = (now.unsigned_abs() as f64 * 0.01).max(0.1);
    let response = ui.add(egui::DragValue::new(&mut n).speed(speed).update_while_editing(false));
    if n != now {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        set(field, if response.dragged() { n.clamp(least as i64, most) } else { n }, asked);
    }
    settle(&response, asked);
    response
}

/// A cadence or a skip: a number, or the word.
fn whole_or(
    ui: &mut Ui,
    field: Field<'_>,
    most: u64,
    word: &'static str,
    value: &Value,
    asked: &mut Asked,
) -> Response {
    let mut on = value.as_integer().is_some();
    let mut n = value.as_integer().unwrap_or(100);
    let tick = ui.checkbox(&mut on, "");
    let name = format!("{}: number, else {word}", field.label);
    tick.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, &name));
    let tick = explained(tick, || format!("Ticked: the number beside it. Not ticked: {word}"));
    let drag = egui::DragValue::new(&mut n)
        .range(0..=i64::try_from(most).unwrap_or(i64::MAX))
        .speed(1.0)
        .update_while_editing(false)
        .custom_formatter(move |n, _| match (on, n as i64) {
            (false, _) => word.into(),
            (true, 0) if word == "off" => "start and end".into(),
            (true, n) if word == "off" => format!("every {}", number::count(n)),
            (true, n) => n.to_string(),
        })
        .custom_parser(|text| {
            let text = text.trim().trim_start_matches("every").trim().replace(',', "");
            if text == "start and end" { Some(0.0) } else { text.parse().ok() }
        });
    let response = ui.add_enabled(on, drag);
    let now = value.as_integer();
    if on && now != Some(n) {
        set(field, n, asked);
    } else if !on && now.is_some() {
        set(field, word, asked);
    }
    if tick.changed() {
        asked.act(Action::Settle);
    }
    settle(&response, asked);
    response
}

fn real(ui: &mut Ui, field: Field<'_>, range: Range, now: f64, asked: &mut Asked) -> Response {
    let mut x = now;
    let format = |v: f64, _: std::ops::RangeInclusive<usize>| number::short(v);
    let response = match field.control {
        Control::Plain => {
            let drag = egui::DragValue::new(&mut x).speed((now.abs() * 0.01).max(1e-3));
            ui.add(drag.update_while_editing(false).custom_formatter(format))
        }
        Control::LogSlider(low, high) | Control::Slider(low, high) => {
            let slider = egui::Slider::new(&mut x, low..=high)
                .logarithmic(matches!(field.control, Control::LogSlider(..)))
                .smallest_positive(low.max(1e-12))
                .clamping(egui::SliderClamping::Never)
                .update_while_editing(false)
                .custom_formatter(format);
            ui.add(slider)
        }
    };
    if x != now {
        // Three digits are what a slider can aim at; a typed value keeps all of its own.
        let aimed = number::rounded(x, 3);
        match response.dragged() {
            true if range.contains(aimed) => set(field, aimed, asked),
            true => {}
            false => set(field, x, asked),
        }
    }
    settle(&response, asked);
    response
}

/// A value as one would type it: a list of numbers without the points that none of them needs.
fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let item = |v: &Value| v.as_float().map_or_else(|| v.to_string(), |x| x.to_string());
            format!("[{}]", list.iter().map(item).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Lists and paths are typed.
fn text(ui: &mut Ui, field: Field<'_>, value: &Value, asked: &mut Asked) -> Response {
    let id = ui.scope_id().with((field.key, "text"));
    let now = typed(value);
    let mut text = ui.data_mut(|data| data.get_temp::<String>(id)).unwrap_or_else(|| now.clone());
    // Its frame is outside of it.
    let width = (ui.available_width() - 4.0).clamp(56.0, 150.0);
    let response =
        ui.add(egui::TextEdit::singleline(&mut text).id_salt((field.key, "field")).desired_width(width));
    if response.has_focus() {
        ui.data_mut(|data| data.insert_temp(id, text));
    } else if response.lost_focus() {
        ui.data_mut(|data| data.remove::<String>(id));
        if text != now {
            let parsed = toml::from_str::<toml::Table>(&format!("v = {text}")).ok();
            let value = parsed.and_then(|mut table| table.remove("v")).unwrap_or(Value::String(text));
            set(field, value, asked);
            asked.act(Action::Settle);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_shown_as_it_would_be_typed_and_means_the_same() {
        let list = Value::Array(vec![10.0.into(), 2.5.into(), 3.into()]);
        assert_eq!(typed(&list), "[10, 2.5, 3]");
        let read = toml::from_str::<toml::Table>(&format!("v = {}", typed(&list))).unwrap();
        let numbers =
            |value: &Value| value.as_array().unwrap().iter().filter_map(as_number).collect::<Vec<_>>();
        assert_eq!(numbers(&read["v"]), numbers(&list));
    }
}
