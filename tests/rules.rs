//! The learning rules against finite differences, against eligibility traces written out synapse by synapse,
//! and against each other (SCIENCE: special cases are tests).

#[path = "common/allocations.rs"]
mod allocations;

use basinscope::numerics::network::{Activation, Network};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::rules::{Bptt, EProp, Mdgl, Rflo, Rule, TruncatedBptt};
use basinscope::numerics::trials::{LossKind, Target, Trials, TrialsShape};
use basinscope::numerics::weights::{Block, Dims, Weights};
use proptest::prelude::*;

/// A random small problem.
struct Problem {
    network: Network<f64>,
    weights: Weights<f64>,
    trials: Trials<f64>,
}

fn problem(
    seed: u64,
    alpha: f64,
    activation: Activation,
    adaptive: usize,
    loss: LossKind,
    n_batch: usize,
) -> Problem {
    let mut s = Stream::new(seed, Purpose::Weights);
    let dims = Dims { n_in: 1 + s.below(10), n_rec: 3 + s.below(5), n_out: 2 + s.below(9) };
    let network =
        Network::plain(dims, alpha, activation).with_adaptive_units(adaptive.min(dims.n_rec), 1.3, 6.0);
    let mut weights = Weights::zeros(dims);
    s.fill_normal(&mut weights.w_rec_mut(), 1.2 / (dims.n_rec as f64).sqrt());
    s.fill_normal(&mut weights.w_in_mut(), 0.9);
    s.fill_normal(&mut weights.w_out_mut(), 0.8);
    let n_steps = 3 + s.below(5);
    let shape = TrialsShape { n_steps, n_batch, n_in: dims.n_in, n_out: dims.n_out, loss };
    let mut trials = Trials::zeros(shape);
    s.fill_normal(&mut trials.x, 1.0);
    match &mut trials.target {
        Target::Values(v) => s.fill_normal(v, 1.0),
        Target::Labels(l) => l.map_inplace(|l| *l = s.below(dims.n_out) as u32),
    }
    // Some steps count nothing, some more than others, the last not always.
    trials.mask.map_inplace(|m| *m = if s.unit() < 0.3 { 0.0 } else { s.uniform(0.2, 2.0) });
    trials.mask[[1, 0]] = 1.0;
    Problem { network, weights, trials }
}

impl Problem {
    fn gradient(&self, rule: &dyn Rule<f64>) -> Weights<f64> {
        let mut out = [Weights::zeros(self.weights.dims())];
        GradientPass::new(&self.network).run(&self.weights, &self.trials, &[rule], &mut out, &Serial);
        let [out] = out;
        out
    }

    fn loss(&self, weights: &Weights<f64>) -> f64 {
        GradientPass::new(&self.network).run(weights, &self.trials, &[], &mut [], &Serial).loss
    }

    fn rflo_through_readout(&self) -> Rflo<f64> {
        Rflo::new(self.weights.block(Block::Readout).to_vec())
    }

