//! A run that learns nothing but does what a test needs: goes slowly, panics, diverges. And a measurer of it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use basinscope::engine::clock::ThreadClock;
use basinscope::engine::run_worker::Made;
use basinscope::numerics::landscape::LandscapeError;
use basinscope::numerics::landscape::plane::Plane;
use basinscope::numerics::landscape::slice::{Grid, Progress};
use basinscope::numerics::parallel::Workers;
use basinscope::numerics::rules::gradient::Outcome;
use basinscope::numerics::tasks::TaskFacts;
use basinscope::numerics::trials::LossKind;
use basinscope::numerics::weights::{Block, Dims, Weights};
use basinscope::training::config::{Config, SliceDirections};
use basinscope::training::history::{Row, Series};
use basinscope::training::measures::{
    Detail, Finding, Measure, Measurer, MeasurerState, SliceDetail, SliceRequest, SliceWork, Subject,
    TestDetail,
};
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
    /// How long a measure takes.
    pub measure_delay: Duration,
    /// Processor time of an update, and of a measure on each of four threads.
    pub work: (Duration, Duration),
    /// Processor time that the updates took in truth, and each measure but the first and last: a clock may go in
    /// steps of milliseconds.
    pub worked: Arc<Mutex<(Duration, Vec<Duration>)>>,
    /// The measure of this iteration panics.
    pub measure_panic_at: Option<i64>,
    /// The measures taken: which, at which iteration, the first or last of the run.
    pub measured: Arc<Mutex<Vec<(Measure, i64, bool)>>>,
    /// lambda_max after n updates.
    pub lambda_max: Option<fn(i64) -> f64>,
    /// Points of a slice, one a millisecond; 0: there are no slices.
    pub slice_points: usize,
    /// The slices that were begun: of which iteration, and once it is over whether it was whole.
    pub slices: Arc<Mutex<Vec<(i64, Option<bool>)>>>,
    /// A measure that is begun waits while this is set, and counts itself.
    pub hold: Arc<AtomicBool>,
    pub held: Arc<AtomicU64>,
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

/// The run with its measurer.
pub fn made(config: &Config, script: &Script, from: Option<&Checkpoint>) -> Made {
    let measurer = FakeMeasurer { script: script.clone() };
    Made::fresh(Box::new(Fake::new(config, script, from)), Some(Box::new(measurer)))
}

/// Uses at least so much processor time, and says how much it was.
fn work(time: Duration) -> Duration {
    let clock = ThreadClock::default();
    let start = clock.now();
    loop {
        let used = clock.now() - start;
        if used >= time {
            return used;
        }
    }
}

const DIMS: Dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };

impl Run for Fake {
    fn config(&self) -> &Config {
        &self.config
    }

    fn task(&self) -> TaskFacts {
        let loss_kind = LossKind::Regression;
        TaskFacts { loss_kind, n_out: 1, scored_steps: 1, trials: 1, full_batch: true }
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
        if !self.script.work.0.is_zero() {
            self.script.worked.lock().expect("no test panics with it").0 += work(self.script.work.0);
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

    fn initial(&self) -> Weights<f64> {
        Weights::zeros(DIMS)
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
        let (x, z, y) = (value(trial as f64), value(self.iteration as f64), value(0.0));
        TrialActivity { x, z, y, target: Some(value(1.0)), correct: None }
    }
}

struct FakeMeasurer {
    script: Script,
}

impl Measurer for FakeMeasurer {
    fn measure(
        &mut self,
        measure: Measure,
        subject: Subject<'_>,
        workers: &dyn Workers,
        _: &(dyn Fn() -> bool + Sync),
    ) -> Option<Finding> {
        let iteration = subject.iteration;
        assert_eq!(subject.weights.flat()[0], iteration as f64, "the weights of that iteration");
        assert!(self.script.measure_panic_at != Some(iteration), "the script says so");
        if self.script.hold.load(Ordering::Relaxed) {
            self.script.held.fetch_add(1, Ordering::Relaxed);
            while self.script.hold.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(self.script.measure_delay);
        if !self.script.work.1.is_zero() {
            let used = Mutex::new(Duration::ZERO);
            workers.run(4, &|_| {
                let own = work(self.script.work.1);
                *used.lock().expect("no test panics with it") += own;
            });
            if !subject.at_an_end {
                let used = used.into_inner().expect("no test panics with it");
                self.script.worked.lock().expect("no test panics with it").1.push(used);
            }
        }
        let mut measured = self.script.measured.lock().expect("no test panics with it");
        measured.push((measure, iteration, subject.at_an_end));
        let mut rows = Vec::new();
        let mut push = |series, value| rows.push(Row { iteration, series, value });
        match measure {
            // It gets better up to iteration 500, and then worse.
            Measure::Test => push(Series::TestLoss, (iteration - 500).abs() as f64),
            Measure::Curvature => {
                if let Some(lambda_max) = self.script.lambda_max {
                    push(Series::LambdaMax, lambda_max(iteration));
                }
            }
            _ => {}
        }
        let outcome = Outcome { loss: 0.0, accuracy: None };
        let detail = Detail::Test(TestDetail { train: outcome, test: outcome, gap: 0.0 });
        Some(Finding { measure, iteration, rows, detail })
    }

    fn begin_slice(
        &self,
        subject: Subject<'_>,
        request: &SliceRequest,
    ) -> Result<Box<dyn SliceWork>, LandscapeError> {
        if self.script.slice_points == 0 {
            return Err(LandscapeError::OneLine);
        }
        let mut slices = self.script.slices.lock().expect("no test panics with it");
        slices.push((subject.iteration, None));
        let (script, number) = (self.script.clone(), slices.len() - 1);
        let (weights, directions) = (subject.weights.clone(), request.directions);
        Ok(Box::new(FakeSlice { script, number, iteration: subject.iteration, weights, directions, done: 0 }))
    }

    fn change(&mut self, _: &Config) {}

    fn state(&self) -> MeasurerState {
        Vec::new()
    }

    fn restore(&mut self, _: &Checkpoint) {}
}

/// A slice of which every point is worth nothing.
struct FakeSlice {
    script: Script,
    number: usize,
    iteration: i64,
    weights: Weights<f64>,
    directions: SliceDirections,
    done: usize,
}

impl SliceWork for FakeSlice {
    fn advance(
        &mut self,
        points: usize,
        _: &dyn Workers,
        keep_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Progress, LandscapeError> {
        let end = self.done.saturating_add(points).min(self.script.slice_points);
        while self.done < end && keep_on() {
            std::thread::sleep(Duration::from_millis(1));
            self.done += 1;
        }
        Ok(Progress { done: self.done, total: self.script.slice_points })
    }

    fn detail(&self) -> Option<SliceDetail> {
        let d = |v: f64| vec![v; DIMS.n_weights()];
        Some(SliceDetail {
            plane: Arc::new(Plane::new(self.weights.clone(), Block::All, d(1.0), d(0.0)).ok()?),
            directions: self.directions,
            names: ["d1".into(), "d2".into()],
            centre: format!("iteration {}", self.iteration),
            grid: Grid { a: vec![0.0], b: vec![0.0], loss: vec![0.0] },
            progress: Progress { done: self.done, total: self.script.slice_points },
            path: Arc::default(),
            others: Arc::default(),
            landmarks: Arc::default(),
            iteration: self.iteration,
        })
    }
}

impl Drop for FakeSlice {
    fn drop(&mut self) {
        if let Ok(mut slices) = self.script.slices.lock() {
            slices[self.number].1 = Some(self.done == self.script.slice_points);
        }
    }
}
