//! What a run worker does on a command.

use std::sync::Arc;

use super::{Make, Worker};
use crate::engine::archive::Archive;
use crate::engine::measure_worker;
use crate::engine::messages::{Collected, Command, Event, Noted, Standing, Way};
use crate::engine::trail::Trail;
use crate::engine::watch::Watch;
use crate::training::config::Config;
use crate::training::history::History;
use crate::training::measures::Measure;
use crate::training::run::{Change, StopReason};

/// Values of a way that is handed out, at most; of a longer one there are none (`[own]`, 32 MB).
const MOST_OF_A_WAY: u64 = 1 << 21;

impl Worker<'_> {
    pub(super) fn obey(&mut self, command: Command) {
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
            Command::Change(change) => self.change(change),
            Command::Measures(config) => {
                self.recorded.1.clear();
                self.watch.set_measures(*config, &*self.run);
            }
            Command::Measure(what) => {
                // The density is asked for by a view that is in sight, not by hand.
                if what.iter().any(|measure| *measure != Measure::Density) {
                    self.recorded.1.clear();
                }
                self.watch.ask(&*self.run, what, None);
            }
            Command::Slice(slice) => self.watch.ask(&*self.run, Vec::new(), Some(slice)),
            Command::Speed(speed) => self.speed = speed.filter(|s| *s > 0.0),
            Command::Activity(trial) => {
                self.activity = trial;
                self.show_activity();
            }
            Command::Checkpoint { ticket, with_way } => {
                let checkpoint = Arc::new(self.run.checkpoint());
                let is_short = self.archive.len() <= MOST_OF_A_WAY;
                let mut history = || if is_short { self.archive.history() } else { History::default() };
                let way = with_way.then(|| Way { history: history(), trajectory: self.watch.trajectory() });
                let way = way.map(Arc::new);
                self.outbox.push(Event::Checkpoint { ticket, checkpoint, way });
            }
            Command::State(reply) => {
                let checkpoint = Arc::new(self.run.checkpoint());
                // The path ends here, whether or not this state stays in the store.
                let mut trajectory = self.watch.trajectory();
                Arc::make_mut(&mut trajectory).record(checkpoint.iteration, &checkpoint.weights, None);
                reply.answer(Standing { checkpoint, trajectory });
            }
            Command::Collect(reply) => reply.answer(Box::new(self.collect())),
            Command::Stop => self.end(StopReason::Stopped),
            // Obeyed where its failure can end the worker.
            Command::GoBack { .. } => {}
        }
    }

    fn collect(&mut self) -> Collected {
        Collected {
            config: Config { measure: self.watch.measures(), ..self.run.config().clone() },
            checkpoint: self.run.checkpoint(),
            history: self.archive.history(),
            trajectory: self.watch.trajectory(),
            findings: self.watch.findings(),
            seconds: self.seconds,
        }
    }

    /// Becomes the run that `make` builds, which has made `iteration` updates; what this one knows up to there
    /// is its own.
    pub(super) fn go_back(
        &mut self,
        iteration: i64,
        make: Make,
        way: Option<Arc<Way>>,
    ) -> Result<(), String> {
        self.settle();
        let made = make()?;
        let (of_engine, slices) = (self.engine.measures.share(), self.slices.clone());
        let measures = made.measurer.map(|m| measure_worker::start(self.name, m, of_engine, slices));
        // The path forgets what lies after by itself when it goes on.
        let trajectory = match &way {
            Some(way) => (*way.trajectory).clone(),
            None => Arc::unwrap_or_clone(self.watch.trajectory()),
        };
        self.watch = Watch::new(measures, made.run.config().measure, trajectory);
        self.run = made.run;
        self.trail = Trail::default();
        way.into_iter().for_each(|way| self.archive = Archive::new(&way.history));
        self.archive.truncate_after(iteration);
        self.recorded.1.clear();
        self.running = false;
        self.steps_left = 0;
        self.ended = false;
        self.shown = None;
        self.initial = None;
        (self.seconds, self.updates, self.processor_before) = (0.0, 0, self.processor_time());
        self.outbox.push(Event::WentBack { iteration });
        self.watch.start(&*self.run);
        Ok(())
    }

    fn change(&mut self, change: Change) {
        let iteration = self.run.iteration();
        let old = self.run.config();
        let rate_changes = match &change {
            Change::Optimizer(new) => {
                (new.kind, new.learning_rate) != (old.optimizer.kind, old.optimizer.learning_rate)
            }
            Change::Schedule(new) => *new != old.schedule,
            Change::Rule(_) | Change::Iterations(_) | Change::Stop(_) => false,
        };
        if rate_changes && iteration > 0 {
            let checkpoint = Arc::new(self.run.checkpoint());
            self.outbox.push(Event::Noted { why: Noted::RateChange, checkpoint });
        }
        self.run.change(change.clone());
        self.watch.changed();
        self.outbox.push(Event::Changed { iteration, change });
    }
}
