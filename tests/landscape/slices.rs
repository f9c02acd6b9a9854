//! The loss over planes and lines.

use std::sync::atomic::{AtomicUsize, Ordering};

use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::landscape::range::Range;
use basinscope::numerics::landscape::slice::{Grid, Slice};
use basinscope::numerics::landscape::surface::{NetworkSurface, Surface};
use basinscope::numerics::landscape::{LandscapeError, cut, directions};
use basinscope::numerics::network::{Activation, Activity, PackedWeights};
use basinscope::numerics::parallel::{Serial, Workers};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::LossKind::{Classification, Regression};
use basinscope::numerics::weights::{Block, Weights, dot, norm};

use super::common::problem::{Problem, reference_case};
use super::{DIMS, TwoThreads, normals, problem};

fn grid_of(surface: &dyn Surface, a: Vec<f64>, b: Vec<f64>, workers: &dyn Workers) -> Grid {
    let mut slice = Slice::new(a, b);
    assert!(slice.advance(surface, workers, usize::MAX, &|| false).is_complete());
    slice.complete().expect("all points")
}

/// The tolerance of the reference cases, relative; losses there are of order 1.
#[test]
fn slices_equal_the_reference_cases() {
    for case in 1..=8 {
        let (problem, members) = reference_case(case);
        let values = |name: &str| members[name].values.clone();
        let (d1, d2) = (values("slice_direction_1"), values("slice_direction_2"));
        let plane = Plane::new(problem.weights.clone(), problem.block, d1, d2).expect("a sound case");
        let surface = NetworkSurface::new(&problem.network, &problem.trials, &plane, 1);
        let grid = grid_of(&surface, values("slice_a"), values("slice_b"), &Serial);
        let expected = &members["expected_slice_loss"];
        assert_eq!(expected.shape, [grid.b.len(), grid.a.len()]);
        for (found, expected) in grid.loss.iter().zip(&expected.values) {
            assert!(
                (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
                "case {case}: {found} {expected}"
            );
        }
        assert_eq!(surface.loss(0.0, 0.0), problem.loss(&problem.weights), "the centre, bit by bit");
    }
}

/// Every point of every block's plane is the loss of the weights that stand there. Both routes round the weights
/// once or twice and then compute alike: 1e-12 is far above what 7 steps make of eps.
#[test]
fn a_slice_is_the_loss_of_the_weights_at_its_points() {
    for (loss, activation) in [(Regression, Activation::Tanh), (Classification, Activation::Relu)] {
        let p = problem(1, activation, loss);
        for block in [Block::Recurrent, Block::Input, Block::Readout, Block::All] {
            let plane = p.plane(3, block, 0.7);
            let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
            let grid = grid_of(&surface, vec![-0.6, 0.0, 1.0], vec![-0.5, 0.3], &Serial);
            for (j, b) in grid.b.iter().enumerate() {
                for (i, a) in grid.a.iter().enumerate() {
                    let there = p.outcome(&plane.point(*a, *b));
                    assert!((grid.at(i, j) - there.loss).abs() < 1e-12 * there.loss, "{block:?} {a} {b}");
                    assert_eq!(surface.outcome(*a, *b, &|| true).expect("wanted").accuracy, there.accuracy);
                }
            }
        }
    }
}

/// In f32 the loss has the precision of f32: a few eps a step.
#[test]
fn a_slice_in_single_precision_agrees_with_double() {
    let p = problem(2, Activation::Tanh, Regression);
    let plane = p.plane(3, Block::All, 0.7);
    let (network, trials) = (p.network.cast::<f32>(), p.trials.cast::<f32>());
    let single = NetworkSurface::new(&network, &trials, &plane, 1);
    let double = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
    for (a, b) in [(0.0, 0.0), (1.0, -1.0), (0.3, 0.9)] {
        let (single, double) = (single.loss(a, b), double.loss(a, b));
        assert!((single - double).abs() < 2e-6 * double, "{single} {double}");
    }
}

/// Eigenvalues, ascending, and eigenvectors of a symmetric matrix.
fn symmetric_eigen(n: usize, entry: impl Fn(usize, usize) -> f64) -> (Vec<f64>, Vec<Vec<f64>>) {
    let matrix = faer::Mat::from_fn(n, n, |i, j| 0.5 * (entry(i, j) + entry(j, i)));
    let eigen = matrix.self_adjoint_eigen(faer::Side::Lower).expect("finite");
    let vector = |k: usize| (0..n).map(|i| eigen.U()[(i, k)]).collect();
    ((0..n).map(|k| eigen.S()[k]).collect(), (0..n).map(vector).collect())
}

/// With half the mean squared error the loss is a quadratic form of w_out, whose Hessian is that of one output,
/// `sum m z z^T / (M n_out)`, once for each output. Along its eigenvectors the slice is known exactly.
#[test]
fn the_slice_of_a_quadratic_loss_along_eigenvectors_is_known() {
    let p = problem(3, Activation::Relu, Regression);
    let (n_steps, n_batch) = (p.trials.n_steps(), p.trials.n_batch());
    let mut activity = Activity::new(&p.network, n_steps, n_batch, false);
    let mut packed = PackedWeights::zeros(DIMS);
    packed.pack(&p.network, &p.weights);
    activity.load(&p.trials, 0);
    activity.forward(&p.network, &packed);
    let (n, layer) = (DIMS.n_rec, n_batch * DIMS.n_rec);
    let scale = 1.0 / (p.trials.mask_sum() * DIMS.n_out as f64);
    let entry = |i: usize, j: usize| -> f64 {
        let at = |t: usize, b: usize, i: usize| activity.z[(t + 1) * layer + b * n + i];
        let all = (0..n_steps).flat_map(|t| (0..n_batch).map(move |b| (t, b)));
        all.map(|(t, b)| scale * p.trials.mask[[t, b]] * at(t, b, i) * at(t, b, j)).sum()
    };
    let (values, vectors) = symmetric_eigen(n, entry);
    // The top two eigenvectors of one output, the first for output 0, the second for output 1.
    let zeros = vec![0.0; n];
    let d1 =
        directions::unit_vector("v", [vectors[n - 1].clone(), zeros.clone()].concat()).expect("a vector");
    let d2 = directions::unit_vector("v", [zeros, vectors[n - 2].clone()].concat()).expect("a vector");
    let gradient = p.gradient(&p.weights);
    let (g1, g2) = (dot(gradient.block(Block::Readout), &d1), dot(gradient.block(Block::Readout), &d2));
    let plane = Plane::new(p.weights.clone(), Block::Readout, d1, d2).expect("finite");
    let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
    let axis = Range::around_centre(3.0).axis(7);
    let grid = grid_of(&surface, axis.clone(), axis, &Serial);
    let centre = p.loss(&p.weights);
    for (j, b) in grid.b.iter().enumerate() {
        for (i, a) in grid.a.iter().enumerate() {
            let quadratic = 0.5 * (values[n - 1] * a * a + values[n - 2] * b * b);
            let expected = centre + g1 * a + g2 * b + quadratic;
            assert!((grid.at(i, j) - expected).abs() < 1e-12 * (1.0 + expected), "{a} {b}");
        }
    }
}

/// The dense Hessian of w_rec by central differences of the exact gradient (tanh: no kinks), and second
/// differences of the slice along the eigenvectors of both ends of the spectrum. Steps of 1e-4 and 1e-3: both
/// differences are good to about 1e-6 (their third and fourth derivatives are of order 1, rounding is 1e-10).
#[test]
fn second_differences_along_an_eigenvector_agree_with_its_eigenvalue() {
    for loss in [Regression, Classification] {
        let p = problem(4, Activation::Tanh, loss);
        let n = Block::Recurrent.range(DIMS).len();
        let column = |j: usize| -> Vec<f64> {
            let at = |step: f64| {
                let mut weights = p.weights.clone();
                weights.flat_mut()[j] += step;
                p.gradient(&weights).block(Block::Recurrent).to_vec()
            };
            at(1e-4).iter().zip(at(-1e-4)).map(|(up, down)| (up - down) / 2e-4).collect()
        };
        let columns: Vec<Vec<f64>> = (0..n).map(column).collect();
        let (values, vectors) = symmetric_eigen(n, |i, j| columns[j][i]);
        let (d1, d2) = (vectors[n - 1].clone(), vectors[0].clone());
        let plane = Plane::new(p.weights.clone(), Block::Recurrent, d1, d2).expect("finite");
        let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
        let h = 1e-3;
        let centre = surface.loss(0.0, 0.0);
        let along_1 = (surface.loss(h, 0.0) - 2.0 * centre + surface.loss(-h, 0.0)) / (h * h);
        let along_2 = (surface.loss(0.0, h) - 2.0 * centre + surface.loss(0.0, -h)) / (h * h);
        assert!(values[n - 1] > 0.05 && (along_1 - values[n - 1]).abs() < 1e-5, "{along_1} {values:?}");
        assert!((along_2 - values[0]).abs() < 1e-5, "{along_2} {values:?}");
    }
}

#[test]
fn the_number_of_workers_changes_no_bit() {
    let p = problem(5, Activation::Relu, Classification);
    let plane = p.plane(9, Block::All, 2.0);
    let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 2);
    let axis = Range::around_centre(1.0).axis(13);
    let one = grid_of(&surface, axis.clone(), axis.clone(), &Serial);
    let two = grid_of(&surface, axis.clone(), axis, &TwoThreads);
    assert_eq!(one, two);
}

