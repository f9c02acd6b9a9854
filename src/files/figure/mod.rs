//! Figures for print: [`Figure`], what is drawn, as data, and its two files, PNG and SVG.
//!
//! A figure is a title over panels in a grid; a panel has two axes and layers, drawn in their order on white:
//!
//! ```
//! use basinscope::files::figure::{Axis, Figure, Layer, Panel, look::run_look, scale::Scale};
//! let points = vec![(1.0, 0.1), (2.0, 0.01), (3.0, 0.003)];
//! let panel = Panel {
//!     x: Axis::new("iteration", Scale::Linear),
//!     y: Axis::new("loss", Scale::Log),
//!     layers: vec![Layer::curve("train", points, run_look(0))],
//!     ..Panel::default()
//! };
//! let figure = Figure::new("A run", vec![panel]);
//! assert!(figure.svg().unwrap().contains("</svg>"));
//! assert_eq!(figure.png().unwrap()[1..4], *b"PNG");
//! ```

pub mod colors;
pub mod look;
pub mod number;
pub mod scale;

mod canvas;
mod heat;
mod legend;
mod panel;
mod png;

use std::path::Path;

use super::atomic::{self, FileError};
use canvas::{Canvas, Rect};
use look::{Look, Rgb};
use plotters::prelude::{BitMapBackend, SVGBackend};
use scale::Scale;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Above everything; may be empty.
    pub title: String,
    /// In reading order.
    pub panels: Vec<Panel>,
    /// Panels beside each other; at least 1.
    pub columns: usize,
    /// Width on paper in millimetres.
    pub width: f64,
    /// Height of a panel on paper in millimetres.
    pub panel_height: f64,
    /// The axes of all panels are equally wide, so that what is at one place of the horizontal axis stands in line.
    pub in_line: bool,
}

/// Two axes and what is drawn between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// Above the panel; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is drawn, in this order.
    pub layers: Vec<Layer>,
    /// A line of small text below the title: what holds and what is only a guide.
    pub note: String,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Quantity and unit.
    pub label: String,
    /// How values are placed.
    pub scale: Scale,
    /// First and last value; `None`: all that is drawn.
    pub range: Option<(f64, f64)>,
    /// Whether values fall from left to right or from bottom to top.
    pub falling: bool,
    /// Names in the place of numbers, at 0, 1, 2, ...; empty for numbers.
    pub names: Vec<String>,
    /// On the vertical axis: a unit is as long as on the horizontal one.
    pub unit_as_across: bool,
}

impl Axis {
    /// Over all that is drawn.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self {
            label: label.into(),
            scale,
            range: None,
            falling: false,
            names: Vec::new(),
            unit_as_across: false,
        }
    }

    /// An axis of names.
    pub fn of_names(label: impl Into<String>, names: Vec<String>) -> Self {
        let range = Some((-0.6, names.len() as f64 - 0.4));
        Self { range, names, ..Self::new(label, Scale::Linear) }
    }
}

impl Default for Axis {
    fn default() -> Self {
        Self::new("", Scale::Linear)
    }
}

/// Something to draw. Names stand in the legend; an empty one does not.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A line through points, with a gap where a value cannot be shown. Values that are not finite are crosses
    /// at the top edge, values that a logarithmic axis cannot show triangles at the bottom edge; the legend
    /// counts both.
    Curve {
        /// What it is.
        name: String,
        /// (x, y).
        points: Vec<(f64, f64)>,
        /// How it looks.
        look: Look,
    },
    /// The area between two values, drawn translucent.
    Band {
        /// What it is.
        name: String,
        /// (x, lower, upper).
        points: Vec<(f64, f64, f64)>,
        /// Its colour.
        color: Rgb,
    },
    /// Markers without a line, with a bar from lower to upper where they differ.
    Points {
        /// What they are.
        name: String,
        /// (x, y, lower, upper).
        points: Vec<(f64, f64, f64, f64)>,
        /// How they look.
        look: Look,
    },
    /// Bars from 0 (or the bottom of a logarithmic axis) with error bars.
    Bars {
        /// What they are.
        name: String,
        /// (x of the middle, height, lower and upper end of the error bar).
        bars: Vec<(f64, f64, f64, f64)>,
        /// Width in units of x.
        width: f64,
        /// Their colour.
        color: Rgb,
    },
    /// Coloured cells with a colour bar beside the panel.
    Heat {
        /// What the colours mean.
        name: String,
        /// Middles of the columns, rising.
        x: Vec<f64>,
        /// Middles of the rows, rising.
        y: Vec<f64>,
        /// Row by row; grey where not finite or not on the scale.
        values: Vec<f64>,
        /// How values are placed on the colours.
        scale: Scale,
    },
    /// Coloured cells on a linear scale that is the same for both signs, with a colour bar beside the panel: blue
    /// below 0, white at 0, orange above.
    Signed {
        /// What the colours mean.
        name: String,
        /// Middles of the columns, rising.
        x: Vec<f64>,
        /// Middles of the rows, rising.
        y: Vec<f64>,
        /// Row by row; grey where not finite.
        values: Vec<f64>,
    },
    /// A line across at a value.
    Level {
        /// What it means.
        name: String,
        /// The value of y.
        y: f64,
        /// How it looks.
        look: Look,
    },
    /// A line up at a value, with its name beside it.
    Moment {
        /// What happened.
        name: String,
        /// The value of x.
        x: f64,
    },
}

