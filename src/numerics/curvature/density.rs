//! Owns [`Density`], the spectral density of an operator by stochastic Lanczos quadrature.

use super::NotFinite;
use super::krylov::Krylov;
use super::operator::LinearOperator;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// One eigenvalue of a quadrature and its share of the spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// Where.
    pub value: f64,
    /// How much; all together 1.
    pub weight: f64,
}

/// A spectrum as a set of weighted points. Its moments of order 0 to 2 `steps` - 1 are unbiased estimates of
/// those of the operator, Tr A^j / dim.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// The nodes of each probe, ascending.
    pub probes: Vec<Vec<Node>>,
    /// Products spent.
    pub products: usize,
}

/// The density from `probes` random start vectors with `steps` products each (fewer where the space is
/// exhausted): the eigenvalues of each tridiagonal matrix, weighted by the squares of the first components of
/// their vectors (Golub and Welsch 1969; Ubaru, Chen and Saad 2017).
///
/// Start vectors are random signs: on a diagonal operator every probe gives the spectrum itself.
///
/// Errors: a product that is not finite.
///
/// ```
/// use basinscope::numerics::curvature::density::density;
/// use basinscope::numerics::curvature::operator::DiagonalOperator;
/// use basinscope::numerics::random::{Purpose, Stream};
/// let mut h = DiagonalOperator::new(vec![2.0, -1.0, -1.0, -1.0]);
/// let found = density(&mut h, 1, 2, &mut Stream::new(1, Purpose::Measures)).unwrap();
/// let [low, high] = found.probes[0][..] else { panic!("two nodes") };
/// assert!((low.value + 1.0).abs() < 1e-14 && (low.weight - 0.75).abs() < 1e-14);
/// assert!((high.value - 2.0).abs() < 1e-14 && (high.weight - 0.25).abs() < 1e-14);
/// ```
pub fn density<T: Scalar>(
    operator: &mut dyn LinearOperator<T>,
    probes: usize,
    steps: usize,
    stream: &mut Stream,
) -> Result<Density, NotFinite> {
    let dim = operator.dim();
    let mut krylov = Krylov::default();
    let mut found = Density { probes: Vec::with_capacity(probes), products: 0 };
    let mut start = vec![T::zero(); dim];
    for _ in 0..probes {
        krylov.reset(dim, (steps + 1).min(dim));
        start.iter_mut().for_each(|z| *z = if stream.below(2) == 0 { T::one() } else { -T::one() });
        krylov.add(&start);
        for _ in 0..steps.min(dim) {
            if krylov.pending() == 0 {
                break;
            }
            found.products += 1;
            krylov.step(operator, 0).map_err(|_| NotFinite { products: found.products })?;
        }
        let ritz = krylov.ritz().map_err(|_| NotFinite { products: found.products })?;
        let node = |i: usize| Node { value: ritz.values[i], weight: ritz.vector(i)[0] * ritz.vector(i)[0] };
        found.probes.push((0..ritz.len()).map(node).collect());
    }
    Ok(found)
}

impl Density {
    /// The moment of order `j`: mean over the probes of `sum weight value^j`, with its standard error (0 for
    /// one probe).
    pub fn moment(&self, j: i32) -> (f64, f64) {
        let each =
            self.probes.iter().map(|nodes| nodes.iter().map(|n| n.weight * n.value.powi(j)).sum::<f64>());
        let each: Vec<f64> = each.collect();
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        let squares: f64 = each.iter().map(|m| (m - mean) * (m - mean)).sum();
        (mean, if each.len() > 1 { (squares / (n * (n - 1.0))).sqrt() } else { 0.0 })
    }

    /// The density at the points `at`, each node drawn as a Gaussian of standard deviation `width` (positive).
    pub fn smoothed(&self, at: &[f64], width: f64) -> Vec<f64> {
        self.smoothed_on(Some, at, width)
    }

    /// The density along an axis on which an eigenvalue stands at its `place`, for example its logarithm: at the
    /// places `at`, each node a Gaussian of standard deviation `width` (positive) there. Its integral over the places
    /// is the share of the eigenvalues that have one.
    ///
    /// ```
    /// use basinscope::numerics::curvature::density::{Density, Node};
    /// let probes = vec![vec![Node { value: 10.0, weight: 0.25 }, Node { value: 1000.0, weight: 0.75 }]];
    /// let density = Density { probes, products: 2 };
    /// let at: Vec<f64> = (0..400).map(|i| 0.01 * f64::from(i)).collect();
    /// let by_decade = density.smoothed_on(|value| Some(value.log10()), &at, 0.1);
    /// let share: f64 = by_decade[..200].iter().map(|d| 0.01 * d).sum();
    /// assert!((share - 0.25).abs() < 1e-6);
    /// ```
    pub fn smoothed_on(&self, place: impl Fn(f64) -> Option<f64>, at: &[f64], width: f64) -> Vec<f64> {
        let norm = 1.0 / (width * (2.0 * std::f64::consts::PI).sqrt() * self.probes.len().max(1) as f64);
        let nodes = self.probes.iter().flatten();
        let nodes: Vec<(f64, f64)> = nodes.filter_map(|n| Some((place(n.value)?, n.weight))).collect();
        let bell = |x: f64, (at, weight): &(f64, f64)| weight * (-0.5 * ((x - at) / width).powi(2)).exp();
        at.iter().map(|x| norm * nodes.iter().map(|n| bell(*x, n)).sum::<f64>()).collect()
    }
}
