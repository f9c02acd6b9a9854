//! The trainer: the same bits for any number of threads, for a second run, after a resume and whatever is
//! measured; weights that move; runs that end as they should.

use std::sync::Arc;

use basinscope::engine::pool::Processors;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Cadence, Config, RuleKind};
use basinscope::training::history::Series;
use basinscope::training::run::{Change, Run, StopReason};
use basinscope::training::trainer::{resume, start};

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("a sound configuration").config
}

/// A task of each kind of batch, small enough for a test, under a rule and seed.
fn small(task: &str, rule: &str, seed: u64) -> Config {
    let n_rec = if task == "cued-match" { 100 } else { 20 };
    config(&format!(
        "seed = {seed}\niterations = 30\n[task]\nkind = \"{task}\"\n[network]\nn_rec = {n_rec}\n[rule]\nkind = \"{rule}\"\n"
    ))
}

fn run(config: &Config, steps: usize, workers: &dyn basinscope::numerics::parallel::Workers) -> Box<dyn Run> {
    let mut run = start(config, &TaskData::None).expect("a run starts");
    for _ in 0..steps {
        run.step(workers);
    }
    run
}

const TASKS: [&str; 5] = ["romo", "two-alternative", "delayed-match", "cued-match", "pattern"];
const RULES: [&str; 7] = ["bptt", "e-prop", "rflo", "mdgl", "scaled-bptt", "truncated-bptt", "upscaled"];

#[test]
fn every_rule_moves_every_block_of_weights_on_every_task() {
    use basinscope::numerics::weights::Block;
    for task in TASKS {
        for rule in RULES {
            let run = run(&small(task, rule, 1), 3, &Serial);
            let checkpoint = run.checkpoint();
            for block in [Block::Recurrent, Block::Input, Block::Readout] {
                let (now, before) = (checkpoint.weights.block(block), checkpoint.initial.block(block));
                assert_ne!(now, before, "{rule} on {task}: {block:?} did not move");
                assert!(now.iter().all(|w| w.is_finite()), "{rule} on {task}");
            }
        }
    }
}

#[test]
fn one_and_two_threads_and_a_second_run_give_the_same_bits() {
    let two = Processors::new("test", 2);
    for (task, rule) in [("romo", "e-prop"), ("cued-match", "mdgl"), ("two-alternative", "scaled-bptt")] {
        let mut config = small(task, rule, 3);
        // More than one chunk of trials, the last of them smaller.
        config.task.batch = 70;
        let one = run(&config, 10, &Serial).checkpoint();
        assert_eq!(one, run(&config, 10, &two).checkpoint(), "{rule} on {task}");
        assert_eq!(one, run(&config, 10, &Serial).checkpoint(), "{rule} on {task}");
    }
}

#[test]
fn another_seed_gives_other_weights_and_other_trials() {
    let (one, two) = (run(&small("romo", "bptt", 1), 1, &Serial), run(&small("romo", "bptt", 2), 1, &Serial));
    let (one, two) = (one.checkpoint(), two.checkpoint());
    assert_ne!(one.initial, two.initial);
    assert_ne!(one.streams, two.streams);
}

#[test]
fn another_rule_sees_the_same_weights_and_trials() {
    let a = run(&small("romo", "bptt", 1), 12, &Serial).checkpoint();
    for rule in RULES {
        let b = run(&small("romo", rule, 1), 12, &Serial).checkpoint();
        assert_eq!(a.initial, b.initial, "{rule}");
        assert_eq!(a.streams, b.streams, "{rule}");
    }
}

#[test]
fn a_resumed_run_gives_the_bits_of_an_unbroken_one() {
    for rule in RULES {
        for optimizer in ["kind = \"adam\"", "kind = \"sgd\"\nmomentum = 0.9", "kind = \"sgd\""] {
            let text = format!(
                "iterations = 30\n[task]\nkind = \"romo\"\n[network]\nn_rec = 16\n[rule]\nkind = \"{rule}\"\n[optimizer]\n{optimizer}\nlearning_rate = 0.001\n[schedule]\nkind = \"cosine\"\nwarmup = 5\n"
            );
            let config = config(&text);
            let unbroken = run(&config, 20, &Serial).checkpoint();
            let half = run(&config, 9, &Serial).checkpoint();
            let mut second = resume(&config, &TaskData::None, &half).expect("it goes on");
            for _ in 9..20 {
                second.step(&Serial);
            }
            assert_eq!(unbroken, second.checkpoint(), "{rule}, {optimizer}");
        }
    }
}

