//! Claims about what is read off the runs of a sweep.

use super::*;
use crate::files::summary::Summary;
use crate::training::config::Config;
use crate::training::history::{History, Row as HistoryRow};

/// How a run ended, with these last values, as its summary says.
fn ended(values: &[(Series, f64)], diverged: bool) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("summary.json");
    let mut history = History::default();
    for (series, value) in values {
        history.push(HistoryRow { iteration: 5, series: *series, value: *value });
    }
    let stop = match diverged {
        true => StopReason::Diverged { iteration: 5, quantity: "training loss".into(), value: "1e9".into() },
        false => StopReason::Done,
    };
    let config = Config::preset("romo").expect("a preset");
    Summary::new(&config, stop, 5, &history, 2.0, Vec::new()).write(&path).expect("written");
    Ended::read(&path).expect("whole")
}

/// Three gains, two rules, two seeds; the test loss is 100 gain + 10 rule + seed. At gain 2 one seed of `bptt` and
/// both of `e-prop` diverge; the last run has not ended.
fn outcomes() -> Outcomes {
    let mut rows = Vec::new();
    for (i, gain) in ["2.0", "0.5", "1.0"].into_iter().enumerate() {
        for (rule, name) in ["bptt", "e-prop"].into_iter().enumerate() {
            for seed in [1, 2] {
                let loss =
                    100.0 * gain.parse::<f64>().expect("a number") + 10.0 * rule as f64 + f64::from(seed);
                let diverged = i == 0 && (rule == 1 || seed == 2);
                let last = (i, rule, seed) == (2, 1, 2);
                rows.push(Row {
                    name: format!("gain={gain}_kind={name}_seed={seed}"),
                    labels: vec![gain.into(), name.into(), seed.to_string()],
                    ended: (!last).then(|| ended(&[(Series::TestLoss, loss)], diverged)),
                });
            }
        }
    }
    let columns = ["network.gain", "rule.kind", "seed"].map(String::from).to_vec();
    Outcomes::new("folder".into(), columns, rows)
}

fn view(outcomes: &Outcomes) -> View {
    let mut view = View::default();
    view.fit(outcomes);
    view
}

#[test]
fn axes_rise_and_what_no_axis_shows_is_held_or_taken_whole() {
    let outcomes = outcomes();
    let view = view(&outcomes);
    assert_eq!((view.x.as_str(), view.y.as_str()), ("network.gain", "rule.kind"));
    assert_eq!(outcomes.labels("network.gain"), ["0.5", "1.0", "2.0"]);
    let map = outcomes.map(&view);
    assert_eq!(map.x.places, [0.5, 1.0, 2.0]);
    // Row by row: gains under bptt, then under e-prop. Medians over seeds 1 and 2.
    let values: Vec<Option<f64>> = map.cells.iter().map(|c| c.value).collect();
    assert_eq!(values, [Some(51.5), Some(101.5), None, Some(61.5), Some(111.0), None]);
    assert_eq!(map.range, Some((51.5, 111.0)));
    let one_row = outcomes.map(&View { y: String::new(), ..view.clone() });
    assert_eq!(one_row.y.labels, [""]);
    assert_eq!(one_row.cells[0].value, Some(51.5), "the rule is held at its first");
    let held = |held: Held| View {
        y: String::new(),
        others: [("rule.kind".to_owned(), held)].into(),
        over: Over::Mean,
        ..view.clone()
    };
    assert_eq!(outcomes.map(&held(Held::All)).cells[0].value, Some(56.5));
    assert_eq!(outcomes.map(&held(Held::Only("e-prop".into()))).cells[0].value, Some(61.5));
    assert_eq!(outcomes.map(&held(Held::Only("gone".into()))).cells[0].value, Some(51.5));
}

