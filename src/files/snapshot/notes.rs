//! Owns the notes of a snapshot: what is to be known of its numbers, one sentence each, whoever measured them.

use crate::numerics::curvature::trace::Estimate;
use crate::numerics::landscape::LandscapeError;
use crate::numerics::lyapunov::Exponents;
use crate::training::measured::Measured;
use crate::training::measures::{Detail, Finding};

/// What the notes are about; what was not measured is `None`.
#[derive(Debug, Default)]
pub(crate) struct Noted<'a> {
    exponents: Option<&'a Exponents>,
    curvature: Option<Result<Looked, String>>,
    slice: Option<&'a LandscapeError>,
}

/// How surely the curvature is known.
#[derive(Debug)]
struct Looked {
    not_converged: usize,
    trace: Estimate,
    relative_flatness: Estimate,
}

impl<'a> Noted<'a> {
    /// Of one network that was measured.
    pub fn of_measured(measured: &'a Measured) -> Self {
        let looked = measured.curvature.as_ref().map(|found| Looked {
            not_converged: found.top.iter().chain([&found.bottom]).filter(|e| !e.converged).count(),
            trace: found.trace,
            relative_flatness: found.relative_flatness,
        });
        Self {
            exponents: Some(&measured.exponents),
            curvature: Some(looked.map_err(|error| error.to_string())),
            slice: measured.slice.as_ref().and_then(|slice| slice.as_ref().err()),
        }
    }

    /// Of what a run found at this iteration; findings of other iterations belong to other weights.
    pub fn of_findings(findings: impl IntoIterator<Item = &'a Finding>, iteration: i64) -> Self {
        let mut noted = Self::default();
        for finding in findings.into_iter().filter(|f| f.iteration == iteration) {
            match &finding.detail {
                Detail::Curvature(Some(found)) => {
                    let not_converged =
                        found.top.iter().chain([&found.lambda_min]).filter(|e| !e.converged).count();
                    let (trace, relative_flatness) = (found.trace, found.relative_flatness);
                    noted.curvature = Some(Ok(Looked { not_converged, trace, relative_flatness }));
                }
                Detail::Curvature(None) => {
                    noted.curvature = Some(Err("a Hessian-vector product is not finite".into()));
                }
                Detail::Lyapunov(found) => noted.exponents = Some(&found.exponents),
                Detail::Landscape(Err(error)) => noted.slice = Some(error),
                Detail::Test(_) | Detail::Alignment(_) | Detail::Density(_) | Detail::Landscape(Ok(_)) => {}
            }
        }
        noted
    }

    /// What is not defined, not converged, estimated or left out.
    pub fn sentences(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(exponents) = self.exponents {
            let (finite, all) = (exponents.finite, exponents.mean.len());
            if finite < all {
                notes.push(format!("{finite} of {all} Lyapunov exponents are finite; sums are over these"));
            }
            if exponents.silent_trials > 0 {
                let silent = exponents.silent_trials;
                notes.push(format!("{silent} silent trials are left out of the exponents"));
            }
        }
        match &self.curvature {
            None => {}
            Some(Err(error)) => notes.push(format!("no Hessian eigenvalues: {error}")),
            Some(Ok(looked)) => {
                let loose = looked.not_converged;
                if loose > 0 {
                    notes.push(format!(
                        "{loose} Hessian eigenvalues have not converged, see hessian_residuals"
                    ));
                }
                notes.push(surety("hessian_trace", &looked.trace));
                notes.push(surety("relative_flatness", &looked.relative_flatness));
            }
        }
        if let Some(error) = self.slice {
            notes.push(format!("no slice: {error}"));
        }
        notes
    }
}

fn surety(name: &str, found: &Estimate) -> String {
    let products = found.products;
    if found.is_exact() {
        return format!("{name} is exact: {products} Hessian-vector products");
    }
    let error = found.standard_error;
    format!("{name} is an estimate from {products} Hessian-vector products, standard error {error:.3e}")
}
