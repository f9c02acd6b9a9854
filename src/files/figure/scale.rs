//! Owns [`Scale`]: how a value is placed on an axis, and where its ticks stand.

use super::number;

/// The scale of an axis. A place is a coordinate in which equal distances are equal steps on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// The place is the value.
    Linear,
    /// The place is log10 of the value; values that are not positive have none.
    Log,
    /// The place is asinh(v / (2 threshold)) / ln 10: linear well inside `threshold`, sign(v) log10(|v| /
    /// threshold) well outside. It is odd, so both signs are drawn.
    SignedLog {
        /// Where the linear part ends, in the value's unit; positive.
        threshold: f64,
    },
}

/// A tick or a grid line.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Where.
    pub place: f64,
    /// Its number; empty on a line between numbered ones.
    pub label: String,
}

impl Scale {
    /// The place of a value; `None` where the scale cannot show it (not finite, or not positive on a
    /// logarithmic axis).
    pub fn place(self, value: f64) -> Option<f64> {
        let place = match self {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => return None,
            Scale::SignedLog { threshold } => (value / (2.0 * threshold)).asinh() / std::f64::consts::LN_10,
        };
        place.is_finite().then_some(place)
    }

    /// The value at a place.
    pub fn value(self, place: f64) -> f64 {
        match self {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
            Scale::SignedLog { threshold } => 2.0 * threshold * (place * std::f64::consts::LN_10).sinh(),
        }
    }

    /// Ticks from place `low` to place `high`, of which at most about `room` (at least 2) carry a number, in
    /// rising order.
    pub fn ticks(self, low: f64, high: f64, room: usize) -> Vec<Tick> {
        let room = room.max(2);
        // A view without extent, or one so far out that places no longer differ, has no ticks.
        if !(low.is_finite() && high.is_finite()) || high - low <= 1e-12 * low.abs().max(high.abs()) {
            return Vec::new();
        }
        match self {
            Scale::Linear => linear_ticks(low, high, room),
            Scale::Log => log_ticks(low, high, room),
            Scale::SignedLog { threshold } => self.signed_log_ticks(low, high, room, threshold),
        }
    }

    fn signed_log_ticks(self, low: f64, high: f64, room: usize, threshold: f64) -> Vec<Tick> {
        let (bottom, top) = (self.value(low), self.value(high));
        if !(bottom.is_finite() && top.is_finite()) {
            return Vec::new();
        }
        // All on one side and far from the linear part it is a logarithmic axis.
        if bottom > 10.0 * threshold || top < -10.0 * threshold {
            let (sign, from, to) =
                if bottom > 0.0 { (1.0, bottom, top) } else { (-1.0, top.abs(), bottom.abs()) };
            let mut ticks: Vec<Tick> = log_ticks(from.log10(), to.log10(), room)
                .into_iter()
                .filter_map(|tick| {
                    let value = sign * 10f64.powf(tick.place);
                    let label = if tick.label.is_empty() { tick.label } else { number::log_tick(value) };
                    Some(Tick { place: self.place(value)?, label })
                })
                .collect();
            ticks.sort_by(|a, b| a.place.total_cmp(&b.place));
            return ticks;
        }
        if top.abs().max(bottom.abs()) < threshold {
            return linear_ticks(bottom, top, room)
                .into_iter()
                .filter_map(|tick| Some(Tick { place: self.place(tick.place)?, ..tick }))
                .collect();
        }
        // Zero, and decades on both sides. Numbers go from the outermost decade inwards, for the largest magnitudes
        // are what one reads; each only where it does not crowd another.
        let first = threshold.log10().ceil() as i32;
        let last = top.abs().max(bottom.abs()).log10().floor() as i32;
        let lines = ((last - first) / 40).max(1);
        let apart = (high - low) / room as f64;
        let inside = |value: f64| self.place(value).filter(|place| (low..=high).contains(place));
        let mut ticks = Vec::new();
        let mut numbered = Vec::new();
        if let Some(place) = inside(0.0) {
            ticks.push(Tick { place, label: number::log_tick(0.0) });
            numbered.push(place);
        }
        for decade in (first..=last).rev().filter(|decade| (last - decade) % lines == 0) {
            // Between decades as many lines as on a logarithmic axis, where they are few.
            let digits = if last - first <= 6 { 1..=9 } else { 1..=1 };
            for value in
                digits.flat_map(|digit| [1.0, -1.0].map(|s| s * f64::from(digit) * 10f64.powi(decade)))
            {
                let Some(place) = inside(value) else { continue };
                let is_decade = value.abs() == 10f64.powi(decade);
                let label = if is_decade && numbered.iter().all(|n: &f64| (n - place).abs() >= apart) {
                    numbered.push(place);
                    number::log_tick(value)
                } else {
                    String::new()
                };
                ticks.push(Tick { place, label });
            }
        }
        ticks.sort_by(|a, b| a.place.total_cmp(&b.place));
        ticks
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `raw`.
fn nice_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.log10().floor());
    let ratio = raw / power;
    // A hair of slack: 5.000000001 is 5.
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| ratio <= f * (1.0 + 1e-9)).unwrap_or(10.0);
    factor * power
}

