//! Owns the methods paragraph: model, task, rule, constants with their source, measures, version, as Markdown.

use std::fmt::Write;

use super::freshness::{self, Taken};
use super::settings::flat;
use super::{RunEntry, Session};
use crate::files::figure::number::counted;
use crate::files::summary::VERSION;
use crate::numerics::init::Init;
use crate::numerics::optimizers::step_length;
use crate::numerics::tasks::TaskKind;
use crate::training::config::resolve::sources;
use crate::training::config::{
    Cadence, Config, Drive, OptimizerConfig, OptimizerKind, Precision, RuleConfig, RuleKind, ScheduleKind,
};
use crate::training::history::Series;
use crate::training::measures::Measure;
use crate::training::presets::Source;

impl Session {
    /// How the selected run was made, in words for a paper, and what the other runs that are shown change; `None`
    /// where there is no run.
    pub fn methods(&self) -> Option<String> {
        let run = self.current()?;
        let others: Vec<&RunEntry> =
            self.runs().iter().filter(|other| other.id != run.id && !other.hidden).collect();
        Some(text(run, &others))
    }
}

fn text(run: &RunEntry, others: &[&RunEntry]) -> String {
    let config = &run.config;
    let mut text = format!("# Methods of {}\n\n", run.name);
    let parts =
        [model(config), task(config), rule(config), optimizer(config), flossing(config), measures(run)];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text += &part;
        text += "\n\n";
    }
    text += &course(run);
    text += &format!(
        "Computed with Basinscope {VERSION} in {}, seed {}: the same settings{} give the same numbers, whatever the \
         number of threads.\n\n",
        if config.precision == Precision::F32 { "single precision" } else { "double precision" },
        config.seed,
        if run.alterations().next().is_some() { ", changed at the same iterations," } else { "" }
    );
    if !others.is_empty() {
        text += &other_runs(run, others);
    }
    text += &constants(config);
    text + REFERENCES
}

/// How far it is, and what changed on the way.
fn course(run: &RunEntry) -> String {
    let mut text = String::new();
    if run.iteration >= 0 && run.iteration.unsigned_abs() < run.config.iterations {
        let _ = write!(text, "Of these updates {} are made.\n\n", run.iteration);
    }
    let changes = run.alterations_in_words();
    if !changes.is_empty() {
        text += "What is said above holds at the end; settings were\n\n";
        changes.iter().for_each(|change| _ = writeln!(text, "- {change}"));
        text += "\n";
    }
    text
}

fn model(config: &Config) -> String {
    let network = &config.network;
    let activation = match network.activation {
        crate::numerics::network::Activation::Relu => "ReLU",
        crate::numerics::network::Activation::Tanh => "tanh",
    };
    let mut text = format!(
        "The network has N = {} recurrent units without biases: h[t+1] = alpha h[t] + (1 - alpha) (w_rec z[t] + \
         w_in x[t]), z[t] = f(h[t]), y[t] = w_out z[t+1], h[0] = 0, with f = {activation} and alpha = {} (P2 Eq. \
         1).",
        network.n_rec, network.alpha
    );
    let adaptive = &network.adaptive;
    if adaptive.units > 0 {
        let _ = write!(
            text,
            " {} threshold: f is applied to h - beta a, a[t+1] = rho_a a[t] + (1 - \
             rho_a) z[t], beta = {}, rho_a = exp(-1/{}) (P1 Eq. 11-12).",
            if adaptive.units == 1 {
                "The last unit adapts its".into()
            } else {
                format!("The last {} units adapt their", adaptive.units)
            },
            adaptive.beta,
            adaptive.tau
        );
    }
    let init = &network.init;
    let _ = write!(
        text,
        "{} w_rec ~ N(0, g^2/N) with gain g = {}; w_in ~ {}, w_out ~ {}.",
        match config.task.own.kind() {
            TaskKind::File =>
                " Training begins at the network of the file, where that holds one; otherwise initially",
            _ => " Initially",
        },
        network.gain,
        drawn(init.input, init.input_scale),
        drawn(init.readout, init.readout_scale)
    );
    text
}

fn drawn(init: Init, scale: f64) -> String {
    let of = match init {
        Init::UniformFanIn => "U(-1/sqrt(fan_in), 1/sqrt(fan_in))",
        Init::He => "N(0, 2/fan_in)",
        Init::Glorot => "U(-l, l) with l = sqrt(6/(fan_in + fan_out))",
    };
    if scale == 1.0 { of.into() } else { format!("{of}, times {scale}") }
}

