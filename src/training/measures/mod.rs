//! The measures of a run, each as a function of the weights at one iteration.
//!
//! A measure draws from streams of its own and works on copies: taking it, or not, changes no bit of the
//! training. It may run beside the training on another thread (the window) or between two updates (without
//! a screen); the numbers are the same.

mod alignment;
mod curvature;
mod landscape;
mod lyapunov;
mod test;

pub use alignment::AlignmentDetail;
pub use curvature::{CURVATURE_TOLERANCE, CurvatureDetail, DensityDetail, Eigenvalue, Leading, copies};
pub use landscape::{Named, OtherPath, SliceDetail, SliceRequest, SliceWork};
pub use lyapunov::{Along, LyapunovDetail};
pub use test::TestDetail;

use super::config::{Cadence, Config, Precision};
use super::history::{Row, Series};
use super::run::Checkpoint;
use super::trainer::{self, StartError};
use crate::numerics::landscape::LandscapeError;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::network::Network;
use crate::numerics::parallel::Workers;
use crate::numerics::scalar::Scalar;
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::Trials;
use crate::numerics::weights::Weights;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// Loss and accuracy on the test trials, and the generalization gap.
    Test,
    /// Both ends of the Hessian's spectrum, its leading eigenvalues, trace, power law and flatness.
    Curvature,
    /// Alignment of the rule's gradient with the exact one (after [`Measure::Curvature`], whose leading
    /// eigenvectors it uses).
    Alignment,
    /// Lyapunov exponents.
    Lyapunov,
    /// A slice of the landscape.
    Landscape,
    /// Spectral density of the Hessian. It has no cadence: it is taken when it is asked for.
    Density,
}

impl Measure {
    /// All that have a cadence, in the order in which they are taken at one iteration.
    pub const ALL: [Measure; 5] =
        [Measure::Test, Measure::Curvature, Measure::Alignment, Measure::Lyapunov, Measure::Landscape];

    /// The series that it writes.
    pub fn series(self) -> &'static [Series] {
        use Series::*;
        match self {
            Measure::Test => &[TestLoss, TestAccuracy, GeneralizationGap],
            Measure::Curvature => {
                &[LambdaMax, LambdaMin, LambdaMaxResidual, HessianTrace, PowerLawExponent, RelativeFlatness]
            }
            Measure::Alignment => &[
                Rho,
                Cosine,
                UpdateRatio,
                TaylorFirst,
                TaylorSecond,
                TaylorFirstExact,
                TaylorSecondExact,
                ErrorInTopSubspace,
                GradientInTopSubspace,
            ],
            Measure::Lyapunov => &[LyapunovMax, LyapunovSum],
            Measure::Landscape | Measure::Density => &[],
        }
    }

    /// How often the configuration asks for it.
    pub fn cadence(self, config: &Config) -> Cadence {
        let measure = &config.measure;
        match self {
            Measure::Test => measure.test,
            Measure::Curvature => measure.curvature,
            Measure::Alignment => measure.alignment,
            Measure::Lyapunov => measure.lyapunov,
            Measure::Landscape => measure.landscape,
            Measure::Density => Cadence::Never,
        }
    }
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Updates made.
    pub iteration: i64,
    /// The weights then.
    pub weights: &'a Weights<f64>,
    /// The learning rate of the next update (for Taylor terms and stability lines).
    pub learning_rate: f64,
    /// The first or the last measure of a run: exponents are then all taken.
    pub at_an_end: bool,
    /// The run's stored path, for slices along it; empty where there is none.
    pub trajectory: &'a Trajectory,
}

/// What a measure found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which measure.
    pub measure: Measure,
    /// Updates made.
    pub iteration: i64,
    /// Its values for the history.
    pub rows: Vec<Row>,
    /// Everything else, for screen and files.
    pub detail: Detail,
}

impl Finding {
    /// How far the slice is, where it is one.
    pub fn slice_progress(&self) -> Option<crate::numerics::landscape::slice::Progress> {
        match &self.detail {
            Detail::Landscape(Ok(slice)) => Some(slice.progress),
            _ => None,
        }
    }
}

/// What a measure found beyond the history's values.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Detail {
    Test(TestDetail),
    /// `None` where a Hessian-vector product was not finite.
    Curvature(Option<CurvatureDetail>),
    Alignment(AlignmentDetail),
    Lyapunov(LyapunovDetail),
    /// Or why there is none.
    Landscape(Result<SliceDetail, LandscapeError>),
    /// `None` where a Hessian-vector product was not finite.
    Density(Option<DensityDetail>),
}

/// State of a measurer by name, see [`Measurer::state`].
pub type MeasurerState = Vec<(String, Vec<f64>)>;

/// Takes the measures of one run.
pub trait Measurer: Send {
    /// Takes one. A slice asks `keep_on` between its points; `None` when it said no.
    fn measure(
        &mut self,
        measure: Measure,
        subject: Subject<'_>,
        workers: &dyn Workers,
        keep_on: &(dyn Fn() -> bool + Sync),
    ) -> Option<Finding>;

