//! Owns [`Page`], what shows up of all figures: a page over the reports of many.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::catalogue::figures;
use super::spec::Spec;
use super::verdict::{Judged, Verdict};
use super::{Asked, Made};
use crate::files::atomic::{self, FileError};
use crate::files::figure::number::significant;
use crate::files::summary::VERSION;

/// The name of the page in the folder of the figures' folders.
const NAME: &str = "README.md";
/// Its first line.
const TITLE: &str = "# What shows up here of the two papers' claims";
/// Bytes of a page at most (`[own]`: many times that of all figures).
const MOST: u64 = 1 << 20;

/// What shows up of the figures made so far.
#[derive(Clone, Debug, Default)]
pub struct Page {
    asked: Asked,
    /// The figures as they were asked for.
    names: String,
    figures: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    spec: Spec,
    judged: Vec<Judged>,
    runs: usize,
    seconds: f64,
    /// What its quick look leaves out.
    less: Option<String>,
}

impl Page {
    /// Of no figure yet; `names` are those asked for on the command line.
    pub fn new(asked: &Asked, names: &str) -> Self {
        Self { asked: asked.clone(), names: names.into(), figures: Vec::new() }
    }

    /// Adds a figure.
    pub fn add(&mut self, made: &Made) {
        self.figures.push(Entry {
            spec: made.spec.clone(),
            judged: made.judged.clone(),
            runs: made.n_runs,
            seconds: made.seconds,
            less: made.asked.leaves_out(&made.spec),
        });
    }

    /// Whether the page may take its place: nothing is there, or such a page, or it is forced.
    ///
    /// # Errors
    /// Another file has its name.
    pub fn claim(folder: &Path, force: bool) -> Result<(), FileError> {
        let path = folder.join(NAME);
        let is_page = || atomic::read_text(&path, MOST).is_ok_and(|text| text.starts_with(TITLE));
        if force || !path.exists() || is_page() {
            return Ok(());
        }
        Err(FileError::new(
            &path,
            "is not a page of figures: choose another folder, or replace it with --force",
        ))
    }

    /// Writes the page; gives its path.
    ///
    /// # Errors
    /// The path and what the system said.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, FileError> {
        let path = folder.join(NAME);
        atomic::write_text(&path, &self.text())?;
        Ok(path)
    }

    /// The page in Markdown.
    pub fn text(&self) -> String {
        let count = |verdict: Verdict| {
            self.figures.iter().flat_map(|f| &f.judged).filter(|j| j.verdict == verdict).count()
        };
        let mut text = format!("{TITLE}\n\n");
        let _ = writeln!(
            text,
            "Made by `{}` (Basinscope {VERSION}). Every figure has its report, with the picture, all effects, the \
             settings with their sources, and what of them is ours because the paper's is not known; every claim is \
             judged for each task. Seen: {}. Not decided at this number of seeds: {}. Not seen, but the reverse: {}.\n",
            self.asked.command_for(&self.names),
            count(Verdict::Seen),
            count(Verdict::NotDecided),
            count(Verdict::NotSeen)
        );
        let _ = writeln!(
            text,
            "An effect stands with its 95 % paired bootstrap interval over seeds; how it is judged is said in the \
             reports. Runs that diverged count in no pair. Figures share runs: a claim that stands in two of them is one \
             piece of evidence, counted twice above.\n"
        );
        for figure in &self.figures {
            figure.write(&mut text);
        }
        let left = figures().iter().filter(|spec| self.figures.iter().all(|f| f.spec.id != spec.id));
        let left: Vec<String> = left.map(|spec| format!("`{}`", spec.id)).collect();
        if !left.is_empty() {
            let _ = writeln!(text, "Not made yet: {}.", left.join(", "));
        }
        text
    }
}

impl Entry {
    fn write(&self, text: &mut String) {
        let Self { spec, judged, runs, seconds, less } = self;
        let _ = writeln!(text, "## [{}]({}/report.md)\n", spec.title, spec.id);
        if let Some(less) = less {
            let _ = writeln!(text, "A quick look; it leaves out: {less}.\n");
        }
        let cases = spec.cases.iter().map(|case| case.name.as_str());
        let _ = writeln!(text, "| claim | {} |", cases.clone().collect::<Vec<_>>().join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(spec.cases.len()));
        let mut claims: Vec<&str> = Vec::new();
        for found in judged {
            if !claims.contains(&found.text.as_str()) {
                claims.push(&found.text);
            }
        }
        for claim in claims {
            let cell = |case: &str| {
                let found = judged.iter().find(|j| j.text == claim && j.case == case);
                found.map_or(String::new(), |found| {
                    let short = match found.verdict {
                        Verdict::Seen => "**seen**",
                        Verdict::NotSeen => "**the reverse**",
                        Verdict::NotDecided => "not decided",
                    };
                    format!("{short}, {}", found.effect.replace("95 % interval ", ""))
                })
            };
            let cells: Vec<String> = cases.clone().map(cell).collect();
            let _ = writeln!(text, "| {claim} | {} |", cells.join(" | "));
        }
        let seeds: Vec<String> = spec.cases.iter().map(|case| spec.seeds_of(case).to_string()).collect();
        let seeds = if seeds.windows(2).all(|s| s[0] == s[1]) { &seeds[..1] } else { &seeds[..] };
        let minutes = significant(seconds / 60.0, 2);
        let _ = writeln!(text, "\n{runs} runs, {} seeds; {minutes} minutes of runs.\n", seeds.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_shows_up_and_what_is_not_made() {
        let spec = figures().iter().find(|s| s.id == "p1-a8").expect("a figure");
        let judged = |case: usize, verdict: Verdict| Judged {
            text: spec.claims[0].text.clone(),
            case: spec.cases[case].name.clone(),
            verdict,
            effect: "ratio 2.00 (95 % interval 1.50 to 2.50)".into(),
            more: "larger in 3 of 3 pairs".into(),
        };
        let made = Made {
            spec: spec.clone(),
            asked: Asked::default(),
            cells: Vec::new(),
            n_runs: 7,
            seconds: 90.0,
            judged: vec![judged(0, Verdict::Seen), judged(1, Verdict::NotSeen)],
        };
        let mut page = Page::new(&Asked::default(), "all");
        page.add(&made);
        let text = page.text();
        let row = text.lines().find(|l| l.starts_with(&format!("| {}", spec.claims[0].text))).expect("a row");
        assert!(
            row.ends_with(
                "| **seen**, ratio 2.00 (1.50 to 2.50) | **the reverse**, ratio 2.00 (1.50 to 2.50) |  |"
            ),
            "{row}"
        );
        assert!(
            text.contains("Seen: 1. Not decided at this number of seeds: 0. Not seen, but the reverse: 1.")
        );
        assert!(
            text.contains("(p1-a8/report.md)") && text.contains("7 runs, 16, 16, 5 seeds; 1.5 minutes"),
            "{text}"
        );
        assert!(text.contains("Not made yet: `p1-2`, ") && !text.contains("`p1-a8`"), "{text}");
        assert!(text.contains("`basinscope reproduce all --out DIR`"), "{text}");
    }
}
