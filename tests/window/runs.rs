//! The table of runs, presets, saving.

use eframe::egui::Role;
use egui_kittest::kittest::Queryable;

use crate::harness::{click, current, with_paused_run};

#[test]
fn a_second_run_is_one_click_and_says_what_differs() {
    let mut screen = with_paused_run();
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Branch {first}"));
    assert_eq!(screen.state().session().runs().len(), 2);
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "bptt");
    assert!(screen.query_all_by_label_contains("rule bptt").next().is_some());
    assert!(screen.query_all_by_label_contains("rule e-prop").next().is_some());
}

#[test]
fn a_run_is_hidden_pinned_selected_and_closed() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    let first = current(&screen).name.clone();
    click(&mut screen, &format!("Hide {first}"));
    assert!(current(&screen).hidden);
    click(&mut screen, &format!("Hide {first}"));
    click(&mut screen, &format!("Pin {first}"));
    assert!(current(&screen).pinned);
    click(&mut screen, "Reset");
    assert_eq!(screen.state().session().runs().len(), 2, "the pinned run stays as a ghost");
    let ids: Vec<_> = screen.state().session().runs().iter().map(|run| run.id).collect();
    screen.get_all_by(|node| node.label().is_some_and(|l| l.starts_with("Close "))).next().unwrap().click();
    screen.run_steps(3);
    assert_eq!(screen.state().session().runs().len(), 1);
    assert_eq!(screen.state().session().runs()[0].id, ids[1]);
}

#[test]
fn a_preset_starts_its_task() {
    let mut screen = with_paused_run();
    screen.get_by_role_and_label(Role::ComboBox, "Preset").click();
    screen.run_steps(3);
    click(&mut screen, "Delayed match to sample");
    assert_eq!(current(&screen).config.network.alpha, 0.8);
}
