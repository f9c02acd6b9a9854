//! Owns how things look: colours, dashes and markers of runs, text sizes, light and dark.

use eframe::egui::{self, Color32, FontId, TextStyle, Theme};

use crate::files::figure::look::okabe_ito::{GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION, YELLOW};
use crate::files::figure::look::{self, Rgb};
pub use crate::files::figure::look::{Dash, Marker};

fn color([r, g, b]: Rgb) -> Color32 {
    Color32::from_rgb(r, g, b)
}

/// Colours of the runs in turn on black, where one of those on white would vanish.
const ON_BLACK: [Rgb; 7] = [SKY_BLUE, VERMILION, GREEN, PURPLE, ORANGE, [0xF2, 0xF2, 0xF2], YELLOW];

/// Colour and marker of the run in a slot of the runs table. With more runs than colours the colour comes
/// again with another marker.
pub fn run_style(slot: usize, dark: bool) -> (Color32, Marker) {
    let colors = if dark { &ON_BLACK } else { &look::RUNS };
    (color(colors[slot % colors.len()]), look::MARKERS[slot % look::MARKERS.len()])
}

/// The colour of warnings and of values that are not converged or not finite.
pub fn warning(dark: bool) -> Color32 {
    color(if dark { ORANGE } else { VERMILION })
}

/// The colour of marks at which a setting changed.
pub fn change_mark(dark: bool) -> Color32 {
    if dark { Color32::from_gray(150) } else { Color32::from_gray(110) }
}

/// Fill and text of a button that is pressed on a row that may be selected, whose colour it would have: inverted.
pub fn pressed_on_row(visuals: &egui::Visuals) -> (Color32, Color32) {
    (visuals.text_color(), visuals.panel_fill)
}

/// What of the look the user chooses.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Look {
    /// Light, dark or as the system has it.
    pub theme: ThemeChoice,
    /// Size of all text relative to its usual size, 0.7 to 2.5.
    pub text_scale: f32,
    /// Large text and fewer panels, for a projector.
    pub presenter: bool,
}

/// Light, dark or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: ThemeChoice::System, text_scale: 1.0, presenter: false }
    }
}

/// Sets the fonts, once: the stock ones, and for arrows and signs that the text font lacks the monospace one.
pub fn set_fonts(ctx: &egui::Context) {
    let mut fonts = egui::FontDefinitions::default();
    let monospace = fonts.families.get(&egui::FontFamily::Monospace).cloned().unwrap_or_default();
    let text = fonts.families.entry(egui::FontFamily::Proportional).or_default();
    let missing: Vec<String> = monospace.into_iter().filter(|name| !text.contains(name)).collect();
    text.extend(missing);
    ctx.set_fonts(fonts);
}

/// How much larger everything is in presenter mode.
const PRESENTER: f32 = 1.35;
/// Width and height in points below which panels would be cut off.
const LEAST_ROOM: egui::Vec2 = egui::vec2(940.0, 530.0);

impl Look {
    /// The text size one step larger or smaller, within bounds.
    pub fn resized(self, steps: i32) -> Self {
        Self { text_scale: (self.text_scale * 1.1f32.powi(steps)).clamp(0.7, 2.5), ..self }
    }

    /// How much larger than usual everything is in a window of this size in points of the system. Larger text enlarges
    /// all else with it, but no further than the window has room for its panels.
    pub fn zoom(self, window: egui::Vec2) -> f32 {
        let asked = self.text_scale * if self.presenter { PRESENTER } else { 1.0 };
        let room = (window.x / LEAST_ROOM.x).min(window.y / LEAST_ROOM.y);
        if room.is_finite() { asked.min(room.max(1.0)) } else { asked }
    }

    /// Sets fonts, spacing and colours of the whole window.
    pub fn apply(self, ctx: &egui::Context) {
        ctx.set_theme(match self.theme {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        });
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        for theme in [Theme::Light, Theme::Dark] {
            ctx.style_mut_of(theme, |style| set_style(style, theme));
        }
    }
}

