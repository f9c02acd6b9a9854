//! The sweep's panel, by the names of what it shows.

use basinscope::gui::app::Window;
use basinscope::session::Action;
use basinscope::session::sweeping::{Ask, Sweeping};
use basinscope::training::history::Series;
use eframe::egui;
use egui_kittest::kittest::{NodeT, Queryable};
use tempfile::TempDir;

use crate::harness::{Screen, click, is_drawn, sized, wait};

/// A window whose sweep goes to a folder: two gains, one of two rates diverges, two seeds.
fn planned<'a>(folder: &TempDir, iterations: u64) -> Screen<'a> {
    let text = format!(
        "iterations = {iterations}\n[task]\nkind = \"romo\"\nbatch = 4\ntest_trials = 4\n[network]\nn_rec = 8\n\
         [optimizer]\nkind = \"sgd\"\n[measure]\ncurvature = 0\nlyapunov = 0\nprobe_trials = 4\nalignment = \"off\"\n"
    );
    // High enough for the whole page: what is scrolled out of sight has no place to click on.
    let size = egui::vec2(1600.0, 1100.0);
    let mut screen = sized(size, vec![Action::Take(toml::from_str(&text).expect("TOML"))]);
    let mut draft = sweeping(&screen).draft().clone();
    draft.varied[0].values = "0.5, 1".into();
    draft.varied[1].values = "1e-3, 1e9".into();
    draft.varied[2].on = false;
    draft.folder = folder.path().join("sweep").display().to_string();
    screen.state_mut().ask(Action::Sweep(Ask::Draft(draft)));
    click(&mut screen, "Sweep");
    wait(&mut screen, "the number of runs", |w| matches!(w.session().sweeping().preview(), Some(Ok(_))));
    screen
}

fn sweeping<'a>(screen: &'a Screen<'_>) -> &'a Sweeping {
    screen.state().session().sweeping()
}

fn ended(window: &Window) -> usize {
    window.session().sweeping().outcomes().map_or(0, |o| o.counts().0)
}

fn choose(screen: &mut Screen<'_>, list: &str, entry: &str) {
    screen.get_by_role_and_label(egui::Role::ComboBox, list).click();
    screen.run_steps(3);
    click(screen, entry);
}

#[test]
fn a_sweep_is_planned_started_and_looked_at_and_a_cell_opens_its_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = planned(&folder, 10);
    assert!(is_drawn(&screen, "8 runs, 80 updates"));
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    click(&mut screen, "Start the sweep");
    wait(&mut screen, "all runs", |w| ended(w) == 8 && !w.session().sweeping().is_running());
    assert!(is_drawn(&screen, "8 of 8 ended, 4 diverged"));

    click(&mut screen, "Sweep: heat map");
    let cell = |gain: &str, rate: &str| format!("Cell initial gain {gain}, learning rate {rate}: ");
    let label = |screen: &Screen<'_>, start: &str| {
        let node = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with(start)));
        node.accesskit_node().label().unwrap_or_default()
    };
    assert!(label(&screen, &cell("0.5", "1000000000.0")).ends_with("test loss diverged, 2 runs"));
    assert!(label(&screen, &cell("0.5", "0.001")).contains("test loss 0."));
    choose(&mut screen, "Quantity of the map", "largest Lyapunov exponent");
    assert_eq!(sweeping(&screen).view().quantity, Series::LyapunovMax);
    assert!(label(&screen, &cell("1.0", "0.001")).contains("largest Lyapunov exponent -0."));
    click(&mut screen, "Sweep: table of numbers");
    assert!(is_drawn(&screen, "diverged"));
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    click(&mut screen, "Sweep: table of numbers");
    let start = cell("1.0", "0.001");
    screen.get_by(|n| n.label().is_some_and(|l| l.starts_with(&start))).click();
    wait(&mut screen, "the runs of the cell", |w| w.session().runs().len() == 2);
    let names: Vec<&str> = screen.state().session().runs().iter().map(|r| r.name.as_str()).collect();
    assert!(names.iter().all(|n| n.starts_with("gain=1.0_learning_rate=0.001_seed=")), "{names:?}");

    click(&mut screen, "Sweep: curves");
    wait(&mut screen, "the curves", |w| w.session().sweeping().groups().iter().any(|g| g.runs > 0));
    screen.run_steps(2);
    assert!(is_drawn(&screen, "Curves of the sweep: training loss by iteration"));
    click(&mut screen, "Sweep: scatter");
    assert!(is_drawn(&screen, "Scatter of the sweep: generalization gap by leading Hessian eigenvalue"));
    assert!(is_drawn(&screen, "all: n = 4, Pearson r = "));
    assert!(is_drawn(&screen, "left out: 4 diverged"));
    assert!(is_drawn(&screen, "too few runs: at least 3 are needed"), "within one gain");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());

    // Against itself a quantity lies on the diagonal, its largest value in the upper right corner.
    choose(&mut screen, "Quantity up", "leading Hessian eigenvalue");
    let runs = sweeping(&screen).outcomes().expect("a sweep").rows();
    let (_, highest) = runs
        .iter()
        .filter_map(|r| Some((r.value(Series::LambdaMax)?, r.name.clone())))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("curvatures");
    let corner = screen
        .get_by(|n| n.label().is_some_and(|l| l.starts_with("Scatter of the sweep: ")))
        .rect()
        .right_top();
    let open = |screen: &Screen<'_>| screen.state().session().current().map(|r| r.name.clone());
    let places = (0..12).flat_map(|i| (0..12).map(move |j| egui::vec2(-8.0 * i as f32, 8.0 * j as f32)));
    let opened = places.into_iter().any(|place| {
        let at = corner + place;
        screen.hover_at(at);
        screen.step();
        screen.drag_at(at);
        screen.step();
        screen.drop_at(at);
        screen.run_steps(2);
        open(&screen).as_ref() == Some(&highest)
    });
    assert!(opened, "{highest} is opened by a click on its point, not {:?}", open(&screen));
}

