//! Owns the table of all keys: what each may be, what it is for and whether changing it needs a reset. The
//! checks, the window and `check` read this one table.

use std::fmt;
use std::sync::LazyLock;

use toml::Value;

use super::error::ConfigError;
use crate::numerics::tasks::{Expected, TaskKind};

/// What a key may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// A whole number from the first to the second.
    Whole(u64, u64),
    /// A whole number in these bounds, or this word.
    WholeOr(u64, u64, &'static str),
    /// A number in this range.
    Number(Range),
    /// A list of at least one number, each in this range.
    Numbers(Range),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The path of a file; not empty.
    Path,
}

/// A range of numbers. A number is always finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest, or its limit where `open_below`.
    pub from: f64,
    /// The smallest is not reached.
    pub open_below: bool,
    /// Largest, or its limit where `open_above`; may be infinite.
    pub to: f64,
    /// The largest is not reached.
    pub open_above: bool,
}

impl Range {
    const fn new(from: f64, to: f64) -> Self {
        Self { from, open_below: false, to, open_above: false }
    }

    const fn above(from: f64) -> Self {
        Self { from, open_below: true, to: f64::INFINITY, open_above: false }
    }

    const fn at_least(from: f64) -> Self {
        Self::new(from, f64::INFINITY)
    }

    const fn below(from: f64, to: f64) -> Self {
        Self { from, open_below: false, to, open_above: true }
    }

    /// Whether a value lies in it.
    pub fn contains(self, value: f64) -> bool {
        let low = if self.open_below { value > self.from } else { value >= self.from };
        let high = if self.open_above { value < self.to } else { value <= self.to };
        value.is_finite() && low && high
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { from, to, .. } = *self;
        if to.is_infinite() && from.is_infinite() {
            return write!(f, "any finite number");
        }
        let low = if self.open_below { "above" } else { "of at least" };
        write!(f, "a number {low} {from}")?;
        if to.is_infinite() {
            return Ok(());
        }
        write!(f, " and {} {to}", if self.open_above { "below" } else { "at most" })
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Values::Whole(least, most) => write!(f, "a whole number from {least} to {most}"),
            Values::WholeOr(least, most, word) => {
                write!(f, "a whole number from {least} to {most} or \"{word}\"")
            }
            Values::Number(range) => write!(f, "{range}"),
            Values::Numbers(range) => write!(f, "a list of numbers, each {range}"),
            Values::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Values::Path => write!(f, "the path of a file, in quotes"),
        }
    }
}

/// A key of the configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyInfo {
    /// Its full path, `network.gain`.
    pub path: &'static str,
    /// What it may be.
    pub values: Values,
    /// What it is, in one line.
    pub help: &'static str,
    /// Whether a change needs a fresh start; otherwise it acts at once.
    pub needs_reset: bool,
    /// The one task that has it; `None` = all.
    pub task: Option<TaskKind>,
}

impl KeyInfo {
    /// Whether this task has the key.
    pub fn belongs_to(&self, task: TaskKind) -> bool {
        self.task.is_none_or(|own| own == task)
    }

    /// The value as the configuration keeps it (a whole number given as `1e3` is a whole number, a number
    /// given as `1` a number), or why it cannot be.
    ///
    /// # Errors
    /// Names key, value and what was expected.
    pub fn check(&self, value: &Value) -> Result<Value, ConfigError> {
        self.accept(value).ok_or_else(|| ConfigError::wrong(self.path, value, self.values))
    }

    fn accept(&self, value: &Value) -> Option<Value> {
        match (self.values, value) {
            (Values::WholeOr(_, _, word), Value::String(given)) if given == word => Some(value.clone()),
            (Values::Whole(least, most) | Values::WholeOr(least, most, _), _) => {
                let n = whole(value)?;
                (least..=most).contains(&u64::try_from(n).ok()?).then_some(Value::Integer(n))
            }
            (Values::Number(range), _) => in_range(value, range),
            (Values::Numbers(range), Value::Array(list)) if !list.is_empty() => {
                list.iter().map(|v| in_range(v, range)).collect::<Option<Vec<_>>>().map(Value::Array)
            }
            (Values::Choice(words), Value::String(given)) => {
                words.contains(&given.as_str()).then(|| value.clone())
            }
            (Values::Path, Value::String(given)) => (!given.is_empty()).then(|| value.clone()),
            _ => None,
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(n) => Some(*n),
        // Up to 2^53 every whole f64 is exact.
        Value::Float(x) if x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0 => Some(*x as i64),
        _ => None,
    }
}

fn in_range(value: &Value, range: Range) -> Option<Value> {
    let x = match value {
        Value::Float(x) => *x,
        Value::Integer(n) => *n as f64,
        _ => return None,
    };
    range.contains(x).then_some(Value::Float(x))
}

/// All keys, in the order in which they are written. Tasks may have keys of the same path.
pub fn keys() -> &'static [KeyInfo] {
    static KEYS: LazyLock<Vec<KeyInfo>> = LazyLock::new(|| {
        let split = GENERAL.iter().position(|k| k.path.starts_with("network.")).unwrap_or(0);
        let own = TaskKind::ALL.into_iter().flat_map(own_keys);
        GENERAL[..split].iter().copied().chain(own).chain(GENERAL[split..].iter().copied()).collect()
    });
    &KEYS
}