fn linear_ticks(low: f64, high: f64, room: usize) -> Vec<Tick> {
    let within = |step: f64| {
        let first = (low / step - 1e-9).ceil();
        (first, (((high / step + 1e-9).floor() - first) as i64).clamp(-1, 2 * room as i64) + 1)
    };
    let mut step = nice_step((high - low) / room as f64);
    // One number alone tells nothing of the scale: the next finer step.
    if within(step).1 < 2 {
        step = nice_step(step / 2.5);
    }
    let (first, count) = within(step);
    (0..count)
        .map(|i| {
            let value = (first + i as f64) * step;
            Tick { place: value, label: number::tick(value, step) }
        })
        .collect()
}

fn log_ticks(low: f64, high: f64, room: usize) -> Vec<Tick> {
    let decades = high - low;
    // Less than about a decade in view: numbers that are round as values, placed by their logarithm.
    if decades < 0.9 {
        let (bottom, top) = (10f64.powf(low), 10f64.powf(high));
        return linear_ticks(bottom, top, room)
            .into_iter()
            .filter(|tick| tick.place > 0.0)
            .map(|tick| Tick { place: tick.place.log10(), ..tick })
            .collect();
    }
    let (first, last) = (low.floor() as i32, high.floor() as i32);
    let stride = ((decades / room as f64).ceil() as i32).max(1);
    let lines = (stride / 10).max(1);
    let per_decade = room as f64 / decades;
    let between: &[f64] = if per_decade >= 3.0 { &[2.0, 5.0] } else { &[] };
    let mut ticks = Vec::new();
    for decade in first..=last {
        for digit in 1..=9 {
            let place = f64::from(decade) + f64::from(digit).log10();
            let drawn = decade.rem_euclid(lines) == 0 && (stride == 1 || digit == 1);
            if !drawn || !(low..=high).contains(&place) {
                continue;
            }
            let labelled =
                if digit == 1 { decade.rem_euclid(stride) == 0 } else { between.contains(&f64::from(digit)) };
            let value = f64::from(digit) * 10f64.powi(decade);
            ticks.push(Tick { place, label: if labelled { number::log_tick(value) } else { String::new() } });
        }
    }
    ticks
}

