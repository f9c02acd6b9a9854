//! Owns the activity panel: input, units and output of the selected run during one probe trial.

use eframe::egui::{self, Ui, vec2};

use super::app::Asked;
use super::plot::raster::{self, Raster};
use super::plot::time_lines::TimeLines;
use super::scroll;
use crate::session::{Action, RunId, Session};

/// What the panel keeps.
#[derive(Default)]
pub struct State {
    /// Which probe trial.
    pub trial: usize,
    shown: bool,
    asked_of: Option<(RunId, Option<usize>)>,
    drawn: Option<(RunId, usize, i64)>,
    units: Raster,
    inputs: Raster,
}

impl State {
    /// Asks the selected run for the trial that is shown, with its weights, and for none while this panel is out
    /// of sight and no other (`also`) needs it: a run's numbers do not depend on it.
    pub fn follow(&mut self, session: &Session, also: bool) -> Option<Action> {
        let wanted = (std::mem::take(&mut self.shown) || also).then_some(self.trial);
        let run = session.current()?.id;
        if self.asked_of == Some((run, wanted)) {
            return None;
        }
        self.asked_of = Some((run, wanted));
        Some(Action::ShowActivity(wanted))
    }
}

/// Height of all plots together, in points, below which they scroll (`[own]`).
const LEAST_HEIGHT: f32 = 190.0;

/// Channels up to this number are drawn as lines, more as an image.
const MOST_LINES: usize = 4;

/// Draws the panel.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, _: &mut Asked) {
    state.shown = true;
    let Some(run) = session.current() else {
        ui.centered_and_justified(|ui| ui.weak("No run"));
        return;
    };
    let probe = run.config.measure.probe_trials.max(1);
    ui.horizontal(|ui| {
        let label = ui.label("Probe trial");
        let drag = egui::DragValue::new(&mut state.trial).range(0..=probe - 1).speed(0.1);
        ui.add(drag).labelled_by(label.id).on_hover_text("Which trial of the fixed probe batch is shown");
        if let Some((_, iteration, _)) = &run.activity {
            ui.weak(format!("under the weights of iteration {iteration}")).on_hover_text(
                "Updates made when this trial was run: ten pictures a second while training goes on",
            );
        }
    });
    let Some((trial, iteration, activity)) = &run.activity else {
        ui.centered_and_justified(|ui| ui.weak("Waiting for the run"));
        return;
    };
    let key = (run.id, *trial, *iteration);
    if state.drawn != Some(key) {
        state.drawn = Some(key);
        state.units.set(ui.ctx(), "units", &activity.z);
        state.inputs.set(ui.ctx(), "inputs", &activity.x);
    }
    scroll::at_least(ui, LEAST_HEIGHT, |ui| {
        let height = ui.available_height();
        let strip = |share: f32| vec2(ui.available_width(), (height - 18.0) * share);
        // The numbers of the steps, below the last, are those of all three.
        let (first, middle, last) = (strip(0.27), strip(0.37), strip(0.36));
        if activity.x.ncols() <= MOST_LINES {
            let (title, channel) = ("Input", "input channel");
            let lines = TimeLines { title, channel, values: &activity.x, target: None, correct: None };
            lines.show(ui, first);
        } else {
            raster::show(ui, "Input", "channel", &state.inputs, false, first);
        }
        raster::show(ui, "Units", "unit", &state.units, false, middle);
        let outputs = TimeLines {
            title: "Output",
            channel: "output channel",
            values: &activity.y,
            target: activity.target.as_ref(),
            correct: activity.correct.map(|class| class as usize),
        };
        outputs.show(ui, last);
    });
}
