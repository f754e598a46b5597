//! What a command ends with when it does not end well.

use std::process::ExitCode;

use ff_backend::BackendError;

use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::files::FileError;
use crate::files::text::on_one_line;
use crate::observers::ObserverError;
use crate::run::RunError;
use crate::sweep::SweepError;
use crate::training::TrainError;

/// An error and whose it is.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The request was wrong: exit 2, nothing written.
    #[error("{0}")]
    Request(String),
    /// The work failed: exit 1.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// 2 for a wrong request, 1 for failed work.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            CliError::Request(_) => ExitCode::from(2),
            CliError::Failed(_) => ExitCode::from(1),
        }
    }

    /// A wrong request, told on one line whatever the names in it hold.
    pub fn request(message: impl ToString) -> Self {
        CliError::Request(on_one_line(&message.to_string()))
    }

    /// Failed work, told on one line.
    pub fn failed(message: impl ToString) -> Self {
        CliError::Failed(on_one_line(&message.to_string()))
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        // Below its line it shows the place in the file.
        CliError::Request(error.to_string())
    }
}

impl From<DataError> for CliError {
    fn from(error: DataError) -> Self {
        CliError::request(error)
    }
}

impl From<BackendError> for CliError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NoPlatform { .. } | BackendError::NoDevice(_) | BackendError::Unsupported(_) => {
                CliError::request(format!("--backend: {error}"))
            }
            _ => CliError::failed(error),
        }
    }
}

impl From<CheckpointError> for CliError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Backend(error) => error.into(),
            _ => CliError::request(error),
        }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        CliError::failed(error)
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io(_) | RunError::Lost { .. } => CliError::failed(error),
            _ => CliError::request(error),
        }
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Run(error) => error.into(),
            // A checkpoint that cannot be written is a failed run; one that does not fit is a wrong request.
            TrainError::Checkpoint(error @ CheckpointError::Io { .. }) => CliError::failed(error),
            TrainError::Checkpoint(error) => error.into(),
            _ => CliError::failed(error),
        }
    }
}

impl From<ObserverError> for CliError {
    fn from(error: ObserverError) -> Self {
        CliError::failed(error)
    }
}

impl From<SweepError> for CliError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Run(error) => error.into(),
            SweepError::Changed { .. }
            | SweepError::NoDirectory { .. }
            | SweepError::NotASweep { .. }
            | SweepError::Broken { .. } => CliError::request(error),
            _ => CliError::failed(error),
        }
    }
}

impl From<FigureError> for CliError {
    fn from(error: FigureError) -> Self {
        CliError::failed(error)
    }
}
