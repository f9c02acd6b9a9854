//! Owns the measure of curvature: both ends of the Hessian's spectrum on the probe batch, its leading
//! eigenvalues with vectors, and what follows from them.

use std::sync::Arc;

use super::{MeasurerState, Shared, Subject};
use crate::numerics::curvature::NotFinite;
use crate::numerics::curvature::alignment::{Rest, TaylorTerms, ends_within_an_eigenspace};
use crate::numerics::curvature::density::Density;
use crate::numerics::curvature::lanczos::{Eigenpair, Wanted, has_converged};
use crate::numerics::curvature::measure::CurvatureMeasure;
use crate::numerics::curvature::power_law::{power_law_exponent, resolved};
use crate::numerics::curvature::trace::Estimate;
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::{Target, Trials};
use crate::numerics::weights::{Block, Dims};
use crate::training::config::Config;
use crate::training::history::Series;

/// An eigenvalue as it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eigenvalue {
    /// lambda, with its sign.
    pub value: f64,
    /// ||Hv - lambda v|| / |lambda|.
    pub residual: f64,
    /// Whether the residual is within the tolerance.
    pub converged: bool,
}

/// What the curvature measure found.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvatureDetail {
    /// The block.
    pub block: Block,
    /// The leading eigenvalues, descending, at least one; the first is lambda_max.
    pub top: Vec<Eigenvalue>,
    /// The algebraically smallest eigenvalue.
    pub lambda_min: Eigenvalue,
    /// Weights of the block, P: the number of eigenvalues.
    pub n_weights: usize,
    /// Hessian-vector products spent on the eigenvalues.
    pub search_products: usize,
    /// Hessian-vector products spent, also on trace and flatness.
    pub products: usize,
    /// The leading eigenvectors [P of the block], unit length.
    pub vectors: Arc<Vec<Vec<f64>>>,
    /// Trace of the block's Hessian.
    pub trace: Estimate,
    /// Relative flatness of w_rec, whatever the block.
    pub relative_flatness: Estimate,
    /// Over the eigenvalues that are resolved ([`resolved`]); `None` for fewer than two.
    pub power_law_exponent: Option<f64>,
}

/// The spectral density of the block's Hessian, L2 included.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityDetail {
    /// The block.
    pub block: Block,
    /// Its weights, P: the number of eigenvalues.
    pub n_weights: usize,
    /// Eigenvalues with their shares.
    pub density: Density,
}

/// The leading eigenpairs found last, for measures that need their directions.
#[derive(Clone, Copy, Debug)]
pub struct Leading<'a, T> {
    /// At the weights after so many updates.
    pub iteration: i64,
    /// Over which block.
    pub block: Block,
    /// Descending, unit vectors [P of the block].
    pub pairs: &'a [Eigenpair<T>],
    /// Whether they end within an eigenspace: what their span holds is then not defined.
    pub is_cut: bool,
}

/// Residual at which an eigenpair counts as converged along a run (`[own]`; the eigenvalue's own error is
/// about its square).
pub const CURVATURE_TOLERANCE: f64 = 1e-3;

/// Residual to which they are found at both ends of a run where the precision resolves its square (`[own]`): the
/// power law takes the logarithm of eigenvalues that are many orders smaller than the largest.
const END_TOLERANCE: f64 = 1e-6;

/// Along a run repeated eigenvalues are looked for where the block has them by its nature (the readout of a
/// regression has each once per output), and where the look costs little beside the search, from so many leading
/// eigenvalues on (`[own]`). At both ends of a run they always are, as by `measure`.
const CHECKED_FROM: usize = 20;

/// Products that trace and relative flatness may each spend along a run (`[own]`; exact where the block has no
/// more weights).
const TRACE_PRODUCTS: usize = 8;

/// At both ends of a run they are exact up to so many products, as by `measure`, where these take no more than so
/// many multiplications of a weight (a second or so on one core; `[own]`).
const EXACT_PRODUCTS: usize = 1000;
const EXACT_WORK: usize = 5_000_000_000;

/// Random vectors and Lanczos steps of the density (`[own]`).
const DENSITY: (usize, usize) = (4, 30);

