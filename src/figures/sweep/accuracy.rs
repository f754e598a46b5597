//! Accuracy along one axis of a sweep.

use super::super::canvas::{Canvas, Look, Point, Rect};
use super::super::estimate::Estimate;
use super::super::legend::{self, Entry};
use super::super::palette::{BLUE, series};
use super::super::panel::{Mark, Panel, Stroke};
use super::super::scale;
use super::axis::Axis;
use super::cell::Cell;
use super::lines::{Line, Plan, plan};
use super::statistics::{self, Bars, Statistics};
use super::table::Table;

/// Pixels from one line's error bars to the next one's.
const ASIDE: f64 = 7.0;

/// The mean at each value of `axis` with its error bar: the standard deviation along numbers, the 95 % interval where
/// settings are compared that are none.
pub fn draw(table: &Table, axis: &Axis, name: &str, look: Look) -> Canvas {
    let (plan, bars) = (plan(table, axis), Bars::along(axis));
    let means: Vec<Vec<Option<Statistics>>> = (plan.lines.iter())
        .map(|line| if plan.apart { Vec::new() } else { along(axis, &line.cells, &plan.pooled) })
        .collect();
    let shown: Vec<Statistics> = means.iter().flatten().flatten().copied().collect();
    let facts: Vec<String> = [
        Some(table.tally()),
        plan.apart.then(|| "every dot a cell; the other knobs vary as well".to_owned()),
        statistics::over(table, &plan.pooled, &shown, bars),
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
    let ends = shown.iter().flat_map(|s| [-1.0, 1.0].map(|side| s.mean + side * bars.half(s).unwrap_or(0.0)));
    let finals = table.cells.iter().filter(|_| plan.apart).filter_map(Cell::final_accuracy);
    let values = ends.chain(finals).chain(table.cells.iter().filter_map(Cell::pruned_accuracy));
    let y = scale::Axis::percent(&table.accuracy_title(), values);
    let (x, places) = axis.scale();
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    let asides = asides(&means, places.len());
    for (((line, means), stroke), aside) in plan.lines.iter().zip(&means).zip(&strokes).zip(asides) {
        let panel = panel.aside(aside);
        let points = |accuracy: fn(&Cell) -> Option<f64>| -> Vec<Point> {
            let point = |cell: &&Cell| Some((*places.get(axis.index(cell))?, accuracy(cell)?));
            line.cells.iter().filter_map(point).collect()
        };
        let rings = Stroke { mark: Mark::Ring, joined: false, ..*stroke };
        panel.curve(&mut canvas, &points(Cell::pruned_accuracy), rings);
        if plan.apart {
            panel.curve(&mut canvas, &points(Cell::final_accuracy), *stroke);
        } else {
            panel.estimates(&mut canvas, &estimates(&places, means, bars), *stroke);
        }
    }
    canvas
}

/// How many pixels each line stands aside: none, or side by side where lines meet, so that error bars do not hide each
/// other.
pub fn asides(lines: &[Vec<Option<Statistics>>], places: usize) -> Vec<f64> {
    let has_mean =
        |line: &&Vec<Option<Statistics>>, place: usize| line.get(place).is_some_and(Option::is_some);
    let meet = |place| lines.iter().filter(|line| has_mean(line, place)).count() > 1;
    let aside = if (0..places).any(meet) { ASIDE } else { 0.0 };
    let middle = (lines.len().saturating_sub(1)) as f64 / 2.0;
    (0..lines.len()).map(|index| aside * (index as f64 - middle)).collect()
}

/// The means at these places; what has none interrupts a line.
pub fn estimates(places: &[f64], means: &[Option<Statistics>], bars: Bars) -> Vec<Estimate> {
    let estimate = |(place, mean): (&f64, &Option<Statistics>)| Estimate {
        at: (*place, mean.map_or(f64::NAN, |mean| mean.mean)),
        half: (None, mean.and_then(|mean| bars.half(&mean))),
        bars: bars.words(),
        count: mean.map_or(0, |mean| mean.count),
    };
    places.iter().zip(means).map(estimate).collect()
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

fn along(axis: &Axis, cells: &[&Cell], pooled: &[&Axis]) -> Vec<Option<Statistics>> {
    (0..axis.values.len())
        .map(|place| {
            let own = cells.iter().copied().filter(|cell| axis.index(cell) == place);
            statistics::of_repeats(own, pooled)
        })
        .collect()
}
