//! Owns `basinscope reproduce`.

use std::path::Path;

use super::sweep::with_progress;
use super::{Ending, Refused, ReproduceArguments, complain, interrupt, say};
use crate::session::reproduce::catalogue::figures;
use crate::session::reproduce::spec::Spec;
use crate::session::reproduce::{Asked, Reproduction};
use crate::session::sweep::{Share, Sweep};
use crate::training::plan::Plan;

/// Makes the runs of a figure that have not ended yet, then the figure, its tables and its report; or lists the
/// figures.
pub fn reproduce(arguments: &ReproduceArguments) -> Result<Ending, Refused> {
    if arguments.figure == "list" {
        for spec in figures() {
            say(format_args!("{:<13}  {}", spec.id, spec.title));
        }
        return Ok(Ending::Done);
    }
    let spec = find(&arguments.figure)?;
    let Some(out) = &arguments.out else {
        return Err(Refused("--out DIR is missing: expected a folder for the runs and the figure".into()));
    };
    let asked = Asked {
        quick: arguments.quick,
        seeds: arguments.seeds.map(u64::from),
        cases: arguments.cases.clone(),
    };
    let (mut figure, plan) = Reproduction::new(spec, &asked).map_err(|e| Refused(e.to_string()))?;
    interrupt::listen();
    let plan_text = figure.plan_text();
    let run = |plan| made(plan, out, &plan_text, arguments);
    let (mut sweep, mut lost) = match run(plan)? {
        Made::All { sweep, lost } => (sweep, lost),
        Made::Stopped => return Ok(Ending::Interrupted),
    };
    if let Some(plan) = figure.after_choice(&sweep).map_err(|e| Refused(e.to_string()))? {
        (sweep, lost) = match run(plan)? {
            Made::All { sweep, lost: more } => (sweep, lost + more),
            Made::Stopped => return Ok(Ending::Interrupted),
        };
    }
    let left_out = figure.leaves_out();
    let made = figure.read(&sweep)?;
    let report = made.write(out)?;
    say(&spec.title);
    for found in made.judged() {
        say(format_args!("{} ({}): {}; {}", found.text, found.case, found.verdict, found.numbers));
    }
    if let Some(less) = left_out {
        say(format_args!("left out by --quick: {less}"));
    }
    say(format_args!("report in {}", report.display()));
    Ok(if lost == 0 { Ending::Done } else { Ending::Badly })
}

/// What became of the runs of a plan.
enum Made {
    /// All have ended, but those that were lost to an internal error.
    All { sweep: Sweep, lost: usize },
    /// The user stopped them.
    Stopped,
}

/// Makes the runs of a plan that have not ended yet.
fn made(plan: Plan, out: &Path, plan_text: &str, arguments: &ReproduceArguments) -> Result<Made, Refused> {
    let which: Vec<usize> = (0..plan.runs.len()).collect();
    let mut sweep = Sweep::open(out, plan, plan_text, arguments.force)?;
    let share = Share { threads: arguments.threads.count(), at_once: None };
    let lost = with_progress(|show| sweep.advance(&which, share, &interrupt::asked, show))?;
    for (run, said) in &lost {
        complain("internal error", &format!("{}: {said}", sweep.runs()[*run].name));
    }
    let left = sweep.ended().iter().filter(|e| e.is_none()).count();
    if left > lost.len() {
        say(format_args!("stopped by the user: the same command goes on with the {left} runs left"));
        return Ok(Made::Stopped);
    }
    Ok(Made::All { sweep, lost: lost.len() })
}

fn find(name: &str) -> Result<&'static Spec, Refused> {
    let all = figures();
    all.iter().find(|s| s.id == name).ok_or_else(|| {
        let likeness = |s: &&Spec| (1000.0 * strsim::normalized_damerau_levenshtein(name, &s.id)) as i64;
        let nearest = all.iter().rev().max_by_key(likeness).map_or("p1-3", |s| &s.id);
        Refused(format!(
            "there is no figure `{name}`: the nearest is `{nearest}`; `reproduce list` names all"
        ))
    })
}
