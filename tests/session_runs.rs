//! Runs beside each other: what is done to one leaves the others as they are.

#[path = "common/fake.rs"]
mod fake;
#[path = "common/session.rs"]
mod shared;

use std::sync::Arc;

use basinscope::engine::Engine;
use basinscope::files::history_csv;
use basinscope::session::action::Export;
use basinscope::session::runs::MarkKind;
use basinscope::session::{Action, RunEntry, RunId, RunState, Session, words};
use basinscope::training::config::RuleKind;
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;
use fake::Script;
use shared::{current, faked, id, set, slow, until};
use toml::Value;

fn session(given: &str) -> Session {
    Session::new(Engine::new(2, Arc::new(|| {})), faked(slow()), parse(given).expect("TOML"))
}

fn of(session: &Session, id: RunId) -> &RunEntry {
    session.run(id).expect("it is there")
}

/// A run that is paused after so many updates, selected.
fn paused_at(session: &mut Session, n: u64) -> RunId {
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    session.act(Action::Reset);
    until(session, "the start", |s| current(s).state == RunState::Paused && current(s).iteration == 0);
    if n > 0 {
        session.act(Action::Step(n));
        until(session, "the updates", |s| {
            let seen = current(s).curves.get(Series::TrainLoss).map_or(0, |c| c.len());
            current(s).iteration == n as i64 && seen == n as usize && current(s).state == RunState::Paused
        });
    }
    id(session)
}

const GIVEN: &str = "iterations = 100000\n[optimizer]\nlearning_rate = 0.5\n";

/// A click on another row, then Ctrl+Z: nothing was changed, so nothing is undone.
#[test]
fn selecting_a_run_is_no_step_that_undo_takes_back() {
    let mut session = session("");
    session.act(Action::Demonstrate);
    let ids: Vec<RunId> = session.runs().iter().map(|r| r.id).collect();
    let rules = |s: &Session| s.runs().iter().map(|r| r.config.rule.kind).collect::<Vec<_>>();
    until(&mut session, "both running", |s| s.runs().iter().all(|r| r.iteration > 10));
    let before: Vec<_> = session.runs().iter().map(|r| r.config.clone()).collect();
    assert!(!session.settings().can_undo(), "nothing was set");
    session.act(Action::Undo);
    session.act(Action::Select(ids[0]));
    session.act(Action::Select(ids[1]));
    assert!(!session.settings().can_undo());
    session.act(Action::Undo);
    session.act(Action::Undo);
    session.act(Action::Select(ids[0]));
    session.act(Action::Undo);
    assert_eq!(rules(&session), [RuleKind::Bptt, RuleKind::EProp]);
    session.act(Action::Close(ids[0]));
    session.act(Action::Undo);
    assert!(session.runs().iter().all(|run| before.contains(&run.config)));
    let at = session.runs()[0].iteration;
    until(&mut session, "more updates", |s| s.runs()[0].iteration > at + 10);
    assert!(session.runs().iter().all(|run| run.marks.is_empty()), "no run was changed");
    assert!(session.pending().is_empty());
}

#[test]
fn what_was_changed_of_a_run_is_undone_on_that_run_alone() {
    let mut session = session(GIVEN);
    let first = paused_at(&mut session, 0);
    let second = paused_at(&mut session, 0);
    session.act(Action::Select(first));
    session.act(set("optimizer.learning_rate", 0.25));
    session.act(set("network.gain", 0.7));
    session.act(Action::Select(second));
    session.act(Action::Undo);
    let rates = |s: &Session| [first, second].map(|id| of(s, id).config.optimizer.learning_rate);
    assert_eq!(rates(&session), [0.25, 0.5], "the other run has no step to undo");
    session.act(set("optimizer.learning_rate", 0.1));
    session.act(Action::Select(first));
    assert!(session.pending().is_empty(), "the settings are the run's");
    // What waited for a reset is found again, then the changes before it.
    session.act(Action::Undo);
    assert_eq!(session.pending().len(), 1);
    session.act(Action::Undo);
    session.act(Action::Undo);
    assert_eq!(rates(&session), [0.5, 0.1]);
    assert!(!session.settings().can_undo());
    session.act(Action::Select(second));
    session.act(Action::Undo);
    assert_eq!(rates(&session), [0.5, 0.5]);
}

