//! Both ends of the spectrum along training, from the vectors of the measure before, against the whole spectrum.

use basinscope::numerics::curvature::lanczos::Wanted;
use basinscope::numerics::curvature::measure::CurvatureMeasure;
use basinscope::numerics::curvature::operator::DenseOperator;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Block;
use basinscope::training::config::{Config, RuleKind};
use basinscope::training::trainer;

use crate::problem::eigenvalues;

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
