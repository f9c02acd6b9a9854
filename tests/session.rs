//! The session without a window: actions in, state out, with real workers on small problems.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/session.rs"]
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::session::curves::Reading;
use basinscope::session::runs::{BookmarkReason, MarkKind};
use basinscope::session::{Action, Build, Effect, RunEntry, RunState, Session, trainers, words};
use basinscope::session::{Dialog, Export, Quantity};
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;
use basinscope::training::run::StopReason;
use fake::Script;
use shared::{current, faked, id, set, slow, until};
use toml::Value;

fn engine() -> Engine {
    Engine::new(2, Arc::new(|| {}))
}

fn session(script: Script, given: &str) -> Session {
    Session::new(engine(), faked(script), parse(given).expect("TOML"))
}

fn given<'a>(session: &'a Session, key: &str) -> Option<&'a Value> {
    session.settings().given_value(key)
}

/// A session with one run, paused after a hundred updates.
fn at_a_hundred(script: Script) -> Session {
    let mut session = session(script, "iterations = 100000\n[optimizer]\nlearning_rate = 0.5\n");
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    session.act(Action::Reset);
    until(&mut session, "the start", |s| current(s).state == RunState::Paused);
    session.act(Action::Step(100));
    until(&mut session, "100", |s| {
        current(s).iteration == 100 && current(s).curves.last(Series::TrainLoss).is_some()
    });
    session
}

#[test]
fn a_started_run_runs_pauses_and_ends_with_its_curves() {
    let mut session = session(slow(), "iterations = 300");
    session.act(Action::StartNew);
    until(&mut session, "running", |s| current(s).is_running());
    session.act(Action::RunOrPause);
    until(&mut session, "paused", |s| current(s).state == RunState::Paused);
    let at = current(&session).iteration;
    assert!(at < 300);
    session.act(Action::RunOrPause);
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    let run = current(&session);
    assert_eq!(run.state, RunState::Ended(StopReason::Done));
    assert_eq!(run.curves.get(Series::TrainLoss).map(|c| c.len()), Some(300));
    assert!(run.seconds.total() > 0.0);
    assert!(run.seconds.at(150.0) < run.seconds.total());
}

/// The stability lines need to know the task as it was built.
#[test]
fn a_run_knows_its_task_from_its_worker() {
    let given = parse("task = { kind = \"delayed-match\", delay = 20, batch = 3 }\niterations = 3");
    let mut session = Session::new(engine(), trainers(), given.expect("TOML"));
    session.act(Action::StartNew);
    until(&mut session, "the task", |s| current(s).task.is_some());
    let task = current(&session).task.expect("it is there");
    assert_eq!((task.n_out, task.scored_steps, task.trials, task.full_batch), (3, 42, 3, false));
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
}

#[test]
fn settings_that_act_at_once_act_and_leave_a_mark_others_wait() {
    let mut session = at_a_hundred(slow());
    session.act(set("optimizer.learning_rate", 0.25));
    session.act(set("network.gain", 0.7));
    until(&mut session, "the mark", |s| !current(s).marks.is_empty());
    let run = current(&session);
    assert_eq!(run.config.optimizer.learning_rate, 0.25);
    assert_eq!(run.marks[0].iteration, 100);
    assert_eq!(run.marks[0].kind, MarkKind::Changed);
    assert_eq!(run.marks[0].text, "learning rate 0.5 → 0.25");
    assert_eq!(run.config.network.gain, 1.0, "a gain needs a reset");
    let pending = session.pending();
    assert_eq!(pending.len(), 1, "{pending:?}");
    assert_eq!((pending[0].key.as_str(), pending[0].needs_reset), ("network.gain", true));
    session.act(Action::Step(1));
    until(&mut session, "one more", |s| current(s).iteration == 101);
    let rate = current(&session).curves.last(Series::LearningRate).map(|p| p.value);
    assert_eq!(rate, Some(0.25), "the worker has it");

    session.act(Action::Apply);
    let run = current(&session);
    assert_eq!((run.config.network.gain, run.iteration), (0.7, 0));
    assert!(run.curves.all().next().is_none() && run.marks.is_empty());
    assert!(session.pending().is_empty());
}

