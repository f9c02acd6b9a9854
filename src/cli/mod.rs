//! The command line: the only clap code. It parses, calls and prints.

mod check;
mod interrupt;
mod measure;
mod presets;
mod progress;
mod reproduce;
mod run;
mod sweep;

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::engine::pool::Processors;
use crate::files::atomic::FileError;
use crate::session::can_open;
use crate::training::config::error::ConfigError;

/// Shows, live, where a learning rule takes a recurrent network. Without a command it opens the window.
#[derive(Parser)]
#[command(name = "basinscope", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Open the window on snapshots, settings, networks, trials, or the folders of runs and sweeps
    Open {
        /// The files and folders
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Train a network and write its folder
    Run(RunArguments),
    /// Measure a network trained anywhere
    Measure(MeasureArguments),
    /// Many runs: a plan is a configuration with `seeds = [1, 2]` and [[vary]] tables (`key`, `values`)
    Sweep(SweepArguments),
    /// A figure of the papers, by its runs: SVG, PNG, tables, and a verdict on each claim; `list` names them
    Reproduce(ReproduceArguments),
    /// Name, title and one line of each preset
    Presets {
        /// Show the settings of this one, each with its source
        name: Option<String>,
    },
    /// Is this snapshot, configuration, plan, network, npz file of trials, idx file, or folder of a run or sweep sound?
    Check {
        /// The file or folder
        file: PathBuf,
    },
}

#[derive(Args)]
struct RunArguments {
    /// Start from a preset (see `basinscope presets`)
    #[arg(long, value_name = "NAME", group = "settings")]
    preset: Option<String>,
    /// Start from a configuration file
    #[arg(long, value_name = "FILE.toml", group = "settings")]
    config: Option<PathBuf>,
    /// Go on from a snapshot, to its `iterations`
    #[arg(long, value_name = "SNAPSHOT.npz", group = "settings")]
    from: Option<PathBuf>,
    /// Set one key, such as network.gain=0.2; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the run in a folder that is in use
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Args)]
struct MeasureArguments {
    /// The network: w_rec, w_in, w_out, probe_*, meta_json
    file: PathBuf,
    /// The npz file to write
    #[arg(long, value_name = "OUT.npz")]
    out: PathBuf,
    /// Set one key, such as measure.top_k=10; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Args)]
struct SweepArguments {
    /// The plan
    plan: PathBuf,
    /// The folder of the runs and their index; a sweep that was stopped there goes on
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Runs at once (default: one per thread)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Make only part I of N; put the folders together, or give all parts the same one
    #[arg(long, value_name = "I/N")]
    shard: Option<sweep::Shard>,
    /// Take a folder that holds other things, and replace runs of other settings in it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Args)]
struct ReproduceArguments {
    /// The figures; `list` names them, `all` makes every one. Over several there is a page
    #[arg(required = true, value_name = "FIGURE")]
    figures: Vec<String>,
    /// The folder of the runs and the figure; what was stopped there goes on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Within a minute on two cores: fewer seeds, tasks or values, and says so
    #[arg(long)]
    quick: bool,
    /// Seeds 1 to N (default: the figure's own number); a folder may grow
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    seeds: Option<u16>,
    /// Some of the figure's tasks, such as pattern,cued-match (default: all)
    #[arg(long, value_name = "ID,ID", value_delimiter = ',', conflicts_with = "quick")]
    cases: Vec<String>,
    /// Take a folder that holds other things, and replace runs of other settings in it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Args)]
struct Threads {
    /// Threads to compute with (default: all cores); never changes a result
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Threads {
    fn count(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(all, usize::from)
    }

    fn processors(&self) -> Processors {
        Processors::new("basinscope", self.count())
    }
}

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Done,
    /// A run diverged; its files say when.
    Badly,
    /// Ctrl-C.
    Interrupted,
}

/// Wrong use or bad input, in one line.
struct Refused(String);

impl From<ConfigError> for Refused {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

impl From<FileError> for Refused {
    fn from(error: FileError) -> Self {
        Self(error.to_string())
    }
}

/// Opens the window on files, until it is closed; or says in one line why there is none.
pub type OpenWindow = fn(Vec<PathBuf>) -> Result<(), String>;

/// Runs the program: exit code 0 done, 1 a run ended badly, 2 wrong use or bad input, 130 after Ctrl-C.
pub fn main(open_window: OpenWindow) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let window = |files| open_window(files).map(|()| Ending::Done).map_err(Refused);
    // The window keeps panics to the run that they happen in.
    if !matches!(arguments.command, None | Some(Command::Open { .. })) {
        one_line_panics();
    }
    let command = std::panic::AssertUnwindSafe(|| match arguments.command {
        None => window(Vec::new()),
        Some(Command::Open { files }) => readable(&files).and_then(|()| window(files)),
        Some(Command::Measure(arguments)) => measure::measure(&arguments),
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::Sweep(arguments)) => sweep::sweep(&arguments),
        Some(Command::Reproduce(arguments)) => reproduce::reproduce(&arguments),
        Some(Command::Presets { name }) => presets::presets(name.as_deref()),
        Some(Command::Check { file }) => check::check(&file),
    });
    match std::panic::catch_unwind(command) {
        Ok(Ok(Ending::Done)) => ExitCode::SUCCESS,
        Ok(Ok(Ending::Badly)) => ExitCode::from(1),
        Ok(Ok(Ending::Interrupted)) => ExitCode::from(130),
        Ok(Err(Refused(message))) => {
            complain("error", &message);
            ExitCode::from(2)
        }
        // The hook has said what happened.
        Err(_) => ExitCode::from(1),
    }
}

/// Whether all files can be opened, before a window is.
fn readable(files: &[PathBuf]) -> Result<(), Refused> {
    files.iter().try_for_each(|file| can_open(file)).map_err(Refused::from)
}

/// Help and version as clap writes them; an error as its one sentence.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        say(error.render().to_string().trim_end());
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    // The sentence ends at the first empty line; tips and usage follow.
    let sentence: Vec<&str> = text.lines().take_while(|l| !l.trim().is_empty()).map(str::trim).collect();
    let message = sentence.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    complain("error", &format!("{message}; see `basinscope --help`"));
    ExitCode::from(2)
}

/// A panic is a mistake in the program: it is said in one line, not in a backtrace.
fn one_line_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().map(|s| (*s).to_string());
        let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned()).unwrap_or_default();
        let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        complain("internal error", &format!("{}{place}", text.replace('\n', " ")));
    }));
}

/// A line on standard error.
fn complain(kind: &str, message: &str) {
    let _ = writeln!(std::io::stderr(), "{kind}: {}", message.replace(['\n', '\r'], " "));
}

/// A line on standard output. Whoever stopped reading does not end the work.
fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
