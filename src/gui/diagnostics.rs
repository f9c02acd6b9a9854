//! Owns the diagnostics window: processor time of the frame's own work and of the runs.

use std::collections::VecDeque;
use std::time::Duration;

use eframe::egui;

use super::plot::number;
use crate::engine::clock::ThreadClock;
use crate::session::Session;

/// Frames kept.
const FRAMES: usize = 600;

/// Processor time of recent frames.
#[derive(Debug, Default)]
pub struct State {
    open: bool,
    clock: ThreadClock,
    begun: Duration,
    logic: Duration,
    frames: VecDeque<Duration>,
}

impl State {
    /// Opens or closes the window.
    pub fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// `logic` or `ui` begins.
    pub fn begin(&mut self) {
        self.begun = self.clock.now();
    }

    /// `logic` is done.
    pub fn logic_done(&mut self) {
        self.logic += self.clock.now().saturating_sub(self.begun);
    }

    /// `ui` is done, and with it the frame.
    pub fn ui_done(&mut self) {
        let frame = std::mem::take(&mut self.logic) + self.clock.now().saturating_sub(self.begun);
        if self.frames.len() == FRAMES {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    /// Processor time of `logic` and `ui` in the frame at this share of all kept, ordered by length.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let mut frames: Vec<Duration> = self.frames.iter().copied().collect();
        frames.sort();
        let last = frames.len().checked_sub(1)?;
        Some(frames[(share * last as f64).round() as usize])
    }

    /// Draws the window where it is open.
    pub fn show(&mut self, ctx: &egui::Context, session: &Session) {
        let mut open = self.open;
        egui::Window::new("Diagnostics").open(&mut open).resizable(false).show(ctx, |ui| {
            let ms = |share| self.percentile(share).map_or(0.0, |time| 1e3 * time.as_secs_f64());
            ui.label(format!(
                "Frame: median {:.2} ms, 99th percentile {:.2} ms, longest {:.2} ms",
                ms(0.5),
                ms(0.99),
                ms(1.0)
            ))
            .on_hover_text(
                "Processor time of the frame's own work, without the driver, over the last 600 frames",
            );
            for run in session.runs() {
                let per_update = 1e3 * run.seconds.processor() / (run.iteration.max(1) as f64);
                ui.label(format!(
                    "{}: {} updates a second, {per_update:.3} ms of processor an update",
                    run.name,
                    number::value(run.seconds.rate()),
                ));
            }
        });
        self.open = open;
    }
}
