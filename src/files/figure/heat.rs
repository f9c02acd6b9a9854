//! Owns coloured cells: their colours, how they are drawn, the bar that tells their numbers.

use plotters::prelude::DrawingBackend;

use super::canvas::{Canvas, LEFT, Rect, UPWARDS};
use super::colors::{self, BOTH_SIGNS, VIRIDIS};
use super::look::{BLACK, Look, Rgb};
use super::panel::{Axes, LABEL, NUMBER, TICK};
use super::scale::{Scale, Tick};
use super::{FigureError, Layer};

/// The borders of cells around their middles.
pub(super) fn edges(middles: &[f64]) -> Vec<f64> {
    let n = middles.len();
    let half = |i: usize| if n > 1 { (middles[i + 1] - middles[i]) / 2.0 } else { 0.5 };
    (0..=n)
        .filter(|_| n > 0)
        .map(|i| match i {
            0 => middles[0] - half(0),
            i if i == n => middles[n - 1] + half(n.max(2) - 2),
            i => middles[i] - half(i - 1),
        })
        .collect()
}

/// A layer of coloured cells with the places of its first and last colour.
pub(super) struct HeatMap<'a> {
    name: &'a str,
    x: &'a [f64],
    y: &'a [f64],
    values: &'a [f64],
    scale: Scale,
    stops: &'static [Rgb],
    low: f64,
    high: f64,
}

impl<'a> HeatMap<'a> {
    pub fn of(layer: &'a Layer) -> Option<Self> {
        let (name, x, y, values) = match layer {
            Layer::Heat { name, x, y, values, .. } | Layer::Signed { name, x, y, values } => {
                (name, x, y, values)
            }
            _ => return None,
        };
        let (scale, stops): (_, &[Rgb]) = match layer {
            Layer::Heat { scale, .. } => (*scale, &VIRIDIS),
            _ => (Scale::Linear, &BOTH_SIGNS),
        };
        let places = values.iter().filter_map(|v| scale.place(*v));
        let (mut low, mut high) = places.map(|p| (p, p)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        if matches!(layer, Layer::Signed { .. }) {
            high = high.max(-low).max(1e-300);
            low = -high;
        } else if high <= low {
            high = low + 0.1;
        }
        Some(Self { name, x, y, values, scale, stops, low, high })
    }

    pub fn ticks(&self, height: f64) -> Vec<Tick> {
        self.scale.ticks(self.low, self.high, (height / 24.0) as usize)
    }

    pub fn draw<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        axes: &Axes<'_>,
    ) -> Result<(), FigureError> {
        let (columns, rows) = (edges(self.x), edges(self.y));
        let frame = axes.frame;
        let inside = |v: f64, low: f64, high: f64| v.clamp(low, high);
        for (j, row) in rows.windows(2).enumerate() {
            for (i, column) in columns.windows(2).enumerate() {
                let value = self.values.get(j * self.x.len() + i).copied().unwrap_or(f64::NAN);
                let share =
                    self.scale.place(value).map_or(f64::NAN, |p| (p - self.low) / (self.high - self.low));
                let ends = (axes.at(column[0], row[0]), axes.at(column[1], row[1]));
                let (Some(a), Some(b)) = ends else { continue };
                let (l, r) = (a.0.min(b.0), a.0.max(b.0));
                let (t, u) = (a.1.min(b.1), a.1.max(b.1));
                let (l, r) = (inside(l, frame.left, frame.right()), inside(r, frame.left, frame.right()));
                let (t, u) = (inside(t, frame.top, frame.bottom()), inside(u, frame.top, frame.bottom()));
                if r > l && u > t {
                    let cell = Rect { left: l, top: t, width: r - l, height: u - t };
                    canvas.fill(cell, colors::color(self.stops, share), 1.0)?;
                }
            }
        }
        Ok(())
    }

    pub fn draw_bar<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        frame: Rect,
        ticks: &[Tick],
    ) -> Result<(), FigureError> {
        let bar = Rect { left: frame.right() + 6.0, width: 7.0, ..frame };
        let steps = 64;
        for i in 0..steps {
            let share = (f64::from(i) + 0.5) / f64::from(steps);
            let height = bar.height / f64::from(steps);
            let top = bar.bottom() - height * f64::from(i + 1);
            canvas.fill(Rect { top, height, ..bar }, colors::color(self.stops, share), 1.0)?;
        }
        canvas.frame(bar)?;
        let mut widest: f64 = 0.0;
        for tick in ticks {
            widest = widest.max(canvas.width(&tick.label, NUMBER));
            let y = bar.bottom() - bar.height * (tick.place - self.low) / (self.high - self.low);
            let thin = Look { width: 0.5, ..Look::solid(BLACK) };
            canvas.line(&[(bar.right(), y), (bar.right() + 0.6 * TICK, y)], thin)?;
            canvas.text(&tick.label, (bar.right() + TICK, y), NUMBER, LEFT)?;
        }
        let at = (bar.right() + TICK + widest + 0.8 * LABEL, bar.top + bar.height / 2.0);
        canvas.text(self.name, at, LABEL, UPWARDS)
    }
}
