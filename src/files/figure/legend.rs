//! Owns the legend of a panel: samples and names in rows above the axes, where they hide nothing.

use plotters::prelude::DrawingBackend;

use super::canvas::{Canvas, LEFT, Rect};
use super::look::{Look, Rgb};
use super::{FigureError, Layer, Panel};

/// Size of its text in points.
const SIZE: f64 = 7.0;
const ROW: f64 = 9.5;
const SAMPLE: f64 = 18.0;
const GAP: f64 = 3.0;
const APART: f64 = 9.0;

/// What stands before a name.
#[derive(Clone, Copy)]
enum Sample {
    Line(Look),
    Marker(Look),
    Area(Rgb, f64),
}

/// An entry where it stands: row, distance from the left.
struct Entry {
    sample: Sample,
    text: String,
    row: usize,
    left: f64,
}

/// The legend of a panel within a width.
pub(super) struct Legend {
    entries: Vec<Entry>,
    rows: usize,
}

impl Legend {
    pub fn new<DB: DrawingBackend>(canvas: &Canvas<DB>, panel: &Panel, width: f64) -> Self {
        let (mut entries, mut row, mut left) = (Vec::new(), 0, 0.0);
        for (sample, text) in panel.layers.iter().filter_map(|layer| entry(layer, panel)) {
            let own = SAMPLE + GAP + canvas.width(&text, SIZE);
            if left > 0.0 && left + own > width {
                (row, left) = (row + 1, 0.0);
            }
            entries.push(Entry { sample, text, row, left });
            left += own + APART;
        }
        let rows = if entries.is_empty() { 0 } else { row + 1 };
        Self { entries, rows }
    }

    pub fn height(&self) -> f64 {
        ROW * self.rows as f64
    }

    pub fn draw<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        left: f64,
        top: f64,
    ) -> Result<(), FigureError> {
        for entry in &self.entries {
            let y = top + ROW * (entry.row as f64 + 0.5);
            let x = left + entry.left;
            let middle = (x + SAMPLE / 2.0, y);
            match entry.sample {
                Sample::Line(look) => {
                    let all = Rect { left: x, top: y - ROW, width: SAMPLE, height: 2.0 * ROW };
                    canvas.broken_line(&[(x, y), (x + SAMPLE, y)], look, all)?;
                    if let Some(marker) = look.marker {
                        canvas.marker(marker, middle, 2.2, look.color)?;
                    }
                }
                Sample::Marker(look) => {
                    if let Some(marker) = look.marker {
                        canvas.marker(marker, middle, 2.4, look.color)?;
                    }
                }
                Sample::Area(color, opacity) => {
                    let area = Rect { left: x + 3.0, top: y - 2.8, width: SAMPLE - 6.0, height: 5.6 };
                    canvas.fill(area, color, opacity)?;
                }
            }
            canvas.text(&entry.text, (x + SAMPLE + GAP, y), SIZE, LEFT)?;
        }
        Ok(())
    }
}

/// What the legend says of a layer; `None` where it has no name.
fn entry(layer: &Layer, panel: &Panel) -> Option<(Sample, String)> {
    let (sample, name, note) = match layer {
        Layer::Curve { name, points, look } => (Sample::Line(*look), name, missing(points, panel)),
        Layer::Band { name, color, .. } => (Sample::Area(*color, super::panel::BAND), name, String::new()),
        Layer::Points { name, points, look } => {
            let points: Vec<_> = points.iter().map(|p| (p.0, p.1)).collect();
            (Sample::Marker(*look), name, missing(&points, panel))
        }
        Layer::Bars { name, color, .. } => (Sample::Area(*color, 1.0), name, String::new()),
        Layer::Level { name, look, .. } => (Sample::Line(*look), name, String::new()),
        Layer::Heat { .. } | Layer::Signed { .. } | Layer::Moment { .. } => return None,
    };
    (!name.is_empty()).then(|| (sample, format!("{name}{note}")))
}

/// How many values of a line cannot be shown, and why.
fn missing(points: &[(f64, f64)], panel: &Panel) -> String {
    let not_finite = points.iter().filter(|(_, y)| !y.is_finite()).count();
    let off = points.iter().filter(|(_, y)| y.is_finite() && panel.y.scale.place(*y).is_none()).count();
    match (not_finite, off) {
        (0, 0) => String::new(),
        (n, 0) => format!(" ({n} not finite)"),
        (0, n) => format!(" ({n} at or below 0)"),
        (n, m) => format!(" ({n} not finite, {m} at or below 0)"),
    }
}
