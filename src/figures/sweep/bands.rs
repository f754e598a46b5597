//! Learning curves along one axis of a sweep: means over seeds with a band of one standard deviation.

use std::collections::BTreeMap;

use plotters::style::Color;

use super::super::canvas::{Canvas, Look, Point};
use super::super::legend::{self, Entry};
use super::super::palette::series;
use super::super::panel::{Panel, Stroke};
use super::super::scale;
use super::axis::{Axis, legend_name};
use super::cell::{Cell, State};
use super::table::Table;
use crate::metrics::Mean;

/// More curves than this in a panel are not told apart.
const LINES: usize = 8;
/// More panels than this in a figure are too small.
const PANELS: usize = 6;

/// A curve: its points, and the standard deviation of each where it is known.
type Band = Vec<(Point, Option<f64>)>;

/// One panel for each setting of the other axes as long as these are few, else for each value of one of them; `None`
/// where each curve would be one cell, or the axis has too many values.
pub fn draw(table: &Table, axis: &Axis, name: &str, look: Look) -> Option<Canvas> {
    let cells: Vec<&Cell> = table.cells.iter().filter(|cell| cell.state == State::Done).collect();
    if !(2..=LINES).contains(&axis.values.len()) || cells.len() <= axis.values.len() {
        return None;
    }
    let others: Vec<&Axis> = table.axes.iter().filter(|other| other.key != axis.key).collect();
    let (facets, pooled) = facets(&others, &cells);
    let mut panels: BTreeMap<Vec<usize>, Vec<&Cell>> = BTreeMap::new();
    for &cell in &cells {
        panels.entry(facets.iter().map(|facet| facet.index(cell)).collect()).or_default().push(cell);
    }
    let bands: Vec<(String, Vec<Band>)> = panels
        .values()
        .map(|cells| {
            let title = cells.first().map_or(String::new(), |cell| legend_name(&facets, cell));
            let of_value = |place: usize| {
                let own: Vec<&Cell> =
                    cells.iter().copied().filter(|cell| axis.index(cell) == place).collect();
                band(&own, pooled.is_empty())
            };
            (title, (0..axis.values.len()).map(of_value).collect())
        })
        .collect();
    let all = || bands.iter().flat_map(|(_, bands)| bands).flatten();
    all().next()?;

    let repeated = all().any(|(_, deviation)| deviation.is_some());
    let over = match (pooled.as_slice(), repeated) {
        ([], true) => Some("mean, band of one sd over seeds".to_owned()),
        ([], false) => None,
        (pooled, _) => {
            let words: Vec<&str> = pooled.iter().map(|axis| axis.words.as_str()).collect();
            Some(format!("mean over {}", words.join(" and ")))
        }
    };
    let facts: Vec<String> = [Some(table.tally()), over].into_iter().flatten().collect();
    let columns = look.facets(bands.len());
    let rows = bands.len().div_ceil(columns);
    let mut canvas = look.canvas_of(260.0 + 440.0 * rows as f64);
    let body = canvas.heading(&format!("Learning curves by {}", axis.words), name, &facts);
    let count = axis.values.len();
    let entries: Vec<Entry> =
        (0..count).map(|index| (axis.told(index), Stroke::solid(series(index, count)))).collect();
    let body =
        legend::row(&mut canvas, body.inset(76.0, 0.0, 0.0, 0.0), &entries).inset(-76.0, 0.0, 0.0, 0.0);
    let ends = all().flat_map(|((_, y), sd)| [y - sd.unwrap_or(0.0), y + sd.unwrap_or(0.0)]);
    let ends: Vec<f64> = ends.collect();
    for (index, (title, bands)) in bands.iter().enumerate() {
        let slot = body.cell(index, columns, rows, 26.0);
        let y_title = if index % columns == 0 { table.epoch_title() } else { String::new() };
        let y = scale::Axis::accuracy(&y_title, ends.iter().copied());
        let x = scale::Axis::epochs(all().map(|((epoch, _), _)| *epoch));
        let panel = Panel::draw(&mut canvas, slot, title, x, y);
        for (place, band) in bands.iter().enumerate() {
            draw_band(&mut canvas, &panel, band, Stroke::solid(series(place, count)));
        }
    }
    Some(canvas)
}

fn draw_band(canvas: &mut Canvas, panel: &Panel, band: &Band, stroke: Stroke) {
    let side = |sign: f64| {
        let known = band.iter().filter_map(move |((x, y), sd)| Some((*x, y + sign * (*sd)?)));
        known.map(|point| panel.at(point)).collect::<Vec<Point>>()
    };
    let (mut outline, mut lower) = (side(1.0), side(-1.0));
    if outline.len() > 1 {
        lower.reverse();
        outline.extend(lower);
        canvas.polygon(outline, stroke.color.mix(0.18));
    }
    let means: Vec<Point> = band.iter().map(|(point, _)| *point).collect();
    panel.curve(canvas, &means, stroke);
}

/// The axes that make panels, and those that are averaged over.
fn facets<'a>(others: &[&'a Axis], cells: &[&Cell]) -> (Vec<&'a Axis>, Vec<&'a Axis>) {
    let mut settings: Vec<Vec<usize>> =
        cells.iter().map(|cell| others.iter().map(|axis| axis.index(cell)).collect()).collect();
    settings.sort_unstable();
    settings.dedup();
    if settings.len() <= PANELS {
        return (others.to_vec(), Vec::new());
    }
    let widest =
        others.iter().filter(|axis| axis.values.len() <= PANELS).max_by_key(|axis| axis.values.len());
    let facets: Vec<&Axis> = widest.into_iter().copied().collect();
    let is_pooled = |axis: &&&Axis| facets.iter().all(|facet| facet.key != axis.key);
    let pooled = others.iter().filter(is_pooled).copied().collect();
    (facets, pooled)
}

/// Mean accuracy of cells over epochs, and its deviation if they are repeats.
fn band(cells: &[&Cell], repeats: bool) -> Band {
    let mut by_epoch: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for epoch in cells.iter().filter_map(|cell| cell.run.as_ref()).flat_map(|run| &run.epochs) {
        by_epoch.entry(epoch.epoch).or_default().extend(epoch.accuracy.map(|accuracy| 100.0 * accuracy));
    }
    let point = |(epoch, values): (u32, Vec<f64>)| {
        let mean = Mean::of(values)?;
        Some(((epoch.into(), mean.mean), mean.deviation.filter(|_| repeats)))
    };
    by_epoch.into_iter().filter_map(point).collect()
}
