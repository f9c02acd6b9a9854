//! Owns the heat map of a sweep: a quantity over two keys, cells that open their runs, and the numbers beside it.

use eframe::egui::Ui;

use super::{choose, choose_key, choose_others, choose_series, key_in_words, numbers};
use crate::gui::app::Asked;
use crate::gui::plot::cells::{CellAxis, Cells, ShownCell};
use crate::gui::plot::colormap::{ColorMap, Colors};
use crate::gui::plot::number;
use crate::gui::spectrum::beside;
use crate::gui::status_line::{self, Part};
use crate::session::Action;
use crate::session::series_words::{in_words, unit};
use crate::session::sweeping::outcomes::{Axis, Cell, Map, Outcomes};
use crate::session::sweeping::view::{Over, View};
use crate::session::sweeping::{Ask, MOST_OPENED, Sweeping};

/// Draws the page.
pub fn show(ui: &mut Ui, sweeping: &Sweeping, outcomes: &Outcomes, with_table: bool, asked: &mut Asked) {
    let mut view = sweeping.view().clone();
    ui.horizontal_wrapped(|ui| controls(ui, sweeping, outcomes, &mut view));
    if view != *sweeping.view() {
        asked.act(Action::Sweep(Ask::View(view.clone())));
    }
    let Some(map) = sweeping.map() else { return };
    caption(ui, map, &view);
    let colors = map.range.map(|(low, high)| Colors::new(ColorMap::Viridis, map.scale, low, high));
    let shown = |cell: &Cell| ShownCell { value: cell.value, crossed: cell.diverged > 0 };
    let shown: Vec<ShownCell> = map.cells.iter().map(shown).collect();
    let axis = |axis: &Axis| {
        let scale = if axis.is_log { ", log" } else { "" };
        if axis.key.is_empty() { String::new() } else { format!("{}{scale}", key_in_words(&axis.key)) }
    };
    let cells = Cells {
        id: "sweep map",
        axes: [&map.x, &map.y].map(|a| CellAxis { name: axis(a), labels: &a.labels, places: &a.places }),
        cells: &shown,
        name: &|k| name(map, k, &view),
        tip: &|k| tip(map, k, &view),
        colors,
    };
    let mut clicked = None;
    beside(ui, with_table, |ui, size| clicked = cells.show(ui, size), |ui| of_cells(ui, map, &view));
    if let Some(cell) = clicked.and_then(|k| map.cells.get(k)) {
        asked.act(Action::Sweep(Ask::OpenRuns(cell.runs.clone())));
    }
}

fn controls(ui: &mut Ui, sweeping: &Sweeping, outcomes: &Outcomes, view: &mut View) {
    if let Some(series) = choose_series(ui, ("Quantity of the map", ""), view.quantity, sweeping) {
        view.quantity = series;
    }
    let overs = [(Over::Median, "median", "The middle value"), (Over::Mean, "mean", "The mean")];
    let entries = overs.map(|(_, name, tip)| (name.to_owned(), tip.to_owned()));
    let now = overs.iter().find(|o| o.0 == view.over).map_or("", |o| o.1);
    let tip = "How the runs of a cell become one number. Those that diverged are counted; in the median of a loss or an accuracy \
               they stand at its bad end, else they are left out";
    if let Some(i) = choose(ui, ("Over the runs of a cell", ""), tip, now, &entries) {
        view.over = overs[i].0;
    }
    let varied = outcomes.varied();
    if let Some(key) =
        choose_key(ui, ("Across", "across"), "The key along the horizontal axis", &view.x, &varied)
    {
        if key == view.y {
            view.y.clone_from(&view.x);
        }
        view.x = key;
    }
    let mut keys = varied;
    keys.push("");
    if let Some(key) = choose_key(ui, ("Up", "up"), "The key along the vertical axis", &view.y, &keys) {
        if key == view.x && !key.is_empty() {
            view.x.clone_from(&view.y);
        }
        view.y = key;
    }
    let (x, y) = (view.x.clone(), view.y.clone());
    choose_others(ui, outcomes, &[&x, &y], view);
}

