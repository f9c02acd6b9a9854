//! Lyapunov spectra of a trajectory, next to the bare products of the tangents with w_rec, one after the
//! other. N = 64, batch 32, T = 50, n_in = n_out = 3, alpha 0.5, f32, gain 1 unless the name says more.

mod common;

use basinscope::numerics::lyapunov::{
    Flossing, FlossingSettings, FlossingVariant, LyapunovSpectrum, Orthonormalise, Skip, SpectrumSettings,
    dense_orthonormal, eigenvalues,
};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::product::{Into, View, product};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
use basinscope::numerics::weights::{Dims, Weights};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::explore::Explorer;
use common::{Job, report};

const N: usize = 64;
const T: usize = 50;
const BATCH: usize = 32;

struct Problem {
    network: Network<f32>,
    weights: Weights<f32>,
    trials: Trials<f32>,
    q0: ndarray::Array2<f64>,
}

fn problem(activation: Activation, alpha: f64, gain: f64, n_batch: usize) -> Problem {
    let dims = Dims { n_in: 3, n_rec: N, n_out: 3 };
    let network = Network::plain(dims, alpha, activation);
    let mut s = Stream::new(1, Purpose::Weights);
    let mut weights = Weights::zeros(dims);
    s.fill_normal(&mut weights.w_rec_mut(), gain / (N as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.5);
    let shape = TrialsShape { n_steps: T, n_batch, n_in: 3, n_out: 3, loss: LossKind::Regression };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    Problem { network, weights, trials, q0: dense_orthonormal(N, &mut s) }
}

fn main() {
    let (relu, tanh) = (Activation::Relu, Activation::Tanh);
    let (sparing, every) = (Orthonormalise::Sparing, Orthonormalise::EveryStep);
    for (name, activation, alpha, gain, n, orthonormalise, goal) in [
        ("64 exponents", relu, 0.5, 1.0, 0, sparing, Some(30.0)),
        ("64 exponents, QR after every step", relu, 0.5, 1.0, 0, every, None),
        ("64 exponents, tanh", tanh, 0.5, 1.0, 0, sparing, None),
        ("64 exponents, gain 0.2", relu, 0.5, 0.2, 0, sparing, None),
        ("64 exponents, gain 1.5, alpha 0", relu, 0.0, 1.5, 0, sparing, None),
        ("10 exponents", relu, 0.5, 1.0, 10, sparing, Some(3.0)),
        ("10 exponents, QR after every step", relu, 0.5, 1.0, 10, every, None),
        ("10 exponents, tanh", tanh, 0.5, 1.0, 10, sparing, None),
        ("1 exponent", relu, 0.5, 1.0, 1, sparing, None),
    ] {
        let p = problem(activation, alpha, gain, BATCH);
        let mut spectrum = LyapunovSpectrum::new(&p.network);
        let settings = SpectrumSettings { orthonormalise, ..SpectrumSettings::leading(n, Skip::Auto) };
        let run = Box::new(move || {
            std::hint::black_box(spectrum.run(&p.weights, &p.trials, settings, p.q0.view(), &Serial));
        });
        let n = if n == 0 { N } else { n };
        report(Job { name, goal_ms: goal, run, bare: Some(bare_products(n)) }, 2.0);
    }
    for (name, variant) in [
        ("flossing iteration, 8 exponents, 8 trials, detached", FlossingVariant::Detached),
        ("flossing iteration, 8 exponents, 8 trials, exact", FlossingVariant::Exact),
    ] {
        let p = problem(tanh, 0.5, 1.0, 8);
        let mut flossing = Flossing::new(&p.network);
        let settings = FlossingSettings { k: 8, variant, skip: Skip::Auto };
        let mut gradient = Weights::zeros(p.network.dims);
        let run = Box::new(move || {
            flossing.loss_and_gradient(&p.weights, &p.trials, settings, p.q0.view(), &Serial, &mut gradient);
        });
        report(Job { name, goal_ms: None, run, bare: None }, 1.0);
    }
    // All that moving the gain asks for: spectrum, eigenvalues, activity, the rule against the exact gradient.
    let text = "[task]\nkind = \"romo\"\n[network]\nn_rec = 64\n[rule]\nkind = \"e-prop\"\n";
    let resolved = parse(text).and_then(resolve);
    let config = resolved.expect("romo's settings").config;
    let mut explorer = Explorer::new(&config, &TaskData::None).expect("romo needs no data");
    for gain in [0.5, 1.5] {
        let name = format!("a look of the gain explorer, gain {gain}");
        let look = &mut explorer;
        let run = Box::new(move || {
            std::hint::black_box(look.look(gain, &Serial));
        });
        report(Job { name: &name, goal_ms: Some(100.0), run, bare: None }, 1.0);
    }
    let p = problem(relu, 0.5, 1.0, 1);
    let run = Box::new(move || {
        std::hint::black_box(eigenvalues(p.weights.w_rec()));
    });
    report(Job { name: "eigenvalues of w_rec", goal_ms: None, run, bare: None }, 1.0);
}

/// The tangents of all trials through `w_rec`, T times.
fn bare_products(n: usize) -> Box<dyn FnMut()> {
    let (rows, w) = (BATCH * n, vec![0.01f32; N * N]);
    let (u, mut out) = (vec![0.1f32; rows * N], vec![0.0f32; rows * N]);
    Box::new(move || {
        for _ in 0..T {
            let (u, w) = (View::row_major(&u, rows, N), View::row_major(&w, N, N));
            product(&mut out, Into::Replace, u, w, 0.5);
        }
        std::hint::black_box(&out);
    })
}
