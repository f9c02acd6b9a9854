//! Owns [`Lanczos`]: the algebraically largest and smallest eigenvalues of a symmetric operator, with vectors.

use super::NotFinite;
use super::krylov::{Krylov, Ritz};
use super::operator::LinearOperator;
use super::vectors::{norm, scale};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// How many of the algebraically largest.
    pub top: usize,
    /// How many of the algebraically smallest.
    pub bottom: usize,
    /// Largest residual ||A v - lambda v|| / |lambda| of a converged pair. The eigenvalue's own error is smaller:
    /// about the square of it.
    pub tolerance: f64,
    /// Products with A after which the search ends, converged or not.
    pub max_products: usize,
    /// Whether repeated eigenvalues are each to be found as often as they occur. One chain of products sees
    /// one vector of each eigenspace only; so when all pairs have converged, a random direction is added,
    /// every chain is followed for [`CHECK_ROUNDS`] products, and if that shows anything new, the search
    /// goes on and is checked again.
    pub multiplicities: bool,
}

/// Products on each chain spent on looking for what a converged search has missed (`[own]`).
pub const CHECK_ROUNDS: usize = 10;

/// An eigenvalue with its vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Eigenpair<T> {
    /// lambda, with its sign.
    pub value: f64,
    /// ||A v - lambda v|| / |lambda|; 0 where lambda and the norm are both 0.
    pub residual: f64,
    /// See [`has_converged`].
    pub converged: bool,
    /// v, of unit length, its entry of largest magnitude positive.
    pub vector: Vec<T>,
}

/// Whether an eigenpair of this `value` and relative `residual` has converged: the residual is within the
/// tolerance, or so small beside `largest`, the largest |eigenvalue| at either end of the spectrum, that no product
/// can tell: ||A v - lambda v|| at most tolerance^2, or 8 roundings of T, of that.
pub fn has_converged<T: Scalar>(value: f64, residual: f64, largest: f64, tolerance: f64) -> bool {
    is_small::<T>(residual * value.abs(), value, largest, tolerance)
}

/// [`has_converged`] of ||A v - lambda v||.
fn is_small<T: Scalar>(residual: f64, value: f64, largest: f64, tolerance: f64) -> bool {
    let resolution = (tolerance * tolerance).max(8.0 * T::epsilon().f64());
    residual <= (tolerance * value.abs()).max(resolution * largest)
}

/// Both ends of a spectrum.
#[derive(Clone, Debug, PartialEq)]
pub struct Extremes<T> {
    /// The largest, descending.
    pub top: Vec<Eigenpair<T>>,
    /// The smallest, ascending.
    pub bottom: Vec<Eigenpair<T>>,
    /// Products spent.
    pub products: usize,
}

/// The solver with its buffers: thick-restart Lanczos (Wu and Simon 2000) with full reorthogonalisation.
///
/// Memory is bounded by 2 k + 5 vectors for k wanted pairs (k + 37 for k below 32), whatever the number of
/// products.
///
/// The Hessian of a quadratic is its matrix, here with the eigenvalues 3, 1 and -4:
///
/// ```
/// use basinscope::numerics::curvature::lanczos::{Lanczos, Wanted};
/// use basinscope::numerics::curvature::operator::DenseOperator;
/// use basinscope::numerics::random::{Purpose, Stream};
///
/// // L(w) = 1/2 w^T A w with A = [[2, 1, 0], [1, 2, 0], [0, 0, -4]].
/// let a = vec![2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, -4.0];
/// let mut hessian = DenseOperator::new(3, a).unwrap();
/// let wanted = Wanted { top: 2, bottom: 1, tolerance: 1e-10, max_products: 10, multiplicities: false };
/// let mut stream = Stream::new(1, Purpose::Measures);
/// let found = Lanczos::default().extremes(&mut hessian, wanted, &[], &mut stream).unwrap();
/// assert!((found.top[0].value - 3.0).abs() < 1e-12);
/// assert!((found.top[1].value - 1.0).abs() < 1e-12);
/// assert!((found.bottom[0].value + 4.0).abs() < 1e-12);
/// assert!((found.top[0].vector[0] - 0.5f64.sqrt()).abs() < 1e-12);
/// ```
#[derive(Debug, Default)]
pub struct Lanczos<T> {
    krylov: Krylov<T>,
}

