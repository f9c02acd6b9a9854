//! Owns the progress of a run, or of many, on standard error: a bar on a terminal, else a plain line now and then.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::files::history_csv::number;

/// Time between two plain lines.
const LINES: Duration = Duration::from_secs(5);
/// Time between two pictures of the bar.
const PICTURES: Duration = Duration::from_millis(100);

/// How far it is.
pub struct Progress {
    bar: Option<ProgressBar>,
    first: i64,
    last: i64,
    start: Instant,
    shown: Instant,
}

impl Progress {
    /// From one iteration to another.
    pub fn new(first: i64, last: i64) -> Self {
        let steps = u64::try_from(last - first).unwrap_or(0);
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}, {eta} left") {
                bar.set_style(style.progress_chars("█▌ "));
            }
            bar.set_message("starting");
            bar
        });
        let now = Instant::now();
        Self { bar, first, last, start: now, shown: now }
    }

    /// Shows it, if there is time for that, with what else there is to say.
    pub fn update(&mut self, iteration: i64, text: impl FnOnce() -> String) {
        let every = if self.bar.is_some() { PICTURES } else { LINES };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let text = text();
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_position(u64::try_from(iteration - self.first).unwrap_or(0));
            }
            None => {
                let _ = writeln!(std::io::stderr(), "{text}, {} left", self.left(iteration));
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn left(&self, iteration: i64) -> String {
        let (done, all) = ((iteration - self.first) as f64, (self.last - self.first) as f64);
        let seconds = self.start.elapsed().as_secs_f64() * (all - done) / done.max(1.0);
        let whole = seconds.round() as u64;
        match whole {
            0..60 => format!("{whole} s"),
            60..3600 => format!("{} min {} s", whole / 60, whole % 60),
            _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        }
    }
}

/// A value with four digits.
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return number(value);
    }
    let text = format!("{value:.3e}");
    match text.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()) {
        Some(exponent @ -4..4) => {
            let digits = usize::try_from(3 - exponent).unwrap_or(0);
            format!("{value:.digits$}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn values_are_short() {
        for (value, text) in [
            (0.0, "0.000"),
            (0.0123456, "0.01235"),
            (3.0, "3.000"),
            (1234.5, "1234"),
            (1e-7, "1.000e-7"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
