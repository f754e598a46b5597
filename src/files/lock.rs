//! Whose a directory is: a lock that the system releases however its holder ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use super::FileError;

/// How often, and how far apart, a lock is asked for before its file counts as another process's: who only looks
/// ([`is_locked`]) holds it for an instant too.
const TRIES: usize = 3;
const BETWEEN: Duration = Duration::from_millis(10);

/// A locked file. It is this process's as long as [`is_own`](Lock::is_own) says so.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// Where the file system has no locks (Lustre without `-o flock`, NFS without lockd): what was written into the
    /// file. The last process to come owns it, and those before find another's token.
    token: Option<String>,
}

impl Lock {
    /// Locks the file, which is made if it is missing; `None` if another process has it.
    pub fn try_acquire(path: &Path) -> Result<Option<Lock>, FileError> {
        let mut tries = 0;
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    tries += 1;
                    if tries == TRIES {
                        return Ok(None);
                    }
                    sleep(BETWEEN);
                    continue;
                }
                Err(TryLockError::Error(error)) => return Lock::without(file, path, error).map(Some),
            }
            // The file may have been removed between opening and locking it.
            let lock = Lock { file, path: path.into(), token: None };
            if lock.is_own()? {
                return Ok(Some(lock));
            }
        }
    }

    /// Locks the file as soon as no other process has it.
    pub fn acquire(path: &Path) -> Result<Lock, FileError> {
        loop {
            let file = open(path)?;
            if let Err(error) = file.lock() {
                return Lock::without(file, path, error);
            }
            let lock = Lock { file, path: path.into(), token: None };
            if lock.is_own()? {
                return Ok(lock);
            }
        }
    }

    fn without(mut file: File, path: &Path, error: io::Error) -> Result<Lock, FileError> {
        if !is_unsupported(&error) {
            return Err(FileError::new(path, error));
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let token = format!("{} {}\n", std::process::id(), since.as_nanos());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(token.as_bytes()))
            .map_err(FileError::on(path))?;
        Ok(Lock { file, path: path.into(), token: Some(token) })
    }

    /// Whether the file system keeps others out. Where it does not, a process that comes later takes the directory
    /// over, and [`is_own`](Lock::is_own) tells the earlier one.
    pub fn is_enforced(&self) -> bool {
        self.token.is_none()
    }

    /// Whether the file at the lock's path is still the one that was locked: not removed, not replaced, its folder
    /// not moved.
    pub fn is_own(&self) -> Result<bool, FileError> {
        let error = FileError::on(&self.path);
        let there = match fs::metadata(&self.path) {
            Ok(there) => there,
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(false),
            Err(failure) => return Err(error(failure)),
        };
        let own = self.file.metadata().map_err(&error)?;
        if (there.dev(), there.ino()) != (own.dev(), own.ino()) {
            return Ok(false);
        }
        match &self.token {
            None => Ok(true),
            Some(token) => {
                let mut written = String::new();
                let read = File::open(&self.path).and_then(|mut file| file.read_to_string(&mut written));
                read.map_err(error)?;
                Ok(written == *token)
            }
        }
    }
}

/// Whether some process has locked the file at `path`.
pub fn is_locked(path: &Path) -> Result<bool, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        Err(error) => return Err(FileError::new(path, error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(false),
        Err(TryLockError::Error(error)) => Err(FileError::new(path, error)),
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    let opened = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
    opened.map_err(FileError::on(path))
}

/// Whether there are no locks on this file system, which is another matter than a lock that cannot be had.
fn is_unsupported(error: &io::Error) -> bool {
    let codes = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP, Errno::INVAL];
    Errno::from_io_error(error).is_some_and(|code| codes.contains(&code))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_owner_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        assert!(!is_locked(&path).unwrap());
        let first = Lock::try_acquire(&path).unwrap().unwrap();
        assert!(first.is_enforced() && first.is_own().unwrap() && is_locked(&path).unwrap());
        assert!(Lock::try_acquire(&path).unwrap().is_none());
        drop(first);
        assert!(!is_locked(&path).unwrap());
        assert!(Lock::try_acquire(&path).unwrap().is_some());
    }

    #[test]
    fn a_lock_whose_file_is_gone_is_no_longer_own() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let first = Lock::try_acquire(&path).unwrap().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!first.is_own().unwrap());
        let second = Lock::try_acquire(&path).unwrap().unwrap();
        assert!(second.is_own().unwrap() && !first.is_own().unwrap());
    }

    #[test]
    fn without_locks_the_last_to_come_owns_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("lock");
        let no_locks = || io::Error::from_raw_os_error(Errno::NOLCK.raw_os_error());
        let first = Lock::without(open(&path).unwrap(), &path, no_locks()).unwrap();
        assert!(!first.is_enforced() && first.is_own().unwrap());
        let second = Lock::without(open(&path).unwrap(), &path, no_locks()).unwrap();
        assert!(second.is_own().unwrap() && !first.is_own().unwrap());
        let broken = io::Error::from_raw_os_error(Errno::IO.raw_os_error());
        assert!(Lock::without(open(&path).unwrap(), &path, broken).is_err());
    }
}
