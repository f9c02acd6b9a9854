//! What holds for every task: its settings and their errors, its random streams, its precisions, its buffers.

#[path = "common/allocations.rs"]
mod allocations;

use std::collections::BTreeSet;
use std::sync::Arc;

use basinscope::files::digits;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::scalar::Scalar;
use basinscope::numerics::tasks::{
    CuedMatch, Expected, File, Fixation, Pattern, Romo, SequentialMnist, Task, TaskData, TaskKind,
    TaskSettings, TestOn, TwoAlternative, build,
};
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};

/// The task with its default keys, and what else it needs.
fn settings(kind: TaskKind) -> TaskSettings {
    match kind {
        TaskKind::File => TaskSettings::File(File { path: "trials.npz".into() }),
        kind => kind.defaults(),
    }
}

fn data(kind: TaskKind) -> TaskData {
    match kind {
        TaskKind::SequentialMnist => digits::embedded().expect("embedded"),
        TaskKind::File => {
            let shape =
                TrialsShape { n_steps: 7, n_batch: 40, n_in: 3, n_out: 2, loss: LossKind::Regression };
            let mut trials = Trials::zeros(shape);
            Stream::new(9, Purpose::Task).fill_normal(&mut trials.x, 1.0);
            trials.mask.fill(1.0);
            TaskData::Trials { train: Arc::new(trials), test: None, outputs: 0 }
        }
        _ => TaskData::None,
    }
}

fn task<T: Scalar>(kind: TaskKind, seed: u64) -> Box<dyn Task<T>> {
    build(&settings(kind), 32, 48, seed, &data(kind)).expect("sound settings")
}

/// The `n`-th training batch, drawn into one buffer after the others.
fn nth_batch<T: Scalar>(task: &dyn Task<T>, stream: &mut Stream, n: usize) -> Trials<T> {
    let mut out = Trials::zeros(task.shape());
    (0..n).for_each(|_| task.draw_training(stream, &mut out));
    out
}

fn training() -> Stream {
    Stream::new(4, Purpose::Training)
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    for kind in TaskKind::ALL {
        let (a, b) = (task::<f32>(kind, 1), task::<f32>(kind, 1));
        assert_eq!(nth_batch(&*a, &mut training(), 3), nth_batch(&*b, &mut training(), 3), "{kind:?}");
        let test = |task: &dyn Task<f32>| task.test(&mut Stream::new(4, Purpose::Test));
        assert_eq!(test(&*a), test(&*b), "{kind:?}");
        let probe = |task: &dyn Task<f32>| task.probe(16, &mut Stream::new(4, Purpose::Probe));
        assert_eq!(probe(&*a), probe(&*b), "{kind:?}");
    }
}

/// A batch is a function of the stream's position alone, so a resumed run goes on with the same trials.
#[test]
fn a_batch_depends_on_the_position_of_its_stream_only() {
    for kind in TaskKind::ALL {
        let first = task::<f64>(kind, 1);
        let mut stream = training();
        nth_batch(&*first, &mut stream, 4);
        let stored = stream.clone();
        // Measures in between change nothing.
        first.test(&mut Stream::new(4, Purpose::Test));
        first.probe(5, &mut Stream::new(4, Purpose::Probe));
        let fifth = nth_batch(&*first, &mut stream, 1);
        assert_eq!(fifth, nth_batch(&*task::<f64>(kind, 1), &mut stored.clone(), 1), "{kind:?}");
        assert_eq!(fifth, nth_batch(&*first, &mut training(), 5), "{kind:?}: the buffer keeps nothing");
    }
}

#[test]
fn other_streams_give_other_trials() {
    for kind in TaskKind::ALL {
        let task = task::<f64>(kind, 1);
        let of = |purpose| nth_batch(&*task, &mut Stream::new(4, purpose), 1);
        if kind.full_batch() {
            assert_eq!(of(Purpose::Training), of(Purpose::Probe), "{kind:?} has one batch");
        } else {
            assert_ne!(of(Purpose::Training), of(Purpose::Probe), "{kind:?}");
            let next = nth_batch(&*task, &mut training(), 2);
            assert_ne!(of(Purpose::Training), next, "{kind:?}: a new batch in each iteration");
        }
        let test = |seed| task.test(&mut Stream::new(seed, Purpose::Test));
        let fixed = kind == TaskKind::File;
        assert_eq!(test(1) == test(2), fixed, "{kind:?}: test trials belong to their stream");
    }
}

