//! Owns the plot of a few channels against the steps of one trial, with what they should be where a task says so.

use eframe::egui::{self, Ui, Vec2, vec2};
use egui_plot::{Line, PlotPoints};
use ndarray::Array2;

use super::paint::LineLook;
use super::scale::Scale;
use super::{axes, colormap, header, number, paint};
use crate::gui::explain::{explained, meaning};
use crate::gui::theme::{self, Dash};

/// Channels with an entry in the legend (`[own]`).
const MOST_NAMED: usize = 10;

/// The channels of one trial.
pub struct TimeLines<'a> {
    /// Unique in the window, and what they are.
    pub title: &'static str,
    /// What one of them is called, with its number behind it.
    pub channel: &'static str,
    /// [steps, channels].
    pub values: &'a Array2<f64>,
    /// What they should be, [steps, channels], NaN at steps that do not count; drawn dotted.
    pub target: Option<&'a Array2<f64>>,
    /// The channel that should be the largest.
    pub correct: Option<usize>,
}

impl TimeLines<'_> {
    /// Draws them into `size`.
    pub fn show(&self, ui: &mut Ui, size: Vec2) {
        let (n_steps, n_channels) = self.values.dim();
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let dark = ui.visuals().dark_mode;
        // As wide as the rasters above and below, so that the same step is at the same place.
        let plot_rect = egui::Rect::from_min_max(rect.min, rect.max - vec2(colormap::BAR_WIDTH, 0.0));
        let down = egui::Layout::top_down(egui::Align::Min);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(down));
        header::row(&mut child, |ui| self.legend(ui, dark));
        let below =
            egui::Rect::from_min_max(egui::pos2(plot_rect.left(), child.cursor().top()), plot_rect.max);
        let mut child = child.new_child(egui::UiBuilder::new().max_rect(below).layout(down));
        let shown = axes::axes(self.title, [Scale::Linear; 2], &child).show(&mut child, |plot| {
            plot.add(axes::Extent::new(Some((0.0, n_steps as f64)), None, [0.0; 2]));
            for channel in 0..n_channels {
                if let Some(target) = self.target {
                    let look = self.target_look(channel, dark);
                    for stretch in stretches(target, channel) {
                        let line = Line::new(format!("target {channel}"), PlotPoints::from(stretch));
                        let line = line.color(look.color).width(look.width);
                        plot.line(line.style(paint::line_style(look.dash)).allow_hover(false));
                    }
                }
                let look = self.look(channel, dark);
                for stretch in stretches(self.values, channel) {
                    let name = format!("{} {channel}", self.channel);
                    let line = Line::new(name, PlotPoints::from(stretch)).color(look.color).width(look.width);
                    plot.line(line.style(paint::line_style(look.dash)).allow_hover(false));
                }
            }
        });
        let frame = *shown.transform.frame();
        if let Some(pointer) = shown.response.hover_pos() {
            let at = shown.transform.value_from_position(pointer).x;
            if at >= 0.0 && (at as usize) < n_steps {
                let step = at as usize;
                let mut lines = vec![(None, format!("step {step}"))];
                lines.extend((0..n_channels).map(|channel| {
                    (
                        Some(self.look(channel, dark)),
                        format!("{} {}", self.read(step, channel), self.name(channel)),
                    )
                }));
                paint::boxed_text(ui, frame, pointer, lines);
            }
        }
        shown.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, self.in_words()));
    }

    fn look(&self, channel: usize, dark: bool) -> LineLook {
        let (color, _) = theme::run_style(channel, dark);
        // Neighbours are told apart without their colours too; dots are the target's.
        let dash = [Dash::Solid, Dash::Dashed, Dash::Sparse][channel % 3];
        let width = if self.correct == Some(channel) { 3.0 } else { 1.5 };
        LineLook { color, dash, marker: None, width }
    }

    fn target_look(&self, channel: usize, dark: bool) -> LineLook {
        LineLook { dash: Dash::Dotted, width: 2.0, ..self.look(channel, dark) }
    }

    fn name(&self, channel: usize) -> String {
        let right = if self.correct == Some(channel) { " (right)" } else { "" };
        format!("{} {channel}{right}", self.channel)
    }

    fn read(&self, step: usize, channel: usize) -> String {
        let value = number::value(self.values[(step, channel)]);
        match self.target.map(|target| target[(step, channel)]).filter(|target| target.is_finite()) {
            Some(target) => format!("{value}, target {}", number::value(target)),
            None => value,
        }
    }

    fn legend(&self, ui: &mut Ui, dark: bool) {
        header::names(ui, &format!("{} by step", self.title), &[self.title, "step"]);
        let n_channels = self.values.ncols();
        if n_channels > 1 {
            for channel in 0..n_channels.min(MOST_NAMED) {
                let right = if self.correct == Some(channel) { " right" } else { "" };
                let entry = header::entry(ui, self.look(channel, dark), &format!("{channel}{right}"));
                explained(entry, || match self.correct == Some(channel) {
                    true => {
                        format!("{}: at the steps that count it should be the largest", self.name(channel))
                    }
                    false => format!("{}. {}", self.name(channel), meaning(self.title).unwrap_or_default()),
                });
            }
            if n_channels > MOST_NAMED {
                ui.small(format!("and {} more", n_channels - MOST_NAMED));
            }
        }
        if self.target.is_some() {
            let look = LineLook { color: ui.visuals().text_color(), ..self.target_look(0, dark) };
            explained(header::entry(ui, look, "target"), || {
                "What the output should be, at the steps that count in the loss; in the task's unit".into()
            });
        }
    }

    fn in_words(&self) -> String {
        let (n_steps, n_channels) = self.values.dim();
        let mut text =
            format!("{}: {} over {n_steps} steps", self.title, number::counted(n_channels as u64, "channel"));
        if let Some(target) = self.target {
            let asked = target.rows().into_iter().filter(|row| row.iter().any(|v| v.is_finite())).count();
            text += &format!(", with a target at {}", number::counted(asked as u64, "step"));
        }
        if let Some(correct) = self.correct {
            text += &format!(", {} {correct} is right", self.channel);
        }
        text
    }
}

/// The finite values of a channel, cut where there is none; a single one is as wide as its step.
fn stretches(values: &Array2<f64>, channel: usize) -> Vec<Vec<[f64; 2]>> {
    let column = values.column(channel);
    let points: Vec<(usize, f64)> =
        column.iter().copied().enumerate().filter(|(_, v)| v.is_finite()).collect();
    let runs = points.chunk_by(|a, b| a.0 + 1 == b.0);
    runs.map(|run| match run {
        [(step, value)] => vec![[*step as f64, *value], [*step as f64 + 1.0, *value]],
        run => run.iter().map(|(step, value)| [*step as f64 + 0.5, *value]).collect(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_a_step_does_not_count() {
        let nan = f64::NAN;
        let values = Array2::from_shape_vec((5, 1), vec![1.0, 2.0, nan, 3.0, nan]).expect("a column");
        let expected = vec![vec![[0.5, 1.0], [1.5, 2.0]], vec![[3.0, 3.0], [4.0, 3.0]]];
        assert_eq!(stretches(&values, 0), expected);
    }
}
