//! The run worker: training never waits for the screen, a paused worker sleeps, what ends ends, and no
//! number depends on who is looking.

#[path = "common/fake.rs"]
mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::engine::background::Answer;
use basinscope::engine::clock::ThreadClock;
use basinscope::engine::errand::question;
use basinscope::engine::handle::{RunHandle, Silence};
use basinscope::engine::messages::{Command, Event, Making, Noted, Progress};
use basinscope::engine::run_worker::{Made, Make};
use basinscope::numerics::landscape::slice;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Config, SliceDirections};
use basinscope::training::history::{Row, Series};
use basinscope::training::measures::{Detail, Measure, SliceRequest, measurer};
use basinscope::training::run::{Change, StopReason};
use basinscope::training::trainer;
use fake::Script;

/// More than any wait here should take, on a busy machine too.
const LONG: Duration = Duration::from_secs(60);

fn engine() -> Engine {
    Engine::new(2, Arc::new(|| {}))
}

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("sound settings").config
}

fn fake(script: &Script, text: &str) -> Make {
    let (script, config) = (script.clone(), config(text));
    Box::new(move || Ok(fake::made(&config, &script, None)))
}

/// Waits for an event that `pick` takes; all others are dropped.
fn wait_for<T>(handle: &mut RunHandle, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < LONG {
        handle.flush();
        if let Some(picked) = handle.wait_event(Duration::from_millis(100)).and_then(&mut pick) {
            return picked;
        }
    }
    panic!("no such event");
}

fn progress(event: Event) -> Option<Progress> {
    match event {
        Event::Progress(progress) => Some(progress),
        _ => None,
    }
}

/// Everything up to the end of the run.
fn until_end(handle: &mut RunHandle) -> (Vec<Row>, StopReason) {
    let mut rows = Vec::new();
    let reason = wait_for(handle, |event| match event {
        Event::Progress(progress) => {
            rows.extend(progress.rows);
            None
        }
        Event::Ended { reason, .. } => Some(reason),
        _ => None,
    });
    (rows, reason)
}

#[test]
fn a_run_goes_to_its_end_and_every_row_arrives_in_order() {
    let mut handle = engine().start("test", fake(&Script::default(), "iterations = 20000"));
    handle.send(Command::Run);
    let (rows, reason) = until_end(&mut handle);
    assert_eq!(reason, StopReason::Done);
    let losses: Vec<_> = rows.iter().filter(|r| r.series == Series::TrainLoss).collect();
    assert_eq!(losses.len(), 20000);
    assert!(losses.iter().enumerate().all(|(i, r)| r.iteration == i as i64 && r.value == i as f64));
    handle.close();
}

#[test]
fn a_run_starts_paused_and_steps_as_often_as_told() {
    let script = Script::default();
    let mut handle = engine().start("test", fake(&script, "iterations = 1000000000"));
    wait_for(&mut handle, |e| matches!(e, Event::Ready(_)).then_some(()));
    assert_eq!(script.updates.load(Ordering::Relaxed), 0);
    handle.send(Command::Step(3));
    handle.send(Command::Step(4));
    let seen = wait_for(&mut handle, |e| progress(e).filter(|p| p.iteration == 7));
    assert!(!seen.running);
    handle.send(Command::Run);
    wait_for(&mut handle, |e| progress(e).filter(|p| p.running));
    handle.send(Command::Pause);
    wait_for(&mut handle, |e| progress(e).filter(|p| !p.running));
    let stands = script.updates.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(script.updates.load(Ordering::Relaxed), stands);
}

