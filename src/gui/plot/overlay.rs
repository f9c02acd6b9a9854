//! Owns [`Overlay`], what is drawn over a picture of the landscape: paths with their own losses, named points.

use eframe::egui::{self, Color32, Pos2, Rect, Shape, Ui, pos2};

use super::colormap::Colors;
use super::{number, paint};
use crate::gui::theme::{Dash, Marker};

/// A point of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// Where.
    pub at: [f64; 2],
    /// Its own true loss, where known.
    pub loss: Option<f64>,
    /// 1 = in the plane; towards 0 the further off it.
    pub nearness: f64,
    /// What it is, for the cursor.
    pub text: String,
}

/// A path through a plane.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnPath {
    /// What it is.
    pub name: String,
    /// Its line.
    pub color: Color32,
    /// Width of the line in points of the screen.
    pub width: f32,
    /// How the line is broken.
    pub dash: Dash,
    /// The points in order.
    pub spots: Vec<Spot>,
    /// Whether the points are drawn, not the line alone.
    pub has_spots: bool,
    /// Whether its first and its last point are marked as the ends of the path.
    pub ends: [bool; 2],
    /// Words at its points, by their number.
    pub labels: Vec<(usize, String)>,
}

/// A named point.
#[derive(Clone, Debug, PartialEq)]
pub struct Landmark {
    /// Where.
    pub at: [f64; 2],
    /// Its name.
    pub name: String,
    /// What it is, for the cursor.
    pub text: String,
}

/// What is drawn over a picture.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// Paths, drawn in this order.
    pub paths: Vec<DrawnPath>,
    /// Named points.
    pub landmarks: Vec<Landmark>,
    /// How strong the picture below is: 1, less where it is out of date.
    pub strength: f32,
}

/// A word to be drawn at a place, and where.
pub struct Label {
    galley: std::sync::Arc<egui::Galley>,
    rect: Rect,
}

/// Where a point of the plane with its loss is on the screen; `None` where it cannot be shown.
pub type Project<'a> = &'a dyn Fn([f64; 2], Option<f64>) -> Option<Pos2>;

impl Overlay {
    /// Draws the lines of the paths.
    pub fn lines(&self, painter: &egui::Painter, place: Project<'_>) {
        for path in &self.paths {
            let points: Vec<Pos2> = path.spots.iter().filter_map(|s| place(s.at, s.loss)).collect();
            // A dark line under a bright one is seen on every colour of the map.
            if path.dash == Dash::Solid {
                let under = egui::Stroke::new(path.width + 1.6, Color32::from_black_alpha(160));
                painter.add(Shape::line(points.clone(), under));
            }
            painter.extend(broken(&points, path));
        }
    }

    /// Draws points and named points; those of a path have the colour of their own loss, with a dark core that is the
    /// larger the further off the plane they are.
    pub fn spots(&self, painter: &egui::Painter, place: Project<'_>, colors: &Colors) {
        for path in &self.paths {
            let last = path.spots.len().saturating_sub(1);
            let mut drawn: Option<Pos2> = None;
            for (i, spot) in path.spots.iter().enumerate() {
                let is_end = (i == 0 && path.ends[0]) || (i == last && path.ends[1]);
                let Some(at) = place(spot.at, spot.loss) else { continue };
                // Points on top of each other would hide their colours; the line goes through all of them.
                let is_crowded = drawn.is_some_and(|last| last.distance(at) < 14.0);
                if !is_end && (is_crowded || !path.has_spots) {
                    continue;
                }
                drawn = Some(at);
                let radius = match (is_end, path.has_spots) {
                    (true, true) => 7.0,
                    (false, true) => 5.5,
                    (_, false) => 2.5,
                };
                let fill = spot.loss.map_or(Color32::GRAY, |loss| colors.color(loss));
                painter.circle_filled(at, radius + 1.0, Color32::from_black_alpha(200));
                painter.circle_filled(at, radius, path.color);
                if path.has_spots {
                    painter.circle_filled(at, radius - 1.0, Color32::BLACK);
                    painter.circle_filled(at, radius - 1.8, fill);
                    // The colour stays to be seen however far off it is.
                    let core = 0.5 * (radius - 1.8) * (1.0 - spot.nearness.clamp(0.0, 1.0) as f32);
                    painter.circle_filled(at, core, Color32::BLACK);
                }
            }
        }
        for landmark in &self.landmarks {
            if let Some(at) = place(landmark.at, None) {
                painter.add(paint::marker(Marker::Diamond, at, 6.5, Color32::BLACK));
                painter.add(paint::marker(Marker::Diamond, at, 4.5, Color32::WHITE));
            }
        }
    }

