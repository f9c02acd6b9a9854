//! The built program as a new user meets it: files, exit codes, one clear line for everything that is wrong, and
//! nothing lost.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::npz::{load, reference};
use tempfile::TempDir;

mod common;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_basinscope"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    command
}

fn call<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    program().args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Ends well, says nothing on standard error.
fn ok<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let output = call(arguments);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    text(&output.stdout)
}

/// Exit 2, one line on standard error, nothing on standard output.
fn refused<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let output = call(&arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert_eq!((error.lines().count(), text(&output.stdout).as_str()), (1, ""), "{arguments:?}: {error}");
    assert!(error.starts_with("error: ") && error.len() < 500, "{error}");
    error
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("UTF-8").to_owned()
}

/// A run of a few iterations of a small network.
const SMALL: [&str; 8] = [
    "--set",
    "network.n_rec=10",
    "--set",
    "task.batch=4",
    "--set",
    "task.test_trials=8",
    "--set",
    "measure={probe_trials=4, test=5, curvature=5, lyapunov=5, alignment=5}",
];

fn small<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["run"].iter().chain(&SMALL).chain(more).chain(&["--out", out]).copied().collect()
}

/// All files of a folder with their bytes.
fn contents(folder: impl AsRef<Path>) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).expect("read"));
        }
    }
    all
}

fn names(folder: impl AsRef<Path>) -> Vec<String> {
    contents(folder).keys().map(|p| p.file_name().expect("a name").to_string_lossy().into_owned()).collect()
}

fn read(folder: &str, name: &str) -> Vec<u8> {
    fs::read(Path::new(folder).join(name)).expect(name)
}

#[test]
fn a_run_writes_its_folder() {
    let dir = folder();
    let out = path(&dir, "deep/out");
    let said = ok(&small(&out, &["--set", "iterations=12"]));
    assert!(said.starts_with("done; 12 updates") && said.contains("train_loss") && said.contains("files in"));
    assert_eq!(names(&out), ["config.toml", "history.csv", "plot.py", "snapshot.npz", "summary.json"]);

    let history = text(&read(&out, "history.csv"));
    let mut lines = history.lines();
    assert_eq!(lines.next(), Some("iteration,series,value"));
    let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
    assert!(rows.iter().all(|r| r.len() == 3));
    let of = |series: &str| rows.iter().filter(|r| r[1] == series).map(|r| r[0]).collect::<Vec<_>>();
    assert_eq!(of("train_loss").len(), 12);
    for series in ["test_loss", "lambda_max", "rho", "lyapunov_max"] {
        assert_eq!(of(series), ["0", "5", "10", "12"], "{series}: its cadence, start and end");
    }
    let snapshot = load(Path::new(&out).join("snapshot.npz"));
    assert_eq!(snapshot["history_train_loss"].values.len(), 12);
    let last: f64 =
        rows.iter().rev().find(|r| r[1] == "train_loss").expect("a row")[2].parse().expect("a number");
    assert_eq!(snapshot["history_train_loss"].values[11], last);
    for name in
        ["loss", "y", "grad_exact_w_rec", "grad_e_prop_w_in", "lyapunov", "lyapunov_q0", "probe_target"]
    {
        assert!(snapshot.contains_key(name), "{name}");
    }
    assert_eq!(snapshot["lyapunov"].shape, [10], "at the end all exponents");

    let summary: serde_json::Value = serde_json::from_slice(&read(&out, "summary.json")).expect("JSON");
    assert_eq!((summary["stop"]["reason"].as_str(), summary["iteration"].as_i64()), (Some("done"), Some(12)));
    let end = summary["series"]["train_loss"]["last"]["value"].as_f64().expect("a number");
    assert!((end / last - 1.0).abs() < 1e-15, "{end} {last}: what reading JSON may lose");
    assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
    assert!(summary["settings_hash"].as_str().is_some_and(|h| h.len() == 16));
    assert!(summary["wall_seconds"].as_f64().is_some_and(|s| s > 0.0));
    assert_eq!(summary["warnings"].as_array().map(Vec::len), Some(0));
}

