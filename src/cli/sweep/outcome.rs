//! What a sweep came to: for people, for programs, and as an exit code.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::{CliError, prose, report, table};
use crate::config::{Cell, Experiment};
use crate::run::Summary;
use crate::sweep::{CellStatus, Column, Criterion, Failure, Row, Tally, table as ranking, told};

/// Rows of the ranking that a terminal shows.
const SHOWN: usize = 20;
/// Failures that the last message names.
const NAMED: usize = 5;

#[derive(Serialize)]
struct Report<'a> {
    name: &'a str,
    log_dir: &'a str,
    #[serde(flatten)]
    tally: Tally,
    /// What the ranking of results.md and of the terminal is by.
    ranked_by: Criterion,
    results: Vec<CellReport<'a>>,
}

#[derive(Serialize)]
struct CellReport<'a> {
    cell: usize,
    status: CellStatus,
    name: Option<&'a str>,
    recipe: &'a str,
    values: Map<String, Value>,
    epochs: usize,
    parameters: Option<usize>,
    split: &'static str,
    accuracy: Option<f64>,
    best_accuracy: Option<f64>,
    test_accuracy: Option<f64>,
    head_accuracy: Option<f64>,
    test_head_accuracy: Option<f64>,
    train_loss: Option<f64>,
    val_loss: Option<f64>,
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    run_dir: &'a str,
}

/// Prints the results so far.
pub fn print(experiment: &Experiment, rows: &[Row], json: bool) -> Result<(), CliError> {
    let tally = Tally::new(rows);
    if json {
        let results = experiment.cells().iter().zip(rows).map(|(cell, row)| cell_report(cell, row)).collect();
        return report::print_json(&Report {
            name: &experiment.name,
            log_dir: &experiment.log_dir,
            tally,
            ranked_by: Criterion::of(rows),
            results,
        });
    }
    let mut text = format!("\n{}\n\n", told(&tally));
    let columns: Vec<table::Column> =
        ranking(&experiment.varying(), rows).into_iter().filter_map(shown).collect();
    let (lines, left_out) = table::render(&columns, table::terminal_width());
    text += &lines;
    let more = rows_of(&ranking(&experiment.varying(), rows)).saturating_sub(SHOWN);
    if more > 0 {
        text += &format!("… and {more} more\n");
    }
    if tally.done + tally.pruned > 0 {
        text += &format!("\n{}\n", prose::for_terminal(Criterion::of(rows).told(rows)));
    }
    if !left_out.is_empty() {
        let left_out = format!("left out for want of room: {}", left_out.join(", "));
        text += &format!("{}\n", prose::for_terminal(&left_out));
    }
    // Before the first results are gathered, and the figures drawn, there is nothing to point at.
    let is_there = |name: &&str| Path::new(&experiment.log_dir).join(name).exists();
    let there: Vec<&str> = ["results.csv", "results.md", "figures/"].into_iter().filter(is_there).collect();
    if !there.is_empty() {
        let results = format!("results  {}/{}", experiment.log_dir, there.join(", "));
        text += &format!("\n{}\n", prose::for_terminal(&results));
    }
    report::print(&text)
}

fn rows_of(columns: &[Column]) -> usize {
    columns.first().map_or(0, |column| column.fields.len())
}

/// A column of the ranking on a terminal: the first rows of it, with a brief title where room is scarce; none where
/// it says nothing.
fn shown(column: Column) -> Option<table::Column> {
    let Column { title, mut fields } = column;
    let (brief, dispensable) = match title.as_str() {
        "rank" => ("rank", 1),
        "best validation accuracy %" => ("validation %", 0),
        "test accuracy %" => ("test %", 0),
        "test head accuracy %" => ("test head %", 2),
        "train loss" => ("train loss", 4),
        "test loss" | "validation loss" | "held-out loss" => (title.as_str(), 5),
        "epochs" | "parameters" => (title.as_str(), 6),
        "recipe" => ("recipe", 7),
        "seconds" | "seeds" => (title.as_str(), 3),
        "status" => ("status", 2),
        _ => (title.as_str(), 1),
    };
    let says_nothing = match title.as_str() {
        "recipe" | "epochs" | "parameters" => fields.windows(2).all(|pair| pair[0] == pair[1]),
        "seeds" => fields.iter().all(|field| field == "1 of 1" || field == "0 of 1"),
        _ => fields.iter().all(|field| field == "–"),
    };
    fields.truncate(SHOWN);
    (!says_nothing).then(|| table::Column::new(title.clone(), fields, dispensable).brief(brief))
}

