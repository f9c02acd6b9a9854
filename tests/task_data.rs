//! The trials of the tasks that have a fixed batch (`cued-match`, `pattern`) or take their trials from data
//! (`sequential-mnist`, `file`).

mod common;

use std::collections::BTreeMap;
use std::f64::consts::{LN_2, TAU};
use std::sync::Arc;

use basinscope::files::digits;
use basinscope::files::npz::NpzWriter;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::{
    CuedMatch, Digits, File, Pattern, SequentialMnist, Task, TaskData, TaskKind, TaskSettings, TestOn, build,
};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use common::trials::{assert_even, counts, decision, judged, labels, mean_and_sd, values};
use ndarray::{Array2, Array3, Axis, s};
use proptest::prelude::*;

fn test_stream() -> Stream {
    Stream::new(1, Purpose::Test)
}

#[test]
fn cued_match_trains_on_the_four_combinations() {
    let task: Box<dyn Task<f64>> =
        build(&TaskKind::CuedMatch.defaults(), 32, 256, 1, &TaskData::None).expect("sound");
    let mut batch = Trials::zeros(task.shape());
    task.draw_training(&mut Stream::new(1, Purpose::Training), &mut batch);
    assert_eq!(batch.x.dim(), (20, 4, 2));
    for (b, (first, second)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
        for t in 0..20 {
            let cue = match t {
                0 | 1 => Some(first),
                18 | 19 => Some(second),
                _ => None,
            };
            let on = |value| f64::from(u8::from(cue == Some(value)));
            assert_eq!((batch.x[[t, b, 0]], batch.x[[t, b, 1]]), (on(1), on(0)));
            assert_eq!(batch.mask[[t, b]], f64::from(u8::from(t == 19)));
        }
        assert_eq!(labels(&batch)[[19, b]], u32::from(first == second));
        assert_eq!(decision(&batch).correct[b], u32::from(first == second));
    }
    assert_eq!(task.probe(64, &mut Stream::new(1, Purpose::Probe)), batch, "the probe is the batch");
}

#[test]
fn cued_match_is_tested_at_delays_of_16_to_32() {
    let settings = TaskSettings::CuedMatch(CuedMatch::default());
    let task: Box<dyn Task<f64>> = build(&settings, 32, 6800, 1, &TaskData::None).expect("sound");
    let trials = task.test(&mut test_stream());
    assert_eq!(trials.x.dim(), (36, 6800, 2));
    let mut delays = Vec::new();
    for b in 0..6800 {
        let on: Vec<usize> = (0..36).filter(|t| trials.x.slice(s![*t, b, ..]).sum() == 1.0).collect();
        let [0, 1, second, after] = on[..] else { panic!("two cues of two steps: {on:?}") };
        assert_eq!(after, second + 1);
        let same = trials.x[[0, b, 0]] == trials.x[[second, b, 0]];
        let judged: Vec<usize> = (0..36).filter(|t| trials.mask[[*t, b]] != 0.0).collect();
        assert_eq!(judged, [after]);
        assert_eq!(labels(&trials)[[after, b]], u32::from(same));
        delays.push(second - 2);
    }
    let delays = counts(delays);
    assert_eq!((delays.keys().min(), delays.keys().max()), (Some(&16), Some(&32)));
    assert_even(&delays, 17);
    assert_eq!(counts(decision(&trials).correct.iter()).values().collect::<Vec<_>>(), [&3400, &3400]);
    assert!((judged(&trials, 2, |_, _, _| 0.0).0 - LN_2).abs() < 1e-12, "the chance loss");
}

fn pattern(settings: &Pattern, seed: u64) -> Box<dyn Task<f64>> {
    build(&TaskSettings::Pattern(settings.clone()), 32, 16, seed, &TaskData::None).expect("sound")
}

