//! Owns [`Placement`]: where the window stands on the screen, found again at the next start, and never out of reach.

use eframe::egui::{Context, Pos2, Rect, Vec2, ViewportBuilder, ViewportCommand, pos2, vec2};
use serde::{Deserialize, Serialize};

/// The size of the first window, and of one whose size makes no sense (`[own]`).
const USUAL: Vec2 = vec2(1280.0, 720.0);
/// The smallest (`[own]`).
pub const SMALLEST: Vec2 = vec2(640.0, 400.0);
/// The strip at the top of a window that has to be in sight: so much of its width and of its height can be grabbed (`[own]`).
const GRIP: Vec2 = vec2(120.0, 24.0);

/// Size and place of the window, in points of the system (not enlarged with the text).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Its upper left corner with its frame, where the system tells it.
    position: Option<[f32; 2]>,
    /// Its size without its frame, when it is not maximised.
    size: [f32; 2],
    /// Whether it fills the screen.
    maximised: bool,
}

impl Default for Placement {
    fn default() -> Self {
        Self { position: None, size: [USUAL.x, USUAL.y], maximised: false }
    }
}

impl Placement {
    /// Takes in how the window stands now.
    pub fn follow(&mut self, ctx: &Context) {
        let (zoom, content) = (ctx.zoom_factor(), ctx.content_rect().size());
        let viewport = ctx.input(|input| input.viewport().clone());
        if viewport.minimized == Some(true) || viewport.fullscreen == Some(true) {
            return;
        }
        self.maximised = viewport.maximized == Some(true);
        if self.maximised {
            return;
        }
        // Whole points, so that a hair of rounding is no change.
        let whole = |v: f32| (v * zoom).round();
        self.size = [whole(content.x), whole(content.y)];
        self.position = viewport.outer_rect.map(|rect| [whole(rect.min.x), whole(rect.min.y)]);
    }

    /// The same, its size and position sane: numbers from a file may be any.
    pub fn sound(self) -> Self {
        let is_size = self.size.iter().all(|v| v.is_finite() && *v < 65_536.0);
        let size = if is_size { Vec2::from(self.size).max(SMALLEST) } else { USUAL };
        let position = self.position.filter(|all| all.iter().all(|v| v.abs() < 65_536.0));
        Self { position, size: size.into(), ..self }
    }

    /// Where it has to stand so that it can be reached on these screens; `None` where it stands well, or where
    /// nothing is known of the screens. A window whose screen is gone goes to the first.
    pub fn moved(self, screens: &[Rect]) -> Option<Pos2> {
        let first = screens.first()?;
        let corner = Pos2::from(self.position?);
        let top = Rect::from_min_size(corner, vec2(self.size[0], 2.0 * GRIP.y));
        let is_seen = |screen: &Rect| {
            let seen = top.intersect(*screen);
            seen.width() >= GRIP.x && seen.height() >= GRIP.y && corner.y >= screen.top() - GRIP.y
        };
        if screens.iter().any(is_seen) {
            return None;
        }
        let room = (first.size() - Vec2::from(self.size)).max(Vec2::ZERO);
        Some(first.min + room / 2.0)
    }

    /// A window that begins so.
    pub fn begin(self, builder: ViewportBuilder) -> ViewportBuilder {
        let builder = builder.with_inner_size(self.size).with_min_inner_size(SMALLEST);
        let builder = builder.with_maximized(self.maximised);
        match self.position {
            Some([x, y]) => builder.with_position(pos2(x, y)),
            None => builder,
        }
    }
}

/// Moves the window, in points of the system.
pub fn move_to(ctx: &Context, at: Pos2) {
    let zoom = ctx.zoom_factor();
    ctx.send_viewport_cmd(ViewportCommand::OuterPosition(pos2(at.x / zoom, at.y / zoom)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, y: f32) -> Placement {
        Placement { position: Some([x, y]), ..Placement::default() }
    }

    fn screen(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(width, height))
    }

    #[test]
    fn a_window_in_reach_stays_where_it_was() {
        let screens = [screen(0.0, 0.0, 1920.0, 1080.0), screen(1920.0, 0.0, 1280.0, 1024.0)];
        for placement in [at(0.0, 0.0), at(2000.0, 100.0), at(-1100.0, 50.0), at(1800.0, 1000.0)] {
            assert_eq!(placement.moved(&screens), None, "{placement:?}");
        }
        assert_eq!(Placement::default().moved(&screens), None, "the system chooses");
        assert_eq!(at(9e3, 9e3).moved(&[]), None, "nothing is known of the screens");
    }

    #[test]
    fn a_window_out_of_reach_comes_to_the_first_screen() {
        let one = [screen(0.0, 0.0, 1920.0, 1080.0)];
        for placement in [at(2000.0, 100.0), at(-1250.0, 50.0), at(100.0, 1070.0), at(100.0, -300.0)] {
            let moved = placement.moved(&one).expect("moved");
            assert_eq!(moved, pos2(320.0, 180.0), "{placement:?}: in its middle");
        }
        // Larger than the screen: its corner is in sight.
        let small = [screen(100.0, 50.0, 800.0, 600.0)];
        assert_eq!(at(5e3, 0.0).moved(&small), Some(pos2(100.0, 50.0)));
    }

    #[test]
    fn a_size_that_makes_no_sense_is_not_taken() {
        let of = |size, position| Placement { size, position, maximised: true }.sound();
        assert_eq!(of([3.0, -7.0], None).size, [640.0, 400.0]);
        assert_eq!(of([f32::NAN, 500.0], None).size, [1280.0, 720.0]);
        assert_eq!(of([1e9, 500.0], Some([f32::INFINITY, 0.0])), of([1280.0, 720.0], None));
        assert_eq!(of([900.0, 700.0], Some([-5.0, 3.0])).position, Some([-5.0, 3.0]));
    }
}
