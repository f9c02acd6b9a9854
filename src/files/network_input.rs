//! Owns reading a network that was trained anywhere, and writing what was measured of it.

use std::io::{Read, Seek};
use std::path::Path;

use toml::{Table, Value};

use super::atomic::{self, FileError};
use super::npz::{Npz, NpzError};
use super::snapshot::{Found, Noted, Snapshot, read_list, read_meta, read_states, read_weights};
use super::trials;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::tasks::TaskKind;
use crate::numerics::trials::{LossKind, Target, Trials};
use crate::numerics::weights::{Block, Dims};
use crate::training::config::Skip;
use crate::training::config::resolve::{Resolved, alone, merge, resolve_for};
use crate::training::history::History;
use crate::training::measured::{Given, GivenSlice, Measured, tangents};
use crate::training::trainer;

/// The members that a slice to evaluate consists of.
const SLICE: [&str; 4] = ["slice_a", "slice_b", "slice_direction_1", "slice_direction_2"];

/// Most points of a slice.
const MOST_POINTS: usize = 1_000_000;

/// A network to be measured.
#[derive(Debug)]
pub struct NetworkInput {
    /// What is measured.
    pub given: Given,
    /// Updates that were made, 0 where the file does not say.
    pub iteration: i64,
    /// What has no effect or may surprise.
    pub warnings: Vec<String>,
    /// What of the file is not measured again, and why.
    pub left_out: Vec<String>,
}

/// Reads weights, probe batch and settings from an npz file; `changes` are laid over the settings.
///
/// # Errors
/// The path with the first member or key that is missing, damaged, or does not fit.
pub fn read(path: &Path, changes: Table) -> Result<NetworkInput, FileError> {
    let mut file = Npz::open(path)?;
    read_from(&mut file, changes).map_err(|e| FileError::new(path, e))
}

/// Reads from an npz file that is open.
///
/// # Errors
/// As [`read`].
pub fn read_from<R: Read + Seek>(file: &mut Npz<R>, changes: Table) -> Result<NetworkInput, NpzError> {
    let (iteration, mut table) = read_meta(file)?;
    let weights = read_weights(file, "")?;
    let dims = weights.dims();
    // How many exponents a run takes along its way says nothing here; what the user sets now does.
    let all_exponents = changes.get("measure").and_then(|t| t.get("lyapunov_exponents")).is_none();
    let (of_file, asked) = (block_in(&table), block_in(&changes));
    merge(&mut table, changes);
    for key in ["alpha", "activation"] {
        if table.get("network").and_then(|t| t.get(key)).is_none() {
            let problem = format!("`config` has no `network.{key}`: expected it there or by --set");
            return Err(NpzError::member("meta_json", problem));
        }
    }
    let loss = take_loss(&mut table)?;
    let Resolved { mut config, warnings, .. } =
        resolve_for(table, Some(dims)).map_err(|e| NpzError::member("meta_json", e))?;
    if all_exponents {
        config.measure.lyapunov_exponents = 0;
    }
    let probe = trials::probe_of(file, dims)?;
    same_loss(loss, &probe)?;
    let feedback = trials::feedback_of(file, dims)?;
    let q0 = trials::q0_of(file)?;
    let block = config.measure.block;
    let mut left_out = Vec::new();
    let slice = match SLICE.iter().all(|name| file.has(name)) {
        true if asked.is_some() && is_of_another_block(file, of_file.as_deref(), block, dims)? => {
            left_out.push(format!(
                "no slice: its directions are not those of the block {}, which is measured",
                block.name()
            ));
            None
        }
        true => Some(GivenSlice { path: read_states(file, dims)?, ..read_slice(file, block, dims)? }),
        false => None,
    };
    let network = trainer::network(&config.network, dims);
    if let Skip::Steps(skip) = config.measure.lyapunov_skip
        && skip >= probe.n_steps()
    {
        let problem = format!(
            "`measure.lyapunov_skip` = {skip}: expected less than {}, the steps of `probe_x`",
            probe.n_steps()
        );
        return Err(NpzError::member("meta_json", problem));
    }
    let given = Given { network, weights, probe, feedback, q0, slice, config };
    Ok(NetworkInput { given, iteration, warnings, left_out })
}

/// The settings of a run that begins at the weights of a network trained elsewhere and trains on its trials, all of them
/// in every batch: its measures, in double precision as [`read`]'s, are those of the network as it is. What the file
/// says of the model, the rule and the measures holds; its task does not.
///
/// # Errors
/// As [`read`].
pub fn settings_of_run(path: &Path) -> Result<(Table, NetworkInput), FileError> {
    let at = |e: NpzError| FileError::new(path, e);
    let input = read(path, Table::new())?;
    tangents(&input.given).map_err(|e| FileError::new(path, e))?;
    let mut file = Npz::open(path)?;
    if file.has("x") {
        return Err(at(NpzError::member(
            "x",
            "stands beside `probe_x`: expected the trials to train on once",
        )));
    }
    let (_, mut table) = read_meta(&mut file).map_err(at)?;
    let whole = atomic::absolute(path)?;
    let config = &input.given.config;
    table.remove("task");
    let count = |n: usize| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
    let (units, trials) = (config.network.n_rec, input.given.probe.n_batch());
    let adaptive = &config.network.adaptive;
    for (key, value) in [
        ("task.kind", Value::String(TaskKind::File.name().into())),
        ("task.path", Value::String(whole)),
        ("task.batch", count(trials)),
        ("measure.probe_trials", count(trials)),
        ("network.n_rec", count(units)),
        ("network.adaptive.units", count(adaptive.units)),
        ("network.adaptive.beta", Value::Float(adaptive.beta)),
        ("network.adaptive.tau", Value::Float(adaptive.tau)),
        // It is looked at as it is.
        ("flossing.iterations", Value::Integer(0)),
        ("precision", Value::String("f64".into())),
    ] {
        merge(&mut table, alone(key, value));
    }
    Ok((table, input))
}

