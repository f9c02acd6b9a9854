//! Owns [`Trace`]: a curve as lines and marks in places of a plot, about two points a column of the screen; and
//! [`Traces`], those of the frame before.

use std::collections::HashMap;

use super::scale::Scale;
use crate::session::across::{Abscissa, RunningMean};
use crate::session::curves::{Curve, Point, Reading};

impl Abscissa<'_> {
    /// The first iteration between `low` and `high` at which the axis reaches `x`; `None` where the axis does
    /// not rise with the iterations.
    fn iteration_at(self, x: f64, mut low: f64, mut high: f64) -> Option<f64> {
        match self {
            Abscissa::Iteration => Some(x.clamp(low, high)),
            Abscissa::Through(_) => None,
            Abscissa::Seconds(seconds) => {
                // 60 halvings: below one iteration for any run that can be made.
                for _ in 0..60 {
                    let middle = 0.5 * (low + high);
                    if seconds.at(middle) < x { low = middle } else { high = middle }
                }
                Some(high)
            }
        }
    }
}

/// A curve ready to be drawn. All coordinates are places (see [`Scale`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Stretches without a gap.
    pub lines: Vec<Vec<[f64; 2]>>,
    /// Where values that are not finite are.
    pub not_finite: Vec<f64>,
    /// Where values are that a logarithmic vertical axis cannot show.
    pub below: Vec<f64>,
}

impl Trace {
    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }

    fn push(&mut self, point: [f64; 2]) {
        match self.lines.last_mut() {
            Some(line) => line.push(point),
            None => self.lines.push(vec![point]),
        }
    }

    /// Joins the points of each of `columns` columns of `view` to its first, lowest, highest and last, so that
    /// no more is drawn than can be seen.
    fn thin(&mut self, columns: usize) {
        for line in &mut self.lines {
            let (Some(first), Some(last)) = (line.first(), line.last()) else { continue };
            let width = (last[0] - first[0]) / columns.max(1) as f64;
            if line.len() <= 3 * columns || width.is_nan() || width <= 0.0 {
                continue;
            }
            let start = first[0];
            let mut thinned = Vec::with_capacity(4 * columns);
            for column in
                line.chunk_by(|a, b| ((a[0] - start) / width) as i64 == ((b[0] - start) / width) as i64)
            {
                let lowest = (0..column.len()).min_by(|a, b| column[*a][1].total_cmp(&column[*b][1]));
                let highest = (0..column.len()).max_by(|a, b| column[*a][1].total_cmp(&column[*b][1]));
                let (a, b) = (lowest.unwrap_or(0), highest.unwrap_or(0));
                thinned.push(column[a.min(b)]);
                if a != b {
                    thinned.push(column[a.max(b)]);
                }
            }
            *line = thinned;
        }
    }
}

/// How a curve is drawn.
#[derive(Clone, Copy)]
pub struct Drawing<'a> {
    /// The curve.
    pub curve: &'a Curve,
    /// The horizontal axis.
    pub abscissa: Abscissa<'a>,
    /// Scales of both axes.
    pub scales: [Scale; 2],
    /// Columns of the screen for the visible stretch; at least 1.
    pub columns: usize,
    /// Places at the left and right end of the view; `None` = all.
    pub view: Option<(f64, f64)>,
}

