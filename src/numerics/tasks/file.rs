//! Owns `file`: the user's own trials, as an npz file gives them.

use ndarray::{Array2, Array3, Axis};
use serde::{Deserialize, Serialize};

use super::keys::{Expected, Key, TaskError, number};
use super::subset::Subset;
use super::{Task, TaskData};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// `file`, a task of any shape: an npz file with the members `x` [T, B, n_in], `mask` [T, B], and `target`
/// [T, B, n_out] (regression) or `label` [T, B] (classification); the same with the prefix `test_` for the
/// test trials, which may have another T and B. Without them the training trials are tested on.
///
/// A batch is drawn without replacement, batches independently of each other; with a batch as large as the
/// file every batch is all of it, in its order `[own]`. With labels n_out is the largest label + 1, and every
/// step with a positive mask is judged.
///
/// A file without `x` that holds a network (`w_rec`, `w_in`, `w_out`) and its probe batch (`probe_x`, ...) is a network
/// trained elsewhere: its probe batch is trained and tested on, and training begins at its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The npz file.
    pub path: String,
}

/// Most outputs that labels may ask for.
const MOST_CLASSES: usize = 10_000;

impl File {
    /// Its keys.
    pub const KEYS: &[Key] = &[Key {
        name: "path",
        meaning: "The npz file with x, mask, and target or label; with the prefix test_ for the test trials",
        expected: Expected::Path,
        source: "[own]",
    }];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        if self.path.is_empty() {
            return Err(TaskError::new("path", "not set", "the path of an npz file with the trials"));
        }
        Ok(())
    }
}

/// The task, with its trials.
pub(super) struct FileTask<T> {
    train: Trials<T>,
    test: Trials<T>,
    n_out: usize,
    batch: Subset,
}

impl<T: Scalar> FileTask<T> {
    pub(super) fn new(settings: &File, batch: usize, data: &TaskData) -> Result<Self, TaskError> {
        let (train, test, outputs) = match data {
            TaskData::Trials { train, test, outputs } => (train, test.as_ref(), *outputs),
            TaskData::Network { trials, weights, .. } => (trials, None, weights.dims().n_out),
            _ => return Err(TaskError::new("kind", "file", "trials among the data given to it")),
        };
        let wrong = |message: String| TaskError::new("path", &settings.path, message);
        let prefix = if matches!(data, TaskData::Network { .. }) { "probe_" } else { "" };
        check_trials(prefix, train).map_err(wrong)?;
        test.map_or(Ok(()), |test| check_trials("test_", test)).map_err(wrong)?;
        let test = test.unwrap_or(train);
        if train.n_in() != test.n_in() {
            let (train, test) = (train.n_in(), test.n_in());
            return Err(wrong(format!("test_x with the {train} channels of x, but it has {test}")));
        }
        let n_out = match (&train.target, &test.target) {
            (Target::Values(a), Target::Values(b)) if a.dim().2 == b.dim().2 => a.dim().2,
            (Target::Labels(a), Target::Labels(b)) => {
                a.iter().chain(b).map(|label| *label as usize + 1).max().unwrap_or(0).max(outputs)
            }
            (Target::Values(a), Target::Values(b)) => {
                let (train, test) = (a.dim().2, b.dim().2);
                return Err(wrong(format!(
                    "test_target with the {train} outputs of target, but it has {test}"
                )));
            }
            (Target::Values(_), Target::Labels(_)) => {
                return Err(wrong("test_target beside target, but it has test_label".into()));
            }
            (Target::Labels(_), Target::Values(_)) => {
                return Err(wrong("test_label beside label, but it has test_target".into()));
            }
        };
        let batch = Subset::new(batch, train.n_batch());
        Ok(Self { train: train.cast(), test: test.cast(), n_out, batch })
    }

    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        let loss = match self.train.target {
            Target::Values(_) => LossKind::Regression,
            Target::Labels(_) => LossKind::Classification,
        };
        let (n_steps, _, n_in) = self.train.x.dim();
        TrialsShape { n_steps, n_batch, n_in, n_out: self.n_out, loss }
    }

    fn draw(&self, subset: &Subset, stream: &mut Stream, out: &mut Trials<T>) {
        let from = &self.train;
        out.decision = None;
        subset.draw(stream, |indices| {
            for (b, i) in indices.iter().map(|i| *i as usize).enumerate() {
                copy_trial3(&from.x, i, &mut out.x, b);
                out.mask.column_mut(b).assign(&from.mask.column(i));
                match (&from.target, &mut out.target) {
                    (Target::Values(from), Target::Values(to)) => copy_trial3(from, i, to, b),
                    (Target::Labels(from), Target::Labels(to)) => to.column_mut(b).assign(&from.column(i)),
                    (from, to) => *to = from.clone(),
                }
            }
        });
    }
}

