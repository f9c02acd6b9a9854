//! Owns the measure of curvature: both ends of the Hessian's spectrum on the probe batch, its leading
//! eigenvalues with vectors, and what follows from them.

use std::sync::Arc;

use super::{MeasurerState, Shared};
use crate::numerics::curvature::NotFinite;
use crate::numerics::curvature::lanczos::{Eigenpair, Wanted};
use crate::numerics::curvature::measure::CurvatureMeasure;
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Block;
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
    /// The leading eigenvalues, descending; the first is lambda_max.
    pub top: Vec<Eigenvalue>,
    /// The algebraically smallest eigenvalue.
    pub lambda_min: Eigenvalue,
    /// Hessian-vector products spent.
    pub products: usize,
    /// The leading eigenvectors [P of the block], unit length.
    pub vectors: Arc<Vec<Vec<f64>>>,
}

/// The leading eigenpairs found last, for measures that need their directions.
#[derive(Clone, Copy, Debug)]
pub struct Leading<'a> {
    /// Over which block.
    pub block: Block,
    /// Descending.
    pub values: &'a [f64],
    /// Unit vectors [P of the block].
    pub vectors: &'a [Vec<f64>],
}

/// Residual at which an eigenpair counts as converged along a run (`[own]`; the eigenvalue's own error is
/// about its square).
const TOLERANCE: f64 = 1e-3;

/// Its own number in the family of the measures' streams.
const STREAM: u64 = 4;

pub(super) struct Curvature<T> {
    measure: CurvatureMeasure<T>,
    seed: u64,
    last: Option<(Block, Vec<f64>, Arc<Vec<Vec<f64>>>)>,
}

impl<T: Scalar> Curvature<T> {
    pub fn new(config: &Config, network: &Network<T>) -> Self {
        Self { measure: CurvatureMeasure::new(network), seed: config.seed, last: None }
    }

    /// The leading eigenpairs found last.
    pub fn leading(&self) -> Option<Leading<'_>> {
        self.last.as_ref().map(|(block, values, vectors)| Leading { block: *block, values, vectors })
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
        iteration: i64,
        workers: &dyn Workers,
        push: &mut dyn FnMut(Series, f64),
    ) -> Option<CurvatureDetail> {
        let (measure, l2) = (&shared.config.measure, shared.config.optimizer.l2);
        // Numbered by the iteration: a run that goes on draws what an unbroken one would.
        let number = STREAM + 16 * iteration.unsigned_abs();
        let mut stream = Stream::numbered(self.seed, Purpose::Measures, number);
        let mut at = self.measure.at(&shared.weights, &shared.probe, measure.block, l2, workers);
        let wanted = Wanted {
            top: measure.top_k.max(1),
            bottom: 1,
            tolerance: TOLERANCE,
            max_products: 100 + 20 * measure.top_k,
            multiplicities: false,
        };
        let found = match at.extremes(wanted, &mut stream) {
            Ok(found) => found,
            Err(NotFinite { .. }) => {
                push(Series::LambdaMax, f64::NAN);
                push(Series::LambdaMin, f64::NAN);
                return None;
            }
        };
        let eigenvalue = |pair: &Eigenpair<T>| Eigenvalue {
            value: pair.value,
            residual: pair.residual,
            converged: pair.converged,
        };
        let top: Vec<Eigenvalue> = found.top.iter().map(eigenvalue).collect();
        let (lambda_max, lambda_min) = (*top.first()?, eigenvalue(found.bottom.first()?));
        push(Series::LambdaMax, lambda_max.value);
        push(Series::LambdaMin, lambda_min.value);
        push(Series::LambdaMaxResidual, lambda_max.residual);
        let in_f64 = |pair: &Eigenpair<T>| pair.vector.iter().map(|v| v.f64()).collect::<Vec<f64>>();
        let vectors = Arc::new(found.top.iter().map(in_f64).collect::<Vec<_>>());
        let values = top.iter().map(|t| t.value).collect();
        self.last = Some((measure.block, values, Arc::clone(&vectors)));
        Some(CurvatureDetail { block: measure.block, top, lambda_min, products: found.products, vectors })
    }
}
