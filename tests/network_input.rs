//! A network trained elsewhere, from its file to the file of what was measured, against the answers of an
//! independent implementation; and networks that cannot be measured.

use std::collections::BTreeMap;
use std::io::{Cursor, Seek, Write};

use basinscope::files::network_input;
use basinscope::files::npz::{Npz, NpzWriter};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::weights::Block;
use basinscope::training::config::resolve::set;
use basinscope::training::measured::measure_network;
use common::npz::{Member, load, reference};
use proptest::prelude::*;
use toml::Table;

mod common;

/// What a file becomes, read by another reader.
fn measured(number: usize) -> (BTreeMap<String, Member>, BTreeMap<String, Member>) {
    let path = reference(&format!("case{number}.npz"));
    let input = network_input::read(&path, Table::new()).expect("a network");
    assert!(input.warnings.is_empty(), "{:?}", input.warnings);
    let found = measure_network(&input.given, &Serial).expect("it can be measured");
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.npz");
    network_input::measured(&input, &found).write(&out).expect("written");
    (load(&out), load(&path))
}

/// The tolerance of a member: analytic values 1e-9, what an iteration finds 1e-7; trace and flatness are exact
/// on networks this small.
fn tolerance(name: &str) -> f64 {
    let found_by_iteration =
        ["hessian_eigenvalues", "lambda_", "power_law", "lyapunov", "flossing", "subspace"];
    if found_by_iteration.iter().any(|part| name.contains(part)) { 1e-7 } else { 1e-9 }
}

#[test]
fn every_member_is_the_reference_answer() {
    let mut compared = BTreeMap::new();
    for number in 1..=8 {
        let (found, case) = measured(number);
        for (name, expected) in &case {
            let Some(name) = name.strip_prefix("expected_") else { continue };
            let member = found.get(name).unwrap_or_else(|| panic!("case {number}: `{name}` is not written"));
            assert_eq!(member.shape, expected.shape, "case {number}: {name}");
            let largest = expected.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            let scale = if largest == 0.0 { 1.0 } else { largest };
            for (a, b) in member.values.iter().zip(&expected.values) {
                let error = (a - b).abs() / scale;
                assert!(error <= tolerance(name), "case {number}: {name} is {a}, expected {b}");
            }
            *compared.entry(name.to_owned()).or_insert(0) += 1;
        }
        // What was given stands beside it.
        for name in
            ["w_rec", "w_in", "w_out", "probe_x", "probe_mask", "b_feedback", "slice_a", "slice_direction_1"]
        {
            assert_eq!(found[name], case[name], "case {number}: {name}");
        }
        let meta: serde_json::Value = serde_json::from_str(&found["meta_json"].text()).expect("JSON");
        let given: serde_json::Value = serde_json::from_str(&case["meta_json"].text()).expect("JSON");
        assert_eq!(meta["config"]["task"]["loss"], given["config"]["task"]["loss"]);
        assert_eq!(meta["config"]["network"]["alpha"], given["config"]["network"]["alpha"]);
    }
    for (name, times) in [("loss", 8), ("grad_rflo_w_in", 8), ("slice_loss", 8), ("flossing_grad_w_rec", 6)] {
        assert_eq!(compared.get(name), Some(&times), "{name}");
    }
    assert!(compared.len() >= 30, "{compared:?}");
}

/// A file of measures is a network again, and is measured to the same numbers.
#[test]
fn what_was_written_can_be_measured_again() {
    let path = reference("case6.npz");
    let folder = tempfile::tempdir().expect("a folder");
    let [first, second] = ["first.npz", "second.npz"].map(|n| folder.path().join(n));
    for (from, to) in [(&path, &first), (&first, &second)] {
        let input = network_input::read(from, Table::new()).expect("a network");
        let found = measure_network(&input.given, &Serial).expect("it can be measured");
        network_input::measured(&input, &found).write(to).expect("written");
    }
    assert_eq!(load(&first), load(&second));
}

/// A small network as a member-by-member file.
struct Network {
    members: BTreeMap<&'static str, (Vec<usize>, Vec<f64>)>,
    labels: Option<(Vec<usize>, Vec<i64>)>,
    meta: String,
}

impl Network {
    fn sound() -> Self {
        let of = |shape: &[usize]| {
            let n: usize = shape.iter().product();
            (shape.to_vec(), (0..n).map(|i| (i as f64 * 0.7).sin()).collect::<Vec<_>>())
        };
        let mut members = BTreeMap::from([
            ("w_rec", of(&[4, 4])),
            ("w_in", of(&[4, 2])),
            ("w_out", of(&[3, 4])),
            ("probe_x", of(&[6, 2, 2])),
            ("probe_target", of(&[6, 2, 3])),
        ]);
        members.insert("probe_mask", (vec![6, 2], vec![1.0; 12]));
        let meta = r#"{"config": {"network": {"alpha": 0.5, "activation": "tanh"}, "task": {"loss": "regression"}}}"#;
        Self { members, labels: None, meta: meta.into() }
    }

