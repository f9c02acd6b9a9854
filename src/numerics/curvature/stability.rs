//! Owns the stability lines: how large lambda_max can be for gradient descent of the run's rate to stay where
//! it is, and how far that statement holds for the run at hand.
//!
//! P1 Theorem 1: where training settles, `lambda_max <= 2/eta` under BPTT and `lambda_max <= 2/(eta rho)` under
//! a rule that goes rho of the way along the gradient. It assumes one scalar output, squared error at the last
//! step, one example, a fixed rate, and convergence to zero error (the Jacobian then has rank 1); P1 B.3 extends
//! it to rules whose error is orthogonal to the leading eigenvectors. A line is drawn for other runs too, as a
//! guide, with every assumption that the run does not meet in words.
//!
//! With momentum m the line is at 2 (1 + m)/eta; with L2 of factor c the loss's own Hessian may reach that less
//! c. With rho: `(2 (1 + m)/eta - c)/rho`. A Hessian that takes L2 in is c larger in every direction, and so is
//! its line.

use std::fmt;

use crate::numerics::statistics::median;
use crate::numerics::trials::LossKind;
use crate::numerics::weights::Block;

/// Measures of rho whose median is taken.
pub const RHO_MEASURES: usize = 20;

/// Below this share of its line, lambda_max is not held by it (`[own]`).
pub const BINDING_SHARE: f64 = 0.2;

/// Above this share of the loss at the start, the remaining error is not small (`[own]`).
pub const SMALL_LOSS_SHARE: f64 = 0.01;

/// The median of the last [`RHO_MEASURES`] finite values; `None` where there is none. A single rho is noisy
/// near convergence.
///
/// ```
/// use basinscope::numerics::curvature::stability::median_rho;
/// assert_eq!(median_rho(&[0.9, 0.1, f64::NAN, 0.2]), Some(0.2));
/// ```
pub fn median_rho(measures: &[f64]) -> Option<f64> {
    let last = measures.iter().rev().copied().filter(|rho| rho.is_finite()).take(RHO_MEASURES);
    median(&last.collect::<Vec<f64>>())
}

/// What moves the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Descent {
    /// Gradient descent with momentum m (0 for none).
    Sgd {
        /// m.
        momentum: f64,
    },
    /// Adam.
    Adam,
}

/// What is known of a run at one iteration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunFacts {
    /// eta of this iteration, after the schedule.
    pub learning_rate: f64,
    /// Whether the schedule is constant.
    pub constant_rate: bool,
    /// The optimiser.
    pub descent: Descent,
    /// c of L2; 0 for none.
    pub l2: f64,
    /// Whether the Hessian drawn takes L2 in.
    pub hessian_with_l2: bool,
    /// Largest gradient norm and the norm before clipping; `None` where clipping is off.
    pub clip: Option<(f64, f64)>,
    /// [`median_rho`] of a rule that is not exact; `None` under BPTT.
    pub rho: Rho,
    /// The loss.
    pub loss_kind: LossKind,
    /// Outputs.
    pub n_out: usize,
    /// Steps that count in the loss.
    pub scored_steps: usize,
    /// Trials of the training set that each update sees, and whether they are all there are.
    pub trials: usize,
    /// See `trials`.
    pub full_batch: bool,
    /// The loss now over the loss at the start; `None` where unknown.
    pub loss_share: Option<f64>,
    /// The block whose lambda_max is drawn.
    pub block: Block,
}

/// How far the run's rule goes along the exact gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rho {
    /// All the way: the rule is exact.
    Exact,
    /// By the median of the last measures; `None` while there is no measure.
    Measured(Option<f64>),
}

/// How far a line can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every assumption of the theorem that can be checked is met.
    Holds,
    /// Some are not: see the reasons.
    Guide,
    /// There is no line.
    None,
}

/// A stability line.
#[derive(Clone, Debug, PartialEq)]
pub struct StabilityLine {
    /// Where; `None` where there is no line.
    pub value: Option<f64>,
    /// How it follows from the settings, for example `2/(eta rho)`.
    pub formula: String,
    /// How far it can be trusted.
    pub standing: Standing,
    /// Why it is no more than that; empty where it holds.
    pub reasons: Vec<Reason>,
}

/// Why a line is a guide only, or is not there. Its text is for the reader.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Reason {
    Adam,
    NoRate(f64),
    RhoUnknown,
    RhoNotPositive(f64),
    AboveAnyRate { l2: f64, learning_rate: f64 },
    MiniBatch,
    SeveralTrials(usize),
    SeveralOutputs(usize),
    SeveralSteps(usize),
    CrossEntropy,
    RateMoves,
    Clipped { factor: f64 },
    L2(f64),
    Momentum(f64),
    ResidualError { share: f64 },
    ErrorMayAlign,
    LowerBound(Block),
}

