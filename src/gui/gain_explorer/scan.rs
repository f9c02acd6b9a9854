//! Owns the scan over gains in the gain explorer: its buttons, its plots and its numbers.

use eframe::egui::{self, Ui};

use crate::gui::app::Asked;
use crate::gui::plot::points::{self, Cloud, Points};
use crate::gui::plot::scale::Scale;
use crate::gui::plot::{number, values};
use crate::gui::spectrum::beside;
use crate::session::Action;
use crate::session::explorer::{Ask, GAINS, GainExplorer, SEEDS, Summary};

/// The buttons, or how far a scan is.
pub(super) fn controls(ui: &mut Ui, explorer: &GainExplorer, state: &mut super::State, asked: &mut Asked) {
    match explorer.scan_share() {
        Some(share) => {
            ui.add(egui::ProgressBar::new(share as f32).desired_width(140.0).show_percentage());
            let stop = ui.button("Stop the scan").on_hover_text("Leave it at the gains that are done");
            if stop.clicked() {
                asked.act(Action::Explore(Ask::StopScan));
            }
        }
        None => {
            let scan = ui.button("Scan gains").on_hover_text(format!(
                "Leading exponent, cosine and rho of fresh networks at {} gains and {SEEDS} seeds, before training: \
                 mean and one standard deviation of what is finite. A click in a plot takes a gain",
                GAINS.len()
            ));
            if scan.clicked() {
                asked.act(Action::Explore(Ask::Scan { updates: 0 }));
            }
            let learn = ui
                .button("Scan learning")
                .on_hover_text("The same, each network also trained with these settings for so many updates: median and quartiles of its \
                     loss, a run that diverged counting as infinite");
            if learn.clicked() {
                asked.act(Action::Explore(Ask::Scan { updates: state.updates.max(1) }));
            }
            let label = ui.label("updates");
            ui.add(egui::DragValue::new(&mut state.updates).range(1..=20_000).speed(10))
                .labelled_by(label.id)
                .on_hover_text("Updates that Scan learning makes of each network");
        }
    }
}

