//! Gradients of flossing against finite differences of what each variant differentiates.

use basinscope::numerics::lyapunov::{Flossing, FlossingOutcome, FlossingSettings, FlossingVariant, Skip};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::weights::{Block, Weights};
use faer::Mat;
use proptest::prelude::*;

use crate::plain::{CASE, Case, Problem, difference, log_pivots, problem};

impl Problem {
    pub fn floss(&self, k: usize, variant: FlossingVariant, skip: Skip) -> (FlossingOutcome, Weights<f64>) {
        let mut gradient = Weights::zeros(self.network.dims);
        let settings = FlossingSettings { k, variant, skip };
        let outcome = Flossing::new(&self.network).loss_and_gradient(
            &self.weights,
            &self.trials,
            settings,
            self.q0.view(),
            &Serial,
            &mut gradient,
        );
        (outcome, gradient)
    }

    /// F from the Jacobians that `jacobians` gives for each trial, and the start of its tangents.
    fn loss(&self, k: usize, skip: usize, jacobians: impl Fn(usize) -> (Vec<Mat<f64>>, usize)) -> f64 {
        let n_batch = self.trials.n_batch();
        let mut sums = vec![0.0; k];
        for b in 0..n_batch {
            let (jacobians, start) = jacobians(b);
            let from = skip.max(start);
            let logs = log_pivots(&jacobians[start..], self.q0.view(), k);
            for step in &logs[from - start..] {
                let steps = (jacobians.len() - from) as f64;
                sums.iter_mut().zip(step).for_each(|(s, l)| *s += l / steps / n_batch as f64);
            }
        }
        sums.iter().map(|l| l * l).sum()
    }

    /// The same problem with weight `i` moved.
    fn moved(&self, i: usize, step: f64) -> Problem {
        let mut weights = self.weights.clone();
        weights.flat_mut()[i] += step;
        Problem { network: self.network.clone(), weights, trials: self.trials.clone(), q0: self.q0.clone() }
    }

    fn start(&self, first: usize) -> usize {
        if self.network.activation == Activation::Relu { first } else { 0 }
    }

    /// The Jacobians of one trial with the slopes of `self` and the weights of `other`.
    fn frozen(&self, other: &Problem, b: usize) -> (Vec<Mat<f64>>, usize) {
        let (jacobians, first) = self.jacobians_with(b, &other.weights);
        (jacobians, self.start(first))
    }
}

/// Central differences of fourth order with step 1e-5: they err by (1e-5/s)^4 of the scale where a singular
/// value s of a Jacobian is small (1e-8 at s = 1e-3), and by rounding, 1e-15/1e-5 of F.
fn assert_slope(found: f64, slope: f64, scale: f64, what: &str) {
    assert!((found - slope).abs() < 1e-6 * scale, "{what}: {found} {slope}, scale {scale}");
}

/// The gradient is 2 sum_i lambda_i dlambda_i: where the exponents happen to be 0 so is the gradient, and a
/// relative error means nothing. Such draws are told by the independent loss, not by the gradient under test.
const LEAST_LOSS: f64 = 1e-4;

/// A gradient can also be small by chance where the loss is not: below 1e-3 the rounding of the differences would be
/// all that is compared.
fn scale(gradient: &Weights<f64>) -> f64 {
    let scale = gradient.flat().iter().fold(0.0f64, |m, g| m.max(g.abs()));
    assert!(scale > 0.0, "the gradient is not zero");
    scale.max(1e-3)
}

fn slope(f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 1e-5;
    (8.0 * (f(STEP) - f(-STEP)) - (f(2.0 * STEP) - f(-2.0 * STEP))) / (12.0 * STEP)
}

