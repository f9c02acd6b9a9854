//! Owns the axes of a plot: egui_plot's plot with our scales and ticks on both sides.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;

use eframe::egui::{self, Vec2b};
use egui_plot::{
    AxisHints, GridInput, GridMark, Plot, PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotTransform,
};

use super::scale::{Scale, Tick};

/// Points of the screen that a number on the horizontal and on the vertical axis asks for (`[own]`).
const ROOM: [f64; 2] = [80.0, 24.0];
/// The same of a decade on a vertical axis: the numbers of a logarithmic one cannot be guessed from two of
/// them (`[own]`).
const ROOM_OF_DECADE: f64 = 15.0;

/// egui_plot hands a grid spacer the step of this many points of the screen.
const BASE_STEP_POINTS: f64 = 8.0;

/// Width of a plot with its numbers, in points, that is small (`[own]`).
const SMALL: f32 = 200.0;

/// A plot whose coordinates are the places of the two scales. The first drag pans, the second zooms to a box,
/// Ctrl and the wheel zoom, a double click fits.
pub fn axes<'a>(id: &str, scales: [Scale; 2], ui: &egui::Ui) -> Plot<'a> {
    let text_height = egui::TextStyle::Small.resolve(ui.style()).size;
    let [x, y] = scales.map(|scale| Rc::new(Ticks { scale, labels: RefCell::new(Vec::new()) }));
    let font = egui::FontId::proportional(text_height);
    let spacing = egui::Rangef::new(0.0, 1.0);
    let vertical = if scales[1] == Scale::Linear { ROOM[1] } else { ROOM_OF_DECADE };
    let room = [ROOM[0], vertical].map(|points| points * f64::from(text_height / 11.0));
    let hints = [
        AxisHints::new_x().formatter(x.formatter()).label_spacing(spacing).tick_label_font(font.clone()),
        AxisHints::new_y()
            .formatter(y.formatter())
            .label_spacing(spacing)
            .tick_label_font(font)
            // One width for plots above each other; of a small plot the numbers take no more than they need.
            .min_thickness(text_height * if ui.available_width() < SMALL { 2.0 } else { 4.0 }),
    ];
    let [x_hints, y_hints] = hints;
    Plot::new(id)
        .custom_x_axes(vec![x_hints])
        .custom_y_axes(vec![y_hints])
        .x_grid_spacer(move |input| x.marks(&input, room[0]))
        .y_grid_spacer(move |input| y.marks(&input, room[1]))
        .grid_color(ui.visuals().text_color().gamma_multiply(0.35))
        // Half of the last number on the horizontal axis hangs over its end.
        .width(ui.available_width() - 1.5 * text_height)
        .allow_scroll(false)
        .set_margin_fraction(egui::vec2(0.01, 0.06))
        .show_crosshair(false)
        .min_size(egui::vec2(40.0, 30.0))
}

/// The ticks of one axis, shared by the grid and the numbers.
struct Ticks {
    scale: Scale,
    labels: RefCell<Vec<Tick>>,
}

impl Ticks {
    fn marks(&self, input: &GridInput, points_per_label: f64) -> Vec<GridMark> {
        let per_point = input.base_step_size / BASE_STEP_POINTS;
        let (low, high) = input.bounds;
        let room = ((high - low) / (per_point * points_per_label)).clamp(2.0, 40.0) as usize;
        let ticks = self.scale.ticks(low, high, room);
        // The step tells egui_plot how strong a line is: numbered ones as if 60 points apart, others 11.
        let marks = ticks
            .iter()
            .map(|tick| GridMark {
                value: tick.place,
                step_size: per_point * if tick.label.is_empty() { 11.0 } else { 120.0 },
            })
            .collect();
        *self.labels.borrow_mut() = ticks;
        marks
    }

    fn formatter(self: &Rc<Self>) -> impl Fn(GridMark, &RangeInclusive<f64>) -> String + 'static {
        let ticks = Rc::clone(self);
        move |mark, _| {
            let labels = ticks.labels.borrow();
            labels.iter().find(|t| t.place == mark.value).map(|t| t.label.clone()).unwrap_or_default()
        }
    }
}

/// An item that is seen by the automatic bounds only.
pub struct Extent {
    base: PlotItemBase,
    bounds: PlotBounds,
}

impl Extent {
    /// From the smallest to the largest place on both axes. An axis without a place is left alone; one without
    /// extent is given `least` around it, so that a constant is a line in the middle.
    pub fn new(x: Option<(f64, f64)>, y: Option<(f64, f64)>, least: [f64; 2]) -> Self {
        let mut bounds = PlotBounds::NOTHING;
        for (axis, range) in [x, y].into_iter().enumerate() {
            let Some((low, high)) = range else { continue };
            let pad = (least[axis] - (high - low)).max(0.0) / 2.0;
            let (low, high) = (low - pad, high + pad);
            if axis == 0 {
                bounds.extend_with_x(low);
                bounds.extend_with_x(high);
            } else {
                bounds.extend_with_y(low);
                bounds.extend_with_y(high);
            }
        }
        Self { base: PlotItemBase::new("extent".into()), bounds }
    }
}

impl PlotItem for Extent {
    fn shapes(&self, _: &egui::Ui, _: &PlotTransform, _: &mut Vec<egui::Shape>) {}
    fn initialize(&mut self, _: RangeInclusive<f64>) {}
    fn color(&self) -> egui::Color32 {
        egui::Color32::TRANSPARENT
    }
    fn allow_hover(&self) -> bool {
        false
    }
    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }
    fn bounds(&self) -> PlotBounds {
        self.bounds
    }
    fn base(&self) -> &PlotItemBase {
        &self.base
    }
    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}

/// Only the horizontal axis is linked between curves.
pub const LINK_X: Vec2b = Vec2b { x: true, y: false };
