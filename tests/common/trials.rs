//! Looking at trials: their parts, the losses of imagined readouts, and counts.

use std::collections::BTreeMap;

use basinscope::numerics::loss::{Part, loss_and_error, right_and_judged};
use basinscope::numerics::trials::{Decision, Target, Trials};
use ndarray::{Array2, Array3};

/// The labels of a classification batch.
pub fn labels<T>(trials: &Trials<T>) -> &Array2<u32> {
    match &trials.target {
        Target::Labels(labels) => labels,
        Target::Values(_) => panic!("labels expected"),
    }
}

/// The targets of a regression batch.
pub fn values<T>(trials: &Trials<T>) -> &Array3<T> {
    match &trials.target {
        Target::Values(values) => values,
        Target::Labels(_) => panic!("values expected"),
    }
}

/// How the batch is judged.
pub fn decision<T>(trials: &Trials<T>) -> &Decision<T> {
    trials.decision.as_ref().expect("a decision")
}

/// Loss, and share judged right, of a readout that gives `y(t, b, k)`.
pub fn judged(
    trials: &Trials<f64>,
    n_out: usize,
    y: impl Fn(usize, usize, usize) -> f64,
) -> (f64, Option<f64>) {
    let n_batch = trials.n_batch();
    let part = Part { first: 0, n_batch, inverse_mask_sum: 1.0 / trials.mask_sum() };
    let y = Array3::from_shape_fn((trials.n_steps(), n_batch, n_out), |(t, b, k)| y(t, b, k));
    let y = y.as_slice().expect("row-major");
    let loss = loss_and_error(trials, part, 0, n_out, y, &mut vec![0.0; y.len()]);
    (loss, right_and_judged(trials, part, n_out, y).map(|(right, of)| right / of))
}

/// How often each value occurs.
pub fn counts<K: Ord>(values: impl IntoIterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    values.into_iter().for_each(|v| *counts.entry(v).or_insert(0) += 1);
    counts
}

/// Fails unless every class has its even share of `n`, within five standard deviations of a binomial count
/// (one draw in two million by chance; the draws are fixed by the seed).
pub fn assert_even<K: Ord + std::fmt::Debug>(counts: &BTreeMap<K, usize>, classes: usize) {
    assert_eq!(counts.len(), classes, "{counts:?}");
    let (n, p) = (counts.values().sum::<usize>() as f64, 1.0 / classes as f64);
    let slack = 5.0 * (n * p * (1.0 - p)).sqrt();
    assert!(counts.values().all(|c| (*c as f64 - n * p).abs() < slack), "{counts:?}");
}

/// Mean and standard deviation.
pub fn mean_and_sd(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.into_iter().collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}
