//! Owns [`Points`], a plot of single points: eigenvalues in their order, or in the complex plane.

use eframe::egui::{self, Color32, Pos2, Ui, Vec2, vec2};
use egui_plot::{FilledArea, HLine, Line, PlotPoint, PlotPoints, VLine};

use super::axes::{self, Extent};
use super::paint::{self, LineLook};
use super::scale::Scale;
use super::{header, number};
use crate::gui::explain::{explained, meaning};
use crate::gui::theme::{self, Dash};

/// Points of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Cloud {
    /// What they are.
    pub name: String,
    /// How they look; without a marker they are a line.
    pub look: LineLook,
    /// (x, y).
    pub points: Vec<[f64; 2]>,
    /// Half the height of each point's error bar; empty = none.
    pub errors: Vec<f64>,
    /// For the tooltip of its entry in the legend; empty = none.
    pub tip: String,
    /// Whether it has an entry in the legend.
    pub in_legend: bool,
    /// Lower and upper end of a band around each point; empty = none.
    pub band: Vec<[f64; 2]>,
    /// Whether a line goes through the markers.
    pub is_joined: bool,
}

impl Cloud {
    fn new(name: String, look: LineLook, points: Vec<[f64; 2]>) -> Self {
        Self {
            name,
            look,
            points,
            errors: Vec::new(),
            tip: String::new(),
            in_legend: true,
            band: Vec::new(),
            is_joined: false,
        }
    }

    /// With a tooltip.
    pub fn tip(self, tip: impl Into<String>) -> Self {
        Self { tip: tip.into(), ..self }
    }
}

/// Where a plot was clicked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Click {
    /// The value on the horizontal axis.
    pub x: f64,
    /// The point there: number of its cloud, and of the point in it.
    pub point: Option<(usize, usize)>,
}

/// A plot of points.
#[derive(Clone, Debug)]
pub struct Points {
    /// Unique in the window, and its name.
    pub title: &'static str,
    /// The horizontal axis.
    pub x_name: &'static str,
    /// The vertical axis.
    pub y_name: &'static str,
    /// Scales of both axes.
    pub scales: [Scale; 2],
    /// The points.
    pub clouds: Vec<Cloud>,
    /// Circles around zero: radius and name.
    pub circles: Vec<(f64, String)>,
    /// Whether both axes have one unit.
    pub equal_axes: bool,
    /// Whether zero of the vertical axis is worth a line.
    pub zero_line: bool,
    /// A line down at this value, with its name.
    pub at: Option<(f64, String)>,
}

/// Width of a plot, in points, below which its notes are a word or two (`[own]`).
const SMALL: f32 = 220.0;

impl Points {
    /// Clouds on linear axes, with a line at zero; no circle, no line down.
    pub fn new(title: &'static str, x_name: &'static str, y_name: &'static str, clouds: Vec<Cloud>) -> Self {
        let scales = [Scale::Linear; 2];
        let circles = Vec::new();
        Self { title, x_name, y_name, scales, clouds, circles, equal_axes: false, zero_line: true, at: None }
    }

