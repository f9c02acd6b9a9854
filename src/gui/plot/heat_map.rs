//! Owns [`HeatMap`], values on a grid of two axes as colours, with contour lines, and what is drawn on it.

use eframe::egui::{
    self, Color32, ColorImage, Pos2, Rect, TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2,
};
use egui_plot::{Line, PlotImage, PlotPoint, PlotPoints, PlotTransform};

use super::colormap::{self, ColorMap, Colors};
use super::number;
use super::overlay::{self, Overlay};
use super::scale::Scale;
use super::{axes, paint};
use crate::numerics::landscape::contours::{Contour, contours};
use crate::numerics::landscape::scale::LossScale;
use crate::numerics::landscape::slice::Grid;

/// Contour lines drawn at most, about.
const LEVELS: usize = 12;

/// A grid of losses on its way to the screen; image and lines are made when the numbers change.
#[derive(Default)]
pub struct HeatMap {
    texture: Option<TextureHandle>,
    map: ColorMap,
    scale: Option<LossScale>,
    contours: Vec<Contour>,
}

impl HeatMap {
    /// Takes in another grid or another colour map.
    pub fn set(&mut self, ctx: &egui::Context, grid: &Grid, map: ColorMap) {
        self.map = map;
        self.scale = LossScale::of(&grid.loss);
        let levels = self.scale.map(|scale| scale.levels(LEVELS)).unwrap_or_default();
        self.contours = contours(grid, &levels);
        let colors = self.colors();
        let (nx, ny) = (grid.a.len(), grid.b.len());
        // The first row of an image is at the top, the first value of the vertical axis at the bottom.
        let pixels = (0..ny)
            .rev()
            .flat_map(|j| (0..nx).map(move |i| (i, j)))
            .map(|(i, j)| colors.map_or(Color32::GRAY, |colors| colors.color(grid.at(i, j))))
            .collect();
        let image = ColorImage::new([nx, ny], pixels);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::LINEAR),
            None => self.texture = Some(ctx.load_texture("landscape", image, TextureOptions::LINEAR)),
        }
    }

    /// The colours of losses; `None` where no loss is positive and finite.
    pub fn colors(&self) -> Option<Colors> {
        self.scale.map(|scale| {
            Colors::new(self.map, Scale::Log, scale.low, scale.high)
                .telling_beyond(scale.n_enormous, scale.n_not_finite)
        })
    }

    /// The levels of the contour lines, rising.
    fn levels(&self) -> Vec<f64> {
        let mut levels: Vec<f64> = self.contours.iter().map(|contour| contour.level).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels
    }

    /// The picture in words.
    fn words(&self, title: &str, names: &[String; 2], overlay: &Overlay) -> String {
        let (low, high) = self.scale.map_or((0.0, 0.0), |scale| (scale.low, scale.high));
        let levels: Vec<String> =
            self.levels().into_iter().map(|level| number::log_tick(number::rounded(level, 2))).collect();
        let mut text = format!(
            "{title}: loss over {} by {}, from {} to {}, contour lines at {}",
            names[0],
            names[1],
            number::value(low),
            number::value(high),
            if levels.is_empty() { "no level".into() } else { levels.join(" ") },
        );
        let (enormous, not_finite) = self.beyond();
        if enormous + not_finite > 0 {
            text += &format!(", {enormous} above that, {not_finite} not finite");
        }
        text + &overlay.words()
    }

    /// How many losses on the grid are beyond the colours: enormous, and not finite.
    pub fn beyond(&self) -> (usize, usize) {
        self.scale.map_or((0, 0), |scale| (scale.n_enormous, scale.n_not_finite))
    }

    /// Draws it into `size`; gives the place in the plane that was clicked or dragged to.
    pub fn show(
        &self,
        ui: &mut Ui,
        title: &'static str,
        grid: &Grid,
        names: &[String; 2],
        overlay: &Overlay,
        size: Vec2,
    ) -> Picked {
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let (Some(texture), Some(colors)) = (&self.texture, self.colors()) else {
            let text = "No loss on the grid is positive and finite";
            ui.put(rect, egui::Label::new(text));
            return Picked::default();
        };
        let plot_rect = Rect::from_min_max(rect.min, rect.max - vec2(colormap::BAR_WIDTH, 0.0));
        // Known by its name, not by what stands before it: a drag goes on when a line of text appears above.
        let id = ui.make_persistent_id(title);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(plot_rect).scope_id(id));
        let tint = Color32::WHITE.gamma_multiply(overlay.strength.clamp(0.2, 1.0));
        let room = plot_rect.size() - vec2(60.0, 36.0);
        let [x_name, y_name] =
            [(&names[0], room.x), (&names[1], room.y)].map(|(name, room)| fitted(ui, name, room));
        let shown = axes::axes(title, [Scale::Linear; 2], &child)
            .show_grid(false)
            .set_margin_fraction(Vec2::ZERO)
            .x_axis_label(x_name)
            .y_axis_label(y_name)
            .allow_drag(false)
            .show(&mut child, |plot| {
                let (center, extent) = image_rect(grid);
                plot.image(PlotImage::new(title, texture.id(), center, extent).tint(tint).allow_hover(false));
                for (i, contour) in self.contours.iter().enumerate() {
                    let mut points = contour.points.clone();
                    if contour.is_closed {
                        points.extend(contour.points.first().copied());
                    }
                    let line = Line::new("contour", PlotPoints::from(points)).id(("contour", i));
                    plot.line(line.color(Color32::from_white_alpha(120)).width(0.8).allow_hover(false));
                }
            });
        let frame = *shown.transform.frame();
        let transform = shown.transform;
        let place = |at: [f64; 2], _: Option<f64>| Some(transform.position_from_point(&PlotPoint::from(at)));
        let labels = overlay.labels(ui, frame, &place);
        let taken = labels.iter().map(overlay::Label::rect).chain(overlay.places(&place));
        self.contour_labels(ui, &transform, frame, taken.collect());
        let painter = ui.painter().with_clip_rect(frame);
        overlay.lines(&painter, &place);
        overlay.spots(&painter.with_clip_rect(frame.expand(4.0)), &place, &colors);
        labels.iter().for_each(|label| label.draw(&painter));
        let bar = Rect::from_min_max(
            pos2(rect.right() - colormap::BAR_WIDTH + 6.0, frame.top() + 4.0),
            pos2(rect.right(), frame.bottom() - 4.0),
        );
        colormap::bar(ui, bar, &colors);
        if let Some(pointer) = shown.response.hover_pos() {
            let lines = self.readout(grid, overlay, &transform, pointer);
            paint::boxed_text(ui, frame, pointer, lines);
        }
        shown.response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, self.words(title, names, overlay))
        });
        let place = |pos: Pos2| {
            let at = transform.value_from_position(pos);
            [at.x, at.y]
        };
        let pointer = shown.response.interact_pointer_pos();
        Picked {
            clicked: pointer.filter(|_| shown.response.clicked()).map(place),
            // A pointer that is held still is nowhere new, though the map below it may move.
            dragged: pointer
                .filter(|_| shown.response.dragged_by(egui::PointerButton::Primary))
                .filter(|_| shown.response.drag_delta() != Vec2::ZERO)
                .map(place),
            dropped: pointer.filter(|_| shown.response.drag_stopped()).map(place),
        }
    }

    /// The level of each contour line, at its middle or where else on it the place is free, where it is long.
    fn contour_labels(&self, ui: &Ui, transform: &PlotTransform, frame: Rect, mut taken: Vec<Rect>) {
        let font = egui::TextStyle::Small.resolve(ui.style());
        let painter = ui.painter().with_clip_rect(frame);
        for contour in &self.contours {
            let place = |p: &[f64; 2]| transform.position_from_point(&PlotPoint::from(*p));
            let points: Vec<Pos2> = contour.points.iter().map(place).collect();
            let length: f32 = points.windows(2).map(|w| w[0].distance(w[1])).sum();
            if length <= 60.0 {
                continue;
            }
            let text = number::log_tick(number::rounded(contour.level, 2));
            let galley = painter.layout_no_wrap(text, font.clone(), Color32::WHITE);
            let around = |at: &Pos2| egui::Align2::CENTER_CENTER.anchor_size(*at, galley.size());
            let is_free = |label: &Rect| {
                frame.contains_rect(*label) && !taken.iter().any(|other| other.intersects(label.expand(3.0)))
            };
            let eighths = [4, 2, 6, 1, 7, 3, 5].map(|k| points.get(k * points.len() / 8).map(around));
            let Some(label) = eighths.into_iter().flatten().find(is_free) else { continue };
            painter.rect_filled(label.expand(1.0), 2.0, Color32::from_black_alpha(110));
            painter.galley(label.min, galley, Color32::WHITE);
            taken.push(label);
        }
    }

    fn readout(
        &self,
        grid: &Grid,
        overlay: &Overlay,
        transform: &PlotTransform,
        pointer: Pos2,
    ) -> Vec<(Option<paint::LineLook>, String)> {
        let at = transform.value_from_position(pointer);
        let mut lines = Vec::new();
        if let (Some(i), Some(j)) = (nearest(&grid.a, at.x), nearest(&grid.b, at.y)) {
            let text = format!(
                "loss {} at ({}, {})",
                number::value(grid.at(i, j)),
                number::value(grid.a[i]),
                number::value(grid.b[j])
            );
            lines.push((None, text));
        }
        let place = |at: [f64; 2], _: Option<f64>| Some(transform.position_from_point(&PlotPoint::from(at)));
        lines.extend(overlay.near(pointer, &place).map(|text| (None, text)));
        lines
    }
}

