//! Alignment of gradients, Taylor terms of a step, and stability lines.

use basinscope::numerics::curvature::alignment::{alignment, shares_in_top, taylor_terms};
use basinscope::numerics::curvature::lanczos::{Eigenpair, Lanczos, Wanted};
use basinscope::numerics::curvature::operator::{DiagonalOperator, LinearOperator};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::{Bptt, EProp};
use basinscope::numerics::trials::LossKind;
use basinscope::numerics::weights::{Block, dot};

use crate::problem::{Kind, normal, problem};

fn unit(n: usize, i: usize) -> Eigenpair<f64> {
    let mut vector = vec![0.0; n];
    vector[i] = 1.0;
    Eigenpair { value: 1.0, residual: 0.0, converged: true, vector }
}

#[test]
fn alignment_of_vectors_with_known_angle() {
    // g^ = 0.6 g + 0.8 |g| n with n orthogonal to g: rho 0.6, cosine 0.6.
    let found = alignment(&[1.2, 1.6, 0.0], &[2.0, 0.0, 0.0]).expect("defined");
    assert!((found.rho - 0.6).abs() < 1e-15);
    assert!((found.cosine.expect("defined") - 0.6).abs() < 1e-15);
    assert!((found.update_ratio - 1.0).abs() < 1e-15);
    assert!((found.relative_error - 0.8f64.sqrt()).abs() < 1e-15);
    // Against the gradient.
    let against = alignment(&[-1.0, 0.0], &[2.0, 0.0]).expect("defined");
    assert_eq!((against.rho, against.cosine), (-0.5, Some(-1.0)));
    // Degenerate.
    assert_eq!(alignment(&[1.0], &[0.0]), None);
    assert_eq!(alignment(&[f64::NAN], &[1.0]), None);
    assert_eq!(alignment(&[0.0, 0.0], &[1.0, 2.0]).expect("defined").cosine, None);
}

#[test]
fn shares_in_a_subspace_are_those_of_the_coordinates() {
    // e = g^ - rho g = (0, 3, 4): 9/25 of it in the first two coordinates, all of g.
    let (rule, exact) = ([0.7, 3.0, 4.0], [1.0, 0.0, 0.0]);
    let shares = shares_in_top(&rule, &exact, &[unit(3, 0), unit(3, 1)]);
    assert!((shares.error.expect("defined") - 0.36).abs() < 1e-15);
    assert_eq!(shares.gradient, Some(1.0));
    assert_eq!(shares_in_top(&rule, &exact, &[]).error, Some(0.0));
    // The exact rule and its multiples make no error; no gradient has no shares.
    let exact: Vec<f64> = (0..50).map(|i| f64::from(i).sin()).collect();
    let scaled: Vec<f64> = exact.iter().map(|g| 0.3 * g).collect();
    assert_eq!(shares_in_top(&exact, &exact, &[unit(50, 0)]).error, None);
    assert_eq!(shares_in_top(&scaled, &exact, &[unit(50, 0)]).error, None);
    assert_eq!(shares_in_top(&[0.0; 3], &[0.0; 3], &[unit(3, 0)]).gradient, None);
}

/// The two terms are what the loss does along the step, up to third order: at step size h the rest is of order
/// h^3, so halving h divides it by 8.
#[test]
fn taylor_terms_follow_the_loss_along_the_step() {
    for (seed, loss) in [(1, LossKind::Regression), (2, LossKind::Classification)] {
        let kind = Kind { alpha: 0.4, activation: Activation::Tanh, adaptive: 1, loss, n_batch: 3 };
        let p = problem(seed, kind);
        let (exact, rule) = (p.gradient_at(&p.weights, &Bptt), p.gradient_at(&p.weights, &EProp));
        let mut hessian = p.hessian();
        let here = p.loss(&p.weights);
        let mut rest = |eta: f64| {
            let mut operator = hessian.over(Block::All, 0.0, &Serial);
            let terms = taylor_terms(&mut operator, eta, exact.flat(), rule.flat()).expect("finite");
            let mut w = p.weights.clone();
            w.flat_mut().iter_mut().zip(rule.flat()).for_each(|(w, g)| *w -= eta * g);
            let rest = p.loss(&w) - here - terms.first - terms.second;
            (rest, terms)
        };
        let ((far, terms), (near, _)) = (rest(2e-2), rest(1e-2));
        assert!((far / near - 8.0).abs() < 1.0, "{far:e} {near:e}");
        assert!(far.abs() < 0.2 * terms.second.abs(), "the second term matters: {far:e} {terms:?}");
    }
}

