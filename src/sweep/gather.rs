//! The results of a sweep, from what its cells have on disk.

use super::directory::SweepDirectory;
use super::error::SweepError;
use super::ranking::to_markdown;
use super::results::{Row, read_rows, to_csv};
use crate::config::Experiment;
use crate::figures::{Format, draw_sweep};
use crate::files::write_atomically;

impl SweepDirectory {
    /// Writes results.csv and results.md from what the cells have on disk, and draws figures if asked to.
    /// The last to finish a cell comes last here too, so nothing is missing in the end.
    pub fn gather(&self, experiment: &Experiment, figures: bool) -> Result<Vec<Row>, SweepError> {
        let _lock = self.lock()?;
        let rows = read_rows(experiment, self);
        let keys = experiment.varying();
        for (name, text) in [
            ("results.csv", to_csv(&keys, &rows)),
            ("results.md", to_markdown(&experiment.name, &keys, &rows)),
        ] {
            let path = self.path().join(name);
            write_atomically(&path, text.as_bytes())?;
        }
        if figures {
            draw_sweep(self.path(), Format::Png)?;
        }
        Ok(rows)
    }
}
