//! Owns the page on which a sweep is planned: keys, values, seeds, folder, start.

use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{self, PopupCloseBehavior, Ui};

use super::{folder_button, key_in_words, meaning};
use crate::gui::app::Asked;
use crate::gui::plot::number;
use crate::gui::status_line::{self, Part};
use crate::session::sweeping::draft::{Draft, MOST_AT_ONCE, Varied, spaced, typed, values};
use crate::session::sweeping::{Ask, Sweeping};
use crate::session::{Action, Dialog, Session};
use crate::training::config::keys::{Values, keys};

/// What the page keeps.
#[derive(Debug)]
pub struct State {
    /// The key that is being added.
    key: String,
    /// Evenly spaced values of a key, as they are being asked for.
    spaced: String,
    from: f64,
    to: f64,
    n: usize,
    log: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { key: String::new(), spaced: String::new(), from: 1e-4, to: 1e-2, n: 5, log: true }
    }
}

/// What stands around labels and fields, in points: a box to tick, a menu, the way out of the plan.
const BESIDE_FIELDS: f32 = 135.0;

/// Width of the longest label.
fn labels_width(ui: &Ui, draft: &Draft) -> f32 {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let width = |text: String| ui.painter().layout_no_wrap(text, font.clone(), egui::Color32::WHITE).size().x;
    let keys = draft.varied.iter().map(|v| key_in_words(&v.key));
    keys.chain(["runs at once".to_owned()]).map(width).fold(0.0, f32::max)
}

/// Keys that every plan has a row for.
const USUAL: usize = 3;

/// Draws the page.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let sweeping = session.sweeping();
    if sweeping.is_outdated(session.settings().given()) {
        asked.act(Action::Sweep(Ask::Preview));
    }
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        start(ui, session, asked);
        let mut draft = sweeping.draft().clone();
        let width = (ui.available_width() - labels_width(ui, &draft) - BESIDE_FIELDS).max(80.0);
        egui::Grid::new("sweep plan").num_columns(3).show(ui, |ui| {
            let mut removed = None;
            for (i, varied) in draft.varied.iter_mut().enumerate() {
                if row(ui, varied, (i >= USUAL, width), state) {
                    removed = Some(i);
                }
            }
            if let Some(i) = removed {
                draft.varied.remove(i);
            }
            let label = ui.label("seeds").on_hover_text("Each setting is run with each seed: 1, 2, 5 or 1 to 8");
            ui.add(egui::TextEdit::singleline(&mut draft.seeds).id_salt("seeds").desired_width(width).min_size(egui::vec2(width, 0.0)))
                .labelled_by(label.id)
                .on_hover_text("Each setting is run with each seed: 1, 2, 5 or 1 to 8");
            ui.end_row();
            another(ui, state, width, asked);
            ui.end_row();
            folder(ui, sweeping, &mut draft, width, asked);
            ui.end_row();
            add_to_open(ui, sweeping, &mut draft);
            let label = ui.label("runs at once");
            let most = sweeping.threads().clamp(1, MOST_AT_ONCE);
            ui.add(egui::DragValue::new(&mut draft.at_once).range(1..=most)).labelled_by(label.id).on_hover_text(
                "Each run takes one thread. Half of the threads leave room for the runs in the window; the numbers \
                 of a run do not depend on it.",
            );
            ui.end_row();
        });
        if draft != *sweeping.draft() {
            asked.act(Action::Sweep(Ask::Draft(draft)));
        }
    });
}

/// The row of a key; whether it is to go.
fn row(ui: &mut Ui, varied: &mut Varied, (can_go, width): (bool, f32), state: &mut State) -> bool {
    let tip = meaning(&varied.key);
    let tick = ui.checkbox(&mut varied.on, key_in_words(&varied.key)).on_hover_text(&tip);
    let (on, name) = (varied.on, format!("Vary {}", varied.key));
    tick.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on, &name));
    let field = egui::TextEdit::singleline(&mut varied.values)
        .id_salt(("values", &varied.key))
        .desired_width(width)
        .min_size(egui::vec2(width, 0.0))
        .hint_text("Values");
    let response = ui.add_enabled(varied.on, field);
    let name = format!("Values of {}", varied.key);
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::TextInput, on, &name);
        info.current_text_value = Some(varied.values.clone());
        info
    });
    response
        .on_hover_text(format!("{tip}\nValues between commas; 1e-4 to 1e-2 in 5 spaces them by factors."));
    let is_to_go = ui.horizontal(|ui| {
        helper(ui, varied, state);
        if can_go {
            let button = ui.add(egui::Button::new("×").small().frame(false));
            let name = format!("Do not vary {}", varied.key);
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            return button.on_hover_text("Take the key out of the plan").clicked();
        }
        false
    });
    ui.end_row();
    is_to_go.inner
}

