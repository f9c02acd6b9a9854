//! Owns [`Plot`], which series each panel of curves can show: every series there is, in some panel.

use super::layout::Panel;
use super::plot::curves::Vertical;
use super::theme::Dash;
use crate::training::history::Series;

/// One plot.
pub struct Plot {
    /// Where it can be seen.
    pub panel: Panel,
    /// Unique.
    pub id: &'static str,
    /// Its name.
    pub title: &'static str,
    /// Its name among the plots of its panel.
    pub choice: &'static str,
    /// With the name of the line within a run, and how it is broken.
    pub series: &'static [(Series, &'static str, Dash)],
    /// Its usual scale.
    pub vertical: Vertical,
    /// Decades that a signed logarithmic axis shows at most on either side of zero.
    pub decades: i32,
    /// Series that come at every iteration and may be smoothed.
    pub noisy: &'static [Series],
    /// Of the measure: said where there is no value at all.
    pub empty: &'static str,
    /// A value that is worth a line of its own: chance, zero.
    pub level: Option<(f64, &'static str)>,
}

/// A plot by its name.
pub fn named(id: &str) -> Option<&'static Plot> {
    PLOTS.iter().find(|plot| plot.id == id)
}

/// A plot by its title.
pub fn titled(title: &str) -> Option<&'static Plot> {
    PLOTS.iter().find(|plot| plot.title == title)
}

/// The plots of a panel; the first is shown at first.
pub fn of(panel: Panel) -> impl Iterator<Item = &'static Plot> {
    PLOTS.iter().filter(move |plot| plot.panel == panel)
}

const RUN: &str = "No value yet. Press Space to run.";
const CURVATURE: &str = "No value yet. Turn on the measure Curvature in the experiment panel.";
const LYAPUNOV: &str = "No value yet. Turn on the measure Lyapunov in the experiment panel.";
const ALIGNMENT: &str = "No value yet. Turn on the measure Alignment in the experiment panel.";

/// A plot with nothing special: on linear axes, without a line of its own.
const PLAIN: Plot = Plot {
    panel: Panel::Loss,
    id: "",
    title: "",
    choice: "",
    series: &[],
    vertical: Vertical::Linear,
    decades: 6,
    noisy: &[],
    empty: RUN,
    level: None,
};

