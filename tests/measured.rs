//! `measure_network` against the reference cases: answers of an independent implementation with automatic
//! differentiation, in f64.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use basinscope::files::snapshot::Snapshot;
use basinscope::numerics::curvature::power_law::power_law_exponent;
use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::landscape::trajectory::Trajectory;
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
use basinscope::numerics::weights::{Dims, Weights};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Config, RuleKind};
use basinscope::training::driver::Driver;
use basinscope::training::history::Series;
use basinscope::training::measured::{Given, GivenSlice, Measured, measure_network};
use basinscope::training::trainer;
use common::npz::Member;
use common::problem::{Problem, reference_case};

use ndarray::Array2;

type Members = BTreeMap<String, Member>;

/// The case's own settings where they matter to a measure.
fn config(members: &Members) -> Config {
    let meta: serde_json::Value = serde_json::from_str(&members["meta_json"].text()).expect("JSON");
    let own = &meta["config"];
    let text = format!(
        "precision = \"f64\"\n[network]\nn_rec = {}\n[rule]\nkind = {}\nwindow = {}\n[measure]\nblock = {}\ntop_k = {}\nlyapunov_skip = {}\n[flossing]\nk = {}\nvariant = {}\n",
        own["network"]["n_rec"],
        own["rule"]["kind"],
        own["rule"]["window"],
        own["measure"]["block"],
        own["measure"]["top_k"],
        own["measure"]["lyapunov_skip"],
        own["flossing"]["k"],
        own["flossing"]["variant"],
    );
    let mut config = resolve(parse(&text).expect("TOML")).expect("a sound configuration").config;
    config.measure.lyapunov_exponents = 0;
    config
}

fn measured(number: usize) -> (Measured, Members) {
    let (problem, members) = reference_case(number);
    let values = |name: &str| members[name].array::<ndarray::Ix1>().to_vec();
    let flat = |name: &str| members[name].array::<ndarray::IxDyn>().iter().copied().collect::<Vec<f64>>();
    // States at the grid's own points: their losses are those of the reference's grid.
    let (d1, d2) = (flat("slice_direction_1"), flat("slice_direction_2"));
    let plane = Plane::new(problem.weights.clone(), problem.block, d1, d2).expect("a sound case");
    let places = [(0, 0), (1, 2)].map(|(i, j)| (values("slice_a")[i], values("slice_b")[j]));
    let mut path = Trajectory::default();
    for (iteration, (a, b)) in (0..).zip(places) {
        path.record(iteration, &plane.point(a, b), None);
    }
    let given = Given {
        network: problem.network,
        weights: problem.weights,
        probe: problem.trials,
        feedback: Some(flat("b_feedback")),
        q0: Some(members["lyapunov_q0"].array()),
        slice: Some(GivenSlice {
            a: values("slice_a"),
            b: values("slice_b"),
            block: problem.block,
            direction_1: flat("slice_direction_1"),
            direction_2: flat("slice_direction_2"),
            path,
        }),
        config: config(&members),
    };
    (measure_network(&given, &Serial).expect("it can be measured"), members)
}

/// Largest difference relative to the largest expected element; absolute where all are 0.
fn assert_close(found: &[f64], members: &Members, name: &str, tolerance: f64) {
    let Some(member) = members.get(&format!("expected_{name}")) else { return };
    let expected: Vec<f64> = member.array::<ndarray::IxDyn>().iter().copied().collect();
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    let scale = if scale == 0.0 { 1.0 } else { scale };
    for (f, e) in found.iter().zip(&expected) {
        assert!((f - e).abs() <= tolerance * scale, "{name}: found {f}, expected {e}");
    }
}

