//! Owns what the window finds again at the next start: its look, where its panels stand, what the curves show.

use serde::{Deserialize, Serialize};

use super::curves;
use super::layout::Layout;
use super::theme::Look;

/// What is remembered, as text in the session's file.
#[derive(Clone, Debug, Deserialize)]
pub struct Remembered {
    /// Colours and text size.
    pub look: Look,
    /// Where the panels stand.
    pub layout: Layout,
    /// Axes and smoothing of the curves.
    pub curves: curves::State,
}

#[derive(Serialize)]
struct Written<'a> {
    look: Look,
    layout: &'a Layout,
    curves: &'a curves::State,
}

/// The text to keep.
pub fn text(look: Look, layout: &Layout, curves: &curves::State) -> Option<String> {
    serde_json::to_string(&Written { look, layout, curves }).ok()
}

/// What a text says; `None` where it is of another version or lacks a panel: the window then begins as usual.
pub fn read(text: &str) -> Option<Remembered> {
    serde_json::from_str::<Remembered>(text).ok().filter(|kept| kept.layout.is_sound())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::layout::Panel;
    use crate::gui::theme::ThemeChoice;

    #[test]
    fn what_is_kept_is_found_again() {
        let mut layout = Layout::default();
        layout.show(Panel::Weights, false);
        let look = Look { theme: ThemeChoice::Light, text_scale: 1.21, ..Look::default() };
        let mut curves = curves::State::default();
        curves.span = 77.0;
        let back = read(&text(look, &layout, &curves).expect("a text")).expect("sound");
        assert_eq!((back.look, back.curves.span), (look, 77.0));
        assert!(!back.layout.is_shown(Panel::Weights) && back.layout.is_shown(Panel::Runs));
    }

    #[test]
    fn what_is_not_sound_is_left_alone() {
        assert!(read("").is_none() && read("{}").is_none());
        let layout = Layout { tree: egui_tiles::Tree::empty(eframe::egui::Id::unique("panels")) };
        let text = text(Look::default(), &layout, &curves::State::default()).expect("a text");
        assert!(read(&text).is_none(), "a layout without panels");
    }
}
