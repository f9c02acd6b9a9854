//! Owns the gain explorer's panel: what a network of a given initial gain is like before training, before and
//! after flossing, and the scan over gains.

use eframe::egui::{self, Ui, Vec2, vec2};
use egui_plot::{FilledArea, HLine, Line, MarkerShape, PlotPoints, Points, VLine};

use super::app::Asked;
use super::plot::raster::{self, Raster};
use super::plot::scale::Scale;
use super::plot::{axes, number, paint};
use super::theme::{self, Dash};
use crate::session::explorer::{Ask, GainExplorer, Summary};
use crate::session::{Action, Session};
use crate::training::explore::Look;

/// What the panel keeps.
pub struct State {
    /// The gain that was asked for last.
    asked: Option<(f64, u64)>,
    updates: u64,
    drawn: Option<(f64, u64)>,
    before: Raster,
    after: Raster,
}

impl Default for State {
    fn default() -> Self {
        Self { asked: None, updates: 200, drawn: None, before: Raster::default(), after: Raster::default() }
    }
}

/// Draws the panel; it scrolls where there is too little room for its plots.
pub fn show(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked) {
    let room = ui.available_size();
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        contents(ui, session, state, asked, vec2(room.x - 12.0, room.y.max(LEAST_HEIGHT)));
    });
}

/// Height below which the panel scrolls, in points.
const LEAST_HEIGHT: f32 = 520.0;

fn contents(ui: &mut Ui, session: &Session, state: &mut State, asked: &mut Asked, room: Vec2) {
    let Ok(resolved) = session.settings().resolved() else {
        ui.weak("The settings are refused; the experiment panel says why.");
        return;
    };
    let config = &resolved.config;
    let explorer = session.explorer();
    let mut gain = config.network.gain;
    let fingerprint = fingerprint(config);
    if state.asked != Some((gain, fingerprint)) {
        state.asked = Some((gain, fingerprint));
        asked.act(Action::Explore(Ask::Look(gain)));
    }
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Explored gain");
        let slider = egui::Slider::new(&mut gain, 0.05..=5.0).logarithmic(true).max_decimals(3);
        let slider = ui.add(slider).labelled_by(label.id).on_hover_text(
            "g: w_rec is drawn from N(0, g^2/N). The network below is the one a run with these settings \
             starts from. It acts on a run after apply and reset.",
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
        if explorer.is_looking() {
            ui.spinner();
        }
    });
    if let Some(error) = explorer.error() {
        ui.colored_label(ui.visuals().error_fg_color, error);
    }
    let Some(look) = explorer.look() else {
        ui.weak("Looking at the network of this gain");
        return;
    };
    summary(ui, look, explorer.floss());
    let half = vec2(room.x / 2.0 - 4.0, room.y * 0.34);
    ui.horizontal(|ui| {
        cell(ui, half, |ui| spectrum(ui, look, explorer.floss()));
        cell(ui, half, |ui| disc(ui, look, explorer.floss()));
    });
    activity(ui, state, look, explorer.floss(), vec2(room.x, room.y * 0.15));
    scan_controls(ui, explorer, state, asked);
    let summaries = explorer.summaries();
    let (_, updates) = explorer.scan();
    ui.horizontal(|ui| {
        let size = vec2(half.x, room.y * 0.3);
        cell(ui, size, |ui| leading_against_gain(ui, &summaries, explorer.zero_crossing(), gain, asked));
        cell(ui, size, |ui| learning_against_gain(ui, &summaries, updates, gain, asked));
    });
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

fn cell(ui: &mut Ui, size: Vec2, draw: impl FnOnce(&mut Ui)) {
    ui.allocate_ui(size, |ui| {
        ui.set_min_size(size);
        ui.vertical(draw);
    });
}

/// The look in numbers.
fn summary(ui: &mut Ui, look: &Look, floss: Option<&Look>) {
    let of = |look: &Look| {
        let exponents = &look.exponents;
        let lie = look.lie.map_or(String::new(), |(rho, cosine)| {
            format!(", rule against exact gradient cosine {cosine:.3}, rho {rho:.3}")
        });
        let finite = match exponents.mean.len() - exponents.finite {
            0 => String::new(),
            n => format!(", {n} exponents are -inf"),
        };
        format!(
            "leading exponent {} nats per step, Kaplan-Yorke dimension {:.2}, entropy rate {:.3}{finite}{lie}",
            number::value(exponents.max()),
            exponents.kaplan_yorke_dimension(),
            exponents.entropy_rate() + 0.0,
        )
    };
    ui.small(format!("Before: {}", of(look)));
    if let Some(floss) = floss {
        ui.small(format!("After {} flossing iterations: {}", floss.flossed, of(floss)));
    }
}

