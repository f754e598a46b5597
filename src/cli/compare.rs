//! `ff compare`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::runs::field;
use super::table::{self, Column};
use super::{CliError, report};
use crate::comparison::{LEADING, Record, differing, is_run};
use crate::figures::{FigureError, Format, draw_overlaid, shared_figure};

/// Show what differs between runs, and their results beside one another.
#[derive(Args)]
pub struct Compare {
    /// Run directories, two or more
    #[arg(value_name = "RUN", num_args = 2.., required = true)]
    runs: Vec<PathBuf>,
    /// File of the figure of their curves, PNG, SVG or PDF [default: figures/compared_curves.png in the folder that
    /// holds the runs]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_figure", "json"])]
    figure: Option<PathBuf>,
    /// Draw no figure
    #[arg(long)]
    no_figure: bool,
    /// One JSON object on stdout and no figure: what differs, and the results of each run
    #[arg(long)]
    json: bool,
}

/// Facts of `[run]` and the knobs that only say where and how a run was computed and logged.
fn is_circumstance(column: &str) -> bool {
    ["run.", "backend.", "logging."].iter().any(|table| column.starts_with(table))
        || column == "data.data_dir"
}

/// What a run is called, not how it went.
const NAMES: [&str; 4] = ["run", "name", "tags", "note"];

impl Compare {
    /// Reads, prints and draws.
    pub fn run(self) -> Result<(), CliError> {
        for path in &self.runs {
            if !is_run(path) {
                return Err(CliError::request(format!(
                    "{}: not a run directory; `ff runs FOLDER` lists the runs below a folder",
                    path.display()
                )));
            }
        }
        if let Some(file) = &self.figure {
            Format::of(file).map_err(|error| CliError::request(format!("--figure: {error}")))?;
        }
        let records: Vec<Record> = self.runs.iter().map(|path| Record::read(path)).collect();
        for damage in records.iter().flat_map(|record| &record.damage) {
            report::say(&format!("warning: {damage}"));
        }
        let changed = differing(&records);
        let (named, rest): (Vec<_>, Vec<_>) =
            changed.iter().partition(|column| NAMES.contains(&column.as_str()));
        let rest = rest.into_iter().filter(|column| !LEADING.contains(&column.as_str()));
        let (circumstances, knobs): (Vec<_>, Vec<_>) = rest.partition(|column| is_circumstance(column));
        if self.json {
            return self.print_json(&records, &knobs, &circumstances);
        }
        let titles = titles(&self.runs);
        let mut text = String::new();
        let named: Vec<&String> = named.into_iter().filter(|column| *column != "run").collect();
        if !named.is_empty() {
            text += &section("names", &titles, &records, &named, false);
        }
        match knobs.is_empty() {
            true => text += "every knob that changes numbers is the same\n\n",
            false => text += &section("knobs that differ", &titles, &records, &knobs, false),
        }
        if !circumstances.is_empty() {
            text += &section("circumstances that differ", &titles, &records, &circumstances, false);
        }
        let is_result = |column: &&&str| {
            !NAMES.contains(*column) && records.iter().any(|record| record.get(column).is_some())
        };
        let results: Vec<String> =
            LEADING.iter().filter(is_result).map(|column| (*column).to_owned()).collect();
        text += &section("results", &titles, &records, &results.iter().collect::<Vec<_>>(), true);
        report::print(&text)?;
        if self.no_figure {
            return Ok(());
        }
        self.draw(&titles)
    }

    fn draw(&self, titles: &[String]) -> Result<(), CliError> {
        let file = self.figure.clone().unwrap_or_else(|| shared_figure(&self.runs));
        let runs: Vec<(String, PathBuf)> = titles.iter().cloned().zip(self.runs.iter().cloned()).collect();
        let format = Format::of(&file).unwrap_or_default();
        match draw_overlaid(&runs, &file, format) {
            Ok(written) => {
                let file = written.first().unwrap_or(&file);
                report::print(&format!("curves  {}\n", file.display()))
            }
            Err(error @ (FigureError::Write { .. } | FigureError::Draw(_))) => Err(CliError::failed(error)),
            Err(error) => Err(CliError::request(error)),
        }
    }

    fn print_json(
        &self,
        records: &[Record],
        knobs: &[&String],
        circumstances: &[&String],
    ) -> Result<(), CliError> {
        let values = |columns: &[&String]| -> Map<String, Value> {
            let of_all = |column: &str| -> Value {
                records.iter().map(|record| record.get(column).cloned().unwrap_or_default()).collect()
            };
            columns.iter().map(|column| ((*column).clone(), of_all(column))).collect()
        };
        let results: Vec<String> = LEADING.iter().skip(1).map(|column| (*column).to_owned()).collect();
        report::print_json(&json!({
            "runs": self.runs,
            "knobs": values(knobs),
            "circumstances": values(circumstances),
            "results": values(&results.iter().collect::<Vec<_>>()),
        }))
    }
}

/// Paths as short as tells them apart: without the folders that all of them lie in.
pub fn titles(paths: &[PathBuf]) -> Vec<String> {
    let shared = crate::figures::shared_folder(paths);
    let short = |path: &PathBuf| match path.strip_prefix(&shared) {
        Ok(rest) if rest.components().next().is_some() => rest.display().to_string(),
        _ => path.display().to_string(),
    };
    paths.iter().map(short).collect()
}

/// A table of some columns of the records, one line a column of theirs; of two runs' numbers the difference too.
fn section(
    title: &str,
    titles: &[String],
    records: &[Record],
    columns: &[&String],
    with_change: bool,
) -> String {
    let names = columns.iter().map(|column| (*column).clone()).collect();
    let mut table = vec![Column::new(title, names, 0)];
    for (title, record) in titles.iter().zip(records) {
        let fields = columns.iter().map(|column| told(record, column)).collect();
        table.push(Column::new(title, fields, 0));
    }
    if let (true, [first, second]) = (with_change, records) {
        let change = |column: &&String| match (first.number(column), second.number(column)) {
            (Some(a), Some(b)) if column.ends_with("accuracy") || column.ends_with("loss") => {
                format!("{:+.4}", b - a)
            }
            _ => String::new(),
        };
        table.push(Column::new("change", columns.iter().map(change).collect(), 1));
    }
    let (text, _) = table::render(&table, table::terminal_width());
    text + "\n"
}

fn told(record: &Record, column: &str) -> String {
    match record.get(column) {
        // Of a checksum the beginning tells enough.
        Some(Value::String(text))
            if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            text.chars().take(12).collect::<String>() + "…"
        }
        _ => field(record, column),
    }
}
