//! Owns what a panel does that is too low for its content: it scrolls.

use eframe::egui::{ScrollArea, Ui, vec2};

/// Draws the content into what room there is; where that is lower than `height` in points, into as much, scrolling.
pub fn at_least(ui: &mut Ui, height: f32, content: impl FnOnce(&mut Ui)) {
    if ui.available_height() >= height {
        return content(ui);
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let size = vec2(ui.available_width(), height);
        ui.allocate_ui(size, |ui| {
            ui.set_min_size(size);
            content(ui);
        });
    });
}
