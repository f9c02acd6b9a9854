//! Owns the measure worker: one thread per run that measures beside the training.
//!
//! The training never waits for it. While it is busy, the newest request takes the place of the one that waits,
//! and takes its measures along, so that a measure that is slower than its cadence is thinned and none is
//! forgotten. Only the measures of a start and of an end always stay. Requests are answered in the order of
//! their iterations.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select};

use super::background::{Background, KeepOn};
use super::clock::ThreadClock;
use super::handle::SliceWished;
use super::latest::{Slot, slot};
use super::messages::Found;
use super::panic_message;
use super::pool::Processors;
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::training::config::Config;
use crate::training::measures::{
    Detail, Finding, Measure, Measurer, SliceDetail, SliceRequest, SliceWork, Subject,
};
use crate::training::run::Checkpoint;

/// A state to be measured.
pub(super) struct Request {
    /// What, slices left out.
    pub what: BTreeSet<Measure>,
    /// The state.
    pub state: Arc<Checkpoint>,
    /// The learning rate of its next update.
    pub learning_rate: f64,
    /// The first or the last of a run.
    pub at_an_end: bool,
    /// Settings that act from here on.
    pub config: Option<Box<Config>>,
    /// A slice that was asked for or is due.
    pub slice: Option<Box<SliceRequest>>,
    /// The path up to here, for the slice.
    pub trajectory: Option<Arc<Trajectory>>,
    /// The wish for slices when this was asked.
    pub wish: u64,
}

impl Request {
    /// What stands for a request that waited and a newer one.
    fn merge(old: Request, mut new: Request) -> Request {
        new.what.extend(old.what);
        new.config = new.config.or(old.config);
        new.slice = new.slice.or(old.slice);
        new.trajectory = new.trajectory.or(old.trajectory);
        new
    }
}

/// What a measure worker says.
pub(super) enum Report {
    /// A measure, and the state it belongs to.
    Found { found: Box<Found>, state: Arc<Checkpoint> },
    /// It panicked: nothing more will come.
    Failed(String),
}

/// Room for requests that must stay.
const FIRM: usize = 4;
/// Room for reports; the measure worker waits for more.
const REPORTS: usize = 16;

/// The run worker's end of a measure worker. Dropping it ends the worker after the measure it is taking.
pub(super) struct MeasureHandle {
    requests: Slot<Request>,
    firm: Sender<Request>,
    reports: Receiver<Report>,
    wished: SliceWished,
}

impl MeasureHandle {
    /// The wish for slices: a new one, which ends the slice that is being computed whatever is being measured, or
    /// that of now.
    pub fn wish(&self, is_new: bool) -> u64 {
        if is_new { self.wished.change() } else { self.wished.number() }
    }

    /// Asks for measures, never waiting.
    pub fn ask(&self, request: Request) {
        self.requests.put(request, Request::merge);
    }

    /// Asks for measures that no later request may replace.
    pub fn ask_firmly(&self, request: Request) {
        // What waits is older, and is taken along: iterations never go down.
        let request = match self.requests.take_back() {
            Some(old) => Request::merge(old, request),
            None => request,
        };
        if let Err(TrySendError::Full(request)) = self.firm.try_send(request) {
            self.ask(request);
        }
    }

    /// What it says.
    pub fn reports(&self) -> &Receiver<Report> {
        &self.reports
    }
}

/// Starts a measure worker. A slice is computed for as long as `wished` stays as it was.
pub(super) fn start(
    name: &str,
    measurer: Box<dyn Measurer>,
    workers: Processors,
    wished: SliceWished,
) -> MeasureHandle {
    let (requests, waiting) = slot();
    let (firm, firm_waiting) = bounded(FIRM);
    let (sender, reports) = bounded(REPORTS);
    let slices = Background::start(&format!("slice {name}"));
    let own_wished = wished.clone();
    let body = move || {
        let last = sender.clone();
        let worker = Worker { measurer, workers, sender, slices, wished: own_wished };
        let outcome = catch_unwind(AssertUnwindSafe(|| worker.work(&firm_waiting, &waiting)));
        if let Err(payload) = outcome {
            let _ = last.send(Report::Failed(panic_message(payload.as_ref())));
        }
    };
    // Where the system refuses a thread, training goes on unmeasured.
    let _ = std::thread::Builder::new().name(format!("measure {name}")).spawn(body);
    MeasureHandle { requests, firm, reports, wished }
}

struct Worker {
    measurer: Box<dyn Measurer>,
    workers: Processors,
    sender: Sender<Report>,
    slices: Background,
    wished: SliceWished,
}

