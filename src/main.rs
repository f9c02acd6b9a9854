//! The program: the window, and the same without a screen.

use std::process::ExitCode;

fn main() -> ExitCode {
    basinscope::cli::main()
}