#[test]
fn a_refused_setting_changes_nothing_and_says_why() {
    let mut session = at_a_hundred(slow());
    session.act(set("optimizer.learning_rate", -1.0));
    let error = session.settings().resolved().expect_err("refused").to_string();
    assert!(error.contains("optimizer.learning_rate") && error.contains("-1"), "{error}");
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.5);
    session.act(Action::Apply);
    assert_eq!(session.notices().last().map(|n| n.text.clone()), Some(error));
    let notice = session.notices()[0].id;
    session.act(Action::Dismiss(notice));
    assert!(session.notices().is_empty());
    session.act(Action::Undo);
    assert!(session.settings().resolved().is_ok());
}

#[test]
fn undo_and_redo_walk_through_settings_and_act() {
    let mut session = at_a_hundred(slow());
    // A slider that is dragged is one step.
    for rate in [0.4, 0.3, 0.2] {
        session.act(set("optimizer.learning_rate", rate));
    }
    session.act(Action::Settle);
    session.act(set("optimizer.learning_rate", 0.1));
    session.act(set("network.gain", 0.3));
    session.act(Action::Undo);
    assert_eq!(given(&session, "network.gain"), None);
    session.act(Action::Undo);
    assert_eq!(given(&session, "optimizer.learning_rate"), Some(&Value::Float(0.2)));
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.2, "undo acts at once");
    session.act(Action::Undo);
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.5);
    session.act(Action::Redo);
    session.act(Action::Redo);
    session.act(Action::Redo);
    assert!(!session.settings().can_redo());
    assert_eq!(given(&session, "network.gain"), Some(&Value::Float(0.3)));
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.1);
    session.act(Action::Undo);
    session.act(set("network.gain", 0.9));
    assert!(!session.settings().can_redo(), "a new step ends what could be redone");
    session.act(Action::Revert);
    assert!(session.pending().is_empty());
}

#[test]
fn another_task_drops_the_old_tasks_own_keys_and_waits_for_a_reset() {
    let mut session = session(slow(), "[task]\nkind = \"romo\"\ndelay_min = 3.0\n[optimizer]\nl2 = 0.01\n");
    session.act(Action::StartNew);
    session.act(set("task.kind", "pattern"));
    assert!(session.settings().resolved().is_ok());
    assert_eq!(given(&session, "optimizer.l2"), Some(&Value::Float(0.01)));
    let run = current(&session);
    assert_eq!(run.config.optimizer.kind, basinscope::training::config::OptimizerKind::Adam, "not yet");
    assert!(session.pending().iter().any(|d| d.key == "task.kind"));
    session.act(Action::Undo);
    assert_eq!(given(&session, "task.delay_min"), Some(&Value::Float(3.0)));
}

#[test]
fn reset_repeats_the_seed_and_a_new_seed_is_another() {
    let mut session = at_a_hundred(slow());
    let seed = current(&session).config.seed;
    session.act(Action::Reset);
    assert_eq!((current(&session).config.seed, current(&session).iteration), (seed, 0));
    session.act(Action::NewSeed);
    assert_ne!(current(&session).config.seed, seed);
    assert!(session.pending().is_empty(), "the settings show the new seed");
    assert_eq!(session.runs().len(), 1);
}

#[test]
fn a_pinned_run_stays_as_a_ghost_when_it_is_reset() {
    let mut session = at_a_hundred(slow());
    let run = id(&session);
    session.act(Action::Pin(run, true));
    session.act(Action::Reset);
    assert_eq!(session.runs().len(), 2);
    let ghost = &session.runs()[1];
    assert_eq!(ghost.state, RunState::Ghost);
    assert_eq!(ghost.curves.get(Series::TrainLoss).map(|c| c.len()), Some(100));
    assert_eq!(id(&session), run, "the run keeps its identity");
    let ghost = ghost.id;
    session.act(Action::Close(ghost));
    assert_eq!(session.runs().len(), 1);
}

