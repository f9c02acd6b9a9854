//! Owns report.md and the tables of a reproduced figure.

use std::fmt::Write;
use std::path::Path;

use super::Made;
use super::cells::Cell;
use super::spec::{Constants, Pilot, Plot, Spec};
use super::values::{curve, values};
use crate::files::atomic::FileError;
use crate::files::figure::number::significant;
use crate::files::history_csv::number;
use crate::files::summary::VERSION;
use crate::files::table_csv;
use crate::numerics::statistics::{mean_and_sd, median};
use crate::session::series_words::in_words;
use crate::training::history::Series;

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
    let _ = writeln!(
        text,
        "\nSeen: the 95 % interval of the effect (paired bootstrap over seeds) lies on the claim's side, and with fewer \
         than six pairs the paired t test has p < 0.05 too; for correlations Spearman's p < 0.05. A run that \
         diverged counts in no pair.\n"
    );
    values_table(&mut text, spec, cells);
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

fn values_table(text: &mut String, spec: &Spec, cells: &[Cell]) {
    if spec.quantities.is_empty() {
        return;
    }
    let _ = writeln!(text, "## Values\n\nMean and standard deviation over seeds; median.\n");
    let _ = writeln!(text, "| | | quantity | mean | sd | median | runs | diverged |");
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|");
    for cell in cells {
        for quantity in &spec.quantities {
            let own: Vec<f64> = values(spec, cells, cell, quantity).into_iter().map(|(_, v)| v).collect();
            let diverged = cell.runs.iter().filter(|r| r.diverged).count();
            let (mean, sd) = mean_and_sd(&own).unwrap_or((f64::NAN, f64::NAN));
            let [mean, sd, middle] = [mean, sd, median(&own).unwrap_or(f64::NAN)].map(|v| significant(v, 3));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {mean} | {sd} | {middle} | {} | {diverged} |",
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
    let name = &spec.arms[cell.arm].name;
    match (&spec.across, cell.across) {
        (Some(along), Some(value)) => format!("{name}, {} {}", along.name, significant(value, 3)),
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
        for cell in cells.iter().filter(|cell| cell.case == case) {
            let chosen = cell.chosen.map_or(String::new(), |v| v.to_string());
            let _ = writeln!(text, "  - {}: {chosen}", arm_name(spec, cell));
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
