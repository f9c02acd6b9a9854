//! Figures of the papers: [`Reproduction`] plans the runs of one, a [`Sweep`] makes them, [`Made`] is what they say:
//! the figure, tables, and a verdict on each claim.

mod cells;
mod draw;
mod report;
pub mod spec;
mod values;
pub mod verdict;

use std::path::{Path, PathBuf};

use crate::files::atomic::{self, FileError};
use crate::session::sweep::Sweep;
use crate::training::config::error::ConfigError;
use crate::training::plan::Plan;
use cells::{Cell, Cells};
use spec::Spec;
use verdict::Judged;

/// A figure whose runs are planned.
pub struct Reproduction {
    spec: Spec,
    quick: bool,
    cells: Cells,
}

/// A figure whose runs are made.
pub struct Made {
    spec: Spec,
    quick: bool,
    cells: Vec<Cell>,
    n_runs: usize,
    /// Seconds of all runs together.
    seconds: f64,
    judged: Vec<Judged>,
}

impl Reproduction {
    /// Plans the runs of a figure, or the fewer ones of its quick look; with another number of seeds, where one
    /// is given.
    ///
    /// # Errors
    /// A setting of the figure that is wrong.
    pub fn new(spec: &Spec, quick: bool, seeds: Option<u64>) -> Result<(Self, Plan), ConfigError> {
        let spec = if quick { spec.quick() } else { spec.clone() };
        let spec = seeds.map(|seeds| spec.with_seeds(seeds)).unwrap_or(spec);
        let (plan, cells) = Cells::plan(&spec)?;
        Ok((Self { spec, quick, cells }, plan))
    }

    /// What the folder of the runs holds in the place of a plan.
    pub fn plan_text(&self) -> String {
        let quick = if self.quick { " --quick" } else { "" };
        format!(
            "# The runs of `basinscope reproduce {}{quick}`; each has its settings in its folder.\n",
            self.spec.id
        )
    }

    /// Reads what the runs say.
    ///
    /// # Errors
    /// A history that cannot be read.
    pub fn read(self, sweep: &Sweep) -> Result<Made, FileError> {
        let Self { spec, quick, cells } = self;
        let cells = cells.read(&spec, sweep)?;
        let judged = verdict::judge(&spec, &cells);
        let seconds = sweep.ended().iter().flatten().map(|e| e.wall_seconds).sum();
        Ok(Made { judged, cells, n_runs: sweep.runs().len(), seconds, spec, quick })
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
