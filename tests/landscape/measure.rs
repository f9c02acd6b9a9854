//! The measure: slices of a run's own network, laid as a user asks.

use std::sync::Arc;

use basinscope::numerics::curvature::hessian::Hessian;
use basinscope::numerics::curvature::operator::LinearOperator;
use basinscope::numerics::landscape::LandscapeError;
use basinscope::numerics::landscape::surface::{NetworkSurface, Surface};
use basinscope::numerics::landscape::trajectory::Trajectory;
use basinscope::numerics::network::Network;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::trials::Trials;
use basinscope::numerics::weights::{Block, Dims, Weights, norm};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Config, SliceDirections};
use basinscope::training::measures::{
    Measure, Measurer, Named, OtherPath, SliceDetail, SliceRequest, Subject, measurer,
};
use basinscope::training::trainer;

/// A short run on `pattern` in f64: its path, its end, and what measures it.
pub struct Short {
    pub config: Config,
    pub trajectory: Trajectory,
    weights: Weights<f64>,
    pub measurer: Box<dyn Measurer>,
}

const UPDATES: i64 = 12;

impl Short {
    /// tanh: second differences meet no kink.
    fn new(rule: &str) -> Self {
        let text = format!(
            "precision = \"f64\"\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 6\nactivation = \"tanh\"\n\
             [rule]\nkind = \"{rule}\"\n[measure]\ntop_k = 2\nslice = {{ points = 9 }}\n"
        );
        Self::of(&text)
    }

    pub fn of(text: &str) -> Self {
        let config = resolve(parse(text).expect("TOML")).expect("sound").config;
        let mut run = trainer::start(&config, &TaskData::None).expect("a run");
        let mut trajectory = Trajectory::default();
        for iteration in 0..UPDATES {
            trajectory.record(iteration, &run.weights(), None);
            run.step(&Serial);
        }
        trajectory.record(UPDATES, &run.weights(), None);
        let measurer = measurer(&config, &TaskData::None).expect("a measurer");
        Self { weights: run.weights(), config, trajectory, measurer }
    }

    pub fn subject(&self) -> Subject<'_> {
        Subject {
            iteration: UPDATES,
            weights: &self.weights,
            learning_rate: 0.2,
            at_an_end: false,
            trajectory: &self.trajectory,
        }
    }

    pub fn request(&self, directions: SliceDirections) -> SliceRequest {
        SliceRequest { directions, ..SliceRequest::of(&self.config.measure) }
    }

    pub fn slice(&self, request: &SliceRequest) -> Result<SliceDetail, LandscapeError> {
        let mut work = self.measurer.begin_slice(self.subject(), request)?;
        // A few points at a time, as a window asks for them.
        while !work.advance(7, &Serial, &|| true)?.is_complete() {}
        Ok(work.detail().expect("all of it"))
    }

    pub fn state(&self, i: usize) -> Weights<f64> {
        self.trajectory.states().nth(i).expect("a state").weights()
    }

    fn named(&self, name: &str, i: usize) -> Named {
        Named { name: name.into(), weights: Arc::new(self.state(i)) }
    }

    fn network(&self) -> (Network<f64>, Trials<f64>) {
        let task = trainer::task::<f64>(&self.config, &TaskData::None).expect("a task");
        let dims = trainer::dims(&self.config.network, &*task);
        (trainer::network(&self.config.network, dims), trainer::probe(&self.config, &*task))
    }

    /// The loss by the gradient pass, which shares no loop over points with a slice.
    fn loss(&self, weights: &Weights<f64>) -> f64 {
        let (network, probe) = self.network();
        GradientPass::new(&network).run(weights, &probe, &[], &mut [], &Serial).loss
    }
}

const KINDS: [SliceDirections; 5] = [
    SliceDirections::Random,
    SliceDirections::Eigenvectors,
    SliceDirections::EigenvectorRandom,
    SliceDirections::Trajectory,
    SliceDirections::ThreePoints,
];

fn at_centre(slice: &SliceDetail) -> f64 {
    let zero = |axis: &[f64]| axis.iter().position(|x| *x == 0.0).expect("the centre is a point");
    slice.grid.at(zero(&slice.grid.a), zero(&slice.grid.b))
}

