//! Owns the run worker: one named thread per run, which takes [`Command`]s and gives [`Event`]s.
//!
//! Both channels are bounded. The worker never waits for the screen: what the screen has no room for stays
//! with the worker, rows of history in one growing batch, and goes out when there is room. Paused, ended or
//! waiting for its speed limit, the worker blocks. When the other end is dropped, the thread ends.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, at, bounded, never, select};

use super::clock::ThreadClock;
use super::outbox::Outbox;
use super::pool::Processors;
use super::repaint::{FRAME, Repaint};
use crate::training::config::Config;
use crate::training::history::Row;
use crate::training::run::{Change, Checkpoint, Run, StopReason, TrialActivity};

/// Builds a run, on the worker's thread: drawing test trials or reading digits may take a while.
pub type Make = Box<dyn FnOnce() -> Result<Box<dyn Run>, String> + Send>;

/// What a run worker is told.
#[derive(Clone, Debug)]
pub enum Command {
    /// Go on until told otherwise.
    Run,
    /// Stop after the update that is being made.
    Pause,
    /// Make so many updates, then pause.
    Step(u64),
    /// Change a setting from the next update on.
    Change(Change),
    /// Make at most so many updates a second; `None`: as many as go.
    Speed(Option<f64>),
    /// Show this probe trial, about ten times a second while running; `None`: show none.
    Activity(Option<usize>),
    /// Give a checkpoint, under this ticket.
    Checkpoint(u64),
    /// End the run as stopped by the user.
    Stop,
}

/// What a run worker says.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run is built, and paused.
    Ready(Box<Ready>),
    /// How far it is; at most 60 times a second.
    Progress(Progress),
    /// A change acts from this iteration on.
    Changed {
        /// Updates made before it.
        iteration: i64,
        /// The change.
        change: Change,
    },
    /// One probe trial under the weights after `iteration` updates.
    Activity {
        /// Updates made.
        iteration: i64,
        /// Which probe trial.
        trial: usize,
        /// Its activity.
        activity: Box<TrialActivity>,
    },
    /// A checkpoint that was asked for.
    Checkpoint {
        /// The ticket it was asked under.
        ticket: u64,
        /// The state.
        checkpoint: Box<Checkpoint>,
    },
    /// The run has ended, for this reason. The worker still answers.
    Ended(StopReason),
    /// The run could not be built, or panicked: nothing more will come.
    Failed(String),
}

/// A run as it was built.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Its settings.
    pub config: Config,
    /// Updates made.
    pub iteration: i64,
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Updates made.
    pub iteration: i64,
    /// All rows since the last progress, in the order they came.
    pub rows: Vec<Row>,
    /// Whether it goes on by itself.
    pub running: bool,
    /// Seconds spent in updates so far, pauses left out.
    pub seconds: f64,
    /// Processor seconds of all threads spent in updates so far.
    pub processor_seconds: f64,
}

/// Room for commands. The worker looks at every update, so this is what a hand can do in one.
const COMMANDS: usize = 64;
/// Room for events: a second of progress.
const EVENTS: usize = 64;
/// Time between two pictures of activity.
const ACTIVITY: Duration = Duration::from_millis(100);

/// Why there is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing new.
    Nothing,
    /// The worker has ended.
    Gone,
}

/// The screen's end of a run worker. Dropping it ends the worker.
#[derive(Debug)]
pub struct RunHandle {
    commands: Sender<Command>,
    unsent: VecDeque<Command>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl RunHandle {
    /// Sends a command, never waiting: what does not fit is kept and sent by the next call. A change or a
    /// speed replaces one of its kind that has not been sent.
    pub fn send(&mut self, command: Command) {
        self.unsent.retain(|old| match (old, &command) {
            (Command::Change(a), Command::Change(b)) => {
                std::mem::discriminant(a) != std::mem::discriminant(b)
            }
            (Command::Speed(_), Command::Speed(_)) | (Command::Activity(_), Command::Activity(_)) => false,
            _ => true,
        });
        self.unsent.push_back(command);
        self.flush();
    }

    /// Sends what had no room.
    pub fn flush(&mut self) {
        while let Some(command) = self.unsent.pop_front() {
            if let Err(e) = self.commands.try_send(command) {
                if let crossbeam_channel::TrySendError::Full(command) = e {
                    self.unsent.push_front(command);
                }
                return;
            }
        }
    }

    /// The next event, if one has arrived. Every event that was sent comes before `Gone`.
    pub fn try_event(&self) -> Result<Event, Silence> {
        self.events.try_recv().map_err(|e| match e {
            TryRecvError::Empty => Silence::Nothing,
            TryRecvError::Disconnected => Silence::Gone,
        })
    }

    /// Waits for the next event; `None` after `timeout`, or when the worker is gone.
    pub fn wait_event(&self, timeout: Duration) -> Option<Event> {
        self.events.recv_timeout(timeout).ok()
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Closes the channels and waits for the thread to end.
    pub fn close(self) {
        let Self { commands, events, thread, .. } = self;
        drop((commands, events));
        // Panics are caught inside and reported as events.
        let _ = thread.map(JoinHandle::join);
    }
}

/// Starts a worker.
pub(super) fn start(name: &str, make: Make, workers: Processors, repaint: Repaint) -> RunHandle {
    let (command_sender, command_receiver) = bounded(COMMANDS);
    let (event_sender, event_receiver) = bounded(EVENTS);
    let body = move || {
        let mut outbox = Outbox::new(event_sender, repaint.clone());
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let run = make()?;
            Worker::new(run, workers, command_receiver, &mut outbox, repaint).work();
            Ok(())
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
    RunHandle { commands: command_sender, unsent: VecDeque::new(), events: event_receiver, thread }
}

/// What a panic says.
pub(super) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text =
        payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
    format!("the worker panicked: {}", text.unwrap_or("without a message"))
}

/// Why a worker woke up.
enum Wake {
    Command(Command),
    Closed,
    Other,
}

struct Worker<'a> {
    run: Box<dyn Run>,
    workers: Processors,
    commands: Receiver<Command>,
    outbox: &'a mut Outbox,
    repaint: Repaint,
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
    seconds: f64,
}

impl<'a> Worker<'a> {
    fn new(
        run: Box<dyn Run>,
        workers: Processors,
        commands: Receiver<Command>,
        outbox: &'a mut Outbox,
        repaint: Repaint,
    ) -> Self {
        let now = Instant::now();
        Self {
            run,
            workers,
            commands,
            outbox,
            repaint,
            clock: ThreadClock::default(),
            running: false,
            steps_left: 0,
            ended: false,
            speed: None,
            next_update: now,
            next_progress: now,
            activity: None,
            next_activity: now,
            shown: None,
            seconds: 0.0,
        }
    }

