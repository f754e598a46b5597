//! Accuracy along one axis of a sweep.

use std::collections::BTreeMap;

use super::super::canvas::{Canvas, Point};
use super::super::legend::{self, Entry};
use super::super::palette::series;
use super::super::panel::{Panel, Stroke};
use super::super::scale;
use super::statistics::{self, Statistics};
use super::table::{Axis, Cell, Table, legend_key, legend_name, varying};

/// More settings of the other axes than this are averaged.
const LINES: usize = 8;
/// More labels than this do not fit under an axis.
const LABELS: usize = 14;

/// A line: its name and its statistics at each value of the axis.
type Line = (String, Vec<Option<Statistics>>);

/// Mean ± standard deviation at each value of `axis`, one line per setting of the others.
pub fn draw(table: &Table, axis: &Axis, name: &str) -> Canvas {
    let others: Vec<&Axis> = (table.axes.iter()).filter(|other| other.column != axis.column).collect();
    let groups = group(&table.cells, &others);
    let separate = groups.len() <= LINES;
    let lines: Vec<Line> = if separate {
        groups.iter().map(|(setting, cells)| (setting.clone(), along(axis, cells))).collect()
    } else {
        vec![("mean".to_owned(), along(axis, &table.cells.iter().collect::<Vec<_>>()))]
    };
    let mut canvas = Canvas::new(1400, 700);
    let failed = (table.cells.iter()).filter(|cell| cell.accuracy.is_none()).count();
    let subtitle = [
        Some(name.to_owned()),
        repeats(table, axis, if separate { &[] } else { &others }),
        (failed > 0).then(|| format!("{failed} of {} cells without result", table.cells.len())),
        legend_key(&varying(others.iter().copied())).filter(|_| lines.len() > 1),
    ];
    let subtitle: Vec<String> = subtitle.into_iter().flatten().collect();
    let title = format!("Accuracy by {}", axis.words());
    let mut body = canvas.heading(&title, &subtitle.join(" · "));
    let strokes: Vec<Stroke> = (0..lines.len())
        .map(|index| Stroke { dots: true, ..Stroke::solid(series(index, lines.len())) })
        .collect();
    if lines.len() > 1 {
        let entries: Vec<Entry> =
            (lines.iter().zip(&strokes)).map(|((name, _), stroke)| (name.clone(), *stroke)).collect();
        body = legend::column(&mut canvas, body, &entries);
    }
    let ends = lines.iter().flat_map(|(_, line)| line).flatten().flat_map(|s| {
        let spread = s.deviation.unwrap_or(0.0);
        [s.mean - spread, s.mean + spread]
    });
    let y = scale::Axis::percent("Accuracy (%)", ends);
    let x = scale::Axis::places(&axis.title(), &axis.values, LABELS);
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    for (index, ((_, line), stroke)) in lines.iter().zip(&strokes).enumerate() {
        // Side by side, so that error bars do not hide each other.
        let aside = 0.03 * (index as f64 - (lines.len() - 1) as f64 / 2.0);
        draw_line(&mut canvas, &panel, line, aside, *stroke, axis.ordered);
    }
    canvas
}

fn draw_line(
    canvas: &mut Canvas,
    panel: &Panel,
    line: &[Option<Statistics>],
    aside: f64,
    stroke: Stroke,
    ordered: bool,
) {
    let place = |index: usize| index as f64 + aside;
    for (index, statistics) in line.iter().enumerate() {
        if let Some((s, deviation)) = statistics.and_then(|s| Some((s, s.deviation?))) {
            let (x, top) = panel.at((place(index), s.mean + deviation));
            let (_, bottom) = panel.at((place(index), s.mean - deviation));
            canvas.line(vec![(x, top), (x, bottom)], stroke.color, 2.5);
            for y in [top, bottom] {
                canvas.line(vec![(x - 8.0, y), (x + 8.0, y)], stroke.color, 2.5);
            }
        }
    }
    let points: Vec<Point> =
        (line.iter().enumerate()).map(|(index, s)| (place(index), s.map_or(f64::NAN, |s| s.mean))).collect();
    if ordered {
        panel.curve(canvas, &points, stroke);
    } else {
        // Nothing lies between names.
        for point in points {
            panel.curve(canvas, &[point], stroke);
        }
    }
}

fn group<'a>(cells: &'a [Cell], others: &[&Axis]) -> Vec<(String, Vec<&'a Cell>)> {
    let mut groups: BTreeMap<Vec<usize>, (String, Vec<&Cell>)> = BTreeMap::new();
    let varying = varying(others.iter().copied());
    for cell in cells {
        // In the axes' own order, so that 500 comes before 1000.
        let places = others.iter().map(|axis| {
            let value = axis.of(cell);
            axis.values.iter().position(|other| other == value).unwrap_or(0)
        });
        let group = groups.entry(places.collect());
        group.or_insert_with(|| (legend_name(&varying, cell), Vec::new())).1.push(cell);
    }
    groups.into_values().collect()
}

fn along(axis: &Axis, cells: &[&Cell]) -> Vec<Option<Statistics>> {
    axis.values
        .iter()
        .map(|value| statistics::of(cells.iter().copied().filter(|cell| axis.of(cell) == value)))
        .collect()
}

/// What means and deviations are taken over, in words.
pub fn repeats(table: &Table, shown: &Axis, averaged: &[&Axis]) -> Option<String> {
    let seeds = (table.seed.as_ref())
        .filter(|seed| seed.column != shown.column && seed.values.len() > 1)
        .map(|seed| format!("{} seeds", seed.values.len()));
    let over: Vec<String> = averaged.iter().map(|axis| axis.words()).chain(seeds).collect();
    (!over.is_empty()).then(|| format!("mean ± sd over {}", over.join(", ")))
}
