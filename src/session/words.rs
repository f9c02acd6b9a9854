//! Owns the sentences in which a run says how it is and how it ended, and the names of rules.

use super::runs::{RunEntry, RunState};
use super::stability::above_line;
use crate::files::figure::number::{counted, significant};
use crate::training::config::RuleKind;
use crate::training::run::StopReason;

/// A run's state in a word or two.
pub fn state(state: &RunState) -> &'static str {
    match state {
        RunState::Starting => "starting",
        RunState::Paused => "paused",
        RunState::Running => "running",
        RunState::Ended(StopReason::Done) => "done",
        RunState::Ended(StopReason::LossReached) => "loss reached",
        RunState::Ended(StopReason::AccuracyReached) => "accuracy reached",
        RunState::Ended(StopReason::Plateau) => "plateau",
        RunState::Ended(StopReason::Stopped) => "stopped",
        RunState::Ended(StopReason::Undefined { .. }) => "not defined",
        RunState::Ended(StopReason::Diverged { .. }) => "diverged",
        RunState::Failed(_) => "failed",
        RunState::Ghost => "ghost",
    }
}

/// A rule as a run is called after it.
pub fn rule(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Bptt => "BPTT",
        RuleKind::EProp => "Three-factor (e-prop)",
        RuleKind::Rflo => "RFLO",
        RuleKind::Mdgl => "MDGL",
        RuleKind::ScaledBptt => "BPTT scaled by rho",
        RuleKind::TruncatedBptt => "Truncated BPTT",
        RuleKind::Upscaled => "Scaled up by 1/rho",
    }
}

/// Why a run ended, in a sentence.
pub fn end(reason: &StopReason, iteration: i64) -> String {
    match reason {
        StopReason::Done => format!("Done after {}.", counted(iteration.unsigned_abs(), "iteration")),
        StopReason::LossReached => format!("The training loss fell below its goal at iteration {iteration}."),
        StopReason::AccuracyReached => {
            format!("The test accuracy rose above its goal at iteration {iteration}.")
        }
        StopReason::Plateau => {
            format!("Loss and sharpness no longer changed; stopped at iteration {iteration}.")
        }
        StopReason::Stopped => format!("Stopped at iteration {iteration}."),
        StopReason::Undefined { iteration, quantity, why } => {
            format!("Ended at iteration {iteration}: the {quantity} is not defined, {why}.")
        }
        StopReason::Diverged { iteration, quantity, value } => {
            let finite = value.parse().ok().filter(|v: &f64| v.is_finite());
            let value = finite.map_or(value.clone(), |v| significant(v, 3));
            format!("Diverged at iteration {iteration}: the {quantity} was {value}.")
        }
    }
}

/// Why a run ended, and where it diverged what its curvature had to do with it, as far as that is measured.
pub fn end_of(run: &RunEntry) -> Option<String> {
    let RunState::Ended(reason) = &run.state else { return None };
    let end = end(reason, run.iteration);
    let cause = matches!(reason, StopReason::Diverged { .. }).then(|| above_line(run)).flatten();
    Some(cause.map_or(end.clone(), |cause| format!("{end} {cause}")))
}

/// The name of a rule, as in settings.
pub fn rule_name(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Bptt => "bptt",
        RuleKind::EProp => "e-prop",
        RuleKind::Rflo => "rflo",
        RuleKind::Mdgl => "mdgl",
        RuleKind::ScaledBptt => "scaled-bptt",
        RuleKind::TruncatedBptt => "truncated-bptt",
        RuleKind::Upscaled => "upscaled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divergence_is_told_in_three_digits() {
        let diverged = |value: &str| {
            let (quantity, value) = ("training loss".into(), value.into());
            end(&StopReason::Diverged { iteration: 2633, quantity, value }, 2633)
        };
        let text = "Diverged at iteration 2633: the training loss was 6.46e67.";
        assert_eq!(diverged("6.462821747251222e67"), text);
        assert!(diverged("NaN").ends_with("was NaN."));
    }
}
