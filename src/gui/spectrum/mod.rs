//! Owns the spectrum panel: the Hessian's spectrum of the selected run as a density, by rank and over training,
//! and its Lyapunov exponents, as they were measured last.

mod density;
mod eigenvalues;

use eframe::egui::{self, Ui, pos2, vec2};

use super::app::Asked;
use super::freshness;
use super::plot::number;
use super::plot::points::{self, Points};
use super::plot::values;
use super::status_line::{self, Part};
use crate::session::freshness::Freshness;
use crate::session::{Action, RunEntry, RunId, Session};
use crate::training::history::Series;
use crate::training::measures::{CurvatureDetail, Detail, LyapunovDetail, Measure};

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    #[default]
    Density,
    Rank,
    Training,
    Lyapunov,
    Convergence,
}

const VIEWS: [(View, &str, &str); 5] = [
    (
        View::Density,
        "Density",
        "How the eigenvalues of the Hessian are spread: all of them by stochastic Lanczos quadrature, and the \
         leading ones as they were found",
    ),
    (View::Rank, "By rank", "The leading Hessian eigenvalues and the smallest, in their order"),
    (
        View::Training,
        "Over training",
        "The leading Hessian eigenvalues and the smallest, over the iterations",
    ),
    (View::Lyapunov, "Lyapunov", "The Lyapunov exponents along the probe batch, in their order"),
    (
        View::Convergence,
        "Convergence",
        "The largest Lyapunov exponent as it settles over the steps of a trial: is the trial long enough?",
    ),
];

/// What the panel keeps.
#[derive(Debug, Default)]
pub struct State {
    view: View,
    table: bool,
    /// The density was in sight in the last frame.
    wants_density: bool,
    /// The run and the iteration of which a density was last asked for.
    asked: Option<(RunId, i64)>,
}

impl State {
    /// Asks for the density of the selected run where it is in sight and the curvature has been measured since:
    /// it comes as often as the curvature does, and only while it is looked at.
    pub fn follow(&mut self, session: &Session) -> Option<Action> {
        if !std::mem::take(&mut self.wants_density) {
            return None;
        }
        let run = session.current().filter(|run| run.is_alive() && run.unmeasured.is_none())?;
        let (curvature, _) = run.finding(Measure::Curvature)?;
        let at = curvature.finding.iteration;
        let known = run.finding(Measure::Density).is_some_and(|(found, _)| found.finding.iteration >= at);
        if known || self.asked == Some((run.id, at)) {
            return None;
        }
        self.asked = Some((run.id, at));
        Some(Action::Measure(vec![Measure::Density]))
    }
}

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let Some(run) = session.current() else {
        ui.centered_and_justified(|ui| ui.weak("No run"));
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 1.0;
        for (view, name, tip) in VIEWS {
            let button = egui::Button::selectable(state.view == view, egui::RichText::new(name).small());
            let response = ui.add(button.small()).on_hover_text(tip);
            let on = state.view == view;
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, on, format!("Spectrum: {name}"))
            });
            if response.clicked() {
                state.view = view;
            }
        }
        let button = egui::Button::selectable(state.table, egui::RichText::new("table").small()).small();
        let response = ui.add(button).on_hover_text("Show the numbers beside the plot");
        response.widget_info(|| {
            egui::WidgetInfo::selected(egui::Role::Button, true, state.table, "Spectrum: table of numbers")
        });
        if response.clicked() {
            state.table = !state.table;
        }
    });
    if matches!(state.view, View::Lyapunov | View::Convergence) {
        match run.finding(Measure::Lyapunov).map(|(found, _)| &found.finding) {
            Some(finding) if let Detail::Lyapunov(detail) = &finding.detail => match state.view {
                View::Convergence => convergence(ui, run, detail, finding.iteration, state.table),
                _ => lyapunov(ui, run, detail, finding.iteration, state.table, asked),
            },
            _ => nothing(ui, "No Lyapunov exponents yet. Turn on the measure Lyapunov."),
        }
        return;
    }
    let Some((found, _)) = run.finding(Measure::Curvature) else {
        return nothing(ui, "No Hessian eigenvalues yet. Turn on the measure Curvature.");
    };
    let Detail::Curvature(Some(detail)) = &found.finding.detail else {
        return nothing(ui, "A Hessian-vector product was not finite.");
    };
    let is_awaited = state.view == View::Density && run.finding(Measure::Density).is_none();
    caption(ui, run, detail, found.finding.iteration, is_awaited);
    match state.view {
        View::Density => {
            state.wants_density = true;
            density::show(ui, run, detail, state.table);
        }
        View::Rank => eigenvalues::by_rank(ui, run, detail, state.table),
        _ => eigenvalues::over_training(ui, run, state.table),
    }
}

fn nothing(ui: &mut Ui, text: &str) {
    ui.weak(text);
}

/// What was measured, when, and how surely.
fn caption(ui: &mut Ui, run: &RunEntry, detail: &CurvatureDetail, at: i64, is_awaited: bool) {
    let loose = detail.top.iter().chain([&detail.lambda_min]).filter(|e| !e.converged);
    let loose = loose.map(|e| e.residual).reduce(f64::max);
    let n = number::count(detail.n_weights as i64);
    let text = format!("Hessian over {} ({n} weights) of {}", detail.block.name(), run.name);
    let what = Part::new(
        text,
        "Second derivatives of the true training loss on the probe batch, L2 included, by the weights of the block; \
         its eigenvalues are curvatures, in units of the loss per squared weight. Exact products (R-operator), \
         eigenvalues by Lanczos.",
    );
    let stamp = freshness::stamp(ui, Freshness::of(run, Measure::Curvature, at).unless(loose));
    let estimates = [
        ("trace", &detail.trace, Series::HessianTrace.meaning()),
        ("relative flatness", &detail.relative_flatness, Series::RelativeFlatness.meaning()),
    ];
    let estimates = estimates.into_iter().map(|(name, estimate, tip)| {
        Part::new(format!("{name} {} {}", number::value(estimate.value), freshness::surety(estimate)), tip)
    });
    let awaited = is_awaited.then(|| Part::new("The density is being taken", "120 Hessian-vector products"));
    let below: Vec<Part> = awaited.into_iter().chain(estimates).chain(freshness::cost(run)).collect();
    status_line::two(ui, &[what, stamp], &below);
}