#[test]
fn a_sweep_is_stopped_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = planned(&folder, 100_000_000);
    click(&mut screen, "Start the sweep");
    wait(&mut screen, "progress", |w| w.session().sweeping().progress().is_some());
    click(&mut screen, "Stop the sweep");
    wait(&mut screen, "the stop", |w| !w.session().sweeping().is_running());
    assert!(sweeping(&screen).error().is_none());
    assert!(folder.path().join("sweep/index.csv").is_file());
    click(&mut screen, "Go on");
    wait(&mut screen, "progress", |w| w.session().sweeping().progress().is_some());
    click(&mut screen, "Stop the sweep");
    wait(&mut screen, "the stop", |w| !w.session().sweeping().is_running());
}

#[test]
fn the_open_sweep_grows_by_more_seeds() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = planned(&folder, 10);
    click(&mut screen, "Start the sweep");
    wait(&mut screen, "all runs", |w| ended(w) == 8 && !w.session().sweeping().is_running());
    let mut draft = sweeping(&screen).draft().clone();
    draft.folder = folder.path().join("another").display().to_string();
    draft.seeds = "1 to 3".into();
    screen.state_mut().ask(Action::Sweep(Ask::Draft(draft)));
    click(&mut screen, "Sweep: plan");
    click(&mut screen, "Add to sweep");
    assert_eq!(sweeping(&screen).folder(), Some(folder.path().join("sweep")));
    assert!(screen.query_by_label("Add to sweep").is_none(), "it is where the runs go now");
    wait(&mut screen, "the number of runs", |w| matches!(w.session().sweeping().preview(), Some(Ok(_))));
    let first = folder.path().join("sweep/runs/gain=1.0_learning_rate=0.001_seed=1/summary.json");
    let made = || std::fs::metadata(&first).and_then(|file| file.modified()).expect("a run");
    let before = made();
    click(&mut screen, "Start the sweep");
    wait(&mut screen, "all runs", |w| ended(w) == 12 && !w.session().sweeping().is_running());
    assert_eq!(made(), before, "what was there is not made again");
}

#[test]
fn a_key_that_does_not_exist_is_answered_with_the_nearest() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = planned(&folder, 10);
    screen.get_by_label("another key").click();
    screen.run_steps(2);
    let field = |screen: &Screen<'_>, text: &str| {
        screen.get_by_role_and_label(egui::Role::TextInput, "another key").type_text(text);
    };
    screen.get_by_role_and_label(egui::Role::TextInput, "another key").focus();
    screen.run_steps(2);
    field(&screen, "measure.probe_trails");
    screen.run_steps(2);
    click(&mut screen, "Add key");
    assert!(is_drawn(&screen, "`measure.probe_trials`"));
    // What was typed is still there, to be mended.
    screen.get_by_role_and_label(egui::Role::TextInput, "another key").focus();
    screen.run_steps(2);
    screen.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    screen.run_steps(2);
    field(&screen, "measure.probe_trials");
    screen.run_steps(2);
    click(&mut screen, "Add key");
    assert!(screen.query_by_label("Vary measure.probe_trials").is_some());
    click(&mut screen, "Do not vary measure.probe_trials");
    assert!(screen.query_by_label("Vary measure.probe_trials").is_none());
    // Words are ticked in a list.
    click(&mut screen, "Vary rule.kind");
    click(&mut screen, "Choose values of rule.kind");
    click(&mut screen, "mdgl");
    assert_eq!(sweeping(&screen).draft().varied[2].values, "bptt, e-prop, mdgl");
    click(&mut screen, "mdgl");
    assert_eq!(sweeping(&screen).draft().varied[2].values, "bptt, e-prop");
    // Evenly spaced numbers are written into their list, from the smallest to the largest that it has.
    screen.key_press(egui::Key::Escape);
    screen.run_steps(3);
    click(&mut screen, "Space values of network.gain");
    click(&mut screen, "Take these values");
    assert_eq!(sweeping(&screen).draft().varied[0].values, "0.5, 0.625, 0.75, 0.875, 1");
}

#[test]
fn a_field_keeps_the_keyboard_when_the_error_above_it_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut screen = planned(&folder, 10);
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").expect("written");
    let mut draft = sweeping(&screen).draft().clone();
    draft.folder = file.join("in it").display().to_string();
    screen.state_mut().ask(Action::Sweep(Ask::Draft(draft.clone())));
    wait(&mut screen, "the preview", |w| w.session().sweeping().preview().is_some());
    click(&mut screen, "Start the sweep");
    wait(&mut screen, "the error", |w| w.session().sweeping().error().is_some());
    screen.get_by_role_and_label(egui::Role::TextInput, "folder").focus();
    screen.run_steps(2);
    for letter in ["a", "b", "r"] {
        screen.event(egui::Event::Text(letter.into()));
        screen.run_steps(4);
    }
    assert!(sweeping(&screen).error().is_none(), "another folder, another error");
    assert_eq!(sweeping(&screen).draft().folder, format!("{}abr", draft.folder));
}
