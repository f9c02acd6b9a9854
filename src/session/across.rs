//! Owns [`Across`], what curves are drawn against, on the screen and on paper: iterations, seconds, or the smoothed
//! training loss, at which rules are compared fairly.

use super::curves::Curves;
use super::seconds::Seconds;
use crate::training::history::Series;

/// What the horizontal axis shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Across {
    #[default]
    Iterations,
    Seconds,
    /// The smoothed training loss: compares runs at equal loss.
    Loss,
}

impl Across {
    /// All of them.
    pub const ALL: [Across; 3] = [Across::Iterations, Across::Seconds, Across::Loss];

    /// Its name on the axis.
    pub fn name(self) -> &'static str {
        match self {
            Across::Iterations => "iteration",
            Across::Seconds => "seconds of training",
            Across::Loss => "training loss, smoothed",
        }
    }

    /// The quantity alone, where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            Across::Iterations => "iteration",
            Across::Seconds => "seconds",
            Across::Loss => "loss",
        }
    }

    /// Its name in the list.
    pub fn choice(self) -> &'static str {
        match self {
            Across::Iterations => "by iteration",
            Across::Seconds => "by seconds",
            Across::Loss => "by loss",
        }
    }
}

/// The horizontal axis of a plot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Horizontal {
    /// What it shows.
    pub across: Across,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Span of the running mean of the loss, in iterations.
    pub span: f64,
}

/// What the horizontal axis shows of a value taken after so many updates.
#[derive(Clone, Copy)]
pub enum Abscissa<'a> {
    /// The iteration.
    Iteration,
    /// Seconds of training.
    Seconds(&'a Seconds),
    /// Another quantity, known at some iterations in rising order and taken as straight in between, such as the
    /// smoothed loss.
    Through(&'a [(f64, f64)]),
}

impl Abscissa<'_> {
    /// The value on the horizontal axis; `None` outside of what is known.
    pub fn at(self, iteration: f64) -> Option<f64> {
        match self {
            Abscissa::Iteration => Some(iteration),
            Abscissa::Seconds(seconds) => Some(seconds.at(iteration)),
            Abscissa::Through(known) => {
                let after = known.partition_point(|(i, _)| *i < iteration);
                let right = known.get(after)?;
                if right.0 == iteration {
                    return Some(right.1);
                }
                let left = known.get(after.checked_sub(1)?)?;
                let share = (iteration - left.0) / (right.0 - left.0);
                Some(left.1 + share * (right.1 - left.1))
            }
        }
    }
}

/// The smoothed training loss of a run, as a horizontal axis: (iteration, loss).
pub fn smoothed_loss(curves: &Curves, span: f64) -> Vec<(f64, f64)> {
    let Some(curve) = curves.get(Series::TrainLoss) else { return Vec::new() };
    let mut mean = RunningMean::new(span);
    let last = curve.last().map_or(0.0, |point| point.iteration as f64);
    curve.means(0.0, last, 1000).into_iter().map(|(i, v)| (i, mean.add(i, v))).collect()
}

/// The exponential mean of values at rising iterations, with its start-up bias taken out: after values v_i at
/// iterations t_i it is sum_i w_i v_i / sum_i w_i, w_i = exp((t_i - t_n) / span). A span of 0 leaves the values
/// as they are.
#[derive(Clone, Copy, Debug)]
pub struct RunningMean {
    span: f64,
    at: f64,
    weighted: f64,
    weight: f64,
}

impl RunningMean {
    /// Of nothing yet.
    pub fn new(span: f64) -> Self {
        Self { span, at: 0.0, weighted: 0.0, weight: 0.0 }
    }

    /// Takes a finite value in and gives the mean.
    pub fn add(&mut self, iteration: f64, value: f64) -> f64 {
        let kept = if self.span > 0.0 { ((self.at - iteration) / self.span).exp() } else { 0.0 };
        self.at = iteration;
        // Before the first value there is nothing to keep, however early that is.
        let kept = if self.weight == 0.0 { 0.0 } else { kept };
        self.weighted = kept * self.weighted + value;
        self.weight = kept * self.weight + 1.0;
        self.weighted / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_quantity_is_straight_between_where_it_is_known_and_unknown_elsewhere() {
        let known = [(0.0, 8.0), (10.0, 4.0), (30.0, 6.0)];
        let at = |iteration: f64| Abscissa::Through(&known).at(iteration);
        // The known points themselves, and by the two-point form of a line.
        known.iter().for_each(|(i, value)| assert_eq!(at(*i), Some(*value)));
        let line = |(i, a): (f64, f64), (j, b): (f64, f64), x: f64| (a * (j - x) + b * (x - i)) / (j - i);
        for (x, left, right) in [(2.5, 0, 1), (9.0, 0, 1), (12.0, 1, 2), (29.5, 1, 2)] {
            let expected = line(known[left], known[right], x);
            assert!(at(x).is_some_and(|value| (value - expected).abs() < 1e-12), "{x}");
        }
        assert_eq!((at(-0.5), at(30.5), Abscissa::Through(&[]).at(1.0)), (None, None, None));
    }
}