#[test]
fn runs_changed_on_the_way_ghosts_and_branches_are_no_seeds_of_a_setting() {
    let mut session = session(GIVEN);
    let first = paused_at(&mut session, 20);
    session.act(Action::MoreSeeds { like: first, n: 2 });
    session.act(Action::RunAll(false));
    assert_eq!(session.groups()[0].members.len(), 3);
    // The same seed once more is the same run once more.
    session.act(Action::Branch { from: first, set: vec![] });
    assert_eq!(session.groups().iter().map(|g| g.members.len()).collect::<Vec<_>>(), [3]);
    let twin = id(&session);
    session.act(Action::Close(twin));

    // A change before the first update makes another setting, one after it makes no setting.
    let other = paused_at(&mut session, 0);
    session.act(set("optimizer.learning_rate", 0.1));
    let sizes = |s: &Session| s.groups().iter().map(|g| g.members.len()).collect::<Vec<_>>();
    until(&mut session, "the mark", |s| !of(s, other).marks.is_empty());
    assert_eq!(sizes(&session), [3, 1]);
    session.act(Action::Step(5));
    until(&mut session, "5", |s| of(s, other).iteration == 5);
    session.act(set("optimizer.learning_rate", 0.5));
    until(&mut session, "the second mark", |s| of(s, other).marks.len() == 2);
    let rates = [other, first].map(|id| of(&session, id).config.optimizer);
    assert_eq!(rates[0], rates[1]);
    assert_eq!(sizes(&session), [3], "its settings are those of the group, its course is not");
    assert!(!session.groups()[0].members.contains(&other));

    session.act(Action::Select(first));
    session.act(Action::Pin(first, true));
    session.act(Action::Reset);
    assert!(session.runs().iter().any(|r| r.state == RunState::Ghost));
    assert_eq!(sizes(&session), [3], "the ghost is not counted");

    session.act(Action::Bookmark { label: "here".into() });
    until(&mut session, "the bookmark", |s| !current(s).bookmarks.is_empty());
    let bookmark = current(&session).bookmarks[0].id;
    session.act(Action::BranchFrom { run: first, bookmark, set: vec![] });
    assert_eq!(sizes(&session), [3], "the branch is not counted");
}

#[test]
fn a_closed_run_comes_back_with_all_it_had() {
    let mut session = session(GIVEN);
    let first = paused_at(&mut session, 25);
    session.act(set("optimizer.learning_rate", 0.25));
    let second = paused_at(&mut session, 5);
    session.act(Action::Select(first));
    session.act(Action::RunOrPause);
    session.act(Action::Close(first));
    assert_eq!((session.runs().len(), id(&session)), (1, second));
    let notice = session.notices().last().expect("it says so");
    assert_eq!((notice.brings_back, notice.is_error), (Some(first), false));
    assert!(notice.text.contains("Closed"), "{}", notice.text);
    session.act(Action::BringBack(notice.brings_back));
    assert!(session.notices().iter().all(|n| n.brings_back.is_none()), "said no longer");
    assert_eq!((session.runs()[0].id, id(&session)), (first, first), "in its old place, and selected");
    let run = current(&session);
    assert!(run.iteration >= 25 && run.config.optimizer.learning_rate == 0.25);
    assert!(run.curves.get(Series::TrainLoss).is_some_and(|c| c.len() >= 25));
    let at = run.iteration;
    session.act(Action::Step(3));
    until(&mut session, "three more", |s| current(s).iteration >= at + 3);
    session.act(Action::Undo);
    assert_eq!(current(&session).config.optimizer.learning_rate, 0.5, "its undo came back, too");

    // Twice at the same place closes two runs: both come back, the last first.
    session.act(Action::Close(first));
    session.act(Action::Close(second));
    assert!(session.runs().is_empty() && session.current().is_none());
    session.act(Action::BringBack(None));
    session.act(Action::BringBack(None));
    session.act(Action::BringBack(None));
    assert_eq!(session.runs().iter().map(|r| r.id).collect::<Vec<_>>(), [first, second]);
}

