//! What is no longer wanted stops within one unit of work: one state of a path, one block of the principal
//! components, one chunk of the trials in a loss, a gradient or a Hessian-vector product. Whoever computes asks
//! before each; what is counted here is how often, and what is still done once the answer was no.

use std::sync::atomic::{AtomicUsize, Ordering};

use basinscope::numerics::landscape::LandscapeError;
use basinscope::numerics::landscape::directions::principal_components;
use basinscope::numerics::landscape::shake::{Radii, ShakeSettings};
use basinscope::numerics::landscape::slice::Slice;
use basinscope::numerics::landscape::surface::{NetworkSurface, Surface};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::{Serial, Workers, chunks};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::trials::LossKind::Regression;
use basinscope::numerics::weights::Block;
use basinscope::training::config::{RuleKind, SliceDirections};
use basinscope::training::measures::{SliceRequest, measurer};
use basinscope::training::terrain::{Descents, terrain};

use super::measure::Short;
use super::problem;

/// A wish that is gone when it was asked for so often.
struct Wish {
    asked: AtomicUsize,
    until: usize,
}

impl Wish {
    fn new(until: usize) -> Self {
        Self { asked: AtomicUsize::new(0), until }
    }

    fn is_there(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed) < self.until
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Counts the jobs that it is given.
struct Counting(AtomicUsize);

impl Workers for Counting {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        self.0.fetch_add(n, Ordering::Relaxed);
        Serial.run(n, job);
    }

    fn width(&self) -> usize {
        1
    }
}

/// Three chunks of probe trials, and more recurrent weights than one block of the principal components.
const TRIALS: usize = 70;
const CHUNKS: usize = 3;

fn short() -> Short {
    Short::of(&format!(
        "precision = \"f64\"\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 24\n[rule]\nkind = \"bptt\"\n\
         [measure]\nprobe_trials = {TRIALS}\nslice = {{ points = 9, range = 0.5 }}\n"
    ))
}

/// How often the laying of a slice asks, and the jobs that it gives to workers.
fn laying(short: &Short, request: &SliceRequest, until: usize) -> (Wish, usize, bool) {
    let (wish, workers) = (Wish::new(until), Counting(AtomicUsize::new(0)));
    let mut work = short.measurer.begin_slice(short.subject(), request).expect("a path");
    // No points: the plane only.
    let progress = work.advance(0, &workers, &|| wish.is_there()).expect("a plane");
    let is_laid = progress.total > 81;
    assert_eq!((progress.done, work.detail().is_none()), (0, true));
    (wish, workers.0.into_inner(), is_laid)
}

#[test]
fn laying_a_slice_asks_before_every_unit_of_work_and_stops_at_the_first_no() {
    assert_eq!(chunks(TRIALS).len(), CHUNKS);
    let short = short();
    let states = short.trajectory.len();
    for directions in [
        SliceDirections::Random,
        SliceDirections::ThreePoints,
        SliceDirections::Trajectory,
        SliceDirections::Eigenvectors,
        SliceDirections::EigenvectorRandom,
    ] {
        let finds_eigenvectors =
            matches!(directions, SliceDirections::Eigenvectors | SliceDirections::EigenvectorRandom);
        let request = SliceRequest { block: Block::Recurrent, ..short.request(directions) };
        let (wish, jobs, is_laid) = laying(&short, &request, usize::MAX);
        assert!(is_laid);
        let units = match directions {
            // Twice through 576 values in blocks of 512.
            SliceDirections::Trajectory => 2 * 2,
            // Each chunk of the pass at the centre and of every product; each product before it and after.
            SliceDirections::Eigenvectors | SliceDirections::EigenvectorRandom => {
                jobs + 2 * (jobs / CHUNKS - 1)
            }
            SliceDirections::Random | SliceDirections::ThreePoints => 0,
        };
        assert_eq!(jobs > 5 * CHUNKS, finds_eigenvectors, "{jobs}");
        let all = wish.asked();
        assert!(all > units + states, "{directions:?}: asked {all} times in {units} + {states} units");
        for until in 0..all {
            let (wish, _, is_laid) = laying(&short, &request, until);
            assert!(!is_laid, "{directions:?} {until}");
            // The jobs of one pass may each be told, then the product after it, then whoever wanted that.
            assert!(wish.asked() <= until + CHUNKS + 3, "{directions:?} {until}: {}", wish.asked());
        }
    }
    // The automatic range of eigenvectors evaluates losses, each in chunks, at most 2 at 40 reaches an axis.
    let fixed = short.request(SliceDirections::Eigenvectors);
    let automatic = SliceRequest { range: 0.0, ..fixed.clone() };
    let (before, all) =
        (laying(&short, &fixed, usize::MAX).0.asked(), laying(&short, &automatic, usize::MAX).0.asked());
    assert!(all - before > 10 * CHUNKS, "{before} {all}");
    for until in before..all {
        let (wish, _, is_laid) = laying(&short, &automatic, until);
        assert!(!is_laid && wish.asked() <= until + 2 * 2 * 40, "{until}: {}", wish.asked());
    }
}

#[test]
fn principal_components_read_no_block_of_states_once_they_are_unwanted() {
    const STATES: usize = 7;
    let reads = AtomicUsize::new(0);
    let read = |state: usize, range: std::ops::Range<usize>, out: &mut [f64]| {
        reads.fetch_add(1, Ordering::Relaxed);
        range.zip(out).for_each(|(i, out)| *out = ((1 + i) * (1 + state) % 11) as f64);
    };
    let wish = Wish::new(usize::MAX);
    let of = |wish: &Wish| principal_components(STATES, 1300, &read, &|| wish.is_there());
    assert!(of(&wish).is_ok());
    assert_eq!(reads.swap(0, Ordering::Relaxed), 2 * 3 * STATES, "three blocks, twice");
    for until in 0..wish.asked() {
        let wish = Wish::new(until);
        assert_eq!(of(&wish), Err(LandscapeError::Unwanted));
        // The eigenvectors between the two times are asked for too.
        let blocks = if until > 3 { until - 1 } else { until };
        assert_eq!((reads.swap(0, Ordering::Relaxed), wish.asked()), (blocks * STATES, until + 1));
    }
}

