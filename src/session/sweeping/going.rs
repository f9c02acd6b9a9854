//! Owns what the thread of a sweep does: opening its folder, making its runs, and saying how far it is.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use toml::Table;

use super::Preview;
use super::outcomes::{Outcomes, Row};
use crate::engine::background::KeepOn;
use crate::files::atomic;
use crate::files::summary::Ended;
use crate::session::reproduce::Reproduction;
use crate::session::sweep::{PLAN, Progress, RUNS, Share, Sweep, command_of};
use crate::training::config::resolve::parse;
use crate::training::plan::Plan;

/// The largest plan that is read.
const MOST_PLAN: u64 = 1 << 20;
/// Time between two words about how far it is.
const WORDS: Duration = Duration::from_millis(250);
/// Warnings that are shown.
const MOST_WARNINGS: usize = 3;

/// What the thread is to do.
#[derive(Clone, Debug)]
pub(super) struct Going {
    /// The sweep's folder.
    pub folder: PathBuf,
    /// The text of its plan; `None`: that in the folder.
    pub text: Option<String>,
    /// Runs at once; `None`: only looks.
    pub share: Option<usize>,
}

/// What the thread says.
pub(super) enum Told {
    /// The folder's runs as they were found.
    Opened(Box<Outcomes>),
    /// How far it is, and how runs have ended.
    News(Progress, Vec<(usize, Ended)>),
    /// Why it does not go on.
    Refused(String),
}

/// Counts the runs of a plan.
pub(super) fn count(plan: Table) -> Result<Preview, String> {
    let plan = Plan::new(plan).map_err(|e| e.to_string())?;
    let mut warnings: Vec<String> = plan.runs.iter().flat_map(|r| r.warnings.iter().cloned()).collect();
    warnings.sort();
    warnings.dedup();
    warnings.truncate(MOST_WARNINGS);
    let updates = plan.runs.iter().map(|r| r.config.iterations + r.config.flossing.iterations).sum();
    Ok(Preview { runs: plan.runs.len(), updates, warnings })
}

/// The folder of a run's files.
pub(super) fn run_folder(outcomes: &Outcomes, run: usize) -> PathBuf {
    outcomes.folder.join(RUNS).join(&outcomes.rows()[run].name)
}

/// Opens the folder and, where asked, makes the runs that it lacks while `keep_on`.
pub(super) fn go(going: &Going, tell: &dyn Fn(Told), keep_on: KeepOn<'_>) {
    let result = open(going).and_then(|mut sweep| {
        tell(Told::Opened(Box::new(outcomes(going, &sweep))));
        let Some(at_once) = going.share else { return Ok(()) };
        advance(&mut sweep, at_once, tell, keep_on)
    });
    if let Err(error) = result {
        tell(Told::Refused(error));
    }
}

fn open(going: &Going) -> Result<Sweep, String> {
    let path = going.folder.join(PLAN);
    let text = match &going.text {
        Some(text) => text.clone(),
        None if !path.is_file() => {
            return Err(format!(
                "{}: holds no {PLAN}: expected the folder of a sweep",
                going.folder.display()
            ));
        }
        None => atomic::read_text(&path, MOST_PLAN).map_err(|e| e.to_string())?,
    };
    let in_plan = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    if let Some(command) = command_of(&text) {
        return open_figure(going, &command, &text).map_err(|e| without_force(&e));
    }
    let given = parse(&text).map_err(|e| in_plan(&e))?;
    let plan = Plan::new(given).map_err(|e| in_plan(&e))?;
    Sweep::open(&going.folder, plan, &text, false).map_err(|e| without_force(&e.to_string()))
}

/// The runs of a figure, as `basinscope reproduce` makes them.
fn open_figure(going: &Going, command: &str, text: &str) -> Result<Sweep, String> {
    let (mut figure, plan) = Reproduction::of_command(command).map_err(|e| e.to_string())?;
    let sweep = Sweep::open(&going.folder, plan, text, false).map_err(|e| e.to_string())?;
    // Some runs choose at what value others are made; they all have to have ended.
    if sweep.ended().iter().any(Option::is_none) {
        return Ok(sweep);
    }
    match figure.after_choice(&sweep).map_err(|e| e.to_string())? {
        Some(plan) => Sweep::open(&going.folder, plan, text, false).map_err(|e| e.to_string()),
        None => Ok(sweep),
    }
}

/// What the command line offers at the end of a refusal is not to be had here.
fn without_force(text: &str) -> String {
    match text.rsplit_once(", or ") {
        Some((before, offer)) if offer.ends_with("--force") => before.to_owned(),
        _ => text.to_owned(),
    }
}

fn outcomes(going: &Going, sweep: &Sweep) -> Outcomes {
    let rows = sweep.runs().iter().zip(sweep.ended()).map(|(run, ended)| Row {
        name: run.name.clone(),
        labels: run.labels.clone(),
        ended: ended.clone(),
    });
    Outcomes::new(going.folder.clone(), sweep.columns().to_vec(), rows.collect())
}

fn advance(
    sweep: &mut Sweep,
    at_once: usize,
    tell: &dyn Fn(Told),
    keep_on: KeepOn<'_>,
) -> Result<(), String> {
    let which: Vec<usize> = (0..sweep.runs().len()).collect();
    let share = Share { threads: at_once, at_once: Some(at_once) };
    let (mut said, mut news, mut last) = (Instant::now(), Vec::new(), None);
    let lost = sweep.advance_telling(&which, share, &|| !keep_on(), &mut |progress, ended| {
        news.extend(ended);
        last = Some(progress);
        if said.elapsed() >= WORDS {
            tell(Told::News(progress, std::mem::take(&mut news)));
            said = Instant::now();
        }
    });
    let lost = lost.map_err(|e| e.to_string())?;
    if let Some(progress) = last {
        let ended = sweep.ended().iter().cloned().enumerate();
        tell(Told::News(progress, ended.filter_map(|(i, e)| Some((i, e?))).collect()));
    }
    match lost.first() {
        None => Ok(()),
        Some((run, said)) => Err(format!("{}: {said}", sweep.runs()[*run].name)),
    }
}