    /// `sum_t ls_p[t] e_pq[t+1]` (and MDGL's hop) with every eligibility trace written out: eh and ea for each
    /// synapse of each trial, forwards in time, straight from the definitions.
    fn gradient_by_traces(&self, mdgl: bool) -> Weights<f64> {
        let (net, w, trials) = (&self.network, &self.weights, &self.trials);
        let Dims { n_in, n_rec, n_out } = net.dims;
        let f = net.activation;
        let (beta, rho) = match &net.adaptation {
            Some(a) => (a.beta.clone(), a.rho),
            None => (vec![0.0; n_rec], 0.0),
        };
        let mut gradient = Weights::zeros(net.dims);
        let inverse = 1.0 / trials.mask_sum();
        for b in 0..trials.n_batch() {
            let (mut h, mut a, mut z) = (vec![0.0; n_rec], vec![0.0; n_rec], vec![0.0; n_rec]);
            let n_pre = n_rec + n_in;
            let mut eh = vec![vec![0.0; n_pre]; n_rec];
            let mut ea = eh.clone();
            let mut e = eh.clone();
            for t in 0..trials.n_steps() {
                let x: Vec<f64> = (0..n_in).map(|k| trials.x[[t, b, k]]).collect();
                let pre: Vec<f64> = z.iter().chain(&x).copied().collect();
                let e_before = e.clone();
                let h_next: Vec<f64> = (0..n_rec)
                    .map(|p| {
                        let rec: f64 = (0..n_rec).map(|q| w.w_rec()[[p, q]] * z[q]).sum();
                        let inp: f64 = (0..n_in).map(|k| w.w_in()[[p, k]] * x[k]).sum();
                        net.alpha * h[p] + (1.0 - net.alpha) * (rec + inp)
                    })
                    .collect();
                for p in 0..n_rec {
                    for q in 0..n_pre {
                        ea[p][q] = rho * ea[p][q] + (1.0 - rho) * e[p][q];
                        eh[p][q] = net.alpha * eh[p][q] + (1.0 - net.alpha) * pre[q];
                    }
                    a[p] = rho * a[p] + (1.0 - rho) * z[p];
                }
                h = h_next;
                let slope: Vec<f64> = (0..n_rec)
                    .map(|p| {
                        z[p] = f.of(h[p] - beta[p] * a[p]);
                        f.slope(z[p])
                    })
                    .collect();
                for p in 0..n_rec {
                    for q in 0..n_pre {
                        e[p][q] = slope[p] * (eh[p][q] - beta[p] * ea[p][q]);
                    }
                }
                let y: Vec<f64> =
                    (0..n_out).map(|k| (0..n_rec).map(|p| w.w_out()[[k, p]] * z[p]).sum()).collect();
                let d = error(trials, t, b, &y, inverse);
                let ls: Vec<f64> =
                    (0..n_rec).map(|p| (0..n_out).map(|k| w.w_out()[[k, p]] * d[k]).sum()).collect();
                for p in 0..n_rec {
                    let hop: f64 =
                        (0..n_rec).map(|r| ls[r] * slope[r] * (1.0 - net.alpha) * w.w_rec()[[r, p]]).sum();
                    for q in 0..n_pre {
                        let mut g = ls[p] * e[p][q];
                        if mdgl {
                            g += hop * e_before[p][q];
                        }
                        if q < n_rec {
                            gradient.w_rec_mut()[[p, q]] += g;
                        } else {
                            gradient.w_in_mut()[[p, q - n_rec]] += g;
                        }
                    }
                    for k in 0..n_out {
                        gradient.w_out_mut()[[k, p]] += d[k] * z[p];
                    }
                }
            }
        }
        gradient
    }

    /// The exact gradient by real-time recurrent learning: the full tensor dstate/dw, forwards in time.
    fn gradient_by_rtrl(&self) -> Weights<f64> {
        let (net, w, trials) = (&self.network, &self.weights, &self.trials);
        let Dims { n_in, n_rec, n_out } = net.dims;
        let (beta, rho) = match &net.adaptation {
            Some(a) => (a.beta.clone(), a.rho),
            None => (vec![0.0; n_rec], 0.0),
        };
        let n_pre = n_rec + n_in;
        let n_par = n_rec * n_pre;
        let inverse = 1.0 / trials.mask_sum();
        let mut gradient = Weights::zeros(net.dims);
        for b in 0..trials.n_batch() {
            let (mut h, mut a, mut z) = (vec![0.0; n_rec], vec![0.0; n_rec], vec![0.0; n_rec]);
            let (mut dh, mut da, mut dz) =
                (vec![vec![0.0; n_par]; n_rec], vec![vec![0.0; n_par]; n_rec], vec![vec![0.0; n_par]; n_rec]);
            for t in 0..trials.n_steps() {
                let pre: Vec<f64> = z.iter().copied().chain((0..n_in).map(|k| trials.x[[t, b, k]])).collect();
                let full = |p: usize, q: usize| {
                    if q < n_rec { w.w_rec()[[p, q]] } else { w.w_in()[[p, q - n_rec]] }
                };
                let (z_old, dz_old) = (z.clone(), dz.clone());
                for p in 0..n_rec {
                    let drive: f64 = (0..n_pre).map(|q| full(p, q) * pre[q]).sum();
                    h[p] = net.alpha * h[p] + (1.0 - net.alpha) * drive;
                    a[p] = rho * a[p] + (1.0 - rho) * z_old[p];
                    for par in 0..n_par {
                        let through: f64 = (0..n_rec).map(|q| w.w_rec()[[p, q]] * dz_old[q][par]).sum();
                        let direct = if par / n_pre == p { pre[par % n_pre] } else { 0.0 };
                        dh[p][par] = net.alpha * dh[p][par] + (1.0 - net.alpha) * (through + direct);
                        da[p][par] = rho * da[p][par] + (1.0 - rho) * dz_old[p][par];
                    }
                }
                for p in 0..n_rec {
                    z[p] = net.activation.of(h[p] - beta[p] * a[p]);
                    for par in 0..n_par {
                        dz[p][par] = net.activation.slope(z[p]) * (dh[p][par] - beta[p] * da[p][par]);
                    }
                }
                let y: Vec<f64> =
                    (0..n_out).map(|k| (0..n_rec).map(|p| w.w_out()[[k, p]] * z[p]).sum()).collect();
                let d = error(trials, t, b, &y, inverse);
                for (p, dz) in dz.iter().enumerate() {
                    let ls: f64 = (0..n_out).map(|k| w.w_out()[[k, p]] * d[k]).sum();
                    for (par, dz) in dz.iter().enumerate() {
                        let (post, pre) = (par / n_pre, par % n_pre);
                        if pre < n_rec {
                            gradient.w_rec_mut()[[post, pre]] += ls * dz;
                        } else {
                            gradient.w_in_mut()[[post, pre - n_rec]] += ls * dz;
                        }
                    }
                    for k in 0..n_out {
                        gradient.w_out_mut()[[k, p]] += d[k] * z[p];
                    }
                }
            }
        }
        gradient
    }
}

