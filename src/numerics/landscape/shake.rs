//! Owns the shake: loss and accuracy under random noise on the weights, of growing radius.
//!
//! How much the loss rises is a sharpness that needs no Hessian. Like every measure of that kind it is not
//! invariant: rescaling the weights in a way that leaves the network's outputs as they are changes it (Dinh et
//! al. 2017). To second order the mean rise at radius r is r^2 tr(H) / (2 P).

use std::sync::Mutex;

use super::LandscapeError;
use super::probe::{Forward, Probe, combine};
use crate::numerics::network::{Network, PackedWeights};
use crate::numerics::parallel::{KeepOn, Pool, Workers, for_each};
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::Outcome;
use crate::numerics::scalar::Scalar;
use crate::numerics::statistics::quantiles;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights, norm};

/// What is shaken, and how hard.
#[derive(Clone, Debug, PartialEq)]
pub struct ShakeSettings {
    /// The block that gets noise.
    pub block: Block,
    /// Radii: Euclidean norms of the noise.
    pub radii: Radii,
    /// Directions that are tried, the same ones at every radius.
    pub draws: usize,
    /// Seed of the directions. Two networks of one size shaken with one seed get the same noise.
    pub seed: u64,
}

/// The radii of a shake.
#[derive(Clone, Debug, PartialEq)]
pub enum Radii {
    /// As they are.
    Absolute(Vec<f64>),
    /// In units of the norm of the block's weights.
    Relative(Vec<f64>),
}

/// `n` radii with one ratio from each to the next, from `low` to `high`.
///
/// ```
/// use basinscope::numerics::landscape::shake::geometric;
/// let radii = geometric(0.01, 1.0, 3);
/// assert!(radii.iter().zip([0.01, 0.1, 1.0]).all(|(r, e)| (r / e - 1.0).abs() < 1e-14));
/// ```
pub fn geometric(low: f64, high: f64, n: usize) -> Vec<f64> {
    let ratio = |i: usize| if n < 2 { 0.0 } else { i as f64 / (n - 1) as f64 };
    (0..n).map(|i| low * (high / low).powf(ratio(i))).collect()
}

/// Mean and quartiles of one quantity over the draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Mean; infinite or NaN where a value is.
    pub mean: f64,
    /// Lower quartile. For all three a value that is NaN counts as the largest, and where two values stand
    /// around a quartile it lies between them in proportion (numpy's default).
    pub lower: f64,
    /// Median.
    pub median: f64,
    /// Upper quartile.
    pub upper: f64,
}

impl Spread {
    /// The same above a value.
    pub fn above(self, value: f64) -> Self {
        Self {
            mean: self.mean - value,
            lower: self.lower - value,
            median: self.median - value,
            upper: self.upper - value,
        }
    }
}

/// What one radius does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shaken {
    /// Euclidean norm of the noise.
    pub radius: f64,
    /// The same in units of the norm of the block's weights (infinite where that is 0).
    pub relative: f64,
    /// The loss over the draws.
    pub loss: Spread,
    /// The accuracy over the draws, where the task has one.
    pub accuracy: Option<Spread>,
    /// Draws whose loss is not finite.
    pub n_not_finite: usize,
}

/// A whole shake.
#[derive(Clone, Debug, PartialEq)]
pub struct Shake {
    /// Loss and accuracy at rest.
    pub at_rest: Outcome,
    /// The radii in the order of the settings.
    pub shaken: Vec<Shaken>,
}

