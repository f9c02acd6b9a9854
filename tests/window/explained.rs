//! Every control has a name of its own and says what it does; every quantity says what it is.

use basinscope::gui::commands::{self, Menu};
use basinscope::session::{Action, RunState};
use basinscope::training::history::Series;
use basinscope::training::measures::Measure;
use eframe::egui::{Key, Role, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, current, menu, sized, wait};

/// A run that has measured everything, in a window in which nothing is scrolled out of sight.
fn measured<'a>() -> Screen<'a> {
    let text = "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\ntest_trials = 8\n[network]\nn_rec = 8\n\
                [measure]\nprobe_trials = 4\ncurvature = 5\n";
    let actions = vec![Action::Take(toml::from_str(text).unwrap()), Action::StartNew, Action::RunOrPause];
    let mut screen = sized(vec2(1920.0, 2400.0), actions);
    wait(&mut screen, "the run", |w| w.session().current().is_some_and(|r| r.state == RunState::Paused));
    // A run begins by itself, and may have made updates before the pause reached it.
    screen.state_mut().ask(Action::Reset);
    screen.state_mut().ask(Action::Step(20));
    wait(&mut screen, "20 updates", |w| w.session().current().is_some_and(|r| r.iteration == 20));
    wait(&mut screen, "every measure", |w| {
        let has = |m| w.session().current().is_some_and(|r| r.finding(m).is_some());
        [Measure::Test, Measure::Curvature, Measure::Alignment, Measure::Lyapunov].into_iter().all(has)
    });
    screen
}

/// What can be used by hand, by role.
const CONTROLS: [Role; 9] = [
    Role::Button,
    Role::CheckBox,
    Role::ComboBox,
    Role::SpinButton,
    Role::Slider,
    Role::RadioButton,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::Link,
];

/// Names of controls in sight that say what they do by their name alone: menus, groups of settings.
fn is_plain(name: &str) -> bool {
    let groups = ["(after a reset)", "(at once)"];
    let menus = ["File", "Train", "View", "Help", "Export", "Lessons"];
    name == "Close window" || menus.contains(&name) || groups.iter().any(|group| name.ends_with(group))
}

/// Controls in sight that lack a name, share it with another of their role, or do not say what they do.
fn faults(screen: &Screen<'_>) -> Vec<String> {
    let mut seen: Vec<(Role, String)> = Vec::new();
    let mut faults = Vec::new();
    // A slider and the number beside it are one control.
    let sliders: Vec<String> = screen
        .root()
        .children_recursive()
        .map(|node| node.accesskit_node())
        .filter(|node| node.role() == Role::Slider && node.description().is_some())
        .filter_map(|node| node.label())
        .collect();
    for node in screen.root().children_recursive().map(|node| node.accesskit_node()) {
        if !CONTROLS.contains(&node.role()) || node.is_hidden() || node.data().is_read_only() {
            continue;
        }
        let name = node.label().unwrap_or_default();
        let role = node.role();
        if name.trim().is_empty() {
            faults.push(format!("a {role:?} without a name"));
        } else if node.description().is_none_or(|text| text.len() < 4)
            && !(is_plain(&name) || role == Role::SpinButton && sliders.contains(&name))
        {
            faults.push(format!("{role:?} {name} does not say what it does"));
        }
        if seen.contains(&(role, name.clone())) {
            faults.push(format!("two of {role:?} {name}"));
        }
        seen.push((role, name));
    }
    faults
}

/// The tooltip of a label, if there is such a label. A label's name is its text.
fn tip(screen: &Screen<'_>, label: &str) -> Option<String> {
    let nodes = screen.root().children_recursive().map(|node| node.accesskit_node());
    let named = nodes.filter(|n| n.role() == Role::Label && n.value().as_deref() == Some(label));
    named.map(|node| node.description().unwrap_or_default()).max_by_key(String::len)
}

#[track_caller]
fn is_explained(screen: &Screen<'_>, labels: &[&str], place: &str) {
    for label in labels {
        let tip = tip(screen, label).unwrap_or_else(|| panic!("{place}: no label {label}"));
        assert!(tip.len() > label.len() + 8, "{place}: {label} is not explained: {tip:?}");
    }
}