fn copy_trial3<T: Scalar>(from: &Array3<T>, i: usize, to: &mut Array3<T>, b: usize) {
    to.index_axis_mut(Axis(1), b).assign(&from.index_axis(Axis(1), i));
}

/// Whether the arrays fit together and can be trained on; the message names the member.
fn check_trials(prefix: &str, trials: &Trials<f64>) -> Result<(), String> {
    let (n_steps, n_batch, n_in) = trials.x.dim();
    if n_steps * n_batch * n_in == 0 {
        return Err(format!(
            "{prefix}x of at least one step, trial and channel, but its shape is {:?}",
            [n_steps, n_batch, n_in]
        ));
    }
    let expect = |member: &str, found: (usize, usize)| {
        if found == (n_steps, n_batch) {
            return Ok(());
        }
        let found = [found.0, found.1];
        Err(format!(
            "{prefix}{member} of {n_steps} steps and {n_batch} trials, as {prefix}x, but it has {found:?}"
        ))
    };
    expect("mask", trials.mask.dim())?;
    finite(prefix, "x", trials.x.iter())?;
    finite(prefix, "mask", trials.mask.iter())?;
    if let Some(m) = trials.mask.iter().find(|m| **m < 0.0) {
        return Err(format!("{prefix}mask not below 0, but it holds {}", number(*m)));
    }
    if !(trials.mask_sum() > 0.0 && trials.mask_sum().is_finite()) {
        return Err(format!("{prefix}mask with a positive sum, but it is {}", number(trials.mask_sum())));
    }
    // A batch of such trials alone has no loss.
    if let Some(b) = trials.mask.columns().into_iter().position(|m| m.iter().all(|m| *m == 0.0)) {
        return Err(format!("{prefix}mask with a step that counts in every trial, but trial {b} has none"));
    }
    match &trials.target {
        Target::Values(values) => {
            expect("target", (values.dim().0, values.dim().1))?;
            if values.dim().2 == 0 {
                return Err(format!("{prefix}target with at least one output, but it has none"));
            }
            finite(prefix, "target", values.iter())
        }
        Target::Labels(labels) => {
            expect("label", labels.dim())?;
            check_labels(prefix, labels)
        }
    }
}

fn finite<'a>(prefix: &str, member: &str, mut values: impl Iterator<Item = &'a f64>) -> Result<(), String> {
    match values.find(|v| v.is_nan() || v.abs() > f64::from(f32::MAX)) {
        Some(v) => Err(format!("{prefix}{member} of finite numbers, but it holds {}", number(*v))),
        None => Ok(()),
    }
}

fn check_labels(prefix: &str, labels: &Array2<u32>) -> Result<(), String> {
    match labels.iter().find(|l| **l as usize >= MOST_CLASSES) {
        Some(l) => Err(format!("{prefix}label below {MOST_CLASSES}, but it holds {l}")),
        None => Ok(()),
    }
}

impl<T: Scalar> Task<T> for FileTask<T> {
    fn shape(&self) -> TrialsShape {
        self.shape_of(self.batch.size())
    }

    fn draw_training(&self, stream: &mut Stream, out: &mut Trials<T>) {
        self.draw(&self.batch, stream, out);
    }

    fn test(&self, _: &mut Stream) -> Trials<T> {
        self.test.clone()
    }

    fn probe(&self, n: usize, stream: &mut Stream) -> Trials<T> {
        let subset = Subset::new(n, self.train.n_batch());
        let mut out = Trials::zeros(self.shape_of(subset.size()));
        self.draw(&subset, stream, &mut out);
        out
    }

    fn is_full_batch(&self) -> bool {
        self.batch.is_all()
    }
}
