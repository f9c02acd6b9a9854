//! Owns [`CurvatureMeasure`], what a run measures its curvature with: one Hessian, one solver and the vectors
//! of the last time.

use super::NotFinite;
use super::alignment::{TaylorTerms, taylor_terms};
use super::density::{Density, density};
use super::flatness::relative_flatness;
use super::hessian::{BlockHessian, Hessian};
use super::lanczos::{Extremes, Lanczos, Wanted};
use super::trace::{Estimate, trace};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// Measures the curvature of the true loss at one point after another, with buffers made once.
///
/// ```
/// use basinscope::numerics::curvature::measure::CurvatureMeasure;
/// use basinscope::numerics::network::{Activation, Network};
/// use basinscope::numerics::parallel::Serial;
/// use basinscope::numerics::random::{Purpose, Stream};
/// use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
/// use basinscope::numerics::weights::{Block, Dims, Weights};
///
/// // One unit, one step, x = 2: y = w_out w_in x, L = y^2 / 2. At w_in = w_out = 1 the Hessian of w_in is
/// // (w_out x)^2 = 4.
/// let dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };
/// let network = Network::<f64>::plain(dims, 0.0, Activation::Relu);
/// let weights = Weights::from_flat(dims, vec![0.0, 1.0, 1.0]).unwrap();
/// let shape = TrialsShape { n_steps: 1, n_batch: 1, n_in: 1, n_out: 1, loss: LossKind::Regression };
/// let mut trials = Trials::zeros(shape);
/// trials.x.fill(2.0);
/// trials.mask.fill(1.0);
///
/// let mut measure = CurvatureMeasure::new(&network);
/// let mut at = measure.at(&weights, &trials, Block::Input, 0.0, &Serial);
/// assert_eq!(at.loss(), 2.0);
/// let ends = at.ends(1e-3, 10, &mut Stream::new(1, Purpose::Measures)).unwrap();
/// assert!((ends.top[0].value - 4.0).abs() < 1e-12);
/// ```
#[derive(Debug)]
pub struct CurvatureMeasure<T> {
    hessian: Hessian<T>,
    lanczos: Lanczos<T>,
    last: Vec<(Block, Last<T>)>,
}

/// The eigenvectors found last over one block.
#[derive(Debug, Default)]
struct Last<T> {
    top: Vec<Vec<T>>,
    bottom: Vec<Vec<T>>,
}

impl<T: Scalar> CurvatureMeasure<T> {
    /// For networks like this one.
    pub fn new(network: &Network<T>) -> Self {
        Self { hessian: Hessian::new(network), lanczos: Lanczos::default(), last: Vec::new() }
    }

    /// Drops the eigenvectors of the last time: the next search starts from a random vector. For a jump to
    /// other weights; after a step of training they save most of the products.
    pub fn forget(&mut self) {
        self.last.clear();
    }

    /// The vectors that the next search starts from, by name (block and end of the spectrum), each end's one
    /// after the other.
    pub fn start_vectors(&self) -> Vec<(String, Vec<T>)> {
        let ends = |(block, last): &(Block, Last<T>)| {
            let name = |end: &str| format!("curvature_{}_{end}", block.name());
            [(name("top"), last.top.concat()), (name("bottom"), last.bottom.concat())]
        };
        self.last.iter().flat_map(ends).filter(|(_, values)| !values.is_empty()).collect()
    }

    /// Takes up vectors of [`CurvatureMeasure::start_vectors`]; a name or a length that does not fit is
    /// ignored.
    pub fn start_from(&mut self, name: &str, values: Vec<T>) {
        let dims = self.hessian.dims();
        for block in Block::EACH {
            for end in ["top", "bottom"] {
                let n = block.range(dims).len();
                if name != format!("curvature_{}_{end}", block.name())
                    || n == 0
                    || !values.len().is_multiple_of(n)
                {
                    continue;
                }
                let at = self.last.iter().position(|(b, _)| *b == block).unwrap_or_else(|| {
                    self.last.push((block, Last { top: Vec::new(), bottom: Vec::new() }));
                    self.last.len() - 1
                });
                let last = &mut self.last[at].1;
                let vectors = values.chunks_exact(n).map(<[T]>::to_vec).collect();
                if end == "top" { last.top = vectors } else { last.bottom = vectors }
            }
        }
    }

