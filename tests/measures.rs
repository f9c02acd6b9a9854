//! The measures of a run: taking them changes no bit of the training, a run in two parts has the history of an
//! unbroken one, and each value agrees with a second route.

use basinscope::engine::pool::Processors;
use basinscope::files::snapshot::Snapshot;
use basinscope::numerics::curvature::hessian::Hessian;
use basinscope::numerics::curvature::operator::LinearOperator;
use basinscope::numerics::landscape::trajectory::Trajectory;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::FeedbackScale;
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::{Block, Weights};
use basinscope::session::curves::{Curves, Point};
use basinscope::session::stability;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Config, Precision, RuleKind};
use basinscope::training::driver::Driver;
use basinscope::training::explore::Explorer;
use basinscope::training::history::{History, Row, Series};
use basinscope::training::measured::{Curvature, Given, measure_network};
use basinscope::training::measures::{CurvatureDetail, Detail, Measure, Measurer, Subject, measurer};
use basinscope::training::run::StopReason;
use basinscope::training::trainer;

fn config(text: &str) -> Config {
    resolve(parse(text).expect("TOML")).expect("a sound configuration").config
}

fn small(task: &str, measures: &str) -> Config {
    config(&format!(
        "iterations = 40\n[task]\nkind = \"{task}\"\n[network]\nn_rec = 12\nadaptive = {{ units = 0 }}\n[measure]\nprobe_trials = 40\n{measures}\n"
    ))
}

const EVERYTHING: &str = "test = 5\ncurvature = 10\nlyapunov = 10\nalignment = 10\nlandscape = 20\nslice = { directions = \"trajectory\", points = 5 }";
const NOTHING: &str =
    "test = \"off\"\ncurvature = \"off\"\nlyapunov = \"off\"\nalignment = \"off\"\nlandscape = \"off\"";

fn run_to_end(config: &Config) -> Driver {
    let mut driver = Driver::start(config, &TaskData::None).expect("a run starts");
    while driver.advance(&Serial).is_none() {}
    driver
}

#[test]
fn training_with_every_measure_has_the_bits_of_training_with_none() {
    for task in ["romo", "pattern", "two-alternative"] {
        let with = run_to_end(&small(task, EVERYTHING));
        let without = run_to_end(&small(task, NOTHING));
        let (a, b) = (with.checkpoint(), without.checkpoint());
        assert_eq!((a.weights, a.optimizer, a.streams), (b.weights, b.optimizer, b.streams), "{task}");
        for series in [Series::TrainLoss, Series::GradientNorm, Series::WeightNorm] {
            assert_eq!(with.history().series(series), without.history().series(series), "{task}");
        }
        assert!(with.history().series(Series::LambdaMax).len() == 5, "0, 10, ..., 40");
        assert!(without.history().series(Series::LambdaMax).is_empty());
    }
}

#[test]
fn measures_have_the_same_bits_on_one_and_two_threads() {
    let config = small("romo", EVERYTHING);
    let one = run_to_end(&config);
    let two_threads = Processors::new("test", 2);
    let mut two = Driver::start(&config, &TaskData::None).expect("a run starts");
    while two.advance(&two_threads).is_none() {}
    assert_eq!(one.history(), two.history());
    assert!(!one.history().series(Series::TaylorSecond).is_empty());
}

/// Stopped at 23, between two measures: the measures of the stop are dropped when it goes on.
#[test]
fn a_run_in_two_parts_has_the_history_of_an_unbroken_one() {
    for (task, stopped_at) in [("romo", 23), ("pattern", 20)] {
        let config = small(task, EVERYTHING);
        let whole = run_to_end(&config);
        let mut first = Driver::start(&config, &TaskData::None).expect("a run starts");
        while first.run().iteration() < stopped_at {
            first.advance(&Serial);
        }
        assert_eq!(first.stop(&Serial), StopReason::Stopped);
        let mut second = Driver::resume(
            &config,
            &TaskData::None,
            &first.checkpoint(),
            first.history().clone(),
            first.trajectory().clone(),
        )
        .expect("it goes on");
        while second.advance(&Serial).is_none() {}
        for series in Series::ALL {
            assert_eq!(
                whole.history().series(*series),
                second.history().series(*series),
                "{task}, {}",
                series.name()
            );
        }
        assert_eq!(whole.checkpoint(), second.checkpoint(), "{task}");
    }
}