#[test]
fn a_point_is_given_up_between_two_chunks_and_found_later() {
    let p = problem(3, Activation::Tanh, Regression);
    let surface = NetworkSurface::new(&p.network, &p.trials, &p.plane(3, Block::All, 0.7), 1);
    let n_chunks = chunks(p.trials.n_batch()).len();
    assert_eq!(n_chunks, 2);
    for until in 0..=n_chunks {
        let wish = Wish::new(until);
        let loss = surface.loss_while(0.3, 0.1, &|| wish.is_there());
        assert_eq!(loss, (until == n_chunks).then(|| surface.loss(0.3, 0.1)));
        assert_eq!(wish.asked(), (until + 1).min(n_chunks));
        let wish = Wish::new(until);
        let of_weights = surface.loss_of(&p.weights, &|| wish.is_there());
        assert_eq!(of_weights, (until == n_chunks).then(|| p.loss(&p.weights)));
        assert_eq!(surface.loss(0.0, 0.0), p.loss(&p.weights), "nothing of it stays behind");
    }
    let axis = vec![-1.0, 0.0, 1.0];
    let mut slice = Slice::new(axis.clone(), axis);
    // Two points and half of the third.
    let wish = Wish::new(2 * n_chunks + 1);
    assert_eq!(slice.advance(&surface, &Serial, usize::MAX, &|| !wish.is_there()).done, 2);
    assert!(slice.advance(&surface, &Serial, usize::MAX, &|| false).is_complete());
    let grid = slice.complete().expect("all of it");
    assert_eq!(grid.at(1, 1), p.loss(&p.weights));
}

#[test]
fn the_losses_of_a_path_are_given_up_between_two_chunks() {
    let short = short();
    let request = short.request(SliceDirections::Random);
    for until in (0..6 * CHUNKS).chain([400]) {
        // One that knows nothing of the slices before.
        let fresh = measurer(&short.config, &TaskData::None).expect("a measurer");
        let mut work = fresh.begin_slice(short.subject(), &request).expect("a plane");
        assert_eq!(work.advance(81, &Serial, &|| true).expect("a plane").done, 81);
        let wish = Wish::new(until);
        work.advance(usize::MAX, &Serial, &|| wish.is_there()).expect("a plane");
        let slice = work.detail().expect("a picture");
        let found = slice.path.iter().filter(|p| p.loss.is_some()).count();
        assert_eq!(slice.progress.done, 81 + found);
        assert_eq!(slice.path.iter().filter(|p| p.loss_in_plane.is_some()).count(), found);
        // Each has two losses of three chunks.
        assert_eq!(found, (until / (2 * CHUNKS)).min(slice.path.len()), "{until}");
    }
}

#[test]
fn cuts_shakes_and_descents_stop_between_two_chunks() {
    let short = short();
    let terrain = terrain(&short.config, &TaskData::None).expect("a terrain");
    let (from, to) = (short.state(0), short.state(9));
    let cut = |wish: &Wish| terrain.cut(&from, &to, &[0.0, 0.5, 1.0], &Serial, &|| wish.is_there());
    let settings =
        ShakeSettings { block: Block::All, radii: Radii::Absolute(vec![0.1, 0.2]), draws: 3, seed: 1 };
    let shake = |wish: &Wish| terrain.shake(&to, &settings, &Serial, &|| wish.is_there());
    for until in 0..3 * CHUNKS {
        let wish = Wish::new(until);
        assert!(cut(&wish).expect("a line").is_none());
        assert!(wish.asked() <= until + 3, "each point is told once: {until} {}", wish.asked());
    }
    assert!(cut(&Wish::new(3 * CHUNKS)).expect("a line").is_some());
    let all = 3 * (1 + 2 * CHUNKS) + CHUNKS;
    for until in 0..all {
        let wish = Wish::new(until);
        assert!(shake(&wish).expect("finite").is_none(), "{until}");
        assert!(wish.asked() <= until + 3, "each draw is told once: {until} {}", wish.asked());
    }
    assert!(shake(&Wish::new(all)).expect("finite").is_some());
    let slice = short.slice(&short.request(SliceDirections::Random)).expect("a plane");
    let wanted = Descents {
        plane: slice.plane,
        from: [0.1, 0.2],
        rules: vec![RuleKind::Bptt, RuleKind::EProp],
        steps: [4, 4],
        iteration: 0,
    };
    for until in 0..2 * 8 * (CHUNKS + 1) {
        let (wish, told) = (Wish::new(until), AtomicUsize::new(0));
        let tell = |new: basinscope::training::terrain::Descended| {
            assert!(
                new.points.iter().all(|p| p.loss > 0.0 && p.loss.is_finite()),
                "no half of a loss is told"
            );
            told.fetch_add(new.points.len(), Ordering::Relaxed);
        };
        terrain.descend(&wanted, &Serial, &|| wish.is_there(), &tell).expect("a plane");
        // Each step asks for its chunks and once more; steps are told four at a time.
        let steps = until / (CHUNKS + 1);
        assert_eq!(told.into_inner(), steps / 4 * 4, "{until}");
        assert!(wish.asked() <= until + CHUNKS + 1, "{until} {}", wish.asked());
    }
}