impl Reason {
    /// The reason in a word or two, for a legend.
    pub fn tag(&self) -> &'static str {
        match self {
            Reason::Adam => "Adam",
            Reason::NoRate(_) => "no rate",
            Reason::RhoUnknown => "rho unknown",
            Reason::RhoNotPositive(_) => "rho not positive",
            Reason::AboveAnyRate { .. } => "L2 above any rate",
            Reason::MiniBatch => "mini-batch",
            Reason::SeveralTrials(_) => "several trials",
            Reason::SeveralOutputs(_) => "several outputs",
            Reason::SeveralSteps(_) => "several steps",
            Reason::CrossEntropy => "cross-entropy",
            Reason::RateMoves => "rate moves",
            Reason::Clipped { .. } => "clipped",
            Reason::L2(_) => "L2",
            Reason::Momentum(_) => "momentum",
            Reason::ResidualError { .. } => "residual error",
            Reason::ErrorMayAlign => "error may align",
            Reason::LowerBound(_) => "lower bound",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Adam => write!(
                f,
                "Adam scales every weight's step by its own factor: no line on the plain Hessian (38/eta is one \
                 for the preconditioned Hessian only)"
            ),
            Reason::NoRate(eta) => write!(f, "the learning rate is {eta}: nothing moves"),
            Reason::RhoUnknown => write!(f, "rho has not been measured yet"),
            Reason::RhoNotPositive(rho) => write!(
                f,
                "the median rho is {rho:.3}: the rule goes against the gradient as often as along it, and the \
                 theorem says nothing"
            ),
            Reason::AboveAnyRate { l2, learning_rate } => write!(
                f,
                "L2 with c = {l2} alone is above what the rate {learning_rate} allows: no curvature is stable"
            ),
            Reason::MiniBatch => write!(f, "mini-batches: every update sees another loss"),
            Reason::SeveralTrials(n) => {
                write!(f, "{n} trials: the theorem has one, with a Jacobian of rank 1")
            }
            Reason::SeveralOutputs(n) => write!(f, "{n} outputs: the theorem has one"),
            Reason::SeveralSteps(n) => {
                write!(f, "the loss counts {n} steps: the theorem has the last one only")
            }
            Reason::CrossEntropy => {
                write!(f, "cross-entropy: its curvature falls with the loss, whatever the rate")
            }
            Reason::RateMoves => write!(f, "the rate moves with the schedule, and the line with it"),
            Reason::Clipped { factor } => {
                write!(f, "clipping is active: the line is that of the effective rate, {factor:.3} of eta")
            }
            Reason::L2(c) => write!(f, "L2 with c = {c} is part of the step: 2/eta - c for the loss alone"),
            Reason::Momentum(m) => write!(f, "momentum {m}: 2 (1 + m)/eta, which the theorem does not cover"),
            Reason::ResidualError { share } => write!(
                f,
                "the loss is still {:.1} % of that at the start: the theorem is about zero error",
                100.0 * share
            ),
            Reason::ErrorMayAlign => write!(
                f,
                "outside the theorem's setting 2/(eta rho) needs the rule's error orthogonal to the leading \
                 eigenvectors: see its share in them"
            ),
            Reason::LowerBound(block) => write!(
                f,
                "block {}: lower bound of the lambda_max of all weights, to which the line belongs",
                name(*block)
            ),
        }
    }
}

fn name(block: Block) -> &'static str {
    match block {
        Block::Recurrent => "recurrent",
        Block::Input => "input",
        Block::Readout => "readout",
        Block::All => "all",
    }
}

/// The line of the exact rule, 2/eta, whatever rule the run has.
pub fn exact_line(facts: &RunFacts) -> StabilityLine {
    stability_line(&RunFacts { rho: Rho::Exact, ..*facts })
}