#[test]
fn every_control_has_a_name_of_its_own_and_says_what_it_does() {
    let mut screen = measured();
    assert_eq!(faults(&screen), Vec::<String>::new(), "at first");
    for group in ["Schedule (at once)", "Flossing (after a reset)", "Measures (at once)"] {
        click(&mut screen, group);
    }
    for group in ["Initial weights, precision (after a reset)", "Stopping (at once)"] {
        click(&mut screen, group);
    }
    screen.run_steps(30);
    assert_eq!(faults(&screen), Vec::<String>::new(), "with all settings");
    for tab in ["Accuracy", "Alignment and gap", "Gain explorer", "Spectrum", "Weights", "Bookmarks"] {
        if screen.query_all_by_label(tab).next().is_some() {
            click(&mut screen, tab);
            assert_eq!(faults(&screen), Vec::<String>::new(), "{tab}");
        }
    }
    screen.key_press(Key::B);
    wait(&mut screen, "a bookmark", |w| w.session().current().is_some_and(|r| !r.bookmarks.is_empty()));
    assert_eq!(faults(&screen), Vec::<String>::new(), "with a bookmark");
    for (key, window) in
        [(Key::G, "Glossary"), (Key::Questionmark, "All keys"), (Key::D, "Is the difference real?")]
    {
        screen.key_press(key);
        screen.run_steps(3);
        assert!(screen.query_all_by_label(window).next().is_some(), "{window} did not open");
        assert_eq!(faults(&screen), Vec::<String>::new(), "{window}");
        screen.key_press(Key::Escape);
        screen.run_steps(3);
        assert!(screen.query_all_by_label(window).next().is_none(), "{window} is still open");
    }
}

#[test]
fn every_entry_of_every_menu_has_a_name_and_says_what_it_does() {
    let mut screen = measured();
    for which in [Menu::File, Menu::Run, Menu::View, Menu::Help, Menu::Export] {
        click(&mut screen, which.name());
        let faults: Vec<String> = faults(&screen);
        assert_eq!(faults, Vec::<String>::new(), "{}", which.name());
        for entry in commands::menu(which) {
            let found = screen
                .query_all_by(|n| n.label().is_some_and(|label| label.starts_with(entry.name)))
                .any(|node| node.accesskit_node().description().as_deref() == Some(entry.help));
            assert!(found, "{} is not in the menu {}", entry.name, which.name());
        }
        screen.key_press(Key::Escape);
        screen.run_steps(3);
    }
    click(&mut screen, "Lessons");
    assert_eq!(faults(&screen), Vec::<String>::new(), "Lessons");
}

#[test]
fn every_column_of_the_runs_and_every_read_out_is_explained() {
    let screen = measured();
    let columns = ["Name", "What differs", "State", "Iteration", "Loss", "Test loss", "Sharpness", "Gap"];
    is_explained(&screen, &columns, "the table of runs");
    let loss = current(&screen).curves.last(Series::TrainLoss).unwrap().value;
    let loss = format!("loss {}", basinscope::gui::plot::number::value(loss));
    is_explained(&screen, &["20 / 100,000", &loss], "the bar");
    is_explained(&screen, &["train", "test", "lambda_max", "lambda_min", "largest exponent"], "the legends");
    is_explained(&screen, &["iteration", "Input by step", "Output by step"], "the axes");
    is_explained(&screen, &["Units, step by unit"], "the axes");
}

#[test]
fn every_setting_is_explained_with_its_key() {
    let mut screen = measured();
    for group in ["Schedule (at once)", "Flossing (after a reset)", "Measures (at once)"] {
        click(&mut screen, group);
    }
    screen.run_steps(30);
    for (label, key) in [
        ("Initial gain", "network.gain"),
        ("Leak alpha", "network.alpha"),
        ("Learning rate", "optimizer.learning_rate"),
        ("Exponents k", "flossing.k"),
        ("Eigenvalues", "measure.top_k"),
        ("Schedule", "schedule.kind"),
        ("Delay min", "task.delay_min"),
    ] {
        let tip = tip(&screen, label).unwrap_or_else(|| panic!("no setting {label}"));
        assert!(tip.contains(&format!("Key {key}")), "{label}: {tip}");
    }
}

#[test]
fn every_axis_and_every_column_of_the_spectra_is_explained() {
    let mut screen = measured();
    click(&mut screen, "Spectrum");
    wait(&mut screen, "the density", |w| {
        w.session().current().is_some_and(|r| r.finding(Measure::Density).is_some())
    });
    click(&mut screen, "Spectrum: table of numbers");
    for (view, names) in [
        ("Density", &["share per decade by eigenvalue", "from", "to", "share of all", "±"][..]),
        ("By rank", &["eigenvalue by rank", "rank", "eigenvalue", "residual", "state"]),
        ("Over training", &["eigenvalue by iteration", "rank 1", "rank 5", "smallest"]),
        ("Lyapunov", &["exponent by rank", "mean", "sd over trials"]),
        ("Convergence", &["mean up to here by step", "mean up to here"]),
    ] {
        click(&mut screen, &format!("Spectrum: {view}"));
        screen.run_steps(3);
        is_explained(&screen, names, view);
        assert_eq!(faults(&screen), Vec::<String>::new(), "{view}");
    }
}

