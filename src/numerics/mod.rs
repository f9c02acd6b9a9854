//! The mathematics: network, tasks, rules, optimisers, curvature, Lyapunov exponents, landscape.
//!
//! No threads of its own, no clocks, no files, no screens; everything here is a function of its arguments
//! and of explicit random streams.

pub mod curvature;
pub mod init;
pub mod landscape;
pub mod loss;
pub mod lyapunov;
pub mod network;
pub mod optimizers;
pub mod parallel;
pub mod product;
pub mod random;
pub mod rules;
pub mod scalar;
pub mod skinny;
pub mod statistics;
pub mod tasks;
pub mod trials;
pub mod weights;
