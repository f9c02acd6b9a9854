//! The spectrum against the plain route, in every corner of the settings.

use basinscope::numerics::lyapunov::{Exponents, LyapunovSpectrum, Orthonormalise, Skip, SpectrumSettings};
use basinscope::numerics::network::Activation;
use basinscope::numerics::parallel::Serial;
use proptest::prelude::*;

use crate::plain::{CASE, Case, Problem, difference, problem};

impl Problem {
    pub fn spectrum(&self, settings: SpectrumSettings) -> Exponents {
        LyapunovSpectrum::new(&self.network).run(
            &self.weights,
            &self.trials,
            settings,
            self.q0.view(),
            &Serial,
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The sparing route promises a relative error of 1e-10 in each pivot of f64, and the route with every step
    /// rounding times the condition of one Jacobian; 1e-8 leaves room for the mean and none for a wrong term.
    #[test]
    fn exponents_equal_those_of_a_dense_qr_after_every_step(
        seed in 0u64..1000,
        alpha in 0.1..0.9f64,
        activation in prop_oneof![Just(Activation::Relu), Just(Activation::Tanh)],
        adaptive in prop_oneof![Just(0), 1usize..6],
        gain in 0.2..2.0f64,
        n in prop_oneof![Just(1usize), 2usize..12, Just(12)],
        skip in prop_oneof![Just(None), (0usize..8).prop_map(Some)],
        sparing in proptest::bool::ANY,
    ) {
        let case = Case { seed, alpha, activation, adaptive, gain, ..CASE };
        let p = problem(case);
        let (expected, expected_skip) = p.exponents(n, skip);
        let settings = SpectrumSettings {
            n_exponents: n,
            skip: skip.map_or(Skip::Auto, Skip::Steps),
            orthonormalise: if sparing { Orthonormalise::Sparing } else { Orthonormalise::EveryStep },
            convergence: false,
        };
        let found = p.spectrum(settings);
        prop_assert_eq!(found.skip, expected_skip);
        prop_assert_eq!((found.finite, found.silent_trials), (n, 0));
        let error = difference(&found.per_trial, &expected);
        prop_assert!(error < 1e-8, "{:e}", error);
    }
}