#[test]
fn pattern_is_one_input_and_four_sinusoids() {
    let task = pattern(&Pattern::default(), 1);
    let mut batch = Trials::zeros(task.shape());
    task.draw_training(&mut Stream::new(1, Purpose::Training), &mut batch);
    assert_eq!((batch.x.dim(), values(&batch).dim()), ((50, 1, 30), (50, 1, 1)));
    assert!(batch.mask.iter().all(|m| *m == 1.0) && batch.decision.is_none());
    // 1,500 numbers: standard errors 0.0026 and 0.0018.
    let (mean, sd) = mean_and_sd(batch.x.iter().copied());
    assert!(mean.abs() < 0.013 && (sd - 0.1).abs() < 0.01, "{mean} {sd}");
    let sum = |t: usize| [10.0, 40.0, 70.0, 100.0].map(|p| (TAU / p * t as f64).sin()).iter().sum::<f64>();
    let largest = (0..50).map(|t| sum(t).abs()).fold(0.0, f64::max);
    for t in 0..50 {
        assert!((values(&batch)[[t, 0, 0]] - 2.0 * sum(t) / largest).abs() < 1e-12);
    }
    assert_eq!(values(&batch).iter().map(|v| v.abs()).fold(0.0, f64::max), 2.0);
    assert_eq!(task.probe(64, &mut Stream::new(1, Purpose::Probe)), batch, "the probe is the batch");
    let other = pattern(&Pattern::default(), 2).probe(1, &mut Stream::new(1, Purpose::Probe));
    assert_ne!(other.x, batch.x, "the input belongs to the seed");
    // The loss of a silent readout is half the mean square of the target.
    let square = values(&batch).iter().map(|v| v * v).sum::<f64>() / 50.0;
    assert!((judged(&batch, 1, |_, _, _| 0.0).0 - square / 2.0).abs() < 1e-12);
}

#[test]
fn pattern_is_tested_on_sixteen_noisy_inputs() {
    let noise = |settings: &Pattern, seed: u64| {
        let task = pattern(settings, 1);
        let (clean, test) =
            (task.probe(1, &mut test_stream()), task.test(&mut Stream::new(seed, Purpose::Test)));
        assert_eq!(test.x.dim(), (50, 16, 30));
        (0..16).for_each(|b| {
            assert_eq!(values(&test).slice(s![.., b, ..]), values(&clean).slice(s![.., 0, ..]))
        });
        Array3::from_shape_fn((50, 16, 30), |(t, b, k)| test.x[[t, b, k]] - clean.x[[t, 0, k]])
    };
    // 24,000 numbers: standard errors 0.001 and 0.0007.
    let fixed = noise(&Pattern::default(), 1);
    let (mean, sd) = mean_and_sd(fixed.iter().copied());
    assert!(mean.abs() < 0.005 && (sd - 0.15).abs() < 0.0035, "{mean} {sd}");
    // With a range the same noise is scaled, by another factor for each seed, within the range.
    let ranged = Pattern { test_noise_spread: 0.15, ..Pattern::default() };
    let factor = &noise(&ranged, 1) / &fixed;
    let first = factor[[0, 0, 0]];
    // Differences of numbers near 0.3 carry 1e-16 of rounding, noise is above 1e-6 but for a few.
    assert!(factor.iter().zip(&fixed).all(|(f, n)| n.abs() < 1e-6 || (f - first).abs() < 1e-8));
    let sds: Vec<f64> = (1..9).map(|seed| mean_and_sd(noise(&ranged, seed)).1).collect();
    assert!(sds.iter().all(|sd| (0.0..0.31).contains(sd)), "{sds:?}");
    assert!(mean_and_sd(sds.iter().copied()).1 > 0.03, "sigma differs from run to run: {sds:?}");
}

fn mnist(settings: SequentialMnist, batch: usize, test_trials: usize) -> Box<dyn Task<f64>> {
    let data = digits::embedded().expect("embedded");
    build(&TaskSettings::SequentialMnist(settings), batch, test_trials, 1, &data).expect("sound")
}

