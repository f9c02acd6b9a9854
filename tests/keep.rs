//! Sessions are found again as they were: after an end, after a kill, and not where they bring the program down.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/real.rs"]
mod real;

use std::path::Path;
use std::time::Duration;

use basinscope::session::keep::Place;
use basinscope::session::sweeping::Ask;
use basinscope::session::{Action, RunEntry, RunState, Session};
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;
use basinscope::training::run::StopReason;
use real::{session, until};

const LONG: Duration = Duration::from_secs(60);

const SMALL: &str = "iterations = 40\n[task]\nkind = \"romo\"\nbatch = 8\ntest_trials = 16\n\
                     [network]\nn_rec = 8\n[measure]\nprobe_trials = 8\n";

fn place(folder: &Path, every: Duration) -> Option<Place> {
    Some(Place { folder: folder.into(), every })
}

/// A session in `folder` with its demonstration closed, a finished run and a pinned run with its ghost.
fn eventful(folder: &Path, every: Duration) -> Session {
    let mut session = session(SMALL);
    session.begin(place(folder, every), true);
    while let Some(id) = session.current().map(|r| r.id) {
        session.act(Action::Close(id));
    }
    session.act(Action::Take(parse(SMALL).expect("TOML")));
    session.act(Action::StartNew);
    let first = session.current().expect("it is there").id;
    until(&mut session, "the end and its measures", |s| {
        let measured = |r: &RunEntry| r.spectra.all().last().is_some_and(|e| e.iteration == 40);
        s.current().is_some_and(|r| r.state == RunState::Ended(StopReason::Done) && measured(r))
    });
    session.act(Action::Rename(first, "the first".into()));
    session.act(Action::Branch { from: first, set: vec![("rule.kind".into(), "rflo".into())] });
    let second = session.current().expect("it is there").id;
    // A run begins by itself, and may have made updates before the pause reaches it; set back it is paused.
    session.act(Action::RunOrPause);
    session.act(Action::Pin(second, true));
    session.act(Action::Reset);
    until(&mut session, "the start", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    session.act(Action::Step(10));
    until(&mut session, "ten", |s| s.current().is_some_and(|r| r.iteration == 10));
    session.act(Action::Bookmark { label: "ten".into() });
    until(&mut session, "the bookmark", |s| {
        s.current().is_some_and(|r| r.bookmarks.iter().any(|b| b.label == "ten"))
    });
    session.act(Action::Layout("curves on top".into()));
    session
}

fn found(folder: &Path) -> Session {
    let mut again = session("");
    again.begin(place(folder, LONG), true);
    until(&mut again, "the session", |s| {
        !s.runs().is_empty() && s.runs().iter().all(|r| r.state != RunState::Starting)
    });
    again
}

fn is_as_it_was(again: &mut Session) {
    assert!(again.notices().is_empty(), "{:?}", again.notices());
    assert_eq!(again.layout(), "curves on top");
    assert_eq!(again.runs().len(), 3, "two runs and a ghost");
    let first = &again.runs()[0];
    assert_eq!((first.name.as_str(), first.iteration), ("the first", 40));
    assert_eq!(first.state, RunState::Ended(StopReason::Done));
    assert_eq!(first.curves.get(Series::TrainLoss).map(|c| c.len()), Some(40));
    assert!(first.seconds.total() > 0.0);
    let (early, late) = (first.seconds.at(10.0), first.seconds.at(30.0));
    assert!(
        0.0 < early && early < late && late < first.seconds.total(),
        "{early} {late}: not all at its end"
    );
    let measured: Vec<i64> = first.spectra.all().iter().map(|e| e.iteration).collect();
    assert_eq!(measured, [0, 40], "the leading eigenvalues at the start and the end");
    assert!(!first.marks.is_empty());
    let second = again.current().expect("the same run is selected");
    assert_eq!((second.iteration, second.pinned, &second.state), (10, true, &RunState::Paused));
    assert_ne!(second.colour, first.colour);
    assert_eq!(again.settings().given(), &second.given);
    assert!(!again.settings().can_undo());
    assert_eq!(again.runs()[2].state, RunState::Ghost);
    let bookmark = second.bookmarks.iter().find(|b| b.label == "ten").expect("it is kept").id;
    let id = second.id;
    // And it goes on, and can go back.
    again.act(Action::RunOrPause);
    until(again, "the end", |s| s.current().is_some_and(|r| r.state == RunState::Ended(StopReason::Done)));
    assert_eq!(again.current().and_then(|r| r.curves.get(Series::TrainLoss)).map(|c| c.len()), Some(40));
    again.act(Action::JumpTo(id, bookmark));
    until(again, "ten", |s| s.current().is_some_and(|r| r.iteration == 10));
}

#[test]
fn a_session_that_ended_is_found_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    eventful(folder.path(), LONG).end();
    let mut again = found(folder.path());
    is_as_it_was(&mut again);
    // What is closed is gone from the folder too.
    while let Some(id) = again.current().map(|r| r.id) {
        again.act(Action::Close(id));
    }
    again.end();
    let left = std::fs::read_dir(folder.path()).expect("a folder").flatten();
    assert!(left.into_iter().all(|f| f.path().extension().is_none_or(|e| e != "npz")));
}

