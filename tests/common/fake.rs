//! A run that learns nothing but does what a test needs: goes slowly, panics, diverges.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use basinscope::numerics::parallel::Workers;
use basinscope::numerics::weights::{Dims, Weights};
use basinscope::training::config::Config;
use basinscope::training::history::Series;
use basinscope::training::run::{Change, Checkpoint, Rows, Run, Step, StopReason, TrialActivity};

/// What goes wrong, and when.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// How long an update takes.
    pub delay: Duration,
    /// Panics in the update after so many.
    pub panic_at: Option<i64>,
    /// Diverges after so many, unless the learning rate is below 0.1.
    pub diverge_at: Option<i64>,
    /// Counts the updates made by all runs of this script.
    pub updates: Arc<AtomicU64>,
}

/// The run. Its training loss at iteration n is n, its only weight n too.
pub struct Fake {
    script: Script,
    config: Config,
    iteration: i64,
    stop: Option<StopReason>,
}

impl Fake {
    pub fn new(config: &Config, script: &Script, from: Option<&Checkpoint>) -> Self {
        let iteration = from.map_or(0, |c| c.iteration);
        Self { script: script.clone(), config: config.clone(), iteration, stop: None }
    }
}

const DIMS: Dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };

impl Run for Fake {
    fn config(&self) -> &Config {
        &self.config
    }

    fn iteration(&self) -> i64 {
        self.iteration
    }

    fn step(&mut self, _: &dyn Workers) -> Step {
        let mut rows = Rows::none();
        if let Some(reason) = &self.stop {
            return Step { iteration: self.iteration, rows, stop: Some(reason.clone()) };
        }
        assert!(self.script.panic_at != Some(self.iteration), "the script says so");
        if !self.script.delay.is_zero() {
            std::thread::sleep(self.script.delay);
        }
        let rate = self.config.optimizer.learning_rate;
        rows.push(self.iteration, Series::TrainLoss, self.iteration as f64);
        rows.push(self.iteration, Series::LearningRate, rate);
        if self.script.diverge_at.is_some_and(|at| self.iteration >= at) && rate >= 0.1 {
            rows.push(self.iteration, Series::GradientNorm, f64::NAN);
            let (iteration, quantity) = (self.iteration, "gradient norm".into());
            self.stop = Some(StopReason::Diverged { iteration, quantity, value: "NaN".into() });
        } else {
            self.iteration += 1;
            self.script.updates.fetch_add(1, Ordering::Relaxed);
            if self.iteration.unsigned_abs() >= self.config.iterations {
                self.stop = Some(StopReason::Done);
            }
        }
        Step { iteration: self.iteration, rows, stop: self.stop.clone() }
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Rule(rule) => self.config.rule = rule,
            Change::Optimizer(optimizer) => self.config.optimizer = optimizer,
            Change::Schedule(schedule) => self.config.schedule = schedule,
            Change::Stop(stop) => self.config.stop = stop,
            Change::Iterations(n) => {
                self.config.iterations = n;
                if self.stop == Some(StopReason::Done) && self.iteration.unsigned_abs() < n {
                    self.stop = None;
                }
            }
        }
    }

    fn weights(&self) -> Weights<f64> {
        let values = vec![self.iteration as f64; DIMS.n_weights()];
        Weights::from_flat(DIMS, values).expect("as many as the sizes say")
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            iteration: self.iteration,
            weights: self.weights(),
            initial: Weights::zeros(DIMS),
            before_flossing: None,
            feedback: None,
            optimizer: Vec::new(),
            measures: Vec::new(),
            streams: Vec::new(),
        }
    }

    fn activity(&self, trial: usize) -> TrialActivity {
        let value = |x: f64| ndarray::Array2::from_elem((1, 1), x);
        TrialActivity { x: value(trial as f64), z: value(self.iteration as f64), y: value(0.0) }
    }
}