/// Pictures of a batch as bytes, so that they can be compared and sorted.
fn pictures(trials: &Trials<f64>) -> Vec<Vec<u8>> {
    let picture = |b| trials.x.slice(s![.., b, ..]).iter().map(|x| (x * 255.0).round() as u8).collect();
    (0..trials.n_batch()).map(picture).collect()
}

#[test]
fn sequential_mnist_shows_pictures_row_by_row_without_replacement() {
    let TaskData::Digits { train, .. } = digits::embedded().expect("embedded") else { panic!("digits") };
    let task = mnist(SequentialMnist::default(), 256, 1000);
    let label_of: BTreeMap<&[u8], u8> = (0..6000).map(|i| (train.picture(i), train.labels()[i])).collect();
    assert_eq!(label_of.len(), 6000, "no picture occurs twice");
    let mut stream = Stream::new(1, Purpose::Training);
    let mut batch = Trials::zeros(task.shape());
    let mut drawn = Vec::new();
    for _ in 0..20 {
        task.draw_training(&mut stream, &mut batch);
        assert_eq!(batch.x.dim(), (28, 256, 28));
        let shown = pictures(&batch);
        for (b, picture) in shown.iter().enumerate() {
            let label = u32::from(label_of[&picture[..]]);
            assert_eq!((labels(&batch)[[27, b]], decision(&batch).correct[b]), (label, label));
        }
        assert!(batch.x.indexed_iter().all(|((t, b, k), x)| *x == f64::from(shown[b][28 * t + k]) / 255.0));
        assert_eq!(counts(&shown).len(), 256, "no picture twice in a batch");
        drawn.extend(shown);
    }
    let weight = Array2::from_shape_fn((28, 256), |(t, _)| f64::from(u8::from(t == 27)));
    assert_eq!((&batch.mask, &decision(&batch).weight), (&weight, &weight));
    // 20 batches of 256 of 6,000 reach 6000 (1 - (1 - 256/6000)^20) = 3492 pictures, give or take 25.
    let reached = counts(&drawn).len();
    assert!((reached as f64 - 3492.0).abs() < 125.0, "{reached}");
    assert_even(&counts(drawn.iter().map(|p| label_of[&p[..]])), 10);
}

#[test]
fn sequential_mnist_keeps_held_out_pictures_out_of_training() {
    let TaskData::Digits { train, .. } = digits::embedded().expect("embedded") else { panic!("digits") };
    let settings = SequentialMnist {
        held_out: 5900,
        test_on: TestOn::HeldOut,
        test_noise: 0.0,
        ..SequentialMnist::default()
    };
    let task = mnist(settings, 256, 50);
    assert_eq!(task.shape().n_batch, 100, "no more than there are");
    let first: Vec<Vec<u8>> = (0..100).map(|i| train.picture(i).to_vec()).collect();
    let mut batch = Trials::zeros(task.shape());
    task.draw_training(&mut Stream::new(1, Purpose::Training), &mut batch);
    assert_eq!(pictures(&batch), first);
    let probe = pictures(&task.probe(10, &mut Stream::new(1, Purpose::Probe)));
    assert!(probe.len() == 10 && probe.iter().all(|p| first.contains(p)));
    let held_out: Vec<Vec<u8>> = (100..150).map(|i| train.picture(i).to_vec()).collect();
    assert_eq!(pictures(&task.test(&mut test_stream())), held_out);
}

