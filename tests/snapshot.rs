//! Snapshots: everything survives the file, a resumed run has the bits of an unbroken one, and altered files are
//! answered in one line.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use basinscope::files::network_input;
use basinscope::files::npz::Npz;
use basinscope::files::snapshot::{
    FlossingFound, Found, Hessian, LyapunovFound, PathFound, SliceFound, Snapshot,
};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Weights;
use basinscope::training::config::Config;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::driver::Driver;
use basinscope::training::measured::measure_network;
use basinscope::training::run::StopReason;
use basinscope::training::trainer;
use ndarray::{Array2, Array3};
use proptest::prelude::*;

mod common;

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("sound settings").config
}

fn advance(driver: &mut Driver, steps: usize) -> Option<StopReason> {
    (0..steps).find_map(|_| driver.advance(&Serial))
}

fn snapshot(driver: &Driver) -> Snapshot {
    let run = driver.run();
    Snapshot::of_run(run.config(), &driver.checkpoint(), driver.history(), driver.trajectory())
}

/// A small run of 12 iterations on which everything is measured.
const SETTINGS: &str = "iterations = 12
network.n_rec = 8
task.batch = 4
task.test_trials = 8
[measure]
test = 5
curvature = 5
lyapunov = 5
alignment = 5
landscape = 4
probe_trials = 4
slice = { directions = \"trajectory\", points = 5 }
";

fn full() -> Snapshot {
    let config = config(SETTINGS);
    let mut driver = Driver::start(&config, &TaskData::None).expect("a run");
    advance(&mut driver, 20).expect("an end");
    let mut snapshot = snapshot(&driver);
    let task = trainer::task::<f64>(&config, &TaskData::None).expect("a task");
    snapshot.probe = Some(trainer::probe(&config, &*task));
    snapshot.notes = vec!["a note".into()];
    let gradient = snapshot.weights.clone();
    let p = gradient.w_rec().len();
    snapshot.found = Found {
        loss: Some(0.25),
        y: Some(Array3::from_elem((2, 3, 2), 1.5)),
        gradients: vec![("e_prop".into(), gradient.clone()), ("exact".into(), gradient.clone())],
        rho: Some(f64::NAN),
        lambda_max: Some(-0.0),
        hessian: Some(Hessian {
            eigenvalues: vec![2.0, 1.0],
            eigenvectors: Some(Array2::from_shape_fn((2, p), |(i, j)| (i * p + j) as f64)),
            residuals: Some(vec![1e-9, 1e-8]),
        }),
        lyapunov: Some(LyapunovFound {
            mean: vec![-0.1, f64::NEG_INFINITY],
            per_trial: Some(Array2::zeros((3, 2))),
            q0: Some(Array2::eye(8)),
            skip: Some(3),
        }),
        flossing: Some(FlossingFound { loss: 0.5, gradient: Some(without_readout(gradient)) }),
        slice: Some(SliceFound {
            a: vec![-1.0, 0.0, 1.0],
            b: vec![0.0, 2.0],
            loss: Array2::from_shape_fn((2, 3), |(j, i)| (10 * j + i) as f64),
            direction_1: vec![1.0; p],
            direction_2: vec![2.0; p],
            centre: vec![3.0; p],
            path: vec![PathFound { iteration: 7, a: 0.1, b: 0.2, loss: 0.3, distance: 0.4 }],
        }),
        ..Found::default()
    };
    snapshot
}

fn without_readout(mut gradient: Weights<f64>) -> Weights<f64> {
    gradient.block_mut(basinscope::numerics::weights::Block::Readout).fill(0.0);
    gradient
}

fn written(snapshot: &Snapshot) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("snapshot.npz");
    snapshot.write(&path).expect("written");
    std::fs::read(path).expect("read")
}

/// NaN is not equal to itself, its text is.
fn text(snapshot: &Snapshot) -> String {
    format!("{snapshot:?}")
}