#[test]
fn what_a_reset_or_a_preset_takes_away_can_be_brought_back() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 40);
    session.act(Action::Reset);
    assert_eq!((session.runs().len(), current(&session).iteration), (1, 0));
    session.act(Action::BringBack(None));
    let back = current(&session);
    assert_eq!((session.runs().len(), back.iteration), (2, 40));
    assert_eq!(back.curves.get(Series::TrainLoss).map(|c| c.len()), Some(40));
    assert_eq!(back.name, format!("{}, before", session.run(run).expect("the new one").name));
    assert_ne!(back.colour, of(&session, run).colour);
    session.act(Action::Step(2));
    until(&mut session, "two more", |s| current(s).iteration == 42);

    // A preset: another task, by its own name, running; nothing of the task before is there to undo.
    let given = parse("task.kind = \"pattern\"\nrule.kind = \"bptt\"").expect("TOML");
    session.act(Action::StartPreset(given));
    assert_eq!(current(&session).config.task.own.kind().name(), "pattern");
    assert!(current(&session).is_running() && !session.settings().can_undo() && session.pending().is_empty());
    session.act(Action::BringBack(None));
    assert_eq!((current(&session).iteration, current(&session).config.task.own.kind().name()), (42, "romo"));
    // Where nothing was learned there is nothing to bring back.
    session.act(Action::BringBack(None));
    let n = session.runs().len();
    paused_at(&mut session, 0);
    session.act(Action::Reset);
    session.act(Action::BringBack(None));
    assert_eq!(session.runs().len(), n + 1);
}

#[test]
fn a_jump_bookmarks_first_where_the_run_stands() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    session.act(Action::Bookmark { label: "ten".into() });
    let find =
        |s: &Session, label: &str| current(s).bookmarks.iter().find(|b| b.label == label).map(|b| b.id);
    until(&mut session, "the bookmark", |s| find(s, "ten").is_some());
    session.act(Action::Step(50));
    until(&mut session, "60", |s| current(s).iteration == 60 && current(s).state == RunState::Paused);
    let ten = find(&session, "ten").expect("it is there");
    session.act(Action::JumpTo(run, ten));
    until(&mut session, "the jump", |s| current(s).iteration == 10 && current(s).state == RunState::Paused);
    let kept = find(&session, "before a jump, at 60").expect("where it stood");
    session.act(Action::JumpTo(run, kept));
    until(&mut session, "the way back", |s| current(s).iteration == 60);
    assert_eq!(current(&session).bookmarks.iter().filter(|b| b.iteration() == 60).count(), 1);
    // Set back to itself it is still the run that its settings give.
    assert!(current(&session).alterations().next().is_none());
}

#[test]
fn a_divergence_after_the_rate_was_raised_is_told_by_the_rate_that_acted() {
    let script = Script { diverge_at: Some(200), lambda_max: Some(|_| 10.0), ..slow() };
    let given = "iterations = 1000\nrule.kind = \"bptt\"\nmeasure.curvature = 190\n\
                 optimizer = { kind = \"sgd\", learning_rate = 0.1 }";
    let mut session =
        Session::new(Engine::new(2, Arc::new(|| {})), faked(script), parse(given).expect("TOML"));
    paused_at(&mut session, 195);
    until(&mut session, "a measure", |s| current(s).curves.last(Series::LambdaMax).is_some());
    session.act(set("optimizer.learning_rate", 0.5));
    session.act(Action::Step(20));
    until(&mut session, "the end", |s| matches!(current(s).state, RunState::Ended(_)));
    let text = words::end_of(current(&session)).expect("it has ended");
    assert!(text.contains("lambda_max was 10.0, 2.50 times 2/eta = 4.00: it was measured at "), "{text}");
    assert!(text.ends_with("before the learning rate rose to 0.5."), "{text}");
}

