//! What a session exports for print and papers, opened again by other readers.

#[path = "common/xml.rs"]
mod xml;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::files::figure::number::short;
use basinscope::files::figure::{Figure, Layer};
use basinscope::session::across::{Across, Horizontal};
use basinscope::session::curves::Reading;
use basinscope::session::explorer::Ask;
use basinscope::session::landscape::Ask as OfLandscape;
use basinscope::session::places::Place;
use basinscope::session::{Action, Export, Picture, RunEntry, RunState, Session, trainers};
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
    let newest = |s: &Session| s.notices().last().map(|notice| notice.id);
    let before = newest(session);
    session.act(Action::Save(export, path.into()));
    until(session, "the file", |s| s.errands().count() == 0 && newest(s) != before);
    session.notices().last().expect("a notice").text.clone()
}

#[test]
fn every_plot_is_written_as_png_and_svg() {
    let mut session = session();
    scan(&mut session);
    try_out(&mut session);
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
    assert!(text("gains.svg").contains("Eigenvalues of w_rec at gain"));
    assert!(text("spectrum.svg").contains("Leading Hessian eigenvalues"));
    assert!(text("cut.svg").contains("random direction 1") && text("cut.svg").contains("two networks"));
    let names: Vec<String> = session.bench().shaken().0.iter().map(|run| run.name.clone()).collect();
    assert!(names.len() == 2 && names.iter().all(|name| text("shake.svg").contains(name.as_str())));
    assert!(text("shake.svg").contains("norm of the weights"));
    assert!(text("activity.svg").contains("probe trial 2, iteration 40"));
    assert!(text("weights.svg").contains("Singular values of the update"));
    assert!(text("figure.svg").contains("Recurrent weights w_rec"));
}

/// A cut, a shake of two runs, the activity of a probe trial.
fn try_out(session: &mut Session) {
    let run = session.current().expect("a run").id;
    let other = session.runs().iter().map(|run| run.id).find(|id| *id != run).expect("another run");
    session.act(Action::Pin(other, true));
    session.act(Action::Landscape(OfLandscape::Shake { relative: true }));
    session.act(Action::Landscape(OfLandscape::Cut { from: Place::Start(run), to: Place::Now(run) }));
    session.act(Action::ShowActivity(Some(2)));
    until(session, "a cut, a shake, an activity", |s| {
        let is_shaken = s.bench().shaken().0.len() == 2;
        is_shaken && s.bench().cut().is_some() && s.current().is_some_and(|run| run.weights.is_some())
    });
}

/// The horizontal places of a curve whose legend begins so.
fn across(figure: &Figure, name: &str) -> Vec<f64> {
    let mut layers = figure.panels.iter().flat_map(|panel| &panel.layers);
    let points = layers.find_map(|layer| match layer {
        Layer::Curve { name: own, points, .. } if own.starts_with(name) => Some(points),
        _ => None,
    });
    points.expect("the curve is drawn").iter().map(|point| point.0).collect()
}

