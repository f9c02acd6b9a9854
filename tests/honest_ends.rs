//! Runs that diverge because of their rate: what is said of it, live and of their files, and what is offered.

#[path = "common/made.rs"]
mod made;
#[path = "common/real.rs"]
mod real;

use basinscope::files::figure::number::significant;
use basinscope::session::freshness::Freshness;
use basinscope::session::runs::MarkKind;
use basinscope::session::{Action, RunEntry, RunState, Session, words};
use basinscope::training::history::Series;
use basinscope::training::measures::Measure;
use basinscope::training::run::StopReason;
use made::made;
use real::{session, until};

/// Gradient descent on `romo` at a rate that it cannot bear: it is gone at iteration 2, its loss in the millions.
const TOO_FAST: &str = "[task]\nkind = \"romo\"\nbatch = 8\ntest_trials = 16\n[network]\nn_rec = 16\n\
                        [rule]\nkind = \"bptt\"\n[optimizer]\nkind = \"sgd\"\nlearning_rate = 10.0\n\
                        [measure]\nprobe_trials = 8\nblock = \"all\"\n";

fn current(session: &Session) -> &RunEntry {
    session.current().expect("a run is selected")
}

fn has_diverged(run: &RunEntry) -> bool {
    matches!(run.state, RunState::Ended(StopReason::Diverged { .. }))
}

/// A run that has diverged before its eyes.
fn diverged() -> Session {
    let mut session = session(TOO_FAST);
    session.act(Action::StartNew);
    until(&mut session, "the end", |s| has_diverged(current(s)));
    session
}

/// The same made without a window, which leaves no measure out, and opened: the folder is called `run`.
fn opened(text: &str) -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().expect("a folder");
    // 1: it diverged.
    let out = made(folder.path(), "run", text, 1);
    let mut session = session("");
    session.act(Action::Open(out));
    until(&mut session, "the run", |s| s.current().is_some_and(|r| r.task.is_some()));
    (folder, session)
}

#[test]
fn the_curvature_of_exploded_weights_explains_no_divergence() {
    // Measured at 0 and, when all is lost, at 2.
    let (_folder, session) = opened(&format!("{TOO_FAST}curvature = 2\n"));
    let run = current(&session);
    let measured = run.curves.get(Series::LambdaMax).expect("measured").values().0;
    let at = measured.iter().map(|p| p.iteration).collect::<Vec<_>>();
    assert_eq!(at, [0, 2]);
    assert!(measured[0].value < 0.2 && measured[1].value > 1e6, "2/eta is 0.2: {measured:?}");
    let text = words::end_of(run).expect("it has ended");
    assert_eq!(text, "Diverged at iteration 2: the training loss was 1.05e6.");
}

#[test]
fn a_curvature_above_the_line_before_the_loss_ran_away_is_told_with_its_iteration() {
    let (_folder, session) = opened(&format!("{TOO_FAST}curvature = 1\n"));
    let run = current(&session);
    let measured = run.curves.get(Series::LambdaMax).expect("measured").values().0;
    assert!(measured[1].value > 0.2 && measured[2].value > 1e6, "2/eta is 0.2: {measured:?}");
    let [value, times] = [measured[1].value, measured[1].value / 0.2].map(|v| significant(v, 3));
    let text = words::end_of(run).expect("it has ended");
    let told = format!(
        "lambda_max was {value}, {times} times 2/eta = 0.200, at iteration 1, the last measure before the loss left its \
         range (10 times the loss at the start), and above that line for 1 iteration."
    );
    assert!(text.ends_with(&told), "{text}");
}

#[test]
fn values_of_earlier_iterations_are_stale_once_a_run_has_ended() {
    let session = diverged();
    let run = current(&session);
    let of = |iteration| Freshness::of(run, Measure::Curvature, iteration);
    assert_eq!(of(0), Freshness::Stale { since: 0, behind: run.iteration });
    assert_eq!(of(run.iteration), Freshness::Fresh { iteration: run.iteration });
}

#[test]
fn rewinding_is_an_answer_to_the_message_of_the_divergence_alone() {
    let mut session = diverged();
    let offers = |s: &Session| s.notices().iter().filter(|n| n.of_divergence).count();
    assert_eq!(offers(&session), 1);
    let run = current(&session).id;
    session.act(Action::Reset);
    session.act(Action::RunOrPause);
    until(&mut session, "the end again", |s| has_diverged(current(s)));
    assert!(session.notices().iter().any(|n| n.run == Some(run) && n.brings_back.is_some()), "put aside");
    assert_eq!(offers(&session), 1, "{:?}", session.notices());
}

#[test]
fn the_folder_of_a_run_that_diverged_opens_with_its_end() {
    let (_folder, mut session) = opened(TOO_FAST);
    let run = current(&session);
    assert!(has_diverged(run), "{:?}", run.state);
    let (name, at) = (run.name.clone(), run.iteration);
    assert_eq!(
        (name.as_str(), run.marks.last().map(|m| (m.kind, m.iteration))),
        ("run", Some((MarkKind::Ended, at)))
    );
    let said: Vec<_> = session.notices().iter().filter(|n| n.of_divergence).collect();
    assert!(said[0].text.starts_with(&format!("run: Diverged at iteration {at}: ")), "{}", said[0].text);
    // And it goes on, with half the rate, from what there is: its start.
    let id = run.id;
    session.act(Action::RewindWithHalfRate(id));
    assert_eq!(current(&session).config.optimizer.learning_rate, 5.0);
    until(&mut session, "an update", |s| s.run(id).is_some_and(|r| r.iteration > 0 || has_diverged(r)));
}
