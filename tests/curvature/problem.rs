//! Owns the random small problems that the tests of this folder walk, and a pair of workers.

use basinscope::numerics::curvature::hessian::Hessian;
use basinscope::numerics::curvature::operator::DenseOperator;
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::rules::{Bptt, Rule};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};
use proptest::prelude::*;

pub const BLOCKS: [Block; 4] = [Block::Recurrent, Block::Input, Block::Readout, Block::All];

#[derive(Clone, Debug)]
pub struct Problem {
    pub network: Network<f64>,
    pub weights: Weights<f64>,
    pub trials: Trials<f64>,
}

/// What a problem is made of, besides its seed.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub alpha: f64,
    pub activation: Activation,
    pub adaptive: usize,
    pub loss: LossKind,
    pub n_batch: usize,
}

pub fn kinds() -> impl Strategy<Value = Kind> {
    let alpha = prop_oneof![Just(0.0), 0.1..0.9f64];
    let activation = prop_oneof![Just(Activation::Relu), Just(Activation::Tanh)];
    let loss = prop_oneof![Just(LossKind::Regression), Just(LossKind::Classification)];
    (alpha, activation, 0usize..4, loss, 1usize..4).prop_map(
        |(alpha, activation, adaptive, loss, n_batch)| Kind { alpha, activation, adaptive, loss, n_batch },
    )
}

pub fn smooth_kinds() -> impl Strategy<Value = Kind> {
    kinds().prop_map(|kind| Kind { activation: Activation::Tanh, ..kind })
}

/// A problem whose sizes are drawn too: up to 10 inputs and outputs (above and below the sizes that have loops
/// of their own), blank steps at the start, steps without weight anywhere.
pub fn problem(seed: u64, kind: Kind) -> Problem {
    let mut s = Stream::new(seed, Purpose::Weights);
    let dims = Dims { n_in: 1 + s.below(10), n_rec: 3 + s.below(5), n_out: 2 + s.below(9) };
    let n_steps = 3 + s.below(5);
    sized_problem(&mut s, kind, dims, n_steps)
}

pub fn sized_problem(s: &mut Stream, kind: Kind, dims: Dims, n_steps: usize) -> Problem {
    let Kind { alpha, activation, adaptive, loss, n_batch } = kind;
    let network =
        Network::plain(dims, alpha, activation).with_adaptive_units(adaptive.min(dims.n_rec), 1.3, 6.0);
    let mut weights = Weights::zeros(dims);
    s.fill_normal(&mut weights.w_rec_mut(), 1.2 / (dims.n_rec as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.9);
    s.fill_normal(&mut weights.w_out_mut(), 0.8);
    let shape = TrialsShape { n_steps, n_batch, n_in: dims.n_in, n_out: dims.n_out, loss };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    let blank = s.below(3);
    trials.x.slice_mut(ndarray::s![..blank, .., ..]).fill(0.0);
    match &mut trials.target {
        Target::Values(v) => s.fill_normal(v, 1.0),
        Target::Labels(l) => l.map_inplace(|l| *l = s.below(dims.n_out) as u32),
    }
    trials.mask.map_inplace(|m| *m = if s.unit() < 0.3 { 0.0 } else { s.uniform(0.2, 2.0) });
    trials.mask[[2, 0]] = 1.0;
    Problem { network, weights, trials }
}

impl Problem {
    pub fn gradient_at(&self, weights: &Weights<f64>, rule: &dyn Rule<f64>) -> Weights<f64> {
        let mut out = [Weights::zeros(weights.dims())];
        GradientPass::new(&self.network).run(weights, &self.trials, &[rule], &mut out, &Serial);
        let [out] = out;
        out
    }

    pub fn loss(&self, weights: &Weights<f64>) -> f64 {
        GradientPass::new(&self.network).run(weights, &self.trials, &[], &mut [], &Serial).loss
    }

    /// The Hessian at the problem's weights.
    pub fn hessian(&self) -> Hessian<f64> {
        let mut hessian = Hessian::new(&self.network);
        hessian.prepare(&self.weights, &self.trials, &Serial);
        hessian
    }

    /// It written out over a block.
    pub fn dense(&self, block: Block) -> DenseOperator<f64> {
        DenseOperator::of(&mut self.hessian().over(block, 0.0, &Serial))
    }

    /// The second derivative along `v` (over a block) by central differences of the exact gradient, over the
    /// same block.
    pub fn differences(&self, block: Block, v: &[f64], step: f64) -> Vec<f64> {
        let at = |step: f64| {
            let mut w = self.weights.clone();
            w.block_mut(block).iter_mut().zip(v).for_each(|(w, v)| *w += step * v);
            self.gradient_at(&w, &Bptt).block(block).to_vec()
        };
        at(step).iter().zip(at(-step)).map(|(up, down)| (up - down) / (2.0 * step)).collect()
    }
}

pub fn normal(n: usize, s: &mut Stream) -> Vec<f64> {
    (0..n).map(|_| s.normal()).collect()
}

/// Largest difference relative to the largest element.
pub fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let scale = a.iter().chain(b).fold(1e-300f64, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / scale
}

/// Two threads, which take the jobs as they come.
pub struct TwoThreads;

impl Workers for TwoThreads {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if i >= n {
                            break;
                        }
                        job(i);
                    }
                });
            }
        });
    }

    fn width(&self) -> usize {
        2
    }
}

/// All eigenvalues of a matrix, ascending, by a dense symmetric eigensolver.
pub fn eigenvalues(matrix: &DenseOperator<f64>) -> Vec<f64> {
    let n = matrix.entries().len().isqrt();
    let entries = matrix.entries();
    let dense = faer::Mat::from_fn(n, n, |i, j| 0.5 * (entries[i * n + j] + entries[j * n + i]));
    dense.self_adjoint_eigenvalues(faer::Side::Lower).expect("finite")
}