    /// Begins a slice that the caller then computes bit by bit. Eigenvectors are those that the curvature
    /// measure found at these weights, or found anew.
    ///
    /// # Errors
    /// Where it is known at once that there is no plane.
    fn begin_slice(
        &self,
        subject: Subject<'_>,
        request: &SliceRequest,
    ) -> Result<Box<dyn SliceWork>, LandscapeError>;

    /// Takes up a changed configuration (rule, measures, optimiser; not what needs a reset).
    fn change(&mut self, config: &Config);

    /// What a later measure depends on beyond the weights (start vectors of the eigenvalue search).
    fn state(&self) -> MeasurerState;

    /// Takes that up again, and the feedback that the run of the checkpoint learns with; start vectors that do not
    /// fit are ignored, and the search starts anew.
    fn restore(&mut self, from: &Checkpoint);
}

/// The measurer of a configuration.
pub fn measurer(config: &Config, data: &TaskData) -> Result<Box<dyn Measurer>, StartError> {
    Ok(match config.precision {
        Precision::F32 => Box::new(Measures::<f32>::new(config, data)?),
        Precision::F64 => Box::new(Measures::<f64>::new(config, data)?),
    })
}

/// What all measures of one run share.
struct Shared<T> {
    config: Config,
    network: Network<T>,
    probe: Trials<T>,
    weights: Weights<T>,
}

struct Measures<T> {
    shared: Shared<T>,
    test: test::Test<T>,
    curvature: curvature::Curvature<T>,
    alignment: alignment::Alignment<T>,
    lyapunov: lyapunov::Lyapunov<T>,
    path_losses: landscape::Known,
}

impl<T: Scalar> Measures<T> {
    fn new(config: &Config, data: &TaskData) -> Result<Self, StartError> {
        let task = trainer::task::<T>(config, data)?;
        let dims = trainer::dims(&config.network, &*task);
        let network = trainer::network(&config.network, dims);
        let probe = trainer::probe(config, &*task);
        Ok(Self {
            test: test::Test::new(config, &network, &*task),
            curvature: curvature::Curvature::new(config, &network),
            alignment: alignment::Alignment::new(config, &network, trainer::given_feedback(data)),
            lyapunov: lyapunov::Lyapunov::new(config, &network, data),
            path_losses: Default::default(),
            shared: Shared { config: config.clone(), network, probe, weights: Weights::zeros(dims) },
        })
    }
}

impl<T: Scalar> Measures<T> {
    fn take_up(&mut self, weights: &Weights<f64>) {
        let own = self.shared.weights.flat_mut().iter_mut().zip(weights.flat());
        own.for_each(|(own, w)| *own = T::of(*w));
    }
}

impl<T: Scalar> Measurer for Measures<T> {
    fn measure(
        &mut self,
        measure: Measure,
        subject: Subject<'_>,
        workers: &dyn Workers,
        keep_on: &(dyn Fn() -> bool + Sync),
    ) -> Option<Finding> {
        self.take_up(subject.weights);
        let iteration = subject.iteration;
        let mut rows = Vec::new();
        let mut push = |series, value| rows.push(Row { iteration, series, value });
        let shared = &self.shared;
        let detail = match measure {
            Measure::Test => Detail::Test(self.test.take(shared, workers, &mut push)),
            Measure::Curvature => Detail::Curvature(self.curvature.take(shared, subject, workers, &mut push)),
            Measure::Alignment => {
                let curvature = &mut self.curvature;
                Detail::Alignment(self.alignment.take(shared, subject, curvature, workers, &mut push))
            }
            Measure::Lyapunov => {
                Detail::Lyapunov(self.lyapunov.take(shared, subject.at_an_end, workers, &mut push))
            }
            Measure::Density => Detail::Density(self.curvature.density(shared, subject, workers)),
            Measure::Landscape => {
                let request = SliceRequest::of(&shared.config.measure);
                let whole = |mut work: Box<dyn SliceWork>| {
                    work.advance(usize::MAX, workers, keep_on)?;
                    Ok(work.detail().filter(|d| d.progress.is_complete()))
                };
                Detail::Landscape(match self.begin_slice(subject, &request).and_then(whole) {
                    Ok(slice) => Ok(slice?),
                    Err(error) => Err(error),
                })
            }
        };
        Some(Finding { measure, iteration, rows, detail })
    }

    fn begin_slice(
        &self,
        subject: Subject<'_>,
        request: &SliceRequest,
    ) -> Result<Box<dyn SliceWork>, LandscapeError> {
        landscape::begin(&self.shared, subject, request, self.curvature.leading(), &self.path_losses)
    }

    fn change(&mut self, config: &Config) {
        self.shared.config = config.clone();
        self.alignment.change(config, &self.shared.network);
    }

    fn state(&self) -> MeasurerState {
        self.curvature.state()
    }

    fn restore(&mut self, from: &Checkpoint) {
        self.curvature.restore(&from.measures);
        let Shared { config, network, .. } = &self.shared;
        let feedback = from.feedback_of(&config.rule).map(|own| own.iter().map(|v| T::of(*v)).collect());
        self.alignment = alignment::Alignment::new(config, network, feedback);
    }
}