/// Eigenvectors of other weights say nothing of this gradient: shares stand only where both were measured, and
/// the history does not depend on where a run was broken, whatever the cadences are.
#[test]
fn shares_in_the_leading_subspace_are_of_eigenvectors_of_the_same_weights() {
    let config = small("romo", "curvature = 6\nalignment = 4\nlyapunov = \"off\"\ntest = \"off\"");
    let whole = run_to_end(&config);
    let iterations =
        |series: Series| whole.history().series(series).iter().map(|(i, _)| *i).collect::<Vec<_>>();
    assert_eq!(iterations(Series::GradientInTopSubspace), [0, 12, 24, 36, 40]);
    assert_eq!(iterations(Series::Rho).len(), 11);
    for stopped_at in [15, 21, 34] {
        let mut first = Driver::start(&config, &TaskData::None).expect("a run starts");
        while first.run().iteration() < stopped_at {
            first.advance(&Serial);
        }
        first.stop(&Serial);
        let (history, path) = (first.history().clone(), first.trajectory().clone());
        let from = first.checkpoint();
        let mut second = Driver::resume(&config, &TaskData::None, &from, history, path).expect("it goes on");
        while second.advance(&Serial).is_none() {}
        assert_eq!(whole.history(), second.history(), "stopped at {stopped_at}");
    }
}

/// A resumed RFLO run learns, and is measured, with one feedback: its own while the setting stays, one that is
/// drawn by the new setting otherwise. The second route to rho is the rule's gradient with the run's feedback.
#[test]
fn a_resumed_run_is_measured_with_the_feedback_that_it_learns_with() {
    let settings = |scale: &str, n: u64| {
        let mut config = small("romo", "alignment = 10\nblock = \"recurrent\"");
        config.iterations = n;
        config.rule.kind = RuleKind::Rflo;
        config.rule.feedback.scale =
            if scale == "murray" { FeedbackScale::Murray } else { FeedbackScale::Readout };
        config
    };
    let mut first = Driver::start(&settings("readout", 20), &TaskData::None).expect("a run starts");
    while first.advance(&Serial).is_none() {}
    for scale in ["readout", "murray", "foreign"] {
        let config = settings(scale, 40);
        let mut from = first.checkpoint();
        if scale == "foreign" {
            // A network trained elsewhere brings a feedback that no seed draws.
            let feedback = from.feedback.as_mut().expect("RFLO has one");
            feedback.values.iter_mut().for_each(|v| *v = -*v);
        }
        let (history, path) = (first.history().clone(), first.trajectory().clone());
        let mut second = Driver::resume(&config, &TaskData::None, &from, history, path).expect("it goes on");
        while second.advance(&Serial).is_none() {}
        let end = second.checkpoint();
        let used = end.feedback.expect("RFLO has one").values;
        let before = from.feedback.expect("RFLO has one").values;
        assert_eq!(used == before, scale != "murray", "{scale}");
        let task = trainer::task::<f64>(&config, &TaskData::None).expect("romo");
        let dims = trainer::dims(&config.network, &*task);
        let given = Given {
            network: trainer::network(&config.network, dims),
            weights: end.weights,
            probe: trainer::probe(&config, &*task),
            feedback: Some(used),
            q0: None,
            slice: None,
            config: config.clone(),
        };
        let rho = measure_network(&given, &Serial).expect("measured").alignment.expect("defined").rho;
        let (_, own) = *second.history().series(Series::Rho).last().expect("rho at the end");
        // f32 against f64.
        assert!((own - rho).abs() < 1e-4 * rho.abs().max(1.0), "{scale}: {own}, expected {rho}");
    }
}

#[test]
fn a_full_batch_task_is_probed_on_its_batch() {
    let driver = run_to_end(&small("pattern", "test = 1"));
    let Some(Detail::Test(detail)) = driver.latest().get(&Measure::Test).map(|f| f.detail.clone()) else {
        panic!("a test measure was taken");
    };
    // The last training loss belongs to the weights one update before the end.
    let (last, loss) = driver.history().series(Series::TrainLoss).last().copied().expect("a loss");
    assert_eq!(last, 39);
    assert!((detail.train.loss / loss - 1.0).abs() < 0.5, "{} {loss}", detail.train.loss);
    assert!((detail.gap - (detail.test.loss - detail.train.loss)).abs() < 1e-15);
}

