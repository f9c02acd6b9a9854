//! Owns [`Spectra`], the ends of a run's Hessian spectrum over its training, in bounded memory.

use crate::training::measures::{CurvatureDetail, Eigenvalue};

/// Measures kept. When they are full every second one goes, but for the first and the last.
const MOST: usize = 512;

/// The ends of the spectrum at one iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// Updates made.
    pub iteration: i64,
    /// The leading eigenvalues, descending.
    pub top: Vec<Eigenvalue>,
    /// The algebraically smallest.
    pub lambda_min: Eigenvalue,
}

/// The ends of the spectrum at rising iterations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectra {
    ends: Vec<Ends>,
}

impl Spectra {
    /// All that are kept, oldest first.
    pub fn all(&self) -> &[Ends] {
        &self.ends
    }

    /// Adds what was found at an iteration; a second look at the last iteration takes its place.
    pub fn push(&mut self, iteration: i64, detail: &CurvatureDetail) {
        self.ends.truncate(self.ends.partition_point(|e| e.iteration < iteration));
        let (top, lambda_min) = (detail.top.clone(), detail.lambda_min);
        self.ends.push(Ends { iteration, top, lambda_min });
        if self.ends.len() > MOST {
            let last = self.ends.len() - 1;
            let mut i = 0;
            self.ends.retain(|_| {
                i += 1;
                (i - 1) % 2 == 0 || i - 1 == last
            });
        }
    }

    /// Drops what lies after `iteration` (a run that was set back).
    pub fn truncate_after(&mut self, iteration: i64) {
        self.ends.truncate(self.ends.partition_point(|e| e.iteration <= iteration));
    }

    /// The n-th largest eigenvalue (from 0) over training, as far as so many were measured.
    pub fn ranked(&self, n: usize) -> impl Iterator<Item = (i64, f64)> {
        self.ends.iter().filter_map(move |e| Some((e.iteration, e.top.get(n)?.value)))
    }

    /// Most eigenvalues of any measure.
    pub fn depth(&self) -> usize {
        self.ends.iter().map(|e| e.top.len()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::numerics::curvature::trace::Estimate;
    use crate::numerics::weights::Block;

    fn detail(values: &[f64]) -> CurvatureDetail {
        let eigenvalue = |value: f64| Eigenvalue { value, residual: 0.0, converged: true };
        let estimate = Estimate { value: 0.0, standard_error: 0.0, products: 0 };
        CurvatureDetail {
            block: Block::All,
            top: values.iter().map(|v| eigenvalue(*v)).collect(),
            lambda_min: eigenvalue(-1.0),
            n_weights: 10,
            search_products: 1,
            products: 1,
            vectors: Arc::new(Vec::new()),
            trace: estimate,
            relative_flatness: estimate,
            power_law_exponent: None,
        }
    }

    #[test]
    fn both_ends_of_a_long_run_stay_and_the_memory_is_bounded() {
        let mut spectra = Spectra::default();
        for i in 0..10_000 {
            spectra.push(i, &detail(&[i as f64, 0.5 * i as f64]));
            assert!(spectra.all().len() <= MOST);
        }
        assert_eq!(spectra.ranked(0).next(), Some((0, 0.0)));
        assert_eq!(spectra.ranked(1).last(), Some((9999, 4999.5)));
        assert!(spectra.all().windows(2).all(|w| w[0].iteration < w[1].iteration));
        assert!(spectra.all().len() > MOST / 3);
    }

    #[test]
    fn a_run_that_was_set_back_forgets_what_came_after() {
        let mut spectra = Spectra::default();
        (0..10).for_each(|i| spectra.push(10 * i, &detail(&[1.0])));
        spectra.truncate_after(45);
        assert_eq!(spectra.all().last().map(|e| e.iteration), Some(40));
        spectra.push(40, &detail(&[2.0, 1.0]));
        assert_eq!((spectra.all().len(), spectra.depth()), (5, 2));
        assert_eq!(spectra.ranked(1).collect::<Vec<_>>(), [(40, 1.0)]);
    }
}