/// A menu that writes the list: words to tick, or evenly spaced numbers.
fn helper(ui: &mut Ui, varied: &mut Varied, state: &mut State) {
    let info = keys().iter().find(|k| k.path == varied.key);
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    match info.map(|i| i.values) {
        Some(Values::Choice(words)) => {
            let (button, _) = MenuButton::new("Choose…").config(config).ui(ui, |ui| {
                let mut chosen: Vec<String> = values(&varied.values)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|v| Some(v.as_str()?.to_owned()))
                    .collect();
                for word in words {
                    let mut on = chosen.iter().any(|c| c == word);
                    if ui.checkbox(&mut on, *word).changed() {
                        chosen.retain(|c| c != word);
                        chosen.extend(on.then(|| (*word).to_owned()));
                        varied.values = chosen.join(", ");
                    }
                }
            });
            let name = format!("Choose values of {}", varied.key);
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            button.on_hover_text("Tick the values");
        }
        Some(Values::Number(_) | Values::Whole(..) | Values::WholeOr(..)) => {
            let (button, _) = MenuButton::new("Space…").config(config).ui(ui, |ui| {
                state.begin(varied);
                if let Some(text) =
                    spacing(ui, state, matches!(info.map(|i| i.values), Some(Values::Number(_))))
                {
                    varied.values = text;
                    ui.close();
                }
            });
            let name = format!("Space values of {}", varied.key);
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            button.on_hover_text("Evenly spaced values from, to, how many");
        }
        _ => {}
    }
}

impl State {
    /// Begins to ask for values of a key, from the smallest to the largest of those that it has.
    fn begin(&mut self, varied: &Varied) {
        if self.spaced == varied.key {
            return;
        }
        self.spaced.clone_from(&varied.key);
        let list = values(&varied.values).unwrap_or_default();
        let numbers = || list.iter().filter_map(|v| v.as_float().or(v.as_integer().map(|n| n as f64)));
        if let (Some(from), Some(to)) = (numbers().reduce(f64::min), numbers().reduce(f64::max)) {
            (self.from, self.to) = (from, to);
            self.log = from > 0.0 && to >= 5.0 * from;
        }
    }
}

/// Evenly spaced values; the list where it is taken.
fn spacing(ui: &mut Ui, state: &mut State, fractions: bool) -> Option<String> {
    egui::Grid::new("spacing").num_columns(2).show(ui, |ui| {
        let format = |v: f64, _: std::ops::RangeInclusive<usize>| number::short(v);
        for (text, value) in [("from", &mut state.from), ("to", &mut state.to)] {
            let label = ui.label(text);
            let speed = (value.abs() * 0.01).max(1e-6);
            ui.add(egui::DragValue::new(value).speed(speed).custom_formatter(format)).labelled_by(label.id);
            ui.end_row();
        }
        let label = ui.label("how many");
        ui.add(egui::DragValue::new(&mut state.n).range(2..=100)).labelled_by(label.id);
        ui.end_row();
    });
    ui.checkbox(&mut state.log, "by equal factors").on_hover_text("Evenly apart on a logarithmic scale");
    let mut numbers = spaced(state.from, state.to, state.n, state.log);
    if !fractions && let Some(numbers) = &mut numbers {
        numbers.iter_mut().for_each(|v| *v = v.round());
        numbers.dedup();
    }
    let text = numbers.as_deref().map(typed);
    ui.weak(text.as_deref().unwrap_or("Equal factors need numbers above 0"));
    let take = ui.add_enabled(text.is_some(), egui::Button::new("Take these values"));
    if take.on_hover_text("Write them into the list").clicked() { text } else { None }
}

