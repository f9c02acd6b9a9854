//! The landscape panel: its views, its controls, its tables.

use std::time::{Duration, Instant};

use basinscope::gui::app::Window;
use basinscope::session::landscape::Bench;
use basinscope::session::{Action, RunState};
use eframe::egui::{Key, Role, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, current, is_drawn, sized, wait, with_paused_run};

/// A paused run twelve updates on, with a slice of nine by nine points, in a window large enough for everything.
fn with_slice<'a>() -> Screen<'a> {
    let mut screen = with_paused_run();
    screen.set_size(vec2(1800.0, 1200.0));
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    click(&mut screen, "Slice now");
    wait_long(&mut screen, "the slice", is_complete);
    screen
}

fn wait_long(screen: &mut Screen<'_>, what: &str, done: impl Fn(&Window) -> bool) {
    let start = Instant::now();
    while !done(screen.state()) {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
        screen.step();
    }
    screen.run_steps(3);
}

fn is_complete(window: &Window) -> bool {
    let session = window.session();
    session.current().and_then(|run| session.slice_of(run)).is_some_and(|s| s.progress.is_complete())
}

fn bench<'a>(screen: &'a Screen<'_>) -> &'a Bench {
    screen.state().session().bench()
}

/// Chooses from a list by its accessible name.
fn choose(screen: &mut Screen<'_>, list: &str, entry: &str) {
    screen.get_by_role_and_label(Role::ComboBox, list).click();
    screen.run_steps(3);
    screen.get_all_by_label(entry).last().expect("an entry").click();
    screen.run_steps(3);
}

fn picture(screen: &Screen<'_>, name: &str) -> String {
    let node = screen.get_by(|node| node.label().is_some_and(|l| l.starts_with(name)));
    node.accesskit_node().label().expect("it was found by it")
}

#[test]
fn every_view_and_every_table_has_names_for_all_its_controls() {
    let mut screen = with_slice();
    click(&mut screen, "Landscape: table of numbers");
    for (view, name) in [
        ("Slice as a map", "Loss landscape: loss over"),
        ("Slice as a surface", "Loss surface: loss as height over"),
        ("Cut", "Loss along the slice's axes"),
    ] {
        click(&mut screen, view);
        assert!(picture(&screen, name).contains("loss"));
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{view}");
    }
    click(&mut screen, "Shake");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn the_axes_name_direction_and_centre_and_the_table_has_the_numbers() {
    let mut screen = with_slice();
    let text = picture(&screen, "Loss landscape: loss over");
    assert!(text.contains("random direction 1, centre iteration 10"), "{text}");
    choose(&mut screen, "Slice centre", "start");
    wait_long(&mut screen, "the slice", |w| {
        is_complete(w)
            && w.session()
                .current()
                .and_then(|r| w.session().slice_of(r))
                .is_some_and(|s| s.centre == "start")
    });
    assert!(picture(&screen, "Loss landscape: loss over").contains("centre start"));
    click(&mut screen, "Landscape: table of numbers");
    let session = screen.state().session();
    let slice = session.slice_of(current(&screen)).expect("a slice");
    let first = slice.path[0];
    let corner = slice.grid.loss[0];
    let number = |v: f64| basinscope::gui::plot::number::exact(v);
    for text in [number(first.coordinates.distance), number(first.loss.expect("known"))] {
        assert!(screen.query_all_by_label(&text).next().is_some(), "{text} is not in the table");
    }
    click(&mut screen, "Numbers of the grid");
    assert!(screen.query_all_by_label(&number(corner)).next().is_some());
}

#[test]
fn directions_are_chosen_in_the_panel() {
    let mut screen = with_slice();
    for (directions, name) in
        [("trajectory", "PC 1"), ("eigenvectors", "eigenvector 1, lambda"), ("three-points", "from start to")]
    {
        choose(&mut screen, "Slice directions", directions);
        wait_long(&mut screen, directions, |w| {
            let session = w.session();
            let slice = session.current().and_then(|run| session.slice_of(run));
            slice.is_some_and(|s| s.names[0].starts_with(name))
        });
        assert!(picture(&screen, "Loss landscape: loss over").contains(name));
    }
    for list in ["First point", "Second point", "Third point"] {
        assert!(screen.query_by_role_and_label(Role::ComboBox, list).is_some(), "{list}");
    }
}

#[test]
fn a_click_on_the_map_starts_descents_of_every_rule() {
    let mut screen = with_slice();
    let place = |screen: &Screen<'_>| {
        screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss landscape: loss over"))).rect()
    };
    let before = place(&screen);
    screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss landscape: loss over"))).click();
    screen.run_steps(3);
    assert!(bench(&screen).descending().is_some());
    wait_long(&mut screen, "the descents", |w| !w.session().bench().is_descending());
    let moved = (place(&screen).min - before.min).length();
    // Rows are rounded to whole pixels.
    assert!(moved < 1.0, "the map moved by {moved} points");
    let descending = bench(&screen).descending().expect("descents");
    assert_eq!(descending.all[0].rule, current(&screen).config.rule.kind);
    let from = descending.from;
    for rule in ["bptt", "e-prop", "rflo", "mdgl", "truncated-bptt"] {
        let name = format!("{rule} ");
        let is_there = screen.query_all_by_label_contains(&name).next().is_some();
        assert!(is_there, "{rule} is not in the legend");
    }
    choose(&mut screen, "Rule of the descent", "mdgl");
    wait_long(&mut screen, "the descents", |w| !w.session().bench().is_descending());
    let descending = bench(&screen).descending().expect("descents");
    assert_eq!(
        (descending.all[0].rule, descending.from),
        (basinscope::training::config::RuleKind::Mdgl, from)
    );
    click(&mut screen, "Landscape: table of numbers");
    click(&mut screen, "Numbers of the descents");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    assert!(screen.query_by_role_and_label(Role::SpinButton, "Steps in the plane").is_some());
    click(&mut screen, "Take the descents away");
    assert!(bench(&screen).descending().is_none());
}

