//! Tests of the stability lines of a run: every reason from settings and history to words.

use std::collections::BTreeSet;

use super::*;
use crate::numerics::curvature::stability::{Reason, Standing};
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use crate::training::config::resolve::{parse, resolve};
use crate::training::history::Row;
use crate::training::trainer;

/// The tag of every reason there is.
const EVERY: [&str; 17] = [
    "Adam",
    "no rate",
    "rho unknown",
    "rho not positive",
    "L2 above any rate",
    "mini-batch",
    "several trials",
    "several outputs",
    "several steps",
    "cross-entropy",
    "rate moves",
    "clipped",
    "L2",
    "momentum",
    "residual error",
    "error may align",
    "lower bound",
];

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("sound settings").config
}

/// A run with lambda_max at iterations 0 and 100, and more.
fn lines(settings: &str, lambda_max: f64, more: &[(i64, Series, f64)]) -> Lines {
    let mut curves = Curves::default();
    let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
    more.iter().for_each(|(iteration, series, value)| push(*iteration, *series, *value));
    [0, 100].into_iter().for_each(|i| push(i, Series::LambdaMax, lambda_max));
    let config = config(settings);
    let mut lines = Lines::default();
    lines.update(&curves, &config, Some(&task(&config, &TaskData::None)), &[]);
    lines
}

fn task(config: &Config, data: &TaskData) -> TaskFacts {
    trainer::start(config, data).expect("a run").task()
}

/// Ten measures of rho near 1 under BPTT, then a change to e-prop, then one of its own.
#[test]
fn rho_of_the_rule_before_a_change_is_not_that_of_the_rule_after() {
    let config = config(E_PROP);
    let task = task(&config, &TaskData::None);
    let mut curves = Curves::default();
    let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
    (0..=10).for_each(|i| push(10 * i, Series::Rho, 1.0));
    push(100, Series::LambdaMax, 5.0);
    let line = |curves: &Curves| {
        let mut lines = Lines::default();
        lines.update(curves, &config, Some(&task), &[100]);
        lines.own_now.expect("a line of the rule")
    };
    assert!(line(&curves).reasons.iter().all(|r| r.tag() != "rho unknown"), "at the change itself");
    let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
    push(105, Series::LambdaMax, 5.0);
    let after = line(&curves);
    assert_eq!(after.value, None);
    assert!(after.reasons.iter().any(|r| r.tag() == "rho unknown"), "{:?}", after.reasons);
    let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
    push(110, Series::Rho, 0.25);
    push(120, Series::LambdaMax, 5.0);
    let rate = config.optimizer.learning_rate;
    let value = line(&curves).value.expect("a line");
    assert!((value - 2.0 / (rate * 0.25)).abs() < 1e-9 * value, "{value}");
}

const PATTERN: &str = "task.kind = \"pattern\"\nrule.kind = \"bptt\"\n";
const E_PROP: &str = "task.kind = \"pattern\"\nrule.kind = \"e-prop\"\n";

/// SCIENCE's list, from the settings and the history of a run to the words: which run gives which reason, on the
/// line of its own rule (or 2/eta where that is its own), and nothing is left out.
#[test]
fn every_reason_comes_from_some_run_and_is_said_of_its_line() {
    let at_its_end = [(0, Series::TrainLoss, 1.0), (100, Series::TrainLoss, 1e-4)];
    let rho = |value: f64| [&at_its_end[..], &[(0, Series::Rho, value), (100, Series::Rho, value)]].concat();
    let plain = "task.kind = \"romo\"\nrule.kind = \"bptt\"\noptimizer.kind = \"sgd\"\n";
    let with = |text: &str, more: &str| format!("{text}{more}");
    let runs: Vec<(String, Vec<(i64, Series, f64)>, Vec<&str>)> = vec![
        (
            with("", "task.kind = \"romo\"\nrule.kind = \"bptt\"\noptimizer.kind = \"adam\""),
            vec![],
            vec!["Adam"],
        ),
        (with(PATTERN, ""), vec![(100, Series::LearningRate, 0.0)], vec!["no rate"]),
        (with(E_PROP, ""), vec![], vec!["rho unknown"]),
        (with(E_PROP, ""), rho(-0.1), vec!["rho not positive"]),
        (with(PATTERN, "optimizer.l2 = 30.0"), vec![], vec!["L2 above any rate"]),
        (with(plain, ""), at_its_end.to_vec(), vec!["mini-batch", "several outputs", "several steps"]),
        (
            "task.kind = \"cued-match\"\nrule.kind = \"bptt\"".into(),
            at_its_end.to_vec(),
            vec!["several trials", "several outputs", "cross-entropy"],
        ),
        (with(PATTERN, "schedule.kind = \"cosine\""), at_its_end.to_vec(), vec!["rate moves"]),
        (with(PATTERN, "schedule.warmup = 10"), at_its_end.to_vec(), vec!["rate moves"]),
        (
            with(PATTERN, "optimizer.clip_norm = 1.0"),
            [&at_its_end[..], &[(100, Series::GradientNorm, 4.0)]].concat(),
            vec!["clipped"],
        ),
        (with(PATTERN, "optimizer.l2 = 0.01"), at_its_end.to_vec(), vec!["L2"]),
        (with(PATTERN, "optimizer.momentum = 0.5"), at_its_end.to_vec(), vec!["momentum"]),
        (
            with(PATTERN, ""),
            vec![(0, Series::TrainLoss, 1.0), (100, Series::TrainLoss, 0.3)],
            vec!["residual error"],
        ),
        (with(E_PROP, "measure.block = \"all\""), rho(0.5), vec!["error may align"]),
        (with(PATTERN, "measure.block = \"recurrent\""), at_its_end.to_vec(), vec!["lower bound"]),
    ];
    let mut seen = BTreeSet::new();
    for (settings, history, expected) in runs {
        let lines = lines(&settings, 3.0, &history);
        let line = lines.own_now.or(lines.exact_now).expect("a line or why there is none");
        let names: Vec<&str> = line.reasons.iter().map(Reason::tag).collect();
        for reason in expected {
            assert!(names.contains(&reason), "{settings}: {reason} is missing in {names:?}");
        }
        seen.extend(names);
    }
    assert_eq!(seen, EVERY.into_iter().collect());
}