fn cases(activation: Activation) -> impl Strategy<Value = Case> {
    (0u64..1000, 0.1..0.9f64, prop_oneof![Just(0), Just(3usize)], 0.4..1.8f64).prop_map(
        move |(seed, alpha, adaptive, gain)| Case {
            seed,
            alpha,
            activation,
            adaptive,
            gain,
            n_rec: 8,
            n_steps: 10,
            n_batch: 3,
            ..CASE
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_exact_gradient_is_that_of_the_loss_along_its_own_trajectory(
        case in cases(Activation::Tanh), k in 1usize..=8,
    ) {
        let p = problem(case);
        let (outcome, gradient) = p.floss(k, FlossingVariant::Exact, Skip::Auto);
        let loss = |p: &Problem| p.loss(k, outcome.skip, |b| {
            let (jacobians, first) = p.jacobians(b);
            (jacobians, p.start(first))
        });
        prop_assert!((outcome.loss - loss(&p)).abs() < 1e-9);
        prop_assume!(loss(&p) > LEAST_LOSS);
        let scale = scale(&gradient);
        let trained = Block::Recurrent.range(p.network.dims).end + p.network.dims.n_in * case.n_rec;
        for i in (0..trained).step_by(3) {
            let slope = slope(|step| loss(&p.moved(i, step)));
            assert_slope(gradient.flat()[i], slope, scale, "exact");
        }
        prop_assert!(gradient.block(Block::Input).iter().any(|g| *g != 0.0));
    }

    #[test]
    fn the_detached_gradient_is_that_of_the_loss_with_the_slopes_held_fixed(
        case in prop_oneof![cases(Activation::Tanh), cases(Activation::Relu)], k in 1usize..=8,
    ) {
        let p = problem(case);
        let (outcome, gradient) = p.floss(k, FlossingVariant::Detached, Skip::Auto);
        let loss = |other: &Problem| p.loss(k, outcome.skip, |b| p.frozen(other, b));
        prop_assert!((outcome.loss - loss(&p)).abs() < 1e-9);
        prop_assume!(loss(&p) > LEAST_LOSS);
        let scale = scale(&gradient);
        for i in (0..case.n_rec * case.n_rec).step_by(3) {
            let slope = slope(|step| loss(&p.moved(i, step)));
            assert_slope(gradient.flat()[i], slope, scale, "detached");
        }
        prop_assert!(gradient.block(Block::Input).iter().all(|g| *g == 0.0));
    }

    #[test]
    fn the_local_gradient_is_that_of_single_steps_from_a_fixed_q(
        case in prop_oneof![cases(Activation::Tanh), cases(Activation::Relu)], k in 1usize..=8,
    ) {
        let p = problem(case);
        let (outcome, gradient) = p.floss(k, FlossingVariant::Local, Skip::Steps(4));
        let scale = scale(&gradient);
        // dF = sum_i 2 lambda_i dlambda_i, dlambda_i = mean over trials and steps of d ln R_ii at Q_t fixed.
        let all: Vec<_> = (0..p.trials.n_batch()).map(|b| p.frozen(&p, b)).collect();
        let bases: Vec<Vec<Mat<f64>>> = all.iter().map(|(jacobians, start)| {
            let mut q = Mat::from_fn(p.q0.nrows(), k, |i, j| p.q0[[i, j]]);
            jacobians[*start..].iter().map(|jacobian| {
                let next = (jacobian * &q).qr().compute_thin_Q();
                std::mem::replace(&mut q, next)
            }).collect()
        }).collect();
        let moved_logs = |other: &Problem| {
            let mut sums = vec![0.0; k];
            for (b, bases) in bases.iter().enumerate() {
                let (jacobians, start) = p.frozen(other, b);
                let from = start.max(4);
                for t in from..jacobians.len() {
                    let qr = (&jacobians[t] * &bases[t - start]).qr();
                    let steps = (jacobians.len() - from) as f64 * all.len() as f64;
                    (0..k).for_each(|i| sums[i] += qr.thin_R()[(i, i)].abs().ln() / steps);
                }
            }
            sums
        };
        prop_assert!(difference(&moved_logs(&p), &outcome.exponents) < 1e-9);
        for i in (0..case.n_rec * case.n_rec).step_by(3) {
            let along = |step: f64| -> f64 {
                outcome.exponents.iter().zip(moved_logs(&p.moved(i, step))).map(|(l, moved)| 2.0 * l * moved).sum()
            };
            let slope = slope(along);
            assert_slope(gradient.flat()[i], slope, scale, "local");
        }
    }

    #[test]
    fn detached_equals_exact_for_relu_and_not_for_tanh(seed in 0u64..1000, alpha in 0.1..0.9f64, adaptive in 0usize..3) {
        for activation in [Activation::Relu, Activation::Tanh] {
            let p = problem(Case { seed, alpha, adaptive, activation, ..CASE });
            let (_, exact) = p.floss(4, FlossingVariant::Exact, Skip::Auto);
            let (_, detached) = p.floss(4, FlossingVariant::Detached, Skip::Auto);
            let relative = difference(exact.flat(), detached.flat()) / scale(&exact);
            prop_assert_eq!(relative == 0.0, activation == Activation::Relu);
            prop_assert!(activation == Activation::Relu || relative > 1e-6);
        }
    }
}
