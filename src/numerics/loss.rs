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
    let (width, mask) = (trials.n_batch(), trials.mask.as_slice().expect("row-major"));
    let (n_out_f, inverse) = (n_out as f64, part.inverse_mask_sum);
    let mut total = 0.0;
    let rows = y.chunks_exact(n_out).zip(d.chunks_exact_mut(n_out)).enumerate();
    for (row, (y, d)) in rows {
        let at = (first_step + row / part.n_batch) * width + part.first + row % part.n_batch;
        let m = mask[at];
        if m == T::zero() {
            d.fill(T::zero());
            continue;
        }
        match &trials.target {
            Target::Values(values) => {
                let target = &values.as_slice().expect("row-major")[at * n_out..(at + 1) * n_out];
                let scale = T::of(m.f64() * inverse / n_out_f);
                let mut sum = 0.0;
                for ((d, y), target) in d.iter_mut().zip(y).zip(target) {
                    let error = *y - *target;
                    *d = scale * error;
                    sum += error.f64() * error.f64();
                }
                total += 0.5 * m.f64() * inverse / n_out_f * sum;
            }
            Target::Labels(labels) => {
                let label = labels.as_slice().expect("row-major")[at] as usize;
                total += m.f64() * inverse * softmax_loss(y, label, d);
                let scale = T::of(m.f64() * inverse);
                d.iter_mut().for_each(|d| *d *= scale);
            }
        }
    }
    total
}

/// -log softmax(y)[label]; writes softmax(y) - onehot(label) into `d`.
#[inline]
fn softmax_loss<T: Scalar>(y: &[T], label: usize, d: &mut [T]) -> f64 {
    let largest = y.iter().fold(T::neg_infinity(), |a, b| if *b > a { *b } else { a });
    let mut sum = T::zero();
    for (d, y) in d.iter_mut().zip(y) {
        *d = num_traits::Float::exp(*y - largest);
        sum += *d;
    }
    let inverse = T::one() / sum;
    d.iter_mut().for_each(|d| *d *= inverse);
    d[label] -= T::one();
    sum.f64().ln() - (y[label] - largest).f64()
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
