//! Owns [`measure_network`]: everything that can be said of one network on one batch, in f64, whoever trained
//! it.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2};

use super::config::{Config, RuleConfig, RuleKind};
use super::flossing::first_tangents;
use super::measures::{Along, copies};
use super::rule::LearningRule;
use crate::numerics::curvature::NotFinite;
use crate::numerics::curvature::alignment::{
    Alignment, Rest, TopShares, alignment, ends_within_an_eigenspace, shares_in_top,
};
use crate::numerics::curvature::lanczos::{Eigenpair, Wanted};
use crate::numerics::curvature::measure::CurvatureMeasure;
use crate::numerics::curvature::power_law::{power_law_exponent, resolved};
use crate::numerics::curvature::trace::Estimate;
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::plane::Plane;
use crate::numerics::landscape::slice::{Grid, Slice};
use crate::numerics::landscape::surface::{NetworkSurface, Surface};
use crate::numerics::landscape::trajectory::{PathPoint, Trajectory};
use crate::numerics::lyapunov::{
    Exponents, Flossing, FlossingOutcome, FlossingSettings, LyapunovSpectrum, Orthonormalise,
    SpectrumSettings, q0_fits,
};
use crate::numerics::network::{Activity, Network, PackedWeights};
use crate::numerics::parallel::{Workers, chunks};
use crate::numerics::random::{Purpose, Stream};
use crate::numerics::rules::gradient::GradientPass;
use crate::numerics::rules::{Bptt, Rule};
use crate::numerics::trials::Trials;
use crate::numerics::weights::{Block, Weights};

/// A network as it was given.
#[derive(Clone, Debug)]
pub struct Given {
    /// The model.
    pub network: Network<f64>,
    /// Its weights.
    pub weights: Weights<f64>,
    /// The batch on which all is measured.
    pub probe: Trials<f64>,
    /// RFLO's feedback [n_out, N]; `None`: drawn from the seed.
    pub feedback: Option<Vec<f64>>,
    /// Where tangents start; `None`: drawn from the seed.
    pub q0: Option<Array2<f64>>,
    /// A slice to evaluate; `None`: no slice.
    pub slice: Option<GivenSlice>,
    /// Rules, measures, flossing and seed. Of its network and task nothing is read but the distribution of
    /// readout weights.
    pub config: Config,
}

/// A slice as it was given: directions of the block around the weights, and coordinates.
#[derive(Clone, Debug)]
pub struct GivenSlice {
    /// [nx]
    pub a: Vec<f64>,
    /// [ny]
    pub b: Vec<f64>,
    /// The block of its directions.
    pub block: Block,
    /// [P of the block]
    pub direction_1: Vec<f64>,
    /// [P of the block]
    pub direction_2: Vec<f64>,
    /// The states of the run that the network comes from; empty where they are not known.
    pub path: Trajectory,
}

/// Outputs on the probe batch, and gradients there.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// The true loss, without L2.
    pub loss: f64,
    /// Readout [T, B, n_out].
    pub y: Array3<f64>,
    /// The exact gradient.
    pub exact: Weights<f64>,
    /// Of each rule asked for.
    pub rules: Vec<(RuleKind, Weights<f64>)>,
    /// RFLO's feedback [n_out, N], where RFLO was asked for.
    pub feedback: Option<Vec<f64>>,
}

/// What the Hessian of a block says.
#[derive(Clone, Debug)]
pub struct Curvature {
    /// The leading eigenpairs, descending.
    pub top: Vec<Eigenpair<f64>>,
    /// The algebraically smallest.
    pub bottom: Eigenpair<f64>,
    /// Trace of the block's Hessian.
    pub trace: Estimate,
    /// Relative flatness of w_rec.
    pub relative_flatness: Estimate,
    /// Over the eigenvalues that are resolved ([`resolved`]); `None` for fewer than two.
    pub power_law_exponent: Option<f64>,
}

