//! Owns gradient descent with momentum.

use super::{StateError, found, in_f64};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// Gradient descent with heavy-ball momentum m (Polyak 1964, in PyTorch's form):
///
/// ```text
/// u <- m u + g,   w <- w - eta u        u = 0 at first; m = 0: w <- w - eta g
/// ```
///
/// On a quadratic loss it is stable for lambda_max < 2 (1 + m) / eta.
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd<T> {
    n_weights: usize,
    momentum: f64,
    /// u [P]; empty without momentum.
    velocity: Vec<T>,
}

impl<T: Scalar> Sgd<T> {
    /// Over `n_weights` weights, with momentum in [0, 1).
    pub fn new(n_weights: usize, momentum: f64) -> Self {
        let mut sgd = Self { n_weights, momentum: 0.0, velocity: Vec::new() };
        sgd.set_momentum(momentum);
        sgd
    }

    /// m.
    pub fn momentum(&self) -> f64 {
        self.momentum
    }

    /// Changes m from the next update on. The velocity stays; it is dropped with m = 0.
    pub fn set_momentum(&mut self, momentum: f64) {
        self.momentum = momentum;
        let len = if momentum == 0.0 { 0 } else { self.n_weights };
        self.velocity.resize(len, T::zero());
    }

    /// u [P]; empty without momentum.
    pub fn velocity(&self) -> &[T] {
        &self.velocity
    }

    /// One update.
    pub fn step(&mut self, weights: &mut [T], gradient: &[T], learning_rate: f64) {
        assert_eq!((weights.len(), gradient.len()), (self.n_weights, self.n_weights), "one value a weight");
        let (eta, m) = (T::of(learning_rate), T::of(self.momentum));
        if self.velocity.is_empty() {
            return vectorized(
                #[inline(always)]
                || weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= eta * *g),
            );
        }
        vectorized(
            #[inline(always)]
            || {
                for ((w, g), u) in weights.iter_mut().zip(gradient).zip(&mut self.velocity) {
                    *u = m * *u + *g;
                    *w -= eta * *u;
                }
            },
        );
    }

    pub(super) fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        if self.velocity.is_empty() { Vec::new() } else { vec![("velocity", in_f64(&self.velocity))] }
    }

    pub(super) fn restore<'a>(&mut self, find: &dyn Fn(&str) -> Option<&'a [f64]>) -> Result<(), StateError> {
        if !self.velocity.is_empty() {
            self.velocity = found(find, "velocity", self.n_weights)?;
        }
        Ok(())
    }
}