/// Spaces of up to so many dimensions are held whole.
const WHOLE: usize = 100;

/// The random part of a warm start, relative to the rest: what is orthogonal to all that was seen before
/// must have a chance (`[own]`).
const FRESH_SHARE: f64 = 0.03;

impl<T: Scalar> Lanczos<T> {
    /// Both ends of the spectrum of `operator`, as far as `wanted`.
    ///
    /// `starts` are approximate eigenvectors where there are any (those of the weights before): the search
    /// starts from their sum and a small random part of `stream`; with none, from a random vector.
    ///
    /// Errors: a product that is infinite or NaN.
    pub fn extremes(
        &mut self,
        operator: &mut dyn LinearOperator<T>,
        wanted: Wanted,
        starts: &[&[T]],
        stream: &mut Stream,
    ) -> Result<Extremes<T>, NotFinite> {
        let dim = operator.dim();
        let ends = Ends::new(&wanted, dim);
        self.krylov.reset(dim, ends.capacity());
        self.krylov.add(&start(dim, starts, stream));
        let mut products = 0;
        let mut check: Option<Check> = None;
        let mut which = None;
        let mut steps_to_look = ends.count;
        loop {
            if self.krylov.pending() == 0 && !self.krylov.add_random(stream)
                || products == wanted.max_products
            {
                break;
            }
            let checking = check.as_ref().is_some_and(|check| products < check.until);
            // Every chain in turn while checking; else the one that the worst pair needs, and then the same.
            let next = if checking { 0 } else { which.take().unwrap_or(self.krylov.pending() - 1) };
            let step = self.krylov.step(operator, next);
            products += 1;
            step.map_err(|_| NotFinite { products })?;
            steps_to_look = steps_to_look.saturating_sub(1);
            if steps_to_look > 0 && self.krylov.pending() > 0 && !self.krylov.is_full() {
                continue;
            }
            let ritz = self.krylov.ritz().map_err(|_| NotFinite { products })?;
            steps_to_look = 1 + ritz.len() / 16;
            if ritz.len() < ends.count && self.krylov.pending() == 0 {
                continue;
            }
            let open = ends.indices(ritz.len()).find(|i| !self.converged(&ritz, *i, wanted.tolerance));
            let checking = check.as_ref().is_some_and(|check| products < check.until);
            match open {
                Some(i) if !checking => which = Some(ritz.longest_coupling(i)),
                None if !checking && ritz.len() >= ends.count => {
                    let values = ends.values(&ritz);
                    let seen = |check: &Check| check.shows_nothing_new(&values, wanted.tolerance);
                    if !wanted.multiplicities || check.as_ref().is_some_and(seen) {
                        break;
                    }
                    if self.krylov.is_full() {
                        self.krylov.restart(&ritz, &ends.kept(&ritz));
                    }
                    if !self.krylov.add_random(stream) {
                        break;
                    }
                    let rounds = CHECK_ROUNDS * self.krylov.pending();
                    check = Some(Check { values, until: products + rounds });
                    continue;
                }
                _ => {}
            }
            if self.krylov.is_full() {
                self.krylov.restart(&ritz, &ends.kept(&ritz));
            }
        }
        self.collect(&ends, wanted.tolerance, products)
    }

    fn converged(&self, ritz: &Ritz, i: usize, tolerance: f64) -> bool {
        let largest = ritz.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        is_small::<T>(ritz.residual(i), ritz.values[i], largest, tolerance)
    }