#[test]
fn shake_it_is_one_button_for_every_pinned_run() {
    let mut screen = with_slice();
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Pin {first}"));
    click(&mut screen, &format!("Branch {first}"));
    wait_long(&mut screen, "the branch", |w| w.session().runs().len() == 2);
    click(&mut screen, "Shake");
    click(&mut screen, "Landscape: table of numbers");
    for relative in [false, true] {
        click(&mut screen, if relative { "Radii relative to the weights" } else { "Shake it" });
        wait_long(&mut screen, "the shake", |w| {
            let bench = w.session().bench();
            bench.shake_share().is_none() && bench.shaken().0.len() == 2 && bench.shaken().1 == relative
        });
        let text = picture(&screen, "Loss under noise");
        assert_eq!(text.matches("14 points").count(), 2, "{text}");
        assert!(picture(&screen, "Accuracy under noise").contains("accuracy"));
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    }
    let rest = bench(&screen).shaken().0[0].shake.as_ref().expect("shaken").at_rest.loss;
    let rest = basinscope::gui::plot::number::exact(rest);
    assert!(screen.query_all_by_label(&rest).next().is_some(), "{rest} is not in the table");
}

#[test]
fn a_cut_is_drawn_between_two_networks() {
    let mut screen = with_slice();
    click(&mut screen, "Cut");
    choose(&mut screen, "Line of the cut", "between two networks");
    wait_long(&mut screen, "the cut", |w| w.session().bench().cut().is_some_and(|c| c.points.len() > 100));
    assert!(picture(&screen, "Loss between two networks").contains("121 points"));
    assert!(picture(&screen, "Accuracy between two networks").contains("accuracy"));
    click(&mut screen, "Landscape: table of numbers");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    for list in ["Cut from", "Cut to"] {
        assert!(screen.query_by_role_and_label(Role::ComboBox, list).is_some(), "{list}");
    }
}

