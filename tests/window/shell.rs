//! The shell: panels, menus, keys, looks.

use basinscope::gui::layout::Panel;
use basinscope::gui::theme::ThemeChoice;
use basinscope::session::Action;
use eframe::egui::{self, Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::harness::{Screen, click, current, menu, sized, wait, window, with_paused_run};

#[test]
fn a_first_start_shows_curves_that_move_and_every_control_has_a_name() {
    let mut screen = window(vec![Action::Demonstrate]);
    wait(&mut screen, "both runs to move", |w| {
        w.session().runs().len() > 1 && w.session().runs().iter().all(|r| r.iteration > 20)
    });
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
    let plot = screen.get_by(|node| node.label().is_some_and(|l| l.starts_with("Plot of loss")));
    let label = plot.accesskit_node().label().unwrap();
    assert!(label.contains("at iteration"), "{label}");
}

#[test]
fn at_any_size_every_control_keeps_its_name() {
    for size in [vec2(640.0, 400.0), vec2(1280.0, 720.0), vec2(1920.0, 1080.0)] {
        let screen = sized(size, vec![Action::Demonstrate]);
        assert_eq!(screen.unnamed_widgets(), Vec::<String>::new(), "{size:?}");
    }
}

#[test]
fn every_panel_hides_and_comes_back_from_the_view_menu() {
    let mut screen = with_paused_run();
    for panel in Panel::ALL {
        let name = format!("{} panel", panel.title());
        menu(&mut screen, "View", &name);
        assert!(!screen.state().layout().is_shown(panel), "{name} is still shown");
        menu(&mut screen, "View", &name);
        assert!(screen.state().layout().is_shown(panel), "{name} did not come back");
    }
    click(&mut screen, "Hide Bookmarks");
    assert!(!screen.state().layout().is_shown(Panel::Bookmarks));
    menu(&mut screen, "View", "Usual layout");
    assert!(screen.state().layout().is_shown(Panel::Bookmarks));
}

#[test]
fn space_runs_and_pauses_and_right_makes_one_update() {
    let mut screen = with_paused_run();
    screen.key_press(Key::ArrowRight);
    wait(&mut screen, "one update", |w| w.session().current().is_some_and(|r| r.iteration == 1));
    screen.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    wait(&mut screen, "ten more", |w| w.session().current().is_some_and(|r| r.iteration == 11));
    screen.key_press(Key::Space);
    wait(&mut screen, "the run to run", |w| w.session().is_running());
    screen.key_press(Key::Space);
    wait(&mut screen, "the run to pause", |w| !w.session().is_running());
    assert!(current(&screen).iteration > 11);
}

#[test]
fn the_buttons_do_what_the_keys_do() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 1");
    wait(&mut screen, "one update", |w| w.session().current().is_some_and(|r| r.iteration == 1));
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten more", |w| w.session().current().is_some_and(|r| r.iteration == 11));
    click(&mut screen, "Reset");
    wait(&mut screen, "iteration 0", |w| w.session().current().is_some_and(|r| r.iteration == 0));
    assert_eq!(current(&screen).config.seed, 1);
}

#[test]
fn shift_r_takes_the_next_seed_and_r_the_same() {
    let mut screen = with_paused_run();
    screen.key_press_modifiers(Modifiers::SHIFT, Key::R);
    screen.run_steps(3);
    assert_eq!(current(&screen).config.seed, 2);
    screen.key_press(Key::R);
    screen.run_steps(3);
    assert_eq!(current(&screen).config.seed, 2);
}

#[test]
fn keys_do_nothing_while_a_text_field_has_the_focus() {
    let mut screen = with_paused_run();
    screen.key_press_modifiers(Modifiers::COMMAND, Key::S);
    screen.run_steps(3);
    assert!(screen.get_by_label("Path of the file to write").accesskit_node().label().is_some());
    for key in [Key::Space, Key::ArrowRight, Key::R, Key::F] {
        screen.key_press(key);
        screen.run_steps(2);
    }
    assert_eq!(current(&screen).iteration, 0);
    assert!(!screen.state().session().is_running());
    click(&mut screen, "Cancel");
    assert!(screen.query_by_label("Save file").is_none());
}

#[test]
fn the_question_mark_shows_every_key() {
    let mut screen = with_paused_run();
    screen.key_press(Key::Questionmark);
    screen.run_steps(3);
    for key in ["Space", "Right", "Shift+R", "Ctrl+S", "Ctrl+Shift+Z", "Ctrl+plus"] {
        assert!(screen.query_all_by_label(key).next().is_some(), "{key} is not in the list");
    }
}

#[test]
fn colours_and_text_size_are_chosen_in_the_view_menu_and_by_key() {
    let mut screen = with_paused_run();
    menu(&mut screen, "View", "Light colours");
    assert_eq!(screen.state().look().theme, ThemeChoice::Light);
    assert!(!screen.ctx.global_style().visuals.dark_mode);
    menu(&mut screen, "View", "Dark colours");
    assert!(screen.ctx.global_style().visuals.dark_mode);
    let before = screen.state().look().text_scale;
    screen.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    screen.run_steps(3);
    assert!(screen.state().look().text_scale > before && screen.ctx.zoom_factor() > 1.0);
    screen.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    screen.run_steps(3);
    assert_eq!(screen.ctx.zoom_factor(), 1.0);
}

#[test]
fn presenter_mode_enlarges_and_leaving_it_brings_the_layout_back() {
    let mut screen = with_paused_run();
    menu(&mut screen, "View", "Presenter mode");
    assert!(screen.ctx.zoom_factor() > 1.2 && !screen.state().layout().is_shown(Panel::Experiment));
    menu(&mut screen, "View", "Presenter mode");
    assert!(screen.ctx.zoom_factor() == 1.0 && screen.state().layout().is_shown(Panel::Experiment));
}

