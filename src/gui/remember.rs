//! Owns what the window finds again at the next start: its look, where it and its panels stand, what the curves
//! show.

use serde::{Deserialize, Serialize};

use super::curves;
use super::layout::Layout;
use super::placement::Placement;
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
    /// Where the window stands.
    #[serde(default)]
    pub window: Placement,
}

#[derive(Serialize)]
struct Written<'a> {
    look: Look,
    layout: &'a Layout,
    curves: &'a curves::State,
    window: Placement,
}

/// The text to keep.
pub fn text(look: Look, layout: &Layout, curves: &curves::State, window: Placement) -> Option<String> {
    serde_json::to_string(&Written { look, layout, curves, window }).ok()
}

/// What a text says; `None` where it is of another version or lacks a panel: the window then begins as usual.
pub fn read(text: &str) -> Option<Remembered> {
    let kept = serde_json::from_str::<Remembered>(text).ok().filter(|kept| kept.layout.is_sound())?;
    Some(Remembered { window: kept.window.sound(), ..kept })
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
        let back = read(&text(look, &layout, &curves, Placement::default()).expect("a text")).expect("sound");
        assert_eq!((back.look, back.curves.span), (look, 77.0));
        assert!(!back.layout.is_shown(Panel::Weights) && back.layout.is_shown(Panel::Runs));
    }

    #[test]
    fn what_an_earlier_version_kept_is_found_again() {
        let usual = (Layout::default(), curves::State::default());
        let text = text(Look::default(), &usual.0, &usual.1, Placement::default()).expect("a text");
        let mut kept: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        kept.as_object_mut().and_then(|all| all.remove("window")).expect("the window");
        assert_eq!(read(&kept.to_string()).expect("sound").window, Placement::default());
    }

    #[test]
    fn what_is_not_sound_is_left_alone() {
        assert!(read("").is_none() && read("{}").is_none());
        let layout = Layout { tree: egui_tiles::Tree::empty(eframe::egui::Id::unique("panels")) };
        let usual = (curves::State::default(), Placement::default());
        let text = text(Look::default(), &layout, &usual.0, usual.1).expect("a text");
        assert!(read(&text).is_none(), "a layout without panels");
    }
}
