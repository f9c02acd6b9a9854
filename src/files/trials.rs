//! Owns trials in npz files: the user's own for the task `file`, and probe batches.

use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, Array3};

use super::atomic::FileError;
use super::npz::{Npz, NpzError, shape_text};
use super::snapshot::{read_matrix, read_weights};
use crate::numerics::tasks::TaskData;
use crate::numerics::trials::{Target, Trials};
use crate::numerics::weights::Dims;
use crate::training::measured::orthonormal;

/// The largest label that is read; a network has one output more.
const LARGEST_LABEL: i64 = 9_999;

/// Reads the trials of the task `file`: `x` [T, B, n_in], `mask` [T, B], and `target` [T, B, n_out] or `label`
/// [T, B]; the same with the prefix `test_`, if any. A network with its probe batch will do, too.
///
/// # Errors
/// The path with the first member that is missing, damaged, or of a wrong shape or value.
pub fn load(path: &Path) -> Result<TaskData, FileError> {
    let at = |e: NpzError| FileError::new(path, e);
    let mut file = Npz::open(path)?;
    if is_network(&file) {
        return network(&mut file).map_err(at);
    }
    let train = Arc::new(read(&mut file, "", None).map_err(at)?);
    let tested = file.names().any(|n| n.starts_with("test_"));
    let test = if tested { Some(Arc::new(read(&mut file, "test_", None).map_err(at)?)) } else { None };
    Ok(TaskData::Trials { train, test, outputs: 0 })
}

/// Whether a file is a network with the trials that it is to be looked at on.
fn is_network<R: Read + Seek>(file: &Npz<R>) -> bool {
    !file.has("x") && file.has("w_rec") && file.has("probe_x")
}

fn network<R: Read + Seek>(file: &mut Npz<R>) -> Result<TaskData, NpzError> {
    let weights = read_weights(file, "")?;
    let dims = weights.dims();
    let trials = probe_of(file, dims)?;
    let q0 = q0_of(file)?;
    if let Some(q0) = &q0 {
        orthonormal(q0).map_err(|e| NpzError::member("lyapunov_q0", e))?;
    }
    Ok(TaskData::Network {
        trials: Arc::new(trials),
        feedback: feedback_of(file, dims)?,
        q0: q0.map(Arc::new),
        weights: Arc::new(weights),
    })
}

/// The probe batch of a network of these sizes.
///
/// # Errors
/// As [`read`]; other channels than the network's.
pub fn probe_of<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<Trials<f64>, NpzError> {
    let probe = read(file, "probe_", Some(dims.n_out))?;
    if probe.n_in() != dims.n_in {
        let problem = format!("has {} channels: expected {}, those of `w_in`", probe.n_in(), dims.n_in);
        return Err(NpzError::member("probe_x", problem));
    }
    Ok(probe)
}

/// Where the tangents of Lyapunov exponents start, where the file says so.
///
/// # Errors
/// No matrix; a value that is not finite.
pub fn q0_of<R: Read + Seek>(file: &mut Npz<R>) -> Result<Option<Array2<f64>>, NpzError> {
    let name = "lyapunov_q0";
    if !file.has(name) {
        return Ok(None);
    }
    let values = read_matrix(file, name, "[n, n]")?;
    match values.iter().find(|v| !v.is_finite()) {
        Some(v) => Err(NpzError::member(name, format!("has the value {v}: expected finite numbers"))),
        None => Ok(Some(values)),
    }
}

/// RFLO's feedback for a network of these sizes, where the file has one.
///
/// # Errors
/// Another shape; a value that is not finite.
pub fn feedback_of<R: Read + Seek>(file: &mut Npz<R>, dims: Dims) -> Result<Option<Vec<f64>>, NpzError> {
    if !file.has("b_feedback") {
        return Ok(None);
    }
    file.finite("b_feedback", &[dims.n_out, dims.n_rec], "[n_out, N]").map(Some)
}