/// By a forward pass of its own over the probe batch and the test trials: shares judged right where a task has a
/// decision, losses where it has none, whatever its batch.
#[test]
fn the_gap_is_between_the_probe_batch_and_the_test_trials() {
    for (task, has_accuracy) in [("romo", true), ("pattern", false)] {
        let config = Config { precision: Precision::F64, ..small(task, "test = 40") };
        let driver = run_to_end(&config);
        let task = trainer::task::<f64>(&config, &TaskData::None).expect("a task");
        let network = trainer::network(&config.network, trainer::dims(&config.network, &*task));
        let test = task.test(&mut Stream::new(config.seed, Purpose::Test));
        let [train, test] = [trainer::probe(&config, &*task), test].map(|trials| {
            let mut pass = GradientPass::new(&network);
            pass.run(&driver.checkpoint().weights, &trials, &[], &mut [], &Serial)
        });
        let expected = match (train.accuracy, test.accuracy) {
            (Some(train), Some(test)) if has_accuracy => train - test,
            (None, None) if !has_accuracy => test.loss - train.loss,
            other => panic!("{other:?}"),
        };
        assert_eq!(driver.history().series(Series::GeneralizationGap).last(), Some(&(40, expected)));
    }
}

#[test]
fn bptt_is_aligned_with_itself_and_e_prop_is_not() {
    let align = |rule: &str| {
        let mut config = small("romo", "alignment = 0\ncurvature = 0");
        config.rule.kind = serde_json::from_str(&format!("\"{rule}\"")).expect("a rule");
        let driver = run_to_end(&config);
        let Some(Detail::Alignment(detail)) =
            driver.latest().get(&Measure::Alignment).map(|f| f.detail.clone())
        else {
            panic!("an alignment was measured");
        };
        detail
    };
    let own = align("bptt");
    let lie = own.lie.expect("a gradient");
    assert!((lie.rho - 1.0).abs() < 1e-5 && lie.relative_error < 1e-5, "{own:?}");
    let [rule, exact] = own.taylor.expect("finite");
    assert!((rule.first / exact.first - 1.0).abs() < 1e-5 && rule.first < 0.0, "{own:?}");
    let other = align("e-prop");
    let lie = other.lie.expect("a gradient");
    let cosine = lie.cosine.expect("a gradient");
    assert!(cosine < 0.9999 && cosine > 0.0 && lie.relative_error > 0.01, "{other:?}");
    let [rule, exact] = other.taylor.expect("finite");
    // -eta <g, g^> = rho (-eta <g, g>)
    assert!((rule.first / (lie.rho * exact.first) - 1.0).abs() < 1e-4, "{other:?}");
    assert!(other.top_shares.expect("eigenvectors were found").gradient.is_some());
}

#[test]
fn a_diverged_run_has_no_measures_of_its_end() {
    let mut config = small("pattern", "test = 0\ncurvature = 0");
    config.optimizer.learning_rate = 1e8;
    config.optimizer.clip_norm = 0.0;
    config.iterations = 4000;
    let mut driver = Driver::resume(
        &config,
        &TaskData::None,
        &Driver::start(&config, &TaskData::None).expect("a run starts").checkpoint(),
        History::default(),
        Trajectory::default(),
    )
    .expect("a run goes on from its start");
    let reason = loop {
        if let Some(reason) = driver.advance(&Serial) {
            break reason;
        }
    };
    assert!(matches!(reason, StopReason::Diverged { .. }), "{reason:?}");
    assert_eq!(driver.history().series(Series::TestLoss).len(), 1, "only that of the start");
    assert_eq!(driver.advance(&Serial), Some(reason), "an ended run stays ended");
}

