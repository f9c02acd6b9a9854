//! Owns `two-alternative`: which of two noisy channels is stronger on average? P2, with the defaults of
//! neurogym's PerceptualDecisionMaking `[C]`.

use serde::{Deserialize, Serialize};

use super::fresh::{self, DrawTrials};
use super::keys::{Expected, Key, TaskError, check_number, check_numbers, check_whole};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// When the fixation channel is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fixation {
    /// In every step before the decision: the form that P2 could use.
    UntilDecision,
    /// In the fixation period only: neurogym 2.2 and later.
    FirstStep,
}

/// `two-alternative`, a classification task with three inputs and three outputs.
///
/// Steps of 100 ms: 1 of fixation, `stimulus` (20), 1 of decision. Input 0 is the fixation; inputs 1 and 2
/// are in the stimulus 0.5 +- coherence/200, the stronger one being the answer's, plus noise drawn for each
/// step. Coherence and side are drawn uniformly. Label 0 before the decision, the side (1 or 2) in it; every
/// step counts. Judged at the decision.
///
/// Loss of a readout that knows the time but not the side: ln 2 / 22 = 0.0315.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoAlternative {
    /// Coherences, in per cent `[C]`.
    pub coherences: Vec<f64>,
    /// Standard deviation of the noise in a step of the stimulus `[C]`.
    pub noise: f64,
    /// Steps of stimulus `[C]`.
    pub stimulus: usize,
    /// When input 0 is on.
    pub fixation: Fixation,
}

impl Default for TwoAlternative {
    fn default() -> Self {
        Self {
            coherences: vec![0.0, 6.4, 12.8, 25.6, 51.2],
            noise: 0.1,
            stimulus: 20,
            fixation: Fixation::UntilDecision,
        }
    }
}

impl TwoAlternative {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "coherences",
            meaning: "Coherences that are drawn from, in per cent",
            expected: Expected::Numbers(0.0, 100.0),
            source: "[C]",
        },
        Key {
            name: "noise",
            meaning: "Standard deviation of the noise on each stimulus channel in each step",
            expected: Expected::Number(0.0, 100.0),
            source: "[C]",
        },
        Key {
            name: "stimulus",
            meaning: "Length of the stimulus, in steps of 100 ms",
            expected: Expected::Whole(1, 1000),
            source: "[C]",
        },
        Key {
            name: "fixation",
            meaning: "When the fixation input is on: in all steps before the decision, or in the first only \
                      (neurogym 2.2 and later)",
            expected: Expected::Word(&["until-decision", "first-step"]),
            source: "[C]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        check_numbers(Self::KEYS, "coherences", &self.coherences)?;
        check_number(Self::KEYS, "noise", self.noise)?;
        check_whole(Self::KEYS, "stimulus", self.stimulus)
    }
}

impl DrawTrials for TwoAlternative {
    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        let n_steps = 1 + self.stimulus + 1;
        TrialsShape { n_steps, n_batch, n_in: 3, n_out: 3, loss: LossKind::Classification }
    }

    fn draw<T: Scalar>(&self, stream: &mut Stream, out: &mut Trials<T>) {
        fresh::clear(out);
        out.mask.fill(T::one());
        let Trials { x, target: Target::Labels(labels), decision: Some(decision), .. } = out else { return };
        let last = 1 + self.stimulus;
        for b in 0..labels.dim().1 {
            let coherence = self.coherences[stream.below(self.coherences.len())];
            let side = 1 + stream.below(2);
            let fixated = if self.fixation == Fixation::UntilDecision { last } else { 1 };
            for t in 0..fixated {
                x[[t, b, 0]] = T::one();
            }
            for t in 1..last {
                for channel in [1, 2] {
                    let sign = if channel == side { 1.0 } else { -1.0 };
                    let mean = 0.5 + sign * coherence / 200.0;
                    x[[t, b, channel]] = T::of(mean + self.noise * stream.normal());
                }
            }
            labels[[last, b]] = side as u32;
            decision.weight[[last, b]] = T::one();
            decision.correct[b] = side as u32;
        }
    }
}
