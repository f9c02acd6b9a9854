//! Both ends of the spectrum along training, from the vectors of the measure before, against the whole spectrum.

use basinscope::numerics::curvature::lanczos::Wanted;
use basinscope::numerics::curvature::measure::CurvatureMeasure;
use basinscope::numerics::curvature::operator::DenseOperator;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Block;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{Config, RuleKind};
use basinscope::training::driver::Driver;
use basinscope::training::measures::{Detail, Measure};
use basinscope::training::trainer;

use crate::problem::eigenvalues;

/// Half of all eigenvalues of a small network at the end of a run, as the files hold them, and the power law through
/// them. The smallest of them are 1e-8 of the largest, and their logarithms count too: at the end of a run a residual
/// of 1e-6 leaves an eigenvalue an error of about its square.
#[test]
fn two_hundred_eigenvalues_and_their_power_law_are_those_of_the_dense_spectrum() {
    let text = "iterations = 60\nprecision = \"f64\"\nnetwork = { n_rec = 20, activation = \"tanh\" }
measure = { curvature = 0, top_k = 200, block = \"recurrent\", probe_trials = 16 }";
    let config = resolve(parse(text).expect("TOML")).expect("sound settings").config;
    let mut driver = Driver::start(&config, &TaskData::None).expect("a run");
    while driver.advance(&Serial).is_none() {}
    let finding = &driver.latest()[&Measure::Curvature];
    let Detail::Curvature(Some(found)) = &finding.detail else { panic!("finite") };
    assert_eq!((finding.iteration, found.top.len()), (60, 200));

    let task = trainer::task::<f64>(&config, &TaskData::None).expect("a task");
    let network = trainer::network::<f64>(&config.network, trainer::dims(&config.network, &*task));
    let probe = trainer::probe::<f64>(&config, &*task);
    let mut measure = CurvatureMeasure::new(&network);
    let l2 = config.optimizer.l2;
    let weights = driver.run().weights();
    let mut at = measure.at(&weights, &probe, Block::Recurrent, l2, &Serial);
    let mut dense = eigenvalues(&DenseOperator::of(&mut at.operator()));
    dense.reverse();
    assert_eq!(dense.len(), 400);
    for (n, (own, exact)) in found.top.iter().zip(&dense).enumerate() {
        assert!(own.converged, "{n}: {own:?}");
        assert!((own.value - exact).abs() < 1e-9 * dense[0], "{n}: {} {exact}", own.value);
    }
    let (own, exact) = (found.power_law_exponent.expect("one"), power_law(&dense[..200]));
    assert!((own - exact).abs() < 1e-6, "{own} {exact}");
}

/// SCIENCE's formula by normal equations: log |lambda_n| = c - s log n, weights 1/n.
fn power_law(eigenvalues: &[f64]) -> f64 {
    let (mut w, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, lambda) in (1..).map(f64::from).zip(eigenvalues) {
        let (weight, log, size) = (1.0 / n, n.ln(), lambda.abs().ln());
        w += weight;
        x += weight * log;
        y += weight * size;
        xx += weight * log * log;
        xy += weight * log * size;
    }
    -(w * xy - x * y) / (w * xx - x * x)
}

/// 24 measures, 25 iterations apart, in which lambda_max grows severalfold. A
/// residual of 1e-3 leaves an error of its square over the gap; the smallest eigenvalue is many times
/// smaller than the largest, with near neighbours.
#[test]
fn warm_started_ends_are_those_of_the_whole_spectrum_and_cost_few_products() {
    for (task, rule) in [("pattern", RuleKind::Bptt), ("romo", RuleKind::EProp)] {
        let mut config = Config::preset(task).expect("a preset");
        (config.rule.kind, config.network.n_rec, config.measure.probe_trials) = (rule, 16, 8);
        let mut run = trainer::start(&config, &TaskData::None).expect("a run");
        let task = trainer::task::<f64>(&config, &TaskData::None).expect("a task");
        let network = trainer::network::<f64>(&config.network, trainer::dims(&config.network, &*task));
        let probe = trainer::probe::<f64>(&config, &*task);
        let (mut both, mut largest) = (CurvatureMeasure::new(&network), CurvatureMeasure::new(&network));
        let mut stream = Stream::new(1, Purpose::Measures);
        let wanted = Wanted { top: 1, bottom: 0, tolerance: 1e-3, max_products: 300, multiplicities: false };
        let (mut warm, mut first, mut last) = (Vec::new(), 0.0, 0.0);
        for i in 0..24 {
            let weights = run.weights();
            let mut at = both.at(&weights, &probe, Block::Recurrent, 0.0, &Serial);
            let exact = eigenvalues(&DenseOperator::of(&mut at.operator()));
            let (low, high) = (exact[0], exact[exact.len() - 1]);
            let ends = at.ends(1e-3, 300, &mut stream).expect("finite");
            let mut at = largest.at(&weights, &probe, Block::Recurrent, 0.0, &Serial);
            let alone = at.extremes(wanted, &mut stream).expect("finite");
            for top in [&ends.top[0], &alone.top[0]] {
                assert!(top.converged);
                assert!((top.value - high).abs() < 1e-4 * high, "measure {i}: {} {high}", top.value);
            }
            let bottom = &ends.bottom[0];
            assert!(bottom.converged);
            assert!((bottom.value - low).abs() < 1e-3 * low.abs(), "measure {i}: {} {low}", bottom.value);
            if i == 0 {
                first = high;
            } else {
                warm.push(alone.products);
            }
            last = high;
            (0..25).for_each(|_| drop(run.step(&Serial)));
        }
        assert!(last > 3.0 * first, "the curvature moved: {first} {last}");
        assert!(warm.iter().all(|products| *products < 20), "{warm:?}");
    }
}
