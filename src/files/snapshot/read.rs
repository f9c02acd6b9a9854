//! Owns reading a snapshot: every member checked against the others, none believed.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::Path;

use ndarray::{Array2, Array3};
use toml::Table;

use super::{
    FlossingFound, Found, Hessian, LyapunovFound, PathFound, Resume, SliceFound, Snapshot, members, meta,
    table_of,
};
use crate::files::atomic::FileError;
use crate::files::npz::{Npz, NpzError, shape_text};
use crate::files::trials;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::weights::{Block, Dims, Weights};
use crate::training::config::Config;
use crate::training::config::resolve::{parse, resolve};
use crate::training::history::{History, Row, Series};

/// What an iteration can be: more than any run makes.
pub(super) const ITERATIONS: std::ops::RangeInclusive<i64> = -1_000_000_000_000..=1_000_000_000_000;

impl Snapshot {
    /// Reads snapshot.npz.
    ///
    /// # Errors
    /// The path with the first member that is missing, damaged, or does not fit the others.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let mut file = Npz::open(path)?;
        Self::read_from(&mut file).map_err(|e| FileError::new(path, e))
    }

    /// Reads from an npz file that is open.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_from<R: Read + Seek>(file: &mut Npz<R>) -> Result<Self, NpzError> {
        let meta = meta::read(&file.text("meta_json")?)?;
        let weights = read_weights(file, "")?;
        let dims = weights.dims();
        let beside = |file: &mut Npz<R>, prefix: &str| match file.has(&format!("{prefix}w_rec")) {
            true => read_weights_of(file, prefix, dims).map(Some),
            false => Ok(None),
        };
        let (initial, flossed) = (beside(file, "initial_")?, beside(file, "flossed_")?);
        let (config, resume) = match file.has("resume_json") {
            true => {
                let (config, resume) = read_resume(file, dims)?;
                (config, Some(resume))
            }
            false => {
                let config = settings("meta_json", resolve(table_of(&meta.config)?))?;
                (config, None)
            }
        };
        if dims.n_rec != config.network.n_rec {
            let problem =
                format!("has {} units: expected network.n_rec = {}", dims.n_rec, config.network.n_rec);
            return Err(NpzError::member("w_rec", problem));
        }
        Ok(Self {
            iteration: meta.iteration,
            notes: meta.notes,
            initial,
            flossed,
            feedback: match file.has("b_feedback") {
                true => Some(file.finite("b_feedback", &[dims.n_out, dims.n_rec], "[n_out, N]")?),
                false => None,
            },
            probe: match file.has("probe_x") {
                true => Some(trials::read(file, "probe_", Some(dims.n_out))?),
                false => None,
            },
            found: read_found(file, dims)?,
            history: read_history(file)?,
            config,
            weights,
            resume,
        })
    }
}

/// What `meta_json` says of the iteration and the settings.
pub(crate) fn read_meta<R: Read + Seek>(file: &mut Npz<R>) -> Result<(i64, Table), NpzError> {
    let meta = meta::read(&file.text("meta_json")?)?;
    Ok((meta.iteration, table_of(&meta.config)?))
}

fn settings(
    name: &str,
    resolved: Result<crate::training::config::resolve::Resolved, crate::training::config::error::ConfigError>,
) -> Result<Config, NpzError> {
    resolved.map(|r| r.config).map_err(|e| NpzError::member(name, e))
}

fn read_resume<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<(Config, Resume), NpzError> {
    let name = "resume_json";
    let json: meta::ReadResume =
        serde_json::from_str(&file.text(name)?).map_err(|e| NpzError::member(name, e))?;
    let config = settings(name, parse(&json.config).and_then(resolve))?;
    let mut vectors = |prefix: &str| {
        let names: Vec<String> = file.names().filter(|n| n.starts_with(prefix)).map(str::to_owned).collect();
        let mut all = BTreeMap::new();
        for name in names {
            let array = file.read(&name)?;
            if array.shape.len() != 1 {
                let problem = format!("has the shape {}: expected [n]", shape_text(&array.shape));
                return Err(NpzError::member(&name, problem));
            }
            all.insert(name[prefix.len()..].to_owned(), array.data.into_floats());
        }
        Ok(all)
    };
    let (optimizer, measures) = (vectors(members::OPTIMIZER)?, vectors(members::MEASURES)?);
    let path = read_path(file, dims, json.path_space)?;
    Ok((config, Resume { optimizer, measures, streams: json.streams, path }))
}

/// The stored states of a run, where the file holds them; empty where it does not.
pub(crate) fn read_states<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<Trajectory, NpzError> {
    if file.has(members::PATH_ITERATION) { read_path(file, dims, 1) } else { Ok(Trajectory::default()) }
}

