//! `results.csv` as cells and the axes they vary along.

use std::path::{Path, PathBuf};

use super::super::results::Run;
use super::super::{FigureError, reading::malformed, reading::read_text};
use super::axis::{Axis, NAME};
use super::cell::{Cell, State};
use super::ranges::Ranges;
use crate::files::text::from_spreadsheet;

/// All cells of a sweep.
#[derive(Clone, Debug)]
pub struct Table {
    pub cells: Vec<Cell>,
    /// What varies, except the seed: knobs, and the names of `[[cell]]` where all cells have one.
    pub axes: Vec<Axis>,
    /// What varies too, and follows from a cell's name.
    told_by_name: Vec<Axis>,
    /// Repeats, if there are any.
    pub seed: Option<Axis>,
    /// The accuracy that was asked for, in words.
    metric: Option<String>,
}

impl Table {
    /// Reads `results.csv` of a sweep directory, and what its cells have saved. Cells whose files are damaged
    /// are told in `damage`; `ranges` says which axes have a scale.
    pub fn read(
        folder: &Path,
        metric: Option<&str>,
        ranges: &Ranges,
        damage: &mut Vec<FigureError>,
    ) -> Result<Self, FigureError> {
        let path = folder.join("results.csv");
        let Some(text) = read_text(&path)? else {
            return Err(FigureError::NoResults { path: folder.to_owned(), kind: "sweep" });
        };
        let (keys, rows) = parse(&path, &text, metric)?;
        let mut cells = Vec::new();
        for row in rows {
            let run = match Run::read_progress(&folder.join(&row.run_dir)) {
                Ok(run) => Some(run),
                Err(error) => {
                    damage.push(error);
                    None
                }
            };
            let mut cell = Cell { values: row.values, state: row.state, accuracy: row.accuracy, run };
            if metric.is_none() {
                cell.catch_up();
            }
            cells.push(cell);
        }
        let values = |column: usize| cells.iter().filter_map(move |cell| cell.values.get(column));
        let axis = |(column, key): (usize, &String)| Axis::new(key, &keys, column, values(column), ranges);
        let axes = keys.iter().enumerate().map(axis);
        let (mut seeds, axes): (Vec<Axis>, Vec<Axis>) =
            axes.filter(|axis| axis.values.len() > 1).partition(Axis::is_seed);
        let name = axes.iter().find(|axis| axis.is_name()).cloned();
        let follows =
            |axis: &Axis| name.as_ref().is_some_and(|name| !axis.is_name() && name.decides(axis, &cells));
        let (told_by_name, axes) = axes.into_iter().partition(follows);
        let metric = metric.map(|name| name.replace('_', " "));
        Ok(Self { cells, axes, told_by_name, seed: seeds.pop(), metric })
    }

    /// Cells with all their epochs, best first.
    pub fn ranked(&self) -> Vec<&Cell> {
        let accuracy = |cell: &Cell| cell.final_accuracy().unwrap_or(f64::NEG_INFINITY);
        let mut cells: Vec<&Cell> =
            self.cells.iter().filter(|cell| cell.final_accuracy().is_some()).collect();
        cells.sort_by(|a, b| accuracy(b).total_cmp(&accuracy(a)));
        cells
    }

    /// The axis of a key, by its dotted name or last part.
    pub fn axis(&self, key: &str) -> Option<&Axis> {
        let mut varying = self.axes.iter().chain(&self.seed).chain(&self.told_by_name);
        varying.find(|axis| axis.is_called(key))
    }

    /// Whether settings are compared that are no numbers.
    pub fn is_comparison(&self) -> bool {
        self.axes.iter().any(|axis| !axis.is_ordered())
    }

    /// Axes with more than one value, the seed last.
    pub fn varying(&self) -> Vec<&Axis> {
        self.axes.iter().chain(&self.seed).collect()
    }

    /// How many cells are how far: `36 cells: 30 done, 4 pruned, 2 failed`.
    pub fn tally(&self) -> String {
        let total = super::super::caption::counted(self.cells.len(), "cell");
        let count = |state| self.cells.iter().filter(|cell| cell.state == state).count();
        if count(State::Done) == self.cells.len() {
            return total;
        }
        let parts = State::ALL.into_iter().filter(|state| count(*state) > 0);
        let parts: Vec<String> = parts.map(|state| format!("{} {}", count(state), state.words())).collect();
        format!("{total}: {}", parts.join(", "))
    }

