//! How much better or worse settings are than one of them, seed by seed.

use super::super::canvas::{Canvas, Look};
use super::super::legend::{self, Entry};
use super::super::palette::{MUTED, series};
use super::super::panel::{Mark, Panel, Stroke, line};
use super::super::scale;
use super::accuracy::{asides, estimates};
use super::against::Against;
use super::axis::{cell_name, plain};
use super::cell::Cell;
use super::lines::plan;
use super::statistics::{self, Bars, Statistics};
use super::table::Table;

/// More cells than this are not named one by one.
const NAMED: usize = 8;

/// The mean difference to the setting at each other value of its axis, with the 95 % interval over seeds; `None` where no
/// two cells can be compared.
pub fn draw(table: &Table, against: &Against, name: &str, look: Look) -> Option<(String, Canvas)> {
    let (axis, plan) = (&against.axis, plan(table, &against.axis));
    let shown: Vec<usize> = (0..axis.values.len()).filter(|place| *place != against.place).collect();
    let differences = against.differences(table);
    let mean = |cells: &[&Cell], place: usize| {
        let is_own =
            |cell: &Cell| axis.index(cell) == place && cells.iter().any(|own| std::ptr::eq(*own, cell));
        let own = differences.iter().filter(|(cell, _)| is_own(cell)).filter_map(|(_, points)| *points);
        statistics::of_values(own, &plan.pooled)
    };
    let means: Vec<Vec<Option<Statistics>>> = (plan.lines.iter())
        .map(|line| shown.iter().map(|place| mean(&line.cells, *place)).collect())
        .collect();
    let known: Vec<Statistics> = means.iter().flatten().flatten().copied().collect();
    let over = statistics::over(table, &plan.pooled, &known, Bars::Interval);
    if known.is_empty() {
        return None;
    }
    let facts: Vec<String> =
        [Some(table.tally()), over.map(|over| format!("paired: {over}")), plan.key.clone()]
            .into_iter()
            .flatten()
            .collect();
    let mut canvas = look.canvas(700.0);
    let mut body = canvas.heading(&format!("Differences to {}", against.label()), name, &facts);
    let count = plan.lines.len();
    let joined = axis.is_ordered();
    let strokes: Vec<Stroke> = (0..count)
        .map(|index| Stroke { joined, ..Stroke::points(series(index, count), Mark::Dot) })
        .collect();
    if count > 1 {
        let entries: Vec<Entry> =
            plan.lines.iter().zip(&strokes).map(|(line, stroke)| (line.name.clone(), *stroke)).collect();
        body = legend::column(&mut canvas, body, &entries);
    }
    let half = |mean: &Statistics| Bars::Interval.half(mean).unwrap_or(0.0);
    let ends = known.iter().flat_map(|mean| [mean.mean - half(mean), mean.mean + half(mean)]);
    let measured = table.accuracy_title().replace(" (%)", "");
    let title = format!("{measured} minus that of {} (points)", against.label());
    let y = scale::Axis::linear(&title, ends.chain([0.0]), 5);
    let (x, places) = axis.scale_of(&shown);
    let panel = Panel::draw(&mut canvas, body, "", x, y);
    let zero = panel.at((0.0, 0.0)).1;
    let level = vec![(panel.area.x, zero), (panel.area.right(), zero)];
    line(&mut canvas, level, Stroke { width: 2.5, ..Stroke::dashed(MUTED) });
    let asides = asides(&means, places.len());
    for ((means, stroke), aside) in means.iter().zip(&strokes).zip(asides) {
        let estimates = estimates(&places, means, Bars::Interval);
        panel.aside(aside).estimates(&mut canvas, &estimates, *stroke);
    }
    Some((format!("difference_to_{}", plain(&against.label())), canvas))
}

/// What is left out because nothing stands beside it.
pub fn note(table: &Table, against: &Against) -> Option<String> {
    let differences = against.differences(table);
    let label = against.label();
    if differences.iter().all(|(_, points)| points.is_none()) {
        return Some(format!(
            "no difference to {label}: no finished cell shares its seed and all else with one of {label}"
        ));
    }
    let alone = differences.iter().filter(|(_, points)| points.is_none()).map(|(cell, _)| *cell);
    let alone = named(table, alone)?;
    Some(format!("left out of the differences to {label}, which has no finished cell like them: {alone}"))
}

/// Cells by their values, as many as a line has room for; `None` of none.
pub fn named<'a>(table: &Table, cells: impl Iterator<Item = &'a Cell>) -> Option<String> {
    let axes = table.varying();
    let mut names: Vec<String> = cells.map(|cell| cell_name(&axes, cell)).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    (!names.is_empty()).then(|| names.join("; "))
}
