//! sweep.toml: which sweep a directory is for.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::config::{Config, Experiment, ExperimentSource};

/// What makes two invocations the same sweep, and what all who work on it share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// Its name.
    pub name: String,
    /// Threads of the CPU backend for cells that set none. Results depend on it in the last bits, so the
    /// first invocation decides it for all.
    pub threads: usize,
    /// Names of the cells, in order. Each ends in the hash of everything its numbers depend on.
    pub cells: Vec<String>,
    /// Epochs after which cells are first compared, and one of how many goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halving: Option<[usize; 2]>,
    /// What it was planned from, so that it goes on without the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ExperimentSource>,
    /// Every knob of the first cell, to tell what changed.
    pub first: Option<Config>,
}

impl Spec {
    /// The spec of an experiment.
    pub fn new(experiment: &Experiment, threads: usize) -> Self {
        let cells = experiment.cells();
        Spec {
            name: experiment.name.clone(),
            threads,
            cells: cells.iter().map(|cell| cell.name.clone()).collect(),
            halving: experiment.halving.map(|halving| [halving.min_epochs, halving.factor]),
            source: Some(experiment.source.clone()),
            first: cells.first().map(|cell| cell.config.clone()),
        }
    }

    /// What an earlier spec says otherwise, if it makes another sweep.
    pub fn change_from(&self, earlier: &Spec) -> Option<String> {
        if self.cells == earlier.cells && self.halving == earlier.halving {
            return None;
        }
        if self.cells == earlier.cells {
            return Some("`halving` changed".into());
        }
        let known = earlier.cells.iter().collect::<std::collections::HashSet<_>>();
        let new = self.cells.iter().filter(|name| !known.contains(name)).count();
        let knobs = match (&earlier.first, &self.first) {
            (Some(then), Some(now)) => changed_knobs(then, now),
            _ => Vec::new(),
        };
        let knobs = if knobs.is_empty() { String::new() } else { format!(" ({})", knobs.join(", ")) };
        Some(format!("{new} of {} cells are not among its {}{knobs}", self.cells.len(), known.len()))
    }
}

/// The knobs that differ between two sweeps' first cells: `training.num_epochs was 5, is 10`.
fn changed_knobs(then: &Config, now: &Config) -> Vec<String> {
    let table = |config: &Config| Table::try_from(config).unwrap_or_default();
    let (then, now) = (table(then), table(now));
    let mut changed = Vec::new();
    for (table, knobs) in now.iter().filter(|(table, _)| *table != "logging") {
        let Some(knobs) = knobs.as_table() else { continue };
        for (key, value) in knobs {
            let free = table == "backend" && key != "precision" || key == "data_dir";
            let earlier = then.get(table).and_then(|knobs| knobs.get(key));
            if !free && earlier != Some(value) {
                let earlier = earlier.map_or_else(|| "unset".into(), Value::to_string);
                changed.push(format!("{table}.{key} was {earlier}, is {value}"));
            }
        }
    }
    changed
}
