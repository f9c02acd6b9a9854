//! Owns the pictures of curves: series of the runs that are shown, with means, stability lines and marks.

use super::{Picture, signed};
use crate::files::figure::look::{Dash, GREY, Look, run_look};
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::numerics::curvature::stability::{StabilityLine, Standing};
use crate::session::across::{Abscissa, Across, Horizontal, smoothed_loss};
use crate::session::compare::band;
use crate::session::curves::Curve;
use crate::session::runs::Mark;
use crate::session::stability::Lines;
use crate::session::{Group, RunEntry, Session};
use crate::training::history::Series;

/// Points of a curve at most.
const COLUMNS: usize = 500;

/// A plot of curves: title, label of the vertical axis, whether it is logarithmic (`None`: for both signs),
/// series with name and dash, a value that is worth a line.
struct Curves {
    title: &'static str,
    label: &'static str,
    log: Option<bool>,
    series: &'static [(Series, &'static str, Dash)],
    level: Option<(f64, &'static str)>,
}

fn curves_of(picture: Picture) -> Option<Curves> {
    use Series::*;
    let (title, label, log): (_, _, Option<bool>) = match picture {
        Picture::Loss => ("Loss", "loss", Some(true)),
        Picture::Accuracy => ("Accuracy", "accuracy", Some(false)),
        Picture::Curvature => ("Leading Hessian eigenvalues", "eigenvalue", None),
        Picture::Sharpness => ("Sharpness", "lambda_max", None),
        Picture::Trace => ("Hessian trace", "trace", None),
        Picture::Rho => ("Rho and cosine", "", Some(false)),
        Picture::Gap => ("Generalization gap", "gap", Some(false)),
        Picture::Lyapunov => ("Largest Lyapunov exponent", "nats per step", Some(false)),
        Picture::Alignment => ("Alignment and generalization gap", "", Some(false)),
        Picture::All | Picture::Slice | Picture::Cut | Picture::Shake => return None,
        Picture::Spectrum | Picture::Activity | Picture::Weights | Picture::Gains => return None,
        Picture::SweepMap | Picture::SweepCurves | Picture::SweepScatter => return None,
    };
    let (series, level): (&[_], _) = match picture {
        Picture::Loss => (&[(TrainLoss, "train", Dash::Solid), (TestLoss, "test", Dash::Dashed)], None),
        Picture::Accuracy => {
            (&[(TrainAccuracy, "train", Dash::Solid), (TestAccuracy, "test", Dash::Dashed)], None)
        }
        Picture::Curvature => {
            (&[(LambdaMax, "lambda_max", Dash::Solid), (LambdaMin, "lambda_min", Dash::Dashed)], None)
        }
        Picture::Sharpness => (&[(LambdaMax, "lambda_max", Dash::Solid)], None),
        Picture::Trace => (&[(HessianTrace, "trace", Dash::Solid)], None),
        Picture::Rho => (
            &[(Rho, "rho", Dash::Solid), (Cosine, "cosine", Dash::Dashed)],
            Some((1.0, "the exact gradient")),
        ),
        Picture::Gap => (&[(GeneralizationGap, "gap", Dash::Solid)], Some((0.0, "no gap"))),
        Picture::Lyapunov => {
            (&[(LyapunovMax, "largest exponent", Dash::Solid)], Some((0.0, "neither growing nor shrinking")))
        }
        _ => (
            &[
                (Rho, "rho", Dash::Solid),
                (Cosine, "cosine", Dash::Dashed),
                (GeneralizationGap, "gap", Dash::Dotted),
            ],
            Some((1.0, "the exact gradient")),
        ),
    };
    Some(Curves { title, label, log, series, level })
}

impl Session {
    /// A plot of curves; `None` where it is none, or no run has a value of it.
    pub(super) fn curves_panel(&self, picture: Picture) -> Option<Panel> {
        let plot = &curves_of(picture)?;
        let runs: Vec<&RunEntry> = self.runs().iter().filter(|run| !run.hidden).collect();
        let horizontal = self.horizontal.get(&picture).copied().unwrap_or_default();
        let mut groups = self.groups();
        // A mean over seeds is taken at equal iterations.
        groups.retain(|group| horizontal.across == Across::Iterations && group.members.len() > 1);
        let group_of = |run: &RunEntry| groups.iter().find(|group| group.members.contains(&run.id));
        let alone = runs.len() == 1;
        let mut layers = Vec::new();
        let mut note = String::new();
        for run in &runs {
            let before = layers.len();
            let group = group_of(run);
            let slot = group.and_then(|g| self.run(g.members[0])).map_or(run.colour, |first| first.colour);
            for (series, name, dash) in plot.series {
                let Some(curve) = run.curves.get(*series) else { continue };
                let name = if alone { (*name).to_owned() } else { format!("{}, {name}", run.name) };
                let look = run_look(slot).dashed(*dash);
                match group {
                    Some(_) => layers.push(Layer::curve("", raw(curve), look.faint())),
                    None => layers.extend(lines(curve, *series, &name, look)),
                }
            }
            if matches!(picture, Picture::Curvature | Picture::Sharpness) {
                note = stability(run, alone, &mut layers, slot).unwrap_or(note);
            }
            if alone {
                let mark = |m: &Mark| Layer::Moment { name: m.text.clone(), x: m.iteration as f64 };
                layers.extend(run.marks.iter().map(mark));
            }
            if horizontal.across != Across::Iterations {
                let own = layers.split_off(before);
                layers.extend(own.into_iter().map(|layer| against(run, horizontal, layer)));
            }
        }
        for group in &groups {
            layers.extend(self.means(group, plot));
        }
        if layers.is_empty() {
            return None;
        }
        if let Some((y, name)) = plot.level {
            let look = Look { width: 0.7, ..Look::solid(GREY) }.dashed(Dash::Dotted);
            layers.push(Layer::Level { name: name.into(), y, look });
        }
        let scale = match plot.log {
            Some(true) => Scale::Log,
            Some(false) => Scale::Linear,
            None => signed(
                layers.iter().flat_map(|layer| match layer {
                    Layer::Curve { points, .. } => points.iter().map(|p| p.1).collect(),
                    _ => Vec::new(),
                }),
                3,
            ),
        };
        let x_scale = if horizontal.log { Scale::Log } else { Scale::Linear };
        let falling = horizontal.across == Across::Loss;
        let x = Axis { falling, ..Axis::new(horizontal.across.name(), x_scale) };
        let y = Axis::new(plot.label, scale);
        Some(Panel { title: plot.title.into(), x, y, layers, note })
    }

