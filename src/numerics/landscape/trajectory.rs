//! Owns [`Trajectory`], the path of a run through weight space in bounded memory.

use std::ops::Range;
use std::sync::Arc;

use super::directions::{PrincipalComponents, principal_components};
use super::plane::{Coordinates, Plane};
use super::{LandscapeError, wanted};
use crate::numerics::parallel::KeepOn;
use crate::numerics::weights::{Block, Dims, Weights};

/// The most states that are kept (`[own]`; principal components of a path do not gain from more).
pub const STATES: usize = 400;

/// The most memory that they take, in bytes (`[own]`: 400 states in f32 up to N = 200).
pub const BYTES: usize = 64 << 20;

/// Weights along a run, thinned evenly over the whole of it: those of the first iteration recorded and of every
/// 2^k-th after it, with the smallest k that keeps their number and memory in bounds, and the newest.
///
/// Which are kept depends on the iterations only. Weights of a run in f32 are stored as such, exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    most: usize,
    most_bytes: usize,
    space: i64,
    states: Vec<State>,
    /// The newest state, where it is not one of `states`.
    newest: Option<State>,
}

/// One stored state. Its copies share the weights, so that a whole store is handed to another thread at once.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    iteration: i64,
    loss: Option<f64>,
    dims: Dims,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Single(Arc<[f32]>),
    Double(Arc<[f64]>),
}

/// A state as a point of a plane's picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathPoint {
    /// Its iteration.
    pub iteration: i64,
    /// Where it stands, and how far off the plane.
    pub coordinates: Coordinates,
    /// Its true loss, where it is known.
    pub loss: Option<f64>,
    /// The plane's loss at these coordinates, where it is known: with a distance of 0 it is the true one.
    pub loss_in_plane: Option<f64>,
}

impl State {
    fn new(iteration: i64, weights: &Weights<f64>, loss: Option<f64>) -> Self {
        let flat = weights.flat();
        let values = if flat.iter().all(|w| f64::from(*w as f32) == *w) {
            Values::Single(flat.iter().map(|w| *w as f32).collect())
        } else {
            Values::Double(flat.into())
        };
        Self { iteration, loss, dims: weights.dims(), values }
    }

    /// Updates made.
    pub fn iteration(&self) -> i64 {
        self.iteration
    }

    /// The true loss on the probe batch, where it is known.
    pub fn loss(&self) -> Option<f64> {
        self.loss
    }

    /// The weights.
    pub fn weights(&self) -> Weights<f64> {
        let mut weights = Weights::zeros(self.dims);
        self.read(0..self.dims.n_weights(), weights.flat_mut());
        weights
    }

    /// A number that copies of this state share, and no other state has while one of them lives.
    pub fn identity(&self) -> usize {
        match &self.values {
            Values::Single(values) => values.as_ptr().addr(),
            Values::Double(values) => values.as_ptr().addr(),
        }
    }

    /// Copies a range of the P weights.
    fn read(&self, range: Range<usize>, out: &mut [f64]) {
        match &self.values {
            Values::Single(values) => {
                out.iter_mut().zip(&values[range]).for_each(|(o, v)| *o = f64::from(*v));
            }
            Values::Double(values) => out.copy_from_slice(&values[range]),
        }
    }

    fn bytes(&self) -> usize {
        match &self.values {
            Values::Single(values) => size_of_val(&**values),
            Values::Double(values) => size_of_val(&**values),
        }
    }
}

impl Default for Trajectory {
    fn default() -> Self {
        Self::new(STATES, BYTES)
    }
}

impl Trajectory {
    /// A store of at most `most` states that take at most `most_bytes`, but of at least 4.
    pub fn new(most: usize, most_bytes: usize) -> Self {
        Self { most, most_bytes, space: 1, states: Vec::new(), newest: None }
    }

    /// The store as it was written down: its states in the order of their iterations, and [`Trajectory::space`].
    /// It goes on as the original would. At most `STATES` are taken, of one network.
    pub fn restore(space: i64, states: impl IntoIterator<Item = (i64, Weights<f64>, Option<f64>)>) -> Self {
        let mut store = Self { space: space.max(1), ..Self::default() };
        for (iteration, weights, loss) in states.into_iter().take(STATES) {
            let state = State::new(iteration, &weights, loss);
            if store.wants(iteration) {
                store.states.push(state);
            } else {
                store.newest = Some(state);
            }
        }
        store
    }

