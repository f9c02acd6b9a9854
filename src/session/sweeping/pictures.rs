//! Owns the plots of a sweep for print.

use super::Sweeping;
use super::outcomes::{Map, Related};
use super::view::{Over, View};
use crate::files::figure::look::{Dash, Look, run_look};
use crate::files::figure::number::{counted, significant};
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::session::pictures::Picture;
use crate::session::series_words::{in_words, is_log, label};
use crate::session::setting_words;

impl Sweeping {
    /// A plot of the open sweep as it is looked at; `None` where there is nothing to draw.
    pub(in crate::session) fn panel(&self, picture: Picture) -> Option<Panel> {
        match picture {
            Picture::SweepMap => {
                heat(self.map()?, self.view(), self.held_in_words(&[&self.view().x, &self.view().y]))
            }
            Picture::SweepCurves => self.curves_panel(),
            Picture::SweepScatter => self.scatter_panel(),
            _ => None,
        }
    }

    fn curves_panel(&self) -> Option<Panel> {
        let view = self.view();
        let groups = self.groups().iter().enumerate().filter(|(_, g)| !g.points.is_empty());
        let lowest = self.groups().iter().flat_map(|g| &g.points).map(|p| p.ends.0);
        let scale = if is_log(view.curve, lowest) { Scale::Log } else { Scale::Linear };
        let layers: Vec<Layer> = groups
            .flat_map(|(slot, group)| {
                let look = Look { marker: None, dash: Dash::of_slot(slot), ..run_look(slot) };
                let band = group.points.iter().map(|p| (p.x, p.edges().0, p.edges().1)).collect();
                let mean = group.points.iter().map(|p| (p.x, p.mean)).collect();
                let name =
                    format!("{} ({})", of_key(&view.group, &group.label), counted(group.runs as u64, "run"));
                [
                    Layer::Band { name: String::new(), points: band, color: look.color },
                    Layer::curve(name, mean, look),
                ]
            })
            .collect();
        (!layers.is_empty()).then(|| Panel {
            title: "Sweep, mean and standard deviation over runs".into(),
            x: Axis::new("iteration", Scale::Linear),
            y: Axis::new(label(view.curve), scale),
            layers,
            note: self.held_in_words(&[&view.group]),
        })
    }

    /// At which values the keys are held that a plot does not show.
    fn held_in_words(&self, used: &[&str]) -> String {
        let Some(outcomes) = self.outcomes() else { return String::new() };
        let held = outcomes
            .others(used)
            .into_iter()
            .filter_map(|key| Some(of_key(key, &self.view().held(key).label(outcomes.labels(key))?)));
        let held: Vec<String> = held.collect();
        if held.is_empty() { String::new() } else { format!("At {}.", held.join(", ")) }
    }

    fn scatter_panel(&self) -> Option<Panel> {
        let (view, scatter) = (self.view(), self.scatter());
        let all = || scatter.groups.iter().flat_map(|(_, points)| points);
        let (x, y) = view.scatter;
        let logs = [is_log(x, all().map(|p| p.1)), is_log(y, all().map(|p| p.2))];
        let scales = logs.map(|log| if log { Scale::Log } else { Scale::Linear });
        let layers: Vec<Layer> = scatter
            .shown()
            .map(|(slot, points, name)| Layer::Points {
                name: of_key(&view.group, name),
                points: points.iter().map(|(_, x, y)| (*x, *y, *y, *y)).collect(),
                look: run_look(slot),
            })
            .collect();
        let found = scatter.related.iter().map(|(name, related)| format!("{name}: {}", in_numbers(related)));
        let left_out = [(scatter.diverged, "diverged"), (scatter.without, "without a finite value")];
        let left_out = left_out.into_iter().filter(|(n, _)| *n > 0);
        let left_out = left_out.map(|(n, why)| format!("left out: {} {why}", counted(n as u64, "run")));
        let note = found.chain(left_out).collect::<Vec<_>>().join("; ");
        (!layers.is_empty()).then(|| Panel {
            title: "Sweep, a point for each run".into(),
            x: Axis::new(label(x), scales[0]),
            y: Axis::new(label(y), scales[1]),
            layers,
            note,
        })
    }
}

/// A key at a value, in words.
fn of_key(key: &str, label: &str) -> String {
    format!("{} {}", setting_words::key(key), setting_words::term(key, label))
}

fn heat(map: &Map, view: &View, held: String) -> Option<Panel> {
    map.range?;
    let places = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
    let over = if view.over == Over::Mean { "mean" } else { "median" };
    let grey = map.cells.iter().filter(|c| c.value.is_none()).count();
    let ended = || map.cells.iter().map(|cell| cell.ended);
    let diverged: usize = map.cells.iter().map(|cell| cell.diverged).sum();
    let runs = match (ended().min(), ended().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most} runs a cell"),
        (Some(n), _) => format!("{} a cell", counted(n as u64, "run")),
        _ => String::new(),
    };
    let runs = if diverged > 0 { format!("{runs}, {diverged} of all diverged.") } else { format!("{runs}.") };
    Some(Panel {
        title: format!("Sweep, {over} {}", in_words(view.quantity)),
        x: named(&map.x),
        y: named(&map.y),
        layers: vec![Layer::Heat {
            name: label(view.quantity),
            x: places(map.x.labels.len()),
            y: places(map.y.labels.len()),
            values: map.cells.iter().map(|c| c.value.unwrap_or(f64::NAN)).collect(),
            scale: map.scale,
        }],
        note: {
            let grey = if grey > 0 { "Grey: diverged, not ended, or without a finite value." } else { "" };
            let some: Vec<&str> =
                [held.as_str(), runs.as_str(), grey].into_iter().filter(|s| !s.is_empty()).collect();
            some.join(" ")
        },
    })
}

/// An axis of the map with its values in words.
fn named(axis: &super::outcomes::Axis) -> Axis {
    let labels = axis.labels.iter().map(|label| setting_words::term(&axis.key, label).to_owned());
    let name = if axis.key.is_empty() { String::new() } else { setting_words::key(&axis.key) };
    Axis::of_names(name, labels.collect())
}

/// `n = 36: Pearson r = 0.52, p = 0.001; Spearman r = 0.48, p = 0.003`, or why not.
pub fn in_numbers(related: &Related) -> String {
    let p = |p: f64| if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
    match &related.found {
        Ok([pearson, spearman]) => {
            let r = [pearson, spearman].map(|c| (significant(c.r, 2), p(c.p)));
            format!(
                "n = {}, Pearson r = {}, {}; Spearman r = {}, {}",
                related.n, r[0].0, r[0].1, r[1].0, r[1].1
            )
        }
        Err(why) => format!("n = {}, {why}", related.n),
    }
}
