//! Mean and standard deviation of a group of cells.

use super::super::story::counted;
use super::axis::Axis;
use super::table::{Cell, Table};

/// Of the accuracies of some cells, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    pub mean: f64,
    /// Sample standard deviation; absent for a single value.
    pub deviation: Option<f64>,
    /// Cells it is of.
    pub count: usize,
}

/// Of cells with all their epochs; `None` if there is none.
pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<Statistics> {
    let values: Vec<f64> = cells.filter_map(Cell::final_accuracy).collect();
    let count = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
    Some(Statistics { mean, deviation, count: values.len() })
}

/// What means and deviations are taken over, in words: seeds alone, or cells that differ in other axes too.
pub fn over(table: &Table, pooled: &[&Axis], shown: &[Statistics]) -> Option<String> {
    let most = shown.iter().map(|statistics| statistics.count).max().filter(|count| *count > 1)?;
    let up_to = if shown.iter().all(|statistics| statistics.count == most) { "" } else { "up to " };
    let parts =
        pooled.iter().map(|axis| axis.words.clone()).chain(table.seed.iter().map(|_| "seeds".to_owned()));
    let parts: Vec<String> = parts.collect();
    Some(match pooled {
        [] => format!("mean ± sd over {up_to}{}", counted(most, "seed")),
        _ => format!("mean ± sd over {up_to}{most} cells: {}", joined(&parts)),
    })
}

/// `a, b and c`.
fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
