//! Owns [`Matrix`], a weight matrix as an image on a scale that is the same for both signs.

use eframe::egui::{self, Color32, ColorImage, Pos2, TextureHandle, TextureOptions, Ui, Vec2, vec2};
use egui_plot::{PlotImage, PlotPoint};
use ndarray::{Array2, ArrayView2};

use super::scale::Scale;
use super::{axes, header, number, paint};
use crate::files::figure::colors;

/// A matrix on its way to the screen.
#[derive(Default)]
pub struct Matrix {
    texture: Option<TextureHandle>,
    values: Array2<f64>,
    reach: f64,
}

impl Matrix {
    /// Takes in other values [rows, columns].
    pub fn set(&mut self, ctx: &egui::Context, name: &str, values: ArrayView2<'_, f64>) {
        self.reach = values.iter().filter(|v| v.is_finite()).fold(0.0, |most, v| most.max(v.abs()));
        let (rows, columns) = values.dim();
        // Row 0 is at the top, as a matrix is written.
        let pixels = values.iter().map(|v| color(*v, self.reach)).collect();
        let image = ColorImage::new([columns, rows], pixels);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            None => self.texture = Some(ctx.load_texture(name, image, TextureOptions::NEAREST)),
        }
        self.values = values.to_owned();
    }
}

/// The colour of a value where `reach` is the largest magnitude; grey where it is not finite.
fn color(value: f64, reach: f64) -> Color32 {
    if !value.is_finite() {
        return Color32::GRAY;
    }
    let share = if reach > 0.0 { (value / reach).clamp(-1.0, 1.0) } else { 0.0 };
    let [r, g, b] = colors::color(&colors::BOTH_SIGNS, (1.0 + share) / 2.0);
    Color32::from_rgb(r, g, b)
}

/// Width in points that a legend with both colours needs.
const LEGEND_WIDTH: f32 = 200.0;

/// Draws a matrix: rows are post-synaptic, columns pre-synaptic.
pub fn show(ui: &mut Ui, title: &str, name: &str, matrix: &Matrix, size: Vec2) {
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let Some(texture) = &matrix.texture else { return };
    let (rows, columns) = matrix.values.dim();
    let down = egui::Layout::top_down(egui::Align::Min);
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(down));
    let reach = number::value(matrix.reach);
    let legend = match rect.width() {
        width if width < LEGEND_WIDTH => format!("{title}, ±{reach}"),
        _ => format!("{title}, blue -{reach} to orange {reach}"),
    };
    header::row(&mut child, |ui| header::names(ui, &legend, &[title]));
    let shown = axes::axes(title, [Scale::Linear; 2], &child)
        .show_grid(false)
        .invert_y(true)
        .set_margin_fraction(Vec2::ZERO)
        .show(&mut child, |plot| {
            let center = PlotPoint::new(columns as f64 / 2.0, rows as f64 / 2.0);
            let image = PlotImage::new(title, texture.id(), center, vec2(columns as f32, rows as f32));
            plot.image(image.allow_hover(false));
        });
    let frame = *shown.transform.frame();
    if let Some(pointer) = shown.response.hover_pos() {
        let at = shown.transform.value_from_position(pointer);
        if let Some((row, column)) = cell(at, rows, columns) {
            let value = number::value(matrix.values[(row, column)]);
            let text = format!("{title}[{row}, {column}] = {value} (to {row} from {column})");
            paint::boxed_text(ui, frame, Pos2::new(pointer.x, pointer.y), vec![(None, text)]);
        }
    }
    shown.response.widget_info(|| {
        let text = format!("{name} {title}: {rows} by {columns}, largest magnitude {reach}");
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
}

fn cell(at: PlotPoint, rows: usize, columns: usize) -> Option<(usize, usize)> {
    let inside = at.x >= 0.0 && at.y >= 0.0 && at.x < columns as f64 && at.y < rows as f64;
    inside.then_some((at.y as usize, at.x as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_signs_of_one_magnitude_are_as_far_from_white() {
        let distance = |c: Color32| {
            let white = [247.0, 247.0, 247.0];
            let own = [c.r(), c.g(), c.b()].map(f64::from);
            own.iter().zip(white).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        assert_eq!(color(0.0, 2.0), Color32::from_rgb(247, 247, 247));
        for share in [0.25, 0.5, 1.0] {
            let (low, high) = (distance(color(-2.0 * share, 2.0)), distance(color(2.0 * share, 2.0)));
            // The two ends are 449 and 434 from white.
            assert!((low / high - 1.0).abs() < 0.05, "{share}: {low} {high}");
        }
        assert_eq!(color(f64::NAN, 1.0), Color32::GRAY);
        assert_eq!(color(0.0, 0.0), Color32::from_rgb(247, 247, 247));
    }

    #[test]
    fn the_cursor_reads_row_and_column() {
        assert_eq!(cell(PlotPoint::new(2.5, 0.5), 3, 4), Some((0, 2)));
        assert_eq!(cell(PlotPoint::new(4.0, 0.5), 3, 4), None);
        assert_eq!(cell(PlotPoint::new(-0.1, 0.5), 3, 4), None);
    }
}
