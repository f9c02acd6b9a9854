//! Hessian-vector products over w_rec, next to their bare matrix products; the products that lambda_max takes along
//! a run; and P1's run on MNIST, shortened.
//!
//! Where nothing else is said: N = 64, batch 32, T = 50, n_in = n_out = 3, f32, regression on all steps.

mod common;
#[path = "common/problem.rs"]
mod problem;

use std::cell::Cell;
use std::rc::Rc;

use basinscope::engine::clock::ThreadClock;
use basinscope::engine::pool::Processors;
use basinscope::files::digits;
use basinscope::numerics::curvature::hessian::Hessian;
use basinscope::numerics::curvature::lanczos::Wanted;
use basinscope::numerics::curvature::measure::CurvatureMeasure;
use basinscope::numerics::curvature::operator::LinearOperator;
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::product::{Into, View, product};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Block;
use basinscope::training::config::{Config, RuleKind};
use basinscope::training::trainer;
use common::{Job, report};
use problem::{T, problem};

const PRODUCTS: usize = 20;

fn main() {
    for (n, batch, block, activation, name, goal) in [
        (64, 32, Block::Recurrent, Activation::Relu, "20 products, w_rec (64, 32)", Some(15.0)),
        (64, 32, Block::Recurrent, Activation::Tanh, "20 products, w_rec (64, 32), tanh", None),
        (64, 32, Block::All, Activation::Relu, "20 products, all (64, 32)", None),
        (30, 1, Block::Recurrent, Activation::Relu, "20 products, w_rec (30, 1)", None),
        (128, 256, Block::Recurrent, Activation::Relu, "20 products, w_rec (128, 256)", None),
    ] {
        let (network, weights, trials) = problem(n, batch, activation);
        let mut hessian = Hessian::new(&network);
        hessian.prepare(&weights, &trials, &Serial);
        let mut v = vec![0.0; block.range(network.dims).len()];
        let mut s = Stream::new(2, Purpose::Measures);
        v.iter_mut().for_each(|v| *v = s.normal() as f32);
        let mut out = vec![0.0; v.len()];
        let run = Box::new(move || {
            let mut operator = hessian.over(block, 0.0, &Serial);
            for _ in 0..PRODUCTS {
                operator.apply(&v, &mut out);
            }
        });
        report(Job { name, goal_ms: goal, run, bare: Some(bare_products(n, batch)) }, 2.0);
    }
    top_200();
    along_a_run();
    p1_mnist();
}

/// The 200 leading eigenvalues, each as often as it occurs (P1's power law).
fn top_200() {
    let (network, weights, trials) = problem(64, 32, Activation::Relu);
    let mut measure = CurvatureMeasure::new(&network);
    let products = Rc::new(Cell::new(0));
    let spent = products.clone();
    let run = Box::new(move || {
        measure.forget();
        let mut at = measure.at(&weights, &trials, Block::Recurrent, 0.0, &Serial);
        let found = at.top_k(200, 1e-3, 5000, &mut Stream::new(1, Purpose::Measures));
        spent.set(found.map_or(0, |found| found.products));
    });
    report(Job { name: "200 eigenvalues with vectors (64, 32)", goal_ms: None, run, bare: None }, 1.0);
    println!("{:<44} {:9} products", "", products.get());
}

/// lambda_max, and both ends, every 50 iterations of `romo` under e-prop: the products that each takes from the
/// vectors of the measure before, to a residual of 1e-3.
fn along_a_run() {
    let Ok(config) = Config::preset("romo") else { return };
    let (Ok(mut run), Ok(task)) =
        (trainer::start(&config, &TaskData::None), trainer::task::<f32>(&config, &TaskData::None))
    else {
        return;
    };
    let network = trainer::network::<f32>(&config.network, trainer::dims(&config.network, &*task));
    let probe = trainer::probe::<f32>(&config, &*task);
    for (name, top, bottom) in
        [("lambda_max along romo, e-prop", 1, 0), ("both ends along romo, e-prop", 1, 1)]
    {
        let mut measure = CurvatureMeasure::new(&network);
        let mut stream = Stream::new(1, Purpose::Measures);
        let wanted = Wanted { top, bottom, tolerance: 1e-3, max_products: 200, multiplicities: false };
        let mut products = Vec::new();
        let mut time = 0.0;
        for _ in 0..40 {
            let weights = run.weights().cast::<f32>();
            let start = std::time::Instant::now();
            let mut at = measure.at(&weights, &probe, Block::Recurrent, 0.0, &Serial);
            products.extend(at.extremes(wanted, &mut stream).map(|found| found.products));
            time += start.elapsed().as_secs_f64() * 1e3 / 40.0;
            (0..50).for_each(|_| drop(run.step(&Serial)));
        }
        let first = products.remove(0);
        products.sort_unstable();
        let (median, most) = (products[products.len() / 2], products[products.len() - 1]);
        println!(
            "{name:<44} {time:9.3} ms each  products: first {first}, then median {median}, at most {most} (goal 20)"
        );
    }
}