#[test]
fn a_branch_waits_as_fast_as_its_parent_and_is_called_after_it() {
    let mut session = session(GIVEN);
    let parent = paused_at(&mut session, 30);
    session.act(Action::Speed(Some(150.0)));
    session.act(Action::Rename(parent, "Mine".into()));
    session.act(set("optimizer.learning_rate", 0.25));
    session.act(Action::Bookmark { label: String::new() });
    let own = |s: &Session| of(s, parent).bookmarks.iter().position(|b| b.label == "iteration 30");
    until(&mut session, "the bookmark", |s| own(s).is_some());
    let bookmark = of(&session, parent).bookmarks[own(&session).expect("it is there")].id;
    let took = of(&session, parent).seconds.total();
    assert!(took > 0.0);
    session.act(Action::BranchFrom { run: parent, bookmark, set: vec![] });
    let branch = id(&session);
    until(&mut session, "the branch", |s| current(s).state == RunState::Paused);
    let run = current(&session);
    assert_eq!((run.name.as_str(), run.speed, run.iteration), ("Mine, branch at 30", Some(150.0), 30));
    // Its past is the parent's: changes, and the seconds that it took.
    assert_eq!(run.marks.iter().map(|m| m.kind).collect::<Vec<_>>(), [MarkKind::Changed, MarkKind::Branched]);
    assert!((run.seconds.total() - took).abs() < 1e-9);
    assert!(run.seconds.at(15.0) < took && run.seconds.at(15.0) > 0.0, "{}", run.seconds.at(15.0));
    session.act(Action::BranchFrom { run: parent, bookmark, set: vec![] });
    assert_eq!(current(&session).name, "Mine, branch at 30 2");

    // From the start: it waits for what is to be another, and is then called after its rule.
    session.act(Action::Branch { from: parent, set: vec![] });
    until(&mut session, "the second branch", |s| current(s).state == RunState::Paused);
    assert_eq!((current(&session).iteration, current(&session).speed), (0, Some(150.0)));
    session.act(set("rule.kind", "rflo"));
    assert_eq!(current(&session).name, "RFLO");
    assert_eq!(of(&session, branch).state, RunState::Paused);
}

fn bookmark(session: &Session, label: &str) -> Option<u64> {
    current(session).bookmarks.iter().find(|b| b.label == label).map(|b| b.id)
}

fn step_to(session: &mut Session, iteration: i64) {
    session.act(Action::Step((iteration - current(session).iteration).unsigned_abs()));
    until(session, "the updates", |s| {
        current(s).iteration == iteration && current(s).state == RunState::Paused
    });
}

#[test]
fn a_jump_to_before_a_change_undoes_it_and_the_way_back_tells_of_it_again() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    session.act(Action::Bookmark { label: "ten".into() });
    until(&mut session, "the bookmark", |s| bookmark(s, "ten").is_some());
    let ten = bookmark(&session, "ten").expect("it is there");
    step_to(&mut session, 40);
    session.act(set("rule.kind", "bptt"));
    step_to(&mut session, 60);
    let altered = |s: &Session| current(s).alterations().map(|m| m.iteration).collect::<Vec<_>>();
    assert_eq!(altered(&session), [40]);
    session.act(Action::JumpTo(run, ten));
    until(&mut session, "the jump", |s| current(s).iteration == 10 && current(s).state == RunState::Paused);
    assert_eq!(altered(&session), [0; 0], "it is the run of its settings again");
    let later = bookmark(&session, "before a jump, at 60").expect("where it stood");
    session.act(Action::JumpTo(run, later));
    until(&mut session, "the way back", |s| current(s).iteration == 60);
    assert_eq!(altered(&session), [40]);
    session.act(Action::BranchFrom { run, bookmark: later, set: vec![] });
    assert!(altered(&session).contains(&40), "a branch has the past of what it leaves");
}

/// The training losses of a run, as its files have them.
fn losses(session: &mut Session, run: RunId) -> Vec<(i64, f64)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history.csv");
    session.act(Action::Select(run));
    session.act(Action::Save(Export::Curves, path.clone()));
    until(session, "the file", |_| path.exists());
    let history = history_csv::read(&path, &[Series::TrainLoss]).expect("it is read");
    history.series(Series::TrainLoss).to_vec()
}

