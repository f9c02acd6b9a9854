//! Owns [`Plan`], the runs of a sweep: a configuration, the values of the keys that vary, and seeds.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

use super::config::Config;
use super::config::error::ConfigError;
use super::config::keys::key;
use super::config::resolve::{Resolved, alone, lookup, merge, resolve};
use crate::numerics::tasks::TaskKind;

/// Most runs of one plan.
pub const MOST_RUNS: usize = 100_000;

/// Longest name of a run's folder that is not cut.
const LONGEST_NAME: usize = 120;

/// How alike two names are of which one may stand for the other (`[own]`: half of the letters).
const LIKE: f64 = 0.5;

/// The runs of a sweep: the product of all values of all varied keys, times the seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The varied keys with the number of their values, in the order of the plan; seeds last.
    pub varied: Vec<(String, usize)>,
    /// The columns of an index over the runs: the varied keys, then `seed`.
    pub columns: Vec<String>,
    /// The runs; the seed changes fastest, the first varied key slowest.
    pub runs: Vec<PlannedRun>,
}

/// One run of a sweep, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// The name of its folder: what varies, such as `gain=0.2_seed=3`. It does not depend on the other runs of
    /// the plan, so that a plan may grow.
    pub name: String,
    /// One text for each of the plan's columns.
    pub labels: Vec<String>,
    /// Its settings.
    pub config: Config,
    /// What has no effect or may surprise.
    pub warnings: Vec<String>,
}

/// Why a plan was refused, in one sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A key or a value, as in any configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A `[[vary]]` table that is not one.
    #[error("[[vary]] {number}: {problem}")]
    Vary {
        /// Which, from 1.
        number: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// Not a list of seeds.
    #[error("`seeds` = {value}: expected a list of whole numbers, each once, such as [1, 2, 3]")]
    Seeds {
        /// What was given.
        value: String,
    },
    /// More than [`MOST_RUNS`].
    #[error("the plan has {found} runs: expected at most {MOST_RUNS}")]
    TooMany {
        /// How many.
        found: usize,
    },
}

/// Values that one key takes.
struct Vary {
    key: String,
    values: Vec<Value>,
}

/// Whether this is a plan: a configuration with `[[vary]]` or `seeds`.
pub fn is_plan(given: &Table) -> bool {
    given.contains_key("vary") || given.contains_key("seeds")
}

impl Plan {
    /// Reads a plan from its tables and checks every run.
    ///
    /// A run's settings are those of the plan with one value of each varied key, resolved: keys that are not
    /// given follow the preset of that run's task and rule.
    ///
    /// # Errors
    /// The first unknown key, wrong value, value given twice or contradiction between keys.
    pub fn new(given: Table) -> Result<Self, PlanError> {
        let mut base = given;
        let vary = vary_of(base.remove("vary"))?;
        let seeds = seeds_of(base.remove("seeds"))?;
        let counts = vary.iter().map(|v| v.values.len()).chain([seeds.as_ref().map_or(1, Vec::len)]);
        let found = counts.clone().fold(1, usize::saturating_mul);
        if found > MOST_RUNS {
            return Err(PlanError::TooMany { found });
        }
        let mut varied: Vec<(String, usize)> = vary.iter().map(|v| v.key.clone()).zip(counts).collect();
        varied.push(("seed".into(), seeds.as_ref().map_or(1, Vec::len)));
        let columns: Vec<String> = varied.iter().map(|(key, _)| key.clone()).collect();
        let short = short_names(&columns);
        let mut runs = Vec::with_capacity(found);
        for product in products(&vary) {
            let mut chosen = base.clone();
            for (vary, value) in vary.iter().zip(product) {
                merge(&mut chosen, alone(&vary.key, value.clone()));
            }
            for seed in seeds.as_deref().map_or_else(|| vec![None], |s| s.iter().map(Some).collect()) {
                let mut given = chosen.clone();
                if let Some(seed) = seed {
                    given.insert("seed".into(), seed.clone());
                }
                let Resolved { config, warnings, .. } = resolve(given.clone()).map_err(of_plans)?;
                let resolved = config.to_table();
                let labels: Vec<String> = columns.iter().map(|c| label(&resolved, &given, c)).collect();
                let name = name(&short, &labels, &config);
                runs.push(PlannedRun { name, labels, config, warnings });
            }
        }
        each_once(&runs)?;
        Ok(Self { varied, columns, runs })
    }

