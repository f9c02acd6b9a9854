//! Singular Jacobians, silent trials, empty batches, numbers that are not finite, other numbers of workers.

use std::sync::atomic::{AtomicUsize, Ordering};

use basinscope::numerics::lyapunov::{
    Exponents, Flossing, FlossingSettings, FlossingVariant, FreeRun, LyapunovSpectrum, Orthonormalise, Skip,
    SpectrumSettings, kaplan_yorke_dimension, q0_fits,
};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::weights::Weights;
use ndarray::Array2;

use crate::plain::{CASE, Case, Problem, difference, log_pivots, problem};

/// A few threads that take jobs in whatever order they come.
struct Threads(usize);

impl Workers for Threads {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..self.0 {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= n {
                            break;
                        }
                        // The last job first: no order may matter.
                        job(n - 1 - i);
                    }
                });
            }
        });
    }

    fn width(&self) -> usize {
        self.0
    }
}

fn all() -> SpectrumSettings {
    SpectrumSettings::leading(0, Skip::Auto)
}

/// NaN equals NaN here: what must be the same are the bits.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn any_number_of_workers_gives_the_same_bits() {
    let p = problem(Case { n_batch: 150, n_rec: 20, ..CASE });
    for n in [1, 7, 20] {
        let settings = SpectrumSettings {
            n_exponents: n,
            convergence: n == 7,
            ..SpectrumSettings::leading(n, Skip::Auto)
        };
        let run = |workers: &dyn Workers| {
            LyapunovSpectrum::new(&p.network).run(&p.weights, &p.trials, settings, p.q0.view(), workers)
        };
        let floss = |workers: &dyn Workers| {
            let mut gradient = Weights::zeros(p.network.dims);
            let settings = FlossingSettings { k: n, variant: FlossingVariant::Exact, skip: Skip::Auto };
            let outcome = Flossing::new(&p.network).loss_and_gradient(
                &p.weights,
                &p.trials,
                settings,
                p.q0.view(),
                workers,
                &mut gradient,
            );
            (outcome, gradient)
        };
        let free = |workers: &dyn Workers| {
            let mut stream = Stream::new(1, Purpose::Measures);
            let run = FreeRun { n_steps: 12, n_states: 70 };
            let mut spectrum = LyapunovSpectrum::new(&p.network);
            spectrum.run_free(&p.weights, run, settings, p.q0.view(), &mut stream, workers)
        };
        let (one, one_floss, one_free) = (run(&Serial), floss(&Serial), free(&Serial));
        for threads in [2, 3, 5] {
            assert_eq!(run(&Threads(threads)), one);
            assert_eq!(floss(&Threads(threads)), one_floss);
            assert_eq!(free(&Threads(threads)), one_free);
        }
    }
}

/// A spectrum used again, for other sizes in between, gives the same bits as a new one.
#[test]
fn buffers_of_an_earlier_call_leave_no_trace() {
    let (small, large) = (problem(CASE), problem(Case { n_batch: 40, n_steps: 31, seed: 2, ..CASE }));
    let mut spectrum = LyapunovSpectrum::new(&small.network);
    let mut flossing = Flossing::new(&small.network);
    for p in [&small, &large, &small, &large] {
        for n in [12, 3, 1, 12] {
            let settings = SpectrumSettings::leading(n, Skip::Auto);
            let found = spectrum.run(&p.weights, &p.trials, settings, p.q0.view(), &Serial);
            assert_eq!(found, p.spectrum(settings));
        }
        for variant in [FlossingVariant::Exact, FlossingVariant::Local] {
            let settings = FlossingSettings { k: 5, variant, skip: Skip::Auto };
            let mut gradient = Weights::zeros(p.network.dims);
            let found = flossing.loss_and_gradient(
                &p.weights,
                &p.trials,
                settings,
                p.q0.view(),
                &Serial,
                &mut gradient,
            );
            assert_eq!((found, gradient), p.floss(5, variant, Skip::Auto));
        }
    }
}

