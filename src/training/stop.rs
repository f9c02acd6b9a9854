//! Owns the stop rules that look at the history: accuracy reached, plateau.

use super::config::StopConfig;
use super::history::{History, Series};
use super::run::StopReason;

/// Whether the history after `iteration` updates says that the run should end.
pub fn after_measures(stop: &StopConfig, history: &History, iteration: i64) -> Option<StopReason> {
    let last = |series| history.series(series).last().map(|(_, v)| *v);
    if stop.test_accuracy_above > 0.0
        && last(Series::TestAccuracy).is_some_and(|a| a > stop.test_accuracy_above)
    {
        return Some(StopReason::AccuracyReached);
    }
    let n = i64::try_from(stop.plateau).unwrap_or(i64::MAX);
    let flat = |series| change_of_means(history.series(series), iteration, n).is_some_and(|c| c < 0.01);
    (n > 0 && flat(Series::TrainLoss) && flat(Series::LambdaMax)).then_some(StopReason::Plateau)
}

/// |mean over the last n iterations - mean over the n before| / |the latter|; `None` while either stretch
/// has no value or the earlier one is not over.
fn change_of_means(values: &[(i64, f64)], iteration: i64, n: i64) -> Option<f64> {
    let mean = |from: i64, to: i64| {
        let a = values.partition_point(|(i, _)| *i <= from);
        let b = values.partition_point(|(i, _)| *i <= to);
        let part = &values[a..b];
        (!part.is_empty()).then(|| part.iter().map(|(_, v)| v).sum::<f64>() / part.len() as f64)
    };
    let start = iteration.checked_sub(n.checked_mul(2)?)?;
    if start < 0 {
        return None;
    }
    let (before, now) = (mean(start, start + n)?, mean(start + n, iteration)?);
    Some((now - before).abs() / before.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::history::Row;

    fn history(lambda: impl Fn(i64) -> f64) -> History {
        let mut history = History::default();
        for iteration in 0..=200 {
            history.push(Row { iteration, series: Series::TrainLoss, value: 1.0 });
            if iteration % 20 == 0 {
                history.push(Row { iteration, series: Series::LambdaMax, value: lambda(iteration) });
            }
        }
        history
    }

    const STOP: StopConfig =
        StopConfig { loss_below: 0.0, test_accuracy_above: 0.0, diverged_above: 1e6, plateau: 100 };

    #[test]
    fn a_plateau_needs_loss_and_lambda_max_flat_over_both_stretches() {
        let flat = history(|_| 3.0);
        assert_eq!(after_measures(&STOP, &flat, 200), Some(StopReason::Plateau));
        assert_eq!(after_measures(&STOP, &flat, 199), None);
        let rising = history(|i| 3.0 + 0.01 * i as f64);
        assert_eq!(after_measures(&STOP, &rising, 200), None);
        assert_eq!(after_measures(&StopConfig { plateau: 0, ..STOP }, &flat, 200), None);
    }

    #[test]
    fn accuracy_stops_a_run_only_above_the_value_asked_for() {
        let mut history = history(|_| 3.0);
        history.push(Row { iteration: 200, series: Series::TestAccuracy, value: 0.9 });
        let stop = StopConfig { plateau: 0, test_accuracy_above: 0.9, ..STOP };
        assert_eq!(after_measures(&stop, &history, 200), None);
        let stop = StopConfig { test_accuracy_above: 0.89, ..stop };
        assert_eq!(after_measures(&stop, &history, 200), Some(StopReason::AccuracyReached));
    }
}