#[test]
fn training_does_not_wait_for_a_screen_that_takes_nothing_and_loses_no_row() {
    let script = Script::default();
    let mut handle = engine().start("test", fake(&script, "iterations = 300000"));
    handle.send(Command::Run);
    let start = Instant::now();
    while script.updates.load(Ordering::Relaxed) < 300_000 {
        assert!(start.elapsed() < LONG, "the worker waits");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (rows, _) = until_end(&mut handle);
    assert_eq!(rows.iter().filter(|r| r.series == Series::TrainLoss).count(), 300_000);
}

#[test]
fn progress_comes_at_most_sixty_times_a_second() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let engine = Engine::new(1, Arc::new(move || _ = counter.fetch_add(1, Ordering::Relaxed)));
    let mut handle = engine.start("test", fake(&Script::default(), "iterations = 1000000000"));
    handle.send(Command::Run);
    wait_for(&mut handle, progress);
    let (start, before) = (Instant::now(), calls.load(Ordering::Relaxed));
    let mut arrived = 0;
    // Longer where the machine gave the worker no time in that half second.
    while start.elapsed() < Duration::from_millis(500) || (arrived == 0 && start.elapsed() < LONG) {
        arrived += usize::from(matches!(handle.try_event(), Ok(Event::Progress(_))));
    }
    // Counted before the clock is read: a pause of this thread in between only allows more.
    let repaints = calls.load(Ordering::Relaxed) - before;
    let most = (start.elapsed().as_secs_f64() * 60.0).ceil() as usize + 1;
    assert!(arrived <= most, "{arrived} times, at most {most}");
    assert!(repaints <= most + 1, "{repaints} repaints, at most {most}");
    assert!(arrived > 0 && repaints > 0);
}

/// Processor time of all threads of this process whose name begins so.
fn processor_time(prefix: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let folder = task.ok()?.path();
        // A thread may end while we look.
        let Ok(name) = std::fs::read_to_string(folder.join("comm")) else { continue };
        if name.starts_with(prefix) {
            let text = std::fs::read_to_string(folder.join("schedstat")).ok()?;
            total += Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?);
        }
    }
    Some(total)
}

#[test]
fn a_paused_worker_uses_no_processor() {
    if !ThreadClock::default().is_precise() {
        return;
    }
    let mut handle = engine().start("quiet", fake(&Script::default(), "iterations = 1000000000"));
    handle.send(Command::Run);
    wait_for(&mut handle, |e| progress(e).filter(|p| p.running));
    handle.send(Command::Pause);
    wait_for(&mut handle, |e| progress(e).filter(|p| !p.running));
    let before = processor_time("run quiet").expect("its time can be read");
    assert!(before > Duration::ZERO, "it did run");
    std::thread::sleep(Duration::from_millis(300));
    let used = processor_time("run quiet").expect("its time can be read") - before;
    // A handful of wake-ups at most.
    assert!(used < Duration::from_millis(3), "{used:?} of 300 ms");
}

#[test]
fn a_speed_limit_is_kept_without_turning_in_circles() {
    let script = Script::default();
    let mut handle = engine().start("slow", fake(&script, "iterations = 1000000000"));
    handle.send(Command::Speed(Some(50.0)));
    handle.send(Command::Run);
    wait_for(&mut handle, |e| progress(e).filter(|p| p.running && p.iteration > 0));
    let (start, first) = (Instant::now(), script.updates.load(Ordering::Relaxed));
    let before = processor_time("run slow");
    std::thread::sleep(Duration::from_millis(500));
    until("an update", || script.updates.load(Ordering::Relaxed) > first);
    let made = script.updates.load(Ordering::Relaxed) - first;
    let most = start.elapsed().as_secs_f64() * 50.0 + 2.0;
    assert!(made as f64 <= most, "{made} updates, at most {most}");
    if let (Some(before), Some(after)) = (before, processor_time("run slow")) {
        let (used, passed) = (after - before, start.elapsed());
        assert!(used < passed / 20, "{used:?} of {passed:?}");
    }
}