#[test]
fn a_checkpoint_of_another_network_is_refused_in_one_sentence() {
    let checkpoint = run(&small("romo", "bptt", 1), 1, &Serial).checkpoint();
    let mut other = small("romo", "bptt", 1);
    other.network.n_rec = 21;
    let error = resume(&other, &TaskData::None, &checkpoint).err().expect("refused").to_string();
    assert!(error.contains("20") && error.contains("21"), "{error}");
}

#[test]
fn a_run_ends_when_its_iterations_are_made_and_goes_on_when_more_are_asked_for() {
    let config = small("romo", "e-prop", 1);
    let mut run = run(&config, 29, &Serial);
    assert_eq!(run.step(&Serial).stop, Some(StopReason::Done));
    assert_eq!(run.step(&Serial).iteration, 30);
    run.change(Change::Iterations(31));
    let step = run.step(&Serial);
    assert_eq!((step.iteration, step.stop), (31, Some(StopReason::Done)));
}

#[test]
fn a_run_that_diverges_ends_with_the_iteration_and_the_quantity() {
    let mut config = small("pattern", "bptt", 1);
    config.iterations = 5000;
    config.optimizer.learning_rate = 1e6;
    config.optimizer.clip_norm = 0.0;
    let mut run = start(&config, &TaskData::None).expect("a run starts");
    let reason = loop {
        if let Some(reason) = run.step(&Serial).stop {
            break reason;
        }
    };
    let StopReason::Diverged { iteration, quantity, value } = &reason else { panic!("{reason:?}") };
    assert!(*iteration > 0 && *iteration == run.iteration(), "{reason:?}");
    assert!(quantity.contains("loss") || quantity.contains("norm"), "{reason:?}");
    let value: f64 = value.parse().expect("a number");
    assert!(!value.is_finite() || value > config.stop.diverged_above, "{reason:?}");
    assert!(run.weights().flat().iter().all(|w| w.is_finite()), "the last good weights stay");
}

#[test]
fn a_run_stops_when_the_loss_asked_for_is_reached() {
    let mut config = small("romo", "bptt", 1);
    config.stop.loss_below = 1e3;
    let mut run = start(&config, &TaskData::None).expect("a run starts");
    let step = run.step(&Serial);
    assert_eq!((step.iteration, step.stop), (0, Some(StopReason::LossReached)));
}

/// BPTT scaled by a fixed rho under SGD is BPTT with another rate on w_rec and w_in, and no other.
#[test]
fn a_fixed_rho_scales_the_recurrent_and_input_update_and_not_the_readout() {
    use basinscope::numerics::weights::Block;
    let base = "precision = \"f64\"\n[task]\nkind = \"pattern\"\n[optimizer]\nclip_norm = 0.0\n[rule]\n";
    let plain = run(&config(&format!("{base}kind = \"bptt\"\n")), 1, &Serial).checkpoint();
    let scaled = format!("{base}kind = \"scaled-bptt\"\nrho = {{ value = 0.25 }}\n");
    let scaled = run(&config(&scaled), 1, &Serial).checkpoint();
    for (block, factor) in [(Block::Recurrent, 0.25), (Block::Input, 0.25), (Block::Readout, 1.0)] {
        let moved = |c: &basinscope::training::run::Checkpoint| -> Vec<f64> {
            let (now, before) = (c.weights.block(block), c.initial.block(block));
            now.iter().zip(before).map(|(a, b)| a - b).collect()
        };
        for (a, b) in moved(&plain).iter().zip(moved(&scaled)) {
            assert!((factor * a - b).abs() < 1e-14, "{block:?}: {a} {b}");
        }
    }
}

/// At w_rec = 0 every local rule is exact, so rho = 1 and BPTT scaled by it is BPTT.
#[test]
fn where_the_rule_is_exact_scaled_and_upscaled_equal_bptt() {
    let base = "precision = \"f64\"\n[task]\nkind = \"pattern\"\n[network]\ngain = 0.0\n[rule]\n";
    let moved = |kind: &str| {
        let text = format!("{base}kind = \"{kind}\"\nrho = {{ of = \"e-prop\" }}\n");
        run(&config(&text), 1, &Serial).checkpoint().weights
    };
    let exact = moved("bptt");
    for kind in ["scaled-bptt", "upscaled"] {
        let other = moved(kind);
        for (a, b) in exact.flat().iter().zip(other.flat()) {
            assert!((a - b).abs() < 1e-13, "{kind}: {a} {b}");
        }
    }
}

