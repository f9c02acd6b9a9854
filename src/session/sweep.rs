//! Owns [`Sweep`], many runs in one folder: each run's files in a folder of its own, an index over all. Killed
//! at any moment it goes on where it stopped.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::many::many;
use crate::files::atomic::{self, FileError};
use crate::files::index_csv::{self, Entry};
use crate::files::run_folder::{RunFolder, SUMMARY};
use crate::files::run_lock::RunLock;
use crate::files::snapshot::Snapshot;
use crate::files::summary::{Ended, Summary};
use crate::files::task_data;
use crate::numerics::parallel::Workers;
use crate::numerics::tasks::{TaskData, TaskSettings};
use crate::training::driver::Driver;
use crate::training::given_trials;
use crate::training::plan::{Plan, PlannedRun};
use crate::training::run::StopReason;

/// The index in a sweep's folder.
pub const INDEX: &str = "index.csv";
/// The plan in a sweep's folder, as it was given.
pub const PLAN: &str = "plan.toml";
/// The folder of the runs' folders.
pub const RUNS: &str = "runs";

/// Time between two indices while runs run.
const INDICES: Duration = Duration::from_secs(5);

/// Time between two looks at runs that other processes are making, when there is nothing else to do.
const LOOKS: Duration = Duration::from_millis(100);

/// Many runs in one folder. Any number of processes may make them at the same time: each run is made by one.
pub struct Sweep {
    folder: PathBuf,
    columns: Vec<String>,
    runs: Vec<PlannedRun>,
    /// How each run ended, `None` while it has not.
    ended: Vec<Option<Ended>>,
}

/// How many runs may run at once, and on how many threads together.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Threads of all runs together.
    pub threads: usize,
    /// Runs at once; `None`: as many as threads.
    pub at_once: Option<usize>,
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs that have ended since it was started.
    pub runs_done: usize,
    /// Runs to make.
    pub runs: usize,
    /// Updates made.
    pub updates_done: u64,
    /// Updates to make.
    pub updates: u64,
}

impl Sweep {
    /// Takes a folder for the runs of a plan: a new or an empty one, or that of a sweep. Runs that have ended
    /// there with the same settings are found. `plan_text` is kept in it.
    ///
    /// # Errors
    /// The folder holds other things, or a run of the same name with other settings, and there is no `force`;
    /// it is a file; it cannot be written to.
    pub fn open(folder: &Path, plan: Plan, plan_text: &str, force: bool) -> Result<Self, FileError> {
        let Plan { columns, mut runs, .. } = plan;
        for run in &mut runs {
            task_data::absolute_paths(&mut run.config.task.own)?;
        }
        let of_a_sweep = || folder.join(PLAN).is_file();
        if !of_a_sweep()
            && let Err(error) = RunFolder::claim(folder, force)
            // Another shard may have begun there at the same moment.
            && !of_a_sweep()
        {
            return Err(error);
        }
        let mut sweep = Self { folder: folder.into(), columns, ended: vec![None; runs.len()], runs };
        for (run, ended) in sweep.runs.iter().zip(&mut sweep.ended) {
            let path = folder.join(RUNS).join(&run.name);
            *ended = RunFolder::ended(&path);
            let Some(found) = ended else { continue };
            RunLock::tidy(&path);
            let (found, expected) = (found.settings_hash.clone(), run.config.fingerprint());
            if found == expected {
                continue;
            }
            if !force {
                let problem = format!(
                    "holds a run of other settings ({found}, expected {expected}): choose another folder, or \
                     replace it with --force"
                );
                return Err(FileError::new(&path, problem));
            }
            *ended = None;
        }
        let path = folder.join(PLAN);
        if atomic::read_text(&path, plan_text.len() as u64).ok().as_deref() != Some(plan_text) {
            atomic::write_text(&path, plan_text)?;
        }
        Ok(sweep)
    }

    /// The runs of the plan.
    pub fn runs(&self) -> &[PlannedRun] {
        &self.runs
    }

    /// How each run ended; `None` where it has not.
    pub fn ended(&self) -> &[Option<Ended>] {
        &self.ended
    }

    /// The columns of the index that tell the runs apart: the varied keys, then `seed`.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The folder of a run's files.
    pub fn folder_of(&self, run: usize) -> PathBuf {
        self.folder.join(RUNS).join(&self.runs[run].name)
    }

    /// Where the index is.
    pub fn index(&self) -> PathBuf {
        self.folder.join(INDEX)
    }

    /// Takes runs that have not ended from other folders, by the fingerprint of their settings: equal settings
    /// give equal bits.
    ///
    /// # Errors
    /// The first file that could not be taken.
    pub fn take(&mut self, others: &BTreeMap<String, PathBuf>) -> Result<(), FileError> {
        for i in 0..self.runs.len() {
            let Some(other) = others.get(&self.runs[i].config.fingerprint()) else { continue };
            if self.ended[i].is_none() {
                let own = self.folder_of(i);
                // One that another process makes is waited for later, with all others.
                let Some(lock) = RunLock::take(&own) else { continue };
                self.ended[i] = self.ended_now(i);
                if self.ended[i].is_none() {
                    RunFolder::claim(&own, true)?.take_from(other)?;
                    self.ended[i] = self.ended_now(i);
                }
                lock.end();
            }
        }
        Ok(())
    }

