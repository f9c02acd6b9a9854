//! Owns the tables of the colour maps, even in lightness and read alike by all eyes.

use super::look::{Rgb, okabe_ito};

/// Viridis of matplotlib (Smith and van der Walt 2015), at tenths of the way.
pub const VIRIDIS: [Rgb; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];

/// Cividis of Nuñez, Anderton and Renslow (2018), made for colour deficiencies, at tenths of the way.
pub const CIVIDIS: [Rgb; 11] = [
    [0, 32, 77],
    [0, 48, 111],
    [43, 68, 110],
    [75, 86, 108],
    [100, 104, 112],
    [124, 123, 120],
    [148, 142, 119],
    [174, 163, 113],
    [201, 185, 103],
    [229, 208, 86],
    [255, 234, 70],
];

/// Below zero, at zero, above: blue and vermilion of Okabe and Ito (2008) on either side of white.
pub const BOTH_SIGNS: [Rgb; 3] = [okabe_ito::BLUE, [247, 247, 247], okabe_ito::VERMILION];

/// Where there is no value.
const NO_VALUE: Rgb = [160, 160, 160];

/// The colour of a map at a share of the way, 0 to 1; grey for a share that is not a number.
pub fn color(stops: &[Rgb], share: f64) -> Rgb {
    if share.is_nan() || stops.len() < 2 {
        return NO_VALUE;
    }
    let at = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let i = (at as usize).min(stops.len() - 2);
    let t = at - i as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + t * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (stops[i], stops[i + 1]);
    [mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2])]
}
