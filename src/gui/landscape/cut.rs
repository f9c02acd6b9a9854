//! Owns cuts: the loss along a line, through the slice's centre along its axes, or between two networks.

use eframe::egui::{Ui, vec2};

use super::{State, choose, rooms};
use crate::gui::app::Asked;
use crate::gui::plot::points::{self, Cloud, Points};
use crate::gui::plot::scale::Scale;
use crate::gui::plot::{number, values};
use crate::gui::status_line::{self, Part};
use crate::gui::theme::{self, Dash, Marker};
use crate::session::landscape::{Ask, Cut, shows_a_wall};
use crate::session::places::Place;
use crate::session::{Action, RunEntry, Session};
use crate::training::measures::SliceDetail;

/// Draws the controls.
pub fn controls(ui: &mut Ui, session: &Session, run: &RunEntry, state: &mut State, asked: &mut Asked) {
    let is_between = state.choices.cut.is_some();
    let choices = [
        (
            false,
            "along the slice's axes".to_owned(),
            "Through the centre of the slice, along each direction".to_owned(),
        ),
        (
            true,
            "between two networks".to_owned(),
            "On the line through two sets of weights, t = 0 and t = 1".to_owned(),
        ),
    ];
    let text = if is_between { "between two networks" } else { "along the slice's axes" };
    let tip = "The line along which the loss is drawn";
    let usual = [Place::Start(run.id), Place::Now(run.id)];
    let cut = |[from, to]: [Place; 2], asked: &mut Asked| {
        if from != to {
            asked.act(Action::Landscape(Ask::Cut { from, to }));
        }
    };
    match choose::list(ui, "Line of the cut", tip, 140.0, (Some(is_between), text), choices) {
        Some(true) => {
            state.choices.cut = Some(usual);
            cut(usual, asked);
        }
        Some(false) => state.choices.cut = None,
        None => {}
    }
    let Some(mut places) = state.choices.cut else { return };
    let ends = [
        ("Cut from", "Where t = 0; its run's probe batch is the one the loss is taken on"),
        ("Cut to", "Where t = 1: another state of this run, or of any run of the same size"),
    ];
    for (i, (name, tip)) in ends.into_iter().enumerate() {
        if let Some(new) = choose::place(ui, session, run, name, tip, (Some(places[i]), "")) {
            places[i] = new;
            state.choices.cut = Some(places);
            cut(places, asked);
        }
    }
    let again =
        ui.small_button("Cut now").on_hover_text("Compute the cut again, from the weights as they are");
    if again.clicked() {
        cut(places, asked);
    }
    if session.bench().is_cutting() {
        ui.spinner();
    }
}

/// Draws the cut.
pub fn show(ui: &mut Ui, session: &Session, run: &RunEntry, state: &State) {
    if state.choices.cut.is_some() {
        match session.bench().cut() {
            Some(cut) => between(ui, session, cut, state.table),
            None => _ = ui.weak("No cut yet: choose two different networks."),
        }
        return;
    }
    match session.slice_of(run) {
        Some(slice) => axes(ui, slice, state.table),
        None => _ = ui.weak("No slice yet. Press Slice now in the map."),
    }
}

