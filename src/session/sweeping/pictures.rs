//! Owns the plots of a sweep for print.

use super::Sweeping;
use super::outcomes::{Map, Related};
use super::view::{Over, View};
use crate::files::figure::look::{Dash, Look, run_look};
use crate::files::figure::number::significant;
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::session::pictures::Picture;
use crate::session::series_words::{in_words, is_log, label};

impl Sweeping {
    /// A plot of the open sweep as it is looked at; `None` where there is nothing to draw.
    pub(in crate::session) fn panel(&self, picture: Picture) -> Option<Panel> {
        match picture {
            Picture::SweepMap => heat(self.map()?, self.view()),
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
                let name = format!("{} {} ({} runs)", view.group, group.label, group.runs);
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
            note: String::new(),
        })
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
                name: format!("{} {name}", view.group),
                points: points.iter().map(|(_, x, y)| (*x, *y, *y, *y)).collect(),
                look: run_look(slot),
            })
            .collect();
        let note = scatter.related.first().map_or(String::new(), |(_, related)| in_numbers(related));
        (!layers.is_empty()).then(|| Panel {
            title: "Sweep, a point for each run".into(),
            x: Axis::new(label(x), scales[0]),
            y: Axis::new(label(y), scales[1]),
            layers,
            note,
        })
    }
}

fn heat(map: &Map, view: &View) -> Option<Panel> {
    map.range?;
    let places = |n: usize| (0..n).map(|i| i as f64).collect::<Vec<_>>();
    let over = if view.over == Over::Mean { "mean" } else { "median" };
    let grey = map.cells.iter().filter(|c| c.value.is_none()).count();
    Some(Panel {
        title: format!("Sweep, {over} {}", in_words(view.quantity)),
        x: Axis::of_names(&map.x.key, map.x.labels.clone()),
        y: Axis::of_names(&map.y.key, map.y.labels.clone()),
        layers: vec![Layer::Heat {
            name: label(view.quantity),
            x: places(map.x.labels.len()),
            y: places(map.y.labels.len()),
            values: map.cells.iter().map(|c| c.value.unwrap_or(f64::NAN)).collect(),
            scale: map.scale,
        }],
        note: if grey > 0 {
            "Grey: diverged, not ended, or without a finite value.".into()
        } else {
            String::new()
        },
    })
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
