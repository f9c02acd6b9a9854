//! Owns the notes of a snapshot: what is to be known of its numbers, one sentence each, whoever measured them.

use crate::numerics::curvature::power_law::resolved;
use crate::numerics::curvature::trace::Estimate;
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::slice::Progress;
use crate::numerics::lyapunov::Exponents;
use crate::training::measured::Measured;
use crate::training::measures::{Detail, Finding, SliceDetail};

/// What the notes are about; what was not measured is `None`.
#[derive(Debug, Default)]
pub(crate) struct Noted<'a> {
    exponents: Option<&'a Exponents>,
    curvature: Option<Result<Looked, String>>,
    /// Whether the leading eigenvectors end within an eigenspace.
    cut: bool,
    slice: Option<String>,
}

/// How surely the curvature is known.
#[derive(Debug)]
struct Looked {
    not_converged: usize,
    /// Eigenvalues that the power law is fitted to, and all that were found.
    fitted: (usize, usize),
    trace: Estimate,
    relative_flatness: Estimate,
}

impl<'a> Noted<'a> {
    /// Of one network that was measured.
    pub fn of_measured(measured: &'a Measured) -> Self {
        let looked = measured.curvature.as_ref().map(|found| Looked {
            not_converged: found.top.iter().chain([&found.bottom]).filter(|e| !e.converged).count(),
            fitted: fitted(found.top.iter().map(|e| (e.value, e.residual))),
            trace: found.trace,
            relative_flatness: found.relative_flatness,
        });
        Self {
            exponents: Some(&measured.exponents),
            curvature: Some(looked.map_err(|error| error.to_string())),
            cut: measured.top_is_cut,
            slice: measured.slice.as_ref().and_then(|slice| slice.as_ref().err()).map(no_slice),
        }
    }

    /// Of what a run found at this iteration; findings of other iterations belong to other weights.
    pub fn of_findings(findings: impl IntoIterator<Item = &'a Finding>, iteration: i64) -> Self {
        let mut noted = Self::default();
        for finding in findings {
            match &finding.detail {
                Detail::Landscape(Ok(slice)) => noted.slice = of_slice(slice, finding.iteration, iteration),
                _ if finding.iteration != iteration => {}
                Detail::Curvature(Some(found)) => {
                    let not_converged =
                        found.top.iter().chain([&found.lambda_min]).filter(|e| !e.converged).count();
                    let (trace, relative_flatness) = (found.trace, found.relative_flatness);
                    let fitted = fitted(found.top.iter().map(|e| (e.value, e.residual)));
                    noted.curvature = Some(Ok(Looked { not_converged, fitted, trace, relative_flatness }));
                }
                Detail::Curvature(None) => {
                    noted.curvature = Some(Err("a Hessian-vector product is not finite".into()));
                }
                Detail::Lyapunov(found) => noted.exponents = Some(&found.exponents),
                Detail::Landscape(Err(error)) => noted.slice = Some(no_slice(error)),
                Detail::Alignment(found) => noted.cut = found.top_is_cut,
                Detail::Test(_) | Detail::Density(_) => {}
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
                let (fitted, all) = looked.fitted;
                if fitted < all {
                    notes.push(format!(
                        "power_law_exponent: {fitted} of {all} eigenvalues are resolved, and the fit is over these"
                    ));
                }
                notes.push(surety("hessian_trace", &looked.trace));
                notes.push(surety("relative_flatness", &looked.relative_flatness));
            }
        }
        if self.cut {
            notes.push(
                "no error_in_top_subspace and gradient_in_top_subspace: the leading eigenvectors end within an \
                 eigenspace, another measure.top_k takes it in whole"
                    .into(),
            );
        }
        notes.extend(self.slice.clone());
        notes
    }
}

/// How many eigenvalues the power law is fitted to, of how many.
fn fitted(found: impl Iterator<Item = (f64, f64)>) -> (usize, usize) {
    let values = resolved(found);
    (values.iter().filter(|v| **v != 0.0).count(), values.len())
}

fn no_slice(error: &LandscapeError) -> String {
    format!("no slice: {error}")
}

/// What is to be known of a slice in the file of a run that has made `now` updates: why it is not there, or around
/// which of its networks it lies.
fn of_slice(slice: &SliceDetail, at: i64, now: i64) -> Option<String> {
    let Progress { done, total } = slice.progress;
    if done < total {
        return Some(format!("no slice: {done} of its {total} points are known"));
    }
    let centre = slice.plane.centre();
    let (name, block) = (&slice.centre, slice.plane.block().name());
    let n = centre.flat().len();
    let is_present = at == now && slice.centre == format!("iteration {now}");
    (!is_present).then(|| {
        format!(
            "the slice of iteration {at} lies around {name}, in the block {block}: slice_centre and its directions \
             have as many values as that block has weights, or {n}, those of all"
        )
    })
}

fn surety(name: &str, found: &Estimate) -> String {
    let products = found.products;
    if found.is_exact() {
        return format!("{name} is exact: {products} Hessian-vector products");
    }
    let error = found.standard_error;
    format!("{name} is an estimate from {products} Hessian-vector products, standard error {error:.3e}")
}
