//! Owns the window of all keys.

use eframe::egui;

use super::commands::{self, Menu, TABLE};
use super::windows;

/// Height in points of what stands above and below the list: title, what is said of it, margins (`[own]`).
const BESIDE: f32 = 110.0;

/// Whether it is open.
#[derive(Debug, Default)]
pub struct State {
    open: bool,
}

impl State {
    /// Opens or closes it.
    pub fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// Draws it where it is open.
    pub fn show(&mut self, ctx: &egui::Context) {
        self.open &= !windows::is_closed(ctx);
        windows::centred(ctx, "All keys").open(&mut self.open).resizable(false).show(ctx, |ui| {
            ui.weak("Keys do nothing while a text field has the focus.");
            // Larger text than the window has room for scrolls.
            let room = (ui.ctx().content_rect().height() - BESIDE).max(80.0);
            egui::ScrollArea::vertical().max_height(room).show(ui, |ui| {
                egui::Grid::new("keys").striped(true).num_columns(3).show(ui, |ui| {
                    for menu in [Menu::Run, Menu::File, Menu::Export, Menu::View, Menu::Help] {
                        for entry in TABLE.iter().filter(|e| e.menu == menu) {
                            let Some(key) = entry.key else { continue };
                            ui.monospace(commands::key_name(key));
                            ui.label(entry.name);
                            ui.weak(entry.help);
                            ui.end_row();
                        }
                    }
                });
            });
            ui.weak("Plots: drag to move, drag with the right button to zoom to a box, Ctrl and the wheel to zoom, double click to fit.");
        });
    }
}
