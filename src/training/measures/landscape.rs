//! Owns the measure of the landscape: a slice of the true loss on the probe batch, with the run's path on it.

mod laying;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Leading, Shared, Subject};
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::plane::{Coordinates, Plane};
use crate::numerics::landscape::slice::{Grid, Progress, Slice};
use crate::numerics::landscape::surface::{NetworkSurface, Surface};
use crate::numerics::landscape::trajectory::{PathPoint, State, Trajectory};
use crate::numerics::parallel::{KeepOn, Workers, for_each};
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::{Block, Weights, norm};
use crate::training::config::{MeasureConfig, SliceConfig, SliceDirections};
use laying::{Ground, Laid};

/// Weights with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// What they are called.
    pub name: String,
    /// The weights.
    pub weights: Arc<Weights<f64>>,
}

/// Another run's path, drawn on a slice beside the run's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherPath {
    /// What the run is called.
    pub name: String,
    /// Its number, for whoever draws it.
    pub run: u64,
    /// Its stored states.
    pub trajectory: Arc<Trajectory>,
}

/// Where a slice lies. What is `None` is chosen: see each field.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceRequest {
    /// How the directions are found.
    pub directions: SliceDirections,
    /// theta*; `None`: the weights measured, with `three-points` the first point.
    pub centre: Option<Named>,
    /// The three points of `three-points`; `None`: the start, the middle of the path and the weights measured.
    pub points: Option<[Named; 3]>,
    /// Paths of other runs of the same network.
    pub others: Vec<OtherPath>,
    /// Points along each axis.
    pub n_points: usize,
    /// Reach to either side; 0 = automatic.
    pub range: f64,
    /// The block in which the directions lie.
    pub block: Block,
}

impl SliceRequest {
    /// The slice that a configuration asks for, around the weights measured.
    pub fn of(measure: &MeasureConfig) -> Self {
        Self::along(measure.slice.directions, measure)
    }

    /// The same along other directions. Those through three points are of all weights: within one block the plane
    /// would not hold the three networks.
    pub fn along(directions: SliceDirections, measure: &MeasureConfig) -> Self {
        let SliceConfig { points, range, .. } = measure.slice;
        let of_all = directions == SliceDirections::ThreePoints;
        Self {
            directions,
            centre: None,
            points: None,
            others: Vec::new(),
            n_points: points,
            range,
            block: if of_all { Block::All } else { measure.block },
        }
    }
}

/// A slice as far as it is computed.
#[derive(Clone, Debug)]
pub struct SliceDetail {
    /// The plane.
    pub plane: Arc<Plane>,
    /// How the directions were found.
    pub directions: SliceDirections,
    /// Names of the axes ("PC 1, 93 %").
    pub names: [String; 2],
    /// What theta* is called ("iteration 300").
    pub centre: String,
    /// The losses; points not known yet have the value of a known neighbour.
    pub grid: Grid,
    /// How far it is: points of the grid and of the paths.
    pub progress: Progress,
    /// The run's stored states. Their losses on the probe batch are true; a loss not known yet is `None`.
    pub path: Arc<Vec<PathPoint>>,
    /// Paths of other runs, their losses on this run's probe batch.
    pub others: Arc<Vec<(OtherPath, Vec<PathPoint>)>>,
    /// Named weights that the slice was laid through.
    pub landmarks: Arc<Vec<(String, Coordinates)>>,
    /// Updates made when the slice was asked for.
    pub iteration: i64,
}

impl SliceDetail {
    /// How far it reaches from its middle, in weights: a point further off the plane is not what it shows.
    pub fn reach(&self) -> f64 {
        let half = |axis: &[f64], direction: &[f64]| {
            let span = axis.first().zip(axis.last()).map_or(0.0, |(first, last)| (last - first).abs());
            0.5 * span * norm(direction)
        };
        let (a, b) = (half(&self.grid.a, self.plane.d1()), half(&self.grid.b, self.plane.d2()));
        a.max(b).max(f64::MIN_POSITIVE)
    }