/// What the user did on a map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Picked {
    /// Clicked here.
    pub clicked: Option<[f64; 2]>,
    /// Is dragging here.
    pub dragged: Option<[f64; 2]>,
    /// Stopped dragging here.
    pub dropped: Option<[f64; 2]>,
}

/// As much of a name as an axis of this length has room for.
fn fitted(ui: &Ui, name: &str, room: f32) -> String {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let width = |text: String| ui.painter().layout_no_wrap(text, font.clone(), Color32::WHITE).size().x;
    if width(name.into()) <= room {
        return name.into();
    }
    let n = name.chars().count();
    let cut = |k: usize| name.chars().take(k).collect::<String>().trim_end().to_owned() + "…";
    (1..n).rev().map(cut).find(|text| width(text.clone()) <= room).unwrap_or_else(|| "…".into())
}

/// Centre and size of the image whose texels lie at the points of the grid.
fn image_rect(grid: &Grid) -> (PlotPoint, Vec2) {
    let span = |axis: &[f64]| match (axis.first(), axis.last()) {
        (Some(first), Some(last)) if axis.len() > 1 => {
            let step = (last - first) / (axis.len() - 1) as f64;
            (0.5 * (first + last), last - first + step)
        }
        (Some(only), _) => (*only, 1.0),
        _ => (0.0, 1.0),
    };
    let ((x, width), (y, height)) = (span(&grid.a), span(&grid.b));
    (PlotPoint::new(x, y), vec2(width as f32, height as f32))
}

