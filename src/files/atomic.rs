//! Owns [`write`], how every file is written: beside its target, synced, then renamed; and [`FileError`].

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file that could not be read or written, in one line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {problem}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what was expected.
    pub problem: String,
}

impl FileError {
    /// A problem with a file.
    pub fn new(path: &Path, problem: impl ToString) -> Self {
        Self { path: path.into(), problem: problem.to_string() }
    }

    /// What the system said, in words.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        Self::new(path, reason(error))
    }
}

/// What the system said, without its number.
pub fn reason(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => "is a directory: expected a file".into(),
        io::ErrorKind::StorageFull => "no space left on the disk".into(),
        _ => error.to_string(),
    };
    match text.find(" (os error") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

/// Writes a file: `fill` writes a temporary file beside `path`, which is then synced and takes the name in one
/// step. A crash, a full disk or an error in `fill` leaves the old file whole and no temporary one behind.
///
/// # Errors
/// The path and what the system said; a directory or a device in the place of the file.
pub fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), FileError> {
    let target = destination(path)?;
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |e: &io::Error| FileError::from_io(path, e);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".basinscope-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // What any new file gets; the umask takes from it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => FileError::new(path, format!("there is no folder {}", folder.display())),
        io::ErrorKind::NotADirectory => FileError::new(path, format!("{} is not a folder", folder.display())),
        _ => failed(&e),
    })?;
    let mut writer = BufWriter::new(temporary.as_file());
    fill(&mut writer).and_then(|()| writer.flush()).map_err(|e| failed(&e))?;
    drop(writer);
    temporary.as_file().sync_all().map_err(|e| failed(&e))?;
    temporary.persist(&target).map_err(|e| failed(&e.error))?;
    // The new name is on the disk once its folder is. Some file systems cannot sync a folder.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Writes a text file in the same way.
///
/// # Errors
/// As [`write`].
pub fn write_text(path: &Path, text: &str) -> Result<(), FileError> {
    write(path, |file| file.write_all(text.as_bytes()))
}

/// Reads a text file of at most `most` bytes.
///
/// # Errors
/// The path and what the system said; a file that is too large or not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, FileError> {
    let bytes = read_bytes(path, most)?;
    String::from_utf8(bytes)
        .map_err(|e| FileError::new(path, format!("byte {} is not UTF-8 text", e.utf8_error().valid_up_to())))
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// The path and what the system said; a file that is too large.
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    use io::Read;
    let mut bytes = Vec::new();
    let file = open(path)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| FileError::from_io(path, &e))?;
    if bytes.len() as u64 > most {
        return Err(FileError::new(path, format!("larger than {most} bytes, the most that is read")));
    }
    Ok(bytes)
}

/// The whole path of a file, as settings name it.
///
/// # Errors
/// The path where the current folder is not known, or where it is no text.
pub fn absolute(path: &Path) -> Result<String, FileError> {
    let whole = std::path::absolute(path).map_err(|e| FileError::from_io(path, &e))?;
    let text = whole.to_str().map(Into::into);
    text.ok_or_else(|| FileError::new(path, "its path is no text in UTF-8"))
}

/// Opens a file for reading; a folder is refused.
///
/// # Errors
/// The path and what the system said.
pub fn open(path: &Path) -> Result<File, FileError> {
    let file = File::open(path).map_err(|e| FileError::from_io(path, &e))?;
    match file.metadata() {
        Ok(about) if about.is_dir() => Err(FileError::new(path, "is a directory: expected a file")),
        Ok(_) => Ok(file),
        Err(e) => Err(FileError::from_io(path, &e)),
    }
}

/// Where a file is really written: the end of a symbolic link. Only a regular file is replaced.
fn destination(path: &Path) -> Result<PathBuf, FileError> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(FileError::new(path, "is a directory: expected a file")),
        Ok(about) if !about.is_file() => {
            Err(FileError::new(path, "is not a regular file: it cannot be replaced in one step"))
        }
        Ok(_) => fs::canonicalize(path).map_err(|e| FileError::from_io(path, &e)),
        // A new file; anything else shows when its folder is opened.
        Err(_) => Ok(path.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        write_text(&path, "old").expect("written");
        write_text(&path, "new").expect("written");
        assert_eq!(read_text(&path, 100).expect("read"), "new");
        assert_eq!(names(folder.path()), ["a.txt"]);
        assert!(read_text(&path, 2).expect_err("too large").problem.contains("2 bytes"));
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.txt");
        write_text(&path, "old").expect("written");
        let error = write(&path, |file| {
            file.write_all(&[0; 100_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let error = error.expect_err("the disk is full").to_string();
        assert!(error.contains("a.txt: no space left"), "{error}");
        assert_eq!(read_text(&path, 100).expect("read"), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn what_cannot_be_a_file_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let problem = |path: &Path| write_text(path, "text").expect_err("refused").to_string();
        assert!(problem(folder.path()).contains("is a directory"));
        assert!(problem(&folder.path().join("none/a.txt")).contains("there is no folder"));
        let file = folder.path().join("file");
        write_text(&file, "text").expect("written");
        assert!(problem(&file.join("a.txt")).contains("is not a folder"));
        assert!(problem(Path::new("/dev/full")).contains("not a regular file"));
        assert!(open(folder.path()).expect_err("a folder").to_string().contains("is a directory"));
        assert!(open(&file.join("no")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_to_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write_text(&file, "old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write_text(&link, "new").expect("written");
        assert_eq!(read_text(&file, 100).expect("read"), "new");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    }
}
