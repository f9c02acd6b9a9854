//! Owns [`Scalar`]: the two precisions every formula is written for.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{AddAssign, DivAssign, MulAssign, SubAssign};

/// A floating-point precision: `f32` for training, `f64` for checks.
pub trait Scalar:
    num_traits::Float
    + faer::traits::RealField
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
    + Default
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
{
    /// The name used in configuration files.
    const NAME: &'static str;
    /// The nearest value of this precision.
    fn of(value: f64) -> Self;
    /// The same value as `f64`, exactly.
    fn f64(self) -> f64;
    /// e^x for x <= 0, to 2 units in the last place (in f32 0 below e^-87). In f32
    /// without a branch or a call, so that the machine's vectors can take it, and with the same bits everywhere.
    fn exp_of_negative(self) -> Self;
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        // x = n ln 2 + r with |r| <= ln 2 / 2, and e^r by its series: the first term left out is 5e-9.
        // ln 2 is split in a short number, whose product with n is exact, and the rest.
        const LN_2_SHORT: f32 = 355.0 / 512.0;
        const LN_2_REST: f32 = (std::f64::consts::LN_2 - 355.0 / 512.0) as f32;
        // Adding and subtracting 1.5 2^23 rounds to a whole number, which then stands in the lowest bits.
        const ROUND: f32 = 12_582_912.0;
        let rounded = self * std::f32::consts::LOG2_E + ROUND;
        let n = rounded - ROUND;
        let r = self - n * LN_2_SHORT - n * LN_2_REST;
        let mut series = 1.0 / 5040.0;
        for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            series = series * r + coefficient;
        }
        let exponent = rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
        let power = f32::from_bits(exponent << 23);
        if self < -87.0 { 0.0 } else { series * power }
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn exp_of_negative(self) -> Self {
        self.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the standard library in f64, over the whole range and at its edges.
    #[test]
    fn the_exponential_of_negative_numbers_is_right_to_two_units_in_the_last_place() {
        let mut largest = 0.0f64;
        for i in 0..=870_000 {
            let x = -1e-4 * i as f32;
            let exact = f64::from(x).exp();
            largest = largest.max((f64::from(x.exp_of_negative()) / exact - 1.0).abs());
        }
        assert!(largest < 2.0 * f64::from(f32::EPSILON), "{largest}");
        assert_eq!(0.0f32.exp_of_negative(), 1.0);
        assert_eq!([-87.1, -1e30, f32::NEG_INFINITY].map(f32::exp_of_negative), [0.0; 3]);
        assert!(f32::NAN.exp_of_negative().is_nan() && f64::NAN.exp_of_negative().is_nan());
        assert_eq!(f64::exp_of_negative(-1.0), (-1.0f64).exp());
    }
}
