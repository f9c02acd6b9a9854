//! Owns [`Trail`], the states that a run which diverges can go back to.

use std::sync::Arc;

use crate::training::run::Checkpoint;

/// States kept; with one more, every other goes.
const MOST: usize = 16;
/// Iterations between two states at first.
const FIRST_SPACE: i64 = 32;
/// Weight of the newest loss in the running mean.
const NEWEST: f64 = 0.1;
/// Above so many times its smallest value the mean loss is no longer calm.
const CALM: f64 = 2.0;

/// States evenly spaced over a run, and since when its loss has risen.
#[derive(Debug)]
pub struct Trail {
    states: Vec<Arc<Checkpoint>>,
    space: i64,
    mean: Option<f64>,
    smallest: f64,
    calm: i64,
}

impl Default for Trail {
    fn default() -> Self {
        Self { states: Vec::new(), space: FIRST_SPACE, mean: None, smallest: f64::INFINITY, calm: i64::MIN }
    }
}

impl Trail {
    /// Whether the state after so many updates is to be kept.
    pub fn wants(&self, iteration: i64) -> bool {
        let is_new = self.states.last().is_none_or(|s| s.iteration < iteration);
        is_new && (self.states.is_empty() || iteration.rem_euclid(self.space) == 0)
    }

    /// Keeps a state. The first is never dropped.
    pub fn keep(&mut self, state: Arc<Checkpoint>) {
        self.states.push(state);
        if self.states.len() > MOST {
            self.space *= 2;
            let (first, space) = (self.states[0].iteration, self.space);
            self.states.retain(|s| s.iteration == first || s.iteration.rem_euclid(space) == 0);
        }
    }

    /// Notes the loss of an iteration.
    pub fn note(&mut self, iteration: i64, loss: f64) {
        let mean = self.mean.map_or(loss, |mean| mean + NEWEST * (loss - mean));
        self.mean = Some(mean);
        self.smallest = self.smallest.min(mean);
        if mean <= CALM * self.smallest {
            self.calm = iteration;
        }
    }

    /// The newest state from before the loss began to rise.
    pub fn rewind(&self) -> Option<Arc<Checkpoint>> {
        let calm = self.states.iter().rev().find(|s| s.iteration <= self.calm);
        calm.or(self.states.first()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::weights::{Dims, Weights};

    fn state(iteration: i64) -> Arc<Checkpoint> {
        let weights = Weights::zeros(Dims { n_in: 1, n_rec: 1, n_out: 1 });
        Arc::new(Checkpoint {
            iteration,
            initial: weights.clone(),
            weights,
            before_flossing: None,
            feedback: None,
            optimizer: Vec::new(),
            measures: Vec::new(),
            streams: Vec::new(),
        })
    }

    fn trail(n: i64, loss: impl Fn(i64) -> f64) -> Trail {
        let mut trail = Trail::default();
        for i in 0..n {
            if trail.wants(i) {
                trail.keep(state(i));
            }
            trail.note(i, loss(i));
        }
        trail
    }

    #[test]
    fn it_goes_back_to_before_the_loss_rose() {
        let trail =
            trail(1000, |i| if i < 800 { 1.0 / (1.0 + i as f64) } else { 1.1f64.powi(i as i32 - 800) });
        let back = trail.rewind().map(|s| s.iteration);
        assert!(back.is_some_and(|i| (700..=800).contains(&i)), "{back:?}");
    }

    #[test]
    fn a_run_that_was_never_calm_goes_back_to_its_start() {
        let back = trail(40, |i| 3f64.powi(i as i32)).rewind().map(|s| s.iteration);
        assert_eq!(back, Some(0));
        assert!(Trail::default().rewind().is_none());
    }

    #[test]
    fn it_keeps_few_states_however_long_the_run() {
        let trail = trail(100_000, |_| 1.0);
        assert!(trail.states.len() <= MOST && trail.states.len() >= MOST / 2);
        assert_eq!(trail.states[0].iteration, 0);
        let gaps = trail.states.windows(2).map(|w| w[1].iteration - w[0].iteration);
        assert!(gaps.into_iter().all(|gap| gap == trail.space));
    }
}