#[test]
fn the_surface_is_turned_by_a_drag() {
    let mut screen = with_slice();
    click(&mut screen, "Slice as a surface");
    let before = picture(&screen, "Loss surface");
    assert!(before.contains("azimuth 30, elevation 35"), "{before}");
    let centre =
        screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss surface"))).rect().center();
    screen.hover_at(centre);
    screen.run_steps(2);
    screen.drag_at(centre);
    screen.run_steps(2);
    screen.hover_at(centre + vec2(-40.0, 25.0));
    screen.run_steps(2);
    screen.drop_at(centre + vec2(-40.0, 25.0));
    screen.run_steps(3);
    // Half a degree a point around, 0.4 degrees up.
    let after = picture(&screen, "Loss surface");
    assert!(after.contains("azimuth 50, elevation 45"), "{after}");
    for name in ["Azimuth of the surface", "Elevation of the surface"] {
        assert!(screen.query_by_role_and_label(Role::SpinButton, name).is_some(), "{name}");
    }
    assert!(bench(&screen).descending().is_none(), "a drag turns it and starts nothing");
}

/// Chooses a task with settings of the landscape's own and waits for its paused start.
fn with_measures<'a>(measure: &str) -> Screen<'a> {
    let text = format!(
        "iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 16\n[measure]\n{measure}\n"
    );
    let table = toml::from_str(&text).expect("TOML");
    let mut screen =
        sized(vec2(1800.0, 1200.0), vec![Action::Take(table), Action::StartNew, Action::RunOrPause]);
    wait(&mut screen, "a paused run", |w| {
        w.session().current().is_some_and(|r| r.state == RunState::Paused && r.iteration >= 0)
    });
    screen
}

/// Whether a label has this in it.
fn says(screen: &Screen<'_>, part: &str) -> bool {
    screen.query_all_by_label_contains(part).next().is_some()
}

#[test]
fn a_slice_under_way_is_a_picture_with_the_points_known_and_the_time_left() {
    // Forty thousand points: seconds on any machine.
    let mut screen = with_measures("slice = { points = 201 }");
    click(&mut screen, "Slice now");
    let start = Instant::now();
    while !says(&screen, " left") {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for the time left");
        screen.step();
    }
    let slice = |w: &Window| w.session().current().and_then(|r| w.session().slice_of(r)).cloned();
    let progress = slice(screen.state()).expect("a picture").progress;
    assert!(!progress.is_complete() && progress.done >= 25);
    assert!(says(
        &screen,
        &format!(" of {} points", basinscope::gui::plot::number::count(progress.total as i64))
    ));
    // A change ends it: the new one is another.
    choose(&mut screen, "Slice centre", "start");
    wait_long(&mut screen, "the slice asked for last", |w| slice(w).is_some_and(|s| s.centre == "start"));
}

#[test]
fn the_read_outs_name_iteration_distance_and_how_far_the_plane_misleads() {
    let mut screen = with_slice();
    assert!(says(&screen, "slice of iteration 10, fresh"));
    let slice = screen.state().session().slice_of(current(&screen)).expect("a slice").clone();
    let short = |v: f64| basinscope::gui::plot::number::significant(v, 3);
    let off = slice.path.iter().map(|p| p.coordinates.distance).fold(0.0, f64::max);
    assert!(off > 0.0 && says(&screen, &format!("path ≤ {} off the plane", short(off))));
    let differences: Vec<f64> =
        slice.path.iter().map(|p| p.loss.expect("known") - p.loss_in_plane.expect("known")).collect();
    let (low, high) = differences.iter().fold((f64::MAX, f64::MIN), |(l, h), d| (l.min(*d), h.max(*d)));
    assert!(says(&screen, &format!("true − plane {} to {}", short(low), short(high))));
    // In the picture's own words: the levels of its contour lines, the path from its start to the present point.
    let text = picture(&screen, "Loss landscape: loss over");
    assert!(text.contains("contour lines at ") && text.contains("11 points (now, start)"), "{text}");
    // The weights move on, the slice stays and says so.
    click(&mut screen, "Step 10");
    wait_long(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 20));
    assert!(says(&screen, "slice of iteration 10, 10 updates ago"));
    let text = picture(&screen, "Loss landscape: loss over");
    assert!(text.contains("(iteration 10, start)"), "{text}");
    click(&mut screen, "Slice now");
    wait_long(&mut screen, "a fresh slice", |w| {
        let session = w.session();
        session.current().and_then(|r| session.slice_of(r)).is_some_and(|s| s.iteration == 20)
    });
    assert!(says(&screen, "slice of iteration 20, fresh"));
}

