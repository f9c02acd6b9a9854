//! Owns the lists that the landscape panel chooses from: directions, places, rules.

use eframe::egui::{self, Ui};

use crate::session::places::Place;
use crate::session::{RunEntry, Session};
use crate::training::config::SliceDirections;

/// Directions to choose from, with what they show and hide.
pub const DIRECTIONS: [(SliceDirections, &str, &str); 5] = [
    (
        SliceDirections::Trajectory,
        "trajectory",
        "The first two principal components of the run's path, with the share of its variance that each explains: \
         shows the way, and hides how narrow it is",
    ),
    (
        SliceDirections::Eigenvectors,
        "eigenvectors",
        "The Hessian's top two eigenvectors at the centre: the steepest walls; the path hardly moves in them",
    ),
    (
        SliceDirections::EigenvectorRandom,
        "eigenvector-random",
        "The Hessian's top eigenvector and a random direction of the same length: the steepest wall beside a typical \
         way up",
    ),
    (
        SliceDirections::Random,
        "random",
        "Two random directions, each neuron's part as long as the neuron's weights: a typical view, which misses \
         the few sharp directions",
    ),
    (
        SliceDirections::ThreePoints,
        "three-points",
        "The plane through three networks, of all weights: start, middle and end of the path, or any three that \
         are chosen, also of other runs",
    ),
];

/// The name of directions.
pub fn directions_name(directions: SliceDirections) -> &'static str {
    DIRECTIONS.iter().find(|d| d.0 == directions).map_or("", |d| d.1)
}

/// A list of named choices; gives what was chosen.
pub fn list<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    tip: &str,
    width: f32,
    now: (Option<T>, &str),
    choices: impl IntoIterator<Item = (T, String, String)>,
) -> Option<T> {
    let mut chosen = None;
    let list = egui::ComboBox::from_id_salt(name)
        .selected_text(egui::RichText::new(now.1).small())
        .width(width)
        .truncate()
        .show_ui(ui, |ui| {
            for (choice, text, meaning) in choices {
                let response = ui.selectable_label(now.0 == Some(choice), text);
                let response = if meaning.is_empty() { response } else { response.on_hover_text(meaning) };
                if response.clicked() {
                    chosen = Some(choice);
                }
            }
        });
    list.response.on_hover_text(tip).widget_info(|| {
        let mut info = egui::WidgetInfo::labeled(egui::Role::ComboBox, true, name);
        info.current_text_value = Some(now.1.into());
        info
    });
    chosen
}

/// A list of all places; gives what was chosen.
pub fn place(
    ui: &mut Ui,
    session: &Session,
    run: &RunEntry,
    name: &str,
    tip: &str,
    now: (Option<Place>, &str),
) -> Option<Place> {
    let of_now = now.0.and_then(|place| session.name_of(place, run.id));
    let text = of_now.as_deref().unwrap_or(now.1);
    let named = |place: Place| Some((place, session.name_of(place, run.id)?, String::new()));
    let choices: Vec<_> = session.places(run.id).into_iter().filter_map(named).collect();
    list(ui, name, tip, 64.0, (now.0, text), choices)
}
