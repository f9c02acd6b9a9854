//! Owns [`Correlation`]: Pearson's and Spearman's coefficients with their p-values.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// How two quantities go together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// Pairs of values.
    pub n: usize,
    /// The coefficient, in [-1, 1].
    pub r: f64,
    /// Probability of a coefficient at least as far from 0, were there no dependence (two-sided): exact for
    /// Pearson's of normal values, Student's approximation for Spearman's.
    pub p: f64,
}

/// Pearson's r of pairs (x, y), with t = r sqrt((n - 2) / (1 - r^2)) against Student's distribution.
///
/// `None` for fewer than three pairs, where one of the two does not vary, or where a value is not finite.
///
/// Source: Student 1908; Fisher 1915.
///
/// ```
/// use basinscope::numerics::statistics::correlation::pearson;
/// let found = pearson(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]).unwrap();
/// assert!((found.r - 0.5).abs() < 1e-12);
/// ```
pub fn pearson(pairs: &[(f64, f64)]) -> Option<Correlation> {
    let n = pairs.len();
    if n < 3 || pairs.iter().any(|(x, y)| !(x.is_finite() && y.is_finite())) {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n as f64;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|(x, y)| of(x - mx, y - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    let same = |of: fn(&(f64, f64)) -> f64| pairs.iter().all(|pair| of(pair) == of(&pairs[0]));
    if same(|p| p.0) || same(|p| p.1) || xx == 0.0 || yy == 0.0 {
        return None;
    }
    let r = (xy / xx.sqrt() / yy.sqrt()).clamp(-1.0, 1.0);
    let freedom = (n - 2) as f64;
    let t = r * (freedom / (1.0 - r * r)).sqrt();
    let p = if t.is_finite() { 2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.cdf(-t.abs()) } else { 0.0 };
    Some(Correlation { n, r, p })
}

/// Spearman's coefficient: Pearson's of the ranks, equal values sharing the mean of their ranks.
///
/// `None` as for [`pearson`], except that infinite values have ranks too.
///
/// Source: Spearman 1904; Kendall 1945 for equal values.
///
/// ```
/// use basinscope::numerics::statistics::correlation::spearman;
/// let found = spearman(&[(1.0, 1.0), (2.0, 8.0), (3.0, 27.0)]).unwrap();
/// assert!((found.r - 1.0).abs() < 1e-15);
/// ```
pub fn spearman(pairs: &[(f64, f64)]) -> Option<Correlation> {
    if pairs.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
        return None;
    }
    let x = ranks(pairs.iter().map(|p| p.0).collect());
    let y = ranks(pairs.iter().map(|p| p.1).collect());
    pearson(&x.into_iter().zip(y).collect::<Vec<_>>())
}

/// The rank of each value, from 1.
fn ranks(values: Vec<f64>) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let before = order.partition_point(|i| values[*i] < values[equal[0]]);
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|i| ranks[*i] = rank);
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::random::{Purpose, Stream};

    fn close(found: Option<Correlation>, r: f64, p: f64) {
        let found = found.expect("a coefficient");
        // Both sides are right to rounding and to the accuracy of the distribution function.
        assert!((found.r - r).abs() < 1e-13, "{} {r}", found.r);
        assert!((found.p / p - 1.0).abs() < 1e-9, "{} {p}", found.p);
    }

    #[test]
    fn coefficients_are_those_of_scipy() {
        // scipy 1.10.1, pearsonr and spearmanr; Anscombe's first data.
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let pairs: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
        close(pearson(&pairs), 0.81642051634484, 0.002169628873078783);
        close(spearman(&pairs), 0.8181818181818182, 0.0020831448404786904);
        // The same, with equal values.
        let x = [1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 8.0, 8.0];
        let y = [3.0, -1.0, 2.0, 2.0, 0.5, -4.0, -4.0, 1.0];
        let pairs: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
        close(pearson(&pairs), -0.7026046926208318, 0.05196254617226976);
        close(spearman(&pairs), -0.7019852323519773, 0.05226084859149601);
    }

    #[test]
    fn without_dependence_p_is_below_five_percent_in_five_of_hundred_studies() {
        let mut stream = Stream::new(2, Purpose::Measures);
        let (mut below, mut below_by_rank) = (0, 0);
        let studies = 4000;
        for _ in 0..studies {
            let pairs: Vec<(f64, f64)> = (0..12).map(|_| (stream.normal(), stream.normal())).collect();
            below += usize::from(pearson(&pairs).is_some_and(|c| c.p < 0.05));
            below_by_rank += usize::from(spearman(&pairs).is_some_and(|c| c.p < 0.05));
        }
        // Binomial: standard deviation 0.0034; ranks of 12 are approximate.
        for count in [below, below_by_rank] {
            let share = count as f64 / f64::from(studies);
            assert!((share - 0.05).abs() < 0.02, "{share}");
        }
    }

    #[test]
    fn what_has_no_coefficient_has_none() {
        assert_eq!(pearson(&[(1.0, 2.0), (2.0, 3.0)]), None);
        assert_eq!(pearson(&[(1.0, 2.0), (1.0, 3.0), (1.0, 4.0)]), None);
        assert_eq!(pearson(&[(1.0, 2.0), (f64::INFINITY, 3.0), (1.0, 4.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (f64::NAN, 3.0), (1.0, 4.0)]), None);
        // On a line r is 1 to rounding, and p with one degree of freedom about the root of that.
        let straight = pearson(&[(0.0, 0.0), (1.0, 2.0), (3.0, 6.0)]).expect("a coefficient");
        assert!(straight.n == 3 && 1.0 - straight.r < 1e-15 && straight.p < 1e-7);
        let infinite = [(f64::NEG_INFINITY, -1.0), (0.0, 0.0), (f64::INFINITY, 3.0)];
        assert!(spearman(&infinite).is_some_and(|c| 1.0 - c.r < 1e-15));
    }
}
