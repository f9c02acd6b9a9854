//! The Hessian-vector product against its symmetry, against differences of the gradient, and against itself
//! over blocks, chunks, workers and precisions.

use basinscope::numerics::curvature::hessian::Hessian;
use basinscope::numerics::curvature::operator::LinearOperator;
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::trials::{LossKind, Target};
use basinscope::numerics::weights::{Block, dot};
use proptest::prelude::*;

use crate::problem::{BLOCKS, Kind, Problem, TwoThreads, difference, kinds, normal, problem, smooth_kinds};

/// Sums of a few hundred f64 products in two orders differ by some 1e-15 relative; 1e-12 leaves room for
/// cancellation and none for a wrong term.
const ROUNDING: f64 = 1e-12;

fn product(p: &Problem, block: Block, l2: f64, v: &[f64]) -> Vec<f64> {
    let mut out = vec![f64::NAN; v.len()];
    p.hessian().over(block, l2, &Serial).apply(v, &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_hessian_is_symmetric(seed in 0u64..10_000, kind in kinds()) {
        let p = problem(seed, kind);
        for block in BLOCKS {
            let n = block.range(p.weights.dims()).len();
            let mut s = Stream::new(seed, Purpose::Measures);
            let (u, v) = (normal(n, &mut s), normal(n, &mut s));
            let (hu, hv) = (product(&p, block, 0.0, &u), product(&p, block, 0.0, &v));
            let scale = (dot(&hu, &hu) * dot(&v, &v)).sqrt();
            prop_assert!((dot(&u, &hv) - dot(&v, &hu)).abs() <= ROUNDING * scale, "{block:?}");
        }
    }

    /// Central differences with step h = 1e-5 of a gradient of order 1 err by eps/h = 1e-11 from rounding and by
    /// h^2 = 1e-10 times a third derivative, which 3e-7 leaves room for; a missing term errs by 1e-2 and more.
    /// tanh only: a kink of ReLU inside the step is no error of the product.
    #[test]
    fn the_product_equals_differences_of_the_exact_gradient(seed in 0u64..10_000, kind in smooth_kinds()) {
        let p = problem(seed, kind);
        for block in BLOCKS {
            let n = block.range(p.weights.dims()).len();
            let v = normal(n, &mut Stream::new(seed, Purpose::Measures));
            let (exact, differences) = (product(&p, block, 0.0, &v), p.differences(block, &v, 1e-5));
            let scale = differences.iter().fold(1e-3f64, |m, d| m.max(d.abs()));
            for (e, d) in exact.iter().zip(&differences) {
                prop_assert!((e - d).abs() < 3e-7 * scale, "{block:?}: {e} {d}");
            }
        }
    }

    /// ReLU: the same comparison, where no unit comes near its kink inside the step. A network of ReLU units is
    /// piecewise smooth, and a step of 1e-7 crosses a kink of these small networks in few seeds: then the
    /// differences at two steps disagree, and the case is left out.
    #[test]
    fn away_from_kinks_the_product_of_relu_networks_equals_differences_too(seed in 0u64..10_000, kind in kinds()) {
        let p = problem(seed, Kind { activation: Activation::Relu, ..kind });
        for block in BLOCKS {
            let n = block.range(p.weights.dims()).len();
            let v = normal(n, &mut Stream::new(seed, Purpose::Measures));
            let (near, far) = (p.differences(block, &v, 1e-6), p.differences(block, &v, 2e-6));
            prop_assume!(difference(&near, &far) < 1e-6);
            let exact = product(&p, block, 0.0, &v);
            let scale = near.iter().fold(1e-3f64, |m, d| m.max(d.abs()));
            for (e, d) in exact.iter().zip(&near) {
                prop_assert!((e - d).abs() < 1e-6 * scale, "{block:?}: {e} {d}");
            }
        }
    }

    #[test]
    fn a_block_is_the_matching_part_of_the_whole_and_l2_stands_on_its_diagonal(seed in 0u64..10_000, kind in kinds()) {
        let p = problem(seed, kind);
        let dims = p.weights.dims();
        for block in BLOCKS {
            let range = block.range(dims);
            let v = normal(range.len(), &mut Stream::new(seed, Purpose::Measures));
            let mut whole = vec![0.0; dims.n_weights()];
            whole[range.clone()].copy_from_slice(&v);
            let whole = product(&p, Block::All, 0.0, &whole);
            let part = product(&p, block, 0.0, &v);
            prop_assert!(difference(&part, &whole[range]) < ROUNDING, "{block:?}");
            let with_l2 = product(&p, block, 0.25, &v);
            let expected: Vec<f64> = part.iter().zip(&v).map(|(h, v)| h + 0.25 * v).collect();
            prop_assert!(difference(&with_l2, &expected) < ROUNDING, "{block:?}");
        }
    }

    #[test]
    fn the_base_pass_gives_the_loss_of_the_gradient_pass(seed in 0u64..10_000, kind in kinds()) {
        let p = problem(seed, kind);
        let loss = Hessian::new(&p.network).prepare(&p.weights, &p.trials, &Serial);
        let expected = GradientPass::new(&p.network).run(&p.weights, &p.trials, &[], &mut [], &Serial).loss;
        prop_assert!((loss - expected).abs() < ROUNDING * expected.abs());
    }
}

const LARGE: Kind = Kind {
    alpha: 0.4,
    activation: Activation::Tanh,
    adaptive: 2,
    loss: LossKind::Classification,
    n_batch: 70,
};

#[test]
fn the_number_of_workers_changes_no_bit() {
    let p = problem(3, LARGE);
    let v = normal(p.weights.flat().len(), &mut Stream::new(3, Purpose::Measures));
    let by = |workers: &dyn Workers| {
        let mut hessian = Hessian::new(&p.network);
        let loss = hessian.prepare(&p.weights, &p.trials, workers);
        let mut out = vec![0.0; v.len()];
        hessian.over(Block::All, 0.1, workers).apply(&v, &mut out);
        (loss, out)
    };
    assert_eq!(by(&Serial), by(&TwoThreads));
}

/// Three chunks (32, 32 and 6 trials) against central differences, as above.
#[test]
fn a_batch_over_several_chunks_has_the_hessian_of_the_whole_batch() {
    for loss in [LossKind::Regression, LossKind::Classification] {
        let p = problem(8, Kind { loss, ..LARGE });
        let v = normal(p.weights.flat().len(), &mut Stream::new(8, Purpose::Measures));
        let (exact, differences) = (product(&p, Block::All, 0.0, &v), p.differences(Block::All, &v, 1e-5));
        assert!(difference(&exact, &differences) < 3e-7);
    }
}

#[test]
fn buffers_of_an_earlier_batch_leave_no_trace() {
    let (a, b) = (problem(3, LARGE), problem(3, Kind { n_batch: 2, ..LARGE }));
    let v = normal(b.weights.flat().len(), &mut Stream::new(4, Purpose::Measures));
    let (mut first, mut again) = (vec![0.0; v.len()], vec![0.0; v.len()]);
    let mut hessian = b.hessian();
    hessian.over(Block::All, 0.0, &Serial).apply(&v, &mut first);
    hessian.prepare(&a.weights, &a.trials, &Serial);
    hessian.over(Block::All, 0.0, &Serial).apply(&v, &mut again);
    assert_ne!(first, again);
    for block in BLOCKS {
        let own = block.range(b.weights.dims());
        hessian.over(block, 0.0, &Serial).apply(&v[own.clone()], &mut again[own]);
    }
    hessian.prepare(&b.weights, &b.trials, &Serial);
    hessian.over(Block::All, 0.0, &Serial).apply(&v, &mut again);
    assert_eq!(first, again);
}

/// f32 carries 6e-8; a few steps of a few dozen sums make 1e-5 of it.
#[test]
fn single_precision_is_close_to_double() {
    for (seed, activation, loss) in
        [(1, Activation::Relu, LossKind::Regression), (2, Activation::Tanh, LossKind::Classification)]
    {
        let p = problem(seed, Kind { activation, loss, ..LARGE });
        let v = normal(p.weights.flat().len(), &mut Stream::new(seed, Purpose::Measures));
        let exact = product(&p, Block::All, 0.0, &v);
        let mut hessian = Hessian::<f32>::new(&p.network.cast());
        hessian.prepare(&p.weights.cast(), &p.trials.cast(), &Serial);
        let v: Vec<f32> = v.iter().map(|v| *v as f32).collect();
        let mut out = vec![0.0f32; v.len()];
        hessian.over(Block::All, 0.0, &Serial).apply(&v, &mut out);
        let out: Vec<f64> = out.iter().map(|v| f64::from(*v)).collect();
        let difference = difference(&exact, &out);
        assert!(difference < 1e-5, "{difference:e}");
        assert!(difference > 0.0, "single precision was used");
    }
}

/// With squared error the readout enters linearly: its Hessian is sum m/(M n_out) z z^T, once for each output.
#[test]
fn the_readout_block_of_a_regression_is_the_activity_s_covariance() {
    let p = problem(11, Kind { loss: LossKind::Regression, n_batch: 3, ..LARGE });
    let dims = p.weights.dims();
    let Target::Values(_) = &p.trials.target else { panic!("a regression") };
    let dense = p.dense(Block::Readout);
    let n = dims.n_out * dims.n_rec;
    let mut expected = vec![0.0; n * n];
    let mut packed = basinscope::numerics::network::PackedWeights::zeros(dims);
    packed.pack(&p.network, &p.weights);
    let (n_steps, n_batch) = (p.trials.n_steps(), p.trials.n_batch());
    let mut activity = basinscope::numerics::network::Activity::new(&p.network, n_steps, n_batch, false);
    activity.load(&p.trials, 0);
    activity.forward(&p.network, &packed);
    for t in 0..n_steps {
        for b in 0..n_batch {
            let z = &activity.z[((t + 1) * n_batch + b) * dims.n_rec..][..dims.n_rec];
            let weight = p.trials.mask[[t, b]] / (p.trials.mask_sum() * dims.n_out as f64);
            for k in 0..dims.n_out {
                for i in 0..dims.n_rec {
                    for j in 0..dims.n_rec {
                        expected[(k * dims.n_rec + i) * n + k * dims.n_rec + j] += weight * z[i] * z[j];
                    }
                }
            }
        }
    }
    assert!(difference(dense.entries(), &expected) < ROUNDING);
}

#[test]
fn a_batch_without_weight_or_without_input_has_no_curvature() {
    let mut p = problem(5, LARGE);
    let v = normal(p.weights.flat().len(), &mut Stream::new(5, Purpose::Measures));
    let masked = p.trials.mask.clone();
    p.trials.mask.fill(0.0);
    assert!(product(&p, Block::All, 0.0, &v).iter().all(|h| *h == 0.0));
    p.trials.mask = masked;
    p.trials.x.fill(0.0);
    assert!(product(&p, Block::All, 0.0, &v).iter().all(|h| *h == 0.0));
}

#[test]
fn a_product_allocates_nothing_after_the_first() {
    for kind in
        [LARGE, Kind { activation: Activation::Relu, adaptive: 0, loss: LossKind::Regression, ..LARGE }]
    {
        let p = problem(3, kind);
        let mut hessian = p.hessian();
        for block in BLOCKS {
            let mut operator = hessian.over(block, 0.1, &Serial);
            let v = normal(operator.dim(), &mut Stream::new(3, Purpose::Measures));
            let mut out = vec![0.0; v.len()];
            operator.apply(&v, &mut out);
            let ((), calls) = crate::allocations::calls(|| operator.apply(&v, &mut out));
            assert_eq!(calls, 0, "{block:?}");
        }
    }
}
