//! Owns the model: [`Network`], its one equation, and the forward pass over a chunk of trials.
//!
//! The equation (rules, curvature and Lyapunov exponents cite it by these numbers):
//!
//! ```text
//! (1)  v[t]   = h[t] - beta * a[t]                       beta = 0 on plain units
//! (2)  z[t]   = f(v[t])                                  ReLU or tanh, ReLU'(0) = 0
//! (3)  h[t+1] = alpha h[t] + (1 - alpha) (w_rec z[t] + w_in x[t])        h[0] = 0
//! (4)  a[t+1] = rho_a a[t] + (1 - rho_a) z[t]            a[0] = 0, adaptive units only
//! (5)  y[t]   = w_out z[t+1]
//! ```
//!
//! Source: P2 Eq. 1 and P1 Eq. 10 (plain units), P1 Eq. 11-12 (adaptive); the factor (1 - rho_a) is from
//! the authors' code. No biases: neither paper has them.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::product::{Into, View, product};
use super::scalar::Scalar;
use super::skinny::{combine_rows, project_rows, vectorized};
use super::trials::Trials;
use super::weights::{Dims, Weights};

/// The activation function f.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// max(v, 0), with derivative 0 at 0.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// f(v).
    #[inline(always)]
    pub fn of<T: Scalar>(self, v: T) -> T {
        match self {
            // Not `max`: NaN must stay NaN, so that a diverged run is seen.
            Activation::Relu => {
                if v <= T::zero() {
                    T::zero()
                } else {
                    v
                }
            }
            Activation::Tanh => v.tanh(),
        }
    }

    /// f'(v), from z = f(v).
    #[inline(always)]
    pub fn slope<T: Scalar>(self, z: T) -> T {
        match self {
            Activation::Relu => {
                if z > T::zero() {
                    T::one()
                } else {
                    T::zero()
                }
            }
            Activation::Tanh => T::one() - z * z,
        }
    }

    /// f''(v), from z = f(v); 0 for ReLU.
    #[inline(always)]
    pub fn curvature<T: Scalar>(self, z: T) -> T {
        match self {
            Activation::Relu => T::zero(),
            Activation::Tanh => -(z + z) * (T::one() - z * z),
        }
    }

    /// f''(v) / f'(v), from z = f(v), also in the limit f'(v) = 0; 0 for ReLU.
    #[inline(always)]
    pub fn relative_curvature<T: Scalar>(self, z: T) -> T {
        match self {
            Activation::Relu => T::zero(),
            Activation::Tanh => -(z + z),
        }
    }
}

/// Adaptive-threshold units: equations (1) and (4).
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptation<T> {
    /// Strength of each unit, [N]; 0 on plain units.
    pub beta: Vec<T>,
    /// Decay a step, exp(-dt / tau_a).
    pub rho: T,
}

/// The network without its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Network<T> {
    /// Sizes.
    pub dims: Dims,
    /// Leak: 1 - dt/tau, in [0, 1).
    pub alpha: T,
    /// f.
    pub activation: Activation,
    /// `None` on a network of plain units.
    pub adaptation: Option<Adaptation<T>>,
}

impl<T: Scalar> Network<T> {
    /// A network of plain units.
    pub fn plain(dims: Dims, alpha: f64, activation: Activation) -> Self {
        Self { dims, alpha: T::of(alpha), activation, adaptation: None }
    }

    /// Makes the last `units` units adaptive with strength `beta` and time constant `tau` steps.
    pub fn with_adaptive_units(mut self, units: usize, beta: f64, tau: f64) -> Self {
        let n = self.dims.n_rec;
        self.adaptation = (units > 0).then(|| Adaptation {
            beta: (0..n).map(|i| if i + units >= n { T::of(beta) } else { T::zero() }).collect(),
            rho: T::of((-1.0 / tau).exp()),
        });
        self
    }

    /// The same network in another precision.
    pub fn cast<U: Scalar>(&self) -> Network<U> {
        Network {
            dims: self.dims,
            alpha: U::of(self.alpha.f64()),
            activation: self.activation,
            adaptation: self.adaptation.as_ref().map(|a| Adaptation {
                beta: a.beta.iter().map(|b| U::of(b.f64())).collect(),
                rho: U::of(a.rho.f64()),
            }),
        }
    }
}

/// Weights in the layouts that the products of a pass read fastest.
#[derive(Clone, Debug)]
pub struct PackedWeights<T> {
    /// `w_rec` [N, N], rows post-synaptic: read by backward passes.
    pub w_rec: Vec<T>,
    /// Its transpose [N, N]: read by forward passes.
    pub w_rec_t: Vec<T>,
    /// (1 - alpha) times the transpose of `w_in`, [n_in, N].
    pub w_in_t: Vec<T>,
    /// `w_out` [n_out, N].
    pub w_out: Vec<T>,
}

