//! Owns what is drawn by hand: markers, line samples for legends, marks at the edges of a plot.

use std::sync::Arc;

use eframe::egui::{self, Color32, Galley, Pos2, Shape, Stroke, Vec2, pos2, vec2};
use egui_plot::LineStyle;

use crate::gui::theme::{Dash, Marker};

/// egui_plot's name of a dash.
pub fn line_style(dash: Dash) -> LineStyle {
    match dash {
        Dash::Solid => LineStyle::Solid,
        Dash::Dashed => LineStyle::Dashed { length: 6.0 },
        Dash::Dotted => LineStyle::Dotted { spacing: 4.0 },
        Dash::Sparse => LineStyle::Dotted { spacing: 9.0 },
    }
}

/// A marker around `at`.
pub fn marker(shape: Marker, at: Pos2, radius: f32, color: Color32) -> Shape {
    let corner = |x: f32, y: f32| at + radius * vec2(x, y);
    let filled = |points| Shape::convex_polygon(points, color, Stroke::NONE);
    let stroke = Stroke::new(1.6, color);
    match shape {
        Marker::Circle => Shape::circle_filled(at, 0.9 * radius, color),
        Marker::Ring => Shape::circle_stroke(at, 0.85 * radius, stroke),
        Marker::Square => {
            filled(vec![corner(-0.8, -0.8), corner(0.8, -0.8), corner(0.8, 0.8), corner(-0.8, 0.8)])
        }
        Marker::Diamond => {
            filled(vec![corner(0.0, -1.15), corner(1.15, 0.0), corner(0.0, 1.15), corner(-1.15, 0.0)])
        }
        Marker::TriangleUp => filled(vec![corner(0.0, -1.1), corner(1.0, 0.8), corner(-1.0, 0.8)]),
        Marker::TriangleDown => filled(vec![corner(0.0, 1.1), corner(-1.0, -0.8), corner(1.0, -0.8)]),
        Marker::Cross => Shape::Vec(vec![
            Shape::line_segment([corner(-0.9, -0.9), corner(0.9, 0.9)], stroke),
            Shape::line_segment([corner(-0.9, 0.9), corner(0.9, -0.9)], stroke),
        ]),
        Marker::Plus => Shape::Vec(vec![
            Shape::line_segment([corner(0.0, -1.1), corner(0.0, 1.1)], stroke),
            Shape::line_segment([corner(-1.1, 0.0), corner(1.1, 0.0)], stroke),
        ]),
    }
}

/// How a line looks, for the line itself and for its sample in a legend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineLook {
    /// Its colour.
    pub color: Color32,
    /// How it is broken.
    pub dash: Dash,
    /// What marks its points.
    pub marker: Option<Marker>,
    /// Points of the screen.
    pub width: f32,
}

impl LineLook {
    /// A short sample of the line from `left` on, for a legend.
    pub fn sample(self, left: Pos2, length: f32) -> Vec<Shape> {
        let ends = [left, left + vec2(length, 0.0)];
        let stroke = Stroke::new(self.width, self.color);
        let mut shapes = match self.dash {
            Dash::Solid => vec![Shape::line_segment(ends, stroke)],
            Dash::Dashed => Shape::dashed_line(&ends, stroke, 5.0, 3.0),
            Dash::Dotted => Shape::dotted_line(&ends, self.color, 4.0, 1.2),
            Dash::Sparse => Shape::dotted_line(&ends, self.color, 9.0, 1.5),
        };
        if let Some(shape) = self.marker {
            shapes.push(marker(shape, left + vec2(length / 2.0, 0.0), 3.5, self.color));
        }
        shapes
    }
}

/// A cross at the top edge: a value that is not finite.
pub fn not_finite(x: f32, frame: egui::Rect, color: Color32) -> Shape {
    marker(Marker::Cross, pos2(x, frame.top() + 6.0), 4.0, color)
}

/// A triangle at the bottom edge: a value that a logarithmic axis cannot show.
pub fn below(x: f32, frame: egui::Rect, color: Color32) -> Shape {
    marker(Marker::TriangleDown, pos2(x, frame.bottom() - 5.0), 4.0, color)
}

/// The beginning of a text in this room.
pub fn cut(
    painter: &egui::Painter,
    text: &str,
    font: &egui::FontId,
    color: Color32,
    room: f32,
) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font.clone(), color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    painter.layout_job(job)
}

/// Text in a box with the plot's background, kept inside `frame`.
pub fn boxed_text(ui: &egui::Ui, frame: egui::Rect, at: Pos2, lines: Vec<(Option<LineLook>, String)>) {
    let font = egui::TextStyle::Small.resolve(ui.style());
    let color = ui.visuals().text_color();
    let painter = ui.painter().with_clip_rect(frame);
    let galleys: Vec<_> = lines
        .into_iter()
        .map(|(look, text)| (look, painter.layout_no_wrap(text, font.clone(), color)))
        .collect();
    let swatch = 18.0;
    let width = galleys
        .iter()
        .map(|(look, galley)| galley.size().x + if look.is_some() { swatch } else { 0.0 })
        .fold(0.0, f32::max);
    let height: f32 = galleys.iter().map(|(_, galley)| galley.size().y).sum();
    let size = vec2(width, height) + Vec2::splat(8.0);
    let x = if at.x + 10.0 + size.x > frame.right() { at.x - 10.0 - size.x } else { at.x + 10.0 };
    // Beside the place, or over it where neither side has room; of what is wider than all, the beginning.
    let x = x.min(frame.right() - size.x - 2.0).max(frame.left() + 2.0);
    let y = at.y.min(frame.bottom() - size.y - 2.0).max(frame.top() + 2.0);
    let rect = egui::Rect::from_min_size(pos2(x, y), size);
    let fill = ui.visuals().extreme_bg_color.gamma_multiply(0.92);
    painter.rect(rect, 3.0, fill, ui.visuals().window_stroke, egui::StrokeKind::Inside);
    let mut top = rect.top() + 4.0;
    for (look, galley) in galleys {
        let row = galley.size().y;
        let mut left = rect.left() + 4.0;
        if let Some(look) = look {
            painter.extend(look.sample(pos2(left, top + row / 2.0), swatch - 4.0));
            left += swatch;
        }
        painter.galley(pos2(left, top), galley, color);
        top += row;
    }
}