#[test]
fn f32_trials_are_the_rounded_f64_trials() {
    for kind in TaskKind::ALL {
        let (single, double) = (task::<f32>(kind, 1), task::<f64>(kind, 1));
        let batch = nth_batch(&*double, &mut training(), 2);
        assert_eq!(nth_batch(&*single, &mut training(), 2), batch.cast::<f32>(), "{kind:?}");
        let stream = || Stream::new(4, Purpose::Test);
        assert_eq!(single.test(&mut stream()), double.test(&mut stream()).cast::<f32>(), "{kind:?}");
        assert_eq!(single.probe(9, &mut stream()), double.probe(9, &mut stream()).cast::<f32>(), "{kind:?}");
    }
}

#[test]
fn drawing_a_training_batch_allocates_nothing() {
    for kind in TaskKind::ALL {
        let task = task::<f32>(kind, 1);
        let mut stream = training();
        let mut out = nth_batch(&*task, &mut stream, 1);
        let ((), calls) =
            allocations::calls(|| (0..10).for_each(|_| task.draw_training(&mut stream, &mut out)));
        assert_eq!(calls, 0, "{kind:?}");
        let (_, calls) = allocations::calls(|| Trials::<f32>::zeros(task.shape()));
        assert!(calls > 0, "allocations are counted");
    }
}

#[test]
fn all_trials_have_the_tasks_channels_and_sizes_asked_for() {
    for kind in TaskKind::ALL {
        let task = task::<f64>(kind, 1);
        let shape = task.shape();
        assert!(kind.loss_kind().is_none_or(|loss| loss == shape.loss));
        let n_batch = match kind {
            TaskKind::CuedMatch => 4,
            TaskKind::Pattern => 1,
            _ => 32,
        };
        assert_eq!(shape.n_batch, n_batch, "{kind:?}");
        let probe = task.probe(12, &mut training());
        assert_eq!(probe.n_batch(), if kind.full_batch() { n_batch } else { 12 }, "{kind:?}");
        let test = task.test(&mut training());
        assert_eq!(test.n_batch(), if kind == TaskKind::File { 40 } else { 48 }, "{kind:?}");
        for trials in [probe, test, nth_batch(&*task, &mut training(), 1)] {
            assert_eq!(trials.n_in(), shape.n_in);
            assert!(trials.mask_sum() > 0.0);
            assert!(trials.x.iter().all(|x| x.is_finite()) && trials.x.iter().any(|x| *x != 0.0));
        }
    }
}

/// The table of keys is what configuration files may hold: neither more nor less, and with the defaults in
/// it.
#[test]
fn the_documented_keys_are_those_of_the_settings() {
    let path = || Some("digits.gz".to_owned());
    for kind in TaskKind::ALL {
        let all = match settings(kind) {
            TaskSettings::SequentialMnist(task) => TaskSettings::SequentialMnist(SequentialMnist {
                images: path(),
                labels: path(),
                test_images: path(),
                test_labels: path(),
                ..task
            }),
            other => other,
        };
        assert_eq!(all.check(), Ok(()));
        let written = toml::Table::try_from(&all).expect("settings are a table");
        assert_eq!(written["kind"].as_str(), Some(kind.name()));
        let written: BTreeSet<&str> =
            written.keys().map(String::as_str).filter(|key| *key != "kind").collect();
        assert_eq!(written, kind.keys().iter().map(|key| key.name).collect(), "{kind:?}");
        for key in kind.keys() {
            assert!(["[P1]", "[P2]", "[C]", "[own]"].contains(&key.source), "{key:?}");
        }
    }
}

#[test]
fn settings_are_read_with_their_defaults_and_written_back() {
    for kind in TaskKind::ALL {
        let read: TaskSettings =
            toml::from_str(&format!("kind = \"{}\"", kind.name())).expect("a kind is enough");
        assert_eq!((&read, read.kind()), (&kind.defaults(), kind));
        let again: TaskSettings = toml::from_str(&toml::to_string(&read).expect("written")).expect("read");
        assert_eq!(again, read);
        assert_eq!(TaskKind::from_name(kind.name()), Some(kind));
        assert!(
            toml::from_str::<TaskSettings>(&format!("kind = \"{}\"\ndelya_min = 1", kind.name())).is_err()
        );
        assert!(!kind.title().is_empty() && !kind.description().is_empty());
    }
    let set = "kind = \"two-alternative\"\ncoherences = [0, 51.2]\nfixation = \"first-step\"";
    let expected =
        TwoAlternative { coherences: vec![0.0, 51.2], fixation: Fixation::FirstStep, ..Default::default() };
    assert_eq!(toml::from_str::<TaskSettings>(set).expect("sound"), TaskSettings::TwoAlternative(expected));
    assert_eq!(TaskKind::from_name("roma"), None);
    // The file alone has no default that would do.
    let unset: Vec<TaskKind> = TaskKind::ALL.into_iter().filter(|k| k.defaults().check().is_err()).collect();
    assert_eq!(unset, [TaskKind::File]);
}

