//! Owns what the docking crate asks of the panels: what is in them, what their tabs and bars show.

use eframe::egui::{self, Ui};
use egui_tiles::{Tile, TileId, Tiles, UiResponse};

use super::app::{Asked, Panels};
use super::commands::Command;
use super::layout::Panel;
use super::{
    activity, bookmarks, curves, experiment, gain_explorer, landscape, runs, spectrum, sweep, weights,
};
use crate::session::Session;

/// The panels as the docking crate sees them.
pub(super) struct Panes<'a> {
    pub session: &'a Session,
    pub panels: &'a mut Panels,
    pub asked: &'a mut Asked,
}

/// The panels in a tile that are not hidden.
fn panels_in(tiles: &Tiles<Panel>, id: TileId) -> Vec<Panel> {
    match tiles.get(id) {
        Some(Tile::Pane(panel)) => vec![*panel],
        Some(Tile::Container(container)) => container
            .children()
            .filter(|child| tiles.is_visible(**child))
            .flat_map(|child| panels_in(tiles, *child))
            .collect(),
        None => Vec::new(),
    }
}

impl egui_tiles::Behavior<Panel> for Panes<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _: TileId, panel: &mut Panel) -> UiResponse {
        let Panes { session, panels, asked } = self;
        let frame = egui::Frame::NONE.inner_margin(egui::Margin { left: 6, right: 4, top: 2, bottom: 2 });
        frame.show(ui, |ui| match *panel {
            Panel::Experiment => experiment::show(ui, session, &mut panels.experiment, asked),
            Panel::Loss | Panel::Accuracy | Panel::Curvature | Panel::Lyapunov | Panel::Alignment => {
                curves::show(ui, *panel, session, &mut panels.curves, &mut panels.cursor);
            }
            Panel::Landscape => landscape::show(ui, session, &mut panels.landscape, asked),
            Panel::Spectrum => spectrum::show(ui, session, &mut panels.spectrum, asked),
            Panel::Activity => activity::show(ui, session, &mut panels.activity, asked),
            Panel::GainExplorer => {
                gain_explorer::show(ui, session, &mut panels.gain_explorer, asked);
            }
            Panel::Weights => weights::show(ui, session, &mut panels.weights, asked),
            Panel::Sweep => sweep::show(ui, session, &mut panels.sweep, asked),
            Panel::Bookmarks => bookmarks::show(ui, session, &mut panels.bookmarks, asked),
            Panel::Runs => runs::show(ui, session, &mut panels.runs, asked),
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, panel: &Panel) -> egui::WidgetText {
        panel.title().into()
    }

    /// Panels that were moved may stand beside each other behind one tab: it has their names.
    fn tab_title_for_tile(&mut self, tiles: &Tiles<Panel>, id: TileId) -> egui::WidgetText {
        if let Some(panel) = tiles.get_pane(&id) {
            return self.tab_title_for_pane(panel);
        }
        let names: Vec<&str> = panels_in(tiles, id).into_iter().map(Panel::title).collect();
        match &names[..] {
            [] => "Hidden".into(),
            [first, second, _, _, ..] => format!("{first}, {second} and {} more", names.len() - 2).into(),
            few => few.join(", ").into(),
        }
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Tiles<Panel>,
        id: TileId,
        response: egui::Response,
    ) -> egui::Response {
        let tip = match tiles.get_pane(&id) {
            Some(panel) => panel.meaning().to_owned(),
            None => panels_in(tiles, id).into_iter().map(Panel::title).collect::<Vec<_>>().join(", "),
        };
        response.on_hover_text(format!("{tip}. Drag to move."))
    }

    fn top_bar_right_ui(
        &mut self,
        tiles: &Tiles<Panel>,
        ui: &mut Ui,
        _: TileId,
        tabs: &egui_tiles::Tabs,
        _: &mut f32,
    ) {
        let Some(panel) = tabs.active.and_then(|id| tiles.get_pane(&id)) else { return };
        let close =
            ui.add(egui::Button::new("×").frame(false)).on_hover_text("Hide (the View menu shows it again)");
        let name = format!("Hide {}", panel.title());
        close.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        if close.clicked() {
            self.asked.command(Command::Toggle(*panel));
        }
        let curves = &mut self.panels.curves;
        let Some(room) = curves::switches::room(*panel, curves) else { return };
        let titles =
            tabs.children.iter().filter_map(|id| tiles.get_pane(id)).map(|panel| panel.title().len());
        let of_tabs: f32 = titles.map(|n| 8.0 * n as f32 + 14.0).sum();
        if ui.available_width() > room + of_tabs {
            return curves::switches::show(ui, *panel, curves);
        }
        // They would push the tabs aside.
        let stay = egui::containers::menu::MenuConfig::new()
            .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
        let button = egui::Button::new(egui::RichText::new("view").small());
        let (response, _) = egui::containers::menu::MenuButton::from_button(button)
            .config(stay)
            .ui(ui, |ui| curves::switches::show(ui, *panel, curves));
        let name = format!("{}: view", panel.title());
        response
            .on_hover_text("What the plot shows, on which axes")
            .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    }

    fn simplification_options(&self) -> egui_tiles::SimplificationOptions {
        egui_tiles::SimplificationOptions { all_panes_must_have_tabs: true, ..Default::default() }
    }

    fn tab_bar_height(&self, style: &egui::Style) -> f32 {
        style.spacing.interact_size.y + 2.0
    }

    fn gap_width(&self, _: &egui::Style) -> f32 {
        3.0
    }

    fn min_size(&self) -> f32 {
        60.0
    }
}
