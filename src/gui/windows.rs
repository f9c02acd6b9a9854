//! Owns where a window over the panels opens.

use eframe::egui::{self, Align2, Context};

/// A window that opens in the middle, so that the menus stay in reach.
pub fn centred(ctx: &Context, title: &'static str) -> egui::Window<'static> {
    egui::Window::new(title).pivot(Align2::CENTER_CENTER).default_pos(ctx.content_rect().center())
}
