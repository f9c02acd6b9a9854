//! Curvature of the true training loss, whatever rule trains: Hessian-vector products, eigenvalues, trace,
//! spectral density, flatness, alignment and stability lines.

mod base;
pub mod hessian;
pub mod operator;
mod readout;
mod tangent;
