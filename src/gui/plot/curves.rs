//! Owns [`Curves`], the plot of series against training: log, signed-log and linear axes, smoothing, linked
//! cursor, marks and a table of the numbers.

use eframe::egui::{self, Id, Ui, pos2, vec2};
use egui_plot::{HLine, PlotResponse, VLine};

use super::axes::{self, Extent};
use super::number;
use super::paint::{self, LineLook};
use super::readout::{Readout, Value};
use super::scale::{self, Scale};
use super::shown::Shown;
use super::trace::{Trace, Traces, widen};
use super::{header, table};
use crate::gui::explain::{explained, meaning};
use crate::gui::theme::{self, Dash, Marker};
use crate::session::curves::Reading;

/// A value that is worth a line of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The value.
    pub value: f64,
    /// What it means.
    pub name: &'static str,
}

/// The vertical scale that the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Vertical {
    Linear,
    Log,
    SignedLog,
}

/// How near to a mark's line, in points, the cursor reads what happened there (`[own]`).
const NEAR: f32 = 4.0;

/// What the user chose for one plot.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct View {
    /// The vertical scale.
    pub vertical: Vertical,
    /// Whether the horizontal axis is logarithmic.
    pub log_x: bool,
    /// Whether the numbers stand beside the plot.
    pub table: bool,
    /// Set by a command; the next drawing shows everything again.
    #[serde(skip)]
    pub fit: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { vertical: Vertical::Linear, log_x: false, table: false, fit: false }
    }
}

