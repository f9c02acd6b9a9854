//! Owns [`Picture`], the plots that can be written to a file, and how the runs that are shown become a figure.

mod curves;
mod landscape;
mod network;
mod spectrum;

use super::{RunEntry, Session, gains};
use crate::files::figure::look::{Dash, GREY, Look};
use crate::files::figure::number::{counted, value};
use crate::files::figure::scale::{Scale, threshold};
use crate::files::figure::{Axis, Figure, Layer, Panel};

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
            _ => self.curves_panel(picture).into_iter().collect(),
        };
        if panels.is_empty() { Vec::new() } else { vec![Part::Panels(panels)] }
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
