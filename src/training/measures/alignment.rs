//! Owns the measure of alignment: the running rule's gradient against the exact one on the probe batch.

use super::curvature::Curvature;
use super::{Shared, Subject};
use crate::numerics::curvature::alignment::{
    Alignment as Lie, TaylorTerms, TopShares, alignment, shares_in_top,
};
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::rules::{Bptt, Rule};
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::Weights;
use crate::training::config::{Config, RuleConfig};
use crate::training::history::Series;
use crate::training::rule::LearningRule;

/// What the alignment measure found, over the block of `measure.block`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlignmentDetail {
    /// rho, cosine, sizes; `None` where the exact gradient is 0 or something is not finite.
    pub lie: Option<Lie>,
    /// Shares of e = g^ - rho g and of g (squared norms) in the span of the leading eigenvectors; `None` where
    /// those of these weights have not been measured, or end within an eigenspace.
    pub top_shares: Option<TopShares>,
    /// Whether the leading eigenvectors of these weights were measured and end within an eigenspace.
    pub top_is_cut: bool,
    /// Change of the loss in one step of the rule, and in one of exact gradient descent, at the present rate;
    /// `None` where a Hessian-vector product is not finite.
    pub taylor: Option<[TaylorTerms; 2]>,
}

pub(super) struct Alignment<T> {
    settings: RuleConfig,
    rule: LearningRule<T>,
    pass: GradientPass<T>,
    gradients: Vec<Weights<T>>,
}

impl<T: Scalar> Alignment<T> {
    /// RFLO's feedback is drawn from the seed, or is the one given.
    pub fn new(config: &Config, network: &Network<T>, feedback: Option<Vec<T>>) -> Self {
        let rule = LearningRule::new(&config.rule, &config.network, network.dims, config.seed, feedback);
        let gradients = vec![Weights::zeros(network.dims); rule.parts().len() + 1];
        Self { settings: config.rule, rule, pass: GradientPass::new(network), gradients }
    }

    /// Takes up another rule; its feedback is then drawn, as the run's own is.
    pub fn change(&mut self, config: &Config, network: &Network<T>) {
        if self.settings != config.rule {
            *self = Self::new(config, network, None);
        }
    }

    pub fn take(
        &mut self,
        shared: &Shared<T>,
        Subject { iteration, learning_rate: eta, .. }: Subject<'_>,
        curvature: &mut Curvature<T>,
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
        let lie = alignment(g_hat, g);
        // Those of other weights say nothing of this gradient.
        let leading = curvature.leading().filter(|l| (l.block, l.iteration) == (block, iteration));
        let top_is_cut = leading.is_some_and(|leading| leading.is_cut);
        let top_shares = leading.filter(|l| !l.is_cut).map(|l| shares_in_top(g_hat, g, l.pairs));
        let taylor = curvature.taylor_terms(shared, eta, g, g_hat, workers).ok();
        if let Some(lie) = lie {
            push(Series::Rho, lie.rho);
            lie.cosine.into_iter().for_each(|c| push(Series::Cosine, c));
            push(Series::UpdateRatio, lie.update_ratio);
        }
        if let Some([rule, exact]) = taylor {
            push(Series::TaylorFirst, rule.first);
            push(Series::TaylorSecond, rule.second);
            push(Series::TaylorFirstExact, exact.first);
            push(Series::TaylorSecondExact, exact.second);
        }
        if let Some(shares) = top_shares {
            shares.error.into_iter().for_each(|s| push(Series::ErrorInTopSubspace, s));
            shares.gradient.into_iter().for_each(|s| push(Series::GradientInTopSubspace, s));
        }
        AlignmentDetail { lie, top_shares, top_is_cut, taylor }
    }
}
