//! Owns the spectrum panel: the leading eigenvalues of the Hessian and the Lyapunov exponents of the selected
//! run, as they were measured last.

use eframe::egui::{Ui, vec2};

use super::app::Asked;
use super::freshness;
use super::plot::number;
use super::plot::points::{self, Points};
use super::plot::scale::{Scale, threshold};
use super::theme;
use crate::session::{Action, RunEntry, Session};
use crate::training::measures::{CurvatureDetail, Detail, LyapunovDetail, Measure};

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, asked: &mut Asked) {
    let Some(run) = session.current() else {
        ui.centered_and_justified(|ui| ui.weak("No run"));
        return;
    };
    let half = (ui.available_height() / 2.0 - 2.0).max(60.0);
    ui.allocate_ui(vec2(ui.available_width(), half), |ui| {
        ui.set_min_height(half);
        match run
            .finding(Measure::Curvature)
            .map(|(found, _)| (&found.finding.detail, found.finding.iteration))
        {
            Some((Detail::Curvature(Some(detail)), at)) => hessian(ui, run, detail, at),
            Some(_) => {
                ui.weak("A Hessian-vector product was not finite.");
            }
            None => {
                ui.weak("No Hessian eigenvalues yet. Turn on the measure Curvature.");
            }
        }
    });
    match run.finding(Measure::Lyapunov).map(|(found, _)| (&found.finding.detail, found.finding.iteration)) {
        Some((Detail::Lyapunov(detail), at)) => lyapunov(ui, run, detail, at, asked),
        _ => {
            ui.weak("No Lyapunov exponents yet. Turn on the measure Lyapunov.");
        }
    }
}

fn hessian(ui: &mut Ui, run: &RunEntry, detail: &CurvatureDetail, at: i64) {
    let dark = ui.visuals().dark_mode;
    let converged = detail.top.iter().filter(|e| e.converged).count();
    ui.horizontal_wrapped(|ui| {
        ui.small(format!(
            "Hessian of {} ({}), {} products, {converged} of {} converged",
            run.name,
            freshness::age(run, at),
            detail.products,
            detail.top.len()
        ));
    });
    let numbered = |values: Vec<f64>, first: usize| -> Vec<[f64; 2]> {
        values.into_iter().enumerate().map(|(i, v)| [(first + i) as f64, v]).collect()
    };
    let split = |keep: bool| -> Vec<[f64; 2]> {
        let all = numbered(detail.top.iter().map(|e| e.value).collect(), 1);
        all.into_iter().zip(&detail.top).filter(|(_, e)| e.converged == keep).map(|(p, _)| p).collect()
    };
    let mut clouds = vec![points::cloud("largest", run.colour, dark, split(true))];
    let doubtful = split(false);
    if !doubtful.is_empty() {
        let mut cloud = points::cloud("not converged", run.colour, dark, doubtful);
        cloud.look.marker = Some(theme::Marker::Ring);
        cloud.look.color = theme::warning(dark);
        clouds.push(cloud);
    }
    let lowest = [(detail.top.len() + 1) as f64, detail.lambda_min.value];
    let mut last = points::cloud("smallest", run.colour, dark, vec![lowest]);
    last.look.marker = Some(theme::Marker::TriangleDown);
    clouds.push(last);
    let magnitudes = || detail.top.iter().map(|e| e.value.abs()).chain([detail.lambda_min.value.abs()]);
    let smallest = magnitudes().filter(|m| *m > 0.0).fold(f64::INFINITY, f64::min);
    let scale = Scale::SignedLog { threshold: threshold(smallest, magnitudes().fold(0.0, f64::max)) };
    let plot = Points {
        title: "Hessian eigenvalues",
        x_name: "rank",
        y_name: "eigenvalue",
        scales: [Scale::Linear, scale],
        clouds,
        circles: Vec::new(),
        equal_axes: false,
        zero_line: true,
        at: None,
    };
    plot.show(ui, ui.available_size());
}

fn lyapunov(ui: &mut Ui, run: &RunEntry, detail: &LyapunovDetail, at: i64, asked: &mut Asked) {
    let dark = ui.visuals().dark_mode;
    let exponents = &detail.exponents;
    ui.horizontal_wrapped(|ui| {
        let which = if detail.all { "all" } else { "the leading" };
        let mut text = format!(
            "Lyapunov exponents of {} ({}), {which} {}, {} finite",
            run.name,
            freshness::age(run, at),
            exponents.mean.len(),
            exponents.finite
        );
        if exponents.silent_trials > 0 {
            text += &format!(", {} silent trials left out", exponents.silent_trials);
        }
        ui.small(text).on_hover_text(
            "Nats per step along the probe batch's trajectories: mean over the trials, bars the standard \
             deviation. -inf: a direction that is crushed to nothing (usual for ReLU without leak).",
        );
        ui.small(format!(
            "largest {}, sum of the finite {}",
            number::value(exponents.max()),
            number::value(exponents.sum())
        ));
    });
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
    let plot = Points {
        title: "Lyapunov exponents",
        x_name: "rank",
        y_name: "exponent",
        scales: [Scale::Linear; 2],
        clouds: vec![cloud],
        circles: Vec::new(),
        equal_axes: false,
        zero_line: true,
        at: None,
    };
    plot.show(ui, ui.available_size());
}
