//! Curvature of the true training loss, whatever rule trains: Hessian-vector products, eigenvalues, trace,
//! spectral density, flatness, alignment and stability lines.

pub mod alignment;
mod base;
pub mod density;
pub mod flatness;
pub mod hessian;
mod krylov;
pub mod lanczos;
pub mod measure;
pub mod operator;
pub mod power_law;
mod readout;
pub mod stability;
mod tangent;
pub mod trace;
mod vectors;

/// A Hessian-vector product was infinite or NaN: the network has diverged at these weights, or is so near to
/// it that its second derivative overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Hessian-vector product {products} is not finite: the curvature at these weights is beyond the number range"
)]
pub struct NotFinite {
    /// How many products were made, with this one.
    pub products: usize,
}
