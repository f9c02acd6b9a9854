//! Owns the directions of a slice: random, eigenvectors, principal components, the plane of three points.

use std::ops::Range;

use faer::linalg::solvers::SelfAdjointEigen;
use faer::{MatRef, Side};

use super::{LandscapeError, check, wanted};
use crate::numerics::parallel::KeepOn;
use crate::numerics::product::{Into, View, product};
use crate::numerics::random::Stream;
use crate::numerics::weights::{Block, Weights, dot, norm};

/// A random direction, filter-normalised per neuron: N(0, 1) values, then row i scaled to the norm of row i
/// of the weights, 0 where that is 0. The rows are those of each matrix of the block. [P of `block`].
///
/// Source: Li et al. 2018, with a neuron's row in the place of a filter.
pub fn filter_normalised(weights: &Weights<f64>, block: Block, stream: &mut Stream) -> Vec<f64> {
    let dims = weights.dims();
    let matrices = match block {
        Block::All => vec![Block::Recurrent, Block::Input, Block::Readout],
        one => vec![one],
    };
    let mut direction = Vec::with_capacity(block.range(dims).len());
    for matrix in matrices {
        let columns = if matrix == Block::Input { dims.n_in } else { dims.n_rec };
        if columns == 0 {
            continue;
        }
        for row in weights.block(matrix).chunks_exact(columns) {
            let drawn: Vec<f64> = row.iter().map(|_| stream.normal()).collect();
            let length = norm(row);
            // A row of zeros stays zero, whatever was drawn (also where all that was drawn is 0).
            let factor = if length > 0.0 { length / norm(&drawn).max(f64::MIN_POSITIVE) } else { 0.0 };
            direction.extend(drawn.iter().map(|d| d * factor));
        }
    }
    direction
}

/// `v` as a unit vector whose entry of largest magnitude (the first of equal ones) is positive.
///
/// ```
/// use basinscope::numerics::landscape::directions::unit_vector;
/// assert_eq!(unit_vector("v", vec![3.0, -4.0]).as_deref(), Ok([-0.6, 0.8].as_slice()));
/// ```
///
/// # Errors
/// Where `v`, by its `name`, is zero or not finite.
pub fn unit_vector(name: &'static str, mut v: Vec<f64>) -> Result<Vec<f64>, LandscapeError> {
    check(name, &v, v.len())?;
    let largest = v.iter().fold(0.0, |a: f64, b| if b.abs() > a.abs() { *b } else { a });
    if largest == 0.0 {
        return Err(LandscapeError::Zero { name });
    }
    // Divided by its largest entry first: no square over- or underflows.
    v.iter_mut().for_each(|x| *x /= largest);
    let length = norm(&v);
    v.iter_mut().for_each(|x| *x /= length);
    Ok(v)
}

/// Orthonormal directions in the plane through three points (each the values of one block): d1 from the first
/// to the second, d2 in the plane, at a right angle, on the third point's side.
///
/// # Errors
/// Where the points lie on one line or are not finite.
pub fn through_points(points: [&[f64]; 3]) -> Result<[Vec<f64>; 2], LandscapeError> {
    let [origin, second, third] = points;
    for (name, point) in
        [("the first point", origin), ("the second point", second), ("the third point", third)]
    {
        check(name, point, origin.len())?;
    }
    let from_origin = |p: &[f64]| -> Vec<f64> { p.iter().zip(origin).map(|(p, o)| p - o).collect() };
    let (mut d1, mut d2) = (from_origin(second), from_origin(third));
    let length = norm(&d2);
    scale_to_unit(&mut d1)?;
    for _ in 0..2 {
        let along = dot(&d1, &d2);
        d2.iter_mut().zip(&d1).for_each(|(d2, d1)| *d2 -= along * d1);
    }
    if norm(&d2) <= 1e-12 * length {
        return Err(LandscapeError::OneLine);
    }
    scale_to_unit(&mut d2)?;
    Ok([d1, d2])
}

fn scale_to_unit(v: &mut [f64]) -> Result<(), LandscapeError> {
    let length = norm(v);
    if length == 0.0 {
        return Err(LandscapeError::OneLine);
    }
    v.iter_mut().for_each(|x| *x /= length);
    Ok(())
}

/// Principal components of a cloud of states.
#[derive(Clone, Debug, PartialEq)]
pub struct PrincipalComponents {
    /// The first two, orthonormal; the first state lies below the mean along both (`[own]`).
    pub directions: [Vec<f64>; 2],
    /// The share of the total variance that each component explains, descending, in [0, 1].
    pub explained: Vec<f64>,
}