/// Without input a linear-like network (ReLU far below its zero crossing) contracts by what its weights say, and
/// the task's input plays no part.
#[test]
fn without_input_exponents_come_from_free_runs() {
    let exponents = |drive: &str, gain: f64| {
        let mut config = small("romo", &format!("lyapunov = 0\nlyapunov_drive = \"{drive}\""));
        config.network.gain = gain;
        config.iterations = 1;
        config.optimizer.learning_rate = 1e-12;
        let driver = run_to_end(&config);
        let Some(Detail::Lyapunov(detail)) =
            driver.latest().get(&Measure::Lyapunov).map(|f| f.detail.clone())
        else {
            panic!("exponents were measured");
        };
        // All exponents are made orthonormal seldom, the leading one alone goes by a vector: rounding of f32.
        let settled = detail.convergence.last().expect("a step is counted");
        assert!((settled - detail.exponents.mean[0]).abs() < 1e-5, "{settled} {:?}", detail.exponents.mean);
        detail.exponents
    };
    let (task, free) = (exponents("task", 1.0), exponents("none", 1.0));
    let (a, b) = (task.mean[0], free.mean[0]);
    assert!(a.is_finite() && b.is_finite() && a != b, "{a} {b} {:?} {:?}", task.per_trial, free.per_trial);
    assert_eq!(
        (task.skip, free.skip),
        (7, 0),
        "romo begins with six steps without input; a free run with a state"
    );
    // At gain 0 every exponent is ln alpha.
    for lambda in exponents("none", 0.0).mean {
        assert!((lambda - 0.5f64.ln()).abs() < 1e-6, "{lambda}");
    }
}

