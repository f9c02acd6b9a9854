//! Owns the run worker: one named thread per run, which takes [`Command`]s and gives [`Event`]s.
//!
//! Both channels are bounded. The worker never waits for the screen: what the screen has no room for stays
//! with the worker, rows of history in one growing batch, and goes out when there is room. Paused, ended or
//! waiting for its speed limit, the worker blocks. When the other end is dropped, the thread ends.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, TryRecvError, bounded};

use super::archive::Archive;
use super::clock::ThreadClock;
use super::handle::{RunHandle, SliceWish, SliceWished};
use super::messages::{Command, Event, Progress, Ready};
use super::outbox::Outbox;
use super::panic_message;
use super::pool::Processors;
use super::repaint::FRAME;
use super::trail::Trail;
use super::watch::Watch;
use super::{Engine, measure_worker};
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::weights::Weights;
use crate::training::history::{History, Series};
use crate::training::measures::Measurer;
use crate::training::run::{Run, StopReason};

mod commands;

/// A run as it is built.
pub struct Made {
    /// The run.
    pub run: Box<dyn Run>,
    /// What measures it; a run without is not measured.
    pub measurer: Option<Box<dyn Measurer>>,
    /// Its path so far.
    pub trajectory: Trajectory,
    /// Every value so far.
    pub history: History,
    /// What is to be said of its trials, a sentence each.
    pub warnings: Vec<String>,
}

impl Made {
    /// A run that begins here.
    pub fn fresh(run: Box<dyn Run>, measurer: Option<Box<dyn Measurer>>) -> Self {
        let (trajectory, history) = (Trajectory::default(), History::default());
        Self { run, measurer, trajectory, history, warnings: Vec::new() }
    }
}

/// Builds a run, on the worker's thread: drawing test trials or reading digits may take a while.
pub type Make = Box<dyn FnOnce() -> Result<Made, String> + Send>;

/// Room for commands. The worker looks at every update, so this is what a hand can do in one.
const COMMANDS: usize = 64;
/// Room for events: a second of progress.
const EVENTS: usize = 64;
/// Time between two pictures of activity.
const ACTIVITY: Duration = Duration::from_millis(100);

/// Starts a worker.
pub(super) fn start(engine: &Engine, name: &str, make: Make) -> RunHandle {
    let (command_sender, command_receiver) = bounded(COMMANDS);
    let (event_sender, event_receiver) = bounded(EVENTS);
    let mut outbox = Outbox::new(event_sender, engine.repaint.clone());
    let (engine, own_name) = (engine.clone(), name.to_owned());
    let slices = SliceWish::default();
    let wished = slices.other_end();
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let made = make()?;
            Worker::new(made, &own_name, &engine, (command_receiver, wished), &mut outbox).work()
        }));
        let failure = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(text)) => text,
            Err(payload) => panic_message(payload.as_ref()),
        };
        outbox.finish(Event::Failed(failure));
    };
    // Where the system refuses a thread, the closed channels say that the worker is gone.
    let thread = std::thread::Builder::new().name(format!("run {name}")).spawn(body).ok();
    RunHandle { commands: command_sender, unsent: VecDeque::new(), events: event_receiver, thread, slices }
}

/// The series that have a value at an iteration.
fn recorded(iteration: i64, history: &History) -> (i64, BTreeSet<Series>) {
    let is_there =
        |(_, values): &(Series, &[(i64, f64)])| values.last().is_some_and(|(i, _)| *i == iteration);
    (iteration, history.all().filter(is_there).map(|(series, _)| series).collect())
}

/// The other end is gone.
struct Closed;

