//! What a command ends with when it does not end well.

use std::process::ExitCode;

use ff_backend::BackendError;

use super::signals;
use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::files::text::on_one_line;
use crate::files::{FileError, is_of_environment};
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
    /// The machine as it is now cannot do the work: a full disk, a failing mount, threads or memory that are refused:
    /// exit 1.
    #[error("{0}")]
    Environment(String),
    /// A signal asked the work to end early: exit as a shell expects it of that signal.
    #[error("{message}")]
    Stopped {
        /// How far it came, and how to go on.
        message: String,
        /// The exit code.
        code: u8,
    },
}

impl CliError {
    /// 2 for a wrong request, 1 for failed work, 128 + n for work that signal n ended.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            CliError::Request(_) => ExitCode::from(2),
            CliError::Failed(_) | CliError::Environment(_) => ExitCode::from(1),
            CliError::Stopped { code, .. } => ExitCode::from(*code),
        }
    }

    /// A wrong request, told on one line whatever the names in it hold.
    pub fn request(message: impl ToString) -> Self {
        CliError::Request(on_one_line(&message.to_string()))
    }

    /// Failed work, of which the machine as it is now is the cause.
    pub fn environment(message: impl ToString) -> Self {
        CliError::Environment(on_one_line(&message.to_string()))
    }

    /// Work that ended early.
    pub fn stopped(message: impl ToString) -> Self {
        let message = on_one_line(&message.to_string());
        match signals::exit_code() {
            Some(code) => CliError::Stopped { message, code },
            None => CliError::Failed(message),
        }
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
        match &error {
            DataError::Io { source, .. } if is_of_environment(source) => CliError::environment(error),
            _ => CliError::request(error),
        }
    }
}

impl From<BackendError> for CliError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NoPlatform { .. } | BackendError::NoDevice(_) | BackendError::Unsupported(_) => {
                CliError::request(format!("--backend: {error}"))
            }
            BackendError::Threads(_) => CliError::environment(error),
            _ => CliError::failed(error),
        }
    }
}

impl From<CheckpointError> for CliError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Backend(error) => error.into(),
            CheckpointError::Io(error) if !error.is_of_request() => error.into(),
            _ => CliError::request(error),
        }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        if error.is_of_environment() { CliError::environment(error) } else { CliError::failed(error) }
    }
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io(error) => error.into(),
            RunError::Lost { .. } => CliError::failed(error),
            _ => CliError::request(error),
        }
    }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Run(error) => error.into(),
            // A checkpoint that cannot be written is a failed run; one that does not fit is a wrong request.
            TrainError::Checkpoint(CheckpointError::Io(error)) => error.into(),
            TrainError::Checkpoint(error) => error.into(),
            error if error.is_of_environment() => CliError::environment(error),
            error => CliError::failed(error),
        }
    }
}

impl From<ObserverError> for CliError {
    fn from(error: ObserverError) -> Self {
        match error {
            ObserverError::Io(error) => error.into(),
            _ => CliError::failed(error),
        }
    }
}

impl From<SweepError> for CliError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Run(error) => error.into(),
            SweepError::Changed { .. } | SweepError::NotASweep { .. } => CliError::request(error),
            _ => CliError::failed(error),
        }
    }
}

impl From<FigureError> for CliError {
    fn from(error: FigureError) -> Self {
        CliError::failed(error)
    }
}
