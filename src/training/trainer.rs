//! Owns [`Trainer`], the deterministic training loop of one run, and how a run starts or goes on.

mod flossing;
mod resume;
mod standing;

use super::config::error::ConfigError;
use super::config::{
    AdaptiveConfig, Config, NetworkConfig, OptimizerConfig, OptimizerKind, Precision, ScheduleConfig,
    ScheduleKind, StopConfig, skip_fits,
};
use super::flossing::FlossingStage;
use super::history::Series;
use super::rule::LearningRule;
use super::run::{Change, Checkpoint, Feedback, Rows, Run, Step, StopReason, TrialActivity};
use crate::numerics::init::InitialWeights;
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::optimizers::{
    Optimizer, Schedule, Shape, StateError, add_l2_gradient, clip, gradient_norm,
};
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::{self, Task, TaskData, TaskError, TaskFacts, TaskSettings};
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Dims, Weights};

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The task's data do not fit.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// A checkpoint belongs to another network or another configuration.
    #[error("{what} of the checkpoint: found {found}, expected {expected}")]
    Checkpoint {
        /// The part that does not fit.
        what: String,
        /// What it is.
        found: String,
        /// What the configuration asks for.
        expected: String,
    },
    /// The network of the task's file has another size.
    #[error("`network.n_rec` = {expected}: expected {found}, the units of the network in {path}")]
    Network {
        /// Units of the file's.
        found: usize,
        /// Units asked for.
        expected: usize,
        /// The file.
        path: String,
    },
    /// A setting does not fit the trials.
    #[error(transparent)]
    Setting(#[from] ConfigError),
    /// The optimiser's stored state does not fit.
    #[error(transparent)]
    Optimizer(#[from] StateError),
}

/// Starts a run at its first iteration.
pub fn start(config: &Config, data: &TaskData) -> Result<Box<dyn Run>, StartError> {
    Ok(match config.precision {
        Precision::F32 => Box::new(Trainer::<f32>::new(config, data)?),
        Precision::F64 => Box::new(Trainer::<f64>::new(config, data)?),
    })
}

/// Goes on from a checkpoint: with the same configuration the numbers are those of a run never stopped.
pub fn resume(config: &Config, data: &TaskData, from: &Checkpoint) -> Result<Box<dyn Run>, StartError> {
    Ok(match config.precision {
        Precision::F32 => Box::new(Trainer::<f32>::resume(config, data, from)?),
        Precision::F64 => Box::new(Trainer::<f64>::resume(config, data, from)?),
    })
}

/// The task of a configuration.
pub fn task<T: Scalar>(config: &Config, data: &TaskData) -> Result<Box<dyn Task<T>>, TaskError> {
    tasks::build(&config.task.own, config.task.batch, config.task.test_trials, config.seed, data)
}

/// The network of a configuration, for a task with these inputs and outputs.
pub fn network<T: Scalar>(config: &NetworkConfig, dims: Dims) -> Network<T> {
    let AdaptiveConfig { units, beta, tau } = config.adaptive;
    Network::plain(dims, config.alpha, config.activation).with_adaptive_units(units, beta, tau)
}

/// The fixed probe batch of a configuration.
pub fn probe<T: Scalar>(config: &Config, task: &dyn Task<T>) -> Trials<T> {
    task.probe(config.measure.probe_trials, &mut Stream::new(config.seed, Purpose::Probe))
}

/// The sizes of a configuration's network on its task.
pub fn dims<T: Scalar>(config: &NetworkConfig, task: &dyn Task<T>) -> Dims {
    let shape = task.shape();
    Dims { n_in: shape.n_in, n_rec: config.n_rec, n_out: shape.n_out }
}

/// The initial weights of a configuration.
pub fn initial_weights<T: Scalar>(config: &NetworkConfig, dims: Dims, seed: u64) -> Weights<T> {
    let init = &config.init;
    InitialWeights {
        gain: config.gain,
        input: init.input,
        input_scale: init.input_scale,
        readout: init.readout,
        readout_scale: init.readout_scale,
    }
    .draw(dims, &mut Stream::new(seed, Purpose::Weights))
}

/// The weights that a run begins with: those of the data, or drawn.
fn first_weights<T: Scalar>(config: &Config, dims: Dims, data: &TaskData) -> Result<Weights<T>, StartError> {
    let TaskData::Network { weights, .. } = data else {
        return Ok(initial_weights(&config.network, dims, config.seed));
    };
    let (found, expected) = (weights.dims(), dims);
    if found != expected {
        let path = match &config.task.own {
            TaskSettings::File(file) => file.path.clone(),
            _ => String::new(),
        };
        return Err(StartError::Network { found: found.n_rec, expected: expected.n_rec, path });
    }
    Ok(weights.cast())
}

/// RFLO's feedback [n_out, N] where the data give it; elsewhere it is drawn.
pub(super) fn given_feedback<T: Scalar>(data: &TaskData) -> Option<Vec<T>> {
    let TaskData::Network { feedback: Some(values), .. } = data else { return None };
    Some(values.iter().map(|v| T::of(*v)).collect())
}

/// The schedule of a configuration.
pub fn schedule(config: &ScheduleConfig, iterations: u64) -> Schedule {
    let shape = match config.kind {
        ScheduleKind::Constant => Shape::Constant,
        ScheduleKind::Step => {
            Shape::Step { initial_factor: config.initial_factor, factor: config.factor, every: config.every }
        }
        ScheduleKind::Exponential => Shape::Exponential { decay: config.decay },
        ScheduleKind::Cosine => Shape::Cosine { final_factor: config.final_factor },
    };
    Schedule { shape, warmup: config.warmup, iterations }
}

/// The learning rate of the update after `n` updates.
pub fn learning_rate(config: &Config, n: u64) -> f64 {
    config.optimizer.learning_rate * schedule(&config.schedule, config.iterations).factor(n)
}

/// The optimiser of a configuration, at rest.
pub fn optimizer<T: Scalar>(config: &OptimizerConfig, n_weights: usize) -> Optimizer<T> {
    match config.kind {
        OptimizerKind::Sgd => Optimizer::sgd(n_weights, config.momentum),
        OptimizerKind::Adam => Optimizer::adam(n_weights),
    }
}

/// One run in one precision.
struct Trainer<T> {
    config: Config,
    network: Network<T>,
    task: Box<dyn Task<T>>,
    probe: Trials<T>,
    iteration: i64,
    weights: Weights<T>,
    initial: Weights<T>,
    before_flossing: Option<Weights<T>>,
    rule: LearningRule<T>,
    schedule: Schedule,
    optimizer: Optimizer<T>,
    flossing: FlossingStage<T>,
    training_stream: Stream,
    batch: Trials<T>,
    pass: GradientPass<T>,
    gradients: Vec<Weights<T>>,
    stop: Option<StopReason>,
    warnings: Vec<String>,
}

impl<T: Scalar> Trainer<T> {
    fn new(config: &Config, data: &TaskData) -> Result<Self, StartError> {
        let task: Box<dyn Task<T>> = task(config, data)?;
        skip_fits(config.measure.lyapunov_skip, task.shape().n_steps)?;
        let dims = dims(&config.network, &*task);
        let network: Network<T> = network(&config.network, dims);
        let (weights, feedback) = (first_weights(config, dims, data)?, given_feedback(data));
        let rule = LearningRule::new(&config.rule, &config.network, dims, config.seed, feedback);
        let n_parts = rule.parts().len();
        let floss = i64::try_from(config.flossing.iterations).unwrap_or(i64::MAX);
        Ok(Self {
            probe: probe(config, &*task),
            batch: Trials::zeros(task.shape()),
            iteration: -floss,
            initial: weights.clone(),
            before_flossing: (floss > 0).then(|| weights.clone()),
            schedule: schedule(&config.schedule, config.iterations),
            optimizer: optimizer(&config.optimizer, dims.n_weights()),
            flossing: FlossingStage::new(config, &network, data),
            training_stream: Stream::new(config.seed, Purpose::Training),
            pass: GradientPass::new(&network),
            gradients: vec![Weights::zeros(dims); n_parts],
            stop: None,
            warnings: Vec::new(),
            config: config.clone(),
            network,
            task,
            weights,
            rule,
        })
    }

    fn diverged(&self, quantity: &str, value: f64) -> StopReason {
        // With an exponent where it is enormous.
        let (iteration, value) = (self.iteration, format!("{value:?}"));
        StopReason::Diverged { iteration, quantity: quantity.into(), value }
    }

    /// Ends the run with the rows found so far.
    fn end(&mut self, rows: Rows, reason: StopReason) -> Step {
        self.stop = Some(reason.clone());
        Step { iteration: self.iteration, rows, stop: Some(reason) }
    }

    fn train(&mut self, workers: &dyn Workers) -> Step {
        let mut rows = Rows::none();
        if self.iteration.unsigned_abs() >= self.config.iterations {
            return self.end(rows, StopReason::Done);
        }
        let before = self.standing();
        if let Some(reason) = self.floss_during(&mut rows, workers) {
            return self.end_within(before, rows, reason);
        }
        let n = self.iteration;
        self.task.draw_training(&mut self.training_stream, &mut self.batch);
        let Self { pass, rule, gradients, batch, weights, .. } = self;
        let outcome = {
            let mut parts = rule.parts();
            match (parts.next(), parts.next()) {
                (Some(a), Some(b)) => pass.run(weights, batch, &[a, b], gradients, workers),
                (Some(a), None) => pass.run(weights, batch, &[a], gradients, workers),
                _ => pass.run(weights, batch, &[], &mut [], workers),
            }
        };
        rows.push(n, Series::TrainLoss, outcome.loss);
        if let Some(accuracy) = outcome.accuracy {
            rows.push(n, Series::TrainAccuracy, accuracy);
        }
        let StopConfig { loss_below, diverged_above, .. } = self.config.stop;
        if !outcome.loss.is_finite() || (diverged_above > 0.0 && outcome.loss > diverged_above) {
            let reason = self.diverged("training loss", outcome.loss);
            return self.end_within(before, rows, reason);
        }
        if outcome.loss < loss_below {
            return self.end_within(before, rows, StopReason::LossReached);
        }
        let own = self.rule.compose(&mut self.gradients);
        let gradient = self.gradients[own].flat_mut();
        if self.config.optimizer.l2 > 0.0 {
            add_l2_gradient(gradient, self.weights.flat(), self.config.optimizer.l2);
        }
        let norm = clip(gradient, self.config.optimizer.clip_norm);
        let rate = self.config.optimizer.learning_rate * self.schedule.factor(n.unsigned_abs());
        rows.push(n, Series::GradientNorm, norm);
        rows.push(n, Series::WeightNorm, gradient_norm(self.weights.flat()));
        rows.push(n, Series::LearningRate, rate);
        if !norm.is_finite() {
            let reason = self.diverged("gradient norm", norm);
            return self.end_within(before, rows, reason);
        }
        self.optimizer.step(self.weights.flat_mut(), gradient, rate);
        self.iteration += 1;
        let done = self.iteration.unsigned_abs() >= self.config.iterations;
        if done {
            return self.end(rows, StopReason::Done);
        }
        Step { iteration: self.iteration, rows, stop: None }
    }
}

impl<T: Scalar> Run for Trainer<T> {
    fn config(&self) -> &Config {
        &self.config
    }

    fn task(&self) -> TaskFacts {
        TaskFacts::of(&*self.task, self.config.seed)
    }

    fn iteration(&self) -> i64 {
        self.iteration
    }

    fn step(&mut self, workers: &dyn Workers) -> Step {
        match &self.stop {
            Some(reason) => {
                Step { iteration: self.iteration, rows: Rows::none(), stop: Some(reason.clone()) }
            }
            None if self.iteration < 0 => self.floss(workers),
            None => self.train(workers),
        }
    }

    fn change(&mut self, change: Change) {
        let dims = self.weights.dims();
        match change {
            Change::Rule(rule) => {
                self.config.rule = rule;
                self.rule = LearningRule::new(&rule, &self.config.network, dims, self.config.seed, None);
                self.gradients = vec![Weights::zeros(dims); self.rule.parts().len()];
            }
            Change::Optimizer(new) => {
                let old = std::mem::replace(&mut self.config.optimizer, new);
                if (old.kind, old.momentum) != (new.kind, new.momentum) {
                    self.optimizer = optimizer(&new, dims.n_weights());
                }
            }
            Change::Schedule(new) => {
                self.config.schedule = new;
                self.schedule = schedule(&new, self.config.iterations);
            }
            Change::Stop(stop) => self.config.stop = stop,
            Change::Iterations(n) => {
                self.config.iterations = n;
                self.schedule = schedule(&self.config.schedule, n);
                if self.stop == Some(StopReason::Done) && self.iteration.unsigned_abs() < n {
                    self.stop = None;
                }
            }
        }
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn weights(&self) -> Weights<f64> {
        self.weights.cast()
    }

    fn initial(&self) -> Weights<f64> {
        self.initial.cast()
    }

    fn checkpoint(&self) -> Checkpoint {
        let named = |prefix: &str, state: Vec<(&'static str, Vec<f64>)>| {
            state.into_iter().map(|(name, v)| (format!("{prefix}{name}"), v)).collect::<Vec<_>>()
        };
        let mut optimizer = named("", self.optimizer.state());
        optimizer.extend(named("flossing_", self.flossing.state()));
        Checkpoint {
            iteration: self.iteration,
            weights: self.weights.cast(),
            initial: self.initial.cast(),
            before_flossing: self.before_flossing.as_ref().map(Weights::cast),
            feedback: self.rule.feedback().map(|b| Feedback {
                drawn_by: self.config.rule.feedback,
                values: b.iter().map(|v| v.f64()).collect(),
            }),
            optimizer,
            measures: Vec::new(),
            streams: vec![
                ("training".into(), self.training_stream.clone()),
                ("flossing".into(), self.flossing.stream.clone()),
            ],
        }
    }

    fn activity(&self, trial: usize) -> TrialActivity {
        let trial = trial.min(self.probe.n_batch().saturating_sub(1));
        let n_steps = self.probe.n_steps();
        let mut packed = PackedWeights::zeros(self.network.dims);
        packed.pack(&self.network, &self.weights);
        let mut activity = Activity::new(&self.network, n_steps, 1, false);
        activity.load(&self.probe, trial);
        activity.forward(&self.network, &packed);
        TrialActivity::of(self.network.dims, &activity, &self.probe, trial)
    }
}