    /// Works until the other end is closed.
    fn work(mut self) {
        let ready = Ready { config: self.run.config().clone(), iteration: self.run.iteration() };
        self.outbox.push(Event::Ready(Box::new(ready)));
        loop {
            match self.next_command() {
                Ok(Some(command)) => self.obey(command),
                Ok(None) => self.update(),
                Err(Closed) => return,
            }
        }
    }

    /// A command to obey, or none where it is time for an update.
    fn next_command(&mut self) -> Result<Option<Command>, Closed> {
        loop {
            let due = self.advancing().then_some(self.next_update);
            if due.is_some_and(|due| self.speed.is_none() || due <= Instant::now()) {
                return match self.commands.try_recv() {
                    Ok(command) => Ok(Some(command)),
                    Err(TryRecvError::Empty) => Ok(None),
                    Err(TryRecvError::Disconnected) => Err(Closed),
                };
            }
            if due.is_none() {
                self.settle();
            }
            match self.wait(due) {
                Wake::Command(command) => return Ok(Some(command)),
                Wake::Closed => return Err(Closed),
                Wake::Other => {}
            }
        }
    }

    fn advancing(&self) -> bool {
        !self.ended && (self.running || self.steps_left > 0)
    }

    /// Blocks until a command comes, the time is up or an event that had no room has been sent.
    fn wait(&mut self, until: Option<Instant>) -> Wake {
        self.outbox.flush();
        if until.is_none_or(|until| until > Instant::now() + FRAME) {
            self.outbox.make_heard();
        }
        let timer = until.map_or_else(never, at);
        let command = |received: Result<Command, _>| received.map_or(Wake::Closed, Wake::Command);
        match self.outbox.pop() {
            Some(event) => select! {
                recv(self.commands) -> received => {
                    self.outbox.put_back(event);
                    command(received)
                }
                recv(timer) -> _ => {
                    self.outbox.put_back(event);
                    Wake::Other
                }
                send(self.outbox.sender(), event) -> sent => {
                    if sent.is_ok() { self.repaint.now(); Wake::Other } else { Wake::Closed }
                }
            },
            None => select! {
                recv(self.commands) -> received => command(received),
                recv(timer) -> _ => Wake::Other,
            },
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
        let processor = self.clock.now() + self.workers.helped();
        Progress {
            iteration: self.run.iteration(),
            rows: Vec::new(),
            running: self.advancing(),
            seconds: self.seconds,
            processor_seconds: processor.as_secs_f64(),
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Run => {
                self.running = true;
                self.restart();
            }
            Command::Pause => {
                self.running = false;
                self.steps_left = 0;
                self.settle();
            }
            Command::Step(n) => {
                self.running = false;
                self.steps_left += n;
                self.restart();
            }
            Command::Change(change) => {
                self.run.change(change.clone());
                self.outbox.push(Event::Changed { iteration: self.run.iteration(), change });
            }
            Command::Speed(speed) => self.speed = speed.filter(|s| *s > 0.0),
            Command::Activity(trial) => {
                self.activity = trial;
                self.show_activity();
            }
            Command::Checkpoint(ticket) => {
                let checkpoint = Box::new(self.run.checkpoint());
                self.outbox.push(Event::Checkpoint { ticket, checkpoint });
            }
            Command::Stop => {
                self.running = false;
                self.steps_left = 0;
                self.end(StopReason::Stopped);
            }
        }
    }

    /// Goes on; a run that has ended is asked again, since a change may have given it more to do.
    fn restart(&mut self) {
        self.ended = false;
        self.next_update = Instant::now();
    }

    fn update(&mut self) {
        let start = Instant::now();
        let step = self.run.step(&self.workers);
        let now = Instant::now();
        self.seconds += (now - start).as_secs_f64();
        self.steps_left = self.steps_left.saturating_sub(1);
        self.outbox.add_rows(&step.rows);
        if let Some(reason) = step.stop {
            self.end(reason);
        } else if now >= self.next_progress {
            self.next_progress = now + FRAME;
            let progress = self.progress();
            self.outbox.offer_progress(progress);
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
        self.ended = true;
        self.steps_left = 0;
        let progress = self.progress();
        self.outbox.push_progress(progress);
        self.outbox.push(Event::Ended(reason));
    }

    /// Shows the chosen trial, unless it was shown under these weights.
    fn show_activity(&mut self) {
        let iteration = self.run.iteration();
        let Some(trial) = self.activity.filter(|trial| self.shown != Some((*trial, iteration))) else {
            return;
        };
        self.shown = Some((trial, iteration));
        let activity = Box::new(self.run.activity(trial));
        self.outbox.push(Event::Activity { iteration, trial, activity });
    }
}

/// The other end is gone.
struct Closed;