/// Takes `task.loss` out of the settings: a network trained elsewhere has no task of ours.
fn take_loss(table: &mut Table) -> Result<Option<LossKind>, NpzError> {
    let Some(Value::Table(task)) = table.get_mut("task") else { return Ok(None) };
    let of_task = task.get("kind").and_then(Value::as_str).and_then(TaskKind::from_name);
    let of_task = of_task.and_then(TaskKind::loss_kind);
    let loss = match task.remove("loss") {
        None => return Ok(of_task),
        Some(Value::String(word)) if word == "regression" => LossKind::Regression,
        Some(Value::String(word)) if word == "classification" => LossKind::Classification,
        Some(other) => {
            let problem = format!("`task.loss` = {other}: expected one of regression, classification");
            return Err(NpzError::member("meta_json", problem.replace('\n', " ")));
        }
    };
    match of_task {
        Some(own) if own != loss => {
            let problem = format!("`task.loss` is {}, but `task.kind` has {}", named(loss), named(own));
            Err(NpzError::member("meta_json", problem))
        }
        _ => Ok(Some(loss)),
    }
}

fn named(loss: LossKind) -> &'static str {
    match loss {
        LossKind::Regression => "regression",
        LossKind::Classification => "classification",
    }
}

/// The targets have to be those of the loss.
fn same_loss(loss: Option<LossKind>, probe: &Trials<f64>) -> Result<(), NpzError> {
    let (found, of_target) = match &probe.target {
        Target::Values(_) => ("probe_target", LossKind::Regression),
        Target::Labels(_) => ("probe_label", LossKind::Classification),
    };
    match loss {
        Some(loss) if loss != of_target => {
            let problem = format!("`task.loss` is {}, but the targets are `{found}`", named(loss));
            Err(NpzError::member("meta_json", problem))
        }
        _ => Ok(()),
    }
}

/// `measure.block` of the settings, where they have it.
fn block_in(table: &Table) -> Option<String> {
    Some(table.get("measure")?.get("block")?.as_str()?.to_owned())
}

/// Whether the directions lie in another block than the one that is asked for, which the settings of the file, where
/// they name a block, or else their lengths tell. Those over all weights have their place in any.
fn is_of_another_block<R: Read + Seek>(
    file: &mut Npz<R>,
    of_file: Option<&str>,
    block: Block,
    dims: Dims,
) -> Result<bool, NpzError> {
    let len = |block: Block| block.range(dims).len();
    let [n] = file.shape("slice_direction_1")?[..] else { return Ok(false) };
    if n == len(Block::All) {
        return Ok(false);
    }
    let blocks = [Block::Recurrent, Block::Input, Block::Readout];
    Ok(match blocks.into_iter().find(|own| of_file == Some(own.name()) && len(*own) == n) {
        Some(own) => own != block,
        None => n != len(block) && blocks.into_iter().any(|own| len(own) == n),
    })
}

/// A slice over the block or over all weights: ascending coordinates, directions of its P weights.
fn read_slice<R: Read + Seek>(file: &mut Npz<R>, block: Block, dims: Dims) -> Result<GivenSlice, NpzError> {
    let mut coordinates = |name: &str| {
        let values = read_list(file, name)?;
        let sound = !values.is_empty() && values.iter().all(|v| v.is_finite()) && values.is_sorted();
        if sound { Ok(values) } else { Err(NpzError::member(name, "expected finite numbers, ascending")) }
    };
    let (a, b) = (coordinates("slice_a")?, coordinates("slice_b")?);
    if a.len().saturating_mul(b.len()) > MOST_POINTS {
        let problem = format!("{} x {} points: expected at most {MOST_POINTS}", a.len(), b.len());
        return Err(NpzError::member("slice_a", problem));
    }
    // A slice through three networks is of all weights, whatever is measured.
    let is_of_all = file.shape("slice_direction_1")? == [dims.n_weights()];
    let block = if is_of_all { Block::All } else { block };
    let n = block.range(dims).len();
    let mut direction = |name: &str| file.finite(name, &[n], "the weights of `measure.block`, or all");
    let (direction_1, direction_2) = (direction("slice_direction_1")?, direction("slice_direction_2")?);
    Ok(GivenSlice { a, b, block, direction_1, direction_2, path: Trajectory::default() })
}

/// The file of what was measured: the network as it was given, with everything that could be found.
pub fn measured(input: &NetworkInput, measured: &Measured) -> Snapshot {
    let Given { weights, probe, slice, config, .. } = &input.given;
    Snapshot {
        config: config.clone(),
        iteration: input.iteration,
        notes: Noted::of_measured(measured).sentences().into_iter().chain(input.left_out.clone()).collect(),
        weights: weights.clone(),
        initial: None,
        flossed: None,
        feedback: measured.gradients.feedback.clone(),
        resume: None,
        probe: Some(probe.clone()),
        found: Found::of_measured(measured, weights, slice.as_ref()),
        history: History::default(),
    }
}
