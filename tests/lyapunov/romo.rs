//! Networks on `romo`, N 64, alpha 0.5: exponents before training, and what flossing does to them.

use basinscope::numerics::init::{Init, InitialWeights};
use basinscope::numerics::lyapunov::{
    Drive, Flossing, FlossingSettings, FlossingVariant, GainScan, LyapunovSpectrum, Skip, SpectrumSettings,
    dense_orthonormal,
};
use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::optimizers::Adam;
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::tasks::{Task, TaskData, TaskKind, build};
use basinscope::numerics::weights::{Dims, Weights};

const DIMS: Dims = Dims { n_in: 1, n_rec: 64, n_out: 2 };

const INIT: InitialWeights = InitialWeights {
    gain: 1.0,
    input: Init::UniformFanIn,
    input_scale: 1.0,
    readout: Init::UniformFanIn,
    readout_scale: 1.0,
};

fn romo() -> Box<dyn Task<f32>> {
    build(&TaskKind::Romo.defaults(), 32, 64, 1, &TaskData::None).expect("romo's own settings")
}

fn network() -> Network<f32> {
    Network::plain(DIMS, 0.5, Activation::Relu)
}

/// SCIENCE section 6: mean and standard deviation over 20 seeds, 64 trials. The standard error of such a mean is
/// at most 0.012, that of the standard deviation 16 %.
#[test]
fn untrained_networks_have_the_stated_exponents() {
    let task = romo();
    let mut scan = GainScan::new(&network(), INIT, Skip::Auto);
    for (gain, stated, stated_sd) in
        [(0.2, -0.591, 0.012), (0.5, -0.433, 0.024), (1.0, -0.206, 0.040), (1.5, -0.012, 0.055)]
    {
        let found: Vec<f64> = (1..=20)
            .map(|seed| {
                let trials = task.probe(64, &mut Stream::new(seed, Purpose::Probe));
                scan.leading_exponent(gain, seed, Drive::Trials(&trials), &Serial)
            })
            .collect();
        let mean = found.iter().sum::<f64>() / 20.0;
        let sd = (found.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / 19.0).sqrt();
        println!("gain {gain}: {mean} ({sd}), stated {stated} ({stated_sd})");
        assert!((mean - stated).abs() < 0.03, "gain {gain}: {mean}, stated {stated}");
        assert!((0.5..2.0).contains(&(sd / stated_sd)), "gain {gain}: sd {sd}, stated {stated_sd}");
    }
}

/// 100 iterations of Adam at 1e-3 on 8 fresh trials each, k = 1; the exponent is then measured on 64 trials of
/// the probe.
#[test]
fn flossing_brings_the_leading_exponent_to_zero() {
    let (task, network) = (romo(), network());
    let mut spectrum = LyapunovSpectrum::new(&network);
    let mut flossing = Flossing::new(&network);
    for (seed, variant) in
        [(1, FlossingVariant::Exact), (2, FlossingVariant::Detached), (3, FlossingVariant::Local)]
    {
        let q0 = dense_orthonormal(64, &mut Stream::new(seed, Purpose::Measures));
        let probe = task.probe(64, &mut Stream::new(seed, Purpose::Probe));
        for gain in [0.2, 0.5, 1.0] {
            let init = InitialWeights { gain, ..INIT };
            let mut weights = init.draw(DIMS, &mut Stream::new(seed, Purpose::Weights));
            let mut measure = |weights: &Weights<f32>| {
                let settings = SpectrumSettings::leading(1, Skip::Auto);
                spectrum.run(weights, &probe, settings, q0.view(), &Serial).mean[0]
            };
            let before = measure(&weights);
            let mut adam = Adam::new(DIMS.n_weights());
            let mut stream = Stream::new(seed, Purpose::Flossing);
            let mut gradient = Weights::zeros(DIMS);
            for _ in 0..100 {
                let trials = task.probe(8, &mut stream);
                let settings = FlossingSettings { k: 1, variant, skip: Skip::Auto };
                flossing.loss_and_gradient(&weights, &trials, settings, q0.view(), &Serial, &mut gradient);
                adam.step(weights.flat_mut(), gradient.flat(), 1e-3);
            }
            let after = measure(&weights);
            println!("{variant:?}, gain {gain}: {before} to {after}");
            assert!(before < -0.1 && after.abs() < 0.01, "{variant:?}, gain {gain}: {before} to {after}");
        }
    }
}
