//! Owns report.md and the tables of a reproduced figure.

use std::fmt::Write;
use std::path::Path;

use super::Made;
use super::cells::{Cell, RunData};
use super::spec::{At, Constants, Pilot, Plot, Spec};
use super::values::{curve, values};
use crate::files::atomic::FileError;
use crate::files::figure::number::{short, significant};
use crate::files::history_csv::number;
use crate::files::summary::VERSION;
use crate::files::table_csv;
use crate::numerics::statistics::{mean_and_sd, median};
use crate::session::series_words::in_words;
use crate::training::history::Series;
use crate::training::run::StopReason;

/// The report in Markdown.
pub fn report(made: &Made) -> String {
    let Made { spec, asked, cells, judged, .. } = made;
    let mut text = format!("# {}\n\n{}\n\n", spec.title, spec.shows);
    if let Some(less) = asked.leaves_out(spec) {
        let _ = writeln!(text, "**A quick look.** It leaves out: {less}.\n");
    }
    let _ = writeln!(text, "![{}]({}.png)\n", spec.title, spec.id);
    let _ = writeln!(text, "## What shows up\n");
    for found in judged {
        let _ =
            writeln!(text, "- {} ({}): **{}**. {}.", found.text, found.case, found.verdict, found.numbers());
    }
    counted_how(&mut text, spec);
    values_table(&mut text, spec, cells);
    ends(&mut text, spec, cells);
    settings(&mut text, spec, cells);
    let seconds: f64 = made.seconds;
    let seeds: Vec<String> =
        spec.cases.iter().map(|c| format!("1 to {} ({})", spec.seeds_of(c), c.name)).collect();
    let _ = writeln!(
        text,
        "\nBasinscope {VERSION}; {} runs, seeds {}; {} s, the times of all runs added. `{}` makes this folder; every run \
         stands in `runs/` with all its settings and their sources.",
        made.n_runs,
        seeds.join(", "),
        significant(seconds, 3),
        asked.command(spec),
    );
    text
}

/// The rules by which values become verdicts.
fn counted_how(text: &mut String, spec: &Spec) {
    let _ = writeln!(
        text,
        "\n## How it is counted\n\n\
         - Seen: the 95 % interval of the effect lies on the claim's side (expanded percentile bootstrap over the seeds \
         that both sides have, Hesterberg 2015; of few pairs it is still too narrow, so below six the paired t test must \
         have p < 0.05 too); for correlations Spearman's p < 0.05; for likeness, the interval within the margin. \
         Every claim is judged by itself: none is corrected for the number of claims.\n\
         - A run that diverged counts in no pair. One whose training loss ends above the one that it began with counts \
         with its losses and accuracies only."
    );
    let curves = spec.plots.iter().any(|plot| matches!(plot, Plot::Curves { .. }));
    let has = |wanted: fn(&At) -> bool| spec.quantities.iter().any(|q| wanted(&q.at));
    let mut rule = |holds: bool, words: &str| {
        if holds {
            let _ = writeln!(text, "- {words}");
        }
    };
    rule(
        curves,
        "Curves: mean over seeds, the band one standard deviation to either side, on a logarithmic axis not below the \
         smallest seed; a run that diverges is drawn until it does.",
    );
    rule(
        has(|at| matches!(at, At::Last)),
        "A curvature, gap, exponent or alignment at the end is the last value measured.",
    );
    rule(
        has(|at| matches!(at, At::End)),
        "A loss or accuracy at the end is the mean over the last tenth of the iterations.",
    );
    rule(
        has(|at| matches!(at, At::LastHalf)),
        "Over the last half: the mean of the later half of the values.",
    );
    rule(
        has(|at| matches!(at, At::Matching { .. })),
        "At equal loss, error or accuracy: the first value from the iteration on at which the mean over one of 500 \
         equal stretches of the run is as good as the other run is at its end. A network that is as good before its \
         first update, or never, has no such value.",
    );
    rule(
        spec.quantities.iter().any(|q| q.series == "generalization_gap"),
        "Generalization gap: training accuracy less test accuracy; of a task without accuracy (pattern generation) test \
         error less training error.",
    );
    text.push('\n');
}

/// How many runs ended for which reason.
fn ends(text: &mut String, spec: &Spec, cells: &[Cell]) {
    let _ = writeln!(text, "## How the runs ended\n");
    let _ = writeln!(
        text,
        "| | | all iterations | plateau | goal | diverged | of these not diverged, loss risen |"
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|");
    for cell in cells {
        let count = |wanted: fn(&RunData) -> bool| cell.runs.iter().filter(|run| wanted(run)).count();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            spec.cases[cell.case].name,
            arm_name(spec, cell),
            count(|run| matches!(run.stop, StopReason::Done | StopReason::Stopped)),
            count(|run| matches!(run.stop, StopReason::Plateau)),
            count(|run| matches!(run.stop, StopReason::LossReached | StopReason::AccuracyReached)),
            count(RunData::diverged),
            count(|run| !run.diverged() && run.has_lost()),
        );
    }
    text.push('\n');
}