    /// The stretches of a path that lie no further off the plane than it reaches: the rest would only scribble over
    /// it, and a line from one stretch to the next would go where the path does not.
    pub fn stretches<'a>(&self, path: &'a [PathPoint]) -> Vec<&'a [PathPoint]> {
        let reach = self.reach();
        let is_near = |point: &PathPoint| point.coordinates.distance <= reach;
        path.chunk_by(|a, b| is_near(a) == is_near(b)).filter(|stretch| stretch.iter().all(is_near)).collect()
    }

    /// Whether a state is no further off the plane than it reaches.
    pub fn holds(&self, point: &PathPoint) -> bool {
        point.coordinates.distance <= self.reach()
    }
}

/// A slice that is being computed, bit by bit, by whoever owns it.
pub trait SliceWork: Send {
    /// Computes up to `points` more points of grid and paths; the first call finds the plane. Stops early once
    /// `keep_on` says no, which is asked before each state, each Hessian-vector product, each chunk of the trials.
    ///
    /// # Errors
    /// Where the directions asked for do not span a plane.
    fn advance(
        &mut self,
        points: usize,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Progress, LandscapeError>;

    /// What is known; `None` before the coarsest level is done.
    fn detail(&self) -> Option<SliceDetail>;
}

/// What is kept from slice to slice: true losses of stored states on the probe batch, and the newest grid.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    losses: Arc<Mutex<BTreeMap<usize, (State, f64)>>>,
    grid: Arc<Mutex<Option<(Arc<Plane>, Slice)>>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    fn get(&self, state: &State) -> Option<f64> {
        state.loss().or_else(|| held(&self.losses).get(&state.identity()).map(|(_, loss)| *loss))
    }

    fn keep(&self, new: impl IntoIterator<Item = (State, f64)>) {
        // A state that is kept here keeps its identity to itself.
        held(&self.losses).extend(new.into_iter().map(|(state, loss)| (state.identity(), (state, loss))));
    }

    /// Forgets all but these.
    fn retain<'a>(&self, states: impl Iterator<Item = &'a State>) {
        let wanted: BTreeSet<usize> = states.map(State::identity).collect();
        held(&self.losses).retain(|identity, _| wanted.contains(identity));
    }

    /// A slice over the plane of the one before knows its points where the coordinates are the same: with more
    /// points, or at half the range.
    fn reuse(&self, plane: &Plane, slice: &mut Slice) {
        if let Some((_, before)) = held(&self.grid).as_ref().filter(|(of, _)| **of == *plane) {
            slice.reuse(before);
        }
    }
}

struct Work<T> {
    ground: Ground<T>,
    known: Known,
    laid: Option<Laid>,
}

impl<T> Drop for Work<T> {
    /// Complete or not, its points may be of use to the next.
    fn drop(&mut self) {
        if let Some(laid) = self.laid.take() {
            *held(&self.known.grid) = Some((laid.plane, laid.slice));
        }
    }
}

