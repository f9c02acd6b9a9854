//! Owns [`RunLock`]: of all processes that work in a sweep's folder, one makes a run.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The file in a run's folder that is locked while the run is being made.
pub const LOCK: &str = ".basinscope-lock";

/// The right to make the run of a folder. The system holds the lock: it is free again when the process ends, however
/// it ends.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    /// `None` where the file system knows no locks: everybody then has the right, as without this file.
    _file: Option<File>,
}

impl RunLock {
    /// Takes the right to make the run of a folder, which is made where it is missing; `None` where somebody else has
    /// it.
    ///
    /// Whether the run has ended is to be asked after this, not before: who had the right may have ended it just now,
    /// and taken its file away ([`RunLock::end`]), so that what is locked here may be a file that has no name any more.
    pub fn take(folder: &Path) -> Option<Self> {
        let path = folder.join(LOCK);
        // A folder that cannot be written to is said by whoever writes the run.
        let _ = fs::create_dir_all(folder);
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(&path).ok();
        match file.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => None,
            Some(Ok(())) => Some(Self { path, _file: file }),
            Some(Err(TryLockError::Error(_))) | None => Some(Self { path, _file: None }),
        }
    }

    /// Gives the right back, the run having ended: nothing of the lock stays behind. Without this, of a run that has
    /// not ended, the file stays for the next who takes it.
    pub fn end(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Takes away what a process left behind that was killed just when its run had ended.
    pub fn tidy(folder: &Path) {
        if folder.join(LOCK).exists()
            && let Some(lock) = Self::take(folder)
        {
            lock.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_right_and_an_ended_run_leaves_no_file() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("runs/new");
        let first = RunLock::take(&folder).expect("nobody has it");
        assert!(RunLock::take(&folder).is_none());
        RunLock::tidy(&folder);
        assert!(folder.join(LOCK).exists() && RunLock::take(&folder).is_none(), "in use");
        // A run that was left: the next goes on.
        drop(first);
        let second = RunLock::take(&folder).expect("free again");
        assert!(RunLock::take(&folder).is_none());
        second.end();
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
        drop(RunLock::take(&folder));
        RunLock::tidy(&folder);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0);
    }
}
