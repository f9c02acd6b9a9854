//! Owns how lines and points look in figures and in the window: colours, dashes, markers.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Colours of Okabe and Ito (2008), told apart under the common colour deficiencies.
pub mod okabe_ito {
    #![allow(missing_docs, reason = "their names say it")]
    use super::Rgb;

    pub const ORANGE: Rgb = [0xE6, 0x9F, 0x00];
    pub const SKY_BLUE: Rgb = [0x56, 0xB4, 0xE9];
    pub const GREEN: Rgb = [0x00, 0x9E, 0x73];
    pub const YELLOW: Rgb = [0xF0, 0xE4, 0x42];
    pub const BLUE: Rgb = [0x00, 0x72, 0xB2];
    pub const VERMILION: Rgb = [0xD5, 0x5E, 0x00];
    pub const PURPLE: Rgb = [0xCC, 0x79, 0xA7];
}
use okabe_ito::{BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION};

/// Text and frames.
pub const BLACK: Rgb = [0, 0, 0];
/// Marks and levels.
pub const GREY: Rgb = [110, 110, 110];

/// Colours of the runs in turn, on white.
pub const RUNS: [Rgb; 7] = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, [0x1A, 0x1A, 0x1A], SKY_BLUE];

/// The shape that marks a run's points, so that its colour is never the only difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Marker {
    Circle,
    Square,
    Diamond,
    TriangleUp,
    TriangleDown,
    Cross,
    Plus,
    Ring,
}

/// Markers of the runs in turn.
pub const MARKERS: [Marker; 8] = [
    Marker::Circle,
    Marker::Square,
    Marker::Diamond,
    Marker::TriangleUp,
    Marker::TriangleDown,
    Marker::Cross,
    Marker::Plus,
    Marker::Ring,
];

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Dash {
    Solid,
    Dashed,
    Dotted,
    Sparse,
}

impl Dash {
    /// The dashes in turn, so that colour is never the only difference between lines.
    pub fn of_slot(slot: usize) -> Self {
        const ALL: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Sparse];
        ALL[slot % ALL.len()]
    }
}

/// How a line of a figure and the points on it look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Its colour.
    pub color: Rgb,
    /// How it is broken.
    pub dash: Dash,
    /// What marks its points, where there is room.
    pub marker: Option<Marker>,
    /// Points of print.
    pub width: f64,
    /// 1 covers what is below.
    pub opacity: f64,
}

impl Look {
    /// A solid line.
    pub fn solid(color: Rgb) -> Self {
        Self { color, dash: Dash::Solid, marker: None, width: 1.0, opacity: 1.0 }
    }

    /// The same line, broken.
    pub fn dashed(self, dash: Dash) -> Self {
        Self { dash, ..self }
    }

    /// The same line, thin and light: what stands behind a mean.
    pub fn faint(self) -> Self {
        Self { width: 0.6, opacity: 0.4, marker: None, dash: Dash::Solid, ..self }
    }
}

/// The look of the run in a slot of the runs table: as in the window. With more runs than colours the colour
/// comes again with another marker.
pub fn run_look(slot: usize) -> Look {
    Look { marker: Some(MARKERS[slot % MARKERS.len()]), ..Look::solid(RUNS[slot % RUNS.len()]) }
}
