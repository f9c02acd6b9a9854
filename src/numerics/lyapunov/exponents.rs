//! Owns [`Exponents`], the result of every spectrum, and what is read from it.

use ndarray::Array2;

/// Lyapunov exponents of a batch of trajectories, in nats per step, in the order of the QR (nearly descending).
#[derive(Clone, Debug, PartialEq)]
pub struct Exponents {
    /// Mean over the trials that are not silent, [n]. -inf where a trial has -inf, NaN where no trial or no
    /// step is left.
    pub mean: Vec<f64>,
    /// Sample standard deviation over the same trials, [n]; NaN where the mean is not finite, 0 for one trial.
    pub sd: Vec<f64>,
    /// Each trial's own, [B, n]: -inf where a pivot fell under the floor, NaN in the rows of silent trials.
    pub per_trial: Array2<f64>,
    /// Steps left out at the start.
    pub skip: usize,
    /// How many of `mean` are finite.
    pub finite: usize,
    /// Trials left out: their state never left zero, or fell silent (J = 0).
    pub silent_trials: usize,
    /// Means over the steps up to each one, [T - skip, n], where they were asked for.
    pub convergence: Option<Array2<f64>>,
}

impl Exponents {
    /// From each trial's exponents; a row of NaN only is a silent trial unless `no_steps`.
    pub(super) fn new(per_trial: Array2<f64>, silent: &[bool], skip: usize) -> Self {
        let counted: Vec<_> =
            per_trial.rows().into_iter().zip(silent).filter(|(_, s)| !**s).map(|(r, _)| r).collect();
        let count = counted.len() as f64;
        let mean: Vec<f64> =
            (0..per_trial.ncols()).map(|i| counted.iter().map(|r| r[i]).sum::<f64>() / count).collect();
        let sd = |(i, mean): (usize, &f64)| match counted.len() {
            _ if !mean.is_finite() => f64::NAN,
            1 => 0.0,
            _ => (counted.iter().map(|r| (r[i] - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt(),
        };
        let sd = mean.iter().enumerate().map(sd).collect();
        let finite = mean.iter().filter(|l| l.is_finite()).count();
        let silent_trials = silent.iter().filter(|s| **s).count();
        Self { mean, sd, per_trial, skip, finite, silent_trials, convergence: None }
    }

    /// The largest of the means; NaN where there is none.
    pub fn max(&self) -> f64 {
        self.mean.iter().copied().fold(f64::NAN, f64::max)
    }

    /// Sum of the finite means; NaN where none is finite. With all exponents finite it is the mean of
    /// ln |det J|.
    pub fn sum(&self) -> f64 {
        if self.finite == 0 {
            return f64::NAN;
        }
        self.mean.iter().filter(|l| l.is_finite()).sum()
    }

    /// Kaplan-Yorke dimension of the means, see [`kaplan_yorke_dimension`].
    pub fn kaplan_yorke_dimension(&self) -> f64 {
        kaplan_yorke_dimension(&self.mean)
    }

    /// Sum of the positive means, in nats per step: the entropy rate by Pesin's identity, an upper bound of it
    /// in general. NaN where there is no exponent.
    pub fn entropy_rate(&self) -> f64 {
        if self.mean.iter().any(|l| l.is_nan()) {
            return f64::NAN;
        }
        self.mean.iter().filter(|l| **l > 0.0).sum()
    }
}

/// Kaplan-Yorke dimension: `j + (lambda_1 + ... + lambda_j) / |lambda_{j+1}|`, lambda descending and j the
/// largest number with a sum that is not negative; all of them where the sum never is; NaN where one is NaN.
///
/// Source: Kaplan and Yorke 1979.
///
/// ```
/// use basinscope::numerics::lyapunov::kaplan_yorke_dimension;
/// assert_eq!(kaplan_yorke_dimension(&[0.5, 0.0, -1.0]), 2.5);
/// assert_eq!(kaplan_yorke_dimension(&[-0.1, -0.2]), 0.0);
/// ```
pub fn kaplan_yorke_dimension(exponents: &[f64]) -> f64 {
    if exponents.iter().any(|l| l.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = exponents.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    for (j, lambda) in sorted.iter().enumerate() {
        if sum + lambda < 0.0 {
            return j as f64 + sum / lambda.abs();
        }
        sum += lambda;
    }
    sorted.len() as f64
}
