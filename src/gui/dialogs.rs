//! Owns the choice of a path: the system's dialog, which never holds up a frame, and beside it always a field,
//! for where no dialog can open.

use std::path::{Path, PathBuf};

use eframe::egui;
use std::sync::mpsc::{Receiver, sync_channel};

use super::app::Asked;
use super::theme;
use crate::session::sweeping::Ask;
use crate::session::{Action, Dialog, Export};

/// The open choice, if any.
#[derive(Default)]
pub struct Dialogs {
    open: Option<Choice>,
}

struct Choice {
    dialog: Dialog,
    path: String,
    proposal: String,
    focus: bool,
    /// The file that would be replaced, once somebody asked for it.
    replaces: Option<PathBuf>,
    /// What the system's dialog answered: a path, or none (refused, or there is no such dialog here).
    answer: Option<Receiver<Option<PathBuf>>>,
}

impl Dialogs {
    /// Lets the user choose: opens our field and, where the system has one, its dialog.
    pub fn open(&mut self, ctx: &egui::Context, dialog: Dialog, proposal: &str) {
        let path = std::env::current_dir().unwrap_or_default().join(proposal);
        let path = match dialog {
            Dialog::Save(_) => path.display().to_string(),
            Dialog::Open | Dialog::SweepFolder | Dialog::OpenSweep => String::new(),
        };
        let answer = system_dialog(ctx, dialog, proposal);
        self.open =
            Some(Choice { dialog, path, proposal: proposal.into(), focus: true, replaces: None, answer });
    }

    /// What the system's dialog has answered, if it has.
    pub fn answer(&mut self) -> Option<Action> {
        let choice = self.open.as_mut()?;
        let answer = choice.answer.as_ref()?.try_recv().ok()?;
        choice.answer = None;
        // No answer: our field stays, for it may be that there was no dialog to answer.
        let answer = answer?;
        let path = completed(choice.dialog, answer.clone());
        // The system's dialog has asked by itself whether what it answers is to be replaced, but for nothing else.
        choice.replaces = replaced(choice.dialog, &path).find(|file| *file != answer);
        if choice.replaces.is_some() {
            choice.path = path.display().to_string();
            return None;
        }
        let action = done(choice.dialog, path);
        self.open = None;
        Some(action)
    }

    /// Draws our field where a choice is open.
    pub fn show(&mut self, ctx: &egui::Context, asked: &mut Asked) {
        let Some(choice) = &mut self.open else { return };
        let (mut keep, mut chosen, mut cancelled) = (true, false, false);
        let title = match choice.dialog {
            Dialog::Open => "Open",
            Dialog::SweepFolder => "Folder of the sweep",
            Dialog::OpenSweep => "Open a sweep",
            Dialog::Save(export) => title(export),
        };
        let window = egui::Window::new(title)
            .pivot(egui::Align2::CENTER_CENTER)
            .default_pos(ctx.content_rect().center());
        window.open(&mut keep).collapsible(false).resizable(false).show(ctx, |ui| {
            let label = ui.label(match choice.dialog {
                Dialog::Open => {
                    "Snapshot, network or trials (npz), settings (TOML), or folder of a run or sweep, to open"
                }
                Dialog::SweepFolder => "Path of the folder for the runs, new or empty, or that of a sweep",
                Dialog::OpenSweep => "Path of a folder that a sweep was written to",
                Dialog::Save(_) => "Path of the file to write",
            });
            let field = egui::TextEdit::singleline(&mut choice.path).desired_width(460.0).hint_text("Path");
            let field = ui.add(field).labelled_by(label.id);
            if field.changed() {
                choice.replaces = None;
            }
            if std::mem::take(&mut choice.focus) {
                field.request_focus();
            }
            chosen = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if let Some(path) = &choice.replaces {
                ui.colored_label(
                    theme::warning(ui.visuals().dark_mode),
                    format!("{} exists. Replace it?", path.display()),
                );
            }
            ui.horizontal(|ui| {
                let verb = match choice.dialog {
                    Dialog::Save(_) if choice.replaces.is_some() => "Replace file",
                    Dialog::Open => "Open file",
                    Dialog::SweepFolder => "Use folder",
                    Dialog::OpenSweep => "Open folder",
                    Dialog::Save(_) => "Save file",
                };
                let ready = !choice.path.trim().is_empty();
                chosen |=
                    ui.add_enabled(ready, egui::Button::new(verb)).on_hover_text("Use this path").clicked();
                chosen &= ready;
                if ui.button("Browse…").on_hover_text("The system's dialog, where there is one").clicked() {
                    choice.answer = system_dialog(ctx, choice.dialog, &choice.proposal);
                }
                cancelled = ui.button("Cancel").on_hover_text("Leave without a file (Escape)").clicked();
            });
        });
        keep &= !cancelled && !ctx.input(|input| input.key_pressed(egui::Key::Escape));
        if chosen {
            let path = completed(choice.dialog, choice.path.trim().into());
            choice.path = path.display().to_string();
            if choice.replaces.is_none() {
                choice.replaces = replaced(choice.dialog, &path).next();
                chosen = choice.replaces.is_none();
            }
        }
        if chosen {
            asked.act(done(choice.dialog, PathBuf::from(choice.path.trim())));
        }
        if chosen || !keep {
            self.open = None;
        }
    }
}

/// What is written, or opened, where this path was chosen.
fn completed(dialog: Dialog, path: PathBuf) -> PathBuf {
    match dialog {
        Dialog::Save(export) => export.completed(path),
        Dialog::Open | Dialog::SweepFolder | Dialog::OpenSweep => path,
    }
}

