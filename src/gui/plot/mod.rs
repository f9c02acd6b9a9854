//! Our plots over egui_plot: scales it lacks (log, signed log), decimation, smoothing, linked cursor with exact
//! values, tables of numbers. Drawing only reads.

pub mod axes;
pub mod cells;
pub mod colormap;
pub mod curves;
pub mod header;
pub mod heat_map;
pub mod histogram;
pub mod matrix;
pub mod overlay;
pub mod paint;
pub mod points;
pub mod raster;
mod readout;
pub mod shown;
pub mod surface;
pub mod table;
pub mod time_lines;
pub mod trace;
pub mod values;

pub use crate::files::figure::{number, scale};
