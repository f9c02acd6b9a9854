//! Trace, relative flatness, density and power law: against the dense Hessian, and their error bars over many
//! seeds.

use basinscope::numerics::curvature::density::density;
use basinscope::numerics::curvature::flatness::relative_flatness;
use basinscope::numerics::curvature::lanczos::Wanted;
use basinscope::numerics::curvature::measure::CurvatureMeasure;
use basinscope::numerics::curvature::operator::{DenseOperator, DiagonalOperator, LinearOperator};
use basinscope::numerics::curvature::power_law::power_law_exponent;
use basinscope::numerics::curvature::trace::{Estimate, trace};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::LossKind;
use basinscope::numerics::weights::{Block, Dims};

use crate::problem::{Kind, Problem, eigenvalues, sized_problem};

/// Units of the medium problem.
const N: usize = 12;

/// N tanh units, curvature of both signs.
fn medium() -> Problem {
    let kind = Kind {
        alpha: 0.5,
        activation: Activation::Tanh,
        adaptive: 4,
        loss: LossKind::Classification,
        n_batch: 5,
    };
    sized_problem(&mut Stream::new(7, Purpose::Weights), kind, Dims { n_in: 3, n_rec: N, n_out: 3 }, 10)
}

fn exact_trace(matrix: &DenseOperator<f64>) -> f64 {
    let n = matrix.dim();
    (0..n).map(|i| matrix.entries()[i * n + i]).sum()
}

/// sum over neurons i, i' of <w_i, w_i'> Tr H_{i,i'}, from the dense Hessian.
fn exact_flatness(matrix: &DenseOperator<f64>, w: &[f64], n: usize) -> f64 {
    let mut sum = 0.0;
    for i in 0..n {
        for k in 0..n {
            let rows: f64 = (0..n).map(|j| w[i * n + j] * w[k * n + j]).sum();
            let part: f64 = (0..n).map(|j| matrix.entries()[(i * n + j) * n * n + k * n + j]).sum();
            sum += rows * part;
        }
    }
    sum
}

#[test]
fn small_spaces_give_trace_and_flatness_exactly() {
    let p = medium();
    let dense = p.dense(Block::Recurrent);
    let w = p.weights.block(Block::Recurrent);
    let mut s = Stream::new(1, Purpose::Measures);
    let mut hessian = p.hessian();
    let mut operator = hessian.over(Block::Recurrent, 0.0, &Serial);
    // Sums of 144 terms in another order.
    let room = |value: f64| 1e-12 * value.abs().max(1.0);
    let found = trace(&mut operator, N * N, &mut s).expect("finite");
    let expected = exact_trace(&dense);
    assert!((found.value - expected).abs() < room(expected));
    assert_eq!((found.standard_error, found.products), (0.0, N * N));
    let found = relative_flatness(&mut operator, w, N, N * N, &mut s).expect("finite");
    let expected = exact_flatness(&dense, w, N);
    assert!((found.value - expected).abs() < room(expected), "{} {expected}", found.value);
    assert_eq!((found.standard_error, found.products), (0.0, N * N));
}

/// How often an estimate of 30 probes is within 2.045 standard errors of the truth (Student's t with 29 degrees
/// of freedom: 95 %), and its mean over all seeds.
fn coverage(exact: f64, mut estimate: impl FnMut(&mut Stream) -> Estimate) -> (f64, f64, f64) {
    const SEEDS: u64 = 1000;
    let (mut inside, mut sum, mut variance) = (0.0, 0.0, 0.0);
    for seed in 0..SEEDS {
        let found = estimate(&mut Stream::new(seed, Purpose::Measures));
        assert_eq!(found.products, 30);
        assert!(found.standard_error > 0.0);
        sum += found.value;
        variance += found.standard_error * found.standard_error;
        if (found.value - exact).abs() <= 2.045 * found.standard_error {
            inside += 1.0;
        }
    }
    let n = SEEDS as f64;
    (inside / n, sum / n, (variance / n / n).sqrt())
}

/// 1,000 seeds: the share is known to 0.7 points (one standard deviation of a binomial). Quadratic forms are
/// skewed, which costs a t interval of 30 values a point or two.
#[test]
fn the_error_bars_of_trace_and_flatness_cover_the_truth_as_often_as_they_say() {
    let p = medium();
    let mut dense = p.dense(Block::Recurrent);
    let w = p.weights.block(Block::Recurrent).to_vec();
    for (name, exact, by) in
        [("trace", exact_trace(&dense), false), ("relative flatness", exact_flatness(&dense, &w, N), true)]
    {
        let (share, mean, error) = coverage(exact, |s| {
            let found =
                if by { relative_flatness(&mut dense, &w, N, 30, s) } else { trace(&mut dense, 30, s) };
            found.expect("finite")
        });
        assert!((0.91..0.975).contains(&share), "{name}: {share}");
        assert!((mean - exact).abs() < 4.0 * error, "{name} is unbiased: {mean} {exact} {error}");
    }
}

