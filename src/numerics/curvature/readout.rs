//! Owns the second derivative of the loss at the readout: how the error d moves with y.

use crate::numerics::loss::Part;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{Target, Trials};

/// The Hessian of the loss by y at every step of one chunk: an identity (regression) or a softmax's
/// covariance (classification), each times a number.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadoutCurvature<T> {
    n_out: usize,
    /// m / (M n_out) for regression, m / M for classification, [steps, B].
    scale: Vec<T>,
    /// softmax(y) [steps, B, n_out]; empty for regression.
    p: Vec<T>,
}

impl<T: Scalar> ReadoutCurvature<T> {
    /// Takes in the steps from `first_step` whose readout is `y` [steps, B, n_out].
    pub fn prepare(&mut self, trials: &Trials<T>, part: Part, first_step: usize, n_out: usize, y: &[T]) {
        let classes = matches!(trials.target, Target::Labels(_));
        let share = if classes { part.inverse_mask_sum } else { part.inverse_mask_sum / n_out as f64 };
        let rows = y.len().checked_div(n_out).unwrap_or(0);
        let step = |row: usize| [first_step + row / part.n_batch, part.first + row % part.n_batch];
        self.n_out = n_out;
        self.scale.clear();
        self.scale.extend((0..rows).map(|row| T::of(trials.mask[step(row)].f64() * share)));
        self.p.clear();
        if classes {
            self.p.extend_from_slice(y);
            self.p.chunks_exact_mut(n_out.max(1)).for_each(softmax);
        }
    }

    /// Equation (18): `rd` from `ry`, both [steps, B, n_out].
    pub fn tangent(&self, ry: &[T], rd: &mut [T]) {
        let n_out = self.n_out.max(1);
        let rows = rd.chunks_exact_mut(n_out).zip(ry.chunks_exact(n_out)).zip(&self.scale);
        if self.p.is_empty() {
            rows.for_each(|((rd, ry), scale)| {
                rd.iter_mut().zip(ry).for_each(|(rd, ry)| *rd = *scale * *ry);
            });
            return;
        }
        for (((rd, ry), scale), p) in rows.zip(self.p.chunks_exact(n_out)) {
            // p_k (Ry_k - <p, Ry>) as a sum of differences: where one p is near 1 the usual form would
            // subtract two nearly equal numbers, and late in training that is every trial.
            for k in 0..n_out {
                let mut sum = T::zero();
                for j in 0..n_out {
                    sum += p[j] * (ry[k] - ry[j]);
                }
                rd[k] = *scale * p[k] * sum;
            }
        }
    }
}

fn softmax<T: Scalar>(y: &mut [T]) {
    let largest = y.iter().fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
    let mut sum = T::zero();
    for y in y.iter_mut() {
        *y = num_traits::Float::exp(*y - largest);
        sum += *y;
    }
    y.iter_mut().for_each(|y| *y /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The covariance diag(p) - p p^T written out, where one class has nearly all the weight. In f32 the
    /// usual form is off by 1e-3 here; ours by rounding.
    #[test]
    fn the_softmax_tangent_keeps_its_digits_when_one_class_has_nearly_all_the_weight() {
        let y = [9.0f32, 0.5, -0.25];
        let ry = [0.7f32, -1.1, 0.4];
        let mut p = y;
        softmax(&mut p);
        let curvature = ReadoutCurvature { n_out: 3, scale: vec![0.5], p: p.to_vec() };
        let mut rd = [0.0f32; 3];
        curvature.tangent(&ry, &mut rd);
        let exp: Vec<f64> = y.iter().map(|y| f64::from(*y).exp()).collect();
        let sum: f64 = exp.iter().sum();
        for k in 0..3 {
            let expected: f64 = (0..3)
                .map(|j| {
                    let hot = if j == k { 1.0 } else { 0.0 };
                    0.5 * exp[k] / sum * (hot - exp[j] / sum) * f64::from(ry[j])
                })
                .sum();
            // A few roundings of f32 (6e-8 each), and the exponentials' own.
            assert!((f64::from(rd[k]) - expected).abs() < 2e-6 * expected.abs(), "{} {expected}", rd[k]);
        }
    }
}
