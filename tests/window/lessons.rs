//! Lessons in the window: every step shows its panels and has the controls that it names.

use std::time::{Duration, Instant};

use basinscope::gui::layout::Panel;
use basinscope::gui::plots;
use basinscope::session::lessons::lessons;
use basinscope::session::{Action, Playing, RunEntry, RunState};
use basinscope::training::run::StopReason;
use eframe::egui::{Key, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, is_drawn, menu, sized, window};

/// Waits for the states of a step; some take seconds to compute on an idle machine.
fn reach(screen: &mut Screen<'_>, what: &str) {
    let start = Instant::now();
    while !screen.state().session().playing().is_some_and(Playing::is_reached) {
        assert!(start.elapsed() < Duration::from_secs(600), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
        screen.step();
    }
    screen.run_steps(3);
}

#[test]
fn every_step_shows_its_panels_and_controls() {
    let mut grown = 0;
    for (i, lesson) in lessons().iter().enumerate() {
        // High enough that nothing is scrolled out of sight.
        let mut screen = sized(vec2(1920.0, 2400.0), vec![Action::BeginLesson(i)]);
        for (number, step) in lesson.steps.iter().enumerate() {
            let at = format!("{}, step {}", lesson.name, number + 1);
            if number > 0 {
                click(&mut screen, "Next step");
            }
            reach(&mut screen, &at);
            for name in &step.panels {
                let panel = Panel::from_name(name).unwrap_or_else(|| panic!("{at}: no panel {name}"));
                assert!(screen.state().layout().is_shown(panel), "{at}: {name} is not shown");
            }
            for id in &step.plots {
                let plot = plots::named(id).unwrap_or_else(|| panic!("{at}: no plot {id}"));
                assert!(
                    step.panels.iter().any(|name| Panel::from_name(name) == Some(plot.panel)),
                    "{at}: {id}"
                );
                let title = format!("Plot of {}", plot.title.to_lowercase());
                assert!(
                    screen.query_all_by_label_contains(&title).next().is_some(),
                    "{at}: {id} is not shown"
                );
            }
            for control in &step.controls {
                assert!(screen.query_all_by_label(control).next().is_some(), "{at}: no control {control}");
            }
            assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{at}");
            // What grew without bound does not take the axis; what diverged before its first update has no curve.
            let grew = |run: &RunEntry| {
                run.iteration > 0 && matches!(run.state, RunState::Ended(StopReason::Diverged { .. }))
            };
            if step.checks.iter().any(|check| check.diverged)
                && screen.state().session().runs().iter().any(grew)
            {
                grown += 1;
                assert!(is_drawn(&screen, "above the axis"), "{at}");
            }
        }
        assert!(screen.get_by_label("Next step").accesskit_node().is_disabled());
    }
    assert!(grown > 0, "no lesson shows what grows without bound");
}

#[test]
fn a_lesson_begins_in_the_menu_and_leaves_the_window_as_it_was() {
    let mut screen = window(vec![Action::Demonstrate]);
    let runs = screen.state().session().runs().len();
    menu(&mut screen, "Lessons", "Sharp and flat minima");
    assert!(!screen.state().layout().is_shown(Panel::Landscape));
    assert!(screen.query_by_label("Show what to expect").is_some());
    reach(&mut screen, "the first step");
    click(&mut screen, "Show what to expect");
    assert!(screen.query_by_label_contains("the cosine are above 0.9").is_some());
    assert!(screen.query_all_by_label_contains("Seen: rho of Three-factor").next().is_some());
    click(&mut screen, "Leave the lesson");
    assert!(screen.state().layout().is_shown(Panel::Landscape));
    let visible = screen.state().session().runs().iter().filter(|run| !run.hidden).count();
    assert_eq!(visible, runs);
    menu(&mut screen, "Lessons", "Which lesson to take");
    assert!(is_drawn(&screen, "With ten minutes"));
    screen.key_press(Key::Escape);
    screen.run_steps(3);
    assert!(!is_drawn(&screen, "With ten minutes"));
}

/// Presenter mode entered before a lesson and left within it, and the other way round.
#[test]
fn presenter_mode_within_a_lesson_keeps_its_panels_and_the_layout_that_follows() {
    for before in [true, false] {
        let mut screen = window(vec![Action::Demonstrate]);
        let is_shown = |screen: &Screen<'_>, panel| screen.state().layout().is_shown(panel);
        let present = |screen: &mut Screen<'_>| {
            screen.key_press(Key::F5);
            screen.run_steps(3);
        };
        if before {
            present(&mut screen);
            assert!(!is_shown(&screen, Panel::Experiment));
        }
        menu(&mut screen, "Lessons", "Sharp and flat minima");
        present(&mut screen);
        assert!(is_shown(&screen, Panel::Alignment) && !is_shown(&screen, Panel::Landscape));
        assert!(!is_shown(&screen, Panel::Experiment), "the panels of the step");
        if !before {
            present(&mut screen);
        }
        click(&mut screen, "Leave the lesson");
        assert!(is_shown(&screen, Panel::Experiment) && is_shown(&screen, Panel::Landscape));
    }
}
