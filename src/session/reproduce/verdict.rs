//! Owns [`Verdict`]: whether a claim shows up in the runs made, in words and numbers.

use std::fmt;

use super::cells::Cell;
use super::spec::{Claim, Claimed, Side, Spec};
use super::values::values;
use crate::files::figure::number::significant;
use crate::numerics::statistics::bootstrap::mean_interval;
use crate::numerics::statistics::correlation::{pearson, spearman};
use crate::numerics::statistics::{mean_and_sd, median, paired};

/// Whether a claim was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The 95 % bootstrap interval of the effect lies on the claim's side of none (and, with fewer than six pairs,
    /// Student's paired test has p < 0.05 too).
    Seen,
    /// It lies on the other side, or outside the margin of what counts as alike: the reverse was seen.
    NotSeen,
    /// It holds none, or there are too few runs.
    NotDecided,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Seen => "seen",
            Verdict::NotSeen => "not seen, but its reverse",
            Verdict::NotDecided => "not decided at this number of seeds",
        })
    }
}

/// A claim about one case, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The claim.
    pub text: String,
    /// The case.
    pub case: String,
    /// Whether it was seen.
    pub verdict: Verdict,
    /// Effect and interval.
    pub effect: String,
    /// How many runs say so, and how surely.
    pub more: String,
}

impl Judged {
    /// Effect, interval, and how many runs say so.
    pub fn numbers(&self) -> String {
        if self.more.is_empty() { self.effect.clone() } else { format!("{}, {}", self.effect, self.more) }
    }
}

/// Pairs below which likeness is not decided: the interval of fewer is too narrow (`[own]`, P1's number of runs).
const LEAST_PAIRS: usize = 5;

/// A verdict with the effect and what else is to be said.
type Finding = (Verdict, String, String);

/// Judges every claim for every case of the figure that it is about.
pub fn judge(spec: &Spec, cells: &[Cell]) -> Vec<Judged> {
    let mut all = Vec::new();
    for claim in &spec.claims {
        for (case, about) in spec.cases.iter().enumerate() {
            if (claim.cases.is_empty() || claim.cases.contains(&about.id)) && spec.has_runs_for(claim) {
                all.push(judge_one(spec, cells, claim, case));
            }
        }
    }
    all
}

fn judge_one(spec: &Spec, cells: &[Cell], claim: &Claim, case: usize) -> Judged {
    let (verdict, effect, more) = match &claim.what {
        Claimed::Larger { more, less, ratio } => {
            let of = |side: &Side| side_values(spec, cells, case, side);
            larger(&of(more), &of(less), *ratio, spec.seeds_of(&spec.cases[case]) as usize)
        }
        Claimed::Alike { one, other, ratio, within } => {
            let of = |side: &Side| side_values(spec, cells, case, side);
            alike(&of(one), &of(other), (*ratio, *within), spec.seeds_of(&spec.cases[case]) as usize)
        }
        Claimed::Varies { more, less } => {
            let of = |side: &Side| side_values(spec, cells, case, side);
            varies(&of(more), &of(less), spec.seeds_of(&spec.cases[case]) as usize)
        }
        Claimed::RiseTogether { x, y, arms } => {
            let pairs = together(spec, cells, case, (x, y), arms);
            rise_together(&pairs)
        }
    };
    Judged { text: claim.text.clone(), case: spec.cases[case].name.clone(), verdict, effect, more }
}

/// (seed, value) of one side.
fn side_values(spec: &Spec, cells: &[Cell], case: usize, side: &Side) -> Vec<(u64, f64)> {
    let cell = cells
        .iter()
        .find(|c| c.case == case && Some(c.arm) == spec.arm(&side.arm) && c.across == side.across);
    let quantity = spec.quantity(&side.quantity);
    cell.zip(quantity).map_or_else(Vec::new, |(cell, quantity)| values(spec, cells, cell, quantity))
}