#[test]
fn everything_survives_the_file() {
    let snapshot = full();
    let bytes = written(&snapshot);
    let read = Snapshot::read_from(&mut Npz::new(Cursor::new(&bytes)).expect("npz")).expect("a snapshot");
    // Tasks judge by a decision of their own, which no member holds.
    let mut expected = snapshot.clone();
    expected.probe.as_mut().expect("a probe").decision = None;
    assert_eq!(text(&read), text(&expected));
    assert_eq!(written(&snapshot), bytes, "equal snapshots make equal files");
}

/// By another reader, against the names of the documented format.
#[test]
fn the_members_are_the_documented_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("snapshot.npz");
    let snapshot = full();
    snapshot.write(&path).expect("written");
    let members = common::npz::load(&path);
    let shape = |name: &str| members.get(name).unwrap_or_else(|| panic!("{name}")).shape.clone();
    for (name, expected) in [
        ("w_rec", vec![8, 8]),
        ("w_in", vec![8, 1]),
        ("w_out", vec![2, 8]),
        ("initial_w_rec", vec![8, 8]),
        ("probe_x", vec![56, 4, 1]),
        ("probe_mask", vec![56, 4]),
        ("probe_target", vec![56, 4, 2]),
        ("loss", vec![]),
        ("y", vec![2, 3, 2]),
        ("grad_exact_w_in", vec![8, 1]),
        ("grad_e_prop_w_out", vec![2, 8]),
        ("rho", vec![]),
        ("hessian_eigenvalues", vec![2]),
        ("hessian_eigenvectors", vec![2, 64]),
        ("hessian_residuals", vec![2]),
        ("lyapunov", vec![2]),
        ("lyapunov_q0", vec![8, 8]),
        ("lyapunov_per_trial", vec![3, 2]),
        ("lyapunov_skip", vec![]),
        ("flossing_loss", vec![]),
        ("flossing_grad_w_rec", vec![8, 8]),
        ("flossing_grad_w_in", vec![8, 1]),
        ("slice_a", vec![3]),
        ("slice_b", vec![2]),
        ("slice_loss", vec![2, 3]),
        ("slice_direction_1", vec![64]),
        ("slice_centre", vec![64]),
        ("slice_path_distance", vec![1]),
        ("slice_path_iteration", vec![1]),
        ("history_train_loss", vec![12]),
        ("history_train_loss_iteration", vec![12]),
    ] {
        assert_eq!(shape(name), expected, "{name}");
    }
    for absent in ["flossed_w_rec", "b_feedback", "cosine", "probe_label"] {
        assert!(!members.contains_key(absent), "{absent}");
    }
    let meta: serde_json::Value = serde_json::from_str(&members["meta_json"].text()).expect("JSON");
    assert_eq!(
        (meta["format"].as_i64(), meta["iteration"].as_i64(), meta["seed"].as_i64()),
        (Some(1), Some(12), Some(1))
    );
    assert_eq!(meta["program"]["name"], "basinscope");
    assert_eq!(meta["config"]["task"]["loss"], "regression");
    assert_eq!(meta["config"]["network"]["alpha"], 0.5);
    assert_eq!(meta["units"]["lyapunov"], "nats per step");
    assert_eq!(meta["notes"][0], "a note");
    assert_eq!(members["w_rec"].values, snapshot.weights.w_rec().iter().copied().collect::<Vec<_>>());
}

/// The snapshot of a run at its end, and that of `measure` on it.
fn of_a_run_and_of_measure(settings: &str) -> (Snapshot, Snapshot) {
    let config = config(settings);
    let mut driver = Driver::start(&config, &TaskData::None).expect("a run");
    while driver.advance(&Serial).is_none() {}
    let own = Snapshot::of_driver(&driver, &TaskData::None, &Serial).expect("a snapshot");
    let bytes = written(&own);
    let mut file = Npz::new(Cursor::new(&bytes)).expect("npz");
    let input = network_input::read_from(&mut file, toml::Table::new()).expect("a network");
    let found = measure_network(&input.given, &Serial).expect("it can be measured");
    (own, network_input::measured(&input, &found))
}