#[test]
fn bookmarks_are_named_on_the_map() {
    let mut screen = with_slice();
    screen.key_press(Key::B);
    wait_long(&mut screen, "the bookmark", |w| {
        w.session().current().is_some_and(|r| !r.bookmarks.is_empty())
    });
    let label = current(&screen).bookmarks.last().expect("one").label.clone();
    let text = picture(&screen, "Loss landscape: loss over");
    assert!(text.contains(&format!("; {label}, 0 off the plane")), "{text}");
}

#[test]
fn losses_that_are_enormous_or_not_finite_are_told_and_leave_the_colours_alone() {
    let mut screen = with_measures("slice = { points = 9, range = 1e9 }");
    click(&mut screen, "Slice now");
    wait_long(&mut screen, "the slice", is_complete);
    let slice = screen.state().session().slice_of(current(&screen)).expect("a slice").clone();
    let bad = slice.grid.loss.iter().filter(|l| !l.is_finite()).count();
    assert!(bad > 0, "the test can tell: {:?}", slice.grid.loss);
    assert!(says(&screen, &format!("{bad} not finite")));
    let text = picture(&screen, "Loss landscape: loss over");
    assert!(text.contains(&format!("{bad} not finite")), "{text}");
    // Also as a surface, with holes.
    click(&mut screen, "Slice as a surface");
    assert!(picture(&screen, "Loss surface").contains("loss as height"));
}

#[test]
fn a_drag_over_the_map_takes_the_descents_along() {
    let mut screen = with_slice();
    let map = screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss landscape"))).rect();
    let (from, to) = (map.center() - vec2(30.0, 20.0), map.center() + vec2(50.0, 35.0));
    screen.hover_at(from);
    screen.run_steps(2);
    screen.drag_at(from);
    screen.run_steps(2);
    let mut starts = Vec::new();
    for share in [0.5, 1.0] {
        screen.hover_at(from + share * (to - from));
        screen.run_steps(2);
        starts.push(bench(&screen).descending().expect("it starts with the drag").from);
    }
    screen.drop_at(to);
    screen.run_steps(3);
    assert!(starts[1][0] > starts[0][0] && starts[1][1] < starts[0][1], "it follows the pointer: {starts:?}");
    wait_long(&mut screen, "the descents", |w| !w.session().bench().is_descending());
    let descending = bench(&screen).descending().expect("descents");
    assert_eq!(descending.from, starts[1]);
    assert!(descending.all.iter().all(|trail| trail.diverged || trail.points.len() == 500));
}

/// The usual layout of 1280 by 720 with the largest text, which leaves so many points.
#[test]
fn with_the_largest_text_the_map_is_as_high_with_descents_as_without() {
    let mut screen = with_slice();
    screen.set_size(vec2(1280.0, 720.0));
    screen.run_steps(3);
    let map = |screen: &Screen<'_>| {
        screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Loss landscape: loss over"))).rect()
    };
    assert!(screen.query_by_role_and_label(Role::ComboBox, "Slice directions").is_some());
    screen.set_size(vec2(948.0, 533.0));
    screen.run_steps(3);
    let before = map(&screen);
    assert!(before.height() > 95.0, "{before:?}");
    screen.drag_at(before.center());
    screen.run_steps(2);
    screen.drop_at(before.center());
    wait_long(&mut screen, "the descents", |w| {
        w.session().bench().descending().is_some() && !w.session().bench().is_descending()
    });
    assert_eq!(map(&screen), before);
    for rule in ["bptt", "e-prop", "rflo", "mdgl"] {
        assert!(is_drawn(&screen, &format!("{rule} ")), "{rule} and its loss");
    }
    click(&mut screen, "Take the descents away");
    assert!(bench(&screen).descending().is_none());
    assert_eq!(map(&screen), before);
    // What was folded away is a click away.
    assert!(screen.query_by_label("Landscape: table of numbers").is_none());
    click(&mut screen, "Landscape: choices");
    assert!(screen.query_by_label("Landscape: table of numbers").is_some());
    choose(&mut screen, "Slice directions", "eigenvectors");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}