#[test]
fn sequential_mnist_is_tested_with_noise_cut_to_the_greys() {
    let TaskData::Digits { test, .. } = digits::embedded().expect("embedded") else { panic!("digits") };
    let trials = mnist(SequentialMnist::default(), 256, 10_000).test(&mut test_stream());
    assert_eq!(trials.x.dim(), (28, 1000, 28), "no more than there are");
    assert!(trials.x.iter().all(|x| (0.0..=1.0).contains(x)));
    let (chance, accuracy) = judged(&trials, 10, |_, _, _| 0.0);
    assert!((chance - 10f64.ln()).abs() < 1e-12);
    assert!((accuracy.expect("judged") - 0.1).abs() < 1e-12, "100 of the 1,000 are zeros");
    let (mut low, mut middle) = (Vec::new(), Vec::new());
    for b in 0..1000 {
        assert_eq!(labels(&trials)[[27, b]], u32::from(test.labels()[b]));
        for (x, pixel) in trials.x.slice(s![.., b, ..]).iter().zip(test.picture(b)) {
            match pixel {
                0 => low.push(*x),
                // Two and a half standard deviations away from either end.
                126..=129 => middle.push(x - f64::from(*pixel) / 255.0),
                _ => {}
            }
        }
    }
    // Background: the positive half of N(0, 0.2^2), mean 0.2 / sqrt(2 pi), half of it zero. 600,000 numbers.
    let (mean, _) = mean_and_sd(low.iter().copied());
    assert!((mean - 0.2 / TAU.sqrt()).abs() < 1e-3, "{mean}");
    let zeros = low.iter().filter(|x| **x == 0.0).count() as f64 / low.len() as f64;
    assert!((zeros - 0.5).abs() < 0.004, "{zeros}");
    // Some 2,000 numbers: standard error 0.003; cutting at 2.5 sd takes 0.003 away.
    let (mean, sd) = mean_and_sd(middle.iter().copied());
    assert!(middle.len() > 1000 && mean.abs() < 0.03 && (sd - 0.197).abs() < 0.02, "{mean} {sd}");
}

#[test]
fn digits_that_do_not_fit_are_refused() {
    let digits = |n: u8, rows: usize| {
        let labels: Vec<u8> = (0..n).collect();
        Arc::new(Digits::new(rows, 2, vec![0; usize::from(n) * rows * 2], labels).expect("sound"))
    };
    assert!(Digits::new(2, 2, vec![0; 8], vec![1, 10]).is_none(), "a label of 10");
    assert!(Digits::new(2, 2, vec![0; 7], vec![1, 2]).is_none(), "a pixel is missing");
    let error = |settings: SequentialMnist, data: &TaskData| {
        let settings = TaskSettings::SequentialMnist(settings);
        build::<f32>(&settings, 4, 4, 1, data).err().expect("refused").to_string()
    };
    let data = TaskData::Digits { train: digits(5, 2), test: digits(3, 3) };
    assert_eq!(
        error(SequentialMnist::default(), &data),
        "task.test_images is a file of 3 x 2: expected pictures of 2 x 2, as in images"
    );
    let data = TaskData::Digits { train: digits(5, 2), test: digits(3, 2) };
    let held_out = SequentialMnist { held_out: 5, ..SequentialMnist::default() };
    assert_eq!(error(held_out, &data), "task.held_out is 5: expected less than the 5 training pictures");
    assert!(error(SequentialMnist::default(), &TaskData::None).contains("digits"));
}

/// Trials whose every number tells its place.
fn own_trials(n_steps: usize, n_batch: usize, loss: LossKind) -> Trials<f64> {
    let mut trials = Trials::zeros(TrialsShape { n_steps, n_batch, n_in: 2, n_out: 3, loss });
    trials.x.indexed_iter_mut().for_each(|((t, b, k), x)| *x = (100 * b + 10 * t + k) as f64);
    trials.mask.indexed_iter_mut().for_each(|((t, b), m)| *m = 1.0 + (10 * b + t) as f64);
    match &mut trials.target {
        Target::Values(v) => {
            v.indexed_iter_mut().for_each(|((t, b, k), v)| *v = -((100 * b + 10 * t + k) as f64))
        }
        Target::Labels(l) => l.indexed_iter_mut().for_each(|((t, b), l)| *l = ((b + t) % 3) as u32),
    }
    trials
}

