//! Owns the two passes of a Hessian-vector product over one chunk: equations (13)-(23) of
//! [`super::hessian`].

use super::base::BasePass;
use crate::numerics::network::{Adaptation, Network, PackedWeights};
use crate::numerics::product::{Into, View, product};
use crate::numerics::scalar::Scalar;
use crate::numerics::skinny::{combine_rows, outer_sum, project_rows, vectorized};
use crate::numerics::weights::Dims;

/// A direction V in weight space, `None` where it is 0, in the layouts that the products read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Direction<'a, T> {
    /// V_rec [N, N].
    pub rec: Option<&'a [T]>,
    /// (1 - alpha) times the transpose of V_in, [n_in, N].
    pub in_t: Option<&'a [T]>,
    /// V_out [n_out, N].
    pub out: Option<&'a [T]>,
}

/// One chunk's share of H V, for the blocks that V has; each is overwritten.
#[derive(Debug, Default)]
pub(super) struct Share<T> {
    /// [N, N].
    pub rec: Vec<T>,
    /// Transposed, [n_in, N].
    pub in_t: Vec<T>,
    /// [n_out, N].
    pub out: Vec<T>,
}

/// Buffers of one product, made once.
#[derive(Debug, Default)]
pub(super) struct Tangents<T> {
    /// Rh of the forward pass, then Rdelta of the backward pass, [T+1, B, N].
    state: Vec<T>,
    /// Rz [T+1, B, N].
    rz: Vec<T>,
    /// f''(v) o s o Rv [T+1, B, N]; empty where f'' = 0.
    bent: Vec<T>,
    /// Ra, then Rk, [B, N]; empty on plain units.
    slow: Vec<T>,
    ry: Vec<T>,
    rd: Vec<T>,
}

/// All that the passes read.
#[derive(Clone, Copy)]
struct At<'a, T> {
    network: &'a Network<T>,
    weights: &'a PackedWeights<T>,
    base: &'a BasePass<T>,
    v: Direction<'a, T>,
    /// First step at which Rh is not 0, or Rdelta is needed.
    first: usize,
}

impl<T: Scalar> Tangents<T> {
    /// The share of one chunk in H V.
    pub fn product(
        &mut self,
        network: &Network<T>,
        weights: &PackedWeights<T>,
        base: &BasePass<T>,
        v: Direction<'_, T>,
        share: &mut Share<T>,
    ) {
        // z is 0 up to step `quiet`: V_rec acts on it from the next step on, V_in on x[quiet].
        let first = base.quiet + if v.in_t.is_some() { 1 } else { 2 };
        let at = At { network, weights, base, v, first };
        self.make_room(&at);
        if v.rec.is_some() || v.in_t.is_some() {
            self.forward(&at);
        }
        self.at_the_readout(&at);
        if v.rec.is_some() || v.in_t.is_some() {
            self.backward(&at);
        }
        self.weight_sums(&at, share);
    }

    fn make_room(&mut self, at: &At<'_, T>) {
        let (base, zero) = (at.base, T::zero());
        self.state.resize(base.delta.len(), zero);
        self.rz.resize(base.delta.len(), zero);
        self.bent.resize(base.bend.len(), zero);
        let slow = if at.network.adaptation.is_some() { at.layer() } else { 0 };
        self.slow.resize(slow, zero);
        self.ry.resize(base.d.len(), zero);
        self.rd.resize(base.d.len(), zero);
    }

    /// Equations (13)-(16).
    fn forward(&mut self, at: &At<'_, T>) {
        let (layer, first, n_used) = (at.layer(), at.first, at.base.n_used);
        let Dims { n_in, n_rec, .. } = at.network.dims;
        let (own, rows) = (at.own(), |steps: usize| steps * at.base.activity.n_batch);
        self.rz[..(n_used + 1).min(first) * layer].fill(T::zero());
        if first > n_used {
            return;
        }
        // What V adds to Rh[first..=n_used], for all steps at once.
        let driven = first * layer..(n_used + 1) * layer;
        let before = (first - 1) * layer..n_used * layer;
        match at.v.rec {
            Some(rec) => {
                let z = View::row_major(&at.base.activity.z[before], rows(n_used + 1 - first), n_rec);
                let v = View::row_major(rec, n_rec, n_rec).t();
                product(&mut self.state[driven.clone()], Into::Replace, z, v, own);
            }
            None => self.state[driven.clone()].fill(T::zero()),
        }
        if let Some(in_t) = at.v.in_t {
            let x = &at.base.activity.x[rows(first - 1) * n_in..rows(n_used) * n_in];
            combine_rows(&mut self.state[driven], x, in_t, n_in);
        }
        self.slow.fill(T::zero());
        let w = View::row_major(&at.weights.w_rec_t, n_rec, n_rec);
        for t in first..=n_used {
            let (past, future) = self.state.split_at_mut(t * layer);
            let now = &mut future[..layer];
            let (rz_past, rz_future) = self.rz.split_at_mut(t * layer);
            let (rz_before, rz) = (&rz_past[(t - 1) * layer..], &mut rz_future[..layer]);
            let before = (t > first).then(|| &past[(t - 1) * layer..]);
            if before.is_some() {
                product(now, Into::Add, View::row_major(rz_before, rows(1), n_rec), w, own);
            }
            let bend = at.base.bend.get(t * layer..(t + 1) * layer).unwrap_or(&[]);
            let bent = if bend.is_empty() { &mut [] } else { &mut self.bent[t * layer..(t + 1) * layer] };
            let step = ForwardStep { z: at.z(t), bend, before, rz_before };
            step.run(at.network, now, rz, bent, &mut self.slow);
        }
    }

