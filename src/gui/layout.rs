//! Owns [`Panel`], the panels there are, and [`Layout`], where they stand: docked, resizable, movable, hideable.

use eframe::egui;
use egui_tiles::{Container, Linear, LinearDir, Tabs, Tile, TileId, Tiles, Tree};
use serde::{Deserialize, Serialize};

/// A panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Panel {
    Experiment,
    Loss,
    Accuracy,
    Curvature,
    Lyapunov,
    Alignment,
    Landscape,
    Spectrum,
    Activity,
    GainExplorer,
    Weights,
    Sweep,
    Runs,
    Bookmarks,
}

impl Panel {
    /// All panels, in the order of the View menu.
    pub const ALL: [Panel; 14] = [
        Panel::Experiment,
        Panel::Loss,
        Panel::Accuracy,
        Panel::Curvature,
        Panel::Lyapunov,
        Panel::Alignment,
        Panel::Landscape,
        Panel::Spectrum,
        Panel::Activity,
        Panel::GainExplorer,
        Panel::Weights,
        Panel::Sweep,
        Panel::Runs,
        Panel::Bookmarks,
    ];

    /// The title of its tab.
    pub fn title(self) -> &'static str {
        match self {
            Panel::Experiment => "Experiment",
            Panel::Loss => "Loss",
            Panel::Accuracy => "Accuracy",
            Panel::Curvature => "Curvature",
            Panel::Lyapunov => "Lyapunov",
            Panel::Alignment => "Alignment and gap",
            Panel::Landscape => "Landscape",
            Panel::Spectrum => "Spectrum",
            Panel::Activity => "Activity",
            Panel::GainExplorer => "Gain explorer",
            Panel::Weights => "Weights",
            Panel::Sweep => "Sweep",
            Panel::Runs => "Runs",
            Panel::Bookmarks => "Bookmarks",
        }
    }

    /// The panel of this name in a layout's file or a lesson.
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(name.into()).ok()
    }

    /// What it shows, for a tooltip.
    pub fn meaning(self) -> &'static str {
        match self {
            Panel::Experiment => "All settings of the selected run: task, network, rule, optimiser, measures",
            Panel::Loss => "Loss on the training batch of each iteration and on the fixed test trials",
            Panel::Accuracy => "Share of trials judged right, in training and in the test",
            Panel::Curvature => {
                "Largest and smallest eigenvalue of the Hessian on the probe batch (sharpness), with the \
                 stability lines 2/eta and 2/(eta rho)"
            }
            Panel::Lyapunov => {
                "Largest Lyapunov exponent, nats per step: below 0 activity forgets, above 0 it is chaotic"
            }
            Panel::Alignment => {
                "How far the rule's gradient goes along the exact one (rho), the cosine between them, and the \
                 generalization gap"
            }
            Panel::Landscape => {
                "The loss over a plane through weight space, with the run's path: a slice hides all other \
                 directions"
            }
            Panel::Spectrum => "Leading Hessian eigenvalues and Lyapunov exponents, as measured last",
            Panel::Activity => "Input, units and output of the selected run during one probe trial",
            Panel::GainExplorer => {
                "What a network of a given initial gain is like before training, and after flossing; scans over gains"
            }
            Panel::Weights => "The weight matrices of the selected run, and how their values are spread",
            Panel::Sweep => {
                "Many runs over gains, rates, rules and seeds: heat map, curves as mean and band, correlations"
            }
            Panel::Bookmarks => {
                "Full states of the runs to jump to, branch from or put the slice's centre on"
            }
            Panel::Runs => "Every run: how it is, what differs, its latest values",
        }
    }
}

/// Where the panels stand. Remembered between starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Layout {
    /// The tree of panels.
    pub tree: Tree<Panel>,
}

/// Height of the window, in points, below which four plots of curves on top of each other are too low to read (`[own]`).
const LOW: f32 = 850.0;

/// The same for two pictures on top of each other: they are behind each other there (`[own]`).
const LOW_PICTURES: f32 = 620.0;

/// Height in points of the panel of runs with four of them, its tabs and its header (`[own]`).
const RUNS: f32 = 130.0;

/// Height in points of the bar above the panels (`[own]`).
const TOP_BAR: f32 = 26.0;