#[test]
fn an_estimate_that_is_not_finite_is_an_error() {
    let mut operator = DiagonalOperator::new(vec![1.0, f64::NAN, 2.0]);
    let mut s = Stream::new(1, Purpose::Measures);
    assert_eq!(trace(&mut operator, 10, &mut s).expect_err("NaN").products, 1);
    assert_eq!(trace(&mut operator, 2, &mut s).expect_err("NaN").products, 1);
    assert!(
        relative_flatness(&mut DiagonalOperator::new(vec![f64::NAN; 4]), &[1.0; 4], 2, 9, &mut s).is_err()
    );
    assert!(density(&mut operator, 3, 2, &mut s).is_err());
}

/// Random signs weigh every eigenvalue of a diagonal operator the same: the quadrature of m steps has its
/// moments to order 2 m - 1 exactly, and with all steps it is the spectrum.
#[test]
fn the_density_of_a_diagonal_operator_is_its_spectrum() {
    let entries: Vec<f64> = (0..24).map(|i| (f64::from(i) * 1.3).sin() + 0.05 * f64::from(i)).collect();
    let mut operator = DiagonalOperator::new(entries.clone());
    let exact = |j: i32| entries.iter().map(|v| v.powi(j)).sum::<f64>() / 24.0;
    for steps in [1usize, 3, 6, 24, 40] {
        let found = density(&mut operator, 2, steps, &mut Stream::new(3, Purpose::Measures)).expect("finite");
        assert_eq!(found.products, 2 * steps.min(24));
        for j in 0..(2 * steps.min(24) as i32).min(12) {
            let (moment, error) = found.moment(j);
            assert!((moment - exact(j)).abs() < 1e-10 && error < 1e-10, "{steps} {j}: {moment}");
        }
        if steps < 6 {
            let (moment, _) = found.moment(2 * steps as i32);
            assert!((moment - exact(2 * steps as i32)).abs() > 1e-4, "order 2 m is beyond m steps");
        }
    }
    let mut sorted = entries.clone();
    sorted.sort_by(f64::total_cmp);
    let found = density(&mut operator, 1, 24, &mut Stream::new(3, Purpose::Measures)).expect("finite");
    for (node, value) in found.probes[0].iter().zip(&sorted) {
        assert!((node.value - value).abs() < 1e-10 && (node.weight - 1.0 / 24.0).abs() < 1e-8);
    }
}

/// Moments of a Hessian's density against those of its dense spectrum: within 4 standard errors each, which a
/// right estimate misses once in 10,000.
#[test]
fn the_density_s_moments_are_those_of_the_dense_spectrum() {
    let p = medium();
    for block in [Block::Recurrent, Block::All] {
        let mut dense = p.dense(block);
        let spectrum = eigenvalues(&dense);
        let found = density(&mut dense, 300, 12, &mut Stream::new(5, Purpose::Measures)).expect("finite");
        assert!((found.moment(0).0 - 1.0).abs() < 1e-12);
        for j in 1..6 {
            let exact = spectrum.iter().map(|v| v.powi(j)).sum::<f64>() / spectrum.len() as f64;
            let (moment, error) = found.moment(j);
            assert!((moment - exact).abs() < 4.0 * error, "{block:?} {j}: {moment} {exact} {error}");
            // The error bars are small enough to tell something.
            let size = spectrum.iter().map(|v| v.abs().powi(j)).sum::<f64>() / spectrum.len() as f64;
            assert!(error < 0.1 * size, "{block:?} {j}: {error} {size}");
        }
        // Drawn, it is a density: its integral is 1.
        let (low, high) = (spectrum[0] - 1.0, spectrum[spectrum.len() - 1] + 1.0);
        let points = 4000;
        let at: Vec<f64> =
            (0..points).map(|i| low + (high - low) * (f64::from(i) + 0.5) / f64::from(points)).collect();
        let integral: f64 = found.smoothed(&at, 0.1).iter().sum::<f64>() * (high - low) / f64::from(points);
        assert!((integral - 1.0).abs() < 1e-6, "{integral}");
    }
}

