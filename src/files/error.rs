//! A failed operation on a file.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// A file that could not be read, written or looked at: `PATH: REASON`.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct FileError {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

impl FileError {
    /// The error of an operation on `path`.
    pub fn new(path: impl Into<PathBuf>, source: io::Error) -> Self {
        FileError { path: path.into(), source }
    }

    /// For `map_err`: the error of an operation on `path`.
    pub fn on(path: &Path) -> impl Fn(io::Error) -> FileError {
        move |source| FileError::new(path, source)
    }

    /// Whether what was asked for is the cause: a name that is not there, or of something else.
    pub fn is_of_request(&self) -> bool {
        use io::ErrorKind::{InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied};
        let wrong = [NotFound, NotADirectory, IsADirectory, PermissionDenied, InvalidInput];
        wrong.contains(&self.source.kind())
    }

    /// Whether the machine's state is the cause, see [`is_of_environment`].
    pub fn is_of_environment(&self) -> bool {
        is_of_environment(&self.source)
    }
}

/// Whether an error is the doing of the machine as it is now, not of what was asked for: a full disk or quota, a
/// failing disk or mount, missing memory, threads or file descriptors. The same request may succeed later.
pub fn is_of_environment(error: &io::Error) -> bool {
    let transient = [
        Errno::AGAIN,
        Errno::NOSPC,
        Errno::DQUOT,
        Errno::MFILE,
        Errno::NFILE,
        Errno::IO,
        Errno::NOMEM,
        Errno::STALE,
        Errno::ROFS,
        Errno::FBIG,
        Errno::NODEV,
        Errno::HOSTDOWN,
        Errno::TIMEDOUT,
    ];
    Errno::from_io_error(error).is_some_and(|code| transient.contains(&code))
        || error.kind() == io::ErrorKind::OutOfMemory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_and_the_request_are_told_apart() {
        let of = |code: Errno| is_of_environment(&io::Error::from_raw_os_error(code.raw_os_error()));
        assert!(of(Errno::NOSPC) && of(Errno::IO) && of(Errno::MFILE) && of(Errno::STALE));
        assert!(!of(Errno::NOENT) && !of(Errno::NOTDIR) && !of(Errno::ACCESS) && !of(Errno::ISDIR));
    }
}
