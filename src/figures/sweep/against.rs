//! The setting that others are compared with, and which of their cells may be.

use std::collections::HashMap;

use super::super::FigureError;
use super::axis::Axis;
use super::cell::Cell;
use super::table::Table;
use crate::config::did_you_mean;

/// More settings than this are not listed in a message.
const LISTED: usize = 12;

/// A value of an axis: the setting of the cells that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Against {
    /// The axis.
    pub axis: Axis,
    /// The value's place among those of the axis.
    pub place: usize,
}

impl Against {
    /// The setting that is called so: a cell's name, or a value of a knob that varies, with or without `KEY=` before it.
    pub fn find(table: &Table, asked: &str) -> Result<Self, FigureError> {
        let is_key = |key: &str| table.axes.iter().any(|axis| axis.is_called(key));
        let (key, value) = match asked.split_once('=') {
            Some((key, value)) if is_key(key) => (Some(key), value),
            _ => (None, asked),
        };
        let axes = || table.axes.iter().filter(|axis| key.is_none_or(|key| axis.is_called(key)));
        let named = |axis: &Axis| Some(Against { axis: axis.clone(), place: axis.place(value)? });
        let mut found: Vec<Self> = axes().filter_map(named).collect();
        if found.len() > 1 {
            let settings = found.iter().map(|found| format!("{}={value}", found.axis.key)).collect();
            return Err(FigureError::ManySettings { asked: asked.to_owned(), settings });
        }
        found.pop().ok_or_else(|| {
            let known: Vec<&str> =
                axes().flat_map(|axis| &axis.labels).map(String::as_str).take(LISTED).collect();
            let hint = match did_you_mean(value, known.iter().copied()) {
                near if !near.is_empty() => near,
                _ if known.is_empty() => "; none varies".to_owned(),
                _ => format!("; there are {}", known.join(", ")),
            };
            FigureError::NoSetting { asked: asked.to_owned(), hint }
        })
    }

    /// What it is called: a number with its knob.
    pub fn label(&self) -> String {
        match self.axis.is_ordered() {
            true => self.axis.told(self.place),
            false => self.axis.labels.get(self.place).cloned().unwrap_or_default(),
        }
    }

    /// Whether a cell has this setting.
    pub fn holds(&self, cell: &Cell) -> bool {
        self.axis.index(cell) == self.place
    }

    /// Finished cells of other settings, and of each how many percentage points better it is than the cell of this one
    /// that shares all else with it, its seed too; none where that is not finished.
    pub fn differences<'a>(&self, table: &'a Table) -> Vec<(&'a Cell, Option<f64>)> {
        let all_else: Vec<&Axis> =
            table.varying().into_iter().filter(|axis| axis.key != self.axis.key).collect();
        let key = |cell: &Cell| all_else.iter().map(|axis| axis.index(cell)).collect::<Vec<_>>();
        let finished = || table.cells.iter().filter_map(|cell| Some((cell, cell.final_accuracy()?)));
        let ours: HashMap<Vec<usize>, f64> = finished()
            .filter(|(cell, _)| self.holds(cell))
            .map(|(cell, accuracy)| (key(cell), accuracy))
            .collect();
        finished()
            .filter(|(cell, _)| !self.holds(cell))
            .map(|(cell, accuracy)| (cell, ours.get(&key(cell)).map(|ours| accuracy - ours)))
            .collect()
    }
}
