//! Owns the line that says how old a measured value is and whether it converged.

use eframe::egui::Ui;

use super::plot::number;
use super::theme;
use crate::session::RunEntry;
use crate::session::curves::Point;
use crate::session::stability::Lines;
use crate::training::history::Series;

/// What is known of the curvature of a run now.
pub fn curvature(ui: &mut Ui, run: &RunEntry, lines: Option<&Lines>) {
    let Some(Point { iteration, value }) = run.curves.last(Series::LambdaMax) else { return };
    let warning = theme::warning(ui.visuals().dark_mode);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.small(format!("{}: lambda_max {} {}", run.name, number::value(value), age(run, iteration)))
            .on_hover_text(Series::LambdaMax.meaning());
        let residual = run.curves.last(Series::LambdaMaxResidual).filter(|r| r.iteration == iteration);
        if lines.is_some_and(|lines| lines.doubtful.last() == Some(&iteration)) {
            let residual = residual.map_or("unknown".into(), |r| number::value(r.value));
            ui.colored_label(warning, format!("not converged, residual {residual}"))
                .on_hover_text("Marked by a ring on the curve. ||Hv - lambda v|| / |lambda| is above 0.001");
        } else if let Some(residual) = residual {
            ui.small(format!("residual {}", number::value(residual.value)))
                .on_hover_text(Series::LambdaMaxResidual.meaning());
        }
        if let Some(text) = lines.and_then(|lines| lines.not_binding.as_ref()) {
            ui.small("far below its line").on_hover_text(text);
        }
    });
}

/// How old a value is that was measured at `iteration`.
pub fn age(run: &RunEntry, iteration: i64) -> String {
    match run.iteration - iteration {
        0 => "fresh".into(),
        old => format!("since iteration {}, {} ago", number::count(iteration), number::count(old)),
    }
}
