//! Lyapunov exponents and gradient flossing against reference cases, dense algebra and known answers.

#[path = "../common/mod.rs"]
mod common;

mod corners;
mod flossing;
mod known;
mod plain;
mod reference;
mod romo;
mod spectrum;
