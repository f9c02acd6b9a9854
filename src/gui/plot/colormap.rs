//! Owns the colour maps, even in lightness and read alike by all eyes, and the bar that tells their numbers.

use eframe::egui::{self, Color32, Rect, Ui, pos2, vec2};

use super::number;
use super::scale::Scale;
use crate::files::figure::colors;

/// A colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum ColorMap {
    /// Of matplotlib (Smith and van der Walt 2015).
    #[default]
    Viridis,
    /// Of Nuñez, Anderton and Renslow (2018), made for colour deficiencies.
    Cividis,
}

impl ColorMap {
    /// The colour at a share of the way, 0 to 1; grey for a share that is not a number.
    pub fn color(self, share: f64) -> Color32 {
        let stops = match self {
            ColorMap::Viridis => &colors::VIRIDIS,
            ColorMap::Cividis => &colors::CIVIDIS,
        };
        let [r, g, b] = colors::color(stops, share);
        Color32::from_rgb(r, g, b)
    }
}

/// Which colour a value has: a map over the places from one value to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colors {
    /// The map.
    pub map: ColorMap,
    /// How values are placed.
    pub scale: Scale,
    /// Places of the first and the last colour; the first is smaller.
    pub range: (f64, f64),
    /// Values above the last colour, and values that are not finite, where they are told apart; `None`: what is above
    /// has the last colour.
    pub beyond: Option<(usize, usize)>,
}

/// The colour of values above the last one where they are told apart: brighter than any map.
pub const ENORMOUS: Color32 = Color32::from_gray(245);

/// The colour of values that are not finite.
pub const NOT_FINITE: Color32 = Color32::GRAY;

impl Colors {
    /// From `low` to `high`; where one has no place on the scale the other stands for both.
    pub fn new(map: ColorMap, scale: Scale, low: f64, high: f64) -> Self {
        let (low, high) = (scale.place(low), scale.place(high));
        let low = low.or(high).unwrap_or(0.0);
        let high = high.unwrap_or(low);
        // A constant has the middle colour.
        let range = if high - low > 0.0 { (low, high) } else { (low - 0.5, low + 0.5) };
        Self { map, scale, range, beyond: None }
    }

    /// The same, with colours of their own for values above the last colour, of which there are so many, and for
    /// those that are not finite.
    pub fn telling_beyond(self, enormous: usize, not_finite: usize) -> Self {
        Self { beyond: Some((enormous, not_finite)), ..self }
    }

    /// The colour of a value.
    pub fn color(&self, value: f64) -> Color32 {
        let (low, high) = self.range;
        let is_told = self.beyond.is_some();
        match self.scale.place(value) {
            _ if is_told && !value.is_finite() => NOT_FINITE,
            // Up to the rounding of a logarithm.
            Some(place) if is_told && place > high + 1e-9 * (high - low) => ENORMOUS,
            Some(place) => self.map.color((place - low) / (high - low)),
            None if value <= 0.0 => self.map.color(0.0),
            None => NOT_FINITE,
        }
    }
}

/// Width that a bar with its numbers takes.
pub const BAR_WIDTH: f32 = 58.0;

/// Draws a vertical bar with numbers into `rect`, with what is beyond it above and below.
pub fn bar(ui: &Ui, rect: Rect, colors: &Colors) {
    let painter = ui.painter();
    let width = 10.0;
    let font = egui::TextStyle::Small.resolve(ui.style());
    let (enormous, not_finite) = colors.beyond.unwrap_or_default();
    let (mut rect, room) = (rect, font.size + 8.0);
    if enormous > 0 {
        beyond(ui, pos2(rect.left(), rect.top() + 0.5 * font.size), (ENORMOUS, "above"), &font);
        rect.min.y += room;
    }
    if not_finite > 0 {
        beyond(ui, pos2(rect.left(), rect.bottom() - 0.5 * font.size), (NOT_FINITE, "NaN, inf"), &font);
        rect.max.y -= room;
    }
    let steps = 64;
    let mut mesh = egui::Mesh::default();
    let (low, high) = colors.range;
    for i in 0..=steps {
        let share = f64::from(i) / f64::from(steps);
        let y = rect.bottom() - rect.height() * share as f32;
        let color = colors.map.color(share);
        mesh.colored_vertex(pos2(rect.left(), y), color);
        mesh.colored_vertex(pos2(rect.left() + width, y), color);
        if i > 0 {
            let n = 2 * i as u32;
            mesh.add_triangle(n - 2, n - 1, n);
            mesh.add_triangle(n - 1, n, n + 1);
        }
    }
    painter.add(mesh);
    let room = ((rect.height() / (2.2 * font.size)) as usize).max(2);
    let line = 1.1 * font.size;
    let ticks = colors.scale.ticks(low, high, room).into_iter().filter(|tick| !tick.label.is_empty());
    let mut numbers: Vec<(f32, String)> = Vec::new();
    for tick in ticks {
        let y = rect.bottom() - rect.height() * ((tick.place - low) / (high - low)) as f32;
        // Not over the one below.
        if numbers.last().is_none_or(|(below, _)| below - y >= line) {
            numbers.push((y, tick.label));
        }
    }
    if numbers.len() < 2 {
        // Both ends, apart also where the bar is lower than two lines.
        let apart = 0.5 * (line - rect.height()).max(0.0);
        let text = |place: f64| number::value(colors.scale.value(place));
        numbers = vec![(rect.bottom() + apart, text(low)), (rect.top() - apart, text(high))];
    }
    for (y, text) in numbers {
        number_at(ui, pos2(rect.left() + width, y), text, &font);
    }
}

