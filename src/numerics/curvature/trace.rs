//! Owns the trace of an operator: exact where it is small, else Hutchinson's estimate with its standard error.

use super::NotFinite;
use super::operator::LinearOperator;
use super::vectors::dot;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// A number that was perhaps estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard error; 0 where the value is exact.
    pub standard_error: f64,
    /// Products spent.
    pub products: usize,
}

impl Estimate {
    /// Whether it is no estimate: its error is that of rounding only.
    pub fn is_exact(&self) -> bool {
        self.standard_error == 0.0
    }
}

/// Tr A with at most `max_products` products (at least 2 are spent on an estimate).
///
/// Up to that dimension exactly, `sum_i <e_i, A e_i>`. Above it the mean of `<z, A z>` over random signs z
/// (Hutchinson 1989), with the standard error of that mean.
///
/// Errors: a product that is not finite.
///
/// ```
/// use basinscope::numerics::curvature::operator::DiagonalOperator;
/// use basinscope::numerics::curvature::trace::trace;
/// use basinscope::numerics::random::{Purpose, Stream};
/// let mut h = DiagonalOperator::new(vec![3.0, 1.0, -4.5]);
/// let found = trace(&mut h, 10, &mut Stream::new(1, Purpose::Measures)).unwrap();
/// assert_eq!((found.value, found.standard_error, found.products), (-0.5, 0.0, 3));
/// ```
pub fn trace<T: Scalar>(
    operator: &mut dyn LinearOperator<T>,
    max_products: usize,
    stream: &mut Stream,
) -> Result<Estimate, NotFinite> {
    let dim = operator.dim();
    let mut az = vec![T::zero(); dim];
    estimate(dim, max_products, stream, |z| {
        operator.apply(z, &mut az);
        dot(z, &az)
    })
}

/// The trace of a matrix [dim, dim] known by its quadratic form.
pub(super) fn estimate<T: Scalar>(
    dim: usize,
    max_products: usize,
    stream: &mut Stream,
    mut form: impl FnMut(&[T]) -> f64,
) -> Result<Estimate, NotFinite> {
    let exact = dim <= max_products;
    let count = if exact { dim } else { max_products.max(2) };
    let mut z = vec![T::zero(); dim];
    // Mean and sum of squared deviations, updated value by value (Welford).
    let (mut sum, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for i in 0..count {
        if exact {
            z.fill(T::zero());
            z[i] = T::one();
        } else {
            z.iter_mut().for_each(|z| *z = if stream.below(2) == 0 { T::one() } else { -T::one() });
        }
        let value = form(&z);
        if !value.is_finite() {
            return Err(NotFinite { products: i + 1 });
        }
        sum += value;
        let off = value - mean;
        mean += off / (i + 1) as f64;
        squares += off * (value - mean);
    }
    if exact {
        return Ok(Estimate { value: sum, standard_error: 0.0, products: count });
    }
    let n = count as f64;
    Ok(Estimate { value: mean, standard_error: (squares / (n * (n - 1.0))).sqrt(), products: count })
}