    /// Mean and band of the seeds of a setting.
    fn means(&self, group: &Group, plot: &Curves) -> Vec<Layer> {
        let runs: Vec<&RunEntry> = group.members.iter().filter_map(|id| self.run(*id)).collect();
        let Some(first) = runs.first() else { return Vec::new() };
        let mut layers = Vec::new();
        for (series, name, dash) in plot.series {
            let curves: Vec<&Curve> = runs.iter().filter_map(|run| run.curves.get(*series)).collect();
            let last = curves.iter().map(|c| c.last().map_or(0, |p| p.iteration)).min().unwrap_or(0);
            let points = band(&curves, 0.0, last as f64, 200);
            if points.is_empty() {
                continue;
            }
            let look = Look { width: 1.4, ..run_look(first.colour).dashed(*dash) };
            let area = points.iter().map(|p| (p.x, p.edges().0, p.edges().1)).collect();
            layers.push(Layer::Band { name: String::new(), points: area, color: look.color });
            let own = first.name.split(", seed ").next().unwrap_or_default();
            let name = format!("{own}, {name}, mean and s.d. of {} seeds", curves.len());
            layers.push(Layer::curve(name, points.iter().map(|p| (p.x, p.mean)).collect(), look));
        }
        layers
    }
}

/// What is drawn of a run by iteration, against another horizontal axis; what has no place there is left out.
fn against(run: &RunEntry, horizontal: Horizontal, layer: Layer) -> Layer {
    let loss = match horizontal.across {
        Across::Loss => smoothed_loss(&run.curves, horizontal.span),
        Across::Iterations | Across::Seconds => Vec::new(),
    };
    let axis = match horizontal.across {
        Across::Iterations => Abscissa::Iteration,
        Across::Seconds => Abscissa::Seconds(&run.seconds),
        Across::Loss => Abscissa::Through(&loss),
    };
    match layer {
        Layer::Curve { name, points, look } => {
            let points = points.into_iter().filter_map(|(i, value)| Some((axis.at(i)?, value)));
            Layer::Curve { name, points: points.collect(), look }
        }
        Layer::Moment { name, x } => Layer::Moment { name, x: axis.at(x).unwrap_or(f64::NAN) },
        other => other,
    }
}

/// Every value, or the smallest and the largest of each column.
fn raw(curve: &Curve) -> Vec<(f64, f64)> {
    let last = curve.last().map_or(0, |p| p.iteration);
    let first = curve.first_iteration().unwrap_or(0);
    let mut points: Vec<(f64, f64)> = curve
        .visible(first as f64, last as f64, COLUMNS)
        .points
        .iter()
        .map(|p| (p.iteration as f64, p.value))
        .collect();
    points.extend(curve.bad().iter().map(|p| (p.iteration as f64, f64::NAN)));
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

/// A curve; of a noisy one its mean over each column, with the values faint behind.
fn lines(curve: &Curve, series: Series, name: &str, look: Look) -> Vec<Layer> {
    let is_noisy = matches!(series, Series::TrainLoss | Series::TrainAccuracy);
    if !is_noisy || curve.len() < 2 * COLUMNS {
        return vec![Layer::curve(name, raw(curve), look)];
    }
    let last = curve.last().map_or(0, |p| p.iteration);
    let means = curve.means(0.0, last as f64, COLUMNS / 4);
    vec![Layer::curve("", raw(curve), look.faint()), Layer::curve(name, means, look)]
}

/// Adds the stability lines of a run; what holds and what is only a guide.
fn stability(run: &RunEntry, alone: bool, layers: &mut Vec<Layer>, slot: usize) -> Option<String> {
    let mut lines = Lines::default();
    lines.update(&run.curves, &run.config, run.task.as_ref(), &run.changes());
    let mut note = None;
    for (curve, now, dash) in
        [(&lines.exact, &lines.exact_now, Dash::Dotted), (&lines.own, &lines.own_now, Dash::Sparse)]
    {
        let Some(now) = now.as_ref().filter(|_| !curve.is_empty()) else { continue };
        if !alone && dash == Dash::Dotted && lines.own_now.is_some() {
            continue;
        }
        let name = if alone { now.formula.clone() } else { format!("{}, {}", run.name, now.formula) };
        let look = Look { marker: None, ..run_look(slot) }.dashed(dash);
        layers.push(Layer::curve(name, raw(curve), look));
        note = Some(standing(now));
    }
    note.filter(|_| alone)
}

fn standing(line: &StabilityLine) -> String {
    let reasons: Vec<String> = line.reasons.iter().map(ToString::to_string).collect();
    match line.standing {
        Standing::Holds => format!("The line {} holds.", line.formula),
        Standing::Guide | Standing::None => format!("The line is a guide only: {}.", reasons.join("; ")),
    }
}
