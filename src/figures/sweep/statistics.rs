//! Mean and standard deviation of a group of cells.

use super::table::Cell;

/// Of the accuracies of some cells, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    pub mean: f64,
    /// Sample standard deviation; absent for a single value.
    pub deviation: Option<f64>,
}

/// `None` if no cell has an accuracy.
pub fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<Statistics> {
    let values: Vec<f64> = cells.filter_map(|cell| cell.accuracy).collect();
    let count = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(Statistics { mean, deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()) })
}
