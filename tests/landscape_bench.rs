//! What a session tries out on the landscape, without a window: slices through chosen places, cuts, descents, the
//! shake, on real workers.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use basinscope::engine::Engine;
use basinscope::files::network_input;
use basinscope::files::snapshot::{SliceFound, Snapshot};
use basinscope::numerics::parallel::Serial;
use basinscope::numerics::rules::gradient::GradientPass;
use basinscope::numerics::tasks::TaskData;
use basinscope::numerics::weights::Block;
use basinscope::session::landscape::Ask;
use basinscope::session::places::Place;
use basinscope::session::{Action, Export, RunEntry, RunId, Session, trainers};
use basinscope::training::config::resolve::{parse, resolve};
use basinscope::training::config::{RuleKind, SliceDirections};
use basinscope::training::driver::Driver;
use basinscope::training::history::Series;
use basinscope::training::measured::measure_network;
use basinscope::training::measures::{Detail, Measure, SliceDetail};
use basinscope::training::trainer;

const LONG: Duration = Duration::from_secs(60);

fn until(session: &mut Session, what: &str, done: impl Fn(&Session) -> bool) {
    let start = Instant::now();
    while !done(session) {
        assert!(start.elapsed() < LONG, "waited in vain for {what}: {:?}", session.bench().error());
        if !session.logic(Duration::from_millis(5)) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn current(session: &Session) -> &RunEntry {
    session.current().expect("a run is selected")
}

fn settings(rule: &str) -> Action {
    settings_of(rule, "all", 9)
}

fn settings_of(rule: &str, block: &str, points: usize) -> Action {
    let text = format!(
        "iterations = 100000\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 8\n[rule]\nkind = \"{rule}\"\n\
         [measure]\ntest = \"off\"\ncurvature = \"off\"\nlyapunov = \"off\"\nalignment = \"off\"\n\
         block = \"{block}\"\nslice = {{ points = {points} }}\n"
    );
    Action::Take(text.parse().expect("TOML"))
}

/// A session with a run of each rule, made in turn, `updates` updates on; the last is selected.
fn with_runs(rules: &[&str], updates: u64) -> (Session, Vec<RunId>) {
    with_settings(rules.iter().map(|rule| settings(rule)), updates)
}

fn with_settings(all: impl IntoIterator<Item = Action>, updates: u64) -> (Session, Vec<RunId>) {
    let mut session = Session::new(Engine::new(2, Arc::new(|| {})), trainers(), toml::Table::new());
    for settings in all {
        session.act(settings);
        session.act(Action::StartNew);
        session.act(Action::RunOrPause);
        session.act(Action::Step(updates));
    }
    let at = updates as i64;
    until(&mut session, "all updates", |s| s.runs().iter().all(|r| r.iteration >= at && !r.is_running()));
    // A run that had made updates before it was told to pause is set apart by nothing: it is only further.
    let ids = session.runs().iter().map(|r| r.id).collect();
    (session, ids)
}

fn slice(session: &Session) -> Option<&SliceDetail> {
    session.slice_of(current(session)).filter(|slice| slice.progress.is_complete())
}

fn ask(session: &mut Session, ask: Ask) {
    session.act(Action::Landscape(ask));
}

fn bookmark(session: &mut Session) -> Place {
    let n = current(session).bookmarks.len();
    session.act(Action::Bookmark { label: "here".into() });
    until(session, "the bookmark", |s| current(s).bookmarks.len() > n);
    let run = current(session);
    Place::Bookmark(run.id, run.bookmarks[n].id)
}

#[test]
fn a_slice_is_centred_on_any_place_and_says_which() {
    let (mut session, ids) = with_runs(&["bptt"], 20);
    let here = bookmark(&mut session);
    let bookmarked = current(&session).bookmarks[0].checkpoint.weights.clone();
    session.act(Action::Step(20));
    let at = bookmarked_iteration(&session) + 20;
    until(&mut session, "twenty more", |s| current(s).iteration >= at);
    let random = SliceDirections::Random;
    ask(&mut session, Ask::Slice { directions: random, centre: Some(here), points: None });
    until(&mut session, "the slice", |s| slice(s).is_some_and(|s| s.centre == "here"));
    assert_eq!(slice(&session).expect("complete").plane.centre(), &bookmarked);
    ask(&mut session, Ask::Slice { directions: random, centre: Some(Place::Start(ids[0])), points: None });
    until(&mut session, "the slice", |s| slice(s).is_some_and(|s| s.centre == "start"));
    let start = current(&session).bookmarks[0].checkpoint.initial.clone();
    assert_eq!(slice(&session).expect("complete").plane.centre(), &start);
    // The path ends at the weights that the slice was asked for.
    let newest = slice(&session).expect("complete").path.last().expect("a path").iteration;
    assert_eq!(newest, current(&session).iteration);
    ask(&mut session, Ask::Slice { directions: random, centre: None, points: None });
    until(&mut session, "the slice", |s| slice(s).is_some_and(|s| s.centre.starts_with("iteration")));
}

fn bookmarked_iteration(session: &Session) -> i64 {
    current(session).bookmarks[0].iteration()
}

#[test]
fn a_plane_goes_through_the_start_and_the_ends_of_two_runs_and_shows_both_paths() {
    let (mut session, ids) = with_runs(&["e-prop", "bptt"], 15);
    let points = [Place::Start(ids[1]), Place::Now(ids[1]), Place::Now(ids[0])];
    let directions = SliceDirections::ThreePoints;
    ask(&mut session, Ask::Slice { directions, centre: None, points: Some(points) });
    until(&mut session, "the slice", |s| slice(s).is_some());
    let slice = slice(&session).expect("complete");
    assert_eq!((slice.centre.as_str(), slice.landmarks.len(), slice.others.len()), ("start", 3, 1));
    assert!(slice.names[1].contains(&session.run(ids[0]).expect("there").name), "{:?}", slice.names);
    // f32 weights: their differences are good to 1e-7 of weights of order 1.
    assert!(slice.landmarks.iter().all(|(_, at)| at.distance < 1e-5), "{:?}", slice.landmarks);
    let (other, path) = &slice.others[0];
    assert_eq!(other.run, ids[0].0);
    let end = path.last().expect("a path");
    assert!(end.coordinates.distance < 1e-5 && end.loss.is_some());
}

#[test]
fn a_place_that_is_gone_or_of_another_size_is_an_error_in_words() {
    let (mut session, ids) = with_runs(&["bptt"], 5);
    session.act(settings("bptt"));
    session.act(Action::Set { key: "network.n_rec".into(), value: 9.into() });
    session.act(Action::StartNew);
    session.act(Action::RunOrPause);
    until(&mut session, "the run", |s| s.runs().len() == 2 && current(s).iteration >= 0);
    let other = current(&session).id;
    ask(&mut session, Ask::Cut { from: Place::Now(ids[0]), to: Place::Now(other) });
    until(&mut session, "the error", |s| s.bench().error().is_some());
    let error = session.bench().error().expect("an error").to_owned();
    assert!(error.starts_with("No cut") && error.contains("values, expected"), "{error}");
    let gone = Place::Bookmark(ids[0], 12345);
    assert_eq!(session.name_of(gone, ids[0]), None);
    ask(&mut session, Ask::Cut { from: gone, to: Place::Now(ids[0]) });
    assert!(session.bench().error().is_none() && !session.bench().is_cutting());
}

#[test]
fn a_cut_between_two_runs_has_the_losses_of_both_ends() {
    let (mut session, ids) = with_runs(&["e-prop", "bptt"], 10);
    ask(&mut session, Ask::Cut { from: Place::Start(ids[0]), to: Place::Now(ids[1]) });
    until(&mut session, "the whole cut", |s| s.bench().cut().is_some_and(|c| c.points.len() > 100));
    let cut = session.bench().cut().expect("a cut");
    assert_eq!((cut.run, cut.names[0].as_str()), (ids[0], "start"));
    let at = |t: f64| cut.points.iter().find(|p| p.0 == t).expect("an end").1.loss;
    // Full batch: the training loss is that of the probe batch.
    let run = session.run(ids[0]).expect("there");
    let curve = run.curves.get(Series::TrainLoss).expect("losses");
    let first = curve.values().0[0].value;
    assert!((at(0.0) - first).abs() < 1e-6 * first, "{} {first}", at(0.0));
    assert!(at(1.0) < at(0.0));
    assert!(cut.points.windows(2).all(|w| w[0].0 < w[1].0));
}

#[test]
fn descents_start_where_they_were_asked_to_and_hold_their_slice() {
    let (mut session, _) = with_runs(&["bptt"], 15);
    let directions = SliceDirections::Random;
    let usual = Ask::Slice { directions, centre: None, points: None };
    ask(&mut session, usual.clone());
    until(&mut session, "the slice", |s| slice(s).is_some());
    let plane = Arc::clone(&slice(&session).expect("complete").plane);
    let from = [0.25, -0.5];
    ask(&mut session, Ask::Descend { from, rule: RuleKind::Mdgl, steps: [20, 30] });
    until(&mut session, "the descents", |s| !s.bench().is_descending());
    let descending = session.bench().descending().expect("descents");
    assert_eq!(descending.share(), 1.0);
    let rules: Vec<RuleKind> = descending.all.iter().map(|t| t.rule).collect();
    assert_eq!((rules[0], rules.len()), (RuleKind::Mdgl, 5), "the rule asked for first, then its ghosts");
    for trail in &descending.all {
        let at = trail.points[0].coordinates;
        assert_eq!([at.a, at.b], from);
        assert_eq!(trail.points.len(), 50);
        assert!(trail.points[..20].iter().all(|p| p.coordinates.distance == 0.0));
        assert!(trail.points[49].coordinates.distance > 0.0);
    }
    let bptt = descending.all.iter().find(|t| t.rule == RuleKind::Bptt).expect("a ghost");
    assert!(bptt.points[49].loss < bptt.points[0].loss);

    // A newer slice of the run does not take theirs away; asking for one does.
    session.act(Action::Measure(vec![Measure::Landscape]));
    until(&mut session, "a newer slice", |s| {
        let found = current(s).finding(Measure::Landscape).map(|(f, _)| &f.finding.detail);
        matches!(found, Some(Detail::Landscape(Ok(new))) if !Arc::ptr_eq(&new.plane, &plane))
    });
    assert!(Arc::ptr_eq(&session.slice_of(current(&session)).expect("held").plane, &plane));
    ask(&mut session, usual);
    assert!(session.bench().descending().is_none());
    assert!(!Arc::ptr_eq(&session.slice_of(current(&session)).expect("the newest").plane, &plane));
}

#[test]
fn the_newest_descent_is_the_one_that_counts() {
    let (mut session, _) = with_runs(&["e-prop"], 5);
    ask(&mut session, Ask::Slice { directions: SliceDirections::Random, centre: None, points: None });
    until(&mut session, "the slice", |s| slice(s).is_some());
    for i in 0..20 {
        let from = [f64::from(i) / 20.0, 0.0];
        ask(&mut session, Ask::Descend { from, rule: RuleKind::EProp, steps: [1000, 100_000] });
    }
    until(&mut session, "steps", |s| s.bench().descending().is_some_and(|d| d.all[0].points.len() > 8));
    let descending = session.bench().descending().expect("descents");
    assert!(descending.all.iter().all(|t| t.points.first().is_none_or(|p| p.coordinates.a == 0.95)));
    ask(&mut session, Ask::ForgetDescents);
    assert!(session.bench().descending().is_none() && !session.bench().is_descending());
}

#[test]
fn the_selected_run_and_all_pinned_ones_are_shaken_at_the_same_or_at_relative_radii() {
    let (mut session, ids) = with_runs(&["e-prop", "mdgl", "bptt"], 10);
    session.act(Action::Pin(ids[0], true));
    for relative in [false, true] {
        ask(&mut session, Ask::Shake { relative });
        until(&mut session, "the shake", |s| {
            s.bench().shaken().0.len() == 2 && s.bench().shake_share().is_none()
        });
        let (shaken, is_relative) = session.bench().shaken();
        assert_eq!(is_relative, relative);
        assert_eq!([shaken[0].run, shaken[1].run], [ids[2], ids[0]], "the selected one first");
        let of = |i: usize| shaken[i].shake.as_ref().expect("shaken");
        let (one, other) = (of(0), of(1));
        for (a, b) in one.shaken.iter().zip(&other.shaken) {
            let same = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-12;
            assert_eq!(same(a.relative, b.relative), relative);
            assert_eq!(same(a.radius, b.radius), !relative);
            assert!(a.loss.lower <= a.loss.median && a.loss.median <= a.loss.upper);
        }
        // The largest radius is felt, the smallest hardly.
        let rise = |i: usize| one.shaken[i].loss.mean - one.at_rest.loss;
        assert!(rise(13) > 10.0 * rise(0).abs(), "{} {}", rise(0), rise(13));
        assert_eq!(shaken[0].iteration, current(&session).iteration);
    }
    // A pinned run that was reset is a ghost, and still shaken.
    session.act(Action::Select(ids[0]));
    session.act(Action::Reset);
    ask(&mut session, Ask::Shake { relative: false });
    until(&mut session, "the shake", |s| {
        s.bench().shaken().0.len() == 2 && s.bench().shake_share().is_none()
    });
    let (shaken, _) = session.bench().shaken();
    assert_eq!(shaken[0].iteration, 0);
    assert!(shaken[1].iteration >= 10 && shaken[1].shake.is_ok());
}

#[test]
fn a_cut_goes_between_two_bookmarks_of_one_run() {
    let (mut session, _) = with_runs(&["bptt"], 5);
    let early = bookmark(&mut session);
    session.act(Action::Step(20));
    let at = bookmarked_iteration(&session) + 20;
    until(&mut session, "twenty more", |s| current(s).iteration >= at && !current(s).is_running());
    let late = bookmark(&mut session);
    ask(&mut session, Ask::Cut { from: early, to: late });
    until(&mut session, "the whole cut", |s| s.bench().cut().is_some_and(|c| c.points.len() > 100));
    let cut = session.bench().cut().expect("a cut");
    let at = |t: f64| cut.points.iter().find(|p| p.0 == t).expect("an end").1.loss;
    let curve = current(&session).curves.get(Series::TrainLoss).expect("losses");
    for (t, n) in [(0.0, 0), (1.0, 1)] {
        let iteration = current(&session).bookmarks[n].iteration();
        // The loss of an update is that before it: the newest weights have none yet.
        let Some(point) = curve.values().0.iter().find(|p| p.iteration == iteration) else { continue };
        assert!((at(t) - point.value).abs() < 1e-5 * point.value, "{} {}", at(t), point.value);
    }
    assert!(at(1.0) < at(0.0));
}

/// The iterations of the path on a new slice of the selected run.
fn path_of(session: &mut Session) -> Vec<i64> {
    let old = session.slice_of(current(session)).map(|slice| Arc::clone(&slice.plane));
    ask(session, Ask::Slice { directions: SliceDirections::Random, centre: None, points: None });
    until(session, "the slice", |s| {
        slice(s).is_some_and(|new| old.as_ref().is_none_or(|old| !Arc::ptr_eq(old, &new.plane)))
    });
    let slice = slice(session).expect("complete");
    let finite = slice.path.iter().all(|p| p.loss.is_some_and(f64::is_finite));
    assert!(finite, "with all losses");
    slice.path.iter().map(|p| p.iteration).collect()
}

/// Every iteration up to this one, as long as these are few enough, or every 2^k-th and the last.
fn is_even(path: &[i64], last: i64) -> bool {
    let space = path[1] - path[0];
    let (end, even) = path.split_last().expect("a path");
    let is_whole = even[0] == 0 && *end == last && end - even[even.len() - 1] <= space;
    is_whole && path.len() <= 400 && even.windows(2).all(|w| w[1] - w[0] == space)
}

#[test]
fn the_path_is_that_of_the_whole_run_also_after_a_branch_a_jump_and_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut session, ids) = with_runs(&["bptt"], 30);
    bookmark(&mut session);
    let (mark, at) = (current(&session).bookmarks[0].id, bookmarked_iteration(&session));
    // More than are kept: every other is left out.
    session.act(Action::Step(500));
    until(&mut session, "more", |s| current(s).iteration == at + 500);
    let path = path_of(&mut session);
    assert!(is_even(&path, at + 500) && path.len() > 200, "{path:?}");

    // A file holds the path, and who opens it goes on with it.
    let file = folder.path().join("run.npz");
    session.act(Action::Save(Export::Snapshot, file.clone()));
    until(&mut session, "the file", |s| s.errands().count() == 0 && !s.notices().is_empty());
    session.act(Action::Open(file));
    until(&mut session, "the run", |s| s.runs().len() == 2 && current(s).iteration == at + 500);
    assert_eq!(path_of(&mut session), path);
    session.act(Action::Step(7));
    until(&mut session, "seven more", |s| current(s).iteration == at + 507);
    let later = path_of(&mut session);
    assert!(is_even(&later, at + 507), "{later:?}");

    // A branch has the path up to where it left, and its own after it.
    session.act(Action::Select(ids[0]));
    let set = vec![("rule.kind".to_owned(), "e-prop".into())];
    session.act(Action::BranchFrom { run: ids[0], bookmark: mark, set });
    session.act(Action::RunOrPause);
    until(&mut session, "the branch", |s| {
        s.runs().len() == 3 && current(s).iteration >= at && !current(s).is_running()
    });
    let now = current(&session).iteration;
    let of_branch = path_of(&mut session);
    assert!(is_even(&of_branch, now), "{now}: {of_branch:?}");
    assert_eq!(of_branch[1], path[1], "as evenly as the run it left");

    // A run that jumps back forgets what came after.
    session.act(Action::Select(ids[0]));
    session.act(Action::JumpTo(ids[0], mark));
    until(&mut session, "the jump", |s| current(s).iteration == at);
    assert!(is_even(&path_of(&mut session), at));
    session.act(Action::Step(9));
    until(&mut session, "nine more", |s| current(s).iteration == at + 9);
    assert!(is_even(&path_of(&mut session), at + 9));
}

