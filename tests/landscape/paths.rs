//! Coordinates, principal components, planes of three points, the trajectory store, and descents.

use std::sync::Arc;

use basinscope::numerics::landscape::LandscapeError;
use basinscope::numerics::landscape::descent::Descent;
use basinscope::numerics::landscape::directions::{principal_components, through_points, unit_vector};
use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::landscape::surface::{NetworkSurface, Surface};
use basinscope::numerics::landscape::trajectory::{BYTES, STATES, Trajectory};
use basinscope::numerics::network::Activation;
use basinscope::numerics::optimizers::Optimizer;
use basinscope::numerics::trials::LossKind::{Classification, Regression};
use basinscope::numerics::weights::{Block, Weights, dot, norm};

use super::{DIMS, normals, problem};

fn weights(flat: Vec<f64>) -> Weights<f64> {
    Weights::from_flat(DIMS, flat).expect("P values")
}

#[test]
fn path_points_in_the_plane_have_distance_0_and_the_slices_losses() {
    let p = problem(1, Activation::Tanh, Regression);
    for block in [Block::Recurrent, Block::All] {
        let plane = p.plane(3, block, 0.8);
        let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
        let mut trajectory = Trajectory::default();
        let places = [(0.0, 0.0), (1.0, 0.0), (-0.4, 0.7), (30.0, -20.0)];
        for (n, (a, b)) in places.into_iter().enumerate() {
            trajectory.record(n as i64, &plane.point(a, b), None);
        }
        trajectory.fill_losses(&mut |w| Some(p.loss(w)));
        let path = trajectory.path(&plane, &|| true).expect("a plane");
        for (point, (a, b)) in path.iter().zip(places) {
            // Lengths here are up to 40: rounding of 45 values and products with them.
            let c = point.coordinates;
            assert!((c.a - a).abs() < 1e-13 && (c.b - b).abs() < 1e-13, "{c:?} {a} {b}");
            assert!(c.distance < 1e-13, "{c:?}");
            let loss = point.loss.expect("filled in");
            assert!((loss - surface.loss(a, b)).abs() < 1e-12 * (1.0 + loss));
        }
    }
}

/// A point off the plane by a known vector at a right angle to it, part of which is in another block.
#[test]
fn coordinates_off_the_plane_are_those_of_the_nearest_point() {
    let p = problem(2, Activation::Tanh, Regression);
    let plane = p.plane(4, Block::Recurrent, 1.0);
    let mut off = normals(9, 25, 1.0);
    // At a right angle to the plane: what is left over after a least-squares fit by the normal equations.
    let (d1, d2) = (plane.d1(), plane.d2());
    let (g11, g12, g22) = (dot(d1, d1), dot(d1, d2), dot(d2, d2));
    let (r1, r2) = (dot(d1, &off), dot(d2, &off));
    let determinant = g11 * g22 - g12 * g12;
    let (a, b) = ((g22 * r1 - g12 * r2) / determinant, (g11 * r2 - g12 * r1) / determinant);
    let fitted = plane.step_in_plane(&off).expect("a plane");
    assert!((fitted.0 - a).abs() < 1e-14 && (fitted.1 - b).abs() < 1e-14);
    off.iter_mut().zip(d1.iter().zip(d2)).for_each(|(o, (d1, d2))| *o -= a * d1 + b * d2);
    let mut point = plane.point(0.3, -2.0);
    point.block_mut(Block::Recurrent).iter_mut().zip(&off).for_each(|(w, o)| *w += o);
    point.block_mut(Block::Input)[3] += 0.25;
    let found = plane.coordinates(&point).expect("a plane");
    assert!((found.a - 0.3).abs() < 1e-13 && (found.b + 2.0).abs() < 1e-13, "{found:?}");
    assert!((found.distance - norm(&off).hypot(0.25)).abs() < 1e-13);
}

#[test]
fn coordinates_hold_for_directions_that_are_nearly_parallel() {
    let p = problem(3, Activation::Tanh, Regression);
    let d1 = normals(1, 25, 1.0);
    let d2: Vec<f64> = d1.iter().zip(normals(2, 25, 1e-6)).map(|(d, e)| 2.0 * d + e).collect();
    let plane = Plane::new(p.weights.clone(), Block::Recurrent, d1.clone(), d2).expect("finite");
    let found = plane.coordinates(&plane.point(0.7, 0.4)).expect("a plane");
    // The angle is 5e-7: rounding of the weights (1e-16) shows 2e6-fold in the coordinates.
    assert!((found.a - 0.7).abs() < 1e-8 && (found.b - 0.4).abs() < 1e-8, "{found:?}");
    assert!(found.distance < 1e-14);
    for d2 in [d1.iter().map(|d| -3.0 * d).collect(), vec![0.0; 25]] {
        let line = Plane::new(p.weights.clone(), Block::Recurrent, d1.clone(), d2).expect("finite");
        assert_eq!(line.coordinates(&p.weights), Err(LandscapeError::OneLine));
    }
}