#[test]
fn the_centre_of_every_slice_has_the_loss_of_its_weights() {
    let short = Short::new("bptt");
    for directions in KINDS {
        let slice = short.slice(&short.request(directions)).expect("a plane");
        // With three points the centre is the first, the start.
        let (centre, name) = match directions {
            SliceDirections::ThreePoints => (short.state(0), "start"),
            _ => (short.weights.clone(), "iteration 12"),
        };
        assert_eq!((slice.plane.centre(), slice.centre.as_str()), (&centre, name), "{directions:?}");
        assert_eq!(at_centre(&slice), short.loss(&centre), "{directions:?}");
    }
}

#[test]
fn a_path_has_true_losses_and_those_of_the_plane_which_agree_in_the_plane_only() {
    let short = Short::new("bptt");
    let (network, probe) = short.network();
    let mut far = 0;
    for directions in KINDS {
        // A plane of all weights: one of recurrent weights alone is left by the others.
        let request = SliceRequest { block: Block::All, ..short.request(directions) };
        let slice = short.slice(&request).expect("a plane");
        let surface = NetworkSurface::new(&network, &probe, &slice.plane, 1);
        assert_eq!(slice.path.len(), UPDATES as usize + 1);
        for (i, point) in slice.path.iter().enumerate() {
            let (at, loss) = (point.coordinates, point.loss.expect("known"));
            assert_eq!((point.iteration, loss), (i as i64, short.loss(&short.state(i))));
            assert_eq!(point.loss_in_plane, Some(surface.loss(at.a, at.b)));
            let difference = (loss - surface.loss(at.a, at.b)).abs();
            if at.distance < 1e-12 {
                // The coordinates are good to rounding.
                assert!(difference < 1e-11 * loss, "{directions:?} {point:?}");
            } else if difference > 1e-6 * loss {
                far += 1;
            }
        }
        if directions == SliceDirections::ThreePoints {
            let in_plane = |i: usize| slice.path[i].coordinates.distance < 1e-12;
            assert!([0, slice.path.len() / 2, slice.path.len() - 1].into_iter().all(in_plane));
            assert!(!in_plane(3));
        }
    }
    assert!(far > 10, "a plane misleads about most of a path, {far}");
}

#[test]
fn an_eigenvector_beside_a_random_direction_is_as_long_and_reaches_as_far() {
    let short = Short::new("bptt");
    let of = |directions| short.slice(&short.request(directions)).expect("a plane");
    let both = of(SliceDirections::EigenvectorRandom);
    assert_eq!(both.plane.d1(), of(SliceDirections::Eigenvectors).plane.d1());
    let random = of(SliceDirections::Random);
    let length = norm(random.plane.d1());
    for (unit, filtered) in both.plane.d2().iter().zip(random.plane.d1()) {
        // One division apart.
        assert!((unit * length - filtered).abs() <= 1e-12 * filtered.abs());
    }
    // Unit vectors, to the rounding of a sum of their squares.
    assert!([both.plane.d1(), both.plane.d2()].iter().all(|d| (norm(d) - 1.0).abs() < 1e-12));
    assert_eq!(both.grid.a, both.grid.b);
    assert_eq!(
        both.reach(),
        *both.grid.a.last().expect("an edge") * norm(both.plane.d1()).max(norm(both.plane.d2()))
    );
}

