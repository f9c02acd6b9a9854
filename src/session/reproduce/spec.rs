//! Owns [`Spec`], a figure of a paper as data: runs, what is read off them, plots, claims. They stand in
//! `assets/figures`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::training::history::Series;
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
    /// Its grid, in the place of the figure's.
    pub grid: Option<Grid>,
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

/// Values of one key of which the best is taken for each case, arm and value across: by the mean over seeds of
/// training loss at the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The key.
    pub key: String,
    /// Its values.
    pub values: Vec<f64>,
    /// Where they come from.
    pub source: Source,
    /// Runs by which the value is chosen, of other seeds than the figure's; without it every run of the figure is
    /// made at every value, and the figure shows the best.
    pub pilot: Option<Pilot>,
}

/// Runs that choose a value of a grid before the figure's runs are made: a sweep over a sweep.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pilot {
    /// Runs at each value, with the seeds from [`Pilot::FIRST_SEED`] on.
    pub seeds: u64,
    /// Settings of these runs over all others, such as images that are held out.
    #[serde(default)]
    pub constants: Constants,
    /// The series by whose end the best is taken: the smallest loss or the largest accuracy.
    #[serde(default = "Pilot::loss")]
    pub by: String,
}

impl Pilot {
    /// The first seed of the runs that choose; those of the figure start at 1.
    pub const FIRST_SEED: u64 = 1001;

    fn loss() -> String {
        "train_loss".into()
    }

    /// What it chooses by.
    pub fn series(&self) -> Series {
        self.by.parse().unwrap_or(Series::TrainLoss)
    }
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
    /// Both sides are alike, in pairs of equal seed: the interval of their ratio, or of their difference, lies within a
    /// margin.
    Alike {
        /// The one.
        one: Side,
        /// The other.
        other: Side,
        /// Whether pairs are compared by their ratio (else by their difference).
        #[serde(default)]
        ratio: bool,
        /// The largest ratio, or the largest difference, that still counts as alike (`[own]`).
        within: f64,
    },
    /// `more` varies more over seeds than `less`: their distances from the medians, in pairs of equal seed
    /// (Levene's test in the form of Brown and Forsythe 1974, paired).
    Varies {
        /// This varies more.
        more: Side,
        /// This varies less.
        less: Side,
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

impl Spec {
    /// The figure that `--quick` makes: fewer seeds, cases and values.
    pub fn quick(&self) -> Self {
        let mut quick = self.clone();
        quick.grid = None;
        quick.cases.iter_mut().for_each(|case| case.grid = None);
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
            Claimed::Larger { more, less, .. } | Claimed::Varies { more, less } => {
                [more, less].iter().all(|side| values.contains(&side.across))
            }
            Claimed::Alike { one, other, .. } => {
                [one, other].iter().all(|side| values.contains(&side.across))
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

    /// The grid of a case.
    pub fn grid_of<'a>(&'a self, case: &'a Case) -> Option<&'a Grid> {
        case.grid.as_ref().or(self.grid.as_ref())
    }

    /// A case's grid with the runs that choose from it.
    pub fn pilot_of<'a>(&'a self, case: &'a Case) -> Option<(&'a Grid, &'a Pilot)> {
        let grid = self.grid_of(case)?;
        Some((grid, grid.pilot.as_ref()?))
    }
}
