//! Timing for all benches: the smallest of many runs, jobs interleaved, so that a ratio of two jobs comes
//! from the same stretch of time.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A job with a name, the goal of the reference machine in milliseconds, and the bare work it is compared to.
pub struct Job<'a> {
    pub name: &'a str,
    pub goal_ms: Option<f64>,
    pub run: Box<dyn FnMut() + 'a>,
    /// The matrix products of the job and nothing else.
    pub bare: Option<Box<dyn FnMut() + 'a>>,
}

/// Whether this job is to be done: words after `cargo bench --` choose jobs by a part of their names.
pub fn is_chosen(name: &str) -> bool {
    let mut chosen = std::env::args().skip(1).filter(|a| !a.starts_with('-')).peekable();
    chosen.peek().is_none() || chosen.any(|c| name.contains(&c))
}

/// Times a job and its bare products in turns, for about `seconds`, and prints one line.
pub fn report(mut job: Job<'_>, seconds: f64) {
    if !is_chosen(job.name) {
        return;
    }
    let (mut smallest, mut bare) = (Duration::MAX, Duration::MAX);
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 5 || start.elapsed().as_secs_f64() < seconds {
        smallest = smallest.min(time(&mut *job.run));
        if let Some(f) = &mut job.bare {
            bare = bare.min(time(&mut **f));
        }
        rounds += 1;
    }
    let ms = smallest.as_secs_f64() * 1e3;
    let goal = job.goal_ms.map_or(String::new(), |g| format!("  goal {g} ms"));
    let ratio = match job.bare {
        Some(_) => {
            let bare_ms = bare.as_secs_f64() * 1e3;
            format!("  bare products {bare_ms:.3} ms  ratio {:.2}", ms / bare_ms)
        }
        None => String::new(),
    };
    println!("{:<44} {ms:9.3} ms{goal}{ratio}", job.name);
}

fn time(f: &mut dyn FnMut()) -> Duration {
    let start = Instant::now();
    f();
    black_box(());
    start.elapsed()
}
