//! Owns [`Draft`], what a sweep from the window varies, as it is being edited; and how lists of values are typed.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::files::figure::number;
use crate::session::settings::put;

/// A key that varies, and its values as they are typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Varied {
    /// Its full path, `network.gain`.
    pub key: String,
    /// Its values, see [`values`].
    pub values: String,
    /// Whether it varies; otherwise it is as in the settings.
    pub on: bool,
}

/// What varies, and where the runs go. Everything else is as in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The keys, the first changing slowest.
    pub varied: Vec<Varied>,
    /// The seeds, as the values of a key.
    pub seeds: String,
    /// The folder; empty = the next free one of our own.
    pub folder: String,
    /// Runs at once, each on one thread.
    pub at_once: usize,
    /// The learning rates that were proposed last; see [`Draft::propose`].
    pub(super) proposed: String,
}

const RATE: &str = "optimizer.learning_rate";

/// Most runs at once that can be asked for (`[own]`).
pub const MOST_AT_ONCE: usize = 64;

impl Draft {
    /// Three gains, three rates, two rules and two seeds (`[own]`).
    pub fn new(at_once: usize) -> Self {
        let varied = |key: &str, values: &str| Varied { key: key.into(), values: values.into(), on: true };
        let rates = around(1e-3);
        Self {
            varied: vec![
                varied("network.gain", "0.5, 1, 1.5"),
                varied(RATE, &rates),
                varied("rule.kind", "bptt, e-prop"),
            ],
            seeds: "1 to 2".into(),
            folder: String::new(),
            at_once: at_once.clamp(1, MOST_AT_ONCE),
            proposed: rates,
        }
    }

    /// Proposes rates around that of the settings, unless the user has written others.
    pub(super) fn propose(&mut self, rate: f64) {
        let rates = around(rate);
        let standing = self.varied.iter_mut().find(|v| v.key == RATE && v.values == self.proposed);
        if let Some(varied) = standing {
            varied.values.clone_from(&rates);
            self.proposed = rates;
        }
    }

    /// The plan as a table: `given`, with `seeds` and a `[[vary]]` for each key.
    ///
    /// # Errors
    /// A list that cannot be read, by its key.
    pub fn table(&self, given: &Table) -> Result<Table, String> {
        let mut plan = given.clone();
        put(&mut plan, "seed", None);
        let mut vary = Vec::new();
        for Varied { key, values: text, .. } in self.varied.iter().filter(|v| v.on) {
            let values = values(text).map_err(|e| format!("`{key}`: {e}"))?;
            put(&mut plan, key, None);
            let entry = [("key", Value::String(key.clone())), ("values", Value::Array(values))];
            vary.push(Value::Table(
                entry.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            ));
        }
        let seeds = values(&self.seeds).map_err(|e| format!("seeds: {e}"))?;
        plan.insert("seeds".into(), Value::Array(seeds));
        if !vary.is_empty() {
            plan.insert("vary".into(), Value::Array(vary));
        }
        Ok(plan)
    }

    /// The plan as the text of a file for `basinscope sweep`.
    ///
    /// # Errors
    /// As [`Draft::table`].
    pub fn text(&self, given: &Table) -> Result<String, String> {
        toml::to_string(&self.table(given)?).map_err(|e| e.to_string())
    }
}

/// Reads a list as it is typed: values between commas, as in a configuration file, words without quotes; `1 to 5`
/// is 1, 2, 3, 4, 5, and `1e-4 to 1e-2 in 5` five values evenly apart on a logarithmic scale.
///
/// ```
/// use basinscope::session::sweeping::draft::values;
/// assert_eq!(values("bptt, e-prop").unwrap().len(), 2);
/// assert_eq!(values("1 to 3").unwrap(), [1.into(), 2.into(), 3.into()]);
/// assert_eq!(values("0.01 to 1 in 3").unwrap(), [0.01.into(), 0.1.into(), 1.0.into()]);
/// ```
///
/// # Errors
/// The part that is none of these, or no value at all.
pub fn values(text: &str) -> Result<Vec<Value>, String> {
    let text = text.trim().trim_end_matches(',');
    let mut all = Vec::new();
    for part in parts(text) {
        let part = part.trim();
        if part.is_empty() {
            return Err(format!("\"{text}\": expected values between commas, such as 0.5, 1"));
        }
        match part.split_once(" to ") {
            Some((from, rest)) => all.extend(span(from.trim(), rest.trim()).ok_or_else(|| {
                format!("\"{part}\": expected a span such as 1 to 5, or 1e-4 to 1e-2 in 5")
            })?),
            None => all.push(value(part)),
        }
        if all.len() > MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
    }
    Ok(all)
}