fn own(batch: usize, train: &Trials<f64>, test: Option<&Trials<f64>>) -> Result<Box<dyn Task<f64>>, String> {
    let settings = TaskSettings::File(File { path: "trials.npz".into() });
    let data = TaskData::Trials {
        train: Arc::new(train.clone()),
        test: test.map(|test| Arc::new(test.clone())),
        outputs: 0,
    };
    build(&settings, batch, 512, 1, &data).map_err(|e| e.to_string())
}

/// The trials of `whole` whose numbers `part` has, each once, in the places where they stand.
fn places(part: &Trials<f64>, whole: &Trials<f64>) -> Vec<usize> {
    let places: Vec<usize> = (0..part.n_batch()).map(|b| part.x[[0, b, 0]] as usize / 100).collect();
    let chosen = Trials {
        x: whole.x.select(Axis(1), &places),
        mask: whole.mask.select(Axis(1), &places),
        target: match &whole.target {
            Target::Values(v) => Target::Values(v.select(Axis(1), &places)),
            Target::Labels(l) => Target::Labels(l.select(Axis(1), &places)),
        },
        decision: None,
    };
    assert_eq!(part, &chosen);
    assert_eq!(counts(&places).len(), places.len(), "no trial twice in a batch");
    places
}

#[test]
fn file_draws_batches_of_the_users_trials() {
    for loss in [LossKind::Regression, LossKind::Classification] {
        let (train, test) = (own_trials(4, 10, loss), own_trials(6, 5, loss));
        let task = own(3, &train, Some(&test)).expect("sound");
        assert_eq!(task.shape(), TrialsShape { n_steps: 4, n_batch: 3, n_in: 2, n_out: 3, loss });
        let mut stream = Stream::new(1, Purpose::Training);
        let mut batch = Trials::zeros(task.shape());
        let mut drawn = Vec::new();
        for _ in 0..500 {
            task.draw_training(&mut stream, &mut batch);
            drawn.extend(places(&batch, &train));
        }
        assert_even(&counts(drawn), 10);
        assert_eq!(task.test(&mut test_stream()), test);
        assert_eq!(places(&task.probe(4, &mut Stream::new(1, Purpose::Probe)), &train).len(), 4);
        // As many as there are, or more: all of them in their order.
        for batch in [10, 64] {
            let task = own(batch, &train, None).expect("sound");
            let mut whole = Trials::zeros(task.shape());
            task.draw_training(&mut stream, &mut whole);
            assert_eq!(whole, train);
            assert_eq!(task.test(&mut test_stream()), train, "without test trials, the training trials");
        }
    }
}

