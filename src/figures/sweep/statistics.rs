//! Mean and standard deviation of a group of cells.

use super::super::caption::counted;
use super::axis::Axis;
use super::cell::Cell;
use super::table::Table;

pub use crate::metrics::Mean as Statistics;

/// Of the final accuracies of cells with all their epochs, in percent; `None` if there is none.
pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<Statistics> {
    Statistics::of(cells.filter_map(Cell::final_accuracy))
}

/// The same of cells that are repeats of one setting; a mean over different settings has no deviation that would say
/// anything of chance.
pub fn of_repeats<'a>(cells: impl Iterator<Item = &'a Cell>, pooled: &[&Axis]) -> Option<Statistics> {
    let statistics = of(cells)?;
    Some(if pooled.is_empty() { statistics } else { Statistics { deviation: None, ..statistics } })
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
        _ => format!("mean over {up_to}{most} cells: {}", joined(&parts)),
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