/// Values of one key at most (`[own]`: more runs than a folder bears well).
const MOST_VALUES: usize = 10_000;

/// Cuts at commas that are in no brackets and no quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut quote, mut from, mut parts) = (0_i32, None, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

/// A value as in a configuration file; what is none is a word.
fn value(text: &str) -> Value {
    text.parse().unwrap_or_else(|_| Value::String(text.into()))
}

fn span(from: &str, rest: &str) -> Option<Vec<Value>> {
    if let Some((to, n)) = rest.split_once(" in ") {
        let (from, to, n) = (from.parse().ok()?, to.trim().parse().ok()?, n.trim().parse().ok()?);
        let spaced = spaced(from, to, n, true)?;
        return Some(spaced.into_iter().map(Value::Float).collect());
    }
    let (from, to): (i64, i64) = (from.parse().ok()?, rest.parse().ok()?);
    let n = usize::try_from(to.checked_sub(from)?).ok()?;
    (n < MOST_VALUES).then(|| (from..=to).map(Value::Integer).collect())
}

/// `n` values evenly apart from the first to the last, on a logarithmic or a linear scale, with three digits;
/// `None` for fewer than two, or where the scale has no such values.
pub fn spaced(from: f64, to: f64, n: usize, log: bool) -> Option<Vec<f64>> {
    let sound = from.is_finite() && to.is_finite() && (2..=MOST_VALUES).contains(&n);
    if !sound || (log && (from <= 0.0 || to <= 0.0)) {
        return None;
    }
    let at = |i: usize, digits: usize| {
        let share = i as f64 / (n - 1) as f64;
        match i {
            0 => from,
            _ if i == n - 1 => to,
            _ if log => number::rounded(from * (to / from).powf(share), digits),
            _ => number::rounded(from + (to - from) * share, digits),
        }
    };
    // Three digits, and more where rounding would be seen in the steps (5 % of the least; `[own]`).
    let spaced = |digits: usize| (0..n).map(|i| at(i, digits)).collect::<Vec<f64>>();
    let exact = spaced(15);
    let least = exact.windows(2).map(|w| (w[1] - w[0]).abs()).fold(f64::INFINITY, f64::min);
    let even = |values: &Vec<f64>| values.iter().zip(&exact).all(|(v, e)| (v - e).abs() <= 0.05 * least);
    (3..15).map(spaced).find(even).or(Some(exact.clone()))
}

/// A rate between one about three times smaller and one about three times larger (`[own]`).
fn around(rate: f64) -> String {
    let third = 10f64.sqrt();
    typed(&[number::rounded(rate / third, 1), rate, number::rounded(rate * third, 1)])
}

