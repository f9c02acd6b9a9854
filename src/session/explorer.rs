//! Owns the gain explorer's state: the newest look at a gain, the floss beside it, and the scan over gains.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::background::{Answer, Explorer as Thread};
use crate::files::task_data;
use crate::numerics::lyapunov::zero_crossing;
use crate::numerics::statistics::{mean_and_sd, quantiles};
use crate::training::config::Config;
use crate::training::explore::{Explorer, Look, ScanPoint};

/// What a user asks the explorer.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// The network of this initial gain.
    Look(f64),
    /// The same after flossing, beside the look.
    Floss(f64),
    /// A scan over gains and seeds; each network trained for so many updates (0 = not trained).
    Scan {
        /// Updates of each network.
        updates: u64,
    },
    /// Stops the scan; what it has found stays.
    StopScan,
}

enum Told {
    Look(Box<Look>),
    Floss(Box<Look>),
    Scan(ScanPoint),
    Refused(String),
}

/// The gains of a scan (`[own]`).
pub const GAINS: [f64; 16] =
    [0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.65, 1.8, 2.0];

/// Seeds of a scan (`[own]`).
pub const SEEDS: u64 = 5;

/// A scan at one gain: mean and sample standard deviation over the seeds so far, those left out that are not
/// finite; quartiles for the loss, which has no scale of its own. NaN where none is left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Initial gain.
    pub gain: f64,
    /// Seeds.
    pub seeds: usize,
    /// Leading exponent, nats per step.
    pub leading: (f64, f64),
    /// Cosine of rule and exact gradient.
    pub cosine: (f64, f64),
    /// rho of rule and exact gradient.
    pub rho: (f64, f64),
    /// Loss after the updates: lower quartile, median and upper quartile over all seeds, a run that diverged counting
    /// as infinite.
    pub loss: [f64; 3],
    /// Networks whose leading exponent is not finite.
    pub not_finite: usize,
    /// Networks with a gradient of 0, where cosine and rho are not defined.
    pub undefined: usize,
    /// Runs that diverged.
    pub diverged: usize,
}

/// What the explorer knows.
pub struct GainExplorer {
    looks: Thread<Told>,
    scans: Thread<Told>,
    engine: crate::engine::pool::Processors,
    look: Option<Box<Look>>,
    floss: Option<Box<Look>>,
    scan: Vec<ScanPoint>,
    /// Updates of the scan's networks.
    scanned_updates: u64,
    /// Settings that look and scan belong to.
    of: Option<Arc<Config>>,
    error: Option<String>,
    made: Arc<Mutex<Option<(Arc<Config>, Explorer)>>>,
}

impl GainExplorer {
    /// An explorer on threads of its own; it knows nothing yet.
    pub fn new(engine: &Engine) -> Self {
        Self {
            looks: engine.explorer("gain explorer"),
            scans: engine.explorer("gain scan"),
            engine: engine.measure_processors(),
            look: None,
            floss: None,
            scan: Vec::new(),
            scanned_updates: 0,
            of: None,
            error: None,
            made: Arc::default(),
        }
    }

    /// The newest look.
    pub fn look(&self) -> Option<&Look> {
        self.look.as_deref()
    }

    /// The look after flossing, of the same gain as [`GainExplorer::look`].
    pub fn floss(&self) -> Option<&Look> {
        self.floss.as_deref()
    }

    /// The scan as far as it is, and the updates that its networks had.
    pub fn scan(&self) -> (&[ScanPoint], u64) {
        (&self.scan, self.scanned_updates)
    }

