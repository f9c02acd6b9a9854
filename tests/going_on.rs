//! Going on after a stop of any kind: the two parts have the history, the weights and the streams of a run that
//! never stopped, bit for bit.

use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Cadence, Config, OptimizerKind, SliceDirections};
use basinscope::training::driver::Driver;
use basinscope::training::history::Series;
use basinscope::training::measures::{Detail, Measure};
use basinscope::training::run::{Change, StopReason};
use basinscope::training::trainer;

/// A round of flossing every 3 iterations, measures every 5 and 10.
fn noisy(task: &str) -> Config {
    let text = format!(
        "iterations = 40\n[task]\nkind = \"{task}\"\nbatch = 4\ntest_trials = 40\n[network]\nn_rec = 10\n\
         adaptive = {{ units = 0 }}\n[optimizer]\nlearning_rate = 0.01\n[flossing]\nk = 2\ntrials = 4\n\
         during = {{ every = 3, iterations = 2 }}\n[measure]\nprobe_trials = 12\ntest = 5\ncurvature = 10\n\
         alignment = 10\nlyapunov = 10\nlandscape = 20\nslice = {{ directions = \"trajectory\", points = 3 }}"
    );
    resolve(parse(&text).expect("TOML")).expect("a sound configuration").config
}

fn run_to_end(config: &Config) -> Driver {
    let mut driver = Driver::start(config, &TaskData::None).expect("a run starts");
    while driver.advance(&Serial).is_none() {}
    driver
}

/// Ends `first` and goes on under `config`; where it ended and why.
fn assert_goes_on(name: &str, config: &Config, first: &Config, whole: &Driver) -> (i64, StopReason) {
    let mut part = Driver::start(first, &TaskData::None).expect("a run starts");
    let reason = std::iter::from_fn(|| Some(part.advance(&Serial))).flatten().next().expect("an end");
    let (history, path) = (part.history().clone(), part.trajectory().clone());
    let mut second = Driver::resume(config, &TaskData::None, &part.checkpoint(), history, path).expect(name);
    while second.advance(&Serial).is_none() {}
    for series in Series::ALL {
        let (whole, parts) = (whole.history().series(*series), second.history().series(*series));
        assert_eq!(whole, parts, "{name}, {}", series.name());
    }
    assert_eq!(whole.checkpoint(), second.checkpoint(), "{name}");
    (part.iteration(), reason)
}

/// A limit that the series first passes at an iteration that `fits`, after iteration 2 and before the last, on its way up (1) or down (-1).
fn limit(driver: &Driver, series: Series, way: f64, fits: impl Fn(i64) -> bool) -> (i64, f64) {
    let values = driver.history().series(series);
    let mut best = f64::NEG_INFINITY;
    for (n, value) in values {
        if *n > 2 && *n < driver.iteration() && way * value > best && fits(*n) {
            return (*n, 0.5 * (value + way * best));
        }
        best = best.max(way * value);
    }
    panic!("{} has no such value: {values:?}", series.name());
}

#[test]
fn after_a_stop_by_the_training_loss() {
    for (task, round) in [("romo", true), ("romo", false), ("two-alternative", true)] {
        let config = noisy(task);
        let whole = run_to_end(&config);
        let (n, loss) = limit(&whole, Series::TrainLoss, -1.0, |n| (n % 3 == 0) == round);
        let mut first = config.clone();
        first.stop.loss_below = loss;
        assert_eq!(assert_goes_on(task, &config, &first, &whole), (n, StopReason::LossReached));
    }
}

#[test]
fn after_a_stop_as_diverged() {
    let mut config = noisy("romo");
    config.flossing.learning_rate = 0.1;
    let whole = run_to_end(&config);
    let (n, loss) = limit(&whole, Series::TrainLoss, 1.0, |n| n % 3 == 0);
    let mut first = config.clone();
    first.stop.diverged_above = loss;
    let (at, reason) = assert_goes_on("diverged", &config, &first, &whole);
    assert!(at == n && matches!(reason, StopReason::Diverged { .. }), "{at}, {reason:?}");
}

