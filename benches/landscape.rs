//! A landscape slice of 41 x 41 points next to its bare forward products. T = 50, n_in = n_out = 3, f32.

mod common;

use basinscope::numerics::landscape::trajectory::{STATES, Trajectory};
use basinscope::numerics::landscape::{plane::Plane, range::Range, slice::Slice, surface::NetworkSurface};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::product::{Into, View, product};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};
use common::{Job, report};

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
        std::hint::black_box(trajectory.principal_components(Block::All).expect("a plane"));
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
