//! Owns `sequential-mnist`: name a digit that is shown row by row. P1's third task.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::keys::{Expected, Key, TaskError, check_number, check_whole};
use super::subset::Subset;
use super::{Task, TaskData, fresh};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// Labelled pictures of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    rows: usize,
    columns: usize,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// Number of classes.
const CLASSES: usize = 10;

impl Digits {
    /// Pictures of `rows` x `columns` pixels, one after the other, row by row, 0 background to 255 ink; and a
    /// label 0 to 9 for each. `None` where the sizes do not fit or a label is larger.
    pub fn new(rows: usize, columns: usize, pixels: Vec<u8>, labels: Vec<u8>) -> Option<Self> {
        let size = rows.checked_mul(columns)?.checked_mul(labels.len())?;
        let sound = size > 0 && size == pixels.len() && labels.iter().all(|l| usize::from(*l) < CLASSES);
        sound.then_some(Self { rows, columns, pixels, labels })
    }

    /// How many pictures.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Rows of a picture.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of a picture.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The labels.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels of picture `i`, row by row.
    pub fn picture(&self, i: usize) -> &[u8] {
        let size = self.rows * self.columns;
        &self.pixels[i * size..(i + 1) * size]
    }
}

/// What the test accuracy is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestOn {
    /// The test pictures.
    Test,
    /// The training pictures that were held out: for choosing a learning rate.
    HeldOut,
}

/// `sequential-mnist`, a classification task with a picture's columns (28) as inputs and ten outputs.
///
/// Step t shows row t, pixels in [0, 1]; only the last step counts, and is judged. A batch is drawn without
/// replacement from the training pictures, batches independently of each other `[own]`. Test: pictures plus
/// N(0, test_noise^2) on each pixel, cut to [0, 1] `[C]`; the first `test_trials` of them.
///
/// Loss of a readout that does not know the answer: ln 10 = 2.303.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequentialMnist {
    /// Training pictures, an idx or idx.gz file; the embedded digits where none of the four files is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<String>,
    /// Training labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Test pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_images: Option<String>,
    /// Test labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<String>,
    /// Standard deviation of the noise on each pixel of the test pictures `[C]`.
    pub test_noise: f64,
    /// How many training pictures, the last ones, are kept out of training `[own]`.
    pub held_out: usize,
    /// What is tested on `[own]`.
    pub test_on: TestOn,
}

impl Default for SequentialMnist {
    fn default() -> Self {
        Self {
            images: None,
            labels: None,
            test_images: None,
            test_labels: None,
            test_noise: 0.2,
            held_out: 0,
            test_on: TestOn::Test,
        }
    }
}

impl SequentialMnist {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "images",
            meaning: "Training pictures, an idx or idx.gz file (all four files, or none: the embedded digits)",
            expected: Expected::Path,
            source: "[own]",
        },
        Key {
            name: "labels",
            meaning: "Training labels, an idx or idx.gz file",
            expected: Expected::Path,
            source: "[own]",
        },
        Key {
            name: "test_images",
            meaning: "Test pictures, an idx or idx.gz file",
            expected: Expected::Path,
            source: "[own]",
        },
        Key {
            name: "test_labels",
            meaning: "Test labels, an idx or idx.gz file",
            expected: Expected::Path,
            source: "[own]",
        },
        Key {
            name: "test_noise",
            meaning: "Standard deviation of the noise on each pixel (0 to 1) of the test pictures",
            expected: Expected::Number(0.0, 100.0),
            source: "[C]",
        },
        Key {
            name: "held_out",
            meaning: "How many training pictures, the last ones, are kept out of training",
            expected: Expected::Whole(0, u32::MAX as u64),
            source: "[own]",
        },
        Key {
            name: "test_on",
            meaning: "What is tested on: the test pictures, or the training pictures that were held out",
            expected: Expected::Word(&["test", "held-out"]),
            source: "[own]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        let files = [
            ("images", &self.images),
            ("labels", &self.labels),
            ("test_images", &self.test_images),
            ("test_labels", &self.test_labels),
        ];
        if let Some((given, _)) = files.iter().find(|(_, path)| path.is_some()) {
            for (key, path) in files {
                match path {
                    None => {
                        let expected = format!("the path of a file, since {given} is given");
                        return Err(TaskError::new(key, "not set", expected));
                    }
                    Some(path) if path.is_empty() => {
                        return Err(TaskError::new(key, "empty", Expected::Path));
                    }
                    Some(_) => {}
                }
            }
        }
        check_number(Self::KEYS, "test_noise", self.test_noise)?;
        check_whole(Self::KEYS, "held_out", self.held_out)?;
        if self.test_on == TestOn::HeldOut && self.held_out == 0 {
            return Err(TaskError::new("held_out", 0, "at least 1, since test_on is \"held-out\""));
        }
        Ok(())
    }
}