#[test]
fn a_session_that_ended_within_a_lesson_is_found_with_the_settings_of_its_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = eventful(folder.path(), LONG);
    let own = session.current().map(|r| r.given.clone()).expect("a run");
    session.act(Action::BeginLesson(0));
    until(&mut session, "the lesson", |s| s.playing().is_some_and(basinscope::session::Playing::is_reached));
    let in_lesson = session.current().map(|r| r.given.clone());
    assert_ne!(in_lesson.as_ref(), Some(&own));
    session.end();
    drop(session);
    let again = found(folder.path());
    let selected = again.current().expect("a run");
    assert_eq!(again.settings().given(), &selected.given);
    assert_eq!(selected.given, own);
    assert!(again.pending().is_empty() && again.runs().iter().all(|run| !run.hidden));
}

#[test]
fn a_killed_session_is_found_as_it_was_last_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = eventful(folder.path(), Duration::from_millis(20));
    let table = folder.path().join("session.toml");
    until(&mut session, "the table with the layout", |_| {
        std::fs::read_to_string(&table)
            .is_ok_and(|text| text.contains("curves on top") && text.contains("ten"))
    });
    // A kill: nothing more is written, and the lock goes with the process.
    std::mem::drop(session);
    is_as_it_was(&mut found(folder.path()));
}

#[test]
fn a_second_window_leaves_the_folder_to_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = session(SMALL);
    first.begin(place(folder.path(), LONG), true);
    assert_eq!(first.runs().len(), 2, "the demonstration");
    let mut second = session(SMALL);
    second.begin(place(folder.path(), LONG), true);
    assert!(second.notices().iter().any(|n| n.text.contains("another window")));
    assert_eq!(second.runs().len(), 2);
    second.end();
    assert!(!folder.path().join("session.toml").exists());
}

#[test]
fn a_session_that_brought_the_program_down_is_put_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    eventful(folder.path(), LONG).end();
    // What a crash while restoring leaves.
    std::fs::write(folder.path().join("restoring"), "").expect("a file");
    let mut again = session("");
    again.begin(place(folder.path(), LONG), true);
    assert_eq!(again.runs().len(), 2, "the demonstration");
    is_whole_in(&folder.path().join("failed-1"), &mut again);
}

/// The session set aside keeps all its files when the next one is written, and can still be brought back.
fn is_whole_in(aside: &Path, next: &mut Session) {
    next.end();
    is_as_it_was(&mut found(aside));
}

#[test]
fn a_table_that_cannot_be_read_is_put_aside_with_its_snapshots() {
    let folder = tempfile::tempdir().expect("a folder");
    eventful(folder.path(), LONG).end();
    let table = folder.path().join("session.toml");
    let text = std::fs::read_to_string(&table).expect("a table");
    std::fs::write(&table, text.replace("format = 1", "format = 2")).expect("a file");
    let mut again = found(folder.path());
    assert!(
        again.notices().iter().any(|n| n.is_error && n.text.contains("format 2")),
        "{:?}",
        again.notices()
    );
    let aside = folder.path().join("failed-1");
    std::fs::write(aside.join("session.toml"), text).expect("a file");
    is_whole_in(&aside, &mut again);
}

#[test]
fn a_damaged_session_gives_what_is_left_of_it_and_says_what_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    eventful(folder.path(), LONG).end();
    let first = std::fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .map(|f| f.path())
        .filter(|p| {
            p.extension().is_some_and(|e| e == "npz") && !p.display().to_string().contains("bookmark")
        })
        .min()
        .expect("a run");
    std::fs::write(&first, "not a snapshot").expect("a file");
    let mut again = found(folder.path());
    assert_eq!(again.runs().len(), 2);
    let name = first.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(again.notices().iter().any(|n| n.is_error && n.text.contains(&name)), "{:?}", again.notices());
    again.end();
    let aside = folder.path().join(format!("unreadable-{name}"));
    assert_eq!(std::fs::read_to_string(aside).expect("it is still there"), "not a snapshot");

    std::fs::write(folder.path().join("session.toml"), "format = 99").expect("a file");
    drop(again);
    let mut again = session("");
    again.begin(place(folder.path(), LONG), true);
    until(&mut again, "the demonstration", |s| s.runs().len() == 2);
    assert!(again.notices().iter().any(|n| n.is_error && n.text.contains("session.toml")));
}

#[test]
fn the_sweep_that_was_open_is_open_again() {
    let (kept, sweeps) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let folder = sweeps.path().join("sweep");
    let mut first = session(SMALL);
    first.begin(place(kept.path(), LONG), false);
    let mut draft = first.sweeping().draft().clone();
    draft.varied.iter_mut().for_each(|v| v.on = false);
    draft.folder = folder.display().to_string();
    first.act(Action::Sweep(Ask::Draft(draft.clone())));
    first.act(Action::Sweep(Ask::Start));
    let ended = |s: &Session| s.sweeping().outcomes().map(|o| o.counts().0);
    until(&mut first, "two runs", |s| ended(s) == Some(2) && !s.sweeping().is_running());
    first.end();
    drop(first);
    let mut second = session("");
    second.begin(place(kept.path(), LONG), false);
    until(&mut second, "the sweep", |s| ended(s) == Some(2));
    assert_eq!(second.sweeping().outcomes().map(|o| o.folder.clone()), Some(folder));
    assert!(!second.sweeping().is_running(), "it goes on when it is told to");
    assert_eq!(*second.sweeping().draft(), draft, "what is planned too");
}
