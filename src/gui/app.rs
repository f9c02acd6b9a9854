//! Owns [`Window`]: `logic` changes state, `ui` reads it and collects what was asked for.

use std::time::Duration;

use eframe::egui::{self, Ui};

use super::commands::{self, Command};
use super::dialogs::Dialogs;
use super::experiment::Experiment;
use super::layout::{Layout, Panel};
use super::panes::Panes;
use super::placement::{self, Placement};
use super::plot::curves::Cursor;
use super::theme::{Look, ThemeChoice};
use super::{
    activity, bookmarks, compare, curves, diagnostics, gain_explorer, glossary, help, landscape, lesson,
    notices, remember, runs, spectrum, sweep, theme, top_bar, weights,
};
use crate::session::{Action, Effect, Export, Session};

/// The longest time that a frame takes in what workers have said.
const DRAIN: Duration = Duration::from_millis(3);

/// What panels ask for while they are drawn; done afterwards, in `logic`'s way, in one place.
#[derive(Debug, Default)]
pub struct Asked {
    /// Of the session.
    pub actions: Vec<Action>,
    /// Of the window.
    pub commands: Vec<Command>,
}

impl Asked {
    /// Asks the session.
    pub fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Asks the window.
    pub fn command(&mut self, command: Command) {
        self.commands.push(command);
    }
}

/// What the panels keep between frames; nothing of it changes a number.
#[derive(Default)]
pub struct Panels {
    /// The experiment panel.
    pub experiment: Experiment,
    /// All plots of curves.
    pub curves: curves::State,
    /// The linked cursor.
    pub cursor: Cursor,
    /// The landscape panel.
    pub landscape: landscape::State,
    /// The activity panel.
    pub activity: activity::State,
    /// The gain explorer.
    pub gain_explorer: gain_explorer::State,
    /// The weights panel.
    pub weights: weights::State,
    /// The spectrum panel.
    pub spectrum: spectrum::State,
    /// Sweeps.
    pub sweep: sweep::State,
    /// The bookmarks.
    pub bookmarks: bookmarks::State,
    /// The table of runs.
    pub runs: runs::State,
}

/// The window's state.
pub struct Window {
    session: Session,
    look: Look,
    applied: Option<Look>,
    layout: Layout,
    before_presenting: Option<Layout>,
    kept_layout: Option<Layout>,
    placement: Placement,
    /// Where the window has to go to be seen.
    move_to: Option<egui::Pos2>,
    panels: Panels,
    dialogs: Dialogs,
    help: help::State,
    glossary: glossary::State,
    compare: compare::State,
    lesson: lesson::State,
    diagnostics: diagnostics::State,
    /// What of the window the session keeps, and when that is next looked at.
    remembered: String,
    remember_at: f64,
}