#[test]
fn its_own_settings_and_any_number_of_threads_give_the_same_bytes() {
    let dir = folder();
    let [one, two, three] = ["one", "two", "three"].map(|n| path(&dir, n));
    ok(&small(&one, &["--set", "iterations=7", "--set", "task.batch=40", "--threads", "1"]));
    ok(&small(&two, &["--set", "iterations=7", "--set", "task.batch=40", "--threads", "3"]));
    ok(&["run", "--config", &format!("{one}/config.toml"), "--out", &three]);
    for name in ["config.toml", "history.csv", "snapshot.npz", "plot.py"] {
        assert_eq!(read(&one, name), read(&two, name), "threads: {name}");
        if name != "config.toml" {
            assert_eq!(read(&one, name), read(&three, name), "its own settings: {name}");
        }
    }
    // Its sources may be told apart, its values not.
    let values = |folder: &str| text(&read(folder, "config.toml")).parse::<toml::Table>().expect("TOML");
    assert_eq!(values(&one), values(&three));
}

#[test]
fn a_run_in_two_parts_is_the_run_in_one() {
    for more in
        [&[][..], &["--set", "rule.kind=rflo", "--set", "precision=f64", "--set", "flossing.iterations=3"]]
    {
        let dir = folder();
        let [whole, first, second] = ["whole", "first", "second"].map(|n| path(&dir, n));
        let with = |n: &'static str| [&["--set", n][..], more].concat();
        ok(&small(&whole, &with("iterations=13")));
        ok(&small(&first, &with("iterations=6")));
        let snapshot = format!("{first}/snapshot.npz");
        ok(&["run", "--from", &snapshot, "--set", "iterations=13", "--out", &second]);
        assert_eq!(text(&read(&second, "history.csv")), text(&read(&whole, "history.csv")));
        let ([a, b], only) = ([&second, &whole].map(|f| load(format!("{f}/snapshot.npz"))), "resume_json");
        assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
        for (name, member) in &a {
            // NaN is not equal to itself, its text is.
            assert!(name == only || format!("{member:?}") == format!("{:?}", b[name]), "{name}");
        }
        let error = refused(&["run", "--from", &snapshot, "--out", &path(&dir, "third")]);
        assert!(error.contains("`iterations` = 6") && error.contains("6 updates already"), "{error}");
        let error =
            refused(&["run", "--from", &snapshot, "--set", "network.gain=2", "--out", &path(&dir, "x")]);
        assert!(error.contains("`network.gain` needs a fresh start"), "{error}");
    }
}

