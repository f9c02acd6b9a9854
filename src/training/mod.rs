//! One run: configuration checked once, a deterministic trainer, measures at their cadence. No threads, no
//! files; the same seed gives the same bits.

pub mod config;
pub mod history;
pub mod run;
