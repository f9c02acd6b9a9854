//! Owns the view of a landscape as a surface that can be turned: height and colour are the loss on a logarithmic
//! scale.

use eframe::egui::{self, Color32, Mesh, Pos2, Rect, Shape, Ui, Vec2, pos2, vec2};

use super::colormap::{self, Colors};
use super::number;
use super::overlay::Overlay;
use super::paint;
use crate::numerics::landscape::slice::Grid;

/// From where a surface is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Degrees around the vertical axis, 0 to 360.
    pub azimuth: f64,
    /// Degrees above the plane, 0 to 90.
    pub elevation: f64,
}

impl Default for Turn {
    fn default() -> Self {
        Self { azimuth: 30.0, elevation: 35.0 }
    }
}

/// Height of the surface relative to half its width.
const HEIGHT: f64 = 0.9;

/// The most that one direction of the screen is stretched against the other.
const MOST_STRETCHED: f32 = 1.8;

/// Cells between two lines of the net.
const NET: usize = 5;

impl Turn {
    /// Turns by a drag over the screen.
    pub fn drag(&mut self, by: Vec2) {
        self.azimuth = (self.azimuth - 0.5 * f64::from(by.x)).rem_euclid(360.0);
        self.elevation = (self.elevation + 0.4 * f64::from(by.y)).clamp(0.0, 90.0);
    }

    /// Where (u, v) in [-1, 1] and height w in [0, 1] are: to the right, up, and away from the eye.
    fn project(self, [u, v, w]: [f64; 3]) -> [f64; 3] {
        let (sin_a, cos_a) = self.azimuth.to_radians().sin_cos();
        let (sin_e, cos_e) = self.elevation.to_radians().sin_cos();
        let (x, y, z) = (u * cos_a - v * sin_a, u * sin_a + v * cos_a, HEIGHT * (2.0 * w - 1.0) / 2.0);
        [x, z * cos_e + y * sin_e, y * cos_e - z * sin_e]
    }
}

/// A surface to be drawn.
pub struct Surface<'a> {
    /// Its name.
    pub title: &'a str,
    /// The losses.
    pub grid: &'a Grid,
    /// Names of the axes.
    pub names: &'a [String; 2],
    /// Their colours, and heights.
    pub colors: Colors,
    /// What is drawn on it.
    pub overlay: &'a Overlay,
}

/// The screen's side of a projection.
struct Camera {
    turn: Turn,
    center: Pos2,
    scale: Vec2,
}

impl Camera {
    /// As large as the box around the surface fits into `frame`, with room for the names below it.
    fn new(turn: Turn, frame: Rect) -> Self {
        let room = Rect::from_min_max(frame.min + vec2(24.0, 8.0), frame.max - vec2(24.0, 30.0));
        let corner = |k: u32| {
            let side = |bit: u32| if k >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let [x, y, _] = turn.project([side(0), side(1), 0.5 + 0.5 * side(2)]);
            pos2(x as f32, -y as f32)
        };
        let corners: Vec<Pos2> = (0..8).map(corner).collect();
        let bounds = Rect::from_points(&corners);
        // The axes have units of their own: a wide picture may be wider than it is high.
        let fit = (room.size() / bounds.size()).max(Vec2::ZERO);
        let scale = fit.min(MOST_STRETCHED * vec2(fit.y, fit.x));
        Self { turn, center: room.center() - scale * bounds.center().to_vec2(), scale }
    }

    fn at(&self, point: [f64; 3]) -> Pos2 {
        let [x, y, _] = self.turn.project(point);
        self.center + self.scale * vec2(x as f32, -y as f32)
    }

    fn depth(&self, point: [f64; 3]) -> f64 {
        self.turn.project(point)[2]
    }
}