#[test]
fn three_points_lie_in_their_plane() {
    let points = [1, 2, 3].map(|i| normals(i, DIMS.n_weights(), 2.0));
    let [d1, d2] = through_points([&points[0], &points[1], &points[2]]).expect("a plane");
    assert!((norm(&d1) - 1.0).abs() < 1e-14 && (norm(&d2) - 1.0).abs() < 1e-14);
    assert!(dot(&d1, &d2).abs() < 1e-14);
    let plane = Plane::new(weights(points[0].clone()), Block::All, d1, d2).expect("finite");
    let at = |i: usize| plane.coordinates(&weights(points[i].clone())).expect("a plane");
    let distance =
        |i: usize, j: usize| norm(&points[i].iter().zip(&points[j]).map(|(x, y)| x - y).collect::<Vec<_>>());
    // The picture has the true distances between the three.
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        let (p, q) = (at(i), at(j));
        assert!(((p.a - q.a).hypot(p.b - q.b) - distance(i, j)).abs() < 1e-13);
        assert!(p.distance < 1e-13);
    }
    assert!((at(0).a, at(0).b) == (0.0, 0.0) && at(1).b.abs() < 1e-13 && at(1).a > 0.0 && at(2).b > 0.0);
    let middle: Vec<f64> = points[0].iter().zip(&points[1]).map(|(x, y)| 0.5 * (x + y)).collect();
    for line in [[&points[0], &points[1], &middle], [&points[0], &points[0], &middle]] {
        assert_eq!(through_points(line.map(|p| p.as_slice())), Err(LandscapeError::OneLine));
    }
}

fn reader(states: &[Vec<f64>]) -> impl Fn(usize, std::ops::Range<usize>, &mut [f64]) + '_ {
    |state, range, out| out.copy_from_slice(&states[state][range])
}

/// States on an ellipse: semi-axes 3 and 1 along known orthonormal directions, evenly in angle, so that their
/// variances are 9/2 and 1/2. More values than one block of the reading.
#[test]
fn principal_components_of_a_known_ellipse_are_its_axes() {
    let n = 1300;
    let e1 = unit_vector("e1", normals(1, n, 1.0)).expect("a vector");
    let along = |v: &[f64]| dot(v, &e1);
    let raw = normals(2, n, 1.0);
    let e2: Vec<f64> = raw.iter().zip(&e1).map(|(r, e)| r - along(&raw) * e).collect();
    let e2 = unit_vector("e2", e2).expect("a vector");
    let mean = normals(3, n, 100.0);
    let states: Vec<Vec<f64>> = (0..60)
        .map(|k| {
            let (sin, cos) = (std::f64::consts::TAU * k as f64 / 60.0).sin_cos();
            (0..n).map(|i| mean[i] + 3.0 * cos * e1[i] + sin * e2[i]).collect()
        })
        .collect();
    let found = principal_components(60, n, &reader(&states), &|| true).expect("a plane");
    // The first state is at the end of the first axis, and at the mean of the second.
    let from_first: Vec<f64> = e1.iter().map(|e| -e).collect();
    for (direction, expected) in found.directions.iter().zip([&from_first, &e2]) {
        // The mean is 100 long: its rounding, 1e-14, is what limits this.
        let difference: Vec<f64> = direction.iter().zip(expected).map(|(f, e)| f - e).collect();
        assert!(norm(&difference) < 1e-12, "{}", norm(&difference));
    }
    assert!((found.explained[0] - 0.9).abs() < 1e-12 && (found.explained[1] - 0.1).abs() < 1e-12);
    assert!(found.explained[2..].iter().all(|e| (0.0..1e-12).contains(e)));
}