/// Both quantities of all runs of some arms.
pub fn together(
    spec: &Spec,
    cells: &[Cell],
    case: usize,
    (x, y): (&str, &str),
    arms: &[String],
) -> Vec<(f64, f64)> {
    let (Some(x), Some(y)) = (spec.quantity(x), spec.quantity(y)) else { return Vec::new() };
    let chosen = cells.iter().filter(|c| c.case == case && arms.contains(&spec.arms[c.arm].id));
    chosen
        .flat_map(|cell| {
            let y = values(spec, cells, cell, y);
            let pair = move |(seed, x): (u64, f64)| Some((x, y.iter().find(|(s, _)| *s == seed)?.1));
            values(spec, cells, cell, x).into_iter().filter_map(pair).collect::<Vec<_>>()
        })
        .collect()
}

/// `more` less `less`, or the logarithm of their ratio, of each seed that both have.
fn differences(more: &[(u64, f64)], less: &[(u64, f64)], ratio: bool) -> Vec<f64> {
    let difference = |(seed, a): &(u64, f64)| {
        let (_, b) = less.iter().find(|(s, _)| s == seed)?;
        let difference = if ratio { (a / b).ln() } else { a - b };
        (!ratio || (*a > 0.0 && *b > 0.0)).then_some(difference)
    };
    more.iter().filter_map(difference).collect()
}

/// Whether both are alike: `within` is the largest ratio or difference that counts so.
fn alike(one: &[(u64, f64)], other: &[(u64, f64)], (ratio, within): (bool, f64), seeds: usize) -> Finding {
    let (_, effect, words) = larger(one, other, ratio, seeds);
    let words = words.split("; about ").next().unwrap_or_default().to_owned();
    let differences = differences(one, other, ratio);
    let Some((low, high)) = mean_interval(&differences).filter(|_| differences.len() >= LEAST_PAIRS) else {
        return (Verdict::NotDecided, effect, words);
    };
    let most = if ratio { within.ln() } else { within };
    let verdict = if -most < low && high < most {
        Verdict::Seen
    } else if low > most || high < -most {
        Verdict::NotSeen
    } else {
        Verdict::NotDecided
    };
    (verdict, effect, words)
}

/// Whether `more` is larger than `less`, seed by seed; `seeds` were run.
fn larger(more: &[(u64, f64)], less: &[(u64, f64)], ratio: bool, seeds: usize) -> Finding {
    let differences = differences(more, less, ratio);
    let n = differences.len();
    let (Some((low, high)), Some(test)) = (mean_interval(&differences), paired(&differences)) else {
        let pairs = if n == 1 { "1 pair" } else { &format!("{n} pairs") };
        return (Verdict::NotDecided, format!("{pairs} of runs"), "too few for an interval".into());
    };
    // Fewer than six pairs all lie on one side by chance in more than 5 of 100 studies, and no resample shows the
    // other side then.
    let enough = n >= 6 || test.p < 0.05;
    let verdict = if low > 0.0 && enough {
        Verdict::Seen
    } else if high < 0.0 && enough {
        Verdict::NotSeen
    } else {
        Verdict::NotDecided
    };
    let shown = |v: f64| significant(if ratio { v.exp() } else { v }, 3);
    let what = if ratio { "ratio" } else { "difference" };
    let positive = differences.iter().filter(|d| **d > 0.0).count();
    let effect = format!("{what} {} (95 % interval {} to {})", shown(test.mean), shown(low), shown(high));
    let mut words =
        format!("larger in {positive} of {n} pairs, paired t test p = {}", significant(test.p, 2));
    let lost = seeds - n;
    if lost > 0 {
        words += &format!("; {lost} of {seeds} seeds have no pair");
    }
    if verdict == Verdict::NotDecided
        && let Some(needed) = test.pairs_needed
    {
        words += &format!("; about {needed} pairs would decide");
    }
    (verdict, effect, words)
}

/// Whether `more` varies more than `less`, seed by seed: whether its distances from its median are larger. Only seeds
/// that both have count, so that a lost run changes both sides.
fn varies(more: &[(u64, f64)], less: &[(u64, f64)], seeds: usize) -> Finding {
    let shared = |these: &[(u64, f64)], others: &[(u64, f64)]| -> Vec<(u64, f64)> {
        these.iter().filter(|(seed, _)| others.iter().any(|(s, _)| s == seed)).copied().collect()
    };
    let sides = [shared(more, less), shared(less, more)];
    let distances = sides.each_ref().map(|side| {
        let middle = median(&side.iter().map(|(_, v)| *v).collect::<Vec<_>>()).unwrap_or(f64::NAN);
        side.iter().map(|(seed, v)| (*seed, (v - middle).abs())).collect::<Vec<_>>()
    });
    let (verdict, distance, words) = larger(&distances[0], &distances[1], false, seeds);
    if sides[0].len() < 3 {
        return (verdict, distance, words);
    }
    let sds = sides.map(|side| {
        let values: Vec<f64> = side.into_iter().map(|(_, v)| v).collect();
        mean_and_sd(&values).map_or(f64::NAN, |(_, sd)| sd)
    });
    let [more, less] = sds.map(|sd| significant(sd, 3));
    (verdict, format!("sd {more} against {less}"), format!("distance from the median, {distance}, {words}"))
}

