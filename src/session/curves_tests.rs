//! Claims about [`Curve`], against the whole series kept beside it.

use super::*;

/// A series with spikes that are hard to keep.
fn value(i: i64) -> f64 {
    match i {
        777 => 1e6,
        778 => -1e6,
        5_000 => f64::NAN,
        5_001 => f64::INFINITY,
        _ => (i % 13) as f64 + 1.0,
    }
}

fn curve(n: i64) -> Curve {
    let mut curve = Curve::default();
    (0..n).for_each(|i| curve.push(Point { iteration: i, value: value(i) }));
    curve
}

fn ends(points: &[Point]) -> (f64, f64) {
    points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p.value), b.max(p.value)))
}

#[test]
fn a_spike_is_never_lost_however_old() {
    for n in [1_000, 6_000, 70_000, 400_000, 3_000_000] {
        let curve = curve(n);
        assert_eq!(curve.len(), n as usize);
        let seen = curve.visible(0.0, n as f64, 500);
        assert_eq!(ends(&seen.points), (-1e6, 1e6), "of {n}");
        assert!(seen.points.windows(2).all(|w| w[0].iteration < w[1].iteration), "in order, of {n}");
        let bad = if n > 5_001 { 2 } else { 0 };
        assert_eq!((seen.not_finite, curve.not_finite(), curve.bad().len() as u64), (bad, bad, bad));
        assert_eq!(seen.not_positive, 1);
        let whole = curve.whole().expect("not empty");
        assert_eq!(whole.finite + whole.not_finite, n as u64);
    }
}

#[test]
fn memory_is_bounded() {
    let curve = curve(3_000_000);
    assert!(curve.values.len() <= MOST_VALUES);
    assert!(curve.levels.iter().all(|(entries, _)| entries.len() <= MOST_ENTRIES));
    let bytes = MOST_VALUES * size_of::<Point>() + LEVELS * MOST_ENTRIES * size_of::<Entry>();
    assert!(bytes < 9_000_000, "{bytes}");
}

#[test]
fn few_values_are_drawn_as_they_are() {
    let curve = curve(100_000);
    let seen = curve.visible(99_000.0, 99_100.0, 800);
    assert!(seen.points.iter().all(|p| p.value == value(p.iteration)));
    let drawn: Vec<i64> = seen.points.iter().map(|p| p.iteration).collect();
    assert_eq!(drawn, (98_999..=99_101).collect::<Vec<_>>(), "what is in sight and one on either side");
}

#[test]
fn many_values_are_drawn_as_few_points() {
    let curve = curve(3_000_000);
    for (x0, x1) in [(0.0, 3e6), (1e5, 2e6), (2.9e6, 3e6)] {
        let drawn = curve.visible(x0, x1, 500).points.len();
        // An entry is at most 16 times finer than wanted.
        assert!(drawn <= 2 * 2 * 500 * FAN, "{drawn} points from {x0} to {x1}");
    }
}

#[test]
fn every_window_shows_the_extremes_that_lie_in_it() {
    let curve = curve(200_000);
    for (x0, x1) in [(0, 100_000), (700, 800), (150_000, 150_040), (120_000, 199_999), (776, 779)] {
        let seen = curve.visible(x0 as f64, x1 as f64, 300);
        for i in x0..=x1 {
            if value(i).abs() == 1e6 {
                let at = Point { iteration: i, value: value(i) };
                assert!(seen.points.contains(&at), "{at:?} from {x0} to {x1}");
            }
        }
    }
}

#[test]
fn the_cursor_reads_exact_values_and_says_where_it_cannot() {
    let curve = curve(100_000);
    let at = |i| curve.at(i);
    assert_eq!(at(99_999), Some(Reading::Exact(Point { iteration: 99_999, value: value(99_999) })));
    assert_eq!(at(1 << 40), Some(Reading::Exact(Point { iteration: 99_999, value: value(99_999) })));
    assert_eq!(at(-1), None);
    let Some(Reading::Among(entry)) = at(777) else { panic!("old values are kept in groups") };
    assert!(entry.first <= 777 && 777 <= entry.last && entry.last - entry.first < FAN as i64);
    assert_eq!(entry.ends.map(|(_, high)| high.value), Some(1e6));
}

