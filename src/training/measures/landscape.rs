//! Owns the measure of the landscape: a slice of the true loss on the probe batch, with the run's path on it.

use std::sync::Arc;

use super::{Leading, Shared, Subject};
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::directions::{filter_normalised, through_points, unit_vector};
use crate::numerics::landscape::plane::Plane;
use crate::numerics::landscape::range::{Range, of_path, reach_of_growth};
use crate::numerics::landscape::slice::{Grid, Progress, Slice};
use crate::numerics::landscape::surface::{NetworkSurface, Surface};
use crate::numerics::landscape::trajectory::{PathPoint, Trajectory};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights, norm};
use crate::training::config::{MeasureConfig, SliceConfig, SliceDirections};

/// Where a slice lies. What is `None` is chosen: see each field.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceRequest {
    /// How the directions are found.
    pub directions: SliceDirections,
    /// theta*; `None`: the weights measured.
    pub centre: Option<Weights<f64>>,
    /// The three points of `three-points`; `None`: the start, the middle of the path and the weights measured.
    pub points: Option<[Weights<f64>; 3]>,
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
        let SliceConfig { directions, points, range } = measure.slice;
        Self { directions, centre: None, points: None, n_points: points, range, block: measure.block }
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
    /// The losses; points not known yet have the value of a known neighbour.
    pub grid: Grid,
    /// How far it is.
    pub progress: Progress,
    /// The run's stored states, each with its true loss on the probe batch.
    pub path: Arc<Vec<PathPoint>>,
    /// Updates made when the slice was asked for.
    pub iteration: i64,
}

/// A slice that is being computed, bit by bit, by whoever owns it.
pub trait SliceWork: Send {
    /// Computes up to `points` more points; stops early once `keep_on` says no.
    fn advance(
        &mut self,
        points: usize,
        workers: &dyn Workers,
        keep_on: &(dyn Fn() -> bool + Sync),
    ) -> Progress;

    /// What is known; `None` before the coarsest level is done.
    fn detail(&self) -> Option<SliceDetail>;
}

struct Work<T> {
    network: Network<T>,
    probe: Trials<T>,
    plane: Arc<Plane>,
    slice: Slice,
    detail: Head,
}

/// All of [`SliceDetail`] but the grid.
struct Head {
    directions: SliceDirections,
    names: [String; 2],
    path: Arc<Vec<PathPoint>>,
    iteration: i64,
}

impl<T: Scalar> SliceWork for Work<T> {
    fn advance(
        &mut self,
        points: usize,
        workers: &dyn Workers,
        keep_on: &(dyn Fn() -> bool + Sync),
    ) -> Progress {
        let surface = NetworkSurface::new(&self.network, &self.probe, &self.plane, workers.width());
        self.slice.advance(&surface, workers, points, &|| !keep_on())
    }

    fn detail(&self) -> Option<SliceDetail> {
        Some(SliceDetail {
            plane: Arc::clone(&self.plane),
            directions: self.detail.directions,
            names: self.detail.names.clone(),
            grid: self.slice.preview()?,
            progress: self.slice.progress(),
            path: Arc::clone(&self.detail.path),
            iteration: self.detail.iteration,
        })
    }
}

/// Its own number in the family of the measures' streams.
const STREAM: u64 = 3;