/// Where a run stops on what was just measured, its curvature is taken again as by a run that did not stop: from the
/// eigenvectors that stood before.
#[test]
fn after_a_stop_by_the_test_accuracy() {
    let mut config = noisy("two-alternative");
    (config.optimizer.learning_rate, config.iterations) = (0.03, 60);
    (config.measure.test, config.measure.curvature) = (Cadence::Every(2), Cadence::Every(2));
    let whole = run_to_end(&config);
    let (n, accuracy) = limit(&whole, Series::TestAccuracy, 1.0, |_| true);
    let mut first = config.clone();
    first.stop.test_accuracy_above = accuracy;
    assert_eq!(assert_goes_on("accuracy", &config, &first, &whole), (n, StopReason::AccuracyReached));
}

#[test]
fn after_a_stop_on_a_plateau() {
    let mut config = noisy("pattern");
    (config.optimizer.learning_rate, config.flossing.during.every) = (1e-9, 0);
    let whole = run_to_end(&config);
    let mut first = config.clone();
    first.stop.plateau = 10;
    let (at, reason) = assert_goes_on("plateau", &config, &first, &whole);
    assert!(reason == StopReason::Plateau && at % 10 == 0, "{at}, {reason:?}");
}

#[test]
fn after_its_iterations() {
    let config = noisy("romo");
    let whole = run_to_end(&config);
    for iterations in [0, 9, 10] {
        let mut first = config.clone();
        first.iterations = iterations;
        let ended = assert_goes_on("iterations", &config, &first, &whole);
        assert_eq!(ended, (iterations as i64, StopReason::Done));
    }
}

/// As after a change while a run goes on: the new optimiser begins at rest, and the run says so.
#[test]
fn with_another_optimiser_it_begins_at_rest_and_a_warning_says_so() {
    let optimizer = |kind, momentum| {
        let mut config = noisy("romo");
        (config.optimizer.kind, config.optimizer.momentum) = (kind, momentum);
        (config.iterations, config.flossing.during.every) = (5, 0);
        config
    };
    use OptimizerKind::{Adam, Sgd};
    for (from, to, at_rest) in [
        ((Sgd, 0.0), (Adam, 0.0), true),
        ((Sgd, 0.0), (Sgd, 0.5), true),
        ((Adam, 0.0), (Sgd, 0.5), true),
        ((Adam, 0.0), (Sgd, 0.0), false),
        ((Sgd, 0.5), (Sgd, 0.9), false),
    ] {
        let (first, mut then) = (optimizer(from.0, from.1), optimizer(to.0, to.1));
        then.iterations = 8;
        let mut live = trainer::start(&first, &TaskData::None).expect("a run starts");
        while live.step(&Serial).stop.is_none() {}
        let mut second = trainer::resume(&then, &TaskData::None, &live.checkpoint()).expect("it goes on");
        let said = second.warnings().iter().filter(|w| w.contains("begins at rest")).count();
        assert_eq!(said, usize::from(at_rest), "{from:?} {to:?}");
        while second.step(&Serial).stop.is_none() {}
        if at_rest {
            live.change(Change::Optimizer(then.optimizer));
            live.change(Change::Iterations(8));
            while live.step(&Serial).stop.is_none() {}
            assert_eq!(live.checkpoint(), second.checkpoint(), "{from:?} {to:?}");
        }
    }
}

/// A slice whose cadence falls on the iteration at which the run stops ends its path there.
#[test]
fn a_slice_of_the_last_iteration_shows_its_state_whichever_cadence_took_it() {
    let mut config = noisy("pattern");
    (config.optimizer.learning_rate, config.flossing.during.every) = (1e-9, 0);
    (config.stop.plateau, config.measure.curvature) = (10, Cadence::Every(10));
    config.measure.landscape = Cadence::Every(10);
    config.measure.slice.directions = SliceDirections::Random;
    for plateau in [10, 0] {
        config.stop.plateau = plateau;
        let driver = run_to_end(&config);
        let Some(Detail::Landscape(Ok(slice))) = driver.latest().get(&Measure::Landscape).map(|f| &f.detail)
        else {
            panic!("no slice")
        };
        assert_eq!(slice.path.last().map(|p| p.iteration), Some(driver.iteration()), "plateau {plateau}");
        assert_eq!(slice.iteration, driver.iteration());
    }
}
