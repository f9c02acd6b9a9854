//! Owns the spectral density of the Hessian as it is drawn, on the screen and on paper.

use crate::files::figure::scale::{Scale, threshold};
use crate::training::measures::DensityDetail;

/// Standard deviation of a node of the quadrature on the axis, in decades (`[own]`).
pub const WIDTH: f64 = 0.12;

/// Points along the density (`[own]`).
const ALONG: usize = 400;

/// The values of all nodes.
pub fn nodes(detail: &DensityDetail) -> impl Iterator<Item = f64> + Clone {
    detail.density.probes.iter().flatten().map(|node| node.value)
}

/// The axis of eigenvalues with these among them: what is smaller than a millionth of the largest is zero to the
/// measure.
pub fn scale(values: impl Iterator<Item = f64>) -> Scale {
    let largest = values.map(f64::abs).fold(0.0, f64::max);
    Scale::SignedLog { threshold: threshold(1e-6 * largest, largest, 6) }
}

/// Share of all eigenvalues per decade along the axis, (eigenvalue, share), not below `floor`.
pub fn along(detail: &DensityDetail, scale: Scale, floor: f64) -> Vec<(f64, f64)> {
    let places = || nodes(detail).filter_map(|value| scale.place(value));
    let low = places().fold(f64::INFINITY, f64::min) - 4.0 * WIDTH;
    let high = places().fold(f64::NEG_INFINITY, f64::max) + 4.0 * WIDTH;
    let at: Vec<f64> = (0..ALONG).map(|i| low + (high - low) * i as f64 / (ALONG - 1) as f64).collect();
    let heights = detail.density.smoothed_on(|value| scale.place(value), &at, WIDTH);
    at.iter().zip(heights).map(|(at, height)| (scale.value(*at), height.max(floor))).collect()
}
