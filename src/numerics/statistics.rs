//! Owns the comparison of two settings over the same seeds: [`Paired`], Student's test on differences by pairs.

pub mod bootstrap;
pub mod correlation;
pub mod histogram;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// What differences by pairs say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// Pairs.
    pub n: usize,
    /// Mean difference.
    pub mean: f64,
    /// Sample standard deviation of the differences.
    pub sd: f64,
    /// 95 % confidence interval of the mean difference.
    pub interval: (f64, f64),
    /// Probability of a mean difference at least as far from 0, were there none (two-sided).
    pub p: f64,
    /// Pairs with which a difference of this size would be found (two-sided, 5 %) in four of five studies;
    /// `None` where the mean is 0, or where they would be a million or more.
    pub pairs_needed: Option<usize>,
}

/// Mean and sample standard deviation (0 for one value); `None` without values.
///
/// ```
/// use basinscope::numerics::statistics::mean_and_sd;
/// assert_eq!(mean_and_sd(&[1.0, 2.0, 3.0]), Some((2.0, 1.0)));
/// ```
pub fn mean_and_sd(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    Some((mean, if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 }))
}

/// The middle value, or the mean of the two in the middle; `None` without values.
///
/// ```
/// use basinscope::numerics::statistics::median;
/// assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[])), (Some(2.0), Some(2.5), None));
/// ```
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n.is_multiple_of(2) => Some(0.5 * (sorted[middle - 1] + sorted[middle])),
        _ => Some(sorted[middle]),
    }
}

/// The values below which these shares of all lie, each in [0, 1]; between two values in proportion (numpy's default).
/// `None` without values.
///
/// ```
/// use basinscope::numerics::statistics::quantiles;
/// assert_eq!(quantiles(&[4.0, 1.0, 3.0, 2.0], [0.25, 1.0]), Some([1.75, 4.0]));
/// assert_eq!(quantiles(&[1.0, 2.0, f64::INFINITY], [0.5]), Some([2.0]));
/// assert_eq!(quantiles(&[], [0.5]), None);
/// ```
pub fn quantiles<const N: usize>(values: &[f64], shares: [f64; N]) -> Option<[f64; N]> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)? as f64;
    Some(shares.map(|share| {
        let place = share.clamp(0.0, 1.0) * last;
        let (left, right) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        // Infinity less infinity is nothing.
        if left == right { left } else { left + place.fract() * (right - left) }
    }))
}

/// Level of the test and of the interval, and the power asked for.
const LEVEL: f64 = 0.05;
const POWER: f64 = 0.8;

/// Student's paired test. It takes the differences as draws from one normal distribution; ratios of positive
/// quantities are compared by the differences of their logarithms.
///
/// `None` for fewer than two pairs, or where a difference is not finite.
///
/// Source: Student 1908; pairs needed by the normal approximation with Guenther's correction (1981).
///
/// ```
/// use basinscope::numerics::statistics::paired;
/// let found = paired(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
/// assert_eq!(found.mean, 3.0);
/// assert!((found.p - 0.013_236).abs() < 1e-6);
/// ```
pub fn paired(differences: &[f64]) -> Option<Paired> {
    let n = differences.len();
    if n < 2 || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let (mean, sd) = mean_and_sd(differences)?;
    if sd == 0.0 {
        let (p, pairs_needed) = if mean == 0.0 { (1.0, None) } else { (0.0, Some(2)) };
        return Some(Paired { n, mean, sd, interval: (mean, mean), p, pairs_needed });
    }
    let error = sd / (n as f64).sqrt();
    let student = StudentsT::new(0.0, 1.0, (n - 1) as f64).ok()?;
    let reach = student.inverse_cdf(1.0 - LEVEL / 2.0) * error;
    let p = 2.0 * student.cdf(-(mean / error).abs());
    Some(Paired { n, mean, sd, interval: (mean - reach, mean + reach), p, pairs_needed: needed(mean / sd) })
}

