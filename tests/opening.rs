//! What is opened in the window: networks trained elsewhere, several files beside the last session; and what `check`
//! says of the same paths.

#[path = "common/made.rs"]
mod made;
#[path = "common/real.rs"]
mod real;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use basinscope::files::history_csv;
use basinscope::files::npz::NpzWriter;
use basinscope::numerics::tasks::TaskSettings;
use basinscope::session::keep::Place;
use basinscope::session::{Action, Notice, RunEntry, RunState, Session};
use basinscope::training::history::Series;
use basinscope::training::measures::Measure;
use common::npz::{load, reference};
use made::made;
use real::{session, until};

mod common;

const SMALL: &str = "iterations = 3\n[task]\nkind = \"romo\"\nbatch = 4\ntest_trials = 8\n\
                     [network]\nn_rec = 6\n[measure]\nprobe_trials = 4\n";

fn current(session: &Session) -> &RunEntry {
    session.current().expect("a run is selected")
}

/// The value of a series at iteration 0.
fn at_0(run: &RunEntry, series: Series) -> Option<f64> {
    run.curves.get(series)?.values().0.iter().find(|p| p.iteration == 0).map(|p| p.value)
}

/// The measures of the window against the answers of an independent implementation; then it learns, and starts again
/// where it began.
#[test]
fn a_network_trained_elsewhere_opens_as_a_run_and_is_measured_and_trained() {
    for number in [1, 2, 4, 6, 8] {
        let path = reference(&format!("case{number}.npz"));
        let case = load(&path);
        let expected = |name: &str| case[&format!("expected_{name}")].values.clone();
        let mut session = session("");
        session.act(Action::Open(path));
        until(&mut session, "the run", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
        let run = current(&session);
        assert_eq!((run.name.clone(), run.iteration), (format!("case{number}"), 0));
        let said: Vec<_> = session.notices().iter().filter(|n| n.text.contains("a network of ")).collect();
        assert!(said.len() == 1 && said[0].text.contains("iteration 0") && !said[0].is_error, "{said:?}");
        session.act(Action::Step(1));
        until(&mut session, "an update and the measures of the start", |s| {
            let has = |series| at_0(current(s), series).is_some();
            current(s).iteration == 1
                && [Series::LambdaMax, Series::LyapunovMax, Series::TrainLoss, Series::TestLoss].map(has)
                    == [true; 4]
        });
        let value = |series| at_0(current(&session), series).expect("waited for");
        let near = |a: f64, b: f64, tolerance: f64| {
            assert!((a - b).abs() <= tolerance * b.abs().max(1e-3), "case {number}: {a}, expected {b}");
        };
        // The sum over trials is taken in another order; what an iteration finds has its own tolerance.
        near(value(Series::TrainLoss), expected("loss")[0], 1e-12);
        near(value(Series::TestLoss), expected("loss")[0], 1e-12);
        near(value(Series::LambdaMax), expected("lambda_max")[0], 1e-6);
        let leading = expected("lyapunov").into_iter().fold(f64::NEG_INFINITY, f64::max);
        near(value(Series::LyapunovMax), leading, 1e-6);
        // From its start it is the same network again, whatever the seed.
        session.act(Action::NewSeed);
        session.act(Action::Step(1));
        until(&mut session, "the start again", |s| at_0(current(s), Series::TrainLoss).is_some());
        near(at_0(current(&session), Series::TrainLoss).expect("waited for"), expected("loss")[0], 1e-12);
    }
}

#[test]
fn an_opened_network_can_be_written_and_goes_on_from_its_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = session("");
    session.act(Action::Open(reference("case4.npz")));
    until(&mut session, "the run", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    session.act(Action::Step(3));
    until(&mut session, "3", |s| current(s).iteration == 3);
    let path = folder.path().join("later.npz");
    session.act(Action::Save(basinscope::session::action::Export::Snapshot, path.clone()));
    until(&mut session, "the file", |s| s.notices().iter().any(|n| n.text.starts_with("Wrote ")));
    session.act(Action::Open(path));
    until(&mut session, "the second run", |s| s.runs().len() == 2 && current(s).state == RunState::Paused);
    assert_eq!((current(&session).name.as_str(), current(&session).iteration), ("later", 3));
}

#[test]
fn what_a_run_has_recorded_at_its_end_stays_when_it_is_opened_until_it_is_asked_for_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = made(folder.path(), "a", &format!("{SMALL}curvature = 1\n"), 0);
    let recorded = history_csv::read(&out.join("history.csv"), &[Series::HessianTrace]).expect("a history");
    let (at, trace) = *recorded.series(Series::HessianTrace).last().expect("measured");
    assert_eq!(at, 3);
    let mut session = session("");
    session.act(Action::Open(out));
    until(&mut session, "the spectrum", |s| {
        s.current().is_some_and(|run| run.finding(Measure::Curvature).is_some())
    });
    let last = |s: &Session| current(s).curves.last(Series::HessianTrace).expect("read").value;
    assert_eq!(last(&session), trace);
    session.act(Action::Measure(vec![Measure::Curvature]));
    until(&mut session, "another estimate", |s| last(s) != trace);
    assert!((last(&session) / trace - 1.0).abs() < 1.0, "{} {trace}", last(&session));
}

