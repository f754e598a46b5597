//! `results.csv` as cells and the axes they vary along.

use std::path::{Path, PathBuf};

use super::super::FigureError;

/// Legends spell out the keys of up to this many axes.
const SPELLED: usize = 2;

/// One row: a run.
#[derive(Clone, Debug)]
pub struct Cell {
    /// One value per key of the table, as written.
    pub values: Vec<String>,
    /// Final accuracy in percent, if the run got that far.
    pub accuracy: Option<f64>,
    pub run_dir: PathBuf,
}

/// One varying key.
#[derive(Clone, Debug)]
pub struct Axis {
    pub key: String,
    /// Its place in [`Cell::values`].
    pub column: usize,
    /// Distinct values: by size if all are numbers, else as they come.
    pub values: Vec<String>,
    /// Values lie between one another, so lines may join them.
    pub ordered: bool,
}

/// All cells of a sweep.
#[derive(Clone, Debug)]
pub struct Table {
    pub cells: Vec<Cell>,
    /// What varies, except the seed.
    pub axes: Vec<Axis>,
    /// Repeats, if there are any.
    pub seed: Option<Axis>,
}

impl Table {
    /// Reads `results.csv` of a sweep directory.
    pub fn read(folder: &Path) -> Result<Self, FigureError> {
        let path = folder.join("results.csv");
        if !path.is_file() {
            return Err(FigureError::NoResults { path: folder.to_owned(), kind: "sweep" });
        }
        let malformed = |error: csv::Error| FigureError::Malformed {
            path: path.clone(),
            line: error.position().map_or(0, |at| at.line() as usize),
            message: error.to_string(),
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).map_err(malformed)?;
        let header: Vec<String> = (reader.headers().map_err(malformed)?.iter()).map(str::to_owned).collect();
        let find = |name: &str| header.iter().position(|column| column == name);
        let (Some(accuracy), Some(run_dir)) = (find("accuracy"), find("run_dir")) else {
            return Err(FigureError::Malformed {
                path,
                line: 1,
                message: "columns `accuracy` and `run_dir` are missing".to_owned(),
            });
        };
        // Varying keys stand between the status and the results.
        let keys: Vec<usize> = (0..accuracy)
            .filter(|column| !matches!(header.get(*column).map(String::as_str), Some("cell" | "status")))
            .collect();
        let mut cells = Vec::new();
        for record in reader.records() {
            let record = record.map_err(malformed)?;
            let field = |column: usize| record.get(column).unwrap_or_default().trim().to_owned();
            cells.push(Cell {
                values: keys.iter().map(|column| field(*column)).collect(),
                accuracy: (field(accuracy).parse().ok())
                    .filter(|value: &f64| value.is_finite())
                    .map(|fraction| 100.0 * fraction),
                run_dir: folder.join(field(run_dir)),
            });
        }
        let axes =
            keys.iter().enumerate().filter_map(|(column, key)| Some(axis(header.get(*key)?, column, &cells)));
        let (mut seeds, axes): (Vec<Axis>, Vec<Axis>) = axes.partition(|axis| axis.short_key() == "seed");
        Ok(Self { cells, axes, seed: seeds.pop() })
    }

    /// Cells that have an accuracy, best first.
    pub fn ranked(&self) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.cells.iter().filter(|cell| cell.accuracy.is_some()).collect();
        cells.sort_by(|a, b| {
            let accuracy = |cell: &Cell| cell.accuracy.unwrap_or(f64::NEG_INFINITY);
            accuracy(b).total_cmp(&accuracy(a))
        });
        cells
    }

    /// A cell by its values: `depth 3, width 500, seed 1`.
    pub fn name(&self, cell: &Cell) -> String {
        let axes = varying(self.axes.iter().chain(&self.seed));
        settings(&axes, cell)
    }
}

/// Axes of more than one value.
pub fn varying<'a>(axes: impl IntoIterator<Item = &'a Axis>) -> Vec<&'a Axis> {
    axes.into_iter().filter(|axis| axis.values.len() > 1).collect()
}

fn settings(axes: &[&Axis], cell: &Cell) -> String {
    let parts: Vec<String> =
        (axes.iter()).map(|axis| format!("{} {}", axis.words(), axis.of(cell))).collect();
    parts.join(", ")
}

/// A cell's values along `axes` for a legend: without the keys if these are many.
pub fn legend_name(axes: &[&Axis], cell: &Cell) -> String {
    if axes.len() <= SPELLED {
        return settings(axes, cell);
    }
    let values: Vec<&str> = axes.iter().map(|axis| axis.of(cell)).collect();
    values.join(", ")
}

/// The keys that [`legend_name`] leaves out.
pub fn legend_key(axes: &[&Axis]) -> Option<String> {
    let words: Vec<String> = axes.iter().map(|axis| axis.words()).collect();
    (axes.len() > SPELLED).then(|| format!("colors: {}", words.join(", ")))
}

fn axis(key: &str, column: usize, cells: &[Cell]) -> Axis {
    let mut values: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for value in cells.iter().filter_map(|cell| cell.values.get(column)) {
        if seen.insert(value) {
            values.push(value.clone());
        }
    }
    let number = |value: &String| value.parse::<f64>().ok().filter(|v| v.is_finite());
    let numeric = values.iter().all(|value| number(value).is_some());
    if numeric {
        values.sort_by(|a, b| {
            let size = |value| number(value).unwrap_or(f64::NAN);
            size(a).total_cmp(&size(b))
        });
    }
    let mut axis = Axis { key: key.to_owned(), column, values, ordered: numeric };
    axis.ordered &= axis.short_key() != "seed";
    axis
}

impl Axis {
    /// This axis' value in a cell.
    pub fn of<'a>(&self, cell: &'a Cell) -> &'a str {
        cell.values.get(self.column).map_or("", String::as_str)
    }

    /// The last part of a dotted key.
    pub fn short_key(&self) -> &str {
        self.key.rsplit('.').next().unwrap_or(&self.key)
    }

    /// The key as people say it.
    pub fn words(&self) -> String {
        match self.short_key() {
            "function" => "goodness function".to_owned(),
            key => key.replace('_', " "),
        }
    }

    /// The key as an axis title, with its unit where it has one.
    pub fn title(&self) -> String {
        let known = match self.short_key() {
            "width" => "Width (units per layer)",
            "depth" => "Depth (layers)",
            "layer_sizes" => "Layer sizes (units)",
            "threshold" => "Threshold θ",
            "num_epochs" => "Training (epochs)",
            "batch_size" => "Batch size (images)",
            "jitter" => "Jitter (pixels)",
            _ => {
                let words = self.words();
                let mut letters = words.chars();
                let first = letters.next().map(|letter| letter.to_uppercase());
                return first.into_iter().flatten().chain(letters).collect();
            }
        };
        known.to_owned()
    }

    /// The key as part of a file name.
    pub fn file_name(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() { letter } else { '_' }
        };
        self.key.chars().map(plain).collect()
    }
}