/// Reads a batch from the members `x`, `mask`, and `target` or `label`, each with `prefix`. With `n_out` the
/// targets have to fit a network with so many outputs.
///
/// # Errors
/// The first member that is missing, damaged, or of a wrong shape or value.
pub fn read<R: Read + Seek>(
    file: &mut Npz<R>,
    prefix: &str,
    n_out: Option<usize>,
) -> Result<Trials<f64>, NpzError> {
    let [x, mask, target, label] = ["x", "mask", "target", "label"].map(|m| format!("{prefix}{m}"));
    let array = file.read(&x)?;
    let [n_steps, n_batch, n_in] = array.shape[..] else {
        let problem = format!("has the shape {}: expected [T, B, n_in]", shape_text(&array.shape));
        return Err(NpzError::member(&x, problem));
    };
    if n_steps == 0 || n_batch == 0 || n_in == 0 {
        let problem = format!("has the shape {}: expected no 0 in [T, B, n_in]", shape_text(&array.shape));
        return Err(NpzError::member(&x, problem));
    }
    let values = array.data.into_floats();
    all(&x, &values, "finite numbers", |v| v.is_finite())?;
    let inputs = shaped(&x, Array3::from_shape_vec((n_steps, n_batch, n_in), values))?;

    let like_x = format!("[T, B] of `{x}`");
    let weights = file.floats(&mask, &[n_steps, n_batch], &like_x)?;
    all(&mask, &weights, "finite numbers of at least 0", |v| v.is_finite() && v >= 0.0)?;
    if weights.iter().all(|w| *w == 0.0) {
        return Err(NpzError::member(&mask, "is 0 everywhere: expected some step that counts"));
    }
    let weights = shaped(&mask, Array2::from_shape_vec((n_steps, n_batch), weights))?;

    let targets = match (file.has(&target), file.has(&label)) {
        (true, false) => values_of(file, &target, &x, (n_steps, n_batch), n_out)?,
        (false, true) => labels_of(file, &label, (n_steps, n_batch), n_out, &like_x)?,
        (true, true) => {
            return Err(NpzError::member(&target, format!("stands beside `{label}`: expected one of them")));
        }
        (false, false) => {
            return Err(NpzError::member(&target, format!("is missing: expected `{target}` or `{label}`")));
        }
    };
    Ok(Trials { x: inputs, target: targets, mask: weights, decision: None })
}

fn values_of<R: Read + Seek>(
    file: &mut Npz<R>,
    name: &str,
    x: &str,
    (n_steps, n_batch): (usize, usize),
    n_out: Option<usize>,
) -> Result<Target<f64>, NpzError> {
    let array = file.read(name)?;
    let found = shape_text(&array.shape);
    match array.shape[..] {
        [t, b, n] if (t, b) == (n_steps, n_batch) && n > 0 && n_out.is_none_or(|wanted| n == wanted) => {
            let values = array.data.into_floats();
            all(name, &values, "finite numbers", |v| v.is_finite())?;
            Ok(Target::Values(shaped(name, Array3::from_shape_vec((t, b, n), values))?))
        }
        _ => {
            let outputs = n_out.map_or("n_out".to_string(), |n| n.to_string());
            let problem =
                format!("has the shape {found}: expected [{n_steps}, {n_batch}, {outputs}], [T, B] of `{x}`");
            Err(NpzError::member(name, problem))
        }
    }
}

fn labels_of<R: Read + Seek>(
    file: &mut Npz<R>,
    name: &str,
    (n_steps, n_batch): (usize, usize),
    n_out: Option<usize>,
    like_x: &str,
) -> Result<Target<f64>, NpzError> {
    let array = file.read(name)?;
    super::npz::same_shape(name, &array.shape, &[n_steps, n_batch], like_x)?;
    let whole = array.data.into_whole();
    let whole = whole.ok_or_else(|| NpzError::member(name, "has a value that is no whole number"))?;
    let largest = n_out.map_or(LARGEST_LABEL, |n| n as i64 - 1);
    if let Some(wrong) = whole.iter().find(|l| !(0..=largest).contains(*l)) {
        let problem = format!("has the label {wrong}: expected 0 to {largest}");
        return Err(NpzError::member(name, problem));
    }
    let labels = whole.into_iter().map(|l| l as u32).collect();
    Ok(Target::Labels(shaped(name, Array2::from_shape_vec((n_steps, n_batch), labels))?))
}

/// Fails at the first value that is not as expected.
fn all(name: &str, values: &[f64], expected: &str, is: impl Fn(f64) -> bool) -> Result<(), NpzError> {
    match values.iter().position(|v| !is(*v)) {
        Some(i) => Err(NpzError::member(name, format!("value {i} is {}: expected {expected}", values[i]))),
        None => Ok(()),
    }
}

/// Shapes were compared before; what ndarray still refuses is named all the same.
fn shaped<T>(name: &str, array: Result<T, ndarray::ShapeError>) -> Result<T, NpzError> {
    array.map_err(|e| NpzError::member(name, e))
}
