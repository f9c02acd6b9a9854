//! Owns equations (L1)-(L3), the product of many tangents with the Jacobian of one step, and the product with
//! its transpose.
//!
//! A tangent is one row of S = N + (number of adaptive units) values: h' of every unit, then a' of the adaptive
//! ones. Rows of several trials stand one after the other, the same number for each.

use crate::numerics::network::{Adaptation, Network, PackedWeights};
use crate::numerics::product::{Into, View, product};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::vectorized;

/// The units with adaptation: only they have a row of a' in the state.
pub(super) fn adaptive_units<T: Scalar>(network: &Network<T>) -> Vec<usize> {
    let beta = network.adaptation.as_ref().map_or(&[][..], |a| &a.beta);
    (0..beta.len()).filter(|j| beta[*j] != T::zero()).collect()
}

/// The linearised model: one step forwards (J) or backwards (J transposed).
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow<'a, T> {
    pub network: &'a Network<T>,
    pub weights: &'a PackedWeights<T>,
    pub adaptive: &'a [usize],
}

/// Room for [`Flow`]: what passes through the units, and h' without a', both [rows, N].
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch<T> {
    /// dz of (L1) after [`Flow::forwards`]; dF/d(dz) after [`Flow::backwards`].
    pub dz: Vec<T>,
    own: Vec<T>,
}

impl<T: Scalar> Flow<'_, T> {
    /// S.
    pub fn n_state(&self) -> usize {
        self.network.dims.n_rec + self.adaptive.len()
    }

    /// rho_a; 0 without adaptation.
    fn rho(&self) -> T {
        self.network.adaptation.as_ref().map_or(T::zero(), |a| a.rho)
    }

    /// `beta_j` of the adaptive units in order.
    fn beta(&self) -> impl Iterator<Item = (usize, T)> + '_ {
        let beta = self.network.adaptation.as_ref().map_or(&[][..], |a: &Adaptation<T>| &a.beta);
        self.adaptive.iter().map(move |j| (*j, beta[*j]))
    }

    /// D = f'(v) of some trials, from their activity.
    pub fn slopes(&self, slopes: &mut [T], z: &[T]) {
        let f = self.network.activation;
        vectorized(
            #[inline(always)]
            || slopes.iter_mut().zip(z).for_each(|(d, z)| *d = f.slope(*z)),
        );
    }

    /// Whether J_t = 0 with these slopes of one trial.
    pub fn vanishes(&self, slopes: &[T]) -> bool {
        let no_memory = self.network.alpha == T::zero() && self.adaptive.is_empty();
        no_memory && slopes.iter().all(|d| *d == T::zero())
    }

    /// `out = u J^T`, [rows, S]: (L1)-(L3) on each row. `slopes` [trials, N] has one row of D for each
    /// `rows_per_trial` tangents.
    pub fn forwards(
        &self,
        u: &[T],
        slopes: &[T],
        rows_per_trial: usize,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) {
        let (n, s, alpha) = (self.network.dims.n_rec, self.n_state(), self.network.alpha);
        let rows = u.len() / s;
        scratch.dz.resize(rows * n, T::zero());
        let dz = &mut scratch.dz[..];
        let weights = View::row_major(&self.weights.w_rec_t, n, n);
        let own = T::one() - alpha;
        if self.adaptive.is_empty() {
            vectorized(
                #[inline(always)]
                || leak_and_pass(u, slopes, rows_per_trial, n, alpha, dz, out),
            );
            return product(out, Into::Add, View::row_major(dz, rows, n), weights, own);
        }
        for (r, (u, dz)) in u.chunks_exact(s).zip(dz.chunks_exact_mut(n)).enumerate() {
            let d = &slopes[r / rows_per_trial * n..][..n];
            (0..n).for_each(|j| dz[j] = d[j] * u[j]);
            for ((j, beta), a) in self.beta().zip(&u[n..]) {
                dz[j] -= d[j] * beta * *a;
            }
        }
        scratch.own.resize(rows * n, T::zero());
        product(&mut scratch.own, Into::Replace, View::row_major(dz, rows, n), weights, own);
        let rho = self.rho();
        let passed = scratch.own.chunks_exact(n).zip(dz.chunks_exact(n));
        for ((u, out), (recurrent, dz)) in u.chunks_exact(s).zip(out.chunks_exact_mut(s)).zip(passed) {
            (0..n).for_each(|j| out[j] = alpha * u[j] + recurrent[j]);
            for (m, j) in self.adaptive.iter().enumerate() {
                out[n + m] = rho * u[n + m] + (T::one() - rho) * dz[*j];
            }
        }
    }

    /// `out = g J`, [rows, S]: the transpose of [`Flow::forwards`] on each row.
    pub fn backwards(
        &self,
        g: &[T],
        slopes: &[T],
        rows_per_trial: usize,
        scratch: &mut Scratch<T>,
        out: &mut [T],
    ) {
        let (n, s, alpha, rho) = (self.network.dims.n_rec, self.n_state(), self.network.alpha, self.rho());
        let rows = g.len() / s;
        scratch.dz.resize(rows * n, T::zero());
        scratch.own.resize(rows * n, T::zero());
        self.state_part(g, &mut scratch.own);
        let (own, weights) =
            (View::row_major(&scratch.own, rows, n), View::row_major(&self.weights.w_rec, n, n));
        product(&mut scratch.dz, Into::Replace, own, weights, T::one() - alpha);
        let rows = g.chunks_exact(s).zip(scratch.dz.chunks_exact_mut(n)).zip(out.chunks_exact_mut(s));
        for (r, ((g, dz), out)) in rows.enumerate() {
            let d = &slopes[r / rows_per_trial * n..][..n];
            for (m, j) in self.adaptive.iter().enumerate() {
                dz[*j] += (T::one() - rho) * g[n + m];
            }
            (0..n).for_each(|j| out[j] = alpha * g[j] + d[j] * dz[j]);
            for (m, (j, beta)) in self.beta().enumerate() {
                out[n + m] = rho * g[n + m] - beta * d[j] * dz[j];
            }
        }
    }

    /// h' of each row of `u` [rows, S], [rows, N].
    pub fn state_part(&self, u: &[T], own: &mut [T]) {
        let (n, s) = (self.network.dims.n_rec, self.n_state());
        for (u, own) in u.chunks_exact(s).zip(own.chunks_exact_mut(n)) {
            own.copy_from_slice(&u[..n]);
        }
    }

    /// h' - b a' of each row of `u` [rows, S], [rows, N]: what (L1) multiplies by D.
    pub fn potential_part(&self, u: &[T], own: &mut [T]) {
        let (n, s) = (self.network.dims.n_rec, self.n_state());
        self.state_part(u, own);
        for (u, own) in u.chunks_exact(s).zip(own.chunks_exact_mut(n)) {
            for ((j, beta), a) in self.beta().zip(&u[n..]) {
                own[j] -= beta * *a;
            }
        }
    }

    /// An upper bound of the spectral norm of every J_t: `alpha + (1 - alpha) ||w_rec||`, the slopes being at
    /// most 1; with adaptation the norms of all four blocks.
    pub fn growth_bound(&self) -> f64 {
        let alpha = self.network.alpha.f64();
        let recurrent = (1.0 - alpha) * norm_bound(&self.weights.w_rec, self.network.dims.n_rec);
        if self.adaptive.is_empty() {
            return alpha + recurrent;
        }
        let (rho, beta) = (self.rho().f64(), self.beta().fold(0.0, |m: f64, (_, b)| m.max(b.f64().abs())));
        alpha.max(rho) + (recurrent + 1.0 - rho) * (1.0 + beta * beta).sqrt()
    }
}

