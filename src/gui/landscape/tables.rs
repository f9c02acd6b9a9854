//! Owns the numbers of a slice as tables: its path, its grid, the descents on it.

use eframe::egui::{self, Ui};

use crate::gui::plot::{number, values};
use crate::numerics::landscape::trajectory::PathPoint;
use crate::session::landscape::Descending;
use crate::session::words::rule_name;
use crate::training::measures::SliceDetail;

/// Which numbers are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    #[default]
    Path,
    Grid,
    Descents,
}

/// The true loss minus the plane's at a state of the path, where both are known.
pub fn difference(point: &PathPoint) -> Option<f64> {
    Some(point.loss? - point.loss_in_plane?)
}

/// The smallest and the largest of these differences along the run's path, those left out that are not finite.
pub fn differences(slice: &SliceDetail) -> Option<(f64, f64)> {
    let finite = || slice.path.iter().filter_map(difference).filter(|d| d.is_finite());
    finite().next()?;
    Some((finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max)))
}

/// Draws the table that is chosen, with the choice above it.
pub fn slice(ui: &mut Ui, slice: &SliceDetail, descending: Option<&Descending>, table: &mut Table) {
    ui.horizontal(|ui| {
        let choices = [
            (Table::Path, "path", "Numbers of the path", "The run's stored states and their losses"),
            (Table::Grid, "grid", "Numbers of the grid", "The loss at every point of the slice"),
            (Table::Descents, "descents", "Numbers of the descents", "Every step of every rule"),
        ];
        for (choice, text, name, tip) in choices {
            let is_on = *table == choice;
            let response = ui.add(egui::Button::selectable(is_on, text).small()).on_hover_text(tip);
            response
                .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_on, name));
            if response.clicked() {
                *table = choice;
            }
        }
    });
    match table {
        Table::Path => path(ui, slice),
        Table::Grid => grid(ui, slice),
        Table::Descents => descents(ui, descending),
    }
}

fn path(ui: &mut Ui, slice: &SliceDetail) {
    let columns = ["iteration", "a", "b", "off the plane", "true loss", "plane's loss", "difference"];
    let known = |value: Option<f64>| value.map_or(String::new(), number::exact);
    values::show(ui, "slice path", &columns, slice.path.len(), |row, column| {
        let point = &slice.path[row];
        match column {
            0 => number::count(point.iteration),
            1 => number::exact(point.coordinates.a),
            2 => number::exact(point.coordinates.b),
            3 => number::exact(point.coordinates.distance),
            4 => known(point.loss),
            5 => known(point.loss_in_plane),
            _ => known(difference(point)),
        }
    });
}

fn grid(ui: &mut Ui, slice: &SliceDetail) {
    let grid = &slice.grid;
    let nx = grid.a.len().max(1);
    values::show(ui, "slice grid", &["a", "b", "loss"], grid.loss.len(), |row, column| {
        number::exact(match column {
            0 => grid.a[row % nx],
            1 => grid.b[row / nx],
            _ => grid.loss[row],
        })
    });
}

fn descents(ui: &mut Ui, descending: Option<&Descending>) {
    let Some(descending) = descending else {
        ui.weak("No descent on this slice: click on the map.");
        return;
    };
    let rows: Vec<(usize, usize)> = descending
        .all
        .iter()
        .enumerate()
        .flat_map(|(rule, trail)| (0..trail.points.len()).map(move |i| (rule, i)))
        .collect();
    let columns = ["rule", "step", "a", "b", "off the plane", "loss"];
    values::show(ui, "slice descents", &columns, rows.len(), |row, column| {
        let (rule, i) = rows[row];
        let trail = &descending.all[rule];
        let point = &trail.points[i];
        match column {
            0 => rule_name(trail.rule).into(),
            1 => point.step.to_string(),
            2 => number::exact(point.coordinates.a),
            3 => number::exact(point.coordinates.b),
            4 => number::exact(point.coordinates.distance),
            _ => number::exact(point.loss),
        }
    });
}
