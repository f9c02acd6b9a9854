//! Lyapunov exponents along a trajectory, and gradient flossing.
//!
//! With the model's equations (1)-(4) ([`super::network`]), D = diag f'(v[t]) and b = diag beta, a small change
//! (h', a') of the state at step t becomes at step t+1
//!
//! ```text
//! (L1)  dz = D (h' - b a')
//! (L2)  h' <- alpha h' + (1 - alpha) w_rec dz
//! (L3)  a' <- rho_a a' + (1 - rho_a) dz                adaptive units only
//! ```
//!
//! which is the product with J_t = d(h, a)[t+1] / d(h, a)[t]; on plain units J_t = alpha I + (1 - alpha) w_rec D.
//! From an orthonormal Q_0,
//!
//! ```text
//! (L4)  J_t Q_t = Q_{t+1} R_{t+1}                      the diagonal of R positive
//! (L5)  lambda_i = 1/(T - skip) sum_{t >= skip} ln R_ii       nats per step, by trial
//! ```
//!
//! Source: Benettin et al. 1980 and Shimada and Nagashima 1979 as used by Vogt et al. 2022 (P2 follows that
//! paper), with three differences from its code: J and not its transpose is multiplied, the warm-up is
//! orthonormalised too, and the unit is nats per step. Gradient flossing: P2; Engelken 2023.
//!
//! | file | what it owns |
//! |---|---|
//! | `tangents` | (L1)-(L3) and their transpose, for many tangents at once |
//! | `orthonormal` | (L4) and the floor under a pivot |
//! | `basis` | a random orthonormal Q_0; new directions in the place of lost ones |
//! | `trajectories` | the states that exponents are taken along |
//! | `spectrum` | (L5) along trajectories driven by trials |
//! | `walk` | tangents of a few trials from the first step to the last, orthonormalised as seldom as is safe |
//! | `autonomous` | the same without input, from random states |
//! | `exponents` | the result, and what is read from it: Kaplan-Yorke dimension, entropy rate |
//! | `flossing` | the gradient of a sum of squared exponents |
//! | `eigenvalues` | eigenvalues of `w_rec`, singular values of an update |
//! | `zero_crossing` | the gain at which exponents change their sign |

mod autonomous;
mod basis;
mod eigenvalues;
mod exponents;
mod flossing;
mod orthonormal;
mod spectrum;
mod tangents;
mod trajectories;
mod walk;
mod zero_crossing;

pub use autonomous::FreeRun;
pub use basis::{dense_orthonormal, orthonormal_columns};
pub use eigenvalues::{eigenvalues, singular_values};
pub use exponents::{Exponents, kaplan_yorke_dimension};
pub use flossing::{Flossing, FlossingOutcome, FlossingSettings};
pub use orthonormal::FLOOR_ROUNDINGS;
pub use spectrum::{LyapunovSpectrum, Orthonormalise, SpectrumSettings};
pub use trajectories::q0_fits;
pub use zero_crossing::zero_crossing;

use serde::{Deserialize, Serialize};

/// Steps left out of the mean of the exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SkipText", into = "SkipText")]
pub enum Skip {
    /// `"auto"`: up to the first step at which every trial has h != 0, trials that never have left out.
    Auto,
    /// So many.
    Steps(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SkipText {
    Number(usize),
    Word(String),
}

impl TryFrom<SkipText> for Skip {
    type Error = String;

    fn try_from(text: SkipText) -> Result<Self, String> {
        match text {
            SkipText::Number(n) => Ok(Skip::Steps(n)),
            SkipText::Word(word) if word == "auto" => Ok(Skip::Auto),
            SkipText::Word(word) => {
                Err(format!("`{word}` is no skip: expected a number of steps or \"auto\""))
            }
        }
    }
}

impl From<Skip> for SkipText {
    fn from(skip: Skip) -> Self {
        match skip {
            Skip::Auto => SkipText::Word("auto".into()),
            Skip::Steps(n) => SkipText::Number(n),
        }
    }
}

/// How the flossing gradient is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlossingVariant {
    /// Through QR and through the trajectory.
    Exact,
    /// The trajectory held fixed (P2).
    Detached,
    /// Q held fixed at every step.
    Local,
}
