//! Owns what the findings of a run's measures become in its snapshot.

use ndarray::Array2;

use super::{Found, Hessian, LyapunovFound, PathFound, SliceFound};
use crate::numerics::landscape::trajectory::PathPoint;
use crate::numerics::weights::{Block, Weights};
use crate::training::measures::{
    AlignmentDetail, CurvatureDetail, Detail, Finding, LyapunovDetail, SliceDetail,
};

impl Found {
    /// What was found of these weights at this iteration, with `block` the measures' block; findings of other
    /// iterations belong to other weights and are left out. A slice has its own centre and may be older, but must be
    /// whole.
    pub fn of_findings<'a>(
        findings: impl IntoIterator<Item = &'a Finding>,
        iteration: i64,
        (weights, block): (&Weights<f64>, Block),
    ) -> Self {
        let mut found = Self::default();
        for finding in findings {
            match &finding.detail {
                Detail::Landscape(Ok(detail)) if detail.progress.is_complete() => {
                    found.slice = slice(detail, weights, block);
                }
                _ if finding.iteration != iteration => {}
                Detail::Curvature(Some(detail)) => found.take_curvature(detail),
                Detail::Alignment(detail) => found.take_alignment(detail),
                Detail::Lyapunov(detail) => found.lyapunov = Some(lyapunov(detail)),
                Detail::Test(_) | Detail::Curvature(None) | Detail::Density(_) | Detail::Landscape(_) => {}
            }
        }
        found
    }

    fn take_curvature(&mut self, detail: &CurvatureDetail) {
        let rows = detail.vectors.len();
        let columns = detail.vectors.first().map_or(0, Vec::len);
        let vectors = Array2::from_shape_vec((rows, columns), detail.vectors.concat());
        self.hessian = Some(Hessian {
            eigenvalues: detail.top.iter().map(|e| e.value).collect(),
            eigenvectors: vectors.ok(),
            residuals: Some(detail.top.iter().map(|e| e.residual).collect()),
        });
        self.lambda_max = detail.top.first().map(|e| e.value);
        self.lambda_min = Some(detail.lambda_min.value);
        self.hessian_trace = Some(detail.trace.value);
        self.hessian_trace_se = Some(detail.trace.standard_error);
        self.relative_flatness = Some(detail.relative_flatness.value);
        self.power_law_exponent = detail.power_law_exponent;
    }

    fn take_alignment(&mut self, detail: &AlignmentDetail) {
        self.rho = detail.lie.map(|lie| lie.rho);
        self.cosine = detail.lie.and_then(|lie| lie.cosine);
        self.error_in_top_subspace = detail.top_shares.and_then(|shares| shares.error);
        self.gradient_in_top_subspace = detail.top_shares.and_then(|shares| shares.gradient);
    }
}

fn lyapunov(detail: &LyapunovDetail) -> LyapunovFound {
    LyapunovFound {
        mean: detail.exponents.mean.clone(),
        per_trial: Some(detail.exponents.per_trial.clone()),
        q0: Some((*detail.q0).clone()),
        skip: i64::try_from(detail.exponents.skip).ok(),
    }
}

/// The slice over the measures' block, if that and the file's weights say all about it. Else, where it lies in other
/// weights too or around a network that differs elsewhere, over all weights: its directions are 0 outside their
/// block.
fn slice(detail: &SliceDetail, weights: &Weights<f64>, block: Block) -> Option<SliceFound> {
    let (plane, grid) = (&detail.plane, &detail.grid);
    let centre = plane.centre();
    let only_block_differs = || {
        let mut centre = centre.clone();
        centre.block_mut(block).copy_from_slice(weights.block(block));
        centre == *weights
    };
    let is_told = plane.block() == block && centre.dims() == weights.dims() && only_block_differs();
    let over = if is_told { block } else { Block::All };
    let direction = |d: &[f64]| {
        let mut all = Weights::zeros(centre.dims());
        all.block_mut(plane.block()).copy_from_slice(d);
        all.block(over).to_vec()
    };
    let loss = Array2::from_shape_vec((grid.b.len(), grid.a.len()), grid.loss.clone()).ok()?;
    Some(SliceFound {
        a: grid.a.clone(),
        b: grid.b.clone(),
        loss,
        direction_1: direction(plane.d1()),
        direction_2: direction(plane.d2()),
        centre: centre.block(over).to_vec(),
        path: detail.path.iter().map(on_path).collect(),
    })
}

/// A state of the path as a file holds it.
pub(super) fn on_path(p: &PathPoint) -> PathFound {
    PathFound {
        iteration: p.iteration,
        a: p.coordinates.a,
        b: p.coordinates.b,
        loss: p.loss.unwrap_or(f64::NAN),
        distance: p.coordinates.distance,
    }
}
