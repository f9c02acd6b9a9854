//! Runs compared over seeds: more seeds, their mean, "Is the difference real?".

use basinscope::session::{Action, RunState};
use basinscope::training::history::Series;
use eframe::egui::{Key, Role};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, current, wait, window};

/// Two settings of a run of twelve updates, both ended.
fn two_settings<'a>() -> Screen<'a> {
    let table = toml::from_str(
        "iterations = 12\n[task]\nkind = \"romo\"\nbatch = 4\ntest_trials = 4\n[network]\nn_rec = 8\n\
         [measure]\ncurvature = 4\nprobe_trials = 4\nalignment = \"off\"\nlyapunov = \"off\"\n",
    );
    let mut screen = window(vec![Action::Take(table.unwrap()), Action::StartNew]);
    let first = screen.state().session().runs()[0].name.clone();
    click(&mut screen, &format!("Branch {first}"));
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "BPTT");
    // A branch waits until it is told to run.
    click(&mut screen, "Run");
    ended(&mut screen);
    screen
}

fn ended(screen: &mut Screen<'_>) {
    wait(screen, "all runs to end", |w| {
        w.session().runs().iter().all(|run| {
            let measured = run.curves.last(Series::LambdaMax).is_some_and(|p| p.iteration == 12);
            matches!(run.state, RunState::Ended(_)) && measured
        })
    });
}

#[test]
fn more_seeds_are_one_click_and_are_drawn_as_their_mean() {
    let mut screen = two_settings();
    let name = current(&screen).name.clone();
    click(&mut screen, &format!("More seeds of {name}"));
    click(&mut screen, "2 more seeds");
    ended(&mut screen);
    let mut seeds: Vec<u64> = screen.state().session().runs().iter().map(|run| run.config.seed).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [1, 1, 2, 3]);
    screen.run_steps(3);
    let plot = screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Plot of loss")));
    let label = plot.accesskit_node().label().unwrap();
    assert!(label.contains(&format!("train, mean of {name} (3 seeds)")), "{label}");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn whether_a_difference_is_real_is_asked_over_the_same_seeds() {
    let mut screen = two_settings();
    screen.key_press(Key::D);
    screen.run_steps(3);
    assert!(screen.query_by_label_contains("at least 2 are needed").is_some());
    click(&mut screen, "3 more seeds of both");
    assert_eq!(screen.state().session().runs().len(), 8);
    ended(&mut screen);
    // What is shown is at most half a second old, in the time of the screen.
    screen.run_steps(60);
    let text = screen.get_by_label_contains("95 % interval").accesskit_node().value().unwrap();
    assert!(
        text.contains("4 seeds") && text.contains("at a training loss of") && text.contains("p "),
        "{text}"
    );
    screen.get_by_role_and_label(Role::ComboBox, "Quantity").click();
    screen.run_steps(3);
    click(&mut screen, "Test loss, the last");
    let text = screen.get_by_label_contains("95 % interval").accesskit_node().value().unwrap();
    assert!(text.starts_with("The test loss is"), "{text}");
    click(&mut screen, "Save comparison…");
    assert!(screen.get_by_label("Path of the file to write").rect().is_positive());
    screen.key_press(Key::Escape);
    screen.run_steps(3);
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}
