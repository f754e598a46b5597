//! Accuracy along one axis of a sweep.

use std::collections::BTreeMap;

use super::super::canvas::{Canvas, Look, Point, Rect};
use super::super::legend::{self, Entry};
use super::super::palette::{BLUE, series};
use super::super::panel::{Mark, Panel, Stroke};
use super::super::scale;
use super::axis::{Axis, legend_key, legend_name};
use super::cell::Cell;
use super::grid;
use super::statistics::{self, Statistics};
use super::table::Table;

/// More lines than this in a figure are not told apart.
const LINES: usize = 8;
/// Pixels from one line's error bars to the next one's.
const ASIDE: f64 = 7.0;

/// Cells that make up one line.
struct Line<'a> {
    name: String,
    cells: Vec<&'a Cell>,
}

/// How the cells are shown.
struct Plan<'a> {
    lines: Vec<Line<'a>>,
    /// What the names of the lines leave out.
    key: Option<String>,
    /// Axes that are averaged over.
    pooled: Vec<&'a Axis>,
    /// Each cell has a dot of its own.
    apart: bool,
}

/// Mean ± standard deviation at each value of `axis`. Settings of the other axes have lines of their own as long
/// as these are few, else those of one axis; cells drawn at random are dots.
pub fn draw(table: &Table, axis: &Axis, name: &str, look: Look) -> Canvas {
    let plan = plan(table, axis);
    let means: Vec<Vec<Option<Statistics>>> = (plan.lines.iter())
        .map(|line| if plan.apart { Vec::new() } else { along(axis, &line.cells, &plan.pooled) })
        .collect();
    let shown: Vec<Statistics> = means.iter().flatten().flatten().copied().collect();
    let facts: Vec<String> = [
        Some(table.tally()),
        plan.apart.then(|| "every dot a cell; the other knobs vary as well".to_owned()),
        statistics::over(table, &plan.pooled, &shown),
        plan.key.clone(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut canvas = look.canvas(700.0);
    let body = canvas.heading(&format!("Accuracy by {}", axis.words), name, &facts);
    let count = plan.lines.len();
    let joined = axis.is_ordered() && !plan.apart;
    let strokes: Vec<Stroke> = (0..count)
        .map(|index| Stroke { joined, ..Stroke::points(series(index, count), Mark::Dot) })
        .collect();
    let body = explained(&mut canvas, body, table, &plan, &strokes);
    let ends = shown.iter().flat_map(|s| [-1.0, 1.0].map(|side| s.mean + side * s.deviation.unwrap_or(0.0)));
    let finals = table.cells.iter().filter(|_| plan.apart).filter_map(Cell::final_accuracy);
    let values = ends.chain(finals).chain(table.cells.iter().filter_map(Cell::pruned_accuracy));
    let y = scale::Axis::percent(&table.accuracy_title(), values);
    let (x, places) = axis.scale();
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    // Side by side where lines meet, so that error bars do not hide each other.
    let has_mean =
        |line: &&Vec<Option<Statistics>>, place: usize| line.get(place).is_some_and(Option::is_some);
    let meet = |place| means.iter().filter(|line| has_mean(line, place)).count() > 1;
    let aside = if (0..places.len()).any(meet) { ASIDE } else { 0.0 };
    for (index, ((line, means), stroke)) in plan.lines.iter().zip(&means).zip(&strokes).enumerate() {
        let panel = panel.aside(aside * (index as f64 - (count - 1) as f64 / 2.0));
        let points = |accuracy: fn(&Cell) -> Option<f64>| -> Vec<Point> {
            let point = |cell: &&Cell| Some((*places.get(axis.index(cell))?, accuracy(cell)?));
            line.cells.iter().filter_map(point).collect()
        };
        let rings = Stroke { mark: Mark::Ring, joined: false, ..*stroke };
        panel.curve(&mut canvas, &points(Cell::pruned_accuracy), rings);
        if plan.apart {
            panel.curve(&mut canvas, &points(Cell::final_accuracy), *stroke);
        } else {
            let means: Vec<_> = places.iter().copied().zip(means.iter().copied()).collect();
            draw_line(&mut canvas, &panel, &means, *stroke);
        }
    }
    canvas
}

/// Names of the lines that have something to show, and of the dots of pruned cells; returns what is left for the
/// panel.
fn explained(canvas: &mut Canvas, body: Rect, table: &Table, plan: &Plan, strokes: &[Stroke]) -> Rect {
    const LEFT: f64 = 76.0;
    let pruned = table.cells.iter().any(|cell| cell.pruned_accuracy().is_some());
    let rings = ("pruned, fewer epochs".to_owned(), Stroke::points(BLUE, Mark::Ring));
    if let [_] = plan.lines.as_slice() {
        if !pruned {
            return body;
        }
        let dots = ("all epochs".to_owned(), Stroke::points(BLUE, Mark::Dot));
        let below = legend::row(canvas, body.inset(LEFT, 0.0, 0.0, 0.0), &[dots, rings]);
        return body.inset(0.0, below.y - body.y, 0.0, 0.0);
    }
    let is_seen = |line: &Line| line.cells.iter().any(|cell| cell.accuracy.is_some());
    let seen = plan.lines.iter().zip(strokes).filter(|(line, _)| is_seen(line));
    let entries: Vec<Entry> =
        seen.map(|(line, stroke)| (line.name.clone(), *stroke)).chain(pruned.then_some(rings)).collect();
    legend::column(canvas, body, &entries)
}

fn draw_line(canvas: &mut Canvas, panel: &Panel, points: &[(f64, Option<Statistics>)], stroke: Stroke) {
    for (place, statistics) in points {
        if let Some((s, deviation)) = statistics.and_then(|s| Some((s, s.deviation?))) {
            let (x, top) = panel.at((*place, s.mean + deviation));
            let (_, bottom) = panel.at((*place, s.mean - deviation));
            canvas.line(vec![(x, top), (x, bottom)], stroke.color, 2.5);
            for y in [top, bottom] {
                canvas.line(vec![(x - 8.0, y), (x + 8.0, y)], stroke.color, 2.5);
            }
        }
    }
    let means: Vec<Point> =
        points.iter().map(|(place, s)| (*place, s.map_or(f64::NAN, |s| s.mean))).collect();
    panel.curve(canvas, &means, stroke);
}

fn plan<'a>(table: &'a Table, axis: &Axis) -> Plan<'a> {
    let others: Vec<&Axis> = table.axes.iter().filter(|other| other.key != axis.key).collect();
    let lines = group(&table.cells, &others);
    if lines.len() <= LINES {
        let key = legend_key(&others).filter(|_| lines.len() > 1);
        return Plan { lines, key, pooled: Vec::new(), apart: false };
    }
    let all = || Line { name: String::new(), cells: table.cells.iter().collect() };
    if !grid::is_complete(table) {
        return Plan { lines: vec![all()], key: None, pooled: Vec::new(), apart: true };
    }
    let second =
        others.iter().filter(|other| other.values.len() <= LINES).max_by_key(|other| other.values.len());
    let lines = match second {
        Some(second) => group(&table.cells, &[second]),
        None => vec![all()],
    };
    let is_pooled = |other: &&Axis| second.is_none_or(|second| second.key != other.key);
    Plan { lines, key: None, pooled: others.iter().copied().filter(is_pooled).collect(), apart: false }
}

/// Cells by their setting of some axes, in the axes' own order, so that 500 comes before 1000.
fn group<'a>(cells: &'a [Cell], axes: &[&Axis]) -> Vec<Line<'a>> {
    let mut groups: BTreeMap<Vec<usize>, Line> = BTreeMap::new();
    for cell in cells {
        let group = groups.entry(axes.iter().map(|axis| axis.index(cell)).collect());
        group.or_insert_with(|| Line { name: legend_name(axes, cell), cells: Vec::new() }).cells.push(cell);
    }
    groups.into_values().collect()
}

fn along(axis: &Axis, cells: &[&Cell], pooled: &[&Axis]) -> Vec<Option<Statistics>> {
    (0..axis.values.len())
        .map(|place| {
            let own = cells.iter().copied().filter(|cell| axis.index(cell) == place);
            statistics::of_repeats(own, pooled)
        })
        .collect()
}