#[test]
fn lines_move_with_the_rate_and_with_the_median_of_rho() {
    let history = [
        (0, Series::LearningRate, 0.2),
        (100, Series::LearningRate, 0.1),
        (0, Series::Rho, 0.5),
        (100, Series::Rho, 0.25),
    ];
    let lines = lines(E_PROP, 3.0, &history);
    let values = |curve: &Curve| -> Vec<f64> { curve.values().0.iter().map(|p| p.value).collect() };
    assert_eq!(values(&lines.exact), [10.0, 20.0]);
    // Medians 0.5 and 0.375.
    let own = values(&lines.own);
    assert!((own[0] - 20.0).abs() < 1e-12 && (own[1] - 20.0 / 0.375).abs() < 1e-12, "{own:?}");
    assert_eq!(lines.own_now.expect("a line").formula, "2/(eta rho)");
}

/// 2/eta is 10 here.
#[test]
fn a_rate_that_does_not_bind_is_said_so_and_one_that_does_is_not() {
    let note = lines(PATTERN, 0.5, &[]).not_binding.expect("far below");
    assert!(note.contains("5.0 %") && note.contains("does not bind"), "{note}");
    assert_eq!(lines(PATTERN, 9.5, &[]).not_binding, None);
    // Adam has no line that could bind.
    let adam = "task.kind = \"romo\"\noptimizer.kind = \"adam\"";
    assert_eq!(lines(adam, 0.5, &[]).not_binding, None);
}

/// Every approximate rule has a line of its own, BPTT none but 2/eta.
#[test]
fn only_the_exact_rule_has_one_line() {
    for rule in ["e-prop", "rflo", "mdgl", "truncated-bptt", "scaled-bptt", "upscaled"] {
        let settings = format!("task.kind = \"pattern\"\nrule.kind = \"{rule}\"");
        let lines = lines(&settings, 3.0, &[(0, Series::Rho, 0.5)]);
        assert!(lines.own_now.is_some() && lines.exact_now.is_some(), "{rule}");
        assert_eq!((lines.own.len(), lines.exact.len()), (2, 2), "{rule}");
    }
    let lines = lines(PATTERN, 3.0, &[(0, Series::Rho, 0.5)]);
    assert!(lines.own_now.is_none() && lines.own.is_empty());
}

#[test]
fn doubtful_values_are_marked_where_they_were_measured() {
    let history = [
        (0, Series::LambdaMin, -1.0),
        (100, Series::LambdaMin, -1.0),
        (0, Series::LambdaMaxResidual, 1e-5),
        (100, Series::LambdaMaxResidual, 0.02),
    ];
    assert_eq!(lines(PATTERN, 3.0, &history).doubtful, [100]);
    // Beside a lambda_min of -1e6 no product can tell a lambda_max of 3 better.
    let beside = [(0, Series::LambdaMin, -1e6), (100, Series::LambdaMin, -1e6)];
    assert_eq!(lines(PATTERN, 3.0, &[&history[2..], &beside].concat()).doubtful, [0i64; 0]);
}

