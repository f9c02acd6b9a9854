//! A network with weights and trials, from a reference case.

use std::collections::BTreeMap;

use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::trials::{Target, Trials};
use basinscope::numerics::weights::{Block, Dims, Weights};

use super::npz::{Member, load, reference};

/// What a measure is taken of.
#[derive(Clone, Debug)]
pub struct Problem {
    pub network: Network<f64>,
    pub weights: Weights<f64>,
    pub trials: Trials<f64>,
    /// The block that the case's measures are about.
    pub block: Block,
}

/// Case 1 to 8 of tests/reference, and all its members.
pub fn reference_case(number: usize) -> (Problem, BTreeMap<String, Member>) {
    let members = load(reference(&format!("case{number}.npz")));
    let meta: serde_json::Value = serde_json::from_str(&members["meta_json"].text()).expect("JSON");
    let config = &meta["config"];
    let number = |v: &serde_json::Value| v.as_f64().expect("a number");
    let (w_rec, w_in, w_out) = (&members["w_rec"], &members["w_in"], &members["w_out"]);
    let dims = Dims { n_in: w_in.shape[1], n_rec: w_rec.shape[0], n_out: w_out.shape[0] };
    let activation = match config["network"]["activation"].as_str() {
        Some("relu") => Activation::Relu,
        Some("tanh") => Activation::Tanh,
        other => panic!("activation {other:?}"),
    };
    let adaptive = &config["network"]["adaptive"];
    let network = Network::plain(dims, number(&config["network"]["alpha"]), activation).with_adaptive_units(
        number(&adaptive["units"]) as usize,
        number(&adaptive["beta"]),
        number(&adaptive["tau"]),
    );
    let flat = [w_rec, w_in, w_out].iter().flat_map(|w| w.values.iter().copied()).collect();
    let target = match members.get("probe_target") {
        Some(values) => Target::Values(values.array()),
        None => Target::Labels(members["probe_label"].array().mapv(|l: f64| l as u32)),
    };
    let trials =
        Trials { x: members["probe_x"].array(), target, mask: members["probe_mask"].array(), decision: None };
    let weights = Weights::from_flat(dims, flat).expect("weights of these sizes");
    let block = serde_json::from_value(config["measure"]["block"].clone()).expect("a block");
    (Problem { network, weights, trials, block }, members)
}
