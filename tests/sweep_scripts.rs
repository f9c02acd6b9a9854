//! The scripts that make a sweep beyond one machine: as a Slurm job array, and by GNU parallel.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder whose name has a space in it, and a plan of five small runs there.
struct Place {
    folder: tempfile::TempDir,
    plan: PathBuf,
}

const PLAN: &str = "seeds = [1, 2, 3, 4, 5]\niterations = 10\ntask = { batch = 4, test_trials = 8 }\n\
    network = { n_rec = 6 }\n\
    measure = { curvature = \"off\", lyapunov = \"off\", alignment = \"off\", probe_trials = 4 }\n\
    [[vary]]\nkey = \"network.gain\"\nvalues = [0.5]\n";

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("a sweep").tempdir().expect("a folder");
        let plan = folder.path().join("plan.toml");
        fs::write(&plan, PLAN).expect("written");
        Self { folder, plan }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program of this name that comes before any other.
    fn stand_in(&self, name: &str, body: &str) -> String {
        let bin = self.at("bin");
        fs::create_dir_all(&bin).expect("a folder");
        let path = bin.join(name);
        fs::write(&path, format!("#!/usr/bin/env bash\n{body}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to be run");
        format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default())
    }

    /// The index of the same plan made by one command.
    fn unbroken(&self) -> Vec<u8> {
        let out = self.at("one");
        let mut sweep = Command::new(env!("CARGO_BIN_EXE_basinscope"));
        sweep.arg("sweep").arg(&self.plan).arg("--out").arg(&out).args(["--threads", "1"]);
        succeeds(&mut sweep);
        index(&out)
    }

    /// A command that finds the program and a home of its own.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command.env("BASINSCOPE", env!("CARGO_BIN_EXE_basinscope")).env("HOME", self.folder.path());
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("SLURM_ARRAY_TASK_ID");
        command
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/scripts").join(name)
}

fn succeeds(command: &mut Command) -> Output {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {:?} {said}", output.status);
    output
}

fn index(out: &Path) -> Vec<u8> {
    fs::read(out.join("index.csv")).expect("an index")
}

/// As `sbatch` starts the tasks of an array: each in a process of its own, all at once.
const SBATCH: &str = "array=${1#--array=}; shift\nfor i in $(seq \"${array%-*}\" \"${array#*-}\"); do\n\
    SLURM_ARRAY_TASK_ID=$i bash \"$@\" &\ndone\nwait";

#[test]
fn a_job_array_of_slurm_makes_the_index_of_one_sweep() {
    let place = Place::new();
    let expected = place.unbroken();
    let path = place.stand_in("sbatch", SBATCH);
    let out = place.at("all at once");
    let mut sbatch = place.command("sbatch");
    sbatch.env("PATH", path).arg("--array=1-3").arg(script("sweep-slurm.sh"));
    succeeds(sbatch.arg(&place.plan).arg(&out).arg("3"));
    assert_eq!(index(&out), expected);

    // One by one, in any order: the last to end writes the index over all.
    let out = place.at("one by one");
    for task in ["2", "3", "1"] {
        let mut bash = place.command("bash");
        bash.env("SLURM_ARRAY_TASK_ID", task).arg(script("sweep-slurm.sh"));
        succeeds(bash.arg(&place.plan).arg(&out).arg("3"));
    }
    assert_eq!(index(&out), expected);

    // Outside an array it says how it is used, and makes nothing.
    let out = place.at("none");
    let refused =
        place.command("bash").arg(script("sweep-slurm.sh")).arg(&place.plan).arg(&out).arg("3").output();
    let refused = refused.expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("usage: sbatch --array=1-N"));
    assert!(!out.exists());
}

/// What the script asks of GNU parallel, one job at a time: for machines that do not have it.
const PARALLEL: &str =
    "[ \"$1\" = --null ] || exit 9\nwhile IFS= read -r -d '' line; do eval \"$line\" || exit 1; done";

#[test]
fn gnu_parallel_makes_the_index_of_one_sweep() {
    let place = Place::new();
    let expected = place.unbroken();
    for (i, path) in paths(&place).into_iter().enumerate() {
        let out = place.at(&format!("out {i}"));
        let mut bash = place.command("bash");
        bash.env("PATH", path).arg(script("sweep-parallel.sh")).arg(&place.plan).arg(&out).arg("2");
        succeeds(&mut bash);
        assert_eq!(index(&out), expected, "{i}");
        // Called again it finds everything done.
        let said = succeeds(&mut bash);
        assert!(String::from_utf8_lossy(&said.stdout).contains("5 of 5 runs have ended, 5 of them before"));
    }
    let refused = place.command("bash").arg(script("sweep-parallel.sh")).arg(&place.plan).output();
    assert_eq!(refused.expect("it runs").status.code(), Some(2));
}

/// As a stand-in, and GNU parallel where there is one.
fn paths(place: &Place) -> Vec<String> {
    let is_there = Command::new("parallel").arg("--version").output().is_ok_and(|o| o.status.success());
    let own = std::env::var("PATH").unwrap_or_default();
    [place.stand_in("parallel", PARALLEL)].into_iter().chain(is_there.then_some(own)).collect()
}

#[test]
fn any_path_may_be_given_to_parallel() {
    let place = Place::new();
    let expected = place.unbroken();
    for (i, path) in paths(&place).into_iter().enumerate() {
        let folder = place.at(&format!("it's {{}} \"{i}\" $(echo no) {{.}} \\ *; {{= 1 =}}"));
        fs::create_dir(&folder).expect("a folder");
        let plan = folder.join("a 'plan'.toml");
        fs::copy(&place.plan, &plan).expect("copied");
        let out = folder.join("o'u't {#}");
        let mut bash = place.command("bash");
        bash.env("PATH", path).arg(script("sweep-parallel.sh")).arg(&plan).arg(&out).arg("2");
        let said = succeeds(&mut bash);
        assert_eq!(index(&out), expected, "{i}");
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.contains("5 of 5 runs have ended, 5 of them before"), "by the shards: {said}");
    }
}

#[test]
fn parallel_goes_on_after_runs_that_diverge_and_never_after_an_error() {
    let place = Place::new();
    for (i, path) in paths(&place).into_iter().enumerate() {
        // The program called by shards alone fails: nothing is made by one thread behind them.
        let calls = place.at(&format!("calls {i}"));
        let failing = format!("#!/usr/bin/env bash\necho \"$*\" >> '{}'\nexit 2\n", calls.display());
        let program = place.at("failing");
        fs::write(&program, failing).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("to be run");
        let mut bash = place.command("bash");
        bash.env("PATH", &path).env("BASINSCOPE", &program);
        let output =
            bash.arg(script("sweep-parallel.sh")).arg(&place.plan).arg(place.at("none")).arg("2").output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("error: not all shards"), "{output:?}");
        let calls = fs::read_to_string(&calls).expect("it was called");
        assert!(!calls.is_empty() && calls.lines().all(|call| call.contains("--shard=")), "{calls}");

        let plan = place.at("diverges.toml");
        let text =
            PLAN.replace("iterations", "optimizer = { kind = \"sgd\", learning_rate = 1e9 }\niterations");
        fs::write(&plan, text).expect("written");
        let out = place.at(&format!("diverged {i}"));
        let mut bash = place.command("bash");
        bash.env("PATH", &path);
        let output = bash.arg(script("sweep-parallel.sh")).arg(&plan).arg(&out).arg("2").output();
        let output = output.expect("it runs");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(String::from_utf8(index(&out)).expect("UTF-8").lines().count(), 6);
    }
}
