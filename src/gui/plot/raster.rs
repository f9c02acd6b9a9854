//! Owns [`Raster`], a matrix as an image: one row a unit or channel, one column a step.

use eframe::egui::{self, ColorImage, TextureHandle, TextureOptions, Ui, Vec2, pos2, vec2};
use egui_plot::{PlotImage, PlotPoint};
use ndarray::Array2;

use super::colormap::{self, ColorMap, Colors};
use super::number;
use super::scale::Scale;
use super::{axes, header, paint};

/// A matrix on its way to the screen; its image is made when the numbers change, not every frame.
#[derive(Default)]
pub struct Raster {
    texture: Option<TextureHandle>,
    values: Option<Array2<f64>>,
    range: (f64, f64),
}

impl Raster {
    /// Takes `values` [steps, rows].
    pub fn set(&mut self, ctx: &egui::Context, name: &str, values: &Array2<f64>) {
        let finite = || values.iter().copied().filter(|v| v.is_finite());
        self.range = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
        let colors = self.colors();
        let (n_steps, n_rows) = values.dim();
        // The first row of an image is at the top, the first unit at the bottom.
        let pixels = (0..n_rows)
            .rev()
            .flat_map(|row| (0..n_steps).map(move |step| (step, row)))
            .map(|at| colors.color(values[at]))
            .collect();
        let image = ColorImage::new([n_steps, n_rows], pixels);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::NEAREST),
            None => self.texture = Some(ctx.load_texture(name, image, TextureOptions::NEAREST)),
        }
        self.values = Some(values.clone());
    }

    fn colors(&self) -> Colors {
        Colors::new(ColorMap::Viridis, Scale::Linear, self.range.0, self.range.1)
    }
}

/// Draws a raster with its axes and colour bar; `with_steps`: with the numbers of the steps below it.
pub fn show(ui: &mut Ui, title: &'static str, row_name: &str, raster: &Raster, with_steps: bool, size: Vec2) {
    let (Some(values), Some(texture)) = (&raster.values, &raster.texture) else { return };
    let (n_steps, n_rows) = values.dim();
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let plot_rect =
        egui::Rect::from_min_max(rect.min, pos2(rect.right() - colormap::BAR_WIDTH, rect.bottom()));
    let down = egui::Layout::top_down(egui::Align::Min);
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(plot_rect).layout(down));
    let names = format!("{title}, step by {row_name}");
    header::row(&mut child, |ui| header::names(ui, &names, &[title, "step", row_name]));
    let shown = axes::axes(title, [Scale::Linear; 2], &child)
        .show_axes([with_steps, true])
        .show_grid(false)
        .set_margin_fraction(Vec2::ZERO)
        .show(&mut child, |plot| {
            let center = PlotPoint::new(n_steps as f64 / 2.0, n_rows as f64 / 2.0);
            plot.image(
                PlotImage::new(title, texture.id(), center, vec2(n_steps as f32, n_rows as f32))
                    .allow_hover(false),
            );
        });
    let frame = *shown.transform.frame();
    let bar = egui::Rect::from_min_max(
        pos2(rect.right() - colormap::BAR_WIDTH + 6.0, frame.top() + 4.0),
        pos2(rect.right(), frame.bottom() - 4.0),
    );
    colormap::bar(ui, bar, &raster.colors());
    if let Some(pointer) = shown.response.hover_pos() {
        let at = shown.transform.value_from_position(pointer);
        if at.x >= 0.0 && at.y >= 0.0 && (at.x as usize) < n_steps && (at.y as usize) < n_rows {
            let (step, row) = (at.x as usize, at.y as usize);
            let text = format!("{row_name} {row}, step {step}: {}", number::value(values[(step, row)]));
            paint::boxed_text(ui, frame, pointer, vec![(None, text)]);
        }
    }
    let (low, high) = raster.range;
    shown.response.widget_info(|| {
        let text = format!(
            "{title}: {} ({row_name}) by {n_steps} steps, from {} to {}",
            number::counted(n_rows as u64, "row"),
            number::value(low),
            number::value(high)
        );
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
}
