//! Lanczos on operators with known spectra, and against a dense eigensolver.

use basinscope::numerics::curvature::lanczos::{Eigenpair, Extremes, Lanczos, Wanted, has_converged};
use basinscope::numerics::curvature::operator::{DenseOperator, DiagonalOperator, LinearOperator};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::{LossKind, Target};
use basinscope::numerics::weights::{Dims, dot};

use crate::problem::{Kind, eigenvalues, sized_problem};

const EXACT: Wanted =
    Wanted { top: 1, bottom: 1, tolerance: 1e-9, max_products: 5000, multiplicities: false };

fn solve(operator: &mut dyn LinearOperator<f64>, wanted: Wanted, seed: u64) -> Extremes<f64> {
    Lanczos::default()
        .extremes(operator, wanted, &[], &mut Stream::new(seed, Purpose::Measures))
        .expect("finite")
}

/// The pairs are what they say they are: unit vectors, orthogonal to each other, whose residual is the
/// reported one. The reported residual follows from the recursion; the true one differs by rounding, some
/// 1e-14 of the operator's norm.
fn assert_true(operator: &mut dyn LinearOperator<f64>, pairs: &[Eigenpair<f64>], norm: f64) {
    let mut av = vec![0.0; operator.dim()];
    for (i, pair) in pairs.iter().enumerate() {
        operator.apply(&pair.vector, &mut av);
        av.iter_mut().zip(&pair.vector).for_each(|(av, v)| *av -= pair.value * v);
        let residual = dot(&av, &av).sqrt();
        let reported = if pair.value == 0.0 { 0.0 } else { pair.residual * pair.value.abs() };
        assert!((residual - reported).abs() <= 1e-13 * norm, "{residual:e} {reported:e}");
        assert!(pair.converged);
        for other in &pairs[..i] {
            assert!(dot(&pair.vector, &other.vector).abs() < 1e-8, "orthogonal");
        }
        assert!((dot(&pair.vector, &pair.vector) - 1.0).abs() < 1e-12);
        let largest = pair.vector.iter().fold(0.0f64, |m, v| if v.abs() > m.abs() { *v } else { m });
        assert!(largest > 0.0);
    }
}

/// Each spectrum with both ends, one to six from each, as often as they are repeated.
#[test]
fn known_ends_of_diagonal_operators_are_found() {
    let spectra: Vec<(&str, Vec<f64>)> = vec![
        ("one value", vec![-2.5]),
        ("zero", vec![0.0; 40]),
        ("identity", vec![1.0; 50]),
        ("two", vec![1.0, -1.0]),
        ("ramp", (0..300).map(|i| i as f64 / 100.0 - 1.0).collect()),
        (
            "negative dominates",
            (0..200).map(|i| if i == 7 { -50.0 } else { (i as f64 * 0.1).sin() }).collect(),
        ),
        ("all negative", (0..100).map(|i| -1.0 - i as f64).collect()),
        ("clusters", (0..120).map(|i| f64::from(i % 4) + 1e-5 * f64::from(i / 4)).collect()),
        ("repeated", (0..120).map(|i| f64::from(i % 4)).collect()),
        (
            "repeated three times at the top",
            [vec![5.0; 3], vec![4.0; 2], (0..100).map(|i| i as f64 * 0.03).collect()].concat(),
        ),
        ("low rank", [vec![3.0, 2.0, -1.0], vec![0.0; 200]].concat()),
        ("tiny", (0..60).map(|i| 1e-150 * f64::from(i)).collect()),
        ("huge", (0..60).map(|i| 1e150 * f64::from(i)).collect()),
    ];
    for (name, entries) in spectra {
        let mut sorted = entries.clone();
        sorted.sort_by(f64::total_cmp);
        let norm = sorted.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let mut operator = DiagonalOperator::new(entries);
        for count in [1, 2, 6] {
            for seed in 0..5 {
                let wanted = Wanted { top: count, bottom: count, multiplicities: count > 1, ..EXACT };
                let found = solve(&mut operator, wanted, seed);
                let n = count.min(sorted.len());
                assert_eq!((found.top.len(), found.bottom.len()), (n, n), "{name}");
                for i in 0..n {
                    let (high, low) = (sorted[sorted.len() - 1 - i], sorted[i]);
                    assert!(
                        (found.top[i].value - high).abs() <= 1e-10 * norm,
                        "{name} top {i}: {} {high}",
                        found.top[i].value
                    );
                    assert!(
                        (found.bottom[i].value - low).abs() <= 1e-10 * norm,
                        "{name} bottom {i}: {} {low}",
                        found.bottom[i].value
                    );
                }
                assert_true(&mut operator, &found.top, norm);
                assert_true(&mut operator, &found.bottom, norm);
            }
        }
    }
}

