//! Owns a lesson as a page: its steps in words, each with a picture.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Playing;
use crate::engine::Engine;
use crate::files::atomic;
use crate::session::lessons::lessons;
use crate::session::{Export, Notice, Picture, Session, trainers};

/// How long the pages of a lesson may take to compute.
const PATIENCE: Duration = Duration::from_secs(600);

/// Writes a lesson as a page, with a picture of every step beside it under the page's name.
///
/// # Errors
/// A state that cannot be computed, a picture or file that cannot be written; in words.
pub(in crate::session) fn write_pages(path: &Path, lesson: usize) -> Result<(), String> {
    let path = &Export::Lesson.completed(path.to_owned());
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut files = BTreeMap::new();
    // A session of its own: the lesson is taken as a user would.
    let mut session = Session::new(Engine::new(0, Arc::new(|| ())), trainers(), toml::Table::new());
    session.begin_lesson(lesson);
    let start = Instant::now();
    for step in 0..lessons()[lesson].steps.len() {
        session.lesson_step(step);
        while !session.playing().is_some_and(Playing::is_reached) {
            if start.elapsed() > PATIENCE {
                return Err("the lesson takes too long to compute".into());
            }
            session.play();
            std::thread::sleep(Duration::from_millis(5));
        }
        // The worker says what a run's task is, on which its stability lines depend.
        while session.runs().iter().any(|run| run.task.is_none()) {
            if start.elapsed() > PATIENCE {
                return Err("the runs of the lesson do not start".into());
            }
            session.logic(Duration::from_millis(5));
            std::thread::sleep(Duration::from_millis(5));
        }
        let failed = |notice: &&Notice| notice.is_error && notice.run.is_none();
        if let Some(notice) = session.notices().iter().find(failed) {
            return Err(notice.text.clone());
        }
        let name = format!("{stem}-{}.png", step + 1);
        let picture = lessons()[lesson].steps[step].picture;
        if picture == Picture::Shake {
            session.shake_all();
            while session.bench().shake_share().is_some() {
                if start.elapsed() > PATIENCE {
                    return Err("the runs of the lesson take too long to shake".into());
                }
                session.logic(Duration::from_millis(5));
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        let figure = session.figure(picture)?;
        figure.write(&path.with_file_name(&name)).map_err(|e| e.to_string())?;
        files.insert(step, name);
    }
    let text = lessons()[lesson].markdown(|step| files.get(&step).cloned());
    atomic::write_text(path, &text).map_err(|e| e.to_string())
}