/// A threshold for [`Scale::SignedLog`] that shows values between `smallest` and `largest` in magnitude: a
/// power of ten at or below `smallest`, at most so many decades below `largest`.
pub fn threshold(smallest: f64, largest: f64, decades: i32) -> f64 {
    if !(largest.is_finite() && largest > 0.0) {
        return 1.0;
    }
    let floor = largest.log10().floor() - f64::from(decades);
    let wanted = if smallest > 0.0 { smallest.log10().floor() } else { floor };
    10f64.powf(wanted.max(floor).clamp(-300.0, 300.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALES: [Scale; 4] = [
        Scale::Linear,
        Scale::Log,
        Scale::SignedLog { threshold: 0.01 },
        Scale::SignedLog { threshold: 1.0 },
    ];

    #[test]
    fn value_inverts_place() {
        for scale in SCALES {
            for value in [-1e4, -3.0, -1e-3, 0.0, 1e-5, 0.4, 7.0, 1e6] {
                if let Some(place) = scale.place(value) {
                    let back = scale.value(place);
                    // asinh and sinh are each right to a few units in the last place of a place below 20.
                    assert!(
                        (back - value).abs() <= 1e-12 * value.abs().max(1e-3),
                        "{scale:?} {value} {back}"
                    );
                }
            }
        }
    }

    #[test]
    fn only_a_logarithmic_axis_refuses_values_that_are_not_positive() {
        assert_eq!(Scale::Log.place(0.0), None);
        assert_eq!(Scale::Log.place(-1.0), None);
        assert!(Scale::SignedLog { threshold: 1.0 }.place(-1.0).is_some());
        for scale in SCALES {
            assert_eq!(scale.place(f64::NAN), None);
            assert_eq!(scale.place(f64::INFINITY), None);
        }
    }

    #[test]
    fn signed_log_is_odd_and_logarithmic_far_out() {
        let scale = Scale::SignedLog { threshold: 0.1 };
        let place = |v| scale.place(v).unwrap();
        assert_eq!(place(-50.0), -place(50.0));
        // asinh(x) = ln 2x + O(1/x^2): a decade far out is one unit of place.
        assert!((place(1e6) - place(1e5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn ticks_rise_stay_inside_and_do_not_crowd() {
        for scale in SCALES {
            for (low, high) in
                [(0.0, 1.0), (-5.0, 3.0), (-0.2, 0.1), (2.0, 2.3), (1e3, 1.1e3), (-300.0, 300.0)]
            {
                for room in [2, 4, 9] {
                    let ticks = scale.ticks(low, high, room);
                    let inside = |t: &Tick| t.place >= low - 1e-9 && t.place <= high + 1e-9;
                    assert!(ticks.iter().all(inside), "{scale:?} {low} {high} {ticks:?}");
                    assert!(ticks.windows(2).all(|w| w[0].place < w[1].place), "{scale:?} {ticks:?}");
                    let labelled = ticks.iter().filter(|t| !t.label.is_empty()).count();
                    assert!(labelled <= 2 * room + 2, "{scale:?} {low} {high} {room}: {labelled}");
                    assert!(ticks.len() <= 200, "{scale:?} {low} {high} {room}: {}", ticks.len());
                }
            }
        }
    }

    #[test]
    fn decades_carry_the_numbers_of_a_logarithmic_axis() {
        let labels = |low, high, room| -> Vec<String> {
            let ticks = Scale::Log.ticks(low, high, room);
            ticks.into_iter().filter(|t| !t.label.is_empty()).map(|t| t.label).collect()
        };
        assert_eq!(labels(-3.0, 0.0, 5), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(-8.0, 0.0, 4), ["1e-8", "1e-6", "1e-4", "0.01", "1"].map(String::from));
        assert_eq!(labels(-1.1, 0.1, 6), ["0.1", "0.2", "0.5", "1"]);
        // Half a decade: round values, not powers.
        assert_eq!(labels(0.0, 0.48, 4), ["1", "2", "3"].map(String::from));
    }

    #[test]
    fn a_signed_axis_numbers_zero_and_decades_that_do_not_crowd() {
        let scale = Scale::SignedLog { threshold: 0.01 };
        let (low, high) = (scale.place(-5.0).unwrap(), scale.place(150.0).unwrap());
        let labels = |room| -> Vec<String> {
            let ticks = scale.ticks(low, high, room);
            ticks.into_iter().filter(|t| !t.label.is_empty()).map(|t| t.label).collect()
        };
        assert_eq!(labels(7), ["-1", "-0.1", "0", "0.1", "1", "10", "100"]);
        assert_eq!(labels(4), ["-1", "0", "1", "100"]);
        assert_eq!(labels(2), ["0", "100"]);
    }

    #[test]
    fn a_linear_axis_has_at_least_two_numbers() {
        for (low, high) in [(0.1, 2.0), (0.9, 1.1), (-3.9, 3.9), (-1.05, 0.99), (1.0, 8.0), (0.0, 1e-3)] {
            let ticks = Scale::Linear.ticks(low, high, 2);
            assert!((2..=5).contains(&ticks.len()), "{low} to {high}: {ticks:?}");
        }
    }

    #[test]
    fn a_view_without_extent_has_no_ticks() {
        for scale in SCALES {
            assert!(scale.ticks(1.0, 1.0, 5).is_empty());
            assert!(scale.ticks(f64::NAN, 1.0, 5).is_empty());
            assert!(scale.ticks(1.0, f64::INFINITY, 5).is_empty());
        }
    }

    #[test]
    fn the_threshold_is_a_power_of_ten_within_six_decades() {
        assert_eq!(threshold(0.03, 50.0, 6), 0.01);
        assert!((threshold(1e-12, 50.0, 6) / 1e-5 - 1.0).abs() < 1e-12);
        assert_eq!(threshold(0.03, 50.0, 2), 0.1);
        assert_eq!(threshold(0.0, f64::NAN, 6), 1.0);
    }
}
