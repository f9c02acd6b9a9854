//! Claims about bands and comparisons.

use super::*;
use crate::session::curves::Point;
use crate::training::history::Row;

fn curve(values: impl Iterator<Item = (i64, f64)>) -> Curve {
    let mut curve = Curve::default();
    values.for_each(|(iteration, value)| curve.push(Point { iteration, value }));
    curve
}

#[test]
fn a_band_is_the_mean_and_the_spread_of_its_curves() {
    let one = curve((0..=1000).map(|i| (i, 1.0 + i as f64)));
    let two = curve((0..=500).map(|i| (2 * i, 3.0 + 2.0 * i as f64)));
    let points = band(&[&one, &two], 0.0, 1000.0, 50);
    assert_eq!(points.len(), 50);
    for point in &points {
        // x + 1 and x + 3 have the mean x + 2 and the standard deviation sqrt 2.
        assert_eq!(point.n, 2);
        assert!((point.mean - (point.x + 2.0)).abs() < 1e-9, "{point:?}");
        assert!((point.sd - 2f64.sqrt()).abs() < 1e-9, "{point:?}");
    }
}

#[test]
fn a_band_ends_where_the_first_of_its_curves_ends() {
    let long = curve((0..=1000).map(|i| (i, 5.0)));
    let short = curve((0..=400).map(|i| (i, 7.0)));
    let points = band(&[&long, &short], 0.0, 1000.0, 100);
    let at = |x: f64| points.iter().find(|p| (p.x - x).abs() < 6.0).expect("a point there");
    assert_eq!((at(200.0).n, at(200.0).mean), (2, 6.0));
    assert!(points.iter().all(|p| p.x <= 400.0), "the mean of one curve is no mean of two");
    assert!(band(&[], 0.0, 1.0, 10).is_empty());
}

#[test]
fn sentences_say_the_effect_its_interval_and_what_is_missing() {
    let comparison = |differences: &[f64], is_ratio| Comparison {
        pairs: BTreeMap::new(),
        test: paired(differences).expect("pairs"),
        is_ratio,
        loss: Some(0.01),
        left_out: 0,
    };
    let clear = comparison(&[1.09, 1.11, 1.10, 1.095], true).sentences("lambda_max", "BPTT", "e-prop");
    assert!(clear.contains("3.00 times as large under e-prop as under BPTT"), "{clear}");
    assert!(clear.contains("training loss of 1.000e-2") && clear.contains("p < 0.001"), "{clear}");
    let vague = comparison(&[1.0, -0.8, 0.4], false).sentences("the gap", "A", "B");
    assert!(vague.contains("+2.000e-1 under B against A") && vague.contains("more would decide"), "{vague}");
}

#[test]
fn sharpness_at_equal_loss_moves_by_factors_between_two_measures() {
    let with = |measured: &[(i64, f64)]| {
        let mut curves = Curves::default();
        let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
        (0..=100_i64).for_each(|i| push(i, Series::TrainLoss, 1.0 - i as f64 / 100.0));
        measured.iter().for_each(|(i, value)| push(*i, Series::LambdaMax, *value));
        sharpness_at(&curves, 0.5)
    };
    // The loss is 0.5 at iteration 50: half way from 1 to 100 by factors, from -1 to 3 by steps.
    let near = |found: Option<f64>, value: f64| {
        assert!(found.is_some_and(|f| (f - value).abs() < 1e-9), "{found:?}")
    };
    near(with(&[(40, 1.0), (60, 100.0)]), 10.0);
    near(with(&[(40, -1.0), (60, 3.0)]), 1.0);
    near(with(&[(40, 7.0)]), 7.0);
    assert_eq!(with(&[]), None);
}

#[test]
fn a_band_of_positive_values_stays_positive() {
    let point = BandPoint { x: 0.0, mean: 1.0, sd: 2.0, ends: (0.1, 5.0), n: 3 };
    assert_eq!(point.edges(), (0.1, 3.0));
    assert_eq!(BandPoint { ends: (-1.0, 5.0), ..point }.edges(), (-1.0, 3.0));
    assert_eq!(BandPoint { sd: 0.5, ..point }.edges(), (0.5, 1.5));
}