    /// Goes to `weights` on `trials` (one forward and one backward pass), to look at `block` with L2 of factor
    /// `l2` (c; 0 for none).
    pub fn at<'a>(
        &'a mut self,
        weights: &Weights<T>,
        trials: &Trials<T>,
        block: Block,
        l2: f64,
        workers: &'a dyn Workers,
    ) -> CurvatureAt<'a, T> {
        let loss = self.hessian.prepare(weights, trials, workers);
        CurvatureAt { measure: self, block, l2, workers, loss }
    }
}

/// The curvature at one point.
pub struct CurvatureAt<'a, T> {
    measure: &'a mut CurvatureMeasure<T>,
    block: Block,
    l2: f64,
    workers: &'a dyn Workers,
    loss: f64,
}

impl<T: Scalar> CurvatureAt<'_, T> {
    /// The loss here, without L2.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The Hessian here, with L2.
    pub fn operator(&mut self) -> BlockHessian<'_, T> {
        self.measure.hessian.over(self.block, self.l2, self.workers)
    }

    /// Both ends of the spectrum, from the vectors of the last time over this block.
    ///
    /// Errors: a Hessian-vector product that is not finite.
    pub fn extremes(&mut self, wanted: Wanted, stream: &mut Stream) -> Result<Extremes<T>, NotFinite> {
        let block = self.block;
        let CurvatureMeasure { hessian, lanczos, last } = &mut *self.measure;
        let at = last.iter().position(|(b, _)| *b == block).unwrap_or_else(|| {
            last.push((block, Last { top: Vec::new(), bottom: Vec::new() }));
            last.len() - 1
        });
        let last = &mut last[at].1;
        let (top, bottom) = (last.top.iter().take(wanted.top), last.bottom.iter().take(wanted.bottom));
        let starts: Vec<&[T]> = top.chain(bottom).map(Vec::as_slice).collect();
        let mut operator = hessian.over(block, self.l2, self.workers);
        let found = lanczos.extremes(&mut operator, wanted, &starts, stream)?;
        for (kept, pairs) in [(&mut last.top, &found.top), (&mut last.bottom, &found.bottom)] {
            for (i, pair) in pairs.iter().enumerate() {
                match kept.get_mut(i) {
                    Some(v) => v.copy_from_slice(&pair.vector),
                    None => kept.push(pair.vector.clone()),
                }
            }
        }
        Ok(found)
    }

    /// lambda_max and lambda_min: [`CurvatureAt::extremes`] with one pair from each end.
    pub fn ends(
        &mut self,
        tolerance: f64,
        max_products: usize,
        stream: &mut Stream,
    ) -> Result<Extremes<T>, NotFinite> {
        let wanted = Wanted { top: 1, bottom: 1, tolerance, max_products, multiplicities: false };
        self.extremes(wanted, stream)
    }

    /// The k algebraically largest eigenvalues with their vectors, repeated ones as often as they occur.
    pub fn top_k(
        &mut self,
        k: usize,
        tolerance: f64,
        max_products: usize,
        stream: &mut Stream,
    ) -> Result<Extremes<T>, NotFinite> {
        let wanted = Wanted { top: k, bottom: 0, tolerance, max_products, multiplicities: true };
        self.extremes(wanted, stream)
    }

    /// Tr H over the block: [`trace()`].
    pub fn trace(&mut self, max_products: usize, stream: &mut Stream) -> Result<Estimate, NotFinite> {
        trace(&mut self.operator(), max_products, stream)
    }

    /// Tr[(W W^T kron I) H] over `w_rec`, whatever the block: [`relative_flatness()`].
    pub fn relative_flatness(
        &mut self,
        weights: &Weights<T>,
        max_products: usize,
        stream: &mut Stream,
    ) -> Result<Estimate, NotFinite> {
        let mut operator = self.measure.hessian.over(Block::Recurrent, self.l2, self.workers);
        let w_rec = weights.block(Block::Recurrent);
        relative_flatness(&mut operator, w_rec, weights.dims().n_rec, max_products, stream)
    }

    /// The spectral density over the block: [`density()`].
    pub fn density(
        &mut self,
        probes: usize,
        steps: usize,
        stream: &mut Stream,
    ) -> Result<Density, NotFinite> {
        density(&mut self.operator(), probes, steps, stream)
    }

    /// The Taylor terms of a step of rate `eta` along `update`, both gradients over the block:
    /// [`taylor_terms()`].
    pub fn taylor_terms(&mut self, eta: f64, exact: &[T], update: &[T]) -> Result<TaylorTerms, NotFinite> {
        taylor_terms(&mut self.operator(), eta, exact, update)
    }
}