impl Surface<'_> {
    /// Draws it into `size`; a drag turns it.
    pub fn show(&self, ui: &mut Ui, turn: &mut Turn, size: Vec2) {
        // Known by its name, not by what stands before it: a drag goes on when a line of text appears above.
        let (_, rect) = ui.allocate_space(size);
        let response = ui.interact(rect, ui.make_persistent_id(self.title), egui::Sense::drag());
        let bar_left = rect.right() - colormap::BAR_WIDTH;
        let frame = Rect::from_min_max(rect.min, pos2(bar_left, rect.bottom()));
        if response.dragged() {
            turn.drag(response.drag_delta());
        }
        let camera = Camera::new(*turn, frame);
        let painter = ui.painter().with_clip_rect(frame);
        self.floor(ui, &painter, &camera);
        painter.add(Shape::mesh(self.mesh(&camera, ui.visuals().panel_fill)));
        let place = |at: [f64; 2], loss: Option<f64>| {
            let [u, v] = self.unit(at)?;
            let height = self.height(loss.unwrap_or_else(|| self.near(at)))?;
            Some(camera.at([u, v, height]))
        };
        self.stems(&painter, &camera);
        self.overlay.lines(&painter, &place);
        self.overlay.spots(&painter, &place, &self.colors);
        for label in self.overlay.labels(ui, frame, &place) {
            label.draw(&painter);
        }
        let bar = Rect::from_min_max(
            pos2(bar_left + 6.0, frame.top() + 8.0),
            pos2(rect.right(), frame.bottom() - 8.0),
        );
        colormap::bar(ui, bar, &self.colors);
        if let Some(pointer) = response.hover_pos().filter(|_| !response.dragged())
            && let Some(text) = self.overlay.near(pointer, &place)
        {
            paint::boxed_text(ui, frame, pointer, vec![(None, text)]);
        }
        let (low, high) = self.colors.range;
        response.widget_info(|| {
            let text = format!(
                "{}: loss as height over {} by {}, from {} to {}, seen from azimuth {:.0}, elevation {:.0}",
                self.title,
                self.names[0],
                self.names[1],
                number::value(self.colors.scale.value(low)),
                number::value(self.colors.scale.value(high)),
                turn.azimuth,
                turn.elevation
            );
            egui::WidgetInfo::labeled(egui::Role::Image, true, text)
        });
    }

    /// A place in the plane as (u, v) in [-1, 1]; `None` outside the grid.
    fn unit(&self, at: [f64; 2]) -> Option<[f64; 2]> {
        let along = |axis: &[f64], x: f64| {
            let (low, high) = (*axis.first()?, *axis.last()?);
            let u = 2.0 * (x - low) / (high - low) - 1.0;
            (-1.000_001..=1.000_001).contains(&u).then_some(u)
        };
        Some([along(&self.grid.a, at[0])?, along(&self.grid.b, at[1])?])
    }

    /// The height of a loss, in [0, 1]; `None` where it is not finite.
    fn height(&self, loss: f64) -> Option<f64> {
        let (low, high) = self.colors.range;
        if !loss.is_finite() {
            return None;
        }
        let place = self.colors.scale.place(loss).unwrap_or(low);
        Some(((place - low) / (high - low)).clamp(0.0, 1.0))
    }

    /// The loss at the grid's point nearest to a place.
    fn near(&self, at: [f64; 2]) -> f64 {
        let index = |axis: &[f64], x: f64| {
            let distance = |i: &usize| (axis[*i] - x).abs();
            (0..axis.len()).min_by(|i, j| distance(i).total_cmp(&distance(j))).unwrap_or(0)
        };
        self.grid.at(index(&self.grid.a, at[0]), index(&self.grid.b, at[1]))
    }

    /// All cells from the farthest to the nearest, each with its part of the net: what is nearer covers what is
    /// behind. Cells with a corner that is not finite are holes.
    fn mesh(&self, camera: &Camera, ground: Color32) -> Mesh {
        let (nx, ny) = (self.grid.a.len(), self.grid.b.len());
        let mut mesh = Mesh::default();
        if nx < 2 || ny < 2 {
            return mesh;
        }
        let unit = |i: usize, n: usize| 2.0 * i as f64 / (n - 1) as f64 - 1.0;
        let point = |i: usize, j: usize| -> Option<([f64; 3], Color32)> {
            let loss = self.grid.at(i, j);
            Some(([unit(i, nx), unit(j, ny), self.height(loss)?], self.colors.color(loss)))
        };
        let mut cells: Vec<(usize, usize)> =
            (0..ny - 1).flat_map(|j| (0..nx - 1).map(move |i| (i, j))).collect();
        let depth = |(i, j): &(usize, usize)| {
            // Of the floor below it: the surface has one height at each place.
            let middle = |i: usize, n: usize| 0.5 * (unit(i, n) + unit(i + 1, n));
            camera.depth([middle(*i, nx), middle(*j, ny), 0.5])
        };
        cells.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
        let strength = self.overlay.strength.clamp(0.2, 1.0);
        let net = Color32::from_black_alpha(90);
        for (i, j) in cells {
            let corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| point(i, j));
            let [Some(a), Some(b), Some(c), Some(d)] = corners else { continue };
            let first = mesh.vertices.len() as u32;
            for (at, color) in [a, b, c, d] {
                mesh.colored_vertex(camera.at(at), ground.lerp_to_gamma(color, strength));
            }
            mesh.add_triangle(first, first + 1, first + 2);
            mesh.add_triangle(first, first + 2, first + 3);
            if j % NET == 0 {
                line(&mut mesh, camera.at(a.0), camera.at(b.0), net);
            }
            if i % NET == 0 {
                line(&mut mesh, camera.at(a.0), camera.at(d.0), net);
            }
        }
        mesh
    }

    /// From the surface to the true loss of each point of the paths: how far the plane misleads.
    fn stems(&self, painter: &egui::Painter, camera: &Camera) {
        for spot in self.overlay.paths.iter().filter(|p| p.has_spots).flat_map(|p| &p.spots) {
            let Some([u, v]) = self.unit(spot.at) else { continue };
            let heights = self.height(self.near(spot.at)).zip(spot.loss.and_then(|loss| self.height(loss)));
            if let Some((from, to)) = heights {
                let ends = [camera.at([u, v, from]), camera.at([u, v, to])];
                painter.line_segment(ends, (1.0, Color32::from_white_alpha(110)));
            }
        }
    }

    /// The edges of the floor, with the names of the axes and their ends.
    fn floor(&self, ui: &Ui, painter: &egui::Painter, camera: &Camera) {
        let grey = ui.visuals().weak_text_color();
        let font = egui::TextStyle::Small.resolve(ui.style());
        let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
        for i in 0..4 {
            let [a, b] = [corners[i], corners[(i + 1) % 4]].map(|[u, v]| camera.at([u, v, 0.0]));
            painter.line_segment([a, b], (1.0, grey));
        }
        for (axis, values) in [&self.grid.a, &self.grid.b].into_iter().enumerate() {
            // The edge that is nearer to the eye.
            let edge = |side: f64| {
                let end = |t: f64| if axis == 0 { [t, side, 0.0] } else { [side, t, 0.0] };
                [end(-1.0), end(0.0), end(1.0)]
            };
            let near = if camera.depth(edge(-1.0)[1]) < camera.depth(edge(1.0)[1]) { -1.0 } else { 1.0 };
            let points = edge(near).map(|p| camera.at(p));
            let out = (points[1] - camera.at([0.0, 0.0, 0.0])).normalized();
            let write = |at: Pos2, text: String| {
                let galley = painter.layout_no_wrap(text, font.clone(), ui.visuals().text_color());
                let half = 0.5 * galley.size();
                let away = vec2(out.x * (half.x + 5.0), out.y.max(0.3) * (half.y + 5.0));
                // What would hang over the edge is moved inside.
                let inside = painter.clip_rect().shrink2(half);
                let center = at + away;
                let center = pos2(
                    center.x.max(inside.left()).min(inside.right()),
                    center.y.max(inside.top()).min(inside.bottom()),
                );
                painter.galley(center - half, galley, ui.visuals().text_color());
            };
            write(points[1], self.names[axis].clone());
            for (point, value) in [(points[0], values.first()), (points[2], values.last())] {
                let inward = 0.12 * (points[1] - point);
                write(point + inward, value.map_or_else(String::new, |v| number::significant(*v, 2)));
            }
        }
    }
}

