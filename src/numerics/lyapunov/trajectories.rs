//! Owns the trajectories that exponents are taken along, chunk by chunk, and where their tangents start.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::ArrayView2;

use super::tangents::{Flow, adaptive_units};
use super::{FreeRun, Skip};
use crate::numerics::network::{Activation, Activity, Network, PackedWeights};
use crate::numerics::parallel::{Workers, chunks, for_each};
use crate::numerics::random::Stream;
use crate::numerics::scalar::Scalar;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;

/// The network with its weights, and its trajectories on one batch.
#[derive(Debug)]
pub(super) struct Trajectories<T> {
    pub network: Network<T>,
    pub weights: PackedWeights<T>,
    adaptive: Vec<usize>,
    tracks: Vec<Mutex<Track<T>>>,
}

/// The trajectories of one chunk of trials.
#[derive(Debug)]
pub(super) struct Track<T> {
    pub activity: Activity<T>,
    /// First step at which the tangents of each trial move; T where they never do.
    pub starts: Vec<usize>,
    /// First step at which every trial that ever leaves zero has left it.
    all_moving: usize,
}

/// What is in a lock. A poisoned one belongs to a run that ends anyway.
pub(super) fn lock<B>(shared: &Mutex<B>) -> MutexGuard<'_, B> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Scalar> Trajectories<T> {
    pub fn new(network: &Network<T>) -> Self {
        Self {
            network: network.clone(),
            weights: PackedWeights::zeros(network.dims),
            adaptive: adaptive_units(network),
            tracks: Vec::new(),
        }
    }

    /// The linearised model.
    pub fn flow(&self) -> Flow<'_, T> {
        Flow { network: &self.network, weights: &self.weights, adaptive: &self.adaptive }
    }

    /// How many chunks there are.
    pub fn n_chunks(&self) -> usize {
        self.tracks.len()
    }

    /// The track of one chunk.
    pub fn track(&self, chunk: usize) -> MutexGuard<'_, Track<T>> {
        lock(&self.tracks[chunk])
    }

    /// Runs the network on `trials`.
    pub fn follow(&mut self, weights: &Weights<T>, trials: &Trials<T>, workers: &dyn Workers) {
        self.make_room(weights, trials.n_steps(), trials.n_batch());
        let (network, weights) = (&self.network, &self.weights);
        for_each(workers, &mut self.tracks, |i, track| {
            let (first, _) = chunks(trials.n_batch()).nth(i).unwrap_or_default();
            track.activity.load(trials, first);
            track.activity.forward_steps(network, weights, trials.n_steps());
            track.find_starts(network);
        });
    }

    /// Lets the network run without input, from random states h ~ N(0, 1), a = 0.
    ///
    /// A ReLU network without input grows or shrinks without bound. Its steps commute with a change of scale,
    /// so after each one every state is brought back to root mean square 1: no Jacobian changes.
    pub fn wander(&mut self, weights: &Weights<T>, run: FreeRun, stream: &mut Stream, workers: &dyn Workers) {
        let n_steps = run.n_steps;
        self.make_room(weights, n_steps, run.n_states);
        for track in &mut self.tracks {
            lock(track).activity.h.iter_mut().for_each(|h| *h = T::of(stream.normal()));
        }
        let (network, weights) = (&self.network, &self.weights);
        let rescaled = network.activation == Activation::Relu;
        for_each(workers, &mut self.tracks, |_, track| {
            let activity = &mut track.activity;
            activity.start_free(network);
            for t in 0..n_steps {
                activity.free_step(network, weights, t);
                if rescaled {
                    rescale(activity, t + 1, network.dims.n_rec);
                }
            }
            track.all_moving = 0;
            track.starts.clear();
            track.starts.resize(activity.n_batch, 0);
        });
    }

    /// Packs the weights and makes one track for each chunk of a batch.
    fn make_room(&mut self, weights: &Weights<T>, n_steps: usize, n_batch: usize) {
        self.weights.pack(&self.network, weights);
        self.tracks.truncate(chunks(n_batch).len());
        for (i, (_, n_batch)) in chunks(n_batch).enumerate() {
            if i == self.tracks.len() {
                self.tracks.push(Mutex::new(Track {
                    activity: Activity::new(&self.network, n_steps, n_batch, true),
                    starts: Vec::new(),
                    all_moving: 0,
                }));
            }
            lock(&self.tracks[i]).activity.reshape(&self.network, n_steps, n_batch);
        }
    }

    /// The number of steps that `skip` means here.
    pub fn skip(&self, skip: Skip) -> usize {
        match skip {
            Skip::Steps(steps) => steps,
            Skip::Auto => self.tracks.iter().map(|track| lock(track).all_moving).max().unwrap_or(0),
        }
    }

    /// The first `n` columns of `q0` as rows of S values; see [`super::q0_fits`].
    pub fn first_tangents(&self, q0: ArrayView2<'_, f64>, n: usize) -> Vec<T> {
        let (n_rec, n_state) = (self.network.dims.n_rec, self.flow().n_state());
        assert!(q0_fits(q0.dim(), n, &self.network), "q0 {:?} does not fit {n} exponents", q0.dim());
        let (rows, columns) = q0.dim();
        let value = |i: usize, m: usize| match (i < columns, m < rows) {
            (true, true) => T::of(q0[[m, i]]),
            (false, _) if m == n_rec + i - columns => T::one(),
            _ => T::zero(),
        };
        (0..n * n_state).map(|place| value(place / n_state, place % n_state)).collect()
    }
}

/// Whether a matrix of this shape can be the Q_0 of `n` exponents (0 = all) of a network.
///
/// It has S rows, S being N and one more for each adaptive unit, and at least n columns. For a network with
/// adaptive units [N, n] and [N, N] will do too: the tangents then start with zeros for a, and the exponents
/// beyond N with the unit vectors of a.
pub fn q0_fits<T: Scalar>(shape: (usize, usize), n: usize, network: &Network<T>) -> bool {
    let (n_rec, n_state) = (network.dims.n_rec, network.dims.n_rec + adaptive_units(network).len());
    let n = if n == 0 { n_state } else { n.min(n_state) };
    let (rows, columns) = shape;
    (rows == n_state || rows == n_rec) && (columns >= n || (rows, columns) == (n_rec, n_rec))
}

/// Brings each trial's h to root mean square 1 at step `t`, with its a and z. A state of zeros stays.
fn rescale<T: Scalar>(activity: &mut Activity<T>, t: usize, n_rec: usize) {
    let layer = activity.h.len();
    let z = &mut activity.z[t * layer..][..layer];
    for (b, h) in activity.h.chunks_exact_mut(n_rec).enumerate() {
        let square = h.iter().map(|h| h.f64() * h.f64()).sum::<f64>() / n_rec as f64;
        if square > 0.0 {
            let scale = T::of(1.0 / square.sqrt());
            h.iter_mut().for_each(|h| *h *= scale);
            z[b * n_rec..][..n_rec].iter_mut().for_each(|z| *z *= scale);
            if !activity.a.is_empty() {
                activity.a[b * n_rec..][..n_rec].iter_mut().for_each(|a| *a *= scale);
            }
        }
    }
}

impl<T: Scalar> Track<T> {
    /// z[t] of all trials, [B, N].
    pub fn z(&self, t: usize) -> &[T] {
        let layer = self.activity.h.len();
        &self.activity.z[t * layer..][..layer]
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
