//! A run as one row of named values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::config::did_you_mean;
use crate::run::RunDirectory;

/// Columns that come first, in this order. Knobs follow by their dotted names, then facts of `[run]`.
///
/// Accuracies are fractions. `accuracy`, `best_accuracy`, `head_accuracy` and `val_loss` are of the rows that
/// `split` names; `validation_accuracy` is the best of a run with held-out rows; `test_accuracy` is of the last
/// epoch, or of the checkpoint that held-out rows chose.
pub const LEADING: [&str; 18] = [
    "run",
    "name",
    "tags",
    "note",
    "status",
    "epochs",
    "split",
    "accuracy",
    "best_accuracy",
    "best_epoch",
    "validation_accuracy",
    "test_accuracy",
    "head_accuracy",
    "test_head_accuracy",
    "train_loss",
    "val_loss",
    "parameters",
    "seconds",
];

/// Values of summary.json that a line of metrics.jsonl has too.
const OF_EPOCH: [&str; 5] = ["accuracy", "best_accuracy", "head_accuracy", "train_loss", "val_loss"];
/// Values of summary.json that it alone has.
const OF_SUMMARY: [&str; 5] = ["best_epoch", "test_accuracy", "test_head_accuracy", "parameters", "split"];

/// What a run directory holds, as values by column; what it does not know is absent.
#[derive(Clone, Debug)]
pub struct Record {
    /// The run directory.
    pub path: PathBuf,
    /// Files that cannot be read, and why.
    pub damage: Vec<String>,
    values: BTreeMap<String, Value>,
}

impl Record {
    /// Reads a run directory; the run may still be going on.
    pub fn read(path: &Path) -> Self {
        let mut record = Record { path: path.to_owned(), damage: Vec::new(), values: BTreeMap::new() };
        record.put("run", Value::String(path.display().to_string()));
        record.read_config();
        record.read_results();
        record
    }

    /// The value of a column.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.values.get(column)
    }

    /// A number of a column.
    pub fn number(&self, column: &str) -> Option<f64> {
        self.get(column)?.as_f64()
    }

    /// What to call the run: its name, or its directory.
    pub fn title(&self) -> String {
        match self.get("name").and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => self.path.display().to_string(),
        }
    }

    fn put(&mut self, column: &str, value: Value) {
        let absent = value.is_null() || value.as_str() == Some("");
        if !absent {
            self.values.insert(column.to_owned(), value);
        }
    }

    /// The text of a file of the run; none where it is not there.
    fn text(&mut self, name: &str) -> Option<String> {
        match std::fs::read_to_string(self.path.join(name)) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.damage.push(format!("{}: {error}", self.path.join(name).display()));
                None
            }
        }
    }

    fn damaged(&mut self, name: &str, reason: impl std::fmt::Display) {
        self.damage.push(format!("{}: {reason}", self.path.join(name).display()));
    }

    fn read_config(&mut self) {
        const NAME: &str = "config.toml";
        let Some(text) = self.text(NAME) else { return };
        match text.parse::<toml::Table>() {
            Ok(table) => self.flatten("", table),
            Err(error) => self.damaged(NAME, error.message()),
        }
        if let Some(sizes) = self.values.get("network.layer_sizes").and_then(Value::as_array).cloned() {
            self.put("network.depth", sizes.len().into());
            if let Some(first) = sizes.first().filter(|first| sizes.iter().all(|size| size == *first)) {
                self.put("network.width", first.clone());
            }
        }
    }

    fn flatten(&mut self, prefix: &str, table: toml::Table) {
        for (key, value) in table {
            let column = match (prefix, key.as_str()) {
                ("", _) => key,
                // Where a run lies is told by `run`.
                ("logging", "log_dir") => continue,
                ("run", "name" | "note" | "tags") => key,
                _ => format!("{prefix}.{key}"),
            };
            match value {
                toml::Value::Table(inner) => self.flatten(&column, inner),
                value => self.put(&column, serde_json::to_value(value).unwrap_or_default()),
            }
        }
    }

    fn read_results(&mut self) {
        let last = self.last_epoch();
        let epochs = last.as_ref().and_then(|epoch| epoch.get("epoch")).and_then(Value::as_u64).unwrap_or(0);
        let summary = self.summary().filter(|summary| {
            let told = summary.get("epochs").and_then(Value::as_u64).unwrap_or(0);
            // A summary that does not know the last epoch is that of an earlier end.
            told >= epochs && (told > 0 || !RunDirectory::is_busy(&self.path))
        });
        let status = match summary.as_ref().and_then(|summary| summary.get("status")?.as_str()) {
            Some("running") | None if RunDirectory::is_busy(&self.path) => "running",
            None | Some("running") => "interrupted",
            Some(status) => status,
        };
        let status = if self.damage.is_empty() { status } else { "damaged" };
        self.put("status", status.into());
        let held_out = self.number("data.validation_size");
        match &summary {
            Some(summary) => {
                for column in OF_EPOCH.iter().chain(&OF_SUMMARY) {
                    self.put(column, summary.get(*column).cloned().unwrap_or_default());
                }
                self.put("epochs", summary.get("epochs").cloned().unwrap_or_default());
            }
            None => {
                for column in OF_EPOCH {
                    let value = last.as_ref().and_then(|epoch| epoch.get(column)).cloned();
                    self.put(column, value.unwrap_or_default());
                }
                self.put("epochs", epochs.into());
                let split = held_out.map(|rows| if rows > 0.0 { "validation" } else { "test" });
                self.put("split", split.into());
            }
        }
        if self.get("split").and_then(Value::as_str) == Some("validation") {
            self.put("validation_accuracy", self.get("best_accuracy").cloned().unwrap_or_default());
        }
        if self.get("split").and_then(Value::as_str) == Some("test") {
            // Of a run without held-out rows these are the same; one that goes on has only the first.
            for (of_epoch, of_test) in
                [("accuracy", "test_accuracy"), ("head_accuracy", "test_head_accuracy")]
            {
                let known = self.get(of_test).or(self.get(of_epoch)).cloned();
                self.put(of_test, known.unwrap_or_default());
            }
        }
        let seconds = summary.as_ref().and_then(|summary| {
            let seconds = summary.get("seconds")?;
            Some(seconds.get("train")?.as_f64()? + seconds.get("eval")?.as_f64()?)
        });
        self.put("seconds", seconds.into());
    }

    fn summary(&mut self) -> Option<Map<String, Value>> {
        const NAME: &str = "summary.json";
        let text = self.text(NAME)?;
        serde_json::from_str(&text).map_err(|error| self.damaged(NAME, error)).ok()
    }

    /// The last whole line of metrics.jsonl.
    fn last_epoch(&mut self) -> Option<Map<String, Value>> {
        const NAME: &str = "metrics.jsonl";
        let text = self.text(NAME)?;
        let whole = text.get(..text.rfind('\n')?)?;
        let line = whole.lines().next_back()?;
        serde_json::from_str(line).map_err(|error| self.damaged(NAME, error)).ok()
    }
}