/// One place on the horizontal axis that all plots of curves show together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cursor {
    /// Shown in this frame: the name of a horizontal axis and a value on it.
    pub shown: Option<(&'static str, f64)>,
    /// Found in this frame under the pointer, shown in the next.
    pub found: Option<(&'static str, f64)>,
}

impl Cursor {
    /// Starts a frame.
    pub fn turn(&mut self) {
        self.shown = self.found.take();
    }
}

/// A plot of series.
pub struct Curves<'a> {
    /// Unique in the window.
    pub id: &'static str,
    /// Its name, with the unit.
    pub title: &'static str,
    /// The horizontal axis.
    pub x_name: &'static str,
    /// The same in one word.
    pub x_short: &'static str,
    /// Whether it falls from left to right.
    pub invert_x: bool,
    /// Its curves, drawn in this order.
    pub curves: Vec<Shown<'a>>,
    /// Legend entries that belong to no single curve (what solid and dashed mean), each with its tooltip.
    pub key: Vec<(LineLook, String, &'a str)>,
    /// A line across.
    pub level: Option<Level>,
    /// Moments at which something changed: where on the horizontal axis, and what.
    pub marks: Vec<(f64, String)>,
    /// The values of the horizontal axis that are shown at least.
    pub x_range: Option<(f64, f64)>,
    /// Decades that a signed logarithmic axis shows at most on either side of zero.
    pub decades: i32,
    /// Said where there is no value at all.
    pub empty: &'a str,
}

impl Curves<'_> {
    /// Draws it into all of the space that is left.
    pub fn show(&self, ui: &mut Ui, view: &mut View, cursor: &mut Cursor, traces: &mut Traces) {
        header::legend(ui, self);
        if self.curves.iter().all(|c| c.curve.is_empty()) {
            ui.centered_and_justified(|ui| ui.weak(self.empty));
            return;
        }
        if view.table {
            let width = (ui.available_width() * 0.5).max(160.0);
            let (size, left) = (ui.available_size(), ui.cursor().left_top());
            let plot = egui::Rect::from_min_size(left, vec2((size.x - width).max(80.0), size.y));
            let rest = egui::Rect::from_min_max(pos2(plot.right() + 6.0, left.y), left + size);
            ui.scope_builder(egui::UiBuilder::new().max_rect(plot), |ui| {
                self.plot(ui, view, cursor, traces);
            });
            ui.scope_builder(egui::UiBuilder::new().max_rect(rest), |ui| {
                let columns: Vec<_> = self
                    .curves
                    .iter()
                    .map(|c| ((c.name.as_str(), c.tip.as_str()), c.curve.values()))
                    .collect();
                let at = cursor.shown.filter(|(name, _)| *name == "iteration").map(|(_, x)| x);
                table::show(ui, self.title, &columns, at);
            });
        } else {
            self.plot(ui, view, cursor, traces);
        }
    }

    /// The scales of both axes.
    fn scales(&self, view: &View) -> [Scale; 2] {
        // A logarithmic axis has no place for any of values below zero: a signed one has.
        let is_negative = || self.curves.iter().filter_map(Shown::ends).all(|(_, high)| high <= 0.0);
        let y = match view.vertical {
            Vertical::Linear => Scale::Linear,
            Vertical::Log if !is_negative() => Scale::Log,
            Vertical::Log | Vertical::SignedLog => {
                let smallest = self.curves.iter().filter_map(|c| c.smallest_magnitude());
                let largest = self.curves.iter().filter_map(|c| c.largest_magnitude());
                let (smallest, largest) =
                    (smallest.reduce(f64::min).unwrap_or(0.0), largest.fold(0.0, f64::max));
                Scale::SignedLog { threshold: scale::threshold(smallest, largest, self.decades) }
            }
        };
        [if view.log_x { Scale::Log } else { Scale::Linear }, y]
    }

    fn plot(&self, ui: &mut Ui, view: &mut View, cursor: &mut Cursor, kept: &mut Traces) {
        let scales = self.scales(view);
        let columns = ui.available_width().max(40.0) as usize;
        let group = Id::unique(("curves", self.x_name, view.log_x));
        let fit = std::mem::take(&mut view.fit);
        let cursor_x = cursor.shown.filter(|(name, _)| *name == self.x_name).map(|(_, x)| x);
        let shown = cursor_x.and_then(|x| scales[0].place(x));
        let dark = ui.visuals().dark_mode;
        let plot = axes::axes(self.id, scales, ui).link_axis(group, axes::LINK_X).invert_x(self.invert_x);
        let mut before = kept.take(self.id);
        let PlotResponse { response, transform, inner: drawn, .. } = plot.show(ui, |plot| {
            if fit {
                plot.set_auto_bounds(true);
            }
            let bounds = plot.plot_bounds();
            let whole = plot.auto_bounds().x || fit;
            let view = (!whole).then(|| (bounds.min()[0], bounds.max()[0]));
            let mut all = Vec::with_capacity(self.curves.len());
            let mut extent = [None, None];
            if let Some((low, high)) = self.x_range {
                for x in [low, high].into_iter().filter_map(|x| scales[0].place(x)) {
                    widen(&mut extent[0], x);
                }
            }
            for (i, curve) in self.curves.iter().enumerate() {
                let drawing = curve.drawing(scales, columns, view);
                let drawn = drawing.drawn(curve.span, before.remove(&curve.name));
                let most = [None, curve.ceiling.and_then(|value| scales[1].place(value))];
                for ((all, own), most) in extent.iter_mut().zip(drawn.extent).zip(most) {
                    let ends = own.into_iter().flat_map(|(low, high)| [low, high]);
                    ends.for_each(|place| widen(all, most.map_or(place, |most| place.min(most))));
                }
                let has_smooth = !drawn.smooth.lines.is_empty();
                curve.add_band(plot, 2 * self.curves.len() + i, scales, &mut extent[1]);
                if !(curve.faint && has_smooth) {
                    curve.add_lines(plot, i, &drawn.raw, most[1], has_smooth || curve.faint);
                }
                curve.add_lines(plot, self.curves.len() + i, &drawn.smooth, most[1], curve.faint);
                all.push(drawn);
            }
            for (x, text) in &self.marks {
                if let Some(x) = scales[0].place(*x) {
                    let line = VLine::new(text.clone(), x).style(paint::line_style(Dash::Dotted));
                    plot.vline(line.color(theme::change_mark(dark)).width(1.0));
                }
            }
            if let Some(y) = self.level.and_then(|level| scales[1].place(level.value)) {
                widen(&mut extent[1], y);
                let line = HLine::new("level", y).style(paint::line_style(Dash::Dotted));
                plot.hline(line.color(theme::change_mark(dark)).width(1.0));
            }
            // Less than an iteration is nothing to look at.
            let least_x = if self.x_name == "iteration" && scales[0] == Scale::Linear { 1.0 } else { 1e-9 };
            plot.add(Extent::new(extent[0], extent[1], [least_x, least_span(scales[1], extent[1])]));
            all
        });
        let frame = *transform.frame();
        let x_of = |place: f64| transform.position_from_point_x(place);
        let painter = ui.painter().with_clip_rect(frame);
        let warning = theme::warning(dark);
        // Not an item of the plot: the axis would grow to hold it, and the cursor with the axis.
        if let Some(x) = shown {
            painter.vline(x_of(x), frame.y_range(), (1.0, theme::change_mark(dark)));
        }
        for (curve, trace) in self.curves.iter().zip(drawn.iter().map(|own| &own.raw)) {
            let points = trace.lines.iter().map(Vec::len).sum::<usize>();
            let apart = apart(trace, x_of);
            if let Some(shape) = curve.look.marker
                && !curve.faint
                && (apart > 9.0 || points == 1)
            {
                for point in trace.lines.iter().flatten() {
                    let at = transform.position_from_point(&(*point).into());
                    painter.add(paint::marker(shape, at, 3.0, curve.look.color));
                }
            }
            for iteration in curve.doubtful {
                if let Some(at) = curve.point_at(*iteration, scales) {
                    let at = transform.position_from_point(&at.into());
                    painter.add(paint::marker(Marker::Ring, at, 6.0, warning));
                }
            }
            painter.extend(trace.below.iter().map(|x| paint::below(x_of(*x), frame, curve.look.color)));
            painter.extend(trace.not_finite.iter().map(|x| paint::not_finite(x_of(*x), frame, warning)));
        }
        kept.keep(self.id, self.curves.iter().map(|curve| curve.name.clone()).zip(drawn));
        self.name_of_x(ui, frame);
        if let Some(level) = self.level
            && let Some(place) = scales[1].place(level.value)
        {
            let y = transform.position_from_point_y(place);
            let font = egui::TextStyle::Small.resolve(ui.style());
            // The row at the top is that of the marks.
            let row = if self.marks.is_empty() { 0.0 } else { 1.2 * font.size + 2.0 };
            let above = y - font.size > frame.top() + 2.0 + row;
            let align = if above { egui::Align2::RIGHT_BOTTOM } else { egui::Align2::RIGHT_TOP };
            let below = (y + 1.0).max(frame.top() + row);
            let at = pos2(frame.right() - 4.0, if above { y - 1.0 } else { below });
            painter.text(at, align, level.name, font, ui.visuals().weak_text_color());
        }
        self.paint_marks(ui, frame, scales[0], x_of);
        if let Some(pointer) = response.hover_pos() {
            cursor.found = Some((self.x_name, scales[0].value(transform.value_from_position(pointer).x)));
        }
        if let (Some(x), Some(place)) = (cursor_x, shown)
            && frame.x_range().contains(x_of(place))
        {
            let top = response.hover_pos().map_or(frame.top() + 4.0, |p| p.y);
            let marks = self.marks_at(x_of(place), scales[0], x_of);
            self.readout(x, scales, marks).show(ui, frame, x_of(place), top);
        }
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, self.in_words()));
    }

    /// What the plot shows, in words, for a screen reader.
    pub fn in_words(&self) -> String {
        let mut text = format!("Plot of {}, {} curves", self.title.to_lowercase(), self.curves.len());
        for curve in &self.curves {
            // The newest value that has a place on the axis.
            let values = curve.curve.values().0.iter().rev();
            let mut placed = values.filter_map(|p| Some((*p, curve.abscissa.at(p.iteration as f64)?)));
            match placed.next() {
                Some((p, x)) => {
                    text +=
                        &format!(". {}: {} at iteration {}", curve.name, number::value(p.value), p.iteration);
                    if self.x_name != "iteration" {
                        text += &format!(", {} {}", self.x_name, number::value(x));
                    }
                }
                None => text += &format!(". {}: no value yet", curve.name),
            }
        }
        text
    }

    /// Every curve's sample nearest to the cursor, exactly.
    fn readout(&self, x: f64, scales: [Scale; 2], marks: Vec<String>) -> Readout {
        let value = |curve: &Shown<'_>| {
            let (iteration, text) = match curve.drawing(scales, 1, None).nearest(x)? {
                Reading::Exact(p) => (p.iteration, number::significant(p.value, 6)),
                Reading::Among(entry) => (entry.last, among(entry)),
            };
            Some(Value { look: curve.look, text, name: curve.name.clone(), iteration })
        };
        let at = (self.x_name != "iteration").then(|| format!("{} {}", self.x_name, number::value(x)));
        Readout {
            at,
            marks,
            values: self.curves.iter().filter(|curve| !curve.faint).filter_map(value).collect(),
        }
    }

    /// What the horizontal axis is, left of its numbers: on the plot itself it would hide where curves end.
    fn name_of_x(&self, ui: &Ui, frame: egui::Rect) {
        let font = egui::TextStyle::Small.resolve(ui.style());
        let color = ui.visuals().weak_text_color();
        let galley = ui.painter().layout_no_wrap(self.x_short.to_owned(), font, color);
        let rect = egui::Align2::RIGHT_TOP.anchor_size(frame.left_bottom() + vec2(-8.0, 3.0), galley.size());
        let rect = rect.translate(vec2((ui.max_rect().left() - rect.left()).max(0.0), 0.0));
        ui.painter().galley(rect.min, galley, color);
        let response = ui.interact(rect, ui.scope_id().with(("axis of", self.id)), egui::Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, self.x_name));
        explained(response, || meaning(self.x_name).unwrap_or_else(|| self.x_name.into()));
    }

    fn paint_marks(&self, ui: &Ui, frame: egui::Rect, x_scale: Scale, x_of: impl Fn(f64) -> f32) {
        let font = egui::TextStyle::Small.resolve(ui.style());
        let painter = ui.painter().with_clip_rect(frame);
        let color = ui.visuals().weak_text_color();
        let mut free_from = frame.left();
        for (x, text) in &self.marks {
            let Some(x) = x_scale.place(*x).map(&x_of) else { continue };
            // A label that would lie on the one before is left to the cursor.
            if x < free_from || x > frame.right() {
                continue;
            }
            let whole = painter.layout_no_wrap(text.clone(), font.clone(), color);
            let width = whole.size().x;
            let room = [frame.right() - x - 6.0, x - free_from - 6.0];
            // Right of its line; left of it where only there is room for all of it.
            let is_right = width <= room[0] || width > room[1];
            let galley = match is_right && width > room[0] {
                true => paint::cut(&painter, text, &font, color, room[0]),
                false => whole,
            };
            let left = if is_right { x + 3.0 } else { x - 3.0 - width };
            free_from = (left + galley.size().x).max(x) + 8.0;
            painter.galley(pos2(left, frame.top() + 1.0), galley, color);
        }
    }

    /// What happened within a few points of the screen of the cursor.
    fn marks_at(&self, cursor: f32, x_scale: Scale, x_of: impl Fn(f64) -> f32) -> Vec<String> {
        let is_near = |x: f64| x_scale.place(x).is_some_and(|place| (x_of(place) - cursor).abs() < NEAR);
        self.marks.iter().filter(|(x, _)| is_near(*x)).map(|(_, text)| text.clone()).collect()
    }
}

/// The mean distance of the points of a trace along the horizontal axis, in points of the screen.
fn apart(trace: &Trace, x_of: impl Fn(f64) -> f32) -> f32 {
    let mut all = trace.lines.iter().flatten();
    let (first, last) = (all.next(), trace.lines.iter().flatten().next_back());
    let steps = trace.lines.iter().map(Vec::len).sum::<usize>().saturating_sub(1).max(1);
    let ends = first.zip(last).map_or(0.0, |(first, last)| (x_of(last[0]) - x_of(first[0])).abs());
    ends / steps as f32
}

/// The least extent of the vertical axis in places: a tenth of a decade, or 2 % of the value.
fn least_span(scale: Scale, range: Option<(f64, f64)>) -> f64 {
    match (scale, range) {
        (Scale::Linear, Some((low, high))) => (0.02 * low.abs().max(high.abs())).max(1e-12),
        _ => 0.1,
    }
}

fn among(entry: crate::session::curves::Entry) -> String {
    match entry.ends {
        Some((low, high)) => {
            format!("{} to {}", number::significant(low.value, 6), number::significant(high.value, 6))
        }
        None => "not finite".into(),
    }
}
