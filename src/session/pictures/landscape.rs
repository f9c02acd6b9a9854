//! Owns the pictures of the landscape: the slice, cuts, the shake.

use crate::files::figure::look::{Dash, Look, Marker, RUNS, run_look};
use crate::files::figure::number::{count, significant};
use crate::files::figure::scale::Scale;
use crate::files::figure::{Axis, Layer, Panel};
use crate::numerics::landscape::contours::contours;
use crate::numerics::landscape::scale::LossScale;
use crate::numerics::landscape::shake::{Shake, Shaken as AtRadius, Spread};
use crate::session::landscape::{Cut, Descending, RULES, Shaken, Trail, shows_a_wall};
use crate::session::words::rule_name;
use crate::session::{RunEntry, Session};
use crate::training::measures::SliceDetail;

/// The slice of a run with the lines of equal loss and the path.
pub fn slice(run: &RunEntry, slice: &SliceDetail, descending: Option<&Descending>) -> Panel {
    let SliceDetail { grid, names, path, .. } = slice;
    let scale = LossScale::of(&grid.loss);
    // A few enormous losses neither spoil the colours nor pass for others: the note counts them.
    let in_scale = |loss: &f64| match scale {
        Some(LossScale { low, high, .. }) if loss.is_finite() => loss.clamp(low, high),
        _ => f64::NAN,
    };
    let mut layers = vec![Layer::Heat {
        name: "loss".into(),
        x: grid.a.clone(),
        y: grid.b.clone(),
        values: grid.loss.iter().map(in_scale).collect(),
        scale: Scale::Log,
    }];
    let levels = scale.map(|scale| scale.levels(12)).unwrap_or_default();
    for contour in contours(grid, &levels) {
        let mut points: Vec<(f64, f64)> = contour.points.iter().map(|[a, b]| (*a, *b)).collect();
        if contour.is_closed {
            points.extend(points.first().copied());
        }
        let white = Look { width: 0.4, opacity: 0.8, ..Look::solid([255; 3]) };
        layers.push(Layer::curve("", points, white));
    }
    let stretches = slice.stretches(path);
    let left_out = path.len() - stretches.iter().map(|stretch| stretch.len()).sum::<usize>();
    let off = path.iter().map(|p| p.coordinates.distance).fold(0.0, f64::max);
    let look = Look { marker: None, ..run_look(run.colour) };
    for (i, stretch) in stretches.into_iter().enumerate() {
        let points = stretch.iter().map(|p| (p.coordinates.a, p.coordinates.b)).collect();
        // One entry of the legend for all of them.
        let name = if i == 0 { format!("path of {}", run.name) } else { String::new() };
        layers.push(Layer::curve(name, points, look));
    }
    if let Some(end) = path.last().filter(|end| slice.holds(end)).map(|end| end.coordinates) {
        let look = Look { marker: Some(Marker::Circle), ..look };
        layers.push(Layer::Points {
            name: "its end".into(),
            points: vec![(end.a, end.b, end.b, end.b)],
            look,
        });
    }
    layers.extend(descending.into_iter().flat_map(descents));
    let range = |axis: &[f64]| axis.first().copied().zip(axis.last().copied());
    let x = Axis { range: range(&grid.a), ..Axis::new(&names[0], Scale::Linear) };
    let y = Axis { range: range(&grid.b), ..Axis::new(&names[1], Scale::Linear) };
    let at = count(slice.iteration);
    let title = if slice.centre == format!("iteration {}", slice.iteration) {
        format!("Loss landscape around iteration {at}")
    } else {
        format!("Loss landscape of iteration {at}, centre {}", slice.centre)
    };
    let mut note = format!("The path lies up to {} off the plane.", significant(off, 3));
    if left_out > 0 {
        note.push_str(&format!(
            " Not drawn: {} of its points, further off than the picture reaches.",
            count(left_out as i64)
        ));
    }
    if let Some(LossScale { high, n_enormous, n_not_finite, .. }) = scale
        && n_enormous + n_not_finite > 0
    {
        let more = format!(" Losses above {high:.3}: {n_enormous}, not finite (grey): {n_not_finite}.");
        note.push_str(&more);
    }
    Panel { title, x, y, layers, note }
}

/// The descents from a point of the slice; the rule asked for is drawn broader.
fn descents(descending: &Descending) -> Vec<Layer> {
    let layer = |(i, trail): (usize, &Trail)| {
        let slot = RULES.iter().position(|rule| *rule == trail.rule).unwrap_or(RULES.len());
        let points = trail.points.iter().map(|p| (p.coordinates.a, p.coordinates.b)).collect();
        let width = if i == 0 { 1.6 } else { 0.8 };
        let look = Look { width, ..Look::solid(RUNS[(slot + 1) % RUNS.len()]) }.dashed(Dash::of_slot(slot));
        let end = if trail.diverged { ", diverged" } else { "" };
        Layer::curve(format!("descent with {}{end}", rule_name(trail.rule)), points, look)
    };
    // The rule asked for on top of its ghosts.
    descending.all.iter().enumerate().rev().map(layer).collect()
}

/// Logarithmic where it can be.
fn scale(losses: &[(f64, f64)]) -> Scale {
    let finite = || losses.iter().map(|p| p.1).filter(|loss| loss.is_finite());
    if finite().all(|loss| loss > 0.0) { Scale::Log } else { Scale::Linear }
}

