//! Which cells make up one line of a figure along an axis.

use std::collections::BTreeMap;

use super::axis::{Axis, legend_key, legend_name};
use super::cell::Cell;
use super::grid;
use super::table::Table;

/// More lines than this in a figure are not told apart.
const LINES: usize = 8;

/// Cells that make up one line.
pub struct Line<'a> {
    /// Their setting of the axes that tell lines apart, for a legend.
    pub name: String,
    /// The cells.
    pub cells: Vec<&'a Cell>,
}

/// How the cells are shown.
pub struct Plan<'a> {
    /// The lines.
    pub lines: Vec<Line<'a>>,
    /// What the names of the lines leave out.
    pub key: Option<String>,
    /// Axes that are averaged over.
    pub pooled: Vec<&'a Axis>,
    /// Each cell has a dot of its own.
    pub apart: bool,
}

/// Settings of the other axes have lines of their own as long as these are few, else those of one axis; cells drawn at
/// random are dots.
pub fn plan<'a>(table: &'a Table, axis: &Axis) -> Plan<'a> {
    let others: Vec<&Axis> = table.axes.iter().filter(|other| other.key != axis.key).collect();
    let lines = group(&table.cells, &others);
    if lines.len() <= LINES {
        let key = legend_key(&others).filter(|_| lines.len() > 1);
        return Plan { lines, key, pooled: Vec::new(), apart: false };
    }
    let all = || Line { name: String::new(), cells: table.cells.iter().collect() };
    if !grid::is_complete(table) {
        return Plan { lines: vec![all()], key: None, pooled: Vec::new(), apart: true };
    }
    let second =
        others.iter().filter(|other| other.values.len() <= LINES).max_by_key(|other| other.values.len());
    let lines = match second {
        Some(second) => group(&table.cells, &[second]),
        None => vec![all()],
    };
    let is_pooled = |other: &&Axis| second.is_none_or(|second| second.key != other.key);
    Plan { lines, key: None, pooled: others.iter().copied().filter(is_pooled).collect(), apart: false }
}

/// Cells by their setting of some axes, in the axes' own order, so that 500 comes before 1000.
pub fn group<'a>(cells: &'a [Cell], axes: &[&Axis]) -> Vec<Line<'a>> {
    let mut groups: BTreeMap<Vec<usize>, Line> = BTreeMap::new();
    for cell in cells {
        let group = groups.entry(axes.iter().map(|axis| axis.index(cell)).collect());
        group.or_insert_with(|| Line { name: legend_name(axes, cell), cells: Vec::new() }).cells.push(cell);
    }
    groups.into_values().collect()
}
