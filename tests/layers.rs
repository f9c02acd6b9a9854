//! Keeps the layers: what each part of the program may use, read from its source.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer, the layers it may use, and names that must not occur in it.
struct Layer {
    name: &'static str,
    uses: &'static [&'static str],
    never: &'static [&'static str],
}

/// Threads, files and clocks.
const WORLD: &[&str] = &[
    "std::thread",
    "std::fs",
    "std::time",
    "std::net",
    "std::process",
    "std::env",
    "std::io::stdin",
    "Instant",
    "SystemTime",
    "rayon",
    "crossbeam_channel",
    "println",
    "eprintln",
];

/// From the bottom to the top.
const LAYERS: &[Layer] = &[
    Layer { name: "numerics", uses: &["numerics"], never: WORLD },
    Layer { name: "training", uses: &["numerics", "training"], never: WORLD },
    Layer { name: "engine", uses: &["numerics", "training", "engine"], never: &[] },
    Layer { name: "files", uses: &["numerics", "training", "files"], never: &["std::thread", "rayon"] },
    Layer { name: "session", uses: &["numerics", "training", "engine", "files", "session"], never: &[] },
    Layer {
        name: "gui",
        uses: &["numerics", "training", "engine", "files", "session", "gui"],
        never: &["std::fs"],
    },
    Layer { name: "cli", uses: &["numerics", "training", "engine", "files", "session", "cli"], never: &[] },
];

/// Packages that one layer only may name.
const OWNED: &[(&str, &[&str])] = &[
    (
        "gui",
        &["egui", "eframe", "egui_plot", "egui_tiles", "egui_extras", "egui_commonmark", "rfd", "pollster"],
    ),
    ("cli", &["clap", "indicatif", "ctrlc"]),
    ("engine", &["rayon", "crossbeam_channel"]),
    ("files", &["csv", "zip", "plotters"]),
];

/// What is wrong with a file of a layer, whose modules are `depth` deep (a file of `src/x/` is 2 deep, its
/// `mod.rs` 1).
fn faults(layer: &Layer, depth: usize, text: &str) -> Vec<String> {
    let code = without_comments_and_strings(text);
    let mut faults = Vec::new();
    for used in layers_used(&code, depth) {
        if !layer.uses.contains(&used.as_str()) {
            faults.push(format!("uses `{used}`"));
        }
    }
    let strangers = OWNED.iter().filter(|(owner, _)| *owner != layer.name).flat_map(|(_, names)| *names);
    for name in layer.never.iter().chain(strangers) {
        let whole = names(&code, name);
        let grouped = name.rsplit_once("::").is_some_and(|(parent, last)| in_group(&code, parent, last));
        if whole || grouped {
            faults.push(format!("names `{name}`"));
        }
    }
    faults
}

/// Blanks comments, strings and characters.
fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            end_of_string(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skip..];
    }
    out
}

fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return i + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every place where `path` stands as a whole word; what follows it.
fn after<'a>(code: &'a str, path: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(path).filter_map(move |(at, _)| {
        let rest = &code[at + path.len()..];
        let word_before = code[..at].chars().next_back().is_some_and(is_word);
        let word_after = path.ends_with(is_word) && rest.chars().next().is_some_and(is_word);
        (!word_before && !word_after).then_some(rest)
    })
}

fn names(code: &str, path: &str) -> bool {
    // A package is named in a path or a `use`; `csv` alone may be a variable.
    let package = OWNED.iter().any(|(_, names)| names.contains(&path));
    let plain = format!("use {path};");
    after(code, path).any(|rest| !package || rest.starts_with("::")) || package && code.contains(&plain)
}

/// Whether `use parent::{..., last, ...}` occurs.
fn in_group(code: &str, parent: &str, last: &str) -> bool {
    let open = format!("{parent}::{{");
    after(code, &open).any(|rest| first_names(rest).iter().any(|name| name == last))
}

/// The first name of each part of a group, up to its closing brace.
fn first_names(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => parts.push(String::new()),
            c if depth == 0 => parts.last_mut().expect("there is always one").push(c),
            _ => {}
        }
    }
    parts.iter().map(|p| p.trim().chars().take_while(|c| is_word(*c)).collect()).collect()
}

/// The layers that a file names, by `crate::` or by enough `super::`.
fn layers_used(code: &str, depth: usize) -> Vec<String> {
    let root = "super::".repeat(depth);
    let mut used = Vec::new();
    for start in ["crate::", "basinscope::", root.as_str()] {
        for rest in after(code, start) {
            match rest.strip_prefix('{') {
                Some(group) => used.extend(first_names(group)),
                None => used.push(rest.chars().take_while(|c| is_word(*c)).collect()),
            }
        }
    }
    used.retain(|name| LAYERS.iter().any(|l| l.name == name));
    used
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn imports_point_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for layer in LAYERS {
        let folder = src.join(layer.name);
        let mut files = Vec::new();
        sources(&folder, &mut files);
        assert!(!files.is_empty(), "{} has no source", layer.name);
        for file in files {
            let inside = file.strip_prefix(&folder).expect("inside").components().count();
            let depth = if file.ends_with("mod.rs") { inside } else { inside + 1 };
            let text = fs::read_to_string(&file).expect("UTF-8 source");
            let name = file.strip_prefix(&src).expect("inside").display().to_string();
            all.extend(faults(layer, depth, &text).into_iter().map(|fault| format!("{name} {fault}")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_part_of_the_program_is_a_layer() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(src).expect("src").map(|e| e.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        let known = LAYERS.iter().any(|l| l.name == name) || ["lib.rs", "main.rs"].contains(&name.as_str());
        assert!(known, "src/{name} belongs to no layer");
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_owns() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8 source");
        assert!(text.starts_with("//! ") || file.ends_with("main.rs"), "{} begins without", file.display());
    }
}

#[test]
fn the_reader_of_imports_sees_every_way_to_import() {
    let find = |layer: &str, depth: usize, text: &str| {
        let layer = LAYERS.iter().find(|l| l.name == layer).expect("a layer");
        faults(layer, depth, text)
    };
    for (layer, depth, bad) in [
        ("numerics", 2, "use crate::training::config::Config;"),
        ("numerics", 2, "use crate::{numerics::loss, training};"),
        ("numerics", 2, "let x: crate::engine::Engine = f();"),
        ("training", 1, "use super::engine::Engine;"),
        ("training", 2, "pub use super::super::files;"),
        ("training", 2, "let t = std::time::Instant::now();"),
        ("training", 2, "use std::{fmt, fs::File};"),
        ("numerics", 2, "use std::thread;"),
        ("engine", 2, "use eframe::egui;"),
        ("session", 2, "fn f(ui: &mut egui::Ui) {}"),
        ("gui", 2, "use clap::Parser;"),
        ("files", 2, "use crate::engine::Engine;"),
        ("session", 2, "use crossbeam_channel::Sender;"),
    ] {
        assert!(!find(layer, depth, bad).is_empty(), "{layer}: {bad}");
    }
    for (layer, depth, good) in [
        ("numerics", 2, "// use crate::training\nlet s = \"std::fs\"; use super::loss;"),
        ("training", 2, "use crate::numerics::weights::Weights; use super::config::Config;"),
        ("training", 2, "mod tests { use super::super::history::Row; }"),
        ("engine", 2, "use std::thread; use crate::training::run::Run;"),
        ("gui", 2, "use eframe::egui; use crate::session::Session;"),
        ("session", 2, "let csv = 1; let fstd = csv;"),
    ] {
        assert_eq!(find(layer, depth, good), Vec::<String>::new(), "{layer}: {good}");
    }
}