#[test]
fn a_panic_ends_its_run_alone_with_its_message() {
    let engine = engine();
    let mut well = engine.start("well", fake(&Script::default(), "iterations = 500"));
    let script = Script { panic_at: Some(100), ..Script::default() };
    let mut ill = engine.start("ill", fake(&script, "iterations = 500"));
    ill.send(Command::Run);
    let mut rows = 0;
    let message = wait_for(&mut ill, |event| match event {
        Event::Progress(progress) => {
            rows += progress.rows.iter().filter(|r| r.series == Series::TrainLoss).count();
            None
        }
        Event::Failed(message) => Some(message),
        _ => None,
    });
    assert!(message.contains("the script says so"), "{message}");
    assert_eq!(rows, 100, "what it had found is not lost");
    let start = Instant::now();
    while !matches!(ill.try_event(), Err(Silence::Gone)) {
        assert!(start.elapsed() < LONG, "its thread ends");
        std::thread::sleep(Duration::from_millis(1));
    }
    well.send(Command::Run);
    assert_eq!(until_end(&mut well).1, StopReason::Done);
}

#[test]
fn a_run_that_cannot_be_built_says_why() {
    let mut handle = engine().start("test", Box::new(|| Err("no digits".into())));
    let message = wait_for(&mut handle, |event| match event {
        Event::Failed(message) => Some(message),
        _ => None,
    });
    assert_eq!(message, "no digits");
    let mut handle = engine().start("test", Box::new(|| panic!("while building")));
    let message = wait_for(&mut handle, |event| match event {
        Event::Failed(message) => Some(message),
        _ => None,
    });
    assert!(message.contains("while building"));
}