/// The looks to draw: before in the first run's colour, after flossing in the second's.
fn both<'a>(
    look: &'a Look,
    floss: Option<&'a Look>,
    dark: bool,
) -> impl Iterator<Item = (&'a Look, egui::Color32, MarkerShape)> {
    let color = move |slot| theme::run_style(slot, dark).0;
    let floss = floss.map(move |f| (f, color(1), MarkerShape::Square));
    std::iter::once((look, color(0), MarkerShape::Circle)).chain(floss)
}

/// Exponents in the order of the QR.
fn spectrum(ui: &mut Ui, look: &Look, floss: Option<&Look>) {
    let dark = ui.visuals().dark_mode;
    let shown = axes::axes("gain explorer spectrum", [Scale::Linear; 2], ui).show(ui, |plot| {
        plot.hline(HLine::new("zero", 0.0).color(egui::Color32::GRAY).width(1.0).allow_hover(false));
        for (look, color, marker) in both(look, floss, dark) {
            let points: PlotPoints<'_> = look
                .exponents
                .mean
                .iter()
                .enumerate()
                .filter(|(_, lambda)| lambda.is_finite())
                .map(|(i, lambda)| [(i + 1) as f64, *lambda])
                .collect();
            plot.points(
                Points::new("exponents", points).color(color).radius(2.0).shape(marker).allow_hover(false),
            );
        }
    });
    paint::corner(ui, *shown.transform.frame(), "exponents, nats per step");
    named(&shown.response, || format!("Lyapunov exponents: {:?}", look.exponents.mean));
}

/// Eigenvalues of w_rec with the circle of radius gain.
fn disc(ui: &mut Ui, look: &Look, floss: Option<&Look>) {
    let dark = ui.visuals().dark_mode;
    let plot = axes::axes("gain explorer disc", [Scale::Linear; 2], ui).data_aspect(1.0);
    let shown = plot.show(ui, |plot| {
        for radius in [look.gain, 1.0] {
            let circle: PlotPoints<'_> = (0..=96)
                .map(|i| f64::from(i) * std::f64::consts::TAU / 96.0)
                .map(|angle| [radius * angle.cos(), radius * angle.sin()])
                .collect();
            let dash = if radius == look.gain { Dash::Solid } else { Dash::Dotted };
            let line = Line::new("circle", circle).color(egui::Color32::GRAY).style(paint::line_style(dash));
            plot.line(line.width(1.0).allow_hover(false));
        }
        for (look, color, marker) in both(look, floss, dark) {
            let points: PlotPoints<'_> =
                look.eigenvalues.iter().flatten().map(|(re, im)| [*re, *im]).collect();
            let points = Points::new("eigenvalues", points).color(color).radius(2.0);
            plot.points(points.shape(marker).allow_hover(false));
        }
    });
    paint::corner(ui, *shown.transform.frame(), "eigenvalues of w_rec");
    named(&shown.response, || format!("Eigenvalues of w_rec: {:?}", look.eigenvalues));
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
        None => raster::show(ui, "Activity of a trial", "unit", &state.before, size),
        Some(_) => {
            ui.horizontal(|ui| {
                let half = vec2(size.x / 2.0 - 4.0, size.y);
                raster::show(ui, "Before flossing", "unit", &state.before, half);
                raster::show(ui, "After flossing", "unit", &state.after, half);
            });
        }
    }
}

fn scan_controls(ui: &mut Ui, explorer: &GainExplorer, state: &mut State, asked: &mut Asked) {
    ui.horizontal_wrapped(|ui| match explorer.scan_share() {
        Some(share) => {
            ui.add(egui::ProgressBar::new(share as f32).desired_width(140.0).show_percentage());
            if ui.button("Stop the scan").clicked() {
                asked.act(Action::Explore(Ask::StopScan));
            }
        }
        None => {
            let scan = ui.button("Scan gains").on_hover_text(
                "Leading exponent, cosine and rho of fresh networks at 16 gains and 5 seeds, before training: mean \
                 and one standard deviation. A click in a plot takes a gain",
            );
            if scan.clicked() {
                asked.act(Action::Explore(Ask::Scan { updates: 0 }));
            }
            let learn = ui
                .button("Scan learning")
                .on_hover_text("The same, each network also trained with these settings for so many updates");
            if learn.clicked() {
                asked.act(Action::Explore(Ask::Scan { updates: state.updates.max(1) }));
            }
            let label = ui.label("updates");
            ui.add(egui::DragValue::new(&mut state.updates).range(1..=20_000).speed(10))
                .labelled_by(label.id);
        }
    });
}

