//! Owns one-dimensional cuts through the landscape: a slice with one row.

use super::LandscapeError;
use super::plane::Plane;
use super::slice::Slice;
use crate::numerics::weights::{Block, Weights, norm};

/// The line centre + t d, d [P of `block`], as a plane whose second direction is zero.
///
/// # Errors
/// Where `direction` has the wrong number of values, is zero, or anything is not finite.
pub fn along(centre: Weights<f64>, block: Block, direction: Vec<f64>) -> Result<Plane, LandscapeError> {
    if norm(&direction) == 0.0 {
        return Err(LandscapeError::Zero { name: "the direction of the cut" });
    }
    let nothing = vec![0.0; direction.len()];
    Plane::new(centre, block, direction, nothing)
}

/// The line through two networks: t = 0 at `from`, t = 1 at `to` (Goodfellow, Vinyals and Saxe 2015).
///
/// # Errors
/// Where the two are of different sizes or the same, or anything is not finite.
pub fn between(from: &Weights<f64>, to: &Weights<f64>) -> Result<Plane, LandscapeError> {
    if from.dims() != to.dims() {
        let (found, expected) = (to.flat().len(), from.flat().len());
        return Err(LandscapeError::Length { name: "the cut's second end", found, expected });
    }
    let direction = to.flat().iter().zip(from.flat()).map(|(to, from)| to - from).collect();
    along(from.clone(), Block::All, direction)
}

/// Coordinates for [`between`]: `spaces` from 0 to 1 and about a quarter as many beyond each end.
///
/// ```
/// use basinscope::numerics::landscape::cut::axis_between;
/// assert_eq!(axis_between(4), [-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
/// ```
pub fn axis_between(spaces: usize) -> Vec<f64> {
    let spaces = spaces.max(1);
    let beyond = spaces.div_ceil(4);
    (0..spaces + 2 * beyond + 1).map(|i| (i as f64 - beyond as f64) / spaces as f64).collect()
}

/// The cut itself, nothing known yet.
pub fn cut(t: Vec<f64>) -> Slice {
    Slice::new(t, vec![0.0])
}
