//! Owns [`LyapunovSpectrum`], equation (L5) along trajectories.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayView2};

use super::tangents::{Flow, adaptive_units};
use super::walk::{Plan, Walker};
use super::{Exponents, Skip};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::{Pool, Workers, chunks, for_each};
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;

/// What is asked of a spectrum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpectrumSettings {
    /// How many leading exponents; 0, or more than there are, means all.
    pub n_exponents: usize,
    /// Steps left out.
    pub skip: Skip,
    /// When tangents are made orthonormal.
    pub orthonormalise: Orthonormalise,
    /// Whether [`Exponents::convergence`] is filled. It needs every step, whatever `orthonormalise` says.
    pub convergence: bool,
}

impl SpectrumSettings {
    /// The leading `n_exponents` (0 = all), sparing.
    pub fn leading(n_exponents: usize, skip: Skip) -> Self {
        Self { n_exponents, skip, orthonormalise: Orthonormalise::Sparing, convergence: false }
    }
}

/// When tangents are made orthonormal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orthonormalise {
    /// As seldom as a computed bound on the error of the pivots allows.
    Sparing,
    /// After every step.
    EveryStep,
}

/// Lyapunov spectra of one network, with all their buffers.
#[derive(Debug)]
pub struct LyapunovSpectrum<T> {
    network: Network<T>,
    adaptive: Vec<usize>,
    packed: PackedWeights<T>,
    pub(super) tracks: Vec<Mutex<Track<T>>>,
    pool: Pool<Walker<T>>,
}

/// The trajectories of one chunk of trials, and their results.
#[derive(Debug)]
pub(super) struct Track<T> {
    pub activity: Activity<T>,
    /// First step at which the tangents of each trial move; T where they never do.
    pub starts: Vec<usize>,
    /// First step at which every trial that ever leaves zero has left it.
    pub all_moving: usize,
    /// Exponents of each trial, [n_batch, n].
    pub exponents: Vec<f64>,
    /// Trials that fell silent.
    pub silent: Vec<bool>,
    /// Sums over trials of the means so far, [T, n], and how many trials each has; where asked for.
    pub convergence: Vec<f64>,
    pub converging: Vec<f64>,
}

impl<T: Scalar> LyapunovSpectrum<T> {
    /// Spectra of this network; buffers are made for the first batch and kept.
    pub fn new(network: &Network<T>) -> Self {
        Self {
            network: network.clone(),
            adaptive: adaptive_units(network),
            packed: PackedWeights::zeros(network.dims),
            tracks: Vec::new(),
            pool: Pool::default(),
        }
    }

    /// Size of the state S: N, plus one for each adaptive unit. There are as many exponents, and Q_0 is [S, S].
    pub fn n_state(&self) -> usize {
        self.network.dims.n_rec + self.adaptive.len()
    }

    /// The network.
    pub fn network(&self) -> &Network<T> {
        &self.network
    }

    /// Exponents of `weights` along the trajectories that `trials` drive.
    ///
    /// `q0` [S, at least as many columns as exponents] is where the tangents of every trial start (its columns;
    /// [`super::dense_orthonormal`] draws one). A q0 [N, ..] for a network with adaptive units has zeros for a,
    /// and unit vectors of a as its further columns.
    ///
    /// At h = 0 the Jacobian of ReLU is alpha I, which turns no tangent (at alpha = 0 it ends them all), so a
    /// trial's tangents start at its own first state other than zero, and where [`Skip::Steps`] says less, so
    /// does its mean. With tanh J is no multiple of I there: tangents start at step 0. Trials of a ReLU network
    /// that never leave zero, and trials that fall silent (J = 0), are counted and left out.
    pub fn run(
        &mut self,
        weights: &Weights<T>,
        trials: &Trials<T>,
        settings: SpectrumSettings,
        q0: ArrayView2<'_, f64>,
        workers: &dyn Workers,
    ) -> Exponents {
        self.packed.pack(&self.network, weights);
        self.make_tracks(trials.n_steps(), trials.n_batch(), true);
        let (network, packed) = (&self.network, &self.packed);
        for_each(workers, &mut self.tracks, |i, track| {
            let (first, _) = chunks(trials.n_batch()).nth(i).unwrap_or_default();
            track.activity.load(trials, first);
            track.activity.forward_steps(network, packed, trials.n_steps());
            track.find_starts(network);
        });
        self.measure(trials.n_steps(), settings, q0, workers)
    }

    /// Makes one track for each chunk of the batch.
    pub(super) fn make_tracks(&mut self, n_steps: usize, n_batch: usize, keep_states: bool) {
        let network = &self.network;
        let sizes: Vec<usize> = chunks(n_batch).map(|(_, n)| n).collect();
        self.tracks.truncate(sizes.len());
        for (i, n_batch) in sizes.into_iter().enumerate() {
            if i == self.tracks.len() {
                self.tracks.push(Mutex::new(Track::new(network, n_steps, n_batch, keep_states)));
            }
            let track = self.tracks[i].get_mut().unwrap_or_else(PoisonError::into_inner);
            track.activity.reshape(network, n_steps, n_batch);
        }
    }

