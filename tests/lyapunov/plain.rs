//! The second route: the model and its Jacobian written out for one trial, and faer's QR after every step.

use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::trials::{LossKind, Trials, TrialsShape};
use basinscope::numerics::weights::{Dims, Weights};
use faer::Mat;
use ndarray::{Array2, ArrayView2};

/// A network with Gaussian weights of a gain, and trials with Gaussian input from a step on (other for each).
pub struct Problem {
    pub network: Network<f64>,
    pub weights: Weights<f64>,
    pub trials: Trials<f64>,
    pub q0: Array2<f64>,
}

/// What [`problem`] needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub seed: u64,
    pub n_rec: usize,
    pub alpha: f64,
    pub activation: Activation,
    pub adaptive: usize,
    pub gain: f64,
    pub n_steps: usize,
    pub n_batch: usize,
    /// Trial b is silent for b mod (this + 1) steps.
    pub quiet: usize,
}

pub const CASE: Case = Case {
    seed: 1,
    n_rec: 12,
    alpha: 0.5,
    activation: Activation::Relu,
    adaptive: 0,
    gain: 1.0,
    n_steps: 20,
    n_batch: 5,
    quiet: 2,
};

pub fn problem(case: Case) -> Problem {
    let dims = Dims { n_in: 3, n_rec: case.n_rec, n_out: 2 };
    let mut s = Stream::new(case.seed, Purpose::Measures);
    let network =
        Network::plain(dims, case.alpha, case.activation).with_adaptive_units(case.adaptive, 1.3, 6.0);
    let mut weights = Weights::zeros(dims);
    s.fill_normal(&mut weights.w_rec_mut(), case.gain / (case.n_rec as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.7);
    let shape = TrialsShape {
        n_steps: case.n_steps,
        n_batch: case.n_batch,
        n_in: 3,
        n_out: 2,
        loss: LossKind::Regression,
    };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    for b in 0..case.n_batch {
        let quiet = (b % (case.quiet + 1)).min(case.n_steps);
        trials.x.slice_mut(ndarray::s![..quiet, b, ..]).fill(0.0);
    }
    let n_state = case.n_rec + case.adaptive;
    let q0 = basinscope::numerics::lyapunov::dense_orthonormal(n_state, &mut s);
    Problem { network, weights, trials, q0 }
}

impl Problem {
    /// Jacobians J_0, ..., J_{T-1} of one trial and its first step with a state other than zero (T if none).
    pub fn jacobians(&self, b: usize) -> (Vec<Mat<f64>>, usize) {
        self.jacobians_with(b, &self.weights)
    }

    /// The same along the same trajectory, but with the `w_rec` of `other` in each Jacobian.
    pub fn jacobians_with(&self, b: usize, other: &Weights<f64>) -> (Vec<Mat<f64>>, usize) {
        self.jacobians_from(vec![0.0; self.network.dims.n_rec], Some(b), other)
    }

    /// The same from the state `h` (a = 0) on, without input where no trial drives the network.
    pub fn jacobians_from(
        &self,
        mut h: Vec<f64>,
        trial: Option<usize>,
        other: &Weights<f64>,
    ) -> (Vec<Mat<f64>>, usize) {
        let (net, w) = (&self.network, &self.weights);
        let n = net.dims.n_rec;
        let (beta, rho) = match &net.adaptation {
            Some(a) => (a.beta.clone(), a.rho),
            None => (vec![0.0; n], 0.0),
        };
        let adaptive: Vec<usize> = (0..n).filter(|j| beta[*j] != 0.0).collect();
        let n_state = n + adaptive.len();
        let mut a = vec![0.0; n];
        let mut start = self.trials.n_steps();
        let mut all = Vec::new();
        for t in 0..self.trials.n_steps() {
            if start > t && h.iter().any(|h| *h != 0.0) {
                start = t;
            }
            let z: Vec<f64> = (0..n).map(|j| net.activation.of(h[j] - beta[j] * a[j])).collect();
            let d: Vec<f64> = z.iter().map(|z| net.activation.slope(*z)).collect();
            let leak = 1.0 - net.alpha;
            let jacobian = Mat::from_fn(n_state, n_state, |p, q| {
                let same = |x: f64| if p == q { x } else { 0.0 };
                match (p < n, q < n) {
                    (true, true) => same(net.alpha) + leak * other.w_rec()[[p, q]] * d[q],
                    (true, false) => {
                        let j = adaptive[q - n];
                        -leak * other.w_rec()[[p, j]] * d[j] * beta[j]
                    }
                    (false, true) => {
                        if adaptive[p - n] == q {
                            (1.0 - rho) * d[q]
                        } else {
                            0.0
                        }
                    }
                    (false, false) => {
                        let j = adaptive[p - n];
                        same(rho - (1.0 - rho) * d[j] * beta[j])
                    }
                }
            });
            all.push(jacobian);
            h = (0..n)
                .map(|p| {
                    let recurrent: f64 = (0..n).map(|q| w.w_rec()[[p, q]] * z[q]).sum();
                    let input = |b| {
                        (0..net.dims.n_in).map(|k| w.w_in()[[p, k]] * self.trials.x[[t, b, k]]).sum::<f64>()
                    };
                    net.alpha * h[p] + leak * (recurrent + trial.map_or(0.0, input))
                })
                .collect();
            a = (0..n).map(|j| rho * a[j] + (1.0 - rho) * z[j]).collect();
        }
        (all, start)
    }

    /// Exponents of each trial with a QR after every step, [B, n], and the skip.
    pub fn exponents(&self, n: usize, skip: Option<usize>) -> (Array2<f64>, usize) {
        let n_steps = self.trials.n_steps();
        let all: Vec<_> = (0..self.trials.n_batch()).map(|b| self.jacobians(b)).collect();
        let auto = all.iter().map(|(_, s)| *s).filter(|s| *s < n_steps).max().unwrap_or(0);
        let waits = self.network.activation == Activation::Relu;
        let skip = skip.unwrap_or(auto);
        let mut out = Array2::from_elem((all.len(), n), f64::NAN);
        for (b, (jacobians, first)) in all.iter().enumerate() {
            let start = if waits { *first } else { 0 };
            let from = skip.max(start);
            let logs = log_pivots(&jacobians[start..], self.q0.view(), n);
            for i in 0..n {
                let counted = &logs[from - start..];
                out[[b, i]] = counted.iter().map(|l| l[i]).sum::<f64>() / (n_steps - from) as f64;
            }
        }
        (out, skip)
    }
}

/// ln |R_ii| of each step, by faer's QR.
pub fn log_pivots(jacobians: &[Mat<f64>], q0: ArrayView2<'_, f64>, n: usize) -> Vec<Vec<f64>> {
    let mut q = Mat::from_fn(q0.nrows(), n, |i, j| q0[[i, j]]);
    jacobians
        .iter()
        .map(|jacobian| {
            let qr = (jacobian * &q).qr();
            q = qr.compute_thin_Q();
            (0..n).map(|i| qr.thin_R()[(i, i)].abs().ln()).collect()
        })
        .collect()
}

/// Largest difference of two lists.
pub fn difference<'a>(a: impl IntoIterator<Item = &'a f64>, b: impl IntoIterator<Item = &'a f64>) -> f64 {
    a.into_iter().zip(b).fold(0.0, |m, (a, b)| {
        let d = (a - b).abs();
        if d > m || d.is_nan() { d } else { m }
    })
}
