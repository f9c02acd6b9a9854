//! Owns what is drawn over a slice: the run's path and others', descents, bookmarks, the places that it was laid
//! through.

use eframe::egui::{Color32, Ui};

use crate::gui::plot::number;
use crate::gui::plot::overlay::{DrawnPath, Landmark, Overlay, Spot};
use crate::gui::plot::paint::LineLook;
use crate::gui::status_line::{self, Part};
use crate::gui::theme::{self, Dash};
use crate::numerics::landscape::descent::DescentPoint;
use crate::numerics::landscape::trajectory::PathPoint;
use crate::session::RunEntry;
use crate::session::landscape::{Descending, RULES};
use crate::session::words::rule_name;
use crate::training::config::RuleKind;
use crate::training::measures::SliceDetail;

/// Everything that is drawn over a slice.
pub fn overlay(run: &RunEntry, slice: &SliceDetail, descending: Option<&Descending>) -> Overlay {
    let reach = slice.reach();
    let mut paths = Vec::new();
    for (other, path) in slice.others.iter() {
        let mut drawn = of_path(&other.name, path, slice);
        for part in &mut drawn {
            part.color = Color32::from_gray(210);
            part.width = 1.2;
        }
        if let Some(last) = drawn.last_mut() {
            last.labels = vec![(last.spots.len().saturating_sub(1), other.name.clone())];
        }
        paths.extend(drawn);
    }
    // Runs are drawn on a dark map whatever the window's theme.
    let mut own = of_path(&run.name, &slice.path, slice);
    own.iter_mut().for_each(|part| part.color = theme::run_style(run.colour, true).0);
    label_ends(run, slice, &mut own);
    paths.extend(own);
    if let Some(descending) = descending {
        // The rule asked for last, on top of its ghosts.
        for (i, trail) in descending.all.iter().enumerate().rev() {
            let in_plane = (descending.steps[0] as usize).min(trail.points.len());
            let look = descent_look(trail.rule, i == 0);
            let part = |points: &[DescentPoint], dash: Dash| DrawnPath {
                name: rule_name(trail.rule).into(),
                color: look.color,
                width: look.width,
                dash,
                spots: points.iter().map(|p| of_descent(p, reach)).collect(),
                has_spots: false,
                ends: [true; 2],
                labels: Vec::new(),
            };
            paths.push(part(&trail.points[..in_plane], Dash::Solid));
            if trail.points.len() > in_plane {
                // It begins where the first part ends.
                paths.push(part(&trail.points[in_plane.saturating_sub(1)..], Dash::Dashed));
            }
        }
    }
    Overlay { paths, landmarks: landmarks(run, slice), strength: 1.0 }
}

/// How a rule's descent looks: its colour is the same whichever was asked for, and lies on the map, not on the
/// window.
fn descent_look(rule: RuleKind, is_chosen: bool) -> LineLook {
    let slot = RULES.iter().position(|r| *r == rule).unwrap_or(RULES.len());
    let color = theme::run_style([5, 1, 6, 3, 4, 0][slot.min(5)], true).0;
    LineLook { color, dash: Dash::Solid, marker: None, width: if is_chosen { 2.8 } else { 1.3 } }
}

/// As dark as the map, whatever the window's colours.
const MAP: Color32 = Color32::from_gray(45);

/// Which descent is which, and how far down each has come, in one line; what each came to is left to the tooltips where
/// there is no room for it.
pub fn descents(ui: &mut Ui, descending: &Descending) {
    let parts = |with_loss: bool| -> Vec<Part> {
        let all = descending.all.iter().enumerate();
        all.map(|(i, trail)| {
            let loss = trail.points.last().map_or(String::new(), |p| number::significant(p.loss, 2));
            let loss = if trail.diverged { "inf".to_owned() } else { loss };
            let rule = rule_name(trail.rule);
            let short = rule.trim_end_matches("-bptt");
            let text = if with_loss { format!("{short} {loss}") } else { short.to_owned() };
            let end = if trail.diverged { "it diverged" } else { "the loss at its last step" };
            let tip = format!(
                "The descent with {rule}: {end}, on the probe batch. Solid in the plane, dashed in the full space, \
                 where its place in the plane is what is drawn"
            );
            Part::new(text, tip).named(format!("{rule} {loss}")).lined(descent_look(trail.rule, i == 0), MAP)
        })
        .collect()
    };
    let mut shown = parts(true);
    if !status_line::fits(ui, &shown) {
        shown = parts(false);
    }
    status_line::show(ui, &shown);
}