/// Any other key, by name.
fn another(ui: &mut Ui, state: &mut State, width: f32, asked: &mut Asked) {
    let label = ui.label("another key").on_hover_text("Any key of the settings by its full path");
    let field = egui::TextEdit::singleline(&mut state.key)
        .id_salt("another key")
        .desired_width(width)
        .min_size(egui::vec2(width, 0.0))
        .hint_text("flossing.iterations");
    let field = ui.add(field).labelled_by(label.id);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let ready = !state.key.trim().is_empty();
    let add = ui.add_enabled(ready, egui::Button::new("Add key"));
    if ready && (entered | add.on_hover_text("Vary this key too").clicked()) {
        asked.act(Action::Sweep(Ask::Add(state.key.clone())));
        // What is no key stays, to be mended.
        if keys().iter().any(|key| key.path == state.key.trim()) {
            state.key.clear();
        }
    }
}

fn folder(ui: &mut Ui, sweeping: &Sweeping, draft: &mut Draft, width: f32, asked: &mut Asked) {
    let own = sweeping.folder().map_or(String::new(), |f| f.display().to_string());
    let tip = format!("Each run gets a folder of its own in it, with all its files. Now: {own}");
    let label = ui.label("folder").on_hover_text(&tip);
    // The end of a path is what tells folders apart.
    let name = sweeping.folder().and_then(|f| Some(format!("…/{}", f.file_name()?.to_string_lossy())));
    let field = egui::TextEdit::singleline(&mut draft.folder)
        .id_salt("folder")
        .desired_width(width)
        .min_size(egui::vec2(width, 0.0))
        .hint_text(name.unwrap_or(own));
    ui.add(field).labelled_by(label.id).on_hover_text(&tip);
    folder_button(ui, "Folder…", "Choose the folder for the runs", Dialog::SweepFolder, asked);
}

/// A row with the offer to go on in the folder of the sweep that is open, where the runs would go elsewhere.
fn add_to_open(ui: &mut Ui, sweeping: &Sweeping, draft: &mut Draft) {
    let open = sweeping.outcomes().map(|outcomes| outcomes.folder.clone());
    let Some(open) = open.filter(|open| sweeping.folder().as_ref() != Some(open)) else { return };
    let name = open.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ui.label("");
    let add = ui.button(format!("Add to {name}")).on_hover_text(
        "The runs go to the folder of the sweep that is open: those that it has already are not made again",
    );
    if add.clicked() {
        draft.folder = open.display().to_string();
    }
    ui.end_row();
}

/// How many runs there are, how long they may take, and the button.
fn start(ui: &mut Ui, session: &Session, asked: &mut Asked) {
    let sweeping = session.sweeping();
    let mut is_sound = false;
    // One line each, so that nothing below them moves while a plan is typed.
    let mut notes = vec![Part::new(
        "All else as in the experiment panel",
        "Keys that are not set follow the preset of each run's task and rule",
    )];
    match sweeping.preview() {
        None => _ = ui.weak("Counting the runs"),
        Some(Err(error)) => {
            let text = egui::RichText::new(error).color(ui.visuals().error_fg_color);
            ui.add(egui::Label::new(text).truncate().show_tooltip_when_elided(false)).on_hover_text(error);
        }
        Some(Ok(preview)) => {
            is_sound = true;
            let mut text = format!(
                "{} runs, {} updates",
                number::count(preview.runs as i64),
                number::count(i64::try_from(preview.updates).unwrap_or(i64::MAX))
            );
            if let Some(seconds) = session.seconds_of_updates(preview.updates) {
                text += &format!("; the updates alone take about {}", number::duration(seconds));
            }
            let tip = format!("{text}.\nThe time is that of the updates alone, without measures.");
            ui.add(egui::Label::new(text).truncate().show_tooltip_when_elided(false)).on_hover_text(tip);
            let warning =
                |text: &String| Part::new(egui::RichText::new(text).strong(), "A warning: this may surprise");
            notes.splice(0..0, preview.warnings.iter().map(warning));
        }
    }
    status_line::show(ui, &notes);
    ui.horizontal_wrapped(|ui| {
        let ready = is_sound && !sweeping.is_running();
        let start = ui.add_enabled(ready, egui::Button::new("Start the sweep")).on_hover_text(
            "Make the runs, as `basinscope sweep` does; runs that the folder has already are not made again",
        );
        if start.clicked() {
            asked.act(Action::Sweep(Ask::Start));
        }
        let tip = "Look at a sweep, or go on with one, made here or by the command line";
        ui.add_enabled_ui(!sweeping.is_running(), |ui| {
            folder_button(ui, "Open a sweep…", tip, Dialog::OpenSweep, asked);
        });
    });
}
