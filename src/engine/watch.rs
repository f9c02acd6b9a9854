//! Owns [`Watch`], what a run worker knows of its measures: when which is due, what they found, and whether
//! that ends the run or makes a state worth keeping.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};

use super::measure_worker::{MeasureHandle, Report, Request};
use super::messages::{Event, Noted};
use super::thinning::Thinning;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::training::config::{Cadence, Config, MeasureConfig, OptimizerKind, StopConfig};
use crate::training::history::{History, Row, Series};
use crate::training::measures::{Detail, Finding, Measure, SliceRequest};
use crate::training::run::{Run, StopReason};
use crate::training::stop::after_measures;
use crate::training::trainer::learning_rate;

/// The measures of one run, as its worker sees them.
pub(super) struct Watch {
    worker: Option<MeasureHandle>,
    measure: MeasureConfig,
    trajectory: Arc<Trajectory>,
    /// The measure worker has old settings.
    config_is_old: bool,
    /// What the stop rules look at; empty where they are off.
    history: History,
    best_test: f64,
    /// Whether lambda_max was above the line at the measure before; `None` before there was one.
    above_line: Option<bool>,
    found: BTreeMap<Measure, Finding>,
    thinning: Thinning,
    /// What of the slice being computed was counted so far, and of which iteration it is.
    slice_counted: (i64, Duration),
    /// The iteration at which a slice was last asked for, until it is whole.
    slicing: Option<i64>,
    /// The slice that was asked for last: those that are due later lie alike.
    asked: Option<SliceRequest>,
}

/// What follows from a report.
#[derive(Default)]
pub(super) struct News {
    pub rows: Vec<Row>,
    pub events: Vec<Event>,
    pub stop: Option<StopReason>,
}

impl Watch {
    pub fn new(worker: Option<MeasureHandle>, measure: MeasureConfig, trajectory: Trajectory) -> Self {
        Self {
            worker,
            measure,
            trajectory: Arc::new(trajectory),
            config_is_old: false,
            history: History::default(),
            best_test: f64::INFINITY,
            above_line: None,
            found: BTreeMap::new(),
            thinning: Thinning::default(),
            slice_counted: (-1, Duration::ZERO),
            slicing: None,
            asked: None,
        }
    }

    /// Where reports come from.
    pub fn reports(&self) -> Option<&Receiver<Report>> {
        self.worker.as_ref().map(MeasureHandle::reports)
    }

    /// What is measured, and how often.
    pub fn measures(&self) -> MeasureConfig {
        self.measure
    }

    /// The path so far.
    pub fn trajectory(&self) -> Arc<Trajectory> {
        Arc::clone(&self.trajectory)
    }

    /// The newest finding of each measure.
    pub fn findings(&self) -> Vec<Finding> {
        self.found.values().cloned().collect()
    }

    /// Takes the measures of a start.
    pub fn start(&mut self, run: &dyn Run) {
        let n = run.iteration();
        if n >= 0 {
            if !self.trajectory.is_empty() {
                // The path of a run that was set back ends here.
                self.record_end(run);
            }
            let all = Measure::ALL.into_iter().filter(|m| self.cadence(*m) != Cadence::Never);
            self.request(run, all.collect(), None, Firm::Yes { at_an_end: n == 0 });
        }
    }

    /// Takes the measures that are due after an update, as far as the processor time that training has used or
    /// left so far, `earned`, allows.
    pub fn updated(&mut self, run: &dyn Run, earned: impl FnOnce() -> Duration) {
        let n = run.iteration();
        match n {
            0 => self.start(run),
            1.. => {
                // A slice that is due would take the place of one that is not whole yet: there would never be one.
                let is_free = |m: &Measure| *m != Measure::Landscape || self.slicing.is_none();
                let due = |m: &Measure| self.cadence(*m).due(n.unsigned_abs(), false) && is_free(m);
                let what: BTreeSet<Measure> = Measure::ALL.into_iter().filter(due).collect();
                if !what.is_empty() && self.thinning.allows(earned()) {
                    self.thinning.begun(what.iter().copied());
                    self.request(run, what, None, Firm::No);
                }
            }
            _ => {}
        }
    }

