//! Owns the lines that say how old a measured value is, whether it converged, and what it cost.

use eframe::egui::{self, Color32, RichText, Ui, vec2};

use super::layout::Panel;
use super::plot::{number, paint};
use super::theme::{self, Marker};
use crate::session::RunEntry;
use crate::session::freshness::{Freshness, thinned};
use crate::session::stability::{Lines, converged};
use crate::training::history::Series;
use crate::training::measures::{Detail, Measure};

/// What is known now of the measured values of a panel of curves.
pub fn line(ui: &mut Ui, panel: Panel, run: &RunEntry, lines: Option<&Lines>) {
    let (measure, shown): (Measure, &[Series]) = match panel {
        Panel::Curvature => (Measure::Curvature, &[Series::LambdaMax]),
        Panel::Lyapunov => (Measure::Lyapunov, &[Series::LyapunovMax]),
        Panel::Alignment => (Measure::Alignment, &[Series::Rho, Series::Cosine]),
        _ => return,
    };
    let Some(newest) = shown.iter().filter_map(|s| run.curves.last(*s)).map(|p| p.iteration).max() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.small(&run.name);
        let loose = run.curves.last(Series::LambdaMax).filter(|_| panel == Panel::Curvature).and_then(|p| {
            let residual = run.curves.last(Series::LambdaMaxResidual).map_or(f64::NAN, |r| r.value);
            (converged(&run.curves, &run.config, &p) == Some(false)).then_some(residual)
        });
        let freshness = Freshness::of(run, measure, newest).unless(loose);
        for series in shown {
            let Some(point) = run.curves.last(*series).filter(|p| p.iteration == newest) else { continue };
            let text = format!("{} {}", series.name(), number::value(point.value));
            ui.label(look(ui, &text, freshness)).on_hover_text(series.meaning());
        }
        stamp(ui, freshness);
        if panel == Panel::Curvature {
            cost(ui, run);
            if let Some(text) = lines.and_then(|lines| lines.not_binding.as_ref()) {
                ui.small("this rate does not bind").on_hover_text(text);
            }
        } else if let Some(text) = cost_in_words(run, measure) {
            ui.label(RichText::new(text).small().weak())
                .on_hover_text("Processor time of a measure, in iterations of training");
        }
    });
}

/// How a value is written: plain, weak in italics where it is stale, in the colour of warnings where it has not
/// converged.
fn look(ui: &Ui, text: &str, freshness: Freshness) -> RichText {
    let text = RichText::new(text).small();
    match freshness {
        Freshness::Fresh { .. } => text,
        Freshness::Stale { .. } => text.weak().italics(),
        Freshness::NotConverged { .. } => text.color(theme::warning(ui.visuals().dark_mode)),
    }
}

/// How old a value is, and whether it is to be relied on: a disc for a fresh one, an empty circle for a stale one, a
/// cross for one that has not converged, each with words.
pub fn stamp(ui: &mut Ui, freshness: Freshness) {
    let visuals = ui.visuals();
    let warning = theme::warning(visuals.dark_mode);
    let (marker, color, text, tip): (Marker, Color32, String, &str) = match freshness {
        Freshness::Fresh { iteration } => (
            Marker::Circle,
            visuals.text_color(),
            format!("fresh, iteration {}", number::count(iteration)),
            "Measured on the weights of now, or no further back than the measure's cadence",
        ),
        Freshness::Stale { since, behind } => (
            Marker::Ring,
            visuals.weak_text_color(),
            format!("stale since iteration {}, {} ago", number::count(since), number::count(behind)),
            "The weights have moved on by more than the measure's cadence",
        ),
        Freshness::NotConverged { iteration, residual } => (
            Marker::Cross,
            warning,
            format!(
                "not converged, residual {}, iteration {}",
                number::significant(residual, 2),
                number::count(iteration)
            ),
            "Marked by a ring on the curve. ||Hv - lambda v|| / |lambda| is above 0.001 after the products that a \
             measure may spend",
        ),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let height = ui.text_style_height(&egui::TextStyle::Small);
        let (rect, _) = ui.allocate_exact_size(vec2(8.0, height), egui::Sense::hover());
        ui.painter().add(paint::marker(marker, rect.center(), 3.5, color));
        ui.label(look(ui, &text, freshness)).on_hover_text(tip);
    });
}

/// What the curvature cost, in products and iterations, and whether that thins it.
pub fn cost(ui: &mut Ui, run: &RunEntry) {
    let Some((found, _)) = run.finding(Measure::Curvature) else { return };
    let Detail::Curvature(Some(detail)) = &found.finding.detail else { return };
    let (seconds, updates) = run.cost(Measure::Curvature).unwrap_or((0.0, f64::INFINITY));
    // A product costs the same whatever it is for.
    let share = detail.search_products as f64 / detail.products.max(1) as f64;
    let mut text = format!("{} products", detail.search_products);
    if updates.is_finite() {
        text += &format!(" = {} iterations", number::significant(share * updates, 2));
    }
    let mut tip = format!(
        "lambda_max, the {} leading eigenvalues and lambda_min took {} Hessian-vector products, from the vectors \
         of the measure before; trace and flatness took {}. All of it took {:.1} ms of processor time",
        detail.top.len(),
        detail.search_products,
        detail.products - detail.search_products,
        1e3 * seconds
    );
    if updates.is_finite() {
        tip += &format!(", as much as {} iterations of training", number::significant(updates, 2));
    }
    ui.label(RichText::new(text).small().weak()).on_hover_text(tip + ".");
    if let Some(thin) = thinned(run, Measure::Curvature, Series::LambdaMax) {
        let text = format!("thinned to every {}", number::count(thin.found));
        let tip = format!(
            "Asked for every {} iterations. Measures that would take more processor time than training are left \
             out, so that training keeps at least half of the machine; a run without a window takes all.",
            number::count(thin.asked)
        );
        ui.label(RichText::new(text).small().weak()).on_hover_text(tip);
    }
}

fn cost_in_words(run: &RunEntry, measure: Measure) -> Option<String> {
    let (_, updates) = run.cost(measure).filter(|(_, updates)| updates.is_finite() && *updates >= 0.5)?;
    Some(format!("cost {} iterations", number::significant(updates, 2)))
}

/// How old a value is that was measured at `iteration`.
pub fn age(run: &RunEntry, iteration: i64) -> String {
    match run.iteration - iteration {
        0 => "fresh".into(),
        old => format!("since iteration {}, {} ago", number::count(iteration), number::count(old)),
    }
}
