//! Owns [`Driver`]: a run whose measures are all taken between its updates, as every run without a screen is.

use std::collections::BTreeMap;

use super::config::Config;
use super::history::History;
use super::measures::{self, Finding, Measure, Measurer, MeasurerState, Subject};
use super::run::{Checkpoint, Run, StopReason};
use super::stop::after_measures;
use super::trainer::{self, StartError};
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::parallel::Workers;
use crate::numerics::tasks::TaskData;

/// A run with its measures and its history.
pub struct Driver {
    run: Box<dyn Run>,
    measurer: Box<dyn Measurer>,
    history: History,
    latest: BTreeMap<Measure, Finding>,
    trajectory: Trajectory,
    /// Iteration at which the due measures were last taken.
    measured: Option<i64>,
    ended: Option<StopReason>,
    /// The measurer's state before the measures of an iteration: a run that goes on from there takes those that
    /// are due again, and an unbroken one would not have taken those of an end.
    state_before: Option<(i64, MeasurerState)>,
}

impl Driver {
    /// A run from its beginning.
    pub fn start(config: &Config, data: &TaskData) -> Result<Self, StartError> {
        let run = trainer::start(config, data)?;
        Ok(Self::around(run, measures::measurer(config, data)?, History::default(), Trajectory::default()))
    }

    /// A run that goes on from a checkpoint, with what its files hold of the time before.
    ///
    /// The measures of its last iteration are dropped (some were taken only because the run stopped there);
    /// those that the cadence asks for are taken again: the files of a run in two parts are those of an
    /// unbroken one.
    pub fn resume(
        config: &Config,
        data: &TaskData,
        from: &Checkpoint,
        mut history: History,
        trajectory: Trajectory,
    ) -> Result<Self, StartError> {
        let run = trainer::resume(config, data, from)?;
        let mut measurer = measures::measurer(config, data)?;
        measurer.restore(from);
        for series in Measure::ALL.into_iter().flat_map(Measure::series) {
            history.drop_at(*series, from.iteration);
        }
        Ok(Self::around(run, measurer, history, trajectory))
    }

    fn around(
        run: Box<dyn Run>,
        measurer: Box<dyn Measurer>,
        history: History,
        trajectory: Trajectory,
    ) -> Self {
        Self {
            run,
            measurer,
            history,
            latest: BTreeMap::new(),
            trajectory,
            measured: None,
            ended: None,
            state_before: None,
        }
    }

    /// Takes the measures that are due, then makes one update. `Some` when the run has ended; its last
    /// measures are then taken, except after a divergence, where there is nothing left to measure.
    pub fn advance(&mut self, workers: &dyn Workers) -> Option<StopReason> {
        if let Some(ended) = &self.ended {
            return Some(ended.clone());
        }
        let n = self.run.iteration();
        // A slice shows the path up to the weights that it is measured at.
        let shows_path = due(Measure::Landscape, self.run.config(), n, false);
        if n >= 0 && (shows_path || self.trajectory.wants(n)) {
            self.trajectory.record(n, &self.run.weights(), None);
        }
        if n >= 0 && self.measured != Some(n) {
            self.measure(workers, false);
            if let Some(reason) = after_measures(&self.run.config().stop, &self.history, n) {
                return Some(self.end(reason, workers));
            }
        }
        let step = self.run.step(workers);
        step.rows.iter().for_each(|row| self.history.push(*row));
        step.stop.map(|reason| self.end(reason, workers))
    }

    /// Ends the run for a reason of the caller's (the user stopped it), with its last measures.
    pub fn stop(&mut self, workers: &dyn Workers) -> StopReason {
        match &self.ended {
            Some(ended) => ended.clone(),
            None => self.end(StopReason::Stopped, workers),
        }
    }

    fn end(&mut self, reason: StopReason, workers: &dyn Workers) -> StopReason {
        let diverged = matches!(reason, StopReason::Diverged { .. });
        if !diverged && self.run.iteration() >= 0 {
            self.measure(workers, true);
        }
        self.ended = Some(reason.clone());
        reason
    }

    /// Takes the measures due at this iteration; those that the iteration's own cadence asked for are not
    /// taken twice.
    fn measure(&mut self, workers: &dyn Workers, last: bool) {
        let n = self.run.iteration();
        let config = self.run.config();
        let at_an_end = n == 0 || last;
        let taken_before = self.measured == Some(n);
        let wanted: Vec<Measure> = Measure::ALL
            .into_iter()
            .filter(|m| due(*m, config, n, last) && !(taken_before && due(*m, config, n, false)))
            .collect();
        self.measured = Some(n);
        if wanted.is_empty() {
            return;
        }
        if self.state_before.as_ref().is_none_or(|(at, _)| *at != n) {
            self.state_before = Some((n, self.measurer.state()));
        }
        let weights = self.run.weights();
        if last {
            self.trajectory.record(n, &weights, None);
        }
        let learning_rate = trainer::learning_rate(config, n.unsigned_abs());
        for measure in wanted {
            let subject = Subject {
                iteration: n,
                weights: &weights,
                learning_rate,
                at_an_end,
                trajectory: &self.trajectory,
            };
            if let Some(finding) = self.measurer.measure(measure, subject, workers, &|| true) {
                finding.rows.iter().for_each(|row| self.history.push(*row));
                self.latest.insert(measure, finding);
            }
        }
    }

    /// The run.
    pub fn run(&self) -> &dyn Run {
        &*self.run
    }

    /// Every value so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The newest finding of each measure.
    pub fn latest(&self) -> &BTreeMap<Measure, Finding> {
        &self.latest
    }

    /// The stored states of the run.
    pub fn trajectory(&self) -> &Trajectory {
        &self.trajectory
    }

    /// Updates made.
    pub fn iteration(&self) -> i64 {
        self.run.iteration()
    }

    /// All that is needed to go on later.
    pub fn checkpoint(&self) -> Checkpoint {
        let before = self.state_before.as_ref().filter(|(at, _)| *at == self.run.iteration());
        let measures = before.map_or_else(|| self.measurer.state(), |(_, state)| state.clone());
        Checkpoint { measures, ..self.run.checkpoint() }
    }
}

/// Whether a measure is due after `n` updates.
fn due(measure: Measure, config: &Config, n: i64, last: bool) -> bool {
    measure.cadence(config).due(n.unsigned_abs(), last)
}
