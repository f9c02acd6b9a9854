//! Owns where a window over the panels opens, and the key that closes it.

use eframe::egui::{self, Align2, Context, Key};

/// A window that opens in the middle, so that the menus stay in reach.
pub fn centred(ctx: &Context, title: &'static str) -> egui::Window<'static> {
    let window = egui::Window::new(title).collapsible(false);
    window.pivot(Align2::CENTER_CENTER).default_pos(ctx.content_rect().center())
}

/// Escape closes a window, unless it is for a field or a list that is open.
pub fn is_closed(ctx: &Context) -> bool {
    let is_for_it = !ctx.text_edit_focused() && !egui::Popup::is_any_open(ctx);
    is_for_it && ctx.input(|input| input.key_pressed(Key::Escape))
}
