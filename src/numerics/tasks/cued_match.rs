//! Owns `cued-match`: are two binary cues equal? P1's delayed match to sample.

use serde::{Deserialize, Serialize};

use super::Task;
use super::fresh;
use super::keys::{Expected, Key, TaskError, check_whole};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// `cued-match`, a classification task with two inputs and two outputs.
///
/// Steps: a cue of 2, `delay` (16), a cue of 2: T = 20. Input 0 is 1 while a cue of value 1 is shown, input 1
/// while a cue of value 0 is shown. Label 1 match, 0 non-match; only a trial's last step counts. Full batch:
/// the four combinations, in the order (first, second) = (0,0), (0,1), (1,0), (1,1).
///
/// Test: the same combinations in turn, each trial with a delay of its own, drawn uniformly from the whole
/// numbers test_delay_min..=test_delay_max (16 to 32) `[own]`; trials shorter than the longest are padded
/// with steps that do not count.
///
/// Loss of a readout that does not know the answer: ln 2 = 0.693.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CuedMatch {
    /// Steps between the cues in training `[P1]`.
    pub delay: usize,
    /// Shortest delay in the test, in steps `[own]`.
    pub test_delay_min: usize,
    /// Longest delay in the test, in steps `[own]`.
    pub test_delay_max: usize,
}

impl Default for CuedMatch {
    fn default() -> Self {
        Self { delay: 16, test_delay_min: 16, test_delay_max: 32 }
    }
}

/// Steps of one cue `[P1]`.
const CUE: usize = 2;
/// The combinations of the two cues.
const COMBINATIONS: usize = 4;

impl CuedMatch {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "delay",
            meaning: "Delay between the cues in training, in steps",
            expected: Expected::Whole(0, 1000),
            source: "[P1]",
        },
        Key {
            name: "test_delay_min",
            meaning: "Shortest delay between the cues in the test, in steps",
            expected: Expected::Whole(0, 1000),
            source: "[own]",
        },
        Key {
            name: "test_delay_max",
            meaning: "Longest delay between the cues in the test, in steps",
            expected: Expected::Whole(0, 1000),
            source: "[own]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        check_whole(Self::KEYS, "delay", self.delay)?;
        check_whole(Self::KEYS, "test_delay_min", self.test_delay_min)?;
        check_whole(Self::KEYS, "test_delay_max", self.test_delay_max)?;
        if self.test_delay_max < self.test_delay_min {
            let expected = format!("at least test_delay_min, {}", self.test_delay_min);
            return Err(TaskError::new("test_delay_max", self.test_delay_max, expected));
        }
        Ok(())
    }
}

/// `n_batch` trials of at most `longest` steps of delay: trial b shows combination b mod 4 at `delay(b)`.
fn trials<T: Scalar>(n_batch: usize, longest: usize, mut delay: impl FnMut() -> usize) -> Trials<T> {
    let mut out = Trials::zeros(shape(n_batch, longest));
    fresh::clear(&mut out);
    let Trials { x, target: Target::Labels(labels), mask, decision: Some(decision) } = &mut out else {
        return out;
    };
    for b in 0..n_batch {
        let (first, second) = (b / 2 % 2, b % 2);
        let start_2 = CUE + delay();
        for (start, value) in [(0, first), (start_2, second)] {
            for t in start..start + CUE {
                x[[t, b, 1 - value]] = T::one();
            }
        }
        let last = start_2 + CUE - 1;
        let label = u32::from(first == second);
        labels[[last, b]] = label;
        mask[[last, b]] = T::one();
        decision.weight[[last, b]] = T::one();
        decision.correct[b] = label;
    }
    out
}

fn shape(n_batch: usize, delay: usize) -> TrialsShape {
    let n_steps = CUE + delay + CUE;
    TrialsShape { n_steps, n_batch, n_in: 2, n_out: 2, loss: LossKind::Classification }
}

/// The task, with its batch.
pub(super) struct CuedMatchTask<T> {
    settings: CuedMatch,
    test_trials: usize,
    batch: Trials<T>,
}

impl<T: Scalar> CuedMatchTask<T> {
    pub(super) fn new(settings: &CuedMatch, test_trials: usize) -> Self {
        let batch = trials(COMBINATIONS, settings.delay, || settings.delay);
        Self { settings: settings.clone(), test_trials, batch }
    }
}

impl<T: Scalar> Task<T> for CuedMatchTask<T> {
    fn shape(&self) -> TrialsShape {
        shape(COMBINATIONS, self.settings.delay)
    }

    fn draw_training(&self, _: &mut Stream, out: &mut Trials<T>) {
        fresh::copy(&self.batch, out);
    }

    fn test(&self, stream: &mut Stream) -> Trials<T> {
        let CuedMatch { test_delay_min: low, test_delay_max: high, .. } = self.settings;
        trials(self.test_trials, high, || low + stream.below(high - low + 1))
    }

    fn probe(&self, _: usize, _: &mut Stream) -> Trials<T> {
        self.batch.clone()
    }

    fn is_full_batch(&self) -> bool {
        true
    }
}