#[test]
fn a_chosen_centre_is_where_the_slice_lies_and_where_its_eigenvectors_are_taken() {
    let mut short = Short::new("bptt");
    let centre = short.named("a bookmark", 4);
    for directions in KINDS {
        let request = SliceRequest { centre: Some(centre.clone()), ..short.request(directions) };
        let slice = short.slice(&request).expect("a plane");
        assert_eq!((slice.plane.centre(), slice.centre.as_str()), (&*centre.weights, "a bookmark"));
        assert_eq!(at_centre(&slice), short.loss(&centre.weights), "{directions:?}");
        let mark = slice.landmarks.iter().find(|(name, _)| name == "a bookmark").expect("it is marked");
        assert!((mark.1.a, mark.1.b, mark.1.distance) == (0.0, 0.0, 0.0));
    }
    // Second differences along both eigenvectors are the eigenvalues in their names, which have three digits.
    let request =
        SliceRequest { centre: Some(centre.clone()), ..short.request(SliceDirections::Eigenvectors) };
    let slice = short.slice(&request).expect("a plane");
    let (network, probe) = short.network();
    let surface = NetworkSurface::new(&network, &probe, &slice.plane, 1);
    let rest = surface.loss(0.0, 0.0);
    for (i, name) in slice.names.iter().enumerate() {
        let lambda: f64 = name.rsplit(' ').next().and_then(|v| v.parse().ok()).expect("a number");
        let h = 1e-3;
        let along = |s: f64| if i == 0 { surface.loss(s, 0.0) } else { surface.loss(0.0, s) };
        let curvature = (along(h) - 2.0 * rest + along(-h)) / (h * h);
        assert!((curvature - lambda).abs() < 0.01 * lambda.abs(), "{name}: {curvature}");
    }
    // Those that the curvature measure has found at these weights are the same as found anew.
    let request = short.request(SliceDirections::Eigenvectors);
    let anew = short.slice(&request).expect("a plane");
    let (weights, trajectory) = (short.weights.clone(), Trajectory::default());
    let subject = Subject {
        iteration: UPDATES,
        weights: &weights,
        learning_rate: 0.2,
        at_an_end: false,
        trajectory: &trajectory,
    };
    short.measurer.measure(Measure::Curvature, subject, &Serial, &|| true);
    let known = short.slice(&request).expect("a plane");
    for (a, b) in [(anew.plane.d1(), known.plane.d1()), (anew.plane.d2(), known.plane.d2())] {
        let difference: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        // Both have residuals below 1e-3 of the eigenvalue; its distance to the next is of its own order.
        assert!(norm(&difference) < 0.02, "{}", norm(&difference));
    }
}

#[test]
fn the_plane_through_three_networks_holds_all_three_and_shows_the_other_runs_path() {
    let (short, other) = (Short::new("bptt"), Short::new("e-prop"));
    let end = UPDATES as usize;
    let points =
        [short.named("start", 0), short.named("end of bptt", end), other.named("end of e-prop", end)];
    let path = OtherPath { name: "e-prop".into(), run: 7, trajectory: Arc::new(other.trajectory.clone()) };
    let request = SliceRequest {
        points: Some(points),
        others: vec![path],
        block: Block::All,
        ..short.request(SliceDirections::ThreePoints)
    };
    let slice = short.slice(&request).expect("a plane");
    assert_eq!(slice.names, ["from start to end of bptt", "towards end of e-prop"]);
    let names: Vec<&str> = slice.landmarks.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["start", "end of bptt", "end of e-prop"]);
    assert!(slice.landmarks.iter().all(|(_, at)| at.distance < 1e-12));
    let (of, path) = &slice.others[0];
    assert_eq!((of.run, path.len()), (7, end + 1));
    let last = path.last().expect("a path");
    assert_eq!(last.loss, Some(short.loss(&other.weights)), "on this run's probe batch");
    assert!((last.loss.unwrap() - last.loss_in_plane.unwrap()).abs() < 1e-11 * last.loss.unwrap());
    for (_, at) in slice.landmarks.iter() {
        let is_in = |axis: &[f64], x: f64| axis[0] <= x && x <= axis[axis.len() - 1];
        assert!(is_in(&slice.grid.a, at.a) && is_in(&slice.grid.b, at.b), "the picture holds them");
    }
}

#[test]
fn a_slice_stops_at_once_and_says_what_it_cannot_do() {
    let short = Short::new("bptt");
    let request = short.request(SliceDirections::Trajectory);
    let mut work = short.measurer.begin_slice(short.subject(), &request).expect("a path");
    let stopped = work.advance(usize::MAX, &Serial, &|| false).expect("a plane");
    assert_eq!(stopped.done, 0);
    assert!(work.detail().is_none());
    let done = work.advance(usize::MAX, &Serial, &|| true).expect("a plane");
    assert!(done.is_complete());
    assert_eq!(done.total, 81 + 13, "points of the grid and of the path");

    let mut little = Trajectory::default();
    little.record(0, &short.weights, None);
    let subject = Subject { trajectory: &little, ..short.subject() };
    let refused = short.measurer.begin_slice(subject, &request).map(|_| ());
    assert_eq!(refused, Err(LandscapeError::FewStates { found: 1 }));
    let small = Weights::zeros(Dims { n_in: 30, n_rec: 5, n_out: 1 });
    let centre = Some(Named { name: "another's".into(), weights: Arc::new(small) });
    for directions in [SliceDirections::Random, SliceDirections::Eigenvectors] {
        let request = SliceRequest { centre: centre.clone(), ..short.request(directions) };
        assert!(matches!(short.slice(&request), Err(LandscapeError::Length { .. })), "{directions:?}");
    }
}

