//! Owns [`GainScan`], the leading exponent of fresh networks against their initial gain.

use super::{FreeRun, LyapunovSpectrum, Skip, SpectrumSettings, orthonormal_columns};
use crate::numerics::init::InitialWeights;
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;

/// What drives the networks of a scan.
#[derive(Clone, Copy, Debug)]
pub enum Drive<'a, T> {
    /// The inputs of these trials.
    Trials(&'a Trials<T>),
    /// Nothing: free runs from random states.
    Free(FreeRun),
}

/// The leading exponent as a pure function of gain and seed, with buffers kept from call to call.
#[derive(Debug)]
pub struct GainScan<T> {
    spectrum: LyapunovSpectrum<T>,
    init: InitialWeights,
    skip: Skip,
}

impl<T: Scalar> GainScan<T> {
    /// A scan of `network`, its weights drawn as `init` says but for the gain, `skip` as for a spectrum.
    pub fn new(network: &Network<T>, init: InitialWeights, skip: Skip) -> Self {
        Self { spectrum: LyapunovSpectrum::new(network), init, skip }
    }

    /// The leading exponent, in nats per step and averaged over the trials, of the network that starts from
    /// `seed` with this gain: the same weights as a run of that seed has. NaN where all trials are silent.
    ///
    /// The tangent and the states of free runs come from streams of the seed, the same for every gain.
    pub fn leading_exponent(
        &mut self,
        gain: f64,
        seed: u64,
        drive: Drive<'_, T>,
        workers: &dyn Workers,
    ) -> f64 {
        let init = InitialWeights { gain, ..self.init };
        let weights = init.draw(self.spectrum.network().dims, &mut Stream::new(seed, Purpose::Weights));
        let mut stream = Stream::numbered(seed, Purpose::Measures, GAIN_SCAN);
        let q0 = orthonormal_columns(self.spectrum.n_state(), 1, &mut stream);
        let settings = SpectrumSettings::leading(1, self.skip);
        let exponents = match drive {
            Drive::Trials(trials) => self.spectrum.run(&weights, trials, settings, q0.view(), workers),
            Drive::Free(run) => {
                self.spectrum.run_free(&weights, run, settings, q0.view(), &mut stream, workers)
            }
        };
        exponents.mean[0]
    }
}

/// Number of the scan's stream among those of the measures.
const GAIN_SCAN: u64 = 0x6761_696e;

/// The gain at which exponents cross zero from below, by straight lines between points of ascending gain; the
/// first one if there are several, `None` if there is none. Points that are not finite are passed over.
///
/// ```
/// use basinscope::numerics::lyapunov::zero_crossing;
/// assert_eq!(zero_crossing(&[(1.0, -0.2), (1.5, f64::NAN), (2.0, 0.2)]), Some(1.5));
/// assert_eq!(zero_crossing(&[(1.0, 0.1), (2.0, 0.2)]), None);
/// ```
pub fn zero_crossing(points: &[(f64, f64)]) -> Option<f64> {
    let finite: Vec<_> = points.iter().filter(|(_, lambda)| lambda.is_finite()).collect();
    finite.windows(2).find(|pair| pair[0].1 < 0.0 && pair[1].1 >= 0.0).map(|pair| {
        let ((g0, l0), (g1, l1)) = (*pair[0], *pair[1]);
        g0 + (g1 - g0) * l0 / (l0 - l1)
    })
}
