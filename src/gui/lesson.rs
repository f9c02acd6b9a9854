//! Owns the lesson beside the panels: its text, the jumps, what is expected and what is seen; the menu of lessons.

use eframe::egui::{self, Ui};
use egui_commonmark::{CommonMarkCache, CommonMarkViewer};

use super::app::Asked;
use super::commands::Command;
use super::curves;
use super::layout::{Layout, Panel};
use super::plot::number;
use super::{plots, theme, windows};
use crate::session::lessons::{Lesson, Step, StepKind, WHICH, lessons};
use crate::session::{Action, Playing, Session};

/// What the lesson keeps.
#[derive(Default)]
pub struct State {
    cache: CommonMarkCache,
    /// The lesson and step whose panels are shown.
    arranged: Option<(usize, usize)>,
    /// Layout and curves before the lesson.
    before: Option<(Layout, curves::State)>,
    /// The step of which the expectation is shown before it is seen.
    told: Option<(usize, usize)>,
    /// Whether the page on which lesson to take is open.
    which: bool,
}

impl State {
    /// Opens or closes the page on which lesson to take.
    pub fn toggle_which(&mut self) {
        self.which = !self.which;
    }

    /// The layout that comes back after the lesson that is being taken, to be changed; its step is arranged anew.
    pub fn layout_after(&mut self) -> Option<&mut Layout> {
        let (layout, _) = self.before.as_mut()?;
        self.arranged = None;
        Some(layout)
    }

    /// Shows the panels and plots of a step that has begun; brings layout and curves back after the lesson.
    pub fn arrange(
        &mut self,
        session: &Session,
        layout: &mut Layout,
        curves: &mut curves::State,
        height: f32,
    ) {
        let now = session.playing().map(|playing| (playing.lesson, playing.step));
        if now == self.arranged && (now.is_some() || self.before.is_none()) {
            return;
        }
        self.arranged = now;
        match session.playing() {
            Some(playing) => {
                if self.before.is_none() {
                    self.before = Some((layout.clone(), curves.clone()));
                }
                let step = &playing.lesson().steps[playing.step];
                *layout = Layout::of_panels(&panels(step), height);
                *curves = curves::State::of_plots(&step.plots);
            }
            None => {
                if let Some(before) = self.before.take() {
                    (*layout, *curves) = before;
                }
            }
        }
    }

    /// Draws the lesson that is being taken, and the page on which to take where it is open.
    pub fn show(&mut self, ui: &mut Ui, session: &Session, asked: &mut Asked) {
        let (cache, which) = (&mut self.cache, &mut self.which);
        *which &= !windows::is_closed(ui.ctx());
        egui::Window::new("Which lesson to take").open(which).default_width(560.0).vscroll(true).show(
            ui.ctx(),
            |ui| {
                CommonMarkViewer::new().show(ui, cache, &page());
            },
        );
        let Some(playing) = session.playing() else { return };
        let widest = 0.4 * ui.available_width();
        egui::Panel::left("lesson").default_size(widest.min(340.0)).resizable(true).show(ui, |ui| {
            egui::Panel::bottom("lesson buttons").show(ui, |ui| buttons(ui, playing, asked));
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| self.text(ui, session, playing));
        });
    }

    fn text(&mut self, ui: &mut Ui, session: &Session, playing: &Playing) {
        let lesson = playing.lesson();
        let step = &lesson.steps[playing.step];
        ui.heading(&lesson.title);
        ui.weak(format!("Step {} of {}: {}", playing.step + 1, lesson.steps.len(), step.kind.title()));
        ui.add_space(6.0);
        ui.strong(&step.title);
        CommonMarkViewer::new().show(ui, &mut self.cache, &step.text);
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            ui.strong("Look at");
            ui.label(&step.look_at);
        });
        ui.horizontal_wrapped(|ui| {
            ui.strong("Use");
            let controls: Vec<String> = step.controls.iter().map(|name| as_written(name)).collect();
            ui.label(controls.join(", "));
        });
        if step.controls.iter().any(|name| name == "Run") && lesson.runs(playing.step).len() > 1 {
            ui.small("Run, Step and Pause act on all runs of the lesson at once.");
        }
        ui.add_space(6.0);
        if !playing.is_reached() {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Computing the state of this step");
            });
        }
        let own = (playing.lesson, playing.step);
        if step.kind == StepKind::Predict && self.told != Some(own) {
            let tip = "Predict first";
            if ui.button("Show what to expect").on_hover_text(tip).clicked() {
                self.told = Some(own);
            }
            return;
        }
        ui.horizontal_wrapped(|ui| {
            ui.strong("Expected");
            ui.label(&step.expect);
        });
        for (words, value, holds) in session.observations() {
            let seen = value.map_or(String::new(), |value| format!(" It is {}.", number::value(value)));
            let text = format!("{} {words}.{seen}", if holds { "Seen:" } else { "Not seen now:" });
            if holds {
                ui.small(text);
            } else {
                ui.colored_label(theme::warning(ui.visuals().dark_mode), egui::RichText::new(text).small());
            }
        }
    }
}