#[test]
fn whoever_goes_back_to_a_way_that_was_left_finds_it_whole() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    for (at, label) in [(10, "ten"), (40, "forty")] {
        step_to(&mut session, at);
        session.act(Action::Bookmark { label: label.into() });
        until(&mut session, "the bookmark", |s| bookmark(s, label).is_some());
    }
    step_to(&mut session, 60);
    let whole = losses(&mut session, run);
    assert_eq!(whole.len(), 60);
    let took = current(&session).seconds.total();
    let jump = |session: &mut Session, label: &str, to: i64| {
        let bookmark = bookmark(session, label).expect("it is there");
        session.act(Action::JumpTo(run, bookmark));
        until(session, "the jump", |s| {
            current(s).iteration == to && current(s).marks.last().is_some_and(|m| m.iteration == to)
        });
    };
    jump(&mut session, "ten", 10);
    // Another way from there, which is left in turn.
    session.act(set("optimizer.learning_rate", 0.25));
    step_to(&mut session, 20);
    assert_eq!(current(&session).curves.last(Series::TrainLoss).map(|p| p.iteration), Some(19));

    // To the end of the first way, and to a bookmark in the middle of it.
    jump(&mut session, "before a jump, at 60", 60);
    let curve = current(&session).curves.get(Series::TrainLoss).expect("a curve").values().0.to_vec();
    let values: Vec<(i64, f64)> = curve.iter().map(|p| (p.iteration, p.value)).collect();
    assert_eq!(values, whole);
    assert!((current(&session).seconds.total() - took).abs() < 1e-9);
    assert_eq!(losses(&mut session, run), whole, "the files have it too");
    jump(&mut session, "ten", 10);
    jump(&mut session, "forty", 40);
    // The loss of the weights after 40 updates is known of the first time.
    let part = &whole[..=40];
    assert_eq!(losses(&mut session, run), part);

    // The other way is as it was, and a branch has the way of its bookmark.
    jump(&mut session, "before a jump, at 20", 20);
    let curve = current(&session).curves.get(Series::TrainLoss).expect("a curve");
    assert_eq!(curve.values().0.len(), 20);
    let forty = bookmark(&session, "forty").expect("it is there");
    session.act(Action::BranchFrom { run, bookmark: forty, set: vec![] });
    until(&mut session, "the branch", |s| current(s).state == RunState::Paused);
    let branch = id(&session);
    assert_eq!(losses(&mut session, branch), part);
}

/// Jumps to a bookmark that is known by its label, and waits until the run is there.
fn jump_to(session: &mut Session, label: &str, to: i64) {
    let bookmark = bookmark(session, label).expect("it is there");
    let run = id(session);
    session.act(Action::JumpTo(run, bookmark));
    until(session, "the jump", |s| {
        current(s).iteration == to && current(s).marks.last().is_some_and(|m| m.iteration == to)
    });
}

fn bookmark_here(session: &mut Session, label: &str) {
    session.act(Action::Bookmark { label: label.into() });
    until(session, "the bookmark", |s| bookmark(s, label).is_some());
}

#[test]
fn a_bookmark_on_the_way_that_a_run_is_on_has_no_other_past() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    bookmark_here(&mut session, "ten");
    step_to(&mut session, 40);
    bookmark_here(&mut session, "forty");
    let past = |s: &Session, label: &str| {
        current(s).bookmarks.iter().find(|b| b.label == label).expect("it is there").past.is_some()
    };
    step_to(&mut session, 60);
    jump_to(&mut session, "ten", 10);
    assert!(!past(&session, "ten") && past(&session, "forty") && past(&session, "before a jump, at 60"));
    // Again, from a little further on: as often as one likes.
    for _ in 0..2 {
        step_to(&mut session, 20);
        jump_to(&mut session, "ten", 10);
        assert!(!past(&session, "ten"));
        assert_eq!(losses(&mut session, run).len(), 11);
    }
    // Taken up again, the way to the end is the run's own, with what lies on it.
    jump_to(&mut session, "before a jump, at 60", 60);
    assert!(!past(&session, "forty") && !past(&session, "before a jump, at 60"));
    assert!(past(&session, "before a jump, at 20"));
    assert_eq!(losses(&mut session, run).len(), 60);
}

