//! Owns the panels of curves: which series of which runs each shows, and how.

use std::collections::BTreeMap;

use eframe::egui::Ui;

use super::layout::Panel;
use super::plot::curves::{Cursor, Curves, Shown, Vertical, View};
use super::plot::header;
use super::plot::paint::LineLook;
use super::plot::trace::Abscissa;
use super::theme::{self, Dash, Marker};
use crate::session::curves::Curve;
use crate::session::runs::Mark;
use crate::session::{RunEntry, Session};
use crate::training::history::Series;

/// What the horizontal axis of all curves shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Axis {
    #[default]
    Iterations,
    Seconds,
}

/// What the user chose for the curves.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct State {
    /// Of each panel.
    pub views: BTreeMap<Panel, View>,
    /// The horizontal axis of all.
    pub axis: Axis,
    /// Span of the running mean in iterations; 0 = off.
    pub span: f64,
    /// The panel under the pointer in the last frame.
    #[serde(skip)]
    hovered: Option<Panel>,
}

impl Default for State {
    fn default() -> Self {
        let views = PLOTS
            .iter()
            .map(|plot| (plot.panel, View { vertical: plot.vertical, ..View::default() }))
            .collect();
        Self { views, axis: Axis::default(), span: 20.0, hovered: None }
    }
}

impl State {
    /// Shows all of every curve again.
    pub fn fit(&mut self) {
        self.views.values_mut().for_each(|view| view.fit = true);
    }

    /// Makes the plot under the pointer logarithmic or linear, or all of them.
    pub fn toggle_log(&mut self) {
        let hovered = self.hovered;
        for (panel, view) in &mut self.views {
            if hovered.is_none_or(|h| h == *panel) {
                let usual = plot(*panel).map_or(Vertical::Log, |p| p.vertical);
                view.vertical = match view.vertical {
                    Vertical::Linear if usual == Vertical::SignedLog => Vertical::SignedLog,
                    Vertical::Linear => Vertical::Log,
                    Vertical::Log | Vertical::SignedLog => Vertical::Linear,
                };
                view.fit = true;
            }
        }
    }

    /// Shows or hides the numbers beside every plot.
    pub fn toggle_tables(&mut self) {
        let all = self.views.values().all(|view| view.table);
        self.views.values_mut().for_each(|view| view.table = !all);
    }
}

/// One plot.
struct Plot {
    panel: Panel,
    id: &'static str,
    title: &'static str,
    /// With the name of the line within a run, and how it is broken.
    series: &'static [(Series, &'static str, Dash)],
    vertical: Vertical,
    /// Whether values come at every iteration and may be smoothed.
    noisy: Option<Series>,
    empty: &'static str,
}

const PLOTS: &[Plot] = &[
    Plot {
        panel: Panel::Loss,
        id: "loss",
        title: "Loss",
        series: &[(Series::TrainLoss, "train", Dash::Solid), (Series::TestLoss, "test", Dash::Dashed)],
        vertical: Vertical::Log,
        noisy: Some(Series::TrainLoss),
        empty: "No value yet. Press Space to run.",
    },
    Plot {
        panel: Panel::Accuracy,
        id: "accuracy",
        title: "Accuracy",
        series: &[
            (Series::TrainAccuracy, "train", Dash::Solid),
            (Series::TestAccuracy, "test", Dash::Dashed),
        ],
        vertical: Vertical::Linear,
        noisy: Some(Series::TrainAccuracy),
        empty: "No value yet. The task may have no accuracy (pattern has none).",
    },
];

fn plot(panel: Panel) -> Option<&'static Plot> {
    PLOTS.iter().find(|plot| plot.panel == panel)
}

/// The switches of a panel of curves, for the bar of its tab, from right to left.
pub fn switches(ui: &mut Ui, panel: Panel, state: &mut State) {
    if let Some(plot) = plot(panel) {
        header::switches(ui, plot.title, state.views.entry(panel).or_default());
        if plot.noisy.is_some() {
            header::smoothing(ui, plot.title, &mut state.span);
        }
    }
}

