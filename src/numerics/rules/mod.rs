//! The learning rules: which part of the error's path through time each one keeps.
//!
//! Every gradient of `w_rec` and `w_in` has one form. With the activity z of the model ([`super::network`],
//! equations 1-5), the error `d[t] = dL/dy[t]` and the learning signal
//!
//! ```text
//! (6)  ls[t] = w_out^T d[t]                                 (RFLO: B^T d[t])
//! ```
//!
//! a rule gives `delta[t]`, what it takes for dL/dh[t], and then
//!
//! ```text
//! (7)  dw_rec = (1 - alpha) sum_t delta[t+1] z[t]^T,   dw_in = (1 - alpha) sum_t delta[t+1] x[t]^T
//! (8)  dw_out = sum_t d[t] z[t+1]^T                    exact, the same for every rule
//! ```
//!
//! The exact delta follows from (1)-(5) backwards in time; with s[t] the signal that reaches z[t], and g[t],
//! k[t] what reaches v[t], a[t]:
//!
//! ```text
//! (9)   s[t] = ls[t-1] + (1 - alpha) w_rec^T delta[t+1] + (1 - rho_a) k[t+1]
//! (10)  g[t] = f'(v[t]) o s[t]
//! (11)  delta[t] = g[t] + alpha delta[t+1]
//! (12)  k[t] = -beta o g[t] + rho_a k[t+1]             adaptive units only
//! ```
//!
//! An eligibility trace is the derivative of a unit's own state by one of its synapses, with the paths
//! through `w_rec` left out. Summing learning signal times trace over time equals (7) with the `w_rec` term
//! left out of (9): the same sum in the other order, which needs no N x N trace, on adaptive units neither.
//! Tests hold this against the traces written out.
//!
//! | rule | what it keeps of (9) |
//! |---|---|
//! | [`Bptt`] | all |
//! | [`EProp`] | all but the `w_rec` term |
//! | [`Rflo`] | as e-prop, with fixed random feedback in (6) |
//! | [`Mdgl`] | as e-prop, and the `w_rec` term once: the neighbours' direct error of the next step |
//! | [`TruncatedBptt`] | all paths of at most `window` steps |
//!
//! [`rescale`] has the two rules that are another rule times a number.

mod adjoint;
mod bptt;
mod e_prop;
pub mod gradient;
mod mdgl;
pub mod rescale;
mod rflo;
mod truncated_bptt;

pub use adjoint::{Pass, Scratch};
pub use bptt::Bptt;
pub use e_prop::EProp;
pub use mdgl::Mdgl;
pub use rflo::{FeedbackScale, Rflo};
pub use truncated_bptt::TruncatedBptt;

use super::scalar::Scalar;

/// A learning rule.
pub trait Rule<T: Scalar>: Send + Sync {
    /// Fills `delta[t]`, t = 1..=n_used, of `delta` [T+1, B, N] for one chunk of trials.
    fn delta(&self, pass: &Pass<'_, T>, scratch: &mut Scratch<T>, delta: &mut [T]);
}