/// The line of the run's own rule.
///
/// ```
/// use basinscope::numerics::curvature::stability::{Descent, Rho, RunFacts, Standing, stability_line};
/// use basinscope::numerics::trials::LossKind;
/// use basinscope::numerics::weights::Block;
/// let facts = RunFacts {
///     learning_rate: 0.2,
///     constant_rate: true,
///     descent: Descent::Sgd { momentum: 0.0 },
///     l2: 0.0,
///     hessian_with_l2: true,
///     clip: None,
///     rho: Rho::Measured(Some(0.5)),
///     loss_kind: LossKind::Regression,
///     n_out: 1,
///     scored_steps: 1,
///     trials: 1,
///     full_batch: true,
///     loss_share: Some(1e-4),
///     block: Block::All,
/// };
/// let line = stability_line(&facts);
/// assert_eq!((line.value, line.standing), (Some(20.0), Standing::Holds));
/// ```
pub fn stability_line(facts: &RunFacts) -> StabilityLine {
    let eta = facts.learning_rate;
    let none = |reason: Reason| StabilityLine {
        value: None,
        formula: String::new(),
        standing: Standing::None,
        reasons: vec![reason],
    };
    let Descent::Sgd { momentum } = facts.descent else { return none(Reason::Adam) };
    if eta.is_nan() || eta <= 0.0 {
        return none(Reason::NoRate(eta));
    }
    let rho = match facts.rho {
        Rho::Exact => 1.0,
        Rho::Measured(None) => return none(Reason::RhoUnknown),
        Rho::Measured(Some(rho)) if rho.is_nan() || rho <= 0.0 => return none(Reason::RhoNotPositive(rho)),
        Rho::Measured(Some(rho)) => rho,
    };
    let factor = clip_factor(facts);
    let own = (2.0 * (1.0 + momentum) / (eta * factor) - facts.l2) / rho;
    if own <= 0.0 {
        return none(Reason::AboveAnyRate { l2: facts.l2, learning_rate: eta });
    }
    let reasons = reasons(facts, momentum, factor);
    StabilityLine {
        value: Some(if facts.hessian_with_l2 { own + facts.l2 } else { own }),
        formula: formula(facts, momentum, factor),
        standing: if reasons.is_empty() { Standing::Holds } else { Standing::Guide },
        reasons,
    }
}

/// What clipping leaves of the rate, min(1, clip/||g||).
fn clip_factor(facts: &RunFacts) -> f64 {
    match facts.clip {
        Some((largest, norm)) if norm > largest && largest > 0.0 => largest / norm,
        _ => 1.0,
    }
}

fn formula(facts: &RunFacts, momentum: f64, factor: f64) -> String {
    let top = if momentum == 0.0 { "2" } else { "2(1+m)" };
    let rate = if factor < 1.0 { "eta_eff" } else { "eta" };
    let approximate = facts.rho != Rho::Exact;
    match (facts.l2 != 0.0, approximate, facts.hessian_with_l2) {
        (false, false, _) | (true, false, true) => format!("{top}/{rate}"),
        (false, true, _) => format!("{top}/({rate} rho)"),
        (true, false, false) => format!("{top}/{rate} - c"),
        (true, true, false) => format!("({top}/{rate} - c)/rho"),
        (true, true, true) => format!("({top}/{rate} - c)/rho + c"),
    }
}

fn reasons(facts: &RunFacts, momentum: f64, factor: f64) -> Vec<Reason> {
    let theorem_s_setting = facts.n_out == 1 && facts.scored_steps <= 1 && facts.trials <= 1;
    let residual = facts.loss_share.filter(|share| share.is_nan() || *share > SMALL_LOSS_SHARE);
    let all = [
        (!facts.full_batch).then_some(Reason::MiniBatch),
        (facts.full_batch && facts.trials > 1).then_some(Reason::SeveralTrials(facts.trials)),
        (facts.n_out > 1).then_some(Reason::SeveralOutputs(facts.n_out)),
        (facts.scored_steps > 1).then_some(Reason::SeveralSteps(facts.scored_steps)),
        (facts.loss_kind == LossKind::Classification).then_some(Reason::CrossEntropy),
        (!facts.constant_rate).then_some(Reason::RateMoves),
        (factor < 1.0).then_some(Reason::Clipped { factor }),
        (facts.l2 != 0.0).then_some(Reason::L2(facts.l2)),
        (momentum != 0.0).then_some(Reason::Momentum(momentum)),
        residual.map(|share| Reason::ResidualError { share }),
        (facts.rho != Rho::Exact && !theorem_s_setting).then_some(Reason::ErrorMayAlign),
        (facts.block != Block::All).then_some(Reason::LowerBound(facts.block)),
    ];
    all.into_iter().flatten().collect()
}

/// The line of Adam's preconditioned Hessian, 2 (1 + beta1)/((1 - beta1) eta): 38/eta at beta1 = 0.9 (Cohen et
/// al. 2022). Only for a plot of the preconditioned lambda_max.
pub fn adam_line(learning_rate: f64, beta1: f64) -> f64 {
    2.0 * (1.0 + beta1) / ((1.0 - beta1) * learning_rate)
}

/// What to say where lambda_max is far below its line: then the line does not hold it, and what the rule does
/// to the curvature cannot be read from it. `None` where it is near or above.
pub fn not_binding(lambda_max: f64, line: &StabilityLine) -> Option<String> {
    let value = line.value?;
    (lambda_max < BINDING_SHARE * value).then(|| {
        format!(
            "lambda_max = {lambda_max:.3} is {:.1} % of the line at {value:.3}: at this rate the line does not \
             bind; compare rules at a larger rate",
            100.0 * lambda_max / value
        )
    })
}