struct Worker<'a> {
    name: &'a str,
    engine: &'a Engine,
    run: Box<dyn Run>,
    watch: Watch,
    trail: Trail,
    archive: Archive,
    workers: Processors,
    commands: Receiver<Command>,
    slices: SliceWished,
    outbox: &'a mut Outbox,
    clock: ThreadClock,
    running: bool,
    steps_left: u64,
    ended: bool,
    speed: Option<f64>,
    next_update: Instant,
    next_progress: Instant,
    activity: Option<usize>,
    next_activity: Instant,
    shown: Option<(usize, i64)>,
    /// The run's initial weights, once they were shown.
    initial: Option<Arc<Weights<f64>>>,
    /// Said once, when it is ready.
    warnings: Vec<String>,
    /// The iteration that it was opened at, and the series that were recorded there: they stay as they are until they
    /// are asked for anew.
    recorded: (i64, BTreeSet<Series>),
    seconds: f64,
    processor_before: Duration,
    /// Time spent waiting for the speed limit.
    unused: Duration,
    updates: u64,
}

impl<'a> Worker<'a> {
    fn new(
        made: Made,
        name: &'a str,
        engine: &'a Engine,
        (commands, slices): (Receiver<Command>, SliceWished),
        outbox: &'a mut Outbox,
    ) -> Self {
        let now = Instant::now();
        let of_engine = || engine.measures.share();
        let measures = made.measurer.map(|m| measure_worker::start(name, m, of_engine(), slices.clone()));
        let clock = ThreadClock::default();
        Self {
            name,
            engine,
            watch: Watch::new(measures, made.run.config().measure, made.trajectory),
            archive: Archive::new(&made.history),
            recorded: recorded(made.run.iteration(), &made.history),
            run: made.run,
            trail: Trail::default(),
            workers: engine.training.share(),
            commands,
            slices,
            outbox,
            // Building the run is no update.
            processor_before: clock.exact(),
            clock,
            running: false,
            steps_left: 0,
            ended: false,
            speed: None,
            next_update: now,
            next_progress: now,
            activity: None,
            next_activity: now,
            shown: None,
            initial: None,
            warnings: made.warnings,
            seconds: 0.0,
            unused: Duration::ZERO,
            updates: 0,
        }
    }

    /// Works until the other end is closed. An error is the end of the run, in words.
    fn work(mut self) -> Result<(), String> {
        let (config, task) = (self.run.config().clone(), self.run.task());
        let warnings = std::mem::take(&mut self.warnings);
        let ready = Ready { config, task, iteration: self.run.iteration(), warnings };
        self.outbox.push(Event::Ready(Box::new(ready)));
        self.watch.start(&*self.run);
        loop {
            match self.next_command() {
                Ok(Some(Command::GoBack { iteration, make, way })) => self.go_back(iteration, make.0, way)?,
                Ok(Some(command)) => self.obey(command),
                Ok(None) => self.update(),
                Err(Closed) => return Ok(()),
            }
        }
    }

    /// A command to obey, or none where it is time for an update.
    fn next_command(&mut self) -> Result<Option<Command>, Closed> {
        loop {
            self.take_reports();
            match self.commands.try_recv() {
                Ok(command) => return Ok(Some(command)),
                Err(TryRecvError::Disconnected) => return Err(Closed),
                Err(TryRecvError::Empty) => {}
            }
            let due = self.advancing().then_some(self.next_update);
            if due.is_some_and(|due| self.speed.is_none() || due <= Instant::now()) {
                return Ok(None);
            }
            if due.is_none() {
                self.settle();
            }
            self.wait(due);
        }
    }

    fn advancing(&self) -> bool {
        !self.ended && (self.running || self.steps_left > 0)
    }

    /// Blocks until a command or a report comes, the time is up, or there is room for an event that had none.
    fn wait(&mut self, until: Option<Instant>) {
        self.outbox.flush();
        if until.is_none_or(|until| until > Instant::now() + FRAME) {
            self.outbox.make_heard();
        }
        let mut select = Select::new();
        select.recv(&self.commands);
        if let Some(reports) = self.watch.reports() {
            select.recv(reports);
        }
        if self.outbox.has_waiting() {
            select.send(self.outbox.sender());
        }
        match until {
            None => _ = select.ready(),
            Some(until) => {
                let start = Instant::now();
                _ = select.ready_deadline(until);
                self.unused += start.elapsed();
            }
        }
    }

