//! What the tests of sessions with real runs share: such a session, and waiting for what its workers do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::session::{Session, trainers};
use basinscope::training::config::resolve::parse;

/// How long to wait for what workers do: only what hangs takes as long.
const LONG: Duration = Duration::from_secs(60);

/// A session on two threads with these settings.
pub fn session(text: &str) -> Session {
    Session::new(Engine::new(2, Arc::new(|| {})), trainers(), parse(text).expect("TOML"))
}

/// Takes in what workers say until something holds.
pub fn until(session: &mut Session, what: &str, mut done: impl FnMut(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < LONG, "{what} did not come: {:?}", session.notices());
        session.logic(Duration::from_millis(8));
        std::thread::sleep(Duration::from_millis(1));
    }
}
