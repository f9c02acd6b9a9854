//! Owns [`Past`], what is known of a run's way to states that it has left: whoever goes back to one finds its curves
//! again, on the screen and in files.

use std::sync::Arc;

use super::curves::Curves;
use super::runs::{Bookmark, RunEntry, RunId, Ticket};
use super::seconds::Seconds;
use super::spectra::Spectra;
use super::{Session, starting};
use crate::engine::messages::{Command, Way};
use crate::training::history::History;

/// Values of a way that is kept, at most; of a longer one, as of one of a session before, the curves begin anew where
/// it is gone back to (`[own]`, 32 MB).
const MOST: usize = 1 << 21;

/// The way of a run up to where it was set back.
#[derive(Clone, Debug)]
pub struct Past {
    /// Curves and path, whole.
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
    /// Of a way that is not kept.
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
    /// The way that the run is on ends at `iteration`: the bookmarks that lie on it keep it.
    pub(super) fn leaves(&mut self, way: Arc<Way>, iteration: i64) {
        self.leave(way, iteration, (self.seconds.clone(), self.spectra.clone()));
    }

    fn leave(&mut self, way: Arc<Way>, iteration: i64, (seconds, spectra): (Seconds, Spectra)) {
        let is_long = way.history.all().map(|(_, values)| values.len()).sum::<usize>() > MOST;
        let past = match is_long {
            true => Past::unknown(),
            false => Arc::new(Past { way, seconds, spectra }),
        };
        let on_it = |b: &&mut Bookmark| b.past.is_none() && b.iteration() <= iteration;
        self.bookmarks.iter_mut().filter(on_it).for_each(|b| b.past = Some(Arc::clone(&past)));
    }

    /// Takes the bookmarks of the run that it was before it began anew, each with the way that led there: its own
    /// may become another.
    pub(super) fn inherits(&mut self, before: &mut RunEntry) {
        while before.read(usize::MAX) {}
        let way = Way { history: before.curves.to_history(), trajectory: Arc::default() };
        self.bookmarks.clone_from(&before.bookmarks);
        self.leave(Arc::new(way), i64::MAX, (before.seconds.clone(), before.spectra.clone()));
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

impl Session {
    /// Asks a run that is set back next for the way that it leaves; `with` the bookmark of where it stands.
    pub(super) fn ask_way(&mut self, id: RunId, what: Ticket) {
        let ticket = self.number();
        self.with(id, |r| r.tickets.push((ticket, what)));
        self.tell(id, Command::Checkpoint { ticket, with_way: true });
    }
}