/// All that was measured; a part is an error or `None` where it is not defined.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Outputs and gradients, of every rule.
    pub gradients: Gradients,
    /// Of the configured rule over the block; `None` where a gradient is 0.
    pub alignment: Option<Alignment>,
    /// Shares of error and gradient in the span of the leading eigenvectors; none where there are none, or where they
    /// end within an eigenspace.
    pub top_shares: TopShares,
    /// Whether they do.
    pub top_is_cut: bool,
    /// Curvature of the block.
    pub curvature: Result<Curvature, NotFinite>,
    /// Exponents along the probe's trajectories, or of free runs where `measure.lyapunov_drive` is `"none"`.
    pub exponents: Exponents,
    /// Where the tangents started.
    pub q0: Array2<f64>,
    /// F at the configured k, variant and skip, with its gradient; always along the probe's trajectories.
    pub flossing: (FlossingOutcome, Weights<f64>),
    /// The slice, where one was given.
    pub slice: Option<Result<Grid, LandscapeError>>,
    /// The path in the plane of the slice, with true losses; empty where there is none.
    pub slice_path: Vec<PathPoint>,
}

/// Why a network cannot be measured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeasureError {
    /// Q_0 has the wrong shape.
    #[error(
        "lyapunov_q0 has {rows} x {columns} values, expected {expected} rows and as many columns as exponents"
    )]
    Q0 {
        /// Rows found.
        rows: usize,
        /// Columns found.
        columns: usize,
        /// Rows expected.
        expected: usize,
    },
    /// Q_0's columns are no orthonormal tangents.
    #[error("lyapunov_q0: its columns are off orthonormal by {off:.1e}, expected at most {ORTHONORMAL:.0e}")]
    NotOrthonormal {
        /// The largest entry of |Q_0' Q_0 - I|.
        off: f64,
    },
}

/// How far a given Q_0 may be off orthonormal: what the rounding of f32 leaves (`[own]`).
const ORTHONORMAL: f64 = 1e-6;

/// Residual to which eigenpairs are found (`[own]`; the eigenvalues' own errors are about its square).
const TOLERANCE: f64 = 1e-9;

/// Products of trace and flatness each: exact up to so many weights, an estimate above (`[own]`).
const TRACE_PRODUCTS: usize = 1000;

/// Every rule, as `measure` writes them.
pub const EVERY_RULE: [RuleKind; 7] = [
    RuleKind::Bptt,
    RuleKind::EProp,
    RuleKind::Rflo,
    RuleKind::Mdgl,
    RuleKind::TruncatedBptt,
    RuleKind::ScaledBptt,
    RuleKind::Upscaled,
];

/// Measures all that can be measured.
///
/// # Errors
/// Where Q_0 does not fit the network. A measure that is not defined (a Hessian that is not finite, a slice
/// without a plane) is an error in its own place.
pub fn measure_network(given: &Given, workers: &dyn Workers) -> Result<Measured, MeasureError> {
    let Given { network, weights, probe, config, .. } = given;
    let (n_exponents, q0) = tangents(given)?;
    let block = config.measure.block;
    let gradients = gradients(given, &EVERY_RULE, workers);
    let curvature = curvature(given, workers);
    let own = gradients.rules.iter().find(|(kind, _)| *kind == config.rule.kind);
    let rule = own.map_or(&gradients.exact, |(_, g)| g).block(block);
    let top_is_cut = curvature.as_ref().is_ok_and(|found| ends_within(given, found));
    let top = curvature.as_ref().ok().filter(|_| !top_is_cut).map(|found| &found.top);
    let shares = |top: &Vec<_>| shares_in_top(rule, gradients.exact.block(block), top);
    let settings = SpectrumSettings {
        orthonormalise: Orthonormalise::EveryStep,
        ..SpectrumSettings::leading(n_exponents, config.measure.lyapunov_skip)
    };
    let along = Along { drive: config.measure.lyapunov_drive, probe, seed: config.seed };
    let spectrum = &mut LyapunovSpectrum::new(network);
    let exponents = along.exponents(spectrum, weights, settings, q0.view(), workers);
    Ok(Measured {
        alignment: alignment(rule, gradients.exact.block(block)),
        top_shares: top.map_or(TopShares { error: None, gradient: None }, shares),
        top_is_cut,
        slice: given.slice.as_ref().map(|slice| evaluate(given, slice, workers)),
        slice_path: given.slice.as_ref().and_then(|slice| path(given, slice).ok()).unwrap_or_default(),
        flossing: flossing(given, q0.view(), workers),
        gradients,
        curvature,
        exponents,
        q0,
    })
}

