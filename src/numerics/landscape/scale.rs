//! Owns [`LossScale`], the range of losses that a picture resolves, and its levels.

/// A logarithmic range of losses that a few enormous or infinite ones do not spoil.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossScale {
    /// The smallest positive loss, but no less than [`LossScale::DEEPEST`] times `high`.
    pub low: f64,
    /// The largest finite loss, but no more than the larger of [`LossScale::OF_MEDIAN`] medians and
    /// [`LossScale::OF_UPPER`] upper quartiles of the positive losses: what is above counts as enormous.
    pub high: f64,
    /// Finite losses above `high`.
    pub n_enormous: usize,
    /// Losses that are infinite or NaN.
    pub n_not_finite: usize,
}

impl LossScale {
    /// What makes a loss enormous, in medians and in upper quartiles (`[own]`: a steep corner of a slice neither
    /// hides the rest nor is a wall of more than a quarter of it left out).
    pub const OF_MEDIAN: f64 = 100.0;
    /// See [`LossScale::OF_MEDIAN`].
    pub const OF_UPPER: f64 = 10.0;
    /// The largest ratio of low to high (`[own]`).
    pub const DEEPEST: f64 = 1e-8;

    /// The scale of these losses; `None` where none is positive and finite.
    pub fn of(losses: &[f64]) -> Option<Self> {
        let mut positive: Vec<f64> = losses.iter().copied().filter(|l| l.is_finite() && *l > 0.0).collect();
        positive.sort_by(f64::total_cmp);
        let (smallest, largest) = (*positive.first()?, *positive.last()?);
        let quantile = |quarters: usize| positive[quarters * positive.len() / 4];
        let enormous = (Self::OF_MEDIAN * quantile(2)).max(Self::OF_UPPER * quantile(3));
        let high = largest.min(enormous);
        Some(Self {
            low: smallest.max(Self::DEEPEST * high),
            high,
            n_enormous: positive.iter().filter(|l| **l > high).count(),
            n_not_finite: losses.iter().filter(|l| !l.is_finite()).count(),
        })
    }

    /// Where `loss` stands on the scale: 0 at `low` and below, 1 at `high` and above, logarithmic between;
    /// `None` where it is NaN.
    ///
    /// ```
    /// use basinscope::numerics::landscape::scale::LossScale;
    /// let scale = LossScale::of(&[0.01, 0.1, 1.0]).ok_or("positive losses")?;
    /// assert_eq!([0.0, 0.1, f64::INFINITY].map(|l| scale.place(l)), [Some(0.0), Some(0.5), Some(1.0)]);
    /// assert_eq!(scale.place(f64::NAN), None);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn place(&self, loss: f64) -> Option<f64> {
        if loss.is_nan() {
            return None;
        }
        if loss <= self.low || self.low >= self.high {
            return Some(if loss > self.high { 1.0 } else { 0.0 });
        }
        Some(((loss / self.low).ln() / (self.high / self.low).ln()).min(1.0))
    }

    /// Up to about `n` levels inside the scale, evenly spaced in the logarithm as far as round numbers are: from
    /// the densest of the series 1; 1, 3; 1, 2, 5; ... in each decade that has no more than `n`. Where that gives
    /// fewer than three (the scale spans little), `n` levels with one ratio from each to the next.
    pub fn levels(&self, n: usize) -> Vec<f64> {
        const SERIES: [&[f64]; 5] = [
            &[1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0],
            &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 3.0],
            &[1.0],
        ];
        if !(self.low < self.high) || n == 0 {
            return Vec::new();
        }
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let is_inside = |level: &f64| *level > self.low && *level < self.high;
        for series in SERIES {
            let power = |decade: i32| 10f64.powi(decade);
            let in_decade = |decade: i32| series.iter().map(move |mantissa| mantissa * power(decade));
            let levels: Vec<f64> = decades.clone().flat_map(in_decade).filter(is_inside).collect();
            if levels.len() <= n {
                if levels.len() >= 3.min(n) {
                    return levels;
                }
                break;
            }
        }
        let ratio = self.high / self.low;
        (1..=n).map(|k| self.low * ratio.powf(k as f64 / (n + 1) as f64)).collect()
    }
}
