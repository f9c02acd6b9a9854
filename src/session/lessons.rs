//! Owns [`Lesson`]: the lessons of `assets/lessons` as data, and each as a Markdown page.

use std::fmt::Write;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Table;

use super::pictures::Picture;
use crate::files::figure::number::{count, counted};
use crate::training::history::Series;

/// A lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// The name of its file.
    #[serde(skip)]
    pub name: &'static str,
    /// What it is about.
    pub title: String,
    /// How long it takes in a class.
    pub minutes: u32,
    /// In one line.
    pub summary: String,
    /// In their order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// What a class does in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum StepKind {
    Predict,
    Run,
    See,
}

impl StepKind {
    /// Its name on the screen.
    pub fn title(self) -> &'static str {
        match self {
            StepKind::Predict => "Predict",
            StepKind::Run => "Run",
            StepKind::See => "See",
        }
    }
}

/// A step of a lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What to do in it.
    pub kind: StepKind,
    /// What it is about.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// The panels it shows, by their names in a layout's file.
    pub panels: Vec<String>,
    /// The plots that panels of curves show, by their names; where none is named, the first.
    #[serde(default)]
    pub plots: Vec<String>,
    /// Accessible names of the controls it speaks of.
    pub controls: Vec<String>,
    /// Where to look.
    pub look_at: String,
    /// The plot that stands for it on a page.
    pub picture: Picture,
    /// What is to be seen.
    pub expect: String,
    /// The runs it jumps to; empty: those of the step before.
    #[serde(default, rename = "run")]
    runs: Vec<StepRun>,
    /// What is to be seen, in numbers.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
}

/// A run in the state that a step jumps to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRun {
    /// Its name.
    pub name: String,
    /// Updates made.
    pub at: u64,
    /// Its settings.
    pub set: Table,
    /// A change on the way.
    #[serde(default)]
    pub change: Option<Changed>,
}

/// Settings that change on the way.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// After so many updates.
    pub at: u64,
    /// Keys that act at once.
    pub set: Table,
}

/// An expected observation: a value of a series, the last where nothing else is said, or its ratio to another run's or
/// another series'; or a rise of the loss along a direction of a slice.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Of which run, by name.
    pub run: String,
    /// Of which series, by its name in files.
    #[serde(default, deserialize_with = "series")]
    pub series: Option<Series>,
    /// Divided by the same of this run.
    #[serde(default)]
    pub over: Option<String>,
    /// Divided by this series of the same run.
    #[serde(default, deserialize_with = "series")]
    pub of: Option<Series>,
    /// Its first value in the place of its last.
    #[serde(default)]
    pub at_start: bool,
    /// Its last value at or before this iteration in the place of its last.
    #[serde(default)]
    pub at: Option<i64>,
    /// The mean of so many last values in the place of its last.
    #[serde(default)]
    pub mean_of_last: Option<usize>,
    /// In the place of a series: by how much the loss rises from the middle of the run's slice to its edge along this
    /// direction, 1 or 2, in the mean over both sides; where two are named, the first rise divided by the second.
    #[serde(default)]
    pub rise: Vec<usize>,
    /// It is larger than this.
    #[serde(default)]
    pub above: Option<f64>,
    /// It is smaller than this.
    #[serde(default)]
    pub below: Option<f64>,
    /// The run has diverged.
    #[serde(default)]
    pub diverged: bool,
}

fn series<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Series>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let series = name.parse().map_err(|()| serde::de::Error::custom(format!("`{name}` is no series")))?;
    Ok(Some(series))
}

impl Check {
    /// What is expected, in words.
    pub fn words(&self) -> String {
        if self.diverged {
            return format!("{} has diverged", self.run);
        }
        let series = self.series.map_or("", Series::name);
        let mut text = match self.rise.as_slice() {
            [] => String::new(),
            [one] => format!("the rise of the loss along direction {one} of the slice of {}", self.run),
            [one, other, ..] => format!(
                "the rise of the loss along direction {one} of the slice of {}, divided by that along {other},",
                self.run
            ),
        };
        if self.rise.is_empty() {
            text = self.value_words(series);
        }
        let _ = match (self.above, self.below) {
            (Some(low), Some(high)) => write!(text, " is between {low} and {high}"),
            (Some(low), None) => write!(text, " is above {low}"),
            (None, Some(high)) => write!(text, " is below {high}"),
            (None, None) => write!(text, " is known"),
        };
        text
    }

