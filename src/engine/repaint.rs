//! Owns [`Repaint`], how workers ask for a new picture without knowing what draws it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The shortest time between two pictures: 60 a second.
pub const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);

/// The wish to be drawn, shared by all workers.
#[derive(Clone)]
pub struct Repaint {
    callback: Arc<dyn Fn() + Send + Sync>,
    start: Instant,
    /// Number of the frame (since `start`) for which the callback was last called, plus 1.
    last: Arc<AtomicU64>,
}

impl Repaint {
    /// `callback` is cheap and may be called from any thread.
    pub fn new(callback: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { callback, start: Instant::now(), last: Arc::default() }
    }

    /// Asks, unless somebody already did for this sixtieth of a second; whether it asked. A worker that was
    /// not let through asks again, or calls [`Repaint::now`] before it falls silent.
    pub fn soon(&self) -> bool {
        let frame = (self.start.elapsed().as_nanos() / FRAME.as_nanos()) as u64 + 1;
        let first = self.last.fetch_max(frame, Ordering::Relaxed) < frame;
        if first {
            (self.callback)();
        }
        first
    }

    /// Asks whatever was asked before. For a worker about to fall silent, whose last word must be drawn.
    pub fn now(&self) {
        (self.callback)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn many_wishes_are_one_picture_a_frame() {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let repaint = Repaint::new(Arc::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        }));
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(100) {
            repaint.soon();
        }
        let most = start.elapsed().as_nanos() / FRAME.as_nanos() + 2;
        let called = count.load(Ordering::Relaxed) as u128;
        assert!((1..=most).contains(&called), "{called} of at most {most}");
    }
}
