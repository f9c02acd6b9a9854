//! The landscape: slices against reference cases and losses known in closed form, coordinates, principal
//! components, contours, the trajectory store, descents and the shake.

mod common;

use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::landscape::slice::Slice;
use basinscope::numerics::landscape::surface::{NetworkSurface, Surface};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::rules::gradient::GradientPass;
use common::problem::Problem;

fn true_loss(problem: &Problem) -> f64 {
    let mut pass = GradientPass::new(&problem.network);
    pass.run(&problem.weights, &problem.trials, &[], &mut [], &Serial).loss
}

/// The tolerance of the reference cases, relative; losses there are of order 1.
#[test]
fn slices_equal_the_reference_cases() {
    for case in 1..=8 {
        let (problem, members) = common::problem::reference_case(case);
        let values = |name: &str| members[name].values.clone();
        let (d1, d2) = (values("slice_direction_1"), values("slice_direction_2"));
        let plane = Plane::new(problem.weights.clone(), problem.block, d1, d2).expect("a sound case");
        let surface = NetworkSurface::new(&problem.network, &problem.trials, &plane, 1);
        let mut slice = Slice::new(values("slice_a"), values("slice_b"));
        slice.advance(&surface, &Serial, usize::MAX, &|| false);
        let grid = slice.complete().expect("all points");
        let expected = &members["expected_slice_loss"];
        assert_eq!(expected.shape, [grid.b.len(), grid.a.len()]);
        for (found, expected) in grid.loss.iter().zip(&expected.values) {
            assert!(
                (found - expected).abs() < 1e-9 * (1.0 + expected.abs()),
                "case {case}: {found} {expected}"
            );
        }
    }
}

#[test]
fn the_centre_of_a_slice_equals_the_loss_bit_by_bit() {
    for case in 1..=8 {
        let (problem, members) = common::problem::reference_case(case);
        let values = |name: &str| members[name].values.clone();
        let (d1, d2) = (values("slice_direction_1"), values("slice_direction_2"));
        let plane = Plane::new(problem.weights.clone(), problem.block, d1, d2).expect("a sound case");
        let surface = NetworkSurface::new(&problem.network, &problem.trials, &plane, 1);
        assert_eq!(surface.loss(0.0, 0.0), true_loss(&problem));
    }
}
