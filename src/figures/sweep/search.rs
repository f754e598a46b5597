//! The cells of a search, compared at one epoch.

use super::cell::Cell;
use super::grid;
use super::table::Table;

/// Fewer cells than this tell nothing of knobs.
const FEWEST: usize = 8;

/// Cells and their accuracies in percent, all after equally many epochs.
pub struct Compared<'a> {
    /// The cells.
    pub cells: Vec<&'a Cell>,
    /// The accuracy of each.
    pub accuracies: Vec<f64>,
    /// The epoch after which; none where all cells have all theirs.
    pub epoch: Option<u32>,
}

impl<'a> Compared<'a> {
    /// The cells of a search: those with all their epochs, or, where halving ended most, all of them after the epoch
    /// that all have reached. `None` of a grid, and of too few cells.
    pub fn of(table: &'a Table) -> Option<Self> {
        if table.axes.len() < 2 || grid::is_complete(table) {
            return None;
        }
        let pruned = table.cells.iter().filter(|cell| cell.pruned_accuracy().is_some()).count();
        let compared = match pruned {
            0 => Self::at_end(table),
            _ => Self::at_common_epoch(table),
        };
        compared.filter(|compared| compared.cells.len() >= FEWEST)
    }

    fn at_end(table: &'a Table) -> Option<Self> {
        let known = table.cells.iter().filter_map(|cell| Some((cell, cell.final_accuracy()?)));
        let (cells, accuracies) = known.unzip();
        Some(Compared { cells, accuracies, epoch: None })
    }

    fn at_common_epoch(table: &'a Table) -> Option<Self> {
        let begun = || table.cells.iter().filter(|cell| cell.accuracy.is_some());
        let reached = begun().filter_map(|cell| cell.run.as_ref()?.epochs.last().map(|epoch| epoch.epoch));
        let common = reached.min()?;
        let known = begun().filter_map(|cell| {
            let epochs = &cell.run.as_ref()?.epochs;
            let epoch = epochs.iter().find(|epoch| epoch.epoch == common)?;
            Some((cell, 100.0 * epoch.accuracy?))
        });
        let (cells, accuracies) = known.unzip();
        Some(Compared { cells, accuracies, epoch: Some(common) })
    }

    /// What is compared, in words.
    pub fn told(&self) -> String {
        let cells = super::super::caption::counted(self.cells.len(), "cell");
        match self.epoch {
            None => format!("{cells} with all epochs"),
            Some(epoch) => format!("{cells} after epoch {epoch}, which all have reached"),
        }
    }
}