/// The loss along the axes of the slice that is looked at, and between the two networks that were chosen last.
pub fn cuts(session: &Session) -> Vec<Panel> {
    let slice = session.current().and_then(|run| Some((run, session.slice_of(run)?)));
    let mut panels: Vec<Panel> = slice.map(|(run, slice)| along_axes(run, slice)).into_iter().collect();
    if let Some(cut) = session.bench().cut() {
        panels.extend(between(session, cut));
    }
    panels
}

fn along_axes(run: &RunEntry, slice: &SliceDetail) -> Panel {
    let [along_a, along_b] = slice.grid.through_centre();
    let all = [along_a.clone(), along_b.clone()].concat();
    let of_loss = if shows_a_wall(slice) { Scale::Linear } else { scale(&all) };
    let lines = [(along_a, 0, Dash::Solid), (along_b, 1, Dash::Dashed)];
    let layers = lines.into_iter().zip(&slice.names).map(|((points, slot, dash), name)| {
        Layer::curve(name, points, Look { marker: None, ..run_look(slot) }.dashed(dash))
    });
    Panel {
        title: format!("Loss along the axes of the slice at iteration {}", slice.iteration),
        x: Axis::new("distance from the centre, in units of the direction", Scale::Linear),
        y: Axis::new("loss", of_loss),
        layers: layers.collect(),
        note: format!("{}, through {}", run.name, slice.centre),
    }
}

fn between(session: &Session, cut: &Cut) -> Vec<Panel> {
    let run = session.run(cut.run);
    let look = Look { marker: None, ..run_look(run.map_or(0, |run| run.colour)) };
    let losses: Vec<(f64, f64)> = cut.points.iter().map(|(t, outcome)| (*t, outcome.loss)).collect();
    let accuracies: Vec<(f64, f64)> =
        cut.points.iter().filter_map(|(t, outcome)| Some((*t, outcome.accuracy?))).collect();
    let ends = losses.iter().filter(|p| p.0 == 0.0 || p.0 == 1.0).map(|p| (p.0, p.1, p.1, p.1)).collect();
    let panel = |title: &str, label: &str, scale, layers, note| {
        let (x, y) = (Axis::new("t", Scale::Linear), Axis::new(label, scale));
        Panel { title: title.into(), x, y, layers, note }
    };
    let of_run = run.map_or(String::new(), |run| format!(", probe batch of {}", run.name));
    let note = format!("t = 0: {}, t = 1: {}{of_run}", cut.names[0], cut.names[1]);
    let marks = Look { marker: Some(Marker::Diamond), ..look };
    let marks = Layer::Points { name: "the two networks".into(), points: ends, look: marks };
    let of_loss = scale(&losses);
    let layers = vec![Layer::curve("loss", losses, look), marks];
    let mut panels = vec![panel("Loss between two networks", "loss", of_loss, layers, note.clone())];
    if !accuracies.is_empty() {
        let layers = vec![Layer::curve("accuracy", accuracies, look.dashed(Dash::Dashed))];
        panels.push(panel("Accuracy between two networks", "accuracy", Scale::Linear, layers, note));
    }
    panels
}

/// What noise on the weights did to each run that was shaken last.
pub fn shake(session: &Session) -> Vec<Panel> {
    let (shaken, relative) = session.bench().shaken();
    let runs: Vec<(&Shaken, &Shake)> =
        shaken.iter().filter_map(|run| Some((run, run.shake.as_ref().ok()?))).collect();
    let label = if relative { "radius / norm of the weights" } else { "radius of the noise" };
    let panel = |title: &str, name: &str, scale, of: &dyn Fn(&Shake, &AtRadius) -> Option<Spread>| {
        let mut layers = Vec::new();
        for (run, shake) in &runs {
            let at = |s: &AtRadius| Some((if relative { s.relative } else { s.radius }, of(shake, s)?));
            let all: Vec<(f64, Spread)> = shake.shaken.iter().filter_map(at).collect();
            if all.is_empty() {
                continue;
            }
            let look = run_look(run.colour);
            let rest = significant(shake.at_rest.loss, 3);
            let name = format!("{} at iteration {}, loss at rest {rest}", run.name, count(run.iteration));
            let band = all.iter().map(|(x, s)| (*x, s.lower, s.upper)).collect();
            layers.push(Layer::Band { name: String::new(), points: band, color: look.color });
            layers.push(Layer::curve(name, all.iter().map(|(x, s)| (*x, s.mean)).collect(), look));
        }
        let note =
            "Mean (line) and quartiles (band) over directions; not invariant to rescaling the weights.";
        (!layers.is_empty()).then(|| Panel {
            title: title.into(),
            x: Axis::new(label, Scale::Log),
            y: Axis::new(name, scale),
            layers,
            note: note.into(),
        })
    };
    [
        panel("Loss under noise on the weights", "rise of the loss", Scale::Log, &|shake, s| {
            Some(s.loss.above(shake.at_rest.loss))
        }),
        panel("Accuracy under noise on the weights", "accuracy", Scale::Linear, &|_, s| s.accuracy),
    ]
    .into_iter()
    .flatten()
    .collect()
}