#[test]
fn file_refuses_trials_that_do_not_fit() {
    let (regression, classification) = (LossKind::Regression, LossKind::Classification);
    let sound = own_trials(4, 5, regression);
    let labelled = own_trials(4, 5, classification);
    let with = |change: &dyn Fn(&mut Trials<f64>)| {
        let mut trials = sound.clone();
        change(&mut trials);
        trials
    };
    let mut too_large = labelled.clone();
    too_large.target = Target::Labels(Array2::from_elem((4, 5), 10_000));
    let cases = [
        (with(&|t| t.mask[[1, 2]] = -0.5), None, "mask not below 0, but it holds -0.5"),
        (with(&|t| t.mask.fill(0.0)), None, "mask with a positive sum, but it is 0"),
        (
            with(&|t| t.mask.column_mut(3).fill(0.0)),
            None,
            "mask with a step that counts in every trial, but trial 3 has none",
        ),
        (
            with(&|t| t.mask = Array2::ones((5, 4))),
            None,
            "mask of 4 steps and 5 trials, as x, but it has [5, 4]",
        ),
        (with(&|t| t.x[[1, 2, 0]] = f64::NAN), None, "x of finite numbers, but it holds NaN"),
        (with(&|t| t.x[[1, 2, 0]] = 1e300), None, "x of finite numbers, but it holds 1e300"),
        (with(&|t| t.x = Array3::zeros((4, 0, 2))), None, "x of at least one step, trial and channel"),
        (
            with(&|t| t.target = Target::Values(Array3::zeros((4, 6, 3)))),
            None,
            "target of 4 steps and 5 trials",
        ),
        (
            with(&|t| t.target = Target::Values(Array3::zeros((4, 5, 0)))),
            None,
            "target with at least one output",
        ),
        (too_large, None, "label below 10000, but it holds 10000"),
        (sound.clone(), Some(&labelled), "test_target beside target, but it has test_label"),
        (labelled.clone(), Some(&sound), "test_label beside label, but it has test_target"),
    ];
    for (train, test, expected) in cases {
        let error = own(3, &train, test).err().expect("refused");
        assert!(error.starts_with(&format!("task.path is trials.npz: expected {expected}")), "{error}");
    }
    let silent = with(&|t| t.mask.column_mut(0).fill(0.0));
    let error = own(3, &sound, Some(&silent)).err().expect("refused");
    assert!(
        error.ends_with("expected test_mask with a step that counts in every trial, but trial 0 has none")
    );
    let narrow = with(&|t| t.x = Array3::zeros((4, 5, 1)));
    let error = own(3, &sound, Some(&narrow)).err().expect("refused");
    assert!(error.ends_with("expected test_x with the 2 channels of x, but it has 1"), "{error}");
    let wide = with(&|t| t.target = Target::Values(Array3::zeros((4, 5, 4))));
    let error = own(3, &sound, Some(&wide)).err().expect("refused");
    assert!(error.ends_with("expected test_target with the 3 outputs of target, but it has 4"), "{error}");
    // The largest label of both parts gives the number of outputs.
    let mut more = labelled.clone();
    more.target = Target::Labels(Array2::from_elem((4, 5), 6));
    assert_eq!(own(3, &labelled, Some(&more)).expect("sound").shape().n_out, 7);
}

/// One member of a file of trials: sound, left out, of another shape, or with another value.
fn members() -> impl Strategy<Value = (usize, usize, f64)> {
    let value = prop::sample::select(vec![f64::NAN, f64::INFINITY, -1.0, 0.0, 0.5, 1e300, 9_999.0, 10_000.0]);
    (0usize..8, 0usize..4, value)
}

proptest! {
    /// Whatever the members are, they are trials that a task is made of, or one sentence that names the member.
    #[test]
    fn any_members_are_answered(given in prop::collection::vec(members(), 8), labelled in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trials.npz");
        let mut npz = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
        for (i, prefix) in ["", "test_"].into_iter().enumerate() {
            for (k, (name, shape)) in
                [("x", vec![3, 4, 2]), ("mask", vec![3, 4]), ("target", vec![3, 4, 1]), ("label", vec![3, 4])]
                    .into_iter()
                    .enumerate()
            {
                let (fault, at, value) = given[4 * i + k];
                // Mostly either targets or labels.
                if fault == 0 || (fault > 1 && (name == "label") != labelled && name != "x" && name != "mask") {
                    continue;
                }
                let mut shape = shape;
                if fault == 2 {
                    let at = at % shape.len();
                    shape[at] = [0, 1, 5, 7][at];
                }
                let n: usize = shape.iter().product();
                let mut values: Vec<f64> = (0..n).map(|v| (v % 2) as f64).collect();
                if fault == 3 && n > 0 {
                    values[at % n] = value;
                }
                npz.floats(&format!("{prefix}{name}"), &shape, &values).expect("written");
            }
        }
        npz.finish().expect("written");
        match basinscope::files::trials::load(&path) {
            Ok(data) => {
                let settings = TaskSettings::File(File { path: path.display().to_string() });
                if let Err(error) = build::<f64>(&settings, 3, 5, 1, &data) {
                    prop_assert!(!error.to_string().contains('\n'), "{}", error);
                }
            }
            Err(error) => {
                let error = error.to_string();
                prop_assert!(!error.contains('\n') && error.contains('`') && error.len() < 500, "{}", error);
            }
        }
    }
}
