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

    /// Whether that is all of them.
    pub(super) fn is_all(&self) -> bool {
        self.size == self.of
    }

    /// Draws, and calls `take` with the indices. All of them, in their order and without a random number, where
    /// `size` is `of`.
    pub(super) fn draw(&self, stream: &mut Stream, take: impl FnOnce(&[u32])) {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        chosen.clear();
        if self.is_all() {
            chosen.extend(0..self.size as u32);
        } else {
            for last in self.of - self.size..self.of {
                let drawn = stream.below(last + 1) as u32;
                let index = if chosen.contains(&drawn) { last as u32 } else { drawn };
                chosen.push(index);
            }
        }
        take(&chosen);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::numerics::random::Purpose;

    #[test]
    fn every_subset_is_equally_likely() {
        let (subset, n) = (Subset::new(3, 5), 20_000);
        let mut stream = Stream::new(1, Purpose::Training);
        let mut counts: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        for _ in 0..n {
            let mut drawn: Vec<u32> = Vec::new();
            subset.draw(&mut stream, |indices| drawn.extend(indices));
            drawn.sort_unstable();
            *counts.entry(drawn).or_default() += 1.0;
        }
        // Ten subsets of three out of five, 2,000 each, with a standard deviation of 42.
        assert_eq!(counts.len(), 10, "{counts:?}");
        assert!(counts.values().all(|c| (c - 2000.0).abs() < 5.0 * 42.4), "{counts:?}");
    }

    #[test]
    fn all_of_them_need_no_random_number() {
        let mut stream = Stream::new(1, Purpose::Training);
        let before = stream.clone();
        let mut drawn: Vec<u32> = Vec::new();
        Subset::new(9, 4).draw(&mut stream, |indices| drawn.extend(indices));
        assert_eq!(drawn, [0, 1, 2, 3]);
        assert_eq!(stream, before);
    }
}
