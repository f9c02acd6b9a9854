//! Owns the bar at the top: menus, preset, transport, speed, how the selected run is doing, export.

use eframe::egui::{self, Button, Ui};

use super::app::Asked;
use super::commands::{self, Command, Entry, Menu};
use super::layout::Layout;
use super::plot::number;
use super::theme::{Look, ThemeChoice};
use crate::numerics::tasks::TaskKind;
use crate::session::{Action, Export, Picture, RunEntry, RunState, Session, words};
use crate::training::history::Series;

/// Speeds to choose from, in updates a second.
const SPEEDS: &[(Option<f64>, &str)] = &[
    (None, "Full speed"),
    (Some(1000.0), "1000 per second"),
    (Some(100.0), "100 per second"),
    (Some(30.0), "30 per second"),
    (Some(10.0), "10 per second"),
    (Some(1.0), "1 per second"),
];

/// Width of the window, in points, below which the bar's lists are narrower.
const NARROW: f32 = 1100.0;

/// Draws the bar.
pub fn show(ui: &mut Ui, session: &Session, layout: &Layout, look: Look, asked: &mut Asked) {
    egui::Panel::top("top bar").show(ui, |ui| {
        egui::MenuBar::new().ui(ui, |ui| {
            for which in [Menu::File, Menu::Run, Menu::View, Menu::Help] {
                menu(ui, which, session, layout, look, asked);
            }
            super::lesson::menu(ui, session, asked);
            ui.separator();
            let is_narrow = ui.ctx().content_rect().width() < NARROW;
            presets(ui, session, is_narrow, asked);
            ui.separator();
            transport(ui, session, asked);
            ui.separator();
            speed(ui, session, is_narrow, asked);
            ui.separator();
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                menu(ui, Menu::Export, session, layout, look, asked);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| status(ui, session));
            });
        });
    });
}

fn menu(ui: &mut Ui, which: Menu, session: &Session, layout: &Layout, look: Look, asked: &mut Asked) {
    ui.menu_button(which.name(), |ui| {
        let mut themes_begun = false;
        for entry in commands::menu(which) {
            let begins_group = matches!(
                entry.command,
                Command::Undo | Command::Quit | Command::RunAll | Command::LargerText | Command::Toggle(_)
            );
            let is_theme = matches!(entry.command, Command::SystemTheme);
            if is_theme || begins_group && !(matches!(entry.command, Command::Toggle(_)) && themes_begun) {
                ui.separator();
            }
            themes_begun |= matches!(entry.command, Command::Toggle(_));
            let selected = is_on(entry, layout, look);
            let mut button = Button::selectable(selected, entry.name);
            if let Some(key) = entry.key {
                button = button.shortcut_text(commands::key_name(key));
            }
            if ui.add_enabled(is_possible(entry, session), button).on_hover_text(entry.help).clicked() {
                asked.command(entry.command);
                ui.close();
            }
        }
    });
}

fn is_on(entry: &Entry, layout: &Layout, look: Look) -> bool {
    match entry.command {
        Command::Toggle(panel) => layout.is_shown(panel),
        Command::SystemTheme => look.theme == ThemeChoice::System,
        Command::LightTheme => look.theme == ThemeChoice::Light,
        Command::DarkTheme => look.theme == ThemeChoice::Dark,
        Command::Presenter => look.presenter,
        _ => false,
    }
}

fn is_possible(entry: &Entry, session: &Session) -> bool {
    match entry.command {
        Command::Undo => session.settings().can_undo(),
        Command::Redo => session.settings().can_redo(),
        Command::BringBack => session.last_aside().is_some(),
        Command::Branch => session.current().is_some(),
        Command::Step | Command::TenSteps | Command::RunOrPause | Command::Stop | Command::Bookmark => {
            session.current().is_some_and(RunEntry::is_alive)
        }
        Command::Save(Export::Lesson) => session.playing().is_some(),
        // These need no run; where there is no sweep or scan to write either, the answer says so.
        Command::Save(Export::Picture(picture)) if Picture::OF_SWEEP.contains(&picture) => true,
        Command::Save(Export::Gains | Export::Picture(Picture::Gains)) => true,
        Command::Save(_) | Command::Reset | Command::NewSeed => session.current().is_some(),
        _ => true,
    }
}

