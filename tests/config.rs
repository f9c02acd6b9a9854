//! Settings: defaults, presets, checks, and that what is written reads back the same.

use basinscope::numerics::tasks::TaskKind;
use basinscope::training::config::keys::{KeyInfo, Values, key, keys};
use basinscope::training::config::resolve::{Resolved, parse, resolve, set, sources};
use basinscope::training::config::{Cadence, Config, Precision, RhoConfig, RuleKind, Skip};
use basinscope::training::presets::{Source, preset, presets};
use proptest::prelude::*;
use toml::{Table, Value};

fn resolved(text: &str) -> Resolved {
    resolve(parse(text).expect("TOML")).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refused(text: &str) -> String {
    let error = parse(text).and_then(resolve).expect_err(text).to_string();
    assert!(!error.contains('\n'), "one line: {error}");
    error
}

fn with(assignments: &[&str]) -> Table {
    let mut given = Table::new();
    for a in assignments {
        set(&mut given, a).unwrap_or_else(|e| panic!("{a}: {e}"));
    }
    given
}

fn measured(of: RuleKind) -> RhoConfig {
    RhoConfig { of, value: None }
}

/// The values of the configuration file as it is documented, written here a second time.
#[test]
fn the_defaults_are_the_documented_ones() {
    let c = resolved("").config;
    assert_eq!((c.seed, c.precision, c.iterations), (1, Precision::F32, 5000));
    assert_eq!((c.stop.loss_below, c.stop.test_accuracy_above, c.stop.diverged_above), (0.0, 0.0, 1e6));
    assert_eq!((c.task.batch, c.task.test_trials), (32, 512));
    assert_eq!((c.network.n_rec, c.network.gain, c.network.alpha), (64, 1.0, 0.5));
    assert_eq!((c.network.adaptive.units, c.network.adaptive.beta, c.network.adaptive.tau), (0, 1.8, 20.0));
    assert_eq!((c.rule.kind, c.rule.rho, c.rule.window), (RuleKind::EProp, measured(RuleKind::EProp), 5));
    assert_eq!((c.optimizer.learning_rate, c.optimizer.momentum, c.optimizer.l2), (3e-4, 0.0, 0.0));
    assert_eq!((c.schedule.initial_factor, c.schedule.factor, c.schedule.decay), (3.0, 0.9, 0.999));
    assert_eq!((c.flossing.iterations, c.flossing.k, c.flossing.trials), (0, 8, 8));
    assert_eq!((c.measure.test, c.measure.curvature), (Cadence::Every(50), Cadence::Every(100)));
    assert_eq!((c.measure.landscape, c.measure.lyapunov_skip), (Cadence::Never, Skip::Auto));
    assert_eq!((c.measure.probe_trials, c.measure.top_k, c.measure.slice.points), (64, 5, 51));
}

#[test]
fn the_rule_decides_the_column_of_the_preset() {
    for rule in ["bptt", "scaled-bptt", "truncated-bptt"] {
        let c = resolved(&format!("rule.kind = \"{rule}\"")).config;
        assert_eq!((c.iterations, c.optimizer.learning_rate), (1500, 1e-3), "{rule}");
    }
    for rule in ["e-prop", "rflo", "mdgl", "upscaled"] {
        let c = resolved(&format!("rule.kind = \"{rule}\"")).config;
        assert_eq!((c.iterations, c.optimizer.learning_rate), (5000, 3e-4), "{rule}");
    }
    let c = resolved("iterations = 7\n[rule]\nkind = \"bptt\"\n[task]\nkind = \"delayed-match\"").config;
    assert_eq!((c.iterations, c.optimizer.learning_rate, c.network.alpha), (7, 3e-3, 0.8));
    assert_eq!(resolved("rule.kind = \"bptt\"\ntask.kind = \"delayed-match\"").config.iterations, 2000);
}

/// The preset table of the specification, once more: alpha, gain, rate, iterations, N, batch, clip.
#[test]
fn every_preset_has_the_values_of_its_table() {
    let root2 = std::f64::consts::SQRT_2;
    for (task, alpha, gain, rate, iterations, n, batch, clip) in [
        ("pattern", 0.0, 1.0, 0.2, 4000, 30, 1, 1.0),
        ("cued-match", 0.0, 1.2, 0.05, 1500, 100, 4, 0.0),
        ("sequential-mnist", 0.0, root2, 0.01, 3000, 128, 256, 0.0),
        ("romo", 0.5, 1.0, 3e-4, 5000, 64, 32, 0.0),
        ("two-alternative", 0.5, 1.0, 3e-3, 1500, 64, 32, 0.0),
        ("delayed-match", 0.8, 1.0, 3e-3, 2500, 64, 32, 0.0),
    ] {
        let c = Config::preset(task).expect(task);
        let found = (
            c.network.alpha,
            c.network.gain,
            c.optimizer.learning_rate,
            c.iterations,
            c.network.n_rec,
            c.task.batch,
            c.optimizer.clip_norm,
        );
        assert_eq!(found, (alpha, gain, rate, iterations, n, batch, clip), "{task}");
    }
    let c = Config::preset("cued-match").expect("a preset");
    assert_eq!((c.network.adaptive.units, c.network.init.readout_scale), (50, 0.5));
    let wide = resolved("task.kind = \"cued-match\"\nnetwork.n_rec = 200").config;
    assert_eq!(wide.network.adaptive.units, 100, "half of the network adapts, whatever its size");
}

#[test]
fn every_key_has_a_default_and_a_source_in_every_task() {
    for p in presets() {
        for info in keys().iter().filter(|k| k.belongs_to(p.task)) {
            if ["rule.rho.value", "task.loss"].contains(&info.path) || info.values == Values::Path {
                continue;
            }
            let name = p.task.name();
            let constant = p.constants.get(info.path).unwrap_or_else(|| panic!("{name} {}", info.path));
            for value in [Some(&constant.value), constant.bptt.as_ref()].into_iter().flatten() {
                let kept = info.check(value).unwrap_or_else(|e| panic!("{name}: {e}"));
                assert_eq!(&kept, value, "{name} {}: written as it is kept", info.path);
            }
            assert_ne!(constant.source, Source::Given);
        }
        for path in p.constants.keys() {
            assert!(key(path, p.task).is_some(), "{} {path}", p.task.name());
        }
        let mut given = with(&[&format!("task.kind={}", p.task.name())]);
        if p.task == TaskKind::File {
            set(&mut given, "task.path=trials.npz").expect("a key");
        }
        for (path, source) in resolve(given).expect("a preset").sources {
            let given = source == Source::Given;
            assert_eq!(given, path == "task.path", "{}: {path} is the preset's", p.task.name());
        }
    }
    assert!(preset("romoo").expect_err("no such preset").to_string().contains("two-alternative"));
    assert!(refused("task.kind = \"file\"").contains("task.path"), "file needs the user's file");
}

#[test]
fn tasks_keep_their_own_keys_apart() {
    assert_eq!(
        resolved("task.kind = \"cued-match\"\ntask.delay = 3").config.task.own.kind().name(),
        "cued-match"
    );
    let error = refused("task.coherences = [1.0]");
    assert!(error.contains("a key of two-alternative, not of romo"), "{error}");
    let error = refused("task.kind = \"delayed-match\"\ntask.delay = 1001");
    assert!(error.contains("from 0 to 1000"), "{error}");
    let error = refused("task.delay_min = 4\ntask.delay_max = 3");
    assert!(error.contains("`task.delay_max` = 3: expected at least delay_min, 4"), "{error}");
}

#[test]
fn the_papers_constants_carry_their_tags() {
    let source = |task: &str, path: &str| preset(task).expect(task).constants[path].source;
    assert_eq!(source("romo", "network.alpha"), Source::C);
    assert_eq!(source("romo", "optimizer.kind"), Source::P2);
    assert_eq!(source("romo", "optimizer.learning_rate"), Source::Own);
    assert_eq!(source("two-alternative", "network.alpha"), Source::Own);
    assert_eq!(source("pattern", "optimizer.kind"), Source::P1);
    assert_eq!(source("sequential-mnist", "optimizer.learning_rate"), Source::C);
    assert_eq!(source("cued-match", "network.adaptive.beta"), Source::C);
    assert_eq!(source("cued-match", "task.delay"), Source::P1);
    assert_eq!(source("pattern", "task.n_in"), Source::Own);
    for (path, constant) in &preset("file").expect("file").constants {
        let of_the_task = path.starts_with("task.") || path.starts_with("network.init");
        assert!(!of_the_task || constant.source == Source::Own, "{path}: no paper knows your trials");
    }
    let changed = resolve(with(&["network.gain=0.2", "network.n_rec=64"])).expect("settings");
    assert_eq!(changed.sources["network.gain"], Source::Given);
    assert_eq!(changed.sources["network.n_rec"], Source::P2, "given, but what P2 has");
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest() {
    for (given, nearest) in [
        ("network.gian = 1", "network.gain"),
        ("gain = 1", "network.gain"),
        ("network.n_recs = 3", "network.n_rec"),
        ("learning_rate = 0.1", "optimizer.learning_rate"),
        ("optimizer.lerning_rate = 0.1", "optimizer.learning_rate"),
        ("optimiser.kind = \"sgd\"", "optimizer.kind"),
        ("[flossing]\nlearning_rat = 1", "flossing.learning_rate"),
        ("sede = 1", "seed"),
        ("iteration = 1", "iterations"),
        ("[measure.slice]\npoint = 3", "measure.slice.points"),
    ] {
        let error = refused(given);
        assert!(error.ends_with(&format!("the nearest is `{nearest}`")), "{given}: {error}");
    }
}

#[test]
fn a_wrong_value_names_key_value_and_range() {
    for (given, parts) in [
        ("network.alpha = 1.0", ["network.alpha", "1.0", "of at least 0 and below 1"]),
        ("network.alpha = -0.1", ["network.alpha", "-0.1", "of at least 0 and below 1"]),
        ("network.n_rec = 0", ["network.n_rec", "0", "from 1 to 4096"]),
        ("network.n_rec = 1.5", ["network.n_rec", "1.5", "whole number"]),
        ("network.n_rec = \"many\"", ["network.n_rec", "\"many\"", "whole number"]),
        ("network.gain = nan", ["network.gain", "nan", "a number of at least 0"]),
        ("network.gain = inf", ["network.gain", "inf", "a number of at least 0"]),
        ("optimizer.learning_rate = 0", ["optimizer.learning_rate", "0", "above 0"]),
        ("rule.kind = \"e-porp\"", ["rule.kind", "e-porp", "one of bptt, e-prop"]),
        ("rule.kind = 3", ["rule.kind", "3", "one of bptt"]),
        ("rule.rho.of = \"scaled-bptt\"", ["rule.rho.of", "scaled-bptt", "one of e-prop, rflo"]),
        (
            "task.kind = \"two-alternative\"\ntask.coherences = []",
            ["task.coherences", "[]", "a list of numbers"],
        ),
        ("rule.rho = 0.3", ["rule.rho", "0.3", "a table"]),
        ("network = 3", ["network", "3", "a table"]),
        ("measure.test = \"never\"", ["measure.test", "never", "or \"off\""]),
        ("measure.test = -1", ["measure.test", "-1", "or \"off\""]),
        ("measure.lyapunov_skip = \"no\"", ["measure.lyapunov_skip", "no", "\"auto\""]),
        ("seed = -1", ["seed", "-1", "from 0"]),
        ("precision = \"f16\"", ["precision", "f16", "f32, f64"]),
        ("task.kind = \"rome\"", ["task.kind", "rome", "one of romo"]),
        ("network.adaptive.units = 65", ["network.adaptive.units", "65", "network.n_rec = 64"]),
        ("flossing.k = 65", ["flossing.k", "65", "at most 64"]),
        ("measure.lyapunov_exponents = 65", ["measure.lyapunov_exponents", "65", "at most 64"]),
        ("network.n_rec = 3\nmeasure.top_k = 10", ["measure.top_k", "10", "at most 9"]),
        ("measure.top_k = 201", ["measure.top_k", "201", "from 1 to 200"]),
        ("task.loss = \"classification\"", ["task.loss", "classification", "regression"]),
        ("task.batch = 70000", ["task.batch", "70000", "from 1 to 65536"]),
        ("measure.lyapunov_skip = 56", ["measure.lyapunov_skip", "56", "at most 55"]),
        (
            "task = { kind = \"two-alternative\", stimulus = 1000, batch = 65536 }",
            ["task.batch", "65536", "2^28 numbers"],
        ),
        (
            "task = { kind = \"pattern\", n_in = 2 }\nmeasure = { block = \"input\", top_k = 61 }",
            ["measure.top_k", "61", "at most 60"],
        ),
        ("measure.slice.points = 1", ["measure.slice.points", "1", "from 2"]),
    ] {
        let error = refused(given);
        for part in parts {
            assert!(error.contains(part), "{given}: `{error}` should contain `{part}`");
        }
    }
    let error = refused("network.gain = 1\nnetwork.gain = 2");
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn tables_and_inline_tables_mean_the_same() {
    let a = resolved("network = { init = { input = \"he\" }, gain = 2 }");
    let b = resolved("[network]\ngain = 2.0\n[network.init]\ninput = \"he\"");
    let c = resolved("network.init.input = \"he\"\nnetwork.gain = 2");
    assert_eq!(a, b);
    assert_eq!(b, c);
    assert_eq!(a.config.network.gain, 2.0);
    assert_eq!(resolved("iterations = 1e3").config.iterations, 1000);
}

#[test]
fn set_reads_toml_and_falls_back_to_a_plain_string() {
    let c = resolve(with(&["rule.kind=mdgl", "network.gain = 0.2", "measure.test=off", "seed=3"]));
    let c = c.expect("settings").config;
    assert_eq!(
        (c.rule.kind, c.network.gain, c.measure.test, c.seed),
        (RuleKind::Mdgl, 0.2, Cadence::Never, 3)
    );
    let c = resolve(with(&["rule.kind=\"bptt\"", "rule.rho={ value = 0.3 }", "rule.window=2"])).expect("ok");
    assert_eq!(
        (c.config.rule.rho, c.config.rule.window),
        (RhoConfig { value: Some(0.3), ..measured(RuleKind::EProp) }, 2)
    );
    // Naming the rule drops the number, so that --set can change a resolved file.
    let mut given = c.config.to_table();
    set(&mut given, "rule.rho.of=mdgl").expect("a key");
    assert_eq!(resolve(given).expect("settings").config.rule.rho, measured(RuleKind::Mdgl));
    let given = with(&["network.init={input=\"he\"}", "network.init={readout_scale=2}"]);
    let c = resolve(given).expect("settings").config;
    assert_eq!(c.network.init.readout_scale, 2.0, "tables are merged");

    let mut given = Table::new();
    for (wrong, part) in [
        ("seed", "KEY=VALUE"),
        ("=3", "KEY=VALUE"),
        ("seed=", "KEY=VALUE"),
        ("sede=3", "nearest is `seed`"),
        ("task.delayed=3", "nearest is `task.delay`"),
    ] {
        let error = set(&mut given, wrong).expect_err(wrong).to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{wrong}: {error}");
    }
    assert!(given.is_empty(), "a refused assignment changes nothing");
    for wrong in ["network.gain=much", "seed=1\niterations=3", "seed=9223372036854775808", "rule.rho=3"] {
        let error = resolve(with(&[wrong])).expect_err(wrong).to_string();
        assert!(error.contains(wrong.split('=').next().expect("a key")) && !error.contains('\n'), "{error}");
    }
    assert_eq!(resolve(with(&["task.kind=file", "task.path=1.npz"])).expect("a path").warnings.len(), 0);
}

#[test]
fn what_has_no_effect_is_said() {
    for (given, part) in [
        ("task.kind = \"pattern\"\ntask.batch = 8", "`task.batch` = 8 is ignored"),
        ("task = { kind = \"file\", path = \"a\", test_trials = 3 }", "`task.test_trials` is ignored"),
        ("rule = { kind = \"scaled-bptt\", rho = { value = 0.3 } }", "does nothing under Adam"),
        ("optimizer.momentum = 0.9", "does nothing under Adam"),
        ("flossing.during.every = 10", "needs both"),
        ("stop.test_accuracy_above = 0.9\nmeasure.test = \"off\"", "`measure.test` is off"),
        ("task.kind = \"sequential-mnist\"", "blank"),
        ("stop.plateau = 50", "`stop.plateau` = 50 has no effect"),
    ] {
        let warnings = resolved(given).warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(part), "{given}: {warnings:?}");
    }
    for quiet in ["", "task.kind = \"pattern\"\ntask.batch = 1", "rule.kind = \"scaled-bptt\""] {
        assert_eq!(resolved(quiet).warnings, Vec::<String>::new(), "{quiet}");
    }
}

#[test]
fn defaults_are_lowered_to_a_small_network_given_values_never() {
    let c = resolved("network.n_rec = 2").config;
    assert_eq!((c.flossing.k, c.measure.top_k), (2, 4));
    assert!(refused("network.n_rec = 2\nflossing.k = 8").contains("flossing.k"));
}

#[test]
fn the_fingerprint_tells_settings_apart() {
    let a = resolved("").config;
    assert_eq!(a.fingerprint(), resolved("seed = 1").config.fingerprint());
    assert_ne!(a.fingerprint(), resolved("seed = 2").config.fingerprint());
}

/// Any value that the key may have.
fn value_of(info: &'static KeyInfo) -> BoxedStrategy<Value> {
    match info.values {
        Values::Whole(least, most) => {
            (least..=most.min(least + 40)).prop_map(|n| Value::Integer(n as i64)).boxed()
        }
        Values::WholeOr(least, most, word) => prop_oneof![
            (least..=most.min(least + 40)).prop_map(|n| Value::Integer(n as i64)),
            Just(Value::String(word.into()))
        ]
        .boxed(),
        Values::Number(range) => prop::num::f64::NORMAL
            .prop_map(move |x| if range.to.is_finite() { x.abs().fract() } else { x.abs() })
            .prop_filter("in range", move |x| range.contains(*x))
            .prop_map(Value::Float)
            .boxed(),
        Values::Numbers(_) => prop::collection::vec(0.0..1.0, 1..4)
            .prop_map(|list: Vec<f64>| Value::Array(list.into_iter().map(Value::Float).collect()))
            .boxed(),
        Values::Choice(words) => prop::sample::select(words).prop_map(|w| Value::String(w.into())).boxed(),
        Values::Path => "[a-z \\\\\"']{1,12}".prop_map(Value::String).boxed(),
    }
}

fn some_settings() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    prop::sample::select(&TaskKind::ALL[..]).prop_flat_map(|task| {
        let usable: Vec<&'static KeyInfo> = keys()
            .iter()
            .filter(|k| k.belongs_to(task) && !["task.kind", "task.loss"].contains(&k.path))
            .collect();
        let count = usable.len();
        let kind = Value::String(task.name().into());
        prop::sample::subsequence(usable, 0..=count)
            .prop_flat_map(|infos| {
                infos.into_iter().map(|k| value_of(k).prop_map(move |v| (k.path, v))).collect::<Vec<_>>()
            })
            .prop_map(move |mut given| {
                given.push(("task.kind", kind.clone()));
                given
            })
    })
}

fn table(given: &[(&str, Value)]) -> Table {
    let mut table = Table::new();
    // rule.rho.of first: it drops a fixed rho.
    for (path, value) in given {
        set(&mut table, &format!("{path}={value}")).unwrap_or_else(|e| panic!("{path} = {value}: {e}"));
    }
    table
}

proptest! {
    /// Whatever keys are given: either one sentence, or settings that survive being written and read, with
    /// the same bits in every number.
    #[test]
    fn what_is_written_reads_back_the_same(given in some_settings()) {
        match resolve(table(&given)) {
            Err(error) => prop_assert!(!error.to_string().contains('\n')),
            Ok(first) => {
                let text = first.config.to_toml();
                let again = resolve(parse(&text).expect("TOML")).expect("its own file");
                prop_assert_eq!(&again.config, &first.config);
                prop_assert_eq!(&again.sources, &sources(&first.config));
                prop_assert_eq!(again.config.to_toml(), text);
                prop_assert_eq!(again.config.fingerprint(), first.config.fingerprint());
                for (path, value) in &given {
                    let written = path.split('.').fold(Value::Table(first.config.to_table()), |t, part| t[part].clone());
                    prop_assert_eq!(written, key(path, first.config.task.own.kind()).expect("a key").check(value).expect("in range"));
                }
            }
        }
    }

    /// Arbitrary text is settings or one sentence, never a panic.
    #[test]
    fn any_text_is_answered(text in "[a-z_.=\"\\[\\]{}0-9 \n-]{0,60}", name in "[a-z_.]{0,20}", value in ".{0,20}") {
        let _ = parse(&text).and_then(resolve);
        if let Err(error) = set(&mut Table::new(), &format!("{name}={value}")) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
