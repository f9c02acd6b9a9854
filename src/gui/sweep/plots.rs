//! Owns the curves of a sweep as mean and band, and the scatter of two of its quantities with their correlation.

use eframe::egui::{self, Ui};

use super::{choose_key, choose_others, choose_series, key_in_words, numbers};
use crate::gui::app::Asked;
use crate::gui::plot::number;
use crate::gui::plot::points::{self, Cloud, Points};
use crate::gui::plot::scale::Scale;
use crate::gui::spectrum::beside;
use crate::gui::status_line::{self, Part};
use crate::gui::theme::Dash;
use crate::session::Action;
use crate::session::series_words::{in_words, is_log};
use crate::session::sweeping::curves::MOST_RUNS;
use crate::session::sweeping::outcomes::Outcomes;
use crate::session::sweeping::pictures::in_numbers;
use crate::session::sweeping::view::View;
use crate::session::sweeping::{Ask, Sweeping};
use crate::training::history::Series;

/// Draws the page of the curves.
pub fn curves(ui: &mut Ui, sweeping: &Sweeping, outcomes: &Outcomes, with_table: bool, asked: &mut Asked) {
    let mut view = sweeping.view().clone();
    ui.horizontal_wrapped(|ui| {
        if let Some(series) = choose_series(ui, ("Series of the curves", ""), view.curve, sweeping) {
            view.curve = series;
        }
        choose_group(ui, outcomes, &mut view);
        let group = view.group.clone();
        choose_others(ui, outcomes, &[&group], &mut view);
        if sweeping.is_reading() {
            ui.spinner();
        }
    });
    if view != *sweeping.view() {
        asked.act(Action::Sweep(Ask::View(view.clone())));
    }
    let groups = sweeping.groups();
    let diverged: usize = groups.iter().map(|g| g.diverged).sum();
    let left_out = if diverged > 0 { format!("; {diverged} diverged, left out") } else { String::new() };
    let (read, ended): (usize, usize) =
        (groups.iter().map(|g| g.runs).sum(), groups.iter().map(|g| g.ended - g.diverged).sum());
    let of = if read < ended {
        format!(" ({} of {} runs)", number::count(read as i64), number::count(ended as i64))
    } else {
        String::new()
    };
    let text = format!("mean and one standard deviation over runs{of}{left_out}");
    let tip = format!(
        "Read from the runs' files, as means over stretches where they are long; of at most {} runs at once. Runs \
         differ in the seed, and in the keys of which all values are taken.",
        number::count(MOST_RUNS as i64)
    );
    status_line::show(ui, &[Part::new(text, tip)]);
    if groups.iter().all(|g| g.points.is_empty()) {
        ui.weak("No curve yet: no run of these has ended, or none has this series.");
        return;
    }
    let dark = ui.visuals().dark_mode;
    let shown = groups.iter().enumerate().filter(|(_, g)| !g.points.is_empty());
    let clouds: Vec<Cloud> = shown
        .map(|(slot, group)| {
            let name = format!("{} {} ({} runs)", key_in_words(&view.group), group.label, group.runs);
            let mean = group.points.iter().map(|p| [p.x, p.mean]).collect();
            let mut cloud = points::cloud(name, slot, dark, mean);
            // Markers on a short curve only: on a long one they would hide it.
            if group.points.len() > 24 {
                cloud.look.marker = None;
            }
            cloud.look.dash = Dash::of_slot(slot);
            cloud.is_joined = true;
            cloud.band = group.points.iter().map(|p| p.edges().into()).collect();
            cloud.tip(format!("{}; mean and one standard deviation", view.curve.meaning()))
        })
        .collect();
    let lowest = groups.iter().flat_map(|g| &g.points).map(|p| p.ends.0);
    let y = if is_log(view.curve, lowest) { Scale::Log } else { Scale::Linear };
    let plot = Points {
        scales: [Scale::Linear, y],
        zero_line: view.curve == Series::LyapunovMax,
        ..Points::new("Curves of the sweep", "iteration", in_words(view.curve), clouds)
    };
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns = ["value", "iteration", "mean over runs", "sd over runs", "runs"].map(String::from);
            let rows: Vec<_> =
                groups.iter().flat_map(|g| g.points.iter().map(move |p| (&g.label, p))).collect();
            numbers(ui, "sweep curves", &columns, rows.len(), |row, column| {
                let (label, point) = rows[row];
                match column {
                    0 => label.clone(),
                    1 => number::count(point.x.round() as i64),
                    2 => number::significant(point.mean, 6),
                    3 => number::significant(point.sd, 5),
                    _ => point.n.to_string(),
                }
            });
        },
    );
}