#[test]
fn the_first_loss_is_that_of_the_initial_weights_on_the_first_batch() {
    let config = small("pattern", "bptt", 1);
    let mut run = start(&config, &TaskData::None).expect("a run starts");
    let step = run.step(&Serial);
    let loss = step.rows.iter().find(|r| r.series == Series::TrainLoss).expect("a loss");
    assert_eq!(loss.iteration, 0);
    assert!(loss.value > 0.0);
    assert_eq!(config.rule.kind, RuleKind::Bptt);
}

fn flossed(extra: &str) -> Config {
    config(&format!(
        "iterations = 20\n[task]\nkind = \"romo\"\n[network]\nn_rec = 16\ngain = 0.3\n[flossing]\niterations = 15\nk = 3\n{extra}\n"
    ))
}

#[test]
fn flossing_comes_before_iteration_zero_and_moves_the_exponents_towards_zero() {
    let config = flossed("learning_rate = 0.01");
    let mut run = start(&config, &TaskData::None).expect("a run starts");
    let mut losses = Vec::new();
    assert_eq!(run.iteration(), -15);
    while run.iteration() < 0 {
        let step = run.step(&Serial);
        let row = step.rows.iter().find(|r| r.series == Series::FlossingLoss).expect("a flossing loss");
        assert_eq!(row.iteration, step.iteration - 1);
        losses.push(row.value);
    }
    assert_eq!(losses.len(), 15);
    assert!(losses[14] < 0.8 * losses[0], "{losses:?}");
    let checkpoint = run.checkpoint();
    assert_eq!(checkpoint.weights, checkpoint.initial, "iteration 0 is after flossing");
    let before = checkpoint.before_flossing.expect("the weights before flossing are kept");
    assert_ne!(before.w_rec(), checkpoint.initial.w_rec());
    assert_eq!(before.w_out(), checkpoint.initial.w_out(), "flossing leaves the readout alone");
}

#[test]
fn flossing_changes_no_training_trial_and_none_changes_nothing() {
    let with = run(&flossed(""), 25, &Serial).checkpoint();
    let mut none = flossed("");
    none.flossing.iterations = 0;
    let without = run(&none, 10, &Serial).checkpoint();
    assert_eq!((with.iteration, without.iteration), (10, 10));
    assert_eq!(with.streams[0], without.streams[0]);
    assert_ne!(with.weights, without.weights);
}

#[test]
fn a_run_resumed_while_flossing_or_flossed_during_training_gives_the_same_bits() {
    for (extra, cut) in [("", 7), ("during = { every = 4, iterations = 2 }", 21)] {
        let config = flossed(extra);
        let unbroken = run(&config, 30, &Serial).checkpoint();
        let part = run(&config, cut, &Serial).checkpoint();
        let mut second = resume(&config, &TaskData::None, &part).expect("it goes on");
        (cut..30).for_each(|_| drop(second.step(&Serial)));
        assert_eq!(unbroken, second.checkpoint(), "{extra}, cut at {cut}");
    }
}

/// The rows of one series, as a run writes them.
fn rows(config: &Config, wanted: Series) -> Vec<(i64, f64)> {
    let mut run = start(config, &TaskData::None).expect("a run starts");
    let mut found = Vec::new();
    loop {
        let step = run.step(&Serial);
        found.extend(step.rows.iter().filter(|r| r.series == wanted).map(|r| (r.iteration, r.value)));
        if step.stop.is_some() {
            return found;
        }
    }
}

/// Before training 15 iterations of it, during training rounds of 8: the leading exponent, which an update at
/// this rate hardly moves, comes nearer to 0 from round to round.
#[test]
fn flossing_during_training_acts_and_records_loss_and_exponent() {
    let mut config = flossed("learning_rate = 0.01\nduring = { every = 4, iterations = 8 }");
    config.flossing.iterations = 0;
    config.optimizer.learning_rate = 1e-6;
    config.measure.lyapunov = Cadence::Never;
    let (losses, exponents) = (rows(&config, Series::FlossingLoss), rows(&config, Series::LyapunovMax));
    let iterations = |rows: &[(i64, f64)]| rows.iter().map(|r| r.0).collect::<Vec<_>>();
    assert_eq!(iterations(&losses), [4, 8, 12, 16]);
    assert_eq!(iterations(&exponents), [4, 8, 12, 16]);
    assert!(exponents.windows(2).all(|w| w[1].1.abs() < w[0].1.abs()), "{exponents:?}");
    assert!(losses[3].1 < 0.5 * losses[0].1, "{losses:?}");

    let mut none = config.clone();
    none.flossing.during.every = 0;
    let weights = |config: &Config, updates| run(config, updates, &Serial).checkpoint().weights;
    assert_eq!(weights(&config, 4), weights(&none, 4), "no round comes before the fourth update");
    assert_ne!(weights(&config, 5), weights(&none, 5));
    assert_eq!(rows(&none, Series::FlossingLoss), []);

    // Where the measure is due, its exponent stands alone.
    config.measure.lyapunov = Cadence::Every(8);
    assert_eq!(iterations(&rows(&config, Series::LyapunovMax)), [4, 12]);
}

