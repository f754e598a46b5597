//! Learning curves of a sweep's cells in one panel.

use super::super::canvas::{Canvas, Point};
use super::super::legend;
use super::super::palette::{SERIES, UNFINISHED, rank, series};
use super::super::panel::{Panel, Stroke};
use super::super::results::read_metrics;
use super::super::scale::Axis;
use super::table::{Cell, Table, legend_key, legend_name, varying};

/// Up to this many cells each has its own stroke and name.
const NAMED: usize = 12;
/// A sweep of more than `MANY` cells shows its `BEST`.
const MANY: usize = 100;
const BEST: usize = 40;

/// Accuracy over epochs, of cells in order of their final accuracy; unfinished ones come last.
pub fn draw(table: &Table, ranked: &[&Cell], name: &str) -> Option<Canvas> {
    let total = table.cells.len();
    let most = if total > MANY { BEST } else { total };
    let unfinished = (table.cells.iter()).filter(|cell| cell.accuracy.is_none());
    let curves: Vec<(&Cell, Vec<Point>)> = (ranked.iter().copied().chain(unfinished))
        .take(most)
        // A cell that cannot be read has no curve.
        .map(|cell| (cell, curve(cell).unwrap_or_default()))
        .filter(|(_, curve)| !curve.is_empty())
        .collect();
    if curves.is_empty() {
        return None;
    }
    let finished: Vec<f64> = (curves.iter().filter_map(|(cell, _)| cell.accuracy)).collect();
    let mut subtitle = format!("{name} · {total} cells");
    if most < total {
        subtitle = format!("{name} · the best {most} of {total} cells");
    } else if curves.len() < total {
        subtitle = format!("{name} · {} of {total} cells, others not begun", curves.len());
    } else if finished.len() < total {
        subtitle += &format!(" · {} without final accuracy", total - finished.len());
    }
    let axes = varying(table.axes.iter().chain(&table.seed));
    let named = curves.len() <= NAMED;
    if let Some(key) = legend_key(&axes).filter(|_| named) {
        subtitle += &format!(" · {key}");
    }
    let mut canvas = Canvas::new(1400, 760);
    let mut body = canvas.heading("Learning curves", &subtitle);
    let strokes: Vec<Stroke>;
    if named {
        strokes = (0..curves.len()).map(own_stroke).collect();
        let entries: Vec<_> = (curves.iter().zip(&strokes))
            .map(|((cell, _), stroke)| (legend_name(&axes, cell), *stroke))
            .collect();
        body = legend::column(&mut canvas, body, &entries);
    } else {
        strokes = (0..curves.len()).map(|index| rank_stroke(index, finished.len())).collect();
        let bar = body.inset(0.0, 14.0, 0.0, 80.0);
        let last = finished.len().saturating_sub(1);
        let marks: Vec<(f64, String)> = [(1.0, 0), (0.5, last / 2), (0.0, last)]
            .iter()
            .filter_map(|(fraction, index)| Some((*fraction, finished.get(*index)?)))
            .map(|(fraction, accuracy)| (fraction, format!("{accuracy:.2} %")))
            .collect();
        let title = "Rank by final accuracy";
        let rest = legend::color_bar(&mut canvas, bar, title, rank, &marks);
        body = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    }
    let epochs = Axis::epochs(points(&curves).map(|(epoch, _)| *epoch));
    let y = Axis::percent("Accuracy (%)", points(&curves).map(|(_, y)| *y));
    let panel = Panel::draw(&mut canvas, body, "", epochs, y);
    // The best on top.
    for ((_, curve), stroke) in curves.iter().zip(&strokes).rev() {
        panel.curve(&mut canvas, curve, *stroke);
    }
    Some(canvas)
}

fn curve(cell: &Cell) -> Option<Vec<Point>> {
    let epochs = read_metrics(&cell.run_dir.join("metrics.jsonl")).ok()?;
    let point = |accuracy: Option<f64>| 100.0 * accuracy.unwrap_or(f64::NAN);
    Some(epochs.iter().map(|epoch| (epoch.epoch.into(), point(epoch.accuracy))).collect())
}

fn points<'a>(curves: &'a [(&Cell, Vec<Point>)]) -> impl Iterator<Item = &'a Point> {
    curves.iter().flat_map(|(_, curve)| curve)
}

/// A stroke unlike those of the other named cells.
fn own_stroke(index: usize) -> Stroke {
    let color = series(index % SERIES.len(), SERIES.len());
    if index < SERIES.len() { Stroke::solid(color) } else { Stroke::dashed(color) }
}

/// A stroke by rank among the finished cells, 0 the best; the others are gray.
fn rank_stroke(index: usize, finished: usize) -> Stroke {
    let color = if index < finished {
        rank(1.0 - index as f64 / finished.saturating_sub(1).max(1) as f64)
    } else {
        UNFINISHED
    };
    Stroke { width: 2.5, ..Stroke::solid(color) }
}