/// A field of a colour with what it means.
fn beyond(ui: &Ui, left: egui::Pos2, (fill, words): (Color32, &str), font: &egui::FontId) {
    let field = Rect::from_min_max(left - vec2(0.0, 5.0), left + vec2(10.0, 5.0));
    let color = ui.visuals().text_color();
    ui.painter().rect(field, 0.0, fill, (1.0, color), egui::StrokeKind::Inside);
    ui.painter().text(left + vec2(13.0, 0.0), egui::Align2::LEFT_CENTER, words, font.clone(), color);
}

fn number_at(ui: &Ui, at: egui::Pos2, text: String, font: &egui::FontId) {
    let color = ui.visuals().text_color();
    let painter = ui.painter();
    painter.hline(at.x..=at.x + 3.0, at.y, (1.0, color));
    painter.text(at + vec2(5.0, 0.0), egui::Align2::LEFT_CENTER, text, font.clone(), color);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_rise_in_lightness_from_end_to_end() {
        for map in [ColorMap::Viridis, ColorMap::Cividis] {
            let lightness = |share: f64| {
                let c = map.color(share);
                0.2126 * f64::from(c.r()) + 0.7152 * f64::from(c.g()) + 0.0722 * f64::from(c.b())
            };
            for i in 0..100 {
                let (a, b) = (f64::from(i) / 100.0, f64::from(i + 1) / 100.0);
                assert!(lightness(b) > lightness(a), "{map:?} at {a}");
            }
        }
    }

    #[test]
    fn values_outside_have_the_colours_of_the_ends_and_nan_none() {
        let colors = Colors::new(ColorMap::Viridis, Scale::Log, 0.01, 1.0);
        assert_eq!(colors.color(1e-9), ColorMap::Viridis.color(0.0));
        assert_eq!(colors.color(-1.0), ColorMap::Viridis.color(0.0));
        assert_eq!(colors.color(50.0), ColorMap::Viridis.color(1.0));
        assert_eq!(colors.color(0.1), ColorMap::Viridis.color(0.5));
        assert_eq!(colors.color(f64::NAN), Color32::GRAY);
    }

    #[test]
    fn enormous_values_and_those_that_are_not_finite_are_told_apart_where_it_is_asked_for() {
        let colors = Colors::new(ColorMap::Viridis, Scale::Log, 0.01, 1.0).telling_beyond(1, 2);
        for (value, color) in [
            (1.0, ColorMap::Viridis.color(1.0)),
            (0.1, ColorMap::Viridis.color(0.5)),
            (1e-9, ColorMap::Viridis.color(0.0)),
            (1.01, ENORMOUS),
            (1e300, ENORMOUS),
            (f64::INFINITY, NOT_FINITE),
            (f64::NAN, NOT_FINITE),
        ] {
            assert_eq!(colors.color(value), color, "{value}");
        }
        for map in [ColorMap::Viridis, ColorMap::Cividis] {
            for i in 0..=100 {
                let color = map.color(f64::from(i) / 100.0);
                // Both have no blue where they are bright, or far less.
                assert!(ENORMOUS.b() - color.b() > 60, "{map:?} {i}");
                let distance = |c: Color32| color.r().abs_diff(c.r()).max(color.b().abs_diff(c.b()));
                assert!(map == ColorMap::Cividis || distance(NOT_FINITE) > 20, "{map:?} {i}");
            }
        }
    }

    #[test]
    fn a_constant_has_the_middle_colour() {
        let colors = Colors::new(ColorMap::Cividis, Scale::Linear, 3.0, 3.0);
        assert_eq!(colors.color(3.0), ColorMap::Cividis.color(0.5));
    }
}
