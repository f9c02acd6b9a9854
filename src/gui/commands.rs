//! Owns the one table of commands: menus, keys and the help read it.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

use super::layout::Panel;
use crate::session::{Export, Picture};

/// What a menu entry or a key can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Command {
    Open,
    Save(Export),
    Undo,
    Redo,
    Quit,
    RunOrPause,
    Step,
    TenSteps,
    Reset,
    NewSeed,
    NewRun,
    Branch,
    BringBack,
    RunAll,
    PauseAll,
    Stop,
    Bookmark,
    Compare,
    Fit,
    Log,
    Table,
    LargerText,
    SmallerText,
    UsualText,
    SystemTheme,
    LightTheme,
    DarkTheme,
    Presenter,
    Toggle(Panel),
    UsualLayout,
    Keys,
    Glossary,
    WhichLesson,
    Diagnostics,
}

/// A menu of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Menu {
    File,
    Run,
    View,
    Help,
    Export,
}

impl Menu {
    /// Its name on the bar.
    pub fn name(self) -> &'static str {
        match self {
            Menu::File => "File",
            Menu::Run => "Train",
            Menu::View => "View",
            Menu::Help => "Help",
            Menu::Export => "Export",
        }
    }
}

/// A command as menus, keys and the help show it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it asks for.
    pub command: Command,
    /// Its menu.
    pub menu: Menu,
    /// Its name there.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub help: &'static str,
    /// Its key.
    pub key: Option<KeyboardShortcut>,
}

const fn key(modifiers: Modifiers, key: Key) -> Option<KeyboardShortcut> {
    Some(KeyboardShortcut::new(modifiers, key))
}

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers::COMMAND;
const CTRL_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

const fn entry(
    command: Command,
    menu: Menu,
    name: &'static str,
    key: Option<KeyboardShortcut>,
    help: &'static str,
) -> Entry {
    Entry { command, menu, name, help, key }
}

use Command as C;
use Menu as M;

