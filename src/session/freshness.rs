//! Owns [`Freshness`], how far a measured value can be taken for that of now, and [`Thinned`], how much seldomer
//! than its cadence a measure comes.

use std::fmt;

use super::curves::Point;
use super::runs::{RunEntry, RunState};
use super::stability::converged;
use crate::training::config::{Cadence, Config};
use crate::training::history::Series;
use crate::training::measures::{Detail, Measure};

/// How far a value can be taken for that of now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    /// It belongs to the weights of now, or, while training goes on, to weights no further back than the measure's
    /// cadence.
    Fresh {
        /// Updates made when it was measured.
        iteration: i64,
    },
    /// The weights have moved on by more.
    Stale {
        /// Updates made when it was measured.
        since: i64,
        /// Updates made since.
        behind: i64,
    },
    /// It is not to be relied on, whatever its age.
    NotConverged {
        /// Updates made when it was measured.
        iteration: i64,
        /// Its relative residual.
        residual: f64,
    },
}

impl Freshness {
    /// Of a value of this measure that belongs to `iteration`, `now` updates having been made.
    pub fn of_age(cadence: Cadence, iteration: i64, now: i64) -> Self {
        let behind = now - iteration;
        let allowed = match cadence {
            Cadence::Every(n) => i64::try_from(n).unwrap_or(i64::MAX),
            Cadence::StartAndEnd | Cadence::Never => 0,
        };
        if behind <= allowed {
            Freshness::Fresh { iteration }
        } else {
            Freshness::Stale { since: iteration, behind }
        }
    }

    /// Of a value of this measure of a run. Once the run has ended no newer one is on its way: what belongs to earlier
    /// weights is stale.
    pub fn of(run: &RunEntry, measure: Measure, iteration: i64) -> Self {
        let cadence = match run.state {
            RunState::Ended(_) => Cadence::StartAndEnd,
            _ => measure.cadence(&run.config),
        };
        Self::of_age(cadence, iteration, run.iteration)
    }

    /// Of the newest value of a series of a run; `None` for series that every update writes.
    pub fn of_series(run: &RunEntry, series: Series, point: Point) -> Option<Self> {
        let measure = Measure::ALL.into_iter().find(|measure| measure.series().contains(&series))?;
        let loose = match series {
            Series::LambdaMax => {
                let loose = converged(&run.curves, &run.config, &point) == Some(false);
                loose.then(|| run.curves.last(Series::LambdaMaxResidual).map_or(f64::NAN, |r| r.value))
            }
            Series::LambdaMin => loose_lambda_min(run, point.iteration),
            _ => None,
        };
        Some(Self::of(run, measure, point.iteration).unless(loose))
    }

    /// The same where its residual says that it has not converged.
    pub fn unless(self, not_converged: Option<f64>) -> Self {
        match (self, not_converged) {
            (Freshness::Fresh { iteration } | Freshness::Stale { since: iteration, .. }, Some(residual)) => {
                Freshness::NotConverged { iteration, residual }
            }
            (own, _) => own,
        }
    }
}

/// The residual of the smallest eigenvalue where the newest measure, of this iteration, has not found it.
fn loose_lambda_min(run: &RunEntry, iteration: i64) -> Option<f64> {
    let finding = &run.found.get(&Measure::Curvature)?.finding;
    let Detail::Curvature(Some(detail)) = &finding.detail else { return None };
    let is_loose = finding.iteration == iteration && !detail.lambda_min.converged;
    is_loose.then_some(detail.lambda_min.residual)
}

/// A measure that comes seldomer than its cadence, so that training keeps at least half of the processor time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thinned {
    /// Iterations between two measures as asked for.
    pub asked: i64,
    /// Iterations between the last two.
    pub found: i64,
}

/// Whether the last two measures of a series lie further apart than its cadence asks for.
pub fn thinned(run: &RunEntry, measure: Measure, series: Series) -> Option<Thinned> {
    let Cadence::Every(n) = measure.cadence(&run.config) else { return None };
    let [.., before, last] = run.curves.get(series)?.values().0 else { return None };
    let (asked, found) = (i64::try_from(n).ok()?, last.iteration - before.iteration);
    // The last of a run may come at any iteration.
    (found > asked).then_some(Thinned { asked, found })
}

