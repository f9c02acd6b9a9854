//! Owns `romo`: which of two pulses, a delay apart, was the larger? P2's main task, after Schuessler et al.
//! 2020 `[C]`.

use serde::{Deserialize, Serialize};

use super::fresh::{self, DrawTrials};
use super::keys::{Expected, Key, TaskError, check_number};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// `romo`, a regression task with one input and two outputs.
///
/// Time is in units of tau, one step is dt = 0.5. Steps: 6 of silence, 2 of stimulus 1, floor(delay / dt) of
/// delay, 2 of stimulus 2, 10 of decision delay, 20 of response, then padding up to
/// T = 40 + floor(delay_max / dt), which is 56. Target: 0.5 in the response on the channel of the larger
/// stimulus (0 stimulus 1, 1 stimulus 2), otherwise 0. Mask: from the start to the end of stimulus 2, and the
/// response. Judged by the outputs summed over the response.
///
/// Loss of a readout that knows the time but not the answer (0.25 on both channels): 0.625 / 39.5 = 0.0158;
/// of a silent one: 0.0316.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Romo {
    /// Shortest delay between the stimuli, in tau `[C]`.
    pub delay_min: f64,
    /// Longest delay, in tau; each trial draws its own from U(delay_min, delay_max) `[C]`.
    pub delay_max: f64,
    /// Smallest amplitude `[C]`.
    pub amplitude_min: f64,
    /// Largest amplitude `[C]`.
    pub amplitude_max: f64,
    /// Pairs of amplitudes are drawn again until they differ by at least this `[C]`.
    pub amplitude_difference: f64,
}

impl Default for Romo {
    fn default() -> Self {
        Self {
            delay_min: 2.0,
            delay_max: 8.0,
            amplitude_min: 0.5,
            amplitude_max: 1.5,
            amplitude_difference: 0.2,
        }
    }
}

/// Length of a step in tau `[C]`.
const DT: f64 = 0.5;
/// Steps of silence, of one stimulus, of the decision delay and of the response `[C]`.
const SILENCE: usize = 6;
const STIMULUS: usize = 2;
const DECISION_DELAY: usize = 10;
const RESPONSE: usize = 20;
/// Target on the channel of the larger stimulus `[C]`.
const HIGH: f64 = 0.5;
/// Largest share of the range of amplitudes that the difference may be: one pair in 100 is then far enough
/// apart.
const LARGEST_SHARE: f64 = 0.9;

impl Romo {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "delay_min",
            meaning: "Shortest delay between the stimuli, in tau",
            expected: Expected::Number(0.0, 500.0),
            source: "[C]",
        },
        Key {
            name: "delay_max",
            meaning: "Longest delay between the stimuli, in tau",
            expected: Expected::Number(0.0, 500.0),
            source: "[C]",
        },
        Key {
            name: "amplitude_min",
            meaning: "Smallest amplitude of a stimulus",
            expected: Expected::Number(-100.0, 100.0),
            source: "[C]",
        },
        Key {
            name: "amplitude_max",
            meaning: "Largest amplitude of a stimulus",
            expected: Expected::Number(-100.0, 100.0),
            source: "[C]",
        },
        Key {
            name: "amplitude_difference",
            meaning: "Smallest difference of the two amplitudes",
            expected: Expected::Number(0.0, 180.0),
            source: "[C]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        check_number(Self::KEYS, "delay_min", self.delay_min)?;
        check_number(Self::KEYS, "delay_max", self.delay_max)?;
        check_number(Self::KEYS, "amplitude_min", self.amplitude_min)?;
        check_number(Self::KEYS, "amplitude_max", self.amplitude_max)?;
        check_number(Self::KEYS, "amplitude_difference", self.amplitude_difference)?;
        if self.delay_max < self.delay_min {
            let expected = format!("at least delay_min, {}", self.delay_min);
            return Err(TaskError::new("delay_max", self.delay_max, expected));
        }
        if self.amplitude_max <= self.amplitude_min {
            let expected = format!("more than amplitude_min, {}", self.amplitude_min);
            return Err(TaskError::new("amplitude_max", self.amplitude_max, expected));
        }
        let most = LARGEST_SHARE * (self.amplitude_max - self.amplitude_min);
        if self.amplitude_difference > most {
            let expected = format!("at most {most}, 90 % of the range of the amplitudes");
            return Err(TaskError::new("amplitude_difference", self.amplitude_difference, expected));
        }
        Ok(())
    }
}

/// Whole steps in a delay.
fn steps(delay: f64) -> usize {
    (delay / DT).floor() as usize
}

impl DrawTrials for Romo {
    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        let n_steps = SILENCE + 2 * STIMULUS + steps(self.delay_max) + DECISION_DELAY + RESPONSE;
        TrialsShape { n_steps, n_batch, n_in: 1, n_out: 2, loss: LossKind::Regression }
    }

    fn draw<T: Scalar>(&self, stream: &mut Stream, out: &mut Trials<T>) {
        fresh::clear(out);
        let Trials { x, target: Target::Values(target), mask, decision: Some(decision) } = out else {
            return;
        };
        for b in 0..mask.dim().1 {
            let delay = steps(stream.uniform(self.delay_min, self.delay_max));
            let [first, second] = loop {
                let pair = [(); 2].map(|()| stream.uniform(self.amplitude_min, self.amplitude_max));
                if (pair[0] - pair[1]).abs() >= self.amplitude_difference {
                    break pair;
                }
            };
            let larger = usize::from(second > first);
            let start_2 = SILENCE + STIMULUS + delay;
            let response = start_2 + STIMULUS + DECISION_DELAY;
            for t in 0..STIMULUS {
                x[[SILENCE + t, b, 0]] = T::of(first);
                x[[start_2 + t, b, 0]] = T::of(second);
            }
            for t in 0..start_2 + STIMULUS {
                mask[[t, b]] = T::one();
            }
            for t in response..response + RESPONSE {
                mask[[t, b]] = T::one();
                target[[t, b, larger]] = T::of(HIGH);
                decision.weight[[t, b]] = T::one();
            }
            decision.correct[b] = larger as u32;
        }
    }
}
