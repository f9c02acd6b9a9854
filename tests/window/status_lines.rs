//! What is said above a plot: in one line, whole for a screen reader, and the plot stays where it is.

use basinscope::session::{Action, RunState};
use basinscope::training::history::Series;
use basinscope::training::measures::Measure;
use eframe::egui::{Rect, Role};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, current, is_drawn, wait, window};

/// A paused run whose curvature and alignment are measured.
fn measured<'a>() -> Screen<'a> {
    let text = "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n\
                [measure]\nprobe_trials = 4\ncurvature = 5\nalignment = 5\nlyapunov = 5\n";
    let actions = vec![Action::Take(toml::from_str(text).unwrap()), Action::StartNew, Action::RunOrPause];
    let mut screen = window(actions);
    wait(&mut screen, "the run", |w| w.session().current().is_some_and(|r| r.state == RunState::Paused));
    screen.state_mut().ask(Action::Step(10));
    wait(&mut screen, "every measure", |w| {
        let has = |m| w.session().current().is_some_and(|r| r.finding(m).is_some());
        [Measure::Curvature, Measure::Alignment, Measure::Lyapunov].into_iter().all(has)
    });
    screen
}

fn picture(screen: &Screen<'_>, name: &str) -> Rect {
    screen.get_by(|node| node.label().is_some_and(|l| l.starts_with(name))).rect()
}

#[test]
fn a_long_line_above_a_plot_moves_no_plot_and_is_heard_whole() {
    let mut screen = measured();
    click(&mut screen, "Spectrum");
    wait(&mut screen, "the density", |w| {
        w.session().current().is_some_and(|r| r.finding(Measure::Density).is_some())
    });
    let pictures = ["Plot of curvature", "Plot of lyapunov", "Hessian spectral density"];
    let before = pictures.map(|name| picture(&screen, name));
    let long = "a run whose name is long ".repeat(8);
    let id = current(&screen).id;
    screen.state_mut().ask(Action::Rename(id, long.trim().into()));
    screen.run_steps(4);
    assert_eq!(pictures.map(|name| picture(&screen, name)), before);
    for said in [long.trim(), "lambda_max ", "fresh, iteration", " products", "trace ", "relative flatness "]
    {
        assert!(is_drawn(&screen, said), "{said} is not said");
    }
    // Whether it has room or ends in dots.
    for (said, series) in [("trace ", Series::HessianTrace), ("relative flatness ", Series::RelativeFlatness)]
    {
        let mut saying = screen.query_all_by_label_contains(said).map(|n| n.accesskit_node().description());
        let explains = |text: Option<String>| text.is_some_and(|text| text.contains(series.meaning()));
        assert!(saying.any(explains), "{said} is not explained");
    }
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_plan_that_is_wrong_moves_none_of_its_fields() {
    let mut screen = measured();
    click(&mut screen, "Sweep");
    wait(&mut screen, "the preview", |w| w.session().sweeping().preview().is_some_and(Result::is_ok));
    let field = |screen: &Screen<'_>| screen.get_by_role_and_label(Role::TextInput, "seeds").rect();
    let before = field(&screen);
    screen.get_by_role_and_label(Role::TextInput, "seeds").click();
    screen.run_steps(2);
    screen.event(eframe::egui::Event::Text(
        ", what is no seed but a text that is far too long for one line".into(),
    ));
    screen.run_steps(2);
    wait(&mut screen, "the error", |w| w.session().sweeping().preview().is_some_and(Result::is_err));
    assert_eq!(field(&screen), before);
    assert!(is_drawn(&screen, "what is no seed"), "the error says what is wrong");
}

#[test]
fn the_first_values_move_no_plot() {
    let text = "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n\
                [measure]\nprobe_trials = 4\nalignment = \"off\"\n";
    let actions = vec![Action::Take(toml::from_str(text).unwrap()), Action::StartNew, Action::RunOrPause];
    let mut screen = window(actions);
    wait(&mut screen, "the run", |w| w.session().current().is_some_and(|r| r.state == RunState::Paused));
    click(&mut screen, "Alignment and gap");
    let top = |screen: &Screen<'_>| picture(screen, "Plot of alignment and gap").top();
    let before = top(&screen);
    screen.state_mut().ask(Action::Measure(vec![Measure::Alignment]));
    wait(&mut screen, "the alignment", |w| {
        w.session().current().is_some_and(|r| r.finding(Measure::Alignment).is_some())
    });
    assert!(is_drawn(&screen, "relative error"));
    assert_eq!(top(&screen), before);
}
