//! Why a run directory, or that of a sweep, cannot be used.

use std::path::{Path, PathBuf};

use crate::files::FileError;

/// Why a run directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] FileError),
    /// There can be no such directory.
    #[error("--log-dir {}: {source}", path.display())]
    NoDirectory {
        /// The directory.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of the run, or sweep.toml, cannot be read.
    #[error("{}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another run lives here.
    #[error(
        "--log-dir {}: belongs to another run; --resume goes on with it, --force replaces it, \
         another --log-dir leaves it alone",
        path.display()
    )]
    Taken {
        /// The directory.
        path: PathBuf,
    },
    /// Something that is no run lives here.
    #[error("--log-dir {}: is not empty and holds no run; choose another directory", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
    /// There is nothing to resume.
    #[error("--resume: {} holds no checkpoint to go on from", path.display())]
    NothingToResume {
        /// The directory.
        path: PathBuf,
    },
    /// The checkpoints of a run are gone, its epochs are not.
    #[error(
        "--resume: {} holds {epochs} of a run, but no checkpoint to go on from; --force starts again",
        path.display()
    )]
    CheckpointLost {
        /// The directory.
        path: PathBuf,
        /// What is there: `metrics of 3 epochs`.
        epochs: String,
    },
    /// The run was begun with another value of a knob.
    #[error(
        "--resume: {knob} differs from the run in {}, as {} has it; resume it without that change, or use --force or \
         another --log-dir",
        path.display(),
        checkpoint.display()
    )]
    Changed {
        /// The directory.
        path: PathBuf,
        /// What knows the run's own.
        checkpoint: PathBuf,
        /// The knob's dotted name.
        knob: &'static str,
    },
    /// The data are no longer those that the run was begun on.
    #[error(
        "--resume: the data of `{dataset}` are not those that the run in {} was trained on (their SHA-256 differs); \
         put those back, or go on on these with --accept-changed-data",
        path.display()
    )]
    DataChanged {
        /// The directory.
        path: PathBuf,
        /// The data set.
        dataset: String,
    },
    /// Another process is training here.
    #[error("--log-dir {}: another process is training in it", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is no longer this process's: moved, its lock removed, or taken over.
    #[error(
        "{}: moved, or its .lock removed or replaced, while it was trained in; nothing more is written; \
         `ff train --resume` goes on from its last epoch, wherever it is now",
        path.display()
    )]
    Lost {
        /// The directory.
        path: PathBuf,
    },
}

impl RunError {
    /// A directory that cannot be made or locked: a failure where the machine cannot do it now, a wrong request where
    /// it can never be.
    pub(crate) fn of_directory(path: &Path, error: FileError) -> RunError {
        match error.is_of_environment() {
            true => RunError::Io(error),
            false => RunError::NoDirectory { path: path.into(), source: error.source },
        }
    }
}