    /// The accuracy that was asked for, in words; of none the usual one ranks.
    pub fn metric(&self) -> Option<&str> {
        self.metric.as_deref()
    }

    /// Rows that accuracies are measured on, for titles.
    pub fn split(&self) -> &str {
        let mut splits = self.cells.iter().filter_map(|cell| cell.run.as_ref()?.split());
        let first = splits.next().unwrap_or("");
        if splits.all(|split| split == first) { first } else { "validation or test" }
    }

    /// What an axis of accuracies of epochs is called.
    pub fn epoch_title(&self) -> String {
        super::super::caption::capitalized(format!("{} accuracy (%)", self.split()).trim())
    }

    /// What an axis of the cells' accuracies is called.
    pub fn accuracy_title(&self) -> String {
        if let Some(metric) = &self.metric {
            return super::super::caption::capitalized(&format!("{metric} (%)"));
        }
        match self.split() {
            "validation" => "Best validation accuracy (%)".to_owned(),
            split => super::super::caption::capitalized(format!("{split} accuracy (%)").trim()),
        }
    }
}

/// A row as it is written.
struct Row {
    values: Vec<String>,
    state: State,
    accuracy: Option<f64>,
    run_dir: PathBuf,
}

/// The keys that vary, and the rows.
fn parse(path: &Path, text: &str, metric: Option<&str>) -> Result<(Vec<String>, Vec<Row>), FigureError> {
    let broken = |error: csv::Error| {
        let line = error.position().map_or(0, |at| at.line() as usize);
        let message = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} fields; it must have {expected_len}, as the header has")
            }
            _ => error.to_string(),
        };
        malformed(path, line, &message)
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = (reader.headers().map_err(broken)?.iter()).map(str::to_owned).collect();
    let find = |name: &str| header.iter().position(|column| column == name);
    let (Some(accuracy), Some(run_dir)) = (find("accuracy"), find("run_dir")) else {
        return Err(malformed(path, 1, "the header must have the columns `accuracy` and `run_dir`"));
    };
    let (status, split, best) = (find("status"), find("split"), find("best_accuracy"));
    let measured = match metric {
        None => None,
        Some(name) => match find(name) {
            Some(column) => Some(column),
            None => return Err(malformed(path, 1, &format!("there is no column `{name}`"))),
        },
    };
    // Varying keys stand between the status and the results, the cells' names behind these.
    let is_key = |column: &usize| !matches!(header.get(*column).map(String::as_str), Some("cell" | "status"));
    let name = find(NAME).filter(|column| *column > accuracy);
    let keys: Vec<usize> = (0..accuracy).filter(is_key).chain(name).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let line = record.position().map_or(0, |at| at.line() as usize);
        let field = |column: usize| record.get(column).unwrap_or_default().trim();
        // Held-out rows choose the best epoch's weights: theirs is the accuracy that ranks.
        let chosen = split.map(field) == Some("validation");
        let accuracy = measured.or(best.filter(|_| chosen)).unwrap_or(accuracy);
        let fraction: Option<f64> = match field(accuracy) {
            "" => None,
            number => Some(number.parse().map_err(|_| {
                malformed(path, line, &format!("accuracy `{number}`; it must be a fraction, or nothing"))
            })?),
        };
        let percent = fraction.filter(|fraction| fraction.is_finite()).map(|fraction| 100.0 * fraction);
        let state = match status.map(field) {
            None if percent.is_some() => State::Done,
            None => State::Pending,
            Some(word) => State::of_word(word).ok_or_else(|| {
                malformed(
                    path,
                    line,
                    &format!(
                        "status `{word}`; it must be done, pruned, failed, running, interrupted or pending"
                    ),
                )
            })?,
        };
        rows.push(Row {
            values: keys.iter().map(|column| from_spreadsheet(field(*column)).to_owned()).collect(),
            state,
            accuracy: percent,
            run_dir: PathBuf::from(from_spreadsheet(field(run_dir))),
        });
    }
    if rows.is_empty() {
        return Err(malformed(path, 0, "it must have a line for each cell, and has none"));
    }
    let mut keys: Vec<String> = keys.iter().filter_map(|column| header.get(*column).cloned()).collect();
    let has_name = |row: &Row| row.values.last().is_some_and(|name| !name.is_empty());
    if name.is_some() && !rows.iter().all(has_name) {
        keys.pop();
        rows.iter_mut().for_each(|row| drop(row.values.pop()));
    }
    Ok((keys, rows))
}
