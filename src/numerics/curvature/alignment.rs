//! Owns what a rule's gradient has in common with the exact one: rho, cosine, error, their shares in the
//! leading eigenvectors, and what a step along it does to the loss.

use super::NotFinite;
use super::lanczos::Eigenpair;
use super::operator::LinearOperator;
use super::vectors::{dot, norm};
use crate::numerics::rules::rescale;
use crate::numerics::scalar::Scalar;

/// A rule's gradient g^ beside the exact gradient g of the same batch, over one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alignment {
    /// <g^, g> / <g, g> (P1 Eq. 6).
    pub rho: f64,
    /// <g^, g> / (||g^|| ||g||); `None` where g^ is 0.
    pub cosine: Option<f64>,
    /// ||g^ - g|| / ||g||.
    pub relative_error: f64,
    /// ||g^|| / ||g||.
    pub update_ratio: f64,
}

/// The alignment of `rule` (g^) with `exact` (g); `None` where g is 0 or either is not finite.
///
/// ```
/// use basinscope::numerics::curvature::alignment::alignment;
/// let found = alignment(&[0.5, 0.5], &[1.0, 0.0]).unwrap();
/// assert_eq!((found.rho, found.relative_error), (0.5, 0.5f64.sqrt()));
/// assert!((found.cosine.unwrap() - 0.5f64.sqrt()).abs() < 1e-15);
/// ```
pub fn alignment<T: Scalar>(rule: &[T], exact: &[T]) -> Option<Alignment> {
    let rho = rescale::rho(rule, exact)?;
    let (rule_norm, exact_norm) = (norm(rule), norm(exact));
    let off: f64 = rule.iter().zip(exact).map(|(r, e)| (r.f64() - e.f64()).powi(2)).sum();
    Some(Alignment {
        rho,
        cosine: (rule_norm > 0.0).then(|| rho * exact_norm / rule_norm),
        relative_error: off.sqrt() / exact_norm,
        update_ratio: rule_norm / exact_norm,
    })
}

/// Shares of squared norms in the span of eigenvectors, each in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopShares {
    /// Of e = g^ - rho g; `None` where e is 0 (within rounding), as for the exact rule and for its multiples.
    pub error: Option<f64>,
    /// Of g; `None` where g is 0.
    pub gradient: Option<f64>,
}

/// How much of the rule's error and of the exact gradient lies in the span of `top` (orthonormal eigenvectors
/// over the same block; P1 App. Fig. 10).
pub fn shares_in_top<T: Scalar>(rule: &[T], exact: &[T], top: &[Eigenpair<T>]) -> TopShares {
    let rho = T::of(rescale::rho(rule, exact).unwrap_or(0.0));
    let error: Vec<T> = rule.iter().zip(exact).map(|(r, g)| *r - rho * *g).collect();
    let share = |v: &[T]| {
        let inside: f64 = top.iter().map(|pair| dot(&pair.vector, v).powi(2)).sum();
        (inside / dot(v, v)).min(1.0)
    };
    let rounding = 8.0 * T::epsilon().f64() * norm(rule);
    TopShares {
        error: (norm(&error) > rounding).then(|| share(&error)),
        gradient: (norm(exact) > 0.0).then(|| share(exact)),
    }
}

/// What is known of a spectrum beside its leading eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// The smallest eigenvalue.
    pub smallest: f64,
    /// How many eigenvalues there are, P.
    pub count: usize,
    /// What every eigenvalue is raised by: L2's factor.
    pub raised_by: f64,
    /// How often each occurs by nature: n_out in the readout of a regression, whose Hessian has the same block once per
    /// output; else 1.
    pub copies: usize,
}

/// Whether the leading eigenvalues `top`, descending, end within an eigenspace: lambda_k = lambda_{k+1} within 8
/// roundings of the largest. Which vectors of it were found is then chance, and a share of anything in their span is
/// not defined. So it is where the rest of the spectrum is lambda_k, where lambda_k cannot be told from 0 (before L2),
/// and where k is no multiple of the copies of each eigenvalue.
///
/// ```
/// use basinscope::numerics::curvature::alignment::{Rest, ends_within_an_eigenspace};
/// let rest = Rest { smallest: -1.0, count: 9, raised_by: 0.0, copies: 1 };
/// assert!(!ends_within_an_eigenspace::<f64>(&[3.0, 2.0], rest));
/// assert!(ends_within_an_eigenspace::<f64>(&[3.0, 2.0, 1e-16], rest));
/// assert!(ends_within_an_eigenspace::<f64>(&[3.0, 3.0, 2.0], Rest { copies: 2, ..rest }));
/// ```
pub fn ends_within_an_eigenspace<T: Scalar>(top: &[f64], rest: Rest) -> bool {
    let (Some(first), Some(last)) = (top.first(), top.last()) else { return false };
    let resolution = 8.0 * T::epsilon().f64() * first.abs().max(rest.smallest.abs());
    let is_all_the_rest = last - rest.smallest <= resolution;
    let is_zero = (last - rest.raised_by).abs() <= resolution;
    top.len() < rest.count && (is_all_the_rest || is_zero || !top.len().is_multiple_of(rest.copies.max(1)))
}

/// The first two Taylor terms of the loss in one step `w - eta u` (P1 B.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaylorTerms {
    /// -eta <g, u>.
    pub first: f64,
    /// eta^2/2 <u, H u>.
    pub second: f64,
}

impl TaylorTerms {
    /// The terms of the same step at `factor` times the rate. P1's claim is that a rule's terms at factor
    /// 1/rho are those of the exact rule: the first exactly, by rho's definition, the second as far as the
    /// rule's error has no part in the leading eigenvectors.
    pub fn at_rate(self, factor: f64) -> Self {
        Self { first: factor * self.first, second: factor * factor * self.second }
    }
}

/// The Taylor terms of a step of rate `eta` along `update` (u), at a point with gradient `exact` (g) and
/// Hessian `operator`. One product. Where the Hessian takes L2 in, so should both gradients.
///
/// Errors: a product that is not finite.
///
/// ```
/// use basinscope::numerics::curvature::alignment::taylor_terms;
/// use basinscope::numerics::curvature::operator::DiagonalOperator;
/// // L = (3 w_1^2 - w_2^2)/2 at w = (1, 1): g = (3, -1).
/// let mut h = DiagonalOperator::new(vec![3.0, -1.0]);
/// let terms = taylor_terms(&mut h, 0.5, &[3.0, -1.0], &[3.0, -1.0]).unwrap();
/// assert_eq!((terms.first, terms.second), (-5.0, 0.125 * 26.0));
/// ```
pub fn taylor_terms<T: Scalar>(
    operator: &mut dyn LinearOperator<T>,
    eta: f64,
    exact: &[T],
    update: &[T],
) -> Result<TaylorTerms, NotFinite> {
    let mut hu = vec![T::zero(); update.len()];
    operator.apply(update, &mut hu);
    let second = 0.5 * eta * eta * dot(update, &hu);
    if !second.is_finite() {
        return Err(NotFinite { products: 1 });
    }
    Ok(TaylorTerms { first: -eta * dot(exact, update), second })
}
