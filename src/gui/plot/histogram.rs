//! Owns how the spread of the values of a few groups is drawn.

use eframe::egui::{self, Color32, Ui, Vec2};
use egui_plot::{Line, PlotPoints};

use super::paint::LineLook;
use super::scale::Scale;
use super::{axes, header, number, paint};
use crate::gui::explain::{explained, meaning};
use crate::gui::theme::Dash;
use crate::numerics::statistics::histogram::{Group, Histogram as Spread};

/// Densities of a few groups of values, told apart by their dashes.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    spread: Spread,
    color: Color32,
}

const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::Sparse];

impl Histogram {
    /// Of these groups.
    pub fn of(groups: &[(&str, &[f64])], color: Color32) -> Self {
        Self { spread: Spread::of(groups), color }
    }

    fn groups(&self) -> impl Iterator<Item = (&Group, LineLook)> {
        let look = |dash| LineLook { color: self.color, dash, marker: None, width: 1.5 };
        self.spread.groups.iter().zip(DASHES.into_iter().cycle().map(look))
    }

    /// Draws it into `size`.
    pub fn show(&self, ui: &mut Ui, title: &'static str, x_name: &str, size: Vec2) {
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let down = egui::Layout::top_down(egui::Align::Min);
        let mut child = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(down));
        header::row(&mut child, |ui| {
            for (group, look) in self.groups() {
                explained(header::entry(ui, look, &short(group)), || {
                    format!("{}\n{}", words(group), meaning(&group.name).unwrap_or_default())
                });
            }
            header::names_behind(ui, size.y, &format!("density by {x_name}"), &["density", x_name]);
        });
        let shown = axes::axes(title, [Scale::Linear; 2], &child).include_y(0.0).show(&mut child, |plot| {
            for (group, look) in self.groups() {
                let outline = self.spread.outline(group).into_iter().map(|(x, y)| [x, y]);
                let line = Line::new(group.name.clone(), PlotPoints::from_iter(outline));
                let line = line.color(look.color).width(look.width);
                plot.line(line.style(paint::line_style(look.dash)).allow_hover(false));
            }
        });
        shown.response.widget_info(|| {
            let words: Vec<String> = self.spread.groups.iter().map(words).collect();
            egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{title}: {}", words.join("; ")))
        });
    }
}

/// What the legend has room for.
fn short(group: &Group) -> String {
    let text = format!("{} sd {}", group.name, number::significant(group.sd, 3));
    if group.left_out > 0 { format!("{text}, {} not finite", group.left_out) } else { text }
}

fn words(group: &Group) -> String {
    let mut text = format!(
        "{}: {} values, mean {}, sd {}",
        group.name,
        number::count(group.total as i64),
        number::significant(group.mean, 3),
        number::significant(group.sd, 3)
    );
    if group.left_out > 0 {
        text += &format!(", {} not finite", group.left_out);
    }
    text
}
