//! Networks do learn their tasks, from the presets as they stand: what the README promises and the lessons build on.

use basinscope::files::digits;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::TaskData;
use basinscope::training::config::Config;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::history::Series;
use basinscope::training::measures::{Measure, Subject, measurer};
use basinscope::training::trainer;

struct Learned {
    /// Training loss before the first and before the last update.
    losses: (f64, f64),
    /// Test accuracy by iteration.
    accuracies: Vec<(i64, f64)>,
}

fn config(task: &str, rule: &str, seed: u64, iterations: u64, extra: &str) -> Config {
    let text = format!(
        "seed = {seed}\niterations = {iterations}\ntask.kind = \"{task}\"\nrule.kind = \"{rule}\"\n{extra}"
    );
    resolve(parse(&text).expect("TOML")).expect("sound settings").config
}

/// Trains until all iterations are made, or until `enough` says so of a test accuracy, taken every `tests` updates
/// (0: never).
fn learn(config: &Config, data: &TaskData, tests: i64, enough: impl Fn(f64) -> bool) -> Learned {
    let mut run = trainer::start(config, data).expect("a run");
    let mut measurer = measurer(config, data).expect("a measurer");
    let mut losses = Vec::new();
    let mut accuracies = Vec::new();
    loop {
        let step = run.step(&Serial);
        losses.extend(step.rows.iter().filter(|r| r.series == Series::TrainLoss).map(|r| r.value));
        let iteration = run.iteration();
        if tests > 0 && iteration % tests == 0 {
            let checkpoint = run.checkpoint();
            let subject = Subject {
                iteration,
                weights: &checkpoint.weights,
                learning_rate: config.optimizer.learning_rate,
                at_an_end: false,
                trajectory: &basinscope::numerics::landscape::trajectory::Trajectory::default(),
            };
            let found = measurer.measure(Measure::Test, subject, &Serial, &|| true);
            let rows = found.into_iter().flat_map(|finding| finding.rows);
            accuracies
                .extend(rows.filter(|r| r.series == Series::TestAccuracy).map(|r| (iteration, r.value)));
        }
        if step.stop.is_some() || accuracies.last().is_some_and(|(_, accuracy)| enough(*accuracy)) {
            let (first, last) = (losses[0], losses[losses.len() - 1]);
            return Learned { losses: (first, last), accuracies };
        }
    }
}

/// The loss falls to less than this share of what it was, for seeds 1 to 3. The shares are about three times what
/// was seen, the largest of the three seeds.
fn falls(task: &str, rule: &str, iterations: u64, share: f64) {
    for seed in 1..=3 {
        let Learned { losses: (first, last), .. } =
            learn(&config(task, rule, seed, iterations, ""), &TaskData::None, 0, |_| false);
        assert!(last < share * first, "{task}, {rule}, seed {seed}: from {first} to {last}");
    }
}

#[test]
fn every_rule_learns_to_draw_a_pattern() {
    falls("pattern", "bptt", 2000, 1e-3);
    falls("pattern", "e-prop", 2000, 3e-3);
    falls("pattern", "mdgl", 2000, 1e-3);
    falls("pattern", "rflo", 2000, 0.03);
}

#[test]
fn bptt_learns_the_decisions_of_p2() {
    falls("romo", "bptt", 1500, 0.25);
    falls("two-alternative", "bptt", 1500, 0.04);
}

#[test]
fn e_prop_learns_the_decisions_of_p2_in_part() {
    falls("romo", "e-prop", 3000, 0.7);
    falls("two-alternative", "e-prop", 1500, 0.08);
}

/// 85 % of the test digits, shown without noise, after at most 3,000 updates (`[own]`; chance is 10 %).
#[test]
fn bptt_names_digits_that_it_has_not_seen() {
    let digits = digits::embedded().expect("embedded");
    for seed in 1..=3 {
        let config = config("sequential-mnist", "bptt", seed, 3000, "task.test_noise = 0.0");
        let learned = learn(&config, &digits, 100, |accuracy| accuracy > 0.85);
        let last = learned.accuracies.last().copied();
        assert!(last.is_some_and(|(_, accuracy)| accuracy > 0.85), "seed {seed}: {:?}", learned.accuracies);
    }
}
