//! Checkpoints reach the disk while the next epoch trains.
//!
//! A disk takes seconds for a large network, as long as an epoch does. A file that is in its place survives the
//! process; should the power fail before it is on the disk, its checksum shows that it is torn, and the checkpoint
//! before it is whole.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::files::{FileError, Placed};

/// Files on their way to the disk.
#[derive(Default)]
pub(super) struct Durability {
    writing: Option<JoinHandle<Result<(), FileError>>>,
}

impl Durability {
    /// Begins with the next files; those before have been waited for. Where no thread is to be had, this waits.
    pub(super) fn begin(&mut self, files: Vec<Placed>) -> Result<(), FileError> {
        let files = Arc::new(files);
        let theirs = Arc::clone(&files);
        let writing = Builder::new().name("checkpoint".into()).spawn(move || sync(&theirs));
        self.writing = writing.ok();
        if self.writing.is_none() { sync(&files) } else { Ok(()) }
    }

    /// Waits until the disk has them all.
    pub(super) fn wait(&mut self) -> Result<(), FileError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn sync(files: &[Placed]) -> Result<(), FileError> {
    files.iter().try_for_each(Placed::sync)
}