    fn read(&self, changes: &[&str]) -> Result<network_input::NetworkInput, String> {
        let mut file = Cursor::new(Vec::new());
        write(&mut file, self);
        let mut table = Table::new();
        changes.iter().for_each(|c| set(&mut table, c).expect(c));
        Npz::new(file).and_then(|mut f| network_input::read_from(&mut f, table)).map_err(|e| e.to_string())
    }

    fn refused(&self, changes: &[&str]) -> String {
        let error = self.read(changes).map(|_| ()).expect_err("refused");
        assert!(!error.contains('\n'), "one line: {error}");
        error
    }
}

fn write<W: Write + Seek>(to: W, network: &Network) {
    let mut npz = NpzWriter::new(to);
    for (name, (shape, values)) in &network.members {
        npz.floats(name, shape, values).expect("written");
    }
    if let Some((shape, labels)) = &network.labels {
        npz.whole("probe_label", shape, labels).expect("written");
    }
    npz.text("meta_json", &network.meta).expect("written");
    npz.finish().expect("written");
}

#[test]
fn weights_probe_and_three_settings_are_enough() {
    let input = Network::sound().read(&[]).expect("a network");
    let config = &input.given.config;
    assert_eq!((config.network.n_rec, config.network.alpha, config.measure.lyapunov_exponents), (4, 0.5, 0));
    assert_eq!(config.flossing.k, 4, "a default lowered to the network");
    let found = measure_network(&input.given, &Serial).expect("it can be measured");
    assert_eq!(found.exponents.mean.len(), 4);
    assert!(found.curvature.is_ok() && found.slice.is_none());
    // The block's size follows from the network's own channels, not from a task's.
    let input = Network::sound().read(&["measure.block=input", "measure.top_k=8"]).expect("a network");
    assert_eq!(input.given.config.measure.top_k, 8);
}

#[test]
fn what_cannot_be_measured_is_named() {
    let check = |change: &dyn Fn(&mut Network), part: &str| {
        let mut network = Network::sound();
        change(&mut network);
        let error = network.refused(&[]);
        assert!(error.contains(part), "`{error}` should contain `{part}`");
    };
    let put = |name: &'static str, shape: &'static [usize], value: f64| {
        move |n: &mut Network| {
            n.members.insert(name, (shape.to_vec(), vec![value; shape.iter().product()]));
        }
    };
    for name in ["w_rec", "w_in", "w_out", "probe_x", "probe_mask"] {
        check(&|n| drop(n.members.remove(name)), &format!("member `{name}`: is missing"));
    }
    check(&|n| drop(n.members.remove("probe_target")), "expected `probe_target` or `probe_label`");
    check(&put("w_rec", &[4, 5], 0.1), "`w_rec`: has the shape [4, 5]: expected [4, 4]");
    check(&put("w_in", &[5, 2], 0.1), "`w_in`: has the shape [5, 2]: expected [4, 2]");
    check(&put("w_out", &[3, 5], 0.1), "`w_out`: has the shape [3, 5]: expected [3, 4]");
    check(&put("w_out", &[3, 4], f64::NAN), "`w_out`: value 0 is NaN");
    check(&put("w_out", &[0, 4], 0.0), "`w_out`: has the shape [0, 4]");
    check(&put("probe_x", &[6, 2, 3], 0.1), "`probe_x`: has 3 channels: expected 2");
    check(&put("probe_x", &[6, 2], 0.1), "`probe_x`: has the shape [6, 2]: expected [T, B, n_in]");
    check(&put("probe_x", &[6, 0, 2], 0.1), "expected no 0");
    check(&put("probe_x", &[6, 2, 2], f64::INFINITY), "`probe_x`: value 0 is inf");
    check(&put("probe_target", &[6, 2, 4], 0.1), "expected [6, 2, 3]");
    check(&put("b_feedback", &[4, 3], 0.1), "`b_feedback`: has the shape [4, 3]: expected [3, 4]");
    check(&put("lyapunov_q0", &[4], 0.1), "`lyapunov_q0`: has the shape [4]");
    check(&put("lyapunov_q0", &[4, 4], f64::NAN), "`lyapunov_q0`: has the value NaN");
    let labels = |shape: &'static [usize], label: i64| {
        move |n: &mut Network| {
            n.members.remove("probe_target");
            n.meta = n.meta.replace("regression", "classification");
            n.labels = Some((shape.to_vec(), vec![label; shape.iter().product()]));
        }
    };
    check(&labels(&[6, 2], 3), "`probe_label`: has the label 3: expected 0 to 2");
    check(&labels(&[6, 2], -1), "has the label -1");
    check(&labels(&[2, 6], 1), "expected [6, 2]");
    check(&|n| n.labels = Some((vec![6, 2], vec![0; 12])), "stands beside `probe_label`");
    for (from, to, part) in [
        ("\"alpha\": 0.5, ", "", "no `network.alpha`"),
        ("\"alpha\": 0.5, ", "\"alpha\": 1.5, ", "`network.alpha` = 1.5"),
        ("tanh", "sigmoid", "one of relu, tanh"),
        ("regression", "classification", "`task.loss` is classification, but the targets are `probe_target`"),
        ("regression", "hinge", "expected one of regression"),
        ("\"loss\"", "\"kind\": \"cued-match\", \"loss\"", "but `task.kind` has classification"),
        ("\"alpha\"", "\"n_rec\": 5, \"alpha\"", "`network.n_rec` = 5: expected 4"),
        ("\"alpha\"", "\"gian\": 5, \"alpha\"", "the nearest is `network.gain`"),
        ("{\"config\"", "{\"format\": 3, \"config\"", "`format` 3"),
        ("{\"config\"", "{\"confi\"", "config"),
        ("{\"config\": {", "{\"config\": {\"seed\": null, ", "null"),
        ("}}}", "", "EOF"),
    ] {
        check(&|n| n.meta = n.meta.replacen(from, to, 1), part);
    }
    for (change, part) in [
        ("measure.lyapunov_skip=6", "expected less than 6"),
        ("flossing.k=5", "at most 4"),
        ("measure.top_k=17", "at most 16"),
    ] {
        let error = Network::sound().refused(&[change]);
        assert!(error.contains(part), "{change}: {error}");
    }
}