#[test]
fn the_zero_operator_costs_a_few_products_and_has_no_residual() {
    let found = solve(&mut DiagonalOperator::new(vec![0.0; 1000]), EXACT, 1);
    assert!(found.products <= 2);
    assert_eq!((found.top[0].value, found.top[0].residual, found.top[0].converged), (0.0, 0.0, true));
}

#[test]
fn all_eigenvalues_of_a_small_operator_can_be_asked_for() {
    let entries: Vec<f64> = (0..30).map(|i| (i as f64 * 1.7).sin() * 3.0).collect();
    let mut sorted = entries.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut operator = DiagonalOperator::new(entries);
    for top in [30, 200] {
        let found = solve(&mut operator, Wanted { top, bottom: 0, multiplicities: true, ..EXACT }, 3);
        assert_eq!(found.products, 30);
        let values: Vec<f64> = found.top.iter().map(|p| p.value).collect();
        assert_eq!(values.len(), 30);
        values.iter().zip(&sorted).for_each(|(a, b)| assert!((a - b).abs() < 1e-12));
    }
}

#[test]
fn an_operator_without_rows_has_no_eigenvalues() {
    let found = solve(&mut DiagonalOperator::new(vec![]), EXACT, 3);
    assert!(found.top.is_empty() && found.bottom.is_empty() && found.products == 0);
}

#[test]
fn a_product_that_is_not_finite_is_an_error_and_names_the_product() {
    for bad in [f64::NAN, f64::INFINITY] {
        let mut entries = vec![1.0; 20];
        entries[3] = bad;
        let mut operator = DiagonalOperator::new(entries);
        let error = Lanczos::default()
            .extremes(&mut operator, EXACT, &[], &mut Stream::new(1, Purpose::Measures))
            .expect_err("not finite");
        assert_eq!(error.products, 1);
        assert!(error.to_string().contains("not finite"));
    }
}

#[test]
fn a_search_that_runs_out_of_products_says_that_it_has_not_converged() {
    let mut operator = DiagonalOperator::new((0..5000).map(f64::from).collect());
    let found = solve(&mut operator, Wanted { max_products: 6, ..EXACT }, 1);
    assert_eq!(found.products, 6);
    assert!(!found.top[0].converged && !found.bottom[0].converged);
    assert!(found.top[0].residual > 1e-3);
}

/// Who has the values and the residual of both ends can tell as well as the search itself.
#[test]
fn values_and_residuals_say_what_has_converged() {
    let (mut yes, mut no) = (0, 0);
    for (scale, tolerance) in [(1.0, 1e-2), (0.0, 1e-2), (1.0, 1e-3)] {
        let mut operator =
            DiagonalOperator::new((0..400).map(|i| (f64::from(i) * 0.37).sin() - scale).collect());
        for max_products in (1..300).step_by(5) {
            let found =
                solve(&mut operator, Wanted { tolerance, max_products, ..EXACT }, max_products as u64);
            let (top, bottom) = (&found.top[0], &found.bottom[0]);
            let largest = top.value.abs().max(bottom.value.abs());
            for pair in [top, bottom] {
                let says = has_converged::<f64>(pair.value, pair.residual, largest, tolerance);
                assert_eq!(says, pair.converged, "{max_products}: {} {}", pair.value, pair.residual);
                if says { yes += 1 } else { no += 1 }
            }
        }
    }
    assert!(yes > 20 && no > 20, "{yes} {no}");
}

/// Restarts: 40 of 2,000 close eigenvalues need far more products than the basis has rows.
#[test]
fn many_eigenvalues_are_found_across_restarts() {
    let mut operator = DiagonalOperator::new((0..2000).map(|i| (f64::from(i) / 200.0).powi(3)).collect());
    let found = solve(&mut operator, Wanted { top: 40, bottom: 0, multiplicities: true, ..EXACT }, 5);
    assert!(found.products > 2 * 40 + 45, "{}", found.products);
    for (i, pair) in found.top.iter().enumerate() {
        let exact = (f64::from(1999 - i as i32) / 200.0).powi(3);
        assert!((pair.value - exact).abs() < 1e-12 * exact, "{i}");
    }
    assert_true(&mut operator, &found.top, 1000.0);
}

