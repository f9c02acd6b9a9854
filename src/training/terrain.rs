//! Owns [`Terrain`], what can be tried out on the loss of one network: shaking it, cutting through it, letting
//! rules descend on it.

use std::sync::{Arc, Mutex, PoisonError};

use super::config::{Config, Precision, RuleConfig, RuleKind};
use super::rule::LearningRule;
use super::trainer::{self, StartError};
use crate::numerics::landscape::descent::{Descent, DescentPoint};
use crate::numerics::landscape::plane::Plane;
use crate::numerics::landscape::shake::{Shake, ShakeSettings, shake};
use crate::numerics::landscape::surface::NetworkSurface;
use crate::numerics::landscape::{LandscapeError, cut};
use crate::numerics::network::Network;
use crate::numerics::optimizers::{add_l2_gradient, clip};
use crate::numerics::parallel::{KeepOn, WhileWanted, Workers, for_each};
use crate::numerics::rules::Rule;
use crate::numerics::rules::gradient::{GradientPass, Outcome};
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;

/// The loss of a configuration's network on its probe batch.
pub trait Terrain: Send {
    /// Shakes the network; `None` once `keep_on` says no.
    ///
    /// # Errors
    /// Weights of another size, or not finite.
    fn shake(
        &self,
        weights: &Weights<f64>,
        settings: &ShakeSettings,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Option<Shake>, LandscapeError>;

    /// Loss and accuracy on the line from `from` (t = 0) through `to` (t = 1) at the given t; `None` once
    /// `keep_on` says no.
    ///
    /// # Errors
    /// Weights of another size, the same twice, or not finite.
    fn cut(
        &self,
        from: &Weights<f64>,
        to: &Weights<f64>,
        t: &[f64],
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Option<Vec<Outcome>>, LandscapeError>;

    /// Lets rules descend from one point of a plane, all in step, each first in the plane and then in the full
    /// space, on the probe batch. `tell` is given a few steps at a time.
    ///
    /// # Errors
    /// Where the plane is a line, or belongs to a network of another size.
    fn descend(
        &self,
        wanted: &Descents,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
        tell: &dyn Fn(Descended),
    ) -> Result<(), LandscapeError>;
}

/// Which descents.
#[derive(Clone, Debug)]
pub struct Descents {
    /// The plane.
    pub plane: Arc<Plane>,
    /// Where they start, in units of its directions.
    pub from: [f64; 2],
    /// The rules.
    pub rules: Vec<RuleKind>,
    /// Steps in the plane, and after them in the full space.
    pub steps: [u64; 2],
    /// Updates made, for the schedule's rate.
    pub iteration: i64,
}

/// A few steps of one rule's descent.
#[derive(Clone, Debug, PartialEq)]
pub struct Descended {
    /// Which of the rules.
    pub rule: usize,
    /// The points it came through, in order.
    pub points: Vec<DescentPoint>,
    /// The descent is over because its loss is no longer finite.
    pub diverged: bool,
}

/// Steps between two answers.
const STEPS_AT_ONCE: u64 = 8;

/// The terrain of a configuration, in its precision.
///
/// # Errors
/// Data that do not fit the task.
pub fn terrain(config: &Config, data: &TaskData) -> Result<Box<dyn Terrain>, StartError> {
    Ok(match config.precision {
        Precision::F32 => Box::new(Own::<f32>::new(config, data)?),
        Precision::F64 => Box::new(Own::<f64>::new(config, data)?),
    })
}

struct Own<T> {
    config: Config,
    network: Network<T>,
    probe: Trials<T>,
}

impl<T: Scalar> Own<T> {
    fn new(config: &Config, data: &TaskData) -> Result<Self, StartError> {
        let task = trainer::task::<T>(config, data)?;
        let dims = trainer::dims(&config.network, &*task);
        let network = trainer::network(&config.network, dims);
        Ok(Self { probe: trainer::probe(config, &*task), config: config.clone(), network })
    }

    fn fits(&self, weights: &Weights<f64>) -> Result<(), LandscapeError> {
        let (found, expected) = (weights.flat().len(), self.network.dims.n_weights());
        if weights.dims() == self.network.dims {
            return Ok(());
        }
        Err(LandscapeError::Length { name: "the network", found, expected })
    }
}

impl<T: Scalar> Terrain for Own<T> {
    fn shake(
        &self,
        weights: &Weights<f64>,
        settings: &ShakeSettings,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Option<Shake>, LandscapeError> {
        self.fits(weights)?;
        shake(&self.network, &self.probe, weights, settings, workers, &|| !keep_on())
    }

    fn cut(
        &self,
        from: &Weights<f64>,
        to: &Weights<f64>,
        t: &[f64],
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
    ) -> Result<Option<Vec<Outcome>>, LandscapeError> {
        self.fits(from)?;
        let line = cut::between(from, to)?;
        let surface = NetworkSurface::new(&self.network, &self.probe, &line, workers.width());
        let mut found: Vec<Mutex<Option<Outcome>>> = t.iter().map(|_| Mutex::default()).collect();
        for_each(workers, &mut found, |i, slot| {
            *slot = surface.outcome(t[i], 0.0, keep_on);
        });
        let known = found.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(known.collect())
    }

    fn descend(
        &self,
        wanted: &Descents,
        workers: &dyn Workers,
        keep_on: KeepOn<'_>,
        tell: &dyn Fn(Descended),
    ) -> Result<(), LandscapeError> {
        self.fits(wanted.plane.centre())?;
        let config = &self.config;
        let rate = trainer::learning_rate(config, wanted.iteration.unsigned_abs());
        let optimizer = |n| trainer::optimizer::<f64>(&config.optimizer, n);
        let [a, b] = wanted.from;
        let mut all: Vec<(Slope<'_, T>, Descent<T>, bool)> = wanted
            .rules
            .iter()
            .map(|kind| {
                let descent = Descent::new(Arc::clone(&wanted.plane), a, b, optimizer(2));
                (Slope::new(self, *kind), descent, false)
            })
            .collect();
        // A step is cut short between two chunks of the trials, and then not told.
        let workers = WhileWanted { workers, keep_on };
        let [in_plane, in_full] = wanted.steps;
        let mut step = 0;
        while step < in_plane + in_full && all.iter().any(|(_, _, is_over)| !is_over) {
            let until = if step < in_plane { in_plane } else { in_plane + in_full };
            let steps = STEPS_AT_ONCE.min(until - step);
            for (rule, (slope, descent, is_over)) in all.iter_mut().enumerate() {
                if *is_over {
                    continue;
                }
                if step == in_plane {
                    descent.leave_plane(trainer::optimizer(&config.optimizer, self.network.dims.n_weights()));
                }
                let l2 = if descent.is_in_plane() { 0.0 } else { config.optimizer.l2 };
                let mut points = Vec::with_capacity(STEPS_AT_ONCE as usize);
                for _ in 0..steps {
                    let point = descent.step(&mut |w, g| slope.at(w, g, l2, &workers), rate)?;
                    if !keep_on() {
                        return Ok(());
                    }
                    *is_over = !point.loss.is_finite();
                    points.push(point);
                    if *is_over {
                        break;
                    }
                }
                tell(Descended { rule, points, diverged: *is_over });
            }
            step += steps;
        }
        Ok(())
    }
}

/// The gradient of one rule, as the optimiser gets it in training.
struct Slope<'a, T> {
    own: &'a Own<T>,
    rule: LearningRule<T>,
    pass: GradientPass<T>,
    gradients: Vec<Weights<T>>,
}

impl<'a, T: Scalar> Slope<'a, T> {
    fn new(own: &'a Own<T>, kind: RuleKind) -> Self {
        let (config, dims) = (&own.config, own.network.dims);
        let rule = RuleConfig { kind, ..config.rule };
        let rule = LearningRule::new(&rule, &config.network, dims, config.seed, None);
        let gradients = vec![Weights::zeros(dims); rule.parts().len()];
        Self { own, rule, pass: GradientPass::new(&own.network), gradients }
    }

    /// The loss at `weights`; fills in the rule's gradient there, with L2's, clipped.
    fn at(&mut self, weights: &Weights<T>, out: &mut Weights<T>, l2: f64, workers: &dyn Workers) -> f64 {
        let parts: Vec<&dyn Rule<T>> = self.rule.parts().collect();
        let outcome = self.pass.run(weights, &self.own.probe, &parts, &mut self.gradients, workers);
        let which = self.rule.compose(&mut self.gradients);
        out.flat_mut().copy_from_slice(self.gradients[which].flat());
        if l2 > 0.0 {
            add_l2_gradient(out.flat_mut(), weights.flat(), l2);
        }
        clip(out.flat_mut(), self.own.config.optimizer.clip_norm);
        outcome.loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::landscape::shake::Radii;
    use crate::numerics::parallel::Serial;
    use crate::numerics::weights::{Block, norm};
    use crate::training::config::resolve::{parse, resolve};

    /// Full batch, so that a descent and training see the same trials.
    fn config(rule: &str) -> Config {
        let text = format!(
            "precision = \"f64\"\niterations = 20\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 6\n\
             [rule]\nkind = \"{rule}\"\n"
        );
        resolve(parse(&text).expect("TOML")).expect("sound").config
    }

    fn start(config: &Config) -> Weights<f64> {
        trainer::start(config, &TaskData::None).expect("a run").weights()
    }

    fn plane(weights: &Weights<f64>) -> Arc<Plane> {
        let n = weights.flat().len();
        let unit = |i: usize| (0..n).map(|k| f64::from(u8::from(k % n == i))).collect();
        Arc::new(Plane::new(weights.clone(), Block::All, unit(0), unit(7)).expect("finite"))
    }

    fn descents(terrain: &dyn Terrain, wanted: &Descents) -> Vec<Vec<DescentPoint>> {
        let found = Mutex::new(vec![Vec::new(); wanted.rules.len()]);
        terrain
            .descend(wanted, &Serial, &|| true, &|new| {
                found.lock().expect("one thread")[new.rule].extend(new.points);
            })
            .expect("a plane");
        found.into_inner().expect("one thread")
    }

    #[test]
    fn a_descent_in_the_full_space_is_the_run_itself() {
        for rule in ["bptt", "e-prop", "mdgl", "scaled-bptt"] {
            let config = config(rule);
            let weights = start(&config);
            let terrain = terrain(&config, &TaskData::None).expect("a terrain");
            let plane = plane(&weights);
            let rules = vec![config.rule.kind];
            let wanted =
                Descents { plane: plane.clone(), from: [0.0; 2], rules, steps: [0, 20], iteration: 0 };
            let found = descents(&*terrain, &wanted);
            let mut run = trainer::start(&config, &TaskData::None).expect("a run");
            for point in &found[0] {
                let at = plane.coordinates(&run.weights()).expect("a plane");
                assert_eq!(point.coordinates, at, "{rule}, step {}", point.step);
                let rows = run.step(&Serial).rows;
                // The order of the sums differs: training has its own pass, of the same chunks.
                assert_eq!(rows[0].value, point.loss, "{rule}, step {}", point.step);
            }
            assert_eq!(found[0].len(), 20);
        }
    }

    #[test]
    fn rules_start_together_in_the_plane_and_leave_it_together() {
        let config = config("bptt");
        let weights = start(&config);
        let terrain = terrain(&config, &TaskData::None).expect("a terrain");
        let rules = vec![RuleKind::Bptt, RuleKind::EProp, RuleKind::Mdgl];
        let wanted =
            Descents { plane: plane(&weights), from: [0.3, -0.2], rules, steps: [11, 5], iteration: 0 };
        let found = descents(&*terrain, &wanted);
        for points in &found {
            assert_eq!(points.len(), 16);
            assert_eq!((points[0].coordinates.a, points[0].coordinates.b), (0.3, -0.2));
            assert_eq!(points[0].loss, found[0][0].loss);
            assert!(points[..12].iter().all(|p| p.coordinates.distance < 1e-12));
            assert!(points[12..].iter().all(|p| p.coordinates.distance > 1e-6));
        }
        assert_ne!(found[0][5].coordinates, found[1][5].coordinates);
        let calls = Mutex::new(0);
        let stopped = terrain.descend(&wanted, &Serial, &|| false, &|_| *calls.lock().expect("one") += 1);
        assert_eq!((stopped, calls.into_inner().expect("one")), (Ok(()), 0));
    }

    #[test]
    fn a_cut_has_the_losses_of_its_ends_and_a_shake_that_of_rest() {
        let config = config("bptt");
        let terrain = terrain(&config, &TaskData::None).expect("a terrain");
        let from = start(&config);
        let mut run = trainer::start(&config, &TaskData::None).expect("a run");
        let losses: Vec<f64> = (0..6).map(|_| run.step(&Serial).rows[0].value).collect();
        let mut again = trainer::start(&config, &TaskData::None).expect("a run");
        (0..5).for_each(|_| _ = again.step(&Serial));
        let to = again.weights();
        let cut = terrain.cut(&from, &to, &[0.0, 0.5, 1.0], &Serial, &|| true).expect("a line").expect("all");
        // Weights at t = 1 are from + (to - from): rounding of the weights, and of the sums after it.
        for (found, expected) in [(cut[0].loss, losses[0]), (cut[2].loss, losses[5])] {
            assert!((found - expected).abs() < 1e-12 * expected, "{found} {expected}");
        }
        assert_eq!(terrain.cut(&from, &to, &[0.0, 1.0], &Serial, &|| false), Ok(None));
        let one_line = terrain.cut(&from, &from, &[0.0], &Serial, &|| true);
        assert!(matches!(one_line, Err(LandscapeError::Zero { .. })), "{one_line:?}");
        let settings = ShakeSettings {
            block: Block::Recurrent,
            radii: Radii::Absolute(vec![0.1, 1.0]),
            draws: 4,
            seed: 1,
        };
        let shake = terrain.shake(&to, &settings, &Serial, &|| true).expect("finite").expect("a shake");
        assert!((shake.at_rest.loss - losses[5]).abs() < 1e-12 * losses[5]);
        let length = norm(to.block(Block::Recurrent));
        assert!((shake.shaken[1].relative - 1.0 / length).abs() < 1e-15);
    }

    #[test]
    fn a_network_of_another_size_is_refused() {
        let small = config("bptt");
        let mut large = small.clone();
        large.network.n_rec = 7;
        let terrain = terrain(&large, &TaskData::None).expect("a terrain");
        let weights = start(&small);
        let refused = terrain.cut(&weights, &weights, &[0.0], &Serial, &|| true);
        assert!(matches!(refused, Err(LandscapeError::Length { .. })), "{refused:?}");
    }
}