/// By hand: romo leaves out the 10 steps between the second stimulus and the answer (6 + 2 + 8 + 2 + 20 of 48
/// count here), the choices of neurogym count every step, one each before and after the stimulus.
#[test]
fn the_facts_of_a_task_follow_its_keys() {
    let (regression, classification) = (LossKind::Regression, LossKind::Classification);
    for (settings, loss_kind, n_out, scored_steps, trials, full_batch) in [
        ("kind = \"pattern\"\nn_steps = 17", regression, 1, 17, 1, true),
        ("kind = \"cued-match\"", classification, 2, 1, 4, true),
        ("kind = \"romo\"\nbatch = 7\ndelay_min = 4.0\ndelay_max = 4.0", regression, 2, 38, 7, false),
        ("kind = \"two-alternative\"\nbatch = 5\nstimulus = 30", classification, 3, 32, 5, false),
        ("kind = \"delayed-match\"\nbatch = 1\ndelay = 20", classification, 3, 3 + 5 + 20 + 5 + 9, 1, false),
    ] {
        let config = config(&format!("[task]\n{settings}"));
        let expected = TaskFacts { loss_kind, n_out, scored_steps, trials, full_batch };
        assert_eq!(task(&config, &TaskData::None), expected, "{settings}");
    }
}

/// Trials of a file, of which the last step counts, in the theorem's own setting where there is one of them and
/// the batch is as large as the file.
#[test]
fn a_file_in_the_theorem_s_setting_has_a_line_that_holds() {
    let reasons = |n_batch: usize, n_out: usize, scored: usize, batch: usize| {
        let shape = TrialsShape { n_steps: 5, n_batch, n_in: 2, n_out, loss: LossKind::Regression };
        let mut trials = Trials::<f64>::zeros(shape);
        trials.x.fill(0.5);
        trials.mask.slice_mut(ndarray::s![5 - scored.., ..]).fill(1.0);
        if let Target::Values(values) = &mut trials.target {
            values.fill(1.0);
        }
        let data = TaskData::Trials { train: trials.into(), test: None, outputs: 0 };
        let text = format!(
            "task = {{ kind = \"file\", path = \"any.npz\", batch = {batch} }}
rule.kind = \"bptt\"
measure.block = \"all\"
optimizer = {{ kind = \"sgd\", learning_rate = 0.1, momentum = 0.0, l2 = 0.0, clip_norm = 0.0 }}
schedule.kind = \"constant\""
        );
        let config = config(&text);
        let mut curves = Curves::default();
        for (iteration, loss) in [(0, 1.0), (100, 1e-4)] {
            curves.push(Row { iteration, series: Series::TrainLoss, value: loss });
            curves.push(Row { iteration, series: Series::LambdaMax, value: 19.0 });
        }
        let mut lines = Lines::default();
        lines.update(&curves, &config, None, &[]);
        assert!(lines.exact.is_empty(), "nothing is known of the task before it is built");
        lines.update(&curves, &config, Some(&task(&config, &data)), &[]);
        let line = lines.exact_now.expect("a line");
        assert_eq!(line.standing == Standing::Holds, line.reasons.is_empty());
        line.reasons.iter().map(Reason::tag).collect::<Vec<_>>()
    };
    assert_eq!(reasons(1, 1, 1, 32), [""; 0]);
    assert_eq!(reasons(3, 1, 1, 3), ["several trials"]);
    assert_eq!(reasons(3, 1, 1, 2), ["mini-batch"]);
    assert_eq!(reasons(1, 2, 4, 1), ["several outputs", "several steps"]);
}

#[test]
fn the_lines_of_now_move_with_a_rate_that_changed_since_the_last_measure() {
    let config = config(PATTERN);
    let task = task(&config, &TaskData::None);
    let mut curves = Curves::default();
    let mut push = |iteration, series, value| curves.push(Row { iteration, series, value });
    push(0, Series::LearningRate, 0.1);
    push(0, Series::LambdaMax, 1.0);
    let mut lines = Lines::default();
    lines.update(&curves, &config, Some(&task), &[]);
    assert_eq!(lines.exact_now.as_ref().and_then(|line| line.value), Some(20.0));
    assert!(lines.not_binding.is_some(), "lambda_max is a twentieth of the line");
    curves.push(Row { iteration: 1, series: Series::LearningRate, value: 1.0 });
    lines.update(&curves, &config, Some(&task), &[1]);
    assert_eq!(lines.exact_now.as_ref().and_then(|line| line.value), Some(2.0));
    assert_eq!(lines.not_binding, None, "at half of its line it binds");
    assert_eq!(lines.exact.len(), 1, "the line that was is as it was");
}