fn nearness(distance: f64, reach: f64) -> f64 {
    1.0 / (1.0 + 4.0 * distance / reach)
}

/// The stretches of a path that the slice shows.
fn of_path(name: &str, path: &[PathPoint], slice: &SliceDetail) -> Vec<DrawnPath> {
    let reach = slice.reach();
    let spot = |point: &PathPoint| {
        let at = point.coordinates;
        let loss = point.loss.map_or("unknown".into(), number::value);
        let in_plane =
            point.loss_in_plane.map_or(String::new(), |l| format!(", the plane's {}", number::value(l)));
        Spot {
            at: [at.a, at.b],
            loss: point.loss,
            nearness: nearness(at.distance, reach),
            text: format!(
                "iteration {}: true loss {loss}{in_plane}, {} off the plane",
                number::count(point.iteration),
                number::value(at.distance)
            ),
        }
    };
    let part = |stretch: &[PathPoint]| DrawnPath {
        name: name.into(),
        color: Color32::WHITE,
        width: 1.4,
        dash: Dash::Solid,
        spots: stretch.iter().map(spot).collect(),
        has_spots: true,
        ends: [false; 2],
        labels: Vec::new(),
    };
    let mut parts: Vec<DrawnPath> = slice.stretches(path).into_iter().map(part).collect();
    let is_shown = |point: Option<&PathPoint>| point.is_some_and(|point| slice.holds(point));
    if let Some(first) = parts.first_mut() {
        first.ends[0] = is_shown(path.first());
    }
    if let Some(last) = parts.last_mut() {
        last.ends[1] = is_shown(path.last());
    }
    parts
}

/// The words where a run's own path comes into sight first and leaves it last: its ends, or which iteration it is.
fn label_ends(run: &RunEntry, slice: &SliceDetail, parts: &mut [DrawnPath]) {
    let stretches = slice.stretches(&slice.path);
    let iteration = |n: i64| format!("iteration {}", number::count(n));
    let last = stretches.last().and_then(|stretch| stretch.last());
    if let (Some(part), Some(last)) = (parts.last_mut(), last) {
        let text = if last.iteration == run.iteration { "now".into() } else { iteration(last.iteration) };
        part.labels.push((part.spots.len().saturating_sub(1), text));
    }
    let first = stretches.first().and_then(|stretch| stretch.first());
    if let (Some(part), Some(first)) = (parts.first_mut(), first.filter(|first| Some(*first) != last)) {
        part.labels.push((0, if first.iteration == 0 { "start".into() } else { iteration(first.iteration) }));
    }
}

fn of_descent(point: &DescentPoint, reach: f64) -> Spot {
    let at = point.coordinates;
    let off = match at.distance {
        0.0 => "in the plane".into(),
        distance => format!("{} off the plane", number::value(distance)),
    };
    Spot {
        at: [at.a, at.b],
        loss: Some(point.loss),
        nearness: nearness(at.distance, reach),
        text: format!("step {}: loss {}, {off}", point.step, number::value(point.loss)),
    }
}

/// The places that the slice was laid through, and the run's bookmarks.
fn landmarks(run: &RunEntry, slice: &SliceDetail) -> Vec<Landmark> {
    let mark = |name: &str, a: f64, b: f64, distance: f64| Landmark {
        at: [a, b],
        name: name.into(),
        text: format!("{} off the plane", number::value(distance)),
    };
    let of_slice = slice.landmarks.iter().map(|(name, at)| mark(name, at.a, at.b, at.distance));
    let is_new = |label: &str| slice.landmarks.iter().all(|(name, _)| name != label);
    let of_bookmarks = run.bookmarks.iter().filter(|b| is_new(&b.label)).filter_map(|bookmark| {
        let at = slice.plane.coordinates(&bookmark.checkpoint.weights).ok()?;
        Some(mark(&bookmark.label, at.a, at.b, at.distance))
    });
    of_slice.chain(of_bookmarks).collect()
}