/// The files that writing to this path would replace.
fn replaced(dialog: Dialog, path: &Path) -> impl Iterator<Item = PathBuf> {
    let written = match dialog {
        // Its values are written beside the script.
        Dialog::Save(Export::Script) => [Some(path.to_owned()), Some(path.with_extension("csv"))],
        Dialog::Save(_) => [Some(path.to_owned()), None],
        Dialog::Open | Dialog::SweepFolder | Dialog::OpenSweep => [None, None],
    };
    written.into_iter().flatten().filter(|path| path.is_file())
}

fn title(export: Export) -> &'static str {
    match export {
        Export::Snapshot => "Save snapshot",
        Export::Bookmark(..) => "Save bookmark",
        Export::Gains => "Save scan over gains",
        Export::Comparison { .. } => "Save comparison",
        Export::Curves => "Save curves",
        Export::Settings => "Save settings",
        Export::Picture(_) => "Save picture (png or svg)",
        Export::Script => "Save script for matplotlib",
        Export::Methods => "Save methods paragraph",
        Export::Lesson => "Save lesson with pictures",
    }
}

fn done(dialog: Dialog, path: PathBuf) -> Action {
    match dialog {
        Dialog::Open => Action::Open(path),
        Dialog::SweepFolder => Action::Sweep(Ask::Folder(path)),
        Dialog::OpenSweep => Action::Sweep(Ask::Open(path)),
        Dialog::Save(export) => Action::Save(export, path),
    }
}

/// Makes the system's dialog here, on the window's thread, and waits for it on another.
fn system_dialog(ctx: &egui::Context, dialog: Dialog, proposal: &str) -> Option<Receiver<Option<PathBuf>>> {
    if !system_has_dialogs() {
        return None;
    }
    let (name, extensions): (_, &[&str]) = match dialog {
        Dialog::SweepFolder | Dialog::OpenSweep => ("Folder", &[]),
        Dialog::Open | Dialog::Save(Export::Snapshot | Export::Bookmark(..)) => ("Snapshot", &["npz"]),
        Dialog::Save(Export::Curves | Export::Gains | Export::Comparison { .. }) => ("Values", &["csv"]),
        Dialog::Save(Export::Settings) => ("Settings", &["toml"]),
        Dialog::Save(Export::Picture(_)) => ("Picture", &["png", "svg"]),
        Dialog::Save(Export::Script) => ("Script", &["py"]),
        Dialog::Save(Export::Methods | Export::Lesson) => ("Text", &["md"]),
    };
    let file = rfd::AsyncFileDialog::new().set_file_name(proposal);
    let file = match dialog {
        Dialog::Open => {
            rfd::AsyncFileDialog::new().add_filter("Snapshot, network, trials or settings", &["npz", "toml"])
        }
        Dialog::SweepFolder | Dialog::OpenSweep => rfd::AsyncFileDialog::new(),
        Dialog::Save(_) => file.add_filter(name, extensions),
    };
    let (send, receive) = sync_channel(1);
    let ctx = ctx.clone();
    let wait: std::pin::Pin<Box<dyn Future<Output = Option<rfd::FileHandle>> + Send>> = match dialog {
        Dialog::Open => Box::pin(file.pick_file()),
        Dialog::SweepFolder | Dialog::OpenSweep => Box::pin(file.pick_folder()),
        Dialog::Save(_) => Box::pin(file.save_file()),
    };
    let thread = std::thread::Builder::new().name("file dialog".into());
    let spawned = thread.spawn(move || {
        let answer = pollster::block_on(wait).map(|handle| handle.path().to_owned());
        // The choice may have been closed meanwhile: then nobody listens, which is fine.
        let _ = send.send(answer);
        ctx.request_repaint();
    });
    spawned.is_ok().then_some(receive)
}

/// Without a display, as in tests, there is nothing that could show one.
fn system_has_dialogs() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of the system's answer: an action, or our field asks whether to replace this file.
    fn answered(export: Export, path: &Path) -> (Option<Action>, Option<PathBuf>) {
        let (send, receive) = sync_channel(1);
        send.send(Some(path.to_owned())).expect("it is heard");
        let choice = Choice {
            dialog: Dialog::Save(export),
            path: String::new(),
            proposal: String::new(),
            focus: false,
            replaces: None,
            answer: Some(receive),
        };
        let mut dialogs = Dialogs { open: Some(choice) };
        let action = dialogs.answer();
        (action, dialogs.open.and_then(|choice| choice.replaces))
    }

    #[test]
    fn a_file_that_the_system_has_not_asked_about_is_replaced_by_nobody() {
        let dir = tempfile::tempdir().expect("a folder");
        let [page, values] = ["page.md", "plot.csv"].map(|name| dir.path().join(name));
        for file in [&page, &values] {
            crate::files::atomic::write_text(file, "mine").expect("written");
        }
        let (bare, other) = (dir.path().join("page"), dir.path().join("other"));
        assert_eq!(answered(Export::Lesson, &bare), (None, Some(page.clone())));
        // About this one it has asked.
        assert_eq!(answered(Export::Lesson, &page), (Some(Action::Save(Export::Lesson, page)), None));
        let whole = dir.path().join("other.md");
        assert_eq!(answered(Export::Lesson, &other), (Some(Action::Save(Export::Lesson, whole)), None));
        assert_eq!(answered(Export::Script, &dir.path().join("plot.py")), (None, Some(values)));
    }
}
