//! Losses and accuracy over epochs: of the network and of each layer.

use super::canvas::{Canvas, Look, Point, Rect};
use super::caption::capitalized;
use super::legend::{self, Entry};
use super::palette::{BLUE, GREEN, VERMILLION, rank, series};
use super::panel::{Panel, Stroke};
use super::results::{Epoch, Run};
use super::scale::{Axis, drawable};
use crate::run::Status;

/// More layers than this are told by a bar of colors.
const NAMED: usize = 20;

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

/// Losses in one panel, accuracy and the best so far in the other.
pub fn overall(run: &Run, look: Look) -> Option<Canvas> {
    let epochs = &run.epochs;
    epochs.last()?;
    let columns = look.columns(2);
    let mut canvas = if columns == 2 { look.canvas(700.0) } else { look.canvas_of(940.0) };
    let body = canvas.heading("Training curves", &run.description(), &facts(run));
    let few = |stroke: Stroke| stroke.dots_if_few(epochs.len());
    let split = run.split_name();
    let losses = [
        ("training", few(Stroke::solid(BLUE)), over_epochs(epochs, |e| e.train_loss)),
        (split, few(Stroke::solid(VERMILLION)), over_epochs(epochs, |e| e.val_loss)),
    ];
    // A run with a head has two accuracies, one of which is the run's.
    let by_head = is_by_head(run);
    let has_head = epochs.iter().any(|epoch| epoch.head_accuracy.is_some());
    let main = match (has_head, by_head) {
        (false, _) => "accuracy",
        (true, false) => "by energy",
        (true, true) => "by head",
    };
    let head = |e: &Epoch| percent(e.head_accuracy.filter(|_| !by_head));
    let accuracies = [
        (main, few(Stroke::solid(BLUE)), over_epochs(epochs, |e| percent(e.accuracy))),
        // Of a single epoch it says nothing new, of the test set it is no result.
        (
            "best so far",
            Stroke::dashed(GREEN),
            over_epochs(epochs, |e| percent(e.best_accuracy.filter(|_| epochs.len() > 1 && split != "test"))),
        ),
        ("by head", few(Stroke::solid(VERMILLION)), over_epochs(epochs, head)),
    ];
    let y = Axis::loss("Loss (nats)", all_values(&losses));
    chart(&mut canvas, body.cell(0, columns, 2 / columns, 40.0), epochs, y, &losses);
    let y = Axis::accuracy(&format!("{} accuracy (%)", capitalized(split)), all_values(&accuracies));
    chart(&mut canvas, body.cell(1, columns, 2 / columns, 40.0), epochs, y, &accuracies);
    Some(canvas)
}

/// Whether the run's accuracy is that of its head.
fn is_by_head(run: &Run) -> bool {
    run.config.evaluation.predict.as_deref() == Some("head")
}

/// How far the run is, and how well it does.
fn facts(run: &Run) -> Vec<String> {
    let said = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {:.2} %", 100.0 * value));
    let last = run.epochs.last();
    let split = run.split_name();
    let name = match run.status() {
        Status::Done => format!("final {split} accuracy"),
        _ => format!("{split} accuracy"),
    };
    let chosen = run.is_over() && split == "validation";
    let tested = run.summary.as_ref().and_then(|summary| summary.test_accuracy).filter(|_| chosen);
    [
        Some(run.progress()),
        said(&name, last.and_then(|epoch| epoch.accuracy)),
        said("best", last.and_then(|epoch| epoch.best_accuracy).filter(|_| split != "test")),
        said("by head", last.and_then(|epoch| epoch.head_accuracy).filter(|_| !is_by_head(run))),
        said("test accuracy of the best epoch", tested),
    ]
    .into_iter()
    .flatten()
    .collect()
}

type Curve<'a> = (&'a str, Stroke, Vec<Point>);

fn all_values<'a>(curves: &'a [Curve]) -> impl Iterator<Item = f64> + use<'a> {
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
    let below = legend::row(canvas, slot.inset(76.0, 0.0, 0.0, 0.0), &entries);
    let slot = slot.inset(0.0, below.y - slot.y, 0.0, 0.0);
    let panel = Panel::draw(canvas, slot, "", epochs_axis(epochs), y);
    // What lies below a dashed line shows through it.
    for dashed in [false, true] {
        for (_, stroke, values) in shown().filter(|(_, stroke, _)| stroke.dashed == dashed) {
            panel.curve(canvas, values, *stroke);
        }
    }
}

/// Losses of every layer, in training and on held-out rows, on one scale.
pub fn by_layer(run: &Run, look: Look) -> Option<Canvas> {
    let epochs = &run.epochs;
    let count = epochs.iter().map(|epoch| epoch.layers.len()).max()?;
    if count == 0 {
        return None;
    }
    let train: Vec<_> =
        (0..count).map(|layer| over_epochs(epochs, |e| e.layers.get(layer)?.train_loss)).collect();
    let held_out: Vec<_> =
        (0..count).map(|layer| over_epochs(epochs, |e| e.layers.get(layer)?.val_loss)).collect();
    let columns = look.columns(2);
    let mut canvas = if columns == 2 { look.canvas(700.0) } else { look.canvas_of(940.0) };
    let mut body = canvas.heading("Loss of each layer", &run.description(), &[run.progress()]);
    let strokes: Vec<Stroke> =
        (0..count).map(|layer| Stroke::solid(series(layer, count)).dots_if_few(epochs.len())).collect();
    let entries: Vec<Entry> =
        strokes.iter().enumerate().map(|(layer, stroke)| (format!("layer {}", layer + 1), *stroke)).collect();
    body = if count <= NAMED {
        legend::column(&mut canvas, body, &entries)
    } else {
        let bar = body.inset(0.0, 46.0, 0.0, 80.0);
        let marks = [(0.0, "1".to_owned()), (1.0, count.to_string())];
        let rest = legend::color_bar(&mut canvas, bar, "Layer", rank, &marks);
        body.inset(0.0, 0.0, body.right() - rest.right(), 0.0)
    };
    let values: Vec<f64> = train.iter().chain(&held_out).flatten().map(|(_, y)| *y).collect();
    let split = capitalized(run.split_name());
    for (index, (title, curves)) in [("Training", train), (&split, held_out)].into_iter().enumerate() {
        let slot = body.cell(index, columns, 2 / columns, 30.0);
        let y_title = if index % columns == 0 { "Loss (nats)" } else { "" };
        let y = Axis::loss(y_title, values.iter().copied());
        let panel = Panel::draw(&mut canvas, slot, title, epochs_axis(epochs), y);
        for (values, stroke) in curves.iter().zip(&strokes) {
            panel.curve(&mut canvas, values, *stroke);
        }
    }
    Some(canvas)
}
