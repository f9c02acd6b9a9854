//! Owns the panels of curves: which series of which runs each shows, and how.

pub mod switches;

use std::collections::{BTreeMap, HashMap};

use eframe::egui::Ui;

use super::bands::Bands;
use super::layout::Panel;
use super::plot::curves::{Cursor, Curves, Level, Vertical, View};
use super::plot::number;
use super::plot::paint::LineLook;
use super::plot::shown::Shown;
use super::plot::trace::Traces;
use super::plots::{self, Plot};
use super::stability::{formula, reasons, standing};
use super::theme::{self, Dash, Marker};
use crate::numerics::curvature::stability::{StabilityLine, Standing};
use crate::session::across::{Abscissa, Across, Horizontal, smoothed_loss};
use crate::session::curves::{Curve, Reading};
use crate::session::pictures::Picture;
use crate::session::stability::Lines;
use crate::session::{Group, RunEntry, RunId, RunState, Session};
use crate::training::history::Series;
use crate::training::run::StopReason;

/// What the user chose for the curves.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct State {
    /// Of each panel.
    pub views: BTreeMap<Panel, View>,
    /// The horizontal axis of each panel.
    pub axes: BTreeMap<Panel, Across>,
    /// Which plot each panel shows, by its name; the first where there is none.
    pub chosen: BTreeMap<Panel, String>,
    /// Span of the running mean in iterations; 0 = off.
    pub span: f64,
    /// The panel under the pointer in the last frame.
    #[serde(skip)]
    hovered: Option<Panel>,
    #[serde(skip)]
    lines: HashMap<RunId, Lines>,
    #[serde(skip)]
    bands: Bands,
    #[serde(skip)]
    traces: Traces,
}

impl Default for State {
    fn default() -> Self {
        let first = |panel: &Panel| plots::of(*panel).next();
        let view = |plot: &Plot| (plot.panel, View { vertical: plot.vertical, ..View::default() });
        let views = Panel::ALL.iter().filter_map(first).map(view).collect();
        Self {
            views,
            axes: BTreeMap::new(),
            chosen: BTreeMap::new(),
            span: 20.0,
            hovered: None,
            lines: HashMap::new(),
            bands: Bands::default(),
            traces: Traces::default(),
        }
    }
}

impl State {
    /// The plot that a panel shows.
    fn plot(&self, panel: Panel) -> Option<&'static Plot> {
        let chosen = self.chosen.get(&panel);
        plots::of(panel)
            .find(|plot| chosen.is_some_and(|id| plot.id == id))
            .or_else(|| plots::of(panel).next())
    }

    /// What a step of a lesson shows: these plots, all else as at first.
    pub fn of_plots(ids: &[String]) -> Self {
        let mut state = Self::default();
        ids.iter().filter_map(|id| plots::named(id)).for_each(|plot| state.choose(plot));
        state
    }

    /// Has a panel show another of its plots.
    fn choose(&mut self, plot: &Plot) {
        self.chosen.insert(plot.panel, plot.id.into());
        let view = self.views.entry(plot.panel).or_default();
        (view.vertical, view.fit) = (plot.vertical, true);
    }

    /// The horizontal axis of each panel, for its picture.
    pub fn horizontal(&self) -> Vec<(Picture, Horizontal)> {
        let of = |panel: Panel| {
            let picture = match panel {
                Panel::Loss => Picture::Loss,
                Panel::Accuracy => Picture::Accuracy,
                Panel::Curvature => Picture::Curvature,
                Panel::Lyapunov => Picture::Lyapunov,
                Panel::Alignment => Picture::Alignment,
                _ => return None,
            };
            let across = self.axes.get(&panel).copied().unwrap_or_default();
            let log = self.views.get(&panel).is_some_and(|view| view.log_x);
            Some((picture, Horizontal { across, log, span: self.span }))
        };
        Panel::ALL.into_iter().filter_map(of).collect()
    }

    /// Shows all of every curve again.
    pub fn fit(&mut self) {
        self.views.values_mut().for_each(|view| view.fit = true);
    }

    /// Makes the plot under the pointer logarithmic or linear; where there is none, all of them linear if one is
    /// not, else all of them logarithmic.
    pub fn toggle_log(&mut self) {
        let hovered = self.hovered;
        let meant = |panel: &Panel| hovered.is_none_or(|h| h == *panel);
        let some_log = self.views.iter().any(|(p, view)| meant(p) && view.vertical != Vertical::Linear);
        let usual: BTreeMap<Panel, Vertical> =
            Panel::ALL.into_iter().filter_map(|panel| Some((panel, self.plot(panel)?.vertical))).collect();
        for (panel, view) in &mut self.views {
            if meant(panel) {
                view.vertical = match usual.get(panel) {
                    _ if some_log => Vertical::Linear,
                    Some(Vertical::SignedLog) => Vertical::SignedLog,
                    _ => Vertical::Log,
                };
                view.fit = true;
            }
        }
    }

    /// Shows or hides the numbers beside every plot.
    pub fn toggle_tables(&mut self) {
        let all = self.views.values().all(|view| view.table);
        self.views.values_mut().for_each(|view| view.table = !all);
    }
}

