//! Owns [`Histogram`], how the values of a few groups are spread.

use eframe::egui::{self, Color32, Ui, Vec2, vec2};
use egui_plot::{Line, PlotPoints};

use super::paint::LineLook;
use super::scale::Scale;
use super::{axes, header, number, paint};
use crate::gui::explain::{explained, meaning};
use crate::gui::theme::Dash;

/// Bins over the common range.
const BINS: usize = 60;

/// Densities of a few groups of values over common bins.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    low: f64,
    width: f64,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq)]
struct Group {
    name: String,
    look: LineLook,
    /// Values in each bin.
    counts: Vec<usize>,
    total: usize,
    left_out: usize,
    mean: f64,
    sd: f64,
}

impl Histogram {
    /// Of these groups, told apart by their dashes. Values that are not finite are counted and left out.
    pub fn of(groups: &[(&str, &[f64])], color: Color32) -> Self {
        let finite =
            || groups.iter().flat_map(|(_, values)| values.iter().copied()).filter(|v| v.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low < high { (low, high) } else { (low.min(0.0) - 0.5, low.max(0.0) + 0.5) };
        let (low, high) = if low.is_finite() { (low, high) } else { (-0.5, 0.5) };
        let width = (high - low) / BINS as f64;
        let dashes = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Sparse];
        let groups = groups
            .iter()
            .zip(dashes.into_iter().cycle())
            .map(|((name, values), dash)| {
                let look = LineLook { color, dash, marker: None, width: 1.5 };
                Group::of(name, look, values, low, width)
            })
            .collect();
        Self { low, width, groups }
    }

    /// Draws it into `size`.
    pub fn show(&self, ui: &mut Ui, title: &'static str, x_name: &str, size: Vec2) {
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let down = egui::Layout::top_down(egui::Align::Min);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(down));
        child.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(8.0, 1.0);
            for group in &self.groups {
                explained(header::entry(ui, group.look, &group.short()), || {
                    format!("{}\n{}", group.words(), meaning(&group.name).unwrap_or_default())
                });
            }
        });
        let shown = axes::axes(title, [Scale::Linear; 2], &child).include_y(0.0).show(&mut child, |plot| {
            for group in &self.groups {
                let points = PlotPoints::from(self.outline(group));
                let line =
                    Line::new(group.name.clone(), points).color(group.look.color).width(group.look.width);
                plot.line(line.style(paint::line_style(group.look.dash)).allow_hover(false));
            }
        });
        let names = ["density", x_name];
        paint::corner(ui, *shown.transform.frame(), &format!("density by {x_name}"), &names);
        shown.response.widget_info(|| {
            let words: Vec<String> = self.groups.iter().map(Group::words).collect();
            egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{title}: {}", words.join("; ")))
        });
    }

    /// The upper edge of the bars; their area is 1.
    fn outline(&self, group: &Group) -> Vec<[f64; 2]> {
        let scale = 1.0 / (group.total.max(1) as f64 * self.width);
        let mut points = Vec::with_capacity(2 * BINS + 2);
        points.push([self.low, 0.0]);
        for (i, count) in group.counts.iter().enumerate() {
            let (left, height) = (self.low + i as f64 * self.width, *count as f64 * scale);
            points.push([left, height]);
            points.push([left + self.width, height]);
        }
        points.push([self.low + BINS as f64 * self.width, 0.0]);
        points
    }
}

impl Group {
    fn of(name: &str, look: LineLook, values: &[f64], low: f64, width: f64) -> Self {
        let mut counts = vec![0; BINS];
        let (mut total, mut sum, mut squares) = (0usize, 0.0, 0.0);
        for value in values.iter().filter(|v| v.is_finite()) {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
            total += 1;
            sum += value;
        }
        let mean = sum / total as f64;
        for value in values.iter().filter(|v| v.is_finite()) {
            squares += (value - mean).powi(2);
        }
        let sd = (squares / (total.max(2) - 1) as f64).sqrt();
        Self { name: name.into(), look, counts, total, left_out: values.len() - total, mean, sd }
    }

    /// What the legend has room for.
    fn short(&self) -> String {
        let text = format!("{} sd {}", self.name, number::significant(self.sd, 3));
        if self.left_out > 0 { format!("{text}, {} not finite", self.left_out) } else { text }
    }

    fn words(&self) -> String {
        let mut text = format!(
            "{}: {} values, mean {}, sd {}",
            self.name,
            number::count(self.total as i64),
            number::significant(self.mean, 3),
            number::significant(self.sd, 3)
        );
        if self.left_out > 0 {
            text += &format!(", {} not finite", self.left_out);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_one_bin_and_the_area_is_one() {
        let values: Vec<f64> = (0..997).map(|i| f64::from(i * i % 101) / 10.0).chain([f64::NAN]).collect();
        let histogram = Histogram::of(&[("a", &values)], Color32::WHITE);
        let group = &histogram.groups[0];
        assert_eq!((group.counts.iter().sum::<usize>(), group.total, group.left_out), (997, 997, 1));
        let area: f64 = group.counts.iter().map(|c| *c as f64 / 997.0).sum();
        assert!((area - 1.0).abs() < 1e-12);
        let outline = histogram.outline(group);
        let under: f64 = outline.windows(2).map(|w| (w[1][0] - w[0][0]) * 0.5 * (w[0][1] + w[1][1])).sum();
        // Trapezes between vertical edges are rectangles.
        assert!((under - 1.0).abs() < 1e-9, "{under}");
    }

    #[test]
    fn constants_and_nothing_at_all_have_a_picture() {
        for values in [&[2.0, 2.0][..], &[], &[f64::INFINITY]] {
            let histogram = Histogram::of(&[("a", values)], Color32::WHITE);
            assert!(
                histogram.width > 0.0
                    && histogram.outline(&histogram.groups[0]).iter().all(|p| p[1].is_finite())
            );
        }
    }
}
