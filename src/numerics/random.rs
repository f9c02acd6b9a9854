//! Owns the random streams: one seed, one independent generator per purpose.
//!
//! Changing the rule, or switching a measure on, must change no other number. So weights, training
//! trials, test trials, probe batch and measures never share a generator.

use ndarray::{ArrayBase, DataMut, Dimension};
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use super::scalar::Scalar;

/// What a stream is for. The number is part of the stream's seed and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u64)]
pub enum Purpose {
    /// Initial weights.
    Weights = 1,
    /// Training trials.
    Training = 2,
    /// Test trials.
    Test = 3,
    /// The fixed probe batch.
    Probe = 4,
    /// Random vectors of measures (Lanczos starts, Hutchinson probes, Q_0, slice directions).
    Measures = 5,
    /// RFLO's fixed feedback weights.
    Feedback = 6,
    /// What a task fixes once (for example the input of `pattern`).
    Task = 7,
    /// Trials that flossing sees.
    Flossing = 8,
}

/// A generator (PCG XSL RR 128/64) whose numbers are the same on every platform and in every version,
/// and whose position can be stored and taken up again (serde).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream(Pcg64);

impl Stream {
    /// The stream of `seed` for `purpose`.
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        Self::numbered(seed, purpose, 0)
    }

    /// The `number`-th of a family of streams of `seed` for `purpose`, so that, for example, two measures
    /// draw from streams of their own.
    pub fn numbered(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut state = seed;
        let mut key = [0u8; 32];
        for (i, word) in key.chunks_exact_mut(8).enumerate() {
            let salt = match i {
                0 => 0,
                1 => purpose as u64,
                2 => number,
                _ => 0x0062_6173_696e_7363,
            };
            state = split_mix(state ^ split_mix(salt));
            word.copy_from_slice(&state.to_le_bytes());
        }
        Self(Pcg64::from_seed(key))
    }

    /// One number from U[0, 1).
    pub fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// One number from U[low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One number from N(0, 1).
    pub fn normal(&mut self) -> f64 {
        self.0.sample(StandardNormal)
    }

    /// One index from 0..n, all equally likely. `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    /// Fills an array with N(0, sd^2), drawn in f64 whatever the precision.
    pub fn fill_normal<T, S, D>(&mut self, array: &mut ArrayBase<S, D>, sd: f64)
    where
        T: Scalar,
        S: DataMut<Elem = T>,
        D: Dimension,
    {
        array.map_inplace(|v| *v = T::of(sd * self.normal()));
    }

    /// Fills an array with U(-limit, limit), drawn in f64 whatever the precision.
    pub fn fill_uniform<T, S, D>(&mut self, array: &mut ArrayBase<S, D>, limit: f64)
    where
        T: Scalar,
        S: DataMut<Elem = T>,
        D: Dimension,
    {
        array.map_inplace(|v| *v = T::of(self.uniform(-limit, limit)));
    }

    /// The generator itself, for distributions of `rand_distr`.
    pub fn rng(&mut self) -> &mut (impl Rng + use<>) {
        &mut self.0
    }
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014): spreads neighbouring seeds apart.
fn split_mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_by_purpose_and_number() {
        let first = |s: &mut Stream| s.unit();
        let a = first(&mut Stream::new(1, Purpose::Weights));
        assert_eq!(a, first(&mut Stream::new(1, Purpose::Weights)));
        assert_ne!(a, first(&mut Stream::new(1, Purpose::Training)));
        assert_ne!(a, first(&mut Stream::new(2, Purpose::Weights)));
        assert_ne!(a, first(&mut Stream::numbered(1, Purpose::Weights, 1)));
    }

    #[test]
    fn a_stored_position_is_taken_up_again() {
        let mut stream = Stream::new(3, Purpose::Test);
        stream.normal();
        let text = serde_json::to_string(&stream).expect("a stream can be written");
        let mut again: Stream = serde_json::from_str(&text).expect("and read");
        assert_eq!(stream.normal(), again.normal());
    }

    #[test]
    fn the_first_numbers_never_change() {
        let mut stream = Stream::new(1, Purpose::Weights);
        let drawn = [stream.unit(), stream.unit(), stream.normal()];
        let expected = [0.4573371938207941, 0.46931827104581936, 0.789936668397825];
        assert_eq!(drawn, expected);
    }
}