/// Shakes a network: the loss of `weights` + radius u, u uniform on the unit sphere of the block.
///
/// Each draw is evaluated by one thread: the number of workers changes no bit. `is_cancelled` is asked before
/// each chunk of the trials of each evaluation; once it says yes there is no result (`Ok(None)`).
///
/// # Errors
/// Where the weights are not finite.
pub fn shake<T: Scalar>(
    network: &Network<T>,
    trials: &Trials<T>,
    weights: &Weights<f64>,
    settings: &ShakeSettings,
    workers: &dyn Workers,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Shake>, LandscapeError> {
    super::check("the shaken network", weights.flat(), network.dims.n_weights())?;
    let length = norm(weights.block(settings.block));
    let radii: Vec<f64> = match &settings.radii {
        Radii::Absolute(radii) => radii.clone(),
        Radii::Relative(radii) => radii.iter().map(|r| r * length).collect(),
    };
    let probe = Probe::new(network, trials);
    let centre = probe.pack(&weights.cast());
    let mut pool: Pool<Buffers<T>> = Pool::default();
    pool.grow(workers.width(), || Buffers {
        shaken: centre.clone(),
        noise: centre.clone(),
        flat: Weights::zeros(network.dims),
        forward: probe.forward_buffers(),
    });
    let mut found: Vec<Mutex<Vec<Outcome>>> =
        (0..settings.draws).map(|_| Mutex::new(Vec::with_capacity(radii.len()))).collect();
    for_each(workers, &mut found, |draw, outcomes| {
        let buffers = &mut *pool.borrow();
        if is_cancelled() {
            return;
        }
        buffers.draw_noise(network, settings, draw);
        let outcome =
            |radius: &f64| buffers.outcome(&probe, &centre, settings.block, *radius, &|| !is_cancelled());
        outcomes.extend(radii.iter().map_while(outcome));
    });
    let found: Vec<Vec<Outcome>> = found
        .into_iter()
        .map(|f| f.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
        .collect();
    if found.iter().any(|outcomes| outcomes.len() < radii.len()) || settings.draws == 0 {
        return Ok(None);
    }
    let keep_on = || !is_cancelled();
    let Some(at_rest) = pool.borrow().outcome(&probe, &centre, settings.block, 0.0, &keep_on) else {
        return Ok(None);
    };
    let shaken = radii.iter().enumerate().map(|(i, radius)| {
        let losses: Vec<f64> = found.iter().map(|draw| draw[i].loss).collect();
        let accuracies: Option<Vec<f64>> = found.iter().map(|draw| draw[i].accuracy).collect();
        Shaken {
            radius: *radius,
            relative: radius / length,
            loss: Spread::of(&losses),
            accuracy: accuracies.map(|a| Spread::of(&a)),
            n_not_finite: losses.iter().filter(|l| !l.is_finite()).count(),
        }
    });
    Ok(Some(Shake { at_rest, shaken: shaken.collect() }))
}

/// What one draw needs.
#[derive(Debug)]
struct Buffers<T> {
    shaken: PackedWeights<T>,
    noise: PackedWeights<T>,
    flat: Weights<T>,
    forward: Forward<T>,
}

impl<T: Scalar> Buffers<T> {
    /// Draws the unit vector number `draw`.
    fn draw_noise(&mut self, network: &Network<T>, settings: &ShakeSettings, draw: usize) {
        // Streams of their own, far from the numbers that other measures use.
        let mut stream = Stream::numbered(settings.seed, Purpose::Measures, (1 << 32) + draw as u64);
        let noise = self.flat.block_mut(settings.block);
        noise.iter_mut().for_each(|v| *v = T::of(stream.normal()));
        let factor = T::of(1.0 / norm(noise));
        noise.iter_mut().for_each(|v| *v *= factor);
        self.noise.pack(network, &self.flat);
    }

    fn outcome(
        &mut self,
        probe: &Probe<'_, T>,
        centre: &PackedWeights<T>,
        block: Block,
        radius: f64,
        keep_on: KeepOn<'_>,
    ) -> Option<Outcome> {
        let Self { shaken, noise, forward, .. } = self;
        combine(shaken, block, centre, (T::of(radius), noise), (T::zero(), noise));
        probe.outcome(forward, shaken, true, keep_on)
    }
}

impl Spread {
    /// Of at least one value.
    ///
    /// ```
    /// use basinscope::numerics::landscape::shake::Spread;
    /// let spread = Spread::of(&[4.0, 1.0, 2.0, 3.0, 10.0]);
    /// assert_eq!(spread, Spread { mean: 4.0, lower: 2.0, median: 3.0, upper: 4.0 });
    /// ```
    pub fn of(values: &[f64]) -> Self {
        let known: Vec<f64> = values.iter().map(|v| if v.is_nan() { f64::INFINITY } else { *v }).collect();
        let quartiles = quantiles(&known, [0.25, 0.5, 0.75]);
        let [lower, median, upper] = quartiles.unwrap_or([f64::NAN; 3]);
        Self { mean: values.iter().sum::<f64>() / values.len() as f64, lower, median, upper }
    }
}
