//! Owns the gain explorer's numbers: what a fresh network of a given initial gain is like before training, after
//! flossing, and how well it has learned after a few updates.

use super::config::Config;
use super::flossing::{FlossingStage, first_tangents};
use super::measures::Along;
use super::rule::LearningRule;
use super::run::{StopReason, TrialActivity};
use super::trainer::{self, StartError};
use crate::numerics::curvature::alignment::alignment;
use crate::numerics::lyapunov::{Exponents, LyapunovSpectrum, SpectrumSettings, eigenvalues};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::Workers;
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::rules::{Bptt, Rule};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::{Task, TaskData};
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// A network before training.
#[derive(Clone, Debug)]
pub struct Look {
    /// Its initial gain.
    pub gain: f64,
    /// Flossing iterations that it has had.
    pub flossed: u64,
    /// Probe trials that it is looked at on.
    pub trials: usize,
    /// All Lyapunov exponents, nats per step.
    pub exponents: Exponents,
    /// Eigenvalues of w_rec as (real, imaginary); `None` where they were not found.
    pub eigenvalues: Option<Vec<(f64, f64)>>,
    /// The first probe trial.
    pub activity: TrialActivity,
    /// rho and cosine of the configured rule's gradient of w_rec against the exact one on the probe; `None`
    /// where either is 0.
    pub lie: Option<(f64, f64)>,
}

/// One network of a scan over gains and seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanPoint {
    /// Initial gain.
    pub gain: f64,
    /// Seed.
    pub seed: u64,
    /// Leading exponent before training, nats per step.
    pub leading: f64,
    /// Cosine of the configured rule's gradient against the exact one before training; NaN where either is 0.
    pub cosine: f64,
    /// rho of the same gradients; NaN where the exact one is 0.
    pub rho: f64,
    /// Loss on the probe batch after the updates asked for; NaN where none were, infinite where the run
    /// diverged.
    pub loss: f64,
    /// Probe trials that all this is of.
    pub trials: usize,
}

/// Probe trials of a look (`[own]`: enough for a mean, few enough for 100 ms at 64 units).
const TRIALS: usize = 16;

/// Looks at fresh networks. A look at gain g and seed s is at the very weights that a run of that gain and seed
/// starts from.
pub struct Explorer {
    config: Config,
    data: TaskData,
    network: Network<f32>,
    task: Box<dyn Task<f32>>,
    probe: Trials<f32>,
    spectrum: LyapunovSpectrum<f32>,
}

impl Explorer {
    /// Explores networks of this configuration, in f32.
    ///
    /// # Errors
    /// Where the task's data do not fit.
    pub fn new(config: &Config, data: &TaskData) -> Result<Self, StartError> {
        let data = data.without_weights();
        let task = trainer::task::<f32>(config, &data)?;
        let dims = trainer::dims(&config.network, &*task);
        let network = trainer::network(&config.network, dims);
        let trials = TRIALS.min(config.measure.probe_trials.max(1));
        let probe = task.probe(trials, &mut Stream::new(config.seed, Purpose::Probe));
        let spectrum = LyapunovSpectrum::new(&network);
        Ok(Self { config: config.clone(), data, network, task, probe, spectrum })
    }

    fn fresh(&self, gain: f64, seed: u64) -> Weights<f32> {
        let network = super::config::NetworkConfig { gain, ..self.config.network.clone() };
        trainer::initial_weights(&network, self.network.dims, seed)
    }

    /// The network of this gain and the configuration's seed.
    pub fn look(&mut self, gain: f64, workers: &dyn Workers) -> Look {
        let weights = self.fresh(gain, self.config.seed);
        self.look_at(&weights, gain, 0, workers)
    }

    /// The same after `iterations` of flossing, or `None` once `keep_on` says no. What is not finite ends it
    /// early.
    pub fn floss(
        &mut self,
        gain: f64,
        iterations: u64,
        workers: &dyn Workers,
        keep_on: &dyn Fn() -> bool,
    ) -> Option<Look> {
        let mut weights = self.fresh(gain, self.config.seed);
        let mut stage = FlossingStage::new(&self.config, &self.network, &TaskData::None);
        let mut done = 0;
        while done < iterations {
            if !keep_on() {
                return None;
            }
            let found = stage.step(&mut weights, &*self.task, workers);
            if !found.loss.is_finite() || !found.gradient_norm.is_finite() {
                break;
            }
            done += 1;
        }
        Some(self.look_at(&weights, gain, done, workers))
    }

    fn look_at(&mut self, weights: &Weights<f32>, gain: f64, flossed: u64, workers: &dyn Workers) -> Look {
        let settings = SpectrumSettings::leading(0, self.config.measure.lyapunov_skip);
        let q0 = first_tangents(self.config.seed, &self.network);
        let (drive, seed) = (self.config.measure.lyapunov_drive, self.config.seed);
        let along = Along { drive, probe: &self.probe, seed };
        let exponents = along.exponents(&mut self.spectrum, weights, settings, q0.view(), workers);
        Look {
            gain,
            flossed,
            trials: self.probe.n_batch(),
            exponents,
            eigenvalues: eigenvalues(weights.w_rec()),
            activity: activity(&self.network, weights, &self.probe),
            lie: self.lie(weights, self.config.seed, workers),
        }
    }

    /// rho and cosine of the configured rule over w_rec.
    fn lie(&self, weights: &Weights<f32>, seed: u64, workers: &dyn Workers) -> Option<(f64, f64)> {
        let (config, dims) = (&self.config, self.network.dims);
        let rule = LearningRule::<f32>::new(&config.rule, &config.network, dims, seed, None);
        let mut rules: Vec<&dyn Rule<f32>> = rule.parts().collect();
        rules.push(&Bptt);
        let mut gradients = vec![Weights::zeros(dims); rules.len()];
        GradientPass::new(&self.network).run(weights, &self.probe, &rules, &mut gradients, workers);
        let exact = gradients.len() - 1;
        let own = rule.compose(&mut gradients[..exact]);
        let block = Block::Recurrent;
        let found = alignment(gradients[own].block(block), gradients[exact].block(block))?;
        Some((found.rho, found.cosine?))
    }

