//! Owns the walk of tangents along the trajectories of one chunk, and when they are made orthonormal.
//!
//! A product of s Jacobians may be orthonormalised once instead of s times: the pivots of the product are the
//! products of the pivots. What that costs is precision. A rounding error made inside the block grows by at most
//! g^s, g a bound of ||J_t||, and changes pivot i by a relative amount of at most `eps g^s ||R^-1 e_i||`, R the
//! triangle of the block. And no single step may have had a pivot under the floor `64 eps ||J_t Q_t||_F`, which
//! is at most `64 eps g sqrt k`; a pivot of one step is at least that of the block divided by g^(s-1). So a block
//! stands only if
//!
//! ```text
//! (L6)  eps g^s max_i ||R^-1 e_i|| <= tolerance    and    min_i R_ii > 64 eps g^s sqrt k
//! ```
//!
//! Otherwise it is taken again in single steps, of which (L6) is not asked: there the floor decides.

use super::Orthonormalise;
use super::basis::complete;
use super::orthonormal::{FLOOR_ROUNDINGS, Triangle};
use super::spectrum::SpectrumSettings;
use super::tangents::{Flow, Scratch};
use super::trajectories::Track;
use crate::numerics::scalar::Scalar;

/// Tangents that walk together fill at least so many rows, so that the product with `w_rec` is worth its call.
const ROWS_TOGETHER: usize = 64;

/// Largest number of steps in one block.
const LONGEST_BLOCK: usize = 16;

/// Blocks after a failed one that are not made longer.
const BLOCKS_OF_CAUTION: usize = 8;

/// Bounds of the relative error of a pivot in (L6), `[own]`. Errors themselves stay some hundred times smaller:
/// a bound adds up what chance takes apart.
const TOLERANCE_F32: f64 = 4e-3;
const TOLERANCE_F64: f64 = 1e-10;

/// What is the same for all trials.
#[derive(Debug)]
pub(super) struct Plan<'a, T> {
    flow: Flow<'a, T>,
    /// Q_0 as rows [n, S].
    q0: Vec<T>,
    n: usize,
    skip: usize,
    every_step: bool,
    convergence: bool,
    growth: f64,
    tolerance: f64,
}

impl<'a, T: Scalar> Plan<'a, T> {
    /// `n` exponents from the tangents `q0` [n, S], which are made orthonormal to the last bit first.
    pub fn new(flow: Flow<'a, T>, mut q0: Vec<T>, n: usize, skip: usize, settings: SpectrumSettings) -> Self {
        let n_state = flow.n_state();
        Triangle::default().orthonormalise(&mut q0, n, n_state);
        let like = q0.clone();
        complete(&mut q0, &like, n_state);
        let convergence = settings.convergence;
        // One tangent costs no more to normalise than to save.
        let every_step = convergence || n == 1 || settings.orthonormalise == Orthonormalise::EveryStep;
        Self {
            growth: if every_step { 0.0 } else { flow.growth_bound() },
            tolerance: if T::epsilon().f64() > 1e-10 { TOLERANCE_F32 } else { TOLERANCE_F64 },
            flow,
            q0,
            n,
            skip,
            every_step,
            convergence,
        }
    }
}

/// What the walk along one chunk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Exponents of each trial, [n_batch, n].
    pub exponents: Vec<f64>,
    /// Trials that never left zero or fell silent.
    pub silent: Vec<bool>,
    /// Sums over trials of the means so far, [T, n], where asked for.
    pub convergence: Vec<f64>,
    /// How many trials each step's sum has.
    pub converging: Vec<f64>,
}

/// Buffers for the tangents of a few trials.
#[derive(Debug, Default)]
pub(super) struct Walker<T> {
    trials: Vec<Trial>,
    /// Tangents [trials, n, S]; a trial's live ones first, then zeros.
    u: Vec<T>,
    next: Vec<T>,
    saved: Vec<T>,
    slopes: Vec<T>,
    pivots: Vec<T>,
    scratch: Scratch<T>,
    triangle: Triangle<T>,
    /// Steps of the next block, and how many more blocks are not to be longer than the one before.
    block: usize,
    caution: usize,
}

/// One trial on its walk.
#[derive(Debug)]
struct Trial {
    /// Its place in the chunk.
    place: usize,
    /// First step at which its tangents move.
    start: usize,
    /// First step that counts.
    from: usize,
    /// Which exponent each live tangent belongs to.
    live: Vec<usize>,
    /// Sums of ln R_ii so far, [n].
    logs: Vec<f64>,
    silent: bool,
    /// Means so far, [T, n], where asked for.
    convergence: Vec<f64>,
}

