//! Figures as data: what stands in `assets/figures` is sound.

use super::*;
use crate::session::reproduce::spec::{At, Claimed, Plot};
use crate::session::reproduce::{Asked, Reproduction};
use crate::training::history::Series;

#[test]
fn every_figure_of_both_papers_is_there_and_its_parts_fit() {
    let all = figures();
    assert_eq!(all.len(), TEXTS.len());
    for (spec, (name, _)) in all.iter().zip(TEXTS) {
        assert_eq!(spec.id, *name);
        assert!(!spec.shows.is_empty() && !spec.plots.is_empty() && !spec.claims.is_empty(), "{name}");
        assert!(spec.seeds >= 16, "{name}");
        let is_series = |s: &str| s.parse::<Series>().is_ok();
        let is_quantity = |id: &String| spec.quantity(id).is_some();
        let is_arm = |id: &String| spec.arm(id).is_some();
        for quantity in &spec.quantities {
            assert!(is_series(&quantity.series), "{name}: {}", quantity.series);
            if let At::Matching { series, arm } = &quantity.at {
                assert!(is_series(series) && is_arm(arm), "{name}: {series}, {arm}");
            }
        }
        for plot in &spec.plots {
            let fits = match plot {
                Plot::Curves { series, .. } => is_series(series),
                Plot::Against { quantities } => spec.across.is_some() && quantities.iter().all(is_quantity),
                Plot::Scatter { x, y } => is_quantity(x) && is_quantity(y),
                Plot::Histogram { quantity } => is_quantity(quantity),
                Plot::Bars { quantities } => quantities.iter().all(is_quantity),
            };
            assert!(fits, "{name}: {plot:?}");
        }
        for claim in &spec.claims {
            assert!(claim.cases.iter().all(|id| spec.cases.iter().any(|c| c.id == *id)), "{claim:?}");
            assert!(spec.has_runs_for(claim), "{name}: {claim:?}");
            let fits = match &claim.what {
                Claimed::Larger { more, less, .. } | Claimed::Varies { more, less } => {
                    [more, less].iter().all(|s| is_arm(&s.arm) && is_quantity(&s.quantity))
                }
                Claimed::Alike { one, other, ratio, within } => {
                    let least = if *ratio { 1.0 } else { 0.0 };
                    *within > least && [one, other].iter().all(|s| is_arm(&s.arm) && is_quantity(&s.quantity))
                }
                Claimed::RiseTogether { x, y, arms } => {
                    is_quantity(x) && is_quantity(y) && arms.iter().all(is_arm)
                }
            };
            assert!(fits, "{name}: {claim:?}");
        }
    }
}

#[test]
fn every_run_of_every_figure_has_sound_settings_and_quick_runs_are_fewer() {
    let quickly = Asked { quick: true, ..Asked::default() };
    for spec in figures() {
        let (_, plan) = Reproduction::new(spec, &Asked::default()).expect("sound settings");
        let (_, quick) = Reproduction::new(spec, &quickly).expect("sound settings");
        assert!(quick.runs.len() < plan.runs.len() / 2, "{}", spec.id);
        assert!(spec.quick().claims.iter().any(|c| spec.quick().has_runs_for(c)), "{}", spec.id);
        let mut names: Vec<&String> = plan.runs.iter().map(|r| &r.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), plan.runs.len(), "{}", spec.id);
        // The one warning: what e-prop's input weights see of an image.
        assert!(
            plan.runs.iter().flat_map(|r| &r.warnings).all(|w| w.contains("images") || w.contains("image"))
        );
    }
}

#[test]
fn a_figure_takes_what_it_does_not_give_from_another() {
    let figure = |id: &str| figures().iter().find(|s| s.id == id).expect("a figure");
    let (base, own) = (figure("p1-3"), figure("p1-a7"));
    assert_eq!(own.cases.len(), base.cases.len());
    assert_eq!(own.constants["measure.top_k"].value.as_integer(), Some(200));
    assert_eq!(own.constants["measure.lyapunov"], base.constants["measure.lyapunov"]);
    // Over two steps as well.
    assert_eq!(figure("p1-a12ab").quantities.len(), figure("p1-2").quantities.len());
    assert_eq!(figure("p1-a12ab").cases.len(), base.cases.len());
}
