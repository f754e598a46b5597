//! Figures over all cells of a sweep.

mod accuracy;
mod axis;
mod cell;
mod grid;
mod heatmap;
mod map;
mod overlay;
mod statistics;
mod table;

use std::path::Path;

use serde::Deserialize;

use super::canvas::Canvas;
use super::reading::read_toml;
use super::story::file_name;
use super::{FigureError, confusion};
use table::Table;

/// What a sweep directory holds so far.
pub struct Sweep {
    /// The experiment's.
    name: String,
    table: Table,
    /// Files of cells that cannot be read.
    pub damage: Vec<FigureError>,
}

/// What figures need of `sweep.toml`.
#[derive(Deserialize)]
struct Spec {
    name: String,
}

impl Sweep {
    /// Reads a sweep directory.
    pub fn read(folder: &Path) -> Result<Self, FigureError> {
        let mut damage = Vec::new();
        let table = Table::read(folder, &mut damage)?;
        let spec: Option<Spec> = read_toml(&folder.join("sweep.toml"))?;
        Ok(Self { name: spec.map_or_else(|| file_name(folder), |spec| spec.name), table, damage })
    }

    /// All figures, by name.
    pub fn figures(&self) -> Vec<(String, Canvas)> {
        let Self { name, table, .. } = self;
        let mut figures = Vec::new();
        // Seeds are repeats, unless nothing else varies.
        let axes = match table.axes.as_slice() {
            _ if table.cells.iter().all(|cell| cell.accuracy.is_none()) => &[],
            [] => table.seed.as_slice(),
            axes => axes,
        };
        for axis in axes {
            figures.push((format!("accuracy_by_{}", axis.file_name()), accuracy::draw(table, axis, name)));
        }
        for (index, first) in axes.iter().enumerate() {
            for second in axes.iter().skip(index + 1) {
                let file = format!("heatmap_{}_{}", first.file_name(), second.file_name());
                let canvas = match grid::is_filled(table, first, second) {
                    true => heatmap::draw(table, first, second, name),
                    false => map::draw(table, first, second, name),
                };
                figures.push((file, canvas));
            }
        }
        if let Some(canvas) = overlay::draw(table, name) {
            figures.push(("learning_curves".to_owned(), canvas));
        }
        if let Some(canvas) = self.best_confusion() {
            figures.push(("best_confusion_matrix".to_owned(), canvas));
        }
        figures
    }

    /// What is left out as long as there is nothing to draw of it.
    pub fn notes(&self) -> Vec<String> {
        let tally = self.table.tally();
        match self.table.ranked().is_empty() {
            true => vec![format!("{}: no cell has all its epochs yet ({tally})", self.name)],
            false => Vec::new(),
        }
    }

    fn best_confusion(&self) -> Option<Canvas> {
        let best = *self.table.ranked().first()?;
        let cell = axis::cell_name(&self.table.varying(), best);
        let name = if cell.is_empty() { self.name.clone() } else { format!("{} · {cell}", self.name) };
        let title = match self.table.split() {
            "" => "Confusion matrix of the best cell".to_owned(),
            split => format!("Confusion matrix of the cell with the best {split} accuracy"),
        };
        let title = if self.table.cells.len() == 1 { "Confusion matrix".to_owned() } else { title };
        confusion::draw(best.run.as_ref()?, &title, &name)
    }
}
