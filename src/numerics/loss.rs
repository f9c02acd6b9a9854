//! Owns the loss, its derivatives at the readout, and accuracy.
//!
//! Mask `m[T, B] >= 0`, M = sum m over the whole batch:
//!
//! ```text
//! regression      L = 1/(2 M n_out) * sum m (y - y*)^2
//! classification  L = -1/M * sum m log softmax(y)[label]
//! d[t] = dL/dy[t]                      B and M are inside d
//! ```

use super::scalar::Scalar;
use super::skinny::vectorized;
use super::trials::{Target, Trials};

/// The part of a batch that one chunk holds: trials `first..first + n_batch`.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// First trial.
    pub first: usize,
    /// Number of trials.
    pub n_batch: usize,
    /// 1 / M of the whole batch (0 where M is 0).
    pub inverse_mask_sum: f64,
}

/// The share of the loss that this part has over the steps from `first_step`, given their readout `y`
/// [steps, part, n_out], and its derivative into `d` (same shape).
pub fn loss_and_error<T: Scalar>(
    trials: &Trials<T>,
    part: Part,
    first_step: usize,
    n_out: usize,
    y: &[T],
    d: &mut [T],
) -> f64 {
    let layer = part.n_batch * n_out;
    let mask = trials.mask.as_slice().expect("row-major");
    let mut total = 0.0;
    if layer == 0 {
        return total;
    }
    for (step, (y, d)) in y.chunks_exact(layer).zip(d.chunks_exact_mut(layer)).enumerate() {
        let start = (first_step + step) * trials.n_batch() + part.first;
        let rows = start..start + part.n_batch;
        let mask = &mask[rows.clone()];
        if mask.iter().all(|m| *m == T::zero()) {
            d.fill(T::zero());
            continue;
        }
        total += match &trials.target {
            Target::Values(values) => {
                let target = &values.as_slice().expect("row-major")[start * n_out..rows.end * n_out];
                regression(y, target, mask, part.inverse_mask_sum, d)
            }
            Target::Labels(labels) => {
                let labels = &labels.as_slice().expect("row-major")[rows];
                classification(y, labels, mask, part.inverse_mask_sum, d)
            }
        };
    }
    total
}

/// One step of some trials: `y`, `target`, `d` [trials, n_out], `mask` [trials].
fn regression<T: Scalar>(y: &[T], target: &[T], mask: &[T], inverse_mask_sum: f64, d: &mut [T]) -> f64 {
    let n_out = y.len() / mask.len();
    let scale = inverse_mask_sum / n_out as f64;
    vectorized(
        #[inline(always)]
        || {
            for ((d, y), target) in d.iter_mut().zip(y).zip(target) {
                *d = *y - *target;
            }
        },
    );
    let mut sum = 0.0;
    for (d, m) in d.chunks_exact_mut(n_out).zip(mask) {
        // What a step outside the mask gives has no part in the loss, NaN neither.
        if *m == T::zero() {
            d.fill(T::zero());
            continue;
        }
        sum += m.f64() * d.iter().map(|e| e.f64() * e.f64()).sum::<f64>();
        let scale = T::of(m.f64() * scale);
        d.iter_mut().for_each(|d| *d *= scale);
    }
    0.5 * scale * sum
}

/// One step of some trials: `y`, `d` [trials, n_out], `labels`, `mask` [trials].
fn classification<T: Scalar>(y: &[T], labels: &[u32], mask: &[T], inverse_mask_sum: f64, d: &mut [T]) -> f64 {
    let n_out = y.len() / mask.len();
    for (d, y) in d.chunks_exact_mut(n_out).zip(y.chunks_exact(n_out)) {
        let largest = y.iter().fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
        d.iter_mut().zip(y).for_each(|(d, y)| *d = *y - largest);
    }
    // d holds y - max y: at most 0, and 0 for one of the outputs, so that every sum below is in [1, n_out].
    let mut sum = 0.0;
    for ((d, m), label) in d.chunks_exact(n_out).zip(mask).zip(labels) {
        if *m != T::zero() {
            sum -= m.f64() * d[*label as usize].f64();
        }
    }
    vectorized(
        #[inline(always)]
        || d.iter_mut().for_each(|d| *d = d.exp_of_negative()),
    );
    // Logarithms of trials with one weight are taken together, as that of a product.
    let (mut weight, mut product) = (T::zero(), 1.0);
    for ((d, m), label) in d.chunks_exact_mut(n_out).zip(mask).zip(labels) {
        if *m == T::zero() {
            d.fill(T::zero());
            continue;
        }
        // Near p = 1, where late training puts every trial, 1 and the sum of the others must not meet in one
        // number of this precision: neither in the loss nor in d = p - 1 there, minus that sum.
        let own = std::mem::replace(&mut d[*label as usize], T::zero());
        let others = d.iter().fold(T::zero(), |a, b| a + *b);
        if *m != weight || product > 1e100 {
            sum += weight.f64() * f64::ln(product);
            (weight, product) = (*m, 1.0);
        }
        product *= own.f64() + others.f64();
        let (inverse, scale) = (T::one() / (own + others), T::of(m.f64() * inverse_mask_sum));
        d[*label as usize] = -others;
        d.iter_mut().for_each(|d| *d *= inverse);
        d.iter_mut().for_each(|d| *d *= scale);
    }
    sum += weight.f64() * f64::ln(product);
    inverse_mask_sum * sum
}

