//! The spectrum panel, and the words about age and cost beside the curves.

use basinscope::gui::app::Window;
use basinscope::session::Action;
use basinscope::training::history::Series;
use basinscope::training::measures::Measure;
use egui_kittest::kittest::Queryable;

use crate::harness::{click, current, is_drawn, until_drawn, wait, window, with_paused_run};

fn has(measure: Measure) -> impl Fn(&Window) -> bool {
    move |w| w.session().current().is_some_and(|r| r.finding(measure).is_some())
}

#[test]
fn the_density_is_taken_when_it_is_looked_at_and_follows_the_curvature() {
    let mut screen = with_paused_run();
    wait(&mut screen, "the curvature", has(Measure::Curvature));
    assert!(current(&screen).finding(Measure::Density).is_none(), "nobody looks at it");
    click(&mut screen, "Spectrum");
    wait(&mut screen, "the density", has(Measure::Density));
    until_drawn(
        &mut screen,
        "Hessian spectral density: share per decade by eigenvalue. density, iteration 0",
    );
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    // Out of sight it is not taken.
    click(&mut screen, "Spectrum: By rank");
    until_drawn(&mut screen, "Hessian eigenvalues: eigenvalue by rank. largest: 5 points");
    assert_eq!(current(&screen).finding(Measure::Density).map(|(f, _)| f.finding.iteration), Some(0));
}

#[test]
fn every_view_has_its_picture_its_table_and_names() {
    let mut screen = with_paused_run();
    wait(&mut screen, "the curvature", has(Measure::Curvature));
    wait(&mut screen, "the exponents", has(Measure::Lyapunov));
    click(&mut screen, "Spectrum");
    click(&mut screen, "Spectrum: table of numbers");
    for (view, picture, column) in [
        ("Density", "Hessian spectral density", "share of all"),
        ("By rank", "Hessian eigenvalues: eigenvalue by rank", "residual"),
        ("Over training", "Leading Hessian eigenvalues over training", "rank 1"),
        ("Lyapunov", "Lyapunov exponents: exponent by rank", "sd over trials"),
    ] {
        click(&mut screen, &format!("Spectrum: {view}"));
        until_drawn(&mut screen, picture);
        until_drawn(&mut screen, column);
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
}

/// Fresh at first; where a measure is taken at the start and the end only, stale after the first update.
#[test]
fn a_value_is_shown_as_fresh_and_then_as_stale_with_what_it_cost() {
    let text = "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n[measure]\n\
                curvature = 0\n";
    let table = toml::from_str(text).unwrap();
    let mut screen = window(vec![Action::Take(table), Action::StartNew, Action::RunOrPause, Action::Reset]);
    wait(&mut screen, "the curvature", has(Measure::Curvature));
    until_drawn(&mut screen, "fresh, iteration 0");
    until_drawn(&mut screen, "lambda_max ");
    assert!(!is_drawn(&screen, "stale"));
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    until_drawn(&mut screen, "stale since iteration 0, 10 ago");
    assert!(is_drawn(&screen, " products"), "the cost in products");
}

#[test]
fn flossing_is_drawn_before_iteration_0() {
    let screen = with_paused_run();
    assert!(screen.query_by_label("flossing loss").is_none(), "nobody flosses");
    let table = "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n\
                 [flossing]\niterations = 5\nk = 2\n";
    let mut screen = window(vec![Action::Take(toml::from_str(table).unwrap()), Action::StartNew]);
    wait(&mut screen, "some training", |w| w.session().current().is_some_and(|r| r.iteration > 3));
    let first = |series| current(&screen).curves.get(series).unwrap().values().0[0].iteration;
    assert_eq!((first(Series::FlossingLoss), first(Series::LyapunovMax)), (-5, -5));
    assert_eq!(first(Series::TrainLoss), 0);
    assert!(screen.query_by_label("flossing loss").is_some(), "its line has a name");
}