    /// The network with its weights packed.
    pub(super) fn pack(&mut self, weights: &Weights<T>) {
        self.packed.pack(&self.network, weights);
    }

    pub(super) fn parts(&mut self) -> (&Network<T>, &PackedWeights<T>, &mut [Mutex<Track<T>>]) {
        (&self.network, &self.packed, &mut self.tracks)
    }

    /// Walks the tangents along the trajectories that stand in the tracks.
    pub(super) fn measure(
        &mut self,
        n_steps: usize,
        settings: SpectrumSettings,
        q0: ArrayView2<'_, f64>,
        workers: &dyn Workers,
    ) -> Exponents {
        let moving = |track: &Mutex<Track<T>>| lock(track).all_moving;
        let skip = match settings.skip {
            Skip::Steps(steps) => steps,
            Skip::Auto => self.tracks.iter().map(moving).max().unwrap_or(0),
        };
        let flow = Flow { network: &self.network, weights: &self.packed, adaptive: &self.adaptive };
        let n = match settings.n_exponents {
            0 => flow.n_state(),
            n => n.min(flow.n_state()),
        };
        let q0 = first_tangents(q0, n, self.network.dims.n_rec, flow.n_state());
        let plan = Plan::new(flow, q0, n, skip, settings);
        self.pool.grow(workers.width().min(self.tracks.len()), Walker::default);
        let pool = &self.pool;
        for_each(workers, &mut self.tracks, |_, track| pool.borrow().walk(&plan, track));
        self.collect(n, n_steps, skip, settings.convergence)
    }

    fn collect(&mut self, n: usize, n_steps: usize, skip: usize, convergence: bool) -> Exponents {
        let (mut values, mut silent) = (Vec::new(), Vec::new());
        let (mut sums, mut counts) = (vec![0.0; n_steps * n], vec![0.0; n_steps]);
        for track in &mut self.tracks {
            let track = track.get_mut().unwrap_or_else(PoisonError::into_inner);
            values.extend_from_slice(&track.exponents);
            silent.extend_from_slice(&track.silent);
            sums.iter_mut().zip(&track.convergence).for_each(|(s, own)| *s += own);
            counts.iter_mut().zip(&track.converging).for_each(|(c, own)| *c += own);
        }
        let per_trial =
            Array2::from_shape_vec((silent.len(), n), values).unwrap_or_else(|_| Array2::zeros((0, n)));
        let mut exponents = Exponents::new(per_trial, &silent, skip);
        if convergence {
            let counted: Range<usize> = skip.min(n_steps)..n_steps;
            exponents.convergence = Some(Array2::from_shape_fn((counted.len(), n), |(t, i)| {
                sums[(counted.start + t) * n + i] / counts[counted.start + t]
            }));
        }
        exponents
    }
}

fn lock<B>(shared: &Mutex<B>) -> MutexGuard<'_, B> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first `n` columns of `q0` as rows of S values.
pub(super) fn first_tangents<T: Scalar>(
    q0: ArrayView2<'_, f64>,
    n: usize,
    n_rec: usize,
    n_state: usize,
) -> Vec<T> {
    let (rows, columns) = q0.dim();
    assert!(rows == n_state || rows == n_rec, "q0 has a row for each state: {n_state}, not {rows}");
    let square = rows == n_rec && columns == n_rec;
    assert!(columns >= n || square, "q0 has a column for each exponent: {n}, not {columns}");
    let value = |i: usize, m: usize| match (i < columns, m < rows) {
        (true, true) => T::of(q0[[m, i]]),
        (false, _) if m == n_rec + i - columns => T::one(),
        _ => T::zero(),
    };
    (0..n * n_state).map(|place| value(place / n_state, place % n_state)).collect()
}

impl<T: Scalar> Track<T> {
    fn new(network: &Network<T>, n_steps: usize, n_batch: usize, keep_states: bool) -> Self {
        Self {
            activity: Activity::new(network, n_steps, n_batch, keep_states),
            starts: Vec::new(),
            all_moving: 0,
            exponents: Vec::new(),
            silent: Vec::new(),
            convergence: Vec::new(),
            converging: Vec::new(),
        }
    }

    /// Finds where trials leave zero, and with it where tangents start.
    fn find_starts(&mut self, network: &Network<T>) {
        let (n_steps, n_batch, n_rec) = (self.activity.n_steps, self.activity.n_batch, network.dims.n_rec);
        let h = &self.activity.h_all;
        let moves = |t: &usize, b: usize| {
            let state = &h[(t * n_batch + b) * n_rec..][..n_rec];
            state.iter().any(|h| *h != T::zero())
        };
        let first = |b: usize| (0..n_steps).find(|t| moves(t, b));
        let firsts = (0..n_batch).map(first);
        self.all_moving = firsts.clone().flatten().max().unwrap_or(0);
        let waits = network.activation.slope(T::zero()) == T::zero();
        self.starts = firsts.map(|first| if waits { first.unwrap_or(n_steps) } else { 0 }).collect();
    }
}
