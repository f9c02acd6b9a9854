//! Stability lines: against gradient descent itself on quadratics, and their reasons.

use basinscope::numerics::curvature::stability::{
    Descent, Reason, Rho, RunFacts, Standing, adam_line, exact_line, median_rho, not_binding, stability_line,
};
use basinscope::numerics::trials::LossKind;
use basinscope::numerics::weights::Block;

/// The setting of the theorem.
const IDEAL: RunFacts = RunFacts {
    learning_rate: 0.1,
    constant_rate: true,
    descent: Descent::Sgd { momentum: 0.0 },
    l2: 0.0,
    hessian_with_l2: true,
    clip: None,
    rho: Rho::Exact,
    loss_kind: LossKind::Regression,
    n_out: 1,
    scored_steps: 1,
    trials: 1,
    full_batch: true,
    loss_share: Some(0.0),
    block: Block::All,
};

/// Whether w -> w - eta v, v = m v + rho lambda w + c w dies out from w = 1: descent on the loss lambda w^2 / 2
/// with L2, by a rule that goes rho of the way.
fn descends(facts: &RunFacts, lambda: f64) -> bool {
    let Descent::Sgd { momentum } = facts.descent else { panic!("descent") };
    let rho = if let Rho::Measured(Some(rho)) = facts.rho { rho } else { 1.0 };
    let (mut w, mut v) = (1.0f64, 0.0);
    for _ in 0..20_000 {
        v = momentum * v + rho * lambda * w + facts.l2 * w;
        w -= facts.learning_rate * v;
    }
    w.abs() < 1.0
}

#[test]
fn descent_on_a_quadratic_is_stable_just_below_the_line_and_not_just_above() {
    for momentum in [0.0, 0.5, 0.9] {
        for l2 in [0.0, 0.01, 3.0] {
            for rho in [Rho::Exact, Rho::Measured(Some(0.3)), Rho::Measured(Some(1.4))] {
                let facts = RunFacts { descent: Descent::Sgd { momentum }, l2, rho, ..IDEAL };
                let with = stability_line(&facts).value.expect("a line");
                let own =
                    stability_line(&RunFacts { hessian_with_l2: false, ..facts }).value.expect("a line");
                assert!((with - own - l2).abs() < 1e-12);
                assert!(descends(&facts, 0.99 * own), "{facts:?}");
                assert!(!descends(&facts, 1.01 * own), "{facts:?}");
            }
        }
    }
}

#[test]
fn in_the_theorem_s_setting_the_lines_hold_without_reserve() {
    let line = stability_line(&IDEAL);
    assert_eq!((line.value, line.standing, &line.formula[..]), (Some(20.0), Standing::Holds, "2/eta"));
    assert!(line.reasons.is_empty());
    let facts = RunFacts { rho: Rho::Measured(Some(0.25)), ..IDEAL };
    let line = stability_line(&facts);
    assert_eq!((line.value, line.standing, &line.formula[..]), (Some(80.0), Standing::Holds, "2/(eta rho)"));
    assert_eq!(exact_line(&facts).value, Some(20.0));
}

#[test]
fn every_assumption_that_a_run_does_not_meet_is_named() {
    let measured = Rho::Measured(Some(0.5));
    let cases = [
        (RunFacts { full_batch: false, ..IDEAL }, "mini-batches"),
        (RunFacts { trials: 4, ..IDEAL }, "4 trials"),
        (RunFacts { n_out: 2, ..IDEAL }, "2 outputs"),
        (RunFacts { scored_steps: 50, ..IDEAL }, "50 steps"),
        (RunFacts { loss_kind: LossKind::Classification, ..IDEAL }, "cross-entropy"),
        (RunFacts { constant_rate: false, ..IDEAL }, "schedule"),
        (RunFacts { clip: Some((1.0, 4.0)), ..IDEAL }, "0.250 of eta"),
        (RunFacts { l2: 0.01, ..IDEAL }, "L2 with c = 0.01"),
        (RunFacts { descent: Descent::Sgd { momentum: 0.9 }, ..IDEAL }, "momentum 0.9"),
        (RunFacts { loss_share: Some(0.25), ..IDEAL }, "25.0 %"),
        (RunFacts { loss_share: Some(f64::NAN), ..IDEAL }, "zero error"),
        (RunFacts { rho: measured, scored_steps: 50, ..IDEAL }, "orthogonal"),
        (RunFacts { block: Block::Recurrent, ..IDEAL }, "block recurrent: lower bound"),
    ];
    for (facts, expected) in cases {
        let line = stability_line(&facts);
        assert_eq!(line.standing, Standing::Guide, "{facts:?}");
        assert!(line.value.is_some());
        let words: Vec<String> = line.reasons.iter().map(Reason::to_string).collect();
        assert!(words.iter().any(|w| w.contains(expected)), "{words:?} {expected}");
    }
}

#[test]
fn clipping_lowers_the_rate_only_while_it_is_active() {
    assert_eq!(stability_line(&RunFacts { clip: Some((1.0, 4.0)), ..IDEAL }).value, Some(80.0));
    let idle = stability_line(&RunFacts { clip: Some((1.0, 0.5)), ..IDEAL });
    assert_eq!((idle.value, idle.standing), (Some(20.0), Standing::Holds));
}

#[test]
fn there_is_no_line_where_the_theorem_says_nothing() {
    let cases = [
        (RunFacts { descent: Descent::Adam, ..IDEAL }, "Adam"),
        (RunFacts { rho: Rho::Measured(None), ..IDEAL }, "not been measured"),
        (RunFacts { rho: Rho::Measured(Some(-0.1)), ..IDEAL }, "-0.100"),
        (RunFacts { rho: Rho::Measured(Some(0.0)), ..IDEAL }, "0.000"),
        (RunFacts { rho: Rho::Measured(Some(f64::NAN)), ..IDEAL }, "NaN"),
        (RunFacts { learning_rate: 0.0, ..IDEAL }, "rate is 0"),
        (RunFacts { l2: 30.0, ..IDEAL }, "no curvature is stable"),
    ];
    for (facts, expected) in cases {
        let line = stability_line(&facts);
        assert_eq!((line.value, line.standing), (None, Standing::None));
        let words: Vec<String> = line.reasons.iter().map(Reason::to_string).collect();
        assert!(words.len() == 1 && words[0].contains(expected), "{words:?}");
        assert_eq!(not_binding(1.0, &line), None);
    }
}

#[test]
fn the_median_takes_the_last_twenty_finite_values() {
    assert_eq!(median_rho(&[]), None);
    assert_eq!(median_rho(&[f64::NAN, f64::INFINITY]), None);
    let values: Vec<f64> = (0..50).map(f64::from).collect();
    assert_eq!(median_rho(&values), Some(39.5));
    assert_eq!(median_rho(&[3.0, 1.0, 2.0]), Some(2.0));
}

#[test]
fn a_line_far_above_lambda_max_is_said_not_to_bind() {
    let line = stability_line(&IDEAL);
    assert!(not_binding(1.0, &line).expect("far below").contains("5.0 %"));
    assert_eq!(not_binding(19.0, &line), None);
    assert_eq!(not_binding(30.0, &line), None);
}

/// Adam's preconditioned line is 38/eta at beta1 = 0.9.
#[test]
fn the_preconditioned_line_of_adam_is_38_over_eta() {
    assert!((adam_line(1e-3, 0.9) - 38_000.0).abs() < 1e-6);
}
