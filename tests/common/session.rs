//! What the tests of a session share: a session of scripted runs, and waiting for what its workers do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::session::{Action, Build, RunEntry, RunId, Session};
use toml::Value;

use crate::fake::{self, Script};

/// How long to wait for what workers do: only what hangs takes as long.
const LONG: Duration = Duration::from_secs(60);

/// Runs as a script has them.
pub fn faked(script: Script) -> Build {
    Arc::new(move |config, from| Ok(fake::made(config, &script, from)))
}

/// Slow enough to be caught running, fast enough for a test.
pub fn slow() -> Script {
    Script { delay: Duration::from_micros(200), ..Script::default() }
}

/// Takes in what workers say until something holds.
pub fn until(session: &mut Session, what: &str, mut done: impl FnMut(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < LONG, "{what} did not come: {:?}", session.current().map(|r| &r.state));
        session.logic(Duration::from_millis(8));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The selected run.
pub fn current(session: &Session) -> &RunEntry {
    session.current().expect("a run is selected")
}

/// That of the selected run.
pub fn id(session: &Session) -> RunId {
    current(session).id
}

/// Sets a key.
pub fn set(key: &str, value: impl Into<Value>) -> Action {
    Action::Set { key: key.into(), value: value.into() }
}
