//! Owns MDGL: e-prop plus one hop through the recurrent weights.

use super::adjoint::slope_times_signal;
use super::{Pass, Rule, Scratch};
use crate::numerics::product::Into;
use crate::numerics::scalar::Scalar;

/// e-prop plus what each neighbour's direct error one step later says of this unit:
///
/// ```text
/// sum_t sum_p' ls_p'[t] f'(v_p'[t+1]) (1 - alpha) w_rec[p', p] e_pq[t]
/// ```
///
/// Liu et al. 2021. Exact weights, no cell-type averages (P1); the neighbour's own leak is dropped, p' = p is
/// included (the authors' code). Equal to truncated BPTT(2) where alpha = 0 and no unit adapts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mdgl;

impl<T: Scalar> Rule<T> for Mdgl {
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]) {
        let layer = pass.layer();
        let (feedback, n_used) = (&pass.weights.w_out, pass.n_used);
        let direct = &mut scratch.hops(1, pass.activity.z.len())[0];
        for t in 2..=n_used {
            slope_times_signal(pass, feedback, t, &mut direct[t * layer..(t + 1) * layer]);
        }
        // The hop of all steps is one product over time: delta[t] = (1 - alpha) w_rec^T direct[t+1].
        if n_used > 1 {
            let hop = &mut delta[layer..n_used * layer];
            pass.recurrent_signal(hop, Into::Replace, &direct[2 * layer..(n_used + 1) * layer]);
        }
        if n_used > 0 {
            delta[n_used * layer..(n_used + 1) * layer].fill(T::zero());
        }
        pass.carry_back(feedback, false, true, scratch, delta);
    }
}
