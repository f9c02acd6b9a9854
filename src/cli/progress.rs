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
            if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
                bar.set_style(style.progress_chars("█▌ "));
            }
            bar.set_message("starting");
            bar
        });
        let now = Instant::now();
        Self { bar, first, last, start: now, shown: now }
    }

    /// Shows it, if there is time for that, with what else there is to say. What is `left` is an estimate, and said to
    /// be one; `None` while it is not known.
    pub fn update(&mut self, iteration: i64, left: Option<Duration>, text: impl FnOnce() -> String) {
        let every = if self.bar.is_some() { PICTURES } else { LINES };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let left = left
            .map_or_else(|| "time left not known yet".into(), |left| format!("about {} left", words(left)));
        let text = format!("{}, {left}", text());
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_position(u64::try_from(iteration - self.first).unwrap_or(0));
            }
            None => {
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// The time left where one iteration is as long as the other.
    pub fn left_at(&self, iteration: i64) -> Option<Duration> {
        let (done, all) = ((iteration - self.first) as f64, (self.last - self.first) as f64);
        let left = self.start.elapsed().as_secs_f64() * (all - done) / done;
        Duration::try_from_secs_f64(left).ok()
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A time as a reader of a line wants it; never 0 s, as something is left.
fn words(left: Duration) -> String {
    match (left.as_secs_f64().round() as u64).max(1) {
        whole @ 0..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
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
    use super::{Duration, short, words};

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(0.0, "1 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (7384.0, "2 h 3 min")] {
            assert_eq!(words(Duration::from_secs_f64(seconds)), text);
        }
    }

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
