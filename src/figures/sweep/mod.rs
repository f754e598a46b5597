//! Figures over all cells of a sweep.

mod accuracy;
mod heatmap;
mod overlay;
mod statistics;
mod table;

use std::path::Path;

use super::canvas::Canvas;
use super::results::Run;
use super::{FigureError, confusion};
use table::Table;

/// An axis of more values was sampled, not gridded: a heatmap over it would be mostly holes.
const HEATMAP_VALUES: usize = 60;

/// All figures of a sweep directory, by name.
pub fn figures(folder: &Path) -> Result<Vec<(String, Canvas)>, FigureError> {
    let table = Table::read(folder)?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut figures = Vec::new();
    // Seeds are repeats, unless nothing else varies.
    let axes = if table.axes.is_empty() { table.seed.as_slice() } else { &table.axes };
    for axis in axes {
        let canvas = accuracy::draw(&table, axis, &name);
        figures.push((format!("accuracy_by_{}", axis.file_name()), canvas));
    }
    let pairable: Vec<_> = (table.axes.iter()).filter(|axis| axis.values.len() <= HEATMAP_VALUES).collect();
    for (index, first) in pairable.iter().enumerate() {
        for second in pairable.iter().skip(index + 1) {
            let file = format!("heatmap_{}_{}", first.file_name(), second.file_name());
            figures.push((file, heatmap::draw(&table, first, second, &name)));
        }
    }
    let ranked = table.ranked();
    if let Some(canvas) = overlay::draw(&table, &ranked, &name) {
        figures.push(("learning_curves".to_owned(), canvas));
    }
    if let Some(best) = ranked.first() {
        // A cell that cannot be read costs this figure only.
        let matrix = Run::read(&best.run_dir).map(|run| run.summary.confusion_matrix);
        let description = format!("{name} · {}", table.name(best));
        let canvas =
            confusion::draw(&matrix.unwrap_or_default(), "Confusion matrix of the best cell", &description);
        figures.extend(canvas.map(|canvas| ("best_confusion_matrix".to_owned(), canvas)));
    }
    Ok(figures)
}