#[test]
fn principal_components_equal_those_of_the_dense_covariance() {
    let (n_states, n) = (30, 12);
    let states: Vec<Vec<f64>> = (0..n_states)
        .map(|k| normals(k as u64, n, 1.0).iter().enumerate().map(|(i, v)| v * (1.0 + i as f64)).collect())
        .collect();
    let found = principal_components(n_states, n, &reader(&states), &|| true).expect("a plane");
    let mean = |i: usize| states.iter().map(|s| s[i]).sum::<f64>() / n_states as f64;
    let covariance = faer::Mat::from_fn(n, n, |i, j| {
        states.iter().map(|s| (s[i] - mean(i)) * (s[j] - mean(j))).sum::<f64>() / n_states as f64
    });
    let eigen = covariance.self_adjoint_eigen(faer::Side::Lower).expect("finite");
    let total: f64 = (0..n).map(|i| covariance[(i, i)]).sum();
    for k in 0..n {
        assert!((found.explained[k] - eigen.S()[n - 1 - k] / total).abs() < 1e-13);
    }
    for (k, direction) in found.directions.iter().enumerate() {
        let expected: Vec<f64> = (0..n).map(|i| eigen.U()[(i, n - 1 - k)]).collect();
        let from_mean: Vec<f64> = (0..n).map(|i| states[0][i] - mean(i)).collect();
        assert!(dot(direction, &from_mean) < 0.0, "the first state lies below the mean");
        let sign = dot(direction, &expected).signum();
        assert!(direction.iter().zip(&expected).all(|(f, e)| (f - sign * e).abs() < 1e-12));
    }
    assert!((found.explained.iter().sum::<f64>() - 1.0).abs() < 1e-13);
    assert!(dot(&found.directions[0], &found.directions[1]).abs() < 1e-14);
}

#[test]
fn paths_without_a_plane_are_refused() {
    let line: Vec<Vec<f64>> = (0..10).map(|k| vec![k as f64, 2.0 * k as f64, 1.0]).collect();
    let found =
        |states: &[Vec<f64>]| principal_components(states.len(), 3, &reader(states), &|| true).map(|_| ());
    assert_eq!(found(&line), Err(LandscapeError::OneLine));
    assert_eq!(found(&vec![vec![1.0; 3]; 5]), Err(LandscapeError::OneLine));
    assert_eq!(found(&line[..2]), Err(LandscapeError::FewStates { found: 2 }));
    let mut bad = line.clone();
    bad[4][1] = f64::NAN;
    assert!(matches!(found(&bad), Err(LandscapeError::NotFinite { index: 1, .. })));
    let zero = unit_vector("it", vec![0.0; 3]);
    assert_eq!(zero, Err(LandscapeError::Zero { name: "it" }));
}

#[test]
fn the_trajectory_is_thinned_evenly_and_in_bounds() {
    for (first, last) in [(0, 10), (0, 399), (0, 400), (0, 5000), (-100, 1234), (4000, 4000 + 12_345)] {
        let mut trajectory = Trajectory::new(50, BYTES);
        for iteration in first..=last {
            let state = weights(vec![iteration as f64; DIMS.n_weights()]);
            trajectory.record(iteration, &state, None);
            assert!(trajectory.len() <= 50);
            assert_eq!(trajectory.states().last().expect("the newest").iteration(), iteration);
        }
        let iterations: Vec<i64> = trajectory.states().map(|s| s.iteration()).collect();
        let space = trajectory.space();
        let (newest, even) = iterations.split_last().expect("states");
        assert!(even.iter().enumerate().all(|(k, i)| *i == first + k as i64 * space), "{iterations:?}");
        assert!(newest - even.last().expect("more than one") <= space);
        let is_full = last - first >= 50;
        assert!(!is_full || iterations.len() >= 25, "{} states", iterations.len());
        assert!(trajectory.states().all(|s| s.weights().flat()[3] == s.iteration() as f64));
        // The same whether everything is offered or only what is wanted.
        let mut lean = Trajectory::new(50, BYTES);
        for iteration in first..=last {
            if lean.wants(iteration) || iteration == last {
                lean.record(iteration, &weights(vec![iteration as f64; DIMS.n_weights()]), None);
            }
        }
        assert!(lean.states().eq(trajectory.states()));
    }
    assert_eq!(STATES, 400);
}

#[test]
fn the_trajectory_keeps_within_its_memory() {
    let bytes = 8 * DIMS.n_weights();
    let mut trajectory = Trajectory::new(400, 20 * bytes);
    for iteration in 0..1000 {
        trajectory.record(iteration, &weights(normals(iteration as u64, DIMS.n_weights(), 1.0)), None);
        assert!(trajectory.bytes() <= 20 * bytes);
    }
    assert!(trajectory.len() >= 10);
    let mut tight = Trajectory::new(400, 0);
    (0..100).for_each(|i| tight.record(i, &weights(vec![0.5; DIMS.n_weights()]), None));
    let iterations: Vec<i64> = tight.states().map(|s| s.iteration()).collect();
    assert_eq!(iterations, [0, 64, 99], "enough for a plane, whatever the bounds");
}