#[test]
fn a_cell_of_diverged_runs_has_no_value_and_says_so() {
    let outcomes = outcomes();
    let map = outcomes.map(&view(&outcomes));
    let counts = |k: usize| {
        let cell: &Cell = &map.cells[k];
        (cell.runs.len(), cell.ended, cell.diverged, cell.used)
    };
    assert_eq!(counts(2), (2, 2, 1, 1), "one of two: no value that stands for both");
    assert_eq!(counts(5), (2, 2, 2, 0));
    assert_eq!(counts(4), (2, 1, 0, 1), "one has not ended");
    assert_eq!(outcomes.counts(), (11, 3));
    // Of three runs one that diverged is the worst of them, and counted.
    let row = |seed: u64, value: f64, diverged| Row {
        name: seed.to_string(),
        labels: vec![seed.to_string()],
        ended: Some(ended(&[(Series::TestLoss, value)], diverged)),
    };
    let rows = vec![row(1, 1.0, false), row(2, 1e9, true), row(3, 4.0, false), row(4, f64::NAN, false)];
    let three = Outcomes::new("folder".into(), vec!["seed".into()], rows);
    let mut all = View::default();
    all.fit(&three);
    let mut cell = Cell { runs: vec![0, 1, 2, 3], ..Cell::default() };
    three.fill(&mut cell, &all);
    assert_eq!((cell.value, cell.used, cell.diverged), (Some(4.0), 2, 1));
    // Of a quantity without a bad end, and in a mean, it is left out.
    let of = |view: View| {
        let mut cell = Cell { runs: vec![0, 1, 2, 3], ..Cell::default() };
        three.fill(&mut cell, &view);
        cell.value
    };
    assert_eq!(of(View { over: Over::Mean, ..all.clone() }), Some(2.5));
    // s.d. of 1 and 4.
    assert!((cell.sd - 4.5f64.sqrt()).abs() < 1e-12);
}

#[test]
fn axes_are_logarithmic_where_the_values_are() {
    let of = |labels: &[&str]| places(&labels.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(of(&["0.0001", "0.001", "0.01"]), (vec![-4.0, -3.0, -2.0], true));
    assert!(of(&["0.0003", "0.001", "0.003"]).1);
    assert_eq!(of(&["0.2", "0.5", "0.8", "1.0", "1.2", "1.5"]), (vec![0.2, 0.5, 0.8, 1.0, 1.2, 1.5], false));
    assert_eq!(of(&["0", "1", "10"]), (vec![0.0, 1.0, 10.0], false));
    assert_eq!(of(&["bptt", "e-prop"]), (vec![0.0, 1.0], false));
    // Too uneven to be seen on either scale: even steps.
    assert_eq!(of(&["1", "1.001", "1000"]), (vec![0.0, 1.0, 2.0], false));
    assert_eq!(of(&["3"]), (vec![0.0], false));
}

#[test]
fn correlations_are_those_of_scipy_and_too_few_are_words() {
    // Anscombe's first data as the ends of eleven runs; scipy 1.10.1, pearsonr and spearmanr.
    let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
    let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    let row = |i: usize, values: &[(Series, f64)], diverged| Row {
        name: i.to_string(),
        labels: vec![if i.is_multiple_of(6) { "few" } else { "many" }.into(), i.to_string()],
        ended: Some(ended(values, diverged)),
    };
    let both = |i: usize| [(Series::LambdaMax, x[i]), (Series::GeneralizationGap, y[i])];
    let mut rows: Vec<Row> = (0..11).map(|i| row(i, &both(i), false)).collect();
    rows.push(row(11, &[(Series::LambdaMax, 1e6), (Series::GeneralizationGap, -1e6)], true));
    rows.push(row(13, &[(Series::LambdaMax, 1.0), (Series::GeneralizationGap, f64::NAN)], false));
    rows.push(row(14, &[(Series::LambdaMax, 1.0)], false));
    let outcomes = Outcomes::new("folder".into(), vec!["rule.kind".into(), "seed".into()], rows);
    let scatter = outcomes.scatter(&view(&outcomes));
    assert_eq!((scatter.diverged, scatter.without), (1, 2));
    let related = &scatter.related;
    let (name, all) = &related[0];
    let [pearson, spearman] = all.found.as_ref().expect("coefficients");
    assert_eq!((name.as_str(), all.n), ("all", 11));
    // Both sides are right to rounding and to the accuracy of the distribution function.
    assert!((pearson.r - 0.816_420_516_344_84).abs() < 1e-13, "{}", pearson.r);
    assert!((pearson.p / 0.002_169_628_873_078_783 - 1.0).abs() < 1e-9, "{}", pearson.p);
    assert!((spearman.r - 0.818_181_818_181_818_2).abs() < 1e-13, "{}", spearman.r);
    assert!((spearman.p / 0.002_083_144_840_478_690_4 - 1.0).abs() < 1e-9, "{}", spearman.p);
    let few = related.iter().find(|(name, _)| name == "few").expect("a group");
    assert_eq!((few.1.n, &few.1.found), (2, &Err("too few runs: at least 3 are needed")));
    let flat = Related::of(&[(1.0, 2.0), (1.0, 3.0), (1.0, 5.0)]);
    assert_eq!(flat.found, Err("not defined: one of the two does not vary"));
}
