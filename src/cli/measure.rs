//! Owns `basinscope measure`.

use super::progress::short;
use super::{Ending, MeasureArguments, Refused, complain, interrupt, say};
use crate::files::atomic::FileError;
use crate::files::network_input;
use crate::training::config::resolve::set;
use crate::training::measured::measure_network;

/// Measures a network trained anywhere.
pub fn measure(arguments: &MeasureArguments) -> Result<Ending, Refused> {
    let MeasureArguments { file, out, force, .. } = arguments;
    let mut changes = toml::Table::new();
    for assignment in &arguments.set {
        set(&mut changes, assignment)?;
    }
    if out.exists() && !force {
        return Err(FileError::new(out, "exists: choose another name, or replace it with --force").into());
    }
    let input = network_input::read(file, changes)?;
    input.warnings.iter().for_each(|w| complain("warning", w));
    interrupt::end_at_once();
    let measured = measure_network(&input.given, &arguments.threads.processors())
        .map_err(|e| FileError::new(file, e))?;
    let snapshot = network_input::measured(&input, &measured);
    snapshot.write(out)?;
    let found = &snapshot.found;
    for (name, value) in [
        ("loss", found.loss),
        ("rho", found.rho),
        ("cosine", found.cosine),
        ("lambda_max", found.lambda_max),
        ("lambda_min", found.lambda_min),
        ("hessian_trace", found.hessian_trace),
        ("lyapunov_max", Some(measured.exponents.max())),
        ("flossing_loss", found.flossing.as_ref().map(|f| f.loss)),
    ] {
        say(format_args!("{name:<14} {:>10}", value.map_or_else(|| "undefined".into(), short)));
    }
    snapshot.notes.iter().for_each(|n| say(format_args!("note: {}", n.replace(['\n', '\r'], " "))));
    say(format_args!("written to {}", out.display()));
    Ok(Ending::Done)
}