fn cell_report<'a>(cell: &Cell, row: &'a Row) -> CellReport<'a> {
    let figure = |pick: fn(&Summary) -> Option<f64>| row.results().and_then(pick);
    CellReport {
        cell: row.cell,
        status: row.status,
        name: row.name.as_deref(),
        recipe: &row.recipe,
        values: values(cell),
        epochs: row.summary.as_ref().map_or(0, |summary| summary.epochs),
        parameters: row.summary.as_ref().map(|summary| summary.parameters),
        split: row.split(),
        accuracy: figure(|summary| summary.accuracy),
        best_accuracy: figure(|summary| summary.best_accuracy),
        test_accuracy: figure(|summary| summary.test_accuracy),
        head_accuracy: figure(|summary| summary.head_accuracy),
        test_head_accuracy: figure(|summary| summary.test_head_accuracy),
        train_loss: figure(|summary| summary.train_loss),
        val_loss: figure(|summary| summary.val_loss),
        seconds: row.seconds(),
        error: (row.status == CellStatus::Failed).then(|| row.reason()),
        run_dir: &row.run_dir,
    }
}

/// The varying knobs of a cell for programs.
pub fn values(cell: &Cell) -> Map<String, Value> {
    let value = |value: &toml::Value| serde_json::to_value(value).unwrap_or_default();
    cell.varying.iter().map(|(key, given)| (key.clone(), value(given))).collect()
}

/// Columns under each other, two spaces apart.
pub fn aligned(table: &[Vec<String>]) -> String {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| table.iter().filter_map(|row| row.get(at)).map(|text| text.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in table {
        let padded = row.iter().zip(&widths).map(|(field, &width)| format!("{field:width$}"));
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// Whether the sweep ended well: no cell that was asked for failed, now or before, and none was cut short.
pub fn judge(rows: &[Row], failures: &[Failure], asked: impl Fn(usize) -> bool) -> Result<(), CliError> {
    let asked: Vec<&Row> = rows.iter().filter(|row| asked(row.cell)).collect();
    let mut failed: Vec<(usize, &str)> = Vec::new();
    for row in &asked {
        let here = failures.iter().find(|failure| failure.cell == row.cell);
        match here {
            Some(failure) => failed.push((row.cell, &failure.message)),
            None if row.status == CellStatus::Failed => failed.push((row.cell, row.reason())),
            None => {}
        }
    }
    let mut parts = Vec::new();
    let is_open = |row: &&Row| {
        let here = failures.iter().any(|failure| failure.cell == row.cell);
        !here && !matches!(row.status, CellStatus::Done | CellStatus::Failed | CellStatus::Pruned)
    };
    if asked.iter().copied().any(|row| is_open(&row)) {
        let done = asked.iter().filter(|row| row.results().is_some()).count();
        parts.push(format!(
            "stopped with {done} of {} cells done; the same command goes on from there",
            asked.len()
        ));
    }
    if !failed.is_empty() {
        let mut named: Vec<String> =
            failed.iter().take(NAMED).map(|(cell, reason)| format!("cell {cell}: {reason}")).collect();
        if failed.len() > NAMED {
            named.push(format!("and {} more", failed.len() - NAMED));
        }
        parts.push(format!("{} of {} cells failed: {}", failed.len(), asked.len(), named.join("; ")));
    }
    if parts.is_empty() { Ok(()) } else { Err(CliError::stopped(parts.join("; "))) }
}