fn lyapunov(
    ui: &mut Ui,
    run: &RunEntry,
    detail: &LyapunovDetail,
    at: i64,
    with_table: bool,
    asked: &mut Asked,
) {
    let dark = ui.visuals().dark_mode;
    let exponents = &detail.exponents;
    let which = if detail.all { "all" } else { "the leading" };
    let mut text = format!(
        "Lyapunov exponents of {}, {which} {}, {} finite",
        run.name,
        exponents.mean.len(),
        exponents.finite
    );
    if exponents.silent_trials > 0 {
        text += &format!(", {} silent trials left out", exponents.silent_trials);
    }
    let what = Part::new(
        text,
        "Nats per step along the probe batch's trajectories: mean over the trials, bars the standard deviation. \
         -inf: a direction that is crushed to nothing (usual for ReLU without leak).",
    );
    let stamp = freshness::stamp(ui, Freshness::of(run, Measure::Lyapunov, at));
    let mut values = vec![Part::new(
        format!(
            "largest {}, sum of the finite {}",
            number::value(exponents.max()),
            number::value(exponents.sum())
        ),
        format!("{}; {}", Series::LyapunovMax.meaning(), Series::LyapunovSum.meaning()),
    )];
    if detail.all {
        values.push(Part::new(
            format!(
                "Kaplan-Yorke dimension {}, entropy rate {}",
                number::value(exponents.kaplan_yorke_dimension()),
                number::value(exponents.entropy_rate())
            ),
            "Kaplan-Yorke dimension: how many leading exponents add up to 0, by linear interpolation. Entropy rate: \
             the sum of the positive exponents, nats per step, an upper bound (Pesin).",
        ));
    }
    status_line::two(ui, &[what, stamp], &values);
    if !detail.all {
        let all = ui.small_button("Measure all exponents");
        let tip = "Take all exponents from now on (the setting Exponents of the measures: 0 = all)";
        if all.on_hover_text(tip).clicked() {
            let key = "measure.lyapunov_exponents".into();
            asked.act(Action::Set { key, value: toml::Value::Integer(0) });
            asked.act(Action::Settle);
            asked.act(Action::Measure(vec![Measure::Lyapunov]));
        }
    }
    let points = exponents.mean.iter().enumerate().map(|(i, v)| [(i + 1) as f64, *v]).collect();
    let mut cloud = points::cloud("exponent", run.colour, dark, points);
    cloud.errors = exponents.sd.clone();
    let plot = Points::new("Lyapunov exponents", "rank", "exponent", vec![cloud]);
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns = ["rank", "mean", "sd over trials"];
            values::show(ui, "exponents", &columns, exponents.mean.len(), |row, column| match column {
                0 => (row + 1).to_string(),
                1 => number::significant(exponents.mean[row], 6),
                _ => exponents.sd.get(row).map_or(String::new(), |sd| number::value(*sd)),
            });
        },
    );
}

/// The largest exponent over the steps that it is a mean of.
fn convergence(ui: &mut Ui, run: &RunEntry, detail: &LyapunovDetail, at: i64, with_table: bool) {
    let exponents = &detail.exponents;
    let text = format!(
        "Largest Lyapunov exponent of {}, mean over {} steps after {} left out",
        run.name,
        detail.convergence.len(),
        exponents.skip
    );
    let what = Part::new(
        text,
        "(1/n) sum of ln |R_11| over the first n steps counted, mean over the trials, nats per step. Where it still \
         moves at the end, the value says something of this trial's length, not of the network for ever.",
    );
    status_line::show(ui, &[what, freshness::stamp(ui, Freshness::of(run, Measure::Lyapunov, at))]);
    let step = |i: usize| (exponents.skip + i + 1) as f64;
    let (color, _) = super::theme::run_style(run.colour, ui.visuals().dark_mode);
    let line = detail.convergence.iter().enumerate().map(|(i, v)| [step(i), *v]).collect();
    let plot = Points::new(
        "Convergence of the largest exponent",
        "step",
        "mean up to here",
        vec![points::line("largest exponent", color, super::theme::Dash::Solid, line)],
    );
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns = ["step", "mean up to here"];
            values::show(ui, "convergence", &columns, detail.convergence.len(), |row, column| match column {
                0 => number::count(step(row) as i64),
                _ => number::significant(detail.convergence[row], 6),
            });
        },
    );
}

/// A plot, with its numbers beside it where they are wanted.
pub(super) fn beside(
    ui: &mut Ui,
    with_table: bool,
    plot: impl FnOnce(&mut Ui, egui::Vec2),
    numbers: impl FnOnce(&mut Ui),
) {
    let size = ui.available_size();
    if !with_table {
        return plot(ui, size);
    }
    let left = ui.cursor().left_top();
    let width = (size.x * 0.5).max(160.0);
    let rest = egui::Rect::from_min_max(pos2(left.x + (size.x - width).max(80.0) + 6.0, left.y), left + size);
    plot(ui, vec2((size.x - width).max(80.0), size.y));
    ui.scope_builder(egui::UiBuilder::new().max_rect(rest), numbers);
}