#[test]
fn a_warm_start_saves_products_and_a_stale_one_misleads_nobody() {
    let entries: Vec<f64> = (0..3000).map(|i| (f64::from(i) / 3000.0).powi(4)).collect();
    let wanted = Wanted { top: 3, bottom: 0, tolerance: 1e-3, ..EXACT };
    let cold = solve(&mut DiagonalOperator::new(entries.clone()), wanted, 1);
    let starts: Vec<&[f64]> = cold.top.iter().chain(&cold.bottom).map(|p| &p.vector[..]).collect();
    let warm = |operator: &mut DiagonalOperator<f64>| {
        Lanczos::default()
            .extremes(operator, wanted, &starts, &mut Stream::new(2, Purpose::Measures))
            .expect("finite")
    };
    let again = warm(&mut DiagonalOperator::new(entries.clone()));
    assert!(2 * again.products < cold.products, "{} {}", again.products, cold.products);
    // The operator has changed: another, larger eigenvalue stands where the old vectors have nothing.
    let mut changed = entries;
    changed[17] = 1.5;
    let found = warm(&mut DiagonalOperator::new(changed));
    assert!((found.top[0].value - 1.5).abs() < 1e-5, "{}", found.top[0].value);
}

#[test]
fn single_precision_finds_the_ends_to_its_own_accuracy() {
    let entries: Vec<f32> = (0..500).map(|i| (i as f32 * 0.37).sin() * 2.0 - 0.5).collect();
    let (low, high) = entries.iter().fold((0.0f32, 0.0f32), |(l, h), v| (l.min(*v), h.max(*v)));
    let mut operator = DiagonalOperator::new(entries);
    let wanted = Wanted { tolerance: 1e-5, ..EXACT };
    let mut stream = Stream::new(1, Purpose::Measures);
    let found = Lanczos::<f32>::default().extremes(&mut operator, wanted, &[], &mut stream).expect("finite");
    assert!((found.top[0].value - f64::from(high)).abs() < 1e-5);
    assert!((found.bottom[0].value - f64::from(low)).abs() < 1e-5);
}

#[test]
fn the_same_stream_gives_the_same_bits() {
    let mut operator = DiagonalOperator::new((0..500).map(|i| (f64::from(i)).sin()).collect());
    let wanted = Wanted { top: 5, multiplicities: true, ..EXACT };
    assert_eq!(solve(&mut operator, wanted, 4), solve(&mut operator, wanted, 4));
}

/// Hessians of up to 1,000 parameters against a dense symmetric eigensolver, 1e-8 relative, over blocks,
/// activations and losses; the readout block of a regression repeats every eigenvalue n_out times.
#[test]
fn top_eigenvalues_of_hessians_equal_a_dense_eigensolver_s() {
    let mut negative_dominates = 0;
    for seed in 0..8 {
        for activation in [Activation::Relu, Activation::Tanh] {
            for loss in [LossKind::Regression, LossKind::Classification] {
                let kind = Kind { alpha: 0.3, activation, adaptive: seed as usize % 3, loss, n_batch: 4 };
                let mut s = Stream::new(seed, Purpose::Weights);
                let n_rec = if seed == 0 { 28 } else { 9 + seed as usize };
                let mut p = sized_problem(&mut s, kind, Dims { n_in: 3, n_rec, n_out: 3 }, 9);
                // Far from its targets, a regression's negative curvature dominates.
                if let (Target::Values(values), true) = (&mut p.trials.target, seed > 5) {
                    values.map_inplace(|v| *v *= 20.0);
                }
                for block in crate::problem::BLOCKS {
                    let mut hessian = p.hessian();
                    let mut operator = hessian.over(block, 0.0, &Serial);
                    let exact = eigenvalues(&DenseOperator::of(&mut operator));
                    assert!(exact.len() <= 1000);
                    let wanted = Wanted { top: 5, bottom: 1, tolerance: 1e-7, multiplicities: true, ..EXACT };
                    let found = solve(&mut operator, wanted, seed);
                    let norm = exact[0].abs().max(exact[exact.len() - 1].abs());
                    if -exact[0] > exact[exact.len() - 1] {
                        negative_dominates += 1;
                    }
                    for (i, pair) in found.top.iter().enumerate() {
                        let value = exact[exact.len() - 1 - i];
                        let room = 1e-8 * value.abs().max(1e-6 * norm);
                        assert!(
                            (pair.value - value).abs() < room,
                            "{seed} {block:?} {i}: {} {value}",
                            pair.value
                        );
                    }
                    let room = 1e-8 * exact[0].abs().max(1e-6 * norm);
                    assert!(
                        (found.bottom[0].value - exact[0]).abs() < room,
                        "{block:?}: {} {}",
                        found.bottom[0].value,
                        exact[0]
                    );
                }
            }
        }
    }
    assert!(negative_dominates > 5, "{negative_dominates}");
}
