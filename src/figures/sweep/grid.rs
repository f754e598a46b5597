//! Whether cells lie on a grid or were drawn at random.

use std::collections::HashSet;

use super::axis::Axis;
use super::table::Table;

/// Tables of more rows or columns are no longer read.
const MOST: usize = 60;

fn settings(table: &Table, axes: &[&Axis]) -> usize {
    let setting = |cell| axes.iter().map(|axis| axis.index(cell)).collect::<Vec<_>>();
    table.cells.iter().map(setting).collect::<HashSet<_>>().len()
}

/// Cells fill a table of two axes well enough for it not to be mostly holes.
pub fn is_filled(table: &Table, rows: &Axis, columns: &Axis) -> bool {
    let (height, width) = (rows.values.len(), columns.values.len());
    height.max(width) <= MOST && 3 * settings(table, &[rows, columns]) >= height * width
}

/// Every combination of the axes' values has its cells.
pub fn is_complete(table: &Table) -> bool {
    let axes: Vec<&Axis> = table.axes.iter().collect();
    let all = axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.values.len()));
    Some(settings(table, &axes)) == all
}