fn read_path<R: Read + Seek>(file: &mut Npz<R>, dims: Dims, space: i64) -> Result<Trajectory, NpzError> {
    let iterations = iterations_of(file, members::PATH_ITERATION)?;
    let n = iterations.len();
    let losses = file.floats(members::PATH_LOSS, &[n], "[states]")?;
    let p = dims.n_weights();
    let values = file.finite(members::PATH_WEIGHTS, &[n, p], "[states, P]")?;
    let states =
        iterations.into_iter().zip(losses).zip(values.chunks_exact(p)).filter_map(|((i, loss), row)| {
            Weights::from_flat(dims, row.to_vec()).map(|w| (i, w, Some(loss).filter(|l| !l.is_nan())))
        });
    Ok(Trajectory::restore(space.min(*ITERATIONS.end()), states))
}

/// Ascending iterations.
fn iterations_of<R: Read + Seek>(file: &mut Npz<R>, name: &str) -> Result<Vec<i64>, NpzError> {
    let array = file.read(name)?;
    let sound = |list: &Vec<i64>| {
        array.shape.len() == 1 && list.is_sorted() && list.iter().all(|i| ITERATIONS.contains(i))
    };
    match array.data.into_whole().filter(sound) {
        Some(list) => Ok(list),
        None => Err(NpzError::member(name, "is no ascending list of iterations")),
    }
}

/// The weights of a network whose sizes are those of its matrices.
pub(crate) fn read_weights<R: Read + Seek>(
    file: &mut Npz<R>,
    prefix: &str,
) -> Result<Weights<f64>, NpzError> {
    let mut size = |name: &str, what: &str| {
        let name = format!("{prefix}{name}");
        let shape = file.shape(&name)?;
        match shape[..] {
            [rows, columns] if rows > 0 && columns > 0 => Ok((rows, columns)),
            _ => {
                let problem = format!("has the shape {}: expected {what}", shape_text(&shape));
                Err(NpzError::member(&name, problem))
            }
        }
    };
    let (n_rec, _) = size("w_rec", "[N, N]")?;
    let (_, n_in) = size("w_in", "[N, n_in]")?;
    let (n_out, _) = size("w_out", "[n_out, N]")?;
    read_weights_of(file, prefix, Dims { n_in, n_rec, n_out })
}

/// The weights of a network of known sizes.
fn read_weights_of<R: Read + Seek>(
    file: &mut Npz<R>,
    prefix: &str,
    dims: Dims,
) -> Result<Weights<f64>, NpzError> {
    let mut flat = Vec::new();
    let shapes = ["[N, N]", "[N, n_in]", "[n_out, N]"];
    for ((name, _, shape), what) in members::blocks(dims).into_iter().zip(shapes) {
        flat.extend(file.finite(&format!("{prefix}{name}"), &shape, what)?);
    }
    Weights::from_flat(dims, flat).ok_or_else(|| NpzError::member("w_rec", "does not fit w_in and w_out"))
}

fn optional<R: Read + Seek, T>(
    file: &mut Npz<R>,
    name: &str,
    read: impl FnOnce(&mut Npz<R>) -> Result<T, NpzError>,
) -> Result<Option<T>, NpzError> {
    if file.has(name) { read(file).map(Some) } else { Ok(None) }
}

/// An array with so many dimensions.
fn of_rank<R: Read + Seek, const D: usize>(
    file: &mut Npz<R>,
    name: &str,
    what: &str,
) -> Result<([usize; D], Vec<f64>), NpzError> {
    let array = file.read(name)?;
    match <[usize; D]>::try_from(array.shape.as_slice()) {
        Ok(shape) => Ok((shape, array.data.into_floats())),
        Err(_) => {
            let problem = format!("has the shape {}: expected {what}", shape_text(&array.shape));
            Err(NpzError::member(name, problem))
        }
    }
}

pub(crate) fn read_matrix<R: Read + Seek>(
    file: &mut Npz<R>,
    name: &str,
    what: &str,
) -> Result<Array2<f64>, NpzError> {
    let ([rows, columns], values) = of_rank(file, name, what)?;
    Array2::from_shape_vec((rows, columns), values).map_err(|e| NpzError::member(name, e))
}

pub(crate) fn read_list<R: Read + Seek>(file: &mut Npz<R>, name: &str) -> Result<Vec<f64>, NpzError> {
    of_rank::<R, 1>(file, name, "[n]").map(|(_, values)| values)
}