#[test]
fn a_branch_is_the_same_but_with() {
    let mut session = at_a_hundred(slow());
    let from = id(&session);
    session.act(Action::Branch { from, set: vec![("rule.kind".into(), "rflo".into())] });
    assert_eq!(session.runs().len(), 2);
    let branch = current(&session);
    assert_ne!(branch.id, from);
    assert_ne!(branch.colour, session.runs()[0].colour);
    assert_eq!(branch.config.optimizer.learning_rate, 0.5, "given keys are taken along");
    assert_eq!(branch.parent, Some((from, 0)));
    let keys: Vec<_> = branch.differs.iter().map(|d| d.key.as_str()).collect();
    assert_eq!(keys, ["rule.kind"], "what differs between the two runs");
    assert_eq!(session.settings().given(), &branch.given, "the settings show the selected run");
    session.act(Action::Branch { from, set: vec![("network.gain".into(), (-1.0).into())] });
    assert_eq!(session.runs().len(), 2);
    assert!(session.notices().last().is_some_and(|n| n.text.contains("network.gain")));
    session.act(Action::RunAll(false));
    until(&mut session, "all paused", |s| !s.is_running());
    session.act(Action::RunAll(true));
    until(&mut session, "all running", |s| s.runs().iter().all(RunEntry::is_running));
}

#[test]
fn runs_are_selected_hidden_named_and_closed() {
    let mut session = at_a_hundred(slow());
    let first = id(&session);
    session.act(Action::Branch { from: first, set: vec![] });
    let second = id(&session);
    session.act(Action::Hide(first, true));
    session.act(Action::Rename(first, "the first".into()));
    let run = session.run(first).expect("it is there");
    assert!(run.hidden && run.name == "the first");
    session.act(Action::Select(first));
    assert_eq!(id(&session), first);
    session.act(Action::Close(first));
    assert_eq!(id(&session), second);
    session.act(Action::Close(second));
    assert!(session.current().is_none() && session.runs().is_empty());
    // Nothing is selected, and nothing happens.
    for action in [Action::RunOrPause, Action::Reset, Action::Stop, Action::Select(first)] {
        assert!(session.act(action).is_empty());
    }
}

#[test]
fn a_bookmark_is_a_state_to_go_back_to_and_to_branch_from() {
    let mut session = at_a_hundred(slow());
    session.act(Action::Bookmark { label: "here".into() });
    let users = |s: &Session| current(s).bookmarks.iter().position(|b| b.reason == BookmarkReason::User);
    until(&mut session, "the bookmark", |s| users(s).is_some());
    let run = id(&session);
    let bookmark = &current(&session).bookmarks[users(&session).expect("it is there")];
    assert_eq!((bookmark.label.as_str(), bookmark.iteration()), ("here", 100));
    assert_eq!(bookmark.reason, BookmarkReason::User);
    let mark = bookmark.id;
    session.act(Action::Step(50));
    until(&mut session, "150", |s| current(s).iteration == 150);

    session.act(Action::BranchFrom { run, bookmark: mark, set: vec![("rule.kind".into(), "mdgl".into())] });
    let branch = current(&session);
    assert_eq!((branch.parent, branch.iteration), (Some((run, 100)), 100));
    // The values of iterations 0 to 100: the last belongs to the weights of the bookmark.
    assert_eq!(branch.curves.get(Series::TrainLoss).map(|c| c.len()), Some(101));
    session.act(Action::RunOrPause);

    session.act(Action::Select(run));
    session.act(Action::JumpTo(run, mark));
    until(&mut session, "the state", |s| current(s).iteration == 100 && current(s).state == RunState::Paused);
    session.act(Action::Step(5));
    until(&mut session, "105", |s| current(s).iteration == 105);
    let curve = current(&session).curves.get(Series::TrainLoss).expect("it has values");
    assert_eq!(curve.len(), 105, "what came after the bookmark is gone");
    assert!(current(&session).marks.iter().any(|m| m.kind == MarkKind::Rewound && m.iteration == 100));
    session.act(Action::RenameBookmark(run, mark, "there".into()));
    assert_eq!(current(&session).bookmark(mark).map(|b| b.label.as_str()), Some("there"));
    session.act(Action::RemoveBookmark(run, mark));
    assert!(current(&session).bookmark(mark).is_none());
}

