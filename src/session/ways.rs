//! Owns [`Past`], what is known of a run's way to states that it has left: whoever goes back to one finds its curves
//! again, on the screen and in files.

use std::sync::Arc;

use super::curves::Curves;
use super::runs::{Bookmark, RunEntry, RunId, Ticket};
use super::seconds::Seconds;
use super::spectra::Spectra;
use super::{Session, starting};
use crate::engine::messages::{Command, Way};

/// Values of a way that is kept, at most; of a longer one the curves begin anew where it is gone back to (`[own]`,
/// 32 MB).
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
    /// For a worker that begins at a state of it.
    pub(super) fn earlier(&self) -> starting::Earlier {
        let way = Arc::clone(&self.way);
        Box::new(move || (way.history.clone(), (*way.trajectory).clone()))
    }
}

impl RunEntry {
    /// The way that the run is on ends at `iteration`: the bookmarks that lie on it keep it.
    pub(super) fn leaves(&mut self, way: Arc<Way>, iteration: i64) {
        if way.history.all().map(|(_, values)| values.len()).sum::<usize>() > MOST {
            return;
        }
        let past = Arc::new(Past { way, seconds: self.seconds.clone(), spectra: self.spectra.clone() });
        let on_it = |b: &&mut Bookmark| b.past.is_none() && b.iteration() <= iteration;
        self.bookmarks.iter_mut().filter(on_it).for_each(|b| b.past = Some(Arc::clone(&past)));
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