/// Pairs needed to find an effect of so many standard deviations.
fn needed(effect: f64) -> Option<usize> {
    let normal = Normal::new(0.0, 1.0).ok()?;
    let (z, power) = (normal.inverse_cdf(1.0 - LEVEL / 2.0), normal.inverse_cdf(POWER));
    let n = ((z + power) / effect).powi(2) + z * z / 2.0;
    (n < 1e6).then(|| (n.ceil() as usize).max(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::random::{Purpose, Stream};

    #[test]
    fn quantiles_are_ranks_turn_with_their_values_and_have_the_median_in_the_middle() {
        let mut stream = Stream::new(3, Purpose::Measures);
        for n in [1usize, 2, 5, 8, 101] {
            let values: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            let of = |values: &[f64], share: f64| quantiles(values, [share]).expect("there are values")[0];
            let middle = median(&values).expect("there are values");
            assert!((of(&values, 0.5) - middle).abs() < 1e-15, "{n}");
            // At a rank k / (n - 1) it is the value of that rank: as many are no larger.
            for k in 0..n {
                let at = of(&values, k as f64 / (n - 1).max(1) as f64);
                let below = values.iter().filter(|v| **v <= at + 1e-12).count();
                assert_eq!(below, if n == 1 { 1 } else { k + 1 }, "{n}, {k}");
            }
            let turned: Vec<f64> = values.iter().map(|v| 2.0 - 3.0 * v).collect();
            for share in [0.0, 0.1, 0.25, 0.6, 1.0] {
                assert!((of(&turned, 1.0 - share) - (2.0 - 3.0 * of(&values, share))).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_worked_example_of_the_test() {
        // Student's own data: hours of sleep gained by two drugs, ten patients (Student 1908).
        let one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let differences: Vec<f64> = one.iter().zip(&two).map(|(a, b)| a - b).collect();
        let found = paired(&differences).expect("ten pairs");
        assert!((found.mean + 1.58).abs() < 1e-12);
        // R: t.test(extra ~ group, data = sleep, paired = TRUE): p-value = 0.002833, -2.4598858 to -0.7001142.
        assert!((found.p - 0.002_833).abs() < 5e-7, "{}", found.p);
        assert!(
            (found.interval.0 + 2.459_885_8).abs() < 1e-6 && (found.interval.1 + 0.700_114_2).abs() < 1e-6
        );
    }

    #[test]
    fn the_interval_covers_the_truth_in_95_of_100_studies() {
        let mut stream = Stream::new(5, Purpose::Measures);
        let studies = 4000;
        let covered = (0..studies)
            .filter(|_| {
                let drawn: Vec<f64> = (0..6).map(|_| 0.3 + stream.normal()).collect();
                let (low, high) = paired(&drawn).expect("six pairs").interval;
                low <= 0.3 && 0.3 <= high
            })
            .count();
        // Binomial: 0.95 with a standard deviation of 0.0034.
        let share = covered as f64 / f64::from(studies);
        assert!((share - 0.95).abs() < 0.012, "{share}");
    }

    #[test]
    fn with_the_pairs_needed_four_of_five_studies_find_the_effect() {
        let effect = 0.7;
        let n = needed(effect).expect("an effect");
        let mut stream = Stream::new(6, Purpose::Measures);
        let studies = 4000;
        let found = (0..studies)
            .filter(|_| {
                let drawn: Vec<f64> = (0..n).map(|_| effect + stream.normal()).collect();
                paired(&drawn).expect("pairs").p < LEVEL
            })
            .count();
        // Binomial: 0.8 with a standard deviation of 0.0063; rounding up to whole pairs adds up to 0.02.
        let share = found as f64 / f64::from(studies);
        assert!((0.78..0.85).contains(&share), "{share} with {n} pairs");
    }

    #[test]
    fn what_cannot_be_tested_is_not() {
        assert_eq!(paired(&[1.0]), None);
        assert_eq!(paired(&[1.0, f64::NAN]), None);
        assert_eq!(paired(&[0.0, 0.0]).map(|f| (f.p, f.pairs_needed)), Some((1.0, None)));
        assert_eq!(paired(&[2.0, 2.0]).map(|f| f.p), Some(0.0));
    }
}
