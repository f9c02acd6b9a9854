//! Owns the line of messages below the top bar: what went wrong, with what can be done about it.

use eframe::egui::{self, Ui};

use super::app::Asked;
use super::theme;
use crate::session::{Action, Session};

/// Messages shown at once; older ones wait.
const MOST: usize = 3;

/// Draws the newest messages; nothing where there is none.
pub fn show(ui: &mut Ui, session: &Session, asked: &mut Asked) {
    let notices = session.notices();
    if notices.is_empty() {
        return;
    }
    egui::Panel::top("notices").show(ui, |ui| {
        for notice in notices.iter().rev().take(MOST) {
            ui.horizontal_wrapped(|ui| {
                let dismiss = ui.small_button("Dismiss").on_hover_text("Take this message away");
                dismiss.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Dismiss: {}", notice.text))
                });
                if dismiss.clicked() {
                    asked.act(Action::Dismiss(notice.id));
                }
                let diverged = notice
                    .run
                    .filter(|_| notice.of_divergence)
                    .and_then(|id| session.run(id))
                    .filter(|run| run.gains_by_rewinding());
                if let Some(run) = diverged {
                    let rewind = ui
                        .small_button("Rewind with half the rate")
                        .on_hover_text("Go back to before it diverged and go on with half the learning rate");
                    if rewind.clicked() {
                        asked.act(Action::RewindWithHalfRate(run.id));
                        asked.act(Action::Dismiss(notice.id));
                    }
                }
                if let Some(id) = notice.brings_back.filter(|id| session.can_bring_back(*id)) {
                    let undo = ui
                        .small_button("Bring back")
                        .on_hover_text("Put the run back into the table, paused");
                    undo.widget_info(|| {
                        let name = format!("Bring back: {}", notice.text);
                        egui::WidgetInfo::labeled(egui::Role::Button, true, name)
                    });
                    if undo.clicked() {
                        asked.act(Action::BringBack(Some(id)));
                    }
                }
                if notice.is_error {
                    ui.colored_label(theme::warning(ui.visuals().dark_mode), &notice.text);
                } else {
                    ui.label(&notice.text);
                }
            });
        }
        if notices.len() > 1 {
            ui.horizontal(|ui| {
                let all = ui.small_button("Dismiss all").on_hover_text("Take all messages away");
                if all.clicked() {
                    asked.act(Action::DismissAll);
                }
                if notices.len() > MOST {
                    ui.weak(format!("and {} older", notices.len() - MOST));
                }
            });
        }
    });
}
