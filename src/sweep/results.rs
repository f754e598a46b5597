//! How far each cell is, as its own files tell, and results.csv.

use std::path::PathBuf;

use serde::Serialize;

use super::directory::SweepDirectory;
use crate::config::{Cell, Experiment};
use crate::files::is_there;
use crate::files::text::for_spreadsheet;
use crate::run::{RunDirectory, RunError, Status, Summary};

/// How far a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CellStatus {
    /// Nobody has begun it.
    Pending,
    /// Some process trains it.
    Running,
    /// It was cut short and can go on.
    Interrupted,
    /// All its epochs are done.
    Done,
    /// It failed.
    Failed,
    /// Halving ended it early.
    Pruned,
}

impl CellStatus {
    /// As results.csv has it.
    pub fn word(self) -> &'static str {
        match self {
            CellStatus::Pending => "pending",
            CellStatus::Running => "running",
            CellStatus::Interrupted => "interrupted",
            CellStatus::Done => "done",
            CellStatus::Failed => "failed",
            CellStatus::Pruned => "pruned",
        }
    }
}

/// One row of the results: a cell.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its place in the experiment.
    pub cell: usize,
    /// How far it is.
    pub status: CellStatus,
    /// Its values of the varying knobs, in the experiment's order.
    pub values: Vec<String>,
    /// What it has told so far.
    pub summary: Option<Summary>,
    /// Why what it told cannot be read, if so.
    pub unreadable: Option<String>,
    /// Whether its accuracy is one on validation rows, not on the test set.
    pub validated: bool,
    /// Its run directory, seen from the sweep's.
    pub run_dir: String,
    /// The preset underneath.
    pub recipe: String,
    /// What the experiment calls it, if it does.
    pub name: Option<String>,
}

impl Row {
    /// Its results, if they are final.
    pub fn results(&self) -> Option<&Summary> {
        let is_final = matches!(self.status, CellStatus::Done | CellStatus::Pruned);
        self.summary.as_ref().filter(|_| is_final)
    }

    /// A field of results.csv.
    fn result(&self, name: &str) -> String {
        let figure = |pick: fn(&Summary) -> Option<f64>| {
            self.results().and_then(pick).map(|figure| figure.to_string()).unwrap_or_default()
        };
        let count = |pick: fn(&Summary) -> usize| {
            self.summary.as_ref().map(|summary| pick(summary).to_string()).unwrap_or_default()
        };
        match name {
            "accuracy" => figure(|summary| summary.accuracy),
            "best_accuracy" => figure(|summary| summary.best_accuracy),
            "train_loss" => figure(|summary| summary.train_loss),
            "val_loss" => figure(|summary| summary.val_loss),
            "test_accuracy" => figure(|summary| summary.test_accuracy),
            "head_accuracy" => figure(|summary| summary.head_accuracy),
            "test_head_accuracy" => figure(|summary| summary.test_head_accuracy),
            "seconds" => self.seconds().map(|seconds| format!("{seconds:.3}")).unwrap_or_default(),
            "epochs" => count(|summary| summary.epochs),
            "parameters" => count(|summary| summary.parameters),
            "run_dir" => for_spreadsheet(&self.run_dir),
            "split" => self.split().to_owned(),
            "recipe" => for_spreadsheet(&self.recipe),
            _ => self.name.as_deref().map(for_spreadsheet).unwrap_or_default(),
        }
    }

    /// Why it failed.
    pub fn reason(&self) -> &str {
        let told = self.summary.as_ref().and_then(|summary| summary.error.as_deref());
        self.unreadable.as_deref().or(told).unwrap_or("no reason was written down")
    }

    /// The rows its accuracy is measured on, as summary.json names them.
    pub fn split(&self) -> &'static str {
        if self.validated { "validation" } else { "test" }
    }

    /// Time spent on it.
    pub fn seconds(&self) -> Option<f64> {
        self.summary.as_ref().map(|summary| summary.seconds.train + summary.seconds.eval)
    }
}

/// How many cells are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All there are.
    pub cells: usize,
    /// With all their epochs.
    pub done: usize,
    /// Ended by halving.
    pub pruned: usize,
    /// Failed.
    pub failed: usize,
    /// In training.
    pub running: usize,
    /// Cut short.
    pub interrupted: usize,
    /// Not begun.
    pub pending: usize,
}

