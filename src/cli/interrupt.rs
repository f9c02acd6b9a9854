//! Owns what Ctrl-C (and a polite request to end) does: the run ends cleanly; a second one ends at once.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is a question.
pub fn listen() {
    // Where the system refuses a handler, Ctrl-C just ends the program.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// Whether it was asked.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// From now on Ctrl-C ends the program, with nothing written.
pub fn end_at_once() {
    let _ = ctrlc::set_handler(|| std::process::exit(130));
}
