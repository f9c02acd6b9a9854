//! The optimisers: what is done with a rule's gradient.
//!
//! One update is made in this order, each step in place:
//!
//! 1. the learning rule's gradient ([`super::rules`]),
//! 2. times rho or 1/rho where the rule asks for it ([`super::rules::rescale`]),
//! 3. plus L2's gradient ([`add_l2_gradient`]),
//! 4. clipped by its norm over all weights ([`clip`]),
//! 5. [`Optimizer::step`] at the rate that the [`Schedule`] gives for this iteration.
//!
//! Nothing here allocates while training goes on.

mod adam;
mod clip;
mod l2;
mod schedule;
mod sgd;

pub use adam::Adam;
pub use clip::{clip, gradient_norm};
pub use l2::add_l2_gradient;
pub use schedule::{Schedule, Shape, step_length};
pub use sgd::Sgd;

use super::scalar::Scalar;

/// An optimiser with its state.
///
/// ```
/// use basinscope::numerics::optimizers::Optimizer;
/// let mut weights = [1.0, -2.0];
/// Optimizer::sgd(2, 0.0).step(&mut weights, &[0.5, 1.0], 0.1);
/// assert_eq!(weights, [0.95, -2.1]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Optimizer<T> {
    /// Gradient descent, with momentum where it is not 0.
    Sgd(Sgd<T>),
    /// Adam.
    Adam(Adam<T>),
}

/// Why an optimiser's stored state was not taken up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StateError {
    /// A vector is not there.
    #[error("the optimiser's state has no `{name}`")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A vector has another length.
    #[error("the optimiser's `{name}` has {found} values, expected {expected}")]
    Length {
        /// Its name.
        name: &'static str,
        /// Values found.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// The number of updates is no number of updates.
    #[error("the optimiser's `count` is {value}, expected a whole number from 0 to 2^53")]
    Count {
        /// The value found.
        value: f64,
    },
}

impl<T: Scalar> Optimizer<T> {
    /// Gradient descent over `n_weights` weights.
    pub fn sgd(n_weights: usize, momentum: f64) -> Self {
        Self::Sgd(Sgd::new(n_weights, momentum))
    }

    /// Adam over `n_weights` weights.
    pub fn adam(n_weights: usize) -> Self {
        Self::Adam(Adam::new(n_weights))
    }

    /// Makes one update: moves `weights` [P] by the rule's `gradient` [P] at `learning_rate`.
    pub fn step(&mut self, weights: &mut [T], gradient: &[T], learning_rate: f64) {
        match self {
            Self::Sgd(sgd) => sgd.step(weights, gradient, learning_rate),
            Self::Adam(adam) => adam.step(weights, gradient, learning_rate),
        }
    }

    /// The state by name, exactly: `velocity` [P] (with momentum); `first_moment` [P], `second_moment` [P]
    /// and `count` [1] (Adam). [`Optimizer::restore`] takes it up again with the same bits.
    pub fn state(&self) -> Vec<(&'static str, Vec<f64>)> {
        match self {
            Self::Sgd(sgd) => sgd.state(),
            Self::Adam(adam) => adam.state(),
        }
    }

    /// Takes up a stored state; `find` gives a vector by the name that [`Optimizer::state`] gave it. With an
    /// error nothing has changed.
    pub fn restore<'a>(&mut self, find: impl Fn(&str) -> Option<&'a [f64]>) -> Result<(), StateError> {
        match self {
            Self::Sgd(sgd) => sgd.restore(&find),
            Self::Adam(adam) => adam.restore(&find),
        }
    }
}

/// The vector `name` with `n` values in the precision of training.
fn found<'a, T: Scalar>(
    find: &dyn Fn(&str) -> Option<&'a [f64]>,
    name: &'static str,
    n: usize,
) -> Result<Vec<T>, StateError> {
    let values = find(name).ok_or(StateError::Missing { name })?;
    if values.len() != n {
        return Err(StateError::Length { name, found: values.len(), expected: n });
    }
    Ok(values.iter().map(|v| T::of(*v)).collect())
}

fn in_f64<T: Scalar>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| v.f64()).collect()
}