/// The mean with a band of one standard deviation.
fn band<'a>(
    plot: &mut egui_plot::PlotUi<'a>,
    name: &str,
    points: &[(f64, (f64, f64))],
    color: egui::Color32,
    dash: Dash,
) {
    let finite: Vec<_> = points.iter().filter(|(_, (mean, _))| mean.is_finite()).collect();
    let x: Vec<f64> = finite.iter().map(|(x, _)| *x).collect();
    let low: Vec<f64> = finite.iter().map(|(_, (mean, sd))| mean - sd).collect();
    let high: Vec<f64> = finite.iter().map(|(_, (mean, sd))| mean + sd).collect();
    let area = FilledArea::new(format!("{name} band"), &x, &low, &high);
    plot.add(area.fill_color(color.gamma_multiply(0.2)).allow_hover(false));
    let line: PlotPoints<'_> = finite.iter().map(|(x, (mean, _))| [*x, *mean]).collect();
    plot.line(
        Line::new(name.to_owned(), line)
            .color(color)
            .width(1.5)
            .style(paint::line_style(dash))
            .allow_hover(false),
    );
}

/// A click takes the gain nearest to it.
fn take_clicked(response: &egui::Response, x: Option<f64>, summaries: &[Summary], asked: &mut Asked) {
    let nearest = |x: f64| {
        let distance = |s: &&Summary| (s.gain - x).abs();
        summaries.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    if let (true, Some(summary)) = (response.clicked(), x.and_then(nearest)) {
        set_gain(asked, summary.gain);
        asked.act(Action::Settle);
    }
}

fn leading_against_gain(
    ui: &mut Ui,
    summaries: &[Summary],
    crossing: Option<f64>,
    gain: f64,
    asked: &mut Asked,
) {
    let dark = ui.visuals().dark_mode;
    let color = |slot| theme::run_style(slot, dark).0;
    let shown = axes::axes("gain explorer scan", [Scale::Linear; 2], ui).show(ui, |plot| {
        plot.hline(HLine::new("zero", 0.0).color(egui::Color32::GRAY).width(1.0).allow_hover(false));
        mark_gain(plot, gain, dark);
        let points: Vec<_> = summaries.iter().map(|s| (s.gain, s.leading)).collect();
        band(plot, "leading exponent", &points, color(0), Dash::Solid);
        if let Some(crossing) = crossing {
            let at = Points::new("zero crossing", vec![[crossing, 0.0]]);
            plot.points(at.color(color(1)).radius(4.0).allow_hover(false));
        }
    });
    let frame = *shown.transform.frame();
    let text = match (summaries.is_empty(), crossing) {
        (true, _) => "exponent against gain".into(),
        (false, Some(crossing)) => {
            format!("exponent against gain, 0 at {crossing:.2}")
        }
        (false, None) => "exponent against gain".into(),
    };
    paint::corner(ui, frame, &text);
    let x = shown.response.interact_pointer_pos().map(|p| shown.transform.value_from_position(p).x);
    take_clicked(&shown.response, x, summaries, asked);
    let spoken: Vec<_> = summaries.iter().map(|s| (s.gain, s.leading.0)).collect();
    named(&shown.response, || format!("Leading exponent against gain: {spoken:?}"));
}

fn learning_against_gain(ui: &mut Ui, summaries: &[Summary], updates: u64, gain: f64, asked: &mut Asked) {
    let learned = updates > 0;
    let dark = ui.visuals().dark_mode;
    let color = |slot| theme::run_style(slot, dark).0;
    let shown = axes::axes("gain explorer learning", [Scale::Linear; 2], ui).show(ui, |plot| {
        mark_gain(plot, gain, dark);
        if learned {
            let points: Vec<_> = summaries.iter().map(|s| (s.gain, s.loss)).collect();
            band(plot, "loss", &points, color(1), Dash::Solid);
        } else {
            let cosine: Vec<_> = summaries.iter().map(|s| (s.gain, s.cosine)).collect();
            band(plot, "cosine", &cosine, color(2), Dash::Solid);
            let rho: Vec<_> = summaries.iter().map(|s| (s.gain, s.rho)).collect();
            band(plot, "rho", &rho, color(4), Dash::Dashed);
        }
    });
    let diverged: usize = summaries.iter().map(|s| s.diverged).sum();
    let text = match (learned, diverged) {
        (false, _) => "cosine, rho (dashed)".into(),
        (true, 0) => format!("loss after {updates} updates"),
        (true, n) => format!("loss after {updates} updates, {n} diverged"),
    };
    paint::corner(ui, *shown.transform.frame(), &text);
    let x = shown.response.interact_pointer_pos().map(|p| shown.transform.value_from_position(p).x);
    take_clicked(&shown.response, x, summaries, asked);
    named(&shown.response, || text);
}

fn mark_gain(plot: &mut egui_plot::PlotUi<'_>, gain: f64, dark: bool) {
    let style = paint::line_style(Dash::Dotted);
    let color = theme::change_mark(dark);
    plot.vline(VLine::new("gain", gain).color(color).style(style).allow_hover(false));
}

fn named(response: &egui::Response, text: impl FnOnce() -> String) {
    let text = text();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &text));
}
