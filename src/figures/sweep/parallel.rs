//! A search as parallel coordinates: a line for each cell through its values of all knobs to its accuracy.

use super::super::canvas::{Anchor, Canvas, LABEL, Look, Point, Rect, SMALL, TextLook, text_width};
use super::super::legend;
use super::super::palette::{INK, PAPER, rank};
use super::super::scale;
use super::axis::Axis;
use super::heatmap::{fraction, marks};
use super::search::Compared;
use super::table::Table;

/// More axes than this have no room beside one another.
const MOST: usize = 10;

/// The best cells on top, colored by accuracy.
pub fn draw(table: &Table, compared: &Compared, name: &str, look: Look) -> Option<Canvas> {
    let axes: Vec<&Axis> = table.axes.iter().take(MOST).collect();
    let low = compared.accuracies.iter().copied().fold(f64::INFINITY, f64::min);
    let high = compared.accuracies.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut facts = vec![compared.told()];
    if axes.len() < table.axes.len() {
        facts.push(format!("the first {MOST} of {} knobs", table.axes.len()));
    }
    let mut canvas = look.canvas(800.0);
    let body = canvas.heading("Parallel coordinates", name, &facts);
    let title = table.accuracy_title();
    let bar = body.inset(0.0, 44.0, 0.0, 40.0);
    let rest = legend::color_bar(&mut canvas, bar, &title, rank, &marks((low, high)));
    let scales: Vec<(scale::Axis, Vec<f64>)> = axes.iter().map(|axis| axis.scale()).collect();
    // The last axis writes its values towards the bar.
    let last = scales.last().map_or(&[][..], |(scale, _)| &scale.ticks);
    let widest = last.iter().map(|(_, label)| text_width(label, SMALL)).fold(0.0, f64::max);
    let area = body.inset(60.0, 44.0, body.right() - rest.right() + (widest + 24.0).max(60.0), 40.0);
    let gap = area.width / (axes.len().max(2) - 1) as f64;
    let place = |index: usize, value: f64| -> Point {
        let position = scales.get(index).map_or(0.0, |(scale, _)| scale.position(value));
        (area.x + gap * index as f64, area.bottom() - position * area.height)
    };
    let mut order: Vec<usize> = (0..compared.cells.len()).collect();
    order.sort_by(|&a, &b| compared.accuracies[a].total_cmp(&compared.accuracies[b]));
    for index in order {
        let (cell, accuracy) = (compared.cells[index], compared.accuracies[index]);
        let points: Vec<Point> = axes
            .iter()
            .enumerate()
            .filter_map(|(at, axis)| {
                let (_, places) = scales.get(at)?;
                Some(place(at, *places.get(axis.index(cell))?))
            })
            .collect();
        canvas.line(points, rank(fraction(accuracy, (low, high))), 2.5);
        for axis in &axes {
            let value = axis.values.get(axis.index(cell)).map_or("", String::as_str);
            let line = (index + 1).to_string();
            canvas.data.cell(("line", &line), (&axis.words, value), &accuracy.to_string());
        }
    }
    for (at, (axis, (scale, _))) in axes.iter().zip(&scales).enumerate() {
        let x = area.x + gap * at as f64;
        canvas.fill(Rect::new(x - 1.0, area.y, 2.0, area.height), INK);
        let log = if scale.title.ends_with("log scale") { ", log" } else { "" };
        let look = TextLook::new(LABEL, Anchor::Center);
        canvas.text_within(&format!("{}{log}", axis.words), (x, area.y - 26.0), look, gap - 10.0);
        let mut free = f64::INFINITY;
        for (value, label) in &scale.ticks {
            let (_, y) = place(at, *value);
            canvas.fill(Rect::new(x - 6.0, y - 1.0, 12.0, 2.0), INK);
            if y < free {
                written(&mut canvas, label, (x + 12.0, y), gap - 24.0);
                free = y - LABEL;
            }
        }
    }
    Some(canvas)
}

/// A label that lines behind it do not cross out.
fn written(canvas: &mut Canvas, label: &str, at: Point, room: f64) {
    let look = TextLook::new(SMALL, Anchor::Left);
    let width = text_width(label, SMALL).min(room);
    canvas.fill(Rect::new(at.0 - 2.0, at.1 - 13.0, width + 4.0, 26.0), PAPER);
    canvas.text_within(label, at, look, room);
}