/// All commands, in the order of their menus.
#[rustfmt::skip]
pub const TABLE: &[Entry] = &[
    entry(C::Open, M::File, "Open…", key(CTRL, Key::O), "Open a snapshot or a settings file; a snapshot goes on training"),
    entry(C::Undo, M::File, "Undo", key(CTRL, Key::Z), "Take back the last change of a setting"),
    entry(C::Redo, M::File, "Redo", key(CTRL_SHIFT, Key::Z), "Make the change again that was taken back"),
    entry(C::Quit, M::File, "Quit", key(CTRL, Key::Q), "Close the window"),

    entry(C::RunOrPause, M::Run, "Run or pause", key(NONE, Key::Space), "Run the selected run, or pause it"),
    entry(C::Step, M::Run, "One iteration", key(NONE, Key::ArrowRight), "Make one update of the selected run"),
    entry(C::TenSteps, M::Run, "Ten iterations", key(Modifiers::SHIFT, Key::ArrowRight), "Make ten updates of the selected run"),
    entry(C::Reset, M::Run, "Reset", key(NONE, Key::R), "Start the selected run again with the same seed"),
    entry(C::NewSeed, M::Run, "New seed", key(Modifiers::SHIFT, Key::R), "Start the selected run again with the next seed"),
    entry(C::NewRun, M::Run, "New run", key(CTRL, Key::N), "Start another run with the settings as they are"),
    entry(C::Branch, M::Run, "The same, but with…", key(CTRL, Key::B), "A second run with the settings of the selected one, paused until you have changed what is to differ"),
    entry(C::BringBack, M::Run, "Bring back a run", key(CTRL_SHIFT, Key::T), "Bring back the run that was closed or started afresh last, paused"),
    entry(C::Bookmark, M::Run, "Bookmark", key(NONE, Key::B), "Keep the full state of the selected run to come back to"),
    entry(C::Compare, M::Run, "Is the difference real?", key(NONE, Key::D), "Compare two settings over the same seeds: effect, interval, test"),
    entry(C::RunAll, M::Run, "Run all", None, "Run every run that can go on"),
    entry(C::PauseAll, M::Run, "Pause all", None, "Pause every run"),
    entry(C::Stop, M::Run, "Stop", None, "End the selected run"),

    entry(C::Fit, M::View, "Fit curves", key(NONE, Key::F), "Show all of every curve again"),
    entry(C::Log, M::View, "Logarithmic curves", key(NONE, Key::L), "Vertical axis of the plot under the pointer, or of all: logarithmic or linear"),
    entry(C::Table, M::View, "Tables of numbers", key(NONE, Key::T), "Show or hide the numbers beside every plot"),
    entry(C::LargerText, M::View, "Larger text", key(CTRL, Key::Plus), "Make all text larger, as far as the window has room for its panels"),
    entry(C::SmallerText, M::View, "Smaller text", key(CTRL, Key::Minus), "Make all text smaller"),
    entry(C::UsualText, M::View, "Usual text size", key(CTRL, Key::Num0), "Text of the usual size"),
    entry(C::SystemTheme, M::View, "System colours", None, "Light or dark, as the system has it"),
    entry(C::LightTheme, M::View, "Light colours", None, "Dark text on white"),
    entry(C::DarkTheme, M::View, "Dark colours", None, "White text on black"),
    entry(C::Presenter, M::View, "Presenter mode", key(NONE, Key::F5), "Large text and fewer panels, for a projector"),
    entry(C::Toggle(Panel::Experiment), M::View, "Experiment panel", None, "Show or hide the settings"),
    entry(C::Toggle(Panel::Loss), M::View, "Loss panel", None, "Show or hide the curves of the loss"),
    entry(C::Toggle(Panel::Accuracy), M::View, "Accuracy panel", None, "Show or hide the curves of the accuracy"),
    entry(C::Toggle(Panel::Curvature), M::View, "Curvature panel", None, "Show or hide the Hessian's eigenvalues"),
    entry(C::Toggle(Panel::Lyapunov), M::View, "Lyapunov panel", None, "Show or hide the largest Lyapunov exponent"),
    entry(C::Toggle(Panel::Alignment), M::View, "Alignment and gap panel", None, "Show or hide rho, cosine and the generalization gap"),
    entry(C::Toggle(Panel::Landscape), M::View, "Landscape panel", None, "Show or hide the slice of the loss landscape"),
    entry(C::Toggle(Panel::GainExplorer), M::View, "Gain explorer panel", None, "Show or hide looks at a gain before training"),
    entry(C::Toggle(Panel::Spectrum), M::View, "Spectrum panel", None, "Show or hide eigenvalues and exponents"),
    entry(C::Toggle(Panel::Activity), M::View, "Activity panel", None, "Show or hide the activity of a trial"),
    entry(C::Toggle(Panel::Weights), M::View, "Weights panel", None, "Show or hide the weight matrices"),
    entry(C::Toggle(Panel::Sweep), M::View, "Sweep panel", None, "Show or hide sweeps over gains, rates, rules and seeds"),
    entry(C::Toggle(Panel::Bookmarks), M::View, "Bookmarks panel", None, "Show or hide the bookmarks of all runs"),
    entry(C::Toggle(Panel::Runs), M::View, "Runs panel", None, "Show or hide the table of runs"),
    entry(C::UsualLayout, M::View, "Usual layout", None, "Put every panel back where it was at first"),

    entry(C::Keys, M::Help, "All keys", key(NONE, Key::Questionmark), "Show every key and what it does"),
    entry(C::Glossary, M::Help, "Glossary", key(NONE, Key::G), "Every quantity: what it is, its unit, where it is defined"),
    entry(C::WhichLesson, M::Help, "Which lesson to take", None, "One page, with timings"),
    entry(C::Diagnostics, M::Help, "Diagnostics", None, "Processor time of the frame and of the runs"),

    entry(C::Save(Export::Snapshot), M::Export, "Snapshot (npz)…", key(CTRL, Key::S), "Write everything about the selected run, to go on from or to read with numpy"),
    entry(C::Save(Export::Curves), M::Export, "Curves (CSV)…", None, "Write every value of every curve of the selected run"),
    entry(C::Save(Export::Settings), M::Export, "Settings (TOML)…", None, "Write every setting of the selected run, and what of them changed while it ran"),
    entry(C::Save(Export::Picture(Picture::All)), M::Export, "Picture of all plots…", None, "Write all plots of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Loss)), M::Export, "Picture of the loss…", None, "Write the loss of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Accuracy)), M::Export, "Picture of the accuracy…", None, "Write the accuracy of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Curvature)), M::Export, "Picture of the curvature…", None, "Write the curvature of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Lyapunov)), M::Export, "Picture of the Lyapunov exponent…", None, "Write the Lyapunov exponent of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Alignment)), M::Export, "Picture of alignment and gap…", None, "Write alignment and gap of the runs shown as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Slice)), M::Export, "Picture of the landscape…", None, "Write the landscape slice of the selected run as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Cut)), M::Export, "Picture of the cuts…", None, "Write the loss along the slice's axes and between two networks as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Shake)), M::Export, "Picture of the shake…", None, "Write the loss of the runs shaken last under noise as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Spectrum)), M::Export, "Picture of the spectrum…", None, "Write the spectra of the selected run as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Activity)), M::Export, "Picture of the activity…", None, "Write the probe trial that is shown of the selected run as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Weights)), M::Export, "Picture of the weights…", None, "Write the weights of the selected run, their spread, eigenvalues and singular values as PNG or SVG for print, on white"),
    entry(C::Save(Export::Picture(Picture::SweepMap)), M::Export, "Picture of the sweep's heat map…", None, "Write the heat map of the open sweep as PNG or SVG for print, on white"),
    entry(C::Save(Export::Picture(Picture::SweepCurves)), M::Export, "Picture of the sweep's curves…", None, "Write the means and bands of the open sweep as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::SweepScatter)), M::Export, "Picture of the sweep's scatter…", None, "Write the scatter of the open sweep with its correlations as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Picture(Picture::Gains)), M::Export, "Picture of the gains…", None, "Write the network that the gain explorer looks at and its scan as PNG or SVG for print, on white, with legend"),
    entry(C::Save(Export::Gains), M::Export, "Scan over gains (CSV)…", None, "Write every network of the gain explorer's scan: exponent, cosine, rho, loss"),
    entry(C::Save(Export::Script), M::Export, "Script for matplotlib…", None, "Write a script that draws the runs shown, and beside it their values as CSV"),
    entry(C::Save(Export::Methods), M::Export, "Methods paragraph…", None, "Write how the runs were made, with every constant and its source"),
    entry(C::Save(Export::Lesson), M::Export, "Lesson with pictures…", None, "Write the lesson as a page with a picture of every step, for a class without the program"),
];