    /// The words of paths and named points, where there is room for them within `frame`; none covers another.
    pub fn labels(&self, ui: &Ui, frame: Rect, place: Project<'_>) -> Vec<Label> {
        let font = egui::TextStyle::Small.resolve(ui.style());
        let of_paths = self
            .paths
            .iter()
            .flat_map(|path| path.labels.iter().filter_map(|(i, text)| Some((path.spots.get(*i)?, text))));
        let of_paths = of_paths.map(|(spot, text)| (spot.at, spot.loss, text));
        let of_landmarks = self.landmarks.iter().map(|mark| (mark.at, None, &mark.name));
        let mut labels: Vec<Label> = Vec::new();
        for (at, loss, text) in of_paths.chain(of_landmarks) {
            // A place that has two reasons to be named is named once.
            if labels.iter().any(|label| label.galley.text() == text) {
                continue;
            }
            let Some(at) = place(at, loss).filter(|at| frame.expand(4.0).contains(*at)) else { continue };
            let galley = ui.painter().layout_no_wrap(text.clone(), font.clone(), Color32::WHITE);
            let size = galley.size();
            let (w, h) = (size.x, size.y);
            let corners = [
                pos2(at.x + 9.0, at.y - 0.5 * h),
                pos2(at.x - 9.0 - w, at.y - 0.5 * h),
                pos2(at.x - 0.5 * w, at.y - 9.0 - h),
                pos2(at.x - 0.5 * w, at.y + 9.0),
            ];
            let is_free = |rect: &Rect| {
                frame.contains_rect(*rect)
                    && labels.iter().all(|other| !other.rect.intersects(rect.expand(2.0)))
            };
            let rects = corners.map(|corner| Rect::from_min_size(corner, size));
            if let Some(rect) = rects.into_iter().find(is_free) {
                labels.push(Label { galley, rect });
            }
        }
        labels
    }

    /// Where its points stand: words of others find another place.
    pub fn places(&self, place: Project<'_>) -> impl Iterator<Item = Rect> {
        let spots = self.paths.iter().filter(|path| path.has_spots).flat_map(|path| &path.spots);
        let spots = spots.map(|spot| (spot.at, spot.loss));
        let all = spots.chain(self.landmarks.iter().map(|mark| (mark.at, None)));
        all.filter_map(move |(at, loss)| {
            Some(Rect::from_center_size(place(at, loss)?, egui::Vec2::splat(10.0)))
        })
    }

    /// Everything that is drawn, in words to be added to those of the picture.
    pub fn words(&self) -> String {
        let of_path = |path: &DrawnPath| {
            let labels: Vec<&str> = path.labels.iter().map(|(_, text)| text.as_str()).collect();
            let named = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
            format!("; path of {}, {}{named}", path.name, number::counted(path.spots.len() as u64, "point"))
        };
        let of_landmark = |mark: &Landmark| format!("; {}, {}", mark.name, mark.text);
        self.paths.iter().map(of_path).chain(self.landmarks.iter().map(of_landmark)).collect()
    }

    /// What is nearest to the pointer, in words.
    pub fn near(&self, pointer: Pos2, place: Project<'_>) -> Option<String> {
        let spots = self.paths.iter().flat_map(|path| path.spots.iter().map(move |spot| (path, spot)));
        let of_paths = spots.map(|(path, s)| (s.at, s.loss, format!("{}, {}", path.name, s.text)));
        let of_landmarks =
            self.landmarks.iter().map(|mark| (mark.at, None, format!("{}: {}", mark.name, mark.text)));
        let near = of_paths.chain(of_landmarks).filter_map(|(at, loss, text)| {
            let distance = place(at, loss)?.distance(pointer);
            (distance < 8.0).then_some((distance, text))
        });
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, text)| text)
    }
}

impl Label {
    /// Where it stands.
    pub fn rect(&self) -> Rect {
        self.rect
    }

    /// Draws it on a dark ground.
    pub fn draw(&self, painter: &egui::Painter) {
        painter.rect_filled(self.rect.expand(1.5), 2.0, Color32::from_black_alpha(150));
        painter.galley(self.rect.min, std::sync::Arc::clone(&self.galley), Color32::WHITE);
    }
}

fn broken(points: &[Pos2], path: &DrawnPath) -> Vec<Shape> {
    let stroke = egui::Stroke::new(path.width, path.color);
    match path.dash {
        Dash::Solid => vec![Shape::line(points.to_vec(), stroke)],
        Dash::Dashed => Shape::dashed_line(points, stroke, 6.0, 4.0),
        Dash::Dotted => Shape::dotted_line(points, path.color, 4.0, 0.6 * path.width),
        Dash::Sparse => Shape::dotted_line(points, path.color, 8.0, 0.7 * path.width),
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::vec2;

    use super::*;

    fn overlay(names: &[&str]) -> Overlay {
        let landmark = |name: &&str| Landmark { at: [0.0; 2], name: (*name).into(), text: "here".into() };
        Overlay { landmarks: names.iter().map(landmark).collect(), ..Overlay::default() }
    }

    #[test]
    fn labels_of_one_place_stand_around_it_and_what_has_no_room_is_left_out() {
        let frame = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
        let found = std::cell::RefCell::new(Vec::new());
        let names = ["start", "now", "bookmark", "end", "one too many"];
        let mut output = egui::Context::default().run_ui(egui::RawInput::default(), |ui| {
            let labels = overlay(&names).labels(ui, frame, &|_, _| Some(frame.center()));
            *found.borrow_mut() = labels.iter().map(Label::rect).collect::<Vec<_>>();
        });
        // Nobody paints it.
        output.textures_delta.clear();
        let rects = found.into_inner();
        assert_eq!(rects.len(), 4, "four sides");
        for (i, a) in rects.iter().enumerate() {
            assert!(frame.contains_rect(*a));
            assert!(rects[..i].iter().all(|b| !a.intersects(*b)));
        }
    }

    #[test]
    fn the_nearest_point_is_read_and_nothing_far_away() {
        let overlay = overlay(&["start"]);
        let place = |_: [f64; 2], _: Option<f64>| Some(pos2(100.0, 100.0));
        assert_eq!(overlay.near(pos2(103.0, 99.0), &place).as_deref(), Some("start: here"));
        assert_eq!(overlay.near(pos2(120.0, 99.0), &place), None);
    }
}
