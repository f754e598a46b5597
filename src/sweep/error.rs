//! What can go wrong with a sweep as a whole.

use std::path::PathBuf;

use crate::figures::FigureError;
use crate::files::FileError;
use crate::run::RunError;
use crate::training::TrainError;

/// Why a sweep could not go on. A cell that fails is no such error.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The sweep's directory, or a cell's, cannot be used or read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The directory is for other cells.
    #[error(
        "--log-dir {}: holds another sweep: {change}; --force-spec goes on with the cells of this one, \
         another --log-dir leaves it alone",
        path.display()
    )]
    Changed {
        /// The directory.
        path: PathBuf,
        /// What is different now.
        change: String,
    },
    /// Something that is no sweep lives there.
    #[error("--log-dir {}: is not empty and holds no sweep; choose another directory", path.display())]
    NotASweep {
        /// The directory.
        path: PathBuf,
    },
    /// Figures could not be drawn.
    #[error(transparent)]
    Figures(#[from] FigureError),
    /// A thread that trained cells is gone.
    #[error("a worker ended unexpectedly; run the same command again to go on")]
    Worker,
}

impl From<FileError> for SweepError {
    fn from(error: FileError) -> Self {
        SweepError::Run(error.into())
    }
}

/// A cell that failed in this process.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its place in the experiment.
    pub cell: usize,
    /// Why.
    pub message: String,
}

/// Why a cell could not be trained.
#[derive(Clone, Debug)]
pub struct CellError {
    /// What people read.
    pub message: String,
    /// The machine as it is now is the cause (a full disk, a thread that is refused), not the cell: it does not count
    /// as failed, and the same command goes on with it later.
    pub is_of_environment: bool,
}

impl From<RunError> for CellError {
    fn from(error: RunError) -> Self {
        let is_of_environment = matches!(&error, RunError::Io(error) if error.is_of_environment());
        CellError { message: error.to_string(), is_of_environment }
    }
}

impl From<TrainError> for CellError {
    fn from(error: TrainError) -> Self {
        CellError { is_of_environment: error.is_of_environment(), message: error.to_string() }
    }
}