fn choose_group(ui: &mut Ui, outcomes: &Outcomes, view: &mut View) {
    let tip = "Runs with different values of this key differ in colour and mark";
    if let Some(key) = choose_key(ui, ("Told apart by", "by"), tip, &view.group, &outcomes.varied()) {
        view.group = key;
    }
}

/// Draws the page of the scatter.
pub fn scatter(ui: &mut Ui, sweeping: &Sweeping, outcomes: &Outcomes, with_table: bool, asked: &mut Asked) {
    let mut view = sweeping.view().clone();
    ui.horizontal_wrapped(|ui| {
        if let Some(series) = choose_series(ui, ("Quantity up", ""), view.scatter.1, sweeping) {
            view.scatter.1 = series;
        }
        if let Some(series) = choose_series(ui, ("Quantity across", "against"), view.scatter.0, sweeping) {
            view.scatter.0 = series;
        }
        choose_group(ui, outcomes, &mut view);
    });
    if view != *sweeping.view() {
        asked.act(Action::Sweep(Ask::View(view.clone())));
    }
    let scatter = sweeping.scatter();
    let lines: Vec<String> =
        scatter.related.iter().map(|(name, related)| format!("{name}: {}", in_numbers(related))).collect();
    // The plot keeps most of the room; what has none stands in the tooltip.
    let room = (LINES_SHARE * ui.available_height() / ui.text_style_height(&egui::TextStyle::Small)) as usize;
    for line in lines.iter().take(room.clamp(1, 1 + MOST_LINES)) {
        let small = egui::Label::new(egui::RichText::new(line).small()).truncate();
        ui.add(small.show_tooltip_when_elided(false)).on_hover_ui(|ui| {
            ui.label(lines.iter().take(MOST_IN_TIP).map(|line| format!("{line}\n")).collect::<String>());
            ui.label(COEFFICIENTS);
        });
    }
    let left_out: Vec<String> = [(scatter.diverged, "diverged"), (scatter.without, "without a finite value")]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, why)| format!("{n} {why}"))
        .collect();
    if !left_out.is_empty() {
        let text = format!("left out: {}", left_out.join(", "));
        status_line::show(ui, &[Part::new(text, "Runs without a point in the plot")]);
    }
    let dark = ui.visuals().dark_mode;
    let clouds: Vec<Cloud> = scatter
        .shown()
        .map(|(slot, runs, label)| {
            let name = format!("{} {label}", key_in_words(&view.group));
            points::cloud(name, slot, dark, runs.iter().map(|(_, x, y)| [*x, *y]).collect())
                .tip("A point for each run, as it ended; a click on it opens the run")
        })
        .collect();
    if clouds.is_empty() {
        ui.weak("No run that has ended has both quantities.");
        return;
    }
    let (x, y) = view.scatter;
    let all = |axis: usize| clouds.iter().flat_map(|c| &c.points).map(move |p| p[axis]);
    let logs = [is_log(x, all(0)), is_log(y, all(1))];
    let scales = logs.map(|log| if log { Scale::Log } else { Scale::Linear });
    let plot = Points { scales, ..Points::new("Scatter of the sweep", in_words(x), in_words(y), clouds) };
    let mut clicked = None;
    beside(
        ui,
        with_table,
        |ui, size| clicked = plot.show(ui, size).and_then(|click| click.point),
        |ui| {
            let rows: Vec<_> = scatter.groups.iter().flat_map(|(_, points)| points).collect();
            let mut columns: Vec<String> = outcomes.columns().iter().map(|c| key_in_words(c)).collect();
            let keys = columns.len();
            columns.extend([in_words(x), in_words(y)].map(String::from));
            numbers(ui, "sweep scatter", &columns, rows.len(), |row, column| {
                let (run, x, y) = *rows[row];
                match column {
                    _ if column < keys => outcomes.rows()[run].labels[column].clone(),
                    _ if column == keys => number::significant(x, 6),
                    _ => number::significant(y, 6),
                }
            });
        },
    );
    let run = clicked.and_then(|(cloud, i)| Some(scatter.shown().nth(cloud)?.1.get(i)?.0));
    if let Some(run) = run {
        asked.act(Action::Sweep(Ask::OpenRuns(vec![run])));
    }
}

/// Lines of correlations within groups beside that of all, in the panel and in the tooltip, and the share of the
/// panel's height that they may take (`[own]`).
const MOST_LINES: usize = 4;
const MOST_IN_TIP: usize = 12;
const LINES_SHARE: f32 = 0.25;

const COEFFICIENTS: &str = "Pearson's r: how well a line fits the values \
    themselves, not their logarithms, also where an axis is logarithmic, -1 to 1. Spearman's: the same of the ranks, so how well \
    any rising or falling curve fits. p: how often runs without any dependence would give a coefficient as far from 0 \
    (two-sided, Student's distribution). Defined in Student 1908, Fisher 1915, Spearman 1904.";