fn task(config: &Config) -> String {
    let kind = config.task.own.kind();
    let loss = match kind.loss_kind() {
        Some(crate::numerics::trials::LossKind::Regression) => {
            "The loss is half the mean squared error over the scored steps and outputs."
        }
        Some(crate::numerics::trials::LossKind::Classification) => {
            "The loss is the mean cross-entropy of the softmax over the scored steps."
        }
        None => "The loss follows from the trials' targets.",
    };
    let n_test = config.task.test_trials;
    let batch = config.task.batch;
    let trials = match kind {
        _ if kind.full_batch() => {
            format!("Every update sees all training trials; the test takes {n_test} fixed trials of its own")
        }
        TaskKind::SequentialMnist => format!(
            "Every update sees {batch} pictures drawn from the training set; the test takes the test set, at most \
             {n_test} of it"
        ),
        TaskKind::File => format!(
            "Every update sees {batch} trials drawn from those of the file; the test takes the file's test trials"
        ),
        _ => {
            format!("Every update sees {batch} fresh trials; the test takes {n_test} fixed trials of its own")
        }
    };
    format!(
        "Task: {} (`{}`). {} {trials}. {loss}",
        kind.title(),
        kind.name(),
        kind.description().trim_end_matches('.').to_owned() + "."
    )
}

fn rule(config: &Config) -> String {
    let RuleConfig { kind, window, rho, .. } = config.rule;
    let of = |rule: RuleKind| short(rule).to_owned();
    let measured = match rho.value {
        Some(value) => format!("the fixed rho = {value}"),
        None => format!("rho of {}, measured on every training batch (P1 Eq. 6)", of(rho.of)),
    };
    let text = match kind {
        RuleKind::Bptt => "The weights learn by backpropagation through time (Werbos 1990), the exact gradient.".into(),
        RuleKind::EProp => "The recurrent and input weights learn by e-prop with symmetric feedback (Bellec et al. \
             2020; the three-factor rule of P1): eligibility traces times the learning signal, all paths through \
             the recurrent weights left out."
            .into(),
        RuleKind::Rflo => "The recurrent and input weights learn by RFLO (Murray 2019): as e-prop, with fixed random \
             feedback in the place of the readout weights."
            .into(),
        RuleKind::Mdgl => "The recurrent and input weights learn by MDGL (Liu et al. 2021): e-prop with the paths \
             through one more unit, exact weights in the place of cell-type averages."
            .into(),
        RuleKind::ScaledBptt => format!(
            "The recurrent and input weights learn by the exact gradient times {measured} (P1's \"three-factor, \
             theory\")."
        ),
        RuleKind::TruncatedBptt => format!(
            "The weights learn by backpropagation through time with error paths cut to the last {}.",
            counted(window as u64, "step")
        ),
        RuleKind::Upscaled => format!(
            "The recurrent and input weights learn by the gradient of {} divided by {measured} (P1 Eq. 9).",
            of(rho.of)
        ),
    };
    format!("{text} Every rule uses the exact gradient for w_out.")
}

fn short(rule: RuleKind) -> &'static str {
    match rule {
        RuleKind::Bptt => "BPTT",
        RuleKind::EProp => "e-prop",
        RuleKind::Rflo => "RFLO",
        RuleKind::Mdgl => "MDGL",
        RuleKind::ScaledBptt => "BPTT scaled by rho",
        RuleKind::TruncatedBptt => "truncated BPTT",
        RuleKind::Upscaled => "the rule scaled up by 1/rho",
    }
}

fn optimizer(config: &Config) -> String {
    let OptimizerConfig { kind, learning_rate, momentum, clip_norm, l2 } = config.optimizer;
    let mut text = match kind {
        OptimizerKind::Sgd if momentum > 0.0 => format!("Gradient descent with momentum {momentum}"),
        OptimizerKind::Sgd => "Plain gradient descent".into(),
        OptimizerKind::Adam => "Adam (Kingma and Ba 2015)".into(),
    };
    let schedule = &config.schedule;
    let _ = write!(text, " makes {} at learning rate {learning_rate}", counted(config.iterations, "update"));
    text += &match schedule.kind {
        ScheduleKind::Constant => String::new(),
        ScheduleKind::Step => {
            let every = step_length(schedule.every, config.iterations);
            format!(
                " times {}, multiplied by {} every {every} iterations",
                schedule.initial_factor, schedule.factor
            )
        }
        ScheduleKind::Exponential => format!(", multiplied by {} each iteration", schedule.decay),
        ScheduleKind::Cosine => format!(", falling as a cosine to {} of it", schedule.final_factor),
    };
    if schedule.warmup > 0 {
        let _ = write!(text, ", after a linear warm-up of {}", counted(schedule.warmup, "iteration"));
    }
    if clip_norm > 0.0 {
        let _ = write!(text, "; gradients are clipped to norm {clip_norm} over all weights");
    }
    if l2 > 0.0 {
        let _ =
            write!(text, "; L2 with factor {l2}, which the loss shown leaves out and the Hessian takes in");
    }
    text + "."
}

