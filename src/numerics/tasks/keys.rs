//! Owns [`Key`], a task's own configuration keys with what they mean and may be, and [`TaskError`].

use std::fmt;

use thiserror::Error;

/// What a key may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// A number between two bounds, both allowed.
    Number(f64, f64),
    /// A whole number between two bounds, both allowed.
    Whole(u64, u64),
    /// A list of one or more numbers, each between two bounds.
    Numbers(f64, f64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The path of a file.
    Path,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Number(low, high) => write!(f, "a number from {low} to {high}"),
            Expected::Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
            Expected::Numbers(low, high) => {
                write!(f, "a list of 1 to {MOST_NUMBERS} numbers, each from {low} to {high}")
            }
            Expected::Word(words) => {
                for (i, word) in words.iter().enumerate() {
                    write!(f, "{}\"{word}\"", if i > 0 { " or " } else { "" })?;
                }
                Ok(())
            }
            Expected::Path => write!(f, "the path of a file"),
        }
    }
}

/// The longest list of numbers that a key takes.
pub(super) const MOST_NUMBERS: usize = 64;

/// A task's own key of the configuration's `[task]` table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is, with its unit.
    pub meaning: &'static str,
    /// What it may be.
    pub expected: Expected,
    /// Where its default comes from: `[P1]`, `[P2]`, `[C]` or `[own]`.
    pub source: &'static str,
}

/// A key of a task has a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("task.{key} is {value}: expected {expected}")]
pub struct TaskError {
    /// The key, without `task.`.
    pub key: &'static str,
    /// Its value, as text.
    pub value: String,
    /// What was expected.
    pub expected: String,
}

impl TaskError {
    pub(super) fn new(key: &'static str, value: impl fmt::Display, expected: impl fmt::Display) -> Self {
        Self { key, value: value.to_string(), expected: expected.to_string() }
    }
}

/// A number as a person writes it: no hundreds of zeros.
pub(super) fn number(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-6..1e15).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// Fails unless `value` is within the bounds that `keys` gives `name`.
pub(super) fn check_number(keys: &[Key], name: &'static str, value: f64) -> Result<(), TaskError> {
    let Some(key) = keys.iter().find(|key| key.name == name) else { return Ok(()) };
    let (low, high) = match key.expected {
        Expected::Number(low, high) | Expected::Numbers(low, high) => (low, high),
        Expected::Whole(low, high) => (low as f64, high as f64),
        Expected::Word(_) | Expected::Path => return Ok(()),
    };
    // NaN is in no range.
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(TaskError::new(name, number(value), key.expected))
    }
}

/// The same for a whole number.
pub(super) fn check_whole(keys: &[Key], name: &'static str, value: usize) -> Result<(), TaskError> {
    check_number(keys, name, value as f64)
}

/// The same for a list of numbers.
pub(super) fn check_numbers(keys: &[Key], name: &'static str, values: &[f64]) -> Result<(), TaskError> {
    if values.is_empty() || values.len() > MOST_NUMBERS {
        let expected = keys.iter().find(|key| key.name == name).map(|key| key.expected.to_string());
        let value = format!("a list of {}", values.len());
        return Err(TaskError::new(name, value, expected.unwrap_or_default()));
    }
    values.iter().try_for_each(|value| check_number(keys, name, *value))
}