#[test]
fn a_point_of_a_slice_allocates_nothing() {
    for loss in [Regression, Classification] {
        let p = problem(6, Activation::Relu, loss);
        let surface = NetworkSurface::new(&p.network, &p.trials, &p.plane(3, Block::All, 1.0), 1);
        surface.loss(0.0, 0.0);
        let (sum, calls) = crate::allocations::calls(|| surface.loss(0.5, 0.2) + surface.loss(-0.5, 1.0));
        assert!(sum.is_finite());
        assert_eq!(calls, 0, "{loss:?}");
    }
}

#[test]
fn losses_that_are_not_finite_pass_through() {
    let p = problem(6, Activation::Relu, Regression);
    // 1e80 in w_rec over 6 steps overflows; to one side only where the units are driven below zero.
    let plane = p.plane(3, Block::Recurrent, 1e80);
    let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
    let grid = grid_of(&surface, vec![-1.0, 0.0, 1.0], vec![0.0, f64::NAN], &Serial);
    assert_eq!(grid.at(1, 0), p.loss(&p.weights));
    assert!(!grid.at(0, 0).is_finite() && !grid.at(2, 0).is_finite());
    assert!(grid.at(1, 1).is_nan(), "a NaN that was computed is known");
}

/// Counts its points.
struct Counting(AtomicUsize);