/// The keys that a task has of its own.
fn own_keys(task: TaskKind) -> impl Iterator<Item = KeyInfo> {
    task.keys().iter().map(move |k| KeyInfo {
        // Once in the life of the program, a few bytes each.
        path: format!("task.{}", k.name).leak(),
        values: match k.expected {
            Expected::Number(from, to) => Values::Number(Range::new(from, to)),
            Expected::Whole(from, to) => Values::Whole(from, to),
            Expected::Numbers(from, to) => Values::Numbers(Range::new(from, to)),
            Expected::Word(words) => Values::Choice(words),
            Expected::Path => Values::Path,
        },
        help: k.meaning,
        needs_reset: true,
        task: Some(task),
    })
}

/// The key with this path, of this task where tasks differ.
pub fn key(path: &str, task: TaskKind) -> Option<&'static KeyInfo> {
    keys().iter().find(|k| k.path == path && k.belongs_to(task))
}

/// The tasks that have a key of this path; all of them where it is general.
pub fn tasks_with(path: &str) -> Vec<TaskKind> {
    TaskKind::ALL.into_iter().filter(|task| key(path, *task).is_some()).collect()
}

const TASKS: &[&str] =
    &["romo", "two-alternative", "delayed-match", "cued-match", "pattern", "sequential-mnist", "file"];
const RULES: &[&str] = &["bptt", "e-prop", "rflo", "mdgl", "scaled-bptt", "truncated-bptt", "upscaled"];
/// What rho may be measured for: rules that are not the exact gradient times a number.
const RULES_WITH_RHO: &[&str] = &["e-prop", "rflo", "mdgl", "truncated-bptt"];
const INITS: &[&str] = &["uniform-fan-in", "he", "glorot"];

/// The largest iteration count.
const MANY: u64 = 1_000_000_000;
/// The largest network: one w_rec of 4,096 units holds 16.8 million weights.
pub const MOST_UNITS: u64 = 4096;
/// The largest number of trials held at once.
const MOST_TRIALS: u64 = 65_536;

const fn reset(path: &'static str, values: Values, help: &'static str) -> KeyInfo {
    KeyInfo { path, values, help, needs_reset: true, task: None }
}

const fn live(path: &'static str, values: Values, help: &'static str) -> KeyInfo {
    KeyInfo { path, values, help, needs_reset: false, task: None }
}

use Values::{Choice, Number, Whole, WholeOr};

const CADENCE: Values = WholeOr(0, MANY, "off");
const POSITIVE: Values = Number(Range::above(0.0));
const NOT_NEGATIVE: Values = Number(Range::at_least(0.0));
const SHARE: Values = Number(Range::new(0.0, 1.0));
const BELOW_ONE: Values = Number(Range::below(0.0, 1.0));

