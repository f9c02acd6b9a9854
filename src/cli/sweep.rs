//! Owns `basinscope sweep`.

use std::path::Path;

use toml::Table;

use super::check::MOST_TOML;
use super::progress::Progress;
use super::{Ending, Refused, SweepArguments, complain, interrupt, say};
use crate::files::atomic::{self, FileError};
use crate::session::sweep::{self, Share, Sweep};
use crate::training::config::resolve::parse;
use crate::training::plan::Plan;
use crate::training::run::StopReason;

/// A part of a plan, such as 2/5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    parts: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match numbers {
            Some((part, parts)) if (1..=parts).contains(&part) => Ok(Self { part, parts }),
            _ => Err("expected I/N with I from 1 to N, such as 2/5".into()),
        }
    }
}

/// Makes the runs of a plan, or of one part of it, that have not ended yet.
pub fn sweep(arguments: &SweepArguments) -> Result<Ending, Refused> {
    let (text, plan) = read(&arguments.plan)?;
    let Shard { part, parts } = arguments.shard.unwrap_or(Shard { part: 1, parts: 1 });
    let which = plan.shard(part, parts);
    let mut warnings: Vec<&String> = which.iter().flat_map(|i| &plan.runs[*i].warnings).collect();
    warnings.sort();
    warnings.dedup();
    warnings.iter().for_each(|w| complain("warning", w));
    let mut sweep = Sweep::open(&arguments.out, plan, &text, arguments.force)?;
    say_damaged(&sweep);
    let before = count_ended(&sweep, &which);
    interrupt::listen();
    let share = Share { threads: arguments.threads.count(), at_once: arguments.jobs.map(usize::from) };
    let lost = with_progress(|show| sweep.advance(&which, share, &interrupt::asked, show))?;
    for (run, said) in &lost {
        complain("internal error", &format!("{}: {said}", sweep.runs()[*run].name));
    }
    let of = if parts == 1 { String::new() } else { format!("shard {part}/{parts}: ") };
    Ok(report(&sweep, &which, before, &of, lost.len()))
}

/// Does work that reports how far it is, with a bar or lines on standard error.
pub fn with_progress<T>(work: impl FnOnce(&mut dyn FnMut(sweep::Progress)) -> T) -> T {
    let mut progress: Option<Progress> = None;
    let done = work(&mut |now: sweep::Progress| {
        let last = i64::try_from(now.updates).unwrap_or(i64::MAX);
        let progress = progress.get_or_insert_with(|| Progress::new(0, last));
        progress.update(i64::try_from(now.updates_done).unwrap_or(last).min(last), now.left, || {
            format!("{} of {} runs done", now.runs_done, now.runs)
        });
    });
    if let Some(progress) = progress {
        progress.finish();
    }
    done
}

/// Says which runs had ended and are made again all the same.
pub fn say_damaged(sweep: &Sweep) {
    for folder in sweep.damaged() {
        let what =
            "a file of this run is not as it was written (`basinscope check` says which); it is made again";
        complain("warning", &format!("{}: {what}", folder.display()));
    }
}

/// A plan with its text.
pub fn read(path: &Path) -> Result<(String, Plan), FileError> {
    let text = atomic::read_text(path, MOST_TOML)?;
    if let Some(figure) = sweep::figure_of(&text) {
        let problem = format!(
            "is no plan but names the figure {figure}: its runs are made by `basinscope reproduce {figure} --out DIR`"
        );
        return Err(FileError::new(path, problem));
    }
    let given: Table = parse(&text).map_err(|e| FileError::new(path, e))?;
    let plan = Plan::new(given).map_err(|e| FileError::new(path, e))?;
    Ok((text, plan))
}

fn count_ended(sweep: &Sweep, which: &[usize]) -> usize {
    which.iter().filter(|i| sweep.ended()[**i].is_some()).count()
}

/// How many ended, and how.
fn report(sweep: &Sweep, which: &[usize], before: usize, of: &str, lost: usize) -> Ending {
    let ended = count_ended(sweep, which);
    let diverged = |i: &&usize| {
        sweep.ended()[**i]
            .as_ref()
            .is_some_and(|e| matches!(e.stop, StopReason::Diverged { .. } | StopReason::Undefined { .. }))
    };
    let diverged = which.iter().filter(diverged).count();
    say(format_args!(
        "{of}{ended} of {} runs have ended, {before} of them before, {diverged} diverged",
        which.len()
    ));
    say(format_args!("index in {}", sweep.index().display()));
    let left = which.len() - ended;
    if left > lost && interrupt::asked() {
        say(format_args!("stopped by the user: the same command goes on with the {left} runs left"));
        return Ending::Interrupted;
    }
    if diverged + lost > 0 { Ending::Badly } else { Ending::Done }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn a_shard_is_a_part_of_a_whole() {
        assert_eq!("2/5".parse(), Ok(Shard { part: 2, parts: 5 }));
        assert_eq!("1/1".parse(), Ok(Shard { part: 1, parts: 1 }));
        for wrong in ["", "1", "0/3", "4/3", "1/0", "-1/2", "a/b", "1/2/3", "1.5/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