    /// Equations (17) and (18).
    fn at_the_readout(&mut self, at: &At<'_, T>) {
        let (layer, base, n_out) = (at.layer(), at.base, at.network.dims.n_out);
        let errors = base.errors(n_out, base.activity.n_batch);
        let states = (base.first_error + 1) * layer..(base.n_used + 1) * layer;
        if errors.is_empty() {
            return;
        }
        let ry = &mut self.ry[errors.clone()];
        if at.v.rec.is_some() || at.v.in_t.is_some() {
            project_rows(ry, &self.rz[states.clone()], &at.weights.w_out, n_out);
        } else {
            ry.fill(T::zero());
        }
        let rd = &mut self.rd[errors];
        if let Some(out) = at.v.out {
            // rd is free until the next line: it holds V_out z for a moment.
            project_rows(rd, &base.activity.z[states], out, n_out);
            ry.iter_mut().zip(&*rd).for_each(|(ry, vz)| *ry += *vz);
        }
        base.readout.tangent(ry, rd);
    }

    /// Equations (19)-(22).
    fn backward(&mut self, at: &At<'_, T>) {
        let (layer, first, base) = (at.layer(), at.first, at.base);
        let (n_used, n_batch) = (base.n_used, base.activity.n_batch);
        let Dims { n_rec, n_out, .. } = at.network.dims;
        if first > n_used {
            return;
        }
        // What (19) has for all steps at once.
        let (early, last) = (first * layer..n_used * layer, n_used * layer..(n_used + 1) * layer);
        self.state[last].fill(T::zero());
        match at.v.rec {
            Some(rec) if first < n_used => {
                let later = &base.delta[(first + 1) * layer..(n_used + 1) * layer];
                let delta = View::row_major(later, (n_used - first) * n_batch, n_rec);
                let v = View::row_major(rec, n_rec, n_rec);
                product(&mut self.state[early], Into::Replace, delta, v, at.own());
            }
            _ => self.state[early].fill(T::zero()),
        }
        let from = base.first_error.max(first - 1);
        let signal = &mut self.state[(from + 1) * layer..(n_used + 1) * layer];
        let errors = from * n_batch * n_out..n_used * n_batch * n_out;
        combine_rows(signal, &self.rd[errors.clone()], &at.weights.w_out, n_out);
        if let Some(out) = at.v.out {
            combine_rows(signal, &base.d[errors], out, n_out);
        }
        self.slow.fill(T::zero());
        let w = View::row_major(&at.weights.w_rec, n_rec, n_rec);
        for t in (first..=n_used).rev() {
            let (past, future) = self.state.split_at_mut((t + 1) * layer);
            let now = &mut past[t * layer..];
            let next = (t < n_used).then(|| &future[..layer]);
            if let Some(next) = next {
                product(now, Into::Add, View::row_major(next, n_batch, n_rec), w, at.own());
            }
            let bent = self.bent.get(t * layer..(t + 1) * layer).unwrap_or(&[]);
            BackwardStep { z: at.z(t), bent, next }.run(at.network, now, &mut self.slow);
        }
    }

    /// Equation (23).
    fn weight_sums(&self, at: &At<'_, T>, share: &mut Share<T>) {
        let (layer, first, base) = (at.layer(), at.first, at.base);
        let (n_used, n_batch, own) = (base.n_used, base.activity.n_batch, at.own());
        let Dims { n_in, n_rec, n_out } = at.network.dims;
        let quiet = base.quiet;
        if at.v.rec.is_some() {
            share.rec.resize(n_rec * n_rec, T::zero());
            let mut into = Into::Replace;
            // Rdelta[t+1] z[t]^T from the first z that is not 0; delta[t+1] Rz[t]^T from the first such Rz.
            for (post, pre, start) in
                [(&self.state, &base.activity.z, quiet + 1), (&base.delta, &self.rz, first)]
            {
                if start < n_used {
                    let rows = (n_used - start) * n_batch;
                    let post = View::row_major(&post[(start + 1) * layer..(n_used + 1) * layer], rows, n_rec);
                    let pre = View::row_major(&pre[start * layer..n_used * layer], rows, n_rec);
                    product(&mut share.rec, into, post.t(), pre, own);
                    into = Into::Add;
                }
            }
            if into == Into::Replace {
                share.rec.fill(T::zero());
            }
        }
        if at.v.in_t.is_some() {
            share.in_t.clear();
            share.in_t.resize(n_in * n_rec, T::zero());
            if quiet < n_used {
                let x = &base.activity.x[quiet * n_batch * n_in..n_used * n_batch * n_in];
                outer_sum(&mut share.in_t, x, &self.state[(quiet + 1) * layer..(n_used + 1) * layer], n_in);
                share.in_t.iter_mut().for_each(|g| *g *= own);
            }
        }
        if at.v.out.is_some() {
            share.out.clear();
            share.out.resize(n_out * n_rec, T::zero());
            let errors = base.errors(n_out, n_batch);
            let states = (base.first_error + 1) * layer..(n_used + 1) * layer;
            if !errors.is_empty() {
                outer_sum(&mut share.out, &self.rd[errors.clone()], &base.activity.z[states.clone()], n_out);
                if at.v.rec.is_some() || at.v.in_t.is_some() {
                    outer_sum(&mut share.out, &base.d[errors], &self.rz[states], n_out);
                }
            }
        }
    }
}

