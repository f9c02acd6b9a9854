//! Curvature: every number by a second route.

mod hessian;
mod lanczos;
mod problem;
