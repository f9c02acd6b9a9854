//! A landscape slice of 41 x 41 points next to its bare forward products. T = 50, n_in = n_out = 3, f32. And how
//! long a slice, or descents, that are no longer wanted keep their worker from the next.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::engine::background::Background;
use basinscope::files::task_data;
use basinscope::numerics::landscape::trajectory::{STATES, Trajectory};
use basinscope::numerics::landscape::{plane::Plane, range::Range, slice::Slice, surface::NetworkSurface};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::{KeepOn, Serial, Workers};
use basinscope::numerics::product::{Into, View, product};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{RuleKind, SliceDirections};
use basinscope::training::measures::{SliceRequest, SliceWork, Subject, measurer};
use basinscope::training::terrain::{Descents, terrain};
use basinscope::training::trainer;
use common::{Job, is_chosen, report};

const T: usize = 50;
const POINTS: usize = 41;

struct AllCores;

impl Workers for AllCores {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        use rayon::prelude::*;
        (0..n).into_par_iter().for_each(job);
    }
    fn width(&self) -> usize {
        rayon::current_num_threads()
    }
}

fn main() {
    use LossKind::{Classification, Regression};
    slice(64, 32, Regression, Block::Recurrent, "slice (64, 32), recurrent", 220.0, &Serial);
    slice(64, 32, Regression, Block::All, "slice (64, 32), all", 220.0, &Serial);
    slice(64, 32, Classification, Block::Recurrent, "slice (64, 32), cross-entropy", 220.0, &Serial);
    slice(64, 32, Regression, Block::Recurrent, "slice (64, 32), recurrent, all cores", 120.0, &AllCores);
    path(64, "principal components, 400 states, N 64");
    for (name, text) in [
        ("cancel: romo, N 64", "task.kind = \"romo\""),
        ("cancel: romo, N 512", "task.kind = \"romo\"\nnetwork.n_rec = 512"),
        ("cancel: sequential-mnist, N 128", "task.kind = \"sequential-mnist\""),
    ] {
        if is_chosen(name) {
            cancel(name, text);
        }
    }
}

/// Moments at which each kind of slice, and descents, are cancelled.
const MOMENTS: usize = 16;

/// From the change to the moment that the worker begins what is wanted instead, while a slice of each kind is laid or
/// computed, and while descents of all rules go on, at random moments: the worst and the median.
fn cancel(name: &str, text: &str) {
    let config = resolve(parse(text).expect("TOML")).expect("sound settings").config;
    let data = Arc::new(task_data::load(&config.task.own).expect("data"));
    let run = trainer::start(&config, &data).expect("a run");
    let (weights, workers) = (run.weights(), Engine::new(0, Arc::new(|| {})).measure_processors());
    let mut s = Stream::new(1, Purpose::Measures);
    let (mut trajectory, mut state) = (Trajectory::default(), weights.clone());
    for iteration in 0..STATES as i64 - 1 {
        // A small walk: the numbers do not matter, their amount does.
        state.flat_mut().iter_mut().for_each(|w| *w = f64::from((*w + 1e-3 * (s.unit() - 0.5)) as f32));
        trajectory.record(iteration, &state, None);
    }
    let measurer = measurer(&config, &data).expect("a measurer");
    let subject = Subject {
        iteration: STATES as i64,
        weights: &weights,
        learning_rate: 1e-3,
        at_an_end: false,
        trajectory: &trajectory,
    };
    let worker = Background::start("slice");
    let (sender, free) = std::sync::mpsc::channel();
    let mut waits = |what: &str, begin: &mut dyn FnMut()| {
        let mut all: Vec<f64> = (0..MOMENTS)
            .map(|_| {
                begin();
                // From the first milliseconds, when a slice is laid, to a second later.
                std::thread::sleep(Duration::from_secs_f64(1e-3 * 1e3f64.powf(s.unit())));
                let (change, sender) = (Instant::now(), sender.clone());
                worker.ask(move |_| sender.send(Instant::now()).expect("there"), |_| {});
                free.recv().expect("a moment").duration_since(change).as_secs_f64() * 1e3
            })
            .collect();
        all.sort_by(f64::total_cmp);
        let (worst, median) = (all[all.len() - 1], all[all.len() / 2]);
        println!("{:<44} {worst:9.3} ms  median {median:.3} ms  goal 100 ms", format!("{name}, {what}"));
    };
    let mut plane = None;
    for (directions, what) in [
        (SliceDirections::Random, "random"),
        (SliceDirections::Trajectory, "trajectory"),
        (SliceDirections::Eigenvectors, "eigenvectors"),
        (SliceDirections::ThreePoints, "three points"),
    ] {
        let request = SliceRequest::along(directions, &config.measure);
        waits(what, &mut || {
            let mut work = measurer.begin_slice(subject, &request).expect("a path");
            let workers = workers.share();
            worker.ask(move |keep_on| while keep_on() && !is_over(&mut *work, &workers, keep_on) {}, |_| {});
        });
        if directions == SliceDirections::Random {
            let mut work = measurer.begin_slice(subject, &request).expect("a plane");
            while work.detail().is_none() {
                is_over(&mut *work, &workers, &|| true);
            }
            plane = work.detail().map(|detail| detail.plane);
        }
    }
    let Some(plane) = plane else { return };
    let rules =
        vec![RuleKind::Bptt, RuleKind::EProp, RuleKind::Rflo, RuleKind::Mdgl, RuleKind::TruncatedBptt];
    let wanted = Descents { plane, from: [0.1, 0.1], rules, steps: [1000, 1000], iteration: 0 };
    waits("descents", &mut || {
        let (config, data) = (config.clone(), Arc::clone(&data));
        let (wanted, workers) = (wanted.clone(), workers.share());
        // As a window does it: the trials are drawn first.
        let descend = move |keep_on: KeepOn<'_>| {
            let terrain = terrain(&config, &data).expect("a terrain");
            terrain.descend(&wanted, &workers, keep_on, &|_| {}).expect("a plane");
        };
        worker.ask(descend, |_| {});
    });
}

