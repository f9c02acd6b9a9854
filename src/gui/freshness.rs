//! Owns the lines that say how old a measured value is, whether it converged, and what it cost.

use eframe::egui::{self, Color32, Response, RichText, Ui, vec2};

use super::plot::{number, paint};
use super::plots::Plot;
use super::theme::{self, Marker};
use crate::numerics::curvature::trace::Estimate;
use crate::session::RunEntry;
use crate::session::freshness::{Freshness, thinned};
use crate::session::stability::Lines;
use crate::training::history::Series;
use crate::training::measures::{CurvatureDetail, Detail, Measure};

/// Room in points that what a measure cost takes.
const COST: f32 = 150.0;

/// What is known now of the measured values of a plot of curves.
pub fn line(ui: &mut Ui, plot: &Plot, run: &RunEntry, lines: Option<&Lines>) {
    // The train and test curves need none, and four terms have no room.
    let shown: Vec<Series> = plot.series.iter().map(|(series, ..)| *series).take(2).collect();
    let of = |measure: &Measure| measure.series().contains(&shown[0]);
    let Some(measure) = Measure::ALL.into_iter().find(of) else { return };
    let with_ends = shown[0] == Series::LambdaMax;
    let Some(newest) = shown.iter().filter_map(|s| run.curves.last(*s)).map(|p| p.iteration).max() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.small(&run.name);
        let mut freshness = Freshness::of(run, measure, newest);
        // Both ends of the spectrum would fill two lines.
        for series in shown.iter().take(if with_ends { 1 } else { 2 }) {
            let Some(point) = run.curves.last(*series).filter(|p| p.iteration == newest) else { continue };
            let Some(own) = Freshness::of_series(run, *series, point) else { continue };
            let mut text = format!("{} {}", series.name(), number::value(point.value));
            if let Some(estimate) = estimate_of(run, *series, newest) {
                text += &format!(" {}", surety(&estimate));
            }
            ui.label(look(ui, RichText::new(text).small(), own)).on_hover_text(series.meaning());
            freshness = own;
        }
        stamp(ui, freshness).on_hover_text(cost_in_words(run, measure));
        if shown[0] == Series::Rho {
            alignment(ui, run, freshness);
        }
        if with_ends {
            cost(ui, run);
            if let Some(text) = lines.and_then(|lines| lines.not_binding.as_ref()) {
                ui.small("does not bind").on_hover_text(text);
            }
        }
    });
}

/// The estimate that a value of this iteration is; `None` where it is none, or is not known any more.
fn estimate_of(run: &RunEntry, series: Series, iteration: i64) -> Option<Estimate> {
    let (found, _) = run.finding(Measure::Curvature)?;
    let Detail::Curvature(Some(detail)) = &found.finding.detail else { return None };
    match series {
        _ if found.finding.iteration != iteration => None,
        Series::HessianTrace => Some(detail.trace),
        Series::RelativeFlatness => Some(detail.relative_flatness),
        _ => None,
    }
}

/// How surely an estimate is known.
pub fn surety(estimate: &Estimate) -> String {
    if estimate.is_exact() {
        return "exact".into();
    }
    format!("± {} ({} products)", number::significant(estimate.standard_error, 2), estimate.products)
}

/// What the last measure of alignment says beyond its curves.
fn alignment(ui: &mut Ui, run: &RunEntry, freshness: Freshness) {
    let Some((found, _)) = run.finding(Measure::Alignment) else { return };
    let Detail::Alignment(detail) = &found.finding.detail else { return };
    if let Some(lie) = detail.lie {
        let text = format!("relative error {}", number::value(lie.relative_error));
        ui.label(look(ui, RichText::new(text).small(), freshness)).on_hover_text(
            "||g^ - g|| / ||g||, the rule's gradient against the exact one on the probe batch",
        );
    }
}

/// How a value is written: plain, weak in italics where it is stale, in the colour of warnings where it has not
/// converged.
pub fn look(ui: &Ui, text: RichText, freshness: Freshness) -> RichText {
    match freshness {
        Freshness::Fresh { .. } => text,
        Freshness::Stale { .. } => text.weak().italics(),
        Freshness::NotConverged { .. } => text.color(theme::warning(ui.visuals().dark_mode)),
    }
}

/// How old a value is, and whether it is to be relied on.
pub fn words(freshness: Freshness) -> String {
    match freshness {
        Freshness::Fresh { iteration } => format!("fresh, iteration {}", number::count(iteration)),
        Freshness::Stale { since, behind } => {
            format!("stale since iteration {}, {} ago", number::count(since), number::count(behind))
        }
        Freshness::NotConverged { iteration, residual } => format!(
            "not converged, residual {}, iteration {}",
            number::significant(residual, 2),
            number::count(iteration)
        ),
    }
}

