//! The program: the window, and the same without a screen.

use std::process::ExitCode;

fn main() -> ExitCode {
    basinscope::cli::main(|files| basinscope::gui::open(files).map_err(|e| e.to_string()))
}
