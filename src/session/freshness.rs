//! Owns [`Freshness`], how far a measured value can be taken for that of now, and [`Thinned`], how much seldomer
//! than its cadence a measure comes.

use super::curves::Point;
use super::runs::RunEntry;
use super::stability::converged;
use crate::training::config::Cadence;
use crate::training::history::Series;
use crate::training::measures::{Detail, Measure};

/// How far a value can be taken for that of now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    /// It belongs to the weights of now, or to weights no further back than the measure's cadence.
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

    /// Of a value of this measure of a run.
    pub fn of(run: &RunEntry, measure: Measure, iteration: i64) -> Self {
        Self::of_age(measure.cadence(&run.config), iteration, run.iteration)
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_has_not_converged_says_so_fresh_or_stale() {
        for now in [400, 4000] {
            let age = Freshness::of_age(Cadence::Every(100), 400, now);
            assert_eq!(age.unless(None), age);
            let loose = age.unless(Some(0.02));
            assert_eq!(loose, Freshness::NotConverged { iteration: 400, residual: 0.02 });
        }
    }
}
