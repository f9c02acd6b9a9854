//! How a session takes in what its workers say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::runs::{
    Bookmark, BookmarkReason, GoingBack, Mark, MarkKind, RunEntry, RunId, RunState, ShownWeights, Ticket,
};
use super::{Session, setting_words, words};
use crate::engine::handle::{RunHandle, Silence};
use crate::engine::messages::{Event, Noted};
use crate::training::config::{Config, ScheduleKind};
use crate::training::measures::Detail;
use crate::training::run::{Change, Checkpoint, StopReason};

/// Bookmarks before jumps kept of a run (`[own]`).
const MOST_JUMPS: usize = 5;

/// Rows read at a time: well under a millisecond.
const ROWS: usize = 2048;

impl Session {
    /// Drains what has arrived from all workers for at most about `budget`; what is left waits for the next
    /// call, which begins with another run. Whether anything arrived.
    pub fn logic(&mut self, budget: Duration) -> bool {
        let start = Instant::now();
        let ids: Vec<RunId> = self.runs.iter().map(|r| r.id).collect();
        self.turn = self.turn.wrapping_add(1);
        // The last session comes back before what is opened beside it.
        let mut news = self.keep()
            | self.take_errands()
            | self.explorer.drain()
            | self.drain_bench()
            | self.drain_sweep()
            | self.weight_spectra.drain()
            | self.play();
        for i in 0..ids.len() {
            let id = ids[(self.turn + i) % ids.len()];
            while start.elapsed() < budget && self.take_some(id) {
                news = true;
            }
        }
        news
    }

    /// Takes one event or some rows of a run; whether there was anything to take.
    fn take_some(&mut self, id: RunId) -> bool {
        let Some(run) = self.runs.iter_mut().find(|r| r.id == id) else { return false };
        if run.read(ROWS) {
            return true;
        }
        let Some(handle) = &mut run.handle else { return false };
        handle.flush();
        match handle.try_event() {
            Ok(event) => self.take_event(id, event),
            Err(Silence::Nothing) => return false,
            Err(Silence::Gone) => {
                run.handle = None;
                if run.is_alive() {
                    let text = "the system refused a thread for this run".to_owned();
                    self.take_event(id, Event::Failed(text));
                }
            }
        }
        true
    }

    fn take_event(&mut self, id: RunId, event: Event) {
        let Some(at) = self.runs.iter().position(|r| r.id == id) else { return };
        if self.runs[at].state == RunState::Ghost && matches!(event, Event::Ended { .. } | Event::Failed(_)) {
            // What was on its way when it became a ghost.
            return;
        }
        match event {
            Event::Ready(ready) => {
                let run = &mut self.runs[at];
                run.iteration = ready.iteration;
                run.task = Some(ready.task);
                if run.state == RunState::Starting {
                    run.state = RunState::Paused;
                }
                let (id, name) = (run.id, run.name.clone());
                for text in ready.warnings {
                    self.notice(format!("{name}: {text}"), false, Some(id));
                }
            }
            Event::Progress(progress) => {
                let run = &mut self.runs[at];
                // The last measures of a run that has ended come after its end.
                let ended = matches!(run.state, RunState::Ended(_)) && run.iteration == progress.iteration;
                run.iteration = progress.iteration;
                run.unread.push_back(progress.rows);
                run.update_cost = progress.processor_seconds / progress.updates.max(1) as f64;
                run.seconds.push(progress.iteration, progress.seconds, progress.processor_seconds);
                if run.is_alive() && (progress.running || !ended) {
                    run.state = if progress.running { RunState::Running } else { RunState::Paused };
                }
            }
            Event::Changed { iteration, change } => self.runs[at].changed(iteration, change),
            Event::Activity { iteration, trial, activity, weights, initial } => {
                self.runs[at].activity = Some((trial, iteration, activity));
                self.runs[at].weights = Some(ShownWeights { iteration, now: weights, initial });
            }
            Event::Checkpoint { ticket, checkpoint, way } => {
                let (number, iteration) = (self.number(), checkpoint.iteration);
                let run = &mut self.runs[at];
                let Some(i) = run.tickets.iter().position(|(t, _)| *t == ticket) else { return };
                if let (_, Ticket::Bookmark { label, reason }) = run.tickets.swap_remove(i) {
                    let label = if label.is_empty() { default_label(reason, iteration) } else { label };
                    let config = run.acting.clone();
                    if reason == BookmarkReason::Jump {
                        run.make_room(reason, MOST_JUMPS);
                    }
                    let (marks, past) = (run.marks_until(iteration), None);
                    run.bookmarks.push(Bookmark {
                        id: number,
                        label,
                        reason,
                        config,
                        marks,
                        checkpoint,
                        past,
                    });
                }
                run.leaving = way;
            }
            Event::WentBack { iteration } => {
                self.runs[at].went_back(iteration);
                if let Some(bookmark) = self.runs[at].then_jump.take() {
                    self.jump(id, bookmark);
                }
            }
            Event::Found(found) => {
                self.bench.follow(id, &found.finding.detail);
                let run = &mut self.runs[at];
                if let Detail::Curvature(Some(detail)) = &found.finding.detail {
                    run.spectra.push(found.finding.iteration, detail);
                }
                run.note_cost(&found);
                run.found.insert(found.finding.measure, *found);
            }
            Event::MeasuresFailed(text) => {
                let run = &mut self.runs[at];
                run.unmeasured = Some(text.clone());
                let text = format!("{}: the measures stopped, training goes on. {text}", run.name);
                self.notice(text, true, Some(id));
            }
            Event::Noted { why, checkpoint } => {
                let number = self.number();
                self.runs[at].bookmark_by_itself(number, why, checkpoint);
            }
            Event::Ended { reason, rewind } => {
                let run = &mut self.runs[at];
                run.rewind = rewind;
                if run.marks.last().is_some_and(|m| m.kind == MarkKind::Ended && m.iteration == run.iteration)
                {
                    // It was asked to go on and has nothing to do.
                    run.state = RunState::Ended(reason);
                    return;
                }
                let text = words::end(&reason, run.iteration);
                let bad = matches!(reason, StopReason::Diverged { .. });
                // Why it diverged is in the last rows.
                while bad && run.read(ROWS) {}
                let mark = Mark {
                    iteration: run.iteration,
                    text: text.clone(),
                    kind: MarkKind::Ended,
                    alters: false,
                };
                run.marks.push(mark);
                run.state = RunState::Ended(reason);
                let text = format!("{}: {}", run.name, words::end_of(run).unwrap_or(text));
                if bad {
                    self.notice_divergence(text, id);
                }
            }
            Event::Failed(text) => {
                let run = &mut self.runs[at];
                run.state = RunState::Failed(text.clone());
                let name = run.name.clone();
                self.notice(format!("{name}: {text}"), true, Some(id));
            }
        }
    }
}