    /// Whether the weights of `iteration` would stay in the store. [`Trajectory::record`] is to be called
    /// wherever this says yes, and where the path's end is to be seen.
    pub fn wants(&self, iteration: i64) -> bool {
        match self.states.first() {
            Some(first) => (iteration - first.iteration).rem_euclid(self.space) == 0,
            None => true,
        }
    }

    /// Stores the weights of `iteration`, with their true loss on the probe batch where it is known. States of
    /// this and later iterations are dropped first: the run was taken back. Weights that are not finite are no
    /// point of any plane and are not kept.
    pub fn record(&mut self, iteration: i64, weights: &Weights<f64>, loss: Option<f64>) {
        self.states.retain(|state| state.iteration < iteration);
        self.newest = self.newest.take().filter(|state| state.iteration < iteration);
        if weights.flat().iter().any(|w| !w.is_finite()) {
            return;
        }
        self.newest = None;
        let state = State::new(iteration, weights, loss);
        // One place is for the newest state.
        let most = self.most.min(self.most_bytes / state.bytes().max(1)).max(4);
        while self.wants(iteration) && self.states.len() + 1 >= most {
            self.space *= 2;
            let first = self.states[0].iteration;
            self.states.retain(|state| (state.iteration - first) % self.space == 0);
        }
        if self.wants(iteration) {
            self.states.push(state);
        } else {
            self.newest = Some(state);
        }
    }

    /// All states in the order of their iterations.
    pub fn states(&self) -> impl Iterator<Item = &State> {
        self.states.iter().chain(&self.newest)
    }

    /// Number of states.
    pub fn len(&self) -> usize {
        self.states().count()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Iterations between two states (the newest excepted).
    pub fn space(&self) -> i64 {
        self.space
    }

    /// Memory of all weights stored, in bytes.
    pub fn bytes(&self) -> usize {
        self.states().map(State::bytes).sum()
    }

    /// Asks for every loss that is not known yet, until the answer is `None`.
    pub fn fill_losses(&mut self, loss: &mut dyn FnMut(&Weights<f64>) -> Option<f64>) {
        for state in self.states.iter_mut().chain(&mut self.newest).filter(|s| s.loss.is_none()) {
            state.loss = loss(&state.weights());
            if state.loss.is_none() {
                return;
            }
        }
    }

    /// The principal components of the values of `block` along the path.
    ///
    /// # Errors
    /// With fewer than 3 states, or a path that lies on one line; where `keep_on` says no before they are known.
    pub fn principal_components(
        &self,
        block: Block,
        keep_on: KeepOn<'_>,
    ) -> Result<PrincipalComponents, LandscapeError> {
        let states: Vec<&State> = self.states().collect();
        let Some(first) = states.first() else {
            return Err(LandscapeError::FewStates { found: 0 });
        };
        let own = block.range(first.dims);
        let read = |state: usize, range: Range<usize>, out: &mut [f64]| {
            states[state].read(own.start + range.start..own.start + range.end, out);
        };
        principal_components(states.len(), own.len(), &read, keep_on)
    }

    /// The path in a plane.
    ///
    /// # Errors
    /// Where the plane's directions lie on one line, or belong to a network of another size; where `keep_on`,
    /// asked before each state, says no.
    pub fn path(&self, plane: &Plane, keep_on: KeepOn<'_>) -> Result<Vec<PathPoint>, LandscapeError> {
        let expected = plane.centre().flat().len();
        self.states()
            .map(|state| {
                if state.dims != plane.centre().dims() {
                    let found = state.dims.n_weights();
                    return Err(LandscapeError::Length { name: "a stored state", found, expected });
                }
                wanted(keep_on)?;
                let coordinates = plane.coordinates(&state.weights())?;
                Ok(PathPoint {
                    iteration: state.iteration,
                    coordinates,
                    loss: state.loss,
                    loss_in_plane: None,
                })
            })
            .collect()
    }
}