    /// Takes the measures of an end.
    pub fn ended(&mut self, run: &dyn Run) {
        if run.iteration() >= 0 {
            self.record_end(run);
            let all = Measure::ALL.into_iter().filter(|m| self.cadence(*m) != Cadence::Never);
            self.request(run, all.collect(), None, Firm::Yes { at_an_end: true });
        }
    }

    /// Takes measures or a slice now.
    pub fn ask(&mut self, run: &dyn Run, what: Vec<Measure>, slice: Option<Box<SliceRequest>>) {
        if let Some(slice) = &slice {
            self.asked = Some((**slice).clone());
        }
        if run.iteration() >= 0 {
            // The density is not asked for by hand, but by a view that is in sight.
            if slice.is_some() || what.iter().any(|measure| *measure != Measure::Density) {
                self.thinning.set_free(run.iteration());
            }
            self.request(run, what.into_iter().collect(), slice, Firm::No);
        }
    }

    /// Measures something else, or as often as this; what is new is taken at once.
    pub fn set_measures(&mut self, measure: MeasureConfig, run: &dyn Run) {
        let old = std::mem::replace(&mut self.measure, measure);
        self.config_is_old = true;
        let new = |m: &Measure| {
            let was_off = cadence(*m, &old) == Cadence::Never;
            let is_off = self.cadence(*m) == Cadence::Never;
            !is_off && (was_off || !same_settings(*m, &old, &self.measure))
        };
        let what: Vec<Measure> = Measure::ALL.into_iter().filter(new).collect();
        self.ask(run, what, None);
    }

    /// The run's other settings have changed.
    pub fn changed(&mut self) {
        self.config_is_old = true;
    }

    /// Records the path of the run where a slice may want it, before an update.
    pub fn record_path(&mut self, run: &dyn Run) {
        let n = run.iteration();
        if n >= 0 && self.worker.is_some() && self.trajectory.wants(n) {
            Arc::make_mut(&mut self.trajectory).record(n, &run.weights(), None);
        }
    }

    fn record_end(&mut self, run: &dyn Run) {
        if self.worker.is_some() {
            Arc::make_mut(&mut self.trajectory).record(run.iteration(), &run.weights(), None);
        }
    }

    /// Notes a value of the training loss, where a stop rule looks at it.
    pub fn note(&mut self, row: Row, stop: &StopConfig) {
        if stop.plateau > 0 {
            self.history.push(row);
        }
    }

    fn cadence(&self, measure: Measure) -> Cadence {
        cadence(measure, &self.measure)
    }

    fn request(
        &mut self,
        run: &dyn Run,
        mut what: BTreeSet<Measure>,
        slice: Option<Box<SliceRequest>>,
        firm: Firm,
    ) {
        let Some(worker) = &self.worker else { return };
        let is_due = what.remove(&Measure::Landscape);
        let slice = slice.or_else(|| is_due.then(|| Box::new(self.due_slice())));
        if what.is_empty() && slice.is_none() {
            return;
        }
        if slice.is_some() {
            // The path on a slice ends at the weights that it was asked for.
            Arc::make_mut(&mut self.trajectory).record(run.iteration(), &run.weights(), None);
        }
        let config = run.config();
        let config_is_old = std::mem::take(&mut self.config_is_old);
        let request = Request {
            what,
            state: Arc::new(run.checkpoint()),
            learning_rate: learning_rate(config, run.iteration().unsigned_abs()),
            at_an_end: matches!(firm, Firm::Yes { at_an_end: true }),
            config: config_is_old.then(|| Box::new(Config { measure: self.measure, ..config.clone() })),
            trajectory: slice.is_some().then(|| Arc::clone(&self.trajectory)),
            wish: worker.wish(slice.is_some()),
            slice,
        };
        if request.slice.is_some() {
            self.slicing = Some(request.state.iteration);
        }
        match firm {
            Firm::Yes { .. } => {
                self.thinning.set_free(run.iteration());
                worker.ask_firmly(request);
            }
            Firm::No => worker.ask(request),
        }
    }

    /// The slice that the measures ask for, with centre and points of one like it that was asked for.
    fn due_slice(&self) -> SliceRequest {
        let usual = SliceRequest::of(&self.measure);
        let of = |slice: &SliceRequest| (slice.directions, slice.n_points, slice.range, slice.block);
        let is_alike = |asked: &&SliceRequest| of(asked) == of(&usual);
        self.asked.as_ref().filter(is_alike).cloned().unwrap_or(usual)
    }

