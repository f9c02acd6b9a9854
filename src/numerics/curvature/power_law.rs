//! Owns the power law through the leading eigenvalues.

/// Eigenvalues as they are fitted, from pairs of lambda and ||Hv - lambda v|| / |lambda|: those that are not resolved,
/// where ||Hv - lambda v|| is more than |lambda|, become 0, which [`power_law_exponent`] leaves out (`[own]`). Their
/// logarithms would be those of rounding noise, which as many orders as there are below the largest tilt the line.
///
/// ```
/// use basinscope::numerics::curvature::power_law::resolved;
/// assert_eq!(resolved([(2.0, 1e-9), (1e-20, 3e4)]), [2.0, 0.0]);
/// ```
pub fn resolved(found: impl IntoIterator<Item = (f64, f64)>) -> Vec<f64> {
    found.into_iter().map(|(lambda, residual)| if residual > 1.0 { 0.0 } else { lambda }).collect()
}

/// The exponent s of `|lambda_n| = a n^-s`: weighted least squares, with intercept, of log |lambda_n| on
/// -log n, with weights 1/n, n = 1..k (P1 App. Fig. 7; the weights are from the authors' code).
///
/// `eigenvalues` are the leading ones, descending. An eigenvalue of 0 has no logarithm and is left out. `None`
/// where fewer than two are left.
///
/// ```
/// use basinscope::numerics::curvature::power_law::power_law_exponent;
/// let eigenvalues: Vec<f64> = (1..=50).map(|n| 7.0 * (n as f64).powf(-1.5)).collect();
/// assert!((power_law_exponent(&eigenvalues).unwrap() - 1.5).abs() < 1e-12);
/// ```
pub fn power_law_exponent(eigenvalues: &[f64]) -> Option<f64> {
    let points = || {
        let numbered = eigenvalues.iter().enumerate().map(|(i, lambda)| ((i + 1) as f64, lambda.abs()));
        numbered.filter(|(_, size)| *size > 0.0).map(|(n, size)| (1.0 / n, -n.ln(), size.ln()))
    };
    let total: f64 = points().map(|(weight, ..)| weight).sum();
    let mean = |of: fn((f64, f64, f64)) -> f64| points().map(|p| p.0 * of(p)).sum::<f64>() / total;
    let (x_mean, y_mean) = (mean(|p| p.1), mean(|p| p.2));
    let spread: f64 = points().map(|(weight, x, _)| weight * (x - x_mean).powi(2)).sum();
    let shared: f64 = points().map(|(weight, x, y)| weight * (x - x_mean) * (y - y_mean)).sum();
    (points().count() > 1).then_some(shared / spread).filter(|s| s.is_finite())
}