    fn value_words(&self, series: &str) -> String {
        let mut text = match (&self.over, self.of) {
            (Some(other), _) => format!("{series} of {}, divided by that of {other},", self.run),
            (None, Some(of)) => format!("{series} divided by {} of {}", of.name(), self.run),
            (None, None) => format!("{series} of {}", self.run),
        };
        if self.at_start {
            text += " at the start";
        }
        if let Some(at) = self.at {
            let _ = write!(text, " at iteration {}", count(at));
        }
        if let Some(n) = self.mean_of_last {
            let _ = write!(text, ", mean of the last {n} values,");
        }
        text
    }

    /// Whether a value is as expected.
    pub fn holds(&self, value: f64) -> bool {
        value.is_finite()
            && self.above.is_none_or(|low| value > low)
            && self.below.is_none_or(|high| value < high)
    }
}

/// What a picture shows, for those who do not see it.
fn sentence_of(picture: &str) -> String {
    format!("The plot of the {picture} at this step")
}

impl Lesson {
    /// The runs of a step: its own, or those of the last step before it that has some.
    pub fn runs(&self, step: usize) -> &[StepRun] {
        let own = self.steps[..=step.min(self.steps.len() - 1)].iter().rev().find(|s| !s.runs.is_empty());
        own.map_or(&[], |step| &step.runs)
    }

    /// Where a run that stands at an iteration goes: to its next state in this step or in one after it. `None`: on.
    pub fn target(&self, step: usize, name: &str, iteration: i64) -> Option<i64> {
        let later = (step..self.steps.len()).flat_map(|step| self.runs(step));
        let ends = later.filter(|run| run.name == name).filter_map(|run| i64::try_from(run.at).ok());
        ends.filter(|at| *at > iteration).min()
    }

    /// The colour of a run: its place among the names in the lesson.
    pub fn slot(&self, name: &str) -> usize {
        let mut names: Vec<&str> = Vec::new();
        for run in self.steps.iter().flat_map(|step| &step.runs) {
            if !names.contains(&run.name.as_str()) {
                names.push(&run.name);
            }
        }
        names.iter().position(|own| *own == name).unwrap_or(names.len())
    }

    /// The lesson as a page that is read without the program. `picture` gives the file of a step's picture.
    pub fn markdown(&self, picture: impl Fn(usize) -> Option<String>) -> String {
        let mut text = format!("# {}\n\n{}. About {} minutes.\n", self.title, self.summary, self.minutes);
        for (i, step) in self.steps.iter().enumerate() {
            let _ = write!(
                text,
                "\n## {}. {}: {}\n\n{}\n\n",
                i + 1,
                step.kind.title(),
                step.title,
                step.text.trim()
            );
            if let Some(file) = picture(i) {
                let _ = write!(text, "![{}]({file})\n\n", sentence_of(step.picture.name()));
            }
            let _ = writeln!(text, "**Look at:** {}\n\n**Expected:** {}", step.look_at, step.expect);
            let runs: Vec<String> = self
                .runs(i)
                .iter()
                .map(|run| format!("{} after {}", run.name, counted(run.at, "update")))
                .collect();
            let _ = writeln!(text, "\n*{}.*", runs.join("; "));
        }
        text += "\n## Settings\n";
        let mut told: Vec<&str> = Vec::new();
        for run in (0..self.steps.len()).flat_map(|i| self.runs(i)) {
            if told.contains(&run.name.as_str()) {
                continue;
            }
            told.push(&run.name);
            let keys: Vec<String> = super::settings::flat_value(&toml::Value::Table(run.set.clone()))
                .into_iter()
                .map(|(key, value)| format!("--set {key}={}", value.to_string().replace('"', "")))
                .collect();
            let _ = write!(text, "\n{}:\n\n    basinscope run --out DIR {}\n", run.name, keys.join(" "));
        }
        text
    }
}

/// Name and content of every lesson, in the order of the menu.
const FILES: &[(&str, &str)] = &[
    ("valley", include_str!("../../assets/lessons/valley.toml")),
    ("edge", include_str!("../../assets/lessons/edge.toml")),
    ("sharp", include_str!("../../assets/lessons/sharp.toml")),
    ("gain", include_str!("../../assets/lessons/gain.toml")),
    ("rules", include_str!("../../assets/lessons/rules.toml")),
    ("flossing", include_str!("../../assets/lessons/flossing.toml")),
    ("slice", include_str!("../../assets/lessons/slice.toml")),
];

/// The page that says which lesson to take.
pub const WHICH: &str = include_str!("../../assets/lessons/README.md");

/// All lessons.
pub fn lessons() -> &'static [Lesson] {
    static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
        let read = |(name, text): &(&'static str, &str)| Lesson {
            name,
            ..toml::from_str(text).expect("a test reads every lesson that is built in")
        };
        FILES.iter().map(read).collect()
    });
    &LESSONS
}