/// dL/dy of one step of one trial, from the definition of the loss.
fn error(trials: &Trials<f64>, t: usize, b: usize, y: &[f64], inverse: f64) -> Vec<f64> {
    let m = trials.mask[[t, b]] * inverse;
    match &trials.target {
        Target::Values(v) => y.iter().enumerate().map(|(k, y)| m / y_len(v) * (y - v[[t, b, k]])).collect(),
        Target::Labels(l) => {
            let sum: f64 = y.iter().map(|y| y.exp()).sum();
            let label = l[[t, b]] as usize;
            let hot = |k| if k == label { 1.0 } else { 0.0 };
            y.iter().enumerate().map(|(k, y)| m * (y.exp() / sum - hot(k))).collect()
        }
    }
}

fn y_len(v: &ndarray::Array3<f64>) -> f64 {
    v.dim().2 as f64
}

/// Largest difference relative to the largest element.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let scale = a.iter().chain(b).fold(1e-300f64, |m, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / scale
}

/// Sums of a few hundred f64 products in two orders differ by some 1e-15 relative; 1e-12 leaves room for
/// cancellation and none for a wrong term.
const ROUNDING: f64 = 1e-12;

fn assert_equal(a: &Weights<f64>, b: &Weights<f64>, what: &str) {
    let difference = difference(a.flat(), b.flat());
    assert!(difference < ROUNDING, "{what}: relative difference {difference:e}");
    assert!(a.norm() > 0.0, "{what}: the gradient is not zero");
}

fn activations() -> impl Strategy<Value = Activation> {
    prop_oneof![Just(Activation::Relu), Just(Activation::Tanh)]
}

fn losses() -> impl Strategy<Value = LossKind> {
    prop_oneof![Just(LossKind::Regression), Just(LossKind::Classification)]
}

fn leaks() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.1..0.9f64]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn bptt_equals_rtrl(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, f, adaptive, loss, 3);
        assert_equal(&p.gradient(&Bptt), &p.gradient_by_rtrl(), "BPTT and RTRL");
    }

    /// Central differences with step 1e-6 of a smooth loss err by some 1e-10; tanh only, since a kink of
    /// ReLU inside the step is no error of the gradient.
    #[test]
    fn bptt_equals_finite_differences(seed in 0u64..1000, alpha in leaks(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, Activation::Tanh, adaptive, loss, 2);
        let gradient = p.gradient(&Bptt);
        let scale = gradient.flat().iter().fold(0.0f64, |m, g| m.max(g.abs()));
        for i in (0..gradient.flat().len()).step_by(3) {
            let at = |step: f64| {
                let mut w = p.weights.clone();
                w.flat_mut()[i] += step;
                p.loss(&w)
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            prop_assert!((slope - gradient.flat()[i]).abs() < 1e-7 * scale.max(1e-2), "{slope} {}", gradient.flat()[i]);
        }
    }

    #[test]
    fn e_prop_equals_learning_signal_times_eligibility_trace(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, f, adaptive, loss, 3);
        assert_equal(&p.gradient(&EProp), &p.gradient_by_traces(false), "e-prop and its traces");
    }

    #[test]
    fn mdgl_equals_its_traces_written_out(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, f, adaptive, loss, 3);
        assert_equal(&p.gradient(&Mdgl), &p.gradient_by_traces(true), "MDGL and its traces");
    }

    #[test]
    fn e_prop_equals_truncated_bptt_one_and_mdgl_two_without_leak(seed in 0u64..1000, f in activations(), loss in losses()) {
        let p = problem(seed, 0.0, f, 0, loss, 3);
        assert_equal(&p.gradient(&EProp), &p.gradient(&TruncatedBptt { window: 1 }), "e-prop and one step");
        assert_equal(&p.gradient(&Mdgl), &p.gradient(&TruncatedBptt { window: 2 }), "MDGL and two steps");
    }

    #[test]
    fn truncated_bptt_over_all_steps_equals_bptt(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, f, adaptive, loss, 3);
        for window in [p.trials.n_steps(), p.trials.n_steps() + 5] {
            assert_equal(&p.gradient(&Bptt), &p.gradient(&TruncatedBptt { window }), "BPTT and T steps");
        }
    }

    #[test]
    fn rflo_through_the_readout_equals_e_prop(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let p = problem(seed, alpha, f, adaptive, loss, 3);
        assert_equal(&p.gradient(&EProp), &p.gradient(&p.rflo_through_readout()), "e-prop and RFLO");
    }

    #[test]
    fn without_recurrent_weights_local_rules_are_exact(seed in 0u64..1000, alpha in leaks(), f in activations(), adaptive in 0usize..4, loss in losses()) {
        let mut p = problem(seed, alpha, f, adaptive, loss, 3);
        p.weights.block_mut(Block::Recurrent).fill(0.0);
        let exact = p.gradient(&Bptt);
        assert_equal(&exact, &p.gradient(&EProp), "e-prop");
        assert_equal(&exact, &p.gradient(&Mdgl), "MDGL");
    }

    /// Without recurrent weights, leak and adaptation an error acts on its own step only.
    #[test]
    fn without_recurrence_and_leak_truncation_is_exact(seed in 0u64..1000, f in activations(), loss in losses(), window in 1usize..4) {
        let mut p = problem(seed, 0.0, f, 0, loss, 3);
        p.weights.block_mut(Block::Recurrent).fill(0.0);
        assert_equal(&p.gradient(&Bptt), &p.gradient(&TruncatedBptt { window }), "truncated BPTT");
    }

    /// More trials than one chunk: the sum over chunks is the batch's gradient, and equals the mean of two
    /// half batches with equal masks.
    #[test]
    fn a_batch_over_several_chunks_is_the_mean_of_its_parts(seed in 0u64..200, f in activations(), loss in losses()) {
        let p = problem(seed, 0.4, f, 2, loss, 70);
        let mut p = p;
        p.trials.mask.fill(1.0);
        let whole = p.gradient(&Bptt);
        let mut sum = vec![0.0; whole.flat().len()];
        for (from, to) in [(0usize, 20usize), (20, 70)] {
            let part = Problem { network: p.network.clone(), weights: p.weights.clone(), trials: cut(&p.trials, from, to) };
            let share = (to - from) as f64 / 70.0;
            sum.iter_mut().zip(part.gradient(&Bptt).flat()).for_each(|(s, g)| *s += share * g);
        }
        prop_assert!(difference(whole.flat(), &sum) < ROUNDING);
    }
}