impl<T: Scalar> SliceWork for Work<T> {
    fn advance(
        &mut self,
        points: usize,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Progress, LandscapeError> {
        let Self { ground, known, laid } = self;
        let laid = match laid {
            Some(laid) => laid,
            None => match ground.lay(known, workers, keep_on) {
                Ok(new) => laid.insert(new),
                Err(LandscapeError::Unwanted) => {
                    let points = ground.request.n_points;
                    return Ok(Progress { done: 0, total: points * points });
                }
                Err(error) => return Err(error),
            },
        };
        let surface = NetworkSurface::new(&ground.network, &ground.probe, &laid.plane, workers.width());
        let had_picture = laid.slice.finest_level().is_some();
        let before = laid.slice.progress().done;
        laid.slice.advance(&surface, workers, points, &|| !keep_on());
        // A picture first, then the path on it, then the details.
        let left = points.saturating_sub(laid.slice.progress().done - before);
        let share = if had_picture { left.max(points / 2) } else { left };
        laid.advance_paths(&surface, known, share, workers, keep_on);
        Ok(laid.progress())
    }

    fn detail(&self) -> Option<SliceDetail> {
        let laid = self.laid.as_ref()?;
        Some(SliceDetail {
            plane: Arc::clone(&laid.plane),
            directions: self.ground.request.directions,
            names: laid.names.clone(),
            centre: laid.centre.clone(),
            grid: laid.slice.preview()?,
            progress: laid.progress(),
            path: Arc::clone(&laid.path),
            others: Arc::clone(&laid.others),
            landmarks: Arc::clone(&laid.landmarks),
            iteration: self.ground.iteration,
        })
    }
}

impl Laid {
    fn progress(&self) -> Progress {
        let Progress { done, total } = self.slice.progress();
        Progress { done: done + self.path_done, total: total + self.states.len() }
    }

    /// Finds the losses of the next `points` states of the paths, in the plane and true.
    fn advance_paths<T: Scalar>(
        &mut self,
        surface: &NetworkSurface<'_, T>,
        known: &Known,
        points: usize,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) {
        let end = self.path_done.saturating_add(points).min(self.states.len());
        if end == self.path_done {
            return;
        }
        let todo = &self.states[self.path_done..end];
        let mut found: Vec<Mutex<Option<(f64, f64)>>> = todo.iter().map(|_| Mutex::default()).collect();
        for_each(workers, &mut found, |i, slot| {
            let (state, at) = &todo[i];
            let loss = known.get(state).or_else(|| surface.loss_of(&state.weights().cast(), keep_on));
            let in_plane = surface.loss_while(at.a, at.b, keep_on);
            *slot = loss.zip(in_plane);
        });
        let found: Vec<(f64, f64)> = found
            .into_iter()
            .map_while(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        known.keep(todo.iter().zip(&found).map(|((state, _), (loss, _))| (state.clone(), *loss)));
        let (own, others) = (Arc::make_mut(&mut self.path), Arc::make_mut(&mut self.others));
        let points = own.iter_mut().chain(others.iter_mut().flat_map(|(_, path)| path));
        for (point, (loss, in_plane)) in points.skip(self.path_done).zip(&found) {
            (point.loss, point.loss_in_plane) = (Some(*loss), Some(*in_plane));
        }
        self.path_done += found.len();
        if self.path_done == self.states.len() {
            known.retain(self.states.iter().map(|(state, _)| state));
        }
    }
}

/// What will find plane and range of a slice and compute it.
///
/// # Errors
/// Where it is known at once that there is no plane.
pub(super) fn begin<T: Scalar>(
    shared: &Shared<T>,
    subject: Subject<'_>,
    request: &SliceRequest,
    leading: Option<Leading<'_, T>>,
    known: &Known,
) -> Result<Box<dyn SliceWork>, LandscapeError> {
    let ground = Ground::new(shared, subject, request, leading)?;
    Ok(Box::new(Work { ground, known: known.clone(), laid: None }))
}

impl Laid {
    fn new(
        plane: Plane,
        slice: Slice,
        names: [String; 2],
        centre: String,
        paths: Paths,
        landmarks: Vec<(String, Coordinates)>,
    ) -> Self {
        let Paths { states, path, others } = paths;
        Self {
            plane: Arc::new(plane),
            slice,
            names,
            centre,
            states,
            path_done: 0,
            path: Arc::new(path),
            others: Arc::new(others),
            landmarks: Arc::new(landmarks),
        }
    }
}

/// The run's own path and those of others in the plane, and the states on them in one list.
struct Paths {
    states: Vec<(State, Coordinates)>,
    path: Vec<PathPoint>,
    others: Vec<(OtherPath, Vec<PathPoint>)>,
}
