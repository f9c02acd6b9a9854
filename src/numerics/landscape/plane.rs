//! Owns [`Plane`], a plane through weight space, and the coordinates of weights in it.

use super::{LandscapeError, check};
use crate::numerics::weights::{Block, Weights, dot, norm};

/// The plane theta* + a d1 + b d2.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    centre: Weights<f64>,
    block: Block,
    d1: Vec<f64>,
    d2: Vec<f64>,
    frame: Option<Frame>,
}

/// d1 = r11 q1, d2 = r12 q1 + r22 q2, with q1 and q2 orthonormal.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    q1: Vec<f64>,
    q2: Vec<f64>,
    r11: f64,
    r12: f64,
    r22: f64,
}

/// Where weights stand relative to a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    /// In units of d1.
    pub a: f64,
    /// In units of d2.
    pub b: f64,
    /// Euclidean distance from the plane over all weights, also those outside the block.
    pub distance: f64,
}

impl Plane {
    /// Takes the centre theta* and the directions [P of `block`], of any length and angle.
    ///
    /// # Errors
    /// Where a direction has the wrong number of values, or any value is not finite.
    pub fn new(
        centre: Weights<f64>,
        block: Block,
        d1: Vec<f64>,
        d2: Vec<f64>,
    ) -> Result<Self, LandscapeError> {
        let n = block.range(centre.dims()).len();
        check("the slice's centre", centre.flat(), centre.dims().n_weights())?;
        check("the slice's direction 1", &d1, n)?;
        check("the slice's direction 2", &d2, n)?;
        let frame = Frame::new(&d1, &d2);
        Ok(Self { centre, block, d1, d2, frame })
    }

    /// theta*.
    pub fn centre(&self) -> &Weights<f64> {
        &self.centre
    }

    /// The block in which the plane lies.
    pub fn block(&self) -> Block {
        self.block
    }

    /// d1 [P of the block].
    pub fn d1(&self) -> &[f64] {
        &self.d1
    }

    /// d2 [P of the block].
    pub fn d2(&self) -> &[f64] {
        &self.d2
    }

    /// The weights at (a, b).
    pub fn point(&self, a: f64, b: f64) -> Weights<f64> {
        let mut point = self.centre.clone();
        let directions = self.d1.iter().zip(&self.d2);
        for (w, (d1, d2)) in point.block_mut(self.block).iter_mut().zip(directions) {
            *w += a * d1 + b * d2;
        }
        point
    }

    /// Least-squares coordinates of `weights` and their distance from the plane.
    ///
    /// ```
    /// use basinscope::numerics::landscape::plane::{Coordinates, Plane};
    /// use basinscope::numerics::weights::{Block, Dims, Weights};
    /// let dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };
    /// let (d1, d2) = (vec![1.0, 0.0, 0.0], vec![1.0, 2.0, 0.0]); // neither unit nor orthogonal
    /// let plane = Plane::new(Weights::zeros(dims), Block::All, d1, d2)?;
    /// let weights = Weights::from_flat(dims, vec![5.0, 4.0, 7.0]).ok_or("three weights")?;
    /// assert_eq!(plane.coordinates(&weights)?, Coordinates { a: 3.0, b: 2.0, distance: 7.0 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the directions are zero or lie on one line.
    pub fn coordinates(&self, weights: &Weights<f64>) -> Result<Coordinates, LandscapeError> {
        let frame = self.frame()?;
        let mut away: Vec<f64> =
            weights.flat().iter().zip(self.centre.flat()).map(|(w, centre)| w - centre).collect();
        let (a, b) = frame.take_out(&mut away[self.block.range(self.centre.dims())]);
        Ok(Coordinates { a, b, distance: norm(&away) })
    }

    /// Least-squares coordinates (a, b) of a `step` [P of the block] through weight space: what is left of it
    /// in the plane.
    ///
    /// # Errors
    /// Where the directions are zero or lie on one line.
    pub fn step_in_plane(&self, step: &[f64]) -> Result<(f64, f64), LandscapeError> {
        Ok(self.frame()?.take_out(&mut step.to_vec()))
    }

    fn frame(&self) -> Result<&Frame, LandscapeError> {
        self.frame.as_ref().ok_or(LandscapeError::OneLine)
    }
}

impl Frame {
    /// Gram-Schmidt, the second vector twice (Kahan's "twice is enough"). `None` where the directions lie on
    /// one line to rounding.
    fn new(d1: &[f64], d2: &[f64]) -> Option<Self> {
        let r11 = norm(d1);
        let q1: Vec<f64> = d1.iter().map(|d| d / r11).collect();
        let mut q2 = d2.to_vec();
        let r12 = remove(&mut q2, &q1) + remove(&mut q2, &q1);
        let r22 = norm(&q2);
        q2.iter_mut().for_each(|q| *q /= r22);
        let is_plane = r11 > 0.0 && r22 > 1e-12 * norm(d2);
        is_plane.then_some(Self { q1, q2, r11, r12, r22 })
    }

    /// Takes the part that lies in the plane out of `v` and gives its coordinates.
    fn take_out(&self, v: &mut [f64]) -> (f64, f64) {
        let c1 = remove(v, &self.q1);
        let c2 = remove(v, &self.q2);
        let b = c2 / self.r22;
        ((c1 - self.r12 * b) / self.r11, b)
    }
}

/// Takes the part along the unit vector `q` out of `v` and gives its length.
fn remove(v: &mut [f64], q: &[f64]) -> f64 {
    let along = dot(v, q);
    v.iter_mut().zip(q).for_each(|(v, q)| *v -= along * q);
    along
}