impl<T: Scalar> PackedWeights<T> {
    /// Room for weights of these sizes.
    pub fn zeros(dims: Dims) -> Self {
        let Dims { n_in, n_rec, n_out } = dims;
        Self {
            w_rec: vec![T::zero(); n_rec * n_rec],
            w_rec_t: vec![T::zero(); n_rec * n_rec],
            w_in_t: vec![T::zero(); n_in * n_rec],
            w_out: vec![T::zero(); n_out * n_rec],
        }
    }

    /// Copies `weights` in.
    pub fn pack(&mut self, network: &Network<T>, weights: &Weights<T>) {
        let Dims { n_in, n_rec, .. } = network.dims;
        let (w_rec, w_in) = (weights.w_rec(), weights.w_in());
        self.w_rec.copy_from_slice(w_rec.as_slice().expect("row-major"));
        self.w_out.copy_from_slice(weights.w_out().as_slice().expect("row-major"));
        transpose_into(&mut self.w_rec_t, &self.w_rec, n_rec, n_rec);
        transpose_into(&mut self.w_in_t, w_in.as_slice().expect("row-major"), n_rec, n_in);
        let input_gain = T::one() - network.alpha;
        self.w_in_t.iter_mut().for_each(|w| *w *= input_gain);
    }
}

/// `out` [columns, rows] = transpose of `matrix` [rows, columns], in blocks that stay in the nearest cache.
pub fn transpose_into<T: Copy>(out: &mut [T], matrix: &[T], rows: usize, columns: usize) {
    const BLOCK: usize = 16;
    for i0 in (0..rows).step_by(BLOCK) {
        for j0 in (0..columns).step_by(BLOCK) {
            for i in i0..(i0 + BLOCK).min(rows) {
                for j in j0..(j0 + BLOCK).min(columns) {
                    out[j * rows + i] = matrix[i * columns + j];
                }
            }
        }
    }
}

/// What a forward pass leaves behind, for one chunk of trials; all arrays time-major and contiguous.
#[derive(Clone, Debug)]
pub struct Activity<T> {
    /// Steps T.
    pub n_steps: usize,
    /// Trials in this chunk, B.
    pub n_batch: usize,
    keep_states: bool,
    /// Input [T, B, n_in].
    pub x: Vec<T>,
    /// Activity [T+1, B, N]; `z[0]` = f(0) = 0.
    pub z: Vec<T>,
    /// State at the end of the pass [B, N].
    pub h: Vec<T>,
    /// All states [T+1, B, N] where they were asked for, else empty.
    pub h_all: Vec<T>,
    /// Adaptation at the end of the pass [B, N]; empty on plain units.
    pub a: Vec<T>,
    /// Readout [T, B, n_out].
    pub y: Vec<T>,
}

impl<T: Scalar> Activity<T> {
    /// Room for `n_batch` trials of `n_steps` steps. With `keep_states`, [`Activity::h_all`] is filled.
    pub fn new(network: &Network<T>, n_steps: usize, n_batch: usize, keep_states: bool) -> Self {
        let mut activity = Self {
            n_steps: 0,
            n_batch: 0,
            keep_states,
            x: Vec::new(),
            z: Vec::new(),
            h: Vec::new(),
            h_all: Vec::new(),
            a: Vec::new(),
            y: Vec::new(),
        };
        activity.reshape(network, n_steps, n_batch);
        activity
    }

    /// Makes room for another number of steps and trials; allocates only where it has to grow.
    pub fn reshape(&mut self, network: &Network<T>, n_steps: usize, n_batch: usize) {
        let Dims { n_in, n_rec, n_out } = network.dims;
        let layer = n_batch * n_rec;
        let zero = T::zero();
        (self.n_steps, self.n_batch) = (n_steps, n_batch);
        self.x.resize(n_steps * n_batch * n_in, zero);
        self.z.resize((n_steps + 1) * layer, zero);
        self.h.resize(layer, zero);
        self.h_all.resize(if self.keep_states { (n_steps + 1) * layer } else { 0 }, zero);
        self.a.resize(if network.adaptation.is_some() { layer } else { 0 }, zero);
        self.y.resize(n_steps * n_batch * n_out, zero);
    }

    /// Copies the input of trials `first..first + n_batch` in.
    pub fn load(&mut self, trials: &Trials<T>, first: usize) {
        let n_in = trials.n_in();
        let (from, width) = (trials.x.as_slice().expect("row-major"), trials.n_batch() * n_in);
        let own = self.n_batch * n_in;
        if own == 0 {
            return;
        }
        for (t, x) in self.x.chunks_exact_mut(own).enumerate() {
            let start = t * width + first * n_in;
            x.copy_from_slice(&from[start..start + own]);
        }
    }

