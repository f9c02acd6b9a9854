//! What a session exports for print and papers, opened again by other readers.

#[path = "common/xml.rs"]
mod xml;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::session::explorer::Ask;
use basinscope::session::{Action, Export, Picture, RunState, Session, trainers};
use basinscope::training::config::resolve::parse;
use basinscope::training::history::Series;

const SMALL: &str = "iterations = 40\n[task]\nkind = \"romo\"\nbatch = 8\ntest_trials = 16\n\
                     [network]\nn_rec = 8\n[measure]\ntest = 10\ncurvature = 20\nprobe_trials = 8\n\
                     landscape = 0\n[measure.slice]\npoints = 7\n";

fn until(session: &mut Session, what: &str, done: impl Fn(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        session.logic(Duration::from_millis(5));
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Two settings of a small run, one of them with three seeds, all ended and measured.
fn session() -> Session {
    let engine = Engine::new(1, Arc::new(|| ()));
    let mut session = Session::new(engine, trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    let first = session.runs()[0].id;
    session.act(Action::MoreSeeds { like: first, n: 2 });
    session.act(Action::Branch { from: first, set: vec![("rule.kind".into(), "bptt".into())] });
    until(&mut session, "the runs to end", |s| {
        s.runs().iter().all(|run| {
            let measured = run.curves.last(Series::LambdaMax).is_some_and(|p| p.iteration == 40);
            let sliced = run
                .finding(basinscope::training::measures::Measure::Landscape)
                .is_some_and(|(found, _)| found.finding.iteration == 40);
            matches!(run.state, RunState::Ended(_)) && measured && sliced
        })
    });
    session
}

fn save(session: &mut Session, export: Export, path: &Path) -> String {
    let before = session.notices().len();
    session.act(Action::Save(export, path.into()));
    until(session, "the file", |s| s.errands().count() == 0 && s.notices().len() > before);
    session.notices().last().expect("a notice").text.clone()
}

#[test]
fn every_plot_is_written_as_png_and_svg() {
    let mut session = session();
    scan(&mut session);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for picture in Picture::PLOTS.into_iter().chain([Picture::All]) {
        let (png, svg) =
            ([".png", ".svg"].map(|ending| folder.join(format!("{}{ending}", picture.name())))).into();
        for path in [&png, &svg] {
            let notice = save(&mut session, Export::Picture(picture), path);
            assert_eq!(notice, format!("Wrote {}", path.display()));
        }
        let bytes = std::fs::read(&png).expect("a file");
        let image = eframe::icon_data::from_png_bytes(&bytes).expect("a PNG");
        assert!(image.width > 1000 && image.height > 500, "{picture:?}");
        let text = std::fs::read_to_string(&svg).expect("a file");
        let elements = xml::elements(&text).expect("well-formed XML");
        assert!(
            elements.iter().filter(|name| *name == "text").count() > 5,
            "{picture:?}: labels and numbers"
        );
    }
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    assert!(text("loss.svg").contains("mean and s.d. of 3 seeds") && text("loss.svg").contains("iteration"));
    assert!(text("curvature.svg").contains("lambda_max"));
    assert!(text("slice.svg").contains("random direction 1") && text("slice.svg").contains("off the plane"));
    assert!(text("spectrum.svg").contains("Lyapunov exponents at iteration 40"));
    assert!(text("gains.svg").contains("initial gain") && text("gains.svg").contains("s.d. of 5 seeds"));
    assert!(text("gains.svg").contains("after 2 updates"));
}

/// A scan over gains with two updates of each network.
fn scan(session: &mut Session) {
    session.act(Action::Explore(Ask::Scan { updates: 2 }));
    until(session, "the scan", |s| !s.explorer().scan().0.is_empty() && s.explorer().scan_share().is_none());
}

#[test]
fn a_scan_over_gains_is_written_network_by_network() {
    let mut session = session();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gains.csv");
    let notice = save(&mut session, Export::Gains, &path);
    assert!(notice.contains("gain explorer"), "{notice}");
    scan(&mut session);
    save(&mut session, Export::Gains, &path);
    let mut table = csv::Reader::from_path(&path).expect("a table");
    let header = ["gain", "seed", "lyapunov_max", "cosine", "rho", "updates", "loss"];
    assert_eq!(table.headers().expect("a header"), header.to_vec());
    let rows: Vec<[f64; 7]> = table
        .records()
        .map(|row| {
            let row = row.expect("a row");
            std::array::from_fn(|i| row[i].parse().expect("a number"))
        })
        .collect();
    let (points, _) = session.explorer().scan();
    assert_eq!(rows.len(), points.len());
    for (row, p) in rows.iter().zip(points) {
        let expected = [p.gain, p.seed as f64, p.leading, p.cosine, p.rho, 2.0, p.loss];
        let is_same = |(a, b): (&f64, f64)| *a == b || a.is_nan() && b.is_nan();
        assert!(row.iter().zip(expected).all(is_same), "{row:?} {expected:?}");
    }
}

#[test]
fn what_cannot_be_drawn_or_written_is_said() {
    let engine = Engine::new(1, Arc::new(|| ()));
    let mut session = Session::new(engine, trainers(), parse(SMALL).expect("TOML"));
    let folder = tempfile::tempdir().expect("a folder");
    session.act(Action::Save(Export::Methods, folder.path().join("methods.md")));
    assert!(session.notices().last().is_some_and(|n| n.is_error && n.text.contains("no run")));
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    let notice = save(&mut session, Export::Picture(Picture::Slice), &folder.path().join("slice.png"));
    assert!(notice.contains("Slice now"), "{notice}");
    until(&mut session, "a value", |s| s.runs()[0].curves.last(Series::TestLoss).is_some());
    let notice = save(&mut session, Export::Picture(Picture::Loss), &folder.path().join("loss.gif"));
    assert!(notice.contains("loss.gif") && notice.contains(".png or .svg"), "{notice}");
    let notice = save(&mut session, Export::Script, &folder.path().join("script.txt"));
    assert!(notice.contains("ends in .py"), "{notice}");
}

#[test]
fn the_script_stands_beside_every_value_it_draws() {
    let mut session = session();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    save(&mut session, Export::Script, &folder.join("runs.py"));
    assert!(std::fs::read_to_string(folder.join("runs.py")).expect("a script").contains("import matplotlib"));
    let mut table = csv::Reader::from_path(folder.join("runs.csv")).expect("a table");
    assert_eq!(table.headers().expect("a header"), vec!["run", "iteration", "series", "value"]);
    let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("rows");
    for run in session.runs() {
        let own: Vec<f64> = rows
            .iter()
            .filter(|row| row[0] == run.name && &row[2] == "train_loss")
            .map(|row| row[3].parse().expect("a number"))
            .collect();
        let (values, _) = run.curves.get(Series::TrainLoss).expect("a curve").values();
        assert_eq!(own, values.iter().map(|p| p.value).collect::<Vec<_>>(), "{}", run.name);
    }
}

#[test]
fn the_methods_paragraph_names_every_constant_with_its_source() {
    let mut session = session();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("methods.md");
    save(&mut session, Export::Methods, &path);
    let text = std::fs::read_to_string(path).expect("a file");
    let has = |words: &str| assert!(text.contains(words), "{words} is missing in\n{text}");
    // The selected run is the branch under BPTT; the others differ in rule and seed.
    has("backpropagation through time");
    has("N = 8 recurrent units");
    has("Adam (Kingma and Ba 2015) makes 40 updates");
    has("`rule.kind = \"e-prop\"`");
    has("rho = <g^,g>/<g,g>");
    has(&format!("Basinscope {}", env!("CARGO_PKG_VERSION")));
    let run = session.current().expect("a run");
    for key in basinscope::session::settings::flat(&run.config).keys() {
        has(&format!("| `{key}` |"));
    }
    // Where a value comes from is said as in the presets: alpha of the published code, N set here.
    let row =
        |key: &str| text.lines().find(|l| l.starts_with(&format!("| `{key}` |"))).unwrap_or("").to_owned();
    assert!(row("network.alpha").ends_with("| [C] |"), "{}", row("network.alpha"));
    assert!(row("network.n_rec").ends_with("| set by the user |"), "{}", row("network.n_rec"));
    assert!(row("optimizer.kind").ends_with("| [P2] |"), "{}", row("optimizer.kind"));
}
