//! Accuracy over a pair of axes of a sweep whose cells were drawn at random: a colored dot each.

use std::collections::BTreeMap;

use super::super::canvas::{Canvas, Look, Point};
use super::super::legend::{self, Entry};
use super::super::palette::{INK, MUTED, PAPER};
use super::super::panel::{Mark, Panel, Stroke};
use super::axis::Axis;
use super::cell::{Cell, State};
use super::heatmap::{fraction, marks, shade};
use super::statistics::{self, Bars, Statistics};
use super::table::Table;

const RADIUS: f64 = 11.0;

/// Cells that differ in nothing but their seed are one dot; those that halving ended are rings.
pub fn draw(table: &Table, rows: &Axis, columns: &Axis, name: &str, look: Look) -> Canvas {
    let mut settings: BTreeMap<Vec<usize>, Vec<&Cell>> = BTreeMap::new();
    for cell in &table.cells {
        settings.entry(table.axes.iter().map(|axis| axis.index(cell)).collect()).or_default().push(cell);
    }
    let means: Vec<Option<Statistics>> =
        settings.values().map(|cells| statistics::of(cells.iter().copied())).collect();
    let accuracies: Vec<Option<f64>> = (settings.values().zip(&means))
        .map(|(cells, mean)| {
            let pruned = cells.iter().filter_map(|cell| cell.pruned_accuracy());
            mean.map(|mean| mean.mean).or_else(|| pruned.reduce(f64::max))
        })
        .collect();
    let known = || accuracies.iter().flatten().copied();
    let range = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let shown: Vec<Statistics> = means.iter().flatten().copied().collect();
    let facts: Vec<String> = [
        Some(table.tally()),
        statistics::over(table, &[], &shown, Bars::Deviation).map(|over| over.replace("mean ± sd", "mean")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut canvas = look.canvas(800.0);
    let title = format!("Accuracy by {} and {}", rows.words, columns.words);
    let mut body = canvas.heading(&title, name, &facts);
    let bar = body.inset(0.0, 14.0, 0.0, 80.0);
    let rest = legend::color_bar(&mut canvas, bar, &table.accuracy_title(), shade, &marks(range));
    body = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    let entries: Vec<Entry> = [
        (State::Done, Mark::Dot, "all epochs"),
        (State::Pruned, Mark::Ring, "pruned, fewer epochs"),
        (State::Failed, Mark::Cross, "failed"),
    ]
    .into_iter()
    .filter(|(state, ..)| table.cells.iter().any(|cell| cell.state == *state))
    .map(|(_, mark, name)| (name.to_owned(), Stroke::points(INK, mark)))
    .collect();
    if entries.len() > 1 {
        let below = legend::row(&mut canvas, body.inset(76.0, 0.0, 0.0, 0.0), &entries);
        body = body.inset(0.0, below.y - body.y, 0.0, 0.0);
    }
    let ((x, across), (y, up)) = (columns.scale(), rows.scale());
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    // The best on top.
    let mut order: Vec<(Option<f64>, &Vec<&Cell>, bool)> = (settings.values().zip(&means).zip(&accuracies))
        .map(|((cells, mean), accuracy)| (*accuracy, cells, mean.is_some()))
        .collect();
    order.sort_by(|(a, ..), (b, ..)| a.unwrap_or(f64::MIN).total_cmp(&b.unwrap_or(f64::MIN)));
    for (accuracy, cells, whole) in order {
        let place = cells
            .first()
            .and_then(|cell| Some((*across.get(columns.index(cell))?, *up.get(rows.index(cell))?)));
        let Some(at) = place.map(|place| panel.at(place)) else { continue };
        if let (Some(accuracy), Some(cell)) = (accuracy, cells.first()) {
            let value = |axis: &Axis| axis.values.get(axis.index(cell)).cloned().unwrap_or_default();
            let (row, column) = (value(rows), value(columns));
            canvas.data.cell((&rows.words, &row), (&columns.words, &column), &accuracy.to_string());
        }
        match accuracy {
            Some(accuracy) => dot(&mut canvas, at, fraction(accuracy, range), whole),
            None if cells.iter().any(|cell| cell.state == State::Failed) => {
                Stroke::points(MUTED, Mark::Cross).put_mark(&mut canvas, at);
            }
            None => {}
        }
    }
    canvas
}

fn dot(canvas: &mut Canvas, at: Point, fraction: f64, whole: bool) {
    canvas.dot(at, RADIUS + 2.0, INK);
    canvas.dot(at, RADIUS, shade(fraction));
    if !whole {
        canvas.dot(at, RADIUS - 5.0, INK);
        canvas.dot(at, RADIUS - 6.5, PAPER);
    }
}