    /// The folders of the runs that have ended, by the fingerprint of their settings.
    pub fn by_settings(&self) -> impl Iterator<Item = (String, PathBuf)> {
        let ended = (0..self.runs.len()).filter(|i| self.ended[*i].is_some());
        ended.map(|i| (self.runs[i].config.fingerprint(), self.folder_of(i)))
    }

    /// Makes those of the runs `which` that have not ended, until `stop` says so, then writes the index. A run that
    /// another process is making is left to it and waited for, or made where that process has died.
    /// `show` is called ten times a second.
    ///
    /// # Errors
    /// As [`Sweep::advance_telling`].
    pub fn advance(
        &mut self,
        which: &[usize],
        share: Share,
        stop: &(dyn Fn() -> bool + Sync),
        show: &mut dyn FnMut(Progress),
    ) -> Result<Vec<(usize, String)>, FileError> {
        self.advance_telling(which, share, stop, &mut |progress, _| show(progress))
    }

    /// The same, `tell` hearing also of each run that has ended meanwhile, those included that other processes
    /// have made.
    ///
    /// A run that diverges has ended. One that panics has not: it is named in what is given back, with what it
    /// said, and the others go on.
    ///
    /// # Errors
    /// A file that could not be read or written; runs that have ended by then stay.
    pub fn advance_telling(
        &mut self,
        which: &[usize],
        share: Share,
        stop: &(dyn Fn() -> bool + Sync),
        tell: &mut dyn FnMut(Progress, Vec<(usize, Ended)>),
    ) -> Result<Vec<(usize, String)>, FileError> {
        let pending: Vec<usize> = which.iter().copied().filter(|i| self.ended[*i].is_none()).collect();
        let data = Data::of(pending.iter().map(|i| &self.runs[*i]))?;
        let updates = |i: usize| {
            let config = &self.runs[i].config;
            config.iterations + config.flossing.iterations
        };
        let all_updates = pending.iter().map(|i| updates(*i)).sum();
        let (made, done) = (AtomicU64::new(0), AtomicUsize::new(0));
        let new: Mutex<Vec<(usize, Ended)>> = Mutex::default();
        let failed: Mutex<Option<FileError>> = Mutex::default();
        let queue: Mutex<VecDeque<usize>> = Mutex::new(pending.iter().copied().collect());
        // The run of each job.
        let taken: Vec<AtomicUsize> = pending.iter().map(|i| AtomicUsize::new(*i)).collect();
        let job = |k: usize, workers: &dyn Workers| {
            let halted = || stop() || locked(&failed).is_some();
            let Some((i, lock)) = self.next(&queue, &halted) else { return false };
            taken[k].store(i, Ordering::Relaxed);
            let mut own = 0;
            let mut made_one = || {
                own += 1;
                made.fetch_add(1, Ordering::Relaxed);
                !stop()
            };
            let ended = match self.ended_now(i) {
                Some(ended) => Ok(Some(ended)),
                None => self.make(i, data.get(&self.runs[i]), workers, &mut made_one),
            };
            match ended {
                Ok(Some(ended)) => {
                    lock.end();
                    // A run that ended early has made all its updates.
                    made.fetch_add(updates(i).saturating_sub(own), Ordering::Relaxed);
                    done.fetch_add(1, Ordering::Relaxed);
                    locked(&new).push((i, ended));
                    !stop()
                }
                Ok(None) => false,
                Err(error) => {
                    locked(&failed).get_or_insert(error);
                    false
                }
            }
        };
        let at_once = share.at_once.unwrap_or(share.threads).clamp(1, pending.len().max(1));
        let mut ended = self.ended.clone();
        let mut written = Instant::now();
        let mut meanwhile = || {
            let mut news: Vec<(usize, Ended)> = locked(&new).drain(..).collect();
            news.iter().for_each(|(i, end)| ended[*i] = Some(end.clone()));
            if written.elapsed() > INDICES {
                // Others may have ended runs of this folder; an index that cannot be written now is written at the
                // end, or said then.
                let found = self.find_ended(&mut ended);
                news.extend(found.into_iter().filter_map(|i| Some((i, ended[i].clone()?))));
                let _ = self.write_index_of(&ended);
                written = Instant::now();
            }
            let progress = Progress {
                runs_done: done.load(Ordering::Relaxed),
                runs: pending.len(),
                updates_done: made.load(Ordering::Relaxed),
                updates: all_updates,
            };
            tell(progress, news);
        };
        let lost = many(pending.len(), at_once, share.threads / at_once, &job, &mut meanwhile);
        self.ended = ended;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.write_index()?;
        match failed {
            Some(error) => Err(error),
            None => Ok(lost.into_iter().map(|(k, said)| (taken[k].load(Ordering::Relaxed), said)).collect()),
        }
    }