/// Draws a panel of curves.
pub fn show(ui: &mut Ui, panel: Panel, session: &Session, state: &mut State, cursor: &mut Cursor) {
    let Some(plot) = plot(panel) else { return };
    let dark = ui.visuals().dark_mode;
    let rect = ui.max_rect();
    if ui.rect_contains_pointer(rect) {
        state.hovered = Some(panel);
    } else if state.hovered == Some(panel) {
        state.hovered = None;
    }
    let runs: Vec<&RunEntry> = session.runs().iter().filter(|run| !run.hidden).collect();
    let several = runs.len() > 1;
    let mut shown = Vec::new();
    for run in &runs {
        let (color, marker) = theme::run_style(run.colour, dark);
        let current = session.current().is_some_and(|current| current.id == run.id);
        for (series, name, dash) in plot.series {
            let Some(curve) = run.curves.get(*series) else { continue };
            let abscissa = match state.axis {
                Axis::Iterations => Abscissa::Iteration,
                Axis::Seconds => Abscissa::Seconds(&run.seconds),
            };
            shown.push(Shown {
                name: if several { format!("{name}, {}", run.name) } else { (*name).into() },
                look: LineLook {
                    color,
                    dash: *dash,
                    marker: Some(marker),
                    width: if current { 2.0 } else { 1.5 },
                },
                curve,
                abscissa,
                span: if plot.noisy == Some(*series) { state.span } else { 0.0 },
                note: notes(curve, state.views.get(&panel)),
                in_legend: !several,
            });
        }
    }
    let marks: &[Mark] = session.current().map_or(&[], |run| &run.marks);
    let view = state.views.entry(panel).or_default();
    let chart = Curves {
        id: plot.id,
        title: plot.title,
        x_name: match state.axis {
            Axis::Iterations => "iteration",
            Axis::Seconds => "seconds of training",
        },
        curves: shown,
        key: if several { key(plot, &runs, dark) } else { Vec::new() },
        marks,
        x_range: x_range(&runs, state.axis),
        empty: plot.empty,
    };
    chart.show(ui, view, cursor);
}

/// What the legend adds to a curve.
fn notes(curve: &Curve, view: Option<&View>) -> Option<String> {
    let whole = curve.whole()?;
    let mut notes = Vec::new();
    if whole.not_finite > 0 {
        notes.push(format!("{} not finite", whole.not_finite));
    }
    if whole.not_positive > 0 && view.is_some_and(|v| v.vertical == Vertical::Log) {
        notes.push(format!("{} at or below 0, at the bottom edge", whole.not_positive));
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// The legend of several runs: what each dash means, then the colour and marker of each run.
fn key(plot: &Plot, runs: &[&RunEntry], dark: bool) -> Vec<(LineLook, String)> {
    let grey = theme::change_mark(dark);
    let look = |color, dash, marker: Option<Marker>| LineLook { color, dash, marker, width: 1.5 };
    let kinds = plot.series.iter().map(|(_, name, dash)| (look(grey, *dash, None), (*name).to_owned()));
    let runs = runs.iter().map(|run| {
        let (color, marker) = theme::run_style(run.colour, dark);
        (look(color, Dash::Solid, Some(marker)), run.name.clone())
    });
    kinds.chain(runs).collect()
}

/// The iterations or seconds that all plots show, so that they line up.
fn x_range(runs: &[&RunEntry], axis: Axis) -> Option<(f64, f64)> {
    let last = runs.iter().map(|run| match axis {
        Axis::Iterations => run.iteration as f64,
        Axis::Seconds => run.seconds.total(),
    });
    let first = match axis {
        Axis::Iterations => runs.iter().map(|run| (run.iteration as f64).min(0.0)).fold(0.0, f64::min),
        Axis::Seconds => 0.0,
    };
    last.reduce(f64::max).map(|last| (first, last))
}
