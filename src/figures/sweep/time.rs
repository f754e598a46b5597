//! What accuracy costs: each setting at its training time.

use super::super::canvas::{Canvas, Look};
use super::super::estimate::Estimate;
use super::super::legend::{self, Entry};
use super::super::palette::series;
use super::super::panel::{Mark, Panel, Stroke};
use super::super::scale;
use super::axis::{Axis, legend_key};
use super::cell::Cell;
use super::lines::group;
use super::statistics::{self, Bars, Statistics};
use super::table::Table;

/// More settings than this are not told apart.
const NAMED: usize = 24;

/// A point for each setting, with 95 % intervals of accuracy and of time; `None` where nothing but numbers varies, and of
/// more settings than have a name.
pub fn draw(table: &Table, name: &str, look: Look) -> Option<Canvas> {
    let axes: Vec<&Axis> = table.axes.iter().collect();
    let settings = group(&table.cells, &axes);
    if !table.is_comparison() || settings.len() > NAMED {
        return None;
    }
    let point = |cells: &[&Cell]| -> Option<(Statistics, Statistics)> {
        let seconds = cells.iter().filter_map(|cell| cell.training_seconds());
        Some((Statistics::of(seconds)?, statistics::of(cells.iter().copied())?))
    };
    let points: Vec<(String, (Statistics, Statistics))> = (settings.into_iter())
        .filter_map(|setting| point(&setting.cells).map(|point| (setting.name, point)))
        .collect();
    let ends = |pick: fn(&(Statistics, Statistics)) -> Statistics| -> Vec<f64> {
        let ends = |mean: Statistics| {
            let half = Bars::Interval.half(&mean).unwrap_or(0.0);
            [mean.mean - half, mean.mean, mean.mean + half]
        };
        points.iter().flat_map(|(_, point)| ends(pick(point))).collect()
    };
    let accuracies: Vec<Statistics> = points.iter().map(|(_, (_, accuracy))| *accuracy).collect();
    let facts: Vec<String> = [
        Some(table.tally()),
        statistics::over(table, &[], &accuracies, Bars::Interval),
        legend_key(&axes).filter(|_| points.len() > 1),
    ]
    .into_iter()
    .flatten()
    .collect();
    let count = points.len();
    if count < 2 {
        return None;
    }
    let mut canvas = look.canvas(700.0);
    let body = canvas.heading("Accuracy by training time", name, &facts);
    let strokes = (0..count).map(|index| Stroke::points(series(index, count), Mark::Dot));
    let entries: Vec<Entry> = points.iter().map(|(name, _)| name.clone()).zip(strokes).collect();
    let body = legend::column(&mut canvas, body, &entries);
    // No training takes less than no time, wherever an interval ends.
    let x =
        scale::Axis::positive("Training time (s)", ends(|point| point.0).into_iter().filter(|x| *x > 0.0));
    let y = scale::Axis::percent(&table.accuracy_title(), ends(|point| point.1));
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    for ((_, (seconds, accuracy)), (_, stroke)) in points.iter().zip(&entries) {
        let estimate = Estimate {
            at: (seconds.mean, accuracy.mean),
            half: (Bars::Interval.half(seconds), Bars::Interval.half(accuracy)),
            bars: Bars::Interval.words(),
            count: accuracy.count,
        };
        panel.estimates(&mut canvas, &[estimate], *stroke);
    }
    Some(canvas)
}
