//! Owns [`Picture`], the plots that can be written to a file, and how the runs that are shown become a figure.

mod landscape;
mod network;
mod spectrum;

use super::across::{Abscissa, Across, Horizontal, smoothed_loss};
use super::compare::band;
use super::curves::Curve;
use super::stability::Lines;
use super::{Group, RunEntry, Session, gains};
use crate::files::figure::look::{Dash, GREY, Look, run_look};
use crate::files::figure::number::{counted, value};
use crate::files::figure::scale::{Scale, threshold};
use crate::files::figure::{Axis, Figure, Layer, Panel};
use crate::numerics::curvature::stability::{StabilityLine, Standing};
use crate::training::history::Series;

/// A plot that can be written as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Picture {
    /// Every plot that there are values for.
    All,
    Loss,
    Accuracy,
    Curvature,
    /// The largest eigenvalue alone, with its stability lines; this and the next three are for pages of lessons.
    Sharpness,
    Trace,
    /// Rho and cosine without the gap.
    Rho,
    Gap,
    Lyapunov,
    Alignment,
    /// The slice of the landscape of the selected run.
    Slice,
    /// The loss along the axes of that slice, and between two networks.
    Cut,
    /// Loss and accuracy under noise on the weights, as shaken last.
    Shake,
    /// Hessian eigenvalues of the selected run as measured last, their density, their course over training, and its
    /// Lyapunov exponents.
    Spectrum,
    /// Input, units and output of the selected run during the probe trial that is shown.
    Activity,
    /// The matrices of the selected run, the spread of their values, eigenvalues, singular values of the update.
    Weights,
    /// The gain explorer: the network that is looked at, and the scan.
    Gains,
    /// A quantity of the open sweep over two keys.
    SweepMap,
    /// A series of the open sweep as mean and band.
    SweepCurves,
    /// Two quantities of the open sweep against each other.
    SweepScatter,
}

impl Picture {
    /// The plots of the open sweep; in the whole figure behind those of the runs.
    pub const OF_SWEEP: [Picture; 3] = [Picture::SweepMap, Picture::SweepCurves, Picture::SweepScatter];

    /// The plots of the runs and of the gain explorer, in the order of the whole figure.
    pub const PLOTS: [Picture; 12] = [
        Picture::Loss,
        Picture::Accuracy,
        Picture::Curvature,
        Picture::Lyapunov,
        Picture::Alignment,
        Picture::Slice,
        Picture::Cut,
        Picture::Shake,
        Picture::Spectrum,
        Picture::Activity,
        Picture::Weights,
        Picture::Gains,
    ];

    /// The name of its file, without an ending.
    pub fn name(self) -> &'static str {
        match self {
            Picture::All => "figure",
            Picture::Loss => "loss",
            Picture::Accuracy => "accuracy",
            Picture::Curvature => "curvature",
            Picture::Sharpness => "sharpness",
            Picture::Trace => "trace",
            Picture::Rho => "rho and cosine",
            Picture::Gap => "gap",
            Picture::Lyapunov => "lyapunov",
            Picture::Alignment => "alignment",
            Picture::Slice => "slice",
            Picture::Cut => "cut",
            Picture::Shake => "shake",
            Picture::Spectrum => "spectrum",
            Picture::Activity => "activity",
            Picture::Weights => "weights",
            Picture::Gains => "gains",
            Picture::SweepMap => "sweep-map",
            Picture::SweepCurves => "sweep-curves",
            Picture::SweepScatter => "sweep-scatter",
        }
    }
}

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

/// What a figure is made of.
pub(super) struct Drawing {
    title: String,
    parts: Vec<Part>,
    below_each_other: bool,
}

enum Part {
    Panels(Vec<Panel>),
    /// Their eigenvalues may have to be found yet.
    Weights(Box<network::Weights>),
}

/// Width and height in millimetres of panels that share their horizontal axis, below each other.
const BELOW_EACH_OTHER: (f64, f64) = (120.0, 48.0);

impl Drawing {
    /// The figure.
    pub fn figure(self) -> Figure {
        let panels = self.parts.into_iter().flat_map(|part| match part {
            Part::Panels(panels) => panels,
            Part::Weights(weights) => weights.panels(),
        });
        let figure = Figure::new(self.title, panels.collect());
        if !self.below_each_other {
            return figure;
        }
        let (width, panel_height) = BELOW_EACH_OTHER;
        Figure { columns: 1, width, panel_height, in_line: true, ..figure }
    }
}

/// Points of a curve at most.
const COLUMNS: usize = 500;

impl Session {
    /// A plot of the runs that are not hidden, ready for print.
    ///
    /// # Errors
    /// Where there is nothing to draw, in words.
    pub fn figure(&self, picture: Picture) -> Result<Figure, String> {
        self.drawing(picture).map(Drawing::figure)
    }

