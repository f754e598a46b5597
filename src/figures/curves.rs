//! Losses and accuracy over epochs: of the network and of each layer.

use super::canvas::{Canvas, Point, Rect};
use super::legend::{self, Entry};
use super::palette::{BLUE, GREEN, VERMILLION, series};
use super::panel::{Panel, Stroke};
use super::results::{Epoch, Run};
use super::scale::{Axis, drawable};

/// Legends name at most this many layers.
const NAMED: usize = 12;

/// Values of one quantity over epochs; absent ones are NaN.
fn over_epochs(epochs: &[Epoch], value: impl Fn(&Epoch) -> Option<f64>) -> Vec<Point> {
    epochs.iter().map(|epoch| (epoch.epoch.into(), value(epoch).unwrap_or(f64::NAN))).collect()
}

fn percent(fraction: Option<f64>) -> Option<f64> {
    fraction.map(|fraction| 100.0 * fraction)
}

fn epochs_axis(epochs: &[Epoch]) -> Axis {
    Axis::epochs(epochs.iter().map(|epoch| epoch.epoch.into()))
}

/// Training and validation loss in one panel, accuracy and the best so far in the other.
pub fn overall(run: &Run) -> Option<Canvas> {
    let epochs = &run.epochs;
    let last = epochs.last()?;
    let mut canvas = Canvas::new(1400, 700);
    let said = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {:.2} %", 100.0 * value));
    let subtitle: Vec<String> =
        [Some(run.description()), said("final accuracy", last.accuracy), said("best", last.best_accuracy)]
            .into_iter()
            .flatten()
            .collect();
    let body = canvas.heading("Training curves", &subtitle.join(" · "));
    let few = |stroke: Stroke| stroke.dots_if_few(epochs.len());
    let losses = [
        ("training", few(Stroke::solid(BLUE)), over_epochs(epochs, |e| e.train_loss)),
        ("validation", few(Stroke::dashed(VERMILLION)), over_epochs(epochs, |e| e.val_loss)),
    ];
    let accuracies = [
        ("accuracy", few(Stroke::solid(BLUE)), over_epochs(epochs, |e| percent(e.accuracy))),
        ("best so far", Stroke::dashed(GREEN), over_epochs(epochs, |e| percent(e.best_accuracy))),
        ("softmax head", few(Stroke::solid(VERMILLION)), over_epochs(epochs, |e| percent(e.head_accuracy))),
    ];
    let y = Axis::loss("Loss (nats)", all_values(&losses));
    chart(&mut canvas, body.cell(0, 2, 1, 40.0), epochs, y, &losses);
    let y = Axis::percent("Accuracy (%)", all_values(&accuracies));
    chart(&mut canvas, body.cell(1, 2, 1, 40.0), epochs, y, &accuracies);
    Some(canvas)
}

type Curve = (&'static str, Stroke, Vec<Point>);

fn all_values(curves: &[Curve]) -> impl Iterator<Item = f64> + '_ {
    let points = curves.iter().flat_map(|(_, _, values)| values);
    points.map(|(_, y)| *y)
}

/// Only curves that have values are drawn and named.
fn chart(canvas: &mut Canvas, slot: Rect, epochs: &[Epoch], y: Axis, curves: &[Curve]) {
    let shown = || {
        let has_values = |values: &[Point]| values.iter().any(|(_, y)| drawable(*y));
        curves.iter().filter(move |(_, _, values)| has_values(values))
    };
    let entries: Vec<Entry> = shown().map(|(name, stroke, _)| ((*name).to_owned(), *stroke)).collect();
    let below = legend::row(canvas, slot.inset(90.0, 0.0, 0.0, 0.0), &entries);
    let slot = slot.inset(0.0, below.y - slot.y, 0.0, 0.0);
    let panel = Panel::draw(canvas, slot, "", epochs_axis(epochs), y);
    // The main curve is drawn last, on top.
    for (_, stroke, values) in shown().collect::<Vec<_>>().into_iter().rev() {
        panel.curve(canvas, values, *stroke);
    }
}

/// Losses of every layer, in training and in validation, on one scale.
pub fn by_layer(run: &Run) -> Option<Canvas> {
    let epochs = &run.epochs;
    let count = epochs.iter().map(|epoch| epoch.layers.len()).max()?;
    if count == 0 {
        return None;
    }
    let train: Vec<_> =
        (0..count).map(|layer| over_epochs(epochs, |e| e.layers.get(layer)?.train_loss)).collect();
    let validation: Vec<_> =
        (0..count).map(|layer| over_epochs(epochs, |e| e.layers.get(layer)?.val_loss)).collect();
    let mut canvas = Canvas::new(1400, 700);
    let body = canvas.heading("Loss of each layer", &run.description());
    let strokes: Vec<Stroke> =
        (0..count).map(|layer| Stroke::solid(series(layer, count)).dots_if_few(epochs.len())).collect();
    let entries: Vec<Entry> = strokes
        .iter()
        .enumerate()
        .step_by(count.div_ceil(NAMED))
        .map(|(layer, stroke)| (format!("layer {}", layer + 1), *stroke))
        .collect();
    let body = legend::column(&mut canvas, body, &entries);
    let values: Vec<f64> = train.iter().chain(&validation).flatten().map(|(_, y)| *y).collect();
    for (index, (title, curves)) in [("Training", train), ("Validation", validation)].into_iter().enumerate()
    {
        let slot = body.cell(index, 2, 1, 30.0);
        let y = Axis::loss(if index == 0 { "Loss (nats)" } else { "" }, values.iter().copied());
        let panel = Panel::draw(&mut canvas, slot, title, epochs_axis(epochs), y);
        for (values, stroke) in curves.iter().zip(&strokes) {
            panel.curve(&mut canvas, values, *stroke);
        }
    }
    Some(canvas)
}
