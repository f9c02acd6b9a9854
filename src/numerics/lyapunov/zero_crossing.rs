//! Owns [`zero_crossing`], the gain at which exponents change their sign.

/// The gain at which exponents cross zero from below, by straight lines between points of ascending gain; the
/// first one if there are several, `None` if there is none. Points that are not finite are passed over.
///
/// ```
/// use basinscope::numerics::lyapunov::zero_crossing;
/// assert_eq!(zero_crossing(&[(1.0, -0.2), (1.5, f64::NAN), (2.0, 0.2)]), Some(1.5));
/// assert_eq!(zero_crossing(&[(1.0, 0.1), (2.0, 0.2)]), None);
/// ```
pub fn zero_crossing(points: &[(f64, f64)]) -> Option<f64> {
    let finite: Vec<_> = points.iter().filter(|(_, lambda)| lambda.is_finite()).collect();
    finite.windows(2).find(|pair| pair[0].1 < 0.0 && pair[1].1 >= 0.0).map(|pair| {
        let ((g0, l0), (g1, l1)) = (*pair[0], *pair[1]);
        g0 + (g1 - g0) * l0 / (l0 - l1)
    })
}