/// The entries of a menu.
pub fn menu(menu: Menu) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |entry| entry.menu == menu)
}

/// The entry of a command.
pub fn find(command: Command) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.command == command)
}

/// The commands whose keys were pressed, keys with more modifiers first so that Shift+R is not taken for R.
/// Keys without Ctrl belong to a widget that has the focus, and all to a text field.
pub fn pressed(ctx: &eframe::egui::Context) -> Vec<Command> {
    if ctx.text_edit_focused() {
        return Vec::new();
    }
    let focused = ctx.memory(|memory| memory.focused().is_some());
    let mut entries: Vec<&Entry> = TABLE.iter().filter(|entry| entry.key.is_some()).collect();
    let modifiers = |entry: &Entry| {
        entry.key.map_or(0, |k| u32::from(k.modifiers.shift) + u32::from(k.modifiers.command))
    };
    entries.sort_by_key(|entry| std::cmp::Reverse(modifiers(entry)));
    ctx.input_mut(|input| {
        entries
            .into_iter()
            .filter(|entry| {
                entry.key.is_some_and(|k| {
                    let may = k.modifiers.command || !focused;
                    may && (input.consume_shortcut(&k) || also(k).is_some_and(|k| input.consume_shortcut(&k)))
                })
            })
            .map(|entry| entry.command)
            .collect()
    })
}

/// The same key where keyboards differ: plus is Shift and equals on some, a question mark Shift and slash.
fn also(shortcut: KeyboardShortcut) -> Option<KeyboardShortcut> {
    match shortcut.logical_key {
        Key::Plus => Some(KeyboardShortcut::new(shortcut.modifiers, Key::Equals)),
        Key::Questionmark => Some(KeyboardShortcut::new(Modifiers::SHIFT, Key::Slash)),
        _ => None,
    }
}

/// A key as the help writes it.
pub fn key_name(shortcut: KeyboardShortcut) -> String {
    let mut text = String::new();
    if shortcut.modifiers.command {
        text += if cfg!(target_os = "macos") { "Cmd+" } else { "Ctrl+" };
    }
    if shortcut.modifiers.shift {
        text += "Shift+";
    }
    text + match shortcut.logical_key {
        Key::ArrowRight => "Right",
        Key::Plus => "plus",
        Key::Minus => "minus",
        Key::Questionmark => "?",
        other => other.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_commands_share_a_key_or_a_name() {
        for (i, a) in TABLE.iter().enumerate() {
            for b in &TABLE[..i] {
                assert!(a.key.is_none() || a.key != b.key, "{} and {}", a.name, b.name);
                assert!(a.command != b.command && a.name != b.name, "{} and {}", a.name, b.name);
            }
        }
    }

    #[test]
    fn every_panel_can_be_shown_and_hidden_from_the_menu() {
        assert!(Panel::ALL.into_iter().all(|panel| find(Command::Toggle(panel)).is_some()));
    }

    #[test]
    fn the_keys_are_those_that_are_promised() {
        let keys = |command| find(command).and_then(|e| e.key).map(key_name).unwrap();
        for (command, name) in [
            (C::RunOrPause, "Space"),
            (C::Step, "Right"),
            (C::Reset, "R"),
            (C::NewSeed, "Shift+R"),
            (C::Bookmark, "B"),
            (C::Save(Export::Snapshot), "Ctrl+S"),
            (C::Open, "Ctrl+O"),
            (C::Undo, "Ctrl+Z"),
            (C::Redo, "Ctrl+Shift+Z"),
            (C::Fit, "F"),
            (C::Log, "L"),
            (C::LargerText, "Ctrl+plus"),
            (C::SmallerText, "Ctrl+minus"),
            (C::Keys, "?"),
        ] {
            assert_eq!(keys(command), name);
        }
    }
}