/// Flossing before training, and during it only; without flossing there is nothing of it in the file.
#[test]
fn the_flossing_loss_of_a_run_s_snapshot_is_the_one_that_measure_finds_in_it() {
    let small = "iterations = 6\nnetwork.n_rec = 6\ntask.batch = 4\nmeasure.probe_trials = 4\n";
    for (flossing, is_on) in [
        ("flossing.iterations = 2\nflossing.k = 2", true),
        ("flossing.during.every = 2\nflossing.during.iterations = 1\nflossing.variant = \"local\"", true),
        ("flossing.during.every = 2", false),
    ] {
        // With exponents taken on the way, and without.
        for lyapunov in ["0", "\"off\""] {
            let text = format!("{small}{flossing}\nmeasure.lyapunov = {lyapunov}\nprecision = \"f64\"");
            let (own, of_measure) = of_a_run_and_of_measure(&text);
            let found = own.found.flossing;
            assert_eq!(found.is_some(), is_on, "{flossing}");
            if let Some(found) = found {
                assert!(found.loss > 0.0, "{flossing}");
                assert_eq!(Some(found), of_measure.found.flossing, "{flossing}");
            }
        }
    }
}

/// Without leak ReLU crushes directions to nothing; a trial without input has no tangents at all.
#[test]
fn the_notes_of_a_run_are_those_of_measure_on_its_file() {
    let settings = "iterations = 4
precision = \"f64\"
measure.curvature = 0
measure.lyapunov = 0
task.kind = \"pattern\"
network = { n_rec = 12, alpha = 0.0, gain = 0.5 }
";
    let (own, of_measure) = of_a_run_and_of_measure(settings);
    assert_eq!(own.notes, of_measure.notes);
    assert!(own.notes.iter().any(|n| n.contains("of 12 Lyapunov exponents are finite")), "{:?}", own.notes);
    // What was measured earlier says nothing of these weights.
    let earlier =
        of_a_run_and_of_measure(&settings.replace("measure.lyapunov = 0", "measure.lyapunov = \"off\""));
    assert!(!earlier.0.notes.iter().any(|n| n.contains("Lyapunov")), "{:?}", earlier.0.notes);
}

/// Through a file in the middle of the run: history, weights, optimiser, streams, measures and path.
#[test]
fn a_resumed_run_has_the_bits_of_an_unbroken_one() {
    for (changes, at) in [
        ("", 5),
        (
            "precision = \"f64\"\nrule = { kind = \"rflo\" }\noptimizer = { kind = \"sgd\", momentum = 0.9 }\n",
            6,
        ),
        ("rule = { kind = \"scaled-bptt\", rho = { of = \"mdgl\" } }\n", 1),
        ("flossing = { iterations = 6, during = { every = 3, iterations = 2 } }\n", 3),
        ("flossing = { iterations = 6 }\n", 10),
    ] {
        let config = config(&format!("{changes}{SETTINGS}"));
        let mut unbroken = Driver::start(&config, &TaskData::None).expect("a run");
        advance(&mut unbroken, 40).expect("an end");

        let mut first = Driver::start(&config, &TaskData::None).expect("a run");
        assert_eq!(advance(&mut first, at), None);
        first.stop(&Serial);
        let bytes = written(&snapshot(&first));
        let read = Snapshot::read_from(&mut Npz::new(Cursor::new(&bytes)).expect("npz")).expect("a snapshot");
        let checkpoint = read.checkpoint().expect("a run can go on");
        let path = read.resume.as_ref().expect("and its path").path.clone();
        let resumed = Driver::resume(&read.config, &TaskData::None, &checkpoint, read.history, path);
        let mut second = resumed.expect("it goes on");
        advance(&mut second, 40).expect("an end");

        assert_eq!(second.run().weights(), unbroken.run().weights(), "{changes}");
        assert_eq!(second.checkpoint(), unbroken.checkpoint(), "{changes}");
        assert_eq!(second.trajectory(), unbroken.trajectory(), "{changes}");
        assert_eq!(format!("{:?}", second.history()), format!("{:?}", unbroken.history()), "{changes}");
        let found = |d: &Driver| {
            format!("{:?}", {
                let (weights, block) = (d.run().weights(), config.measure.block);
                Found::of_findings(d.latest().values(), 12, (&weights, block))
            })
        };
        assert_eq!(found(&second), found(&unbroken), "{changes}");
    }
}