    /// The runs of part `part` of `parts` (from 1), every `parts`-th run, so that parts take alike long.
    pub fn shard(&self, part: usize, parts: usize) -> Vec<usize> {
        (0..self.runs.len()).filter(|i| i % parts.max(1) == part.saturating_sub(1)).collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs: ", self.runs.len())?;
        for (i, (key, n)) in self.varied.iter().enumerate() {
            let times = if i == 0 { "" } else { " x " };
            write!(f, "{times}{n} of {key}")?;
        }
        Ok(())
    }
}

/// An unknown key may be one that only plans have.
pub fn of_plans(error: ConfigError) -> ConfigError {
    let ConfigError::UnknownKey { key, nearest } = error else { return error };
    let first = key.split('.').next().unwrap_or_default();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(first, other);
    // The nearest of the configuration by the name that it stands for, alone or in its table.
    let known = nearest.split('.').map(likeness).fold(0.0, f64::max);
    let own = ["vary", "seeds"].into_iter().find(|own| likeness(own) > known && likeness(own) >= LIKE);
    ConfigError::UnknownKey { nearest: own.map_or(nearest, Into::into), key }
}

fn vary_of(given: Option<Value>) -> Result<Vec<Vary>, PlanError> {
    let tables = match given {
        None => Vec::new(),
        Some(Value::Array(tables)) => tables,
        Some(_) => return Err(wrong(1, "expected a table with two brackets, `[[vary]]`")),
    };
    let mut all: Vec<Vary> = Vec::new();
    for (number, table) in (1..).zip(tables) {
        let Value::Table(mut table) = table else {
            return Err(wrong(number, "expected a table with `key` and `values`"));
        };
        let key = match table.remove("key") {
            Some(Value::String(key)) if !key.is_empty() => key,
            Some(other) => return Err(wrong(number, format!("`key` = {other}: expected the name of a key"))),
            None => return Err(wrong(number, "`key` is missing: expected the name of a key")),
        };
        let values = match table.remove("values") {
            Some(Value::Array(values)) if !values.is_empty() => values,
            Some(other) => {
                let problem = format!("`values` = {other}: expected a list of at least one value of `{key}`");
                return Err(wrong(number, problem));
            }
            None => return Err(wrong(number, format!("`values` is missing: expected a list for `{key}`"))),
        };
        if let Some(other) = table.keys().next() {
            let problem = format!(
                "unknown key `{other}`: expected `key` and `values` only (keys of the plan itself stand above \
                 its first table)"
            );
            return Err(wrong(number, problem));
        }
        if key == "seed" {
            return Err(wrong(number, "`seed` varies by `seeds = [1, 2, 3]`, above the first table"));
        }
        if all.iter().any(|other| other.key == key) {
            return Err(wrong(number, format!("`{key}` varies twice: expected each key once")));
        }
        all.push(Vary { key, values });
    }
    Ok(all)
}

fn wrong(number: usize, problem: impl Into<String>) -> PlanError {
    PlanError::Vary { number, problem: problem.into() }
}

fn seeds_of(given: Option<Value>) -> Result<Option<Vec<Value>>, PlanError> {
    let Some(given) = given else { return Ok(None) };
    let refused = || PlanError::Seeds { value: given.to_string() };
    let Value::Array(list) = &given else { return Err(refused()) };
    let Some(info) = key("seed", TaskKind::Romo) else { return Ok(None) };
    let mut seeds: Vec<Value> = Vec::new();
    for value in list {
        let seed = info.check(value).map_err(|_| refused())?;
        if seeds.contains(&seed) {
            return Err(refused());
        }
        seeds.push(seed);
    }
    if seeds.is_empty() { Err(refused()) } else { Ok(Some(seeds)) }
}

