//! Whose turn a cell is.

use std::path::Path;

use crate::run::{Beginning, Ownership, RunDirectory, RunError, Status, Summary};

/// What a process finds when it wants to train a cell.
#[derive(Debug)]
pub enum Claim {
    /// There is nothing left to do.
    Finished,
    /// Another process trains it.
    Busy,
    /// It is this process's until the directory is dropped.
    Mine {
        /// Its locked run directory.
        directory: RunDirectory,
        /// Whether there are epochs to go on from.
        resume: bool,
    },
}

/// Claims the cell in `path`, which is to be trained for `until` epochs.
pub fn claim(path: &Path, until: usize) -> Result<Claim, RunError> {
    if is_finished(path, until)? {
        return Ok(Claim::Finished);
    }
    let directory = match RunDirectory::claim(path) {
        Ok(directory) => directory,
        Err(RunError::Busy { .. }) => return Ok(Claim::Busy),
        Err(error) => return Err(error),
    };
    // Someone may have finished it between the look and the lock.
    if is_finished(path, until)? {
        return Ok(Claim::Finished);
    }
    // Epochs without a checkpoint are no beginning: the cell fails, and begins again only where that is asked for.
    let resume = match RunDirectory::check(path, Ownership::Resume) {
        Ok(Beginning::New) => false,
        Ok(Beginning::Over) => {
            directory.clear()?;
            false
        }
        Ok(Beginning::Resume) | Err(RunError::CheckpointLost { .. }) => true,
        Err(error) => return Err(error),
    };
    Ok(Claim::Mine { directory, resume })
}

/// Whether a cell needs no more epochs to have had `until` of them.
fn is_finished(path: &Path, until: usize) -> Result<bool, RunError> {
    let summary = RunDirectory::read_summary(path)?;
    Ok(summary.is_some_and(|summary| is_over(&summary) || summary.epochs >= until))
}

fn is_over(summary: &Summary) -> bool {
    matches!(summary.status, Status::Done | Status::Failed)
}

/// Makes a failed cell one to go on with; says whether it was one.
pub fn forget_failure(path: &Path) -> Result<bool, RunError> {
    let failed = || -> Result<bool, RunError> {
        match RunDirectory::read_summary(path) {
            Ok(summary) => Ok(summary.is_some_and(|summary| summary.status == Status::Failed)),
            Err(RunError::Broken { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    };
    if !failed()? {
        return Ok(false);
    }
    let directory = match RunDirectory::claim(path) {
        Ok(directory) => directory,
        // Another process retries it already.
        Err(RunError::Busy { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let still = failed()?;
    if still {
        directory.forget_summary()?;
    }
    Ok(still)
}
