//! The window: the only egui code.

pub mod app;
pub mod commands;
pub mod layout;
mod placement;
pub mod plot;
pub mod theme;

mod activity;
mod bands;
mod bookmarks;
mod compare;
mod curves;
mod diagnostics;
mod dialogs;
mod experiment;
mod explain;
mod fields;
mod freshness;
mod gain_explorer;
mod glossary;
mod help;
mod landscape;
mod lesson;
mod notices;
mod open;
mod panes;
pub mod plots;
mod remember;
mod rename;
mod runs;
mod scroll;
mod spectrum;
mod stability;
mod status_line;
mod sweep;
mod top_bar;
mod weights;
mod windows;

pub use open::{OpenError, open};
