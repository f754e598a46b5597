//! The figures of a run, drawn from what it saved.

use std::path::{Path, PathBuf};

use super::{Observer, ObserverError, Start};
use crate::figures::{Format, draw_run};
use crate::run::{RunDirectory, Status, Summary};

/// Draws a run's figures at its end, and every `logging.figures_every` epochs.
pub struct Figures {
    directory: PathBuf,
    every: usize,
    num_epochs: usize,
}

impl Figures {
    /// Of the run in `directory`.
    pub fn new(directory: &Path) -> Self {
        Figures { directory: directory.to_owned(), every: 0, num_epochs: 0 }
    }

    fn draw(&self) -> Result<(), ObserverError> {
        // Metrics that were lost leave nothing to draw.
        if RunDirectory::read_metrics(&self.directory).is_ok_and(|epochs| epochs.is_empty()) {
            return Ok(());
        }
        draw_run(&self.directory, Format::Png)?;
        Ok(())
    }
}

impl Observer for Figures {
    fn started(&mut self, start: &Start) -> Result<(), ObserverError> {
        self.every = start.config.logging.figures_every;
        self.num_epochs = start.spec.num_epochs;
        Ok(())
    }

    fn finished(&mut self, epoch: usize) -> Result<(), ObserverError> {
        let is_due = self.every > 0 && epoch.is_multiple_of(self.every);
        // The end draws them anyway.
        if is_due && epoch < self.num_epochs { self.draw() } else { Ok(()) }
    }

    /// A run that failed keeps the figures it has.
    fn ended(&mut self, summary: &Summary) -> Result<(), ObserverError> {
        if summary.status == Status::Failed { Ok(()) } else { self.draw() }
    }
}