/// A control by what is written on it, and where it is.
fn as_written(name: &str) -> String {
    let Some((plot, button)) = name.split_once(": ") else { return name.to_owned() };
    let panel = plots::titled(plot).map_or(plot, |own| own.panel.title());
    let button = if button == "table of numbers" { "table" } else { button };
    format!("{button} in the panel {panel}")
}

fn buttons(ui: &mut Ui, playing: &Playing, asked: &mut Asked) {
    ui.horizontal_wrapped(|ui| {
        let (step, last) = (playing.step, playing.lesson().steps.len() - 1);
        let mut button = |on: bool, text: &str, tip: &str, action: Action| {
            if ui.add_enabled(on, egui::Button::new(text)).on_hover_text(tip).clicked() {
                asked.act(action);
            }
        };
        let back = Action::LessonStep(step.saturating_sub(1));
        button(step > 0, "Previous step", "Jump to the state of the step before", back);
        button(step < last, "Next step", "Jump to the state of the next step", Action::LessonStep(step + 1));
        button(true, "Step again", "Jump to the state of this step again", Action::LessonStep(step));
        button(true, "Leave the lesson", "Close its runs and bring back your own", Action::EndLesson);
    });
}

/// The page without its title, which the window has, and without its links, which lead to files.
fn page() -> String {
    let body = WHICH.split_once('\n').map_or("", |(_, rest)| rest);
    lessons().iter().fold(body.to_owned(), |text, lesson| {
        text.replace(&format!("[{}]({}.md)", lesson.title, lesson.name), &lesson.title)
    })
}

/// The panels that a step shows.
pub fn panels(step: &Step) -> Vec<Panel> {
    step.panels.iter().filter_map(|name| Panel::from_name(name)).collect()
}

/// The menu of lessons.
pub fn menu(ui: &mut Ui, session: &Session, asked: &mut Asked) {
    ui.menu_button("Lessons", |ui| {
        let now = session.playing().map(|playing| playing.lesson);
        for (i, lesson) in lessons().iter().enumerate() {
            let button = egui::Button::selectable(now == Some(i), name(lesson));
            if ui.add(button).on_hover_text(&lesson.summary).clicked() {
                asked.act(Action::BeginLesson(i));
                ui.close();
            }
        }
        ui.separator();
        if ui.button("Which lesson to take").on_hover_text("One page, with timings").clicked() {
            asked.command(Command::WhichLesson);
            ui.close();
        }
        let leave = ui.add_enabled(now.is_some(), egui::Button::new("Leave lesson"));
        if leave.on_hover_text("Close its runs and bring back your own").clicked() {
            asked.act(Action::EndLesson);
            ui.close();
        }
    });
}

/// A lesson in the menu.
pub fn name(lesson: &Lesson) -> String {
    format!("{} ({} min)", lesson.title, lesson.minutes)
}