/// Their own numbers in the family of the measures' streams.
const STREAM: u64 = 4;
const DENSITY_STREAM: u64 = 5;

pub(super) struct Curvature<T> {
    measure: CurvatureMeasure<T>,
    seed: u64,
    last: Option<(i64, Block, Vec<Eigenpair<T>>, bool)>,
}

impl<T: Scalar> Curvature<T> {
    pub fn new(config: &Config, network: &Network<T>) -> Self {
        Self { measure: CurvatureMeasure::new(network), seed: config.seed, last: None }
    }

    /// The leading eigenpairs found last.
    pub fn leading(&self) -> Option<Leading<'_, T>> {
        let (iteration, block, pairs, is_cut) = self.last.as_ref()?;
        Some(Leading { iteration: *iteration, block: *block, pairs, is_cut: *is_cut })
    }

    /// The start vectors of the next search by name, see [`super::Measurer::state`].
    pub fn state(&self) -> MeasurerState {
        let named = |(name, values): (String, Vec<T>)| (name, values.iter().map(|v| v.f64()).collect());
        self.measure.start_vectors().into_iter().map(named).collect()
    }

    /// Takes them up again.
    pub fn restore(&mut self, state: &MeasurerState) {
        for (name, values) in state {
            self.measure.start_from(name, values.iter().map(|v| T::of(*v)).collect());
        }
    }

    pub fn take(
        &mut self,
        shared: &Shared<T>,
        subject: Subject<'_>,
        workers: &dyn Workers,
        push: &mut dyn FnMut(Series, f64),
    ) -> Option<CurvatureDetail> {
        let found = self.look(shared, subject, workers);
        match &found {
            Ok(detail) => {
                push(Series::LambdaMax, detail.lambda_max().value);
                push(Series::LambdaMin, detail.lambda_min.value);
                push(Series::LambdaMaxResidual, detail.lambda_max().residual);
                push(Series::HessianTrace, detail.trace.value);
                push(Series::RelativeFlatness, detail.relative_flatness.value);
                if let Some(exponent) = detail.power_law_exponent {
                    push(Series::PowerLawExponent, exponent);
                }
            }
            Err(NotFinite { .. }) => {
                push(Series::LambdaMax, f64::NAN);
                push(Series::LambdaMin, f64::NAN);
            }
        }
        found.ok()
    }

    fn look(
        &mut self,
        shared: &Shared<T>,
        subject: Subject<'_>,
        workers: &dyn Workers,
    ) -> Result<CurvatureDetail, NotFinite> {
        let (measure, l2) = (&shared.config.measure, shared.config.optimizer.l2);
        // Numbered by the iteration: a run that goes on draws what an unbroken one would.
        let number = STREAM + 16 * subject.iteration.unsigned_abs();
        let mut stream = Stream::numbered(self.seed, Purpose::Measures, number);
        let mut at = self.measure.at(&shared.weights, &shared.probe, measure.block, l2, workers);
        let resolves_more = T::epsilon().f64() < END_TOLERANCE * END_TOLERANCE;
        let wanted = Wanted {
            top: measure.top_k.max(1),
            bottom: 1,
            tolerance: if resolves_more && subject.at_an_end { END_TOLERANCE } else { CURVATURE_TOLERANCE },
            max_products: 100 + 20 * measure.top_k,
            multiplicities: subject.at_an_end
                || measure.block == Block::Readout
                || measure.top_k >= CHECKED_FROM,
        };
        let found = at.extremes(wanted, &mut stream)?;
        let nothing = NotFinite { products: found.products };
        let bottom = found.bottom.first().ok_or(nothing)?;
        let largest = found.top.iter().chain([bottom]).fold(0.0f64, |m, pair| m.max(pair.value.abs()));
        let lambda_min = eigenvalue(bottom, largest);
        let top: Vec<Eigenvalue> = found.top.iter().map(|pair| eigenvalue(pair, largest)).collect();
        if top.is_empty() {
            return Err(nothing);
        }
        let in_f64 = |pair: &Eigenpair<T>| pair.vector.iter().map(|v| v.f64()).collect::<Vec<f64>>();
        let vectors = Arc::new(found.top.iter().map(in_f64).collect::<Vec<_>>());
        let values: Vec<f64> = top.iter().map(|t| t.value).collect();
        let (n_weights, n_rec) = (found.top[0].vector.len(), shared.weights.dims().n_rec);
        let products = |exact: usize| trace_products(shared, subject, exact);
        let trace = at.trace(products(n_weights), &mut stream)?;
        let relative_flatness =
            at.relative_flatness(&shared.weights, products(n_rec * n_rec), &mut stream)?;
        let fitted = resolved(top.iter().map(|t| (t.value, t.residual)));
        let detail = CurvatureDetail {
            block: measure.block,
            top,
            lambda_min,
            n_weights,
            search_products: found.products,
            products: found.products + trace.products + relative_flatness.products,
            vectors,
            trace,
            relative_flatness,
            power_law_exponent: power_law_exponent(&fitted),
        };
        let rest = Rest {
            smallest: detail.lambda_min.value,
            count: n_weights,
            raised_by: l2,
            copies: copies(measure.block, &shared.probe, shared.weights.dims()),
        };
        let is_cut = ends_within_an_eigenspace::<T>(&values, rest);
        self.last = Some((subject.iteration, measure.block, found.top, is_cut));
        Ok(detail)
    }

    /// The spectral density over the measured block; `None` where a product is not finite.
    pub fn density(
        &mut self,
        shared: &Shared<T>,
        subject: Subject<'_>,
        workers: &dyn Workers,
    ) -> Option<DensityDetail> {
        let (block, l2) = (shared.config.measure.block, shared.config.optimizer.l2);
        let number = DENSITY_STREAM + 16 * subject.iteration.unsigned_abs();
        let mut stream = Stream::numbered(self.seed, Purpose::Measures, number);
        let mut at = self.measure.at(&shared.weights, &shared.probe, block, l2, workers);
        let (probes, steps) = DENSITY;
        let density = at.density(probes, steps, &mut stream).ok()?;
        Some(DensityDetail { block, n_weights: block.range(shared.weights.dims()).len(), density })
    }

    /// Taylor terms of one step of the running rule and of exact gradient descent at rate `eta`, over the
    /// measured block (P1 B.3).
    pub fn taylor_terms(
        &mut self,
        shared: &Shared<T>,
        eta: f64,
        exact: &[T],
        rule: &[T],
        workers: &dyn Workers,
    ) -> Result<[TaylorTerms; 2], NotFinite> {
        let block = shared.config.measure.block;
        let mut at = self.measure.at(&shared.weights, &shared.probe, block, 0.0, workers);
        Ok([at.taylor_terms(eta, exact, rule)?, at.taylor_terms(eta, exact, exact)?])
    }
}