fn default_label(reason: BookmarkReason, iteration: i64) -> String {
    match reason {
        BookmarkReason::User => format!("iteration {iteration}"),
        BookmarkReason::RateChange => format!("learning rate changed at {iteration}"),
        BookmarkReason::BoundCrossed => format!("stability line crossed at {iteration}"),
        BookmarkReason::BestTest => format!("best test loss, at {iteration}"),
        BookmarkReason::Jump => format!("before a jump, at {iteration}"),
    }
}

impl RunEntry {
    pub(super) fn new(
        id: RunId,
        given: toml::Table,
        config: Config,
        iteration: i64,
        handle: RunHandle,
    ) -> Self {
        Self {
            id,
            name: words::rule(config.rule.kind).into(),
            colour: 0,
            state: RunState::Starting,
            iteration,
            given,
            acting: config.clone(),
            config,
            task: None,
            differs: Vec::new(),
            curves: Default::default(),
            spectra: Default::default(),
            seconds: Default::default(),
            marks: Vec::new(),
            bookmarks: Vec::new(),
            pinned: false,
            hidden: false,
            parent: None,
            file: None,
            activity: None,
            weights: None,
            found: Default::default(),
            unmeasured: None,
            rewind: None,
            speed: None,
            shown_trial: None,
            names_itself: false,
            steps: Default::default(),
            to_run: false,
            update_cost: 0.0,
            costs: Default::default(),
            unread: Default::default(),
            read_of_first: 0,
            handle: Some(handle),
            tickets: Vec::new(),
            going_back: None,
            then_jump: None,
            leaving: None,
        }
    }

    /// Keeps a state that the worker thought worth keeping.
    fn bookmark_by_itself(&mut self, id: u64, why: Noted, checkpoint: Arc<Checkpoint>) {
        let (reason, most) = match why {
            Noted::RateChange => (BookmarkReason::RateChange, 20),
            Noted::BoundCrossed => (BookmarkReason::BoundCrossed, 10),
            Noted::BestTest => (BookmarkReason::BestTest, 1),
        };
        self.make_room(reason, most);
        let (label, config) = (default_label(reason, checkpoint.iteration), self.acting.clone());
        let marks = self.marks_until(checkpoint.iteration);
        self.bookmarks.push(Bookmark { id, label, reason, config, marks, checkpoint, past: None });
    }

