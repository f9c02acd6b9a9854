//! What the window finds again at the next start, and the glossary.

use std::sync::Arc;
use std::time::Duration;

use basinscope::engine::Engine;
use basinscope::gui::app::Window;
use basinscope::gui::layout::Panel;
use basinscope::gui::theme::ThemeChoice;
use basinscope::session::keep::{Place, last_layout};
use basinscope::session::{Session, trainers};
use eframe::egui::{Key, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

use crate::harness::{Screen, menu, paused_run, wait, with_paused_run};

/// A window whose session is kept in a folder.
fn kept<'a>(folder: &std::path::Path) -> Screen<'a> {
    let mut session = Session::new(Engine::new(1, Arc::new(|| ())), trainers(), toml::Table::new());
    session.begin(Some(Place { folder: folder.into(), every: Duration::from_secs(3600) }), false);
    drawn(Window::new(session))
}

fn drawn<'a>(window: Window) -> Screen<'a> {
    let draw = |ui: &mut eframe::egui::Ui, window: &mut Window| {
        window.logic(ui.ctx());
        window.ui(ui);
    };
    Harness::builder().with_size(vec2(1280.0, 720.0)).build_ui_state(draw, window)
}

#[test]
fn look_and_panels_are_as_they_were_at_the_last_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = kept(folder.path());
    for action in paused_run() {
        first.state_mut().ask(action);
    }
    first.run_steps(4);
    menu(&mut first, "View", "Light colours");
    menu(&mut first, "View", "Weights panel");
    assert!(!first.state().layout().is_shown(Panel::Weights));
    // It is looked at once a second, in the time of the screen.
    first.run_steps(80);
    first.state_mut().end();
    let place = Place { folder: folder.path().into(), every: Duration::from_secs(3600) };
    assert_eq!(last_layout(&place), None, "a second window beside the first begins as usual");
    drop(first);
    // Before the session is back.
    let layout = last_layout(&place).expect("a layout");
    let session = Session::new(Engine::new(1, Arc::new(|| ())), trainers(), toml::Table::new());
    let mut early = drawn(Window::as_it_was(session, Some(&layout)));
    early.run_steps(1);
    assert!(
        early.state().look().theme == ThemeChoice::Light && !early.state().layout().is_shown(Panel::Weights)
    );
    let mut second = kept(folder.path());
    wait(&mut second, "the session", |w| w.look().theme == ThemeChoice::Light);
    assert!(!second.state().layout().is_shown(Panel::Weights));
    assert!(second.state().layout().is_shown(Panel::Loss));
    assert_eq!(second.state().session().runs().len(), 1);
}

#[test]
fn a_damaged_session_opens_a_window_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder: folder.path().into(), every: Duration::from_secs(3600) };
    assert_eq!(last_layout(&place), None, "there is none");
    std::fs::write(folder.path().join("lock"), "").unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("session.toml"), text).unwrap();
    write("format = 1\nnext_number = 3\nlayout = 'kept'\n[settings]\n[[runs]]\nfile = \"cut off");
    assert_eq!(last_layout(&place).as_deref(), Some("kept"));
    for text in ["", "format = 1\nlayout = 'cut", "format = 2\nlayout = ''\n", "\u{fffd}[[["] {
        write(text);
        assert_eq!(last_layout(&place), None, "{text}");
    }
    // What cannot be read is not taken, and the window opens.
    let session = Session::new(Engine::new(1, Arc::new(|| ())), trainers(), toml::Table::new());
    let mut screen = drawn(Window::as_it_was(session, Some("{\"look\": 3}")));
    screen.run_steps(2);
    assert!(screen.state().layout().is_shown(Panel::Weights));
}

#[test]
fn the_glossary_finds_terms_and_series() {
    let mut screen = with_paused_run();
    screen.key_press(Key::G);
    screen.run_steps(3);
    screen.get_by_label("Search").focus();
    screen.run_steps(2);
    screen.get_by_role_and_label(eframe::egui::Role::TextInput, "Search").type_text("lambda_max");
    screen.run_steps(3);
    assert!(screen.query_by_label("lambda_max, sharpness").is_some());
    assert!(screen.query_all_by_label("lambda_max_residual").next().is_some(), "the series");
    assert!(screen.query_by_label("RFLO").is_none());
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}
