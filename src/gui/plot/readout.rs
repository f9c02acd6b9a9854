//! Owns [`Readout`], what the linked cursor reads off a plot: a box beside the cursor where there is room for it, else
//! the values alone at the far side of the plot, away from the cursor.

use std::sync::Arc;

use eframe::egui::{self, Galley, Pos2, Rect, Vec2, pos2, vec2};

use super::number;
use super::paint::{self, LineLook};

/// Room between the cursor and what is read, so that the curves at the cursor stay in sight (`[own]`).
const APART: f32 = 12.0;
/// Width of a line's sample, and space after an entry.
const SAMPLE: f32 = 18.0;
const GAP: f32 = 8.0;
/// The largest share of a plot's width and height that a box beside the cursor takes (`[own]`).
const LARGEST: [f32; 2] = [0.42, 0.6];

/// A value of one curve.
pub struct Value {
    /// How the curve looks.
    pub look: LineLook,
    /// The value, exactly.
    pub text: String,
    /// What the curve is.
    pub name: String,
    /// The iteration that it is of.
    pub iteration: i64,
}

impl Value {
    /// Which series it is of, without its run.
    fn series(&self) -> &str {
        self.name.split_once(',').map_or(&self.name, |(series, _)| series)
    }
}

/// All values under a cursor.
pub struct Readout {
    /// Where the cursor stands, where that is no iteration.
    pub at: Option<String>,
    /// What happened there.
    pub marks: Vec<String>,
    /// The values, one of each curve.
    pub values: Vec<Value>,
}

/// A piece of text with the sample of its curve.
struct Piece {
    look: Option<LineLook>,
    galley: Arc<Galley>,
}

impl Piece {
    fn size(&self) -> Vec2 {
        let sample = if self.look.is_some() { SAMPLE } else { 0.0 };
        self.galley.size() + vec2(sample, 0.0)
    }
}

impl Readout {
    /// Draws it in a plot with the cursor at `x`, beside `y` where it is a box.
    pub fn show(&self, ui: &egui::Ui, frame: Rect, x: f32, y: f32) {
        let Some(first) = self.values.first().map(|value| value.iteration) else { return };
        let painter = ui.painter().with_clip_rect(frame);
        let font = egui::TextStyle::Small.resolve(ui.style());
        let color = ui.visuals().text_color();
        let text = |text: String| painter.layout_no_wrap(text, font.clone(), color);
        let place = |before: &str| match &self.at {
            Some(at) => format!("{at}, {before}{}", number::count(first)),
            None => format!("{before}{}", number::count(first)),
        };
        let is_mixed = self.values.iter().any(|value| value.series() != self.values[0].series());
        let pieces = |with_names: bool| {
            let head = Piece { look: None, galley: text(place(if with_names { "iteration " } else { "" })) };
            let rest = self.values.iter().map(|value| {
                let Value { look, text: number, name, iteration } = value;
                let own = match (*iteration == first, with_names) {
                    (true, _) => String::new(),
                    (false, true) => format!(" (iteration {})", number::count(*iteration)),
                    (false, false) => format!(" @{}", number::count(*iteration)),
                };
                let name = match with_names {
                    true => format!(" {name}"),
                    // There is room for no more.
                    false if is_mixed => format!(" {}", value.series()),
                    false => String::new(),
                };
                Piece { look: Some(*look), galley: text(format!("{number}{name}{own}")) }
            });
            let room = LARGEST[0] * frame.width() - 8.0;
            let marks = self.marks.iter().map(|mark| {
                let galley = paint::cut(&painter, mark, &font, color, room);
                Piece { look: None, galley }
            });
            std::iter::once(head).chain(marks).chain(rest).collect::<Vec<Piece>>()
        };
        let rows_of_one = pieces(true);
        let sizes: Vec<Vec2> = rows_of_one.iter().map(Piece::size).collect();
        let (rect, pieces, places) = match beside(frame, pos2(x, y), &sizes) {
            Some((rect, places)) => (rect, rows_of_one, places),
            None => {
                let pieces = pieces(false);
                let sizes: Vec<Vec2> = pieces.iter().map(Piece::size).collect();
                let (rect, places) = away(frame, x, &sizes);
                (rect, pieces, places)
            }
        };
        let fill = ui.visuals().extreme_bg_color.gamma_multiply(0.92);
        painter.rect(rect, 3.0, fill, ui.visuals().window_stroke, egui::StrokeKind::Inside);
        for (piece, at) in pieces.into_iter().zip(places) {
            let mut at = rect.min + at;
            if let Some(look) = piece.look {
                let middle = at + vec2(0.0, piece.galley.size().y / 2.0);
                painter.extend(look.sample(middle, SAMPLE - 4.0));
                at.x += SAMPLE;
            }
            painter.galley(at, piece.galley, color);
        }
    }
}

