//! Images with what the network took them for: its most confident errors before what it has right.

use plotters::style::RGBColor;

use super::canvas::{Anchor, Canvas, Look, Rect, SMALL, TINY, TextLook, text_width};
use super::caption::counted;
use super::palette::{ABSENT, GREEN, INK, RED};
use super::results::{Evaluation, Run, Sample};

const SIDE: usize = 5;
const BORDER: f64 = 8.0;
const CAPTION: f64 = 44.0;
const GAP: f64 = 18.0;

/// The samples of a run's last evaluation.
pub fn draw(run: &Run, look: Look) -> Option<Canvas> {
    let class = |class| run.class_name(class);
    of_samples(run.evaluation.as_ref()?, run.evaluated(), &run.description(), &class, look)
}

/// A grid of five a row: green borders are right, red ones wrong; `class` names classes.
pub fn of_samples(
    evaluation: &Evaluation,
    split: &str,
    name: &str,
    class: &dyn Fn(u64) -> String,
    look: Look,
) -> Option<Canvas> {
    let samples: Vec<&Sample> = evaluation.samples.iter().take(SIDE * SIDE).collect();
    if samples.is_empty() {
        return None;
    }
    // As high as the images: no row and no slot is padded.
    let rows = samples.len().div_ceil(SIDE);
    let slot_width = (look.width() - 56.0 - GAP * (SIDE - 1) as f64) / SIDE as f64;
    let shape = (evaluation.height as f64 / evaluation.width.max(1) as f64).clamp(0.25, 1.5);
    let slot_height = (slot_width - 2.0 * BORDER) * shape + 2.0 * BORDER + CAPTION;
    let height = slot_height * rows as f64 + GAP * (rows - 1) as f64;
    let mut canvas = look.canvas_of(142.0 + height.ceil());
    let body = canvas.heading("Predictions", name, &[told(evaluation, &samples, split)]);
    for (index, sample) in samples.into_iter().enumerate() {
        let slot = body.cell(index, SIDE, rows, GAP);
        draw_sample(&mut canvas, slot, class, sample, evaluation);
    }
    Some(canvas)
}

/// Which images these are, and how many more errors there are.
fn told(evaluation: &Evaluation, samples: &[&Sample], split: &str) -> String {
    let images = |count| counted(count, &format!("{split} image"));
    let right = samples.iter().filter(|sample| is_right(sample)).count();
    let (Some(all), Some(errors)) = (evaluation.images, evaluation.errors) else {
        return format!("{right} of the first {} right (green, wrong ones red)", images(samples.len()));
    };
    match errors {
        0 => format!("all of {} right; the first of them", images(all)),
        _ if errors > samples.len() => {
            format!("the {} most confident of {errors} errors on {}", samples.len(), images(all))
        }
        _ if right == 0 => {
            format!("{} on {}, the most confident first", counted(errors, "error"), images(all))
        }
        _ => format!(
            "{} on {} (red), the most confident first; then right ones (green)",
            counted(errors, "error"),
            images(all)
        ),
    }
}

fn is_right(sample: &Sample) -> bool {
    sample.label == sample.prediction
}

fn draw_sample(
    canvas: &mut Canvas,
    slot: Rect,
    class: &dyn Fn(u64) -> String,
    sample: &Sample,
    evaluation: &Evaluation,
) {
    let (prediction, label) = (class(sample.prediction), class(sample.label));
    let (color, ink, caption) = if is_right(sample) {
        (GREEN, INK, prediction)
    } else {
        (RED, RED, format!("{prediction}, true {label}"))
    };
    // In a column of a paper the word would leave no room for what it is said of.
    let whole = format!("predicted {caption}");
    let caption = if text_width(&whole, TINY) <= slot.width { whole } else { caption };
    let room = slot.inset(BORDER, BORDER, BORDER, BORDER + CAPTION);
    let columns = evaluation.width;
    let known = evaluation.values() == Some(sample.pixels.len()) && !sample.pixels.is_empty();
    let shape = if known { (columns, evaluation.height) } else { (1, 1) };
    let area = fit(room, shape);
    let border =
        Rect::new(area.x - BORDER, area.y - BORDER, area.width + 2.0 * BORDER, area.height + 2.0 * BORDER);
    canvas.fill(border, color);
    if known {
        let pixels = sample.pixels.chunks_exact(evaluation.channels).map(seen);
        canvas.image(area, columns, pixels.collect());
    } else {
        canvas.fill(area, ABSENT);
    }
    let look = TextLook::new(SMALL, Anchor::Center).color(ink);
    let at = (area.center().0, border.bottom() + CAPTION / 2.0);
    canvas.text_within(&caption, at, look, slot.width);
}

/// A pixel of one channel or of several, as it looks; opacity is left out.
fn seen(pixel: &[u8]) -> RGBColor {
    match *pixel {
        [red, green, blue, ..] => RGBColor(red, green, blue),
        [gray, ..] => RGBColor(gray, gray, gray),
        [] => ABSENT,
    }
}

/// The largest area of this shape in the middle of `room`.
fn fit(room: Rect, (columns, rows): (usize, usize)) -> Rect {
    let scale = (room.width / columns as f64).min(room.height / rows as f64);
    let (width, height) = (columns as f64 * scale, rows as f64 * scale);
    let (x, _) = room.center();
    Rect::new(x - width / 2.0, room.y, width, height)
}