/// ReLU without leak: J_t has the rank of the units that are on. So many exponents are finite as the smallest
/// rank of any counted step, the rest is -inf, in both precisions; the finite ones sum to the logarithm of the
/// volume of the images.
#[test]
fn singular_jacobians_give_minus_infinity_and_the_number_of_finite_exponents() {
    let p = problem(Case { alpha: 0.0, n_rec: 24, gain: 1.4, n_batch: 6, n_steps: 15, ..CASE });
    let found = p.spectrum(all());
    let in_f32 = in_f32(&p, all());
    let mut fewest = 24;
    for b in 0..6 {
        let (jacobians, start) = p.jacobians(b);
        let rank = |j: &faer::Mat<f64>| (0..24).filter(|q| j.col(*q).iter().any(|x| *x != 0.0)).count();
        let smallest = jacobians[found.skip..].iter().map(rank).min().expect("steps");
        let expected: Vec<bool> = (0..24).map(|i| i < smallest).collect();
        for exponents in [&found, &in_f32] {
            let row = exponents.per_trial.row(b);
            assert_eq!(row.iter().map(|l| l.is_finite()).collect::<Vec<_>>(), expected);
            assert!(row.iter().all(|l| l.is_finite() || *l == f64::NEG_INFINITY));
        }
        assert!(start <= found.skip && smallest < 20);
        fewest = fewest.min(smallest);
    }
    assert_eq!((found.finite, in_f32.finite), (fewest, fewest));
    assert_eq!(found.mean[fewest], f64::NEG_INFINITY);
    assert!(found.sd[fewest].is_nan() && found.sd[0] > 0.0);
    assert!((found.sum() - found.mean[..fewest].iter().sum::<f64>()).abs() < 1e-12);
    assert!(found.max().is_finite() && found.max() >= found.mean[0]);

    // The leading exponents do not depend on how many others there are.
    let few = p.spectrum(SpectrumSettings::leading(4, Skip::Auto));
    assert!(difference(&few.mean, &found.mean[..4]) < 1e-9);
    let (outcome, gradient) = p.floss(24, FlossingVariant::Detached, Skip::Auto);
    let squares: f64 = found.mean[..fewest].iter().map(|l| l * l).sum();
    assert_eq!(outcome.finite, fewest);
    assert!((outcome.loss - squares).abs() < 1e-6 * squares);
    assert!(gradient.flat().iter().all(|g| g.is_finite()) && gradient.norm() > 0.0);
}

fn in_f32(p: &Problem, settings: SpectrumSettings) -> Exponents {
    LyapunovSpectrum::new(&p.network.cast::<f32>()).run(
        &p.weights.cast(),
        &p.trials.cast(),
        settings,
        p.q0.view(),
        &Serial,
    )
}

/// A trial without input never leaves zero; one whose units are all switched off by its input falls silent. Both
/// are counted, and the others are as without them.
#[test]
fn silent_trials_are_counted_and_left_out() {
    let mut p = problem(Case { alpha: 0.0, n_rec: 24, gain: 1.4, quiet: 0, n_batch: 5, ..CASE });
    p.trials.x.slice_mut(ndarray::s![.., 1, ..]).fill(0.0);
    // Channel 0 is a brake on all units, used once: at step 7 of trial 3.
    p.weights.w_in_mut().column_mut(0).fill(-1.0);
    p.trials.x.slice_mut(ndarray::s![.., .., 0]).fill(0.0);
    p.trials.x[[7, 3, 0]] = 1e6;
    let found = p.spectrum(SpectrumSettings::leading(3, Skip::Auto));
    assert_eq!((found.silent_trials, found.finite, found.skip), (2, 3, 1));
    for b in [1, 3] {
        assert!(found.per_trial.row(b).iter().all(|l| l.is_nan()));
    }
    let others: Vec<usize> = vec![0, 2, 4];
    let mean: Vec<f64> =
        (0..3).map(|i| others.iter().map(|b| found.per_trial[[*b, i]]).sum::<f64>() / 3.0).collect();
    assert!(difference(&found.mean, &mean) < 1e-14);
    let (expected, _) = p.exponents(3, Some(1));
    for b in others {
        assert!(difference(found.per_trial.row(b), expected.row(b)) < 1e-8);
    }
    let (outcome, gradient) = p.floss(3, FlossingVariant::Exact, Skip::Auto);
    assert_eq!(outcome.silent_trials, 2);
    assert!(difference(&outcome.exponents, &found.mean) < 1e-8);
    assert!(gradient.flat().iter().all(|g| g.is_finite()) && gradient.norm() > 0.0);
}

