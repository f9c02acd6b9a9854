//! Owns the checks between keys: what must fit together, and what is worth a warning.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Value;

use super::Skip;
use super::error::{ConfigError, shown};
use super::resolve::{Leaves, nested, word};
use crate::numerics::tasks::{self, TaskData, TaskKind, TaskSettings};
use crate::numerics::trials::LossKind;
use crate::numerics::weights::Dims;

type Given = BTreeSet<&'static str>;

/// Steps and channels of the trials that a network sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Not known for a network trained elsewhere.
    pub n_steps: Option<usize>,
    pub n_in: usize,
    pub n_out: usize,
}

/// Keys of `[task]` that all tasks share.
const SHARED: [&str; 3] = ["task.batch", "task.test_trials", "task.loss"];

/// Most numbers in a batch of trials: 1 GiB in f32.
const MOST_NUMBERS: usize = 1 << 28;

fn whole(leaves: &Leaves, path: &str) -> i64 {
    leaves.get(path).and_then(Value::as_integer).unwrap_or(0)
}

fn number(leaves: &Leaves, path: &str) -> f64 {
    leaves.get(path).and_then(Value::as_float).unwrap_or(0.0)
}

/// The loss of a task; `None` where the trials decide.
pub(super) fn loss_of(task: TaskKind) -> Option<&'static str> {
    Some(match task.loss_kind()? {
        LossKind::Regression => "regression",
        LossKind::Classification => "classification",
    })
}

/// Steps and channels of a task's trials; `None` where the data decide.
pub(super) fn shape(leaves: &Leaves) -> Option<Shape> {
    if word(leaves, "task.kind") == Some("sequential-mnist") && !leaves.contains_key("task.images") {
        // The embedded digits, 28 x 28.
        return Some(Shape { n_steps: Some(28), n_in: 28, n_out: 10 });
    }
    let mut task = leaves.clone();
    task.retain(|path, _| path.starts_with("task.") && !SHARED.contains(path));
    let nested = nested(&task).remove("task")?;
    let settings = TaskSettings::deserialize(nested).ok()?;
    let shape = tasks::build::<f32>(&settings, 1, 1, 0, &TaskData::None).ok()?.shape();
    Some(Shape { n_steps: Some(shape.n_steps), n_in: shape.n_in, n_out: shape.n_out })
}

/// Takes the number of units from a network of known sizes.
pub(super) fn size_of_network(leaves: &mut Leaves, dims: Option<Dims>) -> Result<(), ConfigError> {
    let Some(dims) = dims else { return Ok(()) };
    let n_rec = Value::Integer(i64::try_from(dims.n_rec).unwrap_or(i64::MAX));
    match leaves.insert("network.n_rec", n_rec.clone()) {
        Some(other) if other != n_rec => Err(ConfigError::WrongValue {
            key: "network.n_rec".into(),
            value: shown(&other),
            expected: format!("{n_rec}, the units of `w_rec`"),
        }),
        _ => Ok(()),
    }
}

/// The trials of a full-batch task.
fn full_batch(task: TaskKind) -> Option<i64> {
    match task {
        TaskKind::CuedMatch => Some(4),
        TaskKind::Pattern => Some(1),
        _ => None,
    }
}

/// An upper limit that another key sets.
struct Limit {
    key: &'static str,
    most: i64,
    because: String,
}

/// All upper limits between keys.
fn limits(leaves: &Leaves, shape: Option<Shape>) -> Vec<Limit> {
    let n = whole(leaves, "network.n_rec");
    let units = whole(leaves, "network.adaptive.units").min(n);
    let of_units = format!("the number of recurrent units, network.n_rec = {n}");
    let mut limits = vec![
        Limit { key: "network.adaptive.units", most: n, because: of_units.clone() },
        Limit { key: "flossing.k", most: n, because: of_units },
        Limit {
            key: "measure.lyapunov_exponents",
            most: n + units,
            because: format!("the size of the state, {n} units and {units} adaptations"),
        },
    ];
    let block = word(leaves, "measure.block").unwrap_or("recurrent");
    let parameters = match (block, shape.map(|s| (s.n_in as i64, s.n_out as i64))) {
        ("recurrent", _) => Some(n * n),
        ("input", Some((n_in, _))) => Some(n * n_in),
        ("readout", Some((_, n_out))) => Some(n * n_out),
        ("all", Some((n_in, n_out))) => Some(n * (n + n_in + n_out)),
        _ => None,
    };
    if let Some(p) = parameters {
        let because = format!("the number of weights in the block `{block}`");
        limits.push(Limit { key: "measure.top_k", most: p, because });
    }
    if let Some(Shape { n_steps: Some(n_steps), n_in, n_out }) = shape {
        // Input, target, mask and decision of every step.
        let most = MOST_NUMBERS / (n_steps * (n_in + n_out + 2)).max(1);
        let because = format!("so that {n_steps} steps of all trials take at most 2^28 numbers");
        for key in ["task.batch", "task.test_trials", "measure.probe_trials"] {
            let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
            limits.push(Limit { key, most, because: because.clone() });
        }
        limits.push(Limit {
            key: "measure.lyapunov_skip",
            most: n_steps as i64 - 1,
            because: of_steps(n_steps),
        });
    }
    limits
}