impl Worker {
    /// Works until the other end is gone.
    fn work(mut self, firm: &Receiver<Request>, waiting: &Receiver<Request>) {
        loop {
            let request = match firm.try_recv() {
                Ok(request) => Ok(request),
                Err(_) => select! {
                    recv(firm) -> request => request,
                    recv(waiting) -> request => request,
                },
            };
            let Ok(request) = request else { return };
            if self.answer(request).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, request: Request) -> Result<(), Gone> {
        if let Some(config) = &request.config {
            self.measurer.change(config);
        }
        let clock = ThreadClock::default();
        let none = Trajectory::default();
        let trajectory = request.trajectory.as_deref().unwrap_or(&none);
        let subject = Subject {
            iteration: request.state.iteration,
            weights: &request.state.weights,
            learning_rate: request.learning_rate,
            at_an_end: request.at_an_end,
            trajectory,
        };
        for measure in &request.what {
            let (start, helped) = (clock.now(), self.workers.helped());
            let Some(finding) = self.measurer.measure(*measure, subject, &self.workers, &|| true) else {
                continue;
            };
            let processor = clock.now() - start + self.workers.helped() - helped;
            let report = found(finding, processor, None, &request.state);
            self.sender.send(report).map_err(|_| Gone)?;
        }
        if let Some(slice) = &request.slice {
            match self.measurer.begin_slice(subject, slice) {
                Ok(work) => self.advance(work, &request.state, request.wish),
                Err(error) => {
                    let finding = of_slice(Err(error), &request.state);
                    let report = found(finding, Duration::ZERO, None, &request.state);
                    self.sender.send(report).map_err(|_| Gone)?;
                }
            }
        }
        Ok(())
    }

    /// Computes a slice on a thread of its own, so that other measures need not wait for it.
    fn advance(&self, mut work: Box<dyn SliceWork>, state: &Arc<Checkpoint>, wish: u64) {
        let (workers, sender, state) = (self.workers.share(), self.sender.clone(), Arc::clone(state));
        let (failed, wished) = (self.sender.clone(), self.wished.clone());
        let job = move |is_newest: KeepOn<'_>| {
            let keep_on = &|| is_newest() && wished.is(wish);
            let clock = ThreadClock::default();
            let start = clock.now();
            let (mut points, mut before) = (FIRST_POINTS, 0);
            while keep_on() {
                let begun = Instant::now();
                let outcome = work.advance(points, &workers, keep_on);
                let seconds = begun.elapsed().as_secs_f64();
                points = ((points as f64 * PICTURE.as_secs_f64() / seconds.max(1e-6)) as usize)
                    .clamp(1, MOST_POINTS);
                let (detail, left) = match outcome {
                    Ok(progress) => {
                        let new = progress.done.saturating_sub(before);
                        before = progress.done;
                        let left = seconds * (progress.total - progress.done) as f64 / new.max(1) as f64;
                        (work.detail().map(Ok), Some(left).filter(|_| new > 0))
                    }
                    Err(error) => (Some(Err(error)), None),
                };
                let is_over = detail.as_ref().is_some_and(|detail| match detail {
                    Ok(detail) => detail.progress.is_complete(),
                    Err(_) => true,
                });
                if let Some(detail) = detail.filter(|_| keep_on()) {
                    let processor = clock.now() - start + workers.helped();
                    let report = found(of_slice(detail, &state), processor, left, &state);
                    if sender.send(report).is_err() {
                        return;
                    }
                }
                if is_over {
                    return;
                }
            }
        };
        self.slices.ask(job, move |message| {
            let _ = failed.send(Report::Failed(message));
        });
    }
}

/// Points of a slice before it is first looked at, and the most between two pictures of it.
const FIRST_POINTS: usize = 25;
const MOST_POINTS: usize = 4096;
/// Time between two pictures of a slice.
const PICTURE: Duration = Duration::from_millis(100);

fn of_slice(slice: Result<SliceDetail, LandscapeError>, state: &Checkpoint) -> Finding {
    let (measure, iteration, rows) = (Measure::Landscape, state.iteration, Vec::new());
    Finding { measure, iteration, rows, detail: Detail::Landscape(slice) }
}

fn found(
    finding: Finding,
    processor: Duration,
    seconds_left: Option<f64>,
    state: &Arc<Checkpoint>,
) -> Report {
    Report::Found { found: Box::new(Found { finding, processor, seconds_left }), state: Arc::clone(state) }
}

/// The other end is gone.
struct Gone;
