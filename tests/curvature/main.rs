//! Curvature: every number by a second route.

#[path = "../common/allocations.rs"]
mod allocations;
#[path = "../common/mod.rs"]
mod common;

mod alignment;
mod along_a_run;
mod estimates;
mod hessian;
mod lanczos;
mod problem;
mod reference;
mod stability;
mod theorem_one;
