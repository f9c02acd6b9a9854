//! Owns the gain explorer's panel: what a network of a given initial gain is like before training, before and
//! after flossing, and the scan over gains.

mod scan;

use eframe::egui::{self, Ui, Vec2, vec2};

use super::app::Asked;
use super::plot::points::{self, Cloud, Points};
use super::plot::raster::{self, Raster};
use super::plot::{number, values};
use super::spectrum::beside;
use crate::session::explorer::Ask;
use crate::session::{Action, Session};
use crate::training::explore::Look;

/// What the panel keeps.
pub struct State {
    /// The gain that was asked for last, and the settings.
    asked: Option<(f64, u64)>,
    /// The settings whose gains were scanned without being asked.
    scanned: Option<u64>,
    updates: u64,
    table: bool,
    drawn: Option<(f64, u64)>,
    before: Raster,
    after: Raster,
}

impl Default for State {
    fn default() -> Self {
        Self {
            asked: None,
            scanned: None,
            updates: 200,
            table: false,
            drawn: None,
            before: Raster::default(),
            after: Raster::default(),
        }
    }
}

/// Draws the panel; it scrolls where there is too little room for its plots.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let room = ui.available_size();
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        contents(ui, session, state, asked, vec2(room.x - 12.0, room.y));
    });
}

/// The least height of all plots, in points.
const LEAST_HEIGHT: f32 = 150.0;

/// Height of the panel, in points, from which the words about the scan are in sight too.
const HIGH: f32 = 330.0;

/// Height of a plot with its table, in points: a table scrolls within no less.
const TABLE_HEIGHT: f32 = 236.0;

fn contents(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked, room: Vec2) {
    let Ok(resolved) = session.settings().resolved() else {
        ui.weak("The settings are refused; the experiment panel says why.");
        return;
    };
    let top = ui.cursor().top();
    let config = &resolved.config;
    let explorer = session.explorer();
    let gain = config.network.gain;
    let fingerprint = fingerprint(config);
    if state.asked != Some((gain, fingerprint)) {
        state.asked = Some((gain, fingerprint));
        asked.act(Action::Explore(Ask::Look(gain)));
    } else if explorer.look().is_some() && !explorer.is_looking() && state.scanned != Some(fingerprint) {
        // Once for each settings, by itself, after the look that the panel is opened for.
        state.scanned = Some(fingerprint);
        if explorer.scan().0.is_empty() && explorer.scan_share().is_none() {
            asked.act(Action::Explore(Ask::Scan { updates: 0 }));
        }
    }
    ui.horizontal_wrapped(|ui| {
        controls(ui, gain, explorer.is_looking(), state, asked);
        scan::controls(ui, explorer, state, asked);
    });
    if let Some(error) = explorer.error() {
        ui.colored_label(ui.visuals().error_fg_color, error);
    }
    let Some(look) = explorer.look() else {
        ui.weak("Looking at the network of this gain");
        return;
    };
    let floss = explorer.floss();
    summary(ui, look, floss);
    let scanned = scan::plots(explorer, gain, ui.visuals().dark_mode);
    let taken = if state.table {
        let size = vec2(room.x, TABLE_HEIGHT);
        cell(ui, size, |ui| spectrum(ui, look, floss, true));
        cell(ui, size, |ui| disc(ui, look, floss, true));
        activity(ui, state, look, floss, vec2(room.x, 90.0));
        let shown = scanned.iter().map(|drawn| {
            let mut taken = None;
            cell(ui, size, |ui| taken = scan::with_table(ui, drawn, explorer));
            taken
        });
        shown.fold(None, Option::or)
    } else {
        let words = if room.y > HIGH { 2.0 * ui.text_style_height(&egui::TextStyle::Small) } else { 0.0 };
        let left = room.y - (ui.cursor().top() - top) - words - 2.0 * ui.spacing().item_spacing.y;
        grid(ui, state, look, floss, &scanned, vec2(room.x, left.max(LEAST_HEIGHT)))
    };
    scan::in_words(ui, explorer, gain);
    if let Some(taken) = taken.and_then(|x| explorer.nearest(x)) {
        set_gain(asked, taken.gain);
        asked.act(Action::Settle);
    }
}

