//! What the window costs the training: the worker's own processor time per update, with a screen that takes
//! everything 60 times a second and measures beside it, against a bare loop. To reach: at most 1.05.

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::engine::clock::ThreadClock;
use basinscope::engine::messages::{Command, Event};
use basinscope::engine::run_worker::{Made, Make};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::Config;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::measures::measurer;
use basinscope::training::trainer;

/// Smallest of so many, since whatever else runs only adds.
const ROUNDS: usize = 7;

fn main() {
    let clock = ThreadClock::default();
    if !clock.is_precise() {
        println!("processor time of a thread cannot be read here");
        return;
    }
    for (name, text) in [
        ("romo, e-prop", "iterations = 3000\nseed = 1"),
        ("romo, BPTT", "iterations = 1500\nrule.kind = \"bptt\""),
        (
            "pattern, BPTT (the smallest updates there are)",
            "iterations = 4000\ntask.kind = \"pattern\"\nrule.kind = \"bptt\"",
        ),
    ] {
        let config = config(text);
        let (mut bare, mut unmeasured, mut measured) = (f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            bare = bare.min(headless(&config, &clock));
            unmeasured = unmeasured.min(worker(&config, false));
            measured = measured.min(worker(&config, true));
        }
        println!("{name}");
        println!("  bare loop                     {:8.2} us an update", 1e6 * bare);
        println!(
            "  worker, screen                {:8.2} us, ratio {:.3}",
            1e6 * unmeasured,
            unmeasured / bare
        );
        println!("  worker, screen, all measures  {:8.2} us, ratio {:.3}", 1e6 * measured, measured / bare);
    }
}

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("sound settings").config
}

/// Processor seconds of an update in a bare loop.
fn headless(config: &Config, clock: &ThreadClock) -> f64 {
    let mut run = trainer::start(config, &TaskData::None).expect("a run");
    let (start, mut n) = (clock.now(), 0);
    while run.step(&Serial).stop.is_none() {
        n += 1;
    }
    (clock.now() - start).as_secs_f64() / f64::from(n)
}

/// The same of a worker whose events are all taken, 60 times a second.
fn worker(config: &Config, measures: bool) -> f64 {
    let engine = Engine::new(1, Arc::new(|| {}));
    let own = config.clone();
    let make: Make = Box::new(move || {
        let run = trainer::start(&own, &TaskData::None).map_err(|e| e.to_string())?;
        let measurer = measurer(&own, &TaskData::None).map_err(|e| e.to_string())?;
        Ok(Made::fresh(run, measures.then_some(measurer)))
    });
    let mut handle = engine.start("bench", make);
    handle.send(Command::Activity(Some(0)));
    handle.send(Command::Run);
    let mut spent = 0.0;
    let start = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(16));
        while let Ok(event) = handle.try_event() {
            match event {
                Event::Progress(p) if p.updates > 0 => spent = p.processor_seconds / p.updates as f64,
                Event::Ended { .. } => return spent,
                _ => {}
            }
        }
        assert!(start.elapsed() < Duration::from_secs(300), "the run does not end");
    }
}
