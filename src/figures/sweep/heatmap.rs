//! Accuracy over a pair of axes of a sweep, as a table.

use super::super::canvas::{Canvas, Look};
use super::super::legend;
use super::super::matrix::{self, Filling, Side};
use super::super::palette::{ABSENT, amount};
use super::super::scale;
use super::axis::Axis;
use super::cell::{Cell, State};
use super::statistics::{self, Bars, Statistics};
use super::table::Table;

/// The lightest shade in use, so that the worst cell differs from the page.
const PALE: f64 = 0.08;
/// More labels on a side than this are not all written.
const LABELS: usize = 20;

/// What is known at one place of the table.
struct Place<'a> {
    cells: Vec<&'a Cell>,
    statistics: Option<Statistics>,
}

impl Place<'_> {
    /// Of cells with all their epochs, else the best that halving ended.
    fn accuracy(&self) -> Option<f64> {
        let pruned = self.cells.iter().filter_map(|cell| cell.pruned_accuracy());
        self.statistics.map(|s| s.mean).or_else(|| pruned.reduce(f64::max))
    }

    /// Why there is no number.
    fn state(&self) -> &'static str {
        let states = State::ALL.into_iter();
        let first = states.skip(2).find(|state| self.cells.iter().any(|cell| cell.state == *state));
        first.map_or("", State::words)
    }
}

/// Mean accuracy in each cell, `rows` upwards.
pub fn draw(table: &Table, rows: &Axis, columns: &Axis, name: &str, look: Look) -> Canvas {
    let (height, width) = (rows.values.len(), columns.values.len());
    let mut places: Vec<Place> =
        (0..height * width).map(|_| Place { cells: Vec::new(), statistics: None }).collect();
    for cell in &table.cells {
        let at = (height - 1 - rows.index(cell)) * width + columns.index(cell);
        places[at].cells.push(cell);
    }
    let others: Vec<&Axis> =
        table.axes.iter().filter(|axis| ![&rows.key, &columns.key].contains(&&axis.key)).collect();
    for place in &mut places {
        place.statistics = statistics::of_repeats(place.cells.iter().copied(), &others);
    }
    let accuracies = || places.iter().filter_map(Place::accuracy);
    let range = (accuracies().fold(f64::INFINITY, f64::min), accuracies().fold(f64::NEG_INFINITY, f64::max));
    let shown: Vec<Statistics> = places.iter().filter_map(|place| place.statistics).collect();
    let hollow = places.iter().any(|place| place.statistics.is_none() && place.accuracy().is_some());
    let facts: Vec<String> = [
        Some(table.tally()),
        statistics::over(table, &others, &shown, Bars::Deviation),
        hollow.then(|| "framed: pruned, fewer epochs".to_owned()),
        places.iter().any(|place| place.cells.is_empty()).then(|| "–: no such cell".to_owned()),
        // Where there is room, it is written in the cell.
        (height > LABELS && places.iter().any(|place| place.accuracy().is_none()))
            .then(|| "gray: no accuracy".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut canvas = look.canvas(800.0);
    let title = format!("Accuracy by {} and {}", rows.words, columns.words);
    let body = canvas.heading(&title, name, &facts);
    let bar = body.inset(0.0, 14.0, 0.0, 78.0);
    let rest = legend::color_bar(&mut canvas, bar, &table.accuracy_title(), shade, &marks(range));
    let area = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    let cells: Vec<matrix::Cell> = places.iter().map(|place| cell(place, range)).collect();
    let up: Vec<String> = rows.labels.iter().rev().cloned().collect();
    let (row_title, column_title) = (rows.title(), columns.title());
    matrix::draw(&mut canvas, area, &side(&row_title, &up), &side(&column_title, &columns.labels), &cells);
    canvas
}

fn cell(place: &Place, range: (f64, f64)) -> matrix::Cell {
    let note = |s: Statistics| s.deviation.map_or(String::new(), |sd| format!("± {sd:.2}"));
    match (place.accuracy(), place.statistics) {
        (Some(accuracy), statistics) => matrix::Cell {
            color: shade(fraction(accuracy, range)),
            text: format!("{accuracy:.2}"),
            note: statistics.map_or("pruned".to_owned(), note),
            filling: if statistics.is_some() { Filling::Full } else { Filling::Frame },
        },
        (None, _) => matrix::Cell {
            color: ABSENT,
            text: if place.cells.is_empty() { "–".to_owned() } else { place.state().to_owned() },
            note: String::new(),
            filling: Filling::Full,
        },
    }
}

/// The color of a share of the range of accuracies.
pub fn shade(fraction: f64) -> plotters::style::RGBColor {
    amount(PALE + (1.0 - PALE) * fraction)
}

/// Where an accuracy lies in the range of all.
pub fn fraction(accuracy: f64, (low, high): (f64, f64)) -> f64 {
    if high > low { (accuracy - low) / (high - low) } else { 0.5 }
}

/// Labels of the color bar of a range of accuracies: round numbers, each where it lies.
pub fn marks((low, high): (f64, f64)) -> Vec<(f64, String)> {
    match high > low {
        true => {
            let axis = scale::Axis::exact("", low, high, 4);
            axis.ticks.iter().map(|(value, label)| (axis.position(*value), label.clone())).collect()
        }
        false if low.is_finite() => vec![(0.5, format!("{low:.2}"))],
        false => Vec::new(),
    }
}

fn side<'a>(title: &'a str, labels: &'a [String]) -> Side<'a> {
    Side { title, labels, step: labels.len().div_ceil(LABELS).max(1) }
}