#[test]
fn flossing_that_is_not_finite_ends_a_run_as_diverged_wherever_it_comes() {
    for (before, during, at) in [(5, 0, -4), (0, 3, 3)] {
        let mut config = flossed("learning_rate = 0.01");
        config.flossing.iterations = before;
        (config.flossing.during.every, config.flossing.during.iterations) = (during, 2);
        config.flossing.learning_rate = 1e30;
        let mut run = start(&config, &TaskData::None).expect("a run starts");
        let reason = std::iter::from_fn(|| Some(run.step(&Serial))).find_map(|s| s.stop).expect("ends");
        let StopReason::Diverged { iteration, quantity, .. } = reason else { panic!("{reason:?}") };
        assert!(quantity.starts_with("flossing"), "{quantity}");
        assert_eq!(iteration, at);
    }
}

/// Where every trial of a flossing iteration falls silent its loss has no value, though no weight has diverged.
#[test]
fn flossing_of_a_silent_network_ends_a_run_before_training_and_is_left_out_during_it() {
    let mut config = config(
        "seed = 1\niterations = 5\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 5\n[flossing]\niterations = 30\nk = 4\n",
    );
    let mut run = start(&config, &TaskData::None).expect("a run starts");
    let reason = std::iter::from_fn(|| Some(run.step(&Serial))).find_map(|s| s.stop).expect("ends");
    let StopReason::Undefined { iteration, quantity, why } = reason else { panic!("{reason:?}") };
    assert_eq!(
        (iteration, quantity.as_str(), why.as_str()),
        (-30, "flossing loss", "all its trials are silent")
    );
    let checkpoint = run.checkpoint();
    assert_eq!(checkpoint.weights, checkpoint.initial);

    config.flossing.iterations = 0;
    (config.flossing.during.every, config.flossing.during.iterations) = (2, 3);
    let mut without = config.clone();
    without.flossing.during.every = 0;
    let ended = |config: &Config| {
        let mut run = start(config, &TaskData::None).expect("a run starts");
        let reason = std::iter::from_fn(|| Some(run.step(&Serial))).find_map(|s| s.stop);
        (reason, run.weights(), run.warnings().to_vec())
    };
    let (reason, weights, warnings) = ended(&config);
    assert_eq!((reason, &weights), (Some(StopReason::Done), &ended(&without).1));
    assert!(
        warnings.len() == 1 && warnings[0].contains("iteration 2: all its trials are silent"),
        "{warnings:?}"
    );
    assert_eq!(rows(&config, Series::FlossingLoss), []);
}

#[test]
fn a_skip_as_long_as_the_trials_of_a_file_is_refused_as_for_a_task_of_known_length() {
    let trials = |n_steps| {
        let shape = TrialsShape { n_steps, n_batch: 3, n_in: 2, n_out: 2, loss: LossKind::Regression };
        let mut trials = Trials::<f64>::zeros(shape);
        trials.mask.fill(1.0);
        TaskData::Trials { train: Arc::new(trials), test: None, outputs: 0 }
    };
    let config = config(
        "[task]\nkind = \"file\"\npath = \"trials.npz\"\n[network]\nn_rec = 4\n[measure]\nlyapunov_skip = 56\n",
    );
    let of_romo = resolve(parse("[measure]\nlyapunov_skip = 56\n").expect("TOML")).expect_err("refused");
    let error = start(&config, &trials(56)).err().expect("refused").to_string();
    assert_eq!(error, of_romo.to_string());
    assert_eq!(
        error,
        "`measure.lyapunov_skip` = 56: expected at most 55, one less than the 56 steps of a trial"
    );
    assert!(start(&config, &trials(57)).is_ok());
}

#[test]
fn weights_after_flossing_are_kept_apart_only_where_it_came_before_training() {
    for (before, during) in [(2, 0), (0, 2), (2, 2), (0, 0)] {
        let mut config = flossed("");
        config.flossing.iterations = before;
        (config.flossing.during.every, config.flossing.during.iterations) = (during, 1);
        let checkpoint = run(&config, 6, &Serial).checkpoint();
        assert_eq!(checkpoint.before_flossing.is_some(), before > 0, "{before}, {during}");
    }
}
