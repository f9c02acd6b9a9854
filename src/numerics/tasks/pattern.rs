//! Owns `pattern`: draw a sum of sinusoids from one fixed input. P1's pattern generation.

use std::f64::consts::TAU;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::Task;
use super::fresh;
use super::keys::{Expected, Key, TaskError, check_number, check_numbers, check_whole};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};

/// `pattern`, a regression task with `n_in` (30) inputs and one output.
///
/// One trial of `n_steps` (50), full batch. Input: N(0, input_sd^2), drawn once from the seed, each step and
/// channel on its own. Target at step t = 0, 1, ...: sum over `periods` of sin(2 pi t / period), scaled to a
/// largest magnitude of `target_peak`. Every step counts.
///
/// Test: `test_trials` (16) draws of the input plus N(0, sigma^2), sigma drawn once from U(test_noise -
/// test_noise_spread, test_noise + test_noise_spread). P1 draws sigma per run from a range; here the range is
/// a single value by default, since it swamps a comparison of rules unless paired by seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pattern {
    /// Steps T `[P1]`.
    pub n_steps: usize,
    /// Input channels `[own]`.
    pub n_in: usize,
    /// Standard deviation of the fixed input `[own]`.
    pub input_sd: f64,
    /// Periods of the sinusoids, in steps `[P1]`.
    pub periods: Vec<f64>,
    /// Largest magnitude of the target `[own]`.
    pub target_peak: f64,
    /// Standard deviation sigma of the noise on the test inputs, the middle of its range `[own]`.
    pub test_noise: f64,
    /// Half width of the range that sigma is drawn from, once a run; 0 = sigma is `test_noise` `[own]`.
    pub test_noise_spread: f64,
}

impl Default for Pattern {
    fn default() -> Self {
        Self {
            n_steps: 50,
            n_in: 30,
            input_sd: 0.1,
            periods: vec![10.0, 40.0, 70.0, 100.0],
            target_peak: 2.0,
            test_noise: 0.15,
            test_noise_spread: 0.0,
        }
    }
}

impl Pattern {
    /// Its keys.
    pub const KEYS: &[Key] = &[
        Key {
            name: "n_steps",
            meaning: "Length of the pattern, in steps",
            expected: Expected::Whole(2, 2000),
            source: "[P1]",
        },
        Key { name: "n_in", meaning: "Input channels", expected: Expected::Whole(1, 1000), source: "[own]" },
        Key {
            name: "input_sd",
            meaning: "Standard deviation of the fixed input",
            expected: Expected::Number(0.0, 100.0),
            source: "[own]",
        },
        Key {
            name: "periods",
            meaning: "Periods of the sinusoids in the target, in steps",
            // From 2.5 on a sinusoid cannot vanish at every step, as it does with a period of 1 or 2.
            expected: Expected::Numbers(2.5, 1e6),
            source: "[P1]",
        },
        Key {
            name: "target_peak",
            meaning: "Largest magnitude of the target",
            expected: Expected::Number(0.0, 1000.0),
            source: "[own]",
        },
        Key {
            name: "test_noise",
            meaning: "Standard deviation of the noise on the test inputs",
            expected: Expected::Number(0.0, 100.0),
            source: "[own]",
        },
        Key {
            name: "test_noise_spread",
            meaning: "Half width of the range from which a run draws that standard deviation; 0 = not drawn",
            expected: Expected::Number(0.0, 100.0),
            source: "[own]",
        },
    ];

    pub(super) fn check(&self) -> Result<(), TaskError> {
        check_whole(Self::KEYS, "n_steps", self.n_steps)?;
        check_whole(Self::KEYS, "n_in", self.n_in)?;
        check_number(Self::KEYS, "input_sd", self.input_sd)?;
        check_numbers(Self::KEYS, "periods", &self.periods)?;
        check_number(Self::KEYS, "target_peak", self.target_peak)?;
        check_number(Self::KEYS, "test_noise", self.test_noise)?;
        check_number(Self::KEYS, "test_noise_spread", self.test_noise_spread)?;
        if self.test_noise_spread > self.test_noise {
            let expected = format!("at most test_noise, {}", self.test_noise);
            return Err(TaskError::new("test_noise_spread", self.test_noise_spread, expected));
        }
        Ok(())
    }

    fn shape_of(&self, n_batch: usize) -> TrialsShape {
        TrialsShape { n_steps: self.n_steps, n_batch, n_in: self.n_in, n_out: 1, loss: LossKind::Regression }
    }

    /// The target of every step.
    fn target(&self) -> Vec<f64> {
        let raw = |t: usize| self.periods.iter().map(|period| (TAU * t as f64 / period).sin()).sum::<f64>();
        let target: Vec<f64> = (0..self.n_steps).map(raw).collect();
        let largest = target.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let scale = if largest > 0.0 { self.target_peak / largest } else { 0.0 };
        target.into_iter().map(|v| v * scale).collect()
    }

    /// `n_batch` trials of the same target, with the input that `input` gives for (step, channel), asked
    /// trial by trial.
    fn trials<T: Scalar>(&self, n_batch: usize, mut input: impl FnMut(usize, usize) -> f64) -> Trials<T> {
        let mut out = Trials::zeros(self.shape_of(n_batch));
        out.mask.fill(T::one());
        let target = self.target();
        for b in 0..n_batch {
            for t in 0..self.n_steps {
                for k in 0..self.n_in {
                    out.x[[t, b, k]] = T::of(input(t, k));
                }
            }
        }
        if let Target::Values(values) = &mut out.target {
            values.indexed_iter_mut().for_each(|((t, _, _), v)| *v = T::of(target[t]));
        }
        out
    }
}

/// The task, with its input [T, n_in] and its batch of one trial.
pub(super) struct PatternTask<T> {
    settings: Pattern,
    test_trials: usize,
    input: Array2<f64>,
    batch: Trials<T>,
}

impl<T: Scalar> PatternTask<T> {
    /// Draws the fixed input from `stream`.
    pub(super) fn new(settings: &Pattern, test_trials: usize, stream: &mut Stream) -> Self {
        let mut input = Array2::zeros((settings.n_steps, settings.n_in));
        stream.fill_normal(&mut input, settings.input_sd);
        let batch = settings.trials(1, |t, k| input[[t, k]]);
        Self { settings: settings.clone(), test_trials, input, batch }
    }
}

impl<T: Scalar> Task<T> for PatternTask<T> {
    fn shape(&self) -> TrialsShape {
        self.settings.shape_of(1)
    }

    fn draw_training(&self, _: &mut Stream, out: &mut Trials<T>) {
        fresh::copy(&self.batch, out);
    }

    fn test(&self, stream: &mut Stream) -> Trials<T> {
        // Drawn in any case, so that the noise is the same but for its size whatever the range.
        let place = stream.uniform(-1.0, 1.0);
        let sigma = self.settings.test_noise + place * self.settings.test_noise_spread;
        self.settings.trials(self.test_trials, |t, k| self.input[[t, k]] + sigma * stream.normal())
    }

    fn probe(&self, _: usize, _: &mut Stream) -> Trials<T> {
        self.batch.clone()
    }

    fn is_full_batch(&self) -> bool {
        true
    }
}