fn of_steps(n_steps: usize) -> String {
    format!("one less than the {n_steps} steps of a trial")
}

/// Whether `measure.lyapunov_skip` leaves a step of the trials, whose length the settings alone may not tell.
///
/// # Errors
/// How many steps may be left out.
pub(crate) fn skip_fits(skip: Skip, n_steps: usize) -> Result<(), ConfigError> {
    match skip {
        Skip::Steps(skip) if skip >= n_steps => Err(ConfigError::WrongValue {
            key: "measure.lyapunov_skip".into(),
            value: skip.to_string(),
            expected: format!("at most {}, {}", n_steps.saturating_sub(1), of_steps(n_steps)),
        }),
        _ => Ok(()),
    }
}

/// Lowers defaults that are larger than this network allows, and takes the batch of a full-batch task and
/// the share of adaptive units (half of the network in P1's task) from it. Given values stay.
pub(super) fn fit_defaults(leaves: &mut Leaves, task: TaskKind, shape: Option<Shape>, given: &Given) {
    if let Some(trials) = full_batch(task) {
        for key in ["task.batch", "measure.probe_trials"] {
            if !given.contains(key) {
                leaves.insert(key, Value::Integer(trials));
            }
        }
    }
    if task == TaskKind::CuedMatch && !given.contains("network.adaptive.units") {
        let half = whole(leaves, "network.n_rec") / 2;
        leaves.insert("network.adaptive.units", Value::Integer(half));
    }
    for limit in limits(leaves, shape) {
        if !given.contains(limit.key) && whole(leaves, limit.key) > limit.most {
            leaves.insert(limit.key, Value::Integer(limit.most));
        }
    }
}

/// Contradictions are errors, what has no effect is a warning.
pub(super) fn across(
    leaves: &Leaves,
    task: TaskKind,
    shape: Option<Shape>,
    given: &Given,
) -> Result<Vec<String>, ConfigError> {
    for limit in limits(leaves, shape) {
        if whole(leaves, limit.key) > limit.most {
            return Err(ConfigError::WrongValue {
                key: limit.key.into(),
                value: whole(leaves, limit.key).to_string(),
                expected: format!("at most {}, {}", limit.most, limit.because),
            });
        }
    }
    if let (Some(loss), Some(value)) = (loss_of(task), leaves.get("task.loss"))
        && value.as_str() != Some(loss)
    {
        return Err(ConfigError::WrongValue {
            key: "task.loss".into(),
            value: shown(value),
            expected: format!("{loss}, the loss of {}", task.name()),
        });
    }
    Ok(warnings(leaves, given, task))
}

fn warnings(leaves: &Leaves, given: &Given, task: TaskKind) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(trials) = full_batch(task) {
        for key in ["task.batch", "measure.probe_trials"] {
            let value = whole(leaves, key);
            if given.contains(key) && value != trials {
                warnings.push(format!(
                    "`{key}` = {value} is ignored: {} always shows its full batch, {trials} {}",
                    task.name(),
                    if trials == 1 { "trial" } else { "trials" }
                ));
            }
        }
    }
    let rule = word(leaves, "rule.kind").unwrap_or("e-prop");
    let adam = word(leaves, "optimizer.kind") == Some("adam");
    if adam && matches!(rule, "scaled-bptt" | "upscaled") && leaves.contains_key("rule.rho.value") {
        warnings
            .push("a constant `rule.rho.value` does nothing under Adam, which divides it out again".into());
    }
    if adam && number(leaves, "optimizer.momentum") > 0.0 {
        warnings.push("`optimizer.momentum` does nothing under Adam: it belongs to SGD".into());
    }
    let during = |name: &str| whole(leaves, &format!("flossing.during.{name}"));
    if (during("every") == 0) != (during("iterations") == 0) {
        warnings.push(
            "no flossing during training: it needs both `flossing.during.every` and `flossing.during.iterations`"
                .into(),
        );
    }
    if task == TaskKind::File && given.contains("task.test_trials") {
        warnings.push("`task.test_trials` is ignored: file tests on all test trials of its file".into());
    }
    let plateau = whole(leaves, "stop.plateau");
    let cadence = whole(leaves, "measure.curvature");
    if plateau > 0 && !(1..=plateau).contains(&cadence) {
        warnings.push(format!(
            "`stop.plateau` = {plateau} has no effect: it needs lambda_max, so `measure.curvature` from 1 to {plateau}"
        ));
    }
    let tests_off = word(leaves, "measure.test") == Some("off");
    if number(leaves, "stop.test_accuracy_above") > 0.0 && (tests_off || task == TaskKind::Pattern) {
        let why = if tests_off { "`measure.test` is off" } else { "`pattern` has no accuracy" };
        warnings.push(format!("`stop.test_accuracy_above` has no effect: {why}"));
    }
    if task == TaskKind::SequentialMnist
        && number(leaves, "network.alpha") == 0.0
        && matches!(rule, "e-prop" | "rflo" | "mdgl")
    {
        warnings.push(format!(
            "`{rule}` at `network.alpha` = 0 gives w_in the last rows of the image only, which are blank: \
             w_in hardly learns"
        ));
    }
    warnings
}
