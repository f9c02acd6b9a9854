//! Owns how a slice is laid: its directions, its centre and how far it reaches.

use std::sync::Arc;

use super::{Known, Named, OtherPath, Paths, SliceRequest};
use crate::numerics::curvature::hessian::Hessian;
use crate::numerics::curvature::lanczos::{Lanczos, Wanted};
use crate::numerics::curvature::operator;
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::directions::{filter_normalised, through_points, unit_vector};
use crate::numerics::landscape::plane::{Coordinates, Plane};
use crate::numerics::landscape::range::{Range, of_path, reach_of_growth};
use crate::numerics::landscape::slice::Slice;
use crate::numerics::landscape::surface::{NetworkSurface, Surface};
use crate::numerics::landscape::trajectory::{PathPoint, State, Trajectory};
use crate::numerics::network::Network;
use crate::numerics::parallel::{KeepOn, WhileWanted, Workers};
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Weights, norm};
use crate::training::config::SliceDirections;
use crate::training::measures::{Leading, Shared, Subject};

/// All that a slice is made from.
pub(super) struct Ground<T> {
    pub network: Network<T>,
    pub probe: Trials<T>,
    pub request: SliceRequest,
    /// Updates made.
    pub iteration: i64,
    seed: u64,
    l2: f64,
    weights: Weights<f64>,
    trajectory: Trajectory,
    /// The two leading eigenpairs at the weights measured, where they are known.
    leading: Option<[(f64, Vec<f64>); 2]>,
}

/// A slice that has its plane.
pub(super) struct Laid {
    pub plane: Arc<Plane>,
    pub slice: Slice,
    pub names: [String; 2],
    pub centre: String,
    /// The states of all paths, the run's own first, and how many of them have their losses.
    pub states: Vec<(State, Coordinates)>,
    pub path_done: usize,
    pub path: Arc<Vec<PathPoint>>,
    pub others: Arc<Vec<(OtherPath, Vec<PathPoint>)>>,
    pub landmarks: Arc<Vec<(String, Coordinates)>>,
}

/// Numbers of their own in the family of the measures' streams: random directions, the search for eigenvectors.
const STREAMS: [u64; 2] = [3, 7];

/// Residual and most products of the search for eigenvectors (`[own]`: a picture needs no more).
const EIGENVECTORS: (f64, usize) = (1e-3, 300);

/// Along eigenvectors a slice reaches to where the loss is about this many times the centre's.
const GROWTH_OF_LOSS: f64 = 10.0;

struct Directions {
    d1: Vec<f64>,
    d2: Vec<f64>,
    names: [String; 2],
}

impl<T: Scalar> Ground<T> {
    pub fn new(
        shared: &Shared<T>,
        subject: Subject<'_>,
        request: &SliceRequest,
        leading: Option<Leading<'_, T>>,
    ) -> Result<Self, LandscapeError> {
        let needs_path = match request.directions {
            SliceDirections::Trajectory => true,
            SliceDirections::ThreePoints => request.points.is_none(),
            SliceDirections::Random | SliceDirections::Eigenvectors | SliceDirections::EigenvectorRandom => {
                false
            }
        };
        if needs_path && subject.trajectory.len() < 3 {
            return Err(LandscapeError::FewStates { found: subject.trajectory.len() });
        }
        let leading = leading
            .filter(|l| l.iteration == subject.iteration && l.block == request.block && l.pairs.len() > 1)
            .map(|l| {
                let pair = |i: usize| (l.pairs[i].value, l.pairs[i].vector.iter().map(|v| v.f64()).collect());
                [pair(0), pair(1)]
            });
        Ok(Self {
            network: shared.network.clone(),
            probe: shared.probe.clone(),
            request: request.clone(),
            iteration: subject.iteration,
            seed: shared.config.seed,
            l2: shared.config.optimizer.l2,
            weights: subject.weights.clone(),
            trajectory: subject.trajectory.clone(),
            leading,
        })
    }