/// Other routes to exponents follow the drive as the measure of a run does: the same network, the same tangents,
/// the same states. f32 against f64, sparing against a QR after every step.
#[test]
fn a_measured_network_and_a_look_take_exponents_along_what_the_settings_say() {
    let of = |drive: &str| {
        let mut config = small("romo", &format!("lyapunov = 0\nlyapunov_drive = \"{drive}\""));
        config.network.gain = 1.2;
        config.measure.probe_trials = 16;
        let task = trainer::task::<f64>(&config, &TaskData::None).expect("romo");
        let dims = trainer::dims(&config.network, &*task);
        let given = Given {
            network: trainer::network(&config.network, dims),
            weights: trainer::initial_weights::<f32>(&config.network, dims, config.seed).cast(),
            probe: trainer::probe(&config, &*task),
            feedback: None,
            q0: None,
            slice: None,
            config: config.clone(),
        };
        let measured = measure_network(&given, &Serial).expect("it can be measured").exponents.mean;
        let mut explorer = Explorer::new(&config, &TaskData::None).expect("an explorer");
        let look = explorer.look(1.2, &Serial).exponents.mean;
        let leading = explorer.scan_point(1.2, config.seed, 0, &Serial, &|| true).expect("found").leading;
        let mut measures = measurer(&config, &TaskData::None).expect("measures");
        let subject = Subject {
            iteration: 0,
            weights: &given.weights,
            learning_rate: 0.0,
            at_an_end: true,
            trajectory: &Trajectory::default(),
        };
        let finding = measures.measure(Measure::Lyapunov, subject, &Serial, &|| true).expect("found");
        let Detail::Lyapunov(detail) = finding.detail else { panic!("exponents") };
        let expected = detail.exponents.mean.clone();
        for found in [&measured, &look] {
            let off = found.iter().zip(&expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
            assert!(off < 1e-4, "{drive}: {found:?}, expected {expected:?}");
        }
        assert!((leading - expected[0]).abs() < 1e-4, "{drive}: {leading}");
        expected[0]
    };
    assert!((of("task") - of("none")).abs() > 1e-3, "the drive matters");
}

fn curvature_of(driver: &Driver) -> Option<(i64, CurvatureDetail)> {
    let finding = driver.latest().get(&Measure::Curvature)?;
    let Detail::Curvature(Some(detail)) = &finding.detail else { return None };
    Some((finding.iteration, detail.clone()))
}

/// The curvature as `measure` finds it in these weights.
fn exact_curvature(config: &Config, weights: Weights<f64>) -> Curvature {
    let task = trainer::task::<f64>(config, &TaskData::None).expect("a task");
    let given = Given {
        network: trainer::network(&config.network, trainer::dims(&config.network, &*task)),
        weights,
        probe: trainer::probe(config, &*task),
        feedback: None,
        q0: None,
        slice: None,
        config: config.clone(),
    };
    measure_network(&given, &Serial).expect("it can be measured").curvature.expect("finite")
}

/// Over the readout block of a regression every eigenvalue occurs n_out times. Both routes find each as often as
/// it occurs. A residual of 1e-3 leaves the eigenvalue an error of about its square.
#[test]
fn the_end_of_a_run_has_the_eigenvalues_that_measure_finds_in_its_weights() {
    for block in ["readout", "recurrent", "all"] {
        let measures = format!("curvature = 0\ntop_k = 6\nblock = \"{block}\"");
        let config = Config { precision: Precision::F64, ..small("romo", &measures) };
        let driver = run_to_end(&config);
        let (at, own) = curvature_of(&driver).expect("it was measured");
        assert_eq!(at, 40);
        let other = exact_curvature(&config, driver.checkpoint().weights);
        let largest = other.top[0].value.max(-other.bottom.value);
        for (own, other) in own.top.iter().zip(&other.top) {
            assert!((own.value - other.value).abs() < 1e-5 * largest, "{block}: {own:?} {}", other.value);
        }
        if block == "readout" {
            let twice =
                own.top.chunks_exact(2).all(|pair| (pair[0].value / pair[1].value - 1.0).abs() < 1e-5);
            assert!(twice, "each occurs twice: {:?}", own.top);
        }
    }
}

/// On the way they are estimates with an error bar, at both ends of a small run exact: against the Hessian column by
/// column, in f64.
#[test]
fn trace_and_flatness_are_exact_at_both_ends_of_a_small_run() {
    for block in ["recurrent", "all"] {
        let config = Config {
            precision: Precision::F64,
            ..small("romo", &format!("curvature = 20\nblock = \"{block}\""))
        };
        let mut driver = Driver::start(&config, &TaskData::None).expect("a run starts");
        let mut ends = Vec::new();
        loop {
            let weights = driver.checkpoint().weights;
            let over = driver.advance(&Serial).is_some();
            let (at, detail) = curvature_of(&driver).expect("it was measured");
            let is_end = at == 0 || at == 40;
            for estimate in [&detail.trace, &detail.relative_flatness] {
                assert_eq!(estimate.is_exact(), is_end, "iteration {at}: {estimate:?}");
                assert!(is_end || estimate.products == 8, "{estimate:?}");
            }
            if over {
                ends.push((driver.checkpoint().weights, detail));
                break;
            }
            if ends.is_empty() {
                ends.push((weights, detail));
            }
        }
        for (weights, found) in ends {
            let (trace, flatness) = dense_trace_and_flatness(&config, &weights);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-10 * (1.0 + b.abs());
            assert!(close(found.trace.value, trace), "{block}: {} {trace}", found.trace.value);
            let own = found.relative_flatness.value;
            assert!(close(own, flatness), "{block}: {own} {flatness}");
        }
    }
}

/// The trace of the dense Hessian over the measured block, and sum_{i,i'} <w_i, w_i'> Tr H_{i,i'} over w_rec.
fn dense_trace_and_flatness(config: &Config, weights: &Weights<f64>) -> (f64, f64) {
    let task = trainer::task::<f64>(config, &TaskData::None).expect("a task");
    let network = trainer::network(&config.network, trainer::dims(&config.network, &*task));
    let probe = trainer::probe(config, &*task);
    let dense = |block: Block| {
        let mut hessian = Hessian::new(&network);
        hessian.prepare(weights, &probe, &Serial);
        let mut operator = hessian.over(block, config.optimizer.l2, &Serial);
        let n = operator.dim();
        let column = |i: usize| {
            let (mut e, mut column) = (vec![0.0; n], vec![0.0; n]);
            e[i] = 1.0;
            operator.apply(&e, &mut column);
            column
        };
        (0..n).map(column).collect::<Vec<_>>()
    };
    let of_block = dense(config.measure.block);
    let trace = (0..of_block.len()).map(|i| of_block[i][i]).sum();
    let (recurrent, n) = (dense(Block::Recurrent), weights.dims().n_rec);
    let rows: Vec<&[f64]> = weights.block(Block::Recurrent).chunks_exact(n).collect();
    let mut flatness = 0.0;
    for i in 0..n {
        for j in 0..n {
            let inner: f64 = rows[i].iter().zip(rows[j]).map(|(a, b)| a * b).sum();
            flatness += inner * (0..n).map(|k| recurrent[i * n + k][j * n + k]).sum::<f64>();
        }
    }
    (trace, flatness)
}

/// The history holds what the decision needs: the ends and the residual.
#[test]
fn the_curves_know_of_every_lambda_max_whether_it_had_converged() {
    let mut seen = 0;
    for (task, precision) in
        [("romo", "f32"), ("pattern", "f64"), ("two-alternative", "f32"), ("delayed-match", "f32")]
    {
        for top_k in [1, 12] {
            let mut config = small(task, &format!("curvature = 1\ntop_k = {top_k}\nblock = \"all\""));
            config.precision = serde_json::from_str(&format!("\"{precision}\"")).expect("a precision");
            let mut driver = Driver::start(&config, &TaskData::None).expect("a run starts");
            let mut curves = Curves::default();
            while driver.advance(&Serial).is_none() {
                let Some((iteration, detail)) = curvature_of(&driver) else { continue };
                let found = &driver.latest()[&Measure::Curvature];
                found.rows.iter().for_each(|row: &Row| curves.push(*row));
                let point = Point { iteration, value: detail.lambda_max().value };
                let own = detail.lambda_max().converged;
                assert_eq!(stability::converged(&curves, &config, &point), Some(own), "{task} {iteration}");
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "{seen}");
}

/// Its first moment is the mean eigenvalue, Tr H / P, within 5 standard errors; no other measure notices that it was
/// taken.
#[test]
fn the_density_has_the_trace_as_its_mean_and_changes_no_other_measure() {
    for block in ["recurrent", "all"] {
        let measures = format!("curvature = 10\nblock = \"{block}\"");
        let config = Config { precision: Precision::F64, ..small("romo", &measures) };
        let driver = run_to_end(&config);
        let weights = driver.checkpoint().weights;
        let subject = Subject {
            iteration: 40,
            weights: &weights,
            learning_rate: 0.1,
            at_an_end: false,
            trajectory: &Trajectory::default(),
        };
        let take = |measurer: &mut dyn Measurer, measure| {
            measurer.measure(measure, subject, &Serial, &|| true).expect("it is taken")
        };
        let new = || measurer(&config, &TaskData::None).expect("a measurer");
        let (mut with, mut without) = (new(), new());
        let Detail::Density(Some(found)) = take(&mut *with, Measure::Density).detail else {
            panic!("a density");
        };
        assert_eq!(take(&mut *with, Measure::Curvature).rows, take(&mut *without, Measure::Curvature).rows);
        let (mass, _) = found.density.moment(0);
        assert!((mass - 1.0).abs() < 1e-12);
        let (mean, error) = found.density.moment(1);
        let exact = exact_curvature(&config, weights.clone()).trace;
        assert_eq!(exact.standard_error, 0.0);
        let expected = exact.value / found.n_weights as f64;
        assert!((mean - expected).abs() < 5.0 * error, "{block}: {mean} {expected} {error}");
        assert!(error < expected.abs(), "{block}: {error} says something about {expected}");
    }
}

/// Every eigenvalue of romo's readout occurs twice, and without a readout the recurrent Hessian is 0: there the span of
/// the leading eigenvectors depends on which of them were found.
#[test]
fn shares_are_given_only_where_the_leading_eigenvectors_take_in_whole_eigenspaces() {
    for (block, top_k, scale, are_given) in [
        ("readout", 3, 1.0, false),
        ("readout", 4, 1.0, true),
        ("readout", 24, 1.0, true),
        ("recurrent", 3, 1.0, true),
        ("recurrent", 3, 0.0, false),
    ] {
        let mut config = small("romo", &format!("block = \"{block}\"\ntop_k = {top_k}"));
        config.iterations = 0;
        config.precision = Precision::F64;
        config.network.init.readout_scale = scale;
        let driver = run_to_end(&config);
        let said = format!("{block}, {top_k}, {scale}");
        let rows = driver.history().series(Series::GradientInTopSubspace).len()
            + driver.history().series(Series::ErrorInTopSubspace).len();
        assert_eq!(rows > 0, are_given, "{said}: {rows}");
        let snapshot = Snapshot::of_driver(&driver, &TaskData::None, &Serial).expect("a snapshot");
        let note = snapshot.notes.iter().any(|n| n.starts_with("no error_in_top_subspace"));
        assert_eq!(note, !are_given, "{said}: {:?}", snapshot.notes);
        if !are_given {
            assert_eq!(snapshot.found.gradient_in_top_subspace, None, "{said}");
        }
    }
}