/// P1's run on MNIST (N = 128, batches of 256, 10,000 iterations, lambda_max 40 times) on two threads: 500 of its
/// iterations and 3 of its measures, drawn out to the whole. Each measure but the first starts from the vector of the
/// one before.
fn p1_mnist() {
    const NAME: &str = "P1's MNIST run, two threads";
    let mut chosen = std::env::args().skip(1).filter(|a| !a.starts_with('-')).peekable();
    if chosen.peek().is_some() && !chosen.any(|c| NAME.contains(&c)) {
        return;
    }
    let (Ok(mut config), Ok(data)) = (Config::preset("sequential-mnist"), digits::embedded()) else { return };
    config.rule.kind = RuleKind::Bptt;
    let (Ok(mut run), Ok(task)) = (trainer::start(&config, &data), trainer::task::<f32>(&config, &data))
    else {
        return;
    };
    let network = trainer::network::<f32>(&config.network, trainer::dims(&config.network, &*task));
    let probe = trainer::probe::<f32>(&config, &*task);
    let workers = Processors::new("bench", 2);
    let mut measure = CurvatureMeasure::new(&network);
    let mut stream = Stream::new(1, Purpose::Measures);
    let wanted = Wanted { top: 1, bottom: 0, tolerance: 1e-3, max_products: 200, multiplicities: false };
    // Seconds by the clock and of processors, each of the first measure, of the later ones, of the updates.
    let clock = ThreadClock::default();
    let mut spent = [[0.0; 2]; 3];
    let mut timed = |which: usize, job: &mut dyn FnMut()| {
        let (start, processor) = (std::time::Instant::now(), clock.now() + workers.helped());
        job();
        spent[which][0] += start.elapsed().as_secs_f64();
        spent[which][1] += (clock.now() + workers.helped() - processor).as_secs_f64();
    };
    let mut products = Vec::new();
    for which in [0, 1, 1] {
        if which > 0 {
            timed(2, &mut || (0..P1_ITERATIONS / 2).for_each(|_| drop(run.step(&workers))));
        }
        let weights = run.weights().cast::<f32>();
        timed(which, &mut || {
            let mut at = measure.at(&weights, &probe, Block::Recurrent, 0.0, &workers);
            products.extend(at.extremes(wanted, &mut stream).map(|found| found.products));
        });
    }
    let whole = |of: usize| {
        let [first, later, updates] = spent.map(|s| s[of]);
        first + 39.0 * later / 2.0 + updates * 10_000.0 / f64::from(P1_ITERATIONS)
    };
    println!(
        "{NAME:<44} {:9.1} s, drawn out from {P1_ITERATIONS} iterations and 3 measures ({products:?} products)  goal \
         120 s  processors {:.1} s",
        whole(0),
        whole(1)
    );
}

const P1_ITERATIONS: u32 = 500;

/// Six products of the size of one gradient product, each over all steps at once, twenty times: what matrix
/// products alone would take if nothing in them had to wait for the step before.
fn bare_products(n: usize, batch: usize) -> Box<dyn FnMut()> {
    let w = vec![0.1f32; n * n];
    let rows = T * batch.min(32);
    let (mut state, z) = (vec![0.1f32; rows * n], vec![0.2f32; rows * n]);
    let mut sum = vec![0.0f32; n * n];
    let chunks = batch.div_ceil(32);
    Box::new(move || {
        for _ in 0..PRODUCTS * chunks {
            for _ in 0..4 {
                let (z, w) = (View::row_major(&z, rows, n), View::row_major(&w, n, n));
                product(&mut state, Into::Replace, z, w, 0.5);
            }
            for _ in 0..2 {
                let z = View::row_major(&z, rows, n);
                product(&mut sum, Into::Replace, z.t(), z, 0.5);
            }
        }
    })
}
