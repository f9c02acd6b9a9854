//! Claims about the lessons: every step is sound, is reached, and shows what it says.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::session::lessons::{WHICH, lessons};
use basinscope::session::{Action, Export, Picture, Playing, RunState, Session, settings, trainers};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::history::Series;

fn session() -> Session {
    Session::new(Engine::new(0, Arc::new(|| ())), trainers(), toml::Table::new())
}

fn until(session: &mut Session, what: &str, done: impl Fn(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < Duration::from_secs(300), "waited in vain for {what}");
        session.logic(Duration::from_millis(5));
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn reach(session: &mut Session, step: usize) {
    session.act(Action::LessonStep(step));
    until(session, "the step", |s| s.playing().is_some_and(Playing::is_reached));
    // That a run has diverged may be what the step is about.
    let diverged = |id| session.run(id).is_some_and(|run| matches!(run.state, RunState::Ended(_)));
    let errors: Vec<_> =
        session.notices().iter().filter(|n| n.is_error && !n.run.is_some_and(diverged)).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn every_setting_of_every_step_is_sound() {
    for lesson in lessons() {
        for run in (0..lesson.steps.len()).flat_map(|step| lesson.runs(step)) {
            let at = format!("{}, {}", lesson.name, run.name);
            let resolved = resolve(run.set.clone()).unwrap_or_else(|e| panic!("{at}: {e}"));
            assert!(run.at < resolved.config.iterations, "{at}: nothing left to run");
            if let Some(change) = &run.change {
                assert!(change.at < run.at, "{at}");
                for key in settings::flat_value(&toml::Value::Table(change.set.clone())).keys() {
                    assert!(!settings::needs_reset(key), "{at}: {key} needs a reset");
                }
            }
        }
        for check in lesson.steps.iter().flat_map(|step| &step.checks) {
            let kinds = [check.diverged, check.series.is_some(), !check.rise.is_empty()];
            assert_eq!(kinds.into_iter().filter(|kind| *kind).count(), 1, "{}: {check:?}", lesson.name);
            assert!(check.diverged || check.above.is_some() || check.below.is_some(), "{check:?}");
        }
    }
}

#[test]
fn every_step_is_reached_and_shows_what_it_says() {
    let mut wrong = Vec::new();
    for (i, lesson) in lessons().iter().enumerate() {
        let mut session = session();
        session.act(Action::BeginLesson(i));
        for (step, own) in lesson.steps.iter().enumerate() {
            reach(&mut session, step);
            for expected in lesson.runs(step) {
                let run = session.runs().iter().find(|run| run.name == expected.name).expect("the run");
                let diverged = own.checks.iter().any(|c| c.diverged && c.run == run.name);
                if diverged {
                    assert!(matches!(run.state, RunState::Ended(_)), "{}", run.name);
                } else {
                    let at = (run.iteration, lesson.name, step + 1, &run.name);
                    assert_eq!(run.iteration, expected.at as i64, "{at:?}");
                }
            }
            let seen = session.observations();
            assert_eq!(seen.len(), own.checks.len());
            for (words, value, holds) in seen {
                if !holds {
                    wrong.push(format!("{}, step {}: {words}; it is {value:?}", lesson.name, step + 1));
                }
            }
            // Only those who shake see a shake.
            let is_drawn = own.picture == Picture::Shake || session.figure(own.picture).is_ok();
            assert!(is_drawn, "{}, step {}: no picture", lesson.name, step + 1);
            assert!(!own.checks.is_empty(), "{}, step {}: nothing is checked", lesson.name, step + 1);
        }
        // And back, where nothing is left to compute.
        reach(&mut session, 0);
        assert!(session.observations().iter().all(|(_, _, holds)| *holds), "{wrong:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn runs_of_a_lesson_go_on_from_its_state_and_those_of_the_user_come_back() {
    let mut session = session();
    session.act(Action::Take(parse("[network]\nn_rec = 8\n[task]\nbatch = 4\n").expect("TOML")));
    session.act(Action::StartNew);
    let own = session.runs()[0].id;
    session.act(Action::BeginLesson(0));
    reach(&mut session, 0);
    assert!(session.run(own).is_some_and(|run| run.hidden));
    let all_at = |s: &Session, at: i64| {
        let of_lesson = s.runs().iter().filter(|run| run.id != own);
        of_lesson.map(|run| (run.iteration, run.is_running())).collect::<Vec<_>>() == [(at, false); 3]
    };
    // All of them at once, as far as the next step; from elsewhere that step brings its own states.
    session.act(Action::Step(5));
    until(&mut session, "five updates of each", |s| all_at(s, 6));
    session.act(Action::RunOrPause);
    until(&mut session, "the state of the next step", |s| all_at(s, 300));
    session.act(Action::Step(5));
    until(&mut session, "five updates more", |s| all_at(s, 305));
    reach(&mut session, 1);
    until(&mut session, "the state of the next step again", |s| all_at(s, 300));
    session.act(Action::EndLesson);
    assert_eq!(session.runs().len(), 1);
    assert!(session.run(own).is_some_and(|run| !run.hidden) && session.playing().is_none());
}

#[test]
fn a_run_of_a_lesson_that_has_diverged_says_so_and_can_be_rewound() {
    let lesson = lessons().iter().position(|lesson| lesson.name == "valley").expect("the lesson");
    let step = lessons()[lesson].steps.len() - 1;
    let mut session = session();
    session.act(Action::BeginLesson(lesson));
    reach(&mut session, step);
    let id = session.current().expect("the run").id;
    let about = |s: &Session| s.notices().iter().filter(|n| n.run == Some(id)).count();
    assert_eq!(about(&session), 1);
    session.act(Action::RewindWithHalfRate(id));
    let rewound = |s: &Session| s.run(id).is_some_and(|run| run.config.optimizer.learning_rate == 1.5);
    until(&mut session, "half the rate", rewound);
    session.act(Action::Speed(None));
    let learned = |s: &Session| {
        let loss = s.run(id).and_then(|run| run.curves.last(Series::TrainLoss));
        s.run(id).is_some_and(|run| run.iteration > 900) && loss.is_some_and(|p| p.value < 1e-4)
    };
    until(&mut session, "a rate that it can bear", learned);
    // Its measures come later than its updates.
    let sharpness = |s: &Session| s.run(id).and_then(|run| run.curves.last(Series::LambdaMax));
    until(&mut session, "a measure", |s| sharpness(s).is_some_and(|point| point.iteration > 500));
    let sharpness = sharpness(&session).expect("a measure").value;
    assert!((1.0..1.6).contains(&sharpness), "{sharpness}");
    session.act(Action::EndLesson);
    assert_eq!(about(&session), 0, "what was said of it is gone with it");
}

#[test]
fn every_lesson_is_a_page_that_is_up_to_date_and_listed_with_its_time() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/lessons");
    for lesson in lessons() {
        let page = std::fs::read_to_string(folder.join(format!("{}.md", lesson.name))).unwrap_or_default();
        let written = lesson.markdown(|_| None);
        if page != written && std::env::var_os("WRITE_LESSONS").is_some() {
            std::fs::write(folder.join(format!("{}.md", lesson.name)), &written).expect("a page");
        }
        assert!(page == written, "{}.md is out of date: run with WRITE_LESSONS=1", lesson.name);
        let row = format!("| [{}]({}.md) | {} |", lesson.title, lesson.name, lesson.minutes);
        assert!(WHICH.contains(&row), "README.md lacks {row}");
    }
}

#[test]
fn what_diverges_before_its_first_update_is_not_offered_a_smaller_rate() {
    let lesson = lessons().iter().position(|lesson| lesson.name == "gain").expect("the lesson");
    let mut session = session();
    session.act(Action::BeginLesson(lesson));
    reach(&mut session, lessons()[lesson].steps.len() - 1);
    let ended = session.runs().iter().find(|run| matches!(run.state, RunState::Ended(_))).expect("a run");
    assert!(!ended.gains_by_rewinding());
    let id = ended.id;
    session.act(Action::Select(id));
    let about = |s: &Session| s.notices().iter().filter(|n| n.run == Some(id)).count();
    assert_eq!(about(&session), 1);
    session.act(Action::Reset);
    assert_eq!(about(&session), 0, "what was said of it is gone with what it was");
}

#[test]
fn a_lesson_is_written_with_a_picture_of_every_step() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["gain", "sharp"] {
        let path = folder.path().join(format!("{name}.md"));
        let mut session = session();
        session.act(Action::Save(Export::Lesson, path.clone()));
        assert!(session.notices().last().is_some_and(|n| n.text.contains("no lesson")));
        let number = lessons().iter().position(|lesson| lesson.name == name).expect("the lesson");
        session.act(Action::BeginLesson(number));
        session.act(Action::Save(Export::Lesson, path.clone()));
        until(&mut session, "the page", |s| s.errands().count() == 0);
        let last = session.notices().last().expect("a notice");
        assert!(!last.is_error, "{}", last.text);
        let text = std::fs::read_to_string(&path).expect("a page");
        let mut pictures = Vec::new();
        for step in 1..=lessons()[number].steps.len() {
            let file = format!("{name}-{step}.png");
            assert!(text.contains(&format!("]({file})")), "{file} is not on the page");
            let bytes = std::fs::read(folder.path().join(&file)).expect("a picture");
            assert!(eframe::icon_data::from_png_bytes(&bytes).is_ok(), "{file}");
            assert!(!pictures.contains(&bytes), "{file} shows what another step shows");
            pictures.push(bytes);
        }
    }
}
