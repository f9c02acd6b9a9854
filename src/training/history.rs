//! Owns [`Series`], the names of all curves, and [`History`], their values.

/// Declares the series with their file names and what they are.
macro_rules! series {
    ($($variant:ident $name:literal $meaning:literal,)*) => {
        /// A curve of a run, by its name in files.
        ///
        /// A value at iteration n belongs to the weights after n updates. Where a round of flossing comes between two
        /// updates, train_loss, train_accuracy, gradient_norm and weight_norm are those of the weights after the
        /// round, from which the update is made; all others are of the weights before it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Series { $(#[doc = $meaning] $variant,)* }

        impl Series {
            /// All series, in the order of the files.
            pub const ALL: &'static [Series] = &[$(Series::$variant,)*];

            /// The name in files.
            pub fn name(self) -> &'static str {
                match self { $(Series::$variant => $name,)* }
            }

            /// What it is, its unit and where it is defined.
            pub fn meaning(self) -> &'static str {
                match self { $(Series::$variant => $meaning,)* }
            }
        }
    };
}

series! {
    TrainLoss "train_loss" "Loss on the training batch of the iteration, before its update",
    TrainAccuracy "train_accuracy" "Share of trials of the training batch judged right",
    TestLoss "test_loss" "Loss on the fixed test trials",
    TestAccuracy "test_accuracy" "Share of the fixed test trials judged right",
    GeneralizationGap "generalization_gap" "Train accuracy minus test accuracy; of a task without accuracy (pattern, a file of targets) test error minus train error, the errors being losses (P1). The train value is that of the probe batch, on the weights of the iteration: the training batch itself in a full-batch task, else fixed trials drawn as training trials are",
    LearningRate "learning_rate" "Learning rate of the iteration's update, after the schedule",
    LambdaMax "lambda_max" "Largest Hessian eigenvalue of the chosen block on the probe batch (sharpness), in units of loss per squared weight (P1, figure 3; by Lanczos iteration)",
    LambdaMin "lambda_min" "Algebraically smallest Hessian eigenvalue of the chosen block on the probe batch",
    LambdaMaxResidual "lambda_max_residual" "||Hv - lambda v|| / |lambda| of lambda_max",
    HessianTrace "hessian_trace" "Trace of the Hessian of the chosen block: Hutchinson's estimate with its standard error, exact at both ends of a small run",
    PowerLawExponent "power_law_exponent" "Exponent of the power law through the leading eigenvalues (weighted least squares)",
    RelativeFlatness "relative_flatness" "Tr[(W W^T kron I) H] over w_rec (Petzka et al. 2021): Hutchinson's estimate with its standard error, exact at both ends of a small run",
    Rho "rho" "<g^, g> / <g, g>: how far the rule's gradient goes along the exact one (P1 Eq. 6)",
    Cosine "cosine" "Cosine between the rule's gradient and the exact one",
    UpdateRatio "update_ratio" "||g^|| / ||g||, the rule's gradient norm over the exact one's",
    TaylorFirst "taylor_first" "First-order change of the loss in one step of the rule, -eta <g, g^>",
    TaylorSecond "taylor_second" "Second-order change of the loss in one step of the rule, eta^2/2 <g^, H g^>",
    TaylorFirstExact "taylor_first_exact" "First-order change of the loss in one step of exact gradient descent",
    TaylorSecondExact "taylor_second_exact" "Second-order change of the loss in one step of exact gradient descent",
    ErrorInTopSubspace "error_in_top_subspace" "Share of the error g^ - rho g (squared norm) in the span of the top eigenvectors",
    GradientInTopSubspace "gradient_in_top_subspace" "Share of the exact gradient (squared norm) in the span of the top eigenvectors",
    LyapunovMax "lyapunov_max" "Largest Lyapunov exponent, nats per step, mean over the probe batch (while flossing, over its own trials)",
    LyapunovSum "lyapunov_sum" "Sum of the finite Lyapunov exponents, nats per step",
    FlossingLoss "flossing_loss" "Sum of the squares of the k leading exponents",
    GradientNorm "gradient_norm" "Norm of the update's gradient over all weights, before clipping",
    WeightNorm "weight_norm" "Norm of all weights",
}

impl std::str::FromStr for Series {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Series::ALL.iter().copied().find(|s| s.name() == name).ok_or(())
    }
}

/// One value of a series. Values at iteration n belong to the weights after n updates; flossing before
/// training has iterations -n..=-1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Updates made.
    pub iteration: i64,
    /// Which curve.
    pub series: Series,
    /// May be NaN or infinite.
    pub value: f64,
}

/// All values of all series, each in the order of its iterations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    values: std::collections::BTreeMap<Series, Vec<(i64, f64)>>,
}

impl History {
    /// Adds a value in the order of iterations: a measure beside the training may answer after the training
    /// itself has written later ones. A value for an iteration that has one replaces it.
    pub fn push(&mut self, row: Row) {
        let values = self.values.entry(row.series).or_default();
        if values.last().is_none_or(|last| last.0 < row.iteration) {
            return values.push((row.iteration, row.value));
        }
        let at = values.partition_point(|(i, _)| *i < row.iteration);
        match values.get_mut(at).filter(|found| found.0 == row.iteration) {
            Some(found) => found.1 = row.value,
            None => values.insert(at, (row.iteration, row.value)),
        }
    }

    /// One series: (iteration, value).
    pub fn series(&self, series: Series) -> &[(i64, f64)] {
        self.values.get(&series).map_or(&[], Vec::as_slice)
    }

    /// Every series with at least one value, in the order of [`Series::ALL`].
    pub fn all(&self) -> impl Iterator<Item = (Series, &[(i64, f64)])> {
        self.values.iter().map(|(s, v)| (*s, v.as_slice()))
    }

    /// Every value, series by series.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.values.iter().flat_map(|(series, values)| {
            values.iter().map(|(iteration, value)| Row {
                iteration: *iteration,
                series: *series,
                value: *value,
            })
        })
    }

    /// Drops the value of one series at `iteration`, where it is the last.
    pub fn drop_at(&mut self, series: Series, iteration: i64) {
        if let Some(values) = self.values.get_mut(&series) {
            values.pop_if(|(i, _)| *i == iteration);
            if values.is_empty() {
                self.values.remove(&series);
            }
        }
    }

    /// Drops what lies after `iteration` (a rewound run).
    pub fn truncate_after(&mut self, iteration: i64) {
        for values in self.values.values_mut() {
            values.truncate(values.partition_point(|(i, _)| *i <= iteration));
        }
        self.values.retain(|_, v| !v.is_empty());
    }
}
