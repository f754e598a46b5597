//! Figures over all cells of a sweep.

mod accuracy;
mod against;
mod axis;
mod bands;
mod cell;
mod differences;
mod grid;
mod heatmap;
mod importance;
mod lines;
mod map;
mod overlay;
mod parallel;
mod ranges;
mod search;
mod statistics;
mod table;
mod time;

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use super::canvas::{Canvas, Look};
use super::caption::file_name;
use super::reading::read_toml;
use super::{Choice, FigureError, confusion};
use against::Against;
use ranges::{Ranges, Source};
use table::Table;

/// What a sweep directory holds so far.
pub struct Sweep {
    /// The experiment's.
    name: String,
    table: Table,
    /// Keys that figures are drawn along; all if there are none.
    chosen: Vec<String>,
    /// Settings that others are compared with.
    against: Vec<Against>,
    /// Files of cells that cannot be read.
    pub damage: Vec<FigureError>,
}

/// What figures need of `sweep.toml`.
#[derive(Deserialize)]
struct Spec {
    name: String,
    #[serde(default)]
    source: Source,
}

impl Sweep {
    /// Reads a sweep directory.
    pub fn read(folder: &Path, choice: &Choice) -> Result<Self, FigureError> {
        let mut damage = Vec::new();
        let spec: Option<Spec> = read_toml(&folder.join("sweep.toml"))?;
        let ranges = spec.as_ref().map(|spec| Ranges::of(&spec.source)).unwrap_or_default();
        let table = Table::read(folder, choice.metric.as_deref(), &ranges, &mut damage)?;
        if let Some(unknown) = choice.axes.iter().find(|key| table.axis(key).is_none()) {
            let axes = table.varying().iter().map(|axis| axis.key.clone()).collect();
            return Err(FigureError::NoAxis { key: unknown.clone(), axes });
        }
        let mut against: Vec<Against> = Vec::new();
        for asked in &choice.against {
            let found = Against::find(&table, asked)?;
            if !against.contains(&found) {
                against.push(found);
            }
        }
        let (name, chosen) = (spec.map_or_else(|| file_name(folder), |spec| spec.name), choice.axes.clone());
        Ok(Self { name, table, chosen, against, damage })
    }

    /// All figures, by name.
    pub fn figures(&self, look: Look) -> Vec<(String, Canvas)> {
        let Self { name, table, .. } = self;
        let mut figures = Vec::new();
        // Seeds are repeats, unless nothing else varies.
        let axes: Vec<&axis::Axis> = match table.axes.as_slice() {
            _ if table.cells.iter().all(|cell| cell.accuracy.is_none()) => Vec::new(),
            _ if !self.chosen.is_empty() => self.chosen.iter().filter_map(|key| table.axis(key)).collect(),
            [] => table.seed.iter().collect(),
            axes => axes.iter().collect(),
        };
        for &axis in &axes {
            figures
                .push((format!("accuracy_by_{}", axis.file_name()), accuracy::draw(table, axis, name, look)));
        }
        figures.extend(time::draw(table, name, look).map(|canvas| ("accuracy_by_time".to_owned(), canvas)));
        let differences_to = |against| differences::draw(table, against, name, look);
        figures.extend(self.against.iter().filter_map(differences_to));
        for (index, &first) in axes.iter().enumerate() {
            for &second in axes.iter().skip(index + 1) {
                let file = format!("heatmap_{}_{}", first.file_name(), second.file_name());
                let canvas = match grid::is_filled(table, first, second) {
                    true => heatmap::draw(table, first, second, name, look),
                    false => map::draw(table, first, second, name, look),
                };
                figures.push((file, canvas));
            }
        }
        if let Some(compared) = search::Compared::of(table) {
            let of_search = [
                ("importance", importance::draw(table, &compared, name, look)),
                ("parallel_coordinates", parallel::draw(table, &compared, name, look)),
            ];
            figures
                .extend(of_search.into_iter().filter_map(|(file, canvas)| Some((file.to_owned(), canvas?))));
        }
        if grid::is_complete(table) {
            for &axis in axes.iter().filter(|axis| !axis.is_seed()) {
                let file = format!("learning_curves_by_{}", axis.file_name());
                figures.extend(bands::draw(table, axis, name, look).map(|canvas| (file, canvas)));
            }
        }
        if let Some(canvas) = overlay::draw(table, name, look) {
            figures.push(("learning_curves".to_owned(), canvas));
        }
        if let Some(canvas) = self.best_confusion(look) {
            figures.push(("best_confusion_matrix".to_owned(), canvas));
        }
        apart(&mut figures);
        figures
    }

    /// What is left out, as long as there is nothing to draw of it, or for good.
    pub fn notes(&self) -> Vec<String> {
        let Self { name, table, .. } = self;
        if table.ranked().is_empty() {
            return vec![format!("{name}: no cell has all its epochs yet ({})", table.tally())];
        }
        let failed = table.cells.iter().filter(|cell| cell.state == cell::State::Failed);
        let failed = differences::named(table, failed).filter(|_| table.is_comparison());
        let failed = failed.map(|failed| format!("left out, as they failed: {failed}"));
        let unpaired = self.against.iter().filter_map(|against| differences::note(table, against));
        failed.into_iter().chain(unpaired).map(|note| format!("{name}: {note}")).collect()
    }

    fn best_confusion(&self, look: Look) -> Option<Canvas> {
        // A search measures the test set of its best setting alone, where one cell of another may be better.
        let ranked = self.table.ranked();
        // Of a best cell that is damaged there is nothing to show, and another is not the best.
        ranked.first()?.run.as_ref()?;
        let has_counts =
            |cell: &&&cell::Cell| cell.run.as_ref().is_some_and(|run| !is_empty(run.confusion()));
        let best = *ranked.iter().find(has_counts)?;
        let is_first = ranked.first().is_some_and(|first| std::ptr::eq(*first, best));
        let cell = axis::cell_name(&self.table.varying(), best);
        let name = if cell.is_empty() { self.name.clone() } else { format!("{} · {cell}", self.name) };
        let title = match (self.table.metric(), self.table.split()) {
            _ if !is_first => "Confusion matrix of the best cell of the best setting".to_owned(),
            (Some(metric), _) => format!("Confusion matrix of the cell with the best {metric}"),
            (None, "") => "Confusion matrix of the best cell".to_owned(),
            (None, split) => format!("Confusion matrix of the cell with the best {split} accuracy"),
        };
        let title = if self.table.cells.len() == 1 { "Confusion matrix".to_owned() } else { title };
        confusion::draw(best.run.as_ref()?, &title, &name, look)
    }
}

/// Numbers names of files that another figure has: two settings may differ in signs alone, which no file name has.
fn apart(figures: &mut [(String, Canvas)]) {
    let mut taken = HashSet::new();
    for (name, _) in figures {
        let first = name.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            *name = format!("{first}_{number}");
        }
    }
}

fn is_empty(counts: &[Vec<u64>]) -> bool {
    counts.iter().flatten().all(|count| *count == 0)
}
