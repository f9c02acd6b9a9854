//! Owns [`Found`], what was measured on the weights of a snapshot.

use ndarray::{Array2, Array3};

use crate::numerics::weights::Weights;

/// What was measured on a network; what was not measured is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// True loss on the probe batch.
    pub loss: Option<f64>,
    /// Outputs on the probe batch [T, B, n_out].
    pub y: Option<Array3<f64>>,
    /// Gradients on the probe batch by the rule's name in files (`exact`, `e_prop`).
    pub gradients: Vec<(String, Weights<f64>)>,
    /// <g^, g> / <g, g> of the run's rule over `measure.block`.
    pub rho: Option<f64>,
    /// Cosine between g^ and g.
    pub cosine: Option<f64>,
    /// Share of g^ - rho g (squared norm) in the span of the top k eigenvectors.
    pub error_in_top_subspace: Option<f64>,
    /// The same share of g.
    pub gradient_in_top_subspace: Option<f64>,
    /// Leading eigenpairs of the Hessian.
    pub hessian: Option<Hessian>,
    /// Its largest eigenvalue.
    pub lambda_max: Option<f64>,
    /// Its algebraically smallest eigenvalue.
    pub lambda_min: Option<f64>,
    /// Its trace.
    pub hessian_trace: Option<f64>,
    /// Standard error of the trace; 0 where it is exact.
    pub hessian_trace_se: Option<f64>,
    /// Tr[(W W^T kron I) H] over w_rec.
    pub relative_flatness: Option<f64>,
    /// Exponent of the power law through the leading eigenvalues.
    pub power_law_exponent: Option<f64>,
    /// Lyapunov exponents.
    pub lyapunov: Option<LyapunovFound>,
    /// The flossing loss and its gradient.
    pub flossing: Option<FlossingFound>,
    /// A slice of the landscape.
    pub slice: Option<SliceFound>,
}

/// Leading eigenpairs of the Hessian over `measure.block`, descending.
#[derive(Clone, Debug, PartialEq)]
pub struct Hessian {
    /// Eigenvalues [k].
    pub eigenvalues: Vec<f64>,
    /// Unit eigenvectors [k, P].
    pub eigenvectors: Option<Array2<f64>>,
    /// ||Hv - lambda v|| / |lambda| [k].
    pub residuals: Option<Vec<f64>>,
}

/// Lyapunov exponents in nats per step, in QR order.
#[derive(Clone, Debug, PartialEq)]
pub struct LyapunovFound {
    /// Batch mean [n].
    pub mean: Vec<f64>,
    /// Of each trial [B, n].
    pub per_trial: Option<Array2<f64>>,
    /// Where the tangents started: dense, orthonormal.
    pub q0: Option<Array2<f64>>,
    /// Steps left out at the start.
    pub skip: Option<i64>,
}

/// The flossing loss at the configured k, variant and skip.
#[derive(Clone, Debug, PartialEq)]
pub struct FlossingFound {
    /// Sum of the squares of the k leading exponents.
    pub loss: f64,
    /// Its gradient; zero for w_out.
    pub gradient: Option<Weights<f64>>,
}

/// A slice of the landscape: over the measures' block where it lies in that and around weights that differ from the
/// file's there only, else over all weights, with directions that are 0 outside their block.
#[derive(Clone, Debug, PartialEq)]
pub struct SliceFound {
    /// Coordinates along direction 1 [nx].
    pub a: Vec<f64>,
    /// Coordinates along direction 2 [ny].
    pub b: Vec<f64>,
    /// Losses [ny, nx].
    pub loss: Array2<f64>,
    /// Direction 1 [P of the block, or of all].
    pub direction_1: Vec<f64>,
    /// Direction 2.
    pub direction_2: Vec<f64>,
    /// The centre.
    pub centre: Vec<f64>,
    /// The run's path in the plane.
    pub path: Vec<PathFound>,
}

/// A state of the run in the plane of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathFound {
    /// Updates made.
    pub iteration: i64,
    /// Along direction 1.
    pub a: f64,
    /// Along direction 2.
    pub b: f64,
    /// True loss; NaN where it is not known.
    pub loss: f64,
    /// Distance from the plane.
    pub distance: f64,
}