    /// Finds the plane, the range and where the paths stand in it.
    ///
    /// `keep_on` is asked before each state of a path, each block of the principal components, each chunk of the
    /// trials in a Hessian-vector product and in a loss.
    ///
    /// # Errors
    /// Where there is no plane; [`LandscapeError::Unwanted`] once `keep_on` has said no.
    pub fn lay(
        &self,
        known: &Known,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Laid, LandscapeError> {
        let (request, block) = (&self.request, self.request.block);
        let points = match (request.directions, &request.points) {
            (SliceDirections::ThreePoints, Some(points)) => Some(points.clone()),
            (SliceDirections::ThreePoints, None) => Some(self.own_points()?),
            _ => None,
        };
        let measured = || Named { name: iteration(self.iteration), weights: Arc::new(self.weights.clone()) };
        let first = points.as_ref().map(|points| points[0].clone());
        let centre = request.centre.clone().or(first).unwrap_or_else(measured);
        let Directions { d1, d2, names } = match &points {
            Some(points) => through(points, block)?,
            None => self.directions(&centre.weights, workers, keep_on)?,
        };
        let plane = Plane::new((*centre.weights).clone(), block, d1, d2)?;
        let named = points.iter().flatten().chain(&request.centre);
        let mut landmarks: Vec<(String, Coordinates)> = Vec::new();
        for Named { name, weights } in named {
            self.same_network(weights)?;
            let at = plane.coordinates(weights)?;
            if landmarks.iter().all(|(other, _)| other != name) {
                landmarks.push((name.clone(), at));
            }
        }
        let paths = self.paths(&plane, known, keep_on)?;
        let places = paths.states.iter().map(|(_, at)| *at).chain(landmarks.iter().map(|(_, at)| *at));
        let [a, b] = self.ranges(&plane, &places.collect::<Vec<_>>(), keep_on);
        if !keep_on() {
            return Err(LandscapeError::Unwanted);
        }
        let mut slice = Slice::new(a.axis(request.n_points), b.axis(request.n_points));
        known.reuse(&plane, &mut slice);
        Ok(Laid::new(plane, slice, names, centre.name, paths, landmarks))
    }

    fn same_network(&self, weights: &Weights<f64>) -> Result<(), LandscapeError> {
        let (found, expected) = (weights.flat().len(), self.weights.flat().len());
        if weights.dims() == self.weights.dims() {
            return Ok(());
        }
        Err(LandscapeError::Length { name: "a network of the slice", found, expected })
    }

    /// The start, the middle of the path and the weights measured.
    fn own_points(&self) -> Result<[Named; 3], LandscapeError> {
        let states: Vec<&State> = self.trajectory.states().collect();
        let few = LandscapeError::FewStates { found: states.len() };
        let (Some(first), Some(middle)) = (states.first(), states.get(states.len() / 2)) else {
            return Err(few);
        };
        let named = |state: &State, name: String| Named { name, weights: Arc::new(state.weights()) };
        Ok([
            named(first, "start".into()),
            named(middle, iteration(middle.iteration())),
            Named { name: iteration(self.iteration), weights: Arc::new(self.weights.clone()) },
        ])
    }

    /// Directions that are not those of three points.
    fn directions(
        &self,
        centre: &Weights<f64>,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Directions, LandscapeError> {
        self.same_network(centre)?;
        let block = self.request.block;
        match self.request.directions {
            SliceDirections::Random | SliceDirections::ThreePoints => {
                let mut stream = Stream::numbered(self.seed, Purpose::Measures, STREAMS[0]);
                let d1 = filter_normalised(centre, block, &mut stream);
                let d2 = filter_normalised(centre, block, &mut stream);
                Ok(Directions { d1, d2, names: ["random direction 1".into(), "random direction 2".into()] })
            }
            SliceDirections::Eigenvectors => {
                let leading = self.leading.clone().filter(|_| self.request.centre.is_none());
                let [(l1, v1), (l2, v2)] =
                    leading.map_or_else(|| self.eigenvectors(centre, workers, keep_on), Ok)?;
                let name = |i: usize, value: f64| format!("eigenvector {i}, lambda {}", short(value));
                Ok(Directions {
                    d1: unit_vector("an eigenvector", v1)?,
                    d2: unit_vector("an eigenvector", v2)?,
                    names: [name(1, l1), name(2, l2)],
                })
            }
            SliceDirections::EigenvectorRandom => {
                let leading = self.leading.clone().filter(|_| self.request.centre.is_none());
                let [(value, vector), _] =
                    leading.map_or_else(|| self.eigenvectors(centre, workers, keep_on), Ok)?;
                let mut stream = Stream::numbered(self.seed, Purpose::Measures, STREAMS[0]);
                let random = filter_normalised(centre, block, &mut stream);
                Ok(Directions {
                    d1: unit_vector("an eigenvector", vector)?,
                    d2: unit_vector("a random direction", random)?,
                    names: [
                        format!("eigenvector 1, lambda {}", short(value)),
                        "random direction, as long".into(),
                    ],
                })
            }
            SliceDirections::Trajectory => {
                let found = self.trajectory.principal_components(block, keep_on)?;
                let share = |i: usize| format!("PC {}, {:.0} %", i + 1, 100.0 * found.explained[i]);
                let names = [share(0), share(1)];
                let [d1, d2] = found.directions;
                Ok(Directions { d1, d2, names })
            }
        }
    }

    /// The two leading eigenpairs at the centre.
    fn eigenvectors(
        &self,
        centre: &Weights<f64>,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<[(f64, Vec<f64>); 2], LandscapeError> {
        let workers = &WhileWanted { workers, keep_on };
        let mut hessian = Hessian::new(&self.network);
        hessian.prepare(&centre.cast(), &self.probe, workers);
        let operator = hessian.over(self.request.block, self.l2, workers);
        let mut operator = operator::WhileWanted { operator, keep_on };
        let (tolerance, max_products) = EIGENVECTORS;
        // The second is another vector of the first's eigenspace where the largest eigenvalue occurs twice.
        let wanted = Wanted { top: 2, bottom: 0, tolerance, max_products, multiplicities: true };
        let mut stream = Stream::numbered(self.seed, Purpose::Measures, STREAMS[1]);
        let found = Lanczos::default().extremes(&mut operator, wanted, &[], &mut stream).map_err(|_| {
            let name = "a Hessian-vector product at the centre";
            let not_finite = LandscapeError::NotFinite { name, value: f64::NAN, index: 0 };
            if keep_on() { not_finite } else { LandscapeError::Unwanted }
        })?;
        let mut pairs = found.top.into_iter();
        let mut next = || {
            let pair =
                pairs.next().ok_or(LandscapeError::Zero { name: "the Hessian's second eigenvector" })?;
            Ok((pair.value, pair.vector.iter().map(|v| v.f64()).collect()))
        };
        Ok([next()?, next()?])
    }

    /// All paths in the plane, with the losses that are known.
    fn paths(&self, plane: &Plane, known: &Known, keep_on: KeepOn<'_>) -> Result<Paths, LandscapeError> {
        let mut states = Vec::new();
        let mut in_plane = |trajectory: &Trajectory| -> Result<Vec<PathPoint>, LandscapeError> {
            let mut path = trajectory.path(plane, keep_on)?;
            for (point, state) in path.iter_mut().zip(trajectory.states()) {
                point.loss = known.get(state);
                states.push((state.clone(), point.coordinates));
            }
            Ok(path)
        };
        let path = in_plane(&self.trajectory)?;
        let mut others = Vec::new();
        for other in &self.request.others {
            others.push((other.clone(), in_plane(&other.trajectory)?));
        }
        Ok(Paths { states, path, others })
    }

    /// The range asked for, or the automatic one of these directions; any once `keep_on` has said no.
    fn ranges(&self, plane: &Plane, places: &[Coordinates], keep_on: KeepOn<'_>) -> [Range; 2] {
        let request = &self.request;
        if request.range > 0.0 {
            return [Range::around_centre(request.range); 2];
        }
        match request.directions {
            SliceDirections::Random => [Range::around_centre(1.0); 2],
            SliceDirections::Trajectory | SliceDirections::ThreePoints => of_path(places),
            SliceDirections::Eigenvectors | SliceDirections::EigenvectorRandom => {
                let surface = NetworkSurface::new(&self.network, &self.probe, plane, 1);
                let scale = norm(plane.centre().block(request.block));
                let along = |loss: &dyn Fn(f64) -> f64| {
                    Range::around_centre(reach_of_growth(loss, scale, GROWTH_OF_LOSS))
                };
                // A loss that is not finite counts as higher: the search is soon over.
                let loss = |a, b| surface.loss_while(a, b, keep_on).unwrap_or(f64::NAN);
                let first = along(&|s| loss(s, 0.0));
                match request.directions {
                    // Both as far, to be compared.
                    SliceDirections::EigenvectorRandom => [first; 2],
                    _ => [first, along(&|s| loss(0.0, s))],
                }
            }
        }
    }
}

/// The plane through three points.
fn through(
    points: &[Named; 3],
    block: crate::numerics::weights::Block,
) -> Result<Directions, LandscapeError> {
    let [a, b, c] = points.each_ref().map(|point| point.weights.block(block));
    let [d1, d2] = through_points([a, b, c])?;
    let names =
        [format!("from {} to {}", points[0].name, points[1].name), format!("towards {}", points[2].name)];
    Ok(Directions { d1, d2, names })
}

fn iteration(n: i64) -> String {
    format!("iteration {n}")
}

/// Three significant digits.
fn short(value: f64) -> String {
    if (0.01..1000.0).contains(&value.abs()) {
        let decimals = (2 - value.abs().log10().floor() as i32).max(0) as usize;
        return format!("{value:.decimals$}");
    }
    format!("{value:.2e}")
}