impl<T: Scalar> Walker<T> {
    /// Walks all trials of a track.
    pub fn walk(&mut self, plan: &Plan<'_, T>, track: &Track<T>, found: &mut Found) {
        let (n_steps, n_batch, n) = (track.activity.n_steps, track.activity.n_batch, plan.n);
        found.exponents.clear();
        found.exponents.resize(n_batch * n, f64::NAN);
        found.silent.clear();
        found.silent.resize(n_batch, true);
        let curve = if plan.convergence { n_steps } else { 0 };
        found.convergence.clear();
        found.convergence.resize(curve * n, 0.0);
        found.converging.clear();
        found.converging.resize(curve, 0.0);

        // Trials that start together walk together: those that have started are then always the first ones.
        let mut order: Vec<usize> = (0..n_batch).filter(|b| track.starts[*b] < n_steps).collect();
        order.sort_by_key(|b| track.starts[*b]);
        (self.block, self.caution) = (1, 0);
        for group in order.chunks((ROWS_TOGETHER / n.max(1)).max(1)) {
            self.set_out(plan, track, group);
            self.walk_group(plan, track);
            self.arrive(plan, n_steps, found);
        }
    }

    /// Places the tangents of a group of trials at Q_0.
    fn set_out(&mut self, plan: &Plan<'_, T>, track: &Track<T>, group: &[usize]) {
        let (n, n_steps) = (plan.n, track.activity.n_steps);
        let trial = |place: &usize| Trial {
            place: *place,
            start: track.starts[*place],
            from: plan.skip.max(track.starts[*place]),
            live: (0..n).collect(),
            logs: vec![0.0; n],
            silent: false,
            convergence: vec![0.0; if plan.convergence { n_steps * n } else { 0 }],
        };
        self.trials.clear();
        self.trials.extend(group.iter().map(trial));
        self.u.clear();
        group.iter().for_each(|_| self.u.extend_from_slice(&plan.q0));
        // Both, because they change places while some of the trials still stand at Q_0.
        self.next.clone_from(&self.u);
        self.slopes.resize(group.len() * plan.flow.network.dims.n_rec, T::zero());
        self.pivots.resize(group.len() * n, T::zero());
    }

    fn walk_group(&mut self, plan: &Plan<'_, T>, track: &Track<T>) {
        let n_steps = track.activity.n_steps;
        let mut t = self.trials.iter().map(|trial| trial.start).min().unwrap_or(n_steps);
        while t < n_steps {
            let started = self.trials.iter().filter(|trial| trial.start <= t).count();
            let events = self.trials.iter().flat_map(|trial| [trial.start, trial.from]);
            let next_event = events.filter(|event| *event > t).min().unwrap_or(n_steps).min(n_steps);
            let longest = if plan.every_step { 1 } else { self.block };
            let mut steps = longest.min(next_event - t);
            let used = self.used(plan, started);
            if steps > 1 {
                self.saved.clear();
                self.saved.extend_from_slice(&self.u[..used]);
            }
            let error = self.take_block(plan, track, t..t + steps, started);
            if steps > 1 && error > plan.tolerance {
                self.u[..used].copy_from_slice(&self.saved);
                (self.block, self.caution, steps) = (steps - 1, BLOCKS_OF_CAUTION, 1);
                self.take_block(plan, track, t..t + 1, started);
            } else {
                self.plan_ahead(plan, steps, error);
            }
            self.account(plan, t..t + steps, started);
            t += steps;
        }
    }

    /// Values of `u` in use.
    fn used(&self, plan: &Plan<'_, T>, started: usize) -> usize {
        let rows = match &self.trials[..] {
            [only] => only.live.len(),
            _ => started * plan.n,
        };
        rows * plan.flow.n_state()
    }

