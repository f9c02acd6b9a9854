//! Owns [`LearningRule`]: the configured rule as gradients of plain rules and what is done with them.

use super::config::{NetworkConfig, RuleConfig, RuleKind};
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::rescale::{rho, scale_recurrent_and_input};
use crate::numerics::rules::{Bptt, EProp, Mdgl, Rflo, Rule, TruncatedBptt};
use crate::numerics::scalar::Scalar;
use crate::numerics::weights::{Block, Dims, Weights};

/// A configured rule: which plain rules' gradients it needs, and how they become its own.
pub struct LearningRule<T> {
    kind: RuleKind,
    fixed_rho: Option<f64>,
    parts: Vec<Box<dyn Rule<T>>>,
    feedback: Option<Vec<T>>,
}

impl<T: Scalar> LearningRule<T> {
    /// The rule of `config`. RFLO's feedback is drawn from the seed's own stream, or is the one given.
    pub fn new(
        config: &RuleConfig,
        network: &NetworkConfig,
        dims: Dims,
        seed: u64,
        feedback: Option<Vec<T>>,
    ) -> Self {
        let mut drawn = None;
        let mut plain = |kind: RuleKind| -> Box<dyn Rule<T>> {
            match kind {
                RuleKind::EProp => Box::new(EProp),
                RuleKind::Mdgl => Box::new(Mdgl),
                RuleKind::TruncatedBptt => Box::new(TruncatedBptt { window: config.window }),
                RuleKind::Rflo => {
                    let rule = match &feedback {
                        Some(feedback) => Rflo::new(feedback.clone()),
                        None => {
                            let mut stream = Stream::new(seed, Purpose::Feedback);
                            Rflo::draw(dims, config.feedback.scale, network.init.readout, &mut stream)
                        }
                    };
                    drawn = Some(rule.feedback().to_vec());
                    Box::new(rule)
                }
                // The configuration keeps composed rules out of `rho.of`.
                RuleKind::Bptt | RuleKind::ScaledBptt | RuleKind::Upscaled => Box::new(Bptt),
            }
        };
        let RuleConfig { kind, rho, .. } = *config;
        let parts = match (kind, rho.value) {
            (RuleKind::ScaledBptt, None) | (RuleKind::Upscaled, None) => {
                vec![plain(rho.of), plain(RuleKind::Bptt)]
            }
            (RuleKind::ScaledBptt, Some(_)) => vec![plain(RuleKind::Bptt)],
            (RuleKind::Upscaled, Some(_)) => vec![plain(rho.of)],
            _ => vec![plain(kind)],
        };
        Self { kind, fixed_rho: rho.value, parts, feedback: drawn }
    }

    /// The plain rules whose gradients [`LearningRule::compose`] takes, in this order.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &dyn Rule<T>> {
        self.parts.iter().map(|r| &**r)
    }

    /// RFLO's fixed feedback [n_out, N], where it is used.
    pub fn feedback(&self) -> Option<&[T]> {
        self.feedback.as_deref()
    }

    /// Turns the gradients of the parts into the rule's own, in place; which of them it is.
    ///
    /// `scaled-bptt` is the exact gradient times rho, `upscaled` the rule's divided by rho (P1 Eq. 9), both
    /// on `w_rec` and `w_in` only. Where the exact gradient is 0 there is no rho: both are then 0.
    pub fn compose(&self, gradients: &mut [Weights<T>]) -> usize {
        let (own, factor) = match self.kind {
            RuleKind::ScaledBptt | RuleKind::Upscaled => {
                let rho = self.fixed_rho.or_else(|| {
                    rho(gradients[0].block(Block::Recurrent), gradients[1].block(Block::Recurrent))
                });
                let up = self.kind == RuleKind::Upscaled;
                let own = if up { 0 } else { gradients.len() - 1 };
                (own, rho.map_or(0.0, |rho| if up { 1.0 / rho } else { rho }))
            }
            _ => return 0,
        };
        scale_recurrent_and_input(&mut gradients[own], factor);
        own
    }
}