/// A quantity of a scan: its mean and standard deviation at a gain.
type Quantity = fn(&Summary) -> (f64, f64);
/// A column of a table: its name and its value at a gain.
type Column = (&'static str, fn(&Summary) -> f64);

/// A plot, what its table has of each gain, and what it counts there: the seeds that its means leave out, or, where
/// the quartiles are over all seeds, those that diverged.
pub(super) struct Drawn {
    pub plot: Points,
    columns: Vec<Column>,
    counted: (&'static str, fn(&Summary) -> usize),
}

/// What the scan has found so far; the leading exponents first.
pub(super) fn plots(explorer: &GainExplorer, gain: f64, dark: bool) -> Vec<Drawn> {
    let summaries = explorer.summaries();
    let (_, updates) = explorer.scan();
    if summaries.is_empty() {
        return Vec::new();
    }
    let most = summaries.iter().map(|s| s.seeds).max().unwrap_or(0);
    let seeds = number::counted(most as u64, "seed");
    let cloud = |name: String, slot: usize, of: Quantity| {
        let mut cloud =
            points::cloud(name, slot, dark, summaries.iter().map(|s| [s.gain, of(s).0]).collect());
        cloud.band = summaries.iter().map(of).map(|(mean, sd)| [mean - sd, mean + sd]).collect();
        cloud.is_joined = true;
        cloud.tip(format!("Mean of the finite values and one standard deviation, {seeds} at a gain"))
    };
    let leading: Quantity = |s| s.leading;
    let (cosine, rho): (Quantity, Quantity) = (|s| s.cosine, |s| s.rho);

    let mut exponents = vec![cloud("mean, sd".into(), 0, leading)];
    // There is room for the crossing's name only.
    exponents[0].in_legend = false;
    if let Some(crossing) = explorer.zero_crossing() {
        let name = format!("zero at {}", number::significant(crossing, 3));
        let cloud = points::cloud(name, 1, dark, vec![[crossing, 0.0]]);
        exponents.push(
            cloud.tip("The gain at which the mean largest exponent crosses zero, between two scanned gains; exponents over at \
                 most 16 probe trials"),
        );
    }
    let lie = vec![cloud("cosine".into(), 2, cosine), cloud("rho".into(), 4, rho)];
    let mut all = vec![
        Drawn {
            plot: of_gain("Exponent against gain", "exponent", exponents, gain),
            columns: vec![("exponent: mean", |s| s.leading.0), ("exponent: sd", |s| s.leading.1)],
            counted: ("left out", |s| s.not_finite),
        },
        Drawn {
            plot: of_gain("Cosine and rho against gain", "cosine, rho", lie, gain),
            columns: vec![
                ("cosine: mean", |s| s.cosine.0),
                ("cosine: sd", |s| s.cosine.1),
                ("rho: mean", |s| s.rho.0),
                ("rho: sd", |s| s.rho.1),
            ],
            counted: ("left out", |s| s.undefined),
        },
    ];
    if updates > 0 {
        let diverged: usize = summaries.iter().map(|s| s.diverged).sum();
        let name = match diverged {
            0 => "median, quartiles".to_owned(),
            n => format!("median, quartiles; {n} diverged"),
        };
        // Where half of the seeds diverged there is no median: a mark at the edge.
        let median = summaries.iter().map(|s| [s.gain, s.loss[1]]).collect();
        let mut cloud = points::cloud(name, 3, dark, median);
        cloud.band = summaries.iter().map(|s| [s.loss[0], s.loss[2]]).collect();
        cloud.is_joined = true;
        let cloud = cloud.tip(format!(
            "Loss on the probe batch after {}: median and quartiles over {seeds} at a gain, a run that diverged \
             counting as infinite",
            number::counted(updates, "update")
        ));
        let plot = of_gain("Loss against gain", "probe loss", vec![cloud], gain);
        let plot = Points { scales: [Scale::Linear, Scale::Log], zero_line: false, ..plot };
        let columns: Vec<Column> = vec![
            ("probe loss: median", |s| s.loss[1]),
            ("probe loss: lower quartile", |s| s.loss[0]),
            ("probe loss: upper quartile", |s| s.loss[2]),
        ];
        all.push(Drawn { plot, columns, counted: ("diverged", |s| s.diverged) });
    }
    all
}

/// A plot with its numbers beside it; gives where it was clicked.
pub(super) fn with_table(ui: &mut Ui, drawn: &Drawn, explorer: &GainExplorer) -> Option<f64> {
    let mut clicked = None;
    let summaries = explorer.summaries();
    beside(
        ui,
        true,
        |ui, size| clicked = drawn.plot.show(ui, size).map(|click| click.x),
        |ui| numbers(ui, drawn, &summaries),
    );
    clicked
}

fn of_gain(title: &'static str, y_name: &'static str, clouds: Vec<Cloud>, gain: f64) -> Points {
    let zero_line = clouds.iter().any(|c| c.points.iter().any(|p| p[1] < 0.0));
    Points { at: Some((gain, "gain".into())), zero_line, ..Points::new(title, "gain", y_name, clouds) }
}

/// The scanned gain next to the explored one, in numbers.
pub(super) fn in_words(ui: &mut Ui, explorer: &GainExplorer, gain: f64) {
    let (_, updates) = explorer.scan();
    let Some(s) = explorer.nearest(gain) else { return };
    let value = |(mean, sd): (f64, f64)| format!("{} (sd {})", number::value(mean), number::value(sd));
    let mut text = format!(
        "Scan at gain {}, {}: exponent {}, cosine {}, rho {}",
        number::value(s.gain),
        number::counted(s.seeds as u64, "seed"),
        value(s.leading),
        value(s.cosine),
        value(s.rho)
    );
    if s.not_finite > 0 {
        text += &format!(", {} not finite", number::counted(s.not_finite as u64, "exponent"));
    }
    if updates > 0 {
        let [lower, median, upper] = s.loss.map(number::value);
        text += &format!(
            ", loss after {} {median} (quartiles {lower} to {upper})",
            number::counted(updates, "update")
        );
    }
    if s.diverged > 0 {
        text += &format!(", {} diverged", s.diverged);
    }
    ui.small(text).on_hover_text(
        "The scanned gain next to the explored one: leading Lyapunov exponent (nats per step), cosine and rho of the \
         rule's gradient against the exact one (P1 Eq. 6), mean and standard deviation over the seeds",
    );
}

/// The numbers of one plot: a row for each gain.
fn numbers(ui: &mut Ui, drawn: &Drawn, summaries: &[Summary]) {
    let mut columns = vec!["gain".to_string()];
    columns.extend(drawn.columns.iter().map(|(name, _)| (*name).to_owned()));
    columns.extend(["seeds", drawn.counted.0].map(String::from));
    values::show(ui, drawn.plot.title, &columns, summaries.len(), |row, column| {
        let summary = &summaries[row];
        let value = column.checked_sub(1).and_then(|i| Some(drawn.columns.get(i)?.1(summary)));
        match value {
            Some(value) => number::significant(value, 5),
            None if column == 0 => number::value(summary.gain),
            None if column + 2 == columns.len() => summary.seeds.to_string(),
            None => (drawn.counted.1)(summary).to_string(),
        }
    });
}
