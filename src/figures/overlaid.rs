//! Curves of several runs over one another.

use super::canvas::{Canvas, Look, Point};
use super::caption::capitalized;
use super::legend::{self, Entry};
use super::palette::series;
use super::panel::{Panel, Stroke};
use super::results::{Epoch, Run};
use super::scale::Axis;

/// More runs than this are not named.
const NAMED: usize = 24;

/// Accuracy in one panel, losses in the other; `None` where no run has ended an epoch.
pub fn draw(runs: &[(String, Run)], look: Look) -> Option<Canvas> {
    if runs.iter().all(|(_, run)| run.epochs.is_empty()) {
        return None;
    }
    let columns = look.columns(2);
    let mut canvas = if columns == 2 { look.canvas(700.0) } else { look.canvas_of(1000.0) };
    let count = runs.len();
    let facts = if count > NAMED { vec!["too many to be named".to_owned()] } else { Vec::new() };
    let body = canvas.heading("Learning curves", &format!("{count} runs"), &facts);
    let strokes: Vec<Stroke> = runs
        .iter()
        .enumerate()
        .map(|(index, (_, run))| Stroke::solid(series(index, count)).dots_if_few(run.epochs.len()))
        .collect();
    let entries: Vec<Entry> =
        runs.iter().zip(&strokes).map(|((title, _), stroke)| (title.clone(), *stroke)).collect();
    let body = if count > NAMED { body } else { legend::column(&mut canvas, body, &entries) };
    let split = split(runs);
    let values = |pick: fn(&Epoch) -> Option<f64>| -> Vec<Vec<Point>> {
        let point = |epoch: &Epoch| (epoch.epoch.into(), pick(epoch).unwrap_or(f64::NAN));
        runs.iter().map(|(_, run)| run.epochs.iter().map(point).collect()).collect()
    };
    let accuracy = values(|epoch| epoch.accuracy.map(|fraction| 100.0 * fraction));
    let (train, held_out) = (values(|epoch| epoch.train_loss), values(|epoch| epoch.val_loss));
    let flat = |curves: &[Vec<Point>]| -> Vec<f64> { curves.iter().flatten().map(|(_, y)| *y).collect() };
    let losses: Vec<f64> = flat(&train).into_iter().chain(flat(&held_out)).collect();
    let epochs =
        || Axis::epochs(runs.iter().flat_map(|(_, run)| &run.epochs).map(|epoch| epoch.epoch.into()));

    let y = Axis::accuracy(&format!("{} accuracy (%)", capitalized(split)), flat(&accuracy));
    let panel = Panel::draw(&mut canvas, body.cell(0, columns, 2 / columns, 40.0), "", epochs(), y);
    for (curve, stroke) in accuracy.iter().zip(&strokes) {
        panel.curve(&mut canvas, curve, *stroke);
    }
    let y = Axis::loss(&format!("Loss (nats): {split}, dashed: training"), losses);
    let panel = Panel::draw(&mut canvas, body.cell(1, columns, 2 / columns, 40.0), "", epochs(), y);
    for ((train, held_out), stroke) in train.iter().zip(&held_out).zip(&strokes) {
        panel.curve(&mut canvas, train, Stroke { width: 2.0, ..Stroke::dashed(stroke.color) });
        panel.curve(&mut canvas, held_out, *stroke);
    }
    Some(canvas)
}

/// The rows that accuracies of all runs are measured on, in a word.
fn split(runs: &[(String, Run)]) -> &str {
    let mut splits = runs.iter().map(|(_, run)| run.split_name());
    let first = splits.next().unwrap_or("held-out");
    if splits.all(|split| split == first) { first } else { "held-out" }
}
