//! Owns [`Canvas`]: lines, areas, marks and text in points of print on either of the plotting library's backends.

use std::sync::OnceLock;

use plotters::prelude::{
    DrawingBackend, FontStyle, FontTransform, IntoFont, RGBAColor, ShapeStyle, TextStyle,
};
use plotters::style::register_font;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::FigureError;
use super::look::{BLACK, Dash, Look, Marker, Rgb};

/// A rectangle in points from the upper left corner of the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Rect {
    pub fn right(self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(self) -> f64 {
        self.top + self.height
    }

    pub fn shrunk(self, by: f64) -> Self {
        let (width, height) = ((self.width - 2.0 * by).max(1.0), (self.height - 2.0 * by).max(1.0));
        Self { left: self.left + by, top: self.top + by, width, height }
    }

    /// The largest rectangle of a shape at the upper left.
    pub fn of_shape(self, across: f64, up: f64) -> Self {
        let unit = (self.width / across).min(self.height / up);
        if !(unit.is_finite() && unit > 0.0) {
            return self;
        }
        Self { width: (unit * across).max(20.0), height: (unit * up).max(20.0), ..self }
    }

    pub fn contains(self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right()).contains(&x) && (self.top..=self.bottom()).contains(&y)
    }

    /// The part of a stretch of line that lies inside (Liang and Barsky 1984).
    pub fn clip(self, a: (f64, f64), b: (f64, f64)) -> Option<[(f64, f64); 2]> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut from, mut to) = (0.0, 1.0);
        for (step, room) in [
            (-dx, a.0 - self.left),
            (dx, self.right() - a.0),
            (-dy, a.1 - self.top),
            (dy, self.bottom() - a.1),
        ] {
            if step == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                from = f64::max(from, room / step);
            } else {
                to = f64::min(to, room / step);
            }
        }
        (from <= to).then(|| [from, to].map(|t| (a.0 + t * dx, a.1 + t * dy)))
    }
}

/// Where a text's anchor lies in it: horizontally, vertically, and whether it reads upwards.
pub(super) type Anchor = (HPos, VPos, bool);
pub(super) const MIDDLE: Anchor = (HPos::Center, VPos::Center, false);
pub(super) const LEFT: Anchor = (HPos::Left, VPos::Center, false);
pub(super) const RIGHT: Anchor = (HPos::Right, VPos::Center, false);
pub(super) const BELOW: Anchor = (HPos::Center, VPos::Top, false);
pub(super) const UPWARDS: Anchor = (HPos::Center, VPos::Center, true);

/// The plotting library has no font of its own.
fn font() -> Result<(), FigureError> {
    static FONT: OnceLock<bool> = OnceLock::new();
    let bytes = include_bytes!("../../../assets/fonts/figure.ttf");
    let good = *FONT.get_or_init(|| register_font("sans-serif", FontStyle::Normal, bytes).is_ok());
    if good { Ok(()) } else { Err(FigureError("its font cannot be read".into())) }
}

/// What is drawn on.
pub(super) struct Canvas<DB: DrawingBackend> {
    backend: DB,
    /// Units of the backend in a point.
    unit: f64,
    /// Whether thick lines are drawn stretch by stretch: the bitmap backend fills the outline of a whole line,
    /// which has holes where it crosses itself.
    by_stretch: bool,
}

fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError(error.to_string())
}

fn rgba([r, g, b]: Rgb, opacity: f64) -> RGBAColor {
    RGBAColor(r, g, b, opacity)
}

impl<DB: DrawingBackend> Canvas<DB> {
    pub fn new(mut backend: DB, unit: f64, by_stretch: bool) -> Result<Self, FigureError> {
        font()?;
        backend.ensure_prepared().map_err(failed)?;
        let (w, h) = backend.get_size();
        let white = ShapeStyle { color: rgba([255; 3], 1.0), filled: true, stroke_width: 0 };
        backend.draw_rect((0, 0), (w as i32, h as i32), &white, true).map_err(failed)?;
        Ok(Self { backend, unit, by_stretch })
    }