/// The exponent from its definition, solved as normal equations of a 2 x 2 system.
#[test]
fn the_power_law_is_the_weighted_least_squares_line() {
    let eigenvalues: Vec<f64> =
        (0..40).map(|i| 5.0 * f64::from(i + 1).powf(-0.8) * (1.0 + 0.3 * f64::from(i).sin())).collect();
    let (mut a, mut b, mut c, mut d, mut e) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, lambda) in eigenvalues.iter().enumerate() {
        let n = (i + 1) as f64;
        let (w, x, y) = (1.0 / n, -n.ln(), lambda.ln());
        a += w;
        b += w * x;
        c += w * x * x;
        d += w * y;
        e += w * x * y;
    }
    let expected = (a * e - b * d) / (a * c - b * b);
    assert!((power_law_exponent(&eigenvalues).expect("enough") - expected).abs() < 1e-12);
    // Sign does not matter, zeros are left out in their place, and one point has no slope.
    assert_eq!(power_law_exponent(&[4.0, -2.0, 1.0]), power_law_exponent(&[4.0, 2.0, -1.0]));
    let with_zero = power_law_exponent(&[1.0, 0.0, 1.0 / 9.0]).expect("two points");
    assert!((with_zero - 2.0).abs() < 1e-12);
    assert_eq!(power_law_exponent(&[1.0]), None);
    assert_eq!(power_law_exponent(&[0.0; 5]), None);
    assert_eq!(power_law_exponent(&[1.0, f64::NAN]), None);
}

/// The one entry for a run gives what the parts give.
#[test]
fn the_measure_of_a_run_gives_the_values_of_the_dense_hessian() {
    let p = medium();
    let mut measure = CurvatureMeasure::new(&p.network);
    let mut s = Stream::new(2, Purpose::Measures);
    for l2 in [0.0, 0.5] {
        for block in [Block::Recurrent, Block::All] {
            let spectrum = eigenvalues(&p.dense(block));
            let mut at = measure.at(&p.weights, &p.trials, block, l2, &Serial);
            let ends = at.ends(1e-8, 500, &mut s).expect("finite");
            let last = spectrum.len() - 1;
            assert!((ends.top[0].value - spectrum[last] - l2).abs() < 1e-10);
            assert!((ends.bottom[0].value - spectrum[0] - l2).abs() < 1e-10);
            let top = at.top_k(4, 1e-8, 500, &mut s).expect("finite");
            for (i, pair) in top.top.iter().enumerate() {
                assert!((pair.value - spectrum[last - i] - l2).abs() < 1e-10);
            }
            let sum: f64 = spectrum.iter().sum();
            let n = spectrum.len() as f64;
            let trace = at.trace(1000, &mut s).expect("finite");
            assert!((trace.value - sum - l2 * n).abs() < 1e-10 * n);
            let (mean, error) = at.density(20, 10, &mut s).expect("finite").moment(1);
            assert!((mean - sum / n - l2).abs() < 4.0 * error);
            let w = p.weights.block(Block::Recurrent);
            let flatness = at.relative_flatness(&p.weights, N * N, &mut s).expect("finite");
            let norm: f64 = w.iter().map(|w| w * w).sum();
            let expected = exact_flatness(&p.dense(Block::Recurrent), w, N) + l2 * N as f64 * norm;
            assert!((flatness.value - expected).abs() < 1e-9);
        }
    }
    // From the vectors of the last time, the same point costs a fraction.
    let wanted = Wanted { top: 1, bottom: 0, tolerance: 1e-3, max_products: 100, multiplicities: false };
    let again =
        measure.at(&p.weights, &p.trials, Block::All, 0.5, &Serial).extremes(wanted, &mut s).expect("finite");
    measure.forget();
    let cold =
        measure.at(&p.weights, &p.trials, Block::All, 0.5, &Serial).extremes(wanted, &mut s).expect("finite");
    assert!(2 * again.products < cold.products, "{} {}", again.products, cold.products);
}

/// A network that has diverged has no curvature to show: an error, never a value and never a panic.
#[test]
fn weights_that_are_not_finite_are_an_error_of_every_measure() {
    let p = medium();
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let mut weights = p.weights.clone();
        weights.flat_mut()[N * N + 2] = bad;
        weights.flat_mut()[N * N + 5 * N] = bad;
        let mut measure = CurvatureMeasure::new(&p.network);
        let mut s = Stream::new(1, Purpose::Measures);
        let mut at = measure.at(&weights, &p.trials, Block::All, 0.0, &Serial);
        if bad == 1e300 {
            // tanh bounds the state: large weights are sharp or flat, and must only end.
            let _ = at.ends(1e-3, 50, &mut s);
            continue;
        }
        assert_eq!(at.ends(1e-3, 50, &mut s).expect_err("not finite").products, 1);
        assert!(at.top_k(3, 1e-3, 50, &mut s).is_err());
        assert!(at.trace(10, &mut s).is_err());
        assert!(at.relative_flatness(&weights, 10, &mut s).is_err());
        assert!(at.density(2, 5, &mut s).is_err());
        let g = vec![1.0; p.weights.flat().len()];
        assert!(at.taylor_terms(0.1, &g, &g).is_err());
    }
}
