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
}

impl Colors {
    /// From `low` to `high`; where one has no place on the scale the other stands for both.
    pub fn new(map: ColorMap, scale: Scale, low: f64, high: f64) -> Self {
        let (low, high) = (scale.place(low), scale.place(high));
        let low = low.or(high).unwrap_or(0.0);
        let high = high.unwrap_or(low);
        // A constant has the middle colour.
        let range = if high - low > 0.0 { (low, high) } else { (low - 0.5, low + 0.5) };
        Self { map, scale, range }
    }

    /// The colour of a value.
    pub fn color(&self, value: f64) -> Color32 {
        match self.scale.place(value) {
            Some(place) => self.map.color((place - self.range.0) / (self.range.1 - self.range.0)),
            None if value <= 0.0 => self.map.color(0.0),
            None => Color32::GRAY,
        }
    }
}

/// Width that a bar with its numbers takes.
pub const BAR_WIDTH: f32 = 58.0;

/// Draws a vertical bar with numbers into `rect`.
pub fn bar(ui: &Ui, rect: Rect, colors: &Colors) {
    let painter = ui.painter();
    let width = 10.0;
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
    let font = egui::TextStyle::Small.resolve(ui.style());
    let room = ((rect.height() / (2.2 * font.size)) as usize).max(2);
    let mut labelled = 0;
    for tick in colors.scale.ticks(low, high, room).into_iter().filter(|tick| !tick.label.is_empty()) {
        labelled += 1;
        let y = rect.bottom() - rect.height() * ((tick.place - low) / (high - low)) as f32;
        number_at(ui, pos2(rect.left() + width, y), tick.label, &font);
    }
    if labelled < 2 {
        for (place, y) in [(low, rect.bottom()), (high, rect.top())] {
            number_at(ui, pos2(rect.left() + width, y), number::value(colors.scale.value(place)), &font);
        }
    }
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
    fn a_constant_has_the_middle_colour() {
        let colors = Colors::new(ColorMap::Cividis, Scale::Linear, 3.0, 3.0);
        assert_eq!(colors.color(3.0), ColorMap::Cividis.color(0.5));
    }
}