#[test]
fn every_reference_case_is_measured_as_it_should_be() {
    for number in 1..=8 {
        let (found, members) = measured(number);
        let gradients = &found.gradients;
        assert_close(&[gradients.loss], &members, "loss", 1e-9);
        assert_close(gradients.y.as_slice().expect("row-major"), &members, "y", 1e-9);
        let check = |gradient: &basinscope::numerics::weights::Weights<f64>, rule: &str| {
            for (block, name) in
                [("w_rec", gradient.w_rec()), ("w_in", gradient.w_in()), ("w_out", gradient.w_out())]
            {
                let values: Vec<f64> = name.iter().copied().collect();
                assert_close(&values, &members, &format!("grad_{rule}_{block}"), 1e-9);
            }
        };
        check(&gradients.exact, "exact");
        for (kind, gradient) in &gradients.rules {
            let name = match kind {
                RuleKind::Bptt => "bptt",
                RuleKind::EProp => "e_prop",
                RuleKind::Rflo => "rflo",
                RuleKind::Mdgl => "mdgl",
                RuleKind::TruncatedBptt => "truncated_bptt",
                RuleKind::ScaledBptt | RuleKind::Upscaled => continue,
            };
            check(gradient, name);
        }
        let lie = found.alignment.expect("an alignment");
        assert_close(&[lie.rho], &members, "rho", 1e-9);
        assert_close(&[lie.cosine.expect("a cosine")], &members, "cosine", 1e-9);
        assert_close(&[found.top_shares.error.expect("a share")], &members, "error_in_top_subspace", 1e-7);
        assert_close(
            &[found.top_shares.gradient.expect("a share")],
            &members,
            "gradient_in_top_subspace",
            1e-7,
        );
        let curvature = found.curvature.expect("finite");
        let top: Vec<f64> = curvature.top.iter().map(|pair| pair.value).collect();
        assert_close(&top, &members, "hessian_eigenvalues", 1e-7);
        assert_close(&top[..1], &members, "lambda_max", 1e-7);
        assert_close(&[curvature.bottom.value], &members, "lambda_min", 1e-7);
        // Blocks of up to 100 weights: both are exact.
        assert_close(&[curvature.trace.value], &members, "hessian_trace", 1e-9);
        assert_close(&[curvature.relative_flatness.value], &members, "relative_flatness", 1e-9);
        assert_close(&[curvature.power_law_exponent.expect("one")], &members, "power_law_exponent", 1e-7);
        if members.contains_key("expected_lyapunov") {
            assert_close(&found.exponents.mean, &members, "lyapunov", 1e-7);
        }
        if members.contains_key("expected_flossing_loss") {
            let (outcome, gradient) = &found.flossing;
            assert_close(&[outcome.loss], &members, "flossing_loss", 1e-7);
            let values: Vec<f64> = gradient.w_rec().iter().copied().collect();
            assert_close(&values, &members, "flossing_grad_w_rec", 1e-7);
            let values: Vec<f64> = gradient.w_in().iter().copied().collect();
            assert_close(&values, &members, "flossing_grad_w_in", 1e-7);
        }
        let grid = found.slice.expect("a slice was given").expect("a plane");
        assert_close(&grid.loss, &members, "slice_loss", 1e-9);
        assert_eq!(found.slice_path.len(), 2);
        for (point, (i, j)) in found.slice_path.iter().zip([(0, 0), (1, 2)]) {
            let (at, expected) = (point.coordinates, grid.at(i, j));
            // Coordinates by least squares of weights that were rounded once.
            assert!(
                (at.a - grid.a[i]).abs() < 1e-9 && (at.b - grid.b[j]).abs() < 1e-9 && at.distance < 1e-12
            );
            assert!((point.loss.expect("known") - expected).abs() < 1e-9 * (1.0 + expected.abs()));
        }
    }
}

#[test]
fn the_rescaled_rules_follow_their_definition_on_the_reference_cases() {
    let (found, members) = measured(1);
    let rho = members["expected_rho"].scalar();
    let of = |kind| &found.gradients.rules.iter().find(|(k, _)| *k == kind).expect("every rule").1;
    let (exact, scaled) = (&found.gradients.exact, of(RuleKind::ScaledBptt));
    let (e_prop, upscaled) = (of(RuleKind::EProp), of(RuleKind::Upscaled));
    for ((g, s), (e, u)) in
        exact.w_rec().iter().zip(scaled.w_rec()).zip(e_prop.w_rec().iter().zip(upscaled.w_rec()))
    {
        assert!((rho * g - s).abs() < 1e-12 && (e / rho - u).abs() < 1e-12);
    }
    assert_eq!(exact.w_out(), scaled.w_out());
    assert_eq!(exact.w_out(), upscaled.w_out());
}

#[test]
fn tangents_that_are_not_orthonormal_are_refused_and_rounded_ones_are_not() {
    let given = |q0: ndarray::Array2<f64>| {
        let (problem, members) = reference_case(1);
        let config = config(&members);
        let Problem { network, weights, trials: probe, .. } = problem;
        Given { network, weights, probe, feedback: None, q0: Some(q0), slice: None, config }
    };
    for wrong in
        [ndarray::Array2::ones((7, 7)), ndarray::Array2::zeros((7, 7)), 1.00001 * ndarray::Array2::eye(7)]
    {
        let error = measure_network(&given(wrong), &Serial).expect_err("refused").to_string();
        assert!(error.contains("lyapunov_q0") && error.contains("orthonormal"), "{error}");
    }
    // A rotation, rounded as a file of f32 holds it.
    let (sin, cos) = 0.3f64.sin_cos();
    let mut rotation = ndarray::Array2::<f64>::eye(7);
    [([0, 0], cos), ([0, 3], -sin), ([3, 0], sin), ([3, 3], cos)]
        .into_iter()
        .for_each(|(at, v)| rotation[at] = f64::from(v as f32));
    measure_network(&given(rotation), &Serial).expect("it can be measured");
}