    /// One network of a scan; with `updates` above 0 it is trained for so many. `None` once `keep_on` says no.
    pub fn scan_point(
        &mut self,
        gain: f64,
        seed: u64,
        updates: u64,
        workers: &dyn Workers,
        keep_on: &dyn Fn() -> bool,
    ) -> Option<ScanPoint> {
        let weights = self.fresh(gain, seed);
        let settings = SpectrumSettings::leading(1, self.config.measure.lyapunov_skip);
        let q0 = first_tangents(seed, &self.network);
        let along = Along { drive: self.config.measure.lyapunov_drive, probe: &self.probe, seed };
        let leading = along.exponents(&mut self.spectrum, &weights, settings, q0.view(), workers).max();
        let (rho, cosine) = self.lie(&weights, seed, workers).unwrap_or((f64::NAN, f64::NAN));
        let loss = if updates > 0 { self.trained(gain, seed, updates, workers, keep_on)? } else { f64::NAN };
        Some(ScanPoint { gain, seed, leading, cosine, rho, loss, trials: self.probe.n_batch() })
    }

    /// Loss on the probe after `updates`; infinite where the run diverged.
    fn trained(
        &self,
        gain: f64,
        seed: u64,
        updates: u64,
        workers: &dyn Workers,
        keep_on: &dyn Fn() -> bool,
    ) -> Option<f64> {
        let mut config = self.config.clone();
        config.seed = seed;
        config.network.gain = gain;
        config.iterations = updates;
        let Ok(mut run) = trainer::start(&config, &self.data) else { return Some(f64::NAN) };
        loop {
            if !keep_on() {
                return None;
            }
            match run.step(workers).stop {
                Some(StopReason::Diverged { .. }) => return Some(f64::INFINITY),
                Some(_) => break,
                None => {}
            }
        }
        let weights = run.weights().cast();
        Some(GradientPass::new(&self.network).run(&weights, &self.probe, &[], &mut [], workers).loss)
    }
}

/// Input, units and output of the first of `trials`.
fn activity<T: Scalar>(network: &Network<T>, weights: &Weights<T>, trials: &Trials<T>) -> TrialActivity {
    let mut packed = PackedWeights::zeros(network.dims);
    packed.pack(network, weights);
    let mut activity = Activity::new(network, trials.n_steps(), 1, false);
    activity.load(trials, 0);
    activity.forward(network, &packed);
    TrialActivity::of(network.dims, &activity, trials, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::parallel::Serial;
    use crate::training::config::resolve::{parse, resolve};

    fn explorer(n_rec: usize) -> Explorer {
        let text = format!("[task]\nkind = \"romo\"\n[network]\nn_rec = {n_rec}\n");
        let config = resolve(parse(&text).expect("TOML")).expect("sound").config;
        Explorer::new(&config, &TaskData::None).expect("an explorer")
    }

    #[test]
    fn a_look_is_at_the_weights_that_a_run_of_that_gain_starts_from() {
        let mut explorer = explorer(24);
        let look = explorer.look(0.7, &Serial);
        let mut config = explorer.config.clone();
        config.network.gain = 0.7;
        let run = trainer::start(&config, &TaskData::None).expect("a run");
        let expected = eigenvalues(run.weights().w_rec()).expect("found");
        let radius = |v: &[(f64, f64)]| v[0].0.hypot(v[0].1);
        let own = look.eigenvalues.expect("found");
        assert!((radius(&own) - radius(&expected)).abs() < 1e-6);
        assert_eq!(look.exponents.mean.len(), 24);
        assert_eq!(look.activity.z.ncols(), 24);
    }

    /// SCIENCE: on romo the cosine falls and the exponent rises with the gain.
    #[test]
    fn a_larger_gain_has_a_larger_exponent_and_a_smaller_cosine() {
        let mut explorer = explorer(64);
        let at = |explorer: &mut Explorer, gain| {
            explorer.scan_point(gain, 1, 0, &Serial, &|| true).expect("nothing stops it")
        };
        let (small, large) = (at(&mut explorer, 0.2), at(&mut explorer, 1.5));
        assert!(small.leading < -0.5 && large.leading > -0.3, "{small:?} {large:?}");
        assert!(small.cosine > 0.98 && large.cosine < 0.95, "{small:?} {large:?}");
        assert!(small.loss.is_nan());
    }

    #[test]
    fn flossing_moves_the_leading_exponent_towards_zero() {
        let mut explorer = explorer(24);
        let before = explorer.look(0.3, &Serial);
        let after = explorer.floss(0.3, 30, &Serial, &|| true).expect("nothing stops it");
        assert_eq!(after.flossed, 30);
        assert!(after.exponents.max().abs() < before.exponents.max().abs());
        assert!(explorer.floss(0.3, 30, &Serial, &|| false).is_none());
    }

    #[test]
    fn a_scan_that_trains_ends_with_the_loss_of_a_run() {
        let mut explorer = explorer(16);
        let point = explorer.scan_point(0.9, 3, 5, &Serial, &|| true).expect("nothing stops it");
        assert!(point.loss > 0.0 && point.loss.is_finite(), "{point:?}");
        let untrained = explorer.fresh(0.9, 3);
        let before =
            GradientPass::new(&explorer.network).run(&untrained, &explorer.probe, &[], &mut [], &Serial).loss;
        assert_ne!(point.loss, before);
    }
}
