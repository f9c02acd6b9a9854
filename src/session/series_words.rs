//! Owns the words, units and scales of series on the axes of sweeps and of the papers' figures.

use crate::training::history::Series;

/// A series in the words of an axis.
pub fn in_words(series: Series) -> &'static str {
    match series {
        Series::TrainLoss => "training loss",
        Series::TrainAccuracy => "training accuracy",
        Series::TestLoss => "test loss",
        Series::TestAccuracy => "test accuracy",
        Series::GeneralizationGap => "generalization gap",
        Series::LearningRate => "learning rate",
        Series::LambdaMax => "leading Hessian eigenvalue",
        Series::LambdaMin => "smallest Hessian eigenvalue",
        Series::LambdaMaxResidual => "residual of the leading eigenvalue",
        Series::HessianTrace => "Hessian trace",
        Series::PowerLawExponent => "power-law exponent",
        Series::RelativeFlatness => "relative flatness",
        Series::Rho => "rho",
        Series::Cosine => "cosine",
        Series::UpdateRatio => "update ratio",
        Series::TaylorFirst => "first-order change of the loss",
        Series::TaylorSecond => "second-order change of the loss",
        Series::TaylorFirstExact => "first-order change, exact gradient",
        Series::TaylorSecondExact => "second-order change, exact gradient",
        Series::ErrorInTopSubspace => "error in top subspace",
        Series::GradientInTopSubspace => "gradient in top subspace",
        Series::LyapunovMax => "largest Lyapunov exponent",
        Series::LyapunovSum => "sum of Lyapunov exponents",
        Series::FlossingLoss => "flossing loss",
        Series::GradientNorm => "gradient norm",
        Series::WeightNorm => "weight norm",
    }
}

/// The unit of a series; empty for a pure number, and for what has the unit of the loss, which is the task's.
pub fn unit(series: Series) -> &'static str {
    match series {
        Series::LyapunovMax | Series::LyapunovSum => "nats per step",
        Series::LambdaMax | Series::LambdaMin | Series::HessianTrace => "loss per squared weight",
        Series::TrainAccuracy | Series::TestAccuracy => "share of trials",
        _ => "",
    }
}

/// A series with its unit, for an axis.
pub fn label(series: Series) -> String {
    match unit(series) {
        "" => in_words(series).into(),
        unit => format!("{} ({unit})", in_words(series)),
    }
}

/// Whether an axis with these values of a series is logarithmic: it is never negative by nature, is seen by its
/// factors, and none of the values is 0 or below.
pub fn is_log(series: Series, values: impl IntoIterator<Item = f64>) -> bool {
    let by_factors = matches!(series, Series::TrainLoss | Series::TestLoss | Series::LambdaMax);
    by_factors && values.into_iter().all(|v| v > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_words_of_its_own() {
        let mut words: Vec<&str> = Series::ALL.iter().map(|s| in_words(*s)).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Series::ALL.len());
    }

    #[test]
    fn an_axis_is_logarithmic_where_its_values_allow() {
        assert!(is_log(Series::LambdaMax, [1e-3, 5.0]));
        assert!(!is_log(Series::LambdaMax, [1e-3, -5.0]));
        assert!(!is_log(Series::TestLoss, [0.0]));
        assert!(!is_log(Series::LyapunovMax, [0.5]));
    }
}