/// Writes the selected run and gives what was said of it.
fn save(session: &mut Session, file: &Path) -> String {
    let newest = |s: &Session| s.notices().last().map(|notice| notice.id);
    let before = newest(session);
    session.act(Action::Save(Export::Snapshot, file.into()));
    until(session, "the file", |s| s.errands().count() == 0 && newest(s) != before);
    session.notices().last().expect("a notice").text.clone()
}

/// What a file's slice says stands by itself: its losses are those of the weights that its members give.
fn slice_of_file(file: &Path) -> (Snapshot, SliceFound) {
    let snapshot = Snapshot::read(file).expect("a snapshot");
    let found = snapshot.found.slice.clone().expect("a slice");
    let (dims, config) = (snapshot.weights.dims(), &snapshot.config);
    let network = trainer::network::<f64>(&config.network, dims);
    let probe = snapshot.probe.clone().expect("trials");
    let is_all = found.centre.len() == dims.n_weights();
    let block = if is_all { Block::All } else { config.measure.block };
    for (i, j) in [(0, 0), (4, 4), (8, 3)] {
        let mut weights = snapshot.weights.clone();
        let directions = found.direction_1.iter().zip(&found.direction_2);
        for (k, (d1, d2)) in directions.enumerate() {
            weights.block_mut(block)[k] = found.centre[k] + found.a[i] * d1 + found.b[j] * d2;
        }
        let loss = GradientPass::new(&network).run(&weights, &probe, &[], &mut [], &Serial).loss;
        // The run is in single precision: 50 steps of it.
        let own = found.loss[[j, i]];
        assert!((loss - own).abs() < 1e-4 * loss, "{own} {loss}");
    }
    (snapshot, found)
}

