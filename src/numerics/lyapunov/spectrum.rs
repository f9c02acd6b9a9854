//! Owns [`LyapunovSpectrum`], equation (L5) along trajectories that trials drive.

use std::sync::Mutex;

use ndarray::{Array2, ArrayView2};

use super::trajectories::{Trajectories, lock};
use super::walk::{Found, Plan, Walker};
use super::{Exponents, Skip};
use crate::numerics::network::Network;
use crate::numerics::parallel::{Pool, Workers, for_each};
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
    pub(super) trajectories: Trajectories<T>,
    found: Vec<Mutex<Found>>,
    pool: Pool<Walker<T>>,
}

impl<T: Scalar> LyapunovSpectrum<T> {
    /// Spectra of this network; buffers are made for the first batch and kept.
    pub fn new(network: &Network<T>) -> Self {
        Self { trajectories: Trajectories::new(network), found: Vec::new(), pool: Pool::default() }
    }

    /// Size of the state S: N, plus one for each adaptive unit. There are as many exponents, and Q_0 is [S, S].
    pub fn n_state(&self) -> usize {
        self.trajectories.flow().n_state()
    }

    /// The network.
    pub fn network(&self) -> &Network<T> {
        &self.trajectories.network
    }

    /// Exponents of `weights` along the trajectories that `trials` drive.
    ///
    /// The columns of `q0` are where the tangents of every trial start ([`super::dense_orthonormal`] draws one,
    /// [`super::q0_fits`] says which shapes will do; another is a fault of the caller and panics).
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
        self.trajectories.follow(weights, trials, workers);
        self.measure(trials.n_steps(), settings, q0, workers)
    }

    /// Walks the tangents along the trajectories that stand ready.
    pub(super) fn measure(
        &mut self,
        n_steps: usize,
        settings: SpectrumSettings,
        q0: ArrayView2<'_, f64>,
        workers: &dyn Workers,
    ) -> Exponents {
        let trajectories = &self.trajectories;
        let n = match settings.n_exponents {
            0 => trajectories.flow().n_state(),
            n => n.min(trajectories.flow().n_state()),
        };
        let skip = trajectories.skip(settings.skip);
        let plan = Plan::new(trajectories.flow(), trajectories.first_tangents(q0, n), n, skip, settings);
        self.found.resize_with(trajectories.n_chunks(), Mutex::default);
        self.pool.grow(workers.width().min(trajectories.n_chunks()), Walker::default);
        let pool = &self.pool;
        for_each(workers, &mut self.found, |i, found| {
            pool.borrow().walk(&plan, &trajectories.track(i), found);
        });
        self.collect(n, n_steps, skip, settings.convergence)
    }

    fn collect(&self, n: usize, n_steps: usize, skip: usize, convergence: bool) -> Exponents {
        let (mut values, mut silent) = (Vec::new(), Vec::new());
        let (mut sums, mut counts) = (vec![0.0; n_steps * n], vec![0.0; n_steps]);
        for found in &self.found {
            let found = lock(found);
            values.extend_from_slice(&found.exponents);
            silent.extend_from_slice(&found.silent);
            sums.iter_mut().zip(&found.convergence).for_each(|(s, own)| *s += own);
            counts.iter_mut().zip(&found.converging).for_each(|(c, own)| *c += own);
        }
        let per_trial = Array2::from_shape_fn((silent.len(), n), |(b, i)| values[b * n + i]);
        let mut exponents = Exponents::new(per_trial, &silent, skip);
        if convergence {
            let first = skip.min(n_steps);
            let mean = |(t, i): (usize, usize)| sums[(first + t) * n + i] / counts[first + t];
            exponents.convergence = Some(Array2::from_shape_fn((n_steps - first, n), mean));
        }
        exponents
    }
}
