//! Owns [`Subset`], drawing some of many without replacement.

use std::sync::{Mutex, PoisonError};

use crate::numerics::random::Stream;

/// Draws `size` different indices out of `0..of`, all subsets equally likely.
///
/// Floyd's algorithm (Bentley and Floyd 1987): `size` random numbers, no memory of the size of `of`.
#[derive(Debug)]
pub(super) struct Subset {
    size: usize,
    of: usize,
    /// The indices of the draw under way; kept only so that a draw allocates nothing.
    chosen: Mutex<Vec<u32>>,
}

impl Subset {
    /// `size` is cut to `of`; `of` is below 2^32.
    pub(super) fn new(size: usize, of: usize) -> Self {
        let size = size.min(of);
        Self { size, of, chosen: Mutex::new(Vec::with_capacity(size)) }
    }

    /// How many are drawn.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Draws, and calls `take(place, index)` for each index, place being 0, 1, ... All of them, in their
    /// order and without a random number, where `size` is `of`.
    pub(super) fn draw(&self, stream: &mut Stream, mut take: impl FnMut(usize, usize)) {
        if self.size == self.of {
            (0..self.size).for_each(|i| take(i, i));
            return;
        }
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        chosen.clear();
        for last in self.of - self.size..self.of {
            let drawn = stream.below(last + 1) as u32;
            let index = if chosen.contains(&drawn) { last as u32 } else { drawn };
            take(chosen.len(), index as usize);
            chosen.push(index);
        }
    }
}
