//! Owns how a panel is drawn: room for titles and numbers, axes, layers.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{BELOW, Canvas, LEFT, RIGHT, Rect, UPWARDS};
use super::heat::{HeatMap, edges};
use super::legend::Legend;
use super::look::{BLACK, Dash, GREY, Look, Marker};
use super::scale::{Scale, Tick};
use super::{Axis, FigureError, Layer, Panel};

/// Sizes of text and room in points.
const TITLE: f64 = 9.0;
pub(super) const LABEL: f64 = 8.0;
pub(super) const NUMBER: f64 = 7.0;
const NOTE: f64 = 6.5;
pub(super) const TICK: f64 = 2.5;
/// Opacity of bands.
pub(super) const BAND: f64 = 0.22;
/// Room of a colour bar: the bar with the space around it.
const BAR: f64 = 16.0;

/// An axis with the places at its ends and its ticks.
struct Span<'a> {
    axis: &'a Axis,
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
}

impl<'a> Span<'a> {
    fn new(axis: &'a Axis, all: Option<(f64, f64)>, length: f64, apart: f64) -> Self {
        let given = axis.range.and_then(|(a, b)| Some((axis.scale.place(a)?, axis.scale.place(b)?)));
        let (mut low, mut high) = given.or(all).unwrap_or((0.0, 1.0));
        if low > high {
            (low, high) = (high, low);
        }
        if given.is_none() {
            let least = if axis.scale == Scale::Linear { 0.02 * low.abs().max(high.abs()) } else { 0.1 };
            let missing = (least.max(1e-12) - (high - low)).max(0.0);
            let pad = 0.04 * (high - low) + missing / 2.0;
            (low, high) = (low - pad, high + pad);
        }
        let ticks = if axis.names.is_empty() {
            axis.scale.ticks(low, high, (length / apart) as usize)
        } else {
            let name = |(i, name): (usize, &String)| Tick { place: i as f64, label: name.clone() };
            axis.names.iter().enumerate().map(name).collect()
        };
        Self { axis, low, high, ticks }
    }

    /// Share of the way along the axis.
    fn share(&self, place: f64) -> f64 {
        let share = (place - self.low) / (self.high - self.low);
        if self.axis.falling { 1.0 - share } else { share }
    }
}

/// A text in as few lines as fit the room, broken between words; a word that is wider than the room has a line.
fn wrapped<DB: DrawingBackend>(canvas: &Canvas<DB>, text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if canvas.width(&format!("{line} {word}"), size) <= room => {
                *line += &format!(" {word}")
            }
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// The names along an axis, each in its lines, where the panel is this wide.
fn names<DB: DrawingBackend>(canvas: &Canvas<DB>, axis: &Axis, width: f64) -> Vec<Vec<String>> {
    let room = width / axis.names.len().max(1) as f64 - 3.0;
    axis.names.iter().map(|name| wrapped(canvas, name, NUMBER, room)).collect()
}

/// Both axes on their frame.
pub(super) struct Axes<'a> {
    pub frame: Rect,
    x: Span<'a>,
    y: Span<'a>,
}

impl Axes<'_> {
    fn x(&self, value: f64) -> Option<f64> {
        Some(self.frame.left + self.frame.width * self.x.share(self.x.axis.scale.place(value)?))
    }

    fn y(&self, value: f64) -> Option<f64> {
        Some(self.frame.bottom() - self.frame.height * self.y.share(self.y.axis.scale.place(value)?))
    }

    pub fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x(x)?, self.y(y)?))
    }
}

/// The room of the axes of a panel: what is above, and what their numbers and labels need on either side.
struct Room {
    legend: Legend,
    /// The note below the title.
    notes: Vec<String>,
    top: f64,
    height: f64,
    /// Of the numbers or names below the axes.
    below: f64,
    /// The label of the vertical axis.
    lines: Vec<String>,
    sides: (f64, f64),
    bar_ticks: Vec<Tick>,
}

