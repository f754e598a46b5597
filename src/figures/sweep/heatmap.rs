//! Accuracy over a pair of axes of a sweep.

use super::super::canvas::Canvas;
use super::super::legend;
use super::super::matrix::{self, Cell, Side};
use super::super::palette::{ABSENT, amount};
use super::accuracy::repeats;
use super::statistics::{self, Statistics};
use super::table::{Axis, Table};

/// The lightest shade in use, so that the worst cell differs from the page.
const PALE: f64 = 0.08;

/// Mean accuracy in each cell, `rows` upwards.
pub fn draw(table: &Table, rows: &Axis, columns: &Axis, name: &str) -> Canvas {
    let up: Vec<String> = rows.values.iter().rev().cloned().collect();
    let grid: Vec<Option<Statistics>> = up
        .iter()
        .flat_map(|row| columns.values.iter().map(move |column| (row, column)))
        .map(|(row, column)| {
            statistics::of(
                (table.cells.iter()).filter(|cell| rows.of(cell) == row && columns.of(cell) == column),
            )
        })
        .collect();
    let means = || grid.iter().flatten().map(|s| s.mean);
    let low = means().fold(f64::INFINITY, f64::min);
    let high = means().fold(f64::NEG_INFINITY, f64::max);
    let shade = |fraction: f64| amount(PALE + (1.0 - PALE) * fraction);
    let mut canvas = Canvas::new(1400, 800);
    let others: Vec<&Axis> =
        (table.axes.iter()).filter(|axis| ![rows.column, columns.column].contains(&axis.column)).collect();
    let subtitle = match repeats(table, rows, &others) {
        Some(repeats) => format!("{name} · {repeats}"),
        None => name.to_owned(),
    };
    let title = format!("Accuracy by {} and {}", rows.words(), columns.words());
    let body = canvas.heading(&title, &subtitle);
    let bar = body.inset(0.0, 14.0, 0.0, 78.0);
    let marks: Vec<(f64, String)> = match grid.iter().flatten().next() {
        Some(_) if high > low => [0.0, 0.25, 0.5, 0.75, 1.0]
            .iter()
            .map(|fraction| (*fraction, format!("{:.2}", low + fraction * (high - low))))
            .collect(),
        Some(_) => vec![(0.5, format!("{low:.2}"))],
        None => Vec::new(),
    };
    let rest = legend::color_bar(&mut canvas, bar, "Accuracy (%)", shade, &marks);
    let area = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    let cells: Vec<Cell> = grid
        .iter()
        .map(|statistics| match statistics {
            Some(s) => Cell {
                color: shade(if high > low { (s.mean - low) / (high - low) } else { 0.5 }),
                text: format!("{:.2}", s.mean),
                note: s.deviation.map_or(String::new(), |sd| format!("± {sd:.2}")),
            },
            None => Cell { color: ABSENT, text: "–".to_owned(), note: String::new() },
        })
        .collect();
    let (row_title, column_title) = (rows.title(), columns.title());
    let rows = side(&row_title, &up, 16);
    let columns = side(&column_title, &columns.values, 16);
    matrix::draw(&mut canvas, area, &rows, &columns, &cells);
    canvas
}

fn side<'a>(title: &'a str, labels: &'a [String], most: usize) -> Side<'a> {
    Side { title, labels, step: labels.len().div_ceil(most).max(1) }
}