#[test]
fn a_value_out_of_its_range_is_named_with_what_was_expected() {
    let romo = |change: &dyn Fn(&mut Romo)| {
        let mut task = Romo::default();
        change(&mut task);
        TaskSettings::Romo(task)
    };
    let pattern = |task: Pattern| TaskSettings::Pattern(task);
    let mnist = |task: SequentialMnist| TaskSettings::SequentialMnist(task);
    let two = |coherences: Vec<f64>| {
        TaskSettings::TwoAlternative(TwoAlternative { coherences, ..TwoAlternative::default() })
    };
    let cases = [
        (romo(&|t| t.delay_min = -1.0), "task.delay_min is -1: expected a number from 0 to 500"),
        (romo(&|t| t.delay_min = 1e300), "task.delay_min is 1e300: expected a number from 0 to 500"),
        (romo(&|t| t.delay_max = f64::NAN), "task.delay_max is NaN: expected a number from 0 to 500"),
        (romo(&|t| t.delay_max = 1.0), "task.delay_max is 1: expected at least delay_min, 2"),
        (
            romo(&|t| t.amplitude_max = 0.5),
            "task.amplitude_max is 0.5: expected more than amplitude_min, 0.5",
        ),
        (
            romo(&|t| t.amplitude_difference = 0.95),
            "task.amplitude_difference is 0.95: expected at most 0.9, 90 % of the range of the amplitudes",
        ),
        (
            two(vec![]),
            "task.coherences is a list of 0: expected a list of 1 to 64 numbers, each from 0 to 100",
        ),
        (
            two(vec![6.4, 101.0]),
            "task.coherences is 101: expected a list of 1 to 64 numbers, each from 0 to 100",
        ),
        (
            TaskSettings::CuedMatch(CuedMatch { test_delay_max: 8, ..CuedMatch::default() }),
            "task.test_delay_max is 8: expected at least test_delay_min, 16",
        ),
        (
            pattern(Pattern { n_in: 0, ..Pattern::default() }),
            "task.n_in is 0: expected a whole number from 1 to 1000",
        ),
        (
            pattern(Pattern { test_noise_spread: 0.2, ..Pattern::default() }),
            "task.test_noise_spread is 0.2: expected at most test_noise, 0.15",
        ),
        (
            mnist(SequentialMnist { labels: Some("l.gz".into()), ..SequentialMnist::default() }),
            "task.images is not set: expected the path of a file, since labels is given",
        ),
        (
            mnist(SequentialMnist { test_on: TestOn::HeldOut, ..SequentialMnist::default() }),
            "task.held_out is 0: expected at least 1, since test_on is \"held-out\"",
        ),
        (
            TaskSettings::File(File::default()),
            "task.path is not set: expected the path of an npz file with the trials",
        ),
    ];
    for (settings, sentence) in cases {
        let error = settings.check().expect_err(sentence);
        assert_eq!(error.to_string(), sentence);
        assert_eq!(build::<f32>(&settings, 32, 32, 1, &data(settings.kind())).err(), Some(error));
    }
    let batch = build::<f32>(&settings(TaskKind::Romo), 0, 512, 1, &TaskData::None).err();
    assert_eq!(
        batch.expect("refused").to_string(),
        "task.batch is 0: expected a whole number from 1 to 1048576"
    );
    assert_eq!(Expected::Word(&["a", "b"]).to_string(), "\"a\" or \"b\"");
}

/// The limits of every numeric key are themselves allowed, and just beyond them is not.
#[test]
fn the_limits_of_each_key_hold() {
    for kind in TaskKind::ALL {
        for key in kind.keys() {
            let (low, high, beyond) = match key.expected {
                Expected::Number(low, high) => (low, high, (high - low) * 1e-3),
                Expected::Whole(low, high) => (low as f64, high as f64, 1.0),
                _ => continue,
            };
            let check = |value: f64| {
                let mut table = toml::Table::try_from(settings(kind)).expect("a table");
                let whole = matches!(key.expected, Expected::Whole(..));
                let value =
                    if whole { toml::Value::Integer(value as i64) } else { toml::Value::Float(value) };
                table.insert(key.name.to_owned(), value);
                table.try_into::<TaskSettings>().map(|settings| settings.check())
            };
            let range_is_named = |value: f64| match check(value) {
                Ok(Err(error)) => error.key == key.name && error.expected == key.expected.to_string(),
                // A whole number below zero is none at all.
                Err(_) => value < 0.0,
                Ok(Ok(())) => false,
            };
            assert!(range_is_named(high + beyond) && range_is_named(low - beyond), "{kind:?} {}", key.name);
            assert!(!range_is_named(low) && !range_is_named(high), "{kind:?} {}", key.name);
        }
    }
}