    /// What happened to it up to an iteration.
    fn marks_until(&self, iteration: i64) -> Vec<Mark> {
        let before = |m: &&Mark| m.iteration <= iteration && m.kind != MarkKind::Ended;
        self.marks.iter().filter(before).cloned().collect()
    }

    /// Drops the oldest bookmark of a kind where there are as many as may be.
    fn make_room(&mut self, reason: BookmarkReason, most: usize) {
        let same = |b: &&Bookmark| b.reason == reason;
        if self.bookmarks.iter().filter(same).count() >= most
            && let Some(oldest) = self.bookmarks.iter().find(same).map(|b| b.id)
        {
            self.bookmarks.retain(|b| b.id != oldest);
        }
    }

    /// Puts up to `most` rows that have arrived into the curves; whether there were any.
    pub(super) fn read(&mut self, most: usize) -> bool {
        let Some(rows) = self.unread.front_mut() else { return false };
        let n = rows.len().saturating_sub(self.read_of_first).min(most);
        let from = self.read_of_first;
        rows[from..from + n].iter().for_each(|row| self.curves.push(*row));
        self.read_of_first += n;
        if self.read_of_first == rows.len() {
            self.unread.pop_front();
            self.read_of_first = 0;
        }
        true
    }

    /// Notes that a change acts, in one mark per iteration.
    fn changed(&mut self, iteration: i64, change: Change) {
        let mut acting = self.acting.clone();
        match change {
            Change::Rule(rule) => acting.rule = rule,
            Change::Optimizer(optimizer) => acting.optimizer = optimizer,
            Change::Schedule(schedule) => acting.schedule = schedule,
            Change::Iterations(n) => acting.iterations = n,
            Change::Stop(stop) => acting.stop = stop,
        }
        let differences = super::settings::differences(&self.acting, &acting);
        let alters = iteration > 0 && alters(&self.acting, &acting);
        self.acting = acting;
        let text = differences.iter().map(setting_words::change).collect::<Vec<_>>().join(", ");
        if text.is_empty() {
            return;
        }
        match self.marks.last_mut().filter(|m| m.iteration == iteration && m.kind == MarkKind::Changed) {
            Some(mark) => {
                mark.text = format!("{}, {text}", mark.text);
                mark.alters |= alters;
            }
            None => self.marks.push(Mark { iteration, text, kind: MarkKind::Changed, alters }),
        }
    }

    /// Goes on with another's worker and settings; from a bookmark with what had happened up to it.
    pub(super) fn take_over(&mut self, other: RunEntry, to: GoingBack) {
        self.given = other.given;
        self.config = other.config;
        self.handle = other.handle;
        self.going_back = Some(GoingBack { config: other.acting, ..to });
        self.tickets.clear();
    }

    /// The worker has gone back to `iteration`: the curves end there, and go on from there.
    pub(super) fn went_back(&mut self, iteration: i64) {
        while self.read(usize::MAX) {}
        let back = self.going_back.take();
        let taken = back.as_ref().and_then(|back| back.past.as_ref());
        self.changes_way(iteration, taken);
        if taken.is_some() {
            // What was measured was measured of other weights.
            self.found.clear();
        }
        self.marks = self.marks_until(iteration);
        let way = if iteration > self.iteration { "taken up at" } else { "set back to" };
        let mut text = format!("{way} iteration {iteration}");
        let mut is_altered = false;
        if let Some(GoingBack { config, marks, .. }) = back {
            for difference in super::settings::differences(&self.acting, &config) {
                text = format!("{text}, {}", setting_words::change(&difference));
            }
            // A bookmark goes on with the settings that led to it.
            is_altered = iteration > 0 && marks.is_none() && alters(&self.acting, &config);
            self.marks = marks.unwrap_or_else(|| std::mem::take(&mut self.marks));
            self.acting = config;
        }
        self.marks.push(Mark { iteration, text, kind: MarkKind::Rewound, alters: is_altered });
        self.iteration = iteration;
        self.state = RunState::Paused;
        self.activity = None;
        self.weights = None;
        self.rewind = None;
        self.unmeasured = None;
        self.found.retain(|_, f| f.finding.iteration <= iteration);
    }
}

/// Whether a change between two updates gives another run than the new settings give from the start.
pub(super) fn alters(from: &Config, to: &Config) -> bool {
    let acts = |c: &Config| (c.rule, c.optimizer, c.schedule);
    // A schedule may be stretched over all iterations.
    let is_constant = to.schedule.kind == ScheduleKind::Constant;
    acts(from) != acts(to) || (from.iterations != to.iterations && !is_constant)
}
