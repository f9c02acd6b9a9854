//! Owns [`TimeLeft`], an estimate of the time that the runs of a sweep still take.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::files::summary::Ended;
use crate::numerics::tasks::{self, TaskData};
use crate::training::config::Config;

/// What an update costs whatever its size, in multiplications (`[own]`: 25 microseconds of a core that makes 4e10 of
/// the products of a forward and backward pass in a second, both measured on networks of 10 and 64 units).
const ANY_UPDATE: f64 = 1e6;

/// How much a run is to do, as far as it can be known before.
struct Cost {
    /// Runs of one kind: task, rule, units and batch.
    kind: usize,
    /// Runs of one task.
    task: usize,
    updates: u64,
    /// Work of an update: steps x trials x units x (units + inputs + outputs), and [`ANY_UPDATE`]. Measures are left
    /// out: what they cost shows in the runs that have ended.
    update: f64,
}

/// How far a run is.
#[derive(Default)]
pub(super) struct Under {
    /// When its first update was made: what a run measures before is not part of its speed.
    since: OnceLock<Instant>,
    made: AtomicU64,
    ended: AtomicBool,
    /// Seconds that it took, in bits.
    seconds: AtomicU64,
}

impl Under {
    /// An update more is made.
    pub fn one_more(&self) {
        self.since.get_or_init(Instant::now);
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub fn end(&self, ended: &Ended) {
        self.seconds.store(ended.wall_seconds.to_bits(), Ordering::Relaxed);
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Updates made, of a run of so many; all of one that has ended.
    pub fn made(&self, of: u64) -> u64 {
        if self.ended.load(Ordering::Relaxed) { of } else { self.made.load(Ordering::Relaxed).min(of) }
    }
}

/// Seconds that were seen to go by, and the work done in them.
#[derive(Clone, Copy, Default)]
struct Seen {
    seconds: f64,
    work: f64,
}

impl Seen {
    fn add(&mut self, seconds: f64, work: f64) {
        self.seconds += seconds;
        self.work += work;
    }

    fn rate(self) -> Option<f64> {
        (self.work > 0.0 && self.seconds > 0.0).then(|| self.seconds / self.work)
    }
}

/// What was seen of each kind of run, of each task, and of all.
#[derive(Clone, Default)]
struct Speeds {
    kinds: Vec<Seen>,
    tasks: Vec<Seen>,
    all: Seen,
}

impl Speeds {
    fn add(&mut self, cost: &Cost, seconds: f64, updates: f64) {
        let work = cost.update * updates;
        for seen in [&mut self.kinds[cost.kind], &mut self.tasks[cost.task], &mut self.all] {
            seen.add(seconds, work);
        }
    }

    /// Seconds for so many updates: by runs of this kind, else of this task, else by all.
    fn seconds(&self, cost: &Cost, updates: u64) -> Option<f64> {
        let rate = self.kinds[cost.kind].rate().or(self.tasks[cost.task].rate()).or(self.all.rate())?;
        Some(rate * cost.update * updates as f64)
    }
}

/// The runs to make, and what those have shown that had ended before.
pub(super) struct TimeLeft {
    costs: Vec<Cost>,
    at_once: usize,
    before: Speeds,
}

impl TimeLeft {
    /// Of the runs to make, `at_once` at a time, with the data of their tasks; `ended` are others of these tasks.
    pub fn new<'a>(
        pending: impl Iterator<Item = (&'a Config, &'a TaskData)>,
        at_once: usize,
        ended: impl Iterator<Item = (&'a Config, &'a TaskData, &'a Ended)>,
    ) -> Self {
        let mut numbers = Numbers::default();
        let costs: Vec<Cost> = pending.map(|(config, data)| numbers.cost(config, data)).collect();
        let known: Vec<(Cost, f64, f64)> = ended
            .map(|(config, data, end)| {
                let made = u64::try_from(end.iteration).unwrap_or(0) + config.flossing.iterations;
                (numbers.cost(config, data), end.wall_seconds, made as f64)
            })
            .collect();
        let mut before = Speeds {
            kinds: vec![Seen::default(); numbers.kinds.len()],
            tasks: vec![Seen::default(); numbers.tasks.len()],
            all: Seen::default(),
        };
        for (cost, seconds, made) in &known {
            before.add(cost, *seconds, *made);
        }
        Self { costs, at_once: at_once.max(1), before }
    }

    /// Updates of all runs.
    pub fn all_updates(&self) -> u64 {
        self.costs.iter().map(|cost| cost.updates).sum()
    }

    /// Updates made by runs that are so far.
    pub fn made(&self, under: &[Under]) -> u64 {
        self.costs.iter().zip(under).map(|(cost, under)| under.made(cost.updates)).sum()
    }

    /// An estimate of the time left; `None` while nothing is known of the speed. It is never less than any one run
    /// still takes.
    pub fn left(&self, under: &[Under]) -> Option<Duration> {
        let mut speeds = self.before.clone();
        for (cost, under) in self.costs.iter().zip(under) {
            let made = under.made(cost.updates) as f64;
            if under.ended.load(Ordering::Relaxed) {
                speeds.add(cost, f64::from_bits(under.seconds.load(Ordering::Relaxed)), made);
            } else if let Some(since) = under.since.get() {
                speeds.add(cost, since.elapsed().as_secs_f64(), made - 1.0);
            }
        }
        let (mut sum, mut longest) = (0.0, 0.0_f64);
        for (cost, under) in self.costs.iter().zip(under) {
            let seconds = speeds.seconds(cost, cost.updates - under.made(cost.updates))?;
            sum += seconds;
            longest = longest.max(seconds);
        }
        Duration::try_from_secs_f64(longest.max(sum / self.at_once as f64)).ok()
    }
}

/// The numbers of kinds and tasks, and the work of an update of each kind.
#[derive(Default)]
struct Numbers {
    kinds: BTreeMap<String, (usize, f64)>,
    tasks: BTreeMap<&'static str, usize>,
}

impl Numbers {
    fn kind(config: &Config) -> String {
        let Config { task, rule, network, .. } = config;
        format!("{:?} {} {} {:?}", task.own, task.batch, network.n_rec, rule.kind)
    }

    fn cost(&mut self, config: &Config, data: &TaskData) -> Cost {
        let n = self.kinds.len();
        let (kind, update) =
            *self.kinds.entry(Self::kind(config)).or_insert_with(|| (n, work_of_an_update(config, data)));
        let n = self.tasks.len();
        let task = *self.tasks.entry(config.task.own.kind().name()).or_insert(n);
        Cost { kind, task, updates: config.iterations + config.flossing.iterations, update }
    }
}

fn work_of_an_update(config: &Config, data: &TaskData) -> f64 {
    let (batch, n_rec) = (config.task.batch, config.network.n_rec);
    let size = tasks::build::<f32>(&config.task.own, batch, 1, config.seed, data).map(|task| task.shape());
    // A task that cannot be built says so when its run begins.
    let trials = size.map_or(0, |s| s.n_steps * s.n_batch * (n_rec + s.n_in + s.n_out));
    ANY_UPDATE + (trials * n_rec) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::config::resolve::{parse, resolve};

    fn config(text: &str) -> Config {
        resolve(parse(text).expect("TOML")).expect("settings").config
    }

    fn under(n: usize) -> Vec<Under> {
        (0..n).map(|_| Under::default()).collect()
    }

    fn ended(updates: i64, seconds: f64) -> Ended {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("summary.json");
        let (stop, history) = (crate::training::run::StopReason::Done, Default::default());
        let config = Config::preset("romo").expect("a preset");
        let summary =
            crate::files::summary::Summary::new(&config, stop, updates, &history, seconds, Vec::new());
        summary.write(&path).expect("written");
        Ended::read(&path).expect("whole")
    }

    #[test]
    fn small_runs_that_have_ended_do_not_hide_large_ones_that_have_not() {
        let small = config("iterations = 1000\ntask = { kind = \"pattern\" }\nnetwork = { n_rec = 16 }\n");
        let large = config(
            "iterations = 1000\nmeasure = { probe_trials = 8 }\n\
             task = { kind = \"romo\", batch = 256 }\nnetwork = { n_rec = 128 }\n",
        );
        let runs = [&small, &small, &large, &large];
        let none = TaskData::None;
        let left = TimeLeft::new(runs.iter().map(|c| (*c, &none)), 2, std::iter::empty());
        let under = under(4);
        assert_eq!(left.left(&under), None, "nothing is known");
        under[0].end(&ended(1000, 0.1));
        under[1].end(&ended(1000, 0.1));
        assert_eq!((left.made(&under), left.all_updates()), (2000, 4000));
        // By updates alone it would be 0.1 s. The second route: the work by hand, 2 runs at once.
        let steps = tasks::build::<f32>(&large.task.own, 256, 1, 1, &none).expect("a task").shape().n_steps;
        let work = |steps: usize, trials: usize, n: usize, others: usize| {
            1e6 + (steps * trials * n * (n + others)) as f64
        };
        let pattern = tasks::build::<f32>(&small.task.own, 1, 1, 1, &none).expect("a task").shape();
        let ratio = work(steps, 256, 128, 3) / work(pattern.n_steps, 1, 16, pattern.n_in + pattern.n_out);
        let seconds = left.left(&under).expect("known").as_secs_f64();
        assert!((seconds / (0.1 * ratio) - 1.0).abs() < 1e-9, "{seconds}, by hand {}", 0.1 * ratio);
        assert!(seconds > 10.0, "{seconds}");
        // Runs of the same kind say more than others: one large run took 50 s.
        under[2].end(&ended(1000, 50.0));
        assert_eq!(left.left(&under).expect("known").as_secs_f64().round(), 50.0, "one is left, alone");
    }

    #[test]
    fn the_runs_of_the_folder_that_had_ended_give_the_speed_and_the_longest_run_the_least_time() {
        let one = |iterations: u64| config(&format!("iterations = {iterations}\n"));
        let (short, long, before) = (one(100), one(10_000), one(1000));
        let end = ended(1000, 2.0);
        let none = TaskData::None;
        let runs = [&short, &short, &long];
        let left =
            TimeLeft::new(runs.iter().map(|c| (*c, &none)), 8, std::iter::once((&before, &none, &end)));
        // 2 ms for an update: 0.2, 0.2 and 20 s, all at once.
        let seconds = |under: &[Under]| left.left(under).expect("known").as_secs_f64();
        assert!((seconds(&under(3)) - 20.0).abs() < 1e-9);
        let all = under(3);
        all.iter().for_each(|run| run.end(&end));
        assert_eq!(seconds(&all), 0.0);
    }
}
