//! One run: configuration checked once, a deterministic trainer, measures at their cadence. No threads, no
//! files; the same seed gives the same bits.

pub mod config;
pub mod driver;
pub mod explore;
pub mod flossing;
pub mod given_trials;
pub mod history;
pub mod measured;
pub mod measures;
pub mod plan;
pub mod presets;
pub mod rule;
pub mod run;
pub mod stop;
pub mod terrain;
pub mod trainer;