impl Room {
    fn of<DB: DrawingBackend>(canvas: &Canvas<DB>, panel: &Panel, cell: Rect) -> Self {
        let legend = Legend::new(canvas, panel, cell.width);
        let notes = wrapped(canvas, &panel.note, NOTE, cell.width - 6.0);
        let (title, note) = (above(&panel.title, 1.35 * TITLE), 1.4 * NOTE * notes.len() as f64);
        let top = cell.top + title + note + legend.height() + 3.0;
        // What is left of the cell beside the numbers of the vertical axis, nearly.
        let most = names(canvas, &panel.x, 0.8 * cell.width).iter().map(Vec::len).max().unwrap_or(1).max(1);
        let below = 1.3 * NUMBER * most as f64;
        let bottom = cell.bottom() - above(&panel.x.label, 1.4 * LABEL) - below - TICK;
        let height = (bottom - top).max(20.0);
        let lines = wrapped(canvas, &panel.y.label, LABEL, height);
        let y = Span::new(&panel.y, extent(panel).1, height, 24.0);
        let heat = panel.layers.iter().find_map(HeatMap::of);
        let widest =
            |ticks: &[Tick]| ticks.iter().map(|t| canvas.width(&t.label, NUMBER)).fold(0.0, f64::max);
        let bar_ticks = heat.as_ref().map_or(Vec::new(), |heat| heat.ticks(height));
        let left =
            above(&panel.y.label, (0.3 + 1.1 * lines.len() as f64) * LABEL) + widest(&y.ticks) + TICK + 3.0;
        let right = if heat.is_some() { BAR + 1.4 * LABEL + widest(&bar_ticks) } else { 4.0 };
        Self { legend, notes, top, height, below, lines, sides: (left, right), bar_ticks }
    }
}

/// What a text needs; nothing where there is none.
fn above(text: &str, height: f64) -> f64 {
    if text.is_empty() { 0.0 } else { height }
}

/// What the numbers and labels of a panel need to the left and to the right of its axes.
pub(super) fn sides<DB: DrawingBackend>(canvas: &Canvas<DB>, panel: &Panel, cell: Rect) -> (f64, f64) {
    Room::of(canvas, panel, cell).sides
}

/// Draws a panel into a cell, at least `sides` left beside its axes.
pub(super) fn draw<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    panel: &Panel,
    cell: Rect,
    sides: (f64, f64),
) -> Result<(), FigureError> {
    let Room { legend, notes, top, height, below, lines, sides: own, bar_ticks } =
        Room::of(canvas, panel, cell);
    let title = above(&panel.title, 1.35 * TITLE);
    canvas.text(&panel.title, (cell.left, cell.top + TITLE / 2.0), TITLE, LEFT)?;
    for (i, line) in notes.iter().enumerate() {
        let at = cell.top + title + (0.5 + 1.4 * i as f64) * NOTE;
        canvas.text(line, (cell.left, at), NOTE, LEFT)?;
    }
    legend.draw(canvas, cell.left, top - legend.height() - 3.0)?;
    let (left, right) = (cell.left + own.0.max(sides.0), cell.right() - own.1.max(sides.1));
    let (all_x, all_y) = extent(panel);
    let y = Span::new(&panel.y, all_y, height, 24.0);
    let heat = panel.layers.iter().find_map(HeatMap::of);
    let frame = Rect { left, top, width: (right - left).max(20.0), height };
    let x = Span::new(&panel.x, all_x, frame.width, 38.0);
    let (frame, x, y) = if panel.y.unit_as_across {
        let frame = frame.of_shape(x.high - x.low, y.high - y.low);
        let x = Span::new(&panel.x, all_x, frame.width, 38.0);
        (frame, x, Span::new(&panel.y, all_y, frame.height, 24.0))
    } else {
        (frame, x, y)
    };
    let axes = Axes { frame, x, y };
    let is_heat = |layer: &&Layer| matches!(layer, Layer::Heat { .. } | Layer::Signed { .. });
    let backmost = panel.layers.iter().filter(is_heat);
    for layer in backmost.chain(panel.layers.iter().filter(|layer| !is_heat(layer))) {
        draw_layer(canvas, layer, &axes)?;
    }
    canvas.frame(frame)?;
    draw_axes(canvas, &axes, (cell.left, below), &lines)?;
    match heat {
        Some(heat) => heat.draw_bar(canvas, frame, &bar_ticks),
        None => Ok(()),
    }
}

