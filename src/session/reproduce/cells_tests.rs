//! A grid whose value other runs choose: a sweep over a sweep.

use super::*;
use crate::numerics::parallel::Serial;
use crate::session::reproduce::{Asked, Made, Reproduction};
use crate::session::sweep::Share;
use crate::training::driver::Driver;
use crate::training::history::Row;

/// A figure with two small rates and one that learns, chosen by runs of fewer iterations.
const FIGURE: &str = r#"
id = "small"
title = "Small"
shows = "Nothing."
seeds = 3
constants = { "measure.curvature" = { value = "off", source = "own" }, "network.n_rec" = { value = 6, source = "own" }, "iterations" = { value = 60, source = "own" }, "measure.test" = { value = 0, source = "own" } }

[[case]]
id = "pattern"
name = "pattern"
constants = { "task.kind" = { value = "pattern", source = "own" } }
[case.grid]
key = "optimizer.learning_rate"
values = [1e-7, 0.1, 1e-6]
source = "own"
pilot = { seeds = 2, constants = { "iterations" = { value = 40, source = "own" } } }

[[case]]
id = "plain"
name = "without a grid"
constants = { "task.kind" = { value = "pattern", source = "own" } }

[[arm]]
id = "e-prop"
name = "e-prop"
constants = { "rule.kind" = { value = "e-prop", source = "own" } }

[[arm]]
id = "bptt"
name = "BPTT"
constants = { "rule.kind" = { value = "bptt", source = "own" } }

[[quantity]]
id = "loss"
name = "training loss at the end"
series = "train_loss"
at = "end"
"#;

fn made(plan: Plan, folder: &std::path::Path) -> Sweep {
    let which: Vec<usize> = (0..plan.runs.len()).collect();
    let mut sweep = Sweep::open(folder, plan, "# a test\n", false).expect("a folder");
    let share = Share { threads: 2, at_once: None };
    let lost = sweep.advance(&which, share, &|| false, &mut |_| ()).expect("runs");
    assert!(lost.is_empty());
    sweep
}

#[test]
fn runs_of_other_seeds_choose_the_rate_and_the_figure_is_made_at_it() {
    let spec: Spec = toml::from_str(FIGURE).expect("a figure");
    let place = tempfile::tempdir().expect("a folder");
    let (mut figure, plan) = Reproduction::new(&spec, &Asked::default()).expect("sound settings");
    // Two rules, three rates, two seeds to choose; and the case without a grid, whole.
    let names: Vec<String> = plan.runs.iter().map(|r| r.name.clone()).collect();
    assert_eq!(names.iter().filter(|n| n.contains("_choice_seed=100")).count(), 12, "{names:?}");
    assert_eq!(names.len(), 12 + 6, "{names:?}");
    assert!(plan.runs.iter().all(|r| r.config.iterations == if r.name.contains("choice") { 40 } else { 60 }));
    let sweep = made(plan, place.path());
    let after = figure.after_choice(&sweep).expect("histories").expect("something was chosen");
    let of_figure = |run: &&PlannedRun| run.name.starts_with("pattern") && !run.name.contains("choice");
    let chosen: Vec<&PlannedRun> = after.runs.iter().filter(of_figure).collect();
    assert_eq!(chosen.len(), 6, "two rules, three seeds");
    for run in &chosen {
        assert_eq!((run.config.optimizer.learning_rate, run.config.iterations), (0.1, 60), "{}", run.name);
        assert!((1..=3).contains(&run.config.seed));
    }
    // A second route to the choice: the losses of the runs themselves.
    let loss = |rate: f64| -> f64 {
        let seeds = Pilot::FIRST_SEED..Pilot::FIRST_SEED + 2;
        let end = |seed: u64| {
            let run = after.runs.iter().find(|r| {
                let own = &r.config;
                r.name.contains("bptt_") && own.optimizer.learning_rate == rate && own.seed == seed
            });
            let config = &run.expect("it is planned").config;
            let mut driver = Driver::start(config, &crate::numerics::tasks::TaskData::None).expect("a run");
            while driver.advance(&Serial).is_none() {}
            let values = driver.history().series(Series::TrainLoss);
            values[36..].iter().map(|(_, v)| v).sum::<f64>() / 4.0
        };
        seeds.map(end).sum()
    };
    assert!(loss(0.1) < loss(1e-6).min(loss(1e-7)), "{} {} {}", loss(0.1), loss(1e-6), loss(1e-7));
    let sweep = made(after, place.path());
    let Made { cells, .. } = figure.read(&sweep).expect("histories");
    assert_eq!(cells.len(), 4, "two cases, two rules");
    for cell in &cells {
        let seeds: Vec<u64> = cell.runs.iter().map(|r| r.seed).collect();
        assert_eq!((seeds, cell.chosen), (vec![1, 2, 3], (cell.case == 0).then_some(0.1)));
    }
    let index = std::fs::read_to_string(sweep.index()).expect("an index");
    assert!(index.starts_with("run,case,arm,optimizer.learning_rate,stage,seed,"), "{index}");
    assert_eq!(index.lines().count(), 1 + 12 + 6 + 6);
}