    /// Takes in what the measures have found.
    fn take_reports(&mut self) {
        while let Some(mut news) = self.watch.next_report(&*self.run) {
            let (at, series) = &self.recorded;
            news.rows.retain(|row| row.iteration != *at || !series.contains(&row.series));
            self.archive.add(&news.rows);
            self.outbox.add_rows(&news.rows);
            news.events.into_iter().for_each(|event| self.outbox.push_later(event));
            if let Some(reason) = news.stop.filter(|_| !self.ended && self.running) {
                self.end(reason);
            }
        }
    }

    /// Says all there is to say before falling silent.
    fn settle(&mut self) {
        if self.outbox.has_rows() || self.outbox.said_running() {
            let progress = self.progress();
            self.outbox.push_progress(progress);
        }
        self.show_activity();
    }

    fn progress(&self) -> Progress {
        let processor = self.processor_time() - self.processor_before;
        Progress {
            iteration: self.run.iteration(),
            rows: Vec::new(),
            running: self.advancing(),
            updates: self.updates,
            seconds: self.seconds,
            processor_seconds: processor.as_secs_f64(),
        }
    }

    fn processor_time(&self) -> Duration {
        self.clock.now() + self.workers.helped()
    }

    /// Goes on; a run that has ended is asked again, since a change may have given it more to do.
    fn restart(&mut self) {
        self.ended = false;
        self.next_update = Instant::now();
    }

    fn update(&mut self) {
        let start = Instant::now();
        let before = self.run.iteration();
        if self.trail.wants(before) {
            self.trail.keep(Arc::new(self.run.checkpoint()));
        }
        self.watch.record_path(&*self.run);
        let step = self.run.step(&self.workers);
        let now = Instant::now();
        self.seconds += (now - start).as_secs_f64();
        self.updates += 1;
        self.steps_left = self.steps_left.saturating_sub(1);
        self.archive.add(&step.rows);
        self.outbox.add_rows(&step.rows);
        for row in step.rows.iter().filter(|r| r.series == Series::TrainLoss) {
            self.trail.note(row.iteration, row.value);
            self.watch.note(*row, &self.run.config().stop);
        }
        if let Some(reason) = step.stop {
            self.end(reason);
        } else {
            let earned = || self.clock.now() + self.workers.helped() + self.unused;
            self.watch.updated(&*self.run, earned);
            if now >= self.next_progress {
                self.next_progress = now + FRAME;
                let progress = self.progress();
                self.outbox.offer_progress(progress);
            }
        }
        if now >= self.next_activity && self.outbox.is_idle() {
            self.next_activity = now + ACTIVITY;
            self.show_activity();
        }
        if let Some(speed) = self.speed {
            // Not faster than asked, and no hurry to catch up after a slow update.
            self.next_update = (self.next_update + Duration::from_secs_f64(1.0 / speed)).max(start);
        }
    }

    fn end(&mut self, reason: StopReason) {
        self.running = false;
        self.ended = true;
        self.steps_left = 0;
        let diverged = matches!(reason, StopReason::Diverged { .. });
        if !diverged {
            self.watch.ended(&*self.run);
        }
        // The last word on it is exact.
        self.clock.exact();
        let progress = self.progress();
        self.outbox.push_progress(progress);
        let rewind = diverged.then(|| self.trail.rewind()).flatten();
        self.outbox.push(Event::Ended { reason, rewind });
    }

    /// Shows the chosen trial, unless it was shown under these weights.
    fn show_activity(&mut self) {
        let iteration = self.run.iteration();
        let Some(trial) = self.activity.filter(|trial| self.shown != Some((*trial, iteration))) else {
            return;
        };
        self.shown = Some((trial, iteration));
        let activity = Box::new(self.run.activity(trial));
        let weights = Arc::new(self.run.weights());
        if iteration <= 0 {
            self.initial = None;
        }
        let initial = Arc::clone(self.initial.get_or_insert_with(|| Arc::new(self.run.initial())));
        self.outbox.push_later(Event::Activity { iteration, trial, activity, weights, initial });
    }
}