/// A list of numbers as it is typed.
pub fn typed(numbers: &[f64]) -> String {
    numbers.iter().map(|v| number::short(*v)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config::resolve::{lookup, parse};
    use crate::training::plan::Plan;

    fn given(text: &str) -> Table {
        parse(text).expect("TOML")
    }

    #[test]
    fn a_draft_is_the_plan_that_one_would_write_by_hand() {
        let given = given("seed = 7\niterations = 30\n[task]\nbatch = 4\n[network]\nn_rec = 8\ngain = 0.3\n");
        let mut draft = Draft::new(2);
        draft.seeds = "1, 2".into();
        draft.varied[1].values = "1e-4 to 1e-2 in 3".into();
        let hand = "seeds = [1, 2]\niterations = 30\n[task]\nbatch = 4\n[network]\nn_rec = 8\n\
                    [[vary]]\nkey = \"network.gain\"\nvalues = [0.5, 1.0, 1.5]\n\
                    [[vary]]\nkey = \"optimizer.learning_rate\"\nvalues = [1e-4, 1e-3, 1e-2]\n\
                    [[vary]]\nkey = \"rule.kind\"\nvalues = [\"bptt\", \"e-prop\"]\n";
        let by_hand = Plan::new(parse(hand).expect("TOML")).expect("a plan");
        assert_eq!(by_hand.runs.len(), 36);
        assert_eq!(Plan::new(draft.table(&given).expect("a table")), Ok(by_hand.clone()));
        let text = draft.text(&given).expect("a text");
        assert_eq!(Plan::new(parse(&text).expect("TOML")), Ok(by_hand), "{text}");
    }

    #[test]
    fn a_key_that_is_switched_off_is_as_in_the_settings() {
        let given = given("[network]\ngain = 0.3\n");
        let mut draft = Draft::new(1);
        draft.varied[0].on = false;
        let table = draft.table(&given).expect("a table");
        assert_eq!(lookup(&table, "network.gain"), Some(&Value::Float(0.3)));
        draft.varied.iter_mut().for_each(|v| v.on = false);
        let plan = Plan::new(draft.table(&given).expect("a table")).expect("seeds alone are a plan");
        assert_eq!(plan.runs.len(), 2);
    }

    #[test]
    fn lists_are_read_as_they_are_typed() {
        let text = |list: &str| values(list).map(|v| v.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(text("0.5, 1 ,2,").expect("numbers"), ["0.5", "1", "2"]);
        assert_eq!(text("bptt,\"e-prop\"").expect("words"), ["\"bptt\"", "\"e-prop\""]);
        assert_eq!(text("3, 5 to 7").expect("a span"), ["3", "5", "6", "7"]);
        assert_eq!(text("1e-4 to 1e-2 in 3").expect("spaced"), ["0.0001", "0.001", "0.01"]);
        let tables =
            values("{ kind = \"bptt\" }, { kind = \"truncated-bptt\", window = 2 }").expect("tables");
        assert!(tables.len() == 2 && tables.iter().all(Value::is_table));
        for (wrong, part) in [
            ("", "expected values between commas"),
            ("1,,2", "expected values between commas"),
            ("a to b", "\"a to b\": expected a span"),
            ("5 to 1", "expected a span"),
            ("0 to 1 in 3", "expected a span"),
            ("1 to 99999999999", "expected a span"),
        ] {
            let error = values(wrong).expect_err(wrong);
            assert!(error.contains(part), "{wrong}: {error}");
        }
        let draft = Draft { seeds: "1 to".into(), ..Draft::new(1) };
        // A word is no seed: the plan says so.
        assert!(Plan::new(draft.table(&Table::new()).expect("a table")).is_err());
    }

    #[test]
    fn rates_follow_the_settings_until_the_user_writes_others() {
        let mut draft = Draft::new(1);
        assert_eq!(draft.varied[1].values, "3e-4, 0.001, 0.003");
        draft.propose(0.05);
        assert_eq!(draft.varied[1].values, "0.02, 0.05, 0.2");
        draft.varied[1].values = "0.1".into();
        draft.propose(1e-3);
        assert_eq!(draft.varied[1].values, "0.1");
    }

    #[test]
    fn spaced_values_end_where_they_should() {
        assert_eq!(spaced(1e-4, 1e-2, 5, true), Some(vec![1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2]));
        assert_eq!(spaced(0.2, 1.0, 3, false), Some(vec![0.2, 0.6, 1.0]));
        assert_eq!(spaced(1.0, 1.01, 5, false), Some(vec![1.0, 1.0025, 1.005, 1.0075, 1.01]));
        assert_eq!(spaced(-1.0, 1.0, 3, true), None);
        assert_eq!(spaced(1.0, 2.0, 1, false), None);
        assert_eq!(typed(&[3e-4, 0.5, 1.0]), "3e-4, 0.5, 1");
    }
}
