//! Owns [`Histogram`], how the values of a few groups are spread over common bins.

/// Bins over the common range.
const BINS: usize = 60;

/// Densities of a few groups of values.
///
/// ```
/// use basinscope::numerics::statistics::histogram::Histogram;
/// let histogram = Histogram::of(&[("a", &[0.0, 1.0, 1.0, f64::NAN])]);
/// let group = &histogram.groups[0];
/// assert_eq!((group.total, group.left_out, group.counts[0]), (3, 1, 1));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The lower edge of the first bin.
    pub low: f64,
    /// The width of each bin; positive.
    pub width: f64,
    /// In the order given.
    pub groups: Vec<Group>,
}

/// One group of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Values in each bin.
    pub counts: Vec<usize>,
    /// Finite values.
    pub total: usize,
    /// Values that are not finite: they are counted and left out.
    pub left_out: usize,
    /// Mean of the finite ones.
    pub mean: f64,
    /// Their sample standard deviation.
    pub sd: f64,
}

impl Histogram {
    /// Of these groups.
    pub fn of(groups: &[(&str, &[f64])]) -> Self {
        let finite =
            || groups.iter().flat_map(|(_, values)| values.iter().copied()).filter(|v| v.is_finite());
        let (low, high) =
            (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let (low, high) = if low < high { (low, high) } else { (low.min(0.0) - 0.5, low.max(0.0) + 0.5) };
        let (low, high) = if low.is_finite() { (low, high) } else { (-0.5, 0.5) };
        let width = (high - low) / BINS as f64;
        let groups = groups.iter().map(|(name, values)| Group::of(name, values, low, width)).collect();
        Self { low, width, groups }
    }

    /// The upper edge of a group's bars as (value, density); their area is 1.
    pub fn outline(&self, group: &Group) -> Vec<(f64, f64)> {
        let scale = 1.0 / (group.total.max(1) as f64 * self.width);
        let mut points = Vec::with_capacity(2 * BINS + 2);
        points.push((self.low, 0.0));
        for (i, count) in group.counts.iter().enumerate() {
            let (left, height) = (self.low + i as f64 * self.width, *count as f64 * scale);
            points.push((left, height));
            points.push((left + self.width, height));
        }
        points.push((self.low + BINS as f64 * self.width, 0.0));
        points
    }
}

impl Group {
    fn of(name: &str, values: &[f64], low: f64, width: f64) -> Self {
        let mut counts = vec![0; BINS];
        let (mut total, mut sum, mut squares) = (0usize, 0.0, 0.0);
        for value in values.iter().filter(|v| v.is_finite()) {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
            total += 1;
            sum += value;
        }
        let mean = sum / total as f64;
        for value in values.iter().filter(|v| v.is_finite()) {
            squares += (value - mean).powi(2);
        }
        let sd = (squares / (total.max(2) - 1) as f64).sqrt();
        Self { name: name.into(), counts, total, left_out: values.len() - total, mean, sd }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_one_bin_and_the_area_is_one() {
        let values: Vec<f64> = (0..997).map(|i| f64::from(i * i % 101) / 10.0).chain([f64::NAN]).collect();
        let histogram = Histogram::of(&[("a", &values)]);
        let group = &histogram.groups[0];
        assert_eq!((group.counts.iter().sum::<usize>(), group.total, group.left_out), (997, 997, 1));
        let area: f64 = group.counts.iter().map(|c| *c as f64 / 997.0).sum();
        assert!((area - 1.0).abs() < 1e-12);
        let outline = histogram.outline(group);
        let under: f64 = outline.windows(2).map(|w| (w[1].0 - w[0].0) * 0.5 * (w[0].1 + w[1].1)).sum();
        // Trapezes between vertical edges are rectangles.
        assert!((under - 1.0).abs() < 1e-9, "{under}");
    }

    #[test]
    fn constants_and_nothing_at_all_have_a_picture() {
        for values in [&[2.0, 2.0][..], &[], &[f64::INFINITY]] {
            let histogram = Histogram::of(&[("a", values)]);
            assert!(
                histogram.width > 0.0
                    && histogram.outline(&histogram.groups[0]).iter().all(|p| p.1.is_finite())
            );
        }
    }
}