/// The value of a rising axis nearest to `x`, if `x` is within half a step of it.
fn nearest(axis: &[f64], x: f64) -> Option<usize> {
    let step = axis.windows(2).next().map_or(1.0, |w| w[1] - w[0]);
    let after = axis.partition_point(|v| *v < x);
    [after.checked_sub(1), Some(after)]
        .into_iter()
        .flatten()
        .filter(|i| axis.get(*i).is_some_and(|v| (v - x).abs() <= 0.51 * step))
        .min_by(|i, j| (axis[*i] - x).abs().total_cmp(&(axis[*j] - x).abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texels_are_centred_on_the_points_of_the_grid() {
        let grid = Grid { a: vec![-1.0, 0.0, 1.0], b: vec![0.0, 0.5], loss: vec![1.0; 6] };
        let (center, size) = image_rect(&grid);
        assert_eq!((center.x, center.y), (0.0, 0.25));
        assert_eq!(size, vec2(3.0, 1.0));
    }

    #[test]
    fn the_cursor_reads_the_nearest_point_and_nothing_outside() {
        let axis = [-1.0, 0.0, 1.0];
        assert_eq!(nearest(&axis, -0.6), Some(0));
        assert_eq!(nearest(&axis, 0.4), Some(1));
        assert_eq!(nearest(&axis, 1.5), Some(2));
        assert_eq!(nearest(&axis, 1.6), None);
        assert_eq!(nearest(&[], 0.0), None);
    }
}