fn draw_axes<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    axes: &Axes<'_>,
    (left, below): (f64, f64),
    lines: &[String],
) -> Result<(), FigureError> {
    let frame = axes.frame;
    let thin = Look { width: 0.5, ..Look::solid(BLACK) };
    let length = |tick: &Tick| if tick.label.is_empty() { 0.6 * TICK } else { TICK };
    let inside = |share: f64| (-1e-9..=1.0 + 1e-9).contains(&share);
    let mut free_from = f64::NEG_INFINITY;
    let mut ticks: Vec<(f64, &Tick)> = axes.x.ticks.iter().map(|t| (axes.x.share(t.place), t)).collect();
    ticks.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (share, tick) in ticks.into_iter().filter(|(share, _)| inside(*share)) {
        let x = frame.left + frame.width * share;
        canvas.line(&[(x, frame.bottom()), (x, frame.bottom() + length(tick))], thin)?;
        if !axes.x.axis.names.is_empty() {
            let room = frame.width / axes.x.axis.names.len() as f64 - 3.0;
            for (i, line) in wrapped(canvas, &tick.label, NUMBER, room).iter().enumerate() {
                let at = frame.bottom() + TICK + 1.5 + 1.3 * NUMBER * i as f64;
                canvas.text(line, (x, at), NUMBER, BELOW)?;
            }
            continue;
        }
        // A number that would touch the one before is left out.
        let half = canvas.width(&tick.label, NUMBER) / 2.0;
        if x - half > free_from {
            canvas.text(&tick.label, (x, frame.bottom() + TICK + 1.5), NUMBER, BELOW)?;
            free_from = if tick.label.is_empty() { free_from } else { x + half + 2.0 };
        }
    }
    for tick in axes.y.ticks.iter().filter(|tick| inside(axes.y.share(tick.place))) {
        let y = frame.bottom() - frame.height * axes.y.share(tick.place);
        canvas.line(&[(frame.left - length(tick), y), (frame.left, y)], thin)?;
        canvas.text(&tick.label, (frame.left - TICK - 1.5, y), NUMBER, RIGHT)?;
    }
    let middle = (frame.left + frame.width / 2.0, frame.bottom() + TICK + below + 0.8 * LABEL);
    canvas.text(&axes.x.axis.label, middle, LABEL, super::canvas::MIDDLE)?;
    for (i, line) in lines.iter().enumerate() {
        let middle = (left + (0.6 + 1.1 * i as f64) * LABEL, frame.top + frame.height / 2.0);
        canvas.text(line, middle, LABEL, UPWARDS)?;
    }
    Ok(())
}

fn draw_layer<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    layer: &Layer,
    axes: &Axes<'_>,
) -> Result<(), FigureError> {
    let frame = axes.frame;
    let bottom = |lower: f64| axes.y(lower).unwrap_or(frame.bottom()).clamp(frame.top, frame.bottom());
    match layer {
        Layer::Curve { points, look, .. } => draw_curve(canvas, points, *look, axes),
        Layer::Band { points, color, .. } => {
            let inside = |y: f64| if y.is_nan() { None } else { Some(bottom(y)) };
            let place = |(x, low, high): &(f64, f64, f64)| {
                let x = axes.x(*x).filter(|x| (frame.left..=frame.right()).contains(x))?;
                Some((x, inside(*low)?, inside(*high)?))
            };
            let places: Vec<_> = points.iter().filter_map(place).collect();
            if places.len() < 2 {
                return Ok(());
            }
            let lower = places.iter().map(|(x, low, _)| (*x, *low));
            let upper = places.iter().rev().map(|(x, _, high)| (*x, *high));
            canvas.area(&lower.chain(upper).collect::<Vec<_>>(), *color, BAND)
        }
        Layer::Points { points, look, .. } => {
            for (x, y, low, high) in points {
                let Some(at) = axes.at(*x, *y).filter(|at| frame.contains(*at)) else { continue };
                if low < high {
                    error_bar(canvas, at.0, bottom(*low), bottom(*high), *look)?;
                }
                canvas.marker(look.marker.unwrap_or(Marker::Circle), at, 2.2, look.color)?;
            }
            Ok(())
        }
        Layer::Bars { bars, width, color, .. } => {
            for (x, y, low, high) in bars {
                let ends = (axes.x(x - width / 2.0), axes.x(x + width / 2.0), axes.y(*y));
                let (Some(a), Some(b), Some(_)) = ends else { continue };
                let (from, to) = (bottom(0.0), bottom(*y));
                let (a, b) = (a.min(b), a.max(b));
                let bar =
                    Rect { left: a, top: from.min(to), width: b - a, height: (from - to).abs().max(0.5) };
                canvas.fill(bar, *color, 1.0)?;
                if low < high {
                    error_bar(canvas, (a + b) / 2.0, bottom(*low), bottom(*high), Look::solid(BLACK))?;
                }
            }
            Ok(())
        }
        Layer::Heat { .. } | Layer::Signed { .. } => {
            HeatMap::of(layer).map_or(Ok(()), |heat| heat.draw(canvas, axes))
        }
        Layer::Level { y, look, .. } => match axes.y(*y) {
            Some(y) => canvas.broken_line(&[(frame.left, y), (frame.right(), y)], *look, frame),
            None => Ok(()),
        },
        Layer::Moment { x, name } => {
            let Some(x) = axes.x(*x) else { return Ok(()) };
            let look = Look { width: 0.6, ..Look::solid(GREY) }.dashed(Dash::Dotted);
            canvas.broken_line(&[(x, frame.top), (x, frame.bottom())], look, frame)?;
            let fits = x + 2.0 + canvas.width(name, NOTE) <= frame.right();
            let (at, align) = if fits { (x + 2.0, HPos::Left) } else { (x - 2.0, HPos::Right) };
            canvas.text(name, (at, frame.top + 1.5), NOTE, (align, VPos::Top, false))
        }
    }
}

