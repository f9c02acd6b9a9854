//! Owns [`Shown`], one line of a plot of curves: how its values, its running mean and its band are drawn.

use eframe::egui::Color32;
use egui_plot::{FilledArea, Line, PlotPoints};

use super::paint::{self, LineLook};
use super::scale::Scale;
use super::trace::{Drawing, Trace, widen};
use crate::gui::theme::Dash;
use crate::session::across::Abscissa;
use crate::session::compare::BandPoint;
use crate::session::curves::{Curve, Reading};

/// One line of a plot.
pub struct Shown<'a> {
    /// What it is and of which run; unique in its plot.
    pub name: String,
    /// How it looks.
    pub look: LineLook,
    /// Its values.
    pub curve: &'a Curve,
    /// What its horizontal axis shows.
    pub abscissa: Abscissa<'a>,
    /// The span in iterations of the running mean that is drawn with the values faint behind; 0 = the values.
    pub span: f64,
    /// What the legend adds: why a line is a guide only, that a value is stale.
    pub note: Option<String>,
    /// What it is, for the tooltip of its entry in the legend.
    pub tip: String,
    /// Whether it has an entry of its own in the legend.
    pub in_legend: bool,
    /// Iterations at which its value is not to be relied on, rising.
    pub doubtful: &'a [i64],
    /// One of several seeds, behind their mean.
    pub faint: bool,
    /// The spread around it, where it is a mean over seeds.
    pub band: &'a [BandPoint],
    /// The largest value that the axis takes in by itself: what grew without bound would leave no room for the rest.
    pub ceiling: Option<f64>,
}

impl Shown<'_> {
    pub(super) fn drawing(
        &self,
        scales: [Scale; 2],
        columns: usize,
        view: Option<(f64, f64)>,
    ) -> Drawing<'_> {
        Drawing { curve: self.curve, abscissa: self.abscissa, scales, columns, view }
    }

    /// The place of the value that was taken at an iteration.
    pub(super) fn point_at(&self, iteration: i64, scales: [Scale; 2]) -> Option<[f64; 2]> {
        let Reading::Exact(point) = self.curve.at(iteration)? else { return None };
        let x = scales[0].place(self.abscissa.at(iteration as f64)?)?;
        (point.iteration == iteration).then_some([x, scales[1].place(point.value)?])
    }

    /// Smallest and largest value.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        self.curve.whole()?.ends.map(|(low, high)| (low.value, high.value))
    }

    pub(super) fn largest_magnitude(&self) -> Option<f64> {
        self.ends().map(|(low, high)| low.abs().max(high.abs()))
    }

    /// The magnitude nearest to zero that is still worth telling from it.
    pub(super) fn smallest_magnitude(&self) -> Option<f64> {
        let (low, high) = self.ends()?;
        let last = self.curve.last()?.value.abs();
        [low.abs(), high.abs(), last].into_iter().filter(|v| *v > 0.0).reduce(f64::min)
    }

    /// The area of one standard deviation around a mean.
    pub(super) fn add_band(
        &self,
        plot: &mut egui_plot::PlotUi<'_>,
        id: usize,
        scales: [Scale; 2],
        extent: &mut Option<(f64, f64)>,
    ) {
        let place = |p: &BandPoint| {
            let (low, high) = p.edges();
            let x = scales[0].place(self.abscissa.at(p.x)?)?;
            Some((x, scales[1].place(low)?, scales[1].place(high)?))
        };
        let (mut x, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
        for (at, lower, upper) in self.band.iter().filter_map(place) {
            x.push(at);
            low.push(lower);
            high.push(upper);
            widen(extent, lower);
            widen(extent, upper);
        }
        if x.len() > 1 {
            let area = FilledArea::new("band", &x, &low, &high).id(id).allow_hover(false);
            plot.add(area.fill_color(self.look.color.gamma_multiply(0.2)));
        }
    }

    /// What lies above the place `most` is drawn there.
    pub(super) fn add_lines(
        &self,
        plot: &mut egui_plot::PlotUi<'_>,
        index: usize,
        trace: &Trace,
        most: Option<f64>,
        faint: bool,
    ) {
        let color: Color32 = if faint { self.look.color.gamma_multiply(0.45) } else { self.look.color };
        let width = if faint { 1.0 } else { self.look.width };
        for (stretch, line) in trace.lines.iter().enumerate() {
            let below = |[x, y]: [f64; 2]| [x, most.map_or(y, |most| y.min(most))];
            let points = PlotPoints::from(line.iter().copied().map(below).collect::<Vec<_>>());
            let style = if faint { Dash::Solid } else { self.look.dash };
            plot.line(
                Line::new(self.name.clone(), points)
                    .id((index, stretch))
                    .color(color)
                    .width(width)
                    .style(paint::line_style(style))
                    .allow_hover(false),
            );
        }
    }
}