#[test]
fn dropping_the_screens_end_ends_the_thread_running_paused_or_unread() {
    for running in [true, false] {
        let script = Script::default();
        let alive = Arc::downgrade(&script.updates);
        let mut handle = engine().start("test", fake(&script, "iterations = 1000000000"));
        drop(script);
        if running {
            handle.send(Command::Run);
            // Until its channel is full, and it has something it cannot send.
            std::thread::sleep(Duration::from_millis(100));
        }
        drop(handle);
        let start = Instant::now();
        while alive.upgrade().is_some() {
            assert!(start.elapsed() < LONG, "the thread holds its run");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_change_acts_between_two_updates_and_is_told() {
    let mut handle = engine().start("test", fake(&Script::default(), "iterations = 100"));
    handle.send(Command::Step(10));
    let mut optimizer = config("").optimizer;
    optimizer.learning_rate = 0.25;
    handle.send(Command::Change(Change::Optimizer(optimizer)));
    handle.send(Command::Run);
    let (mut rows, mut changed) = (Vec::new(), None);
    wait_for(&mut handle, |event| match event {
        Event::Progress(progress) => {
            rows.extend(progress.rows);
            None
        }
        Event::Changed { iteration, .. } => {
            changed = Some(iteration);
            None
        }
        Event::Ended { .. } => Some(()),
        _ => None,
    });
    let at = changed.expect("it is told");
    let rates = rows.iter().filter(|r| r.series == Series::LearningRate);
    assert!(rates.map(|r| (r.iteration, r.value == 0.25)).all(|(i, new)| new == (i >= at)), "from {at} on");
}

#[test]
fn an_ended_run_answers_and_goes_on_when_given_more_to_do() {
    let mut handle = engine().start("test", fake(&Script::default(), "iterations = 10"));
    handle.send(Command::Run);
    assert_eq!(until_end(&mut handle).1, StopReason::Done);
    handle.send(Command::Checkpoint { ticket: 7, with_way: false });
    let (ticket, checkpoint) = wait_for(&mut handle, |event| match event {
        Event::Checkpoint { ticket, checkpoint, .. } => Some((ticket, checkpoint)),
        _ => None,
    });
    assert_eq!((ticket, checkpoint.iteration), (7, 10));
    handle.send(Command::Change(Change::Iterations(15)));
    handle.send(Command::Run);
    let (rows, reason) = until_end(&mut handle);
    assert_eq!(reason, StopReason::Done);
    assert_eq!(rows.iter().filter(|r| r.series == Series::TrainLoss).map(|r| r.iteration).max(), Some(14));
    handle.send(Command::Stop);
    assert_eq!(until_end(&mut handle).1, StopReason::Stopped);
}

#[test]
fn activity_is_shown_for_the_trial_asked_for() {
    let mut handle = engine().start("test", fake(&Script::default(), ""));
    handle.send(Command::Activity(Some(5)));
    let (iteration, trial) = wait_for(&mut handle, |event| match event {
        Event::Activity { iteration, trial, activity, .. } => {
            assert_eq!(activity.x[[0, 0]], 5.0);
            Some((iteration, trial))
        }
        _ => None,
    });
    assert_eq!((iteration, trial), (0, 5));
    // Before it falls silent it shows the newest state.
    handle.send(Command::Step(3));
    wait_for(&mut handle, |e| matches!(e, Event::Activity { iteration: 3, trial: 5, .. }).then_some(()));
}

#[test]
fn a_screen_that_looks_at_everything_changes_no_bit_of_training() {
    let config = config(
        "iterations = 60\n[task]\nkind = \"romo\"\nbatch = 40\n[network]\nn_rec = 16\n\
         [measure]\ntest = 1\ncurvature = 5\nlyapunov = 5\nalignment = 3\nlandscape = 20\nprobe_trials = 8\n",
    );
    let mut alone = trainer::start(&config, &TaskData::None).expect("a run");
    while alone.step(&Serial).stop.is_none() {}
    let alone = alone.checkpoint();
    for threads in [1, 3] {
        let own = config.clone();
        let make: Make = Box::new(move || {
            let run = trainer::start(&own, &TaskData::None).map_err(|e| e.to_string())?;
            let measurer = Some(measurer(&own, &TaskData::None).map_err(|e| e.to_string())?);
            Ok(Made::fresh(run, measurer))
        });
        let mut handle = Engine::new(threads, Arc::new(|| {})).start("test", make);
        handle.send(Command::Activity(Some(3)));
        for i in 0..20 {
            handle.send(Command::Step(1));
            handle.send(Command::Checkpoint { ticket: i, with_way: false });
            handle.send(Command::Activity(Some(i as usize)));
        }
        handle.send(Command::Run);
        assert_eq!(until_end(&mut handle).1, StopReason::Done);
        handle.send(Command::Measure(Measure::ALL.to_vec()));
        handle.send(Command::Checkpoint { ticket: 99, with_way: false });
        let seen = wait_for(&mut handle, |event| match event {
            Event::Checkpoint { ticket: 99, checkpoint, .. } => Some(checkpoint),
            _ => None,
        });
        assert_eq!(*seen, alone, "on {threads} threads");
    }
}

/// Runs `script` to its end, and until its last measures are there.
fn until_measured(script: &Script, text: &str) -> (Vec<Event>, Vec<Row>) {
    let mut handle = engine().start("test", fake(script, text));
    handle.send(Command::Run);
    let (mut events, mut rows, mut ended) = (Vec::new(), Vec::new(), None);
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < LONG, "the last measures are taken");
        let Some(event) = handle.wait_event(Duration::from_millis(100)) else { continue };
        match &event {
            Event::Progress(progress) => {
                ended = Some(progress.iteration).filter(|_| !progress.running);
                rows.extend_from_slice(&progress.rows);
            }
            Event::MeasuresFailed(_) => {
                events.push(event);
                return (events, rows);
            }
            _ => {}
        }
        events.push(event);
        let last = script.measured.lock().expect("not poisoned").last().copied();
        let at_end = ended.is_some_and(|n| n > 0 && last == Some((Measure::Lyapunov, n, true)));
        // The last report may still be on its way.
        if at_end && rows.iter().any(|r| r.series == Series::TestLoss && Some(r.iteration) == ended) {
            return (events, rows);
        }
    }
}

const MEASURES: &str = "[measure]\ntest = 10\ncurvature = 50\nlyapunov = 0\nalignment = \"off\"\n";

#[test]
fn measures_are_taken_at_their_cadence_and_at_both_ends() {
    let script = Script { delay: Duration::from_millis(1), ..Script::default() };
    let (_, rows) = until_measured(&script, &format!("iterations = 105\n{MEASURES}"));
    let measured = script.measured.lock().expect("not poisoned").clone();
    let at = |measure: Measure| -> Vec<i64> {
        measured.iter().filter(|(m, ..)| *m == measure).map(|(_, i, _)| *i).collect()
    };
    assert_eq!(at(Measure::Lyapunov), [0, 105]);
    assert!(at(Measure::Alignment).is_empty());
    let (tests, curvatures) = (at(Measure::Test), at(Measure::Curvature));
    assert_eq!((tests.first(), tests.last()), (Some(&0), Some(&105)));
    assert!(tests.iter().all(|i| i % 10 == 0 || *i == 105), "{tests:?}");
    assert!(curvatures.contains(&105), "{curvatures:?}");
    assert!(measured.windows(2).all(|w| w[0].1 <= w[1].1), "iterations never go down");
    assert!(measured.iter().all(|(_, i, end)| *end == (*i == 0 || *i == 105)));
    let drawn: Vec<i64> = rows.iter().filter(|r| r.series == Series::TestLoss).map(|r| r.iteration).collect();
    assert_eq!(drawn, tests, "each arrives once, in order");
}

#[test]
fn a_slow_measure_is_thinned_the_newest_request_replaces_the_waiting_and_training_does_not_wait() {
    let script = Script { measure_delay: Duration::from_millis(40), ..Script::default() };
    let start = Instant::now();
    let text = "iterations = 20000\n[measure]\ntest = 1\ncurvature = 7\nlyapunov = 0\nalignment = \"off\"\n";
    let (_, _) = until_measured(&script, text);
    let measured = script.measured.lock().expect("not poisoned").clone();
    // 20,000 tests of 40 ms each would have taken 800 s.
    assert!(measured.len() < 1000 && start.elapsed() < LONG, "{} measures", measured.len());
    assert_eq!(measured.first().map(|m| m.1), Some(0));
    assert_eq!(measured.last().map(|m| m.1), Some(20000));
    for measure in [Measure::Test, Measure::Curvature] {
        let at: Vec<i64> = measured.iter().filter(|(m, ..)| *m == measure).map(|(_, i, _)| *i).collect();
        assert!(at.windows(2).all(|w| w[0] < w[1]), "{at:?}");
    }
}

/// Measures on four threads would take two thirds of two processors, and four fifths of one, from a training on one
/// thread. What they took is what the script took, at iterations other than the first and the last. That they are
/// taken nearly as often as the half allows is tested where the account is kept, without a clock.
#[test]
fn training_keeps_at_least_half_of_the_processor_time() {
    let (update, measure) = (Duration::from_micros(500), Duration::from_millis(5));
    let script = Script { work: (update, measure), ..Script::default() };
    let text = "iterations = 1000\n[measure]\ntest = 1\ncurvature = 3\nlyapunov = 0\nalignment = \"off\"\n";
    let mut handle = Engine::new(8, Arc::new(|| {})).start("test", fake(&script, text));
    handle.send(Command::Run);
    until_end(&mut handle);
    let (training, measures) = script.worked.lock().expect("not poisoned").clone();
    let spent: Duration = measures.iter().sum();
    let dearest = measures.iter().max().copied().unwrap_or_default();
    assert!(training >= update * 1000, "{training:?}");
    assert!(dearest >= measure * 4, "some are taken: {measures:?}");
    if ThreadClock::default().is_precise() {
        // Not more than training, whose worker spends a little beside its updates (a quarter is far more), but for
        // the two measures that may overdraw the account together.
        assert!(spent <= training + training / 4 + dearest * 2, "{spent:?} against {training:?}");
    }
}

/// Waits until something holds.
fn until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn slice_request(directions: SliceDirections) -> Command {
    Command::Slice(Box::new(SliceRequest::along(directions, &config("").measure)))
}

/// How far a slice is.
fn slice(event: Event) -> Option<(SliceDirections, slice::Progress)> {
    match event {
        Event::Found(found) => match found.finding.detail {
            Detail::Landscape(Ok(slice)) => Some((slice.directions, slice.progress)),
            _ => None,
        },
        _ => None,
    }
}

/// While a measure is being taken, which does not look up, the slice that runs beside it ends as soon as another is
/// asked for, the run goes back, or the screen's end is dropped.
#[test]
fn a_slice_that_is_no_longer_wanted_ends_whatever_is_being_measured() {
    for last in ["another", "back", "dropped"] {
        let script = Script { slice_points: 1_000_000, ..Script::default() };
        let off = "[measure]\ntest = \"off\"\ncurvature = \"off\"\nalignment = \"off\"\nlyapunov = \"off\"\n";
        let mut handle = engine().start("a", fake(&script, off));
        let is = |number: usize, state: Option<bool>| {
            script.slices.lock().expect("no test panics with it").get(number).map(|s| s.1) == Some(state)
        };
        handle.send(slice_request(SliceDirections::Random));
        wait_for(&mut handle, slice);
        script.hold.store(true, Ordering::Relaxed);
        handle.send(Command::Measure(vec![Measure::Test]));
        until("a measure", || script.held.load(Ordering::Relaxed) == 1);
        assert!(is(0, None), "it goes on beside the measure");
        let mut handle = Some(handle);
        match last {
            "another" => handle.as_mut().expect("open").send(slice_request(SliceDirections::Trajectory)),
            "back" => {
                let make = Making(fake(&script, off));
                handle.as_mut().expect("open").send(Command::GoBack { iteration: 0, make, way: None });
            }
            _ => drop(handle.take()),
        }
        until("its end", || is(0, Some(false)));
        assert_eq!(script.held.load(Ordering::Relaxed), 1);
        script.hold.store(false, Ordering::Relaxed);
        if last == "another" {
            let mut handle = handle.expect("open");
            let (directions, _) = wait_for(&mut handle, |event| {
                slice(event).filter(|(directions, _)| *directions == SliceDirections::Trajectory)
            });
            assert_eq!(directions, SliceDirections::Trajectory, "and the new one begins");
        }
    }
}

/// Slices are due at every update, and take as long as 30: each is whole before the next is begun.
#[test]
fn a_slice_that_is_due_leaves_the_one_before_time_to_become_whole() {
    let script = Script { slice_points: 30, delay: Duration::from_millis(1), ..Script::default() };
    let every = "iterations = 100000\n[measure]\ntest = \"off\"\ncurvature = \"off\"\nalignment = \"off\"\n\
                 lyapunov = \"off\"\nlandscape = 1\n";
    let mut handle = engine().start("a", fake(&script, every));
    handle.send(Command::Run);
    let over = || {
        let slices = script.slices.lock().expect("no test panics with it");
        slices.iter().filter_map(|(_, whole)| *whole).collect::<Vec<bool>>()
    };
    let start = Instant::now();
    while over().len() < 5 {
        assert!(start.elapsed() < LONG, "waited in vain for slices: {:?}", over());
        handle.flush();
        let _ = handle.wait_event(Duration::from_millis(1));
    }
    assert!(over().iter().all(|whole| *whole), "{:?}", over());
}

#[test]
fn a_measure_that_panics_is_told_and_training_goes_on() {
    let script =
        Script { delay: Duration::from_micros(100), measure_panic_at: Some(50), ..Script::default() };
    let (events, _) = until_measured(&script, &format!("iterations = 1000\n{MEASURES}"));
    assert!(events.iter().any(|e| matches!(e, Event::MeasuresFailed(m) if m.contains("the script says so"))));
    assert!(!events.iter().any(|e| matches!(e, Event::Failed(_))));
}

#[test]
fn states_worth_keeping_are_noted_with_the_state_they_belong_to() {
    // 2/eta is 20; lambda_max passes it at iteration 400, twice.
    let lambda_max = |i: i64| if (400..600).contains(&i) || i > 700 { 25.0 } else { 10.0 };
    let script =
        Script { delay: Duration::from_millis(1), lambda_max: Some(lambda_max), ..Script::default() };
    let text = format!("iterations = 800\noptimizer = {{ kind = \"sgd\", learning_rate = 0.1 }}\n{MEASURES}");
    let (events, _) = until_measured(&script, &text);
    let noted = |wanted: Noted| -> Vec<i64> {
        let of = events.iter().filter_map(|event| match event {
            Event::Noted { why, checkpoint } if *why == wanted => {
                assert_eq!(checkpoint.weights.flat()[0], checkpoint.iteration as f64);
                Some(checkpoint.iteration)
            }
            _ => None,
        });
        of.collect()
    };
    let best = noted(Noted::BestTest);
    assert!(best.last().is_some_and(|i| (*i - 500).abs() <= 20), "{best:?}");
    let crossed = noted(Noted::BoundCrossed);
    assert_eq!(crossed.len(), 2, "{crossed:?}");
    assert!((400..600).contains(&crossed[0]) && crossed[1] > 700);
}

#[test]
fn a_line_below_the_first_measure_is_not_crossed_by_it() {
    // As where a run goes on from a state: it may have been above for long.
    let script = Script { lambda_max: Some(|_| 25.0), ..Script::default() };
    let text = format!("iterations = 200\noptimizer = {{ kind = \"sgd\", learning_rate = 0.1 }}\n{MEASURES}");
    let (events, rows) = until_measured(&script, &text);
    assert!(rows.iter().any(|r| r.series == Series::LambdaMax && r.value == 25.0), "above 2/eta = 20");
    assert!(!events.iter().any(|e| matches!(e, Event::Noted { why: Noted::BoundCrossed, .. })));
}

#[test]
fn a_run_stops_where_its_measures_say_so() {
    let delay = Duration::from_micros(500);
    let script = Script { delay, lambda_max: Some(|_| 3.0), ..Script::default() };
    let text = "iterations = 1000000\n[measure]\ncurvature = 2\n";
    let mut handle = engine().start("test", fake(&script, text));
    handle.send(Command::Run);
    // The fake's loss is its iteration: over stretches of 5 its mean changes by less than 1 % from about 500 on.
    handle.send(Command::Change(Change::Stop(config("stop = { plateau = 5 }").stop)));
    let (rows, reason) = until_end(&mut handle);
    assert_eq!(reason, StopReason::Plateau);
    let last = rows.iter().map(|r| r.iteration).max();
    assert!(last.is_some_and(|last| (400..100_000).contains(&last)), "{last:?}");
}

#[test]
fn a_divergence_comes_with_a_state_to_go_back_to() {
    let script = Script { diverge_at: Some(300), ..Script::default() };
    let mut handle =
        engine().start("test", fake(&script, "iterations = 1000\noptimizer.learning_rate = 0.2"));
    handle.send(Command::Run);
    let (reason, rewind) = wait_for(&mut handle, |event| match event {
        Event::Ended { reason, rewind } => Some((reason, rewind)),
        _ => None,
    });
    assert!(matches!(reason, StopReason::Diverged { iteration: 300, .. }), "{reason:?}");
    assert!(rewind.is_some_and(|state| state.iteration <= 300));
}

#[test]
fn an_explorer_answers_the_newest_question_and_ends_the_older_at_their_next_look() {
    let mut explorer = engine().explorer::<u64>("explorer");
    let stopped = Arc::new(AtomicUsize::new(0));
    for i in 0..50 {
        let stopped = Arc::clone(&stopped);
        explorer.ask(move |tell, keep_on| {
            while keep_on() {
                tell(i);
                std::thread::sleep(Duration::from_millis(1));
            }
            stopped.fetch_add(1, Ordering::Relaxed);
        });
    }
    explorer.ask(|tell, _| tell(99));
    let start = Instant::now();
    let mut answers = Vec::new();
    while answers.last() != Some(&Answer::Done) {
        assert!(start.elapsed() < LONG);
        answers.extend(explorer.answer());
    }
    assert_eq!(answers, [Answer::Result(99), Answer::Done], "nothing of older questions");
    assert!(!explorer.is_busy());
    explorer.ask(|_, _| panic!("in the job"));
    assert!(explorer.is_busy());
    let failed = loop {
        assert!(start.elapsed() < LONG);
        if let Some(answer) = explorer.answer() {
            break answer;
        }
    };
    assert!(matches!(&failed, Answer::Failed(m) if m.contains("in the job")), "{failed:?}");
    // The thread is still there.
    explorer.ask(|tell, _| tell(1));
    while explorer.answer() != Some(Answer::Result(1)) {
        assert!(start.elapsed() < LONG);
    }
}

#[test]
fn a_dropped_explorer_stops_what_it_was_doing() {
    let mut explorer = engine().explorer::<()>("explorer");
    let token = Arc::new(());
    let held = Arc::clone(&token);
    explorer.ask(move |_, keep_on| {
        while keep_on() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(held);
    });
    std::thread::sleep(Duration::from_millis(20));
    drop(explorer);
    let start = Instant::now();
    while Arc::strong_count(&token) > 1 {
        assert!(start.elapsed() < LONG, "its thread ends");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_gives_everything_there_is_of_it_also_what_the_screen_did_not_take() {
    let script = Script { delay: Duration::from_micros(100), ..Script::default() };
    let mut handle = engine().start("test", fake(&script, &format!("iterations = 2000\n{MEASURES}")));
    handle.send(Command::Run);
    let start = Instant::now();
    while script.updates.load(Ordering::Relaxed) < 2000 {
        assert!(start.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
    let (reply, asked) = question();
    handle.send(Command::Collect(reply));
    let all = asked.wait(LONG).expect("it answers");
    assert_eq!(all.checkpoint.iteration, 2000);
    assert_eq!(all.history.series(Series::TrainLoss).len(), 2000);
    assert!(!all.history.series(Series::TestLoss).is_empty());
    assert!(all.trajectory.len() > 100);
    assert!(all.findings.iter().any(|f| f.measure == Measure::Test));
    assert!(all.seconds > 0.1);
}

#[test]
fn a_run_that_goes_back_forgets_what_came_after_and_goes_on() {
    let script = Script::default();
    let mut handle = engine().start("test", fake(&script, "iterations = 1000"));
    handle.send(Command::Step(100));
    wait_for(&mut handle, |e| progress(e).filter(|p| p.iteration == 100));
    handle.send(Command::Checkpoint { ticket: 1, with_way: false });
    handle.send(Command::Step(400));
    let checkpoint = wait_for(&mut handle, |event| match event {
        Event::Checkpoint { checkpoint, .. } => Some(checkpoint),
        _ => None,
    });
    wait_for(&mut handle, |e| progress(e).filter(|p| p.iteration == 500));
    let own = (config("iterations = 120"), script.clone());
    let make: Make = Box::new(move || Ok(fake::made(&own.0, &own.1, Some(&checkpoint))));
    handle.send(Command::GoBack { iteration: 100, make: Making(make), way: None });
    handle.send(Command::Run);
    wait_for(&mut handle, |e| matches!(e, Event::WentBack { iteration: 100 }).then_some(()));
    let (rows, reason) = until_end(&mut handle);
    assert_eq!(reason, StopReason::Done);
    let losses: Vec<i64> =
        rows.iter().filter(|r| r.series == Series::TrainLoss).map(|r| r.iteration).collect();
    assert_eq!(losses, (100..120).collect::<Vec<_>>());
    let (reply, asked) = question();
    handle.send(Command::Collect(reply));
    let all = asked.wait(LONG).expect("it answers");
    assert_eq!(all.history.series(Series::TrainLoss).len(), 120);
    let path: Vec<i64> = all.trajectory.states().map(|s| s.iteration()).collect();
    // Thinned to every second iteration before it went back.
    assert_eq!(path, (0..=120).step_by(2).collect::<Vec<_>>());
}
