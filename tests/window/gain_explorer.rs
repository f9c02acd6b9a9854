//! The gain explorer's panel, by the names of what it shows.

use basinscope::gui::app::Window;
use basinscope::session::explorer::{GAINS, GainExplorer, SEEDS};
use basinscope::session::{Action, Session};
use egui_kittest::kittest::Queryable;

use crate::harness::{Screen, click, is_drawn, until_drawn, wait, window};

/// The explorer on a network of 24 units, its first look and the scan that follows it by itself done.
fn explored<'a>() -> Screen<'a> {
    let text = "[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 24\n[flossing]\niterations = 20\n";
    let mut screen = window(vec![Action::Take(toml::from_str(text).unwrap())]);
    click(&mut screen, "Gain explorer");
    scan_is_done(&mut screen);
    assert_eq!(explorer(&screen).scan().1, 0, "untrained networks");
    screen
}

fn explorer<'a>(screen: &'a Screen<'_>) -> &'a GainExplorer {
    screen.state().session().explorer()
}

fn scan_is_done(screen: &mut Screen<'_>) {
    wait(screen, "a whole scan", |w: &Window| {
        let explorer = w.session().explorer();
        explorer.scan().0.len() == GAINS.len() * SEEDS as usize && explorer.scan_share().is_none()
    });
}

fn gain(session: &Session) -> f64 {
    session.settings().resolved().expect("sound").config.network.gain
}

#[test]
fn a_scan_comes_by_itself_shows_its_crossing_and_a_click_takes_a_gain() {
    let mut screen = explored();
    let crossing = explorer(&screen).zero_crossing().expect("24 units cross zero below gain 2");
    until_drawn(&mut screen, &format!("zero at {}", (crossing * 100.0).round() / 100.0));
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    let before = gain(screen.state().session());
    let scan = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with("Exponent against gain")));
    scan.scroll_to_me();
    screen.run_steps(4);
    let rect = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with("Exponent against gain"))).rect();
    let at = rect.left_center() + eframe::egui::vec2(0.3 * rect.width(), 0.0);
    screen.hover_at(at);
    screen.step();
    screen.drag_at(at);
    screen.step();
    screen.drop_at(at);
    screen.run_steps(3);
    let after = gain(screen.state().session());
    assert!(after != before && GAINS.contains(&after), "{before} to {after}");
    wait(&mut screen, "the look at the new gain", |w| {
        w.session().explorer().look().is_some_and(|l| l.gain == after)
    });
    // What was scanned serves every gain: it is not taken again.
    screen.run_steps(5);
    assert!(explorer(&screen).scan_share().is_none());
}

#[test]
fn spectrum_disc_activity_and_scan_are_in_sight_at_once_in_a_small_window() {
    let screen = explored();
    let runs = screen.get_by_label("Hide Runs").rect();
    for plot in [
        "Exponents before training",
        "Eigenvalues of w_rec",
        "Activity of a trial",
        "Exponent against gain",
        "Cosine and rho against gain",
    ] {
        let rect = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with(plot))).rect();
        assert!(rect.bottom() <= runs.top() && rect.height() > 32.0, "{plot}: {rect:?}, runs at {runs:?}");
        assert!(rect.width() > 80.0, "{plot}: {rect:?}");
    }
}

#[test]
fn floss_shows_the_network_before_and_after_with_numbers_for_all() {
    let mut screen = explored();
    click(&mut screen, "Floss");
    wait(&mut screen, "the flossed network", |w| w.session().explorer().floss().is_some());
    until_drawn(&mut screen, "After 20 flossing iterations: leading exponent");
    for picture in ["Before flossing", "After flossing"] {
        until_drawn(&mut screen, picture);
    }
    until_drawn(&mut screen, "after flossing: 24 points");
    click(&mut screen, "Gain explorer: table of numbers");
    for column in ["after: mean", "after: modulus"] {
        until_drawn(&mut screen, column);
    }
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_scan_that_trains_draws_loss_beside_cosine_and_rho() {
    let mut screen = explored();
    for plot in ["Cosine and rho against gain", "Exponent against gain"] {
        until_drawn(&mut screen, plot);
    }
    assert!(!is_drawn(&screen, "Loss against gain"), "no network has been trained");
    screen.get_by_label("Scan learning").scroll_to_me();
    screen.run_steps(4);
    click(&mut screen, "Scan learning");
    until_drawn(&mut screen, "Loss against gain");
    assert!(is_drawn(&screen, "Cosine and rho against gain"));
    if explorer(&screen).scan_share().is_some() {
        click(&mut screen, "Stop the scan");
    }
    assert!(explorer(&screen).scan_share().is_none());
    click(&mut screen, "Scan gains");
    scan_is_done(&mut screen);
    until_drawn(&mut screen, "5 seeds: exponent");
    screen.get_by_label("Gain explorer: table of numbers").scroll_to_me();
    screen.run_steps(4);
    click(&mut screen, "Gain explorer: table of numbers");
    // A table out of sight draws no cell.
    for (plot, columns) in [
        ("Exponent against gain", ["exponent: mean", "exponent: sd", "seeds"]),
        ("Cosine and rho against gain", ["cosine: mean", "rho: sd", "left out"]),
    ] {
        screen.get_by(|n| n.label().is_some_and(|l| l.starts_with(plot))).scroll_to_me();
        for column in columns {
            until_drawn(&mut screen, column);
        }
    }
}
