//! Owns the glossary: every quantity and term of the window, what it is, its unit and where it is defined.

use eframe::egui::{self, Ui};

use super::windows;
use crate::training::history::Series;

/// A term with what it means, its unit or range (empty for a thing), and where it is defined.
type Term = (&'static str, &'static str, &'static str, &'static str);

/// Terms that are no series.
#[rustfmt::skip]
const TERMS: &[Term] = &[
    ("Adaptive unit", "A unit whose threshold rises with its own activity: f is applied to h - beta a", "", "P1 Eq. 11-12"),
    ("alpha", "Leak of a unit: the share of its state that it keeps from one step to the next, 1 - dt/tau", "0 to below 1", "P2 Eq. 1"),
    ("Block", "The weights over which the Hessian is taken: w_rec, w_in, w_out or all", "", "P1 (recurrent)"),
    ("BPTT", "Backpropagation through time: the exact gradient", "", "Werbos 1990"),
    ("Cosine", "Of the angle between the rule's gradient and the exact one", "-1 to 1", "P1 App."),
    ("e-prop, three-factor", "Eligibility trace of a synapse times a learning signal of its unit; leaves out all paths through the recurrent weights", "", "Bellec et al. 2020; P1"),
    ("Edge of stability", "Where lambda_max stays near 2/eta while the loss goes on falling", "", "P1 Theorem 1"),
    ("Eligibility trace", "What a synapse remembers of its own past activity", "", "Bellec et al. 2020"),
    ("eta, learning rate", "Factor on the gradient in an update, after the schedule", "", "optimizer.learning_rate"),
    ("Gain", "g of the initial recurrent weights, w_rec ~ N(0, g^2/N)", "above 0", "P2"),
    ("Generalization gap", "Train accuracy minus test accuracy; of a task without accuracy test error minus train error, the errors being losses. Train: the probe batch, on the weights of the iteration", "share, or loss", "P1"),
    ("Ghost", "The curves of a pinned run that was reset", "", ""),
    ("Gradient flossing", "Training of the weights that moves the leading Lyapunov exponents towards 0, before or during training", "", "Engelken 2023; P2"),
    ("Hessian", "Second derivatives of the training loss on the probe batch, by exact Hessian-vector products", "loss per squared weight", "Pearlmutter 1994"),
    ("lambda_max, sharpness", "The largest eigenvalue of the Hessian: how steep the steepest wall of the valley is", "loss per squared weight", "P1"),
    ("lambda_min", "The algebraically smallest eigenvalue; below 0 the loss falls away in some direction", "loss per squared weight", "P1"),
    ("Lyapunov exponent", "How fast nearby states part (above 0, chaos) or meet (below 0, forgetting)", "nats per step", "Benettin et al. 1980; Vogt et al. 2022"),
    ("MDGL", "e-prop with the paths through one more unit", "", "Liu et al. 2021; P1"),
    ("p-value", "How often runs without any dependence or difference would give a coefficient or a difference as far from 0", "0 to 1", "Student's distribution"),
    ("Pearson's r, Spearman's r", "How well a line, or of the ranks any rising or falling curve, fits two quantities of several runs", "-1 to 1", "Student 1908; Spearman 1904"),
    ("Plateau", "Loss and lambda_max no longer change by 1 % over so many iterations", "iterations", "stop.plateau"),
    ("Probe batch", "The fixed trials on which curvature, alignment and exponents are measured", "", "measure.probe_trials"),
    ("Residual", "||Hv - lambda v|| / |lambda|: how well an eigenvalue has converged", "", "Lanczos iteration"),
    ("rho", "How far the rule's gradient goes along the exact one, <g^,g>/<g,g>", "", "P1 Eq. 6"),
    ("RFLO", "e-prop with fixed random feedback in the place of the readout weights", "", "Murray 2019"),
    ("Seed", "The one number from which trials and weights are drawn", "", "seed"),
    ("Slice", "The loss over a plane through weight space; it hides all other directions", "", "Goodfellow et al. 2015; Li et al. 2018"),
    ("Stability line", "2/eta for the exact gradient, 2/(eta rho) for an approximate rule: training does not settle above it", "loss per squared weight", "P1 Theorem 1"),
    ("Stale", "Measured some iterations ago: the weights have moved on", "iterations", ""),
    ("Sweep", "Many runs: every value of every key that varies, with every seed", "", "basinscope sweep"),
    ("Truncated BPTT", "BPTT with error paths cut to the last steps", "steps", "P1 App. Fig. 9"),
];

/// Whether it is open, and what is searched for.
#[derive(Debug, Default)]
pub struct State {
    open: bool,
    search: String,
}

impl State {
    /// Opens or closes it.
    pub fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// Draws it where it is open.
    pub fn show(&mut self, ctx: &egui::Context) {
        self.open &= !windows::is_closed(ctx);
        let (open, search) = (&mut self.open, &mut self.search);
        windows::centred(ctx, "Glossary").open(open).default_size([640.0, 420.0]).show(ctx, |ui| {
            ui.horizontal(|ui| {
                let label = ui.label("Search");
                ui.add(egui::TextEdit::singleline(search).hint_text("A part of a term"))
                    .labelled_by(label.id)
                    .on_hover_text("Terms that have this in their name or in what they mean");
            });
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| entries(ui, search));
        });
    }
}

fn entries(ui: &mut Ui, search: &str) {
    let wanted = search.to_lowercase();
    let found = |parts: &[&str]| parts.iter().any(|part| part.to_lowercase().contains(&wanted));
    let terms: Vec<&Term> = TERMS.iter().filter(|t| found(&[t.0, t.1])).collect();
    let curves: Vec<&Series> = Series::ALL.iter().filter(|s| found(&[s.name(), s.meaning()])).collect();
    if terms.is_empty() && curves.is_empty() {
        ui.label(format!("No entry has \"{search}\" in it"));
        return;
    }
    for (term, meaning, unit, place) in terms {
        let mut more = Vec::new();
        if !unit.is_empty() {
            more.push(format!("Unit or range: {unit}."));
        }
        if !place.is_empty() {
            more.push(format!("Defined: {place}."));
        }
        entry(ui, term, meaning, &more.join(" "));
    }
    if !curves.is_empty() {
        ui.add_space(6.0);
        ui.strong("Curves, by their names in files");
    }
    for series in curves {
        entry(ui, series.name(), series.meaning(), "");
    }
}

fn entry(ui: &mut Ui, term: &str, meaning: &str, more: &str) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(term);
        ui.label(format!("{meaning}."));
        ui.weak(more);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_stand_in_order_and_once() {
        let names: Vec<String> = TERMS.iter().map(|term| term.0.to_lowercase()).collect();
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(names.len(), sorted.len());
    }
}
