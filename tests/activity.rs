//! What the activity panel shows beside the output: the target of the trial, and its right choice.

use basinscope::files::digits;
use basinscope::numerics::tasks::{TaskData, TaskKind};
use basinscope::numerics::trials::{Target, Trials};
use basinscope::training::config::Config;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::run::TrialActivity;
use basinscope::training::trainer;

fn config(kind: TaskKind) -> Config {
    let text = format!("task.kind = \"{}\"\nprecision = \"f64\"\nmeasure.probe_trials = 6", kind.name());
    resolve(parse(&text).expect("TOML")).expect("sound settings").config
}

/// The choice of the largest output, summed over the steps with a weight.
fn choice(trials: &Trials<f64>, trial: usize, output: impl Fn(usize, usize) -> f64) -> Option<u32> {
    let decision = trials.decision.as_ref()?;
    let n_out = match &trials.target {
        Target::Values(values) => values.dim().2,
        Target::Labels(_) => return None,
    };
    let sum =
        |o: usize| (0..trials.n_steps()).map(|t| decision.weight[(t, trial)] * output(t, o)).sum::<f64>();
    (0..n_out).max_by(|a, b| sum(*a).total_cmp(&sum(*b))).map(|o| o as u32)
}

fn activities(kind: TaskKind) -> (Trials<f64>, Vec<TrialActivity>) {
    let config = config(kind);
    let data = match kind {
        TaskKind::SequentialMnist => digits::embedded().expect("embedded"),
        _ => TaskData::None,
    };
    let task = trainer::task::<f64>(&config, &data).expect("a task");
    let probe = trainer::probe(&config, &*task);
    let run = trainer::start(&config, &data).expect("a run");
    let all = (0..probe.n_batch()).map(|trial| run.activity(trial)).collect();
    (probe, all)
}

#[test]
fn the_target_is_the_trial_s_at_the_steps_that_count_and_nothing_elsewhere() {
    for kind in [TaskKind::Romo, TaskKind::Pattern] {
        let (probe, all) = activities(kind);
        let Target::Values(values) = &probe.target else { panic!("{kind:?} asks for values") };
        assert!(!all.is_empty());
        for (trial, activity) in all.iter().enumerate() {
            let target = activity.target.as_ref().expect("a target");
            assert_eq!(target.dim(), activity.y.dim());
            let mut counted = 0;
            for ((step, output), value) in target.indexed_iter() {
                let counts = probe.mask[(step, trial)] > 0.0;
                assert_eq!(value.is_finite(), counts, "{kind:?}, step {step}");
                assert!(!counts || *value == values[(step, trial, output)]);
                counted += usize::from(counts);
            }
            assert!(counted > 0, "{kind:?}: no step counts");
            // Whoever gives the target gives the right choice.
            let by_target = choice(&probe, trial, |step, output| values[(step, trial, output)]);
            assert_eq!(activity.correct, by_target, "{kind:?}, trial {trial}");
        }
    }
}

#[test]
fn where_a_class_is_asked_for_the_right_output_is_the_label_s() {
    let kinds =
        [TaskKind::TwoAlternative, TaskKind::DelayedMatch, TaskKind::SequentialMnist, TaskKind::CuedMatch];
    for kind in kinds {
        let (probe, all) = activities(kind);
        let Target::Labels(labels) = &probe.target else { panic!("{kind:?} asks for a class") };
        for (trial, activity) in all.iter().enumerate() {
            assert_eq!(activity.target, None);
            let last = (0..probe.n_steps()).rfind(|t| probe.mask[(*t, trial)] > 0.0);
            let label = labels[(last.expect("a step that counts"), trial)];
            assert_eq!(activity.correct, Some(label), "{kind:?}, trial {trial}");
            assert!((label as usize) < activity.y.ncols());
        }
    }
}