    /// Takes the next run that nobody else is making out of the queue, with the right to make it. Where others are
    /// making all that are left it waits until one has ended, or was given up; `None` where none is left, or `stop`
    /// says so.
    fn next(&self, queue: &Mutex<VecDeque<usize>>, stop: &dyn Fn() -> bool) -> Option<(usize, RunLock)> {
        loop {
            {
                let mut queue = locked(queue);
                for _ in 0..queue.len() {
                    let i = queue.pop_front()?;
                    match RunLock::take(&self.folder_of(i)) {
                        Some(lock) => return Some((i, lock)),
                        None => queue.push_back(i),
                    }
                }
                if queue.is_empty() {
                    return None;
                }
            }
            if stop() {
                return None;
            }
            std::thread::sleep(LOOKS);
        }
    }

    /// How a run has ended with the settings of the plan, in its folder as it is now.
    fn ended_now(&self, i: usize) -> Option<Ended> {
        let found = RunFolder::ended(&self.folder_of(i));
        found.filter(|e| e.settings_hash == self.runs[i].config.fingerprint())
    }

    /// Makes one run and writes its folder; `None` where `go_on`, asked after each update, said no.
    fn make(
        &self,
        i: usize,
        data: &TaskData,
        workers: &dyn Workers,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Ended>, FileError> {
        let run = &self.runs[i];
        let path = self.folder_of(i);
        let folder = RunFolder::claim(&path, true)?;
        folder.clear()?;
        let start = Instant::now();
        let mut driver = Driver::start(&run.config, data).map_err(|e| FileError::new(&path, e))?;
        let stop: StopReason = loop {
            if let Some(stop) = driver.advance(workers) {
                break stop;
            }
            if !go_on() {
                return Ok(None);
            }
        };
        let seconds = start.elapsed().as_secs_f64();
        let snapshot = Snapshot::of_driver(&driver, data, workers).map_err(|e| FileError::new(&path, e))?;
        let made = driver.run().iteration();
        let warnings = [run.warnings.clone(), given_trials::warnings(&run.config, data)].concat();
        let summary = Summary::new(&run.config, stop, made, driver.history(), seconds, warnings);
        folder.write_whole(&snapshot, &summary)?;
        // One route to every row of the index: the files.
        match self.ended_now(i) {
            Some(ended) => Ok(Some(ended)),
            None => Err(FileError::new(&path.join(SUMMARY), "does not read back as it was written")),
        }
    }

    /// Writes the index over all runs of the plan that have ended in this folder, those included that other
    /// processes have made meanwhile.
    ///
    /// # Errors
    /// The path and what the system said.
    pub fn write_index(&mut self) -> Result<(), FileError> {
        self.look_again();
        loop {
            self.write_index_of(&self.ended)?;
            // Whoever writes last has seen all: two processes that end at once leave no row out.
            if !self.look_again() {
                return Ok(());
            }
        }
    }

    fn look_again(&mut self) -> bool {
        let mut ended = std::mem::take(&mut self.ended);
        let news = self.find_ended(&mut ended);
        self.ended = ended;
        !news.is_empty()
    }

    /// Finds runs that have ended meanwhile.
    fn find_ended(&self, ended: &mut [Option<Ended>]) -> Vec<usize> {
        let mut news = Vec::new();
        for (i, ended) in ended.iter_mut().enumerate().filter(|(_, ended)| ended.is_none()) {
            *ended = self.ended_now(i);
            news.extend(ended.is_some().then_some(i));
        }
        news
    }

    fn write_index_of(&self, ended: &[Option<Ended>]) -> Result<(), FileError> {
        let rows = self.runs.iter().zip(ended);
        let entries: Vec<Entry<'_>> = rows
            .filter_map(|(run, ended)| {
                Some(Entry { run: &run.name, labels: &run.labels, ended: ended.as_ref()? })
            })
            .collect();
        index_csv::write(&self.index(), &self.columns, &entries)
    }
}

/// What the tasks of many runs need from files, each read once.
struct Data(Vec<(TaskSettings, TaskData)>);

impl Data {
    fn of<'a>(runs: impl Iterator<Item = &'a PlannedRun>) -> Result<Self, FileError> {
        let mut all: Vec<(TaskSettings, TaskData)> = Vec::new();
        for run in runs {
            let task = &run.config.task.own;
            if !all.iter().any(|(known, _)| known == task) {
                all.push((task.clone(), task_data::load(task)?));
            }
        }
        Ok(Self(all))
    }

    fn get(&self, run: &PlannedRun) -> &TaskData {
        let found = self.0.iter().find(|(known, _)| *known == run.config.task.own);
        found.map_or(&TaskData::None, |(_, data)| data)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