/// On plain units: `dz = D u`, `out = alpha u`.
#[inline(always)]
fn leak_and_pass<T: Scalar>(
    u: &[T],
    slopes: &[T],
    rows_per_trial: usize,
    n: usize,
    alpha: T,
    dz: &mut [T],
    out: &mut [T],
) {
    let trial = rows_per_trial * n;
    let outs = dz.chunks_mut(trial).zip(out.chunks_mut(trial));
    for ((u, d), (dz, out)) in u.chunks(trial).zip(slopes.chunks_exact(n)).zip(outs) {
        let rows = u.chunks_exact(n).zip(dz.chunks_exact_mut(n)).zip(out.chunks_exact_mut(n));
        for ((u, dz), out) in rows {
            for j in 0..n {
                dz[j] = d[j] * u[j];
                out[j] = alpha * u[j];
            }
        }
    }
}

/// An upper bound of the spectral norm of `w` [n, n]: with H = w w^T, `||w||^4 = ||H^2|| <=` the largest row sum
/// of |H^2|. On a Gaussian matrix it is some 1.3 times the norm.
fn norm_bound<T: Scalar>(w: &[T], n: usize) -> f64 {
    let w = View::row_major(w, n, n);
    let (mut h, mut h2) = (vec![T::zero(); n * n], vec![T::zero(); n * n]);
    product(&mut h, Into::Replace, w, w.t(), T::one());
    let h = View::row_major(&h, n, n);
    product(&mut h2, Into::Replace, h, h, T::one());
    let row_sum = |row: &[T]| row.iter().map(|x| x.f64().abs()).sum::<f64>();
    h2.chunks_exact(n).map(row_sum).fold(0.0, f64::max).powf(0.25)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::network::Activation;
    use crate::numerics::random::{Purpose, Stream};
    use crate::numerics::weights::{Dims, Weights};
    use faer::MatRef;

    const N: usize = 6;

    fn random(n: usize, stream: &mut Stream) -> Vec<f64> {
        (0..n).map(|_| stream.normal()).collect()
    }

    /// The step of the model itself, (1)-(4) without input, on a state (h, a of the adaptive units).
    fn step(network: &Network<f64>, w: &Weights<f64>, adaptive: &[usize], state: &[f64]) -> Vec<f64> {
        let (h, a) = state.split_at(N);
        let mut v = h.to_vec();
        let mut rho = 0.0;
        if let Some(adaptation) = &network.adaptation {
            rho = adaptation.rho;
            adaptive.iter().zip(a).for_each(|(j, a)| v[*j] -= adaptation.beta[*j] * a);
        }
        let z: Vec<f64> = v.iter().map(|v| network.activation.of(*v)).collect();
        let h = (0..N).map(|p| {
            let drive: f64 = (0..N).map(|q| w.w_rec()[[p, q]] * z[q]).sum();
            network.alpha * h[p] + (1.0 - network.alpha) * drive
        });
        h.chain(adaptive.iter().zip(a).map(|(j, a)| rho * a + (1.0 - rho) * z[*j])).collect()
    }

    /// Central differences with step 1e-5 of the smooth model err by some 1e-10.
    #[test]
    fn tangents_follow_differences_of_the_model_and_backwards_is_the_transpose() {
        let mut s = Stream::new(3, Purpose::Measures);
        for units in [0, 2] {
            let network = Network::plain(Dims { n_in: 1, n_rec: N, n_out: 1 }, 0.3, Activation::Tanh)
                .with_adaptive_units(units, 1.3, 5.0);
            let mut w = Weights::zeros(network.dims);
            w.flat_mut().iter_mut().for_each(|x| *x = 0.5 * s.normal());
            let mut packed = PackedWeights::zeros(network.dims);
            packed.pack(&network, &w);
            let adaptive = adaptive_units(&network);
            assert_eq!(adaptive.len(), units);
            let flow = Flow { network: &network, weights: &packed, adaptive: &adaptive };
            let n = flow.n_state();
            let (state, u, g) = (random(n, &mut s), random(3 * n, &mut s), random(3 * n, &mut s));
            let mut v = vec![0.0; N];
            flow.potential_part(&state, &mut v);
            let z: Vec<f64> = v.iter().map(|v| v.tanh()).collect();
            let mut slopes = vec![0.0; N];
            flow.slopes(&mut slopes, &z);

            let (mut forwards, mut backwards) = (vec![0.0; 3 * n], vec![0.0; 3 * n]);
            let mut scratch = Scratch::default();
            flow.forwards(&u, &slopes, 3, &mut scratch, &mut forwards);
            flow.backwards(&g, &slopes, 3, &mut scratch, &mut backwards);
            for (u, forwards) in u.chunks_exact(n).zip(forwards.chunks_exact(n)) {
                let at = |sign: f64| {
                    let moved: Vec<f64> = state.iter().zip(u).map(|(x, u)| x + sign * 1e-5 * u).collect();
                    step(&network, &w, &adaptive, &moved)
                };
                for ((plus, minus), forwards) in at(1.0).iter().zip(at(-1.0)).zip(forwards) {
                    assert!(((plus - minus) / 2e-5 - forwards).abs() < 1e-8);
                }
            }
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert!((dot(&g, &forwards) - dot(&backwards, &u)).abs() < 1e-12);
            let norm = |x: &[f64]| dot(x, x).sqrt();
            for (u, forwards) in u.chunks_exact(n).zip(forwards.chunks_exact(n)) {
                assert!(norm(forwards) <= flow.growth_bound() * norm(u));
            }
        }
    }

    #[test]
    fn the_growth_bound_lies_above_the_largest_singular_value_and_not_far() {
        let mut s = Stream::new(4, Purpose::Measures);
        for n in [3, 20, 64] {
            let w: Vec<f64> = random(n * n, &mut s);
            let singular = MatRef::from_row_major_slice(&w, n, n).singular_values().expect("converges");
            let ratio = norm_bound(&w, n) / singular[0];
            assert!((1.0..1.6).contains(&ratio), "n {n}: {ratio}");
        }
    }
}