#[test]
fn without_a_trial_or_a_step_there_is_no_exponent() {
    let mut silent = problem(CASE);
    silent.trials.x.fill(0.0);
    let none = problem(Case { n_batch: 0, ..CASE });
    let no_steps = problem(Case { n_steps: 0, ..CASE });
    let short = problem(CASE);
    for (p, skip, silent_trials) in [
        (&silent, Skip::Auto, 5),
        (&silent, Skip::Steps(3), 5),
        (&none, Skip::Auto, 0),
        (&no_steps, Skip::Auto, 5),
        (&short, Skip::Steps(20), 0),
        (&short, Skip::Steps(1000), 0),
    ] {
        for n in [0, 1] {
            let settings = SpectrumSettings { convergence: true, ..SpectrumSettings::leading(n, skip) };
            let found = p.spectrum(settings);
            assert_eq!((found.finite, found.silent_trials), (0, silent_trials));
            assert!(found.mean.iter().all(|l| l.is_nan()) && found.max().is_nan() && found.sum().is_nan());
            assert!(found.kaplan_yorke_dimension().is_nan() && found.entropy_rate().is_nan());
        }
        let (outcome, gradient) = p.floss(2, FlossingVariant::Exact, skip);
        assert!(outcome.loss.is_nan() && outcome.finite == 0);
        assert!(gradient.flat().iter().all(|g| *g == 0.0));
    }
}

#[test]
fn weights_that_are_not_finite_give_nan_and_no_panic() {
    for bad in [f64::NAN, f64::INFINITY, 1e300] {
        let mut p = problem(CASE);
        p.weights.w_rec_mut().fill(bad);
        for n in [0, 1, 3] {
            let found = p.spectrum(SpectrumSettings::leading(n, Skip::Auto));
            assert!(!found.mean[0].is_finite(), "{bad}: {:?}", found.mean);
        }
        let (outcome, _) = p.floss(3, FlossingVariant::Exact, Skip::Auto);
        assert!(!outcome.loss.is_finite());
    }
}

/// The last row of the convergence is the result; every row is the mean of shorter trials.
#[test]
fn convergence_ends_at_the_result_and_holds_the_means_so_far() {
    let p = problem(CASE);
    let settings = SpectrumSettings { convergence: true, ..all() };
    let found = p.spectrum(settings);
    let curve = found.convergence.clone().expect("asked for");
    assert_eq!(curve.dim(), (CASE.n_steps - found.skip, 12));
    assert!(difference(curve.row(curve.nrows() - 1), &found.mean) < 1e-13);
    let mut shorter = problem(CASE);
    shorter.trials.x = shorter.trials.x.slice(ndarray::s![..11, .., ..]).to_owned();
    shorter.trials.mask = shorter.trials.mask.slice(ndarray::s![..11, ..]).to_owned();
    let short = shorter.spectrum(SpectrumSettings { orthonormalise: Orthonormalise::EveryStep, ..all() });
    assert!(difference(curve.row(10 - found.skip), &short.mean) < 1e-13);
}

/// What blocks of steps cost in precision: f32 sparing against f64 with a QR after every step, N = 64. (L6) bounds
/// the error of a pivot by 4e-3; chance, the length of the block and the mean over 50 steps and 32 trials leave
/// a few 1e-7 of it (a QR after every step in f32: up to 1e-7).
#[test]
fn sparing_exponents_in_f32_are_those_of_f64_after_every_step() {
    for activation in [Activation::Relu, Activation::Tanh] {
        for gain in [0.2, 0.6, 1.0] {
            let p = problem(Case { n_rec: 64, n_batch: 32, n_steps: 50, quiet: 0, gain, activation, ..CASE });
            let every = SpectrumSettings { orthonormalise: Orthonormalise::EveryStep, ..all() };
            let exact = p.spectrum(every);
            let sparing = p.spectrum(all());
            let single = in_f32(&p, all());
            let f64_error = difference(&sparing.mean, &exact.mean);
            let f32_error = difference(&single.mean, &exact.mean);
            assert!(f64_error < 1e-13, "{activation:?} {gain}: {f64_error:e}");
            assert!(f32_error < 3e-6, "{activation:?} {gain}: {f32_error:e}");
            assert_ne!(bits(&sparing.mean), bits(&exact.mean), "blocks are taken");
        }
    }
}

#[test]
fn kaplan_yorke_and_entropy_follow_their_definitions() {
    assert_eq!(kaplan_yorke_dimension(&[]), 0.0);
    assert_eq!(kaplan_yorke_dimension(&[-1.0, 0.25, -0.5]), 1.5);
    assert_eq!(kaplan_yorke_dimension(&[0.5, 0.25]), 2.0);
    assert_eq!(kaplan_yorke_dimension(&[0.5, f64::NEG_INFINITY]), 1.0);
    assert!(kaplan_yorke_dimension(&[0.5, f64::NAN]).is_nan());
    let p = problem(Case { gain: 3.0, alpha: 0.2, activation: Activation::Tanh, ..CASE });
    let found = p.spectrum(all());
    let positive: f64 = found.mean.iter().filter(|l| **l > 0.0).sum();
    assert!(positive > 0.0 && found.entropy_rate() == positive);
    assert_eq!(found.kaplan_yorke_dimension(), kaplan_yorke_dimension(&found.mean));
}

