//! The table of runs: rows in sight, buttons in reach, names typed anew.

use basinscope::session::{Action, Playing, RunId};
use eframe::egui::{
    Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Rect, Role, TouchPhase, pos2,
    vec2,
};
use egui_kittest::kittest::Queryable;

use crate::harness::{Screen, click, current, sized, wait, with_paused_run};

/// The window's size in points on a projector of 1280 by 720 with the text of presenter mode.
const PROJECTOR: eframe::egui::Vec2 = vec2(948.0, 533.0);

fn names(screen: &Screen<'_>) -> Vec<String> {
    let session = screen.state().session();
    let waits = |id| session.playing().is_some_and(|playing| playing.waits(id));
    session.runs().iter().filter(|run| !waits(run.id)).map(|run| run.name.clone()).collect()
}

/// Where the row of a run is drawn.
fn row(screen: &Screen<'_>, name: &str) -> Option<Rect> {
    screen.query_by_label(&format!("Select {name}")).map(|node| node.rect())
}

/// Whether all of the row of a run is below the table's header and within the window.
fn is_in_sight(screen: &Screen<'_>, name: &str) -> bool {
    let header = screen.get_by_label("What differs").rect().bottom();
    let bottom = screen.ctx.content_rect().bottom();
    row(screen, name).is_some_and(|rect| rect.top() >= header - 2.0 && rect.bottom() <= bottom)
}

#[test]
fn a_class_of_four_runs_is_seen_at_once_beside_a_lesson_on_a_projector() {
    let lessons = basinscope::session::lessons::lessons();
    let sharp = lessons.iter().position(|l| l.title == "Sharp and flat minima").expect("the lesson");
    let mut screen = sized(PROJECTOR, vec![Action::BeginLesson(sharp)]);
    screen.key_press(Key::F5);
    screen.run_steps(3);
    wait(&mut screen, "the runs of the lesson", |w| w.session().playing().is_some_and(Playing::is_reached));
    let first = names(&screen)[0].clone();
    click(&mut screen, &format!("Menu of {first}"));
    click(&mut screen, &format!("Branch {first}"));
    screen.run_steps(6);
    assert_eq!(names(&screen).len(), 4);
    for name in names(&screen) {
        assert!(is_in_sight(&screen, &name), "{name} at {:?}", row(&screen, &name));
        let menu = screen.get_by_label(&format!("Menu of {name}")).rect();
        assert!(menu.right() <= PROJECTOR.x, "{name}: {menu:?}");
    }
    for (n, text) in ["Pin", "Hide"].into_iter().enumerate() {
        click(&mut screen, &format!("Menu of {first}"));
        click(&mut screen, &format!("{text} {first}"));
        let run = screen.state().session().runs().iter().find(|run| run.name == first).unwrap();
        assert!(run.pinned && run.hidden == (n == 1), "{text}");
    }
    assert!(screen.query_by_label_contains(", pinned").is_some());
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_run_that_is_opened_or_selected_comes_into_sight_once() {
    let mut screen = with_paused_run();
    let first: RunId = current(&screen).id;
    for _ in 0..11 {
        let action = Action::Branch { from: first, set: Vec::new() };
        screen.state_mut().ask(action);
        screen.run_steps(2);
    }
    // The table glides to a row.
    screen.run_steps(8);
    let names = names(&screen);
    assert_eq!(current(&screen).name, names[11]);
    assert!(is_in_sight(&screen, &names[11]), "the newest at {:?}", row(&screen, &names[11]));
    assert!(!is_in_sight(&screen, &names[0]), "there is more than there is room for");
    screen.state_mut().ask(Action::Select(first));
    screen.run_steps(8);
    assert!(is_in_sight(&screen, &names[0]), "the selected at {:?}", row(&screen, &names[0]));
    // What the user scrolls to stays.
    let table = row(&screen, &names[0]).unwrap().center();
    screen.hover_at(pos2(300.0, table.y));
    screen.step();
    let (unit, phase) = (MouseWheelUnit::Point, TouchPhase::Move);
    let (source, modifiers) = (MouseWheelSource::Unknown, Modifiers::NONE);
    screen.event(Event::MouseWheel { unit, delta: vec2(0.0, -2000.0), phase, source, modifiers });
    screen.run_steps(12);
    assert!(!is_in_sight(&screen, &names[0]), "scrolled back to the selected run");
    assert!(is_in_sight(&screen, &names[11]));
}

#[test]
fn a_new_name_replaces_the_old_one_and_escape_leaves_it() {
    let mut screen = with_paused_run();
    let old = current(&screen).name.clone();
    for (last, expected) in [(Key::Escape, old.as_str()), (Key::Enter, "sharp")] {
        // Lines above plots have it, too.
        let header = screen.get_by_label("What differs").rect();
        let labels: Vec<_> = screen.get_all_by_role_and_label(Role::Label, &old).collect();
        let label = labels.into_iter().find(|label| label.rect().top() > header.top()).expect("a row");
        let at = label.rect().center();
        // Within one frame: a double click.
        screen.hover_at(at);
        screen.step();
        for pressed in [true, false, true, false] {
            let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
            screen.input_mut().events.push(Event::PointerButton { pos: at, button, pressed, modifiers });
        }
        screen.run_steps(4);
        screen.event(Event::Text("sharp".into()));
        screen.run_steps(2);
        screen.key_press(last);
        screen.run_steps(3);
        assert_eq!(current(&screen).name, expected, "{last:?}");
    }
}

#[test]
fn a_bookmark_is_of_the_run_whose_button_was_pressed() {
    let mut screen = with_paused_run();
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Branch {first}"));
    assert_ne!(current(&screen).name, first);
    click(&mut screen, &format!("Bookmark {first}"));
    wait(&mut screen, "the bookmark", |w| w.session().runs().iter().any(|run| !run.bookmarks.is_empty()));
    assert_eq!(screen.state().session().runs()[0].bookmarks.len(), 1);
    assert!(screen.state().session().runs()[1].bookmarks.is_empty());
}

#[test]
fn every_button_of_a_row_is_within_a_window_of_any_width() {
    // 1280 points with the largest text, with text two steps larger, with the usual one.
    for (width, height) in [(948.0, 533.0), (1058.0, 595.0), (1280.0, 720.0)] {
        let screen = sized(vec2(width, height), vec![Action::Demonstrate]);
        for name in names(&screen) {
            let last = screen.get_by_label(&format!("More seeds of {name}")).rect();
            let first = screen.get_by_label(&format!("Pin {name}")).rect();
            assert!(
                last.right() <= width && first.left() > 0.0 && first.right() < last.left(),
                "{width}: {last:?}"
            );
        }
    }
}
