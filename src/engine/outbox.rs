//! Owns [`Outbox`], what a run worker has said and the screen has not yet taken.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::{Sender, TrySendError};

use super::messages::{Event, Noted, Progress};
use super::repaint::Repaint;
use crate::training::history::Row;
use crate::training::measures::{Detail, Measure};

/// Rows kept for a screen that does not take them (24 MB). Above it the older half is thinned: of every 16
/// values of a series in turn only the smallest, the largest and all that are not finite stay.
const MOST_ROWS: usize = 1 << 20;
const THINNED: usize = 16;
/// Spectra, and states of one kind, that wait for such a screen (`[own]`).
const MOST_SPECTRA: usize = 256;
const MOST_STATES: usize = 20;

/// Events in order, and one batch of rows that goes with the next progress.
pub(super) struct Outbox {
    sender: Sender<Event>,
    queue: VecDeque<Event>,
    rows: Vec<Row>,
    said_running: bool,
    /// Something was sent since the last call that asked to be drawn.
    unheard: bool,
    repaint: Repaint,
}

impl Outbox {
    pub fn new(sender: Sender<Event>, repaint: Repaint) -> Self {
        Self {
            sender,
            queue: VecDeque::new(),
            rows: Vec::new(),
            said_running: false,
            unheard: false,
            repaint,
        }
    }

    pub fn sender(&self) -> &Sender<Event> {
        &self.sender
    }

    pub fn add_rows(&mut self, rows: &[Row]) {
        self.rows.extend_from_slice(rows);
        if self.rows.len() > MOST_ROWS {
            thin(&mut self.rows, MOST_ROWS / 2);
        }
    }

    pub fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Whether the screen was last told that the run goes on by itself.
    pub fn said_running(&self) -> bool {
        self.said_running
    }

    /// Whether all that was said has been taken.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.sender.is_empty()
    }

    /// Says something that must arrive.
    pub fn push(&mut self, event: Event) {
        self.queue.push_back(event);
        self.flush();
    }

    /// Says something with the next progress. A newer picture takes the place of an older one that still waits
    /// here; of what makes a course of its own, spectra and states worth keeping, every other goes where too many
    /// wait.
    pub fn push_later(&mut self, event: Event) {
        if let Event::Found(new) = &event {
            self.queue.iter_mut().for_each(|old| forget_vectors(old, new.finding.measure));
        }
        let same = |old: &Event| is_same_kind(old, &event);
        let waiting = self.queue.iter().filter(|old| same(old)).count();
        if waiting >= most_waiting(&event) {
            let mut i = 0;
            self.queue.retain(|old| {
                i += usize::from(same(old));
                // The first of several stays: a course begins there.
                !same(old) || (waiting > 1 && i % 2 == 1)
            });
        }
        self.queue.push_back(event);
    }

    /// Says how far the run is, with all rows; this one must arrive.
    pub fn push_progress(&mut self, mut progress: Progress) {
        progress.rows = std::mem::take(&mut self.rows);
        self.said_running = progress.running;
        self.push(Event::Progress(progress));
    }

    /// Says how far the run is where there is room, else keeps the rows for the next time.
    pub fn offer_progress(&mut self, progress: Progress) {
        self.flush();
        if self.queue.is_empty() && !self.sender.is_full() {
            // Only this end sends, so the room is still there.
            self.push_progress(progress);
        }
    }

    /// Sends what has room.
    pub fn flush(&mut self) {
        let mut sent = false;
        while let Some(event) = self.queue.pop_front() {
            match self.sender.try_send(event) {
                Ok(()) => sent = true,
                Err(TrySendError::Full(event)) => {
                    self.queue.push_front(event);
                    break;
                }
                Err(TrySendError::Disconnected(_)) => self.queue.clear(),
            }
        }
        if sent {
            self.unheard = !self.repaint.soon();
        }
    }

    /// Before silence: makes sure that what was sent is drawn.
    pub fn make_heard(&mut self) {
        if std::mem::take(&mut self.unheard) {
            self.repaint.now();
        }
    }

    /// Whether something had no room.
    pub fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The last words: waits until all has been taken or the other end is gone.
    pub fn finish(mut self, last: Event) {
        if self.has_rows() {
            self.push_progress(Progress::default());
        }
        self.queue.push_back(last);
        for event in self.queue {
            if self.sender.send(event).is_err() {
                return;
            }
            self.repaint.now();
        }
    }
}

/// Whether one event says what the other does, of another moment.
fn is_same_kind(a: &Event, b: &Event) -> bool {
    match (a, b) {
        (Event::Found(a), Event::Found(b)) => a.finding.measure == b.finding.measure,
        (Event::Noted { why: a, .. }, Event::Noted { why: b, .. }) => a == b,
        (Event::Activity { .. }, Event::Activity { .. }) => true,
        _ => false,
    }
}

/// How many of its kind may wait for a screen that takes none.
fn most_waiting(event: &Event) -> usize {
    match event {
        Event::Found(found) if found.finding.measure == Measure::Curvature => MOST_SPECTRA,
        Event::Noted { why: Noted::BoundCrossed, .. } => MOST_STATES,
        Event::Found(_) | Event::Noted { .. } | Event::Activity { .. } => 1,
        _ => usize::MAX,
    }
}

/// Of a spectrum that is no longer the newest nobody asks for the eigenvectors, which may be large.
fn forget_vectors(event: &mut Event, newer: Measure) {
    if let Event::Found(found) = event
        && found.finding.measure == newer
        && let Detail::Curvature(Some(detail)) = &mut found.finding.detail
    {
        detail.vectors = Arc::default();
    }
}

