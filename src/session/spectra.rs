//! Owns [`Spectra`], the ends of a run's Hessian spectrum over its training, in bounded memory.

use serde::{Deserialize, Serialize};

use crate::training::measures::{CurvatureDetail, Eigenvalue};

/// Measures kept. When they are full every second one goes, but for the first and the last.
const MOST: usize = 512;
/// Eigenvalues of a run that a kept session holds at most (100 kB of text).
const MOST_KEPT: usize = 2048;

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

    /// What a kept session holds: all of it, or evenly chosen measures with the first and the last, so that there
    /// are about [`MOST_KEPT`] eigenvalues at most.
    pub fn to_keep(&self) -> Kept {
        let room = (MOST_KEPT / (self.depth() + 1)).max(2);
        let last = self.ends.len().saturating_sub(1);
        let step = self.ends.len().div_ceil(room).max(1);
        let mut kept = Kept::default();
        for (_, ends) in self.ends.iter().enumerate().filter(|(i, _)| i % step == 0 || *i == last) {
            kept.iterations.push(ends.iteration);
            kept.top.push(ends.top.len());
            for e in ends.top.iter().chain([&ends.lambda_min]) {
                kept.values.push(e.value);
                kept.residuals.push(e.residual);
                kept.converged.push(e.converged);
            }
        }
        kept
    }

    /// What a kept session held, up to `iteration`; nothing where it does not fit together.
    pub fn of_kept(kept: &Kept, iteration: i64) -> Self {
        let total: Option<usize> =
            kept.top.iter().try_fold(0usize, |sum, n| sum.checked_add(*n)?.checked_add(1));
        let fits = kept.iterations.len() == kept.top.len()
            && kept.iterations.windows(2).all(|w| w[0] < w[1])
            && [kept.values.len(), kept.residuals.len(), kept.converged.len()].map(Some) == [total; 3];
        if !fits {
            return Self::default();
        }
        let rows = kept.values.iter().zip(&kept.residuals).zip(&kept.converged);
        let mut all = rows.map(|((value, residual), converged)| Eigenvalue {
            value: *value,
            residual: *residual,
            converged: *converged,
        });
        let mut spectra = Self::default();
        for (at, n) in kept.iterations.iter().zip(&kept.top) {
            let top = all.by_ref().take(*n).collect();
            let Some(lambda_min) = all.next() else { break };
            spectra.ends.push(Ends { iteration: *at, top, lambda_min });
        }
        spectra.truncate_after(iteration);
        spectra
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

/// Spectra as a kept session holds them: one entry for each measure, then of all measures in turn the leading
/// eigenvalues and the smallest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    iterations: Vec<i64>,
    /// How many leading ones.
    top: Vec<usize>,
    values: Vec<f64>,
    residuals: Vec<f64>,
    converged: Vec<bool>,
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

    #[test]
    fn what_is_kept_of_a_short_run_is_all_of_it_and_of_a_long_one_its_course() {
        let mut spectra = Spectra::default();
        (0..10).for_each(|i| spectra.push(10 * i, &detail(&[i as f64, -0.5][..1 + i as usize % 2])));
        let text = toml::to_string(&spectra.to_keep()).expect("TOML");
        let kept: Kept = toml::from_str(&text).expect("what was written");
        assert_eq!(Spectra::of_kept(&kept, i64::MAX), spectra);
        let ends = |s: &Spectra| (s.all()[0].iteration, s.all().last().map(|e| e.iteration));
        assert_eq!(ends(&Spectra::of_kept(&kept, 45)), (0, Some(40)));
        (10..500).for_each(|i| spectra.push(10 * i, &detail(&[1.0; 200])));
        let kept = spectra.to_keep();
        assert!(kept.values.len() <= MOST_KEPT + 201, "{}", kept.values.len());
        assert_eq!(ends(&Spectra::of_kept(&kept, i64::MAX)), ends(&spectra));
    }

    #[test]
    fn what_does_not_fit_together_is_not_taken() {
        let mut spectra = Spectra::default();
        (0..3).for_each(|i| spectra.push(i, &detail(&[1.0, 0.5])));
        let good = spectra.to_keep();
        for bad in [
            Kept { iterations: vec![0, 2, 1], ..good.clone() },
            Kept { top: vec![2, 2, usize::MAX], ..good.clone() },
            Kept { top: vec![2, 2, 1], ..good.clone() },
            Kept { residuals: Vec::new(), ..good.clone() },
        ] {
            assert_eq!(Spectra::of_kept(&bad, 10), Spectra::default(), "{bad:?}");
        }
    }
}