#[test]
fn trials_open_as_the_task_of_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reaches.npz");
    let mut npz = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
    let values = |n: usize| (0..n).map(|i| (i as f64 * 0.7).sin()).collect::<Vec<f64>>();
    npz.floats("x", &[5, 12, 2], &values(120)).expect("written");
    npz.floats("mask", &[5, 12], &[1.0; 60]).expect("written");
    npz.floats("target", &[5, 12, 3], &values(180)).expect("written");
    npz.finish().expect("written");
    let mut session = session("");
    session.act(Action::Open(path.clone()));
    until(&mut session, "the run", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    assert!(
        session.notices().iter().any(|n| !n.is_error && n.text.contains("reaches.npz: 12 trials, opened"))
    );
    session.act(Action::Step(1));
    until(&mut session, "an update", |s| current(s).iteration == 1);
    let run = current(&session);
    let TaskSettings::File(file) = &run.config.task.own else { panic!("{:?}", run.config.task) };
    assert_eq!((run.name.as_str(), Path::new(&file.path)), ("reaches", path.as_path()));
    // Trials that do not fit say so.
    let mut npz = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
    npz.floats("x", &[5, 12, 2], &values(120)).expect("written");
    npz.floats("mask", &[5, 11], &[1.0; 55]).expect("written");
    npz.floats("target", &[5, 12, 3], &values(180)).expect("written");
    npz.finish().expect("written");
    let runs = session.runs().len();
    session.act(Action::Open(path));
    until(&mut session, "an answer", |s| s.notices().iter().any(|n| n.is_error));
    let says = |n: &Notice| n.is_error && n.text.contains("reaches.npz") && n.text.contains("mask");
    assert!(session.notices().iter().any(says), "{:?}", session.notices());
    assert_eq!(session.runs().len(), runs);
}

#[test]
fn files_opened_beside_the_last_session_have_colours_of_their_own_and_the_last_is_selected() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = ["a", "b"].map(|name| made(folder.path(), name, SMALL, 0));
    let place = || Some(Place { folder: folder.path().join("session"), every: Duration::from_secs(600) });
    let mut first = session(SMALL);
    first.begin(place(), false);
    first.act(Action::StartNew);
    until(&mut first, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    first.end();
    drop(first);
    let mut again = session("");
    again.begin(place(), false);
    runs.into_iter().for_each(|run| _ = again.act(Action::Open(run)));
    until(&mut again, "all three", |s| s.runs().len() == 3);
    let seen: Vec<_> = again.runs().iter().map(|r| (r.name.as_str(), r.colour)).collect();
    assert_eq!(seen, [("Three-factor (e-prop)", 0), ("a", 1), ("b", 2)]);
    assert_eq!(current(&again).name, "b");
}

fn checked(path: &Path) -> (Option<i32>, String) {
    let said =
        Command::new(env!("CARGO_BIN_EXE_basinscope")).arg("check").arg(path).output().expect("it runs");
    let text = [said.stdout, said.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
    (said.status.code(), text)
}

#[test]
fn check_takes_the_folders_that_the_window_opens() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, text) = checked(&made(folder.path(), "a", SMALL, 0));
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("sound: the folder of a run, a snapshot of romo at iteration 3"), "{text}");
    assert!(text.trim_end().ends_with("ended: done"), "{text}");
    let (code, text) = checked(folder.path());
    assert_eq!(code, Some(2));
    assert!(
        text.contains("is a folder of neither a run nor a sweep: expected a file, or such a folder"),
        "{text}"
    );
}