/// Whether two quantities rise together.
fn rise_together(pairs: &[(f64, f64)]) -> Finding {
    let n = pairs.len();
    let (Some(by_rank), Some(linear)) = (spearman(pairs), pearson(pairs)) else {
        return (Verdict::NotDecided, format!("{n} runs"), "too few or without variation".into());
    };
    let verdict = match (by_rank.p < 0.05, by_rank.r > 0.0) {
        (true, true) => Verdict::Seen,
        (true, false) => Verdict::NotSeen,
        (false, _) => Verdict::NotDecided,
    };
    let [s, ps, r, pr] = [by_rank.r, by_rank.p, linear.r, linear.p].map(|v| significant(v, 2));
    (verdict, format!("Spearman {s} (p = {ps})"), format!("Pearson {r} (p = {pr}), {n} runs"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::random::{Purpose, Stream};

    /// Verdict and all numbers.
    fn said((verdict, effect, more): Finding) -> (Verdict, String) {
        (verdict, format!("{effect}, {more}"))
    }

    fn seeds(values: &[f64]) -> Vec<(u64, f64)> {
        (1..).zip(values.iter().copied()).collect()
    }

    #[test]
    fn a_clear_effect_is_seen_its_reverse_not_and_none_is_not_decided() {
        let larger = |more: &[(u64, f64)], less: &[(u64, f64)], ratio| said(larger(more, less, ratio, 5));
        let low = seeds(&[1.0, 2.0, 3.0, 4.0, 5.0]);
        let high = seeds(&[2.0, 4.1, 6.0, 7.9, 10.0]);
        let (verdict, words) = larger(&high, &low, true);
        assert_eq!(verdict, Verdict::Seen);
        assert!(words.starts_with("ratio 2.00 (95 % interval 1.9") && words.contains("5 of 5"), "{words}");
        assert_eq!(larger(&low, &high, true).0, Verdict::NotSeen);
        assert_eq!(larger(&low, &high, false).0, Verdict::NotSeen);
        let other = seeds(&[1.1, 1.8, 3.3, 3.9, 5.0]);
        let (verdict, words) = larger(&low, &other, false);
        assert_eq!(verdict, Verdict::NotDecided);
        assert!(words.contains("pairs would decide") && !words.contains("no pair"), "{words}");
    }

    #[test]
    fn likeness_is_seen_only_where_the_interval_lies_within_the_margin() {
        let one = seeds(&[1.0, 1.1, 0.9, 1.2, 1.0, 0.95]);
        let near = seeds(&[1.1, 1.0, 1.0, 1.1, 1.05, 0.9]);
        assert_eq!(alike(&one, &near, (true, 2.0), 6).0, Verdict::Seen);
        // A margin as narrow as the spread decides nothing.
        assert_eq!(alike(&one, &near, (true, 1.02), 6).0, Verdict::NotDecided);
        let far = seeds(&[4.0, 5.0, 4.5, 4.2, 4.4, 4.1]);
        let (verdict, words) = said(alike(&one, &far, (true, 2.0), 6));
        assert!(verdict == Verdict::NotSeen && words.starts_with("ratio 0.23"), "{words}");
        assert_eq!(alike(&far, &one, (false, 0.5), 6).0, Verdict::NotSeen);
        assert_eq!(alike(&one, &near, (false, 0.5), 6).0, Verdict::Seen);
        // Equal values of two seeds are no evidence.
        assert_eq!(alike(&one[..2], &one[..2], (true, 2.0), 6).0, Verdict::NotDecided);
    }

    #[test]
    fn few_pairs_that_differ_widely_decide_nothing_though_all_point_one_way() {
        let (more, less) = (seeds(&[1.01, 1.1, 9.0]), seeds(&[1.0, 1.0, 1.0]));
        let (verdict, words) = said(larger(&more, &less, true, 3));
        assert_eq!(verdict, Verdict::NotDecided, "{words}");
        assert!(words.contains("3 of 3 pairs"), "{words}");
    }

    #[test]
    fn pairs_are_of_equal_seed_and_a_lost_run_leaves_its_pair_out() {
        let high = vec![(3, 30.0), (1, 11.0), (2, 21.0), (4, 41.0)];
        let low = vec![(1, 1.0), (2, 1.0), (3, 0.0), (5, 1.0)];
        let (_, words) = said(larger(&high, &low, false, 5));
        assert!(words.contains("of 3 pairs") && words.contains("2 of 5 seeds have no pair"), "{words}");
        let (verdict, words) = said(larger(&high, &low, true, 5));
        assert_eq!(verdict, Verdict::NotDecided);
        assert!(words.starts_with("2 pairs of runs, too few"), "{words}");
    }

    #[test]
    fn what_varies_more_is_told_apart_from_what_is_larger() {
        let mut stream = Stream::new(5, Purpose::Measures);
        let wide: Vec<f64> = (0..16).map(|_| 3.0 * stream.normal()).collect();
        let narrow: Vec<f64> = (0..16).map(|_| 100.0 + stream.normal()).collect();
        let (wide, narrow) = (seeds(&wide), seeds(&narrow));
        assert_eq!(larger(&wide, &narrow, false, 16).0, Verdict::NotSeen);
        let (verdict, words) = said(varies(&wide, &narrow, 16));
        assert_eq!(verdict, Verdict::Seen, "{words}");
        assert!(words.starts_with("sd ") && words.contains("of 16 pairs"), "{words}");
        assert_eq!(varies(&narrow, &wide, 16).0, Verdict::NotSeen);
        // A shift is no variation.
        let shifted: Vec<(u64, f64)> = wide.iter().map(|(s, v)| (*s, v + 50.0)).collect();
        let (verdict, words) = said(varies(&wide, &shifted, 16));
        assert_eq!(verdict, Verdict::NotDecided, "{words}");
        // By hand: medians 2 and 20, distances 1 0 7 and 10 0 10; the third seed of one side has no pair.
        let (_, words) =
            said(varies(&[(1, 1.0), (2, 2.0), (3, 9.0)], &[(1, 10.0), (2, 20.0), (3, 30.0), (4, 90.0)], 4));
        let mean = (1.0 - 10.0 + 0.0 + 7.0 - 10.0) / 3.0;
        assert!(words.contains(&format!("difference {} ", significant(mean, 3))), "{words} {mean}");
        assert!(words.contains("against 10.0,") && words.contains("1 of 4 seeds have no pair"), "{words}");
    }

    #[test]
    fn one_pair_has_no_variation_to_compare() {
        let (verdict, words) = said(varies(&[(1, 1.0)], &[(1, 2.0), (2, 3.0)], 2));
        assert_eq!(
            (verdict, words.as_str()),
            (Verdict::NotDecided, "1 pair of runs, too few for an interval")
        );
    }

    #[test]
    fn equal_variation_is_rarely_said_to_differ() {
        let mut stream = Stream::new(6, Purpose::Measures);
        let mut draw = || seeds(&(0..16).map(|_| stream.normal()).collect::<Vec<f64>>());
        let said = (0..200).filter(|_| varies(&draw(), &draw(), 16).0 != Verdict::NotDecided).count();
        // 5 of 100 are expected; binomial, standard deviation 1.5 %.
        assert!(said <= 22, "{said} of 200");
    }

    #[test]
    fn correlations_are_judged_by_rank() {
        let rising: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i), f64::from(i).exp())).collect();
        assert_eq!(rise_together(&rising).0, Verdict::Seen);
        let falling: Vec<(f64, f64)> = rising.iter().map(|(x, y)| (*x, -y)).collect();
        assert_eq!(rise_together(&falling).0, Verdict::NotSeen);
        assert_eq!(rise_together(&rising[..2]).0, Verdict::NotDecided);
    }
}
