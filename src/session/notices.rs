//! Owns [`Notice`], what a session says to its user until it is dismissed.

use super::{RunId, Session};

/// A message to show until it is dismissed.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// For [`super::Action::Dismiss`].
    pub id: u64,
    /// One or two sentences.
    pub text: String,
    /// Whether something went wrong.
    pub is_error: bool,
    /// The run it is about.
    pub run: Option<RunId>,
    /// The run that was put aside, to be brought back by [`super::Action::BringBack`].
    pub brings_back: Option<RunId>,
    /// Whether it says that the run diverged: [`super::Action::RewindWithHalfRate`] is an answer to it.
    pub of_divergence: bool,
}

impl Session {
    /// Messages, oldest first.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// A message; one that says the same again takes the place of the first.
    pub(super) fn notice(&mut self, text: String, is_error: bool, run: Option<RunId>) {
        self.notices.retain(|n| n.text != text || n.run != run);
        let id = self.number();
        self.notices.push(Notice { id, text, is_error, run, brings_back: None, of_divergence: false });
    }

    /// The message that a run diverged.
    pub(super) fn notice_divergence(&mut self, text: String, run: RunId) {
        self.notice(text, true, Some(run));
        self.notices.last_mut().into_iter().for_each(|notice| notice.of_divergence = true);
    }
}
