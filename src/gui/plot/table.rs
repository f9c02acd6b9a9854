//! Owns the table of the numbers of a plot, for reading exact values and for screen readers.

use eframe::egui::{self, Ui};
use egui_extras::{Column, TableBuilder};

use super::number;
use crate::gui::explain::{self, explained};
use crate::session::curves::Point;

/// A column: its name with what it is, its values with iterations rising, and whether these are all.
pub type NumberColumn<'a> = ((&'a str, &'a str), (&'a [Point], bool));

/// Width of a column at first: a number with all its digits.
const COLUMN: f32 = 150.0;

/// Draws a table with a row for every iteration at which any column has a value; a cell without one is empty.
/// The rows scroll to `iteration` when it is given.
pub fn show(ui: &mut Ui, title: &str, columns: &[NumberColumn<'_>], iteration: Option<f64>) {
    if columns.iter().any(|(_, (_, all))| !all) {
        ui.weak("Older values are in the saved files.");
    }
    let longest = columns.iter().map(|c| c.1.0).max_by_key(|points| points.len()).unwrap_or_default();
    let extra = iterations_outside(longest, columns);
    let n_rows = longest.len() + extra.len();
    let height = ui.text_style_height(&egui::TextStyle::Monospace) + 4.0;
    let wide = egui::ScrollArea::horizontal().id_salt((title, "table"));
    wide.show(ui, |ui| {
        let mut table = TableBuilder::new(ui)
            .striped(true)
            .min_scrolled_height(0.0)
            .columns(Column::auto().at_least(64.0), 1)
            .columns(Column::initial(COLUMN).at_least(70.0).clip(true), columns.len());
        if let Some(at) = iteration {
            let row = longest.partition_point(|p| (p.iteration as f64) < at);
            table = table.scroll_to_row(row, Some(egui::Align::Center));
        }
        table
            .header(height, |mut header| {
                header.col(|ui| {
                    explain::column(ui, "iteration");
                });
                for ((name, tip), _) in columns {
                    header.col(|ui| {
                        explained(ui.strong(*name), || format!("{name}: {tip}"));
                    });
                }
            })
            .body(|body| {
                body.rows(height, n_rows, |mut row| {
                    let at = nth_iteration(longest, &extra, row.index());
                    row.col(|ui| {
                        ui.monospace(number::count(at));
                    });
                    for (_, (points, _)) in columns {
                        row.col(|ui| {
                            if let Ok(i) = points.binary_search_by_key(&at, |p| p.iteration) {
                                ui.monospace(number::exact(points[i].value));
                            }
                        });
                    }
                });
            });
    });
}

/// Iterations of the columns that the longest one lacks, rising. Only short columns have to be walked: most
/// measures are taken at iterations that the training loss has too.
fn iterations_outside(longest: &[Point], columns: &[NumberColumn<'_>]) -> Vec<i64> {
    let covered = longest.first().map(|p| p.iteration).zip(longest.last().map(|p| p.iteration));
    let mut extra: Vec<i64> = columns
        .iter()
        .filter(|(_, (points, _))| !std::ptr::eq(*points, longest))
        .flat_map(|(_, (points, _))| points.iter().map(|p| p.iteration))
        .filter(|at| {
            let inside = covered.is_some_and(|(first, last)| (first..=last).contains(at));
            !inside || longest.binary_search_by_key(at, |p| p.iteration).is_err()
        })
        .collect();
    extra.sort_unstable();
    extra.dedup();
    extra
}

/// The n-th of both rising lists taken together.
fn nth_iteration(longest: &[Point], extra: &[i64], n: usize) -> i64 {
    // How many of `extra` are among the first n: the least k with extra[k] > longest[n - k - 1].
    let (mut low, mut high) = (n.saturating_sub(longest.len()), n.min(extra.len()));
    while low < high {
        let k = (low + high) / 2;
        if extra[k] < longest[n - k - 1].iteration { low = k + 1 } else { high = k }
    }
    let from_longest = longest.get(n - low).map(|p| p.iteration);
    let from_extra = extra.get(low).copied();
    match (from_longest, from_extra) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_union_of_all_iterations_in_order() {
        let points = |iterations: [i64; 5]| iterations.map(|iteration| Point { iteration, value: 0.0 });
        let (long, short) = (points([0, 2, 4, 6, 8]), points([-3, 2, 5, 9, 11]));
        let columns = [(("a", ""), (long.as_slice(), true)), (("b", ""), (short.as_slice(), true))];
        let extra = iterations_outside(&long, &columns);
        assert_eq!(extra, [-3, 5, 9, 11]);
        let rows: Vec<i64> = (0..9).map(|n| nth_iteration(&long, &extra, n)).collect();
        assert_eq!(rows, [-3, 0, 2, 4, 5, 6, 8, 9, 11]);
    }
}
