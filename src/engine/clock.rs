//! Owns [`ThreadClock`], the processor time of the thread that asks, and [`since_start`], the age of the program.

use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

/// The processor time that the current thread has used. On Linux from `/proc/thread-self/schedstat`, in ns;
/// elsewhere, and where that is not to be had, the time on the wall since the clock was made, which is an
/// upper bound.
#[derive(Debug)]
pub struct ThreadClock {
    start: Instant,
    precise: bool,
}

impl Default for ThreadClock {
    fn default() -> Self {
        Self { start: Instant::now(), precise: processor_time().is_some() }
    }
}

impl ThreadClock {
    /// Processor time of the calling thread, from an arbitrary start: use differences, taken on one thread.
    pub fn now(&self) -> Duration {
        match processor_time() {
            Some(time) if self.precise => time,
            _ => self.start.elapsed(),
        }
    }

    /// The same to the microsecond. The system books a thread's time at its ticks, milliseconds apart; a thread that
    /// offers its place to others is booked at once. On a busy machine they take it: not for what must not wait.
    pub fn exact(&self) -> Duration {
        std::thread::yield_now();
        self.now()
    }

    /// Whether this is processor time, or only time on the wall.
    pub fn is_precise(&self) -> bool {
        self.precise
    }
}

/// Time on the wall since this program was started, to a hundredth of a second; `None` where the system does not
/// say (Linux does, in `/proc`).
pub fn since_start() -> Option<Duration> {
    /// Ticks a second in `/proc`, on every machine that Linux runs on.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold anything; the start is the 20th word after it.
    let started: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let now: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(now - started / TICKS).ok()
}

/// The first number of `schedstat` is the time spent on the processor, in ns.
fn processor_time() -> Option<Duration> {
    let mut text = [0u8; 96];
    let n = File::open("/proc/thread-self/schedstat").ok()?.read(&mut text).ok()?;
    let first = std::str::from_utf8(&text[..n]).ok()?.split_whitespace().next()?;
    first.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_grows_older_by_what_it_sleeps() {
        let Some(before) = since_start() else { return };
        let wall = Instant::now();
        std::thread::sleep(Duration::from_millis(60));
        let older = since_start().map(|now| now.saturating_sub(before)).unwrap_or_default();
        // Both ends are rounded to a hundredth of a second.
        assert!(older >= Duration::from_millis(40) && older <= wall.elapsed() + Duration::from_millis(20));
    }

    #[test]
    fn sleep_costs_no_processor_time_and_work_does() {
        let clock = ThreadClock::default();
        if !clock.is_precise() {
            return;
        }
        let start = clock.exact();
        std::thread::sleep(Duration::from_millis(60));
        let slept = clock.now() - start;
        assert!(slept < Duration::from_millis(20), "{slept:?} for a sleep");
        let wall = Instant::now();
        let mut x = 1.0f64;
        while wall.elapsed() < Duration::from_millis(5) || clock.now() - start < Duration::from_millis(25) {
            x = std::hint::black_box(x.sqrt() + 1.0);
            assert!(wall.elapsed() < Duration::from_secs(60), "the clock stands still");
        }
    }
}
