//! Owns [`Cells`], values over two short lists of values as coloured cells, each of which can be clicked.

use eframe::egui::{self, Align2, Color32, Pos2, Rect, Ui, Vec2, pos2, vec2};

use super::colormap::{self, Colors};
use super::number;
use super::paint;
use crate::gui::theme::{self, Marker};

/// An axis: what stands at each of its values, and where these lie.
#[derive(Clone, Debug, PartialEq)]
pub struct CellAxis<'a> {
    /// What it is.
    pub name: String,
    /// Its values in words.
    pub labels: &'a [String],
    /// Where they lie, rising.
    pub places: &'a [f64],
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShownCell {
    /// Its value; without one it has no colour.
    pub value: Option<f64>,
    /// Whether something in it went wrong.
    pub crossed: bool,
}

/// Coloured cells over two axes.
pub struct Cells<'a> {
    /// Unique in the window.
    pub id: &'static str,
    /// The horizontal and the vertical axis.
    pub axes: [CellAxis<'a>; 2],
    /// Row by row, the lowest first.
    pub cells: &'a [ShownCell],
    /// What a cell is called, by its number; asked only where somebody listens.
    pub name: &'a dyn Fn(usize) -> String,
    /// What there is to know about it.
    pub tip: &'a dyn Fn(usize) -> String,
    /// The colours; `None` where no cell has a value.
    pub colors: Option<Colors>,
}

impl Cells<'_> {
    /// Draws them into `size`; gives the cell that was clicked.
    pub fn show(&self, ui: &mut Ui, size: Vec2) -> Option<usize> {
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let font = egui::TextStyle::Small.resolve(ui.style());
        let color = ui.visuals().text_color();
        let width = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), color).size().x;
        let [x, y] = &self.axes;
        let left = y.labels.iter().map(|l| width(l)).fold(0.0, f32::max).min(0.4 * rect.width()) + 6.0;
        let row = font.size + 3.0;
        let bar = if self.colors.is_some() { colormap::BAR_WIDTH } else { 4.0 };
        let top = if y.name.is_empty() { 2.0 } else { row };
        let frame = Rect::from_min_max(
            rect.min + vec2(left, top),
            (rect.max - vec2(bar, 2.0 * row)).max(rect.min + vec2(left + 10.0, top + 10.0)),
        );
        let edges = |axis: &CellAxis<'_>| edges(axis.places);
        let (columns, rows) = (edges(x), edges(y));
        let x_of = |share: f64| frame.left() + frame.width() * share as f32;
        let y_of = |share: f64| frame.bottom() - frame.height() * share as f32;
        let mut clicked = None;
        for (k, cell) in self.cells.iter().enumerate() {
            let (i, j) = (k % x.labels.len(), k / x.labels.len());
            let place = Rect::from_min_max(
                pos2(x_of(columns[i]), y_of(rows[j + 1])),
                pos2(x_of(columns[i + 1]), y_of(rows[j])),
            );
            let response = ui.interact(place, ui.scope_id().with((self.id, k)), egui::Sense::click());
            self.cell(ui, place.shrink(0.5), cell, response.hovered() || response.has_focus());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, (self.name)(k)));
            if response.on_hover_ui(|ui| _ = ui.label((self.tip)(k))).clicked() {
                clicked = Some(k);
            }
        }
        let middle = |edges: &[f64], i: usize| 0.5 * (edges[i] + edges[i + 1]);
        let mut free_from = rect.left();
        for (i, label) in x.labels.iter().enumerate() {
            let (at, half) = (x_of(middle(&columns, i)), 0.5 * width(label));
            // A label that would lie on the one before is left to the tooltips and the table.
            if at - half >= free_from {
                ui.painter().text(
                    pos2(at, frame.bottom() + 1.0),
                    Align2::CENTER_TOP,
                    label,
                    font.clone(),
                    color,
                );
                free_from = at + half + 4.0;
            }
        }
        let mut free_to = rect.bottom();
        for (j, label) in y.labels.iter().enumerate() {
            let at = y_of(middle(&rows, j));
            if at + 0.5 * font.size <= free_to {
                let at_left = pos2(frame.left() - 4.0, at);
                ui.painter().text(at_left, Align2::RIGHT_CENTER, label, font.clone(), color);
                free_to = at - 0.5 * font.size;
            }
        }
        let weak = ui.visuals().weak_text_color();
        let name = |at: Pos2, align: Align2, text: &str| {
            ui.painter().text(at, align, text, font.clone(), weak);
        };
        name(pos2(frame.center().x, frame.bottom() + row), Align2::CENTER_TOP, &x.name);
        name(rect.min, Align2::LEFT_TOP, &y.name);
        if let Some(colors) = &self.colors {
            let bar = Rect::from_min_max(
                pos2(rect.right() - colormap::BAR_WIDTH + 6.0, frame.top() + 4.0),
                pos2(rect.right(), frame.bottom() - 4.0),
            );
            colormap::bar(ui, bar, colors);
        }
        clicked
    }

    fn cell(&self, ui: &Ui, place: Rect, cell: &ShownCell, marked: bool) {
        let painter = ui.painter();
        let font = egui::TextStyle::Small.resolve(ui.style());
        let fill = match (cell.value, &self.colors) {
            (Some(value), Some(colors)) => Some(colors.color(value)),
            _ => None,
        };
        let ink = match fill {
            Some(fill) => {
                painter.rect_filled(place, 0.0, fill);
                ink_on(fill)
            }
            None => {
                painter.rect_filled(place, 0.0, ui.visuals().faint_bg_color);
                ui.visuals().weak_text_color()
            }
        };
        if let Some(value) = cell.value {
            let text = painter.layout_no_wrap(number::significant(value, 2), font, ink);
            if text.size().x + 4.0 < place.width() && text.size().y < place.height() {
                painter.galley(place.center() - 0.5 * text.size(), text, ink);
            }
        }
        if cell.crossed {
            let warning = theme::warning(ui.visuals().dark_mode);
            let corner = place.right_top() + vec2(-7.0, 7.0);
            let (at, radius, color): (_, f32, _) = match fill {
                None => (place.center(), 6.0, warning),
                Some(_) => (corner, 3.5, ink),
            };
            painter.add(paint::marker(Marker::Cross, at, radius.min(0.4 * place.width()), color));
        }
        if marked {
            let stroke = egui::Stroke::new(2.0, ui.visuals().text_color());
            painter.rect_stroke(place, 0.0, stroke, egui::StrokeKind::Inside);
        }
    }
}

