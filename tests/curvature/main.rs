//! Curvature: every number by a second route.

mod hessian;
mod problem;