    pub fn done(mut self) -> Result<(), FigureError> {
        self.backend.present().map_err(failed)
    }

    fn at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.unit).round() as i32, (y * self.unit).round() as i32)
    }

    fn stroke(&self, color: Rgb, width: f64, opacity: f64) -> ShapeStyle {
        let stroke_width = (width * self.unit).round().max(1.0) as u32;
        ShapeStyle { color: rgba(color, opacity), filled: false, stroke_width }
    }

    /// A solid line.
    pub fn line(&mut self, points: &[(f64, f64)], look: Look) -> Result<(), FigureError> {
        let style = self.stroke(look.color, look.width, look.opacity);
        let places: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
        if self.by_stretch {
            for pair in places.windows(2).filter(|pair| pair[0] != pair[1]) {
                self.backend.draw_path(pair.iter().copied(), &style).map_err(failed)?;
            }
            Ok(())
        } else {
            self.backend.draw_path(places, &style).map_err(failed)
        }
    }

    /// A line broken as its look says, cut at the edges of `frame`.
    pub fn broken_line(&mut self, points: &[(f64, f64)], look: Look, frame: Rect) -> Result<(), FigureError> {
        for piece in clipped(points, frame) {
            match pattern(look.dash) {
                None => self.line(&piece, look)?,
                Some(on_off) => {
                    for dash in dashes(&piece, on_off) {
                        self.line(&dash, look)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A filled area.
    pub fn area(&mut self, points: &[(f64, f64)], color: Rgb, opacity: f64) -> Result<(), FigureError> {
        let style = ShapeStyle { color: rgba(color, opacity), filled: true, stroke_width: 0 };
        let places: Vec<_> = points.iter().map(|p| self.at(*p)).collect();
        self.backend.fill_polygon(places, &style).map_err(failed)
    }

    /// A filled rectangle.
    pub fn fill(&mut self, rect: Rect, color: Rgb, opacity: f64) -> Result<(), FigureError> {
        let style = ShapeStyle { color: rgba(color, opacity), filled: true, stroke_width: 0 };
        let (a, b) = (self.at((rect.left, rect.top)), self.at((rect.right(), rect.bottom())));
        self.backend.draw_rect(a, b, &style, true).map_err(failed)
    }

    /// The outline of a rectangle.
    pub fn frame(&mut self, rect: Rect) -> Result<(), FigureError> {
        let (l, t, r, b) = (rect.left, rect.top, rect.right(), rect.bottom());
        let look = Look { width: 0.6, ..Look::solid(BLACK) };
        self.line(&[(l, t), (r, t), (r, b), (l, b), (l, t)], look)
    }

    /// A marker around a place.
    pub fn marker(
        &mut self,
        shape: Marker,
        at: (f64, f64),
        radius: f64,
        color: Rgb,
    ) -> Result<(), FigureError> {
        let corner = |x: f64, y: f64| (at.0 + radius * x, at.1 + radius * y);
        let look = Look { width: 0.9, ..Look::solid(color) };
        let corners: &[(f64, f64)] = match shape {
            Marker::Circle => {
                let style = ShapeStyle { color: rgba(color, 1.0), filled: true, stroke_width: 0 };
                let r = (0.9 * radius * self.unit).round() as u32;
                return self.backend.draw_circle(self.at(at), r, &style, true).map_err(failed);
            }
            Marker::Ring => {
                let turn = |i: i32| f64::from(i) * std::f64::consts::TAU / 24.0;
                let ring: Vec<_> =
                    (0..=24).map(|i| corner(0.85 * turn(i).cos(), 0.85 * turn(i).sin())).collect();
                return self.line(&ring, look);
            }
            Marker::Cross | Marker::Plus => {
                let (a, b) = if shape == Marker::Cross { (0.9, 0.9) } else { (0.0, 1.1) };
                self.line(&[corner(-a, -b), corner(a, b)], look)?;
                return self.line(&[corner(-b, a), corner(b, -a)], look);
            }
            Marker::Square => &[(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
            Marker::Diamond => &[(0.0, -1.15), (1.15, 0.0), (0.0, 1.15), (-1.15, 0.0)],
            Marker::TriangleUp => &[(0.0, -1.1), (1.0, 0.8), (-1.0, 0.8)],
            Marker::TriangleDown => &[(0.0, 1.1), (-1.0, -0.8), (1.0, -0.8)],
        };
        let corners: Vec<_> = corners.iter().map(|(x, y)| corner(*x, *y)).collect();
        self.area(&corners, color, 1.0)
    }

    fn text_style(&self, size: f64, anchor: Anchor) -> TextStyle<'static> {
        let (h, v, upwards) = anchor;
        let font = ("sans-serif", size * self.unit).into_font();
        let font = if upwards { font.transform(FontTransform::Rotate270) } else { font };
        TextStyle::from(font).pos(Pos::new(h, v))
    }

    /// Text of a size in points.
    pub fn text(&mut self, text: &str, at: (f64, f64), size: f64, anchor: Anchor) -> Result<(), FigureError> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let style = self.text_style(size, anchor);
        self.backend.draw_text(text, &style, self.at(at)).map_err(failed)
    }

    /// Width of a text of a size in points.
    pub fn width(&self, text: &str, size: f64) -> f64 {
        let style = self.text_style(size, LEFT);
        self.backend.estimate_text_size(text, &style).map_or(0.0, |(w, _)| f64::from(w) / self.unit)
    }
}

/// The stretches of a line inside of a frame.
fn clipped(points: &[(f64, f64)], frame: Rect) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let Some([a, b]) = frame.clip(pair[0], pair[1]) else { continue };
        match pieces.last_mut().filter(|piece| piece.last() == Some(&a)) {
            Some(piece) => piece.push(b),
            None => pieces.push(vec![a, b]),
        }
    }
    pieces
}

/// Lengths of stroke and gap in points.
fn pattern(dash: Dash) -> Option<(f64, f64)> {
    match dash {
        Dash::Solid => None,
        Dash::Dashed => Some((4.0, 2.2)),
        Dash::Dotted => Some((1.0, 1.8)),
        Dash::Sparse => Some((1.0, 4.0)),
    }
}

/// The strokes along a line.
fn dashes(points: &[(f64, f64)], (on, off): (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let mut strokes = vec![vec![points[0]]];
    let (mut drawing, mut left) = (true, on);
    for pair in points.windows(2) {
        let (mut a, b) = (pair[0], pair[1]);
        loop {
            let length = (b.0 - a.0).hypot(b.1 - a.1);
            if length < left {
                left -= length;
                if drawing && let Some(stroke) = strokes.last_mut() {
                    stroke.push(b);
                }
                break;
            }
            let share = left / length;
            a = (a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1));
            if drawing {
                if let Some(stroke) = strokes.last_mut() {
                    stroke.push(a);
                }
            } else {
                strokes.push(vec![a]);
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
    }
    strokes.retain(|stroke| stroke.len() > 1);
    strokes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_leaves_its_frame() {
        let frame = Rect { left: 0.0, top: 0.0, width: 10.0, height: 10.0 };
        assert_eq!(frame.clip((-5.0, 5.0), (15.0, 5.0)), Some([(0.0, 5.0), (10.0, 5.0)]));
        assert_eq!(frame.clip((-5.0, 20.0), (15.0, 21.0)), None);
        assert_eq!(frame.clip((5.0, -5.0), (5.0, 5.0)), Some([(5.0, 0.0), (5.0, 5.0)]));
    }

    #[test]
    fn dashes_fill_the_line_at_their_rhythm_around_corners() {
        let strokes = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], (3.0, 1.0));
        assert_eq!(
            strokes,
            [
                vec![(0.0, 0.0), (3.0, 0.0)],
                vec![(4.0, 0.0), (5.0, 0.0), (5.0, 2.0)],
                vec![(5.0, 3.0), (5.0, 5.0)],
            ]
        );
    }
}
