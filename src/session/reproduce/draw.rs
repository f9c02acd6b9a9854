//! Owns how a figure is drawn: a panel for each case, laid out as the paper's.

use super::cells::Cell;
use super::spec::{Arm, Claimed, Plot, Quantity, Spec};
use super::values::{curve, values};
use super::verdict::together;
use crate::files::figure::look::{Dash, Look, run_look};
use crate::files::figure::number::{counted, short, significant};
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Figure, Layer, Panel};
use crate::numerics::statistics::correlation::spearman;
use crate::numerics::statistics::mean_and_sd;
use crate::session::series_words;
use crate::training::history::Series;

/// Bars of a histogram.
const BINS: usize = 12;

/// The figure of a paper from our runs.
pub fn figure(spec: &Spec, cells: &[Cell]) -> Figure {
    let mut panels = Vec::new();
    for plot in &spec.plots {
        for case in 0..spec.cases.len() {
            let of_case: Vec<&Cell> = cells.iter().filter(|c| c.case == case).collect();
            match plot {
                Plot::Curves { series, log, from } => {
                    panels.extend(curves(spec, case, &of_case, series, *log, *from));
                }
                Plot::Against { quantities } => panels.push(against(spec, cells, case, quantities)),
                Plot::Scatter { x, y } => panels.push(scatter(spec, cells, case, x, y)),
                Plot::Histogram { quantity } => {
                    panels.push(histogram(spec, cells, (case, &of_case), quantity))
                }
                Plot::Bars { quantities } => panels.extend(bars(spec, cells, (case, &of_case), quantities)),
            }
        }
    }
    let mut figure = Figure::new(spec.title.clone(), panels);
    let n = figure.panels.len();
    figure.columns = if n.is_multiple_of(3) { 3 } else { n.min(2) };
    figure
}

fn scale(log: bool) -> Scale {
    if log { Scale::Log } else { Scale::Linear }
}

/// The label of an axis for a series by its name.
fn label(series: &str) -> String {
    series.parse().map_or_else(|()| series.replace('_', " "), series_words::label)
}

fn titled(spec: &Spec, case: usize, x: Axis, y: Axis) -> Panel {
    Panel { title: spec.cases[case].name.clone(), x, y, ..Panel::default() }
}

/// One panel with a line for each arm, or, across a key, one for each arm with a line for each value.
fn curves(spec: &Spec, case: usize, cells: &[&Cell], series: &str, log: bool, from: i64) -> Vec<Panel> {
    let Ok(wanted) = series.parse::<Series>() else { return Vec::new() };
    let empty = || {
        let (x, y) = (Axis::new("iteration", Scale::Linear), Axis::new(label(series), scale(log)));
        let seeds = counted(spec.seeds_of(&spec.cases[case]), "seed");
        let lost = cells.iter().flat_map(|cell| &cell.runs).filter(|run| run.diverged()).count();
        let lost = if lost > 0 { format!("; {lost} diverge") } else { String::new() };
        Panel { note: format!("mean, s.d. of {seeds}{lost}"), ..titled(spec, case, x, y) }
    };
    let layers = |cell: &Cell, name: String, slot: usize| {
        let points = curve(cell, wanted, from);
        let look = Look { marker: None, dash: Dash::of_slot(slot), ..run_look(slot) };
        // On a logarithmic axis the band ends at the smallest of the seeds: the mean less the standard deviation
        // may be as small as one likes, or negative.
        let low = |mean: f64, sd: f64, least: f64| if log { least.max(mean - sd) } else { mean - sd };
        let band = points.iter().map(|p| (p.iteration, low(p.mean, p.sd, p.least), p.mean + p.sd)).collect();
        let line = points.iter().map(|p| (p.iteration, p.mean)).collect();
        [Layer::Band { name: String::new(), points: band, color: look.color }, Layer::curve(name, line, look)]
    };
    let Some(along) = &spec.across else {
        let mut panel = empty();
        panel.layers =
            cells.iter().flat_map(|cell| layers(cell, spec.arms[cell.arm].name.clone(), cell.arm)).collect();
        return vec![panel];
    };
    let of_arm = |arm: usize| {
        let mut panel = empty();
        let arm_name = &spec.arms[arm].name;
        panel.title =
            if spec.cases.len() > 1 { format!("{}, {arm_name}", panel.title) } else { arm_name.clone() };
        let own = cells.iter().filter(|c| c.arm == arm).enumerate();
        panel.layers = own
            .flat_map(|(slot, cell)| {
                let value = cell.across.map_or(String::new(), short);
                layers(cell, format!("{} {value}", along.name), slot)
            })
            .collect();
        panel
    };
    (0..spec.arms.len()).map(of_arm).collect()
}

/// Mean and standard deviation of quantities against the values across.
fn against(spec: &Spec, cells: &[Cell], case: usize, ids: &[String]) -> Panel {
    let name = spec.across.as_ref().map_or("", |a| &a.name);
    let chosen: Vec<&Quantity> = ids.iter().filter_map(|id| spec.quantity(id)).collect();
    let log = chosen.iter().all(|q| q.log);
    let label = chosen.first().map_or(String::new(), |q| label(&q.series));
    let mut panel = titled(spec, case, Axis::new(name, Scale::Linear), Axis::new(label, scale(log)));
    for (arm, about) in spec.arms.iter().enumerate() {
        for (k, quantity) in chosen.iter().enumerate() {
            let own = cells.iter().filter(|c| (c.case, c.arm) == (case, arm));
            let points: Vec<(f64, f64, f64, f64)> = own
                .filter_map(|cell| {
                    let (mean, sd) = statistics(spec, cells, cell, quantity)?;
                    Some((cell.across?, mean, mean - sd, mean + sd))
                })
                .collect();
            let look = run_look(arm * chosen.len() + k);
            let line = points.iter().map(|p| (p.0, p.1)).collect();
            let name = format!("{}, {}", about.name, quantity.name);
            panel.layers.push(Layer::curve(String::new(), line, Look { marker: None, ..look }));
            panel.layers.push(Layer::Points { name, points, look });
        }
    }
    panel
}

