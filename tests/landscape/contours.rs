//! Lines of equal loss, and the scale of a picture.

use std::collections::BTreeSet;

use basinscope::numerics::landscape::contours::{Contour, contours};
use basinscope::numerics::landscape::range::Range;
use basinscope::numerics::landscape::scale::LossScale;
use basinscope::numerics::landscape::slice::Grid;
use proptest::prelude::*;

fn grid(n: usize, reach: f64, f: impl Fn(f64, f64) -> f64) -> Grid {
    let axis = Range::around_centre(reach).axis(n);
    let loss = axis.iter().flat_map(|b| axis.iter().map(|a| f(*a, *b))).collect();
    Grid { a: axis.clone(), b: axis, loss }
}

fn length(contour: &Contour) -> f64 {
    let n = contour.points.len();
    let ends = if contour.is_closed { n } else { n - 1 };
    let distance = |i: usize| {
        let (p, q) = (contour.points[i], contour.points[(i + 1) % n]);
        (p[0] - q[0]).hypot(p[1] - q[1])
    };
    (0..ends).map(distance).sum()
}

/// Along an edge of length h the parabola differs from its chord by at most h^2 / 4 (f'' = 2): so a^2 + b^2 on
/// the line lies at most that below the level, and the radius by h^2 / (8 r), a little more for safety in the
/// second order.
#[test]
fn the_contour_of_a_bowl_is_one_circle_of_the_right_radius() {
    let (n, reach) = (41, 1.0);
    let h = 2.0 * reach / (n - 1) as f64;
    let bowl = grid(n, reach, |a, b| a * a + b * b);
    let levels = [0.0444, 0.25, 0.81];
    let lines = contours(&bowl, &levels);
    assert_eq!(lines.len(), 3);
    for (line, level) in lines.iter().zip(levels) {
        let radius = f64::sqrt(level);
        assert!(line.is_closed && line.level == level);
        for [a, b] in &line.points {
            let off = radius - a.hypot(*b);
            assert!((-1e-12..1.01 * h * h / (8.0 * radius)).contains(&off), "{level}: {off}");
        }
        // A polygon inscribed between radius - h^2/8r and radius, with sides of at most sqrt 2 h.
        let around = std::f64::consts::TAU * radius;
        assert!((0.98 * around..around).contains(&length(line)), "{level}");
    }
}

#[test]
fn two_basins_have_two_loops_and_above_the_pass_one() {
    let basins = grid(61, 2.0, |a, b| (a * a - 1.0).powi(2) + b * b);
    let count = |level: f64| {
        let lines = contours(&basins, &[level]);
        assert!(lines.iter().all(|l| l.is_closed));
        lines.len()
    };
    assert_eq!((count(0.5), count(1.5)), (2, 1));
}

#[test]
fn lines_that_meet_the_edge_are_open_and_end_there() {
    let slope = grid(21, 1.0, |a, _| a);
    let lines = contours(&slope, &[0.33, 5.0, f64::NAN]);
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert!(!line.is_closed);
    assert_eq!(line.points.len(), 21);
    assert!(line.points.iter().all(|[a, _]| (a - 0.33).abs() < 1e-14));
    let ends = [line.points[0][1], line.points[20][1]].map(f64::abs);
    assert_eq!(ends, [1.0, 1.0]);
    assert!((length(line) - 2.0).abs() < 1e-14);
}

/// One cell with corners 1 and 0 in turn: the mean decides which corners are joined.
#[test]
fn a_saddle_is_joined_by_the_mean_of_its_corners() {
    let saddle = |corners: [f64; 4]| {
        let [c00, c10, c11, c01] = corners;
        Grid { a: vec![0.0, 1.0], b: vec![0.0, 1.0], loss: vec![c00, c10, c01, c11] }
    };
    let segments = |corners: [f64; 4]| -> Vec<Vec<[f64; 2]>> {
        contours(&saddle(corners), &[0.5])
            .into_iter()
            .map(|mut line| {
                line.points.sort_by(|p, q| p.partial_cmp(q).expect("finite"));
                line.points
            })
            .collect()
    };
    let cuts_00_and_11 = |s: &[Vec<[f64; 2]>]| s.iter().any(|s| s[0][0] == 0.0 && s[1][1] == 0.0);
    // 2, 0, 1, 0: mean 0.75, above: the two higher corners are joined, the lower ones cut off.
    let s = segments([2.0, 0.0, 1.0, 0.0]);
    assert_eq!(s, [[[0.75, 0.0], [1.0, 0.5]], [[0.0, 0.75], [0.5, 1.0]]]);
    // 0.8, 0, 0.6, 0: mean 0.35, below: the higher corners are cut off.
    let s = segments([0.8, 0.0, 0.6, 0.0]);
    assert!(s.len() == 2 && cuts_00_and_11(&s), "{s:?}");
    // The mirror images.
    let s = segments([0.0, 2.0, 0.0, 1.0]);
    assert!(s.len() == 2 && cuts_00_and_11(&s), "{s:?}");
    let s = segments([0.0, 0.8, 0.0, 0.6]);
    assert!(s.len() == 2 && !cuts_00_and_11(&s), "{s:?}");
}

