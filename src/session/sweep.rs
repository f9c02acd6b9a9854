//! Owns [`Sweep`], many runs in one folder: each run's files in a folder of its own, an index over all. Killed
//! at any moment it goes on where it stopped.

mod claim;
mod data;
mod queue;
mod time_left;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
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
use crate::numerics::tasks::TaskData;
use crate::training::driver::Driver;
use crate::training::given_trials;
use crate::training::plan::{Plan, PlannedRun};
use crate::training::run::StopReason;
pub use claim::{command_of, ended_in, figure_of, text_of_figure};
use data::Data;
use queue::Queue;
use time_left::{TimeLeft, Under};

/// The index in a sweep's folder.
pub const INDEX: &str = "index.csv";
/// The plan in a sweep's folder, as it was given; in that of a figure's runs, what makes them ([`command_of`]).
pub const PLAN: &str = "plan.toml";
/// The folder of the runs' folders.
pub const RUNS: &str = "runs";

/// Time between two indices while runs run.
const INDICES: Duration = Duration::from_secs(5);

/// Time between two estimates of the time left.
const ESTIMATES: Duration = Duration::from_millis(500);
/// Many runs in one folder. Any number of processes may make them at the same time: each run is made by one.
pub struct Sweep {
    folder: PathBuf,
    columns: Vec<String>,
    runs: Vec<PlannedRun>,
    /// How each run ended, `None` while it has not.
    ended: Vec<Option<Ended>>,
    damaged: Vec<PathBuf>,
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
    /// An estimate of the time left, by the work of each run and what those took that have ended; `None` while
    /// nothing is known of it.
    pub left: Option<Duration>,
}

impl Sweep {
    /// Takes a folder for the runs of a plan: a new or an empty one, that of a sweep, or one that holds nothing but the
    /// runs of one (of parts that were put together). Runs that have ended there with the same settings are found;
    /// those with a damaged file are to be made again. `plan_text` is kept in it.
    ///
    /// # Errors
    /// The folder holds other things, or runs of another sweep or figure only, or a run of the same name with other
    /// settings, and there is no `force`; it is a file; it cannot be written to.
    pub fn open(folder: &Path, plan: Plan, plan_text: &str, force: bool) -> Result<Self, FileError> {
        let Plan { columns, mut runs, .. } = plan;
        for run in &mut runs {
            task_data::absolute_paths(&mut run.config.task.own)?;
        }
        claim::claim(folder, force)?;
        let ended = vec![None; runs.len()];
        let mut sweep = Self { folder: folder.into(), columns, ended, runs, damaged: Vec::new() };
        for i in 0..sweep.runs.len() {
            let path = sweep.folder_of(i);
            let Some(found) = Ended::read(&path.join(SUMMARY)) else { continue };
            if found.settings_hash == sweep.runs[i].config.fingerprint() {
                RunLock::tidy(&path);
                sweep.ended[i] = sweep.ended_now(i);
                sweep.damaged.extend(sweep.ended[i].is_none().then_some(path));
            } else if !force {
                return Err(claim::other_settings(&path, &sweep.runs[i], &found.settings_hash));
            }
        }
        if !force {
            claim::same_sweep(folder, &sweep.runs, plan_text)?;
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

    /// The folders of runs that had ended, but whose files are not as they were written: they are made again.
    pub fn damaged(&self) -> &[PathBuf] {
        &self.damaged
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
        let at_once = share.at_once.unwrap_or(share.threads).clamp(1, pending.len().max(1));
        let ended_before = self.runs.iter().zip(&self.ended);
        let time_left = TimeLeft::new(
            pending.iter().map(|i| &self.runs[*i]).map(|run| (&run.config, data.get(run))),
            at_once,
            ended_before.filter_map(|(run, end)| Some((&run.config, data.known(run)?, end.as_ref()?))),
        );
        let under: Vec<Under> = pending.iter().map(|_| Under::default()).collect();
        let done = AtomicUsize::new(0);
        let new: Mutex<Vec<(usize, Ended)>> = Mutex::default();
        let failed: Mutex<Option<FileError>> = Mutex::default();
        let queue = Queue::new(pending.iter().map(|i| self.folder_of(*i)).collect());
        // The run of each job, by its place among those to make.
        let taken: Vec<AtomicUsize> = (0..pending.len()).map(AtomicUsize::new).collect();
        let job = |k: usize, workers: &dyn Workers| {
            let halted = || stop() || locked(&failed).is_some();
            let Some((place, lock)) = queue.next(&halted) else { return false };
            taken[k].store(place, Ordering::Relaxed);
            let i = pending[place];
            let mut made_one = || {
                under[place].one_more();
                !stop()
            };
            let ended = match self.ended_now(i) {
                Some(ended) => Ok(Some(ended)),
                None => self.make(i, data.get(&self.runs[i]), workers, &mut made_one),
            };
            match ended {
                Ok(Some(ended)) => {
                    lock.end();
                    under[place].end(&ended);
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
        let mut ended = self.ended.clone();
        let mut written = Instant::now();
        let (mut left, mut estimated) = (None, None::<Instant>);
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
            if estimated.is_none_or(|then| then.elapsed() > ESTIMATES) {
                (left, estimated) = (time_left.left(&under), Some(Instant::now()));
            }
            let progress = Progress {
                runs_done: done.load(Ordering::Relaxed),
                runs: pending.len(),
                updates_done: time_left.made(&under),
                updates: time_left.all_updates(),
                left,
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