/// How many exponents are taken, and the tangents that they start from: those given, or drawn from the seed.
///
/// # Errors
/// Given tangents that do not fit the network, or are not orthonormal.
pub fn tangents(given: &Given) -> Result<(usize, Array2<f64>), MeasureError> {
    let Given { network, config, .. } = given;
    let n_state = LyapunovSpectrum::new(network).n_state();
    let asked = config.measure.lyapunov_exponents;
    let n_exponents = if asked == 0 { n_state } else { asked.min(n_state) };
    let Some(q0) = given.q0.clone() else { return Ok((n_exponents, first_tangents(config.seed, network))) };
    if !q0_fits(q0.dim(), n_exponents.max(config.flossing.k.min(n_state)), network) {
        let (rows, columns) = q0.dim();
        return Err(MeasureError::Q0 { rows, columns, expected: n_state });
    }
    orthonormal(&q0)?;
    Ok((n_exponents, q0))
}

/// Whether the columns of a given Q_0 [n, n] are orthonormal tangents.
///
/// # Errors
/// By how much they are not.
pub fn orthonormal(q0: &Array2<f64>) -> Result<(), MeasureError> {
    let entry = |(i, a): (usize, ArrayView1<'_, f64>), (j, b): (usize, ArrayView1<'_, f64>)| {
        let product: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
        (product - f64::from(u8::from(i == j))).abs()
    };
    let columns = || q0.columns().into_iter().enumerate();
    let off = columns().flat_map(|a| columns().map(move |b| entry(a, b))).fold(0.0, f64::max);
    if off > ORTHONORMAL {
        return Err(MeasureError::NotOrthonormal { off });
    }
    Ok(())
}

/// F at the configured k, variant and skip, with its gradient, of the network given; tangents start at `q0`.
pub fn flossing(
    given: &Given,
    q0: ArrayView2<'_, f64>,
    workers: &dyn Workers,
) -> (FlossingOutcome, Weights<f64>) {
    let Given { network, weights, probe, config, .. } = given;
    let (k, variant) = (config.flossing.k, config.flossing.variant);
    let settings = FlossingSettings { k, variant, skip: config.measure.lyapunov_skip };
    let mut gradient = Weights::zeros(network.dims);
    let mut flossing = Flossing::new(network);
    let found = flossing.loss_and_gradient(weights, probe, settings, q0, workers, &mut gradient);
    (found, gradient)
}

/// Outputs, loss, the exact gradient and that of each of `rules`, of the network given.
pub fn gradients(given: &Given, rules: &[RuleKind], workers: &dyn Workers) -> Gradients {
    let Given { network, weights, probe, config, .. } = given;
    let mut pass = GradientPass::new(network);
    let mut exact = [Weights::zeros(network.dims)];
    let loss = pass.run(weights, probe, &[&Bptt], &mut exact, workers).loss;
    let [exact] = exact;
    let mut feedback = None;
    let of_rule = |kind: &RuleKind| {
        let rule = RuleConfig { kind: *kind, ..config.rule };
        let given_feedback = given.feedback.clone();
        let rule = LearningRule::new(&rule, &config.network, network.dims, config.seed, given_feedback);
        let parts: Vec<&dyn Rule<f64>> = rule.parts().collect();
        let mut own = vec![Weights::zeros(network.dims); parts.len()];
        pass.run(weights, probe, &parts, &mut own, workers);
        if let Some(b) = rule.feedback() {
            feedback = Some(b.to_vec());
        }
        let which = rule.compose(&mut own);
        (*kind, own.swap_remove(which))
    };
    let rules = rules.iter().map(of_rule).collect();
    Gradients { loss, y: outputs(network, weights, probe), exact, rules, feedback }
}