/// Said where there is no run whose values there could be.
const NO_RUN: &str = "No run. Choose a preset, or press New run.";

/// Draws a panel of curves.
pub fn show(ui: &mut Ui, panel: Panel, session: &Session, state: &mut State, cursor: &mut Cursor) {
    let Some(plot) = state.plot(panel) else { return };
    let with_lines = plot.series.iter().any(|(series, ..)| *series == Series::LambdaMax);
    let dark = ui.visuals().dark_mode;
    let is_hovered = ui.rect_contains_pointer(ui.max_rect());
    if is_hovered || state.hovered == Some(panel) {
        state.hovered = is_hovered.then_some(panel);
    }
    let runs: Vec<&RunEntry> = session.runs().iter().filter(|run| !run.hidden).collect();
    let current = session.current().map(|run| run.id);
    if with_lines {
        state.lines.retain(|id, _| session.run(*id).is_some());
        for run in &runs {
            state.lines.entry(run.id).or_default().update(
                &run.curves,
                &run.config,
                run.task.as_ref(),
                &run.changes(),
            );
        }
    }
    let State { views, axes, span, lines, bands, traces, .. } = state;
    let axis = axes.get(&panel).copied().unwrap_or_default();
    // A mean over seeds is taken at equal iterations.
    let groups = match axis {
        Across::Iterations => bands.update(session, plot.series.iter().map(|(series, ..)| *series)),
        Across::Seconds | Across::Loss => Vec::new(),
    };
    let group_of = |run: &RunEntry| groups.iter().find(|group| group.members.contains(&run.id));
    let colour_of = |run: &RunEntry| {
        let first = group_of(run).and_then(|group| session.run(group.members[0]));
        first.map_or(run.colour, |first| first.colour)
    };
    let losses: Vec<Vec<(f64, f64)>> = runs
        .iter()
        .map(|run| if axis == Across::Loss { smoothed_loss(&run.curves, *span) } else { Vec::new() })
        .collect();
    let several = runs.len() > 1;
    let view = views.entry(panel).or_default();
    let mut shown = Vec::new();
    let mut marks = Vec::new();
    for (run, loss) in runs.iter().zip(&losses) {
        let (color, marker) = theme::run_style(colour_of(run), dark);
        let abscissa = match axis {
            Across::Iterations => Abscissa::Iteration,
            Across::Seconds => Abscissa::Seconds(&run.seconds),
            Across::Loss => Abscissa::Through(loss),
        };
        let is_current = current == Some(run.id);
        let name = |name: &str| if several { format!("{name}, {}", run.name) } else { name.to_owned() };
        let width = if is_current { 2.0 } else { 1.5 };
        for (series, line, dash) in plot.series {
            let Some(curve) = run.curves.get(*series) else { continue };
            let ceiling = ceiling(run, curve);
            shown.push(Shown {
                name: name(line),
                look: LineLook { color, dash: *dash, marker: Some(marker), width },
                curve,
                abscissa,
                span: if plot.noisy.contains(series) { *span } else { 0.0 },
                note: notes(curve, view, ceiling),
                tip: series.meaning().into(),
                in_legend: !several,
                doubtful: match lines.get(&run.id) {
                    Some(lines) if *series == Series::LambdaMax => &lines.doubtful,
                    _ => &[],
                },
                faint: group_of(run).is_some(),
                band: &[],
                ceiling,
            });
        }
        if with_lines && let Some(lines) = lines.get(&run.id) {
            // Of runs that are not selected the line that holds them is enough.
            let own = (&lines.own, &lines.own_now, Dash::Sparse);
            let exact = (&lines.exact, &lines.exact_now, Dash::Dotted);
            for (curve, now, dash) in [exact, own] {
                let Some(now) = now else { continue };
                // Where there is none, neither for the same reason, it is said once.
                let is_alike = |own: &StabilityLine| own.value.is_none() && now.value.is_none();
                let is_second = lines.own_now.as_ref().is_some_and(|own| !is_current || is_alike(own));
                if is_second && dash == Dash::Dotted {
                    continue;
                }
                shown.push(Shown {
                    name: match is_current {
                        true => formula(now),
                        false => name(&formula(now)),
                    },
                    look: LineLook { color, dash, marker: None, width: 1.5 },
                    curve,
                    abscissa,
                    span: 0.0,
                    note: Some(match &lines.own_now {
                        // The other line says why, in the same words.
                        Some(own) if dash == Dash::Dotted && is_as_good(now, own) => "a guide".into(),
                        _ => standing(now),
                    }),
                    tip: reasons(now),
                    in_legend: is_current,
                    doubtful: &[],
                    faint: false,
                    band: &[],
                    ceiling: None,
                });
            }
        }
        if is_current {
            let at = |iteration: i64| abscissa.at(iteration as f64);
            marks.extend(run.marks.iter().filter_map(|m| Some((at(m.iteration)?, m.text.clone()))));
        }
    }
    for group in &groups {
        let Some(first) = session.run(group.members[0]) else { continue };
        let (color, marker) = theme::run_style(first.colour, dark);
        for (series, line, dash) in plot.series {
            let Some(band) = bands.get(group, *series) else { continue };
            shown.push(Shown {
                name: format!("{line}, mean of {}", seeds(first, group)),
                look: LineLook { color, dash: *dash, marker: Some(marker), width: 2.0 },
                curve: &band.mean,
                abscissa: Abscissa::Iteration,
                span: 0.0,
                note: None,
                tip: format!("{}; mean over the seeds, with one standard deviation", series.meaning()),
                in_legend: false,
                doubtful: &[],
                faint: false,
                band: &band.points,
                ceiling: None,
            });
        }
    }
    let level = plot.level.map(|(value, name)| Level { value, name });
    let chart = Curves {
        id: plot.id,
        title: plot.title,
        x_name: axis.name(),
        x_short: axis.short(),
        invert_x: axis == Across::Loss,
        curves: shown,
        key: if several { key(plot, &runs, &groups, dark) } else { Vec::new() },
        level,
        marks,
        x_range: x_range(&runs, axis),
        decades: plot.decades,
        empty: if session.current().is_none() { NO_RUN } else { plot.empty },
    };
    if let Some(run) = session.current() {
        super::freshness::line(ui, plot, run, lines.get(&run.id), session.playing().is_some());
    }
    chart.show(ui, view, cursor, traces);
}

