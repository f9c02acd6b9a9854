//! The leading eigenvalues of the Hessian, by rank and over training.

use eframe::egui::Ui;

use super::beside;
use crate::gui::plot::points::{self, Cloud, Points};
use crate::gui::plot::scale::{Scale, threshold};
use crate::gui::plot::{number, values};
use crate::gui::theme;
use crate::session::RunEntry;
use crate::training::measures::{CurvatureDetail, Eigenvalue};

/// Marks of eigenvalues, those that have not converged apart.
pub fn eigenvalue_clouds<'a>(
    run: &RunEntry,
    dark: bool,
    name: &str,
    values: impl Iterator<Item = (&'a Eigenvalue, [f64; 2])>,
) -> Vec<Cloud> {
    let (good, loose): (Vec<_>, Vec<_>) = values.partition(|(e, _)| e.converged);
    let places = |of: Vec<(&Eigenvalue, [f64; 2])>| of.into_iter().map(|(_, place)| place).collect();
    let mut clouds = vec![points::cloud(name, run.colour, dark, places(good))];
    if !loose.is_empty() {
        let tip = "||Hv - lambda v|| / |lambda| is above 0.001 after the products that a measure may spend";
        let mut cloud = points::cloud("not converged", run.colour, dark, places(loose)).tip(tip);
        cloud.look.marker = Some(theme::Marker::Ring);
        cloud.look.color = theme::warning(dark);
        clouds.push(cloud);
    }
    clouds
}

/// An axis for eigenvalues of both signs.
fn signed(magnitudes: impl Iterator<Item = f64> + Clone) -> Scale {
    let smallest = magnitudes.clone().filter(|m| *m > 0.0).fold(f64::INFINITY, f64::min);
    Scale::SignedLog { threshold: threshold(smallest, magnitudes.fold(0.0, f64::max), 6) }
}

/// Every eigenvalue that was found one by one, once.
pub fn known(detail: &CurvatureDetail) -> Vec<&Eigenvalue> {
    let lowest = (detail.top.len() < detail.n_weights).then_some(&detail.lambda_min);
    detail.top.iter().chain(lowest).collect()
}

/// By rank.
pub fn by_rank(ui: &mut Ui, run: &RunEntry, detail: &CurvatureDetail, with_table: bool) {
    let dark = ui.visuals().dark_mode;
    let ranked = detail.top.iter().enumerate().map(|(i, e)| (e, [(i + 1) as f64, e.value]));
    let mut clouds = eigenvalue_clouds(run, dark, "largest", ranked);
    let lowest = [(detail.top.len() + 1) as f64, detail.lambda_min.value];
    let mut last = points::cloud("smallest", run.colour, dark, vec![lowest]);
    last.look.marker = Some(theme::Marker::TriangleDown);
    if !detail.lambda_min.converged {
        last.look.color = theme::warning(dark);
        last.name = "smallest, not converged".into();
    }
    clouds.push(last);
    let magnitudes = detail.top.iter().chain([&detail.lambda_min]).map(|e| e.value.abs());
    let plot = Points {
        scales: [Scale::Linear, signed(magnitudes)],
        ..Points::new("Hessian eigenvalues", "rank", "eigenvalue", clouds)
    };
    let draw = |ui: &mut Ui, size| _ = plot.show(ui, size);
    beside(ui, with_table, draw, |ui| table(ui, detail));
}

/// The numbers of one measure.
pub fn table(ui: &mut Ui, detail: &CurvatureDetail) {
    let columns = ["rank", "eigenvalue", "residual", "state"];
    let known = known(detail);
    values::show(ui, "eigenvalues", &columns, known.len(), |row, column| {
        let e = known[row];
        match column {
            0 if row < detail.top.len() => (row + 1).to_string(),
            0 => "smallest".into(),
            1 => number::significant(e.value, 6),
            2 => number::significant(e.residual, 2),
            _ => if e.converged { "converged" } else { "not converged" }.into(),
        }
    });
}

/// Over training.
pub fn over_training(ui: &mut Ui, run: &RunEntry, with_table: bool) {
    let dark = ui.visuals().dark_mode;
    let spectra = run.spectra.all();
    let (color, _) = theme::run_style(run.colour, dark);
    let depth = run.spectra.depth();
    let mut clouds = Vec::new();
    for rank in 0..depth {
        let points = run.spectra.ranked(rank).map(|(i, v)| [i as f64, v]).collect();
        let name = if rank == 0 { "largest".into() } else { format!("rank {}", rank + 1) };
        // The first is the strongest.
        let faded = color.gamma_multiply(1.0 - 0.65 * rank as f32 / depth.max(2) as f32);
        let mut line = points::line(name, faded, theme::Dash::Solid, points);
        line.in_legend = rank == 0 || rank + 1 == depth;
        clouds.push(line);
    }
    let lowest = spectra.iter().map(|e| [e.iteration as f64, e.lambda_min.value]).collect();
    clouds.push(points::line("smallest", color, theme::Dash::Dashed, lowest));
    let loose = spectra.iter().flat_map(|e| {
        let all = e.top.iter().chain([&e.lambda_min]).filter(|own| !own.converged);
        all.map(|own| (own, [e.iteration as f64, own.value]))
    });
    clouds.extend(eigenvalue_clouds(run, dark, "", loose).into_iter().skip(1));
    let magnitudes =
        spectra.iter().flat_map(|e| e.top.iter().chain([&e.lambda_min]).map(|own| own.value.abs()));
    let plot = Points {
        scales: [Scale::Linear, signed(magnitudes)],
        ..Points::new("Leading Hessian eigenvalues over training", "iteration", "eigenvalue", clouds)
    };
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let ranks = (1..=depth).map(|rank| format!("rank {rank}"));
            let columns: Vec<String> =
                ["iteration".into()].into_iter().chain(ranks).chain(["smallest".into()]).collect();
            values::show(ui, "over training", &columns, spectra.len(), |row, column| {
                let e = &spectra[spectra.len() - 1 - row];
                match column {
                    0 => number::count(e.iteration),
                    n if n <= depth => e.top.get(n - 1).map_or(String::new(), |own| number::value(own.value)),
                    _ => number::value(e.lambda_min.value),
                }
            });
        },
    );
}
