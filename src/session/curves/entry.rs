//! Owns [`Point`], a value of a curve, and [`Entry`], several of them in one.

/// A value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Updates made.
    pub iteration: i64,
    /// May be NaN or infinite.
    pub value: f64,
}

/// Several values in one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// First and last iteration.
    pub first: i64,
    /// Last iteration.
    pub last: i64,
    /// The smallest and the largest finite value, where there is one.
    pub ends: Option<(Point, Point)>,
    /// Sum of the finite values.
    pub sum: f64,
    /// How many are finite.
    pub finite: u64,
    /// How many are not.
    pub not_finite: u64,
    /// How many of the finite are 0 or negative: what a log axis cannot show.
    pub not_positive: u64,
}

impl Entry {
    pub(super) fn of(p: Point) -> Self {
        let finite = p.value.is_finite();
        Self {
            first: p.iteration,
            last: p.iteration,
            ends: finite.then_some((p, p)),
            sum: if finite { p.value } else { 0.0 },
            finite: u64::from(finite),
            not_finite: u64::from(!finite),
            not_positive: u64::from(finite && p.value <= 0.0),
        }
    }

    /// Takes in what comes next.
    pub(super) fn add(&mut self, next: Entry) {
        self.last = next.last;
        self.ends = match (self.ends, next.ends) {
            (Some((a, b)), Some((c, d))) => {
                Some((if c.value < a.value { c } else { a }, if d.value > b.value { d } else { b }))
            }
            (ends, None) | (None, ends) => ends,
        };
        self.sum += next.sum;
        self.finite += next.finite;
        self.not_finite += next.not_finite;
        self.not_positive += next.not_positive;
    }

    /// Mean of the finite values.
    pub fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.sum / self.finite as f64)
    }
}

/// All of them in one; `None` of none.
pub(super) fn sum(mut entries: impl Iterator<Item = Entry>) -> Option<Entry> {
    let mut all = entries.next()?;
    entries.for_each(|e| all.add(e));
    Some(all)
}