/// Readout on every step of every trial, [T, B, n_out].
fn outputs(network: &Network<f64>, weights: &Weights<f64>, probe: &Trials<f64>) -> Array3<f64> {
    let (n_steps, n_out) = (probe.n_steps(), network.dims.n_out);
    let mut y = Array3::zeros((n_steps, probe.n_batch(), n_out));
    let mut packed = PackedWeights::zeros(network.dims);
    packed.pack(network, weights);
    for (first, n_batch) in chunks(probe.n_batch()) {
        let mut activity = Activity::new(network, n_steps, n_batch, false);
        activity.load(probe, first);
        activity.forward(network, &packed);
        for (row, values) in activity.y.chunks_exact(n_out).enumerate() {
            let own = ndarray::s![row / n_batch, first + row % n_batch, ..];
            y.slice_mut(own).iter_mut().zip(values).for_each(|(y, v)| *y = *v);
        }
    }
    y
}

fn curvature(given: &Given, workers: &dyn Workers) -> Result<Curvature, NotFinite> {
    let Given { network, weights, probe, config, .. } = given;
    let (block, l2, top_k) = (config.measure.block, config.optimizer.l2, config.measure.top_k.max(1));
    let stream = |number| Stream::numbered(config.seed, Purpose::Measures, number);
    let mut measure = CurvatureMeasure::new(network);
    let mut at = measure.at(weights, probe, block, l2, workers);
    let wanted = Wanted {
        top: top_k,
        bottom: 1,
        tolerance: TOLERANCE,
        max_products: 1000 + 100 * top_k,
        multiplicities: true,
    };
    let found = at.extremes(wanted, &mut stream(4))?;
    let fitted = resolved(found.top.iter().map(|pair| (pair.value, pair.residual)));
    let bottom = found.bottom.into_iter().next().ok_or(NotFinite { products: found.products })?;
    Ok(Curvature {
        top: found.top,
        bottom,
        trace: at.trace(TRACE_PRODUCTS, &mut stream(5))?,
        relative_flatness: at.relative_flatness(weights, TRACE_PRODUCTS, &mut stream(6))?,
        power_law_exponent: power_law_exponent(&fitted),
    })
}

/// Whether the leading eigenvalues end within an eigenspace.
fn ends_within(given: &Given, found: &Curvature) -> bool {
    let (block, dims) = (given.config.measure.block, given.weights.dims());
    let values: Vec<f64> = found.top.iter().map(|pair| pair.value).collect();
    let rest = Rest {
        smallest: found.bottom.value,
        count: block.range(dims).len(),
        raised_by: given.config.optimizer.l2,
        copies: copies(block, &given.probe, dims),
    };
    ends_within_an_eigenspace::<f64>(&values, rest)
}

fn plane(given: &Given, slice: &GivenSlice) -> Result<Plane, LandscapeError> {
    let (d1, d2) = (slice.direction_1.clone(), slice.direction_2.clone());
    Plane::new(given.weights.clone(), slice.block, d1, d2)
}

/// The states of the path in the plane of the slice.
fn path(given: &Given, slice: &GivenSlice) -> Result<Vec<PathPoint>, LandscapeError> {
    let plane = plane(given, slice)?;
    let surface = NetworkSurface::new(&given.network, &given.probe, &plane, 1);
    let mut path = slice.path.path(&plane, &|| true)?;
    for (point, state) in path.iter_mut().zip(slice.path.states()) {
        let at = point.coordinates;
        point.loss = surface.loss_of(&state.weights(), &|| true);
        point.loss_in_plane = Some(surface.loss(at.a, at.b));
    }
    Ok(path)
}

fn evaluate(given: &Given, slice: &GivenSlice, workers: &dyn Workers) -> Result<Grid, LandscapeError> {
    let plane = plane(given, slice)?;
    let surface = NetworkSurface::new(&given.network, &given.probe, &plane, workers.width());
    let mut grid = Slice::new(slice.a.clone(), slice.b.clone());
    grid.advance(&surface, workers, usize::MAX, &|| false);
    // Nothing cancels it, so it is complete.
    let empty = || Grid { a: slice.a.clone(), b: slice.b.clone(), loss: Vec::new() };
    Ok(grid.complete().unwrap_or_else(empty))
}
