//! Owns `basinscope reproduce`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::sweep::{say_damaged, with_progress};
use super::{Ending, Refused, ReproduceArguments, complain, interrupt, say};
use crate::session::reproduce::catalogue::figures;
use crate::session::reproduce::page::Page;
use crate::session::reproduce::spec::Spec;
use crate::session::reproduce::{Asked, Made as Figure, Reproduction};
use crate::session::sweep::{Share, Sweep};
use crate::training::plan::Plan;

/// Makes the runs of figures that have not ended yet, then each figure, its tables and its report, and over several
/// a page; or lists the figures.
pub fn reproduce(arguments: &ReproduceArguments) -> Result<Ending, Refused> {
    let names = &arguments.figures;
    if let [list] = &names[..]
        && list == "list"
    {
        for spec in figures() {
            say(format_args!("{:<13}  {}", spec.id, spec.title));
        }
        return Ok(Ending::Done);
    }
    let specs: Vec<&Spec> = match &names[..] {
        [all] if all == "all" => figures().iter().collect(),
        some => some.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    };
    let Some(out) = &arguments.out else {
        return Err(Refused("--out DIR is missing: expected a folder for the runs and the figure".into()));
    };
    let asked = Asked {
        quick: arguments.quick,
        seeds: arguments.seeds.map(u64::from),
        cases: arguments.cases.clone(),
    };
    interrupt::listen();
    match specs[..] {
        [spec] => Ok(figure(spec, &asked, out, &mut BTreeMap::new(), arguments)?.0),
        _ => several(&specs, &asked, out, arguments),
    }
}

/// Makes figures in folders of their own, runs of equal settings once, and a page over them.
fn several(
    specs: &[&Spec],
    asked: &Asked,
    out: &Path,
    arguments: &ReproduceArguments,
) -> Result<Ending, Refused> {
    Page::claim(out, arguments.force)?;
    let mut page = Page::new(asked, &arguments.figures.join(" "));
    let mut known = BTreeMap::new();
    let mut worst = Ending::Done;
    for spec in specs {
        let (ending, made) = figure(spec, asked, &out.join(&spec.id), &mut known, arguments)?;
        let Some(made) = made else { return Ok(ending) };
        if !matches!(ending, Ending::Done) {
            worst = ending;
        }
        page.add(&made);
        page.write(out)?;
    }
    say(format_args!("page over them in {}", page.write(out)?.display()));
    Ok(worst)
}

/// Makes one figure in `out`, taking runs whose settings are `known` from where they are, and adds its own; `None`
/// where the user stopped it.
fn figure(
    spec: &Spec,
    asked: &Asked,
    out: &Path,
    known: &mut BTreeMap<String, PathBuf>,
    arguments: &ReproduceArguments,
) -> Result<(Ending, Option<Figure>), Refused> {
    let (mut figure, plan) = Reproduction::new(spec, asked).map_err(|e| Refused(e.to_string()))?;
    let plan_text = figure.plan_text();
    let mut run = |plan| made(plan, out, &plan_text, known, arguments);
    let (mut sweep, mut lost) = match run(plan)? {
        Made::All { sweep, lost } => (sweep, lost),
        Made::Stopped => return Ok((Ending::Interrupted, None)),
    };
    if let Some(plan) = figure.after_choice(&sweep).map_err(|e| Refused(e.to_string()))? {
        (sweep, lost) = match run(plan)? {
            Made::All { sweep, lost: more } => (sweep, lost + more),
            Made::Stopped => return Ok((Ending::Interrupted, None)),
        };
    }
    let left_out = figure.leaves_out();
    let made = figure.read(&sweep)?;
    let report = made.write(out)?;
    say(&spec.title);
    for found in made.judged() {
        say(format_args!("{} ({}): {}; {}", found.text, found.case, found.verdict, found.numbers()));
    }
    if let Some(less) = left_out {
        say(format_args!("left out by --quick: {less}"));
    }
    say(format_args!("report in {}", report.display()));
    Ok((if lost == 0 { Ending::Done } else { Ending::Badly }, Some(made)))
}

/// What became of the runs of a plan.
enum Made {
    /// All have ended, but those that were lost to an internal error.
    All { sweep: Sweep, lost: usize },
    /// The user stopped them.
    Stopped,
}

/// Makes the runs of a plan that have not ended yet.
fn made(
    plan: Plan,
    out: &Path,
    plan_text: &str,
    known: &mut BTreeMap<String, PathBuf>,
    arguments: &ReproduceArguments,
) -> Result<Made, Refused> {
    let which: Vec<usize> = (0..plan.runs.len()).collect();
    let mut sweep = Sweep::open(out, plan, plan_text, arguments.force)?;
    say_damaged(&sweep);
    sweep.take(known)?;
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
    known.extend(sweep.by_settings());
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
