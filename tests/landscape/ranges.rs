//! How far a slice looks.

use basinscope::numerics::landscape::plane::Coordinates;
use basinscope::numerics::landscape::range::{Range, of_path, reach_of_growth};

#[test]
fn axes_are_even_and_hold_the_centre() {
    for n in [2, 3, 8, 51, 400] {
        for (low, high) in [(-1.0, 1.0), (-0.37, 2.1), (-5.0, 0.0), (0.0, 0.1), (1.0, 3.0)] {
            let axis = Range { low, high }.axis(n);
            let space = (high - low) / (n - 1) as f64;
            assert_eq!(axis.len(), n);
            assert_eq!(axis.contains(&0.0), low <= 0.0 && high >= 0.0);
            // Rounding of a product, and of the centre's place.
            assert!(axis.windows(2).all(|w| (w[1] - w[0] - space).abs() < 1e-12 * (high - low)));
            assert!((axis[0] - low).abs() <= 0.5 * space * (1.0 + 1e-9));
        }
    }
    assert_eq!(Range::around_centre(0.0).axis(3), [0.0; 3]);
}

#[test]
fn the_range_of_a_path_is_1_2_times_its_extent() {
    let at = |a, b| Coordinates { a, b, distance: 0.0 };
    let close = |range: Range, low: f64, high: f64| {
        assert!((range.low - low).abs() < 1e-14 && (range.high - high).abs() < 1e-14, "{range:?}");
    };
    let [a, b] = of_path(&[at(-4.0, 1.0), at(-2.0, -1.0), at(f64::NAN, f64::INFINITY)]);
    close(a, -4.4, 0.4);
    close(b, -1.2, 1.2);
    // A straight path takes its own extent for the other axis; none at all takes 1.
    let [a, b] = of_path(&[at(2.0, 0.0)]);
    close(a, -0.2, 2.2);
    close(b, -1.0, 1.0);
    let [a, b] = of_path(&[]);
    close(a, -1.0, 1.0);
    close(b, -1.0, 1.0);
}

/// Along s the loss c (1 + k s^2) is ten times c at s = 3 / sqrt k.
#[test]
fn the_reach_along_an_eigenvector_is_where_the_loss_is_ten_times_the_centre() {
    for k in [1e-6, 1e-2, 1.0, 1e4, 1e10] {
        for scale in [0.1, 1.0, 30.0] {
            let expected: f64 = 3.0 / f64::sqrt(k);
            let reach = reach_of_growth(&|s| 0.02 * (1.0 + k * s * s), scale, 10.0);
            if expected < 900.0 * scale {
                assert!((reach / expected - 1.0).abs() < 0.06, "{k} {scale}: {reach} {expected}");
            } else {
                assert_eq!(reach, scale);
            }
        }
    }
    // The higher of the two sides counts, and what is not finite counts as higher.
    let one_sided = reach_of_growth(&|s| if s < -0.5 { f64::NAN } else { 1.0 }, 1.0, 10.0);
    assert!((0.5..0.53).contains(&one_sided), "{one_sided}");
    assert_eq!(reach_of_growth(&|_| 0.0, 2.0, 10.0), 2.0);
    assert_eq!(reach_of_growth(&|_| f64::NAN, 2.0, 10.0), 2.0);
    assert_eq!(reach_of_growth(&|_| 1.0, 2.0, 10.0), 2.0);
    assert_eq!(reach_of_growth(&|s| if s == 0.0 { 1.0 } else { f64::INFINITY }, 2.0, 10.0), 2.0);
}