/// What is seen, in one line.
fn caption(ui: &mut Ui, map: &Map, view: &View) {
    let (mut most, mut diverged, mut open) = (0, 0, 0);
    for cell in &map.cells {
        most = most.max(cell.runs.len());
        diverged += cell.diverged;
        open += cell.runs.len() - cell.ended;
    }
    let over = if view.over == Over::Mean { "mean" } else { "median" };
    let mut text =
        if most > 1 { format!("{over} of up to {most} runs in a cell") } else { "one run in a cell".into() };
    if diverged > 0 {
        text += &format!("; × {diverged} diverged");
    }
    if open > 0 {
        text += &format!("; {open} runs have not ended");
    }
    let tip = "A click on a cell opens its runs. A cross marks a cell with runs that diverged; where at least half of \
               them did, it has no colour.";
    status_line::show(ui, &[Part::new(text, tip)]);
}

fn words(map: &Map, k: usize) -> String {
    let (i, j) = (k % map.x.labels.len(), k / map.x.labels.len());
    let part = |axis: &Axis, i: usize| format!("{} {}", key_in_words(&axis.key), axis.labels[i]);
    if map.y.key.is_empty() { part(&map.x, i) } else { format!("{}, {}", part(&map.x, i), part(&map.y, j)) }
}

fn value(cell: &Cell) -> String {
    match cell.value {
        Some(value) => number::value(value),
        None if cell.ended == 0 => "no run has ended".into(),
        None if cell.diverged > 0 => "diverged".into(),
        None => "no finite value".into(),
    }
}

fn name(map: &Map, k: usize, view: &View) -> String {
    let cell = &map.cells[k];
    let (words, quantity, value) = (words(map, k), in_words(view.quantity), value(cell));
    format!("Cell {words}: {quantity} {value}, {} runs", cell.runs.len())
}

fn tip(map: &Map, k: usize, view: &View) -> String {
    let cell = &map.cells[k];
    let unit = match (cell.value, unit(view.quantity)) {
        (None, _) | (_, "") => String::new(),
        (_, unit) => format!(" {unit}"),
    };
    let mut tip = format!("{}\n{} {}{unit}", words(map, k), in_words(view.quantity), value(cell));
    if cell.used > 1 {
        tip += &format!(", sd {} over {} runs", number::value(cell.sd), cell.used);
    }
    tip += &format!("\n{} of {} runs have ended", cell.ended, cell.runs.len());
    if cell.diverged > 0 {
        tip += &format!(", {} diverged", cell.diverged);
    }
    if cell.ended > 0 {
        let n = cell.ended.min(MOST_OPENED);
        tip += &format!("\nClick to open {}", if n == 1 { "its run".into() } else { format!("{n} runs") });
    }
    tip
}

/// A row for each cell.
fn of_cells(ui: &mut Ui, map: &Map, view: &View) {
    let mut columns = vec![key_in_words(&map.x.key)];
    if !map.y.key.is_empty() {
        columns.push(key_in_words(&map.y.key));
    }
    let first = columns.len();
    columns.extend([in_words(view.quantity), "sd over runs", "runs", "ended", "diverged"].map(String::from));
    numbers(ui, "sweep map", &columns, map.cells.len(), |row, column| {
        let cell = &map.cells[row];
        match column {
            0 => map.x.labels[row % map.x.labels.len()].clone(),
            _ if column < first => map.y.labels[row / map.x.labels.len()].clone(),
            _ => match column - first {
                0 => cell.value.map_or_else(|| value(cell), |v| number::significant(v, 6)),
                1 if cell.used > 1 => number::significant(cell.sd, 5),
                1 => String::new(),
                2 => cell.runs.len().to_string(),
                3 => cell.ended.to_string(),
                _ => cell.diverged.to_string(),
            },
        }
    });
}