fn values_table(text: &mut String, spec: &Spec, cells: &[Cell]) {
    if spec.quantities.is_empty() {
        return;
    }
    let _ = writeln!(text, "## Values\n\nMean and standard deviation over seeds; median.\n");
    let _ = writeln!(text, "| | | quantity | mean | sd | median | runs |");
    let _ = writeln!(text, "|---|---|---|---|---|---|---|");
    for cell in cells {
        for quantity in &spec.quantities {
            let own: Vec<f64> = values(spec, cells, cell, quantity).into_iter().map(|(_, v)| v).collect();
            if own.is_empty() {
                continue;
            }
            let shown = |value: Option<f64>| value.map_or("–".into(), |v| significant(v, 3));
            let both = mean_and_sd(&own);
            let mean = shown(both.map(|(mean, _)| mean));
            // One value has no spread.
            let sd = shown(both.filter(|_| own.len() > 1).map(|(_, sd)| sd));
            let middle = shown(median(&own));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {mean} | {sd} | {middle} | {} |",
                spec.cases[cell.case].name,
                arm_name(spec, cell),
                quantity.name,
                own.len()
            );
        }
    }
    text.push('\n');
}

fn arm_name(spec: &Spec, cell: &Cell) -> String {
    side_name(spec, cell.arm, cell.across)
}

fn side_name(spec: &Spec, arm: usize, across: Option<f64>) -> String {
    let name = &spec.arms[arm].name;
    match (&spec.across, across) {
        (Some(along), Some(value)) => format!("{name}, {} {}", along.name, short(value)),
        _ => name.clone(),
    }
}

fn settings(text: &mut String, spec: &Spec, cells: &[Cell]) {
    let _ = writeln!(
        text,
        "## Settings\n\nP1, P2: the paper's text; C: code that its authors published or followed; own: ours, because \
         the source does not say. All other keys are those of the task's preset (`basinscope presets NAME`).\n"
    );
    let mut list = |title: &str, constants: &Constants| {
        let each = |(key, c): (&String, &crate::training::presets::Constant)| {
            let note = c.note.as_ref().map(|n| format!(", {n}")).unwrap_or_default();
            format!("`{key} = {}` [{}{note}]", c.value, c.source)
        };
        let all: Vec<String> = constants.iter().map(each).collect();
        if !all.is_empty() {
            let _ = writeln!(text, "- {title}: {}", all.join("; "));
        }
    };
    list("all runs", &spec.constants);
    spec.cases.iter().for_each(|case| list(&case.name, &case.constants));
    spec.arms.iter().for_each(|arm| list(&arm.name, &arm.constants));
    for case in &spec.cases {
        if let Some((_, pilot)) = spec.pilot_of(case) {
            list(&format!("{}, runs that choose", case.name), &pilot.constants);
        }
    }
    if let Some(along) = &spec.across {
        let _ = writeln!(text, "- {}: `{}` = {:?} [{}]", along.name, along.key, along.values, along.source);
    }
    for (case, about) in spec.cases.iter().enumerate() {
        let Some(grid) = spec.grid_of(about) else { continue };
        let by = match &grid.pilot {
            None => "the mean training loss over the last tenth of the iterations".into(),
            Some(pilot) => format!(
                "the mean {} over the last tenth of the iterations of other runs ({} at each value, seeds from {} on)",
                in_words(pilot.series()),
                pilot.seeds,
                Pilot::FIRST_SEED
            ),
        };
        let _ = writeln!(
            text,
            "- {}: the best of `{}` = {:?} [{}], by {by}:",
            about.name, grid.key, grid.values, grid.source
        );
        let _ = writeln!(text, "  - a value at which a run diverged is not chosen");
        let ends = [grid.values.first(), grid.values.last()];
        for (arm, across) in
            (0..spec.arms.len()).flat_map(|arm| spec.across_values().into_iter().map(move |a| (arm, a)))
        {
            let own = cells.iter().find(|c| (c.case, c.arm, c.across) == (case, arm, across));
            let chosen = own.and_then(|cell| cell.chosen);
            let at_end = ends.contains(&chosen.as_ref());
            let words =
                chosen.map_or("none, runs diverged at every value: no run counts".into(), |v| v.to_string());
            let edge = if at_end { " (at the end of the grid: a better one may lie beyond)" } else { "" };
            let _ = writeln!(text, "  - {}: {words}{edge}", side_name(spec, arm, across));
        }
    }
    for line in &spec.unknown {
        let _ = writeln!(text, "- not known: {line}");
    }
}

/// Writes values.csv, a number for each quantity and run, and curves.csv, mean and spread over seeds.
///
/// # Errors
/// The path and what the system said.
pub fn tables(folder: &Path, spec: &Spec, cells: &[Cell]) -> Result<(), FileError> {
    let across = |cell: &Cell| cell.across.map_or(String::new(), number);
    let labels =
        |cell: &Cell| vec![spec.cases[cell.case].id.clone(), spec.arms[cell.arm].id.clone(), across(cell)];
    let mut rows = Vec::new();
    for cell in cells {
        for quantity in &spec.quantities {
            for (seed, value) in values(spec, cells, cell, quantity) {
                let mut row = labels(cell);
                row.extend([seed.to_string(), quantity.id.clone(), number(value)]);
                rows.push(row);
            }
        }
    }
    let header = ["case", "arm", "across", "seed", "quantity", "value"];
    table_csv::write(&folder.join("values.csv"), &header, &rows)?;
    let mut rows = Vec::new();
    for plot in &spec.plots {
        let Plot::Curves { series, from, .. } = plot else { continue };
        let Ok(wanted) = series.parse::<Series>() else { continue };
        for cell in cells {
            for point in curve(cell, wanted, *from) {
                let mut row = labels(cell);
                let [at, mean, sd] = [point.iteration, point.mean, point.sd].map(number);
                row.extend([series.clone(), at, mean, sd, point.n.to_string()]);
                rows.push(row);
            }
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let header = ["case", "arm", "across", "series", "iteration", "mean", "sd", "seeds"];
    table_csv::write(&folder.join("curves.csv"), &header, &rows)
}
