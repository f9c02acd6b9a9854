//! Owns the field in which a name in a table is typed anew.

use eframe::egui::text::{CCursor, CCursorRange};
use eframe::egui::{self, Key, TextEdit, Ui};

/// A name that is being typed, and of what.
#[derive(Debug)]
pub struct Renaming<Id> {
    /// What is renamed.
    pub of: Id,
    text: String,
    has_begun: bool,
}

/// What came of it in a frame.
pub enum Renamed {
    /// It is still being typed.
    Not,
    /// The new name.
    To(String),
    /// Left as it was: by Escape, or with nothing typed.
    Left,
}

impl<Id> Renaming<Id> {
    /// Begins with the name that there is.
    pub fn new(of: Id, name: &str) -> Self {
        Self { of, text: name.into(), has_begun: false }
    }

    /// Draws the field. All of the name is selected at first, so that typing replaces it.
    pub fn show(&mut self, ui: &mut Ui, hint: &str) -> Renamed {
        let margin = egui::Margin::symmetric(4, 0);
        let mut field = TextEdit::singleline(&mut self.text).hint_text(hint).margin(margin).show(ui);
        let response = &field.response.response;
        if !std::mem::replace(&mut self.has_begun, true) {
            let all = CCursorRange::two(CCursor::new(0), CCursor::new(self.text.chars().count()));
            field.state.cursor.set_char_range(Some(all));
            field.state.store(ui.ctx(), response.id);
        }
        let is_left = ui.input(|input| input.key_pressed(Key::Escape));
        if !is_left && !response.lost_focus() && !ui.input(|input| input.key_pressed(Key::Enter)) {
            response.request_focus();
            return Renamed::Not;
        }
        match self.text.trim() {
            "" => Renamed::Left,
            _ if is_left => Renamed::Left,
            name => Renamed::To(name.into()),
        }
    }
}
