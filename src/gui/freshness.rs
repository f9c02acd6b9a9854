//! Owns the lines that say how old a measured value is, whether it converged, and what it cost.

use eframe::egui::{Color32, RichText, Ui};

use super::plot::number;
use super::plots::Plot;
use super::status_line::{self, Part};
use super::theme::{self, Marker};
use crate::numerics::curvature::trace::Estimate;
use crate::session::freshness::{Freshness, thinned};
use crate::session::stability::Lines;
use crate::session::{RunEntry, RunState};
use crate::training::history::Series;
use crate::training::measures::{CurvatureDetail, Detail, Measure};
use crate::training::run::StopReason;

/// What is known now of the measured values of a plot of curves; what they cost is not for a class.
pub fn line(ui: &mut Ui, plot: &Plot, run: &RunEntry, lines: Option<&Lines>, in_class: bool) {
    // The train and test curves need none, and four terms have no room.
    let shown: Vec<Series> = plot.series.iter().map(|(series, ..)| *series).take(2).collect();
    let of = |measure: &Measure| measure.series().contains(&shown[0]);
    let Some(measure) = Measure::ALL.into_iter().find(of) else { return };
    let with_ends = shown[0] == Series::LambdaMax;
    let mut parts = vec![Part::new(run.name.as_str(), "The selected run")];
    let newest = shown.iter().filter_map(|s| run.curves.last(*s)).map(|p| p.iteration).max();
    let Some(newest) = newest else {
        // The room is kept for what will be known.
        return status_line::show(ui, &parts);
    };
    let mut freshness = Freshness::of(run, measure, newest);
    // Both ends of the spectrum would take the room of what is said of them.
    for series in shown.iter().take(if with_ends { 1 } else { 2 }) {
        let Some(point) = run.curves.last(*series).filter(|p| p.iteration == newest) else { continue };
        let Some(own) = Freshness::of_series(run, *series, point) else { continue };
        let mut text = format!("{} {}", series.name(), number::value(point.value));
        if let Some(estimate) = estimate_of(run, *series, newest) {
            text += &format!(" {}", surety(&estimate));
        }
        parts.push(Part::new(look(ui, text.into(), own), series.meaning()));
        freshness = own;
    }
    parts.push(stamp(ui, freshness).and_tip(&cost_in_words(run, measure)));
    if shown[0] == Series::Rho {
        parts.extend(alignment(ui, run, freshness));
    }
    if with_ends {
        // Of a run that diverged it would be said of weights long gone, at the very rate that brought it down.
        let diverged = matches!(run.state, RunState::Ended(StopReason::Diverged { .. }));
        if let Some(text) = lines.and_then(|lines| lines.not_binding.as_ref()).filter(|_| !diverged) {
            parts.push(Part::new("does not bind", text));
        }
        if !in_class {
            parts.extend(cost(run));
        }
    }
    status_line::show(ui, &parts);
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
fn alignment(ui: &Ui, run: &RunEntry, freshness: Freshness) -> Option<Part> {
    let (found, _) = run.finding(Measure::Alignment)?;
    let Detail::Alignment(detail) = &found.finding.detail else { return None };
    let text = format!("relative error {}", number::value(detail.lie?.relative_error));
    let tip = "||g^ - g|| / ||g||, the rule's gradient against the exact one on the probe batch";
    Some(Part::new(look(ui, text.into(), freshness), tip))
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
pub fn stamp(ui: &Ui, freshness: Freshness) -> Part {
    let visuals = ui.visuals();
    let (marker, color, tip): (Marker, Color32, &str) = match freshness {
        Freshness::Fresh { .. } => (
            Marker::Circle,
            visuals.text_color(),
            "Measured on the weights of now, or, while training goes on, no further back than the measure's cadence",
        ),
        Freshness::Stale { .. } => (
            Marker::Ring,
            visuals.weak_text_color(),
            "The weights have moved on: by more than the measure's cadence, or for good, because the run has ended",
        ),
        Freshness::NotConverged { .. } => (
            Marker::Cross,
            theme::warning(visuals.dark_mode),
            "Marked by a ring on the curve. ||Hv - lambda v|| / |lambda| is above 0.001 after the products that a \
             measure may spend",
        ),
    };
    Part::new(look(ui, words(freshness).into(), freshness), tip).marked(marker, color)
}

/// What the curvature cost, in products and iterations, and whether that thins it.
pub fn cost(run: &RunEntry) -> Vec<Part> {
    let Some((found, _)) = run.finding(Measure::Curvature) else { return Vec::new() };
    let Detail::Curvature(Some(detail)) = &found.finding.detail else { return Vec::new() };
    let cost = run.cost(Measure::Curvature);
    // A product costs the same whatever it is for.
    let share = detail.search_products as f64 / detail.products.max(1) as f64;
    // What they bought is in the tooltip: there is room for one line.
    let mut text = format!("{} products", detail.search_products);
    if let Some((_, updates)) = cost {
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
    let mut parts = vec![Part::new(RichText::new(text).weak(), tip + ".")];
    if let Some(thin) = thinned(run, Measure::Curvature, Series::LambdaMax) {
        let text = format!("thinned to every {}", number::count(thin.found));
        let tip = format!(
            "Asked for every {} iterations. Measures that would take more processor time than training are left \
             out, so that training keeps at least half of the machine; a run without a window takes all.",
            number::count(thin.asked)
        );
        parts.push(Part::new(RichText::new(text).weak(), tip));
    }
    parts
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
