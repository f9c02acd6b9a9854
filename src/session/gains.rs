//! Owns the gain explorer's looks and scan as they leave the program: a figure and a table.

use std::fmt::Write as _;

use super::explorer::{GainExplorer, Summary};
use super::pictures::{disc, ranked};
use crate::files::figure::look::{Dash, GREY, run_look};
use crate::files::figure::number::{counted, significant, value};
use crate::files::figure::scale::Scale;
use crate::files::figure::{self, Axis, Layer, Panel};
use crate::files::history_csv;
use crate::training::explore::Look;

/// The network that is looked at, and after flossing where it was flossed, and the scan over gains.
pub(super) fn panels(explorer: &GainExplorer) -> Vec<Panel> {
    let mut panels = explorer.look().map(|look| of_look(look, explorer.floss())).unwrap_or_default();
    panels.extend(of_scan(explorer));
    panels
}

fn of_look(look: &Look, floss: Option<&Look>) -> Vec<Panel> {
    let looks: Vec<(String, &Look, figure::look::Look)> =
        std::iter::once(("before training".to_owned(), look))
            .chain(
                floss.map(|floss| {
                    (format!("after {} of flossing", counted(floss.flossed, "iteration")), floss)
                }),
            )
            .enumerate()
            .map(|(slot, (name, look))| (name, look, run_look(slot)))
            .collect();
    let exponents =
        looks.iter().map(|(name, look, drawn)| ranked(&look.exponents.mean, name.clone(), *drawn));
    let (layers, notes): (Vec<Layer>, Vec<String>) = exponents.unzip();
    // What is not drawn of the network before tells enough.
    let note = notes.into_iter().next().unwrap_or_default();
    let (x, y) = (Axis::new("rank", Scale::Linear), Axis::new("nats per step", Scale::Linear));
    let title = format!("Lyapunov exponents at gain {}", value(look.gain));
    let mut panels = vec![Panel { title, x, y, layers, note }];
    let places: Vec<_> = looks
        .iter()
        .filter_map(|(name, look, drawn)| Some((name.clone(), look.eigenvalues.as_deref()?, *drawn)))
        .collect();
    if !places.is_empty() {
        let title = format!("Eigenvalues of w_rec at gain {}", value(look.gain));
        panels.push(disc(&title, &places, look.gain, String::new()));
    }
    panels
}

/// Mean with one standard deviation over the seeds.
fn of_scan(explorer: &GainExplorer) -> Vec<Panel> {
    let (summaries, (_, updates)) = (explorer.summaries(), explorer.scan());
    let Some(most) = summaries.iter().map(|s| s.seeds).max() else { return Vec::new() };
    let layers = |name: &str, slot: usize, of: fn(&Summary) -> (f64, f64)| {
        let finite = || summaries.iter().map(|s| (s.gain, of(s))).filter(|(_, (mean, _))| mean.is_finite());
        let look = run_look(slot);
        let area = finite().map(|(gain, (mean, sd))| (gain, mean - sd, mean + sd)).collect();
        let name = format!("{name}, mean and s.d. of {}", counted(most as u64, "seed"));
        vec![
            Layer::Band { name: String::new(), points: area, color: look.color },
            Layer::curve(name, finite().map(|(gain, (mean, _))| (gain, mean)).collect(), look),
        ]
    };
    let panel = |title: &str, label: &str, layers: Vec<Layer>, note: String| {
        let (x, y) = (Axis::new("initial gain", Scale::Linear), Axis::new(label, Scale::Linear));
        Panel { title: title.into(), x, y, layers, note }
    };
    let mut exponent = layers("before training", 0, |s| s.leading);
    let zero = figure::look::Look { width: 0.7, ..figure::look::Look::solid(GREY) }.dashed(Dash::Dotted);
    exponent.push(Layer::Level { name: "neither growing nor shrinking".into(), y: 0.0, look: zero });
    let crossing =
        explorer.zero_crossing().map(|gain| format!("It crosses 0 at gain {}.", significant(gain, 3)));
    let mut lie = layers("cosine", 2, |s| s.cosine);
    lie.extend(layers("rho", 4, |s| s.rho));
    let mut panels = vec![
        panel("Leading Lyapunov exponent", "nats per step", exponent, crossing.unwrap_or_default()),
        panel("Rule's gradient against the exact one", "", lie, String::new()),
    ];
    if updates > 0 {
        let diverged: usize = summaries.iter().map(|s| s.diverged).sum();
        let note = if diverged > 0 {
            format!("Diverged, counted as infinite: {}.", counted(diverged as u64, "run"))
        } else {
            String::new()
        };
        let look = run_look(3);
        let known = || summaries.iter().filter(|s| s.loss[1].is_finite());
        let area = known().filter(|s| s.loss[2].is_finite()).map(|s| (s.gain, s.loss[0], s.loss[2]));
        let (updates, seeds) = (counted(updates, "update"), counted(most as u64, "seed"));
        let name = format!("after {updates}, median and quartiles of {seeds}");
        let loss = vec![
            Layer::Band { name: String::new(), points: area.collect(), color: look.color },
            Layer::curve(name, known().map(|s| (s.gain, s.loss[1])).collect(), look),
        ];
        let mut panel = panel("Loss on the probe batch", "loss", loss, note);
        panel.y = Axis::new("loss", Scale::Log);
        panels.push(panel);
    }
    panels
}

/// A scan as CSV: its updates are those that the loss belongs to, its trials those that exponents, cosine, rho and loss
/// are of.
pub(super) fn table(explorer: &GainExplorer) -> Result<String, String> {
    let (points, updates) = explorer.scan();
    if points.is_empty() {
        return Err("There is no scan to write: open the gain explorer first.".into());
    }
    let mut table = String::from("gain,seed,lyapunov_max,cosine,rho,updates,loss,trials\n");
    for p in points {
        let [gain, leading, cosine, rho, loss] =
            [p.gain, p.leading, p.cosine, p.rho, p.loss].map(history_csv::number);
        let _ = writeln!(table, "{gain},{},{leading},{cosine},{rho},{updates},{loss},{}", p.seed, p.trials);
    }
    Ok(table)
}
