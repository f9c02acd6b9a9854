//! Owns [`Spec`], a figure of a paper as data: runs, what is read off them, plots, claims. They stand in
//! `assets/figures`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::training::presets::{Constant, Source};

/// A figure of a paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Its name on the command line.
    pub id: String,
    /// Where it stands in the paper, and what it is.
    pub title: String,
    /// What the paper shows there.
    pub shows: String,
    /// Another figure whose runs it takes: everything that is not given here.
    pub like: Option<String>,
    /// Runs of each setting, with seeds 1, 2, ...
    #[serde(default)]
    pub seeds: u64,
    /// Settings of all runs.
    #[serde(default)]
    pub constants: Constants,
    /// Tasks or conditions, one panel each.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
    /// What is compared, mostly rules.
    #[serde(default, rename = "arm")]
    pub arms: Vec<Arm>,
    /// A key along whose values all of this is repeated.
    pub across: Option<Along>,
    /// A key whose best value is taken for each case, arm and value of `across`.
    pub grid: Option<Grid>,
    /// What is read off each run.
    #[serde(default, rename = "quantity")]
    pub quantities: Vec<Quantity>,
    /// What is drawn.
    #[serde(default, rename = "plot")]
    pub plots: Vec<Plot>,
    /// What the paper claims.
    #[serde(default, rename = "claim")]
    pub claims: Vec<Claim>,
    /// What `--quick` runs.
    pub quick: Option<Quick>,
    /// Where settings are ours because the paper's are not known.
    #[serde(default)]
    pub unknown: Vec<String>,
}

/// Settings by key, each with its source.
pub type Constants = BTreeMap<String, Constant>;

/// A task or a condition.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// In the names of folders.
    pub id: String,
    /// In figure and report.
    pub name: String,
    /// Its number of seeds, where it is smaller than the figure's.
    pub seeds: Option<u64>,
    /// Its settings.
    pub constants: Constants,
}

/// One of the things compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// In the names of folders.
    pub id: String,
    /// In figure and report.
    pub name: String,
    /// Its settings.
    pub constants: Constants,
}

/// Values of one key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Along {
    /// The key.
    pub key: String,
    /// What it is called in the figure.
    pub name: String,
    /// Its values.
    pub values: Vec<f64>,
    /// Where they come from.
    pub source: Source,
}

/// Values of one key of which the best is taken: the smallest mean over seeds of training loss at the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The key.
    pub key: String,
    /// Its values.
    pub values: Vec<f64>,
    /// Where they come from.
    pub source: Source,
}

/// A number read off a run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Its name in claims and plots.
    pub id: String,
    /// Its name in figure and report.
    pub name: String,
    /// The series.
    pub series: String,
    /// Where it is read.
    pub at: At,
    /// Whether it is drawn on a logarithmic axis.
    #[serde(default)]
    pub log: bool,
    /// Whether only its size counts.
    #[serde(default)]
    pub absolute: bool,
}

/// Where a quantity is read off its series.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum At {
    /// The first value.
    First,
    /// The last.
    Last,
    /// The largest.
    Peak,
    /// The mean over the last tenth of the iterations.
    End,
    /// The mean over the last half of the values.
    LastHalf,
    /// The mean from one iteration to another, both included.
    Between {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The first value from the iteration on at which another series of this run has come as far as it is at the
    /// end of another arm's run with the same seed: runs at equal loss, or at equal test accuracy.
    Matching {
        /// The series that is equal there: a loss (at or below) or an accuracy (at or above).
        series: String,
        /// The other arm.
        arm: String,
    },
}

/// What is drawn, a panel for each case.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Plot {
    /// A series over iterations, mean and standard deviation over seeds; one line for each arm, or, with
    /// `across`, for each of its values and a panel for each arm.
    Curves {
        /// The series.
        series: String,
        /// Whether the axis is logarithmic.
        #[serde(default)]
        log: bool,
        /// The first iteration drawn.
        #[serde(default)]
        from: i64,
    },
    /// Quantities against the values of `across`.
    Against {
        /// Their ids.
        quantities: Vec<String>,
    },
    /// One quantity against another, a point for each run.
    Scatter {
        /// Id.
        x: String,
        /// Id.
        y: String,
    },
    /// How often a quantity takes which value.
    Histogram {
        /// Id.
        quantity: String,
    },
    /// Mean and standard deviation of quantities.
    Bars {
        /// Ids.
        quantities: Vec<String>,
    },
}

/// A claim of the paper; it is judged for each case.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// The claim in words.
    pub text: String,
    /// The ids of the cases that it is about; empty = all.
    #[serde(default)]
    pub cases: Vec<String>,
    /// What the claim is.
    #[serde(flatten)]
    pub what: Claimed,
}

/// What a claim says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claimed {
    /// `more` is larger than `less`, in pairs of equal seed.
    Larger {
        /// This is the larger.
        more: Side,
        /// This is the smaller.
        less: Side,
        /// Whether pairs are compared by their ratio (else by their difference).
        #[serde(default)]
        ratio: bool,
    },
    /// Two quantities of the runs of some arms rise together (Spearman).
    RiseTogether {
        /// Id.
        x: String,
        /// Id.
        y: String,
        /// The ids of the arms whose runs are taken together.
        arms: Vec<String>,
    },
}