/// The columns that some of the records have, in the order in which tables show them.
pub fn columns(records: &[Record]) -> Vec<String> {
    let known: BTreeSet<&String> = records.iter().flat_map(|record| record.values.keys()).collect();
    let leading = LEADING.iter().filter(|column| known.iter().any(|other| other == *column));
    let is_fact = |column: &&&String| column.starts_with("run.");
    let rest = || known.iter().filter(|column| !LEADING.contains(&column.as_str()));
    let names = leading.map(|column| (*column).to_owned());
    let knobs = rest().filter(|column| !is_fact(column)).map(|column| (*column).clone());
    names.chain(knobs).chain(rest().filter(is_fact).map(|column| (*column).clone())).collect()
}

/// The column with this name or last part, `-` and `_` being the same; where several have the part, that of
/// `training` is meant. The error says what is wrong with the name.
pub fn column<'a>(columns: &'a [String], written: &str) -> Result<&'a str, String> {
    let name = written.replace('-', "_");
    if let Some(column) = columns.iter().find(|column| **column == name) {
        return Ok(column);
    }
    let last = |column: &str| column.rsplit('.').next().unwrap_or_default().to_owned();
    let found: Vec<&String> = columns.iter().filter(|column| last(column) == name).collect();
    let in_training = found.iter().find(|column| column.starts_with("training."));
    match (found.as_slice(), in_training) {
        ([column], _) => Ok(column),
        (_, Some(column)) => Ok(column),
        ([], _) => {
            let short = !name.contains('.');
            let parts: Vec<String> =
                columns.iter().map(|column| if short { last(column) } else { column.clone() }).collect();
            Err(format!("no run has a `{written}`{}", did_you_mean(&name, parts.iter().map(String::as_str))))
        }
        (several, _) => {
            let several: Vec<&str> = several.iter().map(|column| column.as_str()).collect();
            Err(format!("`{written}` may be {}", several.join(" or ")))
        }
    }
}
