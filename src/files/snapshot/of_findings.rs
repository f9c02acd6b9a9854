//! Owns what the findings of a run's measures become in its snapshot.

use ndarray::Array2;

use super::{Found, Hessian, LyapunovFound, PathFound, SliceFound};
use crate::numerics::landscape::trajectory::PathPoint;
use crate::training::measures::{
    AlignmentDetail, CurvatureDetail, Detail, Finding, LyapunovDetail, SliceDetail,
};

impl Found {
    /// What was found at this iteration; findings of other iterations belong to other weights and are left out.
    pub fn of_findings<'a>(findings: impl IntoIterator<Item = &'a Finding>, iteration: i64) -> Self {
        let mut found = Self::default();
        for finding in findings.into_iter().filter(|f| f.iteration == iteration) {
            match &finding.detail {
                Detail::Curvature(Some(detail)) => found.take_curvature(detail),
                Detail::Alignment(detail) => found.take_alignment(detail),
                Detail::Lyapunov(detail) => found.lyapunov = Some(lyapunov(detail)),
                Detail::Landscape(Ok(detail)) => found.slice = slice(detail),
                Detail::Test(_)
                | Detail::Curvature(None)
                | Detail::Density(_)
                | Detail::Landscape(Err(_)) => {}
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

fn slice(detail: &SliceDetail) -> Option<SliceFound> {
    let (plane, grid) = (&detail.plane, &detail.grid);
    let loss = Array2::from_shape_vec((grid.b.len(), grid.a.len()), grid.loss.clone()).ok()?;
    Some(SliceFound {
        a: grid.a.clone(),
        b: grid.b.clone(),
        loss,
        direction_1: plane.d1().to_vec(),
        direction_2: plane.d2().to_vec(),
        centre: plane.centre().block(plane.block()).to_vec(),
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