/// One side of a comparison.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// Id of the arm.
    pub arm: String,
    /// Id of the quantity.
    pub quantity: String,
    /// The value of `across`, where the figure has one.
    pub across: Option<f64>,
}

/// What `--quick` runs: less of everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quick {
    /// Seeds.
    pub seeds: u64,
    /// Ids of the cases; empty = all.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Values of `across`; empty = all.
    #[serde(default)]
    pub across: Vec<f64>,
    /// Settings over all others.
    #[serde(default)]
    pub constants: Constants,
    /// What this leaves out, in words.
    pub leaves_out: String,
}

macro_rules! figures {
    ($($name:literal,)*) => {
        /// The texts of all figures.
        const TEXTS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../assets/figures/", $name, ".toml"))),)*];
    };
}

figures! {
    "p1-2", "p1-3", "p1-4", "p1-a5", "p1-a6", "p1-a7", "p1-a8", "p1-a9", "p1-a10", "p1-a11", "p1-a12ab", "p1-a12c",
    "p1-table1", "p1-3-input", "p1-3-double", "p2-1", "p2-2", "p2-3", "p2-4", "p2-5", "p2-1-double",
}

/// All figures, in the order of the papers.
pub fn figures() -> &'static [Spec] {
    static FIGURES: LazyLock<Vec<Spec>> = LazyLock::new(|| {
        let read = |(_, text): &(&str, &str)| {
            toml::from_str::<Spec>(text).expect("a test reads every figure that is built in")
        };
        let given: Vec<Spec> = TEXTS.iter().map(read).collect();
        given.iter().map(|spec| inherited(spec, &given)).collect()
    });
    &FIGURES
}

/// A figure with what it takes from another.
fn inherited(spec: &Spec, all: &[Spec]) -> Spec {
    let mut own = spec.clone();
    let Some(base) = spec.like.as_ref().and_then(|id| all.iter().find(|s| s.id == *id)) else { return own };
    let base = inherited(base, all);
    let mut constants = base.constants;
    constants.extend(own.constants);
    own.constants = constants;
    fn take<T>(own: &mut Vec<T>, base: Vec<T>) {
        if own.is_empty() {
            *own = base;
        }
    }
    take(&mut own.cases, base.cases);
    take(&mut own.arms, base.arms);
    take(&mut own.quantities, base.quantities);
    take(&mut own.plots, base.plots);
    take(&mut own.claims, base.claims);
    own.unknown.extend(base.unknown.into_iter().filter(|text| !spec.unknown.contains(text)));
    own.across = own.across.or(base.across);
    own.grid = own.grid.or(base.grid);
    own.quick = own.quick.or(base.quick);
    if own.seeds == 0 {
        own.seeds = base.seeds;
    }
    own
}

impl Spec {
    /// The figure that `--quick` makes: fewer seeds, cases and values.
    pub fn quick(&self) -> Self {
        let mut quick = self.clone();
        quick.grid = None;
        let Some(less) = &self.quick else { return quick };
        quick.seeds = less.seeds.min(self.seeds);
        if !less.cases.is_empty() {
            quick.cases.retain(|c| less.cases.contains(&c.id));
        }
        if let Some(along) = quick.across.as_mut().filter(|_| !less.across.is_empty()) {
            along.values.clone_from(&less.across);
        }
        // Over those of cases and arms as well.
        let over = |constants: &mut Constants| {
            let own: Vec<String> =
                constants.keys().filter(|k| less.constants.contains_key(*k)).cloned().collect();
            own.iter().for_each(|k| {
                constants.remove(k);
            });
        };
        quick.cases.iter_mut().for_each(|c| over(&mut c.constants));
        quick.arms.iter_mut().for_each(|a| over(&mut a.constants));
        quick.constants.extend(less.constants.clone());
        quick
    }

    /// The figure with another number of seeds.
    pub fn with_seeds(&self, seeds: u64) -> Self {
        let mut own = self.clone();
        own.seeds = seeds;
        own.cases.iter_mut().for_each(|c| c.seeds = None);
        own
    }

    /// The seeds of a case: 1 to this.
    pub fn seeds_of(&self, case: &Case) -> u64 {
        case.seeds.map_or(self.seeds, |seeds| seeds.min(self.seeds))
    }

    /// Whether the values across that a claim compares are run (a quick look leaves some out).
    pub fn has_runs_for(&self, claim: &Claim) -> bool {
        let values = self.across_values();
        match &claim.what {
            Claimed::Larger { more, less, .. } => {
                [more, less].iter().all(|side| values.contains(&side.across))
            }
            Claimed::RiseTogether { .. } => true,
        }
    }

    /// The index of an arm.
    pub fn arm(&self, id: &str) -> Option<usize> {
        self.arms.iter().position(|a| a.id == id)
    }

    /// A quantity.
    pub fn quantity(&self, id: &str) -> Option<&Quantity> {
        self.quantities.iter().find(|q| q.id == id)
    }

    /// The values of `across`; one without a value where there is no such key.
    pub fn across_values(&self) -> Vec<Option<f64>> {
        match &self.across {
            Some(along) => along.values.iter().copied().map(Some).collect(),
            None => vec![None],
        }
    }

    /// The values of the grid; one without a value where there is none.
    pub fn grid_values(&self) -> Vec<Option<f64>> {
        match &self.grid {
            Some(grid) => grid.values.iter().copied().map(Some).collect(),
            None => vec![None],
        }
    }
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
