//! Owns [`Descent`]: a rule let loose at a point of a plane, first in the plane, then in the full space.

use std::sync::Arc;

use super::LandscapeError;
use super::plane::{Coordinates, Plane};
use crate::numerics::optimizers::Optimizer;
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Weights;

/// A descent, step by step, by whatever gradient it is given.
///
/// In the plane a step is what is left of the rule's step by least squares: the coordinates (a, b) move by those
/// of the gradient's projection, so that on any plane, whatever the length and angle of d1 and d2, a rate means
/// what it means in training.
#[derive(Clone, Debug)]
pub struct Descent<T> {
    plane: Arc<Plane>,
    place: Place<T>,
    gradient: Weights<T>,
    step: u64,
}

#[derive(Clone, Debug)]
enum Place<T> {
    InPlane { at: [f64; 2], optimizer: Optimizer<f64> },
    InFull { weights: Weights<T>, optimizer: Optimizer<T> },
}

/// A point on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DescentPoint {
    /// Steps made before it.
    pub step: u64,
    /// Where it stands; the distance from the plane is 0 until the full space is entered.
    pub coordinates: Coordinates,
    /// The loss there, as the gradient's function gave it.
    pub loss: f64,
}

impl<T: Scalar> Descent<T> {
    /// Starts at (a, b), in the plane. `optimizer` is one over two weights, the coordinates.
    pub fn new(plane: Arc<Plane>, a: f64, b: f64, optimizer: Optimizer<f64>) -> Self {
        let gradient = Weights::zeros(plane.centre().dims());
        Self { plane, place: Place::InPlane { at: [a, b], optimizer }, gradient, step: 0 }
    }

    /// Leaves the plane: from here on every weight moves. `optimizer` is one over all P weights.
    pub fn leave_plane(&mut self, optimizer: Optimizer<T>) {
        self.place = Place::InFull { weights: self.weights(), optimizer };
    }

    /// Whether it is still held in the plane.
    pub fn is_in_plane(&self) -> bool {
        matches!(self.place, Place::InPlane { .. })
    }

    /// The weights now.
    pub fn weights(&self) -> Weights<T> {
        match &self.place {
            Place::InPlane { at: [a, b], .. } => self.plane.point(*a, *b).cast(),
            Place::InFull { weights, .. } => weights.clone(),
        }
    }

    /// Makes one step at `learning_rate`, and gives the point that it started from. `loss_and_gradient(weights,
    /// gradient)` gives the loss at these weights and fills in the rule's gradient.
    ///
    /// # Errors
    /// Where the plane's directions lie on one line.
    pub fn step(
        &mut self,
        loss_and_gradient: &mut dyn FnMut(&Weights<T>, &mut Weights<T>) -> f64,
        learning_rate: f64,
    ) -> Result<DescentPoint, LandscapeError> {
        let (coordinates, loss) = match &mut self.place {
            Place::InPlane { at, optimizer } => {
                let coordinates = Coordinates { a: at[0], b: at[1], distance: 0.0 };
                let loss = loss_and_gradient(&self.plane.point(at[0], at[1]).cast(), &mut self.gradient);
                let gradient: Vec<f64> =
                    self.gradient.block(self.plane.block()).iter().map(|g| g.f64()).collect();
                let (a, b) = self.plane.step_in_plane(&gradient)?;
                optimizer.step(at, &[a, b], learning_rate);
                (coordinates, loss)
            }
            Place::InFull { weights, optimizer } => {
                let coordinates = self.plane.coordinates(&weights.cast())?;
                let loss = loss_and_gradient(weights, &mut self.gradient);
                optimizer.step(weights.flat_mut(), self.gradient.flat(), learning_rate);
                (coordinates, loss)
            }
        };
        self.step += 1;
        Ok(DescentPoint { step: self.step - 1, coordinates, loss })
    }
}
