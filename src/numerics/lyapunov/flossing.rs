//! Owns [`Flossing`]: the sum of squared leading exponents and its gradient.
//!
//! ```text
//! (L7)   F = sum_{i<=k} (mean_b lambda_i)^2
//! ```
//!
//! Backwards in time, with Qb = dF/dQ_{t+1}, which starts at 0 after the last step, and for each trial
//! `C_i = 2 mean_b(lambda_i) / (B (T - skip))`, 0 in the warm-up:
//!
//! ```text
//! (L8)   S  = diag(C) - Qb^T Q_{t+1}, its lower triangle mirrored
//! (L9)   Mb = (Qb + Q_{t+1} S) R^-T                          dF/d(J_t Q_t)
//! (L10)  dw_rec += (1 - alpha) Mb (dz of (L1))^T
//! (L11)  Qb <- J_t^T Mb
//! (L12)  dF/dv[t] = f''(v[t]) o rowsum((dF/d(dz)) o (h' - b a'))
//! ```
//!
//! | variant | what it keeps |
//! |---|---|
//! | exact | all; (L12) goes back through the network as the errors of equations (9)-(12) do, into w_in too |
//! | detached | (L8)-(L11): the trajectory is held fixed (P2). The same as exact for ReLU, whose f'' is 0 |
//! | local | Qb = 0 at every step: Mb = Q_{t+1} diag(C) R^-T |
//!
//! Source: P2; Engelken 2023; (L8) and (L9) are the reverse pass of QR (Walter et al. 2010). With k = 1, Q is a
//! unit vector and R its norm.

use std::sync::Mutex;

use ndarray::ArrayView2;

use super::basis::complete;
use super::orthonormal::{Triangle, solve_upper};
use super::tangents::{Flow, Scratch};
use super::trajectories::{Track, Trajectories, lock};
use super::{FlossingVariant, Skip};
use crate::numerics::network::Network;
use crate::numerics::parallel::{Pool, Workers, for_each};
use crate::numerics::product::{Into, View, product};
use crate::numerics::rules;
use crate::numerics::rules::gradient::weight_sums;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// What is asked of flossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlossingSettings {
    /// How many leading exponents; more than there are means all.
    pub k: usize,
    /// Which gradient.
    pub variant: FlossingVariant,
    /// Steps left out, as for a spectrum.
    pub skip: Skip,
}

/// What one call found.
#[derive(Clone, Debug, PartialEq)]
pub struct FlossingOutcome {
    /// F, over the finite exponents; NaN where there is none.
    pub loss: f64,
    /// The k leading exponents, means over the trials that are not silent, nats per step.
    pub exponents: Vec<f64>,
    /// How many of them are finite. The others have no part in F and its gradient.
    pub finite: usize,
    /// Steps left out.
    pub skip: usize,
    /// Trials left out: their state never left zero, or fell silent.
    pub silent_trials: usize,
}

/// F and its gradient for one network, with all buffers.
#[derive(Debug)]
pub struct Flossing<T> {
    trajectories: Trajectories<T>,
    tapes: Vec<Mutex<Tape<T>>>,
    pool: Pool<Buffers<T>>,
    gradient: Vec<T>,
}

/// What the forward pass over one chunk leaves for the backward pass, and the chunk's share of the gradient.
#[derive(Debug, Default)]
struct Tape<T> {
    /// Q_t as rows, [T+1, B, k, S].
    u: Vec<T>,
    /// R_{t+1} transposed, [T, B, k, k].
    l: Vec<T>,
    /// Exponents [B, k].
    exponents: Vec<f64>,
    silent: Vec<bool>,
    /// `w_rec` [N, N], then the transpose of `w_in` [n_in, N].
    gradient: Vec<T>,
}

#[derive(Debug, Default)]
struct Buffers<T> {
    slopes: Vec<T>,
    triangle: Triangle<T>,
    scratch: Scratch<T>,
    /// Qb as rows, then Mb as rows, [B, k, S].
    qb: Vec<T>,
    next: Vec<T>,
    mirrored: Vec<T>,
    potential: Vec<T>,
    delta: Vec<T>,
    through_trajectory: Vec<T>,
}

/// What is the same for all chunks.
struct Plan<'a, T> {
    flow: Flow<'a, T>,
    q0: Vec<T>,
    k: usize,
    skip: usize,
    variant: FlossingVariant,
}