#[test]
fn a_finer_grid_in_the_same_plane_begins_with_the_points_of_the_one_before() {
    let short = Short::new("bptt");
    for directions in KINDS {
        let coarse = short.request(directions);
        let fine = SliceRequest { n_points: 17, ..coarse.clone() };
        // Given up halfway, what is known stays; and once more from the whole.
        for known in [40, 81] {
            let mut work = short.measurer.begin_slice(short.subject(), &coarse).expect("a path");
            let mut done = work.advance(0, &Serial, &|| true).expect("a plane").done;
            done += work.advance(known - done, &Serial, &|| true).expect("a plane").done - done;
            assert_eq!(done, known, "{directions:?}");
            drop(work);
            let mut work = short.measurer.begin_slice(short.subject(), &fine).expect("a path");
            let reused = work.advance(0, &Serial, &|| true).expect("a plane").done;
            // Of a range that is not even around the centre an edge may fall outside.
            let is_even = !matches!(directions, SliceDirections::Trajectory | SliceDirections::ThreePoints);
            let edges = if is_even { 0 } else { 9 + 9 };
            assert!(reused <= known && reused + edges >= known, "{directions:?}: {reused} of {known}");
            if known < 81 {
                drop(work);
                // Nothing of a plane elsewhere is of use, and it takes the place of what was known.
                let centre = Some(short.named("elsewhere", 4));
                let elsewhere = SliceRequest { centre, n_points: 2, ..coarse.clone() };
                let mut work = short.measurer.begin_slice(short.subject(), &elsewhere).expect("a path");
                assert_eq!(work.advance(0, &Serial, &|| true).expect("a plane").done, 0, "{directions:?}");
            }
        }
        let reused = short.slice(&fine).expect("a plane");
        let fresh = measurer(&short.config, &TaskData::None).expect("a measurer");
        let mut work = fresh.begin_slice(short.subject(), &fine).expect("a path");
        assert!(work.advance(usize::MAX, &Serial, &|| true).expect("a plane").is_complete());
        assert_eq!(reused.grid, work.detail().expect("all of it").grid, "{directions:?}");
    }
}

/// Every eigenvalue of a regression's readout occurs once per output: both directions lie in the eigenspace of the
/// largest, also where no measure of the curvature has found them before.
#[test]
fn eigenvectors_of_a_repeated_eigenvalue_are_both_of_it() {
    let short = Short::of(
        "precision = \"f64\"\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n[measure]\nprobe_trials = 8\n\
         block = \"readout\"\nslice = { points = 3 }\n",
    );
    let slice = short.slice(&short.request(SliceDirections::Eigenvectors)).expect("a slice");
    let (network, probe) = short.network();
    let mut hessian = Hessian::new(&network);
    hessian.prepare(&short.weights, &probe, &Serial);
    let mut operator = hessian.over(Block::Readout, 0.0, &Serial);
    let mut along = |d: &[f64]| {
        let mut hd = vec![0.0; d.len()];
        operator.apply(d, &mut hd);
        d.iter().zip(&hd).map(|(d, h)| d * h).sum::<f64>()
    };
    let (first, second) = (along(slice.plane.d1()), along(slice.plane.d2()));
    // An eigenvalue's error is about the square of the residual asked for, 1e-3.
    assert!((first - second).abs() < 1e-5 * first, "{first} {second}");
    let overlap: f64 = slice.plane.d1().iter().zip(slice.plane.d2()).map(|(a, b)| a * b).sum();
    assert!(overlap.abs() < 1e-6, "{overlap}");
}
