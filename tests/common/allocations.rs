//! Counts what the calling thread allocates. A test file takes part in it by
//! `#[path = "common/allocations.rs"] mod allocations;`.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn note(change: isize, call: bool) {
    // A thread that is ending has no counters any more, and is not counted.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + usize::from(call)));
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// Every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize, true);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize, true);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // For a moment both may be held.
        note(size as isize, true);
        let moved = unsafe { System.realloc(at, layout, size) };
        note(-(layout.size() as isize), false);
        moved
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note(-(layout.size() as isize), false);
        unsafe { System.dealloc(at, layout) }
    }
}

/// Calls `f` and counts its allocations on this thread.
pub fn calls<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let before = CALLS.get();
    let result = f();
    (result, CALLS.get() - before)
}

/// Calls `f` and gives the most bytes that it held at a time on this thread.
pub fn peak<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let result = f();
    (result, (PEAK.get() - before).max(0) as usize)
}