/// Black on bright colours, white on dark ones.
fn ink_on(fill: Color32) -> Color32 {
    let [r, g, b] = [fill.r(), fill.g(), fill.b()].map(f32::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 140.0 { Color32::BLACK } else { Color32::WHITE }
}

/// Where cells begin and end, as shares of the axis: half-way between values, as far beyond the first and the last.
fn edges(places: &[f64]) -> Vec<f64> {
    let n = places.len();
    if n < 2 {
        return vec![0.0, 1.0];
    }
    let mut edges = vec![places[0] - 0.5 * (places[1] - places[0])];
    edges.extend(places.windows(2).map(|w| 0.5 * (w[0] + w[1])));
    edges.push(places[n - 1] + 0.5 * (places[n - 1] - places[n - 2]));
    let (low, whole) = (edges[0], edges[n] - edges[0]);
    edges.iter().map(|e| (e - low) / whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_meet_half_way_between_their_values() {
        assert_eq!(edges(&[0.0, 1.0, 2.0]), [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
        // Steps 1 and 2: edges at -0.5, 0.5, 2, 4.
        assert_eq!(edges(&[0.0, 1.0, 3.0]), [0.0, 1.0 / 4.5, 2.5 / 4.5, 1.0]);
        assert_eq!(edges(&[7.0]), [0.0, 1.0]);
    }

    #[test]
    fn text_is_black_on_bright_and_white_on_dark() {
        assert_eq!(ink_on(Color32::from_rgb(253, 231, 37)), Color32::BLACK);
        assert_eq!(ink_on(Color32::from_rgb(68, 1, 84)), Color32::WHITE);
    }
}