    /// Runs equations (1)-(5) over all the input loaded, from h = 0, a = 0.
    pub fn forward(&mut self, network: &Network<T>, weights: &PackedWeights<T>) {
        self.forward_steps(network, weights, self.n_steps);
        self.read_out(network, weights, 0..self.n_steps);
    }

    /// Runs equations (1)-(4) over the first `n_steps` steps.
    pub fn forward_steps(&mut self, network: &Network<T>, weights: &PackedWeights<T>, n_steps: usize) {
        let layer = self.n_batch * network.dims.n_rec;
        self.h.fill(T::zero());
        self.a.fill(T::zero());
        self.z[..layer].fill(T::zero());
        if self.keep_states {
            self.h_all[..layer].fill(T::zero());
        }
        for t in 0..n_steps {
            self.advance(network, weights, t, t == 0);
        }
    }

    /// Takes the states that stand in `h` for step 0, with a = 0, and clears the input: for steps without
    /// input.
    pub fn start_free(&mut self, network: &Network<T>) {
        let layer = self.h.len();
        self.x.fill(T::zero());
        self.a.fill(T::zero());
        // Equation (4) leaves a = 0 as long as z = 0.
        let (at_rest, z) = (vec![T::zero(); layer], &mut self.z[..layer]);
        activate(network, &at_rest, &self.h, &mut self.a, z);
        if self.keep_states {
            self.h_all[..layer].copy_from_slice(&self.h);
        }
    }

    /// Equations (1)-(4) at step `t` without input, from the states of that step; see
    /// [`Activity::start_free`].
    pub fn free_step(&mut self, network: &Network<T>, weights: &PackedWeights<T>, t: usize) {
        self.advance(network, weights, t, false);
    }

    /// Equations (1)-(4) at step `t`. From rest, where h = 0 and z = 0, what is zero is not multiplied.
    fn advance(&mut self, network: &Network<T>, weights: &PackedWeights<T>, t: usize, from_rest: bool) {
        let Dims { n_in, n_rec, .. } = network.dims;
        let layer = self.n_batch * n_rec;
        let (past, future) = self.z.split_at_mut((t + 1) * layer);
        let (z, z_next) = (&past[t * layer..], &mut future[..layer]);
        let x = &self.x[t * self.n_batch * n_in..(t + 1) * self.n_batch * n_in];
        if !from_rest {
            let alpha = network.alpha;
            vectorized(
                #[inline(always)]
                || self.h.iter_mut().for_each(|h| *h *= alpha),
            );
        }
        combine_rows(&mut self.h, x, &weights.w_in_t, n_in);
        if !from_rest {
            let (z, w) =
                (View::row_major(z, self.n_batch, n_rec), View::row_major(&weights.w_rec_t, n_rec, n_rec));
            product(&mut self.h, Into::Add, z, w, T::one() - network.alpha);
        }
        activate(network, z, &self.h, &mut self.a, z_next);
        if self.keep_states {
            self.h_all[(t + 1) * layer..(t + 2) * layer].copy_from_slice(&self.h);
        }
    }

    /// Equation (5) for some steps.
    pub fn read_out(&mut self, network: &Network<T>, weights: &PackedWeights<T>, steps: Range<usize>) {
        let Dims { n_rec, n_out, .. } = network.dims;
        let (rows, layer) = (self.n_batch * n_out, self.n_batch * n_rec);
        let y = &mut self.y[steps.start * rows..steps.end * rows];
        let z = &self.z[(steps.start + 1) * layer..(steps.end + 1) * layer];
        project_rows(y, z, &weights.w_out, n_out);
    }
}

/// Equation (4), then (1) and (2).
fn activate<T: Scalar>(network: &Network<T>, z: &[T], h: &[T], a: &mut [T], z_next: &mut [T]) {
    let f = network.activation;
    let Some(Adaptation { beta, rho }) = &network.adaptation else {
        return vectorized(
            #[inline(always)]
            || z_next.iter_mut().zip(h).for_each(|(z, h)| *z = f.of(*h)),
        );
    };
    let (n, rho) = (beta.len(), *rho);
    vectorized(
        #[inline(always)]
        || {
            let rows = z.chunks_exact(n).zip(h.chunks_exact(n)).zip(a.chunks_exact_mut(n));
            for (((z, h), a), z_next) in rows.zip(z_next.chunks_exact_mut(n)) {
                for j in 0..n {
                    a[j] = rho * a[j] + (T::one() - rho) * z[j];
                    z_next[j] = f.of(h[j] - beta[j] * a[j]);
                }
            }
        },
    );
}
