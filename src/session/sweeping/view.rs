//! Owns [`View`], what of a sweep is looked at, and how.

use std::collections::BTreeMap;

use super::outcomes::{Outcomes, SEED};
use crate::training::history::Series;

/// A page of the sweep's panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// What varies.
    #[default]
    Plan,
    /// A quantity over two keys.
    Map,
    /// A series over training.
    Curves,
    /// Two quantities against each other.
    Scatter,
}

/// How the runs of a cell become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// The middle value.
    #[default]
    Median,
    /// The mean.
    Mean,
}

/// Which runs are looked at by a key that no axis shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Held {
    /// Those with its first value.
    #[default]
    First,
    /// Those with this value.
    Only(String),
    /// Those of all values.
    All,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The page in front.
    pub page: Page,
    /// What the map shows, as at the end of the runs.
    pub quantity: Series,
    /// Median or mean.
    pub over: Over,
    /// The key along the horizontal axis of the map.
    pub x: String,
    /// The key along the vertical axis; empty = none.
    pub y: String,
    /// The keys that no axis shows; those not in it are held at their first value.
    pub others: BTreeMap<String, Held>,
    /// The series whose curves are drawn.
    pub curve: Series,
    /// The key by whose values curves and points are told apart.
    pub group: String,
    /// The quantities across and up of the scatter.
    pub scatter: (Series, Series),
}

impl Default for View {
    fn default() -> Self {
        Self {
            page: Page::Plan,
            quantity: Series::TestLoss,
            over: Over::Median,
            x: "network.gain".into(),
            y: "optimizer.learning_rate".into(),
            others: BTreeMap::new(),
            curve: Series::TrainLoss,
            group: "rule.kind".into(),
            scatter: (Series::LambdaMax, Series::GeneralizationGap),
        }
    }
}

impl View {
    /// How a key that no axis shows is taken.
    pub fn held(&self, key: &str) -> &Held {
        self.others.get(key).unwrap_or(&Held::First)
    }

    /// Where it names keys that the sweep does not vary, takes others.
    pub fn fit(&mut self, outcomes: &Outcomes) {
        let varied = outcomes.varied();
        let free = |taken: &str| varied.iter().find(|key| **key != taken && **key != SEED);
        if !varied.contains(&self.x.as_str()) || self.x == self.y {
            let y = if varied.contains(&self.y.as_str()) { self.y.as_str() } else { "" };
            self.x = free(y).or(varied.first()).map_or(String::new(), ToString::to_string);
        }
        if !self.y.is_empty() && (!varied.contains(&self.y.as_str()) || self.x == self.y) {
            self.y = free(&self.x).map_or(String::new(), ToString::to_string);
        }
        if !varied.contains(&self.group.as_str()) {
            self.group = free("").or(varied.first()).map_or(String::new(), ToString::to_string);
        }
    }
}
