//! Learning curves of a sweep's cells in one panel.

use super::super::canvas::{Canvas, Look, Point, Rect};
use super::super::legend::{self, Entry};
use super::super::palette::{INK, MUTED, SERIES, UNFINISHED, rank, series};
use super::super::panel::{Mark, Panel, Stroke};
use super::super::scale::Axis;
use super::axis::{self, legend_key, legend_name};
use super::cell::{Cell, State};
use super::table::Table;

/// Up to this many cells each has its own color and name.
const NAMED: usize = 12;
/// A sweep of more than `MANY` cells shows its `BEST`.
const MANY: usize = 200;
const BEST: usize = 40;

/// A cell and its accuracy over epochs.
type Curve<'a> = (&'a Cell, Vec<Point>);

/// Accuracy over epochs, of cells in order of their final accuracy; those without all epochs come last.
pub fn draw(table: &Table, name: &str, look: Look) -> Option<Canvas> {
    let total = table.cells.len();
    let most = if total > MANY { BEST } else { total };
    let rest = State::ALL.into_iter().skip(1);
    let rest = rest.flat_map(|state| table.cells.iter().filter(move |cell| cell.state == state));
    let unranked = table.cells.iter().filter(|cell| cell.state == State::Done && cell.accuracy.is_none());
    let curves: Vec<Curve> = (table.ranked().into_iter().chain(unranked).chain(rest))
        .take(most)
        .map(|cell| (cell, points(cell)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    if curves.is_empty() {
        return None;
    }
    let axes = table.varying();
    let named = curves.len() <= NAMED && !axes.is_empty();
    let facts: Vec<String> = [
        Some(table.tally()),
        (most < total).then(|| format!("the best {most} are shown")),
        legend_key(&axes).filter(|_| named),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut canvas = look.canvas(760.0);
    let mut body = canvas.heading("Learning curves", name, &facts);
    let finished: Vec<f64> = curves.iter().filter_map(|(cell, _)| cell.final_accuracy()).collect();
    let strokes: Vec<Stroke> = (curves.iter().enumerate())
        .map(|(index, (cell, _))| match curves.len() {
            count if count <= SERIES.len() => of_state(cell.state, series(index, count)),
            count if named => of_rank(cell.state, index, count),
            _ => of_rank(cell.state, index, finished.len()),
        })
        .collect();
    if named {
        let entries: Vec<Entry> =
            (curves.iter().zip(&strokes)).map(|((cell, _), stroke)| (told(&axes, cell), *stroke)).collect();
        body = legend::column(&mut canvas, body, &entries);
    } else if curves.len() > 1 {
        body = explained(&mut canvas, body, &curves, &finished);
    }
    let epochs = Axis::epochs(all(&curves).map(|(epoch, _)| *epoch));
    let y = Axis::accuracy(&table.epoch_title(), all(&curves).map(|(_, y)| *y));
    let panel = Panel::draw(&mut canvas, body, "", epochs, y);
    // The best above the rest, and the few that failed or go on above them, not to be overlooked.
    let place = |state| [State::Pruned, State::Done].iter().position(|other| *other == state).unwrap_or(2);
    for layer in 0..3 {
        for ((cell, points), stroke) in curves.iter().zip(&strokes).rev() {
            if place(cell.state) == layer {
                panel.curve(&mut canvas, points, *stroke);
            }
        }
    }
    Some(canvas)
}

/// A cell in a legend: its setting, and what became of it.
fn told(axes: &[&axis::Axis], cell: &Cell) -> String {
    let name = legend_name(axes, cell);
    match cell.state {
        State::Done => name,
        state => format!("{name} ({})", state.words()),
    }
}

/// A scale of ranks, and what the strokes of other cells mean; returns what is left for the panel.
fn explained(canvas: &mut Canvas, body: Rect, curves: &[Curve], finished: &[f64]) -> Rect {
    let mut body = body;
    if finished.len() > 1 {
        let bar = body.inset(0.0, 14.0, 0.0, 80.0);
        let last = finished.len() - 1;
        let marks: Vec<(f64, String)> = [(1.0, 0), (0.5, last / 2), (0.0, last)]
            .iter()
            .filter(|(fraction, _)| last > 1 || *fraction != 0.5)
            .filter_map(|(fraction, index)| Some((*fraction, finished.get(*index)?)))
            .map(|(fraction, accuracy)| (fraction, format!("{accuracy:.2} %")))
            .collect();
        let rest = legend::color_bar(canvas, bar, "Rank by accuracy", rank, &marks);
        body = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    }
    let entries: Vec<Entry> = (State::ALL.into_iter())
        .filter_map(|state| {
            let count = curves.iter().filter(|(cell, _)| cell.state == state).count();
            (count > 0).then(|| (format!("{count} {}", state.words()), of_state(state, gray(state))))
        })
        .collect();
    if entries.len() < 2 {
        return body;
    }
    let below = legend::row(canvas, body.inset(90.0, 0.0, 0.0, 0.0), &entries);
    body.inset(0.0, below.y - body.y, 0.0, 0.0)
}

fn points(cell: &Cell) -> Vec<Point> {
    let epochs = cell.run.iter().flat_map(|run| &run.epochs);
    epochs.map(|epoch| (epoch.epoch.into(), 100.0 * epoch.accuracy.unwrap_or(f64::NAN))).collect()
}

fn all<'a>(curves: &'a [Curve]) -> impl Iterator<Item = &'a Point> {
    curves.iter().flat_map(|(_, points)| points)
}

/// Solid lines have all their epochs; pruned ones are dashed, failed ones end in a cross, others in a ring.
fn of_state(state: State, color: plotters::style::RGBColor) -> Stroke {
    let solid = Stroke::solid(color);
    match state {
        State::Done => solid,
        State::Pruned => Stroke::dashed(color),
        State::Failed => Stroke { mark: Mark::Cross, ..solid },
        State::Running | State::Interrupted | State::Pending => Stroke { mark: Mark::End, ..solid },
    }
}

/// The color of cells without a rank, and of all cells of a kind in a legend.
fn gray(state: State) -> plotters::style::RGBColor {
    match state {
        State::Done => INK,
        State::Pruned => UNFINISHED,
        _ => MUTED,
    }
}

/// A stroke by rank among the finished cells, 0 the best; the others are gray.
fn of_rank(state: State, index: usize, finished: usize) -> Stroke {
    let color = if index < finished {
        rank(1.0 - index as f64 / finished.saturating_sub(1).max(1) as f64)
    } else {
        gray(state)
    };
    Stroke { width: 2.5, ..of_state(state, color) }
}
