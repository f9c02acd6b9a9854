//! Owns the table of any values, for what is not a curve over iterations.

use eframe::egui::{self, Ui};
use egui_extras::{Column, TableBuilder};

use crate::gui::explain;

/// Draws a table with these columns; `cell` gives the text of a row and a column. Only rows that are seen are
/// asked for.
pub fn show(
    ui: &mut Ui,
    title: &str,
    columns: &[impl AsRef<str>],
    n_rows: usize,
    cell: impl Fn(usize, usize) -> String,
) {
    let height = ui.text_style_height(&egui::TextStyle::Monospace) + 4.0;
    ui.push_id((title, "values"), |ui| {
        TableBuilder::new(ui)
            .striped(true)
            .min_scrolled_height(0.0)
            .columns(Column::auto().at_least(52.0), 1)
            .columns(Column::remainder().at_least(56.0).clip(true), columns.len().saturating_sub(1))
            .header(height, |mut header| {
                for name in columns {
                    header.col(|ui| {
                        explain::column(ui, name.as_ref());
                    });
                }
            })
            .body(|body| {
                body.rows(height, n_rows, |mut row| {
                    let i = row.index();
                    for column in 0..columns.len() {
                        row.col(|ui| {
                            ui.monospace(cell(i, column));
                        });
                    }
                });
            });
    });
}
