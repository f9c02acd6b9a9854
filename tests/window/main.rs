//! The window, driven by accessible names, without a display.

mod compare;
mod explained;
mod export;
mod gain_explorer;
mod harness;
mod landscape;
mod lessons;
mod remember;
mod runs;
mod settings;
mod shell;
mod spectrum;
mod status_lines;
mod sweep;
mod table_of_runs;