impl Window {
    /// A window on a session.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            look: Look::default(),
            applied: None,
            layout: Layout::default(),
            before_presenting: None,
            kept_layout: None,
            placement: Placement::default(),
            move_to: None,
            panels: Panels::default(),
            dialogs: Dialogs::default(),
            help: help::State::default(),
            glossary: glossary::State::default(),
            remembered: String::new(),
            remember_at: 0.0,
            compare: compare::State::default(),
            lesson: lesson::State::default(),
            diagnostics: diagnostics::State::default(),
        }
    }

    /// The same as it was at the last end, before the session itself is there again: with the layout that was kept
    /// (see [`crate::session::keep::last_layout`]).
    pub fn as_it_was(session: Session, kept: Option<&str>) -> Self {
        let mut window = Self::new(session);
        if let Some(kept) = kept.and_then(remember::read) {
            (window.look, window.panels.curves, window.placement) = (kept.look, kept.curves, kept.window);
            window.kept_layout = Some(kept.layout);
        }
        window
    }

    /// Moves it, once it is there, to where it can be seen on these screens.
    pub fn keep_on(&mut self, screens: &[egui::Rect]) {
        self.move_to = self.placement.moved(screens);
    }

    /// What the window shows.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Where the panels stand.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How it looks.
    pub fn look(&self) -> Look {
        self.look
    }

    /// Sets how it looks.
    pub fn set_look(&mut self, look: Look) {
        self.look = look;
    }

    /// Takes in what has arrived. Draws nothing.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.diagnostics.begin();
        if self.applied.is_none() {
            theme::set_fonts(ctx);
            self.layout =
                self.kept_layout.take().unwrap_or_else(|| Layout::fitting(ctx.content_rect().height()));
            if let Some(at) = self.move_to.take() {
                placement::move_to(ctx, at);
            }
        }
        self.placement.follow(ctx);
        if self.applied != Some(self.look) {
            self.look.apply(ctx);
            self.applied = Some(self.look);
        }
        self.enlarge(ctx);
        if self.session.logic(DRAIN) {
            ctx.request_repaint_after(Duration::from_millis(15));
        }
        let now = ctx.input(|input| input.time);
        if now >= self.remember_at {
            self.remember_at = now + 1.0;
            self.remember();
        } else {
            // A change in the last frame before the window rests is kept too.
            ctx.request_repaint_after(Duration::from_secs_f64(self.remember_at - now));
        }
        if let Some(wait) = self.session.until_kept() {
            ctx.request_repaint_after(wait);
        }
        let height = ctx.content_rect().height();
        self.lesson.arrange(&self.session, &mut self.layout, &mut self.panels.curves, height);
        if let Some(action) = self.dialogs.answer() {
            self.act(ctx, action);
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.clone());
        for path in dropped.into_iter().map(|file| file.path().to_owned()) {
            self.act(ctx, Action::Open(path));
        }
        if self.session.take_wish_for_sweep() {
            // Not hidden again by the layout of the last session.
            self.remember();
            self.layout.show(Panel::Sweep, true);
        }
        let weights = self.panels.weights.was_shown();
        let asked = self.panels.activity.follow(&self.session, weights);
        asked.into_iter().for_each(|action| self.act(ctx, action));
        let asked = self.panels.spectrum.follow(&self.session);
        asked.into_iter().for_each(|action| self.act(ctx, action));
        self.diagnostics.logic_done();
    }

    /// Makes everything as large as was asked for, as far as the window has room.
    fn enlarge(&self, ctx: &egui::Context) {
        let now = ctx.zoom_factor();
        let wanted = self.look.zoom(ctx.content_rect().size() * now);
        if (wanted / now - 1.0).abs() > 1e-3 {
            ctx.set_zoom_factor(wanted);
        }
    }

    /// Draws everything, then does what was asked for.
    pub fn ui(&mut self, ui: &mut Ui) {
        self.diagnostics.begin();
        let mut asked = Asked { commands: commands::pressed(ui.ctx()), ..Asked::default() };
        self.panels.cursor.turn();
        top_bar::show(ui, &self.session, &self.layout, self.look, &mut asked);
        notices::show(ui, &self.session, &mut asked);
        self.lesson.show(ui, &self.session, &mut asked);
        egui::CentralPanel::no_frame().show(ui, |ui| {
            let (session, panels) = (&self.session, &mut self.panels);
            let mut panes = Panes { session, panels, asked: &mut asked };
            self.layout.tree.ui(&mut panes, ui);
        });
        self.dialogs.show(ui.ctx(), &mut asked);
        self.help.show(ui.ctx());
        self.glossary.show(ui.ctx());
        self.compare.show(ui.ctx(), &self.session, &mut asked);
        self.diagnostics.show(ui.ctx(), &self.session);
        if self.panels.cursor.found != self.panels.cursor.shown {
            ui.ctx().request_repaint();
        }
        self.diagnostics.ui_done();
        for command in asked.commands {
            self.command(ui.ctx(), command);
        }
        for action in asked.actions {
            self.act(ui.ctx(), action);
        }
    }

    /// Takes up what a restored session knows of the window; keeps what has changed since.
    fn remember(&mut self) {
        if self.session.layout() != self.remembered {
            self.remembered = self.session.layout().to_owned();
            if let Some(kept) = remember::read(&self.remembered) {
                (self.look, self.layout, self.panels.curves) = (kept.look, kept.layout, kept.curves);
            }
        }
        // A lesson and a presentation have layouts of their own.
        let is_own = self.session.playing().is_none() && !self.look.presenter;
        if !is_own {
            return;
        }
        let text = remember::text(self.look, &self.layout, &self.panels.curves, self.placement);
        if let Some(text) = text.filter(|text| *text != self.remembered) {
            self.remembered.clone_from(&text);
            self.session.act(Action::Layout(text));
        }
    }

    /// Asks the session, as a script would.
    pub fn ask(&mut self, action: Action) {
        self.session.act(action);
    }

    /// Writes the session a last time, as closing the window does.
    pub fn end(&mut self) {
        self.remember();
        self.session.end();
    }

    fn act(&mut self, ctx: &egui::Context, action: Action) {
        for effect in self.session.act(action) {
            match effect {
                Effect::AskPath { dialog, proposal } => self.dialogs.open(ctx, dialog, &proposal),
            }
        }
        ctx.request_repaint();
    }

    fn command(&mut self, ctx: &egui::Context, command: Command) {
        use crate::session::Dialog;
        let action = match command {
            Command::Open => Action::Ask(Dialog::Open),
            Command::Save(export) => {
                if let Export::Picture(_) = export {
                    // A picture has the horizontal axes that are seen.
                    self.act(ctx, Action::DrawAgainst(self.panels.curves.horizontal()));
                }
                Action::Ask(Dialog::Save(export))
            }
            Command::Undo => Action::Undo,
            Command::Redo => Action::Redo,
            Command::RunOrPause => Action::RunOrPause,
            Command::Step => Action::Step(1),
            Command::TenSteps => Action::Step(10),
            Command::Reset => Action::Reset,
            Command::NewSeed => Action::NewSeed,
            Command::NewRun => Action::StartNew,
            Command::Branch => match self.session.current() {
                Some(run) => Action::Branch { from: run.id, set: Vec::new() },
                None => return,
            },
            Command::BringBack => Action::BringBack(None),
            Command::RunAll => Action::RunAll(true),
            Command::PauseAll => Action::RunAll(false),
            Command::Stop => Action::Stop,
            Command::Bookmark => Action::Bookmark { label: String::new() },
            _ => return self.window_command(ctx, command),
        };
        self.act(ctx, action);
    }

    fn window_command(&mut self, ctx: &egui::Context, command: Command) {
        let look = &mut self.look;
        match command {
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::Fit => self.panels.curves.fit(),
            Command::Log => self.panels.curves.toggle_log(),
            Command::Table => self.panels.curves.toggle_tables(),
            Command::LargerText => *look = look.resized(1),
            Command::SmallerText => *look = look.resized(-1),
            Command::UsualText => look.text_scale = 1.0,
            Command::SystemTheme => look.theme = ThemeChoice::System,
            Command::LightTheme => look.theme = ThemeChoice::Light,
            Command::DarkTheme => look.theme = ThemeChoice::Dark,
            Command::Presenter => self.present(ctx.content_rect().size() * ctx.zoom_factor()),
            Command::Toggle(panel) => self.layout.show(panel, !self.layout.is_shown(panel)),
            Command::UsualLayout => self.layout = Layout::fitting(ctx.content_rect().height()),
            Command::Keys => self.help.toggle(),
            Command::Glossary => self.glossary.toggle(),
            Command::Compare => self.compare.toggle(),
            Command::WhichLesson => self.lesson.toggle_which(),
            Command::Diagnostics => self.diagnostics.toggle(),
            _ => {}
        }
        ctx.request_repaint();
    }

    /// Enters or leaves presenter mode: large text and fewer panels; leaving brings the layout back. In a lesson, whose
    /// panels are few, only the text changes at once: the layout that follows the lesson is the one that changes.
    fn present(&mut self, window: egui::Vec2) {
        self.look.presenter = !self.look.presenter;
        let layout = match self.lesson.layout_after() {
            Some(after) => after,
            None => &mut self.layout,
        };
        match self.before_presenting.take() {
            Some(before) if !self.look.presenter => *layout = before,
            _ => {
                let height = window.y / self.look.zoom(window);
                self.before_presenting = Some(layout.clone());
                *layout = layout.presenting(height);
            }
        }
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, _: &mut eframe::Frame) {
        Window::logic(self, ctx);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        Window::ui(self, ui);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.end();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
