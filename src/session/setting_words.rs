//! Owns what keys of the settings and their values are called on the screen and in notes: the field's terms.

use toml::Value;

use super::runs::Difference;
use crate::files::figure::number::short;

/// A key in words: `optimizer.learning_rate` is the learning rate.
pub fn key(path: &str) -> String {
    let named = match path {
        "network.n_rec" => "units",
        "network.gain" => "initial gain",
        "network.alpha" => "leak alpha",
        "optimizer.kind" => "optimiser",
        "optimizer.l2" => "L2 factor",
        "rule.window" => "steps back",
        "rule.rho.value" => "rho",
        "flossing.k" => "flossing exponents",
        "flossing.learning_rate" => "flossing rate",
        "measure.lyapunov" => "Lyapunov",
        "measure.top_k" => "eigenvalues",
        _ => "",
    };
    if !named.is_empty() {
        return named.into();
    }
    // `rule.kind` is the rule; of the rest the group says nothing that its keys do not.
    let path = path.trim_end_matches(".kind");
    let groups = ["task.", "network.", "optimizer.", "rule.", "measure."];
    let own = groups.iter().find_map(|group| path.strip_prefix(group)).unwrap_or(path);
    own.replace(['.', '_'], " ")
}

/// A value in words, exactly: names in the field's terms, numbers without a point where they are whole.
pub fn value(path: &str, value: &Value) -> String {
    match value {
        Value::String(word) => term(path, word).into(),
        Value::Float(x) => {
            Some(short(*x)).filter(|text| text.parse() == Ok(*x)).unwrap_or_else(|| x.to_string())
        }
        other => other.to_string(),
    }
}

/// The field's term for a word of a configuration file.
pub fn term<'a>(path: &str, word: &'a str) -> &'a str {
    match (path, word) {
        ("rule.kind", "bptt") => "BPTT",
        ("rule.kind", "e-prop") => "three-factor (e-prop)",
        ("rule.kind", "rflo") => "RFLO",
        ("rule.kind", "mdgl") => "MDGL",
        ("rule.kind", "scaled-bptt") => "BPTT scaled by rho",
        ("rule.kind", "truncated-bptt") => "truncated BPTT",
        ("rule.kind", "upscaled") => "a rule over its rho",
        ("task.kind", "romo") => "Romo",
        ("task.kind", "two-alternative") => "two-alternative choice",
        ("task.kind", "delayed-match") => "delayed match",
        ("task.kind", "cued-match") => "cued delayed match",
        ("task.kind", "pattern") => "pattern generation",
        ("task.kind", "sequential-mnist") => "sequential MNIST",
        ("task.kind", "file") => "trials from a file",
        ("optimizer.kind", "sgd") => "SGD",
        ("optimizer.kind", "adam") => "Adam",
        ("network.activation", "relu") => "ReLU",
        _ => word,
    }
}

/// A change of a setting: `learning rate 0.01 → 0.005`.
pub fn change(d: &Difference) -> String {
    let side = |side: &Option<Value>| side.as_ref().map_or("–".into(), |v| value(&d.key, v));
    format!("{} {} → {}", key(&d.key), side(&d.from), side(&d.to))
}

/// A setting as a run has it: `learning rate 0.01`.
pub fn setting(d: &Difference) -> String {
    match &d.to {
        Some(to) => format!("{} {}", key(&d.key), value(&d.key, to)),
        None => format!("no {}", key(&d.key)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::training::config::keys::keys;

    #[test]
    fn no_two_keys_that_a_run_can_have_together_are_called_the_same() {
        for info in keys() {
            let words = key(info.path);
            assert!(!words.is_empty() && !words.contains(['.', '_']), "{} is called {words}", info.path);
            let together =
                keys().iter().filter(|k| k.task.is_none() || info.task.is_none() || k.task == info.task);
            let same: BTreeSet<&str> = together.filter(|k| key(k.path) == words).map(|k| k.path).collect();
            assert_eq!(same, BTreeSet::from([info.path]), "{words}");
        }
    }

    #[test]
    fn a_change_is_told_in_the_terms_of_the_field() {
        let of = |key: &str, from: &str, to: &str| {
            let value = |text: &str| text.parse::<Value>().ok();
            change(&Difference { key: key.into(), from: value(from), to: value(to), needs_reset: false })
        };
        assert_eq!(of("rule.kind", "\"bptt\"", "\"e-prop\""), "rule BPTT → three-factor (e-prop)");
        assert_eq!(of("optimizer.learning_rate", "0.01", "0.005"), "learning rate 0.01 → 0.005");
        assert_eq!(of("network.gain", "1.0", "0.123456789"), "initial gain 1 → 0.123456789");
        assert_eq!(of("iterations", "4000", "8000"), "iterations 4000 → 8000");
    }
}