fn statistics(spec: &Spec, cells: &[Cell], cell: &Cell, quantity: &Quantity) -> Option<(f64, f64)> {
    let values: Vec<f64> = values(spec, cells, cell, quantity).into_iter().map(|(_, v)| v).collect();
    mean_and_sd(&values)
}

/// A point for each run, with the correlation over all.
fn scatter(spec: &Spec, cells: &[Cell], case: usize, x: &str, y: &str) -> Panel {
    let axis =
        |id: &str| spec.quantity(id).map_or_else(Axis::default, |q| Axis::new(q.name.clone(), scale(q.log)));
    let mut panel = titled(spec, case, axis(x), axis(y));
    let mut all = Vec::new();
    for (arm, about) in spec.arms.iter().enumerate() {
        let pairs = together(spec, cells, case, (x, y), std::slice::from_ref(&about.id));
        let points = pairs.iter().map(|(x, y)| (*x, *y, *y, *y)).collect();
        panel.layers.push(Layer::Points { name: about.name.clone(), points, look: run_look(arm) });
        all.extend(pairs);
    }
    let said = |name: &str, pairs: &[(f64, f64)]| {
        let found = spearman(pairs)?;
        let (r, p) = (significant(found.r, 2), significant(found.p, 2));
        Some(format!("{name}{r} (p = {p}, {})", counted(found.n as u64, "run")))
    };
    // Over all rules, or within each where the claims are about one each.
    let within = |arm: &&Arm| {
        spec.claims.iter().any(|claim| match &claim.what {
            Claimed::RiseTogether { arms, .. } => arms[..] == [arm.id.clone()],
            _ => false,
        })
    };
    let each: Vec<String> = spec
        .arms
        .iter()
        .filter(within)
        .filter_map(|arm| {
            let pairs = together(spec, cells, case, (x, y), std::slice::from_ref(&arm.id));
            said(&format!("{} ", arm.name), &pairs)
        })
        .collect();
    let found = if each.is_empty() { said("", &all).into_iter().collect() } else { each };
    panel.note = if found.is_empty() { String::new() } else { format!("Spearman: {}", found.join("; ")) };
    panel
}

/// How often a quantity falls into which of equal bins.
fn histogram(spec: &Spec, cells: &[Cell], (case, of_case): (usize, &[&Cell]), id: &str) -> Panel {
    let Some(quantity) = spec.quantity(id) else { return Panel::default() };
    let (x, y) = (Axis::new(quantity.name.clone(), Scale::Linear), Axis::new("runs", Scale::Linear));
    let mut panel = titled(spec, case, x, y);
    let of_arm: Vec<(usize, Vec<f64>)> = of_case
        .iter()
        .map(|cell| (cell.arm, values(spec, cells, cell, quantity).into_iter().map(|(_, v)| v).collect()))
        .collect();
    let all = || of_arm.iter().flat_map(|(_, v)| v.iter().copied());
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    if !(low < high) {
        return panel;
    }
    let width = (high - low) / BINS as f64;
    let part = width / (of_arm.len() + 1) as f64;
    for (k, (arm, values)) in of_arm.iter().enumerate() {
        let mut counts = [0_usize; BINS];
        values.iter().for_each(|v| counts[(((v - low) / width) as usize).min(BINS - 1)] += 1);
        let bar = |(bin, count): (usize, &usize)| {
            let x = low + width * bin as f64 + part * (k + 1) as f64;
            (x, *count as f64, *count as f64, *count as f64)
        };
        let bars = counts.iter().enumerate().filter(|(_, n)| **n > 0).map(bar).collect();
        let (name, color) = (spec.arms[*arm].name.clone(), run_look(*arm).color);
        panel.layers.push(Layer::Bars { name, bars, width: part, color });
    }
    panel
}

/// Mean and standard deviation of each quantity, a panel for each, a bar for each arm (and value across).
fn bars(spec: &Spec, cells: &[Cell], (case, of_case): (usize, &[&Cell]), ids: &[String]) -> Vec<Panel> {
    let panel = |quantity: &Quantity| {
        let name = |cell: &&Cell| match cell.across {
            Some(value) => format!("{} {}", spec.arms[cell.arm].name, short(value)),
            None => spec.arms[cell.arm].name.clone(),
        };
        let x = Axis::of_names("", of_case.iter().map(name).collect());
        let y = Axis::new(quantity.name.clone(), scale(quantity.log));
        let note = "mean and standard deviation over seeds".into();
        let mut panel = Panel { note, ..titled(spec, case, x, y) };
        for (k, cell) in of_case.iter().enumerate() {
            let Some((mean, sd)) = statistics(spec, cells, cell, quantity) else { continue };
            let bars = vec![(k as f64, mean, mean - sd, mean + sd)];
            let color = run_look(cell.arm).color;
            panel.layers.push(Layer::Bars { name: String::new(), bars, width: 0.6, color });
        }
        panel
    };
    ids.iter().filter_map(|id| spec.quantity(id)).map(panel).collect()
}
