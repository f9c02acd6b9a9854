//! Owns the shake: loss and accuracy under random noise on the weights, of the selected run and every pinned one.

use eframe::egui::{self, Ui, vec2};

use super::{State, rooms};
use crate::gui::app::Asked;
use crate::gui::plot::points::{self, Cloud, Points};
use crate::gui::plot::scale::Scale;
use crate::gui::plot::{number, values};
use crate::gui::theme;
use crate::numerics::landscape::shake::{Shake, Shaken as AtRadius, Spread};
use crate::session::landscape::{Ask, Shaken};
use crate::session::{Action, Session};

const CAVEAT: &str = "Sharpness is not invariant: rescaling weights so that the network's outputs stay the same \
                      (with ReLU units one layer up, the next down) changes how much noise it bears (Dinh et al. \
                      2017). Compare runs of one architecture and initialisation; relative radii take out the \
                      overall size of the weights only.";

/// Draws the controls.
pub fn controls(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let shake = |relative: bool, asked: &mut Asked| asked.act(Action::Landscape(Ask::Shake { relative }));
    let button = ui.button("Shake it").on_hover_text(
        "Adds noise of growing radius to the weights of this run and of every pinned one, in 60 random directions \
         each, and draws how far the loss on the probe batch rises: mean (line) and quartiles (band). For small noise the \
         mean rises by half the Hessian's trace times the square of the noise in each weight",
    );
    if button.clicked() {
        shake(state.choices.relative, asked);
    }
    let choices = [
        (false, "same radii", "Same radii for all", "Euclidean norm of the noise, the same for every run"),
        (
            true,
            "relative radii",
            "Radii relative to the weights",
            "Norm of the noise in units of the norm of each network's own weights (of the block that is shaken)",
        ),
    ];
    for (relative, text, name, tip) in choices {
        let is_on = state.choices.relative == relative;
        let response = ui.add(egui::Button::selectable(is_on, text).small()).on_hover_text(tip);
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_on, name));
        if response.clicked() && !is_on {
            state.choices.relative = relative;
            shake(relative, asked);
        }
    }
    if let Some(share) = session.bench().shake_share() {
        ui.add(egui::ProgressBar::new(share as f32).desired_width(60.0).desired_height(10.0));
    }
    ui.small("not invariant to rescaling").on_hover_text(CAVEAT);
}

/// Draws what the noise did.
pub fn show(ui: &mut Ui, session: &Session, state: &State) {
    let (shaken, relative) = session.bench().shaken();
    for run in shaken {
        if let Err(error) = &run.shake {
            let text = format!("{} was not shaken: {error}", run.name);
            ui.colored_label(theme::warning(ui.visuals().dark_mode), text);
        }
    }
    let runs: Vec<(&Shaken, &Shake)> =
        shaken.iter().filter_map(|run| Some((run, run.shake.as_ref().ok()?))).collect();
    if runs.is_empty() {
        ui.weak("Nothing was shaken yet. Pin runs to compare them, then press Shake it.");
        return;
    }
    let (room, below) = rooms(ui, state.table);
    let has_accuracy = runs.iter().any(|(_, shake)| shake.at_rest.accuracy.is_some());
    let height = if has_accuracy { 0.6 * room.y - 2.0 } else { room.y };
    let x_name = if relative { "radius / norm of the weights" } else { "radius of the noise" };
    let plot = |title, y_name, scale, clouds: Vec<Cloud>| Points {
        scales: [Scale::Log, scale],
        zero_line: false,
        ..Points::new(title, x_name, y_name, clouds)
    };
    let dark = ui.visuals().dark_mode;
    let clouds = |spread: &dyn Fn(&Shake, &AtRadius) -> Option<Spread>,
                  name: &dyn Fn(&Shaken, &Shake) -> String| {
        let cloud = |(run, shake): &(&Shaken, &Shake)| {
            let at = |s: &AtRadius| Some((if relative { s.relative } else { s.radius }, spread(shake, s)?));
            let all: Vec<(f64, Spread)> = shake.shaken.iter().filter_map(at).collect();
            let mean = all.iter().map(|(x, s)| [*x, s.mean]).collect();
            let mut cloud = points::cloud(name(run, shake), run.colour, dark, mean);
            cloud.band = all.iter().map(|(_, s)| [s.lower, s.upper]).collect();
            cloud.is_joined = true;
            cloud
        };
        runs.iter().map(cloud).collect::<Vec<Cloud>>()
    };
    let at_rest = |run: &Shaken, shake: &Shake| {
        let (n, rest) = (number::count(run.iteration), number::significant(shake.at_rest.loss, 3));
        format!("{} at {n}, at rest {rest}", run.name)
    };
    let losses = clouds(&|shake, s| Some(s.loss.above(shake.at_rest.loss)), &at_rest);
    plot("Loss under noise", "rise of the loss", Scale::Log, losses).show(ui, vec2(room.x, height));
    if has_accuracy {
        let accuracies = clouds(&|_, s| s.accuracy, &|run, _| run.name.clone());
        plot("Accuracy under noise", "accuracy", Scale::Linear, accuracies)
            .show(ui, vec2(room.x, room.y - height - 4.0));
    }
    if state.table {
        ui.allocate_ui(below, |ui| table(ui, &runs));
    }
}

fn table(ui: &mut Ui, runs: &[(&Shaken, &Shake)]) {
    let columns = [
        "run",
        "radius",
        "relative",
        "mean loss",
        "lower",
        "median",
        "upper",
        "rise of the mean",
        "mean accuracy",
        "not finite",
    ];
    let n_rows = runs.iter().map(|(_, shake)| shake.shaken.len() + 1).sum();
    // A run's first row is the network at rest.
    let rows: Vec<(usize, Option<usize>)> = runs
        .iter()
        .enumerate()
        .flat_map(|(run, (_, shake))| {
            std::iter::once((run, None)).chain((0..shake.shaken.len()).map(move |i| (run, Some(i))))
        })
        .collect();
    values::show(ui, "shake", &columns, n_rows, |row, column| {
        let (run, i) = rows[row];
        let (shaken, shake) = runs[run];
        let rest = shake.at_rest;
        let accuracy = |a: Option<f64>| a.map_or(String::new(), number::exact);
        let Some(at) = i.map(|i| &shake.shaken[i]) else {
            return match column {
                0 => shaken.name.clone(),
                1 | 2 | 7 | 9 => "0".into(),
                8 => accuracy(rest.accuracy),
                _ => number::exact(rest.loss),
            };
        };
        match column {
            0 => shaken.name.clone(),
            1 => number::exact(at.radius),
            2 => number::exact(at.relative),
            3 => number::exact(at.loss.mean),
            4 => number::exact(at.loss.lower),
            5 => number::exact(at.loss.median),
            6 => number::exact(at.loss.upper),
            7 => number::exact(at.loss.mean - rest.loss),
            8 => accuracy(at.accuracy.map(|a| a.mean)),
            _ => at.n_not_finite.to_string(),
        }
    });
}