/// Principal components of `n_states` states of `n_values` values, about their mean, where
/// `read(state, range, values)` copies a range of one state's values.
///
/// Through the states' Gram matrix [n_states, n_states], whose eigenvalues are those of the covariance times
/// `n_states`: the covariance [n_values, n_values] is never formed, and the states are read in blocks, before
/// each of which `keep_on` is asked.
///
/// # Errors
/// With fewer than 3 states, values that are not finite, or states that lie on one line; where `keep_on` says no.
pub fn principal_components(
    n_states: usize,
    n_values: usize,
    read: &dyn Fn(usize, Range<usize>, &mut [f64]),
    keep_on: KeepOn<'_>,
) -> Result<PrincipalComponents, LandscapeError> {
    if n_states < 3 {
        return Err(LandscapeError::FewStates { found: n_states });
    }
    const BLOCK: usize = 512;
    let starts = || (0..n_values).step_by(BLOCK).map(|start| start..(start + BLOCK).min(n_values));
    let mut centred = vec![0.0; n_states * BLOCK.min(n_values)];
    let mut gram = vec![0.0; n_states * n_states];
    for range in starts() {
        wanted(keep_on)?;
        let block = read_centred(n_states, range.clone(), read, &mut centred)?;
        let block = View::row_major(block, n_states, range.len());
        product(&mut gram, Into::Add, block, block.t(), 1.0);
    }
    wanted(keep_on)?;
    let (values, vectors) = symmetric_eigen(&gram, n_states)?;
    let total: f64 = values.iter().sum();
    // Below this a component is rounding: the Gram matrix squares the states' values.
    if values[1] <= 64.0 * f64::EPSILON * n_states as f64 * total {
        return Err(LandscapeError::OneLine);
    }
    let mut directions = [vec![0.0; n_values], vec![0.0; n_values]];
    for range in starts() {
        wanted(keep_on)?;
        let block = read_centred(n_states, range.clone(), read, &mut centred)?;
        for (direction, vector) in directions.iter_mut().zip(&vectors) {
            for (row, weight) in block.chunks_exact(range.len()).zip(vector) {
                let own = &mut direction[range.clone()];
                own.iter_mut().zip(row).for_each(|(d, x)| *d += weight * x);
            }
        }
    }
    let [d1, mut d2] = directions;
    let d1 = from_first("principal component 1", d1, vectors[0][0])?;
    let along = dot(&d1, &d2);
    d2.iter_mut().zip(&d1).for_each(|(d2, d1)| *d2 -= along * d1);
    let d2 = from_first("principal component 2", d2, vectors[1][0])?;
    let explained = values.iter().map(|v| (v / total).max(0.0)).collect();
    Ok(PrincipalComponents { directions: [d1, d2], explained })
}

/// A share of a component below which a state lies at the mean: rounding (`[own]`).
const AT_MEAN: f64 = 1e-9;

/// A component as a unit vector along which the first state lies below the mean, so that a path that grows is not
/// mirrored from one look to the next; `first` is its share of the component, in [-1, 1]. Where it lies at the mean
/// the entry of largest magnitude is positive.
fn from_first(name: &'static str, component: Vec<f64>, first: f64) -> Result<Vec<f64>, LandscapeError> {
    // The unit vector has the entry of largest magnitude positive.
    let largest = component.iter().fold(0.0, |a: f64, b| if b.abs() > a.abs() { *b } else { a });
    let mut unit = unit_vector(name, component)?;
    if first.abs() > AT_MEAN && first * largest > 0.0 {
        unit.iter_mut().for_each(|x| *x = -*x);
    }
    Ok(unit)
}

/// One block of all states' values minus their mean over the states, [n_states, range].
fn read_centred<'a>(
    n_states: usize,
    range: Range<usize>,
    read: &dyn Fn(usize, Range<usize>, &mut [f64]),
    buffer: &'a mut [f64],
) -> Result<&'a [f64], LandscapeError> {
    let width = range.len();
    let block = &mut buffer[..n_states * width];
    for (state, row) in block.chunks_exact_mut(width).enumerate() {
        read(state, range.clone(), row);
        check("a stored state", row, width)?;
    }
    for j in 0..width {
        let column = || (0..n_states).map(|state| state * width + j);
        let mean = column().map(|i| block[i]).sum::<f64>() / n_states as f64;
        column().for_each(|i| block[i] -= mean);
    }
    Ok(block)
}

/// Eigenvalues, descending, and the first two eigenvectors of a symmetric matrix [n, n].
fn symmetric_eigen(matrix: &[f64], n: usize) -> Result<(Vec<f64>, [Vec<f64>; 2]), LandscapeError> {
    let matrix = MatRef::from_row_major_slice(matrix, n, n);
    let eigen = SelfAdjointEigen::new(matrix, Side::Lower).map_err(|_| LandscapeError::NotFinite {
        name: "the states' Gram matrix",
        value: f64::NAN,
        index: 0,
    })?;
    // faer gives them ascending.
    let values = (0..n).rev().map(|i| eigen.S()[i]).collect();
    let vector = |i: usize| (0..n).map(|row| eigen.U()[(row, n - 1 - i)]).collect();
    Ok((values, [vector(0), vector(1)]))
}