/// How many trials of this part are judged right, weighted, and out of how much; see [`Trials::decision`].
/// `None` where the task has no accuracy. Both add up over parts.
///
/// `y` [T, part, n_out] needs to be set where the mask or the decision's weight is positive.
pub fn right_and_judged<T: Scalar>(
    trials: &Trials<T>,
    part: Part,
    n_out: usize,
    y: &[T],
) -> Option<(f64, f64)> {
    let width = trials.n_batch();
    let (mut right, mut judged) = (0.0, 0.0);
    match (&trials.decision, &trials.target) {
        (Some(decision), _) => {
            let weight = decision.weight.as_slice().expect("row-major");
            let mut sums = vec![0.0; n_out];
            for b in 0..part.n_batch {
                sums.fill(0.0);
                for t in 0..trials.n_steps() {
                    let w = weight[t * width + part.first + b].f64();
                    if w != 0.0 {
                        let y = &y[(t * part.n_batch + b) * n_out..][..n_out];
                        sums.iter_mut().zip(y).for_each(|(s, y)| *s += w * y.f64());
                    }
                }
                judged += 1.0;
                if argmax(&sums) == Some(decision.correct[part.first + b] as usize) {
                    right += 1.0;
                }
            }
        }
        (None, Target::Labels(labels)) => {
            for (row, y) in y.chunks_exact(n_out).enumerate() {
                let (t, b) = (row / part.n_batch, part.first + row % part.n_batch);
                let m = trials.mask[[t, b]].f64();
                judged += m;
                if m > 0.0 && argmax(y) == Some(labels[[t, b]] as usize) {
                    right += m;
                }
            }
        }
        (None, Target::Values(_)) => return None,
    }
    Some((right, judged))
}

