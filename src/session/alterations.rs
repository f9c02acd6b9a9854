//! Owns how files say that a run is not the one that its settings give from the start.

use super::runs::{Mark, MarkKind, RunEntry};

/// Begins a note of a snapshot on such a change.
const CHANGED: &str = "changed at iteration ";

impl RunEntry {
    /// Each change that makes it another run than its settings give from the start, one line each; empty where there
    /// is none.
    pub(super) fn alterations_in_words(&self) -> Vec<String> {
        in_words(&self.marks)
    }
}

/// The same of marks, those of a run or of a bookmark.
pub(super) fn in_words(marks: &[Mark]) -> Vec<String> {
    marks.iter().filter(|mark| mark.alters).map(sentence).collect()
}

fn sentence(mark: &Mark) -> String {
    // Names of runs may hold anything.
    let text: String = mark.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{CHANGED}{}: {text}", mark.iteration)
}

/// The change that a note of a snapshot tells of, if it does.
pub(super) fn of_note(note: &str) -> Option<Mark> {
    let (iteration, text) = note.strip_prefix(CHANGED)?.split_once(": ")?;
    let iteration = iteration.parse().ok()?;
    Some(Mark { iteration, text: text.into(), kind: MarkKind::Changed, alters: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_found_again_in_its_note() {
        let text = "rule BPTT → three-factor (e-prop)".to_owned();
        let mark = Mark { iteration: 360, text, kind: MarkKind::Changed, alters: true };
        assert_eq!(of_note(&sentence(&mark)), Some(mark.clone()));
        let broken = Mark { text: "branched off a\nb at 360".into(), ..mark };
        assert_eq!(sentence(&broken), "changed at iteration 360: branched off a b at 360");
        assert_eq!(of_note("2 silent trials are left out of the exponents"), None);
    }
}
