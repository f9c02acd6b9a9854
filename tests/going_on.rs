//! Going on after a stop of any kind: the two parts have the history, the weights and the streams of a run that
//! never stopped, bit for bit.

use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Cadence, Config};
use basinscope::training::driver::Driver;
use basinscope::training::history::Series;
use basinscope::training::run::StopReason;

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