/// A task brings its preset for every key that is not set.
fn presets(ui: &mut Ui, session: &Session, is_narrow: bool, asked: &mut Asked) {
    let kind = session.settings().given_value("task.kind").and_then(|v| v.as_str()).unwrap_or("romo");
    let title = TaskKind::ALL.into_iter().find(|t| t.name() == kind).map_or(kind, |t| t.title());
    let response = egui::ComboBox::from_id_salt("preset")
        .selected_text(title)
        .width(if is_narrow { 100.0 } else { 150.0 })
        .truncate()
        .show_ui(ui, |ui| {
            // Said before it is touched.
            let is_there = session.current().is_some();
            ui.weak(if is_there { "Starts the selected run afresh with" } else { "Starts a run with" });
            for task in TaskKind::ALL.into_iter().filter(|t| *t != TaskKind::File) {
                let response = ui.selectable_label(task.name() == kind, task.title());
                if response.on_hover_text(task.name()).clicked() {
                    let mut table = toml::Table::new();
                    crate::session::settings::put(&mut table, "task.kind", Some(task.name().into()));
                    asked.act(Action::StartPreset(table));
                }
            }
        })
        .response
        .on_hover_text("Preset: start the selected run afresh with all settings of a task; what it was can be brought back");
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Preset");
        info.current_text_value = Some(title.to_owned());
        info
    });
}

fn transport(ui: &mut Ui, session: &Session, asked: &mut Asked) {
    let run = session.current();
    let running = run.is_some_and(RunEntry::is_running);
    let name = if running { "Pause" } else { "Run" };
    for (command, name) in [
        (Command::Reset, "Reset"),
        (Command::RunOrPause, name),
        (Command::Step, "Step 1"),
        (Command::TenSteps, "Step 10"),
    ] {
        let Some(entry) = commands::find(command) else { continue };
        let mut button = Button::new(name);
        if command == Command::RunOrPause {
            // One width for both words, so that nothing jumps.
            button = button.min_size(egui::vec2(52.0, 0.0)).selected(running);
        }
        let tip = match entry.key {
            Some(key) => format!("{} ({})", entry.help, commands::key_name(key)),
            None => entry.help.into(),
        };
        if ui.add_enabled(is_possible(entry, session), button).on_hover_text(tip).clicked() {
            asked.command(command);
        }
    }
}

fn speed(ui: &mut Ui, session: &Session, is_narrow: bool, asked: &mut Asked) {
    let speed = session.current().and_then(|run| run.speed);
    let text = match SPEEDS.iter().find(|s| s.0 == speed) {
        Some((_, name)) => (*name).to_owned(),
        None => speed.map_or("Full speed".into(), |speed| format!("{} per second", number::short(speed))),
    };
    let response = egui::ComboBox::from_id_salt("speed")
        .selected_text(if is_narrow { text.replace(" per second", "/s") } else { text.clone() })
        .width(if is_narrow { 70.0 } else { 110.0 })
        .truncate()
        .show_ui(ui, |ui| {
            for (choice, name) in SPEEDS {
                if ui.selectable_label(*choice == speed, *name).clicked() {
                    asked.act(Action::Speed(*choice));
                }
            }
        })
        .response
        .on_hover_text("At most so many updates of the selected run a second");
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, "Speed");
        info.current_text_value = Some(text.clone());
        info
    });
}

/// Room in points that the loss takes.
const LOSS: f32 = 95.0;

/// Iteration, loss and time left of the selected run, as far as there is room.
fn status(ui: &mut Ui, session: &Session) {
    let Some(run) = session.current() else {
        ui.label("No run");
        return;
    };
    let of = run.config.iterations;
    ui.label(format!("{} / {}", number::count(run.iteration), number::count(of as i64)))
        .on_hover_text("Iterations: updates made, of those to make");
    if let Some(loss) = run.curves.last(Series::TrainLoss).filter(|_| ui.available_width() > LOSS) {
        ui.label(format!("loss {}", number::value(loss.value))).on_hover_text(Series::TrainLoss.meaning());
    }
    let state = match &run.state {
        RunState::Running if run.pace().is_some() => {
            let left = (of as i64 - run.iteration).max(0) as f64 / run.pace().unwrap_or(f64::INFINITY);
            format!("{} left", number::duration(left))
        }
        state => words::state(state).to_owned(),
    };
    // Rather nothing than the three dots of a word.
    if ui.available_width() < 40.0 {
        return;
    }
    let pace = run.pace().map_or(String::new(), |pace| format!("{pace:.0} updates a second, "));
    ui.add(egui::Label::new(state).truncate()).on_hover_text(format!(
        "{}; {pace}{} of training so far",
        words::state(&run.state),
        number::duration(run.seconds.total())
    ));
}
