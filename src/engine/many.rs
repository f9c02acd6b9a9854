//! Owns [`many`]: many jobs, as many at once as asked, each on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use super::panic_message;
use super::pool::Processors;
use crate::numerics::parallel::Workers;

/// Time between two calls of `meanwhile`.
const PICTURES: Duration = Duration::from_millis(100);

/// Does job 0, 1, ... `n` - 1, in this order, `at_once` at a time; each has `threads` threads for itself.
///
/// `job` gives `false` where no further job should begin. The caller's thread calls `meanwhile` ten times a
/// second, and once more at the end. A job that panics loses that job alone: its number and what it said are
/// given back.
pub fn many(
    n: usize,
    at_once: usize,
    threads: usize,
    job: &(dyn Fn(usize, &dyn Workers) -> bool + Sync),
    meanwhile: &mut dyn FnMut(),
) -> Vec<(usize, String)> {
    let next = AtomicUsize::new(0);
    let at_once = at_once.clamp(1, n.max(1));
    let (report, reports) = bounded::<(usize, String)>(n.max(1));
    let mut lost = Vec::new();
    let work = |report: crossbeam_channel::Sender<(usize, String)>| {
        let workers = Processors::new("run", threads);
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= n {
                break;
            }
            match catch_unwind(AssertUnwindSafe(|| job(i, &workers))) {
                Ok(true) => {}
                Ok(false) => next.store(n, Ordering::Relaxed),
                Err(payload) => {
                    if report.send((i, panic_message(&*payload))).is_err() {
                        break;
                    }
                }
            }
        }
    };
    thread::scope(|scope| {
        let mut started = 0;
        for k in 0..at_once {
            let (work, report) = (&work, report.clone());
            let spawned = thread::Builder::new()
                .name(format!("job {}", k + 1))
                .spawn_scoped(scope, move || work(report));
            started += usize::from(spawned.is_ok());
        }
        if started == 0 {
            // Where the system refuses threads, the caller works alone.
            work(report);
        } else {
            drop(report);
        }
        loop {
            match reports.recv_timeout(PICTURES) {
                Ok(end) => lost.push(end),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            meanwhile();
        }
    });
    meanwhile();
    lost.sort();
    lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_job_is_done_once_whatever_the_numbers() {
        for (n, at_once) in [(0, 3), (1, 8), (7, 2), (20, 1), (5, 5)] {
            let done = Mutex::new(vec![0; n]);
            let job = |i: usize, _: &dyn Workers| {
                done.lock().expect("no job panics")[i] += 1;
                true
            };
            assert_eq!(many(n, at_once, 1, &job, &mut || {}), []);
            assert!(done.into_inner().expect("no job panics").iter().all(|&count| count == 1));
        }
    }

    #[test]
    fn a_panic_loses_its_job_alone() {
        let done = AtomicUsize::new(0);
        let job = |i: usize, _: &dyn Workers| {
            assert!(i % 3 != 1, "job {i}");
            done.fetch_add(1, Ordering::Relaxed);
            true
        };
        let lost = many(7, 2, 1, &job, &mut || {});
        assert_eq!(lost.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [1, 4]);
        assert!(lost[0].1.contains("job 1"));
        assert_eq!(done.into_inner(), 5);
    }

    #[test]
    fn a_job_can_end_the_rest() {
        let done = AtomicUsize::new(0);
        let job = |i: usize, _: &dyn Workers| {
            done.fetch_add(1, Ordering::Relaxed);
            i < 2
        };
        many(100, 1, 1, &job, &mut || {});
        assert_eq!(done.into_inner(), 3);
    }
}
