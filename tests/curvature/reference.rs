//! Every member about curvature of the reference cases, which an independent program computed in f64.

use basinscope::numerics::curvature::alignment::{alignment, shares_in_top};
use basinscope::numerics::curvature::measure::CurvatureMeasure;
use basinscope::numerics::curvature::power_law::power_law_exponent;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::weights::Weights;

use crate::common::npz::Member;
use crate::common::problem::reference_case;

/// 1e-8 relative, which is what eigenvalues are held to; for numbers that may be near 0, of their scale.
fn assert_close(value: f64, expected: f64, scale: f64, what: &str) {
    let room = 1e-8 * expected.abs().max(scale);
    assert!((value - expected).abs() <= room, "{what}: {value} where {expected} was expected");
}

#[test]
fn reference_cases_agree_in_every_member_about_curvature() {
    let (mut eigenvalues, mut negative_dominates) = (0, 0);
    for number in 1..=8 {
        let (p, members) = reference_case(number);
        let member = |name: &str| -> &Member { &members[&format!("expected_{name}")] };
        let case = |what: &str| format!("case {number}, {what}");
        let mut measure = CurvatureMeasure::new(&p.network);
        let mut at = measure.at(&p.weights, &p.trials, p.block, 0.0, &Serial);
        let mut s = Stream::new(number as u64, Purpose::Measures);
        assert_close(at.loss(), member("loss").scalar(), 0.0, &case("loss"));

        let expected = &member("hessian_eigenvalues").values;
        let top = at.top_k(expected.len(), 1e-9, 1000, &mut s).expect("finite").top;
        for (pair, expected) in top.iter().zip(expected) {
            assert!(pair.converged);
            assert_close(pair.value, *expected, 0.0, &case("eigenvalue"));
            eigenvalues += 1;
        }
        let ends = at.ends(1e-9, 1000, &mut s).expect("finite");
        let (lambda_max, lambda_min) = (member("lambda_max").scalar(), member("lambda_min").scalar());
        assert_close(ends.top[0].value, lambda_max, 0.0, &case("lambda_max"));
        assert_close(ends.bottom[0].value, lambda_min, 0.0, &case("lambda_min"));
        negative_dominates += usize::from(-lambda_min > lambda_max);

        let trace = at.trace(1000, &mut s).expect("finite");
        assert_close(trace.value, member("hessian_trace").scalar(), lambda_max, &case("trace"));
        let flatness = at.relative_flatness(&p.weights, 1000, &mut s).expect("finite");
        assert_close(flatness.value, member("relative_flatness").scalar(), lambda_max, &case("flatness"));
        let values: Vec<f64> = top.iter().map(|pair| pair.value).collect();
        let exponent = power_law_exponent(&values).expect("enough");
        assert_close(exponent, member("power_law_exponent").scalar(), 0.0, &case("power law"));

        let gradient = |rule: &str| {
            let parts =
                ["w_rec", "w_in", "w_out"].map(|w| member(&format!("grad_{rule}_{w}")).values.clone());
            Weights::from_flat(p.weights.dims(), parts.concat()).expect("the weights' sizes")
        };
        let (exact, rule) = (gradient("exact"), gradient("e_prop"));
        let (exact, rule) = (exact.block(p.block), rule.block(p.block));
        let found = alignment(rule, exact).expect("defined");
        assert_close(found.rho, member("rho").scalar(), 0.0, &case("rho"));
        assert_close(found.cosine.expect("defined"), member("cosine").scalar(), 0.0, &case("cosine"));
        let shares = shares_in_top(rule, exact, &top);
        let expected = member("error_in_top_subspace").scalar();
        assert_close(shares.error.expect("defined"), expected, 0.0, &case("error's share"));
        let expected = member("gradient_in_top_subspace").scalar();
        assert_close(shares.gradient.expect("defined"), expected, 0.0, &case("gradient's share"));
    }
    assert_eq!(eigenvalues, 32);
    assert_eq!(negative_dominates, 2, "cases 3 and 6");
}

/// Estimates with a fifth of the products: the truth within their error bars (4 standard errors, which 16
/// estimates of 20 probes exceed in less than 1 run of 80).
#[test]
fn estimates_of_the_reference_cases_are_within_their_error_bars() {
    for number in 1..=8 {
        let (p, members) = reference_case(number);
        let mut measure = CurvatureMeasure::new(&p.network);
        let mut at = measure.at(&p.weights, &p.trials, p.block, 0.0, &Serial);
        let mut s = Stream::new(number as u64, Purpose::Measures);
        let trace = at.trace(20, &mut s).expect("finite");
        let flatness = at.relative_flatness(&p.weights, 20, &mut s).expect("finite");
        for (found, name) in [(trace, "expected_hessian_trace"), (flatness, "expected_relative_flatness")] {
            let exact = members[name].scalar();
            assert!(found.standard_error > 0.0);
            assert!(
                (found.value - exact).abs() < 4.0 * found.standard_error,
                "case {number} {name}: {found:?} {exact}"
            );
        }
    }
}