/// How old a value is, and whether it is to be relied on: a disc for a fresh one, an empty circle for a stale one, a
/// cross for one that has not converged, each with words.
pub fn stamp(ui: &mut Ui, freshness: Freshness) -> Response {
    let visuals = ui.visuals();
    let warning = theme::warning(visuals.dark_mode);
    let (marker, color, tip): (Marker, Color32, &str) = match freshness {
        Freshness::Fresh { .. } => (
            Marker::Circle,
            visuals.text_color(),
            "Measured on the weights of now, or no further back than the measure's cadence",
        ),
        Freshness::Stale { .. } => (
            Marker::Ring,
            visuals.weak_text_color(),
            "The weights have moved on by more than the measure's cadence",
        ),
        Freshness::NotConverged { .. } => (
            Marker::Cross,
            warning,
            "Marked by a ring on the curve. ||Hv - lambda v|| / |lambda| is above 0.001 after the products that a \
             measure may spend",
        ),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let height = ui.text_style_height(&egui::TextStyle::Small);
        let (rect, _) = ui.allocate_exact_size(vec2(8.0, height), egui::Sense::hover());
        ui.painter().add(paint::marker(marker, rect.center(), 3.5, color));
        ui.label(look(ui, RichText::new(words(freshness)).small(), freshness)).on_hover_text(tip)
    })
    .inner
}

/// What the curvature cost, in products and iterations, and whether that thins it.
pub fn cost(ui: &mut Ui, run: &RunEntry) {
    let Some((found, _)) = run.finding(Measure::Curvature) else { return };
    let Detail::Curvature(Some(detail)) = &found.finding.detail else { return };
    let cost = run.cost(Measure::Curvature);
    // A product costs the same whatever it is for.
    let share = detail.search_products as f64 / detail.products.max(1) as f64;
    // What they bought is in the tooltip: there is room for one line.
    let mut text = format!("{} products", detail.search_products);
    // Rather in the tooltip alone than in a row of its own.
    if let Some((_, updates)) = cost.filter(|_| ui.available_size_before_wrap().x > COST) {
        text += &format!(" = {} iterations", number::significant(share * updates, 2));
    }
    let mut tip = format!(
        "{} took {} Hessian-vector products, from the vectors of the measure before; trace and flatness took {}",
        bought(detail),
        detail.search_products,
        detail.products - detail.search_products,
    );
    if let Some((seconds, updates)) = cost {
        tip += &format!(
            ". All of it took {:.1} ms of processor time, as much as {} iterations of training",
            1e3 * seconds,
            number::significant(updates, 2)
        );
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

/// The eigenvalues that a measure of curvature found.
fn bought(detail: &CurvatureDetail) -> String {
    match detail.top.len() {
        1 => "lambda_max and lambda_min".into(),
        n => format!("top {n} and lambda_min"),
    }
}

/// What a measure costs.
fn cost_in_words(run: &RunEntry, measure: Measure) -> String {
    match run.cost(measure) {
        Some((seconds, updates)) => format!(
            "A measure takes {:.1} ms of processor time, as much as {} iterations of training",
            1e3 * seconds,
            number::significant(updates, 2)
        ),
        None => "What a measure costs is not known yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::numerics::weights::Block;
    use crate::training::measures::Eigenvalue;

    #[test]
    fn an_estimate_says_its_error_and_an_exact_value_that_it_is_exact() {
        let of = |standard_error, products| surety(&Estimate { value: 3.0, standard_error, products });
        assert_eq!(of(0.0, 900), "exact");
        assert_eq!(of(0.04567, 8), "± 0.046 (8 products)");
    }

    #[test]
    fn the_cost_names_what_was_bought() {
        let eigenvalue = Eigenvalue { value: 1.0, residual: 0.0, converged: true };
        let estimate = Estimate { value: 0.0, standard_error: 0.0, products: 0 };
        let of = |n: usize| {
            bought(&CurvatureDetail {
                block: Block::All,
                top: vec![eigenvalue; n],
                lambda_min: eigenvalue,
                n_weights: 10,
                search_products: 35,
                products: 51,
                vectors: Arc::new(Vec::new()),
                trace: estimate,
                relative_flatness: estimate,
                power_law_exponent: None,
            })
        };
        assert_eq!(of(1), "lambda_max and lambda_min");
        assert_eq!(of(5), "top 5 and lambda_min");
    }
}