    /// The scanned gain next to this one.
    pub fn nearest(&self, gain: f64) -> Option<Summary> {
        let distance = |s: &Summary| (s.gain - gain).abs();
        self.summaries().into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// The scan by gain, ascending.
    pub fn summaries(&self) -> Vec<Summary> {
        let at = |gain: f64| {
            let points = || self.scan.iter().filter(move |p| p.gain == gain);
            let of = |value: fn(&ScanPoint) -> f64| of_finite(points().map(value));
            Summary {
                gain,
                seeds: points().count(),
                leading: of(|p| p.leading),
                cosine: of(|p| p.cosine),
                rho: of(|p| p.rho),
                loss: quartiles(points().map(|p| p.loss)),
                not_finite: points().filter(|p| !p.leading.is_finite()).count(),
                undefined: points().filter(|p| !p.cosine.is_finite() || !p.rho.is_finite()).count(),
                diverged: points().filter(|p| p.loss == f64::INFINITY).count(),
            }
        };
        GAINS.into_iter().map(at).filter(|s| s.seeds > 0).collect()
    }

    /// The gain at which the mean leading exponent crosses zero.
    pub fn zero_crossing(&self) -> Option<f64> {
        let points: Vec<(f64, f64)> = self.summaries().iter().map(|s| (s.gain, s.leading.0)).collect();
        zero_crossing(&points)
    }

    /// How far the scan is, in [0, 1]; `None` where none is under way.
    pub fn scan_share(&self) -> Option<f64> {
        let total = GAINS.len() as f64 * SEEDS as f64;
        self.scans.is_busy().then(|| self.scan.len() as f64 / total)
    }

    /// Whether a look or a floss is under way.
    pub fn is_looking(&self) -> bool {
        self.looks.is_busy()
    }

    /// Why there is no look.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// The settings that the answers belong to.
    pub fn config(&self) -> Option<&Config> {
        self.of.as_deref()
    }

    /// Asks something of networks with these settings. What belongs to other settings is forgotten.
    pub fn ask(&mut self, ask: Ask, config: &Config) {
        if self.of.as_deref().is_none_or(|of| !alike(of, config)) {
            self.forget();
            self.of = Some(Arc::new(config.clone()));
        }
        let Some(config) = self.of.clone() else { return };
        self.error = None;
        let (workers, made) = (self.engine.share(), Arc::clone(&self.made));
        match ask {
            Ask::Look(gain) => {
                self.floss = None;
                self.looks.ask(move |tell, _| {
                    with_explorer(&made, &config, tell, |explorer| {
                        tell(Told::Look(Box::new(explorer.look(gain, &workers))));
                    });
                });
            }
            Ask::Floss(gain) => self.looks.ask(move |tell, keep_on| {
                with_explorer(&made, &config, tell, |explorer| {
                    let iterations = match config.flossing.iterations {
                        0 => FLOSSING_ITERATIONS,
                        n => n,
                    };
                    tell(Told::Look(Box::new(explorer.look(gain, &workers))));
                    if let Some(look) = explorer.floss(gain, iterations, &workers, keep_on) {
                        tell(Told::Floss(Box::new(look)));
                    }
                });
            }),
            Ask::Scan { updates } => {
                self.scan.clear();
                self.scanned_updates = updates;
                self.scans.ask(move |tell, keep_on| {
                    // An explorer of its own: looks go on meanwhile.
                    with_explorer(&Mutex::default(), &config, tell, |explorer| {
                        for seed in 0..SEEDS {
                            for gain in GAINS {
                                let seed = config.seed + seed;
                                match explorer.scan_point(gain, seed, updates, &workers, keep_on) {
                                    Some(point) => tell(Told::Scan(point)),
                                    None => return,
                                }
                            }
                        }
                    });
                });
            }
            Ask::StopScan => self.scans.forget(),
        }
    }

    fn forget(&mut self) {
        self.looks.forget();
        self.scans.forget();
        (self.look, self.floss, self.error) = (None, None, None);
        self.scan.clear();
    }

    /// Takes in what has arrived.
    pub fn drain(&mut self) -> bool {
        let mut heard = false;
        let answers = std::iter::from_fn(|| self.looks.answer().or_else(|| self.scans.answer()));
        for answer in answers.take(MOST_ANSWERS) {
            heard = true;
            match answer {
                Answer::Result(Told::Look(look)) => self.look = Some(look),
                Answer::Result(Told::Floss(look)) => self.floss = Some(look),
                Answer::Result(Told::Scan(point)) => self.scan.push(point),
                Answer::Result(Told::Refused(error)) | Answer::Failed(error) => self.error = Some(error),
                Answer::Done => {}
            }
        }
        heard
    }

    /// Waits for the next answer (tests).
    pub fn wait(&mut self, at_most: Duration) {
        let start = std::time::Instant::now();
        while (self.looks.is_busy() || self.scans.is_busy()) && start.elapsed() < at_most {
            if !self.drain() {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        self.drain();
    }
}

/// Flossing iterations before training where the settings ask for none (P2).
const FLOSSING_ITERATIONS: u64 = 100;

/// Answers taken in at once: a frame never takes in more.
const MOST_ANSWERS: usize = 64;

/// Whether two settings differ in nothing that a look depends on but the gain.
fn alike(a: &Config, b: &Config) -> bool {
    let mut a = a.clone();
    a.network.gain = b.network.gain;
    (a.seed, &a.task, &a.network, &a.rule, &a.flossing) == (b.seed, &b.task, &b.network, &b.rule, &b.flossing)
        && a.optimizer == b.optimizer
        && a.schedule == b.schedule
        && (a.measure.lyapunov_skip, a.measure.lyapunov_drive, a.measure.probe_trials)
            == (b.measure.lyapunov_skip, b.measure.lyapunov_drive, b.measure.probe_trials)
}

/// The explorer of these settings, made where the last one has others.
fn with_explorer(
    made: &Mutex<Option<(Arc<Config>, Explorer)>>,
    config: &Arc<Config>,
    tell: &dyn Fn(Told),
    f: impl FnOnce(&mut Explorer),
) {
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    if made.as_ref().is_none_or(|(of, _)| of != config) {
        let explorer = task_data::load(&config.task.own)
            .map_err(|e| e.to_string())
            .and_then(|data| Explorer::new(config, &data).map_err(|e| e.to_string()));
        match explorer {
            Ok(explorer) => *made = Some((Arc::clone(config), explorer)),
            Err(error) => return tell(Told::Refused(error)),
        }
    }
    if let Some((_, explorer)) = made.as_mut() {
        f(explorer);
    }
}

/// The quartiles of what is not NaN; NaN for none.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let values: Vec<f64> = values.filter(|v| !v.is_nan()).collect();
    quantiles(&values, [0.25, 0.5, 0.75]).unwrap_or([f64::NAN; 3])
}

/// Mean and sample standard deviation of the finite values; (NaN, NaN) for none.
fn of_finite(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    mean_and_sd(&finite).unwrap_or((f64::NAN, f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config::resolve::{parse, resolve};

    const LONG: Duration = Duration::from_secs(60);

    fn config(n_rec: usize) -> Config {
        let text = format!("[task]\nkind = \"romo\"\n[network]\nn_rec = {n_rec}\n");
        resolve(parse(&text).expect("TOML")).expect("sound").config
    }

    fn explorer() -> GainExplorer {
        GainExplorer::new(&Engine::new(1, Arc::new(|| {})))
    }

    #[test]
    fn the_newest_look_is_the_one_that_counts() {
        let mut explorer = explorer();
        for gain in [0.3, 0.6, 1.2] {
            explorer.ask(Ask::Look(gain), &config(16));
        }
        explorer.wait(LONG);
        let look = explorer.look().expect("a look");
        assert_eq!((look.gain, look.flossed, look.exponents.mean.len()), (1.2, 0, 16));
        assert!(explorer.floss().is_none() && !explorer.is_looking());
    }

    #[test]
    fn flossing_is_shown_beside_the_network_before_it() {
        let mut explorer = explorer();
        let mut config = config(12);
        config.flossing.iterations = 20;
        explorer.ask(Ask::Floss(0.4), &config);
        explorer.wait(LONG);
        let (before, after) = (explorer.look().expect("before"), explorer.floss().expect("after"));
        assert_eq!((before.flossed, after.flossed), (0, 20));
        assert!(after.exponents.max().abs() < before.exponents.max().abs());
        explorer.ask(Ask::Look(0.5), &config);
        assert!(explorer.floss().is_none(), "another gain has not been flossed");
    }

    #[test]
    fn a_scan_has_mean_and_spread_over_seeds_and_finds_the_crossing() {
        let mut explorer = explorer();
        explorer.ask(Ask::Scan { updates: 0 }, &config(48));
        explorer.wait(LONG);
        let summaries = explorer.summaries();
        assert_eq!(summaries.len(), GAINS.len());
        assert!(summaries.iter().all(|s| s.seeds == SEEDS as usize && s.leading.1 > 0.0));
        assert!(
            summaries.windows(2).all(|w| w[0].leading.0 < w[1].leading.0 + 0.05),
            "it rises with the gain"
        );
        // SCIENCE: -0.012 (0.055) at gain 1.5, and ReLU crosses zero at sqrt 2 for large N.
        let crossing = explorer.zero_crossing().expect("a crossing");
        assert!((1.2..1.8).contains(&crossing), "{crossing}");
        assert_eq!(explorer.scan_share(), None);
    }

    #[test]
    fn other_settings_forget_what_was_found_and_a_stopped_scan_keeps_it() {
        let mut explorer = explorer();
        explorer.ask(Ask::Look(1.0), &config(12));
        explorer.wait(LONG);
        assert!(explorer.look().is_some());
        let mut other = config(12);
        other.seed = 9;
        explorer.ask(Ask::Look(1.0), &other);
        assert!(explorer.look().is_none());
        explorer.ask(Ask::Scan { updates: 100_000 }, &other);
        explorer.ask(Ask::StopScan, &other);
        assert_eq!(explorer.scan_share(), None);
    }
}