impl<T: Scalar> Flossing<T> {
    /// Flossing of this network; buffers are made for the first batch and kept.
    pub fn new(network: &Network<T>) -> Self {
        Self {
            trajectories: Trajectories::new(network),
            tapes: Vec::new(),
            pool: Pool::default(),
            gradient: Vec::new(),
        }
    }

    /// F of `weights` on `trials`, and its gradient into `gradient` (0 in `w_out`, and in `w_in` but for the
    /// exact variant). `q0` is as for [`super::LyapunovSpectrum::run`]; its first k columns are used.
    ///
    /// Chunks of trials are added in their order: the number of workers changes no bit.
    pub fn loss_and_gradient(
        &mut self,
        weights: &Weights<T>,
        trials: &Trials<T>,
        settings: FlossingSettings,
        q0: ArrayView2<'_, f64>,
        workers: &dyn Workers,
        gradient: &mut Weights<T>,
    ) -> FlossingOutcome {
        self.trajectories.follow(weights, trials, workers);
        let trajectories = &self.trajectories;
        let k = settings.k.clamp(1, trajectories.flow().n_state());
        let plan = Plan {
            flow: trajectories.flow(),
            q0: trajectories.first_tangents(q0, k),
            k,
            skip: trajectories.skip(settings.skip),
            variant: settings.variant,
        };
        self.tapes.resize_with(trajectories.n_chunks(), Mutex::default);
        self.pool.grow(workers.width().min(trajectories.n_chunks()), Buffers::default);
        let pool = &self.pool;
        for_each(workers, &mut self.tapes, |i, tape| {
            pool.borrow().record(&plan, &trajectories.track(i), tape);
        });
        let outcome = sum_up(&self.tapes, k, plan.skip);
        // 2 mean_b(lambda_i) / B; (T - skip) depends on the trial.
        let counted = trials.n_batch().saturating_sub(outcome.silent_trials).max(1) as f64;
        let slope = |l: &f64| if l.is_infinite() { 0.0 } else { 2.0 * l / counted };
        let slopes: Vec<f64> = outcome.exponents.iter().map(slope).collect();
        for_each(workers, &mut self.tapes, |i, tape| {
            pool.borrow().replay(&plan, &trajectories.track(i), &slopes, tape);
        });
        self.add_gradients(gradient);
        outcome
    }

    fn add_gradients(&mut self, gradient: &mut Weights<T>) {
        let dims = gradient.dims();
        self.gradient.clear();
        self.gradient.resize((dims.n_rec + dims.n_in) * dims.n_rec, T::zero());
        for tape in &self.tapes {
            self.gradient.iter_mut().zip(&lock(tape).gradient).for_each(|(sum, own)| *sum += *own);
        }
        gradient.flat_mut().fill(T::zero());
        let (w_rec, w_in_t) = self.gradient.split_at(dims.n_rec * dims.n_rec);
        gradient.block_mut(Block::Recurrent).copy_from_slice(w_rec);
        for (channel, row) in w_in_t.chunks_exact(dims.n_rec).enumerate() {
            gradient.w_in_mut().column_mut(channel).iter_mut().zip(row).for_each(|(g, own)| *g = *own);
        }
    }
}

fn sum_up<T: Scalar>(tapes: &[Mutex<Tape<T>>], k: usize, skip: usize) -> FlossingOutcome {
    let (mut sums, mut trials, mut silent_trials) = (vec![0.0; k], 0.0, 0);
    for tape in tapes {
        let tape = lock(tape);
        for (exponents, silent) in tape.exponents.chunks_exact(k).zip(&tape.silent) {
            if *silent {
                silent_trials += 1;
            } else {
                trials += 1.0;
                sums.iter_mut().zip(exponents).for_each(|(sum, lambda)| *sum += lambda);
            }
        }
    }
    let exponents: Vec<f64> = sums.into_iter().map(|sum| sum / trials).collect();
    let finite = exponents.iter().filter(|l| l.is_finite()).count();
    // NaN stays in, so that a diverged network is seen; only -inf is left out.
    let squares = exponents.iter().filter(|l| !l.is_infinite()).map(|l| l * l);
    let loss = if finite == 0 { f64::NAN } else { squares.sum() };
    FlossingOutcome { loss, exponents, finite, skip, silent_trials }
}