    /// Takes the tangents over a block of steps and makes them orthonormal. Returns the bound on the error of
    /// (L6), infinite where a pivot may have been under the floor; 0 for a single step, of which it is not asked.
    fn take_block(
        &mut self,
        plan: &Plan<'_, T>,
        track: &Track<T>,
        steps: std::ops::Range<usize>,
        started: usize,
    ) -> f64 {
        let (n, n_state, n_rec) = (plan.n, plan.flow.n_state(), plan.flow.network.dims.n_rec);
        let used = self.used(plan, started);
        for t in steps.clone() {
            for (trial, slopes) in self.trials[..started].iter_mut().zip(self.slopes.chunks_exact_mut(n_rec))
            {
                let z = &track.z(t)[trial.place * n_rec..][..n_rec];
                plan.flow.slopes(slopes, z);
                trial.silent |= plan.flow.vanishes(slopes);
            }
            let slopes = &self.slopes[..started * n_rec];
            plan.flow.forwards(&self.u[..used], slopes, n, &mut self.scratch, &mut self.next[..used]);
            std::mem::swap(&mut self.u, &mut self.next);
        }
        let growth = T::epsilon().f64() * plan.growth.powi(steps.len() as i32);
        let floor = T::of(FLOOR_ROUNDINGS * growth * (n as f64).sqrt());
        let mut error = 0.0f64;
        let rows = self.u.chunks_mut(n * n_state).zip(self.pivots.chunks_exact_mut(n));
        for (trial, (u, pivots)) in self.trials[..started].iter().zip(rows) {
            let live = trial.live.len();
            self.triangle.orthonormalise(&mut u[..live * n_state], live, n_state);
            (0..live).for_each(|i| pivots[i] = self.triangle.at(i, i));
            if steps.len() > 1 {
                let above = pivots[..live].iter().all(|pivot| *pivot > floor);
                let bound = if above { growth * self.triangle.inverse_norm().f64() } else { f64::INFINITY };
                error = error.max(if bound.is_nan() { f64::INFINITY } else { bound });
            }
        }
        error
    }

    /// Adds the logarithms of the pivots of a block that stands, and drops tangents that became zero.
    fn account(&mut self, plan: &Plan<'_, T>, steps: std::ops::Range<usize>, started: usize) {
        let (n, n_state) = (plan.n, plan.flow.n_state());
        let rows = self.u.chunks_mut(n * n_state).zip(self.pivots.chunks_exact(n));
        for (trial, (u, pivots)) in self.trials[..started].iter_mut().zip(rows) {
            let live = trial.live.len();
            let pivots = &pivots[..live];
            if trial.silent {
                u.fill(T::zero());
                trial.live.clear();
            }
            let lost = pivots.contains(&T::zero());
            if steps.start < trial.from {
                // In the warm-up a lost direction is replaced: what counts comes later.
                if lost && !trial.silent {
                    complete(&mut u[..live * n_state], &plan.q0, n_state);
                }
                continue;
            }
            for (i, pivot) in trial.live.iter().zip(pivots) {
                trial.logs[*i] += pivot.f64().ln();
            }
            if plan.convergence {
                let counted = (steps.end - trial.from) as f64;
                let means = &mut trial.convergence[steps.start * n..][..n];
                means.iter_mut().zip(&trial.logs).for_each(|(mean, log)| *mean = log / counted);
            }
            if lost && !trial.silent {
                trial.drop_lost(u, pivots, n_state);
            }
        }
    }

    /// Chooses the length of the next block from the bound that this one met: one step longer as long as the
    /// bound, growing by the same factor a step, stays under the tolerance.
    fn plan_ahead(&mut self, plan: &Plan<'_, T>, steps: usize, error: f64) {
        self.caution = self.caution.saturating_sub(1);
        let factor = (error / T::epsilon().f64()).powf(1.0 / steps as f64);
        if self.caution == 0 && error * factor <= 0.5 * plan.tolerance {
            self.block = self.block.max(steps + 1).min(LONGEST_BLOCK);
        }
    }

    /// Leaves the exponents of the group in its found.
    fn arrive(&mut self, plan: &Plan<'_, T>, n_steps: usize, found: &mut Found) {
        let n = plan.n;
        for trial in self.trials.iter().filter(|trial| !trial.silent) {
            found.silent[trial.place] = false;
            if trial.from >= n_steps {
                continue;
            }
            let counted = (n_steps - trial.from) as f64;
            let exponents = found.exponents[trial.place * n..].iter_mut();
            exponents.zip(&trial.logs).for_each(|(lambda, log)| *lambda = log / counted);
            if plan.convergence {
                found.convergence.iter_mut().zip(&trial.convergence).for_each(|(sum, own)| *sum += own);
                found.converging[trial.from..].iter_mut().for_each(|count| *count += 1.0);
            }
        }
    }
}

impl Trial {
    /// Moves the live tangents of `u` together and fills up with zeros.
    fn drop_lost<T: Scalar>(&mut self, u: &mut [T], pivots: &[T], n_state: usize) {
        let mut kept = 0;
        for (row, pivot) in pivots.iter().enumerate() {
            if *pivot != T::zero() {
                u.copy_within(row * n_state..(row + 1) * n_state, kept * n_state);
                self.live[kept] = self.live[row];
                kept += 1;
            }
        }
        u[kept * n_state..pivots.len() * n_state].fill(T::zero());
        self.live.truncate(kept);
    }
}