    fn collect(&self, ends: &Ends, tolerance: f64, products: usize) -> Result<Extremes<T>, NotFinite> {
        if self.krylov.len() == 0 {
            return Ok(Extremes { top: Vec::new(), bottom: Vec::new(), products });
        }
        let ritz = self.krylov.ritz().map_err(|_| NotFinite { products })?;
        let m = ritz.len();
        let mut which: Vec<usize> = ends.indices(m).collect();
        let rounding = T::epsilon().f64() * self.krylov.norm;
        let vectors = self.krylov.ritz_vectors(&ritz, &which);
        let pair = |(i, mut vector): (usize, Vec<T>)| {
            let (value, residual) = (ritz.values[i], ritz.residual(i).max(rounding));
            point_up(&mut vector);
            Eigenpair {
                value,
                residual: if residual == 0.0 { 0.0 } else { residual / value.abs() },
                converged: self.converged(&ritz, i, tolerance),
                vector,
            }
        };
        let mut top: Vec<Eigenpair<T>> = which.drain(..).zip(vectors).map(pair).collect();
        let bottom = top.split_off(ends.top.min(m));
        Ok(Extremes { top, bottom, products })
    }
}

/// Which Ritz pairs count.
struct Ends {
    dim: usize,
    top: usize,
    bottom: usize,
    /// Both together, as far as the space has so many.
    count: usize,
}

impl Ends {
    fn new(wanted: &Wanted, dim: usize) -> Self {
        let (top, bottom) = (wanted.top.min(dim), wanted.bottom.min(dim));
        Self { dim, top, bottom, count: (top + bottom).min(dim) }
    }

    /// Rows of the basis: room for the wanted, for as many again (at least 32) to search with, and for the
    /// pending ones. A small space is held whole.
    fn capacity(&self) -> usize {
        let rows = self.count + self.count.max(32) + 5;
        if self.dim <= WHOLE { self.dim } else { rows.min(self.dim) }
    }

    fn indices(&self, m: usize) -> impl Iterator<Item = usize> + use<> {
        let (top, bottom) = (self.top.min(m), self.bottom.min(m));
        (m - top..m).rev().chain(0..bottom)
    }

    fn values(&self, ritz: &Ritz) -> Vec<f64> {
        self.indices(ritz.len()).map(|i| ritz.values[i]).collect()
    }

    /// The Ritz pairs that a restart keeps: the wanted ones, and of the others two in five, next to the ends.
    fn kept(&self, ritz: &Ritz) -> Vec<usize> {
        let m = ritz.len();
        let more = (m.saturating_sub(self.count)) * 2 / 5;
        let (more_top, more_bottom) = match (self.top, self.bottom) {
            (_, 0) => (more, 0),
            (0, _) => (0, more),
            _ => (more - more / 2, more / 2),
        };
        let bottom = (self.bottom + more_bottom).min(m);
        let top = (self.top + more_top).min(m - bottom);
        (0..bottom).chain(m - top..m).collect()
    }
}

/// A look for what was missed.
struct Check {
    /// The wanted values when it began.
    values: Vec<f64>,
    /// It has seen enough after so many products.
    until: usize,
}

impl Check {
    fn shows_nothing_new(&self, values: &[f64], tolerance: f64) -> bool {
        let size = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        self.values.iter().zip(values).all(|(old, new)| (old - new).abs() <= tolerance * size)
    }
}

/// The sum of the starts with a small random part, or a random vector.
fn start<T: Scalar>(dim: usize, starts: &[&[T]], stream: &mut Stream) -> Vec<T> {
    let mut random: Vec<T> = (0..dim).map(|_| T::of(stream.normal())).collect();
    let mut sum = vec![T::zero(); dim];
    for start in starts.iter().filter(|start| start.len() == dim) {
        let factor = T::of(1.0 / norm(start));
        sum.iter_mut().zip(*start).for_each(|(sum, v)| *sum += factor * *v);
    }
    let size = norm(&sum);
    if size > 0.0 && size.is_finite() {
        let fresh = FRESH_SHARE * size / norm(&random);
        scale(&mut random, fresh);
        random.iter_mut().zip(&sum).for_each(|(r, s)| *r += *s);
    }
    random
}

/// Turns the vector so that its entry of largest magnitude is positive (the first of equal ones).
fn point_up<T: Scalar>(v: &mut [T]) {
    let largest = v.iter().fold(T::zero(), |best, x| {
        if num_traits::Float::abs(*x) > num_traits::Float::abs(best) { *x } else { best }
    });
    if largest < T::zero() {
        v.iter_mut().for_each(|x| *x = -*x);
    }
}