#[rustfmt::skip]
const GENERAL: &[KeyInfo] = &[
    reset("seed", Whole(0, i64::MAX as u64), "the one seed from which every random number comes"),
    reset("precision", Choice(&["f32", "f64"]), "precision of training and of a run's measures"),
    live("iterations", Whole(0, MANY), "updates to make"),
    live("stop.loss_below", NOT_NEGATIVE, "stop when the training loss is below this; 0 = off"),
    live("stop.test_accuracy_above", SHARE, "stop when the test accuracy is above this; 0 = off"),
    live("stop.diverged_above", NOT_NEGATIVE, "diverged when the training loss is above this; 0 = off"),
    live("stop.plateau", Whole(0, MANY), "stop when the means of loss and lambda_max over n iterations no longer change by 1 %; 0 = off"),
    reset("task.kind", Choice(TASKS), "the task"),
    reset("task.loss", Choice(&["regression", "classification"]), "the loss; it follows from the task"),
    reset("task.batch", Whole(1, MOST_TRIALS), "trials in a training batch"),
    reset("task.test_trials", Whole(1, MOST_TRIALS), "trials in the test batch"),
    reset("network.n_rec", Whole(1, MOST_UNITS), "recurrent units N"),
    reset("network.gain", NOT_NEGATIVE, "initial gain g, w_rec ~ N(0, g^2/N)"),
    reset("network.alpha", BELOW_ONE, "leak 1 - dt/tau"),
    reset("network.activation", Choice(&["relu", "tanh"]), "activation function f"),
    reset("network.init.input", Choice(INITS), "distribution of the initial w_in"),
    reset("network.init.input_scale", NOT_NEGATIVE, "factor on the initial w_in"),
    reset("network.init.readout", Choice(INITS), "distribution of the initial w_out"),
    reset("network.init.readout_scale", NOT_NEGATIVE, "factor on the initial w_out"),
    reset("network.adaptive.units", Whole(0, MOST_UNITS), "how many of the last units have an adaptive threshold"),
    reset("network.adaptive.beta", NOT_NEGATIVE, "strength of adaptation"),
    reset("network.adaptive.tau", POSITIVE, "time constant of adaptation in steps"),
    live("rule.kind", Choice(RULES), "the learning rule"),
    live("rule.window", Whole(1, 1_000_000), "steps that truncated-bptt goes back"),
    live("rule.feedback.scale", Choice(&["readout", "murray"]), "distribution of RFLO's fixed feedback"),
    live("rule.rho.of", Choice(RULES_WITH_RHO), "the rule whose rho scaled-bptt and upscaled measure at each iteration"),
    live("rule.rho.value", POSITIVE, "a fixed rho for scaled-bptt and upscaled"),
    live("optimizer.kind", Choice(&["sgd", "adam"]), "the optimiser"),
    live("optimizer.learning_rate", POSITIVE, "learning rate eta before the schedule"),
    live("optimizer.momentum", BELOW_ONE, "momentum of SGD"),
    live("optimizer.clip_norm", NOT_NEGATIVE, "largest gradient norm over all weights; 0 = off"),
    live("optimizer.l2", NOT_NEGATIVE, "c of L2, c/2 ||w||^2"),
    live("schedule.kind", Choice(&["constant", "step", "exponential", "cosine"]), "how the learning rate changes"),
    live("schedule.warmup", Whole(0, MANY), "iterations of linear warm-up in front; 0 = none"),
    live("schedule.initial_factor", POSITIVE, "step: the rate starts at this times the learning rate"),
    live("schedule.factor", POSITIVE, "step: the rate is multiplied by this every `every` iterations"),
    live("schedule.every", Whole(0, MANY), "step: iterations between two steps; 0 = iterations / 30"),
    live("schedule.decay", POSITIVE, "exponential: the rate is multiplied by this each iteration"),
    live("schedule.final_factor", NOT_NEGATIVE, "cosine: the rate ends at this times the learning rate"),
    reset("flossing.iterations", Whole(0, MANY), "iterations of gradient flossing before training; 0 = off"),
    reset("flossing.k", Whole(1, MOST_UNITS), "leading exponents that flossing pulls to 0"),
    reset("flossing.variant", Choice(&["exact", "detached", "local"]), "how the flossing gradient is taken"),
    reset("flossing.learning_rate", POSITIVE, "learning rate of flossing's own Adam"),
    reset("flossing.trials", Whole(1, MOST_TRIALS), "trials in a flossing iteration"),
    reset("flossing.during.every", Whole(0, MANY), "training iterations between two rounds of flossing; 0 = off"),
    reset("flossing.during.iterations", Whole(0, MANY), "flossing iterations in a round during training; 0 = off"),
    live("measure.test", CADENCE, "iterations between two tests; 0 = start and end only"),
    live("measure.curvature", CADENCE, "iterations between two measures of the Hessian; 0 = start and end only"),
    live("measure.lyapunov", CADENCE, "iterations between two measures of the Lyapunov exponents; 0 = start and end only"),
    live("measure.alignment", CADENCE, "iterations between two measures of rho and cosine; 0 = start and end only"),
    live("measure.landscape", CADENCE, "iterations between two landscape slices; 0 = start and end only"),
    reset("measure.probe_trials", Whole(1, MOST_TRIALS), "trials in the fixed probe batch"),
    live("measure.block", Choice(&["recurrent", "input", "readout", "all"]), "the weights that the Hessian is taken over"),
    live("measure.top_k", Whole(1, 200), "how many leading Hessian eigenvalues"),
    live("measure.lyapunov_exponents", Whole(0, 2 * MOST_UNITS), "how many exponents along the run; 0 = all"),
    live("measure.lyapunov_skip", WholeOr(0, 1_000_000, "auto"), "steps left out at the start of each trial"),
    live("measure.lyapunov_drive", Choice(&["task", "none"]), "what drives the network while exponents are taken"),
    live("measure.slice.directions", Choice(&["random", "eigenvectors", "eigenvector-random", "trajectory", "three-points"]), "directions of the landscape slice"),
    live("measure.slice.points", Whole(2, 1001), "points of the slice along each direction"),
    live("measure.slice.range", NOT_NEGATIVE, "reach of the slice to either side; 0 = automatic"),
];
