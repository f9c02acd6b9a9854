//! Owns the learning-rate schedules: pure functions of the iteration.

use std::f64::consts::PI;

/// The course of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// 1.
    Constant,
    /// `initial_factor factor^floor(n / every)` (P1 App. Fig. 5: 3, and `every` = total / 30; the factor is
    /// our choice, 0.9).
    Step {
        /// What it starts at.
        initial_factor: f64,
        /// What it is multiplied by.
        factor: f64,
        /// Every so many iterations; 0 = the run's iterations / 30, at least 1.
        every: u64,
    },
    /// `decay^n`.
    Exponential {
        /// Factor an iteration.
        decay: f64,
    },
    /// Half a cosine from 1 to `final_factor` over the iterations after the warm-up; there it stays.
    Cosine {
        /// What it ends at.
        final_factor: f64,
    },
}

/// A learning-rate schedule, as factors on the learning rate.
///
/// With W iterations of warm-up, iteration n (the n-th update, from 0) has
///
/// ```text
/// factor(n) = (n + 1) / W shape(0)   for n < W,     shape(n - W)   after
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The course after the warm-up.
    pub shape: Shape,
    /// W, iterations of linear warm-up in front; 0 = none.
    pub warmup: u64,
    /// Iterations of the whole run.
    pub iterations: u64,
}

impl Schedule {
    /// The same rate for ever.
    pub const CONSTANT: Self = Self { shape: Shape::Constant, warmup: 0, iterations: 0 };

    /// What the learning rate is multiplied by in iteration `n` (updates already made).
    ///
    /// ```
    /// use basinscope::numerics::optimizers::{Schedule, Shape};
    /// let shape = Shape::Step { initial_factor: 3.0, factor: 0.5, every: 0 };
    /// let schedule = Schedule { shape, warmup: 0, iterations: 300 };
    /// assert_eq!([0, 9, 10, 20].map(|n| schedule.factor(n)), [3.0, 3.0, 1.5, 0.75]);
    /// ```
    pub fn factor(&self, n: u64) -> f64 {
        if n < self.warmup {
            return (n + 1) as f64 / self.warmup as f64 * self.shape_at(0);
        }
        self.shape_at(n - self.warmup)
    }

    fn shape_at(&self, n: u64) -> f64 {
        match self.shape {
            Shape::Constant => 1.0,
            Shape::Step { initial_factor, factor, every } => {
                initial_factor * factor.powf((n / step_length(every, self.iterations)) as f64)
            }
            Shape::Exponential { decay } => decay.powf(n as f64),
            Shape::Cosine { final_factor } => {
                let total = self.iterations.saturating_sub(self.warmup).max(1);
                let share = n.min(total) as f64 / total as f64;
                final_factor + (1.0 - final_factor) * 0.5 * (1.0 + (PI * share).cos())
            }
        }
    }
}

/// Iterations between two steps of a step decay: `every`, or, where that is 0, a thirtieth of all (P1 appendix
/// figure 5), at least 1.
///
/// ```
/// use basinscope::numerics::optimizers::step_length;
/// assert_eq!([step_length(0, 300), step_length(0, 10), step_length(7, 300)], [10, 1, 7]);
/// ```
pub fn step_length(every: u64, iterations: u64) -> u64 {
    if every == 0 { (iterations / 30).max(1) } else { every }
}
