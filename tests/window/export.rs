//! Every export is in the menu, with a path field beside the system's dialog.

use basinscope::gui::commands::{Command, Menu, menu as entries};
use basinscope::session::Export;
use eframe::egui::Role;
use egui_kittest::kittest::Queryable;

use crate::harness::{Screen, click, menu, wait, with_paused_run};

#[test]
fn every_export_asks_for_a_path() {
    let mut screen = with_paused_run();
    let mut exports = 0;
    for entry in entries(Menu::Export).filter(|entry| matches!(entry.command, Command::Save(_))) {
        if entry.command == Command::Save(Export::Lesson) {
            // Without a lesson there is none to write.
            continue;
        }
        menu(&mut screen, "Export", entry.name);
        assert!(screen.query_by_label("Path of the file to write").is_some(), "{}", entry.name);
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{}", entry.name);
        click(&mut screen, "Cancel");
        exports += 1;
    }
    assert!(exports >= 13, "{exports}");
}

/// Types a path for the methods paragraph.
fn choose(screen: &mut Screen<'_>, path: &std::path::Path) {
    menu(screen, "Export", "Methods paragraph");
    let field = screen.get_by_role_and_label(Role::TextInput, "Path of the file to write");
    field.focus();
    screen.run_steps(2);
    screen.key_press_modifiers(eframe::egui::Modifiers::COMMAND, eframe::egui::Key::A);
    screen.run_steps(2);
    let field = screen.get_by_role_and_label(Role::TextInput, "Path of the file to write");
    field.type_text(&path.display().to_string());
    screen.run_steps(2);
}

#[test]
fn a_path_that_is_there_already_is_replaced_when_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("methods.md");
    std::fs::write(&path, "somebody's").unwrap();
    let mut screen = with_paused_run();
    choose(&mut screen, &path);
    click(&mut screen, "Save file");
    assert!(screen.query_by_label_contains("exists. Replace it?").is_some());
    assert_eq!(screen.state().session().errands().count(), 0);
    click(&mut screen, "Cancel");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
    choose(&mut screen, &path);
    click(&mut screen, "Save file");
    click(&mut screen, "Replace file");
    wait(&mut screen, "the file", |w| w.session().notices().iter().any(|n| n.text.starts_with("Wrote")));
    assert!(std::fs::read_to_string(path).unwrap().starts_with("# Methods of"));
}

#[test]
fn a_methods_paragraph_is_written_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("methods.md");
    let mut screen = with_paused_run();
    choose(&mut screen, &path);
    click(&mut screen, "Save file");
    wait(&mut screen, "the file", |w| w.session().notices().iter().any(|n| n.text.starts_with("Wrote")));
    assert!(std::fs::read_to_string(path).unwrap().starts_with("# Methods of"));
}
