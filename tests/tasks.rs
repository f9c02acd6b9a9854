//! The trials of the tasks that draw each trial afresh, step by step: as stated, as neurogym makes them, and
//! by the losses of readouts that know all but the answer.

mod common;

use std::f64::consts::LN_2;

use basinscope::numerics::random::{Purpose, Stream};
use basinscope::numerics::scalar::Scalar;
use basinscope::numerics::tasks::{
    DelayedMatch, Fixation, Romo, Task, TaskData, TaskKind, TaskSettings, TwoAlternative, build,
};
use basinscope::numerics::trials::Trials;
use common::npz;
use common::trials::{assert_even, counts, decision, judged, labels, mean_and_sd, values};
use ndarray::{Array3, Ix3, s};

/// Many trials, drawn as a test batch.
fn many<T: Scalar>(settings: TaskSettings, n: usize) -> Trials<T> {
    let task: Box<dyn Task<T>> = build(&settings, 32, n, 1, &TaskData::None).expect("sound settings");
    task.test(&mut Stream::new(1, Purpose::Test))
}

/// The step at which stimulus 2 of a `romo` trial starts.
fn second_stimulus(trials: &Trials<f64>, b: usize) -> usize {
    (8..trials.n_steps()).find(|t| trials.x[[*t, b, 0]] != 0.0).expect("a second stimulus")
}

#[test]
fn romo_is_as_stated_step_by_step() {
    let trials: Trials<f64> = many(TaskSettings::Romo(Romo::default()), 4000);
    assert_eq!(trials.x.dim(), (56, 4000, 1));
    assert_eq!(values(&trials).dim(), (56, 4000, 2));
    for b in 0..trials.n_batch() {
        let second = second_stimulus(&trials, b);
        let (one, two) = (trials.x[[6, b, 0]], trials.x[[second, b, 0]]);
        assert!((0.5..1.5).contains(&one) && (0.5..1.5).contains(&two) && (one - two).abs() >= 0.2);
        let response = second + 2 + 10;
        let larger = usize::from(two > one);
        assert_eq!(decision(&trials).correct[b], larger as u32);
        for t in 0..56 {
            let shown = match t {
                6 | 7 => one,
                _ if t == second || t == second + 1 => two,
                _ => 0.0,
            };
            let responding = (response..response + 20).contains(&t);
            assert_eq!(trials.x[[t, b, 0]], shown);
            assert_eq!(trials.mask[[t, b]], f64::from(u8::from(t < second + 2 || responding)));
            assert_eq!(decision(&trials).weight[[t, b]], f64::from(u8::from(responding)));
            assert_eq!(values(&trials)[[t, b, larger]], if responding { 0.5 } else { 0.0 });
            assert_eq!(values(&trials)[[t, b, 1 - larger]], 0.0);
        }
    }
    // U(2, 8) in steps of 0.5: twelve whole delays of 4 to 15 steps, equally likely.
    let delays = counts((0..4000).map(|b| second_stimulus(&trials, b) - 8));
    assert_eq!((delays.keys().min(), delays.keys().max()), (Some(&4), Some(&15)));
    assert_even(&delays, 12);
    assert_even(&counts(decision(&trials).correct.iter()), 2);
}

#[test]
fn romo_keeps_its_longest_delay_within_the_trial() {
    for (low, high, n_steps) in [(8.0, 8.0, 56), (0.0, 0.0, 40), (0.3, 20.2, 80)] {
        let settings = Romo { delay_min: low, delay_max: high, ..Romo::default() };
        let trials: Trials<f64> = many(TaskSettings::Romo(settings), 500);
        assert_eq!(trials.n_steps(), n_steps);
        let response = decision(&trials).weight.columns().into_iter().map(|w| w.sum());
        assert!(response.into_iter().all(|sum| sum == 20.0));
        let latest = (0..500).map(|b| second_stimulus(&trials, b) - 8).max();
        assert_eq!(latest, Some((high / 0.5) as usize), "of 500 draws one comes as late as can be");
    }
}

