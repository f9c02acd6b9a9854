//! The experiment panel.

use basinscope::session::Action;
use eframe::egui::{Key, Modifiers, Role, vec2};
use egui_kittest::kittest::Queryable;

use crate::harness::{Screen, click, current, sized, wait, with_paused_run};

/// Types a value into the number of a field.
fn type_into(screen: &mut Screen<'_>, name: &str, text: &str) {
    let field = screen.get_by_role_and_label(Role::SpinButton, name);
    field.click();
    screen.run_steps(2);
    screen.key_press_modifiers(Modifiers::COMMAND, Key::A);
    screen.step();
    screen.event(eframe::egui::Event::Text(text.into()));
    screen.step();
    screen.key_press(Key::Enter);
    screen.run_steps(3);
}

#[test]
fn the_learning_rate_acts_at_once_and_marks_the_curves() {
    let mut screen = with_paused_run();
    click(&mut screen, "Step 10");
    wait(&mut screen, "ten updates", |w| w.session().current().is_some_and(|r| r.iteration == 10));
    type_into(&mut screen, "Learning rate", "0.0125");
    wait(&mut screen, "the mark", |w| w.session().current().is_some_and(|r| !r.marks.is_empty()));
    assert_eq!(current(&screen).config.optimizer.learning_rate, 0.0125);
    assert_eq!(current(&screen).marks[0].iteration, 10);
}

#[test]
fn the_gain_waits_for_apply_and_reset_which_says_what_differs() {
    let mut screen = with_paused_run();
    type_into(&mut screen, "Initial gain", "0.7");
    assert_eq!(current(&screen).config.network.gain, 1.0);
    assert!(screen.query_by_label_contains("initial gain 1 → 0.7").is_some());
    click(&mut screen, "Apply and reset");
    assert_eq!(current(&screen).config.network.gain, 0.7);
    assert!(screen.query_by_label_contains("→ 0.7").is_none());
}

#[test]
fn undo_and_redo_walk_through_the_settings() {
    let mut screen = with_paused_run();
    type_into(&mut screen, "Initial gain", "0.7");
    type_into(&mut screen, "Units", "16");
    let given =
        |screen: &Screen<'_>, key: &str| screen.state().session().settings().given_value(key).cloned();
    assert_eq!(given(&screen, "network.n_rec"), Some(16.into()));
    screen.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    screen.run_steps(3);
    assert_eq!(given(&screen, "network.n_rec"), Some(8.into()));
    screen.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    screen.run_steps(3);
    assert_eq!(given(&screen, "network.gain"), None);
    screen.key_press_modifiers(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    screen.run_steps(3);
    assert_eq!(given(&screen, "network.gain"), Some(0.7.into()));
}

#[test]
fn a_typed_value_out_of_range_is_refused_in_words_and_the_run_keeps_its_own() {
    let mut screen = with_paused_run();
    type_into(&mut screen, "Learning rate", "-3");
    assert_eq!(current(&screen).config.optimizer.learning_rate, 3e-4);
    let error = screen.query_all_by_label_contains("optimizer.learning_rate").next();
    assert!(error.is_some(), "the panel says what is wrong");
    click(&mut screen, "Revert");
    assert!(screen.state().session().settings().resolved().is_ok());
}

#[test]
fn a_key_goes_back_to_the_preset() {
    let mut screen = with_paused_run();
    type_into(&mut screen, "Learning rate", "0.5");
    click(&mut screen, "Back to the preset: Learning rate");
    assert_eq!(screen.state().session().settings().given_value("optimizer.learning_rate"), None);
    assert_eq!(current(&screen).config.optimizer.learning_rate, 3e-4);
}

#[test]
fn another_rule_is_chosen_from_the_list_and_acts_at_once() {
    let mut screen = with_paused_run();
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "MDGL");
    assert_eq!(current(&screen).config.rule.kind, basinscope::training::config::RuleKind::Mdgl);
}

#[test]
fn beside_a_refused_field_every_control_shows_what_is_set() {
    let table = "iterations = 1000\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 8\n";
    let actions = vec![Action::Take(toml::from_str(table).unwrap()), Action::StartNew, Action::RunOrPause];
    // High enough that nothing is scrolled out of sight.
    let mut screen = sized(vec2(1280.0, 2400.0), actions);
    let rule = |screen: &Screen<'_>| screen.get_by_role_and_label(Role::ComboBox, "Rule").value();
    let before = rule(&screen);
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "RFLO");
    assert_eq!(rule(&screen).as_deref(), Some("RFLO"));
    let field = screen.get_by_role_and_label(Role::TextInput, "Periods");
    field.click();
    screen.run_steps(2);
    screen.key_press_modifiers(Modifiers::COMMAND, Key::A);
    screen.step();
    screen.event(eframe::egui::Event::Text("foo".into()));
    screen.step();
    screen.key_press(Key::Enter);
    screen.run_steps(3);
    // What is wrong is said at the field, which keeps what was typed.
    let field = screen.get_by_role_and_label(Role::TextInput, "Periods");
    assert_eq!(field.value().as_deref(), Some("foo"));
    let (at, said) = (field.rect(), screen.get_by_label_contains("Periods: `task.periods`").rect());
    assert!(said.top() >= at.bottom() - 1.0 && said.top() < at.bottom() + 12.0, "{said:?} of {at:?}");
    // The list went on showing the rule that had been set when the settings were last sound.
    click(&mut screen, "Back to the preset: Rule");
    assert_eq!(rule(&screen), before);
    assert!(screen.query_by_label("Feedback").is_none(), "a factor of RFLO alone");
    screen.get_by_role_and_label(Role::ComboBox, "Rule").click();
    screen.run_steps(3);
    click(&mut screen, "RFLO");
    assert!(screen.query_by_label("Feedback").is_some());
    assert_eq!(current(&screen).config.rule.kind, basinscope::training::config::RuleKind::Rflo);
    assert_eq!(screen.unnamed_widgets(), Vec::<String>::new());
}
