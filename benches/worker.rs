//! What the window costs the training: the worker's own processor time per update, with a screen that takes
//! everything 60 times a second and measures beside it, against a bare loop. To reach: at most 1.05.
//!
//! Measures run on another core, but share with the training what the cores share (caches, memory, and on some
//! machines the core itself). What that alone costs is timed too: a bare loop beside a neighbour that takes the same
//! measures, on the weights of the same run made before, and says nothing to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::engine::clock::ThreadClock;
use basinscope::engine::messages::{Command, Event};
use basinscope::engine::run_worker::{Made, Make};
use basinscope::numerics::landscape::trajectory::Trajectory;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Cadence, Config};
use basinscope::training::measures::{Measure, Subject, measurer};
use basinscope::training::run::Checkpoint;
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
        let mut beside = f64::MAX;
        let states = states(&config);
        for _ in 0..ROUNDS {
            bare = bare.min(headless(&config, &clock, &AtomicU64::new(0)));
            beside = beside.min(headless_beside_measures(&config, &states, &clock));
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
        println!(
            "  bare loop beside measures     {:8.2} us, ratio {:.3}; the worker to it {:.3}",
            1e6 * beside,
            beside / bare,
            measured / beside
        );
    }
}

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("sound settings").config
}

/// Processor seconds of an update in a bare loop, which counts its updates in `done`. On a thread of its own, as a
/// worker is: what a thread allocates may lie elsewhere than what the first one does.
fn headless(config: &Config, clock: &ThreadClock, done: &AtomicU64) -> f64 {
    let looped = || {
        let mut run = trainer::start(config, &TaskData::None).expect("a run");
        let start = clock.exact();
        while run.step(&Serial).stop.is_none() {
            done.fetch_add(1, Ordering::Relaxed);
        }
        (clock.exact() - start).as_secs_f64() / done.load(Ordering::Relaxed) as f64
    };
    std::thread::scope(|scope| scope.spawn(looped).join()).expect("a loop")
}

/// Updates between two states of a run that the neighbour measures.
const APART: u64 = 10;

/// States of a run, from the start.
fn states(config: &Config) -> Vec<Checkpoint> {
    let mut run = trainer::start(config, &TaskData::None).expect("a run");
    let mut states = vec![run.checkpoint()];
    while run.step(&Serial).stop.is_none() {
        if run.iteration().unsigned_abs().is_multiple_of(APART) {
            states.push(run.checkpoint());
        }
    }
    states
}

/// The same while another thread takes the run's measures when they are due, for at most half of the time, as the
/// window does.
fn headless_beside_measures(config: &Config, states: &[Checkpoint], clock: &ThreadClock) -> f64 {
    let (done, over) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut measurer = measurer(config, &TaskData::None).expect("a measurer");
            let trajectory = Trajectory::default();
            let (begun, mut spent, mut last) = (Instant::now(), Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) {
                let now = done.load(Ordering::Relaxed);
                let due = |m: &Measure| match m.cadence(config) {
                    Cadence::Every(n) if n > 0 => now / n > last / n,
                    _ => false,
                };
                let what: Vec<Measure> = Measure::ALL.into_iter().filter(due).collect();
                if what.is_empty() || spent > begun.elapsed() {
                    std::thread::sleep(Duration::from_micros(200));
                    continue;
                }
                last = now;
                let state = &states[((now / APART) as usize).min(states.len() - 1)];
                let start = Instant::now();
                for measure in what {
                    let subject = Subject {
                        iteration: now as i64,
                        weights: &state.weights,
                        learning_rate: config.optimizer.learning_rate,
                        at_an_end: false,
                        trajectory: &trajectory,
                    };
                    let keep_on = || !over.load(Ordering::Relaxed);
                    std::hint::black_box(measurer.measure(measure, subject, &Serial, &keep_on));
                }
                spent += start.elapsed();
            }
        });
        let spent = headless(config, clock, &done);
        over.store(true, Ordering::Relaxed);
        spent
    })
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