#[test]
fn a_run_that_diverges_says_so_and_goes_on_with_half_the_rate() {
    let script = Script { diverge_at: Some(200), ..slow() };
    let mut session = session(script, "iterations = 1000\n[optimizer]\nlearning_rate = 0.15\n");
    session.act(Action::StartNew);
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    let run = current(&session);
    let RunState::Ended(reason) = &run.state else { panic!("it has ended") };
    assert_eq!(words::end(reason, run.iteration), "Diverged at iteration 200: the gradient norm was NaN.");
    assert!(session.notices().iter().any(|n| n.is_error && n.run == Some(run.id)));
    assert_eq!(run.curves.get(Series::GradientNorm).map(|c| c.not_finite()), Some(1), "NaN is counted");
    let run = id(&session);
    let goal = |s: &Session| s.run(run).and_then(|r| r.rewind.as_ref().map(|state| state.iteration));
    assert!(goal(&session).is_some_and(|i| i <= 200), "there is a state to go back to");
    session.act(Action::RewindWithHalfRate(run));
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.075);
    assert_eq!(given(&session, "optimizer.learning_rate"), Some(&Value::Float(0.075)));
    until(&mut session, "the new end", |s| current(s).state == RunState::Ended(StopReason::Done));
    let run = current(&session);
    assert_eq!(run.iteration, 1000);
    let curve = run.curves.get(Series::TrainLoss).expect("it has values");
    assert!((0..1000).all(|i| matches!(curve.at(i), Some(Reading::Exact(p)) if p.iteration == i)), "no gap");
    let rewound: Vec<_> = run.marks.iter().filter(|m| m.kind == MarkKind::Rewound).collect();
    assert_eq!(rewound.len(), 1);
    assert!(rewound[0].text.contains("learning rate 0.15 → 0.075"), "{}", rewound[0].text);
}

#[test]
fn a_divergence_is_explained_by_the_curvature_before_it() {
    let lambda_max = |i: i64| if i >= 150 { 30.0 } else { 10.0 };
    let script = Script { diverge_at: Some(200), lambda_max: Some(lambda_max), ..slow() };
    let given =
        "rule.kind = \"bptt\"\noptimizer = { kind = \"sgd\", learning_rate = 0.15 }\nmeasure.curvature = 10";
    let mut session = session(script, given);
    session.act(Action::StartNew);
    let told = |s: &Session| words::end_of(current(s)).filter(|text| text.contains("lambda_max"));
    until(&mut session, "the explanation", |s| told(s).is_some());
    let text = told(&session).expect("it is there");
    assert!(text.starts_with("Diverged at iteration 200: the gradient norm was NaN. "), "{text}");
    assert!(text.contains("lambda_max was 30.0, 2.25 times 2/eta = 13.3, and above that line for"), "{text}");
}

#[test]
fn a_panic_loses_that_run_alone_and_says_so() {
    let script = Script { panic_at: Some(120), ..slow() };
    let build: Build = Arc::new(move |config, from| {
        let script = if config.seed == 13 { script.clone() } else { slow() };
        Ok(fake::made(config, &script, from))
    });
    let mut session = Session::new(engine(), build, parse("iterations = 100000").expect("TOML"));
    session.act(Action::StartNew);
    let well = id(&session);
    session.act(Action::Branch { from: well, set: vec![("seed".into(), 13.into())] });
    let ill = id(&session);
    until(&mut session, "the panic", |s| matches!(s.run(ill).map(|r| &r.state), Some(RunState::Failed(_))));
    assert!(session.notices().iter().any(|n| n.run == Some(ill) && n.text.contains("the script says so")));
    assert_eq!(session.run(ill).and_then(|r| r.curves.get(Series::TrainLoss)).map(|c| c.len()), Some(120));
    let before = session.run(well).map(|r| r.iteration);
    until(&mut session, "the other", |s| s.run(well).map(|r| r.iteration) > before);
    // It can be started again, with other settings.
    session.act(set("seed", 14));
    session.act(Action::Apply);
    until(&mut session, "a new start", |s| current(s).is_running());
}

#[test]
fn a_run_that_cannot_be_built_fails_with_the_reason() {
    let build: Build = Arc::new(|_, _| Err("no such file".into()));
    let mut session = Session::new(engine(), build, toml::Table::new());
    session.act(Action::StartNew);
    until(&mut session, "the failure", |s| matches!(current(s).state, RunState::Failed(_)));
    assert_eq!(current(&session).state, RunState::Failed("no such file".into()));
}