fn cut(trials: &Trials<f64>, from: usize, to: usize) -> Trials<f64> {
    use ndarray::s;
    Trials {
        x: trials.x.slice(s![.., from..to, ..]).to_owned(),
        target: match &trials.target {
            Target::Values(v) => Target::Values(v.slice(s![.., from..to, ..]).to_owned()),
            Target::Labels(l) => Target::Labels(l.slice(s![.., from..to]).to_owned()),
        },
        mask: trials.mask.slice(s![.., from..to]).to_owned(),
        decision: None,
    }
}

#[test]
fn truncation_leaves_something_out_and_rflo_is_not_exact_without_recurrence() {
    let mut p = problem(5, 0.5, Activation::Tanh, 0, LossKind::Regression, 3);
    let exact = p.gradient(&Bptt);
    for rule in [&EProp as &dyn Rule<f64>, &Mdgl, &TruncatedBptt { window: 2 }] {
        assert!(difference(exact.flat(), p.gradient(rule).flat()) > 1e-3);
    }
    p.weights.block_mut(Block::Recurrent).fill(0.0);
    let exact = p.gradient(&Bptt);
    let other = Rflo::new(p.weights.block(Block::Readout).iter().map(|w| w + 0.3).collect());
    assert!(difference(exact.flat(), p.gradient(&other).flat()) > 1e-3);
    assert!(difference(exact.flat(), p.gradient(&TruncatedBptt { window: 2 }).flat()) > 1e-3);
}

/// Buffers are made in the first pass; another one of the same size allocates nothing, whatever the rule.
#[test]
fn a_second_gradient_allocates_nothing() {
    for adaptive in [0, 2] {
        let p = problem(3, 0.5, Activation::Relu, adaptive, LossKind::Regression, 5);
        let rflo = p.rflo_through_readout();
        let window = TruncatedBptt { window: 2 };
        for rule in [&Bptt as &dyn Rule<f64>, &EProp, &rflo, &Mdgl, &window] {
            let mut pass = GradientPass::new(&p.network);
            let mut out = [Weights::zeros(p.network.dims)];
            pass.run(&p.weights, &p.trials, &[rule], &mut out, &Serial);
            let first = out[0].flat().to_vec();
            let (_, calls) =
                allocations::calls(|| pass.run(&p.weights, &p.trials, &[rule], &mut out, &Serial));
            assert_eq!(calls, 0, "{} adaptive", adaptive);
            assert_eq!(out[0].flat(), first);
        }
    }
}