    /// What follows from the next report, if one has come.
    pub fn next_report(&mut self, run: &dyn Run) -> Option<News> {
        let report = match self.worker.as_ref()?.reports().try_recv() {
            Ok(report) => report,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => {
                self.worker = None;
                return None;
            }
        };
        let mut news = News::default();
        match report {
            Report::Failed(message) => {
                self.worker = None;
                news.events.push(Event::MeasuresFailed(message));
            }
            Report::Found { found, state } => {
                let finding = &found.finding;
                news.rows.extend_from_slice(&finding.rows);
                for row in &finding.rows {
                    let why = match row.series {
                        Series::TestLoss => self.is_best(row.value).then_some(Noted::BestTest),
                        Series::LambdaMax => self.crosses(run.config(), row).then_some(Noted::BoundCrossed),
                        _ => None,
                    };
                    if let Some(why) = why {
                        news.events.push(Event::Noted { why, checkpoint: Arc::clone(&state) });
                    }
                    if matches!(row.series, Series::TestAccuracy | Series::LambdaMax) {
                        self.history.push(*row);
                    }
                }
                let stop = &run.config().stop;
                let iteration = finding.iteration;
                let (measure, processor) = (finding.measure, found.processor);
                news.stop = after_measures(stop, &self.history, iteration).filter(|_| iteration > 0);
                if is_whole_slice(&finding.detail) && self.slicing.is_some_and(|at| at <= iteration) {
                    self.slicing = None;
                }
                self.found.insert(finding.measure, finding.clone());
                news.events.push(Event::Found(found));
                self.count(measure, iteration, processor);
            }
        }
        Some(news)
    }

    /// Counts what a measure took; a slice comes several times, each time with all that it took so far.
    fn count(&mut self, measure: Measure, iteration: i64, processor: Duration) {
        let mut new = processor;
        if measure == Measure::Landscape {
            let (at, before) = self.slice_counted;
            if at == iteration {
                new = processor.saturating_sub(before);
            }
            self.slice_counted = (iteration, processor);
        }
        self.thinning.took(measure, iteration, new);
    }

    /// Whether a test loss is the lowest so far. The first is no achievement.
    fn is_best(&mut self, loss: f64) -> bool {
        let first = self.best_test == f64::INFINITY;
        let best = loss < self.best_test;
        if best {
            self.best_test = loss;
        }
        best && !first
    }

    /// Whether lambda_max has risen above 2 (1 + m)/eta since the measure before. Where there is none, as in a run that
    /// goes on from a state, it may have been above for long.
    fn crosses(&mut self, config: &Config, row: &Row) -> bool {
        let eta = learning_rate(config, row.iteration.unsigned_abs());
        let is_sgd = config.optimizer.kind == OptimizerKind::Sgd;
        let above = is_sgd && row.value * eta > 2.0 * (1.0 + config.optimizer.momentum);
        self.above_line.replace(above) == Some(false) && above
    }
}

/// Whether this is a slice of which nothing more will come.
fn is_whole_slice(detail: &Detail) -> bool {
    match detail {
        Detail::Landscape(Ok(slice)) => slice.progress.is_complete(),
        Detail::Landscape(Err(_)) => true,
        _ => false,
    }
}

/// Whether a request may be replaced.
enum Firm {
    Yes { at_an_end: bool },
    No,
}

fn cadence(measure: Measure, config: &MeasureConfig) -> Cadence {
    match measure {
        Measure::Test => config.test,
        Measure::Curvature => config.curvature,
        Measure::Alignment => config.alignment,
        Measure::Lyapunov => config.lyapunov,
        Measure::Landscape => config.landscape,
        Measure::Density => Cadence::Never,
    }
}

/// Whether two settings give a measure the same values.
fn same_settings(measure: Measure, a: &MeasureConfig, b: &MeasureConfig) -> bool {
    let lyapunov = |c: &MeasureConfig| (c.lyapunov_exponents, c.lyapunov_skip, c.lyapunov_drive);
    match measure {
        Measure::Test => true,
        Measure::Curvature | Measure::Alignment | Measure::Density => {
            (a.block, a.top_k) == (b.block, b.top_k)
        }
        Measure::Lyapunov => lyapunov(a) == lyapunov(b),
        Measure::Landscape => (a.block, a.slice) == (b.block, b.slice),
    }
}