/// All plots at once: exponents, disc and the scan's exponents above, activity and what else was scanned below. Gives
/// the gain that was clicked.
fn grid(
    ui: &mut Ui,
    state: &mut State,
    look: &Look,
    floss: Option<&Look>,
    scanned: &[scan::Drawn],
    room: Vec2,
) -> Option<f64> {
    let gap = ui.spacing().item_spacing;
    let column = (room.x - 2.0 * gap.x) / 3.0;
    let above = vec2(column, 0.54 * (room.y - gap.y));
    let mut taken = None;
    ui.horizontal(|ui| {
        cell(ui, above, |ui| spectrum(ui, look, floss, false));
        cell(ui, above, |ui| disc(ui, look, floss, false));
        cell(ui, above, |ui| match scanned.first() {
            Some(drawn) => taken = drawn.plot.show(ui, ui.available_size()).map(|click| click.x),
            None => _ = ui.weak("No gain is scanned yet."),
        });
    });
    let below = vec2(column, room.y - gap.y - above.y);
    let others = scanned.get(1..).unwrap_or_default();
    let free = 3usize.saturating_sub(others.len().max(1)) as f32;
    ui.horizontal(|ui| {
        activity(ui, state, look, floss, vec2(free * column + (free - 1.0) * gap.x, below.y));
        for drawn in others {
            cell(ui, below, |ui| {
                taken = taken.or(drawn.plot.show(ui, ui.available_size()).map(|click| click.x))
            });
        }
    });
    taken
}

/// Everything but the gain that a look depends on, as one number.
fn fingerprint(config: &crate::training::config::Config) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut config = config.clone();
    config.network.gain = 0.0;
    let mut hasher = DefaultHasher::new();
    config.fingerprint().hash(&mut hasher);
    hasher.finish()
}

fn set_gain(asked: &mut Asked, gain: f64) {
    let value = toml::Value::Float(number::rounded(gain, 3));
    asked.act(Action::Set { key: "network.gain".into(), value });
}

fn controls(ui: &mut Ui, mut gain: f64, is_looking: bool, state: &mut State, asked: &mut Asked) {
    let label = ui.label("Explored gain");
    let slider = egui::Slider::new(&mut gain, 0.05..=5.0).logarithmic(true).max_decimals(3);
    let slider = ui.add(slider).labelled_by(label.id).on_hover_text(
        "g: w_rec is drawn from N(0, g^2/N). The network below is the one a run with these settings starts from. \
         It acts on a run after apply and reset.",
    );
    if slider.changed() {
        set_gain(asked, gain);
    }
    if slider.drag_stopped() || slider.lost_focus() {
        asked.act(Action::Settle);
    }
    let floss = ui.button("Floss").on_hover_text(
        "Gradient flossing of this network before training: moves the leading Lyapunov exponents towards 0",
    );
    if floss.clicked() {
        asked.act(Action::Explore(Ask::Floss(gain)));
    }
    let button = ui.selectable_label(state.table, "table").on_hover_text("Show the numbers beside the plots");
    button.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, true, state.table, "Gain explorer: table of numbers")
    });
    if button.clicked() {
        state.table = !state.table;
    }
    if is_looking {
        ui.spinner();
    }
}

fn cell(ui: &mut Ui, size: Vec2, draw: impl FnOnce(&mut Ui)) {
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        ui.vertical(draw);
    });
}

/// What the numbers of a look are.
const SUMMARY: &str = "Leading exponent: how fast nearby states part (above 0) or meet (below 0), nats per step (Vogt \
    et al. 2022). Kaplan-Yorke dimension: how many leading exponents add up to 0. Entropy rate: the sum of the positive \
    exponents, nats per step, an upper bound (Pesin). Cosine and rho = <g^,g>/<g,g> of the rule's gradient against the \
    exact one (P1 Eq. 6), without unit. All of the first probe trials, at most 16: a run takes all of its probe trials, \
    so that its exponents differ a little.";

/// The look in numbers.
fn summary(ui: &mut Ui, look: &Look, floss: Option<&Look>) {
    let of = |look: &Look| {
        let exponents = &look.exponents;
        let lie = look.lie.map_or(String::new(), |(rho, cosine)| {
            format!(", rule against exact gradient cosine {cosine:.3}, rho {rho:.3}")
        });
        let finite = match exponents.mean.len() - exponents.finite {
            0 => String::new(),
            1 => ", 1 exponent is -inf".into(),
            n => format!(", {n} exponents are -inf"),
        };
        format!(
            "leading exponent {} nats per step over {}, Kaplan-Yorke dimension {:.2}, entropy rate {:.3}{finite}{lie}",
            number::value(exponents.max()),
            number::counted(look.trials as u64, "trial"),
            exponents.kaplan_yorke_dimension(),
            exponents.entropy_rate() + 0.0,
        )
    };
    let short = |look: &Look| {
        let lie =
            look.lie.map_or(String::new(), |(rho, cosine)| format!(", cosine {cosine:.3}, rho {rho:.3}"));
        let (exponents, entropy) = (&look.exponents, look.exponents.entropy_rate() + 0.0);
        let dimension = exponents.kaplan_yorke_dimension();
        format!(
            "exponent {}, dimension {dimension:.2}, entropy {entropy:.3}{lie}",
            number::value(exponents.max())
        )
    };
    // In one row each wherever the panel is; a screen reader hears all of it.
    let mut line = |when: String, look: &Look| {
        let whole = format!("{when}: {}", of(look));
        let text = format!("{}: {}", when.split(" flossing").next().unwrap_or_default(), short(look));
        let response = ui.add(egui::Label::new(egui::RichText::new(text).small()).truncate());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &whole));
        response.on_hover_text(format!("{whole}\n\n{SUMMARY}"));
    };
    line("Before".into(), look);
    if let Some(floss) = floss {
        line(format!("After {} flossing iterations", floss.flossed), floss);
    }
}

