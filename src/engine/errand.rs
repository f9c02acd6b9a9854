//! Owns [`Reply`] and [`Asked`], a question across threads with one answer, and [`errand`], a job on a thread of
//! its own whose result is fetched later.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use super::panic_message;
use super::repaint::Repaint;

/// The end that answers.
#[derive(Clone, Debug)]
pub struct Reply<T>(Sender<T>);

/// The end that asked.
#[derive(Debug)]
pub struct Asked<T>(Receiver<T>);

/// A question: hand the reply to whoever answers.
pub fn question<T>() -> (Reply<T>, Asked<T>) {
    let (sender, receiver) = bounded(1);
    (Reply(sender), Asked(receiver))
}

impl<T> Reply<T> {
    /// Answers; who asked may be gone.
    pub fn answer(self, answer: T) {
        let _ = self.0.try_send(answer);
    }
}

impl<T> Asked<T> {
    /// Waits for the answer; `None` where there will be none, or not in time.
    pub fn wait(&self, timeout: Duration) -> Option<T> {
        self.0.recv_timeout(timeout).ok()
    }

    /// The answer, if it has come; an error where there will be none.
    ///
    /// # Errors
    /// Whoever was asked is gone.
    pub fn try_take(&self) -> Result<Option<T>, Gone> {
        match self.0.try_recv() {
            Ok(answer) => Ok(Some(answer)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }
}

/// Whoever was asked is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Does a job on a thread of its own; the result is what it gives, or the message of its panic. Where the
/// system refuses a thread there will be no answer.
pub(super) fn errand<T: Send + 'static>(
    name: &str,
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
    repaint: Repaint,
) -> Asked<Result<T, String>> {
    let (reply, asked) = question();
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(job));
        reply.answer(outcome.unwrap_or_else(|payload| Err(panic_message(payload.as_ref()))));
        repaint.now();
    };
    let _ = std::thread::Builder::new().name(name.into()).spawn(body);
    asked
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn an_errand_gives_its_result_or_its_panic() {
        let repaint = Repaint::new(Arc::new(|| {}));
        let long = Duration::from_secs(60);
        assert_eq!(errand("e", || Ok(7), repaint.clone()).wait(long), Some(Ok(7)));
        let failed = errand::<()>("e", || panic!("on the way"), repaint).wait(long);
        assert!(failed.is_some_and(|f| f.is_err_and(|m| m.contains("on the way"))));
    }

    #[test]
    fn a_dropped_reply_is_no_answer() {
        let (reply, asked) = question::<i32>();
        assert_eq!(asked.try_take(), Ok(None));
        drop(reply);
        assert_eq!(asked.try_take(), Err(Gone));
        assert_eq!(asked.wait(Duration::from_secs(60)), None);
    }
}
