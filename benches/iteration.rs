//! One training iteration without task and optimiser: forward pass, loss, backward pass, weight sums; next
//! to the bare matrix products of the same sizes. T = 50, n_in = n_out = 3, f32, regression on all steps.

mod common;
#[path = "common/problem.rs"]
mod problem;

use std::time::Instant;

use basinscope::files::run_folder::RunFolder;
use basinscope::files::snapshot::Snapshot;
use basinscope::files::summary::Summary;
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::product::{Into, View, product};
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::rules::{Bptt, EProp, Rule};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Weights;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::driver::Driver;
use common::{Job, report};
use problem::{T, problem};

struct Two;

impl Workers for Two {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        use rayon::prelude::*;
        (0..n).into_par_iter().for_each(job);
    }
    fn width(&self) -> usize {
        rayon::current_num_threads()
    }
}

fn main() {
    for (n, batch, rule, name, goal) in [
        (64, 32, &Bptt as &dyn Rule<f32>, "BPTT (64, 32)", 0.40),
        (64, 32, &EProp, "e-prop (64, 32)", 0.28),
        (256, 32, &Bptt, "BPTT (256, 32)", 5.0),
        (128, 1024, &Bptt, "BPTT (128, 1024)", 42.0),
    ] {
        iteration(n, batch, rule, name, goal, &Serial);
    }
    iteration(128, 1024, &Bptt, "BPTT (128, 1024), all cores", 23.0, &Two);
    whole_run();
}

/// A run as `basinscope run` makes it: trials, e-prop, Adam, 3,000 iterations without measures, and its files.
fn whole_run() {
    let text = "iterations = 3000\n[task]\nkind = \"romo\"\n[measure]\ntest = \"off\"\ncurvature = \"off\"\n\
                lyapunov = \"off\"\nalignment = \"off\"\n";
    let config = resolve(parse(text).expect("TOML")).expect("settings").config;
    let folder = std::env::temp_dir().join(format!("basinscope-bench-{}", std::process::id()));
    let path = folder.clone();
    let run = Box::new(move || {
        let start = Instant::now();
        let mut driver = Driver::start(&config, &TaskData::None).expect("a run");
        let stop = loop {
            if let Some(stop) = driver.advance(&Serial) {
                break stop;
            }
        };
        let snapshot = Snapshot::of_driver(&driver, &TaskData::None, &Serial).expect("a snapshot");
        let seconds = start.elapsed().as_secs_f64();
        let summary = Summary::new(&config, stop, 3000, driver.history(), seconds, Vec::new());
        let claimed = RunFolder::claim(&path, true).expect("a folder");
        claimed.write_whole(&snapshot, &summary).expect("written");
    });
    let name = "romo, e-prop, 3,000 iterations with files";
    report(Job { name, goal_ms: Some(1000.0), run, bare: None }, 2.0);
    let _ = std::fs::remove_dir_all(folder);
}

fn iteration(n: usize, batch: usize, rule: &dyn Rule<f32>, name: &str, goal: f64, workers: &dyn Workers) {
    let (network, weights, trials) = problem(n, batch, Activation::Relu);
    let mut pass = GradientPass::new(&network);
    let (mut forward, fixed, same) = (GradientPass::new(&network), weights.clone(), trials.clone());
    let mut out = [Weights::zeros(weights.dims())];
    let run = Box::new(move || {
        pass.run(&weights, &trials, &[rule], &mut out, workers);
    });
    let through_w_rec = name.starts_with("BPTT");
    report(Job { name, goal_ms: Some(goal), run, bare: Some(bare_products(n, batch, through_w_rec)) }, 2.0);
    // Where it goes: the rest is the backward pass and the weight sums.
    let run = Box::new(move || _ = forward.run(&fixed, &same, &[], &mut [], workers));
    report(Job { name: &format!("  {name}, forward pass and loss"), goal_ms: None, run, bare: None }, 1.0);
}

/// The matrix products of an iteration: T forward and T backward steps, the weight sum, input and readout.
fn bare_products(n: usize, batch: usize, through_w_rec: bool) -> Box<dyn FnMut()> {
    let w = vec![0.1f32; n * n];
    let (mut state, mut z) = (vec![0.1f32; (T + 1) * batch * n], vec![0.2f32; (T + 1) * batch * n]);
    let (skinny, mut small) = (vec![0.3f32; 3 * n], vec![0.1f32; T * batch * 3]);
    let mut sum = vec![0.0f32; n * n];
    Box::new(move || {
        let layer = batch * n;
        let w = View::row_major(&w, n, n);
        for t in 0..T {
            let z = View::row_major(&z[t * layer..(t + 1) * layer], batch, n);
            product(&mut state[t * layer..(t + 1) * layer], Into::Add, z, w, 0.5);
        }
        if through_w_rec {
            for t in 0..T {
                let d = View::row_major(&state[t * layer..(t + 1) * layer], batch, n);
                product(&mut z[t * layer..(t + 1) * layer], Into::Replace, d, w, 0.5);
            }
        }
        let rows = T * batch;
        let (a, b) = (View::row_major(&state[layer..], rows, n), View::row_major(&z[layer..], rows, n));
        product(&mut sum, Into::Replace, a.t(), b, 0.5);
        // Input, readout, learning signal (rows x 3 by 3 x n), and the two skinny weight sums.
        let basis = View::row_major(&skinny, 3, n);
        product(&mut small, Into::Replace, b, basis.t(), 1.0);
        let c = View::row_major(&small, rows, 3);
        product(&mut state[layer..], Into::Add, c, basis, 1.0);
        product(&mut state[layer..], Into::Add, c, basis, 1.0);
        let b = View::row_major(&z[layer..], rows, n);
        let mut out = [0.0f32; 3 * 512];
        product(&mut out[..3 * n], Into::Replace, c.t(), b, 1.0);
        product(&mut out[..3 * n], Into::Replace, c.t(), b, 1.0);
        std::hint::black_box((&sum, &out));
    })
}
