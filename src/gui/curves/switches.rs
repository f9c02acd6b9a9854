//! Owns the switches of a panel of curves.

use eframe::egui::{self, Ui};

use super::{Across, State};
use crate::gui::layout::Panel;
use crate::gui::plot::header;
use crate::gui::plots;

/// Room in points that the switches of a panel take; `None` where it has none.
pub fn room(panel: Panel, state: &State) -> Option<f32> {
    let plot = state.plot(panel)?;
    Some(290.0 + if plot.noisy.is_empty() { 0.0 } else { 80.0 })
}

/// The switches of a panel of curves, for the bar of its tab, from right to left.
pub fn show(ui: &mut Ui, panel: Panel, state: &mut State) {
    let Some(plot) = state.plot(panel) else { return };
    let view = state.views.entry(panel).or_default();
    header::switches(ui, plot.title, view);
    let axis = state.axes.entry(panel).or_default();
    let response = ui.menu_button(egui::RichText::new(axis.choice()).small(), |ui| {
        for choice in Across::ALL {
            // The loss against itself is no curve.
            if (choice != Across::Loss || panel != Panel::Loss)
                && ui.selectable_label(*axis == choice, choice.choice()).clicked()
            {
                *axis = choice;
                view.log_x = choice == Across::Loss;
                view.fit = true;
                ui.close();
            }
        }
    });
    let name = format!("{}: horizontal axis", plot.title);
    let tip = "What the horizontal axis shows; at equal loss rules are compared fairly";
    response
        .response
        .on_hover_text(tip)
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), &name));
    if plots::of(panel).count() > 1 {
        let menu = ui.menu_button(egui::RichText::new(plot.choice).small(), |ui| {
            for other in plots::of(panel) {
                let tip = other.series.iter().map(|(series, ..)| series.meaning()).collect::<Vec<_>>();
                let entry = ui.selectable_label(other.id == plot.id, other.choice);
                if entry.on_hover_text(tip.join("\n")).clicked() {
                    state.choose(other);
                    ui.close();
                }
            }
        });
        let name = format!("{}: which quantity", panel.title());
        menu.response
            .on_hover_text("Which quantity the panel shows")
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, ui.is_enabled(), &name));
    }
    if !plot.noisy.is_empty() {
        header::smoothing(ui, plot.title, &mut state.span);
    }
}