impl<T: Scalar> Buffers<T> {
    /// Walks the tangents of one chunk forwards, with a QR after every step.
    fn record(&mut self, plan: &Plan<'_, T>, track: &Track<T>, tape: &mut Tape<T>) {
        let (n_steps, n_batch) = (track.activity.n_steps, track.activity.n_batch);
        let (k, n_state) = (plan.k, plan.flow.n_state());
        let (trial, n_rec) = (k * n_state, plan.flow.network.dims.n_rec);
        let layer = n_batch * trial;
        tape.u.resize((n_steps + 1) * layer, T::zero());
        tape.l.resize(n_steps * n_batch * k * k, T::zero());
        tape.exponents.clear();
        tape.exponents.resize(n_batch * k, 0.0);
        tape.silent.clear();
        tape.silent.extend(track.starts.iter().map(|start| *start >= n_steps));
        self.slopes.resize(n_batch * n_rec, T::zero());
        tape.u[..layer].chunks_exact_mut(trial).for_each(|u| u.copy_from_slice(&plan.q0));

        for t in 0..n_steps {
            let (past, future) = tape.u.split_at_mut((t + 1) * layer);
            let (u, next) = (&past[t * layer..], &mut future[..layer]);
            plan.flow.slopes(&mut self.slopes, track.z(t));
            plan.flow.forwards(u, &self.slopes, k, &mut self.scratch, next);
            for b in 0..n_batch {
                let (u, next) = (&u[b * trial..][..trial], &mut next[b * trial..][..trial]);
                if t < track.starts[b] {
                    next.copy_from_slice(u);
                    continue;
                }
                tape.silent[b] |= plan.flow.vanishes(&self.slopes[b * n_rec..][..n_rec]);
                let alive = self.triangle.orthonormalise(next, k, n_state);
                tape.l[(t * n_batch + b) * k * k..][..k * k].copy_from_slice(self.triangle.lower());
                let from = track.starts[b].max(plan.skip);
                if t >= from {
                    for (i, sum) in tape.exponents[b * k..][..k].iter_mut().enumerate() {
                        *sum += self.triangle.at(i, i).f64().ln();
                    }
                } else if alive < k && !tape.silent[b] {
                    complete(next, &plan.q0, n_state);
                }
            }
        }
        for (b, exponents) in tape.exponents.chunks_exact_mut(k).enumerate() {
            let counted = n_steps.saturating_sub(track.starts[b].max(plan.skip)) as f64;
            exponents.iter_mut().for_each(|sum| *sum /= counted);
        }
    }

    /// Goes back from the last step, (L8)-(L12); `slopes` are dF/d(lambda_i) of one trial.
    fn replay(&mut self, plan: &Plan<'_, T>, track: &Track<T>, slopes: &[f64], tape: &mut Tape<T>) {
        let (n_steps, n_batch) = (track.activity.n_steps, track.activity.n_batch);
        let (k, n_state, dims) = (plan.k, plan.flow.n_state(), plan.flow.network.dims);
        let (trial, n_rec) = (k * n_state, dims.n_rec);
        let (layer, rows) = (n_batch * trial, n_batch * k);
        let exact = plan.variant == FlossingVariant::Exact;
        tape.gradient.clear();
        tape.gradient.resize((n_rec + dims.n_in) * n_rec, T::zero());
        for buffer in [&mut self.qb, &mut self.next] {
            buffer.clear();
            buffer.resize(layer, T::zero());
        }
        self.slopes.resize(n_batch * n_rec, T::zero());
        self.potential.resize(rows * n_rec, T::zero());
        self.delta.clear();
        self.delta.resize(if exact { (n_steps + 1) * n_batch * n_rec } else { 0 }, T::zero());

        let first = track.starts.iter().copied().min().unwrap_or(n_steps);
        for t in (first..n_steps).rev() {
            if plan.variant == FlossingVariant::Local {
                self.qb.fill(T::zero());
            }
            let u = &tape.u[t * layer..][..2 * layer];
            for b in 0..n_batch {
                let (qb, q_next) = (&mut self.qb[b * trial..][..trial], &u[layer + b * trial..][..trial]);
                if t < track.starts[b] || tape.silent[b] {
                    qb.fill(T::zero());
                    continue;
                }
                let from = track.starts[b].max(plan.skip);
                let l = &tape.l[(t * n_batch + b) * k * k..][..k * k];
                let c = |i: usize| if t < from { 0.0 } else { slopes[i] / (n_steps - from) as f64 };
                through_qr(qb, q_next, l, n_state, &mut self.mirrored, |i| T::of(c(i)));
            }
            plan.flow.slopes(&mut self.slopes, track.z(t));
            self.add_outer(plan, &u[..layer], &mut tape.gradient[..n_rec * n_rec]);
            plan.flow.backwards(&self.qb, &self.slopes, k, &mut self.scratch, &mut self.next);
            std::mem::swap(&mut self.qb, &mut self.next);
            if exact {
                self.reach_trajectory(plan, track, &u[..layer], t);
            }
        }
        if exact {
            self.through_trajectory(plan, track, &mut tape.gradient);
        }
    }

