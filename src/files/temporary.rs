//! Temporary files of our own: random names, which nobody can plant a link under, behind a prefix that tells
//! them from everybody else's.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::Result;
use std::path::Path;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

use super::reading;

/// What the name of every temporary file begins with.
pub const PREFIX: &str = ".ff-tmp-";

/// A new file in `folder`, as readable as the umask lets any other be; removed when dropped. It is locked as long
/// as it is open, which tells it from a leftover. Errors are the system's own and name no temporary file.
pub fn new_in(folder: &Path) -> Result<NamedTempFile> {
    let make = |path: &Path| File::options().create_new(true).read(true).write(true).open(path);
    let file = Builder::new().prefix(PREFIX).make_in(folder, make)?;
    // Where there are no locks, its age has to do.
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Whether a file of this name is one of ours, left behind by a killed process or being written by another.
pub fn is_ours(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Removes what killed processes were writing in `folder`. The caller has made sure that nobody else writes
/// there now; what cannot be removed is in nobody's way.
pub fn remove_leftovers(folder: &Path) {
    // A link to a folder leads to somebody else's.
    if std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| is_ours(&entry.file_name())) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// As [`remove_leftovers`] where others may be writing: what nobody holds any more, or, where there are no locks,
/// what has not changed for a day.
pub fn remove_abandoned(folder: &Path) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let is_old = |path: &Path| {
        let changed = std::fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
        changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > DAY))
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.filter(|entry| is_ours(&entry.file_name())).map(|entry| entry.path()) {
        let abandoned = match reading::open(&path).map(|(file, _)| file.try_lock()) {
            Ok(Ok(())) => true,
            Ok(Err(TryLockError::WouldBlock)) => false,
            Ok(Err(TryLockError::Error(_))) | Err(_) => is_old(&path),
        };
        if abandoned {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_our_own_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (_, ours) = new_in(folder.path()).unwrap().keep().unwrap();
        let theirs = folder.path().join(".tmp-my-notes");
        std::fs::write(&theirs, "notes").unwrap();
        remove_leftovers(folder.path());
        assert!(!ours.exists() && theirs.exists());
    }

    #[test]
    fn what_is_being_written_is_not_abandoned() {
        let folder = tempfile::tempdir().unwrap();
        let held = new_in(folder.path()).unwrap();
        let (file, left) = new_in(folder.path()).unwrap().keep().unwrap();
        drop(file);
        remove_abandoned(folder.path());
        assert!(held.path().exists() && !left.exists());
    }

    #[test]
    fn nothing_is_removed_behind_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let (_, kept) = new_in(elsewhere.path()).unwrap().keep().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        remove_leftovers(&link);
        assert!(kept.exists());
    }
}