impl Surface for Counting {
    fn loss(&self, a: f64, b: f64) -> f64 {
        self.0.fetch_add(1, Ordering::Relaxed);
        a * 100.0 + b
    }
}

#[test]
fn a_slice_is_refined_level_by_level_and_every_point_is_evaluated_once() {
    let axis = |n| Range::around_centre(1.0).axis(n);
    let surface = Counting(AtomicUsize::new(0));
    let mut slice = Slice::new(axis(51), axis(33));
    assert_eq!((slice.finest_level(), slice.preview()), (None, None));
    let mut sizes = Vec::new();
    loop {
        let progress = slice.advance(&surface, &Serial, 10, &|| false);
        assert_eq!(progress.done, surface.0.load(Ordering::Relaxed));
        if let Some(level) = slice.finest_level() {
            let size = (level.a.len(), level.b.len());
            if sizes.last() != Some(&size) {
                sizes.push(size);
            }
            let preview = slice.preview().expect("a level is known");
            assert_eq!((preview.a.len(), preview.b.len()), (51, 33));
            for grid in [level, preview.clone()] {
                let ends = [0, grid.a.len() - 1].map(|i| grid.at(i, 0));
                assert_eq!(ends, [-101.0, 99.0], "edges are part of every level");
            }
            // A preview is off by at most half a space of its level: 8 of 25 in a, of 16 in b.
            for (j, b) in preview.b.iter().enumerate() {
                for (i, a) in preview.a.iter().enumerate() {
                    assert!((preview.at(i, j) - (a * 100.0 + b)).abs() <= 100.0 * 8.0 / 25.0 + 0.5);
                }
            }
        }
        if progress.is_complete() {
            break;
        }
        assert_eq!(slice.complete(), None);
    }
    assert_eq!(sizes, [(5, 3), (9, 5), (15, 9), (27, 17), (51, 33)]);
    assert_eq!(surface.0.load(Ordering::Relaxed), 51 * 33);
    assert_eq!(slice.complete(), slice.finest_level());
    assert_eq!(slice.complete(), slice.preview());
}

#[test]
fn a_cancelled_slice_stops_at_once_and_goes_on_where_it_was() {
    let surface = Counting(AtomicUsize::new(0));
    let axis = Range::around_centre(1.0).axis(11);
    let mut slice = Slice::new(axis.clone(), axis.clone());
    let stop_at = |n: usize| move |s: &Counting| s.0.load(Ordering::Relaxed) >= n;
    let is_cancelled = || stop_at(17)(&surface);
    let progress = slice.advance(&surface, &Serial, usize::MAX, &is_cancelled);
    assert_eq!((progress.done, progress.total, progress.is_complete()), (17, 121, false));
    assert!(slice.advance(&surface, &Serial, usize::MAX, &|| false).is_complete());
    assert_eq!(surface.0.load(Ordering::Relaxed), 121);
    let unbroken = grid_of(&Counting(AtomicUsize::new(0)), axis.clone(), axis, &Serial);
    assert_eq!(slice.complete(), Some(unbroken));
}