/// Index of the largest value, the first of equal ones; `None` where a value is NaN (a network that gives
/// NaN has decided nothing).
fn argmax<T: num_traits::Float>(values: &[T]) -> Option<usize> {
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if v.is_nan() {
            return None;
        }
        if *v > values[best] {
            best = i;
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::random::{Purpose, Stream};
    use crate::numerics::trials::{LossKind, TrialsShape};

    /// Loss and d of one part by the formulas at the top of this file, value by value in f64.
    fn by_definition(trials: &Trials<f64>, part: Part, first_step: usize, y: &[f64]) -> (f64, Vec<f64>) {
        let (mut loss, mut d) = (0.0, Vec::new());
        let n_out = y.len() / part.n_batch / (trials.n_steps() - first_step);
        for (row, y) in y.chunks_exact(n_out).enumerate() {
            let (t, b) = (first_step + row / part.n_batch, part.first + row % part.n_batch);
            let m = trials.mask[[t, b]] * part.inverse_mask_sum;
            if m == 0.0 {
                d.resize(d.len() + n_out, 0.0);
                continue;
            }
            match &trials.target {
                Target::Values(values) => {
                    for (k, y) in y.iter().enumerate() {
                        let error = y - values[[t, b, k]];
                        loss += m * error * error / (2.0 * n_out as f64);
                        d.push(m * error / n_out as f64);
                    }
                }
                Target::Labels(labels) => {
                    let label = labels[[t, b]] as usize;
                    let sum: f64 = y.iter().map(|y| y.exp()).sum();
                    loss -= m * (y[label].exp() / sum).ln();
                    d.extend(y.iter().enumerate().map(|(k, y)| m * (y.exp() / sum - f64::from(k == label))));
                }
            }
        }
        (loss, d)
    }

    fn random(loss: LossKind, n_out: usize, seed: u64) -> (Trials<f64>, Vec<f64>) {
        let mut s = Stream::new(seed, Purpose::Test);
        let shape = TrialsShape { n_steps: 6, n_batch: 9, n_in: 1, n_out, loss };
        let mut trials = Trials::zeros(shape);
        match &mut trials.target {
            Target::Values(v) => s.fill_normal(v, 1.0),
            Target::Labels(l) => l.map_inplace(|l| *l = s.below(n_out) as u32),
        }
        // Whole steps without a loss, steps with one weight, and steps with many. Exact in f32.
        for ((t, _), m) in trials.mask.indexed_iter_mut() {
            *m = [0.0, 1.0, s.below(3) as f64, 0.25 * s.below(8) as f64][t % 4];
        }
        let y = (0..5 * 7 * n_out).map(|_| f64::from(s.normal() as f32 * 3.0)).collect();
        (trials, y)
    }

    /// Trials 1..8 of 9 over steps 1..6. In f64 a few hundred roundings of numbers near 1; in f32 the same, and
    /// targets rounded.
    #[test]
    fn loss_and_error_equal_their_definition() {
        for kind in [LossKind::Regression, LossKind::Classification] {
            for n_out in 1..=12 {
                let (trials, y) = random(kind, n_out, n_out as u64);
                let part = Part { first: 1, n_batch: 7, inverse_mask_sum: 1.0 / trials.mask_sum() };
                let (loss, d) = by_definition(&trials, part, 1, &y);
                let mut found = vec![f64::NAN; y.len()];
                let total = loss_and_error(&trials, part, 1, n_out, &y, &mut found);
                assert!((total - loss).abs() < 1e-14 * (1.0 + loss), "{kind:?} {n_out}: {total} {loss}");
                assert!(found.iter().zip(&d).all(|(f, d)| (f - d).abs() < 1e-15));
                let single: Vec<f32> = y.iter().map(|y| *y as f32).collect();
                let mut found = vec![f32::NAN; y.len()];
                let total = loss_and_error(&trials.cast::<f32>(), part, 1, n_out, &single, &mut found);
                assert!((total - loss).abs() < 1e-6 * (1.0 + loss), "{kind:?} {n_out}: {total} {loss}");
                assert!(found.iter().zip(&d).all(|(f, d)| (f64::from(*f) - d).abs() < 1e-7));
            }
        }
    }

    #[test]
    fn what_is_outside_the_mask_has_no_part_and_what_is_inside_is_never_hidden() {
        for kind in [LossKind::Regression, LossKind::Classification] {
            let (mut trials, mut y) = random(kind, 3, 1);
            trials.mask[[2, 4]] = 0.0;
            let part = Part { first: 1, n_batch: 7, inverse_mask_sum: 1.0 / trials.mask_sum() };
            let run = |trials: &Trials<f64>, y: &[f64]| {
                let mut d = vec![f64::NAN; y.len()];
                (loss_and_error(trials, part, 1, 3, y, &mut d), d)
            };
            let (loss, d) = run(&trials, &y);
            // Step 2 is the second given, trial 4 the fourth of the part.
            let row = (7 + 3) * 3..(7 + 4) * 3;
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                y[row.clone()].fill(bad);
                assert_eq!(run(&trials, &y), (loss, d.clone()), "{kind:?} {bad}");
            }
            trials.mask[[2, 4]] = 1.0;
            let (loss, d) = run(&trials, &y);
            assert!(!loss.is_finite() && d[row].iter().all(|d| !d.is_finite()), "{kind:?}");
        }
    }

    /// With nearly all the weight on the label, p - 1 in f32 would be off by 1e-3 of itself at p = 1 - 1e-5, and 0
    /// from p = 1 - 3e-8 on. A product of factors near 1 rounds to 1e-16 in f64, which is all that the loss loses.
    #[test]
    fn loss_and_error_keep_their_digits_where_the_label_has_nearly_all_the_weight() {
        let shape = TrialsShape { n_steps: 1, n_batch: 3, n_in: 1, n_out: 3, loss: LossKind::Classification };
        let mut trials: Trials<f64> = Trials::zeros(shape);
        trials.mask.fill(1.0);
        let part = Part { first: 0, n_batch: 3, inverse_mask_sum: 1.0 / 3.0 };
        for distance in [3.0, 12.0, 20.0, 40.0] {
            let y = [distance, 0.0, -0.5].repeat(3);
            let others = f64::exp(-distance) + f64::exp(-0.5 - distance);
            let (loss, error) = (others.ln_1p(), -others / (1.0 + others) / 3.0);
            let single: Vec<f32> = y.iter().map(|y| *y as f32).collect();
            let mut d = [0.0f32; 9];
            let found = loss_and_error(&trials.cast::<f32>(), part, 0, 3, &single, &mut d);
            assert!((found - loss).abs() < 1e-6 * loss + 3e-16, "{distance}: {found} {loss}");
            for d in d.chunks_exact(3) {
                assert!((f64::from(d[0]) - error).abs() < 1e-6 * error.abs(), "{distance}: {} {error}", d[0]);
                // The errors of one trial add up to 0.
                assert!(f64::from((d[0] + d[1] + d[2]).abs()) < 1e-6 * error.abs());
            }
        }
    }

    /// Far apart outputs neither overflow nor lose the loss: -log softmax is their distance.
    #[test]
    fn cross_entropy_holds_for_outputs_that_are_far_apart() {
        let shape = TrialsShape { n_steps: 1, n_batch: 1, n_in: 1, n_out: 2, loss: LossKind::Classification };
        let mut trials: Trials<f32> = Trials::zeros(shape);
        trials.mask.fill(1.0);
        let part = Part { first: 0, n_batch: 1, inverse_mask_sum: 1.0 };
        let mut d = [0.0; 2];
        assert_eq!(loss_and_error(&trials, part, 0, 2, &[-500.0, 500.0], &mut d), 1000.0);
        assert_eq!(d, [-1.0, 1.0]);
        assert_eq!(loss_and_error(&trials, part, 0, 2, &[3e38, -3e38], &mut d), 0.0);
        assert_eq!(d, [0.0, 0.0]);
    }
}
