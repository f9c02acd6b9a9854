//! The reference cases: small networks whose answers an independent program computed (tests/reference).

use basinscope::numerics::lyapunov::{
    Flossing, FlossingSettings, FlossingVariant, LyapunovSpectrum, Orthonormalise, Skip, SpectrumSettings,
};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};

use crate::common::npz::{Member, load, reference};
use crate::plain::difference;

/// One case.
pub struct Case {
    pub members: std::collections::BTreeMap<String, Member>,
    pub config: serde_json::Value,
    pub network: Network<f64>,
    pub weights: Weights<f64>,
    pub trials: Trials<f64>,
    pub skip: usize,
}

pub fn case(number: usize) -> Case {
    let members = load(reference(&format!("case{number}.npz")));
    let meta: serde_json::Value = serde_json::from_str(&members["meta_json"].text()).expect("JSON");
    let config = meta["config"].clone();
    let shape = members["probe_x"].shape.clone();
    let dims = Dims { n_in: shape[2], n_rec: members["w_rec"].shape[0], n_out: members["w_out"].shape[0] };
    let activation = match config["network"]["activation"].as_str() {
        Some("relu") => Activation::Relu,
        _ => Activation::Tanh,
    };
    let number = |v: &serde_json::Value| v.as_f64().expect("a number");
    let adaptive = &config["network"]["adaptive"];
    let network = Network::plain(dims, number(&config["network"]["alpha"]), activation).with_adaptive_units(
        number(&adaptive["units"]) as usize,
        number(&adaptive["beta"]),
        number(&adaptive["tau"]),
    );
    let mut weights = Weights::zeros(dims);
    weights.block_mut(Block::Recurrent).copy_from_slice(&members["w_rec"].values);
    weights.block_mut(Block::Input).copy_from_slice(&members["w_in"].values);
    weights.block_mut(Block::Readout).copy_from_slice(&members["w_out"].values);
    let (n_steps, n_batch) = (shape[0], shape[1]);
    let shape =
        TrialsShape { n_steps, n_batch, n_in: dims.n_in, n_out: dims.n_out, loss: LossKind::Regression };
    let mut trials = Trials::zeros(shape);
    trials.x = members["probe_x"].array();
    let skip = number(&config["measure"]["lyapunov_skip"]) as usize;
    Case { members, config, network, weights, trials, skip }
}

/// 1e-7 is what the reference promises; an f64 program with a QR after every step should do far better.
#[test]
fn the_reference_exponents_are_met() {
    let mut met = 0;
    for number in 1..=8 {
        let case = case(number);
        let Some(expected) = case.members.get("expected_lyapunov") else { continue };
        let q0 = case.members["lyapunov_q0"].array();
        for (orthonormalise, tolerance) in
            [(Orthonormalise::EveryStep, 1e-11), (Orthonormalise::Sparing, 1e-9)]
        {
            let settings =
                SpectrumSettings { orthonormalise, ..SpectrumSettings::leading(0, Skip::Steps(case.skip)) };
            let mut spectrum = LyapunovSpectrum::new(&case.network);
            let found = spectrum.run(&case.weights, &case.trials, settings, q0.view(), &Serial);
            let error = difference(&found.mean, &expected.values);
            assert!(error < tolerance, "case {number}, {orthonormalise:?}: {error:e}");
            assert_eq!((found.skip, found.finite, found.silent_trials), (case.skip, q0.nrows(), 0));
        }
        met += 1;
    }
    assert_eq!(met, 6, "cases 3 and 7 have adaptive units");
}

/// Gradients relative to their largest element; the reference promises 1e-7.
#[test]
fn the_reference_flossing_is_met() {
    let mut met = std::collections::BTreeSet::new();
    for number in 1..=8 {
        let case = case(number);
        let Some(expected) = case.members.get("expected_flossing_loss") else { continue };
        let q0 = case.members["lyapunov_q0"].array();
        let variant: FlossingVariant =
            serde_json::from_value(case.config["flossing"]["variant"].clone()).expect("a variant");
        let k = case.config["flossing"]["k"].as_u64().expect("a number") as usize;
        let settings = FlossingSettings { k, variant, skip: Skip::Steps(case.skip) };
        let mut gradient = Weights::zeros(case.network.dims);
        let found = Flossing::new(&case.network).loss_and_gradient(
            &case.weights,
            &case.trials,
            settings,
            q0.view(),
            &Serial,
            &mut gradient,
        );
        let error = (found.loss - expected.scalar()).abs() / expected.scalar();
        assert!(error < 1e-11, "case {number}, {variant:?}: {error:e}");
        for (name, block) in [("w_rec", Block::Recurrent), ("w_in", Block::Input)] {
            let Some(expected) = case.members.get(&format!("expected_flossing_grad_{name}")) else {
                continue;
            };
            let scale = expected.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            let error = difference(gradient.block(block), &expected.values) / scale.max(1e-300);
            let zero = scale == 0.0 && gradient.block(block).iter().all(|g| *g == 0.0);
            assert!(zero || error < 1e-10, "case {number}, {variant:?}, {name}: {error:e}");
            met.insert((format!("{variant:?}"), name));
        }
        assert!(gradient.block(Block::Readout).iter().all(|g| *g == 0.0));
    }
    assert_eq!(met.len(), 5, "three variants for w_rec, two for w_in: {met:?}");
}