#[test]
fn a_sparse_series_reads_the_last_value_before() {
    let mut curve = Curve::default();
    for i in (0..1000).step_by(50) {
        curve.push(Point { iteration: i, value: i as f64 });
    }
    assert_eq!(curve.at(149), Some(Reading::Exact(Point { iteration: 100, value: 100.0 })));
}

#[test]
fn a_value_for_the_last_iteration_replaces_it() {
    let mut curve = curve(20);
    curve.push(Point { iteration: 19, value: -3.0 });
    assert_eq!(curve.len(), 20);
    assert_eq!(curve.last(), Some(Point { iteration: 19, value: -3.0 }));
    assert_eq!(curve.whole().map(|e| e.not_positive), Some(1));
}

#[test]
fn a_value_that_comes_late_takes_its_place_in_curve_and_history() {
    let (mut late, mut history) = (Curve::default(), History::default());
    let mut push = |iteration: i64| {
        late.push(Point { iteration, value: value(iteration) });
        history.push(Row { iteration, series: Series::LyapunovMax, value: value(iteration) });
    };
    (0..3_000).filter(|i| *i != 2_500).for_each(&mut push);
    push(2_500);
    let whole = curve(3_000);
    assert_eq!((late.len(), late.last(), late.whole()), (whole.len(), whole.last(), whole.whole()));
    assert_eq!(late.at(2_500), whole.at(2_500));
    assert_eq!(late.visible(2_400.0, 2_999.0, 10_000), whole.visible(2_400.0, 2_999.0, 10_000));
    let rows = history.series(Series::LyapunovMax);
    assert!(rows.len() == 3_000 && rows.windows(2).all(|w| w[0].0 < w[1].0));
    // A value for an iteration in the middle replaces that one alone.
    late.push(Point { iteration: 2_600, value: -1.0 });
    assert_eq!((late.len(), late.last()), (3_000, whole.last()));
    assert_eq!(late.at(2_600), Some(Reading::Exact(Point { iteration: 2_600, value: -1.0 })));
}

#[test]
fn a_rewound_curve_is_the_curve_that_never_went_further() {
    for (n, cut) in [(100, 10), (5_000, 777), (70_000, 69_000), (200_000, 170_000), (200_000, 199_998)] {
        let mut rewound = curve(n);
        rewound.truncate_after(cut);
        let fresh = curve(cut + 1);
        assert_eq!(rewound.len(), fresh.len(), "{n} to {cut}");
        assert_eq!(rewound.last(), fresh.last());
        assert_eq!(rewound.whole(), fresh.whole());
        assert_eq!(rewound.bad().len(), fresh.bad().len());
        let tail = (cut - 100).max(0) as f64;
        assert_eq!(rewound.visible(tail, 1e9, 1000), fresh.visible(tail, 1e9, 1000));
        // And it goes on as the other does.
        let (mut a, mut b) = (rewound, fresh);
        for i in cut + 1..cut + 1000 {
            a.push(Point { iteration: i, value: value(i) });
            b.push(Point { iteration: i, value: value(i) });
        }
        assert_eq!(a.whole(), b.whole());
        assert_eq!(a.visible(tail, 1e9, 3000), b.visible(tail, 1e9, 3000));
    }
}

#[test]
fn a_curve_rewound_into_what_is_old_loses_at_most_a_group() {
    let n = 1_000_000;
    let mut curve = curve(n);
    curve.truncate_after(2_000);
    let kept = curve.len() as i64;
    assert!((2_000 - size(1) as i64..=2_001).contains(&kept), "{kept} kept");
    assert_eq!(ends(&curve.visible(0.0, 4000.0, 400).points).1, 1e6, "the spike before it is still there");
    for i in kept..kept + 10_000 {
        curve.push(Point { iteration: i, value: 0.5 });
    }
    assert_eq!(curve.len() as i64, kept + 10_000);
    assert_eq!(curve.whole().map(|e| e.finite + e.not_finite), Some(kept as u64 + 10_000));
}
