//! Owns the plot of a few channels against the steps of one trial.

use eframe::egui::{self, Ui, Vec2, vec2};
use egui_plot::{Line, PlotPoints};
use ndarray::Array2;

use super::scale::Scale;
use super::{axes, colormap, number, paint};
use crate::gui::theme::{self, Dash};

/// Draws `values` [steps, channels].
pub fn show(ui: &mut Ui, title: &'static str, channel_name: &str, values: &Array2<f64>, size: Vec2) {
    let (n_steps, n_channels) = values.dim();
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let dark = ui.visuals().dark_mode;
    let look = |channel: usize| {
        let dashes = [Dash::Solid, Dash::Dashed, Dash::Dotted];
        let (color, _) = theme::run_style(channel, dark);
        paint::LineLook { color, dash: dashes[channel % 3], marker: None, width: 1.5 }
    };
    // As wide as the rasters above and below, so that the same step is at the same place.
    let plot_rect = egui::Rect::from_min_max(rect.min, rect.max - vec2(colormap::BAR_WIDTH, 0.0));
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(plot_rect));
    let shown = axes::axes(title, [Scale::Linear; 2], &child).show(&mut child, |plot| {
        plot.add(axes::Extent::new(Some((0.0, n_steps as f64)), None, [0.0; 2]));
        for channel in 0..n_channels {
            let points: PlotPoints<'_> = (0..n_steps)
                .filter(|step| values[(*step, channel)].is_finite())
                .map(|step| [step as f64 + 0.5, values[(step, channel)]])
                .collect();
            let look = look(channel);
            plot.line(
                Line::new(format!("{channel_name} {channel}"), points)
                    .color(look.color)
                    .width(look.width)
                    .style(paint::line_style(look.dash))
                    .allow_hover(false),
            );
        }
    });
    let frame = *shown.transform.frame();
    paint::corner(ui, frame, &format!("{title} by step"), &[title, "step"]);
    if let Some(pointer) = shown.response.hover_pos() {
        let at = shown.transform.value_from_position(pointer).x;
        if at >= 0.0 && (at as usize) < n_steps {
            let step = at as usize;
            let mut lines = vec![(None, format!("step {step}"))];
            lines.extend((0..n_channels).map(|channel| {
                let text = format!("{} {channel_name} {channel}", number::value(values[(step, channel)]));
                (Some(look(channel)), text)
            }));
            paint::boxed_text(ui, frame, pointer, lines);
        }
    }
    shown.response.widget_info(|| {
        let text = format!("{title}: {} over {n_steps} steps", number::counted(n_channels as u64, "channel"));
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
}