#[test]
fn a_finer_or_zoomed_grid_reuses_the_points_it_shares() {
    let surface = Counting(AtomicUsize::new(0));
    for reach in [1.0, 0.3, 7.7] {
        let axis = |reach: f64, n| Range::around_centre(reach).axis(n);
        let mut coarse = Slice::new(axis(reach, 51), axis(reach, 51));
        coarse.advance(&surface, &Serial, usize::MAX, &|| false);
        surface.0.store(0, Ordering::Relaxed);
        let mut fine = Slice::new(axis(reach, 101), axis(reach, 101));
        assert_eq!(fine.reuse(&coarse), 51 * 51);
        assert_eq!(fine.reuse(&coarse), 0);
        assert!(fine.advance(&surface, &Serial, usize::MAX, &|| false).is_complete());
        assert_eq!(surface.0.load(Ordering::Relaxed), 101 * 101 - 51 * 51);
        let mut zoomed = Slice::new(axis(0.5 * reach, 51), axis(0.5 * reach, 51));
        assert_eq!(zoomed.reuse(&fine), 51 * 51);
        let grid = grid_of(&surface, axis(reach, 101), axis(reach, 101), &Serial);
        assert_eq!(fine.complete(), Some(grid));
    }
}

#[test]
fn grids_of_any_shape_are_complete() {
    for (nx, ny) in [(0, 5), (1, 1), (1, 40), (2, 3), (200, 1), (9, 64)] {
        let surface = |a: f64, b: f64| a - b;
        let axis = |n| Range { low: -0.3, high: 1.0 }.axis(n);
        let grid = grid_of(&surface, axis(nx), axis(ny), &TwoThreads);
        assert_eq!(grid.loss.len(), nx * ny);
        for (j, b) in grid.b.iter().enumerate() {
            for (i, a) in grid.a.iter().enumerate() {
                assert_eq!(grid.at(i, j), a - b);
            }
        }
    }
}

/// Both ends are the networks' own losses to the rounding of from + (to - from).
#[test]
fn a_cut_between_two_networks_starts_and_ends_at_their_losses() {
    let p = problem(7, Activation::Tanh, Classification);
    let mut other: Weights<f64> = Weights::zeros(DIMS);
    other.flat_mut().copy_from_slice(&normals(5, DIMS.n_weights(), 4.0));
    let line = cut::between(&p.weights, &other).expect("two networks");
    let surface = NetworkSurface::new(&p.network, &p.trials, &line, 1);
    let mut slice = cut::cut(cut::axis_between(20));
    slice.advance(&surface, &Serial, usize::MAX, &|| false);
    let grid = slice.complete().expect("all points");
    let at = |t: f64| grid.at(grid.a.iter().position(|a| *a == t).expect("on the axis"), 0);
    assert_eq!(at(0.0), p.loss(&p.weights));
    assert!((at(1.0) - p.loss(&other)).abs() < 1e-12);
    assert!((at(0.5) - p.loss(&line.point(0.5, 0.0))).abs() < 1e-12);
    assert_eq!(
        cut::between(&other, &other).unwrap_err(),
        LandscapeError::Zero { name: "the direction of the cut" }
    );
}

#[test]
fn random_directions_have_the_norm_of_every_neurons_row() {
    let mut p: Problem = problem(8, Activation::Relu, Regression);
    p.weights.w_rec_mut().row_mut(2).fill(0.0);
    p.weights.w_in_mut().row_mut(1).fill(0.0);
    let mut stream = Stream::new(1, Purpose::Measures);
    for (block, row_lengths) in [
        (Block::Recurrent, vec![5; 5]),
        (Block::Input, vec![2; 5]),
        (Block::Readout, vec![5; 2]),
        (Block::All, [vec![5; 5], vec![2; 5], vec![5; 2]].concat()),
    ] {
        let d = directions::filter_normalised(&p.weights, block, &mut stream);
        let mut rest = (d.as_slice(), p.weights.block(block));
        for length in row_lengths {
            let ((row, d), (w_row, w)) = (rest.0.split_at(length), rest.1.split_at(length));
            assert!((norm(row) - norm(w_row)).abs() < 1e-14, "{block:?}");
            assert!(norm(w_row) == 0.0 || row != w_row);
            rest = (d, w);
        }
        assert!(rest.0.is_empty() && rest.1.is_empty());
        assert_ne!(d, directions::filter_normalised(&p.weights, block, &mut stream));
    }
}

#[test]
fn directions_that_do_not_fit_are_refused_by_name() {
    let p = problem(9, Activation::Relu, Regression);
    let (good, short, mut bad) = (normals(1, 25, 1.0), normals(2, 24, 1.0), normals(3, 25, 1.0));
    bad[7] = f64::INFINITY;
    let plane = |d1: &[f64], d2: &[f64]| {
        Plane::new(p.weights.clone(), Block::Recurrent, d1.to_vec(), d2.to_vec()).map(|_| ())
    };
    assert_eq!(plane(&good, &good), Ok(()));
    let message = |e: Result<(), LandscapeError>| e.expect_err("refused").to_string();
    assert_eq!(message(plane(&good, &short)), "the slice's direction 2 has 24 values, expected 25");
    assert_eq!(
        message(plane(&bad, &good)),
        "the slice's direction 1 has a value inf at index 7, expected finite values"
    );
}