/// The task, with its pictures.
pub(super) struct SequentialMnistTask<T> {
    train: Arc<Digits>,
    test: Arc<Digits>,
    /// The first picture to test on, and how many.
    tested: (usize, usize),
    test_noise: f64,
    /// How many pictures are trained on: the first ones.
    trained: usize,
    batch: Subset,
    /// A pixel's value in [0, 1].
    grey: [T; 256],
}

impl<T: Scalar> SequentialMnistTask<T> {
    pub(super) fn new(
        settings: &SequentialMnist,
        batch: usize,
        test_trials: usize,
        data: &TaskData,
    ) -> Result<Self, TaskError> {
        let TaskData::Digits { train, test } = data else {
            return Err(TaskError::new("kind", "sequential-mnist", "digits among the data given to it"));
        };
        if (train.rows, train.columns) != (test.rows, test.columns) {
            let size = |d: &Digits| format!("{} x {}", d.rows, d.columns);
            let expected = format!("pictures of {}, as in images", size(train));
            return Err(TaskError::new("test_images", format!("a file of {}", size(test)), expected));
        }
        let held_out = settings.held_out;
        if held_out >= train.count() {
            let expected = format!("less than the {} training pictures", train.count());
            return Err(TaskError::new("held_out", held_out, expected));
        }
        let trained = train.count() - held_out;
        let (test, first, available) = match settings.test_on {
            TestOn::Test => (test, 0, test.count()),
            TestOn::HeldOut => (train, trained, held_out),
        };
        Ok(Self {
            train: train.clone(),
            test: test.clone(),
            tested: (first, test_trials.min(available)),
            test_noise: settings.test_noise,
            trained,
            batch: Subset::new(batch, trained),
            grey: std::array::from_fn(|p| T::of(p as f64 / 255.0)),
        })
    }

    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        TrialsShape {
            n_steps: self.train.rows,
            n_batch,
            n_in: self.train.columns,
            n_out: CLASSES,
            loss: LossKind::Classification,
        }
    }

    fn draw(&self, subset: &Subset, stream: &mut Stream, out: &mut Trials<T>) {
        let (digits, columns) = (&*self.train, self.train.columns);
        subset.draw(stream, |indices| {
            prepare(out, indices.iter().map(|i| digits.labels[*i as usize]));
            // Step by step, so that `x` is written from its beginning to its end.
            let Some(x) = out.x.as_slice_mut() else { return };
            let mut to = x.chunks_exact_mut(columns);
            for t in 0..digits.rows {
                for (i, to) in indices.iter().zip(&mut to) {
                    let row = &digits.picture(*i as usize)[t * columns..(t + 1) * columns];
                    to.iter_mut().zip(row).for_each(|(x, pixel)| *x = self.grey[usize::from(*pixel)]);
                }
            }
        });
    }
}

/// All but the pictures: trial b has the b-th of the labels (at every step: those that do not count do not
/// matter), and only its last step counts.
fn prepare<T: Scalar>(out: &mut Trials<T>, digits: impl Iterator<Item = u8>) {
    fresh::clear_answers(out);
    let Trials { target: Target::Labels(labels), mask, decision: Some(decision), .. } = out else { return };
    for (b, digit) in digits.enumerate() {
        labels.column_mut(b).fill(u32::from(digit));
        decision.correct[b] = u32::from(digit);
    }
    if let Some(last) = mask.dim().0.checked_sub(1) {
        mask.row_mut(last).fill(T::one());
        decision.weight.row_mut(last).fill(T::one());
    }
}

impl<T: Scalar> Task<T> for SequentialMnistTask<T> {
    fn shape(&self) -> TrialsShape {
        self.shape_of(self.batch.size())
    }

    fn draw_training(&self, stream: &mut Stream, out: &mut Trials<T>) {
        self.draw(&self.batch, stream, out);
    }

    fn test(&self, stream: &mut Stream) -> Trials<T> {
        let (first, count) = self.tested;
        let mut out = Trials::zeros(self.shape_of(count));
        prepare(&mut out, self.test.labels[first..first + count].iter().copied());
        for b in 0..count {
            let picture = self.test.picture(first + b);
            for (t, row) in picture.chunks_exact(self.test.columns).enumerate() {
                for (k, pixel) in row.iter().enumerate() {
                    let noisy = f64::from(*pixel) / 255.0 + self.test_noise * stream.normal();
                    out.x[[t, b, k]] = T::of(noisy.clamp(0.0, 1.0));
                }
            }
        }
        out
    }

    fn probe(&self, n: usize, stream: &mut Stream) -> Trials<T> {
        let subset = Subset::new(n, self.trained);
        let mut out = Trials::zeros(self.shape_of(subset.size()));
        self.draw(&subset, stream, &mut out);
        out
    }

    fn is_full_batch(&self) -> bool {
        self.batch.is_all()
    }
}
