//! Owns [`Past`], what is known of a run's way to states that it has left: whoever goes back to one finds its curves
//! again, on the screen and in files.
//!
//! A bookmark without a past lies on the way that the run is on. When the run is set back, those beyond the place keep
//! the way that is left; those that lie on the way that is taken up again have none any more.

use std::sync::Arc;

use super::curves::Curves;
use super::runs::{Bookmark, RunEntry, RunId, Ticket};
use super::seconds::Seconds;
use super::spectra::Spectra;
use super::{Session, starting};
use crate::engine::messages::{Command, Way};
use crate::training::history::History;

/// The way of a run up to where it was set back.
#[derive(Clone, Debug)]
pub struct Past {
    /// Curves and path; without any where it was too long to be kept, or is a session's before.
    pub(super) way: Arc<Way>,
    seconds: Seconds,
    spectra: Spectra,
}

impl PartialEq for Past {
    /// Whether it is the same way: there is one of each.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.way, &other.way)
    }
}

impl Past {
    /// Of a way that is not kept: the curves begin anew where it is gone back to.
    pub(super) fn unknown() -> Arc<Self> {
        let way = Way { history: History::default(), trajectory: Arc::default() };
        Arc::new(Self { way: Arc::new(way), seconds: Seconds::default(), spectra: Spectra::default() })
    }

    /// For a worker that begins at a state of it.
    pub(super) fn earlier(&self) -> starting::Earlier {
        let way = Arc::clone(&self.way);
        Box::new(move || (way.history.clone(), (*way.trajectory).clone()))
    }
}

impl RunEntry {
    /// The way that the run is on, as its worker told it or as the screen has it.
    pub(super) fn own_way(&self, told: Option<Arc<Way>>) -> Arc<Past> {
        let way = told.unwrap_or_else(|| {
            Arc::new(Way { history: self.curves.to_history(), trajectory: Arc::default() })
        });
        Arc::new(Past { way, seconds: self.seconds.clone(), spectra: self.spectra.clone() })
    }

    /// Takes the bookmarks of the run that it was before it began anew, each with the way that led there: its own
    /// may become another.
    pub(super) fn inherits(&mut self, before: &mut RunEntry) {
        if before.bookmarks.is_empty() {
            return;
        }
        while before.read(usize::MAX) {}
        self.bookmarks.clone_from(&before.bookmarks);
        let past = before.own_way(None);
        keep(&mut self.bookmarks, &past, |_| true);
    }

    /// Leaves its way for another, `taken`, or goes back on it, to `iteration`.
    pub(super) fn changes_way(&mut self, iteration: i64, taken: Option<&Arc<Past>>) {
        let told = self.leaving.take();
        let goes_back_on_it = |b: &Bookmark| taken.is_none() && b.iteration() <= iteration;
        if self.bookmarks.iter().any(|b| b.past.is_none() && !goes_back_on_it(b)) {
            let past = self.own_way(told);
            keep(&mut self.bookmarks, &past, |b| !goes_back_on_it(b));
        }
        let Some(taken) = taken else {
            self.curves.truncate_after(iteration);
            self.spectra.truncate_after(iteration);
            self.seconds.truncate_after(iteration);
            return;
        };
        for bookmark in &mut self.bookmarks {
            if bookmark.iteration() <= iteration && bookmark.past.as_ref() == Some(taken) {
                bookmark.past = None;
            }
        }
        (self.curves, self.spectra, self.seconds) = self.known_up_to(iteration, Some(taken));
    }

    /// What is known of its way up to an iteration, or of one that it has left.
    pub(super) fn known_up_to(&self, iteration: i64, past: Option<&Past>) -> (Curves, Spectra, Seconds) {
        let (mut curves, mut spectra, mut seconds) = match past {
            Some(past) => {
                let mut curves = Curves::default();
                curves.take(&past.way.history);
                (curves, past.spectra.clone(), past.seconds.clone())
            }
            None => (self.curves.clone(), self.spectra.clone(), self.seconds.clone()),
        };
        curves.truncate_after(iteration);
        spectra.truncate_after(iteration);
        seconds.truncate_after(iteration);
        (curves, spectra, seconds)
    }
}

/// Gives a past to those bookmarks of the way that is left.
fn keep(bookmarks: &mut [Bookmark], past: &Arc<Past>, of: impl Fn(&Bookmark) -> bool) {
    for bookmark in bookmarks {
        if bookmark.past.is_none() && of(bookmark) {
            bookmark.past = Some(Arc::clone(past));
        }
    }
}

impl Session {
    /// Asks a run that is set back next for the way that it leaves, and for what else is kept of where it stands.
    pub(super) fn ask_way(&mut self, id: RunId, what: Ticket) {
        let ticket = self.number();
        self.with(id, |r| r.tickets.push((ticket, what)));
        self.tell(id, Command::Checkpoint { ticket, with_way: true });
    }
}