/// Every choice of one value for each key, the last key changing fastest.
fn products(vary: &[Vary]) -> Vec<Vec<&Value>> {
    vary.iter().fold(vec![Vec::new()], |done, vary| {
        let longer = |chosen: &Vec<_>| {
            let chosen = chosen.clone();
            vary.values.iter().map(move |v| chosen.iter().copied().chain([v]).collect())
        };
        done.iter().flat_map(longer).collect()
    })
}

/// The value of a key as text: as the configuration keeps it, or, for a whole table, as it was given.
fn label(resolved: &Table, given: &Table, path: &str) -> String {
    let kept = lookup(resolved, path).filter(|v| !v.is_table()).or_else(|| lookup(given, path));
    match kept {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string().replace(['\n', '\r'], " "),
        None => String::new(),
    }
}

/// The last part of each key where that is unlike all others, else the whole key.
fn short_names(columns: &[String]) -> Vec<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_string();
    let alone = |key: &String| columns.iter().filter(|other| last(other) == last(key)).count() == 1;
    columns.iter().map(|key| if alone(key) { last(key) } else { key.clone() }).collect()
}

/// The name of a run's folder. What no file name should hold is written `-`; a name that lost something by
/// this ends with the fingerprint of the settings.
fn name(short: &[String], labels: &[String], config: &Config) -> String {
    let parts: Vec<String> = short.iter().zip(labels).map(|(key, value)| format!("{key}={value}")).collect();
    let whole = parts.join("_");
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._+-=".contains(c);
    let safe: String = whole.chars().take(LONGEST_NAME).map(|c| if plain(c) { c } else { '-' }).collect();
    if safe == whole { safe } else { format!("{safe}_{}", config.fingerprint()) }
}

