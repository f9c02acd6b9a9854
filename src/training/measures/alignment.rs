//! Owns the measure of alignment: the running rule's gradient against the exact one on the probe batch.

use super::{Leading, Shared};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::rules::rescale::rho;
use crate::numerics::rules::{Bptt, Rule};
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::{Weights, dot, norm};
use crate::training::config::Config;
use crate::training::history::Series;
use crate::training::rule::LearningRule;

/// What the alignment measure found, over the block of `measure.block`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignmentDetail {
    /// <g^, g> / <g, g>.
    pub rho: f64,
    /// Cosine between g^ and g.
    pub cosine: f64,
    /// ||g^|| / ||g||.
    pub update_ratio: f64,
    /// ||g^ - g|| / ||g||.
    pub relative_error: f64,
    /// Share of e = g^ - rho g (squared norm) in the span of the leading eigenvectors; `None` before those
    /// are known.
    pub error_in_top_subspace: Option<f64>,
    /// The same share of g.
    pub gradient_in_top_subspace: Option<f64>,
}

pub(super) struct Alignment<T> {
    rule: LearningRule<T>,
    pass: GradientPass<T>,
    gradients: Vec<Weights<T>>,
}

impl<T: Scalar> Alignment<T> {
    pub fn new(config: &Config, network: &Network<T>) -> Self {
        let rule = LearningRule::new(&config.rule, &config.network, network.dims, config.seed, None);
        let gradients = vec![Weights::zeros(network.dims); rule.parts().len() + 1];
        Self { rule, pass: GradientPass::new(network), gradients }
    }

    /// Takes up another rule.
    pub fn change(&mut self, config: &Config, network: &Network<T>) {
        *self = Self::new(config, network);
    }

    pub fn take(
        &mut self,
        shared: &Shared<T>,
        leading: Option<Leading<'_>>,
        workers: &dyn Workers,
        push: &mut dyn FnMut(Series, f64),
    ) -> AlignmentDetail {
        let block = shared.config.measure.block;
        let mut rules: Vec<&dyn Rule<T>> = self.rule.parts().collect();
        rules.push(&Bptt);
        self.pass.run(&shared.weights, &shared.probe, &rules, &mut self.gradients, workers);
        let exact = self.gradients.len() - 1;
        let own = self.rule.compose(&mut self.gradients[..exact]);
        let (g_hat, g) = (self.gradients[own].block(block), self.gradients[exact].block(block));
        let (norm_hat, norm_g) = (norm(g_hat), norm(g));
        let rho = rho(g_hat, g).unwrap_or(f64::NAN);
        let error: Vec<f64> = g_hat.iter().zip(g).map(|(a, b)| a.f64() - rho * b.f64()).collect();
        let difference: Vec<f64> = g_hat.iter().zip(g).map(|(a, b)| a.f64() - b.f64()).collect();
        let exact: Vec<f64> = g.iter().map(|g| g.f64()).collect();
        let leading = leading.filter(|l| l.block == block);
        let detail = AlignmentDetail {
            rho,
            cosine: dot(g_hat, g) / (norm_hat * norm_g),
            update_ratio: norm_hat / norm_g,
            relative_error: norm(&difference) / norm_g,
            error_in_top_subspace: leading.map(|l| share_in_span(&error, l.vectors)),
            gradient_in_top_subspace: leading.map(|l| share_in_span(&exact, l.vectors)),
        };
        push(Series::Rho, detail.rho);
        push(Series::Cosine, detail.cosine);
        push(Series::UpdateRatio, detail.update_ratio);
        if let Some(share) = detail.error_in_top_subspace {
            push(Series::ErrorInTopSubspace, share);
        }
        if let Some(share) = detail.gradient_in_top_subspace {
            push(Series::GradientInTopSubspace, share);
        }
        detail
    }
}

/// Share of the squared norm of `v` that lies in the span of orthonormal `vectors`; NaN where v is 0.
fn share_in_span(v: &[f64], vectors: &[Vec<f64>]) -> f64 {
    vectors.iter().map(|u| dot(u, v).powi(2)).sum::<f64>() / dot(v, v)
}
