//! Owns the window "Is the difference real?": two settings over the same seeds, compared in pairs.

use eframe::egui::{self, Ui};

use super::app::Asked;
use super::plot::number;
use super::windows;
use crate::session::setting_words;
use crate::session::settings::differences;
use crate::session::{Action, Comparison, Dialog, Export, Group, Quantity, RunId, Session};
use crate::training::history::Series;

/// What can be compared, with its name in a sentence.
const QUANTITIES: &[(Quantity, &str)] = &[
    (Quantity::SharpnessAtEqualLoss, "Sharpness at equal loss"),
    (Quantity::Last(Series::LambdaMax), "Sharpness, as measured last"),
    (Quantity::Last(Series::TrainLoss), "Training loss, the last"),
    (Quantity::Last(Series::TestLoss), "Test loss, the last"),
    (Quantity::Last(Series::TestAccuracy), "Test accuracy, the last"),
    (Quantity::Last(Series::GeneralizationGap), "Generalization gap, the last"),
    (Quantity::Last(Series::LyapunovMax), "Largest Lyapunov exponent, the last"),
];

/// Seconds between two comparisons while runs go on.
const EVERY: f64 = 0.5;
/// Most seeds that the window offers to add at once.
const MOST: usize = 20;

/// What the window keeps.
#[derive(Debug, Default)]
pub struct State {
    open: bool,
    /// The first run of either group.
    chosen: [Option<RunId>; 2],
    quantity: usize,
    /// The last comparison: of what, when.
    last: Option<([RunId; 2], usize, f64, Compared)>,
}

/// Two settings, compared.
#[derive(Clone, Debug)]
struct Compared {
    found: Result<Comparison, String>,
    /// Where they differ, in words.
    differ: String,
}

impl Compared {
    fn new(session: &Session, runs: [RunId; 2], quantity: Quantity) -> Self {
        let keys = match runs.map(|id| session.run(id)) {
            [Some(a), Some(b)] => differences(&a.config, &b.config),
            _ => Vec::new(),
        };
        let keys = keys.iter().map(|difference| difference.key.as_str());
        let keys = keys.filter(|key| *key != "seed" && !key.starts_with("measure.landscape"));
        let differ = keys.map(setting_words::key).collect::<Vec<_>>().join(", ");
        Self { found: session.compare(runs[0], runs[1], quantity), differ }
    }
}

impl State {
    /// Opens or closes the window.
    pub fn toggle(&mut self) {
        self.open = !self.open;
    }

    /// Draws it where it is open.
    pub fn show(&mut self, ctx: &egui::Context, session: &Session, asked: &mut Asked) {
        let mut open = self.open && !windows::is_closed(ctx);
        let window = windows::centred(ctx, "Is the difference real?").open(&mut open);
        window.default_width(440.0).show(ctx, |ui| self.contents(ui, session, asked));
        self.open = open;
    }

    fn contents(&mut self, ui: &mut Ui, session: &Session, asked: &mut Asked) {
        let groups = session.groups();
        ui.label("Two settings over the same seeds, seed by seed: what they share cancels out.").on_hover_text(
            "Left out: runs whose settings changed while they learned, branches, ghosts, and a seed that is there \
             already",
        );
        if groups.len() < 2 {
            ui.weak(
                "There is one setting only. Branch a run, change a setting before its first update, then give both more \
                 seeds.",
            );
            return;
        }
        let of = |id: Option<RunId>| id.and_then(|id| groups.iter().position(|g| g.members.contains(&id)));
        // Until the user chooses, the two settings with the most seeds.
        let mut by_size: Vec<usize> = (0..groups.len()).collect();
        by_size.sort_by_key(|i| std::cmp::Reverse(groups[*i].members.len()));
        let first = of(self.chosen[0]).unwrap_or_else(|| by_size[0].min(by_size[1]));
        let second = of(self.chosen[1])
            .filter(|i| *i != first)
            .unwrap_or_else(|| by_size.iter().copied().find(|i| *i != first).unwrap_or(first));
        let mut places = [first, second];
        egui::Grid::new("comparison").num_columns(2).show(ui, |ui| {
            for (place, title) in places.iter_mut().zip(["First setting", "Second setting"]) {
                ui.label(title).on_hover_text("All runs whose settings differ in the seed only");
                choose(ui, title, session, &groups, place);
                ui.end_row();
            }
            ui.label("Quantity").on_hover_text("What is compared, seed by seed");
            self.choose_quantity(ui);
            ui.end_row();
        });
        let runs = places.map(|place| groups[place].members[0]);
        self.chosen = runs.map(Some);
        if runs[0] == runs[1] {
            ui.weak("Choose two different settings.");
            return;
        }
        let Compared { found: comparison, differ } = self.compare(ui, session, runs);
        ui.weak(format!("They differ in {differ}."))
            .on_hover_text("What of their settings is not the same, the seed left out");
        let names = places.map(|place| groups[place].name(session));
        let (quantity, _) = QUANTITIES[self.quantity];
        ui.separator();
        match &comparison {
            Ok(found) => {
                let sentences = found.sentences(quantity.in_words(), &names[0], &names[1]);
                ui.label(sentences).on_hover_text(
                    "Student's paired test, of logarithms where all values are positive: it asks how often \
                     seeds alone would give a mean difference as large, were there none. How many more seeds \
                     would decide: enough to find a difference of this size in four of five studies.",
                );
                pairs(ui, found);
            }
            Err(text) => {
                ui.label(format!("Not yet: {text}."));
            }
        }
        let (seeds, needed) = match &comparison {
            Ok(found) => (found.test.n, found.test.pairs_needed.unwrap_or(0)),
            Err(_) => (0, 3),
        };
        let more = if needed > seeds { (needed - seeds).min(MOST) } else { 1 };
        let [own, other] = places.map(|place| groups[place].seeds(session));
        let wanted = own.intersection(&other).count() + more;
        let text = format!("{more} more {} of both", if more == 1 { "seed" } else { "seeds" });
        let tip = "Start the seeds that both settings lack";
        ui.horizontal(|ui| {
            if ui.button(text).on_hover_text(tip).clicked() {
                for place in places {
                    let lacking = wanted.saturating_sub(groups[place].members.len());
                    asked.act(Action::MoreSeeds { like: groups[place].members[0], n: lacking as u64 });
                }
            }
            let tip = "Write what is said above and the values seed by seed as a file (CSV)";
            if comparison.is_ok() && ui.button("Save comparison…").on_hover_text(tip).clicked() {
                let [first, second] = runs;
                asked.act(Action::Ask(Dialog::Save(Export::Comparison { first, second, quantity })));
            }
        });
    }