/// A box beside the cursor with a row for each size: its rectangle and where in it each row stands; `None` where it
/// would take too much of the plot, or has no room on either side.
fn beside(frame: Rect, cursor: Pos2, sizes: &[Vec2]) -> Option<(Rect, Vec<Vec2>)> {
    let mut places = Vec::with_capacity(sizes.len());
    let (mut width, mut top) = (0.0f32, 4.0);
    for size in sizes {
        places.push(vec2(4.0, top));
        (width, top) = (width.max(size.x), top + size.y);
    }
    let size = vec2(width + 8.0, top + 4.0);
    if size.x > LARGEST[0] * frame.width() || size.y > LARGEST[1] * frame.height() {
        return None;
    }
    let right = cursor.x + APART;
    let x = if right + size.x <= frame.right() { right } else { cursor.x - APART - size.x };
    let y = cursor.y.min(frame.bottom() - size.y - 2.0).max(frame.top() + 2.0);
    (x >= frame.left()).then(|| (Rect::from_min_size(pos2(x, y), size), places))
}

/// As few rows as there is room for at the top of the side that is further from the cursor.
fn away(frame: Rect, cursor: f32, sizes: &[Vec2]) -> (Rect, Vec<Vec2>) {
    let is_right = frame.right() - cursor >= cursor - frame.left();
    let room = if is_right { frame.right() - cursor } else { cursor - frame.left() } - APART - 10.0;
    let mut places = Vec::with_capacity(sizes.len());
    let (mut at, mut width, mut row) = (vec2(4.0, 3.0), 0.0f32, 0.0f32);
    for size in sizes {
        if at.x > 4.0 && at.x + size.x > room {
            at = vec2(4.0, at.y + row);
            row = 0.0;
        }
        places.push(at);
        at.x += size.x + GAP;
        (width, row) = (width.max(at.x - GAP), row.max(size.y));
    }
    let size = vec2(width + 4.0, at.y + row + 3.0);
    let x = if is_right { frame.right() - size.x - 2.0 } else { frame.left() + 2.0 };
    (Rect::from_min_size(pos2(x, frame.top() + 2.0), size), places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(100.0, 50.0), vec2(width, height))
    }

    #[test]
    fn the_neighbourhood_of_the_cursor_stays_in_sight() {
        for (width, height) in [(470.0, 70.0), (470.0, 300.0), (1200.0, 500.0), (300.0, 120.0)] {
            let frame = frame(width, height);
            for n in [1, 3, 7] {
                let (long, short) = (vec![vec2(160.0, 13.0); n], vec![vec2(66.0, 13.0); n]);
                for share in [0.0, 0.2, 0.49, 0.51, 0.8, 1.0] {
                    let x = frame.left() + share * width;
                    let found = beside(frame, pos2(x, frame.center().y), &long);
                    let (rect, places) = found.unwrap_or_else(|| away(frame, x, &short));
                    assert!(
                        rect.left() >= x + APART || rect.right() <= x - APART,
                        "{n} at {share} of {width}"
                    );
                    assert!(rect.left() >= frame.left() && rect.right() <= frame.right());
                    assert_eq!(places.len(), n);
                }
            }
        }
    }

    #[test]
    fn a_low_plot_has_the_values_alone_in_few_rows() {
        let low = frame(470.0, 80.0);
        let long = vec![vec2(160.0, 13.0); 7];
        assert!(
            beside(low, low.center(), &long).is_none()
                && beside(frame(900.0, 400.0), low.center(), &long).is_some()
        );
        let (rect, places) = away(low, 200.0, &[vec2(66.0, 13.0); 7]);
        assert!(rect.height() < 0.5 * low.height(), "{rect:?}");
        let rows: std::collections::BTreeSet<i32> = places.iter().map(|at| at.y as i32).collect();
        assert_eq!(rows.len(), 2);
    }
}
