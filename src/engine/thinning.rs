//! Owns [`Thinning`], the rule that leaves training at least half of the processor time that a run takes.
//!
//! An account in seconds of processor time. Training pays in what it uses, and what it leaves unused while it
//! waits for its speed limit; a measure draws what it took. While the account is overdrawn, counting what is still
//! being measured at the price it had last, no measure is begun at its cadence: it is left out, and the next one at
//! its cadence is looked at anew. So measures never take more than training does, but for the one that overdraws,
//! and that is paid back before the next.
//!
//! Nothing is saved up beyond [`MOST_SAVED`], so that the half holds over any stretch of time. What the user asks
//! for by hand, and the measures of a start and an end, are always taken and cost nothing here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::training::measures::Measure;

/// Largest balance: what training may save up for measures (`[own]`).
pub(super) const MOST_SAVED: f64 = 0.5;

/// The account of one run.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    balance: f64,
    /// Processor time that training had used, and left, when it was last asked.
    earned: Duration,
    /// What a measure took last.
    prices: BTreeMap<Measure, f64>,
    /// Measures being taken at their cadence, at these prices.
    pending: BTreeMap<Measure, f64>,
    /// Iterations at which something was asked for that costs nothing.
    free: Vec<i64>,
}

/// Free iterations remembered: more requests than can wait.
const MOST_FREE: usize = 16;

impl Thinning {
    /// Whether measures may be begun at their cadence now. `earned`: what training has used or left so far.
    pub fn allows(&mut self, earned: Duration) -> bool {
        let new = earned.saturating_sub(self.earned).as_secs_f64();
        self.earned = earned;
        self.balance = (self.balance + new).min(MOST_SAVED);
        self.balance >= self.pending.values().sum::<f64>()
    }

    /// Measures have been begun at their cadence.
    pub fn begun(&mut self, what: impl IntoIterator<Item = Measure>) {
        for measure in what {
            self.pending.insert(measure, self.prices.get(&measure).copied().unwrap_or(0.0));
        }
    }

    /// What is asked for at this iteration costs nothing.
    pub fn set_free(&mut self, iteration: i64) {
        if self.free.len() == MOST_FREE {
            self.free.remove(0);
        }
        self.free.push(iteration);
    }

    /// A measure of the weights at `iteration` took so much processor time.
    pub fn took(&mut self, measure: Measure, iteration: i64, processor: Duration) {
        let price = processor.as_secs_f64();
        self.pending.remove(&measure);
        self.prices.insert(measure, price);
        if !self.free.contains(&iteration) {
            self.balance -= price;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of `updates` of 1 ms each that asks at a cadence for a measure of this price, which arrives `delay`
    /// updates later; gives the iterations at which it was begun.
    fn begun(updates: i64, cadence: i64, price_ms: u64, delay: i64) -> Vec<i64> {
        let (mut thinning, mut begun) = (Thinning::default(), Vec::new());
        let mut due: Option<(i64, i64)> = None;
        for n in 1..=updates {
            if let Some((at, of)) = due.filter(|(at, _)| *at <= n) {
                thinning.took(Measure::Curvature, of, Duration::from_millis(price_ms));
                due = None;
                assert!(at <= n);
            }
            let earned = Duration::from_millis(n.unsigned_abs());
            if n % cadence == 0 && due.is_none() && thinning.allows(earned) {
                thinning.begun([Measure::Curvature]);
                begun.push(n);
                due = Some((n + delay, n));
            }
        }
        begun
    }

    #[test]
    fn a_measure_that_costs_less_than_the_training_between_two_is_never_left_out() {
        for delay in [0, 5, 10] {
            assert_eq!(begun(1000, 10, 9, delay), (1..=100).map(|i| 10 * i).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_costly_measure_is_taken_as_often_as_half_of_the_time_allows() {
        for (cadence, price) in [(1, 50), (10, 25), (10, 300), (7, 2000)] {
            let taken = begun(20_000, cadence, price, 3);
            // All but the last have been paid for by then.
            let spent = price as usize * (taken.len() - 1);
            assert!(spent <= 20_000 + (1e3 * MOST_SAVED) as usize, "{cadence} {price}: {}", taken.len());
            assert!(2 * spent >= 20_000, "and not much seldomer: {cadence} {price}: {}", taken.len());
            assert!(taken.iter().all(|n| n % cadence == 0));
        }
    }

    /// Over any stretch, not only over the whole.
    #[test]
    fn what_was_saved_up_does_not_pay_for_a_burst() {
        let mut thinning = Thinning::default();
        assert!(thinning.allows(Duration::from_secs(3600)));
        let mut taken = 0.0;
        for i in 0..1000 {
            if thinning.allows(Duration::from_secs(3600)) {
                thinning.took(Measure::Lyapunov, i, Duration::from_millis(100));
                taken += 0.1;
            }
        }
        assert!(taken <= MOST_SAVED + 0.1 + 1e-9, "{taken} s at once");
    }

    #[test]
    fn a_measure_that_is_still_being_taken_counts_at_its_last_price() {
        let mut thinning = Thinning::default();
        thinning.took(Measure::Curvature, 0, Duration::from_secs(2));
        assert!(!thinning.allows(Duration::from_secs(1)), "overdrawn by one second");
        assert!(thinning.allows(Duration::from_millis(2100)));
        thinning.begun([Measure::Curvature]);
        assert!(!thinning.allows(Duration::from_millis(2200)), "2 s will be due");
        thinning.took(Measure::Curvature, 1, Duration::from_millis(50));
        assert!(thinning.allows(Duration::from_millis(2300)));
    }

    #[test]
    fn what_is_asked_for_by_hand_and_both_ends_of_a_run_cost_nothing() {
        let mut thinning = Thinning::default();
        thinning.set_free(0);
        thinning.set_free(500);
        thinning.took(Measure::Curvature, 0, Duration::from_secs(100));
        thinning.took(Measure::Landscape, 500, Duration::from_secs(100));
        assert!(thinning.allows(Duration::from_millis(1)));
        thinning.took(Measure::Landscape, 501, Duration::from_secs(100));
        assert!(!thinning.allows(Duration::from_millis(2)));
        for i in 0..100 {
            thinning.set_free(i);
        }
        assert!(thinning.free.len() <= MOST_FREE);
    }
}