#[test]
fn the_demonstration_is_two_runs_that_move_by_themselves() {
    let mut session = Session::new(engine(), trainers(), toml::Table::new());
    session.act(Action::Demonstrate);
    until(&mut session, "curves", |s| {
        let moving = |r: &RunEntry| r.curves.get(Series::TrainLoss).is_some_and(|c| c.len() > 20);
        s.runs().len() == 2 && s.runs().iter().all(moving)
    });
    let keys: Vec<_> = current(&session).differs.iter().map(|d| d.key.as_str()).collect();
    assert!(keys.contains(&"rule.kind"), "{keys:?}");
}

#[test]
fn a_budget_too_small_for_one_run_serves_every_run_in_turn() {
    let mut session = session(Script::default(), "iterations = 1000000000");
    for _ in 0..6 {
        session.act(Action::StartNew);
    }
    // The runs do nothing but send rows: more than can be drawn.
    let length = |r: &RunEntry| r.curves.get(Series::TrainLoss).map_or(0, |c| c.len());
    until(&mut session, "all", |s| s.runs().iter().all(|r| length(r) > 10_000));
    let before: Vec<usize> = session.runs().iter().map(length).collect();
    let start = Instant::now();
    while session.runs().iter().zip(&before).any(|(run, before)| length(run) < before + 10_000) {
        session.logic(Duration::from_micros(50));
        assert!(start.elapsed() < Duration::from_secs(60), "a run is never served");
    }
}

#[test]
fn a_path_is_asked_of_the_screen() {
    let mut session = session(slow(), "");
    let effects = session.act(Action::Ask(Dialog::Save(Export::Snapshot)));
    let proposal = "snapshot.npz".to_owned();
    assert_eq!(effects, [Effect::AskPath { dialog: Dialog::Save(Export::Snapshot), proposal }]);
}

const SMALL: &str = "iterations = 60\n[task]\nkind = \"romo\"\nbatch = 8\ntest_trials = 16\n\
                     [network]\nn_rec = 8\n[measure]\ntest = 10\ncurvature = 20\nprobe_trials = 8\n";

/// The notice that a file was written.
fn written(session: &mut Session, export: Export, path: &std::path::Path) {
    session.act(Action::Save(export, path.into()));
    assert_eq!(session.errands().count(), 1);
    until(session, "the file", |s| s.errands().count() == 0);
    // Not simply the last notice: a run may end meanwhile, and says so too.
    let expected = format!("Wrote {}", path.display());
    let said = |n: &basinscope::session::Notice| !n.is_error && n.text == expected;
    assert!(session.notices().iter().any(said), "{:?}", session.notices());
}