/// P1 B.3: at rate eta/rho a rule's terms are the exact rule's; the first always, the second where the rule's
/// error has no curvature along it.
#[test]
fn at_a_rate_of_eta_over_rho_a_rule_s_terms_are_the_exact_rule_s() {
    let n = 30;
    let mut s = Stream::new(4, Purpose::Measures);
    let mut h = DiagonalOperator::new((0..n).map(|i| if i < 10 { 10.0 - i as f64 } else { 0.0 }).collect());
    // The gradient lies in the leading eigenvectors, the error outside.
    let mut exact = normal(n, &mut s);
    exact[10..].fill(0.0);
    let mut rule: Vec<f64> = exact.iter().map(|g| 0.25 * g).collect();
    rule[10..].iter_mut().for_each(|r| *r = s.normal());
    let rho = alignment(&rule, &exact).expect("defined").rho;
    assert!((rho - 0.25).abs() < 1e-15);
    let of_exact = taylor_terms(&mut h, 0.1, &exact, &exact).expect("finite");
    let of_rule = taylor_terms(&mut h, 0.1, &exact, &rule).expect("finite");
    let faster = of_rule.at_rate(1.0 / rho);
    assert!((faster.first - of_exact.first).abs() < 1e-14 * of_exact.first.abs());
    assert!((faster.second - of_exact.second).abs() < 1e-14 * of_exact.second);
    let direct = taylor_terms(&mut h, 0.1 / rho, &exact, &rule).expect("finite");
    assert!((direct.second - faster.second).abs() < 1e-14 * faster.second);
    assert!((of_rule.second - of_exact.second).abs() > 0.5 * of_exact.second);
}

/// On real gradients, against sums over a dense eigenbasis.
#[test]
fn shares_in_top_eigenvectors_equal_projections_on_a_dense_eigenbasis() {
    let kind = Kind {
        alpha: 0.4,
        activation: Activation::Relu,
        adaptive: 0,
        loss: LossKind::Regression,
        n_batch: 3,
    };
    let p = problem(9, kind);
    let (exact, rule) = (p.gradient_at(&p.weights, &Bptt), p.gradient_at(&p.weights, &EProp));
    let (exact, rule) = (exact.block(Block::Recurrent), rule.block(Block::Recurrent));
    let dense = p.dense(Block::Recurrent);
    let n = dense.dim();
    let matrix = faer::Mat::from_fn(n, n, |i, j| dense.entries()[i * n + j]);
    let eigen = matrix.self_adjoint_eigen(faer::Side::Lower).expect("finite");
    let k = 4;
    let rho = dot(rule, exact) / dot(exact, exact);
    let error: Vec<f64> = rule.iter().zip(exact).map(|(r, g)| r - rho * g).collect();
    let share = |v: &[f64]| {
        let along = |j: usize| (0..n).map(|i| eigen.U()[(i, n - 1 - j)] * v[i]).sum::<f64>();
        (0..k).map(|j| along(j).powi(2)).sum::<f64>() / dot(v, v)
    };
    let wanted = Wanted { top: k, bottom: 0, tolerance: 1e-10, max_products: 500, multiplicities: true };
    let mut hessian = p.hessian();
    let mut operator = hessian.over(Block::Recurrent, 0.0, &Serial);
    let mut s = Stream::new(1, Purpose::Measures);
    let top = Lanczos::default().extremes(&mut operator, wanted, &[], &mut s).expect("finite").top;
    let found = shares_in_top(rule, exact, &top);
    assert!((found.error.expect("defined") - share(&error)).abs() < 1e-9);
    assert!((found.gradient.expect("defined") - share(exact)).abs() < 1e-9);
}
