//! Loss and accuracy under noise.

use std::sync::atomic::{AtomicUsize, Ordering};

use basinscope::numerics::landscape::shake::{Radii, Shake, ShakeSettings, Spread, geometric, shake};
use basinscope::numerics::network::{Activation, Activity, Network, PackedWeights};
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::trials::LossKind::{Classification, Regression};
use basinscope::numerics::trials::{Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights, norm};

use super::common::problem::Problem;
use super::{TwoThreads, problem};

fn run(p: &Problem, block: Block, radii: Radii, draws: usize, workers: &dyn Workers) -> Shake {
    let settings = ShakeSettings { block, radii, draws, seed: 3 };
    let found = shake(&p.network, &p.trials, &p.weights, &settings, workers, &|| false);
    found.expect("finite weights").expect("not cancelled")
}

/// The loss is a quadratic form of w_out: over the unit sphere its mean rise at radius r is r^2 tr(H) / (2 P),
/// with tr(H) here from second differences along every weight (exact for a quadratic). The mean over 4000 draws
/// has the standard error measured below; 4 of them.
#[test]
fn the_mean_rise_of_a_quadratic_loss_is_its_trace() {
    let p = problem(1, Activation::Relu, Regression);
    let at_rest = p.loss(&p.weights);
    let n = p.weights.block(Block::Readout).len();
    let second_difference = |i: usize| {
        let at = |step: f64| {
            let mut weights = p.weights.clone();
            weights.block_mut(Block::Readout)[i] += step;
            p.loss(&weights)
        };
        at(1.0) - 2.0 * at_rest + at(-1.0)
    };
    let trace: f64 = (0..n).map(second_difference).sum();
    let found = run(&p, Block::Readout, Radii::Absolute(vec![3.0]), 4000, &Serial);
    assert_eq!(found.at_rest.loss, at_rest);
    let shaken = found.shaken[0];
    let expected = at_rest + 9.0 * trace / (2.0 * n as f64);
    // The spread of single draws is about the distance of the quartiles / 1.35.
    let standard_error = (shaken.loss.upper - shaken.loss.lower) / 1.35 / f64::sqrt(4000.0);
    assert!((shaken.loss.mean - expected).abs() < 4.0 * standard_error, "{shaken:?} {expected}");
    assert!(standard_error < 0.02 * (expected - at_rest), "the test can tell");
}

#[test]
fn the_radius_is_the_norm_of_the_noise_and_the_noise_is_the_same_at_every_radius() {
    let p = problem(2, Activation::Tanh, Regression);
    // Along a line through a quadratic, from second differences: L(r) - L(0) = s r + q r^2 for every draw, so
    // one draw at radii 1, 2, 3 obeys L(3) = L(0) + 3 (L(2) - L(1)).
    let found = run(&p, Block::Readout, Radii::Absolute(vec![1.0, 2.0, 3.0]), 1, &Serial);
    let [one, two, three] = [0, 1, 2].map(|i| found.shaken[i].loss.mean);
    assert!((three - found.at_rest.loss - 3.0 * (two - one)).abs() < 1e-12);
    // Relative radii are the same noise in units of the block's norm.
    let length = norm(p.weights.block(Block::Recurrent));
    let relative = run(&p, Block::Recurrent, Radii::Relative(vec![0.1, 0.5]), 8, &Serial);
    let radii = Radii::Absolute(vec![0.1 * length, 0.5 * length]);
    let absolute = run(&p, Block::Recurrent, radii, 8, &Serial);
    assert_eq!(relative, absolute);
    assert_eq!(relative.shaken[1].radius, 0.5 * length);
    assert!((relative.shaken[1].relative - 0.5).abs() < 1e-15);
    // No noise, no change.
    let still = run(&p, Block::All, Radii::Absolute(vec![0.0]), 4, &Serial);
    let loss = still.at_rest.loss;
    let spread = Spread { mean: still.shaken[0].loss.mean, lower: loss, median: loss, upper: loss };
    assert_eq!(still.shaken[0].loss, spread);
    assert!((spread.mean - loss).abs() < 1e-15);
}

