//! Successive halving: who goes on after a rung.
//!
//! The choice is a function of the cells' metrics alone, so every process, now or after a crash, makes
//! the same one. Cells are compared one by one: seeds that [sweep] crosses with a search compete too.

use super::directory::SweepDirectory;
use super::error::Failure;
use crate::config::{Cell, Halving};
use crate::run::{RunDirectory, RunError, Status};

/// The epochs at which cells are compared, and the last at which all of them end.
pub fn rungs(halving: Halving, most_epochs: usize) -> Vec<usize> {
    let mut rungs = Vec::new();
    let mut epochs = halving.min_epochs;
    while epochs < most_epochs {
        rungs.push(epochs);
        epochs = epochs.saturating_mul(halving.factor);
    }
    rungs.push(most_epochs);
    rungs
}

/// The best of the cells after `rung` epochs, by their best validation accuracy so far; of equal ones the
/// first. Cells that did not get so far cannot go on, nor can those that cannot be read, which are told.
pub fn survivors<'a>(
    directory: &SweepDirectory,
    cells: &[&'a Cell],
    rung: usize,
    factor: usize,
) -> (Vec<&'a Cell>, Vec<Failure>) {
    let (mut scored, mut unreadable) = (Vec::new(), Vec::new());
    for &cell in cells {
        let epoch = rung.min(cell.config.training.num_epochs);
        match RunDirectory::read_metrics(&directory.cell(cell)) {
            Ok(records) => {
                let record = records.iter().find(|record| record.epoch == epoch);
                scored.extend(record.map(|record| (record.best_accuracy, cell)));
            }
            Err(error) => unreadable.push(Failure { cell: cell.index, message: error.to_string() }),
        }
    }
    scored.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.index.cmp(&second.index)));
    scored.truncate(cells.len().div_ceil(factor.max(1)));
    let mut best: Vec<&Cell> = scored.into_iter().map(|(_, cell)| cell).collect();
    best.sort_by_key(|cell| cell.index);
    (best, unreadable)
}

/// Marks a cell that does not go on. One that another process is marking is left to it.
pub fn prune(directory: &SweepDirectory, cell: &Cell) -> Result<(), RunError> {
    let path = directory.cell(cell);
    let unmarked = || -> Result<_, RunError> {
        let summary = RunDirectory::read_summary(&path)?;
        Ok(summary.filter(|summary| summary.status == Status::Interrupted))
    };
    if unmarked()?.is_none() {
        return Ok(());
    }
    if let Ok(run) = RunDirectory::claim(&path)
        && let Some(mut summary) = unmarked()?
    {
        summary.status = Status::Pruned;
        run.write_summary(&summary)?;
    }
    Ok(())
}
