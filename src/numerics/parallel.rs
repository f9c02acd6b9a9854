//! Owns [`Workers`], how numerics lets others lend it processors without knowing about threads.
//!
//! Work is always cut in the same pieces, each with buffers and results of its own, and results are added
//! up in the order of the pieces: the number of threads changes no bit.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Trials in one chunk: how every batch is cut. 32 rows keep a product busy and a chunk's activity near the
/// processor (`[own]`).
pub const CHUNK_TRIALS: usize = 32;

/// The chunks of a batch as (first trial, number of trials).
pub fn chunks(n_batch: usize) -> impl ExactSizeIterator<Item = (usize, usize)> {
    (0..n_batch.div_ceil(CHUNK_TRIALS)).map(move |i| {
        let first = i * CHUNK_TRIALS;
        (first, CHUNK_TRIALS.min(n_batch - first))
    })
}

/// Something that runs `n` independent jobs, in any order, on any number of threads.
pub trait Workers: Send + Sync {
    /// Calls `job(0)`, ..., `job(n - 1)`, each once, and returns when all are done.
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync));

    /// How many jobs may run at the same time.
    fn width(&self) -> usize;
}

/// Asked now and then: whether the result is still wanted. Once it says no it says no for good.
pub type KeepOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// Other workers for as long as the result is wanted: a job that has not begun by then is left out. Whoever uses
/// them asks afterwards, and throws away what was found in vain.
///
/// ```
/// use basinscope::numerics::parallel::{Serial, WhileWanted, Workers};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let done = AtomicUsize::new(0);
/// let keep_on = || done.load(Ordering::Relaxed) < 3;
/// let workers = WhileWanted { workers: &Serial, keep_on: &keep_on };
/// workers.run(10, &|_| _ = done.fetch_add(1, Ordering::Relaxed));
/// assert_eq!(done.into_inner(), 3);
/// ```
#[derive(Clone, Copy)]
pub struct WhileWanted<'a> {
    /// Who does the work.
    pub workers: &'a dyn Workers,
    /// Whether it is still wanted.
    pub keep_on: KeepOn<'a>,
}

impl Workers for WhileWanted<'_> {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        self.workers.run(n, &|i| {
            if (self.keep_on)() {
                job(i);
            }
        });
    }

    fn width(&self) -> usize {
        self.workers.width()
    }
}

/// One thread: the caller's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Workers for Serial {
    fn run(&self, n: usize, job: &(dyn Fn(usize) + Sync)) {
        (0..n).for_each(job);
    }

    fn width(&self) -> usize {
        1
    }
}

/// Buffers that jobs borrow while they run: as many as can run at once, however many jobs there are.
#[derive(Debug)]
pub struct Pool<B> {
    buffers: Vec<Mutex<B>>,
}

impl<B> Default for Pool<B> {
    fn default() -> Self {
        Self { buffers: Vec::new() }
    }
}

impl<B: Send> Pool<B> {
    /// Makes sure of `width` buffers.
    pub fn grow(&mut self, width: usize, mut make: impl FnMut() -> B) {
        while self.buffers.len() < width.max(1) {
            self.buffers.push(Mutex::new(make()));
        }
    }

    /// A free buffer. There is one as long as no more jobs run at once than [`Pool::grow`] was told.
    pub fn borrow(&self) -> MutexGuard<'_, B> {
        loop {
            for buffer in &self.buffers {
                if let Ok(guard) = buffer.try_lock() {
                    return guard;
                }
            }
            std::hint::spin_loop();
        }
    }
}

/// Calls `f(i, item)` for every item, each by one thread only.
pub fn for_each<T: Send>(workers: &dyn Workers, items: &mut [Mutex<T>], f: impl Fn(usize, &mut T) + Sync) {
    let items = &*items;
    workers.run(items.len(), &|i| {
        // Each item is visited once, so the lock is free; a poisoned one belongs to a run that ends anyway.
        let mut item = items[i].lock().unwrap_or_else(PoisonError::into_inner);
        f(i, &mut item);
    });
}