impl Default for Layout {
    fn default() -> Self {
        Self::fitting(f32::INFINITY)
    }
}

impl Layout {
    /// The usual layout of a window of this height.
    pub fn fitting(height: f32) -> Self {
        if height < LOW_PICTURES {
            return Self::with_pictures_in_turn(height);
        }
        let mut tiles = Tiles::default();
        let mut pane = |panel| {
            let pane = tiles.insert_pane(panel);
            tiles.insert_tab_tile(vec![pane])
        };
        let experiment = pane(Panel::Experiment);
        let curvature = pane(Panel::Curvature);
        let landscape = pane(Panel::Landscape);
        let loss = vec![tiles.insert_pane(Panel::Loss), tiles.insert_pane(Panel::Accuracy)];
        let loss = tiles.insert_tab_tile(loss);
        let mut curves = vec![(loss, 1.2), (curvature, 1.2)];
        let [lyapunov, alignment] = [Panel::Lyapunov, Panel::Alignment].map(|panel| tiles.insert_pane(panel));
        if height < LOW {
            curves.push((tiles.insert_tab_tile(vec![lyapunov, alignment]), 1.0));
        } else {
            curves.extend([lyapunov, alignment].map(|pane| (tiles.insert_tab_tile(vec![pane]), 0.8)));
        }
        let curves = split(&mut tiles, LinearDir::Vertical, &curves);
        let [gain, spectrum, activity, weights, sweep, runs, bookmarks] = [
            Panel::GainExplorer,
            Panel::Spectrum,
            Panel::Activity,
            Panel::Weights,
            Panel::Sweep,
            Panel::Runs,
            Panel::Bookmarks,
        ]
        .map(|panel| tiles.insert_pane(panel));
        let mut tabs = Tabs::new(vec![gain, spectrum, activity, weights, sweep]);
        // What moves is seen first.
        tabs.set_active(activity);
        let tabs = tiles.insert_container(tabs);
        let runs = tiles.insert_tab_tile(vec![runs, bookmarks]);
        let pictures = split(&mut tiles, LinearDir::Vertical, &[(landscape, 1.15), (tabs, 1.0)]);
        let columns = [(experiment, 0.62), (curves, 1.2), (pictures, 1.0)];
        let columns = split(&mut tiles, LinearDir::Horizontal, &columns);
        let root = split(&mut tiles, LinearDir::Vertical, &[(columns, 4.6), (runs, 1.0)]);
        Self { tree: Tree::new(egui::Id::unique("panels"), root, tiles) }
    }
}

fn split(tiles: &mut Tiles<Panel>, dir: LinearDir, parts: &[(TileId, f32)]) -> TileId {
    let mut linear = Linear::new(dir, parts.iter().map(|(id, _)| *id).collect());
    for (id, share) in parts {
        linear.shares.set_share(*id, *share);
    }
    tiles.insert_container(Container::Linear(linear))
}

impl Layout {
    /// The layout for a projector: without what a class does not need, and where a window of this height is low, all
    /// pictures behind each other, so that each is large.
    pub fn presenting(&self, height: f32) -> Self {
        const LEFT_OUT: [Panel; 4] = [Panel::Experiment, Panel::Lyapunov, Panel::Alignment, Panel::Bookmarks];
        let mut layout = if height < LOW_PICTURES { Self::fitting(height) } else { self.clone() };
        for panel in Panel::ALL {
            if LEFT_OUT.contains(&panel) || !self.is_shown(panel) {
                layout.show(panel, false);
            }
        }
        layout
    }