    /// Draws it into `size`; gives where it was clicked.
    pub fn show(&self, ui: &mut Ui, size: Vec2) -> Option<Click> {
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let down = egui::Layout::top_down(egui::Align::Min);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(down));
        self.legend(&mut child, size.y);
        let [x, y] = self.scales;
        let grey = theme::change_mark(ui.visuals().dark_mode);
        let mut plot = axes::axes(self.title, self.scales, &child);
        if self.equal_axes {
            plot = plot.data_aspect(1.0);
        }
        // Where all stands at one place, there is room beside it.
        let all = || self.clouds.iter().flat_map(|cloud| &cloud.points).filter_map(|p| x.place(p[0]));
        let is_one = all().fold(f64::INFINITY, f64::min) >= all().fold(f64::NEG_INFINITY, f64::max);
        let least_x = if is_one { 1.0 } else { 0.0 };
        let shown = plot.show(&mut child, |plot| {
            for (radius, name) in &self.circles {
                let points: PlotPoints<'_> = (0..=128)
                    .map(|i| std::f64::consts::TAU * f64::from(i) / 128.0)
                    .map(|angle| [radius * angle.cos(), radius * angle.sin()])
                    .collect();
                let line = Line::new(name.clone(), points).style(paint::line_style(Dash::Dashed));
                plot.line(line.color(grey).width(1.2).allow_hover(false));
            }
            if self.zero_line
                && let Some(zero) = y.place(0.0)
            {
                plot.hline(HLine::new("zero", zero).color(grey).width(1.0));
            }
            if let Some((value, name)) = &self.at
                && let Some(place) = x.place(*value)
            {
                let line = VLine::new(name.clone(), place).style(paint::line_style(Dash::Dashed));
                plot.vline(line.color(grey).width(1.2));
            }
            for (i, cloud) in self.clouds.iter().enumerate() {
                let places: Vec<[f64; 2]> = cloud.points.iter().filter_map(|p| self.place(*p)).collect();
                let low = places.iter().copied().reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])]);
                let high = places.iter().copied().reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])]);
                if let (Some(low), Some(high)) = (low, high) {
                    let tenth = |value: f64| 0.1 * value.abs().max(1e-9);
                    // Markers at the ends are whole.
                    let room = if cloud.look.marker.is_some() && x == Scale::Linear { 0.03 } else { 0.0 };
                    let (low, high) = {
                        let pad = room * (high[0] - low[0]);
                        ([low[0] - pad, low[1]], [high[0] + pad, high[1]])
                    };
                    let least = [least_x, if y == Scale::Linear { tenth(high[1]) } else { 0.2 }];
                    plot.add(Extent::new(Some((low[0], high[0])), Some((low[1], high[1])), least));
                }
                self.band(plot, cloud);
                if cloud.look.marker.is_none() || cloud.is_joined {
                    let line = Line::new(cloud.name.clone(), PlotPoints::from(places)).id(("cloud", i));
                    let line = line.color(cloud.look.color).width(cloud.look.width);
                    plot.line(line.style(paint::line_style(cloud.look.dash)).allow_hover(false));
                }
            }
        });
        let frame = *shown.transform.frame();
        let painter = ui.painter().with_clip_rect(frame);
        let mut nearest: Option<(f32, Pos2, (usize, usize))> = None;
        let pointer = shown.response.hover_pos();
        let mut note = frame.left_top() + vec2(4.0, 2.0);
        for (number, cloud) in self.clouds.iter().enumerate() {
            // Values below every scale (-inf), values that are none, and those a logarithmic scale refuses.
            let mut missing = [0; 3];
            for (i, point) in cloud.points.iter().enumerate() {
                let Some(place) = self.place(*point) else {
                    let kind = match point[1] {
                        f64::NEG_INFINITY => 0,
                        value if value.is_finite() => 2,
                        _ => 1,
                    };
                    missing[kind] += usize::from(point[0].is_finite());
                    if let Some(x) = x.place(point[0]) {
                        let at = shown.transform.position_from_point_x(x);
                        painter.add(paint::below(at, frame, cloud.look.color));
                    }
                    continue;
                };
                let at = shown.transform.position_from_point(&PlotPoint::from(place));
                if let Some(error) = cloud.errors.get(i).filter(|e| e.is_finite() && **e > 0.0) {
                    let end = |value: f64| y.place(value).map(|v| shown.transform.position_from_point_y(v));
                    if let (Some(top), Some(bottom)) = (end(point[1] + error), end(point[1] - error)) {
                        painter.vline(at.x, top..=bottom, (1.0, cloud.look.color.gamma_multiply(0.6)));
                    }
                }
                if let Some(marker) = cloud.look.marker {
                    painter.add(paint::marker(marker, at, 3.0, cloud.look.color));
                }
                let distance = pointer.map(|p| p.distance(at)).filter(|d| *d < 10.0);
                if let Some(distance) = distance
                    && nearest.as_ref().is_none_or(|(d, _, _)| distance < *d)
                {
                    nearest = Some((distance, at, (number, i)));
                }
            }
            for (count, what) in missing.into_iter().zip(["-inf", "not finite", "not positive"]) {
                if count == 0 {
                    continue;
                }
                let text = if frame.width() < SMALL {
                    format!("{count} {what}")
                } else {
                    format!("{}: {count} {what}, at the bottom edge", cloud.name)
                };
                let font = egui::TextStyle::Small.resolve(ui.style());
                let room = (frame.right() - note.x).max(40.0);
                let text = painter.layout(text, font, ui.visuals().weak_text_color(), room);
                let height = text.size().y;
                painter.galley(note, text, ui.visuals().weak_text_color());
                note.y += height;
            }
        }
        if let Some((_, at, (number, i))) = nearest {
            paint::boxed_text(ui, frame, at, vec![(None, self.words(&self.clouds[number], i))]);
        }
        shown.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, self.in_words()));
        let clicked = shown.response.interact_pointer_pos().filter(|_| shown.response.clicked())?;
        let x = x.value(shown.transform.value_from_position(clicked).x);
        Some(Click { x, point: nearest.map(|(_, _, point)| point) })
    }

    fn legend(&self, ui: &mut Ui, height: f32) {
        header::row(ui, |ui| {
            for cloud in self.clouds.iter().filter(|cloud| cloud.in_legend) {
                explained(header::entry(ui, cloud.look, &cloud.name), || {
                    let axes = || format!("{} by {}", self.y_name, self.x_name);
                    let usual = || meaning(self.y_name).unwrap_or_else(axes);
                    if cloud.tip.is_empty() { usual() } else { cloud.tip.clone() }
                });
            }
            let grey = theme::change_mark(ui.visuals().dark_mode);
            // Where there is little room the circles speak for themselves.
            let entries = self.clouds.iter().filter(|cloud| cloud.in_legend).count();
            let circles = if header::is_low(height) && entries > 1 { &[][..] } else { &self.circles[..] };
            for (_, name) in circles {
                let look = LineLook { color: grey, dash: Dash::Dashed, marker: None, width: 1.2 };
                explained(header::entry(ui, look, name), || "A circle around 0, without unit".into());
            }
            header::names_behind(
                ui,
                height,
                &format!("{} by {}", self.y_name, self.x_name),
                &[self.y_name, self.x_name],
            );
        });
    }

    /// The band of a cloud, where both of its ends can be shown.
    fn band(&self, plot: &mut egui_plot::PlotUi<'_>, cloud: &Cloud) {
        let ends = cloud.points.iter().zip(&cloud.band).filter_map(|(point, [low, high])| {
            Some([self.place([point[0], *low])?, self.place([point[0], *high])?])
        });
        let ends: Vec<[[f64; 2]; 2]> = ends.collect();
        let column = |end: usize, axis: usize| ends.iter().map(|e| e[end][axis]).collect::<Vec<f64>>();
        let area =
            FilledArea::new(format!("{} band", cloud.name), &column(0, 0), &column(0, 1), &column(1, 1));
        if ends.len() > 1 {
            plot.add(area.fill_color(cloud.look.color.gamma_multiply(0.25)).allow_hover(false));
        }
    }

    fn place(&self, point: [f64; 2]) -> Option<[f64; 2]> {
        Some([self.scales[0].place(point[0])?, self.scales[1].place(point[1])?])
    }

    fn words(&self, cloud: &Cloud, i: usize) -> String {
        let [x, y] = cloud.points[i];
        let error = cloud.errors.get(i).filter(|e| e.is_finite() && **e > 0.0);
        let spread = error.map_or(String::new(), |e| format!(" ± {}", number::value(*e)));
        format!(
            "{}: {} {}, {} {}{spread}",
            cloud.name,
            self.x_name,
            number::value(x),
            self.y_name,
            number::value(y)
        )
    }

    fn in_words(&self) -> String {
        let mut text = format!("{}: {} by {}", self.title, self.y_name, self.x_name);
        for cloud in &self.clouds {
            text += &format!(". {}: {}", cloud.name, number::counted(cloud.points.len() as u64, "point"));
            if let Some([x, y]) = cloud.points.first() {
                text += &format!(", the first at {} is {}", number::value(*x), number::value(*y));
            }
        }
        text
    }
}

/// A cloud of markers.
pub fn cloud(name: impl Into<String>, slot: usize, dark: bool, points: Vec<[f64; 2]>) -> Cloud {
    let (color, marker) = theme::run_style(slot, dark);
    let look = LineLook { color, dash: Dash::Solid, marker: Some(marker), width: 1.5 };
    Cloud::new(name.into(), look, points)
}

/// A line.
pub fn line(name: impl Into<String>, color: Color32, dash: Dash, points: Vec<[f64; 2]>) -> Cloud {
    let look = LineLook { color, dash, marker: None, width: 1.5 };
    Cloud::new(name.into(), look, points)
}