#[test]
fn a_jump_that_is_asked_for_before_another_is_done_comes_after_it() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    bookmark_here(&mut session, "ten");
    step_to(&mut session, 40);
    bookmark_here(&mut session, "forty");
    step_to(&mut session, 60);
    let whole = losses(&mut session, run);
    for label in ["ten", "forty"] {
        let bookmark = bookmark(&session, label).expect("it is there");
        session.act(Action::JumpTo(run, bookmark));
    }
    until(&mut session, "both", |s| {
        current(s).iteration == 40 && current(s).marks.last().is_some_and(|m| m.iteration == 40)
    });
    assert_eq!(losses(&mut session, run), whole[..=40], "there is no hole");
}

#[test]
fn a_bookmark_of_before_a_reset_brings_its_own_past_not_that_of_the_run_as_it_went_on() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 40);
    session.act(Action::Bookmark { label: "forty".into() });
    until(&mut session, "the bookmark", |s| bookmark(s, "forty").is_some());
    let before = losses(&mut session, run);
    session.act(Action::Reset);
    until(&mut session, "the start", |s| current(s).iteration == 0 && current(s).state == RunState::Paused);
    step_to(&mut session, 10);
    session.act(set("optimizer.learning_rate", 0.25));
    step_to(&mut session, 20);
    let forty = bookmark(&session, "forty").expect("it is kept");
    session.act(Action::JumpTo(run, forty));
    until(&mut session, "the jump", |s| current(s).iteration == 40 && current(s).state == RunState::Paused);
    let values = current(&session).curves.get(Series::LearningRate).expect("a curve").values().0;
    assert!(values.iter().all(|p| p.value == 0.5), "{values:?}");
    assert!(current(&session).alterations().next().is_none());
    assert!(current(&session).marks.last().is_some_and(|m| m.text.starts_with("taken up at iteration 40")));
    assert_eq!(losses(&mut session, run), before);
}

#[test]
fn two_ends_at_one_iteration_are_kept_where_the_runs_differ() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    session.act(Action::Bookmark { label: "ten".into() });
    until(&mut session, "the bookmark", |s| bookmark(s, "ten").is_some());
    let ten = bookmark(&session, "ten").expect("it is there");
    let ends = |s: &Session| current(s).bookmarks.iter().filter(|b| b.iteration() == 60).count();
    for n in 1..=2 {
        step_to(&mut session, 60);
        session.act(Action::JumpTo(run, ten));
        until(&mut session, "the jump", |s| {
            current(s).iteration == 10 && current(s).state == RunState::Paused
        });
        assert_eq!(ends(&session), n);
        session.act(set("optimizer.learning_rate", 0.25));
    }
}

#[test]
fn of_two_runs_with_one_seed_the_longer_is_the_sample() {
    let mut session = session(GIVEN);
    let long = paused_at(&mut session, 30);
    session.act(Action::Reset);
    session.act(Action::BringBack(None));
    assert_eq!(session.runs().len(), 2);
    let members: Vec<RunId> = session.groups().into_iter().flat_map(|group| group.members).collect();
    assert_eq!(members.len(), 1);
    assert_eq!(of(&session, members[0]).iteration, 30, "{long:?} is brought back");
}

#[test]
fn more_seeds_of_a_changed_run_are_new_each_time() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    session.act(set("optimizer.learning_rate", 0.25));
    step_to(&mut session, 20);
    for _ in 0..2 {
        session.act(Action::MoreSeeds { like: run, n: 2 });
    }
    let mut seeds: Vec<u64> = session.runs().iter().map(|r| r.config.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), 5);
}

#[test]
fn the_only_run_comes_back_with_what_can_be_undone() {
    let mut session = session(GIVEN);
    let run = paused_at(&mut session, 10);
    let gain = |s: &Session| s.settings().given_value("network.gain").and_then(Value::as_float);
    let before = gain(&session);
    session.act(set("network.gain", 0.5));
    session.act(Action::Settle);
    session.act(Action::Close(run));
    session.act(Action::BringBack(None));
    assert_eq!(gain(&session), before, "what was not applied is taken back");
    session.act(Action::Undo);
    assert_eq!(gain(&session), Some(0.5), "and can be had again");
}