impl Tally {
    /// Counts rows.
    pub fn new(rows: &[Row]) -> Self {
        let count = |status| rows.iter().filter(|row| row.status == status).count();
        Tally {
            cells: rows.len(),
            done: count(CellStatus::Done),
            pruned: count(CellStatus::Pruned),
            failed: count(CellStatus::Failed),
            running: count(CellStatus::Running),
            interrupted: count(CellStatus::Interrupted),
            pending: count(CellStatus::Pending),
        }
    }

    /// Cells that need no more work.
    pub fn finished(&self) -> usize {
        self.done + self.pruned + self.failed
    }
}

/// One row per cell, in the experiment's order.
pub fn read_rows(experiment: &Experiment, directory: &SweepDirectory) -> Vec<Row> {
    let keys = experiment.varying();
    experiment.cells().iter().map(|cell| read_row(cell, &keys, directory.cell(cell))).collect()
}

fn read_row(cell: &Cell, keys: &[&str], path: PathBuf) -> Row {
    let mut unreadable = None;
    let read = || -> Result<(CellStatus, Option<Summary>), RunError> {
        Ok(match RunDirectory::read_summary(&path)? {
            Some(summary) => (of_summary(summary.status), Some(summary)),
            None if is_there(&path.join("checkpoints/last.safetensors"))? => (CellStatus::Interrupted, None),
            None => (CellStatus::Pending, None),
        })
    };
    let (mut status, summary) = match read() {
        Ok(found) => found,
        // What nobody can read will not get better by waiting.
        Err(error) => {
            unreadable = Some(error.to_string());
            (CellStatus::Failed, None)
        }
    };
    let open = matches!(status, CellStatus::Pending | CellStatus::Interrupted);
    if open && RunDirectory::is_busy(&path) {
        status = CellStatus::Running;
    }
    Row {
        cell: cell.index,
        status,
        values: keys.iter().map(|key| cell.value(key)).collect(),
        summary,
        unreadable,
        validated: cell.config.data.validation_size > 0,
        run_dir: cell.name.clone(),
        recipe: cell.config.recipe.clone(),
        name: cell.label.clone(),
    }
}

fn of_summary(status: Status) -> CellStatus {
    match status {
        Status::Done => CellStatus::Done,
        Status::Failed => CellStatus::Failed,
        Status::Pruned => CellStatus::Pruned,
        Status::Running | Status::Interrupted => CellStatus::Interrupted,
    }
}

/// Results beside the varying keys, in the order of results.csv; what came later stands after `run_dir`.
const RESULTS: [&str; 14] = [
    "accuracy",
    "best_accuracy",
    "train_loss",
    "val_loss",
    "seconds",
    "run_dir",
    "split",
    "test_accuracy",
    "head_accuracy",
    "test_head_accuracy",
    "epochs",
    "parameters",
    "recipe",
    "name",
];

/// results.csv: one row per cell, with accuracies and losses of cells that ended well, all from the same bits as
/// theirs. `accuracy`, `best_accuracy`, `head_accuracy` and `val_loss` are measured on the rows that `split` names.
pub fn to_csv(keys: &[&str], rows: &[Row]) -> String {
    // A key that is called like a result says the same.
    let results: Vec<&str> = RESULTS.into_iter().filter(|name| !keys.contains(name)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header: Vec<&str> = ["cell", "status"].iter().chain(keys).chain(&results).copied().collect();
    let mut write = |fields: &[String]| writer.write_record(fields).is_ok();
    let mut whole = write(&header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    for row in rows {
        let mut fields = vec![row.cell.to_string(), row.status.word().to_owned()];
        fields.extend(row.values.iter().map(|value| for_spreadsheet(value)));
        fields.extend(results.iter().map(|name| row.result(name)));
        whole &= write(&fields);
    }
    // Memory takes every record of as many fields as the header has.
    let bytes = writer.into_inner().unwrap_or_default();
    debug_assert!(whole, "a row has another number of fields than the header");
    String::from_utf8(bytes).unwrap_or_default()
}