/// Finds plane, range and path of a slice, and what will compute it.
pub(super) fn begin<T: Scalar>(
    shared: &Shared<T>,
    subject: Subject<'_>,
    request: &SliceRequest,
    leading: Option<Leading<'_, T>>,
    workers: &dyn Workers,
) -> Result<Box<dyn SliceWork>, LandscapeError> {
    let (block, path) = (request.block, subject.trajectory);
    let centre = request.centre.as_ref().unwrap_or(subject.weights).clone();
    let (d1, d2, names) = match request.directions {
        SliceDirections::Random => {
            let mut stream = Stream::numbered(shared.config.seed, Purpose::Measures, STREAM);
            let d1 = filter_normalised(&centre, block, &mut stream);
            let d2 = filter_normalised(&centre, block, &mut stream);
            (d1, d2, ["random direction 1".into(), "random direction 2".into()])
        }
        SliceDirections::Eigenvectors => {
            let Some(leading) = leading.filter(|l| l.pairs.len() > 1 && l.block == block) else {
                return Err(LandscapeError::Zero { name: "the Hessian's second eigenvector" });
            };
            let name = |i: usize| format!("eigenvector {}, lambda {:.3}", i + 1, leading.pairs[i].value);
            let vector = |i: usize| {
                let values = leading.pairs[i].vector.iter().map(|v| v.f64()).collect();
                unit_vector("an eigenvector", values)
            };
            (vector(0)?, vector(1)?, [name(0), name(1)])
        }
        SliceDirections::Trajectory => {
            let found = path.principal_components(block)?;
            let share = |i: usize| format!("PC {}, {:.0} %", i + 1, 100.0 * found.explained[i]);
            let names = [share(0), share(1)];
            let [d1, d2] = found.directions;
            (d1, d2, names)
        }
        SliceDirections::ThreePoints => {
            let points = match &request.points {
                Some(points) => points.clone(),
                None => {
                    let state = |i: usize| path.states().nth(i).map(|state| state.weights());
                    match (state(0), state(path.len() / 2)) {
                        (Some(start), Some(middle)) => [start, middle, subject.weights.clone()],
                        _ => return Err(LandscapeError::FewStates { found: path.len() }),
                    }
                }
            };
            let [a, b, c] = points.each_ref().map(|w| w.block(block));
            let [d1, d2] = through_points([a, b, c])?;
            (d1, d2, ["from the first to the second point".into(), "towards the third point".into()])
        }
    };
    let plane = Arc::new(Plane::new(centre, block, d1, d2)?);
    let path = path_with_losses(shared, &plane, path, workers)?;
    let [range_a, range_b] = ranges(shared, &plane, &path, request);
    let n = request.n_points;
    Ok(Box::new(Work {
        network: shared.network.clone(),
        probe: shared.probe.clone(),
        slice: Slice::new(range_a.axis(n), range_b.axis(n)),
        plane,
        detail: Head {
            directions: request.directions,
            names,
            path: Arc::new(path),
            iteration: subject.iteration,
        },
    }))
}

/// The stored states in the plane, each with its true loss; those not known are computed.
fn path_with_losses<T: Scalar>(
    shared: &Shared<T>,
    plane: &Plane,
    trajectory: &Trajectory,
    workers: &dyn Workers,
) -> Result<Vec<PathPoint>, LandscapeError> {
    let mut pass = GradientPass::new(&shared.network);
    let mut path = trajectory.path(plane)?;
    for (point, state) in path.iter_mut().zip(trajectory.states()) {
        if point.loss.is_none() {
            let weights = state.weights().cast();
            point.loss = Some(pass.run(&weights, &shared.probe, &[], &mut [], workers).loss);
        }
    }
    Ok(path)
}

/// The range asked for, or the automatic one of these directions.
fn ranges<T: Scalar>(
    shared: &Shared<T>,
    plane: &Plane,
    path: &[PathPoint],
    request: &SliceRequest,
) -> [Range; 2] {
    if request.range > 0.0 {
        return [Range::around_centre(request.range); 2];
    }
    match request.directions {
        SliceDirections::Random => [Range::around_centre(1.0); 2],
        SliceDirections::Trajectory | SliceDirections::ThreePoints => {
            of_path(&path.iter().map(|p| p.coordinates).collect::<Vec<_>>())
        }
        SliceDirections::Eigenvectors => {
            let surface = NetworkSurface::new(&shared.network, &shared.probe, plane, 1);
            let scale = norm(plane.centre().block(request.block));
            let along = |loss: &dyn Fn(f64) -> f64| {
                Range::around_centre(reach_of_growth(loss, scale, GROWTH_OF_LOSS))
            };
            [along(&|s| surface.loss(s, 0.0)), along(&|s| surface.loss(0.0, s))]
        }
    }
}

/// Along eigenvectors a slice reaches to where the loss is about this many times the centre's.
const GROWTH_OF_LOSS: f64 = 10.0;
