//! The frame's own work: thread processor time of `logic` and `ui`, with eight runs of 100,000 points each on the
//! screen while two runs train. To reach: at most 8 ms at the 99th percentile.

#[path = "../tests/common/fake.rs"]
mod fake;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::engine::clock::ThreadClock;
use basinscope::gui::app::Window;
use basinscope::session::{self, Action, RunEntry, RunState, Session, trainers};
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;
use eframe::egui;
use egui_kittest::Harness;

/// Points of each of the eight runs.
const POINTS: u64 = 100_000;
/// Frames that are measured.
const FRAMES: usize = 600;
/// Runs with a seed from here on are real.
const REAL: u64 = 1000;

fn main() {
    let clock = ThreadClock::default();
    if !clock.is_precise() {
        println!("processor time of a thread cannot be read here");
        return;
    }
    for size in [egui::vec2(1280.0, 720.0), egui::vec2(1920.0, 1080.0)] {
        let (frames, points) = measure(ten_runs(), size);
        let at =
            |share: f64| 1e3 * frames[(share * (frames.len() - 1) as f64).round() as usize].as_secs_f64();
        println!(
            "{} by {}: median {:.2} ms, 99th percentile {:.2} ms, longest {:.2} ms of {} frames; points {points:?}",
            size.x,
            size.y,
            at(0.5),
            at(0.99),
            at(1.0),
            frames.len()
        );
    }
}

/// Eight runs that have ended, and two that train.
fn ten_runs() -> Session {
    let real = trainers();
    let script = fake::Script { lambda_max: Some(|n| 5.0 + (n as f64 / 700.0).sin()), ..Default::default() };
    let build: session::Build = Arc::new(move |config, from| {
        if config.seed >= REAL { real(config, from) } else { Ok(fake::made(config, &script, from)) }
    });
    let mut session = Session::new(Engine::new(0, Arc::new(|| ())), build, toml::Table::new());
    for seed in 1..=8 {
        // Another gain each: eight settings, not eight seeds of one.
        start(&mut session, &format!("seed = {seed}\niterations = {POINTS}\nnetwork.gain = 1.{seed}"));
    }
    let begun = Instant::now();
    while !session.runs().iter().all(|run| matches!(run.state, RunState::Ended(_))) {
        session.logic(Duration::from_millis(50));
        assert!(begun.elapsed() < Duration::from_secs(120), "the runs do not end");
        std::thread::sleep(Duration::from_millis(1));
    }
    while session.logic(Duration::from_millis(50)) {}
    for (seed, rule) in [(REAL, "bptt"), (REAL + 1, "e-prop")] {
        start(&mut session, &format!("seed = {seed}\niterations = 1000000000\nrule.kind = \"{rule}\""));
    }
    session
}

fn start(session: &mut Session, text: &str) {
    session.act(Action::Take(parse(text).expect("TOML")));
    session.act(Action::StartNew);
}

/// Processor time of frames, drawn 60 times a second, in rising order, and the points of every run at the end; a
/// first second is not counted.
fn measure(session: Session, size: egui::Vec2) -> (Vec<Duration>, Vec<usize>) {
    let spent = Rc::new(RefCell::new(Vec::new()));
    let (own, clock) = (Rc::clone(&spent), ThreadClock::default());
    let mut screen = Harness::builder().with_size(size).build_ui_state(
        move |ui, window: &mut Window| {
            let start = clock.exact();
            window.logic(ui.ctx());
            window.ui(ui);
            own.borrow_mut().push(clock.exact() - start);
        },
        Window::new(session),
    );
    for frame in 0..FRAMES + 60 {
        if frame == 60 {
            spent.borrow_mut().clear();
        }
        screen.step();
        std::thread::sleep(Duration::from_millis(16));
    }
    let mut frames = spent.borrow().clone();
    frames.sort();
    let length = |run: &RunEntry| run.curves.get(Series::TrainLoss).map_or(0, |c| c.len());
    (frames, screen.state().session().runs().iter().map(length).collect())
}
