//! Owns the initial weights.

use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::scalar::Scalar;
use super::weights::{Dims, Weights};

/// The distribution of initial input or readout weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// U(-1/sqrt(fan_in), 1/sqrt(fan_in)), PyTorch's linear layer (P2's code).
    UniformFanIn,
    /// N(0, 2/fan_in) (He et al. 2015; P1's code for `w_in`).
    He,
    /// U(-l, l), l = sqrt(6/(fan_in + fan_out)) (Glorot and Bengio 2010; P1's code for `w_out`).
    Glorot,
}

impl Init {
    /// Fills `matrix` [fan_out, fan_in] in row-major order, times `scale`.
    pub fn fill<T: Scalar>(
        self,
        matrix: &mut ndarray::ArrayViewMut2<'_, T>,
        scale: f64,
        stream: &mut Stream,
    ) {
        let (fan_out, fan_in) = matrix.dim();
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        match self {
            Init::UniformFanIn => stream.fill_uniform(matrix, scale / fan_in.sqrt()),
            Init::He => stream.fill_normal(matrix, scale * (2.0 / fan_in).sqrt()),
            Init::Glorot => stream.fill_uniform(matrix, scale * (6.0 / (fan_in + fan_out)).sqrt()),
        }
    }
}

/// How all weights start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialWeights {
    /// g: `w_rec ~ N(0, g^2/N)` (P2).
    pub gain: f64,
    /// Distribution of `w_in`.
    pub input: Init,
    /// Factor on `w_in`.
    pub input_scale: f64,
    /// Distribution of `w_out`.
    pub readout: Init,
    /// Factor on `w_out`.
    pub readout_scale: f64,
}

impl InitialWeights {
    /// Draws `w_rec`, then `w_in`, then `w_out`. The same stream with another gain gives the same
    /// `w_rec` scaled.
    pub fn draw<T: Scalar>(&self, dims: Dims, stream: &mut Stream) -> Weights<T> {
        let mut weights = Weights::zeros(dims);
        stream.fill_normal(&mut weights.w_rec_mut(), self.gain / (dims.n_rec as f64).sqrt());
        self.input.fill(&mut weights.w_in_mut(), self.input_scale, stream);
        self.readout.fill(&mut weights.w_out_mut(), self.readout_scale, stream);
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::random::Purpose;

    /// Sample standard deviations of 200 x 200 draws lie within 2 % of the definition (their own standard
    /// error is 0.35 % to 0.5 %).
    #[test]
    fn initial_weights_have_the_spread_of_their_definition() {
        let dims = Dims { n_in: 200, n_rec: 200, n_out: 200 };
        let sd = |v: &[f64]| (v.iter().map(|x| x * x).sum::<f64>() / v.len() as f64).sqrt();
        for (init, expected) in [
            (Init::UniformFanIn, 1.0 / (3.0 * 200.0f64).sqrt()),
            (Init::He, (2.0f64 / 200.0).sqrt()),
            (Init::Glorot, (6.0f64 / 400.0 / 3.0).sqrt()),
        ] {
            let start = InitialWeights {
                gain: 1.5,
                input: init,
                input_scale: 2.0,
                readout: init,
                readout_scale: 0.5,
            };
            let w: Weights<f64> = start.draw(dims, &mut Stream::new(1, Purpose::Weights));
            use crate::numerics::weights::Block::*;
            for (block, expected) in
                [(Recurrent, 1.5 / 200f64.sqrt()), (Input, 2.0 * expected), (Readout, 0.5 * expected)]
            {
                let ratio = sd(w.block(block)) / expected;
                assert!((ratio - 1.0).abs() < 0.02, "{init:?} {block:?}: {ratio}");
            }
        }
    }
}