#[test]
fn a_slice_has_to_fit_its_block() {
    let with = |a: &[f64], direction: usize| {
        let mut n = Network::sound();
        n.members.insert("slice_a", (vec![a.len()], a.to_vec()));
        n.members.insert("slice_b", (vec![1], vec![0.0]));
        for name in ["slice_direction_1", "slice_direction_2"] {
            n.members.insert(name, (vec![direction], (0..direction).map(|i| (i as f64).cos()).collect()));
        }
        n
    };
    assert!(with(&[0.0, 1.0], 16).read(&[]).expect("a slice").given.slice.is_some());
    let of_all = with(&[0.0, 1.0], 36).read(&[]).expect("a slice").given.slice.expect("a slice");
    assert_eq!((of_all.block, of_all.direction_2.len()), (Block::All, 36), "whatever the block");
    assert!(with(&[0.0, 1.0], 8).read(&["measure.block=input"]).expect("a slice").given.slice.is_some());
    let error = with(&[0.0, 1.0], 8).refused(&[]);
    assert!(error.contains("`slice_direction_1`: has the shape [8]: expected [16]"), "{error}");
    // Another block is asked for than the one that the slice lies in: all is measured but the slice.
    let input = with(&[0.0, 1.0], 16).read(&["measure.block=input"]).expect("a network");
    assert!(input.given.slice.is_none());
    let found = measure_network(&input.given, &Serial).expect("it can be measured");
    let notes = network_input::measured(&input, &found).notes;
    let note = "no slice: its directions are not those of the block input, which is measured";
    assert!(found.curvature.is_ok() && notes.contains(&note.to_owned()), "{notes:?}");
    assert!(with(&[0.0, 1.0], 7).refused(&["measure.block=input"]).contains("has the shape [7]"));
    assert!(with(&[1.0, 0.0], 16).refused(&[]).contains("ascending"));
    assert!(with(&[], 16).refused(&[]).contains("ascending"));
    assert!(with(&[f64::NAN], 16).refused(&[]).contains("finite"));
}

proptest! {
    /// Whatever meta_json says, it is a network or one sentence.
    #[test]
    fn any_meta_json_is_answered(
        text in "[{}\\[\\]:,\"a-z0-9.-]{0,40}",
        at in any::<prop::sample::Index>(),
        value in prop::sample::select(vec!["-1", "1e999", "null", "[]", "{}", "\"\"", "18446744073709551615", "0.0"]),
    ) {
        let mut network = Network::sound();
        network.meta = text;
        let _ = network.read(&[]);
        // One value of a sound one replaced.
        let sound = Network::sound().meta;
        let ends: Vec<usize> = sound.match_indices(": ").map(|(i, _)| i + 2).collect();
        let start = ends[at.index(ends.len())];
        let end = start + sound[start..].find([',', '}']).expect("a value ends");
        network.meta = format!("{}{value}{}", &sound[..start], &sound[end..]);
        if let Err(error) = network.read(&[]) {
            prop_assert!(!error.contains('\n') && error.len() < 400, "{}", error);
        }
    }
}
