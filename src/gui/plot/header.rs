//! Owns what stands around a plot of curves: its legend, and the switches for the bar above it.

use eframe::egui::{self, Response, Ui, vec2};

use super::curves::{Curves, Vertical, View};
use super::paint::{self, LineLook};
use crate::gui::explain::{explained, meaning};

/// Length of a line's sample in a legend, in points.
const SAMPLE: f32 = 20.0;

/// The legend: what the lines are, with what there is to say about them.
pub fn legend(ui: &mut Ui, plot: &Curves<'_>) {
    row(ui, |ui| {
        for (look, text, tip) in &plot.key {
            explained(entry(ui, *look, text), || (*tip).to_owned());
        }
        for curve in plot.curves.iter().filter(|curve| curve.in_legend) {
            explained(entry(ui, curve.look, &curve.name), || curve.tip.clone());
            if let Some(note) = &curve.note {
                explained(ui.small(format!("({note})")), || curve.tip.clone());
            }
        }
    });
}

/// One entry of a legend, on a row of its own where this one has no room left.
pub fn entry(ui: &mut Ui, look: LineLook, text: &str) -> Response {
    let (font, color) = (egui::TextStyle::Small.resolve(ui.style()), ui.visuals().text_color());
    let width = SAMPLE + 3.0 + ui.painter().layout_no_wrap(text.to_owned(), font, color).size().x;
    // A row of widgets is placed before its width is known.
    if ui.layout().main_wrap && row_has_begun(ui) && ui.available_size_before_wrap().x < width {
        ui.end_row();
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let height = ui.text_style_height(&egui::TextStyle::Small);
        let (rect, _) = ui.allocate_exact_size(vec2(SAMPLE, height), egui::Sense::hover());
        ui.painter().extend(look.sample(rect.left_center(), SAMPLE));
        ui.small(text)
    })
    .inner
}

fn row_has_begun(ui: &Ui) -> bool {
    ui.cursor().left() > ui.max_rect().left() + 1.0
}

/// Height of a plot with its legend, in points, below which nothing but entries has a row of its own (`[own]`).
const LOW: f32 = 120.0;

/// Whether a plot of this height with its legend has room for little.
pub fn is_low(height: f32) -> bool {
    height < LOW
}

/// The share of the names of the axes for which there has to be room behind the entries of a low plot (`[own]`).
const LEAST_OF_NAMES: f32 = 0.3;

/// The names of the axes behind the entries of a legend: on the row of these as far as that has room left; on a row of
/// its own where the plot with its legend has the `height` for it.
pub fn names_behind(ui: &mut Ui, height: f32, text: &str, of: &[&str]) {
    let (font, color) = (egui::TextStyle::Small.resolve(ui.style()), ui.visuals().weak_text_color());
    let width = ui.painter().layout_no_wrap(text.to_owned(), font, color).size().x;
    let room = ui.available_size_before_wrap().x;
    if ui.layout().main_wrap && row_has_begun(ui) && room < width {
        match is_low(height) {
            true if room < LEAST_OF_NAMES * width => return,
            true => {}
            false => ui.end_row(),
        }
    }
    names(ui, text, of);
}

/// What the axes of a plot are, with a tooltip on each of `names`, as far as there is room: above the plot, never on it,
/// where curves may be.
pub fn names(ui: &mut Ui, text: &str, names: &[&str]) {
    let (font, color) = (egui::TextStyle::Small.resolve(ui.style()), ui.visuals().weak_text_color());
    let room = ui.available_size_before_wrap().x;
    let galley = paint::cut(ui.painter(), text, &font, color, room);
    let (rect, response) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, color);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    explained(response, || {
        let each = names.iter().filter_map(|name| Some(format!("{name}: {}", meaning(name)?)));
        let all = each.collect::<Vec<_>>().join("\n");
        if all.is_empty() { text.to_owned() } else { all }
    });
}

/// The row above a plot, for its legend and the names of its axes.
pub fn row(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 1.0);
        ui.spacing_mut().interact_size.y = ui.text_style_height(&egui::TextStyle::Small);
        content(ui);
    });
}

/// The switches of a plot, from right to left.
pub fn switches(ui: &mut Ui, title: &str, view: &mut View) {
    let name = |what: &str| format!("{title}: {what}");
    if switch(ui, view.table, "table", &name("table of numbers"), "Show the numbers beside the plot") {
        view.table = !view.table;
    }
    if switch(ui, false, "fit", &name("fit"), "Show everything again (F, or a double click in the plot)") {
        view.fit = true;
    }
    if switch(ui, view.log_x, "log x", &name("log x"), "Logarithmic horizontal axis") {
        view.log_x = !view.log_x;
        view.fit = true;
    }
    let (text, next) = match view.vertical {
        Vertical::Linear => ("log y", Vertical::Log),
        Vertical::Log => ("log y", Vertical::SignedLog),
        Vertical::SignedLog => ("±log y", Vertical::Linear),
    };
    let tip = "Vertical axis: linear, logarithmic (L), or logarithmic for both signs";
    if switch(ui, view.vertical != Vertical::Linear, text, &name("log y"), tip) {
        view.vertical = next;
        view.fit = true;
    }
}

fn switch(ui: &mut Ui, on: bool, text: &str, name: &str, tip: &str) -> bool {
    let button = egui::Button::selectable(on, egui::RichText::new(text).small()).small();
    let response = ui.add(button).on_hover_text(tip);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), on, name));
    response.clicked()
}

/// The smoothing of all noisy curves.
pub fn smoothing(ui: &mut Ui, title: &str, span: &mut f64) {
    let name = format!("{title}: smoothing in iterations");
    let response = ui
        .add(
            egui::DragValue::new(span)
                .range(0.0..=10_000.0)
                .speed(0.5)
                .max_decimals(0)
                .custom_formatter(|v, _| if v < 0.5 { "raw".into() } else { format!("mean over {v:.0}") })
                .custom_parser(|text| text.trim().trim_start_matches("mean over").trim().parse().ok()),
        )
        .on_hover_text(
            "Running mean of the training curves with weights exp(-age / n), n iterations, its start-up bias \
             taken out; the values themselves are faint behind. 0 shows the values only.",
        );
    response.widget_info(|| egui::WidgetInfo {
        value: Some(*span),
        ..egui::WidgetInfo::labeled(egui::Role::SpinButton, true, &name)
    });
}
