//! Owns [`Seconds`], how long a run took up to each iteration.

/// Pairs kept.
const MOST: usize = 4096;

/// Seconds spent in updates against iterations, pauses left out: what puts curves on an axis of time.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    known: Vec<(i64, f64)>,
    /// Every how many pairs one is kept.
    every: usize,
    skipped: usize,
    newest: Option<(i64, f64)>,
    processor: f64,
    rate: f64,
    /// What was spent before the worker that counts now (a run set back has a new one).
    before: (f64, f64),
}

impl Seconds {
    /// Adds what is known after `iteration` updates. Where too many pairs are kept, every other goes.
    pub fn push(&mut self, iteration: i64, seconds: f64, processor: f64) {
        let (seconds, processor) = (self.before.0 + seconds, self.before.1 + processor);
        if let Some((i, s)) = self.newest
            && iteration > i
            && seconds > s
        {
            let now = (iteration - i) as f64 / (seconds - s);
            self.rate = if self.rate == 0.0 { now } else { 0.9 * self.rate + 0.1 * now };
        }
        self.processor = processor;
        self.newest = Some((iteration, seconds));
        self.every = self.every.max(1);
        if self.skipped == 0 {
            self.known.push((iteration, seconds));
        }
        self.skipped = (self.skipped + 1) % self.every;
        if self.known.len() > MOST {
            let mut i = 0;
            self.known.retain(|_| {
                i += 1;
                i % 2 == 1
            });
            self.every *= 2;
        }
    }

    /// Seconds up to `iteration`, between known pairs along a line.
    pub fn at(&self, iteration: f64) -> f64 {
        let after = self.known.partition_point(|(i, _)| *i as f64 <= iteration);
        let left = after.checked_sub(1).map(|i| self.known[i]);
        let right = self.known.get(after).copied().or(self.newest);
        match (left, right) {
            (Some((i, s)), Some((j, t))) if j > i => {
                s + (t - s) * ((iteration - i as f64) / (j - i) as f64).clamp(0.0, 1.0)
            }
            (Some((_, s)), _) | (None, Some((_, s))) => s,
            (None, None) => 0.0,
        }
    }

    /// Seconds so far.
    pub fn total(&self) -> f64 {
        self.newest.map_or(0.0, |(_, s)| s)
    }

    /// Processor seconds of all threads so far.
    pub fn processor(&self) -> f64 {
        self.processor
    }

    /// Updates a second, lately.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Up to `most` pairs and the newest, for a session that is kept.
    pub(super) fn to_keep(&self, most: usize) -> Vec<(i64, f64)> {
        let every = self.known.len().div_ceil(most).max(1);
        let mut kept: Vec<_> = self.known.iter().copied().step_by(every).collect();
        if let Some(newest) = self.newest.filter(|newest| kept.last() != Some(newest)) {
            kept.push(newest);
        }
        kept
    }

    /// From pairs that were kept; a new worker goes on from the last of them.
    pub(super) fn of_kept(kept: &[(i64, f64)]) -> Self {
        let mut seconds = Self::default();
        kept.iter().for_each(|(iteration, s)| seconds.push(*iteration, *s, 0.0));
        seconds.go_on();
        seconds
    }

    /// A new worker, which starts to count at 0, goes on from here.
    pub(super) fn go_on(&mut self) {
        self.before = (self.total(), self.processor);
    }

    /// Drops what lies after `iteration`; a new worker, which starts to count at 0, goes on from there.
    pub fn truncate_after(&mut self, iteration: i64) {
        let seconds = self.at(iteration as f64);
        self.known.retain(|(i, _)| *i <= iteration);
        self.newest = self.newest.map(|(i, s)| if i <= iteration { (i, s) } else { (iteration, seconds) });
        self.go_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_between_known_ones_lie_on_a_line_however_many_there_were() {
        let mut seconds = Seconds::default();
        for i in 0..100_000 {
            seconds.push(i, i as f64 * 0.5, 0.0);
        }
        assert!(seconds.known.len() <= MOST);
        for i in [0.0, 1.5, 777.0, 50_000.25, 99_999.0] {
            assert!((seconds.at(i) - 0.5 * i).abs() < 1e-9, "{i}: {}", seconds.at(i));
        }
        assert!((seconds.rate() - 2.0).abs() < 1e-9);
        assert_eq!(seconds.at(1e9), seconds.total());
        seconds.truncate_after(1000);
        assert!((seconds.total() - 500.0).abs() < 1e-9);
        seconds.push(1001, 0.5, 0.0);
        assert!((seconds.total() - 500.5).abs() < 1e-9);
    }
    #[test]
    fn times_that_were_kept_lie_where_they_lay_and_go_on() {
        let mut seconds = Seconds::default();
        (0..=50_001).for_each(|i| seconds.push(i, (i as f64).sqrt(), 0.0));
        let kept = seconds.to_keep(256);
        assert!(kept.len() <= 257, "{}", kept.len());
        let mut again = Seconds::of_kept(&kept);
        assert_eq!(again.total(), seconds.total());
        for i in [5_000.0, 20_000.5, 49_999.0] {
            // Between pairs 200 apart the root is a line to within 200^2/(32 i^1.5), here 4e-3.
            assert!((again.at(i) - i.sqrt()).abs() < 4e-3, "{i}: {}", again.at(i));
        }
        again.push(50_002, 0.5, 0.0);
        assert_eq!(again.total(), seconds.total() + 0.5);
        assert!(Seconds::of_kept(&Seconds::default().to_keep(256)).known.is_empty());
    }
}