impl Drawing<'_> {
    fn x_place(&self, iteration: f64) -> Option<f64> {
        self.scales[0].place(self.abscissa.at(iteration)?)
    }

    /// First and last iteration of the curve.
    fn whole(&self) -> Option<(f64, f64)> {
        Some((self.curve.first_iteration()? as f64, self.curve.last()?.iteration as f64))
    }

    /// First and last iteration in view.
    fn in_view(&self) -> Option<(f64, f64)> {
        let (first, last) = self.whole()?;
        let at = |place: f64| self.abscissa.iteration_at(self.scales[0].value(place), first, last);
        match self.view {
            Some((left, right)) => Some((at(left).unwrap_or(first), at(right).unwrap_or(last))),
            None => Some((first, last)),
        }
    }

    /// The view cut where its columns hold ever more iterations, so that each part can be summed up evenly:
    /// from, to, columns.
    fn parts(&self) -> Vec<(f64, f64, usize)> {
        let Some((from, to)) = self.in_view() else { return Vec::new() };
        let mut parts = Vec::new();
        let mut low = from;
        if self.scales[0] == Scale::Log && matches!(self.abscissa, Abscissa::Iteration) && to > 1.0 {
            let decades = (to.log10() - from.max(1.0).log10()).max(1e-9);
            while low * 4.0 < to {
                let high = (low * 4.0).max(4.0);
                let share = 4f64.log10() / decades;
                parts.push((low, high, (self.columns as f64 * share).ceil() as usize));
                low = high;
            }
        }
        parts.push((low, to, self.columns));
        parts
    }

    /// The values themselves: the smallest and the largest of each column, in their order, with a gap where one
    /// is not finite.
    pub fn raw(&self) -> Trace {
        let mut trace = Trace::default();
        let mut bad = self.curve.bad().iter().peekable();
        let (first, last) = self.in_view().unwrap_or_default();
        let mut newest = i64::MIN;
        for (from, to, columns) in self.parts() {
            // A third of the columns: the groups that come back are between two thirds of a column and eleven
            // columns of them to a column wide; what is finer is thinned below.
            for point in self.curve.visible(from, to, columns.div_ceil(3)).points {
                if point.iteration <= newest {
                    continue;
                }
                newest = point.iteration;
                while bad.next_if(|b| b.iteration < point.iteration).is_some() {
                    trace.gap();
                }
                let Some(x) = self.x_place(point.iteration as f64) else {
                    trace.gap();
                    continue;
                };
                match self.scales[1].place(point.value) {
                    Some(y) => trace.push([x, y]),
                    None => {
                        trace.below.push(x);
                        trace.gap();
                    }
                }
            }
        }
        let near = |b: &&Point| (first - 1.0..=last + 1.0).contains(&(b.iteration as f64));
        trace
            .not_finite
            .extend(self.curve.bad().iter().filter(near).filter_map(|b| self.x_place(b.iteration as f64)));
        if !matches!(self.abscissa, Abscissa::Through(_)) {
            trace.thin(self.columns);
        }
        trace
    }

    /// The running mean with weights exp(-age / `span`), age in iterations.
    pub fn smoothed(&self, span: f64) -> Trace {
        let mut trace = Trace::default();
        let mut mean = RunningMean::new(span);
        let Some((first, _)) = self.whole() else { return trace };
        let mut newest = f64::NEG_INFINITY;
        for (from, to, columns) in self.parts() {
            // What lies before the view counts as far as it still has weight.
            let from = if newest.is_finite() { from } else { (from - 8.0 * span).max(first) };
            // A quarter of the columns gives between half a mean and eight of them to a column.
            for (iteration, value) in self.curve.means(from, to, columns.div_ceil(4)) {
                if iteration <= newest {
                    continue;
                }
                newest = iteration;
                let smooth = mean.add(iteration, value);
                if let (Some(x), Some(y)) = (self.x_place(iteration), self.scales[1].place(smooth)) {
                    trace.push([x, y]);
                }
            }
        }
        trace.thin(self.columns);
        trace
    }

    /// The value nearest to `x` of the horizontal axis; of several as near the first.
    pub fn nearest(&self, x: f64) -> Option<Reading> {
        let (first, last) = self.whole()?;
        if let Abscissa::Through(_) = self.abscissa {
            // Nothing rises along such an axis: every value is looked at, as many as a curve keeps.
            let away = |i: i64| {
                Some((self.scales[0].place(self.abscissa.at(i as f64)?)? - self.scales[0].place(x)?).abs())
            };
            let near = self.curve.values().0.iter().filter_map(|p| Some((away(p.iteration)?, p.iteration)));
            let (_, iteration) = near.min_by(|a, b| a.0.total_cmp(&b.0))?;
            return self.curve.at(iteration);
        }
        let iteration = self.abscissa.iteration_at(x, first, last)?;
        let before = self.curve.at(iteration.floor() as i64)?;
        let Reading::Exact(left) = before else { return Some(before) };
        // The next value may be nearer.
        let next = self.curve.visible(iteration, last, usize::MAX / 4).points;
        let right = next.into_iter().find(|p| p.iteration as f64 >= iteration);
        match right {
            Some(right) if right.iteration as f64 - iteration < iteration - left.iteration as f64 => {
                Some(Reading::Exact(right))
            }
            _ => Some(before),
        }
    }
}

/// What a plot draws of a curve, and of what it was made.
#[derive(Clone, Debug)]
pub struct Drawn {
    made_of: Option<MadeOf>,
    /// The values.
    pub raw: Trace,
    /// Their running mean; empty where none is drawn.
    pub smooth: Trace,
    /// The smallest and the largest place on both axes.
    pub extent: [Option<(f64, f64)>; 2],
}

/// All that a trace depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct MadeOf {
    version: u64,
    seconds: f64,
    scales: [Scale; 2],
    columns: usize,
    view: Option<(f64, f64)>,
    span: f64,
}

/// What the plots drew in the frame before, by plot and curve: what has not changed is not summed up again.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    kept: HashMap<&'static str, HashMap<String, Drawn>>,
}

impl Traces {
    /// What a plot drew in the frame before.
    pub fn take(&mut self, plot: &'static str) -> HashMap<String, Drawn> {
        self.kept.remove(plot).unwrap_or_default()
    }

    /// What a plot drew in this frame.
    pub fn keep(&mut self, plot: &'static str, drawn: impl Iterator<Item = (String, Drawn)>) {
        self.kept.insert(plot, drawn.collect());
    }
}

impl Drawing<'_> {
    /// The curve with its running mean over `span` iterations (0: without), as it was drawn before where nothing has
    /// changed since.
    pub fn drawn(&self, span: f64, before: Option<Drawn>) -> Drawn {
        let seconds = match self.abscissa {
            Abscissa::Iteration => Some(0.0),
            Abscissa::Seconds(seconds) => Some(seconds.total()),
            Abscissa::Through(_) => None,
        };
        let (version, scales, columns, view) = (self.curve.version(), self.scales, self.columns, self.view);
        let made_of = seconds.map(|seconds| MadeOf { version, seconds, scales, columns, view, span });
        match before {
            Some(before) if made_of.is_some() && before.made_of == made_of => before,
            _ => {
                let raw = self.raw();
                let smooth = if span > 0.0 { self.smoothed(span) } else { Trace::default() };
                let mut extent = [None, None];
                for point in raw.lines.iter().chain(&smooth.lines).flatten() {
                    widen(&mut extent[0], point[0]);
                    widen(&mut extent[1], point[1]);
                }
                Drawn { made_of, raw, smooth, extent }
            }
        }
    }
}

/// Takes a place into a range.
pub fn widen(range: &mut Option<(f64, f64)>, place: f64) {
    *range = Some(range.map_or((place, place), |(low, high)| (low.min(place), high.max(place))));
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;
