//! Owns the line of small words above a plot: one row whatever it says, so that the plot stays where it is.

use eframe::egui::text::LayoutJob;
use eframe::egui::{
    self, Align, Color32, Label, Layout, RichText, Role, Sense, TextStyle, Ui, UiBuilder, WidgetInfo,
};

use super::explain::explained;
use super::plot::paint::{self, LineLook};
use super::theme::Marker;

/// A part of the line, with a tooltip of its own.
pub struct Part {
    text: RichText,
    name: String,
    tip: String,
    sample: Option<Sample>,
}

/// What is drawn before the words.
#[derive(Clone, Copy)]
enum Sample {
    Marker(Marker, Color32),
    /// A line on a ground.
    Line(LineLook, Color32),
}

impl Sample {
    fn width(self) -> f32 {
        match self {
            Self::Marker(..) => 8.0,
            Self::Line(..) => 13.0,
        }
    }
}

impl Part {
    /// Words, and what they mean.
    pub fn new(text: impl Into<RichText>, tip: impl Into<String>) -> Self {
        let text = text.into().small();
        Self { name: text.text().to_owned(), text, tip: tip.into(), sample: None }
    }

    /// With words for a screen reader that do not depend on the room.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// With another sentence in its tooltip.
    pub fn and_tip(mut self, more: &str) -> Self {
        self.tip += &format!(". {more}");
        self
    }

    /// With a marker before it.
    pub fn marked(self, marker: Marker, color: Color32) -> Self {
        Self { sample: Some(Sample::Marker(marker, color)), ..self }
    }

    /// With a sample of a line before it, on this ground.
    pub fn lined(self, look: LineLook, ground: Color32) -> Self {
        Self { sample: Some(Sample::Line(look, ground)), ..self }
    }

    fn width(&self, ui: &Ui) -> f32 {
        let (font, color) = (TextStyle::Small.resolve(ui.style()), Color32::WHITE);
        let text = ui.painter().layout_no_wrap(self.text.text().to_owned(), font, color);
        text.size().x + self.sample.map_or(0.0, |sample| sample.width() + BESIDE)
    }

    fn draw_sample(&self, ui: &mut Ui) {
        let Some(sample) = self.sample else { return };
        let size = egui::vec2(sample.width(), ui.text_style_height(&TextStyle::Small));
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        match sample {
            Sample::Marker(marker, color) => {
                ui.painter().add(paint::marker(marker, rect.center(), 3.5, color));
            }
            Sample::Line(look, ground) => {
                ui.painter().rect_filled(rect.shrink2(egui::vec2(0.0, 2.0)), 2.0, ground);
                ui.painter().extend(look.sample(rect.left_center(), rect.width()));
            }
        }
        ui.add_space(BESIDE - ui.spacing().item_spacing.x);
    }
}

/// Between a sample and its words, in points (`[own]`).
const BESIDE: f32 = 3.0;
/// Between two parts, in points (`[own]`).
const GAP: f32 = 8.0;
/// Room for some letters and the dots of what has no more, in points (`[own]`).
const LEAST: f32 = 30.0;

/// Height of a line.
pub fn height(ui: &Ui) -> f32 {
    ui.text_style_height(&TextStyle::Small) + 1.0
}

/// Where each part ends, with the gap after it.
fn ends(ui: &Ui, parts: &[Part]) -> Vec<f32> {
    let mut end = 0.0;
    let mut after = |part: &Part| {
        end += part.width(ui) + GAP;
        end
    };
    parts.iter().map(&mut after).collect()
}

/// Whether all parts have room.
pub fn fits(ui: &Ui, parts: &[Part]) -> bool {
    ends(ui, parts).last().is_none_or(|end| *end <= ui.available_width() + GAP)
}

/// Draws one line. What has no room ends in dots, and stands whole in the tooltip and for a screen reader.
pub fn show(ui: &mut Ui, parts: &[Part]) {
    let size = egui::vec2(ui.available_width(), height(ui));
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let row = UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(row, |ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        let ends = ends(ui, parts);
        let room = rect.width() + GAP;
        let n = match ends.last() {
            Some(end) if *end > room => ends.iter().take_while(|end| **end + LEAST <= room).count(),
            _ => parts.len(),
        };
        for part in &parts[..n] {
            part.draw_sample(ui);
            let response = ui.label(part.text.clone());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &part.name));
            explained(response, || part.tip.clone());
        }
        if n < parts.len() {
            cut(ui, &parts[n..]);
        }
    });
}

/// Lines that stand close.
pub fn close(ui: &mut Ui, lines: impl FnOnce(&mut Ui)) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        lines(ui);
    });
}

/// Two of them.
pub fn two(ui: &mut Ui, above: &[Part], below: &[Part]) {
    close(ui, |ui| {
        show(ui, above);
        show(ui, below);
    });
}

/// The parts that have no room, beginning with as much as there is.
fn cut(ui: &mut Ui, parts: &[Part]) {
    if let Some(first) = parts.first() {
        first.draw_sample(ui);
    }
    let mut text = LayoutJob::default();
    for (i, part) in parts.iter().enumerate() {
        let between = RichText::new(if i == 0 { "" } else { "  " }).small();
        for piece in [between, part.text.clone()] {
            piece.append_to(&mut text, ui.style(), egui::FontSelection::Default, Align::Center);
        }
    }
    let response = ui.add(Label::new(text).truncate().show_tooltip_when_elided(false));
    let name = parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    if response.ctx.has_accesskit_node(response.id) {
        let whole = |part: &Part| match part.tip.as_str() {
            "" => part.name.clone(),
            tip => format!("{}: {tip}", part.name),
        };
        let all = parts.iter().map(whole).collect::<Vec<_>>().join("\n");
        response.ctx.accesskit_node_builder(response.id, |node| node.set_description(all));
    }
    response.on_hover_ui(|ui| {
        for part in parts {
            ui.strong(&part.name);
            if !part.tip.is_empty() {
                ui.label(&part.tip);
            }
        }
    });
}
