//! When a run is saved, and how: at once, or beside the training from a copy on the device.
//!
//! An epoch is saved when the next one could take what a kill would cost beyond `logging.checkpoint_seconds`; so is the
//! first of a process, and the last. Where epochs are short, training does not wait for the file: it goes on from a copy
//! of the network, a piece a step, without a thread, which would need memory of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ff_backend::{Backend, BackendError};

use super::TrainError;
use crate::checkpoint::{CheckpointError, Contents, Progress, Snapshot, Writing, stage};
use crate::config::Config;
use crate::files::{Placed, Staged};
use crate::network::{Network, Stored};
use crate::run::{RunDirectory, RunError};

/// Writes the checkpoints of a run.
pub(super) struct Saver<'a, B: Backend> {
    backend: &'a B,
    config: &'a Config,
    directory: &'a RunDirectory,
    /// Whether there is memory for copies of the network.
    may_copy: bool,
    /// When the last epoch ended that this process saved.
    since: Option<Instant>,
    /// Weights of the best epoch, where no file holds them yet.
    best: Option<Snapshot<B>>,
    /// What is being written while training goes on.
    beside: Option<Beside<B>>,
    /// Files in their place, which reach the disk meanwhile: a disk takes seconds for a large network.
    placed: Vec<Placed>,
    /// Where the run stood that is in its place, and the one before.
    saved: Option<Progress>,
    before: Option<Progress>,
}

/// Files in the order in which they are put in their places, and where the run stood.
struct Beside<B: Backend> {
    files: Vec<Writing<Box<dyn Stored<B>>>>,
    progress: Progress,
}

