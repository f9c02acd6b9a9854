//! Owns what everything measured of one network becomes in its file.

use ndarray::Array2;

use super::of_findings::on_path;
use super::{FlossingFound, Found, Hessian, LyapunovFound, SliceFound};
use crate::numerics::weights::Weights;
use crate::training::config::RuleKind;
use crate::training::measured::{Curvature, GivenSlice, Gradients, Measured};

impl Found {
    /// All of it; the slice lies around the `weights`.
    pub fn of_measured(measured: &Measured, weights: &Weights<f64>, slice: Option<&GivenSlice>) -> Self {
        let mut found = Self::default();
        found.take_gradients(&measured.gradients);
        found.rho = measured.alignment.map(|a| a.rho);
        found.cosine = measured.alignment.and_then(|a| a.cosine);
        found.error_in_top_subspace = measured.top_shares.error;
        found.gradient_in_top_subspace = measured.top_shares.gradient;
        if let Ok(curvature) = &measured.curvature {
            found.take_measured_curvature(curvature);
        }
        let exponents = &measured.exponents;
        found.lyapunov = Some(LyapunovFound {
            mean: exponents.mean.clone(),
            per_trial: Some(exponents.per_trial.clone()),
            q0: Some(measured.q0.clone()),
            skip: i64::try_from(exponents.skip).ok(),
        });
        let (flossing, gradient) = &measured.flossing;
        found.flossing = Some(FlossingFound { loss: flossing.loss, gradient: Some(gradient.clone()) });
        found.slice = slice.zip(measured.slice.as_ref()).and_then(|(given, grid)| {
            let grid = grid.as_ref().ok()?;
            Some(SliceFound {
                a: grid.a.clone(),
                b: grid.b.clone(),
                loss: Array2::from_shape_vec((grid.b.len(), grid.a.len()), grid.loss.clone()).ok()?,
                direction_1: given.direction_1.clone(),
                direction_2: given.direction_2.clone(),
                centre: weights.block(given.block).to_vec(),
                path: measured.slice_path.iter().map(on_path).collect(),
            })
        });
        found
    }

    /// Loss, outputs and gradients.
    pub fn take_gradients(&mut self, gradients: &Gradients) {
        self.loss = Some(gradients.loss);
        self.y = Some(gradients.y.clone());
        self.gradients = vec![("exact".into(), gradients.exact.clone())];
        self.gradients.extend(gradients.rules.iter().map(|(kind, g)| (name(*kind).into(), g.clone())));
        self.gradients.sort_by(|a, b| a.0.cmp(&b.0));
    }

    fn take_measured_curvature(&mut self, curvature: &Curvature) {
        let top = &curvature.top;
        let columns = top.first().map_or(0, |e| e.vector.len());
        let vectors = top.iter().flat_map(|e| e.vector.iter().copied()).collect();
        self.hessian = Some(Hessian {
            eigenvalues: top.iter().map(|e| e.value).collect(),
            eigenvectors: Array2::from_shape_vec((top.len(), columns), vectors).ok(),
            residuals: Some(top.iter().map(|e| e.residual).collect()),
        });
        self.lambda_max = top.first().map(|e| e.value);
        self.lambda_min = Some(curvature.bottom.value);
        self.hessian_trace = Some(curvature.trace.value);
        self.hessian_trace_se = Some(curvature.trace.standard_error);
        self.relative_flatness = Some(curvature.relative_flatness.value);
        self.power_law_exponent = curvature.power_law_exponent;
    }
}

/// The name of a rule in the names of members.
fn name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Bptt => "bptt",
        RuleKind::EProp => "e_prop",
        RuleKind::Rflo => "rflo",
        RuleKind::Mdgl => "mdgl",
        RuleKind::ScaledBptt => "scaled_bptt",
        RuleKind::TruncatedBptt => "truncated_bptt",
        RuleKind::Upscaled => "upscaled",
    }
}