    /// What such a figure is made of, so that what takes long can be done on another thread.
    pub(super) fn drawing(&self, picture: Picture) -> Result<Drawing, String> {
        let all = [&Picture::PLOTS[..], &Picture::OF_SWEEP[..]].concat();
        let plots: &[Picture] = if picture == Picture::All { &all } else { &[picture] };
        let parts: Vec<Part> = plots.iter().flat_map(|plot| self.parts(*plot)).collect();
        if parts.is_empty() {
            return Err(match picture {
                Picture::SweepMap | Picture::SweepCurves | Picture::SweepScatter => {
                    "There is nothing to draw yet: look at this plot in the panel Sweep first."
                }
                Picture::Slice | Picture::Cut => "There is no slice to draw: press Slice now first.",
                Picture::Shake => "Nothing was shaken yet: press Shake it in the landscape first.",
                Picture::Activity => "There is no activity to draw yet: look at the panel Activity first.",
                Picture::Weights => "There are no weights to draw yet: look at the panel Weights first.",
                Picture::Gains => "There is no scan to draw: open the gain explorer first.",
                _ => "There is nothing to draw yet: no run has a value of this plot.",
            }
            .into());
        }
        let title = if picture == Picture::All { self.figure_title() } else { String::new() };
        Ok(Drawing { title, parts, below_each_other: picture == Picture::Activity })
    }

    fn figure_title(&self) -> String {
        let runs: Vec<&RunEntry> = self.runs().iter().filter(|run| !run.hidden).collect();
        match runs.as_slice() {
            [run] => format!("{}, {}", run.name, run.config.task.own.kind().title()),
            runs => format!("{} runs", runs.len()),
        }
    }

    fn parts(&self, picture: Picture) -> Vec<Part> {
        let panels = match picture {
            Picture::All => Vec::new(),
            Picture::Slice => {
                let run = self.current();
                let descending = |run: &RunEntry| self.bench().descending().filter(|d| d.run == run.id);
                run.and_then(|run| Some(landscape::slice(run, self.slice_of(run)?, descending(run))))
                    .into_iter()
                    .collect()
            }
            Picture::Cut => landscape::cuts(self),
            Picture::Shake => landscape::shake(self),
            Picture::Spectrum => self.current().map(spectrum::panels).unwrap_or_default(),
            Picture::Activity => self.current().map(network::activity).unwrap_or_default(),
            Picture::Weights => {
                let weights = self.current().and_then(|run| network::Weights::of(run, self.weight_spectra()));
                return weights.map(|weights| Part::Weights(Box::new(weights))).into_iter().collect();
            }
            Picture::Gains => gains::panels(self.explorer()),
            Picture::SweepMap | Picture::SweepCurves | Picture::SweepScatter => {
                self.sweeping.panel(picture).into_iter().collect()
            }
            _ => curves_of(picture).and_then(|plot| self.curves_panel(picture, &plot)).into_iter().collect(),
        };
        if panels.is_empty() { Vec::new() } else { vec![Part::Panels(panels)] }
    }

    fn curves_panel(&self, picture: Picture, plot: &Curves) -> Option<Panel> {
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
                let mark =
                    |m: &super::runs::Mark| Layer::Moment { name: m.text.clone(), x: m.iteration as f64 };
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

/// A scale for both signs that shows these values, over at most so many decades as the window's plot of them.
fn signed(values: impl Iterator<Item = f64>, decades: i32) -> Scale {
    let magnitudes: Vec<f64> = values.map(f64::abs).filter(|m| *m > 0.0 && m.is_finite()).collect();
    let smallest = magnitudes.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = magnitudes.iter().copied().fold(0.0, f64::max);
    Scale::SignedLog { threshold: threshold(smallest, largest, decades) }
}

/// Eigenvalues in the complex plane with the circles of radius 1 and of the gain.
pub(super) fn disc(title: &str, clouds: &[(String, &[(f64, f64)], Look)], gain: f64, note: String) -> Panel {
    let circle = |name: String, radius: f64, dash: Dash| {
        let angle = |i: i32| std::f64::consts::TAU * f64::from(i) / 180.0;
        let points = (0..=180).map(|i| (radius * angle(i).cos(), radius * angle(i).sin())).collect();
        Layer::curve(name, points, Look { width: 0.7, ..Look::solid(GREY) }.dashed(dash))
    };
    let mut layers = vec![circle("radius 1".into(), 1.0, Dash::Dotted)];
    if gain > 0.0 && gain != 1.0 {
        layers.push(circle(format!("initial gain {}", value(gain)), gain, Dash::Dashed));
    }
    layers.extend(clouds.iter().map(|(name, places, look)| {
        let points = places.iter().map(|(re, im)| (*re, *im, *im, *im)).collect();
        Layer::Points { name: name.clone(), points, look: *look }
    }));
    let x = Axis::new("real part", Scale::Linear);
    let y = Axis { unit_as_across: true, ..Axis::new("imaginary part", Scale::Linear) };
    Panel { title: title.into(), x, y, layers, note }
}

/// Exponents in their order, without those that are -inf, and what to say of these.
pub(super) fn ranked(exponents: &[f64], name: String, look: Look) -> (Layer, String) {
    let all = exponents.iter().enumerate().map(|(i, v)| ((i + 1) as f64, *v, *v, *v));
    let points: Vec<_> = all.filter(|point| point.1.is_finite()).collect();
    let hidden = exponents.len() - points.len();
    let note = match hidden {
        0 => String::new(),
        n => format!("Not drawn, as they are -inf: {}.", counted(n as u64, "exponent")),
    };
    (Layer::Points { name, points, look }, note)
}
