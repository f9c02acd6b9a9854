//! Owns Adam.

use super::{StateError, found, in_f64};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Adam (Kingma and Ba 2015) with beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 (PyTorch's defaults, P2):
///
/// ```text
/// m <- beta1 m + (1 - beta1) g          v <- beta2 v + (1 - beta2) g^2         m = v = 0 at first
/// w <- w - eta / (1 - beta1^n) m / (sqrt(v / (1 - beta2^n)) + epsilon)         n-th update, from 1
/// ```
///
/// The first update is -eta g / (|g| + epsilon): it does not see the gradient's scale, so a constant factor
/// on the gradient does nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam<T> {
    first_moment: Vec<T>,
    second_moment: Vec<T>,
    count: u64,
}

impl<T: Scalar> Adam<T> {
    /// beta1.
    pub const BETA1: f64 = 0.9;
    /// beta2.
    pub const BETA2: f64 = 0.999;
    /// epsilon.
    pub const EPSILON: f64 = 1e-8;

    /// Over `n_weights` weights.
    pub fn new(n_weights: usize) -> Self {
        Self { first_moment: vec![T::zero(); n_weights], second_moment: vec![T::zero(); n_weights], count: 0 }
    }

    /// m [P].
    pub fn first_moment(&self) -> &[T] {
        &self.first_moment
    }

    /// v [P].
    pub fn second_moment(&self) -> &[T] {
        &self.second_moment
    }

    /// Updates made.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// One update.
    pub fn step(&mut self, weights: &mut [T], gradient: &[T], learning_rate: f64) {
        let n = self.first_moment.len();
        assert_eq!((weights.len(), gradient.len()), (n, n), "one value a weight");
        self.count += 1;
        let correction = |beta: f64| 1.0 - beta.powf(self.count as f64);
        let rate = T::of(learning_rate / correction(Self::BETA1));
        let spread = T::of(1.0 / correction(Self::BETA2).sqrt());
        let (beta1, own1) = (T::of(Self::BETA1), T::of(1.0 - Self::BETA1));
        let (beta2, own2) = (T::of(Self::BETA2), T::of(1.0 - Self::BETA2));
        let epsilon = T::of(Self::EPSILON);
        vectorized(
            #[inline(always)]
            || {
                let moments = self.first_moment.iter_mut().zip(&mut self.second_moment);
                for ((w, g), (m, v)) in weights.iter_mut().zip(gradient).zip(moments) {
                    *m = beta1 * *m + own1 * *g;
                    *v = beta2 * *v + own2 * (*g * *g);
                    *w -= rate * *m / (num_traits::Float::sqrt(*v) * spread + epsilon);
                }
            },
        );
    }

    pub(super) fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        vec![
            ("first_moment", in_f64(&self.first_moment)),
            ("second_moment", in_f64(&self.second_moment)),
            ("count", vec![self.count as f64]),
        ]
    }

    pub(super) fn restore<'a>(&mut self, find: &dyn Fn(&str) -> Option<&'a [f64]>) -> Result<(), StateError> {
        let n = self.first_moment.len();
        let (first_moment, second_moment) =
            (found(find, "first_moment", n)?, found(find, "second_moment", n)?);
        let count: f64 = found(find, "count", 1)?[0];
        if !(0.0..=9_007_199_254_740_992.0).contains(&count) || count.fract() != 0.0 {
            return Err(StateError::Count { value: count });
        }
        *self = Self { first_moment, second_moment, count: count as u64 };
        Ok(())
    }
}