fn read_found<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<Found, NpzError> {
    let mut found = Found::default();
    for (name, value) in members::NUMBERS_MUT {
        *value(&mut found) = optional(file, name, |f| f.number(name))?;
    }
    found.y = optional(file, "y", |f| {
        let (shape, values) = of_rank::<R, 3>(f, "y", "[T, B, n_out]")?;
        Array3::from_shape_vec(shape, values).map_err(|e| NpzError::member("y", e))
    })?;
    let ends = |n: &str| n.strip_prefix("grad_").and_then(|n| n.strip_suffix("_w_rec")).map(str::to_owned);
    let rules: Vec<String> = file.names().filter_map(ends).collect();
    for rule in rules {
        let gradient = read_gradient(file, &format!("grad_{rule}_"), dims)?;
        found.gradients.push((rule, gradient));
    }
    found.hessian = optional(file, "hessian_eigenvalues", |f| {
        let eigenvalues = read_list(f, "hessian_eigenvalues")?;
        let k = eigenvalues.len();
        let name = "hessian_eigenvectors";
        let eigenvectors = optional(f, name, |f| read_matrix(f, name, "[k, P]"))?;
        if let Some(vectors) = eigenvectors.as_ref().filter(|v| v.nrows() != k) {
            let problem = format!("has {} rows: expected {k}, one for each eigenvalue", vectors.nrows());
            return Err(NpzError::member(name, problem));
        }
        let residuals = optional(f, "hessian_residuals", |f| f.floats("hessian_residuals", &[k], "[k]"))?;
        Ok(Hessian { eigenvalues, eigenvectors, residuals })
    })?;
    found.lyapunov = optional(file, "lyapunov", |f| {
        Ok(LyapunovFound {
            mean: read_list(f, "lyapunov")?,
            per_trial: optional(f, "lyapunov_per_trial", |f| read_matrix(f, "lyapunov_per_trial", "[B, n]"))?,
            q0: optional(f, "lyapunov_q0", |f| read_matrix(f, "lyapunov_q0", "[n, n]"))?,
            skip: optional(f, "lyapunov_skip", |f| Ok(f.number("lyapunov_skip")? as i64))?,
        })
    })?;
    found.flossing = optional(file, "flossing_loss", |f| {
        let mut gradient = None;
        if f.has("flossing_grad_w_rec") {
            let mut weights = Weights::zeros(dims);
            for (name, block, shape) in members::blocks(dims).into_iter().take(2) {
                let name = format!("flossing_grad_{name}");
                weights.block_mut(block).copy_from_slice(&f.floats(&name, &shape, "as the weights")?);
            }
            gradient = Some(weights);
        }
        Ok(FlossingFound { loss: f.number("flossing_loss")?, gradient })
    })?;
    found.slice = optional(file, "slice_loss", |f| read_slice(f, dims))?;
    Ok(found)
}

fn read_gradient<R: Read + Seek>(
    file: &mut Npz<R>,
    prefix: &str,
    dims: Dims,
) -> Result<Weights<f64>, NpzError> {
    let mut gradient = Weights::zeros(dims);
    for (name, block, shape) in members::blocks(dims) {
        let values = file.floats(&format!("{prefix}{name}"), &shape, "as the weights")?;
        gradient.block_mut(block).copy_from_slice(&values);
    }
    Ok(gradient)
}

fn read_slice<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<SliceFound, NpzError> {
    let (a, b) = (read_list(file, "slice_a")?, read_list(file, "slice_b")?);
    let loss = file.floats("slice_loss", &[b.len(), a.len()], "[ny, nx] of slice_b and slice_a")?;
    let loss =
        Array2::from_shape_vec((b.len(), a.len()), loss).map_err(|e| NpzError::member("slice_loss", e))?;
    let [direction_1, direction_2, centre] = ["slice_direction_1", "slice_direction_2", "slice_centre"]
        .map(|name| optional(file, name, |f| direction(f, name, dims)));
    let mut path = Vec::new();
    if file.has("slice_path_iteration") {
        let iterations = read_list(file, "slice_path_iteration")?;
        let n = iterations.len();
        let mut columns = Vec::new();
        for (name, _) in members::PATH {
            columns.push(file.floats(name, &[n], "as slice_path_iteration")?);
        }
        for (i, iteration) in iterations.iter().enumerate() {
            path.push(PathFound {
                iteration: *iteration as i64,
                a: columns[0][i],
                b: columns[1][i],
                loss: columns[2][i],
                distance: columns[3][i],
            });
        }
    }
    let (direction_1, direction_2) = (direction_1?.unwrap_or_default(), direction_2?.unwrap_or_default());
    Ok(SliceFound { a, b, loss, direction_1, direction_2, centre: centre?.unwrap_or_default(), path })
}

/// A direction: as many finite numbers as one of the blocks has weights.
fn direction<R: Read + Seek>(file: &mut Npz<R>, name: &str, dims: Dims) -> Result<Vec<f64>, NpzError> {
    let values = read_list(file, name)?;
    let sizes = [Block::Recurrent, Block::Input, Block::Readout, Block::All].map(|b| b.range(dims).len());
    if !sizes.contains(&values.len()) {
        let [rec, input, readout, all] = sizes;
        let problem = format!(
            "has {} values: expected {rec} (recurrent), {input} (input), {readout} (readout) or {all} (all)",
            values.len()
        );
        return Err(NpzError::member(name, problem));
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(i) => {
            Err(NpzError::member(name, format!("value {i} is {}: expected finite numbers", values[i])))
        }
        None => Ok(values),
    }
}

fn read_history<R: Read + Seek>(file: &mut Npz<R>) -> Result<History, NpzError> {
    let mut history = History::default();
    for series in Series::ALL {
        let name = format!("history_{}", series.name());
        if !file.has(&name) {
            continue;
        }
        let at = format!("{name}_iteration");
        let list = iterations_of(file, &at)?;
        let values = file.floats(&name, &[list.len()], &format!("as `{at}`"))?;
        for (iteration, value) in list.into_iter().zip(values) {
            history.push(Row { iteration, series: *series, value });
        }
    }
    Ok(history)
}
