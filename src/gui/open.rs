//! Owns [`open`], which opens the window, and [`OpenError`], why it could not.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use eframe::egui;

use super::app::Window;
use super::{placement::Placement, remember};
use crate::engine::Engine;
use crate::session::{self, Action, Session};

/// Debian's packages of the libraries that are opened at run time.
const PACKAGES: &str = "libx11-6 libx11-xcb1 libxcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 \
                        libxkbcommon-x11-0 libgl1 libegl1";

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither DISPLAY nor WAYLAND_DISPLAY is set.
    #[error(
        "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): `basinscope run` works without one"
    )]
    NoDisplay,
    /// There is one in the environment, but nothing answers there.
    #[error("the display cannot be opened ({0}): `basinscope run` works without one")]
    DeadDisplay(String),
    /// A library or a graphics driver is missing.
    #[error(
        "the window cannot open ({0}): on Debian `apt install {PACKAGES}`; `basinscope run` works without it"
    )]
    System(String),
}

/// Opens the window, on the files given (snapshots, settings), and returns when it is closed.
///
/// # Errors
/// [`OpenError`], in one line, where the system has no display or lacks a library.
pub fn open(files: Vec<PathBuf>) -> Result<(), OpenError> {
    if cfg!(target_os = "linux") && !has_display() {
        return Err(OpenError::NoDisplay);
    }
    let place = session::keep::place();
    let kept = place.as_ref().and_then(session::keep::last_layout);
    let placement = kept.as_deref().and_then(remember::read).map_or(Placement::default(), |kept| kept.window);
    let viewport = egui::ViewportBuilder::default()
        .with_title("Basinscope")
        .with_app_id("basinscope")
        .with_drag_and_drop(true);
    let options = eframe::NativeOptions {
        renderer: eframe::Renderer::Glow,
        viewport: placement.begin(viewport),
        ..Default::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |creation| {
        OPENED.store(true, Ordering::Relaxed);
        let mut session = session(&creation.egui_ctx);
        session.begin(place, files.is_empty());
        for file in files {
            session.act(Action::Open(file));
        }
        let mut window = Window::as_it_was(session, kept.as_deref());
        window.keep_on(&screens(creation));
        Ok(Box::new(window))
    });
    // The window system's crates panic where a library that they open at run time is missing.
    keep_early_panics();
    let run = || eframe::run_native("basinscope", options, create);
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(refused(&error.to_string())),
        Err(payload) if OPENED.load(Ordering::Relaxed) => std::panic::resume_unwind(payload),
        Err(_) => {
            let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take();
            Err(refused(&kept.unwrap_or_default()))
        }
    }
}

/// A session that asks for a picture when there is something new.
fn session(ctx: &egui::Context) -> Session {
    let repaint = ctx.clone();
    let engine = Engine::new(0, Arc::new(move || repaint.request_repaint()));
    Session::new(engine, session::trainers(), toml::Table::new())
}

/// The screens that there are, in points of the window's system.
fn screens(creation: &eframe::CreationContext<'_>) -> Vec<egui::Rect> {
    let Some(window) = creation.winit_window() else { return Vec::new() };
    let points = |pixels: f64| (pixels / window.scale_factor()) as f32;
    let of = |x: i32, y: i32, width: u32, height: u32| {
        let min = egui::pos2(points(x.into()), points(y.into()));
        egui::Rect::from_min_size(min, egui::vec2(points(width.into()), points(height.into())))
    };
    let mut screens: Vec<egui::Rect> = Vec::new();
    for screen in window.primary_monitor().into_iter().chain(window.available_monitors()) {
        let (at, size) = (screen.position(), screen.size());
        screens.push(of(at.x, at.y, size.width, size.height));
    }
    screens.retain(|screen| screen.width() > 0.0 && screen.height() > 0.0);
    screens
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}

/// What the window system said, told apart by its words: it has no better sign for a display that is gone.
fn refused(text: &str) -> OpenError {
    let line = one_line(text);
    let is_display = ["open connection", "XOpenDisplay", "Wayland compositor", "WAYLAND_DISPLAY", "DISPLAY"];
    if is_display.iter().any(|words| line.contains(words)) {
        OpenError::DeadDisplay(line)
    } else {
        OpenError::System(line)
    }
}

/// The first line of a message, without the place in a package's source.
fn one_line(text: &str) -> String {
    let text = match text.split_once("os error at ").and_then(|(_, rest)| rest.split_once(": ")) {
        Some((_, what)) => what,
        None => text,
    };
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or("unknown error")
        .trim_end_matches('.')
        .into()
}

/// Whether the window was made: until then a panic of this thread is kept, from then on it is told as usual.
static OPENED: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the message of a panic on the window's thread before the window is there: it is then told in the one
/// line of [`OpenError`].
fn keep_early_panics() {
    let window = std::thread::current().id();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if OPENED.load(Ordering::Relaxed) || std::thread::current().id() != window {
            return usual(info);
        }
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_one_line_that_names_the_way_out() {
        let no_display = OpenError::NoDisplay.to_string();
        assert!(no_display.contains("basinscope run") && !no_display.contains('\n'));
        let system = OpenError::System(one_line("\n  libGL.so: cannot open.\nbacktrace\n")).to_string();
        assert!(
            system.contains("libGL.so: cannot open") && system.contains("libgl1") && !system.contains('\n')
        );
        assert!(!system.contains("backtrace"));
        let dead = "winit EventLoopError: os error at /a/b.rs:788: Failed to open connection to X server";
        let dead = refused(dead).to_string();
        assert!(dead.contains("Failed to open connection to X server") && !dead.contains("b.rs"));
        assert!(!dead.contains("apt"), "{dead}");
    }
}
