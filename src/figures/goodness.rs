//! How far positive and negative samples' goodness lie apart, layer by layer.

use plotters::style::Color;

use super::canvas::{Canvas, Look, Point, Rect};
use super::legend;
use super::numbers::significant;
use super::palette::{BLUE, INK, VERMILLION};
use super::panel::{Panel, Stroke, line};
use super::results::{Goodness, Run};
use super::scale::{Axis, drawable};

/// Layers beyond this are left out.
const MOST: usize = 30;

/// Histograms of both kinds around the threshold.
pub fn draw(run: &Run, look: Look) -> Option<Canvas> {
    let layers = &run.evaluation.as_ref()?.goodness;
    if layers.is_empty() {
        return None;
    }
    let shown = layers.len().min(MOST);
    let columns = match shown {
        1 => 1,
        2..=4 => 2,
        _ => 3,
    };
    let columns = look.columns(columns);
    let rows = shown.div_ceil(columns);
    let mut canvas = look.canvas_of(240.0 + 400.0 * rows as f64);
    let mut facts = vec![run.progress(), format!("{} images", run.split_name())];
    if shown < layers.len() {
        facts.push(format!("the first {shown} of {} layers", layers.len()));
    }
    let body = canvas.heading("Goodness of positive and negative samples", &run.description(), &facts);
    let mut entries = vec![
        ("positive".to_owned(), Stroke::solid(BLUE)),
        ("negative".to_owned(), Stroke::solid(VERMILLION)),
    ];
    if layers.iter().any(|layer| layer.threshold.is_some()) {
        entries.push(("threshold θ".to_owned(), Stroke::dashed(INK)));
    }
    let body = legend::row(&mut canvas, body, &entries);
    for (index, layer) in layers.iter().take(shown).enumerate() {
        let slot = body.cell(index, columns, rows, 26.0);
        draw_layer(&mut canvas, slot, index, layer);
    }
    Some(canvas)
}

fn draw_layer(canvas: &mut Canvas, slot: Rect, index: usize, layer: &Goodness) {
    let title = match layer.threshold {
        Some(threshold) => format!("Layer {}, θ = {}", index + 1, significant(threshold, 4)),
        None => format!("Layer {}", index + 1),
    };
    let positive = outline(&layer.edges, &layer.positive);
    let negative = outline(&layer.edges, &layer.negative);
    let values = || positive.iter().chain(&negative);
    let threshold = layer.threshold.filter(|threshold| drawable(*threshold));
    let places = values().map(|(x, _)| *x).chain(threshold);
    let low = places.clone().fold(f64::INFINITY, f64::min);
    let high = places.fold(f64::NEG_INFINITY, f64::max);
    let x = Axis::exact("Goodness", low, high, 4);
    let y = Axis::from_zero("Samples (%)", values().map(|(_, y)| *y));
    let panel = Panel::draw(canvas, slot, &title, x, y);
    for (values, color) in [(&negative, VERMILLION), (&positive, BLUE)] {
        panel.area_under(canvas, values, color.mix(0.25));
    }
    for (values, color) in [(&negative, VERMILLION), (&positive, BLUE)] {
        panel.curve(canvas, values, Stroke { width: 3.0, ..Stroke::solid(color) });
    }
    if let Some(threshold) = threshold {
        let (x, _) = panel.at((threshold, 0.0));
        let ends = vec![(x, panel.area.bottom()), (x, panel.area.y)];
        line(canvas, ends, Stroke::dashed(INK));
    }
}

/// The steps of a histogram in percent; empty if it holds nothing that can be drawn.
fn outline(edges: &[Option<f64>], counts: &[u64]) -> Vec<Point> {
    let total: f64 = counts.iter().map(|count| *count as f64).sum();
    if total == 0.0 {
        return Vec::new();
    }
    edges
        .windows(2)
        .zip(counts)
        .filter_map(|(ends, count)| match ends {
            [Some(from), Some(to)] if drawable(*from) && drawable(*to) => {
                let percent = 100.0 * *count as f64 / total;
                Some([(*from, percent), (*to, percent)])
            }
            _ => None,
        })
        .flatten()
        .collect()
}