impl CurvatureDetail {
    /// The algebraically largest eigenvalue.
    pub fn lambda_max(&self) -> Eigenvalue {
        self.top[0]
    }
}

/// How often each eigenvalue of a block occurs by nature: [`Rest::copies`].
pub fn copies<T>(block: Block, probe: &Trials<T>, dims: Dims) -> usize {
    let is_regression = matches!(probe.target, Target::Values(_));
    if block == Block::Readout && is_regression { dims.n_out } else { 1 }
}

/// Products that trace or flatness may spend where so many make it exact.
fn trace_products<T: Scalar>(shared: &Shared<T>, subject: Subject<'_>, exact: usize) -> usize {
    let (steps, trials) = (shared.probe.n_steps(), shared.probe.n_batch());
    let of_one = shared.weights.dims().n_weights().saturating_mul(steps * trials);
    let is_cheap = exact <= EXACT_PRODUCTS && of_one.saturating_mul(exact) <= EXACT_WORK;
    if subject.at_an_end && is_cheap { exact.max(1) } else { TRACE_PRODUCTS }
}

/// An eigenvalue of a spectrum whose largest magnitude is `largest`; it counts as converged by the tolerance of the
/// whole run, though at the ends more was asked for.
fn eigenvalue<T: Scalar>(pair: &Eigenpair<T>, largest: f64) -> Eigenvalue {
    let Eigenpair { value, residual, .. } = *pair;
    let converged = pair.converged || has_converged::<T>(value, residual, largest, CURVATURE_TOLERANCE);
    Eigenvalue { value, residual, converged }
}
