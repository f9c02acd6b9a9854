//! Owns `basinscope presets`.

use super::{Ending, Refused, say};
use crate::training::config::keys::keys;
use crate::training::presets::{preset, presets as all};

/// Name, title and one line of each; or the settings of one, each with its source.
pub fn presets(name: Option<&str>) -> Result<Ending, Refused> {
    let Some(name) = name else {
        for preset in all() {
            let task = preset.task;
            say(format_args!("{:<16}  {:<30}  {}", task.name(), task.title(), task.description()));
        }
        return Ok(Ending::Done);
    };
    let preset = preset(name)?;
    say(format_args!("{}: {}", preset.task.title(), preset.task.description()));
    for key in keys() {
        let Some(constant) = preset.constants.get(key.path).filter(|_| key.belongs_to(preset.task)) else {
            continue;
        };
        let bptt = constant.bptt.as_ref().map(|v| format!(" (under bptt {v})")).unwrap_or_default();
        let note = constant.note.as_ref().map(|n| format!(", {n}")).unwrap_or_default();
        say(format_args!("{} = {}{bptt}  [{}]{note}", key.path, constant.value, constant.source));
    }
    Ok(Ending::Done)
}
