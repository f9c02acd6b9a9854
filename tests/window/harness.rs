//! A window without a display, on the real session and its workers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::gui::app::Window;
use basinscope::session::{Action, RunEntry, RunState, Session, trainers};
use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;

pub type Screen<'a> = Harness<'a, Window>;

/// A window of 1280 by 720 on a session that has done these actions.
pub fn window<'a>(actions: Vec<Action>) -> Screen<'a> {
    sized(egui::vec2(1280.0, 720.0), actions)
}

/// A window of any size.
pub fn sized<'a>(size: egui::Vec2, actions: Vec<Action>) -> Screen<'a> {
    let engine = Engine::new(1, Arc::new(|| ()));
    let mut session = Session::new(engine, trainers(), toml::Table::new());
    for action in actions {
        session.act(action);
    }
    let mut screen = Harness::builder().with_size(size).build_ui_state(
        |ui, window: &mut Window| {
            window.logic(ui.ctx());
            window.ui(ui);
        },
        Window::new(session),
    );
    // Two frames to lay out, one for what they asked for.
    screen.run_steps(4);
    screen
}

/// One small run on `romo`, paused at iteration 0.
pub fn paused_run() -> Vec<Action> {
    let table =
        toml::from_str("iterations = 100000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n");
    vec![Action::Take(table.unwrap()), Action::StartNew, Action::RunOrPause]
}

/// How long to wait for what the workers do: a machine may be busy, so only what hangs takes as long.
pub const LONG: Duration = Duration::from_secs(60);

/// Draws frames until `done`.
pub fn wait(screen: &mut Screen<'_>, what: &str, done: impl Fn(&Window) -> bool) {
    let start = Instant::now();
    while !done(screen.state()) {
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
        screen.step();
    }
    screen.run_steps(2);
}

/// The selected run.
pub fn current<'a>(screen: &'a Screen<'_>) -> &'a RunEntry {
    screen.state().session().current().expect("a run is selected")
}

/// Clicks what has this accessible name.
pub fn click(screen: &mut Screen<'_>, name: &str) {
    screen.get_by_label(name).click();
    screen.run_steps(3);
}

/// Clicks an entry of a menu.
pub fn menu(screen: &mut Screen<'_>, menu: &str, entry: &str) {
    click(screen, menu);
    // An entry's name ends in its key.
    screen.get_by(|node| node.label().is_some_and(|label| label.starts_with(entry))).click();
    screen.run_steps(3);
}

/// A window on a run that is paused at iteration 0.
pub fn with_paused_run<'a>() -> Screen<'a> {
    let mut screen = window(paused_run());
    let is_paused = |w: &Window| w.session().current().is_some_and(|r| r.state == RunState::Paused);
    wait(&mut screen, "the run to be paused", is_paused);
    // A run begins by itself: on a busy machine it may have made updates before the pause reached it.
    if current(&screen).iteration != 0 {
        click(&mut screen, "Reset");
        wait(&mut screen, "iteration 0", |w| {
            is_paused(w) && w.session().current().is_some_and(|r| r.iteration == 0)
        });
    }
    screen
}

/// Whether something drawn says this.
pub fn is_drawn(screen: &Screen<'_>, text: &str) -> bool {
    screen.query_all_by_label_contains(text).next().is_some()
}

/// Draws frames until something says this.
pub fn until_drawn(screen: &mut Screen<'_>, text: &str) {
    let begun = Instant::now();
    while !is_drawn(screen, text) {
        assert!(begun.elapsed() < LONG, "nothing says {text}");
        std::thread::sleep(Duration::from_millis(5));
        screen.step();
    }
}
