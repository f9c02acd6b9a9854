//! Owns [`Slice`], the loss over a grid in a plane, computed coarse to fine.

use std::sync::atomic::{AtomicU64, Ordering};

use super::surface::Surface;
use crate::numerics::parallel::Workers;

/// Losses on a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Coordinates along d1, ascending, [nx].
    pub a: Vec<f64>,
    /// Coordinates along d2, ascending, [ny].
    pub b: Vec<f64>,
    /// [ny, nx], row-major; may be infinite or NaN where the network's activity is.
    pub loss: Vec<f64>,
}

impl Grid {
    /// The loss at (a[i], b[j]).
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.loss[j * self.a.len() + i]
    }

    /// (coordinate, loss) along both axes through the centre; where that is no point of the grid, through the one
    /// nearest to it.
    ///
    /// ```
    /// use basinscope::numerics::landscape::slice::Grid;
    /// let loss = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    /// let grid = Grid { a: vec![-1.0, 0.0, 1.0], b: vec![0.0, 2.0], loss };
    /// let [along_a, along_b] = grid.through_centre();
    /// assert_eq!(along_a, [(-1.0, 1.0), (0.0, 2.0), (1.0, 3.0)]);
    /// assert_eq!(along_b, [(0.0, 2.0), (2.0, 5.0)]);
    /// ```
    pub fn through_centre(&self) -> [Vec<(f64, f64)>; 2] {
        let nearest = |axis: &[f64]| {
            (0..axis.len()).min_by(|i, j| axis[*i].abs().total_cmp(&axis[*j].abs())).unwrap_or(0)
        };
        let (i0, j0) = (nearest(&self.a), nearest(&self.b));
        let along_a = self.a.iter().enumerate().map(|(i, a)| (*a, self.at(i, j0))).collect();
        let along_b = self.b.iter().enumerate().map(|(j, b)| (*b, self.at(i0, j))).collect();
        [along_a, along_b]
    }
}

/// How far a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Points known.
    pub done: usize,
    /// Points of the whole grid.
    pub total: usize,
}

impl Progress {
    /// Whether every point is known.
    pub fn is_complete(&self) -> bool {
        self.done == self.total
    }
}

/// A grid of points of which more and more are known: first every 2^k-th along both axes (and the edges), then
/// every 2^(k-1)-th, and so on.
///
/// Every point is evaluated by one thread: the number of workers changes no bit.
///
/// ```
/// use basinscope::numerics::landscape::{range::Range, slice::Slice};
/// use basinscope::numerics::parallel::Serial;
/// let axis = Range::around_centre(1.0).axis(5);
/// let mut slice = Slice::new(axis.clone(), axis);
/// slice.advance(&|a, b| a + 10.0 * b, &Serial, usize::MAX, &|| false);
/// let grid = slice.complete().ok_or("all is known")?;
/// assert_eq!(grid.at(4, 0), -9.0);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct Slice {
    a: Vec<f64>,
    b: Vec<f64>,
    /// Bits of the losses [ny, nx], or [`UNKNOWN`].
    loss: Vec<AtomicU64>,
    /// The levels from coarse to fine.
    levels: Vec<Level>,
    /// All points in the order in which they are computed.
    order: Vec<u32>,
    /// All before this place in the order are known.
    next: usize,
}

/// One level of refinement: the indices it has along each axis, and the place in the order where it ends.
#[derive(Clone, Debug)]
struct Level {
    a: Vec<usize>,
    b: Vec<usize>,
    end: usize,
}

/// Marks a point that is not known. These are the bits of a NaN; a NaN that was computed is stored as
/// [`f64::NAN`], which has others.
const UNKNOWN: u64 = u64::MAX;

/// Spaces along an axis at the coarsest level, about (`[own]`: with the edges 25 points, which take a few milliseconds,
/// half a second for the largest networks).
const COARSEST: usize = 2;

impl Slice {
    /// Over the coordinates `a` [nx] and `b` [ny], both ascending, nothing known yet. With one b it is a cut.
    pub fn new(a: Vec<f64>, b: Vec<f64>) -> Self {
        let n = a.len() * b.len();
        let longest = a.len().max(b.len());
        let mut space = 1;
        while longest > 1 && 2 * space * COARSEST < longest {
            space *= 2;
        }
        let mut is_taken = vec![false; n];
        let (mut levels, mut order) = (Vec::new(), Vec::with_capacity(n));
        loop {
            let (of_a, of_b) = (indices(&a, space), indices(&b, space));
            for j in &of_b {
                for i in &of_a {
                    let point = j * a.len() + i;
                    if !std::mem::replace(&mut is_taken[point], true) {
                        order.push(point as u32);
                    }
                }
            }
            levels.push(Level { a: of_a, b: of_b, end: order.len() });
            if space == 1 {
                break;
            }
            space /= 2;
        }
        let loss = (0..n).map(|_| AtomicU64::new(UNKNOWN)).collect();
        Self { a, b, loss, levels, order, next: 0 }
    }