/// With one weight a unit vector is 1 or -1: every draw is one of two losses.
#[test]
fn noise_on_a_single_weight_has_the_radius_itself() {
    let dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };
    let shape = TrialsShape { n_steps: 2, n_batch: 1, n_in: 1, n_out: 1, loss: Regression };
    let mut trials = Trials::zeros(shape);
    trials.x.fill(1.0);
    trials.mask.fill(1.0);
    let network = Network::plain(dims, 0.5, Activation::Tanh);
    let weights = Weights::from_flat(dims, vec![0.3, 0.7, 1.1]).expect("three weights");
    let p = Problem { network, weights, trials, block: Block::Input };
    let at = |step: f64| {
        let mut moved = p.weights.clone();
        moved.block_mut(Block::Input)[0] += step;
        p.loss(&moved)
    };
    let found = run(&p, Block::Input, Radii::Absolute(vec![0.25]), 41, &Serial).shaken[0];
    let (low, high) = (at(-0.25), at(0.25));
    assert!((found.loss.lower - low).abs() < 1e-14 && (found.loss.upper - high).abs() < 1e-14, "{found:?}");
    let share = (found.loss.mean - low) / (high - low) * 41.0;
    assert!((share - share.round()).abs() < 1e-10 && (8.0..33.0).contains(&share), "{share} of 41");
    assert_eq!((found.radius, found.relative), (0.25, 0.25 / 0.7));
}

#[test]
fn more_noise_does_more_harm_and_accuracy_falls_to_chance() {
    let mut p = problem(3, Activation::Relu, Classification);
    // Labels that the network gives by itself: accuracy 1 at rest.
    let mut activity = Activity::new(&p.network, p.trials.n_steps(), 35, false);
    let mut packed = PackedWeights::zeros(super::DIMS);
    packed.pack(&p.network, &p.weights);
    activity.load(&p.trials, 0);
    activity.forward(&p.network, &packed);
    if let Target::Labels(labels) = &mut p.trials.target {
        let right = activity.y.chunks_exact(2).map(|y| u32::from(y[1] > y[0]));
        labels.iter_mut().zip(right).for_each(|(l, right)| *l = right);
    }
    let found = run(&p, Block::All, Radii::Relative(geometric(0.01, 10.0, 4)), 200, &Serial);
    assert_eq!(found.at_rest.accuracy, Some(1.0));
    let accuracy = |i: usize| found.shaken[i].accuracy.expect("a classification task").mean;
    assert!(found.shaken.windows(2).all(|w| w[1].loss.mean > w[0].loss.mean), "{found:?}");
    assert!(accuracy(0) > 0.97 && accuracy(1) < accuracy(0) && accuracy(2) < accuracy(1));
    // Of two classes, half.
    assert!((accuracy(3) - 0.5).abs() < 0.1, "{}", accuracy(3));
    let none =
        run(&problem(3, Activation::Relu, Regression), Block::All, Radii::Relative(vec![0.1]), 3, &Serial);
    assert_eq!(none.shaken[0].accuracy, None);
}

#[test]
fn the_number_of_workers_changes_no_bit() {
    let p = problem(4, Activation::Relu, Classification);
    let radii = || Radii::Relative(geometric(0.01, 1.0, 5));
    assert_eq!(run(&p, Block::All, radii(), 30, &Serial), run(&p, Block::All, radii(), 30, &TwoThreads));
}

#[test]
fn overflow_is_counted_and_spoils_the_mean_only() {
    let p = problem(5, Activation::Relu, Regression);
    let found = run(&p, Block::Recurrent, Radii::Absolute(vec![0.1, 1e80]), 40, &Serial);
    assert_eq!(found.shaken[0].n_not_finite, 0);
    let wild = found.shaken[1];
    assert!(wild.n_not_finite > 0 && !wild.loss.mean.is_finite() && !wild.loss.upper.is_nan(), "{wild:?}");
    let spread = Spread::of(&[1.0, f64::NAN, 2.0, 3.0, f64::INFINITY]);
    assert!(spread.mean.is_nan());
    assert_eq!((spread.lower, spread.median, spread.upper), (2.0, 3.0, f64::INFINITY));
}

#[test]
fn a_cancelled_shake_stops_and_has_no_result() {
    let p = problem(6, Activation::Relu, Regression);
    let asked = AtomicUsize::new(0);
    let is_cancelled = || asked.fetch_add(1, Ordering::Relaxed) >= 5;
    let radii = Radii::Absolute(vec![0.1; 10]);
    let settings = ShakeSettings { block: Block::All, radii, draws: 20, seed: 1 };
    let found = shake(&p.network, &p.trials, &p.weights, &settings, &Serial, &is_cancelled);
    assert_eq!(found, Ok(None));
    // Once for each draw after the fifth evaluation.
    assert_eq!(asked.load(Ordering::Relaxed), 5 + 20);
    let mut bad = p.weights.clone();
    bad.flat_mut()[3] = f64::NAN;
    let refused = shake(&p.network, &p.trials, &bad, &settings, &Serial, &|| false);
    assert_eq!(
        refused.expect_err("NaN").to_string(),
        "the shaken network has a value NaN at index 3, expected finite values"
    );
}
