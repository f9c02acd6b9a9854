//! Owns `delayed-match`: is the second of two noisy stimuli the same as the first? P2, with the defaults of
//! neurogym's DelayMatchSample `[C]`.

use serde::{Deserialize, Serialize};

use super::fresh::{self, DrawTrials};
use super::keys::{Expected, Key, TaskError, check_number, check_whole};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// `delayed-match`, a classification task with three inputs and three outputs.
///
/// Steps of 100 ms: 3 of fixation, 5 of sample, `delay` (10), 5 of test, 9 of decision. Input 0 is 1 before
/// the decision. Sample and test are one-hot on inputs 1 and 2, with noise on both drawn for each of their
/// steps. Label 0 before the decision; in it 1 (match) or 2 (non-match), equally likely; every step counts.
/// Judged by the outputs summed over the decision `[own]`.
///
/// Loss of a readout that knows the time but not the answer: 9/32 ln 2 = 0.195.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DelayedMatch {
    /// Steps between sample and test `[C]`.
    pub delay: usize,
    /// Standard deviation of the noise in a step of sample and test `[C]`.
    pub noise: f64,
}

impl Default for DelayedMatch {
    fn default() -> Self {
        Self { delay: 10, noise: 0.1 }
    }
}

/// Steps of fixation, sample, test and decision `[C]`.
const FIXATION: usize = 3;
const SAMPLE: usize = 5;
const TEST: usize = 5;
const DECISION: usize = 9;

impl DelayedMatch {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "delay",
            meaning: "Delay between sample and test, in steps of 100 ms",
            expected: Expected::Whole(0, 1000),
            source: "[C]",
        },
        Key {
            name: "noise",
            meaning: "Standard deviation of the noise on each stimulus channel in each step",
            expected: Expected::Number(0.0, 100.0),
            source: "[C]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        check_whole(Self::KEYS, "delay", self.delay)?;
        check_number(Self::KEYS, "noise", self.noise)
    }
}

impl DrawTrials for DelayedMatch {
    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        let n_steps = FIXATION + SAMPLE + self.delay + TEST + DECISION;
        TrialsShape { n_steps, n_batch, n_in: 3, n_out: 3, loss: LossKind::Classification }
    }

    fn draw<T: Scalar>(&self, stream: &mut Stream, out: &mut Trials<T>) {
        fresh::clear(out);
        out.mask.fill(T::one());
        let Trials { x, target: Target::Labels(labels), decision: Some(decision), .. } = out else { return };
        let test_start = FIXATION + SAMPLE + self.delay;
        let decision_start = test_start + TEST;
        for b in 0..labels.dim().1 {
            let label = 1 + stream.below(2);
            let sample = 1 + stream.below(2);
            let test = if label == 1 { sample } else { 3 - sample };
            for t in 0..decision_start {
                x[[t, b, 0]] = T::one();
            }
            for (start, length, shown) in [(FIXATION, SAMPLE, sample), (test_start, TEST, test)] {
                for t in start..start + length {
                    for channel in [1, 2] {
                        let mean = if channel == shown { 1.0 } else { 0.0 };
                        x[[t, b, channel]] = T::of(mean + self.noise * stream.normal());
                    }
                }
            }
            for t in decision_start..decision_start + DECISION {
                labels[[t, b]] = label as u32;
                decision.weight[[t, b]] = T::one();
            }
            decision.correct[b] = label as u32;
        }
    }
}