#[test]
fn weights_are_stored_exactly_and_those_of_single_precision_in_half_the_room() {
    let double = weights(normals(1, DIMS.n_weights(), 1.0));
    let single: Weights<f64> = double.cast::<f32>().cast();
    for (w, bytes) in [(&double, 8), (&single, 4)] {
        let mut trajectory = Trajectory::default();
        trajectory.record(0, w, Some(0.5));
        let state = trajectory.states().next().expect("one");
        assert_eq!((&state.weights(), state.loss()), (w, Some(0.5)));
        assert_eq!(trajectory.bytes(), bytes * DIMS.n_weights());
    }
}

#[test]
fn a_run_taken_back_drops_what_came_after() {
    let state = |i: i64| weights(normals(i as u64, DIMS.n_weights(), 1.0));
    let mut trajectory = Trajectory::new(100, BYTES);
    (0..=20).for_each(|i| trajectory.record(i, &state(i), Some(i as f64)));
    trajectory.record(7, &state(100), None);
    let iterations: Vec<i64> = trajectory.states().map(|s| s.iteration()).collect();
    assert_eq!(iterations, (0..=7).collect::<Vec<_>>());
    let mut asked = 0;
    trajectory.fill_losses(&mut |w| {
        asked += 1;
        assert_eq!(*w, state(100));
        None
    });
    assert_eq!(asked, 1);
}

#[test]
fn a_run_that_diverged_keeps_its_path() {
    let p = problem(4, Activation::Tanh, Regression);
    let mut trajectory = Trajectory::new(8, BYTES);
    let state = |i: i64| weights(normals(i as u64, DIMS.n_weights(), 1.0));
    (0..14).for_each(|i| trajectory.record(i, &state(i), None));
    let before: Vec<_> = trajectory.states().cloned().collect();
    let mut bad = state(14);
    bad.flat_mut()[7] = f64::NAN;
    trajectory.record(14, &bad, None);
    bad.flat_mut()[7] = f64::INFINITY;
    trajectory.record(15, &bad, None);
    assert!(trajectory.states().eq(&before));
    assert_eq!(before.last().expect("states").iteration(), 13);
    assert!(trajectory.principal_components(Block::All, &|| true).is_ok());
    assert_eq!(
        trajectory.path(&p.plane(1, Block::All, 1.0), &|| true).map(|path| path.len()),
        Ok(before.len())
    );
}

#[test]
fn the_path_of_a_trajectory_spans_its_own_principal_plane() {
    let p = problem(4, Activation::Tanh, Classification);
    let (u, v) = (normals(1, DIMS.n_weights(), 1.0), normals(2, DIMS.n_weights(), 1.0));
    let mut trajectory = Trajectory::default();
    for n in 0..40 {
        let t = f64::from(n) / 10.0;
        let place = |i: usize| p.weights.flat()[i] + t * u[i] + t * t * v[i];
        trajectory.record(n.into(), &weights((0..DIMS.n_weights()).map(place).collect()), None);
    }
    let found = trajectory.principal_components(Block::All, &|| true).expect("a curve in a plane");
    assert!((found.explained[0] + found.explained[1] - 1.0).abs() < 1e-12);
    let [d1, d2] = found.directions;
    let end = trajectory.states().last().expect("states").weights();
    let plane = Plane::new(end, Block::All, d1, d2).expect("finite");
    let path = trajectory.path(&plane, &|| true).expect("a plane");
    assert!(path.iter().all(|point| point.coordinates.distance < 1e-12));
    // Of one block: only its values count for the directions, all weights for the distance.
    let found = trajectory.principal_components(Block::Input, &|| true).expect("a curve in a plane");
    assert_eq!(found.directions[0].len(), 10);
}