fn error_bar<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    x: f64,
    low: f64,
    high: f64,
    look: Look,
) -> Result<(), FigureError> {
    let look = Look { width: 0.8, dash: Dash::Solid, ..look };
    canvas.line(&[(x, low), (x, high)], look)?;
    for end in [low, high] {
        canvas.line(&[(x - 2.0, end), (x + 2.0, end)], look)?;
    }
    Ok(())
}

fn draw_curve<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    points: &[(f64, f64)],
    look: Look,
    axes: &Axes<'_>,
) -> Result<(), FigureError> {
    let frame = axes.frame;
    let mut stretch = Vec::new();
    let mut shown = Vec::new();
    for (x, y) in points {
        match axes.at(*x, *y) {
            Some(at) => {
                stretch.push(at);
                shown.push(at);
            }
            None => {
                canvas.broken_line(&stretch, look, frame)?;
                stretch.clear();
                let Some(x) = axes.x(*x).filter(|x| (frame.left..=frame.right()).contains(x)) else {
                    continue;
                };
                if y.is_finite() {
                    canvas.marker(Marker::TriangleDown, (x, frame.bottom() - 3.0), 2.2, look.color)?;
                } else {
                    canvas.marker(Marker::Cross, (x, frame.top + 4.0), 2.4, look.color)?;
                }
            }
        }
    }
    canvas.broken_line(&stretch, look, frame)?;
    if let Some(marker) = look.marker {
        // Some markers along the line, so that it is told apart without its colour.
        let stride = shown.len().div_ceil(8).max(1);
        let every = if shown.len() <= 25 { 1 } else { stride };
        for at in shown.iter().skip(every / 2).step_by(every).filter(|at| frame.contains(**at)) {
            canvas.marker(marker, *at, 2.0, look.color)?;
        }
    }
    Ok(())
}

/// First and last place of all that is drawn.
fn extent(panel: &Panel) -> (Option<(f64, f64)>, Option<(f64, f64)>) {
    let (mut all_x, mut all_y) = (None, None);
    let widen = |all: &mut Option<(f64, f64)>, axis: &Axis, value: f64| {
        if let Some(place) = axis.scale.place(value) {
            *all = Some(all.map_or((place, place), |(a, b): (f64, f64)| (a.min(place), b.max(place))));
        }
    };
    for layer in &panel.layers {
        let mut add = |x: f64, ys: &[f64]| {
            widen(&mut all_x, &panel.x, x);
            ys.iter().for_each(|y| widen(&mut all_y, &panel.y, *y));
        };
        match layer {
            Layer::Curve { points, .. } => points.iter().for_each(|(x, y)| add(*x, &[*y])),
            Layer::Band { points, .. } => points.iter().for_each(|(x, a, b)| add(*x, &[*a, *b])),
            Layer::Points { points, .. } => points.iter().for_each(|(x, y, a, b)| add(*x, &[*y, *a, *b])),
            Layer::Bars { bars, width, .. } => bars.iter().for_each(|(x, y, a, b)| {
                add(x - width / 2.0, &[0.0, *y, *a, *b]);
                add(x + width / 2.0, &[]);
            }),
            Layer::Heat { x, y, .. } | Layer::Signed { x, y, .. } => {
                edges(x).into_iter().for_each(|x| add(x, &[]));
                edges(y).into_iter().for_each(|y| widen(&mut all_y, &panel.y, y));
            }
            Layer::Level { y, .. } => widen(&mut all_y, &panel.y, *y),
            Layer::Moment { .. } => {}
        }
    }
    (all_x, all_y)
}