#[test]
fn a_slice_is_in_the_file_with_all_that_it_needs_whatever_the_block() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.npz");
    let of = |rule| settings_of(rule, "recurrent", 9);
    let (mut session, ids) = with_settings([of("e-prop"), of("bptt")], 15);
    let n = current(&session).bookmarks.len();
    assert_eq!(n, 0);
    let points = [Place::Start(ids[1]), Place::Now(ids[1]), Place::Now(ids[0])];
    let directions = SliceDirections::ThreePoints;
    ask(&mut session, Ask::Slice { directions, centre: None, points: Some(points) });
    until(&mut session, "the slice", |s| slice(s).is_some());
    let shown = slice(&session).expect("complete").clone();
    assert_eq!(save(&mut session, &file), format!("Wrote {}", file.display()));
    let (snapshot, found) = slice_of_file(&file);
    let n = snapshot.weights.flat().len();
    assert_eq!([found.direction_1.len(), found.direction_2.len(), found.centre.len()], [n; 3]);
    assert_eq!(found.loss.iter().copied().collect::<Vec<_>>(), shown.grid.loss);
    assert_eq!(found.path.len(), shown.path.len());
    assert!(found.path.last().expect("a path").distance < 1e-5, "the present network is one of the three");
    assert_eq!(found.centre, snapshot.initial.clone().expect("a run's").flat(), "the first is the start");
    assert!(snapshot.notes.iter().any(|note| note.contains("lies around start")), "{:?}", snapshot.notes);

    // Another program's `measure` evaluates it around the weights of the file.
    let input = network_input::read(&file, toml::Table::new()).expect("a network");
    assert_eq!(input.given.slice.as_ref().expect("a slice").block, Block::All);
    let measured = measure_network(&input.given, &Serial).expect("measured");
    let grid = measured.slice.as_ref().expect("a slice").as_ref().expect("a plane");
    let zero = |axis: &[f64]| axis.iter().position(|x| *x == 0.0).expect("the centre");
    let centre = grid.at(zero(&grid.a), zero(&grid.b));
    assert!((centre - measured.gradients.loss).abs() < 1e-12 * centre);
    let again = network_input::measured(&input, &measured).found.slice.expect("a slice");
    assert_eq!((again.centre, again.direction_1), (snapshot.weights.flat().to_vec(), found.direction_1));

    // Around the start: its other weights are not those of the file.
    let random = SliceDirections::Random;
    ask(&mut session, Ask::Slice { directions: random, centre: Some(Place::Start(ids[1])), points: None });
    until(&mut session, "the slice", |s| slice(s).is_some_and(|s| s.directions == random));
    save(&mut session, &file);
    let (snapshot, found) = slice_of_file(&file);
    assert_eq!(found.centre, snapshot.initial.expect("a run's").flat());
    assert!(found.direction_1[64..].iter().all(|d| *d == 0.0), "it lies in the recurrent block");

    // Around the present weights the block says it all.
    ask(&mut session, Ask::Slice { directions: random, centre: None, points: None });
    until(&mut session, "the slice", |s| slice(s).is_some_and(|s| s.centre.starts_with("iteration")));
    save(&mut session, &file);
    let (snapshot, found) = slice_of_file(&file);
    assert_eq!(found.centre, snapshot.weights.block(Block::Recurrent));
    // And it stays in the file when the weights move on, as what it is.
    session.act(Action::Step(10));
    let later = current(&session).iteration + 10;
    until(&mut session, "ten more", |s| current(s).iteration == later);
    save(&mut session, &file);
    let (snapshot, found) = slice_of_file(&file);
    assert_eq!((found.centre.len(), snapshot.iteration), (n, later));
    let note = format!("the slice of iteration {} lies around iteration {0}", later - 10);
    assert!(snapshot.notes.iter().any(|n| n.starts_with(&note)), "{:?}", snapshot.notes);
}