const PLOTS: &[Plot] = &[
    Plot {
        panel: Panel::Loss,
        id: "loss",
        title: "Loss",
        choice: "loss",
        series: &[(Series::TrainLoss, "train", Dash::Solid), (Series::TestLoss, "test", Dash::Dashed)],
        vertical: Vertical::Log,
        noisy: &[Series::TrainLoss],
        ..PLAIN
    },
    Plot {
        panel: Panel::Loss,
        id: "rate",
        title: "Learning rate",
        choice: "rate",
        series: &[(Series::LearningRate, "learning rate", Dash::Solid)],
        vertical: Vertical::Log,
        ..PLAIN
    },
    Plot {
        panel: Panel::Loss,
        id: "norms",
        title: "Norms",
        choice: "norms",
        series: &[
            (Series::GradientNorm, "gradient", Dash::Solid),
            (Series::WeightNorm, "weights", Dash::Dashed),
        ],
        vertical: Vertical::Log,
        noisy: &[Series::GradientNorm],
        ..PLAIN
    },
    Plot {
        panel: Panel::Accuracy,
        id: "accuracy",
        title: "Accuracy",
        choice: "accuracy",
        series: &[
            (Series::TrainAccuracy, "train", Dash::Solid),
            (Series::TestAccuracy, "test", Dash::Dashed),
        ],
        noisy: &[Series::TrainAccuracy],
        empty: "No value yet. A regression without a decision (pattern) has no accuracy.",
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "curvature",
        title: "Curvature",
        choice: "both ends",
        series: &[
            (Series::LambdaMax, "lambda_max", Dash::Solid),
            (Series::LambdaMin, "lambda_min", Dash::Dashed),
        ],
        vertical: Vertical::SignedLog,
        // More would give the room to values that nobody asks for: the upper end and its lines are what is looked at.
        decades: 3,
        empty: CURVATURE,
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "sharpness",
        title: "Sharpness",
        choice: "lambda_max",
        series: &[(Series::LambdaMax, "lambda_max", Dash::Solid)],
        vertical: Vertical::Log,
        empty: CURVATURE,
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "trace",
        title: "Hessian trace",
        choice: "trace",
        series: &[(Series::HessianTrace, "trace", Dash::Solid)],
        vertical: Vertical::SignedLog,
        empty: CURVATURE,
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "flatness",
        title: "Relative flatness",
        choice: "relative flatness",
        series: &[(Series::RelativeFlatness, "relative flatness", Dash::Solid)],
        vertical: Vertical::SignedLog,
        empty: CURVATURE,
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "power-law",
        title: "Power-law exponent",
        choice: "power law",
        series: &[(Series::PowerLawExponent, "exponent", Dash::Solid)],
        empty: "No value yet. It needs the measure Curvature and at least two leading eigenvalues.",
        ..PLAIN
    },
    Plot {
        panel: Panel::Curvature,
        id: "residual",
        title: "Residual of lambda_max",
        choice: "residual",
        series: &[(Series::LambdaMaxResidual, "residual", Dash::Solid)],
        vertical: Vertical::Log,
        empty: CURVATURE,
        level: Some((1e-3, "0.001: converged below")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Lyapunov,
        id: "lyapunov",
        title: "Lyapunov",
        choice: "largest",
        series: &[
            (Series::LyapunovMax, "largest exponent", Dash::Solid),
            (Series::FlossingLoss, "flossing loss", Dash::Dotted),
        ],
        empty: LYAPUNOV,
        level: Some((0.0, "0: neither growing nor shrinking")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Lyapunov,
        id: "exponent",
        title: "Largest Lyapunov exponent",
        choice: "largest alone",
        series: &[(Series::LyapunovMax, "largest exponent", Dash::Solid)],
        empty: LYAPUNOV,
        level: Some((0.0, "0: neither growing nor shrinking")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Lyapunov,
        id: "lyapunov-sum",
        title: "Sum of the Lyapunov exponents",
        choice: "sum",
        series: &[(Series::LyapunovSum, "sum of those measured", Dash::Solid)],
        empty: LYAPUNOV,
        ..PLAIN
    },
    Plot {
        panel: Panel::Lyapunov,
        id: "flossing",
        title: "Flossing loss",
        choice: "flossing",
        series: &[(Series::FlossingLoss, "flossing loss", Dash::Solid)],
        vertical: Vertical::Log,
        empty: "No value. The run has no flossing: set its iterations in the experiment panel.",
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "alignment",
        title: "Alignment and gap",
        choice: "rho, cosine, gap",
        series: &[
            (Series::Rho, "rho", Dash::Solid),
            (Series::Cosine, "cosine", Dash::Dashed),
            (Series::GeneralizationGap, "gap", Dash::Dotted),
        ],
        empty: ALIGNMENT,
        level: Some((1.0, "1: the exact gradient")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "rho",
        title: "Rho and cosine",
        choice: "rho, cosine",
        series: &[(Series::Rho, "rho", Dash::Solid), (Series::Cosine, "cosine", Dash::Dashed)],
        empty: ALIGNMENT,
        level: Some((1.0, "1: the exact gradient")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "gap",
        title: "Generalization gap",
        choice: "gap",
        series: &[(Series::GeneralizationGap, "gap", Dash::Solid)],
        empty: "No value yet. Turn on the measure Test in the experiment panel.",
        level: Some((0.0, "0: no gap")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "shares",
        title: "Shares in the top subspace",
        choice: "top subspace",
        series: &[
            (Series::ErrorInTopSubspace, "of the rule's error", Dash::Solid),
            (Series::GradientInTopSubspace, "of the exact gradient", Dash::Dashed),
        ],
        empty: "No value yet. It needs the measures Curvature and Alignment; an exact rule has no error.",
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "update",
        title: "Update size",
        choice: "update size",
        series: &[(Series::UpdateRatio, "rule over exact", Dash::Solid)],
        vertical: Vertical::Log,
        empty: ALIGNMENT,
        level: Some((1.0, "1: as long as the exact gradient")),
        ..PLAIN
    },
    Plot {
        panel: Panel::Alignment,
        id: "taylor",
        title: "Taylor terms of one step",
        choice: "Taylor terms",
        series: &[
            (Series::TaylorFirst, "first, rule", Dash::Solid),
            (Series::TaylorSecond, "second, rule", Dash::Dashed),
            (Series::TaylorFirstExact, "first, exact", Dash::Dotted),
            (Series::TaylorSecondExact, "second, exact", Dash::Sparse),
        ],
        vertical: Vertical::SignedLog,
        empty: ALIGNMENT,
        ..PLAIN
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_can_be_seen_and_no_two_plots_share_a_name() {
        for series in Series::ALL {
            let shown = PLOTS.iter().any(|plot| plot.series.iter().any(|(own, ..)| own == series));
            assert!(shown, "{} is in no panel", series.name());
        }
        for (i, plot) in PLOTS.iter().enumerate() {
            assert!(PLOTS[..i].iter().all(|other| other.id != plot.id && other.title != plot.title));
        }
    }
}
