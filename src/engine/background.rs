//! Owns [`Background`], a thread that does the newest of the jobs it is given, and [`Explorer`], the same with
//! results: what a user explores with the mouse, where an answer to an old question is of no use.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::latest::{Slot, slot};
use super::panic_message;
use super::repaint::Repaint;
pub use crate::numerics::parallel::KeepOn;

type Work = Box<dyn FnOnce(KeepOn<'_>) + Send>;
type Failed = Box<dyn FnOnce(String) + Send>;

struct Job {
    number: u64,
    work: Work,
    failed: Failed,
}

/// A named thread for one job at a time. A new job takes the place of one that waits, and the one that is being
/// done is told to stop. Dropping it does the same and ends the thread.
pub struct Background {
    jobs: Slot<Job>,
    newest: Arc<AtomicU64>,
}

/// More than any number of a job.
const CLOSED: u64 = u64::MAX;

impl Background {
    /// Starts the thread; it sleeps until there is a job. Where the system refuses a thread no job is ever done.
    pub fn start(name: &str) -> Self {
        let (jobs, receiver) = slot::<Job>();
        let newest = Arc::new(AtomicU64::new(0));
        let wanted = Arc::clone(&newest);
        let body = move || {
            while let Ok(Job { number, work, failed }) = receiver.recv() {
                let keep_on = || wanted.load(Ordering::Relaxed) == number;
                if keep_on()
                    && let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(&keep_on)))
                {
                    failed(panic_message(payload.as_ref()));
                }
            }
        };
        let _ = std::thread::Builder::new().name(name.into()).spawn(body);
        Self { jobs, newest }
    }

    /// Gives it a job, never waiting; `failed` is called with the message where the job panics.
    pub fn ask(
        &self,
        work: impl FnOnce(KeepOn<'_>) + Send + 'static,
        failed: impl FnOnce(String) + Send + 'static,
    ) {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        self.jobs.put(Job { number, work: Box::new(work), failed: Box::new(failed) }, |_, new| new);
    }

    /// Tells the job that is being done to stop, and forgets one that waits.
    pub fn cancel(&self) {
        self.newest.fetch_add(1, Ordering::Relaxed);
        drop(self.jobs.take_back());
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.newest.store(CLOSED, Ordering::Relaxed);
    }
}

/// What a job says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// A result, perhaps one of several.
    Result(T),
    /// The job is done.
    Done,
    /// The job panicked; the message.
    Failed(String),
}

/// Room for answers: a job that is further ahead of the screen waits.
const ANSWERS: usize = 64;

/// A background thread whose answers come back, those to old questions left out.
pub struct Explorer<T> {
    background: Background,
    sender: Sender<(u64, Answer<T>)>,
    answers: Receiver<(u64, Answer<T>)>,
    asked: u64,
    busy: bool,
    repaint: Repaint,
}

impl<T: Send + 'static> Explorer<T> {
    /// Starts the thread.
    pub fn start(name: &str, repaint: Repaint) -> Self {
        let (sender, answers) = bounded(ANSWERS);
        Self { background: Background::start(name), sender, answers, asked: 0, busy: false, repaint }
    }

    /// Asks something new; what was asked before is not answered any more. The job says what it finds by
    /// `tell`, as often as it likes.
    pub fn ask(&mut self, job: impl FnOnce(&dyn Fn(T), KeepOn<'_>) + Send + 'static) {
        self.forget();
        self.asked += 1;
        self.busy = true;
        let (number, sender, repaint) = (self.asked, self.sender.clone(), self.repaint.clone());
        let (panicked, heard) = (sender.clone(), repaint.clone());
        let work = move |keep_on: KeepOn<'_>| {
            let tell = |result| {
                let mut answer = (number, Answer::Result(result));
                // Waits for room, but not for a screen that no longer wants to know.
                while keep_on() {
                    match sender.send_timeout(answer, super::repaint::FRAME) {
                        Ok(()) => return repaint.now(),
                        Err(crossbeam_channel::SendTimeoutError::Timeout(back)) => answer = back,
                        Err(crossbeam_channel::SendTimeoutError::Disconnected(_)) => return,
                    }
                }
            };
            job(&tell, keep_on);
            if keep_on() {
                let _ = sender.send((number, Answer::Done));
                repaint.now();
            }
        };
        self.background.ask(work, move |message| {
            let _ = panicked.send((number, Answer::Failed(message)));
            heard.now();
        });
    }

    /// The next answer to the newest question, if one has arrived.
    pub fn answer(&mut self) -> Option<Answer<T>> {
        while let Ok((number, answer)) = self.answers.try_recv() {
            if number == self.asked {
                self.busy = matches!(answer, Answer::Result(_));
                return Some(answer);
            }
        }
        None
    }

    /// Whether the newest question is still being answered.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Stops and forgets what was asked.
    pub fn forget(&mut self) {
        self.background.cancel();
        self.asked += 1;
        self.busy = false;
        while self.answers.try_recv().is_ok() {}
    }
}