    fn choose_quantity(&mut self, ui: &mut Ui) {
        let shown = QUANTITIES[self.quantity].1;
        let response = egui::ComboBox::from_id_salt("quantity")
            .selected_text(shown)
            .width(300.0)
            .show_ui(ui, |ui| {
                for (i, (_, text)) in QUANTITIES.iter().enumerate() {
                    ui.selectable_value(&mut self.quantity, i, *text);
                }
            })
            .response
            .on_hover_text(
                "Sharpness at equal loss compares rules that learn at different speed fairly: lambda_max where \
                 the training loss first reaches the lowest level that all runs have reached",
            );
        accessible(&response, "Quantity", shown);
    }

    /// The comparison, taken again twice a second.
    fn compare(&mut self, ui: &Ui, session: &Session, runs: [RunId; 2]) -> Compared {
        let now = ui.input(|input| input.time);
        match &self.last {
            Some((of, quantity, at, found))
                if *of == runs && *quantity == self.quantity && now - at < EVERY =>
            {
                found.clone()
            }
            _ => {
                let found = Compared::new(session, runs, QUANTITIES[self.quantity].0);
                self.last = Some((runs, self.quantity, now, found.clone()));
                found
            }
        }
    }
}

fn choose(ui: &mut Ui, title: &str, session: &Session, groups: &[Group], place: &mut usize) {
    let shown = groups[*place].name(session);
    let response = egui::ComboBox::from_id_salt(title)
        .selected_text(&shown)
        .width(300.0)
        .show_ui(ui, |ui| {
            for (i, group) in groups.iter().enumerate() {
                ui.selectable_value(place, i, group.name(session));
            }
        })
        .response
        .on_hover_text("All runs whose settings differ in the seed only");
    accessible(&response, title, &shown);
}

fn accessible(response: &egui::Response, name: &str, value: &str) {
    response.widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name);
        info.current_text_value = Some(value.to_owned());
        info
    });
}

/// The values of both settings, seed by seed.
fn pairs(ui: &mut Ui, found: &Comparison) {
    egui::ScrollArea::vertical().max_height(160.0).show(ui, |ui| {
        egui::Grid::new("pairs").striped(true).num_columns(4).show(ui, |ui| {
            let third = if found.is_ratio {
                ("Ratio", "Second over first, without unit: below 1 where the second is smaller")
            } else {
                ("Difference", "Second less first, in the quantity's unit")
            };
            for (title, tip) in [
                ("Seed", "The seed that both runs share: the same trials and the same initial weights"),
                ("First", "The quantity under the first setting, in its unit"),
                ("Second", "The quantity under the second setting, in its unit"),
                third,
            ] {
                ui.strong(title).on_hover_text(tip);
            }
            ui.end_row();
            for (seed, (first, second)) in &found.pairs {
                let third = found.effect(*first, *second);
                ui.label(seed.to_string());
                for value in [*first, *second, third] {
                    ui.label(number::value(value));
                }
                ui.end_row();
            }
        });
    });
}
