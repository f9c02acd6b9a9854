//! Basinscope shows, live, where a learning rule takes a recurrent network.
//!
//! Layers, each using only what is below it: `gui` and `cli`, `session`, `engine` and `files`, `training`,
//! `numerics`. A test (`tests/layers.rs`) keeps them.

pub mod cli;
pub mod engine;
pub mod files;
pub mod gui;
pub mod numerics;
pub mod session;
pub mod training;
