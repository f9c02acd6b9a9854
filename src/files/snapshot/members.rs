//! Owns the names of a snapshot's members where reading and writing share them.

use super::{Found, PathFound};
use crate::numerics::weights::{Block, Dims};

/// In front of the optimiser's state vectors.
pub(super) const OPTIMIZER: &str = "resume_optimizer_";
/// In front of the measures' state vectors.
pub(super) const MEASURES: &str = "resume_measure_";

/// Iterations of the states of a run's path.
pub(super) const PATH_ITERATION: &str = "resume_path_iteration";
/// Their losses.
pub(super) const PATH_LOSS: &str = "resume_path_loss";
/// Their weights, one state a row.
pub(super) const PATH_WEIGHTS: &str = "resume_path_weights";

/// The three weight matrices: name, block, shape.
pub(super) fn blocks(dims: Dims) -> [(&'static str, Block, [usize; 2]); 3] {
    let Dims { n_in, n_rec, n_out } = dims;
    [
        ("w_rec", Block::Recurrent, [n_rec, n_rec]),
        ("w_in", Block::Input, [n_rec, n_in]),
        ("w_out", Block::Readout, [n_out, n_rec]),
    ]
}

type Of<T> = fn(&Found) -> &Option<T>;
type Mut<T> = fn(&mut Found) -> &mut Option<T>;

/// The members that are single numbers.
pub(super) const NUMBERS: [(&str, Of<f64>); 11] = [
    ("loss", |f| &f.loss),
    ("rho", |f| &f.rho),
    ("cosine", |f| &f.cosine),
    ("error_in_top_subspace", |f| &f.error_in_top_subspace),
    ("gradient_in_top_subspace", |f| &f.gradient_in_top_subspace),
    ("lambda_max", |f| &f.lambda_max),
    ("lambda_min", |f| &f.lambda_min),
    ("hessian_trace", |f| &f.hessian_trace),
    ("hessian_trace_se", |f| &f.hessian_trace_se),
    ("relative_flatness", |f| &f.relative_flatness),
    ("power_law_exponent", |f| &f.power_law_exponent),
];

/// The same, to be filled.
pub(super) const NUMBERS_MUT: [(&str, Mut<f64>); 11] = [
    ("loss", |f| &mut f.loss),
    ("rho", |f| &mut f.rho),
    ("cosine", |f| &mut f.cosine),
    ("error_in_top_subspace", |f| &mut f.error_in_top_subspace),
    ("gradient_in_top_subspace", |f| &mut f.gradient_in_top_subspace),
    ("lambda_max", |f| &mut f.lambda_max),
    ("lambda_min", |f| &mut f.lambda_min),
    ("hessian_trace", |f| &mut f.hessian_trace),
    ("hessian_trace_se", |f| &mut f.hessian_trace_se),
    ("relative_flatness", |f| &mut f.relative_flatness),
    ("power_law_exponent", |f| &mut f.power_law_exponent),
];

/// The values along a slice's path.
pub(super) const PATH: [(&str, fn(&PathFound) -> f64); 4] = [
    ("slice_path_a", |p| p.a),
    ("slice_path_b", |p| p.b),
    ("slice_path_loss", |p| p.loss),
    ("slice_path_distance", |p| p.distance),
];
