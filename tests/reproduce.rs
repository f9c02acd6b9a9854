//! `basinscope reproduce` as a new user meets it: figure, tables, report, and a verdict on each claim.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn call(arguments: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_basinscope"));
    program.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    program.args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn ok(arguments: &[&str]) -> String {
    let output = call(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(arguments: &[&str]) -> String {
    let output = call(arguments);
    let error = text(&output.stderr);
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    error
}

#[test]
fn the_list_names_every_figure_and_a_wrong_name_the_nearest() {
    let listed = ok(&["reproduce", "list"]);
    let names: BTreeSet<&str> = listed.lines().filter_map(|l| l.split_whitespace().next()).collect();
    // SCIENCE: P1 figures 2 to 4, appendix 5 to 12, table 1; P2 figures 1 to 5.
    for name in [
        "p1-2",
        "p1-3",
        "p1-4",
        "p1-a5",
        "p1-a6",
        "p1-a7",
        "p1-a8",
        "p1-a9",
        "p1-a10",
        "p1-a11",
        "p1-a12ab",
        "p1-a12c",
        "p1-table1",
        "p2-1",
        "p2-2",
        "p2-3",
        "p2-4",
        "p2-5",
    ] {
        assert!(names.contains(name), "{name}");
    }
    let error = refused(&["reproduce", "p1-tabel1", "--out", "none"]);
    assert!(error.contains("`p1-tabel1`") && error.contains("`p1-table1`"), "{error}");
    assert!(refused(&["reproduce", "p1-3"]).contains("--out"));
    let error = refused(&["reproduce", "p1-3", "--cases", "romo", "--out", "none"]);
    assert!(error.contains("--cases romo: expected some of pattern, cued-match, mnist"), "{error}");
    assert!(!Path::new("none").exists());
}

#[test]
fn a_quick_look_leaves_a_figure_tables_and_a_report() {
    let place = tempfile::tempdir().expect("a folder");
    let out = place.path().join("out");
    let folder = out.to_str().expect("UTF-8");
    let arguments = ["reproduce", "p1-a12ab", "--quick", "--seeds", "3", "--out", folder];
    let said = ok(&arguments);
    assert!(said.contains("Within BPTT") && said.contains("left out by --quick: sequential MNIST"), "{said}");
    let read = |name: &str| fs::read(out.join(name)).expect(name);
    assert!(text(&read("p1-a12ab.svg")).contains("</svg>"));
    assert_eq!(read("p1-a12ab.png")[1..4], *b"PNG");
    // 2 tasks, 2 rules, 3 seeds.
    assert_eq!(text(&read("index.csv")).lines().count(), 13);
    let values = text(&read("values.csv"));
    let gaps = values.lines().filter(|l| l.contains(",gap,")).count();
    let ended = text(&read("index.csv")).lines().filter(|l| l.contains(",done,")).count();
    assert_eq!(gaps, ended, "a gap for each run that did not diverge");
    // The value of a run is that of its own files.
    let row = values.lines().find(|l| l.starts_with("pattern,e-prop,,2,gap,")).expect("a row");
    let history = text(&read("runs/pattern_e-prop_seed=2/history.csv"));
    let last = history.lines().rev().find(|l| l.contains(",generalization_gap,")).expect("a gap");
    assert_eq!(row.rsplit(',').next(), last.rsplit(',').next());
    let report = text(&read("report.md"));
    for part in ["P1 appendix figure 12", "A quick look", "Spearman", "own", "not known"] {
        assert!(report.contains(part), "{part}");
    }
    assert!(["**seen**", "**not decided", "**not seen"].iter().any(|v| report.contains(v)));
    // Nothing is made twice, and the same runs give the same report.
    let before = fs::metadata(out.join("runs/pattern_e-prop_seed=2/summary.json")).expect("a summary");
    ok(&arguments);
    let after = fs::metadata(out.join("runs/pattern_e-prop_seed=2/summary.json")).expect("a summary");
    assert_eq!(before.modified().expect("a time"), after.modified().expect("a time"));
    assert_eq!(text(&read("report.md")), report);
    assert_eq!(text(&read("values.csv")), values);

    // The folder says what it is, and goes on as that only.
    let checked = ok(&["check", folder]);
    assert!(
        checked.contains("the figure p1-a12ab, 12 runs planned by `basinscope reproduce p1-a12ab --quick")
    );
    assert!(checked.contains("12 runs ended"), "{checked}");
    let plan = out.join("plan.toml");
    let plan = plan.to_str().expect("UTF-8");
    for other in [folder, "none"] {
        let error = refused(&["sweep", plan, "--out", other]);
        assert!(error.contains("`basinscope reproduce p1-a12ab --out DIR`"), "{error}");
    }
    let error = refused(&["reproduce", "p1-2", "--quick", "--out", folder]);
    assert!(error.contains("holds the runs of figure p1-a12ab") && error.contains("--force"), "{error}");
    assert_eq!(text(&read("values.csv")), values);
    // Damage behind the last rows is said where the history is read, and nothing is judged by it.
    let history = out.join("runs/pattern_e-prop_seed=2/history.csv");
    let good = fs::read_to_string(&history).expect("a history");
    let row = good.lines().find(|l| l.contains(",generalization_gap,")).expect("a gap");
    fs::write(&history, good.replacen(&format!("{row}\n"), "", 1)).expect("damaged");
    let error = refused(&arguments);
    assert!(
        error.contains("history.csv: `generalization_gap`") && error.contains("delete the folder"),
        "{error}"
    );
    fs::write(&history, &good[..good.len() / 3]).expect("cut");
    ok(&arguments);
    assert_eq!(fs::read_to_string(&history).expect("made again"), good);
    assert_eq!(text(&read("values.csv")), values);
}

/// Two processes at once, whose figures share runs, too.
#[test]
fn a_figure_that_two_processes_make_at_once_is_that_of_one() {
    let place = tempfile::tempdir().expect("a folder");
    let at = |name: &str| place.path().join(name).to_str().expect("UTF-8").to_owned();
    let (one, both) = (at("one"), at("both"));
    let arguments = |out: &str| {
        let words = ["reproduce", "p1-a12ab", "--quick", "--seeds", "2", "--out", out];
        words.map(str::to_owned)
    };
    let start = |out: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_basinscope"));
        program.args(arguments(out)).stdout(std::process::Stdio::null()).spawn().expect("the program runs")
    };
    let children = [start(&both), start(&both)];
    for mut child in children {
        assert_eq!(child.wait().expect("a child").code(), Some(0));
    }
    assert!(start(&one).wait().expect("a child").success());
    for name in ["index.csv", "values.csv"] {
        let read = |out: &str| fs::read_to_string(Path::new(out).join(name)).expect(name);
        assert_eq!(read(&both), read(&one), "{name}");
    }
}

#[test]
fn several_figures_share_their_runs_and_have_a_page_over_them() {
    let place = tempfile::tempdir().expect("a folder");
    let out = place.path().join("out");
    let folder = out.to_str().expect("UTF-8");
    // Figure 12 A, B draws two of the four rules of figure 2.
    let said = ok(&["reproduce", "p1-2", "p1-a12ab", "--quick", "--seeds", "2", "--out", folder]);
    assert!(said.contains("page over them in"), "{said}");
    let summary = |figure: &str| fs::read(out.join(figure).join("runs/pattern_bptt_seed=2/summary.json"));
    let (first, second) = (summary("p1-2").expect("a run"), summary("p1-a12ab").expect("a run"));
    // Seconds are measured: equal only because the run was made once.
    assert_eq!(text(&first), text(&second));
    let page = text(&fs::read(out.join("README.md")).expect("a page"));
    for part in
        ["(p1-2/report.md)", "(p1-a12ab/report.md)", "| claim | pattern generation |", "Not made yet: `p1-3`"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("`basinscope reproduce p1-2 p1-a12ab --quick --seeds 2 --out DIR`"), "{page}");
    assert!(refused(&["reproduce", "p1-2", "p1-33", "--out", folder]).contains("`p1-33`"));
    // Somebody's own README is not ours to replace.
    let own = place.path().join("README.md");
    fs::write(&own, "# Mine").expect("a file");
    let error = refused(&["reproduce", "p1-2", "p1-a12ab", "--out", place.path().to_str().expect("UTF-8")]);
    assert!(error.contains("README.md: is not a page of figures"), "{error}");
    assert_eq!(fs::read_to_string(&own).expect("a file"), "# Mine");
}