#[test]
fn romo_has_its_chance_losses() {
    let trials: Trials<f64> = many(TaskSettings::Romo(Romo::default()), 4000);
    let responding = |t: usize, b: usize| decision(&trials).weight[[t, b]] == 1.0;
    let (hedged, accuracy) = judged(&trials, 2, |t, b, _| if responding(t, b) { 0.25 } else { 0.0 });
    let (silent, _) = judged(&trials, 2, |_, _, _| 0.0);
    // Second route: M is the sum of 30 + delay over trials; the response costs 20 * 2 * 0.25^2 a trial.
    let m: f64 = (0..4000).map(|b| 30.0 + second_stimulus(&trials, b) as f64 - 8.0).sum();
    assert!((hedged - 4000.0 * 2.5 / (4.0 * m)).abs() < 1e-12);
    // The stated three digits; a mean delay off by five standard errors (0.27 of 39.5 steps) moves them by
    // 1e-4.
    assert!((hedged - 0.0158).abs() < 2e-4, "{hedged}");
    assert!((silent - 0.0316).abs() < 4e-4, "{silent}");
    // Equal outputs are read as channel 0, right in half of the trials (within five standard deviations).
    assert!((accuracy.expect("judged") - 0.5).abs() < 0.04);
    let perfect = judged(&trials, 2, |t, b, k| values(&trials)[[t, b, k]]);
    assert_eq!(perfect, (0.0, Some(1.0)));
}

/// Logits that leave a probability of e^-60 to what they exclude: their share of a loss is below rounding.
const SURE: f64 = 60.0;

/// The logit of output `k` of a readout that knows the time but not which of classes 1 and 2 is right.
fn hedge(deciding: bool, k: usize) -> f64 {
    if deciding == (k > 0) { SURE } else { 0.0 }
}

/// A reference's trials [trial, step, channel] with labels [trial, step], and which of them were drawn.
fn assert_all_and_only(trials: &Trials<f32>, ob: &Array3<f64>, gt: &[i64]) {
    let mut seen = vec![false; ob.dim().0];
    for b in 0..trials.n_batch() {
        let x = trials.x.slice(s![.., b, ..]);
        let same = |i: usize| {
            // The reference was stored in f32; as f32 the numbers have to be the same, bit by bit.
            x.iter().zip(ob.slice(s![i, .., ..])).all(|(x, ob)| *x == *ob as f32)
                && labels(trials).column(b).iter().zip(&gt[i * x.nrows()..]).all(|(l, g)| i64::from(*l) == *g)
        };
        let i = (0..seen.len())
            .find(|i| same(*i))
            .unwrap_or_else(|| panic!("trial {b} is no reference trial: {x}"));
        seen[i] = true;
    }
    assert!(seen.iter().all(|s| *s), "each reference trial is drawn: {seen:?}");
}

#[test]
fn two_alternative_without_noise_is_neurogyms() {
    let file = npz::load(npz::reference("neurogym_clean.npz"));
    let mut ob = file["pdm_clean_ob"].array::<Ix3>();
    let gt = file["pdm_clean_gt"].integers();
    let first_step =
        TwoAlternative { noise: 0.0, fixation: Fixation::FirstStep, ..TwoAlternative::default() };
    assert_all_and_only(&many(TaskSettings::TwoAlternative(first_step.clone()), 400), &ob, &gt);
    ob.slice_mut(s![.., ..21, 0]).fill(1.0);
    let until = TwoAlternative { fixation: Fixation::UntilDecision, ..first_step };
    assert_all_and_only(&many(TaskSettings::TwoAlternative(until), 400), &ob, &gt);
}

#[test]
fn delayed_match_without_noise_is_neurogyms() {
    let file = npz::load(npz::reference("neurogym_clean.npz"));
    let clean = DelayedMatch { noise: 0.0, ..DelayedMatch::default() };
    let trials = many(TaskSettings::DelayedMatch(clean), 400);
    assert_all_and_only(&trials, &file["dms_clean_ob"].array::<Ix3>(), &file["dms_clean_gt"].integers());
}

#[test]
fn two_alternative_draws_sides_coherences_and_noise_evenly() {
    let n = 6000;
    let trials: Trials<f64> = many(TaskSettings::TwoAlternative(TwoAlternative::default()), n);
    assert_eq!(trials.x.dim(), (22, n, 3));
    assert!(trials.mask.iter().all(|m| *m == 1.0));
    assert_even(&counts(labels(&trials).row(21)), 2);
    // Around the trial's own mean, over 20 steps, the noise has 0.1 sqrt(19/20); no noise outside of the
    // stimulus.
    let rest = mean_and_sd((0..n).flat_map(|b| {
        let x = trials.x.slice(s![1..21, b, 1]);
        let mean = x.mean().expect("steps");
        x.iter().map(|x| x - mean).collect::<Vec<f64>>()
    }));
    // The standard error of a standard deviation over 120,000 numbers is 0.1 / sqrt(2 * 120,000) = 2e-4.
    assert!((rest.1 - 0.1 * 0.95f64.sqrt()).abs() < 1e-3, "{rest:?}");
    assert!(trials.x.slice(s![0, .., 1..]).iter().chain(trials.x.slice(s![21, .., ..])).all(|x| *x == 0.0));
    // Twice the coherence/200 is the difference of the channels' means, whose noise is 0.1 sqrt(2/20) = 0.03.
    let signed = (0..n).map(|b| {
        let x = trials.x.slice(s![1..21, b, ..]);
        let sign = if labels(&trials)[[21, b]] == 1 { 1.0 } else { -1.0 };
        sign * (x.column(1).sum() - x.column(2).sum()) / 20.0
    });
    // Mean coherence 19.2 %; its standard error is sqrt(18.2^2 + 3.2^2) / sqrt(6000) = 0.24 %.
    let (mean, _) = mean_and_sd(signed.map(|d| 100.0 * d));
    assert!((mean - 19.2).abs() < 1.2, "{mean}");
    let clean = TwoAlternative { noise: 0.0, ..TwoAlternative::default() };
    let clean: Trials<f64> = many(TaskSettings::TwoAlternative(clean), n);
    let drawn = (0..n).map(|b| (1000.0 * (clean.x[[1, b, 1]] - clean.x[[1, b, 2]]).abs()).round() as i64);
    let drawn = counts(drawn);
    assert_eq!(drawn.keys().copied().collect::<Vec<_>>(), [0, 64, 128, 256, 512]);
    assert_even(&drawn, 5);
}