/// Of a run that diverged: a hundred times the value at its start (`[own]`), the way up but not all of it.
fn ceiling(run: &RunEntry, curve: &Curve) -> Option<f64> {
    let diverged = matches!(run.state, RunState::Ended(StopReason::Diverged { .. }));
    let first = match curve.at(curve.first_iteration()?)? {
        Reading::Exact(point) => point.value,
        Reading::Among(entry) => entry.ends?.1.value,
    };
    (diverged && first.is_finite() && first > 0.0).then_some(100.0 * first)
}

/// Whether both lines are guides only.
fn is_as_good(a: &StabilityLine, b: &StabilityLine) -> bool {
    a.standing == Standing::Guide && b.standing == Standing::Guide
}

/// What the legend adds to a curve.
fn notes(curve: &Curve, view: &View, ceiling: Option<f64>) -> Option<String> {
    let whole = curve.whole()?;
    let mut notes = Vec::new();
    if whole.not_finite > 0 {
        notes.push(format!("{} not finite", whole.not_finite));
    }
    if whole.not_positive > 0 && view.vertical == Vertical::Log {
        notes.push(format!("{} at or below 0, at the bottom edge", whole.not_positive));
    }
    if let (Some(ceiling), Some((_, high))) = (ceiling, whole.ends)
        && high.value > ceiling
    {
        notes.push(format!("on to {} above the axis", number::value(high.value)));
    }
    (!notes.is_empty()).then(|| notes.join(", "))
}

/// The legend of several runs: what each dash means, and beside the loss the colour and marker of each run.
fn key(
    plot: &Plot,
    runs: &[&RunEntry],
    groups: &[Group],
    dark: bool,
) -> Vec<(LineLook, String, &'static str)> {
    let grey = theme::change_mark(dark);
    let look = |color, dash, marker: Option<Marker>| LineLook { color, dash, marker, width: 1.5 };
    // Nobody flosses: no word of it.
    let drawn =
        |series| series != Series::FlossingLoss || runs.iter().any(|r| r.curves.get(series).is_some());
    let kinds = plot.series.iter().filter(|(series, ..)| drawn(*series));
    let kinds =
        kinds.map(|(series, name, dash)| (look(grey, *dash, None), (*name).to_owned(), series.meaning()));
    // The runs' colours stand beside the loss and in the table of runs; elsewhere the room is the curves'.
    let named = runs.iter().filter(|_| plot.panel == Panel::Loss).filter_map(|run| {
        let (color, marker) = theme::run_style(run.colour, dark);
        let (name, tip) = match groups.iter().find(|group| group.members.contains(&run.id)) {
            Some(group) if group.members[0] != run.id => return None,
            Some(group) => (format!("{}: mean and standard deviation", seeds(run, group)), OF_SEEDS),
            None => (run.name.clone(), OF_RUN),
        };
        Some((look(color, Dash::Solid, Some(marker)), name, tip))
    });
    kinds.chain(named).collect()
}

/// What a colour in the legend stands for.
const OF_RUN: &str = "The run with this colour and marker, in every plot";
const OF_SEEDS: &str = "The seeds of one setting: their mean with one standard deviation, single runs faint";

/// A group by its first run: `BPTT (5 seeds)`.
fn seeds(first: &RunEntry, group: &Group) -> String {
    format!("{} ({} seeds)", first.name, group.members.len())
}

/// The iterations or seconds that all plots show, so that they line up.
fn x_range(runs: &[&RunEntry], axis: Across) -> Option<(f64, f64)> {
    let ends = runs.iter().filter_map(|run| match axis {
        // Flossing before training has negative iterations.
        Across::Iterations => Some((-(run.config.flossing.iterations as f64), run.iteration as f64)),
        Across::Seconds => Some((0.0, run.seconds.total())),
        Across::Loss => None,
    });
    ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