    /// Takes over every point that `other`, over the same plane (centre, directions, trials), knows at the same
    /// coordinates. Gives their number.
    pub fn reuse(&mut self, other: &Slice) -> usize {
        let same = |own: &[f64], others: &[f64]| -> Vec<(usize, usize)> {
            let place = |c: &f64| others.iter().position(|o| o == c);
            own.iter().enumerate().filter_map(|(i, c)| Some((i, place(c)?))).collect()
        };
        let columns = same(&self.a, &other.a);
        let mut taken = 0;
        for (j, other_j) in same(&self.b, &other.b) {
            for (i, other_i) in &columns {
                let bits = other.loss[other_j * other.a.len() + other_i].load(Ordering::Relaxed);
                let own = self.loss[j * self.a.len() + i].get_mut();
                if bits != UNKNOWN && *own == UNKNOWN {
                    *own = bits;
                    taken += 1;
                }
            }
        }
        taken
    }

    /// Evaluates the next points of `surface`, up to `points` of them. `is_cancelled` is asked before each, and by a
    /// network's surface before each chunk of its trials: a point under way when it says yes is not finished. What
    /// is known stays; calling again goes on.
    pub fn advance(
        &mut self,
        surface: &dyn Surface,
        workers: &dyn Workers,
        points: usize,
        is_cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Progress {
        self.skip_known();
        let end = self.next.saturating_add(points).min(self.order.len());
        let todo = &self.order[self.next..end];
        let (loss, a, b) = (&self.loss, &self.a, &self.b);
        workers.run(todo.len(), &|k| {
            let point = todo[k] as usize;
            if loss[point].load(Ordering::Relaxed) != UNKNOWN {
                return;
            }
            let (a, b) = (a[point % a.len()], b[point / a.len()]);
            if let Some(value) = surface.loss_while(a, b, &|| !is_cancelled()) {
                let value = if value.is_nan() { f64::NAN } else { value };
                loss[point].store(value.to_bits(), Ordering::Relaxed);
            }
        });
        self.skip_known();
        self.progress()
    }

    fn skip_known(&mut self) {
        while self.next < self.order.len() && self.value(self.order[self.next] as usize).is_some() {
            self.next += 1;
        }
    }

    /// How many points are known.
    pub fn progress(&self) -> Progress {
        let done = (0..self.loss.len()).filter(|point| self.value(*point).is_some()).count();
        Progress { done, total: self.loss.len() }
    }

    /// The whole grid, where every point of it is known.
    pub fn complete(&self) -> Option<Grid> {
        let loss: Option<Vec<f64>> = (0..self.loss.len()).map(|point| self.value(point)).collect();
        Some(Grid { a: self.a.clone(), b: self.b.clone(), loss: loss? })
    }

    /// The finest level of refinement that is known throughout, as a grid of its own; `None` before the first.
    pub fn finest_level(&self) -> Option<Grid> {
        let level = self.known_level()?;
        let at = |j: &usize, i: &usize| self.value(j * self.a.len() + i);
        let loss: Option<Vec<f64>> =
            level.b.iter().flat_map(|j| level.a.iter().map(move |i| at(j, i))).collect();
        let pick = |values: &[f64], indices: &[usize]| indices.iter().map(|i| values[*i]).collect();
        Some(Grid { a: pick(&self.a, &level.a), b: pick(&self.b, &level.b), loss: loss? })
    }

    /// A picture of the whole grid as far as it is known: a point that is not has the value of the nearest one
    /// of the finest level known throughout; `None` before the first.
    pub fn preview(&self) -> Option<Grid> {
        let level = self.known_level()?;
        let near = |values: &[f64], indices: &[usize]| -> Vec<usize> {
            let distance = |i: usize, k: &usize| (values[i] - values[*k]).abs();
            let nearest =
                |i| indices.iter().copied().min_by(|k, l| distance(i, k).total_cmp(&distance(i, l)));
            (0..values.len()).map(|i| nearest(i).unwrap_or(i)).collect()
        };
        let (near_a, near_b) = (near(&self.a, &level.a), near(&self.b, &level.b));
        let nx = self.a.len();
        let value = |point: usize| {
            self.value(point).or_else(|| self.value(near_b[point / nx] * nx + near_a[point % nx]))
        };
        let loss: Option<Vec<f64>> = (0..self.loss.len()).map(value).collect();
        Some(Grid { a: self.a.clone(), b: self.b.clone(), loss: loss? })
    }

    fn known_level(&self) -> Option<&Level> {
        self.levels.iter().rev().find(|level| level.end <= self.next)
    }

    fn value(&self, point: usize) -> Option<f64> {
        let bits = self.loss[point].load(Ordering::Relaxed);
        (bits != UNKNOWN).then(|| f64::from_bits(bits))
    }
}

/// Every `space`-th index counted from the middle, and both ends.
fn indices(axis: &[f64], space: usize) -> Vec<usize> {
    let (n, middle) = (axis.len(), axis.len() / 2);
    (0..n).filter(|i| i.abs_diff(middle) % space == 0 || *i == 0 || i + 1 == n).collect()
}
