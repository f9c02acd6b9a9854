//! Owns [`Processors`], a pool of threads as numerics sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::numerics::parallel::Workers;

/// Threads that help whoever calls [`Workers::run`]; the caller works too, so a pool of width n has n - 1
/// threads of its own and one job never crosses a thread.
///
/// Which thread takes which job is left to chance; numerics cuts work and adds up results independently of
/// it, so the number of threads changes no bit.
pub struct Processors {
    pool: Option<Arc<ThreadPool>>,
    width: usize,
    /// Time that helpers spent for this handle, in ns.
    helped: Arc<AtomicU64>,
}

impl Clone for Processors {
    fn clone(&self) -> Self {
        self.share()
    }
}

impl Processors {
    /// A pool of `width` threads, the caller's included (at least 1). Where the system refuses threads, the
    /// caller works alone.
    pub fn new(name: &'static str, width: usize) -> Self {
        let width = width.max(1);
        let pool = (width > 1)
            .then(|| {
                ThreadPoolBuilder::new()
                    .num_threads(width - 1)
                    .thread_name(move |i| format!("{name} {}", i + 1))
                    .build()
                    .ok()
            })
            .flatten()
            .map(Arc::new);
        let width = if pool.is_some() { width } else { 1 };
        Self { pool, width, helped: Arc::default() }
    }

    /// The same threads with an account of time of its own.
    pub fn share(&self) -> Self {
        Self { pool: self.pool.clone(), width: self.width, helped: Arc::default() }
    }

    /// The time that threads other than the caller's have worked through this handle.
    pub fn helped(&self) -> Duration {
        Duration::from_nanos(self.helped.load(Ordering::Relaxed))
    }
}

impl Workers for Processors {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        let helpers = self.width.min(n).saturating_sub(1);
        let (Some(pool), true) = (&self.pool, helpers > 0) else {
            (0..n).for_each(job);
            return;
        };
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= n {
                    break;
                }
                job(i);
            }
        };
        pool.in_place_scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|_| {
                    let start = Instant::now();
                    work();
                    self.helped.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
                });
            }
            work();
        });
    }

    fn width(&self) -> usize {
        self.width
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_job_is_done_once_on_any_number_of_threads() {
        for width in [1, 2, 3, 8] {
            let processors = Processors::new("test", width);
            for n in [0, 1, 2, 7, 100] {
                let seen = Mutex::new(vec![0; n]);
                processors.run(n, &|i| seen.lock().expect("no job panics")[i] += 1);
                assert!(seen.into_inner().expect("no job panics").iter().all(|&count| count == 1));
            }
        }
    }

    #[test]
    fn a_job_may_ask_for_workers_itself() {
        let processors = Processors::new("test", 2);
        let sum = AtomicUsize::new(0);
        processors.run(4, &|i| {
            processors.run(3, &|j| {
                sum.fetch_add(10 * i + j, Ordering::Relaxed);
            })
        });
        assert_eq!(sum.into_inner(), 3 * 60 + 4 * 3);
    }

    #[test]
    fn a_panic_in_a_job_reaches_the_caller() {
        let processors = Processors::new("test", 2);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            processors.run(8, &|i| assert!(i != 5, "job five"));
        }));
        assert!(caught.is_err());
        processors.run(2, &|_| {});
    }
}