/// A cadence in words.
pub(super) fn every(n: u64) -> String {
    if n == 1 { "at every iteration".into() } else { format!("every {n} iterations") }
}

/// How often a measure was to be taken at its cadence of now, and was: the window leaves training at least half of the
/// processor time, and a cadence may have been another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Iterations between two measures as asked for.
    pub every: u64,
    /// Values up to the newest.
    pub taken: usize,
    /// Iterations that the cadence asks for up to there, the last of the run with them.
    pub asked: usize,
}

impl Taken {
    /// Of a measure with a cadence of which values are missing, from those there are: `values` gives the first
    /// iteration of a series, how many values it has, and the iteration of the last. `None` where none is missing, or
    /// where the values do not begin with the training.
    pub fn too_few(
        config: &Config,
        measure: Measure,
        values: impl Fn(Series) -> Option<(i64, usize, i64)>,
    ) -> Option<Self> {
        let Cadence::Every(every) = measure.cadence(config) else { return None };
        let all =
            measure.series().iter().filter_map(|series| values(*series)).filter(|(first, ..)| *first == 0);
        let (taken, last) = all.map(|(_, n, last)| (n, last)).max()?;
        let last = u64::try_from(last).ok()?;
        let ends = last >= config.iterations && !last.is_multiple_of(every);
        let asked = usize::try_from(last / every).ok()? + 1 + usize::from(ends);
        (taken < asked).then_some(Self { every, taken, asked })
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, asked, .. } = self;
        write!(f, "asked for {}, taken at {taken} of {asked}", every(self.every))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config::resolve::{parse, resolve};

    #[test]
    fn a_value_is_fresh_up_to_its_cadence_and_stale_after() {
        let every = Cadence::Every(100);
        assert_eq!(Freshness::of_age(every, 400, 400), Freshness::Fresh { iteration: 400 });
        assert_eq!(Freshness::of_age(every, 400, 500), Freshness::Fresh { iteration: 400 });
        assert_eq!(Freshness::of_age(every, 400, 501), Freshness::Stale { since: 400, behind: 101 });
        for cadence in [Cadence::Never, Cadence::StartAndEnd] {
            assert_eq!(Freshness::of_age(cadence, 7, 7), Freshness::Fresh { iteration: 7 });
            assert_eq!(Freshness::of_age(cadence, 7, 8), Freshness::Stale { since: 7, behind: 1 });
        }
    }

    #[test]
    fn values_that_are_missing_are_counted_from_those_that_are_there() {
        let config = resolve(parse("iterations = 450\n[measure]\ncurvature = 100").expect("TOML"))
            .expect("sound")
            .config;
        let of = |taken: usize, last: i64| {
            Taken::too_few(&config, Measure::Curvature, |s| {
                (s == Series::LambdaMax).then_some((0, taken, last))
            })
        };
        // 0, 100, 200, 300, 400 and the end.
        assert_eq!(of(6, 450), None);
        assert_eq!(of(3, 200), None);
        let some = of(4, 450).expect("two are missing");
        assert_eq!((some.taken, some.asked), (4, 6));
        assert_eq!(some.to_string(), "asked for every 100 iterations, taken at 4 of 6");
        // Thinned to other iterations than those asked for.
        assert_eq!(of(3, 350).map(|t| (t.taken, t.asked)), Some((3, 4)));
        assert_eq!(Taken::too_few(&config, Measure::Curvature, |_| None), None);
        // What begins later was not all asked for.
        assert_eq!(Taken::too_few(&config, Measure::Curvature, |_| Some((300, 1, 400))), None);
    }

    #[test]
    fn what_has_not_converged_says_so_fresh_or_stale() {
        for now in [400, 4000] {
            let age = Freshness::of_age(Cadence::Every(100), 400, now);
            assert_eq!(age.unless(None), age);
            let loose = age.unless(Some(0.02));
            assert_eq!(loose, Freshness::NotConverged { iteration: 400, residual: 0.02 });
        }
    }
}
