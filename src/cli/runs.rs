//! `ff runs`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::table::{self, Column};
use super::{CliError, report};
use crate::comparison::{Condition, LEADING, Record, column, columns, differing, find, shown_value};
use crate::files::text::for_spreadsheet;

/// List the runs and cells below folders beside one another.
#[derive(Args)]
pub struct Runs {
    /// Folders to look in, or run directories [default: runs]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Order by a knob or a result; -KEY for the largest first
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Only runs that meet a condition on a knob or a result, such as accuracy>0.98; repeatable, all must hold.
    /// Several are joined by `and` or commas; a value that holds such a word is quoted
    #[arg(long, value_name = "CONDITION")]
    filter: Vec<String>,
    /// Only columns whose values differ
    #[arg(long)]
    only_changed: bool,
    /// All columns as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// All columns as a JSON array of one object per run
    #[arg(long)]
    json: bool,
}

impl Runs {
    /// Finds, filters, sorts and prints.
    pub fn run(self) -> Result<(), CliError> {
        let mut records = self.read()?;
        let mut known: Vec<String> = LEADING.map(str::to_owned).to_vec();
        known.extend(columns(&records).into_iter().filter(|column| !LEADING.contains(&column.as_str())));
        let mut conditions = Vec::new();
        for text in self.filter.iter().filter(|_| !records.is_empty()) {
            let parsed = Condition::parse(text, &known);
            conditions.extend(parsed.map_err(|error| CliError::request(format!("--filter: {error}")))?);
        }
        let found = records.len();
        records.retain(|record| conditions.iter().all(|condition| condition.holds(record)));
        if let Some(key) = self.sort.as_ref().filter(|_| found > 0) {
            sort(&mut records, &known, key)?;
        }
        let shown = match self.only_changed && records.len() > 1 {
            true => differing(&records),
            false => columns(&records),
        };
        if self.json {
            return report::print_json(&objects(&records, &shown));
        }
        if self.csv {
            return print_csv(&records, &shown);
        }
        if records.is_empty() {
            let all =
                if found == 0 { "no runs here".into() } else { format!("none of {found} runs does that") };
            report::say(&all);
            return Ok(());
        }
        print_table(&records, self.only_changed)
    }

    fn read(&self) -> Result<Vec<Record>, CliError> {
        let default = [PathBuf::from("runs")];
        let folders = if self.folders.is_empty() { &default[..] } else { &self.folders };
        let mut records = Vec::new();
        for folder in folders {
            if !folder.is_dir() {
                let hint = if self.folders.is_empty() { "; name the folder of your runs" } else { "" };
                return Err(CliError::request(format!("{}: no such folder{hint}", folder.display())));
            }
            let found = find(folder);
            found.notes.iter().for_each(|note| report::say(&format!("warning: {note}")));
            records.extend(found.runs.iter().map(|path| Record::read(path)));
        }
        for damage in records.iter().flat_map(|record| &record.damage) {
            report::say(&format!("warning: {damage}"));
        }
        Ok(records)
    }
}

/// Runs that do not know the value come last, whatever the direction.
fn sort(records: &mut [Record], known: &[String], key: &str) -> Result<(), CliError> {
    let (descending, name) = match key.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, key),
    };
    let by = column(known, name).map_err(|error| CliError::request(format!("--sort: {error}")))?;
    records.sort_by(|a, b| {
        let (a, b) = (a.get(by), b.get(by));
        let order = match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.map(shown_value).cmp(&b.map(shown_value)),
        };
        let order = if descending { order.reverse() } else { order };
        a.is_none().cmp(&b.is_none()).then(order)
    });
    Ok(())
}

fn objects(records: &[Record], shown: &[String]) -> Vec<Map<String, Value>> {
    let object = |record: &Record| {
        let values = shown.iter().filter_map(|column| Some((column.clone(), record.get(column)?.clone())));
        let run = ("run".to_owned(), record.get("run").cloned().unwrap_or_default());
        [run].into_iter().chain(values).collect()
    };
    records.iter().map(object).collect()
}