#[test]
fn wrong_use_gives_one_line_and_writes_nothing() {
    let dir = folder();
    let out = path(&dir, "out");
    let toml = path(&dir, "settings.toml");
    fs::write(&toml, "[network]\ngian = 2\n").expect("written");
    let broken = path(&dir, "broken.toml");
    fs::write(&broken, "seed = 1\nseed = = 2\n").expect("written");
    let junk = path(&dir, "junk.npz");
    std::fs::write(&junk, [0x93, 0xff, 0x00, 0x41]).expect("a file");
    let binary = path(&dir, "binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).expect("written");
    let before = contents(dir.path());
    for (arguments, parts) in [
        (vec!["frobnicate"], ["unrecognized subcommand", "--help"]),
        (vec!["run"], ["--out", "required"]),
        (vec!["run", "--out"], ["--out", "value"]),
        (vec!["run", "--ouut", "x"], ["--ouut", "unexpected"]),
        (vec!["run", "--preset", "romo", "--config", &toml, "--out", &out], ["--preset", "cannot be used"]),
        (vec!["run", "--preset", "rome", "--out", &out], ["`rome`", "romo, two-alternative"]),
        (vec!["run", "--threads", "0", "--out", &out], ["--threads", "1..=1024"]),
        (vec!["run", "--threads", "many", "--out", &out], ["--threads", "many"]),
        (vec!["run", "--set", "seed", "--out", &out], ["`seed`", "KEY=VALUE"]),
        (vec!["run", "--set", "gian=2", "--out", &out], ["`gian`", "`network.gain`"]),
        (vec!["run", "--set", "network.gain=-2", "--out", &out], ["`network.gain` = -2", "at least 0"]),
        (vec!["run", "--set", "network.gain=big", "--out", &out], ["\"big\"", "a number"]),
        (vec!["run", "--set", "rule.kind=backprop", "--out", &out], ["backprop", "one of bptt, e-prop"]),
        (vec!["run", "--set", "flossing.k=100", "--out", &out], ["`flossing.k` = 100", "at most 64"]),
        (vec!["run", "--preset", "file", "--out", &out], ["task.path", "npz"]),
        (
            vec!["run", "--config", &toml, "--out", &out],
            ["settings.toml: unknown key `network.gian`", "`network.gain`"],
        ),
        (vec!["run", "--config", &broken, "--out", &out], ["broken.toml", "line 2"]),
        (vec!["run", "--config", &binary, "--out", &out], ["binary.toml", "UTF-8"]),
        (vec!["run", "--config", "no/such.toml", "--out", &out], ["no/such.toml", "no such file"]),
        (vec!["run", "--from", "no/such.npz", "--out", &out], ["no/such.npz", "no such file"]),
        (vec!["run", "--from", &toml, "--out", &out], ["settings.toml", "not a zip archive"]),
        (vec!["run", "--out", &toml], ["settings.toml", "is a file"]),
        (vec!["presets", "rome"], ["`rome`", "romo, two-alternative"]),
        (vec!["check", "no/such.npz"], ["no/such.npz", "no such file"]),
        (vec!["check", &toml], ["settings.toml", "`network.gain`"]),
        (vec!["check", dir.path().to_str().expect("UTF-8")], ["folder of neither a run", "expected a file"]),
        (vec!["measure", "no/such.npz", "--out", &out], ["no/such.npz", "no such file"]),
        (vec!["open"], ["FILES", "required"]),
        (vec!["check", &junk], ["junk.npz", "not a zip archive"]),
        (vec!["open", "src"], ["folder of neither a run nor a sweep", "expected a snapshot"]),
        (vec!["open", "no/such.npz"], ["no/such.npz", "no such file"]),
    ] {
        let error = refused(&arguments);
        for part in parts {
            assert!(error.contains(part), "{arguments:?}: `{error}` should contain `{part}`");
        }
    }
    assert_eq!(contents(dir.path()), before);
}

#[test]
fn a_folder_in_use_is_kept_and_force_replaces_the_run_only() {
    let dir = folder();
    let out = path(&dir, "out");
    fs::create_dir(&out).expect("a folder");
    ok(&small(&out, &["--set", "iterations=2"]));
    fs::write(format!("{out}/notes.txt"), "mine").expect("written");
    let before = contents(&out);
    let error = refused(&small(&out, &["--set", "iterations=3"]));
    assert!(error.contains("exists and is not empty") && error.contains("--force"), "{error}");
    assert_eq!(contents(&out), before);

    ok(&small(&out, &["--set", "iterations=3", "--force"]));
    assert_eq!(read(&out, "notes.txt"), b"mine");
    assert_ne!(contents(&out), before);
    assert_eq!(names(&out).len(), 6);

    fs::remove_file(format!("{out}/plot.py")).expect("removed");
    fs::create_dir(format!("{out}/plot.py")).expect("a folder in the place of a file");
    let before = contents(&out);
    let error = refused(&small(&out, &["--set", "iterations=4", "--force"]));
    assert!(error.contains("plot.py: is a directory"), "{error}");
    assert_eq!(contents(&out), before);
}

#[test]
fn warnings_are_said_and_kept() {
    let dir = folder();
    let out = path(&dir, "out");
    let output = call(&small(&out, &["--set", "iterations=1", "--set", "optimizer.momentum=0.9"]));
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).starts_with("warning: `optimizer.momentum` does nothing under Adam"));
    let summary: serde_json::Value = serde_json::from_slice(&read(&out, "summary.json")).expect("JSON");
    assert!(summary["warnings"][0].as_str().is_some_and(|w| w.contains("momentum")));
}