#[test]
fn cells_with_losses_that_are_not_finite_have_no_lines() {
    let bowl = |a: f64, b: f64| {
        if (a, b) == (0.5, 0.0) {
            f64::NAN
        } else if a < -0.85 {
            f64::INFINITY
        } else {
            a * a + b * b
        }
    };
    let bowl = grid(21, 1.0, bowl);
    let lines = contours(&bowl, &[0.2525, 0.811]);
    // The first circle is open at the hole; the second is cut by the edge of what is finite.
    assert_eq!(lines.iter().map(|l| l.is_closed).collect::<Vec<_>>(), [false, false]);
    for line in &lines {
        for [a, b] in &line.points {
            assert!(a.is_finite() && b.is_finite());
            let (in_hole, in_wall) = ((a - 0.5).abs() < 0.1 && b.abs() < 0.1, *a < -0.8 - 1e-12);
            assert!(!in_hole && !in_wall, "{a} {b}");
        }
    }
    let all_bad = grid(5, 1.0, |_, _| f64::NAN);
    assert_eq!(contours(&all_bad, &[1.0]), []);
}

proptest! {
    /// Whatever the values, every crossing of an edge between two finite cells is on exactly one line, open
    /// lines end at the border (or at a cell that is left out), and losses at the level are no trouble.
    #[test]
    fn every_crossing_is_on_one_line(
        nx in 2usize..8,
        ny in 2usize..8,
        values in prop::collection::vec(0u8..4, 64),
    ) {
        let loss: Vec<f64> = values[..nx * ny].iter().map(|v| f64::from(*v)).collect();
        let axis = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
        let grid = Grid { a: axis(nx), b: axis(ny), loss };
        for level in [0.5, 1.5, 2.25] {
            let lines = contours(&grid, &[level]);
            let mut crossings = 0;
            for j in 0..ny {
                for i in 0..nx {
                    let high = |i: usize, j: usize| grid.at(i, j) >= level;
                    crossings += usize::from(i + 1 < nx && high(i, j) != high(i + 1, j));
                    crossings += usize::from(j + 1 < ny && high(i, j) != high(i, j + 1));
                }
            }
            let points: Vec<[f64; 2]> = lines.iter().flat_map(|l| l.points.clone()).collect();
            prop_assert_eq!(points.len(), crossings);
            let distinct: BTreeSet<_> = points.iter().map(|p| p.map(f64::to_bits)).collect();
            prop_assert_eq!(distinct.len(), crossings);
            for line in lines.iter().filter(|l| !l.is_closed) {
                for [a, b] in [line.points[0], line.points[line.points.len() - 1]] {
                    let (right, top) = ((nx - 1) as f64, (ny - 1) as f64);
                    prop_assert!(a == 0.0 || a == right || b == 0.0 || b == top);
                }
            }
        }
        // Levels at the values themselves: degenerate, but finite and in the picture.
        for line in contours(&grid, &[0.0, 1.0, 2.0, 3.0]) {
            prop_assert!(line.points.len() > 1);
            for [a, b] in line.points {
                prop_assert!((0.0..=(nx - 1) as f64).contains(&a) && (0.0..=(ny - 1) as f64).contains(&b));
            }
        }
    }
}

#[test]
fn enormous_and_infinite_losses_do_not_spoil_the_scale() {
    let mut losses: Vec<f64> = (1..=90).map(|i| 0.01 * f64::from(i)).collect();
    losses.extend([1e30, f64::INFINITY, f64::NAN, 1e9, 0.0]);
    let scale = LossScale::of(&losses).expect("positive losses");
    assert_eq!((scale.low, scale.n_enormous, scale.n_not_finite), (0.01, 2, 2));
    assert!((0.9..1e4).contains(&scale.high), "{scale:?}");
    assert_eq!([0.0, 0.01, 1e30, f64::INFINITY].map(|l| scale.place(l)), [0.0, 0.0, 1.0, 1.0].map(Some));
    let place = scale.place(0.3).expect("a number");
    assert!((0.01 * (scale.high / 0.01).powf(place) - 0.3).abs() < 1e-12);
    assert_eq!(scale.place(f64::NAN), None);
    assert_eq!(LossScale::of(&[f64::NAN, 0.0, -1.0, f64::INFINITY]), None);
    // A bottom far below all the rest does not stretch the scale either.
    let deep = LossScale::of(&[1e-300, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).expect("positive losses");
    assert_eq!((deep.low, deep.high), (7e-8, 7.0));
}

#[test]
fn levels_are_log_spaced_round_and_inside() {
    let levels =
        |low: f64, high: f64, n: usize| LossScale { low, high, n_enormous: 0, n_not_finite: 0 }.levels(n);
    let close = |found: Vec<f64>, expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(found.iter().zip(expected).all(|(f, e)| (f / e - 1.0).abs() < 1e-12), "{found:?}");
    };
    close(levels(0.0105, 3.0, 8), &[0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
    close(levels(1e-5, 1.0, 6), &[1e-4, 1e-3, 1e-2, 1e-1]);
    close(levels(1.0, 16.0, 3), &[2.0, 5.0, 10.0]);
    // Less than a factor of 1.2: no round numbers, one ratio.
    close(levels(1.0, 1.1f64.powi(4), 3), &[1.1, 1.21, 1.331]);
    assert!(levels(1.0, 1.0, 5).is_empty());
    assert!(levels(0.1, 10.0, 0).is_empty());
    for n in 1..15 {
        for (low, high) in [(1e-8, 1.0), (0.3, 0.5), (1e-3, 40.0), (2.0, 19.0)] {
            let found = levels(low, high, n);
            assert!(found.len() <= n && found.len() >= n.min(3), "{low} {high} {n}: {found:?}");
            assert!(found.iter().all(|l| (low..high).contains(l)));
            assert!(found.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