/// What is left of the exact gradient in the plane is the slice's own gradient (central differences, good to
/// 1e-8 at h = 1e-4 with derivatives of order 1).
#[test]
fn a_descent_in_the_plane_follows_the_slices_gradient() {
    let p = problem(5, Activation::Tanh, Regression);
    let raw = p.plane(6, Block::Recurrent, 1.0);
    let origin = vec![0.0; 25];
    let [d1, d2] = through_points([&origin, raw.d1(), raw.d2()]).expect("a plane");
    let plane = Arc::new(Plane::new(p.weights.clone(), Block::Recurrent, d1, d2).expect("finite"));
    let surface = NetworkSurface::new(&p.network, &p.trials, &plane, 1);
    let mut descent: Descent<f64> = Descent::new(plane.clone(), 0.8, -0.6, Optimizer::sgd(2, 0.0));
    let mut exact = |w: &Weights<f64>, g: &mut Weights<f64>| {
        *g = p.gradient(w);
        p.loss(w)
    };
    let (mut at, mut losses) = ([0.8, -0.6], Vec::new());
    for step in 0..40 {
        let point = descent.step(&mut exact, 0.2).expect("a plane");
        let c = point.coordinates;
        assert!((c.a - at[0]).abs() < 1e-7 && (c.b - at[1]).abs() < 1e-7, "{c:?} {at:?}");
        assert_eq!((point.step, c.distance), (step, 0.0));
        assert!((point.loss - surface.loss(c.a, c.b)).abs() < 1e-13);
        let h = 1e-4;
        let slope_a = (surface.loss(c.a + h, c.b) - surface.loss(c.a - h, c.b)) / (2.0 * h);
        let slope_b = (surface.loss(c.a, c.b + h) - surface.loss(c.a, c.b - h)) / (2.0 * h);
        at = [c.a - 0.2 * slope_a, c.b - 0.2 * slope_b];
        losses.push(point.loss);
    }
    assert!(losses.windows(2).all(|w| w[1] < w[0]), "{losses:?}");
}

#[test]
fn a_descent_in_the_plane_takes_the_same_way_whatever_the_directions_lengths_and_angle() {
    let p = problem(6, Activation::Tanh, Classification);
    let skew = Arc::new(p.plane(7, Block::All, 3.0));
    let origin = vec![0.0; DIMS.n_weights()];
    let [d1, d2] = through_points([&origin, skew.d1(), skew.d2()]).expect("a plane");
    let square = Arc::new(Plane::new(p.weights.clone(), Block::All, d1, d2).expect("finite"));
    let start = square.coordinates(&skew.point(0.1, 0.2)).expect("a plane");
    let mut exact = |w: &Weights<f64>, g: &mut Weights<f64>| {
        *g = p.gradient(w);
        p.loss(w)
    };
    let sgd = || Optimizer::sgd(2, 0.5);
    let mut one: Descent<f64> = Descent::new(skew, 0.1, 0.2, sgd());
    let mut other: Descent<f64> = Descent::new(square, start.a, start.b, sgd());
    for _ in 0..20 {
        one.step(&mut exact, 0.3).expect("a plane");
        other.step(&mut exact, 0.3).expect("a plane");
    }
    let difference: Vec<f64> =
        one.weights().flat().iter().zip(other.weights().flat()).map(|(x, y)| x - y).collect();
    assert!(norm(&difference) < 1e-12, "{}", norm(&difference));
}

#[test]
fn a_descent_that_leaves_the_plane_is_training() {
    let p = problem(7, Activation::Relu, Regression);
    let plane = Arc::new(p.plane(8, Block::Recurrent, 1.0));
    let mut gradient = |w: &Weights<f64>, g: &mut Weights<f64>| {
        *g = p.gradient(w);
        p.loss(w)
    };
    let mut descent: Descent<f64> = Descent::new(plane.clone(), 0.4, 0.4, Optimizer::adam(2));
    assert!(descent.is_in_plane());
    (0..3).for_each(|_| assert!(descent.step(&mut gradient, 0.01).is_ok()));
    let mut by_hand = descent.weights();
    assert!(plane.coordinates(&by_hand).expect("a plane").distance < 1e-13);
    descent.leave_plane(Optimizer::adam(DIMS.n_weights()));
    let mut adam = Optimizer::adam(DIMS.n_weights());
    for step in 3..10 {
        let point = descent.step(&mut gradient, 0.01).expect("a plane");
        assert_eq!((point.step, point.loss), (step, p.loss(&by_hand)));
        assert_eq!(point.coordinates, plane.coordinates(&by_hand).expect("a plane"));
        let g = p.gradient(&by_hand);
        adam.step(by_hand.flat_mut(), g.flat(), 0.01);
    }
    assert_eq!(descent.weights(), by_hand);
    assert!(!descent.is_in_plane());
    assert!(plane.coordinates(&by_hand).expect("a plane").distance > 1e-3);
}