#[test]
fn runs_of_equal_settings_are_taken_from_another_folder_and_not_made_again() {
    let spec: Spec = toml::from_str(FIGURE).expect("a figure");
    let place = tempfile::tempdir().expect("a folder");
    let plan = |asked: &Asked| Reproduction::new(&spec, asked).expect("sound settings").1;
    let only = Asked { cases: vec!["plain".into()], ..Asked::default() };
    let first = made(plan(&only), &place.path().join("first"));
    let known = first.by_settings().collect();
    let mut second = Sweep::open(&place.path().join("second"), plan(&Asked::default()), "# a test\n", false)
        .expect("a folder");
    second.take(&known).expect("files");
    for (run, ended) in second.runs().iter().zip(second.ended()) {
        assert_eq!(ended.is_some(), run.name.starts_with("plain"), "{}", run.name);
    }
    // What was taken is as if it had been made here.
    let own = second.runs().iter().position(|r| r.name.starts_with("plain")).expect("a run");
    let history =
        |sweep: &Sweep, i: usize| std::fs::read(sweep.folder_of(i).join("history.csv")).expect("a file");
    assert_eq!(history(&second, own), history(&first, 0));
    // Other settings are not taken.
    let more = Asked { seeds: Some(4), ..only };
    let mut third =
        Sweep::open(&place.path().join("third"), plan(&more), "# a test\n", false).expect("a folder");
    third.take(&known).expect("files");
    assert_eq!(third.ended().iter().filter(|e| e.is_none()).count(), 2, "two rules, the fourth seed");
}

#[test]
fn a_value_is_better_by_its_loss_or_accuracy_and_never_where_a_run_diverged() {
    let cell = |values: &[f64], series: Series, diverged: bool| {
        let mut runs = Vec::new();
        for (seed, value) in values.iter().enumerate() {
            let mut history = History::default();
            for iteration in 0..20 {
                let value = if iteration < 18 { 5.0 } else { *value };
                history.push(Row { iteration, series, value });
            }
            let exploded =
                StopReason::Diverged { iteration: 19, quantity: "training loss".into(), value: "inf".into() };
            let stop = if diverged && seed == 0 { exploded } else { StopReason::Done };
            runs.push(RunData { seed: seed as u64, history, stop, iterations: 20 });
        }
        Cell { case: 0, arm: 0, across: None, chosen: Some(1.0), runs }
    };
    assert_eq!(cost(&cell(&[1.0, 2.0], Series::TrainLoss, false), Series::TrainLoss), 1.5);
    assert_eq!(cost(&cell(&[0.5, 0.75], Series::TestAccuracy, false), Series::TestAccuracy), -0.625);
    assert_eq!(cost(&cell(&[1.0, 2.0], Series::TrainLoss, true), Series::TrainLoss), f64::INFINITY);
    assert_eq!(cost(&cell(&[f64::NAN, 2.0], Series::TrainLoss, false), Series::TrainLoss), f64::INFINITY);
}
