//! Owns truncated BPTT: error paths cut to the last steps.

use super::adjoint::slope_times_signal;
use super::{Pass, Rule, Scratch};
use crate::numerics::network::Adaptation;
use crate::numerics::product::Into;
use crate::numerics::scalar::Scalar;

/// The error of each step travels back through at most `window` steps, the first of them its own.
///
/// P1 App. Fig. 9. `window` = T is BPTT. Written as hops: c_0[t] is the direct error at the state (h, a) of
/// step t, c_j[t] = J_t^T c_{j-1}[t+1] with the full Jacobian, delta[t] = sum of c_j[t] over j < window. One
/// hop of all steps is one product over time.
#[derive(Clone, Copy, Debug)]
pub struct TruncatedBptt {
    /// Steps, at least 1.
    pub window: usize,
}

impl<T: Scalar> Rule<T> for TruncatedBptt {
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]) {
        let (layer, n_used) = (pass.layer(), pass.n_used);
        let adaptive = pass.network.adaptation.as_ref();
        let len = pass.activity.z.len();
        let [c, c_next, ca, ca_next, ..] = scratch.hops(4, len) else { return };
        for t in 1..=n_used {
            let now = t * layer..(t + 1) * layer;
            slope_times_signal(pass, &pass.weights.w_out, t, &mut c[now.clone()]);
            if let Some(Adaptation { beta, .. }) = adaptive {
                for (row, ca) in ca[now.clone()].chunks_exact_mut(beta.len()).enumerate() {
                    let c = &c[t * layer + row * beta.len()..];
                    ca.iter_mut().zip(c).zip(beta).for_each(|((ca, c), beta)| *ca = -*beta * *c);
                }
            }
            delta[now.clone()].copy_from_slice(&c[now]);
        }
        for hop in 1..self.window.min(n_used) {
            // c[t] is 0 above this step: the last error has travelled `hop` steps.
            let last = n_used - hop;
            let rows = layer..(last + 1) * layer;
            let later = 2 * layer..(last + 2) * layer;
            pass.recurrent_signal(&mut c_next[rows.clone()], Into::Replace, &c[later.clone()]);
            let (f, alpha, z) = (pass.network.activation, pass.network.alpha, &pass.activity.z[rows.clone()]);
            let signal = c_next[rows.clone()].iter_mut().zip(&c[later.clone()]).zip(z);
            match adaptive {
                None => signal.for_each(|((s, c), z)| *s = f.slope(*z) * *s + alpha * *c),
                Some(Adaptation { beta, rho }) => {
                    let a = ca_next[rows.clone()].iter_mut().zip(&ca[later]).zip(beta.iter().cycle());
                    for (((s, c), z), ((ca_next, ca), beta)) in signal.zip(a) {
                        let g = f.slope(*z) * (*s + (T::one() - *rho) * *ca);
                        *s = g + alpha * *c;
                        *ca_next = *rho * *ca - *beta * g;
                    }
                }
            }
            delta[rows.clone()].iter_mut().zip(&c_next[rows]).for_each(|(d, c)| *d += *c);
            std::mem::swap(c, c_next);
            std::mem::swap(ca, ca_next);
        }
    }
}