fn print_csv(records: &[Record], shown: &[String]) -> Result<(), CliError> {
    let mut shown = shown.to_vec();
    if !shown.iter().any(|column| column == "run") {
        shown.insert(0, "run".into());
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields = |record: &Record| -> Vec<String> {
        let field = |column: &String| record.get(column).map(|value| for_spreadsheet(&shown_value(value)));
        shown.iter().map(|column| field(column).unwrap_or_default()).collect()
    };
    writer.write_record(&shown).map_err(CliError::failed)?;
    for record in records {
        writer.write_record(fields(record)).map_err(CliError::failed)?;
    }
    let bytes = writer.into_inner().map_err(CliError::failed)?;
    report::print(&String::from_utf8_lossy(&bytes))
}

/// Results that a table shows, and how readily they are left out.
const RESULTS: [(&str, u8); 7] = [
    ("epochs", 3),
    ("validation_accuracy", 0),
    ("test_accuracy", 0),
    ("test_head_accuracy", 2),
    ("train_loss", 5),
    ("parameters", 6),
    ("seconds", 4),
];

fn print_table(records: &[Record], only_changed: bool) -> Result<(), CliError> {
    let changed = differing(records);
    let differs = |column: &str| changed.iter().any(|other| other == column);
    let is_shown = |column: &str| {
        let known = records.iter().any(|record| record.get(column).is_some());
        known && (!only_changed || records.len() == 1 || differs(column))
    };
    let mut chosen: Vec<(&str, u8)> = vec![("run", 0)];
    chosen.extend([("name", 1), ("tags", 4), ("status", 2)].iter().filter(|(column, _)| is_shown(column)));
    let knobs = changed_knobs(records, &changed);
    chosen.extend(knobs.iter().map(|knob| (*knob, 1)));
    chosen.extend(RESULTS.iter().filter(|(column, _)| is_shown(column)));
    let columns: Vec<Column> = chosen
        .iter()
        .map(|(column, dispensable)| {
            let fields = records.iter().map(|record| field(record, column)).collect();
            Column::new(title(column, &knobs), fields, *dispensable).brief(brief(&title(column, &knobs)))
        })
        .collect();
    let (text, left_out) = table::render(&columns, table::terminal_width());
    let count = if records.len() == 1 { "1 run".into() } else { format!("{} runs", records.len()) };
    let note = match left_out.is_empty() {
        true => String::new(),
        false => format!("; left out for want of room: {}", left_out.join(", ")),
    };
    report::print(&format!("{text}\n{count}{note}\n"))
}

/// The knobs that differ and may have made a difference.
pub fn changed_knobs<'a>(records: &[Record], changed: &'a [String]) -> Vec<&'a str> {
    let even = records.iter().all(|record| record.get("network.width").is_some());
    let beside = |column: &str| match column {
        "network.layer_sizes" => even,
        "network.depth" | "network.width" => !even,
        "backend.threads" | "data.data_dir" => true,
        _ => ["run.", "logging."].iter().any(|table| column.starts_with(table)),
    };
    let knobs = changed.iter().map(String::as_str);
    knobs.filter(|column| !LEADING.contains(column) && !beside(column)).collect()
}

/// The last part of a knob's name where it is the only one shown with it.
fn title(column: &str, knobs: &[&str]) -> String {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let own = last(column);
    let alike = knobs.iter().filter(|knob| last(knob) == own).count();
    if alike > 1 { column.to_owned() } else { own }
}

/// A title where room is scarce.
fn brief(title: &str) -> &str {
    match title {
        "validation_accuracy" => "validation",
        "test_accuracy" => "test",
        "test_head_accuracy" => "test head",
        "train_loss" => "loss",
        other => other,
    }
}

/// A value for people: measured numbers with the digits that matter.
pub fn field(record: &Record, column: &str) -> String {
    let Some(value) = record.get(column) else { return "–".into() };
    match value.as_f64() {
        Some(number) if column.ends_with("accuracy") || column.ends_with("loss") => format!("{number:.4}"),
        Some(seconds) if column == "seconds" => format!("{seconds:.1}"),
        _ => shown_value(value),
    }
}
