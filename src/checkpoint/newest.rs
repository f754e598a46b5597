//! Which checkpoint a run goes on from.

use super::{Checkpoint, CheckpointError};
use std::path::Path;

use crate::run::{LAST, PREVIOUS};

/// The newest whole training checkpoint of a run.
pub struct Newest {
    /// It.
    pub checkpoint: Checkpoint,
    /// Why it is not the last one, if so: that one is damaged or gone.
    pub warning: Option<String>,
}

/// Reads the last training checkpoint, or the one before if the last is damaged or gone. What cannot be read for
/// another reason (a failing disk, say) is an error: an error is not absence.
///
/// `None` if there is neither.
pub fn read_newest(run: &Path) -> Result<Option<Newest>, CheckpointError> {
    let (last, previous) = (run.join(LAST), run.join(PREVIOUS));
    let reason = match Checkpoint::read(&last).and_then(Checkpoint::with_progress) {
        Ok(checkpoint) => return Ok(Some(Newest { checkpoint, warning: None })),
        Err(error) if error.is_damage() => error,
        Err(error) => return Err(error),
    };
    match Checkpoint::read(&previous).and_then(Checkpoint::with_progress) {
        Ok(checkpoint) => {
            let warning =
                format!("{reason}; the run goes on from the checkpoint before, {}", previous.display());
            Ok(Some(Newest { checkpoint, warning: Some(warning) }))
        }
        Err(error) if error.is_absence() && reason.is_absence() => Ok(None),
        Err(error) if error.is_damage() && !reason.is_absence() => Err(reason),
        Err(error) => Err(error),
    }
}