#[test]
fn a_slice_that_is_not_whole_is_not_in_the_file_and_the_window_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.npz");
    let (mut session, _) = with_settings([settings_of("bptt", "recurrent", 1001)], 5);
    ask(&mut session, Ask::Slice { directions: SliceDirections::Random, centre: None, points: None });
    until(&mut session, "a picture", |s| s.slice_of(current(s)).is_some());
    let notice = save(&mut session, &file);
    assert!(
        notice.contains(". The slice is not in it: ") && notice.contains(" points are known"),
        "{notice}"
    );
    let snapshot = Snapshot::read(&file).expect("a snapshot");
    assert!(snapshot.found.slice.is_none());
    assert!(snapshot.notes.iter().any(|note| note.starts_with("no slice: ")), "{:?}", snapshot.notes);
}

#[test]
fn a_run_without_a_window_writes_the_plane_of_three_points_over_all_weights() {
    let text = "iterations = 8\n[task]\nkind = \"pattern\"\n[network]\nn_rec = 8\n[measure]\ntest = \"off\"\n\
                curvature = \"off\"\nlyapunov = \"off\"\nalignment = \"off\"\nlandscape = 0\n\
                slice = { directions = \"three-points\", points = 9 }\n";
    let config = resolve(parse(text).expect("TOML")).expect("sound").config;
    let mut driver = Driver::start(&config, &TaskData::None).expect("a run");
    while driver.advance(&Serial).is_none() {}
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.npz");
    let snapshot = Snapshot::of_driver(&driver, &TaskData::None, &Serial).expect("a snapshot");
    snapshot.write(&file).expect("written");
    let (snapshot, found) = slice_of_file(&file);
    assert_eq!(found.centre, snapshot.initial.expect("a run's").flat());
    // Start, middle and end lie in it, the others of the path do not.
    let distance = |i: usize| found.path[i].distance;
    assert!([0, 4, 8].into_iter().all(|i| distance(i) < 1e-6), "{:?}", found.path);
    assert!(distance(2) > 1e-4, "{:?}", found.path);
}