/// The network before, and after flossing where it was flossed, each as a cloud in a colour of its own.
fn clouds(look: &Look, floss: Option<&Look>, dark: bool, of: impl Fn(&Look) -> Vec<[f64; 2]>) -> Vec<Cloud> {
    let mut before = points::cloud("before", 0, dark, of(look));
    // Alone it needs no name.
    before.in_legend = floss.is_some();
    let after = floss.map(|f| {
        let tip = format!("After {} flossing iterations", f.flossed);
        points::cloud("after flossing", 1, dark, of(f)).tip(tip)
    });
    std::iter::once(before).chain(after).collect()
}

/// Exponents in the order of the QR.
fn spectrum(ui: &mut Ui, look: &Look, floss: Option<&Look>, with_table: bool) {
    let ranked = |look: &Look| {
        look.exponents.mean.iter().enumerate().map(|(i, lambda)| [(i + 1) as f64, *lambda]).collect()
    };
    let clouds = clouds(look, floss, ui.visuals().dark_mode, ranked);
    let plot = Points::new("Exponents before training", "rank", "exponent", clouds);
    let columns: &[&str] = &["rank", "mean", "sd over trials", "after: mean", "after: sd"];
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let columns: Vec<String> =
                columns[..if floss.is_some() { 5 } else { 3 }].iter().map(ToString::to_string).collect();
            let n = look.exponents.mean.len();
            values::show(ui, "explored exponents", &columns, n, |row, column| {
                let of = |look: Option<&Look>, sd: bool| {
                    let values = look.map(|l| if sd { &l.exponents.sd } else { &l.exponents.mean });
                    values.and_then(|v| v.get(row)).map_or(String::new(), |v| number::significant(*v, 5))
                };
                match column {
                    0 => (row + 1).to_string(),
                    1 | 2 => of(Some(look), column == 2),
                    _ => of(floss, column == 4),
                }
            });
        },
    );
}

/// Eigenvalues of w_rec with the circle of radius gain.
fn disc(ui: &mut Ui, look: &Look, floss: Option<&Look>, with_table: bool) {
    let Some(own) = &look.eigenvalues else {
        ui.weak("The eigenvalues of w_rec were not found.");
        return;
    };
    let places =
        |look: &Look| look.eigenvalues.iter().flatten().map(|(re, im)| [*re, *im]).collect::<Vec<_>>();
    let mut circles = vec![(look.gain, format!("radius gain {}", number::value(look.gain)))];
    if look.gain != 1.0 {
        circles.push((1.0, "radius 1".into()));
    }
    let clouds = clouds(look, floss, ui.visuals().dark_mode, places);
    let plot = Points {
        circles,
        equal_axes: true,
        ..Points::new("Eigenvalues of w_rec", "real part", "imaginary part", clouds)
    };
    let after = floss.and_then(|f| f.eigenvalues.as_ref());
    beside(
        ui,
        with_table,
        |ui, size| _ = plot.show(ui, size),
        |ui| {
            let mut columns = ["rank", "real", "imaginary", "modulus"].map(String::from).to_vec();
            if after.is_some() {
                columns.extend(["after: real", "after: imaginary", "after: modulus"].map(String::from));
            }
            values::show(ui, "explored eigenvalues", &columns, own.len(), |row, column| {
                let values = if column < 4 { Some(own) } else { after };
                let Some((re, im)) = values.and_then(|v| v.get(row)) else { return String::new() };
                match column {
                    0 => (row + 1).to_string(),
                    1 | 4 => number::significant(*re, 5),
                    2 | 5 => number::significant(*im, 5),
                    _ => number::significant(re.hypot(*im), 5),
                }
            });
        },
    );
}

fn activity(ui: &mut Ui, state: &mut State, look: &Look, floss: Option<&Look>, size: Vec2) {
    let key = (look.gain, floss.map_or(0, |f| f.flossed + 1));
    if state.drawn != Some(key) || floss.is_none() {
        state.before.set(ui.ctx(), "explored units", &look.activity.z);
        if let Some(floss) = floss {
            state.after.set(ui.ctx(), "flossed units", &floss.activity.z);
        }
        state.drawn = Some(key);
    }
    match floss {
        None => raster::show(ui, "Activity of a trial", "unit", &state.before, true, size),
        Some(_) => {
            ui.horizontal(|ui| {
                let half = vec2(size.x / 2.0 - 4.0, size.y);
                raster::show(ui, "Before flossing", "unit", &state.before, true, half);
                raster::show(ui, "After flossing", "unit", &state.after, true, half);
            });
        }
    }
}
