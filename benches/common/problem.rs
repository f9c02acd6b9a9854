//! A regression on all of T = 50 steps with n_in = n_out = 3, in f32, that no learning is asked of.

use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Dims, Weights};

/// Steps of a trial.
pub const T: usize = 50;

/// N units, the leak 0.5.
pub fn problem(n: usize, batch: usize, activation: Activation) -> (Network<f32>, Weights<f32>, Trials<f32>) {
    let dims = Dims { n_in: 3, n_rec: n, n_out: 3 };
    let network: Network<f32> = Network::plain(dims, 0.5, activation);
    let mut s = Stream::new(1, Purpose::Weights);
    let mut weights = Weights::zeros(dims);
    s.fill_normal(&mut weights.w_rec_mut(), 1.0 / (n as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.5);
    s.fill_normal(&mut weights.w_out_mut(), 0.1);
    let shape = TrialsShape { n_steps: T, n_batch: batch, n_in: 3, n_out: 3, loss: LossKind::Regression };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    trials.mask.fill(1.0);
    if let Target::Values(v) = &mut trials.target {
        s.fill_normal(v, 1.0);
    }
    (network, weights, trials)
}