#[test]
fn a_picture_has_the_horizontal_axis_that_is_seen() {
    let engine = Engine::new(1, Arc::new(|| ()));
    let mut session = Session::new(engine, trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    until(&mut session, "the end and its measures", |s| {
        let measured = |run: &RunEntry| run.curves.last(Series::LambdaMax).is_some_and(|p| p.iteration == 40);
        s.current().is_some_and(|run| matches!(run.state, RunState::Ended(_)) && measured(run))
    });
    let by_iteration = across(&session.figure(Picture::Curvature).expect("it is drawn"), "lambda_max");
    let run = session.current().expect("a run");
    let expected: Vec<f64> = by_iteration.iter().map(|i| run.seconds.at(*i)).collect();
    let losses: Vec<Option<f64>> = by_iteration
        .iter()
        .map(|i| match run.curves.get(Series::TrainLoss)?.at(*i as i64)? {
            Reading::Exact(point) if point.iteration == *i as i64 => Some(point.value),
            _ => None,
        })
        .collect();
    let mut against = |across: Across, log: bool| {
        // With a span of 0 the loss is not smoothed.
        let horizontal = Horizontal { across, log, span: 0.0 };
        session.act(Action::DrawAgainst(vec![(Picture::Curvature, horizontal)]));
        session.figure(Picture::Curvature).expect("it is drawn")
    };
    let seconds = against(Across::Seconds, false);
    assert_eq!(across(&seconds, "lambda_max"), expected);
    assert_eq!(seconds.panels[0].x.label, "seconds of training");
    let loss = against(Across::Loss, true);
    let known: Vec<f64> = losses.into_iter().flatten().collect();
    assert!(!known.is_empty());
    assert_eq!(across(&loss, "lambda_max"), known);
    assert!(loss.panels[0].x.falling);
    assert_eq!(across(&against(Across::Iterations, false), "lambda_max"), by_iteration);
}

#[test]
fn pictures_of_a_network_show_its_own_numbers() {
    use basinscope::files::figure::{Layer, Panel};
    let mut session = session();
    assert!(session.figure(Picture::Weights).unwrap_err().contains("panel Weights"));
    assert!(session.figure(Picture::Activity).unwrap_err().contains("panel Activity"));
    assert!(session.figure(Picture::Shake).unwrap_err().contains("Shake it"));
    try_out(&mut session);
    let run = session.current().expect("a run");
    let weights = run.weights.clone().expect("weights");
    let panels = session.figure(Picture::Weights).expect("a figure").panels;
    let of = |title: &str| -> &Panel { panels.iter().find(|p| p.title == title).expect(title) };
    let w_rec = of("Recurrent weights w_rec");
    let [Layer::Signed { values, x, y, .. }] = w_rec.layers.as_slice() else { panic!("{w_rec:?}") };
    assert!((x.len(), y.len()) == (8, 8) && w_rec.y.falling && w_rec.y.unit_as_across);
    assert_eq!(*values, weights.now.w_rec().iter().copied().collect::<Vec<_>>());
    // The sum of the eigenvalues is the trace.
    let disc = of("Eigenvalues of w_rec");
    let sum_of = |wanted: &str| -> f64 {
        let found = disc.layers.iter().find_map(|layer| match layer {
            Layer::Points { name, points, .. } if name == wanted => Some(points),
            _ => None,
        });
        found.expect(wanted).iter().map(|p| p.0).sum()
    };
    for (name, matrix) in [("now", weights.now.w_rec()), ("at the start", weights.initial.w_rec())] {
        let trace = matrix.diag().sum();
        // 8 eigenvalues near 1, each to about 1e-13.
        assert!((sum_of(name) - trace).abs() < 1e-10, "{name}: {} {trace}", sum_of(name));
    }
    // The squares of the singular values add up to the squared norm of the update.
    let [Layer::Points { points, .. }] = of("Singular values of the update").layers.as_slice() else {
        panic!()
    };
    let squares: f64 = points.iter().map(|p| p.1 * p.1).sum();
    let update = &weights.now.w_rec() - &weights.initial.w_rec();
    let norm: f64 = update.iter().map(|v| v * v).sum();
    assert!(norm > 0.0 && (squares / norm - 1.0).abs() < 1e-10, "{squares} {norm}");
    let activity = &run.activity.as_ref().expect("activity").2;
    let panels = session.figure(Picture::Activity).expect("a figure").panels;
    let [Layer::Heat { values, .. }] = panels[1].layers.as_slice() else { panic!("{:?}", panels[1]) };
    assert_eq!(values[1], activity.z[(1, 0)], "unit 0 along the steps");
    let Layer::Curve { points, .. } = &panels[2].layers[0] else { panic!("{:?}", panels[2]) };
    assert_eq!(
        points.last(),
        Some(&((activity.y.nrows() - 1) as f64, activity.y[(activity.y.nrows() - 1, 0)]))
    );
}

/// A scan over gains with two updates of each network.
fn scan(session: &mut Session) {
    session.act(Action::Explore(Ask::Look(1.2)));
    session.act(Action::Explore(Ask::Scan { updates: 2 }));
    until(session, "the look", |s| s.explorer().look().is_some());
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
    let header = ["gain", "seed", "lyapunov_max", "cosine", "rho", "updates", "loss", "trials"];
    assert_eq!(table.headers().expect("a header"), header.to_vec());
    let rows: Vec<[f64; 8]> = table
        .records()
        .map(|row| {
            let row = row.expect("a row");
            std::array::from_fn(|i| row[i].parse().expect("a number"))
        })
        .collect();
    let (points, _) = session.explorer().scan();
    assert_eq!(rows.len(), points.len());
    for (row, p) in rows.iter().zip(points) {
        let expected = [p.gain, p.seed as f64, p.leading, p.cosine, p.rho, 2.0, p.loss, p.trials as f64];
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

/// A run of which settings were changed while it learned is not what its settings give: every file says so.
#[test]
fn files_of_a_run_say_what_was_changed_while_it_learned() {
    let engine = Engine::new(1, Arc::new(|| ()));
    let mut session = Session::new(engine, trainers(), parse(SMALL).expect("TOML"));
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    session.act(Action::Reset);
    until(&mut session, "the start", |s| s.current().is_some_and(|r| r.state == RunState::Paused));
    session.act(Action::Step(25));
    until(&mut session, "25", |s| s.current().is_some_and(|r| r.iteration == 25));
    let folder = tempfile::tempdir().expect("a folder");
    let read = |session: &mut Session, export, name: &str| {
        let path = folder.path().join(name);
        save(session, export, &path);
        std::fs::read_to_string(path).expect("a file")
    };
    let settings = read(&mut session, Export::Settings, "before.toml");
    assert!(settings.contains("running it again gives the same numbers"), "{settings}");
    let methods = read(&mut session, Export::Methods, "before.md");
    assert!(methods.contains("Of these updates 25 are made.") && !methods.contains("changed"), "{methods}");

    let rate = session.current().map(|r| r.config.optimizer.learning_rate).expect("a run");
    session.act(Action::Set { key: "optimizer.learning_rate".into(), value: 0.125.into() });
    until(&mut session, "the mark", |s| s.current().is_some_and(|r| !r.marks.is_empty()));
    let change = format!("changed at iteration 25: learning rate {} → 0.125", short(rate));
    let settings = read(&mut session, Export::Settings, "after.toml");
    assert!(settings.contains(&change) && !settings.contains("gives the same numbers"), "{settings}");
    let read_again = parse(&settings).map(basinscope::training::config::resolve::resolve);
    assert!(read_again.is_ok_and(|r| r.is_ok()), "it is sound");
    let methods = read(&mut session, Export::Methods, "after.md");
    assert!(methods.contains(&change), "{methods}");
    assert!(methods.contains("the same settings, changed at the same iterations, give"), "{methods}");

    // A snapshot carries it on.
    let path = folder.path().join("after.npz");
    save(&mut session, Export::Snapshot, &path);
    session.act(Action::Open(path));
    until(&mut session, "the run", |s| s.runs().len() == 2);
    let opened = session.current().expect("it is selected");
    assert_eq!(opened.alterations().map(|m| m.iteration).collect::<Vec<_>>(), [25]);
    assert!(session.groups().is_empty(), "neither is a sample of its setting");
}
