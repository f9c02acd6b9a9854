//! Owns what is said above a slice: how old and how fine it is, what it cannot show, the descents on it.

use eframe::egui::{self, Ui};

use super::{State, legend, tables};
use crate::gui::app::Asked;
use crate::gui::plot::number;
use crate::gui::status_line::{self, Part};
use crate::session::landscape::{Ask, Descending};
use crate::session::{Action, RunEntry, Session};
use crate::training::measures::{Measure, SliceDetail};

/// How old and how fine the slice is, and what it cannot show; below it the descents, or how to begin some: a line
/// each whatever they say, so that the picture stays where it is.
pub fn show(
    ui: &mut Ui,
    session: &Session,
    run: &RunEntry,
    slice: &SliceDetail,
    descending: Option<&Descending>,
    state: &State,
    asked: &mut Asked,
) {
    status_line::close(ui, |ui| {
        status_line::show(ui, &parts(session, run, slice, descending, state));
        let Some(descending) = descending else {
            let hint = egui::RichText::new("click or drag in the map to descend from there").weak();
            return status_line::show(
                ui,
                &[Part::new(hint, "A descent of the run's rule, and of the others")],
            );
        };
        // As high as the line that it takes the place of.
        let size = egui::vec2(ui.available_width(), status_line::height(ui));
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let row = egui::UiBuilder::new().max_rect(rect);
        ui.scope_builder(row.layout(egui::Layout::left_to_right(egui::Align::Center)), |ui| {
            let clear = ui.add(egui::Button::new(egui::RichText::new("×").small()).small().frame(false));
            let name = "Take the descents away";
            let clear = clear.on_hover_text(name);
            clear.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
            if clear.clicked() {
                asked.act(Action::Landscape(Ask::ForgetDescents));
            }
            legend::descents(ui, descending);
        });
    });
}

/// What there is to say of a slice, the most important first.
fn parts(
    session: &Session,
    run: &RunEntry,
    slice: &SliceDetail,
    descending: Option<&Descending>,
    state: &State,
) -> Vec<Part> {
    let age = age(slice.iteration, run.iteration);
    let tip = "Updates made when the slice was asked for. It is drawn fainter the further the weights have moved on since";
    let mut parts = vec![Part::new(age.trim_start_matches("slice of "), tip).named(age.as_str())];
    let mut part = |text: String, tip: &str| parts.push(Part::new(text, tip));
    let is_old = run.finding(Measure::Landscape).is_some_and(|(f, _)| f.finding.iteration > slice.iteration);
    if descending.is_some() && is_old {
        let tip = "It stays while descents are on it: take them away (×) for the newest";
        part("held".into(), tip);
    }
    if let Some(descending) = descending.filter(|_| session.bench().is_descending()) {
        let tip = "Steps of the descents that are made, of those to make";
        part(format!("descending {:.0} %", 100.0 * descending.share()), tip);
    }
    let progress = slice.progress;
    if !progress.is_complete() {
        let seconds_left = run.finding(Measure::Landscape).and_then(|(found, _)| found.seconds_left);
        let left = seconds_left.map_or(String::new(), |s| format!(", {} left", number::duration(s)));
        let [done, total] = [progress.done, progress.total].map(|n| number::count(n as i64));
        let tip = "Coarse to fine: points not known yet have the loss of a neighbour";
        part(format!("{done} of {total} points{left}"), tip);
    }
    let off = slice.path.iter().map(|p| p.coordinates.distance).fold(0.0, f64::max);
    let text = format!("path ≤ {} off", number::significant(off, 3));
    let name = format!("{text} the plane");
    let tip = "Euclidean distance of the path from the plane over all weights. A point has the colour of its own true \
               loss, and a dark core that is the larger the further off the plane it is: where its colour differs \
               from the map's around it, the slice misleads.";
    parts.push(Part::new(text, tip).named(name));
    if let Some((lowest, highest)) = tables::differences(slice) {
        let [lowest, highest] = [lowest, highest].map(|v| number::significant(v, 3));
        let text = format!("true − plane {lowest} to {highest}");
        let tip = "The true loss of each stored state of the path minus the plane's loss at the same coordinates, \
                   smallest and largest, on the probe batch without L2: 0 where the state lies in the plane. Far from \
                   0 the slice misleads about this path. All values are in the table.";
        parts.push(Part::new(text, tip));
    }
    let (enormous, bad) = state.map.beyond();
    if enormous + bad > 0 {
        let name = format!("losses: {enormous} beyond the colours, {bad} not finite");
        let tip = "Losses above both 100 medians and 10 upper quartiles of the grid are white, NaN and infinite ones \
                   grey: they do not spoil the colours of the others";
        parts.push(Part::new(format!("{} beyond", enormous + bad), tip).named(name));
    }
    parts
}

/// Which iteration the slice is of, and how long ago that was.
fn age(iteration: i64, now: i64) -> String {
    let of = format!("slice of iteration {}", number::count(iteration));
    match now - iteration {
        0 => format!("{of}, fresh"),
        old => format!("{of}, {} ago", number::counted(old.unsigned_abs(), "update")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_slice_is_told_with_its_iteration() {
        assert_eq!(age(10, 10), "slice of iteration 10, fresh");
        assert_eq!(age(10, 11), "slice of iteration 10, 1 update ago");
        assert_eq!(age(1200, 13_700), "slice of iteration 1,200, 12,500 updates ago");
    }
}