/// No two runs are the same.
fn each_once(runs: &[PlannedRun]) -> Result<(), PlanError> {
    let mut seen = BTreeMap::new();
    for run in runs {
        if let Some(first) = seen.insert(run.name.as_str(), &run.labels) {
            let problem = format!("two runs are the same, {}: expected each value once", first.join(", "));
            return Err(wrong(1, problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config::resolve::parse;

    fn plan(text: &str) -> Result<Plan, PlanError> {
        Plan::new(parse(text).expect("TOML"))
    }

    fn refused(text: &str) -> String {
        match parse(text) {
            Ok(given) => Plan::new(given).expect_err("refused").to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_plan_is_the_product_of_values_and_seeds() {
        let plan = plan(
            "seeds = [1, 2]\niterations = 10\n[[vary]]\nkey = \"network.gain\"\nvalues = [0.5, 1]\n\
             [[vary]]\nkey = \"rule.kind\"\nvalues = [\"bptt\", \"e-prop\", \"rflo\"]\n",
        )
        .expect("a plan");
        assert_eq!(plan.columns, ["network.gain", "rule.kind", "seed"]);
        assert_eq!(plan.runs.len(), 12);
        assert_eq!(plan.runs[0].labels, ["0.5", "bptt", "1"]);
        assert_eq!(plan.runs[1].labels, ["0.5", "bptt", "2"]);
        assert_eq!(plan.runs[11].labels, ["1.0", "rflo", "2"]);
        assert_eq!(plan.runs[2].name, "gain=0.5_kind=e-prop_seed=1");
        // A preset is resolved after every key given: the rate follows the rule.
        let rate = |i: usize| plan.runs[i].config.optimizer.learning_rate;
        assert_eq!((rate(0), rate(2)), (1e-3, 3e-4));
        assert!(plan.runs.iter().all(|r| r.config.iterations == 10));
        assert_eq!(plan.shard(2, 5), [1, 6, 11]);
        let mut all: Vec<usize> = (1..=5).flat_map(|i| plan.shard(i, 5)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..12).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_does_not_depend_on_the_other_runs() {
        let names = |seeds: &str, gains: &str| {
            let text = format!("seeds = {seeds}\n[[vary]]\nkey = \"network.gain\"\nvalues = {gains}\n");
            plan(&text).expect("a plan").runs.into_iter().map(|r| r.name).collect::<Vec<_>>()
        };
        let small = names("[3]", "[1]");
        assert_eq!(small, ["gain=1.0_seed=3"]);
        assert!(names("[1, 2, 3]", "[0.2, 1.0, 1.5]").contains(&small[0]));
    }

    #[test]
    fn tables_vary_and_names_are_safe() {
        let plan = plan(
            "[[vary]]\nkey = \"rule\"\nvalues = [{ kind = \"bptt\" }, { kind = \"truncated-bptt\", window = 2 }]\n\
             [[vary]]\nkey = \"measure.slice.points\"\nvalues = [2, 3]\n",
        )
        .expect("a plan");
        assert_eq!(plan.runs[3].config.rule.window, 2);
        let names: std::collections::BTreeSet<&str> = plan.runs.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names.len(), 4);
        assert!(names.iter().all(|n| !n.contains(['/', ' ', '"', '{'])));
    }

    #[test]
    fn errors_name_key_value_and_nearest_key() {
        let vary = |key: &str, values: &str| format!("[[vary]]\nkey = \"{key}\"\nvalues = {values}\n");
        for (text, parts) in [
            (vary("network.gian", "[1]"), &["unknown key `network.gian`", "`network.gain`"][..]),
            (vary("network.gain", "[1, -2]"), &["`network.gain` = -2"]),
            (vary("network.gain", "[1, 1.0]"), &["the same", "1.0"]),
            (vary("network.gain", "[]"), &["[[vary]] 1", "`values` = []"]),
            (vary("network.gain", "3"), &["[[vary]] 1", "`values` = 3", "list"]),
            (vary("seed", "[1]"), &["[[vary]] 1", "seeds = [1, 2, 3]"]),
            (vary("network.gain", "[1]").repeat(2), &["[[vary]] 2", "varies twice"]),
            (vary("task.delay", "[1]"), &["`task.delay` is a key of delayed-match, cued-match"]),
            (vary("network", "[1]"), &["`network` = 1", "table of keys"]),
            ("[[vary]]\nvalues = [1]\n".into(), &["[[vary]] 1", "`key` is missing"]),
            ("[vary]\nkey = \"seed\"\n".into(), &["[[vary]]"]),
            (vary("network.gain", "[1]") + "seeds = [1]\n", &["unknown key `seeds`", "above"]),
            ("seeds = []\n".into(), &["`seeds` = []"]),
            ("seeds = [1, 1]\n".into(), &["`seeds` = [1, 1]", "each once"]),
            ("seeds = [-1]\n".into(), &["`seeds` = [-1]"]),
            ("seeds = 3\n".into(), &["`seeds` = 3"]),
            ("seeds = [1]\niteration = 3\n".into(), &["unknown key `iteration`", "`iterations`"]),
            (
                vary("network.gain", "[1]").replace("vary", "vari"),
                &["unknown key `vari`: the nearest is `vary`"],
            ),
            ("sedes = [1, 2]\n".into(), &["unknown key `sedes`: the nearest is `seeds`"]),
            (
                "seeds = [99999999999999999999]\n".into(),
                &["`seeds` = 99999999999999999999: expected", "9223372036854775807"],
            ),
            (
                vary("seed_", "[1]").replace("seed_", "task.batch").replace("[1]", "[4, \"many\"]"),
                &["`task.batch` = \"many\""],
            ),
        ] {
            let error = refused(&text);
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
        }
        let many = format!("seeds = {:?}\n", (0..400).collect::<Vec<_>>())
            + &vary("network.gain", &format!("{:?}", (1..400).collect::<Vec<_>>()));
        assert!(refused(&many).contains("159600 runs"));
    }
}
