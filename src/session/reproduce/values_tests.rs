//! Numbers read off a run whose history is known.

use super::*;
use crate::training::history::Row;
use crate::training::run::StopReason;

/// A training loss of 1/(i + 1) and an accuracy of i/100 at iterations 0 to 99, lambda_max at 0, 50 and 99.
fn run(seed: u64, scale: f64) -> RunData {
    let mut history = History::default();
    for i in 0..100_i64 {
        history.push(Row { iteration: i, series: Series::TrainLoss, value: scale / (i + 1) as f64 });
        history.push(Row { iteration: i, series: Series::TestAccuracy, value: i as f64 / 100.0 });
    }
    for (i, value) in [(0, 1.0), (50, -9.0), (99, 4.0)] {
        history.push(Row { iteration: i, series: Series::LambdaMax, value });
    }
    RunData { seed, history, stop: StopReason::Done, iterations: 100 }
}

fn cell(arm: usize, scale: f64) -> Cell {
    Cell { case: 0, arm, across: None, chosen: None, runs: vec![run(1, scale)] }
}

fn quantity(series: &str, at: At, absolute: bool) -> Quantity {
    let text = format!("id = \"q\"\nname = \"q\"\nseries = \"{series}\"\nat = \"last\"");
    Quantity { at, absolute, ..toml::from_str(&text).expect("a quantity") }
}

fn of(series: &str, at: At, absolute: bool) -> f64 {
    let (spec, cells) = (two_arms(), [cell(0, 1.0), cell(1, 2.0)]);
    let found = values(&spec, &cells, &cells[1], &quantity(series, at, absolute));
    assert_eq!(found.len(), 1);
    found[0].1
}

/// Arms `a` and `b`, the loss of `b` twice that of `a`.
fn two_arms() -> Spec {
    let mut spec = super::super::catalogue::figures()[0].clone();
    spec.arms.truncate(2);
    spec.arms[0].id = "a".into();
    spec.arms[1].id = "b".into();
    spec
}

#[test]
fn each_way_to_read_a_series_gives_the_number_of_its_definition() {
    assert_eq!(of("lambda_max", At::First, false), 1.0);
    assert_eq!(of("lambda_max", At::Last, false), 4.0);
    assert_eq!(of("lambda_max", At::Peak, false), 4.0);
    // The later half of three values: the last two.
    assert_eq!(of("lambda_max", At::LastHalf, false), -2.5);
    assert_eq!(of("lambda_max", At::LastHalf, true), 2.5);
    assert_eq!(of("lambda_max", At::Between { from: 40, to: 60 }, false), -9.0);
    // The mean over the last tenth.
    let tenth = (90..100).map(|i| f64::from(i) / 100.0).sum::<f64>() / 10.0;
    assert!((of("test_accuracy", At::End, false) - tenth).abs() < 1e-12);
}

#[test]
fn matching_reads_where_the_run_first_comes_as_far_as_the_other_arm() {
    let matching = |series: &str| At::Matching { series: series.into(), arm: "a".into() };
    // Both have the same accuracy: it reaches the mean of the last tenth, 0.945, at iteration 95.
    assert_eq!(of("test_accuracy", matching("test_accuracy"), false), 0.95);
    // The loss of b is twice that of a and does not come as far within the run.
    let (spec, cells) = (two_arms(), [cell(0, 1.0), cell(1, 2.0)]);
    let wanted = quantity("lambda_max", matching("train_loss"), false);
    assert!(values(&spec, &cells, &cells[1], &wanted).is_empty());
    // Half of it does, early: lambda_max is read at the next measure.
    let cells = [cell(0, 1.0), cell(1, 0.5)];
    assert_eq!(values(&spec, &cells, &cells[1], &wanted), [(1, -9.0)]);
}

#[test]
fn a_network_that_is_as_far_before_it_learns_is_no_partner() {
    let spec = two_arms();
    let wanted = quantity("lambda_max", At::Matching { series: "train_loss".into(), arm: "a".into() }, false);
    // The loss of b begins at 0.01, where that of a ends.
    let cells = [cell(0, 1.0), cell(1, 0.01)];
    assert!(values(&spec, &cells, &cells[1], &wanted).is_empty());
}

#[test]
fn where_a_run_stands_counts_only_if_its_loss_has_not_risen() {
    let spec = two_arms();
    let mut rising = run(1, 1.0);
    for i in 90..100 {
        rising.history.push(Row { iteration: 100 + i, series: Series::TrainLoss, value: 1.01 });
    }
    rising.iterations = 200;
    assert!(rising.has_lost() && !run(1, 1.0).has_lost());
    let cells = [Cell { runs: vec![rising], ..cell(0, 1.0) }];
    let of = |series: &str, at: At| values(&spec, &cells, &cells[0], &quantity(series, at, false));
    assert!(of("lambda_max", At::Last).is_empty() && of("lambda_max", At::Peak).is_empty());
    assert_eq!(of("lambda_max", At::First), [(1, 1.0)]);
    // That it has not learned is what its loss says.
    let [(_, loss)] = of("train_loss", At::End)[..] else { panic!("a value") };
    assert!((loss - 1.01).abs() < 1e-12, "{loss}");
}

#[test]
fn one_lucky_batch_is_not_as_far() {
    let mut history = History::default();
    for i in 0..1000_i64 {
        let value = if i == 100 { 0.0 } else { 1.0 - i as f64 / 1000.0 };
        history.push(Row { iteration: i, series: Series::TrainLoss, value });
    }
    // In stretches of two iterations: 100 and 101 have a mean of 0.4495, above 0.4; 600 and 601 are the first below.
    assert_eq!(first_as_far(&history, Series::TrainLoss, 1000, 0.4), Some(601));
}

#[test]
fn a_curve_is_the_mean_over_seeds_with_its_spread() {
    let mut both = cell(0, 1.0);
    both.runs.push(run(2, 3.0));
    let points = curve(&both, Series::TrainLoss, 10);
    assert_eq!(points.len(), 90);
    let at = &points[9];
    assert_eq!((at.iteration, at.n), (19.0, 2));
    assert!((at.mean - 0.1).abs() < 1e-12 && (at.least - 0.05).abs() < 1e-12);
    // Of 0.05 and 0.15: half their difference times sqrt 2.
    assert!((at.sd - 0.05 * 2f64.sqrt()).abs() < 1e-12);
}
