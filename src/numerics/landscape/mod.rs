//! The loss landscape around a network: planes through weight space, the loss on them, the path of training
//! drawn in them, and how the loss bears random noise on the weights.
//!
//! ```text
//! slice(a, b) = L(theta* + a d1 + b d2)        theta* a chosen point, d1 and d2 of one block of the weights
//! ```
//!
//! L is the true loss on the probe batch, without L2. [`directions`] finds d1 and d2, [`range`] how far to
//! look, [`surface`] gives the loss at a point, [`slice`] over a grid (and [`cut`] along a line),
//! [`contours`] the lines of equal loss on a [`scale`], [`trajectory`] keeps the path, [`plane`] has its coordinates,
//! [`descent`] lets a rule go on from any point of the plane, [`shake`] needs no plane at all.
//!
//! Source: Goodfellow, Vinyals and Saxe 2015 (lines), Li et al. 2018 (filter-normalised planes, principal
//! components of the trajectory).

pub mod contours;
pub mod cut;
pub mod descent;
pub mod directions;
pub mod plane;
mod probe;
pub mod range;
pub mod scale;
pub mod shake;
pub mod slice;
pub mod surface;
pub mod trajectory;

use crate::numerics::parallel::KeepOn;

/// What is wrong with points or directions in weight space.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LandscapeError {
    /// A vector has the wrong number of values.
    #[error("{name} has {found} values, expected {expected}")]
    Length {
        /// What it is.
        name: &'static str,
        /// Values found.
        found: usize,
        /// Values expected.
        expected: usize,
    },
    /// A vector has a value that is NaN or infinite.
    #[error("{name} has a value {value} at index {index}, expected finite values")]
    NotFinite {
        /// What it is.
        name: &'static str,
        /// The first bad value.
        value: f64,
        /// Where it stands.
        index: usize,
    },
    /// A direction has no length.
    #[error("{name} is zero, expected a direction")]
    Zero {
        /// What it is.
        name: &'static str,
    },
    /// Two directions span a line only.
    #[error("the two directions lie on one line, expected a plane")]
    OneLine,
    /// There are too few stored states for principal components.
    #[error("states of the trajectory stored: {found}, expected at least 3")]
    FewStates {
        /// States found.
        found: usize,
    },
    /// It was given up before it was known.
    #[error("it is no longer wanted")]
    Unwanted,
}

/// An error as soon as the answer is no longer wanted.
fn wanted(keep_on: KeepOn<'_>) -> Result<(), LandscapeError> {
    if keep_on() { Ok(()) } else { Err(LandscapeError::Unwanted) }
}

/// Checks that `values` has `expected` finite values.
fn check(name: &'static str, values: &[f64], expected: usize) -> Result<(), LandscapeError> {
    if values.len() != expected {
        return Err(LandscapeError::Length { name, found: values.len(), expected });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(LandscapeError::NotFinite { name, value: values[index], index }),
        None => Ok(()),
    }
}