/// Computes a little more of a slice; whether it is whole.
fn is_over(work: &mut dyn SliceWork, workers: &dyn Workers, keep_on: KeepOn<'_>) -> bool {
    work.advance(81, workers, keep_on).expect("a plane").is_complete()
}

/// The principal components of a full trajectory: its Gram matrix next to all of it.
fn path(n: usize, name: &str) {
    let dims = Dims { n_in: 3, n_rec: n, n_out: 3 };
    let mut s = Stream::new(1, Purpose::Weights);
    let mut weights = Weights::<f64>::zeros(dims);
    let mut trajectory = Trajectory::default();
    for iteration in 0..STATES as i64 - 1 {
        weights.flat_mut().iter_mut().for_each(|w| *w = f64::from((*w + 0.01 * s.normal()) as f32));
        trajectory.record(iteration, &weights, None);
    }
    assert_eq!(trajectory.len(), STATES - 1);
    let run = Box::new(move || {
        std::hint::black_box(trajectory.principal_components(Block::All, &|| true).expect("a plane"));
    });
    let (m, states) = (STATES - 1, vec![0.5f64; (STATES - 1) * dims.n_weights()]);
    let mut gram = vec![0.0; m * m];
    let bare = Box::new(move || {
        let states = View::row_major(&states, m, dims.n_weights());
        product(&mut gram, Into::Replace, states, states.t(), 1.0);
        std::hint::black_box(&gram);
    });
    report(Job { name, goal_ms: None, run, bare: Some(bare) }, 2.0);
}

fn slice(n: usize, batch: usize, loss: LossKind, block: Block, name: &str, goal: f64, workers: &dyn Workers) {
    let dims = Dims { n_in: 3, n_rec: n, n_out: 3 };
    let network: Network<f32> = Network::plain(dims, 0.5, Activation::Relu);
    let mut s = Stream::new(1, Purpose::Weights);
    let mut centre = Weights::zeros(dims);
    s.fill_normal(&mut centre.w_rec_mut(), 1.0 / (n as f64).sqrt());
    s.fill_normal(&mut centre.w_in_mut(), 0.5);
    s.fill_normal(&mut centre.w_out_mut(), 0.1);
    let mut trials = Trials::zeros(TrialsShape { n_steps: T, n_batch: batch, n_in: 3, n_out: 3, loss });
    s.fill_normal(&mut trials.x, 1.0);
    trials.mask.fill(1.0);
    match &mut trials.target {
        Target::Values(v) => s.fill_normal(v, 1.0),
        Target::Labels(l) => l.map_inplace(|l| *l = s.below(3) as u32),
    }
    let mut direction = || (0..block.range(dims).len()).map(|_| 0.01 * s.normal()).collect();
    let plane = Plane::new(centre, block, direction(), direction()).expect("finite directions");
    let surface = NetworkSurface::new(&network, &trials, &plane, workers.width());
    let run = Box::new(|| {
        let axis = Range::around_centre(1.0).axis(POINTS);
        let mut slice = Slice::new(axis.clone(), axis);
        let progress = slice.advance(&surface, workers, usize::MAX, &|| false);
        assert!(progress.is_complete());
    });
    report(Job { name, goal_ms: Some(goal), run, bare: Some(bare_products(n, batch, workers)) }, 4.0);
}

/// The matrix products of all points: T - 1 steps through w_rec (the first finds z = 0), input and readout.
fn bare_products(n: usize, batch: usize, workers: &dyn Workers) -> Box<dyn FnMut() + '_> {
    let w = vec![0.01f32; n * n];
    let small = vec![0.01f32; 3 * n];
    let x = vec![0.1f32; T * batch * 3];
    Box::new(move || {
        workers.run(workers.width(), &|worker| {
            let layer = batch * n;
            let (mut h, mut z) = (vec![0.1f32; layer], vec![0.1f32; (T + 1) * layer]);
            let mut y = vec![0.0f32; T * batch * 3];
            for _ in (worker..POINTS * POINTS).step_by(workers.width()) {
                let x = View::row_major(&x, T * batch, 3);
                product(&mut z[layer..], Into::Replace, x, View::row_major(&small, 3, n), 0.5);
                for t in 1..T {
                    let z = View::row_major(&z[t * layer..(t + 1) * layer], batch, n);
                    product(&mut h, Into::Replace, z, View::row_major(&w, n, n), 0.5);
                }
                let z = View::row_major(&z[layer..], T * batch, n);
                product(&mut y, Into::Replace, z, View::row_major(&small, 3, n).t(), 1.0);
            }
            std::hint::black_box((&h, &y));
        });
    })
}
