//! Figures of the papers: [`Reproduction`] plans the runs of one, a [`Sweep`] makes them, [`Made`] is what they say:
//! the figure, tables, and a verdict on each claim.

pub mod catalogue;
mod cells;
mod draw;
pub mod page;
mod report;
pub mod spec;
mod values;
pub mod verdict;

use std::path::{Path, PathBuf};

use crate::files::atomic::{self, FileError};
use crate::session::sweep::{self, Sweep};
use crate::training::config::error::ConfigError;
use crate::training::plan::Plan;
use catalogue::figures;
pub use cells::ChoiceError;
use cells::{Cell, Cells};
use spec::Spec;
use verdict::Judged;

/// How much of a figure is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The fewer runs of its quick look.
    pub quick: bool,
    /// Seeds 1 to this; `None`: the figure's own number.
    pub seeds: Option<u64>,
    /// Ids of the cases; empty = all (of those of the quick look).
    pub cases: Vec<String>,
}

impl Asked {
    /// What its quick look leaves out.
    fn leaves_out(&self, spec: &Spec) -> Option<String> {
        let less = spec.quick.as_ref().filter(|_| self.quick)?;
        let full = figures().iter().find(|s| s.id == spec.id).map_or(0, |s| s.seeds);
        let seeds = match full.saturating_sub(spec.seeds) {
            0 => String::new(),
            fewer => format!("; {fewer} of {full} seeds"),
        };
        Some(format!("{}{seeds}", less.leaves_out))
    }

    /// The command line that asks for it.
    fn command(&self, spec: &Spec) -> String {
        self.command_for(&spec.id)
    }

    fn command_for(&self, figure: &str) -> String {
        let mut command = format!("basinscope reproduce {figure}");
        if self.quick {
            command += " --quick";
        }
        if let Some(seeds) = self.seeds {
            command += &format!(" --seeds {seeds}");
        }
        if !self.cases.is_empty() {
            command += &format!(" --cases {}", self.cases.join(","));
        }
        command + " --out DIR"
    }

    /// The figure, and how it is asked for, of a command as [`Asked::command_for`] writes it.
    fn of_command(command: &str) -> (&str, Self) {
        let mut words = command.split_whitespace().skip(2);
        let figure = words.next().unwrap_or_default();
        let mut asked = Self::default();
        while let Some(word) = words.next() {
            match word {
                "--quick" => asked.quick = true,
                "--seeds" => asked.seeds = words.next().and_then(|n| n.parse().ok()),
                "--cases" => {
                    asked.cases = words.next().unwrap_or_default().split(',').map(Into::into).collect()
                }
                _ => {}
            }
        }
        (figure, asked)
    }
}

/// Why a figure cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReproduceError {
    /// No such figure.
    #[error("there is no figure {0}; `basinscope reproduce list` names all")]
    NoFigure(String),
    /// A case that the figure has not.
    #[error("--cases {case}: expected some of {expected}")]
    NoCase {
        /// What was given.
        case: String,
        /// Those there are.
        expected: String,
    },
    /// A setting of the figure.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A figure whose runs are planned.
pub struct Reproduction {
    spec: Spec,
    asked: Asked,
    cells: Cells,
}

/// A figure whose runs are made.
pub struct Made {
    spec: Spec,
    asked: Asked,
    cells: Vec<Cell>,
    n_runs: usize,
    /// Seconds of all runs together.
    seconds: f64,
    judged: Vec<Judged>,
}

impl Reproduction {
    /// Plans the runs of a figure as it is asked for.
    ///
    /// # Errors
    /// A case that the figure has not; a setting of the figure that is wrong.
    pub fn new(spec: &Spec, asked: &Asked) -> Result<(Self, Plan), ReproduceError> {
        for case in &asked.cases {
            if !spec.cases.iter().any(|c| c.id == *case) {
                let expected: Vec<&str> = spec.cases.iter().map(|c| c.id.as_str()).collect();
                return Err(ReproduceError::NoCase { case: case.clone(), expected: expected.join(", ") });
            }
        }
        let mut own = spec.clone();
        if !asked.cases.is_empty() {
            own.cases.retain(|c| asked.cases.contains(&c.id));
        }
        if asked.quick {
            own = own.quick();
        }
        if let Some(seeds) = asked.seeds {
            own = own.with_seeds(seeds);
        }
        let (plan, cells) = Cells::plan(&own)?;
        Ok((Self { spec: own, asked: asked.clone(), cells }, plan))
    }

    /// Plans the runs of a figure as a command asks for it, that of a folder of its runs.
    ///
    /// # Errors
    /// As [`Reproduction::new`]; there is no such figure.
    pub fn of_command(command: &str) -> Result<(Self, Plan), ReproduceError> {
        let (figure, asked) = Asked::of_command(command);
        let spec = figures().iter().find(|spec| spec.id == figure);
        Self::new(spec.ok_or_else(|| ReproduceError::NoFigure(figure.into()))?, &asked)
    }

    /// Once the runs of its plan are made: the plan with the runs at the values that they chose, to be made in the
    /// same folder; `None` where there is nothing to choose.
    ///
    /// # Errors
    /// A history that cannot be read; a setting of the figure that is wrong.
    pub fn after_choice(&mut self, sweep: &Sweep) -> Result<Option<Plan>, ChoiceError> {
        let Some((plan, cells)) = self.cells.after_choice(&self.spec, sweep)? else { return Ok(None) };
        self.cells = cells;
        Ok(Some(plan))
    }

    /// What a quick look leaves out, in words; `None` where all is asked for.
    pub fn leaves_out(&self) -> Option<String> {
        self.asked.leaves_out(&self.spec)
    }

    /// What the folder of the runs holds in the place of a plan.
    pub fn plan_text(&self) -> String {
        sweep::text_of_figure(&self.asked.command(&self.spec))
    }

    /// Reads what the runs say.
    ///
    /// # Errors
    /// A history that cannot be read.
    pub fn read(self, sweep: &Sweep) -> Result<Made, FileError> {
        let Self { spec, asked, cells } = self;
        let cells = cells.read(&spec, sweep)?;
        let judged = verdict::judge(&spec, &cells);
        let seconds = sweep.ended().iter().flatten().map(|e| e.wall_seconds).sum();
        Ok(Made { judged, cells, n_runs: sweep.runs().len(), seconds, spec, asked })
    }
}

impl Made {
    /// The verdicts.
    pub fn judged(&self) -> &[Judged] {
        &self.judged
    }

    /// Writes the figure (SVG, PNG), values.csv, curves.csv and report.md; gives the report's path.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, FileError> {
        let figure = draw::figure(&self.spec, &self.cells);
        for extension in ["svg", "png"] {
            figure.write(&folder.join(format!("{}.{extension}", self.spec.id)))?;
        }
        report::tables(folder, &self.spec, &self.cells)?;
        let path = folder.join("report.md");
        atomic::write_text(&path, &report::report(self))?;
        Ok(path)
    }
}
