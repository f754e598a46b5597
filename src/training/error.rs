//! Why training stops before its end.

use ff_backend::BackendError;

use crate::checkpoint::CheckpointError;
use crate::config::Invalid;
use crate::observers::ObserverError;
use crate::run::RunError;

/// Why a run stopped before its end.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A loss or a weight is no longer a number.
    #[error("{what} became {value} in epoch {epoch}; a smaller learning rate may help{}", stands(*saved))]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// Layers count from 0.
        what: String,
        /// NaN or an infinity.
        value: f64,
        /// The last epoch that is saved.
        saved: Option<usize>,
    },
    /// A config that no run can have, or not on these data.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The device failed.
    #[error("{error}{}", stands(*saved))]
    Backend {
        /// How.
        error: BackendError,
        /// The last epoch that is saved.
        saved: Option<usize>,
    },
    /// A checkpoint could not be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The run directory failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An observer failed.
    #[error(transparent)]
    Observer(#[from] ObserverError),
}

impl TrainError {
    /// The same, where the run is saved up to an epoch.
    pub(super) fn beside_checkpoint(self, saved: Option<usize>) -> Self {
        match self {
            TrainError::Diverged { epoch, what, value, .. } => {
                TrainError::Diverged { epoch, what, value, saved }
            }
            TrainError::Backend { error, .. }
            | TrainError::Checkpoint(CheckpointError::Backend(error))
            | TrainError::Observer(ObserverError::Backend(error)) => TrainError::Backend { error, saved },
            other => other,
        }
    }

    /// Whether the machine as it is now is the cause: the same run may go on later.
    pub fn is_of_environment(&self) -> bool {
        match self {
            TrainError::Run(RunError::Io(error))
            | TrainError::Checkpoint(CheckpointError::Io(error))
            | TrainError::Observer(ObserverError::Io(error)) => error.is_of_environment(),
            TrainError::Backend { error, .. } => matches!(error, BackendError::Threads(_)),
            _ => false,
        }
    }
}

impl From<BackendError> for TrainError {
    fn from(error: BackendError) -> Self {
        TrainError::Backend { error, saved: None }
    }
}

/// What to say of the epochs that are saved.
fn stands(saved: Option<usize>) -> String {
    saved.map(|saved| format!(" (the checkpoint of epoch {saved} stands)")).unwrap_or_default()
}
