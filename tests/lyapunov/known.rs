//! Answers known in closed form or by mean-field theory.

use basinscope::numerics::init::{Init, InitialWeights};
use basinscope::numerics::lyapunov::{
    FreeRun, LyapunovSpectrum, Skip, SpectrumSettings, dense_orthonormal, eigenvalues, orthonormal_columns,
    singular_values, zero_crossing,
};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::weights::Dims;

use crate::plain::{CASE, Case, difference, problem};

fn dims(n_rec: usize) -> Dims {
    Dims { n_in: 1, n_rec, n_out: 1 }
}

const INIT: InitialWeights = InitialWeights {
    gain: 1.0,
    input: Init::UniformFanIn,
    input_scale: 1.0,
    readout: Init::UniformFanIn,
    readout_scale: 1.0,
};

fn descending(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// The eigenvalues of J in f64, by faer, from the written-out Jacobian of a step.
fn log_moduli(jacobian: &faer::Mat<f64>) -> Vec<f64> {
    descending(jacobian.eigenvalues().expect("converges").iter().map(|v| v.re.hypot(v.im).ln()).collect())
}

/// Without input a tanh network stays at h = 0, where it is linear: J_t = alpha I + (1 - alpha) w_rec at every
/// step. Single exponents of a pair of complex eigenvalues settle like 1/T: 3,000 steps and 0.005.
#[test]
fn linear_networks_have_the_logarithms_of_their_eigenvalues() {
    for (alpha, adaptive) in [(0.0, 0), (0.5, 0), (0.8, 0), (0.5, 3)] {
        let mut p = problem(Case {
            alpha,
            adaptive,
            activation: Activation::Tanh,
            n_rec: 8,
            n_steps: 3500,
            n_batch: 1,
            ..CASE
        });
        p.trials.x.fill(0.0);
        let found = p.spectrum(SpectrumSettings::leading(0, Skip::Steps(500)));
        let expected = log_moduli(&p.jacobians(0).0[0]);
        assert!(difference(&descending(found.mean.clone()), &expected) < 0.005, "{found:?} {expected:?}");
        if adaptive == 0 {
            let plain = eigenvalues(p.weights.w_rec()).expect("finite");
            let leaky =
                plain.iter().map(|(re, im)| (alpha + (1.0 - alpha) * re).hypot((1.0 - alpha) * im).ln());
            assert!(difference(&descending(leaky.collect()), &expected) < 1e-10);
        }
        assert_eq!((found.skip, found.finite, found.silent_trials), (500, 8 + adaptive, 0));
    }
}

/// A symmetric w_rec with eigenvalues 0.9, 0.7, ..., all units of a ReLU network kept on by input: exponents
/// settle like the powers of the ratios of the eigenvalues, here to 1e-12 after 300 steps.
#[test]
fn a_relu_network_with_all_units_on_is_linear() {
    let n = 5;
    let mu = [0.9, 0.7, 0.4, -0.1, -0.5];
    let mut p = problem(Case { n_rec: n, n_steps: 400, n_batch: 2, quiet: 0, ..CASE });
    let basis = dense_orthonormal(n, &mut Stream::new(9, Purpose::Measures));
    for i in 0..n {
        for j in 0..n {
            p.weights.w_rec_mut()[[i, j]] = (0..n).map(|m| basis[[i, m]] * mu[m] * basis[[j, m]]).sum();
        }
    }
    // The fixed point h = 1 is stable and far from the kink: x = (1 - w_rec 1) through w_in = that vector.
    for i in 0..n {
        let row: f64 = p.weights.w_rec().row(i).sum();
        p.weights.w_in_mut().row_mut(i).assign(&ndarray::array![1.0 - row, 0.0, 0.0]);
    }
    p.trials.x.fill(1.0);
    for alpha in [0.0, 0.5, 0.8] {
        p.network = Network::plain(p.network.dims, alpha, Activation::Relu);
        let found = p.spectrum(SpectrumSettings::leading(0, Skip::Steps(300)));
        let (jacobians, start) = p.jacobians(1);
        let expected: Vec<f64> =
            descending(mu.iter().map(|mu| (alpha + (1.0 - alpha) * mu).abs().ln()).collect());
        assert_eq!(start, 1);
        if jacobians[1..].iter().all(|j| j == &jacobians[399]) {
            assert!(difference(&found.mean, &expected) < 1e-10, "alpha {alpha}: {found:?} {expected:?}");
        } else {
            panic!("a unit of the network is off");
        }
    }
}

/// Every step's pivots multiply to |det J_t|, whatever Q. 1e-9: the sparing bound over 12 exponents.
#[test]
fn all_exponents_sum_to_the_mean_logarithm_of_the_determinant() {
    for activation in [Activation::Relu, Activation::Tanh] {
        for adaptive in [0, 4] {
            let p = problem(Case { activation, adaptive, gain: 1.4, ..CASE });
            let found = p.spectrum(SpectrumSettings::leading(0, Skip::Auto));
            let mut sum = 0.0;
            for b in 0..CASE.n_batch {
                let (jacobians, _) = p.jacobians(b);
                let counted = &jacobians[found.skip..];
                sum += counted.iter().map(|j| j.determinant().abs().ln()).sum::<f64>() / counted.len() as f64;
            }
            assert!((found.sum() - sum / CASE.n_batch as f64).abs() < 1e-9);
        }
    }
}

/// Mean field, tanh, alpha 0: the variance q of the state is that of `q = g^2 <tanh^2(sqrt q x)>`, x normal, and
/// `lambda_1 = ln(g^2 <tanh'^2(sqrt q x)>)/2` (Sompolinsky et al. 1988 for rates, Molgedey et al. 1992 for
/// discrete time).
fn mean_field(gain: f64) -> f64 {
    let gaussian = |f: &dyn Fn(f64) -> f64| {
        // The trapezoidal rule is exact to rounding for a smooth function times a Gaussian.
        (-4000..=4000).map(|i| f64::from(i) * 2e-3).map(|x| f(x) * (-x * x / 2.0).exp()).sum::<f64>() * 2e-3
            / (2.0 * std::f64::consts::PI).sqrt()
    };
    let mut q = gain * gain;
    for _ in 0..2000 {
        q = gain * gain * gaussian(&|x| (q.sqrt() * x).tanh().powi(2));
    }
    0.5 * (gain * gain * gaussian(&|x| (1.0 - (q.sqrt() * x).tanh().powi(2)).powi(2))).ln()
}

/// The leading exponent of a fresh network of this gain without input, after 100 steps.
fn leading_exponent(spectrum: &mut LyapunovSpectrum<f32>, gain: f64, seed: u64, run: FreeRun) -> f64 {
    let init = InitialWeights { gain, ..INIT };
    let weights = init.draw(spectrum.network().dims, &mut Stream::new(seed, Purpose::Weights));
    let mut stream = Stream::new(seed, Purpose::Measures);
    let q0 = orthonormal_columns(spectrum.n_state(), 1, &mut stream);
    let settings = SpectrumSettings::leading(1, Skip::Steps(100));
    spectrum.run_free(&weights, run, settings, q0.view(), &mut stream, &Serial).mean[0]
}

/// One network of 2,000 units for each gain, 4 states, 200 steps after 100. With 600 units three networks lay
/// 0.002 to 0.015 below the theory; the deviation falls like 1/N.
#[test]
fn tanh_networks_have_the_exponents_of_mean_field_theory() {
    let run = FreeRun { n_steps: 300, n_states: 4 };
    let network: Network<f32> = Network::plain(dims(2000), 0.0, Activation::Tanh);
    let mut spectrum = LyapunovSpectrum::new(&network);
    for (gain, stated) in [(1.5, 0.0652), (2.0, 0.1547), (3.0, 0.3102), (5.0, 0.5324)] {
        let theory = mean_field(gain);
        assert!((theory - stated).abs() < 1e-4, "gain {gain}: {theory} {stated}");
        let found = leading_exponent(&mut spectrum, gain, 1, run);
        assert!((found - theory).abs() < 0.005, "gain {gain}: {found}, theory {theory}");
    }
}

/// A large random ReLU network without input neither grows nor shrinks at gain sqrt 2, whatever its leak. The
/// leading eigenvalue of a finite random matrix lies outside the circle, by some sqrt(ln N / 4N) (Rider 2003):
/// with 800 units the crossing is 1 to 3 % low.
#[test]
fn relu_networks_cross_zero_at_gain_sqrt_2_for_every_leak() {
    let run = FreeRun { n_steps: 200, n_states: 2 };
    for alpha in [0.0, 0.5, 0.8] {
        let network: Network<f32> = Network::plain(dims(800), alpha, Activation::Relu);
        let mut spectrum = LyapunovSpectrum::new(&network);
        let points: Vec<(f64, f64)> = [1.3, 1.4, 1.5]
            .into_iter()
            .map(|gain| {
                let all = (1..=4).map(|seed| leading_exponent(&mut spectrum, gain, seed, run));
                (gain, all.sum::<f64>() / 4.0)
            })
            .collect();
        let crossing = zero_crossing(&points).expect("crosses");
        assert!((crossing - 2f64.sqrt()).abs() < 0.05, "alpha {alpha}: {points:?}, {crossing}");
    }
}

/// Girko's disc: the eigenvalues of w_rec ~ N(0, gain^2/N) lie in the disc of radius gain (here up to 8 % out,
/// N 300), half of them within gain/sqrt 2 (to 6 %), and their sum is the trace.
#[test]
fn the_eigenvalues_of_initial_weights_fill_the_disc_of_radius_gain() {
    let n = 300;
    let init = InitialWeights { gain: 1.5, ..INIT };
    let weights = init.draw::<f32>(dims(n), &mut Stream::new(1, Purpose::Weights));
    let values = eigenvalues(weights.w_rec()).expect("finite");
    let moduli: Vec<f64> = values.iter().map(|(re, im)| re.hypot(*im)).collect();
    assert!(moduli.windows(2).all(|pair| pair[0] >= pair[1]));
    assert!((moduli[0] / 1.5 - 1.0).abs() < 0.08, "{}", moduli[0]);
    let inside = moduli.iter().filter(|m| **m < 1.5 / 2f64.sqrt()).count() as f64 / n as f64;
    assert!((inside - 0.5).abs() < 0.06, "{inside}");
    let trace: f64 = weights.w_rec().diag().iter().map(|w| f64::from(*w)).sum();
    let (re, im) = values.iter().fold((0.0, 0.0), |sum, v| (sum.0 + v.0, sum.1 + v.1));
    assert!((re - trace).abs() < 1e-9 && im.abs() < 1e-9);
}

#[test]
fn singular_values_have_the_frobenius_norm_and_say_where_there_are_none() {
    let weights =
        INIT.draw::<f64>(Dims { n_in: 4, n_rec: 30, n_out: 1 }, &mut Stream::new(2, Purpose::Weights));
    let values = singular_values(weights.w_in()).expect("finite");
    let square: f64 = weights.w_in().iter().map(|w| w * w).sum();
    assert_eq!(values.len(), 4);
    assert!((values.iter().map(|s| s * s).sum::<f64>() - square).abs() < 1e-12);
    let broken = ndarray::array![[1.0, f64::NAN], [0.0, 1.0]];
    assert_eq!((eigenvalues(broken.view()), singular_values(broken.view())), (None, None));
}