#[test]
fn every_axis_and_every_column_of_weights_and_gains_is_explained() {
    let mut screen = measured();
    click(&mut screen, "Weights");
    wait(&mut screen, "the weights", |w| w.session().current().is_some_and(|r| r.weights.is_some()));
    screen.run_steps(3);
    is_explained(&screen, &["density by weight"], "the weights");
    for (view, names) in [
        ("Eigenvalues", &["imaginary part by real part", "real", "imaginary", "modulus"][..]),
        ("Update", &["singular value by rank", "singular value"]),
    ] {
        click(&mut screen, view);
        if view == "Eigenvalues" {
            click(&mut screen, "Weights: table of numbers");
        }
        let id = current(&screen).id;
        wait(&mut screen, "the spectra of the weights", |w| w.session().weight_spectra().of(id).is_some());
        screen.run_steps(3);
        is_explained(&screen, names, view);
        assert_eq!(faults(&screen), Vec::<String>::new(), "{view}");
    }
    click(&mut screen, "Gain explorer");
    wait(&mut screen, "the scan", |w| {
        w.session().explorer().look().is_some() && !w.session().explorer().summaries().is_empty()
    });
    click(&mut screen, "Gain explorer: table of numbers");
    screen.run_steps(3);
    let names = ["exponent by rank", "exponent by gain", "cosine, rho by gain", "sd over trials", "modulus"];
    is_explained(&screen, &names, "the gain explorer");
    is_explained(&screen, &["exponent: mean", "exponent: sd", "seeds", "left out"], "the gain explorer");
    assert_eq!(faults(&screen), Vec::<String>::new(), "the gain explorer");
}

#[test]
fn the_curvature_is_drawn_by_the_smoothed_loss() {
    let mut screen = measured();
    // On a busy machine a measure may be left out at its cadence, but not one that is asked for.
    screen.state_mut().ask(Action::Measure(vec![Measure::Curvature]));
    wait(&mut screen, "the curvature of iteration 20", |w| {
        let last = w.session().current().and_then(|r| r.curves.last(Series::LambdaMax));
        last.is_some_and(|p| p.iteration == 20)
    });
    screen.state_mut().ask(Action::Step(1));
    wait(&mut screen, "the loss of iteration 20", |w| {
        w.session().current().is_some_and(|r| r.iteration == 21)
    });
    click(&mut screen, "Curvature: horizontal axis");
    click(&mut screen, "by loss");
    let curves = &current(&screen).curves;
    let losses = curves.get(Series::TrainLoss).unwrap().values().0.to_vec();
    // The mean of all values up to 20 with weights exp(-age / 20), as the smoothing at first is.
    let upto = losses.iter().filter(|p| (0..=20).contains(&p.iteration));
    let (sum, weights) = upto.fold((0.0, 0.0), |(sum, weights), p| {
        let weight = (-(20.0 - p.iteration as f64) / 20.0).exp();
        (sum + weight * p.value, weights + weight)
    });
    let value = curves.get(Series::LambdaMax).unwrap().values().0;
    let value = value.iter().find(|p| p.iteration == 20).unwrap().value;
    let number = basinscope::gui::plot::number::value;
    let words = format!(
        "lambda_max: {} at iteration 20, training loss, smoothed {}",
        number(value),
        number(sum / weights)
    );
    let plot = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with("Plot of curvature")));
    let label = plot.accesskit_node().label().unwrap();
    assert!(label.contains(&words), "{label} does not say {words}");
    is_explained(&screen, &["training loss, smoothed"], "the axis");
    // The loss against itself is no curve.
    click(&mut screen, "Loss: horizontal axis");
    assert!(screen.query_by_label("by loss").is_none());
}

#[test]
fn the_diagnostics_tell_when_the_first_frame_came() {
    let mut screen = measured();
    menu(&mut screen, "Help", "Diagnostics");
    let label = screen.get_by_label_contains("First frame: ");
    let text = label.accesskit_node().value().unwrap();
    if cfg!(target_os = "linux") {
        let ms: f64 = text.trim_start_matches("First frame: ").split(' ').next().unwrap().parse().unwrap();
        assert!(ms > 0.0 && text.ends_with("ms after the start of the program"), "{text}");
    }
}
