//! Owns [`Outbox`], what a run worker has said and the screen has not yet taken.

use std::collections::VecDeque;

use crossbeam_channel::{Sender, TrySendError};

use super::messages::{Event, Progress};
use super::repaint::Repaint;
use crate::training::history::Row;

/// Rows kept for a screen that does not take them (24 MB). Above it the older half is thinned: of every 16
/// values of a series in turn only the smallest, the largest and all that are not finite stay.
const MOST_ROWS: usize = 1 << 20;
const THINNED: usize = 16;

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
    /// here.
    pub fn push_later(&mut self, event: Event) {
        self.queue.retain(|old| match (old, &event) {
            (Event::Found(old), Event::Found(new)) => old.finding.measure != new.finding.measure,
            (Event::Activity { .. }, Event::Activity { .. }) => false,
            (Event::Noted { why: old, .. }, Event::Noted { why: new, .. }) => old != new,
            _ => true,
        });
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
    use super::*;
    use crate::training::history::Series;

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
