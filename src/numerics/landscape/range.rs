//! Owns how far a slice looks: its axes, and the automatic ranges.

use super::plane::Coordinates;

/// One axis of a slice, from low to high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lowest coordinate.
    pub low: f64,
    /// Highest coordinate.
    pub high: f64,
}

impl Range {
    /// `reach` to either side of the centre.
    pub fn around_centre(reach: f64) -> Self {
        Self { low: -reach, high: reach }
    }

    /// `n` evenly spaced coordinates. Where the range holds the centre, 0 is one of them (with n > 1; the range
    /// is moved by at most half a space for that). An axis with twice the spaces has the same coordinates, bit
    /// by bit, at every second place, but for one at an end where it is moved the other way.
    ///
    /// ```
    /// use basinscope::numerics::landscape::range::Range;
    /// assert_eq!(Range::around_centre(1.0).axis(5), [-1.0, -0.5, 0.0, 0.5, 1.0]);
    /// assert_eq!(Range { low: -1.1, high: 2.9 }.axis(5), [-1.0, 0.0, 1.0, 2.0, 3.0]);
    /// ```
    pub fn axis(&self, n: usize) -> Vec<f64> {
        let Self { low, high } = *self;
        if n < 2 {
            return vec![0.5 * (low + high); n];
        }
        let space = (high - low) / (n - 1) as f64;
        if low > 0.0 || high < 0.0 || space == 0.0 {
            return (0..n).map(|i| low + i as f64 * space).collect();
        }
        let centre = (-low / space).round();
        (0..n).map(|i| (i as f64 - centre) * space).collect()
    }
}

/// 1.2 times the extent of a path: a tenth of it is added at each end. The centre (0, 0) counts as part of the
/// path. An axis along which the path does not extend takes the other one's extent, and both 1 where there is
/// none; points that are not finite are left out.
pub fn of_path(path: &[Coordinates]) -> [Range; 2] {
    let mut ranges = [Range { low: 0.0, high: 0.0 }; 2];
    for point in path.iter().filter(|p| p.a.is_finite() && p.b.is_finite()) {
        for (range, value) in ranges.iter_mut().zip([point.a, point.b]) {
            *range = Range { low: range.low.min(value), high: range.high.max(value) };
        }
    }
    let extents = ranges.map(|r| r.high - r.low);
    // Less than a thousandth of the other axis cannot be seen beside it.
    let least = 1e-3 * extents[0].max(extents[1]);
    let fallback = if least > 0.0 { 500.0 * least } else { 1.0 };
    for (range, extent) in ranges.iter_mut().zip(extents) {
        *range = if extent > least {
            Range { low: range.low - 0.1 * extent, high: range.high + 0.1 * extent }
        } else {
            Range::around_centre(fallback)
        };
    }
    ranges
}

/// The reach along a direction at which the loss, on the higher side, is about `factor` times (SCIENCE: 10)
/// what it is at the centre. `loss(s)` is the loss at s; `scale` is a length to start from, for example the
/// norm of the weights.
///
/// Found by doubling or halving and then by bisection of the logarithm, to 5 %. A loss that is not finite
/// counts as higher. Where the loss does not get there within 1000 `scale`, or is 0 or not finite at the
/// centre, the reach is `scale`.
pub fn reach_of_growth(loss: &dyn Fn(f64) -> f64, scale: f64, factor: f64) -> f64 {
    let goal = factor * loss(0.0);
    if !(goal.is_finite() && goal > 0.0) {
        return scale;
    }
    let is_higher = |s: f64| !(loss(s) < goal && loss(-s) < goal);
    let (mut low, mut high) = (0.01 * scale, 0.01 * scale);
    if is_higher(high) {
        while is_higher(low) {
            (low, high) = (0.5 * low, low);
            if low < 1e-12 * scale {
                return scale;
            }
        }
    } else {
        while !is_higher(high) {
            (low, high) = (high, 2.0 * high);
            if high > 1e3 * scale {
                return scale;
            }
        }
    }
    while high > 1.05 * low {
        let middle = (low * high).sqrt();
        if is_higher(middle) { high = middle } else { low = middle }
    }
    high
}