    /// Two columns: curves, and all pictures behind each other.
    fn with_pictures_in_turn(height: f32) -> Self {
        let mut tiles = Tiles::default();
        let mut tabs = |panels: &[Panel]| {
            let panes = panels.iter().map(|panel| tiles.insert_pane(*panel)).collect();
            tiles.insert_tab_tile(panes)
        };
        let experiment = tabs(&[Panel::Experiment]);
        let loss = tabs(&[Panel::Loss, Panel::Accuracy]);
        let curvature = tabs(&[Panel::Curvature, Panel::Lyapunov, Panel::Alignment]);
        let pictures = tabs(&[
            Panel::Landscape,
            Panel::GainExplorer,
            Panel::Spectrum,
            Panel::Activity,
            Panel::Weights,
            Panel::Sweep,
        ]);
        let runs = tabs(&[Panel::Runs, Panel::Bookmarks]);
        let curves = split(&mut tiles, LinearDir::Vertical, &[(loss, 1.0), (curvature, 1.0)]);
        let columns = [(experiment, 0.6), (curves, 1.0), (pictures, 1.0)];
        let columns = split(&mut tiles, LinearDir::Horizontal, &columns);
        // Also in a low window there is room for four runs.
        let of_runs = (RUNS / (height - TOP_BAR)).clamp(0.2, 0.3);
        let rows = [(columns, 1.0 - of_runs), (runs, of_runs)];
        let root = split(&mut tiles, LinearDir::Vertical, &rows);
        Self { tree: Tree::new(egui::Id::unique("panels"), root, tiles) }
    }

    /// The usual layout with these panels only, the first of several tabs in front.
    pub fn of_panels(panels: &[Panel], height: f32) -> Self {
        let mut layout = Self::fitting(height);
        for panel in Panel::ALL {
            layout.show(panel, false);
        }
        for panel in panels.iter().rev() {
            layout.show(*panel, true);
        }
        layout
    }

    /// Whether a panel is in sight, or behind another tab.
    pub fn is_shown(&self, panel: Panel) -> bool {
        self.tree.tiles.find_pane(&panel).is_some_and(|id| self.tree.tiles.is_visible(id))
    }

    /// Shows a panel, in front of other tabs, or hides it.
    pub fn show(&mut self, panel: Panel, shown: bool) {
        let Some(id) = self.tree.tiles.find_pane(&panel) else { return };
        self.tree.set_visible(id, shown);
        if shown {
            self.tree.make_active(|tile, _| tile == id);
        }
    }

    /// Whether it holds every panel once: a layout from a file may be older than a panel.
    pub fn is_sound(&self) -> bool {
        let panes: Vec<Panel> = self
            .tree
            .tiles
            .tiles()
            .filter_map(|tile| if let Tile::Pane(panel) = tile { Some(*panel) } else { None })
            .collect();
        panes.len() == Panel::ALL.len() && Panel::ALL.iter().all(|panel| panes.contains(panel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_layout_shows_every_panel() {
        let layout = Layout::default();
        assert!(layout.is_sound());
        assert!(Panel::ALL.into_iter().all(|panel| layout.is_shown(panel)));
    }

    #[test]
    fn a_projector_shows_what_was_shown_in_fewer_larger_panels() {
        let mut own = Layout::default();
        own.show(Panel::Weights, false);
        for height in [530.0, 1080.0] {
            let layout = own.presenting(height);
            assert!(layout.is_sound(), "{height}");
            for panel in [Panel::Loss, Panel::Curvature, Panel::Landscape, Panel::GainExplorer, Panel::Runs] {
                assert!(layout.is_shown(panel), "{panel:?} at {height}");
            }
            for panel in [Panel::Experiment, Panel::Lyapunov, Panel::Weights, Panel::Bookmarks] {
                assert!(!layout.is_shown(panel), "{panel:?} at {height}");
            }
        }
    }

    #[test]
    fn the_usual_layout_of_any_height_has_every_panel() {
        for height in [400.0, 619.0, 720.0, 1080.0] {
            let layout = Layout::fitting(height);
            assert!(
                layout.is_sound() && Panel::ALL.into_iter().all(|panel| layout.is_shown(panel)),
                "{height}"
            );
        }
    }

    #[test]
    fn a_panel_that_was_hidden_comes_back() {
        let mut layout = Layout::default();
        layout.show(Panel::Runs, false);
        assert!(!layout.is_shown(Panel::Runs) && layout.is_shown(Panel::Loss));
        layout.show(Panel::Runs, true);
        assert!(layout.is_shown(Panel::Runs));
    }

    #[test]
    fn a_layout_survives_being_written_and_read() {
        let mut layout = Layout::default();
        layout.show(Panel::Activity, false);
        let text = serde_json::to_string(&layout).unwrap();
        let back: Layout = serde_json::from_str(&text).unwrap();
        assert!(back.is_sound() && !back.is_shown(Panel::Activity) && back.is_shown(Panel::Loss));
    }
}