    /// Equation (L10), with Mb in `qb` and Q_t in `u`.
    fn add_outer(&mut self, plan: &Plan<'_, T>, u: &[T], gradient: &mut [T]) {
        let (n, n_state) = (plan.flow.network.dims.n_rec, plan.flow.n_state());
        let rows = u.len() / n_state;
        plan.flow.potential_part(u, &mut self.potential);
        for (row, potential) in self.potential.chunks_exact_mut(n).enumerate() {
            let d = &self.slopes[row / plan.k * n..][..n];
            potential.iter_mut().zip(d).for_each(|(p, d)| *p *= *d);
        }
        self.through_trajectory.resize(rows * n, T::zero());
        plan.flow.state_part(&self.qb, &mut self.through_trajectory);
        let post = View::row_major(&self.through_trajectory, rows, n);
        let pre = View::row_major(&self.potential, rows, n);
        product(gradient, Into::Add, post.t(), pre, T::one() - plan.flow.network.alpha);
    }

    /// Equation (L12) at step t, divided by f'(v[t]): what is added to the signal s[t] of equation (9).
    fn reach_trajectory(&mut self, plan: &Plan<'_, T>, track: &Track<T>, u: &[T], t: usize) {
        let n = plan.flow.network.dims.n_rec;
        plan.flow.potential_part(u, &mut self.potential);
        let layer = track.activity.n_batch * n;
        let signal = &mut self.delta[t * layer..][..layer];
        let rows = self.potential.chunks_exact(plan.k * n).zip(self.scratch.dz.chunks_exact(plan.k * n));
        for ((signal, (potential, dz)), z) in
            signal.chunks_exact_mut(n).zip(rows).zip(track.z(t).chunks_exact(n))
        {
            for (potential, dz) in potential.chunks_exact(n).zip(dz.chunks_exact(n)) {
                (0..n).for_each(|j| signal[j] += potential[j] * dz[j]);
            }
            let f = plan.flow.network.activation;
            signal.iter_mut().zip(z).for_each(|(s, z)| *s *= f.relative_curvature(*z));
        }
    }

    /// Carries (L12) back through the network: equations (7) and (9)-(12), with no error at the readout.
    fn through_trajectory(&mut self, plan: &Plan<'_, T>, track: &Track<T>, gradient: &mut [T]) {
        let (network, weights, n_steps) = (plan.flow.network, plan.flow.weights, track.activity.n_steps);
        let pass = rules::Pass {
            network,
            weights,
            activity: &track.activity,
            d: &[],
            first_error: n_steps,
            n_used: n_steps,
        };
        let mut scratch = rules::Scratch::new(network, track.activity.n_batch);
        pass.carry_back(&weights.w_out, true, true, &mut scratch, &mut self.delta);
        self.through_trajectory.clear();
        self.through_trajectory.resize(gradient.len(), T::zero());
        let (w_rec, w_in_t) = self.through_trajectory.split_at_mut(network.dims.n_rec * network.dims.n_rec);
        weight_sums(&pass, &self.delta, w_rec, w_in_t);
        gradient.iter_mut().zip(&self.through_trajectory).for_each(|(g, own)| *g += *own);
    }
}

/// Equations (L8) and (L9) of one trial: `qb` [k, S] holds Qb^T on entry and Mb^T on return.
fn through_qr<T: Scalar>(
    qb: &mut [T],
    q_next: &[T],
    l: &[T],
    n_state: usize,
    mirrored: &mut Vec<T>,
    c: impl Fn(usize) -> T,
) {
    let k = qb.len() / n_state;
    mirrored.resize(k * k, T::zero());
    let next = View::row_major(q_next, k, n_state);
    product(mirrored, Into::Replace, View::row_major(qb, k, n_state), next.t(), -T::one());
    for i in 0..k {
        mirrored[i * k + i] += c(i);
        for j in 0..i {
            mirrored[j * k + i] = mirrored[i * k + j];
        }
    }
    product(qb, Into::Add, View::row_major(mirrored, k, k), next, T::one());
    solve_upper(l, qb, k, n_state);
}