impl Layer {
    /// A line through points.
    pub fn curve(name: impl Into<String>, points: Vec<(f64, f64)>, look: Look) -> Self {
        Layer::Curve { name: name.into(), points, look }
    }
}

/// Dots per inch of a PNG.
const DPI: f64 = 300.0;
/// A PNG is drawn this many times larger and averaged, so that no line is jagged.
const FINER: usize = 2;
/// Units per inch within an SVG.
const SVG_UNITS: f64 = 720.0;
const POINTS_PER_MM: f64 = 72.0 / 25.4;
/// Title of the figure, with its space, in points.
const TITLE: f64 = 18.0;
/// The largest figure, in dots of either direction.
const MOST_DOTS: f64 = 20_000.0;

/// Why a figure could not be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("figure: {0}")]
pub struct FigureError(String);

impl Figure {
    /// Two panels beside each other where there are several, 178 mm wide as two columns of a journal.
    pub fn new(title: impl Into<String>, panels: Vec<Panel>) -> Self {
        let columns = if panels.len() > 1 { 2 } else { 1 };
        let (width, panel_height) = if columns == 1 { (120.0, 75.0) } else { (178.0, 65.0) };
        Self { title: title.into(), panels, columns, width, panel_height, in_line: false }
    }

    /// Width and height in points.
    fn size(&self) -> (f64, f64) {
        let rows = self.panels.len().div_ceil(self.columns.max(1)).max(1);
        let title = if self.title.is_empty() { 0.0 } else { TITLE };
        (POINTS_PER_MM * self.width, POINTS_PER_MM * self.panel_height * rows as f64 + title)
    }

    /// The picture as PNG, 300 dots per inch.
    ///
    /// # Errors
    /// A figure that is too large.
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        let (width, height) = self.size();
        let dots = |points: f64| (points * DPI / 72.0).round().max(1.0);
        let (w, h) = (dots(width), dots(height));
        if w.max(h) > MOST_DOTS {
            return Err(FigureError(format!("{w} by {h} dots, more than {MOST_DOTS} in one direction")));
        }
        let (w, h) = (w as usize, h as usize);
        let mut pixels = vec![255; 3 * FINER * FINER * w * h];
        let size = ((FINER * w) as u32, (FINER * h) as u32);
        let backend = BitMapBackend::with_buffer(&mut pixels, size);
        self.draw(Canvas::new(backend, FINER as f64 * DPI / 72.0, true)?)?;
        Ok(png::encode(&png::averaged(&pixels, w, h, FINER), w, h, DPI))
    }

    /// The picture as SVG, its size in millimetres.
    ///
    /// # Errors
    /// None that is known.
    pub fn svg(&self) -> Result<String, FigureError> {
        let (width, height) = self.size();
        let units = |points: f64| (points * SVG_UNITS / 72.0).round() as u32;
        let (w, h) = (units(width), units(height));
        let mut text = String::new();
        self.draw(Canvas::new(SVGBackend::with_string(&mut text, (w, h)), SVG_UNITS / 72.0, false)?)?;
        let mm = |points: f64| points / POINTS_PER_MM;
        let size = format!("width=\"{:.2}mm\" height=\"{:.2}mm\"", mm(width), mm(height));
        Ok(text.replacen(&format!("width=\"{w}\" height=\"{h}\""), &size, 1))
    }

    /// Writes the picture; the ending of the path says which kind.
    ///
    /// # Errors
    /// Another ending than png or svg, and as [`atomic::write`].
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let bytes = match ending.as_str() {
            "png" => self.png(),
            "svg" => self.svg().map(String::into_bytes),
            _ => return Err(FileError::new(path, "a picture ends in .png or .svg")),
        };
        let bytes = bytes.map_err(|e| FileError::new(path, e))?;
        atomic::write(path, |file| std::io::Write::write_all(file, &bytes))
    }

    fn draw<DB: plotters::prelude::DrawingBackend>(&self, mut canvas: Canvas<DB>) -> Result<(), FigureError> {
        let (width, _) = self.size();
        let mut top = 0.0;
        if !self.title.is_empty() {
            canvas.text(&self.title, (width / 2.0, 0.7 * TITLE), 10.0, canvas::MIDDLE)?;
            top = TITLE;
        }
        let columns = self.columns.max(1);
        let (w, h) = (width / columns as f64, POINTS_PER_MM * self.panel_height);
        let cell = |i: usize| {
            let (column, row) = (i % columns, i / columns);
            Rect { left: column as f64 * w, top: top + row as f64 * h, width: w, height: h }.shrunk(5.0)
        };
        let mut sides: (f64, f64) = (0.0, 0.0);
        for (i, own) in self.panels.iter().enumerate().filter(|_| self.in_line) {
            let needed = panel::sides(&canvas, own, cell(i));
            sides = (sides.0.max(needed.0), sides.1.max(needed.1));
        }
        for (i, own) in self.panels.iter().enumerate() {
            panel::draw(&mut canvas, own, cell(i), sides)?;
        }
        canvas.done()
    }
}
