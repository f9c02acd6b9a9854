//! Owns the pictures of the selected run's spectra: of the Hessian by rank, as a density and over training, and the
//! Lyapunov exponents.

use super::{ranked, signed};
use crate::files::figure::look::{Dash, GREY, Look, Marker, run_look};
use crate::files::figure::number::count;
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::session::RunEntry;
use crate::session::spectral_density::{self, WIDTH};
use crate::training::measures::{CurvatureDetail, DensityDetail, Detail, Eigenvalue, Measure};

/// What was measured last, and the course of the eigenvalues.
pub fn panels(run: &RunEntry) -> Vec<Panel> {
    let mut panels = Vec::new();
    if let Some((found, _)) = run.finding(Measure::Curvature)
        && let Detail::Curvature(Some(detail)) = &found.finding.detail
    {
        panels.push(by_rank(run, detail, found.finding.iteration));
    }
    if let Some((found, _)) = run.finding(Measure::Density)
        && let Detail::Density(Some(detail)) = &found.finding.detail
    {
        panels.push(density(run, detail, found.finding.iteration));
    }
    if run.spectra.depth() > 0 {
        panels.push(over_training(run));
    }
    if let Some((found, _)) = run.finding(Measure::Lyapunov)
        && let Detail::Lyapunov(detail) = &found.finding.detail
    {
        let (layer, note) = ranked(&detail.exponents.mean, run.name.clone(), run_look(run.colour));
        panels.push(Panel {
            title: format!("Lyapunov exponents at iteration {}", found.finding.iteration),
            x: ranks(detail.exponents.mean.len()),
            y: Axis::new("nats per step", Scale::Linear),
            layers: vec![layer],
            note,
        });
    }
    panels
}

/// An axis over places in the order from the largest down.
fn ranks(n: usize) -> Axis {
    Axis { range: Some((0.5, n as f64 + 0.5)), ..Axis::new("rank", Scale::Linear) }
}

fn by_rank(run: &RunEntry, detail: &CurvatureDetail, iteration: i64) -> Panel {
    let points = |converged: bool| {
        let ranked = detail.top.iter().enumerate().filter(move |(_, e)| e.converged == converged);
        ranked.map(|(i, e)| ((i + 1) as f64, e.value, e.value, e.value)).collect::<Vec<_>>()
    };
    let look = run_look(run.colour);
    let mut layers =
        vec![Layer::Points { name: format!("{}, largest", run.name), points: points(true), look }];
    let loose = points(false);
    if !loose.is_empty() {
        let look = Look { marker: Some(Marker::Ring), ..look };
        layers.push(Layer::Points { name: "not converged".into(), points: loose, look });
    }
    Panel {
        title: format!("Hessian eigenvalues at iteration {iteration}"),
        x: ranks(detail.top.len()),
        y: Axis::new("eigenvalue", signed(detail.top.iter().map(|e| e.value), 6)),
        layers,
        note: String::new(),
    }
}

/// The density per decade of the axis.
fn density(run: &RunEntry, detail: &DensityDetail, iteration: i64) -> Panel {
    let scale = spectral_density::scale(spectral_density::nodes(detail));
    // A hundredth of what one eigenvalue is.
    let floor = 0.01 / detail.n_weights.max(1) as f64;
    let points = spectral_density::along(detail, scale, floor);
    Panel {
        title: format!("Density of the Hessian's spectrum at iteration {iteration}"),
        x: Axis::new("eigenvalue", scale),
        y: Axis::new("share of all per decade", Scale::Log),
        layers: vec![Layer::curve(&run.name, points, Look { marker: None, ..run_look(run.colour) })],
        note: format!(
            "{} eigenvalues; {} random vectors, {} products, each value spread by {WIDTH} decades",
            count(detail.n_weights as i64),
            detail.density.probes.len(),
            detail.density.products
        ),
    }
}

fn over_training(run: &RunEntry) -> Panel {
    let look = Look { marker: None, ..run_look(run.colour) };
    let depth = run.spectra.depth();
    let mut layers = Vec::new();
    for rank in 0..depth {
        let points = run.spectra.ranked(rank).map(|(i, v)| (i as f64, v)).collect();
        // The first is the strongest.
        let opacity = 1.0 - 0.65 * rank as f64 / depth.max(2) as f64;
        let name = match rank {
            0 => format!("{}, largest", run.name),
            last if last + 1 == depth => format!("rank {depth}"),
            _ => String::new(),
        };
        layers.push(Layer::curve(name, points, Look { opacity, ..look }));
    }
    let all = run.spectra.all();
    let lowest = all.iter().map(|e| (e.iteration as f64, e.lambda_min.value)).collect();
    layers.push(Layer::curve("smallest", lowest, look.dashed(Dash::Dashed)));
    let loose = all.iter().flat_map(|e| {
        let own = e.top.iter().chain([&e.lambda_min]).filter(|own| !own.converged);
        own.map(|own| (e.iteration as f64, own.value, own.value, own.value))
    });
    let loose: Vec<_> = loose.collect();
    if !loose.is_empty() {
        let look = Look { marker: Some(Marker::Ring), ..Look::solid(GREY) };
        layers.push(Layer::Points { name: "not converged".into(), points: loose, look });
    }
    let value = |e: &Eigenvalue| e.value;
    let values = all.iter().flat_map(|e| e.top.iter().chain([&e.lambda_min]).map(value));
    let (x, y) = (Axis::new("iteration", Scale::Linear), Axis::new("eigenvalue", signed(values, 6)));
    Panel { title: "Leading Hessian eigenvalues".into(), x, y, layers, note: String::new() }
}
