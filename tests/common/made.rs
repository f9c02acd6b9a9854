//! Folders of runs that the program has made.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of a run with these settings, made in a folder, whose program ends with this code.
pub fn made(folder: &Path, name: &str, settings: &str, code: i32) -> PathBuf {
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, settings).expect("written");
    let out = folder.join(name);
    let program = Command::new(env!("CARGO_BIN_EXE_basinscope"))
        .args(["run", "--threads", "1", "--config"])
        .args([file.as_os_str(), "--out".as_ref(), out.as_os_str()])
        .output()
        .expect("the program runs");
    assert_eq!(program.status.code(), Some(code), "{}", String::from_utf8_lossy(&program.stderr));
    out
}