/// Thins the first `n` rows.
fn thin(rows: &mut Vec<Row>, n: usize) {
    use std::collections::HashMap;

    let mut keep = vec![false; n];
    let mut groups: HashMap<_, Group> = HashMap::new();
    for (i, row) in rows[..n].iter().enumerate() {
        if !row.value.is_finite() {
            keep[i] = true;
            continue;
        }
        let group = groups.entry(row.series).or_insert(Group { count: 0, smallest: i, largest: i });
        if row.value < rows[group.smallest].value {
            group.smallest = i;
        }
        if row.value > rows[group.largest].value {
            group.largest = i;
        }
        group.count += 1;
        if group.count == THINNED {
            keep[group.smallest] = true;
            keep[group.largest] = true;
            groups.remove(&row.series);
        }
    }
    for group in groups.values() {
        keep[group.smallest] = true;
        keep[group.largest] = true;
    }
    let mut i = 0;
    rows.retain(|_| {
        i += 1;
        i > n || keep[i - 1]
    });
}

struct Group {
    count: usize,
    smallest: usize,
    largest: usize,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::messages::Found;
    use crate::numerics::weights::{Dims, Weights};
    use crate::training::history::Series;
    use crate::training::measures::Finding;
    use crate::training::run::Checkpoint;

    fn found(measure: Measure, iteration: i64) -> Event {
        let finding = Finding { measure, iteration, rows: Vec::new(), detail: Detail::Curvature(None) };
        Event::Found(Box::new(Found { finding, processor: Duration::ZERO, seconds_left: None }))
    }

    #[test]
    fn a_screen_that_is_late_still_gets_the_course_of_the_spectra_and_of_the_rest_the_newest() {
        let (sender, _receiver) = crossbeam_channel::bounded(1);
        let mut outbox = Outbox::new(sender, Repaint::new(Arc::new(|| {})));
        let waiting = |outbox: &Outbox, measure: Measure| {
            let of = |event: &Event| match event {
                Event::Found(found) if found.finding.measure == measure => Some(found.finding.iteration),
                _ => None,
            };
            outbox.queue.iter().filter_map(of).collect::<Vec<i64>>()
        };
        for iteration in 0..100 {
            outbox.push_later(found(Measure::Curvature, iteration));
            outbox.push_later(found(Measure::Lyapunov, iteration));
        }
        assert_eq!(waiting(&outbox, Measure::Curvature), (0..100).collect::<Vec<_>>());
        assert_eq!(waiting(&outbox, Measure::Lyapunov), [99]);
        for iteration in 100..10_000 {
            outbox.push_later(found(Measure::Curvature, iteration));
        }
        let course = waiting(&outbox, Measure::Curvature);
        assert!(course.len() <= MOST_SPECTRA && course.len() > MOST_SPECTRA / 4, "{}", course.len());
        assert_eq!((course[0], course[course.len() - 1]), (0, 9_999));
        assert!(course.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_screen_that_is_late_still_gets_the_states_at_which_a_line_was_crossed() {
        let (sender, _receiver) = crossbeam_channel::bounded(1);
        let mut outbox = Outbox::new(sender, Repaint::new(Arc::new(|| {})));
        let dims = Dims { n_in: 1, n_rec: 1, n_out: 1 };
        let noted = |why, iteration| {
            let weights = || Weights::zeros(dims);
            let checkpoint = Checkpoint {
                iteration,
                weights: weights(),
                initial: weights(),
                before_flossing: None,
                feedback: None,
                optimizer: Vec::new(),
                measures: Vec::new(),
                streams: Vec::new(),
            };
            Event::Noted { why, checkpoint: Arc::new(checkpoint) }
        };
        for iteration in 0..1000 {
            outbox.push_later(noted(Noted::BoundCrossed, iteration));
            outbox.push_later(noted(Noted::BestTest, iteration));
        }
        let of = |wanted: Noted| {
            let iteration = |event: &Event| match event {
                Event::Noted { why, checkpoint } if *why == wanted => Some(checkpoint.iteration),
                _ => None,
            };
            outbox.queue.iter().filter_map(iteration).collect::<Vec<i64>>()
        };
        assert_eq!(of(Noted::BestTest), [999]);
        let crossed = of(Noted::BoundCrossed);
        assert!(crossed.len() <= MOST_STATES && crossed.len() > MOST_STATES / 4, "{crossed:?}");
        assert_eq!((crossed[0], crossed[crossed.len() - 1]), (0, 999));
    }

    #[test]
    fn thinning_keeps_every_spike_and_every_bad_value() {
        let value = |i: i64| match i {
            300 => 1e9,
            301 => -1e9,
            302 => f64::NAN,
            303 => f64::INFINITY,
            _ => (i % 7) as f64,
        };
        let mut rows = Vec::new();
        for i in 0..1000 {
            rows.push(Row { iteration: i, series: Series::TrainLoss, value: value(i) });
            rows.push(Row { iteration: i, series: Series::LearningRate, value: 0.1 });
        }
        thin(&mut rows, 1000);
        for wanted in 300..304 {
            assert!(
                rows.iter().any(|r| r.iteration == wanted && r.value.to_bits() == value(wanted).to_bits())
            );
        }
        assert!(rows.len() < 1000 + 200, "{} rows left", rows.len());
        assert!(rows.iter().filter(|r| r.iteration >= 500).count() == 1000, "the newer half is whole");
        assert!(rows.windows(2).all(|w| w[0].iteration <= w[1].iteration));
    }
}