#[test]
fn tangents_of_the_wrong_shape_are_refused_in_one_sentence() {
    let (problem, members) = reference_case(1);
    let given = Given {
        network: problem.network,
        weights: problem.weights,
        probe: problem.trials,
        feedback: None,
        q0: Some(ndarray::Array2::eye(3)),
        slice: None,
        config: config(&members),
    };
    let error = measure_network(&given, &Serial).expect_err("refused").to_string();
    assert!(error.contains("lyapunov_q0") && error.contains('3') && error.contains('7'), "{error}");
}

/// The exponents of a file's network start at its `lyapunov_q0`, and so does its flossing, in a run as by `measure`.
#[test]
fn a_run_flosses_from_the_tangents_of_its_network() {
    let (mut problem, members) = reference_case(1);
    problem.trials.mask.fill(1.0);
    let q0: Array2<f64> = members["lyapunov_q0"].array();
    let n = problem.trials.n_batch();
    let text = format!(
        "precision = \"f64\"\niterations = 2\n[task]\nkind = \"file\"\npath = \"network.npz\"\nbatch = {n}\n[network]\n\
         n_rec = {}\nadaptive = {{ units = 0 }}\n[flossing]\niterations = 1\nk = 3\ntrials = {n}\n[measure]\n\
         probe_trials = {n}\n",
        problem.weights.dims().n_rec,
    );
    let mut config = resolve(parse(&text).expect("TOML")).expect("a sound configuration").config;
    (config.network.alpha, config.network.activation) = (problem.network.alpha, problem.network.activation);
    let data = TaskData::Network {
        weights: Arc::new(problem.weights.clone()),
        trials: Arc::new(problem.trials.clone()),
        feedback: None,
        q0: Some(Arc::new(q0.clone())),
    };
    let mut driver = Driver::start(&config, &data).expect("a run starts");
    while driver.advance(&Serial).is_none() {}
    let loss = |weights: &Weights<f64>| {
        let network = trainer::network(&config.network, weights.dims());
        let (weights, probe) = (weights.clone(), problem.trials.clone());
        let given = Given {
            network,
            weights,
            probe,
            feedback: None,
            q0: Some(q0.clone()),
            slice: None,
            config: config.clone(),
        };
        measure_network(&given, &Serial).expect("it can be measured").flossing.0.loss
    };
    let first = driver.history().series(Series::FlossingLoss)[0].1;
    let expected = loss(&problem.weights);
    assert!((first - expected).abs() < 1e-12 * expected, "{first} {expected}");
    let snapshot = Snapshot::of_driver(&driver, &data, &Serial).expect("a snapshot");
    let (last, expected) = (snapshot.found.flossing.expect("flossing").loss, loss(&snapshot.weights));
    assert!((last - expected).abs() < 1e-12 * expected, "{last} {expected}");
}

/// Two steps of one trial: of the readout's eigenvalues two are not 0, and the fit is over these.
#[test]
fn the_power_law_is_fitted_to_eigenvalues_that_are_resolved() {
    let text = "precision = \"f64\"\n[network]\nn_rec = 8\n[measure]\nblock = \"readout\"\ntop_k = 6\n";
    let config = resolve(parse(text).expect("TOML")).expect("a sound configuration").config;
    let dims = Dims { n_in: 2, n_rec: 8, n_out: 1 };
    let shape = TrialsShape { n_steps: 2, n_batch: 1, n_in: 2, n_out: 1, loss: LossKind::Regression };
    let mut probe = Trials::zeros(shape);
    probe.mask.fill(1.0);
    probe.x.iter_mut().enumerate().for_each(|(i, x)| *x = 1.0 + (i as f64).sin());
    let given = Given {
        network: Network::plain(dims, 0.5, Activation::Tanh),
        weights: trainer::initial_weights(&config.network, dims, 1),
        probe,
        feedback: None,
        q0: None,
        slice: None,
        config,
    };
    let found = measure_network(&given, &Serial).expect("it can be measured");
    let curvature = found.curvature.as_ref().expect("finite");
    let top: Vec<f64> = curvature.top.iter().map(|pair| pair.value).collect();
    assert!(top.len() == 6 && top[1] > 1e-6 * top[0] && top[2].abs() < 1e-12 * top[0], "{top:?}");
    assert_eq!(curvature.power_law_exponent, power_law_exponent(&top[..2]));
    // Which of the other six vectors were found is chance.
    assert!(found.top_is_cut && found.top_shares.gradient.is_none() && found.top_shares.error.is_none());
}
