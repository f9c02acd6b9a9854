//! Owns the snapshot of a run that takes its measures itself.

use super::{FlossingFound, Found, Noted, Snapshot};
use crate::numerics::parallel::Workers;
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::{TaskData, TaskError};
use crate::numerics::trials::Trials;
use crate::training::config::{Config, Precision};
use crate::training::driver::Driver;
use crate::training::flossing::tangents_of;
use crate::training::measured::{Given, flossing, gradients};
use crate::training::measures::Finding;
use crate::training::trainer;

impl Snapshot {
    /// The snapshot of a run as it stands, with its probe batch, loss, outputs and gradients there (the exact one
    /// and that of the run's rule), and what was measured on these weights.
    ///
    /// # Errors
    /// Data that do not fit the task; those of the run do.
    pub fn of_driver(driver: &Driver, data: &TaskData, workers: &dyn Workers) -> Result<Self, TaskError> {
        let run =
            Self::of_run(driver.run().config(), &driver.checkpoint(), driver.history(), driver.trajectory());
        run.measured(driver.latest().values(), data, workers)
    }

    /// The same with its probe batch, loss, outputs and gradients there (the exact one and that of the run's
    /// rule), the flossing loss with its gradient where the run has flossing, and those of the findings that belong
    /// to its weights, with notes on them.
    ///
    /// # Errors
    /// Data that do not fit the task; those of the run do.
    pub fn measured<'a>(
        self,
        findings: impl IntoIterator<Item = &'a Finding>,
        data: &TaskData,
        workers: &dyn Workers,
    ) -> Result<Self, TaskError> {
        let mut snapshot = self;
        let probe = probe(&snapshot.config, data)?;
        let findings: Vec<&Finding> = findings.into_iter().collect();
        let of = (&snapshot.weights, snapshot.config.measure.block);
        snapshot.found = Found::of_findings(findings.iter().copied(), snapshot.iteration, of);
        snapshot.notes = Noted::of_findings(findings, snapshot.iteration).sentences();
        // A run that diverged has nothing left to measure.
        if snapshot.weights.flat().iter().all(|w| w.is_finite()) {
            let config = snapshot.config.clone();
            let given = Given {
                network: trainer::network(&config.network, snapshot.weights.dims()),
                weights: snapshot.weights.clone(),
                probe: probe.clone(),
                feedback: snapshot.feedback.clone(),
                q0: None,
                slice: None,
                config,
            };
            snapshot.found.take_gradients(&gradients(&given, &[given.config.rule.kind], workers));
            if given.config.flossing.is_on() {
                let q0 = tangents_of(data, given.config.seed, &given.network);
                let (found, gradient) = flossing(&given, q0.view(), workers);
                snapshot.found.flossing = Some(FlossingFound { loss: found.loss, gradient: Some(gradient) });
            }
        }
        snapshot.probe = Some(probe);
        Ok(snapshot)
    }
}

/// The probe batch of a run, with exactly the values that the run sees in its precision.
///
/// # Errors
/// Data that do not fit the task.
pub fn probe(config: &Config, data: &TaskData) -> Result<Trials<f64>, TaskError> {
    fn of<T: Scalar>(config: &Config, data: &TaskData) -> Result<Trials<f64>, TaskError> {
        let task = trainer::task::<T>(config, data)?;
        Ok(trainer::probe(config, &*task).cast())
    }
    match config.precision {
        Precision::F32 => of::<f32>(config, data),
        Precision::F64 => of::<f64>(config, data),
    }
}