#[test]
fn delayed_match_draws_labels_samples_and_noise_evenly() {
    let n = 4000;
    let trials: Trials<f64> = many(TaskSettings::DelayedMatch(DelayedMatch::default()), n);
    assert_eq!(trials.x.dim(), (32, n, 3));
    assert!(trials.mask.iter().all(|m| *m == 1.0));
    let shown = |from: usize, b: usize| {
        let x = trials.x.slice(s![from..from + 5, b, 1..]);
        usize::from(x.column(1).sum() > x.column(0).sum())
    };
    let combinations = (0..n).map(|b| (shown(3, b), shown(18, b), labels(&trials)[[23, b]]));
    let combinations = counts(combinations);
    assert!(combinations.keys().all(|(sample, test, label)| (sample == test) == (*label == 1)));
    assert_even(&combinations, 4);
    let noise = (0..n).flat_map(|b| {
        let part = |from: usize| {
            let on = shown(from, b) + 1;
            trials
                .x
                .slice(s![from..from + 5, b, 1..])
                .indexed_iter()
                .map(|((_, k), x)| x - f64::from(u8::from(k + 1 == on)))
                .collect::<Vec<_>>()
        };
        [part(3), part(18)].concat()
    });
    // 80,000 numbers: standard errors 4e-4 of the mean and 3e-4 of the standard deviation.
    let (mean, sd) = mean_and_sd(noise);
    assert!(mean.abs() < 2e-3 && (sd - 0.1).abs() < 1.5e-3, "{mean} {sd}");
    for quiet in [0..3, 8..18, 23..32] {
        assert!(trials.x.slice(s![quiet, .., 1..]).iter().all(|x| *x == 0.0));
    }
    let longer = DelayedMatch { delay: 14, ..DelayedMatch::default() };
    assert_eq!(many::<f64>(TaskSettings::DelayedMatch(longer), 3).n_steps(), 36);
}

/// Knowing the time but not the answer; the stated three digits are those of the exact values.
#[test]
fn classification_tasks_have_their_chance_losses() {
    let cases = [
        (TaskKind::TwoAlternative, 21, LN_2 / 22.0, 0.0315),
        (TaskKind::DelayedMatch, 23, 9.0 / 32.0 * LN_2, 0.195),
    ];
    for (kind, decision_step, exact, stated) in cases {
        let trials: Trials<f64> = many(kind.defaults(), 1000);
        let (loss, accuracy) = judged(&trials, 3, |t, _, k| hedge(t >= decision_step, k));
        assert!((loss - exact).abs() < 1e-12, "{kind:?}: {loss}, exactly {exact}");
        assert!((loss - stated).abs() < 5e-4, "{kind:?}: {loss}, stated {stated}");
        // Class 1 is taken of equal ones: half are right, within five standard deviations.
        assert!((accuracy.expect("judged") - 0.5).abs() < 0.08);
        let (loss, accuracy) =
            judged(&trials, 3, |t, b, k| if labels(&trials)[[t, b]] == k as u32 { SURE } else { 0.0 });
        assert!(loss < 1e-12 && accuracy == Some(1.0));
        // Only the decision is judged: right before and wrong in it is wrong.
        let late = |t: usize, b: usize, k: usize| {
            if (labels(&trials)[[t, b]] == k as u32) == (t < decision_step) { SURE } else { 0.0 }
        };
        assert_eq!(judged(&trials, 3, late).1, Some(0.0));
    }
}
