//! The landscape: slices against reference cases and losses known in closed form, coordinates, principal
//! components, contours, the trajectory store, descents and the shake.

#[path = "../common/allocations.rs"]
mod allocations;
#[path = "../common/mod.rs"]
mod common;

mod cancel;
mod contours;
mod measure;
mod paths;
mod ranges;
mod shake;
mod slices;

use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::Bptt;
use basinscope::numerics::rules::gradient::{GradientPass, Outcome};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};
use common::problem::Problem;

/// Two threads that take jobs as they come.
struct TwoThreads;

impl Workers for TwoThreads {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || loop {
            match next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                i if i < n => job(i),
                _ => break,
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(work);
            work();
        });
    }

    fn width(&self) -> usize {
        2
    }
}

const DIMS: Dims = Dims { n_in: 2, n_rec: 5, n_out: 2 };

/// A random problem with two chunks of trials, masked steps at both ends, and `block` recurrent.
fn problem(seed: u64, activation: Activation, loss: LossKind) -> Problem {
    let mut s = Stream::new(seed, Purpose::Weights);
    let network = Network::plain(DIMS, 0.4, activation);
    let mut weights = Weights::zeros(DIMS);
    s.fill_normal(&mut weights.w_rec_mut(), 1.0 / (DIMS.n_rec as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.9);
    s.fill_normal(&mut weights.w_out_mut(), 0.8);
    let shape = TrialsShape { n_steps: 7, n_batch: 35, n_in: DIMS.n_in, n_out: DIMS.n_out, loss };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    match &mut trials.target {
        Target::Values(v) => s.fill_normal(v, 1.0),
        Target::Labels(l) => l.map_inplace(|l| *l = s.below(DIMS.n_out) as u32),
    }
    trials.mask.map_inplace(|m| *m = s.uniform(0.2, 2.0));
    trials.mask.slice_mut(ndarray::s![..2, ..]).fill(0.0);
    trials.mask.slice_mut(ndarray::s![6.., 32..]).fill(0.0);
    Problem { network, weights, trials, block: Block::Recurrent }
}

impl Problem {
    /// The loss of `weights` by the gradient pass, which shares no loop over points or parts with the slices.
    fn outcome(&self, weights: &Weights<f64>) -> Outcome {
        GradientPass::new(&self.network).run(weights, &self.trials, &[], &mut [], &Serial)
    }

    fn loss(&self, weights: &Weights<f64>) -> f64 {
        self.outcome(weights).loss
    }

    /// The exact gradient.
    fn gradient(&self, weights: &Weights<f64>) -> Weights<f64> {
        let mut out = [Weights::zeros(DIMS)];
        GradientPass::new(&self.network).run(weights, &self.trials, &[&Bptt], &mut out, &Serial);
        let [out] = out;
        out
    }

    /// A plane through the weights along random directions of a block, of lengths near `length`.
    fn plane(&self, seed: u64, block: Block, length: f64) -> Plane {
        let mut directions = (0..2).map(|i| normals(seed + 1000 * i, block.range(DIMS).len(), length));
        let (d1, d2) = (directions.next().expect("two"), directions.next().expect("two"));
        Plane::new(self.weights.clone(), block, d1, d2).expect("finite directions")
    }
}

fn normals(number: u64, n: usize, length: f64) -> Vec<f64> {
    let mut s = Stream::numbered(77, Purpose::Measures, number);
    (0..n).map(|_| length / (n as f64).sqrt() * s.normal()).collect()
}
