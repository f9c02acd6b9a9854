//! The table of runs, presets, saving.

use std::time::{Duration, Instant};

use basinscope::training::measures::Measure;
use eframe::egui::{Key, Role};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{LONG, Screen, click, current, wait, with_paused_run};

#[test]
fn a_second_run_is_one_click_and_says_what_differs() {
    let mut screen = with_paused_run();
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Branch {first}"));
    assert_eq!(screen.state().session().runs().len(), 2);
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "BPTT");
    assert!(screen.query_all_by_label_contains("rule BPTT").next().is_some());
    assert!(screen.query_all_by_label_contains("rule three-factor (e-prop)").next().is_some());
}

#[test]
fn a_run_is_hidden_pinned_selected_and_closed() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Hide {first}"));
    assert!(current(&screen).hidden);
    click(&mut screen, &format!("Hide {first}"));
    click(&mut screen, &format!("Pin {first}"));
    assert!(current(&screen).pinned);
    click(&mut screen, "Reset");
    assert_eq!(screen.state().session().runs().len(), 2, "the pinned run stays as a ghost");
    let ids: Vec<_> = screen.state().session().runs().iter().map(|run| run.id).collect();
    screen.get_all_by(|node| node.label().is_some_and(|l| l.starts_with("Close "))).next().unwrap().click();
    screen.run_steps(3);
    assert_eq!(screen.state().session().runs().len(), 1);
    assert_eq!(screen.state().session().runs()[0].id, ids[1]);
    // Closed by mistake.
    screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Bring back: Closed"))).click();
    screen.run_steps(3);
    assert_eq!(screen.state().session().runs().iter().map(|run| run.id).collect::<Vec<_>>(), ids);
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_preset_starts_its_task() {
    let mut screen = with_paused_run();
    screen.get_by_role_and_label(Role::ComboBox, "Preset").click();
    screen.run_steps(3);
    click(&mut screen, "Delayed match to sample");
    assert_eq!(current(&screen).config.network.alpha, 0.8);
}

#[test]
fn a_bookmark_is_made_jumped_to_renamed_and_removed() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    screen.key_press(Key::B);
    wait(&mut screen, "the bookmark", |w| {
        w.session().current().is_some_and(|r| r.bookmarks.iter().any(|b| b.iteration() == 10))
    });
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten more", |w| w.session().current().is_some_and(|r| r.iteration == 20));
    click(&mut screen, "Bookmarks");
    let run = current(&screen).name.clone();
    let label = current(&screen).bookmarks.iter().find(|b| b.iteration() == 10).unwrap().label.clone();
    click(&mut screen, &format!("Jump {run}, {label}"));
    wait(&mut screen, "the jump", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    click(&mut screen, &format!("Branch {run}, {label}"));
    wait(&mut screen, "the branch", |w| w.session().runs().len() == 2);
    click(&mut screen, &format!("Remove {run}, {label}"));
    let left = screen.state().session().runs()[0].bookmarks.iter().filter(|b| b.iteration() == 10).count();
    assert_eq!(left, 0);
}

#[test]
fn a_slice_is_asked_for_and_drawn() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    click(&mut screen, "Slice now");
    wait(&mut screen, "the slice", |w| {
        w.session().current().is_some_and(|r| r.finding(Measure::Landscape).is_some())
    });
    let picture =
        screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss landscape: loss over")));
    assert!(picture.accesskit_node().label().unwrap().contains("random direction 1"));
    click(&mut screen, "Colour map viridis");
    assert!(screen.query_by_label("Colour map cividis").is_some());
}

#[test]
fn the_weights_have_eigenvalues_and_their_update_singular_values_with_tables() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    click(&mut screen, "Weights");
    wait(&mut screen, "the weights", |w| {
        w.session().current().is_some_and(|r| r.weights.as_ref().is_some_and(|own| own.iteration == 10))
    });
    for (view, picture, column) in [
        ("Eigenvalues", "Eigenvalues of the recurrent weights", "modulus"),
        ("Update", "Singular values of the update", "singular value"),
    ] {
        click(&mut screen, view);
        wait(&mut screen, view, |w| {
            let id = w.session().current().map(|r| r.id);
            id.and_then(|id| w.session().weight_spectra().of(id)).is_some_and(|s| s.iteration == 10)
        });
        assert!(
            screen.query_by(|node| node.label().is_some_and(|l| l.starts_with(picture))).is_some(),
            "{picture}"
        );
        click(&mut screen, "Weights: table of numbers");
        assert!(screen.query_all_by_label(column).next().is_some(), "{column} is a column");
        click(&mut screen, "Weights: table of numbers");
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
}

#[test]
fn weights_activity_spectrum_and_gain_are_tabs_that_show_the_run() {
    let mut screen = with_paused_run();
    for (tab, picture) in [
        ("Weights", "Recurrent weights w_rec: 8 by 8"),
        ("Activity", "Units: 8 rows"),
        ("Gain explorer", "Eigenvalues of w_rec"),
        ("Spectrum", "Hessian spectral density"),
    ] {
        click(&mut screen, tab);
        let drawn = |screen: &Screen<'_>| {
            screen.query_all_by(|node| node.label().is_some_and(|l| l.starts_with(picture))).next().is_some()
        };
        let start = Instant::now();
        while !drawn(&screen) {
            assert!(start.elapsed() < LONG, "{tab} shows no {picture}");
            std::thread::sleep(Duration::from_millis(5));
            screen.step();
        }
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{tab}");
    }
}
