//! Owns the words of a stability line in the legend and in its tooltip.

use crate::numerics::curvature::stability::{StabilityLine, Standing};

/// How a stability line follows from the settings.
pub fn formula(line: &StabilityLine) -> String {
    if line.value.is_some() { line.formula.clone() } else { "no stability line".into() }
}

/// Reasons that the legend names; the tooltip has all.
const MOST_TAGS: usize = 1;

/// How far a stability line can be trusted, and why not further, in a few words.
pub fn standing(line: &StabilityLine) -> String {
    match line.standing {
        Standing::Holds => "holds".into(),
        Standing::Guide => {
            let tags: Vec<&str> = line.reasons.iter().map(|reason| reason.tag()).collect();
            let more = if tags.len() > MOST_TAGS { ", …" } else { "" };
            format!("a guide: {}{more}", tags[..tags.len().min(MOST_TAGS)].join(", "))
        }
        Standing::None => line.reasons.first().map(|reason| reason.tag().to_owned()).unwrap_or_default(),
    }
}

/// What a stability line is, and why it is a guide only or not there.
pub fn reasons(line: &StabilityLine) -> String {
    let mut text = String::from(
        "Stability line (P1, Theorem 1): where training settles, lambda_max stays at or below it. It moves with \
         the learning rate eta and with rho, the median of the last 20 measures.",
    );
    match line.standing {
        Standing::Holds => text += "\nEvery assumption that can be checked is met.",
        Standing::Guide => text += "\nHere it is a guide only:",
        Standing::None => text += "\nHere there is none:",
    }
    for reason in &line.reasons {
        text += &format!("\n- {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::curvature::stability::Reason;
    use crate::numerics::weights::Block;

    /// All there are; that each is produced is a test of the session's lines.
    const EVERY: [Reason; 17] = [
        Reason::Adam,
        Reason::NoRate(0.0),
        Reason::RhoUnknown,
        Reason::RhoNotPositive(-0.1),
        Reason::AboveAnyRate { l2: 30.0, learning_rate: 0.1 },
        Reason::MiniBatch,
        Reason::SeveralTrials(4),
        Reason::SeveralOutputs(2),
        Reason::SeveralSteps(50),
        Reason::CrossEntropy,
        Reason::RateMoves,
        Reason::Clipped { factor: 0.25 },
        Reason::L2(0.01),
        Reason::Momentum(0.9),
        Reason::ResidualError { share: 0.25 },
        Reason::ErrorMayAlign,
        Reason::LowerBound(Block::Recurrent),
    ];

    #[test]
    fn every_reason_of_a_line_is_in_its_tooltip() {
        let line = |standing, reasons: &[Reason]| StabilityLine {
            value: (standing != Standing::None).then_some(10.0),
            formula: "2/eta".into(),
            standing,
            reasons: reasons.to_vec(),
        };
        let guide = line(Standing::Guide, &EVERY);
        for reason in &EVERY {
            assert!(reasons(&guide).contains(&reason.to_string()), "{reason}");
            // A line that is not there says why in the legend itself, in a word or two.
            let none = line(Standing::None, &[*reason]);
            assert_eq!(standing(&none), reason.tag());
            assert_eq!(formula(&none), "no stability line");
            assert!(reasons(&none).contains("there is none"));
        }
        assert_eq!((formula(&guide), standing(&guide)), ("2/eta".into(), "a guide: Adam, …".into()));
        let one = line(Standing::Guide, &EVERY[13..14]);
        assert_eq!(standing(&one), "a guide: momentum");
        assert_eq!(standing(&line(Standing::Holds, &[])), "holds");
    }
}
