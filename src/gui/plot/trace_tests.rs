//! Tests of traces.

use super::*;
use crate::session::seconds::Seconds;

fn drawing(curve: &Curve, scales: [Scale; 2]) -> Drawing<'_> {
    Drawing { curve, abscissa: Abscissa::Iteration, scales, columns: 50, view: None }
}

fn curve(n: i64, value: impl Fn(i64) -> f64) -> Curve {
    let mut curve = Curve::default();
    (0..n).for_each(|i| curve.push(Point { iteration: i, value: value(i) }));
    curve
}

#[test]
fn a_long_curve_is_drawn_with_two_points_a_column_and_all_its_spikes() {
    let curve = curve(20_000, |i| match i {
        12_345 => 50.0,
        15_000 => -40.0,
        _ => (i % 7) as f64,
    });
    let trace = drawing(&curve, [Scale::Linear; 2]).raw();
    let points = &trace.lines[0];
    assert!(points.len() <= 3 * 50, "{}", points.len());
    assert!(points.windows(2).all(|w| w[0][0] <= w[1][0]));
    assert!(points.contains(&[12_345.0, 50.0]) && points.contains(&[15_000.0, -40.0]));
}

#[test]
fn a_short_curve_is_drawn_value_by_value_with_a_gap_at_nan() {
    let curve = curve(6, |i| if i == 3 { f64::NAN } else { i as f64 });
    let trace = drawing(&curve, [Scale::Linear; 2]).raw();
    assert_eq!(trace.lines, [vec![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], vec![[4.0, 4.0], [5.0, 5.0]]]);
    assert_eq!(trace.not_finite, [3.0]);
}

#[test]
fn a_log_axis_reports_what_it_cannot_show() {
    for n in [20, 5_000] {
        let curve = curve(n, |i| if i == 10 { -1.0 } else { 2.0 });
        let trace = drawing(&curve, [Scale::Linear, Scale::Log]).raw();
        assert_eq!(trace.below, [10.0], "{n} values");
        assert!(trace.lines.iter().flatten().all(|p| p[1] == 2f64.log10()));
    }
}

#[test]
fn iteration_zero_has_no_place_on_a_log_axis_and_the_rest_has() {
    let curve = curve(3, |i| i as f64);
    let trace = drawing(&curve, [Scale::Log, Scale::Linear]).raw();
    assert_eq!(trace.lines, [vec![[0.0, 1.0], [2f64.log10(), 2.0]]]);
}

#[test]
fn zooming_in_shows_single_values_and_the_lines_leave_the_view() {
    let curve = curve(20_000, |i| i as f64);
    let trace = Drawing { view: Some((100.5, 105.5)), ..drawing(&curve, [Scale::Linear; 2]) }.raw();
    let x: Vec<f64> = trace.lines[0].iter().map(|p| p[0]).collect();
    assert_eq!(x, [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0]);
}

#[test]
fn a_log_axis_resolves_its_beginning() {
    let curve = curve(50_000, |i| i as f64);
    let trace = drawing(&curve, [Scale::Log, Scale::Linear]).raw();
    let x: Vec<f64> = trace.lines.iter().flatten().map(|p| p[0]).collect();
    for iteration in [1.0f64, 2.0, 3.0, 5.0, 8.0] {
        assert!(x.contains(&iteration.log10()), "iteration {iteration} is not drawn");
    }
    assert!(x.windows(2).all(|w| w[0] <= w[1]));
    assert_eq!(x.last(), Some(&49_999f64.log10()));
}

#[test]
fn the_cursor_finds_the_exact_value() {
    let curve = curve(1_000, |i| (i as f64).sqrt());
    let drawing = drawing(&curve, [Scale::Linear; 2]);
    let exact = |i: i64| Some(Reading::Exact(Point { iteration: i, value: (i as f64).sqrt() }));
    assert_eq!(drawing.nearest(499.6), exact(500));
    assert_eq!(drawing.nearest(499.4), exact(499));
    assert_eq!(drawing.nearest(-5.0), exact(0));
    assert_eq!(drawing.nearest(5_000.0), exact(999));
}

#[test]
fn another_abscissa_is_straight_between_known_values() {
    let known = [(0.0, 0.0), (100.0, 2.0), (200.0, 3.0)];
    let abscissa = Abscissa::Through(&known);
    assert_eq!(abscissa.at(50.0), Some(1.0));
    assert_eq!(abscissa.at(200.0), Some(3.0));
    assert_eq!(abscissa.at(201.0), None);
    assert_eq!(abscissa.at(-1.0), None);
}