/// The loss through the centre along each direction: a row and a column of the grid.
fn axes(ui: &mut Ui, slice: &SliceDetail, table: bool) {
    let dark = ui.visuals().dark_mode;
    let [along_a, along_b] = slice
        .grid
        .through_centre()
        .map(|line| line.into_iter().map(|(t, loss)| [t, loss]).collect::<Vec<_>>());
    let name = |i: usize| slice.names[i].clone();
    let colors = [0, 1].map(|slot| theme::run_style(slot, dark).0);
    let (picture, below) = rooms(ui, table);
    let clouds = vec![
        points::line(name(0), colors[0], Dash::Solid, along_a.clone()),
        points::line(name(1), colors[1], Dash::Dashed, along_b.clone()),
    ];
    let x_name = "distance from the centre, in units of the direction";
    let of_loss = match shows_a_wall(slice) {
        true => Scale::Linear,
        false => scale(along_a.iter().chain(&along_b).map(|p| p[1])),
    };
    let plot = Points {
        scales: [Scale::Linear, of_loss],
        zero_line: false,
        at: Some((0.0, slice.centre.clone())),
        ..Points::new("Loss along the slice's axes", x_name, "loss", clouds)
    };
    plot.show(ui, picture);
    if table {
        let rows: Vec<(usize, [f64; 2])> =
            along_a.into_iter().map(|p| (0, p)).chain(along_b.into_iter().map(|p| (1, p))).collect();
        ui.allocate_ui(below, |ui| {
            let columns = ["direction", "distance", "loss"];
            values::show(ui, "cut along axes", &columns, rows.len(), |row, column| match column {
                0 => slice.names[rows[row].0].clone(),
                _ => number::exact(rows[row].1[column - 1]),
            });
        });
    }
}

/// Logarithmic where it can be.
fn scale(losses: impl Iterator<Item = f64>) -> Scale {
    if losses.filter(|l| l.is_finite()).all(|l| l > 0.0) { Scale::Log } else { Scale::Linear }
}

fn between(ui: &mut Ui, session: &Session, cut: &Cut, table: bool) {
    let dark = ui.visuals().dark_mode;
    let slot = session.run(cut.run).map_or(0, |run| run.colour);
    let loss: Vec<[f64; 2]> = cut.points.iter().map(|(t, outcome)| [*t, outcome.loss]).collect();
    let accuracy: Vec<[f64; 2]> =
        cut.points.iter().filter_map(|(t, outcome)| Some([*t, outcome.accuracy?])).collect();
    let ends: Vec<[f64; 2]> = loss.iter().copied().filter(|p| p[0] == 0.0 || p[0] == 1.0).collect();
    let of_run = session.run(cut.run).map_or(String::new(), |run| format!(", probe batch of {}", run.name));
    let text = format!("t = 0: {}, t = 1: {}{of_run}", cut.names[0], cut.names[1]);
    status_line::show(ui, &[Part::new(text, "The two networks, and the trials of which the loss is")]);
    let (room, below) = rooms(ui, table);
    let has_accuracy = !accuracy.is_empty();
    let height = if has_accuracy { room.y * 0.6 - 2.0 } else { room.y };
    let color = theme::run_style(slot, dark).0;
    let mut marks = points::cloud("ends", slot, dark, ends);
    marks.look.marker = Some(Marker::Diamond);
    let plot = |title, y_name, scale, clouds: Vec<Cloud>| Points {
        scales: [Scale::Linear, scale],
        zero_line: false,
        ..Points::new(title, "t", y_name, clouds)
    };
    let of_loss = scale(loss.iter().map(|p| p[1]));
    let line = points::line("loss", color, Dash::Solid, loss);
    plot("Loss between two networks", "loss", of_loss, vec![line, marks]).show(ui, vec2(room.x, height));
    if has_accuracy {
        let line = points::line("accuracy", color, Dash::Dashed, accuracy);
        let clouds = vec![line];
        plot("Accuracy between two networks", "accuracy", Scale::Linear, clouds)
            .show(ui, vec2(room.x, room.y - height - 4.0));
    }
    if table {
        ui.allocate_ui(below, |ui| {
            values::show(ui, "cut", &["t", "loss", "accuracy"], cut.points.len(), |row, column| {
                let (t, outcome) = &cut.points[row];
                match column {
                    0 => number::exact(*t),
                    1 => number::exact(outcome.loss),
                    _ => outcome.accuracy.map_or(String::new(), number::exact),
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_of_zero_is_drawn_on_a_linear_axis() {
        assert_eq!(scale([1.0, f64::INFINITY].into_iter()), Scale::Log);
        assert_eq!(scale([1.0, 0.0].into_iter()), Scale::Linear);
    }
}
