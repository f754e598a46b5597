//! The confusion matrix: counts, and shares of each true class as text and color.

use super::canvas::{Canvas, Look};
use super::caption::counted;
use super::legend;
use super::matrix::{self, Cell, Filling, Side};
use super::palette::{ABSENT, amount};
use super::results::Run;
use crate::run::Status;

/// Up to this many classes every class is labelled.
const ALL_LABELLED: usize = 25;

/// Of a run's last evaluation.
pub fn of_run(run: &Run, look: Look) -> Option<Canvas> {
    draw(run, "Confusion matrix", &run.description(), look)
}

/// Of a run under another name; `None` without images.
pub fn draw(run: &Run, title: &str, name: &str, look: Look) -> Option<Canvas> {
    let counts = run.confusion();
    let epoch = run.summary.as_ref().and_then(|summary| summary.evaluated_epoch);
    let facts = [
        (run.status() != Status::Done).then(|| run.progress()),
        epoch.map(|epoch| format!("weights of epoch {epoch}")),
    ];
    let class = |class| run.class_name(class);
    of_counts(counts, run.evaluated(), (title, name), facts.into_iter().flatten(), &class, look)
}

/// Of counts of the images of some rows; `class` names classes; `None` without images.
pub fn of_counts(
    counts: &[Vec<u64>],
    split: &str,
    (title, name): (&str, &str),
    further: impl IntoIterator<Item = String>,
    class: &dyn Fn(u64) -> String,
    look: Look,
) -> Option<Canvas> {
    let classes = counts.len();
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    let right = sum(&mut counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).copied());
    let total = sum(&mut counts.iter().flatten().copied());
    if total == 0 {
        return None;
    }
    let share = 100.0 * right as f64 / total as f64;
    let missing = counts.iter().any(|row| row.iter().all(|count| *count == 0));
    let images = counted(total as usize, &format!("{split} image"));
    let mut facts = vec![format!("{share:.2} % of {images} right")];
    facts.extend(further);
    facts.extend(missing.then(|| "gray: class not in the data".to_owned()));
    let mut canvas = look.canvas(1200.0);
    let body = canvas.heading(title, name, &facts);
    let marks: Vec<(f64, String)> = [0.0, 1.0, 5.0, 20.0, 50.0, 100.0]
        .iter()
        .map(|percent| (shade(percent / 100.0), percent.to_string()))
        .collect();
    let bar = body.inset(0.0, 4.0, 0.0, 78.0);
    let rest = legend::color_bar(&mut canvas, bar, "Share of the true class (%)", amount, &marks);
    let area = body.inset(0.0, 0.0, body.right() - rest.right(), 0.0);
    let labels: Vec<String> = (0..classes as u64).map(class).collect();
    let step = match classes {
        ..=ALL_LABELLED => 1,
        26..=60 => 5,
        _ => (classes.div_ceil(100)) * 10,
    };
    let side = |title| Side { title, labels: &labels, step };
    let cells: Vec<Cell> = counts.iter().flat_map(|row| cells(row, classes)).collect();
    matrix::draw(&mut canvas, area, &side("True class"), &side("Predicted class"), &cells);
    Some(canvas)
}

/// Errors are rare: the square root makes one percent visible.
fn shade(share: f64) -> f64 {
    share.sqrt()
}

fn cells(row: &[u64], classes: usize) -> impl Iterator<Item = Cell> + '_ {
    let total: f64 = row.iter().take(classes).map(|count| *count as f64).sum();
    (0..classes).map(move |column| {
        let count = row.get(column).copied().unwrap_or(0);
        if total == 0.0 {
            return Cell { color: ABSENT, text: String::new(), note: String::new(), filling: Filling::Full };
        }
        let share = count as f64 / total;
        let (text, note) = if count == 0 {
            Default::default()
        } else {
            (count.to_string(), format!("{:.1} %", 100.0 * share))
        };
        Cell { color: amount(shade(share)), text, note, filling: Filling::Full }
    })
}