#[test]
fn a_q0_of_the_recurrent_units_serves_a_network_with_adaptive_units() {
    let mut p = problem(Case { adaptive: 3, ..CASE });
    assert!(q0_fits((15, 15), 0, &p.network) && q0_fits((15, 4), 4, &p.network));
    assert!(q0_fits((12, 12), 0, &p.network) && q0_fits((12, 2), 2, &p.network));
    for shape in [(12, 11), (15, 14), (11, 15), (12, 2), (0, 0)] {
        assert!(!q0_fits(shape, 0, &p.network), "{shape:?}");
    }
    let small = p.q0.slice(ndarray::s![..12, ..12]).to_owned();
    let mut embedded = Array2::eye(15);
    embedded.slice_mut(ndarray::s![..12, ..12]).assign(&small);
    p.q0 = embedded;
    let whole = p.spectrum(all());
    p.q0 = small;
    assert_eq!(bits(&p.spectrum(all()).mean), bits(&whole.mean));
}

/// Trials of a group that are done (dead or not yet started) do not disturb the others: each alone gives the
/// same, to rounding of products of other sizes.
#[test]
fn trials_together_give_what_each_gives_alone() {
    let p = problem(Case { alpha: 0.0, n_batch: 9, quiet: 4, gain: 1.4, ..CASE });
    for n in [2, 5, 12] {
        let settings = SpectrumSettings::leading(n, Skip::Steps(5));
        let together = p.spectrum(settings);
        for b in 0..9 {
            let mut alone = problem(Case { alpha: 0.0, n_batch: 9, quiet: 4, gain: 1.4, ..CASE });
            alone.trials.x = alone.trials.x.slice(ndarray::s![.., b..b + 1, ..]).to_owned();
            alone.trials.mask = alone.trials.mask.slice(ndarray::s![.., b..b + 1]).to_owned();
            let alone = alone.spectrum(settings);
            for (x, y) in together.per_trial.row(b).iter().zip(&alone.mean) {
                assert!(x == y || (x - y).abs() < 1e-8, "{b} {n}: {x} {y}");
            }
        }
    }
}

/// At gain 3 a ReLU network without input grows beyond the largest f32 within 500 steps; its exponents are finite
/// all the same. Over 20 steps they are those of the growing states themselves, written out in f64.
#[test]
fn free_runs_that_grow_without_bound_have_finite_exponents() {
    for adaptive in [0, 4] {
        let p = problem(Case { gain: 3.0, alpha: 0.2, n_rec: 24, n_steps: 20, n_batch: 3, adaptive, ..CASE });
        let stream = || Stream::new(5, Purpose::Measures);
        let (n, settings) = (4, SpectrumSettings::leading(4, Skip::Auto));

        let long = FreeRun { n_steps: 500, n_states: 3 };
        let mut single = LyapunovSpectrum::new(&p.network.cast::<f32>());
        let weights = p.weights.cast();
        let found = single.run_free(&weights, long, settings, p.q0.view(), &mut stream(), &Serial);
        assert_eq!((found.finite, found.silent_trials), (n, 0), "{adaptive}: {:?}", found.mean);
        assert!(found.per_trial.iter().all(|l| l.is_finite()));
        let growth = 500.0 * found.max();
        assert!(growth > f64::from(f32::MAX).ln(), "{adaptive}: e^{growth} is a number in f32");

        let short = FreeRun { n_steps: 20, n_states: 3 };
        let found = LyapunovSpectrum::new(&p.network).run_free(
            &p.weights,
            short,
            settings,
            p.q0.view(),
            &mut stream(),
            &Serial,
        );
        let in_f32 = single.run_free(&weights, short, settings, p.q0.view(), &mut stream(), &Serial);
        let mut states = stream();
        for b in 0..3 {
            let start = (0..24).map(|_| states.normal()).collect();
            let (jacobians, _) = p.jacobians_from(start, None, &p.weights);
            let logs = log_pivots(&jacobians, p.q0.view(), n);
            let expected: Vec<f64> = (0..n).map(|i| logs.iter().map(|l| l[i]).sum::<f64>() / 20.0).collect();
            // Blocks of steps cost up to 1e-8 here, rounding of f32 a few 1e-6.
            assert!(difference(found.per_trial.row(b), &expected) < 1e-8);
            assert!(difference(in_f32.per_trial.row(b), &expected) < 1e-4);
        }
    }
}
