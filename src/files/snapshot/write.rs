//! Owns writing a snapshot.

use std::io::{self, Seek, Write};
use std::path::Path;

use super::{Found, Snapshot, members, meta};
use crate::files::atomic::{self, FileError};
use crate::files::npz::NpzWriter;
use crate::numerics::landscape::trajectory::Trajectory;
use crate::numerics::trials::{Target, Trials};
use crate::numerics::weights::Weights;
use crate::training::history::History;

impl Snapshot {
    /// Writes snapshot.npz.
    ///
    /// # Errors
    /// The path and what the system said.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        atomic::write(path, |file| self.write_to(file))
    }

    fn write_to<W: Write + Seek>(&self, file: W) -> io::Result<()> {
        let mut npz = NpzWriter::new(file);
        npz.text("meta_json", &meta::write(self)?)?;
        write_weights(&mut npz, "", &self.weights)?;
        for (prefix, weights) in [("initial_", &self.initial), ("flossed_", &self.flossed)] {
            if let Some(weights) = weights {
                write_weights(&mut npz, prefix, weights)?;
            }
        }
        let dims = self.weights.dims();
        if let Some(feedback) = &self.feedback {
            npz.floats("b_feedback", &[dims.n_out, dims.n_rec], feedback)?;
        }
        if let Some(resume) = &self.resume {
            let json = meta::ReadResume {
                config: self.config.to_toml(),
                streams: resume.streams.clone(),
                path_space: resume.path.space(),
            };
            npz.text("resume_json", &serde_json::to_string(&json)?)?;
            for (prefix, vectors) in
                [(members::OPTIMIZER, &resume.optimizer), (members::MEASURES, &resume.measures)]
            {
                for (name, values) in vectors {
                    npz.floats(&format!("{prefix}{name}"), &[values.len()], values)?;
                }
            }
            write_path(&mut npz, &resume.path, dims.n_weights())?;
        }
        if let Some(probe) = &self.probe {
            write_trials(&mut npz, "probe_", probe)?;
        }
        write_found(&mut npz, &self.found)?;
        write_history(&mut npz, &self.history)?;
        npz.finish()
    }
}

fn write_weights<W: Write + Seek>(
    npz: &mut NpzWriter<W>,
    prefix: &str,
    weights: &Weights<f64>,
) -> io::Result<()> {
    for (name, block, shape) in members::blocks(weights.dims()) {
        npz.floats(&format!("{prefix}{name}"), &shape, weights.block(block))?;
    }
    Ok(())
}

/// The stored states of a run: iterations, losses (NaN where not known), weights [states, P].
fn write_path<W: Write + Seek>(npz: &mut NpzWriter<W>, path: &Trajectory, size: usize) -> io::Result<()> {
    let n = path.len();
    let iterations: Vec<i64> = path.states().map(|s| s.iteration()).collect();
    npz.whole(members::PATH_ITERATION, &[n], &iterations)?;
    list(npz, members::PATH_LOSS, &path.states().map(|s| s.loss().unwrap_or(f64::NAN)).collect::<Vec<_>>())?;
    let rows = || path.states().map(|s| s.weights().flat().to_vec());
    let single = rows().all(|row| row.iter().all(|v| f64::from(*v as f32) == *v));
    npz.rows(members::PATH_WEIGHTS, [n, size], single, rows())
}

/// Writes a batch of trials: `x`, `mask`, and `target` or `label`, each with `prefix`.
fn write_trials<W: Write + Seek>(
    npz: &mut NpzWriter<W>,
    prefix: &str,
    trials: &Trials<f64>,
) -> io::Result<()> {
    array(npz, &format!("{prefix}x"), &trials.x)?;
    array(npz, &format!("{prefix}mask"), &trials.mask)?;
    match &trials.target {
        Target::Values(values) => array(npz, &format!("{prefix}target"), values),
        Target::Labels(labels) => {
            let whole: Vec<i64> = labels.iter().map(|l| i64::from(*l)).collect();
            npz.whole(&format!("{prefix}label"), labels.shape(), &whole)
        }
    }
}

/// An array of any number of dimensions, in row-major order whatever its layout.
fn array<W: Write + Seek, D: ndarray::Dimension>(
    npz: &mut NpzWriter<W>,
    name: &str,
    array: &ndarray::Array<f64, D>,
) -> io::Result<()> {
    let values: Vec<f64> = array.iter().copied().collect();
    npz.floats(name, array.shape(), &values)
}

fn list<W: Write + Seek>(npz: &mut NpzWriter<W>, name: &str, values: &[f64]) -> io::Result<()> {
    npz.floats(name, &[values.len()], values)
}

fn write_found<W: Write + Seek>(npz: &mut NpzWriter<W>, found: &Found) -> io::Result<()> {
    for (name, value) in members::NUMBERS {
        if let Some(value) = value(found) {
            npz.floats(name, &[], &[*value])?;
        }
    }
    if let Some(y) = &found.y {
        array(npz, "y", y)?;
    }
    for (rule, gradient) in &found.gradients {
        write_weights(npz, &format!("grad_{rule}_"), gradient)?;
    }
    if let Some(hessian) = &found.hessian {
        list(npz, "hessian_eigenvalues", &hessian.eigenvalues)?;
        if let Some(vectors) = &hessian.eigenvectors {
            array(npz, "hessian_eigenvectors", vectors)?;
        }
        if let Some(residuals) = &hessian.residuals {
            list(npz, "hessian_residuals", residuals)?;
        }
    }
    if let Some(lyapunov) = &found.lyapunov {
        list(npz, "lyapunov", &lyapunov.mean)?;
        for (name, values) in [("lyapunov_per_trial", &lyapunov.per_trial), ("lyapunov_q0", &lyapunov.q0)] {
            if let Some(values) = values {
                array(npz, name, values)?;
            }
        }
        if let Some(skip) = lyapunov.skip {
            npz.whole("lyapunov_skip", &[], &[skip])?;
        }
    }
    if let Some(flossing) = &found.flossing {
        npz.floats("flossing_loss", &[], &[flossing.loss])?;
        if let Some(gradient) = &flossing.gradient {
            for (name, block, shape) in members::blocks(gradient.dims()).into_iter().take(2) {
                npz.floats(&format!("flossing_grad_{name}"), &shape, gradient.block(block))?;
            }
        }
    }
    let Some(slice) = &found.slice else { return Ok(()) };
    list(npz, "slice_a", &slice.a)?;
    list(npz, "slice_b", &slice.b)?;
    array(npz, "slice_loss", &slice.loss)?;
    list(npz, "slice_direction_1", &slice.direction_1)?;
    list(npz, "slice_direction_2", &slice.direction_2)?;
    list(npz, "slice_centre", &slice.centre)?;
    if slice.path.is_empty() {
        return Ok(());
    }
    let iterations: Vec<i64> = slice.path.iter().map(|p| p.iteration).collect();
    npz.whole("slice_path_iteration", &[iterations.len()], &iterations)?;
    for (name, value) in members::PATH {
        list(npz, name, &slice.path.iter().map(value).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn write_history<W: Write + Seek>(npz: &mut NpzWriter<W>, history: &History) -> io::Result<()> {
    for (series, values) in history.all() {
        let name = format!("history_{}", series.name());
        let (iterations, values): (Vec<i64>, Vec<f64>) = values.iter().copied().unzip();
        npz.whole(&format!("{name}_iteration"), &[iterations.len()], &iterations)?;
        list(npz, &name, &values)?;
    }
    Ok(())
}