#[test]
fn an_axis_of_seconds_is_searched_by_seconds() {
    let curve = curve(1_000, |i| i as f64);
    let mut seconds = Seconds::default();
    (0..1_000).for_each(|i| seconds.push(i, 0.25 * i as f64, 0.0));
    let abscissa = Abscissa::Seconds(&seconds);
    let drawing = Drawing { abscissa, view: Some((100.0, 101.0)), ..drawing(&curve, [Scale::Linear; 2]) };
    let x: Vec<f64> = drawing.raw().lines[0].iter().map(|p| p[0]).collect();
    assert!(x[0] < 100.0 && *x.last().unwrap() > 101.0 && x.len() <= 8, "{x:?}");
    assert_eq!(drawing.nearest(100.0), Some(Reading::Exact(Point { iteration: 400, value: 400.0 })));
}

#[test]
fn against_the_loss_values_are_joined_in_the_order_of_training() {
    let curve = curve(4, |i| i as f64);
    let loss = [(0.0, 3.0), (1.0, 1.0), (2.0, 2.0), (3.0, 0.5)];
    let abscissa = Abscissa::Through(&loss);
    let trace = Drawing { abscissa, ..drawing(&curve, [Scale::Linear; 2]) }.raw();
    assert_eq!(trace.lines, [vec![[3.0, 0.0], [1.0, 1.0], [2.0, 2.0], [0.5, 3.0]]]);
}

#[test]
fn the_running_mean_has_no_start_up_bias() {
    let mut constant = RunningMean::new(1_000.0);
    for i in 0..40 {
        // Numerator and denominator are the same sum but for the factor 3: rounding only.
        assert!((constant.add(f64::from(i), 3.0) - 3.0).abs() < 1e-12);
    }
    let mut mean = RunningMean::new(1.0 / std::f64::consts::LN_2);
    mean.add(0.0, 2.0);
    // Weights halve each iteration: (0.25 * 2 + 4) / (0.25 + 1).
    assert!((mean.add(2.0, 4.0) - 4.5 / 1.25).abs() < 1e-15);
    let mut none = RunningMean::new(0.0);
    none.add(0.0, 7.0);
    assert_eq!(none.add(1.0, 9.0), 9.0);
}

#[test]
fn a_smoothed_curve_follows_a_step_in_one_span() {
    let curve = curve(2_000, |i| if i < 1_000 { 0.0 } else { 1.0 });
    let trace = drawing(&curve, [Scale::Linear; 2]).smoothed(100.0);
    let at = |x: f64| {
        trace.lines[0].iter().min_by(|a, b| (a[0] - x).abs().total_cmp(&(b[0] - x).abs())).unwrap()[1]
    };
    assert!(at(990.0) < 0.01);
    // One span after the step 1 - 1/e; groups of up to 16 iterations are summed up, so within a sixth of it.
    assert!((at(1_100.0) - 0.632).abs() < 0.1, "{}", at(1_100.0));
    assert!(at(1_990.0) > 0.99);
}

#[test]
fn a_trace_is_kept_until_what_it_is_made_of_changes() {
    let mut curve = curve(5_000, |i| (i % 7) as f64);
    let fresh = drawing(&curve, [Scale::Linear; 2]).drawn(10.0, None);
    let marked =
        |drawn: &Drawn| Drawn { raw: Trace { below: vec![-7.0], ..drawn.raw.clone() }, ..drawn.clone() };
    let is_kept = |drawing: Drawing<'_>, span| {
        let drawn = drawing.drawn(span, Some(marked(&fresh)));
        let kept = drawn.raw.below == [-7.0];
        assert!(kept || (drawn.raw == drawing.raw() && drawn.smooth == drawing.smoothed(span)));
        kept
    };
    let same = drawing(&curve, [Scale::Linear; 2]);
    assert!(is_kept(same, 10.0));
    assert!(!is_kept(same, 20.0), "another span");
    assert!(!is_kept(Drawing { columns: 60, ..same }, 10.0), "another width");
    assert!(!is_kept(Drawing { view: Some((10.0, 20.0)), ..same }, 10.0), "another view");
    assert!(!is_kept(drawing(&curve, [Scale::Linear, Scale::Log]), 10.0), "another scale");
    let loss: Vec<(f64, f64)> = (0..5_000).map(|i| (f64::from(i), f64::from(i))).collect();
    assert!(!is_kept(Drawing { abscissa: Abscissa::Through(&loss), ..same }, 10.0), "another axis");
    curve.push(Point { iteration: 5_000, value: 3.0 });
    assert!(!is_kept(drawing(&curve, [Scale::Linear; 2]), 10.0), "another value");
}