impl<'a, T: Scalar> At<'a, T> {
    fn layer(&self) -> usize {
        self.base.activity.n_batch * self.network.dims.n_rec
    }

    fn own(&self) -> T {
        T::one() - self.network.alpha
    }

    fn z(&self, t: usize) -> &'a [T] {
        let layer = self.layer();
        &self.base.activity.z[t * layer..(t + 1) * layer]
    }
}

/// What the element-wise part of (13)-(16) reads at one step, all [B, N].
struct ForwardStep<'a, T> {
    z: &'a [T],
    /// Empty where f'' = 0.
    bend: &'a [T],
    /// Rh of the step before, `None` where it is 0.
    before: Option<&'a [T]>,
    rz_before: &'a [T],
}

impl<T: Scalar> ForwardStep<'_, T> {
    /// Completes Rh in `now` and gives Rz, and f'' s Rv where f'' is not 0.
    #[inline]
    fn run(&self, network: &Network<T>, now: &mut [T], rz: &mut [T], bent: &mut [T], ra: &mut [T]) {
        let (f, alpha, z) = (network.activation, network.alpha, self.z);
        vectorized(
            #[inline(always)]
            || {
                if let Some(before) = self.before {
                    now.iter_mut().zip(before).for_each(|(now, before)| *now += alpha * *before);
                }
                // Rv, (13): with adaptation it stands in rz until its slope is multiplied on.
                match &network.adaptation {
                    None => {
                        for ((rz, now), z) in rz.iter_mut().zip(&*now).zip(z) {
                            *rz = f.slope(*z) * *now;
                        }
                        for ((bent, bend), now) in bent.iter_mut().zip(self.bend).zip(&*now) {
                            *bent = *bend * *now;
                        }
                    }
                    Some(Adaptation { beta, rho }) => {
                        let n = beta.len();
                        let rows = rz.chunks_exact_mut(n).zip(ra.chunks_exact_mut(n)).enumerate();
                        for (row, (rz, ra)) in rows {
                            let now = &now[row * n..(row + 1) * n];
                            let rz_before = &self.rz_before[row * n..(row + 1) * n];
                            for j in 0..n {
                                ra[j] = *rho * ra[j] + (T::one() - *rho) * rz_before[j];
                                rz[j] = now[j] - beta[j] * ra[j];
                            }
                        }
                        for ((bent, bend), rv) in bent.iter_mut().zip(self.bend).zip(&*rz) {
                            *bent = *bend * *rv;
                        }
                        rz.iter_mut().zip(z).for_each(|(rz, z)| *rz = f.slope(*z) * *rz);
                    }
                }
            },
        );
    }
}

/// What the element-wise part of (19)-(22) reads at one step, all [B, N].
struct BackwardStep<'a, T> {
    z: &'a [T],
    /// f'' s Rv, empty where f'' = 0.
    bent: &'a [T],
    /// Rdelta of the step after, `None` at the last.
    next: Option<&'a [T]>,
}

impl<T: Scalar> BackwardStep<'_, T> {
    /// Turns Rs (without its k term) in `now` into Rdelta.
    #[inline]
    fn run(&self, network: &Network<T>, now: &mut [T], rk: &mut [T]) {
        let (f, alpha) = (network.activation, network.alpha);
        vectorized(
            #[inline(always)]
            || {
                if let Some(Adaptation { rho, .. }) = &network.adaptation {
                    now.iter_mut().zip(&*rk).for_each(|(s, k)| *s += (T::one() - *rho) * *k);
                }
                now.iter_mut().zip(self.z).for_each(|(s, z)| *s = f.slope(*z) * *s);
                now.iter_mut().zip(self.bent).for_each(|(g, bent)| *g += *bent);
                if let Some(Adaptation { beta, rho }) = &network.adaptation {
                    let n = beta.len();
                    for (g, k) in now.chunks_exact(n).zip(rk.chunks_exact_mut(n)) {
                        for j in 0..n {
                            k[j] = *rho * k[j] - beta[j] * g[j];
                        }
                    }
                }
                if let Some(next) = self.next {
                    now.iter_mut().zip(next).for_each(|(g, next)| *g += alpha * *next);
                }
            },
        );
    }
}