fn refused(bytes: &[u8]) -> String {
    let read = Npz::new(Cursor::new(bytes)).and_then(|mut f| Snapshot::read_from(&mut f));
    let error = read.expect_err("refused").to_string();
    assert!(!error.contains('\n') && error.len() < 400, "one line: {error}");
    error
}

/// The archive with one member replaced, or dropped.
fn with_member(bytes: &[u8], name: &str, new: Option<&[u8]>) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for i in 0..old.len() {
        let mut member = old.by_index(i).expect("a member");
        let own = member.name().expect("a name").into_owned();
        let mut content = Vec::new();
        member.read_to_end(&mut content).expect("read");
        let content = match (own == format!("{name}.npy"), new) {
            (true, None) => continue,
            (true, Some(new)) => new.to_vec(),
            (false, _) => content,
        };
        zip.start_file(own, zip::write::SimpleFileOptions::default()).expect("a member");
        zip.write_all(&content).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

fn floats(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
    bytes
}

fn json(text: &str) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({},), }}", text.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    bytes.extend(text.bytes());
    bytes
}

#[test]
fn what_does_not_fit_is_named_with_its_member() {
    let sound = written(&full());
    let nan = [&[f64::NAN][..], &[0.0; 63]].concat();
    for (member, new, parts) in [
        ("w_rec", None, ["`w_rec`", "is missing"]),
        ("meta_json", None, ["`meta_json`", "is missing"]),
        ("meta_json", Some(json("{")), ["`meta_json`", "EOF"]),
        ("meta_json", Some(json("{\"format\": 2, \"config\": {}}")), ["`format` 2", "expected 1"]),
        ("meta_json", Some(floats("(1,)", &[1.0])), ["`meta_json`", "u8"]),
        ("w_rec", Some(floats("(8, 8)", &nan)), ["`w_rec`", "value 0 is NaN"]),
        ("w_rec", Some(floats("(8, 7)", &[0.0; 56])), ["`w_rec`", "[8, 7]: expected [8, 8], [N, N]"]),
        ("w_rec", Some(floats("(7, 7)", &[0.0; 49])), ["`w_in`", "[8, 1]: expected [7, 1]"]),
        ("w_rec", Some(floats("(64,)", &[0.0; 64])), ["`w_rec`", "expected [N, N]"]),
        ("w_in", Some(floats("(8, 2)", &[0.0; 16])), ["initial_w_in", "expected [8, 2]"]),
        ("w_out", Some(floats("(3, 8)", &[0.0; 24])), ["w_out", "expected [3, 8]"]),
        ("probe_mask", Some(floats("(4, 56)", &[1.0; 224])), ["`probe_mask`", "expected [56, 4]"]),
        ("probe_mask", Some(floats("(56, 4)", &[-1.0; 224])), ["`probe_mask`", "at least 0"]),
        ("probe_mask", Some(floats("(56, 4)", &[0.0; 224])), ["`probe_mask`", "0 everywhere"]),
        ("probe_target", None, ["`probe_target`", "expected `probe_target` or `probe_label`"]),
        ("probe_target", Some(floats("(56, 4, 3)", &[0.0; 672])), ["`probe_target`", "expected [56, 4, 2]"]),
        ("slice_direction_1", Some(floats("(3,)", &[0.0; 3])), ["`slice_direction_1`", "64 (recurrent)"]),
        ("slice_loss", Some(floats("(3, 2)", &[0.0; 6])), ["`slice_loss`", "expected [2, 3]"]),
        ("hessian_eigenvectors", Some(floats("(3, 1)", &[0.0; 3])), ["`hessian_eigenvectors`", "expected 2"]),
        ("grad_exact_w_rec", Some(floats("(1,)", &[0.0])), ["`grad_exact_w_rec`", "expected [8, 8]"]),
        ("history_train_loss", Some(floats("(1,)", &[0.0])), ["`history_train_loss`", "expected [12]"]),
        ("history_train_loss_iteration", Some(floats("(2,)", &[1.5, 2.0])), ["_iteration`", "iterations"]),
        ("resume_json", Some(json("[]")), ["`resume_json`", "invalid"]),
        ("resume_path_weights", Some(floats("(1, 1)", &[0.0])), ["`resume_path_weights`", "[states, P]"]),
    ] {
        let error = refused(&with_member(&sound, member, new.as_deref()));
        for part in parts {
            assert!(error.contains(part), "{member}: `{error}` should contain `{part}`");
        }
    }
    for cut in [0, 10, 1000, sound.len() / 2, sound.len() - 1] {
        refused(&sound[..cut]);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let error = Snapshot::read(folder.path()).expect_err("a folder").to_string();
    assert!(error.ends_with("is a directory: expected a file"), "{error}");
    assert!(Snapshot::read(Path::new("no/such.npz")).expect_err("none").to_string().contains("no such file"));
}

/// Old state of an optimiser of another size is refused when the run starts, not later.
#[test]
fn a_checkpoint_that_does_not_fit_does_not_start() {
    let mut snapshot = full();
    let resume = snapshot.resume.as_mut().expect("a run");
    resume.optimizer.values_mut().for_each(|v| v.truncate(3));
    let checkpoint = snapshot.checkpoint().expect("a checkpoint");
    assert!(trainer::resume(&snapshot.config, &TaskData::None, &checkpoint).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A sound snapshot with some bytes changed: read or refused; what is read can be gone on from.
    #[test]
    fn altered_snapshots_are_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        thread_local! {
            static SOUND: Vec<u8> = written(&full());
        }
        let mut bytes = SOUND.with(Clone::clone);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        // Checksums would catch nearly all: without them the readers behind have to stand.
        let bytes = with_true_checksums(&bytes);
        if let Ok(snapshot) = Npz::new(Cursor::new(&bytes)).and_then(|mut f| Snapshot::read_from(&mut f))
            && let Some(checkpoint) = snapshot.checkpoint()
        {
            let path = snapshot.resume.map(|r| r.path).unwrap_or_default();
            let _ = Driver::resume(&snapshot.config, &TaskData::None, &checkpoint, snapshot.history, path);
        }
    }
}

/// The archive with the checksum of each member as its bytes now are.
fn with_true_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let u32_at =
        |b: &[u8], at: usize| b.get(at..at + 4).map_or(0, |v| u32::from_le_bytes([v[0], v[1], v[2], v[3]]));
    let u16_at = |b: &[u8], at: usize| b.get(at..at + 2).map_or(0, |v| u16::from_le_bytes([v[0], v[1]]));
    let mut at = 0;
    while at + 46 <= bytes.len() {
        if !bytes[at..].starts_with(b"PK\x01\x02") {
            at += 1;
            continue;
        }
        let (size, header) = (u32_at(&bytes, at + 20) as usize, u32_at(&bytes, at + 42) as usize);
        let start =
            header + 30 + usize::from(u16_at(&bytes, header + 26)) + usize::from(u16_at(&bytes, header + 28));
        if let Some(content) = bytes.get(start..start + size) {
            let mut crc = flate2::Crc::new();
            crc.update(content);
            let sum = crc.sum().to_le_bytes();
            bytes[at + 16..at + 20].copy_from_slice(&sum);
        }
        at += 46;
    }
    bytes
}
