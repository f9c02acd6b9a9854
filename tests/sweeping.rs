//! Sweeps from the window, without the window: the same plan, the same folder and the same index as the command
//! line's, whoever begins and whoever goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::session::sweeping::Ask;
use basinscope::session::sweeping::draft::Draft;
use basinscope::session::sweeping::view::{Page, View};
use basinscope::session::{Action, Picture, Session, trainers};
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;
use basinscope::training::plan::Plan;
use tempfile::TempDir;

/// Settings of a few iterations of a small network.
const SMALL: &str = "iterations = 40\ntask = { batch = 4, test_trials = 8 }\nnetwork = { n_rec = 10 }\n\
    measure = { test = 20, curvature = 0, lyapunov = 0, alignment = \"off\", probe_trials = 4 }\n";

/// How long to wait for what the workers do: only what hangs takes as long.
const LONG: Duration = Duration::from_secs(60);

fn session(given: &str) -> Session {
    let given = parse(given).expect("TOML");
    Session::new(Engine::new(2, Arc::new(|| ())), trainers(), given)
}

fn wait(session: &mut Session, what: &str, done: impl Fn(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < LONG, "waited in vain for {what}");
        if !session.logic(Duration::from_millis(5)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn ask(session: &mut Session, ask: Ask) {
    session.act(Action::Sweep(ask));
}

fn ended(session: &Session) -> usize {
    session.sweeping().outcomes().map_or(0, |o| o.counts().0)
}

fn is_idle(session: &Session) -> bool {
    !session.sweeping().is_running() && !session.sweeping().is_opening()
}

/// Two gains, two rates, two rules and so many seeds.
fn draft(session: &Session, seeds: &str, folder: &Path) -> Draft {
    let mut draft = session.sweeping().draft().clone();
    draft.varied[0].values = "0.5, 1".into();
    draft.varied[1].values = "1e-3 to 1e-2 in 2".into();
    draft.seeds = seeds.into();
    draft.folder = folder.display().to_string();
    draft.at_once = 2;
    draft
}

fn command_line(plan: &Path, out: &Path) -> i32 {
    let mut command = Command::new(env!("CARGO_BIN_EXE_basinscope"));
    let command = command.arg("sweep").arg(plan).arg("--out").arg(out).args(["--threads", "2"]);
    command.output().expect("the program runs").status.code().expect("a code")
}

fn index(folder: &Path) -> String {
    fs::read_to_string(folder.join("index.csv")).expect("an index")
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[test]
fn stopped_and_gone_on_with_the_index_is_that_of_an_unbroken_sweep_of_the_command_line() {
    let place = Place::new();
    let (own, whole) = (place.at("own"), place.at("whole"));
    let mut session = session(SMALL);
    let draft = draft(&session, "1 to 4", &own);
    ask(&mut session, Ask::Draft(draft));
    ask(&mut session, Ask::Preview);
    wait(&mut session, "the number of runs", |s| s.sweeping().preview().is_some());
    let preview = session.sweeping().preview().cloned().expect("counted").expect("sound");
    assert_eq!((preview.runs, preview.updates), (32, 32 * 40));
    ask(&mut session, Ask::Start);
    // Stopped as often as it goes, after a few more runs each time.
    let mut stops = 0;
    while ended(&session) < 32 && stops < 4 {
        let before = ended(&session);
        wait(&mut session, "some runs", |s| ended(s) > before || is_idle(s));
        ask(&mut session, Ask::Stop);
        wait(&mut session, "the stop", is_idle);
        assert_eq!(session.sweeping().error(), None);
        assert_eq!(index(&own).lines().count(), 1 + ended(&session), "the index is that of the runs so far");
        stops += 1;
        ask(&mut session, Ask::GoOn);
    }
    wait(&mut session, "all runs", is_idle);
    assert_eq!((ended(&session), session.sweeping().error()), (32, None));
    // The plan in its folder is one for the command line, and its sweep the same to the last bit.
    assert_eq!(command_line(&own.join("plan.toml"), &whole), 0);
    assert_eq!(index(&own), index(&whole));
    let run = Path::new("runs/gain=0.5_learning-rate=0.001_kind=bptt_seed=1");
    let run = if own.join(run).exists() {
        run
    } else {
        Path::new("runs/gain=0.5_learning_rate=0.001_kind=bptt_seed=1")
    };
    for name in ["history.csv", "snapshot.npz", "config.toml"] {
        let file = |folder: &Path| fs::read(folder.join(run).join(name)).expect(name);
        assert!(file(&own) == file(&whole), "{name}");
    }
}

#[test]
fn what_the_command_line_began_the_window_ends_and_the_other_way_round() {
    let place = Place::new();
    let (theirs, ours, plan) = (place.at("theirs"), place.at("ours"), place.at("plan.toml"));
    let text = |seeds: &str| {
        format!("seeds = {seeds}\n{SMALL}[[vary]]\nkey = \"network.gain\"\nvalues = [0.5, 1.0]\n")
    };
    fs::write(&plan, text("[1, 2]")).expect("written");
    assert_eq!(command_line(&plan, &theirs), 0);
    // The plan grows by a seed: the runs of the first two are there.
    fs::write(theirs.join("plan.toml"), text("[1, 2, 3]")).expect("written");
    let mut session = session("");
    ask(&mut session, Ask::Open(theirs.join("index.csv")));
    wait(&mut session, "the folder", |s| s.sweeping().outcomes().is_some() && is_idle(s));
    assert_eq!((ended(&session), session.sweeping().outcomes().expect("open").rows().len()), (4, 6));
    ask(&mut session, Ask::GoOn);
    wait(&mut session, "the last runs", |s| ended(s) == 6 && is_idle(s));
    fs::write(&plan, text("[1, 2, 3]")).expect("written");
    assert_eq!(command_line(&plan, &ours), 0);
    assert_eq!(index(&theirs), index(&ours));

    // Begun here and left half-way, as closing the window does; the command line ends it.
    let half = place.at("half");
    let mut other = self::session(SMALL);
    let draft = draft(&other, "1 to 3", &half);
    ask(&mut other, Ask::Draft(draft));
    ask(&mut other, Ask::Start);
    wait(&mut other, "a run", |s| ended(s) > 0);
    other.end();
    drop(other);
    let rows = index(&half).lines().count();
    assert!(rows > 1, "what has ended is kept");
    let plan = Plan::new(parse(&fs::read_to_string(half.join("plan.toml")).expect("a plan")).expect("TOML"));
    assert_eq!(plan.expect("a plan").runs.len(), 24);
    assert_eq!(command_line(&half.join("plan.toml"), &half), 0);
    assert_eq!(index(&half).lines().count(), 25);
}

#[test]
fn a_sweep_and_a_run_are_opened_by_their_folders() {
    let place = Place::new();
    let plan = place.at("plan.toml");
    fs::write(&plan, format!("seeds = [1, 2]\n{SMALL}")).expect("written");
    let folder = place.at("sweep");
    assert_eq!(command_line(&plan, &folder), 0);
    for (n, path) in
        [folder.clone(), folder.join("index.csv"), folder.join("plan.toml")].into_iter().enumerate()
    {
        let mut session = session("");
        session.act(Action::Open(path));
        assert!(
            session.take_wish_for_sweep() && !session.take_wish_for_sweep(),
            "it is brought in sight once"
        );
        wait(&mut session, "the sweep", |s| ended(s) == 2 && is_idle(s));
        assert_eq!(session.sweeping().view().page, Page::Map);
        let name = session.sweeping().outcomes().expect("open").rows()[n % 2].name.clone();
        session.act(Action::Open(folder.join("runs").join(&name)));
        wait(&mut session, "the run", |s| s.runs().len() == 1);
        assert_eq!(session.runs()[0].name, name);
    }
}

#[test]
fn a_run_that_diverges_is_a_row_and_its_cell_has_no_colour() {
    let place = Place::new();
    let mut session = session(&format!("{SMALL}optimizer = {{ kind = \"sgd\" }}\n"));
    let mut draft = draft(&session, "1, 2, 3", &place.at("sweep"));
    draft.varied[1].values = "1e-3, 1e9".into();
    draft.varied[2].on = false;
    ask(&mut session, Ask::Draft(draft));
    ask(&mut session, Ask::Start);
    wait(&mut session, "all runs", |s| ended(s) == 12 && is_idle(s));
    let outcomes = session.sweeping().outcomes().expect("a sweep");
    assert_eq!(outcomes.counts(), (12, 6));
    let map = session.sweeping().map().expect("a map");
    assert_eq!((map.x.key.as_str(), map.y.key.as_str()), ("network.gain", "optimizer.learning_rate"));
    assert!(map.y.is_log && !map.x.is_log);
    let colours: Vec<bool> = map.cells.iter().map(|c| c.value.is_some()).collect();
    assert_eq!(colours, [true, true, false, false]);
    assert!(map.cells[2..].iter().all(|c| (c.ended, c.diverged, c.used) == (3, 3, 0)));
    // Another quantity, read off the same runs.
    let view = View { quantity: Series::LyapunovMax, ..session.sweeping().view().clone() };
    ask(&mut session, Ask::View(view));
    let cell = &session.sweeping().map().expect("a map").cells[0];
    let index = index(&place.at("sweep"));
    let column = |name: &str| -> Vec<f64> {
        let mut lines = index.lines();
        let at = lines.next().expect("a header").split(',').position(|c| c == name).expect(name);
        lines.map(|l| l.split(',').nth(at).expect("a field").parse().unwrap_or(f64::NAN)).collect()
    };
    let mut exponents: Vec<f64> = cell.runs.iter().map(|i| column("lyapunov_max")[*i]).collect();
    exponents.sort_by(f64::total_cmp);
    assert_eq!(cell.value, Some(exponents[1]), "the median of three");
    // The runs of a cell open as runs of the window, under their own names; a second time they are selected.
    let runs = cell.runs.clone();
    for _ in 0..2 {
        ask(&mut session, Ask::OpenRuns(runs.clone()));
        wait(&mut session, "the runs of the cell", |s| s.runs().len() == 3 && s.errands().count() == 0);
    }
    let mut names: Vec<&str> = session.runs().iter().map(|r| r.name.as_str()).collect();
    names.sort_unstable();
    let outcomes = session.sweeping().outcomes().expect("a sweep");
    assert_eq!(names, runs.iter().map(|i| outcomes.rows()[*i].name.as_str()).collect::<Vec<_>>());
    // Another run of that name, of another sweep say, is not taken for one of these.
    let (closed, other) = (session.runs()[0].id, session.runs()[1].id);
    let name = session.runs()[0].name.clone();
    session.act(Action::Close(closed));
    session.act(Action::Rename(other, name));
    ask(&mut session, Ask::OpenRuns(runs));
    wait(&mut session, "the closed run", |s| s.runs().len() == 3 && s.errands().count() == 0);
}

#[test]
fn curves_are_mean_and_band_over_seeds_as_the_files_have_them() {
    let place = Place::new();
    let mut session = session(SMALL);
    let mut draft = draft(&session, "1, 2", &place.at("sweep"));
    draft.varied[0].on = false;
    draft.varied[1].on = false;
    ask(&mut session, Ask::Draft(draft));
    ask(&mut session, Ask::Start);
    wait(&mut session, "all runs", |s| ended(s) == 4 && is_idle(s));
    let view = View { page: Page::Curves, ..session.sweeping().view().clone() };
    ask(&mut session, Ask::View(view));
    wait(&mut session, "the curves", |s| {
        s.sweeping().groups().iter().map(|g| g.runs).sum::<usize>() == 4 && !s.sweeping().is_reading()
    });
    let groups = session.sweeping().groups();
    assert_eq!(groups.iter().map(|g| g.label.as_str()).collect::<Vec<_>>(), ["bptt", "e-prop"]);
    let value = |seed: u32, iteration: usize| -> f64 {
        let run = format!("sweep/runs/kind=e-prop_seed={seed}/history.csv");
        let text = fs::read_to_string(place.at(&run)).expect("a history");
        let row = format!("{iteration},train_loss,");
        let row = text.lines().find_map(|l| l.strip_prefix(&row)).expect("a value");
        row.parse().expect("a number")
    };
    // 40 values at 40 places: each place lies half-way into the step from one value to the next.
    let points = &groups[1].points;
    assert_eq!(points.len(), 40);
    for point in points {
        let before = point.x.floor();
        let share = point.x - before;
        let at = |seed| {
            let (a, b) = (value(seed, before as usize), value(seed, (before as usize + 1).min(39)));
            a + share * (b - a)
        };
        let (a, b) = (at(1), at(2));
        // Means and differences of numbers of one size: rounding only.
        assert!((point.mean - 0.5 * (a + b)).abs() < 1e-12, "{point:?}");
        assert!((point.sd - (a - b).abs() / 2f64.sqrt()).abs() < 1e-12, "{point:?}");
    }
    // What is seen can be written for print.
    for (picture, words) in [
        (Picture::SweepMap, ["median test loss", "2 runs a cell."]),
        (Picture::SweepCurves, ["rule three-factor (e-prop) (2 runs)", "training loss"]),
        (Picture::SweepScatter, ["Pearson", "generalization gap"]),
    ] {
        let svg = session.figure(picture).expect("a figure").svg().expect("drawn");
        assert!(words.iter().all(|w| svg.contains(w)), "{picture:?}: {svg}");
    }
    assert_eq!(session.figure(Picture::All).map(|f| f.panels.len()), Ok(3), "no run, one sweep");
}

#[test]
fn what_is_wrong_is_said_and_nothing_of_others_is_touched() {
    let place = Place::new();
    let mut session = session(SMALL);
    ask(&mut session, Ask::Add("network.gian".into()));
    let error = session.sweeping().error().expect("no such key");
    assert!(error.contains("`network.gian`") && error.contains("`network.gain`"), "{error}");
    ask(&mut session, Ask::Add("flossing.iterations".into()));
    let draft_now = session.sweeping().draft().clone();
    assert_eq!(draft_now.varied.last().map(|v| v.key.as_str()), Some("flossing.iterations"));
    for (key, values, part) in [
        ("flossing.iterations", "0, many", "`flossing.iterations` = \"many\""),
        ("task.delay", "1", "`task.delay` is a key of"),
        ("network.gain", "1, -2", "`network.gain` = -2"),
    ] {
        let mut draft = draft_now.clone();
        draft.varied.retain(|v| v.key != key);
        let on = true;
        draft.varied.push(basinscope::session::sweeping::draft::Varied {
            key: key.into(),
            values: values.into(),
            on,
        });
        draft.varied.retain(|v| !v.values.is_empty());
        ask(&mut session, Ask::Draft(draft));
        ask(&mut session, Ask::Preview);
        let says = |s: &Session| matches!(s.sweeping().preview(), Some(Err(e)) if e.contains(part));
        wait(&mut session, part, says);
    }
    // A folder of something else.
    let foreign = place.at("foreign");
    fs::create_dir(&foreign).expect("a folder");
    fs::write(foreign.join("mine.txt"), "mine").expect("written");
    let mut good = draft(&session, "1", &foreign);
    good.varied.truncate(1);
    ask(&mut session, Ask::Draft(good));
    ask(&mut session, Ask::Start);
    wait(&mut session, "the refusal", |s| s.sweeping().error().is_some());
    let error = session.sweeping().error().expect("refused").to_owned();
    assert!(error.contains("not empty") && !error.contains("--force"), "{error}");
    assert!(is_idle(&session));
    assert_eq!(fs::read_dir(&foreign).expect("a folder").count(), 1);
    ask(&mut session, Ask::Open(foreign));
    wait(&mut session, "the refusal", |s| s.sweeping().error().is_some_and(|e| e.contains("plan.toml")));
}

#[test]
fn the_folder_of_a_figure_opens_with_its_runs() {
    let place = Place::new();
    let folder = place.at("figure");
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_basinscope"));
    program.args(["reproduce", "p1-a12ab", "--quick", "--seeds", "2", "--out"]).arg(&folder);
    assert!(program.output().expect("the program runs").status.success());
    let mut session = session("");
    session.act(Action::Open(folder.clone()));
    wait(&mut session, "the runs of the figure", |s| s.sweeping().outcomes().is_some() && is_idle(s));
    let outcomes = session.sweeping().outcomes().expect("open");
    assert_eq!((outcomes.rows().len(), outcomes.counts().0), (8, 8), "2 tasks, 2 rules, 2 seeds");
    // A run with a damaged history is not ended, until it is made again.
    let history = folder.join("runs").join(&outcomes.rows()[0].name).join("history.csv");
    let whole = fs::read_to_string(&history).expect("a history");
    fs::write(&history, &whole[..whole.len() / 2]).expect("cut");
    session.act(Action::Open(folder));
    wait(&mut session, "the damage", |s| ended(s) == 7 && is_idle(s));
    ask(&mut session, Ask::GoOn);
    wait(&mut session, "the run", |s| ended(s) == 8 && is_idle(s));
    assert_eq!(fs::read_to_string(&history).expect("made again"), whole);
}