fn weights_at_end(session: &mut Session) -> Vec<f64> {
    until(session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    session.act(Action::Bookmark { label: "end".into() });
    until(session, "the weights", |s| current(s).bookmarks.iter().any(|b| b.label == "end"));
    let bookmark = current(session).bookmarks.iter().find(|b| b.label == "end").expect("it is there");
    bookmark.checkpoint.weights.flat().to_vec()
}

#[test]
fn a_saved_run_is_opened_and_goes_on_as_if_it_had_never_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("half.npz");
    let mut session = Session::new(engine(), trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    let unbroken = weights_at_end(&mut session);
    session.act(Action::Reset);
    session.act(Action::Step(25));
    until(&mut session, "25", |s| current(s).iteration == 25);
    written(&mut session, Export::Snapshot, &path);
    let saved = basinscope::files::snapshot::Snapshot::read(&path).expect("a sound file");
    assert_eq!(saved.history.series(Series::TrainLoss).len(), 25);
    assert!(saved.found.lambda_max.is_some(), "measured on these weights");
    assert!(saved.found.loss.is_some() && saved.probe.is_some());

    let mut another = Session::new(engine(), trainers(), toml::Table::new());
    another.act(Action::Open(path));
    until(&mut another, "the run", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    let run = current(&another);
    assert_eq!((run.name.as_str(), run.iteration), ("half", 25));
    assert_eq!(run.curves.get(Series::TrainLoss).map(|c| c.len()), Some(25));
    assert!(another.pending().is_empty(), "the settings are the file's");
    another.act(Action::RunOrPause);
    assert_eq!(weights_at_end(&mut another), unbroken);
    let curve = current(&another).curves.get(Series::TrainLoss).expect("values");
    assert_eq!(curve.len(), 60);
    written(&mut another, Export::Curves, &folder.path().join("all.csv"));
    let csv = std::fs::read_to_string(folder.path().join("all.csv")).expect("text");
    assert_eq!(csv.lines().filter(|l| l.contains(",train_loss,")).count(), 60, "those before it too");

    // A run that is opened at its end is not paused: there is nothing left to run.
    let end = folder.path().join("end.npz");
    written(&mut another, Export::Snapshot, &end);
    another.act(Action::Open(end));
    until(&mut another, "the ended run", |s| s.runs().len() == 2 && current(s).task.is_some());
    assert_eq!(current(&another).state, RunState::Ended(StopReason::Done));
}

#[test]
fn a_bookmark_is_exported_and_goes_on_as_the_run_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ten.npz");
    let mut session = Session::new(engine(), trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    session.act(Action::Reset);
    until(&mut session, "the start", |s| current(s).state == RunState::Paused);
    session.act(Action::Step(10));
    until(&mut session, "10", |s| current(s).iteration == 10);
    session.act(Action::Bookmark { label: "ten".into() });
    until(&mut session, "the bookmark", |s| current(s).bookmarks.iter().any(|b| b.label == "ten"));
    session.act(Action::RunOrPause);
    let unbroken = weights_at_end(&mut session);
    let run = current(&session);
    let bookmark = run.bookmarks.iter().find(|b| b.label == "ten").expect("it is there");
    let (id, bookmark) = (run.id, bookmark.id);
    written(&mut session, Export::Bookmark(id, bookmark), &path);
    let saved = basinscope::files::snapshot::Snapshot::read(&path).expect("a sound file");
    // The loss at iteration 10 is that of the weights after 10 updates.
    let last = saved.history.series(Series::TrainLoss).last().map(|(iteration, _)| *iteration);
    assert_eq!(last, Some(10), "nothing of what came after");
    assert!(saved.found.lambda_max.is_some(), "measured on these weights");

    let mut another = Session::new(engine(), trainers(), toml::Table::new());
    another.act(Action::Open(path));
    until(&mut another, "the run", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    assert_eq!(current(&another).iteration, 10);
    another.act(Action::RunOrPause);
    assert_eq!(weights_at_end(&mut another), unbroken);
    session.act(Action::Save(Export::Bookmark(id, 1 << 40), folder.path().join("none.npz")));
    until(&mut session, "the answer", |s| s.errands().count() == 0);
    assert!(session.notices().iter().any(|n| n.is_error && n.text.contains("bookmark is gone")));
}

#[test]
fn the_trial_that_is_looked_at_is_shown_again_after_a_reset() {
    let mut session = Session::new(engine(), trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    session.act(Action::ShowActivity(Some(3)));
    let shown = |s: &Session| current(s).activity.as_ref().map(|(trial, ..)| *trial);
    until(&mut session, "the trial", |s| shown(s) == Some(3));
    session.act(Action::Reset);
    assert_eq!(shown(&session), None, "another worker");
    until(&mut session, "the trial again", |s| shown(s) == Some(3));
    // A run that has ended is set back by another worker too.
    session.act(Action::RunOrPause);
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    session.act(Action::Reset);
    until(&mut session, "the trial once more", |s| shown(s) == Some(3));
}

#[test]
fn saved_settings_are_the_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    let mut session = Session::new(engine(), trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    session.act(set("optimizer.learning_rate", 0.5));
    written(&mut session, Export::Settings, &path);
    let config = current(&session).config.clone();
    let mut another = Session::new(engine(), trainers(), toml::Table::new());
    another.act(Action::Open(path));
    until(&mut another, "the run", |s| s.current().is_some());
    assert_eq!(current(&another).config, config);
    assert!(!current(&another).is_running());
}

#[test]
fn a_file_that_cannot_be_read_or_written_says_why_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut session = session(slow(), SMALL);
    let saved = Action::Save(Export::Curves, folder.path().join("c.csv"));
    session.act(saved);
    assert!(session.notices().last().is_some_and(|n| n.is_error && n.text.contains("no run")));
    let bad = folder.path().join("bad.toml");
    std::fs::write(&bad, "network.gain = -1").expect("a file");
    let foreign = folder.path().join("foreign.npz");
    std::fs::write(&foreign, b"PK\x03\x04 and nothing more").expect("a file");
    for (path, word) in [
        (bad, "network.gain"),
        (foreign, "foreign.npz"),
        (folder.path().join("missing.npz"), "missing.npz"),
        (folder.path().to_path_buf(), "folder of neither a run nor a sweep"),
    ] {
        let before = session.notices().len();
        session.act(Action::Open(path));
        until(&mut session, "an answer", |s| s.errands().count() == 0);
        let notice = session.notices().last().expect("it says so");
        assert_eq!(session.notices().len(), before + 1);
        assert!(
            notice.is_error && notice.text.contains(word) && !notice.text.contains('\n'),
            "{}",
            notice.text
        );
    }
    assert!(session.runs().is_empty());
    session.act(Action::StartNew);
    session.act(Action::Save(Export::Curves, folder.path().join("not/there.csv")));
    until(&mut session, "an answer", |s| s.errands().count() == 0);
    assert!(session.notices().last().is_some_and(|n| n.is_error && n.text.contains("there.csv")));
}

#[test]
fn seeds_of_one_setting_are_a_group_and_two_settings_are_compared_in_pairs() {
    // lambda_max at the end is larger the larger the learning rate: the fake measures it.
    let build: Build = Arc::new(move |config, from| {
        let lambda_max: fn(i64) -> f64 = if config.optimizer.learning_rate < 0.3 { |_| 2.0 } else { |_| 6.0 };
        let script = Script { lambda_max: Some(lambda_max), ..slow() };
        Ok(fake::made(config, &script, from))
    });
    let text = "iterations = 50\nmeasure.curvature = 10\noptimizer.learning_rate = 0.1";
    let mut session = Session::new(engine(), build, parse(text).expect("TOML"));
    session.act(Action::StartNew);
    let small = id(&session);
    session.act(Action::Branch { from: small, set: vec![("optimizer.learning_rate".into(), 0.5.into())] });
    let large = id(&session);
    let quantity = Quantity::Last(Series::LambdaMax);
    assert!(session.compare(small, large, quantity).is_err_and(|text| text.contains("at least 2")));
    session.act(Action::MoreSeeds { like: small, n: 3 });
    session.act(Action::MoreSeeds { like: large, n: 2 });
    assert_eq!(id(&session), large, "the same run stays selected");
    let groups = session.groups();
    assert_eq!(groups.iter().map(|g| g.members.len()).collect::<Vec<_>>(), [4, 3]);
    let mut seeds: Vec<u64> =
        groups[0].members.iter().filter_map(|id| session.run(*id)).map(|r| r.config.seed).collect();
    seeds.dedup();
    assert_eq!(seeds, [1, 2, 3, 4]);
    until(&mut session, "all measures", |s| {
        s.runs().iter().all(|r| r.curves.last(Series::LambdaMax).is_some_and(|p| p.iteration == 50))
    });
    let found = session.compare(small, large, quantity).expect("three seeds in common");
    assert_eq!(found.pairs.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
    assert!(found.pairs.values().all(|pair| *pair == (2.0, 6.0)));
    assert!(found.is_ratio && (found.test.mean.exp() - 3.0).abs() < 1e-12);
    // The fake's loss rises from 0: all have reached 0, at the start.
    let fair = session.compare(small, large, Quantity::SharpnessAtEqualLoss).expect("three seeds");
    assert_eq!(fair.loss, Some(0.0));
    // As a file.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("comparison.csv");
    session.act(Action::Save(Export::Comparison { first: small, second: large, quantity }, path.clone()));
    until(&mut session, "the file", |s| s.errands().count() == 0);
    let text = std::fs::read_to_string(&path).expect("written");
    let (said, values): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    assert!(said[0].starts_with("# lambda_max is 3.00 times as large under "), "{said:?}");
    assert!(
        said[1].ends_with(" (4 seeds)") && said[2].ends_with(" (3 seeds)") && said.len() == 3,
        "{said:?}"
    );
    assert_eq!(values, ["seed,first,second,ratio", "1,2,6,3", "2,2,6,3", "3,2,6,3"]);
}

#[test]
fn fewer_iterations_than_are_made_are_for_the_next_run() {
    let mut session = session(slow(), "iterations = 50");
    session.act(Action::StartNew);
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    session.act(set("iterations", 20));
    assert_eq!((current(&session).config.iterations, current(&session).iteration), (50, 50));
    assert!(session.pending().iter().any(|d| d.key == "iterations"));
    assert!(
        session.methods().is_some_and(|text| text.contains("50 updates") && !text.contains("20 updates"))
    );
    session.act(set("iterations", 60));
    assert_eq!(current(&session).config.iterations, 60);
}

#[test]
fn spectra_of_the_weights_agree_with_trace_and_norm() {
    let mut session = Session::new(engine(), trainers(), toml::Table::new());
    let text = "iterations = 1000000000\n[task]\nkind = \"romo\"\nbatch = 4\n[network]\nn_rec = 8\n";
    session.act(Action::Take(toml::from_str(text).expect("a table")));
    session.act(Action::StartNew);
    session.act(Action::ShowActivity(Some(0)));
    until(&mut session, "weights after some updates", |s| {
        current(s).weights.as_ref().is_some_and(|w| w.iteration > 20)
    });
    session.act(Action::RunOrPause);
    until(&mut session, "the pause", |s| {
        current(s).state == RunState::Paused
            && current(s).weights.as_ref().is_some_and(|w| w.iteration == current(s).iteration)
    });
    session.act(Action::FindWeightSpectra);
    let iteration = current(&session).iteration;
    until(&mut session, "spectra", |s| {
        s.weight_spectra().of(id(s)).is_some_and(|found| found.iteration == iteration)
    });
    let found = session.weight_spectra().of(id(&session)).expect("found").clone();
    let weights = current(&session).weights.clone().expect("shown");
    let (now, initial) = (weights.now.w_rec(), weights.initial.w_rec());
    for (matrix, eigenvalues) in [(now, found.eigenvalues), (initial, found.initial)] {
        let values = eigenvalues.expect("finite");
        let (re, im) = values.iter().fold((0.0, 0.0), |(a, b), (re, im)| (a + re, b + im));
        assert!((re - matrix.diag().sum()).abs() < 1e-12 && im.abs() < 1e-12, "{re} {im}");
    }
    let singular = found.update.expect("finite");
    let squares: f64 = singular.iter().map(|s| s * s).sum();
    let norm: f64 = (&now - &initial).iter().map(|d| d * d).sum();
    assert!(norm > 0.0 && (squares / norm - 1.0).abs() < 1e-12, "{squares} {norm}");
    assert!(singular.windows(2).all(|w| w[0] >= w[1]));
}

#[test]
fn a_run_on_the_users_trials_says_what_is_missing_in_them() {
    use basinscope::files::npz::NpzWriter;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trials.npz");
    let mut npz = NpzWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, shape) in [("x", vec![5, 4, 2]), ("target", vec![5, 4, 1]), ("mask", vec![5, 4])] {
        npz.floats(name, &shape, &vec![1.0; shape.iter().product()]).expect("written");
    }
    npz.finish().expect("written");
    let mut session = Session::new(engine(), trainers(), toml::Table::new());
    let mut settings = parse("[task]\nkind = \"file\"\nbatch = 4\n[network]\nn_rec = 4\n").expect("settings");
    let task = settings["task"].as_table_mut().expect("a table");
    task.insert("path".into(), path.display().to_string().into());
    session.act(Action::Take(settings));
    session.act(Action::StartNew);
    until(&mut session, "the warning", |s| {
        s.notices().iter().any(|n| n.text.contains("tests on the training trials"))
    });
    assert!(session.notices().iter().all(|n| !n.is_error && n.run == Some(id(&session))));
}