/// A thin line as two triangles, so that nearer cells cover it.
fn line(mesh: &mut Mesh, a: Pos2, b: Pos2, color: Color32) {
    let across = 0.45 * (b - a).normalized().rot90();
    let first = mesh.vertices.len() as u32;
    for corner in [a + across, b + across, b - across, a - across] {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first, first + 2, first + 3);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::plot::colormap::ColorMap;
    use crate::gui::plot::scale::Scale;

    const EPS: f64 = 1e-12;

    #[test]
    fn a_turn_is_a_rotation_and_comes_back_after_a_full_round() {
        for (azimuth, elevation) in [(0.0, 0.0), (30.0, 35.0), (200.0, 90.0)] {
            let turn = Turn { azimuth, elevation };
            let point = [0.3, -0.7, 0.9];
            let length = |[x, y, z]: [f64; 3]| (x * x + y * y + z * z).sqrt();
            let height = HEIGHT * (2.0 * point[2] - 1.0) / 2.0;
            let expected = length([point[0], point[1], height]);
            assert!((length(turn.project(point)) - expected).abs() < EPS);
            let round = Turn { azimuth: azimuth + 360.0, elevation };
            assert!((round.project(point)[0] - turn.project(point)[0]).abs() < EPS);
        }
        let mut turn = Turn::default();
        turn.drag(vec2(5000.0, -5000.0));
        assert!((0.0..360.0).contains(&turn.azimuth) && turn.elevation == 0.0);
    }

    #[test]
    fn from_above_it_is_the_map_and_from_the_side_height_is_up() {
        let above = Turn { azimuth: 0.0, elevation: 90.0 };
        let [x, y, _] = above.project([0.4, -0.2, 0.5]);
        assert!((x - 0.4).abs() < EPS && (y + 0.2).abs() < EPS);
        let side = Turn { azimuth: 0.0, elevation: 0.0 };
        let [low, high] = [0.0, 1.0].map(|w| side.project([0.0, 0.0, w])[1]);
        assert!((high - low - HEIGHT).abs() < EPS);
    }

    fn grid(loss: impl Fn(usize, usize) -> f64) -> Grid {
        let axis = vec![-1.0, 0.0, 1.0];
        let loss = (0..9).map(|k| loss(k % 3, k / 3)).collect();
        Grid { a: axis.clone(), b: axis, loss }
    }

    fn drawn(grid: &Grid, turn: Turn) -> Mesh {
        let names = ["a".to_owned(), "b".to_owned()];
        let colors = Colors::new(ColorMap::Viridis, Scale::Log, 0.1, 10.0);
        let overlay = Overlay { strength: 1.0, ..Overlay::default() };
        let surface = Surface { title: "it", grid, names: &names, colors, overlay: &overlay };
        let frame = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
        surface.mesh(&Camera::new(turn, frame), Color32::BLACK)
    }

    #[test]
    fn a_loss_that_is_not_finite_leaves_a_hole_and_all_else_fits_the_frame() {
        let whole = drawn(&grid(|i, j| 0.1 + (i * j) as f64), Turn::default());
        let holed = drawn(&grid(|i, j| if (i, j) == (0, 0) { f64::NAN } else { 1e300 }), Turn::default());
        // Four cells and the net of the first row and column: six triangles less where the corner is missing.
        assert_eq!((whole.indices.len(), holed.indices.len()), (3 * (8 + 8), 3 * (6 + 4)));
        for azimuth in 0..12 {
            let turn = Turn { azimuth: f64::from(azimuth) * 30.0, elevation: f64::from(azimuth) * 8.0 };
            let mesh = drawn(&grid(|i, j| 0.1 + 9.9 * (i + j) as f64 / 4.0), turn);
            let frame = Rect::from_min_size(Pos2::ZERO, vec2(300.0, 200.0));
            assert!(mesh.vertices.iter().all(|v| frame.contains(v.pos)), "{turn:?}");
        }
    }
}
