//! Networks on `romo`, N 64, alpha 0.5: exponents before training, and what flossing does to them.

use basinscope::numerics::lyapunov::{FlossingVariant, LyapunovSpectrum, SpectrumSettings};
use basinscope::numerics::network::Network;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::tasks::{Task, TaskData};
use basinscope::numerics::trials::Trials;
use basinscope::numerics::weights::Weights;
use basinscope::training::config::Config;
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::explore::Explorer;
use basinscope::training::flossing::{FlossingStage, first_tangents};
use basinscope::training::trainer;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=20;

fn config() -> Config {
    let text = "[task]\nkind = \"romo\"\n[network]\nn_rec = 64\nalpha = 0.5\n[flossing]\nk = 1\n";
    resolve(parse(text).expect("TOML")).expect("a sound configuration").config
}

struct Fresh {
    task: Box<dyn Task<f32>>,
    network: Network<f32>,
    probe: Trials<f32>,
    weights: Weights<f32>,
}

fn fresh(config: &Config) -> Fresh {
    let task = trainer::task(config, &TaskData::None).expect("romo's own settings");
    let dims = trainer::dims(&config.network, &*task);
    let weights = trainer::initial_weights(&config.network, dims, config.seed);
    let (network, probe) = (trainer::network(&config.network, dims), trainer::probe(config, &*task));
    Fresh { task, network, probe, weights }
}

impl Fresh {
    /// The leading exponent on 64 trials.
    fn leading(&self, spectrum: &mut LyapunovSpectrum<f32>, config: &Config) -> f64 {
        assert_eq!(self.probe.n_batch(), 64);
        let settings = SpectrumSettings::leading(1, config.measure.lyapunov_skip);
        let q0 = first_tangents(config.seed, &self.network);
        spectrum.run(&self.weights, &self.probe, settings, q0.view(), &Serial).mean[0]
    }
}

/// SCIENCE section 6: mean and standard deviation over 20 seeds, 64 trials. The standard error of such a mean is
/// at most 0.012, that of the standard deviation 16 %. The explorer's scan takes 16 trials.
#[test]
fn untrained_networks_have_the_stated_exponents() {
    let mut config = config();
    let mut explorer = Explorer::new(&config, &TaskData::None).expect("an explorer");
    let mut spectrum = LyapunovSpectrum::new(&fresh(&config).network);
    for (gain, stated, stated_sd) in
        [(0.2, -0.591, 0.012), (0.5, -0.433, 0.024), (1.0, -0.206, 0.040), (1.5, -0.012, 0.055)]
    {
        let (mut measured, mut scanned) = (Vec::new(), Vec::new());
        for seed in SEEDS {
            (config.seed, config.network.gain) = (seed, gain);
            measured.push(fresh(&config).leading(&mut spectrum, &config));
            let point = explorer.scan_point(gain, seed, 0, &Serial, &|| true).expect("nothing stops it");
            scanned.push(point.leading);
        }
        for (name, found) in [("measured", measured), ("scanned", scanned)] {
            let mean = found.iter().sum::<f64>() / 20.0;
            let sd = (found.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
            println!("gain {gain}, {name}: {mean} ({sd}), stated {stated} ({stated_sd})");
            assert!((mean - stated).abs() < 0.03, "gain {gain}, {name}: {mean}, stated {stated}");
            assert!((0.5..2.0).contains(&(sd / stated_sd)), "gain {gain}, {name}: sd {sd}");
        }
    }
}

/// 100 iterations of a run's own flossing, k = 1; the exponent is then measured on the 64 trials of the probe.
#[test]
fn flossing_brings_the_leading_exponent_to_zero() {
    let mut config = config();
    let mut spectrum = LyapunovSpectrum::new(&fresh(&config).network);
    for variant in [FlossingVariant::Exact, FlossingVariant::Detached, FlossingVariant::Local] {
        config.flossing.variant = variant;
        for gain in [0.2, 0.5, 1.0] {
            let mut found = Vec::new();
            for seed in SEEDS {
                (config.seed, config.network.gain) = (seed, gain);
                let mut at = fresh(&config);
                let before = at.leading(&mut spectrum, &config);
                let mut stage = FlossingStage::new(&config, &at.network, &TaskData::None);
                for _ in 0..100 {
                    stage.step(&mut at.weights, &*at.task, &Serial);
                }
                found.push((before, at.leading(&mut spectrum, &config)));
            }
            let worst = found.iter().fold(0.0f64, |m, (_, after)| m.max(after.abs()));
            println!("{variant:?}, gain {gain}: worst of {} seeds {worst}", found.len());
            for (seed, (before, after)) in SEEDS.zip(found) {
                assert!(before < -0.05, "{variant:?}, gain {gain}, seed {seed}: {before}");
                assert!(after.abs() < 0.01, "{variant:?}, gain {gain}, seed {seed}: {before} to {after}");
            }
        }
    }
}