impl<B: Backend> Beside<B> {
    /// Writes the next piece of the first file that lacks one; false where nothing was left.
    fn advance(&mut self, backend: &B) -> Result<bool, TrainError> {
        for file in &mut self.files {
            if file.advance(backend).map_err(|error| of_epoch(error, self.progress.epoch))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// An epoch that may be saved.
pub(super) struct Ended<'a, B: Backend> {
    /// The network after it.
    pub network: &'a Network<B>,
    /// Where the run stands.
    pub progress: &'a Progress,
    /// Whether it is the best so far.
    pub improved: bool,
    /// Time that it took, evaluation included.
    pub took: Duration,
    /// Whether no other follows in this process.
    pub is_last: bool,
}

impl<'a, B: Backend> Saver<'a, B> {
    /// Of a run of which nothing is saved. With `copies` there is memory for two copies of the network's tensors.
    pub fn new(backend: &'a B, config: &'a Config, directory: &'a RunDirectory, copies: bool) -> Self {
        Saver {
            backend,
            config,
            directory,
            may_copy: copies,
            since: None,
            best: None,
            beside: None,
            placed: Vec::new(),
            saved: None,
            before: None,
        }
    }

    /// Goes on from what is saved.
    pub fn resume(&mut self, progress: Progress) {
        self.saved = Some(progress);
    }

    /// Where the run stood that it can be resumed from.
    pub fn saved(&self) -> Option<&Progress> {
        self.saved.as_ref()
    }

    /// An epoch ended: saves it, begins to, or leaves it to a later one.
    pub fn epoch(&mut self, ended: &Ended<B>) -> Result<(), TrainError> {
        let seconds = self.config.logging.checkpoint_seconds;
        let took = ended.took.as_secs_f64();
        // With the next epoch, which is not over either when a kill comes.
        let at_stake = self.since.map(|since| since.elapsed().as_secs_f64() + took);
        let is_due = ended.is_last || at_stake.is_none_or(|at_stake| at_stake > seconds);
        if !is_due && (!ended.improved || self.keep_best(ended)?) {
            return Ok(());
        }
        self.complete()?;
        self.directory.prepare_checkpoints()?;
        // Before the first file there is nothing to go on from; a long epoch is worth the wait.
        let waits = ended.is_last || self.saved.is_none() || self.since.is_none() || took >= seconds;
        self.since = Some(Instant::now());
        if !waits && let Some(copies) = self.copies(ended)? {
            let files = copies.into_iter().map(Snapshot::write).collect::<Result<_, _>>()?;
            self.beside = Some(Beside { files, progress: ended.progress.clone() });
            return Ok(());
        }
        let mut staged = Vec::new();
        match self.best.take() {
            _ if ended.improved => staged.push(self.stage(ended, Contents::Weights)?),
            Some(best) => {
                let written = best.write().and_then(|file| file.complete(self.backend));
                staged.push(written.map_err(|error| of_epoch(error, ended.progress.epoch))?);
            }
            None => {}
        }
        staged.push(self.stage(ended, Contents::Training)?);
        self.place(staged, ended.progress.clone())
    }

    /// A step was enqueued: writes a piece of what is being written. After an error nothing is: what a piece is missing
    /// from, or has no numbers, is never put in its place.
    pub fn step(&mut self) -> Result<(), TrainError> {
        let Some(mut beside) = self.beside.take() else { return Ok(()) };
        let is_written = !beside.advance(self.backend)?;
        self.beside = Some(beside);
        if is_written { self.complete() } else { Ok(()) }
    }

    /// Completes what is being written, and waits until the disk has it.
    pub fn finish(&mut self) -> Result<(), TrainError> {
        let completed = self.complete();
        let durable = self.wait_for_the_disk();
        completed.and(durable)
    }

    /// Copies the weights of an epoch that is the best so far; false where there is no memory for it.
    fn keep_best(&mut self, ended: &Ended<B>) -> Result<bool, TrainError> {
        // The one before makes room first.
        self.best = None;
        self.best = self.copy(ended, Contents::Weights)?;
        Ok(self.best.is_some())
    }

    /// Copies of all that an epoch's checkpoints hold, the best first; none where there is no memory for them.
    fn copies(&mut self, ended: &Ended<B>) -> Result<Option<Vec<Snapshot<B>>>, TrainError> {
        if ended.improved && !self.keep_best(ended)? {
            return Ok(None);
        }
        let last = self.copy(ended, Contents::Training)?;
        Ok(last.map(|last| self.best.take().into_iter().chain([last]).collect()))
    }

    fn copy(&self, ended: &Ended<B>, contents: Contents) -> Result<Option<Snapshot<B>>, TrainError> {
        if !self.may_copy {
            return Ok(None);
        }
        let Ended { network, progress, .. } = ended;
        let path = self.path(contents);
        match Snapshot::take(self.backend, network, contents, self.config, progress, path) {
            Ok(copy) => Ok(Some(copy)),
            Err(CheckpointError::Backend(BackendError::OutOfMemory { .. })) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a checkpoint at once. Weights that became NaN or infinite in the last batch are in no loss yet: they are
    /// found here.
    fn stage(&self, ended: &Ended<B>, contents: Contents) -> Result<Staged, TrainError> {
        let Ended { network, progress, .. } = ended;
        let path = self.path(contents);
        let staged = stage(self.backend, network, contents, self.config, progress, &path);
        staged.map_err(|error| of_epoch(error, progress.epoch))
    }

    fn path(&self, contents: Contents) -> PathBuf {
        match contents {
            Contents::Weights => self.directory.best_checkpoint(),
            Contents::Training => self.directory.last_checkpoint(),
        }
    }

    fn complete(&mut self) -> Result<(), TrainError> {
        let Some(Beside { files, progress }) = self.beside.take() else { return Ok(()) };
        let staged = files.into_iter().map(|file| file.complete(self.backend)).collect::<Result<_, _>>();
        self.place(staged.map_err(|error| of_epoch(error, progress.epoch))?, progress)
    }

    /// Puts files in their places once those before and the metrics of their epochs are on the disk.
    fn place(&mut self, staged: Vec<Staged>, progress: Progress) -> Result<(), TrainError> {
        self.wait_for_the_disk()?;
        self.directory.sync_metrics()?;
        let placed = staged.into_iter().map(|file| self.directory.put_checkpoint(file));
        self.placed = placed.collect::<Result<_, _>>()?;
        self.before = self.saved.replace(progress);
        Ok(())
    }

    /// What the disk refuses is not saved.
    fn wait_for_the_disk(&mut self) -> Result<(), TrainError> {
        let placed = std::mem::take(&mut self.placed);
        placed.iter().try_for_each(Placed::sync).map_err(|error| {
            self.saved = self.before.take();
            RunError::from(error).into()
        })
    }
}

/// Weights that are no numbers are the training's failure.
fn of_epoch(error: CheckpointError, epoch: usize) -> TrainError {
    match error {
        CheckpointError::NotFinite { tensor, value, .. } => {
            TrainError::Diverged { epoch, what: tensor, value: value.into(), saved: None }
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests;