fn set_style(style: &mut egui::Style, theme: Theme) {
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(11.0)),
        (TextStyle::Body, FontId::proportional(13.0)),
        (TextStyle::Button, FontId::proportional(13.0)),
        (TextStyle::Monospace, FontId::monospace(12.0)),
        (TextStyle::Heading, FontId::proportional(16.0)),
    ]
    .into();
    style.spacing.item_spacing = egui::vec2(6.0, 4.0);
    style.spacing.button_padding = egui::vec2(6.0, 2.0);
    style.spacing.interact_size.y = 20.0;
    style.spacing.slider_width = 110.0;
    style.spacing.tooltip_width = 360.0;
    style.interaction.tooltip_delay = 0.4;
    let visuals = &mut style.visuals;
    // The stock weak text is too faint on a projector.
    match theme {
        Theme::Light => {
            visuals.override_text_color = Some(Color32::from_gray(25));
            visuals.weak_text_color = Some(Color32::from_gray(85));
        }
        Theme::Dark => {
            visuals.override_text_color = Some(Color32::from_gray(225));
            visuals.weak_text_color = Some(Color32::from_gray(165));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_the_first_56_runs_look_alike() {
        for dark in [false, true] {
            let styles: Vec<_> = (0..56).map(|slot| run_style(slot, dark)).collect();
            for (i, a) in styles.iter().enumerate() {
                assert!(!styles[..i].contains(a), "slot {i} repeats {a:?}");
            }
        }
    }

    /// Relative luminance and contrast of WCAG 2.1.
    fn contrast(a: Color32, b: Color32) -> f64 {
        let luminance = |c: Color32| {
            let channel = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(c.r()) + 0.7152 * channel(c.g()) + 0.0722 * channel(c.b())
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_run_stands_out_from_its_background() {
        // 3 to 1 is WCAG's bound for graphics; orange, purple and sky blue on white fall short of it (2.2 to
        // 2.9), which is why runs also differ by marker and lines are at least 1.5 points wide.
        for slot in 0..7 {
            assert!(contrast(run_style(slot, true).0, Color32::from_gray(10)) > 3.0, "slot {slot} on black");
            assert!(contrast(run_style(slot, false).0, Color32::WHITE) > 2.0, "slot {slot} on white");
        }
    }

    #[test]
    fn a_pressed_button_can_be_seen_in_a_selected_row() {
        for theme in [Theme::Light, Theme::Dark] {
            let mut style = egui::Style { visuals: theme.default_visuals(), ..Default::default() };
            set_style(&mut style, theme);
            let (row, mut visuals) = (style.visuals.selection.bg_fill, style.visuals);
            // A selected row has its own colour of text.
            for text in [visuals.override_text_color, Some(visuals.selection.stroke.color)] {
                visuals.override_text_color = text;
                let (fill, text) = pressed_on_row(&visuals);
                assert!(contrast(fill, row) > 3.0, "{theme:?}: {fill:?} on {row:?}");
                assert!(contrast(fill, text) > 4.5, "{theme:?}: {text:?} on {fill:?}");
            }
        }
    }

    #[test]
    fn text_grows_no_further_than_the_window_has_room() {
        let largest = Look { text_scale: 2.5, ..Look::default() };
        assert_eq!(largest.zoom(egui::vec2(3840.0, 2160.0)), 2.5);
        let zoom = largest.zoom(egui::vec2(1280.0, 720.0));
        assert!((1.3..1.4).contains(&zoom), "{zoom}");
        assert_eq!(largest.zoom(egui::vec2(640.0, 400.0)), 1.0, "never smaller than usual for want of room");
        assert_eq!(Look { text_scale: 0.7, ..largest }.zoom(egui::vec2(640.0, 400.0)), 0.7);
        let presenting = Look { presenter: true, ..Look::default() };
        assert_eq!(presenting.zoom(egui::vec2(1280.0, 720.0)), 1.35);
    }

    #[test]
    fn text_size_stays_within_bounds() {
        assert_eq!(Look::default().resized(100).text_scale, 2.5);
        assert_eq!(Look::default().resized(-100).text_scale, 0.7);
    }
}
