//! `basinscope sweep` as a new user meets it: one index whatever happens on the way, nothing done twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use basinscope::files::run_lock::RunLock;
use tempfile::TempDir;

/// Runs of a few iterations of a small network.
const SMALL: &str = "iterations = 40\ntask = { batch = 4, test_trials = 8 }\nnetwork = { n_rec = 10 }\n\
    measure = { test = 20, curvature = 0, lyapunov = \"off\", alignment = \"off\", probe_trials = 4 }\n";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_basinscope"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

fn call(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn ok(arguments: &[&str]) -> String {
    let output = call(arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
    text(&output.stdout)
}

/// Exit 2 with one line.
fn refused(arguments: &[&str]) -> String {
    let output = call(arguments);
    let error = text(&output.stderr);
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{arguments:?}: {error}");
    assert!(error.starts_with("error: "), "{error}");
    error
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("UTF-8").into()
    }

    /// A plan of small runs, with more tables behind.
    fn plan(&self, seeds: std::ops::RangeInclusive<u32>, more: &str) -> String {
        let path = self.at("plan.toml");
        let seeds = format!("seeds = {:?}\n", seeds.collect::<Vec<_>>());
        fs::write(&path, seeds + SMALL + more).expect("written");
        path
    }
}

fn vary(key: &str, values: &str) -> String {
    format!("[[vary]]\nkey = \"{key}\"\nvalues = {values}\n")
}

fn index(out: &str) -> String {
    text(&fs::read(Path::new(out).join("index.csv")).expect("an index"))
}

/// The value of a column in each row.
fn column(index: &str, name: &str) -> Vec<String> {
    let mut lines = index.lines();
    let at = lines.next().expect("a header").split(',').position(|c| c == name).expect(name);
    lines.map(|l| l.split(',').nth(at).expect("a field").to_string()).collect()
}

/// When each finished run's summary was written.
fn finished(out: &str) -> BTreeMap<PathBuf, SystemTime> {
    let Ok(runs) = fs::read_dir(Path::new(out).join("runs")) else { return BTreeMap::new() };
    let summary = |e: std::io::Result<fs::DirEntry>| {
        let path = e.ok()?.path().join("summary.json");
        let written = fs::metadata(&path).ok()?.modified().ok()?;
        Some((path, written))
    };
    runs.filter_map(summary).collect()
}

/// Waits until something holds, or the program has ended; whether it still runs.
fn wait_for(program: &mut Child, holds: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if program.try_wait().expect("a child").is_some() {
            return false;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
    program.try_wait().expect("a child").is_none()
}

#[test]
fn a_sweep_killed_twenty_times_has_the_index_of_an_unbroken_one() {
    let place = Place::new();
    let more = vary("network.gain", "[0.5, 1.0]") + &vary("rule.kind", "[\"bptt\", \"e-prop\"]");
    let plan = place.plan(1..=30, &more);
    let (whole, broken) = (place.at("whole"), place.at("broken"));
    ok(&["sweep", &plan, "--out", &whole]);
    assert_eq!(index(&whole).lines().count(), 121);

    let mut random = 12345_u32;
    let mut killed = 0;
    let mut seen = BTreeMap::new();
    while killed < 20 {
        let arguments = ["sweep", &plan, "--out", &broken, "--threads", "2"];
        let mut child = program().args(arguments).stderr(Stdio::null()).spawn().expect("the program runs");
        let before = seen.len();
        let alive = wait_for(&mut child, || finished(&broken).len() > before);
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        std::thread::sleep(Duration::from_micros(u64::from(random >> 18)));
        let _ = child.kill();
        child.wait().expect("a child");
        let now = finished(&broken);
        assert!(seen.iter().all(|(run, written)| now.get(run) == Some(written)), "a run was repeated");
        seen = now;
        if !alive {
            break;
        }
        killed += 1;
    }
    assert!(killed == 20 || seen.len() == 120, "{killed} kills, {} runs", seen.len());
    assert!(killed >= 5, "{killed} kills in 120 runs");
    ok(&["sweep", &plan, "--out", &broken]);
    assert_eq!(index(&broken), index(&whole));
    let now = finished(&broken);
    assert!(seen.iter().all(|(run, written)| now[run] == *written));
    // Nothing half-written stays, and the other files are those of the unbroken sweep as well.
    for run in fs::read_dir(Path::new(&broken).join("runs")).expect("runs") {
        let run = run.expect("a run").path();
        assert_eq!(fs::read_dir(&run).expect("files").count(), 5, "{}", run.display());
        let other = Path::new(&whole).join("runs").join(run.file_name().expect("a name"));
        for name in ["history.csv", "snapshot.npz", "config.toml"] {
            assert!(fs::read(run.join(name)).expect(name) == fs::read(other.join(name)).expect(name));
        }
    }
}

#[test]
fn shards_put_together_equal_one_sweep() {
    let place = Place::new();
    let plan = place.plan(1..=3, &vary("network.gain", "[0.5, 1.0, 1.5]"));
    let [one, a, b, shared] = ["one", "a", "b", "shared"].map(|n| place.at(n));
    ok(&["sweep", &plan, "--out", &one]);
    assert!(ok(&["sweep", &plan, "--out", &a, "--shard", "1/2"]).starts_with("shard 1/2: 5 of 5 runs"));
    ok(&["sweep", &plan, "--out", &b, "--shard", "2/2"]);
    assert_eq!(column(&index(&b), "seed").len(), 4);
    // Merging is putting the folders together; the index is made anew.
    for run in fs::read_dir(Path::new(&b).join("runs")).expect("runs") {
        let run = run.expect("a run");
        fs::rename(run.path(), Path::new(&a).join("runs").join(run.file_name())).expect("moved");
    }
    let before = finished(&a);
    assert!(ok(&["sweep", &plan, "--out", &a]).starts_with("9 of 9 runs have ended, 9 of them before"));
    assert_eq!(index(&a), index(&one));
    assert_eq!(finished(&a), before);
    // Shards that work at once in one folder, as a job array does, leave the whole index.
    let part = |i: usize| {
        let shard = format!("{i}/3");
        let arguments = ["sweep", &plan, "--out", &shared, "--shard", &shard, "--threads", "1"];
        program().args(arguments).stdout(Stdio::null()).spawn().expect("the program runs")
    };
    let parts: Vec<Child> = (1..=3).map(part).collect();
    for mut part in parts {
        assert!(part.wait().expect("a child").success());
    }
    assert_eq!(index(&shared), index(&one));
}

/// Two processes work at once in one folder, each on its part, and each is killed at moments of its own, again and
/// again.
fn killed_at_random_moments(parts: [&'static str; 2]) {
    let place = Place::new();
    let plan = place.plan(1..=20, &vary("network.gain", "[0.5, 1.0]"));
    let (whole, broken) = (place.at("whole"), place.at("broken"));
    ok(&["sweep", &plan, "--out", &whole]);
    let shard = |part: &'static str| {
        let arguments = ["sweep", &plan, "--out", &broken, "--shard", part, "--threads", "1"];
        program()
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs")
    };
    let mut random = 54321_u32;
    let mut moment = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Duration::from_micros(u64::from(random >> 17))
    };
    let (mut killed, mut seen) = (0, BTreeMap::new());
    while killed < 10 && seen.len() < 40 {
        let mut both = parts.map(shard);
        let before = seen.len();
        for child in &mut both {
            let alive = wait_for(child, || finished(&broken).len() > before);
            std::thread::sleep(moment());
            let _ = child.kill();
            child.wait().expect("a child");
            killed += usize::from(alive);
        }
        let now = finished(&broken);
        assert!(seen.iter().all(|(run, written)| now.get(run) == Some(written)), "a run was repeated");
        seen = now;
    }
    assert!(killed >= 3, "{killed} kills in 40 runs");
    for part in parts {
        ok(&["sweep", &plan, "--out", &broken, "--shard", part]);
    }
    assert_eq!(index(&broken), index(&whole));
    assert!(seen.iter().all(|(run, written)| finished(&broken)[run] == *written));
}

#[test]
fn two_shards_that_are_killed_at_random_moments_leave_the_index_of_an_unbroken_sweep() {
    killed_at_random_moments(["1/2", "2/2"]);
}

#[test]
fn two_sweeps_of_the_same_runs_that_are_killed_leave_the_index_of_an_unbroken_one() {
    killed_at_random_moments(["1/1", "1/1"]);
}

#[test]
fn two_sweeps_in_one_folder_make_each_run_once_and_both_end_well() {
    let place = Place::new();
    let plan = place.plan(1..=12, &vary("network.gain", "[0.5, 1.0]"));
    let (one, shared) = (place.at("one"), place.at("shared"));
    ok(&["sweep", &plan, "--out", &one]);
    let arguments = ["sweep", &plan, "--out", &shared, "--threads", "2"];
    let mut both: Vec<Child> = (0..2)
        .map(|_| {
            let mut program = program();
            program.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
            program.spawn().expect("the program runs")
        })
        .collect();
    // A summary that is there once is never written again.
    let mut seen = BTreeMap::new();
    while both.iter_mut().any(|child| child.try_wait().expect("a child").is_none()) {
        for (run, written) in finished(&shared) {
            assert_eq!(*seen.entry(run).or_insert(written), written, "a run was made twice");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    for child in both {
        let output = child.wait_with_output().expect("a child");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with("24 of 24 runs have ended"));
    }
    assert_eq!(index(&shared), index(&one));
    for run in fs::read_dir(Path::new(&shared).join("runs")).expect("runs") {
        let run = run.expect("a run").path();
        assert_eq!(fs::read_dir(&run).expect("files").count(), 5, "no lock stays: {}", run.display());
    }
}

#[test]
fn a_run_of_another_process_is_waited_for_and_made_where_that_one_gave_it_up() {
    let place = Place::new();
    let plan = place.plan(1..=3, &vary("network.gain", "[1.0]"));
    let (one, out) = (place.at("one"), place.at("out"));
    ok(&["sweep", &plan, "--out", &one]);
    let run = |seed: u32| format!("runs/gain=1.0_seed={seed}");
    // This test is the other process: it makes the first run, and gives the second one up.
    let lock = |seed: u32| RunLock::take(&Path::new(&out).join(run(seed))).expect("nobody has it");
    fs::create_dir_all(&out).expect("a folder");
    fs::copy(&plan, Path::new(&out).join("plan.toml")).expect("copied");
    let (made, given_up) = (lock(1), lock(2));
    let arguments = ["sweep", &plan, "--out", &out, "--threads", "1"];
    let mut child = program().args(arguments).stdout(Stdio::piped()).spawn().expect("the program runs");
    assert!(wait_for(&mut child, || finished(&out).len() == 1), "it waits for the runs of others");
    assert!(Path::new(&out).join(run(3)).join("summary.json").exists());
    for name in ["history.csv", "snapshot.npz", "plot.py", "config.toml", "summary.json"] {
        let file = |folder: &str| Path::new(folder).join(run(1)).join(name);
        fs::copy(file(&one), file(&out)).expect("copied");
    }
    let first = finished(&out);
    made.end();
    drop(given_up);
    let output = child.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(index(&out), index(&one));
    let now = finished(&out);
    assert!(now.len() == 3 && first.iter().all(|(run, written)| now[run] == *written), "none made again");
}

#[test]
fn more_jobs_than_runs_and_any_number_of_threads_give_the_same_bytes() {
    let place = Place::new();
    let plan = place.plan(1..=2, &vary("network.gain", "[1.0]"));
    let [one, two, three] = ["one", "two", "three"].map(|n| place.at(n));
    ok(&["sweep", &plan, "--out", &one, "--jobs", "16", "--threads", "3"]);
    ok(&["sweep", &plan, "--out", &two, "--jobs", "1", "--threads", "4"]);
    ok(&["sweep", &plan, "--out", &three, "--threads", "1"]);
    assert_eq!(index(&one), index(&two));
    assert_eq!(index(&one), index(&three));
    // A row is a run like any other.
    let run = place.at("run");
    let config = format!("{one}/runs/gain=1.0_seed=2/config.toml");
    ok(&["run", "--config", &config, "--out", &run]);
    let of_sweep = fs::read(Path::new(&one).join("runs/gain=1.0_seed=2/history.csv")).expect("a history");
    assert!(fs::read(Path::new(&run).join("history.csv")).expect("a history") == of_sweep);
    let history = text(&of_sweep);
    let last = |series: &str| {
        let row = history.lines().rev().find(|l| l.split(',').nth(1) == Some(series)).expect(series);
        row.rsplit(',').next().expect("a value").to_string()
    };
    for series in ["train_loss", "test_loss", "lambda_max"] {
        assert_eq!(column(&index(&one), series)[1], last(series), "{series}");
    }
    assert!(column(&index(&one), "iteration").iter().all(|n| n == "40"));
}

#[test]
fn a_run_that_diverges_is_a_row() {
    let place = Place::new();
    let more = String::from("optimizer = { kind = \"sgd\" }\n");
    let more = more + &vary("optimizer.learning_rate", "[1e-3, 1e9, 1e-2]");
    let plan = place.plan(1..=2, &more);
    let out = place.at("out");
    for before in [0, 6] {
        let output = call(&["sweep", &plan, "--out", &out]);
        assert_eq!(output.status.code(), Some(1));
        let complaints = text(&output.stderr);
        assert!(complaints.lines().all(|line| line.contains(" runs done, ")), "{complaints}");
        let said = text(&output.stdout);
        let expected = format!("6 of 6 runs have ended, {before} of them before, 2 diverged\n");
        assert!(said.starts_with(&expected), "{said}");
    }
    let stop = column(&index(&out), "stop");
    assert_eq!(stop, ["done", "done", "diverged", "diverged", "done", "done"]);
    let iteration = column(&index(&out), "iteration");
    assert!(iteration[2].parse::<u32>().is_ok_and(|n| n < 40), "{iteration:?}");
}

#[test]
fn a_plan_may_grow_and_nothing_of_others_is_overwritten() {
    let place = Place::new();
    let out = place.at("out");
    let plan = place.plan(1..=2, &vary("network.gain", "[1.0]"));
    ok(&["sweep", &plan, "--out", &out]);
    let before = finished(&out);
    place.plan(1..=3, &vary("network.gain", "[0.5, 1.0]"));
    assert!(ok(&["sweep", &plan, "--out", &out]).starts_with("6 of 6 runs have ended, 2 of them before"));
    assert!(before.iter().all(|(run, written)| finished(&out)[run] == *written));
    assert_eq!(column(&index(&out), "seed"), ["1", "2", "3", "1", "2", "3"]);

    // Other settings under the same names.
    let text_of_plan = text(&fs::read(&plan).expect("a plan")).replace("iterations = 40", "iterations = 41");
    fs::write(&plan, text_of_plan).expect("written");
    let whole = index(&out);
    let error = refused(&["sweep", &plan, "--out", &out]);
    assert!(error.contains("gain=0.5_seed=1") && error.contains("--force"), "{error}");
    assert!(error.contains("(`iterations` is 40, expected 41)"), "{error}");
    assert_eq!(index(&out), whole);
    ok(&["sweep", &plan, "--out", &out, "--force"]);
    assert!(column(&index(&out), "iteration").iter().all(|n| n == "41"));

    // A half-written run is done again; one whose summary is not whole too.
    let whole = index(&out);
    fs::remove_file(Path::new(&out).join("runs/gain=1.0_seed=2/summary.json")).expect("removed");
    fs::write(Path::new(&out).join("runs/gain=1.0_seed=3/summary.json"), "{\"settings_hash\": ")
        .expect("cut");
    fs::remove_file(Path::new(&out).join("runs/gain=1.0_seed=1/snapshot.npz")).expect("removed");
    assert!(ok(&["sweep", &plan, "--out", &out]).starts_with("6 of 6 runs have ended, 3 of them before"));
    assert_eq!(index(&out), whole);

    let foreign = place.at("foreign");
    fs::create_dir(&foreign).expect("a folder");
    fs::write(Path::new(&foreign).join("mine.txt"), "mine").expect("written");
    assert!(refused(&["sweep", &plan, "--out", &foreign]).contains("--force"));
    assert_eq!(fs::read_dir(&foreign).expect("a folder").count(), 1);
    ok(&["sweep", &plan, "--out", &foreign, "--force"]);
    assert_eq!(index(&foreign), whole);
}

#[test]
fn runs_alone_are_taken_as_the_parts_of_a_sweep() {
    let place = Place::new();
    let plan = place.plan(1..=2, &vary("network.gain", "[0.5, 1.0]"));
    let [one, a, b, merged] = ["one", "a", "b", "merged"].map(|n| place.at(n));
    ok(&["sweep", &plan, "--out", &one]);
    ok(&["sweep", &plan, "--out", &a, "--shard", "1/2"]);
    ok(&["sweep", &plan, "--out", &b, "--shard", "2/2"]);
    // As README has it: mkdir merged; cp -r a/runs b/runs merged/.
    fs::create_dir(&merged).expect("a folder");
    let copied =
        Command::new("cp").args(["-r", &format!("{a}/runs"), &format!("{b}/runs"), &merged]).status();
    assert!(copied.expect("cp").success());
    let before = finished(&merged);
    assert!(ok(&["sweep", &plan, "--out", &merged]).starts_with("4 of 4 runs have ended, 4 of them before"));
    assert_eq!((index(&merged), finished(&merged)), (index(&one), before));
    // A folder of that name with other things in it is not taken.
    let foreign = place.at("foreign");
    fs::create_dir_all(Path::new(&foreign).join("runs/mine")).expect("a folder");
    fs::write(Path::new(&foreign).join("runs/mine/events.log"), "mine").expect("written");
    let error = refused(&["sweep", &plan, "--out", &foreign]);
    assert!(error.contains("is not empty and holds no sweep") && !error.contains("the run"), "{error}");
}

#[test]
fn a_sweep_is_not_put_into_the_folder_of_another() {
    let place = Place::new();
    let out = place.at("out");
    let plan = place.plan(1..=2, &vary("network.gain", "[0.5, 1.0]"));
    ok(&["sweep", &plan, "--out", &out]);
    let kept = || {
        let file = |name: &str| fs::read(Path::new(&out).join(name)).expect(name);
        (file("plan.toml"), file("index.csv"))
    };
    let before = kept();
    let other = place.plan(3..=4, &vary("network.gain", "[2.0]"));
    let error = refused(&["sweep", &other, "--out", &out]);
    assert!(error.contains("none of them is of this plan") && error.contains("--force"), "{error}");
    let error = refused(&["reproduce", "p1-a12ab", "--quick", "--out", &out]);
    assert!(error.contains("holds the runs of a sweep, not of figure p1-a12ab"), "{error}");
    assert!(kept() == before && finished(&out).len() == 4);
    // What shares a run goes on, shrunk, grown or in other words; by force anything.
    place.plan(2..=3, &("# mine\n".to_owned() + &vary("network.gain", "[1]")));
    assert!(ok(&["sweep", &plan, "--out", &out]).starts_with("2 of 2 runs have ended, 1 of them before"));
    place.plan(3..=4, &vary("network.gain", "[2.0]"));
    ok(&["sweep", &plan, "--out", &out, "--force"]);
    // And the same plan again, whatever has ended.
    ok(&["sweep", &plan, "--out", &out]);
}

#[test]
fn damaged_runs_are_named_by_check_and_made_again() {
    let place = Place::new();
    let out = place.at("out");
    let plan = place.plan(1..=2, &vary("network.gain", "[0.5, 1.0]"));
    ok(&["sweep", &plan, "--out", &out]);
    assert!(ok(&["check", &out]).contains("sound: the folder of a sweep"));
    let whole = index(&out);
    let run = format!("{out}/runs/gain=0.5_seed=2");
    let file = |name: &str| Path::new(&run).join(name);
    let other = Path::new(&out).join("runs/gain=1.0_seed=1/snapshot.npz");
    let history = text(&fs::read(file("history.csv")).expect("a history"));
    let snapshot = fs::read(file("snapshot.npz")).expect("a snapshot");
    let last_lines = |n: usize| history.lines().rev().nth(n).expect("a line").len();
    let foreign = fs::read(other).expect("a snapshot");
    let row = history.lines().find(|l| l.starts_with("20,train_loss,")).expect("a value");
    let damages: [(&str, Vec<u8>, &[&str], bool); 6] = [
        (
            "history.csv",
            history[..history.len() / 2].into(),
            &["history.csv", "expected", "delete the folder"],
            true,
        ),
        ("history.csv", history[..50].into(), &["history.csv", "delete the folder"], true),
        (
            "history.csv",
            history[..history.len() - last_lines(0) - 1].into(),
            &["history.csv", "at iteration 40", "delete the folder"],
            true,
        ),
        ("snapshot.npz", snapshot[..snapshot.len() / 2].into(), &["snapshot.npz"], true),
        ("snapshot.npz", foreign, &["snapshot.npz", "is of settings", "summary.json"], false),
        (
            "history.csv",
            history.replace(row, "20,train_loss,0.5").into(),
            &["history.csv", "`train_loss` is 0.5 at iteration 20, expected", "snapshot.npz"],
            false,
        ),
    ];
    for (name, content, parts, is_seen) in damages {
        let good = fs::read(file(name)).expect(name);
        fs::write(file(name), content).expect("damaged");
        for path in [&out, &run] {
            let error = refused(&["check", path]);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        if is_seen {
            let output = call(&["sweep", &plan, "--out", &out]);
            assert_eq!(output.status.code(), Some(0));
            let (said, warned) = (text(&output.stdout), text(&output.stderr));
            assert!(said.starts_with("4 of 4 runs have ended, 3 of them before"), "{said}");
            assert!(warned.contains("gain=0.5_seed=2") && warned.contains("made again"), "{warned}");
        } else {
            fs::write(file(name), &good).expect("mended");
        }
        assert!(fs::read(file(name)).expect(name) == good, "{name}");
        assert_eq!(index(&out), whole);
        ok(&["check", &out]);
    }
}

#[test]
fn ctrl_c_ends_with_130_and_the_same_command_goes_on() {
    let place = Place::new();
    let out = place.at("out");
    let plan = place.plan(1..=3, &vary("iterations", "[5, 50_000_000]"));
    let mut child = program()
        .args(["sweep", &plan, "--out", &out, "--threads", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let started = Path::new(&out).join("runs/iterations=50000000_seed=1");
    assert!(wait_for(&mut child, || finished(&out).len() == 3 && started.exists()));
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(interrupted.success());
    let output = child.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(130));
    let said = text(&output.stdout);
    assert!(
        said.contains("3 of 6 runs have ended") && said.contains("goes on with the 3 runs left"),
        "{said}"
    );
    assert_eq!(column(&index(&out), "seed"), ["1", "2", "3"]);
    assert!(!started.join("summary.json").exists());
}

#[test]
fn what_is_wrong_with_a_plan_is_said_before_anything_runs() {
    let place = Place::new();
    let out = place.at("out");
    for (more, parts) in [
        (vary("network.gian", "[1]"), ["plan.toml: unknown key `network.gian`", "`network.gain`"]),
        (vary("network.gain", "[1, -2]"), ["`network.gain` = -2", "expected"]),
        (vary("network.gain", "3"), ["[[vary]] 1", "expected a list"]),
        (vary("network.gain", "[1"), ["plan.toml: not valid TOML", "line"]),
        (vary("measure.top_k", "[1, 150]"), ["`measure.top_k` = 150", "at most 100"]),
        (
            vary("network.gain", "[1]").replace("vary", "vari"),
            ["unknown key `vari`", "the nearest is `vary`"],
        ),
        (
            "[stop]\nplateau = 99999999999999999999\n".into(),
            ["`plateau` = 99999999999999999999: expected", "at most 9223372036854775807"],
        ),
    ] {
        let plan = place.plan(1..=2, &more);
        for arguments in [vec!["sweep", &plan, "--out", &out], vec!["check", &plan]] {
            let error = refused(&arguments);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
    let plan = place.plan(1..=2, &vary("network.gain", "[1, 2]"));
    assert!(ok(&["check", &plan]).contains("sound: a plan of 4 runs: 2 of network.gain x 2 of seed"));
    assert!(refused(&["run", "--config", &plan, "--out", &out]).contains("basinscope sweep"));
    for shard in ["0/2", "3/2", "half"] {
        assert!(refused(&["sweep", &plan, "--out", &out, "--shard", shard]).contains("such as 2/5"));
    }
    assert!(refused(&["sweep", &place.at("none.toml"), "--out", &out]).contains("no such file"));
    assert!(!Path::new(&out).exists());
}