#[test]
fn a_run_that_diverges_exits_1_and_its_files_say_when() {
    let dir = folder();
    let out = path(&dir, "out");
    let wild =
        ["--set", "optimizer.kind=sgd", "--set", "optimizer.learning_rate=1e6", "--set", "iterations=50"];
    let output = call(&small(&out, &wild));
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), ""));
    assert!(text(&output.stdout).starts_with("diverged at iteration "));
    let summary: serde_json::Value = serde_json::from_slice(&read(&out, "summary.json")).expect("JSON");
    assert_eq!(summary["stop"]["reason"], "diverged");
    assert!(summary["stop"]["quantity"].is_string() && summary["stop"]["iteration"].as_i64() > Some(0));
    assert_eq!(names(&out).len(), 5);
    assert!(!load(format!("{out}/snapshot.npz")).is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_cleanly_and_the_run_goes_on_from_there() {
    let dir = folder();
    let [first, second] = ["first", "second"].map(|n| path(&dir, n));
    let child = program()
        .args(small(&first, &["--set", "iterations=100000000", "--set", "measure.test=0"]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // The folder is made right before the first update.
    while !Path::new(&first).exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("stopped by the user; "));
    assert_eq!(names(&first), ["config.toml", "history.csv", "plot.py", "snapshot.npz", "summary.json"]);
    let summary: serde_json::Value = serde_json::from_slice(&read(&first, "summary.json")).expect("JSON");
    assert_eq!(summary["stop"]["reason"], "stopped");
    let more = format!("iterations={}", summary["iteration"].as_i64().expect("a number") + 5);
    let snapshot = format!("{first}/snapshot.npz");
    ok(&["run", "--from", &snapshot, "--set", &more, "--out", &second]);
}

/// The largest file that the system allows is smaller than the snapshot.
#[cfg(unix)]
#[test]
fn a_full_disk_is_named_and_old_files_stay_whole() {
    let dir = folder();
    let out = path(&dir, "out");
    ok(&small(&out, &["--set", "iterations=2"]));
    let before = read(&out, "snapshot.npz");
    let line = format!(
        "trap '' XFSZ; ulimit -f 20; exec {} {} --force --set iterations=3",
        env!("CARGO_BIN_EXE_basinscope"),
        small(&out, &[]).iter().map(|a| format!("'{a}'")).collect::<Vec<_>>().join(" ")
    );
    let output = Command::new("sh").args(["-c", &line]).output().expect("sh");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.starts_with("error: ") && error.contains("snapshot.npz: "), "{error}");
    assert!(error.lines().count() == 1 && !error.contains("drop"), "{error}");
    assert!(read(&out, "snapshot.npz") == before, "the old snapshot is whole");
    assert_eq!(names(&out).len(), 5, "and no temporary file is left");
}

#[test]
fn an_empty_file_is_not_sound_and_a_bottomless_key_is_unknown() {
    let dir = folder();
    let file = dir.path().join("empty.npz");
    std::fs::write(&file, "").expect("a file");
    let error = refused(&["check", file.to_str().expect("UTF-8")]);
    assert!(error.contains("empty.npz: is empty"), "{error}");
    let deep = format!("{}b=1", "a.".repeat(50_000));
    let error = refused(&["run", "--preset", "romo", "--set", &deep, "--out", &path(&dir, "out")]);
    assert!(error.contains("unknown key `a.a.a") && error.contains("…`"), "{error}");
}

#[test]
fn without_a_display_the_window_names_the_way_without_one() {
    for arguments in [vec![], vec!["open", "Cargo.toml"]] {
        let error = refused(&arguments);
        assert!(error.contains("display") && error.contains("basinscope run"), "{error}");
    }
}

#[test]
fn presets_and_help_are_on_standard_output() {
    let all = ok(&["presets"]);
    let names =
        ["romo", "two-alternative", "delayed-match", "cued-match", "pattern", "sequential-mnist", "file"];
    assert_eq!(all.lines().count(), names.len());
    assert!(all.lines().zip(names).all(|(line, name)| line.starts_with(name)));
    let one = ok(&["presets", "romo"]);
    assert!(
        one.contains("optimizer.kind = \"adam\"  [P2]") && one.contains("network.alpha = 0.5  [C]"),
        "{one}"
    );
    assert!(one.contains("iterations = 5000 (under bptt 1500)  [own]"));
    for arguments in [vec!["--help"], vec!["run", "--help"], vec!["--version"]] {
        assert!(ok(&arguments).contains("asinscope"));
    }
    // Whoever stops reading does not make the program panic.
    let mut child =
        program().arg("presets").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

#[test]
fn measure_writes_what_it_found_of_a_network_of_anyone() {
    let dir = folder();
    let out = path(&dir, "out.npz");
    let case = reference("case1.npz");
    let case = case.to_str().expect("UTF-8");
    let said = ok(&["measure", case, "--out", &out]);
    assert!(said.contains("lambda_max") && said.contains("written to"));
    let (found, expected) = (load(&out), load(case));
    let close = |a: f64, b: f64, tolerance: f64| (a - b).abs() <= tolerance * b.abs();
    assert!(close(found["loss"].scalar(), expected["expected_loss"].scalar(), 1e-9));
    assert!(close(found["lambda_max"].scalar(), expected["expected_lambda_max"].scalar(), 1e-7));
    let before = fs::read(&out).expect("read");
    assert!(refused(&["measure", case, "--out", &out]).contains("exists"));
    assert_eq!(fs::read(&out).expect("read"), before);
    ok(&["measure", case, "--out", &out, "--force", "--set", "measure.top_k=2", "--threads", "1"]);
    assert_eq!(load(&out)["hessian_eigenvalues"].shape, [2]);
    // A snapshot of a run is such a file as well, and so is a file of measures.
    let run = path(&dir, "run");
    ok(&small(&run, &["--set", "iterations=2"]));
    let of_run = path(&dir, "of_run.npz");
    ok(&["measure", &format!("{run}/snapshot.npz"), "--out", &of_run]);
    let (run, of_run) = (load(format!("{run}/snapshot.npz")), load(of_run));
    assert!(close(of_run["loss"].scalar(), run["loss"].scalar(), 1e-12));
    for name in ["rho", "cosine", "lambda_max"] {
        let (a, b) = (of_run[name].scalar(), run[name].scalar());
        assert!(close(a, b, 1e-2), "{name}: {a} in f64, {b} in f32");
    }
}

#[test]
fn networks_that_are_not_sound_are_refused() {
    let dir = folder();
    let case = fs::read(reference("case1.npz")).expect("read");
    let truncated = path(&dir, "truncated.npz");
    fs::write(&truncated, &case[..case.len() / 2]).expect("written");
    let altered = path(&dir, "altered.npz");
    let mut bytes = case.clone();
    let at = bytes.windows(9).position(|w| w == b"w_rec.npy").expect("a member") + 200;
    bytes[at] ^= 0xff;
    fs::write(&altered, bytes).expect("written");
    let out = path(&dir, "out.npz");
    for (file, part) in [
        (truncated.as_str(), "truncated"),
        (&altered, "`w_rec`"),
        (reference("neurogym_clean.npz").to_str().expect("UTF-8"), "`meta_json`: is missing"),
        ("Cargo.toml", "not a zip archive"),
    ] {
        for command in [vec!["measure", file, "--out", &out], vec!["run", "--from", file, "--out", &out]] {
            let error = refused(&command);
            assert!(error.contains(file) && error.contains(part), "{error}");
        }
    }
    let case = reference("case1.npz");
    let error = refused(&["run", "--from", case.to_str().expect("UTF-8"), "--out", &out]);
    assert!(error.contains("case1.npz"), "{error}");
    let error =
        refused(&["measure", case.to_str().expect("UTF-8"), "--out", &out, "--set", "measure.top_k=99"]);
    assert!(error.contains("`measure.top_k` = 99: expected at most 49"), "{error}");
    let error = refused(&["measure", case.to_str().expect("UTF-8"), "--out", &path(&dir, "no/out.npz")]);
    assert!(error.contains("there is no folder"), "{error}");
    assert!(!Path::new(&out).exists());
}

/// 1 GB of zeros, packed by gzip.
fn gzip_bomb(head: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(head).expect("packed");
    let zeros = vec![0; 1 << 20];
    (0..1024).for_each(|_| gzip.write_all(&zeros).expect("packed"));
    gzip.finish().expect("packed")
}

#[test]
fn digits_that_are_not_sound_are_refused() {
    let dir = folder();
    let digits = |name: &str| format!("assets/digits/{name}.gz");
    let good = [
        ("images", digits("train-images-idx3-ubyte")),
        ("labels", digits("train-labels-idx1-ubyte")),
        ("test_images", digits("t10k-images-idx3-ubyte")),
        ("test_labels", digits("t10k-labels-idx1-ubyte")),
    ];
    let labels = |magic: u32, count: u32, n: usize| {
        [&magic.to_be_bytes()[..], &count.to_be_bytes(), &vec![1; n]].concat()
    };
    let packed = fs::read(digits("t10k-labels-idx1-ubyte")).expect("read");
    for (name, bytes, part) in [
        ("magic", labels(0x0802, 1000, 1000), "0x00000802: expected"),
        ("count", labels(0x0801, 1001, 1001), "1001"),
        ("short", labels(0x0801, 1000, 999), "999"),
        ("huge", labels(0x0801, u32::MAX, 10), "4294967295"),
        ("packed", packed[..packed.len() / 2].to_vec(), "packed"),
        ("bomb", gzip_bomb(&labels(0x0801, 1000, 0)), "bomb"),
        ("empty", Vec::new(), "empty"),
    ] {
        let file = path(&dir, name);
        fs::write(&file, bytes).expect("written");
        let out = path(&dir, "out");
        let mut line = format!(
            "ulimit -v 1000000; exec {} run --preset sequential-mnist --threads 1 --out '{out}'",
            env!("CARGO_BIN_EXE_basinscope")
        );
        for (key, value) in &good {
            let value = if *key == "test_labels" { &file } else { value };
            line += &format!(" --set 'task.{key}={value}'");
        }
        let output = Command::new("sh").args(["-c", &line]).output().expect("sh");
        let error = text(&output.stderr);
        let own: Vec<&str> = error.lines().filter(|l| !l.starts_with("warning: ")).collect();
        assert_eq!((output.status.code(), own.len()), (Some(2), 1), "{name}: {error}");
        assert!(own[0].contains(&file) && own[0].contains(part), "{name}: {error}");
        assert!(!Path::new(&out).exists());
    }
}

#[test]
fn trials_of_the_user_train_and_bad_ones_are_refused() {
    use basinscope::files::npz::NpzWriter;
    let dir = folder();
    let write = |name: &str, shape: [usize; 3], outputs: usize, value: f64| {
        let file = path(&dir, name);
        let [t, b, n] = shape;
        let mut npz = NpzWriter::new(fs::File::create(&file).expect("a file"));
        let values = |n: usize| (0..n).map(|i| value * (i as f64).sin()).collect::<Vec<_>>();
        npz.floats("x", &shape, &values(t * b * n)).expect("written");
        npz.floats("target", &[t, b, outputs], &values(t * b * outputs)).expect("written");
        npz.floats("mask", &[t, b], &vec![1.0; t * b]).expect("written");
        npz.finish().expect("written");
        file
    };
    let good = write("good.npz", [6, 8, 2], 3, 1.0);
    let out = path(&dir, "out");
    let key = |file: &str| format!("task.path={file}");
    let output =
        call(&["run", "--preset", "file", "--set", &key(&good), "--set", "iterations=3", "--out", &out]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let summary = fs::read_to_string(format!("{out}/summary.json")).expect("a summary");
    for part in ["`task.batch` = 32: there are 8 trials in the file", "has no members `test_...`"] {
        assert_eq!(said.matches(part).count(), 1, "{said}");
        assert!(summary.contains(part), "{summary}");
    }
    let snapshot = load(format!("{out}/snapshot.npz"));
    assert_eq!(snapshot["w_out"].shape, [3, 64]);
    let meta: serde_json::Value = serde_json::from_str(&snapshot["meta_json"].text()).expect("JSON");
    assert_eq!(meta["config"]["task"]["loss"], "regression");
    assert!(ok(&["check", &good]).contains("8 trials of 6 steps, 2 inputs, 3 outputs"));
    // A bomb: 1 GB of zeros.
    let bomb = path(&dir, "bomb.npz");
    let mut zip = zip::ZipWriter::new(fs::File::create(&bomb).expect("a file"));
    zip.start_file("x.npy", zip::write::SimpleFileOptions::default()).expect("a member");
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 65536, 1024), }";
    let npy = [&b"\x93NUMPY\x01\x00"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    zip.write_all(&npy).expect("written");
    let zeros = vec![0; 1 << 20];
    (0..1024).for_each(|_| zip.write_all(&zeros).expect("written"));
    zip.finish().expect("written");
    for (file, part) in [
        (write("nan.npz", [6, 8, 2], 3, f64::NAN), "`x`: value 0 is NaN"),
        (write("none.npz", [6, 0, 2], 3, 1.0), "expected no 0"),
        (
            reference("case1.npz").to_str().expect("UTF-8").to_owned(),
            "`network.n_rec` = 64: expected 7, the units of the network in ",
        ),
        (bomb, "more than a file of this size can justify"),
        (path(&dir, "absent.npz"), "no such file"),
    ] {
        let arguments = ["run", "--preset", "file", "--set", &key(&file), "--out", &path(&dir, "other")];
        let error = refused(&arguments);
        assert!(error.contains(&file) && error.contains(part), "{error}");
    }
}

#[test]
fn check_tells_what_a_file_is() {
    let dir = folder();
    let out = path(&dir, "out");
    ok(&small(&out, &["--set", "iterations=2"]));
    for (file, part) in [
        (
            format!("{out}/snapshot.npz"),
            "a snapshot of romo at iteration 2, 1 input, 10 units, 2 outputs; can go on",
        ),
        (format!("{out}/config.toml"), "a configuration of romo"),
        ("assets/digits/t10k-labels-idx1-ubyte.gz".into(), "1000 labels"),
        (reference("case1.npz").to_str().expect("UTF-8").into(), "network"),
    ] {
        let said = ok(&["check", &file]);
        assert!(said.starts_with(&format!("{file}: sound: ")) && said.contains(part), "{said}");
    }
    assert!(refused(&["check", &format!("{out}/history.csv")]).contains("TOML"));
}