fn flossing(config: &Config) -> String {
    let flossing = &config.flossing;
    if flossing.iterations == 0 && flossing.during.every == 0 {
        return String::new();
    }
    let mut text = format!(
        "Gradient flossing (Engelken 2023) drives the {} towards 0 by Adam at rate {} on {}",
        counted(flossing.k as u64, "leading Lyapunov exponent"),
        flossing.learning_rate,
        counted(flossing.trials as u64, "trial")
    );
    if flossing.iterations > 0 {
        let _ = write!(text, ", {} before training", counted(flossing.iterations, "update"));
    }
    if flossing.during.every > 0 {
        let during = &flossing.during;
        let _ = write!(
            text,
            ", {} every {}",
            counted(during.iterations, "update"),
            counted(during.every, "iteration")
        );
    }
    text + "."
}

fn measures(run: &RunEntry) -> String {
    let config = &run.config;
    let measure = &config.measure;
    let known = |series: Series| {
        let curve = run.curves.get(series)?;
        Some((curve.first_iteration()?, curve.len(), curve.last()?.iteration))
    };
    let every = |of: Measure| match (Taken::too_few(config, of, known), of.cadence(config)) {
        (Some(taken), _) => taken.to_string(),
        (None, Cadence::Every(n)) => freshness::every(n),
        (None, _) => "at the start and the end".into(),
    };
    let block = match measure.block {
        crate::numerics::weights::Block::Recurrent => "w_rec",
        crate::numerics::weights::Block::Input => "w_in",
        crate::numerics::weights::Block::Readout => "w_out",
        crate::numerics::weights::Block::All => "all weights",
    };
    let mut parts = Vec::new();
    if measure.curvature != Cadence::Never {
        parts.push(format!(
            "the {} largest and the smallest eigenvalue of the Hessian of the true training loss over {block}, by \
             Lanczos iteration on exact Hessian-vector products (Pearlmutter 1994), {}",
            measure.top_k,
            every(Measure::Curvature)
        ));
    }
    if measure.alignment != Cadence::Never {
        parts.push(format!(
            "the rule's gradient g^ against the exact gradient g over {block}, rho = <g^,g>/<g,g> (P1 Eq. 6) and \
             their cosine, {}",
            every(Measure::Alignment)
        ));
    }
    if measure.lyapunov != Cadence::Never {
        let drive = match measure.lyapunov_drive {
            Drive::Task => "along the trials",
            Drive::None => "without input from a random state",
        };
        parts.push(format!(
            "Lyapunov exponents in nats per step {drive}, by QR decomposition of products of the Jacobians \
             (Benettin et al. 1980; Vogt et al. 2022), {}",
            every(Measure::Lyapunov)
        ));
    }
    if measure.test != Cadence::Never {
        parts.push(format!("loss and accuracy on the test trials, {}", every(Measure::Test)));
    }
    if parts.is_empty() {
        return String::new();
    }
    let probe = if config.task.own.kind().full_batch() {
        "the training trials themselves".into()
    } else {
        format!("a fixed probe batch of {}", counted(measure.probe_trials as u64, "trial"))
    };
    format!(
        "Measured on {probe}: {}. Values at iteration n belong to the weights after n updates.",
        parts.join("; ")
    )
}

fn other_runs(run: &RunEntry, others: &[&RunEntry]) -> String {
    let own = flat(&run.config);
    let mut text = String::from("The other runs differ in\n\n");
    for other in others {
        let all = flat(&other.config);
        let changed: Vec<String> = all
            .iter()
            .filter(|(key, value)| own.get(*key) != Some(value))
            .map(|(key, value)| format!("`{key} = {value}`"))
            .collect();
        let changed = if changed.is_empty() { "nothing".into() } else { changed.join(", ") };
        let _ = writeln!(text, "- {}: {changed}", other.name);
        other.alterations_in_words().iter().for_each(|change| _ = writeln!(text, "  - {change}"));
    }
    text + "\n"
}

fn constants(config: &Config) -> String {
    let sources = sources(config);
    let mut text = String::from("## Constants\n\n| key | value | source |\n|---|---|---|\n");
    for (key, value) in flat(config) {
        let source = sources.get(key.as_str()).copied().unwrap_or(Source::Given);
        let tag = if source == Source::Given { "set by the user".into() } else { format!("[{source}]") };
        let _ = writeln!(text, "| `{key}` | {} | {tag} |", value.to_string().replace('|', "\\|"));
    }
    text
}

const REFERENCES: &str = "
[P1], [P2]: the papers' text; [C]: the authors' published code or the code they say they followed; [own]: a choice
of Basinscope, because the source does not say.

- P1: Liu, Ghosh, Richards, Shea-Brown, Lajoie, Beyond accuracy: generalization properties of bio-plausible
  temporal credit assignment rules, NeurIPS 2022 (arXiv 2206.00823).
- P2: Zhang, Liu, Liu, How initial connectivity shapes biologically plausible learning in recurrent neural
  networks, 2024 (arXiv 2410.11164).
";
