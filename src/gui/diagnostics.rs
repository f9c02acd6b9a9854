//! Owns the diagnostics window: how soon the first frame came, processor time of the frame's own work and of the
//! runs.

use std::collections::VecDeque;
use std::time::Duration;

use eframe::egui;

use super::plot::number;
use super::windows;
use crate::engine::clock::{ThreadClock, since_start};
use crate::session::{RunEntry, Session};

/// Frames kept.
const FRAMES: usize = 600;

/// When the first frame came, and processor time of recent frames.
#[derive(Debug, Default)]
pub struct State {
    open: bool,
    clock: ThreadClock,
    begun: Duration,
    logic: Duration,
    frames: VecDeque<Duration>,
    first: Option<Duration>,
}

impl State {
    /// Opens or closes the window.
    pub fn toggle(&mut self) {
        self.open = !self.open;
        // Those before were timed less finely.
        self.frames.clear();
    }

    /// Exact only while somebody looks: that costs the frame its place on a busy machine.
    fn now(&self) -> Duration {
        if self.open { self.clock.exact() } else { self.clock.now() }
    }

    /// `logic` or `ui` begins.
    pub fn begin(&mut self) {
        self.begun = self.now();
    }

    /// `logic` is done.
    pub fn logic_done(&mut self) {
        self.logic += self.now().saturating_sub(self.begun);
    }

    /// `ui` is done, and with it the frame.
    pub fn ui_done(&mut self) {
        if self.first.is_none() {
            self.first = since_start();
        }
        let frame = std::mem::take(&mut self.logic) + self.now().saturating_sub(self.begun);
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
        let mut open = self.open && !windows::is_closed(ctx);
        windows::centred(ctx, "Diagnostics").open(&mut open).resizable(false).default_width(460.0).show(ctx, |ui| {
            let first = self.first.map_or("at a time that the system does not tell".into(), |first| {
                format!("{:.0} ms after the start of the program", 1e3 * first.as_secs_f64())
            });
            ui.label(format!("First frame: {first}")).on_hover_text(
                "From the start of the process to the end of the first frame's own work, time on the wall, to a \
                 hundredth of a second; the driver then puts it on the screen",
            );
            let ms = |share| self.percentile(share).map_or(0.0, |time| 1e3 * time.as_secs_f64());
            ui.label(format!(
                "Frame: median {:.2} ms, 99th percentile {:.2} ms, longest {:.2} ms",
                ms(0.5),
                ms(0.99),
                ms(1.0)
            ))
            .on_hover_text(
                "Processor time of the frame's own work, without the driver, over the last 600 frames since \
                 this window was opened",
            );
            for run in session.runs() {
                ui.label(pace(run)).on_hover_text(
                    "Updates a second as the run goes, with its speed limit; how long an update takes on the wall; and \
                     what it takes of the processor on all threads that train the run, measures left out",
                );
            }
        });
        self.open = open;
    }
}

/// How fast a run is and what an update takes.
fn pace(run: &RunEntry) -> String {
    let pace =
        run.pace().map_or("not running".into(), |pace| format!("{} updates a second", number::value(pace)));
    let rate = run.seconds.rate();
    match run.update_cost() {
        Some(cost) if rate > 0.0 => {
            format!(
                "{}: {pace}; an update takes {:.3} ms, {:.3} ms of processor",
                run.name,
                1e3 / rate,
                1e3 * cost
            )
        }
        _ => format!("{}: {pace}", run.name),
    }
}