#[test]
fn a_table_of_numbers_stands_beside_a_plot() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    // Tall enough for all ten rows.
    screen.set_size(vec2(1280.0, 1600.0));
    click(&mut screen, "Loss: table of numbers");
    assert!(screen.query_all_by_label("train").count() > 1, "the table has a column of its own");
    let loss = current(&screen).curves.last(basinscope::training::history::Series::TrainLoss).unwrap();
    let first =
        current(&screen).curves.get(basinscope::training::history::Series::TrainLoss).unwrap().values().0[0];
    for value in [loss.value, first.value] {
        let text = basinscope::gui::plot::number::exact(value);
        assert!(screen.query_all_by_label(&text).next().is_some(), "{text} is not in the table");
    }
}

/// The texts that are painted with their middle inside of a rectangle.
fn painted_in(screen: &Screen<'_>, rect: egui::Rect) -> Vec<String> {
    fn of(shape: &egui::Shape, rect: egui::Rect, texts: &mut Vec<String>) {
        match shape {
            egui::Shape::Vec(all) => all.iter().for_each(|shape| of(shape, rect, texts)),
            egui::Shape::Text(text) if rect.contains(text.visual_bounding_rect().center()) => {
                texts.push(text.galley.text().to_owned());
            }
            _ => {}
        }
    }
    let mut texts = Vec::new();
    screen.output().shapes.iter().for_each(|clipped| of(&clipped.shape, rect, &mut texts));
    texts
}

#[test]
fn a_cursor_at_the_edge_of_a_plot_leaves_its_axis_alone() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().runs()[0].iteration == 10);
    screen.run_steps(3);
    let plot = screen.get_by(|n| n.label().is_some_and(|l| l.starts_with("Plot of loss"))).rect();
    let below = egui::Rect::from_x_y_ranges(
        plot.left() - 10.0..=plot.right() + 20.0,
        plot.bottom()..=plot.bottom() + 18.0,
    );
    let before = painted_in(&screen, below);
    assert!(before.contains(&"0".to_owned()) && before.contains(&"10".to_owned()), "{before:?}");
    // Left of iteration 0, where there is a margin.
    screen.hover_at(plot.left_center() + egui::vec2(1.5, 0.0));
    screen.run_steps(40);
    assert_eq!(painted_in(&screen, below), before);
}

#[test]
fn in_a_narrow_window_the_switches_of_a_plot_are_behind_a_button() {
    let mut screen = sized(vec2(900.0, 700.0), vec![Action::Demonstrate]);
    assert!(screen.query_by_label("Loss: log y").is_none());
    let accuracy = screen.get_by_label("Accuracy").rect();
    let button = screen.get_by_label("Loss: view").rect();
    assert!(accuracy.right() <= button.left(), "both tabs are in sight: {accuracy:?} {button:?}");
    click(&mut screen, "Loss: view");
    for name in ["Loss: log y", "Loss: log x", "Loss: fit", "Loss: table of numbers"] {
        assert!(screen.query_by_label(name).is_some(), "{name}");
    }
    click(&mut screen, "Loss: log y");
    assert!(screen.query_by_label("Loss: log y").is_some(), "it stays open");
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}

#[test]
fn a_tab_with_several_panels_has_their_names() {
    let mut screen = with_paused_run();
    let of = |screen: &Screen<'_>, tab: &str| screen.get_by_label(tab).rect();
    let (tab, top, bottom) =
        (of(&screen, "Bookmarks").center(), of(&screen, "Experiment").bottom(), of(&screen, "Runs").top());
    // The middle of the panels above the runs: they become one tab, what is dropped another.
    screen.drag_at(tab);
    screen.step();
    let middle = egui::pos2(640.0, 0.5 * (top + bottom));
    for at in [tab + vec2(20.0, -20.0), middle, middle] {
        screen.hover_at(at);
        screen.step();
    }
    screen.drop_at(middle);
    screen.run_steps(4);
    let title = |label: &str| label.starts_with("Experiment, Loss and ") && label.ends_with(" more");
    assert!(screen.query_by(|node| node.label().is_some_and(|l| title(&l))).is_some());
    for kind in ["Horizontal", "Vertical", "Tabs", "Grid"] {
        assert!(screen.query_by_label(kind).is_none(), "{kind}");
    }
}

#[test]
fn a_search_without_a_hit_says_so() {
    let mut screen = with_paused_run();
    screen.key_press(Key::G);
    screen.run_steps(3);
    let field = screen.get_by_role_and_label(egui::Role::TextInput, "Search");
    field.click();
    screen.run_steps(2);
    screen.event(egui::Event::Text("Eligib".into()));
    screen.run_steps(2);
    assert!(screen.query_by_label("Eligibility trace").is_some());
    assert!(screen.query_by_label_contains("No entry has").is_none());
    screen.event(egui::Event::Text("xyz".into()));
    screen.run_steps(2);
    assert!(screen.query_by_label("No entry has \"Eligibxyz\" in it").is_some());
    assert!(screen.query_by_label("Curves, by their names in files").is_none());
}

/// As many points as a window of 1280 by 720 has with text two steps larger.
#[test]
fn with_larger_text_the_list_of_keys_stays_within_the_window() {
    let mut screen = sized(vec2(1058.0, 595.0), vec![Action::Demonstrate]);
    screen.key_press(Key::Questionmark);
    screen.run_steps(6);
    for (first_or_last, text) in [("first", "Keys do nothing"), ("last", "Plots: drag to move")] {
        let rect = screen.get_by_label_contains(text).rect();
        assert!(rect.top() > 25.0 && rect.bottom() < 595.0, "the {first_or_last} line at {rect:?}");
    }
}
